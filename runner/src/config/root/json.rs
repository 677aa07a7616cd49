//! Terraform's JSON syntax, `*.tf.json` and `*.tfvars.json`.
//! Source: "JSON Configuration Syntax" in Terraform's documentation: a block is an object, or a list of objects, by label.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::problem::Problem;
use super::super::source::Source;
use super::{Backend, Declarations, DefaultValue, Location, ModuleCall, Provider, Type, VariableDeclaration, native};

/// Reads the declarations of a file.
pub(super) fn read(source: &Source) -> Result<Declarations, Vec<Problem>> {
    let body = parse(source)?;
    let mut found = Declarations::default();
    for (name, body) in labelled(&body, "variable") {
        let place = find(source, "variable", name);
        found.variables.push(VariableDeclaration {
            name: name.to_owned(),
            kind: body.get("type").and_then(Value::as_str).map(|text| (type_of(text), text.to_owned())),
            default: body.get("default").map(|value| DefaultValue::Value(value.clone())),
            sensitive: body.get("sensitive").and_then(Value::as_bool),
            validated: body.contains_key("validation"),
            at: location(source, place),
            span: place..place + name.len() + 2,
            source: source.clone(),
        });
    }
    for (name, body) in labelled(&body, "module") {
        let from = body.get("source").and_then(Value::as_str).unwrap_or_default().to_owned();
        let at = location(source, find(source, "module", name));
        found.modules.push(ModuleCall { name: name.to_owned(), source: from, at });
    }
    for block in objects(body.get("terraform")) {
        if let Some(version) = block.get("required_version").and_then(Value::as_str) {
            let at = location(source, find(source, "terraform", "required_version"));
            found.required_versions.push((version.to_owned(), at));
        }
        let backends = labelled(block, "backend");
        let clouds = objects(block.get("cloud")).map(|body| ("cloud", body));
        for (kind, body) in backends.chain(clouds) {
            let at = location(source, find(source, "terraform", kind));
            found.backend = Some(Backend { kind: kind.to_owned(), arguments: keys(body).collect(), at });
        }
        for providers in objects(block.get("required_providers")) {
            for (name, value) in providers.iter().filter(|(name, _)| *name != "//") {
                let text = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
                let version = value.as_str().map(str::to_owned).or_else(|| text("version"));
                found.providers.push((name.clone(), Provider { source: text("source"), version }));
            }
        }
    }
    Ok(found)
}

/// Reads the names that a values file gives.
pub(super) fn names(source: &Source) -> Result<BTreeSet<String>, Vec<Problem>> {
    Ok(keys(&parse(source)?).collect())
}

fn parse(source: &Source) -> Result<Map<String, Value>, Vec<Problem>> {
    let refuse = |at: usize, why: String| vec![Problem::at(source, at..at.saturating_add(1), why)];
    match serde_json::from_str::<Value>(source.text()) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(refuse(0, "not Terraform's JSON syntax: the file must hold one object".to_owned())),
        Err(error) => {
            let text = error.to_string();
            // The place is told apart, so that it need not be in the message as well.
            let why = text.split(" at line ").next().unwrap_or(&text).to_owned();
            Err(refuse(source.offset(error.line(), error.column()), format!("not JSON: {why}")))
        }
    }
}

/// `value` as the objects that it is, be it one or a list of them.
fn objects(value: Option<&Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let list = match value {
        Some(Value::Array(items)) => items.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    list.iter().filter_map(Value::as_object)
}

/// The blocks of a kind that have a label: label and body. `//` is a comment.
fn labelled<'v>(body: &'v Map<String, Value>, kind: &str) -> impl Iterator<Item = (&'v str, &'v Map<String, Value>)> {
    objects(body.get(kind))
        .flat_map(|labels| labels.iter().filter(|(label, _)| *label != "//"))
        .flat_map(|(label, bodies)| objects(Some(bodies)).map(|body| (label.as_str(), body)))
}

fn keys(body: &Map<String, Value>) -> impl Iterator<Item = String> {
    body.keys().filter(|key| *key != "//").cloned()
}

/// Where `"name"` stands after `"kind"`: serde keeps no places, and this is near enough for a line number.
fn find(source: &Source, kind: &str, name: &str) -> usize {
    let text = source.text();
    let kind = text.find(&format!("\"{kind}\"")).unwrap_or(0);
    let rest = text.get(kind..).unwrap_or_default();
    rest.find(&format!("\"{name}\"")).map_or(kind, |at| kind + at)
}

fn location(source: &Source, offset: usize) -> Location {
    Location { file: source.path().to_owned(), line: source.line_of(offset) }
}

fn type_of(text: &str) -> Type {
    hcl_edit::parser::parse_expr(text).map_or(Type::Any, |kind| native::type_of(&kind))
}
