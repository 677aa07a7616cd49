//! One change of many environments: the first one alone, then some at a time, and no further after the first that does not succeed.
//! Plans of many are the same without a stop: they change nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answer::Actor;
use super::command::{CommandName, Order};
use super::ids::{EnvironmentName, GroupName, NameError, RunNumber, Timestamp};
use super::run::{Outcome, RunState, RunView};

/// How many environments are changed at a time, after the first.
pub const TOGETHER: usize = 4;

/// What came of a run that somebody stopped, in one word.
const CANCELLED: &str = "cancelled";

/// Which environments are meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// Those of a group: `@rpg`.
    Group(GroupName),
    /// Those of several groups, one group after the other: `@rpg,@moba`.
    Groups(Vec<GroupName>),
    /// Those of every group, one group after the other: `@*`.
    EachGroup,
    /// All that are managed: `all`.
    All,
}

impl TryFrom<String> for Scope {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        match text.as_str() {
            "all" => return Ok(Self::All),
            "@*" => return Ok(Self::EachGroup),
            _ => {}
        }
        let mut groups: Vec<GroupName> = Vec::new();
        for name in text.split(',') {
            let group = name.trim_start_matches('@').parse()?;
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        Ok(match groups.as_slice() {
            [only] => Self::Group(only.clone()),
            _ => Self::Groups(groups),
        })
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Group(group) => write!(f, "@{group}"),
            Self::Groups(groups) => {
                let names: Vec<String> = groups.iter().map(|group| format!("@{group}")).collect();
                f.write_str(&names.join(","))
            }
            Self::EachGroup => f.pad("@*"),
            Self::All => f.pad("all"),
        }
    }
}

impl Scope {
    /// Whether it goes over several groups, one after the other.
    #[must_use]
    pub fn goes_group_by_group(&self) -> bool {
        match self {
            Self::Groups(_) | Self::EachGroup => true,
            Self::Group(_) | Self::All => false,
        }
    }

    /// Whether an environment of this group is meant.
    #[must_use]
    pub fn has(&self, group: Option<&GroupName>) -> bool {
        match self {
            Self::Group(only) => group == Some(only),
            Self::Groups(groups) => group.is_some_and(|group| groups.contains(group)),
            Self::EachGroup => group.is_some(),
            Self::All => true,
        }
    }
}

/// An order about many environments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutOrder {
    /// The same for each.
    Begin {
        /// Which are meant.
        scope: Scope,
        /// What is asked of each, in the order of the configuration.
        orders: Vec<Order>,
    },
    /// Nothing more of it is begun, and what runs of it is asked to stop.
    Stop {
        /// Whose.
        scope: Scope,
    },
}

impl RolloutOrder {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> CommandName {
        match self {
            Self::Begin { orders, .. } => orders.first().map_or(CommandName::Plan, Order::name),
            Self::Stop { .. } => CommandName::Cancel,
        }
    }

    /// Which are meant.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        match self {
            Self::Begin { scope, .. } | Self::Stop { scope } => scope,
        }
    }
}

/// What came of one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "came")]
pub enum Came {
    /// It is done.
    Done,
    /// There is, or was, nothing to do.
    Nothing,
    /// Its plan only creates.
    Creates,
    /// Its plan changes in place, and creates perhaps.
    Changes,
    /// Its plan replaces something.
    Replaces,
    /// Its plan deletes something, and replaces nothing.
    Deletes,
    /// It did not succeed: partial, failed, cancelled, refused, expired.
    Error {
        /// In one word.
        how: String,
    },
    /// No run was made of it.
    Refused {
        /// Why.
        why: String,
    },
}

impl Came {
    /// True where what was asked for is so.
    #[must_use]
    pub fn is_good(&self) -> bool {
        match self {
            Self::Done | Self::Nothing | Self::Creates | Self::Changes | Self::Replaces | Self::Deletes => true,
            Self::Error { .. } | Self::Refused { .. } => false,
        }
    }

    /// Its class, in one word.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Nothing => "nothing",
            Self::Creates => "create",
            Self::Changes => "change",
            Self::Replaces => "replace",
            Self::Deletes => "delete",
            Self::Error { how } if how == CANCELLED => CANCELLED,
            Self::Error { .. } => "error",
            Self::Refused { .. } => "refused",
        }
    }

    /// What came of a run that is over; `None` while it is not.
    #[must_use]
    pub fn of(state: &RunState, view: &RunView) -> Option<Self> {
        let error = |how: &str| Self::Error { how: how.to_owned() };
        Some(match state.outcome()? {
            Outcome::Succeeded => Self::Done,
            Outcome::NothingToDo => Self::Nothing,
            Outcome::Planned => Self::of_plan(view),
            Outcome::Partial => error("partial"),
            Outcome::Failed => error("failed"),
            Outcome::Cancelled => error(CANCELLED),
            Outcome::Refused => error("refused"),
            Outcome::Expired => error("expired"),
        })
    }

    fn of_plan(view: &RunView) -> Self {
        let counts: Vec<_> = view.stacks.values().filter_map(|stack| Some(stack.plan.as_ref()?.counts())).collect();
        let any = |of: fn(&super::changes::Counts) -> u32| counts.iter().any(|counts| of(counts) > 0);
        if any(|counts| counts.replace) {
            Self::Replaces
        } else if any(|counts| counts.delete) {
            Self::Deletes
        } else if any(|counts| counts.update + counts.moved + counts.import + counts.forget) {
            Self::Changes
        } else if any(|counts| counts.create) {
            Self::Creates
        } else {
            Self::Nothing
        }
    }
}

