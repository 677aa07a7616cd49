//! `help`, from the table of commands.

use tidegate_runner::domain::command::CommandName;

use super::card::{Card, Line, Span, Tone};
use crate::commands::{TABLE, spec};

/// All commands, a line each.
#[must_use]
pub fn help() -> Card {
    let width = TABLE.iter().map(|spec| spec.name.as_str().len()).max().unwrap_or_default() + 2;
    let lines = TABLE.iter().map(|spec| {
        Line::of([Span::Column(spec.name.to_string(), width), Span::Text(spec.summary.to_owned())]).indented(1)
    });
    Card::new(Tone::Plain, "What can be typed")
        .lines(lines)
        .line(Line::marked("Every command that changes something can end with `because` and a reason."))
        .next("help up")
        .next("envs")
}

/// One command, with examples.
#[must_use]
pub fn help_on(name: CommandName) -> Card {
    let spec = spec(name);
    let width = spec.examples.iter().map(|example| example.line.chars().count()).max().unwrap_or_default() + 2;
    let examples = spec.examples.iter().map(|example| {
        Line::of([Span::Column(example.line.to_owned(), width), Span::Text(example.meaning.to_owned())]).indented(1)
    });
    Card::new(Tone::Plain, format!("`{}`: {}", spec.usage, spec.summary))
        .lines(spec.details.iter().map(|paragraph| Line::marked(paragraph)))
        .lines(examples)
}
