//! Advice that names what somebody probably meant.

use crate::domain::refusal::nearest;

/// ``did you mean `x`?`` for the nearest name, else the list of all names when it is short, else nothing.
#[must_use]
pub(super) fn suggestion<'a>(written: &str, names: impl IntoIterator<Item = &'a str>, what: &str) -> Option<String> {
    const LISTED: usize = 24;
    let mut names: Vec<&str> = names.into_iter().collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(*name));
    let meant = nearest(written, names.iter().copied()).or_else(|| folded(written, &names));
    match meant {
        Some(name) => Some(format!("did you mean `{name}`?")),
        None if names.is_empty() || names.len() > LISTED => None,
        None => Some(format!("{what}: {}", listed(&names))),
    }
}

/// Names in backticks, with commas.
pub(super) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// `slaveCount` and `slave-count` are `slave_count`, however far apart an edit distance finds them.
fn folded<'a>(written: &str, names: &[&'a str]) -> Option<&'a str> {
    let fold = |text: &str| -> String {
        text.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
    };
    let written = fold(written);
    names.iter().copied().find(|name| !written.is_empty() && fold(name) == written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_finds_its_name_and_nonsense_finds_the_list() {
        let names = ["slave_count", "env_name", "delay"];
        for written in ["slave_cuont", "slaveCount", "slave-count", "SLAVE_COUNT"] {
            let expected = Some("did you mean `slave_count`?".to_owned());
            assert_eq!(suggestion(written, names, "known"), expected, "{written}");
        }
        let all = Some("known: `slave_count`, `env_name`, `delay`".to_owned());
        for written in ["zzz", "日本", "", "-", &"x".repeat(1_000_000)] {
            assert_eq!(suggestion(written, names, "known"), all);
        }
        assert_eq!(suggestion("a", [], "known"), None);
    }
}
