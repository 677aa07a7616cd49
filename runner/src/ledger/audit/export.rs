//! All entries that fit a filter, one after the other: for files.

use super::query::{Dialect, conditions, holds, index, who_is_meant};
use super::row::{AuditRow, COLUMNS, untold};
use crate::domain::audit::{AuditFilter, Record};
use crate::ledger::conditions::{Value, actor_ids};
use crate::ledger::error::LedgerError;
use crate::ledger::store::Store;

/// Rows read at a time.
const PAGE: i64 = 1_000;

/// Why an export came to no good end.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Where the entries go.
    #[error("the export cannot be written: {0}")]
    Write(#[from] std::io::Error),
}

/// Hands every entry that fits to `take`, oldest first, as they are at one moment, and gives their number. `before` and `page`
/// of the filter do not count, and words are looked for in all entries.
pub async fn each(
    store: &Store,
    filter: &AuditFilter,
    mut take: impl FnMut(&Record) -> std::io::Result<()>,
) -> Result<u64, ExportError> {
    let mut tx = store.snapshot().await?;
    let mut meant = who_is_meant(&mut tx, filter.by.as_deref()).await?;
    let actor = if meant.len() == 1 { meant.pop().flatten() } else { None };
    let mut conditions = conditions(filter, actor.as_deref());
    let index = match (&filter.by, &actor) {
        // Several of that name: in the order of time, one after the other.
        (Some(by), None) => {
            conditions.any_of("actor_id", actor_ids(by));
            "audit_at"
        }
        _ => index(filter, actor.is_some()),
    };
    let dialect = Dialect::of(&mut tx).await?;
    let table = dialect.table(index);
    for words in &filter.words {
        holds(&mut conditions, dialect, words);
    }
    let mut last: Option<(i64, i64)> = None;
    let mut count = 0;
    loop {
        let mut page = conditions.clone();
        if let Some((at, seq)) = last {
            let (at, seq) = (page.place(Value::Number(at)), page.place(Value::Number(seq)));
            page.fixed(format!("(at, seq) > ({at}, {seq})"));
        }
        let limit = page.place(Value::Number(PAGE));
        let sql = format!("SELECT {COLUMNS} FROM {table} {} ORDER BY at, seq LIMIT {limit}", page.sql());
        let rows = on!(tx, fetch_all, with_values!(sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str())), page.values));
        let rows: Vec<AuditRow> = rows.map_err(untold)?;
        let Some(end) = rows.last() else { break };
        last = Some((end.at, end.seq));
        for row in rows {
            take(&Record::try_from(row)?)?;
            count += 1;
        }
    }
    tx.rollback().await?;
    Ok(count)
}
