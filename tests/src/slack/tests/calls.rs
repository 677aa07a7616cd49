//! The Web API: tokens, scopes, arguments, Slack's words, trouble that is set.

use std::time::Duration;

use serde_json::{Value, json};

use super::{button, call, call_as, read};
use crate::slack::http::post;
use crate::slack::judges::misspelt;
use crate::slack::{Refusal, Workspace};

const JSON: &str = "application/json";

#[tokio::test]
async fn unknown_tokens_and_the_wrong_kind_of_token_are_refused() {
    let slack = Workspace::start().await;
    for (method, token, word) in [
        ("auth.test", "xoxb-other", "invalid_auth"),
        ("chat.postMessage", slack.app_token(), "not_allowed_token_type"),
        ("apps.connections.open", slack.bot_token(), "not_allowed_token_type"),
        ("chat.nothing", slack.bot_token(), "unknown_method"),
    ] {
        let (_, answer) = call_as(&slack, method, JSON, token, "{}").await;
        assert_eq!((&answer["ok"], &answer["error"]), (&json!(false), &json!(word)), "{method}");
    }
    let address = format!("{}/auth.test", slack.api_url());
    let (_, answer) = post(&address, &[], vec![]).await.expect("an answer");
    assert!(String::from_utf8_lossy(&answer).contains("not_authed"));
}

