//! Which way an environment goes from one target to another.

use super::{Target, value_at};
use crate::domain::environment::{Environment, Setting, SettingValue};

/// Whether going from one target to another raises, lowers, or does neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    /// A higher level, or a larger number in some setting at the same level. Mixed counts as raising.
    Raises,
    /// A lower level, or only smaller numbers at the same level.
    Lowers,
    /// Neither: the same, or only texts and switches change.
    Same,
}

/// Compares two targets. Source: "Levels have an order" in `docs/ARCHITECTURE.md`.
#[must_use]
pub fn movement(environment: &Environment, from: &Target, to: &Target) -> Movement {
    match environment.rank(&to.level).cmp(&environment.rank(&from.level)) {
        std::cmp::Ordering::Greater => return Movement::Raises,
        std::cmp::Ordering::Less => return Movement::Lowers,
        std::cmp::Ordering::Equal => {}
    }
    let numbers: Vec<_> = numbers(environment, from, to).collect();
    if numbers.iter().any(|(_, from, to)| to > from) {
        Movement::Raises
    } else if numbers.iter().any(|(_, from, to)| to < from) {
        Movement::Lowers
    } else {
        Movement::Same
    }
}

pub(super) fn numbers<'a>(
    environment: &'a Environment,
    from: &'a Target,
    to: &'a Target,
) -> impl Iterator<Item = (&'a Setting, i64, i64)> {
    environment.settings.values().filter_map(move |setting| {
        match (value_at(environment, setting, from), value_at(environment, setting, to)) {
            (Some(SettingValue::Number(from)), Some(SettingValue::Number(to))) => Some((setting, from, to)),
            _ => None,
        }
    })
}
