//! From columns to domain values; what is impossible is refused with table, column and key.

use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::LedgerError;

/// A row that is being read.
pub(super) struct Row<'a> {
    pub(super) table: &'static str,
    pub(super) id: &'a str,
}

impl Row<'_> {
    /// The error that names this row and `column`.
    pub(super) fn impossible(&self, column: &'static str, why: impl Display) -> LedgerError {
        LedgerError::Row { table: self.table, column, id: self.id.to_owned(), why: why.to_string() }
    }

    /// A text column that must be valid in the domain.
    pub(super) fn text<T>(&self, column: &'static str, text: String) -> Result<T, LedgerError>
    where
        T: TryFrom<String, Error: Display>,
    {
        T::try_from(text).map_err(|why| self.impossible(column, why))
    }

    /// A JSON column.
    pub(super) fn json<T: DeserializeOwned>(&self, column: &'static str, text: &str) -> Result<T, LedgerError> {
        serde_json::from_str(text).map_err(|why| self.impossible(column, why))
    }

    /// Two columns that say the same thing must agree.
    pub(super) fn agree(&self, column: &'static str, found: &str, expected: &str) -> Result<(), LedgerError> {
        if found == expected {
            return Ok(());
        }
        Err(self.impossible(column, format_args!("it is `{found}` where `{expected}` belongs")))
    }
}

/// A domain value as the text of a JSON column.
pub(super) fn to_json(column: &'static str, value: &impl Serialize) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(|why| LedgerError::Row {
        table: "(to be written)",
        column,
        id: String::new(),
        why: why.to_string(),
    })
}

/// A text as both databases can store it: PostgreSQL takes every character but NUL.
pub(super) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Places for so many values in a statement: `$1, $2, $3`.
pub(super) fn places(count: usize) -> String {
    places_from(1, count)
}

/// Places for so many values from the place `first` on.
pub(super) fn places_from(first: usize, count: usize) -> String {
    (first..first + count).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
}
