//! The grammar: what people type becomes a [`Command`], or a refusal with the right command ready to copy.
//!
//! One table ([`table`]) defines all commands; help, completion, permission names and `docs/commands.md` derive from it.
//! Pure: no clock, no ledger, no chat. Whether a command may be carried out is the desk's business.

mod ahead;
mod ask;
mod assignment;
mod audit;
mod bend;
mod book;
mod busy;
mod complete;
mod context;
mod group;
mod history;
mod hold;
mod hours;
mod level;
mod line;
mod link;
mod made;
mod moment;
mod normalise;
mod number;
mod others;
mod present;
mod ready;
mod reference;
mod render;
mod run;
mod scale;
mod schedule;
pub mod slots;
pub mod table;
mod unknown;
mod until;
mod why;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

use indexmap::IndexMap;
use tidegate_runner::domain::command::{Command, CommandName};
use tidegate_runner::domain::environment::Environment;
use tidegate_runner::domain::ids::{ActorId, EnvironmentName, Timestamp};
use tidegate_runner::domain::refusal::{Refusal, is_slip};

pub use complete::{Completion, Runs, complete};
pub use present::Present;
pub use reference::markdown;
pub use render::render;
pub use table::{Example, Spec, TABLE, spec};

use crate::zone::Zone;
use context::Context;
use line::Line;

/// What the words of a command are read against.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The environments that can be changed.
    pub environments: &'a IndexMap<EnvironmentName, Environment>,
    /// Environments whose code does not check: what changes no code's work can be ordered in them all the same.
    pub aside: &'a [&'a Environment],
    /// Environments that can only be asked about: unmanaged ones, those in [`Self::aside`] among them, and those that only the ledger
    /// remembers.
    pub others: &'a [EnvironmentName],
    /// Who types: what `by me` means.
    pub me: &'a ActorId,
    /// Now, for `since 7d`.
    pub now: Timestamp,
    /// On whose clock: for `since 09:00`.
    pub zone: Zone,
}

/// Reads one message of a person.
///
/// A leading `/tide`, `@tidegate` or `tide` is optional. Everything after the word `because` is the reason, verbatim
/// but for white space at its ends.
///
/// # Errors
/// A refusal whose hints are whole commands that this function understands.
pub fn parse(text: &str, known: &Known<'_>) -> Result<Command, Refusal> {
    parse_at(text, known, &Present::default())
}

/// The command that a line begins with; none when its first word is no command.
#[must_use]
pub fn name_of(text: &str) -> Option<CommandName> {
    Line::read(text).word(0).and_then(table::find).map(|spec| spec.name)
}

/// The same line about this run, where it names none and could: what is said in a run's thread is about that run. `None`: it is about
/// what it says.
#[must_use]
pub fn about_run(text: &str, run: i64) -> Option<String> {
    let line = Line::read(text);
    let spec = line.word(0).and_then(table::find).filter(|spec| matches!(spec.object, table::Object::Run))?;
    // Words that stand behind the number, where there is one.
    if line.word(1).is_some_and(|word| !matches!(word, "force" | "unlock")) {
        return None;
    }
    let (verb, rest) = split_at_verb(text, spec.name)?;
    Some(format!("{verb} {run}{rest}"))
}

/// A line up to its command, and what stands behind that.
fn split_at_verb(text: &str, name: CommandName) -> Option<(&str, &str)> {
    let mut at = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        at += word.len();
        if name_of(text.get(..at)?) == Some(name) {
            return text.split_at_checked(at - (word.len() - word.trim_end().len()));
        }
    }
    None
}

/// True for a line whose answer is a code for one person alone, or that has one: as long as nobody has said it, others could. It is
/// read as [`parse`] reads it, whatever stands around its words.
#[must_use]
pub fn is_for_a_code(text: &str) -> bool {
    let line = Line::read(text);
    line.word(0).and_then(table::find).is_some_and(|spec| spec.name == CommandName::Link)
        && !line.word(1).is_some_and(|word| Context::is_keyword(word, "list"))
}

/// The words of a line as [`parse`] reads them.
#[must_use]
pub fn words(text: &str) -> String {
    Line::read(text).from(0).map(|(_, word)| word).collect::<Vec<_>>().join(" ")
}

