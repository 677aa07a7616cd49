//! `/tide` as Discord is told of it: a subcommand for each of the commands that have slots, and one for a whole line.

use std::sync::{MutexGuard, PoisonError};

use serde_json::{Value, json};
use serenity::http::{LightMethod, Route};
use serenity::model::id::ApplicationId;
use tidegate_runner::desk::{Desk, DeskError};

use super::DOOR;
use super::form::FORM;
use super::guild::{Guild, number};
use crate::cards::{COMMAND, COMMANDS, cannot_speak, form};
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

/// What came of telling the commands.
#[derive(Default)]
pub(super) struct Told {
    /// Discord's word for why it does not take them.
    refused: Option<String>,
    /// `status` says so, or does not any more.
    noted: bool,
}

impl Guild {
    fn of_commands(&self) -> Result<Route<'static>, ApiError> {
        let application = number(&self.application, "application_not_found")?;
        Ok(Route::GuildCommands { application_id: ApplicationId::new(application), guild_id: self.guild_id()? })
    }

    /// Asks whether commands can be told in this server, for which the bot has to be let in with their scope, too.
    pub(super) async fn may_tell_commands(&self) -> Result<(), ApiError> {
        self.api.get(self.of_commands()?, &[]).await.map(|_| ())
    }

    /// Tells Discord which commands there are in this server. Where it does not take them, all else works without.
    ///
    /// # Errors
    /// When Discord was not reached, or takes nothing at all.
    pub(super) async fn tell_commands(&self) -> Result<(), ApiError> {
        let refused = match self.api.send(LightMethod::Put, self.of_commands()?, &all()).await {
            Ok(_) => None,
            Err(ApiError::Refused { code, needed }) => {
                let error = ApiError::Refused { code: code.clone(), needed };
                if error.is_of_token() {
                    return Err(error);
                }
                tracing::error!(code, "Discord does not take the commands");
                Some(code)
            }
            Err(error) => return Err(error),
        };
        *self.told() = Told { refused, noted: false };
        Ok(())
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes for `status` and for the people who look after Tidegate whether Discord takes the commands.
    pub(super) async fn note_commands(&self, desk: &Desk) -> Result<(), DeskError> {
        let refused = {
            let told = self.told();
            if told.noted {
                return Ok(());
            }
            told.refused.clone()
        };
        match refused {
            Some(code) => {
                desk.trouble(DOOR, COMMANDS, &code, &cannot_speak(DOOR, COMMANDS, &code)).await?;
            }
            None => desk.trouble_over(DOOR, COMMANDS).await?,
        }
        self.told().noted = true;
        Ok(())
    }

    /// Tells the commands again where they were refused.
    pub(super) async fn tell_commands_again(&self) {
        if self.told().refused.is_none() {
            return;
        }
        if let Err(error) = self.tell_commands().await {
            tracing::warn!(%error, "the commands are not told yet");
        }
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
