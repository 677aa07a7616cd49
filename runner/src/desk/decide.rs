//! Which order does what; and the orders on a run: `cancel`, `retry`, `accept`, `approve`, `reject`, `recover`.

use chrono::{DateTime, SecondsFormat};

use super::order::{as_typed, nobody_knows, standing_after};
use super::visit::WAY_DOWN;
use super::{Case, Denied, Done};
use crate::domain::access;
use crate::domain::answer::{Answer, RunSummary};
use crate::domain::by_hand::ByHand;
use crate::domain::command::{CommandName, Order};
use crate::domain::environment::Environment;
use crate::domain::holds::{HoldAnswer, HoldNumber};
use crate::domain::ids::{ActorId, GroupName, RunNumber, StackName, Timestamp};
use crate::domain::refusal::Refusal;
use crate::domain::request::{RunRequest, TypedBy};
use crate::domain::run::{Outcome, RunEvent, RunState};
use crate::ledger::{LedgerError, Tx, runs, stacks};
use crate::standing;
use crate::warden::Lapsed;

impl Case<'_> {
    /// Decides on an order and carries it out in `tx`.
    pub(super) async fn decide(&self, tx: &mut Tx, order: &Order) -> Result<Done, Denied> {
        match order {
            Order::Up { environment, .. }
            | Order::Down { environment, .. }
            | Order::Scale { environment, .. }
            | Order::Plan { environment, .. }
            | Order::Drift { environment }
            | Order::Adopt { environment }
            | Order::Sweep { environment, .. }
            | Order::Terraform { environment, .. }
            | Order::Preflight { environment }
            | Order::Destroy { environment }
            | Order::Undo { environment } => {
                let found = self.allowed(tx, order.right(), environment).await?;
                let by_hand = if let Order::Terraform { by_hand, .. } = order { Some(by_hand.as_ref()) } else { None };
                self.may_by_hand(by_hand, &found).map_err(|denied| denied.on(environment))?;
                self.queue(tx, order, None, &found).await.map_err(|denied| denied.on(environment))
            }
            Order::For { change, until } => match change.as_ref() {
                Order::Up { environment, .. } | Order::Down { environment, .. } | Order::Scale { environment, .. } => {
                    let found = self.allowed(tx, change.name(), environment).await?;
                    // Its end lowers, and is theirs.
                    self.allowed(tx, CommandName::Down, environment).await?;
                    self.queue(tx, change, Some(*until), &found)
                        .await
                        .map_err(|denied| denied.on(environment).ending_at(*until))
                }
                other => {
                    let what = format!("`{}` cannot end by itself", other.name());
                    Err(Refusal::refused(what, "it changes no level and no size").hint("help up").into())
                }
            },
            Order::Cancel { run: Some(number), force } => self.cancel(tx, *number, *force).await,
            Order::Cancel { run: None, .. } => self.which_to_cancel(tx).await,
            Order::Retry { run } => self.retry(tx, *run).await,
            Order::Accept { run } => self.accept(tx, *run).await,
            Order::Approve { run, code, alone } => self.approve(tx, *run, code.as_deref(), *alone).await,
            Order::Reject { run } => self.reject(tx, *run).await,
            Order::Recover { run, unlock } => self.recover(tx, *run, *unlock).await,
            Order::Hold(order) => self.hold_order(tx, order).await,
            Order::Bend(order) => self.bend_order(tx, order).await,
            Order::Link(order) => self.link_order(tx, order).await,
            Order::Schedule(order) => self.schedule_order(tx, order).await,
            Order::Rollout(order) => self.rollout_order(tx, order).await,
            Order::Made(order) => self.made_order(tx, order).await,
            Order::Each { group, .. } => {
                let what = format!("@{group} is more than one environment");
                Err(Refusal::refused(what, "each is decided on by itself").hint(format!("status @{group}")).into())
            }
        }
    }

    /// Decides on each of several orders. What only ends something is done where there is something, and they may; anything else to all
    /// of them, or to none.
    pub(super) async fn decide_each(
        &self,
        tx: &mut Tx,
        group: &GroupName,
        orders: &[Order],
    ) -> Result<Vec<(CommandName, Done)>, Denied> {
        let (mut all, mut refused): (Vec<(CommandName, Done)>, _) = (Vec::new(), None);
        for order in orders {
            match Box::pin(self.decide(&mut *tx, order)).await {
                Ok(done) => all.push((order.name(), done)),
                Err(denied @ Denied::Refused { .. }) if order.name().is_lifted_where_it_stands() => {
                    refused.get_or_insert(denied);
                }
                Err(denied) if order.name() == CommandName::Book => {
                    let booked = all.iter().filter_map(|(_, done)| match &done.answer {
                        Answer::Hold(HoldAnswer::Began { hold, .. }) => Some(hold.number),
                        _ => None,
                    });
                    let own: Vec<HoldNumber> = booked.collect();
                    return Err(self.booked_together(tx, group, orders, &own, denied).await?);
                }
                Err(denied) => return Err(denied),
            }
        }
        match refused {
            Some(refused) if all.is_empty() => Err(refused),
            Some(_) | None => Ok(all),
        }
    }

    /// What is given Terraform by hand is an admin's also where it only looks, and has to be possible where the environment is to be.
    fn may_by_hand(&self, by_hand: Option<&ByHand>, environment: &Environment) -> Result<(), Denied> {
        let Some(by_hand) = by_hand else { return Ok(()) };
        let (actor, place) = (&self.message.actor, &self.message.place);
        access::may(&self.desk.config().access, actor, place, CommandName::Terraform, Some(environment))
            .map_err(|(rule, refusal)| Denied::from(refusal).by_rule(rule))?;
        if !environment.stacks.contains_key(&by_hand.stack) {
            let all: Vec<&str> = environment.stacks.keys().map(StackName::as_str).collect();
            let why = format!("its stacks are: {}", all.join(", "));
            let what = format!("{} has no stack {}", environment.name, by_hand.stack);
            return Err(Refusal::refused(what, why).hint(format!("status {}", environment.name)).into());
        }
        Ok(())
    }

    /// The run of that number, if this person may do this to it.
    pub(super) async fn run(&self, tx: &mut Tx, command: CommandName, number: RunNumber) -> Result<RunSummary, Denied> {
        let run = self.any_run(tx, number).await?;
        if command.only_ends() {
            self.allowed_to_end(tx, command, &run.request.environment).await?;
        } else {
            self.allowed(tx, command, &run.request.environment).await?;
        }
        Ok(run)
    }

    /// The run of that number, whoever asks.
    pub(super) async fn any_run(&self, tx: &mut Tx, number: RunNumber) -> Result<RunSummary, Denied> {
        let Some(run) = runs::by_number(&mut *tx, number).await? else {
            return Err(Denied::from(
                Refusal::refused(format!("there is no run {number}"), "nothing with that number was ever accepted")
                    .hint("history"),
            ));
        };
        Ok(run)
    }

    pub(super) async fn store(&self, tx: &mut Tx, run: &RunSummary, event: &RunEvent) -> Result<RunSummary, Denied> {
        let environment = self.desk.environment(&run.request.environment);
        let events = std::slice::from_ref(event);
        let appended =
            standing::store(tx, run, environment.as_ref(), events, None).await.map_err(super::DeskError::from)?;
        let ended = appended.state.ended().then_some(appended.at);
        Ok(RunSummary { state: appended.state, ended, ..run.clone() })
    }

    async fn cancel(&self, tx: &mut Tx, number: RunNumber, force: bool) -> Result<Done, Denied> {
        let run = self.run(tx, CommandName::Cancel, number).await?;
        if let RunState::Unknown { .. } = run.state {
            return Err(wrong_state(&run, "there is nothing left to stop in it, but nobody knows how it ended")
                .hint_for(&run, "recover"));
        }
        if run.state.ended() {
            return Err(wrong_state(&run, "it is over").hint_for(&run, "show"));
        }
        if force && run.state.stop().is_none() && matches!(run.state, RunState::Applying { .. }) {
            return Err(Denied::from(
                Refusal::refused(
                    format!("run {number} has not been asked to stop yet"),
                    "`force` kills Terraform: what it is making at that moment can exist in no state, and the state lock stays; \
                     ask first, and use `force` only if that does not end it",
                )
                .hint(format!("cancel {number}")),
            )
            .on(&run.request.environment));
        }
        let event = RunEvent::StopAsked { by: self.message.actor.id.clone(), force, because: self.because.clone() };
        let run = self.store(tx, &run, &event).await?;
        let answer = if run.state.ended() {
            Answer::Cancelled(run.clone())
        } else {
            Answer::Stopping { run: run.clone(), force }
        };
        Ok(after(&run, event, answer))
    }

    /// `cancel` without a number guesses nothing: it lists.
    async fn which_to_cancel(&self, tx: &mut Tx) -> Result<Done, Denied> {
        let mut active = runs::all_active(&mut *tx).await?;
        active.retain(|run| self.desk.may(self.message, CommandName::Cancel, &run.request.environment));
        let mut refusal = if active.is_empty() {
            Refusal::refused("there is nothing to cancel", "no run is queued, running or waiting").hint("history")
        } else {
            let list: Vec<String> = active
                .iter()
                .map(|run| {
                    format!(
                        "{} (`{} {}` of {})",
                        run.number,
                        run.request.kind.as_str(),
                        run.request.environment,
                        run.asker.called()
                    )
                })
                .collect();
            Refusal::refused("`cancel` needs a run", format!("these are not over: {}", list.join(", ")))
        };
        for run in active.iter().take(5) {
            refusal = refusal.hint(format!("cancel {}", run.number));
        }
        Err(Denied::from(refusal))
    }

    pub(super) async fn retry(&self, tx: &mut Tx, number: RunNumber) -> Result<Done, Denied> {
        let old = self.any_run(tx, number).await?;
        if old.request.clears {
            return Box::pin(self.end_again(tx, &old)).await.map_err(|denied| denied.on(&old.request.environment));
        }
        let old = self.run(tx, CommandName::Retry, number).await?;
        if !old.state.ended() {
            let command = if matches!(old.state, RunState::Unknown { .. }) { "recover" } else { "show" };
            return Err(wrong_state(&old, "it is not over").hint_for(&old, command));
        }
        if matches!(old.state.outcome(), Some(Outcome::Succeeded | Outcome::NothingToDo)) {
            return Err(wrong_state(&old, "there is nothing left of it to do").hint_for(&old, "show"));
        }
        let environment = self.allowed(tx, CommandName::Retry, &old.request.environment).await?;
        self.may_by_hand(old.request.by_hand.as_deref(), &environment)
            .map_err(|denied| denied.on(&environment.name))?;
        let active = runs::active(&mut *tx, &environment.name).await?;
        if let Some(unknown) = active.iter().find(|run| matches!(run.state, RunState::Unknown { .. })) {
            return Err(Denied::from(nobody_knows(&environment, CommandName::Retry, unknown)).on(&environment.name));
        }
        if let Some(newer) = newer_change(tx, &old, &active).await? {
            let why =
                format!("run {} of {} came after it; choose what you want now", newer.number, newer.asker.called());
            let refusal = not_the_last_word(&old, why).hint(as_typed(old.number, &old.request));
            return Err(Denied::from(refusal.hint(format!("show {}", newer.number))).on(&environment.name));
        }
        // What the first try began is wanted by now; `undo` goes back to before that.
        let before = match &old.request.before {
            Some(before) => Some(before.clone()),
            None => standing_after(tx, &environment.name, &active).await?,
        };
        let again = if old.began || runs::was_begun_before(&mut *tx, &old.request).await? {
            RunRequest { before, ..old.request.clone() }
        } else {
            // What was ahead of it then may not have come to pass.
            let now = standing_after(tx, &environment.name, &active).await?;
            old.request
                .counted_anew(&environment, now)
                .map_err(|refusal| Denied::from(refusal).on(&environment.name))?
        };
        let because = self.because.clone().or_else(|| old.request.because.clone());
        // What somebody asked for stays theirs to answer for when the clock does it again.
        let of_asker = self.message.actor.id == ActorId::clock() && old.asker.id != ActorId::clock();
        let typed_by = of_asker.then(|| {
            let (by, called, asked_as) = (old.asker.id.clone(), old.asker.name.clone(), old.request.asked_as.clone());
            Box::new(TypedBy { by, called, asked_as })
        });
        let typed_by = typed_by.or_else(|| again.typed_by.clone());
        let request = RunRequest { retry_of: Some(old.number), because, typed_by, ..again };
        self.enqueue(tx, &environment, request, &active).await
    }

    async fn accept(&self, tx: &mut Tx, number: RunNumber) -> Result<Done, Denied> {
        let run = self.run(tx, CommandName::Accept, number).await?;
        if !matches!(run.state.outcome(), Some(Outcome::Partial | Outcome::Failed | Outcome::Cancelled)) {
            return Err(wrong_state(&run, "only a partial, failed or cancelled run can be taken as it is")
                .hint_for(&run, "show"));
        }
        if run.request.clears {
            let why = "its environment is being deleted, which goes on until nothing of it is left";
            return Err(wrong_state(&run, why).hint_for(&run, "retry"));
        }
        if let Some((by, _)) = &run.taken_by {
            return Err(
                wrong_state(&run, &format!("{} has taken it as it is already", by.called())).hint_for(&run, "show")
            );
        }
        // One that only waits has changed nothing yet.
        let mut active = runs::active(&mut *tx, &run.request.environment).await?;
        active.retain(|other| has_begun(&other.state));
        if let Some(newer) = newer_change(tx, &run, &active).await? {
            let why = format!(
                "run {} of {} came after it, so what run {number} left is not what stands now",
                newer.number,
                newer.asker.called()
            );
            let refusal = not_the_last_word(&run, why).hint(format!("show {}", newer.number));
            return Err(Denied::from(refusal).on(&run.request.environment));
        }
        let because = self.because.as_deref();
        if !runs::take_as_is(tx, &run, &self.message.actor.id, because).await? {
            return Err(wrong_state(&run, "somebody was faster").hint_for(&run, "show"));
        }
        stacks::settle(tx, &run.request.environment, run.request.stacks.keys(), number).await?;
        let run = RunSummary { taken_by: Some((self.message.actor.id.clone(), self.because.clone())), ..run };
        Ok(done(&run, Answer::Taken(run.clone())))
    }

    async fn recover(&self, tx: &mut Tx, number: RunNumber, unlock: bool) -> Result<Done, Denied> {
        let run = self.run(tx, CommandName::Recover, number).await?;
        let RunState::Unknown { .. } = &run.state else {
            return Err(wrong_state(&run, "it is known what became of it").hint_for(&run, "show"));
        };
        let event = RunEvent::RecoverAsked { by: self.message.actor.id.clone(), unlock };
        let run = self.store(tx, &run, &event).await?;
        Ok(after(&run, event, Answer::Recovering(run.clone())))
    }
}

