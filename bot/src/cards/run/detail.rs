//! `show`: a run's card, every change by name, and with which code, tools and variables.

use tidegate_runner::domain::answer::RunDetail;
use tidegate_runner::domain::ids::StackName;
use tidegate_runner::domain::run::{Provenance, StackView};

use super::super::card::{Card, Line, Span, Tone};
use super::super::words::{Clock, DOT, Naming, Tense, changes, cut};
use super::card_naming;

/// Most changes of one stack that are named here; the log has all of them.
const ALL_MAX: usize = 200;

/// Everything about a run.
#[must_use]
pub fn show(detail: &RunDetail, clock: &Clock) -> Card {
    let number = detail.run.number;
    let mut card = card_naming(detail, clock, &Naming { most: ALL_MAX, others: format!("log {number}") });
    card.next.retain(|command| *command != format!("show {number}"));
    for (name, stack) in &detail.view.stacks {
        card = card
            .line(Line::of([Span::Strong(name.to_string())]))
            .lines(stack_lines(detail, name, stack).into_iter().map(|line| line.indented(1)));
    }
    let log = format!("log {number}");
    if detail.view.started.is_none() || card.next.iter().any(|command| command.starts_with(&log)) {
        card
    } else {
        card.next(log)
    }
}

/// What the plans of a run's stacks are, for the thread of its card.
#[must_use]
pub fn plan(detail: &RunDetail) -> Card {
    let title = format!("plan of {}", super::heading(detail));
    let mut card = Card::new(Tone::Plain, title);
    for (name, stack) in &detail.view.stacks {
        card = card
            .line(Line::of([Span::Strong(name.to_string())]))
            .lines(planned_lines(detail, name, stack).into_iter().map(|line| line.indented(1)));
    }
    card
}

/// What was planned, also once it is done: the card tells what became of it.
fn planned_lines(detail: &RunDetail, name: &StackName, stack: &StackView) -> Vec<Line> {
    let naming = Naming { most: ALL_MAX, others: format!("log {} {name}", detail.run.number) };
    let planned = stack.plan.as_ref().map_or(&[][..], |plan| plan.changes.as_slice());
    let mut lines = changes(planned, Tense::Planned, &naming);
    if lines.is_empty() {
        lines.push(Line::text("nothing to change"));
    }
    lines.extend(stack.provenance.iter().flat_map(provenance_lines));
    lines
}

fn stack_lines(detail: &RunDetail, name: &StackName, stack: &StackView) -> Vec<Line> {
    let number = detail.run.number;
    let (all, tense) = match (&stack.applied, &stack.plan) {
        (Some(applied), _) => (applied.done.as_slice(), Tense::Done),
        (None, Some(plan)) => (plan.changes.as_slice(), Tense::Planned),
        (None, None) => (&[][..], Tense::Planned),
    };
    let naming = Naming { most: ALL_MAX, others: format!("log {number} {name}") };
    let mut lines = changes(all, tense, &naming);
    if let Some(checked) = &stack.checked {
        lines.push(Line::text(format!("checked: {}", cut(checked))));
    }
    if let Some(provenance) = &stack.provenance {
        lines.extend(provenance_lines(provenance));
    }
    if lines.is_empty() {
        lines.push(Line::text("not begun"));
    }
    lines
}

fn provenance_lines(provenance: &Provenance) -> Vec<Line> {
    let Provenance { commit, dirty: _, digest, newer: _, tool, providers, variables, init } = provenance;
    let code = match (commit, digest) {
        (Some(commit), _) => format!("commit {}", cut(commit)),
        (None, Some(digest)) => format!("not in git, content {}", digest.chars().take(12).collect::<String>()),
        (None, None) => "code unknown".to_owned(),
    };
    let mut tools = vec![cut(tool)];
    tools.extend(providers.iter().map(|(name, version)| format!("{} {}", cut(name), cut(version))));
    let mut lines =
        vec![Line::text(format!("{code}{DOT}{}", tools.join(DOT))), Line::text(format!("init: {}", cut(init)))];
    if !variables.is_empty() {
        let all: Vec<String> = variables
            .iter()
            .map(|(name, value)| match value {
                Some(value) => format!("{name}={}", cut(&value.to_string())),
                None => format!("{name} (secret)"),
            })
            .collect();
        lines.push(Line::text(format!("variables: {}", all.join(" "))));
    }
    lines
}
