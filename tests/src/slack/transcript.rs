//! How a channel, a form and the Home tab read to people, as text.

use std::fmt::Write as _;

use serde_json::Value;

use super::messages;
use super::state::{BOT_USER, Channel, Message, State, View};
use super::words::shown;

/// The whole channel, oldest first; threads below their messages.
pub(crate) fn channel(state: &State, channel: &Channel) -> String {
    let title = channel.direct.as_ref().map_or_else(|| format!("#{}", channel.name), |_| format!("@{}", channel.name));
    let here = |m: &&Message| m.channel == channel.id.as_str() && !m.deleted;
    let mut text = title + "\n";
    for message in state.messages.iter().filter(here).filter(|m| m.thread_ts.is_none() || m.broadcast) {
        text += &one(state, message);
        for answer in state.messages.iter().filter(here).filter(|m| m.thread_ts.as_ref() == Some(&message.ts)) {
            for line in one(state, answer).lines() {
                let _ = writeln!(text, "  > {line}");
            }
        }
    }
    text
}

/// One message with who wrote it.
pub(crate) fn one(state: &State, message: &Message) -> String {
    let name = state.person(&message.user).map_or(message.user.as_str(), |person| person.name.as_str());
    let mut head = name.to_owned();
    if let Some(only) = &message.only {
        let sees = state.person(only).map_or(only.as_str(), |person| person.name.as_str());
        let _ = write!(head, " (only {sees} sees)");
    }
    if message.edited.is_some() {
        head += " (edited)";
    }
    if message.broadcast {
        head += " (also to the channel)";
    }
    let lines = lines(state, message);
    match lines.as_slice() {
        [line] => format!("{head}: {line}\n"),
        lines => format!("{head}:\n{}", lines.iter().map(|line| format!("  {line}\n")).collect::<String>()),
    }
}

/// What a message says, by lines.
fn lines(state: &State, message: &Message) -> Vec<String> {
    // People write rich text, whose text is the message's text; what an app sends as blocks stands in place of its text.
    let mut lines = match message.blocks.as_ref().filter(|_| message.bot_id.is_some()) {
        Some(blocks) => self::blocks(state, blocks),
        None => shown(state, &message.text).lines().map(str::to_owned).collect(),
    };
    for attachment in message.attachments.iter().filter_map(Value::as_array).flatten() {
        match attachment.get("blocks") {
            Some(found) => lines.extend(self::blocks(state, found).into_iter().map(|line| format!("| {line}"))),
            None => {
                lines
                    .push(format!("| {}", shown(state, string(attachment.get("text").or(attachment.get("fallback"))))));
            }
        }
    }
    for file in message.files.iter().filter_map(|id| state.files.get(id)) {
        lines.push(format!("[file {}, {} bytes]", file.title, file.length));
    }
    for (name, _) in &message.reactions {
        lines.push(format!(":{name}:"));
    }
    lines
}

/// A form or the Home tab.
pub(crate) fn view(state: &State, view: &View) -> String {
    let mut text = String::new();
    if !view.is_home() {
        let _ = writeln!(text, "form: {}", string(view.body.get("title").and_then(|title| title.get("text"))));
    }
    for line in blocks(state, view.body.get("blocks").unwrap_or(&Value::Null)) {
        let _ = writeln!(text, "{line}");
    }
    for (name, usual) in [("submit", None), ("close", Some("Cancel"))] {
        let label = view.body.get(name).and_then(|button| button.get("text")).and_then(Value::as_str).or(usual);
        if let Some(label) = label.filter(|_| !view.is_home()) {
            let _ = writeln!(text, "[{label}]");
        }
    }
    text
}

