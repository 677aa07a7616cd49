//! The timeline: the one place that knows when which level is wanted, and why. Everything else asks it.
//!
//! Precedence, lowest first: outside of windows; inside of windows; crontab lines and one-time schedules; what stays while people
//! are warned that something else was written; a person's change; a keep. A booking stands over all that was asked for before it begins,
//! pauses too, and under the changes and keeps that are asked for while it lasts. Of equals the newest counts. A one-sided window, and a lowering crontab line without `for`, hold until any schedule
//! does something next. Where nobody asks for anything, what was wanted stays wanted, except that what ended by itself
//! leaves the environment at its resting level if that is not higher.

mod coming;
mod decide;
mod reader;
#[cfg(test)]
pub(super) mod tests;
mod transition;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use chrono_tz::Tz;

use super::bend::{Bend, Bent, Skipped};
use super::calendar::Calendar;
use super::item::{Schedule, YEARS_AHEAD};
use super::scale::Scale;
use super::wall::shown;
use crate::domain::ids::Timestamp;
use crate::domain::request::Target;
pub use coming::{Coming, Idle, coming};
pub(super) use decide::rivals;
pub(super) use reader::{Heard, Hit, Reader};
pub use transition::{Because, Note, Standing, Transition};

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// How many moments of schedules are left out at most so that the end of what somebody asked for changes nothing.
const BENEATH_MAX: usize = 8;

/// Everything that is written for one environment.
#[derive(Debug, Clone, Copy)]
pub struct Agenda<'a> {
    /// The zone in which what people bent is told; schedules have their own.
    pub zone: Tz,
    /// Its levels.
    pub scale: &'a Scale,
    /// Its schedules. They have been checked ([`Schedule::check`]) and have different names.
    pub schedules: &'a [Schedule],
    /// Calendars by the name under which schedules refer to them. One that is missing has no holidays.
    pub calendars: &'a BTreeMap<String, Calendar>,
    /// What people bent; the order does not matter. What has ended still says what is wanted where no schedule asks for
    /// anything, and what was wanted in the past; elsewhere it can be left out.
    pub bends: &'a [Bent],
}

/// All transitions from `from` (in it) to `to` (not in it), in order: moments at which another level is wanted than before.
///
/// Spans can be cut anywhere: the transitions of two adjoining spans are those of both together.
#[must_use]
pub fn timeline(agenda: &Agenda<'_>, from: Timestamp, to: Timestamp) -> Vec<Transition> {
    let mut found = Vec::new();
    let _ = Reader::new(agenda, Heard::All).transitions(from.0, to.0, &mut |transition| {
        found.push(transition);
        ControlFlow::Continue(())
    });
    found
}

/// What an agenda says around a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The transitions until then, in order.
    pub past: Vec<Transition>,
    /// What is wanted then; `None` when nobody has ever asked for anything.
    pub wanted: Option<Target>,
    /// The first transition after it, as [`next_after`] finds it.
    pub next: Option<Transition>,
}

/// What an agenda says of `now`, with the transitions from `from` (in it) on: in one walk, where [`timeline`], [`level_at`] and
/// [`next_after`] would take three.
#[must_use]
pub fn outlook(agenda: &Agenda<'_>, from: Timestamp, now: Timestamp) -> Outlook {
    let (mut past, mut next) = (Vec::<Transition>::new(), None);
    let end = now.0.saturating_add(i64::from(YEARS_AHEAD) * 366 * DAY_MS);
    let _ = Reader::new(agenda, Heard::All).transitions(from.0, end, &mut |transition| {
        if transition.at <= now {
            past.push(transition);
            return ControlFlow::Continue(());
        }
        next = Some(transition);
        ControlFlow::Break(())
    });
    let wanted = match (past.last(), &next) {
        (Some(last), _) => Some(last.wanted.clone()),
        (None, Some(next)) => next.before.clone(),
        (None, None) => level_at(agenda, now).map(|standing| standing.wanted),
    };
    Outlook { past, wanted, next }
}

/// What is wanted at a moment; `None` when nobody has ever asked for anything. A transition at that very moment has happened.
#[must_use]
pub fn level_at(agenda: &Agenda<'_>, moment: Timestamp) -> Option<Standing> {
    Reader::new(agenda, Heard::All).told_at(moment.0)
}

/// The first transition after a moment; `None` when there is none within [`YEARS_AHEAD`].
#[must_use]
pub fn next_after(agenda: &Agenda<'_>, moment: Timestamp) -> Option<Transition> {
    next(&Reader::new(agenda, Heard::All), moment)
}

