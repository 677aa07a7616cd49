//! What happens by itself to environments that were made for one test: they are there, their end is told ahead, it comes, nothing of
//! them is left. Whichever process looks, each step is made once.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use super::{Case, Denied, Desk, DeskError, Message};
use crate::at_work::Asker;
use crate::domain::access;
use crate::domain::answer::{Actor, RunSummary};
use crate::domain::audit::{DUE, GONE};
use crate::domain::command::{CommandName, Order};
use crate::domain::failure::Failure;
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};
use crate::domain::made::{AtWork, BUSY, BUSY_AGAIN_MS, EndRun, LifeNews, Made, MadeOrder, Seen, Stage, Step};
use crate::domain::policy::Place;
use crate::domain::request::{AskedAs, RunRequest, TypedBy};
use crate::domain::run::{Outcome, RunEvent, RunView, StackState};
use crate::ledger::audit::{Entry, append};
use crate::ledger::{LedgerError, Store, Tx, made, runs};
use crate::warden;

/// The door through which the clock comes.
const DOOR: &str = "clock";

/// Until what was refused is tried again, in milliseconds.
const REFUSED_MS: i64 = 60_000;

/// Most steps of one in a row: each of them is stored.
const STEPS_MAX: usize = 8;

impl Desk {
    /// Brings the life of each one as far as it goes now.
    ///
    /// # Errors
    /// When the ledger does not answer: what was not done then is done the next time.
    pub async fn advance_lives(&self) -> Result<(), DeskError> {
        let all = made::existing(&self.store).await?.all;
        let asked = self.tests_under(&all).await?;
        for made in all {
            if let Err(error) = self.advance_life(made.id, &asked).await {
                // One that cannot be read keeps no other from ending.
                tracing::error!(environment = %made.name, %error, "the life of an environment does not go on");
            }
        }
        for made in made::untold(&self.store).await? {
            self.tell_gone(&made).await?;
        }
        Ok(())
    }

    /// The tests that run in those whose time is over, asked side by side: one that gives no answer keeps no other from ending. By the
    /// numbers of those that were asked.
    async fn tests_under(&self, all: &[Made]) -> Result<BTreeMap<i64, Option<AtWork>>, DeskError> {
        let now = self.store.now().await?;
        let config = self.config();
        let mut asking = JoinSet::new();
        let mut asked = BTreeMap::new();
        for made in all.iter().filter(|made| made.is_due(now)) {
            match config.environment_in(&made.name, Some(made), true) {
                Some(environment) if environment.stacks.values().any(|stack| !stack.busy.is_empty()) => {
                    let (desk, made) = (self.clone(), made.clone());
                    asking.spawn(async move {
                        (made.id, desk.asker().test_in(&desk.config(), &made, &environment, now).await)
                    });
                }
                Some(_) | None => drop(asked.insert(made.id, None)),
            }
        }
        while let Some(answer) = asking.join_next().await {
            // One that was not asked is asked at the next look.
            match answer {
                Ok((id, Ok(at_work))) => drop(asked.insert(id, at_work)),
                Ok((id, Err(error))) => tracing::error!(id, %error, "whether a test runs is asked again"),
                Err(error) => tracing::error!(%error, "whether a test runs is asked again"),
            }
        }
        Ok(asked)
    }

    /// The test that runs in what somebody wants to end, before anything is decided: it may take a while to be told. Whoever may not end it
    /// has nothing asked for them.
    pub(super) async fn test_under(&self, message: &Message, order: &Order) -> Result<Option<AtWork>, DeskError> {
        let Order::Made(MadeOrder::End { name, anyway: false }) = order else { return Ok(None) };
        // What is wrong with its row is told when it is decided on.
        let Some(made) = made::by_name(&self.store, name).await.unwrap_or_default() else { return Ok(None) };
        let config = self.config();
        let Some(environment) = config.environment_in(name, Some(&made), true) else { return Ok(None) };
        let may = access::may(&config.access, &message.actor, &message.place, CommandName::End, Some(&environment));
        if may.is_err() || matches!(made.stage, Stage::Ending | Stage::Gone) {
            return Ok(None);
        }
        Ok(self.asker().test_in(&config, &made, &environment, self.store.now().await?).await?)
    }

