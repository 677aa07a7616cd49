//! From an order to a run: which level, which values, which stacks, in which direction.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::command::{Assignment, Operator, Order};
use super::environment::{Environment, Level, OffAction, Setting, SettingKind, SettingValue, Stack, Variables};
use super::ids::{EnvironmentName, RunNumber, SettingName, StackName};
use super::order::Direction;
use super::refusal::Refusal;

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
    /// Take everything away.
    Destroy,
    /// Back to what was before the last change.
    Undo,
}

impl RunKind {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Scale => "scale",
            Self::Plan => "plan",
            Self::Destroy => "destroy",
            Self::Undo => "undo",
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

/// Carries out one assignment on the value that counts until now.
///
/// # Errors
/// Refuses a value outside of the setting's range or choices, and a relative change of a value that is not known or
/// not a number. `command` is the line to offer, up to and with the environment: `scale shop`.
pub fn assign(
    setting: &Setting,
    assignment: &Assignment,
    now: Option<&SettingValue>,
    command: &str,
) -> Result<SettingValue, Refusal> {
    let name = &setting.name;
    let wanted = match (assignment.operator, &assignment.value) {
        (Operator::Set, value) => value.clone(),
        (operator, SettingValue::Number(by)) => {
            let Some(SettingValue::Number(now)) = now else {
                return Err(Refusal::refused(
                    format!("`{name}{}{by}` changes a number that is not known", operator.as_str()),
                    format!("Tidegate has not set `{name}` yet, so there is nothing to change it from"),
                )
                .hint(format!("{command} {name}={}", example(setting))));
            };
            let result = match operator {
                Operator::Add => now.checked_add(*by),
                Operator::Subtract => now.checked_sub(*by),
                Operator::Multiply => now.checked_mul(*by),
                Operator::Set => Some(*by),
            };
            let Some(result) = result else {
                return Err(Refusal::refused(
                    format!("`{name}{}{by}` is no number that a computer can hold", operator.as_str()),
                    format!("`{name}` is {now} now"),
                )
                .hint(format!("{command} {name}={}", example(setting))));
            };
            SettingValue::Number(result)
        }
        (operator, value) => {
            return Err(Refusal::refused(
                format!("`{name}{}{value}` is not a change of a number", operator.as_str()),
                format!("`{name}` takes {}", allowed(setting)),
            )
            .hint(format!("{command} {name}={}", example(setting))));
        }
    };
    check_value(setting, &wanted).map_err(|why| {
        let (what, hint) = match (assignment.operator, now) {
            (Operator::Set, _) | (_, None) => {
                (format!("`{name}={wanted}` is not allowed"), nearest_allowed(setting, &wanted))
            }
            (operator, Some(now)) => (
                format!("`{name}{}{}` would make it {wanted} (it is {now})", operator.as_str(), assignment.value),
                nearest_allowed(setting, &wanted),
            ),
        };
        Refusal::refused(what, why).hint(format!("{command} {name}={hint}"))
    })?;
    Ok(wanted)
}

/// Says in words which values a setting takes: `a whole number from 0 to 200`.
#[must_use]
pub fn allowed(setting: &Setting) -> String {
    match &setting.kind {
        SettingKind::Number { min, max, step: 1 } => format!("a whole number from {min} to {max}"),
        SettingKind::Number { min, max, step } => format!("a whole number from {min} to {max} in steps of {step}"),
        SettingKind::Choice(values) => format!("one of {}", values.join(", ")),
        SettingKind::Switch => "true or false".to_owned(),
    }
}

/// An allowed value, for hints.
#[must_use]
pub fn example(setting: &Setting) -> SettingValue {
    match &setting.kind {
        SettingKind::Number { min, max, step } => SettingValue::Number((*min).max(*step).min(*max)),
        SettingKind::Choice(values) => SettingValue::Text(values.first().cloned().unwrap_or_default()),
        SettingKind::Switch => SettingValue::Switch(true),
    }
}

/// The allowed value that is nearest to `wanted`, for hints.
#[must_use]
pub fn nearest_allowed(setting: &Setting, wanted: &SettingValue) -> SettingValue {
    match (&setting.kind, wanted) {
        (SettingKind::Number { min, max, step }, SettingValue::Number(wanted)) => {
            let inside = (*wanted).min(*max).max(*min);
            SettingValue::Number(min + inside.saturating_sub(*min) / step * step)
        }
        (SettingKind::Choice(values), SettingValue::Text(wanted)) => {
            let near = super::refusal::nearest(wanted, values.iter().map(String::as_str));
            near.map_or_else(|| example(setting), |value| SettingValue::Text(value.to_owned()))
        }
        (SettingKind::Number { .. } | SettingKind::Choice(_) | SettingKind::Switch, _) => example(setting),
    }
}

/// Checks a value against its setting; the error is the reason in words.
pub fn check_value(setting: &Setting, value: &SettingValue) -> Result<(), String> {
    let name = &setting.name;
    let fits = match (&setting.kind, value) {
        (SettingKind::Number { min, max, step }, SettingValue::Number(n)) => {
            n >= min && n <= max && n.checked_sub(*min).is_some_and(|above| above % step == 0)
        }
        (SettingKind::Choice(values), SettingValue::Text(text)) => values.contains(text),
        (SettingKind::Switch, SettingValue::Switch(_)) => true,
        (SettingKind::Number { .. } | SettingKind::Choice(_) | SettingKind::Switch, _) => false,
    };
    if fits { Ok(()) } else { Err(format!("`{name}` takes {}", allowed(setting))) }
}

/// Whether going from one target to another raises, lowers, or does neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    /// A higher level, or a larger number in some setting at the same level. Mixed counts as raising.
    Raises,
    /// A lower level, or only smaller numbers at the same level.
    Lowers,
    /// Neither: the same, or only texts and switches change.
    Same,
}

