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
use crate::domain::answer::Actor;
use crate::domain::audit::RECONNECT;
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
///
/// Where somebody took the end of the chain away past Tidegate, it goes on after the last entry there is, with an entry that says so:
/// whoever wants everything stopped is not kept from it by that.
pub async fn append_all(tx: &mut Tx, entries: &[Entry<'_>]) -> Result<i64, LedgerError> {
    let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    let (end, at) = if let Some(taken) = take_end(tx, count).await? {
        taken
    } else {
        let end = find_end(tx).await?;
        tracing::error!(
            entry = end.seq,
            "the end of the audit was changed past Tidegate; it goes on after its last entry"
        );
        let (tidegate, at) = (Actor::tidegate(), now(&mut *tx).await?);
        (write(tx, &[Entry::of_tidegate(&tidegate, RECONNECT)], end, at).await?, at)
    };
    Ok(write(tx, entries, end, at).await?.seq)
}

/// Makes the end of the chain ours, and gives it with the time; `None` when it is not the last entry that there is, or not known.
async fn take_end(mut tx: &mut Tx, count: i64) -> Result<Option<(Link, Timestamp)>, LedgerError> {
    // The clock is read only once the end is ours, and not from memory: entries are in the order of their times as long as the clock is
    // not set back.
    let is_server = matches!(tx, Tx::Postgres(..));
    let sql = if is_server {
        concat!(
            "UPDATE audit_head SET seq = seq + $1 WHERE id = 1 RETURNING seq, hash, ",
            server_clock!(),
            ", (SELECT MAX(seq) FROM audit)"
        )
    } else {
        // Any column of SQLite can hold anything.
        "UPDATE audit_head SET seq = seq + $1 WHERE id = 1 \
         RETURNING CAST(seq AS BIGINT), hash, 0, (SELECT CAST(MAX(seq) AS BIGINT) FROM audit)"
    };
    let taken: Option<(i64, String, i64, Option<i64>)> = on!(tx, fetch_optional, sqlx::query_as(sql).bind(count))?;
    let Some((last, hash, said, newest)) = taken else { return Ok(None) };
    let end = Link { seq: last - count, hash };
    if newest.is_some_and(|newest| newest > end.seq) {
        return Ok(None);
    }
    let at = if is_server { Timestamp(said) } else { now(&mut *tx).await? };
    Ok(Some((end, at)))
}

/// The last entry there is, made the end of the chain.
async fn find_end(mut tx: &mut Tx) -> Result<Link, LedgerError> {
    let genesis = Link::genesis();
    on!(
        tx,
        execute,
        // Whoever comes at the same time waits here.
        sqlx::query("INSERT INTO audit_head (id, seq, hash) VALUES (1, $1, $2) ON CONFLICT (id) DO UPDATE SET id = 1")
            .bind(genesis.seq)
            .bind(&genesis.hash)
    )?;
    let last: Option<(i64, String)> = on!(
        tx,
        fetch_optional,
        sqlx::query_as("SELECT CAST(seq AS BIGINT), hash FROM audit ORDER BY seq DESC LIMIT 1")
    )?;
    Ok(last.map_or(genesis, |(seq, hash)| Link { seq, hash }))
}

/// Writes entries after `end`, and gives the last of them as the new end.
async fn write(mut tx: &mut Tx, entries: &[Entry<'_>], end: Link, at: Timestamp) -> Result<Link, LedgerError> {
    let mut rows = Vec::with_capacity(entries.len());
    let Link { mut seq, hash: mut prev } = end;
    for entry in entries {
        seq += 1;
        let detail = entry.detail.map(|detail| to_json("detail", detail)).transpose()?;
        let row = AuditRow::new(entry, seq, std::mem::take(&mut prev), at, detail)?;
        prev.clone_from(&row.hash);
        rows.push(row);
    }
    for some in rows.chunks(ROWS_MAX) {
        insert(tx, some).await?;
    }
    on!(tx, execute, sqlx::query("UPDATE audit_head SET seq = $1, hash = $2 WHERE id = 1").bind(seq).bind(&prev))?;
    Ok(Link { seq, hash: prev })
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
