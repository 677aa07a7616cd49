//! What somebody asked for and has not been told the end of yet: messages of the outbox to one address.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Desk, DeskError};
use crate::domain::answer::Actor;
use crate::domain::holds::News;
use crate::domain::ids::{RunNumber, Timestamp};
use crate::domain::run::RunState;
use crate::domain::schedule::ClockNews;
use crate::ledger::holds;
use crate::ledger::outbox::{self, Address};
use crate::ledger::runs;

/// News that somebody has not been told yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Untold {
    id: Uuid,
    /// What it is.
    pub news: News,
}

impl Untold {
    /// When it was stored.
    #[must_use]
    pub fn stored(&self) -> Timestamp {
        let at = self.id.get_timestamp().map_or((0, 0), |at| at.to_unix());
        Timestamp(i64::try_from(at.0 * 1_000 + u64::from(at.1) / 1_000_000).unwrap_or_default())
    }
}

impl Desk {
    /// Runs that ended, need somebody, or are gone on with by another process, since this person was last told by this door; and
    /// runs of anybody that are unknown: they keep their environment until somebody looks.
    pub async fn untold(&self, door: &str, actor: &Actor) -> Result<BTreeSet<RunNumber>, DeskError> {
        let pending = outbox::pending(&self.store, &Address::new(door, actor.id.short())).await?;
        let active = runs::all_active(&self.store).await?;
        let unknown = active.iter().filter(|run| matches!(run.state, RunState::Unknown { .. })).map(|run| run.number);
        Ok(pending.into_iter().filter_map(|message| message.run).chain(unknown).collect())
    }

    /// News about holds, stops and free environments that this person has not been told yet, oldest first. That something began
    /// which is over by now is none, nor that everything stands still since a stop which is over, nor that something lies ahead which has come.
    pub async fn news(&self, door: &str, actor: &Actor) -> Result<Vec<Untold>, DeskError> {
        let mut all = Vec::new();
        let pending = outbox::pending(&self.store, &Address::new(door, actor.id.short())).await?;
        if pending.is_empty() {
            return Ok(all);
        }
        let (mut standing, _) = holds::readable(&self.store).await?;
        // What is booked is news before it begins.
        standing.extend(holds::bookings(&self.store, None).await?.0);
        let now = self.store.now().await?;
        let is_over = |news: &News| match news {
            News::Began { hold } | News::Still { hold, .. } => standing.iter().all(|other| other.number != hold.number),
            News::Clock { said: ClockNews::Ahead { turn, .. } | ClockNews::Eve { turn, .. }, .. } => turn.at <= now,
            _ => false,
        };
        for message in pending {
            match outbox::news(&message) {
                Ok(Some(news)) if is_over(&news) => {
                    let mut tx = self.store.begin().await?;
                    outbox::mark_sent(&mut tx, message.id).await?;
                    tx.commit().await?;
                }
                Ok(news) => all.extend(news.map(|news| Untold { id: message.id, news })),
                // One that cannot be read does not keep the others from being told.
                Err(error) => tracing::warn!(%error, "a piece of news cannot be read and is not told"),
            }
        }
        Ok(all)
    }

    /// Notes that this person was told. False: they had been told by somebody else before.
    pub async fn news_told(&self, untold: &Untold) -> Result<bool, DeskError> {
        let mut tx = self.store.begin().await?;
        let first = outbox::mark_sent(&mut tx, untold.id).await?;
        tx.commit().await?;
        Ok(first)
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
