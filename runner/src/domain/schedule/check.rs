//! What is found wrong with schedules before any of them is followed, and what holidays keep quiet.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Offset as _};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::item::{Schedule, YEARS_AHEAD};
use super::mark::{Edge, Mark};
use super::timeline::{Agenda, DAY_MS, Heard, Hit, Reader, rivals};
use super::wall::{Moved, OnGap, instant, local, shown};
use crate::domain::ids::Timestamp;
use crate::domain::request::Target;

/// Two schedules of the same rank that ask for different levels at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// One of them, the one that is written first.
    pub one: String,
    /// What it asks for.
    pub one_wants: Target,
    /// The other.
    pub other: String,
    /// What that asks for.
    pub other_wants: Target,
    /// The first moment of a conflict between the two.
    pub at: Timestamp,
    /// The same on the wall clock of the first one: `2026-11-23 09:00`.
    pub local: String,
}

/// Finds schedules that contradict each other from `from` (in it) to `to` (not in it): each pair once, at its first moment.
/// What people bend plays no part.
#[must_use]
pub fn conflicts(agenda: &Agenda<'_>, from: Timestamp, to: Timestamp) -> Vec<Conflict> {
    if !may_conflict(agenda.schedules) {
        return Vec::new();
    }
    let alone = Agenda { bends: &[], ..*agenda };
    let reader = Reader::new(&alone, Heard::Schedules);
    let mut found: BTreeMap<(usize, usize), Conflict> = BTreeMap::new();
    let mut see = |now: i64, pairs: Vec<(usize, usize)>, last: &[Option<Hit>]| {
        for (one, other) in pairs {
            let wants = |at: usize| {
                let schedule = agenda.schedules.get(at)?;
                Some((schedule, schedule.asks(last.get(at)?.as_ref()?.edge)?.clone()))
            };
            if let (Some((first, one_wants)), Some((second, other_wants))) = (wants(one), wants(other)) {
                found.entry((one, other)).or_insert_with(|| Conflict {
                    one: first.name.clone(),
                    one_wants,
                    other: second.name.clone(),
                    other_wants,
                    at: Timestamp(now),
                    local: shown(Timestamp(now), first.zone).0.format("%Y-%m-%d %H:%M").to_string(),
                });
            }
        }
    };
    let before = reader.lasts(from.0);
    see(from.0, rivals(&reader, &before, from.0), &before);
    let _ = reader.walk(from.0, to.0, &mut |now, last, _| {
        see(now, rivals(&reader, last, now), last);
        ControlFlow::Continue(())
    });
    found.into_values().collect()
}

/// Whether any two schedules could ask for different levels at the same rank: most environments are spared the walk.
fn may_conflict(schedules: &[Schedule]) -> bool {
    let differ = |mut targets: Vec<&Target>| {
        targets.dedup();
        targets.len() > 1
    };
    let asks = |edge: Edge, fires: bool| {
        let of_kind = schedules.iter().filter(|schedule| schedule.fires().is_some() == fires);
        of_kind.filter_map(|schedule| schedule.asks(edge)).collect()
    };
    schedules.iter().any(Schedule::is_one_sided)
        || differ(asks(Edge::Begin, false))
        || differ(asks(Edge::End, false))
        || differ(asks(Edge::Fire, true))
}

/// True for a schedule that does nothing from `from` on for [`YEARS_AHEAD`] years: all its dates are past, or it names a day that
/// no month has.
#[must_use]
pub fn never(schedule: &Schedule, calendar: Option<&Calendar>, from: Timestamp) -> bool {
    let Some(now) = local(from, schedule.zone).map(|local| local.naive_local()) else { return true };
    let mut marks = Vec::new();
    let mut does = |date: NaiveDate| {
        marks.clear();
        schedule.marks(date, calendar, &mut marks);
        marks.iter().any(|mark| mark.wall >= now)
    };
    match schedule.dates() {
        Some(dates) => !dates.into_iter().any(does),
        None => !now.date().iter_days().take(366 * YEARS_AHEAD as usize).any(&mut does),
    }
}

/// The first beginning of a schedule that has dates, where clock changes skip all of its beginnings: it never does anything, although
/// its dates lie ahead.
#[must_use]
pub fn swallowed(schedule: &Schedule, calendar: Option<&Calendar>) -> Option<NaiveDateTime> {
    let mut marks = Vec::new();
    for date in schedule.dates()? {
        schedule.marks(date, calendar, &mut marks);
    }
    marks.sort_by_key(|mark| mark.wall);
    marks.dedup();
    let read = |mark: &Mark| instant(mark.wall, schedule.zone, schedule.on_overlap);
    let lost = |at: usize, mark: &Mark| {
        let ends = marks.get(at + 1).filter(|next| next.edge == Edge::End).and_then(read);
        read(mark).is_some_and(|(begins, moved)| {
            let whole = ends.is_some_and(|(ends, _)| ends == begins);
            moved == Some(Moved::Gap) && (schedule.on_gap == OnGap::Skip || whole)
        })
    };
    let begins = || marks.iter().enumerate().filter(|(_, mark)| mark.edge != Edge::End);
    begins().all(|(at, mark)| lost(at, mark)).then(|| begins().next().map(|(_, mark)| mark.wall)).flatten()
}

