//! What goes out: letters of the outbox, each once and in order within its channel; what one person alone sees waits for nothing else.
//! One process at a time speaks.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidegate_runner::desk::post::Pending;
use tidegate_runner::desk::{Desk, DeskError};
use tidegate_runner::domain::ids::{ActorId, RunNumber};
use tokio::time::Instant;
use uuid::Uuid;

use super::failure::ApiError;
use super::letter::{Letter, Thread};
use super::limiter::Share;
use super::platform::{Call, Failed, Means, Platform};
use super::right::{MARGIN, Right, TRY};
use super::waits::Waits;
use crate::cards::FILES;
use crate::reporter::ENDED;

/// After a refusal that somebody has to do something about.
pub(in crate::chat) const REFUSED_WAIT: Duration = Duration::from_mins(1);

/// After the outbox could not be written.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// After so many failures in a row, about half a minute, the chat is away.
const AWAY_FAILURES: u32 = 5;

/// How long an answer waits for the card that it links to, in milliseconds.
const LINK_WAIT_MS: i64 = 15_000;

/// For so many milliseconds a private answer can go the way the question came; where that is over and the bot is not in the channel,
/// nobody waits for it any more.
const PRIVATE_MS: i64 = 30 * 60_000;

/// A file is tried for so long; then what it belongs to is done without, as after a refusal.
const FILE: Duration = Duration::from_mins(10);

/// Sends. Cheap to clone.
#[derive(Clone)]
pub(in crate::chat) struct Mouth {
    pub(in crate::chat) desk: Desk,
    pub(in crate::chat) platform: Arc<dyn Platform>,
    pub(in crate::chat) right: Right,
    /// Queues of which something is being sent just now.
    busy: Arc<Mutex<HashSet<String>>>,
    waits: Arc<Mutex<Waits>>,
    /// Where messages stand whose file is not there yet, and since when that is tried: they are not looked for, and not sent again.
    standing: Arc<Mutex<HashMap<Uuid, (String, Instant)>>>,
    /// Places that are not spoken in; `None` until the ledger was asked.
    pub(in crate::chat) troubled: Arc<tokio::sync::Mutex<Option<HashSet<String>>>>,
    /// When it was last looked whether who was gone is back.
    pub(in crate::chat) looked: Arc<Mutex<Option<Instant>>>,
}

/// What came of trying to send a letter.
enum Sent {
    /// The chat has taken it in its channel; the next one.
    There,
    /// It went the way it came, which says nothing of the channel; the next one.
    Answered,
    /// It will never be there; the next one.
    GivenUp,
    /// Not before the card is there that it links to.
    Linked,
    /// It is there and its file is not: what comes after it elsewhere does not wait for that.
    Filing,
    /// Not now.
    Later,
}

/// Letters that are sent one after the other.
struct Queue {
    name: String,
    /// The channel, or who reads it alone.
    channel: String,
    /// What only one person sees: it neither waits for others nor says how it is with the channel.
    private: bool,
    letters: Vec<(Pending, Option<Letter>)>,
}

impl Mouth {
    pub(in crate::chat) fn new(desk: Desk, platform: Arc<dyn Platform>, right: Right) -> Self {
        Self {
            desk,
            platform,
            right,
            busy: Arc::default(),
            waits: Arc::default(),
            standing: Arc::default(),
            troubled: Arc::default(),
            looked: Arc::default(),
        }
    }

