//! Who decides which level is wanted at one moment, and how that is told.

use std::cmp::Reverse;

use super::reader::{Hit, Reader, Span};
use super::transition::{Because, Note, Transition};
use crate::domain::ids::Timestamp;
use crate::domain::request::Target;
use crate::domain::schedule::calendar::Kind;
use crate::domain::schedule::item::{Schedule, Way};
use crate::domain::schedule::mark::Edge;
use crate::domain::schedule::wall::{Moved, OnOverlap, shown};

/// What is wanted, and whose word it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decision<'r> {
    pub(super) target: &'r Target,
    pub(super) by: Decider,
    /// When the request ends by itself.
    pub(super) ends: Option<i64>,
}

/// Whose word counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decider {
    /// The windows.
    Windows,
    /// A crontab line or one-time schedule, by its place.
    Fired(usize),
    /// Somebody's keep or change, by its number.
    Bent(i64),
    /// Nobody's, after a request ended by itself.
    Rest,
    /// Nobody's: what was wanted stays wanted.
    Left,
}

/// How strong the word of a window is, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    /// Outside of a window for some dates, after it.
    AfterDates,
    Outside,
    Inside,
    /// Inside a window for some dates: an exception from those that come again.
    InsideDates,
    /// A one-sided window, until anything else happens.
    Latest,
}

/// When any window last began or ended.
fn turned(last: &[Option<Hit>]) -> Option<i64> {
    last.iter().flatten().filter(|hit| hit.edge != Edge::Fire).map(|hit| hit.at).max()
}

/// The crontab lines and one-time schedules that fired last, all at the same moment.
fn newest_fired(last: &[Option<Hit>]) -> Vec<Hit> {
    let fired = || last.iter().flatten().filter(|hit| hit.edge == Edge::Fire);
    let newest = fired().map(|hit| hit.at).max();
    fired().filter(|hit| Some(hit.at) == newest).copied().collect()
}

/// Whether what a crontab line asked for is still asked for.
fn stands(hit: &Hit, last: &[Option<Hit>], now: i64) -> bool {
    match hit.until {
        Some(until) => now < until,
        None => turned(last).is_none_or(|turned| turned <= hit.at),
    }
}

