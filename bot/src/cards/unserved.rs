//! Words where a chat cannot serve as people expected: who is gone, what came late, where it cannot speak.

use super::card::{Card, Line, Tone};

/// The answer to somebody whose account is deactivated.
#[must_use]
pub fn deactivated() -> Card {
    Card::new(Tone::Plain, "This account is deactivated, and has no rights here")
}

/// The answer to a command that was found only after an outage.
#[must_use]
pub fn late(typed: &str, minutes: i64) -> Card {
    Card::new(Tone::Warning, format!("This was said {minutes} minutes ago and is not done by itself any more"))
        .line(Line::text("Tidegate was away when it came. If it is still wanted, say it again."))
        .next(typed)
}

/// The text of the link to a run's card.
#[must_use]
pub fn card_link(run: i64) -> String {
    format!("run {run} in its channel")
}

/// A text for the people who look after Tidegate.
#[must_use]
pub fn for_admins(text: &str) -> Card {
    Card::new(Tone::Warning, text)
}

/// A chat that cannot be spoken in.
#[must_use]
pub fn cannot_speak(channel: &str, code: &str) -> String {
    let remedy = match code {
        "not_in_channel" | "channel_not_found" => "invite the bot there: `/invite @tidegate`",
        "is_archived" => "unarchive it, or name another channel in the configuration",
        "missing_scope" => "install the app again with bot/slack-manifest.yaml",
        "invalid_auth" | "token_revoked" | "account_inactive" | "not_authed" | "token_expired" => {
            "install the app again and give Tidegate the new token"
        }
        _ => "see docs/slack.md",
    };
    format!("Slack refuses messages to {channel} ({code}); runs go on. What helps: {remedy}")
}
