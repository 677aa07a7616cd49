//! What one person says in one place is carried out in the order in which they said it: an order waits for their orders before it, also
//! for one that has to wait for the chat. What is no order waits for nothing, and nothing waits for it, nor for what waits for a plan or a
//! yes by itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tidegate_runner::desk::DeskError;
use tidegate_runner::domain::ids::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::answer::LATE_MS;
use super::ear::{Ear, Heard};
use super::origin::{How, Origin};

/// So long an order waits for those before it; then it is put off, and looked at again.
const SOON: Duration = Duration::from_secs(3);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// What is being stored, by who said it where.
#[derive(Debug, Default)]
pub(in crate::chat) struct Turns(Mutex<HashMap<String, Vec<watch::Receiver<bool>>>>);

/// The place of something among what was said with it. Dropped before it is over, it was not stored and comes again.
#[derive(Debug)]
pub(in crate::chat) struct Turn {
    before: Before,
    over: watch::Sender<bool>,
}

/// What is still being stored of what was said before something.
#[derive(Debug, Clone, Default)]
pub(in crate::chat) struct Before(Vec<watch::Receiver<bool>>);

impl Turns {
    /// The next place in the row of `whose`.
    pub(in crate::chat) fn next(&self, whose: &str) -> Turn {
        let (over, told) = watch::channel(false);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whose place is over, or lost, holds up nobody who comes now.
        all.retain(|_, row| {
            row.retain(|one| one.has_changed().is_ok());
            !row.is_empty()
        });
        let row = all.entry(whose.to_owned()).or_default();
        let before = Before(row.clone());
        row.push(told);
        Turn { before, over }
    }
}

impl Turn {
    /// It is stored, or there is nothing to be stored of it.
    pub(in crate::chat) fn over(self) -> Before {
        self.over.send_replace(true);
        self.before
    }
}

impl Before {
    /// Waits until all of it is stored. False: some of it was not, and comes again.
    async fn stored(self) -> bool {
        for mut one in self.0 {
            if one.wait_for(|over| *over).await.is_err() {
                return false;
            }
        }
        true
    }
}

impl Ear {
    /// Whether it is the turn of what was heard; waits a little for that.
    pub(super) async fn is_turn(&self, heard: &Heard, before: Before) -> bool {
        if heard.answered || !self.takes_turns(&heard.message.typed, &heard.origin, heard.at) {
            return true;
        }
        if !before.stored().await {
            return false;
        }
        let since = Instant::now();
        loop {
            match self.is_behind(heard).await {
                Ok(false) => return true,
                Ok(true) if since.elapsed() < SOON => tokio::time::sleep(LOOK).await,
                Ok(true) => return false,
                Err(error) => {
                    tracing::error!(%error, "whether something was said before this cannot be read: answered later");
                    return false;
                }
            }
        }
    }

    fn takes_turns(&self, typed: &str, origin: &Origin, at: Timestamp) -> bool {
        !matches!(origin.how, How::Form(_) | How::After { .. }) && self.orders(typed, self.zone_of(&origin.user), at)
    }

    /// Whether an order that the same person gave before it in the same place is neither carried out nor refused yet. One that is too old
    /// is asked about in place of being carried out, whenever that is.
    async fn is_behind(&self, heard: &Heard) -> Result<bool, DeskError> {
        let (now, mine) = (self.desk.now().await?, said(&heard.origin, heard.at, &heard.message.key));
        for other in self.desk.not_done(self.door(), &heard.message.actor.id).await? {
            let Ok(origin) = serde_json::from_str::<Origin>(&other.reply) else { continue };
            let theirs = said(&origin, other.message.at, &other.message.key);
            if origin.channel == heard.origin.channel
                && theirs < mine
                && now.ms_since(theirs.0) < LATE_MS
                && self.takes_turns(&other.message.body, &origin, other.message.at)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// When something was said, as far as the chat tells, and what sets apart what was said at once: whole, so that nothing waits in a ring.
fn said<'k>(origin: &Origin, stored: Timestamp, key: &'k str) -> (Timestamp, &'k str) {
    (origin.at.unwrap_or(stored), key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whatever_comes_waits_for_all_that_came_before_it_to_be_stored() {
        let turns = Turns::default();
        let (one, two, three) = (turns.next("a"), turns.next("a"), turns.next("a"));
        let other = turns.next("b").over();
        assert!(other.stored().await, "what others say waits for nothing");
        assert!(tokio::time::timeout(LOOK, two.over().stored()).await.is_err(), "the first is not stored");
        let waits = tokio::spawn(three.over().stored());
        assert!(one.over().stored().await);
        assert!(waits.await.expect("no panic"));
        assert!(turns.next("a").before.0.is_empty(), "what is over is forgotten");
    }

    #[tokio::test]
    async fn what_is_not_stored_comes_again_before_what_came_after_it() {
        let turns = Turns::default();
        let (one, two) = (turns.next("a"), turns.next("a"));
        drop(one);
        assert!(!two.over().stored().await);
        assert!(turns.next("a").over().stored().await);
    }
}
