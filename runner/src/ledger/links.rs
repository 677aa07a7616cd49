//! Who said of two ids that both are theirs, and the codes by which that is said.

use sha2::{Digest as _, Sha256};

use super::column::{Row, storable};
use super::error::LedgerError;
use super::store::{Access, Tx, now};
use super::unread::{Each, Unread, apart};
use crate::domain::access::{LINGERS_MS, Link};
use crate::domain::answer::Actor;
use crate::domain::audit::Decision;
use crate::domain::command::CommandName;
use crate::domain::ids::{ActorId, Timestamp};
use crate::domain::link::{Code, Unreadable};

row! {
    struct LinkRow {
        number: i64,
        one_id: String,
        one_name: String,
        other_id: String,
        other_name: String,
        began_at: i64,
        ended_at: Option<i64>,
    }
}

impl TryFrom<LinkRow> for Link {
    type Error = LedgerError;
    fn try_from(found: LinkRow) -> Result<Self, LedgerError> {
        let id = found.number.to_string();
        let row = Row { table: "links", id: &id };
        Ok(Self {
            number: found.number,
            ids: [row.text("one_id", found.one_id)?, row.text("other_id", found.other_id)?],
            called: [found.one_name, found.other_name],
            began: Timestamp(found.began_at),
            ended: found.ended_at.map(Timestamp),
        })
    }
}

row! {
    struct CodeRow {
        who: String,
        name: String,
    }
}

/// All that stand, and those that ended not long ago, in the order in which they were made; those that cannot be read beside them.
pub async fn readable(mut db: impl Access) -> Result<(Vec<Link>, Vec<Unreadable>), LedgerError> {
    let since = now(&mut db).await?.plus_ms(-LINGERS_MS);
    let rows: Vec<Each<LinkRow>> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT CAST(number AS TEXT) AS key, number, one_id, one_name, other_id, other_name, began_at, ended_at FROM links \
             WHERE ended_at IS NULL OR ended_at > $1 ORDER BY number"
        )
        .bind(since.0)
    )?;
    let (all, broken) = apart(rows, "link");
    let unreadable = |Unread { id, why, .. }: Unread| Unreadable { number: id.parse().unwrap_or_default(), why };
    Ok((all, broken.into_iter().map(unreadable).collect()))
}

/// Takes one away that cannot be read, for good: whom it is about nobody knows. False: it is gone.
pub async fn clear(mut tx: &mut Tx, broken: &Unreadable) -> Result<bool, LedgerError> {
    let gone = on!(tx, execute, sqlx::query("DELETE FROM links WHERE number = $1").bind(broken.number))?;
    Ok(gone == 1)
}

/// Takes codes away that others have read. How many there were.
pub async fn forget(mut tx: &mut Tx, codes: &[Code]) -> Result<u64, LedgerError> {
    let mut gone = 0;
    for code in codes {
        gone += on!(tx, execute, sqlx::query("DELETE FROM link_codes WHERE digest = $1").bind(digest(code)))?;
    }
    Ok(gone)
}

/// Keeps the digest of a code for somebody, in the place of an earlier one, for so many milliseconds from now. Gives until when.
pub async fn ask(mut tx: &mut Tx, who: &Actor, code: &Code, for_ms: i64) -> Result<Timestamp, LedgerError> {
    let at = now(&mut *tx).await?;
    let until = at.plus_ms(for_ms);
    on!(tx, execute, sqlx::query("DELETE FROM link_codes WHERE until_at <= $1").bind(at.0))?;
    let name = storable(&who.name);
    on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO link_codes (who, name, digest, until_at) VALUES ($1, $2, $3, $4) ON CONFLICT (who) DO UPDATE \
             SET name = excluded.name, digest = excluded.digest, until_at = excluded.until_at"
        )
        .bind(who.id.as_str())
        .bind(&name)
        .bind(digest(code))
        .bind(until.0)
    )?;
    Ok(until)
}

/// Whose code this is, as long as it can be said.
pub async fn whose(mut tx: &mut Tx, code: &Code) -> Result<Option<Actor>, LedgerError> {
    let at = now(&mut *tx).await?;
    let row: Option<CodeRow> = on!(
        tx,
        fetch_optional,
        sqlx::query_as("SELECT who, name FROM link_codes WHERE digest = $1 AND until_at > $2")
            .bind(digest(code))
            .bind(at.0)
    )?;
    let read = |found: CodeRow| {
        let id: ActorId = Row { table: "link_codes", id: &found.who }.text("who", found.who.clone())?;
        Ok(Actor::person(id, found.name))
    };
    row.map(read).transpose()
}

/// Takes a code, so that nobody can say it again, and notes the link. `None`: somebody said it in the same moment.
pub async fn begin(mut tx: &mut Tx, code: &Code, one: &Actor, other: &Actor) -> Result<Option<Link>, LedgerError> {
    let taken = on!(tx, execute, sqlx::query("DELETE FROM link_codes WHERE digest = $1").bind(digest(code)))?;
    if taken != 1 {
        return Ok(None);
    }
    let at = now(&mut *tx).await?;
    let number: i64 = on!(
        tx,
        fetch_one,
        sqlx::query_scalar(
            "INSERT INTO counters (name, value) VALUES ('link', 1) \
             ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value"
        )
    )?;
    let called = [storable(&one.name), storable(&other.name)];
    on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO links (number, one_id, one_name, other_id, other_name, began_at) VALUES ($1, $2, $3, $4, $5, $6)"
        )
        .bind(number)
        .bind(one.id.as_str())
        .bind(&called[0])
        .bind(other.id.as_str())
        .bind(&called[1])
        .bind(at.0)
    )?;
    Ok(Some(Link { number, ids: [one.id.clone(), other.id.clone()], called, began: at, ended: None }))
}

/// Notes the end of one. False: it was over before.
pub async fn end(mut tx: &mut Tx, link: &Link, by: &ActorId) -> Result<bool, LedgerError> {
    let at = now(&mut *tx).await?;
    let changed = on!(
        tx,
        execute,
        sqlx::query("UPDATE links SET ended_at = $1, ended_by = $2 WHERE number = $3 AND ended_at IS NULL")
            .bind(at.0)
            .bind(by.as_str())
            .bind(link.number)
    )?;
    Ok(changed == 1)
}

/// How many codes an id has said wrongly since: the audit has them, as a refusal stores nothing else.
pub async fn wrong_since(mut tx: &mut Tx, who: &ActorId, rule: &str, since: Timestamp) -> Result<i64, LedgerError> {
    on!(
        tx,
        fetch_one,
        sqlx::query_scalar(
            "SELECT COUNT(*) FROM audit WHERE actor_id = $1 AND at > $2 AND action = $3 AND decision = $4 AND rule = $5"
        )
        .bind(who.as_str())
        .bind(since.0)
        .bind(CommandName::Link.action())
        .bind(Decision::Refused.as_str())
        .bind(rule)
    )
}

fn digest(code: &Code) -> String {
    hex::encode(Sha256::digest(code.as_str()))
}
