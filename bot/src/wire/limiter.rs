//! When the next call may be made: the chat's calls a minute of each method, one message and one edit a second in a channel, and
//! silence where the chat asks for it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Between two messages, or two edits, in one channel.
const GAP: Duration = Duration::from_millis(1_100);

/// Chats count by it.
const MINUTE: Duration = Duration::from_mins(1);

/// How much of a minute's calls may be used up: what matters less leaves the rest to what matters more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    /// All of it.
    All,
    /// Nine tenths.
    Most,
    /// One half.
    Half,
}

impl Share {
    fn of(self, calls: usize) -> usize {
        match self {
            Self::All => calls,
            Self::Most => calls * 9 / 10,
            Self::Half => calls / 2,
        }
    }
}

/// Calls a minute of each method. Methods that are not in it have no such limit.
pub(crate) type Tiers = &'static [(&'static str, usize)];

/// The limiter.
#[derive(Debug)]
pub(crate) struct Limiter {
    tiers: Tiers,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Until when the chat wants no call of a method.
    silent: HashMap<String, Instant>,
    /// When the next may go, by method and channel.
    next: HashMap<(String, String), Instant>,
    /// Calls of the last minute.
    made: HashMap<String, VecDeque<Instant>>,
}

impl State {
    /// How long to wait before the next call; zero: none.
    fn wait(&mut self, tiers: Tiers, now: Instant, method: &str, share: Share) -> Duration {
        let silent = self.silent.get(method).map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let Some((_, most)) = tiers.iter().find(|(tier, _)| *tier == method) else { return silent };
        let most = share.of(*most);
        let made = self.made.entry(method.to_owned()).or_default();
        while made.front().is_some_and(|at| now.duration_since(*at) >= MINUTE) {
            made.pop_front();
        }
        let full = made.len().checked_sub(most).and_then(|first| made.get(first));
        silent.max(full.map_or(Duration::ZERO, |at| MINUTE.saturating_sub(now.duration_since(*at))))
    }
}

impl Limiter {
    pub(crate) fn new(tiers: Tiers) -> Self {
        Self { tiers, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call that is about to be made.
    ///
    /// # Errors
    /// How long to wait, when it may not be made yet.
    pub(crate) fn admit(&self, now: Instant, method: &str, share: Share) -> Result<(), Duration> {
        let mut state = self.state();
        let wait = state.wait(self.tiers, now, method, share);
        if !wait.is_zero() {
            return Err(wait);
        }
        if let Some(made) = state.made.get_mut(method) {
            made.push_back(now);
        }
        Ok(())
    }

    /// Takes the next place for this method and channel, if it is free now and the method may be called.
    pub(crate) fn take(&self, now: Instant, method: &str, channel: &str, share: Share) -> bool {
        let mut state = self.state();
        // What is over says nothing any more; otherwise every channel ever seen would stay.
        state.next.retain(|_, at| *at > now);
        let key = (method.to_owned(), channel.to_owned());
        if state.next.contains_key(&key) || !state.wait(self.tiers, now, method, share).is_zero() {
            return false;
        }
        state.next.insert(key, now + GAP);
        true
    }

    /// The chat wants silence for this method.
    pub(crate) fn silence(&self, now: Instant, method: &str, wait: Duration) {
        self.state().silent.insert(method.to_owned(), now + wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_a_second_and_channel_and_none_while_slack_wants_silence() {
        let (limiter, now) = (Limiter::new(&[("chat.update", 50)]), Instant::now());
        let take = |now, method, channel| limiter.take(now, method, channel, Share::All);
        assert!(take(now, "chat.postMessage", "C1"));
        assert!(!take(now + Duration::from_secs(1), "chat.postMessage", "C1"));
        assert!(take(now + GAP, "chat.postMessage", "C1"));
        assert!(take(now, "chat.postMessage", "C2"));
        assert!(take(now, "chat.update", "C1"));
        limiter.silence(now, "chat.postMessage", MINUTE);
        assert!(!take(now, "chat.postMessage", "C3"));
        assert!(limiter.admit(now, "chat.postMessage", Share::All).is_err());
        assert!(take(now, "chat.update", "C3"));
        assert!(take(now + MINUTE, "chat.postMessage", "C3"));
    }

    #[test]
    fn edits_of_fifty_channels_keep_to_fifty_a_minute_and_what_matters_more_goes_on_longer() {
        let (limiter, now) = (Limiter::new(&[("chat.update", 50)]), Instant::now());
        let many = |now, share, from: usize| {
            let edits = (from..from + 60).filter(|n| {
                limiter.take(now, "chat.update", &format!("C{n}"), share)
                    && limiter.admit(now, "chat.update", share).is_ok()
            });
            edits.count()
        };
        assert_eq!((many(now, Share::Half, 0), many(now, Share::Most, 100), many(now, Share::All, 200)), (25, 20, 5));
        assert!(limiter.admit(now, "chat.update", Share::All).is_err_and(|wait| wait <= MINUTE));
        assert!(limiter.admit(now, "chat.postMessage", Share::Half).is_ok());
        assert_eq!(many(now + MINUTE, Share::All, 300), 50);
    }
}
