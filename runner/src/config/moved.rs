//! Texts that stood in an earlier configuration where this one says to read a secret: what was written there is one, too, and is shown in
//! no difference of the two.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What says where a secret is read from.
const SOURCES: [&str; 3] = ["env", "file", "command"];

/// The texts of `before` at places where `after` reads a secret. Of lists all elements are one place: they may have changed theirs. What
/// is no TOML is left out.
#[must_use]
pub fn moved_to_secrets(before: &str, after: &str) -> Vec<String> {
    let (before, after) = (Places::of(before), Places::of(after));
    let mut texts: Vec<String> =
        before.texts.into_iter().filter(|(place, _)| after.secrets.contains(place)).flat_map(|(_, all)| all).collect();
    texts.sort();
    texts.dedup();
    texts
}

/// What stands at each place, told by the keys that lead there.
#[derive(Default)]
struct Places {
    texts: BTreeMap<Vec<String>, Vec<String>>,
    secrets: Vec<Vec<String>>,
}

impl Places {
    fn of(text: &str) -> Self {
        let mut places = Self::default();
        places.table(&mut Vec::new(), DeTable::parse_recoverable(text).0.get_ref());
        places
    }

    fn table(&mut self, at: &mut Vec<String>, table: &DeTable<'_>) {
        let names = || table.keys().map(|key| key.get_ref().as_ref());
        // `env` is a table of a stack, and a text where a secret is read from a variable.
        let source = |name: &str| match table.get(name).map(Spanned::get_ref) {
            Some(DeValue::String(_)) => true,
            Some(DeValue::Array(_)) => name == "command",
            _ => false,
        };
        if names().any(|name| SOURCES.contains(&name) && source(name)) {
            self.secrets.push(at.clone());
        }
        for (key, value) in table {
            at.push(key.get_ref().to_string());
            self.value(at, value.get_ref());
            at.pop();
        }
    }

    fn value(&mut self, at: &mut Vec<String>, value: &DeValue<'_>) {
        match value {
            DeValue::String(text) => self.texts.entry(at.clone()).or_default().push(text.to_string()),
            DeValue::Array(all) => all.iter().for_each(|value| self.value(at, value.get_ref())),
            DeValue::Table(table) => self.table(at, table),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_secret_where_one_is_read_now() {
        let before = "[[environments.shop.stacks]]\nname = 'app'\nenv = { TOKEN = 'plain-one', REGION = 'eu' }\n\
                      [[environments.shop.stacks]]\nname = 'net'\nenv.TOKEN = 'plain-two'\nbackend.token = 'plain-three'\n\
                      [database]\nurl = 'postgres://plain-four'\n";
        let after = "[[environments.shop.stacks]]\nname = 'app'\nenv = { TOKEN = { env = 'SHOP' }, REGION = 'eu' }\n\
                     backend.token = { file = '/run/token' }\n\
                     [database]\nurl = { command = ['vault', 'read'], refresh = '1h' }\n";
        assert_eq!(moved_to_secrets(before, after), ["plain-one", "plain-three", "plain-two", "postgres://plain-four"]);
        assert_eq!(moved_to_secrets(after, before), Vec::<String>::new());
        assert_eq!(moved_to_secrets("no toml [", after), Vec::<String>::new());
    }
}
