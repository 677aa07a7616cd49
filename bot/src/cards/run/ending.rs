//! A run that is over, or of which nobody knows how it ended: the fact first, then what was done, what stands, what next.

use tidegate_runner::domain::answer::RunDetail;
use tidegate_runner::domain::changes::{Change, StackPlan};
use tidegate_runner::domain::environment::{Level, SettingValue};
use tidegate_runner::domain::failure::{Applied, FailureKind};
use tidegate_runner::domain::ids::StackName;
use tidegate_runner::domain::order::Direction;
use tidegate_runner::domain::refusal::Refusal;
use tidegate_runner::domain::request::{RunKind, RunRequest, SizeChange};
use tidegate_runner::domain::run::{Outcome, Phase, RunView, StackState, StackView, StopOfRun};

use super::super::card::{Card, Line, Span, Tone};
use super::super::natural::naturally;
use super::super::words::{Clock, DOT, Naming, Tense, action, changes_in, counts, cut, duration, plural, sizes, what};
use super::{asker, code_notes, failure, others, question, quota, service};

/// Most outputs that a card shows.
const OUTPUTS_MAX: usize = 20;

/// The card of an ended run.
pub(super) fn card(detail: &RunDetail, outcome: Outcome, clock: &Clock, naming: &Naming) -> Card {
    let number = detail.run.number;
    let view = &detail.view;
    let head = |tone| {
        let spent = spent(detail, outcome).map(|ms| format!("{DOT}{}", duration(ms))).unwrap_or_default();
        Card::new(tone, fact(detail, outcome))
            .line(Line::text(format!("run {number}{DOT}{}{spent}", what(&detail.run.request))))
            .line(asker(detail, clock))
    };
    match outcome {
        Outcome::Succeeded => head(Tone::Good)
            .lines(done(detail, naming))
            .lines(service::lines(view))
            .lines(found(detail))
            .lines(question::older_states(view))
            .lines(question::moved(view, clock))
            .lines(question::drift(view, naming))
            .lines(outputs(view))
            .lines(code_notes(detail)),
        Outcome::NothingToDo => head(Tone::Good)
            .line(Line::text(nothing_done(view)))
            .lines(question::moved(view, clock))
            .lines(kept(view).map(|line| line.indented(1)))
            .lines(left_by_removal(detail, clock, naming))
            .lines(service::lines(view))
            .lines(found(detail))
            .lines(question::older_states(view))
            .lines(question::drift(view, naming))
            .lines(code_notes(detail)),
        Outcome::Planned if detail.run.request.kind.is_of_others() => {
            others::found(head(others::tone(view)).lines(question::moved(view, clock)), detail, clock, naming)
        }
        Outcome::Planned => {
            let card = head(Tone::Plain)
                .lines(question::plans(view, naming))
                .lines(question::moved(view, clock))
                .lines(code_notes(detail));
            let card = card.line(Line::text("Nothing was done."));
            let card = match &view.refusal {
                Some(refusal) => card.line(against(refusal)),
                None => card.next(carried_out(detail)),
            };
            card.next(format!("show {number}"))
        }
        Outcome::Partial | Outcome::Failed => {
            let mut card = head(Tone::Bad);
            if let Some((stack, _, failure)) = view.failure() {
                card = card.lines(failure::lines(stack, failure, number));
            }
            card = card
                .lines(quota::lines(view))
                .lines(found(detail))
                .lines(question::older_states(view))
                .lines(standing(detail, naming))
                .lines(taken(detail))
                .lines(code_notes(detail));
            if let Some(again) = detail.again {
                let text =
                    format!("Tried again by itself at {}, unless somebody takes it as it is.", clock.moment(again));
                card = card.line(Line::text(text));
            }
            if view.failure().is_some_and(|(_, _, failure)| matches!(failure.kind, FailureKind::LockHeld(_))) {
                card = card.next(format!("preflight {}", detail.run.request.environment));
            }
            // Of what was made for one test the end goes on by itself.
            let goes_on = detail.run.request.clears;
            if goes_on {
                card = card.next("list new");
            } else if !is_kept_by_code(view) {
                // What the code itself forbids would only fail once more.
                card = card.next(format!("retry {number}"));
            }
            // Without anything applied there is nothing to take as it is.
            if !goes_on && detail.run.taken_by.is_none() && (view.anything_applied() || is_short(view)) {
                card = card.next(format!("accept {number}"));
            }
            card = swept(card, detail);
            with_log(card.next(format!("show {number}")), detail)
        }
        Outcome::Cancelled => {
            let card = head(Tone::Warning).lines(stopped(detail)).lines(found(detail));
            let card = card.lines(question::older_states(view)).lines(standing(detail, naming));
            card.next(format!("retry {number}")).next(format!("show {number}"))
        }
        Outcome::Refused => {
            let mut card = head(Tone::Warning);
            if let Some(refusal) = &view.refusal {
                card = card.line(Line::marked(&format!("{}: {}", refusal.what, refusal.why)));
                card = refusal.hints.iter().fold(card, |card, hint| card.next(hint.clone()));
            }
            card.lines(found(detail))
                .lines(question::older_states(view))
                .line(Line::text("Nothing was done."))
                .next(format!("show {number}"))
        }
        Outcome::Expired => head(Tone::Warning)
            .line(Line::text("Nobody said yes in time."))
            .lines(question::older_states(view))
            .lines(standing(detail, naming))
            .next(format!("retry {number}")),
    }
}

