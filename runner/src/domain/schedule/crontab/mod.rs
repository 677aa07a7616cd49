//! Crontab lines of five fields, meaning what they mean in a crontab: `0 9 * * 1-5` is Monday to Friday at 09:00.
//!
//! The `cron` crate parses them behind a translation (it wants seconds, and counts weekdays from 1 = Sunday); on which days they
//! fire is decided here, on the wall clock, by crontab's own rule for its two day fields.

mod read;
#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{Datelike as _, NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::mark::{Edge, Mark};
use super::misread::Misread;

/// A crontab line of five fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Crontab {
    text: String,
    /// Minutes after midnight at which it fires on its days, ascending.
    minutes: Vec<u32>,
    /// By day of the month; 0 is not used.
    days: [bool; 32],
    /// By month; 0 is not used.
    months: [bool; 13],
    /// By day of the week, Sunday first.
    weekdays: [bool; 7],
    /// Both day fields are restricted, so that one of them suffices. As vixie-cron has it, a field that begins with `*` is not
    /// restricted, also `*/2`.
    either: bool,
    /// The field for weekdays names some.
    by_weekday: bool,
}

impl TryFrom<String> for Crontab {
    type Error = Misread;
    fn try_from(text: String) -> Result<Self, Misread> {
        text.parse()
    }
}

impl From<Crontab> for String {
    fn from(crontab: Crontab) -> Self {
        crontab.to_string()
    }
}

impl fmt::Display for Crontab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Crontab {
    fn on(&self, date: NaiveDate, calendar: Option<&Calendar>) -> bool {
        let set = |days: &[bool], at: usize| days.get(at).is_some_and(|on| *on);
        if !set(&self.months, date.month() as usize) {
            return false;
        }
        let day = set(&self.days, date.day() as usize);
        if self.either && day {
            return true;
        }
        // A line for every day means holidays too; one that names weekdays takes a holiday for Sunday.
        let own = date.weekday().num_days_from_sunday() as usize;
        let counted = match calendar {
            Some(calendar) if self.by_weekday => (calendar.counts_as(date) + 1) % 7,
            Some(_) | None => own,
        };
        let weekday = set(&self.weekdays, counted);
        if self.either { weekday } else { day && weekday }
    }

    /// Adds when it fires on `date`, on the wall clock, in order.
    pub(super) fn marks(&self, date: NaiveDate, calendar: Option<&Calendar>, into: &mut Vec<Mark>) {
        if self.on(date, calendar) {
            into.extend(self.minutes.iter().filter_map(|minute| {
                let time = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0)?;
                Some(Mark { wall: date.and_time(time), edge: Edge::Fire })
            }));
        }
    }
}
