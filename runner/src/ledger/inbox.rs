//! Messages that came in: each is taken once, also when the platform delivers it twice.

use serde::Serialize;

use super::column::{Row, storable, to_json};
use super::error::LedgerError;
use super::store::{Access, Reach, Tx, clock_of_sqlite, now};
use crate::domain::ids::{ActorId, RunNumber, Timestamp};
use crate::redact::without;

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

/// What a message is to whoever wants to carry it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is theirs.
    New,
    /// It was carried out, and nobody was told yet; what came of it, as [`answered`] stored it.
    Answered(String),
    /// It was carried out and told before.
    Over,
}

/// Takes a message to carry it out; one that was not stored before is stored.
pub async fn take(mut tx: &mut Tx, key: &str, door: &str, actor: &ActorId, body: &str) -> Result<Taken, LedgerError> {
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
        return Ok(Taken::New);
    }
    // It was stored before it was acknowledged, and is carried out now, by whoever comes first.
    let taken = on!(
        tx,
        execute,
        sqlx::query("UPDATE inbox SET answered_at = $1 WHERE key = $2 AND answered_at IS NULL AND reply IS NOT NULL")
            .bind(at.0)
            .bind(storable(key))
    )?;
    if taken == 1 {
        return Ok(Taken::New);
    }
    let answer: Option<String> = on!(
        tx,
        fetch_optional,
        sqlx::query_scalar(
            "SELECT answer FROM inbox WHERE key = $1 AND reply IS NOT NULL AND told_at IS NULL AND answer IS NOT NULL"
        )
        .bind(storable(key))
    )?;
    Ok(answer.map_or(Taken::Over, Taken::Answered))
}

/// The right of one process to answer a message, for a while.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// An id that the process made for itself.
    pub holder: &'a str,
    /// For so many milliseconds.
    pub ms: i64,
    /// Every other process is known to be dead.
    pub alone: bool,
}

/// Stores a message that is carried out later, before it is acknowledged, and claims it; `reply` is where its answer goes, in the
/// chat's own form. Gives when it was stored; `None`: it was seen before. One statement, by the database's own clock: somebody waits for it.
pub async fn receive(
    mut door: impl Access,
    key: &str,
    place: &str,
    actor: &ActorId,
    body: &str,
    reply: &str,
    claim: Claim<'_>,
) -> Result<Option<Timestamp>, LedgerError> {
    macro_rules! store {
        ($now:expr) => {
            sqlx::query_scalar::<_, i64>(concat!(
                "INSERT INTO inbox (key, door, actor_id, body, reply, holder, at, held_until) SELECT $1, $2, $3, $4, $5, $6, now, now + $7 ",
                "FROM (SELECT ",
                $now,
                " AS now) AS clock WHERE TRUE ON CONFLICT (key) DO NOTHING RETURNING at"
            ))
            .bind(storable(key))
            .bind(place)
            .bind(actor.as_str())
            .bind(storable(body))
            .bind(storable(reply))
            .bind(claim.holder)
            .bind(claim.ms)
        };
    }
    let at = match door.reach().await? {
        Reach::Sqlite(mut link) => {
            store!("CAST($8 AS INTEGER)").bind(clock_of_sqlite().0).fetch_optional(&mut *link).await?
        }
        Reach::Postgres(mut link) => store!(server_clock!()).fetch_optional(&mut *link).await?,
    };
    Ok(at.map(Timestamp))
}

/// Claims a message without an answer, or keeps the claim. False: somebody else has it, or it is answered.
pub async fn claim(mut tx: &mut Tx, key: &str, claim: Claim<'_>) -> Result<bool, LedgerError> {
    let at = now(&mut *tx).await?;
    let changed = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE inbox SET holder = $1, held_until = $2 WHERE key = $3 AND told_at IS NULL \
             AND (held_until IS NULL OR held_until < $4 OR holder = $1 OR $5)"
        )
        .bind(claim.holder)
        .bind(at.plus_ms(claim.ms).0)
        .bind(storable(key))
        .bind(at.0)
        .bind(claim.alone)
    )?;
    Ok(changed == 1)
}

/// A message that was received and whose answer is not in the outbox yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The message.
    pub message: Message,
    /// Where its answer goes.
    pub reply: String,
    /// It was carried out; what came of it is not told yet.
    pub answered: bool,
}

row! {
    struct ReceivedRow {
        key: String,
        at: i64,
        door: String,
        actor_id: String,
        body: String,
        reply: String,
        answered_at: Option<i64>,
    }
}

impl TryFrom<ReceivedRow> for Received {
    type Error = LedgerError;
    fn try_from(found: ReceivedRow) -> Result<Self, LedgerError> {
        let ReceivedRow { key, at, door, actor_id, body, reply, answered_at } = found;
        let message = InboxRow { key, at, door, actor_id, body }.try_into()?;
        Ok(Self { message, reply, answered: answered_at.is_some() })
    }
}