/// Why a removal that found something had nothing to delete.
fn left_by_removal(detail: &RunDetail, clock: &Clock, naming: &Naming) -> Vec<Line> {
    let removes = detail.run.request.kind == RunKind::Remove;
    if removes { others::going(detail, clock, naming) } else { Vec::new() }
}

/// The rule that stands against what a plan shows.
fn against(refusal: &Refusal) -> Line {
    Line::marked(&format!("As it is, this would be refused: {}: {}", refusal.what, refusal.why))
}

/// Offers to look for what may exist and stands in no state, where AWS can be asked for it.
fn swept(card: Card, detail: &RunDetail) -> Card {
    let is_aws = |stack: &StackView| {
        stack.provenance.iter().flat_map(|of| of.providers.keys()).any(|source| source.ends_with("/aws"))
    };
    let outside = detail.view.stacks.values().any(|stack| is_aws(stack) && stack.outside().next().is_some());
    if outside { card.next(format!("sweep {}", detail.run.request.environment)) } else { card }
}

/// The code's own `prevent_destroy` stands against it, and nothing was begun.
pub(super) fn is_kept_by_code(view: &RunView) -> bool {
    let kept = view.failure().is_some_and(|(_, _, failure)| failure.kind == FailureKind::PreventDestroy);
    kept && !view.anything_applied()
}

/// Something that was there before is not all in service.
fn is_short(view: &RunView) -> bool {
    view.failure().is_some_and(|(_, phase, _)| phase == Phase::Verify)
}

/// The card of a run whose apply nobody saw end.
pub(super) fn unknown(detail: &RunDetail, stack: &StackName, finding: &str, clock: &Clock, naming: &Naming) -> Card {
    let number = detail.run.number;
    let environment = &detail.run.request.environment;
    let mut card =
        Card::new(Tone::Bad, format!("{environment} is UNKNOWN{DOT}nobody saw how {stack} ended{DOT}run {number}"))
            .line(Line::text(what(&detail.run.request)))
            .line(asker(detail, clock))
            .line(Line::text(cut(finding)));
    card = card.lines(found(detail).filter(|line| *line != Line::text(cut(finding))));
    card = card.lines(question::older_states(&detail.view)).lines(standing(detail, naming));
    card = card.line(Line::text(format!("Until it is known, no other run changes {environment}.")));
    with_log(card.next(format!("recover {number}")).next(format!("show {number}")), detail)
}

/// What a run found that had nothing to do.
fn nothing_done(view: &RunView) -> &'static str {
    match question::older_states(view).next() {
        None if view.request.kind == RunKind::Remove => "Nothing was deleted.",
        None if view.stacks.values().filter_map(|stack| stack.plan.as_ref()).any(|plan| !plan.kept_for.is_empty()) => {
            "What may go is gone already; nothing was done."
        }
        None => "Everything is as asked already; nothing was done.",
        Some(_) => "Nothing is left to do in the state that is there; nothing was done.",
    }
}

