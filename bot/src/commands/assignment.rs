//! `slaves=40`, `slaves+=10`: one setting of a command.

use tidegate_runner::domain::command::{Assignment, Operator};
use tidegate_runner::domain::environment::{Environment, Setting, SettingKind, SettingValue};
use tidegate_runner::domain::ids::SettingName;
use tidegate_runner::domain::refusal::{Refusal, nearest};
use tidegate_runner::domain::request::{allowed, check_value, example, nearest_allowed};

use super::context::{Context, listed, quoted};
use super::line::unquoted;
use super::number::{self, Reading};

/// A word with `=` or `:` in it, taken apart.
pub(super) struct Parts<'w> {
    /// Left of the operator.
    pub(super) name: &'w str,
    /// `None` for a sign that is no operator: `slaves/=2`.
    pub(super) operator: Option<Operator>,
    /// Right of it, without quotes.
    pub(super) value: &'w str,
}

/// Takes `name=value` apart; `None` when there is no `=` or `:` in it.
pub(super) fn parts(word: &str) -> Option<Parts<'_>> {
    let (left, right) = word.split_once(['=', ':'])?;
    // `:=` is one operator.
    let right =
        if left.contains(':') || !word.contains(":=") { right } else { right.strip_prefix('=').unwrap_or(right) };
    let (name, operator) = match left.chars().next_back() {
        Some('+') => (left.strip_suffix('+'), Some(Operator::Add)),
        Some('-') => (left.strip_suffix('-'), Some(Operator::Subtract)),
        Some('*') => (left.strip_suffix('*'), Some(Operator::Multiply)),
        Some(sign @ ('/' | '÷')) => (left.strip_suffix(sign), None),
        _ => (Some(left), Some(Operator::Set)),
    };
    Some(Parts { name: name.unwrap_or(left), operator, value: unquoted(right) })
}

