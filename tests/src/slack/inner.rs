//! What the server's tasks and the test share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::call::Call;
use super::delivery::{Delivery, Kind, deliver};
use super::faults::Faults;
use super::state::{APP, BOT_USER, State, TEAM, now_micros};

pub(crate) struct Inner {
    /// `http://127.0.0.1:PORT`.
    pub(crate) base: String,
    pub(crate) bot_token: String,
    pub(crate) app_token: String,
    pub(crate) signing_secret: String,
    pub(crate) began: Instant,
    state: Mutex<State>,
    calls: Mutex<Vec<Call>>,
    faults: Mutex<Faults>,
    delivery: Mutex<Delivery>,
    settings: Mutex<Settings>,
    changed: watch::Sender<u64>,
}

pub(crate) struct Settings {
    /// What the bot token may do.
    pub(crate) scopes: Vec<String>,
    /// How long Slack waits for an acknowledgement, and how long a trigger lives.
    pub(crate) patience: Duration,
    /// The app that `bots.info` says the bot is of.
    pub(crate) app_of_bot: &'static str,
}

/// What a bot of our kind asks for when it is installed.
const SCOPES: &[&str] = &[
    "app_mentions:read",
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "reactions:write",
    "usergroups:read",
    "users:read",
];

impl Inner {
    pub(crate) fn new(base: String) -> Self {
        let secret = || uuid::Uuid::now_v7().simple().to_string();
        let scopes = SCOPES.iter().map(ToString::to_string).collect();
        Self {
            base,
            // The prefixes are those by which clients and scanners know the kinds of tokens.
            bot_token: format!("{}-{}", "xoxb", secret()),
            app_token: format!("{}-1-{}-{}", "xapp", super::state::APP, secret()),
            signing_secret: secret(),
            began: Instant::now(),
            state: Mutex::default(),
            calls: Mutex::default(),
            faults: Mutex::default(),
            delivery: Mutex::default(),
            settings: Mutex::new(Settings { scopes, patience: Duration::from_secs(3), app_of_bot: super::state::APP }),
            changed: watch::Sender::new(0),
        }
    }

    /// A test that panics while it holds a lock has said why already.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn delivery(&self) -> MutexGuard<'_, Delivery> {
        self.delivery.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells those who wait that something has changed.
    pub(crate) fn bump(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(crate) fn begin(&self, method: &str) -> usize {
        let mut calls = self.calls();
        let (at, arguments) = (self.began.elapsed(), serde_json::Map::new());
        calls.push(Call { at, method: method.into(), arguments, answer: None, status: None });
        calls.len() - 1
    }

    pub(crate) fn finish(&self, call: usize, status: u16, answer: &Value) {
        if let Some(call) = self.calls().get_mut(call) {
            (call.status, call.answer) = (Some(status), Some(answer.clone()));
        }
        self.bump();
    }

    /// An event as it is sent: `event` in its wrapping.
    pub(crate) fn wrapped(&self, event: &Value) -> Value {
        let authorization = json!({ "enterprise_id": null, "team_id": TEAM, "user_id": BOT_USER, "is_bot": true, "is_enterprise_install": false });
        let id = self.state().new_id('E').replacen('E', "Ev", 1);
        let shared =
            event.get("channel").and_then(Value::as_str).and_then(|id| self.state().channel(id).map(|c| c.shared));
        json!({
            "token": "legacy", "team_id": TEAM, "context_team_id": TEAM, "context_enterprise_id": null, "api_app_id": APP,
            "event": event, "type": "event_callback", "event_id": id, "event_time": now_micros() / 1_000_000,
            "authorizations": [authorization], "is_ext_shared_channel": shared.unwrap_or(false), "event_context": format!("4-{id}"),
        })
    }

    /// Sends an event for which nobody waits.
    pub(crate) fn tell(self: &Arc<Self>, event: &Value) {
        let (inner, payload) = (self.clone(), self.wrapped(event));
        tokio::spawn(async move { deliver(&inner, Kind::Events, payload).await });
    }
}