/// The fact, in one line: what is now, sizes first. What an older state does not know of may stand all the same.
pub(super) fn fact(detail: &RunDetail, outcome: Outcome) -> String {
    let missing = match outcome {
        Outcome::Succeeded | Outcome::NothingToDo => service::missing(&detail.view),
        Outcome::Planned
        | Outcome::Partial
        | Outcome::Failed
        | Outcome::Cancelled
        | Outcome::Refused
        | Outcome::Expired => String::new(),
    };
    let fact = format!("{}{missing}", fact_of(detail, outcome));
    let request = &detail.run.request;
    let gone = || request.kind == RunKind::Destroy || request.target.level == Level::Off;
    // What such a state does not know of neither goes nor shrinks; what rises is made once more.
    let falls = |stack: &StackName| gone() || request.stacks.get(stack) == Some(&Direction::Fall);
    let mut back =
        detail.view.stacks.iter().filter(|(_, view)| view.plan.as_ref().and_then(StackPlan::went_back).is_some());
    let tells_less = match outcome {
        Outcome::Succeeded => back.any(|(stack, _)| falls(stack)),
        _ => back.next().is_some(),
    };
    match outcome {
        Outcome::Succeeded | Outcome::NothingToDo if tells_less => format!("{fact}, as far as an older state tells"),
        Outcome::Succeeded
        | Outcome::NothingToDo
        | Outcome::Planned
        | Outcome::Partial
        | Outcome::Failed
        | Outcome::Cancelled
        | Outcome::Refused
        | Outcome::Expired => fact,
    }
}

fn fact_of(detail: &RunDetail, outcome: Outcome) -> String {
    let request = &detail.run.request;
    let environment = &request.environment;
    let sized = |text: String| match sizes(request) {
        sizes if sizes.is_empty() => text,
        sizes => format!("{text}{DOT}{sizes}"),
    };
    let failed = || {
        detail
            .view
            .failure()
            .map(|(stack, phase, why)| format!("{DOT}{stack} {}", failure::how(phase, why)))
            .unwrap_or_default()
    };
    match outcome {
        Outcome::Succeeded if request.kind == RunKind::Remove => {
            format!("{environment}: {} in no state removed", plural(detail.view.done().total(), "resource"))
        }
        Outcome::NothingToDo if request.kind == RunKind::Remove => {
            format!("{environment}: nothing that Tidegate removes stands outside its states")
        }
        Outcome::Succeeded if request.kind == RunKind::Terraform => format!("{} is done", what(request)),
        Outcome::NothingToDo if request.kind == RunKind::Terraform => format!("{}: nothing to do", what(request)),
        Outcome::Planned if request.kind == RunKind::Look => what(request),
        Outcome::Succeeded if request.kind == RunKind::Adopt => {
            format!("{environment}: what others changed is adopted")
        }
        Outcome::NothingToDo if request.kind == RunKind::Adopt => {
            format!("{environment}: there is nothing to adopt")
        }
        Outcome::Succeeded | Outcome::NothingToDo
            if request.kind == RunKind::Destroy && kept(&detail.view).next().is_some() =>
        {
            format!("{environment} is destroyed but for what is protected")
        }
        // That nothing is left was looked at as its last.
        Outcome::Succeeded | Outcome::NothingToDo if request.clears => format!("{environment} is deleted, 0 left"),
        Outcome::Succeeded if request.kind == RunKind::Destroy => format!("{environment} is destroyed"),
        Outcome::Succeeded if kept(&detail.view).next().is_some() => {
            format!("{environment} is off but for {}", why_kept(&detail.view))
        }
        // Of stacks that took no part it knows nothing.
        Outcome::Succeeded if request.kind == RunKind::Scale => sized(format!("{environment} is scaled")),
        Outcome::Succeeded => sized(format!("{environment} is {}", level(&request.target.level))),
        Outcome::NothingToDo if request.kind == RunKind::Destroy => format!("{environment} is destroyed already"),
        Outcome::NothingToDo if kept(&detail.view).next().is_some() => {
            format!("{environment} is off already but for {}", why_kept(&detail.view))
        }
        Outcome::NothingToDo => format!("{environment} is {} already", level(&request.target.level)),
        Outcome::Planned if request.kind.is_of_others() => others::fact(&detail.view),
        Outcome::Planned => sized(format!("plan for {environment} {}", request.target.level)),
        Outcome::Partial => format!("{environment} is PARTIAL{}", failed()),
        Outcome::Failed if is_kept_by_code(&detail.view) => {
            format!("{environment}: {} cannot be done{}", request.kind.as_str(), failed())
        }
        Outcome::Failed if rises(request) => {
            format!("{environment} NOT READY{}", failed())
        }
        Outcome::Failed => format!("{environment}: {} FAILED{}", request.kind.as_str(), failed()),
        Outcome::Cancelled => match &detail.view.stopped_by {
            Some(StopOfRun { rejected: true, .. }) => format!("{environment}: {} was rejected", request.kind.as_str()),
            Some(StopOfRun { rejected: false, .. }) | None => {
                format!("{environment}: {} was cancelled", request.kind.as_str())
            }
        },
        Outcome::Refused => format!("{environment}: {} was refused", request.kind.as_str()),
        Outcome::Expired => format!("{environment}: {} expired", request.kind.as_str()),
    }
}

