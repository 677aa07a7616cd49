//! One supervised child, seen from the runner: its lines as they come, its end, and how to stop it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use rustix::process::Pid;

use super::exit::Exit;
use super::lines::{LineItem, LineSplitter};
use super::rundir::{Processes, RunDir, Spec};
use super::standby::{Process, Standby};
use super::supervise::signal_child;

/// How often the output file and, for a child found again, the lock are looked at.
const POLL: Duration = Duration::from_millis(40);

/// How much is read at once. A regular file that was just written comes out of the page cache.
const CHUNK: usize = 64 * 1024;

/// How a child is asked to end. The order is the order of force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// SIGINT to the child alone: Terraform finishes what it can, writes its state and frees its lock.
    Interrupt,
    /// SIGKILL to its process group: the state may be lost, and what was being made is orphaned.
    Kill,
}

impl Stop {
    const fn force(self) -> u8 {
        match self {
            Self::Interrupt => 1,
            Self::Kill => 2,
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Interrupt => "interrupt",
            Self::Kill => "kill",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        [Self::Interrupt, Self::Kill].into_iter().find(|stop| stop.word() == word.trim())
    }
}

/// What [`Child::next`] gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChildEvent {
    /// A whole line of standard output, without its line break.
    Line(String),
    /// The last line, which had no line break: perhaps cut off.
    HalfLine(String),
    /// A line longer than [`super::LINE_MAX`] was dropped.
    Oversized,
    /// The child has ended and all its lines have been given. Given again whenever asked again.
    Exited(Exit),
}

/// What is found in a run folder. Each child gives its lines again from the first.
#[derive(Debug)]
pub enum Attached {
    /// It still runs.
    Running(Child),
    /// It ended, as was written down.
    Ended(Exit, Child),
    /// It never ran and never will.
    NeverBegan(Child),
    /// It is gone, and nobody saw how it ended.
    Lost(Child),
}

impl Attached {
    /// The child, whatever became of it.
    #[must_use]
    pub fn into_child(self) -> Child {
        match self {
            Self::Running(child) | Self::Ended(_, child) | Self::NeverBegan(child) | Self::Lost(child) => child,
        }
    }
}

/// A supervised child. Dropping it neither stops nor kills anything: [`Child::attach`] finds it again.
#[derive(Debug)]
pub struct Child {
    run: RunDir,
    /// Present when this process started the supervisor and has not seen it die.
    supervisor: Option<Process>,
    stdout: Option<File>,
    splitter: LineSplitter,
    exit: Option<Exit>,
    /// The force of what was signalled from here, without the supervisor; 0 for nothing.
    signalled: AtomicU8,
}

impl Child {
    /// Lets a supervisor run `spec`. `dir` must be new; it is made, with everything in it for its owner only.
    ///
    /// Give `dir` as an absolute path, and call it inside a tokio runtime.
    ///
    /// # Errors
    /// When the folder cannot be written or has been used, or when the supervisor cannot be started. That the *child* cannot be
    /// started is no error here but [`Exit::CouldNotStart`].
    pub fn start(standby: &Standby, dir: &Path, spec: &Spec) -> io::Result<Self> {
        let run = RunDir::new(dir);
        run.create(spec)?;
        let process = standby.take(dir)?;
        Ok(Self {
            run,
            supervisor: Some(process),
            stdout: None,
            splitter: LineSplitter::default(),
            exit: None,
            signalled: AtomicU8::new(0),
        })
    }

    /// Looks at the run folder `dir` of a child that another process may have started.
    #[must_use]
    pub fn attach(dir: &Path) -> Attached {
        let run = RunDir::new(dir);
        let mut child = Self {
            run,
            supervisor: None,
            stdout: None,
            splitter: LineSplitter::default(),
            exit: None,
            signalled: AtomicU8::new(0),
        };
        child.exit = child.run.settle();
        match &child.exit {
            None => Attached::Running(child),
            Some(Exit::Lost) => Attached::Lost(child),
            Some(Exit::NeverBegan) => Attached::NeverBegan(child),
            Some(exit) => Attached::Ended(exit.clone(), child),
        }
    }

    /// Its supervisor, when that has nothing more to do for it.
    pub(super) fn into_supervisor(self) -> Option<Process> {
        self.exit.and(self.supervisor)
    }

