//! A card as an embed with a row of buttons. Lines with columns become a code block, for its fixed width; every other text of somebody
//! has its marks escaped, so that it is shown as it is. Who is notified stands beside the embed, and nobody else can be.

use serde_json::{Value, json};

use crate::cards::{Button, Card, Menu, PERHAPS_AGAIN, Tone, Weight, card_link, not_called};
use crate::chat::voice::letter::{Extras, Letter, Rendered, Rest};
use crate::chat::voice::sheet::{Marks, sheet};
use crate::chat::voice::text::cut_between_words;
use crate::wire::discord::bodies::{
    self, BUTTON_MAX, CHOICES_MAX, ID_MAX, ROW_MAX, Style, TEXT_MAX, TITLE_MAX, escape,
};

/// Of a description kept for what is added when a message is sent: a link to a card, and that it may have been said before.
const LATER: usize = 300;
/// Most characters of one line.
const LINE_MAX: usize = 1_000;

/// Most whom one message calls: their numbers have at most 20 digits, and stay below the characters of a message.
const CALLED_MAX: usize = 80;

/// The name of a menu.
pub(super) const MENU: &str = "tide:menu";
/// What stands before the parts of what a button carries.
pub(super) const PRESS: &str = "tide";
/// The same where a question comes before it is done.
pub(super) const ASKS: &str = "tide?";
/// The same of the answer to that question.
pub(super) const SURE: &str = "tide!";
/// The same of the last button of a form.
pub(super) const LAST: &str = "tide=";
/// Between these parts.
pub(super) const BETWEEN: char = '|';

/// Discord's marks.
struct Marked;

impl Marks for Marked {
    /// The rest is for the line that says what did not fit.
    const TEXT_MAX: usize = TEXT_MAX - LATER - 250;
    const LINE_MAX: usize = LINE_MAX;

    fn escape(text: &str) -> String {
        escape(text)
    }

    fn strong(escaped: &str) -> String {
        format!("**{escaped}**")
    }

    fn link(escaped: &str, url: &str) -> Option<String> {
        let web = url.starts_with("https://") || url.starts_with("http://");
        let ends = |c: char| c.is_control() || c.is_whitespace() || "()<>".contains(c);
        (web && url.chars().count() < 500 && !url.chars().any(ends)).then(|| format!("[{escaped}]({url})"))
    }
}

/// Renders a card.
pub(crate) fn render(card: &Card, extras: &Extras) -> Rendered {
    let (text, left_out) = sheet::<Marked>(card, extras);
    let title = cut_between_words(&escape(&cut_between_words(&card.title, TITLE_MAX / 2)), TITLE_MAX);
    let mut embed = json!({ "title": title, "color": color(card.tone) });
    if !text.is_empty() {
        embed["description"] = text.into();
    }
    let mut blocks = vec![embed];
    blocks.extend(row(extras));
    blocks.extend(card.menu.as_ref().and_then(menu));
    Rendered { text: mentions(&extras.mention), blocks, left_out }
}

/// What notifies somebody: ids of people, and of groups with `&` before them.
fn mentions(all: &[String]) -> String {
    let called = all.iter().take(CALLED_MAX).map(|id| format!("<@{id}>"));
    called.chain(not_called(all.len().saturating_sub(CALLED_MAX))).collect::<Vec<_>>().join(" ")
}

fn color(tone: Tone) -> u32 {
    match tone {
        Tone::Plain => 0x95_a5_a6,
        Tone::Working => 0x34_98_db,
        Tone::Good => 0x2e_cc_71,
        Tone::Warning => 0xf1_c4_0f,
        Tone::Bad => 0xe7_4c_3c,
    }
}

/// The row of buttons.
fn row(extras: &Extras) -> Option<Value> {
    let mut buttons: Vec<Value> = Vec::new();
    for button in extras.buttons.iter().filter_map(|button| one_button(button, &extras.version)) {
        // Discord wants each to have another id.
        if buttons.iter().all(|other| other["custom_id"] != button["custom_id"]) {
            buttons.push(button);
        }
    }
    buttons.truncate(ROW_MAX);
    (!buttons.is_empty()).then(|| bodies::row(&buttons))
}

