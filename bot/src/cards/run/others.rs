//! What a look at others' changes found: changed by hand, or in no Terraform state at all; and what can be done about each.

use tidegate_runner::domain::answer::RunDetail;
use tidegate_runner::domain::changes::Change;
use tidegate_runner::domain::drift::{Stray, removal, repair};
use tidegate_runner::domain::ids::StackName;
use tidegate_runner::domain::request::RunKind;
use tidegate_runner::domain::run::RunView;

use super::super::card::{Card, Line, Span, Tone};
use super::super::natural::naturally;
use super::super::words::{Clock, DOT, Naming, Tense, action, cut, plural};

/// The fact, in one line.
pub(super) fn fact(view: &RunView) -> String {
    let environment = &view.request.environment;
    let (changed, strays) = (drifted(view).count() as u64, view.strays().count() as u64);
    let outside = || format!("{} in no state", plural(strays, "resource"));
    let unknown = view.stacks.values().any(|stack| stack.unswept.is_some());
    let troubles: u64 = view.stacks.values().map(|stack| stack.troubles.len() as u64).sum();
    let moved = view.stacks.values().any(|stack| stack.plan.as_ref().is_some_and(|plan| plan.moved().is_some()));
    match (view.request.kind, changed, strays) {
        (RunKind::Preflight, ..) if troubles == 0 => format!("{environment}: nothing stands in the way"),
        (RunKind::Preflight, ..) => {
            format!("{environment} is NOT READY to be changed{DOT}{}", plural(troubles, "trouble"))
        }
        (RunKind::Sweep, _, 0) if unknown => format!("{environment}: what no state knows could not be looked for"),
        (RunKind::Sweep, _, 0) => format!("{environment}: nothing stands outside its states"),
        (RunKind::Sweep, ..) => format!("{environment}: {}", outside()),
        (_, 0, 0) if moved => format!("{environment}: a state was written outside Tidegate"),
        (_, 0, 0) => format!("{environment} is as it was applied"),
        (_, 0, _) => format!("{environment}: {}", outside()),
        (_, changed, 0) => format!("{environment} has DRIFTED{DOT}{} outside Terraform", plural(changed, "change")),
        (_, changed, _) => {
            format!("{environment} has DRIFTED{DOT}{} outside Terraform{DOT}{}", plural(changed, "change"), outside())
        }
    }
}

/// Something that people should know of, or nothing.
pub(super) fn tone(view: &RunView) -> Tone {
    let trouble = view.stacks.values().any(|stack| !stack.troubles.is_empty());
    let moved = view.stacks.values().any(|stack| stack.plan.as_ref().is_some_and(|plan| plan.moved().is_some()));
    let found = trouble || moved || drifted(view).next().is_some() || view.strays().next().is_some();
    if found { Tone::Warning } else { Tone::Good }
}

/// What was found, by name, and what comes next.
pub(super) fn found(mut card: Card, detail: &RunDetail, clock: &Clock, naming: &Naming) -> Card {
    let view = &detail.view;
    let request = &view.request;
    for (stack, view) in &view.stacks {
        card = card
            .lines(view.troubles.iter().map(|trouble| Line::text(format!("{stack}: {}", cut(trouble))).indented(1)));
    }
    let all = naturally(drifted(view), |(_, change)| change.address.as_str());
    card = card.lines(all.iter().take(naming.most).map(|(stack, change)| line(stack, change).indented(1)));
    if all.len() > naming.most {
        let more = all.len() - naming.most;
        card = card.line(Line::marked(&format!("and {more} more: `{}`", naming.others)).indented(1));
    }
    let outside: Vec<(&StackName, &Stray)> = view.strays().collect();
    // What a state that could not be looked at may have is not offered to be taken away.
    let whole = view.stacks.values().all(|stack| stack.unswept.is_none() && stack.doubt.is_none());
    if !outside.is_empty() {
        card = card.line(Line::text("Exists with this environment's tags, and stands in none of its states:"));
        card = card
            .lines(outside.iter().take(naming.most).flat_map(|(stack, stray)| of_stray(stack, stray, whole, clock)));
        if outside.len() > naming.most {
            card = card.line(Line::text(format!("and {} more", outside.len() - naming.most)).indented(1));
        }
    }
    for (stack, view) in &view.stacks {
        if let Some(why) = &view.doubt {
            let what = "nothing is offered to be taken away, as this may not be its state";
            card = card.line(Line::text(format!("{stack}: {what}: {}", cut(why))));
        }
        if let Some(why) = &view.unswept {
            card = card.line(Line::text(format!("{stack}: what no state knows was not looked for: {}", cut(why))));
        }
    }
    card = card.line(Line::text("Nothing was changed."));
    if !all.is_empty() {
        let environment = &request.environment;
        let sizes: Vec<&str> = view.stacks.values().flat_map(|stack| &stack.resized).map(String::as_str).collect();
        if !sizes.is_empty() {
            card = card.next(format!("scale {environment} {}", sizes.join(" ")));
        }
        card = card.next(format!("adopt {environment}")).next(repair(request));
    }
    card.next(format!("show {}", detail.run.number))
}