#[tokio::test]
async fn a_missing_scope_is_named_beside_those_that_are_there() {
    let slack = Workspace::start().await;
    slack.scopes(&["commands", "users:read"]);
    let answer = call(&slack, "chat.postMessage", &json!({ "channel": "C1", "text": "x" })).await;
    let expected =
        json!({ "ok": false, "error": "missing_scope", "needed": "chat:write", "provided": "commands,users:read" });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn arguments_come_as_forms_and_as_json_and_what_only_reads_takes_no_json() {
    let slack = Workspace::start().await;
    let channel = slack.channel("#load-test");
    let blocks = button("approve").to_string();
    let posted =
        read(&slack, "chat.postMessage", &[("channel", channel.as_str()), ("text", "a+b & ä"), ("blocks", &blocks)])
            .await;
    assert_eq!((&posted["ok"], &posted["message"]["text"]), (&json!(true), &json!("a+b & ä")));
    assert!(posted["message"]["blocks"][1]["block_id"].is_string());
    let info = call(&slack, "conversations.info", &json!({ "channel": channel.as_str() })).await;
    assert_eq!(info["response_metadata"]["messages"][0], "[ERROR] missing required field: channel");
    let recorded = &slack.calls_of("chat.postMessage")[0];
    assert!(recorded.is_ok() && recorded.arguments["blocks"].is_array() && recorded.text("text") == "a+b & ä");
    assert!(!slack.calls_json().contains(slack.bot_token()));
}

#[tokio::test]
async fn a_message_is_refused_in_slacks_words() {
    let slack = Workspace::start().await;
    let (channel, away) = (slack.channel("#load-test"), slack.foreign_channel("#away"));
    let old = slack.channel("#old");
    slack.set_channel(&old, true, false);
    let here = channel.as_str();
    let section = |text: &str| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    let many = vec![section("x"); 51];
    let long = vec![section(&"x".repeat(3000)); 5];
    for (arguments, word) in [
        (json!({ "text": "x" }), "invalid_arguments"),
        (json!({ "channel": "C0NOWHERE", "text": "x" }), "channel_not_found"),
        (json!({ "channel": away.as_str(), "text": "x" }), "not_in_channel"),
        (json!({ "channel": old.as_str(), "text": "x" }), "is_archived"),
        (json!({ "channel": here }), "no_text"),
        (json!({ "channel": here, "text": "x", "thread_ts": "1.000000" }), "thread_not_found"),
        (json!({ "channel": here, "text": "x", "blocks": "[" }), "invalid_blocks_format"),
        (json!({ "channel": here, "text": "x", "blocks": many }), "invalid_blocks"),
        (json!({ "channel": here, "text": "x", "blocks": long }), "msg_blocks_too_long"),
        (json!({ "channel": here, "text": "x", "blocks": [section("")] }), "invalid_blocks"),
        (json!({ "channel": here, "text": "x", "metadata": { "event_type": "run" } }), "invalid_metadata_schema"),
    ] {
        let answer = call(&slack, "chat.postMessage", &arguments).await;
        assert_eq!(answer["error"], word, "{arguments}");
    }
    let long = json!({ "channel": here, "text": "x", "blocks": [section(&"日".repeat(3001))] });
    let answer = call(&slack, "chat.postMessage", &long).await;
    let told = "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]";
    assert_eq!(answer["response_metadata"]["messages"], json!([told]));
    assert_eq!(slack.transcript(&channel), "#load-test\n");
}

#[tokio::test]
async fn only_the_apps_own_messages_can_be_changed() {
    let slack = Workspace::start().await;
    let (alice, channel) = (slack.person("alice"), slack.channel("#load-test"));
    let hers = slack.say(&alice, &channel, None, "hello").await.message;
    let theirs = json!({ "channel": channel.as_str(), "ts": hers.ts, "text": "x" });
    assert_eq!(call(&slack, "chat.update", &theirs).await["error"], "cant_update_message");
    assert_eq!(call(&slack, "chat.delete", &theirs).await["error"], "cant_delete_message");
    let only = call(
        &slack,
        "chat.postEphemeral",
        &json!({ "channel": channel.as_str(), "user": alice.as_str(), "text": "psst" }),
    )
    .await;
    let only = json!({ "channel": channel.as_str(), "ts": only["message_ts"], "text": "x" });
    assert_eq!(call(&slack, "chat.update", &only).await["error"], "message_not_found");
    assert_eq!(slack.transcript(&channel), "#load-test\nalice: hello\ntidegate (only alice sees): psst\n");
}

#[tokio::test]
async fn trouble_comes_for_as_many_calls_as_was_said() {
    let slack = Workspace::start().await;
    let channel = slack.channel("#load-test");
    let arguments = json!({ "channel": channel.as_str(), "text": "x" }).to_string();
    let token = slack.bot_token();
    let said = async || call_as(&slack, "chat.postMessage", JSON, token, &arguments).await;
    slack.refuse("chat.postMessage", Refusal::Status(503)).for_calls(2);
    slack.refuse("chat.postMessage", Refusal::error("fatal_error")).for_calls(1);
    assert_eq!([said().await.0, said().await.0], [503, 503]);
    assert_eq!(said().await.1["error"], "fatal_error");
    assert_eq!(said().await.1["ok"], true);
    slack.refuse("*", Refusal::MissingScope("chat:write".into())).lasting();
    assert_eq!(said().await.1["needed"], "chat:write");
    slack.accept("*");
    slack.delay("chat.postMessage", Duration::from_millis(50));
    let began = tokio::time::Instant::now();
    assert_eq!(said().await.1["ok"], true);
    assert!(began.elapsed() >= Duration::from_millis(50));
    assert_eq!(slack.calls_of("chat.postMessage").len(), 5 + 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_was_a_post_all_the_same() {
    let slack = Workspace::start().await;
    let channel = slack.channel("#load-test");
    slack.refuse("chat.postMessage", Refusal::AnswerLost).for_calls(1);
    let address = format!("{}/chat.postMessage", slack.api_url());
    let headers = [("content-type", JSON.to_owned()), ("authorization", format!("Bearer {}", slack.bot_token()))];
    let body = json!({ "channel": channel.as_str(), "text": "once" }).to_string().into_bytes();
    assert_eq!(post(&address, &headers, body.clone()).await, Err(false));
    slack.refuse("chat.postMessage", Refusal::DoneBut(500)).for_calls(1);
    assert_eq!(post(&address, &headers, body).await.map(|(status, _)| status), Ok(500));
    assert_eq!(slack.transcript(&channel), "#load-test\ntidegate: once\ntidegate: once\n");
}

#[tokio::test]
async fn one_message_a_second_in_a_channel_when_limits_are_on() {
    let slack = Workspace::start().await;
    let (one, other) = (slack.channel("#one"), slack.channel("#other"));
    slack.limit_rates();
    let said = async |channel: &str| {
        let body = json!({ "channel": channel, "text": "x" }).to_string();
        call_as(&slack, "chat.postMessage", JSON, slack.bot_token(), &body).await
    };
    // At once, so that no slow machine puts a second between them.
    let (first, second) = tokio::join!(said(one.as_str()), said(one.as_str()));
    let refused = if first.0 == 200 { second } else { first };
    assert_eq!(refused, (429, json!({ "ok": false, "error": "ratelimited" })));
    assert_eq!(said(other.as_str()).await.0, 200);
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while said(one.as_str()).await.0 != 200 {
        assert!(std::time::Instant::now() < deadline, "the channel takes nothing any more");
    }
    let address = format!("{}/auth.test", slack.api_url());
    slack.refuse("auth.test", Refusal::RateLimited { retry_after: 7 }).for_calls(1);
    let (status, answer) = post(&address, &[], vec![]).await.expect("an answer");
    assert_eq!(
        (status, serde_json::from_slice::<Value>(&answer).expect("JSON")["error"].clone()),
        (429, json!("ratelimited"))
    );
}

#[tokio::test]
async fn arguments_that_slack_does_not_describe_or_that_lack_are_found() {
    let slack = Workspace::start().await;
    let channel = slack.channel("#load-test");
    call(&slack, "chat.postMessage", &json!({ "channel": channel.as_str(), "text": "x", "metadata": {} })).await;
    assert_eq!(misspelt(&slack), Vec::<String>::new());
    call(&slack, "chat.postMessage", &json!({ "text": "x", "colour": "red" })).await;
    call(&slack, "chat.update", &json!({ "channel": channel.as_str(), "text": "x" })).await;
    assert_eq!(
        misspelt(&slack),
        ["chat.postMessage has no argument colour", "chat.postMessage lacks channel", "chat.update lacks ts"]
    );
}
