//! Changes and plans of many environments, and how far each is.

use super::column::{Row, storable, to_json};
use super::error::LedgerError;
use super::store::{Access, Tx, now};
use crate::domain::answer::Actor;
use crate::domain::command::{CommandName, Order};
use crate::domain::ids::{EnvironmentName, RunNumber, Timestamp};
use crate::domain::rollout::{Came, End, Item, Rollout, Scope, stages};
use crate::redact::without;

/// A rollout that begins.
#[derive(Debug)]
pub struct NewRollout<'a> {
    /// Which environments are meant.
    pub scope: &'a Scope,
    /// What is asked of each.
    pub command: CommandName,
    /// Who asks.
    pub asker: &'a Actor,
    /// Through which door.
    pub door: &'a str,
    /// In which channel.
    pub channel: Option<&'a str>,
    /// In a direct message.
    pub direct: bool,
    /// As it was typed, without secrets.
    pub typed: &'a str,
    /// Why.
    pub because: Option<&'a str>,
    /// What is asked of which, in their order.
    pub orders: &'a [(EnvironmentName, Order)],
    /// To which part of it each of them belongs; parts go one after the other.
    pub parts: &'a [usize],
}

row! {
    struct RolloutRow {
        number: i64,
        scope: String,
        command: String,
        asker: String,
        door: String,
        channel: Option<String>,
        direct: i64,
        typed: String,
        because: Option<String>,
        began_at: i64,
        ended_at: Option<i64>,
        ended_how: Option<String>,
    }
}

row! {
    struct ItemRow {
        rollout: i64,
        place: i64,
        environment: String,
        stage: i64,
        asked: String,
        run: Option<i64>,
        came: Option<String>,
    }
}

impl TryFrom<RolloutRow> for Rollout {
    type Error = LedgerError;
    fn try_from(found: RolloutRow) -> Result<Self, LedgerError> {
        let id = found.number.to_string();
        let row = Row { table: "rollouts", id: &id };
        let ended = match (found.ended_at, found.ended_how) {
            (Some(at), Some(how)) => Some((Timestamp(at), row.text("ended_how", how)?)),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(row.impossible("ended_how", "it ended at a moment and somehow, or not at all"));
            }
        };
        Ok(Self {
            number: found.number,
            scope: row.text("scope", found.scope)?,
            command: row.json("command", &format!("{:?}", found.command))?,
            asker: row.json("asker", &found.asker)?,
            door: found.door,
            channel: found.channel,
            direct: found.direct != 0,
            typed: without(found.typed),
            because: found.because.map(without),
            began: Timestamp(found.began_at),
            ended,
            items: Vec::new(),
        })
    }
}

impl TryFrom<ItemRow> for (i64, Item) {
    type Error = LedgerError;
    fn try_from(found: ItemRow) -> Result<Self, LedgerError> {
        let id = format!("{}/{}", found.rollout, found.place);
        let row = Row { table: "rollout_items", id: &id };
        let item = Item {
            environment: row.text("environment", found.environment)?,
            stage: u32::try_from(found.stage).map_err(|why| row.impossible("stage", why))?,
            order: row.json("asked", &found.asked)?,
            run: found.run.map(RunNumber),
            came: found.came.map(|came| row.json("came", &came)).transpose()?,
        };
        Ok((found.rollout, item))
    }
}

macro_rules! select_rollouts {
    ($rest:literal) => {
        concat!(
            "SELECT number, scope, command, asker, door, channel, direct, typed, because, began_at, ended_at, ended_how \
             FROM rollouts ",
            $rest
        )
    };
}

macro_rules! select_items {
    ($rest:literal) => {
        concat!("SELECT rollout, place, environment, stage, asked, run, came FROM rollout_items ", $rest)
    };
}

/// Begins one. `None`: the same is being done to the same already.
pub async fn begin(mut tx: &mut Tx, new: NewRollout<'_>) -> Result<Option<Rollout>, LedgerError> {
    let NewRollout { scope, command, asker, door, channel, direct, typed, because, orders, parts } = new;
    let at = now(&mut *tx).await?;
    let number: i64 = on!(
        tx,
        fetch_one,
        sqlx::query_scalar(
            "INSERT INTO counters (name, value) VALUES ('rollout', 1) \
             ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value"
        )
    )?;
    let person = to_json("asker", asker)?;
    let (typed, because) = (storable(typed), because.map(storable));
    let inserted = on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO rollouts (number, scope, command, asker, door, channel, direct, typed, because, began_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING"
        )
        .bind(number)
        .bind(scope.to_string())
        .bind(command.as_str())
        .bind(&person)
        .bind(door)
        .bind(channel)
        .bind(i64::from(direct))
        .bind(&typed)
        .bind(&because)
        .bind(at.0)
    )?;
    if inserted == 0 {
        return Ok(None);
    }
    for (place, ((environment, order), stage)) in orders.iter().zip(stages(command, parts)).enumerate() {
        let order = to_json("asked", order)?;
        on!(
            tx,
            execute,
            sqlx::query(
                "INSERT INTO rollout_items (rollout, place, environment, stage, asked) VALUES ($1, $2, $3, $4, $5)"
            )
            .bind(number)
            .bind(i64::try_from(place).unwrap_or(i64::MAX))
            .bind(environment.as_str())
            .bind(i64::from(stage))
            .bind(&order)
        )?;
    }
    one(tx, number).await
}

