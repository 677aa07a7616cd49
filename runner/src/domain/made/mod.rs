//! Environments that are made for one test, from a template: what is kept of them, and what happens to them next. Pure.

mod pool;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use pool::{Pool, Range, RangeError};

use super::answer::{Actor, RunSummary};
use super::command::CommandName;
use super::environment::Environment;
use super::hours;
use super::ids::{ActorId, EnvironmentName, PoolName, RunNumber, StackName, TemplateName, Timestamp};
use super::refusal::Refusal;
use super::run::{Outcome, RunState};

/// When its end is told, in milliseconds before it: the first time, and the second.
pub const WARN_MS: [i64; 2] = [3_600_000, 900_000];

/// How long after a try that failed the next one is made, at first, in milliseconds; it doubles with each.
const AGAIN_MS: i64 = 60_000;

/// Longest time between two tries, in milliseconds.
const AGAIN_MAX_MS: i64 = 3_600_000;

/// The rule by which the run is refused that would destroy one under a test.
pub const BUSY: &str = "busy";

/// Until whether a test still runs in one whose time is over is asked again, in milliseconds.
pub const BUSY_AGAIN_MS: i64 = 10_000;

/// How much later than it was to be an end is told to be late, in milliseconds.
const LATE_MS: i64 = 60_000;

/// Most things that are named of those that are left.
pub const LEFT_NAMED_MAX: usize = 12;

/// `[templates.NAME]`
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Its name.
    pub name: TemplateName,
    /// Which names may be given, with `*` for any characters; `None`: any.
    pub names: Option<String>,
    /// How long one lives where nobody says, in seconds.
    pub life_s: u32,
    /// How long one lives at most, in seconds.
    pub longest_s: u32,
    /// How many there may be at a time; `None`: any number.
    pub at_once: Option<u32>,
    /// Where its range comes from.
    pub pool: Option<PoolName>,
    /// Stacks that stay when it ends.
    pub keep_at_end: Vec<StackName>,
    /// The environment as TOML, without a name put in and without a range.
    pub definition: String,
    /// What tells this definition, with `keep_at_end`, from others: SHA-256 in hexadecimal.
    pub digest: String,
    /// The environment that it makes, by the template's own name: for who may do what.
    pub sample: Environment,
}

/// How far one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// No change of it has succeeded yet.
    Making,
    /// It is there.
    Living,
    /// It is being destroyed.
    Ending,
    /// Nothing of it is left.
    Gone,
}

impl Stage {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Making => "making",
            Self::Living => "living",
            Self::Ending => "ending",
            Self::Gone => "gone",
        }
    }
}

impl TryFrom<String> for Stage {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let all = [Self::Making, Self::Living, Self::Ending, Self::Gone];
        all.into_iter().find(|stage| stage.as_str() == text).ok_or_else(|| format!("`{text}` is no stage of a life"))
    }
}

/// One that was made: a row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Which, over all that ever were: a name may be used again.
    pub id: i64,
    /// Its name.
    pub name: EnvironmentName,
    /// From which template.
    pub template: TemplateName,
    /// Which definition of that template it has.
    pub digest: String,
    /// The environment as TOML, with its range put in.
    pub definition: String,
    /// Stacks that stay when it ends.
    pub keep: Vec<StackName>,
    /// Its range, and the pool that it is from.
    pub range: Option<(PoolName, String)>,
    /// Who made it.
    pub maker: Actor,
    /// Why.
    pub because: Option<String>,
    /// When.
    pub made: Timestamp,
    /// When it ends.
    pub ends: Timestamp,
    /// When it ends at the latest, however often it is extended.
    pub latest: Timestamp,
    /// How far it is.
    pub stage: Stage,
    /// The run that raised it first.
    pub run: RunNumber,
    /// How often its end was told ahead.
    pub warned: i64,
    /// Who ended it; `None`: its time was over, or it has not ended.
    pub ended_by: Option<ActorId>,
    /// They did so whether or not a test runs in it.
    #[serde(default)]
    pub anyway: bool,
    /// The run that destroys it.
    pub end_run: Option<RunNumber>,
    /// How many such runs there were.
    pub tries: i64,
    /// When the next one is made, where one has failed.
    pub try_at: Option<Timestamp>,
    /// What stands in the way, as it was told last.
    pub told: Option<String>,
    /// When nothing was left of it.
    pub gone: Option<Timestamp>,
}

