//! `files.getUploadURLExternal` and `files.completeUploadExternal`; what lies between is in `files.rs`.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::slack::call::{Arguments, Refused};
use crate::slack::files;
use crate::slack::inner::Inner;
use crate::slack::messages;
use crate::slack::state::{BOT, BOT_USER, File, Message};

pub(crate) fn get_url(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let name = arguments.required("filename")?.to_owned();
    let length = arguments.number("length")?.filter(|length| *length > 0).ok_or("invalid_arguments")?;
    let length = usize::try_from(length).map_err(|_| Refused::from("file_upload_size_restricted"))?;
    let mut state = inner.state();
    let id = state.new_id('F');
    let file = File { id: id.clone(), title: name.clone(), name, length, content: None, complete: false };
    state.files.insert(id.clone(), file);
    Ok(json!({ "upload_url": format!("{}/upload/{id}", inner.base), "file_id": id }))
}

pub(crate) fn complete(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let wanted = arguments.get("files").and_then(Value::as_array).filter(|files| !files.is_empty());
    let wanted = wanted.ok_or("invalid_arguments")?;
    let mut state = inner.state();
    let channel = arguments.text("channel_id").map(str::to_owned);
    if let Some(channel) = &channel {
        let channel = state.channel(channel).ok_or("channel_not_found")?;
        if !channel.has(BOT_USER) {
            return Err("not_in_channel".into());
        }
    }
    let mut done = Vec::new();
    for file in wanted {
        let id = file.get("id").and_then(Value::as_str).ok_or("invalid_arguments")?;
        let found = state.files.get_mut(id).ok_or("file_not_found")?;
        if found.content.is_none() {
            return Err("file_not_found".into());
        }
        if found.complete {
            return Err("file_update_failed".into());
        }
        if let Some(title) = file.get("title").and_then(Value::as_str) {
            title.clone_into(&mut found.title);
        }
        done.push(id.to_owned());
    }
    for id in &done {
        if let Some(file) = state.files.get_mut(id) {
            file.complete = true;
        }
    }
    let told: Vec<Value> = done.iter().filter_map(|id| state.files.get(id)).map(files::told).collect();
    let mut event = None;
    if let Some(channel) = channel {
        let message = state.post(Message {
            channel,
            user: BOT_USER.into(),
            bot_id: Some(BOT.into()),
            text: arguments.text("initial_comment").unwrap_or_default().into(),
            thread_ts: arguments.text("thread_ts").map(str::to_owned),
            files: done,
            ..Message::default()
        });
        event = Some(messages::event(&state, &message));
    }
    drop(state);
    if let Some(event) = event {
        inner.tell(&event);
    }
    Ok(json!({ "files": told }))
}
