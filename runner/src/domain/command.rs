//! What people can ask for, after parsing: names are those of the configuration, values are typed. Whether it may be
//! done is the desk's business.

use serde::{Deserialize, Serialize};

use super::audit::{AuditFilter, Deed, Format};
use super::by_hand::ByHand;
use super::environment::{Level, SettingValue};
use super::holds::{About, HoldOrder};
use super::hours_on::Month;
use super::ids::{EnvironmentName, GroupName, RunNumber, SettingName, StackName, Timestamp};
use super::link::LinkOrder;
use super::made::MadeOrder;
use super::rollout::{RolloutOrder, Scope};
use super::schedule::{BendOrder, ScheduleOrder};

/// The commands by name. A permission is the right to run one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandName {
    /// `help`
    Help,
    /// `envs`
    Envs,
    /// `status`
    Status,
    /// `up`
    Up,
    /// `down`
    Down,
    /// `scale`
    Scale,
    /// `plan`
    Plan,
    /// `drift`
    Drift,
    /// `adopt`
    Adopt,
    /// `sweep`
    Sweep,
    /// `preflight`
    Preflight,
    /// `terraform`
    Terraform,
    /// `destroy`
    Destroy,
    /// `new`
    New,
    /// `extend`
    Extend,
    /// `end`
    End,
    /// `list`
    List,
    /// `renew`
    Renew,
    /// `undo`
    Undo,
    /// `cancel`
    Cancel,
    /// `retry`
    Retry,
    /// `accept`
    Accept,
    /// `approve`
    Approve,
    /// `reject`
    Reject,
    /// `recover`
    Recover,
    /// `hold`
    Hold,
    /// `unhold`
    Unhold,
    /// `freeze`
    Freeze,
    /// `unfreeze`
    Unfreeze,
    /// `keep`
    Keep,
    /// `book`
    Book,
    /// `unbook`
    Unbook,
    /// `skip`
    Skip,
    /// `pause`
    Pause,
    /// `unpause`
    Unpause,
    /// `queue`
    Queue,
    /// `next`
    Next,
    /// `schedule`
    Schedule,
    /// `on`
    On,
    /// `handover`
    Handover,
    /// `hours`
    Hours,
    /// `leave`
    Leave,
    /// `ask`
    Ask,
    /// `tell`
    Tell,
    /// `stop`
    Stop,
    /// `resume`
    Resume,
    /// `show`
    Show,
    /// `log`
    Log,
    /// `history`
    History,
    /// `audit`
    Audit,
    /// `who`
    Who,
    /// `whoami`
    Whoami,
    /// `link`
    Link,
    /// `unlink`
    Unlink,
    /// `why`
    Why,
}

impl CommandName {
    /// All commands, in the order of `help`.
    pub const ALL: [Self; 55] = [
        Self::Help,
        Self::Envs,
        Self::Status,
        Self::Up,
        Self::Down,
        Self::Scale,
        Self::Plan,
        Self::Drift,
        Self::Adopt,
        Self::Sweep,
        Self::Preflight,
        Self::Terraform,
        Self::Destroy,
        Self::New,
        Self::Extend,
        Self::End,
        Self::List,
        Self::Renew,
        Self::Undo,
        Self::Cancel,
        Self::Retry,
        Self::Accept,
        Self::Approve,
        Self::Reject,
        Self::Recover,
        Self::Hold,
        Self::Unhold,
        Self::Freeze,
        Self::Unfreeze,
        Self::Keep,
        Self::Book,
        Self::Unbook,
        Self::Skip,
        Self::Pause,
        Self::Unpause,
        Self::Queue,
        Self::Next,
        Self::Schedule,
        Self::On,
        Self::Handover,
        Self::Hours,
        Self::Leave,
        Self::Ask,
        Self::Tell,
        Self::Stop,
        Self::Resume,
        Self::Show,
        Self::Log,
        Self::History,
        Self::Audit,
        Self::Who,
        Self::Whoami,
        Self::Link,
        Self::Unlink,
        Self::Why,
    ];

