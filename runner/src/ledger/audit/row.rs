//! One row of `audit`, its hash, and what it means.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::domain::answer::Actor;
use crate::domain::ids::{EnvironmentName, RunNumber, Timestamp};
use crate::ledger::column::{Row, storable, to_json};
use crate::ledger::error::LedgerError;

/// What was decided about what somebody wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may be done.
    Allowed,
    /// A rule forbids it.
    Refused,
    /// The words were no command.
    NotUnderstood,
}

impl Decision {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::NotUnderstood => "not_understood",
        }
    }
}

impl TryFrom<String> for Decision {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        [Self::Allowed, Self::Refused, Self::NotUnderstood]
            .into_iter()
            .find(|decision| decision.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no decision"))
    }
}

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
    /// Whatever else is worth keeping.
    pub detail: Option<&'a serde_json::Value>,
}

/// An entry as it stands in the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its place, from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who, with the name at that moment.
    pub actor: Actor,
    /// By which chat.
    pub door: String,
    /// Channel or thread in it.
    pub place: Option<String>,
    /// The command's name.
    pub action: String,
    /// On which environment, as it was named; it may be gone from the configuration by now.
    pub environment: Option<String>,
    /// About, or leading to, which run.
    pub run: Option<RunNumber>,
    /// The words as typed.
    pub typed: Option<String>,
    /// Why, in their words.
    pub because: Option<String>,
    /// What was decided.
    pub decision: Decision,
    /// The rule that decided.
    pub rule: Option<String>,
    /// Whatever else was worth keeping.
    pub detail: Option<serde_json::Value>,
}

/// All columns, for every SELECT.
pub(super) const COLUMNS: &str = "seq, prev, hash, at, actor_id, actor_name, door, place, action, environment, \
     run_number, typed, because, decision, rule, detail";

row! {
    /// A row of `audit`. The order of the fields is the order in the hashed JSON and must never change.
    #[derive(Debug, Clone, Serialize)]
    pub(super) struct AuditRow {
        pub(super) seq: i64,
        pub(super) prev: String,
        #[serde(skip)]
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
    }
}

impl AuditRow {
    pub(super) fn new(
        entry: &Entry<'_>,
        seq: i64,
        prev: String,
        at: Timestamp,
        detail: Option<String>,
    ) -> Result<Self, LedgerError> {
        let Entry { actor, door, place, action, environment, run, typed, because, decision, rule, detail: _ } = *entry;
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
        };
        row.hash = row.computed_hash()?;
        Ok(row)
    }

    /// SHA-256 in hexadecimal over the previous hash and the row as JSON without spaces, fields in the order above.
    pub(super) fn computed_hash(&self) -> Result<String, LedgerError> {
        let json = to_json("hash", self)?;
        let mut hash = Sha256::new();
        hash.update(self.prev.as_bytes());
        hash.update(json.as_bytes());
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl TryFrom<AuditRow> for Record {
    type Error = LedgerError;
    fn try_from(found: AuditRow) -> Result<Self, LedgerError> {
        let id = found.seq.to_string();
        let row = Row { table: "audit", id: &id };
        Ok(Self {
            seq: found.seq,
            at: Timestamp(found.at),
            actor: Actor { id: row.text("actor_id", found.actor_id)?, name: found.actor_name },
            door: found.door,
            place: found.place,
            action: found.action,
            environment: found.environment,
            run: found.run_number.map(RunNumber),
            typed: found.typed,
            because: found.because,
            decision: row.text("decision", found.decision)?,
            rule: found.rule,
            detail: found.detail.map(|detail| row.json("detail", &detail)).transpose()?,
        })
    }
}