/// Something was to be there afterwards that was not there before: without it, it is not ready.
fn rises(request: &RunRequest) -> bool {
    let rises = || request.stacks.values().any(|direction| *direction == Direction::Rise);
    request.kind == RunKind::Up || (request.kind == RunKind::Scale && rises())
}

fn level(level: &Level) -> String {
    match level {
        Level::Off => "off".to_owned(),
        Level::Profile(profile) => format!("at {profile}"),
    }
}

/// Milliseconds of work, without the time in which it waited for people; `None` where it was stopped before any work that is
/// worth a figure.
pub(super) fn spent(detail: &RunDetail, outcome: Outcome) -> Option<i64> {
    let tells = match outcome {
        Outcome::Succeeded | Outcome::NothingToDo | Outcome::Planned | Outcome::Partial | Outcome::Failed => true,
        Outcome::Cancelled | Outcome::Refused | Outcome::Expired => detail.view.anything_applied(),
    };
    detail.view.worked(detail.now).filter(|_| tells)
}

/// What was done: counts, and what went by name.
fn done(detail: &RunDetail, naming: &Naming) -> Vec<Line> {
    let view = &detail.view;
    let mut lines = vec![Line::text(counts(view.done(), Tense::Done))];
    let gone = reported(view, |applied| &applied.done).filter(|(_, change)| change.action.destroys());
    lines.extend(changes_in(view, gone, Tense::Done, naming).into_iter().map(|line| line.indented(1)));
    lines.extend(kept(view).map(|line| line.indented(1)));
    lines
}

/// Stacks that stand because something in them is protected, or because `off` only lowers them.
fn kept(view: &RunView) -> impl Iterator<Item = Line> {
    let lowered: Vec<&str> = view
        .stacks
        .iter()
        .filter(|(_, stack)| view.request.target.level == Level::Off && finished(stack))
        .filter(|(_, stack)| stack.plan.as_ref().is_some_and(|plan| !plan.destroy && plan.kept_for.is_empty()))
        .map(|(name, _)| name.as_str())
        .collect();
    let lowered = (!lowered.is_empty()).then(|| {
        Line::text(format!(
            "lowered, not destroyed: {}; `off` destroys what says `off = \"destroy\"`",
            lowered.join(", ")
        ))
    });
    protected(view).chain(lowered)
}

fn why_kept(view: &RunView) -> &'static str {
    if protected(view).next().is_some() { "what is protected" } else { "what is only lowered" }
}

/// Stacks that stand because something in them is protected.
fn protected(view: &RunView) -> impl Iterator<Item = Line> {
    view.stacks.iter().filter_map(|(name, stack)| {
        let kept = naturally(stack.plan.iter().flat_map(|plan| &plan.kept_for), |address| address.as_str());
        let kept: Vec<String> = kept.into_iter().map(|address| cut(address)).collect();
        let because = || format!("{name} is only lowered, not destroyed, because {} is protected", kept.join(", "));
        (!kept.is_empty()).then(|| Line::text(because()))
    })
}

/// Whether a run that was cancelled has changed something before, or left something half made.
#[must_use]
pub fn is_half_way(detail: &RunDetail) -> bool {
    let touched = |stack: &StackView| {
        let failed = stack.applied.iter().any(|applied| !applied.failed.is_empty() || !applied.in_doubt.is_empty());
        failed || stack.changes_done() > 0 || stack.half_made().next().is_some() || stack.outside().next().is_some()
    };
    detail.view.anything_applied() && detail.view.stacks.values().any(touched)
}

/// What is true, where the engine says so.
fn found(detail: &RunDetail) -> impl Iterator<Item = Line> + use<> {
    detail.view.finding.as_ref().map(|finding| Line::text(cut(finding))).into_iter()
}

