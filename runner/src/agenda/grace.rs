//! What stays for a while because something else was written: until when, what people were warned of, and whether that is still what
//! comes.

use super::{DAY_MS, Diary};
use crate::domain::ids::{ActorId, Timestamp};
use crate::domain::request::Target;
use crate::domain::schedule::{
    Agenda, AtOnce, Because, Bend, Bent, DEFAULT_WARN_S, Foretold, Standing, Transition, Turn, level_at, next_after,
    timeline,
};

/// Longest that something is put off of which it is written when it comes, in milliseconds: as long as is warned of what says nothing
/// of it. A day's warning before something that is written for in an hour would be no answer.
const SOON_MS: i64 = 1_000 * DEFAULT_WARN_S as i64;

/// Shortest that something stays, in milliseconds: what people were warned of for long enough by then comes as ever, at an end.
const LEAST_MS: i64 = 1_000;

/// What stays until people were warned of what comes after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grace {
    /// What stays.
    pub target: Target,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// What comes after it.
    pub then: Option<Target>,
    /// Of what else people were warned before, and still are.
    pub foretold: Vec<Foretold>,
}

impl Grace {
    /// As the ledger keeps it.
    #[must_use]
    pub fn bend(self) -> Bend {
        let Self { target, from, until, then, foretold } = self;
        Bend::Grace { target, from, until, then, foretold }
    }
}

/// What is to be done about what stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stays {
    /// Nothing: nothing stays by it now, or what comes after it is what people were warned of.
    Well,
    /// It is over: nothing is kept from being lowered by it any more, or nobody is to be warned of what comes.
    Over,
    /// Something else comes after it by now.
    Anew(Grace),
}

