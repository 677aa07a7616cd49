//! What this process knows to be secret, whichever part of it has read it: one set, before its log and before what people once wrote and
//! the ledger kept. Another process may have kept it that had not read the secret.

use std::borrow::Cow;
use std::sync::{LazyLock, PoisonError, RwLock};

use super::Redactor;

static KNOWN: LazyLock<RwLock<Redactor>> = LazyLock::new(|| RwLock::new(Redactor::new(Vec::<String>::new())));

/// From now on these values, and those before, are in nothing that goes through [`without`]; tokens that can be told by their shape
/// never are.
pub fn hide(values: Vec<String>) {
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    *known = known.with(values);
}

/// The text without what is known to be secret by now.
#[must_use]
pub fn without(text: String) -> String {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    match known.redact(&text) {
        Cow::Owned(redacted) => redacted,
        Cow::Borrowed(_) => text,
    }
}
