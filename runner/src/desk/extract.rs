//! `log`: what Terraform itself said in a run, from the redacted logs that stay.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Desk, DeskError};
use crate::domain::answer::{LogExtract, LogPart};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::ids::{RunNumber, StackName};
use crate::domain::refusal::Refusal;
use crate::domain::run::StackState;
use crate::ledger::runs;
use crate::terraform::{Diagnostics, Exit, Line, failure_of, logfile};

/// Lines of one step that are shown; the whole is in the file.
const SHOWN: usize = 40;

impl Desk {
    /// Terraform's own messages in a run, a part for each step, oldest first.
    pub async fn log(&self, number: RunNumber, stack: Option<&StackName>) -> Result<LogExtract, DeskError> {
        let run = self.find(number).await?;
        if let Some(stack) = stack
            && !run.request.stacks.contains_key(stack)
        {
            let stacks: Vec<&str> = run.request.stacks.keys().map(StackName::as_str).collect();
            let refusal = Refusal::refused(
                format!("run {number} has no stack {stack}"),
                format!("its stacks are: {}", stacks.join(", ")),
            );
            return Err(refusal.hint(format!("log {number}")).into());
        }
        let view = runs::view(&self.store, run.id).await?;
        let failed_so: BTreeSet<StackName> = view
            .into_iter()
            .flat_map(|view| view.stacks)
            .filter(|(_, stack)| {
                let upstream = |failure: &Failure| failure.kind == FailureKind::UpstreamMissing;
                matches!(&stack.state, StackState::Failed(_, failure) if upstream(failure))
            })
            .map(|(name, _)| name)
            .collect();
        let folder = self.paths.logs(number);
        let wanted: Vec<StackName> =
            run.request.stacks.keys().filter(|s| stack.is_none_or(|o| o == *s)).cloned().collect();
        let parts = tokio::task::spawn_blocking(move || parts(&folder, &wanted, &failed_so)).await.unwrap_or_default();
        if parts.is_empty() {
            let refusal = Refusal::refused(
                format!("run {number} has no log here"),
                "Terraform was not started in it, or another machine has the log",
            );
            return Err(refusal.hint(format!("show {number}")).into());
        }
        Ok(LogExtract { run: number, parts })
    }
}

/// The steps of these stacks. A plan for which a stack that it needs was not there is a failure only as the last one of a stack
/// in `failed_so`; every other was tried, and planned again later.
fn parts(folder: &Path, stacks: &[StackName], failed_so: &BTreeSet<StackName>) -> Vec<LogPart> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(u32, LogPart)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            // `app.plan-2.jsonl.gz`: stack, command, number; see `engine::paths`.
            let (stack, step) = name.strip_suffix(".jsonl.gz")?.split_once('.')?;
            let stack = stacks.iter().find(|known| known.as_str() == stack)?;
            let (command, number) = step.rsplit_once('-')?;
            Some((number.parse().ok()?, part(stack, command, &entry.path())))
        })
        .collect();
    found.sort_by(|(a, one), (b, two)| {
        let place = |part: &LogPart| stacks.iter().position(|stack| *stack == part.stack);
        (place(one), a).cmp(&(place(two), b))
    });
    let mut parts: Vec<LogPart> = found.into_iter().map(|(_, part)| part).collect();
    for stack in failed_so {
        if let Some(last) = parts.iter_mut().rfind(|part| part.stack == *stack) {
            last.tried = false;
        }
    }
    parts
}

fn part(stack: &StackName, command: &str, file: &Path) -> LogPart {
    let mut lines = std::collections::VecDeque::new();
    let mut left_out = 0;
    let mut diagnostics = Diagnostics::default();
    match logfile::read_log(file) {
        Ok(raw) => {
            for line in raw {
                let line = Line::parse(&line);
                diagnostics.take(&line);
                lines.push_back(readable(line));
                if lines.len() > SHOWN {
                    lines.pop_front();
                    left_out += 1;
                }
            }
        }
        Err(error) => lines.push_back(format!("(the log cannot be read: {error})")),
    }
    let tried = command == "plan"
        && diagnostics.errors() > 0
        && failure_of(&diagnostics, &Exit::Code(1), false, "").kind == FailureKind::UpstreamMissing;
    LogPart {
        stack: stack.clone(),
        phase: command.to_owned(),
        tried,
        lines: lines.into(),
        left_out,
        file: file.display().to_string(),
    }
}

/// Terraform's message of a line of its JSON stream; anything else as it is.
fn readable(line: Line) -> String {
    match line {
        Line::Entry(entry) => entry.text,
        Line::Garbage(text) => text,
        Line::Oversized => "(a line of more than 1 MiB)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Redactor;
    use crate::terraform::logfile::LogWriter;

    const MISSING: &str = r#"{"@level":"error","@message":"Error: Unable to find remote state","type":"diagnostic","diagnostic":{"severity":"error","summary":"Unable to find remote state","detail":"No stored state was found."}}"#;
    const OTHER: &str = r#"{"@level":"error","@message":"Error: no","type":"diagnostic","diagnostic":{"severity":"error","summary":"no","detail":""}}"#;

    #[test]
    fn a_plan_that_came_before_its_upstream_was_only_tried_unless_the_run_failed_by_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let redactor = Redactor::new(Vec::<String>::new());
        for (name, line) in
            [("app.plan-1", MISSING), ("jmeter.plan-1", MISSING), ("jmeter.plan-2", MISSING), ("jmeter.plan-10", OTHER)]
        {
            let mut log = LogWriter::create(&folder.path().join(format!("{name}.jsonl.gz")), &redactor).expect("a log");
            log.line(line).expect("a line");
            log.finish().expect("finished");
        }
        let stacks: Vec<StackName> = ["app", "jmeter"].map(|name| name.parse().expect("a name")).to_vec();
        let tried = |failed: &[StackName]| -> Vec<bool> {
            let failed = failed.iter().cloned().collect();
            parts(folder.path(), &stacks, &failed).iter().map(|part| part.tried).collect()
        };
        assert_eq!(tried(&[]), [true, true, true, false]);
        assert_eq!(tried(&stacks[..1]), [false, true, true, false]);
    }
}
