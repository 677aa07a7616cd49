//! Turns schedules into runs, once each. When anything happens is the timeline's to say ([`crate::domain::schedule`]); what may be
//! done is the desk's ([`crate::desk::clock`]). Here is one timer for all environments, and how far it has looked.
//!
//! What is asked for is a level, not an edge: each look compares it with what was asked for as of the last one, which the ledger
//! keeps. So what was due while nobody looked is collapsed to the level that holds now, and a schedule that is changed counts from
//! then on. `now` comes from outside, so that a year can pass in a test.

mod eve;
mod nightly;
mod off;
mod page;
mod round;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use crate::agenda::Diary;
use crate::desk::clock::{Due, LONGEST_LEAD_MS, Stands, Turned, held_at};
use crate::desk::{Desk, DeskError};
use crate::domain::answer::Actor;
use crate::domain::holds::Hold;
use crate::domain::ids::{EnvironmentName, Timestamp};
use crate::domain::schedule::{Because, Bend, Bent, Standing, Transition, level_at, next_after};
use crate::ledger::asked::{self, Asked, Step};
use crate::ledger::firings::Outcome;
use crate::ledger::{Store, bends, firings};
use nightly::{Mornings, Nights};
use off::{Now, Told};
use page::{Page, Turns};
pub use round::run;
pub use watch::Watch;

/// How often it is noted how far the clock has looked where nothing happens, in milliseconds.
const NOTE_MS: i64 = 60_000;

/// A clock that goes back by less is waited for, in milliseconds: it was put right.
const SET_BACK_MS: i64 = 120_000;

/// The clock of one process.
#[derive(Debug)]
pub struct Clockwork {
    desk: Desk,
    store: Store,
    /// How far it has looked, and when that was last noted.
    seen: Option<(Timestamp, Timestamp)>,
    pages: BTreeMap<EnvironmentName, Page>,
    nights: Nights,
    mornings: Mornings,
}

/// What one look did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Looked {
    /// What came of what was due, in order.
    pub turned: Vec<(Due, Turned)>,
    /// When something is due next, as far as is known.
    pub next: Option<Timestamp>,
    /// What people added by chat and nothing comes of any more, in words.
    pub left_out: BTreeSet<String>,
    /// By how many milliseconds the clock was set back since the last look, where it was.
    pub set_back_ms: Option<i64>,
}

impl Clockwork {
    /// A clock that has not looked yet.
    #[must_use]
    pub fn new(desk: Desk, store: Store) -> Self {
        Self {
            desk,
            store,
            seen: None,
            pages: BTreeMap::new(),
            nights: Nights::default(),
            mornings: Mornings::default(),
        }
    }

    /// Carries out everything that is due until `now`, and tells when to look again.
    ///
    /// # Errors
    /// When the ledger does not answer: what was not decided on is looked at again.
    pub async fn look(&mut self, now: Timestamp) -> Result<Looked, DeskError> {
        let config = self.desk.config();
        let mut looked = Looked::default();
        let (seen, noted) = match self.seen {
            Some(seen) => (Some(seen.0), seen.1),
            None => (firings::seen(&self.store).await?, Timestamp(0)),
        };
        let back_ms = seen.map_or(0, |seen| seen.ms_since(now));
        if back_ms > 0 && back_ms <= SET_BACK_MS {
            looked.next = Some(now.plus_ms(back_ms));
            return Ok(looked);
        }
        let set_back = back_ms > 0;
        looked.set_back_ms = set_back.then_some(back_ms);
        // What was due before the first look of all is nobody's.
        let seen = seen.filter(|_| !set_back).unwrap_or(now);
        let mut diaries = self.desk.diaries().all(&self.store, &config, now).await?;
        self.turn_pages(&diaries, seen, now);
        let asked = self.asked(&diaries, now, set_back).await?;
        let (mut due, stays) = self.due(&diaries, &asked, seen, now).await?;
        if stays {
            diaries = self.desk.diaries().all(&self.store, &config, now).await?;
            self.turn_pages(&diaries, seen, now);
            due = self.due(&diaries, &asked::all(&self.store).await?, seen, now).await?.0;
        }
        let (early, begins) = self.early(&diaries, now).await?;
        due.extend(early);
        due.sort_by_key(|due| due.at);
        let turned = Box::pin(self.desk.turn(&due, now)).await?;
        looked.turned = due.into_iter().zip(turned).filter(|(_, turned)| *turned != Turned::Already).collect();
        Box::pin(self.look_again(&diaries, now)).await?;
        self.tell(&diaries, seen, now).await?;
        let night = self.nights.look(&self.desk, now).await;
        let morning = self.mornings.look(&self.desk, &self.pages, &diaries, now).await;
        let note = set_back || !looked.turned.is_empty() || now.0 - noted.0 >= NOTE_MS;
        if note {
            let mut tx = self.store.begin().await?;
            if set_back {
                firings::set_back(&mut tx, now).await?;
            }
            firings::see(&mut tx, now).await?;
            tx.commit().await?;
        }
        self.seen = Some((now, if note { now } else { noted }));
        let left_out = diaries.iter().flat_map(|diary| {
            let name = &diary.environment().name;
            let unread = diary.unread.why().map(move |why| format!("{name}: all, as {why}"));
            diary.left_out.iter().map(move |out| format!("{name}: `{}`: {}", out.name, out.why)).chain(unread)
        });
        looked.left_out = left_out.collect();
        let of_pages = self.paged(&diaries).filter_map(|(page, diary)| page.looks(diary, now));
        looked.next = of_pages.chain(begins).chain(night).chain(morning).min();
        self.pages.values_mut().for_each(Page::acted_on);
        Ok(looked)
    }

