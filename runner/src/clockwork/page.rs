//! What is known of one environment from one look to the next: what is asked for, and when that changes.

use std::sync::Arc;

use super::eve::{self, Eve};
use super::off::Told;
use crate::agenda::{AGAIN_MS, Diary, Grace, Stays};
use crate::desk::clock::Due;
use crate::domain::ids::{ActorId, Timestamp};
use crate::domain::request::Target;
use crate::domain::schedule::{
    Because, Bend, Bent, ClockNews, DEFAULT_CATCH_UP_S, HeldBack, Origin, PUT_OFF, Schedule, Timetable, Transition,
    Turn, as_seen, level_at, next_after, outlook, timeline,
};
use crate::ledger::asked::{Asked, Step};

/// Most transitions that are named of those that were not made.
const LEFT_OUT_MAX: usize = 3;

/// What follows from a diary, as long as that stays the same.
#[derive(Debug)]
pub(super) struct Page {
    timetable: Arc<Timetable>,
    bends: Vec<Bent>,
    /// From when on it was read.
    read: Timestamp,
    /// The transitions shortly before it was read.
    past: Vec<Transition>,
    /// What is asked for.
    wanted: Option<Target>,
    /// The first transition after it was read.
    pub(super) next: Option<Transition>,
    /// It came next before that, too.
    expected: bool,
    /// Of which days before its next transitions people hear.
    eve: Option<Eve>,
    /// Nothing has been done about it yet.
    fresh: bool,
    /// The digests of its schedules, in their order.
    written: Arc<str>,
    /// That people were told of the days ahead: the ledger need not be asked again.
    pub(super) told_eve: bool,
    /// Of what they were warned.
    pub(super) told: Option<Told>,
}

/// What is to be done about what is asked for now.
#[derive(Debug)]
pub(super) enum Turns {
    /// Nothing has changed.
    Not,
    /// It is noted, and nothing is done: somebody's own order does it, or nobody asks for anything.
    Noted,
    /// It goes down because something else is written, of which nobody could be warned before, or not long enough: this stays until
    /// they were. `None`: what stayed until now does so no more.
    Warned(Option<Grace>),
    /// A transition is due.
    Due(Box<Due>),
}

impl Page {
    /// Reads a diary at a moment, with what was asked for since `seen`. `before` is the page that was read last.
    pub(super) fn read(diary: &Diary<'_>, before: Option<&Self>, seen: Timestamp, now: Timestamp) -> Self {
        let same = before.filter(|before| Arc::ptr_eq(&before.timetable, diary.timetable()));
        let found = outlook(&diary.agenda(), seen.min(now).plus_ms(-AGAIN_MS), now);
        let comes =
            |next: &Transition| found.next.as_ref().is_some_and(|new| (new.at, &new.wanted) == (next.at, &next.wanted));
        let expected = before.and_then(|before| before.next.as_ref()).is_some_and(comes);
        Self {
            timetable: Arc::clone(diary.timetable()),
            bends: diary.bends.clone(),
            read: now,
            past: found.past,
            wanted: found.wanted,
            eve: found.next.as_ref().and_then(|next| eve::of(diary, next, now)),
            next: found.next,
            expected,
            fresh: true,
            written: same
                .map_or_else(|| as_seen(&diary.timetable().schedules).into(), |same| Arc::clone(&same.written)),
            told_eve: false,
            told: before.and_then(|before| before.told.clone()),
        }
    }