/// A date on which the calendar, or a clock change, alters what a schedule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    /// The date.
    pub date: NaiveDate,
    /// The schedule.
    pub schedule: String,
    /// What day it is, `Labor Thanksgiving Day`; or the times that the clocks skip, `02:10-02:40`.
    pub name: String,
    /// Of what kind.
    pub kind: QuietKind,
}

/// Why a schedule does something else on a date than on others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuietKind {
    /// A holiday.
    Holiday,
    /// The team works on it.
    Working,
    /// The clocks skip the whole of it.
    Gap,
}

/// The dates, from `first` to `last` (both in it), on which holidays, working days and clock changes alter what schedules do, for
/// previews. What a clock change only moves is told with its transition.
#[must_use]
pub fn quiet_days(agenda: &Agenda<'_>, first: NaiveDate, last: NaiveDate) -> Vec<Quiet> {
    let mut found = Vec::new();
    for date in first.iter_days().take_while(|date| *date <= last) {
        // Nearly all dates have no clock change: what is written is read on the others only.
        let mut changes: Option<(Tz, bool)> = None;
        for schedule in agenda.schedules {
            let calendar = schedule.holidays.as_ref().and_then(|name| agenda.calendars.get(name));
            let (_, changes) = match changes {
                Some(known) if known.0 == schedule.zone => known,
                _ => *changes.insert((schedule.zone, goes_forward(schedule.zone, date))),
            };
            if changes && let Some(name) = skipped_by_the_clocks(schedule, calendar, date) {
                found.push(Quiet { date, schedule: schedule.name.clone(), name, kind: QuietKind::Gap });
            }
            let Some(calendar) = calendar else { continue };
            let (name, kind) = match (calendar.holiday(date), calendar.working(date)) {
                (Some(name), _) => (name.to_owned(), QuietKind::Holiday),
                (None, Some(name)) => (name.to_owned(), QuietKind::Working),
                (None, None) => continue,
            };
            if differs(schedule, calendar, date) {
                found.push(Quiet { date, schedule: schedule.name.clone(), name, kind });
            }
        }
    }
    found
}

/// Whether a clock goes forward on a date, or on the one before or after it.
fn goes_forward(zone: Tz, date: NaiveDate) -> bool {
    let begins = date.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
    let ahead =
        |days: i64| local(Timestamp(begins + days * DAY_MS), zone).map(|local| local.offset().fix().local_minus_utc());
    ahead(-1) < ahead(2)
}

/// The times of a window that lies whole in an hour that the clocks skip on a date, or of a crontab line that leaves out such times:
/// nothing comes of it.
fn skipped_by_the_clocks(schedule: &Schedule, calendar: Option<&Calendar>, date: NaiveDate) -> Option<String> {
    let mut marks = Vec::new();
    schedule.marks(date, calendar, &mut marks);
    let gap = |mark: &Mark| {
        let (at, moved) = instant(mark.wall, schedule.zone, schedule.on_overlap)?;
        (moved == Some(Moved::Gap)).then_some(at)
    };
    let time = |mark: &Mark| mark.wall.format("%H:%M");
    if schedule.fires().is_some() {
        let lost = marks.iter().filter(|mark| schedule.on_gap == OnGap::Skip && gap(mark).is_some());
        let lost: Vec<String> = lost.map(|mark| time(mark).to_string()).collect();
        return (!lost.is_empty()).then(|| lost.join(", "));
    }
    let mut pairs = marks.iter().zip(marks.iter().skip(1));
    let whole = pairs.find(|(begin, end)| {
        begin.edge == Edge::Begin && end.edge == Edge::End && gap(begin).is_some_and(|at| gap(end) == Some(at))
    });
    whole.map(|(begin, end)| format!("{}-{}", time(begin), time(end)))
}

/// Calendars of schedules that do not know the holidays of a year that begins by `last`: by name, with the last year that they know.
#[must_use]
pub fn unknown_years(agenda: &Agenda<'_>, last: NaiveDate) -> BTreeMap<String, i32> {
    let named = agenda.schedules.iter().filter_map(|schedule| schedule.holidays.as_ref());
    let known_up_to = |name: &String| {
        let calendar = agenda.calendars.get(name)?;
        Some((name.clone(), calendar.last_year().filter(|year| *year < last.year())?))
    };
    named.filter_map(known_up_to).collect()
}

/// Whether the calendar changes what a schedule begins on a date, or when that ends.
fn differs(schedule: &Schedule, calendar: &Calendar, date: NaiveDate) -> bool {
    let does = |calendar: Option<&Calendar>| {
        let mut marks = Vec::new();
        schedule.marks(date, calendar, &mut marks);
        if let Some(next) = date.succ_opt() {
            schedule.marks(next, calendar, &mut marks);
        }
        marks.retain(|mark| mark.wall.date() == date || mark.edge == Edge::End);
        marks
    };
    does(Some(calendar)) != does(None)
}
