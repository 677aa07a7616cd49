//! What somebody filled into a form: checked field by field with the commands' own grammar, and turned into commands.

use indexmap::IndexMap;
use serde_json::{Map, Value};
use tidegate_runner::domain::environment::{Environment, Level};
use tidegate_runner::domain::ids::{ActorId, EnvironmentName, Timestamp};
use tidegate_runner::domain::refusal::Refusal;

use super::origin::Draft;
use super::text::cut_between_words;
use crate::cards::form as words;
use crate::commands::{self, Known};
use crate::zone::Zone;

/// Most characters of what stands beside a field.
const BESIDE_MAX: usize = 200;

/// The fields, and what is wrong with them.
#[derive(Default)]
pub(in crate::chat) struct Fields {
    environment: String,
    what: String,
    level: Option<(String, String)>,
    settings: Vec<(String, String, String)>,
    until: Option<Timestamp>,
    because: String,
    errors: Map<String, Value>,
}

impl Fields {
    /// Of fields that are called as what they hold; all settings share one.
    pub(in crate::chat) fn of(filled: Vec<(String, String)>) -> Self {
        let mut fields = Self::default();
        for (name, value) in filled {
            match (name.as_str(), value.trim()) {
                (_, "") => {}
                ("settings", text) => fields.settings(&name, text),
                (_, text) => fields.field(&name, &name, text),
            }
        }
        fields
    }

    /// Until when it is kept up.
    pub(in crate::chat) fn until(&mut self, until: Option<Timestamp>) {
        self.until = until;
    }

    /// A field that was filled in: what it is called where it stands, and what it is.
    pub(in crate::chat) fn field(&mut self, block: &str, action: &str, value: &str) {
        if action != "because" && value.chars().any(char::is_whitespace) {
            return self.wrong(block, words::ONE_WORD);
        }
        match (action, action.strip_prefix("setting.")) {
            ("environment", _) => value.clone_into(&mut self.environment),
            ("what", _) => value.clone_into(&mut self.what),
            ("level", _) => self.level = Some((block.to_owned(), value.to_owned())),
            ("because", _) => value.clone_into(&mut self.because),
            (_, Some(name)) => self.settings.push((block.to_owned(), name.to_owned(), value.to_owned())),
            _ => {}
        }
    }

    /// Settings that share a field, as they are typed.
    pub(in crate::chat) fn settings(&mut self, block: &str, text: &str) {
        for word in text.split_whitespace() {
            match word.split_once('=') {
                Some((name, value)) => self.settings.push((block.to_owned(), name.to_owned(), value.to_owned())),
                None => self.wrong(block, words::NO_SETTING),
            }
        }
    }

    /// The first thing that is wrong with a field is told.
    fn wrong(&mut self, block: &str, why: &str) {
        let why = cut_between_words(why, BESIDE_MAX);
        self.errors.entry(block.to_owned()).or_insert_with(|| why.into());
    }

    /// Tells beside a field why a line that holds it alone is no command.
    fn check(&mut self, block: &str, line: &str, known: &Known<'_>) {
        if let Err(refusal) = commands::parse(line, known) {
            self.refused(block, &refusal);
        }
    }

    fn refused(&mut self, block: &str, refusal: &Refusal) {
        self.wrong(block, &words::beside(refusal));
    }
}

/// What was filled in, with the line that shows what it would do; or what is wrong, by field. `view` is where it was filled in.
pub(in crate::chat) fn read(
    mut fields: Fields,
    view: &str,
    environments: &IndexMap<EnvironmentName, Environment>,
    now: Timestamp,
    zone: Zone,
) -> Result<(String, Draft), Map<String, Value>> {
    let me = ActorId::tidegate();
    let known = Known { environments, aside: &[], others: &[], me: &me, now, zone };
    let name = fields.environment.clone();
    let found = environments.get(name.as_str());
    let Some(environment) = found.filter(|_| words::CHOICES.iter().any(|(choice, _)| *choice == fields.what)) else {
        fields.check("environment", &format!("plan {name}"), &known);
        fields.wrong("environment", words::NOTHING);
        return Err(fields.errors);
    };
    let level = match (&fields.level, fields.what.as_str()) {
        (Some((_, level)), _) => Some(level.clone()),
        (None, "up") => Some(environment.up.to_string()),
        (None, "down") => Some(environment.down.to_string()),
        (None, _) => None,
    };
    if let Some((block, level)) = fields.level.clone() {
        fields.check(&block, &format!("plan {name} {level}"), &known);
        if fields.what == "up" && level == Level::Off.to_string() {
            fields.check(&block, &format!("up {name} {level}"), &known);
        }
    }
    for (block, setting, value) in fields.settings.clone() {
        if fields.what == "down" {
            fields.wrong(&block, words::NOT_SIZED);
        }
        fields.check(&block, &format!("plan {name} {setting}={value}"), &known);
    }
    let keep = fields.until.map(|until| words::keep(&name, until, zone, &fields.because));
    if let (Some(until), Some(keep)) = (fields.until, &keep) {
        if fields.what != "up" {
            fields.wrong("until", words::NOT_KEPT);
        } else if until <= now {
            fields.wrong("until", words::PASSED);
        }
        let line = keep.split(" because ").next().unwrap_or_default().to_owned();
        fields.check("until", &line, &known);
    }
    let settings: Vec<(String, String)> =
        fields.settings.iter().map(|(_, setting, value)| (setting.clone(), value.clone())).collect();
    let line = words::plan(&name, level.as_deref(), &settings, &fields.because);
    if fields.errors.is_empty()
        && let Err(refusal) = commands::parse(&line, &known)
    {
        fields.refused("environment", &refusal);
    }
    if !fields.errors.is_empty() {
        return Err(fields.errors);
    }
    Ok((line, Draft { view: view.to_owned(), only_shown: fields.what == "plan", keep, because: fields.because }))
}
