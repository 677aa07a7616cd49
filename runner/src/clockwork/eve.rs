//! The day before days on which schedules do something else than on others: a holiday, a Saturday that is worked on, an hour that the
//! clocks skip. People hear of all of them once, when there is still time to say otherwise.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::page::{schedules, told};
use crate::agenda::Diary;
use crate::domain::ids::{ActorId, Timestamp};
use crate::domain::schedule::{
    ClockNews, OddDay, QuietKind, Schedule, Transition, Turn, first_instant, next_after, quiet_days, schedules_last_in,
};

/// What is told of days that come.
#[derive(Debug)]
pub(super) struct Eve {
    /// From when on.
    pub(super) at: Timestamp,
    /// The key of the transition in them or after them.
    pub(super) key: String,
    /// What.
    pub(super) said: ClockNews,
    /// Who hears of it beside the environment's channel or owners.
    pub(super) tell: Vec<ActorId>,
}

/// Most days that are told at once: what comes later is told later.
const DAYS_MAX: u64 = 31;

/// What is told before the next transition or the one after it, and from when on: at noon of the last day on which something happens
/// before such days, or at once where that is over. `next` is the first transition after `now`. Which day it is, each schedule's own
/// zone says: the environment's may be a day behind it.
pub(super) fn of(diary: &Diary<'_>, next: &Transition, now: Timestamp) -> Option<Eve> {
    let changes = |schedule: &Schedule| schedule.holidays.is_some();
    let has_holidays = diary.timetable().schedules.iter().any(changes);
    if diary.paused(now).is_some() {
        return None;
    }
    if let Some(eve) = between(diary, now, next, now) {
        let at = noon_before(diary, &eve, now).unwrap_or(now);
        return Some(Eve { at, ..eve });
    }
    // Without holidays there are clock changes only, of which there are two a year: they are told at the last transition before.
    if !has_holidays {
        return None;
    }
    let zone = schedules(diary, &next.because).next().map_or(diary.timetable().zone, |schedule| schedule.zone);
    let noon = first_instant(date(zone, next.at)?.and_time(NaiveTime::from_hms_opt(12, 0, 0)?), zone)?;
    between(diary, next.at, &next_after(&diary.agenda(), next.at)?, noon.max(now))
}

/// Noon of the last day before the odd days on which schedules still do something, also where a keep or a change hides that; `None`: none
/// is left, or it is over.
fn noon_before(diary: &Diary<'_>, eve: &Eve, now: Timestamp) -> Option<Timestamp> {
    let ClockNews::Eve { days, .. } = &eve.said else { return None };
    let first = days.iter().map(|day| day.date).min()?;
    let begins = first_instant(first.and_time(NaiveTime::MIN), diary.timetable().zone)?;
    let last = schedules_last_in(&diary.agenda(), now.plus_ms(1), begins)?;
    let day = date(last.zone, last.at)?;
    let noon = first_instant(day.and_time(NaiveTime::from_hms_opt(12, 0, 0)?), last.zone)?;
    (noon > now).then_some(noon)
}

/// The odd days after that of a moment, up to that of a transition.
fn between(diary: &Diary<'_>, from: Timestamp, turn: &Transition, at: Timestamp) -> Option<Eve> {
    let days_of = |zone: Tz| {
        let day = date(zone, from)?;
        Some((day.succ_opt()?, date(zone, turn.at)?.min(day.checked_add_days(chrono::Days::new(DAYS_MAX))?)))
    };
    let spans: BTreeMap<&str, (NaiveDate, NaiveDate)> = diary
        .timetable()
        .schedules
        .iter()
        .filter_map(|schedule| Some((schedule.name.as_str(), days_of(schedule.zone)?)))
        .collect();
    let first = spans.values().map(|(first, _)| *first).min()?;
    let last = spans.values().map(|(_, last)| *last).max()?;
    let mut days: Vec<OddDay> = Vec::new();
    for quiet in quiet_days(&diary.agenda(), first, last) {
        let Some((first, last)) = spans.get(quiet.schedule.as_str()) else { continue };
        if !(*first..=*last).contains(&quiet.date) {
            continue;
        }
        // On a day that is worked on something happens, or it is not the last of them.
        let worked_on = quiet.kind == QuietKind::Working && quiet.date != *last;
        let odd = OddDay { date: quiet.date, kind: quiet.kind, name: quiet.name };
        if !worked_on && !days.contains(&odd) {
            days.push(odd);
        }
    }
    if days.is_empty() {
        return None;
    }
    let said = ClockNews::Eve { turn: Turn::from(turn), stays: turn.before.clone(), days };
    Some(Eve { at, key: turn.key(), said, tell: told(diary, &turn.because) })
}

fn date(zone: Tz, at: Timestamp) -> Option<NaiveDate> {
    let utc = chrono::DateTime::from_timestamp_millis(at.0)?;
    Some(utc.with_timezone(&zone).date_naive())
}
