//! `[templates.NAME]` and `[pools.NAME]`: what environments for one test are made from.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use toml::de::ValueDeserializer;

use super::super::document::{Document, Path};
use super::super::duration;
use super::super::findings::Findings;
use super::super::nearest::suggestion;
use super::super::problem::{Problem, quoted};
use super::super::schema::{resolve, schema};
use super::super::shape::Shape;
use super::environment::{self, EnvironmentSection, Surroundings};
use super::values;
use crate::domain::ids::{PoolName, StackName, TemplateName};
use crate::domain::made::{Pool, Range, Template};

/// How long one lives where neither the template nor whoever makes it says: 8 hours.
const LIFE_S: u32 = 8 * 3_600;

/// How long one lives at most where the template does not say: 7 days.
const LONGEST_S: u32 = 7 * 86_400;

/// Longest that can be written: 31 days.
const MOST_S: u32 = 31 * 86_400;

/// What environments for one test are made from: `new NAME from TEMPLATE`.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct TemplateSection {
    /// Which names may be given to what is made; `*` stands for any characters. Without it, any.
    #[schemars(length(min = 1), example = &"lt-*")]
    names: Option<String>,
    /// How long one lives where nobody says. `5m` to `31d`. Without it, `8h`, or `longest` where that is shorter.
    #[schemars(regex(pattern = duration::PATTERN), example = &"8h")]
    life: Option<String>,
    /// How long one lives at most, however often it is extended. `5m` to `31d`. Without it, `7d`.
    #[schemars(regex(pattern = duration::PATTERN), example = &"7d")]
    longest: Option<String>,
    /// How many of it there may be at a time. Without it, any number.
    #[schemars(range(min = 1, max = 1_000), example = 12)]
    at_once: Option<u32>,
    /// The pool of which each gets a range of its own: `{range}` in the values that may have `{env}`.
    #[schemars(example = &"vpc")]
    pool: Option<String>,
    /// Stacks that stay when it ends.
    #[serde(default)]
    #[schemars(example = ["results"])]
    keep_at_end: Vec<String>,
    /// The environment, as `[environments.NAME]` has it. Each stack has `{env}` in `workspace`, `backend` or `root`.
    environment: EnvironmentSection,
}

/// Address ranges, cut into pieces.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct PoolSection {
    /// What it consists of: IPv4 ranges. No two pools have an address in common.
    #[schemars(length(min = 1), example = ["10.64.0.0/12"])]
    ranges: Vec<String>,
    /// How many bits of an address each piece fixes.
    #[schemars(range(min = 8, max = 30), example = 20)]
    prefix: u8,
}

/// Reads the pools.
pub(in super::super) fn pools(
    sections: &BTreeMap<String, PoolSection>,
    findings: &mut Findings<'_, '_>,
) -> IndexMap<PoolName, Pool> {
    let root = Path::ROOT.key("pools");
    let mut seen: Vec<(Range, String)> = Vec::new();
    let mut found = IndexMap::new();
    for (name, section) in sections {
        let at = root.key(name);
        let pool: Option<PoolName> = values::name_of_key(&at, name, findings);
        let list = at.key("ranges");
        let mut ranges = Vec::new();
        for (index, text) in section.ranges.iter().enumerate() {
            let place = list.index(index);
            let range: Range = match text.parse() {
                Ok(range) => range,
                Err(error) => {
                    findings.at_value(&place, format!("{} is no range: {error}", quoted(text)), None);
                    continue;
                }
            };
            if range.prefix() > section.prefix {
                let message = format!("{range} is smaller than a piece of it, which is a /{}", section.prefix);
                findings.at_value(&place, message, Some("write a larger `prefix`, or a larger range".to_owned()));
                continue;
            }
            if let Some((other, of)) = seen.iter().find(|(other, _)| other.overlaps(range)) {
                let message = format!("{range} and {other} of {} have addresses in common", quoted(of));
                findings.at_value(&place, message, Some("take one of them out".to_owned()));
                continue;
            }
            seen.push((range, name.clone()));
            ranges.push(range);
        }
        if let Some(name) = pool {
            found.insert(name.clone(), Pool { name, ranges, prefix: section.prefix });
        }
    }
    found
}

