//! One letter to Discord: posted or answered where it came from, found again, with its thread and its file.

use serde_json::{Value, json};
use serenity::http::{LightMethod, Route};
use serenity::model::id::{ApplicationId, MessageId};
use tidegate_runner::desk::post::Pending;
use uuid::Uuid;

use super::delivery::{REPLY, THREAD, Wish, message, number_at};
use super::guild::{Guild, PERSON, channel_id, number};
use super::render;
use crate::cards;
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::letter::{Letter, Thread};
use crate::chat::voice::origin::{Origin, Said};
use crate::chat::voice::platform::{Call, Failed};
use crate::chat::voice::stands::Stands;

/// Only one person sees it.
pub(super) const EPHEMERAL: u32 = 1 << 6;

/// A thread without new messages is put away after so many minutes.
const THREAD_RESTS: u32 = 1_440;

/// A clock may be behind by so many milliseconds.
const ROOM_MS: i64 = 60_000;

/// Most pages of a hundred messages that are read of one place.
const PAGES_MAX: usize = 20;

/// A thread that was deleted, or is put away and locked: nobody but a moderator can bring it back.
const GONE: [&str; 3] = ["channel_not_found", "is_archived", "thread_locked"];

/// Where a message goes: a channel or thread, and the message that it answers there.
struct Target {
    channel: String,
    answers: Option<String>,
}

impl Target {
    /// In the channel itself, in place of a thread that is gone, under the message that it was under.
    fn instead_of(thread: Option<&str>, place: &str) -> Self {
        let under = thread.filter(|thread| !thread.starts_with([REPLY, THREAD]));
        Self { channel: place.to_owned(), answers: under.map(str::to_owned) }
    }

    fn is_gone(&self, place: &str, error: &ApiError) -> bool {
        self.channel != place && error.code().is_some_and(|code| GONE.contains(&code))
    }
}

/// Whether somebody waits for it: it answers them, or calls them.
fn is_waited_for(letter: &Letter) -> bool {
    matches!(letter.thread, Some(Thread::Under(_))) || !letter.text.is_empty()
}

impl Guild {
    pub(super) fn application_id(&self) -> Result<ApplicationId, ApiError> {
        number(&self.application, "application_not_found").map(ApplicationId::new)
    }

    fn message_id(id: &str) -> Result<MessageId, ApiError> {
        number(id, "message_not_found").map(MessageId::new)
    }

    /// Sends, and gives what Discord calls the message; nothing where one person alone sees it.
    pub(super) async fn deliver(
        &self,
        place: &str,
        letter: &Letter,
        thread: Option<&str>,
        id: Uuid,
    ) -> Result<String, Failed> {
        let private = letter.only.is_some();
        let body = render::body(&letter.text, &letter.blocks);
        if let Some(token) = letter.response_url.as_deref().filter(|_| letter.awaited || private) {
            match self.respond(token, letter, &body, id).await {
                // Its quarter of an hour is over, nobody acknowledged it in time, or the thread it came from takes nothing any more: the
                // bot says it by itself.
                Err(error) if error.code().is_some_and(|code| code == "expired_token" || GONE.contains(&code)) => {}
                Err(error) => return Err((Call::Response, error)),
                // It has no place of its own: its file came with it.
                Ok(_) => return Ok(String::new()),
            }
        }
        let call = if private { Call::Private } else { Call::Post };
        let target = match &letter.only {
            Some(person) => {
                let channel = self.place(&format!("{PERSON}{person}")).await.map_err(|error| (Call::Place, error))?;
                Target { channel, answers: None }
            }
            None => self.target(place, thread).await.map_err(|error| (call, error))?,
        };
        let send = async |target: &Target| {
            let mut body = body.clone();
            body["embeds"][0]["url"] = format!("{}{}", self.page_of(&target.channel), mark(id)).into();
            named(&self.post(target, body, id).await?)
        };
        let posted = match send(&target).await {
            Err(error) if !private && target.is_gone(place, &error) => {
                tracing::warn!(%error, thread = target.channel, "a thread takes nothing any more");
                if is_waited_for(letter) {
                    send(&Target::instead_of(thread, place)).await
                } else {
                    Err(ApiError::refused("thread_gone"))
                }
            }
            other => other,
        };
        let posted = posted.map_err(|error| (call, error))?;
        Ok(if private { String::new() } else { posted })
    }

