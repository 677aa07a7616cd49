//! Applies a stack's saved plan, or goes on following an apply that an earlier process began.

use std::path::Path;
use std::time::Duration;

use super::child::Ended;
use super::prepare::InitWish;
use super::remove::Begun;
use super::{Ready, Report, RunContext};
use crate::domain::by_hand::HandArgs;
use crate::domain::changes::StackPlan;
use crate::domain::failure::{Failure, FailureKind, ResourceEvent};
use crate::domain::ids::StackName;
use crate::domain::request::{Goal, RunKind};
use crate::domain::run::RunEvent;
use crate::ledger::runs;
use crate::redact::Redactor;
use crate::terraform::command;
use crate::terraform::{ApplyFold, Child, Exit, Hearing, Line, StateHead, local_state};

/// Rest between two questions to a ledger that does not answer.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Applies exactly the saved plan of `stack` and reports how it ended. The caller has stored that it begins. `begun` is what is known to have
/// been done of it before: nothing of what Terraform applies, which is followed or planned anew instead.
pub async fn apply(run: &RunContext, stack: StackName, plan: StackPlan, begun: Begun) {
    let report = match run.apply_saved(&stack, &plan, &begun).await {
        Ok(report) => report,
        Err(failure) => Report::ApplyFailed(stack, failure, crate::domain::failure::Applied::default()),
    };
    run.report(report);
}

/// Follows the apply in `dir` that an earlier process began. `stored` resource events of it are in the ledger already.
pub async fn reattach(run: &RunContext, stack: StackName, plan: StackPlan, dir: &Path, stored: usize) {
    let report = match run.follow_again(&stack, &plan, dir, stored).await {
        Ok(report) => report,
        Err(failure) => Report::Lost(stack, failure.summary),
    };
    run.report(report);
}

impl RunContext {
    async fn apply_saved(&self, name: &StackName, plan: &StackPlan, begun: &Begun) -> Result<Report, Failure> {
        if self.request.kind == RunKind::Remove {
            return Box::pin(self.remove(name, plan, begun)).await;
        }
        if let Some(by_hand) = &self.request.by_hand
            && !matches!(by_hand.args, HandArgs::Apply { .. })
        {
            return Box::pin(self.change_state(name, &by_hand.args)).await;
        }
        if !self.plan_file(name).exists() {
            // Another machine made it, or somebody emptied the state folder: it is made again, and asked about where it is another.
            return Err(Failure::new(FailureKind::StalePlan, "the saved plan is not on this machine"));
        }
        let ready = self.ready_again(name).await?;
        let wait_s = self.stack(name)?.terraform.lock_timeout_s;
        let report = self.apply_once(name, &ready, plan, 0).await?;
        match report {
            Report::ApplyFailed(stack, failure, _)
                if wait_s > 0 && matches!(failure.kind, FailureKind::LockHeld(_)) =>
            {
                self.note_lock(&stack, &failure, wait_s);
                self.apply_once(name, &ready, plan, wait_s).await
            }
            report => Ok(report),
        }
    }

    /// Between plan and apply the stack is ready as it was, also after a restart. Only where nothing tells how that was, it is
    /// made ready anew: newer code must neither take the place of the code that a living Terraform works with, nor be told as
    /// what a saved plan was made from.
    pub(super) async fn ready_again(&self, name: &StackName) -> Result<Ready, Failure> {
        if let Some(ready) = self.remembered(name) {
            return Ok(ready);
        }
        let stack = self.stack(name)?;
        let variables = match self.request.goal(&self.environment, stack) {
            Goal::Apply(variables) | Goal::Destroy { instead: variables } => variables,
        };
        self.know_secrets(stack).await;
        match self.ready_as_it_was(name, &variables) {
            Some(ready) => Ok(ready),
            None => self.prepare(name, &variables, InitWish::WhereNeeded).await,
        }
    }

    async fn apply_once(
        &self,
        name: &StackName,
        ready: &Ready,
        plan: &StackPlan,
        lock_timeout_s: u32,
    ) -> Result<Report, Failure> {
        self.has_the_run().await?;
        self.writes(name);
        let args = command::apply(&self.plan_file(name), lock_timeout_s, self.stack(name)?.terraform.parallelism);
        let redactor = &ready.redactor;
        let mut fold = Resources { run: self, stack: name, fold: ApplyFold::new(&plan.changes), skip: 0, redactor };
        let ended = self.run(name, ready, "apply", args, |line| fold.take(line)).await?;
        let report = self.unless_unsaved(name, ready, fold.report(&ended));
        Ok(self.with_head(name, plan, ready, report).await)
    }

