//! Slack: native message in, card out.
//!
//! `ear` stores what comes in before it is acknowledged, `answer` answers it; `mouth` sends what lies in the outbox; `scribe` keeps
//! one card per run true; `speak` lets them work side by side. Words are the cards', rules the desk's.

mod answer;
mod api;
mod channels;
mod crier;
mod delivery;
mod draft;
mod ear;
mod editing;
mod form;
mod hearing;
mod home;
mod http;
mod letter;
mod limiter;
mod logs;
mod missed;
mod mouth;
mod names;
mod online;
mod press;
mod preview;
mod refused;
mod render;
mod right;
mod scribe;
mod sending;
mod socket;
mod speak;
mod stands;
mod text;
mod together;
mod trouble;
mod workspace;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tidegate_runner::bell::Bell;
use tidegate_runner::config::{SlackConfig, SlackMode};
use tidegate_runner::desk::Desk;
use tidegate_runner::house::House;
use tidegate_runner::secrets::Secrets;
use tidegate_runner::service::Beside;
use tokio::sync::watch;
use tokio::task::JoinSet;

use api::Api;
use crier::Crier;
use ear::Ear;
use missed::Missed;
use mouth::Mouth;
use right::Right;
use socket::Socket;
use workspace::Workspace;

pub use online::check_online;
#[cfg(test)]
pub(crate) use render::{Extras, render};

use crate::{cards, web};

/// The name of this chat in ledger and audit.
const DOOR: &str = "slack";

/// Between two tries to reach Slack at the start.
const TRY_AGAIN: Duration = Duration::from_secs(5);

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
        let ear = Ear::new(self.desk.clone(), Arc::clone(&workspace), self.alone);
        let mut listener = JoinSet::new();
        let socket = match &self.config.mode {
            SlackMode::Socket { app_token } => Some(Socket::open(&ear, app_token)),
            SlackMode::Http { signing_secret, listen } => {
                let hooks = http::router(ear.clone(), self.secrets.clone(), signing_secret.clone());
                listener.spawn(web::listen(*listen, hooks));
                if ear.hearing.opened() {
                    ear.opened.store(true, Ordering::Release);
                }
                None
            }
        };
        let right = Right::new(self.desk.clone(), self.alone);
        let mouth = Mouth::new(self.desk.clone(), workspace, right);
        let missed = Missed::new(ear.clone(), heard);
        speak::speak(ear, mouth, &self.bell, missed, stop).await;
        drop((socket, listener, crier));
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
}

/// Waits; true when told to stop.
async fn wait(time: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        () = tokio::time::sleep(time) => false,
        _ = stop.wait_for(|stop| *stop) => true,
    }
}
