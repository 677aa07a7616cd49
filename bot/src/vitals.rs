//! How the chats of this process are: written by whoever listens and speaks in them, read by whoever tells of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How all chats are, by name. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Vitals(Arc<Mutex<BTreeMap<&'static str, Arc<Vital>>>>);

impl Vitals {
    /// How this chat is; from now on it is told.
    #[must_use]
    pub fn of(&self, door: &'static str) -> Arc<Vital> {
        Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(door).or_default())
    }

    /// All chats of which anything is told, in the order of their names.
    #[must_use]
    pub fn all(&self) -> Vec<(&'static str, Arc<Vital>)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(door, vital)| (*door, Arc::clone(vital))).collect()
    }
}

/// How a chat is: connections that said hello, or why there are none, over a socket or for deliveries; when anything came.
#[derive(Debug)]
pub struct Vital(Mutex<State>);

#[derive(Debug)]
struct State {
    /// When anything was last delivered.
    heard: Option<Instant>,
    open: usize,
    /// When the last one ended; at first, when the first was tried.
    none_since: Instant,
    /// The chat's word for why there is none.
    why: String,
}

impl Default for Vital {
    fn default() -> Self {
        let state = State { heard: None, open: 0, none_since: Instant::now(), why: "no_answer".to_owned() };
        Self(Mutex::new(state))
    }
}

impl Vital {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was delivered just now.
    pub fn hears(&self) {
        self.state().heard = Some(Instant::now());
    }

    /// How long ago anything was last delivered; `None`: nothing was since the start.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.state().heard.map(|at| at.elapsed())
    }

    /// A connection opened. True when there was no other: something may have been missed.
    pub fn opened(&self) -> bool {
        let mut state = self.state();
        state.open += 1;
        state.open == 1
    }

    /// One ended.
    pub fn ended(&self) {
        let mut state = self.state();
        state.open = state.open.saturating_sub(1);
        if state.open == 0 {
            state.none_since = Instant::now();
            "no_answer".clone_into(&mut state.why);
        }
    }

    /// One could not be opened.
    pub fn failed(&self, why: &str) {
        why.clone_into(&mut self.state().why);
    }

    /// For how long nothing can be heard, and why; `None` while something can.
    #[must_use]
    pub fn deaf_for(&self) -> Option<(Duration, String)> {
        let state = self.state();
        (state.open == 0).then(|| (state.none_since.elapsed(), state.why.clone()))
    }
}
