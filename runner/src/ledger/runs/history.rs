//! Runs of the past: pages of history, the last change.

use super::duration::LOOKED_THROUGH;
use std::collections::BTreeMap;

use crate::domain::answer::{HistoryPage, RunSummary};
use crate::domain::command::HistoryFilter;
use crate::domain::ids::{ActorId, EnvironmentName, Timestamp};
use crate::ledger::conditions::{Conditions, Value, actor_ids};
use crate::ledger::error::LedgerError;
use crate::ledger::store::Access;
use crate::ledger::unread::{Each, apart};

use super::duration::worked;
use super::row::{RunRow, only, select_runs};

/// The conditions of those filters that are set.
fn conditions(filter: &HistoryFilter) -> Conditions {
    // Of a group those are asked for that somebody sees of it.
    let HistoryFilter { environment, group: _, by, since, until, failed, page: _ } = filter;
    let mut conditions = Conditions::default();
    if let Some(environment) = environment {
        conditions.add("environment =", Value::Text(environment.to_string()));
    }
    if let Some(by) = by {
        conditions.any_of("asker_id", actor_ids(by));
    }
    if let Some(since) = since {
        conditions.add("accepted_at >=", Value::Number(since.0));
    }
    if let Some(until) = until {
        conditions.add("accepted_at <", Value::Number(until.0));
    }
    if *failed {
        conditions.fixed("status IN ('failed', 'partial', 'unknown')");
    }
    conditions
}

/// One page of runs that fit the filter, newest first; of these environments only, where some are given. `page_size` is at
/// least 1.
pub async fn history(
    mut db: impl Access,
    filter: &HistoryFilter,
    only: Option<&[EnvironmentName]>,
    page_size: u32,
) -> Result<HistoryPage, LedgerError> {
    let page = filter.page.max(1);
    let size = i64::from(page_size.max(1));
    let mut conditions = conditions(filter);
    match only {
        None => {}
        Some([]) => return Ok(nothing(page)),
        Some(names) => conditions.any_of("environment", names.iter().map(ToString::to_string)),
    }
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
            return Ok(nothing(page));
        };
        conditions.add("number <=", Value::Number(first));
    }
    let limit = conditions.place(Value::Number(size + 1));
    let sql = format!("{}{} ORDER BY number DESC LIMIT {limit}", select_runs!(""), conditions.sql());
    let mut rows: Vec<Each<RunRow>> =
        on!(db, fetch_all, with_values!(sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str())), conditions.values))?;
    let more = rows.len() > usize::try_from(size).unwrap_or(usize::MAX);
    if more {
        rows.pop();
    }
    let (runs, broken): (Vec<RunSummary>, _) = apart(rows, "run");
    let unread = broken.into_iter().map(|one| one.why).collect();
    let ended: Vec<_> = runs.iter().filter(|run| run.ended.is_some()).map(|run| run.id).collect();
    let worked_ms = worked(&mut db, &ended, Timestamp(0)).await?;
    Ok(HistoryPage { runs, page, more, worked_ms, unread })
}

fn nothing(page: u32) -> HistoryPage {
    HistoryPage { runs: Vec::new(), page, more: false, worked_ms: BTreeMap::new(), unread: Vec::new() }
}

/// Whether anybody who is called so has asked for a run; whom else of `known` it names counts, too.
pub async fn has_asked<'a>(
    mut db: impl Access,
    by: &str,
    mut known: impl Iterator<Item = &'a ActorId>,
) -> Result<bool, LedgerError> {
    let ids = actor_ids(by);
    if known.any(|known| ids.iter().any(|id| id == known.as_str())) {
        return Ok(true);
    }
    let mut conditions = Conditions::default();
    conditions.any_of("asker_id", ids);
    let sql = format!("SELECT number FROM runs {} LIMIT 1", conditions.sql());
    let found: Option<i64> = on!(
        db,
        fetch_optional,
        with_values!(sqlx::query_scalar(sqlx::AssertSqlSafe(sql.as_str())), conditions.values)
    )?;
    Ok(found.is_some())
}

/// The last run that changed something on the environment, or began to; for `undo`.
pub async fn last_change(
    mut db: impl Access,
    environment: &EnvironmentName,
) -> Result<Option<RunSummary>, LedgerError> {
    let row: Option<RunRow> = on!(
        db,
        fetch_optional,
        sqlx::query_as(select_runs!(
            "WHERE environment = $1 AND changed AND kind NOT IN ('adopt', 'remove', 'terraform') ORDER BY number DESC LIMIT 1"
        ))
        .bind(environment.as_str())
    )?;
    row.map(RunSummary::try_from).transpose()
}

/// The last run of the environment that is over and changed something, or was to and failed; neither a look nor one that came to nothing
/// before it began, by somebody's word or a rule's.
pub async fn last_try(mut db: impl Access, environment: &EnvironmentName) -> Result<Option<RunSummary>, LedgerError> {
    let row: Option<Each<RunRow>> = on!(
        db,
        fetch_optional,
        sqlx::query_as(select_runs!(
            "WHERE environment = $1 AND ended_at IS NOT NULL AND kind NOT IN ('plan', 'drift', 'sweep', 'preflight', 'look') \
             AND (changed OR status NOT IN ('cancelled', 'refused', 'expired')) ORDER BY number DESC LIMIT 1"
        ))
        .bind(environment.as_str())
    )?;
    only(row)
}

/// The run of the environment that ended last, whatever it did: one that began earlier may have waited longer.
pub async fn last_of(mut db: impl Access, environment: &EnvironmentName) -> Result<Option<RunSummary>, LedgerError> {
    let row: Option<Each<RunRow>> = on!(
        db,
        fetch_optional,
        sqlx::query_as(select_runs!(
            // Of the last by number, which an index has in order: none waits while so many others come and go.
            "WHERE id IN (SELECT id FROM runs WHERE environment = $1 AND ended_at IS NOT NULL ORDER BY number DESC LIMIT $2) \
             ORDER BY ended_at DESC, number DESC LIMIT 1"
        ))
        .bind(environment.as_str())
        .bind(LOOKED_THROUGH)
    )?;
    only(row)
}