    async fn respond(&self, token: &str, letter: &Letter, body: &Value, id: Uuid) -> Result<Value, ApiError> {
        let application_id = self.application_id()?;
        let mut body = body.clone();
        if letter.awaited {
            // The answer that is waited for is there and only has to say something: once more does no harm.
            let route = Route::WebhookOriginalInteractionResponse { application_id, token };
            let Some(file) = &letter.file else { return self.api.send(LightMethod::Patch, route, &body).await };
            let name = name_of(id, &file.0);
            body["attachments"] = json!([{ "id": "0", "filename": name }]);
            return self.api.send_file(LightMethod::Patch, route, &body, (&name, &file.1)).await;
        }
        body["flags"] = EPHEMERAL.into();
        let route = Route::WebhookFollowupMessages { application_id, token };
        self.api.send(LightMethod::Post, route, &body).await
    }

    async fn post(&self, target: &Target, mut body: Value, id: Uuid) -> Result<Value, ApiError> {
        // For some minutes Discord gives the first message in place of a second one with this.
        body["nonce"] = nonce(id).into();
        body["enforce_nonce"] = true.into();
        body["allowed_mentions"]["replied_user"] = false.into();
        if let Some(answers) = &target.answers {
            body["message_reference"] = json!({ "message_id": answers, "fail_if_not_exists": false });
        }
        let route = Route::ChannelMessages { channel_id: channel_id(&target.channel)? };
        self.api.send(LightMethod::Post, route, &body).await
    }

    /// The place of a thread: under a message a thread of its own, where there can be one.
    async fn target(&self, place: &str, thread: Option<&str>) -> Result<Target, ApiError> {
        let here = |answers: Option<&str>| Target { channel: place.to_owned(), answers: answers.map(str::to_owned) };
        let Some(thread) = thread else { return Ok(here(None)) };
        if let Some(message) = thread.strip_prefix(REPLY) {
            return Ok(here(Some(message)));
        }
        if let Some(thread) = thread.strip_prefix(THREAD) {
            return Ok(Target { channel: thread.to_owned(), answers: None });
        }
        let body = json!({ "name": cards::THREAD, "auto_archive_duration": THREAD_RESTS });
        let route =
            Route::ChannelMessageThreads { channel_id: channel_id(place)?, message_id: Self::message_id(thread)? };
        match self.api.send(LightMethod::Post, route, &body).await {
            Ok(_) => {}
            Err(error) => match error.code() {
                Some("thread_exists") => {}
                Some("message_not_found") => return Ok(here(None)),
                Some("no_threads_here" | "missing_permissions" | "channel_not_found") => {
                    return Ok(here(Some(thread)));
                }
                _ => return Err(error),
            },
        }
        // A thread has the number of the message that it is under.
        self.note_parent(thread, Some(place));
        Ok(Target { channel: thread.to_owned(), answers: None })
    }

    /// Looks whether a message is there already.
    pub(super) async fn find(
        &self,
        place: &str,
        thread: Option<&str>,
        pending: &Pending,
    ) -> Result<Option<String>, ApiError> {
        let (id, from) = (pending.message.id, pending.message.created.0 - ROOM_MS);
        let mark = mark(id);
        let ours = |said: &Value| {
            said["nonce"] == nonce(id).as_str()
                || said["embeds"][0]["url"].as_str().is_some_and(|url| url.ends_with(&mark))
        };
        // Where there could be no thread it went into the channel.
        let thread = thread.filter(|thread| !thread.starts_with(REPLY)).map(|thread| thread.trim_start_matches(THREAD));
        for place in thread.into_iter().chain([place]) {
            let all = match self.messages(place, from).await {
                Err(error) if error.code() == Some("channel_not_found") && thread == Some(place) => continue,
                all => all?,
            };
            if let Some(found) = all.iter().find(|said| ours(said)) {
                return named(found).map(Some);
            }
        }
        Ok(None)
    }

    /// Puts the file of a message into its thread, unless (`again`) it is there already.
    pub(super) async fn attach(
        &self,
        place: &str,
        thread: &str,
        id: Uuid,
        (name, text): &(String, String),
        again: bool,
    ) -> Result<(), Failed> {
        let failed = |error| (Call::File, error);
        let name = name_of(id, name);
        let target = self.target(place, Some(thread)).await.map_err(failed)?;
        if again {
            // As with its message: in the channel, where its thread takes nothing, or is gone.
            let channel = (target.channel != place).then_some(place);
            for read in std::iter::once(target.channel.as_str()).chain(channel) {
                let all = match self.messages(read, since(id)).await {
                    Err(error) if read != place && target.is_gone(place, &error) => continue,
                    all => all.map_err(|error| (Call::History, error))?,
                };
                let mut files = all.iter().filter_map(|said| said["attachments"].as_array()).flatten();
                if files.any(|file| file["filename"] == name.as_str()) {
                    return Ok(());
                }
            }
        }
        let sent = match self.send_file(&target, (&name, text)).await {
            // Its message stands in the channel, too.
            Err(error) if target.is_gone(place, &error) => {
                self.send_file(&Target::instead_of(Some(thread), place), (&name, text)).await
            }
            sent => sent,
        };
        sent.map_err(failed)
    }

