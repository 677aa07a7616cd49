//! What a check found.

use std::fmt::Write as _;

use serde::Serialize;

use super::super::problem::{Problem, Problems};
use super::super::render;

/// The result of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What is wrong, by file and line.
    pub problems: Vec<Problem>,
    /// How much was looked at.
    pub checked: Checked,
}

/// How much a check looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Environments, those that could not be loaded included.
    pub environments: usize,
    /// Stacks whose Terraform root was read.
    pub stacks: usize,
    /// Stacks whose root was not read, because of an error or because their code would have to be fetched first:
    /// `shop/app`.
    pub not_read: Vec<String>,
}

impl Report {
    /// The report about a configuration that could not be loaded at all.
    #[must_use]
    pub fn of(problems: impl Into<Vec<Problem>>) -> Self {
        Self { problems: problems.into(), checked: Checked::default() }.finish()
    }

    /// The same with further problems.
    #[must_use]
    pub fn and(mut self, problems: Vec<Problem>) -> Self {
        self.problems.extend(problems);
        self.finish()
    }

    /// Puts the problems in order, each once.
    pub(super) fn finish(mut self) -> Self {
        self.problems = Problems::new(std::mem::take(&mut self.problems)).into_vec();
        self
    }

    /// True when something is wrong that keeps an environment, or all of them, from being used.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }

    /// The errors of one environment, which make it unmanaged.
    pub fn errors_of<'r>(&'r self, environment: &'r str) -> impl Iterator<Item = &'r Problem> {
        let concerns = move |problem: &&Problem| problem.environment.as_deref() == Some(environment);
        self.problems.iter().filter(|problem| problem.is_error()).filter(concerns)
    }

    /// The report for people: each problem with its place, then one line that sums up.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        // A root that many environments share has one mistake to put right, not many.
        let mut shown: Vec<Problem> = self.problems.clone();
        shown.dedup_by(|a, b| {
            (&a.file, a.line, a.column, &a.message, &a.hint) == (&b.file, b.line, b.column, &b.message, &b.hint)
        });
        let mut text = render(&shown, colour);
        if !text.is_empty() {
            text.push('\n');
        }
        let errors = shown.iter().filter(|problem| problem.is_error()).count();
        let found = match (errors, shown.len() - errors) {
            (0, 0) => "nothing wrong".to_owned(),
            (0, warnings) => counted(warnings, "warning"),
            (errors, 0) => counted(errors, "error"),
            (errors, warnings) => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
        };
        let Checked { environments, stacks, not_read } = &self.checked;
        let (environments, stacks) = (counted(*environments, "environment"), counted(*stacks, "stack"));
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{environments} and {stacks} checked: {found}");
        if !not_read.is_empty() {
            let _ = writeln!(text, "not read: {}", not_read.join(", "));
        }
        text
    }

    /// The report as JSON: `{"problems": [...], "checked": {...}}`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let mut json = serde_json::json!({ "checked": {
            "environments": self.checked.environments,
            "stacks": self.checked.stacks,
            "not_read": self.checked.not_read,
        } });
        // By hand, because a path that is not UTF-8 has no JSON form and must not lose the whole report.
        json["problems"] = self.problems.iter().map(problem_json).collect();
        json
    }
}

fn problem_json(problem: &Problem) -> serde_json::Value {
    let Problem { severity, environment, file, line, column, key_path, message, hint, excerpt: _ } = problem;
    serde_json::json!({
        "severity": severity,
        "environment": environment,
        "file": file.to_string_lossy(),
        "line": line,
        "column": column,
        "key": key_path,
        "message": message,
        "hint": hint,
    })
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
