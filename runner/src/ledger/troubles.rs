//! What keeps a chat from being spoken in, for `status`, until it is over.

use super::column::storable;
use super::error::LedgerError;
use super::store::{Access, Tx, now};
use crate::domain::answer::Trouble;
use crate::domain::ids::Timestamp;

row! {
    struct Found {
        door: String,
        place: String,
        code: String,
        since: i64,
    }
}

/// Notes it. False: it was known, for the same reason.
pub async fn begin(mut tx: &mut Tx, door: &str, place: &str, code: &str) -> Result<bool, LedgerError> {
    let at = now(&mut *tx).await?;
    let new = on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO troubles (door, place, code, since) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (door, place) DO UPDATE SET code = $3, since = $4 WHERE troubles.code <> $3"
        )
        .bind(door)
        .bind(storable(place))
        .bind(storable(code))
        .bind(at.0)
    )?;
    Ok(new == 1)
}

/// Notes that it is over.
pub async fn over(mut tx: &mut Tx, door: &str, place: &str) -> Result<(), LedgerError> {
    on!(
        tx,
        execute,
        sqlx::query("DELETE FROM troubles WHERE door = $1 AND place = $2").bind(door).bind(storable(place))
    )?;
    Ok(())
}

/// All of them, oldest first.
pub async fn all(mut db: impl Access) -> Result<Vec<Trouble>, LedgerError> {
    let found: Vec<Found> =
        on!(db, fetch_all, sqlx::query_as("SELECT door, place, code, since FROM troubles ORDER BY since, place"))?;
    Ok(found
        .into_iter()
        .map(|Found { door, place, code, since }| Trouble { door, place, code, since: Timestamp(since) })
        .collect())
}
