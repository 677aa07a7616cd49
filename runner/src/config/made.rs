//! Environments that were made for one test, beside those of the files: each is read from its kept definition as one of a file is, so
//! that both are the same to everything else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use super::check::state::State;
use super::document::Document;
use super::load::{self, Config};
use super::problem::{Problem, quoted};
use super::sections::environment::Surroundings;
use super::sections::schedule::today;
use super::source::Source;
use crate::domain::environment::{Environment, Stack, StackSource};
use crate::domain::ids::{ActorId, EnvironmentName};
use crate::domain::made::{Made, Range, Template};
use crate::domain::secret::Given;
use crate::root::{DefaultValue, Folder, Root, Variable};

/// Those that the ledger has.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MadeUp {
    /// Those that can be read.
    pub all: Vec<Made>,
    /// Name, as far as it is known, and fault of the others.
    pub broken: Vec<(String, String)>,
}

impl Config {
    /// The same with those that were made. One that has the name of one of the file keeps it: what it has made stands.
    #[must_use]
    pub fn with_made(mut self, made: MadeUp) -> Self {
        for made in made.all {
            let name = made.name.clone();
            if self.has(&name) {
                let message = format!(
                    "the environment {} was made from {} and stands in the file too",
                    quoted(name.as_str()),
                    made.template
                );
                let hint = format!("rename it here, or type `end {name}` first");
                let problem = Problem::of_file(&self.file, message).with_hint(Some(hint));
                self.unmanaged.entry(name.to_string()).or_default().push(problem.in_environment(name.as_str()));
            }
            match self.environment_of(&made) {
                Ok(environment) => {
                    self.environments.insert(name.clone(), environment);
                }
                Err(problems) => {
                    self.environments.shift_remove(&name);
                    self.unmanaged.entry(name.to_string()).or_default().extend(problems);
                    if let Some(environment) = self.environment_to_end(&made) {
                        self.environments.insert(name.clone(), environment);
                        self.set_aside(name.as_str());
                    }
                }
            }
            self.made.insert(name, Arc::new(made));
        }
        for (name, why) in made.broken {
            let message = format!("what was made cannot be read in the ledger: {why}");
            let problem = Problem::of_file(&self.file, message).in_environment(&name);
            self.environments.shift_remove(name.as_str());
            self.unmanaged.entry(name).or_default().push(problem);
        }
        self
    }

    /// The environment of one that was made.
    ///
    /// # Errors
    /// What is wrong with its definition, as this configuration has it: a role that is not there any more.
    pub fn environment_of(&self, made: &Made) -> Result<Environment, Vec<Problem>> {
        let folder = load::folder_of(&self.file);
        let source = Source::new(format!("{} made from {}", made.name, made.template), &made.definition);
        let range = made.range.as_ref().map(|(_, range)| range.as_str());
        let document = Document::parse_with(&source, range)?;
        let surroundings = Surroundings {
            folder: &folder,
            access: &self.access,
            roles: &self.access.roles,
            runner: &self.runner,
            calendars: &self.calendars,
            today: today(),
        };
        let flaws = document.flaws().get(made.name.as_str()).map(|flaw| flaw.problems.clone()).unwrap_or_default();
        let Some((key, node)) = load::environment_nodes(&document).find(|(key, _)| key.get_ref() == made.name.as_str())
        else {
            return Err(vec![Problem::of_file(FilePath::new("the ledger"), "its definition has another name")]);
        };
        let read = load::one_environment(&document, key, node, &surroundings, flaws);
        read.map(|(environment, _)| environment).map_err(|(problems, _)| problems)
    }

