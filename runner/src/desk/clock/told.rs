//! What people are told of transitions ahead, and what they ask about them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;

use super::{LATE_MS, LONGEST_LEAD_MS};
use crate::agenda::Diary;
use crate::desk::schedules::not_followed;
use crate::desk::{Desk, DeskError};
use crate::domain::answer::{Actor, Sight, Upcoming};
use crate::domain::environment::Environment;
use crate::domain::holds::Hold;
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};
use crate::domain::request::{Target, turn};
use crate::domain::schedule::{
    Bend, Bent, ClockNews, Overdue, Reasons, Transition, Turn, clock_changes, in_words, quiet_days, skips_of, timeline,
    unknown_years,
};
use crate::ledger::asked::{self, Asked};
use crate::ledger::firings::{self, Firing};
use crate::ledger::leases::{self, CLOCK};
use crate::ledger::{LedgerError, Tx, holds, runs, stacks};
use crate::warden;

/// As what it is noted that people were warned, and that they were told that something is skipped.
const AHEAD: &str = "ahead";
const SKIPPED: &str = "skipped";

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// What became of a transition of which people were warned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warned {
    /// It is still to come.
    Ahead,
    /// The environment is to be there already.
    There,
    /// It was time for it.
    Due,
    /// Something else is wanted by now.
    Otherwise,
}

