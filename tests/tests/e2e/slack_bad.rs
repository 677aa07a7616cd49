//! What nobody should send, and some do: unsigned, tampered with, of the past, of kinds that do not exist yet, strange in its letters.
//! Never a panic, never a run.

use serde_json::{Value, json};
use tidegate_tests::in_slack::InSlack;

/// A press of a button with this id and value, on a message of the channel.
fn press(place: &InSlack, id: &str, value: &Value) -> Value {
    json!({
        "type": "block_actions", "team": { "id": place.slack.team() }, "trigger_id": "1.2.3",
        "user": { "id": place.alice.as_str(), "team_id": place.slack.team() },
        "channel": { "id": place.channel.as_str() }, "message": { "ts": "1700000000.000001" },
        "container": { "type": "message", "channel_id": place.channel.as_str(), "message_ts": "1700000000.000001" },
        "actions": [{ "type": "button", "action_id": id, "block_id": "b", "value": value, "action_ts": "1700000000.000002" }],
    })
}

#[tokio::test]
async fn what_is_tampered_with_or_of_a_kind_that_does_not_exist_yet_is_acknowledged_and_does_nothing() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    let with = |typed: &str| json!({ "typed": typed, "version": "v", "label": "Approve" }).to_string();
    let long = with(&format!("approve {}", "9".repeat(5_000)));
    for (id, value) in [
        ("tide.approve", json!(with("up shop"))),
        ("tide.approve", json!("{\"typed\":")),
        ("tide.approve", json!(long)),
        ("tide.approve", Value::Null),
        ("tide.approve", json!({ "typed": "approve 1" })),
        ("tide.", json!(with(""))),
        ("up", json!(with("up shop"))),
        ("\u{202e}tide.up", json!(with("up shop"))),
    ] {
        place.slack.interaction(&press(&place, id, &value)).await.accepted();
    }
    let user = json!({ "id": place.alice.as_str() });
    for payload in [
        json!({ "type": "hologram", "user": user }),
        json!({ "type": "block_actions", "user": user, "actions": [] }),
        json!({ "type": "block_actions", "user": user, "actions": "many" }),
        json!({ "type": "view_submission", "user": user }),
        json!({ "type": "view_submission", "user": user, "view": { "id": "V1", "callback_id": "other", "private_metadata": "{}" } }),
        json!({ "type": "view_submission", "user": user, "view": { "id": "V1", "callback_id": "tide.do", "private_metadata": "no" } }),
        json!([1, 2]),
        json!("日本"),
    ] {
        place.slack.interaction(&payload).await.accepted();
    }
    for event in [
        json!({ "type": "hologram_raised", "user": place.alice.as_str() }),
        json!({ "type": "message", "channel": 5, "text": ["x"], "user": {} }),
        json!({ "type": "message", "subtype": "hologram", "text": "<@UBOT> up shop" }),
        Value::Null,
    ] {
        place.slack.happening(&event).await.accepted();
    }
    for payload in [json!({ "any": "thing" }), Value::Null] {
        place.slack.unheard_of(&payload).await.accepted();
    }
    place.tide("status").await;
    place.reads("shop").await;
    place.settled().await;
    assert!(place.yard.known(1).await.is_none(), "nothing was run");
    assert!(!serve.err().contains("panicked"), "{}", serve.err());
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn commands_of_any_length_and_letters_are_answered_and_harm_nobody() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    // Letters without width come with what is copied; they mean nothing.
    let long = format!("up sh\u{200b}op because {}", "very ".repeat(790));
    for words in ["日本".repeat(5_000).as_str(), "up \u{202e}pohs", "\u{feff}\u{2066}up\u{2069} shop slaves=1 \u{0}"]
    {
        let before = place.slack.transcript(&place.channel).len();
        place.tide(words).await;
        let more = || place.slack.transcript(&place.channel).len() > before;
        place.slack.until("an answer", more).await;
    }
    // Cut, it could mean something else: what is too long is not done, however it was said.
    let too_long = format!("up shop because {}", "very ".repeat(2_000));
    place.tide(&too_long).await;
    let text = place.reads("This has 10,015 characters, and nothing of it is done: 4,000 are the most").await;
    assert!(!text.contains("alice: /tide up shop"), "what is not done is shown to nobody else: {text}");
    place.slack.mention(&place.alice, &place.channel, None, &format!("@tidegate {too_long}")).await.accepted();
    place.slack.direct(&place.alice, &too_long).await.accepted();
    let direct = place.slack.direct_channel(&place.alice);
    place.slack.reads(&direct, "4,000 are the most").await;
    place.settled().await;
    assert_eq!(place.slack.transcript(&place.channel).matches("4,000 are the most").count(), 3, "one was 日本");
    assert!(place.yard.known(1).await.is_none(), "nothing was run");
    place.yard.shell("audit failed").await.says(&["REFUSED (too long)"]).exits(0);
    // What is only long is done; its reason is cut where it is shown.
    place.tide(&long).await;
    place.reads("shop is at full").await;
    let text = place.slack.transcript(&place.channel);
    let own = |line: &&str| !line.starts_with("alice: ");
    assert!(text.lines().filter(own).all(|line| line.chars().count() < 3_500), "{text}");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_form_for_an_environment_that_was_removed_says_so_beside_its_field() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.tide("").await;
    place.slack.until("a form", || place.slack.form(&place.alice).is_some()).await;
    let form = place.slack.form(&place.alice).expect("a form");
    let text = place.yard.read("tidegate.toml");
    place.yard.write("tidegate.toml", &text.replace("environments.shop", "environments.attic"));
    place
        .yard
        .wait("the new configuration", async || serve.err().contains("the configuration was read again").then_some(()))
        .await;
    let answer = place.slack.submit(&place.alice, &form, &json!({ "what": "up" })).await;
    let errors = answer.body().map(|body| body["errors"].clone()).unwrap_or_default();
    assert!(errors["environment"].as_str().is_some_and(|told| told.contains("shop")), "{errors}");
    assert!(place.slack.form(&place.alice).is_some(), "the form stays");
    assert!(place.yard.known(1).await.is_none(), "nothing was run");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_slack_did_not_sign_is_not_read() {
    let place = InSlack::lay_with("mode = \"http\"\nlisten = \"127.0.0.1:0\"").await;
    let (serve, address) = place.serve_http().await;
    let body = format!(
        "trigger_id=1&team_id={}&user_id={}&channel_id={}&text=up+shop",
        place.slack.team(),
        place.alice.as_str(),
        place.channel.as_str()
    );
    // Now, as a file that was just written tells it.
    let written = std::fs::metadata(place.yard.file("tidegate.toml")).and_then(|file| file.modified()).expect("a time");
    let now = written.duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs();
    let signed = |time: &str, signature: &str| {
        format!("x-slack-request-timestamp: {time}\r\nx-slack-signature: {signature}\r\n")
    };
    let forged = format!("v0={}", "0".repeat(64));
    for headers in [
        String::new(),
        signed(&now.to_string(), &forged),
        signed(&now.to_string(), ""),
        signed("-9223372036854775808", &forged),
        signed("99999999999999999999", &forged),
        signed("日本", &forged),
    ] {
        let status = post(&address, "/slack/commands", &headers, &body).await;
        assert!(status.contains(" 401 ") || status.contains(" 400 "), "{status}");
    }
    // Signed well, and changed by one byte; signed well, and old.
    let honest = place.slack.sign(&now.to_string(), &body);
    let changed = body.replace("text=up", "text=uq");
    let status = post(&address, "/slack/commands", &signed(&now.to_string(), &honest), &changed).await;
    assert!(status.contains(" 401 "), "{status}");
    for at in [now - 301, now + 400] {
        let old = place.slack.sign(&at.to_string(), &body);
        let status = post(&address, "/slack/commands", &signed(&at.to_string(), &old), &body).await;
        assert!(status.contains(" 401 "), "{status}");
    }
    let large = post(&address, "/slack/events", "", &"x".repeat(2 << 20)).await;
    assert!(large.contains(" 413 ") || large.is_empty(), "{large}");
    place.settled().await;
    assert!(place.yard.known(1).await.is_none(), "nothing was run");
    // As it was signed, it is.
    let status = post(&address, "/slack/commands", &signed(&now.to_string(), &honest), &body).await;
    assert!(status.contains(" 200 "), "{status}");
    place.yard.until(1, "succeeded").await;
    serve.stop().await.exits(0);
}

/// The first line of what is answered to a request.
async fn post(address: &str, path: &str, headers: &str, body: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         {headers}content-length: {}\r\n\r\n",
        body.len()
    );
    // A body that is too large is not read to its end.
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}
