//! The right to speak, which one process at a time has: kept by a task of its own, so that nothing slow lets it lapse, and asked again in
//! the very statement that notes a try.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_runner::desk::Desk;
use tidegate_runner::domain::ids::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::wait;

/// For how long it is had, and when it is renewed.
const LEASE: Duration = Duration::from_secs(20);
const RENEW: Duration = Duration::from_secs(4);

/// After this long a try is over, however it ended.
pub(in crate::chat) const TRY: Duration = Duration::from_secs(11);

/// A try begins only while the right is had for so long yet: nobody else begins before it is over.
pub(in crate::chat) const MARGIN: Duration = Duration::from_secs(12);

/// The right. Cheap to clone.
#[derive(Clone)]
pub(in crate::chat) struct Right {
    desk: Desk,
    /// Of which chat.
    door: &'static str,
    pub(in crate::chat) holder: Arc<str>,
    /// Every other process that could have it is dead.
    alone: bool,
    held: Arc<Mutex<Option<Held>>>,
}

#[derive(Clone, Copy)]
struct Held {
    /// Since when Tidegate speaks here at all.
    since: Timestamp,
    until: Instant,
}

impl Right {
    pub(in crate::chat) fn new(desk: Desk, door: &'static str, alone: bool) -> Self {
        Self { desk, door, holder: uuid::Uuid::now_v7().to_string().into(), alone, held: Arc::default() }
    }

    /// Takes and renews it until told to stop.
    pub(in crate::chat) async fn keep(&self, stop: &mut watch::Receiver<bool>) {
        let ms = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        loop {
            // From before the question: what the answer takes is not ours.
            let until = Instant::now() + LEASE;
            let held = match self.desk.speak_in(self.door, &self.holder, ms, self.alone).await {
                Ok(since) => since.map(|since| Held { since, until }),
                Err(error) => {
                    tracing::error!(%error, "whose turn it is to speak cannot be read");
                    self.held()
                }
            };
            *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
            if wait(RENEW, stop).await {
                return;
            }
        }
    }

    /// Gives it back.
    pub(in crate::chat) async fn give_back(&self) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Err(error) = self.desk.fall_silent(self.door, &self.holder).await {
            tracing::warn!(%error, "the right to speak was not given back");
        }
    }

    fn held(&self) -> Option<Held> {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since when Tidegate speaks here at all, while the right is had for long enough to begin something.
    pub(in crate::chat) fn since(&self) -> Option<Timestamp> {
        self.held().filter(|held| held.until.saturating_duration_since(Instant::now()) >= MARGIN).map(|held| held.since)
    }
}
