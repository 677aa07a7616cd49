//! `[chat]`: the chats that Tidegate speaks in; `[chat.slack]` in full.

use std::path::Path as FilePath;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::document::Path;
use super::super::duration;
use super::super::findings::Findings;
use super::super::problem::quoted;
use super::channel::{check_channel, is_id};
use super::discord::{DiscordConfig, DiscordSection};
use super::secret::SecretSection;
use crate::domain::secret::SecretSource;

/// Slack's own address.
const API_URL: &str = "https://slack.com/api";

/// Where HTTP mode listens when nothing is said.
const LISTEN: &str = "127.0.0.1:3000";

/// The chats.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct ChatSection {
    /// Slack; `docs/slack.md` tells how to make the app.
    slack: Option<SlackSection>,
    /// Discord; `docs/discord.md` tells how to make the application.
    discord: Option<DiscordSection>,
}

fn look_back() -> String {
    "5m".to_owned()
}

pub(super) fn webhook_after() -> String {
    "1m".to_owned()
}

/// How deliveries come in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Mode {
    // No port needs to be reachable. (A doc comment here would take the list of words out of the schema.)
    #[default]
    Socket,
    Http,
}

/// The workspace that Tidegate speaks in.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct SlackSection {
    /// How messages come in: `socket` needs no open port, `http` needs an address that Slack can reach.
    #[serde(default)]
    mode: Mode,
    /// Where the bot's token (`xoxb-...`) is read from.
    #[schemars(example = serde_json::json!({ "env": "SLACK_BOT_TOKEN" }))]
    bot_token: SecretSection,
    /// Where the app's token (`xapp-...`) is read from; needed with `socket`.
    #[schemars(example = serde_json::json!({ "env": "SLACK_APP_TOKEN" }))]
    app_token: Option<SecretSection>,
    /// Where the signing secret is read from; needed with `http`.
    #[schemars(example = serde_json::json!({ "env": "SLACK_SIGNING_SECRET" }))]
    signing_secret: Option<SecretSection>,
    /// Address and port that `http` listens on. Without it `127.0.0.1:3000`.
    #[schemars(length(min = 1), example = &"127.0.0.1:3000")]
    listen: Option<String>,
    /// With `http`: how often the history is read for what was not delivered, as nothing else tells of that. `1s` to `1h`.
    #[serde(default = "look_back")]
    #[schemars(regex(pattern = duration::PATTERN))]
    look_back: String,
    /// Ids of the workspaces whose people may speak to Tidegate. Without it: the one that the bot's token belongs to.
    #[serde(default)]
    #[schemars(example = ["T024BE7LD"])]
    teams: Vec<String>,
    /// Channel that is told what the people who look after Tidegate should know.
    #[schemars(length(min = 1), example = &"#tidegate-admins")]
    admin_channel: Option<String>,
    /// Where an incoming webhook's address is read from. What failed or needs somebody also goes there while Slack cannot be spoken to.
    #[schemars(example = serde_json::json!({ "env": "SLACK_WEBHOOK" }))]
    webhook: Option<SecretSection>,
    /// How long Slack may not have taken a message before it goes to `webhook`. `1s` to `1h`.
    #[serde(default = "webhook_after")]
    #[schemars(regex(pattern = duration::PATTERN))]
    webhook_after: String,
    /// Whether a run that found everything as it was asked for already is told in the channel, and calls its asker. Without it only the asker is told, and the channel where somebody asked for it and it took more than 10 s.
    #[serde(default)]
    tell_unchanged: bool,
    /// Base address of Slack's methods, for tests and proxies. Without it `https://slack.com/api`.
    #[schemars(length(min = 1), example = &"https://slack.com/api")]
    api_url: Option<String>,
}

/// How deliveries come in, with what that needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlackMode {
    /// By a socket that Tidegate opens.
    Socket {
        /// Where the app's token is read from.
        app_token: SecretSource,
    },
    /// By signed HTTP.
    Http {
        /// Where the signing secret is read from.
        signing_secret: SecretSource,
        /// Address and port to listen on.
        listen: std::net::SocketAddr,
        /// Seconds between two looks for what was not delivered. 1 to 3,600.
        look_back_s: u32,
    },
}

/// The workspace that Tidegate speaks in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackConfig {
    /// How deliveries come in.
    pub mode: SlackMode,
    /// Where the bot's token is read from.
    pub bot_token: SecretSource,
    /// Ids of the workspaces whose people may speak; empty: the one that the token belongs to.
    pub teams: Vec<String>,
    /// Channel (`#name` or id) for the people who look after Tidegate.
    pub admin_channel: Option<String>,
    /// Where the address is read from that is told of failures while Slack is away.
    pub webhook: Option<SecretSource>,
    /// Seconds after which it is told. 1 to 3,600.
    pub webhook_after_s: u32,
    /// Runs that changed nothing have a card and call their asker, too.
    pub tell_unchanged: bool,
    /// Base address of the methods, without a slash at its end.
    pub api_url: String,
}

/// The chats that are configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChatConfig {
    /// Slack.
    pub slack: Option<SlackConfig>,
    /// Discord.
    pub discord: Option<DiscordConfig>,
}

