//! When a Terraform command hears an interrupt.
//!
//! Measured with Terraform 1.11.4: an apply that gets SIGINT before it walks its graph says "Stopping operation...", forgets it,
//! and applies everything all the same; a second SIGINT would make it drop everything. So the first is kept until it is heard.
//! That may take seconds: the schemas of the providers are read before.

use std::time::Duration;

use tokio::time::Instant;

use super::stream::{Line, Message};

/// From the first planned change that an apply tells until it surely walks its graph: there is nothing to read in between.
const SETTLES: Duration = Duration::from_secs(1);

/// How long an interrupt is kept for an apply that tells nothing at all.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is known of the hearing of one child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearing {
    /// It hears, or it changes nothing, so that it does not matter.
    Hears,
    /// It is an apply that has not yet begun anything.
    NotYet,
    /// It is an apply that begins now, and hears from then on.
    From(Instant),
}

impl Hearing {
    /// At the start of `terraform COMMAND`.
    #[must_use]
    pub fn at_start(command: &str) -> Self {
        if command == "apply" { Self::NotYet } else { Self::Hears }
    }

    /// Learns from a line, read at `now`.
    pub fn take(&mut self, line: &Line, now: Instant) {
        let Line::Entry(entry) = line else { return };
        *self = match (*self, &entry.message) {
            // Who waits for the lock listens.
            (_, Message::ApplyStart(_) | Message::StateLockAcquire) => Self::Hears,
            (Self::NotYet, Message::PlannedChange(_)) => Self::From(now + SETTLES),
            (known, _) => known,
        };
    }

    /// When an interrupt that is wished for at `wished` may be given.
    #[must_use]
    pub fn give_at(self, wished: Instant) -> Instant {
        match self {
            Self::Hears => wished,
            Self::NotYet => wished + PATIENCE,
            Self::From(then) => wished.max(then),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANNED: &str = r#"{"@level":"info","@message":"a: Plan to create","type":"planned_change","change":{"resource":{"addr":"a"},"action":"create"}}"#;
    const STARTS: &str = r#"{"@level":"info","@message":"a: Creating...","type":"apply_start","hook":{"resource":{"addr":"a"},"action":"create"}}"#;
    const LOCK: &str = r#"{"@level":"info","@message":"Acquiring state lock.","type":"state_lock_acquire"}"#;

    #[test]
    fn an_apply_hears_once_it_has_begun_and_everything_else_at_once() {
        let now = Instant::now();
        let after = |command: &str, lines: &[&str]| {
            let mut hearing = Hearing::at_start(command);
            for line in lines {
                hearing.take(&Line::parse(line), now);
            }
            hearing.give_at(now).duration_since(now)
        };
        assert_eq!(after("plan", &[]), Duration::ZERO);
        assert_eq!(after("apply", &[]), PATIENCE);
        assert_eq!(after("apply", &["no JSON", r#"{"@message":"x","type":"log"}"#]), PATIENCE);
        assert_eq!(after("apply", &[PLANNED, PLANNED]), SETTLES);
        assert_eq!(after("apply", &[PLANNED, STARTS, PLANNED]), Duration::ZERO);
        assert_eq!(after("apply", &[LOCK]), Duration::ZERO);
    }
}
