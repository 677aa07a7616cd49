//! `log`: what Terraform itself said in a run, from the redacted logs that stay.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;

use super::{Desk, DeskError};
use crate::account;
use crate::domain::answer::{LogExtract, LogPart};
use crate::domain::failure::{DETAIL_MAX, Failure, FailureKind};
use crate::domain::ids::{RunNumber, StackName};
use crate::domain::refusal::Refusal;
use crate::domain::run::StackState;
use crate::ledger::runs;
use crate::terraform::{Diagnostic, Diagnostics, Entry, Exit, Line, Message, failure_of, logfile};

/// Messages of one step that are shown, the last ones; the whole is in the file.
const SHOWN: usize = 40;

/// The same of a whole log, for a file: more than anybody reads, and a bound on what a message may carry.
const SHOWN_WHOLE: usize = 20_000;

/// Errors and warnings among them that are shown however much comes after them.
const TOLD: usize = 40;

impl Desk {
    /// Terraform's own messages in a run, a part for each step, oldest first.
    pub async fn log(&self, number: RunNumber, stack: Option<&StackName>) -> Result<LogExtract, DeskError> {
        self.log_of(number, stack, SHOWN).await
    }

    /// The same with all messages of each step; of a step with more than 20,000 the last ones.
    pub async fn whole_log(&self, number: RunNumber, stack: Option<&StackName>) -> Result<LogExtract, DeskError> {
        self.log_of(number, stack, SHOWN_WHOLE).await
    }

    async fn log_of(&self, number: RunNumber, stack: Option<&StackName>, most: usize) -> Result<LogExtract, DeskError> {
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
        let place = folder.display().to_string();
        let read = tokio::task::spawn_blocking(move || parts(&folder, &wanted, &failed_so, most)).await;
        let parts = read
            .map_err(std::io::Error::from)
            .flatten()
            .map_err(|error| DeskError::Logs { why: why_unreadable(Path::new(&place), &error), folder: place })?;
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
/// in `failed_so`; every other was tried, and planned again later. No folder, no steps.
fn parts(
    folder: &Path,
    stacks: &[StackName],
    failed_so: &BTreeSet<StackName>,
    most: usize,
) -> std::io::Result<Vec<LogPart>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries.collect::<Result<Vec<_>, _>>()?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut found: Vec<(u32, LogPart)> = entries
        .into_iter()
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            // `app.plan-2.jsonl.gz`: stack, command, number; see `Paths::log`.
            let (stack, step) = name.strip_suffix(".jsonl.gz")?.split_once('.')?;
            let stack = stacks.iter().find(|known| known.as_str() == stack)?;
            let (command, number) = step.rsplit_once('-')?;
            Some((number.parse().ok()?, part(stack, command, &entry.path(), most)))
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
    Ok(parts)
}

/// Why a log, or a folder of logs, cannot be read, and whose move it is.
pub(super) fn why_unreadable(path: &Path, error: &std::io::Error) -> String {
    if error.kind() != std::io::ErrorKind::PermissionDenied {
        return error.to_string();
    }
    let owner = account::owner_of(path).map(|owner| format!(", which belongs to {owner}")).unwrap_or_default();
    let folder = path.parent().unwrap_or(path).display();
    format!(
        "{} may not read {}{owner}: it takes the right to read {folder} and what is in it",
        account::own(),
        path.display()
    )
}

fn part(stack: &StackName, command: &str, file: &Path, most: usize) -> LogPart {
    let mut messages = Messages { most, ..Messages::default() };
    let mut diagnostics = Diagnostics::default();
    match logfile::read_log(file) {
        Ok(raw) => {
            for line in raw {
                let line = Line::parse(&line);
                diagnostics.take(&line);
                messages.take(line);
            }
        }
        Err(error) => {
            let why = why_unreadable(file, &error);
            messages.last.push_back((0, vec![format!("(the log cannot be read: {why})")]));
        }
    }
    let tried = command == "plan"
        && diagnostics.errors() > 0
        && failure_of(&diagnostics, &Exit::Code(1), false, "").kind == FailureKind::UpstreamMissing;
    let (left_out, cut) = (messages.left_out, messages.cut);
    LogPart {
        stack: stack.clone(),
        phase: command.to_owned(),
        tried,
        lines: messages.into_lines(),
        left_out,
        cut,
        file: file.display().to_string(),
    }
}

/// The messages of a step that are shown, each with its number: bounded, whatever the step printed.
#[derive(Default)]
struct Messages {
    most: usize,
    seen: u64,
    told: VecDeque<(u64, Vec<String>)>,
    last: VecDeque<(u64, Vec<String>)>,
    left_out: u64,
    cut: bool,
}

impl Messages {
    fn take(&mut self, line: Line) {
        self.seen += 1;
        let (kept, most, lines) = match line {
            Line::Entry(Entry { message: Message::Diagnostic(diagnostic), text, .. }) => {
                // A whole log is whole: what there may be of it is bounded already.
                let most = if self.most == SHOWN_WHOLE { usize::MAX } else { DETAIL_MAX };
                let (lines, whole) = explained(&diagnostic, text, most);
                self.cut |= !whole;
                (&mut self.told, TOLD.max(self.most), lines)
            }
            // Terraform's message of a line of its JSON stream; anything else as it is.
            Line::Entry(entry) => (&mut self.last, self.most, vec![entry.text]),
            Line::Garbage(text) => (&mut self.last, self.most, vec![text]),
            Line::Oversized => (&mut self.last, self.most, vec!["(a line of more than 1 MiB)".to_owned()]),
        };
        kept.push_back((self.seen, lines));
        if kept.len() > most {
            kept.pop_front();
            self.left_out += 1;
        }
    }

