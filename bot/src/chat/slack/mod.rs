//! Slack: native message in, card out.
//!
//! `ear` stores what comes in before it is acknowledged, and answers it; `mouth` sends what lies in the outbox; `scribe` keeps
//! one card per run true. Words are the cards', rules the desk's.

mod api;
mod crier;
mod delivery;
mod draft;
mod ear;
mod form;
mod home;
mod http;
mod letter;
mod limiter;
mod missed;
mod mouth;
mod online;
mod press;
mod preview;
mod render;
mod scribe;
mod socket;
mod text;
mod workspace;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tidegate_runner::bell::Bell;
use tidegate_runner::config::{SlackConfig, SlackMode};
use tidegate_runner::desk::Desk;
use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::house::House;
use tidegate_runner::secrets::Secrets;
use tidegate_runner::service::Beside;
use tokio::sync::watch;
use tokio::time::Instant;

use api::Api;
use crier::Crier;
use ear::Ear;
use mouth::Mouth;
use scribe::Scribe;
use socket::Socket;
use workspace::Workspace;

pub use online::check_online;
#[cfg(test)]
pub(crate) use render::{Extras, render};

use crate::{cards, web};

/// The name of this chat in ledger and audit.
const DOOR: &str = "slack";

/// For how long one process has the right to speak, in milliseconds, and when it is renewed.
const LEASE_MS: i64 = 15_000;
const RENEW: Duration = Duration::from_secs(5);

/// Between two looks at the ledger when no bell rings, and after each.
const LOOK: Duration = Duration::from_secs(1);
const BREATH: Duration = Duration::from_millis(100);

/// Between two looks for messages that nobody answers.
const SWEEP: Duration = Duration::from_secs(5);

/// Between two tries to reach Slack at the start.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Between two lines about the chat's health.
const HEALTH: Duration = Duration::from_mins(5);

/// What the chat needs of the house.
struct Rooms {
    desk: Desk,
    bell: Bell,
    secrets: Secrets,
    config: SlackConfig,
    /// No other process can serve this ledger while this one is its engine.
    alone: bool,
    working: Option<watch::Receiver<bool>>,
}

/// Speaks in Slack beside the engine of `house`, if it is configured.
#[must_use]
pub fn beside(house: &House) -> Option<Beside> {
    let config = house.config().chat.slack.clone()?;
    // Two crates of the tree would each choose another; the second call finds it done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let rooms = Rooms {
        desk: house.desk.clone(),
        bell: house.bell.clone(),
        secrets: house.secrets(),
        config,
        alone: house.is_alone(),
        working: house.working(),
    };
    let (stop, stopped) = watch::channel(false);
    Some(Beside { stop, task: tokio::spawn(rooms.serve(stopped)) })
}