/// The first transition after a moment that the schedules themselves make, with what is skipped and paused, but without
/// anybody's keeps and changes.
#[must_use]
pub fn schedules_next_after(agenda: &Agenda<'_>, moment: Timestamp) -> Option<Transition> {
    next(&Reader::new(agenda, Heard::Schedules), moment)
}

/// The last transition of a span that the schedules themselves make, from `from` (in it) to `to` (not in it).
#[must_use]
pub fn schedules_last_in(agenda: &Agenda<'_>, from: Timestamp, to: Timestamp) -> Option<Transition> {
    let mut last = None;
    let _ = Reader::new(agenda, Heard::Schedules).transitions(from.0, to.0, &mut |transition| {
        last = Some(transition);
        ControlFlow::Continue(())
    });
    last
}

/// Until when a change that somebody makes at `from` holds where they do not say: the next transition that schedules or a booking make,
/// and never longer than `visit_ms` milliseconds.
#[must_use]
pub fn end_of_change(agenda: &Agenda<'_>, from: Timestamp, visit_ms: i64) -> Timestamp {
    let longest = from.plus_ms(visit_ms);
    let mut end = longest;
    let _ = Reader::new(agenda, Heard::Bookings).transitions(from.0.saturating_add(1), longest.0, &mut |transition| {
        end = transition.at;
        ControlFlow::Break(())
    });
    end
}

/// What must be skipped so that no schedule does anything at a moment: for `skip` of a transition. Empty when none does.
#[must_use]
pub fn skips_at(agenda: &Agenda<'_>, moment: Timestamp) -> Vec<Skipped> {
    let mut found = Vec::new();
    let _ =
        Reader::new(agenda, Heard::Schedules).walk(moment.0, moment.0.saturating_add(1), &mut |now, last, these| {
            let ends = last.iter().flatten().filter(|hit| hit.until == Some(now));
            for schedule in these.iter().chain(ends).filter_map(|hit| agenda.schedules.get(hit.schedule)) {
                let one = Skipped::One { schedule: schedule.name.clone(), local: shown(moment, schedule.zone).0 };
                if !found.contains(&one) {
                    found.push(one);
                }
            }
            ControlFlow::Continue(())
        });
    found
}

/// What must be skipped so that a transition is not made, and what was wanted before it stays. Where it is the end of what somebody asked
/// for, that is what schedules did under it, or last before it. Empty where that changes nothing: what ends is nothing that schedules
/// ever asked for.
#[must_use]
pub fn skips_of(agenda: &Agenda<'_>, transition: &Transition) -> Vec<Skipped> {
    let at = transition.at;
    let (mut bends, mut skips, mut more) = (agenda.bends.to_vec(), Vec::new(), skips_at(agenda, at));
    if !more.is_empty() {
        // A change that holds until the schedules say again holds for longer where they do not.
        for bent in &mut bends {
            if let Bend::Visit { until, said: false, .. } = &mut bent.bend
                && *until == at
            {
                *until = Timestamp(i64::MAX);
            }
        }
    }
    for beneath in 0..BENEATH_MAX {
        bends.extend(more.iter().cloned().map(Bent::unsigned));
        skips.append(&mut more);
        let left = Agenda { bends: &bends, ..*agenda };
        match timeline(&left, at, at.plus_ms(1)).first() {
            None => return skips,
            // What schedules do at that very moment is left out, whatever takes its place.
            Some(other) if beneath == 0 && other.wanted != transition.wanted => return skips,
            Some(_) => {}
        }
        // What a schedule did last is what it began, or the end of its `for`.
        let last = Reader::new(&left, Heard::Schedules).lasts(at.0).into_iter().flatten();
        let last = last.map(|hit| hit.until.filter(|until| *until < at.0).unwrap_or(hit.at)).max();
        more = last.map(|last| skips_at(&left, Timestamp(last))).unwrap_or_default();
        if more.is_empty() {
            break;
        }
    }
    Vec::new()
}

fn next(reader: &Reader<'_>, moment: Timestamp) -> Option<Transition> {
    let mut found = None;
    let end = moment.0.saturating_add(i64::from(YEARS_AHEAD) * 366 * DAY_MS);
    let _ = reader.transitions(moment.0.saturating_add(1), end, &mut |transition| {
        found = Some(transition);
        ControlFlow::Break(())
    });
    found
}
