//! The states of a run and the one function that changes them.

use serde::{Deserialize, Serialize};

use super::event::{Outcome, Phase, Question, RunEvent};
use crate::domain::ids::{ActorId, StackName};

/// A wish that a run stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Whose.
    pub by: ActorId,
    /// Kill instead of asking.
    pub force: bool,
}

/// Where a run is. What belongs to a state is in its variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RunState {
    /// Waits for its turn. `approved` holds the digest that somebody said yes to; such a run goes to the front.
    Queued {
        /// What was said yes to.
        approved: Option<String>,
    },
    /// Code, `init`, `plan`. Nothing has been changed yet.
    Planning {
        /// What was said yes to before.
        approved: Option<String>,
        /// Somebody wants it stopped.
        stop: Option<Stop>,
    },
    /// Waits for a yes. With `applied` it has changed something already and keeps the environment; else it gave it back.
    AwaitingApproval {
        /// What is asked.
        question: Question,
        /// Something has been applied already.
        applied: bool,
    },
    /// Changing things.
    Applying {
        /// What was said yes to last.
        approved: Option<String>,
        /// Somebody wants it stopped.
        stop: Option<Stop>,
    },
    /// Checking that what was asked for is there.
    Verifying {
        /// Something was applied; without it only what is there already is looked at.
        #[serde(default = "yes")]
        applied: bool,
        /// Somebody wants it stopped.
        stop: Option<Stop>,
    },
    /// A runner died in mid-apply and nobody knows yet what stands. Keeps the environment.
    Unknown {
        /// The stack whose apply nobody saw end.
        stack: StackName,
        /// What is known.
        finding: String,
        /// Somebody asked to look: `Some(true)` also breaks a left lock.
        look: Option<bool>,
    },
    /// Over.
    Ended {
        /// How.
        outcome: Outcome,
    },
}

fn yes() -> bool {
    true
}

/// What the ledger does beside storing event and state, in the same transaction. A wish to stop is no effect: it stays in the
/// state, where whoever drives the run finds it, also after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A message to the asker: needs a yes, ended, unknown.
    Announce,
}

/// An event that a state cannot have. A bug or a stale message, never bad user input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a run that is {state} cannot take the event {event}")]
pub struct IllegalEvent {
    /// The state's word.
    pub state: &'static str,
    /// The event's word.
    pub event: String,
}

