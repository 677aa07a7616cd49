//! What came of a transition: its run is looked at, and what failed or was refused is tried again until the next transition.

use std::collections::BTreeSet;

use super::together::{Holds, Standing};
use super::{Due, FIRST_WAIT_MS, LATE_MS, TOGETHER, Turned, granted, message, note_not_done, when_due};
use crate::desk::holds::BOOKER;
use crate::desk::{Case, Denied, Desk, DeskError, Done};
use crate::domain::answer::RunSummary;
use crate::domain::audit::GIVE_UP;
use crate::domain::command::CommandName;
use crate::domain::ids::{ActorId, RunNumber, Timestamp};
use crate::domain::run;
use crate::domain::schedule::{ClockNews, PUT_OFF};
use crate::ledger::firings::{self, Firing, Outcome};
use crate::ledger::{Tx, bends, holds, runs};
use crate::warden;

/// Longest that is waited with what was refused, in milliseconds: what stands against it may be gone at any time.
const REFUSED_WAIT_MS: i64 = 15 * 60_000;
/// Longest that is waited with a run that failed, in milliseconds.
const FAILED_WAIT_MS: i64 = 3_600_000;

/// How it is with a transition that was due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stands {
    /// It is still what is wanted.
    pub still: bool,
    /// The environment's schedules are paused: nothing is tried.
    pub paused: bool,
    /// Until when it is tried; `None`: that is not known before a pause ends.
    pub until: Option<Timestamp>,
    /// Who hears of it beside the environment's channel or owners.
    pub tell: Vec<ActorId>,
    /// What of the environment cannot be read.
    pub unread: Option<String>,
    /// Who asked for what is wanted instead, by their name then.
    pub by: Option<String>,
}

/// What is to be done about a transition now.
enum Next {
    /// Its run works; or it is not time yet: it is looked at then.
    Waits(Timestamp),
    /// It is looked at when the schedules are not paused any more.
    Paused,
    /// It is where it should be, or somebody took it as it is.
    Done,
    /// A later run, of whoever, goes its own way.
    Overtaken,
    /// Something else is wanted by now.
    Over,
    /// It is tried again.
    Tries,
}