/// The templates, and what is wrong with those that cannot be used.
pub(in super::super) type Templates = (IndexMap<TemplateName, Template>, IndexMap<String, Vec<Problem>>);

/// Reads the templates, each by itself: a mistake in one, or in what it is like, keeps no other from being used. What is to be warned of
/// goes to `findings`.
pub(in super::super) fn read(
    document: &Document<'_>,
    pools: &IndexMap<PoolName, Pool>,
    surroundings: &Surroundings<'_>,
    findings: &mut Findings<'_, '_>,
) -> Templates {
    let root = Path::ROOT.key("templates");
    let form = schema().pointer("/properties/templates/additionalProperties").map_or(&Value::Bool(true), resolve);
    let (mut found, mut aside) = Templates::default();
    let all = document.value(&root).and_then(|node| node.get_ref().as_table());
    for (key, node) in all.into_iter().flatten() {
        let name: &str = key.get_ref();
        let at = root.key(name);
        let definition = document.definitions().get(name);
        let mut own = Findings::new(document);
        let mut shape = Shape::default();
        shape.check(form, key.span().start, node, &at, &mut own);
        let of_form = own.problems().len();
        let mut template = None;
        match TemplateSection::deserialize(ValueDeserializer::from(shape.without_wrong(node))) {
            Ok(section) => {
                let whole = definition.and_then(|definition| definition.whole.as_ref());
                template = section.read(&at, name, pools, whole, surroundings, &mut own);
            }
            // What is missing has been told; anything else would be a hole in the form and must not pass silently.
            Err(error) if of_form == 0 => own.at_key(&at, error.message().to_owned(), None),
            Err(_) => {}
        }
        own.drop_consequences(of_form);
        own.extend(definition.into_iter().flat_map(|definition| definition.problems.iter().cloned()));
        if let Some(template) = template.filter(|_| own.errors() == 0) {
            findings.extend(own.into_problems());
            found.insert(template.name.clone(), template);
            continue;
        }
        if own.errors() == 0 {
            // Every way to no template tells why; this keeps a gap from becoming one that vanishes.
            own.at_key(&at, format!("the template {} cannot be used", quoted(name)), None);
        }
        aside.insert(name.to_owned(), own.into_problems());
    }
    (found, aside)
}

impl TemplateSection {
    fn read(
        &self,
        at: &Path<'_>,
        name: &str,
        pools: &IndexMap<PoolName, Pool>,
        whole: Option<&toml::Table>,
        surroundings: &Surroundings<'_>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<Template> {
        let before = findings.errors();
        let template: Option<TemplateName> = values::typed_name(at, name, "a template", findings);
        let span = |key: &str, text: &Option<String>, findings: &mut Findings<'_, '_>| {
            text.as_ref().and_then(|text| duration::read(&at.key(key), text, 300..=MOST_S, findings))
        };
        let longest_s = span("longest", &self.longest, findings).unwrap_or(LONGEST_S);
        let life_s = span("life", &self.life, findings).unwrap_or(LIFE_S.min(longest_s));
        if life_s > longest_s {
            let hint = "write a shorter `life`, or a longer `longest`".to_owned();
            findings.at_value(&at.key("life"), "it would live longer than `longest` allows", Some(hint));
        }
        let pool = self.pool(at, pools, whole, findings);
        let keep_at_end = self.keep_at_end(at, findings);
        let of_environment = at.key("environment");
        self.check_kept(at, whole, findings);
        check_states(&of_environment, whole, findings);
        let sample = environment::read(&of_environment, name, &self.environment, surroundings, findings);
        if findings.errors() > before {
            return None;
        }
        let definition = toml::to_string(whole?).ok()?;
        let digest = Sha256::digest(format!("{definition}\n{keep_at_end:?}"));
        Some(Template {
            name: template?,
            names: self.names.clone(),
            life_s,
            longest_s,
            at_once: self.at_once,
            pool,
            keep_at_end,
            definition,
            digest: hex::encode(digest),
            sample: sample?,
        })
    }

