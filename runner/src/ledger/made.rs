//! Environments that were made for one test: what each consists of, until when it lives, how far its end is.

use super::column::{Row, storable, to_json};
use super::error::LedgerError;
use super::store::{Access, Tx, now};
use super::unread::{Each, Unread, apart};
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};
use crate::domain::made::{Made, Range, Stage};
use crate::redact::without;

row! {
    struct MadeRow {
        id: i64,
        name: String,
        template: String,
        digest: String,
        definition: String,
        keep: String,
        pool: Option<String>,
        addresses: Option<String>,
        maker: String,
        because: Option<String>,
        made_at: i64,
        ends_at: i64,
        latest_at: i64,
        stage: String,
        run: i64,
        warned: i64,
        ended_by: Option<String>,
        anyway: i64,
        end_run: Option<i64>,
        tries: i64,
        try_at: Option<i64>,
        told: Option<String>,
        gone_at: Option<i64>,
    }
}

impl TryFrom<MadeRow> for Made {
    type Error = LedgerError;
    fn try_from(found: MadeRow) -> Result<Self, LedgerError> {
        let id = found.id.to_string();
        let row = Row { table: "made", id: &id };
        let stage: Stage = row.text("stage", found.stage)?;
        if (stage == Stage::Gone) != found.gone_at.is_some() {
            return Err(row.impossible("gone_at", "what is gone went at a moment, and nothing else did"));
        }
        let range = match (found.pool, found.addresses) {
            (Some(pool), Some(addresses)) => {
                let range: Range = row.text("addresses", addresses)?;
                Some((row.text("pool", pool)?, range.to_string()))
            }
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(row.impossible("addresses", "a range is from a pool"));
            }
        };
        Ok(Self {
            id: found.id,
            name: row.text("name", found.name)?,
            template: row.text("template", found.template)?,
            digest: found.digest,
            definition: found.definition,
            keep: row.json("keep", &found.keep)?,
            range,
            maker: row.json("maker", &found.maker)?,
            because: found.because.map(without),
            made: Timestamp(found.made_at),
            ends: Timestamp(found.ends_at),
            latest: Timestamp(found.latest_at),
            stage,
            run: RunNumber(found.run),
            warned: found.warned,
            ended_by: found.ended_by.map(|by| row.text("ended_by", by)).transpose()?,
            anyway: found.anyway != 0,
            end_run: found.end_run.map(RunNumber),
            tries: found.tries,
            try_at: found.try_at.map(Timestamp),
            told: found.told,
            gone: found.gone_at.map(Timestamp),
        })
    }
}

macro_rules! select_made {
    ($rest:literal) => {
        concat!(
            "SELECT CAST(id AS TEXT) AS key, name AS environment, id, name, template, digest, definition, keep, pool, addresses, maker, because, made_at, ends_at, \
             latest_at, stage, run, warned, ended_by, anyway, end_run, tries, try_at, told, gone_at FROM made ",
            $rest
        )
    };
}

row! {
    /// What counts of one that nobody can read: its range stays taken.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct Taken {
        pub(crate) addresses: Option<String>,
    }
}

/// One whose row says what none can say.
pub type Unreadable = Unread<Taken>;

/// All that exist, oldest first; those that cannot be read beside them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Existing {
    /// Those that can be read.
    pub all: Vec<Made>,
    /// The others.
    pub broken: Vec<Unreadable>,
}

/// One that is made.
#[derive(Debug)]
pub struct NewMade<'a> {
    /// It, with the number that [`next`] gave, as it begins.
    pub made: &'a Made,
}

/// The next number. Nobody else gets one, and so makes none, until the transaction ends.
pub async fn next(tx: &mut Tx) -> Result<i64, LedgerError> {
    counted(tx, "made").await
}

async fn counted(mut tx: &mut Tx, counter: &str) -> Result<i64, LedgerError> {
    on!(
        tx,
        fetch_one,
        sqlx::query_scalar(
            "INSERT INTO counters (name, value) VALUES ($1, 1) \
             ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value"
        )
        .bind(counter)
    )
}

/// A number that is another one whenever something of those that exist is otherwise.
pub async fn version(mut db: impl Access) -> Result<i64, LedgerError> {
    let found: Option<i64> =
        on!(db, fetch_optional, sqlx::query_scalar("SELECT value FROM counters WHERE name = 'made change'"))?;
    Ok(found.unwrap_or_default())
}

async fn changed(tx: &mut Tx) -> Result<(), LedgerError> {
    counted(tx, "made change").await.map(drop)
}

