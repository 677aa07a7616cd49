//! An interaction as Discord delivers it, by gateway or by HTTP.

use serde_json::Value;

/// Something that somebody did.
#[derive(Debug)]
pub(crate) struct Interaction<'d> {
    /// Its number.
    pub(crate) id: &'d str,
    /// With which it is answered, for a quarter of an hour.
    pub(crate) token: Option<&'d str>,
    /// The server, unless it was done in a conversation.
    pub(crate) guild: Option<&'d str>,
    /// Who did it.
    pub(crate) user: &'d str,
    /// The channel or thread.
    pub(crate) place: Option<&'d str>,
    /// The channel of a thread.
    pub(crate) parent: Option<&'d str>,
    /// What was done.
    pub(crate) did: Did<'d>,
}

/// What somebody did.
#[derive(Debug)]
pub(crate) enum Did<'d> {
    /// They sent a command, or, with `slot`, type in this option of it.
    Command { name: &'d str, sub: Option<Sub>, slot: Option<&'d str> },
    /// They pressed a button, or chose in a menu.
    Press { id: &'d str, chosen: Option<&'d str>, message: Message<'d> },
    /// They filled a form in: its fields, of a menu the value that was chosen.
    Form { id: &'d str, fields: Vec<(String, String)> },
    /// Something that did not exist when this was written.
    Other,
}

/// A subcommand with the options that were filled in.
#[derive(Debug, Clone)]
pub(crate) struct Sub {
    pub(crate) name: String,
    pub(crate) filled: Vec<(String, String)>,
}

/// The message that a button stands below.
#[derive(Debug)]
pub(crate) struct Message<'d> {
    pub(crate) id: Option<&'d str>,
    /// Its first title.
    pub(crate) title: &'d str,
    /// What the button says.
    pub(crate) label: Option<&'d str>,
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// In which row an event has its turn: what the same person says in the same place. Whoever only types says nothing yet.
pub(crate) fn row_of(event: &Value) -> String {
    if event["type"] == 4 && event["content"].is_null() {
        return event["id"].to_string();
    }
    let who = [&event["author"]["id"], &event["member"]["user"]["id"], &event["user"]["id"]];
    let who = who.iter().find_map(|id| id.as_str()).unwrap_or_default();
    format!("{who} {}", event["channel_id"])
}

/// Whether Discord only asks whether we are there.
pub(crate) fn is_ping(said: &Value) -> bool {
    said["type"] == 1
}

impl<'d> Interaction<'d> {
    /// `None`: something in it is missing.
    pub(crate) fn read(said: &'d Value) -> Option<Self> {
        let (kind, data) = (said["type"].as_i64()?, &said["data"]);
        let thread = matches!(said["channel"]["type"].as_i64(), Some(10..=12));
        let did = match kind {
            2 | 4 => {
                let sub = data["options"].get(0);
                let options = sub.and_then(|sub| sub["options"].as_array()).map(Vec::as_slice).unwrap_or_default();
                let pair = |one: &Value| Some((text(&one["name"])?.to_owned(), text(&one["value"])?.to_owned()));
                let sub = sub.and_then(|sub| text(&sub["name"]));
                let filled = options.iter().filter_map(pair).collect();
                let slot = options.iter().find(|one| kind == 4 && one["focused"] == true);
                Did::Command {
                    name: data["name"].as_str().unwrap_or_default(),
                    sub: sub.map(|name| Sub { name: name.to_owned(), filled }),
                    slot: if kind == 4 { Some(slot.and_then(|one| text(&one["name"]))?) } else { None },
                }
            }
            3 => {
                let id = data["custom_id"].as_str()?;
                Did::Press { id, chosen: text(&data["values"][0]), message: Message::read(&said["message"], id) }
            }
            5 => Did::Form { id: data["custom_id"].as_str().unwrap_or_default(), fields: fields(data) },
            _ => Did::Other,
        };
        Some(Self {
            id: text(&said["id"])?,
            token: text(&said["token"]),
            guild: text(&said["guild_id"]),
            user: text(&said["member"]["user"]["id"]).or_else(|| text(&said["user"]["id"]))?,
            place: text(&said["channel"]["id"]).or_else(|| text(&said["channel_id"])),
            parent: text(&said["channel"]["parent_id"]).filter(|_| thread),
            did,
        })
    }
}

impl<'d> Message<'d> {
    fn read(message: &'d Value, pressed: &str) -> Self {
        let rows = message["components"].as_array().into_iter().flatten();
        let mut buttons = rows.filter_map(|row| row["components"].as_array()).flatten();
        let button = buttons.find(|button| button["custom_id"] == pressed);
        Self {
            id: text(&message["id"]),
            title: message["embeds"][0]["title"].as_str().unwrap_or_default(),
            label: button.and_then(|button| text(&button["label"])),
        }
    }
}

/// What was filled in, by field: of a menu the value that was chosen.
fn fields(data: &Value) -> Vec<(String, String)> {
    let all = data["components"].as_array().into_iter().flatten();
    let fields = all.filter_map(|one| one.get("component").or_else(|| one["components"].get(0)));
    let value = |field: &Value| field["value"].as_str().or_else(|| field["values"][0].as_str()).map(str::to_owned);
    fields.filter_map(|field| Some((field["custom_id"].as_str()?.to_owned(), value(field)?))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_filled_in_is_read_from_fields_of_both_kinds() {
        let data = json!({ "components": [
            { "type": 18, "component": { "type": 3, "custom_id": "environment", "values": ["shop"] } },
            { "type": 18, "component": { "type": 3, "custom_id": "level", "values": [] } },
            { "type": 1, "components": [{ "type": 4, "custom_id": "because", "value": "日本" }] },
            { "type": 99 }, null,
        ] });
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(fields(&data), [pair("environment", "shop"), pair("because", "日本")]);
        assert!(fields(&json!({})).is_empty());
    }
}
