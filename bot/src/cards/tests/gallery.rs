//! `docs/gallery.md`: the cards of a run as Slack gets them, with pictures, and as Discord does; made here, so that it cannot go stale.

use std::fmt::Write as _;

use chrono_tz::Tz;
use serde_json::{Value, json};
use tidegate_runner::domain::answer::{LogExtract, LogPart, RunDetail, RunnerHealth, Standing};
use tidegate_runner::domain::changes::Action;
use tidegate_runner::domain::holds::News;
use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::domain::refusal::Refusal;
use tidegate_runner::domain::run::{Outcome, Phase, QuestionWhy, RunEvent};
use tidegate_runner::domain::schedule::{Because, ClockNews, Reasons, Turn};

use super::scene::{Scene, change, clock, half, plan, script_failed, target};
use crate::cards::{self, Button, Card, Part, card_link, notice, run_card};
use crate::cards::{form, overview};
use crate::chat::slack::{self, Tab, render};
use crate::chat::{Extras, Last, Offer, Page, Rendered, discord};
use crate::commands::fixture;
use crate::reporter;

fn applying() -> Scene {
    Scene::of("up shop because Black Friday").planned().after(3).then(RunEvent::ApplyBegan)
}

/// A destroy that waits for a yes.
fn destroying() -> Scene {
    let gone = |addresses: &[&str]| plan(addresses.iter().map(|address| change(address, Action::Delete)).collect());
    Scene::of("destroy shop")
        .claimed()
        .plans("jmeter", gone(&["terraform_data.slave[0]", "terraform_data.slave[1]"]))
        .plans("app", gone(&["terraform_data.server[0]", "terraform_data.server[1]", "terraform_data.balancer"]))
        .plans("monitoring", gone(&["terraform_data.grafana"]))
        .asks(QuestionWhy::Previewed)
}

/// A rise that failed in its second stack.
fn half_way() -> Scene {
    applying()
        .starts("app", Phase::Apply)
        .applied("app", Vec::new())
        .starts("jmeter", Phase::Apply)
        .after(9)
        .fails("jmeter", Phase::Apply, script_failed(), Some(half()))
        .ends(Outcome::Partial)
}

/// The same run of another environment.
fn of(environment: &str, number: i64, scene: Scene) -> RunDetail {
    let mut detail = scene.numbered(number).detail();
    detail.run.request.environment = environment.parse().expect("a name");
    detail
}

/// A rise that came to what was asked for.
fn done() -> Scene {
    applying()
        .applied("app", Vec::new())
        .applied("jmeter", Vec::new())
        .then(RunEvent::VerifyBegan)
        .verified("app")
        .verified("jmeter")
        .ends(Outcome::Succeeded)
}

fn scenes() -> Vec<(&'static str, &'static str, Scene)> {
    vec![
        ("queued", "It waits for its turn", Scene::of("up shop because Black Friday")),
        ("applying", "At work; edited in place", applying().starts("app", Phase::Apply).after(4)),
        ("succeeded", "It is done", done()),
        ("question", "It needs a yes", destroying()),
        ("partial", "Some of it was done", half_way()),
        ("cancelled", "Somebody stopped it", applying().stop(false).after(2).ends(Outcome::Cancelled)),
        (
            "unknown",
            "Nobody saw how it ended",
            applying().starts("app", Phase::Apply).then(RunEvent::LostTrack {
                stack: super::name("app"),
                finding: "the machine went away".to_owned(),
                others: Vec::new(),
            }),
        ),
    ]
}

/// Lines of a block, with what stands out.
fn lines(block: &Value) -> Vec<(String, bool)> {
    let mut lines = vec![(String::new(), false)];
    for part in block["elements"].as_array().into_iter().flatten() {
        let fixed = part["type"] == "rich_text_preformatted";
        if fixed && lines.last().is_some_and(|(line, _)| !line.is_empty()) {
            lines.push((String::new(), false));
        }
        for element in part["elements"].as_array().into_iter().flatten() {
            let bold = element["style"]["bold"] == true;
            for (at, piece) in element["text"].as_str().unwrap_or_default().split('\n').enumerate() {
                if at > 0 {
                    lines.push((String::new(), false));
                }
                if let Some((line, strong)) = lines.last_mut() {
                    line.push_str(piece);
                    *strong |= bold;
                }
            }
        }
        if fixed {
            lines.push((String::new(), false));
        }
    }
    lines.retain(|(line, _)| !line.trim().is_empty());
    lines.into_iter().flat_map(|(line, bold)| wrapped(&line).into_iter().map(move |line| (line, bold))).collect()
}