impl<'a> Reader<'a> {
    /// Who asks for what at a moment; `None` when nobody does.
    pub(super) fn decide<'r>(&'r self, last: &[Option<Hit>], now: i64) -> Option<Decision<'r>>
    where
        'a: 'r,
    {
        let (people, stays) = (self.by_people(now), self.put_off(now));
        match (people, stays) {
            (Some(people), Some(stays)) if self.is_put_off_until_warned(people, stays) => Some(stays),
            (Some(people), _) => Some(people),
            // Only what lowers waits: what schedules raise above it begins when it is written.
            (None, Some(stays)) => {
                let above = |asked: &Decision<'_>| self.agenda.scale.raises(stays.target, asked.target);
                Some(self.by_schedules(last, now).filter(above).unwrap_or(stays))
            }
            (None, None) => self.by_schedules(last, now),
        }
    }

    /// What a booking asks for again, once what was asked for beside it is over, comes after a warning as what schedules ask for does.
    fn is_put_off_until_warned(&self, people: Decision<'_>, stays: Decision<'_>) -> bool {
        let of = |spans: &[Span<'a>], by: Decider| {
            spans.iter().find(|span| by == Decider::Bent(span.number)).map(|span| span.from)
        };
        let began = of(&self.bookings, people.by).zip(of(&self.graces, stays.by));
        began.is_some_and(|(booked, warned)| booked < warned) && self.height(people.target) <= self.height(stays.target)
    }

    /// The same without what stays until people were warned.
    pub(super) fn beneath<'r>(&'r self, last: &[Option<Hit>], now: i64) -> Option<Decision<'r>>
    where
        'a: 'r,
    {
        self.by_people(now).or_else(|| self.by_schedules(last, now))
    }

    /// What people ask for.
    fn by_people<'r>(&'r self, now: i64) -> Option<Decision<'r>>
    where
        'a: 'r,
    {
        let newest = |spans: &'r [Span<'a>], since: i64| {
            let covers = spans.iter().filter(|span| span.covers(now) && span.from >= since);
            let span = covers.max_by_key(|span| (span.from, span.number))?;
            Some((Decision { target: span.target?, by: Decider::Bent(span.number), ends: Some(span.until) }, span.from))
        };
        let booked = newest(&self.bookings, i64::MIN);
        // What was asked for before a booking begins counts again after it.
        let since = booked.map_or(i64::MIN, |(_, from)| from);
        let asked = newest(&self.keeps, since).or_else(|| newest(&self.visits, since)).or(booked);
        asked.map(|(asked, _)| asked)
    }

    /// What stays until people were warned of what comes after it. It raises nothing: what somebody has lowered meanwhile stays so.
    fn put_off<'r>(&'r self, now: i64) -> Option<Decision<'r>>
    where
        'a: 'r,
    {
        let grace =
            self.graces.iter().filter(|grace| grace.covers(now)).max_by_key(|grace| (grace.from, grace.number))?;
        let stays = grace.target?;
        let lower = |target: &&Target| *target != stays && self.height(target) <= self.height(stays);
        let begun = |span: &&Span<'a>| span.from <= now && span.until > grace.from;
        // A booking that had begun before is what people are warned of.
        let later = self.bookings.iter().filter(|span| span.from >= grace.from);
        let lowered = self.visits.iter().chain(later).filter(begun);
        let lowered = lowered.filter_map(|span| Some((span.target.filter(lower)?, span.from)));
        let target = lowered
            .min_by_key(|(target, from)| (self.height(target), Reverse(*from)))
            .map_or(stays, |(target, _)| target);
        Some(Decision { target, by: Decider::Bent(grace.number), ends: Some(grace.until) })
    }

    /// What schedules ask for.
    fn by_schedules<'r>(&'r self, last: &[Option<Hit>], now: i64) -> Option<Decision<'r>>
    where
        'a: 'r,
    {
        if self.pauses.iter().any(|pause| pause.covers(now)) {
            return None;
        }
        let windows = self.strongest(last).into_iter().max_by_key(|(target, _)| self.height(target));
        let windows = windows.map(|(target, _)| Decision { target, by: Decider::Windows, ends: None });
        let fired = self.fired(last, now);
        match (windows, fired) {
            (Some(windows), Some((fired, way))) => {
                let (low, high) = (self.height(windows.target), self.height(fired.target));
                let counts = match way {
                    Way::Up => high >= low,
                    Way::Down => high <= low,
                };
                Some(if counts { fired } else { windows })
            }
            (Some(windows), None) => Some(windows),
            (None, fired) => fired.map(|(fired, _)| fired),
        }
    }

    fn height(&self, target: &Target) -> Option<usize> {
        self.agenda.scale.rank(&target.level)
    }

    /// The windows whose word is the strongest, with what they ask for.
    fn strongest(&self, last: &[Option<Hit>]) -> Vec<(&'a Target, usize)> {
        let turned = turned(last);
        let one_sided = |hit: &Hit| self.agenda.schedules.get(hit.schedule).is_some_and(Schedule::is_one_sided);
        let latest =
            last.iter().flatten().any(|hit| Some(hit.at) == turned && hit.edge != Edge::Fire && one_sided(hit));
        let mut found: Vec<(&'a Target, usize)> = Vec::new();
        let mut strongest = None;
        for hit in last.iter().flatten().filter(|hit| hit.edge != Edge::Fire) {
            let Some(schedule) = self.agenda.schedules.get(hit.schedule) else { continue };
            let word = match (schedule.is_one_sided(), hit.edge) {
                (true, _) if Some(hit.at) < turned => continue,
                (true, _) => Word::Latest,
                // It begins together with a one-sided one: neither is later.
                (false, Edge::Begin) if latest && Some(hit.at) == turned => Word::Latest,
                (false, Edge::End) if schedule.is_dated() => Word::AfterDates,
                (false, Edge::End) => Word::Outside,
                (false, Edge::Begin | Edge::Fire) if schedule.is_dated() => Word::InsideDates,
                (false, Edge::Begin | Edge::Fire) => Word::Inside,
            };
            let Some(target) = schedule.asks(hit.edge) else { continue };
            if Some(word) > strongest {
                found.clear();
                strongest = Some(word);
            }
            if Some(word) == strongest {
                found.push((target, hit.schedule));
            }
        }
        if strongest == Some(Word::AfterDates) {
            // Of several exceptions that are over, the last one says what comes after it.
            let ended = |schedule: usize| last.get(schedule).copied().flatten().map(|hit| hit.at);
            let newest = found.iter().filter_map(|(_, schedule)| ended(*schedule)).max();
            found.retain(|(_, schedule)| ended(*schedule) == newest);
        }
        found
    }

    fn fired<'r>(&'r self, last: &[Option<Hit>], now: i64) -> Option<(Decision<'r>, Way)>
    where
        'a: 'r,
    {
        let standing = newest_fired(last).into_iter().filter(|hit| stands(hit, last, now));
        let decisions = standing.filter_map(|hit| {
            let fires = self.agenda.schedules.get(hit.schedule)?.fires()?;
            let decision = Decision { target: &fires.target, by: Decider::Fired(hit.schedule), ends: hit.until };
            Some((decision, fires.way))
        });
        decisions.max_by_key(|(decision, _)| self.height(decision.target))
    }

    /// What is wanted when nobody asks for anything any more, where `beneath` is the same without what stays until people were warned:
    /// nobody asked for that, and its end ends nothing.
    pub(super) fn left_over<'r>(
        &'r self,
        stood: Decision<'r>,
        now: i64,
        beneath: impl FnOnce() -> Option<Decision<'r>>,
    ) -> Decision<'r> {
        if !self.is_put_off(stood) {
            return self.left(stood, now);
        }
        let stays = Decision { target: stood.target, by: Decider::Left, ends: None };
        match self.stays_until(stood, now) {
            // In a pause nobody lowers: it stays until that is over, and is looked at then.
            Some(until) => Decision { ends: Some(until), ..stood },
            None => beneath().unwrap_or(stays),
        }
    }

    fn is_put_off(&self, stood: Decision<'_>) -> bool {
        matches!(stood.by, Decider::Bent(number) if self.graces.iter().any(|grace| grace.number == number))
    }

    /// What is wanted when nobody asks for anything any more.
    pub(super) fn left<'r>(&'r self, stood: Decision<'r>, now: i64) -> Decision<'r> {
        if let Some(until) = self.stays_until(stood, now) {
            // What would end in a pause stays, and ends with it.
            let ends = stood.ends.map(|ends| ends.max(until));
            return Decision { target: stood.target, by: Decider::Left, ends };
        }
        let ended = stood.ends == Some(now) || (stood.by == Decider::Left && stood.ends.is_some());
        let back = self.back(stood, now);
        if ended
            && back.is_none()
            && let Some(target) = self.as_paused(now).filter(|target| **target != self.rest)
        {
            return Decision { target, by: Decider::Left, ends: None };
        }
        let rest = back.unwrap_or(&self.rest);
        // An end alone never raises.
        let rests = ended && self.height(rest) <= self.height(stood.target);
        match (rests, stood.by) {
            (true, _) => Decision { target: rest, by: Decider::Rest, ends: None },
            (false, Decider::Rest) => stood,
            (false, _) => Decision { target: stood.target, by: Decider::Left, ends: None },
        }
    }

    /// What schedules asked for as the pause began that covers a moment: it stays wanted in it beneath what people ask for.
    fn as_paused(&self, now: i64) -> Option<&Target> {
        let begins = |at: i64| self.pauses.iter().filter(|pause| pause.covers(at)).map(|pause| pause.from).min();
        let mut from = begins(now)?;
        // Said again, it went on.
        while let Some(earlier) = from.checked_sub(1).and_then(begins) {
            from = earlier;
        }
        let before = from.checked_sub(1)?;
        self.by_schedules(&self.lasts(from), before).map(|asked| asked.target)
    }

    /// Where a booking goes back to. What was there before it does not come back where that was to end meanwhile.
    fn back<'r>(&'r self, stood: Decision<'r>, now: i64) -> Option<&'r Target> {
        let Decider::Bent(number) = stood.by else { return None };
        let booking = self.bookings.iter().find(|booking| booking.number == number)?;
        let ended = |span: &Span<'_>| {
            span.target == booking.back && span.from < booking.from && booking.from <= span.until && span.until <= now
        };
        booking.back.filter(|_| !self.visits.iter().chain(&self.keeps).any(ended))
    }

    /// Until when a pause keeps what was asked for; `None` where none does. A person's change goes back when they said.
    fn stays_until(&self, stood: Decision<'_>, now: i64) -> Option<i64> {
        match stood.by {
            Decider::Bent(number) if self.visits.iter().chain(&self.bookings).any(|span| span.number == number) => None,
            Decider::Windows | Decider::Fired(_) | Decider::Bent(_) | Decider::Left => {
                self.pauses.iter().filter(|pause| pause.covers(now)).map(|pause| pause.until).max()
            }
            Decider::Rest => None,
        }
    }

    fn name(&self, schedule: usize) -> String {
        self.agenda.schedules.get(schedule).map(|schedule| schedule.name.clone()).unwrap_or_default()
    }

    /// Who asks for what stands, whatever made it so.
    pub(super) fn who_asks(&self, stands: Decision<'_>, last: &[Option<Hit>]) -> Vec<Because> {
        match stands.by {
            Decider::Windows => self
                .strongest(last)
                .into_iter()
                .filter(|(target, _)| *target == stands.target)
                .map(|(_, at)| Because::Asks { schedule: self.name(at) })
                .collect(),
            Decider::Fired(at) => vec![Because::Asks { schedule: self.name(at) }],
            Decider::Bent(number) => vec![Because::Bent { number }],
            Decider::Rest => vec![Because::Rests],
            Decider::Left => Vec::new(),
        }
    }

    /// A change of what is wanted, in words.
    pub(super) fn transition(
        &self,
        now: i64,
        before: Option<Decision<'_>>,
        next: Decision<'_>,
        last: &[Option<Hit>],
        these: &[Hit],
    ) -> Transition {
        let asking = self.who_asks(next, last);
        let is_asked_by = |hit: &&Hit| {
            let name = self.agenda.schedules.get(hit.schedule).map(|schedule| schedule.name.as_str());
            asking.iter().any(|asks| asks.schedule().is_some() && asks.schedule() == name)
        };
        let mut ended = Vec::new();
        if let Some(before) = before.filter(|before| before.ends == Some(now)) {
            match before.by {
                Decider::Fired(at) => ended.push(Because::Ends { schedule: self.name(at) }),
                Decider::Bent(number) => ended.push(Because::Unbent { number }),
                Decider::Windows | Decider::Rest | Decider::Left => {}
            }
        }
        if matches!(next.by, Decider::Windows | Decider::Fired(_) | Decider::Rest) {
            let resumed = self.pauses.iter().filter(|pause| pause.until == now);
            ended.extend(resumed.map(|pause| Because::Unbent { number: pause.number }));
        }
        let told = |hit: &&Hit| match hit.edge {
            Edge::Begin | Edge::Fire => Because::Begins { schedule: self.name(hit.schedule) },
            Edge::End => Because::Ends { schedule: self.name(hit.schedule) },
        };
        // Several edges of one schedule can meet at the end of a gap; the last one counts.
        let counts = |hit: &&Hit| last.get(hit.schedule).copied().flatten().is_some_and(|newest| newest == **hit);
        let mut causes: Vec<&Hit> = these.iter().filter(is_asked_by).filter(counts).collect();
        let because: Vec<Because> = if causes.is_empty() {
            if ended.is_empty() && !matches!(next.by, Decider::Bent(_)) {
                causes = these.iter().filter(|hit| hit.edge == Edge::End).filter(counts).collect();
            }
            causes.iter().map(told).chain(ended).chain(asking).collect()
        } else {
            // A schedule's own moment comes first, so that its key is the same whoever's change ends with it.
            causes.iter().map(told).chain(ended).collect()
        };
        let named = because.first().and_then(Because::schedule);
        let zone = self.agenda.schedules.iter().find(|schedule| Some(schedule.name.as_str()) == named);
        let zone = zone.map_or(self.agenda.zone, |schedule| schedule.zone);
        let (local, offset) = shown(Timestamp(now), zone);
        let mut notes = Vec::new();
        for note in causes.iter().flat_map(|hit| self.notes(hit)) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        Transition {
            at: Timestamp(now),
            local,
            offset,
            zone,
            before: before.map(|before| before.target.clone()),
            wanted: next.target.clone(),
            because,
            until: next.ends.map(Timestamp),
            notes,
        }
    }

    fn notes(&self, hit: &Hit) -> Vec<Note> {
        let clock = hit.moved.map(|moved| match moved {
            Moved::Gap => Note::Gap { written: hit.wall },
            Moved::Overlap(overlap) => Note::Overlap { first: overlap == OnOverlap::First },
        });
        clock.into_iter().chain(self.holiday(hit)).collect()
    }

    /// The day of the calendar without which this would not happen at this time.
    fn holiday(&self, hit: &Hit) -> Option<Note> {
        let (schedule, calendar) = (self.agenda.schedules.get(hit.schedule)?, self.calendar(hit.schedule)?);
        let date = hit.wall.date();
        let mut marks = Vec::new();
        schedule.marks(date, None, &mut marks);
        if marks.iter().any(|mark| mark.wall == hit.wall && mark.edge == hit.edge) {
            return None;
        }
        // What a holiday puts off happens on the first ordinary day after it.
        let (date, day) =
            [Some(date), date.pred_opt()].into_iter().flatten().find_map(|date| Some((date, calendar.day(date)?)))?;
        let name = day.name.to_owned();
        Some(match day.kind {
            Kind::Holiday => Note::Holiday { date, name },
            Kind::Working => Note::Working { date, name },
        })
    }
}

/// Schedules of the same rank that ask for different levels at a moment, as pairs of places.
pub(in crate::domain::schedule) fn rivals(reader: &Reader<'_>, last: &[Option<Hit>], now: i64) -> Vec<(usize, usize)> {
    let fired = newest_fired(last).into_iter().filter(|hit| stands(hit, last, now));
    let fired: Vec<_> = fired
        .filter_map(|hit| Some((&reader.agenda.schedules.get(hit.schedule)?.fires()?.target, hit.schedule)))
        .collect();
    let mut found = Vec::new();
    for group in [reader.strongest(last), fired] {
        for (at, (target, schedule)) in group.iter().enumerate() {
            let others = group.iter().skip(at + 1).filter(|(other, _)| other != target);
            found.extend(others.map(|(_, other)| (*schedule, *other)));
        }
    }
    found
}
