//! The one message about each run in the channel of its environment: where it is, and what it shows.

use uuid::Uuid;

use super::column::{Row, storable, to_json};
use super::error::LedgerError;
use super::store::{Access, Tx};
use crate::domain::ids::{RunNumber, Timestamp};

/// The message about a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardRow {
    /// Which run.
    pub run: RunNumber,
    /// The chat's id of the channel; empty where the environment has none.
    pub channel: String,
    /// The message of the outbox that posts it.
    pub message: Uuid,
    /// What the chat calls it, once it is posted.
    pub posted: Option<String>,
    /// It can never be posted.
    pub given_up: bool,
    /// Digest of what it shows; empty before it was edited first.
    pub shown: String,
    /// Which news of the run were put into the outbox.
    pub told: Vec<String>,
    /// It shows the end, and nothing more is to be told.
    pub settled: bool,
}

row! {
    struct Found {
        run_number: i64,
        channel: String,
        message: String,
        posted: Option<String>,
        given_up: bool,
        shown: String,
        told: String,
        settled: bool,
    }
}

impl TryFrom<Found> for CardRow {
    type Error = LedgerError;
    fn try_from(found: Found) -> Result<Self, LedgerError> {
        let id = found.run_number.to_string();
        let row = Row { table: "cards", id: &id };
        Ok(Self {
            run: RunNumber(found.run_number),
            channel: found.channel,
            message: Uuid::parse_str(&found.message).map_err(|why| row.impossible("message", why))?,
            posted: found.posted,
            given_up: found.given_up,
            shown: found.shown,
            told: row.json("told", &found.told)?,
            settled: found.settled,
        })
    }
}

/// The message about a run in this chat.
pub async fn get(mut db: impl Access, door: &str, run: RunNumber) -> Result<Option<CardRow>, LedgerError> {
    let found: Option<Found> = on!(
        db,
        fetch_optional,
        sqlx::query_as(
            "SELECT c.run_number, c.channel, c.message, o.posted, o.given_up IS NOT NULL AS given_up, c.shown, c.told, \
             c.settled \
             FROM cards c LEFT JOIN outbox o ON o.id = c.message WHERE c.door = $1 AND c.run_number = $2"
        )
        .bind(door)
        .bind(run.0)
    )?;
    found.map(CardRow::try_from).transpose()
}

/// The run whose message this is: its card, or one that is kept true beside it.
pub async fn by_posted(
    mut db: impl Access,
    door: &str,
    channel: &str,
    posted: &str,
) -> Result<Option<RunNumber>, LedgerError> {
    let found: Option<i64> = on!(
        db,
        fetch_optional,
        sqlx::query_scalar(
            "SELECT c.run_number FROM outbox o JOIN cards c ON c.message = o.id \
             WHERE o.address = $1 AND o.posted = $2 AND c.door = $3 \
             UNION SELECT n.run_number FROM outbox o JOIN card_news n ON n.message = o.id \
             WHERE o.address = $1 AND o.posted = $2 AND n.door = $3"
        )
        .bind(format!("{door}:{channel}"))
        .bind(storable(posted))
        .bind(door)
    )?;
    Ok(found.map(RunNumber))
}

/// Runs whose message is not settled, and those after `floor`, accepted at `since` or later, that have none, in order.
pub async fn open(
    mut db: impl Access,
    door: &str,
    since: Timestamp,
    floor: RunNumber,
) -> Result<Vec<RunNumber>, LedgerError> {
    let rows: Vec<i64> = on!(
        db,
        fetch_all,
        sqlx::query_scalar(
            "SELECT r.number AS number FROM runs r WHERE r.number > $2 AND r.accepted_at >= $3 \
             AND NOT EXISTS (SELECT 1 FROM cards c WHERE c.door = $1 AND c.run_number = r.number) \
             UNION SELECT c.run_number AS number FROM cards c WHERE c.door = $1 AND NOT c.settled ORDER BY number"
        )
        .bind(door)
        .bind(floor.0)
        .bind(since.0)
    )?;
    Ok(rows.into_iter().map(RunNumber).collect())
}

/// Notes that a run has its message, which `message` of the outbox posts. False: it had one already.
pub async fn begin(
    mut tx: &mut Tx,
    door: &str,
    run: RunNumber,
    channel: &str,
    message: Uuid,
    settled: bool,
) -> Result<bool, LedgerError> {
    let stored = on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO cards (door, run_number, channel, message, settled) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (door, run_number) DO NOTHING"
        )
        .bind(door)
        .bind(run.0)
        .bind(channel)
        .bind(message.to_string())
        .bind(settled)
    )?;
    Ok(stored == 1)
}

/// Notes what the message shows now.
pub async fn shown(mut tx: &mut Tx, door: &str, run: RunNumber, digest: &str) -> Result<(), LedgerError> {
    on!(
        tx,
        execute,
        sqlx::query("UPDATE cards SET shown = $1 WHERE door = $2 AND run_number = $3")
            .bind(digest)
            .bind(door)
            .bind(run.0)
    )?;
    Ok(())
}

/// Notes that further news of a run are in the outbox, and that its message is to be looked at again; `before` is what was told until
/// now. False: somebody else was faster.
pub async fn told(
    mut tx: &mut Tx,
    door: &str,
    run: RunNumber,
    before: &[String],
    news: &str,
) -> Result<bool, LedgerError> {
    let old = to_json("told", &before)?;
    let mut all = before.to_vec();
    all.push(news.to_owned());
    let new = to_json("told", &all)?;
    let changed = on!(
        tx,
        execute,
        sqlx::query("UPDATE cards SET told = $1, settled = FALSE WHERE door = $2 AND run_number = $3 AND told = $4")
            .bind(&new)
            .bind(door)
            .bind(run.0)
            .bind(&old)
    )?;
    Ok(changed == 1)
}

/// Notes that nothing more is to be shown or told of a run, unless something was told since `told`.
pub async fn settle(mut tx: &mut Tx, door: &str, run: RunNumber, told: &[String]) -> Result<(), LedgerError> {
    let told = to_json("told", &told)?;
    on!(
        tx,
        execute,
        sqlx::query("UPDATE cards SET settled = TRUE WHERE door = $1 AND run_number = $2 AND told = $3")
            .bind(door)
            .bind(run.0)
            .bind(&told)
    )?;
    Ok(())
}