impl Context<'_> {
    /// Reads the word at `at` as an assignment to a setting of `environment`; `None` when it is none.
    pub(super) fn assignment(
        &self,
        environment: &Environment,
        at: usize,
        word: &str,
        earlier: &[Assignment],
    ) -> Result<Option<Assignment>, Refusal> {
        let Some(parts) = parts(word) else { return Ok(None) };
        let lower = parts.name.to_lowercase();
        let Some(setting) = environment.settings.get(lower.as_str()) else {
            return Err(self.no_such_setting(environment, at, &parts));
        };
        if let Some(first) = earlier.iter().find(|a| a.setting == setting.name) {
            let both = format!("{}{}{}", first.setting, first.operator.as_str(), first.value);
            let refusal = Refusal::not_understood(
                format!("`{}` is given twice", setting.name),
                format!("`{both}` and {} are in one line", quoted(word)),
            )
            .hint(self.line.without(at));
            let place = self.line.from(2).find(|(_, w)| {
                super::assignment::parts(w).is_some_and(|p| p.name.to_lowercase() == setting.name.as_str())
            });
            return Err(match place {
                Some((place, _)) => refusal.hint(self.line.without(place)),
                None => refusal,
            });
        }
        let Some(operator) = parts.operator else {
            return Err(Refusal::not_understood(
                format!("{} is no change that Tidegate knows", quoted(word)),
                format!("`{}` is changed with `=`, `+=`, `-=` or `*=`", setting.name),
            )
            .hint(self.line.with(at, &format!("{}={}", setting.name, example(setting)))));
        };
        let value = self.value(setting, at, operator, parts.value)?;
        Ok(Some(Assignment { setting: setting.name.clone(), operator, value }))
    }

    fn no_such_setting(&self, environment: &Environment, at: usize, parts: &Parts<'_>) -> Refusal {
        let names = || environment.settings.keys().map(SettingName::as_str);
        let name = &environment.name;
        if parts.name.is_empty() {
            return self.nameless(environment, at, parts);
        }
        let why = if environment.settings.is_empty() {
            format!("nothing of {name} can be changed by a setting")
        } else {
            format!("its settings are: {}", listed(names()))
        };
        let refusal = Refusal::not_understood(format!("{name} has no setting {}", quoted(parts.name)), why);
        match nearest(parts.name, names()) {
            Some(near) => {
                let operator = parts.operator.unwrap_or(Operator::Set).as_str();
                refusal.hint(self.line.with(at, &format!("{near}{operator}{}", parts.value)))
            }
            None => refusal.hint(format!("status {name}")),
        }
    }

    /// `=40` or `-5`: a value without a setting. Offers each setting that takes it, when they are few.
    pub(super) fn nameless(&self, environment: &Environment, at: usize, parts: &Parts<'_>) -> Refusal {
        let operator = parts.operator.unwrap_or(Operator::Set).as_str();
        let refusal = Refusal::not_understood(
            format!("{} does not say which setting", quoted(&format!("{operator}{}", parts.value))),
            format!(
                "the settings of {} are: {}",
                environment.name,
                listed(environment.settings.keys().map(SettingName::as_str))
            ),
        );
        let numbers = environment.settings.values().filter(|s| matches!(s.kind, SettingKind::Number { .. }));
        numbers.take(3).fold(refusal, |refusal, s| {
            refusal.hint(self.line.with(at, &format!("{}{operator}{}", s.name, parts.value)))
        })
    }

    fn value(&self, setting: &Setting, at: usize, operator: Operator, text: &str) -> Result<SettingValue, Refusal> {
        let name = &setting.name;
        let line = |operator: Operator, value: &str| self.line.with(at, &format!("{name}{}{value}", operator.as_str()));
        let takes = || format!("`{name}` takes {}", allowed(setting));
        if text.is_empty() {
            let (operator, value) = match (operator, &setting.kind) {
                (Operator::Set, _) | (_, SettingKind::Choice(_) | SettingKind::Switch) => {
                    (Operator::Set, example(setting).to_string())
                }
                (operator, SettingKind::Number { .. }) => (operator, "1".to_owned()),
            };
            return Err(Refusal::not_understood(format!("`{name}` has no value"), takes()).hint(line(operator, &value)));
        }
        if text.starts_with(['=', ':']) {
            let value = text.trim_start_matches(['=', ':']);
            return Err(Refusal::not_understood(
                format!("`{name}` has more than one `=`"),
                format!("a setting is written `{name}=value`"),
            )
            .hint(line(operator, value)));
        }
        match (&setting.kind, operator) {
            (SettingKind::Number { min, .. }, _) => self.number(setting, *min, at, operator, text),
            (SettingKind::Choice(choices), Operator::Set) => {
                let same = choices
                    .iter()
                    .find(|c| *c == text)
                    .or_else(|| choices.iter().find(|c| c.to_lowercase() == text.to_lowercase()));
                same.map(|choice| SettingValue::Text(choice.clone())).ok_or_else(|| {
                    let near = nearest_allowed(setting, &SettingValue::Text(text.to_owned()));
                    Refusal::refused(format!("{} is no value of `{name}`", quoted(text)), takes())
                        .hint(line(Operator::Set, &near.to_string()))
                })
            }
            (SettingKind::Switch, Operator::Set) => match text.to_lowercase().as_str() {
                "true" => Ok(SettingValue::Switch(true)),
                "false" => Ok(SettingValue::Switch(false)),
                other => {
                    let meant = !matches!(other, "off" | "no" | "0" | "disabled");
                    Err(Refusal::not_understood(format!("{} is neither true nor false", quoted(text)), takes())
                        .hint(line(Operator::Set, &meant.to_string())))
                }
            },
            (SettingKind::Choice(_) | SettingKind::Switch, Operator::Add | Operator::Subtract | Operator::Multiply) => {
                Err(Refusal::not_understood(
                    format!("`{name}` is not a number that `{}` could change", operator.as_str()),
                    takes(),
                )
                .hint(line(Operator::Set, text)))
            }
        }
    }

    fn number(
        &self,
        setting: &Setting,
        min: i64,
        at: usize,
        operator: Operator,
        text: &str,
    ) -> Result<SettingValue, Refusal> {
        let name = &setting.name;
        let line = |operator: Operator, value: &str| self.line.with(at, &format!("{name}{}{value}", operator.as_str()));
        let takes = || format!("`{name}` takes {}", allowed(setting));
        let written = format!("`{name}{}{}`", operator.as_str(), quoted(text).trim_matches('`'));
        let reading = number::read(text);
        match (operator, reading) {
            (Operator::Set, Reading::Whole(below)) if below < 0 && min >= 0 => {
                // Whoever types `slaves=-5` may mean five fewer: say so, do not guess.
                Err(Refusal::refused(
                    format!("{written} is not allowed"),
                    format!(
                        "{}; {} fewer than now is `{name}-={}`",
                        takes(),
                        below.unsigned_abs(),
                        below.unsigned_abs()
                    ),
                )
                .hint(line(Operator::Subtract, &below.unsigned_abs().to_string())))
            }
            (Operator::Set, Reading::Whole(number)) => {
                let value = SettingValue::Number(number);
                check_value(setting, &value).map_err(|why| {
                    Refusal::refused(format!("{written} is not allowed"), why)
                        .hint(line(Operator::Set, &nearest_allowed(setting, &value).to_string()))
                })?;
                Ok(value)
            }
            (Operator::Add | Operator::Subtract, Reading::Whole(below)) if below < 0 => {
                let other = if operator == Operator::Add { Operator::Subtract } else { Operator::Add };
                Err(Refusal::not_understood(
                    format!("{written} has two signs"),
                    format!("`{}` already says the direction", operator.as_str()),
                )
                .hint(line(other, &below.unsigned_abs().to_string())))
            }
            (Operator::Multiply, Reading::Whole(below)) if below < 0 => {
                Err(Refusal::refused(format!("{written} is not allowed"), takes())
                    .hint(line(Operator::Multiply, &below.unsigned_abs().to_string())))
            }
            (_, Reading::Whole(number)) => Ok(SettingValue::Number(number)),
            (Operator::Set, Reading::Plus(number)) => Err(Refusal::not_understood(
                format!("{written} could mean a size or a change"),
                format!("`{name}+={number}` adds to it, `{name}={number}` sets it"),
            )
            .hint(line(Operator::Add, &number.to_string()))
            .hint(line(Operator::Set, &number.to_string()))),
            (_, Reading::Plus(number)) => {
                Err(Refusal::not_understood(format!("{written} has a sign too many"), takes())
                    .hint(line(operator, &number.to_string())))
            }
            (_, Reading::TooLarge(end)) => {
                let near = nearest_allowed(setting, &SettingValue::Number(end));
                Err(Refusal::refused(format!("{written} is not allowed"), takes())
                    .hint(line(Operator::Set, &near.to_string())))
            }
            (Operator::Set, Reading::Other(meant)) => {
                let near = nearest_allowed(setting, &SettingValue::Number(meant));
                Err(Refusal::not_understood(format!("{written} is not plainly a whole number"), takes())
                    .hint(line(Operator::Set, &near.to_string())))
            }
            (_, Reading::Other(meant)) => {
                Err(Refusal::not_understood(format!("{written} is not plainly a whole number"), takes())
                    .hint(line(operator, &meant.to_string())))
            }
            (_, Reading::Not) => {
                // `slaves=*2`, `slaves=-=5`: the sign slipped behind the `=`.
                let slipped = match text.chars().next() {
                    Some('*') => Some((Operator::Multiply, text.trim_start_matches(['*', '=']))),
                    Some('+') => Some((Operator::Add, text.trim_start_matches(['+', '=']))),
                    Some('-') => Some((Operator::Subtract, text.trim_start_matches(['-', '=']))),
                    _ => None,
                };
                let refusal = Refusal::not_understood(format!("{written} is not a number"), takes());
                Err(match slipped {
                    Some((operator, rest)) if matches!(number::read(rest), Reading::Whole(0..)) => {
                        refusal.hint(line(operator, rest))
                    }
                    _ => refusal.hint(line(Operator::Set, &example(setting).to_string())),
                })
            }
        }
    }
}
