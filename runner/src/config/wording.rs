//! What the form wants and what was found, in words for people.

use serde_json::Value;
use toml::de::DeValue;

use super::document::Path;
use super::nearest::listed;
use super::schema::resolve;

/// The JSON types that a schema allows; none means all.
pub(super) fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What a schema wants, in words: `a text`, ``one of `destroy`, `lowest` ``.
pub(super) fn describe(schema: &'static Value) -> String {
    let schema = resolve(schema);
    if let Some(parts) = schema.get("anyOf").and_then(Value::as_array) {
        return parts.iter().map(describe).collect::<Vec<_>>().join(" or ");
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        return if words.len() == 1 { listed(&words) } else { format!("one of {}", listed(&words)) };
    }
    let words: Vec<String> = types(schema).into_iter().map(|name| describe_type(name, schema)).collect();
    if words.is_empty() { "any value".to_owned() } else { words.join(" or ") }
}

fn describe_type(name: &str, schema: &'static Value) -> String {
    let keys = schema.get("properties").and_then(Value::as_object);
    if let Some(written) = schema.get("x-written").and_then(Value::as_str).filter(|_| name == "object") {
        return written.to_owned();
    }
    match name {
        "string" => "a text".to_owned(),
        "integer" => "a whole number".to_owned(),
        "number" => "a number".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "array" if schema.pointer("/items/type").is_some_and(|items| items == "string") => "a list of texts".to_owned(),
        "array" => "a list".to_owned(),
        "object" => match keys.filter(|keys| keys.len() == 1).and_then(|keys| keys.keys().next()) {
            Some(only) => format!("`{{ {only} = \"...\" }}`"),
            None => "a table".to_owned(),
        },
        other => other.to_owned(),
    }
}

/// `: ` and the first sentence of what the schema says about a key; nothing when it says nothing.
pub(super) fn describe_key(schema: &'static Value) -> String {
    let text = schema.get("description").or_else(|| resolve(schema).get("description")).and_then(Value::as_str);
    let first = text.and_then(|text| text.split(['.', ':', ';', '\n']).next()).unwrap_or_default();
    if first.is_empty() { String::new() } else { format!(": {}", first.trim()) }
}

/// What a value is, in words.
pub(super) fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(_) => "a text".to_owned(),
        DeValue::Integer(_) => "a whole number".to_owned(),
        DeValue::Float(_) => "a number with decimals".to_owned(),
        DeValue::Boolean(value) => format!("`{value}`"),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// How to write what was probably meant.
pub(super) fn remedy(schema: &Value, value: &DeValue<'_>, path: &Path<'_>) -> Option<String> {
    let wants = |name: &str| types(schema).contains(&name);
    match value {
        DeValue::String(text) if wants("integer") && text.trim().parse::<i64>().is_ok() => {
            Some(format!("write it without quotes: `{}`", text.trim()))
        }
        DeValue::String(text) if wants("boolean") && matches!(text.as_ref(), "true" | "false") => {
            Some(format!("write it without quotes: `{text}`"))
        }
        DeValue::String(text) if wants("array") && text.chars().count() <= 60 => {
            Some(format!("write it in brackets: `[{text:?}]`"))
        }
        DeValue::Integer(number) if wants("string") => Some(format!("write it in quotes: `\"{}\"`", number.as_str())),
        DeValue::Boolean(value) if wants("string") => Some(format!("write it in quotes: `\"{value}\"`")),
        DeValue::Table(_) if wants("array") => Some(format!("write the header with two brackets: `[[{path}]]`")),
        DeValue::Array(_) if wants("object") => Some(format!("write the header with one bracket: `[{path}]`")),
        _ => None,
    }
}
