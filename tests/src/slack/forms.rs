//! Elements that people fill in, choose or press: how to find them, and what Slack tells of them.

use serde_json::{Map, Value, json};

use super::blocks::check_view;
use super::ids::ViewId;
use super::methods;
use super::state::State;

/// The block's id and the element with this action id.
pub(crate) fn find(blocks: &Value, action_id: &str) -> Option<(String, Value)> {
    all(blocks).into_iter().find(|(_, element)| element.get("action_id").and_then(Value::as_str) == Some(action_id))
}

/// All elements with their blocks' ids.
fn all(blocks: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for block in blocks.as_array().into_iter().flatten() {
        let id = block.get("block_id").and_then(Value::as_str).unwrap_or_default();
        let elements = block.get("elements").and_then(Value::as_array).cloned().unwrap_or_default();
        let single = ["accessory", "element"].iter().filter_map(|key| block.get(*key)).cloned();
        found.extend(elements.into_iter().chain(single).map(|element| (id.to_owned(), element)));
    }
    found
}

fn kind(element: &Value) -> &str {
    element.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// One entry of `actions` in a `block_actions` payload.
pub(crate) fn action(block: &str, element: &Value, value: Option<&Value>, stamp: &str) -> Value {
    let mut action =
        json!({ "action_id": element["action_id"], "block_id": block, "type": kind(element), "action_ts": stamp });
    if kind(element) == "button" {
        for name in ["text", "value", "style"] {
            if let Some(given) = element.get(name) {
                action[name] = given.clone();
            }
        }
    } else if let Some(value) = value {
        for (name, given) in filled(element, value) {
            action[name] = given;
        }
    }
    action
}

/// An option of an element by its value, as Slack tells of it.
fn option(element: &Value, value: &Value) -> Value {
    let groups = element.get("option_groups").and_then(Value::as_array).into_iter().flatten();
    let grouped = groups.filter_map(|group| group.get("options"));
    let mut options = element.get("options").into_iter().chain(grouped).filter_map(Value::as_array).flatten();
    let found = options.find(|option| option.get("value") == Some(value));
    found.unwrap_or_else(|| panic!("no option {value} in {element}")).clone()
}

/// What Slack tells of an element with this in it.
fn filled(element: &Value, value: &Value) -> Map<String, Value> {
    let many = || value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let options = || many().iter().map(|value| option(element, value)).collect::<Value>();
    let (name, value) = match kind(element) {
        "static_select" | "radio_buttons" | "overflow" if value.is_null() => ("selected_option", Value::Null),
        "static_select" | "radio_buttons" | "overflow" => ("selected_option", option(element, value)),
        "multi_static_select" | "checkboxes" => ("selected_options", options()),
        "external_select" => {
            ("selected_option", json!({ "text": { "type": "plain_text", "text": value }, "value": value }))
        }
        "users_select" => ("selected_user", value.clone()),
        "multi_users_select" => ("selected_users", json!(many())),
        "channels_select" => ("selected_channel", value.clone()),
        "multi_channels_select" => ("selected_channels", json!(many())),
        "conversations_select" => ("selected_conversation", value.clone()),
        "multi_conversations_select" => ("selected_conversations", json!(many())),
        "datepicker" => ("selected_date", value.clone()),
        "timepicker" => ("selected_time", value.clone()),
        "datetimepicker" => ("selected_date_time", value.clone()),
        _ => ("value", value.clone()),
    };
    [(name.to_owned(), value)].into_iter().collect()
}

/// The initial content of an element, in the shape in which it is filled in.
fn initial(element: &Value) -> Value {
    let value = |option: &Value| option.get("value").cloned().unwrap_or(Value::Null);
    match kind(element) {
        "static_select" | "radio_buttons" => element.get("initial_option").map_or(Value::Null, value),
        "multi_static_select" | "checkboxes" => {
            element.get("initial_options").and_then(Value::as_array).into_iter().flatten().map(value).collect()
        }
        _ => {
            let given = [
                "initial_value",
                "initial_user",
                "initial_channel",
                "initial_conversation",
                "initial_date",
                "initial_time",
            ];
            given.iter().find_map(|name| element.get(*name)).cloned().unwrap_or(Value::Null)
        }
    }
}

/// `state.values` of a form: block -> action -> what is in it.
pub(crate) fn entered(blocks: &Value, values: &Value) -> Map<String, Value> {
    let values = values.as_object().cloned().unwrap_or_default();
    let mut state = Map::new();
    let mut used = Vec::new();
    for block in blocks.as_array().into_iter().flatten() {
        let input = block.get("type").and_then(Value::as_str) == Some("input");
        let optional = block.get("optional") == Some(&json!(true));
        for (id, element) in all(&json!([block])) {
            // Buttons have no value, other elements outside inputs have.
            if ["button", "image", "overflow", "", "mrkdwn", "plain_text"].contains(&kind(&element)) {
                continue;
            }
            let action = element.get("action_id").and_then(Value::as_str).unwrap_or_default().to_owned();
            let named = [&action, &id].into_iter().find(|name| values.contains_key(*name)).cloned();
            let value = named.as_ref().map_or_else(|| initial(&element), |name| values[name].clone());
            used.extend(named);
            let empty = value.is_null() || value == json!("") || value == json!([]);
            assert!(!(input && empty && !optional), "Slack would not send this form: {action} is empty");
            let value = if value == json!("") { Value::Null } else { value };
            let mut told = filled(&element, &value);
            told.insert("type".into(), json!(kind(&element)));
            let actions = state.entry(id).or_insert_with(|| json!({}));
            actions[action] = Value::Object(told);
        }
    }
    for name in values.keys() {
        assert!(used.contains(name), "nothing named {name} in the form");
    }
    state
}

/// What a form does on the acknowledgement of its submission: closes, shows errors, changes, is covered by another.
pub(crate) fn answered(state: &mut State, view: &ViewId, body: Option<&Value>) {
    let word = body.and_then(|body| body.get("response_action")).and_then(Value::as_str);
    let other = || body.and_then(|body| body.get("view")).and_then(Value::as_object).cloned();
    match (word, other()) {
        (Some("errors"), _) => {}
        (Some("update"), Some(body)) => {
            check_view(&Value::Object(body.clone())).expect("a view that Slack takes");
            methods::replace(state, view.as_str(), body);
        }
        (Some("push"), Some(body)) => methods::push_onto(state, view, body),
        (Some("clear"), _) => {
            let root = state.view_mut(view.as_str()).map(|view| view.root.clone());
            state.views.retain(|other| Some(&other.root) != root.as_ref());
        }
        _ => state.views.retain(|other| other.id != *view),
    }
}
