//! What can be wrong with a ledger, each in one clear sentence.

use sqlx::error::DatabaseError;

use std::path::Path;

use super::address::AddressError;
use crate::account;
use crate::domain::ids::RunId;
use crate::domain::run::IllegalEvent;

/// Why the ledger did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Written by a later Tidegate.
    #[error(
        "it was written by a newer Tidegate (its format is {ledger}, this program knows {binary}): start the newer one"
    )]
    Newer {
        /// Its newest migration.
        ledger: i64,
        /// The newest migration that this program knows.
        binary: i64,
    },
    /// A migration that was carried out is not the one that this program knows.
    #[error("its migration {0} is not the one that this program knows: it was made by another build")]
    OtherMigration(i64),
    /// Nothing can be written.
    #[error("it is read-only: Tidegate must be able to write to it")]
    ReadOnly,
    /// This user may not read or write one of its files.
    #[error(
        "{user} may not read and write {path}{owner}; whoever that is gives both rights on the ledger's folder and on its files, \
         see `docs/security.md`, or start Tidegate as that user"
    )]
    Forbidden {
        /// The user as whom this process works.
        user: String,
        /// The file or folder.
        path: String,
        /// Whose it is, as the rest of a clause.
        owner: String,
    },
    /// Somebody else has it for longer than we wait.
    #[error("it is locked: another program is writing to it and did not finish in time")]
    Locked,
    /// No space left.
    #[error("its disk is full: nothing was stored")]
    DiskFull,
    /// The file is no database, or a broken one.
    #[error("it is damaged, or no ledger at all: name another file or put back a copy")]
    Corrupt,
    /// The file or the server cannot be reached.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// The server does not let us in.
    #[error("its server refuses the connection: {0}")]
    Denied(String),
    /// Two transactions met; one of them was ended by the database. Trying again is right.
    #[error("another program changed the same thing at the same time")]
    LostRace,
    /// A row that cannot be.
    #[error("the row {id} of `{table}` has an impossible `{column}`: {why}")]
    Row {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
        /// Key of the row.
        id: String,
        /// What is wrong.
        why: String,
    },
    /// A row that cannot be read, with all that there is to say of it.
    #[error("{0}")]
    Unread(String),
    /// Anything else that the database says.
    #[error("the database says: {0}")]
    Database(#[source] sqlx::Error),
}

impl LedgerError {
    /// Events that cannot follow each other: the ledger was changed by something else than Tidegate.
    #[must_use]
    pub fn events_of(run: RunId, why: &IllegalEvent) -> Self {
        Self::Row { table: "run_events", column: "event", id: run.to_string(), why: why.to_string() }
    }
}

/// A ledger that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It was found, or should have been.
    #[error("the ledger {place} cannot be used: {why}")]
    Ledger {
        /// File, or server and database.
        place: String,
        /// Why.
        #[source]
        why: LedgerError,
    },
    /// Its address cannot be read.
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl OpenError {
    /// What is wrong with the ledger, when it is not its address.
    #[must_use]
    pub fn ledger(&self) -> Option<&LedgerError> {
        match self {
            Self::Ledger { why, .. } => Some(why),
            Self::Address(_) => None,
        }
    }
}

impl LedgerError {
    /// True when not the ledger's content but what is around it is at fault: a disk, a lock, a server. Whoever runs Tidegate
    /// can do something about it, and the sentence says what.
    #[must_use]
    pub fn is_of_surroundings(&self) -> bool {
        match self {
            Self::ReadOnly
            | Self::Forbidden { .. }
            | Self::Locked
            | Self::DiskFull
            | Self::Unreachable(_)
            | Self::Denied(_) => true,
            Self::Newer { .. }
            | Self::OtherMigration(_)
            | Self::Corrupt
            | Self::LostRace
            | Self::Row { .. }
            | Self::Unread(_)
            | Self::Database(_) => false,
        }
    }

    /// True when one row cannot be read, and everything else can.
    #[must_use]
    pub fn is_of_a_row(&self) -> bool {
        matches!(self, Self::Row { .. } | Self::Unread(_))
    }

    /// True when somebody else has it.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked)
    }

    /// True when a unique index, a deadlock or a serialisation failure decided against this transaction.
    #[must_use]
    pub fn lost_race(&self) -> bool {
        match self {
            Self::LostRace => true,
            Self::Database(sqlx::Error::Database(error)) => error.is_unique_violation(),
            Self::Newer { .. }
            | Self::OtherMigration(_)
            | Self::ReadOnly
            | Self::Forbidden { .. }
            | Self::Locked
            | Self::DiskFull
            | Self::Corrupt
            | Self::Unreachable(_)
            | Self::Denied(_)
            | Self::Row { .. }
            | Self::Unread(_)
            | Self::Database(_) => false,
        }
    }
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => of_code(database.as_ref()).unwrap_or(Self::Database(error)),
            sqlx::Error::Io(io) => of_io(io),
            // All connections of this process are busy for longer than we wait.
            sqlx::Error::PoolTimedOut => Self::Locked,
            sqlx::Error::PoolClosed => Self::Unreachable("it is being closed".to_owned()),
            sqlx::Error::Tls(tls) => Self::Unreachable(format!("TLS failed: {tls}")),
            _ => Self::Database(error),
        }
    }
}

impl From<std::io::Error> for LedgerError {
    fn from(error: std::io::Error) -> Self {
        of_io(&error)
    }
}

/// What came of reaching for a file or folder of the ledger.
pub(super) fn reached<T>(path: &Path, done: std::io::Result<T>) -> Result<T, LedgerError> {
    done.map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => LedgerError::Forbidden {
            user: account::own(),
            path: path.display().to_string(),
            owner: account::owner_of(path).map(|owner| format!(", which belongs to {owner}")).unwrap_or_default(),
        },
        _ => of_io(&error),
    })
}

fn of_io(error: &std::io::Error) -> LedgerError {
    match error.kind() {
        std::io::ErrorKind::ReadOnlyFilesystem => LedgerError::ReadOnly,
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => LedgerError::DiskFull,
        _ => LedgerError::Unreachable(error.to_string()),
    }
}

/// Sources: <https://www.sqlite.org/rescode.html>, "PostgreSQL Error Codes" in PostgreSQL's manual.
fn of_code(error: &dyn DatabaseError) -> Option<LedgerError> {
    let code = error.code()?;
    let message = || error.message().to_owned();
    if let Some(extended) = error.try_downcast_ref::<sqlx::sqlite::SqliteError>().and_then(|_| code.parse::<i32>().ok())
    {
        // The low byte of an extended result code is the primary one.
        return match extended & 0xff {
            5 | 6 => Some(LedgerError::Locked),
            8 => Some(LedgerError::ReadOnly),
            11 | 26 => Some(LedgerError::Corrupt),
            13 => Some(LedgerError::DiskFull),
            14 => Some(LedgerError::Unreachable(message())),
            _ => None,
        };
    }
    match code.as_ref() {
        "40001" | "40P01" => Some(LedgerError::LostRace),
        "55P03" => Some(LedgerError::Locked),
        "25006" => Some(LedgerError::ReadOnly),
        "53100" => Some(LedgerError::DiskFull),
        "XX001" | "XX002" => Some(LedgerError::Corrupt),
        "3D000" => Some(LedgerError::Unreachable(message())),
        other if other.starts_with("08") || other.starts_with("57P") || matches!(other, "53300" | "25P03") => {
            Some(LedgerError::Unreachable(message()))
        }
        other if other.starts_with("28") => Some(LedgerError::Denied(message())),
        _ => None,
    }
}
