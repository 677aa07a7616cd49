//! Settings, profiles and stack variables against the variables that a root declares.

use serde_json::Value;

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::nearest::{listed, suggestion};
use super::super::problem::quoted;
use super::{At, CheckOptions, Subject};
use crate::domain::environment::{Setting, SettingKind, Stack, Variables};
use crate::domain::ids::ProfileName;
use crate::root::{Condition, DefaultValue, Root, Type, Variable};

/// Checks all that the configuration says about the variables of one stack.
pub(super) fn check(
    subject: &Subject<'_>,
    stack: &Stack,
    root: &Root,
    options: &CheckOptions<'_>,
    at: &At<'_>,
    findings: &mut Findings<'_, '_>,
) {
    values(&at.stack.key("variables"), &stack.variables, root, subject.put_in, findings);
    for (profile, stacks) in subject.profiles {
        if let Some(variables) = stacks.get(&stack.name) {
            let profiles = at.environment.key("profiles");
            let profile = profiles.key(profile.as_str());
            values(&profile.key(stack.name.as_str()), variables, root, subject.put_in, findings);
        }
    }
    for setting in subject.settings.values().filter(|setting| setting.stack == stack.name) {
        let settings = at.environment.key("settings");
        self::setting(&settings.key(setting.name.as_str()), setting, root, findings);
    }
    if subject.all_values {
        required(subject, stack, root, options, at, findings);
    }
}

/// Values for variables: are they declared, do they fit?
fn values(
    at: &Path<'_>,
    variables: &Variables,
    root: &Root,
    put_in: Option<&[String]>,
    findings: &mut Findings<'_, '_>,
) {
    for (name, value) in variables {
        let Some(variable) = declared(name, root) else {
            let (message, hint) = unknown(name, root);
            findings.at_key(&at.key(name), message, hint);
            continue;
        };
        if let Some(why) = variable.kind.misfit(value) {
            let message = format!("{} does not take this: {why}", quoted(name));
            findings.at_value(&at.key(name), message, Some(declaration(variable)));
        } else if let Some(condition) = broken(variable, value).filter(|_| !stands_in(value, put_in)) {
            let (message, hint) = breaks(variable, value, condition);
            findings.at_value(&at.key(name), message, Some(hint));
        } else if variable.sensitive {
            let message =
                format!("{} is sensitive, and here its value can be read by all who read this file", quoted(name));
            let hint = format!("give it in `env`, as `TF_VAR_{name} = {{ file = \"...\" }}`");
            findings.warn_at_value(&at.key(name), message, Some(hint));
        }
    }
}

/// A setting: is its variable declared, has it a fitting type?
fn setting(at: &Path<'_>, setting: &Setting, root: &Root, findings: &mut Findings<'_, '_>) {
    let whole = at;
    let at = at.key("variable");
    let Some(variable) = declared(&setting.variable, root) else {
        let (message, hint) = unknown(&setting.variable, root);
        findings.at_value(&at, message, hint);
        return;
    };
    let (fits, wanted) = match &setting.kind {
        SettingKind::Number { .. } => (matches!(variable.kind, Type::Number | Type::Any), "number"),
        SettingKind::Choice(_) => (matches!(variable.kind, Type::String | Type::Any), "string"),
        SettingKind::Switch => (matches!(variable.kind, Type::Bool | Type::Any), "bool"),
    };
    if !fits {
        let message = format!(
            "the setting `{}` needs a variable of type `{wanted}`, and {} is {}",
            setting.name,
            quoted(&variable.name),
            quoted(&variable.type_text)
        );
        findings.at_value(&at, message, Some(declaration(variable)));
    } else if variable.sensitive {
        let message = format!("{} is sensitive, and what is set by chat is seen by everybody", quoted(&variable.name));
        findings.at_value(&at, message, Some("remove the setting".to_owned()));
    } else if let Some((key, value, condition)) = allowed_and_broken(setting, variable) {
        let (message, hint) = breaks(variable, &value, condition);
        let message = format!("the setting `{}` allows {value}, and {message}", setting.name);
        findings.at_value(&whole.key(key), message, Some(hint));
    }
}

