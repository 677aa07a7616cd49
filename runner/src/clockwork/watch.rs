//! Whose watch it is: of all processes that follow schedules, one is the clock. Two with different files would otherwise do what each
//! finds written, in turn. That each transition is carried out once does not rest on it.
//!
//! It is a lease in the ledger. Beside an SQLite file there is a lock as well, which the kernel takes from a process that dies: whoever
//! has it knows that nobody else is the clock, and need not wait until the lease of a dead one is over.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::domain::ids::Timestamp;
use crate::engine::LedgerLock;
use crate::ledger::leases::{self, CLOCK};
use crate::ledger::{LedgerError, Store};

/// For how long the watch is had without a word, in milliseconds. So late is what is due when its process dies, at most, where no
/// lock tells of its death; with the look of who waits for it that stays below 15 s.
const LEASE_MS: i64 = 14_000;

/// How often it is kept, and the longest that is waited for somebody else's, in milliseconds.
pub(super) const KEEP_MS: i64 = 5_000;

/// How often a lock that another process has is looked at, in milliseconds: it costs two calls of the system.
const LOOK_MS: i64 = 500;

/// Shortest rest before a lease that is nearly over is asked for again, in milliseconds.
const SHORT_MS: i64 = 100;

/// One process's part in it. Cheap to clone; clones are the same process.
#[derive(Debug, Clone)]
pub struct Watch {
    holder: String,
    /// The ledger's file, where it lies in one.
    sqlite: Option<PathBuf>,
}

impl Default for Watch {
    fn default() -> Self {
        Self::over(None)
    }
}

/// Whether it is had.
#[derive(Debug)]
pub(super) struct Held {
    ours: bool,
    /// When it is to be asked for again.
    again: Timestamp,
    /// The lock beside the ledger's file.
    lock: Option<LedgerLock>,
    /// The lock cannot be used, and people were told so.
    told: bool,
}

impl Default for Held {
    fn default() -> Self {
        Self { ours: false, again: Timestamp(0), lock: None, told: false }
    }
}

impl Held {
    /// Milliseconds until it is to be asked for again.
    pub(super) fn rest_ms(&self, now: Timestamp) -> i64 {
        self.again.ms_since(now).clamp(1, KEEP_MS)
    }
}

/// What the lock beside the ledger's file tells.
enum Lock {
    /// It is ours: whoever had the watch has it no more.
    Ours,
    /// Another process lives and has it.
    Theirs,
    /// There is none, or it cannot be used.
    Unknown,
}

impl Watch {
    /// One process's part; `sqlite` is the ledger's file, where it lies in one.
    #[must_use]
    pub fn over(sqlite: Option<&Path>) -> Self {
        Self { holder: Uuid::now_v7().to_string(), sqlite: sqlite.map(Path::to_owned) }
    }

    /// Takes or keeps it where it is time for that. True: this process is the clock.
    ///
    /// # Errors
    /// When the ledger does not answer; nobody knows then whose watch it is.
    pub(super) async fn keep(&self, held: &mut Held, store: &Store, now: Timestamp) -> Result<bool, LedgerError> {
        // A clock that was set back is no reason to wait with it.
        if (1..=KEEP_MS).contains(&held.again.ms_since(now)) {
            return Ok(held.ours);
        }
        let alone = match self.lock(held) {
            Lock::Ours => true,
            // One that lives and says nothing any more, because somebody has stopped it, is not waited for.
            Lock::Theirs if leases::until(store, CLOCK).await?.is_some_and(|until| until > now) => {
                (held.ours, held.again) = (false, now.plus_ms(LOOK_MS));
                return Ok(false);
            }
            Lock::Theirs | Lock::Unknown => false,
        };
        let mut tx = store.begin().await?;
        let ours = leases::take(&mut tx, CLOCK, &self.holder, LEASE_MS, alone).await?.is_some();
        let over = if ours { None } else { leases::until(&mut tx, CLOCK).await? };
        tx.commit().await?;
        if ours && !held.ours {
            tracing::info!("this process follows the schedules");
        }
        held.ours = ours;
        // Who has it may say nothing any more: then it is taken as soon as it is free.
        let rest_ms = over.map_or(KEEP_MS, |over| over.plus_ms(1).ms_since(now).clamp(SHORT_MS, KEEP_MS));
        held.again = now.plus_ms(rest_ms);
        Ok(ours)
    }

    fn lock(&self, held: &mut Held) -> Lock {
        let Some(ledger) = &self.sqlite else { return Lock::Unknown };
        let in_place = held.lock.as_ref().is_some_and(|lock| lock.is_in_place().unwrap_or(false));
        if in_place {
            return Lock::Ours;
        }
        held.lock = None;
        match LedgerLock::try_take(ledger, CLOCK) {
            Ok(Some(lock)) => {
                held.lock = Some(lock);
                Lock::Ours
            }
            Ok(None) => Lock::Theirs,
            Err(error) => {
                if !std::mem::replace(&mut held.told, true) {
                    tracing::warn!(%error, "after a death schedules are followed up to 15 s later than they could");
                }
                Lock::Unknown
            }
        }
    }

