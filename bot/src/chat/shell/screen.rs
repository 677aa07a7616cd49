//! Cards on a terminal: the card of a run at work is drawn again in its place; where nothing can be drawn again (a pipe,
//! a file), only what changed is printed, and at last the whole card.

use std::io;

use console::Term;

use super::render::{self, Style};
use crate::cards::{Card, Line, Span, Tone};

/// What can be written to.
pub trait Output {
    /// Rows and columns, when it is a terminal on which lines can be taken back.
    fn size(&self) -> Option<(usize, usize)>;
    /// Takes back the last `lines` lines.
    ///
    /// # Errors
    /// When the terminal is gone.
    fn take_back(&mut self, lines: usize) -> io::Result<()>;
    /// Writes whole lines, without their ends.
    ///
    /// # Errors
    /// When the terminal is gone.
    fn write(&mut self, lines: &[String]) -> io::Result<()>;
}

impl Output for Term {
    fn size(&self) -> Option<(usize, usize)> {
        if !self.is_term() || console::is_dumb() {
            return None;
        }
        let (rows, columns) = self.size_checked()?;
        Some((rows.into(), columns.into()))
    }

    fn take_back(&mut self, lines: usize) -> io::Result<()> {
        if lines > 0 {
            self.clear_last_lines(lines)?;
        }
        Ok(())
    }

    fn write(&mut self, lines: &[String]) -> io::Result<()> {
        let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        self.write_str(&text)?;
        self.flush()
    }
}

/// A terminal with at most one card that is still being drawn.
#[derive(Debug)]
pub struct Screen<O = Term> {
    output: O,
    style: Style,
    /// Lines of the card that can be taken back.
    drawn: Vec<String>,
    /// The card as last told.
    last: Option<Card>,
}

impl Screen {
    /// Standard output, with what its terminal and the environment say of colours, width and characters.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it looks at the terminal and the environment")]
    pub fn new() -> Self {
        let term = Term::buffered_stdout();
        let width = Output::size(&term).map(|(_, columns)| columns);
        let style = Style::of(term.is_term(), width, |name| std::env::var(name).ok());
        Self::on(term, style)
    }
}

impl<O: Output> Screen<O> {
    /// A screen on `output`.
    pub fn on(output: O, style: Style) -> Self {
        Self { output, style, drawn: Vec::new(), last: None }
    }

    /// How it draws.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Shows what somebody typed, as a channel does.
    pub fn said(&mut self, who: &str, line: &str) {
        let said = Line::of([Span::Strong(format!("{who}:")), Span::Text(format!(" /tide {line}"))]);
        let lines = std::iter::once(String::new()).chain(render::line(&said, &self.style)).collect();
        self.keep(|_| lines);
    }

    /// Prints a card that stays. One that is being drawn goes on below it.
    pub fn card(&mut self, card: &Card) {
        self.keep(|style| render::lines(card, style));
    }

    /// Prints a line of our own that stays.
    pub fn note(&mut self, text: &str) {
        self.keep(|style| render::line(&Line::marked(text), style));
    }

    /// Prints lines of another program as they are, without what could drive the terminal.
    pub fn text(&mut self, lines: &[String]) {
        let plain = |line: &String| line.chars().filter(|c| !c.is_control() || *c == '\t').collect::<String>();
        self.keep(|_| lines.iter().map(plain).collect());
    }

    /// Draws the card of a run in the place of the one before; the `last` one of a run stays.
    pub fn live(&mut self, card: &Card, last: bool) {
        let done = if last { self.finish(card) } else { self.update(card) };
        told(done);
    }

    /// Leaves the card that is being drawn as it stands, and forgets it.
    pub fn leave_live(&mut self) {
        self.drawn.clear();
        self.last = None;
    }

    fn keep(&mut self, lines: impl FnOnce(&Style) -> Vec<String>) {
        self.resize();
        let lines = lines(&self.style);
        told(self.above(&lines));
    }

    fn above(&mut self, lines: &[String]) -> io::Result<()> {
        self.take_back()?;
        let drawn = std::mem::take(&mut self.drawn);
        self.output.write(lines)?;
        self.output.write(&drawn)?;
        self.drawn = drawn;
        Ok(())
    }

