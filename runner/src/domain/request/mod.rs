//! From an order to a run: which level, which values, which stacks, in which direction.

mod assign;
mod movement;
mod refuse;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::answer::{Actor, ActorKind};
use super::by_hand::ByHand;
use super::command::{Assignment, CommandName, Operator, Order};
use super::environment::{Environment, Level, OffAction, Setting, SettingValue, Stack, Variables};
use super::holds::HoldNumber;
use super::ids::{ActorId, EnvironmentName, RunNumber, SettingName, StackName, Timestamp};
use super::order::Direction;
use super::refusal::Refusal;
pub use assign::{allowed, assign, check_value, offered};
use movement::numbers;
pub use movement::{Movement, movement};
use refuse::{refuse_lowering, refuse_raising, scalable};

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Raise.
    Up,
    /// Lower.
    Down,
    /// Change settings at the same level.
    Scale,
    /// Only show.
    Plan,
    /// Only look what others changed.
    Drift,
    /// Take what others changed into the states, and change nothing else.
    Adopt,
    /// Only look for what no state knows.
    Sweep,
    /// Only look whether anything stands in the way of a change.
    Preflight,
    /// Take away what no state knows.
    Remove,
    /// A command of Terraform's that only looks, given by hand.
    Look,
    /// A command of Terraform's that changes something, given by hand.
    Terraform,
    /// Take everything away.
    Destroy,
    /// Back to what was before the last change.
    Undo,
}

impl RunKind {
    /// Whether it looks at what there is or stands in the way, and makes nothing for that, not even a workspace.
    #[must_use]
    pub fn only_looks_at_others(self) -> bool {
        match self {
            Self::Drift | Self::Adopt | Self::Sweep | Self::Preflight | Self::Remove | Self::Look | Self::Terraform => {
                true
            }
            Self::Up | Self::Down | Self::Scale | Self::Plan | Self::Destroy | Self::Undo => false,
        }
    }

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Scale => "scale",
            Self::Plan => "plan",
            Self::Drift => "drift",
            Self::Adopt => "adopt",
            Self::Sweep => "sweep",
            Self::Preflight => "preflight",
            Self::Remove => "remove",
            Self::Look => "look",
            Self::Terraform => "terraform",
            Self::Destroy => "destroy",
            Self::Undo => "undo",
        }
    }
}

impl RunKind {
    /// True for what changes nothing, neither what exists nor what is written down of it.
    #[must_use]
    pub fn only_looks(self) -> bool {
        match self {
            Self::Plan | Self::Drift | Self::Sweep | Self::Preflight | Self::Look => true,
            Self::Up
            | Self::Down
            | Self::Scale
            | Self::Adopt
            | Self::Remove
            | Self::Terraform
            | Self::Destroy
            | Self::Undo => false,
        }
    }

    /// True for what shows what it would do and waits for a yes, whatever that is.
    #[must_use]
    pub fn is_shown_first(self) -> bool {
        matches!(self, Self::Destroy | Self::Undo | Self::Adopt | Self::Remove | Self::Terraform)
    }

    /// True for what says where an environment should be.
    #[must_use]
    pub fn says_where(self) -> bool {
        !self.only_looks() && !matches!(self, Self::Adopt | Self::Remove | Self::Terraform)
    }

    /// True for what is about how things are, at whichever level.
    #[must_use]
    pub fn is_of_others(self) -> bool {
        self.only_looks_at_others()
    }

    /// The command that asks for it.
    #[must_use]
    pub fn command(self) -> CommandName {
        match self {
            Self::Up => CommandName::Up,
            Self::Down => CommandName::Down,
            Self::Scale => CommandName::Scale,
            // Rules about changes, and holds, do not mean a look.
            Self::Plan | Self::Look => CommandName::Plan,
            Self::Drift => CommandName::Drift,
            Self::Adopt => CommandName::Adopt,
            Self::Sweep => CommandName::Sweep,
            Self::Preflight => CommandName::Preflight,
            // What goes by a removal is gone as by `destroy`: it takes the same right, and the same rules ask.
            Self::Remove | Self::Destroy => CommandName::Destroy,
            Self::Terraform => CommandName::Terraform,
            Self::Undo => CommandName::Undo,
        }
    }
}

