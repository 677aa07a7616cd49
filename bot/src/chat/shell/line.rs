//! The line that people edit: their name before it, history in a file, and the board painted above it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, RwLock};

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{ColorMode, CompletionType, Config, Editor, ExternalPrinter};

use super::board::Board;
use super::completion::{Vocabulary, Words};
use super::prompt::Typed;
use super::render::{Style, clean};

/// Most lines that the history file keeps.
const HISTORY_MAX: usize = 1_000;

/// Printed to make the editor paint again: up and down, which moves nothing. It must end with a line break, or the editor adds one.
const NUDGE: &str = "\u{1b}[A\n";

/// An editor on standard input and output.
pub(super) struct Line {
    editor: Editor<Words, FileHistory>,
    text: (String, String),
    history: PathBuf,
    board: Arc<Board>,
    clean: Clean,
}

/// Takes secrets out of what is kept of a line.
pub(super) type Clean = Box<dyn Fn(&str) -> String + Send>;

impl Line {
    /// Opens the editor for a person. A history file that cannot be read is begun anew.
    ///
    /// # Errors
    /// When the terminal cannot be used.
    pub(super) fn open(
        name: &str,
        history: &Path,
        vocabulary: Arc<RwLock<Vocabulary>>,
        style: Style,
        clean: Clean,
    ) -> std::io::Result<Self> {
        let editing = Config::builder()
            .max_history_size(HISTORY_MAX)
            .map_err(io)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            // The editor paints the board by way of its colours; which colours there are is ours to say.
            .color_mode(ColorMode::Forced)
            .build();
        let mut editor = Editor::with_config(editing).map_err(io)?;
        // A terminal that cannot print above the line still can be typed in.
        let printer = editor.create_external_printer().ok();
        let (nudge, nudged) = sync_channel(1);
        let nudge = printer.is_some().then_some(nudge);
        let term = console::Term::stdout();
        let size = move || super::screen::Output::size(&term);
        let board = Arc::new(Board::new(style, Box::new(size), Box::new(std::io::stdout()), nudge));
        if let Some(printer) = printer {
            nudge_by(printer, nudged, Arc::clone(&board))?;
        }
        let words = Words { vocabulary, color: style.color, board: Arc::clone(&board) };
        editor.set_helper(Some(words));
        if let Err(error) = editor.load_history(history) {
            tracing::debug!(%error, "no history of typed lines yet");
        }
        let raw = prompt_for(name);
        let styled = if style.color { format!("\u{1b}[1;36m{raw}\u{1b}[0m") } else { raw.clone() };
        Ok(Self { editor, text: (raw, styled), history: history.to_owned(), board, clean })
    }

    /// What stands above the line.
    pub(super) fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }

    /// Waits for a line. Blocks the thread.
    pub(super) fn read(&mut self) -> Typed {
        self.board.begin_line();
        let read = self.editor.readline(&self.text);
        let dropped = self.board.end_line(&self.text.0);
        match read {
            Ok(line) => {
                self.remember(&line);
                Typed::Line(line)
            }
            Err(ReadlineError::Interrupted) => Typed::Interrupted { empty: dropped.is_empty() },
            Err(ReadlineError::Eof) => Typed::End,
            Err(error) => Typed::Broken(io(error)),
        }
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

/// Nudges the editor, from a thread of its own: it waits while the editor is busy with a list or a search.
fn nudge_by<P>(mut printer: P, nudged: Receiver<()>, board: Arc<Board>) -> std::io::Result<()>
where
    P: ExternalPrinter + Send + 'static,
{
    let nudge = move || {
        for () in nudged {
            if board.is_editing()
                && let Err(error) = printer.print(NUDGE.to_owned())
            {
                tracing::debug!(%error, "the terminal is gone");
                return;
            }
        }
    };
    std::thread::Builder::new().name("nudge".to_owned()).spawn(nudge)?;
    Ok(())
}

/// The prompt for a person: `ito@tidegate> `.
fn prompt_for(name: &str) -> String {
    let plain: String = clean(name).chars().filter(|c| !c.is_whitespace()).take(32).collect();
    format!("{}@tidegate> ", if plain.is_empty() { "you" } else { &plain })
}

fn io(error: ReadlineError) -> std::io::Error {
    match error {
        ReadlineError::Io(error) => error,
        other => std::io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_named_after_the_person() {
        assert_eq!(prompt_for("ito"), "ito@tidegate> ");
        assert_eq!(prompt_for("伊藤 \u{1b}[31m"), "伊藤@tidegate> ");
        assert_eq!(prompt_for(" \n"), "you@tidegate> ");
    }
}
