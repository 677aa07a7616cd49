//! Everything that the configuration says about when: an environment's schedules, its zone, and how long people's changes last.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;

use super::calendar::Calendar;
use super::item::Schedule;

/// How long a person's change of a scheduled environment lasts at most where nothing else is said: 12 hours, in seconds.
pub const DEFAULT_VISIT_S: u32 = 12 * 3_600;

/// When an environment should be at which level, as the configuration says it.
#[derive(Debug, Clone, PartialEq)]
pub struct Timetable {
    /// The zone of its schedules, but for those with one of their own, and of what people bend.
    pub zone: Tz,
    /// Its schedules, in the order of the file. They have been checked.
    pub schedules: Vec<Schedule>,
    /// The calendars that they name.
    pub calendars: Arc<BTreeMap<String, Calendar>>,
    /// How long a person's change lasts at most, in seconds.
    pub visit_s: u32,
    /// What counts for a schedule that does not say it itself.
    pub unsaid: Unsaid,
}

/// What the environment says for all its schedules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unsaid {
    /// On whose clock they are; `None`: each has to say.
    pub zone: Option<Tz>,
    /// The name of their calendar.
    pub holidays: Option<String>,
}

impl Default for Timetable {
    fn default() -> Self {
        Self {
            zone: Tz::UTC,
            schedules: Vec::new(),
            calendars: Arc::default(),
            visit_s: DEFAULT_VISIT_S,
            unsaid: Unsaid::default(),
        }
    }
}
