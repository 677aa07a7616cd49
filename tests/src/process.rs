//! Processes of the shipped binary, and signals to processes that a test knows from its own yard.

use std::path::PathBuf;
use std::process::{Command, ExitStatus};

use rustix::process::{Pid, Signal, kill_process};

use crate::yard::DEADLINE;

/// The shipped binary, beside the folder of the test programs.
#[must_use]
pub fn tidegate() -> PathBuf {
    shipped("tidegate")
}

/// A shipped binary by its name.
pub(crate) fn shipped(name: &str) -> PathBuf {
    let here = std::env::current_exe().expect("this program");
    let binary = here.ancestors().nth(2).expect("target/PROFILE").join(name);
    assert!(binary.exists(), "there is no {}: cargo build --workspace --bins", binary.display());
    binary
}

/// The name of the user who runs the tests: the owner of every environment, unless a test says otherwise.
#[must_use]
pub fn me() -> String {
    let id = Command::new("id").arg("-un").output().expect("id -un");
    String::from_utf8(id.stdout).expect("a name").trim().to_owned()
}

/// What `shell -c` said.
#[derive(Debug)]
pub struct Told {
    /// The exit status; none when a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Told {
    /// Asserts the exit status, and gives the words.
    ///
    /// # Panics
    /// When it is another.
    #[track_caller]
    #[expect(clippy::must_use_candidate, reason = "the assertion is what most want")]
    pub fn exits(&self, status: i32) -> &str {
        assert_eq!(self.status, Some(status), "it said:\n{}\n{}", self.out, self.err);
        &self.out
    }

    /// Asserts that all of this was said, and gives the words.
    ///
    /// # Panics
    /// When something was not.
    #[track_caller]
    #[expect(clippy::must_use_candidate, reason = "the assertion is what most want")]
    pub fn says(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(self.out.contains(word) || self.err.contains(word), "no `{word}` in:\n{}\n{}", self.out, self.err);
        }
        self
    }

    /// Panics where one of these words was printed.
    pub fn says_not(&self, words: &[&str]) {
        for word in words {
            assert!(!self.out.contains(word) && !self.err.contains(word), "`{word}` in:\n{}\n{}", self.out, self.err);
        }
    }
}

/// A process of the shipped binary. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    child: tokio::process::Child,
    out: PathBuf,
    err: PathBuf,
}

impl Process {
    pub(crate) fn new(child: tokio::process::Child, out: PathBuf, err: PathBuf) -> Self {
        Self { child, out, err }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.child.id().and_then(|id| i32::try_from(id).ok()).expect("it runs")
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw).expect("it runs");
        kill_process(pid, signal).expect("signalled");
    }

    /// `kill -9`, and nothing else of it is left.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("killed");
    }

    /// Asks it to drain and waits for its end.
    pub async fn stop(self) -> Told {
        self.signal(Signal::TERM);
        self.end().await
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn end(mut self) -> Told {
        let ended = tokio::time::timeout(DEADLINE, self.child.wait()).await;
        let status: Option<ExitStatus> = ended.ok().map(|ended| ended.expect("its status"));
        let told = Told { status: status.and_then(|s| s.code()), out: self.out(), err: self.err() };
        assert!(status.is_some(), "it does not end:\n{}\n{}", told.out, told.err);
        told
    }

    /// What it has said so far.
    #[must_use]
    pub fn out(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// What it has said on standard error so far.
    #[must_use]
    pub fn err(&self) -> String {
        std::fs::read_to_string(&self.err).unwrap_or_default()
    }
}

/// `kill -9` of a process that a test knows from its own yard.
pub fn kill_9(pid: i32) {
    kill_process(Pid::from_raw(pid).expect("a process id"), Signal::KILL).expect("killed");
}

/// Whether a process runs.
#[must_use]
pub fn runs(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// A test that fails shows what its processes said.
impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{} has:\n{}", self.err.display(), self.err());
        }
    }
}
