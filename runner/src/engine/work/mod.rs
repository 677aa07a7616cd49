//! The work on one stack: getting it ready, planning, applying. Tasks that report to the run's driver; they store nothing
//! themselves and know nothing of the queue.

mod apply;
mod child;
mod clear;
mod commits;
mod doers;
mod hand;
mod looking;
mod others;
mod plan;
mod preflight;
mod prepare;
mod quotas;
mod region;
mod remove;
mod states;
mod unsaved;
mod verify;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot, watch};

use crate::config::{Config, Rules};
use crate::domain::changes::{StackPlan, StateLeft};
use crate::domain::environment::{Environment, Stack};
use crate::domain::failure::{Applied, Failure};
use crate::domain::ids::{RunId, RunNumber, StackName};
use crate::domain::request::{RunRequest, Target};
use crate::domain::run::{Note, RunEvent};
use crate::ledger::Store;
use crate::ledger::runs::Fence;
use crate::paths::Paths;
use crate::redact::Redactor;
use crate::secrets::Secrets;
use crate::terraform::{Standby, Stop, Tool};

pub use apply::{apply, reattach};
pub use commits::Commits;
pub use plan::{look, plan};
pub use remove::Begun;
pub use verify::verify;

/// What a task tells the driver.
#[derive(Debug)]
pub enum Report {
    /// Facts to store.
    Event(RunEvent),
    /// What is about to be done, answered once it is stored. Without an answer it is not stored, and is not done.
    Ahead(RunEvent, oneshot::Sender<()>),
    /// A plan came back.
    Planned(StackName, Result<StackPlan, Failure>),
    /// An apply ended well.
    Applied(StackName, Applied),
    /// An apply did not end well; what it did all the same.
    ApplyFailed(StackName, Failure, Applied),
    /// Nobody saw how an apply ended.
    Lost(StackName, String),
    /// What was looked for after an apply: what was seen, in words.
    Seen(StackName, Result<String, Failure>),
}

/// The claim that this process has on a run.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Where it is written down.
    pub store: Store,
    /// The run.
    pub run: RunId,
    /// In which attempt.
    pub fence: Fence,
}

/// What every task of one run shares.
#[derive(Debug)]
pub struct RunContext {
    /// Its number.
    pub number: RunNumber,
    /// What was asked for.
    pub request: RunRequest,
    /// The environment as configured when the run was taken.
    pub environment: Environment,
    /// What no run may do with it, as the files say at each moment.
    pub rules: Rules,
    /// Our claim on it.
    pub claim: Claim,
    /// Which code it uses.
    pub commits: Commits,
    /// What earlier runs began to make and nobody saw the end of, by stack: it is made again.
    pub half_made: BTreeMap<StackName, BTreeSet<String>>,
    /// How the Terraform states of the stacks were left, where that is known.
    pub states_left: BTreeMap<StackName, StateLeft>,
    /// Stacks of an environment that was made for one test of which nothing was ever applied: nothing may be in their states.
    pub untouched: BTreeSet<StackName>,
    /// Everything that is configured: states of others may have what this run would take away.
    pub config: Arc<Config>,
    /// What of their states this run has read.
    pub states: tokio::sync::Mutex<states::Found>,
    /// Where its schedules raise the environment next, for a look whether anything stands in the way of that.
    pub coming: Option<Target>,
    /// Where things lie.
    pub paths: Paths,
    /// Starts children that outlive us.
    pub supervisors: Standby,
    /// Values that no sink may show, as far as they were known when the run was taken.
    pub told: Vec<String>,
    /// Where the secrets of its stacks are read.
    pub secrets: Secrets,
    /// To the driver.
    pub reports: mpsc::UnboundedSender<Report>,
    /// The wish to stop, with how much force.
    pub stop: watch::Receiver<Option<Stop>>,
    /// Stacks whose states this process has written in this run, or began to.
    pub written: Mutex<BTreeSet<StackName>>,
    /// Stacks that were made ready in this process, so that an apply need not do again what its plan did.
    pub ready: Mutex<BTreeMap<StackName, Ready>>,
}

/// A stack that is ready for Terraform.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The root module: Terraform's working directory.
    root: PathBuf,
    /// The program.
    tool: Tool,
    /// Environment variables for it.
    env: Vec<(OsString, OsString)>,
    /// Takes secrets out of everything that is kept.
    redactor: Arc<Redactor>,
}

impl RunContext {
    fn report(&self, report: Report) {
        // Most texts were redacted line by line; those of git and of the system were not.
        let redactor = || Redactor::new(self.told());
        let report = match report {
            Report::Planned(stack, Err(failure)) => Report::Planned(stack, Err(redactor().redact_failure(failure))),
            Report::ApplyFailed(stack, failure, applied) => {
                Report::ApplyFailed(stack, redactor().redact_failure(failure), applied)
            }
            Report::Seen(stack, Err(failure)) => Report::Seen(stack, Err(redactor().redact_failure(failure))),
            Report::Seen(stack, Ok(words)) => Report::Seen(stack, Ok(redactor().redact(&words).into_owned())),
            Report::Event(RunEvent::StackNoted { stack, note }) => {
                Report::Event(RunEvent::StackNoted { stack, note: redactor().redact_note(note) })
            }
            report @ (Report::Event(_)
            | Report::Ahead(..)
            | Report::Planned(_, Ok(_))
            | Report::Applied(..)
            | Report::Lost(..)) => report,
        };
        // The driver is gone only when it lost the run; then nobody may store anything for it any more.
        let _ = self.reports.send(report);
    }

    /// Values that no sink may show, those included that were read for this run.
    pub(in crate::engine) fn told(&self) -> Vec<String> {
        self.told.iter().cloned().chain(self.secrets.values()).collect()
    }

    pub(in crate::engine) fn event(&self, event: RunEvent) {
        self.report(Report::Event(event));
    }

    fn note(&self, stack: &StackName, note: Note) {
        self.event(RunEvent::StackNoted { stack: stack.clone(), note });
    }

    fn stack(&self, name: &StackName) -> Result<&Stack, Failure> {
        self.environment.stacks.get(name).ok_or_else(|| {
            Failure::new(
                crate::domain::failure::FailureKind::Configuration,
                format!("stack {name} is not in the configuration any more"),
            )
        })
    }

    fn remember(&self, stack: &StackName, ready: &Ready) {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).insert(stack.clone(), ready.clone());
    }

    fn remembered(&self, stack: &StackName) -> Option<Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).get(stack).cloned()
    }

    /// The state of this stack is about to be written by us.
    fn writes(&self, stack: &StackName) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(stack.clone());
    }

    fn has_written(&self, stack: &StackName) -> bool {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).contains(stack)
    }

    fn plan_file(&self, stack: &StackName) -> PathBuf {
        self.paths.stack_of_run(self.number, stack).join("plan.bin")
    }

    fn backend_file(&self, stack: &StackName) -> PathBuf {
        self.paths.stack_of_run(self.number, stack).join("backend.tfbackend")
    }

    fn variables_file(&self, stack: &StackName) -> PathBuf {
        self.paths.stack_of_run(self.number, stack).join("variables.tfvars.json")
    }
}
