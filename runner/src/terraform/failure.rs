//! From diagnostics and the way a child ended to one [`Failure`].

use super::diagnostic::{Diagnostic, Snippet};
use super::exit::Exit;
use super::lock::lock_holder;
use super::stream::{Line, Message};
use crate::domain::failure::{DETAIL_MAX, Failure, FailureKind, SourceLine};

/// What is kept of the diagnostics of one child: the first error and counts. Bounded, whatever the child prints.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    first: Option<Diagnostic>,
    errors: u32,
    warnings: u32,
    interrupted: bool,
    kept: Vec<String>,
    garbage: Option<String>,
    garbage_lines: u64,
}

impl Diagnostics {
    /// Takes the next line of the child.
    pub fn take(&mut self, line: &Line) {
        match line {
            Line::Entry(entry) => match &entry.message {
                Message::Diagnostic(diagnostic) => self.diagnostic(diagnostic),
                // Terraform has no message type for it: the text is all there is ("\nInterrupt received.\nPlease wait ...").
                Message::Log if entry.text.trim_start().starts_with("Interrupt received") => self.interrupted = true,
                _ => {}
            },
            Line::Garbage(text) => {
                self.garbage_lines += 1;
                if self.garbage.is_none() && !text.trim().is_empty() {
                    self.garbage = Some(text.chars().take(200).collect());
                }
            }
            Line::Oversized => self.garbage_lines += 1,
        }
    }

    fn diagnostic(&mut self, diagnostic: &Diagnostic) {
        if diagnostic.severity != "error" {
            self.warnings = self.warnings.saturating_add(1);
            return;
        }
        self.errors = self.errors.saturating_add(1);
        if diagnostic.summary == PREVENT_DESTROY && self.kept.len() < KEPT_MAX {
            self.kept.extend(kept_address(&diagnostic.detail));
        }
        // "execution halted" tells only that another error, or an interrupt, stopped the rest.
        let says_nothing = |d: &Diagnostic| d.summary == "execution halted";
        if self.first.as_ref().is_none_or(|first| says_nothing(first) && !says_nothing(diagnostic)) {
            self.first = Some(diagnostic.clone());
        }
    }

    /// Errors so far.
    #[must_use]
    pub fn errors(&self) -> u32 {
        self.errors
    }

    /// Warnings so far.
    #[must_use]
    pub fn warnings(&self) -> u32 {
        self.warnings
    }

    /// Locals of the root that lack what is asked of them, by the first error.
    #[must_use]
    pub fn missing_of_locals(&self) -> Vec<String> {
        let Some(first) = self.first.as_ref().filter(|first| asks_for_what_is_not_there(first)) else {
            return Vec::new();
        };
        let values = first.snippet.iter().flat_map(|snippet| &snippet.values);
        let locals = values.filter_map(|value| value.traversal.strip_prefix("local."));
        locals.filter_map(|rest| rest.split(['.', '[']).next()).map(str::to_owned).collect()
    }

    /// True once Terraform said that it was interrupted.
    #[must_use]
    pub fn interrupted(&self) -> bool {
        self.interrupted
    }

    /// Lines that were no messages, with the beginning of the first one, as a sentence; `None` when there were none.
    #[must_use]
    pub fn garbage(&self) -> Option<String> {
        let first = self.garbage.as_deref()?;
        Some(format!("{} lines of its output are no messages; the first: {first}", self.garbage_lines))
    }
}

