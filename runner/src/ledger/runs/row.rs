//! One row of `runs`, and what it means.

use uuid::Uuid;

use crate::domain::answer::{Actor, RunSummary};
use crate::domain::ids::{RunId, RunNumber, Timestamp};
use crate::domain::request::RunRequest;
use crate::domain::run::RunState;
use crate::ledger::column::Row;
use crate::ledger::error::LedgerError;
use crate::ledger::unread::{Each, Unread, apart};
use crate::redact::without;

/// The one list of columns, followed by what is special in a statement.
macro_rules! select_runs {
    ($rest:literal) => {
        concat!(
            "SELECT CAST(number AS TEXT) AS key, id, number, environment, kind, request, status, state, holds, asker_id, asker_name, door, \
             accepted_at, started_at, claimed_at, ended_at, seq, attempt, runner, host, lease_until, \
             taken_by, taken_because, changed, rejected_by FROM runs ",
            $rest
        )
    };
}
pub(super) use select_runs;

row! {
    /// A row of `runs`, as the database has it.
    #[derive(Debug, Clone)]
    pub(super) struct RunRow {
        pub(super) id: String,
        pub(super) number: i64,
        pub(super) environment: String,
        pub(super) kind: String,
        pub(super) request: String,
        pub(super) status: String,
        pub(super) state: String,
        pub(super) holds: bool,
        pub(super) asker_id: String,
        pub(super) asker_name: String,
        pub(super) door: String,
        pub(super) accepted_at: i64,
        pub(super) started_at: Option<i64>,
        pub(super) claimed_at: Option<i64>,
        pub(super) ended_at: Option<i64>,
        pub(super) seq: i64,
        pub(super) attempt: i64,
        pub(super) runner: Option<String>,
        pub(super) host: Option<String>,
        pub(super) lease_until: Option<i64>,
        pub(super) taken_by: Option<String>,
        pub(super) taken_because: Option<String>,
        pub(super) changed: bool,
        pub(super) rejected_by: Option<String>,
    }
}

impl RunRow {
    /// The state, checked against the columns that repeat a part of it.
    pub(super) fn state(&self) -> Result<RunState, LedgerError> {
        let row = self.row();
        let state: RunState = row.json("state", &self.state)?;
        row.agree("status", &self.status, state.status())?;
        if self.holds != state.holds_environment() {
            return Err(row.impossible("holds", format_args!("{} while it is {}", self.holds, self.status)));
        }
        if self.ended_at.is_some() != state.ended() {
            return Err(row.impossible("ended_at", format_args!("{:?} while it is {}", self.ended_at, self.status)));
        }
        Ok(state)
    }

    fn row(&self) -> Row<'_> {
        Row { table: "runs", id: &self.id }
    }
}

impl TryFrom<RunRow> for RunSummary {
    type Error = LedgerError;
    fn try_from(run: RunRow) -> Result<Self, LedgerError> {
        let state = run.state()?;
        let row = run.row();
        let mut request: RunRequest = row.json("request", &run.request)?;
        request.because = request.because.map(without);
        row.agree("environment", &run.environment, request.environment.as_str())?;
        row.agree("kind", &run.kind, request.kind.as_str())?;
        let asker = Actor {
            kind: request.asked_as.kind,
            groups: request.asked_as.groups.clone(),
            ..Actor::person(row.text("asker_id", run.asker_id.clone())?, run.asker_name.clone())
        };
        let taken_by = run.taken_by.clone().map(|by| row.text("taken_by", by)).transpose()?;
        let rejected_by = run.rejected_by.clone().map(|by| row.text("rejected_by", by)).transpose()?;
        Ok(Self {
            id: RunId(Uuid::parse_str(&run.id).map_err(|why| row.impossible("id", why))?),
            number: RunNumber(run.number),
            request,
            state,
            asker,
            accepted: Timestamp(run.accepted_at),
            started: run.started_at.map(Timestamp),
            ended: run.ended_at.map(Timestamp),
            taken_by: taken_by.map(|by| (by, run.taken_because.clone().map(without))),
            rejected_by,
            began: run.changed,
            lease_until: run.lease_until.map(Timestamp),
        })
    }
}

/// Rows of several environments as domain values, without those that are impossible: one run that cannot be read stops no other.
pub(super) fn readable(rows: Vec<Each<RunRow>>) -> Vec<RunSummary> {
    let (all, broken) = apart(rows, "run");
    for Unread { id, environment, why, rest: () } in broken {
        tracing::error!(run.number = id, environment, why, "a run cannot be read");
    }
    all
}

/// One row as a domain value; where it is impossible, its number is in the words.
pub(super) fn only(row: Option<Each<RunRow>>) -> Result<Option<RunSummary>, LedgerError> {
    let (all, broken) = apart(row.into_iter().collect(), "run");
    match broken.into_iter().next() {
        None => Ok(all.into_iter().next()),
        Some(unread) => Err(unread.into()),
    }
}

/// Rows as domain values; the first impossible one fails all.
pub(super) fn summaries(rows: Vec<RunRow>) -> Result<Vec<RunSummary>, LedgerError> {
    rows.into_iter().map(RunSummary::try_from).collect()
}
