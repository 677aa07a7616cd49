//! What of a stack is in service, in words and figures.

use tidegate_runner::domain::readiness::GroupCount;
use tidegate_runner::domain::run::{RunView, StackView};

use super::super::card::Line;
use super::super::words::{DOT, cut};

/// `slaves 31/40 in service, InsufficientInstanceCapacity in ap-northeast-1a`
pub(super) fn short(count: &GroupCount) -> String {
    let GroupCount { label, desired, in_service, terminating, cause, .. } = count;
    let going = if *terminating > 0 { format!(", {terminating} still going") } else { String::new() };
    let cause = cause.as_ref().filter(|_| in_service < desired).map(|cause| format!(", {}", cut(cause)));
    format!("{} {in_service}/{desired} in service{going}{}", cut(label), cause.unwrap_or_default())
}

/// How far the groups of a stack are, together; `None` where it has none that was looked at.
pub(super) fn bar(stack: &StackView) -> Option<(u32, u32)> {
    let sum = |of: fn(&GroupCount) -> u32| stack.counts.iter().map(of).fold(0, u32::saturating_add);
    let desired = sum(|count| count.desired);
    (desired > 0).then(|| (sum(|count| count.in_service.min(count.desired)), desired))
}

/// How far the groups of all stacks are, together; `None` where there is none that was looked at.
pub(in crate::cards) fn of_all(view: &RunView) -> Option<(u32, u32)> {
    let bars = view.stacks.values().filter_map(bar);
    bars.reduce(|(some, all), (more, of)| (some.saturating_add(more), all.saturating_add(of)))
}

/// What is not in service of a run that ended well all the same: ` \u{b7} slaves 37/40 in service`.
pub(super) fn missing(view: &RunView) -> String {
    let counts = view.stacks.values().flat_map(|stack| &stack.counts);
    let short = counts.filter(|count| count.in_service < count.desired);
    short.map(|count| format!("{DOT}{} {}/{} in service", cut(&count.label), count.in_service, count.desired)).collect()
}

/// Groups that are in service at the end of a run, each with what is missing of it and why that is enough.
pub(super) fn lines(view: &RunView) -> Vec<Line> {
    let counts = view.stacks.values().flat_map(|stack| &stack.counts).filter(|count| count.desired > 0);
    counts
        .map(|count| {
            let enough = match count.enough {
                Some(enough) if count.in_service < count.desired => {
                    let are = if enough == 1 { "is" } else { "are" };
                    format!(", {} MISSING; {enough} {are} enough by `enough`", count.desired - count.in_service)
                }
                Some(_) | None => String::new(),
            };
            Line::marked(&format!("{}{enough}", short(count))).indented(1)
        })
        .collect()
}