/// Stores one. False: its name or its range is somebody else's.
pub async fn insert(mut tx: &mut Tx, NewMade { made }: NewMade<'_>) -> Result<bool, LedgerError> {
    let (maker, keep) = (to_json("maker", &made.maker)?, to_json("keep", &made.keep)?);
    let because = made.because.as_deref().map(storable);
    let (pool, addresses) = made.range.as_ref().map(|(pool, range)| (pool.as_str(), range.as_str())).unzip();
    let inserted = on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO made (id, name, template, digest, definition, keep, pool, addresses, maker, because, made_at, \
             ends_at, latest_at, stage, run, warned) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT DO NOTHING"
        )
        .bind(made.id)
        .bind(made.name.as_str())
        .bind(made.template.as_str())
        .bind(&made.digest)
        .bind(&made.definition)
        .bind(&keep)
        .bind(pool)
        .bind(addresses)
        .bind(&maker)
        .bind(&because)
        .bind(made.made.0)
        .bind(made.ends.0)
        .bind(made.latest.0)
        .bind(made.stage.as_str())
        .bind(made.run.0)
        .bind(made.warned)
    )?;
    changed(tx).await?;
    Ok(inserted == 1)
}

/// All that exist.
pub async fn existing(mut db: impl Access) -> Result<Existing, LedgerError> {
    let rows: Vec<Each<MadeRow, Taken>> =
        on!(db, fetch_all, sqlx::query_as(select_made!("WHERE gone_at IS NULL ORDER BY id")))?;
    let (all, broken) = apart(rows, "");
    Ok(Existing { all, broken })
}

/// The one of this name that exists.
pub async fn by_name(mut db: impl Access, name: &EnvironmentName) -> Result<Option<Made>, LedgerError> {
    let row: Option<MadeRow> = on!(
        db,
        fetch_optional,
        sqlx::query_as(select_made!("WHERE name = $1 AND gone_at IS NULL")).bind(name.as_str())
    )?;
    row.map(Made::try_from).transpose()
}

/// The last one of this name that is gone.
pub async fn last_gone(mut db: impl Access, name: &EnvironmentName) -> Result<Option<Made>, LedgerError> {
    let row: Option<MadeRow> = on!(
        db,
        fetch_optional,
        sqlx::query_as(select_made!("WHERE name = $1 AND gone_at IS NOT NULL ORDER BY id DESC LIMIT 1"))
            .bind(name.as_str())
    )?;
    row.map(Made::try_from).transpose()
}

/// One by its number, also where it is gone.
pub async fn one(mut db: impl Access, id: i64) -> Result<Option<Made>, LedgerError> {
    let row: Option<MadeRow> = on!(db, fetch_optional, sqlx::query_as(select_made!("WHERE id = $1")).bind(id))?;
    row.map(Made::try_from).transpose()
}

/// Whether one of this name exists, also where its row cannot be read.
pub async fn exists(mut db: impl Access, name: &EnvironmentName) -> Result<bool, LedgerError> {
    let count: i64 = on!(
        db,
        fetch_one,
        sqlx::query_scalar("SELECT COUNT(*) FROM made WHERE name = $1 AND gone_at IS NULL").bind(name.as_str())
    )?;
    Ok(count > 0)
}

/// Those that are gone and of which that was not told yet.
pub async fn untold(mut db: impl Access) -> Result<Vec<Made>, LedgerError> {
    let rows: Vec<MadeRow> =
        on!(db, fetch_all, sqlx::query_as(select_made!("WHERE gone_at IS NOT NULL AND gone_told = 0 ORDER BY id")))?;
    rows.into_iter().map(Made::try_from).collect()
}

/// Notes that it was told. False: it was told before.
pub async fn gone_told(mut tx: &mut Tx, id: i64) -> Result<bool, LedgerError> {
    let done = on!(
        tx,
        execute,
        sqlx::query("UPDATE made SET gone_told = 1 WHERE id = $1 AND gone_at IS NOT NULL AND gone_told = 0").bind(id)
    )?;
    Ok(done == 1)
}

/// How far the one of this name is; nobody brings it further until the transaction ends. `None` where there is none.
pub async fn stage_until_the_end(mut tx: &mut Tx, name: &EnvironmentName) -> Result<Option<Stage>, LedgerError> {
    let found: Option<String> = on!(
        tx,
        fetch_optional,
        sqlx::query_scalar("UPDATE made SET warned = warned WHERE name = $1 AND gone_at IS NULL RETURNING stage")
            .bind(name.as_str())
    )?;
    let row = Row { table: "made", id: name.as_str() };
    found.map(|stage| row.text("stage", stage)).transpose()
}

