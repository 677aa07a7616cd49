//! Words for those who cannot be served as they expected: people from elsewhere, and commands that came late.

use super::card::{Card, Line, Tone};

/// Why somebody is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outsider {
    /// A guest of the workspace.
    Guest,
    /// Of another organisation, in a shared channel.
    Stranger,
    /// A deactivated account.
    Gone,
}

/// The answer to an outsider.
#[must_use]
pub fn outsider(who: Outsider) -> Card {
    let why = match who {
        Outsider::Guest => "Guests of this workspace have no rights here.",
        Outsider::Stranger => {
            "People of other organisations have no rights here, unless the configuration names their workspace."
        }
        Outsider::Gone => "This account is deactivated.",
    };
    Card::new(Tone::Plain, "Not for you to ask").line(Line::text(why))
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
