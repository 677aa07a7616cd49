//! The line that people edit: a prompt with their name, history in a file, completion from the table of commands.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use chrono::FixedOffset;
use indexmap::IndexMap;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{ColorMode, CompletionType, Config, Context, Editor, ExternalPrinter, Helper};
use tidegate_runner::config::Config as TidegateConfig;
use tidegate_runner::domain::environment::Environment;
use tidegate_runner::domain::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};

use super::render::{Style, clean, render};
use crate::cards::Card;
use crate::commands::{Known, complete};

/// Most lines that the history file keeps.
const HISTORY_MAX: usize = 1_000;

/// Words that completion offers. The shell replaces them when configuration or runs change.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// Environments that can be changed.
    pub environments: IndexMap<EnvironmentName, Environment>,
    /// Environments that can only be asked about.
    pub others: Vec<EnvironmentName>,
    /// Numbers of runs worth offering, newest first.
    pub runs: Vec<RunNumber>,
}

impl Vocabulary {
    /// The words of a configuration.
    #[must_use]
    pub fn of(config: &TidegateConfig) -> Self {
        let others = config.unmanaged.keys().filter_map(|name| name.parse().ok()).collect();
        Self { environments: config.environments.clone(), others, runs: Vec::new() }
    }
}

/// What people did at the prompt.
#[derive(Debug)]
pub enum Typed {
    /// Typed a line.
    Line(String),
    /// Pressed Ctrl-C: the line is dropped.
    Interrupted,
    /// Pressed Ctrl-D on an empty line, or the input ended.
    End,
    /// The terminal cannot be read.
    Broken(std::io::Error),
}

/// The prompt for a person: `ito@tidegate> `.
fn prompt_for(name: &str) -> String {
    let plain: String = clean(name).chars().filter(|c| !c.is_whitespace()).take(32).collect();
    format!("{}@tidegate> ", if plain.is_empty() { "you" } else { &plain })
}

/// Prints cards above the line that is being edited; below the last output when none is.
pub struct Printer {
    printer: Mutex<Box<dyn ExternalPrinter + Send>>,
    style: Style,
}

impl Printer {
    /// Prints a card that stays.
    pub fn print(&self, card: &Card) {
        let Ok(mut printer) = self.printer.lock() else { return };
        if let Err(error) = printer.print(render(card, &self.style)) {
            tracing::debug!(%error, "the terminal is gone");
        }
    }
}

/// An editor on standard input and output.
pub struct Prompt {
    editor: Editor<Words, FileHistory>,
    text: (String, String),
    history: PathBuf,
    vocabulary: Arc<RwLock<Vocabulary>>,
    printer: Option<Arc<Printer>>,
    clean: Box<dyn Fn(&str) -> String + Send>,
}

impl Prompt {
    /// Opens the editor for a person. A history file that cannot be read is begun anew; `clean` takes secrets out of what is
    /// kept in it.
    ///
    /// # Errors
    /// When the terminal cannot be used.
    pub fn open(
        name: &str,
        history: &Path,
        config: &TidegateConfig,
        style: Style,
        clean: impl Fn(&str) -> String + Send + 'static,
    ) -> std::io::Result<Self> {
        let colors = if style.color { ColorMode::Enabled } else { ColorMode::Disabled };
        let editing = Config::builder()
            .max_history_size(HISTORY_MAX)
            .map_err(io)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .color_mode(colors)
            .build();
        let vocabulary = Arc::new(RwLock::new(Vocabulary::of(config)));
        let mut editor = Editor::with_config(editing).map_err(io)?;
        editor.set_helper(Some(Words { vocabulary: Arc::clone(&vocabulary), color: style.color }));
        if let Err(error) = editor.load_history(history) {
            tracing::debug!(%error, "no history of typed lines yet");
        }
        // A terminal that cannot print above the line still can be typed in.
        let printer = editor.create_external_printer().ok();
        let printer = printer.map(|printer| Arc::new(Printer { printer: Mutex::new(Box::new(printer)), style }));
        let raw = prompt_for(name);
        let styled = if style.color { format!("\u{1b}[1;36m{raw}\u{1b}[0m") } else { raw.clone() };
        Ok(Self {
            editor,
            text: (raw, styled),
            history: history.to_owned(),
            vocabulary,
            printer,
            clean: Box::new(clean),
        })
    }

