//! `tidegate-runner`: the engine without the conversation. Besides, hidden, `supervise DIR`, which the engine starts for each
//! child.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "tidegate-runner", version, about = "Carries out Tidegate's runs on this machine")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Watches over one child process; started by Tidegate itself.
    #[command(hide = true)]
    Supervise {
        /// The run folder with `spec.json`.
        dir: PathBuf,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Some(Command::Supervise { dir }) => tidegate_runner::terraform::supervise(&dir),
        None => ExitCode::SUCCESS,
    }
}
