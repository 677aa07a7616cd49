//! Messages are edited in place: one edit of each at a time, in the share of the chat's limits that is theirs.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_runner::desk::post::Subject;
use tokio::time::Instant;

use super::failure::ApiError;
use super::letter::{Letter, Rendered};
use super::limiter::Share;
use super::mouth::{Mouth, REFUSED_WAIT};
use super::platform::{Call, Means};
use super::scribe::Scribe;

/// After an edit that nobody answered, or that passes.
const EDIT_AGAIN: Duration = Duration::from_secs(2);

/// The name of the one message about something; others about a run have that of their news.
pub(in crate::chat) const CARD: &str = "";

/// A message that does not show what it should.
pub(in crate::chat) struct Stale {
    pub(in crate::chat) name: String,
    pub(in crate::chat) channel: String,
    pub(in crate::chat) ts: String,
    pub(in crate::chat) rendered: Rendered,
    pub(in crate::chat) digest: String,
}

/// When each message may be edited again; `None` while it is being edited.
#[derive(Default)]
pub(in crate::chat) struct Edits(HashMap<(Subject, String), Arc<Mutex<Option<Instant>>>>);

impl Edits {
    /// Forgets messages about what is not looked at any more.
    pub(in crate::chat) fn keep(&mut self, looked_at: impl Fn(&Subject) -> bool) {
        self.0.retain(|(subject, _), _| looked_at(subject));
    }
}

impl Scribe {
    /// Begins to edit a message, when its channel may be spoken to now; the next look tries again otherwise. True: it has begun.
    pub(in crate::chat) fn edit(&mut self, subject: &Subject, message: Stale, share: Share) -> bool {
        let Stale { name, channel, ts, rendered, digest } = message;
        let now = Instant::now();
        let free = self.edits.0.entry((subject.clone(), name.clone()));
        let free = free.or_insert_with(|| Arc::new(Mutex::new(Some(Instant::now())))).clone();
        {
            let mut free = free.lock().unwrap_or_else(PoisonError::into_inner);
            // Who is about to lose the right to speak would write over what comes after.
            if free.is_none_or(|at| at > now)
                || self.mouth.right.since().is_none()
                || !self.mouth.platform.take(Call::Edit, &channel, share)
            {
                return false;
            }
            *free = None;
        }
        let (mouth, subject) = (self.mouth.clone(), subject.clone());
        tokio::spawn(async move {
            let beside = subject.run().filter(|_| name != CARD);
            let mut letter = Letter::new(rendered);
            if let Some(run) = beside
                && let Ok(Some(url)) = mouth.link(run.0).await
            {
                mouth.platform.linked(&mut letter, run.0, &url);
            }
            let done = mouth.platform.edit(&channel, &ts, &letter).await;
            let (shown, wait) = edited(&mouth, &subject, &channel, done).await;
            let noted = match (shown, beside) {
                (false, _) => Ok(()),
                (true, None) => mouth.desk.card_shows(mouth.door(), &subject, &digest).await,
                (true, Some(run)) => mouth.desk.news_shows(mouth.door(), run, &name, &digest).await,
            };
            if let Err(error) = noted {
                tracing::error!(%error, "what a message shows cannot be noted");
            }
            *free.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + wait);
        });
        true
    }
}

/// What came of an edit: whether that was all for what it shows, and how long this message has to wait.
async fn edited(mouth: &Mouth, subject: &Subject, channel: &str, done: Result<(), ApiError>) -> (bool, Duration) {
    let Err(error) = done else {
        mouth.works_in(channel).await;
        return (true, Duration::ZERO);
    };
    let Some(code) = error.code() else {
        if let ApiError::Limited(wait) = error {
            return (false, wait);
        }
        tracing::warn!(%error, %subject, "an edit was not answered: made again");
        return (false, EDIT_AGAIN);
    };
    match mouth.platform.means(Call::Edit, code) {
        // Somebody deleted it, or it is too old: the thread and new messages tell the rest.
        Means::Never => {
            tracing::warn!(code, %subject, "a message cannot be edited any more");
            (true, Duration::ZERO)
        }
        Means::Passing => (false, EDIT_AGAIN),
        Means::Mend => {
            if error.is_of_token() {
                mouth.tell_once("", code).await;
            } else if OF_CHANNEL.contains(&code) {
                mouth.tell_once(channel, code).await;
            } else {
                tracing::error!(code, %subject, "an edit is refused: tried again");
            }
            (false, REFUSED_WAIT)
        }
    }
}

/// Refusals of an edit that a message in the channel would meet, too.
const OF_CHANNEL: [&str; 8] = [
    "is_inactive",
    "is_archived",
    "not_in_channel",
    "channel_not_found",
    "missing_access",
    "missing_permissions",
    "missing_scope",
    "restricted_action",
];

/// What tells whether a message shows something.
pub(in crate::chat) fn digest(rendered: &Rendered) -> String {
    let mut hasher = DefaultHasher::new();
    rendered.text.hash(&mut hasher);
    for block in &rendered.blocks {
        block.to_string().hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}