    fn update(&mut self, card: &Card) -> io::Result<()> {
        if let Some((rows, _)) = self.output.size() {
            self.resize();
            let lines = fitting(render::lines(card, &self.style), rows);
            if lines != self.drawn {
                self.take_back()?;
                self.output.write(&lines)?;
                self.drawn = lines;
            }
        } else {
            let new = news(self.last.as_ref(), card, &self.style);
            if !new.is_empty() {
                self.output.write(&new)?;
            }
        }
        self.last = Some(card.clone());
        Ok(())
    }

    fn finish(&mut self, card: &Card) -> io::Result<()> {
        self.take_back()?;
        self.drawn.clear();
        self.last = None;
        self.resize();
        self.output.write(&render::lines(card, &self.style))
    }

    /// Takes back what is drawn. A window that was made narrower since has broken long lines into several.
    fn take_back(&mut self) -> io::Result<()> {
        let columns = self.output.size().map_or(usize::MAX, |(_, columns)| columns.max(1));
        let rows = |line: &String| render::display_width(&render::clean(line)).div_ceil(columns).max(1);
        self.output.take_back(self.drawn.iter().map(rows).sum())
    }

    /// A window can be made wider or narrower at any time.
    fn resize(&mut self) {
        if let Some((_, columns)) = self.output.size() {
            self.style.width = columns;
        }
    }
}

/// A reader who has gone (`| head`) stops no run.
fn told(written: io::Result<()>) {
    if let Err(error) = written {
        tracing::debug!(%error, "nobody reads any more");
    }
}

/// At most as many lines as can be taken back: a line that has scrolled away cannot.
fn fitting(mut lines: Vec<String>, rows: usize) -> Vec<String> {
    // One row is the cursor's.
    let room = rows.saturating_sub(1).max(1);
    if lines.len() > room {
        lines.truncate(room.saturating_sub(1));
        lines.push("...".to_owned());
    }
    lines
}

