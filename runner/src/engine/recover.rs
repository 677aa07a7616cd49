//! Runs whose end nobody saw: left on another machine, or lost in mid-apply. Nothing is guessed: a plan says what is there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, watch};

use super::drive::{clean_up, lost_track};
use super::work::{self, RunContext};
use super::{EngineError, Shared};
use crate::domain::answer::RunSummary;
use crate::domain::failure::FailureKind;
use crate::domain::ids::StackName;
use crate::domain::run::{Outcome, Phase, RunEvent, RunState, RunView, StackState};
use crate::ledger::runs::{self, Fence};
use crate::redact::Redactor;
use crate::standing;
use crate::terraform::{Attached, Child, Standby};

/// A run that another machine had. True when nothing more can be done here: it was applying, and only that machine can tell
/// whether its Terraform still runs. A run that was only planning is simply planned again.
pub(super) async fn left_elsewhere(shared: &Shared, run: &RunSummary, fence: &Fence) -> Result<bool, EngineError> {
    let Some(view) = runs::view(&shared.store, run.id).await? else { return Ok(true) };
    let finding = "the runner that applied it has gone silent; its Terraform may still run on that machine";
    let applying = view.stacks.iter().filter(|(_, stack)| matches!(stack.state, StackState::Working(Phase::Apply, _)));
    let lost: Vec<_> = applying.map(|(stack, _)| (stack.clone(), finding.to_owned())).collect();
    if lost.is_empty() || !matches!(view.state, RunState::Applying { .. }) {
        return Ok(false);
    }
    store(shared, run, fence, &lost_track(lost)).await?;
    Ok(true)
}

/// Looks what became of a run in state `unknown`, because somebody asked: is anything still running, who holds the lock, what
/// does a plan say is left to do? Changes nothing but, with `unlock`, a lock that nobody alive holds.
pub(super) async fn look(shared: &Arc<Shared>, run: &RunSummary, fence: &Fence) -> Result<(), EngineError> {
    let Some(view) = runs::view(&shared.store, run.id).await? else { return Ok(()) };
    let RunState::Unknown { stack, look: Some(unlock), .. } = &view.state else { return Ok(()) };
    let event = match applied_elsewhere(shared, run, stack).await? {
        // Nobody here can see whether that Terraform lives; only a person can say that the machine is gone.
        Some(host) if !unlock => RunEvent::StillUnknown {
            finding: format!(
                "it was applied on {host}, and only there can be seen whether its Terraform still runs; \
                 if that machine is gone for good: `recover {} unlock`",
                run.number
            ),
        },
        Some(_) | None => finding(shared, run, &view, stack, *unlock).await?,
    };
    let ended = matches!(event, RunEvent::Ended { .. });
    store(shared, run, fence, &[event]).await?;
    if ended {
        clean_up(&shared.paths, run.number);
    }
    Ok(())
}

/// The machine and state folder on which the last apply of a stack was begun, if they are not ours. A runner's name begins
/// with them; see [`super::queue::Engine::new`].
async fn applied_elsewhere(
    shared: &Shared,
    run: &RunSummary,
    stack: &StackName,
) -> Result<Option<String>, EngineError> {
    let mut claimed = None;
    let mut applied = None;
    for record in runs::events(&shared.store, run.id, 0).await? {
        if let RunEvent::Claimed { runner, .. } = &record.event {
            claimed = Some(runner.clone());
        }
        if matches!(&record.event, RunEvent::StackStarted { stack: of, phase: Phase::Apply } if of == stack) {
            applied.clone_from(&claimed);
        }
    }
    let host = applied.and_then(|runner| runner.rsplit_once('#').map(|(host, _)| host.to_owned()));
    Ok(host.filter(|host| *host != shared.host))
}

