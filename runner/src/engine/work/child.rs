//! Runs one Terraform command as a supervised child: its lines to a fold and to the log, the wish to stop to the child.

use std::ffi::OsString;
use std::path::Path;

use tokio::time::{Instant, sleep_until};

use crate::domain::failure::{Failure, FailureKind};
use crate::domain::ids::StackName;
use crate::redact::LineRedactor;
use crate::terraform::logfile::LogWriter;
use crate::terraform::{Child, ChildEvent, Exit, Hearing, Line, Spec, Stop};

use super::{Ready, RunContext};

/// How much of a child's standard error is kept, in bytes. Terraform writes errors to its JSON stream; what comes here
/// is a crash or a linker's complaint.
const STDERR_KEPT: usize = 4_096;

/// How much of it is read for that, in bytes: secrets are looked for in more than is kept, so that none is cut in two before.
const STDERR_READ: u64 = 1 << 20;

/// How a child ended, as the folds want to know it.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) exit: Exit,
    pub(super) stop_asked: bool,
    pub(super) stderr: String,
}

impl RunContext {
    /// Starts `terraform ARGS` for a stack and gives each line to `take`. Returns at its end.
    pub(super) async fn run(
        &self,
        stack: &StackName,
        ready: &Ready,
        command: &str,
        args: Vec<OsString>,
        take: impl FnMut(&Line),
    ) -> Result<Ended, Failure> {
        let dir = self.paths.next_child(self.number, stack, command);
        let spec = Spec { program: ready.tool.program.clone(), args, cwd: ready.root.clone(), env: ready.env.clone() };
        tracing::debug!(command, dir = %dir.display(), "starting Terraform");
        let child = Child::start(&self.supervisors, &dir, &spec)
            .map_err(|error| storage(format!("cannot start `terraform {command}`"), &error))?;
        self.follow(stack, ready, child, Hearing::at_start(command), take).await
    }

    /// Gives each line of a child, from its first, to `take`, and the wish to stop to the child once that hears it. Returns at
    /// its end.
    pub(super) async fn follow(
        &self,
        stack: &StackName,
        ready: &Ready,
        mut child: Child,
        mut hearing: Hearing,
        mut take: impl FnMut(&Line),
    ) -> Result<Ended, Failure> {
        let path = self.paths.log(self.number, stack, child.dir());
        let mut log = open_log(&path, ready);
        // Over lines: Terraform tells the output of a provisioner in pieces.
        let mut redactor = LineRedactor::new(&ready.redactor);
        let mut stop = self.stop.clone();
        let mut wished = (None, Instant::now());
        let mut asked: Option<Stop> = None;
        let exit = loop {
            // A stop that was wished for before this child was started is for this child too.
            let wish = *stop.borrow_and_update();
            if wish > wished.0 {
                wished = (wish, Instant::now());
            }
            let give_at = if wish == Some(Stop::Kill) { wished.1 } else { hearing.give_at(wished.1) };
            if wish > asked && give_at <= Instant::now() {
                asked = wish;
                pass_on(&child, wish);
            }
            let event = tokio::select! {
                event = child.next() => event,
                // Without a sender nobody can wish for anything any more; the child is followed to its end.
                Ok(()) = stop.changed() => continue,
                () = sleep_until(give_at), if wish > asked => continue,
            };
            let line = match event {
                ChildEvent::Line(line) | ChildEvent::HalfLine(line) => line,
                ChildEvent::Oversized => "(a line of more than 1 MiB was left out)".to_owned(),
                ChildEvent::Exited(exit) => break exit,
            };
            for line in redactor.push(&line).iter().map(|line| Line::parse(line)) {
                hearing.take(&line, Instant::now());
                take(&line);
            }
            if let Some(writer) = &mut log
                && let Err(error) = writer.line(&line)
            {
                tracing::warn!(path = %path.display(), %error, "the log of a step cannot be written; it ends here");
                log = None;
            }
        };
        redactor.finish().iter().for_each(|line| take(&Line::parse(line)));
        if let Some(writer) = log {
            match writer.finish() {
                // Nobody waits for the disk: the next step needs no log.
                Ok(file) => drop(tokio::task::spawn_blocking(move || file.sync_data())),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "the log of a step cannot be finished");
                }
            }
        }
        tracing::debug!(dir = %child.dir().display(), ?exit, stop_asked = asked.is_some(), "Terraform ended");
        let stderr = ready.redactor.end_of(&child.stderr_tail(STDERR_READ), STDERR_KEPT);
        self.supervisors.take_back(child);
        Ok(Ended { exit, stop_asked: asked.is_some(), stderr })
    }
}

fn open_log<'a>(path: &Path, ready: &'a Ready) -> Option<LogWriter<'a>> {
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    match made.and_then(|()| LogWriter::create(path, &ready.redactor)) {
        Ok(log) => Some(log),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "a step has no log");
            None
        }
    }
}

fn pass_on(child: &Child, wish: Option<Stop>) {
    let Some(wish) = wish else { return };
    if let Err(error) = child.stop(wish) {
        tracing::warn!(dir = %child.dir().display(), %error, "a child could not be asked to stop");
    }
}

/// A failure of a disk or a file system, in the system's words.
pub(super) fn storage(what: String, error: &std::io::Error) -> Failure {
    Failure::new(FailureKind::Storage, what).with_detail(error.to_string())
}
