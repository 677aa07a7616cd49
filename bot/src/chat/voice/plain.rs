//! Lines of a card as plain text, in columns of a fixed width.

use std::fmt::Write as _;

use super::text::plainly;
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

/// The same lines, those with more than `most` characters in pieces that follow each other; cut between words where one ends near
/// enough. Nothing is lost: one after the other they have every character.
pub(in crate::chat) fn in_pieces(lines: &[Line], most: usize) -> Vec<Line> {
    let mut out = Vec::new();
    for line in lines {
        if plainly(&plain(line)).chars().count() <= most {
            out.push(line.clone());
            continue;
        }
        let empty = Line { indent: line.indent, ..Line::default() };
        let start = most.saturating_sub(2 * usize::from(line.indent)).max(1);
        let (mut piece, mut room) = (empty.clone(), start);
        for span in &line.spans {
            let mut rest = match span {
                Span::Text(text) | Span::Strong(text) | Span::Code(text) => plainly(text),
                Span::Column(..) | Span::Bar { .. } | Span::Link { .. } => {
                    plainly(&plain(&Line { spans: vec![span.clone()], ..Line::default() }))
                }
            };
            while !rest.is_empty() {
                let (now, later) = first_words(&rest, room);
                room -= now.chars().count();
                piece.spans.push(match span {
                    Span::Strong(_) => Span::Strong(now),
                    Span::Code(_) => Span::Code(now),
                    Span::Text(_) | Span::Column(..) | Span::Bar { .. } | Span::Link { .. } => Span::Text(now),
                });
                rest = later;
                if !rest.is_empty() || room == 0 {
                    out.push(std::mem::replace(&mut piece, empty.clone()));
                    room = start;
                }
            }
        }
        if !piece.spans.is_empty() {
            out.push(piece);
        }
    }
    out
}

/// At most `most` characters of a text, to the end of a word where one is near enough, and the rest.
fn first_words(text: &str, most: usize) -> (String, String) {
    let Some((end, _)) = text.char_indices().nth(most) else { return (text.to_owned(), String::new()) };
    let whole = text[..end].char_indices().rfind(|(_, c)| c.is_whitespace()).map(|(at, c)| at + c.len_utf8());
    let cut = whole.filter(|at| text[*at..end].chars().count() < most / 4).unwrap_or(end);
    let (now, later) = text.split_at(cut);
    (now.to_owned(), later.to_owned())
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
