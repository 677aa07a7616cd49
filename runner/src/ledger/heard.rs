//! Until when everything that was said in a chat is known to have been heard: what was missed since is read from its history.

use super::column::storable;
use super::error::LedgerError;
use super::store::{Access, Tx};
use crate::domain::ids::Timestamp;

/// All that is known of a chat, by place; the empty one stands for all that have none of their own.
pub async fn all(mut db: impl Access, door: &str) -> Result<Vec<(String, Timestamp)>, LedgerError> {
    let rows: Vec<(String, i64)> =
        on!(db, fetch_all, sqlx::query_as("SELECT place, until FROM heard WHERE door = $1").bind(door))?;
    Ok(rows.into_iter().map(|(place, until)| (place, Timestamp(until))).collect())
}

/// Notes it for everywhere, but for `behind`, which could not be heard since.
pub async fn set(
    mut tx: &mut Tx,
    door: &str,
    until: Timestamp,
    behind: &[(String, Timestamp)],
) -> Result<(), LedgerError> {
    on!(tx, execute, sqlx::query("DELETE FROM heard WHERE door = $1").bind(door))?;
    let everywhere = (String::new(), until);
    for (place, until) in std::iter::once(&everywhere).chain(behind) {
        on!(
            tx,
            execute,
            sqlx::query("INSERT INTO heard (door, place, until) VALUES ($1, $2, $3)")
                .bind(door)
                .bind(storable(place))
                .bind(until.0)
        )?;
    }
    Ok(())
}
