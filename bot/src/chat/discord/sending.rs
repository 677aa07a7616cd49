//! One letter to Discord: posted or answered where it came from, found again, with its thread and its file.

use async_trait::async_trait;
use serde_json::{Value, json};
use tidegate_runner::desk::post::Pending;
use uuid::Uuid;

use super::delivery::{REPLY, THREAD, Wish, message};
use super::guild::Guild;
use super::render;
use crate::cards;
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::letter::{Letter, Thread, file_name, written_ms};
use crate::chat::voice::origin::{Origin, Said};
use crate::chat::voice::platform::{Call, Failed, Letters, Places as _};
use crate::chat::voice::stands::Stands;
use crate::wire::discord::bodies::{for_one, is_marked, mark, nonce};
use crate::wire::discord::{Target, id_of};

/// A thread without new messages is put away after so many minutes.
const THREAD_RESTS: u32 = 1_440;

/// A clock may be behind by so many milliseconds.
const ROOM_MS: i64 = 60_000;

/// Most pages of a hundred messages that are read of one place.
const PAGES_MAX: usize = 20;

/// A thread that was deleted, or is put away and locked: nobody but a moderator can bring it back.
const GONE: [&str; 3] = ["channel_not_found", "is_archived", "thread_locked"];

/// In the channel itself, in place of a thread that is gone, under the message that it was under.
fn instead_of(thread: Option<&str>, place: &str) -> Target {
    let under = thread.filter(|thread| !thread.starts_with([REPLY, THREAD]));
    Target { channel: place.to_owned(), answers: under.map(str::to_owned) }
}

fn is_gone(target: &Target, place: &str, error: &ApiError) -> bool {
    target.channel != place && error.code().is_some_and(|code| GONE.contains(&code))
}

/// The acknowledgement of what is answered may be on its way for so many milliseconds.
const YOUNG_MS: i64 = 10_000;

/// Whether nothing can be said any more the way something came.
fn is_over(code: &str, id: Uuid) -> bool {
    let is_young = || written_ms(Uuid::now_v7()) - written_ms(id) < YOUNG_MS;
    code == "expired_token" || GONE.contains(&code) || code == "unknown_webhook" && !is_young()
}

/// Whether somebody waits for it: it answers them, or calls them.
fn is_waited_for(letter: &Letter) -> bool {
    matches!(letter.thread, Some(Thread::Under(_))) || !letter.text.is_empty()
}

impl Guild {
    async fn respond(&self, token: &str, letter: &Letter, body: Value, id: Uuid) -> Result<(), ApiError> {
        let file = letter.file_named(id);
        // The answer that is waited for is there and only has to say something: once more does no harm.
        if letter.awaited && (letter.only.is_none() || !letter.public) {
            return self.api.respond(&self.application, token, &body, file).await;
        }
        if letter.awaited {
            // Everybody would see it there.
            self.api.take_back(&self.application, token).await?;
        }
        self.api.follow_up(&self.application, token, &for_one(body), file).await
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
        if let Err(error) = self.api.thread(place, thread, cards::THREAD, THREAD_RESTS).await {
            return match error.code() {
                Some("message_not_found") => Ok(here(None)),
                Some("no_threads_here" | "missing_permissions" | "channel_not_found") => Ok(here(Some(thread))),
                _ => Err(error),
            };
        }
        // A thread has the number of the message that it is under.
        self.memory.note_parent(thread, Some(place));
        Ok(Target { channel: thread.to_owned(), answers: None })
    }
}

