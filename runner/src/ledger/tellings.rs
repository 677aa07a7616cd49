//! Who wants to be told once that an environment is free.

use super::column::Row;
use super::error::LedgerError;
use super::store::{Access, Tx, now};
use super::unread::{Each, apart};
use crate::domain::ids::{ActorId, EnvironmentName, Timestamp};

/// Somebody waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// For which environment.
    pub environment: EnvironmentName,
    /// Who.
    pub who: ActorId,
    /// Since when.
    pub began: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

row! {
    struct TellingRow {
        environment: String,
        who: String,
        began_at: i64,
        until_at: i64,
    }
}

impl TryFrom<TellingRow> for Telling {
    type Error = LedgerError;
    fn try_from(found: TellingRow) -> Result<Self, LedgerError> {
        let row = Row { table: "tellings", id: &found.who };
        Ok(Self {
            environment: row.text("environment", found.environment)?,
            who: row.text("who", found.who.clone())?,
            began: Timestamp(found.began_at),
            until: Timestamp(found.until_at),
        })
    }
}

/// Somebody wants to be told, for so many milliseconds from now. Gives until when, and whether they waited already; who did
/// waits longer.
pub async fn wait(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    who: &ActorId,
    for_ms: i64,
) -> Result<(Timestamp, bool), LedgerError> {
    let at = now(&mut *tx).await?;
    let until = at.plus_ms(for_ms);
    let before: Option<i64> = on!(
        tx,
        fetch_optional,
        sqlx::query_scalar("SELECT until_at FROM tellings WHERE environment = $1 AND who = $2")
            .bind(environment.as_str())
            .bind(who.as_str())
    )?;
    on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO tellings (environment, who, began_at, until_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (environment, who) DO UPDATE SET until_at = excluded.until_at"
        )
        .bind(environment.as_str())
        .bind(who.as_str())
        .bind(at.0)
        .bind(until.0)
    )?;
    Ok((until, before.is_some()))
}

/// All who wait, longest first. Nobody can be told by a row that cannot be read: it keeps nobody else from being told.
pub async fn all(mut db: impl Access) -> Result<Vec<Telling>, LedgerError> {
    let rows: Vec<Each<TellingRow>> = on!(
        db,
        fetch_all,
        sqlx::query_as("SELECT who AS key, environment, who, began_at, until_at FROM tellings ORDER BY began_at, who")
    )?;
    let (all, broken) = apart(rows, "who waits,");
    for one in broken {
        tracing::debug!(why = one.why, "a row of those who wait cannot be read");
    }
    Ok(all)
}

/// They wait no more. False: somebody told them before.
pub async fn end(mut tx: &mut Tx, telling: &Telling) -> Result<bool, LedgerError> {
    let changed = on!(
        tx,
        execute,
        sqlx::query("DELETE FROM tellings WHERE environment = $1 AND who = $2")
            .bind(telling.environment.as_str())
            .bind(telling.who.as_str())
    )?;
    Ok(changed == 1)
}
