//! Plans one stack: ready it, `plan`, and where Terraform asks for it `init` and again.

use super::child::Ended;
use super::prepare::InitWish;
use super::{Ready, Report, RunContext};
use crate::domain::changes::{Action, StackPlan};
use crate::domain::environment::Variables;
use crate::domain::failure::{Failure, FailureKind, LockHolder};
use crate::domain::ids::StackName;
use crate::domain::protect::protects;
use crate::domain::request::Goal;
use crate::domain::run::{Note, Phase, RunEvent};
use crate::terraform::command::{self, PlanArgs};
use crate::terraform::init;
use crate::terraform::{Diagnostics, PlanFold, StateHead, check_plan_file, failure_of, values};

/// Plans `stack` as the run wants it and reports the plan. Saved where [`super::apply()`] finds it.
pub async fn plan(run: &RunContext, stack: StackName) {
    let result = run.plan_goal(&stack).await;
    run.report(Report::Planned(stack, result));
}

/// Plans `stack` only to see what is left to do. A state lock that is in the way is broken where `is_dead` says that nobody alive
/// holds it.
pub async fn look(
    run: &RunContext,
    stack: &StackName,
    is_dead: impl Fn(&LockHolder) -> bool,
) -> Result<StackPlan, Failure> {
    match run.plan_goal(stack).await {
        Err(Failure { kind: FailureKind::LockHeld(holder), .. }) if is_dead(&holder) => {
            run.break_lock(stack, &holder.id).await?;
            run.plan_goal(stack).await
        }
        result => result,
    }
}

impl RunContext {
    async fn break_lock(&self, name: &StackName, id: &str) -> Result<(), Failure> {
        let Some(ready) = self.remembered(name) else {
            return Err(Failure::new(FailureKind::Configuration, format!("{name} could not be made ready")));
        };
        let mut diagnostics = Diagnostics::default();
        let args = command::force_unlock(id);
        let ended = self.run(name, &ready, "force-unlock", args, |line| diagnostics.take(line)).await?;
        if ended.exit.is_success() {
            tracing::warn!(stack = %name, lock = id, "broke a state lock because somebody asked for it");
            Ok(())
        } else {
            Err(failure_of(&diagnostics, &ended.exit, ended.stop_asked, &ended.stderr))
        }
    }

    async fn plan_goal(&self, name: &StackName) -> Result<StackPlan, Failure> {
        let stack = self.stack(name)?;
        match self.request.goal(&self.environment, stack) {
            Goal::Apply(variables) => self.plan_with(name, &variables, false).await,
            Goal::Destroy { instead } => {
                let plan = self.plan_with(name, &instead, true).await?;
                let kept = self.protected(&plan);
                if kept.is_empty() {
                    return Ok(plan);
                }
                self.note(name, Note::Protected { addresses: kept.clone() });
                let lowered = self.plan_with(name, &instead, false).await?;
                Ok(StackPlan { kept_for: kept, ..lowered })
            }
        }
    }

    fn protected(&self, plan: &StackPlan) -> Vec<String> {
        let gone = plan.changes.iter().filter(|change| change.action == Action::Delete);
        gone.filter(|change| self.environment.protect.iter().any(|pattern| protects(pattern, &change.address)))
            .map(|change| change.address.clone())
            .collect()
    }

    /// One `plan`, with a second try after `init` when Terraform says that it is not initialised.
    async fn plan_with(&self, name: &StackName, variables: &Variables, destroy: bool) -> Result<StackPlan, Failure> {
        let ready = self.prepare(name, variables, InitWish::WhereNeeded).await?;
        match self.plan_ready(name, &ready, destroy).await {
            Err(failure) if failure.kind == FailureKind::NotInitialised => {
                let data_dir = self.paths.data(&self.environment.name, name);
                if let Err(error) = init::forget(&data_dir) {
                    tracing::warn!(stack = %name, %error, "the record of the last init cannot be removed");
                }
                let ready = self.prepare(name, variables, InitWish::Always).await?;
                self.plan_ready(name, &ready, destroy).await
            }
            result => result,
        }
    }

    async fn plan_ready(&self, name: &StackName, ready: &Ready, destroy: bool) -> Result<StackPlan, Failure> {
        self.event(RunEvent::StackStarted { stack: name.clone(), phase: Phase::Plan });
        let wait_s = self.stack(name)?.terraform.lock_timeout_s;
        match self.plan_once(name, ready, destroy, 0).await {
            Err(failure) if wait_s > 0 && matches!(failure.kind, FailureKind::LockHeld(_)) => {
                self.note_lock(name, &failure, wait_s);
                self.plan_once(name, ready, destroy, wait_s).await
            }
            result => result,
        }
    }

    async fn plan_once(
        &self,
        name: &StackName,
        ready: &Ready,
        destroy: bool,
        lock_timeout_s: u32,
    ) -> Result<StackPlan, Failure> {
        let out = self.plan_file(name);
        let var_file = self.variables_file(name);
        let parallelism = self.stack(name)?.terraform.parallelism;
        let replace: Vec<String> = self.half_made.get(name).into_iter().flatten().cloned().collect();
        let (out_file, replace) = (out.as_path(), replace.as_slice());
        let args = command::plan(&PlanArgs {
            out: out_file,
            var_file: &var_file,
            lock_timeout_s,
            destroy,
            replace,
            parallelism,
        });
        let mut fold = PlanFold::new(destroy);
        let Ended { exit, stop_asked, stderr } = self.run(name, ready, "plan", args, |line| fold.take(line)).await?;
        let plan = fold.finish(&exit, stop_asked, &stderr).map_err(|failure| *failure)?;
        check_plan_file(&out).map_err(|failure| *failure)?;
        let StateHead { serial, lineage } = StateHead::of_plan(&out);
        let left = self.states_left.get(name).cloned();
        let (least_serial, left_lineage) = left.map(|left| (left.serial, left.lineage)).unzip();
        let left_lineage = left_lineage.flatten();
        Ok(StackPlan { serial, least_serial, lineage, left_lineage, values: values(&out), ..plan })
    }

    /// Says whose lock is waited for. The first try does not wait, so that the holder is known from the start.
    pub(super) fn note_lock(&self, name: &StackName, failure: &Failure, wait_s: u32) {
        if let FailureKind::LockHeld(holder) = &failure.kind {
            self.note(name, Note::LockHeld { holder: holder.clone(), wait_s });
        }
    }
}