/// Takes the next try to destroy one. False: somebody else has it.
pub async fn take_try(mut tx: &mut Tx, made: &Made) -> Result<bool, LedgerError> {
    let done = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE made SET tries = tries + 1 WHERE id = $1 AND stage = 'ending' AND end_run IS NULL AND tries = $2"
        )
        .bind(made.id)
        .bind(made.tries)
    )?;
    Ok(done == 1)
}

/// Brings one from one stage of its life into the next. False: it is not in that stage any more, or ends at another moment by now.
pub async fn step(mut tx: &mut Tx, made: &Made, to: Stage, by: Option<&ActorId>) -> Result<bool, LedgerError> {
    let done = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE made SET stage = $1, ended_by = $2, anyway = 0, told = NULL, tries = 0, try_at = NULL, end_run = NULL \
             WHERE id = $3 AND stage = $4 AND ends_at = $5 AND gone_at IS NULL"
        )
        .bind(to.as_str())
        .bind(by.map(ActorId::as_str))
        .bind(made.id)
        .bind(made.stage.as_str())
        .bind(made.ends.0)
    )?;
    changed(tx).await?;
    Ok(done == 1)
}

/// Whoever ended one did so whether or not a test runs in it.
pub async fn goes_anyway(mut tx: &mut Tx, made: &Made) -> Result<(), LedgerError> {
    on!(tx, execute, sqlx::query("UPDATE made SET anyway = 1 WHERE id = $1 AND stage = 'ending'").bind(made.id))?;
    Ok(())
}

/// Notes that its time is over and a test runs in it, as that is told, and when that is asked again. False: it ends at another moment, or
/// somebody noted it.
pub async fn waits(mut tx: &mut Tx, made: &Made, again: Timestamp, told: &str) -> Result<bool, LedgerError> {
    let told = storable(told);
    let done = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE made SET try_at = $1, told = $2 \
             WHERE id = $3 AND stage = $4 AND ends_at = $5 AND COALESCE(try_at, 0) = $6"
        )
        .bind(again.0)
        .bind(&told)
        .bind(made.id)
        .bind(made.stage.as_str())
        .bind(made.ends.0)
        .bind(made.try_at.map_or(0, |at| at.0))
    )?;
    changed(tx).await?;
    Ok(done == 1)
}

/// Lets one live until another moment; what was told ahead of its end is told again. False: it ends at another moment by now.
pub async fn extend(mut tx: &mut Tx, made: &Made, ends: Timestamp, warned: i64) -> Result<bool, LedgerError> {
    let done = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE made SET ends_at = $1, warned = $2, told = NULL, try_at = NULL \
             WHERE id = $3 AND ends_at = $4 AND stage IN ('making', 'living')"
        )
        .bind(ends.0)
        .bind(warned)
        .bind(made.id)
        .bind(made.ends.0)
    )?;
    changed(tx).await?;
    Ok(done == 1)
}

/// Gives one another definition. What is ending is tried again at once by that. False: it has another one by now, or a run destroys it.
pub async fn renew(mut tx: &mut Tx, made: &Made, to: &Made) -> Result<bool, LedgerError> {
    let keep = to_json("keep", &to.keep)?;
    let done = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE made SET digest = $1, definition = $2, keep = $3, \
             try_at = CASE WHEN stage = 'ending' THEN NULL ELSE try_at END \
             WHERE id = $4 AND digest = $5 AND (stage IN ('making', 'living') OR (stage = 'ending' AND end_run IS NULL))"
        )
        .bind(&to.digest)
        .bind(&to.definition)
        .bind(&keep)
        .bind(made.id)
        .bind(&made.digest)
    )?;
    changed(tx).await?;
    Ok(done == 1)
}

/// Notes that its end was told ahead so often. False: it was told already, or ends at another moment.
pub async fn warn(mut tx: &mut Tx, made: &Made, times: i64) -> Result<bool, LedgerError> {
    let done = on!(
        tx,
        execute,
        sqlx::query("UPDATE made SET warned = $1 WHERE id = $2 AND warned = $3 AND ends_at = $4")
            .bind(times)
            .bind(made.id)
            .bind(made.warned)
            .bind(made.ends.0)
    )?;
    Ok(done == 1)
}