/// Why a child that did not do its work failed. `stop_asked`: Tidegate had asked it to stop. `stderr` is the end of its
/// standard error, which is told only where Terraform gave no reason of its own.
///
/// Call it when `exit` is no success or when the output does not show that the work was done.
#[must_use]
pub fn failure_of(diagnostics: &Diagnostics, exit: &Exit, stop_asked: bool, stderr: &str) -> Failure {
    let seen_ending = match exit {
        Exit::Code(_) | Exit::Signal(_) => true,
        Exit::CouldNotStart(_) | Exit::NeverBegan | Exit::Lost => false,
    };
    if seen_ending && (diagnostics.interrupted || (stop_asked && diagnostics.errors == 0 && !exit.is_success())) {
        return interrupted(diagnostics, exit);
    }
    if let Some(first) = diagnostics.first.as_ref().filter(|_| seen_ending) {
        let failure = from_diagnostic(kind_of(first), first, diagnostics.errors);
        return Failure { kept: diagnostics.kept.clone().into(), ..failure };
    }
    let stderr = stderr.trim();
    let explain = |failure: Failure| match diagnostics.garbage() {
        _ if !stderr.is_empty() => failure.with_detail(last_chars(stderr, DETAIL_MAX)),
        Some(garbage) => failure.with_detail(garbage),
        None => failure,
    };
    match exit {
        Exit::CouldNotStart(why) => Failure::new(FailureKind::CouldNotStart, why),
        Exit::NeverBegan => Failure::new(FailureKind::CouldNotStart, "its supervisor ended before it began"),
        Exit::Lost => Failure::new(FailureKind::Lost, "the process is gone and nobody saw how it ended"),
        _ if is_storage(stderr) => {
            explain(Failure::new(FailureKind::Storage, "a disk or file system refused to be written to"))
        }
        Exit::Signal(signal) => {
            explain(Failure::new(FailureKind::Signal { signal: *signal }, format!("ended by signal {signal}")))
        }
        Exit::Code(0) => {
            let summary = "exit status 0, but the output does not show that the work was done";
            explain(Failure::new(FailureKind::OutputNotUnderstood, summary))
        }
        Exit::Code(code) => {
            // A workspace is made under a lock as well.
            if let Some(holder) = lock_holder(stderr) {
                return explain(Failure::new(FailureKind::LockHeld(holder), "Error acquiring the state lock"));
            }
            if let Some((summary, rest)) = told_error(stderr) {
                let kind = kind_by_words(stderr).unwrap_or(FailureKind::Terraform);
                return Failure::new(kind, without_ids(&summary))
                    .with_detail(last_chars(&without_ids(&rest), DETAIL_MAX));
            }
            let summary = format!("exit status {code} without a reason");
            explain(Failure::new(FailureKind::NoReason { code: *code }, summary))
        }
    }
}

fn interrupted(diagnostics: &Diagnostics, exit: &Exit) -> Failure {
    let summary = match exit {
        Exit::Signal(signal) => format!("stopped on request (signal {signal})"),
        Exit::Code(_) | Exit::CouldNotStart(_) | Exit::NeverBegan | Exit::Lost => "stopped on request".to_owned(),
    };
    let Some(first) = diagnostics.first.as_ref().filter(|first| first.summary != "execution halted") else {
        return Failure::new(FailureKind::Interrupted, summary);
    };
    // What Terraform was doing is still worth a line: a resource caught half-way is named there.
    let mut failure = from_diagnostic(FailureKind::Interrupted, first, diagnostics.errors);
    failure.detail = format!("{}\n{}", failure.summary, failure.detail).trim().chars().take(DETAIL_MAX).collect();
    failure.summary = summary;
    failure
}

fn from_diagnostic(kind: FailureKind, first: &Diagnostic, errors: u32) -> Failure {
    let summary = without_ids(&one_line(&first.summary));
    let mut failure = Failure::new(kind, summary).with_detail(without_ids(first.detail.trim()));
    failure.address.clone_from(&first.address);
    failure.at = first.range.as_ref().map(|range| SourceLine {
        file: range.filename.clone(),
        line: range.start.line,
        code: first
            .snippet
            .as_ref()
            .and_then(|snippet| snippet.code.lines().next())
            .map(|code| code.trim().to_owned())
            .filter(|code| !code.is_empty()),
    });
    failure.more_errors = errors.saturating_sub(1);
    failure
}

/// Summaries of errors that `init` cures. Source: Terraform's `internal/command` and `internal/initwd`, seen with 1.11.
const NOT_INITIALISED: &[&str] = &[
    "Backend initialization required",
    "Backend configuration changed",
    "Backend type changed",
    "Cloud backend initialization required",
    "HCP Terraform initialization required",
    "Terraform Cloud initialization required",
    "Initialization required",
    "Inconsistent dependency lock file",
    "Module not installed",
    "Module source has changed",
    "Module version requirements have changed",
    "Required plugins are not installed",
    "Could not load plugin",
];

