//! Where each value of an environment comes from: the file and line, and what stands there when it was put together.

use toml::de::DeValue;

use super::document::{Document, Node, Path};
use super::load::Config;
use super::source::Source;
use super::template::place_of;
use crate::domain::ids::{EnvironmentName, TemplateName};
use crate::domain::made::Made;
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
    /// Neither an environment, a group nor a template has this name.
    #[error("there is no environment, no group and no template {name:?}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
}

/// Every value of an environment, or of all environments of a group (`@rpg`, or `rpg` where no environment is called so), or of a template
/// where neither is. Of one that was made each value is told where its template has it, as long as that says the same; otherwise by the
/// line of what the ledger keeps of it.
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
    if let Some(made) = config.made.get(wanted) {
        return Ok(of_made(&document, made));
    }
    let mut found: Vec<_> = all.iter().filter(|(known, _)| *known == name && wanted == name).collect();
    if found.is_empty() {
        found = all.iter().filter(|(_, node)| group_of(node).as_deref() == Some(name)).collect();
    }
    let mut shown = Vec::new();
    if found.is_empty() {
        if wanted == name
            && let Some(node) = template(&document, name)
        {
            let place = place_of(name);
            Teller { environment: &place, source: document.source(), shown: &mut shown }.tell(String::new(), node);
            return Ok(shown);
        }
        let of_made = config.made.keys().map(EnvironmentName::as_str);
        let templates = config.templates.keys().map(TemplateName::as_str);
        return Err(unknown(all.iter().map(|(name, _)| *name).chain(of_made).chain(templates).collect()));
    }
    for (name, node) in found {
        Teller { environment: name, source: document.source(), shown: &mut shown }.tell(String::new(), node);
    }
    Ok(shown)
}

/// What a template makes, with what it is like laid under it.
fn template<'d, 'i>(document: &'d Document<'i>, name: &str) -> Option<&'d Node<'i>> {
    let templates = Path::ROOT.key("templates");
    let template = templates.key(name);
    document.value(&template.key("environment"))
}

/// The values of one that was made.
fn of_made(document: &Document<'_>, made: &Made) -> Vec<Shown> {
    let mut theirs = Vec::new();
    let place = place_of(made.template.as_str());
    if let Some(node) = template(document, made.template.as_str()) {
        Teller { environment: &place, source: document.source(), shown: &mut theirs }.tell(String::new(), node);
    }
    let whole = document.definitions().get(made.template.as_str()).and_then(|definition| definition.whole.as_ref());
    let written = whole.map(|whole| definition(made, whole)).unwrap_or_default();
    let source = Source::new(format!("kept with {}", made.name), &made.definition);
    let range = made.range.as_ref().map(|(_, range)| range.as_str());
    let (Ok(own), Ok(now)) = (Document::parse_with(&source, range), made.definition.parse::<toml::Table>()) else {
        return Vec::new();
    };
    let environments = Path::ROOT.key("environments");
    let Some(node) = own.value(&environments.key(made.name.as_str())) else { return Vec::new() };
    let mut shown = Vec::new();
    Teller { environment: made.name.as_str(), source: &source, shown: &mut shown }.tell(String::new(), node);
    let same = |key: &str| raw(&now, made, key).is_some_and(|raw_now| raw(&written, made, key) == Some(raw_now));
    for one in &mut shown {
        let there = theirs.iter().find(|there| there.key == one.key);
        if let Some(there) = there.filter(|_| same(&one.key)) {
            (one.file, one.line, one.written) = (there.file.clone(), there.line, there.written.clone());
        }
    }
    shown
}

/// What a template would make today of one, without what its maker adds.
fn definition(made: &Made, whole: &toml::Table) -> toml::Table {
    let named = toml::Table::from_iter([(made.name.to_string(), toml::Value::Table(whole.clone()))]);
    toml::Table::from_iter([("environments".to_owned(), toml::Value::Table(named))])
}

/// The value at a key as [`Teller`] names it, before anything is put in.
fn raw<'t>(table: &'t toml::Table, made: &Made, key: &str) -> Option<&'t toml::Value> {
    let mut at = table.get("environments")?.get(made.name.as_str())?;
    let mut rest = key;
    while !rest.is_empty() {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if !name.is_empty() {
            at = at.get(name)?;
        }
        rest = after.strip_prefix('.').unwrap_or(after);
        if let Some((item, after)) = rest.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
            let is_it = |value: &&toml::Value| value.get("name").and_then(toml::Value::as_str) == Some(item);
            let items = at.as_array()?;
            at = items.iter().find(is_it).or_else(|| items.get(item.parse::<usize>().ok()?))?;
            rest = after.strip_prefix('.').unwrap_or(after);
        }
    }
    Some(at)
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
                let put_in = |word: &str| there.contains(word) && !value.contains(word);
                let other = put_in("{env}") || put_in("{range}");
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