    fn into_lines(self) -> Vec<String> {
        let mut all: Vec<_> = self.told.into_iter().chain(self.last).collect();
        all.sort_by_key(|(number, _)| *number);
        all.into_iter().flat_map(|(_, lines)| lines).collect()
    }
}

/// An error or a warning with all that Terraform says of it: the resource, the place in the source, the explanation; of that at most
/// so many characters. False: there is more of it.
fn explained(diagnostic: &Diagnostic, text: String, most: usize) -> (Vec<String>, bool) {
    let Diagnostic { detail, address, range, snippet, .. } = diagnostic;
    let mut lines = vec![text];
    let at = range.as_ref().map(|range| format!("{} line {}", range.filename, range.start.line));
    lines.extend(match (address, at) {
        (Some(address), Some(at)) => Some(format!("  {address} in {at}")),
        (Some(address), None) => Some(format!("  {address}")),
        (None, at) => at.map(|at| format!("  {at}")),
    });
    let code = snippet.iter().flat_map(|snippet| snippet.code.lines().take(1));
    let told: String = detail.chars().take(most).collect();
    let rest = code.map(str::trim).chain(told.lines().map(str::trim_end)).filter(|line| !line.trim().is_empty());
    lines.extend(rest.map(|line| format!("  {line}")));
    let more = detail.chars().count().saturating_sub(told.chars().count());
    if more > 0 {
        lines.push(format!("  (and {more} more characters of it: the whole log has them)"));
    }
    (lines, more == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Redactor;
    use crate::terraform::logfile::LogWriter;

    const MISSING: &str = r#"{"@level":"error","@message":"Error: Unable to find remote state","type":"diagnostic","diagnostic":{"severity":"error","summary":"Unable to find remote state","detail":"No stored state was found."}}"#;
    #[test]
    fn a_long_explanation_is_whole_in_the_whole_log_and_says_how_much_is_left_out_of_it_elsewhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let redactor = Redactor::new(Vec::<String>::new());
        let detail: String = (0..900).map(|n| format!("line {n}\n")).collect();
        let line = serde_json::json!({
            "@level": "error", "@message": "Error: no", "type": "diagnostic",
            "diagnostic": { "severity": "error", "summary": "no", "detail": detail },
        });
        let mut log = LogWriter::create(&folder.path().join("app.apply-1.jsonl.gz"), &redactor).expect("a log");
        log.line(&line.to_string()).expect("a line");
        log.finish().expect("finished");
        let stacks: Vec<StackName> = vec!["app".parse().expect("a name")];
        let part = |most| parts(folder.path(), &stacks, &BTreeSet::new(), most).expect("parts").remove(0);
        let whole = part(SHOWN_WHOLE);
        assert!(whole.lines.iter().any(|line| line.trim() == "line 899"), "{:?}", whole.lines.last());
        assert_eq!((whole.left_out, whole.cut), (0, false));
        let some = part(SHOWN);
        assert!(!some.lines.iter().any(|line| line.trim() == "line 899"));
        assert!(some.lines.last().is_some_and(|line| line.contains("more characters")), "{:?}", some.lines.last());
        assert!(some.cut, "it is told that there is more");
    }

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
            parts(folder.path(), &stacks, &failed, SHOWN).expect("parts").iter().map(|part| part.tried).collect()
        };
        assert_eq!(tried(&[]), [true, true, true, false]);
        assert_eq!(tried(&stacks[..1]), [false, true, true, false]);
    }

    #[test]
    fn each_error_is_told_with_its_resource_its_place_and_its_explanation() {
        let folder = tempfile::tempdir().expect("a folder");
        let redactor = Redactor::new(Vec::<String>::new());
        let mut log = LogWriter::create(&folder.path().join("app.apply-1.jsonl.gz"), &redactor).expect("a log");
        for number in 0..2 {
            let line = serde_json::json!({
                "@level": "error", "@message": "Error: local-exec provisioner error", "type": "diagnostic",
                "diagnostic": {
                    "severity": "error", "summary": "local-exec provisioner error",
                    "detail": format!("\nExit status {number}.\nOutput: no capacity"),
                    "address": format!("terraform_data.slave[{number}]"),
                    "range": { "filename": "main.tf", "start": { "line": 42 } },
                    "snippet": { "code": "  provisioner \"local-exec\" {" },
                },
            });
            log.line(&line.to_string()).expect("a line");
        }
        for number in 0..50 {
            log.line(&format!("noise {number}")).expect("a line");
        }
        log.finish().expect("finished");
        let stacks = ["app".parse().expect("a name")];
        let parts = parts(folder.path(), &stacks, &BTreeSet::new(), SHOWN).expect("parts");
        let [part] = parts.as_slice() else { panic!("{parts:?}") };
        let error = |number: u32| {
            [
                "Error: local-exec provisioner error".to_owned(),
                format!("  terraform_data.slave[{number}] in main.tf line 42"),
                "  provisioner \"local-exec\" {".to_owned(),
                format!("  Exit status {number}."),
                "  Output: no capacity".to_owned(),
            ]
        };
        assert_eq!(part.lines[..10], [error(0), error(1)].concat());
        assert_eq!((part.lines.len(), part.lines[10].as_str(), part.left_out), (50, "noise 10", 10));
    }

    #[test]
    fn only_a_folder_that_is_not_there_has_no_log() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(parts(&folder.path().join("none"), &[], &BTreeSet::new(), SHOWN).expect("no parts").is_empty());
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("a file");
        parts(&file, &[], &BTreeSet::new(), SHOWN).expect_err("no folder");
    }
}
