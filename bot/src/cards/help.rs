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

/// The words and keys of a prompt in a terminal, below the commands of [`help`].
#[must_use]
pub fn at_prompt(help: Card) -> Card {
    let words = [
        ("exit, quit, Ctrl-D", "leaves; what becomes of runs under way is said then"),
        ("Ctrl-C", "drops the line; runs go on, `cancel` stops them"),
        ("Tab, Up, Ctrl-R", "completes; the line before; looks for an older line"),
    ];
    let width = words.iter().map(|(word, _)| word.len()).max().unwrap_or_default() + 2;
    let lines = words.map(|(word, meaning)| {
        let Line { spans, .. } = Line::marked(meaning);
        Line::of(std::iter::once(Span::Column(word.to_owned(), width)).chain(spans)).indented(1)
    });
    help.line(Line::text("At this prompt")).lines(lines)
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
