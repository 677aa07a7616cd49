//! Whose yes a run wants, what has been said, and whose yes it had.

use tidegate_runner::domain::access::{Approvers, Want, Yes, said, yeses};
use tidegate_runner::domain::ids::{ActorId, RunNumber};
use tidegate_runner::domain::run::{Approved, Question, QuestionWhy};

use super::super::card::Line;
use super::super::words::{Clock, cut};

/// Most people that are named.
const NAMED_MAX: usize = 6;

/// The line that says yes to this very question.
pub(in super::super) fn line(run: RunNumber, question: &Question) -> String {
    if question.asks_anew() { format!("approve {run} {}", question.code()) } else { format!("approve {run}") }
}

/// What the rules want, each with why, how far it is, and who can say it.
pub(in super::super) fn wants(question: &Question, asker: &ActorId, clock: &Clock) -> Vec<Line> {
    question.wants.iter().enumerate().flat_map(|(at, want)| one(at, want, &question.yes, asker, clock)).collect()
}

fn one(at: usize, want: &Want, yes: &[Yes], asker: &ActorId, clock: &Clock) -> Vec<Line> {
    let held: Vec<String> = want.held.iter().map(ToString::to_string).collect();
    let so_far = said(yes, at);
    let wanted = match so_far {
        0 => format!("{} of {}", yeses(want.count), want.by),
        _ => format!("{so_far} of {} of {}", yeses(want.count), want.by),
    };
    let mut lines = vec![Line::text(cut(&format!("Asks because {}: {wanted}.", held.join(" and "))))];
    let already = already(yes, at);
    let people = names(can_say(want, &already, asker));
    if !people.is_empty() && !matches!(want.by, Approvers::Named(_)) {
        lines.push(Line::text(format!("Who can say it: {people}")).indented(1));
    }
    if !already.is_empty() {
        lines.push(Line::text(format!("Said by {}", names(already))).indented(1));
    }
    if let Some(from) = want.alone_from {
        let when = if from <= clock.now { String::new() } else { format!("from {} on ", clock.moment(from)) };
        let asker = if want.people.contains(asker) { ", also whoever asked" } else { "" };
        lines.push(Line::text(format!("{when}one of them may say it alone{asker}")).indented(1));
    }
    lines
}

fn already(yes: &[Yes], at: usize) -> Vec<&ActorId> {
    yes.iter().filter(|yes| yes.wants.contains(&at)).map(|yes| &yes.by).collect()
}

fn can_say<'a>(want: &'a Want, already: &[&ActorId], asker: &ActorId) -> impl Iterator<Item = &'a ActorId> {
    want.people.iter().filter(move |who| (want.own || *who != asker) && !already.contains(who))
}

/// Who can still say yes to a question, as far as the configuration names them.
#[must_use]
pub fn waited_for(question: &Question, asker: &ActorId) -> Vec<ActorId> {
    let mut people: Vec<ActorId> = match &question.why {
        QuestionWhy::OfAnother { owners } if question.wants.is_empty() => owners.clone(),
        _ => Vec::new(),
    };
    for (at, want) in question.wants.iter().enumerate() {
        let already = already(&question.yes, at);
        if already.len() < usize::try_from(want.count).unwrap_or(usize::MAX) {
            people.extend(can_say(want, &already, asker).cloned());
        }
    }
    people.sort();
    people.dedup();
    people
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
