//! Turns schedules into runs, once each. When anything happens is the timeline's to say ([`crate::domain::schedule`]); what may be
//! done is the desk's ([`crate::desk::clock`]). Here is one timer for all environments, and how far it has looked.
//!
//! What was due while nobody looked is collapsed to the level that holds now. `now` comes from outside, so that a year can pass in a
//! test.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::agenda::{self, Diary};
use crate::bell::Bell;
use crate::config::Config;
use crate::desk::clock::{Due, LONGEST_LEAD_MS, Turned};
use crate::desk::{Desk, DeskError};
use crate::domain::ids::{EnvironmentName, Timestamp};
use crate::domain::request::{Movement, Target, movement};
use crate::domain::schedule::{Because, DEFAULT_WARN_S, Schedule, Transition, level_at, next_after, timeline};
use crate::ledger::{Store, firings};

/// Longest that nothing is looked at: somebody may have bent something by another process, or the clock may have been set.
const LONGEST_MS: i64 = 20_000;

/// How often it is noted how far the clock has looked where nothing happens, in milliseconds.
const NOTE_MS: i64 = 60_000;

/// How far back it looks again, in milliseconds: what somebody bends counts from when they say so, and is seen a moment later.
const AGAIN_MS: i64 = 60_000;

/// How late a transition may be carried out whose schedule does not say, as that of a keep, in milliseconds.
const CATCH_UP_MS: i64 = 4 * 3_600_000;

/// The clock of one process.
#[derive(Debug)]
pub struct Clockwork {
    desk: Desk,
    store: Store,
    /// How far it has looked, and when that was last noted.
    seen: Option<(Timestamp, Timestamp)>,
}

/// What one look did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Looked {
    /// What came of what was due, in order.
    pub turned: Vec<(EnvironmentName, Transition, Turned)>,
    /// When something is due next, as far as is known.
    pub next: Option<Timestamp>,
    /// What people added by chat and nothing comes of any more, in words.
    pub left_out: BTreeSet<String>,
}

impl Clockwork {
    /// A clock that has not looked yet.
    #[must_use]
    pub fn new(desk: Desk, store: Store) -> Self {
        Self { desk, store, seen: None }
    }

    /// Carries out everything that is due until `now`, and tells when to look again.
    ///
    /// # Errors
    /// When the ledger does not answer: what was not decided on is looked at again.
    pub async fn look(&mut self, now: Timestamp) -> Result<Looked, DeskError> {
        let config = self.desk.config();
        let (seen, noted) = match self.seen {
            Some(seen) => seen,
            // What was due before the first look of all is nobody's.
            None => match firings::seen(&self.store).await? {
                Some(seen) => (seen, seen),
                None => (now, Timestamp(0)),
            },
        };
        let mut looked = Looked::default();
        let diaries = agenda::diaries(&self.store, &config, now).await?;
        if seen < now {
            let mut due = due(&diaries, seen, now);
            due.extend(self.early(&diaries, now).await?);
            for (name, at, collapsed) in due {
                let until = until(&diaries, &name, &at);
                let because = words(&at.because);
                let due = Due {
                    environment: name.clone(),
                    key: at.key(),
                    at: at.at,
                    until,
                    wanted: at.wanted.clone(),
                    because,
                    collapsed,
                };
                match self.desk.turn(&due, now).await? {
                    Turned::Already => {}
                    turned => looked.turned.push((name, at, turned)),
                }
            }
        }
        self.look_again(&diaries, now).await?;
        self.warn(&diaries, now).await?;
        let seen = seen.max(now);
        let note = !looked.turned.is_empty() || now.0 - noted.0 >= NOTE_MS;
        if note {
            let mut tx = self.store.begin().await?;
            firings::see(&mut tx, seen).await?;
            tx.commit().await?;
        }
        self.seen = Some((seen, if note { now } else { noted }));
        let left_out = diaries.iter().flat_map(|diary| {
            let name = &diary.environment().name;
            diary.left_out.iter().map(move |out| format!("{name}: `{}`: {}", out.name, out.why))
        });
        looked.left_out = left_out.collect();
        looked.next = diaries.iter().filter_map(|diary| next_look(diary, now)).min();
        Ok(looked)
    }

