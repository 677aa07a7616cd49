//! What goes out: letters of the outbox, each once and in order within its channel; what one person alone sees waits for nothing else.
//! One process at a time speaks.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_runner::desk::post::Pending;
use tidegate_runner::desk::{Desk, DeskError};
use tokio::time::Instant;
use uuid::Uuid;

use super::DOOR;
use super::api::ApiError;
use super::letter::{Letter, Thread};
use super::limiter::Share;
use super::refused::{Means, means};
use super::right::{MARGIN, Right, TRY};
use super::sending::RESPONSE;
use super::workspace::Workspace;

/// After a refusal that somebody has to do something about.
pub(super) const REFUSED_WAIT: Duration = Duration::from_mins(1);

/// After an answer that nobody understood, at first and at most.
const UNKNOWN_WAIT: Duration = Duration::from_secs(1);
const UNKNOWN_WAIT_MAX: Duration = Duration::from_secs(30);

/// After so many failures in a row, about half a minute, Slack is away.
const AWAY_FAILURES: u32 = 5;

/// How long an answer waits for the card that it links to, in milliseconds.
const LINK_WAIT_MS: i64 = 15_000;

/// For so many milliseconds a private answer can go the way the question came; where that is over and the bot is not in the channel,
/// nobody waits for it any more.
const PRIVATE_MS: i64 = 30 * 60_000;

/// Sends. Cheap to clone.
#[derive(Clone)]
pub(super) struct Mouth {
    pub(super) desk: Desk,
    pub(super) workspace: Arc<Workspace>,
    pub(super) right: Right,
    /// Queues of which something is being sent just now.
    busy: Arc<Mutex<HashSet<String>>>,
    /// Queues that have to wait: until when, and after how many failures.
    waits: Arc<Mutex<HashMap<String, (Instant, u32)>>>,
    /// Places that are not spoken in; `None` until the ledger was asked.
    pub(super) troubled: Arc<tokio::sync::Mutex<Option<HashSet<String>>>>,
    /// When it was last looked whether who was gone is back.
    pub(super) looked: Arc<Mutex<Option<Instant>>>,
}

/// What came of trying to send a letter.
enum Sent {
    /// Slack has taken it in its channel; the next one.
    There,
    /// It went the way it came, which says nothing of the channel; the next one.
    Answered,
    /// It will never be there; the next one.
    GivenUp,
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
    pub(super) fn new(desk: Desk, workspace: Arc<Workspace>, right: Right) -> Self {
        Self {
            desk,
            workspace,
            right,
            busy: Arc::default(),
            waits: Arc::default(),
            troubled: Arc::default(),
            looked: Arc::default(),
        }
    }

    /// Begins to send what can be sent now.
    pub(super) async fn send(&self) -> Result<(), DeskError> {
        let mut queues: HashMap<String, Queue> = HashMap::new();
        for pending in self.desk.posts(DOOR).await? {
            let address = pending.message.address.as_str();
            let channel = address.strip_prefix("slack:").unwrap_or(address).to_owned();
            let letter = serde_json::from_str::<Letter>(&pending.message.body).ok();
            let only = letter.as_ref().and_then(|letter| letter.only.as_deref());
            let name = only.map_or_else(|| channel.clone(), |only| format!("{channel} {only}"));
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
        for (pending, letter) in &queue.letters {
            match self.one(queue, pending, letter.as_ref()).await {
                Ok(Sent::There) => {
                    self.works(&queue.name);
                    if !queue.private {
                        self.works_in(&queue.channel).await;
                    }
                }
                Ok(Sent::Answered | Sent::GivenUp) => self.works(&queue.name),
                Ok(Sent::Later) => return,
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be written");
                    return self.wait(&queue.name, UNKNOWN_WAIT);
                }
            }
        }
    }

    fn must_wait(&self, queue: &str) -> bool {
        let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        waits.get(queue).is_some_and(|(until, _)| *until > Instant::now())
    }

