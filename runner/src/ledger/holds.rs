//! Holds, freezes, keeps and stops: who asks others for what, until when, and how it ended.

use super::column::{Row, storable, to_json};
use super::error::LedgerError;
use super::store::{Access, Tx, now};
use super::unread::{self, Unread};
use crate::domain::answer::Actor;
use crate::domain::holds::{Booked, Ending, Hold, HoldNumber, Kind};
use crate::domain::ids::{ActorId, EnvironmentName, Timestamp};
use crate::redact::without;

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
        asks: Option<String>,
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
        if found.environment.is_none() && matches!(kind, Kind::Hold | Kind::Keep | Kind::Booking) {
            return Err(row.impossible("environment", "a hold, a keep and a booking are of one environment"));
        }
        if found.asks.is_some() != (kind == Kind::Booking) {
            return Err(row.impossible("asks", "a booking, and nothing else, asks for a level"));
        }
        Ok(Self {
            number: HoldNumber(found.number),
            kind,
            environment: found.environment.map(|name| row.text("environment", name)).transpose()?,
            by: row.text("by_id", found.by_id)?,
            called: found.by_name,
            only: row.json("only_ids", &found.only_ids)?,
            because: found.because.map(without),
            began: Timestamp(found.began_at),
            until: found.until_at.map(Timestamp),
            booked: found.asks.map(|asks| row.json("asks", &asks)).transpose()?,
        })
    }
}

macro_rules! select_holds {
    ($rest:literal) => {
        concat!(
            "SELECT CAST(number AS TEXT) AS key, number, kind, environment, by_id, by_name, only_ids, because, began_at, \
             until_at, asks FROM holds ",
            $rest
        )
    };
}

row! {
    /// What counts of a hold that nobody can read.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct Stands {
        kind: Option<String>,
    }
}

/// A hold whose row says what no hold can say.
pub type Unreadable = Unread<Stands>;

impl Unreadable {
    /// Its number.
    #[must_use]
    pub fn number(&self) -> HoldNumber {
        HoldNumber(self.id.parse().unwrap_or_default())
    }

    /// It stands where a stop does, whatever else it says.
    #[must_use]
    pub fn is_stop(&self) -> bool {
        self.rest.kind.as_deref() == Some(Kind::Stop.as_str())
    }
}

type Each = unread::Each<HoldRow, Stands>;

fn apart(rows: Vec<Each>) -> (Vec<Hold>, Vec<Unreadable>) {
    unread::apart(rows, "hold")
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
        Kind::Hold | Kind::Freeze | Kind::Stop | Kind::Booking => place.to_owned(),
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
    Ok((inserted == 1).then_some(Hold {
        number,
        kind,
        environment,
        by,
        called,
        only,
        because,
        began: at,
        until,
        booked: None,
    }))
}

/// A booking.
#[derive(Debug, Clone)]
pub struct NewBooking<'a> {
    /// Of which environment.
    pub environment: &'a EnvironmentName,
    /// Whose it is.
    pub by: &'a Actor,
    /// Who may go on beside them.
    pub only: Vec<ActorId>,
    /// Why.
    pub because: Option<&'a str>,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// What.
    pub booked: Booked,
}

/// Notes a booking. That no other one is in its way is for whoever has asked [`bookings_until_the_end`] in the same transaction.
pub async fn book(mut tx: &mut Tx, new: NewBooking<'_>) -> Result<Hold, LedgerError> {
    let NewBooking { environment, by, only, because, from, until, booked } = new;
    let number = number(tx).await?;
    let only_ids = to_json("only_ids", &only)?;
    let asks = to_json("asks", &booked)?;
    let because = because.map(storable);
    let called = storable(&by.name);
    on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO holds (number, kind, environment, slot, by_id, by_name, only_ids, because, began_at, until_at, asks) \
             VALUES ($1, 'booking', $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        )
        .bind(number)
        .bind(environment.as_str())
        // There may be several of one environment.
        .bind(format!("{environment} {number}"))
        .bind(by.id.as_str())
        .bind(&called)
        .bind(&only_ids)
        .bind(&because)
        .bind(from.0)
        .bind(until.0)
        .bind(&asks)
    )?;
    Ok(Hold {
        number: HoldNumber(number),
        kind: Kind::Booking,
        environment: Some(environment.clone()),
        by: by.id.clone(),
        called,
        only,
        because,
        began: from,
        until: Some(until),
        booked: Some(Box::new(booked)),
    })
}

