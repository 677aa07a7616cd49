//! What the clock brings to the desk: a transition that is due becomes a run, by the same checks as an order of a person, in the
//! transaction in which it is noted that it was decided on.

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use serde_json::json;

use super::order::{nobody_knows, standing_after};
use super::{Case, Denied, Desk, DeskError, Done, Message};
use crate::agenda;
use crate::domain::answer::{Actor, RunSummary, Sight, Upcoming};
use crate::domain::audit::{GIVE_UP, MISS};
use crate::domain::command::CommandName;
use crate::domain::environment::{Environment, Level};
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};
use crate::domain::policy::Place;
use crate::domain::refusal::Refusal;
use crate::domain::request::{RunKind, RunRequest, Target, TypedBy, turn};
use crate::domain::run::{self, RunState};
use crate::domain::schedule::{
    Because, ClockNews, Origin, Schedule, Stored, Transition, Turn, in_words, level_at, quiet_days, timeline,
};
use crate::ledger::audit::{Entry, append};
use crate::ledger::firings::{self, Firing, Outcome};
use crate::ledger::{LedgerError, Tx, runs, schedules};
use crate::warden;

/// The door through which the clock comes.
const DOOR: &str = "clock";

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Milliseconds until a refused transition is tried again, after the first try; twice as long after each further one.
const FIRST_WAIT_MS: i64 = 60_000;
/// The longest of these waits.
const LONGEST_WAIT_MS: i64 = 15 * 60_000;

/// A transition that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// Of which environment.
    pub environment: EnvironmentName,
    /// Under which it is decided on once: schedule and wall time with its offset.
    pub key: String,
    /// When it was due.
    pub at: Timestamp,
    /// How late it may still be carried out.
    pub until: Timestamp,
    /// What is wanted from then on.
    pub wanted: Target,
    /// Why, in words: the schedule's name.
    pub because: String,
    /// How many transitions before it are not made, because it came after them.
    pub collapsed: u32,
}

/// Longest that a transition begins early, so that the environment is in service in time: two hours, in milliseconds.
pub const LONGEST_LEAD_MS: i64 = 2 * 3_600_000;

/// How late a transition begins that is told to be late: a minute, in milliseconds.
const LATE_MS: i64 = 60_000;

