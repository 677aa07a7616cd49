//! `handover`: what is out of the ordinary, for whoever takes over. What is as it should be is not told.

use tidegate_runner::domain::answer::{EnvironmentStatus, RunSummary, Standing};
use tidegate_runner::domain::environment::Level;
use tidegate_runner::domain::run::{Outcome, RunState};

use super::card::{Card, Line, Span, Tone};
use super::holds::hold_fact;
use super::next::bent_words;
use super::words::{Clock, DOT, cut, plural, target};

/// What ends within so many milliseconds ends soon: an hour.
const SOON_MS: i64 = 3_600_000;

/// Exceptions of these environments.
#[must_use]
pub fn handover(all: &[Standing], clock: &Clock) -> Card {
    let found: Vec<(&str, Vec<String>)> = all
        .iter()
        .map(|standing| (standing.name(), exceptions(standing, clock)))
        .filter(|(_, all)| !all.is_empty())
        .collect();
    let looked = plural(u64::try_from(all.len()).unwrap_or(u64::MAX), "environment");
    if found.is_empty() {
        return Card::new(Tone::Good, format!("Nothing to hand over{DOT}{looked} as they should be")).next("next");
    }
    let width = found.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default() + 2;
    let lines = found
        .iter()
        .map(|(name, facts)| Line::of([Span::Column(cut(name), width), Span::Text(facts.join(DOT))]).indented(1));
    let card = Card::new(Tone::Warning, format!("To hand over: {} of {looked}", found.len())).lines(lines);
    found.iter().take(3).fold(card, |card, (name, _)| card.next(format!("status {name}")))
}

fn exceptions(standing: &Standing, clock: &Clock) -> Vec<String> {
    match standing {
        Standing::Managed(status) => of(status, clock),
        Standing::Unmanaged { problems, .. } => {
            vec![format!("NOT MANAGED: {}", problems.first().map(|problem| cut(problem)).unwrap_or_default())]
        }
        Standing::Departed { wanted: Some(wanted), .. } if wanted.level != Level::Off => {
            vec![format!("at {}, and not in the configuration any more", target(wanted))]
        }
        Standing::Departed { .. } => Vec::new(),
    }
}

fn of(status: &EnvironmentStatus, clock: &Clock) -> Vec<String> {
    let mut facts = Vec::new();
    if let Some(problem) = status.problems.first() {
        facts.push(format!("its configuration does not check: {}", cut(problem)));
    }
    let runs = || status.running.iter().map(|(run, _)| run).chain(&status.waiting);
    for run in runs() {
        match &run.state {
            RunState::Unknown { .. } => facts.push(format!("UNKNOWN how run {} ended", run.number)),
            RunState::AwaitingApproval { question, .. } => {
                facts.push(format!("run {} waits for a yes until {}", run.number, clock.moment(question.expires)));
            }
            _ => {}
        }
    }
    if let Some(run) = status.last.as_ref().filter(|_| status.running.is_none())
        && let Some(word) = went_wrong(run)
    {
        facts.push(format!("run {} {word}", run.number));
    } else if status.stacks.values().any(|stack| stack.in_doubt) && status.running.is_none() {
        facts.push("IN DOUBT what stands".to_owned());
    }
    if let (Some(asked), Some(wanted)) = (&status.asked, &status.wanted)
        && asked != wanted
    {
        facts.push(format!("at {}, where its schedules ask for {}", target(wanted), target(asked)));
    }
    facts.extend(status.holds.iter().map(|hold| hold_fact(hold, clock)));
    facts.extend(status.paused.as_ref().map(|bent| format!("schedules {}", bent_words(bent, clock))));
    let until = status.last.as_ref().and_then(|run| run.request.until);
    if let Some(until) = until.filter(|until| (0..=SOON_MS).contains(&until.ms_since(clock.now))) {
        facts.push(format!("ends {}", clock.moment(until)));
    }
    facts
}

/// How a run ended that nobody has taken as it is, where that is not well.
fn went_wrong(run: &RunSummary) -> Option<&'static str> {
    if run.taken_by.is_some() {
        return None;
    }
    match run.state.outcome()? {
        Outcome::Failed => Some("FAILED"),
        Outcome::Partial => Some("PARTIAL"),
        Outcome::Cancelled if run.began => Some("was cancelled half way"),
        Outcome::Succeeded
        | Outcome::NothingToDo
        | Outcome::Planned
        | Outcome::Cancelled
        | Outcome::Refused
        | Outcome::Expired => None,
    }
}
