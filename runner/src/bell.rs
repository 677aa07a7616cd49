//! Tells the engine and those who follow runs, within this process, that the ledger has something new. Other processes find
//! out by looking: every listener also looks by itself every now and then.

use std::sync::Arc;

use tokio::sync::watch;

/// Rings for everybody who listens. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<watch::Sender<u64>>);

/// Hears a [`Bell`]. A ring between two calls of [`Listener::heard`] is not lost.
#[derive(Debug)]
pub struct Listener(watch::Receiver<u64>);

impl Bell {
    /// Something new is in the ledger.
    pub fn ring(&self) {
        self.0.send_modify(|rings| *rings = rings.wrapping_add(1));
    }

    /// Somebody who hears every ring from now on.
    #[must_use]
    pub fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

impl Listener {
    /// Waits until the bell has rung since the last call. For ever, once the bell itself is gone. Cancellation safe.
    pub async fn heard(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_ring_is_heard_by_everybody_also_when_it_came_before_the_call() {
        let bell = Bell::default();
        let (mut first, mut second) = (bell.listen(), bell.listen());
        bell.ring();
        tokio::join!(first.heard(), second.heard());
    }
}
