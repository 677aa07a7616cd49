//! How far the clock has looked, and what came of each transition that was due.

use std::collections::BTreeSet;

use super::column::{Row, places_from, storable, to_json};
use super::error::LedgerError;
use super::store::{Access, Tx};
use super::unread::{Each, Unread, apart};
use crate::domain::ids::{EnvironmentName, RunNumber, Timestamp};
use crate::domain::request::Target;

/// What came of a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The environment was to be there already.
    Nothing,
    /// A run was put into the queue.
    Queued,
    /// It was too late for it.
    Missed,
    /// Something stood against it.
    Refused,
    /// Its run ended as it should.
    Done,
    /// Its run did not.
    Failed,
}

impl Outcome {
    const ALL: [Self; 6] = [Self::Nothing, Self::Queued, Self::Missed, Self::Refused, Self::Done, Self::Failed];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Queued => "queued",
            Self::Missed => "missed",
            Self::Refused => "refused",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// A transition that was due, and what came of it so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firing {
    /// Of which environment.
    pub environment: EnvironmentName,
    /// Schedule and wall time with its offset.
    pub key: String,
    /// When it was due.
    pub due: Timestamp,
    /// How late it may still be carried out.
    pub until: Timestamp,
    /// What was wanted from then on.
    pub wanted: Target,
    /// What came of it.
    pub outcome: Outcome,
    /// The last run that it caused.
    pub run: Option<RunNumber>,
    /// How often it was tried, from 1.
    pub tries: i64,
    /// When it is tried again; `None`: it is not.
    pub try_at: Option<Timestamp>,
    /// Why it was refused.
    pub why: Option<String>,
}

row! {
    struct FiringRow {
        environment: String,
        key: String,
        due_at: i64,
        until_at: i64,
        wanted: String,
        outcome: String,
        run_number: Option<i64>,
        tries: i64,
        try_at: Option<i64>,
        why: Option<String>,
    }
}

impl TryFrom<FiringRow> for Firing {
    type Error = LedgerError;
    fn try_from(found: FiringRow) -> Result<Self, LedgerError> {
        let row = Row { table: "firings", id: &found.key };
        let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == found.outcome);
        Ok(Self {
            environment: row.text("environment", found.environment)?,
            due: Timestamp(found.due_at),
            until: Timestamp(found.until_at),
            wanted: row.json("wanted", &found.wanted)?,
            outcome: outcome.ok_or_else(|| row.impossible("outcome", format!("`{}` is none", found.outcome)))?,
            run: found.run_number.map(RunNumber),
            tries: found.tries,
            try_at: found.try_at.map(Timestamp),
            why: found.why,
            key: found.key.clone(),
        })
    }
}

/// How far the clock has looked; `None` before its first look.
pub async fn seen(mut db: impl Access) -> Result<Option<Timestamp>, LedgerError> {
    let at: Option<i64> = on!(db, fetch_optional, sqlx::query_scalar("SELECT seen_at FROM clock WHERE id = 1"))?;
    Ok(at.map(Timestamp))
}

/// Notes how far the clock has looked. It does not go back by that.
pub async fn see(mut tx: &mut Tx, until: Timestamp) -> Result<(), LedgerError> {
    on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO clock (id, seen_at) VALUES (1, $1) \
             ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at WHERE clock.seen_at < excluded.seen_at"
        )
        .bind(until.0)
    )?;
    Ok(())
}

/// Takes back how far the clock has looked: it was set back.
pub async fn set_back(mut tx: &mut Tx, to: Timestamp) -> Result<(), LedgerError> {
    on!(tx, execute, sqlx::query("UPDATE clock SET seen_at = $1 WHERE id = 1 AND seen_at > $1").bind(to.0))?;
    Ok(())
}

/// Stores what came of a transition. False: it was decided on before, by whoever.
pub async fn put(tx: &mut Tx, firing: &Firing, decided: Timestamp) -> Result<bool, LedgerError> {
    put_all(tx, std::slice::from_ref(firing), decided).await
}

/// [`put`] for several. False: some of them were decided on before, and the transaction is to be given up.
pub async fn put_all(mut tx: &mut Tx, firings: &[Firing], decided: Timestamp) -> Result<bool, LedgerError> {
    const COLUMNS: usize = 11;
    if firings.is_empty() {
        return Ok(true);
    }
    let rows: Vec<String> =
        (0..firings.len()).map(|row| format!("({})", places_from(row * COLUMNS + 1, COLUMNS))).collect();
    let sql = format!(
        "INSERT INTO firings (environment, key, due_at, decided_at, until_at, wanted, outcome, run_number, tries, try_at, why) \
         VALUES {} ON CONFLICT (environment, key) DO NOTHING",
        rows.join(", ")
    );
    let wanted: Vec<String> =
        firings.iter().map(|firing| to_json("wanted", &firing.wanted)).collect::<Result<_, LedgerError>>()?;
    let stored = on!(
        tx,
        execute,
        firings.iter().zip(&wanted).fold(sqlx::query(sqlx::AssertSqlSafe(sql.as_str())), |query, (firing, wanted)| {
            query
                .bind(firing.environment.as_str())
                .bind(storable(&firing.key))
                .bind(firing.due.0)
                .bind(decided.0)
                .bind(firing.until.0)
                .bind(wanted)
                .bind(firing.outcome.as_str())
                .bind(firing.run.map(|run| run.0))
                .bind(firing.tries)
                .bind(firing.try_at.map(|at| at.0))
                .bind(firing.why.as_deref().map(storable))
        })
    )?;
    Ok(usize::try_from(stored).is_ok_and(|stored| stored == firings.len()))
}