    /// The word that people type.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::Envs => "envs",
            Self::Status => "status",
            Self::Up => "up",
            Self::Down => "down",
            Self::Scale => "scale",
            Self::Plan => "plan",
            Self::Drift => "drift",
            Self::Adopt => "adopt",
            Self::Sweep => "sweep",
            Self::Preflight => "preflight",
            Self::Terraform => "terraform",
            Self::Destroy => "destroy",
            Self::New => "new",
            Self::Extend => "extend",
            Self::End => "end",
            Self::List => "list",
            Self::Renew => "renew",
            Self::Undo => "undo",
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::Accept => "accept",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Recover => "recover",
            Self::Hold => "hold",
            Self::Unhold => "unhold",
            Self::Freeze => "freeze",
            Self::Unfreeze => "unfreeze",
            Self::Keep => "keep",
            Self::Book => "book",
            Self::Unbook => "unbook",
            Self::Skip => "skip",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Queue => "queue",
            Self::Next => "next",
            Self::Schedule => "schedule",
            Self::On => "on",
            Self::Handover => "handover",
            Self::Hours => "hours",
            Self::Leave => "leave",
            Self::Ask => "ask",
            Self::Tell => "tell",
            Self::Stop => "stop",
            Self::Resume => "resume",
            Self::Show => "show",
            Self::Log => "log",
            Self::History => "history",
            Self::Audit => "audit",
            Self::Who => "who",
            Self::Whoami => "whoami",
            Self::Link => "link",
            Self::Unlink => "unlink",
            Self::Why => "why",
        }
    }

    /// The word in the audit for an order of this name: three of them are words for what happens by itself, too.
    #[must_use]
    pub fn action(self) -> &'static str {
        match self {
            Self::Ask => "inquire",
            Self::Stop => "halt",
            Self::End => "finish",
            other => other.as_str(),
        }
    }

    /// True for what is about all environments at once.
    #[must_use]
    pub fn is_about_all(self) -> bool {
        matches!(self, Self::Freeze | Self::Unfreeze | Self::Stop | Self::Resume)
    }

    /// True for what is about whoever says it, and no environment.
    #[must_use]
    pub fn is_about_oneself(self) -> bool {
        matches!(self, Self::Link | Self::Unlink)
    }

    /// True for what takes back something that need not stand in each environment of a group.
    #[must_use]
    pub fn is_lifted_where_it_stands(self) -> bool {
        matches!(self, Self::Unhold | Self::Unpause | Self::Unbook)
    }

    /// True for commands that only read.
    #[must_use]
    pub fn only_reads(self) -> bool {
        match self {
            Self::Help
            | Self::Envs
            | Self::Status
            | Self::Queue
            | Self::Next
            | Self::On
            | Self::Handover
            | Self::Hours
            | Self::Show
            | Self::Log
            | Self::History
            | Self::Audit
            | Self::Who
            | Self::Whoami
            | Self::List
            | Self::Why => true,
            Self::Up
            | Self::Down
            | Self::Scale
            | Self::Plan
            | Self::Drift
            | Self::Adopt
            | Self::Sweep
            | Self::Preflight
            | Self::Terraform
            | Self::Destroy
            | Self::New
            | Self::Extend
            | Self::End
            | Self::Renew
            | Self::Undo
            | Self::Cancel
            | Self::Retry
            | Self::Accept
            | Self::Approve
            | Self::Reject
            | Self::Recover
            | Self::Hold
            | Self::Unhold
            | Self::Freeze
            | Self::Unfreeze
            | Self::Keep
            | Self::Book
            | Self::Unbook
            | Self::Skip
            | Self::Pause
            | Self::Unpause
            | Self::Schedule
            | Self::Leave
            | Self::Ask
            | Self::Tell
            | Self::Stop
            | Self::Resume
            | Self::Link
            | Self::Unlink => false,
        }
    }
}

impl std::fmt::Display for CommandName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a setting is to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// `slaves=40`
    Set,
    /// `slaves+=10`
    Add,
    /// `slaves-=5`
    Subtract,
    /// `slaves*=2`
    Multiply,
}

impl Operator {
    /// As people type it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Set => "=",
            Self::Add => "+=",
            Self::Subtract => "-=",
            Self::Multiply => "*=",
        }
    }
}

/// One `setting=value` of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The setting.
    pub setting: SettingName,
    /// How.
    pub operator: Operator,
    /// The value on the right.
    pub value: SettingValue,
}

