//! One row of `audit`, its hash, and what it means.
//!
//! The hashed text has no version number, and needs none: a column that came later is in it only where it is not NULL, so that
//! the text of older rows stays what it was, and a value that is put into an older row shows.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::domain::answer::Actor;
use crate::domain::audit::{Decision, Record};
use crate::domain::ids::{EnvironmentName, RunNumber, Timestamp};
use crate::ledger::column::{Row, storable, to_json};
use crate::ledger::error::LedgerError;

/// The door of what Tidegate does on nobody's behalf.
const DOOR: &str = "tidegate";

/// Something that somebody did or wanted.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// By which chat: `shell`.
    pub door: &'a str,
    /// Channel or thread in it.
    pub place: Option<&'a str>,
    /// The command's name.
    pub action: &'a str,
    /// On which environment.
    pub environment: Option<&'a EnvironmentName>,
    /// About, or leading to, which run.
    pub run: Option<RunNumber>,
    /// The words as typed.
    pub typed: Option<&'a str>,
    /// Why, in their words.
    pub because: Option<&'a str>,
    /// What was decided.
    pub decision: Decision,
    /// The rule that decided.
    pub rule: Option<&'a str>,
    /// What came of it: the word of the run's state right after, or of its end.
    pub result: Option<&'a str>,
    /// Whatever else is worth keeping.
    pub detail: Option<&'a serde_json::Value>,
}

impl<'a> Entry<'a> {
    /// What Tidegate itself did, on nobody's behalf: `action` is a word of [`crate::domain::audit::EVENTS`].
    #[must_use]
    pub fn of_tidegate(tidegate: &'a Actor, action: &'a str) -> Self {
        Self {
            actor: tidegate,
            door: DOOR,
            place: None,
            action,
            environment: None,
            run: None,
            typed: None,
            because: None,
            decision: Decision::Allowed,
            rule: None,
            result: None,
            detail: None,
        }
    }
}

/// All columns, for every SELECT, in the order of the fields.
pub(super) const COLUMNS: &str = "seq, prev, hash, at, actor_id, actor_name, door, place, action, environment, \
     run_number, typed, because, decision, rule, detail, result";

row! {
    /// A row of `audit`. The order of the fields is the order in the hashed JSON and must never change.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    pub(super) struct AuditRow {
        pub(super) seq: i64,
        pub(super) prev: String,
        #[serde(skip_serializing)]
        pub(super) hash: String,
        pub(super) at: i64,
        pub(super) actor_id: String,
        pub(super) actor_name: String,
        pub(super) door: String,
        pub(super) place: Option<String>,
        pub(super) action: String,
        pub(super) environment: Option<String>,
        pub(super) run_number: Option<i64>,
        pub(super) typed: Option<String>,
        pub(super) because: Option<String>,
        pub(super) decision: String,
        pub(super) rule: Option<String>,
        pub(super) detail: Option<String>,
        // What came with migration 100 and later: not in the text where it is NULL.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(super) result: Option<String>,
    }
}

/// True where a column holds what it never does: on SQLite any column can hold anything.
pub(super) fn unreadable(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Database(sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)))
}

/// Why entries cannot be shown: one of them cannot be read, or what the database says.
pub(super) fn untold(error: LedgerError) -> LedgerError {
    if unreadable(&error) {
        let why =
            "an entry of the audit was changed past Tidegate and cannot be read; `tidegate audit verify` names it";
        return LedgerError::Unread(why.to_owned());
    }
    error
}

impl AuditRow {
    pub(super) fn new(
        entry: &Entry<'_>,
        seq: i64,
        prev: String,
        at: Timestamp,
        detail: Option<String>,
    ) -> Result<Self, LedgerError> {
        let Entry { actor, door, place, action, environment, run, typed, because, decision, rule, result, detail: _ } =
            *entry;
        let mut row = Self {
            seq,
            prev,
            hash: String::new(),
            at: at.0,
            actor_id: actor.id.to_string(),
            actor_name: storable(&actor.name),
            door: storable(door),
            place: place.map(storable),
            action: storable(action),
            environment: environment.map(ToString::to_string),
            run_number: run.map(|run| run.0),
            typed: typed.map(storable),
            because: because.map(storable),
            decision: decision.as_str().to_owned(),
            rule: rule.map(storable),
            detail,
            result: result.map(storable),
        };
        row.hash = row.computed_hash()?;
        Ok(row)
    }

    /// The hashed text: the row as JSON without spaces, fields in the order above.
    pub(super) fn text(&self) -> Result<String, LedgerError> {
        to_json("hash", self)
    }

    /// The hash that the row should have.
    pub(super) fn computed_hash(&self) -> Result<String, LedgerError> {
        Ok(hash_of(&self.prev, &self.text()?))
    }
}

/// SHA-256 in hexadecimal over the hash before and the hashed text.
pub(super) fn hash_of(prev: &str, text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(prev.as_bytes());
    hash.update(text.as_bytes());
    hex::encode(hash.finalize())
}

impl TryFrom<AuditRow> for Record {
    type Error = LedgerError;
    fn try_from(found: AuditRow) -> Result<Self, LedgerError> {
        let id = found.seq.to_string();
        let row = Row { table: "audit", id: &id };
        Ok(Self {
            seq: found.seq,
            at: Timestamp(found.at),
            actor: Actor::person(row.text("actor_id", found.actor_id)?, found.actor_name),
            door: found.door,
            place: found.place,
            action: found.action,
            environment: found.environment,
            run: found.run_number.map(RunNumber),
            typed: found.typed,
            because: found.because,
            decision: row.text("decision", found.decision)?,
            rule: found.rule,
            result: found.result,
            detail: found.detail.map(|detail| row.json("detail", &detail)).transpose()?,
        })
    }
}
