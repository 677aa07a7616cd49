//! What a run's events mean for where the environment stands: stored in the same transaction as the events.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::answer::{RunSummary, StackStanding};
use crate::domain::changes::{Action, Change, Exactness, StackPlan, StateLeft};
use crate::domain::environment::{Environment, Level};
use crate::domain::failure::{Applied, FailureKind};
use crate::domain::ids::{ActorId, StackName, Timestamp};
use crate::domain::request::{RunKind, Target, value_at};
use crate::domain::run::{Note, Outcome, Phase, RunEvent, RunView, StackState};
use crate::ledger::runs::{self, AppendError, Appended, Fence};
use crate::ledger::{LedgerError, Tx, environments, made, proofs, scaling_groups, stacks, strays};
use crate::witness;

/// Stores events of a run together with what they mean, for whoever does not drive it, and what the audit tells of them. Without
/// the environment's configuration nothing is known of settings: its stacks then stay as they are, in doubt where they were
/// touched.
pub(crate) async fn append(
    tx: &mut Tx,
    run: &RunSummary,
    environment: Option<&Environment>,
    events: &[RunEvent],
    fence: Option<&Fence>,
) -> Result<Appended, AppendError> {
    let appended = store(tx, run, environment, events, fence).await?;
    witness::note(tx, run, events, &appended.state).await?;
    Ok(appended)
}

/// As [`append`] without the audit: for the desk, whose own entry goes before what follows from it.
pub(crate) async fn store(
    tx: &mut Tx,
    run: &RunSummary,
    environment: Option<&Environment>,
    events: &[RunEvent],
    fence: Option<&Fence>,
) -> Result<Appended, AppendError> {
    let appended = runs::append_many(tx, run.id, events, fence).await?;
    if let Some(after) = runs::view(&mut *tx, run.id).await? {
        note(tx, run, environment, &after, events, appended.at).await?;
    }
    Ok(appended)
}

/// Notes what `events`, which led to `after`, mean. No events mean nothing, also where the run has ended long ago.
pub(crate) async fn note(
    tx: &mut Tx,
    run: &RunSummary,
    environment: Option<&Environment>,
    after: &RunView,
    events: &[RunEvent],
    at: Timestamp,
) -> Result<(), LedgerError> {
    let name = &after.request.environment;
    for event in events {
        if *event == RunEvent::ApplyBegan && after.request.kind.says_where() {
            let retries = after.request.retry_of;
            environments::begin(tx, name, &after.request.target, run.number, retries).await?;
        }
        if let RunEvent::StackStarted { stack, phase: Phase::Apply } = event
            && after.request.kind.says_where()
        {
            stacks::mark_in_doubt(tx, name, stack).await?;
        }
        // By hand it goes on from where it stands, and stands there when it ended well.
        if let RunEvent::StackFailed { stack, phase: Phase::Apply, .. } = event
            && after.request.kind == RunKind::Terraform
        {
            stacks::mark_in_doubt(tx, name, stack).await?;
        }
        // What is not in service, or cannot be told, is not where it was to be.
        if let RunEvent::StackFailed { stack, phase: Phase::Verify, .. } = event {
            stacks::mark_in_doubt(tx, name, stack).await?;
        }
        // Where its state is doubted, what was found may well stand in the right one.
        if let RunEvent::StackNoted { stack, note: Note::Swept { strays, doubt: None, unknown: None, .. } } = event {
            strays::found(tx, name, stack, strays).await?;
        }
        note_groups(tx, after, event).await?;
        note_state(tx, after, event, at).await?;
    }
    note_half_made(tx, after, events).await?;
    if !events.is_empty() && environment.is_some_and(|environment| is_as_written(environment, after)) {
        proofs::found(tx, name, run.number, at).await?;
    }
    let proven = match after.outcome() {
        Some(
            outcome @ (Outcome::Succeeded
            | Outcome::NothingToDo
            | Outcome::Partial
            | Outcome::Failed
            | Outcome::Cancelled),
        ) if after.request.kind.says_where() && !events.is_empty() => outcome,
        Some(_) | None => return Ok(()),
    };
    // A runner that has to stop says nothing about what people want.
    let stopped = after.stopped_by.as_ref().is_some_and(|stop| !stop.rejected && stop.by != ActorId::tidegate());
    match proven {
        Outcome::NothingToDo => {
            environments::set_wanted(tx, name, Some(&after.request.target), Some(run.number)).await?;
        }
        // Nothing was to be changed, and what is there is not all in service: it is wanted all the same.
        Outcome::Partial | Outcome::Failed if !after.began && was_looked_at(after) => {
            environments::set_wanted(tx, name, Some(&after.request.target), Some(run.number)).await?;
        }
        // Whoever stops a run does not want what it was for: what was wanted as it began is wanted again. That is not what was to be
        // when it was asked for: a run that was ahead of it then may have been stopped since. A stop that came when all was done
        // changes nothing: what the run was for stands, and sizes count from there.
        Outcome::Cancelled | Outcome::Partial | Outcome::Failed if after.began && stopped && !all_done(after) => {
            let noted = environments::before(&mut *tx, name, run.number).await?;
            let before = noted.unwrap_or_else(|| after.request.before.clone());
            environments::set_wanted(tx, name, before.as_ref(), Some(run.number)).await?;
        }
        Outcome::Cancelled
        | Outcome::Succeeded
        | Outcome::Planned
        | Outcome::Partial
        | Outcome::Failed
        | Outcome::Refused
        | Outcome::Expired => {}
    }
    if let Some(environment) = environment {
        stand(tx, run, environment, after, proven, at).await?;
    }
    // Each of its stacks was looked at after it was destroyed.
    if after.request.clears && matches!(proven, Outcome::Succeeded | Outcome::NothingToDo) {
        made::gone(tx, name, run.number).await?;
    }
    Ok(())
}

