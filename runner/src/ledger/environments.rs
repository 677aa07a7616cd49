//! Environments: where each should be.

use std::collections::BTreeMap;

use super::column::{Row, places, to_json};
use super::error::LedgerError;
use super::store::{Access, Tx, now};
use super::unread::{Each, Unread, apart};
use crate::domain::ids::{EnvironmentName, RunNumber};
use crate::domain::request::Target;

/// Where an environment should be, and the run that said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Where.
    pub target: Target,
    /// By which run.
    pub run: Option<RunNumber>,
}

row! {
    struct EnvironmentRow {
        name: String,
        wanted: String,
        wanted_run: Option<i64>,
    }
}

impl TryFrom<EnvironmentRow> for (EnvironmentName, Wanted) {
    type Error = LedgerError;
    fn try_from(found: EnvironmentRow) -> Result<Self, LedgerError> {
        let row = Row { table: "environments", id: &found.name };
        let target = row.json("wanted", &found.wanted)?;
        let name = row.text("name", found.name.clone())?;
        Ok((name, Wanted { target, run: found.wanted_run.map(RunNumber) }))
    }
}

macro_rules! select_wanted {
    ($rest:literal) => {
        concat!("SELECT name AS key, name AS environment, name, wanted, wanted_run FROM environments ", $rest)
    };
}

/// Notes where the environment should be. `None`: nobody wants anything of it any more (after `destroy`).
pub async fn set_wanted(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    wanted: Option<&Target>,
    run: Option<RunNumber>,
) -> Result<(), LedgerError> {
    let at = now(&mut *tx).await?;
    let target = wanted.map(|target| to_json("wanted", target)).transpose()?;
    on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO environments (name, wanted, wanted_run, updated_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (name) DO UPDATE SET wanted = excluded.wanted, wanted_run = excluded.wanted_run, \
             updated_at = excluded.updated_at"
        )
        .bind(environment.as_str())
        .bind(&target)
        .bind(run.map(|run| run.0))
        .bind(at.0)
    )?;
    Ok(())
}

/// A run begins: notes where the environment should be from now on, and where it should have been before. Doing again what the
/// run before began (`retries`) goes back to where that one went back to.
pub async fn begin(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    target: &Target,
    run: RunNumber,
    retries: Option<RunNumber>,
) -> Result<(), LedgerError> {
    let wanted = wanted(&mut *tx, environment).await?;
    let again = match retries.filter(|_| wanted.as_ref().and_then(|wanted| wanted.run) == retries) {
        Some(first) => before(&mut *tx, environment, first).await?,
        None => None,
    };
    let before = to_json("wanted_before", &again.unwrap_or_else(|| wanted.map(|wanted| wanted.target)))?;
    set_wanted(&mut *tx, environment, Some(target), Some(run)).await?;
    on!(
        tx,
        execute,
        sqlx::query("UPDATE environments SET wanted_before = $1, wanted_before_run = $2 WHERE name = $3")
            .bind(&before)
            .bind(run.0)
            .bind(environment.as_str())
    )?;
    Ok(())
}

/// Where the environment should have been before this run began: never what a cancelled run was for. The outer `None`: that is
/// not known, because another run has begun since, or this one before it was noted.
pub async fn before(
    mut db: impl Access,
    environment: &EnvironmentName,
    run: RunNumber,
) -> Result<Option<Option<Target>>, LedgerError> {
    let noted: Option<Option<String>> = on!(
        db,
        fetch_optional,
        sqlx::query_scalar("SELECT wanted_before FROM environments WHERE name = $1 AND wanted_before_run = $2")
            .bind(environment.as_str())
            .bind(run.0)
    )?;
    let row = Row { table: "environments", id: environment.as_str() };
    noted.flatten().map(|noted| row.json("wanted_before", &noted)).transpose()
}

/// Every environment that a run ever changed or tried to, by name, with where it should be.
pub async fn all(mut db: impl Access) -> Result<Vec<(EnvironmentName, Option<Target>)>, LedgerError> {
    let rows: Vec<(String, Option<String>)> =
        on!(db, fetch_all, sqlx::query_as("SELECT name, wanted FROM environments ORDER BY name"))?;
    rows.into_iter()
        .map(|(name, wanted)| {
            let row = Row { table: "environments", id: &name };
            let wanted = wanted.map(|wanted| row.json("wanted", &wanted)).transpose()?;
            Ok((row.text("name", name.clone())?, wanted))
        })
        .collect()
}

/// Where each environment should be of which somebody has said; those with `None` are destroyed. Those of which it cannot be read are
/// beside them.
pub async fn all_wanted(
    mut db: impl Access,
) -> Result<(BTreeMap<EnvironmentName, Option<Wanted>>, Vec<Unread>), LedgerError> {
    let rows: Vec<Each<EnvironmentRow>> =
        on!(db, fetch_all, sqlx::query_as(select_wanted!("WHERE wanted IS NOT NULL")))?;
    let (wanted, broken): (Vec<(EnvironmentName, Wanted)>, _) = apart(rows, "");
    let mut all: BTreeMap<_, _> = wanted.into_iter().map(|(name, wanted)| (name, Some(wanted))).collect();
    for name in destroyed(&mut db).await? {
        all.insert(name, None);
    }
    Ok((all, broken))
}

/// Where some environments should be; those of which nobody has said are not in it, and those of which it cannot be read beside it.
pub async fn wanted_of(
    mut db: impl Access,
    environments: &[&EnvironmentName],
) -> Result<(BTreeMap<EnvironmentName, Wanted>, Vec<Unread>), LedgerError> {
    let sql = format!("{}WHERE wanted IS NOT NULL AND name IN ({})", select_wanted!(""), places(environments.len()));
    let names = environments.iter().map(|name| name.as_str());
    let rows: Vec<Each<EnvironmentRow>> = on!(
        db,
        fetch_all,
        names.clone().fold(sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str())), sqlx::query::QueryAs::bind)
    )?;
    let (wanted, broken): (Vec<(EnvironmentName, Wanted)>, _) = apart(rows, "");
    Ok((wanted.into_iter().collect(), broken))
}

/// Environments of which nobody wants anything any more.
pub async fn destroyed(mut db: impl Access) -> Result<Vec<EnvironmentName>, LedgerError> {
    let names: Vec<String> =
        on!(db, fetch_all, sqlx::query_scalar("SELECT name FROM environments WHERE wanted IS NULL ORDER BY name"))?;
    names.into_iter().map(|name| Row { table: "environments", id: &name }.text("name", name.clone())).collect()
}

/// Where the environment should be; `None` when nobody has said.
pub async fn wanted(mut db: impl Access, environment: &EnvironmentName) -> Result<Option<Wanted>, LedgerError> {
    let row: Option<EnvironmentRow> = on!(
        db,
        fetch_optional,
        sqlx::query_as("SELECT name, wanted, wanted_run FROM environments WHERE name = $1 AND wanted IS NOT NULL")
            .bind(environment.as_str())
    )?;
    Ok(row.map(<(EnvironmentName, Wanted)>::try_from).transpose()?.map(|(_, wanted)| wanted))
}
