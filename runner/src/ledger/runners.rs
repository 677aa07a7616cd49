//! Runners: the processes that carry out runs.

use super::error::LedgerError;
use super::store::{Access, Tx, now};
use crate::domain::ids::Timestamp;

/// A runner that was not seen for so long is not there any more: a day, many times the longest lease.
pub const GONE_AFTER_MS: i64 = 24 * 60 * 60 * 1_000;

/// A process that carries out runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner {
    /// Its name; unique.
    pub name: String,
    /// Its machine.
    pub host: String,
    /// Its process id there.
    pub process: String,
    /// Tidegate's version.
    pub version: String,
    /// When it said hello.
    pub started: Timestamp,
    /// When it was last seen.
    pub seen: Timestamp,
}

row! {
    struct RunnerRow {
        name: String,
        host: String,
        process: String,
        version: String,
        started_at: i64,
        seen_at: i64,
    }
}

impl From<RunnerRow> for Runner {
    fn from(row: RunnerRow) -> Self {
        let RunnerRow { name, host, process, version, started_at, seen_at } = row;
        Self { name, host, process, version, started: Timestamp(started_at), seen: Timestamp(seen_at) }
    }
}

/// A runner starts. One of the same name that was there before is replaced.
pub async fn hello(mut tx: &mut Tx, name: &str, host: &str, process: &str, version: &str) -> Result<(), LedgerError> {
    let at = now(&mut *tx).await?;
    on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO runners (name, host, process, version, started_at, seen_at) VALUES ($1, $2, $3, $4, $5, $5) \
             ON CONFLICT (name) DO UPDATE SET host = excluded.host, process = excluded.process, \
             version = excluded.version, started_at = excluded.started_at, seen_at = excluded.seen_at"
        )
        .bind(name)
        .bind(host)
        .bind(process)
        .bind(version)
        .bind(at.0)
    )?;
    Ok(())
}

/// A runner is still there. Those that ended long ago without [`forget`] go.
pub async fn seen(mut tx: &mut Tx, name: &str) -> Result<(), LedgerError> {
    let at = now(&mut *tx).await?;
    on!(tx, execute, sqlx::query("UPDATE runners SET seen_at = $1 WHERE name = $2").bind(at.0).bind(name))?;
    let gone = at.plus_ms(-GONE_AFTER_MS);
    on!(tx, execute, sqlx::query("DELETE FROM runners WHERE seen_at < $1").bind(gone.0))?;
    Ok(())
}

/// Runners seen within the last `within_ms` milliseconds, by the database's clock.
pub async fn alive(mut db: impl Access, within_ms: i64) -> Result<Vec<Runner>, LedgerError> {
    let since = now(&mut db).await?.plus_ms(-within_ms);
    let rows: Vec<RunnerRow> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT name, host, process, version, started_at, seen_at FROM runners WHERE seen_at >= $1 ORDER BY name"
        )
        .bind(since.0)
    )?;
    Ok(rows.into_iter().map(Runner::from).collect())
}

/// A runner ends, in good order.
pub async fn forget(mut tx: &mut Tx, name: &str) -> Result<(), LedgerError> {
    on!(tx, execute, sqlx::query("DELETE FROM runners WHERE name = $1").bind(name))?;
    Ok(())
}
