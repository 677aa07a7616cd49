//! New messages about runs that are kept true after they were sent: where each is, whom it called, and what it shows.

use uuid::Uuid;

use super::column::{Row, to_json};
use super::error::LedgerError;
use super::store::{Access, Tx};
use crate::domain::ids::RunNumber;

/// A message about a run beside its card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewsRow {
    /// Which news of the run it tells.
    pub news: String,
    /// The chat's id of the channel.
    pub channel: String,
    /// What the chat calls it, once it is posted.
    pub posted: Option<String>,
    /// It can never be posted.
    pub given_up: bool,
    /// The chat's ids of those whom it called.
    pub mention: Vec<String>,
    /// Digest of what it shows.
    pub shown: String,
}

row! {
    struct Found {
        news: String,
        channel: String,
        posted: Option<String>,
        given_up: bool,
        mention: String,
        shown: String,
    }
}

/// The messages about a run in this chat.
pub async fn of(mut db: impl Access, door: &str, run: RunNumber) -> Result<Vec<NewsRow>, LedgerError> {
    let found: Vec<Found> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT n.news, n.channel, o.posted, o.given_up IS NOT NULL AS given_up, n.mention, n.shown \
             FROM card_news n LEFT JOIN outbox o ON o.id = n.message \
             WHERE n.door = $1 AND n.run_number = $2 ORDER BY n.message"
        )
        .bind(door)
        .bind(run.0)
    )?;
    let id = run.to_string();
    let row = Row { table: "card_news", id: &id };
    found
        .into_iter()
        .map(|Found { news, channel, posted, given_up, mention, shown }| {
            let mention = row.json("mention", &mention)?;
            Ok(NewsRow { news, channel, posted, given_up, mention, shown })
        })
        .collect()
}

/// Notes that `message` of the outbox tells news of a run, calling `mention`, and what it shows.
pub async fn begin(
    mut tx: &mut Tx,
    door: &str,
    run: RunNumber,
    (news, channel): (&str, &str),
    message: Uuid,
    mention: &[String],
    shown: &str,
) -> Result<(), LedgerError> {
    let mention = to_json("mention", &mention)?;
    on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO card_news (door, run_number, news, channel, message, mention, shown) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (door, run_number, news) DO NOTHING"
        )
        .bind(door)
        .bind(run.0)
        .bind(news)
        .bind(channel)
        .bind(message.to_string())
        .bind(&mention)
        .bind(shown)
    )?;
    Ok(())
}

/// Notes what such a message shows now.
pub async fn shown(mut tx: &mut Tx, door: &str, run: RunNumber, news: &str, digest: &str) -> Result<(), LedgerError> {
    on!(
        tx,
        execute,
        sqlx::query("UPDATE card_news SET shown = $1 WHERE door = $2 AND run_number = $3 AND news = $4")
            .bind(digest)
            .bind(door)
            .bind(run.0)
            .bind(news)
    )?;
    Ok(())
}
