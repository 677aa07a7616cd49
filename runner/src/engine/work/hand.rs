//! What somebody gives Terraform by hand to do with one stack: with the code, workspace, backend, variables and lock of any run.

use super::others::{nothing, plan_of};
use super::plan::How;
use super::prepare::InitWish;
use super::{Ready, Report, RunContext};
use crate::domain::by_hand::{BY_HAND, HandArgs};
use crate::domain::changes::StackPlan;
use crate::domain::environment::Variables;
use crate::domain::failure::{Applied, Failure, FailureKind};
use crate::domain::ids::StackName;
use crate::terraform::{Diagnostics, addresses, command, failure_of};

impl RunContext {
    /// Looks, where it is only a look; else what would be done, for the yes.
    pub(super) async fn plan_by_hand(
        &self,
        name: &StackName,
        variables: &Variables,
        args: &HandArgs,
    ) -> Result<StackPlan, Failure> {
        if let HandArgs::Apply { refresh_only, .. } = args {
            let how = if *refresh_only { How::Refresh } else { How::Change };
            return self.plan_with(name, variables, how).await;
        }
        let ready = self.prepare(name, variables, InitWish::WhereNeeded).await?;
        if args.only_looks() {
            self.say_to_terraform(name, &ready, args).await?;
            return Ok(nothing());
        }
        let state = self.state(name, &ready).await?;
        let state = addresses(&state).map_err(|error| {
            let summary = format!("what is in the state of {name} cannot be read");
            Failure::new(FailureKind::CannotLook, summary).with_detail(error.to_string())
        })?;
        let head = self.head(name, &ready).await;
        let left = self.states_left.get(name);
        Ok(StackPlan {
            serial: head.serial,
            lineage: head.lineage,
            least_serial: left.map(|left| left.serial),
            left_lineage: left.and_then(|left| left.lineage.clone()),
            left_at: left.and_then(|left| left.at).filter(|_| !self.has_written(name)),
            ..plan_of(args.changes_in(&state))
        })
    }

    /// Changes the state, and nothing else.
    pub(super) async fn change_state(&self, name: &StackName, args: &HandArgs) -> Result<Report, Failure> {
        let ready = self.ready_again(name).await?;
        self.has_the_run().await?;
        self.writes(name);
        if let Err(failure) = self.say_to_terraform(name, &ready, args).await {
            return Ok(Report::ApplyFailed(name.clone(), failure, Applied::default()));
        }
        let serial = self.head(name, &ready).await.serial;
        Ok(Report::Applied(name.clone(), Applied { serial, ..Applied::default() }))
    }

    async fn say_to_terraform(&self, name: &StackName, ready: &Ready, args: &HandArgs) -> Result<(), Failure> {
        let wait_s = self.stack(name)?.terraform.lock_timeout_s;
        let line = command::by_hand(args, &self.variables_file(name), wait_s);
        let mut diagnostics = Diagnostics::default();
        let ended = self.run(name, ready, BY_HAND, line, |line| diagnostics.take(line)).await?;
        if ended.exit.is_success() {
            return Ok(());
        }
        Err(failure_of(&diagnostics, &ended.exit, ended.stop_asked, &ended.stderr))
    }
}