/// What came of a transition.
#[derive(Debug, Clone, PartialEq)]
pub enum Turned {
    /// It was decided on before.
    Already,
    /// The environment was to be there already.
    Nothing,
    /// A run is in the queue.
    Queued(RunNumber),
    /// It is too late for it.
    Missed,
    /// Something stands against it.
    Refused(Refusal),
}

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
    /// Carries out a transition, once, however many processes and starts see it. `now` is the clock's.
    ///
    /// # Errors
    /// When the ledger does not answer: nothing is decided then.
    pub async fn turn(&self, due: &Due, now: Timestamp) -> Result<Turned, DeskError> {
        let mut firing = Firing {
            environment: due.environment.clone(),
            key: due.key.clone(),
            due: due.at,
            until: due.until,
            wanted: due.wanted.clone(),
            outcome: Outcome::Missed,
            run: None,
            tries: 1,
            try_at: None,
            why: None,
        };
        if firings::one(&self.store, &due.environment, &due.key).await?.is_some() {
            return Ok(Turned::Already);
        }
        if now > due.until {
            let mut tx = self.store.begin().await?;
            let first = firings::put(&mut tx, &firing, now).await?;
            if first && !self.is_there(&mut tx, due).await? {
                let said = ClockNews::Missed { turn: self.turn_of(due), by_ms: now.ms_since(due.at) };
                warden::of_clock(&mut tx, &self.config(), &due.environment, said).await?;
                note_not_done(&mut tx, MISS, &firing, &due.because).await?;
            }
            tx.commit().await?;
            return Ok(if first { Turned::Missed } else { Turned::Already });
        }
        let message = message(due, 1);
        let case = Case { desk: self, message: &message, because: Some(due.because.clone()), anyway: false };
        let mut tx = self.store.begin().await?;
        let turned = match case.turn(&mut tx, due).await {
            Ok(None) => {
                firing.outcome = Outcome::Nothing;
                Turned::Nothing
            }
            Ok(Some((command, done))) => {
                case.note(&mut tx, command, &done).await?;
                firing.outcome = Outcome::Queued;
                firing.run = done.run;
                // Its end is looked at.
                firing.try_at = Some(now.plus_ms(FIRST_WAIT_MS));
                done.run.map_or(Turned::Nothing, Turned::Queued)
            }
            Err(Denied::Refused { environment, rule, refusal }) => {
                // Nothing that was begun is kept.
                tx.rollback().await?;
                let first = firings::one(&self.store, &due.environment, &due.key).await?.is_none();
                if first {
                    self.note_once(&case, command_of(due), environment.as_ref(), rule, &refusal).await?;
                }
                tx = self.store.begin().await?;
                firing.outcome = Outcome::Refused;
                firing.why = Some(refusal.what.clone());
                firing.try_at = Some(now.plus_ms(FIRST_WAIT_MS)).filter(|at| *at <= due.until);
                Turned::Refused(*refusal)
            }
            Err(Denied::Error(error)) => return Err(error),
        };
        if !firings::put(&mut tx, &firing, now).await? {
            tx.rollback().await?;
            return Ok(Turned::Already);
        }
        let by_ms = now.ms_since(due.at);
        let said = match &turned {
            Turned::Queued(run) if by_ms >= LATE_MS => {
                Some(ClockNews::Late { turn: self.turn_of(due), by_ms, collapsed: due.collapsed, run: *run })
            }
            Turned::Refused(refusal) => {
                let why = format!("{}: {}", refusal.what, refusal.why);
                let again = firing.try_at.map(|_| due.until);
                Some(ClockNews::Refused { turn: self.turn_of(due), why: self.clean(&why), again })
            }
            Turned::Queued(_) | Turned::Already | Turned::Nothing | Turned::Missed => None,
        };
        if let Some(said) = said {
            warden::of_clock(&mut tx, &self.config(), &due.environment, said).await?;
        }
        tx.commit().await?;
        self.bell.ring();
        Ok(turned)
    }

    /// Warns once that an environment goes down soon. False: somebody was warned before.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn warn(
        &self,
        name: &EnvironmentName,
        transition: &Transition,
        from: &Target,
        now: Timestamp,
    ) -> Result<bool, DeskError> {
        let mut tx = self.store.begin().await?;
        if !firings::tell_once(&mut tx, name, &transition.key(), "ahead", now).await? {
            return Ok(false);
        }
        let said = ClockNews::Ahead { turn: Turn::from(transition), from: from.clone() };
        warden::of_clock(&mut tx, &self.config(), name, said).await?;
        tx.commit().await?;
        self.bell.ring();
        Ok(true)
    }

    /// What became of a transition of which people were warned.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn warned(&self, name: &EnvironmentName, turn: &Turn) -> Result<Warned, DeskError> {
        let now = self.now().await?;
        let Some(environment) = self.environment(name) else { return Ok(Warned::Otherwise) };
        let diary = agenda::of_one(&self.store, &self.config(), &environment, now).await?;
        let mut coming = timeline(&diary.agenda(), turn.at.plus_ms(-1), turn.at.plus_ms(1)).into_iter();
        let comes = coming.any(|next| next.at == turn.at && next.wanted == turn.wanted);
        Ok(match (comes, turn.at <= now) {
            (false, _) => Warned::Otherwise,
            (true, true) => Warned::Due,
            (true, false) if diary.wanted.as_ref() == Some(&turn.wanted) => Warned::There,
            (true, false) => Warned::Ahead,
        })
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
        Ok(all.into_iter().filter_map(with_run).collect())
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

    /// The transition as the environment's clock shows it.
    fn turn_of(&self, due: &Due) -> Turn {
        let zone = self.environment(&due.environment).map_or(Tz::UTC, |environment| environment.timetable.zone);
        Turn::new(due.at, zone, due.wanted.clone())
    }

    /// Whether the environment is to be there already.
    async fn is_there(&self, tx: &mut Tx, due: &Due) -> Result<bool, DeskError> {
        let Some(environment) = self.environment(&due.environment) else { return Ok(true) };
        let active = runs::active(&mut *tx, &due.environment).await?;
        Ok(standing_after(tx, &environment, &active).await?.as_ref() == Some(&due.wanted))
    }

    /// Keeps in the audit what stood against a transition.
    async fn note_once(
        &self,
        case: &Case<'_>,
        command: CommandName,
        environment: Option<&EnvironmentName>,
        rule: &str,
        refusal: &Refusal,
    ) -> Result<(), DeskError> {
        match self.note_refusal(case, command, environment, rule, refusal).await {
            // Noted by a process that died before it could note the rest.
            Ok(()) | Err(DeskError::Repeated) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What schedules will do from now on, in `days` days: of one environment, or of all that have schedules and somebody sees.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn next(
        &self,
        only: Option<&EnvironmentName>,
        days: u32,
        sight: &Sight,
    ) -> Result<Vec<Upcoming>, DeskError> {
        let now = self.now().await?;
        let to = now.plus_ms(i64::from(days) * DAY_MS);
        let mut all = Vec::new();
        let config = self.config();
        let diaries = match only {
            None => agenda::diaries(&self.store, &config, now).await?,
            Some(name) => match config.environments.get(name) {
                Some(environment) => vec![agenda::of_one(&self.store, &config, environment, now).await?],
                None => Vec::new(),
            },
        };
        for diary in diaries {
            let environment = diary.environment();
            if !sight.sees(environment.name.as_str()) {
                continue;
            }
            let agenda = diary.agenda();
            let transitions = timeline(&agenda, now.plus_ms(1), to);
            let date = |at: Timestamp| shown_date(at, agenda.zone);
            let quiet = match (date(now), date(to)) {
                (Some(first), Some(last)) => quiet_days(&agenda, first, last),
                _ => Vec::new(),
            };
            let scheduled = diary.is_scheduled();
            let bends = diary.bends.iter().filter(|bent| bent.stands(now) && !diary.destroyed).cloned().collect();
            let (environment, destroyed) = (environment.name.clone(), diary.destroyed);
            all.push(Upcoming { environment, transitions, quiet, scheduled, bends, destroyed });
        }
        Ok(all)
    }

    /// Looks again at a transition: at the end of its run, or whether what stood against it is gone. `still` is false where something
    /// else is wanted by now.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn turn_again(&self, firing: &Firing, still: bool, now: Timestamp) -> Result<Turned, DeskError> {
        let mut after = Firing { tries: firing.tries + 1, try_at: None, ..firing.clone() };
        let run = match firing.run {
            Some(run) => Some(self.find(run).await?),
            None => None,
        };
        let due = Due {
            environment: firing.environment.clone(),
            key: firing.key.clone(),
            at: firing.due,
            until: firing.until,
            wanted: firing.wanted.clone(),
            because: format!("{} is tried again", firing.key),
            collapsed: 0,
        };
        let wait = FIRST_WAIT_MS.saturating_mul(1 << firing.tries.clamp(0, 20)).min(LONGEST_WAIT_MS);
        let message = message(&due, after.tries);
        let case = Case { desk: self, message: &message, because: Some(due.because.clone()), anyway: false };
        let mut tx = self.store.begin().await?;
        let turned = match run.as_ref().map(|run| &run.state) {
            // Not over: it is looked at again, and that is no try.
            Some(state) if !state.ended() => {
                after.tries = firing.tries;
                after.try_at = Some(now.plus_ms(FIRST_WAIT_MS));
                Turned::Nothing
            }
            Some(state) if is_well(state) => {
                after.outcome = Outcome::Done;
                Turned::Nothing
            }
            _ if !still || now > firing.until => {
                after.outcome = if run.is_some() { Outcome::Failed } else { Outcome::Missed };
                let said = ClockNews::GivenUp { turn: self.turn_of(&due), tries: firing.tries, run: firing.run };
                warden::of_clock(&mut tx, &self.config(), &due.environment, said).await?;
                Turned::Missed
            }
            _ => match case.turn_again(&mut tx, &due, run.as_ref()).await {
                Ok(None) => {
                    after.outcome = Outcome::Done;
                    Turned::Nothing
                }
                Ok(Some((command, done))) => {
                    case.note(&mut tx, command, &done).await?;
                    after.outcome = Outcome::Queued;
                    after.run = done.run;
                    after.try_at = Some(now.plus_ms(wait));
                    done.run.map_or(Turned::Nothing, Turned::Queued)
                }
                Err(Denied::Refused { environment, rule, refusal }) => {
                    tx.rollback().await?;
                    let command = run.as_ref().map_or_else(|| command_of(&due), |_| CommandName::Retry);
                    self.note_once(&case, command, environment.as_ref(), rule, &refusal).await?;
                    tx = self.store.begin().await?;
                    after.outcome = Outcome::Refused;
                    after.why = Some(refusal.what.clone());
                    after.try_at = Some(now.plus_ms(wait));
                    Turned::Refused(*refusal)
                }
                Err(Denied::Error(error)) => return Err(error),
            },
        };
        if !firings::change(&mut tx, firing, &after).await? {
            tx.rollback().await?;
            return Ok(Turned::Already);
        }
        if turned == Turned::Missed {
            note_not_done(&mut tx, GIVE_UP, &after, &due.because).await?;
        }
        tx.commit().await?;
        self.bell.ring();
        Ok(turned)
    }
}

