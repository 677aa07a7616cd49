//! One line for whoever asked: a run ended, or needs somebody. Fact first.

use tidegate_runner::domain::answer::{RunDetail, RunSummary};
use tidegate_runner::domain::ids::ActorId;
use tidegate_runner::domain::run::{Outcome, RunState, StackView};

use super::super::card::{Card, Tone};
use super::super::history::state_word;
use super::super::words::{Clock, DOT, cut, duration, plural, run_of, what};
use super::{approval, ending};

/// The line that is a new message; `None` while a run only works or waits.
#[must_use]
pub fn notice(detail: &RunDetail, clock: &Clock) -> Option<Card> {
    line(detail, clock, &format!("run {}", detail.run.number))
}

/// The same for a certain reader, who is told whose run it is when it is somebody else's.
#[must_use]
pub fn notice_to(detail: &RunDetail, clock: &Clock, reader: &ActorId) -> Option<Card> {
    if detail.run.asker.id == *reader {
        return notice(detail, clock);
    }
    line(detail, clock, &format!("run {} of {}", detail.run.number, cut(&detail.run.asker.name)))
}

/// `run` is what the run is called.
fn line(detail: &RunDetail, clock: &Clock, run: &str) -> Option<Card> {
    let number = detail.run.number;
    let clock = Clock { now: detail.now, ..*clock };
    match &detail.view.state {
        // Those whose yes was done without hear of it while it is under way.
        RunState::Queued { .. }
        | RunState::Planning { .. }
        | RunState::Applying { .. }
        | RunState::Verifying { .. } => {
            let approved = detail.view.approved.as_ref().filter(|approved| approved.alone)?;
            let title = format!("{} was {}{DOT}run {number}", what(&detail.run.request), approval::approved(approved));
            Some(Card::new(Tone::Warning, title).next(format!("show {number}")).next(format!("cancel {number}")))
        }
        RunState::AwaitingApproval { question, .. } => {
            let until = clock.moment(question.expires);
            let whose: Vec<String> = question.wants.iter().map(|want| format!(" of {}", want.by)).collect();
            let whose = whose.join(" and");
            let whose = if whose.is_empty() { whose } else { format!(" {}", cut(&whose)) };
            let title = format!("{} needs a yes{whose} until {until}{DOT}{run}", what(&detail.run.request));
            Some(
                Card::new(Tone::Warning, title)
                    .next(approval::line_unseen(number, question))
                    .next(format!("reject {number}")),
            )
        }
        RunState::Unknown { stack, .. } => {
            let environment = &detail.run.request.environment;
            let title = format!("{environment} is UNKNOWN{DOT}nobody saw how {stack} ended{DOT}{run}");
            Some(Card::new(Tone::Bad, title).next(format!("recover {number}")))
        }
        RunState::Ended { outcome } => Some(ended(detail, *outcome, run)),
    }
}

/// What stands in place of a line that needed somebody, once that is over.
#[must_use]
pub fn over(detail: &RunDetail, needed: Needed) -> Card {
    let number = detail.run.number;
    let title = match needed {
        Needed::Yes => {
            format!("{} needed a yes{DOT}{}{DOT}run {number}", what(&detail.run.request), answered(detail))
        }
        Needed::Look => {
            let environment = &detail.run.request.environment;
            format!("{environment} was UNKNOWN{DOT}it was looked into{DOT}run {number}")
        }
    };
    Card::new(Tone::Plain, title).next(format!("show {number}"))
}

/// What somebody was needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    /// A yes.
    Yes,
    /// A look at what became of it.
    Look,
}

/// What came of a question.
fn answered(detail: &RunDetail) -> String {
    let view = &detail.view;
    match (&view.state, approval::standing(view), &view.stopped_by) {
        (RunState::AwaitingApproval { .. }, _, _) => "something else is asked now".to_owned(),
        (_, Some(yes), _) => approval::approved(yes),
        (_, None, Some(stop)) if stop.rejected => format!("rejected by {}", stop.by.called()),
        (_, None, Some(stop)) => format!("cancelled by {}", stop.by.called()),
        (RunState::Ended { outcome: Outcome::Expired }, None, None) => "nobody said it in time".to_owned(),
        (RunState::Ended { outcome: Outcome::Refused }, None, None) => "refused meanwhile".to_owned(),
        (_, None, None) => "it is not waited for any more".to_owned(),
    }
}

/// One line for who comes while a run is under way.
#[must_use]
pub fn under_way(run: &RunSummary) -> Card {
    Card::new(Tone::Plain, format!("{}{DOT}{}", run_of(run), state_word(&run.state)))
}

fn ended(detail: &RunDetail, outcome: Outcome, run: &str) -> Card {
    let number = detail.run.number;
    let mut facts = vec![ending::fact(detail, outcome)];
    let half_way = outcome == Outcome::Cancelled && ending::is_half_way(detail);
    if half_way {
        let done: u32 = detail.view.stacks.values().map(StackView::changes_done).sum();
        facts.push(format!("PARTIAL, {} done", plural(u64::from(done), "change")));
    }
    if matches!(outcome, Outcome::Failed | Outcome::Partial) {
        facts.extend(detail.view.failure().map(|(_, _, failure)| cut(&failure.summary)));
    }
    facts.push(run.to_owned());
    facts.extend(approval::standing(&detail.view).filter(|approved| approved.alone).map(approval::approved));
    facts.extend(ending::spent(detail, outcome).map(duration));
    let title = facts.join(DOT);
    match outcome {
        Outcome::Succeeded | Outcome::NothingToDo => Card::new(Tone::Good, title),
        Outcome::Planned => Card::new(Tone::Plain, title),
        Outcome::Failed if ending::is_kept_by_code(&detail.view) => {
            Card::new(Tone::Bad, title).next(format!("show {number}"))
        }
        Outcome::Partial | Outcome::Failed => {
            Card::new(Tone::Bad, title).next(format!("retry {number}")).next(format!("show {number}"))
        }
        Outcome::Cancelled if half_way => {
            Card::new(Tone::Bad, title).next(format!("retry {number}")).next(format!("show {number}"))
        }
        Outcome::Cancelled | Outcome::Refused | Outcome::Expired => {
            Card::new(Tone::Warning, title).next(format!("show {number}"))
        }
    }
}
