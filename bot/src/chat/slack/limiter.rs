//! When the next call may be made: one a second for each channel and method, and silence where Slack asks for it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Between two messages, or two edits, in one channel.
const GAP: Duration = Duration::from_millis(1_100);

/// The limiter.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    next: Mutex<HashMap<(String, String), Instant>>,
}

impl Limiter {
    /// Takes the next place for this method and channel, if it is free now.
    pub(super) fn take(&self, method: &str, channel: &str) -> bool {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        // What is over says nothing any more; otherwise every channel ever seen would stay.
        next.retain(|_, at| *at > now);
        let keys = [key(method, ""), key(method, channel)];
        if keys.iter().any(|key| next.contains_key(key)) {
            return false;
        }
        next.insert(key(method, channel), now + GAP);
        true
    }

    /// Slack wants silence for this method.
    pub(super) fn silence(&self, method: &str, wait: Duration) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.insert(key(method, ""), Instant::now() + wait);
    }
}

fn key(method: &str, channel: &str) -> (String, String) {
    (method.to_owned(), channel.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_message_a_second_and_channel_and_none_while_slack_wants_silence() {
        let limiter = Limiter::default();
        assert!(limiter.take("chat.postMessage", "C1"));
        assert!(!limiter.take("chat.postMessage", "C1"));
        assert!(limiter.take("chat.postMessage", "C2"));
        assert!(limiter.take("chat.update", "C1"));
        limiter.silence("chat.postMessage", Duration::from_mins(1));
        assert!(!limiter.take("chat.postMessage", "C3"));
        assert!(limiter.take("chat.update", "C3"));
    }
}
