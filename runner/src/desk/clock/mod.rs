//! What the clock brings to the desk: a transition that is due becomes a run, by the same checks as an order of a person, in the
//! transaction in which it is noted that it was decided on.

mod again;
mod together;
mod told;

use std::sync::Arc;

use chrono_tz::Tz;
use serde_json::json;

pub use again::Stands;
use together::{Batch, Known, Standing};
pub use told::Warned;

use super::order::{nobody_knows, standing_after};
use super::{Case, Denied, Desk, DeskError, Done, Message};
use crate::domain::answer::Actor;
use crate::domain::audit::MISS;
use crate::domain::command::CommandName;
use crate::domain::environment::{Environment, Level};
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};
use crate::domain::policy::Place;
use crate::domain::refusal::Refusal;
use crate::domain::request::{RunKind, RunRequest, Target, TypedBy, turn};
use crate::domain::run::RunState;
use crate::domain::schedule::{Because, ClockNews, Origin, Schedule, Stored, Turn, in_words, level_at};
use crate::ledger::asked::{self, Asked, Step};
use crate::ledger::audit::{Entry, append};
use crate::ledger::firings::{self, Firing, Outcome};
use crate::ledger::{LedgerError, Tx, runs, schedules};
use crate::warden;

/// The door through which the clock comes.
const DOOR: &str = "clock";

/// Longest that a transition begins early, so that the environment is in service in time: two hours, in milliseconds.
pub const LONGEST_LEAD_MS: i64 = 2 * 3_600_000;

/// How late a transition begins that is told to be late: a minute, in milliseconds.
const LATE_MS: i64 = 60_000;

/// Milliseconds until a run that a transition caused is looked at, and until what was refused is tried again for the first time.
const FIRST_WAIT_MS: i64 = 60_000;

/// How many transitions are stored together: to make a transaction last costs more than what is in it, and others wait for it.
const TOGETHER: usize = 32;

/// Notes for the audit that people had a hand in what is due; otherwise it is the configuration's alone.
fn granted(due: &Due, done: &mut Done) {
    if due.by_chat {
        let by = "schedules, some of them added by chat";
        done.detail.insert("granted".to_owned(), by.into());
    }
}

/// A transition that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// Of which environment.
    pub environment: EnvironmentName,
    /// Under which it is kept: schedule and wall time with its offset.
    pub key: String,
    /// When it was due.
    pub at: Timestamp,
    /// How late it may still be carried out.
    pub until: Timestamp,
    /// Until when it is tried again where it is refused or fails: the next transition.
    pub window: Timestamp,
    /// What is wanted from then on.
    pub wanted: Target,
    /// Why, in words: the schedule's name.
    pub because: String,
    /// How many transitions before it are not made, because it came after them.
    pub collapsed: u32,
    /// Who hears of it beside the environment's channel or owners.
    pub tell: Vec<ActorId>,
    /// Some of its schedules were added by chat.
    pub by_chat: bool,
    /// What was asked for until then, with the digests of what is written now: whoever notes the step from there decides. `None`: it
    /// begins early, before it is asked for.
    pub asked: Option<(Asked, Arc<str>)>,
}

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

/// What stands against a transition.
struct Refused {
    environment: Option<EnvironmentName>,
    rule: &'static str,
    refusal: Box<Refusal>,
}

impl Desk {
    /// Carries out transitions, each once, however many processes and starts see them. `now` is the clock's. Gives what came of each.
    ///
    /// # Errors
    /// When the ledger does not answer: what was not decided then is decided when it is brought again.
    pub async fn turn(&self, due: &[Due], now: Timestamp) -> Result<Vec<Turned>, DeskError> {
        let mut all = Vec::with_capacity(due.len());
        for some in due.chunks(TOGETHER) {
            let turned = self.turn_together(some, now).await?;
            if turned.iter().any(|turned| *turned != Turned::Already) {
                self.bell.ring();
            }
            all.extend(turned);
        }
        Ok(all)
    }

