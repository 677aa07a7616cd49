//! One engine on an SQLite ledger: whoever holds the file lock beside it. The same for other work that one process at a time does.

use std::fs::{File, TryLockError};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::{Pid, getpid, test_kill_process};

use super::alone::is_at;
use crate::ledger::{LedgerError, Store, runners};

/// Under which name the engine's lock lies beside the ledger.
const ENGINE: &str = "engine";

/// The right to be the engine of this ledger. Given back when dropped, also by the kernel after `kill -9`.
#[derive(Debug)]
pub struct EngineLock(Option<LedgerLock>);

/// A lock on a file beside an SQLite ledger. Given back when dropped, also by the kernel after `kill -9`.
#[derive(Debug)]
pub struct LedgerLock {
    file: File,
    path: PathBuf,
}

/// Why the lock could not be looked at.
#[derive(Debug, thiserror::Error)]
#[error("the lock {path} cannot be used: {source}")]
pub struct EngineLockError {
    /// The file.
    path: PathBuf,
    /// What the system said.
    source: std::io::Error,
}

impl EngineLock {
    /// Takes the lock beside the SQLite file `ledger`; `Ok(None)` when another process is the engine. A ledger on PostgreSQL
    /// (`None`) takes any number of engines: leases order them.
    ///
    /// # Errors
    /// When the file cannot be made or locked at all.
    pub fn try_take(ledger: Option<&Path>) -> Result<Option<Self>, EngineLockError> {
        let Some(ledger) = ledger else { return Ok(Some(Self(None))) };
        Ok(LedgerLock::try_take(ledger, ENGINE)?.map(|held| Self(Some(held))))
    }

    /// Locks the file anew where somebody has removed or replaced it: nobody else would find the lock that we have.
    ///
    /// # Errors
    /// As [`EngineLock::try_take`].
    pub fn restore(&mut self, ledger: Option<&Path>) -> Result<(), EngineLockError> {
        let Some(held) = &self.0 else { return Ok(()) };
        if held.is_in_place()? {
            return Ok(());
        }
        tracing::error!(path = %held.path.display(), "the engine's lock was removed; it is made again");
        // Whoever has it in this moment finds us in the ledger and gives it back: tried again next time.
        if let Some(new) = Self::try_take(ledger)? {
            *self = new;
        }
        Ok(())
    }

    /// Whether some process is the engine of the SQLite file `ledger`. Looks with a shared lock, so that two who look at the
    /// same moment do not take each other for an engine.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn is_held(ledger: &Path) -> Result<bool, EngineLockError> {
        let path = path_of(ledger, ENGINE);
        // Only for reading: whoever may not be the engine may look.
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(EngineLockError { path, source }),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(EngineLockError { path, source }),
        }
    }
}

