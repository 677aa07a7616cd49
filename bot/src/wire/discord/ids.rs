//! Discord's numbers, in which the moment stands at which each was given.

use serenity::model::id::{ApplicationId, ChannelId, GuildId, InteractionId, MessageId, UserId};
use tidegate_runner::domain::ids::Timestamp;

use crate::wire::failure::ApiError;

/// Whether a word looks like a number of Discord's.
pub(crate) fn is_id(word: &str) -> bool {
    (17..=20).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The moment in a number.
pub(crate) fn moment(id: &str) -> Option<Timestamp> {
    let at = MessageId::new(number(id)?).created_at();
    Some(Timestamp(at.unix_timestamp().saturating_mul(1_000) + i64::from(at.millisecond())))
}

/// The first number of a moment, in milliseconds since 1970.
pub(crate) fn number_at(ms: i64) -> String {
    /// 2015, from which Discord counts.
    const FIRST_MS: i64 = 1_420_070_400_000;
    (u64::try_from(ms - FIRST_MS).unwrap_or(0) << 22).to_string()
}

/// A number, which is never 0.
fn number(id: &str) -> Option<u64> {
    id.parse().ok().filter(|id| *id > 0)
}

/// Refused as Discord refuses what it does not know.
fn known(id: &str, none: &str) -> Result<u64, ApiError> {
    number(id).ok_or_else(|| ApiError::refused(none))
}

pub(super) fn application(id: &str) -> Result<ApplicationId, ApiError> {
    known(id, "application_not_found").map(ApplicationId::new)
}

pub(super) fn guild(id: &str) -> Result<GuildId, ApiError> {
    known(id, "guild_not_found").map(GuildId::new)
}

pub(super) fn channel(id: &str) -> Result<ChannelId, ApiError> {
    known(id, "channel_not_found").map(ChannelId::new)
}

pub(super) fn user(id: &str) -> Result<UserId, ApiError> {
    known(id, "user_not_found").map(UserId::new)
}

pub(super) fn message(id: &str) -> Result<MessageId, ApiError> {
    known(id, "message_not_found").map(MessageId::new)
}

pub(super) fn interaction(id: &str) -> Result<InteractionId, ApiError> {
    known(id, "message_not_found").map(InteractionId::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_discord_is_a_moment() {
        assert_eq!(moment("175928847299117063"), Some(Timestamp(1_462_015_105_796)));
        assert_eq!(moment(&number_at(1_462_015_105_796)), Some(Timestamp(1_462_015_105_796)));
        assert_eq!((moment("0"), moment("x"), number_at(0).as_str()), (None, None, "0"));
    }
}
