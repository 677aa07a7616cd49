//! A card as Block Kit, with the text that is read where blocks are not: notifications, screen readers, search.
//!
//! Everything goes into `rich_text`: its text elements are shown as they are, so that neither mrkdwn, nor a mention, nor a code
//! fence in anybody's words can come alive or be broken. Blocks are plain JSON here: the models of slack-morphism know neither
//! lengths nor numbers, which are what this file is about.

use serde_json::{Value, json};

use super::text::escape;
use crate::cards::{Button, Card, Line, Menu, PERHAPS_AGAIN, Span, TYPED, Weight, card_link};
use crate::chat::voice::letter::{Extras, Letter, Rendered};
use crate::chat::voice::plain::{fixed, group, in_pieces, plain};
use crate::chat::voice::sheet::{Piece, pieces};
use crate::chat::voice::text::{cut_between_words, plainly};

/// Most blocks of a message.
pub(super) const BLOCKS_MAX: usize = 50;
/// Most characters of one text.
pub(super) const TEXT_MAX: usize = 3_000;
/// Most characters of all blocks of a message together, as JSON. Slack does not say so; it refuses more (bolt-js#2509).
pub(super) const TOTAL_MAX: usize = 13_200;
/// Of them kept for what is added when a message is sent: a link to a card, and that it may have been said before.
const LATER: usize = 800;
/// The same for the title and for the line that says what did not fit, each.
const KEPT: usize = 400;
/// Most characters on a button.
pub(super) const BUTTON_MAX: usize = 75;
/// Most characters that a button carries.
pub(super) const VALUE_MAX: usize = 2_000;
/// Most buttons in one row.
const ROW_MAX: usize = 5;
/// Most choices of a menu that are offered, far below Slack's hundred: all of them together have to have room in a message.
const CHOICES_MAX: usize = 25;
/// Most characters that a choice says, and that it carries.
const CHOICE_MAX: usize = 75;
/// The name of a menu.
pub(super) const MENU: &str = "menu";
/// Most characters of the text beside the blocks; what is longer nobody listens to.
const FALLBACK_MAX: usize = 3_000;
/// Most characters of a line and of a title; what is longer goes on in the next line.
const LINE_MAX: usize = TEXT_MAX - 300;
const TITLE_MAX: usize = TEXT_MAX / 2;
/// Most characters of all commands to type.
const COMMANDS_MAX: usize = 1_500;

/// Renders a card. All of it is shown or left out; nothing is lost.
pub(crate) fn render(card: &Card, extras: &Extras) -> Rendered {
    let mut heading = in_pieces(&[Line::of([Span::Strong(card.title.clone())])], TITLE_MAX).into_iter();
    let first = heading.next().map(|line| plain(&line)).unwrap_or_default();
    let all: Vec<Line> = heading.chain(in_pieces(&card.lines, LINE_MAX)).collect();
    let (typed, untyped) = typed(card);
    let mut buttons = actions(extras);
    buttons.extend(card.menu.as_ref().and_then(menu));
    let tail = tail(&typed, extras);
    let spent = length(&buttons) + length(&tail);
    let mut paper =
        Paper { left: TOTAL_MAX.saturating_sub(spent + 2 * KEPT + LATER), elements: Vec::new(), ..Paper::default() };
    paper.section(&title(&first, extras));
    let mut left = Vec::new();
    for (_, lines) in group(&all) {
        // What has begun to be left out stays so: nobody would understand a gap.
        let taken = if left.is_empty() { paper.take(&lines) } else { 0 };
        left.extend(lines.iter().skip(taken).map(|line| plain(line)));
    }
    left.extend(untyped.iter().map(|command| format!("{TYPED}{command}")));
    if !left.is_empty() {
        paper.section(&[text(&extras.rest.words(left.len()))]);
    }
    let mut blocks = paper.blocks();
    blocks.extend(tail);
    blocks.extend(buttons);
    Rendered { text: fallback(card, extras), blocks, left_out: left }
}

/// Characters of JSON.
fn length(blocks: &[Value]) -> usize {
    blocks.iter().map(|block| block.to_string().chars().count() + 1).sum()
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": if text.is_empty() { " " } else { text } })
}

fn styled(text: &str, style: &str) -> Value {
    json!({ "type": "text", "text": if text.is_empty() { " " } else { text }, "style": { style: true } })
}

fn mention(id: &str) -> Value {
    if id.starts_with('S') {
        json!({ "type": "usergroup", "usergroup_id": id })
    } else {
        json!({ "type": "user", "user_id": id })
    }
}

