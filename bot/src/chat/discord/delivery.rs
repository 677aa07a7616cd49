//! What Discord delivers, by gateway or by HTTP, as what it means here. Anything else, whatever its form, is ignored.
//!
//! Read from plain JSON: serenity's models refuse a whole delivery for a component or a channel of a kind that they do not know yet.

use serde_json::Value;
use serenity::model::id::MessageId;
use tidegate_runner::domain::ids::Timestamp;

use super::DOOR;
use super::form::{FORM, filled};
use super::guild::Guild;
use super::render::{ASKS, BETWEEN, LAST, MENU, PRESS, SURE};
use crate::chat::voice::origin::{self, How, Origin, Said};
use crate::chat::voice::text::as_typed;
use crate::commands;

/// Most characters of a command that are read. Nothing that can be meant is nearly as long.
const TYPED_MAX: usize = 4_000;

/// Before a message that an answer replies to, where a thread of an answer is told.
pub(super) const REPLY: char = 'r';
/// The same before a thread.
pub(super) const THREAD: char = 't';

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// A command in words.
    Said(Said),
    /// A button whose command asks first: what it would carry, and what the message is about.
    Asks { version: String, typed: String, card: String, about: String },
    /// The form.
    Form { user: String },
    /// A form that was filled in: its fields by name.
    Filled { said: Said, fields: Vec<(String, String)> },
    /// Somebody types a command, and is shown what could stand here.
    Completes { user: String, command: String, filled: Vec<(String, String)>, slot: String },
    /// Whether we are there.
    Ping,
    /// Nothing for us; why, for the log.
    Nothing(&'static str),
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The moment in a number of Discord's.
pub(super) fn moment(id: &str) -> Option<Timestamp> {
    let id = id.parse::<u64>().ok().filter(|id| *id > 0)?;
    let at = MessageId::new(id).created_at();
    Some(Timestamp(at.unix_timestamp().saturating_mul(1_000) + i64::from(at.millisecond())))
}

/// The first number of a moment, in milliseconds since 1970.
pub(super) fn number_at(ms: i64) -> String {
    /// 2015, from which Discord counts.
    const FIRST_MS: i64 = 1_420_070_400_000;
    (u64::try_from(ms - FIRST_MS).unwrap_or(0) << 22).to_string()
}

/// Reads an interaction. `None`: something in it is missing.
pub(super) fn interaction(said: &Value, guild: &str) -> Option<Wish> {
    let kind = said["type"].as_i64()?;
    if kind == 1 {
        return Some(Wish::Ping);
    }
    if said["guild_id"].as_str().is_some_and(|id| id != guild) {
        return Some(Wish::Nothing("of another server"));
    }
    let user = text(&said["member"]["user"]["id"]).or_else(|| text(&said["user"]["id"]))?;
    match kind {
        2 | 4 => {
            let data = &said["data"];
            if data["name"] == FORM {
                return Some(Wish::Form { user });
            }
            if data["name"] != "tide" {
                return Some(Wish::Nothing("not our command"));
            }
            let sub = data["options"].as_array()?.first()?;
            let command = text(&sub["name"])?;
            let options = sub["options"].as_array().cloned().unwrap_or_default();
            let filled = options.iter().filter_map(|one| Some((text(&one["name"])?, text(&one["value"])?)));
            let filled: Vec<(String, String)> = filled.collect();
            if kind == 4 {
                let slot = options.iter().find(|one| one["focused"] == true).and_then(|one| text(&one["name"]))?;
                return Some(Wish::Completes { user, command, filled, slot });
            }
            let typed = words(&commands::slots::line(&command, &filled));
            Some(Wish::Said(said_by(
                said,
                user,
                format!("{DOOR}:command:{}", text(&said["id"])?),
                typed,
                How::Command,
            )?))
        }
        3 => pressed(said, user),
        5 if said["data"]["custom_id"] == FORM => {
            let key = format!("{DOOR}:form:{}", text(&said["id"])?);
            let fields = filled(&said["data"]);
            // What becomes of it is known once it is read.
            let said = said_by(said, user, key, String::new(), How::Last { keep: None })?;
            Some(Wish::Filled { said, fields })
        }
        _ => Some(Wish::Nothing("of a kind that is not known here")),
    }
}

/// Where an interaction came from.
fn said_by(said: &Value, user: String, key: String, typed: String, how: How) -> Option<Said> {
    let place = text(&said["channel"]["id"]).or_else(|| text(&said["channel_id"]))?;
    let thread = matches!(said["channel"]["type"].as_i64(), Some(10..=12));
    let parent = text(&said["channel"]["parent_id"]).filter(|_| thread);
    let id = text(&said["id"])?;
    Some(Said {
        key,
        typed,
        reply: Origin {
            team: text(&said["guild_id"]).unwrap_or_default(),
            user,
            thread: parent.is_some().then(|| format!("{THREAD}{place}")),
            channel: parent.unwrap_or(place),
            response_url: text(&said["token"]),
            at: moment(&id),
            ts: None,
            again: false,
            // Discord shows that the bot thinks until it has said something.
            awaited: how == How::Command,
            program: false,
            how,
        },
    })
}

fn pressed(said: &Value, user: String) -> Option<Wish> {
    let carried = said["data"]["custom_id"].as_str()?;
    let message = &said["message"];
    if carried == MENU {
        let (typed, card, id) = (text(&said["data"]["values"][0])?, text(&message["id"])?, text(&said["id"])?);
        let how = How::Button { card, label: typed.clone(), version: origin::MENU.to_owned() };
        return Some(Wish::Said(said_by(said, user, format!("{DOOR}:menu:{id}"), words(&typed), how)?));
    }
    let (kind, rest) = carried.split_once(BETWEEN)?;
    if kind == LAST {
        // Whoever clicks twice has pressed it once.
        let key = format!("{DOOR}:form:{}:do", text(&message["id"])?);
        return Some(Wish::Said(said_by(said, user, key, rest.to_owned(), How::Last { keep: None })?));
    }
    let (version, typed, card, label) = match kind {
        PRESS | ASKS => {
            let (version, typed) = rest.split_once(BETWEEN)?;
            (version, typed, text(&message["id"])?, label(message, carried))
        }
        SURE => {
            let (card, rest) = rest.split_once(BETWEEN)?;
            let (version, typed) = rest.split_once(BETWEEN)?;
            (version, typed, card.to_owned(), None)
        }
        _ => return Some(Wish::Nothing("not one of our buttons")),
    };
    let (version, typed) = (version.to_owned(), typed.to_owned());
    let verb = typed.split_whitespace().next()?.to_owned();
    if kind == ASKS {
        let about = text(&message["embeds"][0]["title"]).unwrap_or_default();
        return Some(Wish::Asks { version, typed, card, about });
    }
    // Each press is one of its own: that a button is used once is the card's business, where what was refused frees it again.
    let place = text(&said["channel"]["id"]).or_else(|| text(&said["channel_id"]))?;
    let key = format!("{DOOR}:press:{place}:{card}:{version}:{verb}:{user}:{}", text(&said["id"])?);
    let label = label.or_else(|| crate::cards::button(&typed, "", false).map(|button| button.label)).unwrap_or(verb);
    Some(Wish::Said(said_by(said, user, key, typed, How::Button { card, label, version })?))
}

/// What a button of a message says.
fn label(message: &Value, carried: &str) -> Option<String> {
    let rows = message["components"].as_array()?;
    let buttons = rows.iter().filter_map(|row| row["components"].as_array()).flatten();
    buttons.into_iter().find(|button| button["custom_id"] == carried).and_then(|button| text(&button["label"]))
}

fn words(raw: &str) -> String {
    if raw.chars().nth(TYPED_MAX).is_none() {
        return as_typed(raw);
    }
    let kept: String = raw.chars().take(TYPED_MAX - 1).collect();
    as_typed(&format!("{kept}…"))
}

/// Reads a message, of which it is known in which channel and thread it is.
pub(super) fn message(
    said: &Value,
    guild: &Guild,
    (channel, thread): (&str, Option<&str>),
    direct: bool,
) -> Option<Wish> {
    if said["guild_id"].as_str().is_some_and(|id| id != guild.id) {
        return Some(Wish::Nothing("of another server"));
    }
    let author = &said["author"];
    // 19 answers another message; anything else that is not 0 nobody typed.
    if author["id"] == guild.me.as_str()
        || !said["webhook_id"].is_null()
        || !matches!(said["type"].as_i64(), Some(0 | 19))
    {
        return Some(Wish::Nothing("not what somebody typed, or its own"));
    }
    // Another program is heard, and answered where it is named.
    let program = author["bot"] == true;
    let raw = said["content"].as_str().unwrap_or_default();
    let mentioned = raw.contains(&format!("<@{}>", guild.me)) || raw.contains(&format!("<@!{}>", guild.me));
    if !direct && !mentioned {
        return Some(Wish::Nothing("not for us"));
    }
    if !said["edited_timestamp"].is_null() {
        return Some(Wish::Nothing("edited"));
    }
    let id = text(&said["id"])?;
    Some(Wish::Said(Said {
        key: format!("{DOOR}:{}:{id}", text(&said["channel_id"])?),
        typed: words(&resolved(raw, &guild.me)),
        reply: Origin {
            team: guild.id.clone(),
            user: text(&author["id"])?,
            channel: channel.to_owned(),
            thread: Some(thread.map_or_else(|| format!("{REPLY}{id}"), |thread| format!("{THREAD}{thread}"))),
            response_url: None,
            at: moment(&id),
            ts: Some(id),
            again: false,
            awaited: false,
            program,
            how: if direct { How::Direct } else { How::Mention },
        },
    }))
}

/// What somebody typed with mentions by id, and the bot's own taken away.
fn resolved(raw: &str, me: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, inner, after)) = next_mention(rest) {
        out.push_str(before);
        let id = inner.trim_start_matches(['@', '!', '&', '#']);
        if id != me {
            out.push_str(DOOR);
            out.push(':');
            out.push_str(id);
        }
        rest = after;
    }
    out + rest
}

