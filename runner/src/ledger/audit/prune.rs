//! Old entries leave the ledger: exported first, then deleted, so that the chain stays provable.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::chain::Link;
use super::row::{AuditRow, COLUMNS, Entry};
use super::segment::{self, SegmentError, Writer};
use crate::domain::answer::Actor;
use crate::domain::audit::PRUNE;
use crate::domain::ids::{RunNumber, Timestamp};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Store, Tx};
use crate::ledger::triggers;

/// Entries that are deleted in one transaction. Nobody else can write meanwhile, about a second.
const SEGMENT: i64 = 20_000;
/// What is younger is hardly meant to go: 90 days, in milliseconds.
const YOUNG_MS: i64 = 90 * 86_400_000;
/// Rows read at a time.
const PAGE: i64 = 2_000;

/// The first entry about a run that is not over. Not by the entries' time: a clock may have been set since.
pub(in crate::ledger) const UNFINISHED: &str = "SELECT audit.seq, audit.run_number FROM runs JOIN audit ON audit.environment = runs.environment \
     AND audit.run_number = runs.number WHERE runs.ended_at IS NULL ORDER BY audit.seq LIMIT 1";

/// What is to be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// What was written before that.
    pub before: Timestamp,
    /// Nothing after this entry, however old it is: nobody was asked about it.
    pub upto: Option<i64>,
}

impl From<Timestamp> for Asked {
    fn from(before: Timestamp) -> Self {
        Self { before, upto: None }
    }
}

/// What was taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// How many entries.
    pub entries: i64,
    /// The last of them; what is left follows from it.
    pub end: Link,
    /// The run that is not over because of which entries that are old enough stay.
    pub stays_for: Option<RunNumber>,
}

/// What would be taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prunable {
    /// The first entry of it.
    pub first: i64,
    /// The last.
    pub last: i64,
    /// How many entries the ledger has, these among them.
    pub of: i64,
    /// When the oldest of them was written: not always the first, as a clock may have been set since.
    pub oldest: Timestamp,
    /// When the youngest of them was: not always the last.
    pub youngest: Timestamp,
    /// The run that is not over because of which entries that are old enough stay.
    pub stays_for: Option<RunNumber>,
}

impl Prunable {
    /// How many entries.
    #[must_use]
    pub fn entries(&self) -> i64 {
        self.last - self.first + 1
    }

    /// Nobody means that by mistake once they were asked: it is all that there is, or younger than 90 days.
    #[must_use]
    pub fn is_to_be_asked(&self, now: Timestamp) -> bool {
        self.entries() == self.of || now.ms_since(self.youngest) < YOUNG_MS
    }
}

/// Why nothing, or not all, was taken out. What was not exported is never deleted.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file.
    #[error(transparent)]
    File(#[from] SegmentError),
    /// What should be exported is not as it was written.
    #[error("the audit is broken at entry {0}: nothing is taken out of it before somebody has looked")]
    Broken(i64),
    /// The oldest entry is about a run that is not over.
    #[error(
        "the oldest entry is about run {0}, which is not over: nothing is taken out before its end; `show {0}` tells what it waits for"
    )]
    Unfinished(RunNumber),
    /// Somebody else takes entries out at the same time, or changes them.
    #[error("the audit changed while it was exported: nothing more is taken out of it")]
    Changed,
    /// The check of the file was ended from outside.
    #[error("the export did not come to its end")]
    Ended,
}

/// What an entry about it tells.
#[derive(Serialize, Deserialize)]
struct Detail {
    upto: i64,
    hash: String,
    entries: i64,
    file: String,
}

/// Up to where entries were taken out, as this entry says.
pub(super) fn taken_out(row: &AuditRow) -> Option<Link> {
    let Detail { upto, hash, .. } = serde_json::from_str(row.detail.as_deref()?).ok()?;
    Some(Link { seq: upto, hash })
}

/// Exports all entries before the first one that is as young as was asked, or about a run that is not over, and deletes them: without
/// the entry that ordered it, no run is carried out. Nothing after [`Asked::upto`] is taken out, whatever ended since. `file` must not
/// exist; it is on the disk and was read again before anything is deleted.
///
/// Dies in the middle without loss: what is in the file may still be in the ledger, and the chain is whole at each moment.
pub async fn prune(
    store: &Store,
    asked: impl Into<Asked>,
    file: &Path,
    actor: &Actor,
    because: Option<&str>,
) -> Result<Option<Pruned>, PruneError> {
    prune_by(store, asked.into(), file, actor, because, SEGMENT).await
}

