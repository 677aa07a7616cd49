//! What Slack delivers, by socket or by HTTP, as what it means here. Anything else, whatever its form, is ignored.
//!
//! Read from plain JSON: the models of slack-morphism refuse a whole delivery for a field that they do not expect or miss.

use serde_json::Value;
use tidegate_runner::domain::ids::Timestamp;

use super::text::typed;
use super::{preview, render};
use crate::chat::voice::origin::{self, How, Origin, Said};
use crate::chat::voice::text::told;

/// In which of its three forms a delivery came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `/tide ...`
    Command,
    /// The Events API.
    Event,
    /// Buttons and forms.
    Interaction,
}

/// Who Tidegate is in this workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Me {
    /// The workspace.
    pub(super) team: String,
    /// The bot's user.
    pub(super) user: String,
    /// The app that the bot belongs to; `None` where Slack does not tell.
    pub(super) app: Option<String>,
}

impl Me {
    /// Whether something is about another app than the bot's.
    pub(super) fn is_of_another_app(&self, app: &Value) -> bool {
        app.as_str().zip(self.app.as_deref()).is_some_and(|(app, own)| app != own)
    }
}

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// A command in words.
    Said(Said),
    /// The form.
    Form { said: Said, trigger: String },
    /// A form that was filled in; its values by name.
    Filled { said: Said, view: Value },
    /// Another environment was chosen in the form.
    FormChanged { user: String, view: Value, environment: String },
    /// The home tab was opened.
    Home { user: String },
    /// Something was done to a channel: what, Slack tells who asks.
    Moved { channel: String },
    /// Nothing for us; why, for the log.
    Nothing(&'static str),
}

/// Reads a delivery.
pub(super) fn read(form: Form, payload: &Value, me: &Me) -> Wish {
    if me.is_of_another_app(&payload["api_app_id"]) {
        return Wish::Nothing("for another app");
    }
    match form {
        Form::Command => command(payload, me),
        Form::Event => event(payload, me),
        Form::Interaction => interaction(payload, me),
    }
    .unwrap_or(Wish::Nothing("something in it is missing"))
}

/// The moment that Slack makes a message's name of: seconds since 1970, a point, microseconds.
pub(super) fn moment(ts: &Value) -> Option<Timestamp> {
    let (seconds, micros) = ts.as_str()?.split_once('.')?;
    let (seconds, micros) = (seconds.parse::<i64>().ok()?, micros.parse::<i64>().ok()?);
    (seconds > 0).then(|| Timestamp(seconds.saturating_mul(1_000).saturating_add(micros / 1_000)))
}

/// All of it: what is too long is refused as a whole.
fn words(raw: &str, me: &Me) -> String {
    typed(raw, &me.user)
}

fn command(payload: &Value, me: &Me) -> Option<Wish> {
    let trigger = told(&payload["trigger_id"])?;
    let said = Said {
        key: format!("slack:command:{trigger}"),
        typed: words(payload["text"].as_str().unwrap_or_default(), me),
        reply: Origin {
            thread: told(&payload["thread_ts"]),
            response_url: told(&payload["response_url"]),
            ..Origin::new(
                told(&payload["team_id"])?,
                told(&payload["user_id"])?,
                told(&payload["channel_id"])?,
                How::Command,
            )
        },
    };
    Some(if said.typed.is_empty() { Wish::Form { said, trigger } } else { Wish::Said(said) })
}

/// What is told of channels: those that the manifest asks for.
const OF_CHANNELS: [&str; 10] = [
    "channel_archive",
    "channel_deleted",
    "channel_left",
    "channel_rename",
    "channel_unarchive",
    "group_archive",
    "group_deleted",
    "group_left",
    "group_rename",
    "group_unarchive",
];