impl RunState {
    /// The word for it, as the ledger stores it in `runs.status`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Planning { .. } => "planning",
            Self::AwaitingApproval { .. } => "awaiting_approval",
            Self::Applying { .. } => "applying",
            Self::Verifying { .. } => "verifying",
            Self::Unknown { .. } => "unknown",
            Self::Ended { outcome } => outcome.as_str(),
        }
    }

    /// True while no other run may work on the environment.
    #[must_use]
    pub fn holds_environment(&self) -> bool {
        match self {
            Self::Planning { .. } | Self::Applying { .. } | Self::Verifying { .. } | Self::Unknown { .. } => true,
            Self::AwaitingApproval { applied, .. } => *applied,
            Self::Queued { .. } | Self::Ended { .. } => false,
        }
    }

    /// True once it has begun to change something and is not over: it is brought to its end, whatever others say meanwhile.
    #[must_use]
    pub fn changes(&self) -> bool {
        match self {
            Self::Applying { .. } | Self::Unknown { .. } => true,
            Self::Verifying { applied, .. } | Self::AwaitingApproval { applied, .. } => *applied,
            Self::Queued { .. } | Self::Planning { .. } | Self::Ended { .. } => false,
        }
    }

    /// True while a runner works on it: neither in the queue, nor waiting for people, nor lost.
    #[must_use]
    pub fn works(&self) -> bool {
        match self {
            Self::Planning { .. } | Self::Applying { .. } | Self::Verifying { .. } => true,
            Self::Queued { .. } | Self::AwaitingApproval { .. } | Self::Unknown { .. } | Self::Ended { .. } => false,
        }
    }

    /// True when nothing more will happen to the run.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.outcome().is_some()
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Ended { outcome } => Some(*outcome),
            Self::Queued { .. }
            | Self::Planning { .. }
            | Self::AwaitingApproval { .. }
            | Self::Applying { .. }
            | Self::Verifying { .. }
            | Self::Unknown { .. } => None,
        }
    }

    /// The wish to stop, if there is one.
    #[must_use]
    pub fn stop(&self) -> Option<&Stop> {
        match self {
            Self::Planning { stop, .. } | Self::Applying { stop, .. } | Self::Verifying { stop, .. } => stop.as_ref(),
            Self::Queued { .. } | Self::AwaitingApproval { .. } | Self::Unknown { .. } | Self::Ended { .. } => None,
        }
    }

    /// Applies `event`. Pure: the caller commits event, state and effects together.
    ///
    /// # Errors
    /// [`IllegalEvent`] names state and event. It is a bug or a stale message, never bad user input.
    pub fn on(&self, event: &RunEvent) -> Result<(Self, Vec<Effect>), IllegalEvent> {
        match self {
            Self::Queued { approved } => self.on_queued(approved.as_ref(), event),
            Self::Planning { approved, stop } => self.on_planning(approved.as_ref(), stop.as_ref(), event),
            Self::AwaitingApproval { question, applied } => self.on_awaiting(question, *applied, event),
            Self::Applying { approved, stop } => self.on_applying(approved.as_ref(), stop.as_ref(), event),
            Self::Verifying { applied, stop } => self.on_verifying(*applied, stop.as_ref(), event),
            Self::Unknown { stack, finding, look } => self.on_unknown(stack, finding, *look, event),
            Self::Ended { .. } => Err(self.illegal(event)),
        }
    }

    fn on_queued(&self, approved: Option<&String>, event: &RunEvent) -> Result<(Self, Vec<Effect>), IllegalEvent> {
        match event {
            RunEvent::Accepted => Ok((self.clone(), Vec::new())),
            RunEvent::Claimed { .. } => Ok((Self::Planning { approved: approved.cloned(), stop: None }, Vec::new())),
            RunEvent::StopAsked { .. } => Ok(Self::over(Outcome::Cancelled)),
            // A queued run is ended without a claim when its environment has left the configuration.
            RunEvent::Ended {
                outcome: outcome @ (Outcome::Failed | Outcome::Refused | Outcome::Cancelled), ..
            } => Ok(Self::over(*outcome)),
            RunEvent::Ended {
                outcome:
                    Outcome::Succeeded | Outcome::NothingToDo | Outcome::Planned | Outcome::Partial | Outcome::Expired,
                ..
            }
            | RunEvent::StackPrepared { .. }
            | RunEvent::StackStarted { .. }
            | RunEvent::StackNoted { .. }
            | RunEvent::StackPlanned { .. }
            | RunEvent::ApplyBegan
            | RunEvent::Resource { .. }
            | RunEvent::StackApplied { .. }
            | RunEvent::VerifyBegan
            | RunEvent::StackVerified { .. }
            | RunEvent::StackFailed { .. }
            | RunEvent::Asked { .. }
            | RunEvent::Seconded { .. }
            | RunEvent::Approved { .. }
            | RunEvent::Rejected { .. }
            | RunEvent::QuestionExpired
            | RunEvent::LostTrack { .. }
            | RunEvent::RecoverAsked { .. }
            | RunEvent::StillUnknown { .. } => Err(self.illegal(event)),
        }
    }

    fn on_planning(
        &self,
        approved: Option<&String>,
        stop: Option<&Stop>,
        event: &RunEvent,
    ) -> Result<(Self, Vec<Effect>), IllegalEvent> {
        match event {
            RunEvent::Claimed { .. }
            | RunEvent::StackPrepared { .. }
            | RunEvent::StackStarted { phase: Phase::Prepare | Phase::Plan, .. }
            | RunEvent::StackNoted { .. }
            | RunEvent::StackPlanned { .. }
            | RunEvent::StackFailed { .. } => Ok((self.clone(), Vec::new())),
            RunEvent::ApplyBegan if stop.is_none() => {
                Ok((Self::Applying { approved: approved.cloned(), stop: stop.cloned() }, Vec::new()))
            }
            // Nothing is to be changed; whether what is there is in service is looked at all the same.
            RunEvent::VerifyBegan if stop.is_none() => Ok((Self::Verifying { applied: false, stop: None }, Vec::new())),
            RunEvent::Asked { question } if stop.is_none() => {
                Ok((Self::AwaitingApproval { question: question.clone(), applied: false }, vec![Effect::Announce]))
            }
            RunEvent::StopAsked { by, force, .. } => {
                let stop = Some(Stop { by: by.clone(), force: *force });
                Ok((Self::Planning { approved: approved.cloned(), stop }, Vec::new()))
            }
            RunEvent::Ended {
                outcome:
                    outcome @ (Outcome::NothingToDo
                    | Outcome::Planned
                    | Outcome::Failed
                    | Outcome::Refused
                    | Outcome::Cancelled),
                ..
            } => Ok(Self::over(*outcome)),
            RunEvent::Ended { outcome: Outcome::Succeeded | Outcome::Partial | Outcome::Expired, .. }
            | RunEvent::StackStarted { phase: Phase::Apply | Phase::Verify, .. }
            | RunEvent::ApplyBegan
            | RunEvent::Asked { .. }
            | RunEvent::Accepted
            | RunEvent::Resource { .. }
            | RunEvent::StackApplied { .. }
            | RunEvent::VerifyBegan
            | RunEvent::StackVerified { .. }
            | RunEvent::Seconded { .. }
            | RunEvent::Approved { .. }
            | RunEvent::Rejected { .. }
            | RunEvent::QuestionExpired
            | RunEvent::LostTrack { .. }
            | RunEvent::RecoverAsked { .. }
            | RunEvent::StillUnknown { .. } => Err(self.illegal(event)),
        }
    }

    fn on_awaiting(
        &self,
        question: &Question,
        applied: bool,
        event: &RunEvent,
    ) -> Result<(Self, Vec<Effect>), IllegalEvent> {
        match event {
            // Another runner may take over a run that keeps its environment; it goes on waiting.
            RunEvent::Claimed { .. } if applied => Ok((self.clone(), Vec::new())),
            RunEvent::Approved { digest, .. } if *digest == question.digest => {
                let approved = Some(digest.clone());
                let next = if applied { Self::Applying { approved, stop: None } } else { Self::Queued { approved } };
                Ok((next, Vec::new()))
            }
            RunEvent::Seconded { yes, digest } if *digest == question.digest => {
                let mut question = question.clone();
                question.yes.push(yes.clone());
                Ok((Self::AwaitingApproval { question, applied }, Vec::new()))
            }
            RunEvent::Rejected { .. } | RunEvent::StopAsked { .. } => {
                Ok(Self::over(if applied { Outcome::Partial } else { Outcome::Cancelled }))
            }
            RunEvent::QuestionExpired => Ok(Self::over(if applied { Outcome::Partial } else { Outcome::Expired })),
            RunEvent::Seconded { .. }
            | RunEvent::Approved { .. }
            | RunEvent::Claimed { .. }
            | RunEvent::Ended { .. }
            | RunEvent::Accepted
            | RunEvent::StackPrepared { .. }
            | RunEvent::StackStarted { .. }
            | RunEvent::StackNoted { .. }
            | RunEvent::StackPlanned { .. }
            | RunEvent::ApplyBegan
            | RunEvent::Resource { .. }
            | RunEvent::StackApplied { .. }
            | RunEvent::VerifyBegan
            | RunEvent::StackVerified { .. }
            | RunEvent::StackFailed { .. }
            | RunEvent::Asked { .. }
            | RunEvent::LostTrack { .. }
            | RunEvent::RecoverAsked { .. }
            | RunEvent::StillUnknown { .. } => Err(self.illegal(event)),
        }
    }

    fn on_applying(
        &self,
        approved: Option<&String>,
        stop: Option<&Stop>,
        event: &RunEvent,
    ) -> Result<(Self, Vec<Effect>), IllegalEvent> {
        match event {
            RunEvent::Claimed { .. }
            | RunEvent::StackPrepared { .. }
            | RunEvent::StackStarted { .. }
            | RunEvent::StackNoted { .. }
            | RunEvent::StackPlanned { .. }
            | RunEvent::Resource { .. }
            | RunEvent::StackApplied { .. }
            | RunEvent::StackVerified { .. }
            | RunEvent::StackFailed { .. } => Ok((self.clone(), Vec::new())),
            RunEvent::VerifyBegan => Ok((Self::Verifying { applied: true, stop: stop.cloned() }, Vec::new())),
            RunEvent::Asked { question } if stop.is_none() => {
                Ok((Self::AwaitingApproval { question: question.clone(), applied: true }, vec![Effect::Announce]))
            }
            RunEvent::StopAsked { by, force, .. } => {
                let stop = Some(Stop { by: by.clone(), force: *force });
                Ok((Self::Applying { approved: approved.cloned(), stop }, Vec::new()))
            }
            RunEvent::LostTrack { stack, finding, .. } => Ok((
                Self::Unknown { stack: stack.clone(), finding: finding.clone(), look: None },
                vec![Effect::Announce],
            )),
            RunEvent::Ended {
                outcome: outcome @ (Outcome::Failed | Outcome::Partial | Outcome::Cancelled), ..
            } => Ok(Self::over(*outcome)),
            RunEvent::Ended {
                outcome:
                    Outcome::Succeeded | Outcome::NothingToDo | Outcome::Planned | Outcome::Refused | Outcome::Expired,
                ..
            }
            | RunEvent::Asked { .. }
            | RunEvent::Accepted
            | RunEvent::ApplyBegan
            | RunEvent::Seconded { .. }
            | RunEvent::Approved { .. }
            | RunEvent::Rejected { .. }
            | RunEvent::QuestionExpired
            | RunEvent::RecoverAsked { .. }
            | RunEvent::StillUnknown { .. } => Err(self.illegal(event)),
        }
    }

    fn on_verifying(
        &self,
        applied: bool,
        stop: Option<&Stop>,
        event: &RunEvent,
    ) -> Result<(Self, Vec<Effect>), IllegalEvent> {
        match event {
            RunEvent::Claimed { .. }
            | RunEvent::StackPrepared { .. }
            | RunEvent::StackStarted { phase: Phase::Verify, .. }
            | RunEvent::StackNoted { .. }
            | RunEvent::StackVerified { .. }
            | RunEvent::StackFailed { .. } => Ok((Self::Verifying { applied, stop: stop.cloned() }, Vec::new())),
            RunEvent::StopAsked { by, force, .. } => {
                let stop = Some(Stop { by: by.clone(), force: *force });
                Ok((Self::Verifying { applied, stop }, Vec::new()))
            }
            RunEvent::Ended { outcome: Outcome::Succeeded, .. } if applied => Ok(Self::over(Outcome::Succeeded)),
            RunEvent::Ended { outcome: Outcome::NothingToDo, .. } if !applied => Ok(Self::over(Outcome::NothingToDo)),
            RunEvent::Ended {
                outcome: outcome @ (Outcome::Partial | Outcome::Failed | Outcome::Cancelled), ..
            } => Ok(Self::over(*outcome)),
            RunEvent::Ended {
                outcome:
                    Outcome::Succeeded | Outcome::NothingToDo | Outcome::Planned | Outcome::Refused | Outcome::Expired,
                ..
            }
            | RunEvent::StackStarted { phase: Phase::Prepare | Phase::Plan | Phase::Apply, .. }
            | RunEvent::Accepted
            | RunEvent::StackPlanned { .. }
            | RunEvent::ApplyBegan
            | RunEvent::Resource { .. }
            | RunEvent::StackApplied { .. }
            | RunEvent::VerifyBegan
            | RunEvent::Asked { .. }
            | RunEvent::Seconded { .. }
            | RunEvent::Approved { .. }
            | RunEvent::Rejected { .. }
            | RunEvent::QuestionExpired
            | RunEvent::LostTrack { .. }
            | RunEvent::RecoverAsked { .. }
            | RunEvent::StillUnknown { .. } => Err(self.illegal(event)),
        }
    }

    fn on_unknown(
        &self,
        stack: &StackName,
        finding: &str,
        look: Option<bool>,
        event: &RunEvent,
    ) -> Result<(Self, Vec<Effect>), IllegalEvent> {
        let here = |finding: &str, look| Self::Unknown { stack: stack.clone(), finding: finding.to_owned(), look };
        match event {
            RunEvent::Claimed { .. } | RunEvent::StackStarted { .. } | RunEvent::StackNoted { .. } => {
                Ok((here(finding, look), Vec::new()))
            }
            RunEvent::RecoverAsked { unlock, .. } => Ok((here(finding, Some(*unlock)), Vec::new())),
            RunEvent::StillUnknown { finding } => Ok((here(finding, None), vec![Effect::Announce])),
            RunEvent::Ended { outcome: outcome @ (Outcome::Failed | Outcome::Partial), .. } => Ok(Self::over(*outcome)),
            RunEvent::Ended {
                outcome:
                    Outcome::Succeeded
                    | Outcome::NothingToDo
                    | Outcome::Planned
                    | Outcome::Cancelled
                    | Outcome::Refused
                    | Outcome::Expired,
                ..
            }
            | RunEvent::Accepted
            | RunEvent::StackPrepared { .. }
            | RunEvent::StackPlanned { .. }
            | RunEvent::ApplyBegan
            | RunEvent::Resource { .. }
            | RunEvent::StackApplied { .. }
            | RunEvent::VerifyBegan
            | RunEvent::StackVerified { .. }
            | RunEvent::StackFailed { .. }
            | RunEvent::Asked { .. }
            | RunEvent::Seconded { .. }
            | RunEvent::Approved { .. }
            | RunEvent::Rejected { .. }
            | RunEvent::QuestionExpired
            | RunEvent::StopAsked { .. }
            | RunEvent::LostTrack { .. } => Err(self.illegal(event)),
        }
    }

    fn over(outcome: Outcome) -> (Self, Vec<Effect>) {
        (Self::Ended { outcome }, vec![Effect::Announce])
    }

    fn illegal(&self, event: &RunEvent) -> IllegalEvent {
        let event = serde_json::to_value(event)
            .ok()
            .and_then(|json| json.get("event").and_then(|name| name.as_str().map(str::to_owned)))
            .unwrap_or_else(|| format!("{event:?}"));
        IllegalEvent { state: self.status(), event }
    }
}