/// The first value that a setting allows and a condition of its variable does not, with the key that allows it.
fn allowed_and_broken<'r>(setting: &Setting, variable: &'r Variable) -> Option<(&'static str, Value, &'r Condition)> {
    // Enough for every setting that people change by steps; both ends are always looked at.
    const LOOKED_AT: usize = 1_000;
    if variable.conditions.is_empty() {
        return None;
    }
    let find = |key, value: Value| broken(variable, &value).map(|condition| (key, value, condition));
    match &setting.kind {
        SettingKind::Number { min, max, step } => {
            let steps = std::iter::successors(Some(*min), |number| number.checked_add((*step).max(1)));
            let mut between = steps.take(LOOKED_AT).take_while(|number| number <= max);
            find("min", Value::from(*min))
                .or_else(|| find("max", Value::from(*max)))
                .or_else(|| between.find_map(|number| find("max", Value::from(number))))
        }
        SettingKind::Choice(values) => values.iter().find_map(|value| find("values", Value::from(value.as_str()))),
        SettingKind::Switch => [true, false].into_iter().find_map(|value| find("variable", Value::from(value))),
    }
}

/// Whether something in the value stands for what nobody knows yet.
fn stands_in(value: &Value, put_in: Option<&[String]>) -> bool {
    let text = value.to_string();
    put_in.into_iter().flatten().any(|one| text.contains(one.as_str()))
}

/// The first condition of a variable that a value surely breaks.
fn broken<'r>(variable: &'r Variable, value: &Value) -> Option<&'r Condition> {
    variable.conditions.iter().find(|condition| condition.is_broken_by(&variable.kind, value))
}

fn breaks(variable: &Variable, value: &Value, condition: &Condition) -> (String, String) {
    let (name, text) = (quoted(&variable.name), quoted(&condition.text));
    let message = format!("{name} does not take {}: its root wants {text}", quoted(&value.to_string()));
    let said =
        if condition.message.is_empty() { String::new() } else { format!(", and says {}", quoted(&condition.message)) };
    let file = condition.at.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    (message, format!("the condition stands in {file}, line {}{said}", condition.at.line))
}

/// Variables without a default: does every level give a value?
fn required(
    subject: &Subject<'_>,
    stack: &Stack,
    root: &Root,
    options: &CheckOptions<'_>,
    at: &At<'_>,
    findings: &mut Findings<'_, '_>,
) {
    for variable in root.variables.values() {
        let name = &variable.name;
        let as_variable = format!("TF_VAR_{name}");
        let from_outside =
            stack.env.contains_key(&as_variable) || options.is_set.is_some_and(|is_set| is_set(&as_variable));
        let given = stack.variables.contains_key(name) || root.given.contains(name) || from_outside;
        if given || variable.default != DefaultValue::Missing {
            continue;
        }
        let lacks = |profile: &&ProfileName| {
            let values = subject.profiles.get(*profile).and_then(|stacks| stacks.get(&stack.name));
            !values.is_some_and(|values| values.contains_key(name))
        };
        let lacking: Vec<&str> = subject.profiles.keys().filter(lacks).map(ProfileName::as_str).collect();
        if lacking.len() == subject.profiles.len() {
            let message =
                format!("the variable {} of this root has no default, and nobody gives it a value", quoted(name));
            let declaration = declaration(variable);
            let hint = if variable.sensitive {
                format!(
                    "it is sensitive: add `env = {{ TF_VAR_{name} = {{ file = \"...\" }} }}` to the stack, or set `TF_VAR_{name}` where Tidegate is started; {declaration}"
                )
            } else {
                let stack = &stack.name;
                format!(
                    "add it to the stack's `variables = {{ {name} = ... }}`, or to `{stack}` in every profile; {declaration}"
                )
            };
            findings.at_key(&at.stack, message, Some(hint));
        } else if !lacking.is_empty() {
            let message = format!(
                "the variable {} of the stack `{}` has no default, and {} does not give it a value",
                quoted(name),
                stack.name,
                listed(&lacking)
            );
            let profiles = at.environment.key("profiles");
            let first = lacking.first().copied().unwrap_or_default();
            let hint = format!("add `{name}` to `{}` there, or to the stack's `variables`", stack.name);
            findings.at_key(&profiles.key(first), message, Some(hint));
        }
    }
}

fn declared<'r>(name: &str, root: &'r Root) -> Option<&'r Variable> {
    root.variables.get(name)
}

fn unknown(name: &str, root: &Root) -> (String, Option<String>) {
    let message = format!("the root declares no variable {}", quoted(name));
    (message, suggestion(name, root.variables.keys().map(String::as_str), "its variables"))
}

fn declaration(variable: &Variable) -> String {
    let file = variable.at.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    format!("{} is declared in {file}, line {}", quoted(&variable.name), variable.at.line)
}
