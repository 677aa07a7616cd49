//! The folds against real outputs of Terraform 1.11.4: what people would be told of each.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use tidegate_runner::domain::changes::{Action, Change, Counts};
use tidegate_runner::domain::failure::{Applied, Failure, FailureKind, ResourceStage};
use tidegate_runner::terraform::{ApplyFold, Diagnostics, Exit, Line, Message, PlanFold, failure_of};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples/terraform")
}

fn lines(name: &str) -> Vec<Line> {
    let text = std::fs::read_to_string(folder().join(name)).expect("a sample");
    text.lines().map(Line::parse).collect()
}

fn planned(lines: &[Line]) -> Vec<Change> {
    let changes = lines.iter().filter_map(|line| match line.message() {
        Some(Message::PlannedChange(change)) => change.change(),
        _ => None,
    });
    changes.collect()
}

fn names(prefix: &str) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder())
        .expect("samples")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(prefix))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    names
}

fn counts(Counts { create, update, replace, delete, .. }: Counts) -> String {
    format!("+{create} ~{update} ±{replace} -{delete}")
}

fn told(failure: &Failure) -> String {
    let kind = match &failure.kind {
        FailureKind::LockHeld(holder) => format!("lock {} held by {} for {}", holder.id, holder.who, holder.operation),
        kind => format!("{kind:?}"),
    };
    let mut text = format!("{kind}: {}", failure.summary.chars().take(90).collect::<String>());
    if let Some(address) = &failure.address {
        write!(text, " | {address}").expect("written");
    }
    if let Some(at) = &failure.at {
        write!(text, " | {}:{} {:?}", at.file, at.line, at.code.as_deref().unwrap_or_default()).expect("written");
    }
    if failure.more_errors > 0 {
        write!(text, " | {} more", failure.more_errors).expect("written");
    }
    text
}

#[test]
fn every_line_of_every_sample_is_a_message_of_a_known_type() {
    for name in names("") {
        for line in lines(&name) {
            match &line {
                Line::Entry(entry) => {
                    assert!(!matches!(entry.message, Message::Unknown { .. }), "{name}: {line:?}");
                    assert!(!entry.text.is_empty(), "{name}: {line:?}");
                }
                Line::Garbage(_) | Line::Oversized => panic!("{name}: {line:?}"),
            }
        }
    }
}

#[test]
fn plans_say_what_would_be_done() {
    let mut text = String::new();
    for name in names("plan-").into_iter().chain(names("nocloud-plan")).chain(names("lock-")).chain(names("warn-")) {
        let mut fold = PlanFold::new(name == "plan-destroy.jsonl");
        for line in &lines(&name) {
            fold.take(line);
        }
        let warnings = fold.diagnostics().warnings();
        let plan = fold.finish(&Exit::Code(0), false, "").expect("a plan");
        let (shown, drift) = (counts(plan.counts()), plan.drift.len());
        writeln!(text, "{name}: {shown} drift {drift} outputs {} warnings {warnings}", plan.outputs_change)
            .expect("written");
        assert!(plan.changes.is_sorted() && plan.drift.is_sorted());
    }
    insta::assert_snapshot!(text);
}

