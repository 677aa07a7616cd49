//! Where a ledger is: the `database` of the configuration.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// Where a ledger is.
#[derive(Clone)]
pub enum Address {
    /// A file.
    Sqlite(PathBuf),
    /// A server and a database on it.
    Postgres(Box<PgConnectOptions>),
}

/// A text that is no address of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither of the two databases.
    #[error("a ledger is `sqlite:FILE` or `postgres://USER@HOST/DATABASE`")]
    Scheme,
    /// `sqlite:` and nothing after it.
    #[error("`sqlite:` wants a file after it: `sqlite:.tidegate/ledger.db`")]
    NoFile,
    /// PostgreSQL's own rules are broken. The text is not repeated: it may hold a password.
    #[error("the address of the PostgreSQL ledger cannot be read: write `postgres://USER@HOST/DATABASE`")]
    Postgres,
}

impl FromStr for Address {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return text
                .parse()
                .map(|options| Self::Postgres(Box::new(options)))
                .map_err(|_: sqlx::Error| AddressError::Postgres);
        }
        let file = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:"));
        match file.ok_or(AddressError::Scheme)? {
            "" => Err(AddressError::NoFile),
            file => Ok(Self::Sqlite(PathBuf::from(file))),
        }
    }
}

impl From<&Path> for Address {
    fn from(file: &Path) -> Self {
        Self::Sqlite(file.to_owned())
    }
}

/// For people: without user and password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "{}", file.display()),
            Self::Postgres(options) => {
                write!(f, "postgres://{}:{}", options.get_host(), options.get_port())?;
                options.get_database().map_or(Ok(()), |database| write!(f, "/{database}"))
            }
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_never_shows_its_password() {
        let address: Address = "postgres://tide:geheim@db.example:5433/tidegate".parse().unwrap();
        assert_eq!(address.to_string(), "postgres://db.example:5433/tidegate");
        assert!(!format!("{address:?}").contains("geheim"));
        let error = "postgres://tide:geheim@db.example:fivefour/".parse::<Address>().unwrap_err();
        assert_eq!(error, AddressError::Postgres);
        assert!(!error.to_string().contains("geheim"));
    }

    #[test]
    fn a_file_may_be_relative_or_absolute() {
        for (text, file) in [("sqlite:a/b.db", "a/b.db"), ("sqlite:///a/b.db", "/a/b.db"), ("sqlite://b.db", "b.db")] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), file);
        }
        assert_eq!("sqlite:".parse::<Address>().unwrap_err(), AddressError::NoFile);
        assert_eq!("mysql://x".parse::<Address>().unwrap_err(), AddressError::Scheme);
    }
}