/// A command that asks for something to happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// Raise an environment.
    Up {
        /// Which.
        environment: EnvironmentName,
        /// To which level; `None` means the environment's `up` profile.
        level: Option<Level>,
        /// Settings over the profile.
        settings: Vec<Assignment>,
        /// Take newer code than the accepted commit.
        newest_code: bool,
    },
    /// Lower an environment.
    Down {
        /// Which.
        environment: EnvironmentName,
        /// To which level; `None` means the environment's `down`.
        level: Option<Level>,
        /// Against somebody's keep, who is told.
        anyway: bool,
    },
    /// Change settings, leave the level.
    Scale {
        /// Which.
        environment: EnvironmentName,
        /// At least one.
        settings: Vec<Assignment>,
    },
    /// Show what would be done; never does it.
    Plan {
        /// Which.
        environment: EnvironmentName,
        /// To which level; `None` means the present one, or `up` when there is none.
        level: Option<Level>,
        /// Settings over the profile.
        settings: Vec<Assignment>,
        /// Take newer code than the accepted commit.
        newest_code: bool,
    },
    /// Look what others changed since the last apply, and change nothing.
    Drift {
        /// Which.
        environment: EnvironmentName,
    },
    /// Take what others changed into the Terraform states as it is, previewed.
    Adopt {
        /// Which.
        environment: EnvironmentName,
    },
    /// Look for what carries an environment's tags and stands in none of its states.
    Sweep {
        /// Which.
        environment: EnvironmentName,
        /// Take it away, previewed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        remove: bool,
    },
    /// Have Terraform itself do something with one stack, by hand.
    Terraform {
        /// Of which environment.
        environment: EnvironmentName,
        /// With which stack, and what.
        by_hand: Box<ByHand>,
    },
    /// Look whether anything stands in the way of a change.
    Preflight {
        /// Which.
        environment: EnvironmentName,
    },
    /// Destroy all stacks but what `protect` names.
    Destroy {
        /// Which.
        environment: EnvironmentName,
    },
    /// Back to the settings before the last change, previewed.
    Undo {
        /// Which.
        environment: EnvironmentName,
    },
    /// Stop a run.
    Cancel {
        /// Which; `None` guesses nothing, it lists.
        run: Option<RunNumber>,
        /// Kill Terraform instead of asking it to stop.
        force: bool,
    },
    /// Do an ended run again, linked to it.
    Retry {
        /// Which.
        run: RunNumber,
    },
    /// Take a partial or failed run as it is.
    Accept {
        /// Which.
        run: RunNumber,
    },
    /// Say yes to the question of a run.
    Approve {
        /// Which.
        run: RunNumber,
        /// Which question of the run: the beginning of its digest; `None`: its first.
        code: Option<String>,
        /// In the place of all others whose yes is wanted.
        alone: bool,
    },
    /// Say no to it.
    Reject {
        /// Which.
        run: RunNumber,
    },
    /// Look what became of a run in state `unknown`, and end it as what is true.
    Recover {
        /// Which.
        run: RunNumber,
        /// Also break a state lock that the dead run left behind.
        unlock: bool,
    },
    /// About holds, the queue, or everything at once.
    Hold(HoldOrder),
    /// About schedules, for a while.
    Bend(BendOrder),
    /// A change that ends by itself: then the schedules say again, or without any, the environment goes to where it rests.
    For {
        /// What is done: [`Order::Up`], [`Order::Down`] or [`Order::Scale`].
        change: Box<Order>,
        /// Until when.
        until: Timestamp,
    },
    /// About the schedules of an environment.
    Schedule(ScheduleOrder),
    /// The same for many environments.
    Rollout(RolloutOrder),
    /// About who is one person with whom.
    Link(LinkOrder),
    /// About environments that are made for one test.
    Made(MadeOrder),
    /// The same that makes no run, for each environment of a group.
    Each {
        /// Of which group.
        group: GroupName,
        /// For each of them, in the order of the configuration; never empty.
        orders: Vec<Order>,
    },
}

impl Order {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> CommandName {
        match self {
            Self::Up { .. } => CommandName::Up,
            Self::Down { .. } => CommandName::Down,
            Self::Scale { .. } => CommandName::Scale,
            Self::Plan { .. } => CommandName::Plan,
            Self::Drift { .. } => CommandName::Drift,
            Self::Adopt { .. } => CommandName::Adopt,
            Self::Sweep { .. } => CommandName::Sweep,
            Self::Terraform { .. } => CommandName::Terraform,
            Self::Preflight { .. } => CommandName::Preflight,
            Self::Destroy { .. } => CommandName::Destroy,
            Self::Undo { .. } => CommandName::Undo,
            Self::Cancel { .. } => CommandName::Cancel,
            Self::Retry { .. } => CommandName::Retry,
            Self::Accept { .. } => CommandName::Accept,
            Self::Approve { .. } => CommandName::Approve,
            Self::Reject { .. } => CommandName::Reject,
            Self::Recover { .. } => CommandName::Recover,
            Self::Hold(order) => order.name(),
            Self::Schedule(_) => CommandName::Schedule,
            Self::Rollout(order) => order.name(),
            Self::Bend(order) => order.name(),
            Self::Link(order) => order.name(),
            Self::Made(order) => order.name(),
            Self::For { change, .. } => change.name(),
            Self::Each { orders, .. } => orders.first().map_or(CommandName::Hold, Self::name),
        }
    }