/// What the stacks offer, when it is not secret.
fn outputs(view: &RunView) -> Vec<Line> {
    let all: Vec<_> = view.outputs().take(OUTPUTS_MAX).collect();
    all.iter()
        .filter_map(|(_, output)| {
            let value = match output.value.as_ref()? {
                serde_json::Value::String(text) => cut(text),
                other => cut(&other.to_string()),
            };
            let shown = if value.starts_with("https://") || value.starts_with("http://") {
                Span::Link { text: value.clone(), url: value }
            } else {
                Span::Text(value)
            };
            Some(Line::of([Span::Text(format!("{}: ", output.name)), shown]).indented(1))
        })
        .collect()
}

/// What stands and what does not, stack by stack.
fn standing(detail: &RunDetail, naming: &Naming) -> Vec<Line> {
    let view = &detail.view;
    if !view.anything_applied() {
        let text = if is_short(view) { "Nothing was to be changed." } else { "Nothing was changed." };
        return vec![Line::text(text)];
    }
    let width = view.stacks.keys().map(|name| name.as_str().len()).max().unwrap_or_default() + 2;
    let mut lines = vec![Line::text("What stands:")];
    for (name, stack) in &view.stacks {
        lines.push(Line::of([Span::Column(name.to_string(), width), Span::Text(stands(stack))]).indented(1));
    }
    let named = |title: &str, lines: Vec<Line>| {
        let title = (!lines.is_empty()).then(|| Line::text(title.to_owned()));
        title.into_iter().chain(lines.into_iter().map(|line| line.indented(1))).collect::<Vec<_>>()
    };
    let gone = reported(view, |applied| &applied.done).filter(|(_, change)| change.action.destroys());
    lines.extend(named("What is gone or was replaced:", changes_in(view, gone, Tense::Done, naming)));
    let failed = reported(view, |applied| &applied.failed);
    let removes = view.request.kind == RunKind::Remove;
    let still = if removes { "What was to be deleted, and is not:" } else { "What failed; it may exist half made:" };
    lines.extend(named(still, changes_in(view, failed, Tense::Planned, naming)));
    lines.extend(named("What may exist outside the state:", in_doubt(view, naming)));
    let half_made = naturally(view.stacks.values().flat_map(StackView::half_made), |address| *address);
    let half_made =
        half_made.into_iter().take(naming.most).map(|address| Line::of([Span::Code(cut(address))])).collect();
    let title = format!(
        "What is in the state and may be half made; the next run asks whether to make it again, `accept {}` keeps it:",
        detail.run.number
    );
    lines.extend(named(&title, half_made));
    let left = |open: bool| {
        let stacks = view.stacks.iter().filter(|(_, stack)| !finished(stack));
        stacks.flat_map(move |(name, stack)| {
            untold(stack)
                .into_iter()
                .filter(move |change| is_open(stack, change) == open)
                .map(move |change| (name, change))
        })
    };
    let shorter = naming.shorter();
    // Destroys by name; the rest is long and of little use on a card.
    lines.extend(named("What was not done:", changes_in(view, left(false), Tense::Planned, &shorter)));
    lines.extend(named("What may or may not be done:", changes_in(view, left(true), Tense::Planned, &shorter)));
    lines
}

/// One kind of changes that Terraform reported, over all stacks.
fn reported<'v>(
    view: &'v RunView,
    which: impl Fn(&'v Applied) -> &'v [Change] + Copy + 'v,
) -> impl Iterator<Item = (&'v StackName, &'v Change)> {
    let applied = view.stacks.iter().filter_map(|(name, stack)| stack.applied.as_ref().map(|applied| (name, applied)));
    applied.flat_map(move |(name, applied)| which(applied).iter().map(move |change| (name, change)))
}

/// What may exist without the state knowing it.
fn in_doubt(view: &RunView, naming: &Naming) -> Vec<Line> {
    naturally(view.stacks.values().flat_map(StackView::outside), |(address, _)| *address)
        .into_iter()
        .take(naming.most)
        .map(|(address, what)| {
            Line::of([Span::Code(cut(address)), Span::Text(format!(" (was to be {})", action(what, Tense::Done)))])
        })
        .collect()
}

/// Planned changes of a stack that are not done as far as is known: all that a look found left, else those that are not told as
/// failed or as outside of the state.
fn untold(stack: &StackView) -> Vec<&Change> {
    let told = |address: &str| {
        let failed = stack.applied.iter().flat_map(|applied| &applied.failed).any(|change| change.address == address);
        failed || stack.outside().any(|(outside, _)| outside == address)
    };
    stack.not_done().into_iter().filter(|change| stack.left.is_some() || !told(&change.address)).collect()
}

