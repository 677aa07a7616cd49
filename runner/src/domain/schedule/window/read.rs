//! Reads windows as people write them.

use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::{Nth, On, Shape, Span, Window};
use crate::domain::hours::{DAY, HoursError, day, minute, week};
use crate::domain::schedule::misread::{Misread, Wrong, end, words};

const SPAN: &str = "times like `09:00-21:00`, `09:00-` or `-21:00`";

/// A word, where it begins, and the words after it.
type Word<'a> = (usize, &'a str);

/// A part of a span: `-`, or something between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    Dash,
    Text(&'a str),
}

fn wrong(column: usize, wrong: Wrong) -> Misread {
    Misread { column, wrong }
}

impl FromStr for Window {
    type Err = Misread;

    fn from_str(text: &str) -> Result<Self, Misread> {
        let words = words(text);
        let Some((first, rest)) = words.split_first() else {
            return Err(wrong(1, Wrong::Empty("`Mon-Fri 09:00-21:00`")));
        };
        let shape = if first.1.contains(':') || first.1.starts_with('-') {
            on(On::Every, text, &words)?
        } else if ["daily", "everyday"].contains(&first.1.to_lowercase().as_str()) {
            on(On::Every, text, rest)?
        } else if first.1.starts_with(|letter: char| letter.is_ascii_digit()) && first.1.contains('-') {
            dates(*first, text, rest)?
        } else if first.1.starts_with(|letter: char| letter.is_ascii_digit())
            || first.1.to_lowercase().starts_with("last")
        {
            let weeks = weeks(*first)?;
            let Some((days, rest)) = rest.split_first() else {
                return Err(wrong(end(text), Wrong::Missing("a day and times, like `1st Mon 09:00-12:00`")));
            };
            on(On::Nth { weeks, days: days_of(*days)? }, text, rest)?
        } else {
            week_days(*first, text, rest)?
        };
        let text = words.iter().map(|(_, word)| *word).collect::<Vec<_>>().join(" ");
        Ok(Self { text, shape })
    }
}

/// `Mon-Fri 09:00-21:00`, or `Fri 20:00 - Mon 08:00`.
fn week_days(first: Word<'_>, text: &str, rest: &[Word<'_>]) -> Result<Shape, Misread> {
    let days = days_of(first)?;
    let parts = parts(rest);
    let &[(from_at, Part::Text(from)), (_, Part::Dash), (last_at, Part::Text(last)), (to_at, Part::Text(to))] =
        parts.as_slice()
    else {
        return on(On::Week(days), text, rest);
    };
    if last.contains(':') {
        return Err(wrong(to_at, Wrong::Unexpected { found: to.to_owned(), wanted: "nothing more" }));
    }
    let from_day = day(first.1).map_err(|error| misread(first, &error))?;
    let to_day = day(last).map_err(|error| misread((last_at, last), &error))?;
    let (from, to) = (begin(from_at, from)?, time(to_at, to)?);
    if from_day == to_day && from < to {
        return Ok(Shape::On { days: On::Week(days), span: Span::Both { from, to } });
    }
    let (last, ends) = if to == DAY { ((to_day + 1) % 7, 0) } else { (to_day, to) };
    if from_day == last && from == ends {
        return Err(wrong(to_at, Wrong::Ends));
    }
    Ok(Shape::Across { first: from_day, from, last, to: ends })
}

/// `2026-12-24 09:00-18:00`, several of them by commas, or `2026-12-24 09:00 - 2027-01-03 18:00`.
fn dates(first: Word<'_>, text: &str, rest: &[Word<'_>]) -> Result<Shape, Misread> {
    let mut dates = Vec::new();
    let mut column = first.0;
    for part in first.1.split(',') {
        let date = date(column, part)?;
        if dates.contains(&date) {
            return Err(wrong(column, Wrong::Twice(part.to_owned())));
        }
        dates.push(date);
        column += part.chars().count() + 1;
    }
    let parts = parts(rest);
    if let &[(from_at, Part::Text(from)), (_, Part::Dash), (last_at, Part::Text(last)), (to_at, Part::Text(to))] =
        parts.as_slice()
        && !last.contains(':')
    {
        let begins = moment(date(first.0, first.1)?, begin(from_at, from)?);
        let ends = moment(date(last_at, last)?, time(to_at, to)?);
        return match (begins, ends) {
            (Some(first), Some(last)) if first < last => Ok(Shape::Once { first, last }),
            (Some(first), Some(last)) if first == last => Err(wrong(last_at, Wrong::Ends)),
            _ => Err(wrong(last_at, Wrong::Backwards)),
        };
    }
    dates.sort_unstable();
    on(On::Dates(dates), text, rest)
}

