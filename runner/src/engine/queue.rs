//! The engine's loop: takes runs off the queue, keeps their leases, and finds those that others left behind.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::Instant;

use super::alone::Alone;
use super::drive::Driver;
use super::seats::Seat;
use super::{EngineError, Shared, foothold, lost, recover};
use crate::bell::Bell;
use crate::config::{Config, Rules};
use crate::domain::answer::{Actor, RunSummary};
use crate::domain::audit::{START, STOP};
use crate::domain::ids::{ActorId, RunId, RunNumber};
use crate::domain::run::{RunEvent, RunState};
use crate::ledger::audit::{self, Entry};
use crate::ledger::runs::{self, AppendError, Fence};
use crate::ledger::{LedgerError, Store, Tx, runners};
use crate::paths::Paths;
use crate::secrets::Secrets;
use crate::standing;
use crate::terraform::{Supervisor, Tool};
use crate::warden;
use crate::witness;

/// How often the queue is looked at when no bell rings: another process may have put something in.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How often it is looked whether a hold is over, an environment free, or everything still.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// After a drain's limit, how long interrupted runs get to write their state.
const GRACE: Duration = Duration::from_secs(30);

/// The engine of this process.
#[derive(Debug)]
pub struct Engine {
    shared: Arc<Shared>,
    runs: JoinSet<Result<(), EngineError>>,
    /// Which run, in which attempt, a task of `runs` has in hand.
    tasks: HashMap<task::Id, (RunId, Fence)>,
}

/// What is to be done with a run that was just taken.
enum Work {
    /// Carry it out, in this seat.
    Drive(Seat),
    /// See what became of it.
    Look,
}

impl Engine {
    /// An engine on `store` that goes by `rules`. `alone`: no other engine can live on this ledger (the SQLite file lock is ours), so that whatever
    /// is under way in it was left behind.
    ///
    /// # Errors
    /// When the runner cannot be entered in the ledger.
    pub async fn new(
        store: Store,
        rules: Rules,
        bell: Bell,
        supervisor: Supervisor,
        secrets: Secrets,
        alone: bool,
    ) -> Result<Self, LedgerError> {
        let state_dir = rules.config.borrow().runner.state_dir.clone();
        let host = host_of(&state_dir);
        // Every start is another runner: a lease of the same name could otherwise be taken for our own.
        let runner = format!("{host}#{}", uuid::Uuid::now_v7());
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let shared = Arc::new(Shared {
            store,
            rules,
            bell,
            paths: Paths::new(&state_dir),
            supervisor,
            secrets,
            processes: Arc::new(Semaphore::new(cores.max(2))),
            runner,
            host,
            draining: AtomicBool::new(false),
            no_foothold: OnceLock::new(),
            seats: Arc::default(),
        });
        keep_to_ourselves(&shared.paths);
        let mut tx = shared.store.begin().await?;
        let process = std::process::id().to_string();
        runners::hello(&mut tx, &shared.runner, &shared.host, &process, env!("CARGO_PKG_VERSION")).await?;
        if alone {
            runs::expire_leases(&mut tx).await?;
        }
        note_life(&mut tx, START, &shared.runner).await?;
        tx.commit().await?;
        Ok(Self { shared, runs: JoinSet::new(), tasks: HashMap::new() })
    }