/// Keeps in the audit that a transition came to nothing. Comes last in its transaction: see [`append`].
async fn note_not_done(tx: &mut Tx, action: &str, firing: &Firing, because: &str) -> Result<(), DeskError> {
    let Firing { environment, key, due, wanted, run, tries, why, .. } = firing;
    let detail = json!({ "key": key, "due": due, "wanted": in_words(wanted), "tries": tries, "why": why });
    let tidegate = Actor::tidegate();
    let entry = Entry {
        environment: Some(environment),
        run: *run,
        because: Some(because),
        result: Some(firing.outcome.as_str()),
        detail: Some(&detail),
        ..Entry::of_tidegate(&tidegate, action)
    };
    append(tx, &entry).await?;
    Ok(())
}

/// The date at a moment on the wall clock of a zone.
fn shown_date(at: Timestamp, zone: Tz) -> Option<NaiveDate> {
    DateTime::from_timestamp_millis(at.0).map(|utc| utc.with_timezone(&zone).date_naive())
}

fn is_well(state: &RunState) -> bool {
    // What a person stopped, rejected or let expire is not done against them.
    match state.outcome() {
        Some(run::Outcome::Failed | run::Outcome::Partial | run::Outcome::Refused) => false,
        Some(
            run::Outcome::Succeeded
            | run::Outcome::NothingToDo
            | run::Outcome::Planned
            | run::Outcome::Cancelled
            | run::Outcome::Expired,
        )
        | None => true,
    }
}

