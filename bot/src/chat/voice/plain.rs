//! Lines of a card as plain text, in columns of a fixed width.

use std::fmt::Write as _;

use crate::cards::{Card, Line, Span};

/// Width of a bar, in characters.
const BAR: u32 = 10;

/// Lines that belong together, with the place of the first: those with columns or bars, which want a fixed width, or single ones.
pub(in crate::chat) fn group(lines: &[Line]) -> Vec<(usize, Vec<&Line>)> {
    let mut groups: Vec<(usize, Vec<&Line>)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        match groups.last_mut() {
            Some((_, last)) if fixed(line) && last.last().is_some_and(|line| fixed(line)) => last.push(line),
            _ => groups.push((at, vec![line])),
        }
    }
    groups
}

pub(in crate::chat) fn fixed(line: &Line) -> bool {
    line.spans.iter().any(|span| matches!(span, Span::Column(..) | Span::Bar { .. }))
}

/// A card as a text file.
pub(in crate::chat) fn as_text(card: &Card) -> String {
    let lines = std::iter::once(card.title.clone()).chain(card.lines.iter().map(plain));
    lines.map(|line| line + "\n").collect()
}

/// A line as text.
pub(in crate::chat) fn plain(line: &Line) -> String {
    let mut out = "  ".repeat(line.indent.into());
    // Writing into a String cannot fail.
    for span in &line.spans {
        match span {
            Span::Text(text) | Span::Strong(text) | Span::Code(text) => out.push_str(text),
            Span::Column(text, width) => {
                out.push_str(text);
                let gap = width.saturating_sub(unicode_width::UnicodeWidthStr::width(text.as_str())).max(1);
                out.push_str(&" ".repeat(gap));
            }
            Span::Bar { done, total } => {
                let full = (u64::from(*done) * u64::from(BAR) / u64::from((*total).max(1))).min(u64::from(BAR));
                let full = usize::try_from(full).unwrap_or_default();
                let rest = usize::try_from(BAR).unwrap_or_default() - full;
                let _ = write!(out, "{}{} {done}/{total}", "▓".repeat(full), "░".repeat(rest));
            }
            Span::Link { text, url } => {
                let _ = write!(out, "{text} ({url})");
            }
        }
    }
    out
}