    /// The environment of one that was made as far as its end needs it, where the configuration has something no more that its definition
    /// names: a role, a calendar. Nobody is given anything by roles that are not there, and its schedules ask for nothing.
    #[must_use]
    pub fn environment_to_end(&self, made: &Made) -> Option<Environment> {
        let mut table: toml::Table = made.definition.parse().ok()?;
        let environments = table.get_mut("environments").and_then(toml::Value::as_table_mut)?;
        let own = environments.get_mut(made.name.as_str()).and_then(toml::Value::as_table_mut)?;
        for outside in ["access", "holidays", "schedules"] {
            own.remove(outside);
        }
        let definition = toml::to_string(&table).ok()?;
        self.environment_of(&Made { definition, ..made.clone() }).ok()
    }

    /// The environment of this name where `row` is what the ledger has of it now: names are used again, and what is in force here may be
    /// older or newer than that. `ends`: for nothing but its end, [`Self::environment_to_end`] will do.
    #[must_use]
    pub fn environment_in(&self, name: &EnvironmentName, row: Option<&Made>, ends: bool) -> Option<Environment> {
        let known = self.made.get(name);
        match row {
            Some(row) => {
                let is_it = |known: &&Arc<Made>| known.id == row.id && known.definition == row.definition;
                let known = known.filter(is_it).and_then(|_| self.environments.get(name).cloned());
                let known = known.or_else(|| self.environment_of(row).ok());
                known.or_else(|| self.environment_to_end(row).filter(|_| ends))
            }
            // What it was made from is gone; of the file is what nothing was ever made of.
            None if known.is_some() => None,
            None => self.environments.get(name).cloned(),
        }
    }

    /// The ranges that environments of the files have, each with whose it is: in values of their stacks and profiles, in what their roots say
    /// where nobody gives a value, and in their states, as far as they lie on this machine.
    #[must_use]
    pub fn ranges_in_use(&self) -> Vec<(Range, EnvironmentName)> {
        let mut roots = Roots::default();
        let mut found = Vec::new();
        for environment in self.all_known().filter(|environment| !self.made.contains_key(&environment.name)) {
            let mut own = BTreeSet::new();
            for stack in environment.stacks.values() {
                let of_levels = environment.profiles.values().filter_map(|profile| profile.get(&stack.name));
                for value in std::iter::once(&stack.variables).chain(of_levels).flat_map(|values| values.values()) {
                    ranges_in(value, &mut own);
                }
                for given in stack.env.values() {
                    if let Given::Plain(text) = given {
                        own.extend(text.parse::<Range>().ok());
                    }
                }
                for (name, default) in roots.defaults_of(stack) {
                    if !stack.variables.contains_key(&name) {
                        ranges_in(&default, &mut own);
                    }
                }
                if let Some(state) = roots.state_of(stack).and_then(|state| state.read()) {
                    ranges_in(&state, &mut own);
                }
            }
            found.extend(own.into_iter().map(|range| (range, environment.name.clone())));
        }
        found
    }

    /// What keeps an environment from being made that nobody has yet, in words: another one has the state of one of its stacks, or there
    /// is such a state already. A remote backend is not asked.
    #[must_use]
    pub fn state_in_the_way(&self, environment: &Environment) -> Option<String> {
        let mut roots = Roots::default();
        for stack in environment.stacks.values() {
            let Some(state) = roots.state_of(stack) else { continue };
            for other in self.environments.values().filter(|other| other.name != environment.name) {
                for theirs in other.stacks.values() {
                    if roots.state_of(theirs).as_ref() == Some(&state) {
                        return Some(format!("{}/{} has that state: {state}", other.name, theirs.name));
                    }
                }
            }
            if state.is_there() {
                return Some(format!("there is a state of {} already, {state}", stack.name));
            }
        }
        None
    }
}

