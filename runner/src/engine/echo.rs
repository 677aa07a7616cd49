//! Hears other processes that write to the same SQLite ledger, and rings the bell for them. Without it they would be heard at
//! the next look, a quarter of a second later.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::bell::Bell;

/// Rings a bell whenever something was written to an SQLite ledger, by anybody; until it is dropped.
///
/// Every commit is written to the write-ahead log, which the kernel tells at once: nothing is looked at while nothing happens.
#[derive(Debug)]
pub struct Echo {
    /// Its end ends the thread.
    #[cfg(target_os = "linux")]
    _watch: linux::Watch,
}

impl Echo {
    /// Listens to the ledger in the file `database`, which is open in this process, and rings `bell`.
    ///
    /// # Errors
    /// When the system watches no file for us, or starts no thread.
    #[cfg(target_os = "linux")]
    pub fn start(database: &Path, bell: Bell) -> io::Result<Self> {
        linux::Watch::start(&write_ahead_log(database), bell).map(|watch| Self { _watch: watch })
    }

    /// Other systems tell it otherwise: there, it is seen at the next look.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(target_os = "linux"))]
    pub fn start(_database: &Path, _bell: Bell) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::OwnedFd;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;
    use std::{io, path, thread};

    use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

    use crate::bell::Bell;

    /// After a ring: what is written within it is heard with the next one, so that an eager writer makes at most 50 a second.
    const REST: Duration = Duration::from_millis(20);

    /// A thread of its own that waits for what the kernel tells of a file.
    #[derive(Debug)]
    pub(super) struct Watch {
        kernel: Arc<OwnedFd>,
        file: i32,
        over: Arc<AtomicBool>,
    }

    impl Watch {
        pub(super) fn start(file: &path::Path, bell: Bell) -> io::Result<Self> {
            let kernel = Arc::new(inotify::init(CreateFlags::CLOEXEC)?);
            let file = inotify::add_watch(&kernel, file, WatchFlags::MODIFY)?;
            let over = Arc::new(AtomicBool::new(false));
            let (heard, ends) = (kernel.clone(), over.clone());
            thread::Builder::new().name("echo".to_owned()).spawn(move || {
                // How much was written says nothing: only that something was.
                let mut events = [0; 4096];
                loop {
                    match rustix::io::read(&*heard, &mut events) {
                        _ if ends.load(Ordering::Relaxed) => return,
                        Ok(_) => bell.ring(),
                        Err(rustix::io::Errno::INTR) => continue,
                        Err(error) => {
                            tracing::warn!(%error, "what other processes write is seen a little later from now on");
                            return;
                        }
                    }
                    thread::sleep(REST);
                }
            })?;
            Ok(Self { kernel, file, over })
        }
    }

    impl Drop for Watch {
        fn drop(&mut self) {
            self.over.store(true, Ordering::Relaxed);
            // The kernel tells that, too, which wakes the thread.
            if let Err(error) = inotify::remove_watch(&self.kernel, self.file) {
                tracing::debug!(%error, "a file is watched on");
            }
        }
    }
}

/// Source: <https://www.sqlite.org/wal.html>, "The WAL File".
#[cfg(target_os = "linux")]
fn write_ahead_log(database: &Path) -> PathBuf {
    let mut name: OsString = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ledger::{Store, runners};

    #[tokio::test]
    async fn what_another_process_commits_rings_the_bell() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ledger.db");
        let other = Store::open(&format!("sqlite:{}", file.display())).await.expect("a ledger");
        let bell = Bell::default();
        let mut listener = bell.listen();
        let echo = Echo::start(&file, bell).expect("a watched file");
        let mut tx = other.begin().await.expect("a transaction");
        runners::hello(&mut tx, "other", "host", "1", "0").await.expect("written");
        tx.commit().await.expect("committed");
        let heard = tokio::time::timeout(Duration::from_secs(30), listener.heard()).await;
        drop(echo);
        heard.expect("a ring");
    }
}
