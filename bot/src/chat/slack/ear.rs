//! What comes in: stored before it is acknowledged, answered afterwards. The inbox is the proof that it is answered once.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tidegate_runner::desk::post::{Post, Received};
use tidegate_runner::desk::{Desk, DeskError, Message};
use tidegate_runner::domain::answer::{Actor, ActorKind};
use tidegate_runner::domain::command::Command;
use tidegate_runner::domain::ids::{ActorId, RunNumber, Timestamp};
use tidegate_runner::domain::policy::Place;

use super::delivery::{Form, How, Origin, Said, Wish, read};
use super::home::Home;
use super::letter::Letter;
use super::press::Press;
use super::workspace::{Unheard, Workspace};
use super::{DOOR, draft, preview};
use crate::cards::{self, Clock};
use crate::chat::shell::local_offset;
use crate::commands::{self, Known};
use crate::conversation::{self, Attachment, Verdict};

/// What is older is not carried out by itself any more, in milliseconds.
const LATE_MS: i64 = 5 * 60_000;

/// What was received this long ago and has no answer is nobody's any more, in milliseconds: whoever received it is dead.
const LEFT_MS: i64 = 30_000;

/// Takes deliveries. Cheap to clone.
#[derive(Clone)]
pub(super) struct Ear {
    pub(super) desk: Desk,
    pub(super) workspace: Arc<Workspace>,
    /// Keys that are just being answered here.
    busy: Arc<Mutex<HashSet<String>>>,
    /// When anything was last delivered.
    pub(super) heard: Arc<Mutex<Option<tokio::time::Instant>>>,
    /// A connection was opened: something may have been missed before it.
    pub(super) opened: Arc<AtomicBool>,
    /// Home tabs that were opened lately, by person.
    homes: Arc<Mutex<HashMap<String, Home>>>,
}

impl Ear {
    pub(super) fn new(desk: Desk, workspace: Arc<Workspace>) -> Self {
        Self {
            desk,
            workspace,
            busy: Arc::default(),
            heard: Arc::default(),
            opened: Arc::default(),
            homes: Arc::default(),
        }
    }