    /// With how the apply left the state: its serial, so that the next run can tell whether others wrote it meanwhile, and the lineage of one that
    /// it made, which no plan has told yet. Of a state in which all was destroyed neither matters.
    async fn with_head(&self, name: &StackName, plan: &StackPlan, ready: &Ready, mut report: Report) -> Report {
        if let Report::Applied(_, applied) | Report::ApplyFailed(_, _, applied) = &mut report
            && !plan.destroy
        {
            let head = self.head(name, ready).await;
            applied.serial = head.serial;
            applied.lineage = head.lineage.filter(|_| plan.lineage.is_none());
        }
        report
    }

    /// The head of a stack's state; an empty one where it cannot be told.
    pub(super) async fn head(&self, name: &StackName, ready: &Ready) -> StateHead {
        let workspace = self.environment.stacks.get(name).and_then(|stack| stack.workspace.as_deref());
        let data_dir = self.paths.data(&self.environment.name, name);
        if let Some(state) = local_state(&data_dir, &ready.root, workspace) {
            return StateHead::of_file(&state);
        }
        match self.state(name, ready).await {
            Ok(text) => StateHead::of_text(&text),
            Err(failure) => {
                tracing::warn!(stack = %name, why = failure.summary, "how its state was left is not known");
                StateHead::default()
            }
        }
    }

    /// The last look before an apply is started. That it begins was stored while the run was ours; since then this process may
    /// have stood still, or the state lock may have been waited for, and somebody else may have been told how the run ended.
    pub(super) async fn has_the_run(&self) -> Result<(), Failure> {
        loop {
            match runs::is_held(&self.claim.store, self.claim.run, &self.claim.fence).await {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    let summary = "another process has taken the run over; nothing is applied here";
                    return Err(Failure::new(FailureKind::Interrupted, summary));
                }
                Err(error) => tracing::warn!(%error, "an apply is not begun before the ledger answers; asking again"),
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    async fn follow_again(
        &self,
        name: &StackName,
        plan: &StackPlan,
        dir: &Path,
        stored: usize,
    ) -> Result<Report, Failure> {
        let child = Child::attach(dir).into_child();
        let ready = self.ready_again(name).await?;
        let redactor = &ready.redactor;
        let mut fold =
            Resources { run: self, stack: name, fold: ApplyFold::new(&plan.changes), skip: stored, redactor };
        let ended = self.follow(name, &ready, child, Hearing::at_start("apply"), |line| fold.take(line)).await?;
        let report = self.unless_unsaved(name, &ready, fold.report(&ended));
        Ok(self.with_head(name, plan, &ready, report).await)
    }
}

/// The fold of an apply, whose resource events go to the driver as they come.
struct Resources<'a> {
    run: &'a RunContext,
    stack: &'a StackName,
    fold: ApplyFold,
    /// Events that were stored before a restart: the child's output is read again from its first line.
    skip: usize,
    redactor: &'a Redactor,
}

impl Resources<'_> {
    fn take(&mut self, line: &Line) {
        let Some(resource) = self.fold.take(line) else { return };
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.tell(resource);
    }

    fn tell(&self, resource: ResourceEvent) {
        self.run.event(RunEvent::Resource { stack: self.stack.clone(), resource });
    }

    fn report(self, ended: &Ended) -> Report {
        let stack = self.stack.clone();
        let (mut applied, failure) = self.fold.finish(&ended.exit, ended.stop_asked, &ended.stderr);
        let outputs = std::mem::take(&mut applied.outputs);
        applied.outputs = outputs.into_iter().map(|output| self.redactor.redact_output(output)).collect();
        match failure {
            None => Report::Applied(stack, applied),
            Some(_) if ended.exit == Exit::Lost => {
                let done = applied.done.len();
                let doubt: Vec<&str> = applied.in_doubt.iter().map(|change| change.address.as_str()).collect();
                let doubt = if doubt.is_empty() {
                    String::new()
                } else {
                    format!("; begun and not heard of: {}", doubt.join(", "))
                };
                Report::Lost(
                    stack,
                    format!(
                        "Terraform and its supervisor are gone in mid-apply; {done} changes were reported done{doubt}"
                    ),
                )
            }
            Some(failure) => Report::ApplyFailed(stack, failure, applied),
        }
    }
}
