//! What a look at others' changes found: changed by hand, or in no Terraform state at all; and what can be done about each.

use std::fmt::Write as _;

use tidegate_runner::capacity::removal::Removable;
use tidegate_runner::domain::answer::RunDetail;
use tidegate_runner::domain::changes::Change;
use tidegate_runner::domain::drift::{Billed, Doer, Stray, billed, removal, repair};
use tidegate_runner::domain::ids::StackName;
use tidegate_runner::domain::lookalike::distinct;
use tidegate_runner::domain::request::RunKind;
use tidegate_runner::domain::run::{Doers, RunView};

use super::super::card::{Card, Line, Span, Tone};
use super::super::natural::naturally;
use super::super::words::{Clock, DOT, Naming, Tense, action, cut, plural};
use super::quota;

/// The fact, in one line.
pub(super) fn fact(view: &RunView) -> String {
    let environment = &view.request.environment;
    let (changed, strays) = (drifted(view).count() as u64, view.strays().count() as u64);
    let outside = || format!("{} in no state", plural(strays, "resource"));
    let unknown = view.stacks.values().any(|stack| stack.unswept.is_some());
    let troubles: u64 = view.stacks.values().map(|stack| stack.troubles.len() as u64).sum();
    let troubles = troubles + quota::lines(view).len() as u64;
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
    let trouble = trouble || !quota::lines(view).is_empty();
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
    card = card.lines(quota::lines(view));
    let all = naturally(drifted(view), |(_, change)| change.address.as_str());
    let doers = |stack: &StackName| view.stacks.get(stack).and_then(|stack| stack.doers.as_ref());
    card = card.lines(all.iter().take(naming.most).map(|(stack, change)| {
        let named = doers(stack).map(|doers| by(&doers.named, change, clock)).unwrap_or_default();
        line(stack, change, &named).indented(1)
    }));
    if all.len() > naming.most {
        let more = all.len() - naming.most;
        card = card.line(Line::marked(&format!("and {more} more: `{}`", naming.others)).indented(1));
    }
    card = card.lines(nobody(view).into_iter().map(|line| line.indented(1)));
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

/// `, by ito (role admin) at 22:10 (SetDesiredCapacity), before by ...`; nothing where nobody is named.
fn by(named: &[Doer], change: &Change, clock: &Clock) -> String {
    let mut text = String::new();
    for doer in named.iter().filter(|doer| doer.address == change.address) {
        let before = if text.is_empty() { "" } else { "before " };
        let (who, event) = (cut(&doer.by), cut(&doer.event));
        let _ = write!(text, ", {before}by {} at {} ({event})", distinct(&who), clock.moment(doer.at));
    }
    text
}

/// Why nobody, or not everybody, is named who was asked for.
fn nobody(view: &RunView) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut silent = 0_u64;
    for (name, stack) in &view.stacks {
        let Some(Doers { named: _, nobody, unasked, unknown }) = &stack.doers else { continue };
        if let Some(why) = unknown {
            lines.push(Line::text(format!("{name}: who did it is not known: {}", cut(why))));
            continue;
        }
        if *unasked > 0 {
            let what =
                format!("{name}: who did {unasked} of these was not asked to the end: CloudTrail answers slowly");
            lines.push(Line::text(what));
        }
        silent += u64::from(*nobody);
    }
    if silent > 0 {
        let environment = &view.request.environment;
        lines.push(Line::marked(&format!(
            "CloudTrail names nobody for {silent} of these: it tells up to 15 minutes late (`drift {environment}` asks again), and not what AWS \
             does by itself"
        )));
    }
    lines
}

fn line(stack: &StackName, change: &Change, by: &str) -> Line {
    let how = action(change.action, Tense::Done);
    let what = change.reason.as_ref().map(|reason| format!(": {}", cut(reason))).unwrap_or_default();
    Line::of([
        Span::Text(format!("{stack}: ")),
        Span::Code(cut(&change.address)),
        Span::Text(format!(" {how}{what}{by}")),
    ])
}

