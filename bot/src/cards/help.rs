//! `help`, from the table of commands.

use tidegate_runner::domain::answer::Abilities;
use tidegate_runner::domain::command::CommandName;

use super::card::{Card, Line, Span, Tone};
use crate::commands::{Spec, TABLE, spec};

/// What is said where a command is nobody's.
const NOBODY: &str = "nobody; whoever edits the configuration can give it";

/// All commands, a line each; those that the reader may not run here come last, with whom to ask.
#[must_use]
pub fn help(abilities: &Abilities) -> Card {
    let width = TABLE.iter().map(|spec| spec.name.as_str().len()).max().unwrap_or_default() + 2;
    let line = |spec: &Spec| {
        Line::of([Span::Column(spec.name.to_string(), width), Span::Text(spec.summary.to_owned())]).indented(1)
    };
    let may = |spec: &&Spec| abilities.not.iter().all(|(command, _)| *command != spec.name);
    let card = Card::new(Tone::Plain, "What can be typed").lines(TABLE.iter().filter(may).map(line));
    let card = if abilities.not.is_empty() {
        card
    } else {
        let asks = by_whom_to_ask(abilities).into_iter().map(|(ask, commands)| {
            let commands: Vec<String> = commands.iter().map(|command| format!("`{command}`")).collect();
            Line::marked(&format!("{}: {ask}", commands.join(", "))).indented(1)
        });
        card.line(Line::text("Not yours from here; who has it:")).lines(asks)
    };
    card.line(Line::marked("Every command that changes something can end with `because` and a reason."))
        .next("help up")
        .next(if abilities.not.is_empty() { "envs" } else { "whoami" })
}

/// Commands that the reader may not run, those together for which the same people can be asked.
fn by_whom_to_ask(abilities: &Abilities) -> Vec<(String, Vec<CommandName>)> {
    let mut found: Vec<(String, Vec<CommandName>)> = Vec::new();
    for (command, ask) in &abilities.not {
        let ask = if ask.is_empty() { NOBODY.to_owned() } else { ask.clone() };
        match found.iter_mut().find(|(other, _)| *other == ask) {
            Some((_, commands)) => commands.push(*command),
            None => found.push((ask, vec![*command])),
        }
    }
    found
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
pub fn help_on(name: CommandName, abilities: &Abilities) -> Card {
    let spec = spec(name);
    let width = spec.examples.iter().map(|example| example.line.chars().count()).max().unwrap_or_default() + 2;
    let examples = spec.examples.iter().map(|example| {
        Line::of([Span::Column(example.line.to_owned(), width), Span::Text(example.meaning.to_owned())]).indented(1)
    });
    let card = Card::new(Tone::Plain, format!("`{}`: {}", spec.usage, spec.summary))
        .lines(spec.details.iter().map(|paragraph| Line::marked(paragraph)))
        .lines(examples);
    match abilities.not.iter().find(|(command, _)| *command == name) {
        None => card,
        Some((_, ask)) => {
            let ask = if ask.is_empty() { NOBODY } else { ask };
            card.line(Line::marked(&format!("It is not yours from here; who has it: {ask}")))
                .next(format!("why can't I {name}"))
        }
    }
}
