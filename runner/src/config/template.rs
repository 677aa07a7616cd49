//! What templates define: an environment without a name, made whole by what it is like, and kept as TOML for those that are made.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::book::{self, ENVIRONMENTS, Flaws};
use super::like;
use super::placeholder;
use super::problem::Problem;
use super::source::Source;
use crate::domain::made::Range;

/// The key of the templates.
const TEMPLATES: &str = "templates";

/// What a template's environment stands under.
const ENVIRONMENT: &str = "environment";

/// The range that a template's own environment has while it is checked, where its pool has none: of those set aside for documents.
const SAMPLE_RANGE: &str = "192.0.2.0/24";

/// How a template is called among environments: no environment's name can have a space.
pub(super) fn place_of(name: &str) -> String {
    format!("{PLACE}{name}")
}

/// The template that such a name means.
pub(crate) fn template_of(place: &str) -> Option<&str> {
    place.strip_prefix(PLACE)
}

/// What stands before its name then.
const PLACE: &str = "template ";

/// By the names of the templates.
pub(super) type Definitions = IndexMap<String, Definition>;

/// What one template defines.
#[derive(Debug, Default)]
pub(super) struct Definition {
    /// The environment, with what it is like laid under it; nothing is put in. `None` where it cannot be told.
    pub(super) whole: Option<toml::Table>,
    /// What is wrong beside what the values say.
    pub(super) problems: Vec<Problem>,
    /// What stands in its values for a name and a range that nobody knows yet.
    pub(super) put_in: Vec<String>,
}

/// Makes the environments of templates whole, and puts their own names in, so that they can be checked.
pub(super) fn bind<'i>(table: &mut DeTable<'i>, source: &'i Source, of_files: &Flaws) -> Definitions {
    let mut definitions = Definitions::default();
    let environments = match table.get(ENVIRONMENTS).map(Spanned::get_ref) {
        Some(DeValue::Table(environments)) => environments.clone(),
        _ => DeTable::new(),
    };
    let pools: BTreeMap<String, String> =
        table.get("pools").and_then(|pools| pools.get_ref().as_table()).map(first_ranges).unwrap_or_default();
    let Some(DeValue::Table(templates)) = table.get_mut(TEMPLATES).map(Spanned::get_mut) else { return definitions };
    for (name, template) in templates {
        let DeValue::Table(template) = template.get_mut() else { continue };
        let text_of = |key: &str| template.get(key).and_then(book::text).map(str::to_owned);
        let (pool, names) = (text_of("pool"), text_of("names"));
        let Some(node) = template.get_mut(ENVIRONMENT) else { continue };
        let mut definition = Definition::default();
        let place = place_of(name.get_ref());
        let mut all = environments.clone();
        all.insert(Spanned::new(name.span(), place.clone().into()), node.clone());
        // What it is like may stand in a file that nobody can read.
        let mut flaws = of_files.clone();
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
            let range = pool.map(|pool| pools.get(&pool).cloned().unwrap_or_else(|| SAMPLE_RANGE.to_owned()));
            // As whoever makes one would call it.
            let called =
                names.map_or_else(|| name.get_ref().to_string(), |names| names.replacen('*', name.get_ref(), 1));
            let mut found = |problem: Problem, _: &str| definition.problems.push(problem);
            placeholder::fill_one(table, (&called, range.as_deref()), source, &mut found);
            definition.put_in.extend([called].into_iter().chain(range));
        }
        definitions.insert(name.get_ref().to_string(), definition);
    }
    definitions
}

/// The first piece of each pool, as far as it can be read.
fn first_ranges(pools: &DeTable<'_>) -> BTreeMap<String, String> {
    let first = |pool: &DeTable<'_>| {
        let ranges = pool.get("ranges")?.get_ref().as_array()?;
        let range: Range = ranges.first().and_then(book::text)?.parse().ok()?;
        let prefix: u8 = pool.get("prefix")?.get_ref().as_integer()?.as_str().parse().ok()?;
        range.pieces(prefix).next().map(|piece| piece.to_string())
    };
    let of_each = |(name, pool): (&toml::Spanned<std::borrow::Cow<'_, str>>, &super::document::Node<'_>)| {
        Some((name.get_ref().to_string(), first(pool.get_ref().as_table()?)?))
    };
    pools.iter().filter_map(of_each).collect()
}
