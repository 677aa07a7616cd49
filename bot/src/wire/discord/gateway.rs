//! The gateway: one connection, kept by a task of its own, resumed where that is possible, opened anew where it is not.
//!
//! Numbers and names are serenity's; its client is not used here: it takes the real gateway where the one that is asked for is not told,
//! reads on without end from a connection that was closed, drops an event with one field of a kind that it does not know, logs what
//! people wrote, counts an event as read before anybody has stored it, and brings a second TLS library whose advisories are not mended.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use serenity::model::gateway::GatewayIntents;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::rest::Api;
use crate::wire::address::may_be_spoken_to;
use crate::wire::failure::ApiError;

/// A connection that has not said hello and let us in by then is tried again.
const HELLO: Duration = Duration::from_secs(20);

/// What lived so long was no failure, however it ended.
const LIVED: Duration = Duration::from_secs(10);

/// After a failure, at first and at most.
const WAIT: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_mins(1);

/// Between two new sessions: Discord lets one begin every five seconds.
const IDENTIFY: Duration = Duration::from_secs(5);

/// A session with which Discord says hello so often and does not go on is left for another.
const TRIES: u32 = 5;

/// Events of one connection that are being stored at the same time; what comes then waits.
const AT_ONCE: usize = 64;

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Who hears what the gateway tells.
#[async_trait]
pub(crate) trait Hears: Clone + Send + Sync + 'static {
    /// A connection is open. `anew`: with a new session, and what was said before may not have been told; else everything was that came
    /// meanwhile.
    fn opened(&self, anew: bool);

    /// It ended.
    fn ended(&self);

    /// There is none, and Discord's word for why.
    fn failed(&self, why: &str);

    /// What goes with an event from when it is looked at to when it is taken.
    type Turn: Send + 'static;

    /// Looks at an event, in the order in which they come. `None`: it is not to be taken, too.
    fn looks(&self, kind: &str, event: &Value) -> Option<Self::Turn>;

    /// Takes an event: only then it counts as read. What comes does not wait for it. `fresh`: it has just happened.
    ///
    /// # Errors
    /// Why it is to come again.
    async fn takes(&self, kind: &str, event: &Value, fresh: bool, turn: Self::Turn) -> Result<(), String>;
}

/// A session that can be gone on with, and where.
struct Session {
    id: String,
    address: String,
}

/// A connection that is opened and kept.
pub(crate) struct Gateway<H> {
    api: Api,
    hears: H,
    name: &'static str,
    intents: GatewayIntents,
    session: Option<Session>,
    read: Read,
    /// How often it was tried since Discord last let us in.
    tries: u32,
}

/// Which events of a session are stored, or are such that nothing is to be stored of them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Read {
    /// The last one that came.
    last: Option<u64>,
    /// Those that are not stored yet.
    at_work: BTreeSet<u64>,
}

impl Read {
    /// The last event before which none is to come again.
    fn seq(&self) -> Option<u64> {
        self.at_work.first().map_or(self.last, |first| Some(first.saturating_sub(1)))
    }

    /// What is not stored comes again, over another connection.
    fn go_on(&mut self) {
        *self = Self { last: self.seq(), at_work: BTreeSet::new() };
    }
}

/// Why a connection ended.
#[derive(Debug)]
enum End {
    /// The session can be gone on with.
    Resume(String),
    /// It cannot.
    Anew(String),
    /// Discord does not let us in, with the word for why.
    Refused(&'static str),
}

impl<H: Hears> Gateway<H> {
    /// Begins to open and keep a connection; it ends with what is returned. `name` is what this program is called, for Discord.
    pub(crate) fn open(api: Api, hears: H, name: &'static str, intents: GatewayIntents) -> JoinSet<()> {
        let gateway = Self { api, hears, name, intents, session: None, read: Read::default(), tries: 0 };
        let mut connection = JoinSet::new();
        connection.spawn(gateway.keep());
        connection
    }

    /// For ever.
    async fn keep(mut self) {
        let mut failures = 0;
        loop {
            let began = Instant::now();
            self.tries = self.tries.saturating_add(1);
            let end = match self.connect().await {
                Ok((stream, beat)) => match self.talk(stream, beat).await {
                    End::Resume(why) if self.tries >= TRIES => End::Anew(why),
                    end => end,
                },
                Err(error) => {
                    self.hears.failed(error.code().unwrap_or("no_answer"));
                    End::Resume(error.to_string())
                }
            };
            failures = if began.elapsed() >= LIVED { 0 } else { failures + 1 };
            let mut wait = back_off(failures, uuid::Uuid::now_v7().as_bytes()[15]);
            match end {
                End::Resume(why) => tracing::info!(why, "the connection to Discord ended: opening another"),
                End::Anew(why) => {
                    tracing::info!(why, "the session with Discord ended: beginning another");
                    (self.session, self.read) = (None, Read::default());
                    wait = wait.max(IDENTIFY);
                }
                End::Refused(why) => {
                    tracing::error!(why, "Discord cannot be listened to");
                    self.hears.failed(why);
                    (self.session, self.read) = (None, Read::default());
                    wait = WAIT_MAX;
                }
            }
            self.read.go_on();
            tokio::time::sleep(wait).await;
        }
    }