/// A run over has shown that what is written of an adopted environment is what is there: a plan of each of its stacks found nothing to do.
/// Of one that is off that says nothing, as an empty plan finds nothing of anything.
fn is_as_written(environment: &Environment, after: &RunView) -> bool {
    let request = &after.request;
    let whole = match after.outcome() {
        Some(Outcome::Planned) => request.kind == RunKind::Plan,
        Some(Outcome::NothingToDo) => request.kind.says_where(),
        Some(_) | None => false,
    };
    let is_empty = |name: &StackName| {
        let found = after.stacks.get(name).and_then(|view| view.plan.as_ref());
        found.is_some_and(|plan| {
            plan.exactness == Exactness::Exact && !plan.has_work() && !after.has_news_of_state(name, plan)
        })
    };
    let counts = environment.rules.adopted && whole && request.target.level != Level::Off;
    counts && environment.stacks.keys().all(is_empty)
}

/// Notes which Auto Scaling groups a stack has, once they were looked at, and that it has none once it is destroyed.
async fn note_groups(tx: &mut Tx, after: &RunView, event: &RunEvent) -> Result<(), LedgerError> {
    let name = &after.request.environment;
    match event {
        RunEvent::StackVerified { stack, .. } | RunEvent::StackFailed { stack, phase: Phase::Verify, .. } => {
            let counts = after.stacks.get(stack).map(|view| view.counts.as_slice()).unwrap_or_default();
            if counts.is_empty() { Ok(()) } else { scaling_groups::set(tx, name, stack, counts).await }
        }
        RunEvent::StackApplied { stack, .. } => {
            let destroyed =
                after.stacks.get(stack).and_then(|view| view.plan.as_ref()).is_some_and(|plan| plan.destroy);
            if destroyed { scaling_groups::set(tx, name, stack, &[]).await } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

/// Notes what an event tells of the Terraform state of a stack: which one it is, and which serial it has at least.
async fn note_state(tx: &mut Tx, after: &RunView, event: &RunEvent, at: Timestamp) -> Result<(), LedgerError> {
    let name = &after.request.environment;
    match event {
        // Whoever was asked about an older state has said yes to it.
        RunEvent::StackStarted { stack, phase: Phase::Apply } => {
            note_left(tx, after, stack, |_, left| Some(left)).await
        }
        RunEvent::StackPlanned { stack, plan } => match &plan.lineage {
            Some(lineage) if plan.left_lineage.is_none() && plan.went_back().is_none() => {
                stacks::learn_lineage(tx, name, stack, lineage).await
            }
            Some(_) | None => Ok(()),
        },
        // Terraform has written the state for us, and nobody read what its serial is now.
        RunEvent::StackNoted { stack, note: Note::Untainted { .. } } => stacks::forget_serial(tx, name, stack).await,
        // What was reported made is in the state, or nowhere: a state that is as it was does not know of it.
        RunEvent::LostTrack { stack, others, .. } => {
            for stack in others.iter().chain([stack]) {
                let made = after.stacks.get(stack).is_some_and(|view| view.done.iter().any(is_made));
                if made {
                    note_left(tx, after, stack, |_, left| Some(StateLeft { serial: left.serial + 1, ..left })).await?;
                }
            }
            Ok(())
        }
        RunEvent::StackApplied { stack, applied } => {
            // With all destroyed nothing is lost with it.
            note_left(tx, after, stack, |plan, left| (!plan.destroy).then(|| left_by(left, applied, at))).await
        }
        // Terraform says so itself, and has stored what it did; where it was killed on request before it could, what it made is not in
        // the state, and that is worth a question. Of any other end, as by a signal of others, nobody knows whether it has: what was
        // made may be nowhere else.
        RunEvent::StackFailed { stack, phase: Phase::Apply, failure, applied: Some(applied) }
            if is_told_by_terraform(&failure.kind) || applied.done.iter().any(is_made) =>
        {
            note_left(tx, after, stack, |_, left| Some(left_by(left, applied, at))).await
        }
        _ => Ok(()),
    }
}

/// Whether Terraform itself said why its apply failed, and went on to its end.
fn is_told_by_terraform(kind: &FailureKind) -> bool {
    use FailureKind::{Credentials, Interrupted, NoStateBucket, StateUnread, Terraform};
    matches!(kind, Terraform | Interrupted | Credentials | NoStateBucket | StateUnread)
}

fn is_made(change: &Change) -> bool {
    matches!(change.action, Action::Create | Action::Replace)
}

/// How an apply that began with the state `left` left it.
fn left_by(left: StateLeft, applied: &Applied, at: Timestamp) -> StateLeft {
    // A remote state that is as it was read is not stored, as after an update that only repairs what others changed. Source:
    // Terraform's `internal/states/remote/state.go`, `PersistState`.
    let stored = applied.done.iter().any(|change| is_made(change) || change.action == Action::Delete);
    let lineage = left.lineage.or_else(|| applied.lineage.clone());
    let least = left.serial + u64::from(stored);
    // One that is older than it can be was not read of this state.
    match applied.serial.filter(|serial| *serial >= least) {
        Some(serial) => StateLeft { serial, lineage, at: Some(at) },
        None => StateLeft { serial: least, lineage, at: None },
    }
}

/// Notes how a stack's state was left, given how the plan found it that was applied.
async fn note_left(
    tx: &mut Tx,
    after: &RunView,
    stack: &StackName,
    left: impl FnOnce(&StackPlan, StateLeft) -> Option<StateLeft>,
) -> Result<(), LedgerError> {
    let Some(plan) = after.stacks.get(stack).and_then(|view| view.plan.as_ref()) else { return Ok(()) };
    let Some(serial) = plan.serial else { return Ok(()) };
    let left = left(plan, StateLeft { serial, lineage: plan.lineage.clone(), at: None });
    stacks::set_state_left(tx, &after.request.environment, stack, left.as_ref()).await
}

/// Every stack is where the run was to bring it. A plan without work proves that only where it was exact.
fn all_done(after: &RunView) -> bool {
    after.stacks.iter().all(|(name, view)| {
        let exact = |plan: &StackPlan| plan.exactness == Exactness::Exact && !after.has_news_of_state(name, plan);
        let is_as_planned = || view.plan.as_ref().is_some_and(exact);
        match view.state {
            StackState::Applied | StackState::Verified => true,
            StackState::NothingToDo => is_as_planned(),
            // Applied, or as asked already; only its instances are waited for.
            StackState::Working(Phase::Verify, _) => view.applied.is_some() || is_as_planned(),
            StackState::Failed(Phase::Verify, ref failure) => {
                let waited = matches!(
                    failure.kind,
                    FailureKind::NotReady | FailureKind::CannotLook | FailureKind::Left | FailureKind::Interrupted
                );
                waited && (view.applied.is_some() || is_as_planned())
            }
            StackState::Waiting
            | StackState::Working(Phase::Prepare | Phase::Plan | Phase::Apply, _)
            | StackState::Planned
            | StackState::Failed(Phase::Prepare | Phase::Plan | Phase::Apply, _)
            | StackState::Unknown => false,
        }
    })
}

/// Whether a look at what is in service did not end well.
fn was_looked_at(after: &RunView) -> bool {
    after.stacks.values().any(|view| matches!(view.state, StackState::Failed(Phase::Verify, _)))
}

/// Keeps what was begun and not seen to end, once an apply is over or lost, beside what earlier runs left so.
async fn note_half_made(tx: &mut Tx, after: &RunView, events: &[RunEvent]) -> Result<(), LedgerError> {
    let over = |event: &RunEvent| matches!(event, RunEvent::StackFailed { .. } | RunEvent::LostTrack { .. });
    if !events.iter().any(over) {
        return Ok(());
    }
    let name = &after.request.environment;
    let mut known = stacks::half_made(&mut *tx, name).await?;
    for (stack, view) in &after.stacks {
        let before = known.remove(stack).unwrap_or_default();
        let done: BTreeSet<&str> = view.applied.iter().flat_map(|a| &a.done).map(|c| c.address.as_str()).collect();
        let mut now: BTreeSet<String> =
            before.iter().filter(|address| !done.contains(address.as_str())).cloned().collect();
        now.extend(view.begun_only().map(str::to_owned));
        if now != before {
            stacks::set_half_made(tx, name, stack, &now).await?;
        }
    }
    Ok(())
}

/// Notes where the stacks stand after a run that has ended.
async fn stand(
    tx: &mut Tx,
    run: &RunSummary,
    environment: &Environment,
    after: &RunView,
    outcome: Outcome,
    at: Timestamp,
) -> Result<(), LedgerError> {
    for (name, view) in &after.stacks {
        // A stack that `protect` kept, or that `off` does not destroy, was lowered: its plan did not destroy it.
        let kept = after.request.target.level == Level::Off && view.plan.as_ref().is_some_and(|plan| !plan.destroy);
        let lowest = environment
            .levels
            .first()
            .filter(|_| kept)
            .map(|lowest| Target { level: Level::Profile(lowest.clone()), settings: BTreeMap::new() });
        let target = lowest.as_ref().unwrap_or(&after.request.target);
        // Whatever ended well stands where it was to be, also when the run as a whole did not end well. A plan without work
        // proves the same, but only where it was exact.
        let stands = match &view.state {
            StackState::Applied | StackState::Verified => true,
            StackState::NothingToDo => matches!(outcome, Outcome::NothingToDo | Outcome::Succeeded) || all_done(after),
            StackState::Waiting
            | StackState::Working(..)
            | StackState::Planned
            | StackState::Failed(..)
            | StackState::Unknown => false,
        };
        if !stands {
            continue;
        }
        // Somebody said yes to it, also where nothing was to be applied: it is the one that counts from now on.
        let older_state = view.plan.as_ref().is_some_and(|plan| plan.went_back().is_some());
        if older_state && view.apply_began.is_none() {
            note_left(tx, after, name, |plan, left| (!plan.destroy).then_some(left)).await?;
        }
        // It was looked at, and is as it should be whoever wrote it: from now on this is what was left.
        let moved = view.plan.as_ref().is_some_and(|plan| plan.exactness == Exactness::Exact && plan.moved().is_some());
        if moved && view.apply_began.is_none() {
            note_left(tx, after, name, |plan, left| (!plan.destroy).then_some(StateLeft { at: Some(at), ..left }))
                .await?;
        }
        let settings: Vec<_> = environment
            .settings
            .values()
            .filter(|setting| &setting.stack == name)
            .filter_map(|setting| Some((setting.name.clone(), value_at(environment, setting, target)?)))
            .collect();
        let commit = view.provenance.as_ref().and_then(|provenance| provenance.commit.as_deref());
        let standing = StackStanding {
            level: Some(target.level.clone()),
            settings,
            run: Some(run.number),
            at: Some(at),
            in_doubt: older_state,
            older_state,
        };
        stacks::set_standing(tx, &environment.name, name, &standing, commit).await?;
    }
    Ok(())
}