/// One rollout with its environments.
pub async fn one(mut db: impl Access, number: i64) -> Result<Option<Rollout>, LedgerError> {
    let row: Option<RolloutRow> =
        on!(db, fetch_optional, sqlx::query_as(select_rollouts!("WHERE number = $1")).bind(number))?;
    let Some(row) = row else { return Ok(None) };
    let mut rollout = Rollout::try_from(row)?;
    let rows: Vec<ItemRow> =
        on!(db, fetch_all, sqlx::query_as(select_items!("WHERE rollout = $1 ORDER BY place")).bind(number))?;
    for row in rows {
        rollout.items.push(<(i64, Item)>::try_from(row)?.1);
    }
    Ok(Some(rollout))
}

/// The numbers of those that are not over, or of which something is still under way, oldest first.
pub async fn going(mut db: impl Access) -> Result<Vec<i64>, LedgerError> {
    on!(
        db,
        fetch_all,
        sqlx::query_scalar(
            "SELECT number FROM rollouts WHERE ended_at IS NULL OR number IN \
             (SELECT rollout FROM rollout_items WHERE run IS NOT NULL AND came IS NULL) ORDER BY number"
        )
    )
}

/// The same of one scope.
pub async fn going_of(mut db: impl Access, scope: &Scope) -> Result<Vec<i64>, LedgerError> {
    on!(
        db,
        fetch_all,
        sqlx::query_scalar(
            "SELECT number FROM rollouts WHERE scope = $1 AND (ended_at IS NULL OR number IN \
             (SELECT rollout FROM rollout_items WHERE run IS NOT NULL AND came IS NULL)) ORDER BY number"
        )
        .bind(scope.to_string())
    )
}

/// Those that change something and are not over, oldest first; nobody begins one until the transaction ends. One that cannot be read
/// keeps no other from beginning.
pub async fn changing_until_the_end(mut tx: &mut Tx) -> Result<Vec<Rollout>, LedgerError> {
    match tx {
        // The transaction has the whole database already.
        Tx::Sqlite(_) => {}
        Tx::Postgres(tx, _) => {
            sqlx::query("LOCK TABLE rollouts IN SHARE ROW EXCLUSIVE MODE").execute(&mut **tx).await?;
        }
    }
    let numbers: Vec<i64> = on!(
        tx,
        fetch_all,
        sqlx::query_scalar("SELECT number FROM rollouts WHERE ended_at IS NULL AND command <> $1 ORDER BY number")
            .bind(CommandName::Plan.as_str())
    )?;
    let mut all = Vec::new();
    for number in numbers {
        match one(&mut *tx, number).await {
            Ok(rollout) => all.extend(rollout),
            Err(error) if error.is_of_a_row() => {
                tracing::error!(rollout = number, %error, "a change of many environments cannot be read");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// Whether one is not over, and keeps it so until the end of the transaction: nobody ends it while one of its runs is made.
pub async fn goes_on(mut tx: &mut Tx, number: i64) -> Result<bool, LedgerError> {
    let changed = on!(
        tx,
        execute,
        sqlx::query("UPDATE rollouts SET number = number WHERE number = $1 AND ended_at IS NULL").bind(number)
    )?;
    Ok(changed == 1)
}

/// The numbers of those of a scope that are not over, and of the one that ended last.
pub async fn of_scope(mut db: impl Access, scope: &Scope) -> Result<Vec<i64>, LedgerError> {
    on!(
        db,
        fetch_all,
        sqlx::query_scalar(
            "SELECT number FROM rollouts WHERE scope = $1 AND (ended_at IS NULL OR number = \
             (SELECT MAX(number) FROM rollouts WHERE scope = $1 AND ended_at IS NOT NULL)) ORDER BY number"
        )
        .bind(scope.to_string())
    )
}

/// A run was made of an environment. False: one was before.
pub async fn begun(mut tx: &mut Tx, number: i64, place: usize, run: RunNumber) -> Result<bool, LedgerError> {
    let changed = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE rollout_items SET run = $1 WHERE rollout = $2 AND place = $3 AND run IS NULL AND came IS NULL"
        )
        .bind(run.0)
        .bind(number)
        .bind(i64::try_from(place).unwrap_or(i64::MAX))
    )?;
    Ok(changed == 1)
}

/// Notes what came of an environment. False: that was known.
pub async fn came(mut tx: &mut Tx, number: i64, place: usize, came: &Came) -> Result<bool, LedgerError> {
    let text = to_json("came", came)?;
    let changed = on!(
        tx,
        execute,
        sqlx::query("UPDATE rollout_items SET came = $1 WHERE rollout = $2 AND place = $3 AND came IS NULL")
            .bind(&text)
            .bind(number)
            .bind(i64::try_from(place).unwrap_or(i64::MAX))
    )?;
    Ok(changed == 1)
}

/// Ends one. False: it was over.
pub async fn end(mut tx: &mut Tx, number: i64, how: End) -> Result<bool, LedgerError> {
    let at = now(&mut *tx).await?;
    let changed = on!(
        tx,
        execute,
        sqlx::query("UPDATE rollouts SET ended_at = $1, ended_how = $2 WHERE number = $3 AND ended_at IS NULL")
            .bind(at.0)
            .bind(how.as_str())
            .bind(number)
    )?;
    Ok(changed == 1)
}
