//! Interactions that Discord posts to us, signed, in place of a gateway.

use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use tidegate_tests::discord::now_ms;
use tidegate_tests::in_discord::InDiscord;
use tidegate_tests::yard::Process;

/// Who signs, and where it is sent.
struct Posts {
    pair: Ed25519KeyPair,
    port: String,
}

impl Posts {
    async fn begin() -> (InDiscord, Process, Self) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
        let key = hex::encode(pair.public_key().as_ref());
        let lines = format!("mode = \"http\"\npublic_key = \"{key}\"\nlisten = \"127.0.0.1:0\"");
        let place = InDiscord::lay_with(&lines).await;
        let serve = place.start();
        let said = |err: &str| {
            let line = err.lines().find(|line| line.contains("listening for HTTP"))?.to_owned();
            let port: String = line.split("127.0.0.1:").nth(1)?.chars().take_while(char::is_ascii_digit).collect();
            (!port.is_empty()).then_some(port)
        };
        let port = place.yard.wait("HTTP is listened to", async || said(&serve.err())).await;
        (place, serve, Self { pair, port })
    }

    async fn send(&self, time: i64, body: &str, forged: bool) -> (u16, Value) {
        let time = (time / 1_000).to_string();
        let signed = format!("{time}{}", if forged { "{}" } else { body });
        let signature = hex::encode(self.pair.sign(signed.as_bytes()).as_ref());
        let request = axum::http::Request::post(format!("http://127.0.0.1:{}/discord/interactions", self.port))
            .header("x-signature-ed25519", signature)
            .header("x-signature-timestamp", time)
            .body(axum::body::Body::from(body.to_owned()))
            .expect("a request");
        let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
        let answer = client.request(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(axum::body::Body::new(answer.into_body()), 1 << 20).await.expect("a body");
        (status, serde_json::from_slice::<Value>(&body).unwrap_or_default())
    }
}

#[tokio::test]
async fn interactions_come_by_http_signed_and_nothing_else_is_believed() {
    let (place, serve, posts) = Posts::begin().await;
    let now = now_ms();
    assert_eq!(posts.send(now, "{\"type\":1}", false).await, (200, json!({ "type": 1 })));
    assert_eq!(posts.send(now, "{\"type\":1}", true).await.0, 401);
    assert_eq!(posts.send(now - 10 * 60_000, "{\"type\":1}", false).await.0, 401);
    let (interaction, event) = place.discord.written(place.alice, place.channel, "up", &[("env", "shop")]);
    let (status, acknowledged) = posts.send(now, &event.to_string(), false).await;
    assert_eq!((status, &acknowledged), (200, &json!({ "type": 5 })));
    place.discord.answered(interaction, &acknowledged);
    // Once more, as anybody could send it again within five minutes.
    assert_eq!(posts.send(now, &event.to_string(), false).await.0, 200);
    place.yard.until(1, "succeeded").await;
    place.reads("shop is at full").await;
    place.settled().await;
    assert!(place.yard.known(2).await.is_none());
    assert_eq!(place.discord.connected(), 0, "no gateway");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn an_answer_that_is_faster_than_its_acknowledgement_waits_for_it() {
    const ANSWER: &str = "PATCH /webhooks/-/-/messages/@original";
    let (place, serve, posts) = Posts::begin().await;
    let (interaction, event) = place.discord.written(place.alice, place.channel, "up", &[("env", "shop")]);
    let (_, acknowledged) = posts.send(now_ms(), &event.to_string(), false).await;
    // What stands between us and Discord has it still.
    place.discord.until("it is answered too soon", || place.discord.calls(ANSWER).first().cloned()).await;
    place.discord.answered(interaction, &acknowledged);
    let text = place.reads("[run 1 in its channel](").await;
    assert!(!text.contains("(thinks)"), "{text}");
    place.yard.until(1, "succeeded").await;
    place.settled().await;
    assert_eq!(place.discord.posted(place.channel).len(), 2, "the answer and the card");
    serve.stop().await.exits(0);
    place.discord.check();
}
