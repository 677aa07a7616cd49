//! Whether a document has the form that the schema describes: known keys, right types, ranges, nothing missing. All that
//! is wrong is told at once, with its place.

use std::collections::HashSet;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::document::{Node, Path};
use super::findings::Findings;
use super::nearest::{listed, suggestion};
use super::problem::quoted;
use super::schema::resolve;

/// What a check of the form found beside the problems.
#[derive(Default)]
pub(super) struct Shape {
    /// Where the keys (in tables) or values (in arrays) begin that are wrong.
    wrong: HashSet<usize>,
}

impl Shape {
    /// Checks the value at `path`; `place` is where its key, or in an array it itself, begins.
    pub(super) fn check(
        &mut self,
        schema: &'static Value,
        place: usize,
        node: &Node<'_>,
        path: &Path<'_>,
        findings: &mut Findings<'_, '_>,
    ) {
        let schema = resolve(schema);
        if let Some(alternatives) = schema.get("anyOf").and_then(Value::as_array) {
            match alternatives.iter().map(resolve).find(|part| fits(part, node.get_ref())) {
                Some(part) => self.check(part, place, node, path, findings),
                None => self.wrong_type(schema, place, node, path, findings),
            }
            return;
        }
        if !fits(schema, node.get_ref()) {
            self.wrong_type(schema, place, node, path, findings);
            return;
        }
        match node.get_ref() {
            DeValue::Table(table) => self.table(schema, table, path, findings),
            DeValue::Array(items) => {
                if items.is_empty() && least(schema, "minItems") {
                    self.refuse(place, path, "this list must not be empty", None, findings);
                }
                // What the schema does not describe can be anything that Terraform knows.
                let schema = schema.get("items").unwrap_or(&Value::Bool(true));
                for (index, item) in items.iter().enumerate() {
                    self.check(schema, item.span().start, item, &path.index(index), findings);
                }
            }
            DeValue::String(text) => self.text(schema, place, text, path, findings),
            DeValue::Integer(number) => self.integer(schema, place, number, path, findings),
            DeValue::Float(number) => {
                if number.as_str().contains(['n', 'i']) {
                    self.refuse(place, path, "`nan` and `inf` are not numbers that Terraform knows", None, findings);
                }
            }
            DeValue::Datetime(_) => {
                let hint = Some("write it as a text, in quotes".to_owned());
                self.refuse(place, path, "a date is not a value that Terraform knows", hint, findings);
            }
            DeValue::Boolean(_) => {}
        }
    }

