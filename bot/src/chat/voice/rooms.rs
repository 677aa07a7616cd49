//! The life of a chat in a process: it waits until this process is the engine of its ledger, notes that runs are told of, comes into
//! the chat, listens and speaks, and ends when told to.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use tidegate_runner::bell::Bell;
use tidegate_runner::desk::Desk;
use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::house::House;
use tidegate_runner::service::Beside;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::ear::Ear;
use super::failure::ApiError;
use super::missed::Missed;
use super::mouth::Mouth;
use super::platform::Platform;
use super::right::Right;
use super::{speak, wait};
use crate::cards::{self, NO_PORT};
use crate::vitals::{Vital, Vitals};
use crate::web::Port;

/// Between two tries to reach a chat at the start.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// How a chat is come into and listened to.
#[async_trait]
pub(in crate::chat) trait Entrance: Send + Sync + 'static {
    /// The chat, once it has told who we are in it.
    type Chat: Platform + Clone + 'static;

    /// Its name in ledger and audit.
    fn door(&self) -> &'static str;

    /// Begins what goes on whether or not the chat can be reached; ends with what is returned.
    fn at_once(&self, desk: &Desk, alone: bool) -> JoinSet<()>;

    /// Asks the chat who we are.
    async fn open(&self) -> Result<Self::Chat, ApiError>;

    /// How often what was said is read again where nothing tells that it was not delivered. `None`: the chat tells.
    fn look_back(&self) -> Option<Duration> {
        None
    }

    /// Begins to listen; ends with what is returned.
    fn listen(&self, chat: &Self::Chat, ear: &Ear) -> JoinSet<()>;
}

/// What a chat needs of the house.
struct Rooms<E> {
    desk: Desk,
    bell: Bell,
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
        let at_once = self.entrance.at_once(&self.desk, self.alone);
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
        let platform: Arc<dyn Platform> = Arc::new(chat.clone());
        let ear = Ear::new(self.desk.clone(), Arc::clone(&platform), Arc::clone(&self.vital), self.alone);
        let desk = self.desk.clone();
        // Beside it: a server that gives none must not keep us from listening.
        tokio::spawn(async move { desk.listens().await });
        let listener = self.entrance.listen(&chat, &ear);
        let right = Right::new(self.desk.clone(), door, self.alone);
        let mouth = Mouth::new(self.desk.clone(), platform, right);
        let missed = Missed::new(ear.clone(), heard, self.entrance.look_back());
        speak::speak(ear, mouth, &self.bell, missed, stop).await;
        drop((listener, at_once));
    }

    /// Asks the chat who we are until it answers. `None`: told to stop.
    async fn open(&self, stop: &mut watch::Receiver<bool>) -> Option<E::Chat> {
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

    /// What became of the port to which the chat delivers. `missed`: what was said before it was open may not have been told.
    pub(in crate::chat) fn port(&self, port: Port, missed: bool) {
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
