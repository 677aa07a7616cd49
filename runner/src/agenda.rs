//! What is written and bent about when, for one environment: the configuration's schedules, people's keeps and their changes, read from
//! the ledger. What follows from it is [`crate::domain::schedule`]'s to say.

use crate::config::{Config, typed_schedule};
use crate::domain::environment::Environment;
use crate::domain::holds::{Hold, Kind};
use crate::domain::ids::{ActorId, EnvironmentName, Timestamp};
use crate::domain::request::Target;
use crate::domain::schedule::{Agenda, Bend, Bent, Scale, Stored, Timetable, end_of_change};
use crate::ledger::{LedgerError, Store, environments, holds, runs, schedules};

/// How far back something may have ended that still counts: whoever was away for longer finds the level that holds now.
const BACK_MS: i64 = 8 * 86_400_000;

/// Everything about when, of one environment.
#[derive(Debug, Clone)]
pub struct Diary {
    environment: Environment,
    scale: Scale,
    bends: Vec<Bent>,
    /// Schedules that people added by chat and that are none any more, so that nothing comes of them.
    pub left_out: Vec<LeftOut>,
    /// Where it is to be now, whatever schedules say.
    pub wanted: Option<Target>,
}

/// A schedule that somebody added by chat and that is none any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its row.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What is wrong with it now.
    pub why: String,
}

impl Diary {
    /// The same with another timetable.
    #[must_use]
    pub fn with(mut self, timetable: Timetable) -> Self {
        self.environment.timetable = timetable;
        self
    }

    /// As the pure functions take it.
    #[must_use]
    pub fn agenda(&self) -> Agenda<'_> {
        let table = &self.environment.timetable;
        Agenda {
            zone: table.zone,
            scale: &self.scale,
            schedules: &table.schedules,
            calendars: &table.calendars,
            bends: &self.bends,
        }
    }

    /// The environment.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }
}

/// An environment's whole timetable, of what the file says and what people have added by chat (`stored`, of any environments); and what
/// of that is left out.
#[must_use]
pub fn timetable(
    config: &Config,
    environment: &Environment,
    stored: &[Stored],
    now: Timestamp,
) -> (Timetable, Vec<LeftOut>) {
    let mut table = environment.timetable.clone();
    let mut left_out = Vec::new();
    for one in stored.iter().filter(|one| one.environment == environment.name) {
        match typed_schedule::with(config, environment, &table, one, now) {
            Ok(more) => table = more,
            Err(mistake) => {
                left_out.push(LeftOut { id: one.id.clone(), name: one.written.name.clone(), why: mistake.what });
            }
        }
    }
    (table, left_out)
}

/// The diaries of these environments; of all that have schedules where none is named.
///
/// # Errors
/// When the ledger does not answer.
pub async fn diaries(
    store: &Store,
    config: &Config,
    only: Option<&EnvironmentName>,
    now: Timestamp,
) -> Result<Vec<Diary>, LedgerError> {
    let held = holds::of_late(store, now.plus_ms(-BACK_MS)).await?;
    let stored = schedules::all(store, only).await?;
    let mut all = Vec::new();
    for environment in config.environments.values() {
        let named = only == Some(&environment.name);
        let added = stored.iter().any(|one| one.environment == environment.name);
        if !named && (only.is_some() || environment.timetable.schedules.is_empty() && !added) {
            continue;
        }
        let (timetable, left_out) = timetable(config, environment, &stored, now);
        let wanted = environments::wanted(store, &environment.name).await?;
        let mut diary = Diary {
            scale: Scale::from(environment),
            environment: Environment { timetable, ..environment.clone() },
            bends: Vec::new(),
            left_out,
            wanted: wanted.as_ref().map(|wanted| wanted.target.clone()),
        };
        let keeps = held.iter().filter(|hold| hold.kind == Kind::Keep && hold.is_about(&environment.name));
        let keeps: Vec<Bent> = keeps.filter_map(|hold| kept(hold, diary.wanted.as_ref())).collect();
        let change = match wanted.as_ref().and_then(|wanted| wanted.run) {
            Some(run) => runs::by_number(store, run).await?.filter(|run| run.asker.id != ActorId::clock()),
            None => None,
        };
        if let (Some(run), Some(target)) = (change, diary.wanted.clone()) {
            let from = run.ended.unwrap_or(run.accepted);
            let visit_ms = 1_000 * i64::from(environment.timetable.visit_s);
            let until = end_of_change(&diary.agenda(), from, visit_ms);
            let visit = Bend::Visit { target, from, until };
            let because = run.request.because.clone();
            let (by, called) = (run.asker.id.clone(), run.asker.name.clone());
            diary.bends.push(Bent { number: -run.number.0, by, called, because, bend: visit });
        }
        diary.bends.extend(keeps);
        all.push(diary);
    }
    Ok(all)
}

/// A keep holds what is wanted while it stands.
fn kept(hold: &Hold, wanted: Option<&Target>) -> Option<Bent> {
    let bend = Bend::Keep { target: wanted?.clone(), from: hold.began, until: hold.until? };
    let (by, called, because) = (hold.by.clone(), hold.called.clone(), hold.because.clone());
    Some(Bent { number: hold.number.0, by, called, because, bend })
}
