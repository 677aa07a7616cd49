//! The messages of `plan -json` folded into what the plan says.

use std::collections::BTreeMap;

use super::exit::Exit;
use super::failure::{Diagnostics, failure_of};
use super::stream::{ChangeOf, Line, Message, Operation, StreamAction, Summary};
use crate::domain::changes::{Action, Change, Exactness, StackPlan};
use crate::domain::failure::{Failure, FailureKind};

/// Eats the lines of one `plan -json`, then says what was planned.
#[derive(Debug, Clone)]
pub struct PlanFold {
    destroy: bool,
    changes: Vec<Change>,
    drift: Vec<Change>,
    outputs_change: bool,
    summary: Option<Summary>,
    not_understood: Option<String>,
    diagnostics: Diagnostics,
}

impl PlanFold {
    /// A fold for a plan; `destroy` when it was made with `-destroy`.
    #[must_use]
    pub fn new(destroy: bool) -> Self {
        Self {
            destroy,
            changes: Vec::new(),
            drift: Vec::new(),
            outputs_change: false,
            summary: None,
            not_understood: None,
            diagnostics: Diagnostics::default(),
        }
    }

    /// Takes the next line.
    pub fn take(&mut self, line: &Line) {
        self.diagnostics.take(line);
        match line.message() {
            Some(Message::PlannedChange(change)) => match change.change() {
                Some(change) => self.changes.push(change),
                None => self.note_unknown(change),
            },
            Some(Message::ResourceDrift(change)) => self.drift.extend(change.change()),
            Some(Message::ChangeSummary(summary)) if summary.operation == Operation::Plan => {
                self.summary = Some(summary.clone());
            }
            Some(Message::Outputs(outputs)) => {
                self.outputs_change = outputs
                    .values()
                    .any(|output| output.action.as_ref().is_some_and(|action| *action != StreamAction::Noop));
            }
            _ => {}
        }
    }

    /// A change that cannot be shown must not be applied either: it makes the whole plan one that is not understood.
    fn note_unknown(&mut self, change: &ChangeOf) {
        if let StreamAction::Other(word) = &change.action {
            let address = &change.resource.addr;
            self.not_understood.get_or_insert_with(|| format!("`{address}` would be changed by `{word}`"));
        }
    }

    /// Warnings and errors so far.
    #[must_use]
    pub fn diagnostics(&self) -> &Diagnostics {
        &self.diagnostics
    }

    /// What the plan says, once the child has ended. `stop_asked`: Tidegate had asked it to stop. Whether the plan was *saved* is
    /// another question: see [`super::check_plan_file`].
    ///
    /// # Errors
    /// The failure, when the child failed or when its output does not prove a whole plan: the `change_summary` must have
    /// come and its counts must agree with the planned changes.
    pub fn finish(mut self, exit: &Exit, stop_asked: bool, stderr: &str) -> Result<StackPlan, Box<Failure>> {
        let ended_well = matches!(exit, Exit::Code(0 | 2)) && self.diagnostics.errors() == 0;
        let Some(summary) = self.summary.as_ref().filter(|_| ended_well) else {
            let exit = if ended_well { &Exit::Code(0) } else { exit };
            return Err(Box::new(failure_of(&self.diagnostics, exit, stop_asked, stderr)));
        };
        if let Some(what) = self.not_understood {
            let summary = "the plan holds an action that this version of Tidegate does not know";
            return Err(Box::new(Failure::new(FailureKind::OutputNotUnderstood, summary).with_detail(what)));
        }
        let counted = Tally::of(&self.changes);
        let told = Tally { add: summary.add, change: summary.change, remove: summary.remove };
        if counted != told {
            let detail = format!("planned changes seen: {counted}; Terraform's own summary: {told}");
            let summary = "the plan's summary does not agree with its changes; some output was lost";
            return Err(Box::new(Failure::new(FailureKind::OutputNotUnderstood, summary).with_detail(detail)));
        }
        self.changes.sort();
        self.drift.sort();
        Ok(StackPlan {
            exactness: Exactness::Exact,
            changes: self.changes,
            drift: self.drift,
            outputs_change: self.outputs_change,
            destroy: self.destroy,
            kept_for: Vec::new(),
            inputs: None,
            serial: None,
            least_serial: None,
            lineage: None,
            left_lineage: None,
            left_at: None,
            values: BTreeMap::new(),
            scales: false,
        })
    }
}

/// Counts as Terraform's summary makes them: a replacement is one `add` and one `remove`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) add: u32,
    pub(super) change: u32,
    pub(super) remove: u32,
}

impl Tally {
    pub(super) fn of(changes: &[Change]) -> Self {
        let mut tally = Self::default();
        for change in changes {
            match change.action {
                Action::Create => tally.add += 1,
                Action::Update => tally.change += 1,
                Action::Delete => tally.remove += 1,
                Action::Replace => {
                    tally.add += 1;
                    tally.remove += 1;
                }
                // Counted as imports or not at all; OpenTofu and Terraform differ, so that they prove nothing.
                Action::Move | Action::Import | Action::Forget => {}
            }
        }
        tally
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to add, {} to change, {} to destroy", self.add, self.change, self.remove)
    }
}
