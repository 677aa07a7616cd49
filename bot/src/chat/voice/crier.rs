//! The webhook: what failed or needs somebody, told there when a chat has not taken it for too long. Needs nothing of the chat but the
//! configuration, so that it tells also where the chat was never reached.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use tidegate_runner::desk::post::Notice;
use tidegate_runner::desk::{Desk, DeskError};
use tidegate_runner::domain::holds::News;
use tidegate_runner::domain::ids::{RunNumber, Timestamp};
use tidegate_runner::domain::secret::SecretSource;
use tidegate_runner::secrets::{ExposeSecret as _, Secrets};
use tokio::time::Instant;
use uuid::Uuid;

use super::channels::is_urgent;
use super::failure::ApiError;
use super::letter::{Letter, urgent, urgent_news};
use crate::cards::{self, Clock};
use crate::chat::shell::local_zone;
use crate::reporter::{self, NewsPlace};

/// How long the right to tell, which one process has, is kept.
const LEASE_MS: i64 = 15_000;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// How far back runs are looked at, in milliseconds: what is older somebody has found out otherwise.
const BACK_MS: i64 = 24 * 3_600_000;

/// How a webhook is told, in the form of a chat.
#[async_trait]
pub(in crate::chat) trait Hook: Send + Sync + 'static {
    /// Tells it.
    async fn tell(&self, url: &str, text: &str) -> Result<(), ApiError>;

    /// What a letter says, in the webhook's form.
    fn says(&self, letter: &Letter) -> String;

    /// Somebody's words in the webhook's form.
    fn quoted(&self, text: &str) -> String;
}

/// Tells what a chat does not take.
pub(in crate::chat) struct Crier {
    desk: Desk,
    secrets: Secrets,
    door: &'static str,
    hook: Box<dyn Hook>,
    webhook: SecretSource,
    after: Duration,
    alone: bool,
    /// Since when each thing waits; told ones stay as long as it waits.
    waits: HashMap<String, Instant>,
    told: HashSet<String>,
}

impl Crier {
    /// `webhook` is where its address is read from, told `after` so long.
    pub(in crate::chat) fn new(
        (desk, secrets, alone): (Desk, Secrets, bool),
        door: &'static str,
        hook: Box<dyn Hook>,
        (webhook, after): (SecretSource, Duration),
    ) -> Self {
        let (waits, told) = (HashMap::new(), HashSet::new());
        Self { desk, secrets, door, hook, webhook, after, alone, waits, told }
    }

    /// Works for ever.
    pub(in crate::chat) async fn cry(mut self) {
        let lease = format!("{}.webhook", self.door);
        let holder = Uuid::now_v7().to_string();
        loop {
            tokio::time::sleep(LOOK).await;
            match self.desk.speak_in(&lease, &holder, LEASE_MS, self.alone).await {
                Ok(Some(_)) => {
                    if let Err(error) = self.look().await {
                        tracing::error!(%error, chat = self.door, "what a chat has not taken cannot be read");
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
                    tracing::warn!(key, chat = self.door, "told by the webhook: the chat has not taken it");
                    self.told.insert(key.clone());
                    // Nobody else will tell it, and it is not to be told once more after a restart.
                    if let Ok(notice) = key.parse::<Uuid>()
                        && !self.is_told_to_admins()
                    {
                        self.desk.told_otherwise(notice).await?;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, key, chat = self.door, "neither the chat nor the webhook takes it");
                }
            }
        }
        Ok(())
    }

    /// Whether the people who look after Tidegate have a channel in this chat.
    fn is_told_to_admins(&self) -> bool {
        self.desk.config().chat.admin_channel(self.door).is_some()
    }

    async fn tell(&self, text: &str) -> Result<(), ApiError> {
        let url = self.secrets.get(&self.webhook).await.map_err(|error| ApiError::Token(error.to_string()))?;
        self.hook.tell(url.expose_secret().trim(), &cards::while_away(self.door, text)).await
    }

    /// What should be in the chat and is not: what lies in the outbox, and what was not even put there. Each with its name.
    async fn waiting(&self) -> Result<Vec<(String, String)>, DeskError> {
        let mut waiting = Vec::new();
        let mut put = HashSet::new();
        // Before the outbox: what is handed over meanwhile is found there.
        let notices = self.desk.notices(self.door).await?;
        let news = self.desk.news_for_all(self.door).await?;
        let stand = self.desk.troubles().await?;
        let stands = |(door, place, code): &(String, String, String)| {
            stand.iter().any(|one| (&one.door, &one.place, &one.code) == (door, place, code))
        };
        for pending in self.desk.posts(self.door).await? {
            let Ok(letter) = serde_json::from_str::<Letter>(&pending.message.body) else { continue };
            if let Some(key) = letter.urgent.clone()
                && put.insert(key.clone())
            {
                // It is still said in the chat, and by nothing else.
                if letter.trouble.as_ref().is_none_or(stands) {
                    waiting.push((key, self.hook.says(&letter)));
                }
            }
        }
        for Notice { id, text, over } in notices {
            let key = id.to_string();
            if over && !self.is_told_to_admins() {
                self.desk.told_otherwise(id).await?;
            } else if !over && !put.contains(&key) {
                waiting.push((key, self.hook.quoted(&text)));
            }
        }
        let now = self.desk.now().await?;
        for (id, news) in news {
            let urgent = matches!(&news, News::Clock { said, .. } if is_urgent(said));
            let key = urgent_news(id);
            if urgent && !put.contains(&key) {
                let title = cards::news(&news, &Clock { now, zone: local_zone().told() }).title;
                waiting.push((key, self.hook.quoted(&title)));
            }
        }
        let since = Timestamp(now.0 - BACK_MS);
        for run in self.desk.open_cards(self.door, since, RunNumber(0)).await? {
            // A run that cannot be read keeps no other from being told of; the log has it.
            let Ok(detail) = self.desk.show(run).await else { continue };
            let config = self.desk.config();
            let speaks = config
                .environments
                .get(&detail.run.request.environment)
                .is_some_and(|e| e.channel.in_chat(self.door).is_some());
            if !speaks {
                continue;
            }
            let told = self.desk.card(self.door, run).await?.map(|row| row.told).unwrap_or_default();
            let clock = Clock { now: detail.now, zone: local_zone().told() };
            for news in reporter::news(&detail, &clock) {
                let Some(card) = news.card.filter(|_| news.place == NewsPlace::Channel) else { continue };
                let key = urgent(run, &news.key);
                if !told.contains(&news.key) && !put.contains(&key) {
                    waiting.push((key, self.hook.quoted(&card.title)));
                }
            }
        }
        Ok(waiting)
    }
}
