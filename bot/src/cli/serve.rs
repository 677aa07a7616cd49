//! `tidegate serve`: carries out runs until it is told to stop.

use std::path::Path;
use std::process::ExitCode;

use tidegate_runner::logging::{self, LogFormat};
use tidegate_runner::service;

use super::{fail, open};

pub(super) async fn run(config: &Path, log_format: LogFormat) -> ExitCode {
    if let Err(error) = logging::start(None, log_format) {
        return fail(&format!("cannot log: {error}"));
    }
    match open(config).await {
        Ok(house) => service::serve(house).await,
        Err(status) => status,
    }
}
