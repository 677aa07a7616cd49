//! The types of Terraform's variables, and which values they take.

use std::collections::BTreeMap;
use std::fmt;

use hcl_edit::expr::{Expression, ObjectKey, ObjectValue};
use serde_json::Value;

use super::plain::key_text;
use crate::problem::quoted;

/// A type of a variable. Source: "Type Constraints" in Terraform's documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Anything, also when no type is declared or one that we do not know.
    Any,
    /// Text.
    String,
    /// Number.
    Number,
    /// `true` or `false`.
    Bool,
    /// List of one type.
    List(Box<Type>),
    /// Set of one type.
    Set(Box<Type>),
    /// Map of one type.
    Map(Box<Type>),
    /// Named attributes, each with its type and whether it must be given.
    Object(BTreeMap<String, (Type, bool)>),
    /// A fixed number of values.
    Tuple(Vec<Type>),
}

impl Type {
    /// The type that an expression in a variable's `type` means.
    pub(super) fn of(kind: &Expression) -> Self {
        let words = match kind {
            Expression::Variable(word) => Some(word.as_str()),
            // Terraform 0.11 wrote `type = "string"`.
            Expression::String(word) => Some(word.as_str()),
            _ => None,
        };
        if let Some(word) = words {
            return match word {
                "string" => Self::String,
                "number" => Self::Number,
                "bool" => Self::Bool,
                "list" => Self::List(Box::new(Self::Any)),
                "set" => Self::Set(Box::new(Self::Any)),
                "map" => Self::Map(Box::new(Self::Any)),
                _ => Self::Any,
            };
        }
        let Some(call) = kind.as_func_call() else { return Self::Any };
        let first = call.args.iter().next();
        let inner = || Box::new(first.map_or(Self::Any, Self::of));
        match call.name.name.as_str() {
            "list" => Self::List(inner()),
            "set" => Self::Set(inner()),
            "map" => Self::Map(inner()),
            "tuple" => {
                let items = first.and_then(Expression::as_array);
                items.map_or(Self::Any, |items| Self::Tuple(items.iter().map(Self::of).collect()))
            }
            "object" => first.and_then(Expression::as_object).map_or(Self::Any, |attributes| {
                let attribute = |(key, value): (&ObjectKey, &ObjectValue)| {
                    let optional = value.expr().as_func_call().filter(|call| call.name.name.as_str() == "optional");
                    let kind = optional.and_then(|call| call.args.iter().next()).unwrap_or_else(|| value.expr());
                    key_text(key).map(|key| (key.to_owned(), (Self::of(kind), optional.is_none())))
                };
                Self::Object(attributes.iter().filter_map(attribute).collect())
            }),
            _ => Self::Any,
        }
    }

    /// Why Terraform would not take `value` for this type, with its own conversions (`"3"` is a number, 3 is a text);
    /// `None` when it would.
    #[must_use]
    pub fn misfit(&self, value: &Value) -> Option<String> {
        match (self, value) {
            // A null means "not given", which every type allows.
            (Self::Any, _)
            | (_, Value::Null)
            | (Self::String, Value::String(_) | Value::Number(_) | Value::Bool(_))
            | (Self::Number, Value::Number(_))
            | (Self::Bool, Value::Bool(_)) => None,
            (Self::Number, Value::String(text)) if is_number(text) => None,
            (Self::Bool, Value::String(text)) if matches!(text.as_str(), "true" | "false" | "1" | "0") => None,
            (Self::List(inner) | Self::Set(inner), Value::Array(items)) => {
                items.iter().enumerate().find_map(|(index, item)| inside(&format!("[{index}]"), inner, item))
            }
            (Self::Map(inner), Value::Object(entries)) => {
                entries.iter().find_map(|(key, value)| inside(key, inner, value))
            }
            (Self::Object(attributes), Value::Object(entries)) => {
                let mut attributes = attributes.iter();
                attributes.find_map(|(name, (kind, needed))| match entries.get(name) {
                    Some(value) => inside(name, kind, value),
                    None => needed.then(|| format!("the attribute {} is missing", quoted(name))),
                })
            }
            (Self::Tuple(kinds), Value::Array(items)) if kinds.len() == items.len() => {
                let mut pairs = kinds.iter().zip(items).enumerate();
                pairs.find_map(|(index, (kind, item))| inside(&format!("[{index}]"), kind, item))
            }
            (Self::Tuple(kinds), Value::Array(items)) => {
                Some(format!("it must have {} values and has {}", kinds.len(), items.len()))
            }
            (
                Self::String
                | Self::Number
                | Self::Bool
                | Self::List(_)
                | Self::Set(_)
                | Self::Map(_)
                | Self::Object(_)
                | Self::Tuple(_),
                _,
            ) => Some(format!("{} is not {self}", shown(value))),
        }
    }
}

