//! Is the chain whole? Finds rows that were altered, removed, inserted or reordered.

use super::row::{AuditRow, COLUMNS};
use crate::ledger::error::LedgerError;
use crate::ledger::store::Store;

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
}

/// Rows read at a time.
const PAGE: i64 = 1_000;
/// What stands before the first row.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Reads the whole chain as it is at one moment and gives the number of its entries. Keeps nobody from writing.
pub async fn verify(store: &Store) -> Result<u64, VerifyError> {
    let mut tx = store.snapshot().await?;
    let (head_seq, head_hash): (i64, String) =
        on!(tx, fetch_optional, sqlx::query_as("SELECT seq, hash FROM audit_head WHERE id = 1"))?
            .ok_or(Broken { seq: 0, why: "the end of the chain is not known any more" })?;
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2");
    let (mut last, mut hash) = (0_i64, GENESIS.to_owned());
    loop {
        let rows: Vec<AuditRow> =
            on!(tx, fetch_all, sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str())).bind(last).bind(PAGE))?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            check(&row, last, &hash)?;
            last = row.seq;
            hash = row.hash;
        }
    }
    tx.rollback().await?;
    match last {
        last if last < head_seq => Err(Broken { seq: last + 1, why: "it and what followed it were removed" }.into()),
        last if last > head_seq => Err(Broken { seq: head_seq + 1, why: "it was inserted" }.into()),
        _ if hash != head_hash => Err(Broken { seq: last, why: "it is not the entry that was written last" }.into()),
        last => Ok(u64::try_from(last).unwrap_or(0)),
    }
}

fn check(row: &AuditRow, last: i64, hash: &str) -> Result<(), VerifyError> {
    if row.seq != last + 1 {
        return Err(Broken { seq: last + 1, why: "it was removed" }.into());
    }
    if row.computed_hash()? != row.hash {
        return Err(Broken { seq: row.seq, why: "it was altered" }.into());
    }
    if row.prev != hash {
        return Err(Broken { seq: row.seq, why: "it does not follow from the entry before it" }.into());
    }
    Ok(())
}