    /// A connection that said hello, and how often it wants to hear from us.
    async fn connect(&self) -> Result<(Stream, Duration), ApiError> {
        let unknown = |why: String| ApiError::Unknown(why.chars().take(200).collect());
        // The address of a session can be gone while the session is not: every second try is made where others connect.
        let address = match &self.session {
            Some(session) if self.tries % 2 == 1 => session.address.clone(),
            Some(_) | None => self.api.gateway(self.session.is_some()).await?,
        };
        if !may_be_spoken_to(&address) || !address.starts_with("ws") {
            return Err(unknown("no address for the gateway".to_owned()));
        }
        let address = format!("{}/?v=10&encoding=json", address.trim_end_matches('/'));
        let opened = tokio::time::timeout(HELLO, async {
            let (mut stream, _) = connect_async(&address).await.map_err(|error| unknown(error.to_string()))?;
            while let Some(message) = stream.next().await {
                let message = message.map_err(|error| unknown(error.to_string()))?;
                if let Message::Text(text) = message
                    && let Ok(said) = serde_json::from_str::<Value>(&text)
                    && said["op"] == 10
                {
                    let beat = said["d"]["heartbeat_interval"].as_u64().filter(|ms| *ms > 0).unwrap_or(41_250);
                    return Ok((stream, Duration::from_millis(beat)));
                }
            }
            Err(unknown("closed before it said hello".to_owned()))
        });
        let (mut stream, beat) = opened.await.map_err(|_| unknown("Discord does not say hello".to_owned()))??;
        let token = self.api.token().await?;
        let first = if let (Some(session), Some(seq)) = (&self.session, self.read.seq()) {
            json!({ "op": 6, "d": { "token": token, "session_id": session.id, "seq": seq } })
        } else {
            let properties = json!({ "os": std::env::consts::OS, "browser": self.name, "device": self.name });
            json!({ "op": 2, "d": { "token": token, "intents": self.intents.bits(), "properties": properties } })
        };
        stream.send(Message::Text(first.to_string().into())).await.map_err(|error| unknown(error.to_string()))?;
        Ok((stream, beat))
    }

