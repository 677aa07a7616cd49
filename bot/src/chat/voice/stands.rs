//! Whether what was said still stands: what a chat delivers late or again it delivers as it was written, though whoever wrote it may
//! have edited or deleted it since.

use super::ear::Ear;
use super::origin::{How, Origin};
use super::platform::{Call, Means};
use crate::commands;

/// What is older when it is its turn is looked up, in milliseconds.
const LOOK_UP_MS: i64 = 10_000;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Stands {
    /// It is as it was.
    Yes,
    /// Its words are others now.
    Edited,
    /// It is not there any more.
    Deleted,
    /// The chat does not let us look.
    Unknown,
}

impl Ear {
    /// Looks a message up that was delivered late or again, or left by a crash. `None`: cannot be told yet.
    pub(in crate::chat) async fn stands(
        &self,
        origin: &Origin,
        typed: &str,
        stored_ms: i64,
        age_ms: i64,
    ) -> Option<Stands> {
        let late = origin.again || stored_ms > 0 || age_ms > LOOK_UP_MS;
        let Some(ts) = origin.ts.as_deref().filter(|_| late && matches!(origin.how, How::Mention | How::Direct)) else {
            return Some(Stands::Yes);
        };
        // What is about a code orders something, too: whoever took it back has not said it.
        if !commands::is_for_a_code(typed) && !self.is_order(typed, self.zone_of(&origin.user)).await {
            return Some(Stands::Yes);
        }
        match self.platform.look_up(origin, ts).await {
            Ok(stands) => Some(stands),
            Err(error)
                if error.code().is_some_and(|code| self.platform.means(Call::History, code) != Means::Passing) =>
            {
                tracing::warn!(%error, "whether a message still stands cannot be looked up: its author is asked");
                Some(Stands::Unknown)
            }
            Err(error) => {
                tracing::warn!(%error, "whether a message still stands is not known yet: answered later");
                None
            }
        }
    }
}