/// It may have changed something.
fn has_begun(state: &RunState) -> bool {
    match state {
        RunState::Applying { .. }
        | RunState::Verifying { .. }
        | RunState::Unknown { .. }
        | RunState::AwaitingApproval { applied: true, .. } => true,
        RunState::Queued { .. }
        | RunState::Planning { .. }
        | RunState::AwaitingApproval { applied: false, .. }
        | RunState::Ended { .. } => false,
    }
}

/// A run that changed the environment of `run` after it, or is going to.
async fn newer_change(tx: &mut Tx, run: &RunSummary, active: &[RunSummary]) -> Result<Option<RunSummary>, LedgerError> {
    let last = runs::last_change(tx, &run.request.environment).await?;
    let mut changes = active.iter().cloned().chain(last);
    Ok(changes.find(|other| other.number > run.number && other.request.kind.says_where()))
}

fn not_the_last_word(run: &RunSummary, why: String) -> Refusal {
    Refusal::refused(format!("run {} is not the latest change of {}", run.number, run.request.environment), why)
}

pub(super) fn done(run: &RunSummary, answer: Answer) -> Done {
    Done {
        answer,
        environment: Some(run.request.environment.clone()),
        run: Some(run.number),
        rule: None,
        events: Vec::new(),
        lapsed: Lapsed::default(),
        detail: serde_json::Map::new(),
    }
}

