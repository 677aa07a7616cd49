//! Whether what was said still stands: what Slack delivers late or again it delivers as it was written, though whoever wrote it may
//! have edited or deleted it since.

use super::api::ApiError;
use super::delivery::{How, Origin};
use super::ear::Ear;
use super::refused::{Means, means};

/// What is older when it is its turn is looked up, in milliseconds.
const LOOK_UP_MS: i64 = 10_000;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// It is as it was.
    Yes,
    /// Its words are others now.
    Edited,
    /// It is not there any more.
    Deleted,
    /// Slack does not let us look.
    Unknown,
}

impl Ear {
    /// Looks a message up that was delivered late or again, or left by a crash. `None`: cannot be told yet.
    pub(super) async fn stands(&self, origin: &Origin, typed: &str, stored_ms: i64, age_ms: i64) -> Option<Stands> {
        let late = origin.again || stored_ms > 0 || age_ms > LOOK_UP_MS;
        let Some(ts) = origin.ts.as_deref().filter(|_| late && matches!(origin.how, How::Mention | How::Direct)) else {
            return Some(Stands::Yes);
        };
        if !self.is_order(typed).await {
            return Some(Stands::Yes);
        }
        let mut args =
            vec![("channel", origin.channel.as_str()), ("oldest", ts), ("latest", ts), ("inclusive", "true")];
        let method = match origin.thread.as_deref().filter(|thread| *thread != ts) {
            Some(thread) => {
                args.push(("ts", thread));
                "conversations.replies"
            }
            None => "conversations.history",
        };
        let said = match self.workspace.api.get(method, &args).await {
            Ok(said) => said,
            Err(ApiError::Refused { code, .. })
                if matches!(code.as_str(), "thread_not_found" | "message_not_found") =>
            {
                return Some(Stands::Deleted);
            }
            Err(error) if error.code().is_some_and(|code| means(method, code) != Means::Passing) => {
                tracing::warn!(%error, "whether a message still stands cannot be looked up: its author is asked");
                return Some(Stands::Unknown);
            }
            Err(error) => {
                tracing::warn!(%error, "whether a message still stands is not known yet: answered later");
                return None;
            }
        };
        let found = said["messages"].as_array().into_iter().flatten().find(|message| message["ts"] == ts);
        Some(match found {
            None => Stands::Deleted,
            // What is left of a message with answers below it.
            Some(message) if message["subtype"] == "tombstone" => Stands::Deleted,
            Some(message) if !message["edited"].is_null() => Stands::Edited,
            Some(_) => Stands::Yes,
        })
    }
}
