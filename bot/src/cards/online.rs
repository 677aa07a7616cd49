//! Words of `tidegate check --online`: what a chat lacks, what for, and where to put it right.

use super::unserved::{cannot_speak, chat};

/// What came of asking a chat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// What it lacks.
    pub missing: Vec<Missing>,
    /// What it could not be asked, or does not tell, as lines.
    pub unasked: Vec<String>,
}

impl Asked {
    /// What came of asking this chat and that.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.missing.extend(other.missing);
        self.unasked.extend(other.unasked);
        self
    }

    /// The chat did not answer about this.
    pub fn not_about(&mut self, door: &str, what: &str, why: &str) {
        self.unasked.push(format!("{}: {what} could not be asked for: {why}; check again", chat(door)));
    }
}

/// When nothing is missing of what was asked.
pub const NOTHING_MISSING: &str = "nothing is missing in the chats";
/// When there is no chat.
pub const NO_CHAT: &str = "no chat is configured: nothing was asked";
/// When the file cannot be read.
pub const NOT_ASKED: &str = "the chats were not asked: what is wrong in the file comes first";
/// What only a delivery can tell.
pub const SECRET_NOT_CHECKED: &str =
    "Slack: whether `signing_secret` is the right one only a delivery tells: type `/tide whoami` once Tidegate runs";

/// Something that a chat lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// In which chat.
    pub chat: &'static str,
    /// What.
    pub what: String,
    /// What does not work without it.
    pub without: String,
    /// What to do.
    pub remedy: String,
}

impl Missing {
    /// A channel that cannot be spoken in, with the chat's word for why.
    #[must_use]
    pub fn channel(door: &'static str, named: &str, code: &str) -> Self {
        let told = cannot_speak(door, named, code);
        let remedy = told.rsplit_once("What helps: ").map(|(_, remedy)| remedy.to_owned()).unwrap_or_default();
        Self {
            chat: chat(door),
            what: format!("the channel {named} ({code})"),
            without: "messages about its environments".to_owned(),
            remedy,
        }
    }

    /// As one line.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { chat, what, without, remedy } = self;
        format!("{chat}: {what} is missing for {without}; {remedy}")
    }
}

/// Somebody, or a group, that the configuration names and that is not there.
#[must_use]
pub fn nobody(door: &'static str, named: &str, code: &str) -> Missing {
    Missing {
        chat: chat(door),
        what: format!("whom the configuration calls {named} ({code})"),
        without: "rights and calls that it gives them".to_owned(),
        remedy: match door {
            "discord" => "copy the id anew (*Copy User ID*, of a role *Copy Role ID*), or take them out",
            _ => "copy the id anew (their profile, Copy member ID), or take them out",
        }
        .to_owned(),
    }
}

/// A group that the configuration names and that is not there.
#[must_use]
pub fn no_group(door: &'static str, named: &str) -> Missing {
    nobody(door, named, "is no group here")
}

/// A token that cannot be used.
#[must_use]
pub fn token(key: &str, why: &str) -> Missing {
    let page = match key {
        "app_token" => {
            "https://api.slack.com/apps, your app, Basic Information, App-Level Tokens (scope connections:write)"
        }
        "signing_secret" => "https://api.slack.com/apps, your app, Basic Information, App Credentials",
        _ => "https://api.slack.com/apps, your app, OAuth & Permissions, Bot User OAuth Token",
    };
    Missing {
        chat: "Slack",
        what: format!("a working `{key}` ({why})"),
        without: "everything in Slack".to_owned(),
        remedy: format!("it is at {page}"),
    }
}

/// A scope that is missing.
#[must_use]
pub fn scope(scope: &str, without: &str) -> Missing {
    let remedy = if scope == "connections:write" {
        "make an app-level token with it: https://api.slack.com/apps, your app, Basic Information, App-Level Tokens"
    } else {
        "add it at https://api.slack.com/apps, your app, OAuth & Permissions, Bot Token Scopes, then Reinstall to Workspace"
    };
    Missing {
        chat: "Slack",
        what: format!("the scope {scope}"),
        without: without.to_owned(),
        remedy: remedy.to_owned(),
    }
}

/// Discord does not let us in.
#[must_use]
pub fn discord_token(why: &str) -> Missing {
    Missing {
        chat: chat("discord"),
        what: format!("a working `bot_token` for the `guild` ({why})"),
        without: "everything in Discord".to_owned(),
        remedy: "it is at https://discord.com/developers/applications, your application, Bot; the bot has to be in the server"
            .to_owned(),
    }
}

/// A permission that is missing in a channel.
#[must_use]
pub fn discord_permission(channel: &str, name: &str, without: &str) -> Missing {
    Missing {
        chat: chat("discord"),
        what: format!("the permission *{name}* in {channel}"),
        without: without.to_owned(),
        remedy: "give it to the bot's role in the settings of the channel or of the server".to_owned(),
    }
}

/// Roles that the configuration has called in a channel, and that nobody but who may call all may call.
#[must_use]
pub fn discord_call(channel: &str) -> Missing {
    Missing {
        chat: chat("discord"),
        what: format!("the permission *Mention @everyone, @here, and All Roles* in {channel}"),
        without: "calling the roles that `oncall`, `owners` or a rule names: they are shown and nobody is notified".to_owned(),
        remedy: "give it to the bot's role (Tidegate calls nobody but those), or switch *Allow anyone to @mention this role* on for each"
            .to_owned(),
    }
}

/// What the configuration says of the application, and is another's.
#[must_use]
pub fn discord_application(key: &str, told: &str) -> Missing {
    Missing {
        chat: chat("discord"),
        what: format!("the `{key}` of the application whose `bot_token` this is"),
        without: if key == "application" { "commands and their answers" } else { "hearing what Discord posts" }
            .to_owned(),
        remedy: format!(
            "it is {told}: https://discord.com/developers/applications, your application, General Information"
        ),
    }
}

/// The bot was let into the server without its commands.
#[must_use]
pub fn discord_commands(application: &str) -> Missing {
    Missing {
        chat: chat("discord"),
        what: "the scope applications.commands".to_owned(),
        without: "`/tide` and `/tide-form`; mentions and buttons work".to_owned(),
        remedy: format!(
            "open https://discord.com/oauth2/authorize?client_id={application}&scope=bot+applications.commands and choose the server"
        ),
    }
}

/// The members of roles cannot be read.
#[must_use]
pub fn discord_members() -> Missing {
    Missing {
        chat: chat("discord"),
        what: "the *Server Members Intent*".to_owned(),
        without: "telling the members of a role something alone".to_owned(),
        remedy: "switch it on at https://discord.com/developers/applications, your application, Bot".to_owned(),
    }
}
