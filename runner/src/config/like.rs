//! `like = "game"`: an environment from another's definition, with its own differences laid over it. What is inherited keeps its
//! place, so that an error in it is told where it is written.

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::book::{self, Flaws, Key};
use super::document::Node;
use super::nearest::suggestion;
use super::problem::{Problem, quoted};
use super::source::Source;

/// The key.
const LIKE: &str = "like";

/// What is true of one environment alone.
const ADOPTED: &str = "adopted";

/// How what an environment says of a key goes together with what the other one says.
#[derive(Clone, Copy)]
enum Way {
    /// It counts alone.
    Replace,
    /// Key by key; the values below in the same way as far down.
    Keys(u8),
    /// A list of tables: those of the same name go together key by key, others are added.
    Named,
}

fn way_of(key: &str) -> Way {
    match key {
        "stacks" | "schedules" => Way::Named,
        "access" => Way::Keys(1),
        "settings" | "profiles" => Way::Keys(if key == "settings" { 2 } else { 3 }),
        _ => Way::Replace,
    }
}

fn way_in_list(key: &str) -> Way {
    match key {
        "variables" | "backend" | "env" | "enough" | "source" => Way::Keys(1),
        _ => Way::Replace,
    }
}

/// Lays what each environment is like under it.
pub(super) fn lay(environments: &mut DeTable<'_>, source: &Source, flaws: &mut Flaws) {
    let wanting: Vec<(String, String, std::ops::Range<usize>)> = environments
        .iter()
        .filter_map(|(name, node)| {
            let like = node.get_ref().as_table()?.get(LIKE)?;
            Some((name.get_ref().to_string(), book::text(like)?.to_owned(), like.span()))
        })
        .collect();
    let mut laid = Vec::new();
    for (name, base, span) in &wanting {
        match base_of(environments, name, base, source, flaws) {
            Ok(node) => {
                let own = environments.get(name.as_str()).and_then(|own| Some((own.span(), own.get_ref().as_table()?)));
                if let (Some((span, own)), Some(under)) = (own, node.get_ref().as_table()) {
                    let mut under = under.clone();
                    under.remove(ADOPTED);
                    laid.push((name.clone(), Spanned::new(span, DeValue::Table(over(&under, own, way_of)))));
                }
            }
            Err((message, hint)) => {
                let mut problem = Problem::at(source, span.clone(), message).with_hint(hint);
                problem.key_path = format!("environments.{name}.{LIKE}");
                let flaw = flaws.entry(name.clone()).or_default();
                flaw.problems.push(problem);
                flaw.unreadable = true;
            }
        }
    }
    for (name, node) in laid {
        if let Some(place) = environments.get_mut(name.as_str()) {
            *place = node;
        }
    }
}

/// The environment that another one is like.
fn base_of<'t, 'i>(
    environments: &'t DeTable<'i>,
    name: &str,
    base: &str,
    source: &Source,
    flaws: &Flaws,
) -> Result<&'t Node<'i>, (String, Option<String>)> {
    let like_of = |name: &str| {
        let like = environments.get(name)?.get_ref().as_table()?.get(LIKE)?;
        Some((book::text(like)?, like.span()))
    };
    let Some(node) = environments.get(base) else {
        let others = environments.keys().map(|key| key.get_ref().as_ref()).filter(|other| *other != name);
        let message = format!("there is no environment {} to be like", quoted(base));
        return Err((message, suggestion(base, others, "the environments")));
    };
    if base == name {
        let hint = "name the environment whose definition it shares, or take `like` out".to_owned();
        return Err(("an environment cannot be like itself".to_owned(), Some(hint)));
    }
    if let Some((further, span)) = like_of(base) {
        let there = book::place(source, span.start);
        // As long as all of them are like another one, some step leads back to one that was met.
        let mut met = vec![name, base];
        let mut next = further;
        while !met.contains(&next) {
            met.push(next);
            let Some((after, _)) = like_of(next) else {
                let message =
                    format!("{} is itself like {} ({there}): only one step is taken", quoted(base), quoted(further));
                return Err((message, Some(format!("write `like = \"{next}\"`, with the differences of both"))));
            };
            next = after;
        }
        let message = format!("this is a circle: {} is like {} ({there})", quoted(base), quoted(further));
        return Err((message, Some("take one `like` of the circle out".to_owned())));
    }
    if flaws.get(base).is_some_and(|flaw| flaw.unreadable) {
        let message = format!("what it is like, {}, cannot be read", quoted(base));
        return Err((message, Some("put that right first".to_owned())));
    }
    Ok(node)
}

