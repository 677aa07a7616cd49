//! What people were warned of and does not happen then, because somebody said otherwise since: they hear of it at once.

use crate::agenda::Diary;
use crate::domain::holds::{Hold, HoldNumber};
use crate::domain::ids::Timestamp;
use crate::domain::schedule::{Agenda, Bend, Bent, Transition, level_at, timeline};

/// A transition of which people were warned.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    /// Which.
    pub(super) transition: Transition,
    /// Which hold they were told of with it.
    pub(super) held: Option<HoldNumber>,
    /// What was bent by then.
    bends: Vec<i64>,
}

/// What has become of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Now {
    /// It still comes.
    Comes,
    /// It was time for it, or somebody has brought the environment there already: its run tells that.
    Over,
    /// It does not come: because of what somebody has bent since, or of other schedules.
    Off(Option<Box<Bent>>),
}

impl Told {
    pub(super) fn of(transition: &Transition, held: Option<&Hold>, diary: &Diary<'_>) -> Self {
        Self {
            transition: transition.clone(),
            held: held.map(|hold| hold.number),
            bends: diary.bends.iter().map(|bent| bent.number).collect(),
        }
    }

    /// How it is with it; `next` is the first transition after `now`.
    pub(super) fn now(&self, diary: &Diary<'_>, next: Option<&Transition>, now: Timestamp) -> Now {
        let Transition { at, wanted, .. } = &self.transition;
        if *at <= now {
            return Now::Over;
        }
        let is_it = |other: &Transition| other.at == *at && other.wanted == *wanted;
        if next.is_some_and(is_it) || timeline(&diary.agenda(), *at, at.plus_ms(1)).iter().any(is_it) {
            return Now::Comes;
        }
        // Whoever lowers it by hand asks for that from then on, long before its run has begun.
        let asked = level_at(&diary.agenda(), now).map(|standing| standing.wanted);
        if diary.wanted.as_ref() == Some(wanted) || asked.as_ref() == Some(wanted) {
            return Now::Over;
        }
        Now::Off(self.called_off_by(diary).cloned().map(Box::new))
    }

    /// What somebody has bent since and without which it would come. Of several the one without which the others change nothing.
    fn called_off_by<'d>(&self, diary: &'d Diary<'_>) -> Option<&'d Bent> {
        let Transition { at, wanted, .. } = &self.transition;
        // Tidegate's own are nobody's.
        let since = |bent: &&Bent| !self.bends.contains(&bent.number) && !matches!(bent.bend, Bend::Grace { .. });
        let mut left = diary.bends.clone();
        diary.bends.iter().rev().filter(since).find(|bent| {
            left.retain(|other| other.number != bent.number);
            let agenda = Agenda { bends: &left, ..diary.agenda() };
            timeline(&agenda, *at, at.plus_ms(1)).iter().any(|other| other.at == *at && other.wanted == *wanted)
        })
    }
}
