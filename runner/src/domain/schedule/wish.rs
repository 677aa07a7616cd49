//! What a schedule asks for, as it is written: `full`, `full slaves=40`, `up full slaves=40`, `down`.

use std::collections::BTreeMap;

use super::item::Way;
use crate::domain::environment::{Environment, Level, Setting, SettingKind, SettingValue};
use crate::domain::ids::{ProfileName, SettingName};
use crate::domain::refusal::nearest;
use crate::domain::request::{Target, check_value};

/// A text that asks for nothing an environment has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct WishError {
    /// What is wrong.
    pub what: String,
    /// What to write instead, where that can be told.
    pub hint: Option<String>,
}

/// Reads a level with the settings that come with it: `small`, `full slaves=40`.
///
/// # Errors
/// There is no such level or setting, or the setting does not take the value.
pub fn read_target(text: &str, environment: &Environment) -> Result<Target, WishError> {
    let mut words = text.split_whitespace();
    let Some(level) = words.next() else {
        return Err(wrong("nothing is written", Some(format!("write a level: {}", levels(environment)))));
    };
    let level = read_level(level, environment)?;
    with_settings(level, words, environment)
}

/// Reads what a crontab line or one-time schedule does: `up`, `up full slaves=40`, `down small`.
///
/// # Errors
/// Another command, or as [`read_target`].
pub fn read_do(text: &str, environment: &Environment) -> Result<(Way, Target), WishError> {
    let mut words = text.split_whitespace().peekable();
    let way = match words.next().map(str::to_lowercase).as_deref() {
        Some("up") => Way::Up,
        Some("down") => Way::Down,
        other => {
            let what =
                other.map_or_else(|| "nothing is written".to_owned(), |word| format!("a schedule cannot do `{word}`"));
            let (up, down) = (&environment.up, &environment.down);
            return Err(wrong(what, Some(format!("write `up {up}` or `down {down}`"))));
        }
    };
    let level = match words.next_if(|word| !word.contains('=')) {
        Some(word) => read_level(word, environment)?,
        None if way == Way::Up => Level::Profile(environment.up.clone()),
        None => environment.down.clone(),
    };
    if way == Way::Up && level == Level::Off {
        return Err(wrong("`up off` contradicts itself", Some("write `down off`".to_owned())));
    }
    Ok((way, with_settings(level, words, environment)?))
}

fn read_level(word: &str, environment: &Environment) -> Result<Level, WishError> {
    let known = word.parse::<Level>().ok().filter(|level| match level {
        Level::Off => true,
        Level::Profile(name) => environment.levels.contains(name),
    });
    known.ok_or_else(|| {
        let names = environment.levels.iter().map(ProfileName::as_str).chain(["off"]);
        let hint = nearest(word, names).map(|near| format!("write `{near}`"));
        wrong(
            format!("{} has no level `{word}`", environment.name),
            hint.or_else(|| Some(format!("its levels are: {}", levels(environment)))),
        )
    })
}

fn with_settings<'w>(
    level: Level,
    words: impl Iterator<Item = &'w str>,
    environment: &Environment,
) -> Result<Target, WishError> {
    let mut settings = BTreeMap::new();
    for word in words {
        let Some((name, value)) = word.split_once('=') else {
            let what = format!("`{word}` was not expected here");
            return Err(wrong(what, Some("after the level come values only: `slaves=40`".to_owned())));
        };
        let Some(setting) = environment.settings.values().find(|setting| setting.name.as_str() == name) else {
            let near = nearest(name, environment.settings.keys().map(SettingName::as_str));
            let hint = near.map(|near| format!("write `{near}={value}`"));
            return Err(wrong(format!("{} has no setting `{name}`", environment.name), hint));
        };
        let value = read_value(setting, value).map_err(|what| wrong(what, None))?;
        if settings.insert(setting.name.clone(), value).is_some() {
            return Err(wrong(format!("`{name}` is in it twice"), None));
        }
    }
    Ok(Target { level, settings })
}

fn read_value(setting: &Setting, text: &str) -> Result<SettingValue, String> {
    let value = match &setting.kind {
        SettingKind::Number { .. } => {
            let number =
                text.parse().map_err(|_| format!("`{text}` is no whole number; nothing else can come with a level"))?;
            SettingValue::Number(number)
        }
        SettingKind::Switch => {
            SettingValue::Switch(text.parse().map_err(|_| format!("`{text}` is neither true nor false"))?)
        }
        SettingKind::Choice(_) => SettingValue::Text(text.to_owned()),
    };
    check_value(setting, &value).map(|()| value)
}

/// What [`read_target`] reads: `full slaves=40`.
#[must_use]
pub fn in_words(target: &Target) -> String {
    let settings: String = target.settings.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    format!("{}{settings}", target.level)
}

fn levels(environment: &Environment) -> String {
    let names: Vec<&str> = environment.levels.iter().map(ProfileName::as_str).chain(["off"]).collect();
    names.join(", ")
}

fn wrong(what: impl Into<String>, hint: Option<String>) -> WishError {
    WishError { what: what.into(), hint }
}
