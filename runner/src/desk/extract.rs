//! `log`: what Terraform itself said in a run, from the redacted logs that stay.

use std::path::Path;

use super::{Desk, DeskError};
use crate::domain::answer::{LogExtract, LogPart};
use crate::domain::ids::{RunNumber, StackName};
use crate::domain::refusal::Refusal;
use crate::terraform::{Line, logfile};

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
        let folder = self.paths.logs(number);
        let wanted: Vec<StackName> =
            run.request.stacks.keys().filter(|s| stack.is_none_or(|o| o == *s)).cloned().collect();
        let parts = tokio::task::spawn_blocking(move || parts(&folder, &wanted)).await.unwrap_or_default();
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

fn parts(folder: &Path, stacks: &[StackName]) -> Vec<LogPart> {
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
    found.into_iter().map(|(_, part)| part).collect()
}

fn part(stack: &StackName, command: &str, file: &Path) -> LogPart {
    let mut lines = std::collections::VecDeque::new();
    let mut left_out = 0;
    match logfile::read_log(file) {
        Ok(raw) => {
            for line in raw {
                lines.push_back(readable(&line));
                if lines.len() > SHOWN {
                    lines.pop_front();
                    left_out += 1;
                }
            }
        }
        Err(error) => lines.push_back(format!("(the log cannot be read: {error})")),
    }
    LogPart {
        stack: stack.clone(),
        phase: command.to_owned(),
        lines: lines.into(),
        left_out,
        file: file.display().to_string(),
    }
}

/// Terraform's message of a line of its JSON stream; anything else as it is.
fn readable(line: &str) -> String {
    match Line::parse(line) {
        Line::Entry(entry) => entry.text,
        Line::Garbage(text) => text,
        Line::Oversized => "(a line of more than 1 MiB)".to_owned(),
    }
}