    /// What is refused leaves nothing behind of itself: the others are stored without it, and it after them.
    async fn turn_together(&self, due: &[Due], now: Timestamp) -> Result<Vec<Turned>, DeskError> {
        let mut all: Vec<Option<Result<Turned, Refused>>> = due.iter().map(|_| None).collect();
        let messages: Vec<Message> = due.iter().map(|due| message(due, &due.key, 1)).collect();
        'again: loop {
            let mut tx = self.store.begin().await?;
            let mut known = Known::of(&mut tx, due).await?;
            let mut batch = Batch::default();
            for ((due, message), slot) in
                due.iter().zip(&messages).zip(&mut all).filter(|(_, slot)| !matches!(slot, Some(Err(_))))
            {
                match self.turn_one(&mut tx, (due, message), &mut known, &mut batch, now).await {
                    Ok(turned) => *slot = Some(Ok(turned)),
                    Err(Denied::Refused { environment, rule, refusal }) => {
                        *slot = Some(Err(Refused { environment, rule, refusal }));
                        tx.rollback().await?;
                        continue 'again;
                    }
                    Err(Denied::Error(error)) => return Err(error),
                }
            }
            batch.store(&mut tx, now).await?;
            tx.commit().await?;
            break;
        }
        let mut turned = Vec::with_capacity(all.len());
        for (due, one) in due.iter().zip(all.into_iter().flatten()) {
            turned.push(match one {
                Ok(turned) => turned,
                Err(refused) => self.refuse(due, refused, now).await?,
            });
        }
        Ok(turned)
    }

    async fn turn_one<'m>(
        &'m self,
        tx: &mut Tx,
        (due, message): (&Due, &'m Message),
        known: &mut Known,
        batch: &mut Batch<'m>,
        now: Timestamp,
    ) -> Result<Turned, Denied> {
        let Some(mut firing) = self.decide(tx, due, known).await? else { return Ok(Turned::Already) };
        let by_ms = now.ms_since(due.at);
        if now > due.until {
            firing.outcome = Outcome::Missed;
            if !self.is_there(tx, due).await? {
                let said = ClockNews::Missed { turn: self.turn_of(due), by_ms, collapsed: due.collapsed };
                warden::of_clock(tx, &self.config(), &due.environment, said, &due.tell).await?;
                note_not_done(tx, MISS, &firing, &due.because).await?;
            }
            batch.firings.push(firing);
            return Ok(Turned::Missed);
        }
        let case = Case { desk: self, message, because: Some(due.because.clone()), anyway: false };
        let Some((command, mut done)) = case.turn(tx, due, known.stands.remove(&due.environment)).await? else {
            batch.firings.push(firing);
            batch.done.push((case, command_of(due), due.environment.clone(), None));
            return Ok(Turned::Nothing);
        };
        granted(due, &mut done);
        let run = done.run;
        batch.done.push((case, command, due.environment.clone(), Some(done)));
        firing.outcome = Outcome::Queued;
        firing.run = run;
        // Its end is looked at.
        firing.try_at = Some(now.plus_ms(FIRST_WAIT_MS));
        batch.firings.push(firing);
        let Some(run) = run else { return Ok(Turned::Nothing) };
        if by_ms >= LATE_MS {
            let (turn, collapsed) = (self.turn_of(due), due.collapsed);
            let said = ClockNews::Late { turn, by_ms, collapsed, run, stood_against: None };
            warden::of_clock(tx, &self.config(), &due.environment, said, &due.tell).await?;
        }
        Ok(Turned::Queued(run))
    }

    /// Takes the decision on a transition: `None` where somebody else has it, or had it.
    async fn decide(&self, tx: &mut Tx, due: &Due, known: &Known) -> Result<Option<Firing>, DeskError> {
        let before = if known.decided.contains(&(due.environment.to_string(), due.key.clone())) {
            firings::one(&mut *tx, &due.environment, &due.key).await?
        } else {
            None
        };
        let mut key = due.key.clone();
        if let Some((asked, written)) = &due.asked {
            let step = Step { wanted: Some(&due.wanted), since: due.at, written };
            if !asked::step(&mut *tx, &due.environment, Some(asked), step).await? {
                return Ok(None);
            }
            // It began early, or the clock was set back: only what was brought elsewhere since is to be brought there again.
            if let Some(before) = before {
                if self.tries_on(&mut *tx, &before).await?
                    || self.was_taken_back(&mut *tx, &before).await?
                    || self.is_there(&mut *tx, due).await?
                {
                    return Ok(None);
                }
                key = firings::free_key(&mut *tx, &due.environment, &due.key).await?;
            }
        } else if before.is_some() {
            return Ok(None);
        }
        Ok(Some(Firing {
            environment: due.environment.clone(),
            key,
            due: due.at,
            until: due.window.max(due.until),
            wanted: due.wanted.clone(),
            outcome: Outcome::Nothing,
            run: None,
            tries: 1,
            try_at: None,
            why: None,
        }))
    }

    /// Notes and tells that something stands against a transition.
    async fn refuse(
        &self,
        due: &Due,
        Refused { environment, rule, refusal }: Refused,
        now: Timestamp,
    ) -> Result<Turned, DeskError> {
        // The audit first: who dies in between notes it again under the same key, which is once.
        let Some((tx, firing)) = self.decided(due).await? else { return Ok(Turned::Already) };
        tx.rollback().await?;
        let message = message(due, &firing.key, 1);
        let case = Case { desk: self, message: &message, because: Some(due.because.clone()), anyway: false };
        self.note_once(&case, command_of(due), environment.as_ref(), rule, &refusal).await?;
        let Some((mut tx, mut firing)) = self.decided(due).await? else { return Ok(Turned::Already) };
        firing.outcome = Outcome::Refused;
        firing.why = Some(refusal.what.clone());
        firing.try_at = Some(when_due(now, FIRST_WAIT_MS, &firing)).filter(|at| *at <= firing.until);
        if !firings::put(&mut tx, &firing, now).await? {
            return Ok(Turned::Already);
        }
        let why = self.clean(&format!("{}: {}", refusal.what, refusal.why));
        let again = firing.try_at.map(|_| firing.until);
        let said = ClockNews::Refused { turn: self.turn_of(due), why, again };
        warden::of_clock(&mut tx, &self.config(), &due.environment, said, &due.tell).await?;
        tx.commit().await?;
        Ok(Turned::Refused(*refusal))
    }

    /// A transaction that has the decision on a transition.
    async fn decided(&self, due: &Due) -> Result<Option<(Tx, Firing)>, DeskError> {
        let mut tx = self.store.begin().await?;
        let known = Known::of(&mut tx, std::slice::from_ref(due)).await?;
        Ok(self.decide(&mut tx, due, &known).await?.map(|firing| (tx, firing)))
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
            Ok(()) | Err(DeskError::Repeated) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The transition as the environment's clock shows it.
    fn turn_of(&self, due: &Due) -> Turn {
        let zone = self.config().environments.get(&due.environment).map_or(Tz::UTC, |found| found.timetable.zone);
        Turn::new(due.at, zone, due.wanted.clone())
    }

    /// Whether the environment is to be there already.
    async fn is_there(&self, tx: &mut Tx, due: &Due) -> Result<bool, DeskError> {
        let active = runs::active(&mut *tx, &due.environment).await?;
        Ok(standing_after(tx, &due.environment, &active).await?.as_ref() == Some(&due.wanted))
    }
}

