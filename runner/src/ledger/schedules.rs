//! Schedules that people added by chat. Each wording is a row, which stays when it does not count any more.

use indexmap::IndexMap;

use super::column::{Row, storable, to_json};
use super::error::LedgerError;
use super::ids;
use super::store::{Access, Tx, now};
use super::unread::{Called, Each, Unread, apart};
use crate::domain::answer::Actor;
use crate::domain::ids::{ActorId, EnvironmentName, Timestamp};
use crate::domain::request::AskedAs;
use crate::domain::schedule::{Signed, Stored, Written};
use crate::redact::without;

row! {
    struct ScheduleRow {
        id: String,
        environment: String,
        name: String,
        written: String,
        added_at: i64,
        added_by: String,
        added_name: String,
        added_because: Option<String>,
        changed_at: Option<i64>,
        changed_by: Option<String>,
        changed_name: Option<String>,
        changed_because: Option<String>,
        added_as: Option<String>,
        changed_as: Option<String>,
    }
}

impl TryFrom<ScheduleRow> for Stored {
    type Error = LedgerError;
    fn try_from(found: ScheduleRow) -> Result<Self, LedgerError> {
        let row = Row { table: "schedules", id: &found.id };
        let keys: IndexMap<String, String> = row.json("written", &found.written)?;
        let asked_as = |column, text: Option<String>| -> Result<Option<AskedAs>, LedgerError> {
            text.map(|text| row.json(column, &text)).transpose()
        };
        let changed = match (found.changed_at, found.changed_by) {
            (None, None) => None,
            (Some(at), Some(by)) => Some(Signed {
                by: row.text("changed_by", by)?,
                called: found.changed_name.unwrap_or_default(),
                at: Timestamp(at),
                because: found.changed_because.map(without),
                asked_as: asked_as("changed_as", found.changed_as)?,
            }),
            (Some(_), None) | (None, Some(_)) => {
                return Err(row.impossible("changed_by", "who changed it and when belong together"));
            }
        };
        Ok(Self {
            environment: row.text("environment", found.environment)?,
            written: Written { name: found.name, keys },
            added: Signed {
                by: row.text("added_by", found.added_by)?,
                called: found.added_name,
                at: Timestamp(found.added_at),
                because: found.added_because.map(without),
                asked_as: asked_as("added_as", found.added_as)?,
            },
            changed,
            id: found.id,
        })
    }
}

/// Those that count and can be read, in the order in which they were added; of one environment where one is named.
pub async fn all(db: impl Access, only: Option<&EnvironmentName>) -> Result<Vec<Stored>, LedgerError> {
    Ok(readable(db, only).await?.0)
}

/// The same, with those beside them that cannot be read.
pub async fn readable(
    mut db: impl Access,
    only: Option<&EnvironmentName>,
) -> Result<(Vec<Stored>, Vec<Unread>), LedgerError> {
    let rows: Vec<Each<ScheduleRow, Called>> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT id AS key, name AS what, added_name AS called, id, environment, name, written, added_at, added_by, added_name, added_because, changed_at, changed_by, \
             changed_name, changed_because, added_as, changed_as FROM schedules \
             WHERE removed_at IS NULL AND environment = COALESCE($1, environment) ORDER BY added_at, id"
        )
        .bind(only.map(EnvironmentName::as_str))
    )?;
    let (all, broken) = apart(rows, "the schedule");
    Ok((all, broken.into_iter().map(Unread::<Called>::told).collect()))
}

/// Takes one away that cannot be read. False: somebody had before.
pub async fn clear(tx: &mut Tx, broken: &Unread, by: &ActorId) -> Result<bool, LedgerError> {
    removed(tx, &broken.id, by).await
}

/// Adds one, or gives the one that `before` is another wording. `None`: one of this name was added, or that one was changed or
/// removed, in the same moment.
pub async fn put(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    written: &Written,
    by: &Actor,
    because: Option<&str>,
    before: Option<&Stored>,
) -> Result<Option<Stored>, LedgerError> {
    let at = now(&mut *tx).await?;
    let signed = Signed {
        by: by.id.clone(),
        called: storable(&by.name),
        at,
        because: because.map(str::to_owned),
        asked_as: Some(AskedAs::of(by)),
    };
    let stored = Stored {
        id: ids::key(at).to_string(),
        environment: environment.clone(),
        written: written.clone(),
        added: before.map_or_else(|| signed.clone(), |before| before.added.clone()),
        changed: before.is_some().then_some(signed),
    };
    if let Some(before) = before
        && !remove(tx, before, by).await?
    {
        return Ok(None);
    }
    let keys = to_json("written", &written.keys)?;
    let changed = stored.changed.as_ref();
    let inserted = on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO schedules (id, environment, name, written, added_at, added_by, added_name, added_because, changed_at, \
             changed_by, changed_name, changed_because, added_as, changed_as) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
             ON CONFLICT DO NOTHING"
        )
        .bind(&stored.id)
        .bind(environment.as_str())
        .bind(storable(&written.name))
        .bind(&keys)
        .bind(stored.added.at.0)
        .bind(stored.added.by.as_str())
        .bind(&stored.added.called)
        .bind(stored.added.because.as_deref().map(storable))
        .bind(changed.map(|signed| signed.at.0))
        .bind(changed.map(|signed| signed.by.as_str()))
        .bind(changed.map(|signed| signed.called.as_str()))
        .bind(changed.and_then(|signed| signed.because.as_deref()).map(storable))
        .bind(typed_as("added_as", Some(&stored.added))?)
        .bind(typed_as("changed_as", changed)?)
    )?;
    Ok((inserted == 1).then_some(stored))
}

/// What somebody was in the chat, for this column.
fn typed_as(column: &'static str, signed: Option<&Signed>) -> Result<Option<String>, LedgerError> {
    signed.and_then(|signed| signed.asked_as.as_ref()).map(|asked_as| to_json(column, asked_as)).transpose()
}

/// Notes that one does not count any more. False: somebody had changed or removed it before.
pub async fn remove(tx: &mut Tx, stored: &Stored, by: &Actor) -> Result<bool, LedgerError> {
    removed(tx, &stored.id, &by.id).await
}

async fn removed(mut tx: &mut Tx, id: &str, by: &ActorId) -> Result<bool, LedgerError> {
    let at = now(&mut *tx).await?;
    let changed = on!(
        tx,
        execute,
        sqlx::query("UPDATE schedules SET removed_at = $1, removed_by = $2 WHERE id = $3 AND removed_at IS NULL")
            .bind(at.0)
            .bind(by.as_str())
            .bind(id)
    )?;
    Ok(changed == 1)
}