    /// The folder with its files.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.run.path()
    }

    /// What was started, and where.
    ///
    /// # Errors
    /// When that cannot be read any more.
    pub fn spec(&self) -> io::Result<Spec> {
        self.run.read("spec.json")
    }

    /// The process id of the child, for people and logs only.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.run.read::<Processes>("child.json").ok().map(|processes| processes.child.pid)
    }

    /// The next line, or the end once all lines have been given.
    ///
    /// Cancellation safe: a future that is dropped has taken no line. Memory stays flat whatever the child prints.
    pub async fn next(&mut self) -> ChildEvent {
        loop {
            if let Some(item) = self.splitter.pop() {
                return match item {
                    LineItem::Whole(line) => ChildEvent::Line(line),
                    LineItem::Half(line) => ChildEvent::HalfLine(line),
                    LineItem::Oversized => ChildEvent::Oversized,
                };
            }
            // The end must be known before the last read: only then is an empty read the end of the output.
            let ended = self.exit.clone();
            if self.read_chunk() {
                // 100 MB are some thousand reads without waiting: other tasks get their turn in between.
                tokio::task::coop::consume_budget().await;
            } else if let Some(exit) = ended {
                self.splitter.finish();
                match self.splitter.pop() {
                    Some(LineItem::Half(line)) => return ChildEvent::HalfLine(line),
                    Some(_) | None => return ChildEvent::Exited(exit),
                }
            } else {
                self.wait().await;
            }
        }
    }

    /// Reads once; false when there is nothing more at the moment. A file that cannot be read is as good as an empty one: the
    /// folds then tell that the output proves nothing.
    fn read_chunk(&mut self) -> bool {
        if self.stdout.is_none() {
            self.stdout = File::open(self.run.file("stdout")).ok();
        }
        let Some(file) = &mut self.stdout else { return false };
        let mut chunk = vec![0_u8; CHUNK];
        let count = file.read(&mut chunk).unwrap_or(0);
        self.splitter.push(chunk.get(..count).unwrap_or_default());
        count > 0
    }

    /// Waits until our own supervisor is done, but no longer than [`POLL`], and notes how the child ended.
    async fn wait(&mut self) {
        let mut done = false;
        if let Some(supervisor) = &mut self.supervisor {
            let Ok(told) = tokio::time::timeout(POLL, supervisor.done()).await else { return };
            done = told;
        } else {
            tokio::time::sleep(POLL).await;
        }
        self.exit = self.run.settle();
        if !done || self.exit.is_none() {
            self.supervisor = None;
        }
        if self.exit.is_none()
            && let Err(error) = self.pass_on()
        {
            tracing::warn!(dir = %self.run.path().display(), %error, "cannot stop a child whose supervisor is gone");
        }
    }

    /// Asks the child to end; the end itself is told by [`Child::next`]. Asking again is harmless, and more force replaces less.
    ///
    /// # Errors
    /// When the request cannot be written, or when the supervisor is gone and it cannot be told whether the process with the
    /// child's number is still the child (nothing is signalled then).
    pub fn stop(&self, stop: Stop) -> io::Result<()> {
        if let Err(error) = self.run.ask_to_stop(stop) {
            // A full disk, perhaps the very reason to stop: then without the supervisor.
            return self.signal(stop).map_err(|_| error);
        }
        if self.supervisor.is_some() || self.exit.is_some() { Ok(()) } else { self.pass_on() }
    }

    /// Does the supervisor's part when it is dead and the child lives.
    fn pass_on(&self) -> io::Result<()> {
        let Some(stop) = self.run.stop_to_pass_on() else { return Ok(()) };
        // Without `child.json` the supervisor is only about to start: it finds the `stop` file itself.
        let Ok(processes) = self.run.read::<Processes>("child.json") else { return Ok(()) };
        if !processes.supervisor.surely_gone() || self.run.exit().is_some() {
            return Ok(());
        }
        // In vain on a full disk; then what is kept in memory must do.
        let _ = self.run.note_passed_on(stop);
        self.signal(stop)
    }

    /// Signals the child without the supervisor, if it is sure that the process is still the child.
    fn signal(&self, stop: Stop) -> io::Result<()> {
        let processes = self.run.read::<Processes>("child.json")?;
        match Pid::from_raw(processes.child.pid) {
            Some(pid) if processes.child.surely_runs() => {
                let before = self.signalled.fetch_max(stop.force(), Ordering::Relaxed);
                if before < stop.force() { signal_child(stop, pid) } else { Ok(()) }
            }
            _ => Err(io::Error::new(
                io::ErrorKind::NotFound,
                "the child's process is gone or cannot be told from another",
            )),
        }
    }

    /// The end of the child's standard error as it wrote it, at most `max` bytes. Empty when there is none.
    #[must_use]
    pub fn stderr_tail(&self, max: u64) -> Vec<u8> {
        let tail = || -> io::Result<Vec<u8>> {
            let mut file = File::open(self.run.file("stderr"))?;
            let len = file.metadata()?.len();
            file.seek(SeekFrom::Start(len.saturating_sub(max)))?;
            let mut bytes = Vec::new();
            file.take(max).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        tail().unwrap_or_default()
    }
}
