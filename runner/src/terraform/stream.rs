//! One line of Terraform's `-json` output as a typed message.
//!
//! Tolerant on purpose: Terraform promises to add message types and fields within a UI version, so that what is not
//! known is kept as [`Message::Unknown`], and what is no JSON as [`Line::Garbage`].
//! Source: "Machine-Readable UI", <https://developer.hashicorp.com/terraform/internals/machine-readable-ui>.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::diagnostic::Diagnostic;
use crate::domain::changes::{Action, Change};

/// One line of a child's standard output.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// A JSON message.
    Entry(Entry),
    /// Anything that is no JSON object, as it came. An empty line is garbage too.
    Garbage(String),
    /// A line longer than [`super::LINE_MAX`]; its text is not kept.
    Oversized,
}

/// A message with what every message carries.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// How serious, in Terraform's eyes.
    pub level: Level,
    /// The `@message`: one or several lines for people.
    pub text: String,
    /// What it is.
    pub message: Message,
}

/// The `@level` of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// An error.
    Error,
    /// A warning.
    Warn,
    /// Everything else.
    #[default]
    #[serde(other)]
    Info,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The first line: which program this is.
    Version {
        /// Version of Terraform or OpenTofu.
        version: String,
        /// Version of the message format.
        ui: String,
    },
    /// Free text; interrupts are told this way.
    Log,
    /// Counts at the end of a plan, an apply or a destroy.
    ChangeSummary(Summary),
    /// One planned change.
    PlannedChange(ChangeOf),
    /// One difference between the state and what really is there.
    ResourceDrift(ChangeOf),
    /// A change (or a data read) has begun.
    ApplyStart(HookOf),
    /// It is still going on; told every ten seconds.
    ApplyProgress(HookOf),
    /// It is done.
    ApplyComplete(HookOf),
    /// It failed.
    ApplyErrored(HookOf),
    /// A provisioner of a resource.
    Provision(Provisioning),
    /// A resource's state is being read.
    RefreshStart(HookOf),
    /// A resource's state has been read.
    RefreshComplete(HookOf),
    /// Outputs: after a plan with their action, after an apply with their values.
    Outputs(BTreeMap<String, OutputOf>),
    /// An error or a warning.
    Diagnostic(Box<Diagnostic>),
    /// A step of `init`.
    InitOutput {
        /// Terraform's own name of the message, such as `initializing_backend_message`.
        code: String,
    },
    /// The state lock is being waited for.
    StateLockAcquire,
    /// The state lock is being given back.
    StateLockRelease,
    /// A type that this version does not know, or a known one whose fields are not as expected.
    Unknown {
        /// The `type` field; empty when there was none.
        kind: String,
    },
}

/// What is being done to a resource, in the stream's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamAction {
    /// Nothing; outputs only.
    Noop,
    /// A data source is read: no change.
    Read,
    /// A change.
    Change(Action),
    /// A word that this version does not know.
    Other(String),
}

impl<'de> Deserialize<'de> for StreamAction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Ok(match word.as_str() {
            "noop" | "no-op" => Self::Noop,
            "read" => Self::Read,
            "create" => Self::Change(Action::Create),
            "update" => Self::Change(Action::Update),
            "replace" => Self::Change(Action::Replace),
            "delete" => Self::Change(Action::Delete),
            "move" => Self::Change(Action::Move),
            "import" => Self::Change(Action::Import),
            // Terraform's stream calls it "remove", its plan JSON "forget".
            "remove" | "forget" => Self::Change(Action::Forget),
            _ => Self::Other(word),
        })
    }
}

/// A resource as the stream names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Resource {
    /// The whole address: `module.slaves.terraform_data.slave[0]`.
    pub addr: String,
    /// The address inside its module; a data source starts with `data.`.
    #[serde(default)]
    pub resource: String,
}

impl Resource {
    /// True for a data source, which is read and never changed.
    #[must_use]
    pub fn is_data(&self) -> bool {
        self.resource.starts_with("data.")
    }
}

