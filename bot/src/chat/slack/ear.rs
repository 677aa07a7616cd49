//! What comes in: stored before it is acknowledged. The inbox is the proof that it is answered once.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tidegate_runner::desk::post::{Claim, Received};
use tidegate_runner::desk::{Desk, DeskError, Message};
use tidegate_runner::domain::answer::{Actor, ActorKind};
use tidegate_runner::domain::command::Command;
use tidegate_runner::domain::ids::{ActorId, Timestamp};
use tidegate_runner::domain::policy::Place;

use super::delivery::{Form, How, Origin, Said, Wish, read};
use super::hearing::Hearing;
use super::home::Home;
use super::workspace::Workspace;
use super::{DOOR, draft, preview};
use crate::chat::shell::local_zone;
use crate::commands::{self, Known};

/// For how long a message is ours to answer, in milliseconds, unless the claim is renewed: nobody else waits longer for a dead process.
pub(super) const CLAIM_MS: i64 = 30_000;

/// Takes deliveries. Cheap to clone.
#[derive(Clone)]
pub(super) struct Ear {
    pub(super) desk: Desk,
    pub(super) workspace: Arc<Workspace>,
    /// Keys that are just being answered here.
    busy: Arc<Mutex<HashSet<String>>>,
    /// When anything was last delivered.
    heard: Arc<Mutex<Option<tokio::time::Instant>>>,
    /// Whether anything can be heard at all.
    pub(super) hearing: Arc<Hearing>,
    /// A connection was opened: something may have been missed before it.
    pub(super) opened: Arc<AtomicBool>,
    /// Home tabs that were opened lately, by person.
    homes: Arc<Mutex<HashMap<String, Home>>>,
    /// Held while home tabs are published.
    pub(super) publishing: Arc<tokio::sync::Mutex<()>>,
    /// The name of this process where it claims messages.
    holder: Arc<str>,
    /// No other process can be at them.
    pub(super) alone: bool,
}

impl Ear {
    pub(super) fn new(desk: Desk, workspace: Arc<Workspace>, alone: bool) -> Self {
        Self {
            desk,
            workspace,
            busy: Arc::default(),
            heard: Arc::default(),
            hearing: Arc::new(Hearing::new()),
            opened: Arc::default(),
            homes: Arc::default(),
            publishing: Arc::default(),
            holder: uuid::Uuid::now_v7().to_string().into(),
            alone,
        }
    }

