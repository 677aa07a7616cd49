//! A state that Terraform could not save: it leaves it in the root module's folder, and whoever goes on with the older one makes anew what is
//! there already. Source: `internal/backend/local/backend_apply.go` (`backupStateForError`).

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Ready, Report, RunContext};
use crate::domain::failure::Failure;
use crate::domain::ids::StackName;
use crate::terraform::{Diagnostics, command, failure_of};

/// Where Terraform leaves it, relative to the root module.
pub(super) const ERRORED: &str = "errored.tfstate";

/// What Terraform says of a state that is older than the saved one. Source: `CheckValidImport` in its `internal/states/statemgr`.
const OVERTAKEN: &str = "over newer state with serial";

impl RunContext {
    /// The report of an apply, unless it could not save its state: nobody knows what became of it then, until somebody has it looked at.
    pub(super) fn unless_unsaved(&self, name: &StackName, ready: &Ready, report: Report) -> Report {
        let file = ready.root.join(ERRORED);
        let modified = |path: &Path| -> Option<SystemTime> { path.metadata().ok()?.modified().ok() };
        // One from before this run's plan is somebody else's.
        let is_of_it = modified(&file).is_some_and(|at| modified(&self.plan_file(name)).is_some_and(|plan| at >= plan));
        let Report::ApplyFailed(_, failure, applied) = &report else { return report };
        if !is_of_it {
            return report;
        }
        let done = applied.done.len();
        let why = format!(
            "its state could not be saved ({}) and lies in {} until it is; {done} changes were reported done",
            failure.summary.trim_end_matches('.'),
            file.display()
        );
        Report::Lost(name.clone(), why)
    }

    /// Saves the state that an apply of `stack` left behind. False where there is none, or what is saved by now is newer: then it is of an
    /// apply before that, and stays where it is. Terraform itself refuses one of another state.
    pub(super) async fn save_left(&self, name: &StackName) -> Result<bool, Failure> {
        let ready = self.ready_again(name).await?;
        let file = ready.root.join(ERRORED);
        if !file.exists() {
            return Ok(false);
        }
        self.has_the_run().await?;
        self.writes(name);
        let args = command::state_push(ERRORED, self.stack(name)?.terraform.lock_timeout_s);
        let mut diagnostics = Diagnostics::default();
        let ended = self.run(name, &ready, "push", args, |line| diagnostics.take(line)).await?;
        if !ended.exit.is_success() {
            let failure = failure_of(&diagnostics, &ended.exit, ended.stop_asked, &ended.stderr);
            if failure.summary.contains(OVERTAKEN) {
                tracing::warn!(stack = %name, file = %file.display(), "a state that an apply left is older than the saved one");
                return Ok(false);
            }
            let summary = format!("the state in {} cannot be saved: {}", file.display(), failure.summary);
            return Err(Failure { summary, ..failure });
        }
        tracing::warn!(stack = %name, "a state that an apply could not save is saved");
        remove(&file);
        Ok(true)
    }
}

/// What was saved has secrets in it, and a later apply that fails would be told by it.
fn remove(file: &PathBuf) {
    if let Err(error) = std::fs::remove_file(file) {
        tracing::error!(file = %file.display(), %error, "the state that was saved cannot be removed here");
    }
}
