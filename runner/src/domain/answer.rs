//! What the desk tells: plain data that every chat makes its words from.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::access::{Also, Link, People};
use super::command::CommandName;
use super::environment::{Level, SettingValue};
use super::failure::LockHolder;
use super::holds::{Freed, Hold, HoldAnswer};
use super::hours_on::Cost;
use super::ids::{ActorId, EnvironmentName, RunId, RunNumber, SettingName, StackName, Timestamp};
use super::link::{KnownAs, LinkAnswer};
use super::made::{Listed, Made, MadeAnswer};
use super::refusal::Refusal;
use super::request::{RunRequest, Target};
use super::rollout::RolloutAnswer;
use super::run::{RunState, RunView};
use super::schedule::{BendAnswer, Bent, ClockChange, Overdue, Quiet, ScheduleAnswer, Transition, Turn};

/// Who asks, as the chat knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Immutable id.
    pub id: ActorId,
    /// Name at this moment, for people to read.
    pub name: String,
    /// What they are in the chat.
    pub kind: ActorKind,
    /// Groups that the chat knows them to be in, by id.
    pub groups: Vec<ActorId>,
    /// Their other ids, as the desk and the engine know them at the moment. Never kept: a link may end.
    #[serde(skip)]
    pub also: Vec<Also>,
}

impl Actor {
    /// A person who ordinarily is in the chat, and of whom no groups are known.
    #[must_use]
    pub fn person(id: ActorId, name: impl Into<String>) -> Self {
        Self { id, name: name.into(), kind: ActorKind::Person, groups: Vec::new(), also: Vec::new() }
    }

    /// True for what this person did or has, by whichever of their ids.
    #[must_use]
    pub fn is(&self, id: &ActorId) -> bool {
        self.id == *id || self.also.iter().any(|also| also.standing && also.id == *id)
    }

    /// True unless it is certainly somebody else: also for an id whose link has ended not long ago.
    #[must_use]
    pub fn may_be(&self, id: &ActorId) -> bool {
        self.id == *id || self.also.iter().any(|also| also.id == *id)
    }

    /// The same with what is known of their other ids at `now`.
    #[must_use]
    pub fn known(mut self, people: &People, links: &[Link], now: Timestamp) -> Self {
        self.also = people.also(&self.id, links, now);
        self
    }

    /// Their name as people read it: what imitates another name is shown by code point.
    #[must_use]
    pub fn called(&self) -> std::borrow::Cow<'_, str> {
        super::lookalike::distinct(&self.name)
    }
}

/// What somebody is in a chat. All but people have only those rights that name themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// Ordinarily there.
    #[default]
    Person,
    /// A guest of the workspace.
    Guest,
    /// A program.
    Bot,
    /// From another workspace, by a shared channel.
    Stranger,
}

impl Actor {
    /// Tidegate itself, where it acts on nobody's behalf.
    #[must_use]
    pub fn tidegate() -> Self {
        Self::person(ActorId::tidegate(), "Tidegate")
    }
}

/// A run without its events: a row of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its key.
    pub id: RunId,
    /// Its number.
    pub number: RunNumber,
    /// What was asked for.
    pub request: RunRequest,
    /// Where it is.
    pub state: RunState,
    /// Who asked.
    pub asker: Actor,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// When a runner first took it.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Who took a partial or failed run as it is, and why (`accept`).
    pub taken_by: Option<(ActorId, Option<String>)>,
    /// Who said no to its question, by which it ended.
    pub rejected_by: Option<ActorId>,
    /// An apply of it began: something may have changed.
    pub began: bool,
    /// Until when whoever carries it out is taken to be alive; `None` while nobody has it.
    pub lease_until: Option<Timestamp>,
}

impl RunSummary {
    /// False for a run that waits for a yes and has given up its place, and for one that is over: it neither goes first nor counts as
    /// going to happen.
    #[must_use]
    pub fn has_its_place(&self) -> bool {
        self.state.holds_environment() || matches!(self.state, RunState::Queued { .. })
    }

    /// Whether it may be changing something at this moment, or not be heard of: what only looks does not, nor what waits.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        self.state.holds_environment() && !self.request.kind.only_looks()
    }

    /// Whose wish it is: whoever asked, or who has the clock do it by chat.
    #[must_use]
    pub fn answers_for(&self) -> Actor {
        let typed_by = self.request.typed_by.as_ref().filter(|_| self.asker.id == ActorId::clock());
        typed_by.map_or_else(|| self.asker.clone(), |typed_by| typed_by.actor())
    }
}

