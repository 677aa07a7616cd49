//! Expressions that need no evaluation, as values.

use hcl_edit::expr::{Expression, ObjectKey, UnaryOperator};
use serde_json::Value;

/// The value of an expression without variables, functions and templates.
pub(super) fn value(expression: &Expression) -> Option<Value> {
    match expression {
        Expression::Null(_) => Some(Value::Null),
        Expression::Bool(value) => Some(Value::from(*value.value())),
        Expression::Number(number) => {
            let number = number.value();
            number.as_i64().map(Value::from).or_else(|| number.as_f64().map(Value::from))
        }
        Expression::String(text) => Some(Value::from(text.as_str())),
        Expression::Array(items) => items.iter().map(value).collect::<Option<Vec<_>>>().map(Value::from),
        Expression::Object(entries) => entries
            .iter()
            .map(|(key, entry)| Some((key_text(key)?.to_owned(), value(entry.expr())?)))
            .collect::<Option<serde_json::Map<_, _>>>()
            .map(Value::from),
        Expression::Parenthesis(inner) => value(inner.inner()),
        Expression::UnaryOp(operation) if *operation.operator.value() == UnaryOperator::Neg => {
            match value(&operation.expr)? {
                Value::Number(number) => match number.as_i64() {
                    Some(number) => number.checked_neg().map(Value::from),
                    None => number.as_f64().map(|number| Value::from(-number)),
                },
                _ => None,
            }
        }
        _ => None,
    }
}

/// The name that a key of an object is.
pub(super) fn key_text(key: &ObjectKey) -> Option<&str> {
    match key {
        ObjectKey::Ident(name) => Some(name.as_str()),
        ObjectKey::Expression(value) => value.as_str(),
    }
}
