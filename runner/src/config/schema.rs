//! The JSON Schema of `tidegate.toml`, made from the sections. It is the single source of the form: the check of keys
//! and types ([`super::shape`]), the reference ([`super::reference`]) and editors all read it.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::sections::ConfigFile;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<ConfigFile>().to_value();
    clean(&mut schema);
    if let Some(table) = schema.as_object_mut() {
        table.insert("title".to_owned(), Value::from("tidegate.toml"));
    }
    schema
});

/// The JSON Schema (draft 2020-12) of the configuration.
#[must_use]
pub fn schema() -> &'static Value {
    &SCHEMA
}

/// The schema as the text of `docs/tidegate.schema.json`.
#[must_use]
pub fn schema_text() -> String {
    let mut schema = schema().clone();
    // One that is like another has that one's: here each is looked at with those, editors see only what is written.
    if let Some(Value::Array(required)) = schema.pointer_mut("/$defs/EnvironmentSection/required") {
        required.retain(|name| name != "stacks");
    }
    format!("{schema:#}\n")
}

/// The schema that `part` refers to, or `part` itself.
pub(super) fn resolve(part: &'static Value) -> &'static Value {
    part.get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix('#'))
        .and_then(|pointer| schema().pointer(pointer))
        .unwrap_or(part)
}

/// TOML has no null, and widths of Rust's integers mean nothing to people: takes both out, and empty defaults with them.
fn clean(part: &mut Value) {
    match part {
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(table) => {
            clean_table(table);
            table.values_mut().for_each(clean);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn clean_table(table: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = table.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            table.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(variants)) = table.get_mut("enum") {
        variants.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(parts)) = table.get_mut("anyOf") {
        parts.retain(|part| part.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = parts.as_slice() {
            let only = only.clone();
            table.remove("anyOf");
            for (key, value) in only {
                table.entry(key).or_insert(value);
            }
        }
    }
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    if let Some(Value::String(text)) = table.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    // A key of a section may be named `default` or `format` one day; those are tables, not these texts.
    if table.get("default").is_some_and(empty) {
        table.remove("default");
    }
    if table.get("format").is_some_and(Value::is_string) {
        table.remove("format");
    }
}
