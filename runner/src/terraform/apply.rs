//! The messages of `apply -json` folded into what was done, what failed and what is in doubt.

use std::collections::BTreeMap;

use super::exit::Exit;
use super::failure::{Diagnostics, failure_of};
use super::plan::Tally;
use super::stream::{HookOf, Line, Message, Operation, StreamAction, Summary};
use crate::domain::changes::{Action, Change};
use crate::domain::failure::{Applied, Failure, FailureKind, Output, ResourceEvent, ResourceStage};

/// Eats the lines of one `apply -json` of a saved plan.
#[derive(Debug, Clone)]
pub struct ApplyFold {
    /// Addresses that the plan replaces, with its reason: their two halves are told as one change.
    replaced: BTreeMap<String, Option<String>>,
    /// Replaced addresses whose first half is done, with that half.
    halves: BTreeMap<String, Action>,
    reasons: BTreeMap<(String, Action), String>,
    /// Begun, in the order of beginning, and not heard of again.
    running: Vec<(String, Action)>,
    applied: Applied,
    summary: Option<Summary>,
    diagnostics: Diagnostics,
}

impl ApplyFold {
    /// A fold for the apply of a plan with these changes.
    #[must_use]
    pub fn new(planned: &[Change]) -> Self {
        let replaced = planned
            .iter()
            .filter(|change| change.action == Action::Replace)
            .map(|change| (change.address.clone(), change.reason.clone()))
            .collect();
        let reasons = planned
            .iter()
            .filter_map(|change| Some(((change.address.clone(), change.action), change.reason.clone()?)))
            .collect();
        Self {
            replaced,
            halves: BTreeMap::new(),
            reasons,
            running: Vec::new(),
            applied: Applied::default(),
            summary: None,
            diagnostics: Diagnostics::default(),
        }
    }

    /// Takes the next line; gives the event of a resource when it tells one. Data reads are no events. A replacement
    /// starts with its first half and is done with its second.
    pub fn take(&mut self, line: &Line) -> Option<ResourceEvent> {
        self.diagnostics.take(line);
        match line.message()? {
            Message::ApplyStart(hook) => self.started(hook),
            Message::ApplyProgress(hook) => {
                let (address, action) = change_in(hook)?;
                Some(self.event(address, action, ResourceStage::Started, hook.elapsed_seconds))
            }
            Message::ApplyComplete(hook) => self.completed(hook),
            Message::ApplyErrored(hook) => self.errored(hook),
            Message::ChangeSummary(summary) => {
                if matches!(summary.operation, Operation::Apply | Operation::Destroy) {
                    self.summary = Some(summary.clone());
                }
                None
            }
            // With an action they are the plan's, which some commands print first.
            Message::Outputs(outputs) if outputs.values().all(|output| output.action.is_none()) => {
                self.applied.outputs = outputs
                    .iter()
                    .map(|(name, output)| Output {
                        name: name.clone(),
                        value: if output.sensitive { None } else { output.value.clone() },
                    })
                    .collect();
                None
            }
            _ => None,
        }
    }

    fn started(&mut self, hook: &HookOf) -> Option<ResourceEvent> {
        let (address, action) = change_in(hook)?;
        self.running.push((address.to_owned(), action));
        if self.halves.contains_key(address) {
            return None;
        }
        Some(self.event(address, action, ResourceStage::Started, 0))
    }

    fn completed(&mut self, hook: &HookOf) -> Option<ResourceEvent> {
        let (address, action) = change_in(hook)?;
        self.ended(address, action);
        if let Some(reason) = self.replaced.get(address) {
            if self.halves.remove(address).is_none() {
                self.halves.insert(address.to_owned(), action);
                return None;
            }
            let (address, reason) = (address.to_owned(), reason.clone());
            self.applied.done.push(Change { address, action: Action::Replace, reason });
        } else {
            let change = self.change(address, action);
            self.applied.done.push(change);
        }
        Some(self.event(address, action, ResourceStage::Done, hook.elapsed_seconds))
    }

    fn errored(&mut self, hook: &HookOf) -> Option<ResourceEvent> {
        let (address, action) = change_in(hook)?;
        self.ended(address, action);
        let change = self.change(address, self.as_planned(address, action));
        self.applied.failed.push(change);
        Some(self.event(address, action, ResourceStage::Failed, hook.elapsed_seconds))
    }

    fn ended(&mut self, address: &str, action: Action) {
        if let Some(at) = self.running.iter().position(|(a, b)| a == address && *b == action) {
            self.running.remove(at);
        }
    }

    fn as_planned(&self, address: &str, action: Action) -> Action {
        if self.replaced.contains_key(address) { Action::Replace } else { action }
    }

    fn change(&self, address: &str, action: Action) -> Change {
        let key = (address.to_owned(), action);
        let reason = self.reasons.get(&key).cloned();
        Change { address: key.0, action, reason }
    }

    fn event(&self, address: &str, action: Action, stage: ResourceStage, elapsed_s: u32) -> ResourceEvent {
        ResourceEvent { address: address.to_owned(), action: self.as_planned(address, action), stage, elapsed_s }
    }

    /// What was done, and the failure unless the apply is proven to have ended well: exit status 0 and a
    /// `change_summary` whose counts agree with what was reported done. `stop_asked`: Tidegate had asked it to stop.
    ///
    /// When a replacement was left half done, the half that is done is in `done` as the creation or deletion that it is.
    #[must_use]
    pub fn finish(mut self, exit: &Exit, stop_asked: bool, stderr: &str) -> (Applied, Option<Failure>) {
        for (address, half) in std::mem::take(&mut self.halves) {
            self.applied.done.push(Change { address, action: half, reason: None });
        }
        for (address, action) in std::mem::take(&mut self.running) {
            let change = self.change(&address, action);
            self.applied.in_doubt.push(change);
        }
        let failure = self.failure(exit, stop_asked, stderr);
        if failure.is_some() {
            self.applied.outputs.clear();
        }
        (self.applied, failure)
    }

    fn failure(&self, exit: &Exit, stop_asked: bool, stderr: &str) -> Option<Failure> {
        let Some(summary) = self.summary.as_ref().filter(|_| exit.is_success() && self.diagnostics.errors() == 0)
        else {
            return Some(failure_of(&self.diagnostics, exit, stop_asked, stderr));
        };
        let counted = Tally::of(&self.applied.done);
        let told = Tally { add: summary.add, change: summary.change, remove: summary.remove };
        if counted == told && self.applied.in_doubt.is_empty() {
            return None;
        }
        let text = "the apply's summary does not agree with the changes it reported; some output was lost";
        let detail = format!("changes reported done: {counted}; Terraform's own summary: {told}");
        Some(Failure::new(FailureKind::OutputNotUnderstood, text).with_detail(detail))
    }
}

/// Address and action of a hook that is a change of a resource.
fn change_in(hook: &HookOf) -> Option<(&str, Action)> {
    match hook.action {
        Some(StreamAction::Change(action)) if !hook.resource.is_data() => Some((&hook.resource.addr, action)),
        Some(StreamAction::Change(_) | StreamAction::Noop | StreamAction::Read | StreamAction::Other(_)) | None => None,
    }
}
