//! The sections of `tidegate.toml`, a file each: its form (from which the JSON Schema and the reference are generated)
//! and the rules that turn it into a domain value.

pub(super) mod access;
pub(super) mod approve;
pub(super) mod calendar;
mod channel;
pub(super) mod chat;
pub(super) mod database;
pub(super) mod discord;
pub(super) mod draft;
mod drift;
pub(super) mod environment;
mod levels;
mod limits;
mod people;
mod person;
mod profile;
mod ready;
pub(super) mod runner;
pub(super) mod schedule;
mod secret;
mod setting;
mod stack;
pub(super) mod template;
pub mod typed_schedule;
pub(super) mod values;
pub(super) mod web;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use access::{ChannelSection, GrantSection, RoleSection};
use calendar::CalendarSection;
use chat::ChatSection;
use database::DatabaseSection;
use environment::EnvironmentSection;
use person::PersonSection;
pub(super) use person::check_names;
use runner::RunnerSection;
use template::{PoolSection, TemplateSection};
use web::WebSection;

/// The configuration of Tidegate. Relative paths in it start at the folder of this file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ConfigFile {
    /// Where the ledger is kept.
    pub(super) database: Option<DatabaseSection>,
    /// The chats that Tidegate speaks in, beside the terminal.
    pub(super) chat: Option<ChatSection>,
    /// What Tidegate tells over HTTP.
    pub(super) web: Option<WebSection>,
    /// How runs are carried out.
    pub(super) runner: Option<RunnerSection>,
    /// Further files with environments, from this file's folder; `*` stands for any characters within a name. Relative paths in them start
    /// at the folder of this file, too.
    #[serde(default)]
    #[schemars(example = ["teams/*.toml"])]
    pub(super) include: Vec<String>,
    /// Names of environment variables whose values never reach a message, a log or the ledger.
    #[serde(default)]
    #[schemars(example = ["DB_PASSWORD"])]
    pub(super) redact: Vec<String>,
    /// Who may do what in all environments: for each role, to whom it is given. `viewer`, `operator`, `owner` and `admin` are
    /// built in. `everyone` stands for all ordinary people of the chat, and for all users of this machine. Nobody has
    /// anything that nobody gives them.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "admin": ["local:root"], "viewer": ["everyone"] }))]
    pub(super) access: GrantSection,
    /// Holidays and working days, by the names under which `holidays` refers to them. Countries need no entry.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "team": { "country": "JP", "off": ["2026-12-29"] } }))]
    pub(super) calendars: BTreeMap<String, CalendarSection>,
    /// Roles of your own, by name.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "tester": { "commands": ["status", "plan", "up", "scale"] } }))]
    pub(super) roles: BTreeMap<String, RoleSection>,
    /// Members of groups, by the group's id, for those that no chat can be asked about.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "slack:S0604QSJC": ["slack:U024BE7LH", "local:ito"] }))]
    pub(super) groups: BTreeMap<String, Vec<String>>,
    /// Who has several ids, by a name of yours. What such a person asked for, holds or said yes to is theirs by each id, so that nobody
    /// is two people for a yes; and by each they may what any of their ids may.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "sato": { "ids": ["slack:U024BE7LH", "discord:80351110224678912", "local:sato"] } }))]
    pub(super) people: BTreeMap<String, PersonSection>,
    /// Address ranges of which each environment that is made from a template gets one, by the names under which `pool` refers to them.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "vpc": { "ranges": ["10.64.0.0/12"], "prefix": 20 } }))]
    pub(super) pools: BTreeMap<String, PoolSection>,
    /// What environments for one test are made from, by the name that people type: `new lt-login from loadtest`.
    // As environments: each is read by itself.
    #[serde(default)]
    #[expect(dead_code, reason = "describes the form; each template is read by itself")]
    pub(super) templates: BTreeMap<String, TemplateSection>,
    /// The most that anybody may do where, by the channel's id: `slack:ID`, `discord:ID`, `direct` for direct messages,
    /// `others`, and `shell` for the terminal. Once there is one, those that are not listed allow nothing; the terminal does.
    #[schemars(example = serde_json::json!({ "slack:C024BE91L": { "role": "operator", "environments": ["shop"] } }))]
    pub(super) channels: Option<BTreeMap<String, ChannelSection>>,
    /// The environments, by the name that people type: a-z, 0-9, `-` and `_`, a letter first, at most 40 characters.
    // Only the form is taken from here: each environment is read by itself, so that a bad one does not stop the others.
    #[serde(default)]
    #[expect(dead_code, reason = "describes the form; `load` reads each environment by itself")]
    pub(super) environments: BTreeMap<String, EnvironmentSection>,
}