impl Desk {
    /// Looks again at a transition: at the end of its run, or whether what stood against it is gone.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn turn_again(&self, firing: &Firing, stands: Stands, now: Timestamp) -> Result<Turned, DeskError> {
        let run = match firing.run {
            Some(run) => Some(self.find(run).await?),
            None => None,
        };
        let mut after = Firing { tries: firing.tries + 1, try_at: None, ..firing.clone() };
        let mut due = Due { unread: stands.unread.clone(), ..due_of(firing, stands.tell.clone()) };
        if let Some(first) = run.as_ref().and_then(|run| run.request.because.clone()) {
            due.because = first;
        } else if let Some((number, ended)) = bend_of(&due.because) {
            due.because = self.words_of_bend(number, ended).await?;
        }
        let mut tx = self.store.begin().await?;
        let turned = match self.next_try(&mut tx, firing, run.as_ref(), &stands, now).await? {
            Next::Paused => return Ok(Turned::Nothing),
            Next::Waits(at) => {
                after.tries = firing.tries;
                after.try_at = Some(at);
                Turned::Nothing
            }
            Next::Done => {
                after.outcome = Outcome::Done;
                Turned::Nothing
            }
            Next::Overtaken => {
                after.outcome = if run.is_some() { Outcome::Failed } else { Outcome::Missed };
                Turned::Nothing
            }
            Next::Over => {
                after.outcome = if run.is_some() { Outcome::Failed } else { Outcome::Missed };
                let said = ClockNews::GivenUp {
                    turn: self.turn_of(&due),
                    tries: firing.tries,
                    run: firing.run,
                    by: stands.by,
                };
                warden::of_clock(&mut tx, &self.config(), &due.environment, said, &due.tell).await?;
                note_not_done(&mut tx, GIVE_UP, &after, &due.because).await?;
                Turned::Missed
            }
            Next::Tries => {
                let before = Standing::of(&mut tx, &due.environment).await.ok().and_then(|standing| standing.wanted);
                let message = message(&due, self.way(&due, before.as_ref()), (firing.key.as_str(), after.tries));
                let case = Case::of(self, &message, Some(due.because.clone()));
                match case.turn_again(&mut tx, &due, run.as_ref()).await {
                    Ok(None) => {
                        after.outcome = Outcome::Done;
                        Turned::Nothing
                    }
                    Ok(Some((command, mut done))) => {
                        granted(&due, &mut done);
                        case.note(&mut tx, command, &done).await?;
                        after.outcome = Outcome::Queued;
                        after.run = done.run;
                        let by_ms = now.ms_since(firing.due);
                        // A run that failed has told so itself.
                        if let (None, Some(run)) = (firing.run, done.run)
                            && by_ms >= LATE_MS
                        {
                            let stood_against = firing.why.as_deref().map(|why| self.clean(why));
                            let turn = self.turn_of(&due);
                            let held_back = self.held_back(&mut tx, &due, (before.as_ref(), now)).await?;
                            let said = ClockNews::Late { turn, by_ms, collapsed: 0, run, stood_against, held_back };
                            warden::of_clock(&mut tx, &self.config(), &due.environment, said, &due.tell).await?;
                        }
                        after.try_at = Some(now.plus_ms(FIRST_WAIT_MS));
                        done.run.map_or(Turned::Nothing, Turned::Queued)
                    }
                    Err(Denied::Refused { environment, rule, refusal }) => {
                        tx.rollback().await?;
                        // The audit has the first refusal, and each that says something else.
                        if firing.why.as_ref() != Some(&refusal.what) {
                            let way = self.way(&due, before.as_ref());
                            let command = run.as_ref().map_or(way, |_| CommandName::Retry);
                            self.note_once(&case, command, environment.as_ref(), rule, &refusal).await?;
                        }
                        tx = self.store.begin().await?;
                        if rule == BOOKER {
                            self.void_booking(&mut tx, &due.environment, &due.wanted, due.at).await?;
                        }
                        after.outcome = Outcome::Refused;
                        after.why = Some(refusal.what.clone());
                        after.try_at = Some(when_due(now, wait_ms(firing.tries, REFUSED_WAIT_MS), firing));
                        Turned::Refused(*refusal)
                    }
                    Err(Denied::Error(error)) => return Err(error),
                }
            }
        };
        if !firings::change(&mut tx, firing, &after).await? {
            tx.rollback().await?;
            return Ok(Turned::Already);
        }
        tx.commit().await?;
        self.bell.ring();
        Ok(turned)
    }

    /// Notes which transitions are over, since their runs ended as they should: many together, as each transaction has its price. The
    /// others are for [`Desk::turn_again`]. Gives the runs of those that are over.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn close_done(&self, open: &[Firing], now: Timestamp) -> Result<BTreeSet<RunNumber>, DeskError> {
        let mut over = BTreeSet::new();
        let due = |firing: &Firing| firing.try_at.is_none_or(|at| at <= now);
        let with_run: Vec<(&Firing, RunNumber)> =
            open.iter().filter(|firing| due(firing)).filter_map(|firing| Some((firing, firing.run?))).collect();
        for some in with_run.chunks(TOGETHER) {
            let numbers: Vec<RunNumber> = some.iter().map(|(_, run)| *run).collect();
            // One that cannot be read is looked at by itself, and told there.
            let ended: BTreeSet<RunNumber> = runs::by_numbers(&self.store, &numbers)
                .await?
                .into_iter()
                .filter(|run| run.state.ended() && is_well(run))
                .map(|run| run.number)
                .collect();
            if ended.is_empty() {
                continue;
            }
            let mut tx = self.store.begin().await?;
            for (firing, _) in some.iter().filter(|(_, run)| ended.contains(run)) {
                let after =
                    Firing { tries: firing.tries + 1, try_at: None, outcome: Outcome::Done, ..(*firing).clone() };
                // Where another process was faster, it has noted the same.
                firings::change(&mut tx, firing, &after).await?;
            }
            tx.commit().await?;
            over.extend(ended);
        }
        if !over.is_empty() {
            self.bell.ring();
        }
        Ok(over)
    }

    async fn next_try(
        &self,
        tx: &mut Tx,
        firing: &Firing,
        run: Option<&RunSummary>,
        stands: &Stands,
        now: Timestamp,
    ) -> Result<Next, DeskError> {
        match run {
            Some(run) if !run.state.ended() => return Ok(Next::Waits(now.plus_ms(FIRST_WAIT_MS))),
            Some(run) if is_well(run) => return Ok(Next::Done),
            Some(_) | None => {}
        }
        if self.is_overtaken(tx, firing).await? {
            return Ok(Next::Overtaken);
        }
        if stands.paused && stands.still {
            return Ok(Next::Paused);
        }
        if !stands.still || stands.until.is_some_and(|until| now > until) {
            return Ok(Next::Over);
        }
        let ended = run.and_then(|run| run.ended);
        let from = ended.map(|ended| when_due(ended, wait_ms(firing.tries, FAILED_WAIT_MS), firing));
        Ok(from.filter(|from| *from > now).map_or(Next::Tries, Next::Waits))
    }

    /// Whether it is under way still, or tried again.
    pub(super) async fn tries_on(&self, tx: &mut Tx, firing: &Firing) -> Result<bool, DeskError> {
        if firing.try_at.is_none() || self.is_overtaken(&mut *tx, firing).await? {
            return Ok(false);
        }
        let Some(run) = firing.run else { return Ok(true) };
        Ok(runs::by_number(tx, run).await?.is_some_and(|run| !run.state.ended() || !is_well(&run)))
    }

    /// Whether its run was stopped by somebody, and nobody has asked for anything since.
    pub(super) async fn was_taken_back(&self, tx: &mut Tx, firing: &Firing) -> Result<bool, DeskError> {
        let Some(run) = firing.run else { return Ok(false) };
        let run = runs::by_number(&mut *tx, run).await?;
        let outcome = run.and_then(|run| run.state.outcome());
        let stopped = matches!(outcome, Some(run::Outcome::Cancelled | run::Outcome::Expired));
        Ok(stopped && !self.is_overtaken(tx, firing).await?)
    }

    /// Whether a later run than the one that it caused goes its own way with the environment.
    pub(super) async fn is_overtaken(&self, tx: &mut Tx, firing: &Firing) -> Result<bool, DeskError> {
        let Some(run) = firing.run else { return Ok(false) };
        Ok(runs::newest(tx, &firing.environment).await?.is_some_and(|newest| newest > run))
    }
}

