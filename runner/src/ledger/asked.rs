//! What schedules, with what people bend, asked for as of the clock's last look. Who sets the next step decides on the transition.

use std::collections::BTreeMap;

use super::column::{Row, to_json};
use super::error::LedgerError;
use super::store::{Access, Tx};
use crate::domain::ids::{EnvironmentName, Timestamp};
use crate::domain::request::Target;

/// What was asked for as of the last look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What; `None`: nobody asked for anything.
    pub wanted: Option<Target>,
    /// From when on.
    pub since: Timestamp,
    /// How often it had changed by then, from 1.
    pub step: i64,
}

row! {
    struct AskedRow {
        environment: String,
        wanted: Option<String>,
        since: i64,
        step: i64,
    }
}

impl TryFrom<AskedRow> for (EnvironmentName, Asked) {
    type Error = LedgerError;
    fn try_from(found: AskedRow) -> Result<Self, LedgerError> {
        let row = Row { table: "clock_asked", id: &found.environment };
        let wanted = found.wanted.as_deref().map(|wanted| row.json("wanted", wanted)).transpose()?;
        let environment = row.text("environment", found.environment.clone())?;
        Ok((environment, Asked { wanted, since: Timestamp(found.since), step: found.step }))
    }
}

/// Of all environments that were looked at.
pub async fn all(mut db: impl Access) -> Result<BTreeMap<EnvironmentName, Asked>, LedgerError> {
    let rows: Vec<AskedRow> =
        on!(db, fetch_all, sqlx::query_as("SELECT environment, wanted, since, step FROM clock_asked"))?;
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// Notes what is asked for from now on. False: somebody has noted something since `before` was read.
pub async fn step(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    before: Option<&Asked>,
    wanted: Option<&Target>,
    since: Timestamp,
) -> Result<bool, LedgerError> {
    let wanted = wanted.map(|wanted| to_json("wanted", wanted)).transpose()?;
    let stored = match before {
        None => on!(
            tx,
            execute,
            sqlx::query(
                "INSERT INTO clock_asked (environment, wanted, since, step) VALUES ($1, $2, $3, 1) \
                 ON CONFLICT (environment) DO NOTHING"
            )
            .bind(environment.as_str())
            .bind(&wanted)
            .bind(since.0)
        )?,
        Some(before) => on!(
            tx,
            execute,
            sqlx::query(
                "UPDATE clock_asked SET wanted = $1, since = $2, step = step + 1 WHERE environment = $3 AND step = $4"
            )
            .bind(&wanted)
            .bind(since.0)
            .bind(environment.as_str())
            .bind(before.step)
        )?,
    };
    Ok(stored == 1)
}
