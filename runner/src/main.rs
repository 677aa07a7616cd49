//! `tidegate-runner`: the engine without the conversation, for machines that only run Terraform. Besides, hidden,
//! `supervise`, which the engine starts for each child.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tidegate_runner::house::{House, HouseError};
use tidegate_runner::logging::{self, LogFormat};
use tidegate_runner::secrets::no_core_dumps;
use tidegate_runner::service;

#[derive(Parser)]
#[command(name = "tidegate-runner", version, about = "Carries out Tidegate's runs on this machine")]
struct Arguments {
    /// The configuration file.
    #[arg(long, default_value = "tidegate.toml", value_name = "FILE")]
    config: PathBuf,
    /// Form of the program's own log.
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Watches over one child process; started by Tidegate itself.
    #[command(hide = true)]
    Supervise,
}

fn main() -> ExitCode {
    no_core_dumps();
    let Arguments { config, log_format, command } = Arguments::parse();
    if let Some(Command::Supervise) = command {
        return tidegate_runner::terraform::supervise();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    runtime.block_on(serve(&config, log_format))
}

async fn serve(config: &Path, log_format: LogFormat) -> ExitCode {
    if let Err(error) = logging::start(None, log_format) {
        return fail(&format!("cannot log: {error}"));
    }
    match House::open(config).await {
        Ok(house) => service::serve(house, |_| Vec::new()).await,
        Err(HouseError::Config(problems)) => fail(&problems.to_string()),
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(what: &str) -> ExitCode {
    eprintln!("tidegate-runner: {what}");
    ExitCode::FAILURE
}
