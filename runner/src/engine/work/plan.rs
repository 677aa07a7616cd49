//! Plans one stack: ready it, `plan`, and where Terraform asks for it `init` and again.

use std::path::Path;

use super::child::Ended;
use super::prepare::InitWish;
use super::{Ready, Report, RunContext};
use crate::capacity::GROUP;
use crate::domain::by_hand::HandArgs;
use crate::domain::changes::{Action, Change, StackPlan};
use crate::domain::environment::Variables;
use crate::domain::failure::{Failure, FailureKind, LockHolder};
use crate::domain::ids::StackName;
use crate::domain::protect::protects;
use crate::domain::request::Goal;
use crate::domain::run::{Note, Phase, RunEvent};
use crate::root::Folder;
use crate::terraform::command::{self, PlanArgs};
use crate::terraform::{
    Diagnostics, OutOfBounds, PlanFold, StateHead, check_plan_file, failure_of, out_of_bounds, state_names, values,
};
use crate::terraform::{drift, init};

/// Which plan is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// To bring the stack where it should be.
    Change,
    /// To destroy it.
    Destroy,
    /// Only to see what others changed.
    Refresh,
    /// Only to see what [`How::Change`] would do: without the state lock, and never applied.
    Glance,
}

/// Plans `stack` as the run wants it and reports the plan. Saved where [`super::apply()`] finds it. `begun`: applying has begun, so
/// that whatever had to be asked was answered; before that nothing is changed, not even a mark in the state.
pub async fn plan(run: &RunContext, stack: StackName, begun: bool) {
    let result = run.plan_keeping(&stack, begun).await;
    let result = run.unless_never_applied(&stack, result);
    if let Ok(plan) = &result
        && !begun
        && !run.request.kind.is_of_others()
    {
        Box::pin(run.note_needs(&stack, plan)).await;
        run.note_end(&stack, plan).await;
    }
    run.report(Report::Planned(stack, result));
}

