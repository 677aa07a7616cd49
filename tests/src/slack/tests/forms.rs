//! Buttons, forms, the Home tab, response URLs.

use serde_json::{Value, json};

use super::{Socket, button, call};
use crate::slack::http::post;
use crate::slack::{UserId, Workspace};

fn form(callback: &str) -> Value {
    let plain = |text: &str| json!({ "type": "plain_text", "text": text });
    let option = |name: &str| json!({ "text": plain(name), "value": name });
    json!({ "type": "modal", "callback_id": callback, "title": plain("Raise"), "submit": plain("Raise"), "notify_on_close": true, "blocks": [
        { "type": "input", "block_id": "env", "label": plain("Environment"),
          "element": { "type": "static_select", "action_id": "pick", "options": [option("shop"), option("search")] } },
        { "type": "input", "block_id": "why", "optional": true, "label": plain("Because"),
          "element": { "type": "plain_text_input", "action_id": "reason" } },
    ] })
}

/// A command, whose trigger and response URL are given.
async fn command(slack: &Workspace, socket: &mut Socket, person: &UserId) -> Value {
    let channel = slack.channel("#load-test");
    let (told, payload) = tokio::join!(slack.command(person, &channel, "/tide", ""), socket.take());
    told.accepted();
    payload
}

#[tokio::test]
async fn a_press_tells_which_button_of_which_message() {
    let slack = Workspace::start().await;
    let (alice, channel) = (slack.person("alice"), slack.channel("#load-test"));
    call(&slack, "chat.postMessage", &json!({ "channel": channel.as_str(), "text": "x", "blocks": button("approve") }))
        .await;
    let mut socket = Socket::connect(&slack).await;
    let card = slack.find(&channel, "[Approve]").expect("the card");
    let (told, payload) = tokio::join!(slack.press(&alice, &card, "approve"), socket.take());
    told.accepted();
    let action = &payload["actions"][0];
    assert_eq!(
        (&action["action_id"], &action["value"], &action["type"]),
        (&json!("approve"), &json!("812"), &json!("button"))
    );
    assert_eq!(
        (&payload["container"]["message_ts"], &payload["user"]["id"]),
        (&json!(card.ts), &json!(alice.as_str()))
    );
    let body = json!({ "replace_original": true, "text": "approved" }).to_string().into_bytes();
    let url = payload["response_url"].as_str().expect("an address");
    assert_eq!(post(url, &[], body).await.map(|answer| answer.0), Ok(200));
    assert_eq!(slack.transcript(&channel), "#load-test\ntidegate (edited): approved\n");
}

#[tokio::test]
#[should_panic(expected = "nothing named reject")]
async fn nobody_can_press_what_is_not_there() {
    let slack = Workspace::start().await;
    let (alice, channel) = (slack.person("alice"), slack.channel("#load-test"));
    call(&slack, "chat.postMessage", &json!({ "channel": channel.as_str(), "text": "x", "blocks": button("approve") }))
        .await;
    let card = slack.find(&channel, "[Approve]").expect("the card");
    slack.press(&alice, &card, "reject").await;
}

#[tokio::test]
async fn a_form_opens_by_a_trigger_once_and_is_submitted_with_what_was_entered() {
    let slack = Workspace::start().await;
    let alice = slack.person("alice");
    let mut socket = Socket::connect(&slack).await;
    let trigger = command(&slack, &mut socket, &alice).await["trigger_id"].clone();
    let open = json!({ "trigger_id": trigger, "view": form("raise") });
    let opened = call(&slack, "views.open", &open).await;
    assert_eq!((&opened["ok"], &opened["view"]["callback_id"]), (&json!(true), &json!("raise")), "{opened}");
    assert_eq!(call(&slack, "views.open", &open).await["error"], "exchanged_trigger_id");
    let view = slack.form(&alice).expect("a form");
    assert_eq!(
        slack.view_text(&view),
        "form: Raise\nEnvironment: [shop | search]\nBecause: [____]\n[Raise]\n[Cancel]\n"
    );

    let app = async {
        let envelope = socket.next().await.expect("an envelope");
        let answer = json!({ "response_action": "errors", "errors": { "why": "Say why." } });
        socket.acknowledge(&envelope, Some(answer)).await;
        envelope["payload"]["view"]["state"]["values"].clone()
    };
    let (entered, more) = (json!({ "pick": "shop" }), json!({ "pick": "shop", "why": "a test" }));
    let (told, values) = tokio::join!(slack.submit(&alice, &view, &entered), app);
    assert_eq!(told.body().expect("errors")["errors"]["why"], "Say why.");
    assert_eq!(values["env"]["pick"]["selected_option"]["value"], "shop");
    assert_eq!(values["why"]["reason"], json!({ "type": "plain_text_input", "value": null }));
    let (told, _) = tokio::join!(slack.submit(&alice, &view, &more), socket.take());
    told.accepted();
    assert_eq!(slack.form(&alice), None);
}

