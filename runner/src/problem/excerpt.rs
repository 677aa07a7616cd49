//! Problems as a compiler shows them: message, place, the line with a caret, advice.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

use super::{Excerpt, Problem, Severity};

/// Columns that a tab takes in an excerpt.
const TAB: usize = 4;

/// Colours as ANSI escapes, or nothing at all.
struct Paint {
    error: &'static str,
    warning: &'static str,
    strong: &'static str,
    frame: &'static str,
    help: &'static str,
    reset: &'static str,
}

const PLAIN: Paint = Paint { error: "", warning: "", strong: "", frame: "", help: "", reset: "" };
const COLOUR: Paint = Paint {
    error: "\u{1b}[1;31m",
    warning: "\u{1b}[1;33m",
    strong: "\u{1b}[1m",
    frame: "\u{1b}[34m",
    help: "\u{1b}[32m",
    reset: "\u{1b}[0m",
};

/// All problems, one under the other, with an empty line in between. Ends with a line end unless there are none.
#[must_use]
pub fn render(problems: &[Problem], colour: bool) -> String {
    let paint = if colour { &COLOUR } else { &PLAIN };
    let mut text = String::new();
    for (index, problem) in problems.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        one(&mut text, problem, paint);
    }
    text
}

fn one(text: &mut String, problem: &Problem, paint: &Paint) {
    let Paint { error, warning, strong, frame, help, reset } = paint;
    let (word, tint) = match problem.severity {
        Severity::Error => ("error", error),
        Severity::Warning => ("warning", warning),
    };
    // Writing into a String cannot fail.
    let _ = writeln!(text, "{tint}{word}{reset}{strong}: {}{reset}", problem.message);
    let file = problem.file.display();
    let gutter = problem.line.to_string().len();
    if problem.line == 0 {
        let _ = writeln!(text, "  {frame}-->{reset} {file}");
    } else {
        let _ = writeln!(text, "{:gutter$}{frame}-->{reset} {file}:{}:{}", "", problem.line, problem.column);
    }
    if let Some(excerpt) = &problem.excerpt {
        let (line, pad, carets) = drawn(excerpt);
        let _ = writeln!(text, "{:gutter$} {frame}|{reset}", "");
        let _ = writeln!(text, "{frame}{} |{reset} {line}", problem.line);
        let _ = writeln!(text, "{:gutter$} {frame}|{reset} {:pad$}{tint}{}{reset}", "", "", "^".repeat(carets));
    }
    if let Some(hint) = &problem.hint {
        let _ = writeln!(text, "{:gutter$} {frame}={reset} {help}help:{reset} {hint}", "");
    }
}

/// The line with tabs spread, the columns before the mark and those of the mark, as a terminal counts them.
fn drawn(excerpt: &Excerpt) -> (String, usize, usize) {
    let mut line = String::new();
    let (mut before, mut marked) = (0, 0);
    for (index, c) in excerpt.line.chars().enumerate() {
        let width = if c == '\t' { TAB } else { c.width().unwrap_or(0) };
        if c == '\t' {
            line.push_str(&" ".repeat(TAB));
        } else {
            line.push(c);
        }
        if index < excerpt.before {
            before += width;
        } else if index < excerpt.before + excerpt.marked {
            marked += width;
        }
    }
    (line.trim_end().to_owned(), before, marked.max(1))
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::*;

    #[test]
    fn the_caret_stands_under_wide_characters_and_behind_tabs() {
        let source = Source::new("tidegate.toml", "\tabout = \"日本\" = 環境\n");
        let at = source.text().find('環').expect("there");
        let problem = Problem::at(&source, at..at + 6, "two values").with_hint(Some("write one".to_owned()));
        insta::assert_snapshot!(render(&[problem], false), @r#"
        error: two values
         --> tidegate.toml:1:17
          |
        1 |     about = "日本" = 環境
          |                      ^^^^
          = help: write one
        "#);
    }

    #[test]
    fn colour_is_used_only_when_asked_for() {
        let problem = Problem::of_file("f", "missing");
        assert!(render(std::slice::from_ref(&problem), true).contains('\u{1b}'));
        assert!(!render(&[problem], false).contains('\u{1b}'));
    }
}
