//! Windows: spans of the wall clock that come again (`Mon-Fri 09:00-21:00`, `Fri 20:00 - Mon 08:00`) or once
//! (`2026-12-24 09:00 - 2027-01-03 18:00`), and on which dates they begin and end.

pub(super) mod read;
#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::mark::{Edge, Mark};
use super::misread::Misread;
use crate::domain::hours::DAY;

/// A span of the wall clock, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Window {
    text: String,
    shape: Shape,
}

/// Which of its two sides a window has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// It begins and ends.
    Both,
    /// `09:00-`: it only begins; what it asks for holds until something else says otherwise.
    Begin,
    /// `-21:00`: it only ends.
    End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    /// On days, each time from when to when. What ends before it begins ends on the next day.
    On { days: On, span: Span },
    /// From a day of the week to another one.
    Across { first: usize, from: u32, last: usize, to: u32 },
    /// Once, from a moment of the wall clock to another.
    Once { first: NaiveDateTime, last: NaiveDateTime },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum On {
    Every,
    /// Days of the week, Monday first.
    Week([bool; 7]),
    /// Days of the week in some weeks of each month.
    Nth {
        weeks: Vec<Nth>,
        days: [bool; 7],
    },
    /// In ascending order.
    Dates(Vec<NaiveDate>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nth {
    /// 1 to 5.
    Nth(u32),
    Last,
}

/// Minutes after midnight: beginnings 0 to 1,439, ends 1 to 1,440.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    Both { from: u32, to: u32 },
    From(u32),
    To(u32),
}

impl TryFrom<String> for Window {
    type Error = Misread;
    fn try_from(text: String) -> Result<Self, Misread> {
        text.parse()
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.to_string()
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn at(date: NaiveDate, minute: u32) -> Option<NaiveDateTime> {
    NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).map(|time| date.and_time(time))
}

fn weekday(date: NaiveDate) -> usize {
    date.weekday().num_days_from_monday() as usize
}

/// The day of the week that a date counts as: a holiday as Sunday, a working Saturday or Sunday as Friday. The flag says
/// whether the calendar changed it.
fn counts_as(calendar: Option<&Calendar>, date: NaiveDate) -> (usize, bool) {
    let own = weekday(date);
    let counted = calendar.map_or(own, |calendar| calendar.counts_as(date));
    (counted, counted != own)
}

impl Window {
    /// Which sides it has.
    #[must_use]
    pub fn sides(&self) -> Sides {
        match &self.shape {
            Shape::On { span: Span::From(_), .. } => Sides::Begin,
            Shape::On { span: Span::To(_), .. } => Sides::End,
            Shape::On { span: Span::Both { .. }, .. } | Shape::Across { .. } | Shape::Once { .. } => Sides::Both,
        }
    }

    /// The only dates on which it begins or ends, in ascending order; `None` when it comes again for ever.
    pub(super) fn dates(&self) -> Option<Vec<NaiveDate>> {
        match &self.shape {
            Shape::Once { first, last } => Some(vec![first.date(), last.date()]),
            Shape::On { days: On::Dates(dates), .. } => {
                let mut all: Vec<_> = dates.iter().flat_map(|date| [Some(*date), date.succ_opt()]).flatten().collect();
                all.dedup();
                Some(all)
            }
            Shape::On { days: On::Every | On::Week(_) | On::Nth { .. }, .. } | Shape::Across { .. } => None,
        }
    }

    /// Adds where it begins and ends on `date`, on the wall clock, in order.
    pub(super) fn marks(&self, date: NaiveDate, calendar: Option<&Calendar>, into: &mut Vec<Mark>) {
        let mut push = |wall: Option<NaiveDateTime>, edge| into.extend(wall.map(|wall| Mark { wall, edge }));
        match &self.shape {
            Shape::On { days, span: Span::Both { from, to } } => {
                let (to, overnight) = (to % DAY, to % DAY <= *from);
                let begun = if overnight { date.pred_opt() } else { Some(date) };
                let ends = begun.is_some_and(|begun| days.has(begun, calendar));
                let begins = days.has(date, calendar);
                // An end at which it begins again is neither.
                let ends = ends && !(begins && to == *from);
                if overnight && ends {
                    push(at(date, to), Edge::End);
                }
                if begins {
                    push(at(date, *from), Edge::Begin);
                }
                if !overnight && ends {
                    push(at(date, to), Edge::End);
                }
            }
            Shape::On { days, span: Span::From(from) } => {
                if days.has(date, calendar) {
                    push(at(date, *from), Edge::Begin);
                }
            }
            Shape::On { days, span: Span::To(to) } => {
                let begun = if *to == DAY { date.pred_opt() } else { Some(date) };
                if begun.is_some_and(|begun| days.has(begun, calendar)) {
                    push(at(date, to % DAY), Edge::End);
                }
            }
            Shape::Across { first, from, last, to } => {
                for (minute, edge) in across(date, calendar, (*first, *from), (*last, *to)).into_iter().flatten() {
                    push(at(date, minute), edge);
                }
            }
            Shape::Once { first, last } => {
                push(Some(*first).filter(|first| first.date() == date), Edge::Begin);
                push(Some(*last).filter(|last| last.date() == date), Edge::End);
            }
        }
    }
}

/// Where a window from one day of the week to another begins and ends on `date`.
///
/// A date that the calendar counts as another day is wholly inside or outside, as that day is; the ordinary day after it
/// begins or ends at the time that is written. So `Fri 20:00 - Mon 08:00` goes on over a Monday that is a holiday until
/// Tuesday 08:00.
fn across(
    date: NaiveDate,
    calendar: Option<&Calendar>,
    (first, from): (usize, u32),
    (last, to): (usize, u32),
) -> [Option<(u32, Edge)>; 2] {
    let length = if first == last { 7 } else { (last + 7 - first) % 7 };
    // Days after the first day: 0 begins, `length` ends, less lies inside, more outside.
    let place = |day: usize| (day + 7 - first) % 7;
    let (day, changed) = counts_as(calendar, date);
    let inside = date.pred_opt().is_some_and(|before| place(counts_as(calendar, before).0) < length);
    let place = place(day);
    if place == 0 {
        return match (inside, to < from) {
            (true, true) => [Some((to, Edge::End)), Some((from, Edge::Begin))],
            (true, false) => [None, None],
            (false, _) => [Some((from, Edge::Begin)), None],
        };
    }
    if place < length {
        let begins = if changed { 0 } else { from };
        return [(!inside).then_some((begins, Edge::Begin)), None];
    }
    let ends = if changed && place > length { 0 } else { to };
    [inside.then_some((ends, Edge::End)), None]
}

impl On {
    fn has(&self, date: NaiveDate, calendar: Option<&Calendar>) -> bool {
        match self {
            Self::Every => true,
            Self::Week(days) => days.get(counts_as(calendar, date).0).is_some_and(|on| *on),
            Self::Nth { weeks, days } => {
                let (day, changed) = counts_as(calendar, date);
                !changed && days.get(day).is_some_and(|on| *on) && weeks.iter().any(|week| week.has(date))
            }
            Self::Dates(dates) => dates.binary_search(&date).is_ok(),
        }
    }
}

impl Nth {
    fn has(self, date: NaiveDate) -> bool {
        match self {
            Self::Nth(week) => date.day0() / 7 + 1 == week,
            Self::Last => date.checked_add_days(Days::new(7)).is_none_or(|later| later.month() != date.month()),
        }
    }
}
