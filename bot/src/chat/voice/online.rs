//! What `check --online` asks of every chat alike.

use std::collections::BTreeSet;

use tidegate_runner::config::Config;
use tidegate_runner::domain::access::Approvers;
use tidegate_runner::domain::ids::ActorId;

use super::failure::ApiError;
use crate::cards::online::{Asked, Missing, nobody};

/// The channels that are spoken in, as the configuration names them.
pub(in crate::chat) fn channels<'c>(config: &'c Config, door: &'static str) -> impl Iterator<Item = &'c str> {
    let named = config.environments.values().filter_map(move |environment| environment.channel.in_chat(door));
    named.chain(config.chat.admin_channel(door))
}

/// Whom the configuration may call in a channel, by the chat's ids.
pub(in crate::chat) fn called_in(config: &Config, door: &'static str, channel: &str) -> BTreeSet<String> {
    let here = config.environments.values().filter(|one| one.channel.in_chat(door) == Some(channel));
    let named = here.flat_map(|one| {
        let approvers = one.rules.approvals.iter().filter_map(|rule| match &rule.by {
            Approvers::Named(ids) => Some(ids),
            Approvers::Owners | Approvers::Role(_) => None,
        });
        one.owners.iter().chain(&one.oncall).chain(approvers.flatten())
    });
    own(named, door)
}

/// Those to whom the configuration gives rights, or whom it has called, by the chat's ids.
pub(in crate::chat) fn people(config: &Config, door: &'static str) -> BTreeSet<String> {
    own(config.environments.values().flat_map(|one| one.owners.iter().chain(&one.oncall)), door)
}

fn own<'c>(all: impl Iterator<Item = &'c ActorId>, door: &str) -> BTreeSet<String> {
    all.filter_map(|id| id.as_str().strip_prefix(door)?.strip_prefix(':').map(str::to_owned)).collect()
}

/// That somebody is not there, or that it was not told, is noted.
pub(in crate::chat) fn there(asked: &mut Asked, door: &'static str, id: &str, told: Result<bool, ApiError>) {
    let named = format!("{door}:{id}");
    match told {
        Ok(true) => {}
        Ok(false) => asked.missing.push(nobody(door, &named, "user_not_found")),
        Err(why) => refused(asked, door, &named, &why, |why| nobody(door, &named, why)),
    }
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
