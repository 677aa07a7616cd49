//! Supervisors: started ahead of time, and used for one child after another. This program takes some milliseconds to start, which
//! nobody need wait for while git or Terraform is at work.

use std::ffi::OsString;
use std::io::{self, PipeWriter, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout, Command};

/// The program that supervises: this very one with its hidden subcommand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supervisor {
    /// The executable, usually `std::env::current_exe()`.
    pub exe: PathBuf,
    /// Its arguments, usually `supervise`.
    pub args: Vec<OsString>,
}

/// Where supervisors come from and go back to. Those that wait end by themselves when this is dropped or its process dies.
#[derive(Debug)]
pub struct Standby {
    program: Supervisor,
    waiting: Mutex<Vec<Process>>,
}

impl Standby {
    /// None waits yet.
    #[must_use]
    pub const fn new(program: Supervisor) -> Self {
        Self { program, waiting: Mutex::new(Vec::new()) }
    }

    /// Starts one that waits, where none does. Call it inside a tokio runtime, when a child is likely to be started soon.
    pub fn prepare(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            // Whoever needs one tries again and tells what is wrong.
            waiting.extend(Process::start(&self.program));
        }
    }

    /// Takes back the supervisor of a child that has ended; of others nothing.
    pub fn take_back(&self, child: super::Child) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).extend(child.into_supervisor());
    }

    /// The process ids of those that wait, for people and logs only.
    #[must_use]
    pub fn waiting(&self) -> Vec<u32> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.iter().filter_map(|process| process.child.id()).collect()
    }

    /// A supervisor that now works on the run folder `dir`.
    ///
    /// # Errors
    /// When none can be started or told where to work.
    pub(super) fn take(&self, dir: &Path) -> io::Result<Process> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(mut process) = waiting
            && matches!(process.child.try_wait(), Ok(None))
            && process.assign(dir).is_ok()
        {
            return Ok(process);
        }
        let mut process = Process::start(&self.program)?;
        process.assign(dir)?;
        Ok(process)
    }
}

/// One supervisor, as the process that started it sees it.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    folders: PipeWriter,
    ends: ChildStdout,
}

impl Process {
    fn start(program: &Supervisor) -> io::Result<Self> {
        let (theirs, folders) = io::pipe()?;
        let mut command = Command::new(&program.exe);
        let mut child =
            command.args(&program.args).stdin(theirs).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let ends = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { child, folders, ends })
    }

    /// Tells it its next folder. A path is shorter than what a pipe takes at once: it gets it whole or not at all.
    fn assign(&mut self, dir: &Path) -> io::Result<()> {
        let mut text = dir.as_os_str().as_bytes().to_vec();
        text.push(0);
        self.folders.write_all(&text)
    }

    /// Waits until it is done with its folder; false when it is gone instead. Cancellation safe.
    pub(super) async fn done(&mut self) -> bool {
        self.ends.read_u8().await.is_ok()
    }
}
