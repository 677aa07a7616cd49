//! Where problems are gathered while a document is read, so that one reading tells all of them.

use std::ops::Range;

use super::document::{Document, Path};
use super::problem::Problem;
use crate::domain::access::Written;

/// The problems found in one document so far.
pub(super) struct Findings<'d, 'i> {
    document: &'d Document<'i>,
    problems: Vec<Problem>,
}

impl<'d, 'i> Findings<'d, 'i> {
    pub(super) fn new(document: &'d Document<'i>) -> Self {
        Self { document, problems: Vec::new() }
    }

    /// Tells a problem with the key at `path`.
    pub(super) fn at_key(&mut self, path: &Path<'_>, message: impl Into<String>, hint: Option<String>) {
        let problem = self.problem(path, self.document.key_span(path), message.into(), hint);
        self.problems.push(problem);
    }

    /// Tells a problem with the value at `path`.
    pub(super) fn at_value(&mut self, path: &Path<'_>, message: impl Into<String>, hint: Option<String>) {
        let problem = self.problem(path, self.document.value_span(path), message.into(), hint);
        self.problems.push(problem);
    }

    /// Warns about the key at `path`.
    pub(super) fn warn_at_key(&mut self, path: &Path<'_>, message: impl Into<String>, hint: Option<String>) {
        let problem = self.problem(path, self.document.key_span(path), message.into(), hint);
        self.problems.push(problem.as_warning());
    }

    /// Warns about the value at `path`.
    pub(super) fn warn_at_value(&mut self, path: &Path<'_>, message: impl Into<String>, hint: Option<String>) {
        let problem = self.problem(path, self.document.value_span(path), message.into(), hint);
        self.problems.push(problem.as_warning());
    }

    /// Takes over problems that were found elsewhere.
    pub(super) fn extend(&mut self, problems: impl IntoIterator<Item = Problem>) {
        self.problems.extend(problems);
    }

    fn problem(&self, path: &Path<'_>, span: Range<usize>, message: String, hint: Option<String>) -> Problem {
        let mut problem = Problem::at(self.document.source(), span, message).with_hint(hint);
        problem.key_path = path.to_string();
        problem.environment = path.environment().map(str::to_owned);
        problem
    }

    /// Where what is at `path` is written.
    pub(super) fn written(&self, path: &Path<'_>) -> Written {
        let source = self.document.source();
        let start = self.document.key_span(path).start;
        let file = source.path().file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let file = source.name_at(start).map_or(file, str::to_owned);
        Written { file, line: source.line_of(start) }
    }

    /// How many errors were found so far.
    pub(super) fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.is_error()).count()
    }

    /// Problems found so far.
    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Drops later problems (from number `from` on) that only repeat that a part with an earlier problem is incomplete:
    /// whoever wrote `mim = 1` need not be told as well that `min` is missing.
    pub(super) fn drop_consequences(&mut self, from: usize) {
        let later = self.problems.split_off(from.min(self.problems.len()));
        let is_consequence = |problem: &Problem| {
            self.problems.iter().any(|first| {
                first.environment == problem.environment
                    && first
                        .key_path
                        .strip_prefix(&problem.key_path)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with('['))
            })
        };
        let kept: Vec<Problem> = later.into_iter().filter(|problem| !is_consequence(problem)).collect();
        self.problems.extend(kept);
    }
}