fn inside(place: &str, kind: &Type, value: &Value) -> Option<String> {
    kind.misfit(value).map(|why| format!("at {}, {why}", quoted(place)))
}

/// As Terraform reads numbers from text: decimal, with or without an exponent.
fn is_number(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E')) && text.parse::<f64>().is_ok()
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a table".to_owned(),
        Value::String(text) => format!("the text {}", quoted(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => quoted(&value.to_string()),
    }
}

/// In words: `a number`, `a list`.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any value",
            Self::String => "a text",
            Self::Number => "a number",
            Self::Bool => "`true` or `false`",
            Self::List(_) => "a list",
            Self::Set(_) => "a set",
            Self::Map(_) => "a map",
            Self::Object(_) => "an object",
            Self::Tuple(_) => "a tuple",
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn misfit(kind: &str, value: &Value) -> Option<String> {
        Type::of(&hcl_edit::parser::parse_expr(kind).expect("a type")).misfit(value)
    }

    #[test]
    fn primitive_values_are_taken_as_terraform_converts_them() {
        for (kind, value) in [
            ("number", json!(3)),
            ("number", json!("3")),
            ("number", json!("-1.5e3")),
            ("string", json!(3)),
            ("string", json!(true)),
            ("bool", json!("true")),
            ("bool", json!("0")),
            ("any", json!([1])),
            ("unknown_word", json!(1)),
            ("\"string\"", json!("x")),
        ] {
            assert_eq!(misfit(kind, &value), None, "{kind} {value}");
        }
        for (kind, value) in [
            ("number", json!("three")),
            ("number", json!("")),
            ("number", json!("inf")),
            ("number", json!(true)),
            ("number", json!("３")),
            ("bool", json!(1)),
            ("bool", json!("yes")),
            ("bool", json!("TRUE")),
            ("string", json!(["a"])),
            ("list(string)", json!("a")),
            ("map(string)", json!(["a"])),
        ] {
            assert!(misfit(kind, &value).is_some(), "{kind} {value}");
        }
    }

    #[test]
    fn values_inside_of_values_are_looked_at() {
        assert_eq!(misfit("list(number)", &json!([1, "2"])), None);
        assert_eq!(misfit("list(number)", &json!([1, "x"])).unwrap(), "at `[1]`, the text `x` is not a number");
        let kind = "object({ name = string, size = optional(number, 3), tags = map(string) })";
        assert_eq!(misfit(kind, &json!({ "name": "a", "tags": {}, "more": 1 })), None);
        assert_eq!(misfit(kind, &json!({ "tags": {} })).unwrap(), "the attribute `name` is missing");
        assert_eq!(
            misfit(kind, &json!({ "name": "日本", "size": [], "tags": {} })).unwrap(),
            "at `size`, a list is not a number"
        );
        assert_eq!(misfit("tuple([string, number])", &json!(["a", 1])), None);
        assert!(misfit("tuple([string, number])", &json!(["a"])).is_some());
    }
}
