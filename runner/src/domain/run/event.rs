//! Facts about a run: stored once, never changed, each with the state that it led to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::note::Note;
use crate::domain::access::{Access, Persons, Want, Yes, follow};
use crate::domain::changes::{Change, Moved, StackPlan, WentBack};
use crate::domain::environment::Environment;
use crate::domain::failure::{Applied, Failure, ResourceEvent};
use crate::domain::ids::{ActorId, RunId, StackName, Timestamp};
use crate::domain::refusal::Refusal;

/// Which part of the work on a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Getting the code, checking the tool, `init`.
    Prepare,
    /// `plan`
    Plan,
    /// `apply`
    Apply,
    /// Is what was asked for there?
    Verify,
}

impl Phase {
    /// The word for it, also in names of folders and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Verify => "verify",
        }
    }
}

/// With what a stack is worked on. Stored with each run, so that one can tell later which code did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Git commit of the root module; `None` when it is not in git.
    pub commit: Option<String>,
    /// True when the folder had uncommitted changes. They are not what ran: the commit is.
    pub dirty: bool,
    /// SHA-256 over the content, when the root is not in git.
    pub digest: Option<String>,
    /// Newer code that was there and was not used: commit, and how many commits it is ahead.
    pub newer: Option<(String, u32)>,
    /// `Terraform 1.11.4` or `OpenTofu 1.9.0`.
    pub tool: String,
    /// Provider versions by source address.
    pub providers: BTreeMap<String, String>,
    /// The variables given; sensitive ones are named and have no value.
    pub variables: BTreeMap<String, Option<serde_json::Value>>,
    /// Why `init` ran, or that it was skipped.
    pub init: String,
}

impl Provenance {
    /// SHA-256 over the variables and, of a root outside git, its code: with the same ones, and the commit that a run keeps, the
    /// same change of a resource means the same. Sensitive values are not in it: a hash of a short secret can be guessed.
    #[must_use]
    pub fn inputs(&self) -> String {
        let text = serde_json::json!([self.variables, self.digest]).to_string();
        Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Why a run asks for a yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum QuestionWhy {
    /// The command always shows its plan first (`destroy`, `undo`).
    Previewed,
    /// Something would be deleted or replaced in a stack that should rise.
    Unannounced {
        /// Stack and address of each.
        destroys: Vec<(StackName, String)>,
    },
    /// Terraform states are older than the ones that were left: what was made since then would be made once more.
    WentBack {
        /// Which ones.
        stacks: BTreeMap<StackName, WentBack>,
    },
    /// Terraform states were written by others since they were left: what they did may be taken back.
    Moved {
        /// Which ones.
        stacks: BTreeMap<StackName, Moved>,
    },
    /// Planned again, the plan is another than the one people saw.
    PlanChanged {
        /// What is new in it, by stack.
        beyond: Vec<(StackName, Change)>,
        /// Stacks whose code or variables are other ones.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        otherwise: Vec<StackName>,
    },
    /// A rule of the configuration asks; what it wants is in the question.
    Ruled,
    /// More would be deleted or replaced than anybody does without a second look.
    ManyDestroys {
        /// How much.
        destroys: u32,
        /// Above how much it is asked.
        above: u32,
    },
    /// The environment has other owners.
    OfAnother {
        /// Whose it is.
        owners: Vec<ActorId>,
    },
}

/// Characters of a digest that people type.
const CODE_LEN: usize = 4;

/// A question to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Why it is asked.
    #[serde(flatten)]
    pub why: QuestionWhy,
    /// Digest of the set of changes that a yes is for; see [`crate::domain::changes::digest`].
    pub digest: String,
    /// When it expires.
    pub expires: Timestamp,
    /// What rules want; empty: a yes of whoever asked, or of anybody who may say it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wants: Vec<Want>,
    /// What has been said, as long as it is not enough.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub yes: Vec<Yes>,
    /// Its run had a yes to another plan before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Which of those whom it names are one person, as far as the desk knows at the moment. No event has it.
    #[serde(default, skip_serializing_if = "Persons::is_empty")]
    pub persons: Persons,
    /// What was said and counts no more: by the roles when it was asked again, and by those that the desk knows at the moment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Yes>,
}

impl RunEvent {
    /// An end about which nothing more is to be said.
    #[must_use]
    pub fn ended(outcome: Outcome) -> Self {
        Self::Ended { outcome, refusal: None, rule: None, finding: None, left: BTreeMap::new() }
    }

