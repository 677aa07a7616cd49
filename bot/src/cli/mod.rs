//! The command line: `shell`, `demo`, `check`, `serve`, `audit`. Each subcommand in a file of its own.

mod adopt;
mod audit;
mod check;
mod demo;
mod mistyped;
mod serve;
mod shell;
mod terraform;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
pub use mistyped::mistyped;

use tidegate_runner::account;
use tidegate_runner::house::{House, HouseError};
use tidegate_runner::logging::LogFormat;

/// Raises and lowers load-test environments from chat.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version)]
pub struct Arguments {
    /// The configuration file.
    #[arg(long, global = true, default_value = "tidegate.toml", value_name = "FILE")]
    pub config: PathBuf,
    /// Form of the program's own log.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM")]
    pub log_format: LogFormat,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The chat in this terminal, as the user of the operating system.
    Shell(shell::Shell),
    /// A guided tour and a playground: real Terraform, nothing downloaded, no cloud.
    Demo(demo::Demo),
    /// Reads configuration and Terraform roots, and tells everything that is wrong with them.
    Check(check::Check),
    /// Proposes an environment for a Terraform root that people run by hand.
    Adopt(adopt::Adopt),
    /// Gives Terraform a command by hand, with a stack's own workspace, variables, lock and place in the queue.
    Terraform(terraform::Terraform),
    /// Carries out runs until it is told to stop.
    Serve,
    /// Proves, signs, exports and prunes the audit.
    Audit(audit::Audit),
    /// Watches over one child process; started by Tidegate itself.
    #[command(hide = true)]
    Supervise,
}

/// Runs a subcommand and gives the exit status.
pub async fn run(config: &Path, log_format: LogFormat, command: Command) -> ExitCode {
    match command {
        Command::Shell(shell) => Box::pin(shell.run(config, log_format)).await,
        Command::Demo(demo) => Box::pin(demo.run(log_format)).await,
        Command::Check(check) => check.run(config).await,
        Command::Adopt(adopt) => adopt.run(config),
        Command::Terraform(terraform) => Box::pin(terraform.run(config, log_format)).await,
        Command::Serve => serve::run(config, log_format).await,
        Command::Audit(audit) => audit.run(config).await,
        // `main` has dealt with it before there was a runtime.
        Command::Supervise => ExitCode::FAILURE,
    }
}

/// Says on standard error what is wrong with the command line's surroundings. Exit status 1.
#[must_use]
pub fn fail(what: &str) -> ExitCode {
    eprintln!("tidegate: {what}");
    ExitCode::FAILURE
}

async fn open(config: &Path) -> Result<House, ExitCode> {
    House::open(config).await.map_err(not_opened)
}

fn not_opened(error: HouseError) -> ExitCode {
    match error {
        HouseError::Config(problems) => {
            eprint!("{}", tidegate_runner::config::render(problems.as_slice(), crate::chat::shell::color_on_stderr()));
            ExitCode::FAILURE
        }
        HouseError::Ledger(error) => fail(&error.to_string()),
        HouseError::Address(error) => fail(&error.to_string()),
        error @ HouseError::Secret(_) => fail(&error.to_string()),
    }
}

/// The log file of a process whose terminal must stay free for the conversation.
fn log_file(house: &Path) -> PathBuf {
    house.join("tidegate.log")
}

/// The name of the OS user, for `local:NAME`.
fn os_user() -> Result<String, String> {
    account::own_name().ok_or_else(|| format!("the operating system knows no name for user {}", account::own_id()))
}
