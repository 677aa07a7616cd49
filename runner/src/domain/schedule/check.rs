//! What is found wrong with schedules before any of them is followed, and what holidays keep quiet.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use chrono::NaiveDate;

use super::calendar::Calendar;
use super::item::{Schedule, YEARS_AHEAD};
use super::mark::Edge;
use super::timeline::{Agenda, Hit, Reader, rivals};
use super::wall::{local, shown};
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
    let reader = Reader::new(&alone, false);
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

/// A date on which the calendar changes what a schedule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    /// The date.
    pub date: NaiveDate,
    /// The schedule.
    pub schedule: String,
    /// What day it is: `Labor Thanksgiving Day`.
    pub name: String,
    /// The team works on it; false: a holiday.
    pub working: bool,
}

/// The dates, from `first` to `last` (both in it), on which holidays and working days change what schedules do, for previews.
#[must_use]
pub fn quiet_days(agenda: &Agenda<'_>, first: NaiveDate, last: NaiveDate) -> Vec<Quiet> {
    let mut found = Vec::new();
    for date in first.iter_days().take_while(|date| *date <= last) {
        for schedule in agenda.schedules {
            let calendar = schedule.holidays.as_ref().and_then(|name| agenda.calendars.get(name));
            let Some(calendar) = calendar else { continue };
            let (name, working) = match (calendar.holiday(date), calendar.working(date)) {
                (Some(name), _) => (name.to_owned(), false),
                (None, Some(name)) => (name.to_owned(), true),
                (None, None) => continue,
            };
            if differs(schedule, calendar, date) {
                found.push(Quiet { date, schedule: schedule.name.clone(), name, working });
            }
        }
    }
    found
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