/// One environment of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Which.
    pub environment: EnvironmentName,
    /// When its turn is, from 0: those of one stage go together.
    pub stage: u32,
    /// What is asked of it.
    pub order: Order,
    /// The run that was made of it.
    pub run: Option<RunNumber>,
    /// What came of it.
    pub came: Option<Came>,
}

/// How a rollout ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// All environments had their turn.
    Done,
    /// One did not succeed.
    Stopped,
    /// Somebody stopped it.
    Cancelled,
}

impl End {
    /// As the ledger keeps it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Cancelled => "cancelled",
        }
    }
}

impl TryFrom<String> for End {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let known = [Self::Done, Self::Stopped, Self::Cancelled];
        known.into_iter().find(|end| end.as_str() == text).ok_or_else(|| format!("`{text}` is no end of a rollout"))
    }
}

/// One change, or plan, of many environments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// Counts up from 1.
    pub number: i64,
    /// Which are meant.
    pub scope: Scope,
    /// What is asked of each.
    pub command: CommandName,
    /// Who asked.
    pub asker: Actor,
    /// Through which door.
    pub door: String,
    /// In which channel, where the door has such.
    pub channel: Option<String>,
    /// In a direct message.
    pub direct: bool,
    /// As it was typed.
    pub typed: String,
    /// Why.
    pub because: Option<String>,
    /// When.
    pub began: Timestamp,
    /// When it ended, and how.
    pub ended: Option<(Timestamp, End)>,
    /// Its environments, in their order.
    pub items: Vec<Item>,
}

/// What is to be done about a rollout now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing: its runs are not over.
    Wait,
    /// Runs of these environments, by their places.
    Begin(Vec<usize>),
    /// It is over.
    End(End),
}

impl Rollout {
    /// What is to be done now. Pure: a restart asks it again.
    #[must_use]
    pub fn next(&self) -> Next {
        if let Some((_, end)) = self.ended {
            return Next::End(end);
        }
        let works = self.items.iter().any(|item| item.run.is_some() && item.came.is_none());
        let failed = self.items.iter().any(|item| item.came.as_ref().is_some_and(|came| !came.is_good()));
        if failed && !self.only_shows() {
            return if works { Next::Wait } else { Next::End(End::Stopped) };
        }
        let open = self.items.iter().filter(|item| item.came.is_none()).map(|item| item.stage).min();
        let Some(stage) = open else { return Next::End(End::Done) };
        let waiting = |(_, item): &(usize, &Item)| item.stage == stage && item.came.is_none() && item.run.is_none();
        let begin: Vec<usize> = self.items.iter().enumerate().filter(waiting).map(|(at, _)| at).collect();
        if begin.is_empty() { Next::Wait } else { Next::Begin(begin) }
    }

    /// True where it changes nothing.
    #[must_use]
    pub fn only_shows(&self) -> bool {
        self.command == CommandName::Plan
    }

    /// How many environments came to what, by class, in the order in which people read it.
    #[must_use]
    pub fn classes(&self) -> Vec<(&'static str, usize)> {
        const ORDER: [&str; 9] =
            ["done", "nothing", "create", "change", "replace", "delete", CANCELLED, "error", "refused"];
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for came in self.items.iter().filter_map(|item| item.came.as_ref()) {
            *counts.entry(came.class()).or_default() += 1;
        }
        ORDER.into_iter().filter_map(|class| Some((class, *counts.get(class)?))).collect()
    }
}

/// The stages of environments, each with the number of its part, in their order: the very first one goes alone where something changes, then
/// some of a part at a time, and never those of two parts together; plans go all at once.
#[must_use]
pub fn stages(command: CommandName, parts: &[usize]) -> Vec<u32> {
    if command == CommandName::Plan {
        return vec![0; parts.len()];
    }
    let (mut stage, mut together, mut last) = (0, 0, None);
    let mut stages = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        // The first one went alone, and a group goes on when the one before it is done.
        if at == 1 || (at > 0 && (together == TOGETHER || last != Some(part))) {
            (stage, together) = (stage + 1, 0);
        }
        together += 1;
        last = Some(part);
        stages.push(stage);
    }
    stages
}

/// The desk's answer to an order about many environments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutAnswer {
    /// It is begun, or goes on.
    Began {
        /// What.
        rollout: Box<Rollout>,
        /// Those of the group that are left aside, as their configuration does not check.
        aside: Vec<String>,
        /// Those of which nobody can read whether they are in the group.
        unread: Vec<String>,
    },
    /// Nothing more of it is begun.
    Stopped {
        /// What: most often one; plans can go beside a change.
        rollouts: Vec<Rollout>,
        /// What became of the runs that had begun.
        halted: Halted,
    },
}

