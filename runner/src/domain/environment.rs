//! Environments as the configuration describes them: stacks, profiles, settings, levels. Values here are already valid.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::access::limits::{Limit, WorkingHours};
use super::access::{ApprovalRule, Grant, Written};
use super::drift::DriftRules;
use super::hours_on::Money;
use super::ids::{ActorId, EnvironmentName, GroupName, ProfileName, SettingName, StackName};
use super::probe::Busy;
use super::readiness::Readiness;
use super::schedule::Timetable;
use super::secret::Given;

/// Values for the variables of one Terraform root, by variable name.
pub type Variables = BTreeMap<String, serde_json::Value>;

/// What people name in chat: one or more stacks, one lock, one channel, owners.
#[derive(Debug, Clone, PartialEq)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// The group that it belongs to.
    pub group: Option<GroupName>,
    /// One line for `envs`.
    pub about: Option<String>,
    /// Where its cards go.
    pub channel: Channels,
    /// Who may change it.
    pub owners: Vec<ActorId>,
    /// Told when something fails and nobody asked for it.
    pub oncall: Vec<ActorId>,
    /// What `up` means without a profile.
    pub up: ProfileName,
    /// What `down` means without a profile.
    pub down: Level,
    /// Profiles from lowest to highest; `off` is below all of them and not listed.
    pub levels: Vec<ProfileName>,
    /// Globs over resource addresses that no run may delete or replace.
    pub protect: Vec<String>,
    /// Its stacks, in the order of the file.
    pub stacks: IndexMap<StackName, Stack>,
    /// What people may change by chat, in the order of the file.
    pub settings: IndexMap<SettingName, Setting>,
    /// Variable values per profile and stack.
    pub profiles: IndexMap<ProfileName, BTreeMap<StackName, Variables>>,
    /// Who may do what to it, and what no run may do.
    pub rules: Rules,
    /// When it should be at which level.
    pub timetable: Arc<Timetable>,
    /// What its levels cost.
    pub money: Money,
}

/// Where an environment is spoken of: in each chat a channel, by `#name` or id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channels {
    /// By the name of the chat.
    by_chat: BTreeMap<&'static str, String>,
}

/// The chats that have channels.
pub const CHATS: [&str; 2] = ["slack", "discord"];

impl Channels {
    /// The same name in each chat; an id only in the chat whose ids look so.
    #[must_use]
    pub fn everywhere(channel: &str) -> Self {
        let of = |chat: &str| match channel.chars().next() {
            Some('C' | 'G') => chat == "slack",
            Some('0'..='9') => chat == "discord",
            _ => true,
        };
        Self::of(CHATS.into_iter().filter(|chat| of(chat)).map(|chat| (chat, channel.to_owned())))
    }

    /// A channel in each of these chats.
    #[must_use]
    pub fn of(all: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self { by_chat: all.into_iter().collect() }
    }

    /// The channel in a chat.
    #[must_use]
    pub fn in_chat(&self, chat: &str) -> Option<&str> {
        self.by_chat.get(chat).map(String::as_str)
    }
}

/// Who may do what to an environment, and what no run on it may do, beside `owners` and `protect`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    /// Where each owner is written, in their order.
    pub owners_at: Vec<Written>,
    /// Roles in this environment.
    pub grants: Vec<Grant>,
    /// Where each pattern of `protect` is written, in their order.
    pub protect_at: Vec<Written>,
    /// Where each setting is written.
    pub bounds_at: BTreeMap<SettingName, Written>,
    /// When a yes is asked for, and whose.
    pub approvals: Vec<ApprovalRule>,
    /// The most that one run may delete or replace.
    pub destroys_max: Option<Limit>,
    /// Above so many deletions and replacements whoever asks is asked whether they mean it.
    pub destroys_ask: Option<Limit>,
    /// Working hours.
    pub hours: Option<WorkingHours>,
    /// Changes begin in working hours only.
    pub only_in_hours: Option<Written>,
    /// How long a hold is offered for, in seconds; `None`: not said.
    pub hold_s: Option<u32>,
    /// When it is looked what others changed, and what of it is quiet.
    pub drift: DriftRules,
    /// How often a run of people that came up short is tried again by itself; 0: never.
    pub retries: u32,
    /// It was brought in from outside: its schedules ask for nothing until a plan of all of it found nothing to do.
    pub adopted: bool,
}

/// One Terraform root module with its workspace, backend settings and variables.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// Its name.
    pub name: StackName,
    /// Where its Terraform root is.
    pub source: StackSource,
    /// Stacks that must be up before it.
    pub needs: Vec<StackName>,
    /// Terraform workspace; `None` means the default one.
    pub workspace: Option<String>,
    /// Settings of the backend.
    pub backend: BTreeMap<String, Given>,
    /// Environment variables for Terraform.
    pub env: BTreeMap<String, Given>,
    /// Values that are the same at every level.
    pub variables: Variables,
    /// What `off` does to it.
    pub off: OffAction,
    /// Program and limits.
    pub terraform: TerraformSettings,
    /// When it counts as there.
    pub readiness: Readiness,
    /// What tells whether a load test runs in it.
    pub busy: Vec<Busy>,
}

/// Where the code of a stack comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StackSource {
    /// A folder; absolute, after resolving against the configuration file's folder. In git or not.
    Folder(PathBuf),
    /// A git repository of its own.
    Git {
        /// URL or path that `git clone` takes.
        url: String,
        /// Branch, tag or commit.
        reference: String,
        /// The root module's folder inside the repository; empty for its top.
        folder: PathBuf,
    },
}