#[test]
fn applies_say_what_was_done_what_failed_and_what_is_in_doubt() {
    let mut text = String::new();
    let prefixes = [
        "apply-",
        "destroy-",
        "ncsig-",
        "nocloud-apply",
        "nocloud-destroy",
        "nocloud-error",
        "nocloud-r",
        "nocloud-s",
        "sig-",
    ];
    for name in prefixes.into_iter().flat_map(names) {
        let lines = lines(&name);
        let planned = planned(&lines);
        let exit = match &name {
            name if name.contains("kill9-tf") || name.contains("ncsig-kill9") => Exit::Signal(9),
            name if name.contains("error") || name.contains("sig-") => Exit::Code(1),
            _ => Exit::Code(0),
        };
        let mut fold = ApplyFold::new(&planned);
        let events: Vec<_> = lines.iter().filter_map(|line| fold.take(line)).collect();
        let (applied, failure) = fold.finish(&exit, false, "");
        let missing = not_done(&planned, &applied);
        let done = events.iter().filter(|event| event.stage == ResourceStage::Done).count();
        let half_done = applied.done.len() - done;
        writeln!(
            text,
            "{name}: done {} failed {} in doubt {} halves {half_done} missing {} outputs {} => {}",
            counts(applied.counts()),
            applied.failed.len(),
            applied.in_doubt.len(),
            missing.len(),
            applied.outputs.len(),
            failure.as_ref().map_or_else(|| "success".to_owned(), told)
        )
        .expect("written");
        assert_eq!(failure.is_none(), missing.is_empty() && exit.is_success(), "{name}: {missing:?}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn errors_are_told_in_terraforms_own_words_and_sorted_by_what_to_do_next() {
    let mut text = String::new();
    for name in names("error-") {
        let mut diagnostics = Diagnostics::default();
        for line in &lines(&name) {
            diagnostics.take(line);
        }
        writeln!(text, "{name}: {}", told(&failure_of(&diagnostics, &Exit::Code(1), false, ""))).expect("written");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn an_upstream_without_state_or_outputs_is_told_apart() {
    let kind = |line: &str| {
        let mut diagnostics = Diagnostics::default();
        diagnostics.take(&Line::parse(line));
        failure_of(&diagnostics, &Exit::Code(1), false, "").kind
    };
    assert_eq!(
        kind(
            r#"{"type":"diagnostic","diagnostic":{"severity":"error","summary":"Unable to find remote state","detail":"No"}}"#
        ),
        FailureKind::UpstreamMissing
    );
    assert_eq!(
        kind(
            r#"{"type":"diagnostic","diagnostic":{"severity":"error","summary":"Unsupported attribute","detail":"This object does not have an attribute named \"net\".","snippet":{"context":null,"code":"input = x","values":[{"traversal":"data.terraform_remote_state.up.outputs","statement":"is object with no attributes"}]}}}"#
        ),
        FailureKind::UpstreamMissing
    );
    assert_eq!(
        kind(
            r#"{"type":"diagnostic","diagnostic":{"severity":"error","summary":"Unsupported attribute","detail":"No","snippet":{"values":null}}}"#
        ),
        FailureKind::Terraform
    );
}

#[test]
fn a_plan_without_its_summary_or_with_a_lost_change_is_not_believed() {
    let all = lines("nocloud-plan.jsonl");
    let finish = |lines: &[Line], exit: Exit| {
        let mut fold = PlanFold::new(false);
        for line in lines {
            fold.take(line);
        }
        fold.finish(&exit, false, "").map_err(|failure| failure.kind)
    };
    assert!(finish(&all, Exit::Code(0)).is_ok());
    assert_eq!(finish(&[], Exit::Code(0)), Err(FailureKind::OutputNotUnderstood));
    assert_eq!(finish(&all[..4], Exit::Code(0)), Err(FailureKind::OutputNotUnderstood));
    let lost: Vec<_> = [&all[..2], &all[3..]].concat();
    assert_eq!(finish(&lost, Exit::Code(0)), Err(FailureKind::OutputNotUnderstood));
    assert_eq!(finish(&all, Exit::Code(1)), Err(FailureKind::NoReason { code: 1 }));
    assert_eq!(finish(&all, Exit::Signal(9)), Err(FailureKind::Signal { signal: 9 }));
    assert_eq!(finish(&all, Exit::Lost), Err(FailureKind::Lost));
    let strange = Line::parse(r#"{"type":"planned_change","change":{"resource":{"addr":"a.b"},"action":"ponder"}}"#);
    assert_eq!(finish(&[all.clone(), vec![strange]].concat(), Exit::Code(0)), Err(FailureKind::OutputNotUnderstood));
}

#[test]
fn an_apply_without_its_summary_is_no_success_and_a_full_disk_is_named() {
    let all = lines("nocloud-apply.jsonl");
    let planned = planned(&all);
    let finish = |lines: &[Line], exit: Exit, stopped: bool, stderr: &str| {
        let mut fold = ApplyFold::new(&planned);
        for line in lines {
            fold.take(line);
        }
        fold.finish(&exit, stopped, stderr).1.map(|failure| failure.kind)
    };
    assert_eq!(finish(&all, Exit::Code(0), false, ""), None);
    let summary =
        all.iter().position(|line| matches!(line.message(), Some(Message::ChangeSummary(_)))).expect("a summary");
    assert_eq!(finish(&all[..summary], Exit::Code(0), false, ""), Some(FailureKind::OutputNotUnderstood));
    assert_eq!(finish(&[], Exit::Code(1), false, "write p: no space left on device"), Some(FailureKind::Storage));
    assert_eq!(finish(&[], Exit::Signal(2), true, ""), Some(FailureKind::Interrupted));
    assert_eq!(finish(&[], Exit::CouldNotStart("x".to_owned()), true, ""), Some(FailureKind::CouldNotStart));
    let lost = all[..summary - 1].iter().chain(&all[summary..]).cloned().collect::<Vec<_>>();
    assert_eq!(finish(&lost, Exit::Code(0), false, ""), Some(FailureKind::OutputNotUnderstood));
}

/// Addresses that were planned and not reported done, sorted. Moves, imports and forgettings are left out: Terraform
/// reports nothing when it does them.
fn not_done(planned: &[Change], applied: &Applied) -> Vec<String> {
    let mut done: Vec<(&str, Action)> = applied.done.iter().map(|c| (c.address.as_str(), c.action)).collect();
    let mut missing = BTreeSet::new();
    for change in planned {
        if matches!(change.action, Action::Move | Action::Import | Action::Forget) {
            continue;
        }
        // An address can be planned twice: an update, and the deletion of an old object left by a failed replacement.
        match done.iter().position(|(address, action)| *address == change.address && *action == change.action) {
            Some(at) => {
                done.swap_remove(at);
            }
            None => {
                missing.insert(change.address.clone());
            }
        }
    }
    missing.into_iter().collect()
}
