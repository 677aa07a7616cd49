//! Work that one process at a time does, such as speaking in a chat.

use super::error::LedgerError;
use super::store::{Access, Tx, now};
use crate::domain::ids::Timestamp;

/// The lease of the process that follows the schedules, and the name of the lock beside an SQLite file: `tidegate.db.clock`.
pub const CLOCK: &str = "clock";

/// Takes or keeps the lease `name` for `ms` milliseconds. With `force` also from a holder whose time is not over: for who knows that
/// it is dead. `None`: somebody else has it. Otherwise when anybody first had it.
pub async fn take(
    mut tx: &mut Tx,
    name: &str,
    holder: &str,
    ms: i64,
    force: bool,
) -> Result<Option<Timestamp>, LedgerError> {
    let at = now(&mut *tx).await?;
    let since: Option<i64> = on!(
        tx,
        fetch_optional,
        sqlx::query_scalar(
            "INSERT INTO leases (name, holder, until, since) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (name) DO UPDATE SET holder = $2, until = $3 \
             WHERE leases.holder = $2 OR leases.until < $4 OR $5 RETURNING since"
        )
        .bind(name)
        .bind(holder)
        .bind(at.plus_ms(ms).0)
        .bind(at.0)
        .bind(force)
    )?;
    Ok(since.map(Timestamp))
}

/// Gives a lease back.
pub async fn release(mut tx: &mut Tx, name: &str, holder: &str) -> Result<(), LedgerError> {
    on!(
        tx,
        execute,
        sqlx::query("UPDATE leases SET until = 0 WHERE name = $1 AND holder = $2").bind(name).bind(holder)
    )?;
    Ok(())
}

/// Until when somebody has a lease, unless it is kept; `None`: nobody ever had it.
pub async fn until(mut db: impl Access, name: &str) -> Result<Option<Timestamp>, LedgerError> {
    let at: Option<i64> =
        on!(db, fetch_optional, sqlx::query_scalar("SELECT until FROM leases WHERE name = $1").bind(name))?;
    Ok(at.map(Timestamp))
}
