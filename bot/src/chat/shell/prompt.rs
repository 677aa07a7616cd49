//! The prompt: lines as people type them, read in a thread of its own, and the board above them.

use std::path::Path;
use std::sync::{Arc, RwLock};

use tidegate_runner::config::Config;
use tokio::sync::mpsc;

use super::board::Board;
use super::completion::Vocabulary;
use super::line::Line;
use super::render::Style;

/// What people did at the prompt.
#[derive(Debug)]
pub(super) enum Typed {
    /// Typed a line.
    Line(String),
    /// Pressed Ctrl-C: the line is dropped.
    Interrupted {
        /// There was nothing to drop.
        empty: bool,
    },
    /// Pressed Ctrl-D on an empty line, or the input ended.
    End,
    /// The terminal cannot be read.
    Broken(std::io::Error),
}

/// The prompt: lines as they are typed, and the board above them.
pub(super) struct Prompt {
    asking: bool,
    ask: std::sync::mpsc::Sender<()>,
    typed: mpsc::UnboundedReceiver<Typed>,
    board: Arc<Board>,
    vocabulary: Arc<RwLock<Vocabulary>>,
}

impl Prompt {
    /// Opens the editor for a person, in a thread of its own: reading a line blocks. A history file that cannot be read is begun
    /// anew; `clean` takes secrets out of what is kept in it.
    ///
    /// # Errors
    /// When the terminal cannot be used.
    pub(super) fn open(
        name: &str,
        history: &Path,
        config: &Config,
        style: Style,
        clean: impl Fn(&str) -> String + Send + 'static,
    ) -> std::io::Result<Self> {
        let vocabulary = Arc::new(RwLock::new(Vocabulary::of(config)));
        let mut line = Line::open(name, history, Arc::clone(&vocabulary), style, Box::new(clean))?;
        let board = line.board();
        let (ask, asked) = std::sync::mpsc::channel();
        let (tell, typed) = mpsc::unbounded_channel();
        let read = move || {
            while asked.recv().is_ok() {
                if tell.send(line.read()).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("prompt".to_owned()).spawn(read)?;
        Ok(Self { asking: false, ask, typed, board, vocabulary })
    }

    /// Waits for a line. Cancellation safe: the line goes on being edited.
    pub(super) async fn next(&mut self) -> Typed {
        if !self.asking {
            self.asking = self.ask.send(()).is_ok();
        }
        let typed = self.typed.recv().await.unwrap_or(Typed::End);
        self.asking = false;
        typed
    }

    /// What stands above the line.
    pub(super) fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }

    /// The words that completion offers, to be replaced when configuration or runs change.
    pub(super) fn vocabulary(&self) -> Arc<RwLock<Vocabulary>> {
        Arc::clone(&self.vocabulary)
    }
}
