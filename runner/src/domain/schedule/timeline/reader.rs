//! Reads an agenda: what each schedule does when, and the walk along it all.

use std::ops::ControlFlow;

use chrono::{Days, NaiveDate, NaiveDateTime};

use super::decide::Decision;
use super::transition::{Standing, Transition};
use super::{Agenda, DAY_MS};
use crate::domain::ids::Timestamp;
use crate::domain::request::Target;
use crate::domain::schedule::bend::{About, Bend, Skipped};
use crate::domain::schedule::calendar::Calendar;
use crate::domain::schedule::item::Schedule;
use crate::domain::schedule::mark::{Edge, Mark};
use crate::domain::schedule::wall::{Moved, OnGap, YEARS_MS, instant, local, shown};

/// How far back the last thing that a schedule did is looked for, in days: what comes once a year is found.
const LOOKBACK_DAYS: u64 = 400;

/// How much of a span is read at first, in milliseconds: most schedules do something within four days.
const FIRST_STRETCH_MS: i64 = 4 * DAY_MS;

/// How much of a span is read at once, in milliseconds: 32 days. It bounds the memory that a crontab line for each minute takes.
const STRETCH_MS: i64 = 32 * DAY_MS;

/// Deepest chain of requests that ended while nobody else asked for anything.
const DEEPEST: usize = 1_000;

/// Something that a schedule does at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domain::schedule) struct Hit {
    /// When.
    pub(in crate::domain::schedule) at: i64,
    /// As it is written.
    pub(in crate::domain::schedule) wall: NaiveDateTime,
    /// Its place in the agenda.
    pub(in crate::domain::schedule) schedule: usize,
    /// What it does.
    pub(in crate::domain::schedule) edge: Edge,
    /// What a clock change had to do with it.
    pub(in crate::domain::schedule) moved: Option<Moved>,
    /// When what it asks for ends by itself.
    pub(in crate::domain::schedule) until: Option<i64>,
}

/// Who is shown each moment: when, what each schedule did last, what happened just then.
type Visit<'v> = dyn FnMut(i64, &[Option<Hit>], &[Hit]) -> ControlFlow<()> + 'v;

/// Something that people ask for over a span of time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span<'a> {
    pub(super) number: i64,
    pub(super) from: i64,
    /// Not in it any more; `i64::MAX`: no end.
    pub(super) until: i64,
    /// Nothing for a pause.
    pub(super) target: Option<&'a Target>,
    /// Where it goes afterwards where nobody asks for anything then, if not where the environment rests.
    pub(super) back: Option<&'a Target>,
}

impl Span<'_> {
    pub(super) fn covers(&self, now: i64) -> bool {
        self.from <= now && now < self.until
    }
}

/// Whose word is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::domain::schedule) enum Heard {
    /// That of schedules, with what is skipped and paused.
    Schedules,
    /// That of bookings, too.
    Bookings,
    /// Everybody's.
    All,
}

/// Whether what stays until people were warned is heard, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Graces {
    Heard,
    Unheard,
}

/// An agenda, ready to be read.
pub(in crate::domain::schedule) struct Reader<'a> {
    pub(super) agenda: Agenda<'a>,
    /// Of each schedule.
    calendars: Vec<Option<&'a Calendar>>,
    skips: Vec<&'a Skipped>,
    pub(super) keeps: Vec<Span<'a>>,
    pub(super) visits: Vec<Span<'a>>,
    pub(super) graces: Vec<Span<'a>>,
    pub(super) pauses: Vec<Span<'a>>,
    pub(super) bookings: Vec<Span<'a>>,
    pub(super) rest: Target,
}

