//! `conversations.*`: channels, who is in them, what was said there.

use std::sync::Arc;

use serde_json::{Value, json};

use super::page;
use crate::slack::call::{Arguments, Refused};
use crate::slack::ids::UserId;
use crate::slack::inner::Inner;
use crate::slack::messages;
use crate::slack::state::{BOT_USER, Channel, Message, State, TEAM};

fn told(channel: &Channel) -> Value {
    if let Some(user) = &channel.direct {
        return json!({ "id": channel.id.as_str(), "created": 1_700_000_000, "is_im": true, "is_archived": false, "is_org_shared": false,
            "user": user.as_str(), "is_user_deleted": false, "context_team_id": TEAM, "priority": 0 });
    }
    json!({
        "id": channel.id.as_str(), "name": channel.name, "name_normalized": channel.name, "is_channel": !channel.private,
        "is_group": channel.private, "is_im": false, "is_mpim": false, "is_private": channel.private, "created": 1_700_000_000,
        "is_archived": channel.archived, "is_general": false, "unlinked": 0, "is_shared": channel.shared, "is_org_shared": false,
        "is_ext_shared": channel.shared, "is_pending_ext_shared": false, "is_member": channel.has(BOT_USER), "creator": BOT_USER,
        "context_team_id": TEAM, "updated": 1_700_000_000_000_i64, "num_members": channel.members.len(), "previous_names": [],
        "shared_team_ids": [TEAM], "topic": { "value": "", "creator": "", "last_set": 0 },
        "purpose": { "value": "", "creator": "", "last_set": 0 },
    })
}

/// A channel that the bot can see: public, or with it in it.
fn seen<'a>(state: &'a State, wanted: &str) -> Result<&'a Channel, Refused> {
    let visible = |channel: &&Channel| !channel.private || channel.has(BOT_USER);
    state.channel(wanted).filter(visible).ok_or_else(|| "channel_not_found".into())
}

/// A channel that the bot can read.
fn read<'a>(state: &'a State, wanted: &str) -> Result<&'a Channel, Refused> {
    let channel = seen(state, wanted)?;
    if channel.has(BOT_USER) { Ok(channel) } else { Err("not_in_channel".into()) }
}

pub(crate) fn info(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let state = inner.state();
    Ok(json!({ "channel": told(seen(&state, arguments.required("channel")?)?) }))
}

pub(crate) fn list(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let state = inner.state();
    let types = arguments.text("types").unwrap_or("public_channel");
    let wanted = |channel: &&Channel| {
        let kind = match channel.kind() {
            "im" => "im",
            "group" => "private_channel",
            _ => "public_channel",
        };
        let hidden = arguments.flag("exclude_archived") && channel.archived;
        types.split(',').any(|word| word.trim() == kind) && !hidden && seen(&state, channel.id.as_str()).is_ok()
    };
    let all: Vec<Value> = state.channels.values().filter(wanted).map(told).collect();
    let (channels, cursor) = page(all, arguments, 100, 1000)?;
    Ok(json!({ "channels": channels, "response_metadata": { "next_cursor": cursor } }))
}

pub(crate) fn members(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let state = inner.state();
    let channel = seen(&state, arguments.required("channel")?)?;
    let mut all: Vec<String> = channel.members.iter().map(ToString::to_string).collect();
    all.sort();
    let (members, cursor) = page(all, arguments, 100, 1000)?;
    Ok(json!({ "members": members, "response_metadata": { "next_cursor": cursor } }))
}

pub(crate) fn join(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let mut state = inner.state();
    let id = seen(&state, arguments.required("channel")?)?.id.clone();
    let channel = state.channels.get_mut(&id).ok_or("channel_not_found")?;
    if channel.direct.is_some() || channel.private {
        return Err("method_not_supported_for_channel_type".into());
    }
    if channel.archived {
        return Err("is_archived".into());
    }
    let new = channel.members.insert(UserId(BOT_USER.into()));
    let mut answer = json!({ "channel": told(channel) });
    if !new {
        answer["warning"] = json!("already_in_channel");
        answer["response_metadata"] = json!({ "warnings": ["already_in_channel"] });
    }
    Ok(answer)
}

pub(crate) fn open(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let mut state = inner.state();
    let users = arguments.text("users").ok_or("users_list_not_supplied")?;
    if users.contains(',') {
        return Err("method_not_supported_for_channel_type".into());
    }
    let person = state.person(users).ok_or("user_not_found")?;
    if person.deleted {
        return Err("user_disabled".into());
    }
    let user = person.id.clone();
    let before = state.channels.len();
    let id = state.direct(&user);
    let old = state.channels.len() == before;
    let mut answer = json!({ "channel": { "id": id.as_str() }, "no_op": old, "already_open": old });
    if arguments.flag("return_im")
        && let Some(channel) = state.channels.get(&id)
    {
        answer["channel"] = told(channel);
    }
    Ok(answer)
}

/// Whether the time stamp lies between `oldest` and `latest`. As text they are in order while seconds have ten digits.
fn within(message: &Message, arguments: &Arguments) -> bool {
    let edge = arguments.flag("inclusive");
    let padded = |edge: &str| if edge.contains('.') { edge.to_owned() } else { format!("{edge}.000000") };
    let ts = message.ts.as_str();
    let after = arguments.text("oldest").filter(|oldest| *oldest != "0").map(padded);
    let before = arguments.text("latest").filter(|latest| *latest != "now").map(padded);
    after.is_none_or(|oldest| ts > oldest.as_str() || edge && ts == oldest)
        && before.is_none_or(|latest| ts < latest.as_str() || edge && ts == latest)
}

pub(crate) fn history(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let state = inner.state();
    let channel = read(&state, arguments.required("channel")?)?.id.0.clone();
    let shown = |m: &&Message| m.channel == channel && !m.deleted && m.only.is_none() && !m.command;
    let top = |m: &&Message| m.thread_ts.is_none() || m.broadcast;
    let all: Vec<&Message> =
        state.messages.iter().rev().filter(shown).filter(top).filter(|m| within(m, arguments)).collect();
    let (found, cursor) = page(all, arguments, 100, 999)?;
    let metadata = arguments.flag("include_all_metadata");
    let found: Vec<Value> = found.into_iter().map(|message| messages::told(&state, message, metadata)).collect();
    Ok(json!({ "messages": found, "has_more": !cursor.is_empty(), "pin_count": 0,
        "response_metadata": { "next_cursor": cursor } }))
}

pub(crate) fn replies(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let state = inner.state();
    let channel = read(&state, arguments.required("channel")?)?.id.0.clone();
    let named = state.message(&channel, arguments.required("ts")?).ok_or("thread_not_found")?;
    let parent = match &named.thread_ts {
        Some(thread) => state.message(&channel, thread).ok_or("thread_not_found")?,
        None => named,
    };
    let all = messages::replies(&state, parent).filter(|reply| within(reply, arguments)).collect();
    let (found, cursor) = page(all, arguments, 1000, 1000)?;
    let metadata = arguments.flag("include_all_metadata");
    let thread = std::iter::once(parent).chain(found);
    let thread: Vec<Value> = thread.map(|message| messages::told(&state, message, metadata)).collect();
    Ok(json!({ "messages": thread, "has_more": !cursor.is_empty(), "response_metadata": { "next_cursor": cursor } }))
}
