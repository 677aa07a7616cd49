//! Who did what, when and why, and what was decided: a chain of hashes that shows every later change.

mod chain;
mod checkpoint;
mod configuration;
mod export;
mod pages;
mod prune;
mod query;
mod row;
mod segment;

#[cfg(test)]
pub(in crate::ledger) use chain::prove_in;
pub use chain::{Broken, Evidence, Link, Proven, VerifyError, prove, verify};
pub use checkpoint::{Checkpoint, CheckpointError, Key};
pub use configuration::{kept_configurations, known_configuration, note_configuration};
pub use export::{ExportError, each};
pub use prune::{Asked, Prunable, PruneError, Pruned, prunable, prune};
#[cfg(test)]
pub(in crate::ledger) use prune::{UNFINISHED, prune_by};
#[cfg(test)]
pub(in crate::ledger) use query::explained;
pub use query::{environments, exported, has_order, knows, page, recent, who};
pub use row::Entry;
pub use segment::SegmentError;

pub use crate::domain::audit::{Decision, Record};

use super::column::{places_from, to_json};
use super::error::LedgerError;
use super::store::{Tx, now};
use crate::domain::ids::Timestamp;
use row::AuditRow;

/// Appends an entry in the transaction of what it describes, and gives its place.
///
/// Locks the end of the chain until the transaction ends: call it last, so that others wait shortly, and so that nobody waits
/// for a row that we have while we wait for the end of the chain that they have.
pub async fn append(tx: &mut Tx, entry: &Entry<'_>) -> Result<i64, LedgerError> {
    append_all(tx, std::slice::from_ref(entry)).await
}

/// [`append`] for several, in their order, and gives the place of the last one.
pub async fn append_all(mut tx: &mut Tx, entries: &[Entry<'_>]) -> Result<i64, LedgerError> {
    let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    // The clock is read only once the end is ours, and not from memory: entries are in the order of their times as long as the clock is
    // not set back.
    let is_server = matches!(tx, Tx::Postgres(..));
    let sql = if is_server {
        concat!("UPDATE audit_head SET seq = seq + $1 WHERE id = 1 RETURNING seq, hash, ", server_clock!())
    } else {
        "UPDATE audit_head SET seq = seq + $1 WHERE id = 1 RETURNING seq, hash, 0"
    };
    let (last, mut prev, said): (i64, String, i64) = on!(tx, fetch_one, sqlx::query_as(sql).bind(count))?;
    let at = if is_server { Timestamp(said) } else { now(&mut *tx).await? };
    let mut rows = Vec::with_capacity(entries.len());
    for (entry, seq) in entries.iter().zip(last - count + 1..) {
        let detail = entry.detail.map(|detail| to_json("detail", detail)).transpose()?;
        let row = AuditRow::new(entry, seq, std::mem::take(&mut prev), at, detail)?;
        prev.clone_from(&row.hash);
        rows.push(row);
    }
    for some in rows.chunks(ROWS_MAX) {
        insert(tx, some).await?;
    }
    on!(tx, execute, sqlx::query("UPDATE audit_head SET hash = $1 WHERE id = 1").bind(&prev))?;
    Ok(last)
}

/// Most rows of one statement: far below the number of values that either database takes.
const ROWS_MAX: usize = 100;

async fn insert(mut tx: &mut Tx, rows: &[AuditRow]) -> Result<(), LedgerError> {
    const COLUMNS: usize = 17;
    let places: Vec<String> =
        (0..rows.len()).map(|row| format!("({})", places_from(row * COLUMNS + 1, COLUMNS))).collect();
    let sql = format!(
        "INSERT INTO audit (seq, prev, hash, at, actor_id, actor_name, door, place, action, environment, \
         run_number, typed, because, decision, rule, detail, result) VALUES {}",
        places.join(", ")
    );
    on!(
        tx,
        execute,
        rows.iter().fold(sqlx::query(sqlx::AssertSqlSafe(sql.as_str())), |query, row| {
            query
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
                .bind(&row.result)
        })
    )?;
    Ok(())
}
