//! A card as lines of a terminal: wrapped by display width, coloured where that is wanted, and never driven by text of
//! others, from which control characters and escape sequences are taken out.

use unicode_width::UnicodeWidthChar;

use crate::cards::{Card, Line, Span, Tone};

/// What the terminal can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Colours may be used.
    pub color: bool,
    /// Columns; below 20 counts as 20.
    pub width: usize,
    /// Characters beyond ASCII may be drawn by ourselves. Text of others is shown as it is.
    pub unicode: bool,
}

/// Columns of a terminal that does not tell.
const USUAL_WIDTH: usize = 100;
/// Columns of a bar.
const BAR_WIDTH: u32 = 20;

impl Style {
    /// What to use for an output that is a terminal or not, with these environment variables.
    ///
    /// Colours are off when it is none, when `NO_COLOR` has a value (<https://no-color.org>), and for `TERM=dumb`.
    pub fn of(is_terminal: bool, width: Option<usize>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_some_and(|term| term == "dumb");
        let locale =
            set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default().to_uppercase();
        Self {
            color: is_terminal && set("NO_COLOR").is_none() && !dumb,
            width: width.unwrap_or(USUAL_WIDTH),
            unicode: is_terminal && (locale.contains("UTF-8") || locale.contains("UTF8")),
        }
    }

    /// Without colours and with ASCII only, for files and pipes.
    #[must_use]
    pub fn plain() -> Self {
        Self { color: false, width: USUAL_WIDTH, unicode: false }
    }
}

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Plain,
    Strong,
    Code,
    Link,
    Title(Tone),
}

impl Look {
    /// The SGR parameters for it (ECMA-48); `None` for plain.
    fn sgr(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong | Self::Title(Tone::Plain) => Some("1"),
            Self::Code => Some("36"),
            Self::Link => Some("4"),
            Self::Title(Tone::Working) => Some("1;34"),
            Self::Title(Tone::Good) => Some("1;32"),
            Self::Title(Tone::Warning) => Some("1;33"),
            Self::Title(Tone::Bad) => Some("1;31"),
        }
    }
}

/// The whole card, each line ended by a line break.
#[must_use]
pub fn render(card: &Card, style: &Style) -> String {
    lines(card, style).into_iter().map(|line| line + "\n").collect()
}

/// The lines of a card, none wider than the terminal.
#[must_use]
pub fn lines(card: &Card, style: &Style) -> Vec<String> {
    let mut out = Wrapped::new(style, 0);
    for (at, piece) in card.title.split('`').enumerate() {
        out.text(piece, Look::Title(card.tone), at % 2 == 1);
    }
    let mut all = out.finish();
    all.extend(card.lines.iter().flat_map(|l| line(l, style)));
    if !card.next.is_empty() {
        let mut out = Wrapped::new(style, 6);
        out.text("next: ", Look::Plain, false);
        for (at, command) in card.next.iter().enumerate() {
            if at > 0 {
                out.text("  ", Look::Plain, false);
            }
            out.text(command, Look::Code, true);
        }
        all.extend(out.finish());
    }
    all
}

/// The lines of one line of a card.
#[must_use]
pub fn line(line: &Line, style: &Style) -> Vec<String> {
    let indent = usize::from(line.indent) * 2;
    let mut out = Wrapped::new(style, indent + 2);
    out.text(&" ".repeat(indent), Look::Plain, false);
    for span in &line.spans {
        match span {
            Span::Text(text) => out.text(text, Look::Plain, false),
            Span::Strong(text) => out.text(text, Look::Strong, false),
            Span::Code(text) => out.text(text, Look::Code, true),
            Span::Column(text, width) => {
                let shown = clean(text);
                let gap = width.saturating_sub(display_width(&shown)).max(1);
                out.text(&(shown + &" ".repeat(gap)), Look::Plain, false);
            }
            Span::Bar { done, total } => out.text(&bar(*done, *total, style.unicode), Look::Plain, false),
            Span::Link { text, url } if text == url => out.text(url, Look::Link, false),
            Span::Link { text, url } => {
                out.text(text, Look::Plain, false);
                out.text(" ", Look::Plain, false);
                out.text(url, Look::Link, false);
            }
        }
    }
    out.finish()
}

