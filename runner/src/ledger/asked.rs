//! What schedules, with what people bend, asked for as of the clock's last look. Who sets the next step decides on the transition.
//! And whether anything has happened since that the clock should look at.

use std::collections::BTreeMap;

use super::column::{Row, to_json};
use super::error::LedgerError;
use super::store::{Access, Tx};
use super::unread::{Each, apart};
use crate::domain::ids::{EnvironmentName, Timestamp};
use crate::domain::request::Target;
use crate::domain::schedule::ALL_SEEN;

/// What was asked for as of the last look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What; `None`: nobody asked for anything.
    pub wanted: Option<Target>,
    /// From when on.
    pub since: Timestamp,
    /// How often it had changed by then, from 1.
    pub step: i64,
    /// The digests of the schedules that were written as of the last look; `None`: nobody noted them.
    pub written: Option<String>,
}

row! {
    struct AskedRow {
        environment: String,
        wanted: Option<String>,
        since: i64,
        step: i64,
        written: Option<String>,
    }
}

impl TryFrom<AskedRow> for (EnvironmentName, Asked) {
    type Error = LedgerError;
    fn try_from(found: AskedRow) -> Result<Self, LedgerError> {
        let row = Row { table: "clock_asked", id: &found.environment };
        // It is the clock's own memory: where it cannot be read, nothing was asked for, and what is asked for now is brought about.
        let wanted = found.wanted.as_deref().and_then(|wanted| {
            let read = row.json("wanted", wanted);
            read.inspect_err(|error| tracing::error!(%error, "what was asked for cannot be read")).ok()
        });
        let environment = row.text("environment", found.environment.clone())?;
        let AskedRow { since, step, written, .. } = found;
        Ok((environment, Asked { wanted, since: Timestamp(since), step, written }))
    }
}

/// Of all environments that were looked at.
pub async fn all(mut db: impl Access) -> Result<BTreeMap<EnvironmentName, Asked>, LedgerError> {
    let rows: Vec<Each<AskedRow>> = on!(
        db,
        fetch_all,
        sqlx::query_as("SELECT environment AS key, environment, wanted, since, step, written FROM clock_asked")
    )?;
    let (all, broken): (Vec<(EnvironmentName, Asked)>, _) = apart(rows, "");
    for one in broken {
        tracing::error!(why = one.why, "what was asked for cannot be read");
    }
    Ok(all.into_iter().collect())
}

/// Of one environment; `None`: nobody ever looked at it, or what was noted cannot be read.
pub async fn one(mut db: impl Access, environment: &EnvironmentName) -> Result<Option<Asked>, LedgerError> {
    let rows: Vec<Each<AskedRow>> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT environment AS key, environment, wanted, since, step, written FROM clock_asked WHERE environment = $1"
        )
        .bind(environment.as_str())
    )?;
    let (found, _): (Vec<(EnvironmentName, Asked)>, _) = apart(rows, "");
    Ok(found.into_iter().next().map(|(_, asked)| asked))
}

row! {
    struct WrittenRow {
        environment: String,
        written: Option<String>,
    }
}

/// The digests of the schedules that were written as of the last look, of all environments or of one.
pub async fn written(
    mut db: impl Access,
    only: Option<&EnvironmentName>,
) -> Result<Vec<(EnvironmentName, String)>, LedgerError> {
    let rows: Vec<WrittenRow> = on!(
        db,
        fetch_all,
        sqlx::query_as("SELECT environment, written FROM clock_asked WHERE environment = COALESCE($1, environment)")
            .bind(only.map(EnvironmentName::as_str))
    )?;
    // A name that is none belongs to nothing that is configured.
    let read =
        |row: WrittenRow| Some((row.environment.parse().ok()?, row.written.unwrap_or_else(|| ALL_SEEN.to_owned())));
    Ok(rows.into_iter().filter_map(read).collect())
}

/// What is asked for from now on, and what is written.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// What; `None`: nobody asks for anything.
    pub wanted: Option<&'a Target>,
    /// From when on.
    pub since: Timestamp,
    /// The digests of the schedules.
    pub written: &'a str,
}

/// Notes what is asked for from now on. False: somebody has noted something since `before` was read.
pub async fn step(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    before: Option<&Asked>,
    step: Step<'_>,
) -> Result<bool, LedgerError> {
    let wanted = step.wanted.map(|wanted| to_json("wanted", wanted)).transpose()?;
    let stored = match before {
        None => on!(
            tx,
            execute,
            sqlx::query(
                "INSERT INTO clock_asked (environment, wanted, since, step, written) VALUES ($1, $2, $3, 1, $4) \
                 ON CONFLICT (environment) DO NOTHING"
            )
            .bind(environment.as_str())
            .bind(&wanted)
            .bind(step.since.0)
            .bind(step.written)
        )?,
        Some(before) => on!(
            tx,
            execute,
            sqlx::query(
                "UPDATE clock_asked SET wanted = $1, since = $2, step = step + 1, written = $3 \
                 WHERE environment = $4 AND step = $5"
            )
            .bind(&wanted)
            .bind(step.since.0)
            .bind(step.written)
            .bind(environment.as_str())
            .bind(before.step)
        )?,
    };
    Ok(stored == 1)
}

/// Notes which schedules are written, where what is asked for stays the same.
pub async fn write(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    before: &Asked,
    written: &str,
) -> Result<(), LedgerError> {
    on!(
        tx,
        execute,
        sqlx::query("UPDATE clock_asked SET written = $1 WHERE environment = $2 AND step = $3")
            .bind(written)
            .bind(environment.as_str())
            .bind(before.step)
    )?;
    Ok(())
}

/// Changes with everything that the clock looks at: orders and what they begin or end are in the audit, runs tell when they went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    audit: i64,
    runs: i64,
    open: i64,
}

row! {
    struct StampRow {
        audit: i64,
        runs: i64,
        open: i64,
    }
}

/// The stamp of this moment: three looks at an index, where a look at all environments reads thousands of rows.
pub async fn stamp(mut db: impl Access) -> Result<Stamp, LedgerError> {
    let StampRow { audit, runs, open } = on!(
        db,
        fetch_one,
        sqlx::query_as(
            "SELECT (SELECT COALESCE(MAX(seq), 0) FROM audit) AS audit, \
             (SELECT COALESCE(MAX(updated_at), 0) FROM runs) AS runs, \
             (SELECT COUNT(*) FROM firings WHERE try_at IS NOT NULL) AS open"
        )
    )?;
    Ok(Stamp { audit, runs, open })
}
