//! A run that asks for a yes: what it would do, what would go by name, until when.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_runner::domain::answer::RunDetail;
use tidegate_runner::domain::changes::{Change, Exactness, Moved, StackPlan, WentBack};
use tidegate_runner::domain::ids::{ActorId, StackName};
use tidegate_runner::domain::request::RunKind;
use tidegate_runner::domain::run::{Question, QuestionWhy, RunView};

use super::super::card::{Card, Line, Span, Tone};
use super::super::holds::hold_line;
use super::super::natural::{naturally, naturally_in};
use super::super::words::{Clock, DOT, Naming, Tense, action, changes_in, counts, cut};
use super::{approval, asker, code_notes, heading, others, quota};

/// Most owners that are named.
const OWNERS_MAX: usize = 6;

/// The card of a run that waits for a yes.
pub(super) fn card(detail: &RunDetail, question: &Question, applied: bool, clock: &Clock, naming: &Naming) -> Card {
    let number = detail.run.number;
    let environment = &detail.run.request.environment;
    let mut card = Card::new(Tone::Warning, format!("{}{DOT}needs a yes", heading(detail))).line(asker(detail, clock));
    card = card.lines(approval::wants(question, &detail.run.asker.id, clock));
    card = card
        .lines(detail.against.iter().map(|keep| Line::text(format!("Goes against this: {}.", hold_line(keep, clock)))));
    match &question.why {
        QuestionWhy::Previewed if detail.run.request.kind == RunKind::Adopt => {
            let text = "This is what the Terraform states would take over; nothing that exists is changed:";
            card = card.line(Line::text(text));
        }
        QuestionWhy::Previewed | QuestionWhy::Ruled if detail.run.request.kind == RunKind::Remove => {
            card = card.line(Line::text(
                "These carry the environment's tags, stand in none of its states, and would be deleted for good:",
            ));
        }
        QuestionWhy::Previewed | QuestionWhy::Ruled => card = card.line(Line::text("This is what it would do:")),
        QuestionWhy::ManyDestroys { destroys, above } => {
            let text = format!("It would delete or replace {destroys} resources, which is more than {above}:");
            card = card.line(Line::text(text));
        }
        QuestionWhy::OfAnother { owners } => {
            let owners = question.persons.once(owners);
            let owners: Vec<_> = owners.into_iter().take(OWNERS_MAX).map(ActorId::called).collect();
            let text = format!("{} is not yours but of {}. This is what it would do:", environment, owners.join(", "));
            card = card.line(Line::text(text));
        }
        QuestionWhy::Unannounced { destroys } => {
            card = card.line(Line::text("This would be lost, and the command does not say so:"));
            card = card.lines(
                naturally_in(destroys, |(stack, _)| stack, |(_, address)| address.as_str())
                    .into_iter()
                    .take(naming.most)
                    .map(|(stack, address)| {
                        Line::of([Span::Text(format!("{stack}: ")), Span::Code(cut(address))]).indented(1)
                    }),
            );
            if destroys.len() > naming.most {
                let more = destroys.len() - naming.most;
                card = card.line(Line::marked(&format!("and {more} more: `{}`", naming.others)).indented(1));
            }
            card = card.line(Line::text("Altogether it would do this:"));
        }
        QuestionWhy::WentBack { stacks } => {
            card = card.line(Line::text(went_back_line(detail, stacks)));
        }
        QuestionWhy::Moved { stacks } => {
            for (stack, moved) in stacks {
                card = card.line(Line::text(moved_line(stack, moved, clock)));
            }
            card = card.line(Line::text(
                "What they did is not written down anywhere, and this may take it back. This is what it would do:",
            ));
        }
        QuestionWhy::PlanChanged { beyond, otherwise } => {
            if !otherwise.is_empty() {
                let others: Vec<&str> = otherwise.iter().map(StackName::as_str).collect();
                let rest = if beyond.is_empty() { ", though nothing in what would change is new" } else { "" };
                let text = format!(
                    "The code or the variables of {} are not those that were shown{rest}.",
                    others.join(" and ")
                );
                card = card.line(Line::text(text));
            }
            if !beyond.is_empty() {
                let stacks: BTreeSet<&str> = beyond.iter().map(|(stack, _)| stack.as_str()).collect();
                let stacks: Vec<&str> = stacks.into_iter().collect();
                let beyond = beyond.iter().map(|(stack, change)| (stack, change));
                let lines = changes_in(&detail.view, beyond, Tense::Planned, naming);
                let text =
                    format!("The plan of {} goes beyond the one that was shown. New in it:", stacks.join(" and "));
                card = card.line(Line::text(text)).lines(lines.into_iter().map(|line| line.indented(1)));
            }
            card = card.line(Line::text("Altogether it would do this:"));
        }
    }
    if detail.run.request.kind == RunKind::Remove {
        card = card.lines(others::going(detail, clock, naming));
    } else {
        card = card.lines(plans(&detail.view, naming)).lines(code_notes(detail));
    }
    if applied {
        card = card.line(Line::text(format!(
            "Some of it is done already; until there is an answer, no other run changes {environment}."
        )));
    }
    let without = if applied { "it ends PARTIAL" } else { "nothing is changed" };
    let until = clock.moment(question.expires);
    card.line(Line::text(format!("Waits for an answer until {until}; without one {without}.")))
        .next(approval::line(number, question))
        .next(format!("reject {number}"))
        .next(format!("show {number}"))
}

