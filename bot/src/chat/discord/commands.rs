//! `/tide` as Discord is told of it: a subcommand for each of the commands that have slots, and one for a whole line.

use serde_json::{Value, json};
use serenity::http::{LightMethod, Route};
use serenity::model::id::ApplicationId;

use super::form::FORM;
use super::guild::{Guild, number};
use crate::cards::{COMMAND, form};
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::text::cut_between_words;
use crate::commands::slots::{self, Slot};

/// Most characters of a description.
const ABOUT_MAX: usize = 100;

/// A subcommand, and a text as its option.
const SUBCOMMAND: u8 = 1;
const TEXT: u8 = 3;

fn option(slot: &Slot) -> Value {
    json!({
        "type": TEXT, "name": slot.name, "description": cut_between_words(slot.about, ABOUT_MAX),
        "required": slot.required, "autocomplete": slot.completes,
    })
}

fn subcommand(name: &str, about: &str, slots: &[Slot]) -> Value {
    let options: Vec<Value> = slots.iter().map(option).collect();
    json!({
        "type": SUBCOMMAND, "name": name, "description": cut_between_words(about, ABOUT_MAX), "options": options,
    })
}

/// Everything that Discord is told of.
pub(super) fn all() -> Value {
    let whole = slots::whole_line();
    let mut options = vec![subcommand(slots::TEXT, whole.about, &[whole])];
    options.extend(slots::commands().map(|spec| subcommand(spec.name.as_str(), spec.summary, &slots::of(spec))));
    // In the server only, and for everybody who may use commands there: who may do what is the desk's business.
    // With subcommands `/tide` alone is none that Discord lets anybody send: the form has a name of its own.
    json!([
        { "type": 1, "name": "tide", "description": COMMAND, "options": options },
        { "type": 1, "name": FORM, "description": form::COMMAND },
    ])
}

impl Guild {
    /// Tells Discord which commands there are in this server.
    pub(super) async fn tell_commands(&self) -> Result<(), ApiError> {
        let application = number(&self.application, "application_not_found")?;
        let route =
            Route::GuildCommands { application_id: ApplicationId::new(application), guild_id: self.guild_id()? };
        self.api.send(LightMethod::Put, route, &all()).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_keep_to_discords_limits() {
        let all = all();
        let options = all[0]["options"].as_array().expect("subcommands");
        // The most that Discord takes; one of them takes a whole line.
        assert_eq!(options.len(), 25);
        // Names and descriptions of all together.
        assert!(all.to_string().len() < 16_000 && characters(&all) <= 8_000, "{}", characters(&all));
        let fits =
            |name: &str| (1..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        for one in options {
            assert!(one["name"].as_str().is_some_and(fits), "{one}");
            for option in one["options"].as_array().into_iter().flatten() {
                assert!(option["name"].as_str().is_some_and(fits), "{option}");
            }
        }
    }

    fn characters(value: &Value) -> usize {
        match value {
            Value::Array(all) => all.iter().map(characters).sum(),
            Value::Object(all) => {
                let of = |key: &str| all.get(key).and_then(Value::as_str).map_or(0, |text| text.chars().count());
                of("name") + of("description") + all.get("options").map_or(0, characters)
            }
            _ => 0,
        }
    }
}
