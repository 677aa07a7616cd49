//! A card as one text with marks in it, for chats whose messages are such a text: which lines there is room for, which of them stand in a
//! fixed width, what stands below them. Nothing in anybody's words is a mark.

use super::letter::Extras;
use super::plain::{fixed, group, plain};
use super::text::cut_between_words;
use crate::cards::{Card, Line, Span, TYPED};

/// Most characters of a command to type, and of what says who pressed a button.
const COMMAND_MAX: usize = 200;

/// Most commands to type.
const COMMANDS_MAX: usize = 8;

/// In the place of a backtick, which would end code.
const NO_BACKTICK: &str = "\u{2cb}";

/// How a chat marks text, and how much of it has room.
pub(in crate::chat) trait Marks {
    /// Most characters of the lines of a card and of what stands below them.
    const TEXT_MAX: usize;
    /// Most characters of one line.
    const LINE_MAX: usize;

    /// Text in which nothing is a mark.
    fn escape(text: &str) -> String;

    /// Escaped text, in bold.
    fn strong(escaped: &str) -> String;

    /// Escaped text over an address; `None`: there is no link to such a one.
    fn link(escaped: &str, url: &str) -> Option<String>;

    /// Code, in which nothing ends it.
    fn code(text: &str) -> String {
        format!("`{}`", text.replace('`', NO_BACKTICK))
    }

    /// Lines in a fixed width.
    fn fence(text: &str) -> String {
        format!("```\n{}\n```", text.replace('`', NO_BACKTICK))
    }
}

/// A piece of a line with as much of it as there is room for.
pub(in crate::chat) enum Piece {
    /// As it is.
    Text(String),
    /// In bold.
    Strong(String),
    /// As code.
    Code(String),
    /// Text over an address.
    Link(String, String),
}

/// A line in pieces with at most so many characters together. What has a width, and a link to what is no address, is plain text.
pub(in crate::chat) fn pieces(line: &Line, most: usize, is_address: impl Fn(&str) -> bool) -> Vec<Piece> {
    let (mut out, mut room) = (Vec::new(), most);
    for span in &line.spans {
        let mut fit = |words: &str| {
            let words = cut_between_words(words, room);
            room = room.saturating_sub(words.chars().count().max(1));
            words
        };
        out.push(match span {
            Span::Text(words) if words.is_empty() => continue,
            Span::Text(words) => Piece::Text(fit(words)),
            Span::Strong(words) => Piece::Strong(fit(words)),
            Span::Code(words) => Piece::Code(fit(words)),
            Span::Link { text, url } if is_address(url) => Piece::Link(fit(text), url.clone()),
            Span::Column(..) | Span::Bar { .. } | Span::Link { .. } => {
                Piece::Text(fit(&plain(&Line { spans: vec![span.clone()], ..Line::default() })))
            }
        });
        if room <= 1 {
            break;
        }
    }
    out
}

/// The text of a card below its title, and the lines that it has no room for, as plain text.
pub(in crate::chat) fn sheet<M: Marks>(card: &Card, extras: &Extras) -> (String, Vec<String>) {
    let tail = tail::<M>(card, extras);
    let mut room = M::TEXT_MAX.saturating_sub(tail.chars().count());
    let (mut text, mut left) = (String::new(), Vec::new());
    for (at, lines) in group(&card.lines) {
        let piece = marked::<M>(&lines);
        let cost = piece.chars().count() + 1;
        // What has begun to be left out stays so: nobody would understand a gap.
        if !left.is_empty() || cost > room {
            left.extend(card.lines.iter().skip(at).take(lines.len()).map(plain));
        } else {
            room -= cost;
            text.push_str(&piece);
            text.push('\n');
        }
    }
    if !left.is_empty() {
        text += &extras.rest.words(left.len());
        text.push('\n');
    }
    text += &tail;
    (text.trim_end().to_owned(), left)
}

/// Lines that belong together.
fn marked<M: Marks>(lines: &[&Line]) -> String {
    if lines.iter().any(|line| fixed(line)) {
        let body: Vec<String> = lines.iter().map(|line| cut_between_words(&plain(line), M::LINE_MAX)).collect();
        return M::fence(&body.join("\n"));
    }
    lines.iter().map(|line| one::<M>(line)).collect::<Vec<_>>().join("\n")
}

fn one<M: Marks>(line: &Line) -> String {
    let mark = |piece: &Piece| match piece {
        Piece::Text(words) => M::escape(words),
        Piece::Strong(words) => M::strong(&M::escape(words)),
        Piece::Code(words) => M::code(words),
        Piece::Link(words, url) => M::link(&M::escape(words), url).unwrap_or_default(),
    };
    let all = pieces(line, M::LINE_MAX, |url| M::link("", url).is_some());
    "\u{2003}".repeat(line.indent.into()) + &all.iter().map(mark).collect::<String>()
}

/// Used buttons, commands to type.
fn tail<M: Marks>(card: &Card, extras: &Extras) -> String {
    let mut lines = Vec::new();
    if let Some(pressed) = &extras.pressed {
        lines.push(M::escape(&cut_between_words(pressed, COMMAND_MAX)));
    }
    let typed = card.next.iter().take(COMMANDS_MAX).map(|command| M::code(&cut_between_words(command, COMMAND_MAX)));
    let typed: Vec<String> = typed.collect();
    if !typed.is_empty() {
        lines.push(format!("{TYPED}{}", typed.join(" · ")));
    }
    lines.join("\n")
}