/// Compares two targets. Source: "Levels have an order" in `docs/ARCHITECTURE.md`.
#[must_use]
pub fn movement(environment: &Environment, from: &Target, to: &Target) -> Movement {
    match environment.rank(&to.level).cmp(&environment.rank(&from.level)) {
        std::cmp::Ordering::Greater => return Movement::Raises,
        std::cmp::Ordering::Less => return Movement::Lowers,
        std::cmp::Ordering::Equal => {}
    }
    let numbers: Vec<_> = numbers(environment, from, to).collect();
    if numbers.iter().any(|(_, from, to)| to > from) {
        Movement::Raises
    } else if numbers.iter().any(|(_, from, to)| to < from) {
        Movement::Lowers
    } else {
        Movement::Same
    }
}

fn numbers<'a>(
    environment: &'a Environment,
    from: &'a Target,
    to: &'a Target,
) -> impl Iterator<Item = (&'a Setting, i64, i64)> {
    environment.settings.values().filter_map(move |setting| {
        match (value_at(environment, setting, from), value_at(environment, setting, to)) {
            (Some(SettingValue::Number(from)), Some(SettingValue::Number(to))) => Some((setting, from, to)),
            _ => None,
        }
    })
}

fn sizes(environment: &Environment, from: Option<&Target>, to: &Target) -> Vec<SizeChange> {
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
    let (kind, target, scope) = match order {
        Order::Up { level, settings, .. } => {
            let level = level.clone().unwrap_or_else(top);
            if level == Level::Off {
                return Err(Refusal::refused(
                    format!("`up {name} off` contradicts itself"),
                    "`off` is the lowest level",
                )
                .hint(format!("down {name} off")));
            }
            let target = overridden(environment, level, settings, before, &format!("up {name}"))?;
            refuse_lowering(environment, before, &target)?;
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
            let mut target = overridden(environment, base.level.clone(), settings, before, &format!("scale {name}"))?;
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
            target
                .settings
                .extend(overridden(environment, base.level, settings, before, &format!("plan {name}"))?.settings);
            (RunKind::Plan, target, None)
        }
        Order::Destroy { .. } => (RunKind::Destroy, Target { level: Level::Off, settings: BTreeMap::new() }, None),
        Order::Undo { .. } => {
            let Some(target) = undo_to else {
                return Err(Refusal::refused(
                    format!("there is nothing to undo on {name}"),
                    "Tidegate has no change on record with a known state before it",
                )
                .hint(format!("history {name}")));
            };
            (RunKind::Undo, target.clone(), None)
        }
        Order::Cancel { .. }
        | Order::Retry { .. }
        | Order::Accept { .. }
        | Order::Approve { .. }
        | Order::Reject { .. }
        | Order::Recover { .. } => {
            return Err(Refusal::refused(
                format!("`{}` is about a run, not about an environment", order.name()),
                "this is a fault of Tidegate's, not yours",
            )
            .hint(format!("history {name}")));
        }
    };
    let stacks = directions(environment, kind, before, &target, scope.as_deref());
    Ok(RunRequest {
        kind,
        environment: name.clone(),
        sizes: sizes(environment, before, &target),
        asks: matches!(kind, RunKind::Destroy | RunKind::Undo),
        newest_code: matches!(order, Order::Up { newest_code: true, .. } | Order::Plan { newest_code: true, .. }),
        target,
        before: before.cloned(),
        stacks,
        because,
        retry_of: None,
    })
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
                RunKind::Up => Direction::Rise,
                RunKind::Down | RunKind::Destroy => Direction::Fall,
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
    command: &str,
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
                Some(near) => {
                    refusal.hint(format!("{command} {near}{}{}", assignment.operator.as_str(), assignment.value))
                }
                None => refusal.hint(format!("status {}", environment.name)),
            });
        };
        let now = target
            .settings
            .get(&setting.name)
            .cloned()
            .or_else(|| before.and_then(|before| value_at(environment, setting, before)));
        let value = assign(setting, assignment, now.as_ref(), command)?;
        target.settings.insert(setting.name.clone(), value);
    }
    Ok(target)
}

