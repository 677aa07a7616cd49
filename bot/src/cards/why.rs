//! `why`: may somebody do this, by which line of the configuration, and who can change that.

use tidegate_runner::domain::answer::{Verdict, Why};

use super::card::{Card, Line, Tone};
use super::words::person;

/// Most environments that are told one by one.
const TOLD_MAX: usize = 10;

/// Whether somebody may run a command, and why.
#[must_use]
pub fn why(why: &Why) -> Card {
    let Why { who, itself, command, run, verdicts } = why;
    let subject = if *itself { "you".to_owned() } else { person(&who.name) };
    // A right that somebody has through a group of their chat shows only when they ask themselves.
    let unasked = (!itself && who.groups.is_empty() && !who.id.as_str().starts_with("local:"))
        .then(|| Line::text("As far as the configuration names them: their chat was not asked for their groups, nor whether they are guests."));
    let phrase = |verdict: &Verdict| match (run, &verdict.environment) {
        (Some(run), Some(environment)) => format!("`{command} {run}` (of {environment})"),
        (Some(run), None) => format!("`{command} {run}`"),
        (None, Some(environment)) => format!("`{command} {environment}`"),
        (None, None) => format!("`{command}`"),
    };
    if let [only] = verdicts.as_slice() {
        let word = match (&only.refused, only.asks.is_empty()) {
            (Some(refusal), _) if only.only_now => format!("Not now: {}", refusal.what),
            (Some(_), _) => format!("No: {subject} may not {}", phrase(only)),
            (None, true) if !only.plan.is_empty() => {
                format!("Yes, where its plan is within the rules: {subject} may {}", phrase(only))
            }
            (None, true) => format!("Yes: {subject} may {}", phrase(only)),
            (None, false) => format!("Yes, with a yes of others at times: {subject} may {}", phrase(only)),
        };
        let card = Card::new(Tone::Plain, word);
        let card = told(only).into_iter().fold(card, |card, line| card.line(Line::marked(&line))).lines(unasked);
        let hints = only.refused.iter().flat_map(|refusal| &refusal.hints).filter(|hint| !hint.starts_with("why "));
        return hints.fold(card, |card, hint| card.next(hint.clone()));
    }
    let mut card = Card::new(Tone::Plain, format!("`{command}`, for {subject}")).lines(unasked);
    for verdict in verdicts.iter().take(TOLD_MAX) {
        let word = if verdict.refused.is_some() { "no" } else { "yes" };
        let place = verdict.environment.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string);
        card = card.line(Line::marked(&format!("{place}: {word}")));
        card = card.lines(told(verdict).iter().map(|line| Line::marked(line).indented(1)));
    }
    match verdicts.iter().skip(TOLD_MAX).find_map(|verdict| verdict.environment.as_ref()) {
        Some(next) => card.line(Line::text("and more, one at a time")).next(format!("why can't I {command} {next}")),
        None => card,
    }
}

fn told(verdict: &Verdict) -> Vec<String> {
    let Verdict { environment: _, refused, only_now: _, by, asks, plan } = verdict;
    let mut lines: Vec<String> = refused.iter().map(|refusal| refusal.why.clone()).collect();
    if refused.is_none() {
        lines.push(if by.is_empty() { "anybody may".to_owned() } else { format!("by {}", by.join(" and ")) });
        lines.extend(asks.iter().cloned());
        let held = plan.join(", and ");
        lines.extend((!plan.is_empty()).then(|| format!("what its plan would delete or replace decides too: {held}")));
    }
    lines
}
