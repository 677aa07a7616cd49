//! Where secrets come from. The values themselves are the secrets room's; here are only the places.

use std::fmt;
use std::path::PathBuf;

/// Where a secret is read from, and how long it is good for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretSource {
    /// The place.
    pub origin: Origin,
    /// Seconds for which a value is good: since the file was written, the command was run, or Tidegate was started. `None`: for ever.
    pub expires_in_s: Option<u32>,
}

/// A place that a secret is read from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// An environment variable of Tidegate's own.
    Env(String),
    /// A file, absolute; read anew each time.
    File(PathBuf),
    /// What a program prints.
    Command {
        /// The program (a name on the PATH, or absolute) and its arguments. Never a shell's line.
        argv: Vec<String>,
        /// The folder that it runs in: the configuration file's.
        folder: PathBuf,
        /// Seconds after which it is killed. 1 to 600.
        timeout_s: u32,
        /// Seconds after which it is run again. `None`: when the value nears its end.
        refresh_s: Option<u32>,
    },
}

/// For people. Of a command only the program: its arguments are nobody's business in a chat.
impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Env(name) => write!(f, "the environment variable `{name}`"),
            Origin::File(path) => write!(f, "the file `{}`", path.display()),
            Origin::Command { argv, .. } => write!(f, "the command `{}`", argv.first().map_or("", String::as_str)),
        }
    }
}

/// A text that stands in the configuration, or where a secret one is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// The text.
    Plain(String),
    /// Where it is read from.
    Secret(SecretSource),
}

impl Given {
    /// Where it is read from, if it is secret.
    #[must_use]
    pub fn source(&self) -> Option<&SecretSource> {
        match self {
            Self::Plain(_) => None,
            Self::Secret(source) => Some(source),
        }
    }
}