    fn asker(&self) -> Asker<'_> {
        Asker { store: &self.store, secrets: &self.secrets }
    }

    async fn advance_life(&self, id: i64, asked: &BTreeMap<i64, Option<AtWork>>) -> Result<(), DeskError> {
        for _ in 0..STEPS_MAX {
            let now = self.store.now().await?;
            let Some(made) = made::one(&self.store, id).await? else { return Ok(()) };
            if made.stage == Stage::Gone {
                return Ok(());
            }
            let active = runs::active(&self.store, &made.name).await?;
            // One that found nothing to do has raised it, too.
            let first = runs::by_number(&self.store, made.run).await?;
            let last = runs::last_change(&self.store, &made.name).await?;
            let succeeded = first.into_iter().chain(last).any(|run| {
                run.number >= made.run && matches!(run.state.outcome(), Some(Outcome::Succeeded | Outcome::NothingToDo))
            });
            let end = match made.end_run {
                Some(run) => runs::by_number(&self.store, run).await?,
                None => None,
            };
            let stopped = match &end {
                Some(end) if end.state.outcome() == Some(Outcome::Cancelled) => {
                    runs::view(&self.store, end.id).await?.and_then(|view| view.stopped_by)
                }
                Some(_) | None => None,
            };
            let refused = match &end {
                Some(end) if end.state.outcome() == Some(Outcome::Refused) => rule_of(&self.store, end).await?,
                Some(_) | None => None,
            };
            let seen = Seen {
                active: &active,
                succeeded,
                end: end.as_ref().map(|run| EndRun {
                    state: &run.state,
                    began: run.began,
                    broken_off: stopped.is_some_and(|stop| !stop.rejected && stop.by == ActorId::tidegate()),
                    busy: refused.as_deref() == Some(BUSY),
                }),
            };
            let done = match (made.next(&seen, now), asked.get(&id)) {
                // What became due a moment ago has not been asked yet.
                (Step::Wait, _) | (Step::Due, None) => return Ok(()),
                (Step::Due, Some(Some(at_work))) => self.wait_for_test(&made, at_work, now).await?,
                (step, _) => self.take_life_step(&made, step, end.as_ref(), now).await?,
            };
            // Somebody else was faster: what comes of that is looked at the next time.
            if !done {
                return Ok(());
            }
            self.bell.ring();
        }
        Ok(())
    }

    async fn take_life_step(
        &self,
        made: &Made,
        step: Step,
        end: Option<&RunSummary>,
        now: Timestamp,
    ) -> Result<bool, DeskError> {
        let mut tx = self.store.begin().await?;
        let done = match step {
            Step::Wait => false,
            Step::Resume => made::resume(&mut tx, made).await?,
            Step::Lives | Step::Back => made::step(&mut tx, made, Stage::Living, None).await?,
            Step::Warn(times) => {
                let first = made::warn(&mut tx, made, times).await?;
                if first {
                    let said = LifeNews::Ahead { ends: made.ends, latest: made.latest };
                    warden::of_life(&mut tx, &self.config(), made, said).await?;
                }
                first
            }
            Step::Due => {
                let first = made::step(&mut tx, made, Stage::Ending, None).await?;
                if first {
                    note(&mut tx, made, DUE, serde_json::json!({ "made": made.id, "ends": made.ends })).await?;
                    if made.is_late(now) {
                        let said = LifeNews::Late { ends: made.ends, waited: made.told.clone() };
                        warden::of_life(&mut tx, &self.config(), made, said).await?;
                    }
                }
                first
            }
            Step::Cancel(number) => {
                drop(tx);
                return self.cancel_for_end(made, number).await;
            }
            Step::Destroy => {
                drop(tx);
                return self.destroy_by_clock(made, now).await;
            }
            Step::Again => {
                let at = Made::again(made.tries, now);
                let left = match end {
                    Some(run) => runs::view(&mut tx, run.id).await?.map(|view| left_of(&view)),
                    None => None,
                };
                let (left, why, next) = left.unwrap_or((None, "its run cannot be read".to_owned(), Vec::new()));
                let key = format!("{left:?} {why}");
                self.in_the_way(&mut tx, made, at, left, (why, key, next)).await?
            }
        };
        tx.commit().await?;
        Ok(done)
    }

    /// Its time is over and a test runs: that is told once, however often it is asked, and asked again a little later.
    async fn wait_for_test(&self, made: &Made, at_work: &AtWork, now: Timestamp) -> Result<bool, DeskError> {
        let mut tx = self.store.begin().await?;
        let first = made::waits(&mut tx, made, now.plus_ms(BUSY_AGAIN_MS), &at_work.said).await?;
        if first && made.told.is_none() {
            let said = LifeNews::Busy { at_work: at_work.clone(), ends: made.ends, latest: made.latest };
            warden::of_life(&mut tx, &self.config(), made, said).await?;
        }
        tx.commit().await?;
        Ok(first)
    }

    /// Notes what stands in the way, and tells it where `key` was not what stood there before.
    async fn in_the_way(
        &self,
        tx: &mut Tx,
        made: &Made,
        again: Timestamp,
        left: Option<Vec<String>>,
        (why, key, next): (String, String, Vec<String>),
    ) -> Result<bool, LedgerError> {
        let (why, told) = (self.clean(&why), self.clean(&key));
        let first = made::again(tx, made, again, &told).await?;
        if first && made.told.as_ref() != Some(&told) {
            let said = LifeNews::Deleting { left, why, run: made.end_run, again, next };
            warden::of_life(tx, &self.config(), made, said).await?;
        }
        Ok(first)
    }

    /// What the clock would type.
    fn message_of_end(made: &Made) -> Message {
        Message {
            key: format!("{DOOR}:end:{}", made.id),
            actor: Actor::person(ActorId::clock(), "the clock"),
            place: Place { door: DOOR, channel: None, direct: false },
            typed: format!("end {}", made.name),
        }
    }

    /// Takes back a run that has changed nothing yet: its environment ends.
    async fn cancel_for_end(&self, made: &Made, number: RunNumber) -> Result<bool, DeskError> {
        let message = Self::message_of_end(made);
        let case = Case {
            desk: self,
            message: &message,
            because: Some(format!("{} ends", made.name)),
            anyway: false,
            at_work: None,
            unread: None,
        };
        let mut tx = self.store.begin().await?;
        let Some(run) = runs::by_number(&mut tx, number).await? else { return Ok(false) };
        let event = RunEvent::StopAsked { by: ActorId::tidegate(), force: false, because: case.because.clone() };
        match case.store(&mut tx, &run, &event).await {
            Ok(run) => {
                crate::witness::note(&mut tx, &run, std::slice::from_ref(&event), &run.state).await?;
                tx.commit().await?;
                Ok(true)
            }
            // It has begun meanwhile, or is over.
            Err(Denied::Refused { .. }) => {
                tx.rollback().await?;
                Ok(false)
            }
            Err(Denied::Error(error)) => Err(error),
        }
    }

    /// Puts the run into the queue that destroys it, by the same checks as a person's; what stands against it is waited for.
    async fn destroy_by_clock(&self, made: &Made, now: Timestamp) -> Result<bool, DeskError> {
        let message = Self::message_of_end(made);
        let because = if made.ended_by.is_some() { "it was ended" } else { "its time is over" };
        let case = Case::of(self, &message, Some(because.to_owned()));
        let mut tx = self.store.begin().await?;
        let order = Order::Destroy { environment: made.name.clone() };
        // Each try is one process's.
        if !made::take_try(&mut tx, made).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        // What its definition names may not be there any more: its end needs little of it.
        let aside = self.environment(&made.name).filter(|_| !self.manages(&made.name));
        let allowed = match aside {
            Some(environment) => Ok(environment),
            None => case.allowed(&mut tx, order.name(), &made.name).await,
        };
        let begun = match allowed {
            Ok(environment) => {
                let whose = wanted_by(&mut tx, made, now).await?;
                Box::pin(case.begin_end(&mut tx, &environment, made, None, whose)).await
            }
            Err(denied) => Err(denied),
        };
        let refusal = match begun {
            Ok(done) => {
                case.note(&mut tx, order.name(), &done).await?;
                tx.commit().await?;
                return Ok(true);
            }
            Err(Denied::Refused { refusal, .. }) => refusal,
            Err(Denied::Error(error)) => return Err(error),
        };
        tx.rollback().await?;
        let mut tx = self.store.begin().await?;
        let why = format!("{}: {}", refusal.what, refusal.why);
        // Why tells how long it still is, which is another time each time.
        let noted =
            self.in_the_way(&mut tx, made, now.plus_ms(REFUSED_MS), None, (why, refusal.what, refusal.hints)).await?;
        tx.commit().await?;
        Ok(noted)
    }

    /// Tells that nothing is left, once.
    async fn tell_gone(&self, made: &Made) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        if made::gone_told(&mut tx, made.id).await? {
            let lived_ms = made.gone.unwrap_or(made.ends).ms_since(made.made);
            let said = LifeNews::Deleted { lived_ms, kept: made.keep.clone(), run: made.end_run };
            warden::of_life(&mut tx, &self.config(), made, said).await?;
            note(&mut tx, made, GONE, serde_json::json!({ "made": made.id, "range": made.range })).await?;
            tx.commit().await?;
            self.bell.ring();
        }
        Ok(())
    }
}