/// What people order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MadeOrder {
    /// Make one and raise it.
    New {
        /// Its name.
        name: EnvironmentName,
        /// From which template.
        template: TemplateName,
        /// Until when; `None`: as long as the template says.
        until: Option<Timestamp>,
    },
    /// Let one live longer.
    Extend {
        /// Which.
        name: EnvironmentName,
        /// How much longer, in milliseconds.
        by_ms: i64,
    },
    /// Destroy one now.
    End {
        /// Which.
        name: EnvironmentName,
        /// Whether or not a test runs in it.
        #[serde(default)]
        anyway: bool,
    },
    /// What its template says otherwise.
    Renew {
        /// Which.
        name: EnvironmentName,
        /// Take it.
        take: bool,
    },
}

impl MadeOrder {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> CommandName {
        match self {
            Self::New { .. } => CommandName::New,
            Self::Extend { .. } => CommandName::Extend,
            Self::End { .. } => CommandName::End,
            Self::Renew { .. } => CommandName::Renew,
        }
    }

    /// The environment that it is about.
    #[must_use]
    pub fn environment(&self) -> &EnvironmentName {
        match self {
            Self::New { name, .. } | Self::Extend { name, .. } | Self::End { name, .. } | Self::Renew { name, .. } => {
                name
            }
        }
    }
}

/// What came of an order that put no run into the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MadeAnswer {
    /// It lives longer.
    Extended(Box<Made>),
    /// It has what its template says while it is being destroyed, which goes on by that.
    Renewed(Box<Made>),
    /// What its template says otherwise; nothing is changed.
    Differs {
        /// Which.
        made: Box<Made>,
        /// A line each: `- servers = 2`, `+ servers = 4`.
        lines: Vec<String>,
    },
}

/// One of those that exist, for who asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Which.
    pub made: Made,
    /// Its template says something else now, or is not there any more.
    pub older: bool,
    /// Why its definition cannot be used.
    pub broken: Option<String>,
}

/// What people hear of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "life", rename_all = "snake_case")]
pub enum LifeNews {
    /// It ends soon.
    Ahead {
        /// When.
        ends: Timestamp,
        /// When at the latest, where it is extended.
        latest: Timestamp,
    },
    /// Its time is over, and it does not end: a test runs in it, or nobody can say that none does.
    Busy {
        /// What says so.
        at_work: AtWork,
        /// When its time was over.
        ends: Timestamp,
        /// When at the latest, where it is extended.
        latest: Timestamp,
    },
    /// Its end comes later than it was to come.
    Late {
        /// When it was to come.
        ends: Timestamp,
        /// What it waited for, as it was told last; `None`: nobody looked then.
        waited: Option<String>,
    },
    /// Something stands in the way of its end.
    Deleting {
        /// What is left, by address, where that is known.
        left: Option<Vec<String>>,
        /// Why.
        why: String,
        /// The run that tried it.
        run: Option<RunNumber>,
        /// When it is tried again.
        again: Timestamp,
        /// What can be typed about that.
        #[serde(default)]
        next: Vec<String>,
    },
    /// Nothing of it is left.
    Deleted {
        /// How long it was there, in milliseconds.
        lived_ms: i64,
        /// Stacks that stay.
        kept: Vec<StackName>,
        /// The run that did it.
        run: Option<RunNumber>,
    },
}

/// The words of why one does not end: a test runs in it.
#[must_use]
pub fn under_test(name: &EnvironmentName, at_work: &AtWork) -> Refusal {
    let why = format!("{}; that counts until {} UTC", at_work.said, hours::shown(at_work.until, chrono_tz::Tz::UTC));
    Refusal::refused(format!("{name} does not end under a test"), why)
        .hint(format!("end {name} anyway because REASON"))
        .hint(format!("status {name}"))
}

/// A load test that runs, as far as anybody can say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtWork {
    /// What says so, or why nobody can: ``app: `pgrep jmeter` says that a test runs``.
    pub said: String,
    /// Until when that counts at most.
    pub until: Timestamp,
}

/// What is seen of one that is there.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its runs that are not over, by number.
    pub active: &'a [RunSummary],
    /// A change of it succeeded.
    pub succeeded: bool,
    /// The run that destroys it, where one was asked for.
    pub end: Option<EndRun<'a>>,
}

/// What is seen of the run that destroys one.
#[derive(Debug, Clone, Copy)]
pub struct EndRun<'a> {
    /// How it stands.
    pub state: &'a RunState,
    /// An apply of it began.
    pub began: bool,
    /// Nobody took it back: it was broken off because Tidegate was stopped.
    pub broken_off: bool,
    /// It was refused because a test runs.
    pub busy: bool,
}