/// Nobody knows whether a change that was not reported done is done: nobody saw how the apply ended, or how this one did.
fn is_open(stack: &StackView, change: &Change) -> bool {
    let in_doubt = || stack.applied.iter().flat_map(|applied| &applied.in_doubt).any(|c| c.address == change.address);
    stack.left.is_none() && (stack.state == StackState::Unknown || in_doubt())
}

fn finished(stack: &StackView) -> bool {
    matches!(stack.state, StackState::Applied | StackState::Verified | StackState::NothingToDo)
}

/// How one stack stands after a run that did not end well.
fn stands(stack: &StackView) -> String {
    let planned = stack.plan.as_ref().map_or(0, |plan| plan.counts().total());
    let done = stack.changes_done();
    let so_far = format!("{done} of {} changes done", planned.max(done));
    match &stack.state {
        StackState::NothingToDo => "as asked already".to_owned(),
        StackState::Verified if stack.applied.is_none() => "as asked already, and checked".to_owned(),
        StackState::Verified => format!("done and checked, {so_far}"),
        StackState::Applied => format!("applied and not checked, {so_far}"),
        StackState::Failed(phase, failure) if failure.kind == FailureKind::Interrupted => match phase {
            Phase::Apply | Phase::Verify => format!("broken off, {so_far}"),
            Phase::Prepare | Phase::Plan => "not begun".to_owned(),
        },
        StackState::Failed(phase @ (Phase::Apply | Phase::Verify), why) => {
            format!("{}, {so_far}", failure::how(*phase, why))
        }
        StackState::Failed(phase @ (Phase::Prepare | Phase::Plan), _) => {
            format!("{}, not changed", failure::when(*phase))
        }
        StackState::Unknown if stack.left.is_some() => format!("looked into, {so_far}"),
        StackState::Unknown => format!("unknown, at least {so_far}"),
        StackState::Working(Phase::Apply | Phase::Verify, _) => format!("broken off, {so_far}"),
        StackState::Waiting | StackState::Planned | StackState::Working(Phase::Prepare | Phase::Plan, _) => {
            "not begun".to_owned()
        }
    }
}

fn stopped(detail: &RunDetail) -> Option<Line> {
    let StopOfRun { by, because, rejected } = detail.view.stopped_by.as_ref()?;
    let because = because.as_ref().map(|text| format!(" because {}", cut(text))).unwrap_or_default();
    let word = if *rejected { "Rejected" } else { "Stopped" };
    Some(Line::text(format!("{word} by {}{because}.", by.called())))
}

fn taken(detail: &RunDetail) -> Option<Line> {
    let (by, because) = detail.run.taken_by.as_ref()?;
    let because = because.as_ref().map(|text| format!(" because {}", cut(text))).unwrap_or_default();
    Some(Line::text(format!("Taken as it is by {}{because}.", by.called())))
}

/// Offers the log of the stack that failed.
fn with_log(card: Card, detail: &RunDetail) -> Card {
    let number = detail.run.number;
    let unknown = detail.view.stacks.iter().find(|(_, s)| s.state == StackState::Unknown).map(|(name, _)| name);
    match detail.view.failure().map(|(stack, _, _)| stack).or(unknown) {
        Some(stack) => card.next(format!("log {number} {stack}")),
        None => card,
    }
}

/// The command that does what a plan showed.
#[must_use]
pub fn carried_out(detail: &RunDetail) -> String {
    let request = &detail.run.request;
    let environment = &request.environment;
    let falls = !request.stacks.is_empty() && request.stacks.values().all(|direction| *direction == Direction::Fall);
    let code = if request.newest_code { " code" } else { "" };
    if request.target.level == Level::Off || (falls && request.target.settings.is_empty()) {
        return format!("down {environment} {}", request.target.level);
    }
    let settings: String = request.target.settings.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    if falls && !settings.is_empty() {
        return format!("scale {environment}{settings}");
    }
    // `up` takes nothing away: what rises here and falls there on the same level is another size.
    let lowers = |size: &SizeChange| match (&size.from, &size.to) {
        (Some(SettingValue::Number(from)), SettingValue::Number(to)) => to < from,
        _ => false,
    };
    let stays = request.before.as_ref().is_some_and(|before| before.level == request.target.level);
    if stays && request.sizes.iter().any(lowers) {
        let sizes: String = request.sizes.iter().map(|size| format!(" {}={}", size.setting, size.to)).collect();
        return format!("scale {environment}{sizes}");
    }
    format!("up {environment} {}{code}{settings}", request.target.level)
}
