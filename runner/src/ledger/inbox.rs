//! Messages that came in: each is taken once, also when the platform delivers it twice.

use super::column::{Row, storable};
use super::error::LedgerError;
use super::store::{Access, Tx, now};
use crate::domain::ids::{ActorId, RunNumber, Timestamp};

/// A message that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What makes it one: the platform's id with the chat's name before it.
    pub key: String,
    /// When it was stored.
    pub at: Timestamp,
    /// By which chat.
    pub door: String,
    /// Whose.
    pub actor: ActorId,
    /// The words as typed.
    pub body: String,
}

row! {
    struct InboxRow {
        key: String,
        at: i64,
        door: String,
        actor_id: String,
        body: String,
    }
}

impl TryFrom<InboxRow> for Message {
    type Error = LedgerError;
    fn try_from(found: InboxRow) -> Result<Self, LedgerError> {
        let actor = Row { table: "inbox", id: &found.key }.text("actor_id", found.actor_id)?;
        Ok(Self { key: found.key, at: Timestamp(found.at), door: found.door, actor, body: found.body })
    }
}

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

/// Messages without an answer, oldest first: what a crash left.
pub async fn unanswered(mut db: impl Access) -> Result<Vec<Message>, LedgerError> {
    let rows: Vec<InboxRow> = on!(
        db,
        fetch_all,
        sqlx::query_as("SELECT key, at, door, actor_id, body FROM inbox WHERE answered_at IS NULL ORDER BY at, key")
    )?;
    rows.into_iter().map(Message::try_from).collect()
}
