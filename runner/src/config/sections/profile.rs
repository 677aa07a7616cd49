//! `[environments.NAME.profiles.NAME]`: the variable values of a level.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::nearest::suggestion;
use super::super::problem::quoted;
use super::values;
use crate::domain::environment::{Setting, Variables};
use crate::domain::ids::{ProfileName, SettingName, StackName};

/// A level: the values of variables, by stack.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct ProfileSection {
    /// What an hour at it costs, in the environment's `currency`, as you reckon it: `hours` counts with it. Without it, hours only.
    #[schemars(range(min = 0.0), example = 12.5)]
    pub(super) rate: Option<f64>,
    /// Values of Terraform variables by stack.
    #[serde(flatten)]
    pub(super) stacks: BTreeMap<String, Variables>,
}

/// All profiles of an environment, and what they cost.
pub(super) type Profiles = (IndexMap<ProfileName, BTreeMap<StackName, Variables>>, BTreeMap<ProfileName, f64>);

/// Reads all profiles of an environment.
pub(super) fn read(
    at: &Path<'_>,
    sections: &IndexMap<String, ProfileSection>,
    stacks: &[&str],
    settings: &IndexMap<SettingName, Setting>,
    findings: &mut Findings<'_, '_>,
) -> Profiles {
    let mut profiles = IndexMap::new();
    let mut rates = BTreeMap::new();
    for (name, section) in sections {
        let at = at.key(name);
        if name == "off" {
            let message = "`off` is built in: it destroys the stacks with `off = \"destroy\"` and lowers the others";
            let hint = "choose another name, and write `off = \"destroy\"` at the stacks that may go";
            findings.at_key(&at, message, Some(hint.to_owned()));
            continue;
        }
        let Some(name) = values::typed_name::<ProfileName>(&at, name, "a profile", findings) else { continue };
        let mut by_stack = BTreeMap::new();
        for (stack, variables) in &section.stacks {
            let at = at.key(stack);
            if !stacks.contains(&stack.as_str()) {
                let message = format!("there is no stack {} in this environment", quoted(stack));
                findings.at_key(&at, message, suggestion(stack, stacks.iter().copied(), "its stacks"));
                continue;
            }
            check_settings(&at, stack, variables, settings, findings);
            if let Ok(stack) = stack.parse::<StackName>() {
                by_stack.insert(stack, variables.clone());
            }
        }
        if let Some(rate) = section.rate {
            if rate.is_finite() && rate >= 0.0 {
                rates.insert(name.clone(), rate);
            } else {
                let hint = "write what an hour costs: `rate = 12.5`, or `rate = 0` where it costs nothing";
                findings.at_value(&at.key("rate"), "this is not what an hour can cost", Some(hint.to_owned()));
            }
        }
        profiles.insert(name, by_stack);
    }
    (profiles, rates)
}

/// Reads the currency of the rates.
pub(super) fn currency(
    at: &Path<'_>,
    written: Option<&String>,
    rates: &BTreeMap<ProfileName, f64>,
    findings: &mut Findings<'_, '_>,
) -> Option<String> {
    match written {
        Some(text) if text.len() == 3 && text.bytes().all(|letter| letter.is_ascii_uppercase()) => Some(text.clone()),
        Some(text) => {
            let message = format!("{} is not a currency", quoted(text));
            let hint = "write its three letters, as banks do: `currency = \"USD\"`";
            findings.at_value(&at.key("currency"), message, Some(hint.to_owned()));
            None
        }
        None => {
            if let Some(name) = rates.keys().next() {
                let message = "a rate says nothing without its currency";
                let hint = format!("add `currency = \"USD\"` to `[{at}]`");
                findings.at_key(&at.key("profiles").key(name.as_str()).key("rate"), message, Some(hint));
            }
            None
        }
    }
}

/// Tells which values of a stack's variables the settings would not allow.
pub(super) fn check_settings(
    at: &Path<'_>,
    stack: &str,
    variables: &Variables,
    settings: &IndexMap<SettingName, Setting>,
    findings: &mut Findings<'_, '_>,
) {
    for setting in settings.values().filter(|setting| setting.stack.as_str() == stack) {
        if let Some(value) = variables.get(&setting.variable) {
            values::check_against(setting, &at.key(&setting.variable), value, findings);
        }
    }
}
