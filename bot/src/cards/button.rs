//! Buttons: which of the commands that may come next are offered as one, and what it says. Typing the command does the same.

use tidegate_runner::domain::ids::RunNumber;

use super::card::{Card, Line, Tone};
use super::words::DOT;

/// A command as a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What it says, at most 20 characters.
    pub label: String,
    /// The command, whole.
    pub command: String,
    /// Whether it leads on, breaks off, or neither; for a colour.
    pub weight: Weight,
    /// What is asked before it is done, where it cannot be undone.
    pub confirm: Option<Confirm>,
}

/// Which way a button leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// On.
    On,
    /// To an end.
    Off,
    /// Nowhere: it shows something.
    Plain,
}

/// A question before something that cannot be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    /// Its title.
    pub title: &'static str,
    /// What would be done.
    pub text: String,
    /// The yes.
    pub yes: &'static str,
    /// The no.
    pub no: &'static str,
}

/// The button for a command; `None`: it is only typed. `about` is the card's title, for the question before what destroys.
#[must_use]
pub fn button(command: &str, about: &str, destroys: bool) -> Option<Button> {
    let mut words = command.split_whitespace();
    let verb = words.next()?;
    let rest: Vec<&str> = words.collect();
    let (label, weight) = match (verb, rest.as_slice()) {
        ("approve", [_] | [_, _]) => ("Approve", Weight::On),
        ("reject", [_]) => ("Reject", Weight::Off),
        ("cancel", [_]) => ("Cancel", Weight::Off),
        ("retry", [_]) => ("Retry", Weight::On),
        ("show", [_]) => ("Show plan", Weight::Plain),
        ("log", [_]) => ("Show log", Weight::Plain),
        ("undo", [_]) => ("Undo", Weight::Plain),
        ("extend", [_, "2h"]) => ("Extend by 2 h", Weight::Plain),
        ("keep", [group, "for", "1h"]) if group.starts_with('@') => ("Keep all 1 h", Weight::Plain),
        ("keep", [_, "for", "1h"]) => ("Keep 1 h", Weight::Plain),
        // With its whole date it is not read on a phone.
        ("keep", [_, "until", _, time, _]) => return Some(keep_until(command, time)),
        ("keep", [_, "until", end]) => {
            return Some(keep_until(command, end.split_once('T').and_then(|(_, time)| time.get(..5)).unwrap_or(end)));
        }
        ("skip", [_, "tonight"]) => ("Skip tonight", Weight::Plain),
        ("skip", [_] | [_, "next"]) => ("Skip it", Weight::Plain),
        ("down", [_, _]) => ("Down now", Weight::Off),
        ("recover", [_]) => ("Look into it", Weight::On),
        ("adopt", [_]) => ("Adopt", Weight::Plain),
        ("drift", [_]) => ("Look for drift", Weight::Plain),
        ("sweep", [_]) => ("Sweep", Weight::Plain),
        ("sweep", [_, "remove"]) => ("Remove ...", Weight::Off),
        ("preflight", [_]) => ("Pre-flight", Weight::Plain),
        ("accept", [_]) => ("Take as it is", Weight::Plain),
        _ => return None,
    };
    let label = label.to_owned();
    Some(Button { label, command: command.to_owned(), weight, confirm: asks_first(command, about, destroys) })
}

/// `Keep until 22:00`.
fn keep_until(command: &str, time: &str) -> Button {
    Button { label: format!("Keep until {time}"), command: command.to_owned(), weight: Weight::Plain, confirm: None }
}

/// What a button asks before this command. The one place that decides it: of what leads on everything asks where it destroys.
#[must_use]
pub(super) fn asks_first(command: &str, about: &str, destroys: bool) -> Option<Confirm> {
    let verb = command.split_whitespace().next()?;
    let leads_on = matches!(verb, "approve" | "undo" | "retry" | "down" | "destroy" | "scale" | "up" | "do");
    (destroys && leads_on).then(|| Confirm {
        title: "This destroys",
        text: format!("{about}\nWhat is destroyed cannot be brought back by Tidegate."),
        yes: "Do it",
        no: "Leave it",
    })
}

/// What stands in place of buttons that were used.
#[must_use]
pub fn pressed(label: &str, by: &str, came: Option<&str>) -> String {
    let came = came.map(|came| format!("{DOT}{came}")).unwrap_or_default();
    format!("{label}: pressed by {by}{came}")
}

/// The answer to a press of what was used already.
#[must_use]
pub fn used(label: &str) -> Card {
    Card::new(Tone::Plain, format!("`{label}` was pressed already")).line(Line::text("The card says by whom."))
}

/// The answer to a press after one of somebody else of which nobody knows what comes of it.
#[must_use]
pub fn undecided(label: &str, typed: &str) -> Card {
    Card::new(
        Tone::Warning,
        format!("`{label}` was pressed by somebody else before, and nobody knows what comes of that"),
    )
    .line(Line::text("Yours did nothing."))
    .next(typed)
}

/// The answer to a press on a card after which something else has happened.
#[must_use]
pub fn not_the_newest(label: &str, run: RunNumber, newer: RunNumber, typed: &str) -> Card {
    Card::new(Tone::Warning, format!("`{label}` of run {run} does nothing: run {newer} came after it"))
        .line(Line::text("What is asked for by typing is about what is now."))
        .next(typed)
        .next(format!("show {newer}"))
}

/// Before the commands that can be typed.
pub const TYPED: &str = "or type ";

/// In place of lines for which there was no room.
#[must_use]
pub fn left_out(lines: usize) -> String {
    let noun = if lines == 1 { "line" } else { "lines" };
    format!("({lines} more {noun} did not fit here: the file in the thread has them)")
}

/// The same where the file goes with the message itself.
#[must_use]
pub fn left_out_beside(lines: usize) -> String {
    let noun = if lines == 1 { "line" } else { "lines" };
    format!("({lines} more {noun} did not fit here: the file that comes with this has them)")
}

/// The same where a command tells them.
#[must_use]
pub fn left_out_typed(lines: usize, command: &str) -> String {
    let (noun, has) = if lines == 1 { ("line", "has it") } else { ("lines", "has them") };
    format!("({lines} more {noun} did not fit here: `{command}` {has})")
}

/// The same where no file can go with the message.
#[must_use]
pub fn left_out_here(lines: usize) -> String {
    let noun = if lines == 1 { "line" } else { "lines" };
    format!("({lines} more {noun} did not fit here: ask Tidegate in a direct message, and they come as a file)")
}

/// After those whom a message calls, where it cannot call all.
#[must_use]
pub fn not_called(more: usize) -> Option<String> {
    (more > 0).then(|| format!("(and {more} more)"))
}

/// Before a message that may have been sent before: nobody could find out.
pub const PERHAPS_AGAIN: &str = "(perhaps for the second time) ";
