//! What goes out: letters of the outbox, each once and in order within its channel, and the edits of cards, of which the newest
//! wins and the last always lands. One process at a time speaks.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_runner::desk::post::Pending;
use tidegate_runner::desk::{Desk, DeskError};
use tokio::time::Instant;
use uuid::Uuid;

use super::DOOR;
use super::api::ApiError;
use super::letter::{Letter, Thread};
use super::limiter::Limiter;
use super::workspace::Workspace;
use crate::cards::{NO_PLACE_FOR_FILE, PERHAPS_AGAIN, cannot_speak};

/// The name of the data that every message of ours carries.
const EVENT: &str = "tidegate_message";

/// After a refusal that somebody has to do something about.
const REFUSED_WAIT: Duration = Duration::from_mins(1);

/// After an answer that nobody understood, at first and at most.
const UNKNOWN_WAIT: Duration = Duration::from_secs(1);
const UNKNOWN_WAIT_MAX: Duration = Duration::from_secs(30);

/// After so many failures in a row, about half a minute, Slack is away.
const AWAY_FAILURES: u32 = 5;

/// A letter that is refused for so long is given up.
const GIVE_UP_TRIES: i64 = 240;

/// How long an answer waits for the card that it links to, in milliseconds.
const LINK_WAIT_MS: i64 = 15_000;

/// Sends. Cheap to clone.
#[derive(Clone)]
pub(super) struct Mouth {
    pub(super) desk: Desk,
    pub(super) workspace: Arc<Workspace>,
    pub(super) limiter: Arc<Limiter>,
    /// Channels in which something is being sent just now.
    busy: Arc<Mutex<HashSet<String>>>,
    /// Channels that have to wait: until when, and after how many failures.
    waits: Arc<Mutex<HashMap<String, (Instant, u32)>>>,
    /// Places that are not spoken in; `None` until the ledger was asked.
    troubled: Arc<tokio::sync::Mutex<Option<HashSet<String>>>>,
}

/// What came of trying to send a letter.
enum Sent {
    /// It is there; the next one.
    Next,
    /// It will never be there; the next one.
    GivenUp,
    /// Not now.
    Later,
}

impl Mouth {
    pub(super) fn new(desk: Desk, workspace: Arc<Workspace>) -> Self {
        Self {
            desk,
            workspace,
            limiter: Arc::default(),
            busy: Arc::default(),
            waits: Arc::default(),
            troubled: Arc::default(),
        }
    }

