//! A run begins, and a person takes an ended one as it is.

use crate::domain::answer::{Actor, RunSummary};
use crate::domain::ids::{ActorId, RunId, RunNumber};
use crate::domain::request::RunRequest;
use crate::domain::run::{RunEvent, RunState};
use crate::ledger::column::{storable, to_json};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Tx, now};

use super::append::Fence;

/// A run that the desk accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// Its key; see [`crate::ledger::ids::run_id`].
    pub id: RunId,
    /// What is asked for; also says which run it does again.
    pub request: RunRequest,
    /// Who asks.
    pub asker: Actor,
    /// By which chat: `shell`.
    pub door: String,
    /// Channel or thread in it.
    pub place: Option<String>,
}

/// Puts a run into the queue: its number, its row and its first event. Announces nothing; the answer does that.
pub async fn insert(mut tx: &mut Tx, run: NewRun) -> Result<RunSummary, LedgerError> {
    let NewRun { id, request, asker, door, place } = run;
    let at = now(&mut *tx).await?;
    let number: i64 = on!(
        tx,
        fetch_one,
        sqlx::query_scalar(
            "INSERT INTO counters (name, value) VALUES ('run', 1) \
             ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value"
        )
    )?;
    let state = RunState::Queued { approved: None };
    let state_text = to_json("state", &state)?;
    let request_text = to_json("request", &request)?;
    let key = id.to_string();
    on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO runs (id, number, environment, kind, level, request, status, state, holds, front, asker_id, \
             asker_name, door, place, accepted_at, updated_at, seq, attempt, retry_of, changed) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, FALSE, FALSE, $9, $10, $11, $12, $13, $13, 1, 0, $14, FALSE)"
        )
        .bind(&key)
        .bind(number)
        .bind(request.environment.as_str())
        .bind(request.kind.as_str())
        .bind(request.target.level.to_string())
        .bind(&request_text)
        .bind(state.status())
        .bind(&state_text)
        .bind(asker.id.as_str())
        .bind(storable(&asker.name))
        .bind(&door)
        .bind(place.as_deref().map(storable))
        .bind(at.0)
        .bind(request.retry_of.map(|run| run.0))
    )?;
    super::append::insert_event(&mut *tx, &key, 1, at, state.status(), &RunEvent::Accepted).await?;
    Ok(RunSummary {
        id,
        number: RunNumber(number),
        request,
        state,
        asker,
        accepted: at,
        started: None,
        ended: None,
        taken_by: None,
        began: false,
        lease_until: None,
    })
}

/// Puts a request in the place of a run's, for whoever has the run: what it is counted from is not what it was when it was asked for.
/// False when somebody else has it by now.
pub async fn count_anew(mut tx: &mut Tx, run: RunId, fence: &Fence, request: &RunRequest) -> Result<bool, LedgerError> {
    let counted = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE runs SET request = $1, level = $2 WHERE id = $3 AND runner = $4 AND attempt = $5 AND holds"
        )
        .bind(to_json("request", request)?)
        .bind(request.target.level.to_string())
        .bind(run.to_string())
        .bind(&fence.runner)
        .bind(fence.attempt)
    )?;
    Ok(counted == 1)
}

/// Whether the run that this one does again, or one which that one did again, began to change something.
pub async fn was_begun_before(mut tx: &mut Tx, request: &RunRequest) -> Result<bool, LedgerError> {
    let mut earlier = request.retry_of;
    while let Some(number) = earlier {
        let found: Option<(bool, Option<i64>)> = on!(
            tx,
            fetch_optional,
            sqlx::query_as("SELECT changed, retry_of FROM runs WHERE number = $1").bind(number.0)
        )?;
        match found {
            Some((true, _)) => return Ok(true),
            Some((false, before)) => earlier = before.map(RunNumber),
            None => return Ok(false),
        }
    }
    Ok(false)
}

/// Notes that `actor` takes a run that is over as it is. False when it is not over, has changed since it was read, or was
/// taken before. Which outcomes can be taken, and the audit row, are the caller's.
pub async fn take_as_is(
    mut tx: &mut Tx,
    run: &RunSummary,
    actor: &ActorId,
    because: Option<&str>,
) -> Result<bool, LedgerError> {
    let at = now(&mut *tx).await?;
    let changed = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE runs SET taken_by = $1, taken_because = $2, updated_at = $3 \
             WHERE id = $4 AND taken_by IS NULL AND ended_at IS NOT NULL AND status = $5"
        )
        .bind(actor.as_str())
        .bind(because.map(storable))
        .bind(at.0)
        .bind(run.id.to_string())
        .bind(run.state.status())
    )?;
    Ok(changed == 1)
}
