//! A process that carries out runs until a signal asks it to end, then drains.

use std::process::ExitCode;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::house::{EngineAt, House};
use crate::signals::Signals;

/// What a process does beside being the engine: it goes on while the engine drains, so that people hear of that too.
#[derive(Debug)]
pub struct Beside {
    /// Set to true when it shall end.
    pub stop: watch::Sender<bool>,
    /// What it does.
    pub task: JoinHandle<()>,
}

/// Is the engine of `house`, with what `beside` begins, until a signal comes; then what runs may end within the configured limit. A second signal does not
/// wait: Terraform goes on without us, and the next start finds it again.
pub async fn serve(mut house: House, beside: impl FnOnce(&House) -> Vec<Beside>) -> ExitCode {
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            tracing::error!(%error, "cannot listen for signals");
            return ExitCode::FAILURE;
        }
    };
    house.start_engine();
    house.start_clock();
    if house.is_engine().await {
        tracing::info!(environments = house.config().environments.len(), "ready");
    } else {
        match house.engine_at().await {
            EngineAt::Elsewhere { pid: Some(pid) } => {
                tracing::warn!(
                    pid,
                    "not carrying out runs: another process does (its id is {pid}); this one goes on as soon as that has ended"
                );
            }
            EngineAt::Elsewhere { pid: None } => {
                tracing::warn!(
                    "not carrying out runs: another process does; this one goes on as soon as that has ended"
                );
            }
            EngineAt::Here | EngineAt::Nowhere => {
                tracing::warn!("not carrying out runs yet: the ledger is slow to answer, or errors say why; trying on");
            }
        }
    }
    for (environment, problems) in &house.config().unmanaged {
        tracing::error!(
            environment,
            problems = problems.len(),
            "its configuration does not check: see `tidegate check`"
        );
    }
    let beside = beside(&house);
    tracing::info!("{}: draining", signals.came().await);
    let close = async {
        house.close().await;
        for Beside { stop, .. } in &beside {
            stop.send_replace(true);
        }
        for Beside { task, .. } in beside {
            if let Err(error) = task.await {
                tracing::error!(%error, "what was done beside the engine ended abnormally");
            }
        }
    };
    tokio::select! {
        () = close => ExitCode::SUCCESS,
        _ = signals.came() => ExitCode::FAILURE,
    }
}