impl Case<'_> {
    async fn turn_again(
        &self,
        tx: &mut Tx,
        due: &Due,
        failed: Option<&RunSummary>,
    ) -> Result<Option<(CommandName, Done)>, Denied> {
        if let (Some(run), None) = (failed, &due.unread) {
            return Ok(Some((CommandName::Retry, self.retry(tx, run.number).await?)));
        }
        let stands = Standing::of(tx, &due.environment).await;
        let holds = Holds::read(tx).await?;
        let Some(ordered) = self.turn(tx, due, stands, &holds).await? else { return Ok(None) };
        let run = runs::insert(tx, self.run_of(&ordered, holds.at)).await?;
        let command = ordered.command;
        Ok(Some((command, self.done(tx, ordered, run).await?)))
    }
}

/// Milliseconds until the next try: a minute after the first one, twice as long after each further one, up to `longest`.
fn wait_ms(tries: i64, longest: i64) -> i64 {
    FIRST_WAIT_MS.saturating_mul(1 << (tries - 1).clamp(0, 20)).min(longest)
}

/// The transition that was due then.
fn due_of(firing: &Firing, tell: Vec<ActorId>) -> Due {
    Due {
        environment: firing.environment.clone(),
        key: firing.key.clone(),
        at: firing.due,
        until: firing.until,
        window: firing.until,
        wanted: firing.wanted.clone(),
        rests: false,
        because: firing.key.split('@').next().unwrap_or_default().to_owned(),
        collapsed: 0,
        left_out: Vec::new(),
        tell,
        held_back: None,
        by_chat: true,
        asked: None,
        unread: None,
    }
}

/// The bend that the key of a firing names, and whether its end was what was due: `bend 17 ends`.
fn bend_of(words: &str) -> Option<(i64, bool)> {
    let number = words.strip_prefix("bend ")?;
    let (number, ended) = number.strip_suffix(" ends").map_or((number, false), |number| (number, true));
    Some((number.parse().ok()?, ended))
}

impl Desk {
    /// Whose wish it is, or was, in words.
    async fn words_of_bend(&self, number: i64, ended: bool) -> Result<String, DeskError> {
        // A change is known by its run, with the sign turned; the others have numbers of one count.
        let whose = if number < 0 {
            let run = runs::by_number(&self.store, RunNumber(-number)).await?;
            run.map(|run| ("change", run.asker.name))
        } else if let Some(bent) = bends::one(&self.store, number).await? {
            let Some(what) = bent.bend.word() else { return Ok(PUT_OFF.to_owned()) };
            Some((what, bent.called))
        } else {
            holds::one(&self.store, number).await?.map(|hold| (hold.kind.as_str(), hold.called))
        };
        Ok(match (whose, ended) {
            (Some((what, who)), false) => format!("the {what} of {who}"),
            (Some((what, who)), true) => format!("the {what} of {who} has ended"),
            (None, false) => "somebody wants it".to_owned(),
            (None, true) => "what somebody wanted has ended".to_owned(),
        })
    }
}

fn is_well(run: &RunSummary) -> bool {
    // What a person stopped, rejected, let expire or took as it is is not done against them.
    run.taken_by.is_some()
        || match run.state.outcome() {
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
