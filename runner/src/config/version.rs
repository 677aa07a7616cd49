//! Versions and version constraints as Terraform writes them: `>= 1.9, < 2.0`, `~> 1.11`.
//!
//! Cargo's `semver` has another grammar and another meaning of `~`, so this follows the Go package `hashicorp/go-version`, on which
//! Terraform's `required_version` is built. Source: the "Version Constraints" page of Terraform's documentation.

use std::fmt;
use std::str::FromStr;

/// The version of a program: `1.11.4`. What follows a `-` or `+` is ignored, as Terraform does for its own version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version([u64; 3]);

/// A text that is no version or no constraint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Not `1`, `1.11` or `1.11.4`.
    #[error("{} is not a version", super::problem::quoted(.0))]
    NotAVersion(String),
    /// Neither nothing nor `=`, `!=`, `>`, `>=`, `<`, `<=`, `~>` in front of the version.
    #[error("{} does not begin with one of the operators =, !=, >, >=, <, <=, ~> or a version", super::problem::quoted(.0))]
    NotAnOperator(String),
    /// Terraform refuses these in `required_version`.
    #[error("{} names a pre-release, which a version constraint cannot do", super::problem::quoted(.0))]
    PreRelease(String),
}

impl FromStr for Version {
    type Err = VersionError;
    fn from_str(text: &str) -> Result<Self, VersionError> {
        let core = text.trim().trim_start_matches('v');
        let core = core.split_once(['-', '+']).map_or(core, |(core, _)| core);
        segments(core).map(|(segments, _)| Self(segments)).ok_or_else(|| VersionError::NotAVersion(text.to_owned()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// One to three numbers and how many were given.
fn segments(text: &str) -> Option<([u64; 3], usize)> {
    let mut found = [0; 3];
    let mut given = 0;
    for part in text.split('.') {
        if part.is_empty() || !part.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        *found.get_mut(given)? = part.parse().ok()?;
        given += 1;
    }
    Some((found, given))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Pessimistic,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Constraint {
    operator: Operator,
    version: [u64; 3],
    given: usize,
}

impl Constraint {
    fn allows(&self, version: &Version) -> bool {
        match self.operator {
            Operator::Equal => version.0 == self.version,
            Operator::NotEqual => version.0 != self.version,
            Operator::Greater => version.0 > self.version,
            Operator::GreaterOrEqual => version.0 >= self.version,
            Operator::Less => version.0 < self.version,
            Operator::LessOrEqual => version.0 <= self.version,
            // Only the last number that was given may grow: `~> 1.11` allows 1.12 and not 2.0.
            Operator::Pessimistic => {
                let fixed = self.given.saturating_sub(1);
                version.0 >= self.version && version.0.iter().take(fixed).eq(self.version.iter().take(fixed))
            }
        }
    }
}

/// Constraints that all must hold: at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraints {
    text: String,
    all: Vec<Constraint>,
}

impl Constraints {
    /// True when `version` fulfils all of them.
    #[must_use]
    pub fn allow(&self, version: &Version) -> bool {
        self.all.iter().all(|constraint| constraint.allows(version))
    }
}

impl FromStr for Constraints {
    type Err = VersionError;
    fn from_str(text: &str) -> Result<Self, VersionError> {
        let all = text.split(',').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: text.trim().to_owned(), all })
    }
}

impl fmt::Display for Constraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl FromStr for Constraint {
    type Err = VersionError;
    fn from_str(text: &str) -> Result<Self, VersionError> {
        // Longer operators first, or `>=` would be read as `>` and a version that begins with `=`.
        const OPERATORS: [(&str, Operator); 7] = [
            ("!=", Operator::NotEqual),
            (">=", Operator::GreaterOrEqual),
            ("<=", Operator::LessOrEqual),
            ("~>", Operator::Pessimistic),
            ("=", Operator::Equal),
            (">", Operator::Greater),
            ("<", Operator::Less),
        ];
        let text = text.trim();
        let (operator, rest) = OPERATORS
            .iter()
            .find_map(|(sign, operator)| text.strip_prefix(sign).map(|rest| (*operator, rest.trim_start())))
            .unwrap_or((Operator::Equal, text));
        let number = rest.strip_prefix('v').unwrap_or(rest);
        if !number.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(VersionError::NotAnOperator(text.to_owned()));
        }
        let core = number.split_once('+').map_or(number, |(core, _)| core);
        if core.contains('-') {
            return Err(VersionError::PreRelease(text.to_owned()));
        }
        let (version, given) = segments(core).ok_or_else(|| VersionError::NotAVersion(rest.to_owned()))?;
        Ok(Self { operator, version, given })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_mean_what_terraform_means() {
        let table: &[(&str, &str, bool)] = &[
            ("1.11.4", "1.11.4", true),
            ("= 1.11.4", "1.11.5", false),
            ("1.11", "1.11.0", true),
            ("!= 1.11.4", "1.11.4", false),
            (">= 1.9, < 2.0", "1.11.4", true),
            (">= 1.9, < 2.0", "2.0.0", false),
            ("> 1.11.4", "1.11.4", false),
            ("<= 1.11.4", "1.11.4", true),
            ("~> 1.11", "1.99.0", true),
            ("~> 1.11", "2.0.0", false),
            ("~> 1.11", "1.10.9", false),
            ("~> 1.11.2", "1.11.9", true),
            ("~> 1.11.2", "1.12.0", false),
            // With one number given there is nothing in front of it that would have to stay.
            ("~> 1", "2.5.0", true),
            (">=1.9,<2", "1.10.0", true),
            (">= v1.5", "1.11.4-beta1", true),
        ];
        for (constraints, version, expected) in table {
            let constraints: Constraints = constraints.parse().expect("valid constraints");
            let version: Version = version.parse().expect("a valid version");
            assert_eq!(constraints.allow(&version), *expected, "{constraints} and {version}");
        }
    }

    #[test]
    fn what_is_no_constraint_is_refused_in_words() {
        for wrong in [
            "",
            " ",
            "^1.2",
            "latest",
            "1.x",
            ">=",
            "1.2.3.4",
            "~1.2",
            "1.2,",
            "１.2",
            ">= 99999999999999999999999",
            "日本",
        ] {
            assert!(wrong.parse::<Constraints>().is_err(), "{wrong}");
        }
        let error = ">= 1.12.0-beta1".parse::<Constraints>().expect_err("a pre-release");
        assert_eq!(error.to_string(), "`>= 1.12.0-beta1` names a pre-release, which a version constraint cannot do");
    }
}