/// A menu of commands; what one of them has no room for is only typed.
fn menu(menu: &Menu) -> Option<Value> {
    let fits = menu.choices.iter().filter(|(_, command)| command.chars().count() <= ID_MAX).take(CHOICES_MAX);
    let mut options = fits.map(|(label, command)| (cut_between_words(label, ID_MAX), command.clone())).peekable();
    options.peek()?;
    Some(bodies::row(&[bodies::menu(MENU, menu.label, options)]))
}

/// A button; one whose command is longer than Discord lets a button carry is only typed.
fn one_button(button: &Button, version: &str) -> Option<Value> {
    let prefix = if button.confirm.is_some() { ASKS } else { PRESS };
    pressable(prefix, &[version, &button.command], &button.label, button.weight)
}

fn pressable(prefix: &str, parts: &[&str], label: &str, weight: Weight) -> Option<Value> {
    let mut id = prefix.to_owned();
    for part in parts {
        id.push(BETWEEN);
        id.push_str(part);
    }
    let style = match weight {
        Weight::On => Style::Green,
        Weight::Off => Style::Red,
        Weight::Plain => Style::Grey,
    };
    (id.chars().count() <= ID_MAX).then(|| bodies::button(style, &cut_between_words(label, BUTTON_MAX), &id))
}

/// The question before something that cannot be undone, with the one button that does it; `None`: what it would have to carry is too long.
pub(super) fn question(card: &Card, yes: &str, parts: &[&str]) -> Option<Vec<Value>> {
    let button = pressable(SURE, parts, yes, Weight::Off)?;
    let mut blocks = render(card, &Extras { rest: Rest::Nowhere, ..Extras::default() }).blocks;
    blocks.push(bodies::row(&[button]));
    Some(blocks)
}

/// The last button of a form, in its row; `None`: the command is longer than Discord lets a button carry, and is only typed.
pub(super) fn last(label: &str, typed: &str) -> Option<Value> {
    let button = pressable(LAST, &[typed], label, Weight::On)?;
    Some(bodies::row(&[button]))
}

/// Has a letter say that it may have been said before.
pub(super) fn perhaps_again(letter: &mut Letter) {
    described(letter, |text| format!("*{}*\n{text}", PERHAPS_AGAIN.trim()));
}

/// Has a letter link to a run's card.
pub(super) fn linked(letter: &mut Letter, run: i64, url: &str) {
    described(letter, |text| format!("{text}\n[{}]({url})", card_link(run)).trim_start().to_owned());
}

fn described(letter: &mut Letter, change: impl FnOnce(&str) -> String) {
    if let Some(embed) = letter.blocks.iter_mut().find(|block| block["type"] != 1) {
        let text = change(embed["description"].as_str().unwrap_or_default());
        embed["description"] = text.into();
    }
}

