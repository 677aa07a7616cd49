//! What people ask of each other for a while: nobody changes this (hold, freeze), nobody lowers it (keep), nothing begins at all
//! (stop), it is mine for that time and at this level (booking). Each has whom it leaves in, a reason, and, but for a stop, an end.

mod answer;
mod booking;
mod news;
mod order;
mod rule;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::answer::Actor;
use super::environment::Level;
use super::ids::{ActorId, EnvironmentName, Timestamp};
use super::request::{AskedAs, RunKind, RunRequest, Target, TypedBy};

pub use answer::{Afterwards, Comes, Freed, HoldAnswer, Keeps, QueueOf, StillWorking, Waiting};
pub use booking::{BOOKED_AHEAD_MS, BOOKED_LEAST_MS, Wish, free_for};
pub use news::{Ending, News};
pub use order::{About, HoldOrder};
pub use rule::{forbids, forbids_lowering, lifters, lowers, may_lift, may_lower};

/// Longest hold, freeze or keep: a week, in seconds. Whoever needs longer says so again.
pub const LONGEST_S: u32 = 7 * 24 * 3_600;

/// The same in milliseconds.
pub const LONGEST_MS: i64 = 1_000 * LONGEST_S as i64;

/// How long a hold is offered for where the configuration does not say: 12 hours, in seconds.
pub const DEFAULT_S: u32 = 12 * 3_600;

/// How long somebody waits for the news that an environment is free, in milliseconds.
pub const TELL_MS: i64 = 12 * 3_600_000;

/// A hold's number: counts up over the whole ledger, from 1, for holds, freezes, keeps and stops alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HoldNumber(pub i64);

impl fmt::Display for HoldNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Nobody else changes an environment.
    Hold,
    /// Nobody else changes any.
    Freeze,
    /// Nobody else lowers an environment.
    Keep,
    /// Nothing changes, whoever wants it, until somebody resumes.
    Stop,
    /// From a moment that lies ahead an environment is at a level, and nobody else changes it.
    Booking,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Hold, Self::Freeze, Self::Keep, Self::Stop, Self::Booking];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Freeze => "freeze",
            Self::Keep => "keep",
            Self::Stop => "stop",
            Self::Booking => "booking",
        }
    }
}

impl TryFrom<String> for Kind {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| format!("`{text}` is no kind of hold"))
    }
}

/// What somebody booked, beside the hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booked {
    /// At which level it is then.
    pub target: Target,
    /// What they were in the chat as they booked it: their rights are asked again when it begins.
    pub asked_as: AskedAs,
    /// What was wanted as it began; `None`: it has not begun, or nobody knew.
    #[serde(default)]
    pub before: Option<Target>,
}

impl Booked {
    /// Where it goes back to afterwards where nobody asks for anything then, and `before` was wanted until it began: what was there
    /// already stays, and what was off is off again. `None`: where the environment rests.
    #[must_use]
    pub fn back(&self, before: Option<&Target>) -> Option<Target> {
        before.filter(|before| **before == self.target || before.level == Level::Off).cloned()
    }
}

/// A hold, freeze, keep, stop or booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its number.
    pub number: HoldNumber,
    /// What it asks for.
    pub kind: Kind,
    /// Of which environment; `None`: of all.
    pub environment: Option<EnvironmentName>,
    /// Whose it is.
    pub by: ActorId,
    /// What they were called when it began.
    pub called: String,
    /// Who may go on beside them.
    pub only: Vec<ActorId>,
    /// Why, in their words.
    pub because: Option<String>,
    /// Since when; of a booking also: from when on.
    pub began: Timestamp,
    /// Until when, not in it any more. `None` for a stop, which lasts until somebody resumes.
    pub until: Option<Timestamp>,
    /// What is booked; nothing but for a booking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booked: Option<Box<Booked>>,
}

impl Hold {
    /// True when it is in force at `now`: its end is its own, whether or not somebody has noted it, and so is the beginning of a booking.
    #[must_use]
    pub fn stands(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now) && (self.kind != Kind::Booking || self.began <= now)
    }

    /// True when it is about this environment, alone or among all.
    #[must_use]
    pub fn is_about(&self, environment: &EnvironmentName) -> bool {
        self.environment.as_ref().is_none_or(|about| about == environment)
    }

    /// True when it stands against what somebody asked for.
    #[must_use]
    pub fn bars(&self, request: &RunRequest, asker: &Actor) -> bool {
        let about = match self.kind {
            Kind::Keep => lowers(request),
            Kind::Hold | Kind::Freeze | Kind::Stop | Kind::Booking => !request.kind.only_looks(),
        };
        about && self.is_about(&request.environment) && !self.leaves_in(asker) && !self.brings(request, asker)
    }

    /// True for who may go on in spite of it. A stop leaves nobody in.
    #[must_use]
    pub fn leaves_in(&self, who: &Actor) -> bool {
        self.kind != Kind::Stop && (who.is(&self.by) || self.only.iter().any(|only| who.is(only)))
    }

    /// True where the clock brings about what is booked: nothing else that it does is left in.
    #[must_use]
    pub fn brings(&self, request: &RunRequest, asker: &Actor) -> bool {
        let wanted = self.booked.as_ref().map(|booked| &booked.target);
        let is_change = request.kind.says_where() && request.kind != RunKind::Destroy;
        asker.id == ActorId::clock() && is_change && wanted == Some(&request.target)
    }

    /// Who answers for what the clock does by it; `None`: it is no booking.
    #[must_use]
    pub fn typed_by(&self) -> Option<TypedBy> {
        let asked_as = self.booked.as_ref()?.asked_as.clone();
        Some(TypedBy { by: self.by.clone(), called: self.called.clone(), asked_as })
    }
}
