//! Socket Mode: who gets what, what is sent again, how connections end. And signed HTTP.

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::connect_async;

use super::{Socket, call_as};
use crate::slack::{Outcome, Workspace, http};

#[tokio::test]
async fn a_command_is_acknowledged_with_words_that_only_its_author_sees() {
    let slack = Workspace::start().await;
    let (alice, channel) = (slack.person("alice"), slack.channel("#load-test"));
    let mut socket = Socket::connect(&slack).await;
    let app = async {
        let envelope = socket.next().await.expect("an envelope");
        assert_eq!(envelope["type"], "slash_commands");
        assert_eq!(
            envelope["payload"]["text"],
            format!("up shop because <@{alice}|alice> &amp; <#{channel}|load-test>")
        );
        socket.acknowledge(&envelope, Some(json!({ "text": "On it." }))).await;
    };
    let text = "up shop because @alice & #load-test";
    let (told, ()) = tokio::join!(slack.command(&alice, &channel, "/tide", text), app);
    assert_eq!(told.accepted().body(), Some(&json!({ "text": "On it." })));
    assert_eq!(slack.transcript(&channel), "#load-test\ntidegate (only alice sees): On it.\n");
}

#[tokio::test]
async fn each_envelope_goes_to_one_socket_and_they_take_turns() {
    let slack = Workspace::start().await;
    let (alice, channel) = (slack.person("alice"), slack.channel("#load-test"));
    let (mut one, mut two) = (Socket::connect(&slack).await, Socket::connect(&slack).await);
    slack.connected(2).await;
    let (said, a, b) = tokio::join!(slack.mention(&alice, &channel, None, "@tidegate status"), one.take(), two.take());
    assert_eq!(said.accepted().acknowledgements.len(), 2);
    let mut kinds = [a["event"]["type"].clone(), b["event"]["type"].clone()];
    kinds.sort_by_key(ToString::to_string);
    assert_eq!(kinds, [json!("app_mention"), json!("message")]);
    assert_eq!((&a["event"]["ts"], &a["event"]["channel"]), (&b["event"]["ts"], &b["event"]["channel"]));
    assert_ne!(a["event_id"], b["event_id"]);
}

#[tokio::test]
async fn an_event_that_nobody_acknowledges_comes_again_at_once_and_then_when_asked() {
    let slack = Workspace::start().await;
    slack.patience(Duration::from_millis(200));
    let alice = slack.person("alice");
    let mut socket = Socket::connect(&slack).await;
    let app = async { [socket.next().await.expect("first"), socket.next().await.expect("second")] };
    let (said, [first, second]) = tokio::join!(slack.direct(&alice, "status"), app);
    assert_eq!(said.acknowledgements[0].outcome, Outcome::Late);
    assert_eq!(first["payload"], second["payload"]);
    assert_eq!([&first["retry_attempt"], &second["retry_attempt"]], [&json!(0), &json!(1)]);
    assert_eq!(second["retry_reason"], "timeout");
    assert_eq!(slack.unacknowledged(), 1);
    let (again, payload) = tokio::join!(slack.redeliver(), socket.take());
    assert!(again[0].is_ok() && payload == first["payload"] && slack.unacknowledged() == 0);
    let (repeated, payload) = tokio::join!(slack.repeat(), socket.take());
    assert!(repeated[0].is_ok() && payload == first["payload"]);
}

#[tokio::test]
async fn what_a_broken_connection_had_goes_to_the_next() {
    let slack = Workspace::start().await;
    let alice = slack.person("alice");
    let mut one = Socket::connect(&slack).await;
    let app = async {
        let taken = one.next().await.expect("an envelope");
        drop(one);
        taken
    };
    let (said, taken) = tokio::join!(slack.direct(&alice, "status"), app);
    assert_eq!(said.acknowledgements[0].outcome, Outcome::Unconnected, "lost, and nobody else was there");
    let mut two = Socket::connect(&slack).await;
    let (again, payload) = tokio::join!(slack.redeliver(), two.take());
    assert!(again[0].is_ok());
    assert_eq!(payload, taken["payload"]);
}

#[tokio::test]
async fn a_disconnect_is_announced_and_only_a_warning_leaves_the_connection() {
    let slack = Workspace::start().await;
    let mut socket = Socket::connect(&slack).await;
    slack.disconnect("warning");
    assert_eq!(socket.next().await.expect("a warning")["reason"], "warning");
    slack.disconnect("refresh_requested");
    assert_eq!(socket.next().await.expect("the end")["reason"], "refresh_requested");
    assert_eq!(socket.next().await, None);
    slack.until("no connection", || slack.sockets() == 0).await;
}

#[tokio::test]
async fn a_half_open_connection_says_nothing_while_a_new_one_lives() {
    let slack = Workspace::start().await;
    slack.patience(Duration::from_millis(300));
    let alice = slack.person("alice");
    let mut dead = Socket::connect(&slack).await;
    slack.half_open();
    assert_eq!(slack.sockets(), 0);
    let said = slack.direct(&alice, "status").await;
    assert_eq!(said.acknowledgements[0].outcome, Outcome::Late);
    let silent = tokio::time::timeout(Duration::from_millis(100), dead.next()).await;
    assert!(silent.is_err(), "it neither speaks nor ends");
    let mut living = Socket::connect(&slack).await;
    // The dead one still has its turn; what it swallows goes to the living one.
    let living = async { living.take().await };
    let (again, payload) = tokio::join!(async { [slack.redeliver().await, slack.redeliver().await].concat() }, living);
    assert!(again.iter().any(crate::slack::Acknowledgement::is_ok));
    assert_eq!(payload["event"]["text"], "status");
}

#[tokio::test]
async fn an_address_opens_one_connection() {
    let slack = Workspace::start().await;
    let (_, opened) = call_as(&slack, "apps.connections.open", "application/json", slack.app_token(), "").await;
    let address = opened["url"].as_str().expect("an address");
    let first = connect_async(address).await;
    assert!(first.is_ok() && connect_async(address).await.is_err());
}

#[tokio::test]
async fn without_a_connection_nothing_is_delivered_and_history_has_it() {
    let slack = Workspace::start().await;
    let (alice, channel) = (slack.person("alice"), slack.channel("#load-test"));
    let told = slack.command(&alice, &channel, "/tide", "status").await;
    assert_eq!(told.outcome, Outcome::Unconnected);
    let said = slack.mention(&alice, &channel, None, "@tidegate status").await;
    assert!(said.acknowledgements.iter().all(|told| told.outcome == Outcome::Unconnected));
    assert_eq!(slack.transcript(&channel), "#load-test\nalice: @tidegate status\n");
}

/// The example of Slack's page "Verifying requests from Slack".
#[test]
fn requests_are_signed_as_slack_documents() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar\
        &user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands\
        %2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let signature = http::sign("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body);
    assert_eq!(signature, "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503");
}

#[tokio::test]
async fn nobody_at_the_address_is_told_apart_from_a_refusal() {
    let slack = Workspace::start().await;
    let (alice, channel) = (slack.person("alice"), slack.channel("#load-test"));
    let other = Workspace::start().await;
    slack.over_http(&other.api_url());
    assert_eq!(slack.command(&alice, &channel, "/tide", "status").await.outcome, Outcome::Refused(404));
    slack.over_http_at("http://127.0.0.1:1/");
    assert_eq!(slack.command(&alice, &channel, "/tide", "status").await.outcome, Outcome::Unconnected);
}
