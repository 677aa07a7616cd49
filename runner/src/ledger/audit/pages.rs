//! The rows of the chain, many at a time: read as one text, and checked by themselves.

use serde_json::value::RawValue;

use super::chain::{Broken, Link, VerifyError};
use super::prune::taken_out;
use super::row::{AuditRow, COLUMNS, unreadable};
use crate::domain::audit::{PRUNE, RECONNECT};
use crate::ledger::error::LedgerError;
use crate::ledger::store::Tx;

/// Rows read at a time.
const PAGE: i64 = 4_000;

pub(super) const REMOVED: &str = "it was removed";
pub(super) const ALTERED: &str = "it was altered";
/// On SQLite any column can hold anything.
pub(super) const NO_PLACE: &str = "it, or one beside it, has a place that is no whole number";
pub(super) const UNCONNECTED: &str = "it does not follow from the entry before it";

/// Some rows, and the place of the last.
pub(super) struct Page {
    pub(super) last: i64,
    pub(super) rows: Rows,
}

/// Rows as a database gives them soonest.
pub(super) enum Rows {
    /// As they are: PostgreSQL takes longer to make a text of them than to send them.
    Read(Vec<AuditRow>),
    /// As one JSON text, a list of the values of each: SQLite's driver hands over each value of each row by itself, which costs more
    /// than the hashes.
    Text(String),
}

/// The rows after a place that can be read, or `None` at the end. A row that cannot even be read was altered.
pub(super) async fn page(tx: &mut Tx, after: Option<i64>) -> Result<Option<Page>, VerifyError> {
    // From the lowest number there is: a row before the first must not escape.
    let from = after.unwrap_or(i64::MIN);
    let error = match rows(tx, from, PAGE).await {
        Ok(page) => return Ok(page),
        Err(error) => error,
    };
    // Only SQLite lets a row hold what cannot be read; elsewhere it is the database that fails.
    if matches!(tx, Tx::Postgres(..)) {
        return Err(error.into());
    }
    // Up to the one that cannot be read.
    let (mut last, mut good) = (from, 0);
    loop {
        match rows(tx, last, 1).await {
            Ok(Some(row)) => (last, good) = (row.last, good + 1),
            Ok(None) => return Err(error.into()),
            Err(_) if good > 0 => return Ok(rows(tx, from, good).await?),
            Err(_) => return Err(unread(tx, after, error).await?.into()),
        }
    }
}

async fn rows(mut tx: &mut Tx, after: i64, limit: i64) -> Result<Option<Page>, LedgerError> {
    let rows = format!("SELECT {COLUMNS} FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2");
    if matches!(tx, Tx::Postgres(..)) {
        let rows: Vec<AuditRow> =
            on!(tx, fetch_all, sqlx::query_as(sqlx::AssertSqlSafe(rows.as_str())).bind(after).bind(limit))?;
        return Ok(rows.last().map(|row| row.seq).map(|last| Page { last, rows: Rows::Read(rows) }));
    }
    let sql = format!("SELECT MAX(seq), json_group_array(json_array({COLUMNS})) FROM ({rows})");
    let (last, rows): (Option<i64>, String) =
        on!(tx, fetch_one, sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str())).bind(after).bind(limit))?;
    Ok(last.map(|last| Page { last, rows: Rows::Text(rows) }))
}

/// What is wrong with the row after a place whose reading ended with `error`: the row, if it cannot be read by its columns either.
async fn unread(mut tx: &mut Tx, after: Option<i64>, error: LedgerError) -> Result<Broken, LedgerError> {
    let from = after.unwrap_or(i64::MIN);
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq > $1 ORDER BY seq LIMIT 1");
    let row: Result<AuditRow, LedgerError> =
        on!(tx, fetch_one, sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str())).bind(from));
    if !row.is_err_and(|why| unreadable(&why)) {
        return Err(error);
    }
    let sql = "SELECT CAST(MIN(seq) AS INTEGER), MIN(seq) = CAST(MIN(seq) AS INTEGER) FROM audit WHERE seq > $1";
    let (seq, whole): (i64, bool) = on!(tx, fetch_one, sqlx::query_as(sql).bind(from))?;
    Ok(match after {
        _ if !whole => Broken { seq, why: NO_PLACE },
        Some(before) if seq != before + 1 => Broken { seq: before + 1, why: REMOVED },
        Some(_) | None => Broken { seq, why: ALTERED },
    })
}