/// Notes the run that is to destroy it. False: there is another one.
pub async fn destroys(mut tx: &mut Tx, made: &Made, run: RunNumber) -> Result<bool, LedgerError> {
    let done = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE made SET end_run = $1, try_at = NULL \
             WHERE id = $2 AND stage = 'ending' AND end_run IS NULL"
        )
        .bind(run.0)
        .bind(made.id)
    )?;
    changed(tx).await?;
    Ok(done == 1)
}

/// Notes that it is tried again at a moment, and what stands in the way as it is told. False: somebody noted it.
pub async fn again(mut tx: &mut Tx, made: &Made, at: Timestamp, told: &str) -> Result<bool, LedgerError> {
    let told = storable(told);
    let done = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE made SET end_run = NULL, try_at = $1, told = $2 \
             WHERE id = $3 AND stage = 'ending' AND COALESCE(end_run, 0) = $4 AND COALESCE(try_at, 0) = $5"
        )
        .bind(at.0)
        .bind(&told)
        .bind(made.id)
        .bind(made.end_run.map_or(0, |run| run.0))
        .bind(made.try_at.map_or(0, |at| at.0))
    )?;
    changed(tx).await?;
    Ok(done == 1)
}

/// Notes that the run is over that was to destroy it, and that another one is to go on at once. False: somebody noted it.
pub async fn resume(mut tx: &mut Tx, made: &Made) -> Result<bool, LedgerError> {
    let done = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE made SET end_run = NULL, try_at = NULL WHERE id = $1 AND stage = 'ending' AND end_run = $2"
        )
        .bind(made.id)
        .bind(made.end_run.map(|run| run.0))
    )?;
    changed(tx).await?;
    Ok(done == 1)
}

/// Nothing is left of the one of this name that is ending, by the run that destroyed it: name and range are free again, and what was
/// said about it ends with it. What happened stays.
pub async fn gone(mut tx: &mut Tx, name: &EnvironmentName, run: RunNumber) -> Result<bool, LedgerError> {
    if stage_until_the_end(tx, name).await?.is_none() {
        return Ok(false);
    }
    // What somebody asked for meanwhile would make it again: it is taken back first.
    let others: i64 = on!(
        tx,
        fetch_one,
        sqlx::query_scalar("SELECT COUNT(*) FROM runs WHERE environment = $1 AND ended_at IS NULL AND number <> $2")
            .bind(name.as_str())
            .bind(run.0)
    )?;
    if others > 0 {
        return Ok(false);
    }
    let at = now(&mut *tx).await?;
    let done = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE made SET stage = 'gone', gone_at = $1 WHERE name = $2 AND end_run = $3 AND stage = 'ending'"
        )
        .bind(at.0)
        .bind(name.as_str())
        .bind(run.0)
    )?;
    if done == 0 {
        return Ok(false);
    }
    changed(tx).await?;
    on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE environments SET wanted = NULL, wanted_before = NULL, wanted_before_run = NULL WHERE name = $1"
        )
        .bind(name.as_str())
    )?;
    on!(
        tx,
        execute,
        sqlx::query("UPDATE holds SET ended_at = $1, ended_how = 'lapsed' WHERE environment = $2 AND ended_at IS NULL")
            .bind(at.0)
            .bind(name.as_str())
    )?;
    on!(tx, execute, sqlx::query("DELETE FROM stacks WHERE environment = $1").bind(name.as_str()))?;
    on!(tx, execute, sqlx::query("DELETE FROM scaling_groups WHERE environment = $1").bind(name.as_str()))?;
    on!(tx, execute, sqlx::query("DELETE FROM tellings WHERE environment = $1").bind(name.as_str()))?;
    on!(tx, execute, sqlx::query("DELETE FROM places WHERE environment = $1").bind(name.as_str()))?;
    on!(tx, execute, sqlx::query("DELETE FROM proofs WHERE environment = $1").bind(name.as_str()))?;
    on!(
        tx,
        execute,
        sqlx::query("UPDATE schedules SET removed_at = $1 WHERE environment = $2 AND removed_at IS NULL")
            .bind(at.0)
            .bind(name.as_str())
    )?;
    on!(
        tx,
        execute,
        sqlx::query("UPDATE bends SET ended_at = $1 WHERE environment = $2 AND ended_at IS NULL")
            .bind(at.0)
            .bind(name.as_str())
    )?;
    on!(tx, execute, sqlx::query("DELETE FROM clock_asked WHERE environment = $1").bind(name.as_str()))?;
    on!(tx, execute, sqlx::query("DELETE FROM clock_told WHERE environment = $1").bind(name.as_str()))?;
    on!(tx, execute, sqlx::query("DELETE FROM firings WHERE environment = $1").bind(name.as_str()))?;
    Ok(true)
}