/// The desk's answer to an order that it did not refuse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A run is in the queue.
    Queued {
        /// The run.
        run: RunSummary,
        /// Runs that go first, in order: the one that has the environment, then those waiting. Empty: it starts now.
        ahead: Vec<RunSummary>,
        /// Milliseconds that the last run that went the same way worked; `None` when none is known.
        last_time_ms: Option<i64>,
        /// Milliseconds until it starts, from how long those ahead took last time; `None` when that is not known.
        starts_in_ms: Option<i64>,
        /// Holds and keeps of its environment that stand, and let it pass.
        holds: Vec<Hold>,
        /// Keeps that end because it lowers.
        freed: Vec<Freed>,
        /// Until when it holds, where schedules or whoever asks end it.
        #[serde(default)]
        until: Option<Timestamp>,
        /// Where it goes then.
        #[serde(default)]
        then: Option<Target>,
        /// When it is deleted, of what is made for one test.
        #[serde(default)]
        ends: Option<Timestamp>,
        /// What it costs until then, of what is made for a time, where that is known.
        #[serde(default)]
        cost: Option<Cost>,
    },
    /// A queued or waiting run was cancelled at once.
    Cancelled(RunSummary),
    /// A running run was told to stop; its card tells the rest.
    Stopping {
        /// The run.
        run: RunSummary,
        /// It is killed instead of asked.
        force: bool,
    },
    /// The yes is stored; more are wanted.
    Seconded(RunSummary),
    /// The yes is stored; the run goes on.
    Approved(RunSummary),
    /// The no is stored; the run is over.
    Rejected(RunSummary),
    /// A partial, failed or cancelled run is taken as it is.
    Taken(RunSummary),
    /// A runner will look what became of the run.
    Recovering(RunSummary),
    /// About holds, the queue, or everything at once.
    Hold(HoldAnswer),
    /// About schedules, for a while.
    Bend(BendAnswer),
    /// About the schedules of an environment.
    Schedule(ScheduleAnswer),
    /// About many environments.
    Rollout(RolloutAnswer),
    /// About who is one person with whom.
    Link(LinkAnswer),
    /// About what was made for one test.
    Made(MadeAnswer),
    /// What came of it in each environment of a group.
    Each(Vec<Answer>),
}

/// Where one stack stands, as last verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackStanding {
    /// The level it was last brought to. `None`: Tidegate never finished anything on it, or, with `run`, somebody took it as
    /// that run left it.
    pub level: Option<Level>,
    /// Its settings then.
    pub settings: Vec<(SettingName, SettingValue)>,
    /// The run that did it, or left it so.
    pub run: Option<RunNumber>,
    /// When.
    pub at: Option<Timestamp>,
    /// An apply on it did not end well since then: it may be anywhere between.
    pub in_doubt: bool,
    /// It is in doubt because that run found an older or another Terraform state than the one that was left, and somebody said yes to
    /// it: what was made before may still stand.
    pub older_state: bool,
}

/// Somebody who held a stack's state lock when a run met it or looked at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockSeen {
    /// Of which stack.
    pub stack: StackName,
    /// Who.
    pub holder: LockHolder,
    /// Which run saw it.
    pub run: RunNumber,
    /// When that run ended.
    pub at: Timestamp,
}

