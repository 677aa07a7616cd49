//! `protect` against the resources of the roots: a glob with a slip in it would protect nothing, and nobody would hear of it.

use std::collections::BTreeSet;

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::nearest::suggestion;
use super::super::problem::quoted;
use super::SharedRoot;
use crate::domain::protect::protects;

/// Warns of globs that match no resource of `roots`, which are all roots of an environment.
pub(super) fn check(patterns: &[String], roots: &[SharedRoot], at: &Path<'_>, findings: &mut Findings<'_, '_>) {
    let read = roots.iter().filter_map(|root| root.as_ref().as_ref().ok());
    let known: BTreeSet<&str> = read.flat_map(|root| &root.resources).map(String::as_str).collect();
    for (index, pattern) in patterns.iter().enumerate() {
        if may_mean_a_module(pattern) || known.iter().any(|address| may_name(pattern, address)) {
            continue;
        }
        let message = format!(
            "nothing in the roots is called {}, so that this protects only what a state still has of it",
            quoted(pattern)
        );
        let hint = suggestion(pattern, known.iter().copied(), "outside of modules there are");
        findings.warn_at_value(&at.index(index), message, hint);
    }
}

/// What lies in modules is not known: their code may come from anywhere.
fn may_mean_a_module(pattern: &str) -> bool {
    const MODULE: &str = "module.";
    match pattern.split_once('*') {
        Some((before, _)) => before.starts_with(MODULE) || MODULE.starts_with(before),
        None => pattern == "module" || pattern.starts_with(MODULE),
    }
}

/// Whether the pattern matches the resource or may match one of its instances, which only its state knows.
fn may_name(pattern: &str, address: &str) -> bool {
    let of_all = match (pattern.split_once('['), pattern.rfind('*')) {
        (Some((resource, _)), _) => resource,
        (None, Some(star)) if pattern.ends_with(']') => pattern.get(..=star).unwrap_or(pattern),
        (None, _) => pattern,
    };
    protects(of_all, address)
}