    /// What is noted of it from now on.
    pub(super) fn step(&self, now: Timestamp) -> Step<'_> {
        Step { wanted: self.wanted.as_ref(), since: now, written: &self.written }
    }

    /// The digests of its schedules.
    pub(super) fn written(&self) -> &Arc<str> {
        &self.written
    }

    /// What it says is done.
    pub(super) fn acted_on(&mut self) {
        self.fresh = false;
    }

    /// Whether it still says how it is.
    pub(super) fn holds(&self, diary: &Diary<'_>, now: Timestamp) -> bool {
        self.read <= now
            && self.next.as_ref().is_none_or(|next| now < next.at)
            && Arc::ptr_eq(&self.timetable, diary.timetable())
            && self.bends == diary.bends
    }

    /// What is asked for.
    pub(super) fn wanted(&self) -> Option<&Target> {
        self.wanted.as_ref()
    }

    /// What is to be done, where `asked` is what was asked for as of the last look, at `seen`.
    pub(super) fn turns(&self, diary: &Diary<'_>, asked: &Asked, seen: Timestamp, now: Timestamp) -> Turns {
        match diary.stays(now) {
            Stays::Well => {}
            Stays::Over => return Turns::Warned(None),
            Stays::Anew(grace) => return Turns::Warned(Some(grace)),
        }
        let last = self.past.last().filter(|last| last.at > asked.since);
        if self.wanted == asked.wanted && last.is_none() {
            return self.too_soon(diary, asked, (seen, now)).map_or(Turns::Not, |grace| Turns::Warned(Some(grace)));
        }
        // The schedules were changed once more while nobody looked.
        let last = last.filter(|last| !diary.is_unwarned(last));
        // What had not been written by then was not due then: it counts from now on.
        let had_been = |other: &Transition| diary.was_written(asked, &self.written, other, (seen, now));
        let last = last.filter(|last| had_been(last));
        if self.wanted == asked.wanted && last.is_none() {
            return Turns::Noted;
        }
        let Some(wanted) = &self.wanted else { return Turns::Noted };
        let because = match last {
            Some(last) => last.because.clone(),
            // No transition of the last time: what is written or bent is another.
            None => level_at(&diary.agenda(), now).map(|standing| standing.because).unwrap_or_default(),
        };
        match because.first() {
            // Nobody's word: what was asked for counts again once somebody speaks.
            None => return Turns::Not,
            // Their own order does it; what somebody booked the clock does.
            Some(Because::Bent { number }) if diary.booking(*number).is_none() => return Turns::Noted,
            // Another process with another file has noted something else: two of them must not answer each other for ever.
            Some(_) if last.is_none() && !self.fresh => return Turns::Not,
            Some(_) => {}
        }
        if last.is_none()
            && let Some(grace) = diary.put_off(wanted, &because, now)
        {
            return Turns::Warned(Some(grace));
        }
        let before = self.past.iter().rev().skip(1).filter(|other| other.at > seen && is_of_schedules(other));
        let before: Vec<&Transition> = before.filter(|other| had_been(other)).collect();
        let others = before.iter().filter(|other| other.wanted != *wanted);
        let mut left_out: Vec<Turn> = others.take(LEFT_OUT_MAX).map(|other| Turn::from(*other)).collect();
        left_out.reverse();
        let at = last.map_or(now, |last| last.at);
        let next = self.next.as_ref().map(|next| next.at);
        let until = diary.late_until(&because, at, next);
        let window = next.unwrap_or(until.max(now.plus_ms(AGAIN_MS)));
        Turns::Due(Box::new(Due {
            environment: diary.environment().name.clone(),
            key: last.map_or_else(|| changed_key(diary, now), Transition::key),
            at,
            until,
            window,
            wanted: wanted.clone(),
            rests: because.contains(&Because::Rests),
            because: words(&because, &self.bends),
            collapsed: u32::try_from(before.len()).unwrap_or(u32::MAX),
            left_out,
            tell: told(diary, &because),
            held_back: self.held_back(&because),
            by_chat: has_typed(diary),
            asked: Some((asked.clone(), Arc::clone(&self.written))),
            unread: diary.unread.words(),
        }))
    }

    /// What stays, where what was written since the last look lowers it so soon that people cannot be warned of it as of anything else.
    fn too_soon(&self, diary: &Diary<'_>, asked: &Asked, (seen, now): (Timestamp, Timestamp)) -> Option<Grace> {
        let next = self.next.as_ref().filter(|_| self.fresh && !self.expected)?;
        let (stays, until) = diary.stays_before(next, now)?;
        let is_new = diary.graces(now).is_empty() && !diary.was_written(asked, &self.written, next, (seen, now));
        is_new.then(|| diary.grace(stays, now, until))
    }

    /// Whose keep or pause held back until now what is due.
    fn held_back(&self, because: &[Because]) -> Option<HeldBack> {
        let ended = |bent: &&Bent| because.contains(&Because::Unbent { number: bent.number });
        self.bends.iter().filter(ended).find_map(HeldBack::of_bent)
    }

    /// The next transition as one that begins early, where it raises and its schedule says that it is to be ready by then.
    pub(super) fn early(&self, diary: &Diary<'_>) -> Option<(Due, Target)> {
        let next = self.next.as_ref()?;
        let before = diary.wanted.as_ref()?;
        let rises = *before != next.wanted && !lowers(diary, before, next);
        if !rises || !schedules(diary, &next.because).any(|schedule| schedule.ready_by) {
            return None;
        }
        let catch_up_s = schedules(diary, &next.because).map(|schedule| schedule.catch_up_s).max()?;
        let until = next.at.plus_ms(i64::from(catch_up_s) * 1_000);
        let due = Due {
            environment: diary.environment().name.clone(),
            key: next.key(),
            at: next.at,
            until,
            window: until,
            wanted: next.wanted.clone(),
            rests: next.because.contains(&Because::Rests),
            because: words(&next.because, &self.bends),
            collapsed: 0,
            left_out: Vec::new(),
            tell: told(diary, &next.because),
            held_back: None,
            by_chat: has_typed(diary),
            asked: None,
            unread: None,
        };
        Some((due, before.clone()))
    }

    /// What people are warned of, from when on: the next transition, where it lowers what is there.
    pub(super) fn warning(&self, diary: &Diary<'_>) -> Option<(Timestamp, &Transition)> {
        let next = self.next.as_ref()?;
        let from = diary.wanted.as_ref()?;
        let warn_ms = diary.warn_ms(&next.because);
        (warn_ms > 0 && lowers(diary, from, next)).then(|| (next.at.plus_ms(-warn_ms), next))
    }

    /// When it is to be looked at next: at its next transition, or when people are warned of it.
    pub(super) fn looks(&self, diary: &Diary<'_>, now: Timestamp) -> Option<Timestamp> {
        let warned = self.warning(diary).map(|(at, _)| at);
        let told = [warned, self.eve().map(|eve| eve.at)].into_iter().flatten().filter(|at| *at > now);
        told.chain(self.next.as_ref().map(|next| next.at)).min()
    }

    /// Of which days people hear.
    pub(super) fn eve(&self) -> Option<&Eve> {
        self.eve.as_ref()
    }
}