/// Everything `status` shows of one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentStatus {
    /// Which.
    pub name: EnvironmentName,
    /// One line about it.
    pub about: Option<String>,
    /// Its owners.
    pub owners: Vec<ActorId>,
    /// Levels from lowest to highest, without `off`.
    pub levels: Vec<Level>,
    /// Where it should be; `None` when nobody has ever said.
    pub wanted: Option<Target>,
    /// Where its stacks are.
    pub stacks: IndexMap<StackName, StackStanding>,
    /// Settings with the value that counts now; `None` when only the root's default gives one.
    pub settings: Vec<(SettingName, Option<SettingValue>)>,
    /// The run that has the environment, with what is known of it; `None` where its events cannot be read.
    pub running: Option<(RunSummary, Option<Box<RunView>>)>,
    /// Runs that wait: in the queue, or for a yes.
    pub waiting: Vec<RunSummary>,
    /// The run that ended last, whatever it did.
    pub last: Option<RunSummary>,
    /// The run that last changed something, or failed to: neither a look, nor one that was turned away before it began.
    pub change: Option<RunSummary>,
    /// The run that said what is wanted.
    pub said: Option<RunSummary>,
    /// What lowering it means.
    pub down: Level,
    /// Schedules say something of it.
    pub scheduled: bool,
    /// Stacks that are still up, or in doubt, though the configuration does not have them any more.
    pub departed: Vec<(StackName, StackStanding)>,
    /// Who holds or keeps it, and what stands against all environments.
    pub holds: Vec<Hold>,
    /// What is booked and has not begun.
    pub bookings: Vec<Hold>,
    /// What is wrong with what the configuration says of it now, one line each: it goes on as it last was without, where it is managed.
    pub problems: Vec<String>,
    /// False: its roots do not check, and no configuration that did is known. Nothing new is begun in it.
    pub managed: bool,
    /// Holds that cannot be read, one line each: nothing is changed until they are taken away.
    pub unread: Vec<String>,
    /// Runs, and where it is to be, that cannot be read, one line each: nothing is begun until somebody puts that right.
    pub lost: Vec<String>,
    /// Runs that are over and cannot be read, one line each: they stand in the way of nothing, and are not told of.
    pub lost_ended: Vec<String>,
    /// What else is not as it should be, one line each.
    pub besides: Vec<String>,
    /// Who held state locks when the last run that is over saw them; told of one environment alone.
    pub locks: Vec<LockSeen>,
    /// Who paused its schedules.
    pub paused: Option<Bent>,
    /// What its schedules, with what people bend, ask for now.
    pub asked: Option<Target>,
    /// The person's change that holds now, with its end.
    pub visit: Option<Bent>,
    /// The next transition of its schedules, with what people bend.
    pub next: Option<Turn>,
    /// What was due before it, and nobody has looked at.
    pub overdue: Option<Overdue>,
    /// It was made for one test.
    pub made: Option<Box<Listed>>,
}

impl StackStanding {
    /// True when something of it may be up: it was brought to a level, or is in doubt.
    #[must_use]
    pub fn may_be_up(&self) -> bool {
        self.in_doubt || self.level.as_ref().is_some_and(|level| *level != Level::Off)
    }
}

/// A process that carries out runs, or did lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunnerHealth {
    /// Its machine.
    pub host: String,
    /// When it was last seen.
    pub seen: Timestamp,
    /// It was seen so lately that its runs are its own.
    pub alive: bool,
}

/// What keeps a chat from being spoken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Which chat.
    pub door: String,
    /// A channel as the configuration names it, or a person's id; empty: the whole chat.
    pub place: String,
    /// The chat's word for it.
    pub code: String,
    /// Since when.
    pub since: Timestamp,
}

/// One environment in `status`, or why it is not managed.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// It is managed.
    Managed(Box<EnvironmentStatus>),
    /// Its configuration or root does not check, and never did: file, line and message of each problem.
    Unmanaged {
        /// The name as written in the configuration.
        name: String,
        /// What is wrong, one line each.
        problems: Vec<String>,
        /// Its runs that are not over.
        runs: Vec<RunSummary>,
    },
    /// The ledger knows it, and the configuration does not any more.
    Departed {
        /// Its name.
        name: EnvironmentName,
        /// Where it should still be; `None` when nothing of it is wanted.
        wanted: Option<Target>,
        /// Its runs that are not over.
        runs: Vec<RunSummary>,
        /// What was made under that name last, where it is gone and nothing came after it.
        made: Option<Box<Made>>,
    },
}

impl Standing {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Managed(status) => status.name.as_str(),
            Self::Unmanaged { name, .. } => name,
            Self::Departed { name, .. } => name.as_str(),
        }
    }
}

/// One page of `history`.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryPage {
    /// Newest first.
    pub runs: Vec<RunSummary>,
    /// From 1.
    pub page: u32,
    /// True when there are older ones.
    pub more: bool,
    /// Milliseconds of work of those that ended and had begun.
    pub worked_ms: BTreeMap<RunId, i64>,
    /// What is wrong with those of the page that cannot be read, one line each.
    pub unread: Vec<String>,
}

/// A run with everything known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunDetail {
    /// The row.
    pub run: RunSummary,
    /// The fold of its events.
    pub view: RunView,
    /// Milliseconds that the last run that went the same way worked; `None` when none is known.
    pub last_time_ms: Option<i64>,
    /// Now, by the ledger's clock.
    pub now: Timestamp,
    /// Keeps of others that it goes against, of those that stand.
    pub against: Vec<Hold>,
    /// When it is tried again by itself, where it came up short and the configuration says so.
    pub again: Option<Timestamp>,
}

