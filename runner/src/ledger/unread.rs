//! Rows that somebody has broken by hand: they hide none of the others, and bar only what they belong to. There is one shape for them,
//! whichever table they are of.

use super::error::LedgerError;

/// A row that says what none of its kind can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread<Rest = ()> {
    /// Its key, as people name it.
    pub id: String,
    /// Of which environment, as far as that can be read.
    pub environment: Option<String>,
    /// Table, column and what is wrong with it.
    pub why: String,
    /// What else of it counts, as far as that can be read.
    pub rest: Rest,
}

/// What depends on it cannot be known either.
impl<Rest> From<Unread<Rest>> for LedgerError {
    fn from(unread: Unread<Rest>) -> Self {
        Self::Unread(unread.why)
    }
}

row! {
    /// What people call one that nobody can read, and whose it is.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub(super) struct Called {
        what: Option<String>,
        called: Option<String>,
    }
}

impl Unread<Called> {
    /// With that in its words.
    pub(super) fn told(self) -> Unread {
        let Self { id, environment, why, rest: Called { what, called } } = self;
        let known: Vec<String> = what.into_iter().chain(called.map(|called| format!("of {called}"))).collect();
        let known = if known.is_empty() { String::new() } else { format!(" ({})", known.join(" ")) };
        Unread { id, environment, why: why + &known, rest: () }
    }
}

/// A row with what it says, or why the database cannot give it. It is read with its key as text, under the name `key`, and the
/// environment that it is of under the name `environment`.
pub(super) struct Each<T, Rest = ()> {
    id: String,
    environment: Option<String>,
    said: sqlx::Result<T>,
    rest: Rest,
}

impl<'r, R: sqlx::Row, T: sqlx::FromRow<'r, R>, Rest: sqlx::FromRow<'r, R> + Default> sqlx::FromRow<'r, R>
    for Each<T, Rest>
where
    &'static str: sqlx::ColumnIndex<R>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("key")?,
            environment: row.try_get("environment").ok(),
            said: T::from_row(row),
            rest: Rest::from_row(row).unwrap_or_default(),
        })
    }
}

/// Those that can be read, and the others; `what` is one of them in a word, where its error does not say that.
pub(super) fn apart<T, U, Rest>(rows: Vec<Each<T, Rest>>, what: &str) -> (Vec<U>, Vec<Unread<Rest>>)
where
    U: TryFrom<T, Error = LedgerError>,
{
    let (mut all, mut broken) = (Vec::with_capacity(rows.len()), Vec::new());
    for Each { id, environment, said, rest } in rows {
        match said.map_err(LedgerError::from).and_then(U::try_from) {
            Ok(one) => all.push(one),
            Err(error) => {
                let why = if what.is_empty() { error.to_string() } else { format!("{what} {id}: {error}") };
                broken.push(Unread { id, environment, why, rest });
            }
        }
    }
    (all, broken)
}