/// Every text in a value that is a range.
fn ranges_in(value: &serde_json::Value, found: &mut BTreeSet<Range>) {
    match value {
        serde_json::Value::String(text) => found.extend(text.parse::<Range>().ok()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| ranges_in(item, found)),
        serde_json::Value::Object(items) => items.values().for_each(|item| ranges_in(item, found)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

/// Roots that were read, by their folders: many stacks share one.
#[derive(Default)]
struct Roots(BTreeMap<PathBuf, Option<Root>>);

impl Roots {
    fn root_of(&mut self, stack: &Stack) -> Option<&Root> {
        let StackSource::Folder(folder) = &stack.source else { return None };
        let read = || Folder::list(folder).ok()?.root().ok();
        self.0.entry(folder.clone()).or_insert_with(read).as_ref()
    }

    /// Where a stack keeps its state, as far as the files of this machine tell.
    fn state_of(&mut self, stack: &Stack) -> Option<State> {
        State::of(stack, self.root_of(stack)?)
    }

    /// What the variables of a stack's root are where nobody gives a value.
    fn defaults_of(&mut self, stack: &Stack) -> Vec<(String, serde_json::Value)> {
        let variables = self.root_of(stack).into_iter().flat_map(|root| root.variables.values());
        let plain = |variable: &Variable| match &variable.default {
            DefaultValue::Value(value) => Some((variable.name.clone(), value.clone())),
            DefaultValue::Missing | DefaultValue::Unread => None,
        };
        variables.filter_map(plain).collect()
    }
}

impl Template {
    /// The definition of one that is made, as it is kept: whoever makes it owns it.
    #[must_use]
    pub fn definition_for(&self, name: &EnvironmentName, maker: &ActorId) -> Option<String> {
        let mut table: toml::Table = self.definition.parse().ok()?;
        let owners = table.entry("owners").or_insert_with(|| toml::Value::Array(Vec::new()));
        let owner = toml::Value::from(maker.as_str());
        if let toml::Value::Array(owners) = owners
            && !owners.contains(&owner)
        {
            owners.push(owner);
        }
        let named = toml::Table::from_iter([(name.to_string(), toml::Value::Table(table))]);
        toml::to_string(&toml::Table::from_iter([("environments".to_owned(), toml::Value::Table(named))])).ok()
    }
}

/// What a template says otherwise than one that was made from it, a line for each value: `- app.servers = 2`, `+ app.servers = 4`.
#[must_use]
pub fn differences(made: &Made, template: &Template) -> Vec<String> {
    let theirs: BTreeSet<String> =
        template.definition_for(&made.name, &made.maker.id).map(|text| values(&text)).unwrap_or_default();
    let own = values(&made.definition);
    let mut lines: Vec<(String, String)> =
        own.difference(&theirs).map(|line| (line.clone(), format!("- {line}"))).collect();
    lines.extend(theirs.difference(&own).map(|line| (line.clone(), format!("+ {line}"))));
    if made.keep != template.keep_at_end {
        let kept = |stacks: &[crate::domain::ids::StackName]| {
            stacks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        lines.push(("keep_at_end".to_owned(), format!("- keep_at_end = {}", kept(&made.keep))));
        lines.push(("keep_at_end".to_owned(), format!("+ keep_at_end = {}", kept(&template.keep_at_end))));
    }
    lines.sort_by(|(one, _), (other, _)| {
        let key = |line: &str| line.split(" = ").next().unwrap_or_default().to_owned();
        key(one).cmp(&key(other))
    });
    lines.into_iter().map(|(_, line)| line).collect()
}

/// Every value of the one environment in a definition: `profiles.full.app.servers = 4`.
fn values(definition: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let table: toml::Table = definition.parse().unwrap_or_default();
    let environments = table.get("environments").and_then(toml::Value::as_table);
    for environment in environments.into_iter().flat_map(toml::Table::values) {
        flatten("", environment, &mut found);
    }
    found
}

fn flatten(at: &str, value: &toml::Value, found: &mut BTreeSet<String>) {
    let below = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                flatten(&below(key), value, found);
            }
        }
        toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
            for (index, item) in items.iter().enumerate() {
                let name =
                    item.get("name").and_then(toml::Value::as_str).map_or_else(|| index.to_string(), str::to_owned);
                flatten(&format!("{at}[{name}]"), item, found);
            }
        }
        value => {
            found.insert(format!("{at} = {value}"));
        }
    }
}

#[cfg(test)]
mod tests;
