//! What stays for a while because something else was written: until when, what people were warned of, and whether that is still what
//! comes.

use super::{DAY_MS, Diary};
use crate::domain::ids::{ActorId, Timestamp};
use crate::domain::request::Target;
use crate::domain::schedule::{
    Agenda, AtOnce, Because, Bend, Bent, DEFAULT_WARN_S, Standing, Transition, Turn, level_at, next_after, timeline,
};

/// Longest that something is put off of which it is written when it comes, in milliseconds: as long as is warned of what says nothing
/// of it. A day's warning before something that is written for in an hour would be no answer.
const SOON_MS: i64 = 1_000 * DEFAULT_WARN_S as i64;

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
}

impl Grace {
    /// As the ledger keeps it.
    #[must_use]
    pub fn bend(self) -> Bend {
        let Self { target, from, until, then } = self;
        Bend::Grace { target, from, until, then }
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

    /// That something stays until then, with what comes after it.
    #[must_use]
    pub fn grace(&self, target: Target, from: Timestamp, until: Timestamp) -> Grace {
        let mut grace = Grace { target, from, until, then: None };
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
        let Some((target, until, then)) = self.deciding(now) else { return Stays::Well };
        // One of which nobody noted what comes after it.
        let (Some(before), Some(after)) = (then, level_at(&self.agenda(), until)) else { return Stays::Well };
        if self.lowers(target, &after.wanted) {
            if after.wanted == *before {
                return Stays::Well;
            }
            return match self.stays_for(&after.wanted, &after.because, now) {
                Some((stays, until)) => Stays::Anew(self.grace(stays, now, until)),
                None => Stays::Over,
            };
        }
        let beneath = self.beneath(now);
        if beneath.is_some_and(|beneath| !beneath.because.is_empty() && !self.lowers(target, &beneath.wanted)) {
            Stays::Over
        } else if after.wanted == *before {
            Stays::Well
        } else {
            // What was warned of does not come: it would take another warning.
            Stays::Anew(self.grace(target.clone(), now, until))
        }
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
    /// until now; `None`: nothing.
    #[must_use]
    pub fn at_once(&self, before: &Self, now: Timestamp) -> Option<AtOnce> {
        let (was, is) = (before.said(now), self.said(now));
        let there = self.wanted.clone();
        let Some(is) = is else {
            let asked = was.is_some_and(|was| was.because.iter().any(|because| because.schedule().is_some()));
            let soon = self.too_soon(before, now);
            return soon.or_else(|| asked.then_some(AtOnce { from: there, to: None }));
        };
        let by_schedules = is.because.iter().any(|because| because.schedule().is_some() || *because == Because::Rests);
        if was.is_some_and(|was| was.wanted == is.wanted) || there.as_ref() == Some(&is.wanted) || !by_schedules {
            return self.too_soon(before, now);
        }
        let at = self.stays_for(&is.wanted, &is.because, now).map_or(now, |(_, until)| until);
        Some(AtOnce { from: there, to: Some(Turn::new(at, self.timetable.zone, is.wanted)) })
    }

    /// What comes sooner than people could be warned of it, and did not come then by what was written before.
    fn too_soon(&self, before: &Self, now: Timestamp) -> Option<AtOnce> {
        let next = next_after(&self.agenda(), now).filter(|next| next.at.ms_since(now) <= DAY_MS)?;
        let (stays, until) = self.stays_before(&next, now)?;
        let known = timeline(&before.agenda(), next.at, next.at.plus_ms(1));
        let is_new = known.iter().all(|other| other.wanted != next.wanted);
        let to = Turn::new(until, self.timetable.zone, next.wanted);
        is_new.then_some(AtOnce { from: Some(stays), to: Some(to) })
    }

    /// What is asked for now; where something stays until people were warned, what comes after it.
    fn said(&self, now: Timestamp) -> Option<Standing> {
        level_at(&self.agenda(), self.deciding(now).map_or(now, |(_, until, _)| until))
    }

    /// What stays now because something else was written, until when, and what people were warned of.
    fn deciding(&self, now: Timestamp) -> Option<(&Target, Timestamp, Option<&Target>)> {
        if self.graces(now).is_empty() {
            return None;
        }
        let asks = level_at(&self.agenda(), now)?.because;
        self.bends.iter().find_map(|bent| match &bent.bend {
            Bend::Grace { target, until, then, .. } if asks.contains(&Because::Bent { number: bent.number }) => {
                Some((target, *until, then.as_ref()))
            }
            _ => None,
        })
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
