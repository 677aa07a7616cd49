//! `[environments.NAME.profiles.NAME]`: the variable values of a level.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::nearest::suggestion;
use super::super::problem::quoted;
use super::values;
use crate::domain::environment::{Setting, Variables};
use crate::domain::ids::{ProfileName, SettingName, StackName};

/// Values of Terraform variables by stack.
pub(super) type ProfileSection = BTreeMap<String, Variables>;

/// Reads all profiles of an environment.
pub(super) fn read(
    at: &Path<'_>,
    sections: &IndexMap<String, ProfileSection>,
    stacks: &[&str],
    settings: &IndexMap<SettingName, Setting>,
    findings: &mut Findings<'_, '_>,
) -> IndexMap<ProfileName, BTreeMap<StackName, Variables>> {
    let mut profiles = IndexMap::new();
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
        for (stack, variables) in section {
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
        profiles.insert(name, by_stack);
    }
    profiles
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