    /// The command whose right it takes.
    #[must_use]
    pub fn right(&self) -> CommandName {
        match self {
            // What goes by it is gone for good.
            Self::Sweep { remove: true, .. } => CommandName::Destroy,
            // Holds do not keep anybody from looking; that it takes `terraform` as well is the desk's to see.
            Self::Terraform { by_hand, .. } if by_hand.args.only_looks() => CommandName::Plan,
            other => other.name(),
        }
    }

    /// The same, ending by itself where an end is given.
    #[must_use]
    pub fn until(self, until: Option<Timestamp>) -> Self {
        match until {
            Some(until) => Self::For { change: Box::new(self), until },
            None => self,
        }
    }

    /// The one environment that it names.
    #[must_use]
    pub fn environment(&self) -> Option<&EnvironmentName> {
        match self {
            Self::Up { environment, .. }
            | Self::Down { environment, .. }
            | Self::Scale { environment, .. }
            | Self::Plan { environment, .. }
            | Self::Drift { environment }
            | Self::Adopt { environment }
            | Self::Sweep { environment, .. }
            | Self::Terraform { environment, .. }
            | Self::Preflight { environment }
            | Self::Destroy { environment }
            | Self::Undo { environment } => Some(environment),
            Self::Hold(order) => order.environment(),
            Self::Bend(order) => order.environment(),
            Self::Schedule(order) => Some(order.environment()),
            Self::Made(order) => Some(order.environment()),
            Self::For { change, .. } => change.environment(),
            Self::Cancel { .. }
            | Self::Retry { .. }
            | Self::Accept { .. }
            | Self::Approve { .. }
            | Self::Reject { .. }
            | Self::Recover { .. }
            | Self::Rollout(_)
            | Self::Link(_)
            | Self::Each { .. } => None,
        }
    }

    /// The run that it is about, where it names one.
    #[must_use]
    pub fn on_run(&self) -> Option<RunNumber> {
        match self {
            Self::Cancel { run, .. } | Self::Hold(HoldOrder::Leave { run }) => *run,
            Self::Retry { run }
            | Self::Accept { run }
            | Self::Approve { run, .. }
            | Self::Reject { run }
            | Self::Recover { run, .. }
            | Self::Hold(HoldOrder::Ask { about: About::Run(run), .. }) => Some(*run),
            _ => None,
        }
    }

    /// True where it goes against somebody's keep.
    #[must_use]
    pub fn goes_anyway(&self) -> bool {
        match self {
            Self::Down { anyway, .. } => *anyway,
            Self::For { change, .. } => change.goes_anyway(),
            _ => false,
        }
    }
}

