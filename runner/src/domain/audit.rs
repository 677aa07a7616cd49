//! The audit as people ask for it: entries, filters, and who did what to an environment last.

use super::answer::{Actor, RunSummary};
use super::command::CommandName;
use super::ids::{EnvironmentName, RunNumber, Timestamp};
use super::order::Direction;
use super::request::RunKind;
use super::run::{Outcome, RunState};

/// What was decided about what somebody wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may be done.
    Allowed,
    /// A rule forbids it.
    Refused,
    /// It may be done after a person's yes.
    NeedsApproval,
    /// The words were no command.
    NotUnderstood,
}

impl Decision {
    const ALL: [Self; 4] = [Self::Allowed, Self::Refused, Self::NeedsApproval, Self::NotUnderstood];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::NeedsApproval => "needs_approval",
            Self::NotUnderstood => "not_understood",
        }
    }
}

impl TryFrom<String> for Decision {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|decision| decision.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no decision"))
    }
}

/// An entry as it stands in the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its place, from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who, with the name at that moment.
    pub actor: Actor,
    /// By which chat.
    pub door: String,
    /// Channel or thread in it.
    pub place: Option<String>,
    /// The command's name, or a word of [`EVENTS`].
    pub action: String,
    /// On which environment, as it was named; it may be gone from the configuration by now.
    pub environment: Option<String>,
    /// About, or leading to, which run.
    pub run: Option<RunNumber>,
    /// The words as typed, without secrets.
    pub typed: Option<String>,
    /// Why, in their words.
    pub because: Option<String>,
    /// What was decided.
    pub decision: Decision,
    /// The rule that decided.
    pub rule: Option<String>,
    /// What came of it: the word of the run's state right after, or of its end.
    pub result: Option<String>,
    /// Whatever else was worth keeping.
    pub detail: Option<serde_json::Value>,
}

/// Actions that are no commands: a run asks, its question expires, nobody saw it end, a mark in its state was taken away, it ends; a
/// hold comes to its end; what was due is missed or given up; AWS is told when to end a group; the time of what was made for one test is over, and nothing is left of it; a message that was no command; the configuration changed; a process that
/// carries out runs starts and stops; old entries were taken out; the end of the chain was not where Tidegate had left it.
pub const EVENTS: [&str; 19] = [
    ASK, EXPIRE, LOSE, UNTAINT, REFUSE, END, LAPSE, MISS, GIVE_UP, SWITCH, DUE, GONE, MESSAGE, CONFIGURE, START, STOP,
    PRUNE, RECONNECT, REMOVE,
];

/// A run asks for a yes.
pub const ASK: &str = "ask";
/// A run's question expired.
pub const EXPIRE: &str = "expire";
/// Nobody saw how a run's apply ended.
pub const LOSE: &str = "lose";
/// A group's mark as tainted was taken away, so that what is in service of it is kept.
pub const UNTAINT: &str = "untaint";
/// What stood in no state was deleted, or was to be and was not.
pub const REMOVE: &str = "remove";
/// A rule forbids what a run has left to do, after something of it was done.
pub const REFUSE: &str = "refuse";
/// A run ended.
pub const END: &str = "end";
/// A hold, freeze or keep came to its end.
pub const LAPSE: &str = "lapse";
/// It was too late for what a schedule wanted.
pub const MISS: &str = "miss";
/// What a schedule wanted was tried in vain, and is not tried any more.
pub const GIVE_UP: &str = "abandon";
/// AWS is told when to end what runs in a group, or that it is not to.
pub const SWITCH: &str = "switch";
/// The time of an environment that was made for one test is over.
pub const DUE: &str = "due";
/// Nothing is left of it.
pub const GONE: &str = "gone";
/// A message that was no command.
pub const MESSAGE: &str = "message";
/// The configuration changed.
pub const CONFIGURE: &str = "configure";
/// A process that carries out runs starts.
pub const START: &str = "start";
/// It stops, in good order.
pub const STOP: &str = "stop";
/// The end of the chain was not where Tidegate had left it: it goes on after the last entry there is.
pub const RECONNECT: &str = "reconnect";
/// Old entries were exported and taken out.
pub const PRUNE: &str = "prune";

/// Every word that `audit action ...` takes: the commands that are orders, in the order of `help`, then [`EVENTS`].
pub fn actions() -> impl Iterator<Item = &'static str> {
    let orders = CommandName::ALL.into_iter().filter(|name| !name.only_reads()).map(CommandName::action);
    orders.chain(EVENTS)
}

/// Which entries are wanted. What is not set does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only about this environment.
    pub environment: Option<EnvironmentName>,
    /// Only by this person: an actor id (`local:ito`) or the part after the colon (`ito`).
    pub by: Option<String>,
    /// Only at or after this moment.
    pub since: Option<Timestamp>,
    /// Only before this moment.
    pub until: Option<Timestamp>,
    /// Only this action.
    pub action: Option<String>,
    /// Only what was refused, not understood, or did not end well.
    pub failed: bool,
    /// Only entries in which each of these stands, in what was typed or in the reason.
    pub words: Vec<String>,
    /// Only entries before the one at this place, as they are told: older ones.
    pub before: Option<i64>,
    /// Page, from 1, counted from `before`.
    pub page: u32,
}

