//! Several files as one tree: each environment is found where it stands, with the files' own lines; what keeps one from being used
//! concerns it alone.

use std::borrow::Cow;

use indexmap::IndexMap;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::document::{Node, told};
use super::like;
use super::placeholder;
use super::problem::{Problem, quoted};
use super::source::Source;
use super::template::{self, Definitions};

/// The key of the environments.
pub(super) const ENVIRONMENTS: &str = "environments";

/// What is wrong with an environment, or with a file of which no environment's name can be read, by its name.
pub(super) type Flaws = IndexMap<String, Flaw>;

/// What is wrong beside what the values say.
#[derive(Debug, Clone, Default)]
pub(super) struct Flaw {
    pub(super) problems: Vec<Problem>,
    /// What stands there cannot be relied on: nothing else is told of it.
    pub(super) unreadable: bool,
}

/// Puts the environments of all files into the table of the first, each with what it is like and with its name.
pub(super) fn bind<'i>(table: &mut DeTable<'i>, source: &'i Source, range: Option<&str>) -> (Flaws, Definitions) {
    let mut flaws = Flaws::default();
    for (name, _, span) in source.files().skip(1) {
        let start = span.start;
        let text = source.text().get(span).unwrap_or_default();
        let (part, errors) = DeTable::parse_recoverable(text);
        let mut problems = told(source, start, errors);
        let unreadable = !problems.is_empty();
        let mut own = DeTable::new();
        for (key, value) in part.into_inner() {
            let key = Spanned::new(moved(&key.span(), start), key.into_inner());
            match (key.get_ref().as_ref(), shifted(value, start)) {
                (ENVIRONMENTS, value) if value.get_ref().is_table() => {
                    if let DeValue::Table(environments) = value.into_inner() {
                        own.extend(environments);
                    }
                }
                (other, value) if !unreadable => {
                    let message = match other {
                        ENVIRONMENTS => "`environments` is a table".to_owned(),
                        other => format!("{} cannot stand in an included file", quoted(other)),
                    };
                    let hint = "an included file holds `[environments.NAME]` tables; all else is written in the file that includes it";
                    let span = if other == ENVIRONMENTS { value.span() } else { key.span() };
                    problems.push(Problem::at(source, span, message).with_hint(Some(hint.to_owned())));
                }
                _ => {}
            }
        }
        if unreadable {
            for (name, span) in headers(text, start) {
                if !own.contains_key(name) {
                    own.insert(
                        Spanned::new(span.clone(), name.into()),
                        Spanned::new(span, DeValue::Table(DeTable::new())),
                    );
                }
            }
        }
        if !problems.is_empty() {
            let names: Vec<String> = own.keys().map(|key| key.get_ref().to_string()).collect();
            let concerned = if names.is_empty() { vec![name.to_owned()] } else { names };
            for concerned in concerned {
                let flaw = flaws.entry(concerned).or_default();
                flaw.problems.extend(problems.iter().cloned());
                flaw.unreadable |= unreadable;
            }
        }
        take_in(table, own, source, &mut flaws);
    }
    let definitions = template::bind(table, source, &flaws);
    if let Some(DeValue::Table(environments)) = table.get_mut(ENVIRONMENTS).map(Spanned::get_mut) {
        like::lay(environments, source, &mut flaws);
        placeholder::fill(environments, range, source, &mut flaws);
    }
    for (name, flaw) in &mut flaws {
        for problem in &mut flaw.problems {
            problem.environment = Some(name.clone());
        }
    }
    (flaws, definitions)
}

/// Adds environments of one file; one that is there already is told in both places.
fn take_in<'i>(table: &mut DeTable<'i>, own: DeTable<'i>, source: &Source, flaws: &mut Flaws) {
    if own.is_empty() {
        return;
    }
    if !table.contains_key(ENVIRONMENTS) {
        let span = own.keys().next().map_or(0..0, Spanned::span);
        table.insert(
            Spanned::new(span.clone(), ENVIRONMENTS.into()),
            Spanned::new(span, DeValue::Table(DeTable::new())),
        );
    }
    // A value that is no table is told as the first file's.
    let Some(DeValue::Table(environments)) = table.get_mut(ENVIRONMENTS).map(Spanned::get_mut) else { return };
    for (key, value) in own {
        let name = key.get_ref().to_string();
        let Some((first, _)) = environments.get_key_value(name.as_str()) else {
            environments.insert(key, value);
            continue;
        };
        let flaw = flaws.entry(name.clone()).or_default();
        let hint = || Some("rename or remove one of them".to_owned());
        for (here, there) in [(first.span(), key.span()), (key.span(), first.span())] {
            let message = format!("the environment {} stands in {} too", quoted(&name), place(source, there.start));
            flaw.problems.push(Problem::at(source, here, message).with_hint(hint()));
        }
    }
}

/// A file and line, for people.
pub(super) fn place(source: &Source, offset: usize) -> String {
    let line = source.line_of(offset);
    match source.name_at(offset) {
        Some(name) => format!("{}, line {line}", quoted(name)),
        None => format!("line {line} of {}", quoted(&source.path().file_name().unwrap_or_default().to_string_lossy())),
    }
}

/// Names of environments that have a header in a text that is not TOML, each with its place.
fn headers(text: &str, start: usize) -> Vec<(&str, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    let mut offset = start;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        let after = trimmed.trim_start_matches('[').trim_start();
        if trimmed.starts_with('[')
            && let Some(rest) = after.strip_prefix("environments.")
        {
            let name = match rest.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    rest.get(1..).and_then(|rest| rest.split_once(quote)).map(|(name, _)| name)
                }
                _ => rest.split(['.', ']', ' ', '\n', '\r']).next(),
            };
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                found.push((name, offset + indent..offset + line.trim_end().len().max(indent)));
            }
        }
        offset += line.len();
    }
    found
}

fn moved(span: &std::ops::Range<usize>, by: usize) -> std::ops::Range<usize> {
    span.start + by..span.end + by
}

/// The same value, its places counted from the beginning of all files.
fn shifted(node: Node<'_>, by: usize) -> Node<'_> {
    let span = moved(&node.span(), by);
    let value = match node.into_inner() {
        DeValue::Table(table) => DeValue::Table(
            table
                .into_iter()
                .map(|(key, value)| (Spanned::new(moved(&key.span(), by), key.into_inner()), shifted(value, by)))
                .collect(),
        ),
        DeValue::Array(items) => {
            let mut kept = DeArray::new();
            for item in items {
                kept.push(shifted(item, by));
            }
            DeValue::Array(kept)
        }
        value => value,
    };
    Spanned::new(span, value)
}

/// The text of a value that is one.
pub(super) fn text<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    node.get_ref().as_str()
}

/// A key of a table.
pub(super) type Key<'i> = Spanned<Cow<'i, str>>;
