//! The one way in which a run changes: an event is stored, and with it the state that it leads to.

use crate::domain::ids::{ActorId, RunId, RunNumber, Timestamp};
use crate::domain::run::{Effect, IllegalEvent, Phase, RunEvent, RunState};
use crate::ledger::column::{Row, to_json};
use crate::ledger::error::LedgerError;
use crate::ledger::outbox;
use crate::ledger::store::{Tx, now};

use super::row::{RunRow, select_runs};

/// Proof that a runner still has the run: its name, and the attempt number that its claim was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// The runner's name.
    pub runner: String,
    /// From [`super::claim_next`] or [`super::take_over`].
    pub attempt: i64,
}

/// What was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Appended {
    /// Place of the last event stored.
    pub seq: i64,
    /// When, by the database's clock.
    pub at: Timestamp,
    /// The state now.
    pub state: RunState,
}

/// Why an event was not stored.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// There is no such run.
    #[error("there is no run {0}")]
    NotFound(RunId),
    /// Another runner has it by now, or nobody: whoever asked must leave it alone.
    #[error("run {0} belongs to another runner by now")]
    Fenced(RunId),
    /// The run's state cannot have this event.
    #[error(transparent)]
    Illegal(#[from] IllegalEvent),
    /// Somebody else changed the run in between. Reading again and trying again is right.
    #[error("run {0} was changed by somebody else at the same time")]
    LostRace(RunId),
    /// The ledger itself.
    #[error(transparent)]
    Db(LedgerError),
}

impl From<LedgerError> for AppendError {
    fn from(error: LedgerError) -> Self {
        Self::Db(error)
    }
}

/// Appends one event to a run. The state after it, the columns that repeat parts of the state, and the message to the
/// asker when the state calls for one, are stored in the same transaction.
pub async fn append(tx: &mut Tx, run: RunId, event: &RunEvent, fence: Option<&Fence>) -> Result<Appended, AppendError> {
    append_many(tx, run, std::slice::from_ref(event), fence).await
}

/// Appends events to a run, all or none: one read, one update. An empty slice only reads.
pub async fn append_many(
    tx: &mut Tx,
    run: RunId,
    events: &[RunEvent],
    fence: Option<&Fence>,
) -> Result<Appended, AppendError> {
    let row = locked(tx, run).await?;
    if fence.is_some_and(|fence| row.attempt != fence.attempt || row.runner.as_ref() != Some(&fence.runner)) {
        return Err(AppendError::Fenced(run));
    }
    write(tx, run, row, events, None).await
}

/// The row, and nobody else changes it until the transaction ends.
pub(super) async fn locked(mut tx: &mut Tx, run: RunId) -> Result<RunRow, AppendError> {
    const PLAIN: &str = select_runs!("WHERE id = $1");
    // On SQLite the transaction has the whole database already.
    const FOR_UPDATE: &str = select_runs!("WHERE id = $1 FOR UPDATE");
    let sql = match tx {
        Tx::Sqlite(_) => PLAIN,
        Tx::Postgres(..) => FOR_UPDATE,
    };
    let row: Option<RunRow> = on!(tx, fetch_optional, sqlx::query_as(sql).bind(run.to_string()))?;
    row.ok_or(AppendError::NotFound(run))
}

/// A lease that a claim brings along: the machine, and how long.
pub(super) struct Lease<'a> {
    pub(super) host: &'a str,
    pub(super) ms: i64,
}

/// Carries out events on a row that was read with [`locked`].
pub(super) async fn write(
    tx: &mut Tx,
    run: RunId,
    mut row: RunRow,
    events: &[RunEvent],
    lease: Option<Lease<'_>>,
) -> Result<Appended, AppendError> {
    let at = now(&mut *tx).await?;
    let mut state = row.state()?;
    let before = row.seq;
    let mut stored = Vec::with_capacity(events.len());
    let mut announced = Vec::new();
    for event in events {
        let (next, wanted) = state.on(event)?;
        state = next;
        row.advance(event, &state, at);
        if wanted.contains(&Effect::Announce) {
            announced.push((row.seq, state.status()));
        }
        stored.push((row.seq, state.status(), event));
    }
    if let Some(Lease { host, ms }) = lease {
        row.host = Some(host.to_owned());
        row.lease_until = Some(at.plus_ms(ms).0);
    }
    if !stored.is_empty() {
        update(&mut *tx, run, &row, &state, before, at).await?;
    }
    for (seq, status, event) in stored {
        insert_event(&mut *tx, &row.id, seq, at, status, event).await?;
    }
    for (seq, status) in announced {
        tell(&mut *tx, &row, seq, status).await?;
    }
    Ok(Appended { seq: row.seq, at, state })
}

