//! A TOML file as a tree in which every key and value knows its place, and paths through it.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::book::{self, Flaws};
use super::problem::Problem;
use super::source::Source;
use super::template::Definitions;

/// A value with its place.
pub(super) type Node<'i> = Spanned<DeValue<'i>>;

/// A parsed TOML file, or several bound to one: environments with what they are like laid under them, and their names put in.
#[derive(Debug)]
pub(super) struct Document<'i> {
    source: &'i Source,
    table: Spanned<DeTable<'i>>,
    flaws: Flaws,
    definitions: Definitions,
}

impl<'i> Document<'i> {
    /// Parses the text of `source`.
    ///
    /// # Errors
    /// Every place at which its first file is not TOML.
    pub(super) fn parse(source: &'i Source) -> Result<Self, Vec<Problem>> {
        Self::parse_with(source, None)
    }

    /// [`Document::parse`], with the range that environments in it have.
    ///
    /// # Errors
    /// As that.
    pub(super) fn parse_with(source: &'i Source, range: Option<&str>) -> Result<Self, Vec<Problem>> {
        let (table, errors) = DeTable::parse_recoverable(first_text(source));
        if !errors.is_empty() {
            return Err(told(source, 0, errors));
        }
        let mut table = table;
        let (flaws, definitions) = book::bind(table.get_mut(), source, range);
        Ok(Self { source, table, flaws, definitions })
    }

    /// What of the text of the first file of `source` can be understood, whatever is not TOML in it.
    pub(super) fn recover(source: &'i Source) -> Self {
        let table = DeTable::parse_recoverable(first_text(source)).0;
        Self { source, table, flaws: Flaws::default(), definitions: Definitions::default() }
    }

    /// What is wrong with environments, or with files that name none, beside what their values say.
    pub(super) fn flaws(&self) -> &Flaws {
        &self.flaws
    }

    /// What the templates define, by their names.
    pub(super) fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    pub(super) fn source(&self) -> &'i Source {
        self.source
    }

    pub(super) fn table(&self) -> &DeTable<'i> {
        self.table.get_ref()
    }

    /// The value at a path.
    pub(super) fn value(&self, path: &Path<'_>) -> Option<&Node<'i>> {
        self.entry(path).map(|(_, value)| value)
    }

    /// The place of the key at a path; of the value where it has no key (in an array).
    pub(super) fn key_span(&self, path: &Path<'_>) -> Range<usize> {
        self.nearest_entry(path).map_or(0..0, |(key, value)| key.unwrap_or_else(|| value.span()))
    }

    /// The place of the value at a path. A table written with a header has its header's place.
    pub(super) fn value_span(&self, path: &Path<'_>) -> Range<usize> {
        self.nearest_entry(path).map_or(0..0, |(_, value)| value.span())
    }

    /// True when something is written at a path.
    pub(super) fn has(&self, path: &Path<'_>) -> bool {
        self.entry(path).is_some()
    }

    /// The entry at a path, or of the nearest ancestor that exists.
    fn nearest_entry(&self, path: &Path<'_>) -> Option<(Option<Range<usize>>, &Node<'i>)> {
        self.entry(path).or_else(|| path.parent.and_then(|parent| self.nearest_entry(parent)))
    }

    fn entry(&self, path: &Path<'_>) -> Option<(Option<Range<usize>>, &Node<'i>)> {
        let parent = path.parent?;
        match path.segment {
            Segment::Root => None,
            Segment::Key(name) => {
                let table = match parent.segment {
                    Segment::Root => self.table.get_ref(),
                    Segment::Key(_) | Segment::Index(_) => self.value(parent)?.get_ref().as_table()?,
                };
                table.get_key_value(name).map(|(key, value)| (Some(key.span()), value))
            }
            Segment::Index(index) => {
                let array = self.value(parent)?.get_ref().as_array()?;
                array.get(index).map(|value| (None, value))
            }
        }
    }
}

fn first_text(source: &Source) -> &str {
    source.files().next().and_then(|(_, _, span)| source.text().get(span)).unwrap_or_default()
}

/// Where the text that begins at `start` is not TOML. One slip makes several complaints about its line; the first is the one that helps.
pub(super) fn told(source: &Source, start: usize, errors: Vec<toml::de::Error>) -> Vec<Problem> {
    let mut last_line = 0;
    let mut problems = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let problem =
            Problem::at(source, span.start + start..span.end + start, format!("not TOML: {}", error.message()));
        if problem.line != last_line {
            last_line = problem.line;
            problems.push(problem);
        }
    }
    problems
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Segment<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

/// A path through a document. Made of references, so that walking a large file allocates nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    segment: Segment<'a>,
}

impl<'a> Path<'a> {
    pub(super) const ROOT: Path<'static> = Path { parent: None, segment: Segment::Root };

    pub(super) fn key<'b>(&'b self, name: &'b str) -> Path<'b>
    where
        'a: 'b,
    {
        Path { parent: Some(self), segment: Segment::Key(name) }
    }

    pub(super) fn index<'b>(&'b self, index: usize) -> Path<'b>
    where
        'a: 'b,
    {
        Path { parent: Some(self), segment: Segment::Index(index) }
    }

    /// The environment that this path leads into.
    pub(super) fn environment(&self) -> Option<&str> {
        let parent = self.parent?;
        match (self.segment, parent.segment, parent.parent.map(|p| p.segment)) {
            (Segment::Key(name), Segment::Key("environments"), Some(Segment::Root)) => Some(name),
            _ => parent.environment(),
        }
    }
}

/// As TOML writes dotted keys, with indices from 0 in brackets: `environments.shop.stacks[2].needs`.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else { return Ok(()) };
        parent.fmt(f)?;
        match self.segment {
            Segment::Root => Ok(()),
            Segment::Index(index) => write!(f, "[{index}]"),
            Segment::Key(name) => {
                if parent.parent.is_some() {
                    f.write_str(".")?;
                }
                let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                if !name.is_empty() && name.chars().all(bare) { f.write_str(name) } else { write!(f, "{name:?}") }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_finds_keys_and_values_and_falls_back_to_what_exists() {
        let source = Source::new(
            "t",
            "[environments.\"日本\"]\nup = \"full\"\n[[environments.\"日本\".stacks]]\nneeds = ['a', 'b']",
        );
        let document = Document::parse(&source).expect("valid");
        let text = |span: Range<usize>| source.text().get(span).unwrap_or_default().to_owned();
        let environments = Path::ROOT.key("environments");
        let environment = environments.key("日本");
        assert_eq!(text(document.key_span(&environment)), "\"日本\"");
        assert_eq!(text(document.value_span(&environment.key("up"))), "\"full\"");
        assert_eq!(text(document.key_span(&environment.key("stacks").index(0).key("needs").index(1))), "'b'");
        assert_eq!(text(document.key_span(&environment.key("down"))), "\"日本\"");
        assert_eq!(environment.key("stacks").index(0).to_string(), "environments.\"日本\".stacks[0]");
        assert_eq!(environment.key("stacks").index(0).environment(), Some("日本"));
        assert_eq!(environments.environment(), None);
    }

    #[test]
    fn every_broken_line_is_told_once() {
        let source = Source::new("t", "a = = 1\nb = 1\nc = \"x\nd = 2\nb = 3\n");
        let lines: Vec<u32> = Document::parse(&source).expect_err("broken").iter().map(|p| p.line).collect();
        assert_eq!(lines, [1, 3, 5]);
    }
}
