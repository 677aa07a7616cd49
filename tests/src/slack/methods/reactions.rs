//! `reactions.add`.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::slack::call::{Arguments, Refused};
use crate::slack::inner::Inner;
use crate::slack::state::BOT_USER;

pub(crate) fn add(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let (channel, name) = (arguments.required("channel")?, arguments.required("name")?);
    let ts = arguments.text("timestamp").ok_or("no_item_specified")?;
    let mut state = inner.state();
    if !state.channel(channel).ok_or("channel_not_found")?.has(BOT_USER) {
        return Err("not_in_channel".into());
    }
    let message = state.message_mut(channel, ts).ok_or("message_not_found")?;
    let reaction = (name.trim_matches(':').to_owned(), BOT_USER.to_owned());
    if message.reactions.contains(&reaction) {
        return Err("already_reacted".into());
    }
    message.reactions.push(reaction);
    Ok(json!({}))
}
