//! Runs of the past: pages of history, the last change.

use std::collections::BTreeMap;

use crate::domain::answer::{HistoryPage, RunSummary};
use crate::domain::command::HistoryFilter;
use crate::domain::ids::{EnvironmentName, Timestamp};
use crate::ledger::error::LedgerError;
use crate::ledger::store::Access;

use super::duration::worked;
use super::row::{RunRow, select_runs, summaries};

/// Where an actor id can come from; see [`crate::domain::ids::ActorId`].
const WHERES: [&str; 4] = ["local", "slack", "discord", "clock"];

enum Value {
    Number(i64),
    Text(String),
}

/// The conditions of those filters that are set: `$1 IS NULL OR ...` would keep SQLite from using an index.
struct Conditions {
    all: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    fn of(filter: &HistoryFilter) -> Self {
        let HistoryFilter { environment, by, since, until, failed, page: _ } = filter;
        let mut conditions = Self { all: vec!["WHERE TRUE".to_owned()], values: Vec::new() };
        if let Some(environment) = environment {
            conditions.add("environment =", Value::Text(environment.to_string()));
        }
        match by {
            Some(whole) if whole.contains(':') => conditions.add("asker_id =", Value::Text(whole.clone())),
            Some(short) => conditions.any_of("asker_id", WHERES.map(|place| format!("{place}:{short}"))),
            None => {}
        }
        if let Some(since) = since {
            conditions.add("accepted_at >=", Value::Number(since.0));
        }
        if let Some(until) = until {
            conditions.add("accepted_at <", Value::Number(until.0));
        }
        if *failed {
            conditions.all.push("status IN ('failed', 'partial', 'unknown')".to_owned());
        }
        conditions
    }

    fn add(&mut self, condition: &str, value: Value) {
        let place = self.place(value);
        self.all.push(format!("{condition} {place}"));
    }

    fn any_of(&mut self, column: &str, texts: impl IntoIterator<Item = String>) {
        let places: Vec<_> = texts.into_iter().map(|text| self.place(Value::Text(text))).collect();
        self.all.push(format!("{column} IN ({})", places.join(", ")));
    }

    /// The WHERE clause.
    fn sql(&self) -> String {
        self.all.join(" AND ")
    }

    /// Keeps a value and gives its placeholder.
    fn place(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }
}

/// Binds the values of conditions, whichever database the query is for.
macro_rules! with_values {
    ($query:expr, $values:expr) => {
        $values.iter().fold($query, |query, value| match value {
            Value::Number(number) => query.bind(*number),
            Value::Text(text) => query.bind(text.as_str()),
        })
    };
}

/// One page of runs that fit the filter, newest first. `page_size` is at least 1.
pub async fn history(mut db: impl Access, filter: &HistoryFilter, page_size: u32) -> Result<HistoryPage, LedgerError> {
    let page = filter.page.max(1);
    let size = i64::from(page_size.max(1));
    let mut conditions = Conditions::of(filter);
    if page > 1 {
        // Only numbers are passed over, in an index; the rows themselves are read for one page.
        let skipped = conditions.place(Value::Number(i64::from(page - 1) * size));
        let sql = format!("SELECT number FROM runs {} ORDER BY number DESC LIMIT 1 OFFSET {skipped}", conditions.sql());
        let first: Option<i64> = on!(
            db,
            fetch_optional,
            with_values!(sqlx::query_scalar(sqlx::AssertSqlSafe(sql.as_str())), conditions.values)
        )?;
        conditions.values.pop();
        let Some(first) = first else {
            return Ok(HistoryPage { runs: Vec::new(), page, more: false, worked_ms: BTreeMap::new() });
        };
        conditions.add("number <=", Value::Number(first));
    }
    let limit = conditions.place(Value::Number(size + 1));
    let sql = format!("{}{} ORDER BY number DESC LIMIT {limit}", select_runs!(""), conditions.sql());
    let mut rows: Vec<RunRow> =
        on!(db, fetch_all, with_values!(sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str())), conditions.values))?;
    let more = rows.len() > usize::try_from(size).unwrap_or(usize::MAX);
    if more {
        rows.pop();
    }
    let runs = summaries(rows)?;
    let ended: Vec<_> = runs.iter().filter(|run| run.ended.is_some()).map(|run| run.id).collect();
    let worked_ms = worked(&mut db, &ended, Timestamp(0)).await?;
    Ok(HistoryPage { runs, page, more, worked_ms })
}

/// The last run that changed something on the environment, or began to; for `undo`.
pub async fn last_change(
    mut db: impl Access,
    environment: &EnvironmentName,
) -> Result<Option<RunSummary>, LedgerError> {
    let row: Option<RunRow> = on!(
        db,
        fetch_optional,
        sqlx::query_as(select_runs!("WHERE environment = $1 AND changed ORDER BY number DESC LIMIT 1"))
            .bind(environment.as_str())
    )?;
    row.map(RunSummary::try_from).transpose()
}

/// The last run of the environment that is over, whatever it did.
pub async fn last_of(mut db: impl Access, environment: &EnvironmentName) -> Result<Option<RunSummary>, LedgerError> {
    let row: Option<RunRow> = on!(
        db,
        fetch_optional,
        sqlx::query_as(select_runs!("WHERE environment = $1 AND ended_at IS NOT NULL ORDER BY number DESC LIMIT 1"))
            .bind(environment.as_str())
    )?;
    row.map(RunSummary::try_from).transpose()
}
