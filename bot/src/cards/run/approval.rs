//! Whose yes a run wants, what has been said, and whose yes it had.

use tidegate_runner::domain::access::{Approvers, Persons, Want, Yes, said, satisfied, yeses};
use tidegate_runner::domain::answer::RunSummary;
use tidegate_runner::domain::ids::{ActorId, RunNumber, Timestamp};
use tidegate_runner::domain::run::{Approved, Outcome, Question, QuestionWhy, RunView};

use super::super::card::Line;
use super::super::words::{Clock, cut};

/// Most people that are named.
const NAMED_MAX: usize = 6;

/// The line that says yes to this very question.
pub(in super::super) fn line(run: RunNumber, question: &Question) -> String {
    if question.asks_anew() { format!("approve {run} {}", question.code()) } else { format!("approve {run}") }
}

/// The same for a card that does not show the changes: of a run that asks anew nobody says yes to what they have not seen, so that the
/// code of the question stands on its own card alone.
pub(in super::super) fn line_unseen(run: RunNumber, question: &Question) -> String {
    if question.asks_anew() { format!("show {run}") } else { line(run, question) }
}

/// Whose yes stands: not one that was said to another plan than the one that is asked about, nor one that was not enough in the end.
pub(super) fn standing(view: &RunView) -> Option<&Approved> {
    let unanswered = |question: &Question| question.asks_anew() || view.state.ended();
    let expired = view.state.outcome() == Some(Outcome::Expired);
    view.approved.as_ref().filter(|_| !expired && !view.question.as_ref().is_some_and(unanswered))
}

/// What the rules want, each with why, how far it is, and who can say it.
pub(in super::super) fn wants(question: &Question, asker: &ActorId, clock: &Clock) -> Vec<Line> {
    let mut lines: Vec<Line> =
        question.wants.iter().enumerate().flat_map(|(at, want)| one(at, want, question, asker, clock)).collect();
    if !question.wants.is_empty() && satisfied(&question.wants, &question.yes) {
        lines.push(Line::text(
            "That is enough by the configuration as it is now: it goes on once one of those whose yes counts says so.",
        ));
    }
    lines
}

fn one(at: usize, want: &Want, question: &Question, asker: &ActorId, clock: &Clock) -> Vec<Line> {
    let Question { yes, persons, .. } = question;
    let held: Vec<String> = want.held.iter().map(ToString::to_string).collect();
    let so_far = said(yes, at);
    let wanted = match so_far {
        0 => format!("{} of {}", yeses(want.count), want.by),
        _ => format!("{so_far} of {} of {}", yeses(want.count), want.by),
    };
    let mut lines = vec![Line::text(cut(&format!("Asks because {}: {wanted}.", held.join(" and "))))];
    let already = already(yes, at);
    let people = names(persons.once(can_say(want, persons, &already, asker)));
    if !people.is_empty() && !matches!(want.by, Approvers::Named(_)) {
        lines.push(Line::text(format!("Who can say it: {people}")).indented(1));
    }
    if !already.is_empty() {
        lines.push(Line::text(format!("Said by {}", names(already))).indented(1));
    }
    let lost = names(question.lost.iter().filter(|yes| yes.wants.contains(&at)).map(|yes| &yes.by));
    if !lost.is_empty() {
        let text = format!(
            "Said by {lost}, and counts no more: since then it was, by the rules or the roles, no yes of {}",
            want.by
        );
        lines.push(Line::text(cut(&text)).indented(1));
    }
    if let Some(from) = want.alone_from {
        // Told by the minute: the one that has begun before it would be refused in part of it.
        let minute = Timestamp((from.0 + 59_999).div_euclid(60_000) * 60_000);
        let when = if from <= clock.now { String::new() } else { format!("from {} on ", clock.moment(minute)) };
        let asker = if want.people.iter().any(|who| persons.same(who, asker)) { ", also whoever asked" } else { "" };
        lines.push(Line::text(format!("{when}one of them may say it alone{asker}")).indented(1));
    }
    lines
}

fn already(yes: &[Yes], at: usize) -> Vec<&ActorId> {
    yes.iter().filter(|yes| yes.wants.contains(&at)).map(|yes| &yes.by).collect()
}

fn can_say<'a>(
    want: &'a Want,
    persons: &Persons,
    already: &[&ActorId],
    asker: &ActorId,
) -> impl Iterator<Item = &'a ActorId> {
    let is_left = move |who: &&ActorId| {
        (want.own || !persons.same(who, asker)) && !already.iter().any(|said| persons.same(said, who))
    };
    want.people.iter().filter(is_left)
}

/// Who can still say yes to a question, as far as the configuration names them, by all of their ids: each chat calls the one that it
/// knows.
#[must_use]
pub fn waited_for(question: &Question, asker: &ActorId) -> Vec<ActorId> {
    let mut people: Vec<ActorId> = match &question.why {
        QuestionWhy::OfAnother { owners } if question.wants.is_empty() => owners.clone(),
        _ => Vec::new(),
    };
    for (at, want) in question.wants.iter().enumerate() {
        let already = already(&question.yes, at);
        if already.len() < usize::try_from(want.count).unwrap_or(usize::MAX) {
            people.extend(can_say(want, &question.persons, &already, asker).cloned());
        }
    }
    people.sort();
    people.dedup();
    people
}

/// What a terminal says below the card of a run that waits for a yes while its command waits for its end.
#[must_use]
pub fn waits_in_shell(run: &RunSummary, question: &Question) -> String {
    let (number, asker) = (run.number, &run.asker.id);
    let own =
        question.wants.iter().all(|want| want.own && want.people.iter().any(|who| question.persons.same(who, asker)));
    if own {
        let yes = line(number, question);
        return format!("(This command waits; say `{yes}` or `reject {number}` in another terminal.)");
    }
    let others = waited_for(question, asker);
    let others = names(question.persons.once(&others));
    let whose = if others.is_empty() { "a yes of others".to_owned() } else { format!("a yes of {others}") };
    format!("(This command waits for {whose}; `reject {number}` in another terminal takes it back.)")
}

fn names<'a>(ids: impl IntoIterator<Item = &'a ActorId>) -> String {
    let all: Vec<_> = ids.into_iter().map(ActorId::called).collect();
    let shown: Vec<&str> = all.iter().take(NAMED_MAX).map(AsRef::as_ref).collect();
    match all.len().saturating_sub(NAMED_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// `approved by ito and mori`, `approved by ito alone because ...`.
pub(super) fn approved(approved: &Approved) -> String {
    let by: Vec<_> = approved.by.iter().map(ActorId::called).collect();
    let alone = if approved.alone { " alone" } else { "" };
    let because = approved.because.as_ref().map(|because| format!(" because {}", cut(because))).unwrap_or_default();
    format!("approved by {}{alone}{because}", by.join(" and "))
}