impl Desk {
    /// Warns once that an environment goes down soon. False: somebody was warned before.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn warn(
        &self,
        diary: &Diary<'_>,
        transition: &Transition,
        (from, held): (&Target, Option<Hold>),
        tell: &[ActorId],
        now: Timestamp,
    ) -> Result<bool, DeskError> {
        let (mut tx, name) = (self.store.begin().await?, &diary.environment().name);
        if !firings::tell_once(&mut tx, name, &warning(transition), AHEAD, now).await? {
            return Ok(false);
        }
        let unskippable = skips_of(&diary.agenda(), transition).is_empty();
        let (turn, held) = (Turn::from(transition), held.map(Box::new));
        let in_doubt = in_doubt(&mut tx, name).await?;
        let reasons = Some(Box::new(Reasons::of(&transition.because, &diary.bends)));
        let said = ClockNews::Ahead { turn, from: from.clone(), held, unskippable, in_doubt, reasons };
        warden::of_clock(&mut tx, &self.config(), name, said, tell).await?;
        tx.commit().await?;
        self.bell.ring();
        Ok(true)
    }

    /// Tells those who were warned of a transition that it does not happen then, and why, once; should it come after all, they are warned
    /// anew. False: nobody was warned, or they were told by another process.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn call_off(
        &self,
        name: &EnvironmentName,
        transition: &Transition,
        (bent, held): (Option<Bent>, Option<Hold>),
        tell: &[ActorId],
        now: Timestamp,
    ) -> Result<bool, DeskError> {
        let (mut tx, key) = (self.store.begin().await?, transition.key());
        if !firings::untell(&mut tx, name, &warning(transition), AHEAD).await? {
            return Ok(false);
        }
        // When it is due nobody need be told once more that it was skipped.
        if bent.as_ref().is_some_and(|bent| matches!(bent.bend, Bend::Skip(_))) {
            firings::tell_once(&mut tx, name, &key, SKIPPED, now).await?;
        }
        let (turn, bent, held) = (Turn::from(transition), bent.map(Box::new), held.map(Box::new));
        warden::of_clock(&mut tx, &self.config(), name, ClockNews::CalledOff { turn, bent, held }, tell).await?;
        tx.commit().await?;
        self.bell.ring();
        Ok(true)
    }

    /// Takes back that people were warned of a transition, so that they are warned anew, of how it is now.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn unwarn(&self, name: &EnvironmentName, transition: &Transition) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        firings::untell(&mut tx, name, &warning(transition), AHEAD).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whether any process follows the schedules, as far as the ledger tells: one that was killed counts until its lease is over.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn is_followed(&self) -> Result<bool, DeskError> {
        let now = self.store.now().await?;
        Ok(leases::until(&self.store, CLOCK).await?.is_some_and(|until| until > now))
    }

    /// What people hold now; what of it cannot be read keeps the clock from everything, and that is told when it is due.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn held(&self) -> Result<Vec<Hold>, DeskError> {
        Ok(holds::readable(&self.store).await?.0)
    }

    /// Tells something of a transition once: that somebody wanted it skipped, or what days come before it.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn tell_of(
        &self,
        name: &EnvironmentName,
        key: &str,
        said: ClockNews,
        tell: &[ActorId],
        now: Timestamp,
    ) -> Result<(), DeskError> {
        let what = match said {
            ClockNews::Eve { .. } => "eve",
            _ => SKIPPED,
        };
        let mut tx = self.store.begin().await?;
        if firings::tell_once(&mut tx, name, key, what, now).await? {
            warden::of_clock(&mut tx, &self.config(), name, said, tell).await?;
            tx.commit().await?;
            self.bell.ring();
        }
        Ok(())
    }

    /// What of an environment was due and nobody has looked at. What follows the schedules looks within a minute.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub(in crate::desk) async fn overdue(
        &self,
        diary: &Diary<'_>,
        now: Timestamp,
    ) -> Result<Option<Overdue>, LedgerError> {
        if !diary.is_elsewhere(now) {
            return Ok(None);
        }
        Ok(self.last_look(Some(&diary.environment().name), now).await?.overdue(diary, now))
    }

    /// What the clock noted of its last look, of one environment or of all.
    async fn last_look(&self, only: Option<&EnvironmentName>, now: Timestamp) -> Result<LastLook, LedgerError> {
        let asked = match only {
            Some(name) => asked::one(&self.store, name).await?.map(|asked| (name.clone(), asked)).into_iter().collect(),
            None => asked::all(&self.store).await?,
        };
        let seen = firings::seen(&self.store).await?;
        let followed = leases::until(&self.store, CLOCK).await?.is_some_and(|until| until > now);
        Ok(LastLook { asked, seen, followed })
    }

    /// What became of a transition of which people were warned.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn warned(&self, name: &EnvironmentName, turn: &Turn) -> Result<Warned, DeskError> {
        let now = self.now().await?;
        let config = self.config();
        let Some(environment) = config.environments.get(name) else { return Ok(Warned::Otherwise) };
        let diary = self.diaries.one(&self.store, &config, environment, now).await?;
        Ok(became(&diary, turn, now))
    }

    /// The same of several, read at once.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn all_warned(&self, all: &[(&EnvironmentName, &Turn)]) -> Result<Vec<Warned>, DeskError> {
        let now = self.now().await?;
        let config = self.config();
        let diaries = self.diaries.all(&self.store, &config, now).await?;
        let of = |name: &EnvironmentName| diaries.iter().find(|diary| diary.environment().name == *name);
        let became = |(name, turn): &(&EnvironmentName, &Turn)| of(name).map(|diary| became(diary, turn, now));
        Ok(all.iter().map(|one| became(one).unwrap_or(Warned::Otherwise)).collect())
    }

    /// When the transition was due whose run this is.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn due_of(&self, run: RunNumber) -> Result<Option<Timestamp>, DeskError> {
        Ok(firings::of_run(&self.store, run).await?.map(|firing| firing.due))
    }

    /// The transitions that were due at one moment and have a run each: as the environment's clock shows them.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn due_together(&self, due: Timestamp) -> Result<Vec<(EnvironmentName, Turn, RunNumber)>, DeskError> {
        let all = firings::due_at(&self.store, due).await?;
        let with_run = |firing: Firing| {
            let run = firing.run?;
            let zone = self.environment(&firing.environment).map_or(Tz::UTC, |environment| environment.timetable.zone);
            Some((firing.environment, Turn::new(firing.due, zone, firing.wanted), run))
        };
        let mut found: Vec<_> = all.into_iter().filter_map(with_run).collect();
        // One that began early and was brought back there has two: the later one tells how it is.
        found.sort_by(|(one, _, first), (other, _, second)| (one, second).cmp(&(other, first)));
        found.dedup_by(|(later, ..), (kept, ..)| later == kept);
        Ok(found)
    }

    /// How long a transition will take that raises an environment, by how long that took last time and a tenth more, in milliseconds;
    /// 0 where that is not known.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn lead_ms(&self, environment: &Environment, before: &Target, wanted: &Target) -> Result<i64, DeskError> {
        let request = turn(environment, wanted.clone(), String::new(), Some(before.clone()));
        let took = runs::last_duration(&self.store, &request).await?;
        Ok(took.map_or(0, |ms| ms.saturating_add(ms / 10).min(LONGEST_LEAD_MS)))
    }

    /// What schedules will do in `days` days from `from` on, or from now on where that lies ahead of it: of one environment, or of all that have schedules and somebody sees.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn next(
        &self,
        only: Option<&EnvironmentName>,
        from: Option<Timestamp>,
        days: u32,
        sight: &Sight,
    ) -> Result<Vec<Upcoming>, DeskError> {
        let now = self.now().await?;
        let from = from.filter(|from| *from > now);
        // What is due at this very moment is under way.
        let first = from.unwrap_or(now.plus_ms(1));
        let to = first.plus_ms(i64::from(days) * DAY_MS);
        let mut all = Vec::new();
        let config = self.config();
        let diaries = match only {
            None => {
                let mut all = self.diaries.all(&self.store, &config, now).await?;
                for aside in config.set_aside_now() {
                    all.push(self.diaries.seen(&self.store, &config, aside, now).await?);
                }
                all
            }
            Some(name) => match config.whose(name) {
                Some(environment) => vec![self.diaries.seen(&self.store, &config, environment, now).await?],
                None => return Err(not_followed(&config, name).into()),
            },
        };
        // Those without schedules are told of where somebody asks for them, and where a change of theirs ends by itself.
        let speaks = |diary: &Diary<'_>| {
            only.is_some()
                || diary.is_scheduled()
                || !diary.bends.is_empty()
                || !diary.left_out.is_empty()
                || !diary.unread.is_empty()
        };
        let holds = if diaries.is_empty() { Vec::new() } else { self.held().await? };
        let mut look = None;
        for diary in diaries.into_iter().filter(speaks) {
            let environment = diary.environment();
            if !sight.sees(environment.name.as_str()) {
                continue;
            }
            let agenda = diary.agenda();
            let mut transitions = timeline(&agenda, first, to);
            let is_there = transitions.first().is_some_and(|next| next.before == diary.wanted);
            // Read once: of a thousand environments all may be overdue.
            if from.is_none() && !is_there && look.is_none() && diary.is_elsewhere(now) {
                look = Some(self.last_look(only, now).await?);
            }
            let may_be_overdue = look.as_ref().filter(|_| from.is_none() && !is_there);
            let overdue = may_be_overdue.and_then(|look| look.overdue(&diary, now));
            // What was missed, refused or failed is not where it was asked to be.
            if let (Some(next), Some(wanted), None) = (transitions.first_mut(), &diary.wanted, from) {
                next.before = Some(wanted.clone());
            }
            // Each is barred by what holds then; the first of them from where it is.
            let mut barred: Vec<Hold> = Vec::new();
            for transition in &transitions {
                let to = (transition.at, &transition.wanted);
                let hold = held_at(&holds, environment, transition.before.as_ref(), to);
                barred.extend(hold.filter(|hold| !barred.contains(hold)).cloned());
            }
            let date = |at: Timestamp| shown_date(at, agenda.zone);
            let quiet = match (date(first), date(to)) {
                (Some(first), Some(last)) => quiet_days(&agenda, first, last),
                _ => Vec::new(),
            };
            let unknown_years = date(to).map(|last| unknown_years(&agenda, last)).unwrap_or_default();
            let mut zones = vec![agenda.zone];
            zones.extend(agenda.schedules.iter().map(|schedule| schedule.zone));
            let mut clocks: Vec<_> = (1..=zones.len())
                .filter(|upto| !zones[..upto - 1].contains(&zones[upto - 1]))
                .flat_map(|upto| clock_changes(zones[upto - 1], first, to))
                .collect();
            clocks.sort_by_key(|change| change.at);
            let scheduled = diary.is_scheduled();
            let bends = diary.bends.iter().filter(|bent| bent.stands(now) && !diary.destroyed).cloned().collect();
            let aside = !config.environments.contains_key(&environment.name);
            let (environment, destroyed, unread) =
                (environment.name.clone(), diary.destroyed, !diary.unread.is_empty());
            all.push(Upcoming {
                environment,
                transitions,
                quiet,
                clocks,
                unknown_years,
                scheduled,
                bends,
                destroyed,
                unproven: diary.unproven,
                unread,
                aside,
                held: barred,
                overdue,
            });
        }
        Ok(all)
    }
}