/// What `off` does to a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffAction {
    /// Everything in it is destroyed.
    Destroy,
    /// It goes to the lowest profile.
    Lowest,
}

/// True for variables of the process environment by which Tidegate itself talks to Terraform, or that put arguments on its command
/// line: no stack sets them, and none is inherited. Source: "Environment Variables" in Terraform's CLI documentation.
#[must_use]
pub fn is_set_by_tidegate(name: &str) -> bool {
    name.starts_with("TF_CLI_ARGS")
        || ["TF_DATA_DIR", "TF_WORKSPACE", "TF_INPUT", "TF_IN_AUTOMATION", "CHECKPOINT_DISABLE"].contains(&name)
}

/// Which Terraform a stack uses and how long it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerraformSettings {
    /// Path or name of `terraform` or `tofu`.
    pub program: PathBuf,
    /// Version the stack wants, as Terraform writes constraints (`~> 1.11`); checked beside the root's `required_version`.
    pub version: Option<String>,
    /// Seconds to wait for a state lock that somebody else holds. 0 to 86,400.
    pub lock_timeout_s: u32,
    /// Resources changed at the same time (`-parallelism`). 1 to 256; `None` means Terraform's default.
    pub parallelism: Option<u32>,
}

/// A variable that people may change by chat.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Its name in chat.
    pub name: SettingName,
    /// The stack whose variable it is.
    pub stack: StackName,
    /// The Terraform variable.
    pub variable: String,
    /// Which values are allowed.
    pub kind: SettingKind,
    /// One line for `help` and refusals.
    pub about: Option<String>,
}

/// Which values a setting takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingKind {
    /// A whole number from `min` to `max`, in steps of `step` from `min`.
    Number {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
        /// Distance between allowed values, at least 1.
        step: i64,
    },
    /// One of these texts.
    Choice(Vec<String>),
    /// `true` or `false`.
    Switch,
}

/// A value of a setting.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SettingValue {
    /// `true` or `false`.
    Switch(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

impl std::fmt::Display for SettingValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Switch(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

impl SettingValue {
    /// The value of a Terraform variable, if it is one that a setting can have.
    #[must_use]
    pub fn from_json(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::Bool(value) => Some(Self::Switch(*value)),
            serde_json::Value::Number(value) => value.as_i64().map(Self::Number),
            serde_json::Value::String(value) => Some(Self::Text(value.clone())),
            serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
        }
    }

    /// The value as Terraform takes it in a variables file.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Switch(value) => serde_json::Value::from(*value),
            Self::Number(value) => serde_json::Value::from(*value),
            Self::Text(value) => serde_json::Value::from(value.clone()),
        }
    }
}

/// Where an environment stands on its own scale.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Level {
    /// Everything that may be destroyed is destroyed.
    Off,
    /// At a configured profile.
    Profile(ProfileName),
}

impl TryFrom<String> for Level {
    type Error = super::ids::NameError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "off" { Ok(Self::Off) } else { text.try_into().map(Self::Profile) }
    }
}

impl std::str::FromStr for Level {
    type Err = super::ids::NameError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl From<Level> for String {
    fn from(level: Level) -> Self {
        level.to_string()
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Off => f.pad("off"),
            Self::Profile(name) => name.fmt(f),
        }
    }
}

impl Environment {
    /// Goes by the rules of `newer`, the same environment as it is configured by now: whose it is, who may do what, and what no run may do. What
    /// it is made of stays, its settings and their bounds included, and whether it was brought in from outside: a run proves that of what it
    /// planned.
    pub fn take_rules_of(&mut self, newer: &Self) {
        self.owners.clone_from(&newer.owners);
        self.protect.clone_from(&newer.protect);
        self.rules = Rules {
            adopted: self.rules.adopted,
            bounds_at: std::mem::take(&mut self.rules.bounds_at),
            ..newer.rules.clone()
        };
    }

    /// What `up` means without a profile, as a level.
    #[must_use]
    pub fn level_up(&self) -> Level {
        Level::Profile(self.up.clone())
    }

    /// Height of a level: 0 for `off`, then upwards; `None` for a profile that this environment does not have.
    #[must_use]
    pub fn rank(&self, level: &Level) -> Option<usize> {
        match level {
            Level::Off => Some(0),
            Level::Profile(name) => self.levels.iter().position(|l| l == name).map(|at| at + 1),
        }
    }

    /// The value that a setting has at a level when nobody overrides it; `None` when neither the profile nor the
    /// stack's variables give one, so that the root's own default counts, and when its stack is not there at that level.
    #[must_use]
    pub fn configured_value(&self, setting: &Setting, level: &Level) -> Option<SettingValue> {
        let destroyed = self.stacks.get(&setting.stack).is_some_and(|stack| stack.off == OffAction::Destroy);
        if *level == Level::Off && destroyed {
            return None;
        }
        let profile = match level {
            Level::Off => self.levels.first(),
            Level::Profile(name) => Some(name),
        };
        profile
            .and_then(|name| self.profiles.get(name))
            .and_then(|stacks| stacks.get(&setting.stack))
            .and_then(|variables| variables.get(&setting.variable))
            .or_else(|| self.stacks.get(&setting.stack).and_then(|stack| stack.variables.get(&setting.variable)))
            .and_then(SettingValue::from_json)
    }
}