fn string(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

fn text_of(state: &State, object: Option<&Value>) -> String {
    let Some(object) = object else { return String::new() };
    let text = string(object.get("text"));
    // Plain text shows its letters as they are, with the three entities read.
    if object.get("type").and_then(Value::as_str) == Some("plain_text") {
        return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    }
    shown(state, text)
}

fn blocks(state: &State, blocks: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let mut push = |text: String| lines.extend(text.lines().map(str::to_owned));
    for block in blocks.as_array().into_iter().flatten() {
        let list = |name: &str| block.get(name).and_then(Value::as_array).into_iter().flatten();
        match string(block.get("type")) {
            "divider" => push("---".into()),
            "header" => push(format!("# {}", text_of(state, block.get("text")))),
            "section" => {
                push(text_of(state, block.get("text")));
                for field in list("fields") {
                    push(text_of(state, Some(field)));
                }
                if let Some(accessory) = block.get("accessory") {
                    push(element(state, accessory));
                }
            }
            "context" => push(list("elements").map(|part| text_of(state, Some(part))).collect::<Vec<_>>().join("  ")),
            "actions" => push(list("elements").map(|part| element(state, part)).collect::<Vec<_>>().join(" ")),
            "input" => {
                let label = text_of(state, block.get("label"));
                push(format!("{label}: {}", element(state, block.get("element").unwrap_or(&Value::Null))));
                push(text_of(state, block.get("hint")));
            }
            "image" => push(format!("[image {}]", string(block.get("alt_text")))),
            "rich_text" => push(list("elements").map(|part| rich(state, part)).collect::<Vec<_>>().join("\n")),
            "markdown" => push(string(block.get("text")).to_owned()),
            other => push(format!("[{other}]")),
        }
    }
    lines
}

/// A part of rich text. It has no marks of its own: what stands in it is shown as it is.
fn rich(state: &State, part: &Value) -> String {
    let words = |element: &Value| match string(element.get("type")) {
        "user" => shown(state, &format!("<@{}>", string(element.get("user_id")))),
        "usergroup" => shown(state, &format!("<!subteam^{}>", string(element.get("usergroup_id")))),
        "broadcast" => format!("@{}", string(element.get("range"))),
        "link" => {
            let url = string(element.get("url"));
            element
                .get("text")
                .and_then(Value::as_str)
                .map_or_else(|| url.to_owned(), |text| format!("{text} -> {url}"))
        }
        _ => string(element.get("text")).to_owned(),
    };
    let all: String = part.get("elements").and_then(Value::as_array).into_iter().flatten().map(words).collect();
    match string(part.get("type")) {
        "rich_text_preformatted" => all.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n"),
        _ => all,
    }
}

fn element(state: &State, element: &Value) -> String {
    let options = || element.get("options").and_then(Value::as_array).into_iter().flatten();
    let names = || options().map(|option| text_of(state, option.get("text"))).collect::<Vec<_>>().join(" | ");
    match string(element.get("type")) {
        "button" => {
            let label = text_of(state, element.get("text"));
            let asks = element.get("confirm").map(|confirm| text_of(state, confirm.get("title")));
            let link = element.get("url").and_then(Value::as_str).map(|url| format!(" ({url})")).unwrap_or_default();
            asks.map_or_else(|| format!("[{label}]{link}"), |asks| format!("[{label}, asks: {asks}]"))
        }
        "image" => format!("[image {}]", string(element.get("alt_text"))),
        "plain_text_input" | "number_input" | "email_text_input" | "url_text_input" => {
            format!("[____{}]", string(element.get("initial_value")))
        }
        "static_select" | "multi_static_select" | "checkboxes" | "radio_buttons" | "overflow" => {
            let initial = element.get("initial_option").map(|option| text_of(state, option.get("text")));
            format!("[{}]{}", names(), initial.map(|name| format!(" = {name}")).unwrap_or_default())
        }
        other => format!("[{other}]"),
    }
}

/// What called this person: new messages that mention them, or that stand in their direct conversation; edits call nobody.
pub(crate) fn called(state: &State, user: &str) -> Vec<String> {
    let groups: Vec<&str> =
        state.groups.values().filter(|g| g.users.iter().any(|u| u.as_str() == user)).map(|g| g.id.as_str()).collect();
    let calls = |text: &str| {
        text.contains(&format!("<@{user}>")) || groups.iter().any(|group| text.contains(&format!("<!subteam^{group}")))
    };
    let from_app = state.messages.iter().filter(|m| m.user == BOT_USER && !m.deleted && m.only.is_none());
    let own = |m: &&Message| {
        let channel = state.channel(&m.channel);
        let direct = channel.is_some_and(|channel| channel.direct.as_ref().is_some_and(|other| other.as_str() == user));
        let blocks = m.blocks.as_ref().map(ToString::to_string).unwrap_or_default();
        direct || channel.is_some_and(|c| c.has(user)) && (calls(&m.text) || calls(&blocks))
    };
    from_app.filter(own).map(|message| shown(state, &message.text)).collect()
}

/// Where it can be found again: a line of it contains these words.
pub(crate) fn says(state: &State, message: &Message, words: &str) -> bool {
    one(state, message).contains(words)
}

/// A thread's messages with their parent, as text.
pub(crate) fn thread(state: &State, parent: &Message) -> String {
    let answers: String = messages::replies(state, parent).map(|answer| one(state, answer)).collect();
    one(state, parent) + &answers
}
