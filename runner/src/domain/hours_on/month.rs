//! A month of a calendar, and the instants between which it lies in a zone.

use chrono::{Datelike as _, NaiveDate, NaiveTime};
use chrono_tz::Tz;

use crate::domain::ids::Timestamp;
use crate::domain::schedule::{OnOverlap, instant, local};

/// A month: 1970-01 to 9998-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    month: u32,
}

const NAMES: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Month {
    /// A month, counted from 1; `None` for what is none.
    #[must_use]
    pub fn new(year: i32, month: u32) -> Option<Self> {
        ((1970..=9998).contains(&year) && (1..=12).contains(&month)).then_some(Self { year, month })
    }

    /// The month of a date; of one beyond all calendars, the nearest that there is.
    #[must_use]
    pub fn of(date: NaiveDate) -> Self {
        Self { year: date.year().clamp(1970, 9998), month: date.month() }
    }

    /// The month in which a moment lies in a zone.
    #[must_use]
    pub fn at(moment: Timestamp, zone: Tz) -> Self {
        Self::of(local(moment, zone).map(|local| local.date_naive()).unwrap_or_default())
    }

    /// The one before it.
    #[must_use]
    pub fn before(self) -> Self {
        let (year, month) = if self.month == 1 { (self.year - 1, 12) } else { (self.year, self.month - 1) };
        Self { year: year.max(1970), month }
    }

    /// The one after it.
    #[must_use]
    pub fn after(self) -> Self {
        let (year, month) = if self.month == 12 { (self.year + 1, 1) } else { (self.year, self.month + 1) };
        Self { year: year.min(9998), month }
    }

    /// The place of a month's English name among twelve, from 1: of the whole name or its first three letters, in any case.
    #[must_use]
    pub fn named(word: &str) -> Option<u32> {
        let lower = word.to_lowercase();
        let is = |name: &str| {
            name.to_lowercase() == lower || name.get(..3).is_some_and(|short| short.to_lowercase() == lower)
        };
        (1..).zip(NAMES).find(|(_, name)| is(name)).map(|(place, _)| place)
    }

    /// The last month of this name that is not after this one.
    #[must_use]
    pub fn last_named(self, month: u32) -> Option<Self> {
        Self::new(if month > self.month { self.year - 1 } else { self.year }, month)
    }

    /// Its first moment and the first one after it, on the wall clock of a zone: 743 to 745 hours, where daylight saving begins or
    /// ends in a month of 31 days.
    #[must_use]
    pub fn span(self, zone: Tz) -> (Timestamp, Timestamp) {
        (self.first(zone), self.after().first(zone))
    }

    fn first(self, zone: Tz) -> Timestamp {
        let midnight = NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or_default().and_time(NaiveTime::MIN);
        instant(midnight, zone, OnOverlap::First).map_or(Timestamp(0), |(at, _)| at)
    }

    /// `November 2026`.
    #[must_use]
    pub fn in_words(self) -> String {
        let name = usize::try_from(self.month).ok().and_then(|month| NAMES.get(month.checked_sub(1)?));
        format!("{} {}", name.copied().unwrap_or_default(), self.year)
    }
}

/// `2026-11`.
impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}
