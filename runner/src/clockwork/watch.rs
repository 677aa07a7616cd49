//! Whose watch it is: of all processes that follow schedules, one is the clock. Two with different files would otherwise do what each
//! finds written, in turn. That each transition is carried out once does not rest on it.

use uuid::Uuid;

use crate::domain::ids::Timestamp;
use crate::ledger::{LedgerError, Store, leases};

/// The name of the lease.
const CLOCK: &str = "clock";

/// For how long the watch is had without a word, in milliseconds: so late is what is due when its process dies, at most.
const LEASE_MS: i64 = 15_000;

/// How often it is kept, in milliseconds.
pub(super) const KEEP_MS: i64 = 5_000;

/// One process's part in it. Cheap to clone; clones are the same process.
#[derive(Debug, Clone)]
pub struct Watch {
    holder: String,
}

impl Default for Watch {
    fn default() -> Self {
        Self { holder: Uuid::now_v7().to_string() }
    }
}

/// Whether it is had.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    ours: bool,
    /// When it is to be asked for again.
    again: Timestamp,
}

impl Default for Held {
    fn default() -> Self {
        Self { ours: false, again: Timestamp(0) }
    }
}

impl Watch {
    /// Takes or keeps it where it is time for that. True: this process is the clock.
    ///
    /// # Errors
    /// When the ledger does not answer; nobody knows then whose watch it is.
    pub(super) async fn keep(&self, held: &mut Held, store: &Store, now: Timestamp) -> Result<bool, LedgerError> {
        // A clock that was set back is no reason to wait with it.
        if (1..=KEEP_MS).contains(&held.again.ms_since(now)) {
            return Ok(held.ours);
        }
        let mut tx = store.begin().await?;
        let ours = leases::take(&mut tx, CLOCK, &self.holder, LEASE_MS, false).await?.is_some();
        tx.commit().await?;
        if ours && !held.ours {
            tracing::info!("this process follows the schedules");
        }
        *held = Held { ours, again: now.plus_ms(KEEP_MS) };
        Ok(ours)
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
            let mut held = [Held::default(); 2];
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
}
