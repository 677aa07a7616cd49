//! The end of a stack that is not to be used again: nothing is left in its state, nothing carries its tags, and workspace, state file,
//! Terraform's own data and the code go too. Done again after a crash it finds less to do.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::child::storage;
use super::others::{Swept, nothing};
use super::prepare::InitWish;
use super::{Ready, RunContext};
use crate::domain::changes::StackPlan;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::ids::StackName;
use crate::domain::made::LEFT_NAMED_MAX;
use crate::domain::request::Goal;
use crate::domain::run::Note;
use crate::ledger::made;
use crate::terraform::{Diagnostics, command, failure_of, local_state};

/// What of a state tells whether anything is left.
///
/// Source of the format: Terraform's `internal/states/statefile/version4.go`.
#[derive(Default, Deserialize)]
struct State {
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(default)]
    module: String,
    mode: String,
    r#type: String,
    name: String,
    #[serde(default)]
    instances: Vec<serde_json::Value>,
}

/// Addresses of what a state has, with how many instances where that is not one. What is only read is not left by anybody.
fn left_in(state: &[u8]) -> Result<Vec<String>, serde_json::Error> {
    // Of a workspace in which nothing was ever applied there is none.
    let state: State = if state.trim_ascii().is_empty() { State::default() } else { serde_json::from_slice(state)? };
    let managed =
        state.resources.into_iter().filter(|resource| resource.mode == "managed" && !resource.instances.is_empty());
    Ok(managed
        .map(|Resource { module, r#type, name, instances, .. }| {
            let module = if module.is_empty() { String::new() } else { format!("{module}.") };
            let count = if instances.len() == 1 { String::new() } else { format!(" ({})", instances.len()) };
            format!("{module}{type}.{name}{count}")
        })
        .collect())
}

fn unreadable(name: &StackName, error: &serde_json::Error) -> Failure {
    let summary = format!("what is in the state of {name} cannot be read, so whether anything is left cannot be told");
    Failure::new(FailureKind::CannotLook, summary).with_detail(error.to_string())
}

/// Whether it fails in the same way the next time, as far as anybody knows: it is not the connection, a lock, or somebody who stops it.
fn is_lasting(kind: &FailureKind) -> bool {
    match kind {
        FailureKind::Configuration
        | FailureKind::Terraform
        | FailureKind::NotInitialised
        | FailureKind::UpstreamMissing
        | FailureKind::NoWorkspace
        | FailureKind::Credentials
        | FailureKind::NoStateBucket
        | FailureKind::StateUnread => true,
        FailureKind::LockHeld(_)
        | FailureKind::StalePlan
        | FailureKind::PreventDestroy
        | FailureKind::CouldNotStart
        | FailureKind::Signal { .. }
        | FailureKind::NoReason { .. }
        | FailureKind::OutputNotUnderstood
        | FailureKind::Lost
        | FailureKind::Interrupted
        | FailureKind::Storage
        | FailureKind::Fault
        | FailureKind::NotReady
        | FailureKind::CannotLook
        | FailureKind::Left => false,
    }
}

