//! Trouble that a test asks for: refusals, lost answers, delays, Slack's rate limits.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// How a call goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 429 with `Retry-After`, in whole seconds.
    RateLimited {
        /// How long to wait.
        retry_after: u64,
    },
    /// This HTTP status and no JSON; nothing was done.
    Status(u16),
    /// HTTP 200 with `ok: false` and this word; nothing was done.
    Error(String),
    /// `missing_scope`, with what is needed.
    MissingScope(String),
    /// It is done, and then the connection breaks in the middle of the answer.
    AnswerLost,
    /// It is done, and answered with this HTTP status.
    DoneBut(u16),
    /// Nothing is done and no answer ever comes.
    Silence,
}

impl Refusal {
    /// One of Slack's error words.
    #[must_use]
    pub fn error(word: &str) -> Self {
        Self::Error(word.into())
    }
}

#[derive(Debug)]
struct Rule {
    id: u64,
    method: String,
    refusal: Refusal,
    /// None: until it is taken back.
    left: Option<u32>,
}

/// The trouble that is set, and what the rate limits have counted.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
    next: u64,
    delays: HashMap<String, Duration>,
    pub(crate) limits: bool,
    posted: HashMap<String, Instant>,
    asked: HashMap<&'static str, VecDeque<Instant>>,
}

impl Faults {
    pub(crate) fn add(&mut self, method: &str, refusal: Refusal) -> u64 {
        self.next += 1;
        self.rules.push(Rule { id: self.next, method: method.into(), refusal, left: None });
        self.next
    }

    pub(crate) fn limit(&mut self, id: u64, calls: u32) {
        for rule in self.rules.iter_mut().filter(|rule| rule.id == id) {
            rule.left = Some(calls);
        }
    }

    pub(crate) fn clear(&mut self, method: &str) {
        self.rules.retain(|rule| rule.method != method && method != "*");
        self.delays.retain(|delayed, _| delayed != method && method != "*");
    }

    pub(crate) fn delay(&mut self, method: &str, delay: Duration) {
        self.delays.insert(method.into(), delay);
    }

    pub(crate) fn delay_of(&self, method: &str) -> Option<Duration> {
        self.delays.get(method).or_else(|| self.delays.get("*")).copied()
    }

    /// The refusal that this call meets, used up by it.
    pub(crate) fn meet(&mut self, method: &str) -> Option<Refusal> {
        let fits = |rule: &Rule| (rule.method == method || rule.method == "*") && rule.left != Some(0);
        let rule = self.rules.iter_mut().find(|rule| fits(rule))?;
        rule.left = rule.left.map(|left| left - 1);
        Some(rule.refusal.clone())
    }

    /// Counts a call against Slack's limits: `per_minute` of the method, and one message a second in a channel. Gives the
    /// seconds to wait when it is one too many.
    pub(crate) fn count(&mut self, method: &'static str, per_minute: usize, channel: Option<&str>) -> Option<u64> {
        if !self.limits {
            return None;
        }
        let (now, minute, second) = (Instant::now(), Duration::from_mins(1), Duration::from_secs(1));
        let asked = self.asked.entry(method).or_default();
        while asked.front().is_some_and(|at| now.duration_since(*at) >= minute) {
            asked.pop_front();
        }
        if asked.len() >= per_minute {
            return asked.front().map(|at| minute.saturating_sub(now.duration_since(*at)).as_secs() + 1);
        }
        if let Some(channel) = channel.filter(|_| method == "chat.postMessage") {
            if self.posted.get(channel).is_some_and(|at| now.duration_since(*at) < second) {
                return Some(1);
            }
            self.posted.insert(channel.to_owned(), now);
        }
        asked.push_back(now);
        None
    }
}
