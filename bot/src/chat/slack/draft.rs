//! What somebody filled into the form: read, checked field by field with the commands' own grammar, and turned into commands.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tidegate_runner::domain::environment::{Environment, Level};
use tidegate_runner::domain::ids::{ActorId, EnvironmentName, Timestamp};
use tidegate_runner::domain::refusal::Refusal;

use super::text::cut_between_words;
use crate::cards::form as words;
use crate::commands::{self, Known};
use crate::zone::Zone;

/// Most characters of what stands beside a field.
const BESIDE_MAX: usize = 200;

/// What follows once the plan was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Draft {
    /// In which view it was filled in.
    pub(super) view: String,
    /// Only the plan is wanted.
    pub(super) only_shown: bool,
    /// The command that keeps it up, said after what was planned is accepted.
    pub(super) keep: Option<String>,
    /// Why, in their words.
    pub(super) because: String,
}

/// The fields, and what is wrong with them.
#[derive(Default)]
struct Fields {
    environment: String,
    what: String,
    level: Option<(String, String)>,
    settings: Vec<(String, String, String)>,
    until: Option<Timestamp>,
    because: String,
    errors: Map<String, Value>,
}

impl Fields {
    fn read(view: &Value) -> Self {
        let mut fields = Self::default();
        for (block, filled) in view["state"]["values"].as_object().into_iter().flatten() {
            for (action, field) in filled.as_object().into_iter().flatten() {
                let value = field["value"].as_str().or(field["selected_option"]["value"].as_str());
                let value = value.unwrap_or_default().trim();
                if action == "until" {
                    let seconds = field["selected_date_time"].as_i64();
                    fields.until = seconds.and_then(|at| at.checked_mul(1_000)).map(Timestamp);
                } else if !value.is_empty() {
                    fields.field(block, action, value);
                }
            }
        }
        fields
    }

    fn field(&mut self, block: &str, action: &str, value: &str) {
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

/// What was filled in, with the line that shows what it would do; or what is wrong, by field.
pub(super) fn read(
    view: &Value,
    environments: &IndexMap<EnvironmentName, Environment>,
    now: Timestamp,
    zone: Zone,
) -> Result<(String, Draft), Value> {
    let me = ActorId::tidegate();
    let known = Known { environments, others: &[], me: &me, now, zone };
    let mut fields = Fields::read(view);
    let name = fields.environment.clone();
    let found = environments.get(name.as_str());
    let Some(environment) = found.filter(|_| words::CHOICES.iter().any(|(choice, _)| *choice == fields.what)) else {
        fields.check("environment", &format!("plan {name}"), &known);
        fields.wrong("environment", words::NOTHING);
        return Err(fields.errors.into());
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
        return Err(fields.errors.into());
    }
    let view = view["id"].as_str().unwrap_or_default().to_owned();
    Ok((line, Draft { view, only_shown: fields.what == "plan", keep, because: fields.because }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::fixture::{NOW, tokyo, with_environments};

    fn filled(change: impl FnOnce(&mut Value)) -> Result<(String, Draft), Value> {
        let mut values = json!({
            "environment": { "environment": { "selected_option": { "value": "shop" } } },
            "what": { "what": { "selected_option": { "value": "up" } } },
            "level.shop": { "level": { "selected_option": { "value": "full" } } },
            "setting.shop.slaves": { "setting.slaves": { "value": "40" } },
            "until": { "until": { "selected_date_time": NOW.0 / 1000 + 7200 } },
            "because": { "because": { "value": "late\n<!channel>" } },
        });
        change(&mut values);
        let view = json!({ "id": "V1", "state": { "values": values } });
        with_environments(&["shop"], |known| super::read(&view, known.environments, NOW, tokyo()))
    }

    #[test]
    fn what_is_filled_in_is_a_plan_and_what_follows_it() {
        let (line, draft) = filled(|_| {}).expect("good");
        assert_eq!(line, "plan shop full slaves=40 because late <!channel>");
        assert_eq!(draft.keep.as_deref(), Some("keep shop until 2026-11-20 14:00 because late <!channel>"));
        let (line, draft) = filled(|v| {
            v["what"]["what"]["selected_option"]["value"] = "down".into();
            v["level.shop"] = json!({ "level": { "selected_option": null } });
            v["setting.shop.slaves"]["setting.slaves"]["value"] = Value::Null;
            v["until"]["until"]["selected_date_time"] = Value::Null;
        })
        .expect("good");
        assert_eq!((line.as_str(), draft.keep), ("plan shop small because late <!channel>", None));
    }

    #[test]
    fn what_is_wrong_stands_beside_its_field() {
        type Change = fn(&mut Value);
        let slaves: fn(&mut Value, &str) =
            |v, value| v["setting.shop.slaves"]["setting.slaves"]["value"] = value.into();
        let cases: [(&str, Change, &str); 9] = [
            ("too many", |v| v["setting.shop.slaves"]["setting.slaves"]["value"] = "999".into(), "setting.shop.slaves"),
            (
                "words",
                |v| v["setting.shop.slaves"]["setting.slaves"]["value"] = "4 because".into(),
                "setting.shop.slaves",
            ),
            (
                "no number",
                |v| v["setting.shop.slaves"]["setting.slaves"]["value"] = "日本".into(),
                "setting.shop.slaves",
            ),
            ("no level", |v| v["level.shop"]["level"]["selected_option"]["value"] = "huge".into(), "level.shop"),
            ("past", |v| v["until"]["until"]["selected_date_time"] = 1.into(), "until"),
            ("years", |v| v["until"]["until"]["selected_date_time"] = (NOW.0 / 1000 + 90 * 86_400).into(), "until"),
            ("kept down", |v| v["what"]["what"]["selected_option"]["value"] = "plan".into(), "until"),
            ("removed", |v| v["environment"]["environment"]["selected_option"]["value"] = "gone".into(), "environment"),
            ("no choice", |v| v["what"]["what"]["selected_option"]["value"] = "hold".into(), "environment"),
        ];
        for (what, change, block) in cases {
            let errors = filled(change).expect_err(what);
            assert!(
                errors[block].as_str().is_some_and(|told| !told.is_empty() && !told.contains('`')),
                "{what}: {errors}"
            );
        }
        let both = filled(|v| {
            slaves(v, "999");
            v["until"]["until"]["selected_date_time"] = 1.into();
        });
        assert_eq!(both.expect_err("two").as_object().map(Map::len), Some(2));
        assert!(
            with_environments(&["shop"], |known| super::read(&json!({}), known.environments, NOW, tokyo())).is_err()
        );
    }
}
