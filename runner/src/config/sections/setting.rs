//! `[environments.NAME.settings.NAME]`: a variable that people may change by chat.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::nearest::suggestion;
use super::super::problem::quoted;
use crate::domain::environment::{Setting, SettingKind};
use crate::domain::ids::SettingName;

/// A variable that people may change by chat. It is a whole number with `min` and `max`, one of the texts in `values`,
/// or, with `type = "bool"`, on or off.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct SettingSection {
    /// The stack whose variable it is.
    #[schemars(example = &"jmeter")]
    stack: String,
    /// The Terraform variable.
    #[schemars(length(min = 1), example = &"slave_count")]
    variable: String,
    /// Smallest whole number.
    #[schemars(example = 0)]
    min: Option<i64>,
    /// Largest whole number.
    #[schemars(example = 200)]
    max: Option<i64>,
    /// Distance between allowed numbers, counted from `min`. Without it, 1.
    #[schemars(range(min = 1), example = 10)]
    step: Option<i64>,
    /// The texts to choose from.
    #[schemars(length(min = 1), example = ["db.t4g.medium", "db.r6g.4xlarge"])]
    values: Option<Vec<String>>,
    /// `bool` makes it a switch.
    r#type: Option<Type>,
    /// One line for help.
    #[schemars(example = &"JMeter slaves")]
    about: Option<String>,
}

/// The type of a setting that has neither numbers nor texts.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Type {
    Bool,
}

impl SettingSection {
    /// The setting; what is wrong goes to `findings`.
    pub(super) fn read(
        &self,
        at: &Path<'_>,
        name: SettingName,
        stacks: &[&str],
        findings: &mut Findings<'_, '_>,
    ) -> Option<Setting> {
        let kind = self.kind(at, &name, findings);
        if !stacks.contains(&self.stack.as_str()) {
            let message = format!("there is no stack {} in this environment", quoted(&self.stack));
            let hint = suggestion(&self.stack, stacks.iter().copied(), "its stacks");
            findings.at_value(&at.key("stack"), message, hint);
            return None;
        }
        // A stack with a bad name is told where it is defined.
        let stack = self.stack.parse().ok()?;
        Some(Setting { name, stack, variable: self.variable.clone(), kind: kind?, about: self.about.clone() })
    }

    fn kind(&self, at: &Path<'_>, name: &SettingName, findings: &mut Findings<'_, '_>) -> Option<SettingKind> {
        let numeric = self.min.is_some() || self.max.is_some() || self.step.is_some();
        match (numeric, &self.values, self.r#type) {
            (true, None, None) => self.number(at, name, findings),
            (false, Some(values), None) => {
                for (index, value) in values.iter().enumerate() {
                    if values.iter().take(index).any(|earlier| earlier == value) {
                        let message = format!("{} is listed twice", quoted(value));
                        findings.at_value(&at.key("values").index(index), message, Some("remove one".to_owned()));
                    }
                }
                Some(SettingKind::Choice(values.clone()))
            }
            (false, None, Some(Type::Bool)) => Some(SettingKind::Switch),
            (false, None, None) => {
                let message = format!("the setting `{name}` does not say which values it takes");
                let hint = "add `min` and `max`, or `values = [\"one\", \"other\"]`, or `type = \"bool\"`";
                findings.at_key(at, message, Some(hint.to_owned()));
                None
            }
            (true, Some(_), _) | (true, None, Some(_)) | (false, Some(_), Some(_)) => {
                let message = format!("the setting `{name}` is a number, a choice or a switch, not several of them");
                let hint = "keep `min`, `max` and `step`, or `values`, or `type = \"bool\"`";
                findings.at_key(at, message, Some(hint.to_owned()));
                None
            }
        }
    }

    fn number(&self, at: &Path<'_>, name: &SettingName, findings: &mut Findings<'_, '_>) -> Option<SettingKind> {
        let (Some(min), Some(max)) = (self.min, self.max) else {
            let missing = if self.min.is_none() { "min" } else { "max" };
            let message =
                format!("the setting `{name}` has no `{missing}`: without it a slip of a finger has no bound");
            findings.at_key(at, message, Some(format!("add `{missing}`")));
            return None;
        };
        let step = self.step.unwrap_or(1);
        if min > max {
            let message = format!("`min` {min} is above `max` {max}");
            findings.at_value(&at.key("min"), message, Some("exchange them".to_owned()));
            return None;
        }
        // The form allows no step below 1.
        let over = (i128::from(max) - i128::from(min)) % i128::from(step.max(1));
        if over != 0 {
            let message = format!("`max` {max} cannot be reached from {min} in steps of {step}");
            findings.at_value(&at.key("max"), message, Some(format!("write {}", i128::from(max) - over)));
            return None;
        }
        Some(SettingKind::Number { min, max, step })
    }
}
