//! A proposed environment for a root that people run by hand: its values as they are as one level, and what could be a setting.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::domain::ids::{ActorId, EnvironmentName, NAME_MAX};
use crate::root::{Backend, DefaultValue, Root, Type, Variable};

/// The level at which it stands now.
const PRESENT: &str = "present";

/// What is known of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is a file of this machine with so many resources.
    Local {
        /// How many, in all modules.
        resources: usize,
    },
    /// There is no such file: nothing was made, or it lies elsewhere.
    None,
    /// Only its backend knows; its kind.
    Remote(String),
    /// The file is there and cannot be read: why.
    Unread(String),
}

/// What is proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The text of a file that can be included.
    pub text: String,
    /// Variables to which somebody must give a value before it checks.
    pub missing: Vec<String>,
}

/// The state of a root in a workspace, as far as this machine knows.
#[must_use]
pub fn state(root: &Root, workspace: Option<&str>) -> State {
    let local = match Backend::local_state(root.backend.as_ref(), &BTreeMap::new(), &root.folder) {
        Ok(Some(local)) => local.of_workspace(workspace),
        Ok(None) | Err(_) => {
            return State::Remote(
                root.backend.as_ref().map_or_else(|| "local".to_owned(), |backend| backend.kind.clone()),
            );
        }
    };
    let text = match std::fs::read_to_string(&local) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return State::None,
        Err(error) => return State::Unread(error.to_string()),
    };
    match serde_json::from_str::<Value>(&text) {
        Ok(state) => {
            let all = state.get("resources").and_then(Value::as_array).into_iter().flatten();
            let made = all.filter(|resource| resource.get("mode").and_then(Value::as_str) == Some("managed"));
            let instances = made.filter_map(|resource| resource.get("instances")?.as_array());
            State::Local { resources: instances.map(Vec::len).sum() }
        }
        Err(error) => State::Unread(error.to_string()),
    }
}

/// The workspace that Terraform by hand has chosen in a folder; `None` for the default one.
#[must_use]
pub fn workspace(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join(".terraform/environment")).ok()?;
    Some(text.trim().to_owned()).filter(|name| !name.is_empty() && name != "default")
}

/// The environment's name that a folder's suggests; `None` where nothing of it can be one.
#[must_use]
pub fn name_of(folder: &Path) -> Option<EnvironmentName> {
    let name = folder.file_name()?.to_string_lossy().to_lowercase();
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' { c } else { '-' };
    let name: String = name.chars().map(plain).skip_while(|c| !c.is_ascii_lowercase()).take(NAME_MAX).collect();
    name.parse().ok()
}

/// Proposes an environment. `written` is the root as the configuration is to name it; `values` those of its files.
#[must_use]
pub fn propose(
    name: &EnvironmentName,
    root: &Root,
    written: &str,
    workspace: Option<&str>,
    owner: &ActorId,
    values: &BTreeMap<String, Value>,
    state: &State,
) -> Proposal {
    let mut text = String::new();
    let known = match state {
        State::Local { resources: 1 } => "Its state has 1 resource.".to_owned(),
        State::Local { resources } => format!("Its state has {resources} resources."),
        State::None => {
            "It has no state on this machine: nothing of it was made yet, or it was made elsewhere.".to_owned()
        }
        State::Remote(kind) => format!("Its state is kept by the backend {kind}, which was not asked."),
        State::Unread(why) => format!("Its state cannot be read: {}.", one_line(why)),
    };
    let mut line = |line: String| {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{line}");
    };
    line(format!("# Proposed from the root {}. {known}", quoted(written)));
    line(format!(
        "# Values are those of its files. Run `plan {name} {PRESENT}`: where it finds something to do, a value here is not the one"
    ));
    line("# that it was made with. Schedules that you add ask for nothing until such a plan was empty.".to_owned());
    line(format!("[environments.{name}]"));
    line("adopted = true".to_owned());
    line(format!("owners = [{}]", quoted(owner.as_str())));
    line(format!("levels = [{0}]\nup = {0}\ndown = \"off\"\n", quoted(PRESENT)));
    line(format!("[[environments.{name}.stacks]]"));
    line("name = \"main\"".to_owned());
    line(format!("root = {}", quoted(written)));
    if let Some(workspace) = workspace {
        line(format!("workspace = {}", quoted(workspace)));
    }
    line("# `off` takes it to its lowest level; write `off = \"destroy\"` when that may destroy all of it.".to_owned());
    let (mut missing, mut present) = (Vec::new(), Vec::new());
    for variable in root.variables.values() {
        match value_of(variable, values) {
            Some(value) if is_size(variable, &value) => present.push((variable, value)),
            None if variable.default == DefaultValue::Missing && !root.given.contains(&variable.name) => {
                missing.push(variable);
            }
            Some(_) | None => {}
        }
    }
    let plain: Vec<_> = missing.iter().filter(|variable| !variable.sensitive).collect();
    if !plain.is_empty() {
        let names: Vec<String> = plain.iter().map(|variable| format!("{} = ...", variable.name)).collect();
        line("# No file gives these a value, and they have no default:".to_owned());
        line(format!("# variables = {{ {} }}", names.join(", ")));
    }
    let secret: Vec<String> = missing
        .iter()
        .filter(|variable| variable.sensitive)
        .map(|variable| format!("TF_VAR_{} = {{ file = \"...\" }}", variable.name))
        .collect();
    if !secret.is_empty() {
        line(format!("# env = {{ {} }}   # sensitive, and without a default", secret.join(", ")));
    }
    for (variable, value) in &present {
        line(format!("\n[environments.{name}.settings.{}]", setting_name(&variable.name)));
        line("stack = \"main\"".to_owned());
        line(format!("variable = {}", quoted(&variable.name)));
        line(match value.as_i64() {
            Some(number) => {
                let (least, most) = (number.min(0), most(number));
                format!("min = {least}\nmax = {most}   # a guess: twice what it is, at least ten more")
            }
            None => "type = \"bool\"".to_owned(),
        });
    }
    line(format!("\n[environments.{name}.profiles.{PRESENT}]"));
    if !present.is_empty() {
        let values: Vec<String> =
            present.iter().map(|(variable, value)| format!("{} = {value}", variable.name)).collect();
        line(format!("main = {{ {} }}", values.join(", ")));
    }
    Proposal { text, missing: missing.iter().map(|variable| variable.name.clone()).collect() }
}