    /// An end with what is true then.
    #[must_use]
    pub fn ended_as(outcome: Outcome, finding: String) -> Self {
        Self::Ended { outcome, refusal: None, rule: None, finding: Some(finding), left: BTreeMap::new() }
    }

    /// A plain yes, which is enough.
    #[must_use]
    pub fn approved(by: ActorId, digest: impl Into<String>) -> Self {
        Self::Approved {
            by,
            digest: digest.into(),
            alone: false,
            because: None,
            seen: Vec::new(),
            through: Vec::new(),
            without: Vec::new(),
            wants: Vec::new(),
        }
    }
}

impl Question {
    /// A question that no rule asks.
    #[must_use]
    pub fn plain(why: QuestionWhy, digest: String, expires: Timestamp) -> Self {
        Self {
            why,
            digest,
            expires,
            wants: Vec::new(),
            yes: Vec::new(),
            again: false,
            persons: Persons::default(),
            lost: Vec::new(),
        }
    }

    /// What tells this question from others of its run, as people type it: the first characters of its digest.
    #[must_use]
    pub fn code(&self) -> &str {
        self.digest.get(..CODE_LEN).unwrap_or(&self.digest)
    }

    /// Whom it names: those whose yes it wants, those who said it, and whose environment it is.
    pub fn people(&self) -> impl Iterator<Item = &ActorId> {
        let owners = if let QuestionWhy::OfAnother { owners } = &self.why { owners.as_slice() } else { &[] };
        let wanted = self.wants.iter().flat_map(|want| &want.people);
        wanted.chain(self.yes.iter().map(|yes| &yes.by)).chain(owners)
    }

    /// Counts by people what was said, and notes who is one person.
    pub fn count_people(&mut self, persons: &Persons) {
        self.yes = persons.said(&self.yes);
        self.persons = persons.clone();
    }

    /// Holds it against the configuration as it is now: whose yes is wanted, and how many. What was said and counts no more is taken out
    /// and kept apart; `asker` tells who is whoever asks, whose yes counts only where the rule has it so.
    pub fn hold_against(&mut self, access: &Access, environment: &Environment, asker: impl Fn(&ActorId) -> bool) {
        self.wants = follow(&self.wants, access, environment);
        let wants = &self.wants;
        for yes in &mut self.yes {
            let counts = |at: &usize| {
                wants.get(*at).is_some_and(|want| {
                    let may = want.own || yes.alone || !asker(&yes.by);
                    may && want.counts(&yes.by, &yes.through, access, environment)
                })
            };
            let (kept, gone): (Vec<usize>, Vec<usize>) = yes.wants.iter().copied().partition(counts);
            if !gone.is_empty() {
                self.lost.push(Yes { wants: gone, ..yes.clone() });
            }
            yes.wants = kept;
        }
        self.yes.retain(|yes| !yes.wants.is_empty());
    }

    /// True when its run asked something else before: who says yes without [`Self::code`] may mean that.
    #[must_use]
    pub fn asks_anew(&self) -> bool {
        self.again || matches!(self.why, QuestionWhy::PlanChanged { .. })
    }
}

/// The state of one stack when a yes was said to its plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenCode {
    /// Which stack.
    pub stack: StackName,
    /// The commit that it was planned with; `None` outside of git.
    pub commit: Option<String>,
    /// The serial of the Terraform state that it was planned against; `None` where Terraform did not tell it.
    pub serial: Option<u64>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Applied and checked.
    Succeeded,
    /// Everything was already as asked; nothing was applied.
    NothingToDo,
    /// A `plan` was shown, as asked; nothing was applied.
    Planned,
    /// Some of it was done and some was not.
    Partial,
    /// Nothing of it was done, or nothing that is known to stand.
    Failed,
    /// Stopped by a person.
    Cancelled,
    /// Not allowed by a rule, found after planning; nothing was applied.
    Refused,
    /// Nobody said yes in time; nothing was applied.
    Expired,
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::NothingToDo => "nothing_to_do",
            Self::Planned => "planned",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
            Self::Expired => "expired",
        }
    }
}

