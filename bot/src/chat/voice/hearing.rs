//! Whether a chat is heard: connections that said hello, and why there are none.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Connections that are open, over a socket or for deliveries.
#[derive(Debug)]
pub(in crate::chat) struct Hearing {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    open: usize,
    /// When the last one ended; at first, when the first was tried.
    none_since: Instant,
    /// The chat's word for why there is none.
    why: String,
}

impl Hearing {
    pub(in crate::chat) fn new() -> Self {
        let state = State { open: 0, none_since: Instant::now(), why: "no_answer".to_owned() };
        Self { state: Mutex::new(state) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One opened. True when there was no other: something may have been missed.
    pub(in crate::chat) fn opened(&self) -> bool {
        let mut state = self.state();
        state.open += 1;
        state.open == 1
    }

    /// One ended.
    pub(in crate::chat) fn ended(&self) {
        let mut state = self.state();
        state.open = state.open.saturating_sub(1);
        if state.open == 0 {
            state.none_since = Instant::now();
            "no_answer".clone_into(&mut state.why);
        }
    }

    /// One could not be opened.
    pub(in crate::chat) fn failed(&self, why: &str) {
        why.clone_into(&mut self.state().why);
    }

    /// For how long nothing is heard, and why; `None` while something is.
    pub(in crate::chat) fn deaf_for(&self) -> Option<(Duration, String)> {
        let state = self.state();
        (state.open == 0).then(|| (state.none_since.elapsed(), state.why.clone()))
    }
}
