//! What carrying out runs needs of the state folder: made sure of before this process becomes the engine, and missed in words for
//! people when it goes later.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::{EngineError, Shared};
use crate::account;
use crate::domain::answer::RunSummary;
use crate::domain::run::{Outcome, RunEvent, RunState};
use crate::ledger::runners;
use crate::ledger::runs::{self, Fence};
use crate::paths::Paths;
use crate::standing;

/// The state folder cannot be used: where, and why not.
#[derive(Debug, thiserror::Error)]
#[error("the state folder cannot be used: {}", why(path, source))]
pub struct NoFoothold {
    path: PathBuf,
    source: io::Error,
}

impl NoFoothold {
    pub(super) fn at(path: &Path, source: io::Error) -> Self {
        Self { path: path.to_owned(), source }
    }
}

fn why(path: &Path, error: &io::Error) -> String {
    let shown = path.display();
    if path.extension().is_some_and(|extension| extension == LOCK) {
        let owner = account::owner_of(path).map(|owner| format!("; it belongs to {owner}")).unwrap_or_default();
        return format!("{shown} cannot be used as a lock ({error}{owner})");
    }
    if path.symlink_metadata().is_ok() && !path.is_dir() {
        return format!("{shown} is not a folder");
    }
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let owner = account::owner_of(path).map(|owner| format!("; it belongs to {owner}")).unwrap_or_default();
            format!("{} may not write to {shown} ({error}{owner})", account::own())
        }
        _ => format!("nothing can be made in {shown} ({error})"),
    }
}

/// What the name of a run's lock file ends with.
pub(super) const LOCK: &str = "driver";

/// Makes the folders that carrying out runs writes to, and tries to write to each.
///
/// # Errors
/// The first that cannot be used.
pub fn make_sure_of_state_folder(paths: &Paths) -> Result<(), NoFoothold> {
    paths.written().iter().try_for_each(|folder| try_out(folder).map_err(|error| NoFoothold::at(folder, error)))
}

fn try_out(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    // Modes do not tell: there are superusers, immutable folders, disks that are read-only.
    let trial = folder.join(format!(".trial-{}", std::process::id()));
    File::create(&trial)?;
    std::fs::remove_file(&trial)
}

/// Ends a run that cannot be driven here because of `lost`, where nothing of it was applied: it would be tried again and again, and
/// nobody would hear why. One that has begun stays as it is, to be taken up again, and so does one that a runner elsewhere can take.
pub(super) async fn give_up(
    shared: &Shared,
    run: &RunSummary,
    fence: &Fence,
    lost: NoFoothold,
) -> Result<(), EngineError> {
    let ended = end_or_leave(shared, run, fence, lost).await;
    // This engine ends by a folder that no run can use, and nobody takes anything here until it can be used: one bad folder must not
    // end the whole queue. What only this run cannot use is no reason to leave the others.
    if let Err(everybodys) = make_sure_of_state_folder(&shared.paths) {
        let _ = shared.no_foothold.set(everybodys.to_string());
    }
    ended
}

async fn end_or_leave(shared: &Shared, run: &RunSummary, fence: &Fence, lost: NoFoothold) -> Result<(), EngineError> {
    let Some(view) = runs::view(&shared.store, run.id).await? else { return Ok(()) };
    let RunState::Planning { stop, .. } = &view.state else { return Err(EngineError::State(lost)) };
    // Another runner takes it over when our lease on it ends.
    let lease_ms = i64::from(shared.config().runner.lease_s) * 1_000;
    if runners::alive(&shared.store, lease_ms).await?.iter().any(|other| other.host != shared.host) {
        return Err(EngineError::State(lost));
    }
    let outcome = if stop.is_some() { Outcome::Cancelled } else { Outcome::Failed };
    tracing::error!(run.number = run.number.0, error = %lost, "a run is given up: nothing of it was applied");
    let end = RunEvent::ended_as(outcome, lost.to_string());
    let config = shared.config();
    let environment = config.environments.get(&view.request.environment);
    let mut tx = shared.store.begin().await?;
    standing::append(&mut tx, run, environment, &[end], Some(fence)).await?;
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_folder_is_tried_out_and_nothing_is_left_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = Paths::new(&folder.path().join("state"));
        make_sure_of_state_folder(&paths).expect("folders");
        for written in paths.written() {
            assert_eq!(std::fs::read_dir(written).expect("a folder").count(), 0);
        }
    }

    #[test]
    fn what_is_no_folder_is_told_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = Paths::new(folder.path());
        std::fs::write(paths.runs(), "").expect("a file");
        let told = make_sure_of_state_folder(&paths).expect_err("no folder").to_string();
        assert_eq!(told, format!("the state folder cannot be used: {} is not a folder", paths.runs().display()));
    }
}