/// The commands that can be typed, as far as there is room for them; and the others.
fn typed(card: &Card) -> (Vec<String>, Vec<String>) {
    let mut room = COMMANDS_MAX;
    let fits = |command: &String| {
        let size = command.chars().count() + 3;
        let fits = size <= room;
        room = if fits { room - size } else { 0 };
        fits
    };
    card.next.iter().map(|command| plainly(command)).partition(fits)
}

fn title(words: &str, extras: &Extras) -> Vec<Value> {
    let mut elements: Vec<Value> = extras.mention.iter().flat_map(|id| [mention(id), text(" ")]).collect();
    elements.push(styled(&cut_between_words(words, TEXT_MAX), "bold"));
    elements
}

/// A line as elements of a section.
fn elements(line: &Line) -> Vec<Value> {
    let mut out = Vec::new();
    if line.indent > 0 {
        out.push(text(&"\u{2003}".repeat(line.indent.into())));
    }
    // One line fits into one block, whatever stands in it.
    out.extend(pieces(line, TEXT_MAX - 100, is_address).into_iter().map(|piece| match piece {
        Piece::Text(words) => text(&words),
        Piece::Strong(words) => styled(&words, "bold"),
        Piece::Code(words) => styled(&words, "code"),
        Piece::Link(words, url) => json!({ "type": "link", "url": url, "text": words }),
    }));
    if out.is_empty() {
        out.push(text(" "));
    }
    out
}

