//! The form that `/tide` alone opens, as Block Kit. What becomes of it once it is filled in is in `draft` and `preview`.

use serde_json::{Value, json};
use tidegate_runner::domain::command::CommandName;

use super::ear::SlackEar;
use super::home::Unseen;
use crate::cards::form as words;
use crate::chat::voice::offer::{Offer, offers};
use crate::chat::voice::origin::{Origin, Said};
use crate::chat::voice::text::cut_between_words;

/// Most settings that are asked for: a view has at most 100 blocks, and nobody fills in as many.
const SETTINGS_MAX: usize = 40;

/// Most choices of a menu.
const OPTIONS_MAX: usize = 100;

pub(super) fn plain(text: &str, max: usize) -> Value {
    json!({ "type": "plain_text", "text": cut_between_words(text, max), "emoji": false })
}

fn option(value: &str, text: &str) -> Value {
    json!({ "text": plain(text, 75), "value": cut_between_words(value, 75) })
}

fn menu(action: &str, options: &[Value], initial: Option<&Value>) -> Value {
    let mut menu = json!({ "type": "static_select", "action_id": action, "options": options });
    if let Some(initial) = initial {
        menu["initial_option"] = initial.clone();
    }
    menu
}

fn input(block: &str, label: &str, hint: Option<&str>, optional: bool, element: &Value) -> Value {
    let mut input = json!({ "type": "input", "block_id": block, "label": plain(label, 150), "optional": optional, "element": element });
    if let Some(hint) = hint {
        input["hint"] = plain(hint, 150);
    }
    input
}

