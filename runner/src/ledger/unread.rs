//! Rows that somebody has broken by hand: they hide none of the others, and bar only what they belong to.

use super::error::LedgerError;

/// A row that says what none of its kind can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its key.
    pub id: String,
    /// Of which environment, as far as that can be read.
    pub environment: Option<String>,
    /// Table, column and what is wrong with it.
    pub why: String,
}

/// A row with what it says, or why the database cannot give it. It is read with its key as text, under the name `key`.
pub(super) struct Each<T> {
    pub(super) id: String,
    pub(super) environment: Option<String>,
    pub(super) said: sqlx::Result<T>,
}

impl<'r, R: sqlx::Row, T: sqlx::FromRow<'r, R>> sqlx::FromRow<'r, R> for Each<T>
where
    &'static str: sqlx::ColumnIndex<R>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self { id: row.try_get("key")?, environment: row.try_get("environment").ok(), said: T::from_row(row) })
    }
}

/// Those that can be read, and the others; `what` is one of them in a word.
pub(super) fn apart<T, U>(rows: Vec<Each<T>>, what: &str) -> (Vec<U>, Vec<Unread>)
where
    U: TryFrom<T, Error = LedgerError>,
{
    let (mut all, mut broken) = (Vec::new(), Vec::new());
    for Each { id, environment, said } in rows {
        match said.map_err(LedgerError::from).and_then(U::try_from) {
            Ok(one) => all.push(one),
            Err(error) => broken.push(Unread { why: format!("{what} {id}: {error}"), id, environment }),
        }
    }
    (all, broken)
}
