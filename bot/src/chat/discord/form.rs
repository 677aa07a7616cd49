//! The form that `/tide-form` opens: what is offered, what was filled in, and what it would do, with the button that does it. It asks for
//! five things, as many as Discord has room for; how long something is kept is typed.

use serde_json::{Value, json};
use serenity::http::{LightMethod, Route};
use tidegate_runner::desk::DeskError;
use tidegate_runner::domain::command::CommandName;
use tidegate_runner::domain::environment::Level;

use super::ear::DiscordEar;
use super::guild::Guild;
use super::render;
use crate::cards::form as words;
use crate::chat::voice::draft::{self, Fields};
use crate::chat::voice::letter::{Extras, Rest};
use crate::chat::voice::offer::{Offer, offers};
use crate::chat::voice::origin::{Draft, How, Origin, Said};
use crate::chat::voice::platform::Page;
use crate::chat::voice::text::cut_between_words;

/// The command that opens it, and its own name.
pub(super) const FORM: &str = "tide-form";

/// Most choices of a menu.
const OPTIONS_MAX: usize = 25;

/// Most characters of what stands below a field.
const HINT_MAX: usize = 100;

/// A field: a menu, or a text.
fn field(label: &str, hint: Option<&str>, component: &Value) -> Value {
    let mut field = json!({ "type": 18, "label": label, "component": component });
    if let Some(hint) = hint {
        field["description"] = cut_between_words(hint, HINT_MAX).into();
    }
    field
}

fn menu(name: &str, required: bool, options: Vec<(String, String)>) -> Value {
    let one = options.len() == 1 && required;
    let options = options
        .into_iter()
        .take(OPTIONS_MAX)
        .map(|(value, label)| json!({ "value": value, "label": cut_between_words(&label, HINT_MAX), "default": one }));
    let options: Vec<Value> = options.collect();
    json!({
        "type": 3, "custom_id": name, "required": required, "min_values": u8::from(required), "max_values": 1,
        "options": options,
    })
}

fn line(name: &str, most: u16) -> Value {
    json!({ "type": 4, "custom_id": name, "style": 1, "required": false, "max_length": most })
}