fn most(number: i64) -> i64 {
    number.saturating_mul(2).max(number.saturating_add(10))
}

/// The plain value that a variable has when nobody says otherwise.
fn value_of(variable: &Variable, values: &BTreeMap<String, Value>) -> Option<Value> {
    values.get(&variable.name).cloned().or(match &variable.default {
        DefaultValue::Value(value) => Some(value.clone()),
        DefaultValue::Missing | DefaultValue::Unread => None,
    })
}

/// What people may want to change by chat: whole numbers and switches that are no secrets.
fn is_size(variable: &Variable, value: &Value) -> bool {
    let name = !variable.sensitive && setting_name(&variable.name).parse::<crate::domain::ids::SettingName>().is_ok();
    name && match variable.kind {
        Type::Number => value.as_i64().is_some_and(|number| number.abs() < 1_000_000),
        Type::Bool => value.is_boolean(),
        _ => false,
    }
}

/// A word of the commands cannot name a setting.
fn setting_name(variable: &str) -> String {
    let lower = variable.to_lowercase();
    if crate::domain::grammar::meaning(&lower).is_some() { format!("{lower}-setting") } else { lower }
}

/// A text of TOML.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::{CheckOptions, check, parse};
    use super::*;
    use crate::problem::source::Source;
    use crate::root::Folder;

    const ROOT: &str = "variable \"slaves\" {\n  type = number\n  default = 2\n}\nvariable \"spot\" {\n  type = bool\n  default = true\n}\n\
        variable \"until\" {\n  type = number\n  default = 1\n}\nvariable \"name\" {\n  type = string\n}\n\
        variable \"password\" {\n  type = string\n  sensitive = true\n  default = \"x\"\n}\n";

    fn proposed(more: &str) -> (tempfile::TempDir, Proposal) {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("Shop 1.0");
        std::fs::create_dir_all(root.join(".terraform")).expect("a folder");
        std::fs::write(root.join("main.tf"), format!("{ROOT}{more}")).expect("written");
        std::fs::write(root.join("terraform.tfvars"), "slaves = 7\n").expect("written");
        std::fs::write(root.join(".terraform/environment"), "load").expect("written");
        std::fs::create_dir_all(root.join("terraform.tfstate.d/load")).expect("a folder");
        let state_text = r#"{"resources":[{"mode":"managed","instances":[{},{}]},{"mode":"data","instances":[{}]}]}"#;
        std::fs::write(root.join("terraform.tfstate.d/load/terraform.tfstate"), state_text).expect("written");
        let listed = Folder::list(&root).expect("a folder");
        let read = listed.root().expect("a root");
        let name = name_of(&root).expect("a name");
        assert_eq!(name.as_str(), "shop-1-0");
        let workspace = workspace(&root);
        let state = state(&read, workspace.as_deref());
        let owner = ActorId::local("ito");
        let made = propose(&name, &read, "Shop 1.0", workspace.as_deref(), &owner, &listed.plain_values(), &state);
        (folder, made)
    }

    #[test]
    fn what_is_proposed_checks_but_for_what_nobody_gives_a_value() {
        let (folder, proposal) = proposed("");
        assert_eq!(proposal.missing, ["name"]);
        for part in [
            "2 resources",
            "workspace = \"load\"",
            "slaves = 7",
            "spot = true",
            "max = 17",
            "settings.until-setting",
            "variables = { name = ... }",
        ] {
            assert!(proposal.text.contains(part), "no {part} in:\n{}", proposal.text);
        }
        assert!(!proposal.text.contains("password ="), "{}", proposal.text);
        let whole = proposal.text.replace("# variables = { name = ... }", "variables = { name = \"x\" }");
        for (text, errors) in [(&proposal.text, 1), (&whole, 0)] {
            let config = parse(Source::new(folder.path().join("tidegate.toml"), text), &|_| None).expect("read");
            let report = check(&config, &CheckOptions::default());
            let found = report.problems.iter().filter(|problem| problem.is_error()).count();
            assert_eq!(found, errors, "{}\n{text}", report.render(false));
        }
    }

    #[test]
    fn a_state_that_is_elsewhere_is_said_to_be_there() {
        let (_, proposal) = proposed("terraform {\n  backend \"s3\" {}\n}\n");
        assert!(proposal.text.contains("kept by the backend s3, which was not asked"), "{}", proposal.text);
    }
}
