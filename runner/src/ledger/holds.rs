//! Holds, freezes, keeps and stops: who asks others for what, until when, and how it ended.

use super::column::{Row, storable, to_json};
use super::error::LedgerError;
use super::store::{Access, Tx, now};
use crate::domain::answer::Actor;
use crate::domain::holds::{Ending, Hold, HoldNumber, Kind};
use crate::domain::ids::{ActorId, EnvironmentName, Timestamp};

/// A hold that begins.
#[derive(Debug, Clone)]
pub struct NewHold<'a> {
    /// What it asks for.
    pub kind: Kind,
    /// Of which environment; `None`: of all.
    pub environment: Option<&'a EnvironmentName>,
    /// Whose it is.
    pub by: &'a Actor,
    /// Who may go on beside them.
    pub only: Vec<ActorId>,
    /// Why.
    pub because: Option<&'a str>,
    /// Until when; `None` for a stop.
    pub until: Option<Timestamp>,
}

row! {
    struct HoldRow {
        number: i64,
        kind: String,
        environment: Option<String>,
        by_id: String,
        by_name: String,
        only_ids: String,
        because: Option<String>,
        began_at: i64,
        until_at: Option<i64>,
    }
}

impl TryFrom<HoldRow> for Hold {
    type Error = LedgerError;
    fn try_from(found: HoldRow) -> Result<Self, LedgerError> {
        let id = found.number.to_string();
        let row = Row { table: "holds", id: &id };
        let kind: Kind = row.text("kind", found.kind)?;
        if found.until_at.is_none() && kind != Kind::Stop {
            return Err(row.impossible("until_at", "only a stop is without an end"));
        }
        if found.environment.is_none() && matches!(kind, Kind::Hold | Kind::Keep) {
            return Err(row.impossible("environment", "a hold and a keep are of one environment"));
        }
        Ok(Self {
            number: HoldNumber(found.number),
            kind,
            environment: found.environment.map(|name| row.text("environment", name)).transpose()?,
            by: row.text("by_id", found.by_id)?,
            called: found.by_name,
            only: row.json("only_ids", &found.only_ids)?,
            because: found.because,
            began: Timestamp(found.began_at),
            until: found.until_at.map(Timestamp),
        })
    }
}

macro_rules! select_holds {
    ($rest:literal) => {
        concat!(
            "SELECT number, kind, environment, by_id, by_name, only_ids, because, began_at, until_at FROM holds ",
            $rest
        )
    };
}

/// A row with what it says, or why it cannot be read: one that somebody has broken by hand hides none of the others.
struct Each {
    number: i64,
    environment: Option<String>,
    kind: Option<String>,
    said: sqlx::Result<HoldRow>,
}

impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for Each
where
    &'static str: sqlx::ColumnIndex<R>,
    i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    Option<i64>: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    Option<String>: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let environment = row.try_get("environment").unwrap_or_default();
        let kind = row.try_get("kind").ok();
        Ok(Self { number: row.try_get("number")?, environment, kind, said: sqlx::FromRow::from_row(row) })
    }
}

/// A hold whose row says what no hold can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its number.
    pub number: HoldNumber,
    /// Of which environment, as far as that can be read.
    pub environment: Option<String>,
    /// It stands where a stop does, whatever else it says.
    pub is_stop: bool,
    /// Table, column and what is wrong with it.
    pub why: String,
}

/// Those that can be read, and the others.
fn apart(rows: Vec<Each>) -> (Vec<Hold>, Vec<Unreadable>) {
    let (mut all, mut broken) = (Vec::new(), Vec::new());
    for Each { number, environment, kind, said } in rows {
        match said.map_err(LedgerError::from).and_then(Hold::try_from) {
            Ok(hold) => all.push(hold),
            Err(error) => {
                let why = format!("hold {number}: {error}");
                let is_stop = kind.as_deref() == Some(Kind::Stop.as_str());
                broken.push(Unreadable { number: HoldNumber(number), environment, is_stop, why });
            }
        }
    }
    (all, broken)
}

