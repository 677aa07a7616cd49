//! `[database]`: where the ledger is kept.

use std::fmt;
use std::path::{Path as FilePath, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::problem::quoted;
use super::secret::TextSection;
use crate::domain::secret::{Origin, SecretSource};

/// Where the ledger is when the configuration does not say.
const DEFAULT_FILE: &str = ".tidegate/tidegate.db";

/// Where the ledger is kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct DatabaseSection {
    /// `sqlite:FILE`, or `postgres://USER:PASSWORD@HOST/NAME`; better, where a password is in it, where it is read from:
    /// `{ env = "NAME" }`, `{ file = "PATH" }` or `{ command = ["PROGRAM"] }`. Without it: `sqlite:.tidegate/tidegate.db`.
    #[schemars(example = &"sqlite:tidegate.db")]
    url: Option<TextSection>,
}

/// Where the ledger is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseConfig {
    /// A file of the embedded database; absolute if the configuration's folder is. Its folder may not exist yet.
    Sqlite(PathBuf),
    /// A connection URL, which may hold a password.
    Postgres(String),
    /// Read from elsewhere when the ledger is opened; paths in it start at `folder`.
    Elsewhere {
        /// Where the URL is read from.
        source: SecretSource,
        /// The configuration file's folder.
        folder: PathBuf,
    },
}

impl DatabaseConfig {
    /// What a URL means; paths start at `folder`. `None`: it is no database.
    #[must_use]
    pub fn of_url(url: &str, folder: &FilePath) -> Option<Self> {
        parse(url, folder)
    }
}

/// Without the URL: it may hold a password.
impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
            Self::Elsewhere { source, .. } => f.debug_tuple("Elsewhere").field(source).finish(),
        }
    }
}

/// Reads the section; `variable` looks an environment variable up.
pub(in super::super) fn read(
    section: Option<DatabaseSection>,
    folder: &FilePath,
    variable: &dyn Fn(&str) -> Option<String>,
    findings: &mut Findings<'_, '_>,
) -> DatabaseConfig {
    let fallback = DatabaseConfig::Sqlite(folder.join(DEFAULT_FILE));
    let database = Path::ROOT.key("database");
    let path = database.key("url");
    let Some(secret) = section.and_then(|section| section.url) else { return fallback };
    match secret {
        TextSection::Text(url) => parse(&url, folder).unwrap_or_else(|| {
            // A mistyped URL may hold a password as well, so that it is not repeated in the message.
            findings.at_value(&path, "this is not a database", Some(HINT.to_owned()));
            fallback
        }),
        TextSection::Secret(section) => {
            let Some(source) = section.read(&path, folder, findings) else { return fallback };
            // Told with its place, before anything else is begun.
            let Origin::Env(env) = &source.origin else {
                return DatabaseConfig::Elsewhere { source, folder: folder.to_owned() };
            };
            let path = path.key("env");
            let Some(url) = variable(env) else {
                let what = format!("the environment variable {} is not set, so that no database is known", quoted(env));
                findings.at_value(&path, what, Some("set it where Tidegate is started".to_owned()));
                return fallback;
            };
            parse(&url, folder).unwrap_or_else(|| {
                let what = format!("what the environment variable {} holds is not a database", quoted(env));
                findings.at_value(&path, what, Some(HINT.to_owned()));
                fallback
            })
        }
    }
}

const HINT: &str = "write `sqlite:tidegate.db` or `postgres://user@host/name`";

fn parse(url: &str, folder: &FilePath) -> Option<DatabaseConfig> {
    if let Some(file) = url.strip_prefix("sqlite:") {
        // `sqlite://tidegate.db` and `sqlite:///var/lib/tidegate.db` are how other programs write it.
        let file = file.strip_prefix("//").unwrap_or(file);
        let is_file = !file.trim().is_empty() && !file.ends_with('/') && !file.contains('\0');
        return is_file.then(|| DatabaseConfig::Sqlite(folder.join(file)));
    }
    let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"))?;
    (!rest.trim().is_empty()).then(|| DatabaseConfig::Postgres(url.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_databases_are_understood_and_nothing_else() {
        let read = |url| parse(url, FilePath::new("/etc/tide"));
        assert_eq!(read("sqlite:a.db"), Some(DatabaseConfig::Sqlite("/etc/tide/a.db".into())));
        assert_eq!(read("sqlite:///var/a.db"), Some(DatabaseConfig::Sqlite("/var/a.db".into())));
        assert_eq!(read("sqlite:日本.db"), Some(DatabaseConfig::Sqlite("/etc/tide/日本.db".into())));
        assert_eq!(read("postgres://u:p@h/n"), Some(DatabaseConfig::Postgres("postgres://u:p@h/n".into())));
        for wrong in ["", "sqlite:", "sqlite:folder/", "mysql://x", "tidegate.db", "postgres://", "日本"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        assert_eq!(format!("{:?}", DatabaseConfig::Postgres("postgres://u:secret@h/n".into())), "Postgres(..)");
    }
}
