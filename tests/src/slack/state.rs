//! What is in the workspace: people, channels, messages, forms, files. No sockets and no rules.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};

use super::ids::{ChannelId, GroupId, UserId, ViewId};

/// The workspace's team.
pub(crate) const TEAM: &str = "T0TIDEGATE";
/// The team of strangers, which shares channels with ours.
pub(crate) const OTHER_TEAM: &str = "T0STRANGER";
/// The app under test.
pub(crate) const APP: &str = "A0TIDEGATE";
/// The app's bot.
pub(crate) const BOT: &str = "B0TIDEGATE";
/// The app's bot user.
pub(crate) const BOT_USER: &str = "U0TIDEGATE";

/// Everything in the workspace.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) people: BTreeMap<UserId, Person>,
    pub(crate) channels: BTreeMap<ChannelId, Channel>,
    pub(crate) groups: BTreeMap<GroupId, Group>,
    /// In the order of their time stamps.
    pub(crate) messages: Vec<Message>,
    /// Open forms, and Home tabs; the last is on top.
    pub(crate) views: Vec<View>,
    pub(crate) files: BTreeMap<String, File>,
    pub(crate) triggers: BTreeMap<String, Trigger>,
    pub(crate) responses: BTreeMap<String, ResponseUrl>,
    /// The last time stamp given, microseconds since 1970.
    pub(crate) last_ts: i64,
    /// How long ago what is said now was said, in microseconds.
    pub(crate) ago: i64,
    pub(crate) counter: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Person,
    /// May only see some channels.
    Guest,
    Bot,
    /// Belongs to another team.
    Stranger,
}

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) deleted: bool,
    /// `B...`, for bots.
    pub(crate) bot_id: Option<String>,
    pub(crate) zone: String,
}

impl Person {
    pub(crate) fn team(&self) -> &'static str {
        if self.kind == Kind::Stranger { OTHER_TEAM } else { TEAM }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) id: ChannelId,
    /// Without the hash; for a direct conversation the person's name.
    pub(crate) name: String,
    pub(crate) private: bool,
    pub(crate) archived: bool,
    /// Shared with another team.
    pub(crate) shared: bool,
    /// The other side of a direct conversation with the app.
    pub(crate) direct: Option<UserId>,
    pub(crate) members: HashSet<UserId>,
}

impl Channel {
    /// `channel`, `group` or `im`, as events say.
    pub(crate) fn kind(&self) -> &'static str {
        match (self.direct.is_some(), self.private) {
            (true, _) => "im",
            (false, true) => "group",
            (false, false) => "channel",
        }
    }

    pub(crate) fn has(&self, user: &str) -> bool {
        self.members.iter().any(|member| member.as_str() == user)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) id: GroupId,
    pub(crate) handle: String,
    pub(crate) users: Vec<UserId>,
}

/// A message as it reads now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    pub(crate) channel: String,
    pub(crate) ts: String,
    pub(crate) user: String,
    pub(crate) bot_id: Option<String>,
    pub(crate) text: String,
    pub(crate) blocks: Option<Value>,
    pub(crate) attachments: Option<Value>,
    pub(crate) metadata: Option<Value>,
    pub(crate) thread_ts: Option<String>,
    pub(crate) broadcast: bool,
    pub(crate) edited: Option<String>,
    pub(crate) deleted: bool,
    /// Only this person sees it.
    pub(crate) only: Option<String>,
    pub(crate) files: Vec<String>,
    /// The reaction's name and who gave it.
    pub(crate) reactions: Vec<(String, String)>,
    pub(crate) client_msg_id: Option<String>,
    /// A command that the channel sees: no message to ask for in the history.
    pub(crate) command: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) id: ViewId,
    pub(crate) user: UserId,
    pub(crate) hash: String,
    pub(crate) root: ViewId,
    pub(crate) previous: Option<ViewId>,
    /// What the app sent, with block ids filled in.
    pub(crate) body: Map<String, Value>,
    /// What the person has put in: block -> action -> value.
    pub(crate) entered: Map<String, Value>,
}

impl View {
    pub(crate) fn is_home(&self) -> bool {
        self.body.get("type").and_then(Value::as_str) == Some("home")
    }

    /// As Slack tells it to the app.
    pub(crate) fn told(&self) -> Value {
        let or = |key: &str, other: Value| self.body.get(key).cloned().unwrap_or(other);
        json!({
            "id": self.id.as_str(), "team_id": TEAM, "type": or("type", json!("modal")), "blocks": or("blocks", json!([])),
            "private_metadata": or("private_metadata", json!("")), "callback_id": or("callback_id", json!("")),
            "state": { "values": self.entered }, "hash": self.hash, "title": or("title", Value::Null),
            "clear_on_close": or("clear_on_close", json!(false)), "notify_on_close": or("notify_on_close", json!(false)),
            "close": or("close", Value::Null), "submit": or("submit", Value::Null),
            "previous_view_id": self.previous.as_ref().map(ViewId::as_str), "root_view_id": self.root.as_str(),
            "app_id": APP, "external_id": or("external_id", json!("")), "app_installed_team_id": TEAM, "bot_id": BOT,
        })
    }
}