/// What the clock noted of its last look.
struct LastLook {
    /// What was asked for, of those that were read.
    asked: BTreeMap<EnvironmentName, Asked>,
    /// How far it had looked.
    seen: Option<Timestamp>,
    /// Somebody follows the schedules, and looks again within a minute.
    followed: bool,
}

impl LastLook {
    fn overdue(&self, diary: &Diary<'_>, now: Timestamp) -> Option<Overdue> {
        let found = diary.overdue(self.asked.get(&diary.environment().name), self.seen, now)?;
        Some(found).filter(|found| !self.followed || now.ms_since(found.turn.at) > LATE_MS)
    }
}

/// Under which key people are warned of a transition: whoever was warned of one level was not warned of another.
fn warning(transition: &Transition) -> String {
    format!("{} to {}", transition.key(), in_words(&transition.wanted))
}

/// What became of a transition of which people were warned.
fn became(diary: &Diary<'_>, turn: &Turn, now: Timestamp) -> Warned {
    let mut coming = timeline(&diary.agenda(), turn.at.plus_ms(-1), turn.at.plus_ms(1)).into_iter();
    let comes = coming.any(|next| next.at == turn.at && next.wanted == turn.wanted);
    // Who lowered it by hand wants what was to come.
    let is_there = diary.wanted.as_ref() == Some(&turn.wanted);
    match (comes, turn.at <= now) {
        (true, true) => Warned::Due,
        (true | false, _) if is_there => Warned::There,
        (true, false) => Warned::Ahead,
        (false, _) => Warned::Otherwise,
    }
}

