//! Values for Terraform variables, and the programs and names that several sections have.

use std::fmt::Display;
use std::path::{Path as FilePath, PathBuf};
use std::str::FromStr;

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::nearest::suggestion;
use super::super::problem::quoted;
use crate::domain::environment::{Setting, SettingKind, SettingValue};
use crate::domain::grammar;

/// A program: a bare name is looked for on the PATH later, anything else is a path that starts at `folder`.
pub(super) fn program(text: &str, folder: &FilePath) -> PathBuf {
    if text.contains(std::path::MAIN_SEPARATOR) { folder.join(text) } else { PathBuf::from(text) }
}

/// Parses a name that is the key at `path`; what is wrong goes to `findings`.
pub(in super::super) fn name_of_key<T: FromStr<Err: Display>>(
    path: &Path<'_>,
    text: &str,
    findings: &mut Findings<'_, '_>,
) -> Option<T> {
    name(text).map_err(|(message, hint)| findings.at_key(path, message, hint)).ok()
}

/// Parses a name that people type in commands, the key at `path`; what is wrong, and a word of the commands, goes to `findings`.
/// `what` is the kind of thing that it names.
pub(in super::super) fn typed_name<T: FromStr<Err: Display>>(
    path: &Path<'_>,
    text: &str,
    what: &str,
    findings: &mut Findings<'_, '_>,
) -> Option<T> {
    let Some(meaning) = grammar::meaning(text) else { return name_of_key(path, text, findings) };
    let message = format!("`{text}` cannot be the name of {what}: it is a word of the commands, where it {meaning}");
    let last = what.rsplit(' ').next().unwrap_or(what);
    findings.at_key(path, message, Some(format!("choose another name: `{text}-{last}`")));
    None
}

/// Parses a name that is the value at `path`; what is wrong goes to `findings`.
pub(super) fn name_of_value<T: FromStr<Err: Display>>(
    path: &Path<'_>,
    text: &str,
    findings: &mut Findings<'_, '_>,
) -> Option<T> {
    name(text).map_err(|(message, hint)| findings.at_value(path, message, hint)).ok()
}

fn name<T: FromStr<Err: Display>>(text: &str) -> Result<T, (String, Option<String>)> {
    text.parse().map_err(|error: T::Err| {
        let replaced = |c: char| if c == ' ' || c == '.' { '-' } else { c.to_ascii_lowercase() };
        let better: String = text.trim().chars().map(replaced).collect();
        let hint = better.parse::<T>().is_ok().then(|| format!("write `{better}`"));
        (format!("{} is not a name: {error}", quoted(text)), hint)
    })
}

/// Tells when a configured value of a setting's variable is not one that people could have set.
pub(super) fn check_against(
    setting: &Setting,
    path: &Path<'_>,
    value: &serde_json::Value,
    findings: &mut Findings<'_, '_>,
) {
    let name = &setting.name;
    match (&setting.kind, SettingValue::from_json(value)) {
        (SettingKind::Number { min, max, step }, Some(SettingValue::Number(number))) => {
            // Wider than the values, so that no distance between two of them overflows.
            let over = (i128::from(number) - i128::from(*min)) % i128::from((*step).max(1));
            if number < *min || number > *max {
                let message = format!("{number} is outside of what the setting `{name}` allows, {min} to {max}");
                let hint = format!("write {}, or widen the setting", number.clamp(*min, *max));
                findings.at_value(path, message, Some(hint));
            } else if over != 0 {
                let message =
                    format!("{number} is not a step of the setting `{name}`, which goes from {min} by {step}");
                let hint = format!("write {}, or change `step`", i128::from(number) - over);
                findings.at_value(path, message, Some(hint));
            }
        }
        (SettingKind::Choice(choices), Some(SettingValue::Text(text))) => {
            if !choices.contains(&text) {
                let message = format!("{} is not one of the values of the setting `{name}`", quoted(&text));
                let hint = suggestion(&text, choices.iter().map(String::as_str), "its values");
                findings.at_value(path, message, hint);
            }
        }
        (SettingKind::Switch, Some(SettingValue::Switch(_))) => {}
        (SettingKind::Number { .. }, _) => wrong_kind(path, name.as_str(), "a whole number", "3", findings),
        (SettingKind::Choice(_), _) => wrong_kind(path, name.as_str(), "a text", "\"small\"", findings),
        (SettingKind::Switch, _) => wrong_kind(path, name.as_str(), "`true` or `false`", "true", findings),
    }
}

fn wrong_kind(path: &Path<'_>, setting: &str, wanted: &str, example: &str, findings: &mut Findings<'_, '_>) {
    let message = format!("the setting `{setting}` changes this variable, so that its value must be {wanted}");
    findings.at_value(path, message, Some(format!("write it like `{example}`")));
}
