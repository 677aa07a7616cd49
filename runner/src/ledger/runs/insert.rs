//! A run begins, and a person takes an ended one as it is.

use crate::domain::answer::{Actor, RunSummary};
use crate::domain::ids::{ActorId, RunId, RunNumber};
use crate::domain::request::RunRequest;
use crate::domain::run::{RunEvent, RunState};
use crate::ledger::column::{places_from, storable, to_json};
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
pub async fn insert(tx: &mut Tx, run: NewRun) -> Result<RunSummary, LedgerError> {
    let inserted = insert_all(tx, vec![run]).await?.into_iter().next();
    inserted.ok_or(LedgerError::Database(sqlx::Error::RowNotFound))
}

/// [`insert`] for several, numbered in their order: three statements for all of them, where each would take three.
pub async fn insert_all(mut tx: &mut Tx, new: Vec<NewRun>) -> Result<Vec<RunSummary>, LedgerError> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let at = now(&mut *tx).await?;
    let count = i64::try_from(new.len()).unwrap_or(i64::MAX);
    let last: i64 = on!(
        tx,
        fetch_one,
        sqlx::query_scalar(
            "INSERT INTO counters (name, value) VALUES ('run', $1) \
             ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value RETURNING value"
        )
        .bind(count)
    )?;
    let state = RunState::Queued { approved: None };
    let summary = |(run, number): (NewRun, i64)| RunSummary {
        id: run.id,
        number: RunNumber(number),
        request: run.request,
        state: state.clone(),
        asker: run.asker,
        accepted: at,
        started: None,
        ended: None,
        taken_by: None,
        rejected_by: None,
        began: false,
        lease_until: None,
    };
    let places: Vec<_> = new.iter().map(|run| (run.door.clone(), run.place.clone())).collect();
    let all: Vec<RunSummary> = new.into_iter().zip(last - count + 1..).map(summary).collect();
    insert_rows(tx, &all, &places).await?;
    insert_accepted(tx, &all).await?;
    Ok(all)
}

/// The rows of new runs; `places` are the door and the channel of each.
async fn insert_rows(
    mut tx: &mut Tx,
    all: &[RunSummary],
    places: &[(String, Option<String>)],
) -> Result<(), LedgerError> {
    const COLUMNS: usize = 14;
    let row = |row: usize| {
        let first = row * COLUMNS + 1;
        format!("({}, ${}, FALSE, FALSE, 1, 0, FALSE)", places_from(first, COLUMNS), first + COLUMNS - 1)
    };
    let sql = format!(
        "INSERT INTO runs (id, number, environment, kind, level, request, status, state, asker_id, asker_name, door, place, retry_of, \
         accepted_at, updated_at, holds, front, seq, attempt, changed) VALUES {}",
        (0..all.len()).map(row).collect::<Vec<_>>().join(", ")
    );
    let texts = all.iter().map(|run| Ok((to_json("state", &run.state)?, to_json("request", &run.request)?)));
    let texts: Vec<(String, String)> = texts.collect::<Result<_, LedgerError>>()?;
    let values = all.iter().zip(&texts).zip(places);
    on!(
        tx,
        execute,
        values.clone().fold(
            sqlx::query(sqlx::AssertSqlSafe(sql.as_str())),
            |query, ((run, (state, request)), (door, place))| {
                query
                    .bind(run.id.to_string())
                    .bind(run.number.0)
                    .bind(run.request.environment.as_str())
                    .bind(run.request.kind.as_str())
                    .bind(run.request.target.level.to_string())
                    .bind(request)
                    .bind(run.state.status())
                    .bind(state)
                    .bind(run.asker.id.as_str())
                    .bind(storable(&run.asker.name))
                    .bind(door)
                    .bind(place.as_deref().map(storable))
                    .bind(run.request.retry_of.map(|run| run.0))
                    .bind(run.accepted.0)
            }
        )
    )?;
    Ok(())
}

/// The first event of new runs.
async fn insert_accepted(mut tx: &mut Tx, all: &[RunSummary]) -> Result<(), LedgerError> {
    const COLUMNS: usize = 4;
    let row = |row: usize| format!("({}, 1)", places_from(row * COLUMNS + 1, COLUMNS));
    let sql = format!(
        "INSERT INTO run_events (run_id, at, status, event, seq) VALUES {}",
        (0..all.len()).map(row).collect::<Vec<_>>().join(", ")
    );
    let event = to_json("event", &RunEvent::Accepted)?;
    on!(
        tx,
        execute,
        all.iter().fold(sqlx::query(sqlx::AssertSqlSafe(sql.as_str())), |query, run| {
            query.bind(run.id.to_string()).bind(run.accepted.0).bind(run.state.status()).bind(&event)
        })
    )?;
    Ok(())
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