/// A fact about a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The desk accepted it into the queue. Always the first event.
    Accepted,
    /// A runner took it. `attempt` fences off whoever had it before.
    Claimed {
        /// The runner's name.
        runner: String,
        /// Counts up with each claim, from 1.
        attempt: i64,
    },
    /// A stack's code and tool are ready.
    StackPrepared {
        /// Which.
        stack: StackName,
        /// With what.
        provenance: Box<Provenance>,
    },
    /// A part of the work on a stack began.
    StackStarted {
        /// Which.
        stack: StackName,
        /// Which part.
        phase: Phase,
    },
    /// Something worth a line on the card: a lock that is waited for, an `init` that runs.
    StackNoted {
        /// Which.
        stack: StackName,
        /// What.
        note: Note,
    },
    /// A stack was planned (again).
    StackPlanned {
        /// Which.
        stack: StackName,
        /// The plan.
        plan: StackPlan,
    },
    /// All stacks are planned and the rules allow it: applying begins.
    ApplyBegan,
    /// Something happened to a resource.
    Resource {
        /// In which stack.
        stack: StackName,
        /// What.
        resource: ResourceEvent,
    },
    /// A stack's plan was applied, as Terraform reports.
    StackApplied {
        /// Which.
        stack: StackName,
        /// What was done.
        applied: Box<Applied>,
    },
    /// All stacks are applied: checking begins.
    VerifyBegan,
    /// A stack was checked: what was planned is there.
    StackVerified {
        /// Which.
        stack: StackName,
        /// What was checked, in words: `7 of 7 changes reported done`.
        checked: String,
    },
    /// A part of the work on a stack failed.
    StackFailed {
        /// Which.
        stack: StackName,
        /// Which part.
        phase: Phase,
        /// Why.
        failure: Box<Failure>,
        /// What had been done when it failed.
        applied: Option<Box<Applied>>,
    },
    /// People are asked for a yes.
    Asked {
        /// What.
        question: Question,
    },
    /// Somebody said yes, and more are wanted.
    Seconded {
        /// The yes.
        yes: Yes,
        /// To what: the digest of the question.
        digest: String,
    },
    /// Somebody said yes, and that is enough.
    Approved {
        /// Who.
        by: ActorId,
        /// To what: the digest of the question.
        digest: String,
        /// In the place of all others that were wanted.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        alone: bool,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<String>,
        /// Commit and state that the plans were made with.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        seen: Vec<SeenCode>,
        /// Groups that make it count, as [`Yes::through`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        through: Vec<ActorId>,
        /// Whose yes, said before, did not count any more.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        without: Vec<ActorId>,
        /// What was wanted by the configuration as it was then, where that is not what the question wanted when it was asked.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        wants: Vec<Want>,
    },
    /// Somebody said no.
    Rejected {
        /// Who.
        by: ActorId,
        /// Why.
        because: Option<String>,
    },
    /// Nobody answered in time.
    QuestionExpired,
    /// Somebody (or the drain of a stopping bot) wants it stopped.
    StopAsked {
        /// Who.
        by: ActorId,
        /// Kill instead of asking Terraform to stop.
        force: bool,
        /// Why.
        because: Option<String>,
    },
    /// Nobody saw how an apply ended.
    LostTrack {
        /// Of which stack.
        stack: StackName,
        /// What is known.
        finding: String,
        /// Other stacks of which nobody saw it either.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        others: Vec<StackName>,
    },
    /// Somebody asked to look what became of it.
    RecoverAsked {
        /// Who.
        by: ActorId,
        /// Also break a left state lock.
        unlock: bool,
    },
    /// A look at state and lock did not settle it.
    StillUnknown {
        /// What was found.
        finding: String,
    },
    /// It is over.
    Ended {
        /// How.
        outcome: Outcome,
        /// What the rule that refused it says, when one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refusal: Option<Refusal>,
        /// That rule by name; see [`crate::domain::policy::Decision::Refuse`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<String>,
        /// What is true now, where that needs saying.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        finding: Option<String>,
        /// What plans found left to do in stacks of which nobody had seen how their apply ended.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        left: BTreeMap<StackName, Vec<Change>>,
    },
}

/// An event with its place in the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// Of which run.
    pub run: RunId,
    /// Place in the run, from 1 without gaps.
    pub seq: i64,
    /// When the ledger stored it.
    pub at: Timestamp,
    /// The fact.
    pub event: RunEvent,
}
