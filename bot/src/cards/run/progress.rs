//! A run at work: stack by stack, a bar each, time spent and left, and what is waited for.

use tidegate_runner::domain::answer::{RunDetail, RunSummary};
use tidegate_runner::domain::changes::Exactness;
use tidegate_runner::domain::failure::FailureKind;
use tidegate_runner::domain::ids::StackName;
use tidegate_runner::domain::run::{Phase, RunState, RunView, StackState, StackView};

use super::super::card::{Card, Line, Span, Tone};
use super::super::history::state_word;
use super::super::words::{Clock, DOT, Tense, about, action, counts, cut, duration};
use super::{asker, code_notes, heading, note, question, quota, service};

/// The card of a run that waits or works.
pub(super) fn card(detail: &RunDetail, clock: &Clock) -> Card {
    let view = &detail.view;
    let number = detail.run.number;
    let state = match (&view.state, view.state.stop()) {
        (RunState::Queued { approved: Some(_) }, _) => "approved, waits for its turn",
        (RunState::Queued { approved: None }, _) => "waits for its turn",
        (_, Some(stop)) if stop.force => "being killed",
        (_, Some(_)) => "stopping",
        (state, None) => state_word(state),
    };
    let mut card = Card::new(Tone::Working, format!("{}{DOT}{state}", heading(detail))).line(asker(detail, clock));
    card = card.lines(silence(&detail.run, clock));
    if let Some(stop) = view.state.stop() {
        card = card.line(Line::text(format!("{} wants it stopped.", stop.by.called())));
        if !stop.force {
            card = card.line(Line::marked(&format!(
                "If that takes too long, `cancel {number} force` kills it; what it is just making may then exist without Terraform knowing it."
            )));
        }
    }
    card = card.lines(stacks(view, clock));
    card = card.lines(quota::lines(view)).lines(quota::foreseen(view));
    card = card.lines(question::older_states(view)).lines(waited_for(view, clock)).lines(time(detail));
    if matches!(view.state, RunState::Queued { .. } | RunState::Planning { .. }) {
        card = card.lines(code_notes(detail));
    }
    if view.state.stop().is_none() { card.next(format!("cancel {number}")) } else { card }
}

/// That a run which should be worked on is not, as far as the ledger knows.
pub(in super::super) fn silence(run: &RunSummary, clock: &Clock) -> Option<Line> {
    let until = run.lease_until.filter(|_| run.state.works())?;
    (until < clock.now).then(|| {
        Line::marked(&format!(
            "Nobody carries it out: nothing was heard since {}. Terraform may go on by itself; `tidegate serve` takes the run over.",
            clock.moment(until)
        ))
    })
}

/// The card of an unknown run that somebody wants to be looked at.
pub(super) fn looking(detail: &RunDetail, stack: &StackName, clock: &Clock) -> Card {
    Card::new(Tone::Working, format!("{}{DOT}looking what became of {stack}", heading(detail)))
        .line(asker(detail, clock))
        .line(Line::text("State and lock are being read."))
}

/// A line for each stack: its name, what is done to it, how far.
pub(in super::super) fn stacks(view: &RunView, clock: &Clock) -> Vec<Line> {
    let width = view.stacks.keys().map(|name| name.as_str().len()).max().unwrap_or_default() + 2;
    view.stacks
        .iter()
        .flat_map(|(name, stack)| {
            let (word, bar) = word(view, stack);
            let mut line = Line::of([Span::Column(name.to_string(), width), Span::Column(word.clone(), 10)])
                .indented(1)
                // A planned stack that begins to wait for its turn is no news.
                .watching(name.as_str(), if matches!(stack.state, StackState::Planned) { "planned" } else { &word });
            if let Some((done, total)) = bar {
                line = line.and(Span::Bar { done, total });
            }
            if let Some(plan) = stack.plan.as_ref().filter(|_| matches!(stack.state, StackState::Planned)) {
                let figures = match plan.exactness {
                    Exactness::Exact => counts(plan.counts(), Tense::Planned),
                    Exactness::Provisional => format!("about {}", counts(plan.counts(), Tense::Planned)),
                    Exactness::Unknown => "to create, counted when its upstream is there".to_owned(),
                };
                line = line.and(Span::Text(figures));
            }
            if let (StackState::Working(phase, since), None) = (&stack.state, bar) {
                let spent = clock.now.ms_since(*since);
                if *phase != Phase::Apply && spent >= 1000 {
                    line = line.and(Span::Text(duration(spent)));
                }
            }
            let note = stack.note.as_ref().map(|note| {
                let words = note::words(note);
                Line::text(format!("{name}: {words}")).indented(2).watching(format!("{name} note"), words)
            });
            std::iter::once(line).chain(note)
        })
        .collect()
}

/// What is done to a stack, and how much of it is done when that can be counted.
fn word(view: &RunView, stack: &StackView) -> (String, Option<(u32, u32)>) {
    let total = stack.plan.as_ref().map_or(0, |plan| plan.counts().total());
    // More can be done than was counted, where the plan was made before its upstream changed.
    let bar = |done: u32| (total > 0).then_some((done, total.max(done)));
    let applied = || stack.applied.as_ref().map_or_else(|| stack.changes_done(), |applied| applied.counts().total());
    match &stack.state {
        StackState::Waiting => ("waits".to_owned(), None),
        StackState::Working(Phase::Prepare, _) => ("preparing".to_owned(), None),
        StackState::Working(Phase::Plan, _) => ("planning".to_owned(), None),
        StackState::Working(Phase::Apply, _) => ("applying".to_owned(), bar(stack.changes_done())),
        StackState::Working(Phase::Verify, _) => {
            ("checking".to_owned(), service::bar(stack).or_else(|| bar(applied())))
        }
        StackState::Planned => {
            let word = if view.anything_applied() || matches!(view.state, RunState::Applying { .. }) {
                "waits"
            } else {
                "planned"
            };
            (word.to_owned(), None)
        }
        StackState::NothingToDo => ("as asked".to_owned(), None),
        StackState::Applied => ("applied".to_owned(), bar(applied())),
        StackState::Verified => ("done".to_owned(), bar(applied())),
        StackState::Failed(_, failure) if failure.kind == FailureKind::Interrupted => {
            ("stopped".to_owned(), bar(stack.changes_done()))
        }
        StackState::Failed(_, _) => ("FAILED".to_owned(), bar(stack.changes_done())),
        StackState::Unknown => ("UNKNOWN".to_owned(), bar(stack.changes_done())),
    }
}

/// The resource that is being changed the longest.
fn waited_for(view: &RunView, clock: &Clock) -> Option<Line> {
    let resource = view.stacks.values().flat_map(|stack| &stack.in_flight).min_by_key(|resource| resource.since)?;
    Some(
        Line::of([
            Span::Text("waiting for ".to_owned()),
            Span::Code(cut(&resource.address)),
            Span::Text(format!(
                " ({}) since {}, {}",
                action(resource.action, Tense::Planned),
                clock.moment(resource.since),
                duration(clock.now.ms_since(resource.since))
            )),
        ])
        .indented(1),
    )
}

/// Time spent, and left when the last such run tells.
fn time(detail: &RunDetail) -> Option<Line> {
    if matches!(detail.view.state, RunState::Queued { .. }) {
        return None;
    }
    let spent = detail.view.worked(detail.now)?;
    let rest = match detail.last_time_ms {
        None => String::new(),
        Some(last) if spent > last => format!("; longer than last time ({})", duration(last)),
        Some(last) => format!("; {} left", about(last - spent)),
    };
    Some(Line::text(format!("{} so far{rest}", duration(spent))).indented(1))
}