impl Diary<'_> {
    /// What stays, and until when, where `wanted` is asked for all of a sudden because somebody changed what is written: what only
    /// lowers waits until people were warned. `None`: it is done at once.
    #[must_use]
    pub fn stays_for(&self, wanted: &Target, because: &[Because], now: Timestamp) -> Option<(Target, Timestamp)> {
        let stays = self.wanted.clone().filter(|from| self.unread.is_empty() && self.lowers(from, wanted))?;
        let warn_ms = self.warn_ms(because);
        (warn_ms > 0).then(|| (stays, now.plus_ms(warn_ms)))
    }

    /// The same as what stays, where something may stay already: of what people were warned, that warning counts on, and also where
    /// less is lowered by now. So it is put off once for each step down, however often the schedules are changed to and fro.
    #[must_use]
    pub fn put_off(&self, wanted: &Target, because: &[Because], now: Timestamp) -> Option<Grace> {
        let (stays, until) = self.stays_for(wanted, because, now)?;
        let mut foretold = self.foretold(now);
        let as_much = |one: &&Foretold| one.wanted == *wanted || self.lowers(wanted, &one.wanted);
        let warned = foretold.iter().filter(as_much).map(|one| one.at.max(now.plus_ms(LEAST_MS))).min();
        // What goes lower than what is wanted by now is called off.
        foretold.retain(|one| one.wanted == *wanted || self.lowers(&one.wanted, wanted));
        let until = warned.map_or(until, |at| at.min(until));
        Some(Grace { foretold, ..self.grace(stays, now, until) })
    }

    /// Of what people were warned while it stays: the last of it last.
    fn foretold(&self, now: Timestamp) -> Vec<Foretold> {
        match self.deciding(now) {
            Some(Bend::Grace { until, then, foretold, .. }) => {
                let last = then.iter().map(|wanted| Foretold { wanted: wanted.clone(), at: *until });
                foretold.iter().cloned().chain(last).collect()
            }
            Some(_) | None => Vec::new(),
        }
    }

    /// That something stays until then, with what comes after it.
    #[must_use]
    pub fn grace(&self, target: Target, from: Timestamp, until: Timestamp) -> Grace {
        let mut grace = Grace { target, from, until, then: None, foretold: Vec::new() };
        let bent = Bent {
            number: i64::MAX,
            by: ActorId::tidegate(),
            called: String::new(),
            because: None,
            bend: grace.clone().bend(),
        };
        let bends: Vec<Bent> = self.bends.iter().filter(|bent| !is_grace(bent)).cloned().chain([bent]).collect();
        grace.then = level_at(&Agenda { bends: &bends, ..self.agenda() }, until).map(|standing| standing.wanted);
        grace
    }

    /// The numbers of all that stays now because something else was written.
    #[must_use]
    pub fn graces(&self, now: Timestamp) -> Vec<i64> {
        self.bends.iter().filter(|bent| is_grace(bent) && bent.stands(now)).map(|bent| bent.number).collect()
    }

    /// Whether what stays now does so for what people were warned of. Where the schedules were changed once more it is told what stays
    /// instead: they are warned of that for as long as of anything.
    #[must_use]
    pub fn stays(&self, now: Timestamp) -> Stays {
        let Some(Bend::Grace { target, until, then, .. }) = self.deciding(now) else { return Stays::Well };
        let (until, after) = (*until, level_at(&self.agenda(), *until));
        // One of which nobody noted what comes after it.
        let (Some(before), Some(after)) = (then, after) else { return Stays::Well };
        if self.lowers(target, &after.wanted) {
            if after.wanted == *before {
                return Stays::Well;
            }
            let grace = self.put_off(&after.wanted, &after.because, now);
            return grace.map_or(Stays::Over, Stays::Anew);
        }
        let beneath = self.beneath(now);
        let asks = |standing: &Standing| !standing.because.is_empty();
        if beneath.as_ref().is_some_and(|beneath| asks(beneath) && !self.lowers(target, &beneath.wanted)) {
            return Stays::Over;
        }
        let paused = self.pauses().any(|(from, ends)| from <= until && ends.is_none_or(|ends| now < ends));
        if !paused && !asks(&after) && !beneath.as_ref().is_some_and(asks) {
            // What it was for is gone, and nobody asks for anything else.
            return Stays::Over;
        }
        if after.wanted == *before {
            return Stays::Well;
        }
        // What was warned of does not come: it would take another warning.
        Stays::Anew(self.grace(target.clone(), now, until))
    }

    /// Whether a transition ends what stayed, and is another one than people were warned of then.
    #[must_use]
    pub fn is_unwarned(&self, transition: &Transition) -> bool {
        let ended = |bent: &Bent| {
            let other = matches!(&bent.bend, Bend::Grace { then: Some(then), .. } if *then != transition.wanted);
            other && transition.because.contains(&Because::Unbent { number: bent.number })
        };
        self.bends.iter().any(ended)
    }

    /// What stays, and until when, where the next transition comes sooner than people can be warned of it; of what was written for a
    /// moment that far ahead they are warned at once.
    #[must_use]
    pub fn stays_before(&self, next: &Transition, now: Timestamp) -> Option<(Target, Timestamp)> {
        let of_schedules = next.because.iter().any(|because| because.schedule().is_some());
        let (stays, until) = self.stays_for(&next.wanted, &next.because, now)?;
        let until = until.min(now.plus_ms(SOON_MS));
        (of_schedules && next.at < until).then_some((stays, until))
    }

    /// What comes of it at once, or sooner than people could be warned of it, that this is what is written and bent, where `before` was
    /// until now; `None`: nothing. With it what stays until people were warned.
    #[must_use]
    pub fn at_once(&self, before: &Self, now: Timestamp) -> Option<(AtOnce, Option<Grace>)> {
        let (was, is) = (before.said(now), self.said(now));
        let there = self.wanted.clone();
        let Some(is) = is.filter(|is| !is.because.is_empty()) else {
            let asked = was.is_some_and(|was| was.because.iter().any(|because| because.schedule().is_some()));
            let soon = self.too_soon(before, now);
            return soon.or_else(|| asked.then_some((AtOnce { from: there, to: None }, None)));
        };
        if was.is_some_and(|was| was.wanted == is.wanted)
            || there.as_ref() == Some(&is.wanted)
            || !is.because.iter().any(|because| self.is_the_clock_s(because))
        {
            return self.too_soon(before, now);
        }
        let grace = self.put_off(&is.wanted, &is.because, now);
        let at = grace.as_ref().map_or(now, |grace| grace.until);
        Some((AtOnce { from: there, to: Some(Turn::new(at, self.timetable.zone, is.wanted)) }, grace))
    }

    /// Whether the clock brings it about, rather than somebody's own order.
    pub(super) fn is_the_clock_s(&self, because: &Because) -> bool {
        match because {
            Because::Begins { .. } | Because::Ends { .. } | Because::Asks { .. } | Because::Rests => true,
            Because::Bent { number } => self.booking(*number).is_some(),
            Because::Unbent { .. } => false,
        }
    }

    /// What comes sooner than people could be warned of it, and did not come then by what was written before.
    fn too_soon(&self, before: &Self, now: Timestamp) -> Option<(AtOnce, Option<Grace>)> {
        let next = next_after(&self.agenda(), now).filter(|next| next.at.ms_since(now) <= DAY_MS)?;
        let (stays, until) = self.stays_before(&next, now)?;
        let known = timeline(&before.agenda(), next.at, next.at.plus_ms(1));
        let is_new = known.iter().all(|other| other.wanted != next.wanted);
        is_new.then(|| {
            let to = Turn::new(until, self.timetable.zone, next.wanted);
            (AtOnce { from: Some(stays.clone()), to: Some(to) }, Some(self.grace(stays, now, until)))
        })
    }

    /// What is asked for now; where something stays until people were warned, what comes after it.
    fn said(&self, now: Timestamp) -> Option<Standing> {
        let until = match self.deciding(now) {
            Some(Bend::Grace { until, .. }) => *until,
            Some(_) | None => now,
        };
        level_at(&self.agenda(), until)
    }

    /// What stays now because something else was written.
    fn deciding(&self, now: Timestamp) -> Option<&Bend> {
        if self.graces(now).is_empty() {
            return None;
        }
        let asks = level_at(&self.agenda(), now)?.because;
        let decides = |bent: &&Bent| is_grace(bent) && asks.contains(&Because::Bent { number: bent.number });
        self.bends.iter().find(decides).map(|bent| &bent.bend)
    }

    /// What is asked for beside what stays.
    fn beneath(&self, now: Timestamp) -> Option<Standing> {
        let bends: Vec<Bent> = self.bends.iter().filter(|bent| !is_grace(bent)).cloned().collect();
        level_at(&Agenda { bends: &bends, ..self.agenda() }, now)
    }
}

fn is_grace(bent: &Bent) -> bool {
    matches!(bent.bend, Bend::Grace { .. })
}
