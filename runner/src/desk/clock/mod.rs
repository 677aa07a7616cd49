//! What the clock brings to the desk: a transition that is due becomes a run, by the same checks as an order of a person, in the
//! transaction in which it is noted that it was decided on.

mod again;
mod case;
#[cfg(test)]
mod tests;
mod together;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono_tz::Tz;

pub use again::Stands;
use together::{Batch, Known, Noted, Order, Standing, decided_before, entry_of_not_done, not_done};
pub use told::{Warned, held_at};

use super::holds::BOOKER;
use super::{Case, Denied, Desk, DeskError, Done, Message, TRIES};
use crate::domain::answer::Actor;
use crate::domain::command::CommandName;
use crate::domain::environment::Level;
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};
use crate::domain::policy::Place;
use crate::domain::refusal::Refusal;
use crate::domain::request::{Target, turns_down};
use crate::domain::schedule::{ClockNews, HeldBack, Turn, in_words};
use crate::ledger::asked::{self, Asked, Step};
use crate::ledger::audit::{Entry, append};
use crate::ledger::firings::{self, Firing, Outcome};
use crate::ledger::{LedgerError, Tx, holds, runs};
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
    /// Nobody asks for it: it is where the environment rests after what somebody asked for.
    pub rests: bool,
    /// Why, in words: the schedule's name.
    pub because: String,
    /// How many transitions before it are not made, because it came after them.
    pub collapsed: u32,
    /// The newest of those, in order.
    pub left_out: Vec<Turn>,
    /// Who hears of it beside the environment's channel or owners.
    pub tell: Vec<ActorId>,
    /// Whose keep or pause held it back until it was due.
    pub held_back: Option<HeldBack>,
    /// Some of its schedules were added by chat.
    pub by_chat: bool,
    /// What was asked for until then, with the digests of what is written now: whoever notes the step from there decides. `None`: it
    /// begins early, before it is asked for.
    pub asked: Option<(Asked, Arc<str>)>,
    /// What the ledger has about the environment and nobody can read: nothing is begun until somebody has looked.
    pub unread: Option<String>,
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

impl Desk {
    /// Carries out transitions, each once, however many processes and starts see them. `now` is the clock's. Gives what came of each.
    /// What is refused, or cannot be read, of one environment is that environment's alone.
    ///
    /// # Errors
    /// When the ledger does not answer: what was not decided then is decided when it is brought again.
    pub async fn turn(&self, due: &[Due], now: Timestamp) -> Result<Vec<Turned>, DeskError> {
        let mut all = Vec::with_capacity(due.len());
        for some in apart(due) {
            let turned = match Box::pin(self.turn_in_time(some, now)).await {
                Err(DeskError::Ledger(why)) if why.is_of_a_row() => self.turn_each(some, now).await?,
                turned => turned?,
            };
            if turned.iter().any(|turned| *turned != Turned::Already) {
                self.bell.ring();
            }
            all.extend(turned);
        }
        Ok(all)
    }

