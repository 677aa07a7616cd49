//! `/health`: whether everything that Tidegate needs answers, in figures, for whoever watches over it. It tells no names of environments
//! or people, and no words of anybody.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Serialize;
use tidegate_runner::desk::{Desk, DeskError};
use tokio::time::Instant;

use crate::vitals::Vitals;

/// The ledger has so long to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What waits longer to be said is a sign that a chat takes nothing, in seconds.
const WAITS_S: u64 = 300;

/// Without any connection for so long, nothing is heard, in seconds: one that is renewed takes less.
const DEAF_S: u64 = 30;

/// How everything is. Times are in seconds unless a name says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Health {
    /// Nothing is wrong.
    ok: bool,
    /// What is wrong: `database`, `runners`, `slack.deaf`, `slack.outbox`.
    problems: Vec<String>,
    version: &'static str,
    database: Database,
    runners: Runners,
    chats: BTreeMap<&'static str, Chat>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Database {
    answers: bool,
    /// How long all that is told here took to be read.
    took_ms: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Runners {
    /// Those that were seen within their lease.
    alive: usize,
    /// Those that went silent within the last day.
    silent: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Chat {
    /// Since this process was last told anything by the chat; absent before the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_age_s: Option<u64>,
    /// For how long this process hears nothing; absent while it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    deaf_s: Option<u64>,
    /// Messages that wait to be said, by whichever process.
    outbox: u64,
    /// How long the oldest of them has waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    outbox_age_s: Option<u64>,
}

impl Health {
    /// What is wrong with it.
    fn judged(mut self) -> Self {
        let mut problems = Vec::new();
        if !self.database.answers {
            problems.push("database".to_owned());
        } else if self.runners.alive == 0 {
            problems.push("runners".to_owned());
        }
        for (door, chat) in &self.chats {
            if chat.deaf_s.is_some_and(|deaf| deaf >= DEAF_S) {
                problems.push(format!("{door}.deaf"));
            }
            if chat.outbox_age_s.is_some_and(|age| age >= WAITS_S) {
                problems.push(format!("{door}.outbox"));
            }
        }
        self.ok = problems.is_empty();
        self.problems = problems;
        self
    }
}

#[derive(Clone)]
struct Asked {
    desk: Desk,
    vitals: Vitals,
}

/// What tells it.
pub(super) fn router(desk: Desk, vitals: Vitals) -> Router {
    Router::new().route("/health", get(health)).with_state(Asked { desk, vitals })
}

async fn health(State(asked): State<Asked>) -> Response {
    let health = asked.look().await;
    let status = if health.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::to_string(&health).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], body).into_response()
}

impl Asked {
    async fn look(&self) -> Health {
        let mut health = Health { version: env!("CARGO_PKG_VERSION"), ..Health::default() };
        for (door, vital) in self.vitals.all() {
            let deaf_s = vital.deaf_for().map(|(time, _)| time.as_secs());
            let chat = Chat { event_age_s: vital.age().map(|age| age.as_secs()), deaf_s, ..Chat::default() };
            health.chats.insert(door, chat);
        }
        let began = Instant::now();
        match tokio::time::timeout(PATIENCE, self.read(&mut health)).await {
            Ok(Ok(())) => health.database.answers = true,
            Ok(Err(error)) => tracing::error!(%error, "the ledger does not answer"),
            Err(_) => tracing::error!(patience_s = PATIENCE.as_secs(), "the ledger does not answer in time"),
        }
        health.database.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        health.judged()
    }

    async fn read(&self, health: &mut Health) -> Result<(), DeskError> {
        for (door, chat) in &mut health.chats {
            let (outbox, age_ms) = self.desk.unsaid(door).await?;
            chat.outbox = outbox;
            chat.outbox_age_s = age_ms.map(|ms| ms / 1_000);
        }
        let runners = self.desk.runners().await?;
        health.runners.alive = runners.iter().filter(|runner| runner.alive).count();
        health.runners.silent = runners.len() - health.runners.alive;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named_and_what_only_takes_a_moment_is_not() {
        let well = || Health {
            database: Database { answers: true, took_ms: 1 },
            runners: Runners { alive: 1, silent: 1 },
            chats: BTreeMap::from([(
                "slack",
                Chat { deaf_s: Some(29), outbox: 3, outbox_age_s: Some(299), ..Chat::default() },
            )]),
            ..Health::default()
        };
        let problems = |change: fn(&mut Health)| {
            let mut health = well();
            change(&mut health);
            let judged = health.judged();
            assert_eq!(judged.ok, judged.problems.is_empty());
            judged.problems.join(" ")
        };
        assert_eq!(problems(|_| {}), "");
        assert_eq!(problems(|health| health.runners.alive = 0), "runners");
        assert_eq!(problems(|health| health.database.answers = false), "database");
        let silent = |health: &mut Health| {
            health.chats.insert("slack", Chat { deaf_s: Some(30), outbox_age_s: Some(300), ..Chat::default() });
        };
        assert_eq!(problems(silent), "slack.deaf slack.outbox");
    }
}