impl LedgerLock {
    /// Takes the lock `of` beside the SQLite file `ledger`: `tidegate.db.engine`. `Ok(None)` when another process has it.
    ///
    /// # Errors
    /// When the file cannot be made or locked at all.
    pub fn try_take(ledger: &Path, of: &str) -> Result<Option<Self>, EngineLockError> {
        let (path, file) = open(ledger, of)?;
        match file.try_lock() {
            Ok(()) => {
                // Who it is matters to people only: they may want to end it.
                if let Err(error) = sign(&file) {
                    tracing::warn!(path = %path.display(), %error, "a lock does not say whose it is");
                }
                Ok(Some(Self { file, path }))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(EngineLockError { path, source }),
        }
    }

    /// False where somebody has removed or replaced the file: others would find another lock than the one that we have.
    ///
    /// # Errors
    /// When the file cannot be looked at.
    pub fn is_in_place(&self) -> Result<bool, EngineLockError> {
        is_at(&self.file, &self.path).map_err(|source| EngineLockError { path: self.path.clone(), source })
    }
}

/// The process of this machine, not ours, that the ledger knows as an engine lately seen and that runs. The lock beside an SQLite
/// file says so too, unless somebody has removed it.
///
/// # Errors
/// When the ledger does not answer.
pub async fn seen_elsewhere(store: &Store, lease_ms: i64) -> Result<Option<i32>, LedgerError> {
    let here = format!("{}:", rustix::system::uname().nodename().to_string_lossy());
    let all = runners::alive(store, lease_ms).await?;
    let on_this_machine = all.iter().filter(|runner| runner.host.starts_with(&here));
    let mut processes = on_this_machine.filter_map(|runner| runner.process.parse().ok().and_then(Pid::from_raw));
    Ok(processes.find(|pid| *pid != getpid() && runs(*pid)).map(|pid| pid.as_raw_nonzero().get()))
}

fn runs(process: Pid) -> bool {
    !matches!(test_kill_process(process), Err(Errno::SRCH)) && !is_dead(process)
}

/// Whether a process has ended and only waits for its parent to hear of it, which in a container may never happen. Source:
/// `proc_pid_stat(5)`, the field after the name in brackets; where there is no such file it cannot be told.
fn is_dead(process: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']))
}

/// The process id of the engine of the SQLite file `ledger`, where one lives and could write it down.
#[must_use]
pub fn engine_pid(ledger: &Path) -> Option<u32> {
    let held = EngineLock::is_held(ledger).unwrap_or(false);
    held.then(|| std::fs::read_to_string(path_of(ledger, ENGINE)).ok()?.trim().parse().ok()).flatten()
}

fn sign(mut file: &File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// Beside the file itself, whichever way leads to it: links to one ledger are one lock.
fn path_of(ledger: &Path, of: &str) -> PathBuf {
    let real = std::fs::canonicalize(ledger).ok().or_else(|| {
        // The file is made later than the lock.
        let folder = ledger.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(std::fs::canonicalize(folder).ok()?.join(ledger.file_name()?))
    });
    let mut name = real.unwrap_or_else(|| ledger.to_owned()).into_os_string();
    name.push(".");
    name.push(of);
    PathBuf::from(name)
}

fn open(ledger: &Path, of: &str) -> Result<(PathBuf, File), EngineLockError> {
    let path = path_of(ledger, of);
    match File::options().create(true).truncate(false).write(true).open(&path) {
        Ok(file) => Ok((path, file)),
        Err(source) => Err(EngineLockError { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_engine_until_it_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = folder.path().join("tidegate.db");
        let first = EngineLock::try_take(Some(&ledger)).expect("a lock");
        assert!(first.is_some());
        assert!(EngineLock::is_held(&ledger).expect("a look"));
        assert_eq!(engine_pid(&ledger), Some(std::process::id()));
        assert!(EngineLock::try_take(Some(&ledger)).expect("a lock").is_none());
        drop(first);
        assert!(!EngineLock::is_held(&ledger).expect("a look"));
        assert_eq!(engine_pid(&ledger), None);
        assert!(EngineLock::try_take(Some(&ledger)).expect("a lock").is_some());
    }

    #[test]
    fn two_ways_to_one_ledger_are_one_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::create_dir(&real).expect("a folder");
        std::os::unix::fs::symlink(&real, &link).expect("a link");
        let ledgers = [real.join("tidegate.db"), link.join("tidegate.db"), link.join("../real/tidegate.db")];
        let there_yet = |there: bool| {
            for ledger in &ledgers {
                let held = LedgerLock::try_take(ledger, "clock").expect("a lock").expect("free");
                for other in &ledgers {
                    assert!(LedgerLock::try_take(other, "clock").expect("a lock").is_none(), "{there} {other:?}");
                }
                drop(held);
            }
        };
        there_yet(false);
        std::fs::write(&ledgers[0], "").expect("a file");
        there_yet(true);
        // A link to the file itself, too.
        let other = folder.path().join("other.db");
        std::os::unix::fs::symlink(&ledgers[0], &other).expect("a link");
        let held = LedgerLock::try_take(&other, "clock").expect("a lock").expect("free");
        assert!(LedgerLock::try_take(&ledgers[0], "clock").expect("a lock").is_none());
        drop(held);
    }

    #[test]
    fn a_lock_whose_file_was_removed_is_made_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = folder.path().join("tidegate.db");
        let mut first = EngineLock::try_take(Some(&ledger)).expect("a lock").expect("free");
        std::fs::remove_file(path_of(&ledger, ENGINE)).expect("removed");
        let other = EngineLock::try_take(Some(&ledger)).expect("a lock").expect("free");
        first.restore(Some(&ledger)).expect("a look");
        drop(other);
        assert!(!EngineLock::is_held(&ledger).expect("a look"), "whoever had it in between goes first");
        first.restore(Some(&ledger)).expect("a lock");
        assert!(EngineLock::try_take(Some(&ledger)).expect("a lock").is_none());
        first.restore(Some(&ledger)).expect("a lock");
        assert_eq!(engine_pid(&ledger), Some(std::process::id()));
    }

    #[tokio::test]
    async fn an_engine_counts_while_it_was_seen_lately_and_runs_on_this_machine() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&format!("sqlite:{}", folder.path().join("l.db").display())).await.expect("a ledger");
        let here = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let us = std::process::id().to_string();
        let mut other = std::process::Command::new("sleep").arg("600").spawn().expect("a process");
        let pid = other.id().to_string();
        let hello = async |name: &str, host: &str, process: &str| {
            let mut tx = store.begin().await.expect("begun");
            runners::hello(&mut tx, name, host, process, "0").await.expect("stored");
            tx.commit().await.expect("committed");
            seen_elsewhere(&store, 60_000).await.expect("a look")
        };
        assert_eq!(hello("ours", &format!("{here}:/a"), &us).await, None);
        assert_eq!(hello("theirs", &format!("not-{here}:/a"), &pid).await, None);
        assert_eq!(hello("other", &format!("{here}:/b"), &pid).await.map(|pid| pid.to_string()), Some(pid));
        assert_eq!(seen_elsewhere(&store, -1).await.expect("a look"), None);
        other.kill().expect("killed");
        other.wait().expect("its end");
        assert_eq!(seen_elsewhere(&store, 60_000).await.expect("a look"), None);
    }
}