    /// What is not due yet and begins now, so that the environment is in service when it is.
    async fn early(
        &self,
        diaries: &[Diary],
        now: Timestamp,
    ) -> Result<Vec<(EnvironmentName, Transition, u32)>, DeskError> {
        let mut early = Vec::new();
        for diary in diaries {
            let Some(next) = next_after(&diary.agenda(), now) else { continue };
            let rises = |before: &&Target| **before != next.wanted && !lowers(diary, before, &next);
            let Some(before) = diary.wanted.as_ref().filter(rises) else { continue };
            if next.at.ms_since(now) > LONGEST_LEAD_MS || !schedules(diary, &next).any(|schedule| schedule.ready_by) {
                continue;
            }
            let lead_ms = self.desk.lead_ms(diary.environment(), before, &next.wanted).await?;
            if next.at.plus_ms(-lead_ms) <= now {
                early.push((diary.environment().name.clone(), next, 0));
            }
        }
        Ok(early)
    }

    /// Warns of what goes down soon.
    async fn warn(&self, diaries: &[Diary], now: Timestamp) -> Result<(), DeskError> {
        for diary in diaries {
            let Some(next) = next_after(&diary.agenda(), now) else { continue };
            if let (Some(from), Some(at)) = (&diary.wanted, warned_at(diary, &next))
                && at <= now
            {
                self.desk.warn(&diary.environment().name, &next, from, now).await?;
            }
        }
        Ok(())
    }

    /// Looks at the ends of runs that it caused, and again at what was refused.
    async fn look_again(&self, diaries: &[Diary], now: Timestamp) -> Result<(), DeskError> {
        for firing in firings::open(&self.store).await? {
            if firing.try_at.is_some_and(|at| at > now) {
                continue;
            }
            let diary = diaries.iter().find(|diary| diary.environment().name == firing.environment);
            // What begins early is wanted from when it is due.
            let moment = firing.due.max(now);
            let wanted = diary.and_then(|diary| level_at(&diary.agenda(), moment)).map(|standing| standing.wanted);
            self.desk.turn_again(&firing, wanted.as_ref() == Some(&firing.wanted), now).await?;
        }
        Ok(())
    }
}

/// The last transition of each environment after `seen` until `now`, and how many before it are collapsed into it. What is a moment
/// older is looked at again: what somebody bends counts from when they say so, and is seen later.
fn due(diaries: &[Diary], seen: Timestamp, now: Timestamp) -> Vec<(EnvironmentName, Transition, u32)> {
    let mut due: Vec<(EnvironmentName, Transition, u32)> = diaries
        .iter()
        .filter_map(|diary| {
            let mut all = timeline(&diary.agenda(), seen.plus_ms(-AGAIN_MS), now.plus_ms(1));
            let last = all.pop()?;
            let collapsed = all.iter().filter(|transition| transition.at > seen).count();
            Some((diary.environment().name.clone(), last, u32::try_from(collapsed).unwrap_or(u32::MAX)))
        })
        .collect();
    due.sort_by_key(|(_, transition, _)| transition.at);
    due
}

/// When an environment is to be looked at next: at its next transition, or when people are warned of it.
fn next_look(diary: &Diary, now: Timestamp) -> Option<Timestamp> {
    let next = next_after(&diary.agenda(), now)?;
    Some(warned_at(diary, &next).filter(|warned| *warned > now).unwrap_or(next.at))
}

/// When people are warned of a transition; `None` where they are not, as of one that lowers nothing.
fn warned_at(diary: &Diary, transition: &Transition) -> Option<Timestamp> {
    let of_schedule = schedules(diary, transition).map(|schedule| schedule.warn_s).max();
    let warn_ms = 1_000 * i64::from(of_schedule.unwrap_or(DEFAULT_WARN_S));
    let from = diary.wanted.as_ref()?;
    (warn_ms > 0 && lowers(diary, from, transition)).then(|| transition.at.plus_ms(-warn_ms))
}