/// The span after the days.
fn on(days: On, text: &str, rest: &[Word<'_>]) -> Result<Shape, Misread> {
    let parts = parts(rest);
    let span = match parts.as_slice() {
        &[(from_at, Part::Text(from)), (_, Part::Dash), (to_at, Part::Text(to))] => {
            let (from, to) = (begin(from_at, from)?, time(to_at, to)?);
            if from == to {
                return Err(wrong(to_at, Wrong::Ends));
            }
            Span::Both { from, to }
        }
        &[(from_at, Part::Text(from)), (_, Part::Dash)] => Span::From(begin(from_at, from)?),
        &[(_, Part::Dash), (to_at, Part::Text(to))] => Span::To(match time(to_at, to)? {
            // An end at 00:00 is the end of the day before in every other form; alone it would be the day's beginning.
            0 => return Err(wrong(to_at, Wrong::Unexpected { found: to.to_owned(), wanted: "`-24:00` for midnight" })),
            to => to,
        }),
        [] | [(_, Part::Dash)] => return Err(wrong(end(text), Wrong::Missing(SPAN))),
        [(at, Part::Text(from))] => {
            begin(*at, from)?;
            return Err(wrong(end(text), Wrong::Missing("when it ends, like `09:00-21:00`; `09:00-` has no end")));
        }
        [first, rest @ ..] => {
            if let (at, Part::Text(text)) = first {
                begin(*at, text)?;
            }
            if let [(_, Part::Dash), (at, Part::Text(text)), ..] = rest {
                time(*at, text)?;
            }
            // The first part that no form has at its place.
            let expected = if first.1 == Part::Dash { 1 } else { 2 };
            let (at, found) = rest.get(expected).or_else(|| rest.last()).unwrap_or(first);
            let found = match found {
                Part::Dash => "-",
                Part::Text(text) => text,
            };
            return Err(wrong(*at, Wrong::Unexpected { found: found.to_owned(), wanted: SPAN }));
        }
    };
    Ok(Shape::On { days, span })
}

/// Cuts words at dashes that do not belong to a date.
fn parts<'a>(words: &[Word<'a>]) -> Vec<(usize, Part<'a>)> {
    let mut found = Vec::new();
    for (column, word) in words {
        let (mut column, mut left) = (*column, *word);
        while let Some(letter) = left.chars().next() {
            let taken = match left.get(..10).filter(|date| is_date(date)) {
                Some(date) => date,
                None if letter == '-' => "-",
                None => left.split('-').next().unwrap_or(left),
            };
            found.push((column, if taken == "-" { Part::Dash } else { Part::Text(taken) }));
            column += taken.chars().count();
            left = left.get(taken.len()..).unwrap_or_default();
        }
    }
    found
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
}

pub(in crate::domain::schedule) fn date(column: usize, text: &str) -> Result<NaiveDate, Misread> {
    let date = if is_date(text) { NaiveDate::parse_from_str(text, "%Y-%m-%d").ok() } else { None };
    date.ok_or_else(|| wrong(column, Wrong::Date(text.to_owned())))
}

/// Minutes after midnight, 0 to 1,440.
pub(in crate::domain::schedule) fn time(column: usize, text: &str) -> Result<u32, Misread> {
    minute(text).map_err(|error| misread((column, text), &error))
}

/// Minutes after midnight at which something may begin, 0 to 1,439.
pub(in crate::domain::schedule) fn begin(column: usize, text: &str) -> Result<u32, Misread> {
    match time(column, text)? {
        DAY => Err(wrong(column, Wrong::BeginsAtMidnight)),
        minute => Ok(minute),
    }
}

/// The moment of the wall clock; 1,440 is the next day's beginning.
pub(in crate::domain::schedule) fn moment(date: NaiveDate, minute: u32) -> Option<NaiveDateTime> {
    let date = if minute == DAY { date.succ_opt()? } else { date };
    NaiveTime::from_hms_opt(minute % DAY / 60, minute % 60, 0).map(|time| date.and_time(time))
}

fn days_of((column, text): Word<'_>) -> Result<[bool; 7], Misread> {
    week(text).map_err(|error| misread((column, text), &error))
}

/// `1st`, `last`, or several by commas.
fn weeks((column, text): Word<'_>) -> Result<Vec<Nth>, Misread> {
    let mut found = Vec::new();
    let mut at = column;
    for part in text.split(',') {
        let week = match part.to_lowercase().as_str() {
            "1st" => Nth::Nth(1),
            "2nd" => Nth::Nth(2),
            "3rd" => Nth::Nth(3),
            "4th" => Nth::Nth(4),
            "5th" => Nth::Nth(5),
            "last" => Nth::Last,
            _ => return Err(wrong(at, Wrong::Nth(part.to_owned()))),
        };
        if found.contains(&week) {
            return Err(wrong(at, Wrong::Twice(part.to_owned())));
        }
        found.push(week);
        at += part.chars().count() + 1;
    }
    Ok(found)
}

/// What `hours` found wrong in a word, at its place in that word.
fn misread((column, word): Word<'_>, error: &HoursError) -> Misread {
    let place = |part: &str, last: bool| {
        let byte = if last { word.rfind(part) } else { word.find(part) }.unwrap_or(0);
        column + word.get(..byte).map_or(0, |before| before.chars().count())
    };
    match error {
        HoursError::Day(part) if part.is_empty() => wrong(column, Wrong::Missing("a day, like `Mon`")),
        HoursError::Day(part) => wrong(place(part, false), Wrong::Day(part.clone())),
        HoursError::Twice(part) => wrong(place(part, true), Wrong::Twice(part.clone())),
        HoursError::Time(part) => wrong(place(part, false), Wrong::Time(part.clone())),
        HoursError::Form | HoursError::Empty => wrong(column, Wrong::Missing(SPAN)),
    }
}
