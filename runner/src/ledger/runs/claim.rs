//! Runners take runs, and keep them.

use crate::domain::answer::RunSummary;
use crate::domain::ids::RunId;
use crate::domain::run::{RunEvent, RunState};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Access, Store, now};

use super::append::{AppendError, Fence, Lease, locked, write};

/// Queued runs whose turn it is: the first of each environment that nobody has. An approved one goes before the others.
const CLAIMABLE: &str = "SELECT r.id FROM runs r WHERE r.status = 'queued' \
     AND NOT EXISTS (SELECT 1 FROM runs h WHERE h.environment = r.environment AND h.holds) \
     AND NOT EXISTS (SELECT 1 FROM runs q WHERE q.environment = r.environment AND q.status = 'queued' \
                     AND ((q.front AND NOT r.front) OR (q.front = r.front AND q.number < r.number))) \
     ORDER BY r.front DESC, r.number LIMIT 32";

/// Takes the next run whose turn it is, for `lease_ms` milliseconds, and gives it with the number of the attempt. None
/// when there is nothing to take, or when `runner` works on `in_progress_limit` runs already.
///
/// Atomic with any number of runners: the unique index over holders decides, and whoever loses tries the next one.
pub async fn claim_next(
    store: &Store,
    runner: &str,
    host: &str,
    lease_ms: i64,
    in_progress_limit: usize,
) -> Result<Option<(RunSummary, i64)>, LedgerError> {
    if working(store, runner).await? >= in_progress_limit {
        return Ok(None);
    }
    let mut db = store;
    let candidates: Vec<String> = on!(db, fetch_all, sqlx::query_scalar(CLAIMABLE))?;
    for id in candidates {
        let row = crate::ledger::column::Row { table: "runs", id: &id };
        let run = RunId(uuid::Uuid::parse_str(&id).map_err(|why| row.impossible("id", why))?);
        match claim(store, run, runner, host, lease_ms).await {
            Ok(Some(claimed)) => return Ok(Some(claimed)),
            Ok(None) | Err(AppendError::NotFound(_) | AppendError::Fenced(_) | AppendError::Illegal(_)) => {}
            Err(AppendError::LostRace(_)) => tracing::debug!(run.id = %run, "another runner was faster"),
            Err(AppendError::Db(error)) if error.lost_race() => {
                tracing::debug!(run.id = %run, "another runner was faster");
            }
            // One run that cannot be read stops no other.
            Err(AppendError::Db(error @ LedgerError::Row { .. })) => {
                tracing::error!(run.id = %run, %error, "a run cannot be read");
            }
            Err(AppendError::Db(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// How many runs `runner` works on. Those that wait for a yes, with or without having begun, are none.
pub async fn working(mut store: &Store, runner: &str) -> Result<usize, LedgerError> {
    let busy: i64 = on!(
        store,
        fetch_one,
        sqlx::query_scalar(
            "SELECT COUNT(*) FROM runs WHERE holds AND runner = $1 AND status IN ('planning', 'applying', 'verifying')"
        )
        .bind(runner)
    )?;
    Ok(usize::try_from(busy).unwrap_or(usize::MAX))
}

async fn claim(
    store: &Store,
    run: RunId,
    runner: &str,
    host: &str,
    lease_ms: i64,
) -> Result<Option<(RunSummary, i64)>, AppendError> {
    let mut tx = store.begin().await?;
    let row = locked(&mut tx, run).await?;
    // Since the list was read somebody may have taken or stopped it.
    if !matches!(row.state()?, RunState::Queued { .. }) {
        return Ok(None);
    }
    let attempt = row.attempt + 1;
    let claimed = [RunEvent::Claimed { runner: runner.to_owned(), attempt }];
    write(&mut tx, run, row, &claimed, Some(Lease { host, ms: lease_ms })).await?;
    let row = locked(&mut tx, run).await?;
    let summary = RunSummary::try_from(row)?;
    tx.commit().await?;
    Ok(Some((summary, attempt)))
}

/// Whether a runner still has a run, in this very attempt.
pub async fn is_held(mut db: impl Access, run: RunId, fence: &Fence) -> Result<bool, LedgerError> {
    let held: i64 = on!(
        db,
        fetch_one,
        sqlx::query_scalar("SELECT COUNT(*) FROM runs WHERE id = $1 AND runner = $2 AND attempt = $3 AND holds")
            .bind(run.to_string())
            .bind(&fence.runner)
            .bind(fence.attempt)
    )?;
    Ok(held == 1)
}

/// Prolongs the leases of runs that a runner works on, to `lease_ms` milliseconds from now. Gives back those that are in another
/// attempt by now: it must leave those alone. A run that is over, waits without its environment or is unknown has no lease, and
/// gets none: whoever worked on it has just let go of it, or is about to.
pub async fn heartbeat(store: &Store, held: &[(RunId, Fence)], lease_ms: i64) -> Result<Vec<RunId>, LedgerError> {
    if held.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = store.begin().await?;
    let until = now(&mut tx).await?.plus_ms(lease_ms);
    // In the order of keys, so that two heartbeats cannot wait for each other in a circle.
    let mut held: Vec<_> = held.iter().collect();
    held.sort_by_key(|(run, _)| *run);
    let mut lost = Vec::new();
    for (run, fence) in held {
        let kept = on!(
            tx,
            execute,
            sqlx::query(
                "UPDATE runs SET lease_until = $1 WHERE id = $2 AND runner = $3 AND attempt = $4 AND holds \
                 AND lease_until IS NOT NULL AND ended_at IS NULL"
            )
            .bind(until.0)
            .bind(run.to_string())
            .bind(&fence.runner)
            .bind(fence.attempt)
        )?;
        if kept == 0 && is_in_another_attempt(&mut tx, *run, fence).await? {
            lost.push(*run);
        }
    }
    tx.commit().await?;
    Ok(lost)
}

async fn is_in_another_attempt(mut db: impl Access, run: RunId, fence: &Fence) -> Result<bool, LedgerError> {
    let others: i64 = on!(
        db,
        fetch_one,
        sqlx::query_scalar("SELECT COUNT(*) FROM runs WHERE id = $1 AND attempt <> $2")
            .bind(run.to_string())
            .bind(fence.attempt)
    )?;
    Ok(others == 1)
}