    /// The name of this chat in ledger and audit.
    pub(in crate::chat) fn door(&self) -> &'static str {
        self.platform.door()
    }

    /// What the chat calls somebody; `None`: they are of elsewhere.
    pub(in crate::chat) fn own(&self, person: &ActorId) -> Option<String> {
        person.as_str().strip_prefix(self.door())?.strip_prefix(':').map(str::to_owned)
    }

    /// The address of a run's card; `None` while it is not posted.
    pub(in crate::chat) async fn link(&self, run: i64) -> Result<Option<String>, DeskError> {
        let card = self.desk.card(self.door(), RunNumber(run)).await?;
        let Some((channel, posted)) = card.and_then(|card| Some((card.channel, card.posted?))) else { return Ok(None) };
        Ok(self.platform.link(&channel, &posted).await)
    }

    /// Whether a run will never have a card here.
    async fn has_none(&self, run: i64) -> Result<bool, DeskError> {
        Ok(self.desk.card(self.door(), RunNumber(run)).await?.is_some_and(|card| card.channel.is_empty()))
    }

    /// Begins to send what can be sent now.
    pub(in crate::chat) async fn send(&self) -> Result<(), DeskError> {
        let mut queues: HashMap<String, Queue> = HashMap::new();
        for pending in self.desk.posts(self.door()).await? {
            let address = pending.message.address.as_str();
            let own = address.strip_prefix(self.door()).and_then(|rest| rest.strip_prefix(':'));
            let channel = own.unwrap_or(address).to_owned();
            let letter = serde_json::from_str::<Letter>(&pending.message.body).ok();
            let only = letter.as_ref().and_then(|letter| letter.only.as_deref());
            // An answer that is awaited where it was asked for stands there already, and waits for nothing that is posted after it.
            let awaited = letter.as_ref().filter(|letter| letter.awaited).and(Some(pending.message.id.to_string()));
            let aside = only.map(str::to_owned).or(awaited);
            let name = aside.map_or_else(|| channel.clone(), |aside| format!("{channel} {aside}"));
            let private = only.is_some();
            let queue = queues.entry(name.clone()).or_insert_with(|| Queue { name, channel, private, letters: vec![] });
            queue.letters.push((pending, letter));
        }
        for queue in queues.into_values() {
            if self.must_wait(&queue.name) {
                continue;
            }
            if !self.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(queue.name.clone()) {
                continue;
            }
            let mouth = self.clone();
            tokio::spawn(async move {
                mouth.send_all(&queue).await;
                mouth.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&queue.name);
            });
        }
        Ok(())
    }

    async fn send_all(&self, queue: &Queue) {
        // Threads in which a letter waits for the card that it links to: the card may come after it in this very queue.
        let mut held = Vec::new();
        for (pending, letter) in &queue.letters {
            let thread = letter.as_ref().and_then(|letter| letter.thread.clone());
            if thread.as_ref().is_some_and(|thread| held.contains(thread)) {
                continue;
            }
            if self.must_wait(&pending.message.id.to_string()) {
                held.extend(thread);
                continue;
            }
            match self.one(queue, pending, letter.as_ref()).await {
                Ok(Sent::There) => {
                    self.works(&queue.name);
                    if !queue.private {
                        self.works_in(&queue.channel).await;
                    }
                }
                Ok(Sent::Answered | Sent::GivenUp) => self.works(&queue.name),
                Ok(Sent::Linked) if thread.is_some() => held.extend(thread),
                Ok(Sent::Filing) => {
                    self.works(&queue.name);
                    held.extend(thread);
                }
                Ok(Sent::Later | Sent::Linked) => return,
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be written");
                    return self.wait(&queue.name, WRITE_AGAIN);
                }
            }
        }
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self) -> MutexGuard<'_, HashMap<Uuid, (String, Instant)>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn must_wait(&self, queue: &str) -> bool {
        self.waits().must_wait(queue, Instant::now())
    }

    fn wait(&self, queue: &str, wait: Duration) {
        self.waits().wait(queue, Instant::now(), wait);
    }

    /// Gives how often it has failed before.
    fn back_off(&self, queue: &str) -> u32 {
        self.waits().back_off(queue, Instant::now(), Uuid::now_v7().as_bytes()[15])
    }

    pub(in crate::chat) fn works(&self, queue: &str) {
        self.waits().works(queue);
    }

    async fn one(&self, queue: &Queue, pending: &Pending, letter: Option<&Letter>) -> Result<Sent, DeskError> {
        let id = pending.message.id;
        let Some(letter) = letter else {
            tracing::error!(%id, "a letter that cannot be read");
            self.desk.give_up_post(id, "unreadable", None).await?;
            return Ok(Sent::GivenUp);
        };
        let mut letter = letter.clone();
        let thread = match &letter.thread {
            None => None,
            Some(Thread::Under(ts)) => Some(ts.clone()),
            Some(Thread::Card(run)) => {
                let run = RunNumber(*run);
                match self.desk.card(self.door(), run).await? {
                    // Told in a message about several, it has one of its own only where it failed.
                    Some(card) if card.is_within() => {
                        let kept = self.desk.kept_news(self.door(), run).await?;
                        kept.into_iter().find(|news| news.news == ENDED).and_then(|news| news.posted)
                    }
                    card => card.and_then(|card| card.posted),
                }
            }
        };
        if let Some(run) = letter.link {
            match self.link(run).await? {
                Some(url) => self.platform.linked(&mut letter, run, &url),
                None if !self.has_none(run).await?
                    && self.desk.now().await?.ms_since(pending.message.created) < LINK_WAIT_MS =>
                {
                    return Ok(Sent::Linked);
                }
                None => {}
            }
        }
        // History is only that of conversations, so that one with a person has to be named as such.
        let place = match self.platform.place(&queue.channel).await {
            Ok(place) => place,
            Err(error) => return self.refused(queue, pending, Call::Place, error).await,
        };
        let mut found = self.standing().get(&id).map(|(ts, _)| ts.clone());
        if found.is_none() && pending.in_doubt && queue.private {
            // Nobody can look whether it is there.
            self.platform.perhaps_again(&mut letter);
        } else if found.is_none() && pending.in_doubt {
            match self.platform.find(&place, thread.as_deref(), pending).await {
                Ok(there) => found = there,
                Err(ApiError::Refused { code, .. }) => {
                    tracing::warn!(code, "history cannot be read: a message may come twice, and says so");
                    self.platform.perhaps_again(&mut letter);
                }
                Err(error) => return Ok(self.failed(queue, Call::History, &error).await),
            }
        }
        let again = found.is_some();
        let ts = if let Some(ts) = found {
            ts
        } else {
            let call = if queue.private { Call::Private } else { Call::Post };
            // One person's conversation can be several queues, by the person and by itself.
            let aside = queue.private || letter.awaited;
            if !self.platform.take(call, if aside { &queue.name } else { &place }, Share::All) {
                return Ok(Sent::Later);
            }
            let ms = i64::try_from(MARGIN.as_millis()).unwrap_or(i64::MAX);
            if !self.desk.trying(self.door(), &self.right.holder, id, pending.in_doubt, ms).await? {
                tracing::debug!(%id, "somebody else speaks, or it was said");
                return Ok(Sent::Later);
            }
            let tried = tokio::time::timeout(TRY, self.platform.deliver(&place, &letter, thread.as_deref(), id)).await;
            match tried.unwrap_or_else(|_| Err((call, ApiError::Unknown("no answer in time".to_owned())))) {
                Ok(ts) => ts,
                Err((call, error)) => {
                    // Of an earlier try nobody knows still.
                    if !(pending.in_doubt || matches!(error, ApiError::Unknown(_))) {
                        self.desk.refused(id).await?;
                    }
                    return self.refused(queue, pending, call, error).await;
                }
            }
        };
        // Only with its file is it posted: until then it is found again, and not sent again. What went the way it came has no place.
        if let (Some(file), None, false) = (&letter.file, &letter.only, ts.is_empty())
            && let Err((call, error)) = self.attach(&place, thread.as_deref().unwrap_or(&ts), id, file, again).await
        {
            let since = self.standing().entry(id).or_insert_with(|| (ts.clone(), Instant::now())).1;
            match &error {
                ApiError::Unknown(_) | ApiError::Refused { .. } if since.elapsed() > FILE => {
                    self.tell_once(FILES, error.code().unwrap_or("no_answer")).await;
                }
                // What a chat says of its limits, and what nobody could ask it, is nothing about this file.
                ApiError::Limited(_) | ApiError::Token(_) | ApiError::Refused { .. } => {
                    return Ok(self.failed(queue, call, &error).await);
                }
                ApiError::Unknown(why) => {
                    tracing::warn!(%id, ?call, why, "a file is not taken: tried again beside what else is to be said");
                    self.back_off(&id.to_string());
                    return Ok(Sent::Filing);
                }
            }
        }
        self.standing().remove(&id);
        self.works(&id.to_string());
        self.desk.posted(id, &ts, Letter::without_secret(&pending.message.body).as_deref()).await?;
        Ok(if ts.is_empty() { Sent::Answered } else { Sent::There })
    }

    /// Puts a file into a thread; refused, it is done without.
    async fn attach(
        &self,
        place: &str,
        thread: &str,
        id: Uuid,
        file: &(String, String),
        again: bool,
    ) -> Result<(), Failed> {
        match self.platform.attach(place, thread, id, file, again).await {
            Ok(()) => self.over(FILES).await,
            // Where nobody may look whether it is there, it is not put there twice.
            Err((Call::File | Call::History, ApiError::Refused { code, .. })) => self.tell_once(FILES, &code).await,
            Err(failed) => return Err(failed),
        }
        Ok(())
    }

    /// After a try that came to nothing: whether it ever will, and otherwise how long to wait.
    async fn refused(&self, queue: &Queue, pending: &Pending, call: Call, error: ApiError) -> Result<Sent, DeskError> {
        let id = pending.message.id;
        let late = queue.private
            && !error.is_of_token()
            && self.desk.now().await?.ms_since(pending.message.created) > PRIVATE_MS;
        if late && matches!(error, ApiError::Unknown(_)) {
            tracing::warn!(%id, ?call, %error, "nobody waits any more for what one person alone was to see");
            self.desk.give_up_post(id, "no_answer", Letter::without_secret(&pending.message.body).as_deref()).await?;
            return Ok(Sent::GivenUp);
        }
        let Some(code) = error.code() else { return Ok(self.failed(queue, call, &error).await) };
        match self.platform.means(call, code) {
            Means::Never => {}
            Means::Mend | Means::Passing if late => {}
            Means::Passing => {
                tracing::warn!(?call, channel = queue.channel, code, "the chat takes nothing just now");
                self.back_off(&queue.name);
                return Ok(Sent::Later);
            }
            Means::Mend => return Ok(self.failed(queue, call, &error).await),
        }
        tracing::error!(code, %id, channel = queue.channel, "a message that the chat will never take");
        self.desk.give_up_post(id, code, Letter::without_secret(&pending.message.body).as_deref()).await?;
        Ok(Sent::GivenUp)
    }

    /// After a failure: how long to wait, and who has to know.
    async fn failed(&self, queue: &Queue, call: Call, error: &ApiError) -> Sent {
        match error {
            ApiError::Limited(wait) => self.wait(&queue.name, *wait),
            ApiError::Unknown(why) => {
                tracing::warn!(?call, channel = queue.channel, why, "nobody knows whether the chat has it");
                // The way something came may be gone for good, and what one person alone sees says nothing of the rest.
                let of_chat = !queue.private && call != Call::Response;
                if self.back_off(&queue.name) == AWAY_FAILURES && of_chat {
                    self.tell_once("", "no_answer").await;
                }
            }
            ApiError::Token(why) => {
                tracing::error!(why, "a token cannot be read");
                self.wait(&queue.name, REFUSED_WAIT);
            }
            ApiError::Refused { code, .. } => {
                if error.is_of_token() {
                    self.tell_once("", code).await;
                } else if !queue.private {
                    self.tell_once(&queue.channel, code).await;
                }
                self.platform.forget_channels();
                self.wait(&queue.name, REFUSED_WAIT);
            }
        }
        Sent::Later
    }
}