/// `jmeter: arn:... (left), since 09:12, billed by the hour`
fn named(stack: &StackName, stray: &Stray, clock: &Clock) -> Line {
    let name = stray.name.as_ref().map(|name| format!(" ({})", cut(name))).unwrap_or_default();
    let since = match (stray.since, stray.seen) {
        (Some(since), _) => format!(", since {}", clock.moment(since)),
        // AWS does not tell it of every kind.
        (None, Some(seen)) => format!(", first seen {}", clock.moment(seen)),
        (None, None) => String::new(),
    };
    let price = stray.kind.as_deref().and_then(billed).map_or("", price);
    let text = format!("{name}{since}{price}");
    Line::of([Span::Text(format!("{stack}: ")), Span::Code(cut(&stray.arn)), Span::Text(text)]).indented(1)
}

fn price(billed: Billed) -> &'static str {
    match billed {
        Billed::ByHour => ", billed by the hour",
        Billed::BySize => ", billed for its size",
        Billed::Free => ", costs nothing by itself",
    }
}

/// What a yes deletes, with ids, ages and how it is billed, and what stays, with why and what to type.
pub(super) fn going(detail: &RunDetail, clock: &Clock, naming: &Naming) -> Vec<Line> {
    let view = &detail.view;
    let planned = |arn: &str| {
        let plans = view.stacks.values().filter_map(|stack| stack.plan.as_ref());
        plans.flat_map(|plan| &plan.changes).any(|change| change.address == arn)
    };
    let (go, stay): (Vec<_>, Vec<_>) = view.strays().partition(|(_, stray)| planned(&stray.arn));
    let listed = |all: &[(&StackName, &Stray)]| {
        let shown = all.iter().take(naming.most);
        let mut lines: Vec<Line> =
            shown.flat_map(|(stack, stray)| std::iter::once(named(stack, stray, clock)).chain(kept(stray))).collect();
        if all.len() > naming.most {
            let more = all.len() - naming.most;
            lines.push(Line::marked(&format!("and {more} more: `{}`", naming.others)).indented(1));
        }
        lines
    };
    let mut lines = listed(&go);
    let by_hour = go.iter().filter(|(_, stray)| stray.kind.as_deref().and_then(billed) == Some(Billed::ByHour));
    let (count, by_hour) = (plural(go.len() as u64, "resource"), by_hour.count());
    if !go.is_empty() {
        lines.insert(0, Line::text(format!("{count} to delete, {by_hour} of them billed by the hour:")));
    }
    if !stay.is_empty() {
        lines.push(Line::text(format!("{} left as they are:", plural(stay.len() as u64, "resource"))));
        lines.extend(listed(&stay));
    }
    lines
}

/// What it is, the block that takes it into the code, and the line that takes it away.
fn of_stray(stack: &StackName, stray: &Stray, whole: bool, clock: &Clock) -> Vec<Line> {
    let mut lines = vec![named(stack, stray, clock)];
    // What a service made for something else is kept or goes with that.
    if stray.stays.is_none()
        && let (Some(kind), Some(id)) = (&stray.kind, &stray.id)
    {
        let block = format!("import {{ to = {kind}.NAME, id = {} }}", serde_json::Value::from(id.as_str()));
        lines.push(
            Line::of([Span::Text("to keep it, in the code of its stack: ".to_owned()), Span::Code(cut(&block))])
                .indented(2),
        );
    }
    if !whole {
        return lines;
    }
    if stray.stays.is_some() {
        lines.extend(kept(stray));
        return lines;
    }
    let line = match removal(stray) {
        Some(command) => Line::of([Span::Text("to remove it, by hand: ".to_owned()), Span::Code(cut(&command))]),
        None => Line::text("to remove it: by hand, in the console of its service"),
    };
    lines.push(line.indented(2));
    lines
}

/// Why Tidegate leaves it, and the line by which a person takes it away, where nothing speaks against that but that Tidegate does not.
fn kept(stray: &Stray) -> Vec<Line> {
    let Some(why) = &stray.stays else { return Vec::new() };
    // Names and tags of others are in it.
    let mut lines = vec![Line::text(format!("stays: {}", cut(why))).indented(2)];
    let only_ours = Removable::of(stray).err() == Some(why.as_str());
    if let Some(command) = removal(stray).filter(|_| only_ours) {
        lines.push(Line::of([Span::Text("to remove it, by hand: ".to_owned()), Span::Code(cut(&command))]).indented(2));
    }
    lines
}