/// Whether what is there now is lowered by it.
fn lowers(diary: &Diary, from: &Target, transition: &Transition) -> bool {
    movement(diary.environment(), from, &transition.wanted) == Movement::Lowers
}

/// The schedules because of which it happens.
fn schedules<'d>(diary: &'d Diary, transition: &'d Transition) -> impl Iterator<Item = &'d Schedule> {
    let named: Vec<&str> = transition.because.iter().filter_map(Because::schedule).collect();
    diary.environment().timetable.schedules.iter().filter(move |schedule| named.contains(&schedule.name.as_str()))
}

/// How late a transition may still be carried out: as long as its schedule says.
fn until(diaries: &[Diary], name: &EnvironmentName, transition: &Transition) -> Timestamp {
    let diary = diaries.iter().find(|diary| diary.environment().name == *name);
    let of_schedule = diary.into_iter().flat_map(|diary| schedules(diary, transition));
    let catch_up = of_schedule.map(|schedule| i64::from(schedule.catch_up_s) * 1_000).max();
    transition.at.plus_ms(catch_up.unwrap_or(CATCH_UP_MS))
}

/// Why, in a few words.
fn words(because: &[Because]) -> String {
    let one = |because: &Because| match because {
        Because::Begins { schedule } => format!("{schedule} begins"),
        Because::Ends { schedule } => format!("{schedule} ends"),
        Because::Asks { schedule } => schedule.clone(),
        Because::Bent { .. } => "somebody wants it".to_owned(),
        Because::Unbent { .. } => "what somebody wanted has ended".to_owned(),
        Because::Rests => "nobody asks for more".to_owned(),
    };
    let words: Vec<String> = because.iter().map(one).collect();
    words.join(", ")
}

/// Looks whenever something is due. Never returns.
pub async fn run(desk: Desk, store: Store, bell: Bell, mut config: watch::Receiver<Arc<Config>>) {
    let mut clockwork = Clockwork::new(desk, store.clone());
    let mut bell = bell.listen();
    let mut told: Option<String> = None;
    let mut left_out = BTreeSet::new();
    loop {
        let wait = match store.now().await {
            Ok(now) => match clockwork.look(now).await {
                Ok(looked) => {
                    told = None;
                    for (environment, transition, turned) in &looked.turned {
                        tell(environment, transition, turned, now);
                    }
                    for out in looked.left_out.difference(&left_out) {
                        tracing::warn!(schedule = out, "a schedule that was added by chat is left out");
                    }
                    left_out = looked.left_out;
                    looked.next.map_or(LONGEST_MS, |next| (next.0 - now.0).clamp(1, LONGEST_MS))
                }
                Err(error) => {
                    let why = error.to_string();
                    if told.as_ref() != Some(&why) {
                        tracing::error!(why, "schedules cannot be looked at; trying again");
                    }
                    told = Some(why);
                    1_000
                }
            },
            Err(_) => 1_000,
        };
        let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(1));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            // Something was bent, or a run has ended: at most so often.
            () = async { bell.heard().await; tokio::time::sleep(Duration::from_secs(1).min(wait)).await } => {}
            _ = config.changed() => {}
        }
    }
}

fn tell(environment: &EnvironmentName, transition: &Transition, turned: &Turned, now: Timestamp) {
    let (level, late_s) = (&transition.wanted.level, (now.0 - transition.at.0) / 1_000);
    let because = words(&transition.because);
    match turned {
        Turned::Already => {}
        Turned::Nothing => tracing::debug!(%environment, %level, because, "a schedule's level is wanted already"),
        Turned::Queued(run) => {
            tracing::info!(%environment, %level, run = run.0, late_s, because, "a schedule is carried out");
        }
        Turned::Missed => {
            tracing::warn!(%environment, %level, late_s, because, "too late for a schedule: not carried out");
        }
        Turned::Refused(refusal) => {
            tracing::warn!(%environment, %level, why = refusal.what, because, "a schedule is refused");
        }
    }
}
