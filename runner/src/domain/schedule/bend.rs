//! What people bend for a while: skip a transition, pause the schedules, keep the present level, visit another one, book one. The ledger
//! keeps these as rows.

use chrono::{NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ActorId, Timestamp};
use crate::domain::request::Target;

/// Why something does not happen that was written.
pub const CHANGED: &str = "the schedules were changed";

/// Why something happens at no moment of a schedule: it was put off until then.
pub const PUT_OFF: &str = "people were warned first";

/// A bend with its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bent {
    /// Its number in the ledger.
    pub number: i64,
    /// Whose it is.
    pub by: ActorId,
    /// What they were called then.
    pub called: String,
    /// Why, in their words.
    pub because: Option<String>,
    /// What they bend.
    pub bend: Bend,
}

impl Bent {
    /// A skip as it would be if somebody asked for it: what follows from it can be looked at before it is stored.
    #[must_use]
    pub fn unsigned(skip: Skipped) -> Self {
        Self { number: 0, by: ActorId::tidegate(), called: String::new(), because: None, bend: Bend::Skip(skip) }
    }

    /// Whose it is, in words: `the keep of ito`. What stays until people were warned is nobody's.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.bend.word() {
            Some(word) => format!("the {word} of {}", self.called),
            None => PUT_OFF.to_owned(),
        }
    }

    /// True while it bends something, or may still: of what is skipped the days tell.
    #[must_use]
    pub fn stands(&self, now: Timestamp) -> bool {
        let day_ms = 86_400_000;
        let begun = |date: NaiveDate| date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis();
        match &self.bend {
            Bend::Skip(Skipped::One { local, .. }) => begun(local.date()) + 2 * day_ms > now.0,
            Bend::Skip(Skipped::Days { last, .. }) => begun(*last) + 2 * day_ms > now.0,
            Bend::Pause { from, until } => *from <= now && until.is_none_or(|until| until > now),
            Bend::Keep { from, until, .. } | Bend::Visit { from, until, .. } | Bend::Grace { from, until, .. } => {
                *from <= now && *until > now
            }
            Bend::Booked { until, .. } => *until > now,
        }
    }
}

/// What somebody bends, and until when. Ends are not in it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Bend {
    /// Transitions that do not happen: what was wanted before each stays wanted until the next one.
    Skip(Skipped),
    /// No schedule asks for anything: what was wanted when it began stays wanted.
    Pause {
        /// From when.
        from: Timestamp,
        /// Until when; `None`: until somebody resumes.
        until: Option<Timestamp>,
    },
    /// A level is held, over everything else.
    Keep {
        /// What is held.
        target: Target,
        /// From when.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// A person's change: over the schedules, under a keep. The newest counts.
    Visit {
        /// What they asked for.
        target: Target,
        /// From when.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
        /// They said until when; false: until the schedules say again.
        #[serde(default)]
        said: bool,
    },
    /// What was there when something else was written, or a pause was ended: it stays until people were warned for as long as
    /// before any other lowering. Over the schedules, under people's changes.
    Grace {
        /// What stays.
        target: Target,
        /// From when.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
        /// What comes after it, of which people were warned; `None`: nobody noted it.
        #[serde(default)]
        then: Option<Target>,
        /// Of what else people were warned before that, and still are where they read on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        foretold: Vec<Foretold>,
    },
    /// A level that somebody booked ahead: over everything that was asked for before it begins, under what is asked for while it lasts.
    Booked {
        /// What they booked.
        target: Target,
        /// From when.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
        /// Where it goes afterwards where nobody asks for anything then; `None`: where the environment rests.
        #[serde(default)]
        back: Option<Target>,
    },
}

/// A lowering of which people were warned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foretold {
    /// Where it was to go.
    pub wanted: Target,
    /// When: people were warned for long enough by then.
    pub at: Timestamp,
}

impl Bend {
    /// What people call it; `None`: it is nobody's, and stays until people were warned.
    #[must_use]
    pub fn word(&self) -> Option<&'static str> {
        match self {
            Self::Skip(_) => Some("skip"),
            Self::Pause { .. } => Some("pause"),
            Self::Keep { .. } => Some("keep"),
            Self::Visit { .. } => Some("change"),
            Self::Booked { .. } => Some("booking"),
            Self::Grace { .. } => None,
        }
    }

    /// Whether it keeps schedules from asking, rather than asking for something itself.
    #[must_use]
    pub fn is_of_schedules(&self) -> bool {
        matches!(self, Self::Skip(_) | Self::Pause { .. })
    }
}

/// Which transitions do not happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Skipped {
    /// One of one schedule.
    One {
        /// The schedule's name.
        schedule: String,
        /// Its time on the schedule's wall clock, as it is written or, where a clock change moves it, as it is shown.
        local: NaiveDateTime,
    },
    /// All that begins on some dates of each schedule's wall clock, with its end. What began before ends as it is written, so that
    /// nothing stays raised over days that people are away.
    Days {
        /// Of one schedule; `None`: of all.
        schedule: Option<String>,
        /// The first date.
        first: NaiveDate,
        /// The last date, still in it.
        last: NaiveDate,
        /// When it was asked for: what had begun by then stays.
        from: Timestamp,
    },
}

/// Something that a schedule is about to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    /// The schedule's name.
    pub(super) schedule: &'a str,
    /// When.
    pub(super) at: Timestamp,
    /// As it is written on the schedule's wall clock.
    pub(super) written: NaiveDateTime,
    /// As that clock shows it.
    pub(super) shown: NaiveDateTime,
    /// It ends what began before.
    pub(super) ends: bool,
}

impl Skipped {
    /// Whether it takes that away.
    pub(super) fn takes(&self, about: About<'_>) -> bool {
        match self {
            Self::One { schedule, local } => {
                schedule == about.schedule && (*local == about.written || *local == about.shown)
            }
            Self::Days { schedule, first, last, from } => {
                schedule.as_deref().is_none_or(|schedule| schedule == about.schedule)
                    && (*first..=*last).contains(&about.written.date())
                    && about.at >= *from
                    && !about.ends
            }
        }
    }
}
