//! Whether Tidegate hears and speaks: what `/health` and `status` tell, what is found that was not delivered, whose messages count.

use serde_json::{Value, json};
use tidegate_tests::in_slack::InSlack;
use tidegate_tests::slack::Refusal;

/// Lines for an HTTP mode that looks back often.
const HTTP: &str = "mode = \"http\"\nlisten = \"127.0.0.1:0\"\nlook_back = \"1s\"";

/// What `/health` answers.
pub(crate) async fn health(address: &str) -> (u16, Value) {
    let request = axum::http::Request::get(format!("http://{address}/health")).body(axum::body::Body::empty());
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
    let answer = client.request(request.expect("a request")).await.expect("an answer");
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(axum::body::Body::new(answer.into_body()), 1 << 20).await.expect("a body");
    (status, serde_json::from_slice(&body).expect("JSON"))
}

#[tokio::test]
async fn health_is_told_in_figures_at_an_address_of_its_own_and_in_status() {
    let place = InSlack::lay_with("\n[web]\nlisten = \"127.0.0.1:0\"\n").await;
    let (serve, address) = place.serve_http().await;
    place.slack.connected(2).await;
    let (_, before) = health(&address).await;
    assert_eq!(before["chats"]["slack"].get("event_age_s"), None, "nothing was heard: {before}");
    place.tide("status").await;
    place.reads("1 runner alive · Slack: heard from within the last 5 min").await;
    place.settled().await;
    let (status, mut told) = health(&address).await;
    let age_s = told["chats"]["slack"]["event_age_s"].take().as_u64().expect("an age");
    assert!(age_s < 60, "{age_s}");
    assert!(told["database"]["took_ms"].take().is_u64());
    told["version"].take();
    let expected = json!({
        "ok": true, "problems": [], "version": null, "database": { "answers": true, "took_ms": null },
        "runners": { "alive": 1, "silent": 0 }, "chats": { "slack": { "event_age_s": null, "outbox": 0 } },
    });
    assert_eq!((status, told), (200, expected));
    // What is to be said waits, and that is told.
    place.slack.refuse("chat.postMessage", Refusal::Status(503)).lasting();
    let run = place.yard.run(&["shell", "-c", "up shop"]).await;
    assert!(run.out.contains("shop"), "{run:?}");
    let waits = async || (health(&address).await.1["chats"]["slack"]["outbox"].as_u64()? > 0).then_some(());
    place.yard.wait("it is told what waits", waits).await;
    place.slack.accept("chat.postMessage");
    place.reads("shop is at full").await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_is_not_delivered_over_http_is_found_while_tidegate_runs() {
    let place = InSlack::lay_with(HTTP).await;
    let (serve, address) = place.serve_http().await;
    place.slack.over_http(&format!("http://{address}"));
    let heard = place.slack.mention(&place.alice, &place.channel, None, "@tidegate envs").await;
    heard.accepted();
    place.settled().await;
    // Nobody is at that address: as with a proxy that is away.
    place.slack.over_http("http://127.0.0.1:9");
    place.slack.mention(&place.alice, &place.channel, None, "@tidegate up shop").await;
    place.yard.until(1, "succeeded").await;
    place.reads("shop is at full").await;
    // Delivered later all the same, it is known.
    place.slack.over_http(&format!("http://{address}"));
    place.slack.redeliver().await;
    place.settled().await;
    assert!(place.yard.known(2).await.is_none(), "it is done once");
    let answers = place.slack.transcript(&place.channel);
    assert_eq!(answers.matches("Environments at").count(), 1, "{answers}");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_port_that_cannot_be_had_is_told_until_it_can() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = taken.local_addr().expect("an address");
    let lines = format!("mode = \"http\"\nlisten = \"{port}\"\n[web]\nlisten = \"127.0.0.1:0\"\n");
    let place = InSlack::lay_with(&lines).await;
    let (serve, address) = place.serve_http().await;
    place.yard.wait("it is tried", async || serve.err().contains("cannot listen for HTTP").then_some(())).await;
    let deaf = async || health(&address).await.1["chats"]["slack"]["deaf_s"].is_u64();
    assert!(deaf().await, "nothing can be heard");
    drop(taken);
    place.yard.wait("it is listened to", async || (!deaf().await).then_some(())).await;
    place.slack.over_http(&format!("http://{port}"));
    place.tide("whoami").await;
    place.reads("owner").await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn slack_is_not_asked_for_a_connection_before_it_wants_to_be() {
    const OPEN: &str = "apps.connections.open";
    let place = InSlack::lay().await;
    place.slack.refuse(OPEN, Refusal::RateLimited { retry_after: 4 }).for_calls(1);
    let began = tokio::time::Instant::now();
    let serve = place.start();
    place.slack.connected(2).await;
    assert!(began.elapsed().as_secs() >= 4, "{:?}", began.elapsed());
    assert_eq!(place.slack.calls_of(OPEN).len(), 3, "each connection asks once, when it may");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn messages_for_another_app_are_not_heard_and_that_is_told() {
    let place = InSlack::lay().await;
    place.slack.bot_of_another_app();
    let env = [
        ("BOT", place.slack.bot_token()),
        ("APP", place.slack.app_token()),
        ("SIGNING", place.slack.signing_secret()),
        ("TIDEGATE_LOOPBACK_ONLY", "1"),
    ];
    let told = place.yard.start(&["check", "--online"], &env).end().await;
    told.says(&["`app_token`", "it is of the app A0TIDEGATE, and `bot_token` is of A0OTHER"]).exits(1);
    let serve = place.start();
    place.yard.wait("it is told", async || serve.err().contains("other_app").then_some(())).await;
    assert!(!serve.err().contains("listening to Slack"), "{}", serve.err());
    serve.stop().await.exits(0);
    place.yard.configure("[chat.slack]", "[chat.slack]\nmode = \"http\"\nlisten = \"127.0.0.1:0\"");
    let (serve, address) = place.serve_http().await;
    place.slack.over_http(&format!("http://{address}"));
    place.tide("up shop").await;
    // Acknowledged, and so read to its end.
    assert_eq!(place.yard.number("SELECT COUNT(*) FROM inbox").await, 0, "what is for another app is not stored");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_run_that_cannot_be_read_keeps_no_other_from_being_told_of() {
    const SHOWN: &str = "SELECT COUNT(*) FROM cards WHERE run_number = 2 AND settled";
    let place = InSlack::lay().await;
    place.lay_more(&["other"], "#load-test");
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    place.settled().await;
    serve.stop().await.exits(0);
    place.yard.change_ledger("UPDATE runs SET request = '{\"unknown\":' WHERE number = 1").await;
    place.yard.change_ledger("UPDATE cards SET settled = FALSE WHERE run_number = 1").await;
    let serve = place.serve().await;
    place.yard.wait("it is told in the log", async || serve.err().contains("a run cannot be read").then_some(())).await;
    place.tide("up other").await;
    place.reads("other is at full").await;
    // The card of the one that cannot be read never shows its end.
    place.yard.wait("the other's card", async || (place.yard.number(SHOWN).await == 1).then_some(())).await;
    assert_eq!(serve.err().matches("a run cannot be read").count(), 1, "once: {}", serve.err());
    assert!(place.slack.transcript(&place.channel).contains("shop is at full"), "its card stays as it was");
    serve.stop().await.exits(0);
}
