//! How a channel reads to people, as text.

use std::fmt::Write as _;

use serde_json::Value;

use super::state::{Id, Message, State};

/// The whole channel, oldest first; threads below their messages.
pub(super) fn channel(state: &State, id: Id) -> String {
    let Some(channel) = state.channels.get(&id) else { return String::new() };
    let name = |id: Id| state.people.get(&id).map_or("somebody", |person| person.name.as_str());
    let mut text =
        channel.direct.map_or_else(|| format!("#{}\n", channel.name), |person| format!("@{}\n", name(person)));
    for message in state.messages.iter().filter(|m| m.channel == id && !m.deleted) {
        text += &one(state, message);
        if state.channels.get(&message.id).is_some_and(|thread| thread.parent == Some(id)) {
            for answer in state.messages.iter().filter(|m| m.channel == message.id && !m.deleted) {
                for line in one(state, answer).lines() {
                    let _ = writeln!(text, "  > {line}");
                }
            }
        }
    }
    text
}

/// One message with who wrote it.
pub(super) fn one(state: &State, message: &Message) -> String {
    let name = |id: Id| state.people.get(&id).map_or_else(|| "somebody".to_owned(), |person| person.name.clone());
    let mut head = name(message.author);
    if let Some(only) = message.only {
        let _ = write!(head, " (only {} sees)", name(only));
    }
    if message.edited {
        head += " (edited)";
    }
    if message.answers.is_some() {
        head += " (answers)";
    }
    let mut lines = Vec::new();
    if message.thinks {
        lines.push("(thinks)".to_owned());
    }
    let text = |value: &Value| plainly(state, value.as_str().unwrap_or_default());
    lines.extend(text(&message.body["content"]).lines().map(str::to_owned));
    for embed in message.body["embeds"].as_array().into_iter().flatten() {
        lines.push(text(&embed["title"]));
        lines.extend(text(&embed["description"]).lines().map(str::to_owned));
    }
    for row in message.body["components"].as_array().into_iter().flatten() {
        let buttons = row["components"].as_array().into_iter().flatten();
        let labels: Vec<String> =
            buttons.map(|one| format!("[{}]", one["label"].as_str().unwrap_or_else(|| menu(one)))).collect();
        lines.push(labels.join(" "));
    }
    for (file, content) in &message.files {
        lines.push(format!("[file {file}, {} bytes]", content.len()));
    }
    match lines.as_slice() {
        [line] => format!("{head}: {line}\n"),
        lines => format!("{head}:\n{}", lines.iter().map(|line| format!("  {line}\n")).collect::<String>()),
    }
}

/// Text as it is seen: names in place of mentions, without the marks that keep other marks from being seen.
fn plainly(state: &State, text: &str) -> String {
    let mut text = text.to_owned();
    for (id, person) in &state.people {
        text = text.replace(&format!("<@{id}>"), &format!("@{}", person.name));
    }
    for (id, role) in &state.roles {
        text = text.replace(&format!("<@&{id}>"), &format!("@{}", role.name));
    }
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        if c == '\\' && letters.peek().is_some_and(char::is_ascii_punctuation) {
            out.extend(letters.next());
        } else {
            out.push(c);
        }
    }
    out
}

/// What a menu says before anything is chosen in it.
fn menu(component: &Value) -> &str {
    component["placeholder"].as_str().unwrap_or_default()
}