/// The body of `planned_change` and `resource_drift`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChangeOf {
    /// Which resource.
    pub resource: Resource,
    /// What is planned, or what happened to it outside of Terraform.
    pub action: StreamAction,
    /// Why, where Terraform says so.
    #[serde(default)]
    pub reason: Option<String>,
}

impl ChangeOf {
    /// The change in the domain's words; `None` for data reads and for actions that this version does not know.
    #[must_use]
    pub fn change(&self) -> Option<Change> {
        match self.action {
            StreamAction::Change(action) if !self.resource.is_data() => {
                Some(Change { address: self.resource.addr.clone(), action, reason: self.reason.clone() })
            }
            StreamAction::Change(_) | StreamAction::Noop | StreamAction::Read | StreamAction::Other(_) => None,
        }
    }
}

/// The body of the `apply_*` and `refresh_*` messages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HookOf {
    /// Which resource.
    pub resource: Resource,
    /// What is done to it; refreshes have none.
    #[serde(default)]
    pub action: Option<StreamAction>,
    /// Whole seconds since the start; 0 where Terraform tells none.
    #[serde(default)]
    pub elapsed_seconds: u32,
}

/// The body of the `provision_*` messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provisioning {
    /// How far it is.
    pub stage: ProvisionStage,
    /// Which resource.
    pub resource: Resource,
    /// `local-exec` and alike.
    pub provisioner: String,
    /// What it printed; only while in progress. May be half a line.
    pub output: Option<String>,
}

/// How far a provisioner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProvisionStage {
    /// Begun.
    Started,
    /// It printed something.
    Progress,
    /// Done.
    Done,
    /// Failed.
    Failed,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct OutputOf {
    /// Marked sensitive: no value is told.
    #[serde(default)]
    pub sensitive: bool,
    /// What the plan does to it.
    #[serde(default)]
    pub action: Option<StreamAction>,
    /// Its value, after an apply.
    #[serde(default)]
    pub value: Option<Value>,
}

/// The operation that a summary is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// A plan.
    Plan,
    /// An apply. Terraform says so also for a saved plan that destroys.
    Apply,
    /// `terraform destroy`.
    Destroy,
    /// A word that this version does not know.
    Other(String),
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Ok(match word.as_str() {
            "plan" => Self::Plan,
            "apply" => Self::Apply,
            "destroy" => Self::Destroy,
            _ => Self::Other(word),
        })
    }
}

/// The counts of a `change_summary`. A replacement counts in `add` and in `remove`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Summary {
    /// Created.
    pub add: u32,
    /// Changed in place.
    pub change: u32,
    /// Destroyed.
    pub remove: u32,
    /// Adopted into the state.
    #[serde(default)]
    pub import: u32,
    /// What was summed up.
    pub operation: Operation,
}

#[derive(Deserialize)]
struct Head {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default, rename = "@level")]
    level: Level,
    #[serde(default, rename = "@message")]
    text: String,
}

#[derive(Deserialize)]
struct VersionBody {
    #[serde(alias = "tofu")]
    terraform: String,
    #[serde(default)]
    ui: String,
}

#[derive(Deserialize)]
struct SummaryBody {
    changes: Summary,
}

#[derive(Deserialize)]
struct ChangeBody {
    change: ChangeOf,
}

#[derive(Deserialize)]
struct HookBody<T> {
    hook: T,
}

#[derive(Deserialize)]
struct ProvisionHook {
    resource: Resource,
    #[serde(default)]
    provisioner: String,
    #[serde(default)]
    output: Option<String>,
}

#[derive(Deserialize)]
struct OutputsBody {
    outputs: BTreeMap<String, OutputOf>,
}

#[derive(Deserialize)]
struct DiagnosticBody {
    diagnostic: Box<Diagnostic>,
}

#[derive(Deserialize)]
struct InitBody {
    message_code: String,
}

impl Line {
    /// Reads one line, without its line break. Never fails: what cannot be read is garbage or unknown.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match serde_json::from_str::<Head>(text) {
            Ok(head) => {
                let message = Message::parse(&head.kind, text).unwrap_or(Message::Unknown { kind: head.kind });
                Self::Entry(Entry { level: head.level, text: head.text, message })
            }
            Err(_) => Self::Garbage(text.to_owned()),
        }
    }

    /// The message, if this line is one.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        match self {
            Self::Entry(entry) => Some(&entry.message),
            Self::Garbage(_) | Self::Oversized => None,
        }
    }
}

