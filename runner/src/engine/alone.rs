//! A run's folder on this machine: who may start children in it, and its removal.

use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::EngineError;
use super::foothold::NoFoothold;
use crate::domain::ids::RunNumber;
use crate::paths::Paths;

/// Between two tries.
const EVERY: Duration = Duration::from_millis(100);

/// The right to start children for a run on this machine: one holder at a time, whatever the ledger says. A driver that lost
/// its lease while it got a stack ready could otherwise start an apply that its successor knows nothing of. Given back when
/// dropped, also by the kernel after `kill -9`.
#[derive(Debug)]
pub(super) struct Alone {
    /// Held for its lock, which ends when the file is closed.
    _file: File,
    /// Beside the folder and not in it, so that it can be the last thing that goes.
    path: PathBuf,
    folder: PathBuf,
}

impl Alone {
    /// Waits until nobody else has it.
    pub(super) async fn with(paths: &Paths, run: RunNumber) -> Result<Self, EngineError> {
        loop {
            if let Some(alone) = Self::try_with(paths, run)? {
                return Ok(alone);
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// `None` when somebody else has it.
    pub(super) fn try_with(paths: &Paths, run: RunNumber) -> Result<Option<Self>, EngineError> {
        let (folder, path) = (paths.run(run), paths.driver(run));
        let take = || -> std::io::Result<Option<Self>> {
            std::fs::create_dir_all(paths.runs())?;
            loop {
                let file = File::options().create(true).truncate(false).write(true).open(&path)?;
                match file.try_lock() {
                    // Whoever had it before has removed it at the end: the lock of a file that nobody finds is worth nothing.
                    Ok(()) if !is_at(&file, &path)? => {}
                    Ok(()) => return Ok(Some(Self { _file: file, path: path.clone(), folder: folder.clone() })),
                    Err(TryLockError::WouldBlock) => return Ok(None),
                    Err(TryLockError::Error(error)) => return Err(error),
                }
            }
        };
        let unusable = if path.symlink_metadata().is_ok() { path.clone() } else { paths.runs() };
        take().map_err(|error| NoFoothold::at(&unusable, error).into())
    }

    /// Removes what only a living run needs: saved plans and raw output hold secrets in clear.
    pub(super) fn clean_up(self) {
        let gone = |result: std::io::Result<()>, path: &Path| match result {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(path = %path.display(), %error, "what a run left behind cannot be removed");
            }
            Ok(()) | Err(_) => {}
        };
        gone(std::fs::remove_dir_all(&self.folder), &self.folder);
        gone(std::fs::remove_file(&self.path), &self.path);
    }
}

/// Whether `file` is what `path` leads to.
pub(super) fn is_at(file: &File, path: &Path) -> std::io::Result<bool> {
    let held = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (held.dev(), held.ino())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: RunNumber = RunNumber(7);

    fn take(paths: &Paths) -> Option<Alone> {
        Alone::try_with(paths, RUN).expect("a folder")
    }

    #[test]
    fn one_at_a_time_has_a_run_also_after_what_it_left_was_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = Paths::new(folder.path());
        let first = take(&paths).expect("free");
        assert!(take(&paths).is_none());
        std::fs::create_dir_all(paths.run(RUN).join("app/plan-1")).expect("a folder");
        first.clean_up();
        assert_eq!(std::fs::read_dir(paths.runs()).expect("a folder").count(), 0);
        let second = take(&paths).expect("free again");
        assert!(take(&paths).is_none());
        drop(second);
        assert!(take(&paths).is_some());
    }

    #[tokio::test]
    async fn who_waits_while_it_is_removed_is_alone_afterwards() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = Paths::new(folder.path());
        let first = take(&paths).expect("free");
        // Opened before the removal, as by somebody who is about to lock it.
        let early = File::options().write(true).open(paths.driver(RUN)).expect("the file");
        let waits = Alone::with(&paths, RUN);
        tokio::pin!(waits);
        assert!(tokio::time::timeout(EVERY * 2, &mut waits).await.is_err());
        first.clean_up();
        early.try_lock().expect("nobody has this one any more");
        let second = waits.await.expect("free again");
        assert!(take(&paths).is_none(), "{second:?}");
    }
}
