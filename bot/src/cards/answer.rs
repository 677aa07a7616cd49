//! The answer to an order: what was accepted, what will change, when.

use tidegate_runner::domain::answer::{Answer, RunSummary};
use tidegate_runner::domain::request::RunKind;
use tidegate_runner::domain::run::{Outcome, RunState};

use super::bend;
use super::card::{Card, Line, Tone};
use super::holds::{self, hold_answer, hold_line, ordinal};
use super::hours;
use super::link;
use super::made;
use super::rollout;
use super::run::approval;
use super::schedule::schedule_answer;
use super::words::{Clock, DOT, about, duration, run_of, sizes, what};

/// Most runs ahead that are named.
const AHEAD_MAX: usize = 3;

/// What came of a line in each environment of a group: a line each.
fn of_each(all: &[Answer], clock: &Clock) -> Card {
    let cards: Vec<Card> = all.iter().map(|one| answer(one, clock)).collect();
    let noun = if cards.len() == 1 { "environment" } else { "environments" };
    let tone = cards.first().map_or(Tone::Plain, |card| card.tone);
    let card = Card::new(tone, format!("Done in {} {noun}", cards.len()));
    let card = card.lines(cards.iter().map(|card| Line::text(card.title.clone()).indented(1)));
    let next: Vec<String> = cards.iter().filter_map(|card| card.next.first().cloned()).take(3).collect();
    next.into_iter().fold(card, Card::next)
}

/// The desk's answer. `clock` gives local time.
#[must_use]
pub fn answer(answer: &Answer, clock: &Clock) -> Card {
    match answer {
        Answer::Queued { run, ahead, last_time_ms, starts_in_ms, holds, freed, until, then, ends, cost } => {
            let card = queued(run, ahead, *last_time_ms, *starts_in_ms, clock);
            let card = card.lines(freed.iter().map(holds::freed));
            let until = until.map(|until| bend::holds_until(&run.request, until, then.as_ref(), clock));
            let card = card.lines(until.map(Line::text));
            let card = card.lines(ends.map(|ends| Line::text(made::lives_until(ends, clock))));
            let card = card.lines(cost.as_ref().map(|cost| Line::text(hours::costs(cost))));
            card.lines(
                holds
                    .iter()
                    .map(|hold| Line::text(format!("{} is {}.", run.request.environment, hold_line(hold, clock)))),
            )
        }
        Answer::Hold(answer) => hold_answer(answer, clock),
        Answer::Bend(answer) => bend::answer(answer, clock),
        Answer::Link(answer) => link::answer(answer, clock),
        Answer::Made(answer) => made::answer(answer, clock),
        Answer::Schedule(answer) => schedule_answer(answer, clock),
        Answer::Rollout(answer) => rollout::answer(answer),
        Answer::Each(all) => of_each(all, clock),
        Answer::Cancelled(run) | Answer::Rejected(run) if run.state.outcome() == Some(Outcome::Partial) => {
            let word = if matches!(answer, Answer::Cancelled(_)) { "cancelled" } else { "rejected" };
            Card::new(Tone::Warning, format!("Run {} is {word} half way{DOT}{}", run.number, what(&run.request)))
                .line(Line::text("Some of what it asked for is done and stays so; the run ends PARTIAL."))
                .next(format!("show {}", run.number))
        }
        Answer::Cancelled(run) => {
            Card::new(Tone::Plain, format!("Run {} is cancelled{DOT}{}", run.number, what(&run.request)))
                .line(Line::text(holds::not_done(run)))
        }
        Answer::Stopping { run, force: false } => {
            let number = run.number;
            Card::new(Tone::Working, format!("Run {number} is asked to stop{DOT}{}", what(&run.request)))
                .line(Line::text("Whoever carries it out lets Terraform break off, write its state and free its lock; the run's card tells the rest."))
                .line(Line::marked(&format!(
                    "If that takes too long, `cancel {number} force` kills it; what it is just making may then exist without Terraform knowing it."
                )))
        }
        Answer::Stopping { run, force: true } => {
            let number = run.number;
            Card::new(Tone::Warning, format!("Run {number} is being killed{DOT}{}", what(&run.request)))
                .line(Line::text(
                    "What it was just making may exist without Terraform knowing it, and its state lock may stay behind.",
                ))
                .next(format!("show {number}"))
        }
        Answer::Approved(run) => {
            Card::new(Tone::Working, format!("Run {} has its yes and goes on{DOT}{}", run.number, what(&run.request)))
                .line(Line::text(match &run.state {
                    RunState::Applying { .. } => {
                        "It goes on with what was shown; what is planned later and goes beyond it asks again."
                    }
                    _ => "It is planned again first; if the plan goes beyond the one shown, it asks again.",
                }))
        }
        Answer::Seconded(run) => {
            let card = Card::new(
                Tone::Working,
                format!("Run {} has your yes and waits for more{DOT}{}", run.number, what(&run.request)),
            );
            match &run.state {
                RunState::AwaitingApproval { question, .. } => {
                    card.lines(approval::wants(question, &run.asker.id, clock))
                }
                _ => card,
            }
        }
        Answer::Rejected(run) => {
            Card::new(Tone::Plain, format!("Run {} is rejected{DOT}{}", run.number, what(&run.request)))
                .line(Line::text("What it asked for is not done."))
        }
        Answer::Taken(run) => {
            Card::new(Tone::Plain, format!("Run {} is taken as it is{DOT}{}", run.number, what(&run.request)))
                .line(Line::text("The history says by whom and why. How the run ended stays as it is."))
        }
        Answer::Recovering(run) => {
            Card::new(Tone::Working, format!("Run {} is being looked into{DOT}{}", run.number, what(&run.request)))
                .line(Line::text("Tidegate reads state and lock, and ends the run as what it finds."))
        }
    }
}