async fn finding(
    shared: &Arc<Shared>,
    run: &RunSummary,
    view: &RunView,
    stack: &StackName,
    unlock: bool,
) -> Result<RunEvent, EngineError> {
    for name in view.stacks.keys() {
        for (command, _, dir) in shared.paths.children(run.number, name) {
            if let Attached::Running(child) = Child::attach(&dir) {
                let pid = child.pid().map(|pid| format!(" (process {pid})")).unwrap_or_default();
                let finding = format!("`terraform {command}` of {name} still runs{pid}; ask again once it has ended");
                return Ok(RunEvent::StillUnknown { finding });
            }
        }
    }
    let name = &view.request.environment;
    let Some(environment) = shared.config().environments.get(name).cloned() else {
        return Ok(RunEvent::StillUnknown { finding: format!("{name} is not in the configuration any more") });
    };
    let (reports, _drain) = mpsc::unbounded_channel();
    let (_stop, stopped) = watch::channel(None);
    let context = RunContext {
        number: run.number,
        request: view.request.clone(),
        environment,
        accepted: BTreeMap::new(),
        commits: Mutex::new(commits_of(view)),
        paths: shared.paths.clone(),
        supervisors: Standby::new(shared.supervisor.clone()),
        told: shared.told(),
        secrets: shared.secrets.clone(),
        reports,
        stop: stopped,
        ready: Mutex::default(),
        choosing: tokio::sync::Mutex::default(),
    };
    Ok(match work::look(&context, stack, unlock).await {
        Ok(plan) if plan.changes.is_empty() => {
            RunEvent::Ended { outcome: Outcome::Partial, refusal: None, finding: Some(nothing_left(view, stack)) }
        }
        Ok(plan) => RunEvent::Ended {
            outcome: if view.done().total() > 0 || plan.changes.len() < planned(view, stack) {
                Outcome::Partial
            } else {
                Outcome::Failed
            },
            refusal: None,
            finding: Some(match plan.changes.len() {
                1 => format!("a plan of {stack} finds 1 change left to do"),
                left => format!("a plan of {stack} finds {left} changes left to do"),
            }),
        },
        Err(failure) => {
            let failure = Redactor::new(context.told()).redact_failure(failure);
            let finding = match &failure.kind {
                FailureKind::LockHeld(holder) => format!(
                    "the state lock is held by {} since {}; `recover {} unlock` breaks it",
                    holder.who, holder.created, run.number
                ),
                _ => format!("{stack} cannot be planned: {}", failure.summary),
            };
            RunEvent::StillUnknown { finding }
        }
    })
}

/// That is no success all the same: stacks after it were not begun, and what was done nobody verified.
fn nothing_left(view: &RunView, stack: &StackName) -> String {
    let after: Vec<&str> = view
        .stacks
        .iter()
        .filter(|(name, other)| {
            let through = matches!(other.state, StackState::NothingToDo | StackState::Applied | StackState::Verified);
            *name != stack && !through
        })
        .map(|(name, _)| name.as_str())
        .collect();
    let found = format!("a plan of {stack} finds nothing left to do");
    if after.is_empty() { found } else { format!("{found}; not done: {}", after.join(", ")) }
}

fn planned(view: &RunView, stack: &StackName) -> usize {
    view.stacks.get(stack).and_then(|stack| stack.plan.as_ref()).map_or(0, |plan| plan.changes.len())
}

/// The commits that the run itself used: it goes on, and what became of it is asked, with the same code.
pub(super) fn commits_of(view: &RunView) -> BTreeMap<StackName, String> {
    view.stacks
        .iter()
        .filter_map(|(name, stack)| Some((name.clone(), stack.provenance.as_ref()?.commit.clone()?)))
        .collect()
}

async fn store(shared: &Shared, run: &RunSummary, fence: &Fence, events: &[RunEvent]) -> Result<(), EngineError> {
    let config = shared.config();
    let environment = config.environments.get(&run.request.environment);
    let mut tx = shared.store.begin().await?;
    standing::append(&mut tx, run, environment, events, Some(fence)).await?;
    tx.commit().await?;
    shared.bell.ring();
    Ok(())
}
