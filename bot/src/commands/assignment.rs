//! `slaves=40`, `slaves+=10`: one setting of a command.

use tidegate_runner::domain::command::{Assignment, CommandName, Operator};
use tidegate_runner::domain::environment::{Environment, Level, Setting, SettingKind, SettingValue};
use tidegate_runner::domain::ids::SettingName;
use tidegate_runner::domain::refusal::{Refusal, nearest};
use tidegate_runner::domain::request::{allowed, check_value, offered};

use super::context::{Context, listed, quoted};
use super::level::level;
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

/// Where in a line a setting is assigned to.
#[derive(Clone, Copy)]
pub(super) struct Place<'e> {
    pub(super) environment: &'e Environment,
    pub(super) setting: &'e Setting,
    /// Which word.
    pub(super) at: usize,
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
        let place = Place { environment, setting, at };
        let Some(operator) = parts.operator else {
            let refusal = Refusal::not_understood(
                format!("{} is no change that Tidegate knows", quoted(word)),
                format!("`{}` is changed with `=`, `+=`, `-=` or `*=`", setting.name),
            );
            return Err(self.instead(refusal, place, None));
        };
        let value = self.value(place, operator, parts.value)?;
        Ok(Some(Assignment { setting: setting.name.clone(), operator, value }))
    }

    fn no_such_setting(&self, environment: &Environment, at: usize, parts: &Parts<'_>) -> Refusal {
        let names = || environment.settings.keys().map(SettingName::as_str);
        let name = &environment.name;
        if let Some(refusal) = self.line.word(at).and_then(|word| self.dashed(environment, at, word)) {
            return refusal;
        }
        if parts.name.is_empty() {
            return self.nameless(environment, at, parts, self.line.word(at).unwrap_or_default());
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

    /// `=40` or `-5`: a value without a setting, as it was `typed`. Offers each setting that takes it, when they are few.
    pub(super) fn nameless(&self, environment: &Environment, at: usize, parts: &Parts<'_>, typed: &str) -> Refusal {
        let operator = parts.operator.unwrap_or(Operator::Set).as_str();
        let refusal = Refusal::not_understood(
            format!("{} does not say which setting", quoted(typed)),
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

    /// The level that this line goes to; `None` when it stays where it is.
    fn goal(&self, environment: &Environment) -> Option<Level> {
        let named = || self.line.from(2).find_map(|(_, word)| level(environment, word));
        match self.spec.name {
            CommandName::Up => named().or_else(|| Some(Level::Profile(environment.up.clone()))),
            CommandName::Plan => named(),
            _ => None,
        }
    }

    /// The value that a setting has without this line, or would have by this line if it did not name it.
    pub(super) fn usual(&self, environment: &Environment, setting: &Setting) -> Option<SettingValue> {
        self.present.value(environment, setting, self.goal(environment).as_ref())
    }

    /// Adds the line with an assignment that can be made: near to what was `wanted` where that is possible, else one that
    /// changes nothing, else each value where there are few.
    pub(super) fn instead(&self, refusal: Refusal, place: Place<'_>, wanted: Option<&SettingValue>) -> Refusal {
        let Place { environment, setting, at } = place;
        let with = |refusal: Refusal, value: &SettingValue| {
            refusal.hint(self.line.with(at, &format!("{}={value}", setting.name)))
        };
        let now = self.usual(environment, setting);
        match (offered(setting, wanted, now.as_ref()), &setting.kind) {
            (Some(value), _) => with(refusal, &value),
            (None, SettingKind::Number { .. }) => refusal.hint(format!("status {}", environment.name)),
            (None, SettingKind::Choice(values)) => {
                values.iter().take(3).fold(refusal, |refusal, value| with(refusal, &SettingValue::Text(value.clone())))
            }
            (None, SettingKind::Switch) => {
                [true, false].into_iter().fold(refusal, |refusal, on| with(refusal, &SettingValue::Switch(on)))
            }
        }
    }

    /// True when taking `by` away from the value that counts now leads out of the range, as far as that value is known.
    fn cannot_fall_by(&self, environment: &Environment, setting: &Setting, by: u64) -> bool {
        match (self.usual(environment, setting), &setting.kind) {
            (Some(SettingValue::Number(now)), SettingKind::Number { min, .. }) => {
                now.checked_sub_unsigned(by).is_none_or(|left| left < *min)
            }
            _ => false,
        }
    }

    /// `slaves` takes a whole number from 0 to 200; it is to be 40.
    pub(super) fn takes_what(&self, environment: &Environment, setting: &Setting) -> String {
        let takes = format!("`{}` takes {}", setting.name, allowed(setting));
        match self.present.value(environment, setting, None) {
            Some(now) => format!("{takes}; it is to be {now}"),
            None => takes,
        }
    }

    fn value(&self, place: Place<'_>, operator: Operator, text: &str) -> Result<SettingValue, Refusal> {
        let Place { environment, setting, at } = place;
        let name = &setting.name;
        let line = |operator: Operator, value: &str| self.line.with(at, &format!("{name}{}{value}", operator.as_str()));
        let takes = || self.takes_what(environment, setting);
        if text.is_empty() {
            let refusal = Refusal::not_understood(format!("`{name}` has no value"), takes());
            return Err(match (operator, &setting.kind) {
                (Operator::Add | Operator::Subtract, SettingKind::Number { step, .. }) => {
                    refusal.hint(line(operator, &step.to_string()))
                }
                (Operator::Set | Operator::Multiply, _) | (_, SettingKind::Choice(_) | SettingKind::Switch) => {
                    self.instead(refusal, place, None)
                }
            });
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
            (SettingKind::Number { .. }, _) => self.number(place, operator, text),
            (SettingKind::Choice(choices), Operator::Set) => {
                let same = choices
                    .iter()
                    .find(|c| *c == text)
                    .or_else(|| choices.iter().find(|c| c.to_lowercase() == text.to_lowercase()));
                same.map(|choice| SettingValue::Text(choice.clone())).ok_or_else(|| {
                    let refusal = Refusal::refused(format!("{} is no value of `{name}`", quoted(text)), takes());
                    self.instead(refusal, place, Some(&SettingValue::Text(text.to_owned())))
                })
            }
            (SettingKind::Switch, Operator::Set) => {
                let refusal =
                    || Refusal::not_understood(format!("{} is neither true nor false", quoted(text)), takes());
                match text.to_lowercase().as_str() {
                    "true" | "on" | "yes" => Ok(SettingValue::Switch(true)),
                    "false" | "off" | "no" => Ok(SettingValue::Switch(false)),
                    "1" | "enabled" => Err(refusal().hint(line(Operator::Set, "true"))),
                    "0" | "disabled" => Err(refusal().hint(line(Operator::Set, "false"))),
                    _ => Err(self.instead(refusal(), place, None)),
                }
            }
            (SettingKind::Choice(_) | SettingKind::Switch, Operator::Add | Operator::Subtract | Operator::Multiply) => {
                Err(Refusal::not_understood(
                    format!("`{name}` is not a number that `{}` could change", operator.as_str()),
                    takes(),
                )
                .hint(line(Operator::Set, text)))
            }
        }
    }

    fn number(&self, place: Place<'_>, operator: Operator, text: &str) -> Result<SettingValue, Refusal> {
        let Place { environment, setting, at } = place;
        let name = &setting.name;
        let line = |operator: Operator, value: i64| self.line.with(at, &format!("{name}{}{value}", operator.as_str()));
        let takes = || self.takes_what(environment, setting);
        let written = format!("`{name}{}{}`", operator.as_str(), quoted(text).trim_matches('`'));
        let not_plain = || Refusal::not_understood(format!("{written} is not plainly a whole number"), takes());
        // `slaves=-5` may be meant as five fewer, where nothing below 0 is allowed.
        let unsigned = matches!(setting.kind, SettingKind::Number { min: 0.., .. });
        match (operator, number::read(text)) {
            (Operator::Set, Reading::Whole(below)) if below < 0 && unsigned => {
                let by = below.unsigned_abs();
                if self.cannot_fall_by(environment, setting, by) {
                    let refusal = Refusal::refused(format!("{written} is not allowed"), takes());
                    return Err(self.instead(refusal, place, None));
                }
                Err(Refusal::refused(
                    format!("{written} is not allowed"),
                    format!("{}; {by} fewer than now is `{name}-={by}`", takes()),
                )
                .hint(self.line.with(at, &format!("{name}-={by}"))))
            }
            (Operator::Set, Reading::Whole(number)) => {
                let value = SettingValue::Number(number);
                if check_value(setting, &value).is_ok() {
                    return Ok(value);
                }
                let refusal = Refusal::refused(format!("{written} is not allowed"), takes());
                // The most that is allowed is nearest to any number above it, and never less than what is there now.
                let wanted = match setting.kind {
                    SettingKind::Number { max, .. } if number > max => SettingValue::Number(max),
                    SettingKind::Number { .. } | SettingKind::Choice(_) | SettingKind::Switch => value,
                };
                Err(self.instead(refusal, place, Some(&wanted)))
            }
            (Operator::Add | Operator::Subtract, Reading::Whole(below)) if below < 0 => {
                let other = if operator == Operator::Add { Operator::Subtract } else { Operator::Add };
                Err(Refusal::not_understood(
                    format!("{written} has two signs"),
                    format!("`{}` already says the direction", operator.as_str()),
                )
                .hint(self.line.with(at, &format!("{name}{}{}", other.as_str(), below.unsigned_abs()))))
            }
            (Operator::Multiply, Reading::Whole(below)) if below < 0 => {
                Err(Refusal::refused(format!("{written} is not allowed"), takes())
                    .hint(self.line.with(at, &format!("{name}*={}", below.unsigned_abs()))))
            }
            (_, Reading::Whole(number)) => Ok(SettingValue::Number(number)),
            (Operator::Set, Reading::Plus(number)) => Err(Refusal::not_understood(
                format!("{written} could mean a size or a change"),
                format!("`{name}+={number}` adds to it, `{name}={number}` sets it"),
            )
            .hint(line(Operator::Add, number))
            .hint(line(Operator::Set, number))),
            (_, Reading::Plus(number)) => {
                Err(Refusal::not_understood(format!("{written} has a sign too many"), takes())
                    .hint(line(operator, number)))
            }
            (_, Reading::TooLarge(end)) => {
                let refusal = Refusal::refused(format!("{written} is not allowed"), takes());
                let wanted = (operator == Operator::Set).then_some(SettingValue::Number(end));
                Err(self.instead(refusal, place, wanted.as_ref()))
            }
            (Operator::Set, Reading::Other { ceil, .. }) => {
                Err(self.instead(not_plain(), place, Some(&SettingValue::Number(ceil))))
            }
            (Operator::Add, Reading::Other { ceil: by, .. })
            | (Operator::Subtract, Reading::Other { floor: by, .. }) => Err(not_plain().hint(line(operator, by))),
            // `*=0.5` would be offered as `*=0` or `*=1`.
            (Operator::Multiply, Reading::Other { floor: 0, .. }) => Err(self.instead(not_plain(), place, None)),
            (Operator::Multiply, Reading::Other { ceil, .. }) => Err(not_plain().hint(line(operator, ceil))),
            (_, Reading::Not) => {
                // `slaves=*2`, `slaves=-=5`: the sign slipped behind the `=`.
                let slipped = match text.chars().next() {
                    Some('*') => Some((Operator::Multiply, text.trim_start_matches(['*', '=']))),
                    Some('+') => Some((Operator::Add, text.trim_start_matches(['+', '=']))),
                    Some('-') => Some((Operator::Subtract, text.trim_start_matches(['-', '=']))),
                    _ => None,
                };
                let refusal = Refusal::not_understood(format!("{written} is not a number"), takes());
                match slipped.map(|(operator, rest)| (operator, number::read(rest))) {
                    Some((operator, Reading::Whole(number @ 0..))) => Err(refusal.hint(line(operator, number))),
                    _ => Err(self.instead(refusal, place, None)),
                }
            }
        }
    }
}