/// As [`prune`], with segments of so many entries.
pub(in crate::ledger) async fn prune_by(
    store: &Store,
    asked: Asked,
    file: &Path,
    actor: &Actor,
    because: Option<&str>,
    size: i64,
) -> Result<Option<Pruned>, PruneError> {
    let Some(Written { start, ends, stays_for }) = write(store, asked, file, size).await? else { return Ok(None) };
    let Some(end) = ends.last().cloned() else { return Ok(None) };
    let (path, proven, until) = (file.to_owned(), start.clone(), end.clone());
    let proof = tokio::task::spawn_blocking(move || segment::prove_one(&path, &proven, &until));
    proof.await.map_err(|_| PruneError::Ended)??;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut from = start.seq;
    for segment in &ends {
        let detail =
            Detail { upto: segment.seq, hash: segment.hash.clone(), entries: segment.seq - from, file: name.clone() };
        delete(store, from, &detail, actor, because).await?;
        from = segment.seq;
    }
    Ok(Some(Pruned { entries: end.seq - start.seq, end, stays_for }))
}

/// What is in the file.
struct Written {
    /// What stands before its first entry.
    start: Link,
    /// The end of each segment.
    ends: Vec<Link>,
    /// Because of which run it is not more.
    stays_for: Option<RunNumber>,
}

/// What lies before a moment and can be taken out.
struct Old {
    /// What stands before the first entry.
    start: Link,
    /// The last of them.
    end: Link,
    /// Because of which run it is not more.
    stays_for: Option<RunNumber>,
}

/// What [`prune`] would take out now: nothing is written. `None` where nothing is old enough.
pub async fn prunable(store: &Store, asked: impl Into<Asked>) -> Result<Option<Prunable>, PruneError> {
    let asked = asked.into();
    let mut tx = store.snapshot().await?;
    let Some(Old { start, end, stays_for }) = old(&mut tx, asked).await? else { return Ok(None) };
    let mut db = &mut tx;
    let last: i64 = on!(db, fetch_one, sqlx::query_scalar("SELECT MAX(seq) FROM audit"))?;
    let at: (Option<i64>, Option<i64>) = on!(
        db,
        fetch_one,
        sqlx::query_as("SELECT MIN(at), MAX(at) FROM audit WHERE seq > $1 AND seq <= $2").bind(start.seq).bind(end.seq)
    )?;
    let (Some(oldest), Some(youngest)) = at else { return Err(PruneError::Changed) };
    Ok(Some(Prunable {
        first: start.seq + 1,
        last: end.seq,
        of: last - start.seq,
        oldest: Timestamp(oldest),
        youngest: Timestamp(youngest),
        stays_for,
    }))
}

/// What is old enough; `None`: nothing.
async fn old(mut tx: &mut Tx, asked: Asked) -> Result<Option<Old>, PruneError> {
    let Asked { before, upto } = asked;
    let young: Option<i64> =
        on!(tx, fetch_one, sqlx::query_scalar("SELECT MIN(seq) FROM audit WHERE at >= $1").bind(before.0))?;
    // Only what is old enough, and was asked for, is held back.
    let unfinished = first_of_the_unfinished(tx).await?.filter(|(seq, _)| {
        young.is_none_or(|young| *seq < young) && upto.is_none_or(|upto| *seq <= upto.saturating_add(1))
    });
    let first_to_keep = unfinished.map(|(seq, _)| seq).or(young);
    let last: Option<i64> = match first_to_keep {
        Some(first) => Some(first - 1),
        None => on!(tx, fetch_one, sqlx::query_scalar("SELECT MAX(seq) FROM audit"))?,
    };
    let last = last.map(|last| upto.map_or(last, |upto| last.min(upto)));
    let first: Option<(i64, String)> =
        on!(tx, fetch_optional, sqlx::query_as("SELECT seq, prev FROM audit ORDER BY seq LIMIT 1"))?;
    let (Some(last), Some((first, prev))) = (last, first) else { return Ok(None) };
    let end: Option<String> =
        on!(tx, fetch_optional, sqlx::query_scalar("SELECT hash FROM audit WHERE seq = $1").bind(last))?;
    let stays_for = unfinished.map(|(_, run)| run);
    let Some(hash) = end.filter(|_| last >= first) else {
        return stays_for.map_or(Ok(None), |run| Err(PruneError::Unfinished(run)));
    };
    Ok(Some(Old { start: Link { seq: first - 1, hash: prev }, end: Link { seq: last, hash }, stays_for }))
}