    fn pool(
        &self,
        at: &Path<'_>,
        pools: &IndexMap<PoolName, Pool>,
        whole: Option<&toml::Table>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<PoolName> {
        let wanted = self.pool.as_ref()?;
        let at = at.key("pool");
        let Some((name, _)) = pools.get_key_value(wanted.as_str()) else {
            let message = format!("there is no pool {}", quoted(wanted));
            findings.at_value(&at, message, suggestion(wanted, pools.keys().map(PoolName::as_str), "the pools"));
            return None;
        };
        if whole.is_some_and(|whole| !mentions(&toml::Value::Table(whole.clone()), "{range}")) {
            let hint = "write `{range}` where Terraform takes it: `variables = { cidr = \"{range}\" }`".to_owned();
            findings.warn_at_value(&at, "nothing in the template uses the range", Some(hint));
        }
        Some(name.clone())
    }

    fn keep_at_end(&self, at: &Path<'_>, findings: &mut Findings<'_, '_>) -> Vec<StackName> {
        let stacks = self.environment.stack_names();
        let at = at.key("keep_at_end");
        let mut kept: Vec<StackName> = Vec::new();
        for (index, name) in self.keep_at_end.iter().enumerate() {
            if !stacks.contains(&name.as_str()) {
                let message = format!("there is no stack {} in this template", quoted(name));
                findings.at_value(&at.index(index), message, suggestion(name, stacks.iter().copied(), "its stacks"));
            } else if let Ok(name) = name.parse::<StackName>()
                && !kept.contains(&name)
            {
                kept.push(name);
            }
        }
        if !kept.is_empty() && kept.len() == stacks.len() {
            let hint = Some("take at least one stack out".to_owned());
            findings.at_key(&at, "nothing of it would end", hint);
        }
        kept
    }

    /// What stays keeps its addresses, and they are given to another one.
    fn check_kept(&self, at: &Path<'_>, whole: Option<&toml::Table>, findings: &mut Findings<'_, '_>) {
        let stacks = whole.and_then(|whole| whole.get("stacks")).and_then(toml::Value::as_array);
        let profiles = whole.and_then(|whole| whole.get("profiles")).and_then(toml::Value::as_table);
        let at = at.key("keep_at_end");
        for (index, kept) in self.keep_at_end.iter().enumerate() {
            let is_it = |stack: &&toml::Value| stack.get("name").and_then(toml::Value::as_str) == Some(kept.as_str());
            let own = stacks.into_iter().flatten().filter(is_it);
            let of_levels =
                profiles.into_iter().flat_map(toml::Table::values).filter_map(|profile| profile.get(kept.as_str()));
            if own.chain(of_levels).any(|value| mentions(value, "{range}")) {
                let message = format!("{} stays and has the range, which is given to another one then", quoted(kept));
                let hint = "take `{range}` out of that stack, or the stack out of `keep_at_end`".to_owned();
                findings.at_value(&at.index(index), message, Some(hint));
            }
        }
    }
}

/// Two that are made must not have one state.
fn check_states(at: &Path<'_>, whole: Option<&toml::Table>, findings: &mut Findings<'_, '_>) {
    let stacks = whole.and_then(|whole| whole.get("stacks")).and_then(toml::Value::as_array);
    let at = at.key("stacks");
    for (index, stack) in stacks.into_iter().flatten().enumerate() {
        let own = ["workspace", "backend", "root"]
            .iter()
            .any(|key| stack.get(key).is_some_and(|value| mentions(value, "{env}")));
        if !own {
            let hint = "put the name in: `workspace = \"{env}\"`, or a `key` of `backend` with `{env}`".to_owned();
            let message = "all environments of this template would have one state of this stack";
            findings.at_value(&at.index(index), message, Some(hint));
        }
    }
}

/// True when a text in it has `word`.
fn mentions(value: &toml::Value, word: &str) -> bool {
    match value {
        toml::Value::String(text) => text.contains(word),
        toml::Value::Array(items) => items.iter().any(|item| mentions(item, word)),
        toml::Value::Table(table) => table.values().any(|value| mentions(value, word)),
        toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) | toml::Value::Datetime(_) => false,
    }
}
