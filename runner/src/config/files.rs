//! Which files a configuration consists of: the one that was named, and those that its `include` names.

use std::collections::BTreeSet;
use std::path::{Path as FilePath, PathBuf};

use super::document::{Document, Path};
use super::findings::Findings;
use super::problem::{Problem, Problems, quoted};
use super::source::{FILE_MARK, Source};
use crate::domain::protect::names;

/// The texts of all files.
#[derive(Debug)]
pub(super) struct Gathered {
    /// Bound to one.
    pub(super) source: Source,
    /// Files that cannot be read, by their names.
    pub(super) unread: Vec<(String, Problem)>,
    /// What to warn of.
    pub(super) about: Vec<Problem>,
}

impl Gathered {
    /// Of a text in which all files stand already.
    pub(super) fn of(source: Source) -> Self {
        Self { source: source.bound(), unread: Vec::new(), about: Vec::new() }
    }
}

/// Reads what `main` includes.
///
/// # Errors
/// A line of `main` could be taken for the beginning of another file.
pub(super) fn gather(main: &Source) -> Result<Gathered, Problems> {
    if let Some(problem) = marked(main) {
        return Err(problem.into());
    }
    let folder = main.path().parent().unwrap_or(FilePath::new("")).to_owned();
    let mut text = main.text().to_owned();
    let (mut unread, mut about) = (Vec::new(), Vec::new());
    let mut seen: BTreeSet<PathBuf> = main.path().canonicalize().into_iter().collect();
    for (pattern, span) in patterns(main) {
        let found = expand(&folder, &pattern);
        if found.is_empty() {
            let message = format!("no file is called {}", quoted(&pattern));
            let hint = "patterns start at this file's folder; `*` stands for any characters within a name".to_owned();
            about.push(Problem::at(main, span, message).with_hint(Some(hint)).as_warning());
        }
        for name in found {
            let path = folder.join(&name);
            if path.canonicalize().is_ok_and(|path| !seen.insert(path)) {
                continue;
            }
            let read = Source::read(&path).map_err(|problems| problems.into_vec().into_iter().next());
            match read.and_then(|source| marked(&source).map_or(Ok(source), |problem| Err(Some(problem)))) {
                Ok(source) => {
                    if !text.ends_with('\n') && !text.is_empty() {
                        text.push('\n');
                    }
                    text.push_str(FILE_MARK);
                    text.push_str(&name);
                    text.push('\n');
                    text.push_str(source.text());
                }
                Err(problem) => {
                    let problem = problem.unwrap_or_else(|| Problem::of_file(&path, "the file cannot be read"));
                    unread.push((name.clone(), problem.in_environment(&name)));
                }
            }
        }
    }
    Ok(Gathered { source: Source::new(main.path(), &text).bound(), unread, about })
}

/// The files that a configuration consists of now, whether or not they can be read: the first is the one that names the others.
#[must_use]
pub fn files_of(file: &FilePath) -> Vec<PathBuf> {
    let mut all = vec![file.to_owned()];
    let Ok(main) = Source::read(file) else { return all };
    let folder = file.parent().unwrap_or(FilePath::new(""));
    for (pattern, _) in patterns(&main) {
        all.extend(expand(folder, &pattern).into_iter().map(|name| folder.join(name)));
    }
    all
}

/// Tells what is wrong with patterns beside that they name no file.
pub(super) fn check(include: &[String], findings: &mut Findings<'_, '_>) {
    for (index, pattern) in include.iter().enumerate() {
        let at = Path::ROOT.key("include");
        if pattern.trim().is_empty() || pattern.chars().any(char::is_control) {
            let hint = "write a path from this file's folder: `teams/*.toml`".to_owned();
            findings.at_value(&at.index(index), "this names no file", Some(hint));
        } else if pattern.contains("**") {
            let hint = format!("write a pattern for each level: {}", quoted(&pattern.replace("**", "*")));
            findings.at_value(&at.index(index), "`**` is not known here", Some(hint));
        }
    }
}

/// The patterns of `include`, each with its place; what is no text is told elsewhere.
fn patterns(main: &Source) -> Vec<(String, std::ops::Range<usize>)> {
    // Most files include none, and this is asked often.
    if !main.text().contains("include") {
        return Vec::new();
    }
    let document = Document::recover(main);
    let include = document.table().get("include").and_then(|node| node.get_ref().as_array());
    let patterns = include.into_iter().flatten();
    patterns.filter_map(|node| Some((node.get_ref().as_str()?.to_owned(), node.span()))).collect()
}

/// A line that would be taken for the beginning of another file.
fn marked(source: &Source) -> Option<Problem> {
    let at = source.text().match_indices(FILE_MARK).map(|(at, _)| at);
    let at = at.into_iter().find(|at| *at == 0 || source.text().as_bytes().get(at - 1) == Some(&b'\n'))?;
    let message = "a line cannot begin like this: so Tidegate parts files from each other";
    Some(Problem::at(source, at..at + FILE_MARK.len(), message).with_hint(Some("remove it".to_owned())))
}

/// The files of a pattern, by their names from `folder`, in order. A name without `*` is given whether or not it is there.
fn expand(folder: &FilePath, pattern: &str) -> Vec<String> {
    if pattern.trim().is_empty() || pattern.contains("**") || pattern.chars().any(char::is_control) {
        return Vec::new();
    }
    let mut found = vec![String::new()];
    for part in pattern.split('/') {
        let joined =
            |before: &str, part: &str| if before.is_empty() { part.to_owned() } else { format!("{before}/{part}") };
        if !part.contains('*') {
            // The first of `/etc/tide` is empty.
            found =
                found
                    .iter()
                    .map(|before| {
                        if part.is_empty() { format!("{before}/") } else { joined(before.trim_end_matches('/'), part) }
                    })
                    .collect();
            if pattern.starts_with('/') {
                found.iter_mut().filter(|name| !name.starts_with('/')).for_each(|name| name.insert(0, '/'));
            }
            continue;
        }
        let mut next = Vec::new();
        for before in &found {
            let entries = std::fs::read_dir(folder.join(before)).into_iter().flatten().flatten();
            let mut all: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
            // Editors keep unfinished copies under names that begin with a dot.
            all.retain(|name| {
                names(part, name)
                    && (part.starts_with('.') || !name.starts_with('.'))
                    && !name.chars().any(char::is_control)
            });
            all.sort();
            next.extend(all.iter().map(|name| joined(before.trim_end_matches('/'), name)));
        }
        found = next;
    }
    if pattern.contains('*') {
        found.retain(|name| folder.join(name).is_file());
    }
    found
}
