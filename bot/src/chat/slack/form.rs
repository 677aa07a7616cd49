//! The form that `/tide` alone opens, as Block Kit. Filled in, it is a command like any other: bounds and rights are the desk's.

use serde_json::{Map, Value, json};
use tidegate_runner::domain::command::CommandName;
use tidegate_runner::domain::environment::Environment;

use super::delivery::{Origin, Said};
use super::ear::Ear;
use super::text::cut_between_words;
use crate::cards::form as words;

/// Most settings that are asked for: a view has at most 100 blocks, and nobody fills in as many.
const SETTINGS_MAX: usize = 40;

/// Most choices of a menu.
const OPTIONS_MAX: usize = 100;

fn plain(text: &str, max: usize) -> Value {
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
pub(super) fn view<'e>(all: impl Iterator<Item = &'e Environment>, chosen: Option<&str>, metadata: &str) -> Value {
    let all: Vec<&Environment> = all.take(OPTIONS_MAX).collect();
    let chosen = chosen.and_then(|name| all.iter().find(|e| e.name.as_str() == name)).or(all.first());
    let mut view = json!({
        "type": "modal", "callback_id": "tide.form", "title": plain(words::TITLE, 24), "close": plain(words::CLOSE, 24),
        "private_metadata": metadata,
    });
    let Some(chosen) = chosen else {
        view["blocks"] = json!([{ "type": "section", "text": plain(words::NOTHING, 3_000) }]);
        return view;
    };
    let name = chosen.name.as_str();
    let environments: Vec<Value> = all.iter().map(|e| option(e.name.as_str(), e.name.as_str())).collect();
    let mut first = input(
        "environment",
        words::ENVIRONMENT,
        None,
        false,
        &menu("environment", &environments, Some(&option(name, name))),
    );
    // What can be chosen below follows from it.
    first["dispatch_action"] = true.into();
    let choices: Vec<Value> = words::CHOICES.iter().map(|(value, text)| option(value, text)).collect();
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
    let because = json!({ "type": "plain_text_input", "action_id": "because", "max_length": 500 });
    blocks.push(input("because", words::REASON, Some(words::REASON_HINT), true, &because));
    view["blocks"] = blocks.into();
    view["submit"] = plain(words::SUBMIT, 24);
    view
}

/// What was filled in, as the command that it means; or what is wrong, by field.
pub(super) fn typed(view: &Value) -> Result<String, Value> {
    let mut errors = Map::new();
    let (mut environment, mut what, mut level, mut because) = (String::new(), String::new(), None, String::new());
    let mut settings = Vec::new();
    for (block, fields) in view["state"]["values"].as_object().into_iter().flatten() {
        for (action, field) in fields.as_object().into_iter().flatten() {
            let value =
                field["value"].as_str().or(field["selected_option"]["value"].as_str()).unwrap_or_default().trim();
            if value.is_empty() {
                continue;
            }
            if action != "because" && value.chars().any(char::is_whitespace) {
                errors.insert(block.clone(), words::ONE_WORD.into());
                continue;
            }
            match (action.as_str(), action.strip_prefix("setting.")) {
                ("environment", _) => value.clone_into(&mut environment),
                ("what", _) => value.clone_into(&mut what),
                ("level", _) => level = Some(value.to_owned()),
                ("because", _) => value.clone_into(&mut because),
                (_, Some(name)) => settings.push((name.to_owned(), value.to_owned())),
                _ => {}
            }
        }
    }
    if environment.is_empty() || !words::CHOICES.iter().any(|(known, _)| *known == what) {
        errors.insert("environment".to_owned(), words::NOTHING.into());
    }
    if !errors.is_empty() {
        return Err(errors.into());
    }
    Ok(words::command(&what, &environment, level.as_deref(), &settings, &because))
}

/// What the form has to know when it comes back.
fn metadata(origin: &Origin) -> String {
    json!({ "channel": origin.channel, "response_url": origin.response_url }).to_string()
}

impl Ear {
    /// Opens the form. Slack allows that for three seconds only; what is too late is answered in words.
    pub(super) async fn open_form(&self, said: Said, trigger: &str) {
        let config = self.desk.config();
        let sight = self.sight_of(&said.reply.user, CommandName::Status).await.ok().flatten();
        let seen = config.environments.values().filter(|e| sight.as_ref().is_some_and(|s| s.sees(e.name.as_str())));
        let view = view(seen, None, &metadata(&said.reply));
        let opened = self.workspace.api.post("views.open", &json!({ "trigger_id": trigger, "view": view })).await;
        if let Err(error) = opened {
            tracing::warn!(%error, "the form did not open: answered in words");
            if let Err(error) = self.hear(said).await {
                tracing::error!(%error, "a command cannot be stored");
            }
        }
    }

    /// Shows the form for another environment.
    pub(super) async fn change_form(&self, user: &str, old: &Value, environment: &str) {
        let config = self.desk.config();
        let sight = self.sight_of(user, CommandName::Status).await.ok().flatten();
        let seen = config.environments.values().filter(|e| sight.as_ref().is_some_and(|s| s.sees(e.name.as_str())));
        let metadata = old["private_metadata"].as_str().unwrap_or("{}");
        let view = view(seen, Some(environment), metadata);
        let body = json!({ "view_id": old["id"], "hash": old["hash"], "view": view });
        if let Err(error) = self.workspace.api.post("views.update", &body).await {
            tracing::warn!(%error, "the form stays as it was");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_a_command_and_fields_of_several_words_are_not() {
        let filled = |slaves: &str| {
            json!({ "state": { "values": {
                "environment": { "environment": { "selected_option": { "value": "shop" } } },
                "what": { "what": { "selected_option": { "value": "up" } } },
                "level.shop": { "level": { "selected_option": { "value": "full" } } },
                "setting.shop.slaves": { "setting.slaves": { "value": slaves } },
                "because": { "because": { "value": "late\n<!channel>" } },
            } } })
        };
        assert_eq!(typed(&filled("40")).as_deref(), Ok("up shop full slaves=40 because late <!channel>"));
        assert_eq!(typed(&filled("40 because x")), Err(json!({ "setting.shop.slaves": words::ONE_WORD })));
        assert!(typed(&json!({})).is_err());
    }
}