fn kind_of(diagnostic: &Diagnostic) -> FailureKind {
    let Diagnostic { summary, detail, .. } = diagnostic;
    if let Some(holder) = summary.contains("state lock").then(|| lock_holder(detail)).flatten() {
        return FailureKind::LockHeld(holder);
    }
    if summary == "Saved plan is stale" || summary == "Saved plan does not match the given state" {
        return FailureKind::StalePlan;
    }
    if NOT_INITIALISED.iter().any(|known| summary.starts_with(known)) {
        return FailureKind::NotInitialised;
    }
    if summary == "Unable to find remote state" || lacks_upstream_output(diagnostic) {
        return FailureKind::UpstreamMissing;
    }
    if summary == PREVENT_DESTROY {
        return FailureKind::PreventDestroy;
    }
    match kind_by_words(&format!("{summary} {detail}")) {
        // A bucket of a resource is another one.
        Some(FailureKind::NoStateBucket) if diagnostic.address.is_some() => FailureKind::Terraform,
        kind => kind.unwrap_or(FailureKind::Terraform),
    }
}

/// What the S3 backend and the AWS provider say of what is around a stack, with what it is. Source: Terraform's `internal/backend/remote-state/s3`,
/// `hashicorp/aws-sdk-go-base`, the errors of STS, and Terraform's `internal/states/statefile`; seen with 1.11 and 5.100.
const AROUND: &[(&str, FailureKind)] = &[
    ("failed to get shared config profile", FailureKind::Credentials),
    ("no valid credential sources found", FailureKind::Credentials),
    ("failed to refresh cached credentials", FailureKind::Credentials),
    ("cannot assume iam role", FailureKind::Credentials),
    ("invalidclienttokenid", FailureKind::Credentials),
    ("expiredtoken", FailureKind::Credentials),
    ("requestexpired", FailureKind::Credentials),
    ("nosuchbucket", FailureKind::NoStateBucket),
    ("the referenced s3 bucket must have been previously created", FailureKind::NoStateBucket),
    ("unsupported state file format", FailureKind::StateUnread),
];

/// By what Terraform says, of whatever it is about.
fn kind_by_words(text: &str) -> Option<FailureKind> {
    if is_storage(text) {
        return Some(FailureKind::Storage);
    }
    let text = one_line(text).to_ascii_lowercase();
    AROUND.iter().find(|(words, _)| text.contains(words)).map(|(_, kind)| kind.clone())
}

/// The first error of a subcommand that knows no JSON, on one line, and what it tells after that: `Error: ...` up to the first line without
/// text, in a box or plain, or a line of its own, `Failed to write state: ...`. Seen with Terraform 1.11.
fn told_error(stderr: &str) -> Option<(String, String)> {
    let mut lines = stderr.lines().map(|line| line.trim_matches(|c: char| c.is_whitespace() || "╷│╵".contains(c)));
    let first = lines
        .find_map(|line| line.strip_prefix("Error: ").or(Some(line).filter(|line| line.starts_with("Failed to "))))?;
    let text: Vec<&str> = std::iter::once(first).chain(lines.by_ref().take_while(|line| !line.is_empty())).collect();
    let rest: Vec<&str> = lines.collect();
    Some((text.join(" "), rest.join("\n").trim().to_owned()))
}

/// Without what AWS's SDK tells for its own support between what was asked and why it failed: ids of requests and hosts.
fn without_ids(text: &str) -> String {
    let told = |part: &str| -> Option<String> {
        let told = part.strip_prefix("RequestID: ").or_else(|| part.strip_prefix("HostID: "));
        let Some(id) = told else { return Some(part.to_owned()) };
        // It may be the last of its line.
        id.split_once('\n').map(|(_, rest)| format!("\n{rest}"))
    };
    let text: Vec<String> = text.split(", ").filter_map(told).collect();
    text.join(", ").replace(", \n", "\n")
}

/// Summary of the error where `prevent_destroy` forbids a plan. Source: Terraform's
/// `internal/terraform/node_resource_abstract_instance.go`, `checkPreventDestroy`.
const PREVENT_DESTROY: &str = "Instance cannot be destroyed";

/// Most addresses that are kept of such errors.
const KEPT_MAX: usize = 64;

/// `Resource ADDRESS has lifecycle.prevent_destroy set, but ...`
fn kept_address(detail: &str) -> Option<String> {
    let detail = one_line(detail);
    let (address, _) = detail.strip_prefix("Resource ")?.split_once(" has lifecycle.prevent_destroy")?;
    Some(address.to_owned())
}

fn asks_for_what_is_not_there(diagnostic: &Diagnostic) -> bool {
    matches!(diagnostic.summary.as_str(), "Unsupported attribute" | "Invalid index")
}

