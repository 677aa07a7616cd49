//! What is in the server: people, roles, channels, messages, interactions. No sockets and no rules.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

/// The server.
pub(super) const GUILD: Id = Id(1_185_034_061_024_669_746);
/// The application under test.
pub(super) const APPLICATION: Id = Id(1_185_033_862_130_442_322);
/// Its bot's user.
pub(super) const BOT: Id = Id(1_185_033_862_130_442_999);

/// The first moment that Discord counts from.
const FIRST_MS: i64 = 1_420_070_400_000;

/// A number of Discord's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u64);

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Now, in milliseconds since 1970.
#[must_use]
pub fn now_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "this Discord is a program of its own, with its own clock")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) bot: bool,
    pub(super) roles: Vec<Id>,
}

#[derive(Debug, Clone)]
pub(super) struct Role {
    pub(super) name: String,
    /// Everybody may call it: not so of a new one.
    pub(super) mentionable: bool,
    /// The role that came with the application under test, by whose name the bot goes, too.
    pub(super) own: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Channel {
    pub(super) name: String,
    /// 0 text, 1 direct, 11 thread.
    pub(super) kind: u8,
    pub(super) parent: Option<Id>,
    pub(super) direct: Option<Id>,
}

#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: Id,
    pub(super) channel: Id,
    pub(super) author: Id,
    pub(super) body: Value,
    /// Only they see it.
    pub(super) only: Option<Id>,
    pub(super) edited: bool,
    pub(super) deleted: bool,
    /// The application still thinks.
    pub(super) thinks: bool,
    pub(super) answers: Option<Id>,
    /// Names and contents.
    pub(super) files: Vec<(String, Vec<u8>)>,
}

#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) id: Id,
    pub(super) token: String,
    pub(super) user: Id,
    pub(super) channel: Id,
    pub(super) at_ms: i64,
    pub(super) acknowledged: Option<Value>,
    pub(super) original: Option<Id>,
    pub(super) expired: bool,
}

/// Everything in the server.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) roles: BTreeMap<Id, Role>,
    pub(super) people: BTreeMap<Id, Person>,
    /// Those of other servers are known to nobody here.
    pub(super) channels: BTreeMap<Id, Channel>,
    /// Threads that are put away, and that nobody but a moderator opens again.
    pub(super) locked: BTreeSet<Id>,
    pub(super) messages: Vec<Message>,
    pub(super) interactions: Vec<Given>,
    pub(super) commands: Value,
    last: u64,
    /// How long ago what is said now was said, in milliseconds.
    pub(super) ago_ms: i64,
    /// Nonces of the last minutes.
    pub(super) nonces: VecDeque<(String, Id)>,
    /// The key that the application's deliveries are signed with.
    pub(super) verify_key: String,
    /// What everybody may do, in bits.
    pub(super) everybody: u64,
}

impl State {
    pub(super) fn next_id(&mut self) -> Id {
        let at = u64::try_from(now_ms() - self.ago_ms - FIRST_MS).unwrap_or(0) << 22;
        self.last = at.max(self.last + 1);
        Id(self.last)
    }

    pub(super) fn channel_named(&self, name: &str) -> Option<Id> {
        self.channels.iter().find(|(_, channel)| channel.kind == 0 && channel.name == name).map(|(id, _)| *id)
    }

    pub(super) fn message(&self, channel: Id, id: Id) -> Option<&Message> {
        self.messages.iter().find(|m| m.id == id && m.channel == channel && !m.deleted)
    }

    pub(super) fn message_mut(&mut self, channel: Id, id: Id) -> Option<&mut Message> {
        self.messages.iter_mut().find(|m| m.id == id && m.channel == channel && !m.deleted)
    }

    pub(super) fn user(&self, id: Id) -> Value {
        let person = self.people.get(&id);
        let name = person.map_or("somebody", |person| &person.name);
        json!({ "id": id.to_string(), "username": name, "global_name": null, "avatar": null, "discriminator": "0",
            "bot": person.is_some_and(|person| person.bot) })
    }

    pub(super) fn member(&self, id: Id) -> Option<Value> {
        let person = self.people.get(&id)?;
        let roles: Vec<String> = person.roles.iter().map(ToString::to_string).collect();
        Some(json!({ "user": self.user(id), "nick": null, "roles": roles, "joined_at": "2024-01-01T00:00:00Z",
            "deaf": false, "mute": false, "flags": 0 }))
    }

    pub(super) fn channel_json(&self, id: Id) -> Option<Value> {
        let channel = self.channels.get(&id)?;
        let mut made = json!({ "id": id.to_string(), "type": channel.kind, "name": channel.name });
        if channel.kind != 1 {
            made["guild_id"] = GUILD.to_string().into();
        }
        if let Some(parent) = channel.parent {
            made["parent_id"] = parent.to_string().into();
        }
        Some(made)
    }

    pub(super) fn message_json(&self, message: &Message) -> Value {
        let mut made = json!({
            "id": message.id.to_string(), "channel_id": message.channel.to_string(), "author": self.user(message.author),
            "content": message.body["content"].as_str().unwrap_or_default(), "embeds": list(&message.body["embeds"]),
            "components": list(&message.body["components"]), "timestamp": "2026-01-01T00:00:00Z",
            "edited_timestamp": message.edited.then_some("2026-01-01T00:00:01Z"), "tts": false, "mentions": [],
            "mention_roles": [], "mention_everyone": false, "pinned": false,
            "type": if message.answers.is_some() { 19 } else { 0 },
            "attachments": message.files.iter().map(|(name, _)| json!({ "id": "1", "filename": name })).collect::<Vec<_>>(),
            "flags": if message.only.is_some() { 64 } else { 0 },
        });
        if !message.body["nonce"].is_null() {
            made["nonce"] = message.body["nonce"].clone();
        }
        made
    }
}

pub(super) fn list(value: &Value) -> Value {
    if value.is_array() { value.clone() } else { json!([]) }
}
