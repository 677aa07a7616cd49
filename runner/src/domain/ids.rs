//! Names and numbers. Parsed once at the edge; inside the house they are already valid.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Longest name of an environment, stack, profile or setting, in characters.
pub const NAME_MAX: usize = 40;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("{article} {0} cannot be empty", article = article(.0))]
    Empty(&'static str),
    /// Longer than [`NAME_MAX`].
    #[error("{article} {0} has at most {NAME_MAX} characters", article = article(.0))]
    TooLong(&'static str),
    /// A character that is not allowed at its place.
    #[error(
        "{article} {kind} is made of a-z, 0-9, `-` and `_` and starts with a letter; `{found}` is not allowed",
        article = article(kind)
    )]
    BadCharacter {
        /// What was being named.
        kind: &'static str,
        /// The first character that is not allowed.
        found: char,
    },
}

/// `an environment name`, `a stack name`.
fn article(kind: &str) -> &'static str {
    if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

fn check_name(kind: &'static str, text: &str) -> Result<(), NameError> {
    let Some(first) = text.chars().next() else { return Err(NameError::Empty(kind)) };
    if text.chars().count() > NAME_MAX {
        return Err(NameError::TooLong(kind));
    }
    if !first.is_ascii_lowercase() {
        return Err(NameError::BadCharacter { kind, found: first });
    }
    match text.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-' || *c == '_')) {
        Some(found) => Err(NameError::BadCharacter { kind, found }),
        None => Ok(()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                check_name($kind, text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                check_name($kind, &text)?;
                Ok(Self(text))
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// What people name in chat: `shop`.
    EnvironmentName,
    "environment name"
);
name!(
    /// Environments that people name together: `rpg`, typed as `@rpg`.
    GroupName,
    "group name"
);
name!(
    /// What environments for one test are made from: `loadtest`.
    TemplateName,
    "template name"
);
name!(
    /// Address ranges, of which each environment that is made gets one of its own: `vpc`.
    PoolName,
    "pool name"
);
name!(
    /// One Terraform root module inside an environment: `jmeter`.
    StackName,
    "stack name"
);
name!(
    /// A named set of variable values: `full`. `off` is built in and never a configured profile.
    ProfileName,
    "profile name"
);
name!(
    /// A variable that people may change by chat: `slaves`.
    SettingName,
    "setting name"
);

name!(
    /// A set of commands: `tester`.
    RoleName,
    "role name"
);

/// A run's number: counts up over the whole ledger, from 1. People say it; inside, [`RunId`] is the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunNumber(pub i64);

impl fmt::Display for RunNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A run's key: a UUIDv7, so that keys sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub Uuid);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A person (or, later, a group or the clock) by immutable id: `local:ito`, `slack:U024BE7LH`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ActorId(String);

impl ActorId {
    /// The OS user `name` at a terminal of this machine.
    #[must_use]
    pub fn local(name: &str) -> Self {
        Self(format!("local:{name}"))
    }

    /// Tidegate itself, where it acts on nobody's behalf: a drain before a stop.
    #[must_use]
    pub fn tidegate() -> Self {
        Self("clock:tidegate".to_owned())
    }

    /// The clock, which carries out schedules.
    #[must_use]
    pub fn clock() -> Self {
        Self("clock:schedules".to_owned())
    }

    /// The id as text, with its `where:` prefix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as people read it: what imitates another is shown by code point.
    #[must_use]
    pub fn shown(&self) -> std::borrow::Cow<'_, str> {
        super::lookalike::distinct(&self.0)
    }

    /// [`Self::short`] as people read it: what imitates another name is shown by code point.
    #[must_use]
    pub fn called(&self) -> std::borrow::Cow<'_, str> {
        super::lookalike::distinct(self.short())
    }

    /// What people call this person: the part after the `where:` prefix.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.split_once(':').map_or(self.0.as_str(), |(_, name)| name)
    }
}

/// A text that is not `where:who`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a person or group: write `local:NAME`, `slack:ID` or `discord:ID`")]
pub struct ActorIdError(String);

impl TryFrom<String> for ActorId {
    type Error = ActorIdError;
    fn try_from(text: String) -> Result<Self, ActorIdError> {
        match text.split_once(':') {
            Some(("local" | "slack" | "discord" | "clock", who)) if !who.trim().is_empty() => Ok(Self(text)),
            _ => Err(ActorIdError(text)),
        }
    }
}

impl FromStr for ActorId {
    type Err = ActorIdError;
    fn from_str(text: &str) -> Result<Self, ActorIdError> {
        Self::try_from(text.to_owned())
    }
}

impl From<ActorId> for String {
    fn from(id: ActorId) -> Self {
        id.0
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A moment: milliseconds since 1970-01-01T00:00:00Z, as the ledger's clock tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Milliseconds from `earlier` to `self`; 0 when the clock went backwards in between.
    #[must_use]
    pub fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }

    /// This moment moved by `ms` milliseconds.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_lower_case_ascii_and_says_what_is_wrong_with_it() {
        assert!("shop".parse::<EnvironmentName>().is_ok());
        assert!("shop-2_b".parse::<EnvironmentName>().is_ok());
        assert_eq!("".parse::<EnvironmentName>(), Err(NameError::Empty("environment name")));
        assert!(matches!("日本".parse::<EnvironmentName>(), Err(NameError::BadCharacter { found: '日', .. })));
        assert!(matches!("Shop".parse::<EnvironmentName>(), Err(NameError::BadCharacter { found: 'S', .. })));
        let told = |text: &str| text.parse::<EnvironmentName>().map_err(|error| error.to_string());
        assert_eq!(told(""), Err("an environment name cannot be empty".to_owned()));
        assert!(told("Shop").is_err_and(|told| told.starts_with("an environment name is made of a-z")));
        assert_eq!("a".repeat(41).parse::<StackName>(), Err(NameError::TooLong("stack name")));
    }

    #[test]
    fn an_actor_says_where_it_is_from() {
        assert_eq!("local:ito".parse::<ActorId>().map(|a| a.short().to_owned()), Ok("ito".to_owned()));
        assert!("ito".parse::<ActorId>().is_err());
        assert!("irc:ito".parse::<ActorId>().is_err());
        assert!("local:".parse::<ActorId>().is_err());
    }

    #[test]
    fn a_clock_that_jumps_back_gives_no_negative_time() {
        assert_eq!(Timestamp(5).ms_since(Timestamp(9)), 0);
    }
}
