//! What somebody asked for and has not been told the end of yet: messages of the outbox to one address.

use std::collections::BTreeSet;

use super::{Desk, DeskError};
use crate::domain::answer::Actor;
use crate::domain::ids::RunNumber;
use crate::ledger::outbox::{self, Address};

impl Desk {
    /// Runs that ended, or need somebody, since this person was last told by this door.
    pub async fn untold(&self, door: &str, actor: &Actor) -> Result<BTreeSet<RunNumber>, DeskError> {
        let pending = outbox::pending(&self.store, &Address::new(door, actor.id.short())).await?;
        Ok(pending.into_iter().filter_map(|message| message.run).collect())
    }

    /// Notes that this person has seen where `run` is now.
    pub async fn told(&self, door: &str, actor: &Actor, run: RunNumber) -> Result<(), DeskError> {
        let pending = outbox::pending(&self.store, &Address::new(door, actor.id.short())).await?;
        let mut tx = self.store.begin().await?;
        for message in pending.iter().filter(|message| message.run == Some(run)) {
            outbox::mark_sent(&mut tx, message.id).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
