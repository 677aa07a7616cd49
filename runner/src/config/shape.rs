//! Whether a document has the form that the schema describes: known keys, right types, ranges, nothing missing. All that
//! is wrong is told at once, with its place.

use std::collections::HashSet;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::document::{Node, Path};
use super::findings::Findings;
use super::nearest::suggestion;
use super::problem::quoted;
use super::schema::resolve;
use super::wording::{describe, describe_key, found, remedy, types};

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

    /// True when nothing inside of the value is wrong.
    pub(super) fn is_whole(&self, node: &Node<'_>) -> bool {
        match node.get_ref() {
            DeValue::Table(table) => {
                table.iter().all(|(key, value)| !self.wrong.contains(&key.span().start) && self.is_whole(value))
            }
            DeValue::Array(items) => {
                items.iter().all(|item| !self.wrong.contains(&item.span().start) && self.is_whole(item))
            }
            _ => true,
        }
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