impl ChatConfig {
    /// The names of the chats that are configured.
    pub fn doors(&self) -> impl Iterator<Item = &'static str> {
        let slack = self.slack.is_some().then_some("slack");
        slack.into_iter().chain(self.discord.is_some().then_some("discord"))
    }

    /// The chats in which the people who look after Tidegate are told what they should know. Where none has a channel for it, it is
    /// kept for those whose webhook may tell it.
    pub fn admin_doors(&self) -> impl Iterator<Item = &'static str> {
        let with_channel: Vec<_> = self.doors().filter(|door| self.admin_channel(door).is_some()).collect();
        let hook = |door: &&str| match *door {
            "slack" => self.slack.as_ref().is_some_and(|slack| slack.webhook.is_some()),
            _ => self.discord.as_ref().is_some_and(|discord| discord.webhook.is_some()),
        };
        let with_hook: Vec<_> = self.doors().filter(hook).collect();
        [with_channel, with_hook, vec!["slack"]]
            .into_iter()
            .find(|doors| !doors.is_empty())
            .unwrap_or_default()
            .into_iter()
    }

    /// The channel for the people who look after Tidegate in a chat.
    #[must_use]
    pub fn admin_channel(&self, door: &str) -> Option<&str> {
        match door {
            "slack" => self.slack.as_ref()?.admin_channel.as_deref(),
            "discord" => self.discord.as_ref()?.admin_channel.as_deref(),
            _ => None,
        }
    }

    /// Whether runs that changed nothing call their asker in a chat, too.
    #[must_use]
    pub fn tell_unchanged(&self, door: &str) -> bool {
        match door {
            "slack" => self.slack.as_ref().is_some_and(|slack| slack.tell_unchanged),
            "discord" => self.discord.as_ref().is_some_and(|discord| discord.tell_unchanged),
            _ => false,
        }
    }
}

/// Reads the section.
pub(in super::super) fn read(
    section: Option<ChatSection>,
    folder: &FilePath,
    findings: &mut Findings<'_, '_>,
) -> ChatConfig {
    let Some(ChatSection { slack, discord }) = section else { return ChatConfig::default() };
    let chat = Path::ROOT.key("chat");
    ChatConfig {
        slack: slack.and_then(|slack| slack.read(&chat.key("slack"), folder, findings)),
        discord: discord.and_then(|discord| discord.read(&chat.key("discord"), folder, findings)),
    }
}

impl SlackSection {
    fn read(self, at: &Path<'_>, folder: &FilePath, findings: &mut Findings<'_, '_>) -> Option<SlackConfig> {
        let bot_token = self.bot_token.read(&at.key("bot_token"), folder, findings);
        let webhook_after_s =
            duration::read(&at.key("webhook_after"), &self.webhook_after, 1..=3_600, findings).unwrap_or_default();
        let webhook = self.webhook.and_then(|webhook| webhook.read(&at.key("webhook"), folder, findings));
        let look_back_s =
            duration::read(&at.key("look_back"), &self.look_back, 1..=3_600, findings).unwrap_or_default();
        let mut needed = |key: &str, section: Option<&SecretSection>, mode: &str| {
            let Some(section) = section else {
                let hint = format!("add `{key} = {{ env = \"SLACK_{}\" }}`", key.to_uppercase());
                findings.at_key(at, format!("with `mode = \"{mode}\"` there must be a `{key}`"), Some(hint));
                return None;
            };
            section.read(&at.key(key), folder, findings)
        };
        let mode = match self.mode {
            Mode::Socket => {
                needed("app_token", self.app_token.as_ref(), "socket").map(|app_token| SlackMode::Socket { app_token })
            }
            Mode::Http => {
                let secret = needed("signing_secret", self.signing_secret.as_ref(), "http");
                let listen = self.listen.as_deref().unwrap_or(LISTEN);
                let Ok(listen) = listen.parse() else {
                    let message = format!("{} is not an address with a port", quoted(listen));
                    findings.at_value(&at.key("listen"), message, Some(format!("write for example `{LISTEN}`")));
                    return None;
                };
                secret.map(|signing_secret| SlackMode::Http { signing_secret, listen, look_back_s })
            }
        };
        for (index, team) in self.teams.iter().enumerate() {
            if !is_id(team, &['T', 'E']) {
                let message = format!("{} is not the id of a workspace", quoted(team));
                let hint = "write the id that begins with `T`; it is in the address of the workspace in a browser";
                findings.at_value(&at.key("teams").index(index), message, Some(hint.to_owned()));
            }
        }
        if let Some(channel) = &self.admin_channel {
            check_channel(&at.key("admin_channel"), channel, findings);
        }
        let api_url = self.api_url.unwrap_or_else(|| API_URL.to_owned());
        let api_url = api_url.trim_end_matches('/').to_owned();
        if !(api_url.starts_with("https://") || api_url.starts_with("http://")) {
            let message = format!("{} is not an address", quoted(&api_url));
            findings.at_value(&at.key("api_url"), message, Some(format!("leave it out, or write `{API_URL}`")));
        }
        Some(SlackConfig {
            mode: mode?,
            bot_token: bot_token?,
            teams: self.teams,
            admin_channel: self.admin_channel,
            webhook,
            webhook_after_s,
            tell_unchanged: self.tell_unchanged,
            api_url,
        })
    }
}