/// What was done by an event that led to `run`.
pub(super) fn after(run: &RunSummary, event: RunEvent, answer: Answer) -> Done {
    Done { events: vec![(run.clone(), event)], ..done(run, answer) }
}

pub(super) fn wrong_state(run: &RunSummary, why: &str) -> Denied {
    let words = match &run.rejected_by {
        Some(by) if run.state.outcome() == Some(Outcome::Cancelled) => format!("was rejected by `{}`", by.shown()),
        _ => state_words(&run.state).to_owned(),
    };
    Denied::from(Refusal::refused(format!("run {} {words}", run.number), why))
        .by_rule("state")
        .on(&run.request.environment)
}

/// What goes after `run 5`.
fn state_words(state: &RunState) -> &'static str {
    match state {
        RunState::Queued { .. } => "waits for its turn",
        RunState::Planning { .. } => "is planning",
        RunState::AwaitingApproval { .. } => "waits for a yes",
        RunState::Applying { .. } => "is applying",
        RunState::Verifying { .. } => "is checking what it did",
        RunState::Unknown { .. } => "is UNKNOWN",
        RunState::Ended { outcome } => match outcome {
            Outcome::Succeeded => "has succeeded",
            Outcome::NothingToDo => "had nothing to do",
            Outcome::Planned => "was only a plan",
            Outcome::Partial => "ended PARTIAL",
            Outcome::Failed => "has FAILED",
            Outcome::Cancelled => "was cancelled",
            Outcome::Refused => "was refused",
            Outcome::Expired => "has expired without a yes",
        },
    }
}

impl Denied {
    /// What is offered in place of something that was to end by itself ends then, too.
    fn ending_at(self, until: Timestamp) -> Self {
        let Self::Refused { environment, rule, mut refusal } = self else { return self };
        if rule == WAY_DOWN {
            // It is the end that was refused.
            return Self::Refused { environment, rule, refusal };
        }
        let end = DateTime::from_timestamp_millis(until.0).map(|end| end.to_rfc3339_opts(SecondsFormat::Secs, true));
        for hint in &mut refusal.hints {
            let changes = ["up ", "down ", "scale "].iter().any(|command| hint.starts_with(command));
            let ends = [" for ", " until ", " because "].iter().any(|word| hint.contains(word));
            if let (true, false, Some(end)) = (changes, ends, &end) {
                *hint = format!("{hint} until {end}");
            }
        }
        Self::Refused { environment, rule, refusal }
    }

    pub(super) fn hint_for(self, run: &RunSummary, command: &str) -> Self {
        match self {
            Self::Refused { environment, rule, refusal } => Self::Refused {
                environment,
                rule,
                refusal: Box::new(refusal.hint(format!("{command} {}", run.number))),
            },
            Self::Error(error) => Self::Error(error),
        }
    }
}
