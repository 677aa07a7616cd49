//! Channels: `#name` or an id, for all chats or for each.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::problem::quoted;
use crate::domain::environment::Channels;

/// One name in each chat, or a name for each.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(super) enum ChannelSection {
    /// The same name everywhere.
    Same(String),
    /// One for each.
    Each(EachSection),
}

/// A channel for each chat.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct EachSection {
    /// In Slack.
    slack: Option<String>,
    /// In Discord.
    discord: Option<String>,
}

impl ChannelSection {
    pub(super) fn read(&self, at: &Path<'_>, findings: &mut Findings<'_, '_>) -> Channels {
        match self {
            Self::Same(channel) => {
                check_channel(at, channel, findings);
                Channels::everywhere(channel)
            }
            Self::Each(EachSection { slack, discord }) => {
                let named = [("slack", slack), ("discord", discord)];
                let named = named.into_iter().filter_map(|(chat, channel)| Some((chat, channel.clone()?)));
                Channels::of(named.inspect(|(chat, channel)| check_channel(&at.key(chat), channel, findings)))
            }
        }
    }
}

/// A channel is named by `#name` or by its id.
pub(super) fn check_channel(at: &Path<'_>, channel: &str, findings: &mut Findings<'_, '_>) {
    let name = channel.strip_prefix('#').unwrap_or_default();
    let is_name = !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || "#,<>@".contains(c));
    let is_number = !channel.is_empty() && channel.chars().all(|c| c.is_ascii_digit());
    if is_name || is_number || is_id(channel, &['C', 'G']) {
        return;
    }
    let bare = channel.trim();
    let plain = !bare.is_empty() && bare.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let hint = if plain { format!("write `#{bare}`") } else { "write `#name`, or the channel's id".to_owned() };
    findings.at_value(at, format!("{} is not a channel", quoted(channel)), Some(hint));
}

/// `T024BE7LD`: one of these letters, then capital letters and digits.
pub(super) fn is_id(text: &str, first: &[char]) -> bool {
    text.starts_with(first)
        && text.chars().count() >= 2
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && text.chars().any(|c| c.is_ascii_digit())
}