/// Notes what was wanted as a booking began.
pub async fn note_before(mut tx: &mut Tx, booking: HoldNumber, booked: &Booked) -> Result<(), LedgerError> {
    let asks = to_json("asks", booked)?;
    on!(
        tx,
        execute,
        sqlx::query("UPDATE holds SET asks = $1 WHERE number = $2 AND kind = 'booking'").bind(&asks).bind(booking.0)
    )?;
    Ok(())
}

/// The bookings that are not over, of one environment or of all, the earliest first; those that cannot be read beside them.
pub async fn bookings(
    mut db: impl Access,
    only: Option<&EnvironmentName>,
) -> Result<(Vec<Hold>, Vec<Unreadable>), LedgerError> {
    let at = now(&mut db).await?;
    let rows: Vec<Each> = on!(
        db,
        fetch_all,
        sqlx::query_as(select_holds!(
            "WHERE kind = 'booking' AND ended_at IS NULL AND until_at > $1 AND ($2 IS NULL OR environment = $2) \
             ORDER BY began_at, number"
        ))
        .bind(at.0)
        .bind(only.map(EnvironmentName::as_str))
    )?;
    Ok(apart(rows))
}

/// [`bookings`] of one environment, and nobody begins or ends one until the transaction ends.
pub async fn bookings_until_the_end(
    tx: &mut Tx,
    environment: &EnvironmentName,
) -> Result<(Vec<Hold>, Vec<Unreadable>), LedgerError> {
    match tx {
        // The transaction has the whole database already.
        Tx::Sqlite(_) => {}
        Tx::Postgres(tx, _) => {
            sqlx::query("LOCK TABLE holds IN SHARE ROW EXCLUSIVE MODE").execute(&mut **tx).await?;
        }
    }
    bookings(&mut *tx, Some(environment)).await
}

/// All that stand now, whatever they are about, oldest first; those that cannot be read beside them.
pub async fn readable(mut db: impl Access) -> Result<(Vec<Hold>, Vec<Unreadable>), LedgerError> {
    let at = now(&mut db).await?;
    let rows: Vec<Each> = on!(
        db,
        fetch_all,
        sqlx::query_as(select_holds!(
            "WHERE ended_at IS NULL AND (until_at IS NULL OR until_at > $1) AND (kind <> 'booking' OR began_at <= $1) \
             ORDER BY number"
        ))
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
        Some(first) => Err(first.clone().into()),
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
            "UPDATE holds SET ended_at = $1, ended_how = $2, ended_by = $3 WHERE CAST(number AS TEXT) = $4 AND ended_at IS NULL"
        )
        .bind(at.0)
        .bind(if by.is_some() { "lifted" } else { "lapsed" })
        .bind(by.map(ActorId::as_str))
        .bind(&broken.id)
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
            "SELECT CAST(number AS TEXT) AS key, number, kind, environment, by_id, by_name, only_ids, because, began_at, \
             CASE WHEN ended_at < COALESCE(until_at, ended_at + 1) THEN ended_at ELSE until_at END AS until_at, asks FROM holds \
             WHERE (ended_at IS NULL OR ended_at > $1) AND (until_at IS NULL OR until_at > $1) ORDER BY number"
        )
        .bind(since.0)
    )?;
    let (all, broken) = apart(rows);
    for one in broken {
        tracing::debug!(hold.number = one.id, why = one.why, "a hold cannot be read");
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