#[async_trait]
impl Letters for Guild {
    fn under<'t>(&self, thread: &'t str) -> &'t str {
        thread.trim_start_matches(THREAD)
    }

    async fn deliver(&self, place: &str, letter: &Letter, thread: Option<&str>, id: Uuid) -> Result<String, Failed> {
        let private = letter.only.is_some();
        let body = render::body(&letter.text, &letter.blocks);
        if let Some(token) = letter.response_url.as_deref().filter(|_| letter.awaited || private) {
            match self.respond(token, letter, body.clone(), id).await {
                // Its quarter of an hour is over, nobody acknowledged it in time, or the thread it came from takes nothing any more: the
                // bot says it by itself.
                Err(error) if error.code().is_some_and(|code| is_over(code, id)) => {}
                Err(error) => return Err((Call::Response, error)),
                // It has no place of its own: its file came with it.
                Ok(()) => return Ok(String::new()),
            }
        }
        let call = if private { Call::Private } else { Call::Post };
        let target = match &letter.only {
            Some(person) => {
                let channel = self.place(&self.alone(person)).await.map_err(|error| (Call::Place, error))?;
                Target { channel, answers: None }
            }
            None => self.target(place, thread).await.map_err(|error| (call, error))?,
        };
        let send = async |target: &Target| {
            let mut body = body.clone();
            body["embeds"][0]["url"] = format!("{}{}", self.api.page(&self.id, &target.channel, None), mark(id)).into();
            body["allowed_mentions"]["replied_user"] = false.into();
            // What one person alone sees has no thread for it.
            self.api.post(target, body, Some(&nonce(id)), letter.file_named(id).filter(|_| private)).await
        };
        let posted = match send(&target).await {
            Err(error) if !private && is_gone(&target, place, &error) => {
                tracing::warn!(%error, thread = target.channel, "a thread takes nothing any more");
                if is_waited_for(letter) {
                    send(&instead_of(thread, place)).await
                } else {
                    Err(ApiError::refused("thread_gone"))
                }
            }
            other => other,
        };
        let posted = posted.map_err(|error| (call, error))?;
        Ok(if private { String::new() } else { posted })
    }

    async fn find(&self, place: &str, thread: Option<&str>, pending: &Pending) -> Result<Option<String>, ApiError> {
        let (id, from) = (pending.message.id, pending.message.created.0 - ROOM_MS);
        // Where there could be no thread it went into the channel.
        let thread = thread.filter(|thread| !thread.starts_with(REPLY)).map(|thread| thread.trim_start_matches(THREAD));
        for place in thread.into_iter().chain([place]) {
            let all = match self.api.messages(place, from, PAGES_MAX).await {
                Err(error) if error.code() == Some("channel_not_found") && thread == Some(place) => continue,
                all => all?,
            };
            if let Some(found) = all.iter().find(|said| is_marked(said, id)) {
                return id_of(found).map(Some);
            }
        }
        Ok(None)
    }

    async fn attach(
        &self,
        place: &str,
        thread: &str,
        id: Uuid,
        (name, text): &(String, String),
        again: bool,
    ) -> Result<(), Failed> {
        let failed = |error| (Call::File, error);
        let name = file_name(id, name);
        let target = self.target(place, Some(thread)).await.map_err(failed)?;
        if again {
            // As with its message: in the channel, where its thread takes nothing, or is gone.
            let channel = (target.channel != place).then_some(place);
            for read in std::iter::once(target.channel.as_str()).chain(channel) {
                let all = match self.api.messages(read, written_ms(id) - ROOM_MS, PAGES_MAX).await {
                    Err(error) if read != place && is_gone(&target, place, &error) => continue,
                    all => all.map_err(|error| (Call::History, error))?,
                };
                let mut files = all.iter().filter_map(|said| said["attachments"].as_array()).flatten();
                if files.any(|file| file["filename"] == name.as_str()) {
                    return Ok(());
                }
            }
        }
        let send = async |target: &Target| {
            let body = json!({ "allowed_mentions": { "parse": [] } });
            self.api.post(target, body, None, Some((name.clone(), text.as_str()))).await
        };
        let posted = match send(&target).await {
            // Its message stands in the channel, too.
            Err(error) if is_gone(&target, place, &error) => send(&instead_of(Some(thread), place)).await,
            posted => posted,
        };
        posted.map(|_| ()).map_err(failed)
    }

    async fn edit(&self, channel: &str, posted: &str, letter: &Letter) -> Result<(), ApiError> {
        self.api.edit(channel, posted, &render::body(&letter.text, &letter.blocks)).await
    }

    async fn link(&self, channel: &str, posted: &str) -> Option<String> {
        Some(self.api.page(&self.id, channel, Some(posted)))
    }

    async fn look_up(&self, origin: &Origin, posted: &str) -> Result<Stands, ApiError> {
        let place = origin.thread.as_deref().and_then(|thread| thread.strip_prefix(THREAD)).unwrap_or(&origin.channel);
        match self.api.message(place, posted).await {
            Ok(said) if said["edited_timestamp"].is_null() => Ok(Stands::Yes),
            Ok(_) => Ok(Stands::Edited),
            Err(error) if error.code() == Some("message_not_found") => Ok(Stands::Deleted),
            Err(error) => Err(error),
        }
    }

    async fn said_in(&self, place: &str, direct: bool, from: i64, all: &mut Vec<(i64, Said)>) -> Result<(), ApiError> {
        let mut places = vec![(place.to_owned(), None)];
        if !direct {
            let threads = self.api.threads(&self.id, place).await?;
            places.extend(threads.into_iter().map(|thread| (thread.clone(), Some(thread))));
        }
        for (read, thread) in places {
            for said in self.api.messages(&read, from, PAGES_MAX).await? {
                let wish = message(&said, self, (place, thread.as_deref()), direct);
                if let Some(Wish::Said(said)) = wish {
                    all.push((said.reply.at.map_or(0, |at| at.0), said));
                }
            }
        }
        Ok(())
    }
}
