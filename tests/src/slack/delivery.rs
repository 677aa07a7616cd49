//! What Slack sends to the app: envelopes over Socket Mode, or signed HTTP; acknowledgements, retries, broken connections.
//!
//! One envelope goes to one socket, in turn. An event that is not acknowledged in time is sent once more at once, to the next
//! socket, as Slack does; Slack's later retries (after 1 and 5 minutes) come when a test says so.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::http;
use super::inner::Inner;

/// How the app took what was sent to it.
#[derive(Debug, Clone)]
pub struct Acknowledgement {
    /// From sending to the acknowledgement, or to giving up.
    pub taken: Duration,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of sending something to the app.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Acknowledged, with this answer if there was one.
    Accepted(Option<Value>),
    /// Not within three seconds (or the patience that was set).
    Late,
    /// No socket is open, or nobody listens at the address.
    Unconnected,
    /// The connection ended before the acknowledgement.
    Lost,
    /// Another HTTP status than 200.
    Refused(u16),
}

impl Acknowledgement {
    /// Whether the app acknowledged.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        matches!(self.outcome, Outcome::Accepted(_))
    }

    /// What the acknowledgement held.
    #[must_use]
    pub fn body(&self) -> Option<&Value> {
        if let Outcome::Accepted(Some(body)) = &self.outcome { Some(body) } else { None }
    }

    /// Asserts that the app acknowledged.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    #[expect(clippy::must_use_candidate, reason = "the assertion is what most want")]
    pub fn accepted(&self) -> &Self {
        assert!(self.is_ok(), "not acknowledged after {:?}: {:?}", self.taken, self.outcome);
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Events,
    Command,
    Interactive,
    /// Of a kind that does not exist yet.
    Unheard,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Events => "events_api",
            Self::Command => "slash_commands",
            Self::Interactive => "interactive",
            Self::Unheard => "hologram",
        }
    }
}

/// Something for the app.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    pub(crate) kind: Kind,
    pub(crate) payload: Value,
    /// 0 the first time.
    pub(crate) attempt: u32,
    pub(crate) reason: &'static str,
}

pub(crate) enum Out {
    Text(String),
    Close,
}

pub(crate) struct Socket {
    id: u64,
    out: mpsc::UnboundedSender<Out>,
    mute: Arc<AtomicBool>,
}

/// The addresses to which HTTP goes.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    pub(crate) events: String,
    pub(crate) commands: String,
    pub(crate) interactive: String,
}

/// Sockets, and what waits for an acknowledgement.
#[derive(Default)]
pub(crate) struct Delivery {
    sockets: Vec<Socket>,
    next_socket: u64,
    turn: usize,
    /// By envelope id: the socket that has it and who waits.
    waiting: HashMap<String, (u64, oneshot::Sender<Option<Value>>)>,
    unacknowledged: Vec<Envelope>,
    /// What the last act of a person made, for sending it again though it was acknowledged.
    last: Vec<Envelope>,
    pub(crate) addresses: Option<Addresses>,
    pub(crate) tickets: Vec<String>,
}

impl Delivery {
    pub(crate) fn connect(&mut self, out: mpsc::UnboundedSender<Out>, mute: Arc<AtomicBool>) -> (u64, usize) {
        self.next_socket += 1;
        self.sockets.push(Socket { id: self.next_socket, out, mute });
        (self.next_socket, self.sockets.len())
    }

    pub(crate) fn disconnect(&mut self, id: u64) {
        self.sockets.retain(|socket| socket.id != id);
        // Dropping the sender tells whoever waits that the connection is gone.
        self.waiting.retain(|_, (socket, _)| *socket != id);
    }

    pub(crate) fn acknowledge(&mut self, envelope: &str, payload: Option<Value>) {
        if let Some((_, waits)) = self.waiting.remove(envelope) {
            // Whoever waited may have given up in this moment.
            let _ = waits.send(payload);
        }
    }

    pub(crate) fn sockets(&self) -> usize {
        self.sockets.iter().filter(|socket| !socket.mute.load(Ordering::SeqCst)).count()
    }

    pub(crate) fn unacknowledged(&self) -> usize {
        self.unacknowledged.len()
    }

    pub(crate) fn take_unacknowledged(&mut self) -> Vec<Envelope> {
        std::mem::take(&mut self.unacknowledged)
    }

    pub(crate) fn last(&self) -> Vec<Envelope> {
        self.last.clone()
    }

    pub(crate) fn mute_all(&mut self) {
        for socket in &self.sockets {
            socket.mute.store(true, Ordering::SeqCst);
        }
    }

