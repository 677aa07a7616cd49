//! `tidegate`: the command line.

use std::process::ExitCode;

use clap::Parser as _;
use tidegate::cli::{self, Arguments, Command};
use tidegate_runner::secrets::no_core_dumps;

fn main() -> ExitCode {
    no_core_dumps();
    let Arguments { config, log_format, command } = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let typed: Vec<String> =
                std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
            return cli::mistyped(&error, &typed);
        }
    };
    // Before any runtime is made: the supervisor of a child has its own and must stay small.
    if let Command::Supervise = command {
        return tidegate_runner::terraform::supervise();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cli::fail(&format!("cannot start: {error}")),
    };
    let status = runtime.block_on(cli::run(&config, log_format, command));
    // A prompt that waits for a line sits in a thread of its own; nobody waits for it.
    runtime.shutdown_background();
    status
}