/// One table laid over another.
fn over<'i>(under: &DeTable<'i>, own: &DeTable<'i>, way: fn(&str) -> Way) -> DeTable<'i> {
    let mut laid = DeTable::new();
    for (key, value) in under {
        let name: &str = key.get_ref();
        // Its root comes from one of two places.
        let other = match name {
            "root" => "source",
            "source" => "root",
            _ => "",
        };
        match own.get_key_value(name) {
            Some((key, own)) => laid.insert(key.clone(), together(value, own, way(name))),
            None if own.contains_key(other) => None,
            None => laid.insert(key.clone(), value.clone()),
        };
    }
    for (key, value) in own {
        if !laid.contains_key(key.get_ref().as_ref()) {
            laid.insert(key.clone(), value.clone());
        }
    }
    laid
}

fn together<'i>(under: &Node<'i>, own: &Node<'i>, way: Way) -> Node<'i> {
    let value = match (way, under.get_ref(), own.get_ref()) {
        (Way::Keys(depth), DeValue::Table(under), DeValue::Table(own)) if depth > 0 => {
            DeValue::Table(keys_over(under, own, depth - 1))
        }
        (Way::Named, DeValue::Array(under), DeValue::Array(own)) => DeValue::Array(named_over(under, own)),
        (Way::Replace | Way::Keys(_) | Way::Named, _, own) => own.clone(),
    };
    Spanned::new(own.span(), value)
}

fn keys_over<'i>(under: &DeTable<'i>, own: &DeTable<'i>, depth: u8) -> DeTable<'i> {
    let mut laid: DeTable<'i> = under.clone();
    for (key, value) in own {
        let value = match under.get(key.get_ref().as_ref()) {
            Some(under) => together(under, value, Way::Keys(depth)),
            None => value.clone(),
        };
        put(&mut laid, key, value);
    }
    laid
}

/// Puts a value in with the place of its own key.
fn put<'i>(table: &mut DeTable<'i>, key: &Key<'i>, value: Node<'i>) {
    // An entry that is there would keep the place of the other key.
    let mut kept = DeTable::new();
    let name: &str = key.get_ref();
    let known = table.contains_key(name);
    for (other, node) in std::mem::take(table) {
        if other.get_ref().as_ref() == name {
            kept.insert(key.clone(), value.clone());
        } else {
            kept.insert(other, node);
        }
    }
    if !known {
        kept.insert(key.clone(), value);
    }
    *table = kept;
}

fn named_over<'i>(under: &DeArray<'i>, own: &DeArray<'i>) -> DeArray<'i> {
    fn name<'n>(node: &'n Node<'_>) -> Option<&'n str> {
        node.get_ref().as_table()?.get("name").and_then(book::text)
    }
    let mut laid = DeArray::new();
    for item in under {
        let same = own.iter().find(|own| name(own).is_some() && name(own) == name(item));
        match (same, item.get_ref(), same.map(Spanned::get_ref)) {
            (Some(own), DeValue::Table(under), Some(DeValue::Table(table))) => {
                laid.push(Spanned::new(own.span(), DeValue::Table(over(under, table, way_in_list))));
            }
            _ => laid.push(item.clone()),
        }
    }
    for item in own.iter().filter(|item| name(item).is_none() || !under.iter().any(|under| name(under) == name(item))) {
        laid.push(item.clone());
    }
    laid
}
