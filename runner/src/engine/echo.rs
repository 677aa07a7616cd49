//! Hears other processes that write to the same SQLite ledger, and rings the bell for them. Without it they would be heard at
//! the next look, a quarter of a second later.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, SystemTime};
use std::{io, thread};

use crate::bell::Bell;

/// Between two looks at the file: a few microseconds each.
const EVERY: Duration = Duration::from_millis(20);

/// Rings a bell whenever something was written to an SQLite ledger, by anybody; until it is dropped.
///
/// Every commit is appended to the write-ahead log or begins it anew, which its size or its time shows. Two commits within
/// one tick of the file system's clock may look like one; who listens looks by itself every now and then all the same.
#[derive(Debug)]
pub struct Echo {
    /// Its end ends the thread.
    _stop: mpsc::Sender<()>,
}

impl Echo {
    /// Listens to the ledger in the file `database`, and rings `bell`.
    ///
    /// In a thread of its own: in the runtime each of the 50 looks a second would wake two of its workers, which was most of what an
    /// idle `serve` cost.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn start(database: &Path, bell: Bell) -> io::Result<Self> {
        let log = write_ahead_log(database);
        let (stop, stopped) = mpsc::channel();
        // Before it returns: what is written from then on is heard.
        let mut seen = stamp(&log);
        thread::Builder::new().name("echo".to_owned()).spawn(move || {
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                let now = stamp(&log);
                if now != seen {
                    seen = now;
                    bell.ring();
                }
            }
        })?;
        Ok(Self { _stop: stop })
    }
}

/// Source: <https://www.sqlite.org/wal.html>, "The WAL File".
fn write_ahead_log(database: &Path) -> PathBuf {
    let mut name: OsString = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Store, runners};

    #[tokio::test]
    async fn what_another_process_commits_rings_the_bell() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ledger.db");
        let other = Store::open(&format!("sqlite:{}", file.display())).await.expect("a ledger");
        let bell = Bell::default();
        let mut listener = bell.listen();
        let echo = Echo::start(&file, bell).expect("a thread");
        let mut tx = other.begin().await.expect("a transaction");
        runners::hello(&mut tx, "other", "host", "1", "0").await.expect("written");
        tx.commit().await.expect("committed");
        let heard = tokio::time::timeout(Duration::from_secs(30), listener.heard()).await;
        drop(echo);
        heard.expect("a ring");
    }
}
