//! Runs whose environment is not in the configuration any more.

use super::Shared;
use super::lost::lost_track;
use crate::domain::run::{Outcome, Phase, RunEvent, RunState, RunView, StackState};

/// What is to be stored of such a run. Empty: it stays as it is, since people or the queue have it. One that was applying becomes
/// unknown: `recover` needs the configuration back.
pub(super) fn events(shared: &Shared, view: &RunView) -> Vec<RunEvent> {
    let name = &view.request.environment;
    let finding = if shared.config().unmanaged.contains_key(name.as_str()) {
        format!("the configuration of {name} does not check; `tidegate check` tells why")
    } else {
        format!("{name} is not in the configuration any more")
    };
    let end = |outcome, finding| vec![RunEvent::ended_as(outcome, finding)];
    match &view.state {
        RunState::Planning { .. } => end(Outcome::Failed, finding),
        RunState::Applying { .. } => {
            let applying = view.stacks.iter().filter(|(_, s)| matches!(s.state, StackState::Working(Phase::Apply, _)));
            let lost: Vec<_> = applying.map(|(stack, _)| (stack.clone(), finding.clone())).collect();
            if let Some(lost) = lost_track(lost) {
                vec![lost]
            } else if view.done().total() > 0 {
                end(Outcome::Partial, finding)
            } else {
                end(Outcome::Failed, finding)
            }
        }
        // All is applied, and what was applied can be checked without the configuration only by a person.
        RunState::Verifying { .. } => end(Outcome::Partial, finding),
        RunState::Queued { .. }
        | RunState::AwaitingApproval { .. }
        | RunState::Unknown { .. }
        | RunState::Ended { .. } => Vec::new(),
    }
}