    /// Reads what has changed.
    fn turn_pages(&mut self, diaries: &[Diary<'_>], seen: Timestamp, now: Timestamp) {
        self.pages.retain(|name, _| diaries.iter().any(|diary| diary.environment().name == *name));
        for diary in diaries {
            let name = &diary.environment().name;
            if !self.pages.get(name).is_some_and(|page| page.holds(diary, now)) {
                let page = Page::read(diary, self.pages.get(name), seen, now);
                self.pages.insert(name.clone(), page);
            }
        }
    }

    fn paged<'s, 'd, 'c>(&'s self, diaries: &'d [Diary<'c>]) -> impl Iterator<Item = (&'s Page, &'d Diary<'c>)> {
        diaries.iter().filter_map(|diary| Some((self.pages.get(&diary.environment().name)?, diary)))
    }

    /// What was asked for as of the last look. For an environment that is new it is what is asked for now, whatever it did before
    /// anybody knew of it, but for what somebody asked for until a moment that has passed: that end is late. For all of them where
    /// the clock was set back it is what is asked for now, too: what had happened by then happens again only where something is to be
    /// done.
    async fn asked(
        &mut self,
        diaries: &[Diary<'_>],
        now: Timestamp,
        set_back: bool,
    ) -> Result<BTreeMap<EnvironmentName, Asked>, DeskError> {
        let mut all = asked::all(&self.store).await?;
        let unseen = diaries.iter().filter(|diary| !all.contains_key(&diary.environment().name));
        let ends: Vec<_> = unseen.filter_map(|diary| Some((diary, diary.overdue(None, None, now)?))).collect();
        for (diary, over) in &ends {
            let page = Page::read(diary, None, over.turn.at, now);
            self.pages.insert(diary.environment().name.clone(), page);
        }
        let mut fresh = Vec::new();
        for (page, diary) in self.paged(diaries) {
            let name = &diary.environment().name;
            let step = match ends.iter().find(|(other, _)| other.environment().name == *name) {
                Some((_, over)) => Step { wanted: Some(&over.from), since: over.turn.at.plus_ms(-1), ..page.step(now) },
                None => page.step(now),
            };
            match all.get(name) {
                Some(asked) if !set_back || asked.wanted.as_ref() == page.wanted() => {}
                other => fresh.push((name, other, step)),
            }
        }
        if !fresh.is_empty() {
            // As whoever decides on transitions takes them: two clocks never wait for each other in a circle.
            fresh.sort_by_key(|(name, ..)| *name);
            let mut tx = self.store.begin().await?;
            for (name, before, step) in fresh {
                asked::step(&mut tx, name, before, step).await?;
            }
            tx.commit().await?;
            all = asked::all(&self.store).await?;
        }
        Ok(all)
    }

    /// What is due: where something else is asked for than as of the last look. What needs nothing to be done is noted. True beside it
    /// where something stays until people were warned: that is noted as well, and the diaries are to be read again.
    async fn due(
        &self,
        diaries: &[Diary<'_>],
        asked: &BTreeMap<EnvironmentName, Asked>,
        seen: Timestamp,
        now: Timestamp,
    ) -> Result<(Vec<Due>, bool), DeskError> {
        // By name, as whoever decides on transitions takes them.
        let (mut due, mut noted, mut kept) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for (page, diary) in self.paged(diaries) {
            let name = &diary.environment().name;
            let Some(asked) = asked.get(name) else { continue };
            match page.turns(diary, asked, seen, now) {
                Turns::Not if asked.written.as_deref() == Some(page.written()) => {}
                Turns::Not => {
                    noted.insert(name, (asked, page, false));
                }
                Turns::Noted => {
                    noted.insert(name, (asked, page, true));
                }
                Turns::Warned(grace) => {
                    kept.insert(name, (asked, page, diary, grace));
                }
                Turns::Due(one) => due.push(*one),
            }
        }
        let stays = !kept.is_empty();
        if stays {
            let (mut tx, tidegate) = (self.store.begin().await?, Actor::tidegate());
            for (name, (asked, page, diary, grace)) in kept {
                let wanted = grace.as_ref().map(|grace| &grace.target).or(asked.wanted.as_ref());
                let step = Step { wanted, ..page.step(now) };
                if asked::step(&mut tx, name, Some(asked), step).await? {
                    for over in diary.graces(now) {
                        bends::end(&mut tx, over, &tidegate.id).await?;
                    }
                    if let Some(grace) = grace {
                        let until = grace.until;
                        bends::begin(&mut tx, name, grace.bend(), until, &tidegate, None).await?;
                    }
                }
            }
            tx.commit().await?;
        }
        if !noted.is_empty() {
            let mut tx = self.store.begin().await?;
            for (name, (asked, page, steps)) in noted {
                if steps {
                    asked::step(&mut tx, name, Some(asked), page.step(now)).await?;
                } else {
                    asked::write(&mut tx, name, asked, page.written()).await?;
                }
            }
            tx.commit().await?;
        }
        Ok((due, stays))
    }

    /// What is not due yet and begins now, so that the environment is in service when it is; and when the next of that kind begins.
    async fn early(&self, diaries: &[Diary<'_>], now: Timestamp) -> Result<(Vec<Due>, Option<Timestamp>), DeskError> {
        let (mut early, mut next) = (Vec::new(), None::<Timestamp>);
        for (page, diary) in self.paged(diaries) {
            let Some((mut due, before)) = page.early(diary) else { continue };
            // What somebody wants until then is not ended before, nor a pause. Nothing begins early by what cannot be read.
            if due.at.ms_since(now) > LONGEST_LEAD_MS
                || diary.is_asked_to_stay(now)
                || diary.paused(now).is_some()
                || !diary.unread.is_empty()
            {
                continue;
            }
            let lead_ms = match self.desk.lead_ms(diary.environment(), &before, &due.wanted).await {
                Ok(lead_ms) => lead_ms,
                Err(DeskError::Ledger(why)) if why.is_of_a_row() => {
                    tracing::error!(environment = %due.environment, %why, "how long it takes cannot be read: it begins at its time");
                    0
                }
                Err(error) => return Err(error),
            };
            let begins = due.at.plus_ms(-lead_ms);
            if begins > now {
                next = Some(next.map_or(begins, |next| next.min(begins)));
            } else {
                due.window = next_after(&diary.agenda(), due.at).map_or(due.until, |next| next.at);
                early.push(due);
            }
        }
        Ok((early, next))
    }

    /// Warns of what goes down soon, and tells what was left out because somebody wanted it skipped.
    async fn tell(&mut self, diaries: &[Diary<'_>], seen: Timestamp, now: Timestamp) -> Result<(), DeskError> {
        let (mut eves, mut warned, mut holds) = (Vec::new(), Vec::new(), None);
        // What is known only in part is told nobody: what is due then is refused, and that is told.
        for (page, diary) in self.paged(diaries).filter(|(_, diary)| diary.unread.is_empty()) {
            let name = &diary.environment().name;
            for (key, said, tell) in page::skipped(diary, seen, now) {
                self.desk.tell_of(name, &key, said, &tell, now).await?;
            }
            if let Some(eve) = page.eve().filter(|eve| eve.at <= now && !page.told_eve) {
                eves.push(name.clone());
                self.desk.tell_of(name, &eve.key, eve.said.clone(), &eve.tell, now).await?;
            }
            let ahead = page.warning(diary).filter(|(at, _)| *at <= now);
            if ahead.is_none() && page.told.is_none() {
                continue;
            }
            let holds = match &mut holds {
                Some(holds) => holds,
                none => none.insert(self.desk.held().await?),
            };
            let mut told = match &page.told {
                Some(told) => self.still_told(told, (page, diary), holds, now).await?,
                None => None,
            };
            if let (Some(from), Some((_, next))) = (&diary.wanted, ahead)
                && told.as_ref().is_none_or(|told| told.transition.at != next.at)
            {
                let held = held_at(holds, diary.environment(), Some(from), (next.at, &next.wanted));
                // Nothing will change: it is looked at again, since a hold can end at any time.
                if !held.is_some_and(|hold| outlasts(hold, diary, next)) {
                    let tell = page::warned(diary, &next.because);
                    self.desk.warn(diary, next, (from, held.cloned()), &tell, now).await?;
                    told = Some(Told::of(next, held, diary));
                }
            }
            warned.push((name.clone(), told));
        }
        for name in eves {
            self.pages.entry(name).and_modify(|page| page.told_eve = true);
        }
        for (name, told) in warned {
            self.pages.entry(name).and_modify(|page| page.told = told);
        }
        Ok(())
    }

    /// What people were warned of, if it is still so. Where it is not they are told; where it is held otherwise than they were told,
    /// they are to be warned anew.
    async fn still_told(
        &self,
        told: &Told,
        (page, diary): (&Page, &Diary<'_>),
        holds: &[Hold],
        now: Timestamp,
    ) -> Result<Option<Told>, DeskError> {
        let (name, transition) = (&diary.environment().name, &told.transition);
        let tell = page::warned(diary, &transition.because);
        let (bent, held) = match told.now(diary, page.next.as_ref(), now) {
            Now::Over => return Ok(None),
            Now::Off(bent) => (bent.map(|bent| *bent), None),
            Now::Comes => {
                let stands =
                    held_at(holds, diary.environment(), diary.wanted.as_ref(), (transition.at, &transition.wanted));
                if stands.map(|hold| hold.number) == told.held {
                    return Ok(Some(told.clone()));
                }
                let Some(hold) = stands.filter(|hold| outlasts(hold, diary, transition)) else {
                    self.desk.unwarn(name, transition).await?;
                    return Ok(None);
                };
                (None, Some(hold.clone()))
            }
        };
        self.desk.call_off(name, transition, (bent, held), &tell, now).await?;
        Ok(None)
    }

    /// Looks at the ends of runs that it caused, and again at what was refused.
    async fn look_again(&self, diaries: &[Diary<'_>], now: Timestamp) -> Result<(), DeskError> {
        let (open, broken) = firings::open(&self.store).await?;
        for one in broken {
            tracing::error!(why = one.why, "a transition cannot be looked at again");
        }
        let done = Box::pin(self.desk.close_done(&open, now)).await?;
        for firing in open.into_iter().filter(|firing| !firing.run.is_some_and(|run| done.contains(&run))) {
            let waits = firing.try_at.is_some_and(|at| at > now);
            // What was refused is over as soon as something else is wanted; a run tells its end itself.
            if waits && firing.outcome != Outcome::Refused {
                continue;
            }
            let diary = diaries.iter().find(|diary| diary.environment().name == firing.environment);
            // What begins early is wanted from when it is due.
            let moment = firing.due.max(now);
            // Where nobody asks for anything else, it is wanted still.
            // After `destroy` nobody wants it, but who raises it or has booked it.
            let wanted = diary
                .filter(|diary| !diary.destroyed || diary.is_booked(moment))
                .map(|diary| level_at(&diary.agenda(), moment));
            let by = wanted.as_ref().and_then(|wanted| asker(diary?, wanted.as_ref()?));
            let still = wanted.is_some_and(|wanted| wanted.is_none_or(|standing| standing.wanted == firing.wanted));
            if waits && still {
                continue;
            }
            let stands = Stands {
                still,
                by: by.filter(|_| !still),
                paused: diary.is_some_and(|diary| diary.paused(now).is_some()),
                until: diary.map_or(Some(firing.until), |diary| diary.without_pauses(firing.due, firing.until)),
                tell: diary.map(|diary| page::told_of(diary, &firing.key)).unwrap_or_default(),
                unread: diary.and_then(|diary| diary.unread.words()),
            };
            if let Err(error) = Box::pin(self.desk.turn_again(&firing, stands, now)).await {
                // The others are looked at all the same, and this one again.
                tracing::error!(environment = %firing.environment, key = firing.key, %error, "a transition cannot be looked at again");
            }
        }
        Ok(())
    }
}

/// Whether a hold lasts for longer than a transition is tried.
fn outlasts(hold: &Hold, diary: &Diary<'_>, transition: &Transition) -> bool {
    hold.until.is_none_or(|until| until > page::tried_until(diary, transition))
}

/// The person who asks for what is wanted, where it is one. What stays until people were warned is nobody's.
fn asker(diary: &Diary<'_>, standing: &Standing) -> Option<String> {
    let Some(Because::Bent { number }) = standing.because.first() else { return None };
    let asks = |bent: &&Bent| bent.number == *number && !matches!(bent.bend, Bend::Grace { .. });
    diary.bends.iter().find(asks).map(|bent| bent.called.clone())
}
