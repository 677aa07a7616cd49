//! One thing that is wrong in a file that people write, and where: with line, column, excerpt and advice. Every reader of such
//! files reports with it.

mod excerpt;
pub mod source;

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

pub use excerpt::render;
use source::Source;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The environment (or the whole file) cannot be used.
    Error,
    /// It works, but probably not as somebody wants.
    Warning,
}

/// One thing that is wrong, with its place and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The environment that it concerns; `None` when it concerns the whole file.
    pub environment: Option<String>,
    /// The file in which it must be put right.
    pub file: PathBuf,
    /// Line from 1; 0 when it is about the file as a whole.
    pub line: u32,
    /// Column from 1, in characters; 0 when it is about the file as a whole.
    pub column: u32,
    /// The key in TOML's notation, `environments.shop.stacks[2].needs`; empty where there is none.
    #[serde(rename = "key")]
    pub key_path: String,
    /// What is wrong and why.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// The line of the file, for people.
    #[serde(skip)]
    pub excerpt: Option<Excerpt>,
}

/// A piece of one line of a file with a marked part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, cut to a readable length around the marked part; control characters are replaced.
    pub line: String,
    /// Characters before the marked part.
    pub before: usize,
    /// Characters in the marked part, at least 1.
    pub marked: usize,
}

impl Problem {
    /// An error about a file as a whole.
    #[must_use]
    pub fn of_file(file: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            environment: None,
            file: file.into(),
            line: 0,
            column: 0,
            key_path: String::new(),
            message: message.into(),
            hint: None,
            excerpt: None,
        }
    }

    /// An error about the bytes `span` of `source`.
    #[must_use]
    pub fn at(source: &Source, span: std::ops::Range<usize>, message: impl Into<String>) -> Self {
        let file = source.path_at(span.start);
        let place = source.place(span);
        Self { line: place.line, column: place.column, excerpt: Some(place.excerpt), ..Self::of_file(file, message) }
    }

    /// `tidegate.toml:12:3: message`, so that an editor finds it.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        let Self { file, line, column, message, .. } = self;
        format!("{}:{line}:{column}: {message}", file.display())
    }

    /// The same with an advice.
    #[must_use]
    pub fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// The same as a warning.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// The same, known to concern one environment.
    #[must_use]
    pub fn in_environment(mut self, name: &str) -> Self {
        self.environment = Some(name.to_owned());
        self
    }

    /// True unless it is a warning.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// All that is wrong, in the order of file and line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Sorts problems by file and place; those that say the same about the same place are kept once.
    #[must_use]
    pub fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| {
            (&a.file, a.line, a.column, a.severity, &a.message)
                .cmp(&(&b.file, b.line, b.column, b.severity, &b.message))
        });
        problems.dedup();
        Self(problems)
    }

    /// The problems as a list.
    #[must_use]
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }

    /// The problems themselves.
    #[must_use]
    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// As a compiler shows errors, without colour.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render(&self.0, false))
    }
}

impl std::error::Error for Problems {}

/// `text` in backticks, shortened and without control characters, so that no input can disturb a report.
#[must_use]
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown: String = text.chars().take(LONGEST).map(harmless).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// The character, or a replacement for one that would move the cursor or hide text.
fn harmless(c: char) -> char {
    let reorders = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if (c.is_control() && c != '\t') || reorders { '\u{fffd}' } else { c }
}
