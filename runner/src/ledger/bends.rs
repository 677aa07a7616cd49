//! What bends schedules for a while: skips, pauses, and what stays while people are warned. Keeps and bookings are holds, and changes
//! are runs.

use super::column::{Row, storable, to_json};
use super::error::LedgerError;
use super::store::{Access, Tx, now};
use super::unread::{Called, Each, Unread, apart};
use crate::domain::answer::Actor;
use crate::domain::ids::{ActorId, EnvironmentName, Timestamp};
use crate::domain::schedule::{Bend, Bent};
use crate::redact::without;

row! {
    struct BendRow {
        number: i64,
        environment: String,
        bend: String,
        by_id: String,
        by_name: String,
        because: Option<String>,
    }
}

impl TryFrom<BendRow> for (EnvironmentName, Bent) {
    type Error = LedgerError;
    fn try_from(found: BendRow) -> Result<Self, LedgerError> {
        let id = found.number.to_string();
        let row = Row { table: "bends", id: &id };
        let bent = Bent {
            number: found.number,
            by: row.text("by_id", found.by_id)?,
            called: found.by_name,
            because: found.because.map(without),
            bend: row.json("bend", &found.bend)?,
        };
        Ok((row.text("environment", found.environment)?, bent))
    }
}

fn kind(bend: &Bend) -> &'static str {
    match bend {
        Bend::Skip(_) => "skip",
        Bend::Pause { .. } => "pause",
        Bend::Keep { .. } => "keep",
        Bend::Visit { .. } => "visit",
        Bend::Grace { .. } => "grace",
        Bend::Booked { .. } => "booking",
    }
}

/// Notes one. `until`: after which it has no effect any more.
pub async fn begin(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    bend: Bend,
    until: Timestamp,
    by: &Actor,
    because: Option<&str>,
) -> Result<Bent, LedgerError> {
    let at = now(&mut *tx).await?;
    let number = super::holds::number(tx).await?;
    let text = to_json("bend", &bend)?;
    let (called, because) = (storable(&by.name), because.map(storable));
    on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO bends (number, environment, kind, bend, by_id, by_name, because, began_at, until_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        )
        .bind(number)
        .bind(environment.as_str())
        .bind(kind(&bend))
        .bind(&text)
        .bind(by.id.as_str())
        .bind(&called)
        .bind(&because)
        .bind(at.0)
        .bind(until.0)
    )?;
    Ok(Bent { number, by: by.id.clone(), called, because, bend })
}

/// Those that have an effect at or after `since`, of all environments, in the order in which they were made; those that cannot be
/// read beside them.
pub async fn standing(
    mut db: impl Access,
    since: Timestamp,
) -> Result<(Vec<(EnvironmentName, Bent)>, Vec<Unread>), LedgerError> {
    let rows: Vec<Each<BendRow, Called>> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT CAST(number AS TEXT) AS key, kind AS what, by_name AS called, number, environment, bend, by_id, by_name, because \
             FROM bends WHERE ended_at IS NULL AND until_at > $1 ORDER BY number"
        )
        .bind(since.0)
    )?;
    let (all, broken) = apart(rows, "what bends its schedules,");
    Ok((all, broken.into_iter().map(Unread::<Called>::told).collect()))
}

/// One, also when it is over; `None` when there is none of that number, or it cannot be read.
pub async fn one(mut db: impl Access, number: i64) -> Result<Option<Bent>, LedgerError> {
    let rows: Vec<Each<BendRow>> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT CAST(number AS TEXT) AS key, number, environment, bend, by_id, by_name, because FROM bends WHERE number = $1"
        )
        .bind(number)
    )?;
    let (all, _): (Vec<(EnvironmentName, Bent)>, _) = apart(rows, "what bends its schedules,");
    Ok(all.into_iter().next().map(|(_, bent)| bent))
}

/// Takes one away that cannot be read. False: somebody had before.
pub async fn clear(tx: &mut Tx, broken: &Unread, by: &ActorId) -> Result<bool, LedgerError> {
    match broken.id.parse() {
        Ok(number) => end(tx, number, by).await,
        Err(_) => Ok(false),
    }
}

/// Takes one back. False: somebody had taken it back before.
pub async fn end(mut tx: &mut Tx, number: i64, by: &ActorId) -> Result<bool, LedgerError> {
    let at = now(&mut *tx).await?;
    let changed = on!(
        tx,
        execute,
        sqlx::query("UPDATE bends SET ended_at = $1, ended_by = $2 WHERE number = $3 AND ended_at IS NULL")
            .bind(at.0)
            .bind(by.as_str())
            .bind(number)
    )?;
    Ok(changed == 1)
}

/// Ends a pause at `at`: what it bent until then it has bent.
pub async fn shorten(mut tx: &mut Tx, bent: &Bent, at: Timestamp) -> Result<(), LedgerError> {
    let Bend::Pause { from, .. } = bent.bend else { return Ok(()) };
    let text = to_json("bend", &Bend::Pause { from, until: Some(at) })?;
    on!(
        tx,
        execute,
        sqlx::query("UPDATE bends SET bend = $1, until_at = $2 WHERE number = $3")
            .bind(&text)
            .bind(at.0)
            .bind(bent.number)
    )?;
    Ok(())
}