/// The text before the next mention, what stands in it, and the text after it.
fn next_mention(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let start = from + text.get(from..)?.find('<')?;
        let rest = text.get(start + 1..)?;
        if let Some((inner, after)) = rest.split_once('>') {
            let id = inner.strip_prefix("@!").or_else(|| inner.strip_prefix("@&"));
            let id = id.or_else(|| inner.strip_prefix('@')).or_else(|| inner.strip_prefix('#'));
            if id.is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())) {
                return Some((text.get(..start)?, inner, after));
            }
        }
        from = start + 1;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mentions_become_ids_and_the_bots_own_goes() {
        for (raw, meant) in [
            ("<@7> up shop", " up shop"),
            ("<@!7>status", "status"),
            ("history by <@12>", "history by discord:12"),
            ("hold shop only <@&34> <#56>", "hold shop only discord:34 discord:56"),
            ("a < b > c <@> <@x>", "a < b > c <@> <@x>"),
            ("日本 <", "日本 <"),
        ] {
            assert_eq!(resolved(raw, "7"), meant);
        }
    }

    #[test]
    fn what_is_too_long_to_be_read_says_that_it_was_cut() {
        let (fits, long) = ("a".repeat(TYPED_MAX), "日".repeat(TYPED_MAX + 1));
        assert_eq!(words(&fits), fits);
        assert!(words(&long).ends_with("日…") && words(&long).chars().count() == TYPED_MAX);
    }

    #[test]
    fn a_number_of_discord_is_a_moment() {
        assert_eq!(moment("175928847299117063"), Some(Timestamp(1_462_015_105_796)));
        assert_eq!(moment(&number_at(1_462_015_105_796)), Some(Timestamp(1_462_015_105_796)));
        assert_eq!((moment("0"), moment("x"), number_at(0).as_str()), (None, None, "0"));
    }

    fn press(custom_id: &str) -> Option<Wish> {
        let said = json!({
            "type": 3, "id": "175928847299117063", "guild_id": "1", "token": "t", "channel": { "id": "5", "type": 0 },
            "member": { "user": { "id": "9" } }, "data": { "custom_id": custom_id },
            "message": { "id": "77", "embeds": [{ "title": "run 5" }],
                "components": [{ "components": [{ "custom_id": custom_id, "label": "Approve" }] }] },
        });
        interaction(&said, "1")
    }

    #[test]
    fn a_press_says_which_button_of_which_card_it_was() {
        let Some(Wish::Said(said)) = press("tide|v1|approve 5") else { panic!("a press") };
        assert_eq!(
            (said.typed.as_str(), said.key.as_str()),
            ("approve 5", "discord:press:5:77:v1:approve:9:175928847299117063")
        );
        let how = How::Button { card: "77".to_owned(), label: "Approve".to_owned(), version: "v1".to_owned() };
        assert_eq!(said.reply.how, how);
        assert!(matches!(press("tide?|v1|approve 5"), Some(Wish::Asks { card, .. }) if card == "77"));
        let Some(Wish::Said(said)) = press("tide!|66|v1|approve 5") else { panic!("a press") };
        assert_eq!(said.key, "discord:press:5:66:v1:approve:9:175928847299117063");
        assert_eq!(press("other|x"), Some(Wish::Nothing("not one of our buttons")));
        assert_eq!(press("nothing"), None);
    }

    #[test]
    fn what_is_chosen_in_a_menu_is_as_good_as_typed() {
        let said = |values| {
            json!({
                "type": 3, "id": "175928847299117063", "guild_id": "1", "token": "t", "channel": { "id": "5", "type": 0 },
                "member": { "user": { "id": "9" } }, "data": { "custom_id": MENU, "component_type": 3, "values": values },
                "message": { "id": "77" },
            })
        };
        let Some(Wish::Said(chosen)) = interaction(&said(json!(["up shop full"])), "1") else { panic!("a choice") };
        assert_eq!((chosen.typed.as_str(), chosen.key.as_str()), ("up shop full", "discord:menu:175928847299117063"));
        assert_eq!(interaction(&said(json!([])), "1"), None);
        assert_eq!(interaction(&said(json!([7])), "1"), None);
    }

    #[test]
    fn what_comes_from_another_server_or_lacks_something_is_not_heard() {
        assert_eq!(interaction(&json!({ "type": 1 }), "1"), Some(Wish::Ping));
        let other = json!({ "type": 2, "guild_id": "2", "member": { "user": { "id": "9" } } });
        assert_eq!(interaction(&other, "1"), Some(Wish::Nothing("of another server")));
        for lacks in [json!({}), json!({ "type": 2 }), json!({ "type": 3, "user": { "id": "1" } }), json!(null)] {
            assert_eq!(interaction(&lacks, "1"), None, "{lacks}");
        }
    }
}
