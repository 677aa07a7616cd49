//! `{env}`: the name of the environment, in the values that may have it; `{range}`: the addresses of one that is made. Anything else in braces that looks the same is refused.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::book::{Flaws, text};
use super::document::Node;
use super::problem::{Problem, quoted};
use super::source::Source;

/// What stands for the name.
const NAME: &str = "env";

/// What stands for the range of an environment that is made from a template with a pool.
pub(super) const RANGE: &str = "range";

/// What braces can be in a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Braces {
    /// Nothing else has a meaning in them.
    Ours,
    /// `${...}` and `%{...}` are somebody else's: a shell's, a template's.
    Values,
    /// Others have a meaning of their own.
    Theirs,
}

/// Puts the name of each environment into its values.
pub(super) fn fill(environments: &mut DeTable<'_>, range: Option<&str>, source: &Source, flaws: &mut Flaws) {
    let names: Vec<String> = environments.keys().map(|key| key.get_ref().to_string()).collect();
    for name in names {
        let Some(DeValue::Table(table)) = environments.get_mut(name.as_str()).map(Spanned::get_mut) else { continue };
        let mut problems = Vec::new();
        let mut found = |problem: Problem, at: &str| {
            problems.push(Problem { key_path: format!("environments.{name}.{at}"), ..problem });
        };
        fill_one(table, (&name, range), source, &mut found);
        if !problems.is_empty() {
            flaws.entry(name).or_default().problems.extend(problems);
        }
    }
}

/// Puts a name, and a range where there is one, into the values of an environment; what has no meaning there is `found`.
pub(super) fn fill_one(
    table: &mut DeTable<'_>,
    (name, range): (&str, Option<&str>),
    source: &Source,
    found: &mut dyn FnMut(Problem, &str),
) {
    let mut filler = Filler { name, range, source, found };
    for (key, value) in table {
        match key.get_ref().as_ref() {
            at @ ("about" | "profiles") => filler.all(value, Braces::Values, at),
            at @ ("channel" | "group") => filler.all(value, Braces::Ours, at),
            "stacks" => {
                let DeValue::Array(stacks) = value.get_mut() else { continue };
                for (index, stack) in stacks.iter_mut().enumerate() {
                    filler.stack(stack, &format!("stacks[{index}]"));
                }
            }
            _ => {}
        }
    }
}

struct Filler<'a> {
    name: &'a str,
    range: Option<&'a str>,
    source: &'a Source,
    found: &'a mut dyn FnMut(Problem, &str),
}

impl Filler<'_> {
    fn stack(&mut self, stack: &mut Node<'_>, at: &str) {
        let DeValue::Table(table) = stack.get_mut() else { return };
        for (key, value) in table {
            let braces = match key.get_ref().as_ref() {
                "root" | "source" | "workspace" => Braces::Ours,
                "backend" | "env" | "variables" => Braces::Values,
                "ready" | "busy" => Braces::Theirs,
                _ => continue,
            };
            let at = format!("{at}.{}", key.get_ref());
            self.all(value, braces, &at);
        }
    }

    fn all(&mut self, node: &mut Node<'_>, braces: Braces, at: &str) {
        let span = node.span();
        let filled =
            text(node).filter(|text| text.contains('{')).map(|text| filled(text, (self.name, self.range), braces));
        match (filled, node.get_mut()) {
            (Some(Ok(filled)), value) => *value = DeValue::String(Cow::Owned(filled)),
            (Some(Err(other)), _) => {
                let message = format!("{} has no meaning here", quoted(&format!("{{{other}}}")));
                let hint = "only `{env}` stands for something, the environment's name".to_owned();
                (self.found)(Problem::at(self.source, span, message).with_hint(Some(hint)), at);
            }
            (None, DeValue::Table(table)) => {
                for (key, value) in table {
                    self.all(value, braces, &format!("{at}.{}", key.get_ref()));
                }
            }
            (None, DeValue::Array(items)) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.all(item, braces, &format!("{at}[{index}]"));
                }
            }
            (None, _) => {}
        }
    }
}

/// The text with the name put in; otherwise the word in braces that has no meaning.
fn filled(text: &str, (name, range): (&str, Option<&str>), braces: Braces) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len() + name.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        rest = after;
        let twice = filled.ends_with('{') || after.starts_with('{');
        let others = filled.ends_with(['$', '%']) && braces != Braces::Ours;
        let word = after.split_once('}').map(|(word, _)| word).filter(|word| is_word(word));
        match word.filter(|_| !others && !twice) {
            Some(NAME) => {
                filled.push_str(name);
                rest = after.get(NAME.len() + 1..).unwrap_or_default();
            }
            Some(RANGE) if range.is_some() => {
                filled.push_str(range.unwrap_or_default());
                rest = after.get(RANGE.len() + 1..).unwrap_or_default();
            }
            Some(other) if braces != Braces::Theirs => return Err(other.to_owned()),
            Some(_) | None => filled.push('{'),
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// What looks like a name to be filled in: `name`, `env_name`, `env.name`. JSON and Terraform's maps do not.
fn is_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_put_in_and_what_only_looks_alike_is_refused() {
        let told = |text: &str, braces| filled(text, ("rpg", None), braces).unwrap_or_else(|word| format!("! {word}"));
        for (text, ours, values, theirs) in [
            ("{env}", "rpg", "rpg", "rpg"),
            ("a/{env}/{env}.tfstate", "a/rpg/rpg.tfstate", "a/rpg/rpg.tfstate", "a/rpg/rpg.tfstate"),
            ("{name}", "! name", "! name", "{name}"),
            ("{Env}", "! Env", "! Env", "{Env}"),
            ("{env.name}-{env}", "! env.name", "! env.name", "{env.name}-rpg"),
            ("{output.url}/{env}", "! output.url", "! output.url", "{output.url}/rpg"),
            ("${HOME}", "! HOME", "${HOME}", "${HOME}"),
            ("${env}", "$rpg", "${env}", "${env}"),
            ("{{env}}", "{{env}}", "{{env}}", "{{env}}"),
            (r#"{"a": {"b": 1}}"#, r#"{"a": {"b": 1}}"#, r#"{"a": {"b": 1}}"#, r#"{"a": {"b": 1}}"#),
            ("{", "{", "{", "{"),
            ("日{env}本{", "日rpg本{", "日rpg本{", "日rpg本{"),
        ] {
            assert_eq!(told(text, Braces::Ours), ours, "{text}");
            assert_eq!(told(text, Braces::Values), values, "{text}");
            assert_eq!(told(text, Braces::Theirs), theirs, "{text}");
        }
        assert_eq!(told("{range}", Braces::Values), "! range");
        let with = filled("{env} {range} ${range}", ("rpg", Some("10.0.0.0/20")), Braces::Values);
        assert_eq!(with.as_deref(), Ok("rpg 10.0.0.0/20 ${range}"));
    }
}