/// Most characters beside each other in a picture.
const ACROSS: usize = 100;

/// A line in pieces that have room beside each other, broken between words.
fn wrapped(line: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for word in line.split(' ') {
        let piece = pieces.last_mut().expect("one at least");
        if piece.chars().count() + word.chars().count() < ACROSS || piece.is_empty() {
            piece.push_str(word);
            piece.push(' ');
        } else {
            pieces.push(format!("{word} "));
        }
    }
    pieces.into_iter().map(|piece| piece.trim_end().to_owned()).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A field of a form, with what stands in it at first; gives how high it is.
fn field(block: &Value, y: usize, body: &mut String) -> usize {
    let element = &block["element"];
    let kind = if element["type"] == "plain_text_input" { "" } else { " ▾" };
    let first = element["initial_option"]["text"]["text"].as_str().unwrap_or_default();
    let optional = if block["optional"] == true { " (optional)" } else { "" };
    let label = block["label"]["text"].as_str().unwrap_or_default();
    let _ = writeln!(
        body,
        "<text x=\"16\" y=\"{}\" font-weight=\"bold\">{}{optional}</text>\
         <rect x=\"16\" y=\"{}\" width=\"420\" height=\"26\" rx=\"5\" fill=\"none\" stroke=\"#777\"/>\
         <text x=\"26\" y=\"{}\">{}{kind}</text>",
        y + 20,
        escape(label),
        y + 28,
        y + 46,
        escape(first)
    );
    let Some(hint) = block["hint"]["text"].as_str() else { return 60 };
    let _ = writeln!(body, "<text x=\"16\" y=\"{}\" fill=\"#777\">{}</text>", y + 72, escape(hint));
    82
}

/// A view as a picture: its title, its blocks, its last button.
fn picture_of_view(view: &Value) -> String {
    let text = |key: &str| view[key]["text"].as_str().map(str::to_owned);
    let mut blocks = Vec::new();
    let heading = |words: String| {
        json!({ "type": "rich_text", "elements": [{ "type": "rich_text_section",
        "elements": [{ "type": "text", "text": words, "style": { "bold": true } }] }] })
    };
    blocks.extend(text("title").map(heading));
    blocks.extend(view["blocks"].as_array().into_iter().flatten().cloned());
    let buttons: Vec<Value> = [text("close"), text("submit")]
        .into_iter()
        .flatten()
        .map(|label| json!({ "text": { "text": label } }))
        .collect();
    if !buttons.is_empty() {
        blocks.push(json!({ "type": "actions", "elements": buttons }));
    }
    picture(&blocks)
}

/// The home tab and the two pages of the form.
fn views() -> Vec<(&'static str, &'static str, Value)> {
    let shop = fixture::environment("shop");
    let mut tab = Tab::default();
    let mut standing = super::managed();
    standing.last = Some(done().numbered(3).summary());
    let status = cards::status(&[Standing::Managed(Box::new(standing))], &clock());
    assert!(tab.takes(status, form::overview_buttons(&shop), |_| true));
    let runner = |host: &str, alive| RunnerHealth { host: host.to_owned(), seen: clock().now, alive };
    let runners = [runner("runner-1", true), runner("runner-2", false)];
    let home = tab.whole(&overview::health(&runners, Some(60_000), (0, None), &clock()));
    let offer = Offer { environment: &shop, choices: form::CHOICES.to_vec() };
    let planned = Scene::of("plan shop full").planned().ends(Outcome::Planned).detail();
    let typed = cards::carried_out(&planned);
    let mut card = run_card(&planned, &clock());
    card.next = vec![typed.clone()];
    let last = Some(Last { label: form::last(false), typed, keep: None });
    let page = Page { card: &card, whole: "show 5", last };
    vec![
        ("home", "The *Home* tab", json!({ "type": "home", "blocks": home })),
        ("form", "The form", slack::view(&[offer], form::NOTHING, None, "{}")),
        ("form-plan", "The form: what it would do", slack::planned(&page, "C1", None)),
    ]
}

/// The blocks as a picture: what is read, in the order in which it stands; not Slack's own fonts and colours.
fn picture(blocks: &[Value]) -> String {
    let (mut body, mut y) = (String::new(), 12);
    for block in blocks {
        if block["type"] == "actions" {
            let mut x = 16;
            for button in block["elements"].as_array().into_iter().flatten() {
                let opens = button["placeholder"]["text"].as_str().map(|label| format!("{label} ▾"));
                let label = opens.unwrap_or_else(|| button["text"]["text"].as_str().unwrap_or_default().to_owned());
                let width = 24 + 9 * label.chars().count();
                let _ = writeln!(
                    body,
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"26\" rx=\"5\" fill=\"none\" stroke=\"#777\"/>\
                     <text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text>",
                    x + 12,
                    y + 18,
                    escape(&label)
                );
                x += width + 10;
            }
            y += 34;
        }
        if block["type"] == "divider" {
            let _ = writeln!(body, "<path d=\"M16 {y}H884\" stroke=\"#cccccc\"/>");
        }
        if block["type"] == "input" {
            y += field(block, y, &mut body);
        }
        if let Some(words) = block["text"]["text"].as_str().filter(|_| block["type"] == "section") {
            for line in wrapped(words) {
                y += 20;
                let _ = writeln!(body, "<text x=\"16\" y=\"{y}\">{}</text>", escape(&line));
            }
        }
        for (line, bold) in lines(block).into_iter().filter(|_| block["type"] == "rich_text") {
            y += 20;
            let weight = if bold { " font-weight=\"bold\"" } else { "" };
            let _ = writeln!(body, "<text x=\"16\" y=\"{y}\" xml:space=\"preserve\"{weight}>{}</text>", escape(&line));
        }
        y += 10;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"{0}\" font-family=\"monospace\" font-size=\"14\">\n\
         <rect width=\"900\" height=\"{0}\" rx=\"8\" fill=\"#ffffff\" stroke=\"#cccccc\"/>\n{body}</svg>\n",
        y + 8
    )
}

/// What stands below a picture: the text for those who do not see it, and the blocks.
fn beneath(made: &Rendered) -> String {
    let json = serde_json::to_string_pretty(&made.blocks).expect("JSON");
    // As it is read, not as it is sent.
    let text = made.text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    format!(
        "\nFor notifications and screen readers:\n\n```text\n{text}\n```\n\n<details><summary>Block Kit</summary>\n\n\
         ```json\n{json}\n```\n\n</details>\n"
    )
}

/// The clock raises something in a quarter of an hour.
fn evening_up() -> Turn {
    Turn::new(Timestamp(clock().now.0 + 900_000), Tz::Asia__Tokyo, target("full"))
}

type Message = (&'static str, &'static str, Card, Vec<Button>);

/// Messages that are no run's card: those beside it, in its thread, of the clock, and what is told of trouble.
fn messages() -> Vec<Message> {
    let asks = destroying().detail();
    let failed = half_way().detail();
    let news = |name, about, detail: &RunDetail, key: &str| {
        let card = reporter::message(detail, key, &clock()).expect("a message");
        let buttons = reporter::buttons(detail, &card);
        (name, about, card, buttons)
    };
    let evening = Turn::new(Timestamp(clock().now.0 + 900_000), Tz::Asia__Tokyo, target("small"));
    let ahead = News::Clock {
        environment: asks.run.request.environment.clone(),
        said: ClockNews::Ahead {
            turn: evening.clone(),
            from: target("full"),
            held: None,
            unskippable: false,
            in_doubt: false,
            reasons: Some(Box::new(Reasons {
                because: vec![Because::Ends { schedule: "working hours".to_owned() }],
                bends: Vec::new(),
            })),
        },
    };
    let ahead = cards::news(&ahead, &clock());
    let presses = ahead.next.iter().filter_map(|line| cards::button(line, &ahead.title, true)).collect();
    let several = [of("shop", 5, done()), of("rpg", 6, applying()), of("web", 7, half_way())];
    let parts: Vec<Part> = several.iter().map(Part::of).collect();
    let together = cards::together(&evening_up(), &parts);
    let again = |(detail, part): (&RunDetail, &Part)| {
        let card = Card::new(cards::Tone::Plain, "").next(format!("retry {}", part.run));
        let buttons = if part.may_be_tried_again() { reporter::buttons(detail, &card) } else { Vec::new() };
        buttons.into_iter().map(|button| part.named(button)).collect::<Vec<_>>()
    };
    let retries = several.iter().zip(&parts).flat_map(again).collect();
    let mut standing = super::managed();
    standing.stacks.values_mut().for_each(|stack| stack.level = Some(target("small").level));
    standing.wanted = Some(target("small"));
    standing.last = None;
    let status = cards::status(&[Standing::Managed(Box::new(standing))], &clock());
    let part = LogPart {
        stack: super::name("jmeter"),
        phase: "apply".to_owned(),
        tried: false,
        lines: vec!["terraform_data.slave[0]: Creating...".to_owned(), "Error: no capacity".to_owned()],
        left_out: 120,
        cut: false,
        file: cards::BESIDE.to_owned(),
    };
    let log = cards::log(&LogExtract { run: failed.run.number, parts: vec![part] });
    let refusal =
        Refusal::refused("`down shop` is not yours to do", "it takes an operator of shop: you are @bob, viewer");
    let trouble = cards::for_admins(&cards::cannot_speak("slack", "#load-test", "is_archived"));
    vec![
        news("asks", "A new message: a yes is waited for", &asks, &reporter::version(&asks)),
        news("failed", "A new message: it failed", &failed, reporter::ENDED),
        ("plan", "In the thread: the plan", cards::plan(&failed), Vec::new()),
        ("log", "In the thread: what Terraform said", log, Vec::new()),
        ("warning", "The clock warns", ahead, presses),
        ("together", "Several environments at one moment", together, retries),
        ("status", "An answer with a menu, seen by who asked", status, Vec::new()),
        ("refusal", "A refusal, seen by who asked", cards::refusal(&refusal.hint("whoami")), Vec::new()),
        ("trouble", "To those who look after Tidegate", trouble, Vec::new()),
    ]
}

/// Files of the gallery: name and content.
fn gallery() -> Vec<(String, String)> {
    let mut page = String::from(
        "# How cards look in chats\n\n<!-- Made from the code: `TIDEGATE_WRITE_DOCS=1 cargo test -p tidegate gallery`. -->\n\n\
         The pictures show what is read in Slack and where it stands, not its fonts and colours. Discord gets the same as an embed.\n",
    );
    let mut files = Vec::new();
    for (name, about, scene) in scenes() {
        let detail = scene.detail();
        let mut card = run_card(&detail, &clock());
        card.next.extend(reporter::offers(&detail));
        let buttons = reporter::buttons(&detail, &card);
        let made = render(&card, &Extras { buttons, version: reporter::version(&detail), ..Extras::default() });
        let _ = write!(page, "\n## {about}\n\n![{}](gallery/{name}.svg)\n", card.title);
        if let Some(news) = notice(&detail, &clock()) {
            let _ = write!(
                page,
                "\nAs a new message: `{}`, with a link: `{}`.\n",
                news.title,
                card_link(detail.run.number.0)
            );
        }
        page += &beneath(&made);
        let buttons = reporter::buttons(&detail, &card);
        let extras = Extras { buttons, version: reporter::version(&detail), ..Extras::default() };
        let embed = serde_json::to_string_pretty(&discord::render(&card, &extras).blocks).expect("JSON");
        let _ = write!(page, "\n<details><summary>In Discord</summary>\n\n```json\n{embed}\n```\n\n</details>\n");
        files.push((format!("gallery/{name}.svg"), picture(&made.blocks)));
    }
    for (name, about, card, buttons) in messages() {
        let made = render(&card, &Extras { buttons, version: "1".to_owned(), ..Extras::default() });
        let _ = write!(page, "\n## {about}\n\n![{}](gallery/{name}.svg)\n", card.title);
        page += &beneath(&made);
        files.push((format!("gallery/{name}.svg"), picture(&made.blocks)));
    }
    for (name, about, view) in views() {
        let json = serde_json::to_string_pretty(&view).expect("JSON");
        let _ = write!(
            page,
            "\n## {about}\n\n![{about}](gallery/{name}.svg)\n\n<details><summary>Block Kit</summary>\n\n```json\n{json}\n\
             ```\n\n</details>\n"
        );
        files.push((format!("gallery/{name}.svg"), picture_of_view(&view)));
    }
    files.push(("gallery.md".to_owned(), page));
    files
}

#[test]
fn the_gallery_shows_the_cards_as_they_are() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for (name, text) in gallery() {
        let path = docs.join(&name);
        if std::env::var_os("TIDEGATE_WRITE_DOCS").is_some() {
            std::fs::create_dir_all(docs.join("gallery")).expect("a folder");
            std::fs::write(&path, &text).expect("written");
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == text, "docs/{name} is not what the code says; write it anew as this test describes");
    }
}