/// Where an environment should be: a level, and the settings that somebody set over its profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The level.
    pub level: Level,
    /// Settings over the profile.
    pub settings: BTreeMap<SettingName, SettingValue>,
}

/// One setting that the run changes, for cards that say sizes first: `slaves 2 -> 40`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeChange {
    /// The setting.
    pub setting: SettingName,
    /// Its value until now; `None` when Tidegate does not know it.
    pub from: Option<SettingValue>,
    /// Its value afterwards.
    pub to: SettingValue,
}

/// One request on one environment, with everything absolute: what the ledger keeps and the engine carries out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word that somebody typed or not")]
pub struct RunRequest {
    /// What for.
    pub kind: RunKind,
    /// On which environment.
    pub environment: EnvironmentName,
    /// Where it should be afterwards.
    pub target: Target,
    /// Where it was to be before this run, counting the runs queued ahead; `None` when Tidegate does not know.
    pub before: Option<Target>,
    /// Stacks that take part, and which way each moves, in the order of the configuration.
    pub stacks: IndexMap<StackName, Direction>,
    /// Settings that change.
    pub sizes: Vec<SizeChange>,
    /// Shows its plan and waits for a yes, whatever the plan is.
    pub asks: bool,
    /// Takes newer code than the accepted commit.
    pub newest_code: bool,
    /// Why, in the asker's words.
    pub because: Option<String>,
    /// The ended run that this one does again.
    pub retry_of: Option<RunNumber>,
    /// Settings of a `scale` whose values were counted from the ones before: `slaves+=10`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub counted: BTreeSet<SettingName>,
    /// A schedule wants it: it goes to its target from wherever the environment is, whoever asks for it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scheduled: bool,
    /// When what it brings about ends by itself, where whoever asked said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What its asker was in the chat then.
    #[serde(default, skip_serializing_if = "AskedAs::is_plain")]
    pub asked_as: AskedAs,
    /// Who added by chat the schedule that wants it. It is theirs to answer for, and the clock only carries it out: what they may, and rules
    /// that were written since, count as if they asked for it now. `None`: the configuration wants it, or whoever asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typed_by: Option<Box<TypedBy>>,
    /// Keeps of others that whoever asked goes against. They stand until it begins: what comes to nothing ends nobody's keep.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub against: BTreeSet<HoldNumber>,
    /// What it destroys is not to be used again: with nothing left in a stack's state, workspace and state go too, and where AWS is
    /// configured nothing may be left that carries the environment's tags.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clears: bool,
    /// What somebody gives Terraform to do by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<Box<ByHand>>,
}

/// Who has the clock do something by chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypedBy {
    /// Who.
    pub by: ActorId,
    /// What they were called then.
    pub called: String,
    /// What they were in the chat then.
    #[serde(default, skip_serializing_if = "AskedAs::is_plain")]
    pub asked_as: AskedAs,
}

impl TypedBy {
    /// Them, as far as is known without asking the chat.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let AskedAs { kind, groups } = self.asked_as.clone();
        Actor { kind, groups, ..Actor::person(self.by.clone(), self.called.clone()) }
    }
}

/// What an asker was in the chat: their rights are asked again after the plan, when no chat can be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedAs {
    /// Person, guest, bot.
    pub kind: ActorKind,
    /// Groups that the chat knew them to be in.
    pub groups: Vec<ActorId>,
}

impl AskedAs {
    fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Of somebody who asks now.
    #[must_use]
    pub fn of(actor: &Actor) -> Self {
        Self { kind: actor.kind, groups: actor.groups.clone() }
    }
}

/// What a run does to one stack.
#[derive(Debug, Clone, PartialEq)]
pub enum Goal {
    /// Bring it to these variables.
    Apply(Variables),
    /// Destroy it; when its state holds a protected resource, bring it to `instead`.
    Destroy {
        /// The variables of the lowest level.
        instead: Variables,
    },
}

