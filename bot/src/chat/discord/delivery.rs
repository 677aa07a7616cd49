//! What Discord delivers, by gateway or by HTTP, as what it means here. Anything else, whatever its form, is ignored.
//!
//! Read from plain JSON: serenity's models refuse a whole delivery for a component or a channel of a kind that they do not know yet.

use serde_json::Value;

use super::DOOR;
use super::form::FORM;
use super::guild::Guild;
use super::render::{ASKS, BETWEEN, LAST, MENU, PRESS, SURE};
use crate::chat::voice::origin::{self, How, Origin, Said};
use crate::chat::voice::text::{as_typed, in_angles};
use crate::commands;
use crate::wire::discord::interaction::{Did, Interaction, Message, Sub, is_ping};
use crate::wire::discord::moment;
use crate::wire::discord::spoken::Spoken;

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

/// Reads an interaction. `None`: something in it is missing.
pub(super) fn interaction(said: &Value, guild: &str) -> Option<Wish> {
    if is_ping(said) {
        return Some(Wish::Ping);
    }
    if said["guild_id"].as_str().is_some_and(|id| id != guild) {
        return Some(Wish::Nothing("of another server"));
    }
    let done = Interaction::read(said)?;
    match &done.did {
        Did::Command { name, .. } if *name == FORM => Some(Wish::Form { user: done.user.to_owned() }),
        Did::Command { name, .. } if *name != "tide" => Some(Wish::Nothing("not our command")),
        Did::Command { sub, slot, .. } => {
            let Sub { name: command, filled } = sub.clone()?;
            if let Some(slot) = slot {
                return Some(Wish::Completes { user: done.user.to_owned(), command, filled, slot: (*slot).to_owned() });
            }
            let typed = as_typed(&commands::slots::line(&command, &filled));
            said_by(&done, format!("{DOOR}:command:{}", done.id), typed, How::Command).map(Wish::Said)
        }
        Did::Press { id, chosen, message } => pressed(&done, id, *chosen, message),
        Did::Form { id, fields } if *id == FORM => {
            // What becomes of it is known once it is read.
            let said = said_by(&done, format!("{DOOR}:form:{}", done.id), String::new(), How::Last { keep: None })?;
            Some(Wish::Filled { said, fields: fields.clone() })
        }
        Did::Form { .. } | Did::Other => Some(Wish::Nothing("of a kind that is not known here")),
    }
}

/// Where an interaction came from.
fn said_by(done: &Interaction<'_>, key: String, typed: String, how: How) -> Option<Said> {
    let place = done.place?;
    let (team, channel) = (done.guild.unwrap_or_default(), done.parent.unwrap_or(place));
    Some(Said {
        key,
        typed,
        reply: Origin {
            thread: done.parent.map(|_| format!("{THREAD}{place}")),
            response_url: done.token.map(str::to_owned),
            at: moment(done.id),
            // Discord shows that the bot thinks until it has said something.
            awaited: how == How::Command,
            ..Origin::new(team.to_owned(), done.user.to_owned(), channel.to_owned(), how)
        },
    })
}

fn pressed(done: &Interaction<'_>, carried: &str, chosen: Option<&str>, message: &Message<'_>) -> Option<Wish> {
    let said = |key, typed, how| said_by(done, key, typed, how).map(Wish::Said);
    let own = message.id.map(str::to_owned);
    if carried == MENU {
        let typed = chosen?.to_owned();
        let how = How::Button { card: own?, label: typed.clone(), version: origin::MENU.to_owned() };
        return said(format!("{DOOR}:menu:{}", done.id), as_typed(&typed), how);
    }
    let (kind, rest) = carried.split_once(BETWEEN)?;
    if kind == LAST {
        // Whoever clicks twice has pressed it once.
        return said(format!("{DOOR}:form:{}:do", own?), rest.to_owned(), How::Last { keep: None });
    }
    let (card, rest, label) = match kind {
        PRESS | ASKS => (own?, rest, message.label.map(str::to_owned)),
        SURE => rest.split_once(BETWEEN).map(|(card, rest)| (card.to_owned(), rest, None))?,
        _ => return Some(Wish::Nothing("not one of our buttons")),
    };
    let (version, typed) = rest.split_once(BETWEEN).map(|(version, typed)| (version.to_owned(), typed.to_owned()))?;
    let verb = typed.split_whitespace().next()?.to_owned();
    if kind == ASKS {
        return Some(Wish::Asks { version, typed, card, about: message.title.to_owned() });
    }
    // Each press is one of its own: that a button is used once is the card's business, where what was refused frees it again.
    let key = format!("{DOOR}:press:{}:{card}:{version}:{verb}:{}:{}", done.place?, done.user, done.id);
    let label = label.or_else(|| crate::cards::button(&typed, "", false).map(|button| button.label)).unwrap_or(verb);
    said(key, typed, How::Button { card, label, version })
}

/// Reads a message, of which it is known in which channel and thread it is.
pub(super) fn message(
    said: &Value,
    guild: &Guild,
    (channel, thread): (&str, Option<&str>),
    direct: bool,
) -> Option<Wish> {
    let spoken = Spoken::read(said)?;
    if spoken.guild.is_some_and(|id| id != guild.id) {
        return Some(Wish::Nothing("of another server"));
    }
    if !spoken.by_hand || spoken.author == guild.me {
        return Some(Wish::Nothing("not what somebody typed, or its own"));
    }
    // Of a message that names its role alone Discord may tell a bot no words.
    let (typed, mentioned) = resolved(spoken.text, |id| guild.is_me(id));
    if !direct && !mentioned && !spoken.roles.iter().any(|id| guild.is_me(id)) {
        return Some(Wish::Nothing("not for us"));
    }
    if spoken.edited {
        return Some(Wish::Nothing("edited"));
    }
    let (id, how) = (spoken.id.to_owned(), if direct { How::Direct } else { How::Mention });
    Some(Wish::Said(Said {
        key: format!("{DOOR}:{}:{id}", spoken.place),
        typed: as_typed(&typed),
        reply: Origin {
            thread: Some(thread.map_or_else(|| format!("{REPLY}{id}"), |thread| format!("{THREAD}{thread}"))),
            at: moment(&id),
            ts: Some(id),
            program: spoken.program,
            ..Origin::new(guild.id.clone(), spoken.author.to_owned(), channel.to_owned(), how)
        },
    }))
}

/// What somebody typed with mentions by id, and the bot's own taken away; and whether there were any of these.
fn resolved(raw: &str, is_me: impl Fn(&str) -> bool) -> (String, bool) {
    let mentioned = std::cell::Cell::new(false);
    let typed = in_angles(raw, |inner| {
        let id = ["@!", "@&", "@", "#"].iter().find_map(|mark| inner.strip_prefix(mark))?;
        let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        let mine = is_id && is_me(id);
        mentioned.set(mentioned.get() || mine);
        is_id.then(|| if mine { String::new() } else { format!("{DOOR}:{id}") })
    });
    (typed, mentioned.get())
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
            let mentioned = raw.contains('7');
            assert_eq!(resolved(raw, |id| id == "7"), (meant.to_owned(), mentioned));
        }
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
