//! The webhook: what failed or needs somebody, told there when Slack has not taken it for too long. Needs nothing of Slack but the
//! configuration, so that it tells also where Slack was never reached.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::json;
use tidegate_runner::desk::{Desk, DeskError};
use tidegate_runner::domain::ids::{RunNumber, Timestamp};
use tidegate_runner::domain::secret::SecretSource;
use tidegate_runner::secrets::{ExposeSecret as _, Secrets};
use tokio::time::Instant;

use super::DOOR;
use super::api::Api;
use super::text::escape;
use crate::cards::{self, Clock};
use crate::chat::shell::local_zone;
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::letter::{Letter, urgent};
use crate::reporter::{self, NewsPlace};

/// The right to tell, which one process has.
const LEASE: &str = "slack.webhook";
const LEASE_MS: i64 = 15_000;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// How far back runs are looked at, in milliseconds: what is older somebody has found out otherwise.
const BACK_MS: i64 = 24 * 3_600_000;

/// Tells what Slack does not.
pub(super) struct Crier {
    desk: Desk,
    secrets: Secrets,
    api: Api,
    webhook: SecretSource,
    after: Duration,
    alone: bool,
    /// Since when each thing waits; told ones stay as long as it waits.
    waits: HashMap<String, Instant>,
    told: HashSet<String>,
}

impl Crier {
    pub(super) fn new(
        desk: Desk,
        secrets: Secrets,
        api: Api,
        webhook: SecretSource,
        after: Duration,
        alone: bool,
    ) -> Self {
        Self { desk, secrets, api, webhook, after, alone, waits: HashMap::new(), told: HashSet::new() }
    }

    /// Works for ever.
    pub(super) async fn cry(mut self) {
        let holder = uuid::Uuid::now_v7().to_string();
        loop {
            tokio::time::sleep(LOOK).await;
            match self.desk.speak_in(LEASE, &holder, LEASE_MS, self.alone).await {
                Ok(Some(_)) => {
                    if let Err(error) = self.look().await {
                        tracing::error!(%error, "what Slack has not taken cannot be read");
                    }
                }
                Ok(None) => self.waits.clear(),
                Err(error) => tracing::error!(%error, "whose turn it is to tell a webhook cannot be read"),
            }
        }
    }

    async fn look(&mut self) -> Result<(), DeskError> {
        let waiting = self.waiting().await?;
        self.waits.retain(|key, _| waiting.iter().any(|(other, _)| other == key));
        self.told.retain(|key| waiting.iter().any(|(other, _)| other == key));
        for (key, text) in waiting {
            let since = *self.waits.entry(key.clone()).or_insert_with(Instant::now);
            if since.elapsed() < self.after || self.told.contains(&key) {
                continue;
            }
            match self.tell(&text).await {
                Ok(()) => {
                    tracing::warn!(key, "told by the webhook: Slack has not taken it");
                    self.told.insert(key);
                }
                Err(error) => tracing::error!(%error, key, "neither Slack nor the webhook takes it"),
            }
        }
        Ok(())
    }

    async fn tell(&self, text: &str) -> Result<(), ApiError> {
        let url = self.secrets.get(&self.webhook).await.map_err(|error| ApiError::Token(error.to_string()))?;
        self.api.respond(url.expose_secret().trim(), &json!({ "text": cards::while_away(text) })).await
    }

    /// What should be in Slack and is not: what lies in the outbox, and what was not even put there. Each with its name.
    async fn waiting(&self) -> Result<Vec<(String, String)>, DeskError> {
        let mut waiting = Vec::new();
        let mut put = HashSet::new();
        for pending in self.desk.posts(DOOR).await? {
            let Ok(letter) = serde_json::from_str::<Letter>(&pending.message.body) else { continue };
            if let Some(key) = letter.urgent
                && put.insert(key.clone())
            {
                waiting.push((key, letter.text));
            }
        }
        for (id, text) in self.desk.notices(DOOR).await? {
            waiting.push((id.to_string(), escape(&text)));
        }
        let since = Timestamp(self.desk.now().await?.0 - BACK_MS);
        for run in self.desk.open_cards(DOOR, since, RunNumber(0)).await? {
            let detail = self.desk.show(run).await?;
            let config = self.desk.config();
            let speaks = config
                .environments
                .get(&detail.run.request.environment)
                .is_some_and(|e| e.channel.in_chat(DOOR).is_some());
            if !speaks {
                continue;
            }
            let told = self.desk.card(DOOR, run).await?.map(|row| row.told).unwrap_or_default();
            let clock = Clock { now: detail.now, zone: local_zone().told() };
            for news in reporter::news(&detail, &clock, false) {
                let Some(card) = news.card.filter(|_| news.place == NewsPlace::Channel) else { continue };
                let key = urgent(run, &news.key);
                if !told.contains(&news.key) && !put.contains(&key) {
                    waiting.push((key, escape(&card.title)));
                }
            }
        }
        Ok(waiting)
    }
}
