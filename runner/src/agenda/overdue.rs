//! What was due and nobody has looked at, and what of it is still to be done: the same for the clock that does it and for whoever asks.

use super::{BACK_MS, DAY_MS, Diary};
use crate::domain::ids::Timestamp;
use crate::domain::schedule::{
    Because, DEFAULT_CATCH_UP_S, Origin, Overdue, Schedule, Transition, Turn, as_seen, content, level_at, outlook,
};
use crate::ledger::asked::Asked;

/// How far back it is looked again, in milliseconds: what somebody bends counts from when they say so, and is seen a moment later.
pub const AGAIN_MS: i64 = 60_000;

impl Diary<'_> {
    /// Until when a transition that was due at `at` for these reasons is still done, however late it is seen. `next`: when the one after
    /// it comes.
    #[must_use]
    pub fn late_until(&self, because: &[Because], at: Timestamp, next: Option<Timestamp>) -> Timestamp {
        let catch_up_s = self.named(because).map(|schedule| schedule.catch_up_s).max().unwrap_or(DEFAULT_CATCH_UP_S);
        let until = at.plus_ms(i64::from(catch_up_s) * 1_000);
        // What is booked is booked to its end.
        if self.is_of_booking(because) { until.max(next.unwrap_or(until)) } else { until }
    }

    /// Whether it is somebody's booking that asks for it.
    #[must_use]
    pub fn is_of_booking(&self, because: &[Because]) -> bool {
        matches!(because.first(), Some(Because::Bent { number }) if self.booking(*number).is_some())
    }

    /// Whether what makes a transition had been written when it was due, where `asked` is what was noted at the last look, at `seen`, and
    /// `written` are the digests of what is written now. What people bend had been: the ledger tells when.
    ///
    /// Of a file that was changed while nobody looked it is not known when: what stood over the others may have gone only now. So
    /// nothing of that time is late or missed, and what is written counts from now on.
    #[must_use]
    pub fn was_written(
        &self,
        asked: &Asked,
        written: &str,
        transition: &Transition,
        (seen, now): (Timestamp, Timestamp),
    ) -> bool {
        let Some(before) = asked.written.as_deref().filter(|before| *before != written) else { return true };
        let known: Vec<&str> = before.split(' ').map(content).collect();
        let is_there = |digest: &&str| written.split(' ').any(|word| content(word) == *digest);
        let causes = |because: &&Because| matches!(because, Because::Begins { .. } | Because::Ends { .. });
        let has_causes = transition.because.iter().any(|because| causes(&because));
        let named = transition.because.iter().filter(|because| !has_causes || causes(because));
        let schedules: Vec<&str> = named.filter_map(Because::schedule).collect();
        let words = self.timetable().schedules.iter().zip(written.split(' '));
        let mut of_it = words.filter(|(schedule, _)| schedules.contains(&schedule.name.as_str())).peekable();
        if of_it.peek().is_none() {
            return true;
        }
        // What cannot be read is not gone.
        if self.unread.is_empty() && now.ms_since(seen) > AGAIN_MS && !known.iter().all(is_there) {
            return false;
        }
        // Of what was typed it is known when it was, also where nobody has looked since.
        let typed_before = |schedule: &Schedule| {
            matches!(schedule.origin, Origin::Chat { .. }) && schedule.since.is_some_and(|since| since <= transition.at)
        };
        of_it.any(|(schedule, word)| typed_before(schedule) || known.contains(&content(word)))
    }

    /// Whether something else is asked for than where it is to be, so that something may be overdue.
    #[must_use]
    pub fn is_elsewhere(&self, now: Timestamp) -> bool {
        let asked = level_at(&self.agenda(), now).map(|standing| standing.wanted);
        self.unread.is_empty() && !self.destroyed && self.wanted.is_some() && asked.is_some() && asked != self.wanted
    }

    /// What was due and nobody has looked at: the last transition since what was `asked` for as of the last look, at `seen`. Where nobody
    /// ever looked only what somebody asked for has an end; what schedules asked for before the first look is nobody's.
    #[must_use]
    pub fn overdue(&self, asked: Option<&Asked>, seen: Option<Timestamp>, now: Timestamp) -> Option<Overdue> {
        let from = self.wanted.clone().filter(|_| self.is_elsewhere(now))?;
        let seen = seen.unwrap_or(now).min(now);
        let week = now.plus_ms(-BACK_MS);
        let back = if asked.is_some() { seen.plus_ms(-AGAIN_MS) } else { week };
        // Where nobody looked for months the last one is all the same of today or of these days, but for a long pause.
        let found = [now.plus_ms(-DAY_MS), week]
            .into_iter()
            .filter(|near| back < *near)
            .map(|near| outlook(&self.agenda(), near, now))
            .find(|near| !near.past.is_empty())
            .unwrap_or_else(|| outlook(&self.agenda(), back, now));
        let last = found.past.last()?;
        let of_somebody = |number: i64| self.booking(number).is_none();
        if matches!(last.because.first(), Some(Because::Bent { number }) if of_somebody(*number)) {
            return None;
        }
        let is_due = match asked {
            Some(asked) => {
                let written = as_seen(&self.timetable().schedules);
                last.at > asked.since && self.was_written(asked, &written, last, (seen, now))
            }
            None => last.because.iter().any(|because| matches!(because, Because::Unbent { .. })),
        };
        if !is_due || self.is_unwarned(last) {
            return None;
        }
        let next = found.next.as_ref().map(|next| next.at);
        let until = Some(self.late_until(&last.because, last.at, next)).filter(|until| now <= *until);
        let lowers = self.lowers(&from, &last.wanted);
        Some(Overdue { turn: Turn::from(last), from, lowers, until })
    }
}