/// A command that only asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// All environments, a line each.
    Envs,
    /// One environment, or all.
    Status {
        /// Which; `None` means all.
        environment: Option<EnvironmentName>,
    },
    /// Those of a group, or what is being done to many.
    StatusOf {
        /// Which.
        scope: Scope,
    },
    /// Who has an environment and who waits for it, or all of them.
    Queue {
        /// Which; `None` means all.
        environment: Option<EnvironmentName>,
    },
    /// One run, whole.
    Show {
        /// Which.
        run: RunNumber,
    },
    /// A run's Terraform log.
    Log {
        /// Which.
        run: RunNumber,
        /// Only this stack.
        stack: Option<StackName>,
    },
    /// What happened, newest first.
    History(HistoryFilter),
    /// Who did what, decided how, and why; newest first.
    Audit(AuditFilter),
    /// The same as a file, oldest first.
    Export {
        /// Which entries; `before` and `page` do not count.
        filter: AuditFilter,
        /// In which form.
        format: Format,
    },
    /// Who did it last.
    Who {
        /// What.
        deed: Deed,
        /// To which.
        environment: EnvironmentName,
    },
    /// Who am I to you?
    Whoami,
    /// Who is one person with whom?
    Links,
    /// Who may do this?
    Why(WhyQuery),
    /// What schedules will do.
    Next {
        /// To which environment; `None`: all that have schedules.
        environment: Option<EnvironmentName>,
        /// To those of this group.
        group: Option<GroupName>,
        /// From when on; `None`: from now on.
        from: Option<Timestamp>,
        /// Within how many days, 1 to [`NEXT_DAYS_MAX`].
        days: u32,
    },
    /// The schedules of an environment, or one of them.
    Schedules {
        /// Of which environment; `None`: all that have some.
        environment: Option<EnvironmentName>,
        /// Which of its schedules, whole; `None`: all of them, a line each.
        name: Option<String>,
    },
    /// What is raised now.
    On,
    /// What was made for one test and exists.
    ListNew,
    /// What is booked.
    Bookings {
        /// Of which environment; `None`: of all.
        environment: Option<EnvironmentName>,
        /// Of those of this group.
        group: Option<GroupName>,
    },
    /// What is not as it should be, or will not be soon.
    Handover,
    /// How long it was at which level.
    Hours {
        /// Which environment; `None`: all.
        environment: Option<EnvironmentName>,
        /// Those of this group.
        group: Option<GroupName>,
        /// In which month; `None`: the present one, in each environment's zone.
        month: Option<Month>,
        /// Also by whose change.
        by_person: bool,
    },
}

/// Most days that `next` looks ahead.
pub const NEXT_DAYS_MAX: u32 = 366;

/// What `why` asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyQuery {
    /// About whom: an actor id (`local:ito`) or the part after the colon (`ito`); `None`: whoever asks.
    pub who: Option<String>,
    /// About which command.
    pub command: CommandName,
    /// On which environment; `None`: all.
    pub environment: Option<EnvironmentName>,
    /// On which run.
    pub run: Option<RunNumber>,
    /// The whole order, where the words make one: what would come of it now.
    pub order: Option<Box<Order>>,
}

impl Query {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> CommandName {
        match self {
            Self::Envs => CommandName::Envs,
            Self::Status { .. } | Self::StatusOf { .. } => CommandName::Status,
            Self::Queue { .. } => CommandName::Queue,
            Self::Show { .. } => CommandName::Show,
            Self::Log { .. } => CommandName::Log,
            Self::History(_) => CommandName::History,
            Self::Audit(_) | Self::Export { .. } => CommandName::Audit,
            Self::Who { .. } => CommandName::Who,
            Self::Whoami => CommandName::Whoami,
            Self::Links => CommandName::Link,
            Self::Why(_) => CommandName::Why,
            Self::Next { .. } => CommandName::Next,
            Self::Schedules { .. } => CommandName::Schedule,
            Self::On => CommandName::On,
            Self::ListNew | Self::Bookings { .. } => CommandName::List,
            Self::Handover => CommandName::Handover,
            Self::Hours { .. } => CommandName::Hours,
        }
    }

    /// The command whose right it takes.
    #[must_use]
    pub fn right(&self) -> CommandName {
        match self {
            // Who may hear what schedules will do may read them: `schedule` is the right to change them.
            Self::Schedules { .. } => CommandName::Next,
            other => other.name(),
        }
    }
}

/// Which runs `history` shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Only this environment.
    pub environment: Option<EnvironmentName>,
    /// Only those of this group; whose answer it is sees no others.
    pub group: Option<GroupName>,
    /// Only runs asked for by this person: an actor id (`local:ito`) or the part after the colon (`ito`); several with commas between.
    pub by: Option<String>,
    /// Only runs accepted at or after this moment.
    pub since: Option<Timestamp>,
    /// Only runs accepted before this moment.
    pub until: Option<Timestamp>,
    /// Only runs that did not end well: failed, partial, unknown.
    pub failed: bool,
    /// Page, from 1.
    pub page: u32,
}

/// Anything that people can type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `help [command]`
    Help(Option<CommandName>),
    /// Something to do.
    Order {
        /// What.
        order: Order,
        /// Why, as typed after `because`.
        because: Option<String>,
    },
    /// Something to tell.
    Query(Query),
}

impl Command {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> CommandName {
        match self {
            Self::Help(_) => CommandName::Help,
            Self::Order { order, .. } => order.name(),
            Self::Query(query) => query.name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_listed_once() {
        let words: std::collections::BTreeSet<_> = CommandName::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(words.len(), CommandName::ALL.len());
    }
}
