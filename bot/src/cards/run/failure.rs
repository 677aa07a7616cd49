//! Why a step did not do what it should, in the words of the program that said so.

use tidegate_runner::domain::failure::{Failure, FailureKind, LockHolder};
use tidegate_runner::domain::ids::{RunNumber, StackName};
use tidegate_runner::domain::run::Phase;

use super::super::card::{Line, Span};
use super::super::words::{cut, cut_middle, plural};

/// Most lines of an explanation.
const DETAIL_LINES: usize = 6;

/// `failed while applying`.
pub(super) fn when(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepare => "failed before planning",
        Phase::Plan => "failed while planning",
        Phase::Apply => "failed while applying",
        Phase::Verify => "failed the check",
    }
}

/// The same of a failure; of what is applied and only not in service, that.
pub(super) fn how(phase: Phase, failure: &Failure) -> &'static str {
    match (phase, &failure.kind) {
        (Phase::Verify, FailureKind::NotReady) => "not all in service",
        (Phase::Verify, FailureKind::CannotLook) => "applied, not checked",
        (Phase::Verify, FailureKind::Left) => "not seen to be gone",
        _ => when(phase),
    }
}

/// The first error, with address and source line.
pub(super) fn lines(stack: &StackName, failure: &Failure, run: RunNumber) -> Vec<Line> {
    let Failure { kind, summary, detail, address, at, more_errors, kept: _, rule: _ } = failure;
    let mut lines = vec![Line::of([Span::Text(format!("{stack}: ")), Span::Strong(cut_middle(summary))])];
    let mut place = Vec::new();
    if let Some(address) = address {
        place.push(Span::Code(cut(address)));
    }
    if let Some(at) = at {
        let gap = if place.is_empty() { "" } else { " in " };
        place.push(Span::Text(format!("{gap}{} line {}", cut(&at.file), at.line)));
    }
    if !place.is_empty() {
        lines.push(Line::of(place).indented(1));
    }
    if let Some(code) = at.as_ref().and_then(|at| at.code.as_ref()) {
        lines.push(Line::of([Span::Code(cut(code))]).indented(1));
    }
    // Of a lock all that counts is told below; what Terraform says of it begins with ids of requests.
    let detail = if matches!(kind, FailureKind::LockHeld(_)) { "" } else { detail };
    let told: Vec<&str> = detail.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).collect();
    lines.extend(told.iter().take(DETAIL_LINES).map(|line| Line::text((*line).to_owned()).indented(1)));
    if told.len() > DETAIL_LINES || *more_errors > 0 {
        let more = if *more_errors > 0 { format!("{} more", plural(*more_errors, "error")) } else { "more".to_owned() };
        let more = more.replace("errors more", "more errors").replace("error more", "more error");
        lines.push(Line::marked(&format!("{more}: `log {run} {stack}`")).indented(1));
    }
    lines.extend(meaning(kind).map(|text| Line::text(text).indented(1)));
    lines
}

/// `held by ito@desk for apply since 2026-11-20 02:58:01 UTC, lock 9db590f1`.
pub(in super::super) fn held_by(holder: &LockHolder) -> String {
    let mut text = format!("held by {}", cut(&holder.who));
    // Terraform writes the Go name of the operation: `OperationTypeApply`.
    let operation = holder.operation.strip_prefix("OperationType").unwrap_or(&holder.operation).to_lowercase();
    for (before, fact) in [(" for ", &operation), (" since ", &holder.created), (", lock ", &holder.id)] {
        if !fact.is_empty() {
            text.push_str(before);
            text.push_str(&cut(fact));
        }
    }
    text
}

/// What a kind of failure means for whoever reads, where the summary does not say it.
fn meaning(kind: &FailureKind) -> Option<String> {
    match kind {
        FailureKind::LockHeld(holder) => Some(format!("The state lock is {}.", held_by(holder))),
        FailureKind::StalePlan => Some("Somebody else changed the state after the plan was made.".to_owned()),
        FailureKind::PreventDestroy => Some(
            "The code says `prevent_destroy` there, and Tidegate never goes around it. Where the rest may go, name the resource in \
             `protect`: `off` and `destroy` then leave its stack at the lowest profile. Where it may go itself, take \
             `prevent_destroy` out of the code."
                .to_owned(),
        ),
        FailureKind::NoWorkspace => Some("Nothing is made only to look. If it is a new one, the first `up` makes it; if there was one, find out who took it away.".to_owned()),
        FailureKind::UpstreamMissing => Some("A stack that it needs has no state or outputs yet.".to_owned()),
        FailureKind::Credentials => {
            Some("Where a stack's credentials come from stands in docs/aws.md, \"Credentials of each stack\". Renew them, then `retry`.".to_owned())
        }
        FailureKind::NoStateBucket => Some(
            "Make it (docs/aws.md, \"Before the first `up`\"), or put right `backend` or the region; then `retry`.".to_owned(),
        ),
        FailureKind::StateUnread => Some(
            "Give it a `terraform` that reads it, or put back what it was before (docs/drift.md, \"A state that nobody can read\"); then `retry`."
                .to_owned(),
        ),
        FailureKind::CouldNotStart => Some("The program could not be started; nothing was done with it.".to_owned()),
        FailureKind::Signal { signal } => {
            Some(format!("It was ended by signal {signal}, which Tidegate did not send."))
        }
        FailureKind::NoReason { code } => Some(format!("It ended with exit status {code} and did not say why.")),
        FailureKind::OutputNotUnderstood => {
            Some("Its exit status says success, but its output does not show that it did its work.".to_owned())
        }
        FailureKind::Lost => Some("It and what watched it are gone, and nobody saw how it ended.".to_owned()),
        FailureKind::NotReady => Some(
            "That was all when its time was over. What runs is kept. Nothing is tried again by itself: `retry` plans, applies what is missing and looks again, \
             `accept` takes it as it is."
                .to_owned(),
        ),
        FailureKind::Fault => Some(
            "This is a fault of Tidegate's, not yours: its own log says more. Nothing of this run goes on.".to_owned(),
        ),
        FailureKind::CannotLook => Some("What was applied stands; only nobody knows whether it is in service.".to_owned()),
        FailureKind::Left => Some(
            "What its states knew is destroyed. It is listed until nothing is left of it, and that is looked at again by itself: `list new` tells when."
                .to_owned(),
        ),
        FailureKind::Storage => Some("The disk of the machine that runs Terraform refused to be written.".to_owned()),
        FailureKind::Terraform
        | FailureKind::NotInitialised
        | FailureKind::Interrupted
        | FailureKind::Configuration => None,
    }
}
