//! What comes in: stored before it is acknowledged. The inbox is the proof that it is answered once.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use tidegate_runner::desk::post::{Claim, Received};
use tidegate_runner::desk::{Desk, DeskError, Message};
use tidegate_runner::domain::answer::{Actor, ActorKind, Sight};
use tidegate_runner::domain::command::{Command, CommandName, Order};
use tidegate_runner::domain::ids::{ActorId, Timestamp};
use tidegate_runner::domain::policy::Place;
use tokio::time::Instant;

use super::draft::{self, Fields};
use super::origin::{How, Origin, Said};
use super::platform::Platform;
use super::text::too_long;
use super::turn::{Before, Turns};
use crate::chat::shell::local_zone;
use crate::commands::{self, Known, Runs, slots};
use crate::vitals::Vital;
use crate::zone::Zone;

/// For how long a message is ours to answer, in milliseconds, unless the claim is renewed: nobody else waits longer for a dead process.
pub(in crate::chat) const CLAIM_MS: i64 = 30_000;

/// Takes what was said. Cheap to clone.
#[derive(Clone)]
pub(in crate::chat) struct Ear {
    pub(in crate::chat) desk: Desk,
    pub(in crate::chat) platform: Arc<dyn Platform>,
    /// Keys that are just being answered here.
    busy: Arc<Mutex<HashSet<String>>>,
    /// Whether anything can be heard at all, and when it last was.
    pub(in crate::chat) vital: Arc<Vital>,
    /// A connection was opened: something may have been missed before it.
    pub(in crate::chat) opened: Arc<AtomicBool>,
    /// The earliest sign of life of connections that died without a word beside another, and were replaced: since then something may
    /// have gone to them.
    lost: Arc<Mutex<Option<Instant>>>,
    /// Channels to which something was done, by the chat's ids.
    moved: Arc<Mutex<BTreeSet<String>>>,
    /// What is just being stored, in the order in which it came.
    pub(in crate::chat) turns: Arc<Turns>,
    /// The name of this process where it claims messages.
    holder: Arc<str>,
    /// No other process can be at them.
    pub(in crate::chat) alone: bool,
    /// Whether the chat last told who somebody is, or its word for why not.
    asked: Arc<Mutex<Option<Result<(), String>>>>,
}

impl Ear {
    pub(in crate::chat) fn new(desk: Desk, platform: Arc<dyn Platform>, vital: Arc<Vital>, alone: bool) -> Self {
        Self {
            desk,
            platform,
            busy: Arc::default(),
            vital,
            opened: Arc::default(),
            lost: Arc::default(),
            moved: Arc::default(),
            turns: Arc::default(),
            holder: uuid::Uuid::now_v7().to_string().into(),
            alone,
            asked: Arc::default(),
        }
    }

    /// Notes that a connection which was replaced has heard nothing since then.
    pub(in crate::chat) fn lost_since(&self, since: Instant) {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        *lost = Some(lost.map_or(since, |earlier| earlier.min(since)));
    }

