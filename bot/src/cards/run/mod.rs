//! The card of one run, true in every state: `run_card` for the channel, `show` with everything, `notice` in one line.

pub(super) mod approval;
mod detail;
mod ending;
pub(super) mod failure;
mod note;
mod notice;
mod others;
mod progress;
mod question;
mod quota;
pub(super) mod service;

use tidegate_runner::domain::answer::RunDetail;
use tidegate_runner::domain::run::RunState;

use super::card::{Card, Line};
use super::words::{Clock, DOT, Naming, cut, person, sizes, what};

pub use approval::{waited_for, waits_in_shell};
pub use detail::{plan, show};
pub use ending::{carried_out, is_half_way};
pub use notice::{Needed, notice, notice_to, over, under_way};
pub(super) use progress::{silence, stacks as progress_lines};

/// Most changes in one list of a card; `show` names the rest.
const NAMED_MAX: usize = 20;

/// The card of a run. `clock` gives local time; now is the detail's own.
#[must_use]
pub fn run_card(detail: &RunDetail, clock: &Clock) -> Card {
    card_naming(detail, clock, &Naming { most: NAMED_MAX, others: format!("show {}", detail.run.number) })
}

fn card_naming(detail: &RunDetail, clock: &Clock, naming: &Naming) -> Card {
    let clock = Clock { now: detail.now, ..*clock };
    match &detail.view.state {
        RunState::Queued { .. }
        | RunState::Planning { .. }
        | RunState::Applying { .. }
        | RunState::Verifying { .. } => progress::card(detail, &clock),
        RunState::AwaitingApproval { question, applied } => question::card(detail, question, *applied, &clock, naming),
        RunState::Unknown { stack, look: Some(_), .. } => progress::looking(detail, stack, &clock),
        RunState::Unknown { stack, finding, look: None, .. } => ending::unknown(detail, stack, finding, &clock, naming),
        RunState::Ended { outcome } => ending::card(detail, *outcome, &clock, naming),
    }
}

/// `run 5 · up shop full · slaves 2 -> 40`.
fn heading(detail: &RunDetail) -> String {
    let request = &detail.run.request;
    let mut facts = vec![format!("run {}", detail.run.number), what(request)];
    facts.extend(Some(sizes(request)).filter(|sizes| !sizes.is_empty()));
    facts.join(DOT)
}

/// Who asked, when, and why.
fn asker(detail: &RunDetail, clock: &Clock) -> Line {
    let run = &detail.run;
    let mut facts = vec![format!("by {} at {}", person(&run.asker.name), clock.moment(run.accepted))];
    facts.extend(run.request.retry_of.map(|retried| format!("does run {retried} again")));
    facts.extend(approval::standing(&detail.view).map(approval::approved));
    facts.extend(run.request.because.as_ref().map(|because| format!("because {}", cut(because))));
    Line::text(facts.join(DOT))
}

/// Code that was there and was not used.
fn code_notes(detail: &RunDetail) -> Vec<Line> {
    let environment = &detail.run.request.environment;
    let used = detail.view.stacks.iter().filter_map(|(name, stack)| stack.provenance.as_ref().map(|p| (name, p)));
    used.flat_map(|(name, provenance)| {
        let dirty =
            provenance.dirty.then(|| Line::text(format!("{name}: uncommitted changes in its folder were not used")));
        let newer = provenance.newer.as_ref().map(|(_, ahead)| {
            let commits = super::words::plural(*ahead, "commit");
            Line::marked(&format!(
                "{name}: newer code is there, {commits}; `plan {environment} code` shows what it would change"
            ))
        });
        dirty.into_iter().chain(newer)
    })
    .collect()
}