impl Rooms {
    async fn serve(mut self, mut stop: watch::Receiver<bool>) {
        let stop = &mut stop;
        if self.alone
            && let Some(working) = &mut self.working
        {
            // Whoever is not the engine of a ledger in a file only waits to become it.
            tokio::select! {
                ready = working.wait_for(|working| *working) => if ready.is_err() { return },
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
        let crier = self.crier();
        // Before anything new is heard.
        let heard = self.desk.heard_last(DOOR).await.ok().flatten();
        // From now on runs are told of, also those that are asked for before Slack can be reached.
        let starter = uuid::Uuid::now_v7().to_string();
        if let Err(error) = self.desk.speak_in(DOOR, &starter, 1, false).await {
            tracing::error!(%error, "whose turn it is to speak cannot be read");
        }
        let Some(workspace) = self.open(stop).await else { return };
        if let Err(error) = self.desk.trouble_over(DOOR, "").await {
            tracing::error!(%error, "a trouble that is over cannot be noted");
        }
        let workspace = Arc::new(workspace);
        let ear = Ear::new(self.desk.clone(), Arc::clone(&workspace));
        let mut listener = None;
        let socket = match &self.config.mode {
            SlackMode::Socket { app_token } => loop {
                let opened = match workspace.api.token(app_token).await {
                    Ok(token) => Socket::open(ear.clone(), token).await.map_err(|error| error.to_string()),
                    Err(error) => Err(error.to_string()),
                };
                match opened {
                    Ok(socket) => break Some(socket),
                    Err(error) => tracing::error!(error, "Slack cannot be listened to"),
                }
                if wait(TRY_AGAIN, stop).await {
                    return;
                }
            },
            SlackMode::Http { signing_secret, listen } => {
                let hooks = http::router(ear.clone(), self.secrets.clone(), signing_secret.clone());
                listener = Some(tokio::spawn(web::listen(*listen, hooks)));
                None
            }
        };
        self.speak(&ear, Mouth::new(self.desk.clone(), workspace), heard, stop).await;
        if let Some(socket) = socket {
            socket.close().await;
        }
        if let Some(listener) = listener {
            listener.abort();
        }
        drop(crier);
    }

    /// Begins to tell a webhook what Slack does not take, where there is one; ends with what is returned.
    fn crier(&self) -> Option<tokio::task::JoinSet<()>> {
        let webhook = self.config.webhook.clone()?;
        let api = match Api::new(&self.config, self.secrets.clone()) {
            Ok(api) => api,
            Err(error) => {
                tracing::error!(error, "the webhook is not told");
                return None;
            }
        };
        let after = Duration::from_secs(self.config.webhook_after_s.into());
        let crier = Crier::new(self.desk.clone(), self.secrets.clone(), api, webhook, after, self.alone);
        let mut task = tokio::task::JoinSet::new();
        task.spawn(crier.cry());
        Some(task)
    }

    /// Asks Slack who we are until it answers. `None`: told to stop.
    async fn open(&self, stop: &mut watch::Receiver<bool>) -> Option<Workspace> {
        loop {
            match Api::new(&self.config, self.secrets.clone()) {
                Ok(api) => match Workspace::open(api, &self.config.teams).await {
                    Ok(workspace) => {
                        tracing::info!(team = workspace.me.team, bot = workspace.me.user, "in Slack");
                        return Some(workspace);
                    }
                    Err(error) => {
                        tracing::error!(%error, "Slack does not let us in: see docs/slack.md; tried again");
                        let code = error.code().unwrap_or("no_answer").to_owned();
                        let text = cards::cannot_speak("", &code);
                        if let Err(error) = self.desk.trouble(DOOR, "", &code, &text).await {
                            tracing::error!(%error, "a trouble cannot be noted");
                        }
                    }
                },
                Err(error) => tracing::error!(error, "Slack is not spoken to"),
            }
            if wait(TRY_AGAIN, stop).await {
                return None;
            }
        }
    }

    /// Speaks while this process has the right to; answers what was left.
    async fn speak(&self, ear: &Ear, mouth: Mouth, mut heard: Option<Timestamp>, stop: &mut watch::Receiver<bool>) {
        let holder = uuid::Uuid::now_v7().to_string();
        let mut listener = self.bell.listen();
        let mut scribe: Option<Scribe> = None;
        let (mut renewed, mut swept, mut healthy): (Option<Instant>, Option<Instant>, Instant) =
            (None, None, Instant::now());
        loop {
            let last = *stop.borrow();
            if renewed.is_none_or(|at| at.elapsed() >= RENEW) {
                match self.desk.speak_in(DOOR, &holder, LEASE_MS, self.alone).await {
                    Ok(Some(since)) => {
                        scribe.get_or_insert_with(|| Scribe::new(mouth.clone(), since));
                    }
                    Ok(None) => scribe = None,
                    Err(error) => {
                        tracing::error!(%error, "whose turn it is to speak cannot be read");
                        scribe = None;
                    }
                }
                renewed = Some(Instant::now());
            }
            if swept.is_none_or(|at| at.elapsed() >= SWEEP) {
                ear.sweep(self.alone).await;
                ear.refresh_homes().await;
                swept = Some(Instant::now());
            }
            if scribe.is_some()
                && ear.opened.swap(false, Ordering::AcqRel)
                && let Ok(now) = self.desk.now().await
            {
                if let Some(since) = heard {
                    let ear = ear.clone();
                    // With some room: clocks differ, and what was heard twice is answered once.
                    tokio::spawn(async move { ear.catch_up(since.plus_ms(-60_000), now).await });
                }
                heard = Some(now);
            }
            if let Some(scribe) = &mut scribe {
                if let Err(error) = scribe.look().await {
                    tracing::error!(%error, "runs cannot be told of now");
                }
                if let Err(error) = mouth.send().await {
                    tracing::error!(%error, "the outbox cannot be read");
                }
            }
            if healthy.elapsed() >= HEALTH {
                healthy = Instant::now();
                let heard = ear.heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let age_s = heard.map(|at| at.elapsed().as_secs());
                tracing::info!(age_s, speaks = scribe.is_some(), "Slack: age of the last event");
            }
            if last {
                break;
            }
            tokio::select! {
                () = listener.heard() => {}
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
            tokio::time::sleep(BREATH).await;
        }
        // What was begun lands; the rest lies in the outbox.
        tokio::time::sleep(LOOK).await;
        if let Err(error) = self.desk.fall_silent(DOOR, &holder).await {
            tracing::warn!(%error, "the right to speak was not given back");
        }
    }
}

/// Waits; true when told to stop.
async fn wait(time: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        () = tokio::time::sleep(time) => false,
        _ = stop.wait_for(|stop| *stop) => true,
    }
}
