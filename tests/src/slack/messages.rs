//! A message as Slack writes it: in history, in answers, in events.

use serde_json::{Value, json};

use super::state::{APP, BOT, Message, State, TEAM};

/// Where a browser finds it.
pub(crate) fn permalink(message: &Message) -> String {
    let plain =
        format!("https://tidegate-test.slack.com/archives/{}/p{}", message.channel, message.ts.replace('.', ""));
    match &message.thread_ts {
        Some(thread) if *thread != message.ts => format!("{plain}?thread_ts={thread}&cid={}", message.channel),
        _ => plain,
    }
}

/// As in history. Metadata is there only where it is asked for.
pub(crate) fn told(state: &State, message: &Message, metadata: bool) -> Value {
    let mut told =
        json!({ "type": "message", "ts": message.ts, "text": message.text, "user": message.user, "team": TEAM });
    let mut set = |name: &str, value: Value| told[name] = value;
    if let Some(bot) = &message.bot_id {
        let app = if bot == BOT { APP } else { "A0OTHER" };
        let name = state.person(&message.user).map_or("", |person| &person.name);
        set("bot_id", json!(bot));
        set("app_id", json!(app));
        set(
            "bot_profile",
            json!({ "id": bot, "app_id": app, "user_id": message.user, "name": name, "icons": {}, "deleted": false,
            "updated": 1_700_000_000, "team_id": TEAM }),
        );
    }
    if let Some(person) = state.person(&message.user) {
        set("team", json!(person.team()));
    }
    if let Some(id) = &message.client_msg_id {
        set("client_msg_id", json!(id));
    }
    if let Some(blocks) = &message.blocks {
        set("blocks", blocks.clone());
    }
    if let Some(attachments) = &message.attachments {
        set("attachments", attachments.clone());
    }
    if let Some(metadata) = message.metadata.as_ref().filter(|_| metadata) {
        set("metadata", metadata.clone());
    }
    if let Some(at) = &message.edited {
        set("edited", json!({ "user": message.bot_id.as_ref().unwrap_or(&message.user), "ts": at }));
    }
    if !message.files.is_empty() {
        set("files", message.files.iter().filter_map(|id| state.files.get(id)).map(super::files::told).collect());
    }
    if !message.reactions.is_empty() {
        let one = |(name, user): &(String, String)| json!({ "name": name, "users": [user], "count": 1 });
        set("reactions", message.reactions.iter().map(one).collect());
    }
    if message.broadcast {
        set("subtype", json!("thread_broadcast"));
    }
    let replies: Vec<&Message> = replies(state, message).collect();
    if let Some(thread) = &message.thread_ts {
        set("thread_ts", json!(thread));
        let parent = state.message(&message.channel, thread).map_or("", |parent| &parent.user);
        set("parent_user_id", json!(parent));
    } else if let Some(last) = replies.last() {
        let mut users: Vec<&str> = replies.iter().map(|reply| reply.user.as_str()).collect();
        users.sort_unstable();
        users.dedup();
        set("thread_ts", json!(message.ts));
        set("reply_count", json!(replies.len()));
        set("reply_users_count", json!(users.len()));
        set("reply_users", json!(users));
        set("latest_reply", json!(last.ts));
        set("is_locked", json!(false));
        set("subscribed", json!(false));
    }
    told
}

/// What stands in its thread, for everybody.
pub(crate) fn replies<'a>(state: &'a State, parent: &'a Message) -> impl Iterator<Item = &'a Message> {
    let fits = |m: &&Message| !m.deleted && m.only.is_none() && m.channel == parent.channel;
    state.messages.iter().filter(fits).filter(|m| m.thread_ts.as_ref() == Some(&parent.ts))
}

fn kind(state: &State, channel: &str) -> &'static str {
    state.channel(channel).map_or("channel", super::state::Channel::kind)
}

/// The `message` event of a new message.
pub(crate) fn event(state: &State, message: &Message) -> Value {
    let mut event = told(state, message, true);
    event["channel"] = json!(message.channel);
    event["event_ts"] = json!(message.ts);
    event["channel_type"] = json!(kind(state, &message.channel));
    if !message.files.is_empty() {
        event["subtype"] = json!("file_share");
    }
    event
}

/// The `message_changed` event.
pub(crate) fn changed(state: &State, before: &Message, after: &Message) -> Value {
    let at = after.edited.clone().unwrap_or_default();
    json!({ "type": "message", "subtype": "message_changed", "hidden": true, "channel": after.channel,
        "message": told(state, after, true), "previous_message": told(state, before, true), "ts": at, "event_ts": at,
        "channel_type": kind(state, &after.channel) })
}

/// The `message_deleted` event.
pub(crate) fn deleted(state: &mut State, gone: &Message) -> Value {
    let at = state.stamp();
    json!({ "type": "message", "subtype": "message_deleted", "hidden": true, "channel": gone.channel, "deleted_ts": gone.ts,
        "previous_message": told(state, gone, true), "ts": at, "event_ts": at, "channel_type": kind(state, &gone.channel) })
}
