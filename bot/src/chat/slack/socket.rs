//! Socket Mode: two connections, each kept and renewed by a task of its own; what comes over them goes to the [`Ear`].
//!
//! The client of slack-morphism is not used here: nothing in it has a time limit, so that one answer that never comes loses a connection
//! for good; it connects again at once and for ever where it is accepted and closed; that a token is refused it only logs; and its
//! listener refuses interactions of kinds that it does not know.

use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tidegate_runner::domain::secret::SecretSource;
use tokio::net::TcpStream;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::delivery::Form;
use super::ear::SlackEar;
use crate::chat::voice::ear::Ear;
use crate::chat::voice::failure::ApiError;

/// So that one is there while the other is renewed.
const CONNECTIONS: u32 = 2;

/// Between the first tries of the two.
const APART: Duration = Duration::from_secs(1);

/// A connection that has not said hello by then is tried again.
const HELLO: Duration = Duration::from_secs(20);

/// A dead connection is found by the second unanswered ping, and so within 30 s.
const PING: Duration = Duration::from_secs(9);
const SILENT: Duration = Duration::from_secs(18);

/// What lived so long was no failure, however it ended.
const LIVED: Duration = Duration::from_secs(10);

/// After a failure, at first and at most.
const WAIT: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(30);

/// So long the last deliveries of a connection that ends may take to be stored.
const LAST: Duration = Duration::from_secs(2);

/// Deliveries of one connection that are being stored at the same time; what comes then waits.
const AT_ONCE: usize = 64;

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Begins to open and keep connections; they end with what is returned.
pub(super) fn open(ear: &SlackEar, app_token: &SecretSource) -> JoinSet<()> {
    let mut connections = JoinSet::new();
    for nth in 0..CONNECTIONS {
        let connection = Connection { ear: ear.clone(), app_token: app_token.clone() };
        connections.spawn(async move {
            tokio::time::sleep(APART * nth).await;
            connection.keep().await;
        });
    }
    connections
}

/// How a connection ended.
struct End {
    reason: String,
    /// It ended without a word, and this was its last sign of life: what went to it since then Slack may never deliver again.
    lost: Option<Instant>,
}

#[derive(Clone)]
struct Connection {
    ear: SlackEar,
    app_token: SecretSource,
}

impl Connection {
    /// For ever.
    async fn keep(&self) {
        let mut failures = 0;
        let mut lost = None;
        loop {
            let mut lived = Duration::ZERO;
            match tokio::time::timeout(HELLO, self.greeted()).await {
                Ok(Ok(stream)) => {
                    // The other may have died, too, and be counted as open yet: nobody else would read what went to both.
                    if let Some(since) = lost {
                        self.ear.ear.lost_since(since);
                    }
                    let (open, began) = (Open::new(&self.ear.ear), Instant::now());
                    let End { reason, lost: since } = self.talk(stream).await;
                    drop(open);
                    (lived, lost) = (began.elapsed(), since);
                    tracing::info!(reason, "a connection to Slack ended: opening another");
                }
                Ok(Err(error)) => {
                    tracing::error!(%error, "Slack cannot be listened to");
                    self.ear.ear.vital.failed(error.code().unwrap_or("no_answer"));
                    if let ApiError::Limited(wait) = error {
                        tokio::time::sleep(wait).await;
                    }
                }
                Err(_) => {
                    tracing::error!("Slack does not say hello");
                    self.ear.ear.vital.failed("no_answer");
                }
            }
            failures = if lived >= LIVED { 0 } else { failures + 1 };
            tokio::time::sleep(back_off(failures, uuid::Uuid::now_v7().as_bytes()[15])).await;
        }
    }

    /// A connection that said hello.
    async fn greeted(&self) -> Result<Stream, ApiError> {
        let unknown = |why: String| ApiError::Unknown(why);
        let address = self.ear.slack.workspace.api.open_socket(&self.app_token).await?;
        let (mut stream, _) = connect_async(&address).await.map_err(|error| unknown(error.to_string()))?;
        while let Some(message) = stream.next().await {
            if let Message::Text(text) = message.map_err(|error| unknown(error.to_string()))? {
                let said: Value = serde_json::from_str(&text).unwrap_or_default();
                if said["type"] == "hello" {
                    if self.ear.slack.workspace.me.is_of_another_app(&said["connection_info"]["app_id"]) {
                        return Err(ApiError::refused("other_app"));
                    }
                    return Ok(stream);
                }
            }
        }
        Err(unknown("closed before it said hello".to_owned()))
    }