/// What can be kept and repeated of a line: a code, also a mistyped one, is nobody else's to read.
#[must_use]
pub fn without_code(text: &str) -> String {
    match Line::read(text).len() {
        2.. if is_for_a_code(text) => "link CODE".to_owned(),
        _ => text.to_owned(),
    }
}

/// The environment that a line is about which makes no command: the one that its words name, if that is one.
#[must_use]
pub fn environment_of(text: &str, known: &Known<'_>) -> Option<EnvironmentName> {
    let line = Line::read(text);
    let mut named = line.from(1).filter_map(|(_, word)| {
        let lower = word.to_lowercase();
        let others = known.others.iter().find(|name| name.as_str() == lower);
        known.environments.get_key_value(lower.as_str()).map(|(name, _)| name).or(others)
    });
    let first = named.next()?;
    named.all(|name| name == first).then(|| first.clone())
}

/// Reads a moment as after `since`; none when the text is none.
#[must_use]
pub fn moment(text: &str, now: Timestamp, zone: Zone) -> Option<Timestamp> {
    moment::read(text, moment::End::First, now, zone)
}

/// A moment as [`moment`] understands it at any time and place.
#[must_use]
pub fn exactly(at: Timestamp) -> String {
    moment::render(at)
}

/// The day at `now`, as [`moment`] reads it.
#[must_use]
pub fn today(now: Timestamp, zone: Zone) -> String {
    zone.local(now).map_or_else(|| "today".to_owned(), |now| now.format("%Y-%m-%d").to_string())
}

/// As [`parse`], with hints that fit where things stand. What is understood is the same.
///
/// # Errors
/// As [`parse`].
pub fn parse_at(text: &str, known: &Known<'_>, present: &Present) -> Result<Command, Refusal> {
    if let Some(refusal) = several(text, known, present) {
        return Err(refusal);
    }
    let line = Line::read(text);
    read(&line, known, present).map_err(|refusal| match reason_meant(text, known, present) {
        Some(meant) => meant,
        None => ready::to_copy(refusal, &line, known, present),
    })
}

/// The refusal of a line that would be one if `because` were written rightly in it: what stands behind it are words of a reason then, and no
/// line that is offered may lose them.
fn reason_meant(text: &str, known: &Known<'_>, present: &Present) -> Option<Refusal> {
    if Line::read(text).because().is_some() {
        return None;
    }
    let mut before = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let (at, trimmed) = (before, word.trim_end());
        before += word.len();
        if at == 0 || !is_slip(trimmed, "because") {
            continue;
        }
        let meant = format!("{}because{}", text.get(..at)?, text.get(at + trimmed.len()..)?);
        if read(&Line::read(&meant), known, present).is_ok() {
            let why = "a reason begins with `because`, and goes on to the end of the line";
            return Some(
                Refusal::not_understood(format!("{} is not understood", context::quoted(trimmed)), why)
                    .hint(meant.trim()),
            );
        }
    }
    None
}

/// The refusal of several commands, each on a line of its own: otherwise all but the first would be words of its reason.
fn several(text: &str, known: &Known<'_>, present: &Present) -> Option<Refusal> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.iter().skip(1).find(|line| name_of(line).is_some())?;
    let refusal = Refusal::not_understood(
        "this message has several commands",
        "one command at a time: nothing of it was done. A reason that goes on is written on one line",
    );
    let alone = lines.iter().filter(|line| parse_at(line, known, present).is_ok());
    let refusal = alone.fold(refusal, |refusal, line| refusal.hint(*line));
    Some(if refusal.hints.is_empty() { refusal.hint("help") } else { refusal })
}

/// As [`parse_at`], with hints as they come.
fn read(line: &Line, known: &Known<'_>, present: &Present) -> Result<Command, Refusal> {
    let Some(word) = line.word(0) else {
        return Err(Refusal::not_understood("there is no command", "the message is empty").hint("help"));
    };
    let Some(spec) = table::find(word) else { return Err(unknown::refuse(line, known)) };
    let context = Context { line, known, present, spec };
    context.check_reason()?;
    if let Some(many) = group::read(&context) {
        return many;
    }
    (spec.read)(&context)
}