fn queued(
    run: &RunSummary,
    ahead: &[RunSummary],
    last_time_ms: Option<i64>,
    starts_in_ms: Option<i64>,
    clock: &Clock,
) -> Card {
    let request = &run.request;
    let number = run.number;
    let mut facts = vec![format!("run {number}"), what(request)];
    facts.extend(Some(sizes(request)).filter(|sizes| !sizes.is_empty()));
    facts.extend(last_time_ms.map(|ms| format!("last time {}", duration(ms))));
    let mut card = Card::new(Tone::Working, facts.join(DOT));
    if let Some(retried) = request.retry_of {
        card = card.line(Line::text(format!("Does run {retried} again.")));
    }
    if request.kind == RunKind::Plan {
        card = card.line(Line::text("Only a preview: nothing will be changed."));
    } else if request.kind.only_looks() {
        card = card.line(Line::text("Only looks: nothing will be changed."));
    } else if request.asks {
        card = card.line(Line::marked(&format!("Shows first what it would do, then waits for `approve {number}`.")));
    }
    let Some(first) = ahead.first() else { return card };
    let mut names: Vec<String> = ahead.iter().take(AHEAD_MAX).map(run_of).collect();
    if ahead.len() > AHEAD_MAX {
        names.push(format!("{} more", ahead.len() - AHEAD_MAX));
    }
    let when = starts_in_ms.map_or_else(String::new, |ms| format!(", {}", about(ms)));
    let place = ordinal(ahead.len() + 1);
    let since = first.started.map(|at| format!("; it began at {}", clock.moment(at))).unwrap_or_default();
    card = card.line(Line::text(format!("Queued as {place}: waits for {}{when}{since}.", names.join(", then "))));
    let card = match &first.state {
        RunState::Unknown { .. } => card
            .line(Line::text(format!(
                "Nobody saw how run {} ended; until that is known, {} waits.",
                first.number, request.environment
            )))
            .next(format!("recover {}", first.number)),
        RunState::AwaitingApproval { question, .. } => card
            .line(Line::text(format!(
                "Run {} waits for somebody's yes until {}.",
                first.number,
                clock.moment(question.expires)
            )))
            .next(format!("show {}", first.number)),
        RunState::Queued { .. }
        | RunState::Planning { .. }
        | RunState::Applying { .. }
        | RunState::Verifying { .. }
        | RunState::Ended { .. } => card,
    };
    let card = if first.asker.is(&run.asker.id) {
        card
    } else {
        card.next(format!("ask {} when will it be done?", first.number))
    };
    card.next(format!("leave {number}")).next(format!("tell me when free {}", request.environment))
}

/// Words that only thank.
const THANKS: [&str; 8] =
    ["thanks", "thank you", "thx", "ty", "thank you very much", "thanks a lot", "cheers", "many thanks"];

/// Whether somebody only says thanks.
#[must_use]
pub fn is_thanks(typed: &str) -> bool {
    let words: Vec<&str> = typed.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let said = words.join(" ").to_lowercase();
    THANKS.contains(&said.as_str())
}

/// The answer to thanks.
#[must_use]
pub fn welcome() -> Card {
    Card::new(Tone::Good, "You are welcome.")
}
