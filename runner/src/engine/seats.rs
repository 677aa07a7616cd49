//! How many runs are worked on at the same time: each that works has a seat, and one that waits half way for people gives it back.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// The seats of one engine.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    taken: Mutex<usize>,
    freed: Notify,
}

/// One of them. Dropped, it is free.
#[derive(Debug)]
pub(crate) struct Seat(Arc<Seats>);

impl Seats {
    /// A seat, where fewer than `limit` are taken.
    pub(crate) fn try_take(self: &Arc<Self>, limit: usize) -> Option<Seat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        (*taken < limit).then(|| {
            *taken += 1;
            Seat(Arc::clone(self))
        })
    }

    /// Waits until one is free.
    pub(crate) async fn take(self: &Arc<Self>, limit: usize) -> Seat {
        loop {
            let freed = self.freed.notified();
            if let Some(seat) = self.try_take(limit) {
                return seat;
            }
            freed.await;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_gets_the_seat_that_is_given_back() {
        let seats = Arc::new(Seats::default());
        let (first, second) = (seats.try_take(2), seats.try_take(2));
        assert!(first.is_some() && second.is_some() && seats.try_take(2).is_none());
        let waiting = tokio::spawn({
            let seats = Arc::clone(&seats);
            async move { seats.take(2).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        let third = waiting.await.expect("a seat");
        assert!(seats.try_take(2).is_none());
        drop((second, third));
        assert!(seats.try_take(1).is_some());
    }
}