    async fn send_file(&self, target: &Target, (name, text): (&str, &str)) -> Result<(), ApiError> {
        let mut body = json!({ "attachments": [{ "id": "0", "filename": name }], "allowed_mentions": { "parse": [] } });
        if let Some(answers) = &target.answers {
            body["message_reference"] = json!({ "message_id": answers, "fail_if_not_exists": false });
        }
        let route = Route::ChannelMessages { channel_id: channel_id(&target.channel)? };
        self.api.send_file(LightMethod::Post, route, &body, (name, text)).await.map(|_| ())
    }

    /// Edits a message, as the bot.
    pub(super) async fn edit(&self, channel: &str, posted: &str, letter: &Letter) -> Result<(), ApiError> {
        let body = render::body(&letter.text, &letter.blocks);
        let route = Route::ChannelMessage { channel_id: channel_id(channel)?, message_id: Self::message_id(posted)? };
        self.api.send(LightMethod::Patch, route, &body).await.map(|_| ())
    }

    fn page_of(&self, channel: &str) -> String {
        self.api.page(&self.id, channel, None)
    }

    /// Whether a message still stands.
    pub(super) async fn look_up(&self, origin: &Origin, posted: &str) -> Result<Stands, ApiError> {
        let place = origin.thread.as_deref().and_then(|thread| thread.strip_prefix(THREAD)).unwrap_or(&origin.channel);
        let route = Route::ChannelMessage { channel_id: channel_id(place)?, message_id: Self::message_id(posted)? };
        match self.api.get(route, &[]).await {
            Ok(said) if said["edited_timestamp"].is_null() => Ok(Stands::Yes),
            Ok(_) => Ok(Stands::Edited),
            Err(error) if error.code() == Some("message_not_found") => Ok(Stands::Deleted),
            Err(error) => Err(error),
        }
    }

    /// What was said to us in a channel and its threads after a moment, each with when.
    pub(super) async fn said_in(&self, place: &str, direct: bool, from: i64) -> Result<Vec<(i64, Said)>, ApiError> {
        let mut places = vec![(place.to_owned(), None)];
        if !direct {
            let said = self.api.get(Route::GuildThreadsActive { guild_id: self.guild_id()? }, &[]).await?;
            let threads = said["threads"].as_array().into_iter().flatten();
            let here = threads.filter(|thread| thread["parent_id"] == place).filter_map(|thread| thread["id"].as_str());
            places.extend(here.map(|thread| (thread.to_owned(), Some(thread.to_owned()))));
        }
        let mut all = Vec::new();
        for (read, thread) in places {
            for said in self.messages(&read, from).await? {
                let wish = message(&said, self, (place, thread.as_deref()), direct);
                if let Some(Wish::Said(said)) = wish {
                    all.push((said.reply.at.map_or(0, |at| at.0), said));
                }
            }
        }
        Ok(all)
    }

    /// Messages of a place after a moment, oldest first.
    async fn messages(&self, place: &str, from: i64) -> Result<Vec<Value>, ApiError> {
        let (mut all, mut after) = (Vec::new(), number_at(from));
        for _ in 0..PAGES_MAX {
            let route = Route::ChannelMessages { channel_id: channel_id(place)? };
            let page = self.api.get(route, &[("limit", "100"), ("after", &after)]).await?;
            let mut page = page.as_array().cloned().unwrap_or_default();
            // Newest first.
            page.reverse();
            let more = page.len() == 100;
            page.last().and_then(|said| said["id"].as_str()).unwrap_or_default().clone_into(&mut after);
            all.extend(page);
            if !more {
                break;
            }
        }
        Ok(all)
    }
}

fn named(said: &Value) -> Result<String, ApiError> {
    said["id"].as_str().map(str::to_owned).ok_or_else(|| ApiError::Unknown("a message without `id`".to_owned()))
}

/// The name of a message's file, by which it is found again.
fn name_of(id: Uuid, name: &str) -> String {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "txt"));
    format!("{stem}-{}.{ending}", id.simple().to_string().split_off(24))
}

/// Before the moment at which a letter was written, in milliseconds; 0 where its id does not tell it.
fn since(id: Uuid) -> i64 {
    let written_ms = id.get_timestamp().and_then(|at| i64::try_from(at.to_unix().0.saturating_mul(1_000)).ok());
    written_ms.map_or(0, |ms| ms - ROOM_MS)
}

/// At most 25 characters that no other message has.
fn nonce(id: Uuid) -> String {
    id.simple().to_string().split_off(8)
}

/// What a message of ours carries where nobody sees it: after the address that its title links to, which is its own channel's.
fn mark(id: Uuid) -> String {
    format!("#{id}")
}
