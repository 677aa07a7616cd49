//! How long runs worked, and how long such a run took last time. Only work counts: not the queue, and not the time in which
//! people are asked.

use std::collections::BTreeMap;

use crate::domain::answer::RunSummary;
use crate::domain::ids::{RunId, Timestamp};
use crate::domain::request::RunRequest;
use crate::ledger::column::Row;
use crate::ledger::error::LedgerError;
use crate::ledger::store::Access;
use crate::ledger::unread::{Each, apart};

use super::row::{RunRow, select_runs};

row! {
    struct WorkedRow {
        run_id: String,
        ms: i64,
    }
}

/// Milliseconds that each of these runs has worked, until `now` where it still does. Runs that never began are left out.
pub async fn worked(mut db: impl Access, runs: &[RunId], now: Timestamp) -> Result<BTreeMap<RunId, i64>, LedgerError> {
    if runs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let places: Vec<String> = (2..runs.len() + 2).map(|place| format!("${place}")).collect();
    // An event's status is that of the time after it. The clock may have been set back meanwhile.
    let sql = format!(
        "SELECT run_id, CAST(SUM(CASE WHEN until > at THEN until - at ELSE 0 END) AS BIGINT) AS ms FROM \
         (SELECT run_id, at, status, LEAD(at, 1, $1) OVER (PARTITION BY run_id ORDER BY seq) AS until \
          FROM run_events WHERE run_id IN ({})) AS spans \
         WHERE status IN ('planning', 'applying', 'verifying') GROUP BY run_id",
        places.join(", ")
    );
    let keys: Vec<String> = runs.iter().map(ToString::to_string).collect();
    let rows: Vec<WorkedRow> = on!(
        db,
        fetch_all,
        keys.iter().fold(sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str())).bind(now.0), sqlx::query::QueryAs::bind)
    )?;
    rows.into_iter()
        .map(|WorkedRow { run_id, ms }| {
            let row = Row { table: "run_events", id: &run_id };
            Ok((RunId(uuid::Uuid::parse_str(&run_id).map_err(|why| row.impossible("run_id", why))?), ms))
        })
        .collect()
}

/// Earlier runs that are looked through for one that went the same way.
pub(super) const LOOKED_THROUGH: i64 = 50;

/// Milliseconds of work of the last run that went the way of `request`, changed something and succeeded in one go: neither a
/// second try, which finds half of the work done, nor one that another runner took over. None where no such run is known.
pub async fn last_duration(mut db: impl Access, request: &RunRequest) -> Result<Option<i64>, LedgerError> {
    if request.retry_of.is_some() {
        return Ok(None);
    }
    // Each time that a run is put into the queue it is claimed once; any further claim took it over.
    let rows: Vec<Each<RunRow>> = on!(
        db,
        fetch_all,
        sqlx::query_as(select_runs!(
            "WHERE environment = $1 AND kind = $2 AND level = $3 AND status = 'succeeded' AND changed \
             AND retry_of IS NULL AND attempt = (SELECT COUNT(*) FROM run_events e \
             WHERE e.run_id = runs.id AND e.status = 'queued') ORDER BY number DESC LIMIT $4"
        ))
        .bind(request.environment.as_str())
        .bind(request.kind.as_str())
        .bind(request.target.level.to_string())
        .bind(LOOKED_THROUGH)
    )?;
    // How long one took that cannot be read nobody knows.
    let (all, _): (Vec<RunSummary>, _) = apart(rows, "run");
    let same = all.into_iter().find(|run| request.goes_the_way_of(&run.request));
    let Some(same) = same else { return Ok(None) };
    let worked = worked(&mut db, &[same.id], Timestamp(0)).await?;
    Ok(worked.get(&same.id).copied())
}
