//! The sections of `tidegate.toml`, a file each: its form (from which the JSON Schema and the reference are generated)
//! and the rules that turn it into a domain value.

pub(super) mod chat;
pub(super) mod database;
pub(super) mod draft;
pub(super) mod environment;
mod levels;
mod profile;
pub(super) mod runner;
mod secret;
mod setting;
mod stack;
pub(super) mod values;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use chat::ChatSection;
use database::DatabaseSection;
use environment::EnvironmentSection;
use runner::RunnerSection;

/// The configuration of Tidegate. Relative paths in it start at the folder of this file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ConfigFile {
    /// Where the ledger is kept.
    pub(super) database: Option<DatabaseSection>,
    /// The chats that Tidegate speaks in, beside the terminal.
    pub(super) chat: Option<ChatSection>,
    /// How runs are carried out.
    pub(super) runner: Option<RunnerSection>,
    /// Names of environment variables whose values never reach a message, a log or the ledger.
    #[serde(default)]
    #[schemars(example = ["DB_PASSWORD"])]
    pub(super) redact: Vec<String>,
    /// The environments, by the name that people type: a-z, 0-9, `-` and `_`, a letter first, at most 40 characters.
    // Only the form is taken from here: each environment is read by itself, so that a bad one does not stop the others.
    #[serde(default)]
    #[expect(dead_code, reason = "describes the form; `load` reads each environment by itself")]
    pub(super) environments: BTreeMap<String, EnvironmentSection>,
}