/// What happens to one next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing yet.
    Wait,
    /// It is there now.
    Lives,
    /// Its end is told ahead, so often by now.
    Warn(i64),
    /// Its time is over.
    Due,
    /// A run that has changed nothing yet is not made any more.
    Cancel(RunNumber),
    /// It is destroyed.
    Destroy,
    /// What was to destroy it did not.
    Again,
    /// Nothing was brought about by whoever wanted it gone before its time, or under a test that runs: it lives on.
    Back,
    /// What whoever wanted it gone had begun was broken off: it goes on for them.
    Resume,
}

impl Made {
    /// One as it begins: whatever else is known of it is put over this.
    #[must_use]
    pub fn begins(id: i64, name: EnvironmentName, template: TemplateName, maker: Actor, made: Timestamp) -> Self {
        Self {
            id,
            name,
            template,
            digest: String::new(),
            definition: String::new(),
            keep: Vec::new(),
            range: None,
            maker,
            because: None,
            made,
            ends: made,
            latest: made,
            stage: Stage::Making,
            run: RunNumber(0),
            warned: 0,
            ended_by: None,
            anyway: false,
            end_run: None,
            tries: 0,
            try_at: None,
            told: None,
            gone: None,
        }
    }

    /// How often its end is told by `now`.
    #[must_use]
    pub fn warnings(&self, now: Timestamp) -> i64 {
        WARN_MS.iter().map(|before| i64::from(self.ends.plus_ms(-before) <= now)).sum()
    }

    /// When the next try is made after `tries` of them failed.
    #[must_use]
    pub fn again(tries: i64, now: Timestamp) -> Timestamp {
        let doubled = u32::try_from(tries.saturating_sub(1).clamp(0, 16)).unwrap_or_default();
        now.plus_ms((AGAIN_MS << doubled).min(AGAIN_MAX_MS))
    }

    /// What happens next. One step at a time: after it is stored, this is asked again.
    #[must_use]
    pub fn next(&self, seen: &Seen<'_>, now: Timestamp) -> Step {
        match self.stage {
            Stage::Gone => Step::Wait,
            Stage::Making | Stage::Living if self.is_due(now) => Step::Due,
            // Whether a test still runs is asked now and then.
            Stage::Making | Stage::Living if now >= self.ends => Step::Wait,
            Stage::Making if seen.succeeded => Step::Lives,
            Stage::Making | Stage::Living => {
                let warnings = self.warnings(now);
                if warnings > self.warned { Step::Warn(warnings) } else { Step::Wait }
            }
            Stage::Ending => self.next_of_ending(seen, now),
        }
    }

    /// It is somebody's wish that it goes, and its time is not over: they answer for it.
    #[must_use]
    pub fn is_early(&self, now: Timestamp) -> bool {
        self.ended_by.is_some() && now < self.ends
    }

    /// Whether its time is over, and it is to be seen now whether it ends.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        let is_there = matches!(self.stage, Stage::Making | Stage::Living);
        is_there && now >= self.ends && self.try_at.is_none_or(|at| at <= now)
    }

    /// Whether its end comes so late that people have to hear of it.
    #[must_use]
    pub fn is_late(&self, now: Timestamp) -> bool {
        now.ms_since(self.ends) >= LATE_MS
    }

    fn next_of_ending(&self, seen: &Seen<'_>, now: Timestamp) -> Step {
        if let (Some(_), Some(end)) = (self.end_run, seen.end) {
            return match end.state.outcome() {
                None => Step::Wait,
                Some(Outcome::Cancelled) if self.is_early(now) && !end.began && end.broken_off => Step::Resume,
                // Nothing was destroyed, and the clock has no right to do it before its time: whoever wants it asks again.
                Some(_) if (self.is_early(now) || end.busy) && !end.began => Step::Back,
                // Of one that succeeded the very end is stored with it.
                Some(_) => Step::Again,
            };
        }
        for run in seen.active {
            match run.state {
                RunState::Queued { .. } | RunState::AwaitingApproval { applied: false, .. } => {
                    return Step::Cancel(run.number);
                }
                RunState::Planning { .. }
                | RunState::AwaitingApproval { applied: true, .. }
                | RunState::Applying { .. }
                | RunState::Verifying { .. }
                | RunState::Unknown { .. }
                | RunState::Ended { .. } => {}
            }
        }
        if !seen.active.is_empty() || self.try_at.is_some_and(|at| at > now) {
            return Step::Wait;
        }
        Step::Destroy
    }
}
