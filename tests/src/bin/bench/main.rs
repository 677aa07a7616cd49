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

const USAGE: &str = "usage: bench runs [PAIRS] | commands [SECONDS] | serve | slack [SECONDS] | chat | slow [SECONDS] | audit [ROWS] | clock [ENVIRONMENTS [DAYS [sqlite|postgres]]] | config [ENVIRONMENTS]";

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
        ["chat"] => measure(chat::run()),
        ["slow"] => measure(slack::run_slowly(20)),
        ["slow", seconds] if number(seconds).is_some() => measure(slack::run_slowly(number(seconds).unwrap_or(1))),
        ["audit"] => measure(audit::run(1_000_000)),
        ["audit", rows] if number(rows).is_some() => measure(audit::run(number(rows).unwrap_or(1))),
        ["config"] => measure(config::run(1_000)),
        ["config", environments] if number(environments).is_some() => {
            measure(config::run(number(environments).unwrap_or(1) as usize))
        }
        ["clock", of @ ..] if of.len() < 4 => match clock_of(of) {
            Some((environments, days, only)) => measure(clock::run(environments, days, only)),
            None => usage(),
        },
        _ => usage(),
    }
}

/// How many environments, for how many days, and on which database alone.
fn clock_of<'w>(words: &[&'w str]) -> Option<(u32, u32, Option<&'w str>)> {
    let known = |word: &&str| [clock::SQLITE, clock::POSTGRES].contains(word);
    let number = |word: Option<&&str>, otherwise: u32| match word {
        Some(word) => word.parse::<u32>().ok().filter(|number| *number > 0),
        None => Some(otherwise),
    };
    let only = words.get(2).copied();
    if only.as_ref().is_some_and(|only| !known(only)) {
        return None;
    }
    Some((number(words.first(), 1_000)?, number(words.get(1), 365)?, only))
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
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
