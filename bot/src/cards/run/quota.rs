//! That an account has less left than a run needs: with both numbers, before anybody says yes. Never in the way.

use tidegate_runner::domain::quota::{Need, Quota, short};
use tidegate_runner::domain::run::RunView;

use super::super::card::Line;
use super::super::words::{cut, plural};

/// A line for each quota that is not enough for all stacks together; none where it is, or where that is not known.
pub(super) fn lines(view: &RunView) -> Vec<Line> {
    let all = short(view.stacks.values().flat_map(|stack| &stack.needs));
    all.iter().map(|need| Line::text(words(need)).indented(1)).collect()
}

/// What will stand in a stack's way before the run is over: credentials that end.
pub(super) fn foreseen(view: &RunView) -> Vec<Line> {
    let all = view.stacks.iter().flat_map(|(stack, of)| of.troubles.iter().map(move |trouble| (stack, trouble)));
    all.map(|(stack, trouble)| Line::text(format!("{stack}: {}", cut(trouble))).indented(1)).collect()
}

fn words(need: &Need) -> String {
    let Need { quota, account, region, needs, used: _, limit } = need;
    let (what, rest) = match quota {
        Quota::OnDemand => {
            (format!("{} of on-demand instances", plural(*needs, "vCPU")), "what is above that does not start")
        }
        Quota::Spot => (format!("{} of spot instances", plural(*needs, "vCPU")), "what is above that does not start"),
        Quota::Groups => (plural(*needs, "Auto Scaling group"), "what is above that is not made"),
    };
    let (left, code) = (need.left(), quota.code());
    format!(
        "NOT ENOUGH QUOTA: needs at least {what}, and {left} of {limit} were left in {}, account {}, when it was planned; {rest} \
         until others end theirs or AWS grants more (Service Quotas, {code})",
        cut(region),
        cut(account)
    )
}