/// The next number of holds and of what bends schedules: people call both by it.
pub(super) async fn number(mut tx: &mut Tx) -> Result<i64, LedgerError> {
    on!(
        tx,
        fetch_one,
        sqlx::query_scalar(
            "INSERT INTO counters (name, value) VALUES ('hold', 1) \
             ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value"
        )
    )
}

/// Begins one. `None`: another of its kind has the place, or began at the same moment.
pub async fn begin(mut tx: &mut Tx, new: NewHold<'_>) -> Result<Option<Hold>, LedgerError> {
    let NewHold { kind, environment, by, only, because, until } = new;
    let at = now(&mut *tx).await?;
    let place = environment.map_or("*", EnvironmentName::as_str);
    let slot = match kind {
        Kind::Keep => format!("{place} {}", by.id),
        Kind::Hold | Kind::Freeze | Kind::Stop => place.to_owned(),
    };
    let number = number(tx).await?;
    let only_ids = to_json("only_ids", &only)?;
    let because = because.map(storable);
    let called = storable(&by.name);
    let inserted = on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO holds (number, kind, environment, slot, by_id, by_name, only_ids, because, began_at, until_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING"
        )
        .bind(number)
        .bind(kind.as_str())
        .bind(environment.map(EnvironmentName::as_str))
        .bind(&slot)
        .bind(by.id.as_str())
        .bind(&called)
        .bind(&only_ids)
        .bind(&because)
        .bind(at.0)
        .bind(until.map(|until| until.0))
    )?;
    let number = HoldNumber(number);
    let environment = environment.cloned();
    let by = by.id.clone();
    Ok((inserted == 1).then_some(Hold { number, kind, environment, by, called, only, because, began: at, until }))
}

/// All that stand now, whatever they are about, oldest first; those that cannot be read beside them.
pub async fn readable(mut db: impl Access) -> Result<(Vec<Hold>, Vec<Unreadable>), LedgerError> {
    let at = now(&mut db).await?;
    let rows: Vec<Each> = on!(
        db,
        fetch_all,
        sqlx::query_as(select_holds!("WHERE ended_at IS NULL AND (until_at IS NULL OR until_at > $1) ORDER BY number"))
            .bind(at.0)
    )?;
    Ok(apart(rows))
}

/// One, also when it is over; `None` when there is none of that number, or it cannot be read.
pub async fn one(mut db: impl Access, number: i64) -> Result<Option<Hold>, LedgerError> {
    let rows: Vec<Each> = on!(db, fetch_all, sqlx::query_as(select_holds!("WHERE number = $1")).bind(number))?;
    Ok(apart(rows).0.into_iter().next())
}

/// All that stand now, for what changes something by them.
///
/// # Errors
/// Also where one of them cannot be read: nobody knows what it forbids.
pub async fn standing(db: impl Access) -> Result<Vec<Hold>, LedgerError> {
    let (all, broken) = readable(db).await?;
    match broken.first() {
        None => Ok(all),
        Some(first) => {
            let id = first.number.to_string();
            Err(Row { table: "holds", id: &id }.impossible("*", &first.why))
        }
    }
}

/// Those that nobody can read and whose end is not noted, also when their time is over: what can be taken away.
pub async fn unreadable(mut db: impl Access) -> Result<Vec<Unreadable>, LedgerError> {
    let rows: Vec<Each> = on!(db, fetch_all, sqlx::query_as(select_holds!("WHERE ended_at IS NULL ORDER BY number")))?;
    Ok(apart(rows).1)
}

/// Takes one away that cannot be read: by somebody, or because its time is over. False: it was over before.
pub async fn clear(mut tx: &mut Tx, broken: &Unreadable, by: Option<&ActorId>) -> Result<bool, LedgerError> {
    let at = now(&mut *tx).await?;
    let changed = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE holds SET ended_at = $1, ended_how = $2, ended_by = $3 WHERE number = $4 AND ended_at IS NULL"
        )
        .bind(at.0)
        .bind(if by.is_some() { "lifted" } else { "lapsed" })
        .bind(by.map(ActorId::as_str))
        .bind(broken.number.0)
    )?;
    Ok(changed == 1)
}