/// Runs of a change of many that was stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halted {
    /// They are asked to stop, now or before, and are not over.
    pub stopping: Vec<RunNumber>,
    /// They are over: nothing of them had begun, or what was done stays.
    pub over: Vec<RunNumber>,
    /// Nobody knows how they stand, so that nobody can stop them: `recover` looks, or their rows cannot be read.
    pub unknown: Vec<RunNumber>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::ActorId;

    fn rollout(command: CommandName, came: &[(Option<i64>, Option<Came>)]) -> Rollout {
        let stages = stages(command, &vec![0; came.len()]);
        let items = came.iter().enumerate().map(|(at, (run, came))| {
            let environment: EnvironmentName = format!("e{at}").parse().expect("a name");
            Item {
                order: Order::Destroy { environment: environment.clone() },
                environment,
                stage: stages[at],
                run: run.map(RunNumber),
                came: came.clone(),
            }
        });
        Rollout {
            number: 1,
            scope: Scope::All,
            command,
            asker: Actor::person(ActorId::local("ito"), "ito"),
            door: "shell".to_owned(),
            channel: None,
            direct: false,
            typed: String::new(),
            because: None,
            began: Timestamp(0),
            ended: None,
            items: items.collect(),
        }
    }

    #[test]
    fn the_first_goes_alone_then_four_at_a_time_and_no_further_after_one_that_does_not_succeed() {
        let done = || (Some(1), Some(Came::Done));
        let works = || (Some(2), None);
        let open = || (None, None);
        let failed = || (Some(3), Some(Came::Error { how: "failed".to_owned() }));
        let refused = || (None, Some(Came::Refused { why: "held".to_owned() }));
        assert_eq!(stages(CommandName::Up, &[0; 10]), [0, 1, 1, 1, 1, 2, 2, 2, 2, 3]);
        assert_eq!(stages(CommandName::Up, &[0, 0, 0, 1, 1, 1, 1, 1, 2, 3]), [0, 1, 1, 2, 2, 2, 2, 3, 4, 5]);
        assert_eq!(stages(CommandName::Up, &[0, 1, 2]), [0, 1, 2]);
        assert_eq!(stages(CommandName::Plan, &[0, 1, 2]), [0, 0, 0]);
        for text in ["all", "@*", "@rpg", "@rpg,@moba"] {
            assert_eq!(Scope::try_from(text.to_owned()).expect("a scope").to_string(), text);
        }
        assert_eq!(Scope::try_from("@rpg,@rpg".to_owned()).expect("a scope").to_string(), "@rpg");
        assert!(Scope::try_from("@rpg,".to_owned()).is_err() && Scope::try_from("@*,@rpg".to_owned()).is_err());
        for (came, next) in [
            (vec![open(), open(), open()], Next::Begin(vec![0])),
            (vec![works(), open(), open()], Next::Wait),
            (vec![done(), open(), open(), open(), open(), open()], Next::Begin(vec![1, 2, 3, 4])),
            // Who died after the first of them was begun begins the others.
            (vec![done(), works(), open(), open(), open(), open()], Next::Begin(vec![2, 3, 4])),
            (vec![done(), done(), works(), done(), done(), open()], Next::Wait),
            (vec![done(), done(), done(), done(), done(), open()], Next::Begin(vec![5])),
            (vec![failed(), open()], Next::End(End::Stopped)),
            (vec![refused(), open()], Next::End(End::Stopped)),
            (vec![done(), failed(), works(), open()], Next::Wait),
            (vec![done(), failed(), done(), open()], Next::End(End::Stopped)),
            (vec![done(), done()], Next::End(End::Done)),
            (vec![], Next::End(End::Done)),
        ] {
            assert_eq!(rollout(CommandName::Up, &came).next(), next, "{came:?}");
        }
        let plans = rollout(CommandName::Plan, &[failed(), open(), works(), open(), open(), open(), open()]);
        assert_eq!(plans.next(), Next::Begin(vec![1, 3, 4, 5, 6]));
        let mut over = rollout(CommandName::Up, &[works(), open()]);
        over.ended = Some((Timestamp(1), End::Cancelled));
        assert_eq!(over.next(), Next::End(End::Cancelled));
    }

    #[test]
    fn plans_are_counted_by_class() {
        let came = |came: Came| (Some(1), Some(came));
        let error = Came::Error { how: "failed".to_owned() };
        let stopped = Came::Error { how: "cancelled".to_owned() };
        let all = [
            came(Came::Replaces),
            came(Came::Nothing),
            came(error),
            came(Came::Nothing),
            came(stopped),
            (Some(1), None),
        ];
        assert_eq!(
            rollout(CommandName::Plan, &all).classes(),
            [("nothing", 2), ("replace", 1), ("cancelled", 1), ("error", 1)]
        );
    }

    #[test]
    fn a_scope_is_read_as_it_is_typed() {
        for text in ["@rpg", "all"] {
            assert_eq!(Scope::try_from(text.to_owned()).expect("a scope").to_string(), text);
        }
        assert!(Scope::try_from("@".to_owned()).is_err());
    }
}