/// Lines of a run's Terraform log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogExtract {
    /// The run.
    pub run: RunNumber,
    /// Stack, phase (`plan`, `apply`) and the readable lines, in the order of the work.
    pub parts: Vec<LogPart>,
}

/// The log of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPart {
    /// Which stack.
    pub stack: StackName,
    /// Which part of the work: `init`, `plan`, `apply`.
    pub phase: String,
    /// A plan that could not be made yet, because a stack that it needs was not there: it was tried to see how much there is to
    /// do, and its errors are no failure of the run.
    pub tried: bool,
    /// Terraform's own messages.
    pub lines: Vec<String>,
    /// How many earlier lines were left out.
    pub left_out: u64,
    /// An explanation among the lines is not told to its end.
    pub cut: bool,
    /// Where the whole log lies, for people on this machine.
    pub file: String,
}

/// Who somebody is to Tidegate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whoami {
    /// Who.
    pub actor: Actor,
    /// By which other ids they are known.
    pub known_as: KnownAs,
    /// Their roles in each environment, with where each is written: `owner (tidegate.toml:3)`.
    pub holds: Vec<(EnvironmentName, Vec<String>)>,
    /// What limits them where they ask; `None`: nothing.
    pub here: Option<String>,
    /// Whom they can ask for more, in words.
    pub ask: String,
}

/// What somebody may do, and whom to ask for the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Abilities {
    /// Commands that they may run on no environment from where they ask, each with whom to ask, in words.
    pub not: Vec<(CommandName, String)>,
}

/// Whether somebody may run a command, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// Who.
    pub who: Actor,
    /// It is whoever asks.
    pub itself: bool,
    /// Which command.
    pub command: CommandName,
    /// About which run.
    pub run: Option<RunNumber>,
    /// What holds, by environment.
    pub verdicts: Vec<Verdict>,
}

/// What holds on one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// On which; `None`: what is not about one.
    pub environment: Option<EnvironmentName>,
    /// Why not; `None`: they may.
    pub refused: Option<Refusal>,
    /// Role and channel allow it: only what was asked for is refused as it is, or as things stand.
    pub only_now: bool,
    /// By which roles, with where each is written.
    pub by: Vec<String>,
    /// When it asks for a yes, in sentences.
    pub asks: Vec<String>,
    /// Rules of the environment, in words, that only its plan can be held against.
    pub plan: Vec<String>,
}

/// What somebody may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// All, those environments included that the configuration does not have (any more).
    pub all: bool,
    /// Otherwise these.
    pub environments: Vec<EnvironmentName>,
}

impl Sight {
    /// True when an environment of this name can be seen.
    #[must_use]
    pub fn sees(&self, name: &str) -> bool {
        self.all || self.environments.iter().any(|seen| seen.as_str() == name)
    }
}

/// What schedules will do to one environment.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and all of them can be true")]
#[derive(Debug, Clone, PartialEq)]
pub struct Upcoming {
    /// Which.
    pub environment: EnvironmentName,
    /// When another level will be wanted, in order.
    pub transitions: Vec<Transition>,
    /// Days on which holidays, or days worked in spite of them, change what schedules do.
    pub quiet: Vec<Quiet>,
    /// Changes of the clocks of its zone in that time.
    pub clocks: Vec<ClockChange>,
    /// Calendars of its schedules that do not know all years of that time, with the last one that they know.
    pub unknown_years: BTreeMap<String, i32>,
    /// It has schedules.
    pub scheduled: bool,
    /// What people bend of them.
    pub bends: Vec<Bent>,
    /// It was destroyed: its schedules ask for nothing until somebody raises it.
    pub destroyed: bool,
    /// It was brought in from outside, and no plan of it has found nothing to do yet: its schedules ask for nothing until one does.
    pub unproven: bool,
    /// What the ledger has about it cannot be read: nothing is done by its schedules until it can.
    pub unread: bool,
    /// Its code does not check, and nothing comes of its schedules until it does.
    pub aside: bool,
    /// What people hold against some of these transitions.
    pub held: Vec<Hold>,
    /// What was due before them, and nobody has looked at.
    pub overdue: Option<Overdue>,
}