    /// Checks the keys of a table, and their values.
    pub(super) fn table(
        &mut self,
        schema: &'static Value,
        table: &DeTable<'_>,
        path: &Path<'_>,
        findings: &mut Findings<'_, '_>,
    ) {
        for (key, value) in table {
            self.entry(schema, key, value, path, findings);
        }
        for missing in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            if !table.contains_key(missing) {
                let about = schema.pointer(&format!("/properties/{missing}")).map(describe_key).unwrap_or_default();
                findings.at_key(path, format!("`{missing}` is missing here"), Some(format!("add `{missing}`{about}")));
            }
        }
    }

    /// Checks one key of a table that `schema` describes, and its value.
    pub(super) fn entry(
        &mut self,
        schema: &'static Value,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Node<'_>,
        path: &Path<'_>,
        findings: &mut Findings<'_, '_>,
    ) {
        let place = key.span().start;
        let name: &str = key.get_ref();
        let known = schema.get("properties").and_then(Value::as_object);
        if let Some(part) = known.and_then(|known| known.get(name)) {
            self.check(part, place, value, &path.key(name), findings);
            return;
        }
        match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => {
                self.wrong.insert(place);
                let names = known.into_iter().flat_map(|known| known.keys().map(String::as_str));
                let hint = suggestion(name, names, "the keys here");
                findings.at_key(&path.key(name), format!("there is no key {} here", quoted(name)), hint);
            }
            Some(part) => self.check(part, place, value, &path.key(name), findings),
            None => self.check(&Value::Bool(true), place, value, &path.key(name), findings),
        }
    }

    fn text(
        &mut self,
        schema: &'static Value,
        place: usize,
        text: &str,
        path: &Path<'_>,
        findings: &mut Findings<'_, '_>,
    ) {
        if least(schema, "minLength") && text.trim().is_empty() {
            self.refuse(place, path, "this text must not be empty", None, findings);
        }
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            if !words.contains(&text) {
                let message = format!("{} is not known here", quoted(text));
                let hint = suggestion(text, words, "what is known");
                self.refuse(place, path, &message, hint, findings);
            }
        }
    }

    fn integer(
        &mut self,
        schema: &'static Value,
        place: usize,
        number: &DeInteger<'_>,
        path: &Path<'_>,
        findings: &mut Findings<'_, '_>,
    ) {
        let Ok(number) = i64::from_str_radix(number.as_str(), number.radix()) else {
            let message = "this number has more than 64 bits";
            self.refuse(place, path, message, Some("write it as a text, in quotes".to_owned()), findings);
            return;
        };
        let bound = |key| schema.get(key).and_then(Value::as_i64);
        let (least, most) = (bound("minimum"), bound("maximum"));
        if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
            let allowed = match (least, most) {
                (Some(least), Some(most)) => format!("from {least} to {most}"),
                (Some(least), None) => format!("at least {least}"),
                (None, Some(most)) => format!("at most {most}"),
                (None, None) => String::new(),
            };
            self.refuse(place, path, &format!("this must be {allowed}, not {number}"), None, findings);
        }
    }

    fn wrong_type(
        &mut self,
        schema: &'static Value,
        place: usize,
        node: &Node<'_>,
        path: &Path<'_>,
        findings: &mut Findings<'_, '_>,
    ) {
        let wanted = describe(schema);
        let message = format!("this must be {wanted}, not {}", found(node.get_ref()));
        self.refuse(place, path, &message, remedy(schema, node.get_ref(), path), findings);
    }

    fn refuse(
        &mut self,
        place: usize,
        path: &Path<'_>,
        message: &str,
        hint: Option<String>,
        findings: &mut Findings<'_, '_>,
    ) {
        self.wrong.insert(place);
        findings.at_value(path, message, hint);
    }

    /// A copy of the value without what is wrong in it, so that the rest can be looked at.
    pub(super) fn without_wrong<'i>(&self, node: &Node<'i>) -> Node<'i> {
        let value = match node.get_ref() {
            value if self.wrong.is_empty() => value.clone(),
            DeValue::Table(table) => DeValue::Table(
                table
                    .iter()
                    .filter(|(key, _)| !self.wrong.contains(&key.span().start))
                    .map(|(key, value)| (key.clone(), self.without_wrong(value)))
                    .collect(),
            ),
            DeValue::Array(items) => {
                let mut kept = toml::de::DeArray::new();
                for item in items.iter().filter(|item| !self.wrong.contains(&item.span().start)) {
                    kept.push(self.without_wrong(item));
                }
                DeValue::Array(kept)
            }
            value => value.clone(),
        };
        Spanned::new(node.span(), value)
    }
}

/// True when `schema` wants at least one of what `key` counts.
fn least(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_u64).is_some_and(|least| least > 0)
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn fits(schema: &Value, value: &DeValue<'_>) -> bool {
    let types = types(schema);
    types.is_empty()
        || types.iter().any(|name| {
            matches!(
                (*name, value),
                ("string", DeValue::String(_))
                    | ("integer" | "number", DeValue::Integer(_))
                    | ("number", DeValue::Float(_))
                    | ("boolean", DeValue::Boolean(_))
                    | ("array", DeValue::Array(_))
                    | ("object", DeValue::Table(_))
            )
        })
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

fn describe_key(schema: &'static Value) -> String {
    let text = schema.get("description").or_else(|| resolve(schema).get("description")).and_then(Value::as_str);
    let first = text.and_then(|text| text.split(['.', ':', ';', '\n']).next()).unwrap_or_default();
    if first.is_empty() { String::new() } else { format!(": {}", first.trim()) }
}

fn found(value: &DeValue<'_>) -> String {
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
fn remedy(schema: &Value, value: &DeValue<'_>, path: &Path<'_>) -> Option<String> {
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