#[tokio::test]
async fn a_trigger_dies_and_a_form_that_is_closed_is_told() {
    let slack = Workspace::start().await;
    let alice = slack.person("alice");
    let mut socket = Socket::connect(&slack).await;
    let trigger = command(&slack, &mut socket, &alice).await["trigger_id"].clone();
    call(&slack, "views.open", &json!({ "trigger_id": trigger, "view": form("raise") })).await;
    let view = slack.form(&alice).expect("a form");
    let closing = async { slack.close(&alice, &view).await };
    let (told, payload) = tokio::join!(closing, socket.take());
    assert!(told.is_some_and(|told| told.is_ok()));
    assert_eq!(payload["type"], "view_closed");
    slack.patience(std::time::Duration::from_millis(100));
    let trigger = command(&slack, &mut socket, &alice).await["trigger_id"].clone();
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    let late = call(&slack, "views.open", &json!({ "trigger_id": trigger, "view": form("raise") })).await;
    assert_eq!(late["error"], "expired_trigger_id");
}

#[tokio::test]
async fn views_are_checked_and_an_old_hash_changes_nothing() {
    let slack = Workspace::start().await;
    let alice = slack.person("alice");
    let home = |text: &str| json!({ "type": "home", "blocks": [{ "type": "header", "text": { "type": "plain_text", "text": text } }] });
    let publish = |text: &str| json!({ "user_id": alice.as_str(), "view": home(text) });
    let first = call(&slack, "views.publish", &publish("one")).await;
    let mut with_hash = publish("two");
    with_hash["hash"] = first["view"]["hash"].clone();
    assert_eq!(call(&slack, "views.publish", &with_hash).await["ok"], true);
    assert_eq!(call(&slack, "views.publish", &with_hash).await["error"], "hash_conflict");
    assert_eq!(slack.view_text(&slack.home(&alice).expect("it")), "# two\n");
    let mut long = form("raise");
    long["title"]["text"] = json!("x".repeat(25));
    let refused = call(&slack, "views.open", &json!({ "trigger_id": "1", "view": long })).await;
    assert_eq!(
        refused["response_metadata"]["messages"][0],
        "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"
    );
    assert_eq!(
        call(&slack, "views.open", &json!({ "trigger_id": "1", "view": form("raise") })).await["error"],
        "invalid_trigger_id"
    );
}

#[tokio::test]
async fn a_response_url_takes_five_posts() {
    let slack = Workspace::start().await;
    let (alice, channel) = (slack.person("alice"), slack.channel("#load-test"));
    let mut socket = Socket::connect(&slack).await;
    let payload = command(&slack, &mut socket, &alice).await;
    let url = payload["response_url"].as_str().expect("an address");
    let say = async |kind: &str| {
        let body = json!({ "response_type": kind, "text": kind }).to_string().into_bytes();
        post(url, &[], body).await.expect("an answer").0
    };
    assert_eq!([say("ephemeral").await, say("in_channel").await], [200, 200]);
    assert_eq!(slack.transcript(&channel), "#load-test\ntidegate (only alice sees): ephemeral\ntidegate: in_channel\n");
    assert_eq!([say("x").await, say("x").await, say("x").await, say("x").await], [200, 200, 200, 404]);
}
