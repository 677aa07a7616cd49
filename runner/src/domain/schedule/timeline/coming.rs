//! What one schedule next does, among all the others of its environment.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::reader::{Heard, Reader};
use super::transition::{Because, Transition};
use super::{Agenda, DAY_MS, level_at};
use crate::domain::ids::Timestamp;
use crate::domain::request::Target;
use crate::domain::schedule::item::{Schedule, YEARS_AHEAD};
use crate::domain::schedule::mark::Edge;
use crate::domain::schedule::order::Turn;

/// How far ahead the transition is looked for that a schedule makes after its next moment, in milliseconds: 366 days.
const AHEAD_MS: i64 = 366 * DAY_MS;

/// What a schedule next does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Coming {
    /// The next transition of its environment in which it has a part; `None`: none in the next 12 months.
    pub makes: Option<Transition>,
    /// Its own next moment, where that comes before and changes nothing.
    pub idle: Option<Idle>,
    /// Where it makes none: the first transition that the others would make in the next 12 months, and that it holds off.
    pub holds_off: Option<Transition>,
    /// It has dates, and none of them lies ahead.
    pub over: bool,
}

/// A moment at which a schedule asks for something and nothing changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idle {
    /// When, and what it asks for.
    pub turn: Turn,
    /// What is wanted then; `None`: nobody ever asked for anything.
    pub wanted: Option<Target>,
    /// Who asks for that; empty where it stays because nobody asks, as in a pause.
    pub because: Vec<Because>,
}

/// What `schedule` of `agenda` does after a moment: looked for in the timeline of all, so that it is what will happen. Its own next
/// moment is found up to [`YEARS_AHEAD`] years ahead, or at any date that is written in it.
#[must_use]
pub fn coming(agenda: &Agenda<'_>, schedule: &Schedule, moment: Timestamp) -> Coming {
    let all = Reader::new(agenda, Heard::All);
    let makes_between = |from: i64, to: i64| {
        let mut found = None;
        let _ = all.transitions(from, to, &mut |transition| {
            let names = |because: &Because| because.schedule() == Some(schedule.name.as_str());
            if transition.because.iter().any(names) {
                found = Some(transition);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        found
    };
    let (from, year) = (moment.0.saturating_add(1), moment.0.saturating_add(AHEAD_MS));
    let holds_off = |makes: &Option<Transition>| {
        if makes.is_some() { None } else { held_off(agenda, schedule, (from, year)) }
    };
    let Some((at, asks)) = own_moment(agenda, schedule, moment) else {
        // What stands over it can still come to an end.
        let makes = makes_between(from, year);
        let holds_off = holds_off(&makes);
        let over = makes.is_none() && holds_off.is_none() && schedule.dates().is_some();
        return Coming { over, makes, holds_off, idle: None };
    };
    let makes = makes_between(from, at.min(year)).or_else(|| makes_between(at, at.saturating_add(1)));
    if makes.is_some() {
        return Coming { makes, ..Coming::default() };
    }
    let standing = level_at(agenda, Timestamp(at));
    let idle = asks.map(|asks| Idle {
        turn: Turn::new(Timestamp(at), schedule.zone, asks),
        wanted: standing.as_ref().map(|standing| standing.wanted.clone()),
        because: standing.map(|standing| standing.because).unwrap_or_default(),
    });
    let makes = makes_between(at.saturating_add(1), year);
    Coming { holds_off: holds_off(&makes), makes, idle, over: false }
}

/// The first transition between two moments that would be made without `schedule`, and is not made with it.
fn held_off(agenda: &Agenda<'_>, schedule: &Schedule, (from, to): (i64, i64)) -> Option<Transition> {
    let others: Vec<Schedule> = agenda.schedules.iter().filter(|other| other.name != schedule.name).cloned().collect();
    let without = Agenda { schedules: &others, ..*agenda };
    let mut found = None;
    let _ = Reader::new(&without, Heard::All).transitions(from, to, &mut |transition| {
        if level_at(agenda, transition.at).is_none_or(|standing| standing.wanted == transition.wanted) {
            return ControlFlow::Continue(());
        }
        found = Some(transition);
        ControlFlow::Break(())
    });
    found
}

/// When it does something next, with what is skipped, and what it asks for then; nothing for the end of a `for`.
fn own_moment(agenda: &Agenda<'_>, schedule: &Schedule, moment: Timestamp) -> Option<(i64, Option<Target>)> {
    let alone = Agenda { schedules: std::slice::from_ref(schedule), ..*agenda };
    let own = Reader::new(&alone, Heard::Schedules);
    let mut found = None;
    let asks = |edge: Edge| schedule.asks(edge).cloned();
    let end = moment.0.saturating_add(i64::from(YEARS_AHEAD) * 366 * DAY_MS);
    let _ = own.walk(moment.0.saturating_add(1), end, &mut |now, last, these| {
        let ends = last.iter().flatten().any(|hit| hit.until == Some(now));
        found = match these.last() {
            Some(hit) => Some((now, asks(hit.edge))),
            None if ends => Some((now, None)),
            None => return ControlFlow::Continue(()),
        };
        ControlFlow::Break(())
    });
    found.or_else(|| {
        let (mut marks, mut hits) = (Vec::new(), Vec::new());
        for date in schedule.dates()? {
            own.hits_on(0, date, &mut marks, &mut hits);
        }
        let next = hits.into_iter().filter(|hit| hit.at > moment.0).min_by_key(|hit| hit.at)?;
        Some((next.at, asks(next.edge)))
    })
}
