//! What a run's events mean for where the environment stands: stored in the same transaction as the events.

use std::collections::BTreeMap;

use crate::domain::answer::{RunSummary, StackStanding};
use crate::domain::environment::Environment;
use crate::domain::ids::{StackName, Timestamp};
use crate::domain::request::{RunKind, value_at};
use crate::domain::run::{Outcome, Phase, RunEvent, RunView, StackState};
use crate::ledger::{LedgerError, Store, Tx, environments, stacks};

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
        match event {
            RunEvent::ApplyBegan => {
                environments::set_wanted(tx, &environment.name, Some(&after.request.target), Some(run.number)).await?;
            }
            RunEvent::StackStarted { stack, phase: Phase::Apply } => {
                stacks::mark_in_doubt(tx, &environment.name, stack).await?;
            }
            RunEvent::Ended { outcome, .. } => ended(tx, run, environment, after, *outcome, at).await?,
            _ => {}
        }
    }
    Ok(())
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
        Outcome::Cancelled if after.anything_applied() => {
            environments::set_wanted(tx, &environment.name, after.request.before.as_ref(), Some(run.number)).await?;
        }
        _ => {}
    }
    let target = &after.request.target;
    for (name, view) in &after.stacks {
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
