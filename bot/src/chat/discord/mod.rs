//! Discord: native message in, card out; its protocol is `crate::wire::discord`. `delivery` reads what comes in, `render` makes embeds of
//! cards, `guild` knows who and where; `platform` says what `super::voice` needs of a chat.

mod commands;
mod delivery;
mod ear;
mod form;
mod guild;
mod online;
mod platform;
mod refused;
mod render;
mod sending;

use async_trait::async_trait;
use serde_json::json;
use serenity::model::gateway::GatewayIntents;
use tidegate_runner::config::{DiscordConfig, DiscordMode};
use tidegate_runner::house::House;
use tidegate_runner::secrets::Secrets;
use tidegate_runner::service::Beside;
use tokio::task::JoinSet;

use std::sync::Arc;

use ear::DiscordEar;
use guild::Guild;

pub use online::check_online;
#[cfg(test)]
pub(crate) use render::render;

use super::voice::crier::Hook;
use super::voice::ear::Ear;
use super::voice::failure::ApiError;
use super::voice::letter::Letter;
use super::voice::rooms::{self, Door, Entrance, Webhook};
use super::voice::text::cut_between_words;
use crate::vitals::Vitals;
use crate::wire::discord::Api;
use crate::wire::discord::bodies::{CONTENT_MAX, escape};
use crate::wire::discord::gateway::Gateway;
use crate::wire::discord::hook;

/// The name of this chat in ledger and audit.
const DOOR: &str = "discord";

/// Only what is said to us is looked at, and Discord tells that without the right to read everything.
fn intents() -> GatewayIntents {
    GatewayIntents::GUILDS | GatewayIntents::GUILD_MESSAGES | GatewayIntents::DIRECT_MESSAGES
}

fn api(config: &DiscordConfig, secrets: &Secrets) -> Result<Api, ApiError> {
    Api::new(&config.api_url, config.bot_token.clone(), secrets.clone())
}

#[async_trait]
impl Hook for Api {
    async fn tell(&self, url: &str, text: &str) -> Result<(), ApiError> {
        let text = cut_between_words(text, CONTENT_MAX);
        // Of Discord, or of anybody who takes `text`.
        self.tell_hook(url, &json!({ "content": text, "text": text, "allowed_mentions": { "parse": [] } })).await
    }

    fn says(&self, letter: &Letter) -> String {
        let titles = letter.blocks.iter().filter_map(|block| block["title"].as_str());
        titles.collect::<Vec<_>>().join("\n")
    }

    fn quoted(&self, text: &str) -> String {
        escape(text)
    }
}

/// Speaks in Discord beside the engine of `house`, if it is configured.
#[must_use]
pub fn beside(house: &House, vitals: &Vitals) -> Option<Beside> {
    let config = house.config().chat.discord.clone()?;
    Some(rooms::beside(house, vitals, Door { config, secrets: house.secrets() }))
}

#[async_trait]
impl Entrance for Door<DiscordConfig> {
    type Chat = Guild;

    fn door(&self) -> &'static str {
        DOOR
    }

    fn webhook(&self) -> Option<Webhook> {
        let address = self.config.webhook.clone()?;
        let hook = api(&self.config, &self.secrets).map(|api| Box::new(api) as Box<dyn Hook>);
        Some(Webhook { address, after_s: self.config.webhook_after_s, hook })
    }

    async fn open(&self) -> Result<Arc<Guild>, ApiError> {
        let guild =
            Guild::open(api(&self.config, &self.secrets)?, &self.config.guild, &self.config.application).await?;
        guild.tell_commands().await?;
        tracing::info!(guild = guild.id, bot = guild.me, "in Discord");
        Ok(Arc::new(guild))
    }

    fn listen(&self, guild: &Arc<Guild>, ear: &Ear) -> JoinSet<()> {
        let ear = DiscordEar { ear: ear.clone(), guild: Arc::clone(guild) };
        match &self.config.mode {
            DiscordMode::Gateway => Gateway::open(guild.api.clone(), ear, "tidegate", intents()),
            // What is said in words is not heard in this mode: nothing of it was missed.
            DiscordMode::Http { public_key, listen } => {
                ear.ear.delivered(*listen, hook::router("/discord/interactions", ear.clone(), *public_key), false)
            }
        }
    }
}
