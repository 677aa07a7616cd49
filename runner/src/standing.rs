//! What a run's events mean for where the environment stands: stored in the same transaction as the events.

use std::collections::BTreeMap;

use crate::domain::answer::{RunSummary, StackStanding};
use crate::domain::environment::{Environment, Level};
use crate::domain::ids::{StackName, Timestamp};
use crate::domain::request::{RunKind, Target, value_at};
use crate::domain::run::{Outcome, Phase, RunEvent, RunView, StackState};
use crate::ledger::runs::{self, AppendError, Appended, Fence};
use crate::ledger::{LedgerError, Store, Tx, environments, stacks};
use crate::witness;

/// The commit last accepted for each stack that has one.
pub(crate) async fn accepted_commits(
    store: &Store,
    environment: &Environment,
) -> Result<BTreeMap<StackName, String>, LedgerError> {
    let mut commits = BTreeMap::new();
    for stack in environment.stacks.keys() {
        if let Some(commit) = stacks::accepted_commit(store, &environment.name, stack).await? {
            commits.insert(stack.clone(), commit);
        }
    }
    Ok(commits)
}

/// Stores events of a run together with what they mean, for whoever does not drive it, and what the audit tells of them. Without
/// the environment's configuration the standing stays as it is.
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
    if let Some(environment) = environment
        && let Some(after) = runs::view(&mut *tx, run.id).await?
    {
        note(tx, run, environment, &after, events, appended.at).await?;
    }
    Ok(appended)
}

/// Notes what `events`, which led to `after`, mean.
pub(crate) async fn note(
    tx: &mut Tx,
    run: &RunSummary,
    environment: &Environment,
    after: &RunView,
    events: &[RunEvent],
    at: Timestamp,
) -> Result<(), LedgerError> {
    for event in events {
        if *event == RunEvent::ApplyBegan {
            environments::set_wanted(tx, &environment.name, Some(&after.request.target), Some(run.number)).await?;
        }
        if let RunEvent::StackStarted { stack, phase: Phase::Apply } = event {
            stacks::mark_in_doubt(tx, &environment.name, stack).await?;
        }
    }
    match after.outcome() {
        Some(outcome) => ended(tx, run, environment, after, outcome, at).await,
        None => Ok(()),
    }
}

async fn ended(
    tx: &mut Tx,
    run: &RunSummary,
    environment: &Environment,
    after: &RunView,
    outcome: Outcome,
    at: Timestamp,
) -> Result<(), LedgerError> {
    let proven = match outcome {
        Outcome::Succeeded | Outcome::NothingToDo | Outcome::Partial | Outcome::Failed | Outcome::Cancelled => {
            after.request.kind != RunKind::Plan
        }
        Outcome::Planned | Outcome::Refused | Outcome::Expired => false,
    };
    if !proven {
        return Ok(());
    }
    match outcome {
        Outcome::NothingToDo => {
            environments::set_wanted(tx, &environment.name, Some(&after.request.target), Some(run.number)).await?;
        }
        // Whoever stops a run does not want what it was for; what it was to be before is wanted again.
        Outcome::Cancelled if after.began => {
            environments::set_wanted(tx, &environment.name, after.request.before.as_ref(), Some(run.number)).await?;
        }
        Outcome::Cancelled
        | Outcome::Succeeded
        | Outcome::Planned
        | Outcome::Partial
        | Outcome::Failed
        | Outcome::Refused
        | Outcome::Expired => {}
    }
    for (name, view) in &after.stacks {
        // A stack that `protect` kept was lowered instead of destroyed.
        let kept = view.plan.as_ref().is_some_and(|plan| !plan.kept_for.is_empty());
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
            StackState::NothingToDo => matches!(outcome, Outcome::NothingToDo | Outcome::Succeeded),
            StackState::Waiting
            | StackState::Working(..)
            | StackState::Planned
            | StackState::Failed(..)
            | StackState::Unknown => false,
        };
        if !stands {
            continue;
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
            in_doubt: false,
        };
        stacks::set_standing(tx, &environment.name, name, &standing, commit).await?;
    }
    Ok(())
}
