//! What becomes of the runs that are under way when somebody leaves the prompt.

use std::time::Duration;

use tidegate_runner::domain::ids::RunNumber;
use tidegate_runner::house::EngineAt;

use crate::cards;

/// What to tell who leaves, line by line; nothing when nothing is under way. Runs `working` have begun, runs `waiting` have not;
/// `drain` is the longest that an engine waits for its runs.
pub(super) fn farewell(engine: EngineAt, working: &[RunNumber], waiting: &[RunNumber], drain: Duration) -> Vec<String> {
    let all: Vec<RunNumber> = working.iter().chain(waiting).copied().collect();
    match engine {
        EngineAt::Here => {
            let limit = cards::duration(i64::try_from(drain.as_millis()).unwrap_or(i64::MAX));
            let waits = Runs::of(waiting).map(|Runs { numbers, waits, .. }| {
                format!("{numbers} {waits} in the queue until Tidegate is started again.")
            });
            let works = Runs::of(working).map(|Runs { numbers, goes, them, .. }| {
                format!(
                    "{numbers} {goes} on: this process carries {them} out, and stays until the end, but at most {limit}. Ctrl-C \
                     leaves at once: Terraform goes on by itself, and the next start finds {them} again."
                )
            });
            waits.into_iter().chain(works).collect()
        }
        EngineAt::Elsewhere { pid } => {
            let who = pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
            let tell = |Runs { numbers, goes, them, .. }: Runs| {
                format!("{numbers} {goes} on without this prompt: {who} carries {them} out.")
            };
            Runs::of(&all).map(tell).into_iter().collect()
        }
        EngineAt::Nowhere => {
            let tell = |Runs { numbers, waits, .. }: Runs| {
                format!("{numbers} {waits} until Tidegate is started again: no process carries out runs now.")
            };
            Runs::of(&all).map(tell).into_iter().collect()
        }
    }
}

/// Some runs, and the words that go with one or several.
struct Runs {
    numbers: String,
    waits: &'static str,
    goes: &'static str,
    them: &'static str,
}

impl Runs {
    fn of(runs: &[RunNumber]) -> Option<Self> {
        let numbers: Vec<String> = runs.iter().map(ToString::to_string).collect();
        match numbers.as_slice() {
            [] => None,
            [one] => Some(Self { numbers: format!("Run {one}"), waits: "waits", goes: "goes", them: "it" }),
            several => {
                let numbers = format!("Runs {}", several.join(", "));
                Some(Self { numbers, waits: "wait", goes: "go", them: "them" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(engine: EngineAt, working: &[i64], waiting: &[i64]) -> String {
        let runs = |numbers: &[i64]| numbers.iter().copied().map(RunNumber).collect::<Vec<_>>();
        farewell(engine, &runs(working), &runs(waiting), Duration::from_mins(5)).join("\n")
    }

    #[test]
    fn who_leaves_is_told_what_becomes_of_the_runs() {
        for engine in [EngineAt::Here, EngineAt::Nowhere, EngineAt::Elsewhere { pid: None }] {
            assert_eq!(told(engine, &[], &[]), "");
        }
        insta::assert_snapshot!(told(EngineAt::Here, &[5], &[6, 7]), @r"
        Runs 6, 7 wait in the queue until Tidegate is started again.
        Run 5 goes on: this process carries it out, and stays until the end, but at most 5 min. Ctrl-C leaves at once: Terraform goes on by itself, and the next start finds it again.
        ");
        insta::assert_snapshot!(told(EngineAt::Here, &[5, 6], &[]), @"Runs 5, 6 go on: this process carries them out, and stays until the end, but at most 5 min. Ctrl-C leaves at once: Terraform goes on by itself, and the next start finds them again.");
        insta::assert_snapshot!(told(EngineAt::Elsewhere { pid: Some(4711) }, &[5], &[6]), @"Runs 5, 6 go on without this prompt: process 4711 carries them out.");
        insta::assert_snapshot!(told(EngineAt::Elsewhere { pid: None }, &[], &[6]), @"Run 6 goes on without this prompt: another process carries it out.");
        insta::assert_snapshot!(told(EngineAt::Nowhere, &[5], &[]), @"Run 5 waits until Tidegate is started again: no process carries out runs now.");
    }
}
