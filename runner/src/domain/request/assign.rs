//! One `setting=value` on the value that counts until now, what a setting takes, and what to offer in the place of what it
//! does not take.

use crate::domain::command::{Assignment, CommandName, Operator};
use crate::domain::environment::{Environment, Level, Setting, SettingKind, SettingValue};
use crate::domain::refusal::{Refusal, nearest};

/// Carries out one assignment on the value that counts until now, for a `command` that brings the environment to `level`.
///
/// # Errors
/// Refuses a value outside of the setting's range or choices, and a relative change of a value that is not known or
/// not a number. What it offers instead never goes lower than what was typed.
pub fn assign(
    environment: &Environment,
    level: &Level,
    setting: &Setting,
    assignment: &Assignment,
    now: Option<&SettingValue>,
    command: CommandName,
) -> Result<SettingValue, Refusal> {
    let name = &setting.name;
    let Assignment { operator, value, .. } = assignment;
    let typed = || format!("`{name}{}{value}`", operator.as_str());
    let usual = environment.configured_value(setting, level);
    let with_hint =
        |refusal: Refusal, wanted: Option<&SettingValue>| match offered(setting, wanted, now.or(usual.as_ref())) {
            Some(value) => refusal.hint(format!("{command} {} {name}={value}", environment.name)),
            None => refusal.hint(format!("status {}", environment.name)),
        };
    let wanted = match (operator, value) {
        (Operator::Set, value) => value.clone(),
        (operator, SettingValue::Number(by)) => {
            let Some(SettingValue::Number(now)) = now else {
                let refusal = Refusal::refused(
                    format!("{} changes a number that is not known", typed()),
                    format!("Tidegate has not set `{name}` yet, so there is nothing to change it from"),
                );
                return Err(with_hint(refusal, None));
            };
            let result = match operator {
                Operator::Add => now.checked_add(*by),
                Operator::Subtract => now.checked_sub(*by),
                Operator::Multiply => now.checked_mul(*by),
                Operator::Set => Some(*by),
            };
            let Some(result) = result else {
                let refusal = Refusal::refused(
                    format!("{} goes beyond all numbers", typed()),
                    format!("`{name}` is to be {now} and takes {}", allowed(setting)),
                );
                return Err(with_hint(refusal, None));
            };
            SettingValue::Number(result)
        }
        (_, _) => {
            let refusal = Refusal::refused(
                format!("{} is not a change of a number", typed()),
                format!("`{name}` takes {}", allowed(setting)),
            );
            return Err(with_hint(refusal, None));
        }
    };
    check_value(setting, &wanted).map_err(|why| {
        let what = match (operator, now) {
            (Operator::Set, _) | (_, None) => format!("`{name}={wanted}` is not allowed"),
            (_, Some(now)) => format!("{} would make it {wanted} (it is to be {now})", typed()),
        };
        with_hint(Refusal::refused(what, why), Some(&wanted))
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

/// The value to offer in the place of `wanted`, which the setting does not take, or of nothing at all: the allowed one next to
/// it where that was a slip, else `now`, the value that counts until now and changes nothing. `None` when neither is there.
///
/// People copy what is offered. So it is never lower than `wanted`, but for the end of the range when `wanted` lies beyond it
/// by no more than the range is wide; and what lies further off was never meant as a size.
#[must_use]
pub fn offered(setting: &Setting, wanted: Option<&SettingValue>, now: Option<&SettingValue>) -> Option<SettingValue> {
    let near = match (&setting.kind, wanted) {
        (SettingKind::Number { min, max, step }, Some(SettingValue::Number(wanted))) => {
            next_number(*min, *max, *step, *wanted).map(SettingValue::Number)
        }
        (SettingKind::Choice(values), Some(SettingValue::Text(wanted))) => {
            nearest(wanted, values.iter().map(String::as_str)).map(|value| SettingValue::Text(value.to_owned()))
        }
        (SettingKind::Number { .. } | SettingKind::Choice(_) | SettingKind::Switch, _) => None,
    };
    // A value from before the setting was given another range is no value to offer.
    near.or_else(|| now.filter(|now| check_value(setting, now).is_ok()).cloned())
}

/// The first allowed number from `wanted` upwards, or the last one where `wanted` is a little beyond it.
fn next_number(min: i64, max: i64, step: i64, wanted: i64) -> Option<i64> {
    let (low, high, step, wanted) = (i128::from(min), i128::from(max), i128::from(step.max(1)), i128::from(wanted));
    if wanted - high > high - low {
        return None;
    }
    let steps = (wanted.max(low) - low + step - 1) / step;
    let last = (high - low) / step;
    i64::try_from(low + steps.min(last) * step).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_next_to_what_was_typed_and_never_below_it() {
        for (range, wanted, offered) in [
            ((0, 200, 1), 201, Some(200)),
            ((0, 200, 1), 400, Some(200)),
            ((0, 200, 1), 401, None),
            ((0, 200, 1), i64::MAX, None),
            ((5, 200, 1), i64::MIN, Some(5)),
            ((0, 200, 5), 7, Some(10)),
            ((0, 9, 2), 9, Some(8)),
            ((i64::MIN, i64::MAX, 1), i64::MAX, Some(i64::MAX)),
        ] {
            let (min, max, step) = range;
            assert_eq!(next_number(min, max, step, wanted), offered, "{range:?} {wanted}");
        }
    }
}