    /// Removes what an earlier process left of runs that have ended since, or ended as it died: it holds secrets in clear.
    async fn sweep(&self) {
        let folders = std::fs::read_dir(self.shared.paths.runs()).into_iter().flatten().flatten();
        let numbers = folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok().map(RunNumber));
        for number in numbers {
            if let Err(error) = self.sweep_run(number).await {
                tracing::warn!(run.number = number.0, %error, "what an earlier process left stays");
            }
        }
    }

    async fn sweep_run(&self, number: RunNumber) -> Result<(), EngineError> {
        // Another engine of this machine may be about to drive it.
        let Some(alone) = Alone::try_with(&self.shared.paths, number)? else { return Ok(()) };
        match runs::by_number(&self.shared.store, number).await? {
            Some(run) if !run.state.holds_environment() => alone.clean_up(),
            Some(_) | None => {}
        }
        Ok(())
    }

    /// Says what waits for people since before this process: whoever restarts it may not have been told.
    async fn tell_unknown(&self) {
        for run in runs::all_active(&self.shared.store).await.unwrap_or_default() {
            if let RunState::Unknown { stack, finding, .. } = &run.state {
                let (number, environment) = (run.number.0, &run.request.environment);
                tracing::warn!(run.number = number, %environment, %stack, finding, "UNKNOWN: `recover {number}` looks what became of it");
            }
        }
    }

    /// Works until `stop` turns true, then drains: nothing new is taken, what runs may end within the configured limit, what
    /// then still runs is interrupted gently. What even then does not end lives on and is found again by the next engine.
    ///
    /// # Errors
    /// The state folder cannot be used any more: runs are left as after a crash, for whoever can use theirs.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<(), String> {
        tokio::spawn(get_to_know_programs(self.shared.config()));
        self.sweep().await;
        self.tell_unknown().await;
        let mut bell = self.shared.bell.listen();
        let mut next_beat = Instant::now();
        let mut next_watch = Instant::now();
        while !*stop.borrow_and_update() {
            if Instant::now() >= next_beat {
                next_beat = Instant::now() + self.beat_every();
                self.beat().await;
            }
            if Instant::now() >= next_watch {
                next_watch = Instant::now() + WATCH_EVERY;
                self.watch().await;
            }
            if let Err(error) = self.take_runs().await {
                tracing::error!(%error, "the queue cannot be looked at; trying again");
            }
            if let Some(why) = self.shared.no_foothold.get() {
                self.runs.abort_all();
                while self.runs.join_next().await.is_some() {}
                self.goodbye().await;
                return Err(why.clone());
            }
            tokio::select! {
                () = bell.heard() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                Some(ended) = self.runs.join_next_with_id() => self.note_end(ended),
                _ = stop.changed() => {}
            }
        }
        self.drain().await;
        Ok(())
    }

    fn note_end(&mut self, ended: Result<(task::Id, Result<(), EngineError>), JoinError>) {
        let (id, error) = match ended {
            Ok((id, Ok(()))) => (id, None),
            Ok((id, Err(EngineError::Append(AppendError::Fenced(run))))) => {
                self.note_loss(id, run);
                (id, None)
            }
            Ok((id, Err(error))) => (id, Some(error.to_string())),
            Err(error) => (error.id(), Some(error.to_string())),
        };
        let Some((run, _)) = self.tasks.remove(&id) else { return };
        if let Some(error) = error {
            tracing::error!(run.id = %run, error, "a run was dropped; it is taken up again when its lease ends");
        }
    }

    /// A run that gave its place back and was taken again before its task had ended is in our own hands all the same.
    fn note_loss(&self, task: task::Id, run: RunId) {
        let again = self.tasks.iter().any(|(other, (held, _))| *held == run && *other != task);
        if !again {
            tracing::warn!(run.id = %run, "a run that we worked on is in other hands by now, and is left to them");
        }
    }

    fn beat_every(&self) -> Duration {
        Duration::from_secs(u64::from(self.shared.config().runner.heartbeat_s))
    }

    fn lease_ms(&self) -> i64 {
        i64::from(self.shared.config().runner.lease_s) * 1_000
    }

    async fn heartbeat(&self) -> Result<(), EngineError> {
        let shared = &self.shared;
        let mut tx = shared.store.begin().await?;
        runners::seen(&mut tx, &shared.runner).await?;
        tx.commit().await?;
        let held: Vec<(RunId, Fence)> = self.tasks.values().cloned().collect();
        for lost in runs::heartbeat(&shared.store, &held, self.lease_ms()).await? {
            // Its driver finds out at its next look, and says so where it was still at work.
            tracing::debug!(run.id = %lost, "a run is in another attempt");
        }
        Ok(())
    }

    /// Renews leases, takes over what others left behind, expires questions.
    async fn beat(&mut self) {
        if let Err(error) = self.try_beat().await {
            tracing::error!(%error, "a beat failed; trying again");
        }
    }

    async fn try_beat(&mut self) -> Result<(), EngineError> {
        self.heartbeat().await?;
        for orphan in runs::orphans(&self.shared.store).await? {
            let Some(seat) = self.shared.seats.try_take(self.limit()) else { break };
            // One that waits for people and whose environment is not configured now is waited for, not taken again and again.
            let waits = matches!(orphan.state, RunState::AwaitingApproval { .. });
            if waits && !self.shared.config().environments.contains_key(&orphan.request.environment) {
                continue;
            }
            let number = orphan.number;
            // One run that cannot be read stops no other.
            if let Err(error) = self.take_over_here(orphan, Work::Drive(seat)).await {
                tracing::error!(run.number = number.0, %error, "a run cannot be taken over; trying again");
            }
        }
        self.expire_questions().await
    }

    async fn expire_questions(&self) -> Result<(), EngineError> {
        let shared = Arc::clone(&self.shared);
        for run in runs::expired_questions(&shared.store).await? {
            let config = shared.config();
            let environment = config.environments.get(&run.request.environment);
            let mut tx = shared.store.begin().await?;
            match standing::append(&mut tx, &run, environment, &[RunEvent::QuestionExpired], None).await {
                Ok(_) => {
                    tx.commit().await?;
                    shared.bell.ring();
                }
                // Somebody answered at the same moment.
                Err(AppendError::LostRace(_) | AppendError::Illegal(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Sees to holds that come to their end, and to people who wait for news.
    async fn watch(&self) {
        match warden::look(&self.shared.store, &self.shared.config()).await {
            Ok(true) => self.shared.bell.ring(),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "holds cannot be looked at; trying again"),
        }
    }

    /// Takes a run over, unless it is for a runner that lives on another machine.
    async fn take_over_here(&mut self, run: RunSummary, work: Work) -> Result<(), EngineError> {
        if lost::is_for_another(&self.shared, run.id, self.lease_ms()).await? {
            Ok(())
        } else {
            self.take_over(run, work).await
        }
    }

    fn limit(&self) -> usize {
        self.shared.config().runner.parallel
    }

    async fn take_runs(&mut self) -> Result<(), EngineError> {
        for run in runs::to_look_at(&self.shared.store).await? {
            let (held, number) = (self.tasks.values().any(|(held, _)| *held == run.id), run.number);
            if !held && let Err(error) = self.take_over_here(run, Work::Look).await {
                tracing::error!(run.number = number.0, %error, "a run cannot be looked at; trying again");
            }
        }
        // One that cannot be carried out here ends at once: no further one is taken then.
        while self.shared.no_foothold.get().is_none() {
            let Some(seat) = self.shared.seats.try_take(self.limit()) else { break };
            let (shared, lease_ms) = (&self.shared, self.lease_ms());
            let claim = runs::claim_next(&shared.store, &shared.runner, &shared.host, lease_ms, self.limit()).await?;
            let Some((run, attempt)) = claim else { break };
            tracing::info!(run.number = run.number.0, attempt, "took a run");
            self.spawn(run, attempt, Work::Drive(seat));
        }
        Ok(())
    }

    async fn take_over(&mut self, run: RunSummary, work: Work) -> Result<(), EngineError> {
        let shared = &self.shared;
        let mut tx = shared.store.begin().await?;
        match runs::take_over(&mut tx, run.id, &shared.runner, &shared.host, self.lease_ms()).await {
            Ok(attempt) => {
                tx.commit().await?;
                tracing::info!(run.number = run.number.0, attempt, "took over a run");
                self.spawn(run, attempt, work);
                Ok(())
            }
            // Another runner was faster, or the run has just ended.
            Err(AppendError::LostRace(_) | AppendError::Illegal(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn spawn(&mut self, run: RunSummary, attempt: i64, work: Work) {
        let shared = Arc::clone(&self.shared);
        let fence = Fence { runner: shared.runner.clone(), attempt };
        let held = (run.id, fence.clone());
        let span = tracing::info_span!("run", number = run.number.0, environment = %run.request.environment, attempt);
        let work = async move {
            let result = Box::pin(carry_out(&shared, &run, fence, work)).await;
            shared.bell.ring();
            result
        };
        let task = self.runs.spawn(tracing::Instrument::instrument(work, span));
        self.tasks.insert(task.id(), held);
    }

    async fn drain(mut self) {
        self.shared.draining.store(true, Ordering::Relaxed);
        self.shared.bell.ring();
        let limit = Duration::from_secs(u64::from(self.shared.config().runner.drain_s));
        if self.runs.is_empty() {
            self.goodbye().await;
            return;
        }
        tracing::info!(runs = self.runs.len(), limit_s = limit.as_secs(), "draining: nothing new is taken");
        if !self.wait_for_runs(limit).await {
            self.interrupt_all().await;
            if !self.wait_for_runs(GRACE).await {
                tracing::warn!(runs = self.runs.len(), "some runs do not end; the next start finds them again");
            }
        }
        self.goodbye().await;
    }

    /// True when all runs have ended within `limit`. Their leases are kept meanwhile.
    async fn wait_for_runs(&mut self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        while !self.runs.is_empty() {
            let beat = (Instant::now() + self.beat_every()).min(end);
            tokio::select! {
                Some(ended) = self.runs.join_next_with_id() => self.note_end(ended),
                () = tokio::time::sleep_until(beat) => {
                    if Instant::now() >= end {
                        return false;
                    }
                    if let Err(error) = self.heartbeat().await {
                        tracing::error!(%error, "a beat failed while draining");
                    }
                }
            }
        }
        true
    }

    async fn interrupt_all(&self) {
        for (run, fence) in self.tasks.values() {
            if let Err(error) = self.interrupt(*run, fence).await {
                tracing::error!(run.id = %run, %error, "a run cannot be interrupted");
            }
        }
    }

    /// Asks a run of ours to stop while it works. One that waits for a yes goes on waiting.
    async fn interrupt(&self, run: RunId, fence: &Fence) -> Result<(), EngineError> {
        let mut tx = self.shared.store.begin().await?;
        let Some(run) = runs::get(&mut tx, run).await? else { return Ok(()) };
        match &run.state {
            // Who stopped it already, and why, stays in the ledger.
            state if state.stop().is_some() => return Ok(()),
            RunState::Planning { .. } | RunState::Applying { .. } | RunState::Verifying { .. } => {}
            RunState::Queued { .. }
            | RunState::AwaitingApproval { .. }
            | RunState::Unknown { .. }
            | RunState::Ended { .. } => return Ok(()),
        }
        let because = Some("Tidegate is stopping".to_owned());
        let event = RunEvent::StopAsked { by: ActorId::tidegate(), force: false, because };
        match runs::append(&mut tx, run.id, &event, Some(fence)).await {
            Ok(appended) => {
                witness::note(&mut tx, &run, &[event], &appended.state).await?;
                tx.commit().await?;
            }
            Err(AppendError::Illegal(_) | AppendError::LostRace(_) | AppendError::Fenced(_)) => {}
            Err(error @ (AppendError::NotFound(_) | AppendError::Db(_))) => return Err(error.into()),
        }
        self.shared.bell.ring();
        Ok(())
    }

    async fn goodbye(&self) {
        let forget = async {
            let mut tx = self.shared.store.begin().await?;
            runners::forget(&mut tx, &self.shared.runner).await?;
            note_life(&mut tx, STOP, &self.shared.runner).await?;
            tx.commit().await
        };
        if let Err(error) = forget.await {
            tracing::warn!(%error, "this runner stays in the ledger until somebody misses it");
        }
    }
}

/// Keeps that a process which carries out runs starts, or stops in good order. One that was killed has no second entry.
async fn note_life(tx: &mut Tx, action: &str, runner: &str) -> Result<(), LedgerError> {
    let detail = serde_json::json!({
        "runner": runner,
        "process": std::process::id(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    let tidegate = Actor::tidegate();
    audit::append(tx, &Entry { detail: Some(&detail), ..Entry::of_tidegate(&tidegate, action) }).await?;
    Ok(())
}

/// Asks the programs for their versions before a run needs them: an answer takes as long as a small plan. What is wrong with
/// one, the run says that needs it.
async fn get_to_know_programs(config: Arc<Config>) {
    let stacks = config.environments.values().flat_map(|environment| environment.stacks.values());
    let programs: BTreeSet<_> = stacks.map(|stack| stack.terraform.program.clone()).collect();
    for program in programs {
        if let Ok(tool) = Tool::find(&program, std::env::var_os("PATH").as_deref())
            && tool.is_itself()
            && let Err(failure) = tool.version(&config.runner.state_dir).await
        {
            tracing::debug!(program = %program.display(), reason = failure.summary, "the program does not tell its version");
        }
    }
}

async fn carry_out(shared: &Arc<Shared>, run: &RunSummary, fence: Fence, work: Work) -> Result<(), EngineError> {
    match work {
        Work::Look => Box::pin(recover::look(shared, run, &fence)).await,
        Work::Drive(seat) => match Box::pin(Driver::take(Arc::clone(shared), run.clone(), fence.clone(), seat)).await {
            Ok(Some(driver)) => driver.drive().await,
            Ok(None) => Ok(()),
            Err(EngineError::State(lost)) => foothold::give_up(shared, run, &fence, lost).await,
            Err(error) => Err(error),
        },
    }
}

/// Makes the folders for living runs and for what Terraform keeps ones that nobody else can enter: Terraform leaves plans and the
/// backend's settings in them open to all, and they hold secrets in clear.
fn keep_to_ourselves(paths: &Paths) {
    for folder in [paths.runs(), paths.all_data()] {
        let closed = std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)));
        if let Err(error) = closed {
            tracing::warn!(path = %folder.display(), %error, "a folder that holds secrets cannot be closed to others");
        }
    }
}

/// What tells one machine and state folder from another: children left behind can be found only there.
fn host_of(state_dir: &std::path::Path) -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{name}:{}", state_dir.display())
}
