//! `log`: what Terraform said.

use tidegate_runner::domain::answer::LogExtract;
use tidegate_runner::domain::by_hand::{ByHand, HandArgs};
use tidegate_runner::domain::ids::{RunNumber, StackName};

use super::card::{Card, Line, Span, Tone};
use super::words::plural;

/// Where the whole of a log is that goes with a message.
pub const BESIDE: &str = "the file beside this";
/// Where nothing was left out.
pub const ALL_OF_IT: &str = "this is all of it";
/// In the file itself.
pub const THIS_FILE: &str = "this file";
/// In a file that has not all, as a log without end has no place anywhere.
pub const LAST_OF_IT: &str = "on Tidegate's machine; this file has the last of it";

/// Where the whole of a log is that cannot be read just now.
#[must_use]
pub fn log_typed(run: RunNumber, stack: &StackName) -> String {
    format!("it cannot be read just now; `log {run} {stack}`")
}

/// Terraform was asked something by hand, and printed nothing.
#[must_use]
pub fn printed_nothing(by_hand: &ByHand) -> String {
    match by_hand.args {
        HandArgs::StateList => format!("Terraform lists nothing: the state of {} is empty.", by_hand.stack),
        _ => "Terraform printed nothing.".to_owned(),
    }
}

/// Lines of a run's log, step by step.
#[must_use]
pub fn log(extract: &LogExtract) -> Card {
    let LogExtract { run, parts } = extract;
    if parts.is_empty() {
        return Card::new(Tone::Plain, format!("Run {run} has no log yet")).next(format!("show {run}"));
    }
    let mut card = Card::new(Tone::Plain, format!("Log of run {run}"));
    for part in parts {
        card = card.line(Line::of([Span::Strong(format!("{} {}", part.stack, part.phase))]));
        if part.tried {
            // Told before the errors: whoever looks for a failure must not stop here.
            let text = "Tried before a stack that it needs was there, only to see how much there is to do: the errors below are expected. It is planned again once that stack is there.";
            card = card.line(Line::text(text).indented(1));
        }
        if part.left_out > 0 {
            card = card.line(Line::text(format!("({} left out)", plural(part.left_out, "earlier line"))).indented(1));
        }
        let lines = part.lines.iter().map(|line| Line::text(line.trim_end().to_owned()).indented(1));
        card = card.lines(lines).line(Line::text(format!("whole log: {}", part.file)).indented(1));
    }
    card
}
