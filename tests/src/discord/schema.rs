//! Whether a body is one that Discord takes: its published description, and the limits that stand beside it.

use std::collections::HashMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Value, json};

fn validators() -> &'static HashMap<String, Validator> {
    static ALL: OnceLock<HashMap<String, Validator>> = OnceLock::new();
    ALL.get_or_init(|| {
        let described: Value = serde_json::from_str(include_str!("../../discord/openapi.json")).expect("JSON");
        let bodies = described["bodies"].as_object().expect("bodies");
        let of = |body: &Value| {
            let whole = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [body],
                "components": described["components"],
            });
            jsonschema::validator_for(&whole).expect("a schema")
        };
        bodies.iter().map(|(call, body)| (call.clone(), of(body))).collect()
    })
}

/// What is wrong with a body; nothing where all is well.
pub(super) fn wrong(call: &str, body: &Value) -> Vec<String> {
    let validator = validators().get(call).unwrap_or_else(|| panic!("`{call}` is not described: add it to reduce.py"));
    let mut all: Vec<String> =
        validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path)).collect();
    if call.contains("/messages") || call.contains("/webhooks") {
        message(body, &mut all);
    }
    if call.contains("/callback") && !body["data"].is_null() {
        message(&body["data"], &mut all);
    }
    if call.contains("/commands") {
        for command in body.as_array().into_iter().flatten() {
            let all_of = characters(command);
            if all_of > 8_000 {
                all.push(format!("a command of {all_of} characters"));
            }
        }
    }
    for one in &mut all {
        *one = one.chars().take(400).collect();
    }
    all
}

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.chars().count())
}

fn characters(value: &Value) -> usize {
    let own = length(&value["name"]) + length(&value["description"]);
    own + value["options"].as_array().into_iter().flatten().map(characters).sum::<usize>()
}

fn message(body: &Value, wrong: &mut Vec<String>) {
    if length(&body["content"]) > 2_000 {
        wrong.push("content of more than 2,000 characters".to_owned());
    }
    let embeds = body["embeds"].as_array().cloned().unwrap_or_default();
    let of_embed = |embed: &Value| {
        let fields = embed["fields"].as_array().into_iter().flatten();
        let fields: usize = fields.map(|field| length(&field["name"]) + length(&field["value"])).sum();
        length(&embed["title"]) + length(&embed["description"]) + length(&embed["footer"]["text"]) + fields
    };
    let total: usize = embeds.iter().map(of_embed).sum();
    if total > 6_000 {
        wrong.push(format!("embeds of {total} characters"));
    }
    let rows = body["components"].as_array().cloned().unwrap_or_default();
    if rows.len() > 5 {
        wrong.push(format!("{} rows", rows.len()));
    }
    let mut ids: Vec<&Value> =
        rows.iter().filter_map(|row| row["components"].as_array()).flatten().map(|one| &one["custom_id"]).collect();
    let before = ids.len();
    ids.sort_by_key(ToString::to_string);
    ids.dedup();
    if ids.len() < before {
        wrong.push("a custom id stands twice".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: &str = "post /channels/{channel_id}/messages";

    #[test]
    fn what_discord_takes_is_taken_and_what_it_refuses_is_refused() {
        let good = json!({ "content": "", "embeds": [{ "title": "x", "description": "y" }], "components": [],
            "allowed_mentions": { "parse": [], "users": ["12"], "roles": [] }, "nonce": "a", "enforce_nonce": true });
        assert_eq!(wrong(POST, &good), Vec::<String>::new());
        let button = |id: &str| json!({ "type": 2, "style": 1, "label": "x", "custom_id": id });
        for (what, bad) in [
            ("a long title", json!({ "embeds": [{ "title": "x".repeat(257) }] })),
            ("a long content", json!({ "content": "x".repeat(2_001) })),
            (
                "embeds in all",
                json!({ "embeds": [{ "description": "x".repeat(4_000) }, { "description": "x".repeat(2_001) }] }),
            ),
            ("a long id", json!({ "components": [{ "type": 1, "components": [button(&"x".repeat(101))] }] })),
            ("an id twice", json!({ "components": [{ "type": 1, "components": [button("a"), button("a")] }] })),
            ("a number for a text", json!({ "content": 5 })),
            ("everybody", json!({ "allowed_mentions": { "parse": ["nobody"] } })),
        ] {
            assert!(!wrong(POST, &bad).is_empty(), "{what}");
        }
    }
}