/// So many milliseconds after a moment; what was begun early is tried again when it is due at the latest.
fn when_due(from: Timestamp, wait_ms: i64, firing: &Firing) -> Timestamp {
    let at = from.plus_ms(wait_ms);
    if from < firing.due { at.min(firing.due) } else { at }
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

/// What a person would have typed.
fn message(due: &Due, key: &str, tries: i64) -> Message {
    let command = command_of(due);
    let tries = if tries > 1 { format!(":{tries}") } else { String::new() };
    Message {
        key: format!("{DOOR}:{}:{key}{tries}", due.environment),
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
    /// `stands` is how it is with the environment, where somebody has looked.
    async fn turn(
        &self,
        tx: &mut Tx,
        due: &Due,
        stands: Option<Standing>,
    ) -> Result<Option<(CommandName, Done)>, Denied> {
        let (active, before) = if let Some(Standing { active, wanted }) = stands {
            (active, wanted)
        } else {
            let active = runs::active(&mut *tx, &due.environment).await?;
            let wanted = standing_after(tx, &due.environment, &active).await?;
            (active, wanted)
        };
        let unknown = active.iter().find(|run| matches!(run.state, RunState::Unknown { .. }));
        // What stands against it is told of what would change anything.
        if before.as_ref() == Some(&due.wanted) && unknown.is_none() {
            return Ok(None);
        }
        let environment = self.allowed(tx, command_of(due), &due.environment).await?;
        if let Some(unknown) = unknown {
            return Err(Denied::from(nobody_knows(&environment, command_of(due), unknown)).on(&environment.name));
        }
        let request = turn(&environment, due.wanted.clone(), due.because.clone(), before);
        // Lowering never waits for people, whoever wrote it.
        let typed_by = match request.kind {
            RunKind::Down => None,
            _ => self.typed_by(tx, &environment, due).await?.map(Box::new),
        };
        let request = RunRequest { typed_by, ..request };
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
        if !due.by_chat {
            return Ok(None);
        }
        let stored = schedules::all(&mut *tx, Some(&environment.name)).await?;
        let now = crate::ledger::now(&mut *tx).await?;
        let config = self.desk.config();
        let diary = self.desk.diaries.one(&mut *tx, &config, environment, now).await?;
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
        Ok(stored.iter().find(|one| Some(&one.written.name) == first.as_ref()).and_then(Stored::typed_by))
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