/// The rule by which a run was refused.
async fn rule_of(store: &Store, run: &RunSummary) -> Result<Option<String>, LedgerError> {
    let events = runs::events(store, run.id, 0).await?;
    Ok(events.into_iter().rev().find_map(|record| match record.event {
        RunEvent::Ended { rule, .. } => rule,
        _ => None,
    }))
}

/// Whoever wants one gone before its time: they answer for what the clock does for them. `None` once its time is over.
async fn wanted_by(tx: &mut Tx, made: &Made, now: Timestamp) -> Result<Option<TypedBy>, LedgerError> {
    let Some(by) = made.ended_by.as_ref().filter(|_| made.is_early(now)) else { return Ok(None) };
    // What they were in the chat as they said so stands with the run that was theirs.
    let last = match runs::newest(&mut *tx, &made.name).await? {
        Some(last) => runs::by_number(&mut *tx, last).await?,
        None => None,
    };
    Ok(Some(match last {
        Some(run) if run.asker.id == *by => {
            TypedBy { by: by.clone(), called: run.asker.name, asked_as: run.request.asked_as }
        }
        Some(RunSummary { request: RunRequest { typed_by: Some(typed_by), .. }, .. }) if typed_by.by == *by => {
            *typed_by
        }
        Some(_) | None => TypedBy { by: by.clone(), called: by.short().to_owned(), asked_as: AskedAs::default() },
    }))
}

