//! What templates define: an environment without a name, made whole by what it is like, and kept as TOML for those that are made.

use indexmap::IndexMap;
use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::book::{ENVIRONMENTS, Flaws};
use super::like;
use super::placeholder;
use super::problem::Problem;
use super::source::Source;

/// The key of the templates.
const TEMPLATES: &str = "templates";

/// What a template's environment stands under.
const ENVIRONMENT: &str = "environment";

/// The range that a template's own environment has while it is checked: of those set aside for documents.
const SAMPLE_RANGE: &str = "192.0.2.0/24";

/// By the names of the templates.
pub(super) type Definitions = IndexMap<String, Definition>;

/// What one template defines.
#[derive(Debug, Default)]
pub(super) struct Definition {
    /// The environment, with what it is like laid under it; nothing is put in. `None` where it cannot be told.
    pub(super) whole: Option<toml::Table>,
    /// What is wrong beside what the values say.
    pub(super) problems: Vec<Problem>,
}

/// Makes the environments of templates whole, and puts their own names in, so that they can be checked.
pub(super) fn bind<'i>(table: &mut DeTable<'i>, source: &'i Source) -> Definitions {
    let mut definitions = Definitions::default();
    let environments = match table.get(ENVIRONMENTS).map(Spanned::get_ref) {
        Some(DeValue::Table(environments)) => environments.clone(),
        _ => DeTable::new(),
    };
    let Some(DeValue::Table(templates)) = table.get_mut(TEMPLATES).map(Spanned::get_mut) else { return definitions };
    for (name, template) in templates {
        let DeValue::Table(template) = template.get_mut() else { continue };
        let has_pool = template.contains_key("pool");
        let Some(node) = template.get_mut(ENVIRONMENT) else { continue };
        let mut definition = Definition::default();
        // No environment's name can have a space.
        let place = format!("template {}", name.get_ref());
        let mut all = environments.clone();
        all.insert(Spanned::new(name.span(), place.clone().into()), node.clone());
        let mut flaws = Flaws::default();
        like::lay(&mut all, source, &mut flaws);
        definition.problems.extend(flaws.swap_remove(&place).map(|flaw| flaw.problems).unwrap_or_default());
        if let Some(laid) = all.remove(place.as_str()) {
            *node = laid;
        }
        definition.whole = toml::Table::deserialize(ValueDeserializer::from(node.clone())).ok();
        if let Some(whole) = &mut definition.whole {
            whole.remove("like");
        }
        if let DeValue::Table(table) = node.get_mut() {
            let range = has_pool.then_some(SAMPLE_RANGE);
            let mut found = |problem: Problem, _: &str| definition.problems.push(problem);
            placeholder::fill_one(table, (name.get_ref(), range), source, &mut found);
        }
        for problem in &mut definition.problems {
            problem.environment = None;
        }
        definitions.insert(name.get_ref().to_string(), definition);
    }
    definitions
}
