//! The files through which a runner, a supervisor and a child know of each other. One folder per child, made by the runner,
//! readable by its owner only:
//!
//! | file | written by | holds |
//! | --- | --- | --- |
//! | `spec.json` | runner | what to run; may hold secrets in its environment |
//! | `alive` | supervisor | nothing; locked (flock) as long as the supervisor or the child lives |
//! | `child.json` | supervisor | process ids with their start times |
//! | `stdout`, `stderr` | child | its output |
//! | `stop` | runner | `interrupt` or `kill` |
//! | `passed-on` | supervisor, or a runner in its stead | what of it was signalled |
//! | `exit.json` | supervisor | how the child ended |

use std::ffi::OsString;
use std::fs::{OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::child::Stop;
use super::exit::Exit;

/// Bytes kept for `exit.json`: an error of the system with a long path.
const EXIT_ROOM: usize = 4096;

/// What a supervisor is to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The program, as an absolute path or a name on the PATH.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// The folder it runs in.
    pub cwd: PathBuf,
    /// Environment variables on top of the inherited ones. May hold secrets; the file is readable by its owner only.
    pub env: Vec<(OsString, OsString)>,
}

/// The processes of a run folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Processes {
    /// The child, which also leads its own process group.
    pub(super) child: ProcessId,
    /// Its supervisor.
    pub(super) supervisor: ProcessId,
}

/// A process that can be told from a later one with the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProcessId {
    pub(super) pid: i32,
    /// Clock ticks between the machine's start and the process's, where `/proc` tells it. Source: proc(5), field 22 of `stat`.
    pub(super) start_time: Option<u64>,
}

impl ProcessId {
    /// The process that now has the number `pid`.
    pub(super) fn of(pid: i32) -> Self {
        Self { pid, start_time: stat(pid).map(|(_, start_time)| start_time) }
    }

    /// True when this very process still runs; false also where that cannot be told.
    pub(super) fn surely_runs(&self) -> bool {
        stat(self.pid).is_some_and(|(state, start_time)| Some(start_time) == self.start_time && state != "Z")
    }

    /// True when this very process is gone; false also where that cannot be told.
    pub(super) fn surely_gone(&self) -> bool {
        self.start_time.is_some() && !self.surely_runs()
    }
}

/// State letter and start time of a process.
fn stat(pid: i32) -> Option<(String, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name is in parentheses and may itself hold spaces and parentheses: fields are counted after the last one.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?.to_owned();
    let start_time = fields.nth(18)?.parse().ok()?;
    Some((state, start_time))
}

/// The folder itself.
#[derive(Debug, Clone)]
pub(super) struct RunDir(PathBuf);

impl RunDir {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Makes the folder and its `spec.json`. Fails when there is one already: a run folder is used once.
    pub(super) fn create(&self, spec: &Spec) -> io::Result<()> {
        std::fs::create_dir_all(&self.0)?;
        let json = serde_json::to_vec(spec)?;
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.file("spec.json"))?.write_all(&json)?;
        // Room for the end is taken now: when the disk is full later, how the child ended is still written down.
        private().open(self.file("exit.json.new"))?.write_all(&[b' '; EXIT_ROOM])
    }

    pub(super) fn read<T: DeserializeOwned>(&self, name: &str) -> io::Result<T> {
        Ok(serde_json::from_slice(&std::fs::read(self.file(name))?)?)
    }

    /// Writes down how the child ended. Readers see it whole or not at all, also after a power cut.
    pub(super) fn write_exit(&self, exit: &Exit) -> io::Result<()> {
        let json = serde_json::to_vec(exit)?;
        let new = self.file("exit.json.new");
        // Not truncated before it is written: the room that it has is the point of it.
        let mut file = private().truncate(false).open(&new)?;
        file.write_all(&json)?;
        file.set_len(json.len() as u64)?;
        file.sync_data()?;
        std::fs::rename(new, self.file("exit.json"))
    }

    /// Writes down which processes these are, for as long as the machine runs. Readers see it whole or not at all.
    pub(super) fn write_processes(&self, processes: &Processes) -> io::Result<()> {
        let json = serde_json::to_vec(processes)?;
        self.replace("child.json", &json)
    }

    /// How the child ended, if that was written down.
    pub(super) fn exit(&self) -> Option<Exit> {
        self.read("exit.json").ok()
    }

    /// How the child ended, or `None` while the supervisor, the child or a plugin of it lives (only their end lifts the lock).
    ///
    /// Where nobody wrote the end down, this does: the lock is held meanwhile, so that a supervisor that comes late finds the
    /// folder used and starts nothing.
    pub(super) fn settle(&self) -> Option<Exit> {
        if let Some(exit) = self.exit() {
            return Some(exit);
        }
        let begun = self.file("alive").exists();
        let alive = match private().read(true).open(self.file("alive")) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(Exit::Lost),
            // Never taken for an end, which would permit a second apply.
            Err(_) => return None,
        };
        match alive.try_lock() {
            Ok(()) => {}
            // The second: a file system without locks.
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => return None,
        }
        if let Some(exit) = self.exit() {
            return Some(exit);
        }
        let exit = if begun || self.file("child.json").exists() { Exit::Lost } else { Exit::NeverBegan };
        if let Err(error) = self.write_exit(&exit) {
            tracing::warn!(dir = %self.0.display(), %error, "cannot write down how a child ended");
        }
        Some(exit)
    }

    /// The stop that is asked for, and whether it was passed on already.
    pub(super) fn stop_to_pass_on(&self) -> Option<Stop> {
        let word = |name: &str| Stop::from_word(&std::fs::read_to_string(self.file(name)).ok()?);
        let asked = word("stop")?;
        (Some(asked) > word("passed-on")).then_some(asked)
    }

    /// Notes a stop as passed on. Before the signal is sent: a second SIGINT would make Terraform drop everything.
    pub(super) fn note_passed_on(&self, stop: Stop) -> io::Result<()> {
        self.replace("passed-on", stop.word().as_bytes())
    }

    /// Asks for a stop.
    pub(super) fn ask_to_stop(&self, stop: Stop) -> io::Result<()> {
        self.replace("stop", stop.word().as_bytes())
    }

    fn replace(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let new = self.file(&format!("{name}.new"));
        private().truncate(true).open(&new)?.write_all(content)?;
        std::fs::rename(new, self.file(name))
    }
}

/// Options for a new file that its owner alone may read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}