#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) length: usize,
    pub(crate) content: Option<Vec<u8>>,
    pub(crate) complete: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Trigger {
    pub(crate) user: UserId,
    pub(crate) until: tokio::time::Instant,
    pub(crate) used: bool,
    /// The form in which it was born.
    pub(crate) view: Option<ViewId>,
}

#[derive(Debug, Clone)]
pub(crate) struct ResponseUrl {
    pub(crate) user: String,
    pub(crate) channel: String,
    /// The message whose button was pressed.
    pub(crate) message: Option<String>,
    pub(crate) uses: u32,
    pub(crate) until: tokio::time::Instant,
}

impl State {
    /// A new time stamp, later than every other of the present.
    pub(crate) fn stamp(&mut self) -> String {
        let at = if self.ago == 0 {
            self.last_ts = now_micros().max(self.last_ts + 1);
            self.last_ts
        } else {
            self.ago -= 1;
            now_micros() - self.ago
        };
        format!("{}.{:06}", at / 1_000_000, at % 1_000_000)
    }

    /// A new id with this first letter.
    pub(crate) fn new_id(&mut self, letter: char) -> String {
        self.counter += 1;
        format!("{letter}0{:08}", self.counter)
    }

    pub(crate) fn person(&self, id: &str) -> Option<&Person> {
        self.people.get(&UserId(id.to_owned()))
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Person> {
        self.people.values().find(|person| person.name == name)
    }

    pub(crate) fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.get(&ChannelId(id.to_owned()))
    }

    /// A message that is there and that everybody sees.
    pub(crate) fn message(&self, channel: &str, ts: &str) -> Option<&Message> {
        self.messages.iter().find(|m| m.channel == channel && m.ts == ts && !m.deleted)
    }

    pub(crate) fn message_mut(&mut self, channel: &str, ts: &str) -> Option<&mut Message> {
        self.messages.iter_mut().find(|m| m.channel == channel && m.ts == ts && !m.deleted)
    }

    /// Puts it at the end of its channel and gives it its time stamp.
    pub(crate) fn post(&mut self, mut message: Message) -> Message {
        message.ts = self.stamp();
        if let Some(blocks) = &mut message.blocks {
            self.name_blocks(blocks);
        }
        self.messages.push(message.clone());
        message
    }

    /// Slack gives each block and each element of actions a name where the app gave none.
    pub(crate) fn name_blocks(&mut self, blocks: &mut Value) {
        for block in blocks.as_array_mut().into_iter().flatten() {
            let Some(block) = block.as_object_mut() else { continue };
            if !block.contains_key("block_id") {
                block.insert("block_id".into(), json!(self.new_id('b')));
            }
            for key in ["elements", "accessory", "element"] {
                let Some(found) = block.get_mut(key) else { continue };
                let elements = match found {
                    Value::Array(elements) => elements.iter_mut().collect::<Vec<_>>(),
                    one => vec![one],
                };
                for element in elements {
                    let interactive = super::blocks::is_interactive(element);
                    if let Some(element) = element.as_object_mut()
                        && interactive
                        && !element.contains_key("action_id")
                    {
                        element.insert("action_id".into(), json!(self.new_id('a')));
                    }
                }
            }
        }
    }

    pub(crate) fn view_mut(&mut self, id: &str) -> Option<&mut View> {
        self.views.iter_mut().find(|view| view.id.as_str() == id)
    }

    /// The direct conversation between the app and this person.
    pub(crate) fn direct(&mut self, user: &UserId) -> ChannelId {
        if let Some(channel) = self.channels.values().find(|channel| channel.direct.as_ref() == Some(user)) {
            return channel.id.clone();
        }
        let id = ChannelId(self.new_id('D'));
        let name = self.person(user.as_str()).map_or_else(String::new, |person| person.name.clone());
        let members = [user.clone(), UserId(BOT_USER.into())].into();
        let (private, archived, shared, direct) = (true, false, false, Some(user.clone()));
        self.channels.insert(id.clone(), Channel { id: id.clone(), name, private, archived, shared, direct, members });
        id
    }
}

/// Microseconds since 1970.
pub(crate) fn now_micros() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "this Slack is a program of its own, with its own clock")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_micros()).ok()).unwrap_or(0)
}
