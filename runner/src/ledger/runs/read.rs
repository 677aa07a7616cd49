//! Reading runs.

use std::collections::BTreeMap;

use crate::domain::answer::RunSummary;
use crate::domain::ids::{ActorId, EnvironmentName, RunId, RunNumber, Timestamp};
use crate::domain::request::{RunKind, Target};
use crate::domain::run::{EventRecord, RunView};
use crate::ledger::column::{Row, places};
use crate::ledger::error::LedgerError;
use crate::ledger::store::Access;
use crate::ledger::unread::{Each, Unread, apart};

use super::duration::LOOKED_THROUGH;
use super::row::{RunRow, only, readable, select_runs, summaries};

/// The run with this key.
pub async fn get(mut db: impl Access, run: RunId) -> Result<Option<RunSummary>, LedgerError> {
    let row: Option<RunRow> =
        on!(db, fetch_optional, sqlx::query_as(select_runs!("WHERE id = $1")).bind(run.to_string()))?;
    row.map(RunSummary::try_from).transpose()
}

/// The run with this number.
pub async fn by_number(mut db: impl Access, number: RunNumber) -> Result<Option<RunSummary>, LedgerError> {
    let row: Option<Each<RunRow>> =
        on!(db, fetch_optional, sqlx::query_as(select_runs!("WHERE number = $1")).bind(number.0))?;
    only(row)
}

/// The runs with these numbers, in no order; without those that cannot be read.
pub async fn by_numbers(mut db: impl Access, numbers: &[RunNumber]) -> Result<Vec<RunSummary>, LedgerError> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("{}WHERE number IN ({})", select_runs!(""), places(numbers.len()));
    let rows: Vec<Each<RunRow>> = on!(
        db,
        fetch_all,
        numbers
            .iter()
            .map(|number| number.0)
            .fold(sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str())), sqlx::query::QueryAs::bind)
    )?;
    Ok(apart(rows, "run").0)
}

/// The environment of the run with this number as its row names it, also where nothing else of the run can be read.
pub async fn environment_of(mut db: impl Access, number: RunNumber) -> Result<Option<String>, LedgerError> {
    on!(db, fetch_optional, sqlx::query_scalar("SELECT environment FROM runs WHERE number = $1").bind(number.0))
}

/// The runs of people that said last where an environment should be, of all environments; those that cannot be read beside them.
pub async fn that_said(mut db: impl Access) -> Result<(Vec<RunSummary>, Vec<Unread>), LedgerError> {
    let rows: Vec<Each<RunRow>> = on!(
        db,
        fetch_all,
        sqlx::query_as(select_runs!(
            "WHERE number IN (SELECT wanted_run FROM environments WHERE wanted IS NOT NULL) AND asker_id <> $1"
        ))
        .bind(ActorId::clock().as_str())
    )?;
    Ok(apart(rows, "run"))
}

/// The run before `number` that brought an environment to `target`; `None` where none of the last few did.
pub async fn brought(
    mut db: impl Access,
    environment: &EnvironmentName,
    target: &Target,
    number: RunNumber,
) -> Result<Option<RunSummary>, LedgerError> {
    let rows: Vec<RunRow> = on!(
        db,
        fetch_all,
        sqlx::query_as(select_runs!(
            "WHERE environment = $1 AND number < $2 AND level = $3 AND kind NOT IN ('plan', 'adopt', 'remove', 'terraform') AND status IN ('succeeded', 'nothing_to_do') \
             ORDER BY number DESC LIMIT $4"
        ))
        .bind(environment.as_str())
        .bind(number.0)
        .bind(target.level.to_string())
        .bind(LOOKED_THROUGH)
    )?;
    Ok(summaries(rows)?.into_iter().find(|run| run.request.target == *target))
}

/// The last run of an environment that says where it should be ([`RunKind::says_where`](crate::domain::request::RunKind::says_where)).
pub async fn newest(mut db: impl Access, environment: &EnvironmentName) -> Result<Option<RunNumber>, LedgerError> {
    let number: Option<i64> = on!(
        db,
        fetch_one,
        sqlx::query_scalar(
            "SELECT MAX(number) FROM runs WHERE environment = $1 AND kind NOT IN ('plan', 'drift', 'sweep', 'preflight', 'look', 'adopt', 'remove', 'terraform')"
        )
        .bind(environment.as_str())
    )?;
    Ok(number.map(RunNumber))
}

/// Runs of an environment that are not over: the one that has it, then the queue in order, then those that wait for a yes.
///
/// # Errors
/// Also where one of them cannot be read: nobody knows what it does.
pub async fn active(db: impl Access, environment: &EnvironmentName) -> Result<Vec<RunSummary>, LedgerError> {
    let (all, broken) = active_apart(db, environment).await?;
    match broken.into_iter().next() {
        None => Ok(all),
        Some(first) => Err(first.into()),
    }
}