/// `[########------------] 3/7 `.
fn bar(done: u32, total: u32, unicode: bool) -> String {
    let filled = u64::from(done.min(total)) * u64::from(BAR_WIDTH) / u64::from(total.max(1));
    let filled = usize::try_from(filled).unwrap_or_default();
    let rest = (BAR_WIDTH as usize).saturating_sub(filled);
    let (full, empty) = if unicode { ("\u{2588}", "\u{2591}") } else { ("#", "-") };
    let (open, close) = if unicode { ("", "") } else { ("[", "]") };
    format!("{open}{}{}{close} {done}/{total} ", full.repeat(filled), empty.repeat(rest))
}

/// Columns that a text takes.
#[must_use]
pub fn display_width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// A text of others without what could drive a terminal: escape sequences, control characters, direction marks. A tab
/// becomes spaces; a line break a space.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\t' => out.push_str("    "),
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => out.push(' '),
            '\u{1b}' => skip_escape(&mut chars),
            // The one-character form of ESC [.
            '\u{9b}' => skip_csi(&mut chars),
            _ if c.is_control() => {}
            '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            _ => out.push(c),
        }
    }
    out
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Skips what follows an ESC. Source: ECMA-48, sections 5.3 and 5.4.
fn skip_escape(chars: &mut Chars<'_>) {
    match chars.next_if(|c| matches!(c, '['..='_' | ' '..='/')) {
        Some('[') => skip_csi(chars),
        // OSC, and strings alike: up to BEL or ESC \.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = chars.next() {
                match c {
                    '\u{7}' | '\u{9c}' => return,
                    '\u{1b}' => {
                        chars.next_if_eq(&'\\');
                        return;
                    }
                    _ => {}
                }
            }
        }
        Some(_) | None => {}
    }
}

fn skip_csi(chars: &mut Chars<'_>) {
    while chars.next_if(|c| (' '..='?').contains(c)).is_some() {}
    chars.next_if(|c| ('@'..='~').contains(c));
}

/// Lines being filled up.
struct Wrapped<'a> {
    style: &'a Style,
    /// Columns before every line but the first.
    hang: usize,
    lines: Vec<String>,
    line: String,
    width: usize,
    /// True when the line has something other than its indentation.
    begun: bool,
}

impl<'a> Wrapped<'a> {
    fn new(style: &'a Style, hang: usize) -> Self {
        let hang = hang.min(style.width / 2);
        Self { style, hang, lines: Vec::new(), line: String::new(), width: 0, begun: false }
    }

    fn room(&self) -> usize {
        self.style.width.max(20)
    }

    /// Adds a text; in back quotes when `quoted`, which stay at its ends.
    fn text(&mut self, text: &str, look: Look, quoted: bool) {
        let clean = clean(text);
        let shown = self.drawable(&clean);
        let whole = if quoted { format!("`{shown}`") } else { shown };
        // A command that fits on one line stays on one line.
        if quoted && display_width(&whole) + self.hang <= self.room() {
            self.word(&whole, look);
            return;
        }
        let mut rest = whole.as_str();
        while !rest.is_empty() {
            let spaces = rest.chars().take_while(|c| *c == ' ').count();
            let after = rest.trim_start_matches(' ');
            let (word, next) = match after.split_once(' ') {
                Some((word, _)) => (word, after.strip_prefix(word).unwrap_or_default()),
                None => (after, ""),
            };
            self.gap(spaces);
            if !word.is_empty() {
                self.word(word, look);
            }
            rest = next;
        }
    }

    /// Our own sign between facts has an ASCII form.
    fn drawable(&self, text: &str) -> String {
        if self.style.unicode { text.to_owned() } else { text.replace(" \u{b7} ", " - ") }
    }

    fn gap(&mut self, spaces: usize) {
        if spaces == 0 || (!self.begun && !self.lines.is_empty()) {
            return;
        }
        if self.width + spaces < self.room() {
            self.line.push_str(&" ".repeat(spaces));
            self.width += spaces;
        } else {
            self.break_line();
        }
    }

    fn word(&mut self, word: &str, look: Look) {
        let width = display_width(word);
        if self.begun && self.width + width > self.room() {
            self.break_line();
        }
        if self.width + width <= self.room() {
            self.put(word, width, look);
            return;
        }
        // Longer than a whole line: cut between characters.
        let mut piece = String::new();
        let mut piece_width = 0;
        for c in word.chars() {
            let width = c.width().unwrap_or(0);
            if self.width + piece_width + width > self.room() {
                self.put(&std::mem::take(&mut piece), piece_width, look);
                self.break_line();
                piece_width = 0;
            }
            piece.push(c);
            piece_width += width;
        }
        self.put(&piece, piece_width, look);
    }

