//! `chat.*`: posting, editing, deleting.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::slack::blocks::{self, Place};
use crate::slack::call::{Arguments, Refused};
use crate::slack::ids::ChannelId;
use crate::slack::inner::Inner;
use crate::slack::messages;
use crate::slack::state::{BOT, BOT_USER, Channel, Message, State};

/// What a message says: text, blocks, attachments, metadata.
struct Content {
    text: String,
    blocks: Option<Value>,
    attachments: Option<Value>,
    metadata: Option<Value>,
}

/// Slack cuts longer texts.
const LONGEST: usize = 40_000;

fn content(arguments: &Arguments) -> Result<Content, Refused> {
    let list = |name: &str| arguments.get(name).filter(|list| !list.as_array().is_some_and(Vec::is_empty)).cloned();
    let (blocks, attachments) = (list("blocks"), list("attachments"));
    if let Some(blocks) = &blocks {
        blocks::check(blocks, Place::Message)?;
    }
    if attachments.as_ref().is_some_and(|list| !list.is_array()) {
        return Err("invalid_attachments".into());
    }
    let text = arguments.text("text").unwrap_or_default();
    if text.is_empty() && blocks.is_none() && attachments.is_none() {
        return Err("no_text".into());
    }
    let metadata = arguments.get("metadata").cloned();
    if let Some(metadata) = &metadata {
        let typed = metadata.get("event_type").is_some_and(Value::is_string);
        if !typed || !metadata.get("event_payload").is_some_and(Value::is_object) {
            return Err("invalid_metadata_schema".into());
        }
        if metadata.to_string().len() > 8000 {
            return Err("metadata_too_large".into());
        }
    }
    Ok(Content { text: text.chars().take(LONGEST).collect(), blocks, attachments, metadata })
}

/// The channel in which the bot may write: by id, by `#name`, or a person's id for the direct conversation.
fn channel(state: &mut State, wanted: &str) -> Result<Channel, Refused> {
    if wanted.starts_with('U') {
        let person = state.person(wanted).filter(|person| !person.deleted).ok_or("channel_not_found")?.id.clone();
        let id = state.direct(&person);
        return state.channels.get(&id).cloned().ok_or_else(|| "channel_not_found".into());
    }
    let name = wanted.strip_prefix('#').unwrap_or(wanted);
    let by_name = |channel: &&Channel| channel.direct.is_none() && channel.name == name;
    let found = state.channels.get(&ChannelId(wanted.into())).or_else(|| state.channels.values().find(by_name));
    let found = found.ok_or("channel_not_found")?;
    if !found.has(BOT_USER) {
        return Err(if found.private { "channel_not_found" } else { "not_in_channel" }.into());
    }
    if found.archived {
        return Err("is_archived".into());
    }
    Ok(found.clone())
}

pub(crate) fn post_message(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let wanted = arguments.required("channel")?;
    let mut state = inner.state();
    let channel = channel(&mut state, wanted)?;
    let Content { text, blocks, attachments, metadata } = content(arguments)?;
    let mut thread_ts = arguments.text("thread_ts").map(str::to_owned);
    if let Some(ts) = &thread_ts {
        let parent = state.message(channel.id.as_str(), ts).ok_or("thread_not_found")?;
        // An answer to an answer stands in the same thread.
        thread_ts = Some(parent.thread_ts.clone().unwrap_or_else(|| parent.ts.clone()));
    }
    let message = Message {
        channel: channel.id.0.clone(),
        user: BOT_USER.into(),
        bot_id: Some(BOT.into()),
        text,
        blocks,
        attachments,
        metadata,
        broadcast: thread_ts.is_some() && arguments.flag("reply_broadcast"),
        thread_ts,
        ..Message::default()
    };
    let message = state.post(message);
    let (told, event) = (messages::told(&state, &message, true), messages::event(&state, &message));
    drop(state);
    inner.tell(&event);
    Ok(json!({ "channel": message.channel, "ts": message.ts, "message": told }))
}

pub(crate) fn post_ephemeral(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let wanted = arguments.required("channel")?;
    let user = arguments.required("user")?;
    let mut state = inner.state();
    let channel = channel(&mut state, wanted)?;
    if !channel.has(user) {
        return Err("user_not_in_channel".into());
    }
    let Content { text, blocks, attachments, metadata: _ } = content(arguments)?;
    let message = Message {
        channel: channel.id.0.clone(),
        user: BOT_USER.into(),
        bot_id: Some(BOT.into()),
        text,
        blocks,
        attachments,
        thread_ts: arguments.text("thread_ts").map(str::to_owned),
        only: Some(user.to_owned()),
        ..Message::default()
    };
    let message = state.post(message);
    Ok(json!({ "message_ts": message.ts }))
}

/// The app's own message that this names.
fn own<'a>(state: &'a mut State, arguments: &Arguments, not: &'static str) -> Result<&'a mut Message, Refused> {
    let (channel, ts) = (arguments.required("channel")?, arguments.required("ts")?);
    let place = state.channel(channel).ok_or("channel_not_found")?;
    if place.archived || !place.has(BOT_USER) {
        return Err("is_inactive".into());
    }
    let message = state.message_mut(channel, ts).filter(|message| message.only.is_none()).ok_or("message_not_found")?;
    if message.user == BOT_USER { Ok(message) } else { Err(not.into()) }
}

pub(crate) fn update(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let mut state = inner.state();
    let before = own(&mut state, arguments, "cant_update_message")?.clone();
    let Content { text, mut blocks, attachments, metadata } = content(arguments)?;
    if arguments.text("text").is_some_and(|text| text.chars().count() > LONGEST) {
        return Err("msg_too_long".into());
    }
    if let Some(blocks) = &mut blocks {
        state.name_blocks(blocks);
    }
    let edited = state.stamp();
    let message = own(&mut state, arguments, "cant_update_message")?;
    message.text = text;
    // New text without blocks takes the old blocks away; so does an empty list.
    message.blocks = blocks;
    message.attachments = attachments;
    message.metadata = metadata.or_else(|| message.metadata.clone());
    message.edited = Some(edited);
    let after = message.clone();
    let told = messages::told(&state, &after, true);
    let event = messages::changed(&state, &before, &after);
    drop(state);
    inner.tell(&event);
    Ok(json!({ "channel": after.channel, "ts": after.ts, "text": after.text, "message": told }))
}

pub(crate) fn delete(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let mut state = inner.state();
    let message = own(&mut state, arguments, "cant_delete_message")?;
    message.deleted = true;
    let gone = message.clone();
    let event = messages::deleted(&mut state, &gone);
    drop(state);
    inner.tell(&event);
    Ok(json!({ "channel": gone.channel, "ts": gone.ts }))
}

pub(crate) fn get_permalink(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let (channel, ts) = (arguments.required("channel")?, arguments.required("message_ts")?);
    let state = inner.state();
    state.channel(channel).filter(|channel| channel.has(BOT_USER)).ok_or("channel_not_found")?;
    let message = state.message(channel, ts).ok_or("message_not_found")?;
    Ok(json!({ "channel": channel, "permalink": messages::permalink(message) }))
}