/// The form with what is offered.
pub(super) fn modal(all: &[Offer<'_>]) -> Value {
    let named = |text: &str| (text.to_owned(), text.to_owned());
    let environments = all.iter().map(|offer| named(offer.environment.name.as_str())).collect();
    let what = words::CHOICES.into_iter().filter(|choice| all.iter().any(|offer| offer.choices.contains(choice)));
    let mut levels: Vec<String> = vec![Level::Off.to_string()];
    for level in all.iter().flat_map(|offer| offer.environment.levels.iter()) {
        if !levels.iter().any(|other| other == level.as_str()) {
            levels.push(level.to_string());
        }
    }
    let levels = levels.iter().rev().map(|level| named(level)).collect();
    let more = words::more(all.len().saturating_sub(OPTIONS_MAX), 0, "");
    json!({
        "custom_id": FORM, "title": words::TITLE,
        "components": [
            field(words::ENVIRONMENT, more.as_deref(), &menu("environment", true, environments)),
            field(words::WHAT, None, &menu("what", true, what.map(|(word, label)| (word.to_owned(), label.to_owned())).collect())),
            field(words::LEVEL, Some(words::LEVEL_HINT), &menu("level", false, levels)),
            field(words::SETTINGS, Some(words::SETTINGS_HINT), &line("settings", 400)),
            field(words::REASON, Some(words::REASON_HINT), &line("because", 500)),
        ],
    })
}

/// What was filled in, by field: of a menu the value that was chosen.
pub(super) fn filled(data: &Value) -> Vec<(String, String)> {
    let all = data["components"].as_array().into_iter().flatten();
    let fields = all.filter_map(|one| one.get("component").or_else(|| one["components"].get(0)));
    let value = |field: &Value| field["value"].as_str().or_else(|| field["values"][0].as_str()).map(str::to_owned);
    fields.filter_map(|field| Some((field["custom_id"].as_str()?.to_owned(), value(field)?))).collect()
}

/// What the form would do, as the page says, with the button that does it where Discord lets it carry the command.
fn page(page: &Page<'_>) -> Value {
    let rest = Rest::Typed(page.whole.to_owned());
    let mut blocks = render::render(page.card, &Extras { rest, ..Extras::default() }).blocks;
    blocks.extend(page.last.as_ref().and_then(|last| render::last(last.label, &last.typed)));
    render::body("", &blocks)
}

impl Guild {
    /// Shows a page where the form was filled in. False: it cannot be shown there any more.
    pub(super) async fn turn(&self, origin: &Origin, shown: &Page<'_>) -> bool {
        let (Some(token), Ok(application_id)) = (origin.response_url.as_deref(), self.application_id()) else {
            return false;
        };
        let route = Route::WebhookOriginalInteractionResponse { application_id, token };
        let turned = self.api.send(LightMethod::Patch, route, &page(shown)).await;
        if let Err(error) = &turned {
            tracing::warn!(%error, "a plan is not shown where its form was filled in");
        }
        turned.is_ok()
    }
}

impl DiscordEar {
    /// The form with what this person may do; as an error, why there is nothing.
    pub(super) async fn form(&self, user: &str) -> Result<Result<Value, &'static str>, DeskError> {
        let Ok(Ok(actor)) = self.guild.actor(user).await else { return Ok(Err(words::NOT_YOURS)) };
        let (sight, who) = self.ear.sight_of(actor, CommandName::Status).await?;
        let config = self.ear.desk.config();
        let (all, none) = offers(&self.ear.desk, &config, &sight, &who);
        Ok(if all.is_empty() { Err(none) } else { Ok(modal(&all)) })
    }

    /// The line that shows what was filled in, or what is wrong with it.
    pub(super) async fn drafted(
        &self,
        said: Said,
        filled: Vec<(String, String)>,
    ) -> Result<Result<Said, Vec<String>>, DeskError> {
        let mut fields = Fields::default();
        for (name, value) in filled {
            match (name.as_str(), value.trim()) {
                (_, "") => {}
                ("settings", text) => fields.settings(&name, text),
                (_, text) => fields.field(&name, &name, text),
            }
        }
        let now = self.ear.desk.now().await?;
        let zone = self.ear.zone_of(&said.reply.user);
        let read = draft::read(fields, "", &self.ear.desk.config().environments, now, zone);
        Ok(match read {
            Ok((typed, draft)) => Ok(as_form(said, typed, draft)),
            Err(errors) => {
                let all = errors.as_object().into_iter().flatten();
                Err(all.filter_map(|(_, why)| why.as_str().map(str::to_owned)).collect())
            }
        })
    }
}

fn as_form(said: Said, typed: String, draft: Draft) -> Said {
    Said { typed, reply: Origin { how: How::Form(draft), ..said.reply }, ..said }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::fixture;

    #[test]
    fn the_form_keeps_to_discords_limits_and_offers_what_may_be_done() {
        let shop = fixture::environment("shop");
        let offer = || Offer { environment: &shop, choices: words::CHOICES[..1].to_vec() };
        let form = modal(&[offer()]);
        let fields = form["components"].as_array().expect("fields");
        assert_eq!(fields.len(), 5, "the most that Discord takes");
        for field in fields {
            assert!(field["label"].as_str().is_some_and(|label| (1..=45).contains(&label.chars().count())), "{field}");
            let hint = field["description"].as_str().unwrap_or("x").chars().count();
            assert!((1..=100).contains(&hint), "{field}");
        }
        let environments = &fields[0]["component"]["options"];
        assert_eq!(*environments, json!([{ "value": "shop", "label": "shop", "default": true }]));
        assert_eq!(fields[1]["component"]["options"][0]["value"], "plan");
        let many: Vec<Offer<'_>> = (0..40).map(|_| offer()).collect();
        let form = modal(&many);
        assert_eq!(form["components"][0]["component"]["options"].as_array().map(Vec::len), Some(OPTIONS_MAX));
        assert!(
            form["components"][0]["description"].as_str().is_some_and(|told| told.contains("15 more environments"))
        );
    }

    #[test]
    fn what_was_filled_in_is_read_from_fields_of_both_kinds() {
        let data = json!({ "components": [
            { "type": 18, "component": { "type": 3, "custom_id": "environment", "values": ["shop"] } },
            { "type": 18, "component": { "type": 3, "custom_id": "level", "values": [] } },
            { "type": 1, "components": [{ "type": 4, "custom_id": "because", "value": "日本" }] },
            { "type": 99 }, null,
        ] });
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(filled(&data), [pair("environment", "shop"), pair("because", "日本")]);
        assert!(filled(&json!({})).is_empty());
    }
}
