//! Discord: native message in, card out. `delivery` reads what comes in, `render` makes embeds of cards, `guild` knows who and where;
//! `platform::Discord` is what `super::voice` needs of a chat.

mod api;
mod commands;
mod delivery;
mod ear;
mod form;
mod gateway;
mod guild;
mod http;
mod online;
mod platform;
mod refused;
mod render;
mod sending;

use async_trait::async_trait;
use tidegate_runner::config::{DiscordConfig, DiscordMode};
use tidegate_runner::desk::Desk;
use tidegate_runner::house::House;
use tidegate_runner::secrets::Secrets;
use tidegate_runner::service::Beside;
use tokio::task::JoinSet;

use std::sync::Arc;
use std::time::Duration;

use api::Api;
use ear::DiscordEar;
use guild::Guild;
use platform::Discord;

pub use online::check_online;
#[cfg(test)]
pub(crate) use render::render;

use super::voice::crier::Crier;
use super::voice::ear::Ear;
use super::voice::failure::ApiError;
use super::voice::rooms::{self, Entrance};
use crate::vitals::Vitals;
use crate::web;

/// The name of this chat in ledger and audit.
const DOOR: &str = "discord";

/// Speaks in Discord beside the engine of `house`, if it is configured.
#[must_use]
pub fn beside(house: &House, vitals: &Vitals) -> Option<Beside> {
    let config = house.config().chat.discord.clone()?;
    Some(rooms::beside(house, vitals, Door { config, secrets: house.secrets() }))
}

/// How Discord is come into.
struct Door {
    config: DiscordConfig,
    secrets: Secrets,
}

#[async_trait]
impl Entrance for Door {
    type Chat = Discord;

    fn door(&self) -> &'static str {
        DOOR
    }

    /// Begins to tell a webhook what Discord does not take, where there is one.
    fn at_once(&self, desk: &Desk, alone: bool) -> JoinSet<()> {
        let mut task = JoinSet::new();
        let Some(webhook) = self.config.webhook.clone() else { return task };
        match Api::new(&self.config, self.secrets.clone()) {
            Ok(api) => {
                let after = Duration::from_secs(self.config.webhook_after_s.into());
                let house = (desk.clone(), self.secrets.clone(), alone);
                task.spawn(Crier::new(house, DOOR, api, (webhook, after)).cry());
            }
            Err(error) => tracing::error!(%error, "the webhook is not told"),
        }
        task
    }

    async fn open(&self) -> Result<Discord, ApiError> {
        let api = Api::new(&self.config, self.secrets.clone())?;
        let guild = Guild::open(api, &self.config.guild, &self.config.application).await?;
        guild.tell_commands().await?;
        tracing::info!(guild = guild.id, bot = guild.me, "in Discord");
        Ok(Discord::new(guild))
    }

    fn listen(&self, chat: &Discord, ear: &Ear) -> JoinSet<()> {
        let ear = DiscordEar { ear: ear.clone(), guild: Arc::clone(&chat.guild) };
        match &self.config.mode {
            DiscordMode::Gateway => gateway::open(&ear),
            DiscordMode::Http { public_key, listen } => {
                let mut listener = JoinSet::new();
                let (heard, listen) = (ear.ear.clone(), *listen);
                let hooks = http::router(ear, *public_key);
                // What is said in words is not heard in this mode: nothing of it was missed.
                listener.spawn(async move { web::listen(listen, hooks, |port| heard.port(port, false)).await });
                listener
            }
        }
    }
}
