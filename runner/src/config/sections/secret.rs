//! `{ env = "NAME" }`, `{ file = "PATH" }`, `{ command = [...] }`: where a secret is read from, wherever a text may be one.

use std::path::Path as FilePath;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::document::Path;
use super::super::duration;
use super::super::findings::Findings;
use super::values;
use crate::domain::secret::{Given, Origin, SecretSource};

/// How long a command may take when nothing is said, in seconds.
const TIMEOUT_S: u32 = 10;

/// A day, in seconds.
const DAY_S: u32 = 86_400;

/// Where a secret is read from: one of `env`, `file` and `command`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(
    deny_unknown_fields,
    inline,
    extend("x-written" = "`{ env = \"...\" }`, `{ file = \"...\" }` or `{ command = [...] }`")
)]
pub(super) struct SecretSection {
    /// Name of an environment variable.
    #[schemars(length(min = 1))]
    pub(super) env: Option<String>,
    /// A file. One line break at its end does not count.
    #[schemars(length(min = 1))]
    file: Option<String>,
    /// A program and its arguments; what it prints is the secret. One line break at its end does not count.
    #[schemars(length(min = 1))]
    command: Option<Vec<String>>,
    /// How often the command is run again. `1s` to `30d`. Without it: when `expires_in` nears its end, else never.
    #[schemars(regex(pattern = duration::PATTERN))]
    refresh: Option<String>,
    /// When the command is killed. `1s` to `10m`; without it `10s`.
    #[schemars(regex(pattern = duration::PATTERN))]
    timeout: Option<String>,
    /// How long the secret is good for. `1m` to `3650d`. Admins are told before that.
    #[schemars(regex(pattern = duration::PATTERN))]
    expires_in: Option<String>,
}

/// A text, or where a secret one is read from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(super) enum TextSection {
    /// The text itself.
    Text(String),
    /// Where it is read from.
    Secret(SecretSection),
}

/// A text, number or switch, which Terraform takes as a text; or where a secret one is read from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(super) enum GivenSection {
    Text(String),
    Switch(bool),
    Number(i64),
    Secret(SecretSection),
}

impl GivenSection {
    pub(super) fn read(&self, at: &Path<'_>, folder: &FilePath, findings: &mut Findings<'_, '_>) -> Option<Given> {
        Some(match self {
            Self::Text(text) => Given::Plain(text.clone()),
            Self::Switch(value) => Given::Plain(value.to_string()),
            Self::Number(value) => Given::Plain(value.to_string()),
            Self::Secret(section) => Given::Secret(section.read(at, folder, findings)?),
        })
    }
}

impl SecretSection {
    /// The place, as far as one is named; relative paths start at `folder`.
    pub(super) fn read(
        &self,
        at: &Path<'_>,
        folder: &FilePath,
        findings: &mut Findings<'_, '_>,
    ) -> Option<SecretSource> {
        let mut seconds = |key: &str, text: &Option<String>, range| match text {
            None => Some(None),
            Some(text) => duration::read(&at.key(key), text, range, findings).map(Some),
        };
        let refresh_s = seconds("refresh", &self.refresh, 1..=30 * DAY_S)?;
        let timeout_s = seconds("timeout", &self.timeout, 1..=600)?.unwrap_or(TIMEOUT_S);
        let expires_in_s = seconds("expires_in", &self.expires_in, 60..=3_650 * DAY_S)?;
        let hint = || {
            Some("write one of `{ env = \"NAME\" }`, `{ file = \"PATH\" }`, `{ command = [\"PROGRAM\"] }`".to_owned())
        };
        let origin = match (&self.env, &self.file, &self.command) {
            (Some(name), None, None) => {
                if name.contains(['=', '\0']) {
                    let message = "this is not the name of an environment variable";
                    findings.at_value(&at.key("env"), message, Some("write the name, not the value".to_owned()));
                    return None;
                }
                Origin::Env(name.clone())
            }
            (None, Some(file), None) => Origin::File(folder.join(file)),
            (None, None, Some(argv)) => {
                let program = argv.first().filter(|program| !program.trim().is_empty());
                let Some(program) = program.filter(|_| !argv.iter().any(|argument| argument.contains('\0'))) else {
                    let message = "this is not a program with its arguments";
                    findings.at_value(&at.key("command"), message, hint());
                    return None;
                };
                let program = values::program(program, folder).to_string_lossy().into_owned();
                let argv = std::iter::once(program).chain(argv.iter().skip(1).cloned()).collect();
                Origin::Command { argv, folder: folder.to_owned(), timeout_s, refresh_s }
            }
            (None, None, None) => {
                findings.at_key(at, "this does not say where the secret is read from", hint());
                return None;
            }
            _ => {
                findings.at_key(at, "a secret is read from one place, not from several", hint());
                return None;
            }
        };
        if !matches!(origin, Origin::Command { .. }) && (self.refresh.is_some() || self.timeout.is_some()) {
            let message = "only a `command` has `refresh` and `timeout`: variables and files are looked at each time";
            let key = if self.refresh.is_some() { "refresh" } else { "timeout" };
            findings.at_key(&at.key(key), message, Some(format!("remove `{key}`")));
            return None;
        }
        Some(SecretSource { origin, expires_in_s })
    }
}