    /// Waits for a line. Blocks the thread; call it from one of its own.
    pub fn read(&mut self) -> Typed {
        match self.editor.readline(&self.text) {
            Ok(line) => {
                self.remember(&line);
                Typed::Line(line)
            }
            Err(ReadlineError::Interrupted) => Typed::Interrupted,
            Err(ReadlineError::Eof) => Typed::End,
            Err(error) => Typed::Broken(io(error)),
        }
    }

    /// What prints above the line while it is being edited; `None` where the terminal cannot.
    #[must_use]
    pub fn printer(&self) -> Option<Arc<Printer>> {
        self.printer.clone()
    }

    /// The words that completion offers, to be replaced when configuration or runs change.
    #[must_use]
    pub fn vocabulary(&self) -> Arc<RwLock<Vocabulary>> {
        Arc::clone(&self.vocabulary)
    }

    fn remember(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        // Losing a line of history is no reason to lose the command.
        let stored = self
            .editor
            .add_history_entry((self.clean)(line))
            .and_then(|new| if new { self.editor.append_history(&self.history) } else { Ok(()) });
        if let Err(error) = stored {
            tracing::debug!(%error, "the history of typed lines could not be written");
        }
    }
}

fn io(error: ReadlineError) -> std::io::Error {
    match error {
        ReadlineError::Io(error) => error,
        other => std::io::Error::other(other),
    }
}

/// Completion and colours of the line.
#[derive(Debug)]
struct Words {
    vocabulary: Arc<RwLock<Vocabulary>>,
    color: bool,
}

/// What can stand at `at` (in bytes) of `line`: where the word begins, and what to put there.
fn candidates(vocabulary: &Vocabulary, line: &str, at: usize) -> (usize, Vec<String>) {
    let Some((before, _)) = line.split_at_checked(at) else { return (line.len(), Vec::new()) };
    // Completion names no person and no time, so that any will do.
    let me = ActorId::local("me");
    let known = Known {
        environments: &vocabulary.environments,
        others: &vocabulary.others,
        me: &me,
        now: Timestamp(0),
        offset: FixedOffset::east_opt(0).unwrap_or_else(|| chrono::Offset::fix(&chrono::Utc)),
    };
    let found = complete(before, &known, &vocabulary.runs);
    let spaced = |word: String| if word.ends_with('=') { word } else { word + " " };
    (found.start, found.candidates.into_iter().map(spaced).collect())
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let Ok(vocabulary) = self.vocabulary.read() else { return Ok((at, Vec::new())) };
        let (start, words) = candidates(&vocabulary, line, at);
        let pairs = words.into_iter().map(|word| Pair { display: word.trim_end().to_owned(), replacement: word });
        Ok((start, pairs.collect()))
    }
}

impl Highlighter for Words {
    fn highlight_candidate<'c>(&self, candidate: &'c str, _: CompletionType) -> Cow<'c, str> {
        if self.color { Cow::Owned(format!("\u{1b}[36m{candidate}\u{1b}[0m")) } else { Cow::Borrowed(candidate) }
    }
}

impl Hinter for Words {
    type Hint = String;
}

impl Validator for Words {}

impl Helper for Words {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::fixture;

    #[test]
    fn a_prompt_is_named_after_the_person() {
        assert_eq!(prompt_for("ito"), "ito@tidegate> ");
        assert_eq!(prompt_for("伊藤 \u{1b}[31m"), "伊藤@tidegate> ");
        assert_eq!(prompt_for(" \n"), "you@tidegate> ");
    }

    #[test]
    fn a_completed_word_is_followed_by_a_space_unless_a_value_comes_next() {
        let vocabulary = Vocabulary {
            environments: [fixture::environment("shop")].into_iter().map(|e| (e.name.clone(), e)).collect(),
            others: Vec::new(),
            runs: vec![RunNumber(812)],
        };
        assert_eq!(candidates(&vocabulary, "up sh", 5), (3, vec!["shop ".to_owned()]));
        assert_eq!(candidates(&vocabulary, "up shop sl", 10), (8, vec!["slaves=".to_owned()]));
        assert_eq!(candidates(&vocabulary, "retry ", 6), (6, vec!["812 ".to_owned()]));
        assert_eq!(candidates(&vocabulary, "日本", 1), (6, Vec::new()));
        assert_eq!(candidates(&vocabulary, "up", 99), (2, Vec::new()));
    }
}
