//! `handover`: what is out of the ordinary, for whoever takes over. What is as it should be is not told.

use tidegate_runner::domain::answer::{EnvironmentStatus, RunSummary, Standing};
use tidegate_runner::domain::environment::Level;
use tidegate_runner::domain::made::{Made, Stage};
use tidegate_runner::domain::run::{Outcome, RunState};
use tidegate_runner::domain::schedule::{Turn, in_words};

use super::bend::moment;
use super::card::{Card, Line, Span, Tone};
use super::holds::hold_fact;
use super::next::{bent_words, overdue_fact};
use super::words::{Clock, DOT, cut, plural, target};

/// What ends within so many milliseconds ends soon: an hour.
const SOON_MS: i64 = 3_600_000;

/// What is booked within so many milliseconds is told: a day.
const BOOKED_MS: i64 = 24 * SOON_MS;

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
        let they = if all.len() == 1 { "it" } else { "they" };
        return Card::new(Tone::Good, format!("Nothing to hand over{DOT}{looked} as {they} should be")).next("next");
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
        Standing::Unmanaged { problems, runs, .. } => {
            let why = format!("NOT MANAGED: {}", problems.first().map(|problem| cut(problem)).unwrap_or_default());
            [why].into_iter().chain(of_runs(runs, clock)).collect()
        }
        Standing::Departed { wanted, runs, .. } => {
            let raised = wanted.as_ref().filter(|wanted| wanted.level != Level::Off);
            let raised = raised.map(|wanted| format!("at {}, and not in the configuration any more", target(wanted)));
            raised.into_iter().chain(of_runs(runs, clock)).collect()
        }
    }
}

fn of(status: &EnvironmentStatus, clock: &Clock) -> Vec<String> {
    let mut facts = Vec::new();
    if let Some(problem) = status.problems.first() {
        let what = if status.managed { "its configuration does not check" } else { "NOT MANAGED" };
        facts.push(format!("{what}: {}", cut(problem)));
    }
    let broken = status.unread.iter().chain(&status.lost).chain(&status.lost_ended).chain(&status.besides);
    facts.extend(broken.map(|what| cut(what)));
    facts.extend(of_runs(status.running.iter().map(|(run, _)| run).chain(&status.waiting), clock));
    if let Some(run) = status.change.as_ref().filter(|_| status.running.is_none())
        && let Some(word) = went_wrong(run)
    {
        facts.push(format!("run {} {word}", run.number));
    } else if status.stacks.values().any(|stack| stack.in_doubt) && status.running.is_none() {
        facts.push("IN DOUBT what stands".to_owned());
    }
    if let Some(overdue) = &status.overdue {
        let done = if overdue.until.is_some() { "" } else { ", and not done any more" };
        facts.push(format!("{}{done}", overdue_fact(overdue)));
    } else if let (Some(asked), Some(wanted)) = (&status.asked, &status.wanted)
        && asked != wanted
    {
        facts.push(format!("at {}, where its schedules ask for {}", target(wanted), target(asked)));
    }
    facts.extend(status.holds.iter().map(|hold| hold_fact(hold, clock)));
    let near = status.bookings.iter().filter(|booking| booking.began.ms_since(clock.now) <= BOOKED_MS);
    facts.extend(near.map(|booking| hold_fact(booking, clock)));
    facts.extend(status.paused.as_ref().map(|bent| format!("schedules {}", bent_words(bent, clock))));
    // Whoever said where it is said until when, whatever came after it.
    let until = status.said.as_ref().and_then(|run| run.request.until);
    // What was made for one test has its end.
    facts.extend(left_up(status, clock).filter(|_| until.is_none() && status.made.is_none()));
    facts.extend(status.made.as_ref().and_then(|listed| near_its_end(&listed.made, clock)));
    // When it ends is what `next` says: a keep or the schedules can ask for the same for longer.
    let soon = |turn: &&Turn| (0..=SOON_MS).contains(&turn.at.ms_since(clock.now));
    if let Some(turn) = status.next.as_ref().filter(soon).filter(|_| until.is_some_and(|until| until > clock.now)) {
        facts.push(format!("goes to {} {}", in_words(&turn.wanted), moment(turn)));
    }
    facts
}

/// Runs that somebody has to do something about.
fn of_runs<'r>(runs: impl IntoIterator<Item = &'r RunSummary>, clock: &Clock) -> Vec<String> {
    let waits = |run: &RunSummary| match &run.state {
        RunState::Unknown { .. } => Some(format!("UNKNOWN how run {} ended", run.number)),
        RunState::AwaitingApproval { question, .. } => {
            Some(format!("run {} waits for a yes until {}", run.number, clock.moment(question.expires)))
        }
        _ => None,
    };
    runs.into_iter().filter_map(waits).collect()
}

/// That what was made for one test is deleted soon, or is being deleted: with when that is tried again, where something stands in the way.
fn near_its_end(made: &Made, clock: &Clock) -> Option<String> {
    match made.stage {
        Stage::Ending => {
            let again = made.try_at.filter(|_| made.told.is_some());
            let again = again.map(|at| format!(", tried again {}", clock.moment(at))).unwrap_or_default();
            Some(format!("DELETING{again}"))
        }
        Stage::Making | Stage::Living => {
            (made.ends.ms_since(clock.now) <= SOON_MS).then(|| format!("is deleted {}", clock.moment(made.ends)))
        }
        Stage::Gone => None,
    }
}

/// What is raised and that nothing lowers: no schedule, and nobody said until when. Since when, and by whom.
fn left_up(status: &EnvironmentStatus, clock: &Clock) -> Option<String> {
    let wanted = status.wanted.as_ref().filter(|_| !status.scheduled)?;
    let height = |level: &Level| status.levels.iter().position(|other| other == level);
    if wanted.level == Level::Off || height(&wanted.level) <= height(&status.down) {
        return None;
    }
    let by = status.said.as_ref().map(|run| {
        let since = clock.moment(run.ended.unwrap_or(run.accepted));
        format!(" since {since} by {} (run {})", cut(&run.asker.called()), run.number)
    });
    let in_doubt = status.running.is_some() || status.stacks.values().any(|stack| stack.in_doubt);
    let at = if in_doubt { "wanted at" } else { "at" };
    Some(format!("{at} {}{}, and nothing lowers it", target(wanted), by.unwrap_or_default()))
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