    pub(crate) fn say_disconnect(&mut self, reason: &str) {
        let debug =
            json!({ "host": "applink-test", "started": "", "build_number": 1, "approximate_connection_time": 18_060 });
        let text = json!({ "type": "disconnect", "reason": reason, "debug_info": debug }).to_string();
        for socket in &self.sockets {
            let _ = socket.out.send(Out::Text(text.clone()));
            // A warning comes about ten seconds before the end; everything else is the end.
            if reason != "warning" {
                let _ = socket.out.send(Out::Close);
            }
        }
    }

    /// Asks the oldest connection alone to be renewed; it stays open until the client has closed it.
    pub(crate) fn say_refresh(&mut self) {
        let text =
            json!({ "type": "disconnect", "reason": "refresh_requested", "debug_info": { "host": "applink-test" } });
        if let Some(socket) = self.sockets.first() {
            let _ = socket.out.send(Out::Text(text.to_string()));
        }
    }

    pub(crate) fn close_all(&mut self) {
        for socket in &self.sockets {
            let _ = socket.out.send(Out::Close);
        }
    }

    /// Sends to the next socket in turn.
    fn send(&mut self, envelope: &Envelope) -> Option<oneshot::Receiver<Option<Value>>> {
        if self.sockets.is_empty() {
            return None;
        }
        self.turn = (self.turn + 1) % self.sockets.len();
        let socket = &self.sockets[self.turn];
        let id = uuid::Uuid::now_v7().to_string();
        let mut text = json!({ "envelope_id": id, "type": envelope.kind.word(), "payload": envelope.payload,
            "accepts_response_payload": envelope.kind != Kind::Events });
        if envelope.kind == Kind::Events {
            text["retry_attempt"] = json!(envelope.attempt);
            text["retry_reason"] = json!(envelope.reason);
        }
        let (waits, comes) = oneshot::channel();
        self.waiting.insert(id, (socket.id, waits));
        let _ = socket.out.send(Out::Text(text.to_string()));
        Some(comes)
    }
}

/// Sends one thing and waits for its acknowledgement; what is not acknowledged is kept for [`again`].
pub(crate) async fn deliver(inner: &Arc<Inner>, kind: Kind, payload: Value) -> Acknowledgement {
    again(inner, Envelope { kind, payload, attempt: 0, reason: "" }).await
}

/// Sends what one act of a person makes, and remembers it for sending it again.
pub(crate) async fn deliver_all(inner: &Arc<Inner>, kind: Kind, payloads: Vec<Value>) -> Vec<Acknowledgement> {
    let envelope = |payload| Envelope { kind, payload, attempt: 0, reason: "" };
    let envelopes: Vec<Envelope> = payloads.into_iter().map(envelope).collect();
    inner.delivery().last.clone_from(&envelopes);
    futures_util::future::join_all(envelopes.into_iter().map(|envelope| again(inner, envelope))).await
}

/// Sends it, and an event at once a second time where the first was in vain.
pub(crate) async fn again(inner: &Arc<Inner>, mut envelope: Envelope) -> Acknowledgement {
    let began = Instant::now();
    let mut outcome = once(inner, &envelope).await;
    let retried = matches!(outcome, Outcome::Late | Outcome::Lost | Outcome::Refused(_));
    if retried && envelope.kind == Kind::Events && envelope.attempt == 0 {
        envelope.attempt = 1;
        envelope.reason = if outcome == Outcome::Late { "timeout" } else { "http_error" };
        outcome = once(inner, &envelope).await;
    }
    let acknowledgement = Acknowledgement { taken: began.elapsed(), outcome };
    if !acknowledgement.is_ok() {
        envelope.attempt += 1;
        envelope.reason = "timeout";
        inner.delivery().unacknowledged.push(envelope);
    }
    inner.bump();
    acknowledgement
}

async fn once(inner: &Arc<Inner>, envelope: &Envelope) -> Outcome {
    let patience = inner.settings().patience;
    let addresses = inner.delivery().addresses.clone();
    if let Some(addresses) = addresses {
        return match tokio::time::timeout(patience, http::send(inner, &addresses, envelope)).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Late,
        };
    }
    let Some(comes) = inner.delivery().send(envelope) else { return Outcome::Unconnected };
    match tokio::time::timeout(patience, comes).await {
        Ok(Ok(body)) => Outcome::Accepted(body),
        Ok(Err(_)) => Outcome::Lost,
        Err(_) => Outcome::Late,
    }
}
