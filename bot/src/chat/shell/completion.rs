//! What the editor asks us for while a line is typed: words to complete it with, and what to paint before it.

use std::borrow::Cow;
use std::sync::{Arc, RwLock};

use indexmap::IndexMap;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Context, Helper};
use tidegate_runner::config::Config;
use tidegate_runner::domain::environment::Environment;
use tidegate_runner::domain::ids::{ActorId, EnvironmentName, Timestamp};

use super::board::Board;
use crate::commands::{Known, Runs, complete};
use crate::zone::Zone;

/// Words that completion offers. The shell replaces them when configuration or runs change.
#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary {
    /// Environments that can be changed.
    environments: IndexMap<EnvironmentName, Environment>,
    /// Environments that can only be asked about.
    others: Vec<EnvironmentName>,
    /// Runs worth offering.
    pub(super) runs: Runs,
}

impl Vocabulary {
    /// The words of a configuration.
    pub(super) fn of(config: &Config) -> Self {
        let others = config.unmanaged.keys().filter_map(|name| name.parse().ok()).collect();
        Self { environments: config.environments.clone(), others, runs: Runs::default() }
    }
}

/// Completion and colours of the line, and the board above it.
pub(super) struct Words {
    /// Words to complete with.
    pub(super) vocabulary: Arc<RwLock<Vocabulary>>,
    /// Colours may be used.
    pub(super) color: bool,
    /// What stands above the line.
    pub(super) board: Arc<Board>,
}

/// What can stand at `at` (in bytes) of `line`: where the word begins, and what to put there.
fn candidates(vocabulary: &Vocabulary, line: &str, at: usize) -> (usize, Vec<String>) {
    let Some((before, _)) = line.split_at_checked(at) else { return (line.len(), Vec::new()) };
    // Completion names no person and no time, so that any will do.
    let me = ActorId::local("me");
    let known = Known {
        environments: &vocabulary.environments,
        aside: &[],
        others: &vocabulary.others,
        me: &me,
        now: Timestamp(0),
        zone: Zone::UTC,
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
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        self.board.edit(line);
        Cow::Borrowed(line)
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        let cards = self.board.paint();
        if cards.is_empty() { Cow::Borrowed(prompt) } else { Cow::Owned(cards + prompt) }
    }

    /// Always true: only then the editor paints once more when a line is accepted.
    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        if kind == CmdKind::ForcedRefresh {
            self.board.close_line();
        }
        true
    }

    fn highlight_candidate<'c>(&self, candidate: &'c str, _: CompletionType) -> Cow<'c, str> {
        // The list stands below the line; the line goes on below the list, and the cards above that.
        self.board.forget_drawn();
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
    use tidegate_runner::domain::ids::RunNumber;

    #[test]
    fn a_completed_word_is_followed_by_a_space_unless_a_value_comes_next() {
        let vocabulary = Vocabulary {
            environments: [fixture::environment("shop")].into_iter().map(|e| (e.name.clone(), e)).collect(),
            others: Vec::new(),
            runs: Runs { open: Vec::new(), all: vec![RunNumber(812)] },
        };
        assert_eq!(candidates(&vocabulary, "up sh", 5), (3, vec!["shop ".to_owned()]));
        assert_eq!(candidates(&vocabulary, "up shop sl", 10), (8, vec!["slaves=".to_owned()]));
        assert_eq!(candidates(&vocabulary, "retry ", 6), (6, vec!["812 ".to_owned()]));
        assert_eq!(candidates(&vocabulary, "日本", 1), (6, Vec::new()));
        assert_eq!(candidates(&vocabulary, "up", 99), (2, Vec::new()));
    }
}