impl Message {
    /// The message of type `kind` in `line`; `None` when the type or its body is not as known.
    fn parse(kind: &str, line: &str) -> Option<Self> {
        Some(match kind {
            "version" => {
                let VersionBody { terraform, ui } = body(line)?;
                Self::Version { version: terraform, ui }
            }
            "log" => Self::Log,
            "change_summary" => Self::ChangeSummary(body::<SummaryBody>(line)?.changes),
            "planned_change" => Self::PlannedChange(body::<ChangeBody>(line)?.change),
            "resource_drift" => Self::ResourceDrift(body::<ChangeBody>(line)?.change),
            "apply_start" => Self::ApplyStart(hook(line)?),
            "apply_progress" => Self::ApplyProgress(hook(line)?),
            "apply_complete" => Self::ApplyComplete(hook(line)?),
            "apply_errored" => Self::ApplyErrored(hook(line)?),
            "refresh_start" => Self::RefreshStart(hook(line)?),
            "refresh_complete" => Self::RefreshComplete(hook(line)?),
            "provision_start" => provision(ProvisionStage::Started, line)?,
            "provision_progress" => provision(ProvisionStage::Progress, line)?,
            "provision_complete" => provision(ProvisionStage::Done, line)?,
            "provision_errored" => provision(ProvisionStage::Failed, line)?,
            "outputs" => Self::Outputs(body::<OutputsBody>(line)?.outputs),
            "diagnostic" => Self::Diagnostic(body::<DiagnosticBody>(line)?.diagnostic),
            "init_output" => Self::InitOutput { code: body::<InitBody>(line)?.message_code },
            "state_lock_acquire" => Self::StateLockAcquire,
            "state_lock_release" => Self::StateLockRelease,
            _ => return None,
        })
    }
}

fn body<'de, T: Deserialize<'de>>(line: &'de str) -> Option<T> {
    serde_json::from_str(line).ok()
}

fn hook(line: &str) -> Option<HookOf> {
    body::<HookBody<HookOf>>(line).map(|body| body.hook)
}

fn provision(stage: ProvisionStage, line: &str) -> Option<Message> {
    let ProvisionHook { resource, provisioner, output } = body::<HookBody<ProvisionHook>>(line)?.hook;
    Some(Message::Provision(Provisioning { stage, resource, provisioner, output }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_object_is_garbage_and_what_is_not_known_is_kept_by_name() {
        for garbage in ["", "Segmentation fault", "{\"type\":\"appl", "[1]", "7", "\u{1f30a}"] {
            assert_eq!(Line::parse(garbage), Line::Garbage(garbage.to_owned()), "{garbage}");
        }
        let kind = |text: &str| match Line::parse(text) {
            Line::Entry(Entry { message: Message::Unknown { kind }, .. }) => kind,
            other => panic!("{other:?}"),
        };
        assert_eq!(kind(r#"{"type":"ephemeral_op_start","hook":{}}"#), "ephemeral_op_start");
        assert_eq!(kind(r#"{"type":"apply_start","hook":7}"#), "apply_start");
        assert_eq!(kind("{}"), "");
    }

    #[test]
    fn fields_and_words_that_are_new_do_not_hide_a_message() {
        let line = Line::parse(
            r#"{"@level":"trace","type":"planned_change","new":[1],"change":{"resource":{"addr":"a.b","x":1},"action":"ponder","y":null}}"#,
        );
        let Some(Message::PlannedChange(change)) = line.message() else { panic!("{line:?}") };
        assert_eq!(change.action, StreamAction::Other("ponder".to_owned()));
        assert_eq!(change.change(), None);
    }

    #[test]
    fn opentofu_names_its_version_tofu() {
        let line = Line::parse(r#"{"type":"version","tofu":"1.9.0","ui":"1.2"}"#);
        assert_eq!(line.message(), Some(&Message::Version { version: "1.9.0".to_owned(), ui: "1.2".to_owned() }));
    }
}