/// An upstream state without the output that is asked for: it exists, but was never applied as far as that.
fn lacks_upstream_output(diagnostic: &Diagnostic) -> bool {
    let asks = asks_for_what_is_not_there(diagnostic);
    let of_remote_state = |snippet: &Snippet| {
        snippet
            .values
            .iter()
            .any(|v| v.traversal.contains("terraform_remote_state.") && v.traversal.contains(".outputs"))
    };
    asks && diagnostic.snippet.as_ref().is_some_and(of_remote_state)
}

/// The texts of ENOSPC, EDQUOT and EROFS as Go and libc write them.
fn is_storage(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["no space left on device", "disk quota exceeded", "read-only file system"].iter().any(|known| text.contains(known))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn last_chars(text: &str, max: usize) -> String {
    let count = text.chars().count();
    text.chars().skip(count.saturating_sub(max)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(summary: &str, detail: &str, address: Option<&str>) -> Failure {
        let text = serde_json::json!({ "type": "diagnostic", "diagnostic": {
            "severity": "error", "summary": summary, "detail": detail, "address": address
        } });
        let mut diagnostics = Diagnostics::default();
        diagnostics.take(&Line::parse(&text.to_string()));
        failure_of(&diagnostics, &Exit::Code(1), false, "")
    }

    /// Texts of Terraform 1.11 with the S3 backend and the AWS provider 5.100.
    #[test]
    fn what_is_around_a_stack_is_told_apart_and_without_ids() {
        for (summary, detail, kind) in [
            ("failed to get shared config profile, change", "", FailureKind::Credentials),
            ("No valid credential sources found", "Please see ...\n\nError: x", FailureKind::Credentials),
            (
                "validating provider credentials: operation error STS: GetCallerIdentity, api error ExpiredToken: The security token",
                "",
                FailureKind::Credentials,
            ),
            (
                "S3 bucket \"a\" does not exist.\n\nThe referenced S3 bucket must\nhave been previously created.",
                "",
                FailureKind::NoStateBucket,
            ),
            (
                "Error refreshing state: Unsupported state file format: The state file uses format version 5",
                "",
                FailureKind::StateUnread,
            ),
            ("creating S3 Object", "api error NoSuchBucket: The specified bucket", FailureKind::NoStateBucket),
            ("Invalid reference", "", FailureKind::Terraform),
            ("writing a file", "No space left on device", FailureKind::Storage),
        ] {
            assert_eq!(said(summary, detail, None).kind, kind, "{summary}");
        }
        assert_eq!(said("creating S3 Object", "NoSuchBucket", Some("aws_s3_object.a")).kind, FailureKind::Terraform);
        let ids = "operation error S3: GetObject, https response error StatusCode: 404, RequestID: l5, HostID: 9G/+=, NoSuchKey: ";
        let told = said(ids, "Error message: a, RequestID: 1, HostID: 2\nLock Info:\n  ID: 1, 2", None);
        assert_eq!(told.summary, "operation error S3: GetObject, https response error StatusCode: 404, NoSuchKey:");
        assert_eq!(told.detail, "Error message: a\nLock Info:\n  ID: 1, 2");
    }

    #[test]
    fn what_knows_no_json_is_understood_as_well() {
        let of = |stderr: &str| failure_of(&Diagnostics::default(), &Exit::Code(1), false, stderr);
        let lock = "failed to lock s3 state: api error PreconditionFailed\nLock Info:\n  ID:        1-2\n  Path:      x\n  Operation: OperationTypeApply\n  Who:       ito@desk\n  Version:   1.11.4\n  Created:   2026-11-20 05:54:55 +0000 UTC\n  Info:\n";
        assert!(
            matches!(of(lock).kind, FailureKind::LockHeld(holder) if holder.who == "ito@desk" && holder.id == "1-2")
        );
        let told = of(
            "\nError: failed to get shared config profile,\nchange, RequestID: 1, HostID: 2\n\nmore, RequestID: 3\n",
        );
        assert_eq!(
            (told.kind, told.summary.as_str(), told.detail.as_str()),
            (FailureKind::Credentials, "failed to get shared config profile, change", "more")
        );
        let older = "cannot import state with serial 1 over newer state with serial 2";
        let told = of(&format!("Failed to write state: {older}\n"));
        assert_eq!((told.summary, told.detail.as_str()), (format!("Failed to write state: {older}"), ""));
        let told = of("Failed to unlock state: LocalState not locked\n");
        assert_eq!(told.summary, "Failed to unlock state: LocalState not locked");
        assert_eq!(of("Error: no such thing").kind, FailureKind::Terraform);
        assert_eq!(of("something else").kind, FailureKind::NoReason { code: 1 });
    }
}