    /// Takes what comes and acknowledges it, to the end of the connection; gives why it ended. Nothing waits for what came before it to be
    /// stored: where the ledger is slow, that is only seconds away from too late. Order is none to be kept, as Slack itself spreads
    /// what it delivers over the connections.
    async fn talk(&self, mut stream: Stream) -> End {
        let mut pings = tokio::time::interval(PING);
        let mut heard = Instant::now();
        // Dropped, they go on: what comes again unacknowledged is known then.
        let mut takes = FuturesUnordered::new();
        loop {
            let sent = tokio::select! {
                Some(done) = takes.next() => acknowledge(&mut stream, done).await,
                message = stream.next(), if takes.len() < AT_ONCE => match message {
                    None => return End { reason: "closed".to_owned(), lost: Some(heard) },
                    Some(Err(error)) => return End { reason: error.to_string(), lost: Some(heard) },
                    Some(Ok(Message::Close(_))) => return End { reason: "closed by Slack".to_owned(), lost: None },
                    Some(Ok(Message::Text(text))) => {
                        heard = Instant::now();
                        match kind_of(&text) {
                            Came::Envelope(form, envelope) => {
                                let connection = self.clone();
                                takes.push(tokio::spawn(async move { connection.taken(form, &envelope).await }));
                                Ok(())
                            }
                            Came::Nothing => Ok(()),
                            Came::End(reason) => {
                                // Commands come only once: who typed one would be told that it failed.
                                let last = async {
                                    while let Some(done) = takes.next().await {
                                        let _ = acknowledge(&mut stream, done).await;
                                    }
                                };
                                let _ = tokio::time::timeout(LAST, last).await;
                                let _ = stream.close(None).await;
                                return End { reason, lost: None };
                            }
                        }
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {
                        heard = Instant::now();
                        Ok(())
                    }
                },
                _ = pings.tick() => {
                    if heard.elapsed() > SILENT {
                        return End { reason: "dead: no answer to pings".to_owned(), lost: Some(heard) };
                    }
                    stream.send(Message::Ping(Bytes::from_static(b"tidegate"))).await
                }
            };
            if let Err(error) = sent {
                return End { reason: error.to_string(), lost: Some(heard) };
            }
        }
    }

    /// Takes an envelope, and gives what acknowledges it; `None`: it must not be.
    async fn taken(&self, form: Option<Form>, envelope: &Value) -> Option<Message> {
        let body = match form {
            Some(form) => {
                match self.ear.take(form, &envelope["payload"], envelope["retry_attempt"].as_i64() > Some(0)).await {
                    Ok(body) => body,
                    Err(error) => {
                        tracing::error!(%error, "not acknowledged: it cannot be stored, and Slack delivers it again");
                        return None;
                    }
                }
            }
            None => None,
        };
        let mut acknowledgement = json!({ "envelope_id": envelope["envelope_id"] });
        if let Some(body) = body.filter(|_| envelope["accepts_response_payload"] == true) {
            acknowledgement["payload"] = body;
        }
        Some(Message::Text(acknowledgement.to_string().into()))
    }
}

async fn acknowledge(stream: &mut Stream, taken: Result<Option<Message>, JoinError>) -> Result<(), Error> {
    match taken {
        Ok(Some(answer)) => stream.send(answer).await,
        Ok(None) => Ok(()),
        Err(error) => {
            tracing::error!(%error, "not acknowledged: Slack delivers it again");
            Ok(())
        }
    }
}

/// What came.
enum Came {
    /// Something to be acknowledged; without a form it is of a kind that is not known here.
    Envelope(Option<Form>, Value),
    Nothing,
    End(String),
}

fn kind_of(text: &str) -> Came {
    let Ok(envelope) = serde_json::from_str::<Value>(text) else {
        tracing::warn!("Slack sent something that is not JSON");
        return Came::Nothing;
    };
    let form = match envelope["type"].as_str().unwrap_or_default() {
        "disconnect" => return Came::End(envelope["reason"].as_str().unwrap_or("disconnect").to_owned()),
        "slash_commands" => Some(Form::Command),
        "events_api" => Some(Form::Event),
        "interactive" => Some(Form::Interaction),
        other => {
            tracing::debug!(kind = other, "an envelope of a kind that is not known here");
            None
        }
    };
    if envelope["envelope_id"].is_string() { Came::Envelope(form, envelope) } else { Came::Nothing }
}

/// A connection that is open, as long as it is.
struct Open(Ear);

impl Open {
    fn new(ear: &Ear) -> Self {
        tracing::info!("listening to Slack");
        ear.listens();
        Self(ear.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.vital.ended();
    }
}

/// How long to wait after so many failures in a row; what ended after a good while only lets others go first. `chance` makes no two
/// wait for the same time.
fn back_off(failures: u32, chance: u8) -> Duration {
    let base = match failures {
        0 => Duration::ZERO,
        more => WAIT.saturating_mul(1 << (more - 1).min(5)).min(WAIT_MAX),
    };
    base + Duration::from_millis(u64::from(chance) * 2) + base.mul_f64(f64::from(chance) / 1_024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_tried_again_more_and_more_seldom_and_never_in_step_with_others() {
        assert!(back_off(0, 255) < Duration::from_secs(1));
        let waits: Vec<u64> = (1..=8).map(|failures| back_off(failures, 0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert!(back_off(8, 200) > back_off(8, 100) && back_off(8, 255) < Duration::from_secs(39));
    }
}
