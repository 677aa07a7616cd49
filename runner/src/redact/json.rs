//! Redaction inside a JSON value, so that what comes out is JSON again.

use serde_json::Value;

use super::{REDACTED, Redactor, shapes};

/// Redacts every text (and every number that is a told value) in `value`; true when something changed.
pub(super) fn redact(redactor: &Redactor, value: &mut Value) -> bool {
    match value {
        Value::String(text) => redact_text(redactor, text),
        Value::Number(number) if redactor.is_value(&number.to_string()) => {
            *value = REDACTED.into();
            true
        }
        // Counted, not `any`: that would stop at the first one.
        Value::Array(items) => items.iter_mut().filter_map(|item| redact(redactor, item).then_some(())).count() > 0,
        Value::Object(fields) => {
            let mut changed = false;
            for (name, field) in fields.iter_mut() {
                changed |=
                    if shapes::is_secret_name(name) { redact_secret(redactor, field) } else { redact(redactor, field) };
            }
            // Names are data too: a map may be keyed by a secret. Such a map is rare, so that it is found first, then made anew.
            if fields.keys().any(|name| matches!(redactor.redact_plain(name), std::borrow::Cow::Owned(_))) {
                let old = std::mem::take(fields);
                fields.extend(old.into_iter().map(|(name, field)| (redactor.redact_plain(&name).into_owned(), field)));
                changed = true;
            }
            changed
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A field whose name says that it is a secret: a text or number is replaced as a whole; of an object (an output) its `value`.
fn redact_secret(redactor: &Redactor, field: &mut Value) -> bool {
    match field {
        Value::String(text) if text.is_empty() || text.contains(REDACTED) => false,
        Value::String(_) | Value::Number(_) => {
            *field = REDACTED.into();
            true
        }
        Value::Object(fields) => {
            let inner = fields.get_mut("value").is_some_and(|value| redact_secret(redactor, value));
            redact(redactor, field) || inner
        }
        Value::Array(_) | Value::Null | Value::Bool(_) => redact(redactor, field),
    }
}

fn redact_text(redactor: &Redactor, text: &mut String) -> bool {
    match redactor.redact_plain(text) {
        std::borrow::Cow::Owned(redacted) => {
            *text = redacted;
            true
        }
        std::borrow::Cow::Borrowed(_) => false,
    }
}
