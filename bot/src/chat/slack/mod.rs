//! Slack: native message in, card out. `delivery` reads what comes in, `render` makes Block Kit of cards, `workspace` knows who and
//! where; `platform::Slack` is what `super::voice` needs of a chat.

mod api;
mod delivery;
mod draft;
mod ear;
mod form;
mod history;
mod home;
mod http;
mod names;
mod online;
mod platform;
mod preview;
mod refused;
mod render;
mod sending;
mod socket;
mod text;
mod workspace;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tidegate_runner::config::{SlackConfig, SlackMode};
use tidegate_runner::house::House;
use tidegate_runner::service::Beside;
use tokio::task::JoinSet;

use api::Api;
use ear::SlackEar;
use platform::Slack;
use workspace::Workspace;

#[cfg(test)]
pub(crate) use form::view;
#[cfg(test)]
pub(crate) use home::Tab;
pub use online::check_online;
#[cfg(test)]
pub(crate) use preview::planned;
#[cfg(test)]
pub(crate) use render::render;

use super::voice::crier::Hook;
use super::voice::ear::Ear;
use super::voice::failure::ApiError;
use super::voice::letter::Letter;
use super::voice::rooms::{self, Door, Entrance, Webhook};
use crate::vitals::Vitals;

/// The name of this chat in ledger and audit.
const DOOR: &str = "slack";

/// Speaks in Slack beside the engine of `house`, if it is configured.
#[must_use]
pub fn beside(house: &House, vitals: &Vitals) -> Option<Beside> {
    let config = house.config().chat.slack.clone()?;
    Some(rooms::beside(house, vitals, Door { config, secrets: house.secrets() }))
}

#[async_trait]
impl Hook for Api {
    async fn tell(&self, url: &str, text: &str) -> Result<(), ApiError> {
        self.respond(url, &json!({ "text": text, "mrkdwn": false })).await
    }

    fn says(&self, letter: &Letter) -> String {
        letter.text.clone()
    }

    fn quoted(&self, text: &str) -> String {
        text::escape(text)
    }
}

#[async_trait]
impl Entrance for Door<SlackConfig> {
    type Chat = Slack;

    fn door(&self) -> &'static str {
        DOOR
    }

    fn webhook(&self) -> Option<Webhook> {
        let address = self.config.webhook.clone()?;
        let api = Api::new(&self.config, self.secrets.clone()).map_err(ApiError::Token);
        let hook = api.map(|api| Box::new(api) as Box<dyn Hook>);
        Some(Webhook { address, after_s: self.config.webhook_after_s, hook })
    }

    async fn open(&self) -> Result<Arc<Slack>, ApiError> {
        let api = Api::new(&self.config, self.secrets.clone()).map_err(ApiError::Token)?;
        let workspace = Workspace::open(api, &self.config.teams).await?;
        tracing::info!(team = workspace.me.team, bot = workspace.me.user, "in Slack");
        Ok(Arc::new(Slack::new(workspace)))
    }

    fn look_back(&self) -> Option<Duration> {
        match &self.config.mode {
            SlackMode::Socket { .. } => None,
            SlackMode::Http { look_back_s, .. } => Some(Duration::from_secs((*look_back_s).into())),
        }
    }

    fn listen(&self, slack: &Arc<Slack>, ear: &Ear) -> JoinSet<()> {
        let slack_ear = SlackEar { ear: ear.clone(), slack: Slack::clone(slack) };
        match &self.config.mode {
            SlackMode::Socket { app_token } => socket::open(&slack_ear, app_token),
            SlackMode::Http { signing_secret, listen, .. } => {
                let hooks = http::router(slack_ear, self.secrets.clone(), signing_secret.clone());
                ear.delivered(*listen, hooks, true)
            }
        }
    }
}