    fn wait(&self, queue: &str, wait: Duration) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = waits.get(queue).map_or(0, |(_, failures)| failures + 1);
        waits.insert(queue.to_owned(), (Instant::now() + wait, failures));
    }

    /// Waits longer each time, and never for the same time as others do.
    /// Gives how often it has failed before.
    fn back_off(&self, queue: &str) -> u32 {
        let failures = self.waits.lock().unwrap_or_else(PoisonError::into_inner).get(queue).map_or(0, |(_, n)| *n);
        let base = UNKNOWN_WAIT.saturating_mul(1 << failures.min(5)).min(UNKNOWN_WAIT_MAX);
        let jitter = u64::from(Uuid::now_v7().as_bytes()[15]);
        self.wait(queue, base + Duration::from_millis(jitter * 2));
        failures
    }

    fn works(&self, queue: &str) {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).remove(queue);
    }

    async fn one(&self, queue: &Queue, pending: &Pending, letter: Option<&Letter>) -> Result<Sent, DeskError> {
        let id = pending.message.id;
        let Some(letter) = letter else {
            tracing::error!(%id, "a letter that cannot be read");
            self.desk.give_up_post(id, "unreadable").await?;
            return Ok(Sent::GivenUp);
        };
        let mut letter = letter.clone();
        let thread = match &letter.thread {
            None => None,
            Some(Thread::Under(ts)) => Some(ts.clone()),
            Some(Thread::Card(run)) => {
                let card = self.desk.card(DOOR, tidegate_runner::domain::ids::RunNumber(*run)).await?;
                card.and_then(|card| card.posted)
            }
        };
        if let Some(run) = letter.link {
            match self.link(run).await? {
                Some(url) => letter = letter.linked(run, &url),
                None if self.desk.now().await?.ms_since(pending.message.created) < LINK_WAIT_MS => {
                    return Ok(Sent::Later);
                }
                None => {}
            }
        }
        // History is only that of conversations, so that one with a person has to be named as such.
        let place = match self.workspace.place(&queue.channel).await {
            Ok(place) => place,
            Err(error) => return self.refused(queue, pending, "conversations.open", error).await,
        };
        let mut found = None;
        if pending.in_doubt && queue.private {
            // Nobody can look whether it is there.
            letter = letter.perhaps_again();
        } else if pending.in_doubt {
            match self.find(&place, thread.as_deref(), pending).await {
                Ok(there) => found = there,
                Err(ApiError::Refused { code, .. }) => {
                    tracing::warn!(code, "history cannot be read: a message may come twice, and says so");
                    letter = letter.perhaps_again();
                }
                Err(error) => return Ok(self.failed(queue, "conversations.history", &error).await),
            }
        }
        let again = found.is_some();
        let ts = if let Some(ts) = found {
            ts
        } else {
            let method = if queue.private { "chat.postEphemeral" } else { "chat.postMessage" };
            if !self.workspace.api.limiter.take(Instant::now(), method, &queue.name, Share::All) {
                return Ok(Sent::Later);
            }
            let ms = i64::try_from(MARGIN.as_millis()).unwrap_or(i64::MAX);
            if !self.desk.trying(DOOR, &self.right.holder, id, pending.in_doubt, ms).await? {
                tracing::debug!(%id, "somebody else speaks, or it was said");
                return Ok(Sent::Later);
            }
            let tried = tokio::time::timeout(TRY, self.deliver(&place, &letter, thread.as_deref(), id)).await;
            match tried.unwrap_or_else(|_| Err((method, ApiError::Unknown("no answer in time".to_owned())))) {
                Ok(ts) => ts,
                Err((method, error)) => {
                    if !matches!(error, ApiError::Unknown(_)) {
                        self.desk.refused(id).await?;
                    }
                    return self.refused(queue, pending, method, error).await;
                }
            }
        };
        // Only with its file is it posted: until then it is found again, and not sent again. What went the way it came has no place.
        if let (Some(file), None, false) = (&letter.file, &letter.only, ts.is_empty())
            && let Err((method, error)) = self.attach(&place, thread.as_deref().unwrap_or(&ts), id, file, again).await
        {
            return Ok(self.failed(queue, method, &error).await);
        }
        self.desk.posted(id, &ts).await?;
        Ok(if ts.is_empty() { Sent::Answered } else { Sent::There })
    }

    /// After a try that came to nothing: whether it ever will, and otherwise how long to wait.
    async fn refused(
        &self,
        queue: &Queue,
        pending: &Pending,
        method: &str,
        error: ApiError,
    ) -> Result<Sent, DeskError> {
        let id = pending.message.id;
        let late = queue.private
            && !error.is_of_token()
            && self.desk.now().await?.ms_since(pending.message.created) > PRIVATE_MS;
        if late && matches!(error, ApiError::Unknown(_)) {
            tracing::warn!(%id, method, %error, "nobody waits any more for what one person alone was to see");
            self.desk.give_up_post(id, "no_answer").await?;
            return Ok(Sent::GivenUp);
        }
        let Some(code) = error.code() else { return Ok(self.failed(queue, method, &error).await) };
        match means(method, code) {
            Means::Never => {}
            Means::Mend | Means::Passing if late => {}
            Means::Passing => {
                tracing::warn!(method, channel = queue.channel, code, "Slack takes nothing just now");
                self.back_off(&queue.name);
                return Ok(Sent::Later);
            }
            Means::Mend => return Ok(self.failed(queue, method, &error).await),
        }
        tracing::error!(code, %id, channel = queue.channel, "a message that Slack will never take");
        self.desk.give_up_post(id, code).await?;
        Ok(Sent::GivenUp)
    }

    /// After a failure: how long to wait, and who has to know.
    async fn failed(&self, queue: &Queue, method: &str, error: &ApiError) -> Sent {
        match error {
            ApiError::Limited(wait) => self.wait(&queue.name, *wait),
            ApiError::Unknown(why) => {
                tracing::warn!(method, channel = queue.channel, why, "nobody knows whether Slack has it");
                // The way something came may be gone for good, and what one person alone sees says nothing of the rest.
                let of_slack = !queue.private && method != RESPONSE;
                if self.back_off(&queue.name) == AWAY_FAILURES && of_slack {
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
                self.workspace.forget_channels();
                self.wait(&queue.name, REFUSED_WAIT);
            }
        }
        Sent::Later
    }
}