    /// Gives it back, so that another process goes on at once.
    ///
    /// # Errors
    /// When the ledger does not answer: it lapses by itself.
    pub async fn give_back(&self, store: &Store) -> Result<(), LedgerError> {
        let mut tx = store.begin().await?;
        leases::release(&mut tx, CLOCK, &self.holder).await?;
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{on_both, sql};

    #[tokio::test]
    async fn one_process_has_it_until_it_gives_it_back_or_says_nothing_for_too_long() {
        on_both(async |store| {
            let (one, other) = (Watch::default(), Watch::default());
            let now = store.now().await.unwrap();
            let mut held = [Held::default(), Held::default()];
            assert!(one.keep(&mut held[0], &store, now).await.unwrap());
            assert!(!other.keep(&mut held[1], &store, now).await.unwrap());
            assert!(one.keep(&mut held[0], &store, now.plus_ms(KEEP_MS)).await.unwrap());
            one.give_back(&store).await.unwrap();
            assert!(other.keep(&mut held[1], &store, now.plus_ms(KEEP_MS)).await.unwrap());
            assert!(!one.keep(&mut held[0], &store, now.plus_ms(2 * KEEP_MS)).await.unwrap());
            // The other one dies.
            sql(&store, "UPDATE leases SET until = 1 WHERE name = 'clock'").await.unwrap();
            assert!(one.keep(&mut held[0], &store, now.plus_ms(3 * KEEP_MS)).await.unwrap());
            assert!(!other.keep(&mut held[1], &store, now.plus_ms(3 * KEEP_MS)).await.unwrap());
        })
        .await;
    }

    #[tokio::test]
    async fn beside_a_file_whoever_has_the_lock_need_not_wait_for_the_lease_of_a_dead_process() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("tidegate.db");
        let store = Store::open(&format!("sqlite:{}", ledger.display())).await.unwrap();
        let (one, other) = (Watch::over(Some(&ledger)), Watch::over(Some(&ledger)));
        let now = store.now().await.unwrap();
        let (mut held, mut waits) = (Held::default(), Held::default());
        assert!(one.keep(&mut held, &store, now).await.unwrap());
        assert!(!other.keep(&mut waits, &store, now).await.unwrap());
        assert_eq!(waits.rest_ms(now), LOOK_MS);
        // One that lives and says nothing for too long is not waited for; when it speaks again it has its watch again.
        sql(&store, "UPDATE leases SET until = 1 WHERE name = 'clock'").await.unwrap();
        assert!(other.keep(&mut waits, &store, now.plus_ms(LOOK_MS)).await.unwrap());
        assert!(one.keep(&mut held, &store, now.plus_ms(KEEP_MS)).await.unwrap());
        let now = now.plus_ms(2 * KEEP_MS);
        assert!(!other.keep(&mut waits, &store, now).await.unwrap());
        // As after `kill -9`: the lock is gone, and the lease stands.
        drop(held);
        assert!(leases::until(&store, CLOCK).await.unwrap().unwrap() > now.plus_ms(LOOK_MS));
        assert!(other.keep(&mut waits, &store, now.plus_ms(LOOK_MS)).await.unwrap());
        // Who lives on without its file has it no more than another one.
        std::fs::remove_file(folder.path().join("tidegate.db.clock")).unwrap();
        let mut third = Held::default();
        assert!(one.keep(&mut third, &store, now.plus_ms(2 * LOOK_MS)).await.unwrap());
        assert!(!other.keep(&mut waits, &store, now.plus_ms(LOOK_MS + KEEP_MS)).await.unwrap());
    }

    #[tokio::test]
    async fn who_waits_for_a_lease_asks_again_as_soon_as_it_can_be_over() {
        on_both(async |store| {
            let (one, other) = (Watch::default(), Watch::default());
            let now = store.now().await.unwrap();
            let (mut held, mut waits) = (Held::default(), Held::default());
            assert!(one.keep(&mut held, &store, now).await.unwrap());
            assert!(!other.keep(&mut waits, &store, now).await.unwrap());
            assert_eq!(waits.rest_ms(now), KEEP_MS);
            sql(&store, &format!("UPDATE leases SET until = {} WHERE name = 'clock'", now.0 + 600_000)).await.unwrap();
            let later = now.plus_ms(600_000 - 300);
            assert!(!other.keep(&mut waits, &store, later).await.unwrap());
            assert_eq!(waits.rest_ms(later), 301);
        })
        .await;
    }
}