/// Until when a transition is tried where something stands against it: until the next one, or where none comes for as long as it may be
/// late.
pub(super) fn tried_until(diary: &Diary<'_>, transition: &Transition) -> Timestamp {
    let catch_up_s = schedules(diary, &transition.because).map(|schedule| schedule.catch_up_s).max();
    let late = transition.at.plus_ms(1_000 * i64::from(catch_up_s.unwrap_or(DEFAULT_CATCH_UP_S)));
    next_after(&diary.agenda(), transition.at).map_or(late, |next| next.at)
}

/// Who hears of a transition beside the environment's channel or owners.
pub(super) fn told(diary: &Diary<'_>, because: &[Because]) -> Vec<ActorId> {
    let mut all: Vec<ActorId> = schedules(diary, because).flat_map(|schedule| schedule.tell.iter().cloned()).collect();
    all.sort();
    all.dedup();
    all
}

/// The same of what lowers it, with whoever kept it until then.
pub(super) fn warned(diary: &Diary<'_>, because: &[Because]) -> Vec<ActorId> {
    let keeps = |bent: &&Bent| matches!(bent.bend, Bend::Keep { .. });
    let ends = |bent: &&Bent| because.contains(&Because::Unbent { number: bent.number });
    let keepers = diary.bends.iter().filter(keeps).filter(ends).map(|bent| bent.by.clone());
    told(diary, because).into_iter().chain(keepers).collect()
}

/// The same for one that is known by its key.
pub(super) fn told_of(diary: &Diary<'_>, key: &str) -> Vec<ActorId> {
    let all = diary.timetable().schedules.iter();
    let of_it = |schedule: &&Schedule| key.strip_prefix(&schedule.name).is_some_and(|rest| rest.starts_with('@'));
    all.filter(of_it).flat_map(|schedule| schedule.tell.iter().cloned()).collect()
}