impl RunRequest {
    /// What this run does to `stack`.
    #[must_use]
    pub fn goal(&self, environment: &Environment, stack: &Stack) -> Goal {
        let lowest = Target {
            level: environment.levels.first().cloned().map_or(Level::Off, Level::Profile),
            settings: BTreeMap::new(),
        };
        match (self.kind, &self.target.level, stack.off) {
            (RunKind::Destroy, _, _) | (_, Level::Off, OffAction::Destroy) => {
                Goal::Destroy { instead: variables(environment, stack, &lowest) }
            }
            (_, Level::Off, OffAction::Lowest) => Goal::Apply(variables(environment, stack, &lowest)),
            (_, Level::Profile(_), _) => Goal::Apply(variables(environment, stack, &self.target)),
        }
    }
}

impl RunRequest {
    /// The same goal, counted from where the environment is to be now: what was ahead of it when it was asked for may not have come to
    /// pass. A `scale` changes the stacks of its settings and leaves the rest as it now is.
    ///
    /// # Errors
    /// Refuses what it would not have been allowed to mean from there, as [`request`] does.
    pub fn counted_from(&self, environment: &Environment, before: Option<Target>) -> Result<Self, Refusal> {
        let target = match self.kind {
            RunKind::Scale => self.scaled_from(environment, before.as_ref())?,
            RunKind::Up | RunKind::Down | RunKind::Plan | RunKind::Destroy | RunKind::Undo => self.target.clone(),
            // It is about where the environment is to be, wherever that is.
            RunKind::Drift
            | RunKind::Adopt
            | RunKind::Sweep
            | RunKind::Preflight
            | RunKind::Remove
            | RunKind::Look
            | RunKind::Terraform => before.clone().unwrap_or_else(|| self.target.clone()),
        };
        match self.kind {
            // It took newer code and meant the level to stay.
            RunKind::Up if self.newest_code && self.keeps_level() && !at_level(before.as_ref(), &target.level) => {
                let name = &environment.name;
                let what = format!("{name} was to be at {} when newer code was asked for", target.level);
                let why = "what was to bring it there has not come to pass; say at which level you want the newer code";
                let now = before
                    .as_ref()
                    .map(|now| format!("up {name} {} code", now.level))
                    .filter(|_| !at_level(before.as_ref(), &Level::Off));
                let refusal = Refusal::refused(what, why).hint(format!("up {name} {} code", target.level));
                return Err(now.into_iter().fold(refusal, Refusal::hint));
            }
            RunKind::Up => refuse_lowering(environment, before.as_ref(), &target, self.newest_code)?,
            RunKind::Down => refuse_raising(environment, before.as_ref(), &target)?,
            RunKind::Scale
            | RunKind::Plan
            | RunKind::Drift
            | RunKind::Adopt
            | RunKind::Sweep
            | RunKind::Preflight
            | RunKind::Remove
            | RunKind::Look
            | RunKind::Terraform
            | RunKind::Destroy
            | RunKind::Undo => {}
        }
        let scope: Vec<StackName> = self.stacks.keys().cloned().collect();
        Ok(Self {
            stacks: directions(environment, self.kind, before.as_ref(), &target, Some(&scope)),
            sizes: sized(environment, self.kind, before.as_ref(), &target),
            target,
            before,
            ..self.clone()
        })
    }