/// Writes the file; `None` where nothing is old enough.
async fn write(store: &Store, asked: Asked, file: &Path, size: i64) -> Result<Option<Written>, PruneError> {
    let mut tx = store.snapshot().await?;
    let Some(Old { start, end, stays_for }) = old(&mut tx, asked).await? else { return Ok(None) };
    let mut writer = Writer::create(file, &start, &end)?;
    let copied = copy(&mut tx, &mut writer, &start, &end, size).await;
    match copied.and_then(|ends| Ok(writer.finish().map(|()| ends)?)) {
        Ok(ends) => Ok(Some(Written { start, ends, stays_for })),
        Err(error) => {
            // Half a file would be in the way of the next try; what is in it is in the ledger.
            let _ = std::fs::remove_file(file);
            Err(error)
        }
    }
}

/// The first entry about any run that is not over, and the run.
async fn first_of_the_unfinished(mut tx: &mut Tx) -> Result<Option<(i64, RunNumber)>, LedgerError> {
    let found: Option<(i64, i64)> = on!(tx, fetch_optional, sqlx::query_as(UNFINISHED))?;
    Ok(found.map(|(seq, run)| (seq, RunNumber(run))))
}

async fn copy(
    mut tx: &mut Tx,
    writer: &mut Writer,
    start: &Link,
    end: &Link,
    size: i64,
) -> Result<Vec<Link>, PruneError> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3");
    let mut before = start.clone();
    let mut ends = Vec::new();
    while before.seq < end.seq {
        let rows: Vec<AuditRow> = on!(
            tx,
            fetch_all,
            sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str())).bind(before.seq).bind(end.seq).bind(PAGE)
        )?;
        if rows.is_empty() {
            return Err(PruneError::Broken(before.seq + 1));
        }
        for row in rows {
            let text = row.text()?;
            let hash = super::row::hash_of(&row.prev, &text);
            if row.seq != before.seq + 1 || row.prev != before.hash || row.hash != hash {
                return Err(PruneError::Broken(before.seq + 1));
            }
            writer.line(&text)?;
            before = Link { seq: row.seq, hash };
            if (row.seq - start.seq) % size == 0 || row.seq == end.seq {
                ends.push(before.clone());
            }
        }
    }
    Ok(ends)
}

/// The one place where entries are deleted: lifts the triggers, deletes one segment, puts the triggers back, and appends the entry
/// that the chain can begin at, in one transaction.
async fn delete(
    store: &Store,
    from: i64,
    detail: &Detail,
    actor: &Actor,
    because: Option<&str>,
) -> Result<(), PruneError> {
    let mut tx = store.begin().await?;
    // Others who append wait here until this is committed.
    on!(tx, execute, sqlx::query("UPDATE audit_head SET seq = seq WHERE id = 1"))?;
    let hash: Option<String> =
        on!(tx, fetch_optional, sqlx::query_scalar("SELECT hash FROM audit WHERE seq = $1").bind(detail.upto))?;
    if hash.as_deref() != Some(detail.hash.as_str()) {
        return Err(PruneError::Changed);
    }
    triggers::lift(&mut tx).await?;
    let deleted = on!(tx, execute, sqlx::query("DELETE FROM audit WHERE seq <= $1").bind(detail.upto))?;
    triggers::put_back(&mut tx).await?;
    if i64::try_from(deleted) != Ok(detail.upto - from) {
        return Err(PruneError::Changed);
    }
    let value = serde_json::to_value(detail).map_err(|_| PruneError::Changed)?;
    let entry = Entry { actor, because, detail: Some(&value), ..Entry::of_tidegate(actor, PRUNE) };
    super::append(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(())
}