    fn put(&mut self, text: &str, width: usize, look: Look) {
        match look.sgr().filter(|_| self.style.color) {
            Some(sgr) => {
                self.line.push_str("\u{1b}[");
                self.line.push_str(sgr);
                self.line.push('m');
                self.line.push_str(text);
                self.line.push_str("\u{1b}[0m");
            }
            None => self.line.push_str(text),
        }
        self.width += width;
        self.begun = true;
    }

    fn break_line(&mut self) {
        let full = std::mem::replace(&mut self.line, " ".repeat(self.hang));
        self.lines.push(full.trim_end_matches(' ').to_owned());
        self.width = self.hang;
        self.begun = false;
    }

    fn finish(mut self) -> Vec<String> {
        if self.begun || self.lines.is_empty() {
            self.lines.push(self.line.trim_end_matches(' ').to_owned());
        }
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(width: usize, color: bool) -> Style {
        Style { color, width, unicode: false }
    }

    fn card() -> Card {
        Card::new(Tone::Bad, "shop NOT READY \u{b7} jmeter failed")
            .line(Line::marked("a reason with `some code` and a very long explanation of it"))
            .line(Line::of([Span::Column("jmeter".to_owned(), 10), Span::Bar { done: 3, total: 7 }]).indented(1))
            .next("retry 5")
            .next("log 5 jmeter")
    }

    #[test]
    fn a_card_is_wrapped_and_no_line_is_wider_than_the_terminal() {
        insta::assert_snapshot!(render(&card(), &style(40, false)), @r"
        shop NOT READY - jmeter failed
        a reason with `some code` and a very
          long explanation of it
          jmeter    [########------------] 3/7
        next: `retry 5`  `log 5 jmeter`
        ");
        for width in [20, 30, 40, 80] {
            for line in lines(&card(), &style(width, false)) {
                assert!(display_width(&line) <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn wide_characters_count_twice_and_are_never_split() {
        let card = Card::new(Tone::Plain, "日本語の説明".repeat(10));
        for line in lines(&card, &style(21, false)) {
            assert!(display_width(&line) <= 21, "{line}");
        }
    }

    #[test]
    fn text_of_others_cannot_drive_the_terminal() {
        for (text, shown) in [
            ("\u{1b}[2J\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://evil\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{9b}31mred", "red"),
            ("a\rb\nc\td\u{8}", "a b c    d"),
            ("\u{202e}txet", "txet"),
            ("\u{1b}", ""),
            ("\u{1b}cx", "cx"),
            ("日本", "日本"),
        ] {
            assert_eq!(clean(text), shown, "{text:?}");
        }
        let card = Card::new(Tone::Plain, "\u{1b}[2Jtitle").line(Line::text("\u{1b}[2J")).next("\u{7}up");
        assert!(!render(&card, &style(80, false)).contains(['\u{1b}', '\u{7}']));
    }

    #[test]
    fn colours_are_for_terminals_without_no_color() {
        let none = |_: &str| None;
        assert!(Style::of(true, None, none).color);
        assert!(!Style::of(false, None, none).color);
        let no_color = |value: &'static str| move |name: &str| (name == "NO_COLOR").then(|| value.to_owned());
        assert!(!Style::of(true, None, no_color("1")).color);
        assert!(Style::of(true, None, no_color("")).color);
        assert!(!Style::of(true, None, |name| (name == "TERM").then(|| "dumb".to_owned())).color);
        assert!(Style::of(true, None, |name| (name == "LANG").then(|| "ja_JP.UTF-8".to_owned())).unicode);
        assert!(render(&card(), &style(80, true)).contains("\u{1b}[1;31m"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_wrapped(text in "(\\PC|\u{1b}|\\s){0,200}", width in 1_usize..60, indent in 0_u8..12) {
            let card = Card::new(Tone::Plain, text.clone())
                .line(Line::of([Span::Code(text.clone()), Span::Column(text.clone(), 10), Span::Text(text)]).indented(indent));
            for line in lines(&card, &style(width, false)) {
                proptest::prop_assert!(display_width(&line) <= width.max(20), "{}", line);
                proptest::prop_assert!(!line.contains(char::is_control));
            }
        }
    }
}
