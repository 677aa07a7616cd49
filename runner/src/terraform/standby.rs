//! Supervisors that were started ahead of time: this program takes some milliseconds to start, which nobody need wait for while
//! git or another Terraform is at work.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use tokio::process::{Child, Command};

/// The program that supervises: this very one with its hidden subcommand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supervisor {
    /// The executable, usually `std::env::current_exe()`.
    pub exe: PathBuf,
    /// Its arguments, usually `supervise`.
    pub args: Vec<OsString>,
}

/// Where supervisors come from; at most one of them waits for work. It ends by itself when this is dropped or its process dies.
#[derive(Debug)]
pub struct Standby {
    program: Supervisor,
    waiting: Mutex<Option<Child>>,
}

impl Standby {
    /// None waits yet.
    #[must_use]
    pub const fn new(program: Supervisor) -> Self {
        Self { program, waiting: Mutex::new(None) }
    }

    /// Starts one that waits, where none does. Call it inside a tokio runtime, when a child is likely to be started soon.
    pub fn prepare(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_none() {
            // Whoever needs one tries again and tells what is wrong.
            *waiting = self.start().ok();
        }
    }

    /// The process id of the one that waits, for people and logs only.
    #[must_use]
    pub fn waiting(&self) -> Option<u32> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(Child::id)
    }

    /// A supervisor that now works on the run folder `dir`.
    ///
    /// # Errors
    /// When none can be started or told where to work.
    pub(super) fn take(&self, dir: &Path) -> io::Result<Child> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut supervisor) = waiting
            && matches!(supervisor.try_wait(), Ok(None))
            && assign(&mut supervisor, dir).is_ok()
        {
            return Ok(supervisor);
        }
        let mut supervisor = self.start()?;
        assign(&mut supervisor, dir)?;
        Ok(supervisor)
    }

    fn start(&self) -> io::Result<Child> {
        let mut command = Command::new(&self.program.exe);
        command.args(&self.program.args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    }
}

/// Tells a waiting supervisor its folder: all that it reads, to the end. A path is shorter than what a pipe takes at once, so that a
/// supervisor gets it whole or not at all.
fn assign(supervisor: &mut Child, dir: &Path) -> io::Result<()> {
    let pipe = supervisor.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    std::fs::File::from(pipe.into_owned_fd()?).write_all(dir.as_os_str().as_bytes())
}