fn drifted(view: &RunView) -> impl Iterator<Item = (&StackName, &Change)> {
    let plans = view.stacks.iter().filter_map(|(name, stack)| stack.plan.as_ref().map(|plan| (name, plan)));
    plans.flat_map(|(name, plan)| plan.drift.iter().map(move |change| (name, change)))
}

fn line(stack: &StackName, change: &Change) -> Line {
    let how = action(change.action, Tense::Done);
    let what = change.reason.as_ref().map(|reason| format!(": {}", cut(reason))).unwrap_or_default();
    Line::of([Span::Text(format!("{stack}: ")), Span::Code(cut(&change.address)), Span::Text(format!(" {how}{what}"))])
}

/// `jmeter: arn:... (left), since 09:12`
fn named(stack: &StackName, stray: &Stray, clock: &Clock) -> Line {
    let name = stray.name.as_ref().map(|name| format!(" ({})", cut(name))).unwrap_or_default();
    let since = stray.since.map(|since| format!(", since {}", clock.moment(since))).unwrap_or_default();
    let text = format!("{name}{since}");
    Line::of([Span::Text(format!("{stack}: ")), Span::Code(cut(&stray.arn)), Span::Text(text)]).indented(1)
}

/// What a yes deletes, with ids and ages, and what stays because Tidegate does not delete it.
pub(super) fn going(detail: &RunDetail, clock: &Clock, naming: &Naming) -> Vec<Line> {
    let view = &detail.view;
    let planned = |arn: &str| {
        let plans = view.stacks.values().filter_map(|stack| stack.plan.as_ref());
        plans.flat_map(|plan| &plan.changes).any(|change| change.address == arn)
    };
    let (go, stay): (Vec<_>, Vec<_>) = view.strays().partition(|(_, stray)| planned(&stray.arn));
    let listed = |all: &[(&StackName, &Stray)]| {
        let mut lines: Vec<Line> =
            all.iter().take(naming.most).map(|(stack, stray)| named(stack, stray, clock)).collect();
        if all.len() > naming.most {
            let more = all.len() - naming.most;
            lines.push(Line::marked(&format!("and {more} more: `{}`", naming.others)).indented(1));
        }
        lines
    };
    let mut lines = listed(&go);
    if !stay.is_empty() {
        lines.push(Line::text("These are left to people, as Tidegate does not delete their kinds:"));
        lines.extend(listed(&stay));
    }
    lines
}

/// What it is, the block that takes it into the code, and the line that takes it away.
fn of_stray(stack: &StackName, stray: &Stray, whole: bool, clock: &Clock) -> Vec<Line> {
    let mut lines = vec![named(stack, stray, clock)];
    if let (Some(kind), Some(id)) = (&stray.kind, &stray.id) {
        let block = format!("import {{ to = {kind}.NAME, id = {} }}", serde_json::Value::from(id.as_str()));
        lines.push(
            Line::of([Span::Text("to keep it, in the code of its stack: ".to_owned()), Span::Code(cut(&block))])
                .indented(2),
        );
    }
    if !whole {
        return lines;
    }
    let line = match removal(stray) {
        Some(command) => Line::of([Span::Text("to remove it, by hand: ".to_owned()), Span::Code(cut(&command))]),
        None => Line::text("to remove it: by hand, in the console of its service"),
    };
    lines.push(line.indented(2));
    lines
}