/// Keeps in the audit what happened by itself.
async fn note(tx: &mut Tx, made: &Made, action: &str, detail: serde_json::Value) -> Result<(), LedgerError> {
    let tidegate = Actor::tidegate();
    let environment: Option<&EnvironmentName> = Some(&made.name);
    let entry =
        Entry { environment, run: made.end_run, detail: Some(&detail), ..Entry::of_tidegate(&tidegate, action) };
    append(tx, &entry).await.map(drop)
}

/// What a run that was to destroy everything left, as far as that is known, why, and what can be typed about that.
fn left_of(view: &RunView) -> (Option<Vec<String>>, String, Vec<String>) {
    let mut left = Vec::new();
    let mut known = true;
    for (name, stack) in &view.stacks {
        left.extend(stack.strays.iter().map(|stray| format!("{name}: {}", stray.arn)));
        match &stack.state {
            StackState::Verified => {}
            _ if stack.plan.is_some() => {
                left.extend(stack.not_done().iter().map(|change| format!("{name}: {}", change.address)));
            }
            _ => known = false,
        }
    }
    let failure = view.stacks.iter().find_map(|(name, stack)| match &stack.state {
        StackState::Failed(_, failure) => Some(words(name.as_str(), failure)),
        _ => None,
    });
    let why = failure.or_else(|| view.refusal.as_ref().map(|refusal| format!("{}: {}", refusal.what, refusal.why)));
    let why = why.unwrap_or_else(|| format!("its run ended {}", view.outcome().map_or("otherwise", Outcome::as_str)));
    let next = view.refusal.as_ref().map(|refusal| refusal.hints.clone()).unwrap_or_default();
    (Some(left).filter(|left| known && !left.is_empty()), why, next)
}

fn words(stack: &str, failure: &Failure) -> String {
    format!("{stack}: {}", failure.summary)
}
