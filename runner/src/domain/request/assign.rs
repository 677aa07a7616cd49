//! One `setting=value` on the value that counts until now, and what a setting takes.

use crate::domain::command::{Assignment, Operator};
use crate::domain::environment::{Setting, SettingKind, SettingValue};
use crate::domain::refusal::{Refusal, nearest};

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
            let near = nearest(wanted, values.iter().map(String::as_str));
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