/// What each stack's plan says: counts, and destroys and replacements by name.
pub(super) fn plans(view: &RunView, naming: &Naming) -> Vec<Line> {
    let width = view.stacks.keys().map(|name| name.as_str().len()).max().unwrap_or_default() + 2;
    let mut lines: Vec<Line> = view
        .stacks
        .iter()
        .map(|(name, stack)| {
            let said = stack.plan.as_ref().map_or_else(|| "not planned".to_owned(), figures);
            Line::of([Span::Column(name.to_string(), width), Span::Text(said)]).indented(1)
        })
        .collect();
    let planned = view.stacks.iter().filter_map(|(name, stack)| stack.plan.as_ref().map(|plan| (name, plan)));
    let all = planned.flat_map(|(name, plan)| plan.changes.iter().map(move |change| (name, change)));
    let going = all.filter(|(_, change)| change.action.destroys() || change.is_untainted());
    lines.extend(changes_in(view, going, Tense::Planned, naming).into_iter().map(|line| line.indented(1)));
    lines.extend(quota::lines(view));
    lines.extend(quota::foreseen(view));
    lines.extend(older_states(view));
    for (name, stack) in &view.stacks {
        let kept = naturally(stack.plan.iter().flat_map(|plan| &plan.kept_for), |address| address.as_str());
        let kept: Vec<String> = kept.into_iter().take(naming.most).map(|address| cut(address)).collect();
        if !kept.is_empty() {
            lines.push(
                Line::text(format!("{name} is lowered and not destroyed, because {} is protected", kept.join(", ")))
                    .indented(1),
            );
        }
    }
    lines.extend(drift(view, naming));
    lines
}

/// What an older state means for what stands.
fn went_back_line(detail: &RunDetail, stacks: &BTreeMap<StackName, WentBack>) -> String {
    let (named, verb) = match stacks.len() {
        1 => ("state", "is not the one that was left"),
        _ => ("states", "are not the ones that were left"),
    };
    let of: Vec<&str> = stacks.keys().map(StackName::as_str).collect();
    let of = of.join(" and ");
    let plans = stacks.keys().filter_map(|stack| detail.view.stacks.get(stack)?.plan.as_ref());
    let makes = plans.map(StackPlan::counts).any(|counts| counts.create > 0);
    let then = if makes { "be made once more" } else { "be left as it is" };
    format!(
        "The Terraform {named} of {of} {verb}: deleted, never stored, or an older or another one was put in its place. What was \
         made since may still exist without being known, and would {then}:"
    )
}

/// `jmeter's state moved from serial 41 to 43 outside Tidegate since 09:12`
fn moved_line(stack: &StackName, moved: &Moved, clock: &Clock) -> String {
    let Moved { serial, left, since } = moved;
    format!("{stack}'s state moved from serial {left} to {serial} outside Tidegate since {}.", clock.moment(*since))
}

/// Stacks whose states others wrote since Tidegate left them.
pub(super) fn moved<'v>(view: &'v RunView, clock: &'v Clock) -> impl Iterator<Item = Line> + 'v {
    let moved = view.stacks.iter().filter_map(|(stack, view)| Some((stack, view.plan.as_ref()?.moved()?)));
    moved.map(|(stack, moved)| Line::text(moved_line(stack, &moved, clock)).indented(1))
}

/// Stacks that were planned against an older or another state than the one that was left.
pub(super) fn older_states(view: &RunView) -> impl Iterator<Item = Line> {
    view.stacks.iter().filter_map(|(name, stack)| {
        let text = match stack.plan.as_ref().and_then(StackPlan::went_back)? {
            WentBack { lineage: Some(lineage), .. } => {
                format!("{name}'s state is another state (lineage {}) than the one that Tidegate left", cut(&lineage))
            }
            WentBack { serial, least, lineage: None } => {
                format!("{name}'s state has the serial {serial}; it was {least} at least when Tidegate left it")
            }
        };
        Some(Line::text(text).indented(1))
    })
}

fn figures(plan: &StackPlan) -> String {
    let counted = counts(plan.counts(), Tense::Planned);
    match plan.exactness {
        Exactness::Exact if plan.changes.is_empty() && plan.outputs_change => "only outputs change".to_owned(),
        Exactness::Exact => counted,
        Exactness::Provisional if plan.untaints() => {
            format!("about {counted}; planned again when what came up short is untainted")
        }
        Exactness::Provisional => format!("about {counted}; planned again when its upstream has changed"),
        Exactness::Unknown => "only creations; counted when its upstream is there".to_owned(),
    }
}

/// What was found to be changed by others, apart from what the run does.
pub(super) fn drift(view: &RunView, naming: &Naming) -> Vec<Line> {
    let plans = view.stacks.values().filter_map(|stack| stack.plan.as_ref());
    let found = plans.flat_map(|plan| naturally(&plan.drift, |change| change.address.as_str()));
    let found: Vec<&Change> = found.collect();
    if found.is_empty() {
        return Vec::new();
    }
    let more = found.len().saturating_sub(naming.most);
    let mut lines = vec![Line::text("changed outside Terraform:").indented(1)];
    lines.extend(found.iter().take(naming.most).map(|change| {
        let what = change.reason.as_ref().map(|reason| format!(": {}", cut(reason))).unwrap_or_default();
        let how = format!(" {}{what}", action(change.action, Tense::Done));
        Line::of([Span::Code(cut(&change.address)), Span::Text(how)]).indented(2)
    }));
    if more > 0 {
        lines.push(Line::marked(&format!("and {more} more: `{}`", naming.others)).indented(2));
    }
    lines
}
