//! `/tide` as Discord is told of it: a subcommand for each of the commands that have slots, and one for a whole line.

use serde_json::{Value, json};

use super::form::FORM;
use super::guild::Guild;
use crate::cards::{COMMAND, form};
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::text::cut_between_words;
use crate::commands::slots::{self, Slot};
use crate::wire::discord::bodies::{command, option, subcommand};

/// Most characters of a description.
const ABOUT_MAX: usize = 100;

/// Everything that Discord is told of.
pub(super) fn all() -> Value {
    let about = |text: &str| cut_between_words(text, ABOUT_MAX);
    let told = |name: &str, summary: &str, slots: &[Slot]| {
        let one = |slot: &Slot| option(slot.name, &about(slot.about), slot.required, slot.completes);
        subcommand(name, &about(summary), &slots.iter().map(one).collect::<Vec<_>>())
    };
    let whole = slots::whole_line();
    let mut all = vec![told(slots::TEXT, whole.about, &[whole])];
    all.extend(slots::commands().map(|spec| told(spec.name.as_str(), spec.summary, &slots::of(spec))));
    // In the server only, and for everybody who may use commands there: who may do what is the desk's business.
    // With subcommands `/tide` alone is none that Discord lets anybody send: the form has a name of its own.
    json!([command("tide", COMMAND, all), command(FORM, form::COMMAND, Vec::new())])
}

impl Guild {
    /// Asks whether commands can be told in this server, for which the bot has to be let in with their scope, too.
    pub(super) async fn may_tell_commands(&self) -> Result<(), ApiError> {
        self.api.commands(&self.application, &self.id).await.map(|_| ())
    }

    /// Tells Discord which commands there are in this server. Where it does not take them, all else works without.
    ///
    /// # Errors
    /// When Discord was not reached, or takes nothing at all.
    pub(super) async fn tell_commands(&self) -> Result<(), ApiError> {
        self.commands.came(self.api.set_commands(&self.application, &self.id, &all()).await)
    }

    /// Tells the commands again where they were refused.
    pub(super) async fn tell_commands_again(&self) {
        if self.commands.is_refused()
            && let Err(error) = self.tell_commands().await
        {
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