/// `a, b, c and 2 more`
fn named(all: &[String]) -> String {
    let first: Vec<&str> = all.iter().take(LEFT_NAMED_MAX).map(String::as_str).collect();
    let more = all.len().saturating_sub(LEFT_NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", first.join(", "))
}

impl RunContext {
    /// Refuses a state in which something is though nothing was ever applied to it for this environment: it is somebody else's.
    pub(super) async fn is_its_own(&self, name: &StackName, ready: &Ready) -> Result<(), Failure> {
        if !self.untouched.contains(name) {
            return Ok(());
        }
        let left = left_in(&self.state(name, ready).await?).map_err(|error| unreadable(name, &error))?;
        if left.is_empty() {
            return Ok(());
        }
        let summary = format!("the state of {name} is not this environment's: there is something in it already");
        let detail = format!("{}. Give what is made another name, or clear that state away by hand.", named(&left));
        Err(Failure::new(FailureKind::Configuration, summary).with_detail(detail))
    }

    /// What cannot be planned keeps nothing of which nothing was ever applied from ending: there is nothing to destroy.
    pub(super) fn unless_never_applied(
        &self,
        name: &StackName,
        planned: Result<StackPlan, Failure>,
    ) -> Result<StackPlan, Failure> {
        match planned {
            Err(failure) if self.request.clears && self.untouched.contains(name) && is_lasting(&failure.kind) => {
                tracing::info!(stack = %name, why = failure.summary, "nothing was ever applied of what cannot be planned");
                Ok(StackPlan { destroy: true, ..nothing() })
            }
            planned => planned,
        }
    }

    /// Clears a stack away of which everything was destroyed, and says so in words. Of one to which nothing was ever applied nothing is left,
    /// whatever is in the state that it was to have: that is somebody else's, and stays.
    pub(super) async fn clear(&self, name: &StackName) -> Result<String, Failure> {
        match self.clear_all(name).await {
            Err(failure) if self.untouched.contains(name) && is_lasting(&failure.kind) => {
                self.remove_folders(name)?;
                Ok(format!("nothing was ever applied to it, and its state is left as it is: {}", failure.summary))
            }
            cleared => cleared,
        }
    }

    async fn clear_all(&self, name: &StackName) -> Result<String, Failure> {
        let stack = self.stack(name)?;
        let data_dir = self.paths.data(&self.environment.name, name);
        let mut ready = self.ready_again(name).await?;
        // Whoever cleared before us may have died half way.
        if !ready.root.is_dir() || !data_dir.is_dir() {
            let (Goal::Apply(variables) | Goal::Destroy { instead: variables }) =
                self.request.goal(&self.environment, stack);
            ready = self.prepare(name, &variables, InitWish::WhereNeeded).await?;
        }
        self.select_workspace(name, stack, &ready, &data_dir).await?;
        let left = left_in(&self.state(name, &ready).await?).map_err(|error| unreadable(name, &error))?;
        if !left.is_empty() {
            let summary = format!("{} left in the state of {name}: {}", left.len(), named(&left));
            let own = if self.untouched.contains(name) { FailureKind::Configuration } else { FailureKind::Left };
            return Err(Failure::new(own, summary));
        }
        let swept = self.clear_of_strays(name).await?;
        self.has_the_run().await?;
        let workspace = stack.workspace.as_deref().filter(|workspace| *workspace != "default");
        let gone = match workspace {
            Some(workspace) => {
                let state = local_state(&data_dir, &ready.root, Some(workspace));
                self.delete_workspace(name, workspace, &ready).await?;
                self.leave_no_empty_folder(state.as_deref()).await;
                format!("workspace {workspace} deleted")
            }
            None => match local_state(&data_dir, &ready.root, None) {
                Some(file) => {
                    remove_state(&file)?;
                    "state file deleted".to_owned()
                }
                None => "its state, which is empty, stays at its backend".to_owned(),
            },
        };
        self.remove_folders(name)?;
        Ok(format!("0 left; {gone}{swept}"))
    }

    fn remove_folders(&self, name: &StackName) -> Result<(), Failure> {
        for folder in [self.paths.data(&self.environment.name, name), self.paths.checkout(&self.environment.name, name)]
        {
            remove_folder(&folder)?;
            // That of the environment goes with the last of its stacks.
            if let Some(parent) = folder.parent() {
                let _ = std::fs::remove_dir(parent);
            }
        }
        Ok(())
    }

    /// Takes the folder of workspaces away where it is empty. As long as another one is there that was made, it may be about to lay
    /// its own workspace there.
    async fn leave_no_empty_folder(&self, state: Option<&Path>) {
        let workspaces = state.and_then(Path::parent).and_then(Path::parent);
        let alone = made::existing(&self.claim.store).await.is_ok_and(|existing| existing.all.len() <= 1);
        if let Some(folder) = workspaces.filter(|_| alone) {
            // One in which something lies stays.
            let _ = std::fs::remove_dir(folder);
        }
    }

    /// Fails where something carries the stack's tags that no state knows; says in words what could not be told.
    async fn clear_of_strays(&self, name: &StackName) -> Result<String, Failure> {
        match self.swept(name).await {
            Ok(None) => Ok(String::new()),
            Ok(Some(Swept { strays, elsewhere, .. })) if strays.is_empty() => {
                let elsewhere =
                    if elsewhere.is_empty() { String::new() } else { format!(", but {}", named(&elsewhere)) };
                Ok(format!("; nothing carries its tags{elsewhere}"))
            }
            Ok(Some(Swept { strays, elsewhere, doubt })) => {
                let all: Vec<String> = strays.iter().map(|of| of.stray.arn.clone()).collect();
                let strays = strays.into_iter().map(|of| of.stray).collect();
                self.note(name, Note::Swept { strays, elsewhere, doubt, unknown: None });
                let summary = format!("{} left that no state of {name} knows: {}", all.len(), named(&all));
                Err(Failure::new(FailureKind::Left, summary))
            }
            Err(why) if self.untouched.contains(name) => {
                Ok(format!("; nothing was ever applied to it, and AWS was not asked: {why}"))
            }
            // Nothing left is told only where it was looked.
            Err(why) => {
                let summary = format!("AWS could not be asked whether anything of {name} is left");
                Err(Failure::new(FailureKind::Left, summary).with_detail(why))
            }
        }
    }

    /// Terraform deletes no workspace that something is left in, and none that is selected.
    async fn delete_workspace(&self, name: &StackName, workspace: &str, ready: &Ready) -> Result<(), Failure> {
        let lock_s = self.stack(name)?.terraform.lock_timeout_s;
        for args in [command::workspace_select("default", false), command::workspace_delete(workspace, lock_s)] {
            let mut diagnostics = Diagnostics::default();
            let ended = self.run(name, ready, "workspace", args, |line| diagnostics.take(line)).await?;
            if !ended.exit.is_success() {
                return Err(failure_of(&diagnostics, &ended.exit, ended.stop_asked, &ended.stderr));
            }
        }
        Ok(())
    }
}

/// Removes a local state in which nothing is left, with its copy of before, unless somebody has it locked.
fn remove_state(file: &Path) -> Result<(), Failure> {
    let beside = |name: String| file.with_file_name(name);
    let own = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let lock = beside(format!(".{own}.lock.info"));
    if lock.exists() {
        let summary = format!("somebody has the state locked: {}", lock.display());
        return Err(Failure::new(FailureKind::Storage, summary));
    }
    for path in [beside(format!("{own}.backup")), file.to_owned()] {
        missing_is_fine(std::fs::remove_file(&path), &path)?;
    }
    Ok(())
}

fn remove_folder(folder: &PathBuf) -> Result<(), Failure> {
    missing_is_fine(std::fs::remove_dir_all(folder), folder)
}

fn missing_is_fine(removed: std::io::Result<()>, path: &Path) -> Result<(), Failure> {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(storage(format!("{} cannot be removed", path.display()), &error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_state_has_is_named_and_what_it_only_reads_or_has_no_more_is_not() {
        let resource = |module: &str, mode: &str, name: &str, instances: usize| {
            serde_json::json!({ "module": module, "mode": mode, "type": "terraform_data", "name": name,
                "instances": vec![serde_json::json!({ "attributes": {} }); instances] })
        };
        let state = serde_json::json!({ "version": 4, "resources": [
            resource("", "managed", "a", 1), resource("module.b", "managed", "c", 3), resource("", "data", "d", 1),
            resource("", "managed", "e", 0),
        ] });
        let left = left_in(state.to_string().as_bytes()).expect("a state");
        assert_eq!(left, ["terraform_data.a", "module.b.terraform_data.c (3)"]);
        assert_eq!(left_in(b" \n").expect("none"), Vec::<String>::new());
        assert!(left_in(b"{").is_err());
        let many: Vec<String> = (0..14).map(|at| at.to_string()).collect();
        assert!(named(&many).ends_with("11 and 2 more"), "{}", named(&many));
    }

    #[test]
    fn a_state_that_is_locked_stays_and_one_that_is_gone_is_no_failure() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("app.tfstate");
        std::fs::write(&file, "{}").expect("written");
        let lock = folder.path().join(".app.tfstate.lock.info");
        std::fs::write(&lock, "{}").expect("written");
        assert!(remove_state(&file).is_err() && file.exists());
        std::fs::remove_file(&lock).expect("removed");
        remove_state(&file).expect("removed");
        assert!(!file.exists());
        remove_state(&file).expect("gone already");
    }
}
