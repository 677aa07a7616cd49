//! The life of a chat in a process: it waits until this process is the engine of its ledger, notes that runs are told of, comes into
//! the chat, listens and speaks, and ends when told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use tidegate_runner::bell::Bell;
use tidegate_runner::desk::Desk;
use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::domain::secret::SecretSource;
use tidegate_runner::house::House;
use tidegate_runner::secrets::Secrets;
use tidegate_runner::service::Beside;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::crier::{Crier, Hook};
use super::ear::Ear;
use super::failure::ApiError;
use super::missed::Missed;
use super::mouth::Mouth;
use super::platform::Platform;
use super::right::Right;
use super::{speak, wait};
use crate::cards::{self, NO_PORT};
use crate::vitals::{Vital, Vitals};
use crate::web::{self, Port};

/// Between two tries to reach a chat at the start.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Most bytes of a delivery. The largest known, a form of Slack's with many fields, has some 100 KB.
const BODY_MAX: usize = 1 << 20;

/// The part of the configuration that a chat is come into with.
pub(in crate::chat) struct Door<C> {
    pub(in crate::chat) config: C,
    pub(in crate::chat) secrets: Secrets,
}

/// Where what a chat does not take is told.
pub(in crate::chat) struct Webhook {
    /// Where its address is read from.
    pub(in crate::chat) address: SecretSource,
    /// How long the chat may not have taken something, in seconds.
    pub(in crate::chat) after_s: u32,
    /// How it is told.
    pub(in crate::chat) hook: Result<Box<dyn Hook>, ApiError>,
}

/// How a chat is come into and listened to.
#[async_trait]
pub(in crate::chat) trait Entrance: Send + Sync + 'static {
    /// The chat, once it has told who we are in it.
    type Chat: Platform + 'static;

    /// Its name in ledger and audit.
    fn door(&self) -> &'static str;

    /// What is told what the chat does not take, whether or not it can be reached; `None`: nothing is.
    fn webhook(&self) -> Option<Webhook>;

    /// Asks the chat who we are.
    async fn open(&self) -> Result<Arc<Self::Chat>, ApiError>;

    /// How often what was said is read again where nothing tells that it was not delivered. `None`: the chat tells.
    fn look_back(&self) -> Option<Duration> {
        None
    }

    /// Begins to listen; ends with what is returned.
    fn listen(&self, chat: &Arc<Self::Chat>, ear: &Ear) -> JoinSet<()>;
}

/// What a chat needs of the house.
struct Rooms<E> {
    desk: Desk,
    bell: Bell,
    secrets: Secrets,
    entrance: E,
    vital: Arc<Vital>,
    /// No other process can serve this ledger while this one is its engine.
    alone: bool,
    working: Option<watch::Receiver<bool>>,
}

/// Speaks in a chat beside the engine of `house`.
pub(in crate::chat) fn beside(house: &House, vitals: &Vitals, entrance: impl Entrance) -> Beside {
    // Two crates of the tree would each choose another; the second call finds it done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let rooms = Rooms {
        desk: house.desk.clone(),
        bell: house.bell.clone(),
        secrets: house.secrets(),
        vital: vitals.of(entrance.door()),
        entrance,
        alone: house.is_alone(),
        working: house.working(),
    };
    let (stop, stopped) = watch::channel(false);
    Beside { stop, task: tokio::spawn(rooms.serve(stopped)) }
}

impl<E: Entrance> Rooms<E> {
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
        let door = self.entrance.door();
        let crier = self.crier();
        // Before anything new is heard.
        let heard: Option<Timestamp> = self.desk.heard_last(door).await.ok().flatten();
        // From now on runs are told of, also those that are asked for before the chat can be reached.
        let starter = uuid::Uuid::now_v7().to_string();
        if let Err(error) = self.desk.speak_in(door, &starter, 1, false).await {
            tracing::error!(%error, "whose turn it is to speak cannot be read");
        }
        let Some(chat) = self.open(stop).await else { return };
        if let Err(error) = self.desk.trouble_over(door, "").await {
            tracing::error!(%error, "a trouble that is over cannot be noted");
        }
        let platform: Arc<dyn Platform> = Arc::<E::Chat>::clone(&chat);
        let ear = Ear::new(self.desk.clone(), Arc::clone(&platform), Arc::clone(&self.vital), self.alone);
        let desk = self.desk.clone();
        // Beside it: a server that gives none must not keep us from listening.
        tokio::spawn(async move { desk.listens().await });
        let listener = self.entrance.listen(&chat, &ear);
        let right = Right::new(self.desk.clone(), door, self.alone);
        let mouth = Mouth::new(self.desk.clone(), platform, right);
        let missed = Missed::new(ear.clone(), heard, self.entrance.look_back());
        speak::speak(ear, mouth, &self.bell, missed, stop).await;
        drop((listener, crier));
    }

    /// Begins to tell a webhook what the chat does not take, where there is one; ends with what is returned.
    fn crier(&self) -> JoinSet<()> {
        let mut task = JoinSet::new();
        let Some(Webhook { address, after_s, hook }) = self.entrance.webhook() else { return task };
        match hook {
            Ok(hook) => {
                let house = (self.desk.clone(), self.secrets.clone(), self.alone);
                let after = Duration::from_secs(after_s.into());
                task.spawn(Crier::new(house, self.entrance.door(), hook, (address, after)).cry());
            }
            Err(error) => tracing::error!(%error, "the webhook is not told"),
        }
        task
    }

    /// Asks the chat who we are until it answers. `None`: told to stop.
    async fn open(&self, stop: &mut watch::Receiver<bool>) -> Option<Arc<E::Chat>> {
        let door = self.entrance.door();
        loop {
            match self.entrance.open().await {
                Ok(chat) => return Some(chat),
                Err(error) => {
                    tracing::error!(%error, chat = door, "not let in: see docs/{door}.md; tried again");
                    let code = error.code().unwrap_or("no_answer").to_owned();
                    let text = cards::cannot_speak(door, "", &code);
                    if let Err(error) = self.desk.trouble(door, "", &code, &text).await {
                        tracing::error!(%error, "a trouble cannot be noted");
                    }
                }
            }
            if wait(TRY_AGAIN, stop).await {
                return None;
            }
        }
    }
}

impl Ear {
    /// Something can be heard from now on, and it was missed what came before.
    pub(in crate::chat) fn listens(&self) {
        if self.vital.opened() {
            self.opened.store(true, Ordering::Release);
        }
    }

    /// Listens where the chat delivers to; ends with what is returned. `missed`: what was said before the port was open may not have been
    /// told.
    pub(in crate::chat) fn delivered(&self, listen: SocketAddr, hooks: Router, missed: bool) -> JoinSet<()> {
        // Before the signature: nobody may make us keep more than this in memory.
        let hooks = hooks.layer(DefaultBodyLimit::max(BODY_MAX));
        let (ear, mut listener) = (self.clone(), JoinSet::new());
        listener.spawn(async move { web::listen(listen, hooks, |port| ear.port(port, missed)).await });
        listener
    }

    /// What became of the port.
    fn port(&self, port: Port, missed: bool) {
        match port {
            Port::Open if missed => self.listens(),
            Port::Open => {
                self.vital.opened();
            }
            Port::Lost => self.vital.ended(),
            Port::Refused => self.vital.failed(NO_PORT),
        }
    }
}
