//! Measures what `docs/performance.md` tells. `tests/bench` builds and starts it; it asserts nothing, since other work on the
//! machine would make it fail.

mod audit;
mod chat;
mod clock;
mod commands;
mod config;
mod figures;
mod runs;
mod serve;
mod slack;
mod world;

use std::process::ExitCode;

const USAGE: &str = "usage: bench runs [PAIRS] | commands [SECONDS] | serve | slack [SECONDS] | chat [SECONDS] | audit [ROWS] | clock [ENVIRONMENTS [DAYS]] | config [ENVIRONMENTS]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse::<u32>().ok().filter(|number| *number > 0);
    match words.as_slice() {
        // The engine in this process starts its children through this very program.
        ["supervise"] => tidegate_runner::terraform::supervise(),
        ["runs"] => measure(runs::run(20)),
        ["runs", pairs] if number(pairs).is_some() => measure(runs::run(number(pairs).unwrap_or(1))),
        ["commands"] => measure(commands::run(20)),
        ["commands", seconds] if number(seconds).is_some() => measure(commands::run(number(seconds).unwrap_or(1))),
        ["serve"] => measure(serve::run()),
        ["slack"] => measure(slack::run(20)),
        ["slack", seconds] if number(seconds).is_some() => measure(slack::run(number(seconds).unwrap_or(1))),
        ["chat"] => measure(chat::run(20)),
        ["chat", seconds] if number(seconds).is_some() => measure(chat::run(number(seconds).unwrap_or(1))),
        ["audit"] => measure(audit::run(1_000_000)),
        ["audit", rows] if number(rows).is_some() => measure(audit::run(number(rows).unwrap_or(1))),
        ["config"] => measure(config::run(1_000)),
        ["config", environments] if number(environments).is_some() => {
            measure(config::run(number(environments).unwrap_or(1) as usize))
        }
        ["clock"] => measure(clock::run(1_000, 365)),
        ["clock", environments] if number(environments).is_some() => {
            measure(clock::run(number(environments).unwrap_or(1), 365))
        }
        ["clock", environments, days] if number(environments).and(number(days)).is_some() => {
            measure(clock::run(number(environments).unwrap_or(1), number(days).unwrap_or(1)))
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn measure(work: impl Future<Output = ()>) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            runtime.block_on(work);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
