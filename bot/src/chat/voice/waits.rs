//! Which queues have to wait, until when, and after how many failures in a row.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// After an answer that nobody understood, at first and at most.
const UNKNOWN_WAIT: Duration = Duration::from_secs(1);
const UNKNOWN_WAIT_MAX: Duration = Duration::from_secs(30);

/// Queues that have to wait.
#[derive(Debug, Default)]
pub(super) struct Waits(HashMap<String, (Instant, u32)>);

impl Waits {
    /// Whether nothing of this queue is to be tried now.
    pub(super) fn must_wait(&self, queue: &str, now: Instant) -> bool {
        self.0.get(queue).is_some_and(|(until, _)| *until > now)
    }

    /// It waits so long. That is no failure: what a chat says clearly it has heard.
    pub(super) fn wait(&mut self, queue: &str, now: Instant, wait: Duration) {
        let failures = self.0.get(queue).map_or(0, |(_, failures)| *failures);
        self.0.insert(queue.to_owned(), (now + wait, failures));
    }

    /// It waits longer each time, and never for the same time as others do, by `chance`. Gives how often it has failed before.
    pub(super) fn back_off(&mut self, queue: &str, now: Instant, chance: u8) -> u32 {
        let failures = self.0.get(queue).map_or(0, |(_, failures)| *failures);
        let base = UNKNOWN_WAIT.saturating_mul(1 << failures.min(5)).min(UNKNOWN_WAIT_MAX);
        let until = now + base + Duration::from_millis(u64::from(chance) * 2);
        self.0.insert(queue.to_owned(), (until, failures + 1));
        failures
    }

    /// It works.
    pub(super) fn works(&mut self, queue: &str) {
        self.0.remove(queue);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_that_a_chat_asks_for_is_no_failure_and_takes_none_back() {
        let (mut waits, now) = (Waits::default(), Instant::now());
        for _ in 0..9 {
            waits.wait("C1", now, Duration::from_secs(3));
        }
        assert!(waits.must_wait("C1", now) && !waits.must_wait("C1", now + Duration::from_secs(3)));
        assert_eq!((waits.back_off("C1", now, 0), waits.back_off("C1", now, 0)), (0, 1));
        waits.wait("C1", now, Duration::ZERO);
        assert_eq!(waits.back_off("C1", now, 0), 2);
        assert!(waits.must_wait("C1", now + Duration::from_secs(3)) && !waits.must_wait("C2", now));
        waits.works("C1");
        assert_eq!(waits.back_off("C1", now, 0), 0);
    }
}
