//! What `check --online` asks of every chat alike.

use tidegate_runner::config::Config;

use super::failure::ApiError;
use crate::cards::online::{Asked, Missing};

/// The channels that are spoken in, as the configuration names them.
pub(in crate::chat) fn channels<'c>(config: &'c Config, door: &'static str) -> impl Iterator<Item = &'c str> {
    let named = config.environments.values().filter_map(move |environment| environment.channel.in_chat(door));
    named.chain(config.chat.admin_channel(door))
}

/// The id of a channel; that there is none, or that it was not told, is noted.
pub(in crate::chat) fn found(
    asked: &mut Asked,
    door: &'static str,
    named: &str,
    told: Result<Option<String>, ApiError>,
) -> Option<String> {
    match told {
        Ok(Some(id)) => return Some(id),
        Ok(None) => asked.missing.push(Missing::channel(door, named, "channel_not_found")),
        Err(why) => asked.not_about(door, &format!("the channel {named}"), &why.to_string()),
    }
    None
}

/// What a refusal says is missing: only where the chat says so, and not where it was not reached.
pub(in crate::chat) fn refused(
    asked: &mut Asked,
    door: &'static str,
    what: &str,
    why: &ApiError,
    missing: impl FnOnce(&str) -> Missing,
) {
    match why {
        ApiError::Refused { .. } | ApiError::Token(_) => asked.missing.push(missing(&why.to_string())),
        ApiError::Limited(_) | ApiError::Unknown(_) => asked.not_about(door, what, &why.to_string()),
    }
}