/// What a reader who saw `before` does not know yet: the whole card when it needs somebody, else another title and the
/// lines whose state is another.
pub(super) fn news(before: Option<&Card>, after: &Card, style: &Style) -> Vec<String> {
    let new_title = before.is_none_or(|card| card.title != after.title);
    if new_title && after.tone != Tone::Working {
        return render::lines(after, style);
    }
    let known = |line: &Line| {
        line.watch.as_ref().is_none_or(|watch| {
            before.is_some_and(|card| card.lines.iter().any(|old| old.watch.as_ref() == Some(watch)))
        })
    };
    let title = new_title.then(|| Line::text(after.title.clone()));
    // At first everything waits, which the title says already.
    let lines = after.lines.iter().filter(|line| before.is_some() && !known(line)).cloned();
    title.into_iter().chain(lines).flat_map(|line| render::line(&line, style)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a terminal shows.
    #[derive(Debug, Default)]
    struct Fake {
        size: Option<(usize, usize)>,
        shown: Vec<String>,
        writes: usize,
    }

    impl Output for Fake {
        fn size(&self) -> Option<(usize, usize)> {
            self.size
        }

        fn take_back(&mut self, lines: usize) -> io::Result<()> {
            let left = self.shown.len().checked_sub(lines).expect("only what was written is taken back");
            self.shown.truncate(left);
            Ok(())
        }

        fn write(&mut self, lines: &[String]) -> io::Result<()> {
            self.writes += 1;
            self.shown.extend_from_slice(lines);
            Ok(())
        }
    }

    fn screen(size: Option<(usize, usize)>) -> Screen<Fake> {
        Screen::on(Fake { size, ..Fake::default() }, Style { color: false, width: 80, unicode: false })
    }

    fn card(title: &str, stacks: &[(&str, &str, u32)]) -> Card {
        Card::new(Tone::Working, title).lines(stacks.iter().map(|(stack, state, done)| {
            Line::of([Span::Text(format!("{stack} {state} ")), Span::Bar { done: *done, total: 4 }])
                .watching(*stack, *state)
        }))
    }

    #[test]
    fn on_a_terminal_a_card_is_drawn_in_its_place() {
        let mut screen = screen(Some((24, 80)));
        screen.live(&card("run 5", &[("app", "waits", 0)]), false);
        screen.live(&card("run 5", &[("app", "applying", 2)]), false);
        assert_eq!(screen.output.shown, ["run 5", "app applying [##########----------] 2/4"]);
        screen.card(&Card::new(Tone::Plain, "an answer"));
        assert_eq!(screen.output.shown, ["an answer", "run 5", "app applying [##########----------] 2/4"]);
        screen.live(&Card::new(Tone::Good, "shop is at full"), true);
        assert_eq!(screen.output.shown, ["an answer", "shop is at full"]);
        screen.live(&card("run 6", &[]), false);
        assert_eq!(screen.output.shown, ["an answer", "shop is at full", "run 6"]);
    }

    #[test]
    fn what_is_said_and_noted_stays_above_the_card() {
        let mut screen = screen(Some((24, 80)));
        screen.live(&card("run 5", &[]), false);
        screen.said("ito", "up shop\u{1b}[2J");
        screen.note("`cancel 5` stops it");
        assert_eq!(screen.output.shown, ["", "ito: /tide up shop", "`cancel 5` stops it", "run 5"]);
        screen.leave_live();
        screen.live(&card("run 6", &[]), true);
        assert_eq!(screen.output.shown.last().map(String::as_str), Some("run 6"));
        assert_eq!(screen.output.shown.len(), 5);
    }

    #[test]
    fn what_did_not_change_is_not_drawn_again() {
        let mut screen = screen(Some((24, 80)));
        screen.live(&card("run 5", &[("app", "waits", 0)]), false);
        let writes = screen.output.writes;
        screen.live(&card("run 5", &[("app", "waits", 0)]), false);
        assert_eq!(screen.output.writes, writes);
    }

    #[test]
    fn a_window_made_narrower_leaves_nothing_behind() {
        let mut screen = screen(Some((24, 80)));
        screen.live(&Card::new(Tone::Working, "x".repeat(70)), false);
        // The terminal itself has broken the line into two.
        screen.output.size = Some((24, 40));
        screen.output.shown = vec!["x".repeat(40), "x".repeat(30)];
        screen.live(&Card::new(Tone::Good, "done"), true);
        assert_eq!(screen.output.shown, ["done"]);
    }

    #[test]
    fn a_card_higher_than_the_terminal_is_cut_and_its_last_one_is_not() {
        let mut screen = screen(Some((4, 80)));
        let tall = card("run 5", &[("a", "waits", 0), ("b", "waits", 0), ("c", "waits", 0), ("d", "waits", 0)]);
        screen.live(&tall, false);
        assert_eq!(screen.output.shown.len(), 3);
        assert_eq!(screen.output.shown.last().map(String::as_str), Some("..."));
        screen.live(&tall, true);
        assert_eq!(screen.output.shown.len(), 5);
    }

    #[test]
    fn without_a_terminal_only_what_changed_is_printed() {
        let mut screen = screen(None);
        screen.live(&card("run 5 - planning", &[("app", "waits", 0), ("jmeter", "waits", 0)]), false);
        screen.live(&card("run 5 - planning", &[("app", "waits", 0), ("jmeter", "waits", 0)]), false);
        screen.live(&card("run 5 - applying", &[("app", "applying", 0), ("jmeter", "waits", 0)]), false);
        screen.live(&card("run 5 - applying", &[("app", "applying", 3), ("jmeter", "waits", 0)]), false);
        screen.live(&card("run 5 - applying", &[("app", "done", 4), ("jmeter", "waits", 0)]), false);
        let question = Card::new(Tone::Warning, "run 5 - needs a yes").line(Line::text("it would do this"));
        screen.live(&question, false);
        screen.live(&question, false);
        screen.live(&Card::new(Tone::Good, "shop is at full"), true);
        assert_eq!(
            screen.output.shown,
            [
                "run 5 - planning",
                "run 5 - applying",
                "app applying [--------------------] 0/4",
                "app done [####################] 4/4",
                "run 5 - needs a yes",
                "it would do this",
                "shop is at full",
            ]
        );
    }
}
