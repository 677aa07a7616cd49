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
    if stored == 1 {
        return Ok(true);
    }
    // It was stored before it was acknowledged, and is carried out now, by whoever comes first.
    let taken = on!(
        tx,
        execute,
        sqlx::query("UPDATE inbox SET answered_at = $1 WHERE key = $2 AND answered_at IS NULL AND reply IS NOT NULL")
            .bind(at.0)
            .bind(storable(key))
    )?;
    Ok(taken == 1)
}

/// Stores a message that is carried out later, before it is acknowledged; `reply` is where its answer goes, in the chat's own
/// form. False: it was seen before.
pub async fn receive(
    mut tx: &mut Tx,
    key: &str,
    door: &str,
    actor: &ActorId,
    body: &str,
    reply: &str,
) -> Result<bool, LedgerError> {
    let at = now(&mut *tx).await?;
    let stored = on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO inbox (key, at, door, actor_id, body, reply) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (key) DO NOTHING"
        )
        .bind(storable(key))
        .bind(at.0)
        .bind(door)
        .bind(actor.as_str())
        .bind(storable(body))
        .bind(storable(reply))
    )?;
    Ok(stored == 1)
}

/// A message that was received and whose answer is not in the outbox yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The message.
    pub message: Message,
    /// Where its answer goes.
    pub reply: String,
    /// The run that it led to, when it was carried out and led to one.
    pub run: Option<RunNumber>,
}

row! {
    struct ReceivedRow {
        key: String,
        at: i64,
        door: String,
        actor_id: String,
        body: String,
        reply: String,
        run_number: Option<i64>,
    }
}

/// Messages of a chat without an answer in the outbox, oldest first: what a crash left, and what is just being answered.
pub async fn untold(mut db: impl Access, door: &str) -> Result<Vec<Received>, LedgerError> {
    let rows: Vec<ReceivedRow> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT key, at, door, actor_id, body, reply, run_number FROM inbox \
             WHERE door = $1 AND reply IS NOT NULL AND told_at IS NULL ORDER BY at, key"
        )
        .bind(door)
    )?;
    rows.into_iter()
        .map(|ReceivedRow { key, at, door, actor_id, body, reply, run_number }| {
            let message = InboxRow { key, at, door, actor_id, body }.try_into()?;
            Ok(Received { message, reply, run: run_number.map(RunNumber) })
        })
        .collect()
}

/// Notes that the answer is in the outbox. False: it was there already.
pub async fn told(mut tx: &mut Tx, key: &str) -> Result<bool, LedgerError> {
    let at = now(&mut *tx).await?;
    let changed = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE inbox SET told_at = $1, answered_at = COALESCE(answered_at, $1) WHERE key = $2 AND told_at IS NULL"
        )
        .bind(at.0)
        .bind(storable(key))
    )?;
    Ok(changed == 1)
}

/// When the newest message of a chat was stored.
pub async fn latest(mut db: impl Access, door: &str) -> Result<Option<Timestamp>, LedgerError> {
    let at: Option<i64> =
        on!(db, fetch_one, sqlx::query_scalar("SELECT MAX(at) FROM inbox WHERE door = $1").bind(door))?;
    Ok(at.map(Timestamp))
}

/// Notes that a message has its answer, and the run that it led to.
pub async fn answered(mut tx: &mut Tx, key: &str, run: Option<RunNumber>) -> Result<(), LedgerError> {
    let at = now(&mut *tx).await?;
    on!(
        tx,
        execute,
        sqlx::query("UPDATE inbox SET answered_at = $1, run_number = $2 WHERE key = $3 AND run_number IS NULL")
            .bind(at.0)
            .bind(run.map(|run| run.0))
            .bind(storable(key))
    )?;
    Ok(())
}
