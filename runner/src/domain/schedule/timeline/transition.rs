//! What the timeline says: transitions, what stands, and why.

use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::super::item::zone_name;
use crate::domain::ids::Timestamp;
use crate::domain::request::Target;

/// What is wanted at a moment, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The level and its settings.
    pub wanted: Target,
    /// Who asks for it. [`Because::Asks`], [`Because::Bent`] or [`Because::Rests`]; empty where what was wanted before a pause stays.
    pub because: Vec<Because>,
    /// When the request ends by itself: a keep, a person's change, or the `for` of a crontab line. `None`: with the next transition.
    pub until: Option<Timestamp>,
}

/// A moment from which another level is wanted than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// The instant.
    pub at: Timestamp,
    /// The wall clock at that instant.
    pub local: NaiveDateTime,
    /// Its offset: `+09:00`.
    pub offset: String,
    /// The zone of that wall clock.
    #[serde(with = "zone_name")]
    pub zone: Tz,
    /// What was wanted before; `None` when nobody had ever asked for anything.
    pub before: Option<Target>,
    /// What is wanted from then on.
    pub wanted: Target,
    /// Why: first what happens at this moment, then who asks. Never empty.
    pub because: Vec<Because>,
    /// When the request ends by itself: a keep, a person's change, or the `for` of a crontab line.
    pub until: Option<Timestamp>,
    /// What a clock change or a holiday had to do with it.
    pub notes: Vec<Note>,
}

/// Why a level is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Because {
    /// A window begins, or a crontab line or one-time schedule fires.
    Begins {
        /// The schedule's name.
        schedule: String,
    },
    /// A window ends, or the `for` of a crontab line or one-time schedule does.
    Ends {
        /// The schedule's name.
        schedule: String,
    },
    /// A schedule has been asking for it; what stood over it has ended.
    Asks {
        /// The schedule's name.
        schedule: String,
    },
    /// Somebody's keep or change.
    Bent {
        /// Its number.
        number: i64,
    },
    /// Somebody's keep, change or pause ends.
    Unbent {
        /// Its number.
        number: i64,
    },
    /// Nobody asks for anything any more: the level at which the environment rests.
    Rests,
}

impl Because {
    /// The schedule that it names.
    #[must_use]
    pub fn schedule(&self) -> Option<&str> {
        match self {
            Self::Begins { schedule } | Self::Ends { schedule } | Self::Asks { schedule } => Some(schedule),
            Self::Bent { .. } | Self::Unbent { .. } | Self::Rests => None,
        }
    }

    /// The number of somebody's keep, change or pause that it names.
    #[must_use]
    pub fn bend(&self) -> Option<i64> {
        match self {
            Self::Bent { number } | Self::Unbent { number } => Some(*number),
            Self::Begins { .. } | Self::Ends { .. } | Self::Asks { .. } | Self::Rests => None,
        }
    }
}

/// What people are told about a transition beside when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// The written time does not exist on that day: it is made at the first instant that does.
    Gap {
        /// The written time.
        written: NaiveDateTime,
    },
    /// The wall clock shows the time twice on that day.
    Overlap {
        /// The first of the two, or the second.
        first: bool,
    },
    /// It is there, or at this time, because of a holiday.
    Holiday {
        /// The date.
        date: NaiveDate,
        /// What is celebrated.
        name: String,
    },
    /// It is there, or at this time, because the team works on that day.
    Working {
        /// The date.
        date: NaiveDate,
        /// Why.
        name: String,
    },
}

impl Transition {
    /// The key under which it is carried out once: `working hours@2026-11-23T09:00+09:00`. Unique within its environment.
    #[must_use]
    pub fn key(&self) -> String {
        let name = match self.because.first() {
            Some(Because::Begins { schedule } | Because::Ends { schedule } | Because::Asks { schedule }) => {
                schedule.clone()
            }
            Some(Because::Bent { number }) => format!("bend {number}"),
            Some(Because::Unbent { number }) => format!("bend {number} ends"),
            Some(Because::Rests) | None => "rest".to_owned(),
        };
        // Only what people bent has seconds.
        let shown = self.local.format("%Y-%m-%dT%H:%M:%S%.f").to_string();
        format!("{name}@{}{}", shown.strip_suffix(":00").unwrap_or(&shown), self.offset)
    }
}