/// The body of a message: what is shown, and nobody notified but those who stand in its text, which holds nobody's words.
pub(super) fn body(text: &str, blocks: &[Value]) -> Value {
    let is_row = |block: &&Value| block["type"] == 1;
    let embeds: Vec<&Value> = blocks.iter().filter(|block| !is_row(block)).collect();
    let rows: Vec<&Value> = blocks.iter().filter(is_row).collect();
    bodies::message(text, &embeds, &rows)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cards::{Line, Span, button};
    use crate::chat::voice::plain::plain;

    fn within_limits(rendered: &Rendered) {
        let body = body(&rendered.text, &rendered.blocks);
        assert!(rendered.text.chars().count() <= 2_000);
        let embed = &body["embeds"][0];
        let title = embed["title"].as_str().expect("a title").chars().count();
        let text = embed["description"].as_str().unwrap_or_default().chars().count();
        assert!((1..=TITLE_MAX).contains(&title) && text <= TEXT_MAX, "{title} {text}");
        for row in body["components"].as_array().expect("rows") {
            let all = row["components"].as_array().expect("buttons");
            assert!((1..=ROW_MAX).contains(&all.len()));
            assert!(all.iter().all(|one| one["custom_id"].as_str().is_some_and(|id| id.chars().count() <= ID_MAX)));
        }
    }

    fn nasty() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z ]{1,60}",
            ".{1,40}",
            Just("@everyone <@1> <@&2> **bold** `code` ```fence [a](http://b)".to_owned()),
            Just("word ".repeat(2_000)),
            Just("日本".repeat(3_000)),
            Just("*".repeat(500)),
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
        fn whatever_people_write_fits_discords_limits_and_notifies_nobody(card in card()) {
            let buttons = ["approve 1", "cancel 1", "retry 1"].iter().filter_map(|c| button(c, &card.title, true)).collect();
            let rendered = render(&card, &Extras { buttons, version: "1".to_owned(), ..Extras::default() });
            within_limits(&rendered);
            let mut letter = Letter::new(rendered);
            linked(&mut letter, 9_000_000, &format!("https://discord.com/channels/{}/{}/{}", u64::MAX, u64::MAX, u64::MAX));
            perhaps_again(&mut letter);
            let sent = body(&letter.text, &letter.blocks);
            within_limits(&Rendered { text: letter.text, blocks: letter.blocks, left_out: Vec::new() });
            assert_eq!(sent["allowed_mentions"], json!({ "parse": [], "users": [], "roles": [] }));
            assert_eq!(sent["content"], "");
        }

        #[test]
        fn what_does_not_fit_is_given_back_in_order(card in card()) {
            let rendered = render(&card, &Extras::default());
            let lines: Vec<String> = card.lines.iter().map(plain).collect();
            assert!(lines.ends_with(&rendered.left_out));
        }
    }

    #[test]
    fn a_small_card_has_title_lines_commands_and_buttons_and_calls_only_who_is_named() {
        let card = Card::new(Tone::Warning, "run 5 · up @everyone needs a yes")
            .line(Line::of([Span::Column("app".to_owned(), 6), Span::Bar { done: 3, total: 6 }]).indented(1))
            .line(Line::marked("see `show 5`"))
            .next("approve 5");
        let buttons = vec![button("approve 5", &card.title, true).expect("a button")];
        let mention = vec!["7".to_owned(), "&8".to_owned()];
        let extras = Extras { mention, buttons, version: "v".to_owned(), ..Extras::default() };
        let rendered = render(&card, &extras);
        within_limits(&rendered);
        let body = body(&rendered.text, &rendered.blocks);
        assert_eq!(body["content"], "<@7> <@&8>");
        assert_eq!(body["allowed_mentions"], json!({ "parse": [], "users": ["7"], "roles": ["8"] }));
        assert_eq!(body["embeds"][0]["title"], "run 5 · up @everyone needs a yes");
        let text = "```\n  app   ▓▓▓▓▓░░░░░ 3/6\n```\nsee `show 5`\nor type `approve 5`";
        assert_eq!(body["embeds"][0]["description"], text);
        assert_eq!(body["components"][0]["components"][0]["custom_id"], "tide?|v|approve 5");
    }

    #[test]
    fn more_people_than_a_message_can_name_are_counted() {
        let all = |count: u64| (0..count).map(|n| (u64::MAX - n).to_string()).collect::<Vec<_>>();
        assert!(!mentions(&all(80)).contains("more"));
        let text = mentions(&all(95));
        assert!(text.chars().count() <= bodies::CONTENT_MAX && text.ends_with("(and 15 more)"), "{text}");
        let body = body(&text, &[]);
        assert_eq!(body["allowed_mentions"]["users"].as_array().map(Vec::len), Some(80));
    }

    #[test]
    fn a_command_that_is_too_long_for_a_button_is_only_typed() {
        let long = format!("keep {} for 1h", "e".repeat(90));
        let buttons = vec![button(&long, "", false).expect("a button")];
        let card = Card::new(Tone::Plain, "x").next(long.clone());
        let rendered = render(&card, &Extras { buttons, version: "v".to_owned(), ..Extras::default() });
        assert_eq!(rendered.blocks.len(), 1);
        assert!(rendered.blocks[0]["description"].as_str().is_some_and(|text| text.contains(&long)));
    }
}
