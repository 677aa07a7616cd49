//! One letter to Slack: posted or answered where it came from, found again in the history, with its file and its link.

use async_trait::async_trait;
use serde_json::{Value, json};
use tidegate_runner::desk::post::Pending;
use uuid::Uuid;

use super::platform::Slack;
use crate::cards::NO_PLACE_FOR_FILE;
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::letter::{Letter, file_name};
use crate::chat::voice::origin::{Origin, Said};
use crate::chat::voice::platform::{Call, Failed, Letters};
use crate::chat::voice::stands::Stands;

/// What posts a message.
pub(super) const POST: &str = "chat.postMessage";

/// What edits one.
pub(super) const EDIT: &str = "chat.update";

/// Refusals of how a message looks: better without its looks than not at all.
const OF_FORM: [&str; 2] = ["invalid_blocks", "msg_blocks_too_long"];

/// Refusals of a way that is over: five answers, or half an hour.
const OVER: [&str; 4] = ["http_404", "http_410", "expired_url", "used_url"];

/// The bot is not where something was asked, and the half hour is over in which an answer could go the way that it came: nobody can be
/// told there, and nothing waits for it.
pub(super) const NO_WAY: &str = "no_way_to_answer";

/// The name of the data that every message of ours carries.
const EVENT: &str = "tidegate_message";

#[async_trait]
impl Letters for Slack {
    async fn deliver(&self, channel: &str, letter: &Letter, thread: Option<&str>, id: Uuid) -> Result<String, Failed> {
        let api = &self.workspace.api;
        let text = &letter.text;
        if let (Some(_), Some(url)) = (&letter.only, &letter.response_url) {
            let body = json!({
                "response_type": "ephemeral", "replace_original": false, "text": text, "blocks": letter.blocks,
            });
            match api.respond(url, &body).await {
                // Its half hour is over.
                Err(ApiError::Refused { .. }) => {}
                other => return other.map(|()| String::new()).map_err(|error| (Call::Response, error)),
            }
        }
        let mut body = json!({ "channel": channel, "text": text, "blocks": letter.blocks });
        if let Some(thread) = thread {
            body["thread_ts"] = thread.into();
        }
        if let Some(user) = &letter.only {
            body["user"] = user.as_str().into();
            let mut sent = api.post("chat.postEphemeral", &body).await;
            if let Err(ApiError::Refused { code, .. }) = &sent
                && OF_FORM.contains(&code.as_str())
            {
                tracing::error!(code, "Slack refuses the form of an answer: sent as plain text");
                body["blocks"] = json!([]);
                sent = api.post("chat.postEphemeral", &body).await;
            }
            return sent.map(|_| String::new()).map_err(|error| (Call::Private, error));
        }
        // What one person alone is shown knows none of these.
        for none in ["mrkdwn", "unfurl_links", "unfurl_media"] {
            body[none] = false.into();
        }
        body["metadata"] = json!({ "event_type": EVENT, "event_payload": { "id": id.to_string() } });
        let refused = |error| (Call::Post, error);
        let said = match api.post(POST, &body).await {
            // A command can be typed where the bot is not: its answer goes the way it came.
            Err(ApiError::Refused { code, needed })
                if matches!(code.as_str(), "not_in_channel" | "channel_not_found") =>
            {
                let Some(url) = &letter.response_url else { return Err(refused(ApiError::Refused { code, needed })) };
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
                return match api.respond(url, &body).await {
                    Ok(()) => Ok(String::new()),
                    Err(ApiError::Refused { code, .. }) if OVER.contains(&code.as_str()) => {
                        Err((Call::Response, ApiError::refused(NO_WAY)))
                    }
                    Err(error) => Err((Call::Response, error)),
                };
            }
            Err(ApiError::Refused { code, .. }) if OF_FORM.contains(&code.as_str()) => {
                tracing::error!(code, "Slack refuses the form of a message: sent as plain text");
                body["blocks"] = json!([]);
                api.post(POST, &body).await.map_err(refused)?
            }
            other => other.map_err(refused)?,
        };
        said["ts"].as_str().map(str::to_owned).ok_or_else(|| refused(ApiError::Unknown("no `ts`".to_owned())))
    }

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

    async fn attach(
        &self,
        channel: &str,
        thread: &str,
        id: Uuid,
        (name, text): &(String, String),
        again: bool,
    ) -> Result<(), Failed> {
        let name = file_name(id, name);
        if again {
            let args = [("channel", channel), ("ts", thread), ("limit", "1000")];
            let said = self.workspace.api.get("conversations.replies", &args).await;
            let said = said.map_err(|error| (Call::History, error))?;
            let messages = said["messages"].as_array().into_iter().flatten();
            let mut files = messages.filter_map(|message| message["files"].as_array()).flatten();
            if files.any(|file| file["name"] == name.as_str()) {
                return Ok(());
            }
        }
        self.workspace.api.upload(&name, text, channel, thread).await.map_err(|error| (Call::File, error))
    }

    async fn edit(&self, channel: &str, ts: &str, letter: &Letter) -> Result<(), ApiError> {
        let mut body = json!({ "channel": channel, "ts": ts, "text": letter.text, "blocks": letter.blocks });
        match self.workspace.api.post(EDIT, &body).await {
            Err(ApiError::Refused { code, .. }) if OF_FORM.contains(&code.as_str()) => {
                tracing::error!(code, "Slack refuses the form of an edit: made as plain text");
                body["blocks"] = json!([]);
                self.workspace.api.post(EDIT, &body).await.map(|_| ())
            }
            other => other.map(|_| ()),
        }
    }

    async fn link(&self, channel: &str, ts: &str) -> Option<String> {
        let said = self.workspace.api.get("chat.getPermalink", &[("channel", channel), ("message_ts", ts)]).await;
        said.ok().and_then(|said| said["permalink"].as_str().map(str::to_owned))
    }

    async fn look_up(&self, origin: &Origin, posted: &str) -> Result<Stands, ApiError> {
        self.workspace.look_up(origin, posted).await
    }

    async fn said_in(&self, place: &str, direct: bool, from: i64, said: &mut Vec<(i64, Said)>) -> Result<(), ApiError> {
        self.workspace.said_in(place, direct, from, said).await
    }
}