fn event(payload: &Value, me: &Me) -> Option<Wish> {
    let event = &payload["event"];
    let user = event["user"].as_str().unwrap_or_default();
    match event["type"].as_str()? {
        "app_home_opened" if event["tab"] == "messages" => return Some(Wish::Nothing("not the home tab")),
        "app_home_opened" => return Some(Wish::Home { user: told(&event["user"])? }),
        "app_mention" | "message" => {}
        kind if OF_CHANNELS.contains(&kind) => {
            let channel = told(&event["channel"]).or_else(|| told(&event["channel"]["id"]))?;
            return Some(Wish::Moved { channel });
        }
        _ => return Some(Wish::Nothing("not a message")),
    }
    if !event["edited"].is_null() {
        return Some(Wish::Nothing("edited"));
    }
    if !matches!(event["subtype"].as_str(), None | Some("thread_broadcast" | "file_share")) {
        return Some(Wish::Nothing("not what somebody typed: edited, deleted, joined or alike"));
    }
    // Another program is heard, and answered where it is named; nobody is whose name a program speaks in.
    let program = !event["bot_id"].is_null() || !event["bot_profile"].is_null();
    if user == me.user || user.is_empty() {
        return Some(Wish::Nothing("of nobody, or its own"));
    }
    let raw = event["text"].as_str().unwrap_or_default();
    let direct = event["channel_type"] == "im";
    let mentioned = raw.contains(&format!("<@{}>", me.user)) || raw.contains(&format!("<@{}|", me.user));
    if !direct && !mentioned {
        return Some(Wish::Nothing("not for us"));
    }
    let channel = told(&event["channel"])?;
    let ts = told(&event["ts"])?;
    // In channels that are shared with other workspaces the event says whose the speaker is.
    let team = ["user_team", "source_team", "team"].iter().find_map(|key| told(&event[*key]));
    let team = team.or_else(|| told(&payload["team_id"]))?;
    let thread = told(&event["thread_ts"]);
    let at = moment(&event["ts"]);
    Some(Wish::Said(Said {
        key: format!("slack:{}:{channel}:{ts}", me.team),
        typed: words(raw, me),
        reply: Origin {
            thread: if direct { thread } else { thread.or_else(|| Some(ts.clone())) },
            at,
            ts: Some(ts),
            program,
            ..Origin::new(team, told(&event["user"])?, channel, if direct { How::Direct } else { How::Mention })
        },
    }))
}

fn interaction(payload: &Value, me: &Me) -> Option<Wish> {
    let user = &payload["user"];
    let team = told(&user["team_id"]).or_else(|| told(&payload["team"]["id"])).unwrap_or_else(|| me.team.clone());
    match payload["type"].as_str()? {
        "block_actions" => {}
        "view_submission" => return submission(payload, user, team),
        _ => return Some(Wish::Nothing("of a kind that is not known here")),
    }
    let action = payload["actions"].as_array()?.first()?;
    let id = action["action_id"].as_str()?;
    if id == "environment" && payload["view"]["callback_id"] == "tide.form" {
        let environment = told(&action["selected_option"]["value"])?;
        let user_id = told(&user["id"])?;
        return Some(Wish::FormChanged { user: user_id, view: payload["view"].clone(), environment });
    }
    let Some(button) = id.strip_prefix("tide.") else { return Some(Wish::Nothing("not one of our buttons")) };
    // A message may have several of one verb, which are counted.
    let verb = button.split('.').next().unwrap_or(button);
    let (value, typed, version) = if button == render::MENU {
        (Value::Null, words(action["selected_option"]["value"].as_str()?, me), origin::MENU.to_owned())
    } else {
        let Ok(value) = serde_json::from_str::<Value>(action["value"].as_str().unwrap_or_default()) else {
            return Some(Wish::Nothing("a button without its command"));
        };
        let (typed, version) = (told(&value["typed"])?, told(&value["version"])?);
        if typed.split_whitespace().next() != Some(verb) {
            return Some(Wish::Nothing("a button whose command is another one's"));
        }
        (value, typed, version)
    };
    if typed.is_empty() || typed.chars().count() > 200 {
        return Some(Wish::Nothing("nothing that a button carries"));
    }
    let container = &payload["container"];
    let channel = told(&payload["channel"]["id"]).or_else(|| told(&container["channel_id"]));
    let card = told(&payload["message"]["ts"]).or_else(|| told(&container["message_ts"]));
    let user = told(&user["id"])?;
    let at = told(&action["action_ts"])?;
    let question = matches!(verb, "show" | "log" | "history");
    // With who pressed: a press by somebody who may not must not use the button up for those who may.
    let (channel, card, version, key) = if let (Some(channel), Some(card)) = (channel, card) {
        // Each press is one of its own: that a button is used once is the card's business, where what was refused frees it again.
        let key = format!("slack:press:{channel}:{card}:{version}:{button}:{user}:{at}");
        (channel, card, version, key)
    } else {
        // The home tab has neither channel nor message: what is said there is said to the bot alone. Its buttons stay; it is shown
        // anew after each press, and so each showing is pressed once, however often somebody clicks.
        let (id, hash) = (told(&payload["view"]["id"])?, told(&payload["view"]["hash"])?);
        let once = if question { &at } else { &hash };
        let key = format!("slack:press:{user}:{id}:{once}:{typed}");
        (user.clone(), id, hash, key)
    };
    Some(Wish::Said(Said {
        key,
        typed,
        reply: Origin {
            thread: told(&payload["message"]["thread_ts"]).or_else(|| told(&container["thread_ts"])),
            response_url: told(&payload["response_url"]),
            at: moment(&Value::from(at)),
            ..Origin::new(
                team,
                user,
                channel,
                How::Button { card, label: told(&value["label"]).unwrap_or_else(|| verb.to_owned()), version },
            )
        },
    }))
}

