//! What people order about holds, and about being in each other's way.

use serde::{Deserialize, Serialize};

use super::HoldNumber;
use crate::domain::command::{Assignment, CommandName};
use crate::domain::environment::Level;
use crate::domain::ids::{EnvironmentName, RunNumber, Timestamp};

/// Whom a question is for: who has an environment, or whose run it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Who has it.
    Environment(EnvironmentName),
    /// Who asked for it.
    Run(RunNumber),
}

/// An order about holds, the queue, or everything at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "hold", rename_all = "snake_case")]
pub enum HoldOrder {
    /// Nobody else changes an environment for a while.
    Hold {
        /// Which.
        environment: EnvironmentName,
        /// Until when.
        until: Timestamp,
        /// Who still may: actor ids (`local:ito`) or the part after the colon (`ito`).
        only: Vec<String>,
    },
    /// That is over.
    Unhold {
        /// Of which environment.
        environment: EnvironmentName,
        /// Which; `None`: the only one that can be meant.
        number: Option<HoldNumber>,
    },
    /// Nobody else changes anything for a while.
    Freeze {
        /// Until when.
        until: Timestamp,
        /// Who still may, as in `Hold`.
        only: Vec<String>,
    },
    /// That is over.
    Unfreeze,
    /// Nobody else lowers an environment for a while.
    Keep {
        /// Which.
        environment: EnvironmentName,
        /// Until when.
        until: Timestamp,
    },
    /// From then on, for a while, an environment is at a level, and nobody else changes it.
    Book {
        /// Which.
        environment: EnvironmentName,
        /// At which level.
        level: Level,
        /// Settings over the profile, absolute.
        settings: Vec<Assignment>,
        /// From when.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
        /// Who else may change it then, as in `Hold`.
        only: Vec<String>,
    },
    /// That is over, or does not begin.
    Unbook {
        /// Of which environment.
        environment: EnvironmentName,
        /// Which; `None`: the only one that can be meant.
        number: Option<HoldNumber>,
    },
    /// Puts a question to whoever has an environment or a run.
    Ask {
        /// About what.
        about: About,
        /// The question.
        words: String,
    },
    /// Wants to be told once an environment is free.
    Tell {
        /// Which.
        environment: EnvironmentName,
    },
    /// Takes an own run out of the queue.
    Leave {
        /// Which; `None`: the only one that can be meant.
        run: Option<RunNumber>,
    },
    /// Stops every run, empties the queue, and lets nothing begin.
    Stop,
    /// Lets things begin again.
    Resume,
}

impl HoldOrder {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> CommandName {
        match self {
            Self::Hold { .. } => CommandName::Hold,
            Self::Unhold { .. } => CommandName::Unhold,
            Self::Freeze { .. } => CommandName::Freeze,
            Self::Unfreeze => CommandName::Unfreeze,
            Self::Keep { .. } => CommandName::Keep,
            Self::Book { .. } => CommandName::Book,
            Self::Unbook { .. } => CommandName::Unbook,
            Self::Ask { .. } => CommandName::Ask,
            Self::Tell { .. } => CommandName::Tell,
            Self::Leave { .. } => CommandName::Leave,
            Self::Stop => CommandName::Stop,
            Self::Resume => CommandName::Resume,
        }
    }

    /// The environment that it names.
    #[must_use]
    pub fn environment(&self) -> Option<&EnvironmentName> {
        match self {
            Self::Hold { environment, .. }
            | Self::Unhold { environment, .. }
            | Self::Keep { environment, .. }
            | Self::Book { environment, .. }
            | Self::Unbook { environment, .. }
            | Self::Tell { environment }
            | Self::Ask { about: About::Environment(environment), .. } => Some(environment),
            Self::Ask { about: About::Run(_), .. }
            | Self::Freeze { .. }
            | Self::Unfreeze
            | Self::Leave { .. }
            | Self::Stop
            | Self::Resume => None,
        }
    }
}
