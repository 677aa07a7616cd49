//! The form that `/tide-form` opens: what is offered, what was filled in, and what it would do, with the button that does it. It asks for
//! five things, as many as Discord has room for; how long something is kept is typed.

use serde_json::Value;
use tidegate_runner::desk::DeskError;
use tidegate_runner::domain::command::CommandName;
use tidegate_runner::domain::environment::Level;

use super::ear::{DiscordEar, told_alone};
use super::render;
use crate::cards::{Card, Tone, form as words};
use crate::chat::voice::letter::{Extras, Rest};
use crate::chat::voice::offer::{Offer, offers};
use crate::chat::voice::platform::Page;
use crate::chat::voice::text::cut_between_words;
use crate::wire::discord::bodies::{Answer, CHOICES_MAX, ID_MAX, chosen, field, line};

/// The command that opens it, and its own name.
pub(super) const FORM: &str = "tide-form";

/// The form with what is offered.
pub(super) fn modal(all: &[Offer<'_>]) -> Value {
    let cut = |label: &str| cut_between_words(label, ID_MAX);
    let named = |name: &str| (cut(name), name.to_owned());
    let environments = all.iter().map(|offer| named(offer.environment.name.as_str())).take(CHOICES_MAX).collect();
    let what = words::CHOICES.into_iter().filter(|choice| all.iter().any(|offer| offer.choices.contains(choice)));
    let what = what.map(|(word, label)| (cut(label), word.to_owned())).collect();
    let mut levels: Vec<String> = vec![Level::Off.to_string()];
    for level in all.iter().flat_map(|offer| offer.environment.levels.iter()) {
        if !levels.iter().any(|other| other == level.as_str()) {
            levels.push(level.to_string());
        }
    }
    let levels = levels.iter().rev().map(|level| named(level)).take(CHOICES_MAX).collect();
    let more = words::more(all.len().saturating_sub(CHOICES_MAX), 0, "").map(|more| cut(&more));
    let fields = [
        field(words::ENVIRONMENT, more.as_deref(), &chosen("environment", true, environments)),
        field(words::WHAT, None, &chosen("what", true, what)),
        field(words::LEVEL, Some(words::LEVEL_HINT), &chosen("level", false, levels)),
        field(words::SETTINGS, Some(words::SETTINGS_HINT), &line("settings", 400)),
        field(words::REASON, Some(words::REASON_HINT), &line("because", 500)),
    ];
    Answer::form(FORM, words::TITLE, &fields)
}

/// What the form would do, as the page says, with the button that does it where Discord lets it carry the command.
pub(super) fn page(page: &Page<'_>) -> Value {
    let rest = Rest::Typed(page.whole.to_owned());
    let mut blocks = render::render(page.card, &Extras { rest, ..Extras::default() }).blocks;
    blocks.extend(page.last.as_ref().and_then(|last| render::last(last.label, &last.typed)));
    render::body("", &blocks)
}

impl DiscordEar {
    /// The form with what this person may do, or why there is nothing.
    pub(super) async fn form(&self, user: &str) -> Result<Value, DeskError> {
        let nothing = |why| told_alone(&Card::new(Tone::Plain, why));
        let Ok(Ok(actor)) = self.guild.actor(user).await else { return Ok(nothing(words::NOT_YOURS)) };
        let (sight, who) = self.ear.sight_of(actor, CommandName::Status).await?;
        let config = self.ear.desk.config();
        let (all, none) = offers(&self.ear.desk, &config, &sight, &who);
        Ok(if all.is_empty() { nothing(none) } else { modal(&all) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::fixture;

    #[test]
    fn the_form_keeps_to_discords_limits_and_offers_what_may_be_done() {
        let shop = fixture::environment("shop");
        let offer = || Offer { environment: &shop, choices: words::CHOICES[..1].to_vec() };
        let form = &modal(&[offer()])["data"];
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
        let form = &modal(&many)["data"];
        assert_eq!(form["components"][0]["component"]["options"].as_array().map(Vec::len), Some(CHOICES_MAX));
        assert!(
            form["components"][0]["description"].as_str().is_some_and(|told| told.contains("15 more environments"))
        );
    }
}