/// Plans `stack` only to see what is left to do. A state lock that is in the way is broken where `is_dead` says that nobody alive
/// holds it, and a state that its apply could not save is saved.
pub async fn look(
    run: &RunContext,
    stack: &StackName,
    is_dead: impl Fn(&LockHolder) -> bool,
) -> Result<StackPlan, Failure> {
    let planned = match run.plan_goal(stack).await {
        Err(Failure { kind: FailureKind::LockHeld(holder), .. }) if is_dead(&holder) => {
            run.break_lock(stack, &holder.id).await?;
            run.plan_goal(stack).await
        }
        result => result,
    };
    match planned {
        Err(Failure { kind: FailureKind::LockHeld(_), .. }) => planned,
        planned if !run.save_left(stack).await? => planned,
        _ => run.plan_goal(stack).await,
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

    /// Keeps groups whose making came up short: Terraform would destroy what is in service of them and begin anew. Before anything is
    /// applied the plan only tells that; then they are untainted, and planned again.
    ///
    /// A group that somebody tainted by hand looks the same. That it is kept is told, and can be undone; destroyed slaves cannot.
    async fn plan_keeping(&self, name: &StackName, begun: bool) -> Result<StackPlan, Failure> {
        let plan = self.plan_goal(name).await?;
        let groups = tainted(&plan);
        if groups.is_empty() {
            return Ok(plan);
        }
        if !begun || self.request.kind.only_looks() {
            return Ok(plan.keeping(&groups));
        }
        self.untaint(name, &groups).await?;
        self.note(name, Note::Untainted { addresses: groups });
        let plan = self.plan_goal(name).await?;
        if !plan.has_work() {
            self.write_what_was_read(name).await?;
        }
        Ok(plan)
    }

    /// Applies a plan without any change, so that the state has what the plan read: of a group whose making failed it has no more than what was
    /// asked for, not even its ARN, and nobody could look what is in service of it.
    async fn write_what_was_read(&self, name: &StackName) -> Result<(), Failure> {
        let ready = self.ready_again(name).await?;
        let terraform = &self.stack(name)?.terraform;
        self.has_the_run().await?;
        let args = command::apply(&self.plan_file(name), terraform.lock_timeout_s, terraform.parallelism);
        let mut diagnostics = Diagnostics::default();
        // By a name of its own: nothing that people said yes to depends on it, and nobody has to follow it after a crash.
        let ended = self.run(name, &ready, "refresh", args, |line| diagnostics.take(line)).await?;
        if ended.exit.is_success() {
            return Ok(());
        }
        Err(failure_of(&diagnostics, &ended.exit, ended.stop_asked, &ended.stderr))
    }

    async fn plan_goal(&self, name: &StackName) -> Result<StackPlan, Failure> {
        let stack = self.stack(name)?;
        if self.request.kind.is_of_others() {
            return Box::pin(self.plan_others(name)).await;
        }
        match self.request.goal(&self.environment, stack) {
            Goal::Apply(variables) => self.plan_with(name, &variables, How::Change).await,
            Goal::Destroy { instead } => {
                let planned = self.plan_with(name, &instead, How::Destroy).await;
                let kept = match &planned {
                    Ok(plan) => self.protected(plan),
                    // Terraform refuses before it tells what would go: what is protected here as well is to be kept, not to fail for.
                    Err(failure) if failure.kind == FailureKind::PreventDestroy => {
                        self.of_protect(failure.kept.iter()).cloned().collect()
                    }
                    Err(_) => Vec::new(),
                };
                if kept.is_empty() {
                    return planned;
                }
                self.note(name, Note::Protected { addresses: kept.clone() });
                let lowered = self.plan_with(name, &instead, How::Change).await?;
                Ok(StackPlan { kept_for: kept, ..lowered })
            }
        }
    }

    fn protected(&self, plan: &StackPlan) -> Vec<String> {
        let gone = plan.changes.iter().filter(|change| change.action == Action::Delete).map(|change| &change.address);
        self.of_protect(gone).cloned().collect()
    }

    /// Those that `protect` names.
    fn of_protect<'a>(&'a self, addresses: impl Iterator<Item = &'a String>) -> impl Iterator<Item = &'a String> {
        addresses.filter(|address| self.environment.protect.iter().any(|pattern| protects(pattern, address)))
    }

    /// One `plan`, with a second try after `init` when Terraform says that it is not initialised.
    pub(super) async fn plan_with(
        &self,
        name: &StackName,
        variables: &Variables,
        how: How,
    ) -> Result<StackPlan, Failure> {
        let ready = self.prepare(name, variables, InitWish::WhereNeeded).await?;
        match self.plan_ready(name, &ready, how).await {
            Err(failure) if failure.kind == FailureKind::NotInitialised => {
                let data_dir = self.paths.data(&self.environment.name, name);
                if let Err(error) = init::forget(&data_dir) {
                    tracing::warn!(stack = %name, %error, "the record of the last init cannot be removed");
                }
                let ready = self.prepare(name, variables, InitWish::Always).await?;
                self.plan_ready(name, &ready, how).await
            }
            result => result,
        }
    }

    async fn plan_ready(&self, name: &StackName, ready: &Ready, how: How) -> Result<StackPlan, Failure> {
        self.event(RunEvent::StackStarted { stack: name.clone(), phase: Phase::Plan });
        self.is_its_own(name, ready).await?;
        if how == How::Destroy {
            self.note_places(name, ready).await?;
        }
        let wait_s = self.stack(name)?.terraform.lock_timeout_s;
        match self.plan_once(name, ready, how, 0).await {
            Err(failure) if wait_s > 0 && matches!(failure.kind, FailureKind::LockHeld(_)) => {
                self.note_lock(name, &failure, wait_s);
                self.plan_once(name, ready, how, wait_s).await
            }
            result => result,
        }
    }

    async fn plan_once(
        &self,
        name: &StackName,
        ready: &Ready,
        how: How,
        lock_timeout_s: u32,
    ) -> Result<StackPlan, Failure> {
        let out = self.plan_file(name);
        let var_file = self.variables_file(name);
        let parallelism = self.stack(name)?.terraform.parallelism;
        let by_hand = match self.request.by_hand.as_ref().map(|by_hand| &by_hand.args) {
            Some(HandArgs::Apply { replace, .. }) => replace.as_slice(),
            Some(_) | None => &[],
        };
        let half_made = self.half_made.get(name).into_iter().flatten();
        let replace: Vec<String> = half_made.chain(by_hand).cloned().collect();
        let (out_file, replace) = (out.as_path(), replace.as_slice());
        let args = command::plan(&PlanArgs {
            out: out_file,
            var_file: &var_file,
            lock_timeout_s,
            destroy: how == How::Destroy,
            refresh_only: how == How::Refresh,
            replace,
            parallelism,
        });
        let args = if how == How::Glance { command::without_lock(args) } else { args };
        let mut fold = PlanFold::new(how == How::Destroy);
        let Ended { exit, stop_asked, stderr } = self.run(name, ready, "plan", args, |line| fold.take(line)).await?;
        let missing = fold.diagnostics().missing_of_locals();
        let mut plan = match fold.finish(&exit, stop_asked, &stderr) {
            Ok(plan) => plan,
            Err(failure) if is_of_upstream(&ready.root, &missing) => {
                return Err(Failure { kind: FailureKind::UpstreamMissing, ..*failure });
            }
            Err(failure) => return Err(*failure),
        };
        check_plan_file(&out).map_err(|failure| *failure)?;
        if how == How::Refresh {
            plan = self.of_others(name, &out, plan);
        } else if !plan.drift.is_empty() {
            plan.drift = drift::watched(&out, plan.drift);
        }
        let StateHead { serial, lineage } = StateHead::of_plan(&out);
        let left = self.states_left.get(name).cloned();
        // What was written by us since then is nothing that others did.
        let left_at = left.as_ref().and_then(|left| left.at).filter(|_| !self.has_written(name));
        let (least_serial, left_lineage) = left.map(|left| (left.serial, left.lineage)).unzip();
        let left_lineage = left_lineage.flatten();
        let made = plan.changes.iter().any(|change| is_group(&change.address));
        let scales = how != How::Refresh && (made || state_names(&out, GROUP));
        if scales && let Some(group) = out_of_bounds(&out).first() {
            return Err(beyond_bounds(group));
        }
        let values = if how == How::Refresh { plan.values.clone() } else { values(&out) };
        Ok(StackPlan { serial, least_serial, lineage, left_lineage, left_at, values, scales, ..plan })
    }

    async fn untaint(&self, name: &StackName, groups: &[String]) -> Result<(), Failure> {
        let ready = self.ready_again(name).await?;
        let wait_s = self.stack(name)?.terraform.lock_timeout_s;
        for address in groups {
            self.has_the_run().await?;
            self.writes(name);
            let args = command::untaint(address, wait_s);
            let mut diagnostics = Diagnostics::default();
            let ended = self.run(name, &ready, "untaint", args, |line| diagnostics.take(line)).await?;
            if !ended.exit.is_success() {
                let failure = failure_of(&diagnostics, &ended.exit, ended.stop_asked, &ended.stderr);
                let detail = format!(
                    "{address} is tainted, and to apply now would destroy what is in service of it\n{}",
                    failure.detail
                );
                return Err(failure.with_detail(detail));
            }
            tracing::warn!(stack = %name, %address, "untainted, so that what is in service of it is kept");
        }
        Ok(())
    }

    /// Says whose lock is waited for. The first try does not wait, so that the holder is known from the start.
    pub(super) fn note_lock(&self, name: &StackName, failure: &Failure, wait_s: u32) {
        if let FailureKind::LockHeld(holder) = &failure.kind {
            self.note(name, Note::LockHeld { holder: holder.clone(), wait_s });
        }
    }
}

/// Nothing is applied for it: AWS refuses, and its provider asks again for ten minutes.
fn beyond_bounds(OutOfBounds { address, desired, least, most }: &OutOfBounds) -> Failure {
    let (bound, by, other) = if desired > most {
        (format!("`max_size` is {most}"), "at most", most)
    } else {
        (format!("`min_size` is {least}"), "at least", least)
    };
    let summary = format!("an Auto Scaling group would be of {desired}, and its {bound}");
    let detail = format!(
        "AWS takes no group beyond its own bounds. Ask for {by} {other}, or change what sets that bound in the Terraform files or in `variables`."
    );
    Failure { address: Some(address.clone()), ..Failure::new(FailureKind::Configuration, summary) }.with_detail(detail)
}

/// Whether one of these locals of the root is made of what an upstream stack puts out.
fn is_of_upstream(root: &Path, locals: &[String]) -> bool {
    if locals.is_empty() {
        return false;
    }
    let upstream = Folder::list(root).map(|folder| folder.locals_of("terraform_remote_state")).unwrap_or_default();
    locals.iter().any(|local| upstream.contains(local))
}

/// Groups that a plan would make anew because their making came up short.
fn tainted(plan: &StackPlan) -> Vec<String> {
    let tainted = |change: &&Change| {
        change.action == Action::Replace && change.reason.as_deref() == Some("tainted") && is_group(&change.address)
    };
    plan.changes.iter().filter(tainted).map(|change| change.address.clone()).collect()
}

/// Whether an address is that of an Auto Scaling group: `module.a["b.c"].aws_autoscaling_group.slaves[0]`. Its type has a dot on both
/// sides and stands in no key.
fn is_group(address: &str) -> bool {
    let outside: String = {
        let (mut inside, mut text) = (false, String::new());
        for c in address.chars() {
            match c {
                '[' => inside = true,
                ']' => inside = false,
                c if !inside => text.push(c),
                _ => {}
            }
        }
        text
    };
    let mut parts = outside.rsplit('.');
    parts.next().is_some() && parts.next() == Some(GROUP) && parts.next() != Some("data")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_told_by_the_type_in_its_address() {
        for (address, is) in [
            ("aws_autoscaling_group.slaves", true),
            ("module.a[\"x\"].aws_autoscaling_group.slaves[\"b\"]", true),
            ("data.aws_autoscaling_group.slaves", false),
            ("terraform_data.aws_autoscaling_group", false),
            ("aws_instance.a[\"aws_autoscaling_group.x\"]", false),
            ("aws_autoscaling_group_tag.slaves", false),
            ("", false),
        ] {
            assert_eq!(is_group(address), is, "{address}");
        }
    }
}
