//! Is the chain whole? Finds rows that were altered, removed, inserted or reordered.

use std::collections::VecDeque;
use std::path::PathBuf;

use tokio::task::JoinHandle;

use super::checkpoint::Checkpoint;
use super::pages::{Checked, Page, REMOVED, UNCONNECTED, check, page};
use super::row::{AuditRow, COLUMNS, unreadable};
use super::segment::{self, SegmentError};
use crate::domain::audit::PRUNE;
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Store, Tx};

/// Where the chain is broken, and how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the audit is broken at entry {seq}: {why}")]
pub struct Broken {
    /// The first place that is wrong.
    pub seq: i64,
    /// What is wrong there.
    pub why: &'static str,
}

/// Why the chain could not be said to be whole.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is not.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// It could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An exported file is not what it should be.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// The check was ended from outside.
    #[error("the check did not come to its end")]
    Ended,
}

/// A place in the chain and the hash of the entry there: it binds everything up to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The place; 0 is before the first.
    pub seq: i64,
    /// SHA-256 in hexadecimal.
    pub hash: String,
}

impl Link {
    /// What stands before the first entry.
    #[must_use]
    pub fn genesis() -> Self {
        Self { seq: 0, hash: "0".repeat(64) }
    }
}

/// What the chain is held against, beside itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// A checkpoint whose signature was checked.
    pub checkpoint: Option<&'a Checkpoint>,
    /// Exported files of entries that were taken out, in any order.
    pub exports: &'a [PathBuf],
}

/// A chain that was found whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// How many entries the ledger holds.
    pub entries: u64,
    /// What stands before the first of them: not the beginning where older ones were taken out.
    pub start: Link,
    /// The last entry.
    pub end: Link,
    /// How many entries of exported files belong before the start.
    pub exported: u64,
    /// The entries that say that the end was not where Tidegate had left it: what stood between them and the ones before may be gone.
    pub reconnected: Vec<i64>,
}

/// Pages that are read ahead of the check.
const AHEAD: usize = 4;

/// Reads the whole chain as it is at one moment and gives the number of its entries. Keeps nobody from writing.
pub async fn verify(store: &Store) -> Result<u64, VerifyError> {
    Ok(prove(store, Evidence::default()).await?.entries)
}

/// As [`verify`], held against evidence that was kept elsewhere.
pub async fn prove(store: &Store, evidence: Evidence<'_>) -> Result<Proven, VerifyError> {
    let mut tx = store.snapshot().await?;
    let proven = prove_in(&mut tx, evidence).await?;
    tx.rollback().await?;
    Ok(proven)
}

/// As [`prove`], of what a transaction sees.
pub(in crate::ledger) async fn prove_in(mut tx: &mut Tx, evidence: Evidence<'_>) -> Result<Proven, VerifyError> {
    let (head_seq, head_hash): (i64, String) =
        on!(tx, fetch_optional, sqlx::query_as("SELECT seq, hash FROM audit_head WHERE id = 1"))?
            .ok_or(Broken { seq: 0, why: "the end of the chain is not known any more" })?;
    let wanted = evidence.checkpoint.map(|checkpoint| checkpoint.link.clone());
    let mut walk = Walk { wanted, ..Walk::default() };
    match walk.through(tx, &Link { seq: head_seq, hash: head_hash }).await {
        // What a broken chain begins with may be wrong too, and then that is the first that is.
        Err(VerifyError::Broken(broken)) => Err(first(tx, &walk, beyond(broken, head_seq)).await?)?,
        other => other?,
    }
    let Walk { start, end, entries, reconnected, seen, wanted, pruned: _, read: _, checks: _ } = walk;
    // Whoever asked for a run is in it.
    let asked: Option<i64> = on!(tx, fetch_optional, sqlx::query_scalar("SELECT CAST(1 AS BIGINT) FROM runs LIMIT 1"))?;
    if entries == 0 && asked.is_some() {
        return Err(Broken { seq: 1, why: "it and what followed it were removed" }.into());
    }
    let start = start.unwrap_or_else(Link::genesis);
    let end = end.unwrap_or_else(|| start.clone());
    let mut known = seen;
    let exported = if evidence.exports.is_empty() {
        0
    } else {
        let files = evidence.exports.to_vec();
        let (until, wanted) = (start.clone(), wanted.clone());
        let proof = tokio::task::spawn_blocking(move || segment::prove(&files, &until, wanted.as_ref()));
        let proof = proof.await.map_err(|_| VerifyError::Ended)??;
        known = known.or(proof.seen);
        proof.entries
    };
    if let Some(wanted) = wanted {
        agrees(&wanted, known.or_else(|| (wanted.seq == start.seq).then(|| start.hash.clone())), &start, &end)?;
    }
    Ok(Proven { entries, start, end, exported, reconnected })
}

/// What was read so far.
#[derive(Default)]
struct Walk {
    /// Up to where it was read, which is further than it was checked.
    read: Option<i64>,
    start: Option<Link>,
    end: Option<Link>,
    entries: u64,
    /// Up to where entries were taken out, as the last entry about that says.
    pruned: Option<Link>,
    reconnected: Vec<i64>,
    /// The place that the checkpoint is about, and the hash there.
    wanted: Option<Link>,
    seen: Option<String>,
    checks: VecDeque<JoinHandle<Checked>>,
}

