//! Bodies in Discord's form: what acknowledges an interaction, what messages and forms are made of, how commands are told. Lengths are for
//! who calls, by the limits that stand here.

use serde_json::{Value, json};

/// Most characters of an embed's title.
pub(crate) const TITLE_MAX: usize = 256;
/// Most characters of its description. With the title it stays below the 6,000 of all embeds together.
pub(crate) const TEXT_MAX: usize = 4_096;
/// Most characters of a message without an embed.
pub(crate) const CONTENT_MAX: usize = 2_000;
/// Most characters that a button or a choice carries, and of what stands below a field.
pub(crate) const ID_MAX: usize = 100;
/// Most characters on a button.
pub(crate) const BUTTON_MAX: usize = 80;
/// Most buttons in one row.
pub(crate) const ROW_MAX: usize = 5;
/// Most choices of a menu.
pub(crate) const CHOICES_MAX: usize = 25;

/// Only one person sees it.
const EPHEMERAL: u32 = 1 << 6;

/// A message: what is shown, and nobody notified but those whose marks stand in its text.
pub(crate) fn message(text: &str, embeds: &[&Value], rows: &[&Value]) -> Value {
    let ids = text.split(['<', '>', ' ']).filter_map(|word| word.strip_prefix('@'));
    let (roles, users): (Vec<&str>, Vec<&str>) = ids.partition(|id| id.starts_with('&'));
    let roles: Vec<&str> = roles.iter().map(|role| role.trim_start_matches('&')).collect();
    json!({
        "content": text, "embeds": embeds, "components": rows,
        "allowed_mentions": { "parse": [], "users": users, "roles": roles },
    })
}

/// Has a message be seen by one person alone.
pub(crate) fn for_one(mut body: Value) -> Value {
    body["flags"] = EPHEMERAL.into();
    body
}

/// What acknowledges an interaction.
pub(crate) struct Answer;

impl Answer {
    /// We are there.
    pub(crate) fn pong() -> Value {
        json!({ "type": 1 })
    }

    /// A message that only who did something sees.
    pub(crate) fn alone(message: Value) -> Value {
        json!({ "type": 4, "data": for_one(message) })
    }

    /// Discord shows that the bot thinks, to everybody or to who did something alone.
    pub(crate) fn thinks(alone: bool) -> Value {
        if alone { json!({ "type": 5, "data": { "flags": EPHEMERAL } }) } else { json!({ "type": 5 }) }
    }

    /// The message stays as it is.
    pub(crate) fn stays() -> Value {
        json!({ "type": 6 })
    }

    /// The message loses its buttons.
    pub(crate) fn without_buttons() -> Value {
        json!({ "type": 7, "data": { "components": [] } })
    }

    /// What can stand where somebody types: what is shown, and what it stands for.
    pub(crate) fn choices(all: Vec<(String, String)>) -> Value {
        let all: Vec<Value> = all.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        json!({ "type": 8, "data": { "choices": all } })
    }

    /// A form.
    pub(crate) fn form(name: &str, title: &str, fields: &[Value]) -> Value {
        json!({ "type": 9, "data": { "custom_id": name, "title": title, "components": fields } })
    }
}

/// A row of buttons, or of one menu.
pub(crate) fn row(components: &[Value]) -> Value {
    json!({ "type": 1, "components": components })
}

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Grey = 2,
    Green = 3,
    Red = 4,
}

/// A button.
pub(crate) fn button(style: Style, label: &str, id: &str) -> Value {
    json!({ "type": 2, "style": style as u8, "label": label, "custom_id": id })
}

/// A menu of a message: labels and values.
pub(crate) fn menu(id: &str, placeholder: &str, choices: impl Iterator<Item = (String, String)>) -> Value {
    let options: Vec<Value> = choices.map(|(label, value)| json!({ "label": label, "value": value })).collect();
    json!({ "type": 3, "custom_id": id, "placeholder": placeholder, "options": options })
}

/// A menu of a form: labels and values. The only one of which one has to be chosen is chosen.
pub(crate) fn chosen(id: &str, required: bool, choices: Vec<(String, String)>) -> Value {
    let one = choices.len() == 1 && required;
    let option = |(label, value)| json!({ "value": value, "label": label, "default": one });
    let options: Vec<Value> = choices.into_iter().map(option).collect();
    json!({
        "type": 3, "custom_id": id, "required": required, "min_values": u8::from(required), "max_values": 1,
        "options": options,
    })
}

/// A line of a form that need not be written, of at most so many characters.
pub(crate) fn line(id: &str, most: u16) -> Value {
    json!({ "type": 4, "custom_id": id, "style": 1, "required": false, "max_length": most })
}

/// A field of a form: what it says, what stands below it, and the menu or line.
pub(crate) fn field(label: &str, hint: Option<&str>, component: &Value) -> Value {
    let mut field = json!({ "type": 18, "label": label, "component": component });
    if let Some(hint) = hint {
        field["description"] = hint.into();
    }
    field
}

/// A command, with its subcommands where it has any.
pub(crate) fn command(name: &str, about: &str, subcommands: Vec<Value>) -> Value {
    let mut command = json!({ "type": 1, "name": name, "description": about });
    if !subcommands.is_empty() {
        command["options"] = subcommands.into();
    }
    command
}

/// A subcommand.
pub(crate) fn subcommand(name: &str, about: &str, options: &[Value]) -> Value {
    json!({ "type": 1, "name": name, "description": about, "options": options })
}

/// A text as its option; `completes`: what could stand there is asked for while it is typed.
pub(crate) fn option(name: &str, about: &str, required: bool, completes: bool) -> Value {
    json!({ "type": 3, "name": name, "description": about, "required": required, "autocomplete": completes })
}

/// At most 25 characters that no other message has.
pub(crate) fn nonce(id: uuid::Uuid) -> String {
    id.simple().to_string().split_off(8)
}

/// What a message of ours carries where nobody sees it: after the address that its title links to, which is its own channel's.
pub(crate) fn mark(id: uuid::Uuid) -> String {
    format!("#{id}")
}

/// Whether a message is this one of ours.
pub(crate) fn is_marked(said: &Value, id: uuid::Uuid) -> bool {
    let url = said["embeds"][0]["url"].as_str().unwrap_or_default();
    said["nonce"] == nonce(id).as_str() || url.ends_with(&mark(id))
}

/// Text in which nothing is a mark of Discord's.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // At the front they would make a heading, a quotation or a list.
        let first = matches!(c, '#' | '>' | '-' | '+') && out.trim_start().is_empty();
        if first || matches!(c, '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '[') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