impl RunRow {
    /// Keeps the columns in step with the state that `event` led to.
    fn advance(&mut self, event: &RunEvent, state: &RunState, at: Timestamp) {
        self.seq += 1;
        state.status().clone_into(&mut self.status);
        self.holds = state.holds_environment();
        if let RunEvent::Claimed { runner, attempt } = event {
            self.runner = Some(runner.clone());
            self.attempt = *attempt;
            self.started_at.get_or_insert(at.0);
            self.claimed_at = Some(at.0);
        }
        if let RunEvent::StackStarted { phase: Phase::Apply, .. } = event {
            self.changed = true;
        }
        if let RunEvent::Rejected { by, .. } = event {
            self.rejected_by = Some(by.as_str().to_owned());
        }
        if state.ended() {
            // The runner stays, to be read later; nobody may take the run over any more.
            self.ended_at = Some(at.0);
            self.lease_until = None;
        } else if !self.holds {
            self.runner = None;
            self.host = None;
            self.lease_until = None;
        } else if matches!(event, RunEvent::LostTrack { .. } | RunEvent::StillUnknown { .. }) {
            // Nobody works on it until a person asks to look.
            self.lease_until = None;
        }
    }
}

async fn update(
    mut tx: &mut Tx,
    run: RunId,
    row: &RunRow,
    state: &RunState,
    before: i64,
    at: Timestamp,
) -> Result<(), AppendError> {
    let text = to_json("state", state)?;
    let front = matches!(state, RunState::Queued { approved: Some(_) });
    let changed = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE runs SET status = $1, state = $2, holds = $3, front = $4, started_at = $5, claimed_at = $6, \
             ended_at = $7, updated_at = $8, seq = $9, attempt = $10, runner = $11, host = $12, lease_until = $13, \
             changed = $14, rejected_by = $15 WHERE id = $16 AND seq = $17"
        )
        .bind(&row.status)
        .bind(&text)
        .bind(row.holds)
        .bind(front)
        .bind(row.started_at)
        .bind(row.claimed_at)
        .bind(row.ended_at)
        .bind(at.0)
        .bind(row.seq)
        .bind(row.attempt)
        .bind(&row.runner)
        .bind(&row.host)
        .bind(row.lease_until)
        .bind(row.changed)
        .bind(&row.rejected_by)
        .bind(&row.id)
        .bind(before)
    );
    match changed {
        Ok(1) => Ok(()),
        Ok(_) => Err(AppendError::LostRace(run)),
        Err(error) if error.lost_race() => Err(AppendError::LostRace(run)),
        Err(error) => Err(error.into()),
    }
}

async fn insert_event(
    mut tx: &mut Tx,
    run: &str,
    seq: i64,
    at: Timestamp,
    status: &str,
    event: &RunEvent,
) -> Result<(), LedgerError> {
    let text = to_json("event", event)?;
    on!(
        tx,
        execute,
        sqlx::query("INSERT INTO run_events (run_id, seq, at, status, event) VALUES ($1, $2, $3, $4, $5)")
            .bind(run)
            .bind(seq)
            .bind(at.0)
            .bind(status)
            .bind(&text)
    )?;
    Ok(())
}

/// Tells the asker where a run is now, although no event calls for it.
pub async fn announce(tx: &mut Tx, run: RunId) -> Result<(), AppendError> {
    let row = locked(&mut *tx, run).await?;
    let status = row.state()?.status();
    Ok(tell(tx, &row, row.seq, status).await?)
}

async fn tell(tx: &mut Tx, row: &RunRow, seq: i64, status: &str) -> Result<(), LedgerError> {
    let asker: ActorId = Row { table: "runs", id: &row.id }.text("asker_id", row.asker_id.clone())?;
    let body = serde_json::json!({ "seq": seq, "status": status }).to_string();
    outbox::put(
        tx,
        &outbox::Address::new(&row.door, asker.short()),
        outbox::KIND_RUN,
        Some(RunNumber(row.number)),
        &body,
    )
    .await?;
    Ok(())
}
