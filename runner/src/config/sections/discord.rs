//! `[chat.discord]`: the server that Tidegate speaks in.

use std::path::Path as FilePath;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::document::Path;
use super::super::duration;
use super::super::findings::Findings;
use super::super::problem::quoted;
use super::channel::check_channel;
use super::secret::SecretSection;
use crate::domain::secret::SecretSource;

/// Discord's own address.
const API_URL: &str = "https://discord.com";

/// Where HTTP mode listens when nothing is said.
const LISTEN: &str = "127.0.0.1:3001";

/// How interactions come in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Mode {
    // No port needs to be reachable. (A doc comment here would take the list of words out of the schema.)
    #[default]
    Gateway,
    Http,
}

/// The server that Tidegate speaks in.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct DiscordSection {
    /// How commands and buttons come in: `gateway` needs no open port, `http` needs an address that Discord can reach. Mentions and
    /// direct messages are heard by the gateway only.
    #[serde(default)]
    mode: Mode,
    /// Where the bot's token is read from.
    #[schemars(example = serde_json::json!({ "env": "DISCORD_BOT_TOKEN" }))]
    bot_token: SecretSection,
    /// Id of the application.
    #[schemars(length(min = 1), example = &"1185033862130442322")]
    application: String,
    /// Id of the server whose people may speak to Tidegate. What comes from any other is ignored.
    #[schemars(length(min = 1), example = &"1185034061024669746")]
    guild: String,
    /// The application's public key, 64 hexadecimal digits; needed with `http`.
    #[schemars(length(min = 1))]
    public_key: Option<String>,
    /// Address and port that `http` listens on. Without it `127.0.0.1:3001`.
    #[schemars(length(min = 1), example = &"127.0.0.1:3001")]
    listen: Option<String>,
    /// Channel that is told what the people who look after Tidegate should know.
    #[schemars(length(min = 1), example = &"#tidegate-admins")]
    admin_channel: Option<String>,
    /// Where a webhook's address is read from, of Discord or of anything that takes `{"text": "..."}`. What failed or needs somebody also goes
    /// there while Discord cannot be spoken to.
    #[schemars(example = serde_json::json!({ "env": "DISCORD_WEBHOOK" }))]
    webhook: Option<SecretSection>,
    /// How long Discord may not have taken a message before it goes to `webhook`. `1s` to `1h`.
    #[serde(default = "super::chat::webhook_after")]
    #[schemars(regex(pattern = duration::PATTERN))]
    webhook_after: String,
    /// Whether a run that found everything as it was asked for already is told in the channel, and calls its asker. Without it only the asker is told, and the channel where somebody asked for it and it took more than 10 s.
    #[serde(default)]
    tell_unchanged: bool,
    /// Base address of Discord, for tests and proxies. Without it `https://discord.com`.
    #[schemars(length(min = 1), example = &"https://discord.com")]
    api_url: Option<String>,
}

/// How interactions come in, with what that needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiscordMode {
    /// By the gateway.
    Gateway,
    /// By signed HTTP.
    Http {
        /// What they are signed with.
        public_key: [u8; 32],
        /// Address and port to listen on.
        listen: std::net::SocketAddr,
    },
}

/// The server that Tidegate speaks in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscordConfig {
    /// How interactions come in.
    pub mode: DiscordMode,
    /// Where the bot's token is read from.
    pub bot_token: SecretSource,
    /// Id of the application.
    pub application: String,
    /// Id of the server.
    pub guild: String,
    /// Channel (`#name` or id) for the people who look after Tidegate.
    pub admin_channel: Option<String>,
    /// Where the address is read from that is told of failures while Discord is away.
    pub webhook: Option<SecretSource>,
    /// Seconds after which it is told. 1 to 3,600.
    pub webhook_after_s: u32,
    /// Runs that changed nothing call their asker, too.
    pub tell_unchanged: bool,
    /// Base address, without a slash at its end.
    pub api_url: String,
}

impl DiscordSection {
    pub(super) fn read(
        self,
        at: &Path<'_>,
        folder: &FilePath,
        findings: &mut Findings<'_, '_>,
    ) -> Option<DiscordConfig> {
        let before = findings.errors();
        let bot_token = self.bot_token.read(&at.key("bot_token"), folder, findings);
        let webhook = self.webhook.and_then(|webhook| webhook.read(&at.key("webhook"), folder, findings));
        let webhook_after_s =
            duration::read(&at.key("webhook_after"), &self.webhook_after, 1..=3_600, findings).unwrap_or_default();
        for (key, id) in [("application", &self.application), ("guild", &self.guild)] {
            if !is_snowflake(id) {
                let message = format!("{} is not an id of Discord", quoted(id));
                let hint = "write the number: Discord shows it by *Copy ID* once developer mode is on";
                findings.at_value(&at.key(key), message, Some(hint.to_owned()));
            }
        }
        if let Some(channel) = &self.admin_channel {
            check_channel(&at.key("admin_channel"), channel, findings);
        }
        let mode = match self.mode {
            Mode::Gateway => Some(DiscordMode::Gateway),
            Mode::Http => {
                let key = match &self.public_key {
                    None => {
                        let hint = "copy it from the application's *General Information*";
                        let message = "with `mode = \"http\"` there must be a `public_key`";
                        findings.at_key(at, message.to_owned(), Some(hint.to_owned()));
                        None
                    }
                    Some(key) => {
                        let read = from_hex(key);
                        if read.is_none() {
                            let message = format!("{} is not a public key", quoted(key));
                            let hint = "64 hexadecimal digits, from the application's *General Information*";
                            findings.at_value(&at.key("public_key"), message, Some(hint.to_owned()));
                        }
                        read
                    }
                };
                let listen = self.listen.as_deref().unwrap_or(LISTEN);
                let address = listen.parse().ok();
                if address.is_none() {
                    let message = format!("{} is not an address with a port", quoted(listen));
                    findings.at_value(&at.key("listen"), message, Some(format!("write for example `{LISTEN}`")));
                }
                key.zip(address).map(|(public_key, listen)| DiscordMode::Http { public_key, listen })
            }
        };
        let api_url = self.api_url.unwrap_or_else(|| API_URL.to_owned());
        let api_url = api_url.trim_end_matches('/').to_owned();
        if !(api_url.starts_with("https://") || api_url.starts_with("http://")) {
            let message = format!("{} is not an address", quoted(&api_url));
            findings.at_value(&at.key("api_url"), message, Some(format!("leave it out, or write `{API_URL}`")));
        }
        let (mode, bot_token) = (mode?, bot_token?);
        (findings.errors() == before).then_some(DiscordConfig {
            mode,
            bot_token,
            application: self.application,
            guild: self.guild,
            admin_channel: self.admin_channel,
            webhook,
            webhook_after_s,
            tell_unchanged: self.tell_unchanged,
            api_url,
        })
    }
}

/// A number of Discord's: a moment and more, far from zero.
fn is_snowflake(text: &str) -> bool {
    text.parse::<u64>().is_ok_and(|id| id > 0) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    hex::decode_to_slice(text.trim(), &mut key).ok()?;
    Some(key)
}