/// What the rows of a page are by themselves.
pub(super) struct Checked {
    /// What the first of them says stands before it.
    pub(super) before: Link,
    /// The last of them up to which each follows from the one before.
    pub(super) end: Link,
    /// How many those are.
    pub(super) entries: u64,
    /// Up to where entries were taken out, as the last entry about that says.
    pub(super) pruned: Option<Link>,
    /// The entries that say that the end was not where it had been left.
    pub(super) reconnected: Vec<i64>,
    /// The hash at the place that is wanted.
    pub(super) seen: Option<String>,
    /// The first that is wrong.
    pub(super) broken: Option<Broken>,
}

/// Checks the rows of a page, of which the hash of the one at `wanted` is to be known.
pub(super) fn check(rows: Rows, wanted: Option<i64>) -> Checked {
    let (rows, bad) = match rows {
        Rows::Read(rows) => (rows, None),
        Rows::Text(text) => match serde_json::from_str::<Vec<AuditRow>>(&text) {
            Ok(mut rows) => {
                // As they were chosen, which the database need not keep to where it makes one text of them.
                rows.sort_unstable_by_key(|row| row.seq);
                (rows, None)
            }
            Err(_) => as_far_as_they_are_rows(&text),
        },
    };
    let before = match (rows.first(), bad) {
        (Some(row), _) => Link { seq: row.seq - 1, hash: row.prev.clone() },
        (None, bad) => Link { seq: bad.map_or(0, |bad| bad.seq) - 1, hash: String::new() },
    };
    let (mut end, mut hash) = (before.seq, before.hash.as_str());
    let mut broken = None;
    for row in &rows {
        broken = wrong(row, end, hash);
        if broken.is_some() {
            break;
        }
        (end, hash) = (row.seq, row.hash.as_str());
    }
    let broken = broken.or_else(|| {
        let bad = bad?;
        Some(match bad {
            Place { seq, whole: false } => Broken { seq, why: NO_PLACE },
            Place { seq, whole: true } if seq == end + 1 => Broken { seq, why: ALTERED },
            Place { .. } => Broken { seq: end + 1, why: REMOVED },
        })
    });
    let at = |seq: i64| rows.binary_search_by_key(&seq, |row| row.seq).ok().and_then(|at| rows.get(at));
    Checked {
        end: Link { seq: end, hash: hash.to_owned() },
        entries: u64::try_from(end - before.seq).unwrap_or_default(),
        pruned: rows.iter().rfind(|row| row.action == PRUNE).and_then(taken_out),
        reconnected: rows.iter().filter(|row| row.action == RECONNECT).map(|row| row.seq).collect(),
        seen: wanted.and_then(at).map(|row| row.hash.clone()),
        broken,
        before,
    }
}

/// The rows before the first that holds values of other types, and the place of that one.
fn as_far_as_they_are_rows(text: &str) -> (Vec<AuditRow>, Option<Place>) {
    // Not as values: a number of SQLite can be one that JSON has no room for.
    let rows: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
    let mut rows: Vec<(Place, &str)> = rows.iter().map(|row| (place(row.get()), row.get())).collect();
    rows.sort_unstable_by_key(|(place, _)| (place.seq, !place.whole));
    let mut found = Vec::new();
    for (place, row) in rows {
        match serde_json::from_str(row) {
            Ok(row) => found.push(row),
            Err(_) => return (found, Some(place)),
        }
    }
    (found, None)
}

/// Where a row stands; of a number that is not whole the part before its point.
#[derive(Debug, Clone, Copy)]
struct Place {
    seq: i64,
    whole: bool,
}

/// The first of a list of values.
fn place(row: &str) -> Place {
    let values: Vec<&RawValue> = serde_json::from_str(row).unwrap_or_default();
    let text = values.first().map_or("", |seq| seq.get());
    let before_point = text.split(['.', 'e']).next().unwrap_or_default();
    Place { seq: before_point.parse().unwrap_or_default(), whole: text.parse::<i64>().is_ok() }
}

/// What is wrong with a row after the place `end`, where the hash is `hash`.
fn wrong(row: &AuditRow, end: i64, hash: &str) -> Option<Broken> {
    if row.seq != end + 1 {
        return Some(Broken { seq: end + 1, why: REMOVED });
    }
    if !row.computed_hash().is_ok_and(|computed| computed == row.hash) {
        return Some(Broken { seq: row.seq, why: ALTERED });
    }
    (row.prev != hash).then_some(Broken { seq: row.seq, why: UNCONNECTED })
}