/// How entries are written for other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For spreadsheets: a heading, then a line for each entry.
    Csv,
    /// One array of objects.
    Json,
}

impl Format {
    /// All.
    pub const ALL: [Self; 2] = [Self::Csv, Self::Json];

    /// The word for it, which is also how its files end.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

/// Most entries that a chat gives as a file: some 6 MB. `tidegate audit export` gives any number.
pub const FILE_MAX: usize = 20_000;

/// Highest page: whoever wants more says `before`, `until`, or exports.
pub const PAGE_MAX: u32 = 50;

/// A page of entries, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditPage {
    /// The entries.
    pub records: Vec<Record>,
    /// There may be older ones: the next page is what is before this place. It stays the same page while entries are added.
    pub older: Option<i64>,
    /// Words were looked for in this many entries only, down to this moment.
    pub looked: Option<(u32, Timestamp)>,
    /// There is no older page, and what was before this moment was exported and taken out.
    pub exported: Option<Timestamp>,
}

/// What `who` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Somebody raised it.
    Raised,
    /// Somebody lowered, destroyed or cancelled it.
    Stopped,
    /// Somebody did any of that.
    Changed,
}

impl Deed {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Raised, Self::Stopped, Self::Changed];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Stopped => "stopped",
            Self::Changed => "changed",
        }
    }

    /// The commands that can be it.
    #[must_use]
    pub fn commands(self) -> &'static [CommandName] {
        const RAISE: [CommandName; 4] = [CommandName::Up, CommandName::Scale, CommandName::Retry, CommandName::Undo];
        const STOP: [CommandName; 6] = [
            CommandName::Down,
            CommandName::Destroy,
            CommandName::Cancel,
            CommandName::Scale,
            CommandName::Retry,
            CommandName::Undo,
        ];
        const CHANGE: [CommandName; 7] = [
            CommandName::Up,
            CommandName::Down,
            CommandName::Scale,
            CommandName::Destroy,
            CommandName::Cancel,
            CommandName::Retry,
            CommandName::Undo,
        ];
        match self {
            Self::Raised => &RAISE,
            Self::Stopped => &STOP,
            Self::Changed => &CHANGE,
        }
    }

    /// Whether an allowed command that led to, or was about, `run` was it. What `retry`, `undo` and `scale` did is told by
    /// the way in which the stacks of the run move.
    #[must_use]
    pub fn is(self, action: &str, run: &RunSummary) -> bool {
        let moved_nothing = [Outcome::NothingToDo, Outcome::Refused, Outcome::Expired, Outcome::Planned];
        let cancels = action == CommandName::Cancel.as_str();
        // Asked about only: it may never come to it.
        let not_begun = matches!(run.state, RunState::AwaitingApproval { applied: false, .. });
        // What never began was stopped by whoever cancelled it; changed is nothing by that.
        let never_begun = run.state.ended() && !run.began && !(cancels && self == Self::Stopped);
        if !run.request.kind.says_where()
            || never_begun
            || !cancels && (not_begun || run.state.outcome().is_some_and(|o| moved_nothing.contains(&o)))
        {
            return false;
        }
        let rises = run.request.stacks.values().any(|direction| *direction == Direction::Rise);
        let falls = run.request.stacks.values().any(|direction| *direction == Direction::Fall);
        match self {
            Self::Raised => !cancels && rises,
            // Fewer slaves are no end of anything.
            Self::Stopped => cancels || falls && run.request.kind != RunKind::Scale,
            Self::Changed => true,
        }
    }
}

/// The answer to `who stopped shop`.
#[derive(Debug, Clone, PartialEq)]
pub struct WhoDid {
    /// What was asked.
    pub deed: Deed,
    /// Of which environment.
    pub environment: EnvironmentName,
    /// The entry, and the run that it led to or was about.
    pub found: Option<(Record, RunSummary)>,
    /// Who said yes to that run, by the names that they had then, in order; nobody where it was cancelled.
    pub agreed: Vec<String>,
    /// What was before this moment was exported and taken out.
    pub exported: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_one_word_and_listed_once() {
        let mut seen = std::collections::BTreeSet::new();
        for action in actions() {
            assert!(action.chars().all(|c| c.is_ascii_lowercase()), "{action}");
            assert!(seen.insert(action), "{action} is listed twice");
        }
    }

    #[test]
    fn every_command_of_a_deed_is_an_order() {
        for deed in Deed::ALL {
            assert!(deed.commands().iter().all(|command| !command.only_reads()), "{deed:?}");
        }
    }
}
