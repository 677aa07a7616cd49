//! What the app posts to a `response_url`, and the answers that come with an acknowledgement.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::blocks::{self, Place};
use super::inner::Inner;
use super::state::{BOT, BOT_USER, Message};

/// A response URL takes five posts in half an hour.
const USES: u32 = 5;

/// Posts to a response URL. Gives the HTTP status and the answer.
pub(crate) fn post(inner: &Inner, key: &str, body: &Value) -> (u16, Value) {
    let refused = |status: u16, error: &str| (status, json!({ "ok": false, "error": error }));
    let mut state = inner.state();
    let Some(response) = state.responses.get_mut(key) else { return refused(404, "invalid_url") };
    if response.uses >= USES {
        return refused(404, "used_url");
    }
    if Instant::now() > response.until {
        return refused(404, "expired_url");
    }
    response.uses += 1;
    let response = response.clone();
    drop(state);
    match say(inner, &response.user, &response.channel, response.message.as_deref(), body) {
        Ok(()) => (200, json!({ "ok": true })),
        Err(error) => refused(400, &error),
    }
}

/// Carries out an answer: posts, replaces or deletes. The error is Slack's word.
pub(crate) fn say(inner: &Inner, user: &str, channel: &str, about: Option<&str>, body: &Value) -> Result<(), String> {
    let text = match body {
        Value::String(text) => text.clone(),
        body => body.get("text").and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    let flag = |name: &str| body.get(name).is_some_and(|value| *value == json!(true) || *value == json!("true"));
    let blocks = body.get("blocks").filter(|blocks| !blocks.is_null()).cloned();
    if let Some(blocks) = &blocks {
        blocks::check(blocks, Place::Message).map_err(|fault| fault.error.to_owned())?;
    }
    let mut state = inner.state();
    if let Some(about) = about.filter(|_| flag("delete_original")) {
        if let Some(message) = state.message_mut(channel, about) {
            message.deleted = true;
        }
        return Ok(());
    }
    if text.is_empty() && blocks.is_none() && body.get("attachments").is_none() {
        return Err("no_text".into());
    }
    if let Some(about) = about.filter(|_| flag("replace_original")) {
        let mut blocks = blocks;
        if let Some(blocks) = &mut blocks {
            state.name_blocks(blocks);
        }
        let edited = state.stamp();
        if let Some(message) = state.message_mut(channel, about) {
            (message.text, message.blocks, message.edited) = (text, blocks, Some(edited));
        }
        return Ok(());
    }
    let aloud = body.get("response_type").and_then(Value::as_str) == Some("in_channel");
    state.post(Message {
        channel: channel.into(),
        user: BOT_USER.into(),
        bot_id: Some(BOT.into()),
        text,
        blocks,
        attachments: body.get("attachments").cloned(),
        thread_ts: body.get("thread_ts").and_then(Value::as_str).map(str::to_owned),
        only: (!aloud).then(|| user.to_owned()),
        ..Message::default()
    });
    Ok(())
}
