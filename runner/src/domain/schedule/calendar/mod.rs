//! Calendars: which dates are holidays, and which are worked on although they would not be. A holiday counts as Sunday; a Saturday or
//! Sunday that is worked on counts as Friday.

mod country;
mod dates;
mod ics;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};

pub use country::COUNTRIES;
use country::Country;
pub use dates::{DatesError, own_dates};
pub use ics::{IcsError, read_ics};

/// A date of a team's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnDay {
    /// The date.
    pub date: NaiveDate,
    /// What it is.
    pub name: String,
    /// The team works on it, whatever the country does; false: a holiday.
    pub working: bool,
}

/// Holidays and working days: a country's, a team's own, or both. The team's own count more.
#[derive(Debug, Clone, Default)]
pub struct Calendar {
    country: Option<&'static Country>,
    own: BTreeMap<NaiveDate, (String, bool)>,
}

/// A calendar that is not built in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no holidays are built in for `{0}`; there are {list}", list = COUNTRIES.join(", "))]
pub struct CalendarError(pub String);

/// What a date is by a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nobody works.
    Holiday,
    /// The team works.
    Working,
}

/// A date that a calendar names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day<'a> {
    pub(super) kind: Kind,
    pub(super) name: &'a str,
}

impl Calendar {
    /// The holidays of a country or a part of it, by its code: `JP`, `GB-SCT`. `GB` is England.
    pub fn of(code: &str) -> Result<Self, CalendarError> {
        let country = country::find(code).ok_or_else(|| CalendarError(code.to_owned()))?;
        Ok(Self { country: Some(country), own: BTreeMap::new() })
    }

    /// Adds a team's own dates. Of two for the same date the later one counts.
    #[must_use]
    pub fn with(mut self, days: impl IntoIterator<Item = OwnDay>) -> Self {
        self.own.extend(days.into_iter().map(|day| (day.date, (day.name, day.working))));
        self
    }

    /// The first year that the country's list knows; `None` without a country.
    #[must_use]
    pub fn first_year(&self) -> Option<i32> {
        self.country.map(Country::first_year)
    }

    /// The last year that the country's list knows; `None` without a country.
    #[must_use]
    pub fn last_year(&self) -> Option<i32> {
        self.country.map(Country::last_year)
    }

    /// Whether the holidays of a year are known. Without a country they are: the team's own are all there is.
    #[must_use]
    pub fn knows(&self, year: i32) -> bool {
        self.country.is_none_or(|country| (country.first_year()..=country.last_year()).contains(&year))
    }

    /// The holiday on a date, by its name.
    #[must_use]
    pub fn holiday(&self, date: NaiveDate) -> Option<&str> {
        self.day(date).filter(|day| day.kind == Kind::Holiday).map(|day| day.name)
    }

    /// Why the team works on a date on which others do not.
    #[must_use]
    pub fn working(&self, date: NaiveDate) -> Option<&str> {
        self.day(date).filter(|day| day.kind == Kind::Working).map(|day| day.name)
    }

    pub(super) fn day(&self, date: NaiveDate) -> Option<Day<'_>> {
        match self.own.get(&date) {
            Some((name, true)) => Some(Day { kind: Kind::Working, name }),
            Some((name, false)) => Some(Day { kind: Kind::Holiday, name }),
            None => self.country?.holiday(date).map(|name| Day { kind: Kind::Holiday, name }),
        }
    }

    /// The day of the week that a date counts as, in days after Monday, 0 to 6.
    pub(super) fn counts_as(&self, date: NaiveDate) -> usize {
        const FRIDAY: usize = 4;
        const SUNDAY: usize = 6;
        let own = date.weekday().num_days_from_monday() as usize;
        match self.day(date).map(|day| day.kind) {
            Some(Kind::Holiday) => SUNDAY,
            Some(Kind::Working) if own > FRIDAY => FRIDAY,
            Some(Kind::Working) | None => own,
        }
    }
}