    /// Takes what comes, to the end of the connection; gives why it ended. Nothing waits for what came before it to be stored, or for
    /// Discord to tell where that was said: who typed a command sees it fail after three seconds.
    async fn talk(&mut self, mut stream: Stream, beat: Duration) -> End {
        // Not all at once after an outage.
        let first = beat.mul_f64(f64::from(uuid::Uuid::now_v7().as_bytes()[15]) / 256.0);
        let mut beats = tokio::time::interval_at(Instant::now() + first, beat);
        let let_in = Instant::now() + HELLO;
        let (mut answered, mut open) = (true, None::<Open<H>>);
        // Dropped, they go on: what comes again is known then.
        let mut takes = FuturesUnordered::new();
        loop {
            let sent = tokio::select! {
                Some((seq, done)) = takes.next() => match done {
                    Ok(Err(why)) => return End::Resume(why),
                    other => {
                        if let Err(error) = other {
                            tracing::error!(%error, "an event is not taken");
                        }
                        self.read.at_work.remove(&seq);
                        Ok(())
                    }
                },
                message = stream.next(), if takes.len() < AT_ONCE => match message {
                    None => return End::Resume("closed".to_owned()),
                    Some(Err(error)) => return End::Resume(error.to_string()),
                    Some(Ok(Message::Close(frame))) => return closed(frame.map(|frame| u16::from(frame.code))),
                    Some(Ok(Message::Text(text))) => {
                        let Ok(said) = serde_json::from_str::<Value>(&text) else {
                            tracing::warn!("Discord sent something that is not JSON");
                            continue;
                        };
                        match said["op"].as_u64() {
                            Some(0) => {
                                let seq = said["s"].as_u64().or(self.read.last).unwrap_or_default();
                                self.read.last = Some(seq);
                                if let Some(turn) = self.event(&said, &mut open) {
                                    self.read.at_work.insert(seq);
                                    // Told anew, it is from before.
                                    let (hears, fresh) = (self.hears.clone(), open.is_some());
                                    let task = tokio::spawn(async move {
                                        let kind = said["t"].as_str().unwrap_or_default();
                                        hears.takes(kind, &said["d"], fresh, turn).await
                                    });
                                    takes.push(async move { (seq, task.await) });
                                }
                                Ok(())
                            }
                            Some(1) => stream.send(self.beat()).await,
                            Some(7) => return End::Resume("Discord asks to connect again".to_owned()),
                            Some(9) if said["d"] == true => return End::Resume("the session is interrupted".to_owned()),
                            Some(9) => return End::Anew("the session is not valid".to_owned()),
                            Some(11) => {
                                answered = true;
                                Ok(())
                            }
                            _ => Ok(()),
                        }
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => Ok(()),
                },
                _ = beats.tick() => {
                    if !answered {
                        return End::Resume("dead: a heartbeat was not answered".to_owned());
                    }
                    answered = false;
                    stream.send(self.beat()).await
                }
                () = tokio::time::sleep_until(let_in), if open.is_none() => {
                    return End::Anew("Discord does not let us in".to_owned());
                }
            };
            if let Err(error) = sent {
                return End::Resume(error.to_string());
            }
        }
    }

    fn beat(&self) -> Message {
        Message::Text(json!({ "op": 1, "d": self.read.last }).to_string().into())
    }

    /// Looks at one event; nothing where it is not to be taken.
    fn event(&mut self, said: &Value, open: &mut Option<Open<H>>) -> Option<H::Turn> {
        let event = &said["d"];
        match said["t"].as_str().unwrap_or_default() {
            "READY" => {
                let address = event["resume_gateway_url"].as_str().map(str::to_owned);
                let id = event["session_id"].as_str().map(str::to_owned);
                self.session = id.zip(address).map(|(id, address)| Session { id, address });
                (self.tries, *open) = (0, Some(Open::new(&self.hears, true)));
                None
            }
            "RESUMED" => {
                (self.tries, *open) = (0, Some(Open::new(&self.hears, false)));
                None
            }
            kind => self.hears.looks(kind, event),
        }
    }
}

/// What the number of a close means.
fn closed(code: Option<u16>) -> End {
    match code {
        Some(4_004) => End::Refused("invalid_auth"),
        Some(4_013 | 4_014) => End::Refused("disallowed_intents"),
        Some(4_010..=4_012) => End::Refused("gateway_refuses"),
        Some(code @ (4_003 | 4_007 | 4_009 | 1_000 | 1_001)) => End::Anew(format!("closed with {code}")),
        Some(code) => End::Resume(format!("closed with {code}")),
        None => End::Resume("closed".to_owned()),
    }
}

/// A connection that is open, as long as it is.
struct Open<H: Hears>(H);

impl<H: Hears> Open<H> {
    fn new(hears: &H, anew: bool) -> Self {
        hears.opened(anew);
        Self(hears.clone())
    }
}

impl<H: Hears> Drop for Open<H> {
    fn drop(&mut self) {
        self.0.ended();
    }
}

/// How long to wait after so many failures in a row. `chance` makes no two wait for the same time.
fn back_off(failures: u32, chance: u8) -> Duration {
    let base = match failures {
        0 => Duration::ZERO,
        more => WAIT.saturating_mul(1 << (more - 1).min(6)).min(WAIT_MAX),
    };
    base + Duration::from_millis(u64::from(chance) * 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_says_whether_the_session_goes_on() {
        for code in [None, Some(4_000), Some(4_008), Some(1_006), Some(4_999)] {
            assert!(matches!(closed(code), End::Resume(_)), "{code:?}");
        }
        assert!(matches!(closed(Some(4_007)), End::Anew(_)));
        assert!(matches!(closed(Some(4_009)), End::Anew(_)));
        assert!(matches!(closed(Some(4_004)), End::Refused("invalid_auth")));
        assert!(matches!(closed(Some(4_014)), End::Refused("disallowed_intents")));
    }

    #[test]
    fn what_is_not_stored_comes_again_and_all_after_it() {
        let mut read = Read { last: Some(9), at_work: BTreeSet::from([5, 7]) };
        assert_eq!(read.seq(), Some(4));
        read.at_work.remove(&5);
        assert_eq!(read.seq(), Some(6));
        read.go_on();
        assert_eq!(read, Read { last: Some(6), at_work: BTreeSet::new() });
        assert_eq!(Read::default().seq(), None);
    }

    #[test]
    fn who_fails_again_waits_longer_and_never_too_long() {
        assert_eq!(back_off(0, 0), Duration::ZERO);
        assert_eq!((back_off(1, 0), back_off(3, 0)), (WAIT, WAIT * 4));
        assert!((0..100).all(|failures| back_off(failures, 255) <= WAIT_MAX + Duration::from_secs(1)));
    }
}
