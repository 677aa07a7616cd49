//! `history`: what happened, newest first.

use tidegate_runner::domain::answer::{HistoryPage, RunSummary};
use tidegate_runner::domain::command::{Command, HistoryFilter, Query};
use tidegate_runner::domain::run::{Outcome, RunState};

use super::card::{Card, Line, Span, Tone};
use super::words::{Clock, DOT, cut, duration, person, sizes, what};
use crate::commands::render;

/// One page of history; `filter` is what was asked for, so that the next page can be.
#[must_use]
pub fn history(page: &HistoryPage, filter: &HistoryFilter, clock: &Clock) -> Card {
    let HistoryPage { runs, page: number, more, worked_ms, unread } = page;
    if runs.is_empty() && unread.is_empty() {
        let title = if *number > 1 { format!("There is no page {number}") } else { "No run fits that".to_owned() };
        let card = Card::new(Tone::Plain, title);
        if filter.failed {
            let line =
                "What was refused, rejected or expired began nothing that could fail: `audit failed` has refusals.";
            return card.line(Line::marked(line)).next("audit failed").next("history");
        }
        return card.next("history");
    }
    let title = if *number > 1 || *more {
        format!("Runs, newest first, page {number}")
    } else {
        "Runs, newest first".to_owned()
    };
    let number_width = runs.iter().map(|run| run.number.to_string().len()).max().unwrap_or_default() + 2;
    let when_width = runs.iter().map(|run| clock.moment(run.accepted).len()).max().unwrap_or_default() + 2;
    let lines = runs.iter().map(|run| {
        Line::of([
            Span::Column(run.number.to_string(), number_width),
            Span::Column(clock.moment(run.accepted), when_width),
            Span::Text(one(run, worked_ms.get(&run.id).copied())),
        ])
    });
    let mut card = Card::new(Tone::Plain, title).lines(lines);
    card = card.lines(unread.iter().map(|why| Line::text(format!("CANNOT BE READ: {}", cut(why)))));
    if *more {
        let next = HistoryFilter { page: number.saturating_add(1), ..filter.clone() };
        card = card.next(render(&Command::Query(Query::History(next))));
    }
    match runs.first() {
        Some(run) => card.next(format!("show {}", run.number)),
        None => card,
    }
}

fn one(run: &RunSummary, worked_ms: Option<i64>) -> String {
    let mut parts = vec![what(&run.request)];
    parts.extend(Some(sizes(&run.request)).filter(|sizes| !sizes.is_empty()));
    parts.push(how(run));
    parts.push(person(&run.asker.name));
    parts.extend(worked_ms.map(duration));
    if let Some(because) = &run.request.because {
        parts.push(format!("because {}", cut(because)));
    }
    if let Some((by, because)) = &run.taken_by {
        let because = because.as_deref().map(|text| format!(" because {}", cut(text))).unwrap_or_default();
        parts.push(format!("taken as it is by {}{because}", by.called()));
    }
    parts.join(DOT)
}

/// Where a run is; of one that ended by a no, whose it was.
pub(super) fn how(run: &RunSummary) -> String {
    match &run.rejected_by {
        Some(by) if run.state.outcome() == Some(Outcome::Cancelled) => format!("rejected by {}", by.called()),
        Some(_) | None => state_word(&run.state).to_owned(),
    }
}

/// One word or two for where a run is.
pub(super) fn state_word(state: &RunState) -> &'static str {
    match state {
        RunState::Queued { .. } => "waits",
        RunState::Planning { .. } => "planning",
        RunState::AwaitingApproval { .. } => "needs a yes",
        RunState::Applying { .. } => "applying",
        RunState::Verifying { .. } => "checking",
        RunState::Unknown { .. } => "UNKNOWN",
        RunState::Ended { outcome } => match outcome {
            Outcome::Succeeded => "done",
            Outcome::NothingToDo => "nothing to do",
            Outcome::Planned => "planned",
            Outcome::Partial => "PARTIAL",
            Outcome::Failed => "FAILED",
            Outcome::Cancelled => "cancelled",
            Outcome::Refused => "refused",
            Outcome::Expired => "expired",
        },
    }
}