fn words(settings: &[Assignment]) -> String {
    settings.iter().map(|a| format!(" {}{}{}", a.setting, a.operator.as_str(), a.value)).collect()
}

fn scalable<'a>(
    environment: &Environment,
    before: Option<&'a Target>,
    settings: &[Assignment],
) -> Result<&'a Target, Refusal> {
    let name = &environment.name;
    match before {
        None => Err(Refusal::refused(
            format!("{name} cannot be scaled yet"),
            "Tidegate has never set its level, so that it does not know which other values to keep",
        )
        .hint(format!("up {name}{}", words(settings)))),
        Some(Target { level: Level::Off, .. }) => {
            Err(Refusal::refused(format!("{name} is off"), "what is off has no size; raise it with the size instead")
                .hint(format!("up {name}{}", words(settings))))
        }
        Some(target) => Ok(target),
    }
}

/// Refuses an `up` that would lower something, with both lines to choose from.
fn refuse_lowering(environment: &Environment, before: Option<&Target>, target: &Target) -> Result<(), Refusal> {
    let Some(before) = before else { return Ok(()) };
    let name = &environment.name;
    if environment.rank(&target.level) < environment.rank(&before.level) {
        return Err(Refusal::refused(
            format!("`up {name} {}` would lower it", target.level),
            format!("{name} is at {}, which is higher", before.level),
        )
        .hint(format!("down {name} {}", target.level))
        .hint(format!("up {name} {}", before.level)));
    }
    if environment.rank(&target.level) > environment.rank(&before.level) {
        return Ok(());
    }
    let all: Vec<_> = numbers(environment, before, target).collect();
    let lower: Vec<_> = all.iter().filter(|(_, from, to)| to < from).collect();
    if lower.is_empty() {
        return Ok(());
    }
    let kept: String = all.iter().map(|(s, from, to)| format!(" {}={}", s.name, from.max(to))).collect();
    let lowered: String = lower.iter().map(|(s, _, to)| format!(" {}={to}", s.name)).collect();
    let what: Vec<String> = lower.iter().map(|(s, from, to)| format!("{} {from} -> {to}", s.name)).collect();
    Err(Refusal::refused(
        format!("`up {name}` would lower {}", what.join(", ")),
        "`up` only raises; choose one of these",
    )
    .hint(format!("up {name} {}{kept}", target.level))
    .hint(format!("scale {name}{lowered}")))
}

fn refuse_raising(environment: &Environment, before: Option<&Target>, target: &Target) -> Result<(), Refusal> {
    let Some(before) = before else { return Ok(()) };
    let name = &environment.name;
    if movement(environment, before, target) != Movement::Raises {
        return Ok(());
    }
    let why = if environment.rank(&target.level) > environment.rank(&before.level) {
        format!("{name} is at {}, which is lower", before.level)
    } else {
        let more: Vec<_> = numbers(environment, before, target)
            .filter(|(_, from, to)| to > from)
            .map(|(s, from, to)| format!("{} {from} -> {to}", s.name))
            .collect();
        format!("it would raise {}", more.join(", "))
    };
    Err(Refusal::refused(format!("`down {name} {}` would raise it", target.level), why)
        .hint(format!("up {name} {}", target.level))
        .hint(format!("down {name} off")))
}