    pub(super) fn homes(&self) -> MutexGuard<'_, HashMap<String, Home>> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one delivery and gives what acknowledges it: nothing, or a body. Returns once it is stored.
    ///
    /// # Errors
    /// When it could not be stored: it must not be acknowledged, so that Slack delivers it again.
    pub(super) async fn take(&self, form: Form, payload: &Value) -> Result<Option<Value>, DeskError> {
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
                match draft::read(&view, &self.desk.config().environments, now, local_offset()) {
                    Ok((typed, draft)) => {
                        said.typed = typed;
                        said.reply.how = How::Form(draft);
                        self.hear(said).await?;
                        Ok(Some(json!({ "response_action": "update", "view": preview::planning() })))
                    }
                    Err(errors) => Ok(Some(json!({ "response_action": "errors", "errors": errors }))),
                }
            }
            Wish::Said(said) => {
                // The channel sees who asked for what; questions are between the two of us.
                let public = matches!(said.reply.how, How::Command) && self.is_order(&said.typed);
                self.hear(said).await?;
                Ok(public.then(|| json!({ "response_type": "in_channel" })))
            }
        }
    }

    pub(super) fn is_order(&self, typed: &str) -> bool {
        let config = self.desk.config();
        let me = ActorId::tidegate();
        // Only whether the words are an order: no moment in them matters.
        let known = Known {
            environments: &config.environments,
            others: &[],
            me: &me,
            now: Timestamp(0),
            offset: local_offset(),
        };
        matches!(commands::parse(typed, &known), Ok(Command::Order { .. }))
    }

    pub(super) async fn hear(&self, said: Said) -> Result<(), DeskError> {
        let Said { key, typed, reply } = said;
        let Some(message) = message(&key, &typed, &reply, &reply.user) else { return Ok(()) };
        let kept = serde_json::to_string(&reply).unwrap_or_default();
        let busy = Busy::new(&self.busy, &key);
        if self.desk.receive(&message, &kept).await? {
            let ear = self.clone();
            tokio::spawn(async move {
                let _busy = busy;
                ear.answer(message, &reply, None).await;
            });
        }
        Ok(())
    }

    /// Takes a message that was said while nobody listened, `age` milliseconds ago; it may have been taken before.
    pub(super) async fn hear_late(&self, said: Said, age: i64) -> Result<(), DeskError> {
        let Said { key, typed, reply } = said;
        let Some(message) = message(&key, &typed, &reply, &reply.user) else { return Ok(()) };
        let Some(_busy) = Busy::new(&self.busy, &key) else { return Ok(()) };
        if self.desk.receive(&message, &serde_json::to_string(&reply).unwrap_or_default()).await? {
            self.answer(message, &reply, Some(age)).await;
        }
        Ok(())
    }

    /// Answers what a crash, or a Slack that did not tell who somebody is, left. With `alone` nobody else can be at it.
    pub(super) async fn sweep(&self, alone: bool) {
        let left = match (self.desk.unanswered(DOOR).await, self.desk.now().await) {
            (Ok(left), Ok(now)) => left.into_iter().map(move |received| (received, now)),
            (Err(error), _) | (_, Err(error)) => {
                tracing::error!(%error, "the inbox cannot be read");
                return;
            }
        };
        for (received, now) in left {
            let Received { message: kept, reply, run } = received;
            let age = now.ms_since(kept.at);
            let Some(busy) = Busy::new(&self.busy, &kept.key).filter(|_| alone || age > LEFT_MS) else { continue };
            let Ok(origin) = serde_json::from_str::<Origin>(&reply) else {
                tracing::error!(key = kept.key, "a received message has no place for its answer");
                continue;
            };
            let Some(message) = message(&kept.key, &kept.body, &origin, &origin.user) else { continue };
            match (run, &origin.how) {
                // It waits for its plan.
                (Some(run), How::Form(draft)) => {
                    let (ear, draft, origin) = (self.clone(), draft.clone(), origin.clone());
                    tokio::spawn(async move {
                        let _busy = busy;
                        let posts = ear.show_plan(run, &origin, &draft).await;
                        ear.put(&message.key, &posts).await;
                    });
                }
                (Some(run), _) => self.answer_done(&message, &origin, run).await,
                (None, _) => self.answer(message, &origin, Some(age)).await,
            }
        }
    }

    /// Answers a message. `age` of one that was left, in milliseconds.
    async fn answer(&self, mut message: Message, origin: &Origin, age: Option<i64>) {
        let person = match self.workspace.person(&origin.user).await {
            Ok(person) => person,
            Err(error) => {
                tracing::warn!(%error, user = origin.user, "who that is cannot be asked now: answered later");
                return;
            }
        };
        if origin.channel.starts_with('D') && !message.place.direct {
            message.place.direct = self.workspace.is_direct(&origin.channel, &origin.user).await;
        }
        let mut after = None;
        let actor = self.workspace.actor(&origin.user, &origin.team, &person);
        let posts = match actor.map(|actor| message.actor = actor) {
            Err(Unheard::Bot) => Vec::new(),
            Err(Unheard::Gone) => vec![said_to(&cards::deactivated(), origin, true)],
            Ok(()) => match age.filter(|age| *age > LATE_MS) {
                Some(age) => vec![said_to(&cards::late(&message.typed, age / 60_000), origin, false)],
                None => match &origin.how {
                    How::Form(draft) => self.preview(&message, origin, draft).await,
                    _ => self.carry_out(&message, origin, &mut after).await,
                },
            },
        };
        self.put(&message.key, &posts).await;
        if let Some(After { message, origin, _busy }) = after {
            // What follows is followed by nothing: this goes no deeper.
            Box::pin(self.answer(message, &origin, None)).await;
        }
    }

    /// Stores what is said after something was accepted, as a message of its own.
    async fn say_after(&self, key: &str, origin: &Origin) -> Option<After> {
        let How::Last { keep: Some(typed) } = &origin.how else { return None };
        let origin = Origin { how: How::Command, ..origin.clone() };
        let message = message(&format!("{key}:keep"), typed, &origin, &origin.user)?;
        let busy = Busy::new(&self.busy, &message.key)?;
        match self.desk.receive(&message, &serde_json::to_string(&origin).unwrap_or_default()).await {
            Ok(new) => new.then_some(After { message, origin, _busy: busy }),
            Err(error) => {
                tracing::error!(%error, "what was to be said after something cannot be stored");
                None
            }
        }
    }

    async fn carry_out(&self, message: &Message, origin: &Origin, after: &mut Option<After>) -> Vec<Post> {
        let press = match self.take_button(&message.key, &message.typed, origin).await {
            Ok(Press::Dead(card)) => return vec![said_to(&card, origin, true)],
            Ok(press) => press,
            Err(error) => return vec![said_to(&conversation::fault(&self.desk, &error).card, origin, true)],
        };
        let reply = conversation::reply(&self.desk, message, local_offset()).await;
        let card = self.workspace.name_people(reply.card.clone()).await;
        let done = reply.verdict == Verdict::Done;
        let run = reply.follow.map(|(run, _)| run).or(reply.settled);
        if done && reply.queued {
            *after = self.say_after(&message.key, origin).await;
        }
        if let Press::Ours(pressed) = press {
            // The card itself says who pressed, and what came of it.
            self.note_press(pressed, &message.key, origin, done.then_some(message.actor.name.as_str())).await;
            if done && run.is_some() && !reply.queued {
                return Vec::new();
            }
        }
        if let Some(Attachment { name, text }) = reply.file {
            let mut letter = Letter::answer(&card, origin, false);
            letter.file = Some((name, text));
            return vec![letter.post(&origin.channel, None)];
        }
        let home = match run.filter(|_| reply.queued) {
            Some(run) => self.channel_of(run).await,
            None => None,
        };
        match (home, run) {
            (Some(home), Some(_)) if home == origin.channel => {
                // The run's card is the answer, unless there is more to say.
                if card.lines.is_empty() { Vec::new() } else { vec![said_to(&card, origin, false)] }
            }
            (Some(_), Some(run)) => {
                let mut letter = Letter::answer(&card, origin, false);
                letter.link = Some(run.0);
                vec![letter.post(&origin.channel, Some(run))]
            }
            (None, _) | (_, None) => vec![said_to(&card, origin, !(done && run.is_some()))],
        }
    }

    /// Answers a message that was carried out by a process that died before it could say so.
    async fn answer_done(&self, message: &Message, origin: &Origin, run: RunNumber) {
        let after = self.say_after(&message.key, origin).await;
        let posts = match self.desk.show(run).await {
            Ok(detail) => {
                let clock = Clock { now: detail.now, offset: local_offset() };
                let mut letter = Letter::answer(&cards::run_card(&detail, &clock), origin, false);
                match self.channel_of(run).await {
                    Some(home) if home == origin.channel => Vec::new(),
                    home => {
                        letter.link = home.map(|_| run.0);
                        vec![letter.post(&origin.channel, Some(run))]
                    }
                }
            }
            Err(error) => vec![said_to(&conversation::fault(&self.desk, &error).card, origin, true)],
        };
        self.put(&message.key, &posts).await;
        if let Some(after) = after {
            Box::pin(self.answer(after.message, &after.origin, None)).await;
        }
    }

    async fn put(&self, key: &str, posts: &[Post]) {
        if let Err(error) = self.desk.answer(DOOR, key, posts).await {
            tracing::error!(%error, key, "an answer cannot be stored: tried again later");
        }
    }

    /// The channel of a run's environment, where Slack knows it.
    async fn channel_of(&self, run: RunNumber) -> Option<String> {
        let environment = self.desk.show(run).await.ok()?.run.request.environment;
        let channel = self.desk.config().environments.get(&environment)?.channel.clone()?;
        self.workspace.channel(&channel).await.ok().flatten()
    }
}

pub(super) fn said_to(card: &cards::Card, origin: &Origin, private: bool) -> Post {
    Letter::answer(card, origin, private).post(&origin.channel, None)
}

/// `None`: the id is not one that anybody can have.
pub(super) fn message(key: &str, typed: &str, origin: &Origin, name: &str) -> Option<Message> {
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

/// What is said after something was accepted.
struct After {
    message: Message,
    origin: Origin,
    _busy: Busy,
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
