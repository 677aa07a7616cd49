//! Socket Mode: connections that slack-morphism opens, keeps and renews; what comes over them goes to the [`Ear`].
//!
//! Its own listener is not used: it refuses interactions of kinds that it does not know, and callbacks get no state. Ours sees the
//! envelope as text and answers with the acknowledgement once the inbox has it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use serde_json::{Value, json};
use slack_morphism::clients_manager::{SlackSocketModeClientsManager, SlackSocketModeClientsManagerFactory as _};
use slack_morphism::errors::SlackClientError;
use slack_morphism::listener::SlackClientEventsListenerEnvironment;
use slack_morphism::{
    SlackApiToken, SlackClientSocketModeConfig, SlackSocketModeClientListener, SlackSocketModeWssClientId,
};

use super::delivery::Form;
use super::ear::Ear;

type Manager = dyn SlackSocketModeClientsManager + Send + Sync;

/// Open connections. Dropping it closes none of them: [`Socket::close`] does.
pub(super) struct Socket {
    manager: Arc<Manager>,
}

struct Listener {
    ear: Ear,
    /// Set right after it is made: manager and listener know each other.
    manager: OnceLock<Weak<Manager>>,
}

impl Socket {
    /// Opens two connections, so that one is there while the other is renewed.
    pub(super) async fn open(ear: Ear, token: SlackApiToken) -> Result<Self, SlackClientError> {
        let client = Arc::clone(&ear.workspace.api.client);
        let environment = Arc::new(SlackClientEventsListenerEnvironment::new(Arc::clone(&client)));
        let manager = client.http_api.connector.new_clients_manager(environment);
        let listener = Listener { ear, manager: OnceLock::new() };
        let _ = listener.manager.set(Arc::downgrade(&manager));
        // A dead connection is found by the second unanswered ping, and so within 30 s.
        let config = SlackClientSocketModeConfig::new()
            .with_max_connections_count(2)
            .with_initial_backoff_in_seconds(1)
            .with_reconnect_timeout_in_seconds(5)
            .with_ping_interval_in_seconds(9)
            .with_ping_failure_threshold_times(1);
        manager.register_new_token(&config, token, Arc::new(listener)).await?;
        manager.start().await;
        Ok(Self { manager })
    }

    pub(super) async fn close(&self) {
        self.manager.shutdown().await;
    }
}

impl Listener {
    async fn restart(&self, id: &SlackSocketModeWssClientId) {
        if let Some(manager) = self.manager.get().and_then(Weak::upgrade) {
            manager.restart_client(id).await;
        }
    }
}

#[async_trait]
impl SlackSocketModeClientListener for Listener {
    async fn on_message(&self, id: &SlackSocketModeWssClientId, body: String) -> Option<String> {
        let Ok(envelope) = serde_json::from_str::<Value>(&body) else {
            tracing::warn!("Slack sent something that is not JSON");
            return None;
        };
        let form = match envelope["type"].as_str().unwrap_or_default() {
            "hello" => {
                tracing::info!("listening to Slack");
                self.ear.opened.store(true, Ordering::Release);
                return None;
            }
            "disconnect" => {
                let reason = envelope["reason"].as_str().unwrap_or_default();
                tracing::info!(reason, "Slack closes a connection: opening another");
                self.restart(id).await;
                return None;
            }
            "slash_commands" => Some(Form::Command),
            "events_api" => Some(Form::Event),
            "interactive" => Some(Form::Interaction),
            other => {
                tracing::debug!(kind = other, "an envelope of a kind that is not known here");
                None
            }
        };
        let envelope_id = envelope["envelope_id"].as_str()?;
        let body = match form {
            Some(form) => match self.ear.take(form, &envelope["payload"]).await {
                Ok(body) => body,
                Err(error) => {
                    tracing::error!(%error, "not acknowledged: it cannot be stored, and Slack delivers it again");
                    return None;
                }
            },
            None => None,
        };
        let mut acknowledgement = json!({ "envelope_id": envelope_id });
        if let Some(body) = body.filter(|_| envelope["accepts_response_payload"] == true) {
            acknowledgement["payload"] = body;
        }
        Some(acknowledgement.to_string())
    }

    async fn on_error(&self, error: Box<dyn std::error::Error + Send + Sync>) {
        tracing::warn!(%error, "a connection to Slack is broken");
    }

    async fn on_disconnect(&self, id: &SlackSocketModeWssClientId) {
        self.restart(id).await;
    }
}