/// Messages of a chat without an answer in the outbox that whoever wants this claim may take, oldest first: what a crash left, and
/// what was put off.
pub async fn untold(
    mut db: impl Access,
    door: &str,
    at: Timestamp,
    claim: Claim<'_>,
) -> Result<Vec<Received>, LedgerError> {
    let rows: Vec<ReceivedRow> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT key, at, door, actor_id, body, reply, answered_at FROM inbox \
             WHERE door = $1 AND reply IS NOT NULL AND told_at IS NULL \
             AND (held_until IS NULL OR held_until < $2 OR ($3 AND holder <> $4)) ORDER BY at, key"
        )
        .bind(door)
        .bind(at.0)
        .bind(claim.alone)
        .bind(claim.holder)
    )?;
    rows.into_iter().map(Received::try_from).collect()
}

/// Messages of a chat that somebody has said and that nobody has carried out or answered yet, whoever is at them, oldest first.
pub async fn open_of(mut db: impl Access, door: &str, actor: &ActorId) -> Result<Vec<Received>, LedgerError> {
    let rows: Vec<ReceivedRow> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT key, at, door, actor_id, body, reply, answered_at FROM inbox \
             WHERE door = $1 AND reply IS NOT NULL AND told_at IS NULL AND answered_at IS NULL AND actor_id = $2 \
             ORDER BY at, key"
        )
        .bind(door)
        .bind(actor.as_str())
    )?;
    rows.into_iter().map(Received::try_from).collect()
}

/// Notes that the answer is in the outbox; with `undone` only of a message that nobody has carried out. `kept` takes the place of its
/// words, where they are not to be kept. False: not so.
///
/// From then on its key alone is needed, which proves that it was answered once: secrets that were read since it was stored are taken
/// out of its words.
pub async fn told(mut tx: &mut Tx, key: &str, undone: bool, kept: Option<&str>) -> Result<bool, LedgerError> {
    let at = now(&mut *tx).await?;
    let told: Option<(String, Option<String>)> = on!(
        tx,
        fetch_optional,
        sqlx::query_as(
            "UPDATE inbox SET told_at = $1, answered_at = COALESCE(answered_at, $1), answer = NULL, body = COALESCE($4, body) \
             WHERE key = $2 AND told_at IS NULL AND (answered_at IS NULL OR NOT $3) RETURNING body, reply"
        )
        .bind(at.0)
        .bind(storable(key))
        .bind(undone)
        .bind(kept.map(storable))
    )?;
    let Some((body, reply)) = told else { return Ok(false) };
    let (clean, cleaned) = (without(body.clone()), reply.clone().map(without));
    if (&clean, &cleaned) != (&body, &reply) {
        on!(
            tx,
            execute,
            sqlx::query("UPDATE inbox SET body = $1, reply = $2 WHERE key = $3")
                .bind(clean)
                .bind(cleaned)
                .bind(storable(key))
        )?;
    }
    Ok(true)
}

/// When the newest message of a chat was stored.
pub async fn latest(mut db: impl Access, door: &str) -> Result<Option<Timestamp>, LedgerError> {
    let at: Option<i64> =
        on!(db, fetch_one, sqlx::query_scalar("SELECT MAX(at) FROM inbox WHERE door = $1").bind(door))?;
    Ok(at.map(Timestamp))
}

/// Where the answers of the newest `most` messages of a chat went, in the chat's own form.
pub async fn replies(mut db: impl Access, door: &str, most: i64) -> Result<Vec<String>, LedgerError> {
    Ok(on!(
        db,
        fetch_all,
        sqlx::query_scalar("SELECT reply FROM inbox WHERE door = $1 AND reply IS NOT NULL ORDER BY at DESC LIMIT $2")
            .bind(door)
            .bind(most)
    )?)
}

/// What came of a message, in the form in which it is kept.
pub fn kept(answer: &impl Serialize) -> Result<String, LedgerError> {
    to_json("answer", answer)
}

/// Notes what came of a message, in words of the desk, and the run that it led to.
pub async fn answered(mut tx: &mut Tx, key: &str, run: Option<RunNumber>, answer: &str) -> Result<(), LedgerError> {
    let at = now(&mut *tx).await?;
    on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE inbox SET answered_at = $1, run_number = $2, answer = CASE WHEN reply IS NULL THEN NULL ELSE $3 END \
             WHERE key = $4 AND run_number IS NULL"
        )
        .bind(at.0)
        .bind(run.map(|run| run.0))
        .bind(storable(answer))
        .bind(storable(key))
    )?;
    Ok(())
}