    /// Since when something may have been missed, once.
    pub(in crate::chat) fn take_lost(&self) -> Option<Instant> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Something was done to a channel: it is looked at soon.
    pub(in crate::chat) fn moved(&self, channel: &str) {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner).insert(channel.to_owned());
    }

    /// Channels to which something was done, once.
    pub(in crate::chat) fn take_moved(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.moved.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes whether the chat tells who somebody is.
    pub(in crate::chat) fn note_asked(&self, came: Result<(), String>) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(came);
    }

    /// Whether the chat last told who somebody is, or its word for why not; `None`: it was not asked.
    pub(in crate::chat) fn asked(&self) -> Option<Result<(), String>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The name of this chat in ledger and audit.
    pub(in crate::chat) fn door(&self) -> &'static str {
        self.platform.door()
    }

    /// On whose clock is what somebody says, and what is said to them.
    pub(in crate::chat) fn zone_of(&self, person: &str) -> Zone {
        self.platform.zone_of(person).unwrap_or_else(local_zone).told()
    }

    /// What somebody may see where nobody else reads it, with what they would be as they ask.
    pub(in crate::chat) async fn sight_of(
        &self,
        actor: Actor,
        command: CommandName,
    ) -> Result<(Sight, Message), DeskError> {
        let place = Place { door: self.door(), channel: None, direct: true };
        let message = Message { key: String::new(), actor, place, typed: String::new() };
        Ok((self.desk.sight(&message, command).await?, message))
    }

    /// What can stand in a slot of a command, as far as this person may see it: what is shown, and what it stands for.
    pub(in crate::chat) async fn choices(
        &self,
        actor: Actor,
        command: &str,
        filled: &[(String, String)],
        slot: &str,
    ) -> Result<Vec<(String, String)>, DeskError> {
        let (sight, _) = self.sight_of(actor, CommandName::Status).await?;
        let mut environments = self.desk.config().environments.clone();
        environments.retain(|name, _| sight.sees(name.as_str()));
        let runs = self.desk.active().await?.into_iter().filter(|run| sight.sees(run.request.environment.as_str()));
        let open: Vec<_> = runs.map(|run| run.number).collect();
        let me = ActorId::tidegate();
        let now = self.desk.now().await?;
        let known = Known { environments: &environments, aside: &[], others: &[], me: &me, now, zone: local_zone() };
        Ok(slots::candidates(command, filled, slot, &known, &Runs { all: open.clone(), open }))
    }

    /// The line that shows what was filled into a form, in its view; or what is wrong with it, by field.
    pub(in crate::chat) fn drafted(
        &self,
        said: Said,
        fields: Fields,
        view: &str,
        now: Timestamp,
    ) -> Result<Said, Map<String, Value>> {
        let zone = self.zone_of(&said.reply.user);
        let (typed, draft) = draft::read(fields, view, &self.desk.config().environments, now, zone)?;
        Ok(Said { typed, reply: Origin { how: How::Form(draft), ..said.reply }, ..said })
    }

    /// Whether these words order something, on the clock of whoever says them.
    pub(in crate::chat) async fn is_order(&self, typed: &str, zone: Zone) -> bool {
        // A moment that is over or too far away makes no order, and nothing is carried out then.
        self.orders(typed, zone, self.desk.now().await.unwrap_or(Timestamp(0)))
    }

    /// The same for what was said at a moment that is known: nothing is asked for it.
    pub(in crate::chat) fn orders(&self, typed: &str, zone: Zone, now: Timestamp) -> bool {
        if too_long(typed).is_some() {
            return false;
        }
        let config = self.desk.config();
        let me = ActorId::tidegate();
        let aside: Vec<_> = config.set_aside_now().collect();
        let known = Known { environments: &config.environments, aside: &aside, others: &[], me: &me, now, zone };
        // A code is between the two of us, too.
        let is_shown = |order: &Order| !matches!(order, Order::Link(_));
        matches!(commands::parse(typed, &known), Ok(Command::Order { order, .. }) if is_shown(&order))
    }

    /// Stores what was said and answers it, unless it was heard before.
    pub(in crate::chat) async fn hear(&self, said: Said) -> Result<(), DeskError> {
        self.answer_beside(self.keep(said).await?);
        Ok(())
    }

    /// Stores and claims what was said, and tells whether everybody sees who asked for what: questions, and whatever is not a command, are
    /// between the two of us.
    pub(in crate::chat) async fn keep_told(&self, said: Said) -> Result<(Option<Heard>, bool), DeskError> {
        let zone = self.zone_of(&said.reply.user);
        let typed = (said.reply.how == How::Command).then(|| said.typed.clone());
        let heard = self.keep(said).await?;
        let public = match (typed, &heard) {
            (None, _) => false,
            (Some(typed), Some(heard)) => self.orders(&typed, zone, heard.at),
            (Some(typed), None) => self.is_order(&typed, zone).await,
        };
        Ok((heard, public))
    }

    /// Answers what was stored; nothing waits for it.
    pub(in crate::chat) fn answer_beside(&self, heard: Option<Heard>) {
        let Some(mut heard) = heard else { return };
        let ear = self.clone();
        tokio::spawn(async move { ear.answer(&mut heard).await });
    }

    /// The same for what was said while nobody listened: answered when it returns, so that the next thing said comes after it.
    pub(in crate::chat) async fn hear_late(&self, said: Said) -> Result<(), DeskError> {
        if let Some(mut heard) = self.keep(said).await? {
            self.answer(&mut heard).await;
        }
        Ok(())
    }

    /// Stores and claims what was said. `None`: it was heard before, or cannot be answered.
    pub(in crate::chat) async fn keep(&self, said: Said) -> Result<Option<Heard>, DeskError> {
        let Said { key, typed, reply: mut origin } = said;
        self.clean(&mut origin);
        let Some(message) = message(self.door(), &key, &typed, &origin) else { return Ok(None) };
        // Also what is just being stored elsewhere here is acknowledged only once it is.
        let busy = Busy::new(&self.busy, &key);
        let kept = serde_json::to_string(&origin).unwrap_or_default();
        let stored = self.desk.receive(&message, &kept, self.claim(CLAIM_MS)).await?;
        Ok(stored.map(|at| Heard {
            message,
            origin,
            at,
            age_ms: 0,
            answered: false,
            before: Before::default(),
            _busy: busy,
        }))
    }

    /// Takes secrets out of what people typed that is kept beside the words: those are the desk's to clean.
    fn clean(&self, origin: &mut Origin) {
        let texts: Vec<&mut String> = match &mut origin.how {
            How::Form(draft) => draft.keep.iter_mut().chain([&mut draft.because]).collect(),
            How::Last { keep } => keep.iter_mut().collect(),
            How::Button { label, .. } => vec![label],
            How::Command | How::Mention | How::Direct | How::After { .. } => Vec::new(),
        };
        for text in texts {
            *text = self.desk.clean(text);
        }
    }

    /// Whether it is known where the answer goes.
    pub(in crate::chat) fn can_be_answered(received: &Received) -> bool {
        serde_json::from_str::<Origin>(&received.reply).is_ok()
    }

    /// What was stored `ago` milliseconds ago.
    pub(in crate::chat) fn found(&self, received: Received, ago: i64) -> Option<Heard> {
        let Received { message: kept, reply, answered } = received;
        let busy = Busy::new(&self.busy, &kept.key)?;
        let origin = serde_json::from_str::<Origin>(&reply).ok()?;
        let message = message(self.door(), &kept.key, &kept.body, &origin)?;
        let before = Before::default();
        Some(Heard { message, origin, at: kept.at, age_ms: ago, answered, before, _busy: Some(busy) })
    }

    pub(in crate::chat) fn claim(&self, ms: i64) -> Claim<'_> {
        Claim { holder: &self.holder, ms, alone: self.alone }
    }
}

/// `None`: the id is not one that anybody can have.
fn message(door: &'static str, key: &str, typed: &str, origin: &Origin) -> Option<Message> {
    let id = format!("{door}:{}", origin.user).parse().ok()?;
    // Without the thread: rights are those of the channel.
    let direct = origin.how == How::Direct || origin.channel == origin.user;
    Some(Message {
        key: key.to_owned(),
        // Without rights until the chat has told what they are.
        actor: Actor { kind: ActorKind::Stranger, ..Actor::person(id, origin.user.clone()) },
        place: Place { door, channel: Some(origin.channel.clone()), direct },
        typed: typed.to_owned(),
    })
}

/// A message that was stored and is to be answered here.
pub(in crate::chat) struct Heard {
    pub(in crate::chat) message: Message,
    pub(in crate::chat) origin: Origin,
    /// When it was stored.
    pub(in crate::chat) at: Timestamp,
    /// How long ago it was stored, in milliseconds.
    pub(in crate::chat) age_ms: i64,
    /// It was carried out already.
    pub(in crate::chat) answered: bool,
    /// What came before it and may not be stored yet.
    pub(in crate::chat) before: Before,
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
