//! Where each value of an environment comes from: the file and line, and what stands there when it was put together.

use toml::de::DeValue;

use super::document::{Document, Node, Path};
use super::load::Config;
use super::source::Source;
use crate::domain::refusal::nearest;

/// One value of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The environment.
    pub environment: String,
    /// Its key, with the names of stacks and schedules in brackets: `stacks[app].workspace`.
    pub key: String,
    /// The value as TOML writes it.
    pub value: String,
    /// The file, as people name it from the folder of the first.
    pub file: String,
    /// The line in it.
    pub line: u32,
    /// What is written there, where that is something else: `"{env}"`.
    pub written: Option<String>,
}

/// Why nothing is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotShown {
    /// Neither an environment nor a group has this name.
    #[error("there is no environment and no group {name:?}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
}

/// Every value of an environment, or of all environments of a group (`@rpg`, or `rpg` where no environment is called so).
///
/// # Errors
/// Nothing has this name.
pub fn show(config: &Config, wanted: &str) -> Result<Vec<Shown>, NotShown> {
    let name = wanted.strip_prefix('@').unwrap_or(wanted);
    let unknown = |known: Vec<&str>| {
        let nearest = nearest(name, known).map(str::to_owned);
        NotShown::Unknown { name: wanted.to_owned(), nearest }
    };
    let Ok(document) = Document::parse(&config.source) else { return Err(unknown(Vec::new())) };
    let environments = Path::ROOT.key("environments");
    let all = document.value(&environments).and_then(|node| node.get_ref().as_table());
    let all: Vec<(&str, &Node<'_>)> =
        all.into_iter().flatten().map(|(key, node)| (key.get_ref().as_ref(), node)).collect();
    let group_of = |node: &Node<'_>| {
        node.get_ref().as_table().and_then(|table| table.get("group")?.get_ref().as_str().map(str::to_owned))
    };
    let mut found: Vec<_> = all.iter().filter(|(known, _)| *known == name && wanted == name).collect();
    if found.is_empty() {
        found = all.iter().filter(|(_, node)| group_of(node).as_deref() == Some(name)).collect();
    }
    if found.is_empty() {
        return Err(unknown(all.iter().map(|(name, _)| *name).collect()));
    }
    let mut shown = Vec::new();
    for (name, node) in found {
        Teller { environment: name, source: document.source(), shown: &mut shown }.tell(String::new(), node);
    }
    Ok(shown)
}

struct Teller<'a> {
    environment: &'a str,
    source: &'a Source,
    shown: &'a mut Vec<Shown>,
}

impl Teller<'_> {
    fn tell(&mut self, at: String, node: &Node<'_>) {
        match node.get_ref() {
            DeValue::Table(table) if !table.is_empty() => {
                for (key, value) in table {
                    let name: &str = key.get_ref();
                    self.tell(if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }, value);
                }
            }
            DeValue::Array(items) if !items.is_empty() && items.iter().all(|item| item.get_ref().is_table()) => {
                for (index, item) in items.iter().enumerate() {
                    let name = item.get_ref().as_table().and_then(|table| table.get("name")?.get_ref().as_str());
                    let name = name.map_or_else(|| index.to_string(), str::to_owned);
                    self.tell(format!("{at}[{name}]"), item);
                }
            }
            value => {
                let (span, value) = (node.span(), written(value));
                let there = self.source.text().get(span.clone()).unwrap_or_default();
                let other = there.contains("{env}") && !value.contains("{env}");
                let first = || self.source.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.shown.push(Shown {
                    environment: self.environment.to_owned(),
                    key: at,
                    value,
                    file: self.source.name_at(span.start).map_or_else(first, str::to_owned),
                    line: self.source.line_of(span.start),
                    written: other.then(|| there.to_owned()),
                });
            }
        }
    }
}

/// A value as TOML writes it, on one line.
fn written(value: &DeValue<'_>) -> String {
    match value {
        // JSON's texts are TOML's, but for what JSON does not escape and TOML does.
        DeValue::String(text) => serde_json::Value::from(text.as_ref()).to_string().replace('\u{7f}', "\\u007f"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(moment) => moment.to_string(),
        DeValue::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| written(item.get_ref())).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::Table(table) => {
            let pairs: Vec<String> =
                table.iter().map(|(key, value)| format!("{} = {}", key.get_ref(), written(value.get_ref()))).collect();
            if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", pairs.join(", ")) }
        }
    }
}
