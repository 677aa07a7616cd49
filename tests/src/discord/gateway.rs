//! The gateway: sessions, each with what was sent in it, and connections to them.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::extract::State as Shared;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::server::{Inner, Server};
use super::state::{APPLICATION, BOT, GUILD};

/// What goes to a connection.
enum Out {
    Text(Value),
    Close(u16),
    /// The connection is cut without a word.
    Cut,
    /// It stays open, and nothing is answered any more.
    Mute,
}

struct Session {
    id: String,
    seq: u64,
    /// Everything that was sent, with its number.
    sent: Vec<Value>,
    to: Option<mpsc::UnboundedSender<Out>>,
    /// It cannot be gone on with.
    over: bool,
}

/// The sessions, oldest first.
#[derive(Default)]
pub(super) struct Sessions {
    all: Vec<Session>,
    /// How often one was begun, and gone on with.
    pub(super) begun: usize,
    pub(super) resumed: usize,
    /// The next one that wants to begin is refused with this number.
    pub(super) refuse: Option<u16>,
    /// Where sessions are gone on with nobody answers any more.
    pub(super) lost: bool,
}

impl Sessions {
    fn send(&mut self, index: usize, name: &str, event: &Value) {
        let Some(session) = self.all.get_mut(index) else { return };
        session.seq += 1;
        let said = json!({ "op": 0, "t": name, "s": session.seq, "d": event });
        session.sent.push(said.clone());
        if let Some(to) = &session.to {
            let _ = to.send(Out::Text(said));
        }
    }

    /// Something happens: every session that is not over hears of it.
    pub(super) fn happens(&mut self, name: &str, event: &Value) {
        for index in 0..self.all.len() {
            if !self.all[index].over {
                self.send(index, name, event);
            }
        }
    }

    fn each(&mut self, mut out: impl FnMut(&mut Session) -> Option<Out>) {
        for session in &mut self.all {
            if let Some(to) = session.to.clone()
                && let Some(out) = out(session)
            {
                let _ = to.send(out);
            }
        }
    }
}

pub(super) async fn upgrade(Shared(inner): Shared<Arc<Inner>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| talk(inner, socket))
}