/// All that stood at some time after `since`, with the end that they came to, oldest first. For what looks: without those that
/// cannot be read, as what would change anything reads [`standing`].
pub async fn of_late(mut db: impl Access, since: Timestamp) -> Result<Vec<Hold>, LedgerError> {
    let rows: Vec<Each> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT number, kind, environment, by_id, by_name, only_ids, because, began_at, \
             CASE WHEN ended_at < COALESCE(until_at, ended_at + 1) THEN ended_at ELSE until_at END AS until_at FROM holds \
             WHERE (ended_at IS NULL OR ended_at > $1) AND (until_at IS NULL OR until_at > $1) ORDER BY number"
        )
        .bind(since.0)
    )?;
    let (all, broken) = apart(rows);
    for one in broken {
        tracing::debug!(hold.number = one.number.0, why = one.why, "a hold cannot be read");
    }
    Ok(all)
}

/// [`readable`], and nobody begins or ends one until the transaction ends.
pub async fn readable_until_the_end(tx: &mut Tx) -> Result<(Vec<Hold>, Vec<Unreadable>), LedgerError> {
    match tx {
        // The transaction has the whole database already.
        Tx::Sqlite(_) => {}
        Tx::Postgres(tx, _) => {
            sqlx::query("LOCK TABLE holds IN SHARE MODE").execute(&mut **tx).await?;
        }
    }
    readable(&mut *tx).await
}

/// Those whose time is over and whose end nobody has noted yet; those that cannot be read beside them.
pub async fn lapsed(mut db: impl Access) -> Result<(Vec<Hold>, Vec<Unreadable>), LedgerError> {
    let at = now(&mut db).await?;
    let rows: Vec<Each> = on!(
        db,
        fetch_all,
        sqlx::query_as(select_holds!("WHERE ended_at IS NULL AND until_at <= $1 ORDER BY number")).bind(at.0)
    )?;
    Ok(apart(rows))
}

/// Notes the end of one. False: somebody had noted it before.
pub async fn end(mut tx: &mut Tx, hold: &Hold, ending: &Ending) -> Result<bool, LedgerError> {
    let at = match (ending, hold.until) {
        (Ending::Lapsed, Some(until)) => until,
        _ => now(&mut *tx).await?,
    };
    let by = match ending {
        Ending::Lapsed => None,
        Ending::Lifted { by, .. } | Ending::Overridden { by, .. } => Some(by.as_str()),
    };
    let changed = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE holds SET ended_at = $1, ended_how = $2, ended_by = $3 WHERE number = $4 AND ended_at IS NULL"
        )
        .bind(at.0)
        .bind(ending.as_str())
        .bind(by)
        .bind(hold.number.0)
    )?;
    Ok(changed == 1)
}

/// The stop after which it has not been told yet that nothing runs any more. One that cannot be read tells nothing.
pub async fn unsettled_stop(mut db: impl Access) -> Result<Option<Hold>, LedgerError> {
    let rows: Vec<Each> = on!(
        db,
        fetch_all,
        sqlx::query_as(select_holds!("WHERE kind = 'stop' AND ended_at IS NULL AND still_at IS NULL ORDER BY number"))
    )?;
    Ok(apart(rows).0.into_iter().next())
}

/// Notes that after this stop nothing runs any more. False: that was noted before, or the stop is over.
pub async fn settle(mut tx: &mut Tx, stop: &Hold) -> Result<bool, LedgerError> {
    let at = now(&mut *tx).await?;
    let changed = on!(
        tx,
        execute,
        sqlx::query("UPDATE holds SET still_at = $1 WHERE number = $2 AND still_at IS NULL AND ended_at IS NULL")
            .bind(at.0)
            .bind(stop.number.0)
    )?;
    Ok(changed == 1)
}
