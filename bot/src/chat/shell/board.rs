//! What stands above the line that is being typed: the cards of runs at work, drawn in their place, and what is said once and
//! stays. Nobody else writes to the terminal while people type.
//!
//! While a line is being edited only the editor may write, as only it knows where its cursor is. So the board is painted by the
//! editor itself, as the beginning of its prompt ([`Board::paint`]); whoever has something new only nudges it to paint again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use tidegate_runner::domain::ids::RunNumber;
use unicode_width::UnicodeWidthChar as _;

use super::render::{self, Style};
use super::screen::news;
use crate::cards::{Card, Line};

/// Rows and columns of the terminal; `None` where nothing that is written can be taken back.
type Size = Box<dyn Fn() -> Option<(usize, usize)> + Send>;

/// Who may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The board itself: no line is being edited.
    Free,
    /// The editor.
    Editing,
    /// The editor, for the last time: the line stays where it is, and the cards go below it later.
    Closing,
}

/// The board. Every method may be called by any thread.
pub(super) struct Board {
    inner: Mutex<Inner>,
    /// Makes the editor paint; `None` where it cannot be made to.
    nudge: Option<SyncSender<()>>,
}

struct Inner {
    style: Style,
    size: Size,
    out: Box<dyn Write + Send>,
    phase: Phase,
    /// What is to be said and is not written yet.
    said: Vec<String>,
    /// Cards of runs at work, in the order in which they were asked for.
    live: IndexMap<RunNumber, Card>,
    /// Lines of cards that stand directly above the line being edited, or the cursor.
    drawn: Vec<String>,
    /// What is being typed, as last painted.
    line: String,
    /// Where nothing can be taken back: each card as last told.
    told: BTreeMap<RunNumber, Card>,
}

impl Board {
    /// An empty board. `nudge` makes the editor paint.
    pub(super) fn new(style: Style, size: Size, out: Box<dyn Write + Send>, nudge: Option<SyncSender<()>>) -> Self {
        let inner = Inner {
            style,
            size,
            out,
            phase: Phase::Free,
            said: Vec::new(),
            live: IndexMap::new(),
            drawn: Vec::new(),
            line: String::new(),
            told: BTreeMap::new(),
        };
        Self { inner: Mutex::new(inner), nudge }
    }

    /// Whether cards and the line can stand side by side.
    pub(super) fn has_editor(&self) -> bool {
        self.nudge.is_some()
    }

    /// Says something that stays.
    pub(super) fn say(&self, card: &Card) {
        self.change(|inner| inner.say(|style| render::lines(card, style)));
    }

    /// Says a line of our own that stays.
    pub(super) fn note(&self, text: &str) {
        self.change(|inner| inner.say(|style| render::line(&Line::marked(text), style)));
    }

    /// Shows where a run is now, in the place of what was shown of it before.
    pub(super) fn live(&self, run: RunNumber, card: &Card) {
        self.change(|inner| inner.live(run, card));
    }

    /// Takes a run's card away; `last` stays in its place.
    pub(super) fn end(&self, run: RunNumber, last: Option<&Card>) {
        self.change(|inner| {
            inner.live.shift_remove(&run);
            inner.told.remove(&run);
            if let Some(card) = last {
                inner.say(|style| render::lines(card, style));
            }
        });
    }

    /// The editor writes from now on, where it can be nudged.
    pub(super) fn begin_line(&self) {
        if self.has_editor() {
            let mut inner = self.lock();
            inner.phase = Phase::Editing;
            inner.line.clear();
        }
    }

    /// This is what has been typed so far.
    pub(super) fn edit(&self, line: &str) {
        line.clone_into(&mut self.lock().line);
    }

    /// The editor paints for the last time: what it leaves behind is the line alone.
    pub(super) fn close_line(&self) {
        self.lock().phase = Phase::Closing;
    }

    /// The editor is done, and the cursor stands where an empty line begins. Gives what was typed and dropped.
    pub(super) fn end_line(&self, prompt: &str) -> String {
        let mut dropped = String::new();
        self.change(|inner| {
            if inner.phase == Phase::Editing {
                // It broke off without painting once more: the line is below the cards, and belongs above them.
                dropped = std::mem::take(&mut inner.line);
                inner.raise_line(prompt, &dropped);
            }
            inner.phase = Phase::Free;
        });
        dropped
    }

