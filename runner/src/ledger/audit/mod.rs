//! Who did what, when and why, and what was decided: a chain of hashes that shows every later change.

mod chain;
mod row;

pub use chain::{Broken, VerifyError, verify};
pub use row::{Decision, Entry, Record};

use super::column::to_json;
use super::error::LedgerError;
use super::store::{Access, Tx, now};
use crate::domain::ids::EnvironmentName;
use row::{AuditRow, COLUMNS};

/// Appends an entry in the transaction of what it describes, and gives its place.
///
/// Locks the end of the chain until the transaction ends: call it last, so that others wait shortly.
pub async fn append(mut tx: &mut Tx, entry: &Entry<'_>) -> Result<i64, LedgerError> {
    let at = now(&mut *tx).await?;
    let (seq, prev): (i64, String) =
        on!(tx, fetch_one, sqlx::query_as("UPDATE audit_head SET seq = seq + 1 WHERE id = 1 RETURNING seq, hash"))?;
    let detail = entry.detail.map(|detail| to_json("detail", detail)).transpose()?;
    let row = AuditRow::new(entry, seq, prev, at, detail)?;
    on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO audit (seq, prev, hash, at, actor_id, actor_name, door, place, action, environment, \
             run_number, typed, because, decision, rule, detail) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        )
        .bind(row.seq)
        .bind(&row.prev)
        .bind(&row.hash)
        .bind(row.at)
        .bind(&row.actor_id)
        .bind(&row.actor_name)
        .bind(&row.door)
        .bind(&row.place)
        .bind(&row.action)
        .bind(&row.environment)
        .bind(row.run_number)
        .bind(&row.typed)
        .bind(&row.because)
        .bind(&row.decision)
        .bind(&row.rule)
        .bind(&row.detail)
    )?;
    on!(tx, execute, sqlx::query("UPDATE audit_head SET hash = $1 WHERE id = 1").bind(&row.hash))?;
    Ok(seq)
}

/// The latest entries, newest first; of one environment, or of all.
pub async fn recent(
    mut db: impl Access,
    environment: Option<&EnvironmentName>,
    limit: u32,
) -> Result<Vec<Record>, LedgerError> {
    let limit = i64::from(limit);
    let rows: Vec<AuditRow> = if let Some(environment) = environment {
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE environment = $1 ORDER BY at DESC, seq DESC LIMIT $2");
        let sql = sqlx::AssertSqlSafe(sql.as_str());
        on!(db, fetch_all, sqlx::query_as(sql).bind(environment.as_str()).bind(limit))?
    } else {
        let sql = format!("SELECT {COLUMNS} FROM audit ORDER BY seq DESC LIMIT $1");
        on!(db, fetch_all, sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str())).bind(limit))?
    };
    rows.into_iter().map(Record::try_from).collect()
}