impl<'a> Reader<'a> {
    /// Reads an agenda as far as it is to be heard.
    pub(in crate::domain::schedule) fn new(agenda: &Agenda<'a>, heard: Heard) -> Self {
        let people = heard == Heard::All;
        let calendar = |schedule: &Schedule| agenda.calendars.get(schedule.holidays.as_ref()?);
        let mut reader = Self {
            agenda: *agenda,
            calendars: agenda.schedules.iter().map(calendar).collect(),
            skips: Vec::new(),
            keeps: Vec::new(),
            visits: Vec::new(),
            graces: Vec::new(),
            pauses: Vec::new(),
            bookings: Vec::new(),
            rest: Target { level: agenda.scale.rest.clone(), settings: std::collections::BTreeMap::new() },
        };
        for bent in agenda.bends {
            let span = |from: Timestamp, until: Option<Timestamp>, target| Span {
                number: bent.number,
                from: from.0,
                until: until.map_or(i64::MAX, |until| until.0),
                target,
                back: None,
            };
            match &bent.bend {
                Bend::Skip(skipped) => reader.skips.push(skipped),
                Bend::Pause { from, until } => reader.pauses.push(span(*from, *until, None)),
                Bend::Keep { target, from, until } if people => {
                    reader.keeps.push(span(*from, Some(*until), Some(target)));
                }
                Bend::Visit { target, from, until, said: _ } if people => {
                    reader.visits.push(span(*from, Some(*until), Some(target)));
                }
                Bend::Grace { target, from, until, then: _, foretold: _ } if people => {
                    reader.graces.push(span(*from, Some(*until), Some(target)));
                }
                Bend::Booked { target, from, until, back } if heard >= Heard::Bookings => {
                    reader.bookings.push(Span { back: back.as_ref(), ..span(*from, Some(*until), Some(target)) });
                }
                Bend::Keep { .. } | Bend::Visit { .. } | Bend::Grace { .. } | Bend::Booked { .. } => {}
            }
        }
        reader
    }