fn is_address(url: &str) -> bool {
    let web = url.starts_with("https://") || url.starts_with("http://");
    web && url.chars().count() < 1_000 && !url.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// What has been written so far.
#[derive(Default)]
struct Paper {
    /// Elements of blocks that are full.
    full: Vec<Vec<Value>>,
    /// Elements of the block that is being filled.
    elements: Vec<Value>,
    /// Characters of text in it.
    used: usize,
    /// Characters of JSON that there is room for.
    left: usize,
}

impl Paper {
    /// Writes lines as long as there is room, and gives how many.
    fn take(&mut self, lines: &[&Line]) -> usize {
        if !lines.iter().any(|line| fixed(line)) {
            let all: Vec<Value> = lines.iter().flat_map(|line| elements(line)).collect();
            let written = self.put(json!({ "type": "rich_text_section", "elements": all }));
            return if written { lines.len() } else { 0 };
        }
        // Rows that stand below each other, as many as fit into one text, and then into the next.
        let rows: Vec<String> = lines.iter().map(|line| plainly(&plain(line))).collect();
        let mut done = 0;
        while done < rows.len() {
            let mut size = 0;
            let fits = |row: &&String| {
                size += row.chars().count() + 1;
                size <= TEXT_MAX
            };
            let mut count = rows[done..].iter().take_while(fits).count().max(1);
            while count > 0 {
                let body = rows[done..done + count].join("\n");
                if self.put(json!({ "type": "rich_text_preformatted", "elements": [text(&body)] })) {
                    break;
                }
                count -= 1;
            }
            if count == 0 {
                break;
            }
            done += count;
        }
        done
    }

    fn section(&mut self, elements: &[Value]) {
        // The title and the last line always have room: it was kept for them.
        self.left += KEPT;
        self.put(json!({ "type": "rich_text_section", "elements": elements }));
    }

    fn put(&mut self, element: Value) -> bool {
        let size = words_in(&element);
        let cost = element.to_string().chars().count() + 60;
        let first = self.full.is_empty() && self.elements.is_empty();
        // Some blocks are kept for buttons and the last lines.
        if !first && (cost > self.left || self.full.len() + 6 > BLOCKS_MAX) {
            return false;
        }
        if self.used + size > TEXT_MAX {
            self.full.push(std::mem::take(&mut self.elements));
            self.used = 0;
        } else if let Some(last) = self.elements.last_mut()
            && last["type"] == "rich_text_section"
            && element["type"] == "rich_text_section"
            && let (Some(into), Some(from)) = (last["elements"].as_array_mut(), element["elements"].as_array())
        {
            // Sections follow each other without a break between them.
            into.push(text("\n"));
            into.extend(from.iter().cloned());
            self.used += size + 1;
            self.left = self.left.saturating_sub(cost);
            return true;
        }
        self.elements.push(element);
        self.used += size;
        self.left = self.left.saturating_sub(cost);
        true
    }

    fn blocks(mut self) -> Vec<Value> {
        if !self.elements.is_empty() {
            self.full.push(self.elements);
        }
        self.full.into_iter().map(|elements| json!({ "type": "rich_text", "elements": elements })).collect()
    }
}

fn words_in(element: &Value) -> usize {
    let of = |element: &Value| element["text"].as_str().map_or(20, |text| text.chars().count());
    element["elements"].as_array().map_or(0, |all| all.iter().map(of).sum())
}

/// Used buttons, commands to type.
fn tail(typed: &[String], extras: &Extras) -> Vec<Value> {
    let mut elements = Vec::new();
    if let Some(pressed) = &extras.pressed {
        elements.push(text(&cut_between_words(pressed, 200)));
    }
    for (at, command) in typed.iter().enumerate() {
        if at == 0 && !elements.is_empty() {
            elements.push(text("\n"));
        }
        elements.push(text(if at == 0 { TYPED } else { " · " }));
        elements.push(styled(command, "code"));
    }
    if elements.is_empty() {
        return Vec::new();
    }
    vec![json!({ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": elements }] })]
}

/// The row of buttons.
fn actions(extras: &Extras) -> Vec<Value> {
    let mut seen = Vec::new();
    let elements: Vec<Value> =
        extras.buttons.iter().filter_map(|button| one(button, &extras.version, &mut seen)).collect();
    if elements.is_empty() {
        return Vec::new();
    }
    vec![json!({ "type": "actions", "elements": elements.into_iter().take(ROW_MAX).collect::<Vec<_>>() })]
}

/// A menu of commands; what one of them has no room for is only typed.
fn menu(menu: &Menu) -> Option<Value> {
    let plain = |text: &str, max| json!({ "type": "plain_text", "text": cut_between_words(text, max), "emoji": false });
    let fits = menu.choices.iter().filter(|(_, command)| command.chars().count() <= CHOICE_MAX).take(CHOICES_MAX);
    let options: Vec<Value> =
        fits.map(|(label, command)| json!({ "text": plain(label, CHOICE_MAX), "value": command })).collect();
    (!options.is_empty()).then(|| {
        let select = json!({
            "type": "static_select", "action_id": format!("tide.{MENU}"), "placeholder": plain(menu.label, 150), "options": options,
        });
        json!({ "type": "actions", "elements": [select] })
    })
}

fn one(button: &Button, version: &str, seen: &mut Vec<String>) -> Option<Value> {
    let verb = button.command.split_whitespace().next()?.to_owned();
    let value = json!({ "typed": button.command, "version": version, "label": button.label }).to_string();
    if value.chars().count() > VALUE_MAX {
        return None;
    }
    // Slack wants each of a message to have another id.
    let before = seen.iter().filter(|other| **other == verb).count();
    let id = if before == 0 { format!("tide.{verb}") } else { format!("tide.{verb}.{}", before + 1) };
    let mut made = json!({
        "type": "button",
        "action_id": id,
        "text": { "type": "plain_text", "text": cut_between_words(&button.label, BUTTON_MAX), "emoji": false },
        "value": value,
    });
    seen.push(verb);
    match button.weight {
        Weight::On => made["style"] = "primary".into(),
        Weight::Off => made["style"] = "danger".into(),
        Weight::Plain => {}
    }
    if let Some(confirm) = &button.confirm {
        let plain =
            |text: &str, max| json!({ "type": "plain_text", "text": cut_between_words(text, max), "emoji": false });
        made["confirm"] = json!({
            "title": plain(confirm.title, 100),
            "text": plain(&confirm.text, 300),
            "confirm": plain(confirm.yes, 30),
            "deny": plain(confirm.no, 30),
            "style": "danger",
        });
    }
    Some(made)
}

/// The text beside the blocks.
fn fallback(card: &Card, extras: &Extras) -> String {
    let mentions: String = extras
        .mention
        .iter()
        .map(|id| if id.starts_with('S') { format!("<!subteam^{id}> ") } else { format!("<@{id}> ") })
        .collect();
    let lines: Vec<String> = std::iter::once(card.title.clone()).chain(card.lines.iter().map(plain)).collect();
    // Escaping makes longer, at most five times: what is cut is cut before.
    let body = escape(&cut_between_words(&lines.join("\n"), FALLBACK_MAX));
    format!("{mentions}{body}")
}

/// Has a letter say that it may have been said before.
pub(super) fn perhaps_again(letter: &mut Letter) {
    letter.text = format!("{PERHAPS_AGAIN}{}", letter.text);
    let words = json!({ "type": "text", "text": PERHAPS_AGAIN.trim(), "style": { "italic": true } });
    letter.blocks.insert(0, in_a_section(&words));
}

/// Has a letter link to a run's card.
pub(super) fn linked(letter: &mut Letter, run: i64, url: &str) {
    let link = json!({ "type": "link", "url": url, "text": card_link(run) });
    letter.blocks.push(in_a_section(&link));
}

fn in_a_section(element: &Value) -> Value {
    json!({ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [element] }] })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cards::left_out;
    use crate::cards::{Tone, button};
    use crate::chat::voice::letter::Rest;

    fn every(value: &Value, look: &mut impl FnMut(&Value)) {
        look(value);
        match value {
            Value::Array(all) => all.iter().for_each(|one| every(one, look)),
            Value::Object(all) => all.values().for_each(|one| every(one, look)),
            _ => {}
        }
    }

    fn within_limits(rendered: &Rendered) {
        assert!(!rendered.blocks.is_empty() && rendered.blocks.len() <= BLOCKS_MAX);
        assert!(length(&rendered.blocks) <= TOTAL_MAX, "{} characters", length(&rendered.blocks));
        assert!(!rendered.text.trim().is_empty() && rendered.text.chars().count() <= 40_000);
        for block in &rendered.blocks {
            let mut characters = 0;
            every(block, &mut |value| {
                if let (Some("text"), Some(text)) = (value["type"].as_str(), value["text"].as_str()) {
                    assert!(!text.is_empty());
                    characters += text.chars().count();
                }
                if value["type"] == "button" {
                    assert!(value["text"]["text"].as_str().is_some_and(|text| text.chars().count() <= BUTTON_MAX));
                    assert!(value["value"].as_str().is_some_and(|value| value.chars().count() <= VALUE_MAX));
                }
            });
            assert!(characters <= TEXT_MAX + 100, "{characters} characters in one block");
        }
    }

    fn nasty() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z ]{0,60}",
            ".{0,40}",
            Just("<!channel> & <@U1> <#C1> *bold* _it_ ~no~ `code` ```fence".to_owned()),
            Just("word ".repeat(2_000)),
            Just("日本".repeat(3_000)),
            Just("\u{202e}rtl\u{200b}\u{0}".to_owned()),
        ]
    }

    fn span() -> impl Strategy<Value = Span> {
        prop_oneof![
            nasty().prop_map(Span::Text),
            nasty().prop_map(Span::Strong),
            nasty().prop_map(Span::Code),
            (nasty(), 0..40usize).prop_map(|(text, width)| Span::Column(text, width)),
            (any::<u32>(), any::<u32>()).prop_map(|(done, total)| Span::Bar { done, total }),
            (nasty(), nasty()).prop_map(|(text, url)| Span::Link { text, url }),
        ]
    }

    fn card() -> impl Strategy<Value = Card> {
        let line = (0..4u8, prop::collection::vec(span(), 0..5)).prop_map(|(indent, spans)| Line {
            indent,
            spans,
            watch: None,
        });
        (nasty(), prop::collection::vec(line, 0..80), prop::collection::vec(nasty(), 0..6))
            .prop_map(|(title, lines, next)| Card { next, ..Card::new(Tone::Plain, title).lines(lines) })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_people_write_fits_slacks_limits_and_notifies_nobody(card in card()) {
            let buttons = ["approve 1", "cancel 1", "retry 1"].iter().filter_map(|c| button(c, &card.title, true)).collect();
            let rendered = render(&card, &Extras { buttons, version: "1".to_owned(), ..Extras::default() });
            within_limits(&rendered);
            // As it is sent: with a link, and after nobody knew whether it was sent.
            let long = format!("https://tidegate.slack.com/archives/C1/p1?thread_ts=1.1&cid={}", "C".repeat(100));
            let mut letter = Letter::new(rendered.clone());
            linked(&mut letter, 9_000_000, &long);
            perhaps_again(&mut letter);
            within_limits(&Rendered { text: letter.text, blocks: letter.blocks, left_out: Vec::new() });
            for block in &rendered.blocks {
                every(block, &mut |value| {
                    let kind = value["type"].as_str().unwrap_or_default();
                    assert!(!matches!(kind, "user" | "usergroup" | "broadcast" | "channel" | "mrkdwn"), "{kind}");
                });
            }
            assert!(!rendered.text.contains(['<', '>']), "{}", rendered.text);
        }

        #[test]
        fn what_is_shown_and_what_is_left_out_is_all_of_it_in_order(mut card in card()) {
            card.next.clear();
            all_is_there(&card);
        }
    }

    /// Letters alone: how lines are broken and indented may differ.
    fn letters(text: &str) -> String {
        let shown = crate::chat::voice::text::plainly(text);
        shown.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\u{2068}' | '\u{2069}')).collect()
    }

    fn all_is_there(card: &Card) {
        let rendered = render(card, &Extras::default());
        within_limits(&rendered);
        let mut shown = String::new();
        for block in &rendered.blocks {
            every(block, &mut |value| {
                if value["type"] == "text" {
                    shown.push_str(value["text"].as_str().unwrap_or_default());
                }
            });
        }
        let mut shown = letters(&shown);
        if !rendered.left_out.is_empty() {
            let note = letters(&left_out(rendered.left_out.len()));
            shown = shown.strip_suffix(&note).expect("it says that something is left out").to_owned();
        }
        let lines: Vec<String> = std::iter::once(card.title.clone()).chain(card.lines.iter().map(plain)).collect();
        let all = letters(&lines.join("\n"));
        assert!(shown + &letters(&rendered.left_out.join("\n")) == all, "something is neither shown nor left out");
    }

    #[test]
    fn rows_of_a_table_that_do_not_fit_into_one_text_are_shown_in_the_next_or_left_out() {
        for rows in [20, 60, 200] {
            let row = |n: usize| {
                Line::of([
                    Span::Column(format!("environment-{n}"), 40),
                    Span::Column("is at full since today".to_owned(), 60),
                ])
            };
            let card = Card::new(Tone::Plain, "Environments").lines((0..rows).map(row));
            all_is_there(&card);
            let rendered = render(&card, &Extras::default());
            assert_eq!(rendered.left_out.is_empty(), rows < 100, "{rows}");
        }
        all_is_there(&Card::new(Tone::Plain, "long ".repeat(900)).line(Line::text("word ".repeat(4_000))));
    }

    #[test]
    fn what_did_not_fit_is_said_to_be_where_it_is() {
        let card = Card::new(Tone::Plain, "long").lines((0..500).map(|n| Line::text(format!("line {n} of it"))));
        for (rest, told) in [
            (Rest::File, "the file in the thread has them"),
            (Rest::Nowhere, "ask Tidegate in a direct message"),
            (Rest::Typed("show 5".to_owned()), "`show 5` has them"),
        ] {
            let rendered = render(&card, &Extras { rest, ..Extras::default() });
            assert!(!rendered.left_out.is_empty() && json!(rendered.blocks).to_string().contains(told), "{told}");
        }
        let many = (0..40).fold(Card::new(Tone::Plain, "x"), |card, n| {
            card.next(format!("approve {n} because {}", "so ".repeat(40)))
        });
        let rendered = render(&many, &Extras::default());
        let shown = json!(rendered.blocks).to_string();
        for n in 0..40 {
            let command = format!("approve {n} because");
            assert!(shown.contains(&command) != rendered.left_out.iter().any(|line| line.contains(&command)), "{n}");
        }
    }

    #[test]
    fn a_small_card_has_title_lines_commands_and_buttons() {
        let card = Card::new(Tone::Warning, "run 5 · up <!channel> needs a yes")
            .line(Line::of([Span::Column("app".to_owned(), 6), Span::Bar { done: 3, total: 6 }]).indented(1))
            .line(Line::marked("see `show 5`"))
            .next("approve 5");
        let buttons = vec![button("approve 5", &card.title, true).expect("a button")];
        let extras = Extras { mention: vec!["U1".to_owned()], buttons, version: "v".to_owned(), ..Extras::default() };
        let rendered = render(&card, &extras);
        within_limits(&rendered);
        assert_eq!(rendered.text, "<@U1> run 5 · up &lt;!channel&gt; needs a yes\n  app   ▓▓▓▓▓░░░░░ 3/6\nsee show 5");
        let kinds: Vec<&str> = rendered.blocks.iter().filter_map(|block| block["type"].as_str()).collect();
        assert_eq!(kinds, ["rich_text", "rich_text", "actions"]);
        assert_eq!(rendered.blocks[2]["elements"][0]["action_id"], "tide.approve");
        assert_eq!(rendered.blocks[2]["elements"][0]["confirm"]["style"], "danger");
        assert_eq!(rendered.blocks[0]["elements"][1]["type"], "rich_text_preformatted");
    }
}