    pub(super) fn homes(&self) -> MutexGuard<'_, HashMap<String, Home>> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When anything was last delivered.
    pub(super) fn last_heard(&self) -> Option<tokio::time::Instant> {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one delivery and gives what acknowledges it: nothing, or a body. Returns once it is stored. `again`: Slack has tried to
    /// deliver it before.
    ///
    /// # Errors
    /// When it could not be stored: it must not be acknowledged, so that Slack delivers it again.
    pub(super) async fn take(&self, form: Form, payload: &Value, again: bool) -> Result<Option<Value>, DeskError> {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(tokio::time::Instant::now());
        match read(form, payload, &self.workspace.me) {
            Wish::Nothing(why) => {
                tracing::debug!(why, "ignored");
                Ok(None)
            }
            Wish::Home { user } => {
                let ear = self.clone();
                tokio::spawn(async move { ear.home(&user).await });
                Ok(None)
            }
            Wish::Form { mut said, trigger } => {
                // Not kept: Slack lets a form be opened for three seconds only.
                let ear = self.clone();
                "help".clone_into(&mut said.typed);
                tokio::spawn(async move { ear.open_form(said, &trigger).await });
                Ok(None)
            }
            Wish::FormChanged { user, view, environment } => {
                let ear = self.clone();
                tokio::spawn(async move { ear.change_form(&user, &view, &environment).await });
                Ok(None)
            }
            Wish::Filled { mut said, view } => {
                let now = self.desk.now().await?;
                match draft::read(&view, &self.desk.config().environments, now, local_zone()) {
                    Ok((typed, draft)) => {
                        said.typed = typed;
                        said.reply.how = How::Form(draft);
                        self.hear(said).await?;
                        Ok(Some(json!({ "response_action": "update", "view": preview::planning() })))
                    }
                    Err(errors) => Ok(Some(json!({ "response_action": "errors", "errors": errors }))),
                }
            }
            Wish::Said(mut said) => {
                said.reply.again = again;
                // The channel sees who asked for what; questions are between the two of us.
                let public = matches!(said.reply.how, How::Command) && self.is_order(&said.typed).await;
                self.hear(said).await?;
                Ok(public.then(|| json!({ "response_type": "in_channel" })))
            }
        }
    }

    /// Whether these words order something.
    pub(super) async fn is_order(&self, typed: &str) -> bool {
        let config = self.desk.config();
        let me = ActorId::tidegate();
        // A moment that is over or too far away makes no order, and nothing is carried out then.
        let now = self.desk.now().await.unwrap_or(Timestamp(0));
        let known = Known { environments: &config.environments, others: &[], me: &me, now, zone: local_zone() };
        matches!(commands::parse(typed, &known), Ok(Command::Order { .. }))
    }

    /// Stores what was said and answers it, unless it was heard before.
    pub(super) async fn hear(&self, said: Said) -> Result<(), DeskError> {
        if let Some(mut heard) = self.keep(said).await? {
            let ear = self.clone();
            tokio::spawn(async move { ear.answer(&mut heard).await });
        }
        Ok(())
    }

    /// The same for what was said while nobody listened: answered when it returns, so that the next thing said comes after it.
    pub(super) async fn hear_late(&self, said: Said) -> Result<(), DeskError> {
        if let Some(mut heard) = self.keep(said).await? {
            self.answer(&mut heard).await;
        }
        Ok(())
    }

    /// Stores and claims what was said. `None`: it was heard before, or cannot be answered.
    pub(super) async fn keep(&self, said: Said) -> Result<Option<Heard>, DeskError> {
        let Said { key, typed, reply: origin } = said;
        let Some(message) = message(&key, &typed, &origin, &origin.user) else { return Ok(None) };
        // Also what is just being stored elsewhere here is acknowledged only once it is.
        let busy = Busy::new(&self.busy, &key);
        let kept = serde_json::to_string(&origin).unwrap_or_default();
        let new = self.desk.receive(&message, &kept, self.claim(CLAIM_MS)).await?;
        Ok(new.then(|| Heard { message, origin, age_ms: 0, answered: false, _busy: busy }))
    }

    /// What was stored `ago` milliseconds ago.
    pub(super) fn found(&self, received: Received, ago: i64) -> Option<Heard> {
        let Received { message: kept, reply, answered } = received;
        let busy = Busy::new(&self.busy, &kept.key)?;
        let Ok(origin) = serde_json::from_str::<Origin>(&reply) else {
            tracing::error!(key = kept.key, "a received message has no place for its answer");
            return None;
        };
        let message = message(&kept.key, &kept.body, &origin, &origin.user)?;
        Some(Heard { message, origin, age_ms: ago, answered, _busy: Some(busy) })
    }

    pub(super) fn claim(&self, ms: i64) -> Claim<'_> {
        Claim { holder: &self.holder, ms, alone: self.alone }
    }
}

/// `None`: the id is not one that anybody can have.
fn message(key: &str, typed: &str, origin: &Origin, name: &str) -> Option<Message> {
    let id = format!("slack:{}", origin.user).parse().ok()?;
    // Without the thread: rights are those of the channel.
    let direct = origin.how == How::Direct || origin.channel == origin.user;
    Some(Message {
        key: key.to_owned(),
        // Without rights until Slack has told what they are.
        actor: Actor { id, name: name.to_owned(), kind: ActorKind::Stranger, groups: Vec::new() },
        place: Place { door: DOOR, channel: Some(origin.channel.clone()), direct },
        typed: typed.to_owned(),
    })
}

/// A message that was stored and is to be answered here.
pub(super) struct Heard {
    pub(super) message: Message,
    pub(super) origin: Origin,
    /// How long ago it was stored, in milliseconds.
    pub(super) age_ms: i64,
    /// It was carried out already.
    pub(super) answered: bool,
    _busy: Option<Busy>,
}

/// A key that is being answered here; free again when dropped.
struct Busy {
    all: Arc<Mutex<HashSet<String>>>,
    key: String,
}

impl Busy {
    fn new(all: &Arc<Mutex<HashSet<String>>>, key: &str) -> Option<Self> {
        let new = all.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned());
        new.then(|| Self { all: Arc::clone(all), key: key.to_owned() })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