    /// Refuses a relative `scale` that was to raise a number and would lower it now, or the reverse: that is not what was asked for.
    fn refuse_turned(&self, environment: &Environment, now: &Target) -> Result<(), Refusal> {
        for size in self.sizes.iter().filter(|size| self.counted.contains(&size.setting)) {
            let Some(setting) = environment.settings.get(&size.setting) else { continue };
            let (Some(SettingValue::Number(then)), SettingValue::Number(to)) = (&size.from, &size.to) else { continue };
            let Some(SettingValue::Number(stands)) = value_at(environment, setting, now) else { continue };
            if (to > then && *to < stands) || (to < then && *to > stands) {
                let all: String =
                    self.own_settings(environment).map(|(name, value)| format!(" {name}={value}")).collect();
                let (environment, name) = (&self.environment, &size.setting);
                let what =
                    format!("`scale {environment}` was to bring {name} from {then} to {to}, and it is {stands} now");
                let why = "what was ahead of it has not come to pass, and this would go the other way";
                let refusal = Refusal::refused(what, why);
                return Err(refusal.hint(format!("scale {environment}{all}")).hint(format!("status {environment}")));
            }
        }
        Ok(())
    }

    /// True where the level was to stay what it was to be.
    fn keeps_level(&self) -> bool {
        at_level(self.before.as_ref(), &self.target.level)
    }

    /// [`RunRequest::counted_from`], or where a schedule wants it [`RunRequest::turned_from`].
    ///
    /// # Errors
    /// As the former.
    pub fn counted_anew(&self, environment: &Environment, before: Option<Target>) -> Result<Self, Refusal> {
        if self.scheduled { Ok(self.turned_from(environment, before)) } else { self.counted_from(environment, before) }
    }

    /// The same of a run that a schedule wants: it goes to its target from wherever the environment is, whichever way that is.
    #[must_use]
    pub fn turned_from(&self, environment: &Environment, before: Option<Target>) -> Self {
        let because = self.because.clone().unwrap_or_default();
        let turned = turn(environment, self.target.clone(), because, before);
        let (asked_as, typed_by) = (self.asked_as.clone(), self.typed_by.clone());
        let against = self.against.clone();
        Self { retry_of: self.retry_of, asked_as, typed_by, against, ..turned }
    }

    fn takes_part(&self, environment: &Environment, setting: &SettingName) -> bool {
        environment.settings.get(setting).is_some_and(|setting| self.stacks.contains_key(&setting.stack))
    }

    /// What it sets in the stacks that take part.
    fn own_settings(&self, environment: &Environment) -> impl Iterator<Item = (&SettingName, &SettingValue)> {
        self.target.settings.iter().filter(move |(name, _)| self.takes_part(environment, name))
    }

    /// Where a `scale` leads from `before`.
    fn scaled_from(&self, environment: &Environment, before: Option<&Target>) -> Result<Target, Refusal> {
        let asked: Vec<Assignment> = self
            .own_settings(environment)
            .map(|(name, value)| Assignment { setting: name.clone(), operator: Operator::Set, value: value.clone() })
            .collect();
        let now = scalable(environment, before, &asked)?;
        self.refuse_turned(environment, now)?;
        let others = now.settings.iter().filter(|(name, _)| !self.takes_part(environment, name));
        let settings =
            others.chain(self.own_settings(environment)).map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok(Target { level: now.level.clone(), settings })
    }

    /// True when `other` went the same way, so that one takes about as long as the other: from the same level to the same level,
    /// with the same stacks; and where the level stays, by the same sizes. Whence it starts must be known of both.
    #[must_use]
    pub fn goes_the_way_of(&self, other: &Self) -> bool {
        let (Some(from), Some(other_from)) = (&self.before, &other.before) else { return false };
        let stays = from.level == self.target.level;
        self.kind == other.kind
            && self.environment == other.environment
            && from.level == other_from.level
            && self.target.level == other.target.level
            && self.stacks == other.stacks
            && (!stays || self.sizes == other.sizes)
    }
}

fn at_level(target: Option<&Target>, level: &Level) -> bool {
    target.is_some_and(|target| target.level == *level)
}