/// The address that a session is told for going on with it: of its own, as Discord's is.
pub(super) async fn upgrade_again(Shared(inner): Shared<Arc<Inner>>, upgrade: WebSocketUpgrade) -> Response {
    if inner.sessions().lost {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    upgrade.on_upgrade(move |socket| talk(inner, socket))
}

/// One connection, to its end.
async fn talk(inner: Arc<Inner>, socket: WebSocket) {
    let (mut sink, mut stream) = socket.split();
    let beat = *inner.beat.lock().unwrap_or_else(PoisonError::into_inner);
    let hello = json!({ "op": 10, "d": { "heartbeat_interval": u64::try_from(beat.as_millis()).unwrap_or(1) } });
    if sink.send(Message::Text(hello.to_string().into())).await.is_err() {
        return;
    }
    let (to, mut out) = mpsc::unbounded_channel();
    let mut mine: Option<String> = None;
    let mut mute = false;
    loop {
        tokio::select! {
            next = out.recv() => match next {
                Some(Out::Text(_)) if mute => {}
                Some(Out::Text(said)) => {
                    if sink.send(Message::Text(said.to_string().into())).await.is_err() {
                        break;
                    }
                }
                Some(Out::Close(code)) => {
                    let _ = sink.send(Message::Close(Some(CloseFrame { code, reason: "".into() }))).await;
                    break;
                }
                Some(Out::Mute) => mute = true,
                Some(Out::Cut) | None => break,
            },
            next = stream.next() => match next {
                Some(Ok(Message::Text(text))) if !mute => {
                    let said: Value = serde_json::from_str(&text).unwrap_or_default();
                    heard(&inner, &said, &to, &mut mine);
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    if let Some(id) = mine {
        let mut sessions = inner.sessions();
        let own =
            |session: &&mut Session| session.id == id && session.to.as_ref().is_some_and(|at| at.same_channel(&to));
        if let Some(session) = sessions.all.iter_mut().find(own) {
            session.to = None;
        }
    }
    inner.bump();
}

fn heard(inner: &Inner, said: &Value, to: &mpsc::UnboundedSender<Out>, mine: &mut Option<String>) {
    let send = |said: Value| {
        let _ = to.send(Out::Text(said));
    };
    let mut sessions = inner.sessions();
    match said["op"].as_u64() {
        Some(1) => send(json!({ "op": 11 })),
        Some(2) => {
            if let Some(code) = sessions.refuse.take() {
                let _ = to.send(Out::Close(code));
                return;
            }
            if said["d"]["token"] != inner.token.as_str() {
                let _ = to.send(Out::Close(4_004));
                return;
            }
            let id = uuid::Uuid::now_v7().simple().to_string();
            let intents = said["d"]["intents"].as_u64().unwrap_or(0);
            // Privileged ones have to be switched on, and are not.
            if intents & 0x8102 != 0 {
                inner.bad(format!("intents {intents:#x} are not switched on"));
                let _ = to.send(Out::Close(4_014));
                return;
            }
            let session = Session { id: id.clone(), seq: 0, sent: Vec::new(), to: Some(to.clone()), over: false };
            sessions.all.push(session);
            sessions.begun += 1;
            let ready = json!({
                "v": 10, "user": { "id": BOT.to_string(), "username": "tidegate", "bot": true }, "session_id": id,
                "resume_gateway_url": format!("ws://{}/resume", inner.base), "guilds": [{ "id": GUILD.to_string(), "unavailable": true }],
                "application": { "id": APPLICATION.to_string(), "flags": 0 },
            });
            *mine = Some(id);
            let index = sessions.all.len() - 1;
            sessions.send(index, "READY", &ready);
        }
        Some(6) => {
            let known = sessions.all.iter().position(|s| said["d"]["session_id"] == s.id.as_str() && !s.over);
            let Some(index) = known.filter(|_| said["d"]["token"] == inner.token.as_str()) else {
                return send(json!({ "op": 9, "d": false }));
            };
            let from = said["d"]["seq"].as_u64().unwrap_or(0);
            let session = &mut sessions.all[index];
            if from > session.seq {
                return send(json!({ "op": 9, "d": false }));
            }
            session.to = Some(to.clone());
            *mine = Some(session.id.clone());
            for missed in session.sent.iter().filter(|event| event["s"].as_u64() > Some(from)).cloned() {
                send(missed);
            }
            sessions.resumed += 1;
            sessions.send(index, "RESUMED", &json!({}));
        }
        _ => {}
    }
    drop(sessions);
    inner.bump();
}

impl Server {
    /// How many sessions were begun, and how often one was gone on with.
    #[must_use]
    pub fn sessions(&self) -> (usize, usize) {
        let sessions = self.inner.sessions();
        (sessions.begun, sessions.resumed)
    }

    /// Connections that are open now.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.inner.sessions().all.iter().filter(|session| session.to.is_some()).count()
    }

    /// Asks everybody to connect again.
    pub fn asks_to_reconnect(&self) {
        self.inner.sessions().each(|_| Some(Out::Text(json!({ "op": 7, "d": null }))));
    }

    /// The sessions are not valid any more, or only interrupted.
    pub fn invalidates(&self, resumable: bool) {
        self.inner.sessions().each(|session| {
            session.over |= !resumable;
            Some(Out::Text(json!({ "op": 9, "d": resumable })))
        });
    }

    /// Cuts all connections.
    pub fn cuts(&self) {
        self.inner.sessions().each(|_| Some(Out::Cut));
    }

    /// Closes all connections with this number.
    pub fn closes(&self, code: u16) {
        self.inner.sessions().each(|_| Some(Out::Close(code)));
    }

    /// The connections stay open, and nothing is answered or told in them any more.
    pub fn falls_silent(&self) {
        self.inner.sessions().each(|_| Some(Out::Mute));
    }

    /// Nobody answers any more at the address where sessions are gone on with.
    pub fn loses_the_resume_address(&self) {
        self.inner.sessions().lost = true;
    }

    /// The next session that wants to begin is refused with this number.
    pub fn refuses_the_next(&self, code: u16) {
        self.inner.sessions().refuse = Some(code);
    }

    /// Waits until so many connections are open.
    pub async fn until_connected(&self, count: usize) {
        self.until("connections", || (self.connected() == count).then_some(())).await;
        // Whoever was let in has to hear of it.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