/// What was left out from `seen` (not in it) to `now` because somebody wanted it skipped.
pub(super) fn skipped(diary: &Diary<'_>, seen: Timestamp, now: Timestamp) -> Vec<(String, ClockNews, Vec<ActorId>)> {
    let skips = || diary.bends.iter().filter(|bent| matches!(bent.bend, Bend::Skip(_)));
    if skips().next().is_none() {
        return Vec::new();
    }
    let (from, to) = (seen.plus_ms(1), now.plus_ms(1));
    let made = timeline(&diary.agenda(), from, to);
    let written = |without: &dyn Fn(&Bent) -> bool| {
        let bends: Vec<Bent> = diary.bends.iter().filter(|bent| !without(bent)).cloned().collect();
        timeline(&crate::domain::schedule::Agenda { bends: &bends, ..diary.agenda() }, from, to)
    };
    let all = written(&|bent| matches!(bent.bend, Bend::Skip(_)));
    let lost = all.iter().filter(|turn| !made.iter().any(|other| other.at == turn.at && other.wanted == turn.wanted));
    // What is wanted all the same, as after what was skipped before it or because somebody asks for it, nobody misses.
    let is_wanted =
        |turn: &Transition| level_at(&diary.agenda(), turn.at).is_some_and(|standing| standing.wanted == turn.wanted);
    let lost = lost.filter(|turn| !is_wanted(turn));
    let all_lost = lost.filter_map(|turn| {
        // Whose skip it is: without that one it would be made.
        let whose =
            skips().find(|skip| written(&|bent| bent.number == skip.number).iter().any(|other| other.at == turn.at));
        let Bent { by, called, because, .. } = whose.or_else(|| skips().next_back())?;
        let (by, called, because) = (by.clone(), called.clone(), because.clone());
        let said = ClockNews::Skipped { turn: Turn::from(turn), by, called, because };
        Some((turn.key(), said, told(diary, &turn.because)))
    });
    all_lost.collect()
}

/// Whether what is there now is lowered by it.
fn lowers(diary: &Diary<'_>, from: &Target, transition: &Transition) -> bool {
    diary.lowers(from, &transition.wanted)
}

fn has_typed(diary: &Diary<'_>) -> bool {
    diary.timetable().schedules.iter().any(|schedule| matches!(schedule.origin, Origin::Chat { .. }))
        || diary.bends.iter().any(|bent| matches!(bent.bend, Bend::Booked { .. }))
}

fn is_of_schedules(transition: &Transition) -> bool {
    !matches!(transition.because.first(), Some(Because::Bent { .. }))
}

/// The schedules because of which something is wanted.
pub(super) fn schedules<'d>(diary: &'d Diary<'_>, because: &'d [Because]) -> impl Iterator<Item = &'d Schedule> {
    diary.named(because)
}

/// The key of what is asked for since something else is written or bent.
fn changed_key(diary: &Diary<'_>, now: Timestamp) -> String {
    let turn = Turn::new(
        now,
        diary.timetable().zone,
        Target { level: crate::domain::environment::Level::Off, settings: std::collections::BTreeMap::new() },
    );
    format!("changed@{}", turn.local.format("%Y-%m-%dT%H:%M:%S%.3f"))
}

/// Why, in a few words.
fn words(because: &[Because], bends: &[Bent]) -> String {
    let whose = |number: i64| bends.iter().find(|bent| bent.number == number).map(Bent::in_words);
    let one = |because: &Because| match because {
        Because::Begins { schedule } => format!("{schedule} begins"),
        Because::Ends { schedule } => format!("{schedule} ends"),
        Because::Asks { schedule } => schedule.clone(),
        Because::Bent { number } => whose(*number).unwrap_or_else(|| "somebody wants it".to_owned()),
        Because::Unbent { number } if whose(*number).as_deref() == Some(PUT_OFF) => PUT_OFF.to_owned(),
        Because::Unbent { number } => {
            format!("{} has ended", whose(*number).unwrap_or_else(|| "what somebody wanted".to_owned()))
        }
        Because::Rests => "nobody asks for more".to_owned(),
    };
    let words: Vec<String> = because.iter().map(one).collect();
    words.join(", ")
}
