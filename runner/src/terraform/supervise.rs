//! The supervisor: a small re-exec in its own session, which starts one child, hands its output to files, passes on stops, and
//! writes down how it ended. It outlives the runner that started it.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io::{self, BufRead as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal as SignalStream, SignalKind, signal};

use super::child::Stop;
use super::exit::Exit;
use super::rundir::{ProcessId, Processes, RunDir, Spec, private};
use super::surroundings::surround;

/// How often the `stop` file is looked for. A person waits for it; Terraform itself takes 100 to 200 ms to stop.
const STOP_POLL: Duration = Duration::from_millis(50);

/// How long a lock is waited for: another runner's look at it takes microseconds, a living supervisor keeps it.
const LOCK_WAIT: Duration = Duration::from_secs(1);

/// Reads paths of run folders from standard input, each with a NUL at its end, and runs what `spec.json` there says, to its end,
/// one after another. After each a byte goes to standard output, and `exit.json` there tells how the child ended, also that it
/// could not start. For the hidden subcommand `supervise` only.
///
/// Exit status 0 at the end of the input; 1 when nothing could be written or another supervisor has the folder.
#[must_use]
pub fn supervise() -> ExitCode {
    // Fails only for the leader of a process group, which is then out of reach of the terminal's signals anyway.
    let _ = rustix::process::setsid();
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::FAILURE;
    };
    match runtime.block_on(run_children()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn run_children() -> io::Result<()> {
    // Caught and dropped rather than ignored: ignored signals would be inherited, and Terraform would not hear its SIGINT.
    let _deaf = deafen()?;
    for path in io::stdin().lock().split(0) {
        run_child(&RunDir::new(Path::new(OsStr::from_bytes(&path?)))).await?;
        // Nobody reads it when whoever started this is dead; the child's end is in its file.
        let mut told = io::stdout();
        let _ = told.write_all(b".").and_then(|()| told.flush());
    }
    Ok(())
}

async fn run_child(run: &RunDir) -> io::Result<()> {
    let alive = lock(run)?;
    if run.file("exit.json").exists() || run.file("child.json").exists() {
        return Err(io::Error::other("this run folder has been used"));
    }
    let exit = match start(run, &alive) {
        Ok(mut child) => {
            // Without it the child cannot be stopped once this supervisor is dead, which is no reason to leave it alone now.
            let _ = describe(run, &child);
            watch(run, &mut child).await?
        }
        Err(error) => Exit::CouldNotStart(error.to_string()),
    };
    run.write_exit(&exit)
}

fn deafen() -> io::Result<[SignalStream; 3]> {
    Ok([signal(SignalKind::hangup())?, signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?])
}

fn lock(run: &RunDir) -> io::Result<File> {
    let file = private().read(true).open(run.file("alive"))?;
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn start(run: &RunDir, alive: &File) -> io::Result<Child> {
    let spec: Spec = run.read("spec.json")?;
    let named = |error: io::Error, what: &Path| io::Error::new(error.kind(), format!("{}: {error}", what.display()));
    // spawn() would name neither: a missing folder and a missing program give the same error.
    std::fs::metadata(&spec.cwd).map_err(|error| named(error, &spec.cwd))?;
    surround(&mut Command::new(&spec.program))
        .args(&spec.args)
        .current_dir(&spec.cwd)
        .envs(spec.env)
        // The locked file itself: the lock ends with the last process that holds it, be it this one or the child.
        .stdin(Stdio::from(alive.try_clone()?))
        .stdout(Stdio::from(private().append(true).open(run.file("stdout"))?))
        .stderr(Stdio::from(private().append(true).open(run.file("stderr"))?))
        .process_group(0)
        .spawn()
        .map_err(|error| named(error, &spec.program))
}

fn describe(run: &RunDir, child: &Child) -> io::Result<()> {
    let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()) else { return Ok(()) };
    let supervisor = rustix::process::getpid().as_raw_pid();
    run.write_processes(&Processes { child: ProcessId::of(pid), supervisor: ProcessId::of(supervisor) })
}

async fn watch(run: &RunDir, child: &mut Child) -> io::Result<Exit> {
    let mut poll = tokio::time::interval(STOP_POLL);
    let mut passed_on = None;
    loop {
        tokio::select! {
            biased;
            status = child.wait() => return status.map(exit_of),
            _ = poll.tick() => pass_on(run, child, &mut passed_on),
        }
    }
}

/// Signals the child if that is asked. `Child::id` is `Some` only until `wait` has reaped it, so that the number is never
/// somebody else's.
fn pass_on(run: &RunDir, child: &Child, passed_on: &mut Option<Stop>) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let (Some(stop), Some(pid)) = (run.stop_to_pass_on(), pid) else { return };
    if Some(stop) <= *passed_on {
        return;
    }
    *passed_on = Some(stop);
    // A disk that is full must not keep anybody from stopping; that the child ended meanwhile, the next `wait` tells.
    let _ = run.note_passed_on(stop);
    let _ = signal_child(stop, pid);
}

/// Sends what `stop` stands for to the child `pid`, which leads its own process group.
pub(super) fn signal_child(stop: Stop, pid: Pid) -> io::Result<()> {
    match stop {
        // Never to the group: that would kill the providers too and orphan what they were making.
        Stop::Interrupt => kill_process(pid, Signal::INT)?,
        Stop::Kill => kill_process_group(pid, Signal::KILL)?,
    }
    Ok(())
}

pub(super) fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Lost,
    }
}
