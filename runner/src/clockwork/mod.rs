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
use crate::desk::clock::{Due, Turned};
use crate::desk::{Desk, DeskError};
use crate::domain::ids::{EnvironmentName, Timestamp};
use crate::domain::schedule::{Because, Transition, level_at, next_after, timeline};
use crate::ledger::{Store, firings};

/// Longest that nothing is looked at: somebody may have bent something by another process, or the clock may have been set.
const LONGEST_MS: i64 = 20_000;

/// How often it is noted how far the clock has looked where nothing happens, in milliseconds.
const NOTE_MS: i64 = 60_000;

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
        let diaries = agenda::diaries(&self.store, &config, None, now).await?;
        if seen < now {
            for (name, at) in due(&diaries, seen, now) {
                let until = until(&diaries, &name, &at);
                let because = words(&at.because);
                let due = Due {
                    environment: name.clone(),
                    key: at.key(),
                    at: at.at,
                    until,
                    wanted: at.wanted.clone(),
                    because,
                };
                let turned = self.desk.turn(&due, now).await?;
                looked.turned.push((name, at, turned));
            }
        }
        self.look_again(&diaries, now).await?;
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
        looked.next = diaries.iter().filter_map(|diary| next_after(&diary.agenda(), now)).map(|next| next.at).min();
        Ok(looked)
    }

    /// Looks at the ends of runs that it caused, and again at what was refused.
    async fn look_again(&self, diaries: &[Diary], now: Timestamp) -> Result<(), DeskError> {
        for firing in firings::open(&self.store).await? {
            if firing.try_at.is_some_and(|at| at > now) {
                continue;
            }
            let diary = diaries.iter().find(|diary| diary.environment().name == firing.environment);
            let wanted = diary.and_then(|diary| level_at(&diary.agenda(), now)).map(|standing| standing.wanted);
            self.desk.turn_again(&firing, wanted.as_ref() == Some(&firing.wanted), now).await?;
        }
        Ok(())
    }
}

/// The last transition of each environment after `seen` until `now`: those before it are collapsed into it.
fn due(diaries: &[Diary], seen: Timestamp, now: Timestamp) -> Vec<(EnvironmentName, Transition)> {
    let mut due: Vec<(EnvironmentName, Transition)> = diaries
        .iter()
        .filter_map(|diary| {
            let last = timeline(&diary.agenda(), seen.plus_ms(1), now.plus_ms(1)).pop()?;
            Some((diary.environment().name.clone(), last))
        })
        .collect();
    due.sort_by_key(|(_, transition)| transition.at);
    due
}

/// How late a transition may still be carried out: as long as its schedule says.
fn until(diaries: &[Diary], name: &EnvironmentName, transition: &Transition) -> Timestamp {
    let diary = diaries.iter().find(|diary| diary.environment().name == *name);
    let named: Vec<&str> = transition.because.iter().filter_map(Because::schedule).collect();
    let schedules = diary.into_iter().flat_map(|diary| &diary.environment().timetable.schedules);
    let of_schedule = schedules.filter(|schedule| named.contains(&schedule.name.as_str()));
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
