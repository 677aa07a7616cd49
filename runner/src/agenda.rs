//! What is written and bent about when, environment by environment: the configuration's schedules, what people skip, pause and keep,
//! and their changes, read from the ledger. What follows from it is [`crate::domain::schedule`]'s to say.

use std::collections::BTreeMap;

use crate::config::{Config, typed_schedule};
use crate::domain::answer::RunSummary;
use crate::domain::environment::Environment;
use crate::domain::holds::{Hold, Kind};
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};
use crate::domain::request::Target;
use crate::domain::schedule::{Agenda, Bend, Bent, Scale, Stored, Timetable, end_of_change};
use crate::ledger::environments::Wanted;
use crate::ledger::{Access, LedgerError, bends, environments, holds, runs, schedules};

/// How far back something may have ended that still counts: whoever was away for longer finds the level that holds now.
const BACK_MS: i64 = 8 * 86_400_000;

/// Everything about when, of one environment.
#[derive(Debug, Clone)]
pub struct Diary {
    environment: Environment,
    scale: Scale,
    /// What people bend and ask for.
    pub bends: Vec<Bent>,
    /// Schedules that people added by chat and that are none any more, so that nothing comes of them.
    pub left_out: Vec<LeftOut>,
    /// Where it is to be now, whatever schedules say.
    pub wanted: Option<Target>,
    /// It was destroyed, and its schedules ask for nothing until somebody raises it.
    pub destroyed: bool,
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

    /// True when schedules say anything of it.
    #[must_use]
    pub fn is_scheduled(&self) -> bool {
        !self.environment.timetable.schedules.is_empty()
    }

    /// Until when a person's change holds that comes to pass at `from`, and where it ends by itself only where they said so:
    /// `None` for ever.
    #[must_use]
    pub fn holds_until(&self, said: Option<Timestamp>, from: Timestamp) -> Option<Timestamp> {
        let visit_ms = 1_000 * i64::from(self.environment.timetable.visit_s);
        said.or_else(|| self.is_scheduled().then(|| end_of_change(&self.agenda(), from, visit_ms)))
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

/// What the ledger has about when, of any environments.
struct Noted {
    held: Vec<Hold>,
    bent: Vec<(EnvironmentName, Bent)>,
    stored: Vec<Stored>,
}

impl Noted {
    async fn read(db: &mut impl Access, only: Option<&EnvironmentName>, now: Timestamp) -> Result<Self, LedgerError> {
        let since = now.plus_ms(-BACK_MS);
        Ok(Self {
            held: holds::of_late(&mut *db, since).await?,
            bent: bends::standing(&mut *db, since).await?,
            stored: schedules::all(&mut *db, only).await?,
        })
    }
}

/// The diaries of all environments that have schedules, or that somebody changed for a while.
///
/// # Errors
/// When the ledger does not answer.
pub async fn diaries(mut db: impl Access, config: &Config, now: Timestamp) -> Result<Vec<Diary>, LedgerError> {
    let noted = Noted::read(&mut db, None, now).await?;
    let mut wanted = environments::all_wanted(&mut db).await?;
    let said = runs::that_said(&mut db).await?;
    let mut said: BTreeMap<RunNumber, RunSummary> = said.into_iter().map(|run| (run.number, run)).collect();
    let mut all = Vec::new();
    for environment in config.environments.values() {
        let (wanted, destroyed) = match wanted.remove(&environment.name) {
            Some(wanted) => (wanted.clone(), wanted.is_none()),
            None => (None, false),
        };
        let run = wanted.as_ref().and_then(|wanted| said.remove(&wanted.run?));
        let for_a_while = run.as_ref().is_some_and(|run| run.request.until.is_some());
        let added = || noted.stored.iter().any(|one| one.environment == environment.name);
        if for_a_while || !environment.timetable.schedules.is_empty() || added() {
            all.push(diary(config, environment, &noted, (wanted, run, destroyed), now));
        }
    }
    Ok(all)
}

/// The diary of one environment as the configuration has it, whether or not it has schedules.
///
/// # Errors
/// When the ledger does not answer.
pub async fn of_one(
    mut db: impl Access,
    config: &Config,
    environment: &Environment,
    now: Timestamp,
) -> Result<Diary, LedgerError> {
    let noted = Noted::read(&mut db, Some(&environment.name), now).await?;
    let wanted = environments::wanted(&mut db, &environment.name).await?;
    let run = match wanted.as_ref().and_then(|wanted| wanted.run) {
        Some(run) => runs::by_number(&mut db, run).await?,
        None => None,
    };
    let destroyed = wanted.is_none() && environments::destroyed(&mut db).await?.contains(&environment.name);
    Ok(diary(config, environment, &noted, (wanted, run, destroyed), now))
}

fn diary(
    config: &Config,
    environment: &Environment,
    noted: &Noted,
    (wanted, run, destroyed): (Option<Wanted>, Option<RunSummary>, bool),
    now: Timestamp,
) -> Diary {
    let (timetable, left_out) = timetable(config, environment, &noted.stored, now);
    let of_it = noted.bent.iter().filter(|(name, _)| *name == environment.name);
    let mut diary = Diary {
        scale: Scale::from(environment),
        environment: Environment { timetable, ..environment.clone() },
        left_out,
        bends: of_it.map(|(_, bent)| bent.clone()).collect(),
        wanted: wanted.map(|wanted| wanted.target),
        destroyed,
    };
    if destroyed {
        // Nobody wants it back but who says so.
        let (by, called) = (ActorId::tidegate(), String::new());
        let pause = Bend::Pause { from: Timestamp(0), until: None };
        diary.bends.push(Bent { number: 0, by, called, because: None, bend: pause });
    }
    let keeps = noted.held.iter().filter(|hold| hold.kind == Kind::Keep && hold.is_about(&environment.name));
    let keeps: Vec<Bent> = keeps.filter_map(|hold| kept(hold, diary.wanted.as_ref())).collect();
    let change = run.filter(|run| run.asker.id != ActorId::clock());
    diary.bends.extend(change.and_then(|run| visit(&diary, &run)));
    diary.bends.extend(keeps);
    diary
}

/// A person's change.
fn visit(diary: &Diary, run: &RunSummary) -> Option<Bent> {
    let said = run.request.until;
    // What ends by itself was measured from when it was said; what schedules end, from when it came to pass.
    let from = run.ended.filter(|_| said.is_none()).unwrap_or(run.accepted);
    let bend = Bend::Visit { target: diary.wanted.clone()?, from, until: diary.holds_until(said, from)? };
    let (by, called) = (run.asker.id.clone(), run.asker.name.clone());
    Some(Bent { number: -run.number.0, by, called, because: run.request.because.clone(), bend })
}

/// A keep holds what is wanted while it stands.
fn kept(hold: &Hold, wanted: Option<&Target>) -> Option<Bent> {
    let bend = Bend::Keep { target: wanted?.clone(), from: hold.began, until: hold.until? };
    let (by, called, because) = (hold.by.clone(), hold.called.clone(), hold.because.clone());
    Some(Bent { number: hold.number.0, by, called, because, bend })
}