/// A form that was filled in, or the last button of the page that follows it.
fn submission(payload: &Value, user: &Value, team: String) -> Option<Wish> {
    let view = payload["view"].clone();
    let id = told(&view["id"])?;
    let kept: Value = serde_json::from_str(view["private_metadata"].as_str().unwrap_or("{}")).ok()?;
    let last = view["callback_id"] == preview::CALLBACK;
    let said = Said {
        key: format!("slack:form:{id}{}", if last { ":do" } else { "" }),
        typed: if last { told(&kept["typed"])? } else { String::new() },
        reply: Origin {
            response_url: told(&kept["response_url"]),
            ..Origin::new(team, told(&user["id"])?, told(&kept["channel"])?, How::Last { keep: told(&kept["keep"]) })
        },
    };
    match view["callback_id"].as_str() {
        Some(preview::CALLBACK) => Some(Wish::Said(said)),
        Some("tide.form") => Some(Wish::Filled { said, view }),
        _ => Some(Wish::Nothing("a form that is not ours")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn me() -> Me {
        Me { team: "T1".to_owned(), user: "UBOT".to_owned(), app: Some("A1".to_owned()) }
    }

    fn message(change: impl FnOnce(&mut Value)) -> Wish {
        let mut payload = json!({
            "team_id": "T1",
            "event": {
                "type": "app_mention", "user": "U1", "text": "<@UBOT> up shop", "ts": "17.1", "channel": "C1", "team": "T1"
            },
        });
        change(&mut payload);
        read(Form::Event, &payload, &me())
    }

    #[test]
    fn one_mention_in_two_events_is_one_message() {
        let Wish::Said(first) = message(|_| {}) else { panic!("a command") };
        let second = message(|payload| {
            payload["event"]["type"] = "message".into();
            payload["event"]["channel_type"] = "channel".into();
        });
        assert_eq!(Wish::Said(first.clone()), second);
        assert_eq!((first.key.as_str(), first.typed.as_str()), ("slack:T1:C1:17.1", "up shop"));
        assert_eq!(first.reply.thread.as_deref(), Some("17.1"));
    }

    #[test]
    fn what_is_edited_deleted_of_bots_or_not_for_us_is_nothing() {
        type Change = fn(&mut Value);
        let changes: [(&str, Change); 7] = [
            ("edited", |p| p["event"]["edited"] = json!({ "user": "U1" })),
            ("changed", |p| p["event"]["subtype"] = "message_changed".into()),
            ("deleted", |p| p["event"]["subtype"] = "message_deleted".into()),
            ("a program's without a user", |p| p["event"]["user"] = Value::Null),
            ("its own", |p| p["event"]["user"] = "UBOT".into()),
            ("not a mention", |p| p["event"]["text"] = "up shop".into()),
            ("a kind of the future", |p| p["event"]["type"] = "hologram".into()),
        ];
        for (what, change) in changes {
            assert!(matches!(message(change), Wish::Nothing(_)), "{what}");
        }
        assert!(matches!(read(Form::Event, &json!("?"), &me()), Wish::Nothing(_)));
        assert!(matches!(read(Form::Command, &json!({ "text": "up" }), &me()), Wish::Nothing(_)));
        assert!(matches!(read(Form::Interaction, &json!({ "type": "hologram" }), &me()), Wish::Nothing(_)));
    }

    #[test]
    fn what_is_done_to_channels_is_heard_as_the_manifest_asks_for_it() {
        for (kind, channel) in [("channel_left", json!("C7")), ("group_rename", json!({ "id": "C7", "name": "x" }))] {
            let heard = message(|p| p["event"] = json!({ "type": kind, "channel": channel }));
            assert_eq!(heard, Wish::Moved { channel: "C7".to_owned() }, "{kind}");
        }
        let manifest = include_str!("../../../slack-manifest.yaml");
        let events = manifest.split("    bot_events:\n").nth(1).expect("events of the bot");
        let events = events.lines().map_while(|line| line.trim().strip_prefix("- "));
        let asked: Vec<&str> =
            events.filter(|name| !matches!(*name, "app_home_opened" | "app_mention" | "message.im")).collect();
        assert_eq!(asked, OF_CHANNELS);
    }

    #[test]
    fn what_is_for_another_app_is_nothing() {
        let of = |app: &str| message(|p| p["api_app_id"] = app.into());
        assert!(matches!(of("A1"), Wish::Said(_)));
        assert_eq!(of("A2"), Wish::Nothing("for another app"));
        let payload = json!({ "api_app_id": "A2", "trigger_id": "1.2.x", "text": "up shop", "team_id": "T1", "user_id": "U1",
                              "channel_id": "C1" });
        assert_eq!(read(Form::Command, &payload, &me()), Wish::Nothing("for another app"));
        let unknown = Me { app: None, ..me() };
        assert!(matches!(read(Form::Command, &payload, &unknown), Wish::Said(_)), "Slack did not tell which is ours");
    }

    #[test]
    fn what_a_program_says_is_known_as_such() {
        for key in ["bot_id", "bot_profile"] {
            let Wish::Said(said) = message(|p| p["event"][key] = "B1".into()) else { panic!("a command") };
            assert!(said.reply.program, "{key}");
        }
        let Wish::Said(said) = message(|_| {}) else { panic!("a command") };
        assert!(!said.reply.program);
    }

    #[test]
    fn a_speaker_of_another_workspace_is_known_as_such() {
        let Wish::Said(said) = message(|p| p["event"]["user_team"] = "T9".into()) else { panic!("a command") };
        assert_eq!(said.reply.team, "T9");
    }

    #[test]
    fn a_button_carries_its_own_command_and_no_other() {
        let press = |id: &str, value: &str| {
            let payload = json!({
                "type": "block_actions", "team": { "id": "T1" }, "user": { "id": "U1", "team_id": "T1" },
                "channel": { "id": "C1" }, "message": { "ts": "5.5" }, "response_url": "http://127.0.0.1/r",
                "actions": [{ "action_id": id, "value": value, "action_ts": "6.5" }],
            });
            read(Form::Interaction, &payload, &me())
        };
        let good = r#"{"typed":"approve 5","version":"v1","label":"Approve"}"#;
        let Wish::Said(said) = press("tide.approve", good) else { panic!("a command") };
        assert_eq!((said.typed.as_str(), said.key.as_str()), ("approve 5", "slack:press:C1:5.5:v1:approve:U1:6.5"));
        for (id, value) in
            [("tide.reject", good), ("approve", good), ("tide.approve", "approve 5"), ("tide.approve", "{}")]
        {
            assert!(matches!(press(id, value), Wish::Nothing(_)), "{id} {value}");
        }
    }

    #[test]
    fn a_command_without_words_opens_the_form() {
        let payload = |words: &str| {
            json!({
                "trigger_id": "1.2.x", "text": words, "team_id": "T1", "user_id": "U1", "channel_id": "C1",
                "response_url": "http://127.0.0.1/r",
            })
        };
        assert!(matches!(read(Form::Command, &payload("  "), &me()), Wish::Form { .. }));
        let Wish::Said(said) = read(Form::Command, &payload("up shop"), &me()) else { panic!("a command") };
        assert_eq!(said.key, "slack:command:1.2.x");
        let long = read(Form::Command, &payload(&"日".repeat(10_000)), &me());
        assert!(matches!(long, Wish::Said(said) if said.typed.chars().count() == 10_000), "nothing is cut");
    }
}
