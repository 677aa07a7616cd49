//! What people order about schedules for a while, and what they are answered.

use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::bend::{Bend, Bent};
use super::timeline::Transition;
use super::wall::shown;
use crate::domain::command::CommandName;
use crate::domain::ids::{EnvironmentName, GroupName, Timestamp};
use crate::domain::request::Target;

/// Longest that schedules are paused: 90 days, in milliseconds.
pub const PAUSE_MAX_MS: i64 = 90 * 86_400_000;

/// How far ahead days can be skipped: 366 days.
pub const SKIP_DAYS_MAX: i64 = 366;

/// An order that bends schedules for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "bend", rename_all = "snake_case")]
pub enum BendOrder {
    /// What they would do does not happen.
    Skip {
        /// Of which environment; `None`: of all that have schedules.
        environment: Option<EnvironmentName>,
        /// Of all of this group, where no environment is named.
        #[serde(default)]
        group: Option<GroupName>,
        /// What of it.
        skipping: Skipping,
    },
    /// They ask for nothing for a while.
    Pause {
        /// Of which environment.
        environment: EnvironmentName,
        /// Until when.
        until: Timestamp,
    },
    /// What was skipped and paused counts again.
    Unpause {
        /// Of which environment.
        environment: EnvironmentName,
        /// What of it that nobody can read is taken away, instead.
        #[serde(default)]
        unread: Option<TakeAway>,
    },
    /// The same in every environment that this person may change and where something is paused or skipped.
    UnpauseAll,
}

/// Which of those that nobody can read are taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakeAway {
    /// The one with this key.
    One(String),
    /// All of them.
    All,
}

/// What is to be skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skipping {
    /// What people see coming. As [`Self::Next`], but right after a moment of which they were warned: then it may be that one that is meant.
    Coming,
    /// The next moment at which schedules change what is wanted.
    Next,
    /// Everything from six in the evening until six in the morning, on the environment's clock.
    Tonight,
    /// Everything that begins on these dates of each schedule's clock.
    Days {
        /// The first.
        first: NaiveDate,
        /// The last, still in it.
        last: NaiveDate,
    },
}

impl BendOrder {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> CommandName {
        match self {
            Self::Skip { .. } => CommandName::Skip,
            Self::Pause { .. } => CommandName::Pause,
            Self::Unpause { .. } | Self::UnpauseAll => CommandName::Unpause,
        }
    }

    /// About which environment; `None`: about all that have schedules.
    #[must_use]
    pub fn environment(&self) -> Option<&EnvironmentName> {
        match self {
            Self::Skip { environment, .. } => environment.as_ref(),
            Self::Pause { environment, .. } | Self::Unpause { environment, .. } => Some(environment),
            Self::UnpauseAll => None,
        }
    }
}

/// A moment of the timeline, as far as an answer needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// When.
    pub at: Timestamp,
    /// The wall clock at that instant.
    pub local: NaiveDateTime,
    /// Its offset: `+09:00`.
    pub offset: String,
    /// Its zone, by its IANA name.
    pub zone: String,
    /// What is wanted from then on.
    pub wanted: Target,
}

impl Turn {
    /// As the clock of a zone shows it.
    #[must_use]
    pub fn new(at: Timestamp, zone: Tz, wanted: Target) -> Self {
        let (local, offset) = shown(at, zone);
        Self { at, local, offset, zone: zone.name().to_owned(), wanted }
    }
}

impl From<&Transition> for Turn {
    fn from(transition: &Transition) -> Self {
        let Transition { at, local, offset, zone, wanted, .. } = transition;
        let (offset, wanted) = (offset.clone(), wanted.clone());
        Self { at: *at, local: *local, offset, zone: zone.name().to_owned(), wanted }
    }
}

/// What comes at once of it that something else is written, or does not bend any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtOnce {
    /// Where it is to be until then; `None` when nobody ever said.
    pub from: Option<Target>,
    /// Where it goes, and when: now, or after the warning where it is lowered. `None`: nobody asks for anything any more, and it stays.
    pub to: Option<Turn>,
}

impl AtOnce {
    /// True where people are warned first: what is there stays until then, as one of `bends`.
    #[must_use]
    pub fn is_warned(&self, bends: &[Bent]) -> bool {
        let stays = |bent: &Bent| matches!(bent.bend, Bend::Grace { until, .. } if self.to.as_ref().is_some_and(|to| to.at == until));
        bends.iter().any(stays)
    }
}

/// What came of it in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BentOne {
    /// Which.
    pub environment: EnvironmentName,
    /// What begins to bend its schedules, or, for `unpause`, bends them no more.
    pub bent: Vec<Bent>,
    /// What would have happened and does not, in order; or, for `unpause`, happens after all.
    pub turns: Vec<Turn>,
    /// What is wanted meanwhile; `None` when nobody ever said.
    pub stays: Option<Target>,
    /// What comes next.
    pub next: Option<Turn>,
    /// What comes of it at once.
    #[serde(default)]
    pub at_once: Option<AtOnce>,
    /// People are warned before that.
    #[serde(default)]
    pub warned: bool,
    /// Its code does not check, and nothing comes of its schedules until it does.
    #[serde(default)]
    pub aside: bool,
    /// Somebody's keep, change or booking that asks for what is there now, whatever schedules say.
    #[serde(default)]
    pub meanwhile: Option<Bent>,
    /// Who has paused its schedules, where something is left out in them.
    #[serde(default)]
    pub paused: Option<Bent>,
}

/// The answer to an order that bends schedules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BendAnswer {
    /// This does not happen.
    Skipped(Vec<BentOne>),
    /// Schedules ask for nothing until then.
    Paused {
        /// Until when.
        until: Timestamp,
        /// Of which environment.
        one: BentOne,
    },
    /// They are not paused any more, and nothing that lies ahead is left out.
    Unpaused(BentOne),
    /// The same of several.
    AllUnpaused(Vec<BentOne>),
    /// What nobody could read is taken away.
    Cleared {
        /// Of which environment.
        environment: EnvironmentName,
        /// What was wrong with each.
        why: Vec<String>,
        /// What is wrong with those that are left.
        #[serde(default)]
        left: Vec<String>,
    },
}
