//! Claims runs, drives them, heartbeats, recovers. Where a run is and what comes next is [`crate::domain::run`]'s and
//! [`course`]'s to say; here it is done.

mod alone;
mod coming;
pub mod course;
mod drive;
mod echo;
mod foothold;
mod gone;
mod lock;
mod lost;
mod queue;
mod recover;
mod seats;
pub mod work;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::{Semaphore, mpsc, watch};

use crate::bell::Bell;
use crate::config::{Config, Rules};
use crate::domain::answer::RunSummary;
use crate::domain::environment::Environment;
use crate::domain::run::{IllegalEvent, RunView};
use crate::ledger::runs::{AppendError, Fence};
use crate::ledger::{LedgerError, Store, made, stacks};
use crate::paths::Paths;
use crate::secrets::{self, Secrets};
use crate::terraform::{Standby, Stop, Supervisor};
use seats::Seats;
use work::{Claim, Commits, Report, RunContext};

pub use echo::Echo;
pub use foothold::{NoFoothold, make_sure_of_state_folder};
pub use lock::{EngineLock, EngineLockError, LedgerLock, engine_pid, seen_elsewhere};
pub use queue::Engine;

/// What the parts of one engine share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) rules: Rules,
    pub(crate) bell: Bell,
    pub(crate) paths: Paths,
    pub(crate) supervisor: Supervisor,
    pub(crate) secrets: Secrets,
    /// Terraform processes that plan at the same time.
    pub(crate) processes: Arc<Semaphore>,
    pub(crate) runner: String,
    pub(crate) host: String,
    /// This process is stopping: runs that only wait for people are left to the next one.
    pub(crate) draining: AtomicBool,
    /// Why the state folder could not be used when it was needed: this engine ends then.
    pub(crate) no_foothold: OnceLock<String>,
    /// How many runs are worked on.
    pub(crate) seats: Arc<Seats>,
}

impl Shared {
    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.rules.config.borrow())
    }

    /// What the tasks of one run share.
    async fn context(
        &self,
        run: &RunSummary,
        fence: &Fence,
        view: &RunView,
        environment: Environment,
        reports: mpsc::UnboundedSender<Report>,
        stop: watch::Receiver<Option<Stop>>,
    ) -> Result<RunContext, LedgerError> {
        let accepted = stacks::accepted_commits(&self.store, &environment.name).await?;
        let untouched = if made::exists(&self.store, &environment.name).await? {
            let touched = stacks::standings(&self.store, &environment.name).await?;
            environment.stacks.keys().filter(|stack| !touched.contains_key(*stack)).cloned().collect()
        } else {
            BTreeSet::new()
        };
        Ok(RunContext {
            number: run.number,
            claim: Claim { store: self.store.clone(), run: run.id, fence: fence.clone() },
            request: view.request.clone(),
            commits: Commits::new(&environment, view, &accepted),
            half_made: stacks::half_made(&self.store, &environment.name).await?,
            states_left: stacks::states_left(&self.store, &environment.name).await?,
            coming: coming::raise(&self.store, &self.config(), view.request.kind, &environment).await,
            environment,
            rules: self.rules.clone(),
            untouched,
            config: self.config(),
            states: tokio::sync::Mutex::default(),
            paths: self.paths.clone(),
            supervisors: Standby::new(self.supervisor.clone()),
            told: self.told(),
            secrets: self.secrets.clone(),
            reports,
            stop,
            written: Mutex::default(),
            ready: Mutex::default(),
        })
    }

    /// Values that no sink may show.
    fn told(&self) -> Vec<String> {
        secrets::told(&self.config(), &self.secrets)
    }
}

/// Why the engine could not go on with a run. The run stays as it is in the ledger and is taken up again.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An event could not be stored.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The ledger holds events that cannot follow each other.
    #[error(transparent)]
    Illegal(#[from] IllegalEvent),
    /// The state folder cannot be written.
    #[error(transparent)]
    State(#[from] NoFoothold),
    /// A task of ours panicked.
    #[error("a task of the engine ended abnormally: {0}")]
    Task(String),
}
