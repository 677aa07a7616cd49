//! Runs that somebody must look after: left behind by a dead runner, unknown, or with a question that nobody answered.

use crate::domain::answer::RunSummary;
use crate::domain::ids::RunId;
use crate::domain::run::{RunEvent, RunState};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Access, Tx, now};
use crate::ledger::unread::Each;

use super::append::{AppendError, Lease, locked, write};
use super::row::{RunRow, readable, select_runs};

/// Runs that have an environment while the lease of their runner ran out, by the database's clock. Without the unknown
/// ones: those wait for people, see [`to_look_at`].
pub async fn orphans(mut db: impl Access) -> Result<Vec<RunSummary>, LedgerError> {
    let at = now(&mut db).await?;
    let rows: Vec<Each<RunRow>> = on!(
        db,
        fetch_all,
        sqlx::query_as(select_runs!(
            "WHERE holds AND status <> 'unknown' AND (lease_until IS NULL OR lease_until < $1) ORDER BY number"
        ))
        .bind(at.0)
    )?;
    Ok(readable(rows))
}

/// Unknown runs that a person asked to look at and nobody looks at now.
pub async fn to_look_at(mut db: impl Access) -> Result<Vec<RunSummary>, LedgerError> {
    let at = now(&mut db).await?;
    let rows: Vec<Each<RunRow>> = on!(
        db,
        fetch_all,
        sqlx::query_as(select_runs!(
            "WHERE holds AND status = 'unknown' AND (lease_until IS NULL OR lease_until < $1) ORDER BY number"
        ))
        .bind(at.0)
    )?;
    let mut runs = readable(rows);
    runs.retain(|run| matches!(run.state, RunState::Unknown { look: Some(_), .. }));
    Ok(runs)
}

/// Runs whose question expired before anybody answered.
pub async fn expired_questions(mut db: impl Access) -> Result<Vec<RunSummary>, LedgerError> {
    let at = now(&mut db).await?;
    let rows: Vec<Each<RunRow>> = on!(
        db,
        fetch_all,
        sqlx::query_as(select_runs!("WHERE ended_at IS NULL AND status = 'awaiting_approval' ORDER BY number"))
    )?;
    let mut runs = readable(rows);
    runs.retain(|run| matches!(&run.state, RunState::AwaitingApproval { question, .. } if question.expires <= at));
    Ok(runs)
}

/// Ends every lease: for the only engine of a ledger at its start, when whatever is under way was left behind.
pub async fn expire_leases(mut tx: &mut Tx) -> Result<(), LedgerError> {
    on!(tx, execute, sqlx::query("UPDATE runs SET lease_until = NULL WHERE lease_until IS NOT NULL"))?;
    Ok(())
}

/// Takes over a run that another runner, or an earlier life of this one, left behind, and gives the number of the
/// attempt: whatever the earlier one still writes is refused from now on.
///
/// # Errors
/// [`AppendError::LostRace`] when another runner has a lease that did not run out; [`AppendError::Illegal`] when the
/// run waits in the queue, for a yes, or is over.
pub async fn take_over(tx: &mut Tx, run: RunId, runner: &str, host: &str, lease_ms: i64) -> Result<i64, AppendError> {
    let row = locked(tx, run).await?;
    let at = now(&mut *tx).await?;
    let living = row.lease_until.is_some_and(|until| until >= at.0);
    if living && row.runner.as_deref() != Some(runner) {
        return Err(AppendError::LostRace(run));
    }
    let attempt = row.attempt + 1;
    let claimed = RunEvent::Claimed { runner: runner.to_owned(), attempt };
    if !row.holds {
        // A claim of a queued run is another thing: it asks whose turn it is.
        let state = row.state()?;
        return Err(crate::domain::run::IllegalEvent { state: state.status(), event: "claimed".to_owned() }.into());
    }
    write(tx, run, row, &[claimed], Some(Lease { host, ms: lease_ms })).await?;
    Ok(attempt)
}
