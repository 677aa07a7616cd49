//! One schedule of one environment: when, what it asks for, and how it treats holidays, clock changes and lateness.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::crontab::Crontab;
use super::mark::{Edge, Mark};
use super::once::At;
use super::scale::Scale;
use super::wall::{OnGap, OnOverlap};
use super::window::{Sides, Window};
use crate::domain::environment::Level;
use crate::domain::ids::{ActorId, Timestamp};
use crate::domain::request::Target;

/// How late a transition may still be made where nothing else is said: 4 hours, in seconds.
pub const DEFAULT_CATCH_UP_S: u32 = 4 * 3_600;

/// How long before an environment goes down people are warned where nothing else is said: 15 minutes, in seconds.
pub const DEFAULT_WARN_S: u32 = 15 * 60;

/// Longest `for` of a crontab line or a one-time schedule: 31 days, in seconds.
pub const LONGEST_FOR_S: u32 = 31 * 24 * 3_600;

/// How far ahead anything is looked for: what does not happen in so many years never happens.
pub const YEARS_AHEAD: u32 = 5;

/// One schedule of one environment. Its name is its own within the environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// What people call it: `working hours`.
    pub name: String,
    /// The zone of its wall clock; kept by its IANA name.
    #[serde(with = "zone_name")]
    pub zone: Tz,
    /// When, and what it asks for.
    pub when: When,
    /// The name of its calendar in [`Agenda::calendars`](super::Agenda); `None`: holidays are days like others.
    pub holidays: Option<String>,
    /// What to do at a time that the wall clock skips.
    pub on_gap: OnGap,
    /// At which of two equal times of the wall clock.
    pub on_overlap: OnOverlap,
    /// How late it may still be carried out, in seconds.
    pub catch_up_s: u32,
    /// How long before it lowers people are warned, in seconds; 0: they are not.
    pub warn_s: u32,
    /// Starts early enough that the environment is in service at the written time.
    pub ready_by: bool,
    /// Who hears of what the clock does by it otherwise than written, beside the environment's channel or owners.
    #[serde(default)]
    pub tell: Vec<ActorId>,
    /// Where it comes from.
    pub origin: Origin,
    /// From when on the moments of a crontab line or of `at` count: what lies before it was written never happens. `None`: all do. A
    /// window is a level and counts at once.
    #[serde(default)]
    pub since: Option<Timestamp>,
}

/// When a schedule asks for something, and for what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum When {
    /// A span of the wall clock.
    Window {
        /// The span.
        window: Window,
        /// Wanted inside it; needed where the window has a beginning.
        inside: Option<Target>,
        /// Wanted outside it; needed where the window has an end.
        outside: Option<Target>,
    },
    /// A crontab line.
    Crontab {
        /// The line.
        line: Crontab,
        /// What it does.
        fires: Fires,
    },
    /// One moment.
    At {
        /// The moment.
        at: At,
        /// What is done then.
        fires: Fires,
    },
}

/// What a crontab line or a one-time schedule does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fires {
    /// `up` never lowers and `down` never raises what the windows ask for.
    pub way: Way,
    /// The level and the settings that come with it.
    pub target: Target,
    /// For how long, in seconds; `None`: until the next transition of any schedule.
    pub for_s: Option<u32>,
}

/// Which way a crontab line or a one-time schedule goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// `up`.
    Up,
    /// `down`.
    Down,
}

/// Where a schedule comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Origin {
    /// The configuration.
    File {
        /// The line at which it begins, from 1.
        line: usize,
    },
    /// Somebody added it by chat.
    Chat {
        /// Who.
        who: ActorId,
        /// When.
        when: Timestamp,
    },
}

/// A schedule that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// A level that the environment does not have.
    #[error("it has no level `{0}`")]
    NoLevel(Level),
    /// The window begins, and nothing is wanted inside it.
    #[error("`inside` is missing: which level is wanted from the beginning of `{0}`?")]
    NoInside(String),
    /// The window ends, and nothing is wanted outside it.
    #[error("`outside` is missing: which level is wanted from the end of `{0}`?")]
    NoOutside(String),
    /// The window never begins, so that nothing is ever inside it.
    #[error("`inside` has no meaning: `{0}` has an end only")]
    NeverInside(String),
    /// The window never ends, so that nothing is ever outside it.
    #[error("`outside` has no meaning: `{0}` has a beginning only")]
    NeverOutside(String),
    /// It raises and does not say until when.
    #[error("it raises to {0} and must say `for` how long: `for = \"3h\"`")]
    RaisesWithoutFor(Level),
    /// It lasts no time.
    #[error("`for` is 0: it would end when it begins")]
    ForNothing,
    /// It lasts too long.
    #[error("`for` is longer than 31 days: use a window")]
    ForTooLong,
}