/// Notes that something of a transition is told. False: it was told before.
pub async fn tell_once(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    key: &str,
    what: &str,
    at: Timestamp,
) -> Result<bool, LedgerError> {
    let stored = on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO clock_told (environment, key, what, at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (environment, key, what) DO NOTHING"
        )
        .bind(environment.as_str())
        .bind(storable(key))
        .bind(what)
        .bind(at.0)
    )?;
    Ok(stored == 1)
}

/// Takes back that something of a transition was told, so that it is told anew where it is so again. False: it was not told.
pub async fn untell(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    key: &str,
    what: &str,
) -> Result<bool, LedgerError> {
    let gone = on!(
        tx,
        execute,
        sqlx::query("DELETE FROM clock_told WHERE environment = $1 AND key = $2 AND what = $3")
            .bind(environment.as_str())
            .bind(storable(key))
            .bind(what)
    )?;
    Ok(gone == 1)
}

/// Notes what came of a further try, or of its run. False: somebody had tried it since `firing` was read.
pub async fn change(mut tx: &mut Tx, before: &Firing, after: &Firing) -> Result<bool, LedgerError> {
    let why = after.why.as_deref().map(storable);
    let changed = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE firings SET outcome = $1, run_number = $2, tries = $3, try_at = $4, why = $5 \
             WHERE environment = $6 AND key = $7 AND tries = $8 AND outcome = $9"
        )
        .bind(after.outcome.as_str())
        .bind(after.run.map(|run| run.0))
        .bind(after.tries)
        .bind(after.try_at.map(|at| at.0))
        .bind(&why)
        .bind(before.environment.as_str())
        .bind(&before.key)
        .bind(before.tries)
        .bind(before.outcome.as_str())
    )?;
    Ok(changed == 1)
}

macro_rules! select_firings {
    ($rest:literal) => {
        concat!(
            "SELECT environment, key, due_at, until_at, wanted, outcome, run_number, tries, try_at, why FROM firings ",
            $rest
        )
    };
}

/// How [`open`] finds them.
pub(super) const OPEN: &str = select_firings!("WHERE try_at IS NOT NULL ORDER BY due_at, environment");

/// Those that are looked at again at a later time, the oldest first; those that cannot be read beside them.
pub async fn open(mut db: impl Access) -> Result<(Vec<Firing>, Vec<Unread>), LedgerError> {
    let rows: Vec<Each<FiringRow>> = on!(db, fetch_all, sqlx::query_as(OPEN))?;
    Ok(apart(rows, ""))
}

/// One of them.
pub async fn one(mut db: impl Access, environment: &EnvironmentName, key: &str) -> Result<Option<Firing>, LedgerError> {
    let row: Option<FiringRow> = on!(
        db,
        fetch_optional,
        sqlx::query_as(select_firings!("WHERE environment = $1 AND key = $2")).bind(environment.as_str()).bind(key)
    )?;
    row.map(Firing::try_from).transpose()
}

/// The environments and keys of those that were due between two moments, both in it.
pub async fn keys(
    mut db: impl Access,
    from: Timestamp,
    to: Timestamp,
) -> Result<BTreeSet<(String, String)>, LedgerError> {
    let rows: Vec<(String, String)> = on!(
        db,
        fetch_all,
        sqlx::query_as("SELECT environment, key FROM firings WHERE due_at BETWEEN $1 AND $2").bind(from.0).bind(to.0)
    )?;
    Ok(rows.into_iter().collect())
}

/// A key after `key` that none has yet: `working hours@2026-11-23T09:00+09:00#2`.
pub async fn free_key(mut db: impl Access, environment: &EnvironmentName, key: &str) -> Result<String, LedgerError> {
    let mut number = 2;
    loop {
        let free = format!("{key}#{number}");
        if one(&mut db, environment, &free).await?.is_none() {
            return Ok(free);
        }
        number += 1;
    }
}

/// The one whose last run this is.
pub async fn of_run(mut db: impl Access, run: RunNumber) -> Result<Option<Firing>, LedgerError> {
    let row: Option<FiringRow> =
        on!(db, fetch_optional, sqlx::query_as(select_firings!("WHERE run_number = $1")).bind(run.0))?;
    row.map(Firing::try_from).transpose()
}

/// Those that were due at this moment, by environment.
pub async fn due_at(mut db: impl Access, due: Timestamp) -> Result<Vec<Firing>, LedgerError> {
    let rows: Vec<FiringRow> =
        on!(db, fetch_all, sqlx::query_as(select_firings!("WHERE due_at = $1 ORDER BY environment, key")).bind(due.0))?;
    rows.into_iter().map(Firing::try_from).collect()
}