/// How [`active`] finds them.
pub(in crate::ledger) const ACTIVE: &str =
    select_runs!("WHERE environment = $1 AND ended_at IS NULL ORDER BY holds DESC, status DESC, front DESC, number");

/// [`active`] for what only looks, with those that cannot be read beside them.
pub async fn active_apart(
    mut db: impl Access,
    environment: &EnvironmentName,
) -> Result<(Vec<RunSummary>, Vec<Unread>), LedgerError> {
    let rows: Vec<Each<RunRow>> = on!(db, fetch_all, sqlx::query_as(ACTIVE).bind(environment.as_str()))?;
    Ok(apart(rows, "run"))
}

/// [`active`] of several environments; those without a run are not in it, and runs that cannot be read are beside it.
pub async fn active_of(
    mut db: impl Access,
    environments: &[&EnvironmentName],
) -> Result<(BTreeMap<EnvironmentName, Vec<RunSummary>>, Vec<Unread>), LedgerError> {
    let sql = format!(
        "{}WHERE environment IN ({}) AND ended_at IS NULL ORDER BY environment, holds DESC, status DESC, front DESC, number",
        select_runs!(""),
        places(environments.len())
    );
    let names = environments.iter().map(|name| name.as_str());
    let rows: Vec<Each<RunRow>> = on!(
        db,
        fetch_all,
        names.clone().fold(sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str())), sqlx::query::QueryAs::bind)
    )?;
    let mut all: BTreeMap<EnvironmentName, Vec<RunSummary>> = BTreeMap::new();
    let (runs, broken): (Vec<RunSummary>, _) = apart(rows, "run");
    for run in runs {
        all.entry(run.request.environment.clone()).or_default().push(run);
    }
    Ok((all, broken))
}

/// Runs of all environments that are not over, environment by environment, each in the order of [`active`]. One that cannot be read
/// is left out and logged.
pub async fn all_active(db: impl Access) -> Result<Vec<RunSummary>, LedgerError> {
    Ok(readable(all_active_rows(db).await?))
}

/// [`all_active`], with those that cannot be read beside them.
pub async fn all_active_apart(db: impl Access) -> Result<(Vec<RunSummary>, Vec<Unread>), LedgerError> {
    Ok(apart(all_active_rows(db).await?, "run"))
}

/// How [`all_active`] finds them.
pub(in crate::ledger) const ALL_ACTIVE: &str =
    select_runs!("WHERE ended_at IS NULL ORDER BY environment, holds DESC, status DESC, front DESC, number");

async fn all_active_rows(mut db: impl Access) -> Result<Vec<Each<RunRow>>, LedgerError> {
    on!(db, fetch_all, sqlx::query_as(ALL_ACTIVE))
}

/// The last look of a kind at an environment before run `number` that came to its end; `None` where there was none.
pub async fn looked_before(
    mut db: impl Access,
    environment: &EnvironmentName,
    kind: RunKind,
    number: RunNumber,
) -> Result<Option<RunSummary>, LedgerError> {
    let row: Option<RunRow> = on!(
        db,
        fetch_optional,
        sqlx::query_as(select_runs!(
            "WHERE environment = $1 AND number < $2 AND kind = $3 AND status = 'planned' ORDER BY number DESC LIMIT 1"
        ))
        .bind(environment.as_str())
        .bind(number.0)
        .bind(kind.as_str())
    )?;
    row.map(RunSummary::try_from).transpose()
}

row! {
    struct EventRow {
        seq: i64,
        at: i64,
        event: String,
    }
}

/// Events of a run after the place `after` (0: all), in order.
pub async fn events(mut db: impl Access, run: RunId, after: i64) -> Result<Vec<EventRecord>, LedgerError> {
    let key = run.to_string();
    let rows: Vec<EventRow> = on!(
        db,
        fetch_all,
        sqlx::query_as("SELECT seq, at, event FROM run_events WHERE run_id = $1 AND seq > $2 ORDER BY seq")
            .bind(&key)
            .bind(after)
    )?;
    rows.into_iter()
        .map(|EventRow { seq, at, event }| {
            let id = format!("{key}/{seq}");
            let event = Row { table: "run_events", id: &id }.json("event", &event)?;
            Ok(EventRecord { run, seq, at: Timestamp(at), event })
        })
        .collect()
}

/// What is known of a run: the fold of all its events.
pub async fn view(mut db: impl Access, run: RunId) -> Result<Option<RunView>, LedgerError> {
    let Some(found) = get(&mut db, run).await? else { return Ok(None) };
    let mut view = RunView::new(found.request);
    for record in events(&mut db, run, 0).await? {
        let id = format!("{run}/{}", record.seq);
        view.fold(&record).map_err(|why| Row { table: "run_events", id: &id }.impossible("event", why))?;
    }
    Ok(Some(view))
}
