//! What went wrong, in the words of the program that said so, and what an apply did before it.

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use super::changes::{Action, Change, Counts};
use super::ids::Timestamp;
use super::refusal::Refusal;

/// A place in a Terraform source file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLine {
    /// File as Terraform names it, relative to the root module.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// The source line itself, where Terraform quotes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Why one step of a run did not do what it should. Each kind leads to another next command, so that each is its own variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FailureKind {
    /// Terraform reported an error diagnostic.
    Terraform,
    /// The state lock is held by somebody else.
    LockHeld(LockHolder),
    /// The saved plan no longer fits the state.
    StalePlan,
    /// The root must be initialised (again) first.
    NotInitialised,
    /// The root's own `prevent_destroy` forbids what the plan would delete or replace.
    PreventDestroy,
    /// An upstream stack has no state or outputs yet, so that this one cannot be planned.
    UpstreamMissing,
    /// The stack's workspace is not there, and nothing is made only to look.
    NoWorkspace,
    /// AWS does not take the stack's credentials, or there are none.
    Credentials,
    /// The bucket of its state is not there.
    NoStateBucket,
    /// What its state holds cannot be read by this Terraform: cut off, or written by a newer one.
    StateUnread,
    /// Terraform could not be started at all: missing, a directory, not executable, too old.
    CouldNotStart,
    /// Ended by a signal that Tidegate did not send, by number.
    Signal {
        /// The signal's number, as in signal(7).
        signal: i32,
    },
    /// Ended with an exit status but without saying why.
    NoReason {
        /// Exit status of the program.
        code: i32,
    },
    /// Exit status 0, but its output does not show that it did its work (garbage, cut off, empty).
    OutputNotUnderstood,
    /// It and the process that watched it are gone, and nobody saw how it ended.
    Lost,
    /// Stopped on request.
    Interrupted,
    /// A disk or a file system refused (full, read-only).
    Storage,
    /// The configuration or the source of the code does not allow it.
    Configuration,
    /// A fault of Tidegate's own ended it.
    Fault,
    /// It is applied, and is not all in service or does not answer within its time.
    NotReady,
    /// It is applied, and whether it is in service cannot be told.
    CannotLook,
    /// What its state knew is destroyed, and something is left, or whether anything is left cannot be told.
    Left,
}

/// Who holds a state lock. Source: the "Lock Info" block of Terraform's lock error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// Lock id, as `terraform force-unlock` wants it.
    pub id: String,
    /// `user@host`.
    pub who: String,
    /// `OperationTypeApply` and alike.
    pub operation: String,
    /// When it was taken, as Terraform writes it.
    pub created: String,
}

impl LockHolder {
    /// When it was taken: Terraform writes Go's `time.Time` in UTC, `2026-11-20 05:54:55.123456789 +0000 UTC`. `None` where it wrote
    /// something else.
    #[must_use]
    pub fn taken(&self) -> Option<Timestamp> {
        let text = self.created.trim().strip_suffix(" UTC")?;
        let at = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f %z").ok()?;
        Some(Timestamp(at.timestamp_millis()))
    }
}

/// A failure of one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind.
    #[serde(flatten)]
    pub kind: FailureKind,
    /// One line: the summary of Terraform's first error, or ours.
    pub summary: String,
    /// The rest of the explanation; may be empty or have several lines. At most [`DETAIL_MAX`] characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Resource that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Source line that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<SourceLine>,
    /// How many further errors there were; they are in the log.
    #[serde(default)]
    pub more_errors: u32,
    /// Addresses that the root's own `prevent_destroy` keeps, where that is what failed.
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    pub kept: Box<[String]>,
    /// The rule that forbids it, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Box<str>>,
}

/// Longest [`Failure::detail`], in characters. The whole text is in the log.
pub const DETAIL_MAX: usize = 2_000;

impl Failure {
    /// A failure with only a kind and a summary line.
    #[must_use]
    pub fn new(kind: FailureKind, summary: impl Into<String>) -> Self {
        Self {
            kind,
            summary: summary.into(),
            detail: String::new(),
            address: None,
            at: None,
            more_errors: 0,
            kept: Box::default(),
            rule: None,
        }
    }

    /// A refusal by a rule, when something of the run is done already.
    #[must_use]
    pub fn by_rule(rule: &str, refusal: Refusal) -> Self {
        let failure = Self::new(FailureKind::Configuration, refusal.what).with_detail(refusal.why);
        Self { rule: Some(rule.into()), ..failure }
    }

    /// The same with an explanation, cut at [`DETAIL_MAX`] characters.
    #[must_use]
    pub fn with_detail(mut self, detail: impl AsRef<str>) -> Self {
        self.detail = detail.as_ref().chars().take(DETAIL_MAX).collect();
        self
    }
}

/// What happens to one resource while Terraform applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceEvent {
    /// The resource's address.
    pub address: String,
    /// What is being done to it.
    pub action: Action,
    /// How far it is.
    pub stage: ResourceStage,
    /// Seconds since it was started, as Terraform tells them; 0 at the start.
    pub elapsed_s: u32,
}

/// How far the change of one resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceStage {
    /// Under way.
    Started,
    /// Done, as Terraform reports.
    Done,
    /// Failed; it may exist half made.
    Failed,
}

/// A value that a stack offers, when it is not secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The output's name.
    pub name: String,
    /// Its value; `None` when Terraform marks it sensitive.
    pub value: Option<serde_json::Value>,
}

/// What an apply did, whether it ended well or not. Counted from the stream's own `apply_complete` messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Changes that Terraform reported as complete, in the order of completion. A replacement is one change with
    /// [`Action::Replace`] once both of its halves are done.
    pub done: Vec<Change>,
    /// Changes that Terraform reported as failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Change>,
    /// Changes that were begun and of which nothing more was heard: they may exist outside the state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_doubt: Vec<Change>,
    /// Outputs after the apply; empty when it did not end well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Output>,
    /// Lineage of the Terraform state that it made; `None` where there was one before, or it cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
    /// The serial that it left the Terraform state with; `None` where it cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
}

impl Applied {
    /// Counts of what was done.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::of(&self.done)
    }
}