/// A zone is kept by its name.
pub(super) mod zone_name {
    use chrono_tz::Tz;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    pub(crate) fn serialize<S: Serializer>(zone: &Tz, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(zone.name())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Tz, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

impl When {
    /// The key of the configuration under which it stands.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Window { .. } => "window",
            Self::Crontab { .. } => "cron",
            Self::At { .. } => "at",
        }
    }

    /// What is written: `Mon-Fri 09:00-21:00`, `0 9 * * 1-5`, `2026-12-24 18:00`.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Window { window, .. } => window.to_string(),
            Self::Crontab { line, .. } => line.to_string(),
            Self::At { at, .. } => at.to_string(),
        }
    }

    /// What it asks for at one time or another.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        match self {
            Self::Window { inside, outside, .. } => [inside.as_ref(), outside.as_ref()],
            Self::Crontab { fires, .. } | Self::At { fires, .. } => [Some(&fires.target), None],
        }
        .into_iter()
        .flatten()
    }
}

impl Schedule {
    /// Checks it against the environment's levels.
    pub fn check(&self, scale: &Scale) -> Result<(), ScheduleError> {
        if let Some(unknown) = self.when.targets().find(|target| scale.rank(&target.level).is_none()) {
            return Err(ScheduleError::NoLevel(unknown.level.clone()));
        }
        match &self.when {
            When::Window { window, inside, outside } => {
                let text = || window.to_string();
                match (window.sides(), inside, outside) {
                    (Sides::Both | Sides::Begin, None, _) => Err(ScheduleError::NoInside(text())),
                    (Sides::Both | Sides::End, _, None) => Err(ScheduleError::NoOutside(text())),
                    (Sides::End, Some(_), Some(_)) => Err(ScheduleError::NeverInside(text())),
                    (Sides::Begin, Some(_), Some(_)) => Err(ScheduleError::NeverOutside(text())),
                    (Sides::Both, Some(_), Some(_)) | (Sides::Begin, Some(_), None) | (Sides::End, None, Some(_)) => {
                        Ok(())
                    }
                }
            }
            When::Crontab { fires, .. } | When::At { fires, .. } => fires.check(scale),
        }
    }

    /// The only dates on which it does anything, in ascending order; `None` when it comes again for ever.
    pub(super) fn dates(&self) -> Option<Vec<chrono::NaiveDate>> {
        match &self.when {
            When::Window { window, .. } => window.dates(),
            When::Crontab { .. } => None,
            When::At { at, .. } => Some(vec![at.wall().date()]),
        }
    }

    /// Adds what it does on `date`, on its wall clock, in order.
    pub(super) fn marks(&self, date: chrono::NaiveDate, calendar: Option<&Calendar>, into: &mut Vec<Mark>) {
        match &self.when {
            When::Window { window, .. } => window.marks(date, calendar, into),
            When::Crontab { line, .. } => line.marks(date, calendar, into),
            When::At { at, .. } => {
                into.extend((at.wall().date() == date).then_some(Mark { wall: at.wall(), edge: Edge::Fire }));
            }
        }
    }

    /// What it asks for from such a mark on.
    pub(super) fn asks(&self, edge: Edge) -> Option<&Target> {
        match (&self.when, edge) {
            (When::Window { inside, .. }, Edge::Begin | Edge::Fire) => inside.as_ref(),
            (When::Window { outside, .. }, Edge::End) => outside.as_ref(),
            (When::Crontab { fires, .. } | When::At { fires, .. }, Edge::Begin | Edge::End | Edge::Fire) => {
                Some(&fires.target)
            }
        }
    }

    /// True for a crontab line or a one-time schedule: it has moments, where a window is a level.
    #[must_use]
    pub fn has_moments(&self) -> bool {
        self.fires().is_some()
    }

    /// What it does when it fires; `None` for a window.
    pub(super) fn fires(&self) -> Option<&Fires> {
        match &self.when {
            When::Window { .. } => None,
            When::Crontab { fires, .. } | When::At { fires, .. } => Some(fires),
        }
    }

    /// True for what is written for some dates only.
    pub(super) fn is_dated(&self) -> bool {
        self.dates().is_some()
    }

    /// True for a window with only a beginning or only an end.
    pub(super) fn is_one_sided(&self) -> bool {
        match &self.when {
            When::Window { window, .. } => window.sides() != Sides::Both,
            When::Crontab { .. } | When::At { .. } => false,
        }
    }
}

impl Fires {
    fn check(&self, scale: &Scale) -> Result<(), ScheduleError> {
        match self.for_s {
            Some(0) => Err(ScheduleError::ForNothing),
            Some(for_s) if for_s > LONGEST_FOR_S => Err(ScheduleError::ForTooLong),
            // Only `up` can raise; to the level at which the environment rests, or below, it need not be taken back.
            None if self.way == Way::Up && scale.rank(&self.target.level) > scale.rank(&scale.rest) => {
                Err(ScheduleError::RaisesWithoutFor(self.target.level.clone()))
            }
            None | Some(_) => Ok(()),
        }
    }
}
