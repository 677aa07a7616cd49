//! Orders that contradict where an environment is: an `up` that would lower it, a `down` that would raise it, a `scale` of
//! what is off. Each is answered with the lines to choose from.

use super::Target;
use super::movement::{Movement, movement, numbers};
use crate::domain::command::{Assignment, Operator};
use crate::domain::environment::{Environment, Level};
use crate::domain::refusal::Refusal;

/// What of the settings can be said without a value to count from. Relative ones would be refused again.
fn absolute(settings: &[Assignment]) -> String {
    let set = settings.iter().filter(|a| a.operator == Operator::Set);
    set.map(|a| format!(" {}={}", a.setting, a.value)).collect()
}

pub(super) fn scalable<'a>(
    environment: &Environment,
    before: Option<&'a Target>,
    settings: &[Assignment],
) -> Result<&'a Target, Refusal> {
    let name = &environment.name;
    match before {
        None => Err(Refusal::refused(
            format!("{name} cannot be scaled yet"),
            "Tidegate has never set its level, so it does not know which other values to keep",
        )
        .hint(format!("up {name}{}", absolute(settings)))),
        Some(Target { level: Level::Off, .. }) => {
            let why = "what is to be off has no size; raise it first, or with the size";
            Err(Refusal::refused(format!("{name} is to be off"), why).hint(format!("up {name}{}", absolute(settings))))
        }
        Some(target) => Ok(target),
    }
}

/// Refuses an `up` that would lower something, with both lines to choose from.
pub(super) fn refuse_lowering(
    environment: &Environment,
    before: Option<&Target>,
    target: &Target,
    newest_code: bool,
) -> Result<(), Refusal> {
    let Some(before) = before else { return Ok(()) };
    let name = &environment.name;
    let code = if newest_code { " code" } else { "" };
    if environment.rank(&target.level) < environment.rank(&before.level) {
        return Err(Refusal::refused(
            format!("`up {name} {}` would lower it", target.level),
            format!("{name} is at {}, which is higher", before.level),
        )
        .hint(format!("down {name} {}", target.level))
        .hint(format!("up {name} {}{code}", before.level)));
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
    // What else was asked for is asked for by either line, too.
    let others: String = target
        .settings
        .iter()
        .filter(|(name, value)| {
            !all.iter().any(|(s, _, _)| s.name == **name) && before.settings.get(*name) != Some(*value)
        })
        .map(|(name, value)| format!(" {name}={value}"))
        .collect();
    let lowered: String = lower.iter().map(|(s, _, to)| format!(" {}={to}", s.name)).collect();
    let what: Vec<String> = lower.iter().map(|(s, from, to)| format!("{} {from} -> {to}", s.name)).collect();
    Err(Refusal::refused(
        format!("`up {name}` would lower {}", what.join(", ")),
        "`up` only raises; choose one of these",
    )
    .hint(format!("up {name} {}{code}{kept}{others}", target.level))
    .hint(format!("scale {name}{lowered}{others}")))
}

pub(super) fn refuse_raising(
    environment: &Environment,
    before: Option<&Target>,
    target: &Target,
) -> Result<(), Refusal> {
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
        .hint(format!("status {name}")))
}
