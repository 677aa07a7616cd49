//! `tidegate serve`: carries out runs until SIGTERM or SIGINT, then drains.

use std::path::Path;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::{fail, open};
use crate::logging::{self, LogFormat};

pub(super) async fn run(config: &Path, log_format: LogFormat) -> ExitCode {
    if let Err(error) = logging::start(None, log_format) {
        return fail(&format!("cannot log: {error}"));
    }
    let mut house = match open(config).await {
        Ok(house) => house,
        Err(status) => return status,
    };
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return fail("cannot listen for signals");
    };
    house.start_engine();
    if house.is_engine().await {
        tracing::info!(environments = house.config().environments.len(), "ready");
    } else {
        tracing::warn!("another process carries out the runs of this ledger; waiting until it has gone");
    }
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: draining"),
        _ = interrupt.recv() => tracing::info!("SIGINT: draining"),
    }
    // A second signal does not wait: Terraform goes on without us, and the next start finds it again.
    tokio::select! {
        () = house.close() => ExitCode::SUCCESS,
        _ = terminate.recv() => ExitCode::FAILURE,
        _ = interrupt.recv() => ExitCode::FAILURE,
    }
}