    /// What is asked for beside schedules, over spans of time.
    fn asked(&self) -> impl Iterator<Item = &Span<'a>> {
        self.keeps.iter().chain(&self.visits).chain(&self.graces)
    }

    pub(super) fn calendar(&self, schedule: usize) -> Option<&'a Calendar> {
        self.calendars.get(schedule).copied().flatten()
    }

    /// What a schedule does on a date of its wall clock, in order.
    pub(super) fn hits_on(&self, at: usize, date: NaiveDate, marks: &mut Vec<Mark>, into: &mut Vec<Hit>) {
        let Some(schedule) = self.agenda.schedules.get(at) else { return };
        marks.clear();
        schedule.marks(date, self.calendar(at), marks);
        let begun = into.len();
        for mark in marks.iter() {
            let Some((instant, moved)) = instant(mark.wall, schedule.zone, schedule.on_overlap) else { continue };
            if moved == Some(Moved::Gap) && schedule.on_gap == OnGap::Skip && mark.edge != Edge::End {
                continue;
            }
            if mark.edge == Edge::Fire && schedule.since.is_some_and(|since| instant < since) {
                continue;
            }
            let ends = mark.edge == Edge::End && !schedule.is_one_sided();
            if self.is_skipped(schedule, mark.wall, instant, ends) {
                continue;
            }
            let ends =
                schedule.fires().and_then(|fires| fires.for_s).map(|for_s| instant.plus_ms(i64::from(for_s) * 1_000));
            let until = ends.filter(|ends| !self.is_skipped(schedule, shown(*ends, schedule.zone).0, *ends, true));
            let hit = Hit {
                at: instant.0,
                wall: mark.wall,
                schedule: at,
                edge: mark.edge,
                moved,
                until: until.map(|at| at.0),
            };
            // All the firings that a clock change skips come to its end: they are one.
            match into.last_mut() {
                Some(before) if mark.edge == Edge::Fire && before.schedule == at && before.at == hit.at => {
                    *before = hit;
                }
                Some(_) | None => into.push(hit),
            }
        }
        debug_assert!(into.get(begun..).is_some_and(|hits| hits.is_sorted_by_key(|hit| hit.at)), "{date}");
    }

    fn is_skipped(&self, schedule: &Schedule, written: NaiveDateTime, at: Timestamp, ends: bool) -> bool {
        !self.skips.is_empty() && {
            let (shown, _) = shown(at, schedule.zone);
            let about = About { schedule: &schedule.name, at, written, shown, ends };
            self.skips.iter().any(|skip| skip.takes(about))
        }
    }

    /// The last thing that a schedule did before a moment.
    fn last(&self, at: usize, before: i64) -> Option<Hit> {
        let schedule = self.agenda.schedules.get(at)?;
        let today = local(Timestamp(before), schedule.zone)?.date_naive();
        let (mut marks, mut hits) = (Vec::new(), Vec::new());
        let mut on = |date: NaiveDate| {
            hits.clear();
            self.hits_on(at, date, &mut marks, &mut hits);
            hits.iter().rev().find(|hit| hit.at < before).copied()
        };
        if let Some(dates) = schedule.dates() {
            return dates.into_iter().rev().filter(|date| *date <= today).find_map(&mut on);
        }
        // Before that it has done nothing; a gap may move what it does over midnight.
        let since = schedule.since.filter(|_| schedule.has_moments());
        let since = since.and_then(|since| local(since, schedule.zone)?.date_naive().pred_opt());
        let dates = (0..LOOKBACK_DAYS).map_while(|days| today.checked_sub_days(Days::new(days)));
        dates.take_while(|date| since.is_none_or(|since| since <= *date)).find_map(&mut on)
    }

    /// The last thing that each schedule did before a moment.
    pub(in crate::domain::schedule) fn lasts(&self, before: i64) -> Vec<Option<Hit>> {
        (0..self.agenda.schedules.len()).map(|at| self.last(at, before)).collect()
    }

    /// Adds what all schedules do from `from` (in it) to `to` (not in it), in order.
    fn hits(&self, from: i64, to: i64, into: &mut Vec<Hit>) {
        let mut marks = Vec::new();
        for (at, schedule) in self.agenda.schedules.iter().enumerate() {
            let Some((first, last)) = local(Timestamp(from), schedule.zone).zip(local(Timestamp(to), schedule.zone))
            else {
                continue;
            };
            // What a gap moves over midnight belongs to the day before.
            let first = first.date_naive().pred_opt().unwrap_or(NaiveDate::MIN);
            let last = last.date_naive();
            match schedule.dates() {
                Some(dates) => {
                    for date in dates.into_iter().filter(|date| (first..=last).contains(date)) {
                        self.hits_on(at, date, &mut marks, into);
                    }
                }
                None => {
                    for date in first.iter_days().take_while(|date| *date <= last) {
                        self.hits_on(at, date, &mut marks, into);
                    }
                }
            }
        }
        into.retain(|hit| (from..to).contains(&hit.at));
        into.sort_by_key(|hit| (hit.at, hit.wall, hit.schedule));
    }

    /// Walks along all moments of a span at which anything can change; `visit` sees what each schedule did last, and what
    /// happened just then.
    pub(in crate::domain::schedule) fn walk(&self, from: i64, to: i64, visit: &mut Visit<'_>) -> ControlFlow<()> {
        let from = from.max(YEARS_MS.start);
        self.walk_on(self.lasts(from), from, to, visit)
    }

    /// The same, where it is known what each schedule did last before `from`.
    fn walk_on(&self, mut last: Vec<Option<Hit>>, from: i64, to: i64, visit: &mut Visit<'_>) -> ControlFlow<()> {
        let to = to.min(YEARS_MS.end - 1);
        let (mut hits, mut times) = (Vec::new(), Vec::new());
        let (mut begin, mut stretch) = (from, FIRST_STRETCH_MS);
        while begin < to {
            let end = begin.saturating_add(stretch).min(to);
            hits.clear();
            if !self.is_paused_for_ever(begin) {
                self.hits(begin, end, &mut hits);
            }
            times.clear();
            times.extend(hits.iter().map(|hit| hit.at));
            times.extend(last.iter().flatten().chain(&hits).filter_map(|hit| hit.until));
            for span in self.asked().chain(&self.pauses).chain(&self.bookings) {
                times.extend([span.from, span.until]);
            }
            times.retain(|time| (begin..end).contains(time));
            times.sort_unstable();
            times.dedup();
            let mut left = hits.as_slice();
            for now in times.iter().copied() {
                let (these, later) = left.split_at(left.partition_point(|hit| hit.at <= now));
                left = later;
                for hit in these {
                    if let Some(slot) = last.get_mut(hit.schedule) {
                        *slot = Some(*hit);
                    }
                }
                visit(now, &last, these)?;
            }
            begin = end;
            stretch = (2 * stretch).min(STRETCH_MS);
        }
        ControlFlow::Continue(())
    }

    /// True when no schedule will ask for anything from `now` on: nothing that they do need be read.
    fn is_paused_for_ever(&self, now: i64) -> bool {
        self.pauses.iter().any(|pause| pause.from <= now && pause.until == i64::MAX)
    }

    /// Tells each transition of a span.
    pub(super) fn transitions(
        &self,
        from: i64,
        to: i64,
        tell: &mut dyn FnMut(Transition) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let from = from.max(YEARS_MS.start);
        // What each did last is looked for far back: once for both.
        let last = self.lasts(from);
        let before = from.saturating_sub(1);
        let mut stands = self.stands_after(last.clone(), before, Graces::Heard);
        let put_off = !self.graces.is_empty();
        let mut beneath = if put_off { self.stands_after(last.clone(), before, Graces::Unheard) } else { None };
        self.walk_on(last, from, to, &mut |now, last, these| {
            if put_off {
                beneath = self.beneath(last, now).or_else(|| beneath.map(|stands| self.left(stands, now)));
            }
            let next = self.decide(last, now).or_else(|| stands.map(|stands| self.left_over(stands, now, || beneath)));
            let before = std::mem::replace(&mut stands, next);
            match next {
                Some(next) if before.map(|before| before.target) != Some(next.target) => {
                    tell(self.transition(now, before, next, last, these))
                }
                Some(_) | None => ControlFlow::Continue(()),
            }
        })
    }

    /// What is wanted at a moment, where `last` is what each schedule did last until then.
    fn stands_after(&self, mut last: Vec<Option<Hit>>, moment: i64, graces: Graces) -> Option<Decision<'_>> {
        // Where nobody asks, it is what the last request left: back to when that ended.
        let (mut at, mut ended) = (moment, Vec::new());
        loop {
            let decision = match graces {
                Graces::Heard => self.decide(&last, at),
                Graces::Unheard => self.beneath(&last, at),
            };
            if let Some(decision) = decision {
                let beneath = |at: i64| self.stands_after(self.lasts(at.saturating_add(1)), at, Graces::Unheard);
                let left = |stands, at| self.left_over(stands, at, || beneath(at));
                return Some(ended.into_iter().rev().fold(decision, left));
            }
            let fired = last.iter().flatten().filter(|hit| hit.edge == Edge::Fire).max_by_key(|hit| hit.at);
            // A booking that begins hides what was asked for before it.
            let spans = self.asked().chain(&self.bookings).map(|span| span.until);
            let before = spans
                .chain(self.pauses.iter().flat_map(|span| [span.from, span.until]))
                .chain(fired.and_then(|hit| hit.until))
                .filter(|end| *end <= at)
                .max()?;
            if ended.len() == DEEPEST {
                return None;
            }
            ended.push(before);
            at = before.saturating_sub(1);
            last = self.lasts(before);
        }
    }

    /// What is wanted at a moment, in words.
    pub(super) fn told_at(&self, moment: i64) -> Option<Standing> {
        let last = self.lasts(moment.saturating_add(1));
        let stands = self.stands_after(last.clone(), moment, Graces::Heard)?;
        Some(Standing {
            wanted: stands.target.clone(),
            because: self.who_asks(stands, &last),
            until: stands.ends.map(Timestamp),
        })
    }
}
