//! What is refused, and what went wrong on our side.

use tidegate_runner::domain::ids::RunNumber;
use tidegate_runner::domain::refusal::{Refusal, RefusalKind};

use super::card::{Card, Line, Span, Tone};

/// A refusal: what, why, and what to type instead.
#[must_use]
pub fn refusal(refusal: &Refusal) -> Card {
    let Refusal { kind, what, why, hints, of_them: _ } = refusal;
    let word = match kind {
        RefusalKind::NotUnderstood => "Not understood",
        RefusalKind::Refused => "Refused",
    };
    let card = Card::new(Tone::Warning, format!("{word}: {what}"));
    let card = if why.is_empty() { card } else { card.line(Line::marked(why)) };
    hints.iter().fold(card, |card, hint| card.next(hint.clone()))
}

/// The ledger at `place` cannot be used, for a reason around it. `reference` is in the log.
#[must_use]
pub fn no_ledger(reference: &str, place: &str, why: &str, locked: bool) -> Card {
    let card =
        Card::new(Tone::Bad, format!("Tidegate could not answer: its ledger cannot be used (reference {reference})"))
            .line(Line::of([
                Span::Text("What is wrong with ".to_owned()),
                Span::Code(place.to_owned()),
                Span::Text(format!(": {why}.")),
            ]));
    let card = if locked {
        card.line(Line::marked(&format!(
            "`fuser {place}` names the programs that have it open. Wait until the one that writes has finished, or end it, and say \
             the same again."
        )))
    } else {
        card
    };
    card.line(Line::text("If it was an order, the history says whether it was accepted.")).next("history")
}

/// What the answer depends on cannot be read, and what can be done about that. `reference` is in the log of this process.
#[must_use]
pub fn unread(reference: &str, why: &str) -> Card {
    Card::new(
        Tone::Bad,
        format!("Tidegate could not answer: something in the ledger cannot be read (reference {reference})"),
    )
    .line(Line::marked(&format!("What is wrong: {why}.")))
    .line(Line::text("If it was an order, the history says whether it was accepted."))
    .next("history")
}

/// The logs of a run cannot be read, for a reason around them. `reference` is in the log of this process.
#[must_use]
pub fn no_logs(reference: &str, why: &str) -> Card {
    Card::new(Tone::Bad, format!("Tidegate could not show the log (reference {reference})"))
        .line(Line::text(format!("What is wrong: {why}.")))
}

/// A fault of ours. `reference` is in the log; `run` is the run that it was about, which goes on by itself.
#[must_use]
pub fn fault(reference: &str, run: Option<RunNumber>) -> Card {
    let card = Card::new(
        Tone::Bad,
        format!("Tidegate could not answer; the fault is ours, not yours (reference {reference})"),
    )
    .line(Line::text("Tidegate's log says more under that reference."));
    match run {
        Some(run) => {
            card.line(Line::text(format!("Run {run} is not affected and goes on."))).next(format!("show {run}"))
        }
        None => card.line(Line::text("If it was an order, the history says whether it was accepted.")).next("history"),
    }
}
