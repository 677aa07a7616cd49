//! Applies whose end nobody saw, and on which machine that can still be found out.

use super::{EngineError, Shared};
use crate::domain::ids::{RunId, StackName};
use crate::domain::request::RunKind;
use crate::domain::run::{EventRecord, Phase, RunEvent, RunState, RunView, StackState};
use crate::ledger::{runners, runs};

/// The event for applies whose end nobody saw; none where none was lost.
pub(super) fn lost_track(mut lost: Vec<(StackName, String)>) -> Option<RunEvent> {
    let (stack, finding) = lost.pop()?;
    let mut findings: Vec<String> = lost.iter().map(|(_, finding)| finding.clone()).chain([finding]).collect();
    findings.dedup();
    let others = lost.into_iter().map(|(stack, _)| stack).collect();
    Some(RunEvent::LostTrack { stack, finding: findings.join("; "), others })
}

/// What is to be stored of a run whose applies were begun on another machine: only that one can tell whether its Terraform still
/// runs.
pub(super) fn left_elsewhere(shared: &Shared, view: &RunView, events: &[EventRecord]) -> Option<RunEvent> {
    // A removal has no child that could live: each of its deletions was begun by a process that had the run.
    if view.request.kind == RunKind::Remove {
        return None;
    }
    let finding = "the runner that applied it has gone silent; its Terraform may still run on that machine";
    let elsewhere = applying(view).filter(|stack| begun_on(events, stack).is_some_and(|host| host != shared.host));
    lost_track(elsewhere.map(|stack| (stack.clone(), finding.to_owned())).collect())
}

/// The machine and state folder, not ours, on which somebody must look at this run or go on with it; `None` when we can do that as
/// well as anybody.
pub(super) async fn elsewhere(shared: &Shared, run: RunId) -> Result<Option<String>, EngineError> {
    let Some(view) = runs::view(&shared.store, run).await? else { return Ok(None) };
    let stacks: Vec<&StackName> = match &view.state {
        RunState::Unknown { .. } => unknown(&view).collect(),
        RunState::Applying { .. } => applying(&view).collect(),
        RunState::Queued { .. }
        | RunState::Planning { .. }
        | RunState::AwaitingApproval { .. }
        | RunState::Verifying { .. }
        | RunState::Ended { .. } => return Ok(None),
    };
    let events = runs::events(&shared.store, run, 0).await?;
    Ok(stacks.into_iter().find_map(|stack| begun_on(&events, stack).filter(|host| *host != shared.host)))
}

/// The same, while a runner lives there, which will see to it.
pub(super) async fn is_for_another(shared: &Shared, run: RunId, lease_ms: i64) -> Result<bool, EngineError> {
    let Some(host) = elsewhere(shared, run).await? else { return Ok(false) };
    // When a lease is over, the runner that had it has not been seen for as long: only another one can count.
    Ok(runners::alive(&shared.store, lease_ms).await?.iter().any(|runner| runner.host == host))
}

/// Stacks of which nobody saw how their apply ended.
pub(super) fn unknown(view: &RunView) -> impl Iterator<Item = &StackName> {
    view.stacks.iter().filter(|(_, stack)| stack.state == StackState::Unknown).map(|(name, _)| name)
}

fn applying(view: &RunView) -> impl Iterator<Item = &StackName> {
    let runs = matches!(view.state, RunState::Applying { .. });
    let stacks =
        view.stacks.iter().filter(move |(_, s)| runs && matches!(s.state, StackState::Working(Phase::Apply, _)));
    stacks.map(|(name, _)| name)
}

/// Where the last apply of a stack was begun. Whoever took the run since then, even if only for a moment, does not count.
pub(super) fn begun_on(events: &[EventRecord], stack: &StackName) -> Option<String> {
    let mut claimed = None;
    let mut begun = None;
    for EventRecord { event, .. } in events {
        match event {
            RunEvent::Claimed { runner, .. } => claimed = Some(runner),
            RunEvent::StackStarted { stack: of, phase: Phase::Apply } if of == stack => begun = claimed,
            RunEvent::StackStarted { .. }
            | RunEvent::Accepted
            | RunEvent::StackPrepared { .. }
            | RunEvent::StackNoted { .. }
            | RunEvent::StackPlanned { .. }
            | RunEvent::ApplyBegan
            | RunEvent::Resource { .. }
            | RunEvent::StackApplied { .. }
            | RunEvent::VerifyBegan
            | RunEvent::StackVerified { .. }
            | RunEvent::StackFailed { .. }
            | RunEvent::Asked { .. }
            | RunEvent::Seconded { .. }
            | RunEvent::Approved { .. }
            | RunEvent::Rejected { .. }
            | RunEvent::QuestionExpired
            | RunEvent::StopAsked { .. }
            | RunEvent::LostTrack { .. }
            | RunEvent::RecoverAsked { .. }
            | RunEvent::StillUnknown { .. }
            | RunEvent::Ended { .. } => {}
        }
    }
    // A runner's name begins with them; see `Engine::new`.
    begun.and_then(|runner| runner.rsplit_once('#')).map(|(host, _)| host.to_owned())
}
