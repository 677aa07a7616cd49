//! What is sent to the app, and answered, has no field that Slack's published samples lack.
//!
//! What of the samples is compared with lies in `tests/slack/described.json`, which `tests/slack/reduce.py` makes of them.

use serde_json::{Value, json};

use super::{Socket, button, call, call_as, read};
use crate::slack::Workspace;
use crate::slack::judges::described;

/// Fields that Slack sends and the samples are too old, or too general, to have.
const NEWER: &[&str] = &[
    "/context_enterprise_id",
    "/context_team_id",
    "/message/bot_profile/user_id",
    "/state/values",
    "/response_urls",
    "/usergroups/auto_type",
    "/view/blocks",
    "/view/state/values",
];

/// The paths of `told` that `sample` has not. What lies in blocks and in forms is the app's own.
fn unknown(told: &Value, sample: &Value, at: &str, found: &mut Vec<String>) {
    match (told, sample) {
        (Value::Object(told), Value::Object(sample)) => {
            for (name, value) in told {
                let here = format!("{at}/{name}");
                match sample.get(name) {
                    None if NEWER.contains(&here.as_str()) => {}
                    None => found.push(here),
                    Some(_) if ["blocks", "attachments", "values"].contains(&name.as_str()) => {}
                    Some(other) => unknown(value, other, &here, found),
                }
            }
        }
        (Value::Array(told), Value::Array(sample)) => {
            for (value, other) in told.iter().flat_map(|value| sample.iter().map(move |other| (value, other))) {
                unknown(value, other, at, found);
            }
        }
        _ => {}
    }
}

#[track_caller]
fn known(payload: &Value, name: &str) {
    fields(payload, "payloads", name);
}

#[track_caller]
fn fields(told: &Value, part: &str, name: &str) {
    let sample = &described()[part][name];
    assert!(sample.is_object(), "{part} {name} is not described");
    let mut found = Vec::new();
    unknown(told, sample, "", &mut found);
    assert_eq!(found, Vec::<String>::new(), "{name} has no such fields");
}

#[tokio::test]
async fn payloads_have_the_fields_of_slacks_samples() {
    let slack = Workspace::start().await;
    let (alice, channel) = (slack.person("alice"), slack.channel("#load-test"));
    call(&slack, "chat.postMessage", &json!({ "channel": channel.as_str(), "text": "x", "blocks": button("approve") }))
        .await;
    let mut socket = Socket::connect(&slack).await;

    let (_, command) = tokio::join!(slack.command(&alice, &channel, "/tide", "status"), socket.take());
    known(&command, "SlashCommandPayload");
    let both = async { [socket.take().await, socket.take().await] };
    let (said, events) = tokio::join!(slack.mention(&alice, &channel, None, "@tidegate status"), both);
    for event in &events {
        let mention = event["event"]["type"] == "app_mention";
        known(event, if mention { "AppMentionPayload" } else { "MessagePayload" });
    }
    let (_, changed) = tokio::join!(slack.edit(&said.message, "@tidegate up shop"), socket.take());
    known(&changed, "MessageChangedPayload");
    let (_, deleted) = tokio::join!(slack.delete(&said.message), socket.take());
    known(&deleted, "MessageDeletedPayload");
    let card = slack.find(&channel, "[Approve]").expect("the card");
    let (_, pressed) = tokio::join!(slack.press(&alice, &card, "approve"), socket.take());
    known(&pressed, "BlockActionPayload");
    let (_, opened) = tokio::join!(slack.open_home(&alice), socket.take());
    known(&opened, "AppHomeOpenedPayload");

    let plain = |text: &str| json!({ "type": "plain_text", "text": text });
    let input = json!({ "type": "input", "optional": true, "label": plain("Because"), "element": { "type": "plain_text_input" } });
    let view = json!({ "type": "modal", "title": plain("Raise"), "submit": plain("Raise"), "notify_on_close": true, "blocks": [input] });
    call(&slack, "views.open", &json!({ "trigger_id": pressed["trigger_id"], "view": view })).await;
    let form = slack.form(&alice).expect("a form");
    let submitting = async { slack.submit(&alice, &form, &json!({})).await };
    let answering = async {
        let envelope = socket.next().await.expect("an envelope");
        let errors = json!({ "response_action": "errors", "errors": {} });
        socket.acknowledge(&envelope, Some(errors)).await;
        envelope["payload"].clone()
    };
    let (_, submitted) = tokio::join!(submitting, answering);
    known(&submitted, "ViewSubmissionPayload");
    let (_, closed) = tokio::join!(slack.close(&alice, &form), socket.take());
    known(&closed, "ViewClosedPayload");
}

#[tokio::test]
async fn answers_have_the_fields_of_slacks_samples() {
    let slack = Workspace::start().await;
    let (alice, channel) = (slack.person("alice"), slack.channel("#load-test"));
    let group = slack.group("ops", &[&alice]);
    let bot = call(&slack, "auth.test", &json!({})).await;
    fields(&bot, "answers", "auth.test");
    let (place, full) = (("channel", channel.as_str()), [("include_users", "true"), ("include_count", "true")]);
    for (method, form) in [
        ("users.info", vec![("user", alice.as_str())]),
        ("users.list", vec![]),
        ("conversations.info", vec![place]),
        ("conversations.list", vec![]),
        ("conversations.members", vec![place]),
        ("usergroups.list", full.to_vec()),
        ("usergroups.users.list", vec![("usergroup", group.as_str())]),
        ("bots.info", vec![("bot", bot["bot_id"].as_str().expect("an id"))]),
        ("files.getUploadURLExternal", vec![("filename", "plan.txt"), ("length", "3")]),
    ] {
        let answer = read(&slack, method, &form).await;
        assert_eq!(answer["ok"], true, "{answer}");
        fields(&answer, "answers", method);
    }
    let home = json!({ "user_id": alice.as_str(), "view": { "type": "home", "blocks": button("approve") } });
    fields(&call(&slack, "views.publish", &home).await, "answers", "views.publish");
    let only = json!({ "channel": channel.as_str(), "user": alice.as_str(), "text": "psst" });
    fields(&call(&slack, "chat.postEphemeral", &only).await, "answers", "chat.postEphemeral");
    let (_, opened) = call_as(&slack, "apps.connections.open", "application/json", slack.app_token(), "").await;
    fields(&opened, "answers", "apps.connections.open");
}