/// The form for one of the environments, with a menu of all of them.
pub(crate) fn view(all: &[Offer<'_>], none: &str, chosen: Option<&str>, metadata: &str) -> Value {
    let chosen = chosen.and_then(|name| all.iter().find(|offer| offer.environment.name.as_str() == name));
    let chosen = chosen.or(all.first());
    let (all, others) = all.split_at(all.len().min(OPTIONS_MAX));
    let mut view = json!({
        "type": "modal", "callback_id": "tide.form", "title": plain(words::TITLE, 24), "close": plain(words::CLOSE, 24),
        "private_metadata": metadata,
    });
    let Some(Offer { environment: chosen, choices }) = chosen else {
        view["blocks"] = json!([{ "type": "section", "text": plain(none, 3_000) }]);
        return view;
    };
    let name = chosen.name.as_str();
    let environments: Vec<Value> =
        all.iter().map(|offer| offer.environment.name.as_str()).map(|name| option(name, name)).collect();
    let mut first = input(
        "environment",
        words::ENVIRONMENT,
        None,
        false,
        &menu("environment", &environments, Some(&option(name, name))),
    );
    // What can be chosen below follows from it.
    first["dispatch_action"] = true.into();
    let choices: Vec<Value> = choices.iter().map(|(value, text)| option(value, text)).collect();
    let mut blocks = vec![first, input("what", words::WHAT, None, false, &menu("what", &choices, choices.first()))];
    let mut levels: Vec<Value> =
        chosen.levels.iter().rev().map(|level| option(level.as_str(), level.as_str())).collect();
    levels.push(option("off", "off"));
    levels.truncate(OPTIONS_MAX);
    // With the environment in their names: Slack keeps what was filled in where a name stays.
    blocks.push(input(
        &format!("level.{name}"),
        words::LEVEL,
        Some(words::LEVEL_HINT),
        true,
        &menu("level", &levels, None),
    ));
    for setting in chosen.settings.values().take(SETTINGS_MAX) {
        let id = setting.name.as_str();
        let field = json!({ "type": "plain_text_input", "action_id": format!("setting.{id}"), "max_length": 100 });
        blocks.push(input(&format!("setting.{name}.{id}"), id, Some(&words::bounds(setting)), true, &field));
    }
    let until = json!({ "type": "datetimepicker", "action_id": "until" });
    blocks.push(input("until", words::UNTIL, Some(words::UNTIL_HINT), true, &until));
    let because = json!({ "type": "plain_text_input", "action_id": "because", "max_length": 500 });
    blocks.push(input("because", words::REASON, Some(words::REASON_HINT), true, &because));
    let more = words::more(others.len(), chosen.settings.len().saturating_sub(SETTINGS_MAX), name);
    blocks.extend(more.map(|more| json!({ "type": "section", "text": plain(&more, 3_000) })));
    view["blocks"] = blocks.into();
    view["submit"] = plain(words::SUBMIT, 24);
    view
}

/// What the form has to know when it comes back.
fn metadata(origin: &Origin) -> String {
    json!({ "channel": origin.channel, "response_url": origin.response_url }).to_string()
}

impl SlackEar {
    /// The form with what this person may see, or why there is nothing.
    async fn view_for(&self, user: &str, chosen: Option<&str>, metadata: &str) -> Value {
        let config = self.ear.desk.config();
        let seen = match self.slack.sight_of(&self.ear, user, CommandName::Status).await {
            Ok(Ok(seen)) => Some(seen),
            Ok(Err(Unseen::Unknown | Unseen::Nobody)) => None,
            Err(error) => {
                tracing::error!(%error, "what somebody may see cannot be read");
                None
            }
        };
        let Some((sight, who)) = seen else { return view(&[], words::NOBODY_KNOWN, chosen, metadata) };
        let (offers, none) = offers(&self.ear.desk, &config, &sight, &who);
        view(&offers, none, chosen, metadata)
    }

    /// Opens the form. Slack allows that for three seconds only; what is too late is answered in words.
    pub(super) async fn open_form(&self, said: Said, trigger: &str) {
        let view = self.view_for(&said.reply.user, None, &metadata(&said.reply)).await;
        let opened = self.slack.workspace.api.post("views.open", &json!({ "trigger_id": trigger, "view": view })).await;
        if let Err(error) = opened {
            tracing::warn!(%error, "the form did not open: answered in words");
            if let Err(error) = self.ear.hear(said).await {
                tracing::error!(%error, "a command cannot be stored");
            }
        }
    }

    /// Shows the form for another environment.
    pub(super) async fn change_form(&self, user: &str, old: &Value, environment: &str) {
        let metadata = old["private_metadata"].as_str().unwrap_or("{}");
        let view = self.view_for(user, Some(environment), metadata).await;
        let body = json!({ "view_id": old["id"], "hash": old["hash"], "view": view });
        if let Err(error) = self.slack.workspace.api.post("views.update", &body).await {
            tracing::warn!(%error, "the form stays as it was");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::fixture;

    #[test]
    fn what_the_form_has_no_room_for_is_told_with_what_to_type_instead() {
        let mut shop = fixture::environment("shop");
        let setting = shop.settings.values().next().expect("a setting").clone();
        for number in 0..SETTINGS_MAX {
            shop.settings.insert(format!("s{number}").parse().expect("a name"), setting.clone());
        }
        let over = shop.settings.len() - SETTINGS_MAX;
        let offer = || Offer { environment: &shop, choices: words::CHOICES.to_vec() };
        let all: Vec<Offer<'_>> = (0..OPTIONS_MAX + 3).map(|_| offer()).collect();
        let made = view(&all, words::NOTHING, None, "{}");
        let blocks = made["blocks"].as_array().expect("blocks");
        assert!(blocks.len() <= 100, "{}", blocks.len());
        let options = blocks[0]["element"]["options"].as_array().map(Vec::len);
        assert_eq!(options, Some(OPTIONS_MAX));
        let told = blocks.last().and_then(|block| block["text"]["text"].as_str()).expect("a line");
        let expected = format!(
            "3 more environments without room here: type /tide up NAME. {over} more settings without room here: type /tide up \
             shop NAME=VALUE."
        );
        assert_eq!(told, expected);
        let fits = view(&[Offer { environment: &fixture::environment("shop"), choices: Vec::new() }], "", None, "{}");
        assert!(!fits["blocks"].to_string().contains("without room"), "where all have room nothing is said of it");
    }
}
