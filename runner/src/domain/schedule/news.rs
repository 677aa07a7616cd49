//! What people hear of the clock: that an environment is about to go down, and where a transition was not made as it is written.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::bend::{Bend, Bent};
use super::check::QuietKind;
use super::order::Turn;
use super::timeline::Because;
use crate::domain::holds::{Hold, Kind};
use crate::domain::ids::{ActorId, RunNumber, Timestamp};
use crate::domain::request::Target;

/// Why a level is wanted, and what people asked for of which that speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reasons {
    /// First what happens at that moment, then who asks.
    pub because: Vec<Because>,
    /// Those that `because` names by their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bends: Vec<Bent>,
}

impl Reasons {
    /// Those of a transition; `bends`: all that stand.
    #[must_use]
    pub fn of(because: &[Because], bends: &[Bent]) -> Self {
        let named = |bent: &&Bent| because.iter().any(|because| because.bend() == Some(bent.number));
        Self { because: because.to_vec(), bends: bends.iter().filter(named).cloned().collect() }
    }
}

/// One thing that people hear of the clock. What is made as it is written is told by its run alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "clock", rename_all = "snake_case")]
pub enum ClockNews {
    /// It goes down soon, unless somebody says otherwise.
    Ahead {
        /// When, and where to.
        turn: Turn,
        /// From where.
        from: Target,
        /// What keeps it from that when it is due, for a while: it goes there after that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held: Option<Box<Hold>>,
        /// Leaving out what schedules do does not keep it from that, as where a booking ends.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unskippable: bool,
        /// Not all of it is where it was to be: an apply did not end well, and nobody has taken it as it is.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        in_doubt: bool,
        /// Why it is to go there; `None` in what was told before this was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reasons: Option<Box<Reasons>>,
    },
    /// It is made late: nobody looked when it was due, or something stood against it.
    Late {
        /// What was due, and when.
        turn: Turn,
        /// How late it begins, in milliseconds.
        by_ms: i64,
        /// How many transitions before it were not made, because this one came after them.
        collapsed: u32,
        /// Its run.
        run: RunNumber,
        /// What stood against it until then; `None`: nobody looked when it was due.
        #[serde(default)]
        stood_against: Option<String>,
        /// Whose word held it back when it was due, or until then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held_back: Option<Box<HeldBack>>,
    },
    /// It is not made: it is too late for it.
    Missed {
        /// What was due, and when.
        turn: Turn,
        /// How late it was seen, in milliseconds.
        by_ms: i64,
        /// How many transitions before it were not made either.
        #[serde(default)]
        collapsed: u32,
        /// Whose word held it back when it was due, or until then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held_back: Option<Box<HeldBack>>,
    },
    /// Nobody looked while transitions were due that came to nothing: it is where the last of them wants it, as it was before.
    Swallowed {
        /// The last of them.
        turn: Turn,
        /// Those that were not made, the newest of them, in order.
        left_out: Vec<Turn>,
        /// How many there were.
        count: u32,
    },
    /// It is not made, because somebody wanted it skipped.
    Skipped {
        /// What was due, and when.
        turn: Turn,
        /// Who.
        by: ActorId,
        /// Their name then.
        called: String,
        /// Why, if they said so.
        because: Option<String>,
    },
    /// Before that, days come on which schedules do something else than on others: holidays, days worked in spite of them, hours that
    /// the clocks skip. It is the first transition in them or after them.
    Eve {
        /// What is due next, and when.
        turn: Turn,
        /// Where it stays until then.
        stays: Option<Target>,
        /// The days, in order.
        days: Vec<OddDay>,
    },
    /// Something stands against it.
    Refused {
        /// What was due, and when.
        turn: Turn,
        /// What, in words.
        why: String,
        /// Until when it is tried again; `None`: it is not.
        again: Option<Timestamp>,
    },
    /// It was tried until its window was over, or something else is wanted by now.
    GivenUp {
        /// What was due, and when.
        turn: Turn,
        /// How often.
        tries: i64,
        /// The last run that tried it; `None`: it was refused each time.
        run: Option<RunNumber>,
        /// Who asked for something else meanwhile, by their name then; `None`: its time was over.
        #[serde(default)]
        by: Option<String>,
    },
    /// People were warned of it, and it does not happen then: somebody said otherwise since.
    CalledOff {
        /// What was to happen, and when.
        turn: Turn,
        /// What somebody bent since; `None`: a hold, or other schedules.
        bent: Option<Box<Bent>>,
        /// What stands against it for as long as it would be tried.
        held: Option<Box<Hold>>,
    },
}

/// Somebody's word that held a transition back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBack {
    /// What they did: `held`, `kept`, `paused`.
    pub how: String,
    /// Who.
    pub by: ActorId,
    /// Their name then.
    pub called: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when, as far as it has an end.
    pub until: Option<Timestamp>,
    /// Why, if they said so.
    pub because: Option<String>,
}

impl HeldBack {
    /// By a keep or a pause; `None`: it is neither.
    #[must_use]
    pub fn of_bent(bent: &Bent) -> Option<Self> {
        let (how, since, until) = match bent.bend {
            Bend::Keep { from, until, .. } => ("kept", from, Some(until)),
            Bend::Pause { from, until } => ("paused", from, until),
            Bend::Skip(_) | Bend::Visit { .. } | Bend::Grace { .. } | Bend::Booked { .. } => return None,
        };
        let Bent { by, called, because, .. } = bent.clone();
        Some(Self { how: how.to_owned(), by, called, since, until, because })
    }
}

impl From<Hold> for HeldBack {
    fn from(hold: Hold) -> Self {
        let how = match hold.kind {
            Kind::Hold => "held",
            Kind::Freeze => "frozen",
            Kind::Keep => "kept",
            Kind::Stop => "stopped",
            Kind::Booking => "booked",
        };
        let Hold { by, called, because, began: since, until, .. } = hold;
        Self { how: how.to_owned(), by, called, since, until, because }
    }
}

/// A transition that was due and that nobody has looked at yet, as where no process follows the schedules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overdue {
    /// What was due, and when.
    pub turn: Turn,
    /// Where it is to be until then.
    pub from: Target,
    /// That is lower than where it is to be.
    pub lowers: bool,
    /// Until when it is done as soon as somebody follows the schedules; `None`: it is not done any more.
    pub until: Option<Timestamp>,
}

/// A day on which schedules do something else than on others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OddDay {
    /// The date.
    pub date: NaiveDate,
    /// Of what kind.
    pub kind: QuietKind,
    /// What day it is, or which times are skipped.
    pub name: String,
}

impl ClockNews {
    /// The word for its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ahead { .. } => "ahead",
            Self::Late { .. } => "late",
            Self::Missed { .. } => "missed",
            Self::Swallowed { .. } => "swallowed",
            Self::Skipped { .. } => "skipped",
            Self::Eve { .. } => "eve",
            Self::Refused { .. } => "refused",
            Self::GivenUp { .. } => "given up",
            Self::CalledOff { .. } => "called off",
        }
    }

    /// The transition that it is about.
    #[must_use]
    pub fn turn(&self) -> &Turn {
        match self {
            Self::Ahead { turn, .. }
            | Self::Late { turn, .. }
            | Self::Missed { turn, .. }
            | Self::Swallowed { turn, .. }
            | Self::Skipped { turn, .. }
            | Self::Eve { turn, .. }
            | Self::Refused { turn, .. }
            | Self::GivenUp { turn, .. }
            | Self::CalledOff { turn, .. } => turn,
        }
    }
}