/// What a person would have typed.
fn message(due: &Due, tries: i64) -> Message {
    let command = command_of(due);
    let tries = if tries > 1 { format!(":{tries}") } else { String::new() };
    Message {
        key: format!("{DOOR}:{}:{}{tries}", due.environment, due.key),
        actor: Actor::person(ActorId::clock(), "the clock"),
        place: Place { door: DOOR, channel: None, direct: false },
        typed: format!("{command} {} {}", due.environment, in_words(&due.wanted)),
    }
}

/// The command under which a refusal is kept before it is known which way it goes.
fn command_of(due: &Due) -> CommandName {
    match due.wanted.level {
        Level::Off => CommandName::Down,
        Level::Profile(_) => CommandName::Up,
    }
}

impl Case<'_> {
    /// A run that brings the environment where it should be; `None` where it is to be there already.
    async fn turn(&self, tx: &mut Tx, due: &Due) -> Result<Option<(CommandName, Done)>, Denied> {
        let environment = self.allowed(tx, command_of(due), &due.environment).await?;
        let active = runs::active(&mut *tx, &environment.name).await?;
        if let Some(unknown) = active.iter().find(|run| matches!(run.state, RunState::Unknown { .. })) {
            return Err(Denied::from(nobody_knows(&environment, command_of(due), unknown)).on(&environment.name));
        }
        let before = standing_after(tx, &environment, &active).await?;
        if before.as_ref() == Some(&due.wanted) {
            return Ok(None);
        }
        let typed_by = self.typed_by(tx, &environment, due).await?.map(Box::new);
        let request = RunRequest { typed_by, ..turn(&environment, due.wanted.clone(), due.because.clone(), before) };
        let command = if request.kind == RunKind::Down { CommandName::Down } else { CommandName::Up };
        let done = self.enqueue(tx, &environment, request, &active).await?;
        Ok(Some((command, done)))
    }

    /// Who added by chat what asks for this, where nothing asks for it that stands in the configuration. Where nothing asks for more,
    /// as after the end of what somebody added, it is nobody's.
    async fn typed_by(
        &self,
        tx: &mut Tx,
        environment: &Environment,
        due: &Due,
    ) -> Result<Option<TypedBy>, LedgerError> {
        let stored = schedules::all(&mut *tx, Some(&environment.name)).await?;
        if stored.is_empty() {
            return Ok(None);
        }
        let now = crate::ledger::now(&mut *tx).await?;
        let diary = agenda::of_one(&mut *tx, &self.desk.config(), environment, now).await?;
        let agenda = diary.agenda();
        let mut standings = [due.at, due.at.max(now)].into_iter().filter_map(|at| level_at(&agenda, at));
        let Some(standing) = standings.find(|standing| standing.wanted == due.wanted) else { return Ok(None) };
        let asking: Vec<&str> = standing.because.iter().filter_map(Because::schedule).collect();
        let mut asking = agenda.schedules.iter().filter(|schedule| asking.contains(&schedule.name.as_str())).peekable();
        let by_chat = |schedule: &Schedule| matches!(schedule.origin, Origin::Chat { .. });
        let first = asking.peek().map(|schedule| schedule.name.clone());
        if !asking.all(by_chat) {
            return Ok(None);
        }
        Ok(stored.iter().find(|one| Some(&one.written.name) == first.as_ref()).map(Stored::typed_by))
    }

    async fn turn_again(
        &self,
        tx: &mut Tx,
        due: &Due,
        failed: Option<&RunSummary>,
    ) -> Result<Option<(CommandName, Done)>, Denied> {
        match failed {
            Some(run) => Ok(Some((CommandName::Retry, self.retry(tx, run.number).await?))),
            None => self.turn(tx, due).await,
        }
    }
}

impl Turned {
    /// The run that it caused.
    #[must_use]
    pub fn run(&self) -> Option<RunNumber> {
        match self {
            Self::Queued(run) => Some(*run),
            Self::Already | Self::Nothing | Self::Missed | Self::Refused(_) => None,
        }
    }
}