/// The variables of `stack` at `target`: the stack's own < the profile's < settings given by command.
#[must_use]
pub fn variables(environment: &Environment, stack: &Stack, target: &Target) -> Variables {
    let mut values = stack.variables.clone();
    if let Level::Profile(profile) = &target.level
        && let Some(of_stack) = environment.profiles.get(profile).and_then(|stacks| stacks.get(&stack.name))
    {
        values.extend(of_stack.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    for (name, value) in &target.settings {
        if let Some(setting) = environment.settings.get(name).filter(|s| s.stack == stack.name) {
            values.insert(setting.variable.clone(), value.to_json());
        }
    }
    values
}

/// The value of a setting at `target`; `None` when only the root's own default gives one.
#[must_use]
pub fn value_at(environment: &Environment, setting: &Setting, target: &Target) -> Option<SettingValue> {
    target.settings.get(&setting.name).cloned().or_else(|| environment.configured_value(setting, &target.level))
}

fn sized(environment: &Environment, kind: RunKind, from: Option<&Target>, to: &Target) -> Vec<SizeChange> {
    // What is destroyed has no size; its resources are named one by one.
    if kind == RunKind::Destroy {
        return Vec::new();
    }
    environment
        .settings
        .values()
        .filter_map(|setting| {
            let from = from.and_then(|from| value_at(environment, setting, from));
            let to = value_at(environment, setting, to)?;
            (from.as_ref() != Some(&to)).then(|| SizeChange { setting: setting.name.clone(), from, to })
        })
        .collect()
}

/// Turns an order on an environment into a run, with everything relative made absolute.
///
/// `before` is where the environment is to be once the runs queued ahead are done (`None`: Tidegate has never set it).
/// `undo_to` is where it was to be before the last change, for `undo`. Orders on a run (`cancel`, `retry`, ...) are no
/// business of this function; it refuses them as a fault of ours.
///
/// # Errors
/// Refuses what the order cannot mean here, with the commands that can be meant.
pub fn request(
    environment: &Environment,
    order: &Order,
    because: Option<String>,
    before: Option<&Target>,
    undo_to: Option<&Target>,
) -> Result<RunRequest, Refusal> {
    let name = &environment.name;
    let top = || Level::Profile(environment.up.clone());
    let present = || before.cloned().unwrap_or_else(|| Target { level: top(), settings: BTreeMap::new() });
    let (kind, target, scope) = match order {
        // Newer code alone changes no level and no setting: the same as `plan ENV code` shows.
        Order::Up { level: None, settings, newest_code: true, .. } if before.is_some_and(|b| b.level != Level::Off) => {
            let mut target = before.cloned().unwrap_or_else(|| Target { level: top(), settings: BTreeMap::new() });
            let given = overridden(environment, target.level.clone(), settings, before, CommandName::Up)?.settings;
            target.settings.extend(given);
            refuse_lowering(environment, before, &target, true)?;
            (RunKind::Up, target, None)
        }
        Order::Up { level, settings, newest_code, .. } => {
            let level = level.clone().unwrap_or_else(top);
            if level == Level::Off {
                return Err(Refusal::refused(
                    format!("`up {name} off` contradicts itself"),
                    "`off` is the lowest level",
                )
                .hint(format!("plan {name} off"))
                .hint(format!("down {name} off")));
            }
            let target = overridden(environment, level, settings, before, CommandName::Up)?;
            refuse_lowering(environment, before, &target, *newest_code)?;
            (RunKind::Up, target, None)
        }
        Order::Down { level, .. } => {
            let level = level.clone().unwrap_or_else(|| environment.down.clone());
            let target = Target { level, settings: BTreeMap::new() };
            refuse_raising(environment, before, &target)?;
            (RunKind::Down, target, None)
        }
        Order::Scale { settings, .. } => {
            let base = scalable(environment, before, settings)?;
            let mut target = overridden(environment, base.level.clone(), settings, before, CommandName::Scale)?;
            let named = std::mem::take(&mut target.settings);
            target.settings = base.settings.clone();
            let scope: Vec<StackName> =
                named.keys().filter_map(|s| environment.settings.get(s)).map(|s| s.stack.clone()).collect();
            target.settings.extend(named);
            (RunKind::Scale, target, Some(scope))
        }
        Order::Plan { level, settings, .. } => {
            let base = match level {
                Some(level) => Target { level: level.clone(), settings: BTreeMap::new() },
                None => before.cloned().unwrap_or_else(|| Target { level: top(), settings: BTreeMap::new() }),
            };
            let mut target = base.clone();
            target.settings.extend(overridden(environment, base.level, settings, before, CommandName::Plan)?.settings);
            (RunKind::Plan, target, None)
        }
        Order::Drift { .. } => (RunKind::Drift, present(), None),
        Order::Sweep { remove, .. } => (if *remove { RunKind::Remove } else { RunKind::Sweep }, present(), None),
        Order::Terraform { by_hand, .. } => {
            (kind_by_hand(environment, by_hand, before)?, present(), Some(vec![by_hand.stack.clone()]))
        }
        Order::Preflight { .. } => (RunKind::Preflight, present(), None),
        Order::Adopt { .. } => (RunKind::Adopt, present(), None),
        Order::Destroy { .. } => (RunKind::Destroy, Target { level: Level::Off, settings: BTreeMap::new() }, None),
        Order::Undo { .. } => {
            let target = undo_to.ok_or_else(|| nothing_to_undo(name))?;
            (RunKind::Undo, target.clone(), None)
        }
        Order::Cancel { .. }
        | Order::Retry { .. }
        | Order::Accept { .. }
        | Order::Approve { .. }
        | Order::Reject { .. }
        | Order::Recover { .. }
        | Order::Hold(_)
        | Order::Schedule(_)
        | Order::Rollout(_)
        | Order::Bend(_)
        | Order::Link(_)
        | Order::Made(_)
        | Order::Each { .. }
        | Order::For { .. } => return Err(not_on_an_environment(order, name)),
    };
    let stacks = directions(environment, kind, before, &target, scope.as_deref());
    Ok(RunRequest {
        kind,
        environment: name.clone(),
        sizes: sized(environment, kind, before, &target),
        asks: kind.is_shown_first(),
        newest_code: matches!(order, Order::Up { newest_code: true, .. } | Order::Plan { newest_code: true, .. }),
        target,
        before: before.cloned(),
        stacks,
        because,
        retry_of: None,
        counted: counted(order),
        scheduled: false,
        until: None,
        asked_as: AskedAs::default(),
        typed_by: None,
        against: BTreeSet::new(),
        clears: false,
        by_hand: given_by_hand(order),
    })
}

/// What a command for Terraform by hand is: a look or a change. Without a level there are no variables to give it.
fn kind_by_hand(environment: &Environment, by_hand: &ByHand, before: Option<&Target>) -> Result<RunKind, Refusal> {
    if by_hand.args.takes_variables() && before.is_some_and(|before| before.level == Level::Off) {
        let name = &environment.name;
        let what = format!("{name} is off, so that there are no variables to give Terraform");
        return Err(Refusal::refused(what, "by hand it works at the level that is").hint(format!("up {name}")));
    }
    Ok(if by_hand.args.only_looks() { RunKind::Look } else { RunKind::Terraform })
}

fn given_by_hand(order: &Order) -> Option<Box<ByHand>> {
    if let Order::Terraform { by_hand, .. } = order { Some(by_hand.clone()) } else { None }
}

/// Settings of a `scale` that count from what is.
fn counted(order: &Order) -> BTreeSet<SettingName> {
    let Order::Scale { settings, .. } = order else { return BTreeSet::new() };
    let counted = settings.iter().filter(|assignment| assignment.operator != Operator::Set);
    counted.map(|assignment| assignment.setting.clone()).collect()
}

/// Whether to bring the environment to a target from `before` is to lower it; where nobody knows from where, it goes by the level.
#[must_use]
pub fn turns_down(environment: &Environment, before: Option<&Target>, target: &Target) -> bool {
    match before {
        Some(before) => movement(environment, before, target) == Movement::Lowers,
        None => environment.rank(&target.level) <= environment.rank(&environment.down),
    }
}

/// Brings the environment to a target, whichever way that goes: what schedules do.
#[must_use]
pub fn turn(environment: &Environment, target: Target, because: String, before: Option<Target>) -> RunRequest {
    let kind = if turns_down(environment, before.as_ref(), &target) { RunKind::Down } else { RunKind::Up };
    RunRequest {
        kind,
        environment: environment.name.clone(),
        sizes: sized(environment, kind, before.as_ref(), &target),
        stacks: directions(environment, kind, before.as_ref(), &target, None),
        target,
        before,
        asks: false,
        newest_code: false,
        because: Some(because),
        retry_of: None,
        counted: BTreeSet::new(),
        scheduled: true,
        until: None,
        asked_as: AskedAs::default(),
        typed_by: None,
        against: BTreeSet::new(),
        clears: false,
        by_hand: None,
    }
}

fn nothing_to_undo(name: &EnvironmentName) -> Refusal {
    let what = format!("there is nothing to undo on {name}");
    Refusal::refused(what, "Tidegate has no change on record with a known state before it")
        .hint(format!("history {name}"))
}

fn not_on_an_environment(order: &Order, name: &EnvironmentName) -> Refusal {
    let what = format!("`{}` is about a run, not about an environment", order.name());
    Refusal::refused(what, "this is a fault of Tidegate's, not yours").hint(format!("history {name}"))
}

fn directions(
    environment: &Environment,
    kind: RunKind,
    before: Option<&Target>,
    target: &Target,
    scope: Option<&[StackName]>,
) -> IndexMap<StackName, Direction> {
    let level_falls = before.is_some_and(|before| environment.rank(&target.level) < environment.rank(&before.level));
    environment
        .stacks
        .keys()
        .filter(|stack| scope.is_none_or(|scope| scope.contains(stack)))
        .map(|stack| {
            let direction = match kind {
                // Nothing moves by the looks.
                RunKind::Up | RunKind::Drift | RunKind::Adopt | RunKind::Sweep | RunKind::Preflight | RunKind::Look => {
                    Direction::Rise
                }
                // What by hand would delete or replace is shown by name before the yes, as what falls.
                RunKind::Down | RunKind::Destroy | RunKind::Remove | RunKind::Terraform => Direction::Fall,
                RunKind::Scale | RunKind::Plan | RunKind::Undo => {
                    let own: Vec<_> = before
                        .map(|before| {
                            numbers(environment, before, target)
                                .filter(|(setting, ..)| &setting.stack == stack)
                                .collect()
                        })
                        .unwrap_or_default();
                    let rises = own.iter().any(|(_, from, to)| to > from);
                    let falls = own.iter().any(|(_, from, to)| to < from);
                    if !rises && (falls || level_falls) { Direction::Fall } else { Direction::Rise }
                }
            };
            (stack.clone(), direction)
        })
        .collect()
}

/// The level with the assignments carried out. Relative ones count from `before`.
fn overridden(
    environment: &Environment,
    level: Level,
    settings: &[Assignment],
    before: Option<&Target>,
    command: CommandName,
) -> Result<Target, Refusal> {
    let mut target = Target { level, settings: BTreeMap::new() };
    for assignment in settings {
        let Some(setting) = environment.settings.get(&assignment.setting) else {
            let near = super::refusal::nearest(
                assignment.setting.as_str(),
                environment.settings.keys().map(SettingName::as_str),
            );
            let refusal = Refusal::refused(
                format!("{} has no setting `{}`", environment.name, assignment.setting),
                format!(
                    "its settings are: {}",
                    environment.settings.keys().map(SettingName::as_str).collect::<Vec<_>>().join(", ")
                ),
            );
            return Err(match near {
                Some(near) => refusal.hint(format!(
                    "{command} {} {near}{}{}",
                    environment.name,
                    assignment.operator.as_str(),
                    assignment.value
                )),
                None => refusal.hint(format!("status {}", environment.name)),
            });
        };
        let now = target
            .settings
            .get(&setting.name)
            .cloned()
            .or_else(|| before.and_then(|before| value_at(environment, setting, before)));
        let value = assign(environment, &target.level, setting, assignment, now.as_ref(), command)?;
        target.settings.insert(setting.name.clone(), value);
    }
    Ok(target)
}
