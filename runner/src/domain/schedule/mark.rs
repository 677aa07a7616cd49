//! Marks: moments of the wall clock at which one schedule begins or ends to ask for something.

use chrono::NaiveDateTime;

/// What happens at a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Edge {
    /// A window ends.
    End,
    /// A window begins.
    Begin,
    /// A crontab line or a one-time schedule fires.
    Fire,
}

/// A moment of the wall clock at which a schedule changes what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// As it is written, whether or not a clock ever shows it.
    pub(super) wall: NaiveDateTime,
    /// What happens there.
    pub(super) edge: Edge,
}
