//! Messages that came in: each is taken once, also when the platform delivers it twice.

use super::column::storable;
use super::error::LedgerError;
use super::store::{Tx, now};
use crate::domain::ids::{ActorId, RunNumber};

/// Stores a message. False: it was seen before and must not be carried out again.
pub async fn take(mut tx: &mut Tx, key: &str, door: &str, actor: &ActorId, body: &str) -> Result<bool, LedgerError> {
    let at = now(&mut *tx).await?;
    let stored = on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO inbox (key, at, door, actor_id, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key) DO NOTHING"
        )
        .bind(storable(key))
        .bind(at.0)
        .bind(door)
        .bind(actor.as_str())
        .bind(storable(body))
    )?;
    Ok(stored == 1)
}

/// Notes that a message has its answer, and the run that it led to.
pub async fn answered(mut tx: &mut Tx, key: &str, run: Option<RunNumber>) -> Result<(), LedgerError> {
    let at = now(&mut *tx).await?;
    on!(
        tx,
        execute,
        sqlx::query("UPDATE inbox SET answered_at = $1, run_number = $2 WHERE key = $3 AND answered_at IS NULL")
            .bind(at.0)
            .bind(run.map(|run| run.0))
            .bind(storable(key))
    )?;
    Ok(())
}