    /// Begins to send what can be sent now.
    pub(super) async fn send(&self) -> Result<(), DeskError> {
        let mut channels: HashMap<String, Vec<Pending>> = HashMap::new();
        for pending in self.desk.posts(DOOR).await? {
            let address = pending.message.address.as_str().to_owned();
            let channel = address.strip_prefix("slack:").unwrap_or(&address).to_owned();
            channels.entry(channel).or_default().push(pending);
        }
        for (channel, letters) in channels {
            if self.must_wait(&channel) {
                continue;
            }
            if !self.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(channel.clone()) {
                continue;
            }
            let mouth = self.clone();
            tokio::spawn(async move {
                for pending in letters {
                    match mouth.one(&channel, &pending).await {
                        Ok(Sent::Next) => {
                            mouth.works(&channel);
                            mouth.works_in(&channel).await;
                        }
                        Ok(Sent::GivenUp) => mouth.works(&channel),
                        Ok(Sent::Later) => break,
                        Err(error) => {
                            tracing::error!(%error, "the outbox cannot be written");
                            mouth.wait(&channel, UNKNOWN_WAIT);
                            break;
                        }
                    }
                }
                mouth.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&channel);
            });
        }
        Ok(())
    }

    fn must_wait(&self, channel: &str) -> bool {
        let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        waits.get(channel).is_some_and(|(until, _)| *until > Instant::now())
    }

    fn wait(&self, channel: &str, wait: Duration) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = waits.get(channel).map_or(0, |(_, failures)| failures + 1);
        waits.insert(channel.to_owned(), (Instant::now() + wait, failures));
    }

    /// Waits longer each time, and never for the same time as others do.
    /// Gives how often it has failed before.
    fn back_off(&self, channel: &str) -> u32 {
        let failures = self.waits.lock().unwrap_or_else(PoisonError::into_inner).get(channel).map_or(0, |(_, n)| *n);
        let base = UNKNOWN_WAIT.saturating_mul(1 << failures.min(5)).min(UNKNOWN_WAIT_MAX);
        let jitter = u64::from(Uuid::now_v7().as_bytes()[15]);
        self.wait(channel, base + Duration::from_millis(jitter * 2));
        failures
    }

    fn works(&self, channel: &str) {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).remove(channel);
    }

    async fn one(&self, channel: &str, pending: &Pending) -> Result<Sent, DeskError> {
        let id = pending.message.id;
        let Ok(mut letter) = serde_json::from_str::<Letter>(&pending.message.body) else {
            tracing::error!(%id, "a letter that cannot be read");
            self.desk.give_up_post(id, "unreadable").await?;
            return Ok(Sent::GivenUp);
        };
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
        let mut text = letter.text.clone();
        let mut found = None;
        if pending.in_doubt && letter.only.is_none() {
            match self.find(channel, thread.as_deref(), pending).await {
                Ok(there) => found = there,
                Err(ApiError::Refused { code, .. }) => {
                    tracing::warn!(code, "history cannot be read: a message may come twice, and says so");
                    text = format!("{PERHAPS_AGAIN}{text}");
                }
                Err(error) => return Ok(self.failed(channel, "conversations.history", &error).await),
            }
        }
        let again = found.is_some();
        let ts = if let Some(ts) = found {
            ts
        } else {
            let method = if letter.only.is_some() { "chat.postEphemeral" } else { "chat.postMessage" };
            if !self.limiter.take(method, channel) {
                return Ok(Sent::Later);
            }
            self.desk.trying(id, true).await?;
            match self.deliver(channel, &letter, &text, thread.as_deref(), id).await {
                Ok(ts) => ts,
                Err(error) => {
                    if !matches!(error, ApiError::Unknown(_)) {
                        self.desk.trying(id, false).await?;
                    }
                    if let Some(code) = error.code()
                        && (is_final(code) || pending.message.tries > GIVE_UP_TRIES)
                    {
                        tracing::error!(code, %id, channel, "a message that Slack will never take");
                        self.desk.give_up_post(id, code).await?;
                        return Ok(Sent::GivenUp);
                    }
                    return Ok(self.failed(channel, method, &error).await);
                }
            }
        };
        // Only with its file is it posted: until then it is found again, and not sent again.
        if let (Some(file), None) = (&letter.file, &letter.only)
            && let Err((method, error)) = self.attach(channel, thread.as_deref().unwrap_or(&ts), id, file, again).await
        {
            return Ok(self.failed(channel, method, &error).await);
        }
        self.desk.posted(id, &ts).await?;
        Ok(Sent::Next)
    }

    /// Uploads the file of a message into its thread, unless it is there already. Refused, it is done without.
    async fn attach(
        &self,
        channel: &str,
        thread: &str,
        id: Uuid,
        (name, text): &(String, String),
        again: bool,
    ) -> Result<(), (&'static str, ApiError)> {
        // Answers that went the way they came have no place of their own.
        if thread.is_empty() {
            return Ok(());
        }
        let mut short = id.simple().to_string();
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "txt"));
        let name = format!("{stem}-{}.{ending}", short.split_off(24));
        if again {
            let args = [("channel", channel), ("ts", thread), ("limit", "1000")];
            let said = self.workspace.api.get("conversations.replies", &args).await;
            let said = said.map_err(|error| ("conversations.replies", error))?;
            let messages = said["messages"].as_array().into_iter().flatten();
            let mut files = messages.filter_map(|message| message["files"].as_array()).flatten();
            if files.any(|file| file["name"] == name.as_str()) {
                return Ok(());
            }
        }
        match self.workspace.api.upload(&name, text, channel, thread).await {
            Ok(()) => Ok(()),
            Err(ApiError::Refused { code, .. }) => {
                self.tell_once(channel, &code).await;
                Ok(())
            }
            Err(error) => Err(("files.completeUploadExternal", error)),
        }
    }

    /// Sends, and gives what Slack calls the message.
    async fn deliver(
        &self,
        channel: &str,
        letter: &Letter,
        text: &str,
        thread: Option<&str>,
        id: Uuid,
    ) -> Result<String, ApiError> {
        let api = &self.workspace.api;
        if let (Some(_), Some(url)) = (&letter.only, &letter.response_url) {
            let body = json!({
                "response_type": "ephemeral", "replace_original": false, "text": text, "blocks": letter.blocks,
            });
            match api.respond(url, &body).await {
                // Its half hour is over.
                Err(ApiError::Refused { .. }) => {}
                other => return other.map(|()| String::new()),
            }
        }
        let mut body = json!({
            "channel": channel, "text": text, "blocks": letter.blocks, "mrkdwn": false,
            "unfurl_links": false, "unfurl_media": false,
        });
        if let Some(thread) = thread {
            body["thread_ts"] = thread.into();
        }
        if let Some(user) = &letter.only {
            body["user"] = user.as_str().into();
            return api.post("chat.postEphemeral", &body).await.map(|_| String::new());
        }
        body["metadata"] = json!({ "event_type": EVENT, "event_payload": { "id": id.to_string() } });
        let said = match api.post("chat.postMessage", &body).await {
            // A command can be typed where the bot is not: its answer goes the way it came.
            Err(ApiError::Refused { code, needed })
                if matches!(code.as_str(), "not_in_channel" | "channel_not_found") =>
            {
                let Some(url) = &letter.response_url else { return Err(ApiError::Refused { code, needed }) };
                let mut body = json!({
                    "response_type": "in_channel", "replace_original": false, "text": text, "blocks": letter.blocks,
                });
                if letter.file.is_some() {
                    let words = NO_PLACE_FOR_FILE;
                    body["text"] = format!("{text}\n{words}").into();
                    if let Some(blocks) = body["blocks"].as_array_mut() {
                        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": words } }));
                    }
                }
                return api.respond(url, &body).await.map(|()| String::new());
            }
            // Better without its looks than not at all.
            Err(ApiError::Refused { code, .. })
                if matches!(code.as_str(), "invalid_blocks" | "msg_blocks_too_long") =>
            {
                tracing::error!(code, "Slack refuses the form of a message: sent as plain text");
                body["blocks"] = json!([]);
                api.post("chat.postMessage", &body).await?
            }
            other => other?,
        };
        said["ts"].as_str().map(str::to_owned).ok_or_else(|| ApiError::Unknown("no `ts`".to_owned()))
    }

    /// Looks whether a message is there already.
    async fn find(&self, channel: &str, thread: Option<&str>, pending: &Pending) -> Result<Option<String>, ApiError> {
        let oldest = format!("{}", pending.message.created.0 / 1000 - 60);
        let id = pending.message.id.to_string();
        let mut cursor = String::new();
        loop {
            let mut args = vec![
                ("channel", channel),
                ("oldest", oldest.as_str()),
                ("limit", "200"),
                ("include_all_metadata", "true"),
            ];
            if !cursor.is_empty() {
                args.push(("cursor", &cursor));
            }
            let page = match thread {
                Some(thread) => {
                    args.push(("ts", thread));
                    self.workspace.api.get("conversations.replies", &args).await?
                }
                None => self.workspace.api.get("conversations.history", &args).await?,
            };
            let ours = |message: &&Value| message["metadata"]["event_payload"]["id"] == id.as_str();
            if let Some(found) = page["messages"].as_array().into_iter().flatten().find(ours) {
                return Ok(found["ts"].as_str().map(str::to_owned));
            }
            let next = page["response_metadata"]["next_cursor"].as_str().unwrap_or_default().to_owned();
            if next.is_empty() || next == cursor {
                return Ok(None);
            }
            cursor = next;
        }
    }

    /// The address of a run's card; `None` while it is not posted.
    async fn link(&self, run: i64) -> Result<Option<String>, DeskError> {
        let card = self.desk.card(DOOR, tidegate_runner::domain::ids::RunNumber(run)).await?;
        let Some((channel, ts)) = card.and_then(|card| Some((card.channel, card.posted?))) else { return Ok(None) };
        let said = self.workspace.api.get("chat.getPermalink", &[("channel", &channel), ("message_ts", &ts)]).await;
        Ok(said.ok().and_then(|said| said["permalink"].as_str().map(str::to_owned)))
    }

    /// After a failure: how long to wait, and who has to know.
    async fn failed(&self, channel: &str, method: &str, error: &ApiError) -> Sent {
        match error {
            ApiError::Limited(wait) => {
                self.limiter.silence(method, *wait);
                self.wait(channel, *wait);
                tracing::warn!(method, wait_ms = wait.as_millis(), "Slack wants silence");
            }
            ApiError::Unknown(why) => {
                tracing::warn!(method, channel, why, "nobody knows whether Slack has it");
                if self.back_off(channel) == AWAY_FAILURES {
                    self.tell_once("", "no_answer").await;
                }
            }
            ApiError::Token(why) => {
                tracing::error!(why, "a token cannot be read");
                self.wait(channel, REFUSED_WAIT);
            }
            ApiError::Refused { code, .. } => {
                self.tell_once(if error.is_of_token() { "" } else { channel }, code).await;
                self.workspace.forget_channels();
                self.wait(channel, REFUSED_WAIT);
            }
        }
        Sent::Later
    }

    /// Tells the people who look after Tidegate, once for each place and reason until it is over; `status` tells it meanwhile.
    pub(super) async fn tell_once(&self, place: &str, code: &str) {
        let place = self.workspace.name_of(place);
        let text = cannot_speak(&place, code);
        tracing::error!(place, code, "{text}");
        self.troubled().await.insert(place.clone());
        if let Err(error) = self.desk.trouble(DOOR, &place, code, &text).await {
            tracing::error!(%error, "a notice cannot be stored");
        }
    }

    /// What works again is said no more.
    pub(super) async fn works_in(&self, place: &str) {
        let place = self.workspace.name_of(place);
        for place in [place.as_str(), ""] {
            if self.troubled().await.remove(place)
                && let Err(error) = self.desk.trouble_over(DOOR, place).await
            {
                tracing::error!(%error, "a trouble that is over cannot be noted");
            }
        }
    }

    /// Places with a trouble; what stood before this process began is among them.
    async fn troubled(&self) -> tokio::sync::MappedMutexGuard<'_, HashSet<String>> {
        let mut troubled = self.troubled.lock().await;
        if troubled.is_none()
            && let Ok(all) = self.desk.troubles().await
        {
            *troubled = Some(all.into_iter().filter(|one| one.door == DOOR).map(|one| one.place).collect());
        }
        tokio::sync::MutexGuard::map(troubled, |known| known.get_or_insert_default())
    }
}

/// Words for a message that will be refused whenever it is sent.
fn is_final(code: &str) -> bool {
    matches!(
        code,
        "msg_too_long"
            | "no_text"
            | "invalid_arguments"
            | "user_not_in_channel"
            | "cannot_reply_to_message"
            | "message_not_found"
            | "thread_not_found"
            | "invalid_metadata_format"
    )
}