impl Walk {
    /// Reads and checks all there is, up to the entry that was written last.
    async fn through(&mut self, tx: &mut Tx, head: &Link) -> Result<(), VerifyError> {
        let read = loop {
            match page(tx, self.read).await {
                Ok(Some(Page { last, rows })) => {
                    self.read = Some(last);
                    let wanted = self.wanted.as_ref().map(|link| link.seq);
                    self.checks.push_back(tokio::task::spawn_blocking(move || check(rows, wanted)));
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
            if self.checks.len() > AHEAD {
                self.checked().await?;
            }
        };
        // What was read before something that cannot be read comes first.
        while !self.checks.is_empty() {
            self.checked().await?;
        }
        read?;
        let genesis = Link::genesis();
        let start = self.start.as_ref().unwrap_or(&genesis);
        let end = self.end.as_ref().unwrap_or(start);
        match end.seq {
            last if last < head.seq => Err(Broken { seq: last + 1, why: "it and what followed it were removed" })?,
            last if last > head.seq => Err(Broken { seq: head.seq + 1, why: "it was inserted" })?,
            last if end.hash != head.hash => {
                Err(Broken { seq: last, why: "it is not the entry that was written last" })?
            }
            _ => Ok(follows_from_pruning(start, self.pruned.as_ref())?),
        }
    }

    /// Waits for the oldest check, and holds its rows against those before them.
    async fn checked(&mut self) -> Result<(), VerifyError> {
        let Some(check) = self.checks.pop_front() else { return Ok(()) };
        let Checked { before, end, entries, pruned, reconnected, seen, broken } =
            check.await.map_err(|_| VerifyError::Ended)?;
        let first = before.seq + 1;
        if first < 1 {
            return Err(Broken { seq: first, why: "it was inserted" }.into());
        }
        let expected = match (&self.end, first) {
            (Some(end), _) => end.clone(),
            (None, 1) => Link::genesis(),
            (None, _) => before.clone(),
        };
        self.start.get_or_insert_with(|| expected.clone());
        if first != expected.seq + 1 {
            return Err(Broken { seq: expected.seq + 1, why: REMOVED }.into());
        }
        match broken {
            Some(broken) if broken.seq == first || before.hash == expected.hash => Err(broken)?,
            Some(_) | None if before.hash != expected.hash => Err(Broken { seq: first, why: UNCONNECTED })?,
            Some(_) | None => {}
        }
        self.end = Some(end);
        self.entries += entries;
        self.pruned = pruned.or(self.pruned.take());
        self.reconnected.extend(reconnected);
        self.seen = seen.or(self.seen.take());
        Ok(())
    }
}

/// The same in right words where a gap lies after the last entry that was written: nothing is missing there, and what follows the gap came
/// otherwise.
fn beyond(found: Broken, last: i64) -> Broken {
    if found.why == REMOVED && found.seq > last {
        return Broken { why: "nothing was ever written there, and what stands after it was inserted", ..found };
    }
    found
}

/// The first of what is wrong: `found`, or an entry that should be before all that was read. What was taken out is asked of
/// the last entry about that, if it is as it was written: the walk may have ended before it.
async fn first(mut tx: &mut Tx, walk: &Walk, found: Broken) -> Result<Broken, LedgerError> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE action = $1 ORDER BY seq DESC LIMIT 1");
    let row: Result<Option<AuditRow>, LedgerError> =
        on!(tx, fetch_optional, sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str())).bind(PRUNE));
    let row = match row {
        Ok(Some(row)) if row.computed_hash()? == row.hash => row,
        Err(error) if !unreadable(&error) => return Err(error),
        Ok(_) | Err(_) => return Ok(found),
    };
    let Some(pruned) = super::prune::taken_out(&row) else { return Ok(found) };
    // Where not even the first could be read, nothing is before it.
    let start = walk.start.clone().unwrap_or_else(|| Link { seq: found.seq - 1, hash: pruned.hash.clone() });
    match follows_from_pruning(&start, Some(&pruned)) {
        Err(earlier) if earlier.seq < found.seq => Ok(earlier),
        Ok(()) | Err(_) => Ok(found),
    }
}

/// A chain that does not begin at the beginning must say so itself.
fn follows_from_pruning(start: &Link, pruned: Option<&Link>) -> Result<(), Broken> {
    let genesis = Link::genesis();
    let expected = pruned.unwrap_or(&genesis);
    if start.seq > expected.seq {
        return Err(Broken { seq: expected.seq + 1, why: REMOVED });
    }
    if start.seq < expected.seq {
        return Err(Broken { seq: start.seq + 1, why: "it was taken out and is here again" });
    }
    if start.hash != expected.hash {
        return Err(Broken { seq: start.seq + 1, why: UNCONNECTED });
    }
    Ok(())
}

/// The chain is that of the checkpoint.
fn agrees(wanted: &Link, found: Option<String>, start: &Link, end: &Link) -> Result<(), Broken> {
    match found {
        Some(hash) if hash == wanted.hash => Ok(()),
        Some(_) => Err(Broken {
            seq: wanted.seq,
            why: "it is not the entry that the checkpoint knows: the history is another",
        }),
        None if wanted.seq > end.seq => {
            Err(Broken { seq: end.seq + 1, why: "it and what followed it were removed; the checkpoint knows them" })
        }
        None if wanted.seq <= start.seq => {
            Err(Broken { seq: wanted.seq, why: "the checkpoint knows it and it was taken out: give the exported file" })
        }
        None => Err(Broken { seq: wanted.seq, why: "the checkpoint knows it and it is not here" }),
    }
}