    /// Each by itself, since some row about one of them cannot be read: that one is refused.
    async fn turn_each(&self, due: &[Due], now: Timestamp) -> Result<Vec<Turned>, DeskError> {
        let mut all = Vec::with_capacity(due.len());
        for one in due {
            let mut turned = Box::pin(self.turn_in_time(std::slice::from_ref(one), now)).await;
            if let Err(DeskError::Ledger(why)) = &turned
                && why.is_of_a_row()
            {
                let held = Due { unread: Some(why.to_string()), ..one.clone() };
                turned = Box::pin(self.turn_in_time(&[held], now)).await;
            }
            match turned {
                Ok(turned) => all.extend(turned),
                Err(DeskError::Ledger(why)) if why.is_of_a_row() => {
                    tracing::error!(environment = %one.environment, key = one.key, %why, "a transition cannot be made");
                    all.push(Turned::Already);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// Together, and once more where somebody else was faster: that has changed what is to be decided.
    async fn turn_in_time(&self, due: &[Due], now: Timestamp) -> Result<Vec<Turned>, DeskError> {
        for _ in 1..TRIES {
            match Box::pin(self.turn_together(due, now)).await {
                Err(DeskError::Repeated) => {
                    tracing::debug!("transitions were decided on in the same moment; looking again");
                }
                Err(DeskError::Ledger(error)) if error.lost_race() => {
                    tracing::debug!(%error, "transitions met another change; trying again");
                }
                done => return done,
            }
        }
        Box::pin(self.turn_together(due, now)).await
    }

    /// In one transaction: first the decision on each, in the order of their environments' names; then what comes of them, in their own
    /// order; the audit last.
    async fn turn_together(&self, due: &[Due], now: Timestamp) -> Result<Vec<Turned>, DeskError> {
        let mut tx = self.store.begin().await?;
        let before = decided_before(&mut tx, due).await?;
        let mut by_name: Vec<(usize, &Due)> = due.iter().enumerate().collect();
        by_name.sort_by_key(|(_, due)| &due.environment);
        let mut decided = BTreeMap::new();
        for (at, due) in by_name {
            decided.insert(at, self.decide(&mut tx, due, &before).await?);
        }
        // Only now that nobody else decides on them.
        let mut known = Known::of(&mut tx, due).await?;
        let way = |due: &Due| self.way(due, known.wanted(&due.environment));
        let messages: Vec<Message> = due.iter().map(|due| message(due, way(due), (due.key.as_str(), 1))).collect();
        let mut batch = Batch::default();
        let mut turned = BTreeMap::new();
        for (at, ((due, message), firing)) in due.iter().zip(&messages).zip(decided.into_values()).enumerate() {
            let one = match firing {
                Some(firing) => self.turn_one(&mut tx, (at, due, message), firing, &mut known, &mut batch, now).await?,
                None => Some(Turned::Already),
            };
            turned.extend(one.map(|one| (at, one)));
        }
        Box::pin(self.queue_all(&mut tx, &mut batch, &mut turned, now)).await?;
        batch.store(&mut tx, now).await?;
        tx.commit().await?;
        Ok(turned.into_values().collect())
    }

    /// What comes of a transition; `None`: a run, which is stored with the others.
    async fn turn_one<'m>(
        &'m self,
        tx: &mut Tx,
        (at, due, message): (usize, &'m Due, &'m Message),
        mut firing: Firing,
        known: &mut Known,
        batch: &mut Batch<'m>,
        now: Timestamp,
    ) -> Result<Option<Turned>, DeskError> {
        let by_ms = now.ms_since(due.at);
        let command = self.way(due, known.wanted(&due.environment));
        let stands = known.standing(tx, &due.environment).await;
        if now > due.until {
            let is_there = match stands {
                Ok(stands) => stands.wanted.as_ref() == Some(&due.wanted),
                // Nobody knows: it is told.
                Err(why) if why.is_of_a_row() => false,
                Err(error) => return Err(error.into()),
            };
            firing.outcome = Outcome::Missed;
            if is_there {
                self.tell_swallowed(tx, due).await?;
            } else {
                let held_back = self.held_back(tx, due, (known.wanted(&due.environment), due.at)).await?;
                let (turn, collapsed) = (self.turn_of(due), due.collapsed);
                let said = ClockNews::Missed { turn, by_ms, collapsed, held_back };
                warden::of_clock(tx, &self.config(), &due.environment, said, &due.tell).await?;
                batch.noted.push((at, Noted::Missed { firing: firing.clone(), because: &due.because }));
            }
            batch.firings.push(firing);
            return Ok(Some(Turned::Missed));
        }
        let case = Case::of(self, message, Some(due.because.clone()));
        match case.turn(tx, due, stands, &known.holds).await {
            Ok(Some(ordered)) => {
                batch.ordered.push(Order { at, due, firing, case, ordered });
                Ok(None)
            }
            Ok(None) => {
                self.tell_swallowed(tx, due).await?;
                batch.firings.push(firing);
                batch.noted.push((at, Noted::Nothing(case, command, due.environment.clone())));
                Ok(Some(Turned::Nothing))
            }
            Err(Denied::Refused { environment, rule, refusal }) => {
                self.refuse(tx, due, &mut firing, &refusal, now).await?;
                if rule == BOOKER {
                    self.void_booking(tx, &due.environment, &due.wanted, due.at).await?;
                }
                batch.firings.push(firing);
                let said = Refusal::refused(self.clean(&refusal.what), self.clean(&refusal.why));
                batch.noted.push((at, Noted::Refused { case, command, environment, rule, said }));
                Ok(Some(Turned::Refused(*refusal)))
            }
            Err(Denied::Error(error)) => Err(error),
        }
    }

    /// Tells what was due while nobody looked and came to nothing, where the environment is to be where it was: no run tells of it.
    async fn tell_swallowed(&self, tx: &mut Tx, due: &Due) -> Result<(), LedgerError> {
        if due.left_out.is_empty() {
            return Ok(());
        }
        let (turn, left_out, count) = (self.turn_of(due), due.left_out.clone(), due.collapsed);
        let said = ClockNews::Swallowed { turn, left_out, count };
        warden::of_clock(tx, &self.config(), &due.environment, said, &due.tell).await
    }

    /// Stores the runs of a batch, all of them at once.
    async fn queue_all(
        &self,
        tx: &mut Tx,
        batch: &mut Batch<'_>,
        turned: &mut BTreeMap<usize, Turned>,
        now: Timestamp,
    ) -> Result<(), DeskError> {
        let accepted = crate::ledger::now(&mut *tx).await?;
        let orders = std::mem::take(&mut batch.ordered);
        let new = orders.iter().map(|order| order.case.run_of(&order.ordered, accepted)).collect();
        let runs = runs::insert_all(tx, new).await?;
        for (Order { at, due, mut firing, case, ordered }, run) in orders.into_iter().zip(runs) {
            let (command, number, before) = (ordered.command, run.number, run.request.before.clone());
            let mut done = case.done(tx, ordered, run).await?;
            granted(due, &mut done);
            batch.noted.push((at, Noted::Done(case, command, Box::new(done))));
            firing.outcome = Outcome::Queued;
            firing.run = Some(number);
            // Its end is looked at.
            firing.try_at = Some(now.plus_ms(FIRST_WAIT_MS));
            batch.firings.push(firing);
            turned.insert(at, Turned::Queued(number));
            let by_ms = now.ms_since(due.at);
            if by_ms >= LATE_MS {
                let (turn, collapsed) = (self.turn_of(due), due.collapsed);
                let held_back = self.held_back(tx, due, (before.as_ref(), due.at)).await?;
                let said = ClockNews::Late { turn, by_ms, collapsed, run: number, stood_against: None, held_back };
                warden::of_clock(tx, &self.config(), &due.environment, said, &due.tell).await?;
            }
        }
        Ok(())
    }

    /// Whose word held a transition back as it was due: a keep or a pause that ended with it, or a hold that stood against it and began at
    /// `began` at the latest; `before` is where the environment was to be.
    async fn held_back(
        &self,
        tx: &mut Tx,
        due: &Due,
        (before, began): (Option<&Target>, Timestamp),
    ) -> Result<Option<Box<HeldBack>>, LedgerError> {
        if let Some(held) = &due.held_back {
            return Ok(Some(Box::new(held.clone())));
        }
        let Some(environment) = self.environment(&due.environment) else { return Ok(None) };
        let mut holds = holds::of_late(&mut *tx, due.at).await?;
        holds.retain(|hold| hold.began <= began);
        let held = held_at(&holds, &environment, before, (due.at, &due.wanted));
        Ok(held.cloned().map(HeldBack::from).map(Box::new))
    }

    /// Takes the decision on a transition: `None` where somebody else has it, or had it.
    async fn decide(
        &self,
        tx: &mut Tx,
        due: &Due,
        decided: &BTreeSet<(String, String)>,
    ) -> Result<Option<Firing>, DeskError> {
        let before = if decided.contains(&(due.environment.to_string(), due.key.clone())) {
            match firings::one(&mut *tx, &due.environment, &due.key).await {
                Ok(before) => before.map(Some),
                Err(why) if why.is_of_a_row() => {
                    tracing::error!(environment = %due.environment, key = due.key, %why, "a transition was decided on before, and cannot be read");
                    Some(None)
                }
                Err(error) => return Err(error.into()),
            }
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
                let Some(before) = before else { return Ok(None) };
                match self.is_made(&mut *tx, due, &before).await {
                    Ok(true) => return Ok(None),
                    Ok(false) => {}
                    Err(DeskError::Ledger(why)) if why.is_of_a_row() && due.unread.is_some() => {}
                    Err(error) => return Err(error),
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

    /// Whether a transition that was decided on before needs nothing more.
    async fn is_made(&self, tx: &mut Tx, due: &Due, before: &Firing) -> Result<bool, DeskError> {
        Ok(self.tries_on(&mut *tx, before).await?
            || self.was_taken_back(&mut *tx, before).await?
            || Standing::of(tx, &due.environment).await?.wanted.as_ref() == Some(&due.wanted))
    }

    /// Notes when it is tried again, and tells that something stands against a transition.
    async fn refuse(
        &self,
        tx: &mut Tx,
        due: &Due,
        firing: &mut Firing,
        refusal: &Refusal,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        firing.outcome = Outcome::Refused;
        firing.why = Some(refusal.what.clone());
        firing.try_at = Some(when_due(now, FIRST_WAIT_MS, firing)).filter(|at| *at <= firing.until);
        let why = self.clean(&format!("{}: {}", refusal.what, refusal.why));
        let again = firing.try_at.map(|_| due.window);
        let said = ClockNews::Refused { turn: self.turn_of(due), why, again };
        warden::of_clock(tx, &self.config(), &due.environment, said, &due.tell).await
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

    /// The command that brings it there from where it is to be: the one that its run is told by.
    fn way(&self, due: &Due, before: Option<&Target>) -> CommandName {
        let config = self.config();
        match config.whose(&due.environment) {
            Some(environment) if turns_down(environment, before, &due.wanted) => CommandName::Down,
            Some(_) => CommandName::Up,
            None => command_of(due),
        }
    }

    /// The transition as the environment's clock shows it.
    fn turn_of(&self, due: &Due) -> Turn {
        let zone = self.config().environments.get(&due.environment).map_or(Tz::UTC, |found| found.timetable.zone);
        Turn::new(due.at, zone, due.wanted.clone())
    }
}

/// Those that are stored together, in their order: of each environment one, since what comes of it changes how it stands.
fn apart(mut due: &[Due]) -> Vec<&[Due]> {
    let mut all = Vec::new();
    while !due.is_empty() {
        let mut seen = BTreeSet::new();
        let other = due.iter().position(|one| !seen.insert(&one.environment)).unwrap_or(due.len());
        let (some, rest) = due.split_at(other.min(TOGETHER));
        all.push(some);
        due = rest;
    }
    all
}

/// So many milliseconds after a moment; what was begun early is tried again when it is due at the latest.
fn when_due(from: Timestamp, wait_ms: i64, firing: &Firing) -> Timestamp {
    let at = from.plus_ms(wait_ms);
    if from < firing.due { at.min(firing.due) } else { at }
}

/// Keeps in the audit that a transition came to nothing. Comes last in its transaction: see [`append`].
async fn note_not_done(tx: &mut Tx, action: &str, firing: &Firing, because: &str) -> Result<(), DeskError> {
    let (detail, tidegate) = (not_done(firing), Actor::tidegate());
    let entry = entry_of_not_done(&tidegate, action, firing, because);
    append(tx, &Entry { detail: Some(&detail), ..entry }).await?;
    Ok(())
}

/// What a person would have typed: `tries` is which try under `key` it is.
fn message(due: &Due, command: CommandName, (key, tries): (&str, i64)) -> Message {
    let tries = if tries > 1 { format!(":{tries}") } else { String::new() };
    Message {
        key: format!("{DOOR}:{}:{key}{tries}", due.environment),
        actor: Actor::person(ActorId::clock(), "the clock"),
        place: Place { door: DOOR, channel: None, direct: false },
        typed: format!("{command} {} {}", due.environment, in_words(&due.wanted)),
    }
}

/// The command of a transition of which it is not known where it comes from.
fn command_of(due: &Due) -> CommandName {
    match due.wanted.level {
        Level::Off => CommandName::Down,
        Level::Profile(_) => CommandName::Up,
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