    /// Whether the editor can be nudged.
    pub(super) fn is_editing(&self) -> bool {
        self.lock().phase == Phase::Editing
    }

    /// Somebody else has written below the cards: what was drawn cannot be taken back.
    pub(super) fn forget_drawn(&self) {
        self.lock().drawn.clear();
    }

    /// What the editor has to write before its prompt, the cursor being where the prompt begins. All cards, also when nothing has
    /// changed: the editor may have wiped the screen.
    pub(super) fn paint(&self) -> String {
        if !self.has_editor() {
            return String::new();
        }
        let mut inner = self.lock();
        let cards = inner.cards();
        inner.frame(cards)
    }

    fn change(&self, what: impl FnOnce(&mut Inner)) {
        let mut inner = self.lock();
        what(&mut inner);
        if inner.phase == Phase::Free {
            inner.write();
        } else if inner.is_news()
            && let Some(nudge) = &self.nudge
        {
            // A nudge that waits already is as good as another.
            let _ = nudge.try_send(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn say(&mut self, lines: impl FnOnce(&Style) -> Vec<String>) {
        self.measure();
        let lines = lines(&self.style);
        self.said.extend(lines);
    }

    fn live(&mut self, run: RunNumber, card: &Card) {
        if (self.size)().is_some() {
            self.live.insert(run, card.clone());
        } else {
            let new = news(self.told.get(&run), card, &self.style);
            self.said.extend(new);
            self.told.insert(run, card.clone());
        }
    }

    /// A window can be made wider or narrower at any time.
    fn measure(&mut self) -> Option<(usize, usize)> {
        let size = (self.size)();
        if let Some((_, columns)) = size {
            self.style.width = columns;
        }
        size
    }

    fn is_news(&mut self) -> bool {
        !self.said.is_empty() || self.cards() != self.drawn
    }

    /// The lines of all cards, as many as fit above the line.
    fn cards(&mut self) -> Vec<String> {
        let Some((rows, _)) = self.measure() else { return Vec::new() };
        if self.phase == Phase::Closing || self.live.is_empty() {
            return Vec::new();
        }
        // A line that has scrolled away cannot be taken back, and the line being edited may need several rows; one more may be
        // needed before the next painting.
        let needed = rows_of(&self.line, self.style.width) + 2;
        let room = rows.saturating_sub((rows / 4).max(needed)).max(1);
        let cards: Vec<_> = self.live.values().map(|card| render::lines(card, &self.style)).collect();
        fitting(cards, room)
    }

    /// Takes back what is drawn, says what is to be said, draws the cards.
    fn frame(&mut self, cards: Vec<String>) -> String {
        let mut text = String::new();
        if (self.size)().is_some() && !(self.drawn.is_empty() && self.said.is_empty() && cards.is_empty()) {
            text.push('\r');
            let up = self.drawn_rows();
            if up > 0 {
                // CUU (ECMA-48).
                write!(text, "\u{1b}[{up}A").unwrap_or_default();
            }
            // ED, to the end of the screen.
            text.push_str("\u{1b}[J");
        }
        for line in self.said.drain(..).chain(cards.iter().cloned()) {
            text.push_str(&line);
            text.push('\n');
        }
        self.drawn = cards;
        text
    }

    /// Puts a line that was dropped above the cards.
    fn raise_line(&mut self, prompt: &str, line: &str) {
        self.measure();
        let typed = render::clean(&format!("{prompt}{line}"));
        let rows = rows_of(&typed, self.style.width);
        // So that it is taken back together with the cards.
        self.drawn.extend(std::iter::repeat_n(String::new(), rows));
        self.said.insert(0, typed + "^C");
    }

    /// A window that was made narrower since has broken long lines into several.
    fn drawn_rows(&self) -> usize {
        self.drawn.iter().map(|line| rows_of(&render::clean(line), self.style.width)).sum()
    }

    fn write(&mut self) {
        let cards = self.cards();
        if self.said.is_empty() && cards == self.drawn {
            return;
        }
        let text = self.frame(cards);
        // A terminal that has gone stops no run.
        if let Err(error) = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            tracing::debug!(%error, "nobody reads any more");
        }
    }
}

/// Rows that a text takes, at least one. A wide character that does not fit at the end of a row goes to the next.
fn rows_of(text: &str, columns: usize) -> usize {
    let (mut rows, mut column) = (1, 0);
    for c in text.chars() {
        let width = c.width().unwrap_or(0);
        if column + width > columns.max(1) {
            rows += 1;
            column = 0;
        }
        column += width;
    }
    rows
}

/// All cards in `room` lines: where they are too many, each in its share of them; where even that is too little, the newest.
fn fitting(cards: Vec<Vec<String>>, room: usize) -> Vec<String> {
    let all: usize = cards.iter().map(Vec::len).sum();
    if all <= room {
        return cards.into_iter().flatten().collect();
    }
    let share = (room / cards.len()).max(1);
    let left_out = cards.len().saturating_sub(room);
    cards.into_iter().skip(left_out).flat_map(|card| cut(card, share)).collect()
}

fn cut(mut card: Vec<String>, share: usize) -> Vec<String> {
    if card.len() > share {
        card.truncate(share.saturating_sub(1).max(1));
        if share > 1 {
            card.push("...".to_owned());
        }
    }
    card
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, sync_channel};

    use super::*;
    use crate::cards::{Span, Tone};

    /// What a terminal shows of a board: whole lines, a cursor below them.
    #[derive(Debug, Clone, Default)]
    struct Fake(Arc<Mutex<Vec<String>>>);

    impl Fake {
        fn lines(&self) -> Vec<String> {
            self.0.lock().expect("lines").clone()
        }

        fn show(&self, text: &str) {
            let mut shown = self.0.lock().expect("lines");
            let mut text = text.trim_start_matches('\r');
            if let Some((up, rest)) = text.strip_prefix("\u{1b}[").and_then(|text| text.split_once('A')) {
                let left = shown.len().checked_sub(up.parse().expect("a number")).expect("only what was drawn");
                shown.truncate(left);
                text = rest;
            }
            let text = text.strip_prefix("\u{1b}[J").unwrap_or(text);
            shown.extend(text.lines().map(str::to_owned));
        }
    }

    impl Write for Fake {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.show(std::str::from_utf8(bytes).expect("text"));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn board(size: Option<(usize, usize)>) -> (Board, Fake, Receiver<()>) {
        let fake = Fake::default();
        let (nudge, nudged) = sync_channel(1);
        let style = Style { color: false, width: 80, unicode: false };
        (Board::new(style, Box::new(move || size), Box::new(fake.clone()), Some(nudge)), fake, nudged)
    }

    fn card(title: &str, lines: usize) -> Card {
        Card::new(Tone::Working, title).lines((1..=lines).map(|n| Line::text(format!("stack {n}"))))
    }

    #[test]
    fn what_is_said_stays_above_the_cards_of_all_runs() {
        let (board, fake, _nudged) = board(Some((24, 80)));
        board.live(RunNumber(5), &card("run 5", 1));
        board.live(RunNumber(6), &card("run 6", 0));
        board.note("`cancel 5` stops it");
        assert_eq!(fake.lines(), ["`cancel 5` stops it", "run 5", "stack 1", "run 6"]);
        board.live(RunNumber(5), &card("run 5 - applying", 1));
        assert_eq!(fake.lines(), ["`cancel 5` stops it", "run 5 - applying", "stack 1", "run 6"]);
        board.end(RunNumber(5), Some(&Card::new(Tone::Good, "shop is at full")));
        assert_eq!(fake.lines(), ["`cancel 5` stops it", "shop is at full", "run 6"]);
        board.end(RunNumber(6), None);
        assert_eq!(fake.lines(), ["`cancel 5` stops it", "shop is at full"]);
    }

    #[test]
    fn while_a_line_is_edited_the_editor_paints_and_only_when_something_changed() {
        let (board, fake, nudged) = board(Some((24, 80)));
        board.begin_line();
        assert_eq!(board.paint(), "");
        board.live(RunNumber(5), &card("run 5", 0));
        board.live(RunNumber(5), &card("run 5 - applying", 0));
        assert!(nudged.try_recv().is_ok() && nudged.try_recv().is_err(), "one nudge for both");
        assert!(fake.lines().is_empty());
        fake.show(&board.paint());
        assert_eq!(fake.lines(), ["run 5 - applying"]);
        board.live(RunNumber(5), &card("run 5 - applying", 0));
        assert!(nudged.try_recv().is_err());
        fake.show(&board.paint());
        assert_eq!(fake.lines(), ["run 5 - applying"], "painted again in its place");
    }

    #[test]
    fn a_line_that_was_typed_stands_where_the_cards_were_and_they_go_on_below() {
        let (board, fake, _nudged) = board(Some((24, 80)));
        board.begin_line();
        board.live(RunNumber(5), &card("run 5", 1));
        fake.show(&board.paint());
        board.close_line();
        fake.show(&board.paint());
        assert!(fake.lines().is_empty());
        board.note("too late to be painted");
        fake.show("ito@tidegate> status");
        assert_eq!(board.end_line("ito@tidegate> "), "");
        board.say(&Card::new(Tone::Plain, "an answer"));
        let answered = ["ito@tidegate> status", "too late to be painted", "an answer", "run 5", "stack 1"];
        assert_eq!(fake.lines(), answered);
        board.begin_line();
        fake.show(&board.paint());
        assert_eq!(fake.lines(), answered);
    }

    #[test]
    fn a_line_that_was_dropped_goes_above_the_cards_too() {
        let (board, fake, _nudged) = board(Some((24, 20)));
        board.begin_line();
        board.live(RunNumber(5), &card("run 5", 0));
        fake.show(&board.paint());
        board.edit("up 日本語");
        fake.show("ito@tidegate> up 日\n本語");
        assert_eq!(board.end_line("ito@tidegate> "), "up 日本語");
        assert_eq!(fake.lines(), ["ito@tidegate> up 日本語^C", "run 5"]);
    }

    #[test]
    fn what_others_wrote_is_not_taken_back() {
        let (board, fake, _nudged) = board(Some((24, 80)));
        board.live(RunNumber(5), &card("run 5", 0));
        fake.show("a list of candidates");
        board.forget_drawn();
        board.live(RunNumber(5), &card("run 5 - applying", 0));
        assert_eq!(fake.lines(), ["run 5", "a list of candidates", "run 5 - applying"]);
    }

    #[test]
    fn a_window_made_narrower_leaves_nothing_behind() {
        let fake = Fake::default();
        let columns = Arc::new(Mutex::new(80));
        let size = Arc::clone(&columns);
        let style = Style { color: false, width: 80, unicode: false };
        let size = move || Some((24, *size.lock().expect("columns")));
        let board = Board::new(style, Box::new(size), Box::new(fake.clone()), None);
        board.live(RunNumber(5), &Card::new(Tone::Working, "x".repeat(70)));
        *columns.lock().expect("columns") = 40;
        *fake.0.lock().expect("lines") = vec!["x".repeat(40), "x".repeat(30)];
        board.end(RunNumber(5), Some(&Card::new(Tone::Good, "done")));
        assert_eq!(fake.lines(), ["done"]);
    }

    #[test]
    fn cards_that_are_too_high_share_the_room() {
        let tall = |n: usize| (0..n).map(|line| line.to_string()).collect::<Vec<_>>();
        assert_eq!(fitting(vec![tall(2), tall(2)], 4), ["0", "1", "0", "1"]);
        assert_eq!(fitting(vec![tall(9)], 4), ["0", "1", "2", "..."]);
        assert_eq!(fitting(vec![tall(9), tall(2)], 4), ["0", "...", "0", "1"]);
        assert_eq!(fitting(vec![tall(9), tall(9), tall(9)], 2), ["0", "0"]);
        let (board, fake, _nudged) = board(Some((5, 80)));
        board.live(RunNumber(5), &card("run 5", 9));
        assert_eq!(fake.lines(), ["run 5", "..."]);
        board.end(RunNumber(5), Some(&card("run 5", 9)));
        assert_eq!(fake.lines().len(), 10, "what stays is whole");
    }

    #[test]
    fn where_nothing_can_be_taken_back_only_what_changed_is_told() {
        let (board, fake, _nudged) = board(None);
        let at = |state: &str| {
            let line = Line::of([Span::Text(format!("app {state}"))]).watching("app", state);
            Card::new(Tone::Working, "run 5").line(line)
        };
        board.live(RunNumber(5), &at("waits"));
        board.live(RunNumber(5), &at("applying"));
        board.live(RunNumber(5), &at("applying"));
        board.end(RunNumber(5), Some(&Card::new(Tone::Good, "done")));
        assert_eq!(fake.lines(), ["run 5", "app applying", "done"]);
    }
}