/// What keeps the clock from a transition when it is due, of what people hold: what lasts longest.
#[must_use]
pub fn held_at<'h>(
    holds: &'h [Hold],
    environment: &Environment,
    from: Option<&Target>,
    (at, wanted): (Timestamp, &Target),
) -> Option<&'h Hold> {
    let request = turn(environment, wanted.clone(), String::new(), from.cloned());
    let clock = Actor::person(ActorId::clock(), "the clock");
    let lasts = |hold: &Hold| hold.until.is_none_or(|until| until > at);
    let against = holds.iter().filter(|hold| lasts(hold) && hold.bars(&request, &clock));
    against.max_by_key(|hold| hold.until.map_or(i64::MAX, |until| until.0))
}

/// The date at a moment on the wall clock of a zone.
fn shown_date(at: Timestamp, zone: Tz) -> Option<NaiveDate> {
    DateTime::from_timestamp_millis(at.0).map(|utc| utc.with_timezone(&zone).date_naive())
}

/// Whether something of an environment may be anywhere between, and no run is at it.
async fn in_doubt(tx: &mut Tx, name: &EnvironmentName) -> Result<bool, LedgerError> {
    let (active, unread) = runs::active_apart(&mut *tx, name).await?;
    if !unread.is_empty() || active.iter().any(|run| run.state.changes()) {
        return Ok(false);
    }
    match stacks::standings(&mut *tx, name).await {
        Ok(all) => Ok(all.values().any(|stack| stack.in_doubt)),
        // What cannot be read is told elsewhere, and keeps nobody from being warned.
        Err(why) if why.is_of_a_row() => Ok(false),
        Err(error) => Err(error),
    }
}
