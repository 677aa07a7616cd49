//! Slack takes something away: the bot's token, its channel, a person. It is told where people look, and runs go on.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tidegate_tests::in_slack::InSlack;
use tidegate_tests::slack::Refusal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A webhook: its address, and the bodies that were posted to it.
pub(crate) async fn webhook() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let bodies: Arc<Mutex<Vec<String>>> = Arc::default();
    let posted = Arc::clone(&bodies);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let posted = Arc::clone(&posted);
            tokio::spawn(async move {
                let mut read = Vec::new();
                let mut piece = [0; 4096];
                let whole = |read: &[u8]| {
                    let text = String::from_utf8_lossy(read).into_owned();
                    let (head, body) = text.split_once("\r\n\r\n")?;
                    let length = head.to_lowercase().split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
                    (body.len() >= length).then(|| body.to_owned())
                };
                let body = loop {
                    let got = stream.read(&mut piece).await.unwrap_or(0);
                    read.extend_from_slice(&piece[..got]);
                    match whole(&read) {
                        Some(body) => break body,
                        None if got == 0 => return,
                        None => {}
                    }
                };
                posted.lock().expect("not poisoned").push(body);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
            });
        }
    });
    (address, bodies)
}

#[tokio::test]
async fn an_archived_channel_is_told_in_status_and_to_the_admins_and_runs_go_on() {
    let place = InSlack::lay_with("admin_channel = \"#admins\"").await;
    let (admins, other) = (place.slack.channel("#admins"), place.slack.channel("#other"));
    let serve = place.serve().await;
    place.tide("status").await;
    place.reads("shop").await;
    place.slack.set_channel(&place.channel, true, false);
    place.slack.command(&place.alice, &other, "/tide", "up shop").await.accepted();
    place.yard.until(1, "succeeded").await;
    let told = place.slack.reads(&admins, "unarchive it, or name another channel").await;
    assert!(told.contains("#load-test"), "{told}");
    let told = place.yard.shell("status shop").await;
    told.says(&["Slack refuses messages to", "runs go on. What helps", "shop is at full"]).exits(0);
    assert!(serve.err().contains("runs go on"), "{}", serve.err());
    // Once it is there again, what was to be said is said, and nothing keeps it any more.
    place.slack.set_channel(&place.channel, false, false);
    serve.stop().await.exits(0);
    let serve = place.serve().await;
    place.reads("shop is at full").await;
    place
        .yard
        .wait("that it is over", async || {
            (!place.yard.shell("status shop").await.out.contains("refuses")).then_some(())
        })
        .await;
    assert_eq!(place.slack.transcript(&admins).matches("unarchive it").count(), 1);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn with_a_revoked_token_failures_go_to_the_webhook_once_and_runs_go_on() {
    let place = InSlack::lay_with("webhook = { env = \"HOOK\" }\nwebhook_after = \"1s\"").await;
    let (address, bodies) = webhook().await;
    place.slack.refuse("*", Refusal::error("token_revoked")).lasting();
    place.yard.fail("create.shop-app.1");
    let serve = place.start_with(&address);
    place.yard.wait("the engine", async || serve.err().contains("ready").then_some(())).await;
    place.yard.accepted("up shop").await;
    place.yard.until(1, "partial").await;
    let posted = || bodies.lock().expect("not poisoned").clone();
    let failure = || posted().iter().filter(|body| body.contains("PARTIAL")).count();
    place.yard.wait("the webhook", async || (failure() == 1).then_some(())).await;
    let trouble = || posted().iter().filter(|body| body.contains("token_revoked")).count();
    place.yard.wait("why, too", async || (trouble() == 1).then_some(())).await;
    assert!(
        posted().iter().all(|body| body.contains("\"mrkdwn\":false")),
        "what people write is no mark: {:?}",
        posted()
    );
    place
        .yard
        .shell("status")
        .await
        .says(&["Slack does not let Tidegate speak (token_revoked)", "the new token"])
        .exits(0);
    // With a good token all of it is said in Slack, too, and no more by the webhook.
    place.slack.accept("*");
    place.reads("PARTIAL").await;
    place
        .yard
        .wait("that it is over", async || (!place.yard.shell("status").await.out.contains("revoked")).then_some(()))
        .await;
    assert_eq!((failure(), trouble(), posted().len()), (1, 1, 2), "{:?}", posted());
    serve.stop().await.exits(0);
}

/// Texts for those who look after Tidegate that nobody has been told.
const UNTOLD: &str = "SELECT COUNT(*) FROM outbox WHERE kind = 'notice' AND sent_at IS NULL";

#[tokio::test]
async fn a_trouble_that_the_admin_channel_does_not_take_goes_to_the_webhook() {
    let lines = "admin_channel = \"#admins\"\nwebhook = { env = \"HOOK\" }\nwebhook_after = \"1s\"";
    let place = InSlack::lay_with(lines).await;
    let admins = place.slack.channel("#admins");
    let (address, bodies) = webhook().await;
    let serve = place.start_with(&address);
    place.slack.connected(2).await;
    place.slack.refuse("chat.postMessage", Refusal::Status(503)).lasting();
    place.slack.refuse("users.info", Refusal::MissingScope("users:read".into())).lasting();
    place.tide("up shop").await;
    let told = || bodies.lock().expect("not poisoned").iter().filter(|body| body.contains("who people are")).count();
    place.yard.wait("the webhook", async || (told() == 1).then_some(())).await;
    place.slack.accept("chat.postMessage");
    place.slack.accept("users.info");
    // And in Slack all the same.
    place.slack.reads(&admins, "who people are").await;
    assert_eq!(told(), 1, "once");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_trouble_that_is_over_is_told_by_no_webhook_and_one_that_was_told_not_after_a_restart() {
    for (after, told) in [("1m", 0), ("1s", 1)] {
        let place = InSlack::lay_with(&format!("webhook = {{ env = \"HOOK\" }}\nwebhook_after = \"{after}\"")).await;
        let (address, bodies) = webhook().await;
        let posted = || bodies.lock().expect("not poisoned").len();
        place.slack.refuse("*", Refusal::error("token_revoked")).lasting();
        let serve = place.start_with(&address);
        place.yard.wait("the engine", async || serve.err().contains("ready").then_some(())).await;
        place
            .yard
            .wait("a trouble", async || (place.yard.number(UNTOLD).await == 1 || posted() == 1).then_some(()))
            .await;
        place.yard.wait("the webhook", async || (posted() == told).then_some(())).await;
        place.slack.accept("*");
        place.slack.connected(2).await;
        place
            .yard
            .wait("nothing is left to be told", async || (place.yard.number(UNTOLD).await == 0).then_some(()))
            .await;
        assert_eq!(posted(), told, "{after}");
        serve.stop().await.exits(0);
    }
}

#[tokio::test]
async fn a_deactivated_person_on_call_is_told_of_and_not_called() {
    let place = InSlack::lay_owned_by(&["oli"], "admin_channel = \"#admins\"").await;
    let admins = place.slack.channel("#admins");
    let oli = place.slack.person("oli");
    place.slack.leaves(&oli);
    place.yard.fail("create.shop-app.1");
    let serve = place.serve().await;
    place.yard.accepted("up shop").await;
    place.reads("run 1 in its channel").await;
    let told = place.slack.reads(&admins, "is deactivated and hears nothing").await;
    assert!(told.contains("take them out of owners and oncall") || told.contains("`oncall`"), "{told}");
    assert!(place.slack.called(&oli).is_empty(), "nobody is there to be called");
    place.yard.shell("status shop").await.says(&["is deactivated and hears nothing"]).exits(0);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn an_asker_who_leaves_is_not_called_any_more_and_those_on_call_are() {
    let place = InSlack::lay_owned_by(&["oli"], "admin_channel = \"#admins\"").await;
    let admins = place.slack.channel("#admins");
    let oli = place.slack.person("oli");
    place.yard.hold("plan");
    place.yard.fail("create.shop-app.1");
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.yard.until(1, "planning").await;
    serve.kill().await;
    place.slack.leaves(&place.alice);
    let serve = place.serve().await;
    place.yard.release("plan");
    place.yard.until(1, "partial").await;
    place.slack.until("those on call are called", || !place.slack.called(&oli).is_empty()).await;
    place.slack.reads(&admins, "is deactivated and hears nothing").await;
    assert!(place.slack.called(&place.alice).is_empty(), "nobody is there to be called");
    // Back, she is no trouble any more.
    place.slack.returns(&place.alice);
    place
        .yard
        .wait("that it is over", async || {
            (!place.yard.shell("status shop").await.out.contains("is deactivated")).then_some(())
        })
        .await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_is_done_to_a_channel_is_told_before_anything_is_said_in_it_and_is_over_once_it_is_undone() {
    let place = InSlack::lay_with("admin_channel = \"#admins\"").await;
    let admins = place.slack.channel("#admins");
    let id = place.channel.as_str();
    place.slack.set_channel(&place.channel, true, false);
    let serve = place.serve().await;
    // Already as it begins, and nobody has asked for anything.
    place.slack.reads(&admins, "refuses messages to #load-test (is_archived)").await;
    let is_over = async |words: &str| (!place.yard.shell("status").await.out.contains(words)).then_some(());
    place.slack.set_channel(&place.channel, false, false);
    place.slack.happening(&json!({ "type": "channel_unarchive", "channel": id })).await.accepted();
    place.yard.wait("that it is over", async || is_over("is_archived").await).await;
    place.slack.rename(&place.channel, "#rehearsals");
    let renamed = json!({ "type": "channel_rename", "channel": { "id": id, "name": "rehearsals" } });
    place.slack.happening(&renamed).await.accepted();
    let told = place.slack.reads(&admins, "#load-test is called #rehearsals now").await;
    assert!(told.contains("call it #rehearsals in the configuration"), "{told}");
    // It goes on there, which changes nothing of it.
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    place.settled().await;
    place.yard.shell("status").await.says(&["#load-test is called #rehearsals now"]).exits(0);
    place.yard.configure("channel = \"#load-test\"", "channel = \"#rehearsals\"");
    let read = async || serve.err().contains("the configuration was read again").then_some(());
    place.yard.wait("it is read again", read).await;
    place.yard.wait("that it is over", async || is_over("is called #rehearsals").await).await;
    place.slack.set_member(&place.channel, false);
    place.slack.happening(&json!({ "type": "channel_left", "channel": id })).await.accepted();
    let told = place.slack.reads(&admins, "refuses messages to #rehearsals (not_in_channel)").await;
    assert!(told.contains("/invite @tidegate"), "{told}");
    // Somebody has done something about it.
    place.slack.set_member(&place.channel, true);
    place.slack.happening(&json!({ "type": "group_rename", "channel": { "id": id } })).await.accepted();
    place.yard.wait("that it is over", async || is_over("refuses messages").await).await;
    for words in ["(is_archived)", "is called #rehearsals", "(not_in_channel)"] {
        assert_eq!(place.slack.transcript(&admins).matches(words).count(), 1, "{words} once");
    }
    serve.stop().await.exits(0);
    tidegate_tests::slack::judges::check_calls(&place.slack);
}

#[tokio::test]
async fn a_trouble_that_is_over_is_no_webhooks_though_it_still_lies_in_the_outbox() {
    let lines = "admin_channel = \"#admins\"\nwebhook = { env = \"HOOK\" }\nwebhook_after = \"1m\"";
    let place = InSlack::lay_with(lines).await;
    let _ = place.slack.channel("#admins");
    let (address, bodies) = webhook().await;
    place.yard.fail("create.shop-app.1");
    let serve = place.start_with(&address);
    place.slack.connected(2).await;
    place.slack.refuse("chat.postMessage", Refusal::Status(503)).lasting();
    place.slack.refuse("users.info", Refusal::MissingScope("users:read".into())).lasting();
    place.tide("up shop").await;
    let waits = async |sql| (place.yard.number(sql).await == 1).then_some(());
    place.yard.wait("it is to be said", async || waits(OF_PEOPLE).await).await;
    place.slack.accept("users.info");
    place.yard.until(1, "partial").await;
    let is_over = async || (!place.yard.shell("status").await.out.contains("who people are")).then_some(());
    place.yard.wait("that it is over", is_over).await;
    place.yard.wait("the end is to be said", async || waits(OF_THE_END).await).await;
    serve.stop().await.exits(0);
    assert_eq!(waits(OF_PEOPLE).await, Some(()), "it still lies there");
    place.yard.configure("webhook_after = \"1m\"", "webhook_after = \"1s\"");
    let serve = place.start_with(&address);
    let told = |words: &str| bodies.lock().expect("not poisoned").iter().filter(|body| body.contains(words)).count();
    // It is told of what came after it.
    place.yard.wait("the webhook", async || (told("PARTIAL") == 1).then_some(())).await;
    assert_eq!(told("who people are"), 0, "{:?}", bodies.lock().expect("not poisoned"));
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_a_webhook_was_told_it_is_not_told_again_where_that_cannot_be_noted() {
    let place = InSlack::lay_with("webhook = { env = \"HOOK\" }\nwebhook_after = \"1s\"").await;
    let (address, bodies) = webhook().await;
    place.yard.shell("status").await.exits(0);
    let refuses = "CREATE TRIGGER kept BEFORE UPDATE OF sent_at ON outbox WHEN NEW.kind = 'notice' \
                   BEGIN SELECT RAISE(ABORT, 'set by the test'); END";
    place.yard.change_ledger(refuses).await;
    place.slack.refuse("*", Refusal::error("token_revoked")).lasting();
    place.yard.fail("create.shop-app.1");
    let serve = place.start_with(&address);
    let told = |words: &str| bodies.lock().expect("not poisoned").iter().filter(|body| body.contains(words)).count();
    place.yard.wait("the webhook", async || (told("token_revoked") > 0).then_some(())).await;
    place.yard.wait("it is not noted", async || serve.err().contains("set by the test").then_some(())).await;
    // Looks later it tells something else.
    place.yard.accepted("up shop").await;
    place.yard.until(1, "partial").await;
    place.yard.wait("the webhook", async || (told("PARTIAL") == 1).then_some(())).await;
    assert_eq!(told("token_revoked"), 1, "{:?}", bodies.lock().expect("not poisoned"));
    serve.stop().await.exits(0);
}

/// Messages that are to be said.
const OF_PEOPLE: &str =
    "SELECT COUNT(*) FROM outbox WHERE kind = 'post' AND sent_at IS NULL AND body LIKE '%who people are%'";
const OF_THE_END: &str =
    "SELECT COUNT(*) > 0 FROM outbox WHERE kind = 'post' AND sent_at IS NULL AND body LIKE '%PARTIAL%'";

#[tokio::test]
async fn a_renamed_channel_goes_on_and_is_told_of_once_its_name_is_not_found() {
    let place = InSlack::lay_with("admin_channel = \"#admins\"").await;
    let admins = place.slack.channel("#admins");
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    place.slack.rename(&place.channel, "#rehearsals");
    place.tide("down shop").await;
    place.reads("shop is at small").await;
    place.settled().await;
    serve.stop().await.exits(0);
    let serve = place.serve().await;
    place.yard.accepted("up shop").await;
    let told = place.slack.reads(&admins, "channel_not_found").await;
    assert!(told.contains("#load-test") && told.contains("correct the name"), "{told}");
    place.yard.until(3, "succeeded").await;
    place.slack.rename(&place.channel, "#load-test");
    place.reads("run 3 ·").await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn who_asked_hears_of_the_end_alone_though_the_channel_is_not_found() {
    let place = InSlack::lay_with("admin_channel = \"#admins\"").await;
    let admins = place.slack.channel("#admins");
    place.slack.rename(&place.channel, "#elsewhere");
    let serve = place.serve().await;
    place.slack.direct(&place.alice, "up shop").await.accepted();
    place.yard.until(1, "succeeded").await;
    place.slack.reads(&admins, "channel_not_found").await;
    let direct = place.slack.direct_channel(&place.alice);
    place.slack.reads(&direct, "shop is at full").await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn channels_that_slack_does_not_list_are_told_of_and_who_asked_hears_of_the_end_alone() {
    let place = InSlack::lay().await;
    place.slack.refuse("conversations.list", Refusal::MissingScope("channels:read".into())).lasting();
    let serve = place.serve().await;
    place.slack.direct(&place.alice, "up shop").await.accepted();
    place.yard.until(1, "succeeded").await;
    let direct = place.slack.direct_channel(&place.alice);
    place.slack.reads(&direct, "shop is at full").await;
    place.yard.shell("status").await.says(&["#load-test", "missing_scope"]).exits(0);
    place.slack.accept("conversations.list");
    place.reads("run 1 ·").await;
    let is_over = async || (!place.yard.shell("status").await.out.contains("missing_scope")).then_some(());
    place.yard.wait("that it is over", is_over).await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn who_is_not_answered_because_slack_does_not_tell_who_they_are_is_told_of_elsewhere() {
    for refusal in [Refusal::error("token_revoked"), Refusal::MissingScope("users:read".into())] {
        let place = InSlack::lay_with("admin_channel = \"#admins\"").await;
        let admins = place.slack.channel("#admins");
        let serve = place.serve().await;
        place.slack.refuse("users.info", refusal).lasting();
        place.tide("up shop").await;
        let told = place.slack.reads(&admins, "Slack does not tell Tidegate who people are").await;
        assert!(told.contains("nobody is answered") && told.contains("What helps: install the app again"), "{told}");
        place.yard.shell("status").await.says(&["does not tell Tidegate who people are"]).exits(0);
        place.slack.accept("users.info");
        place.reads("shop is at full").await;
        place
            .yard
            .wait("that it is over", async || {
                (!place.yard.shell("status").await.out.contains("who people are")).then_some(())
            })
            .await;
        serve.stop().await.exits(0);
    }
}

#[tokio::test]
async fn taken_out_of_its_channel_the_bot_says_so_elsewhere_and_says_everything_once_it_is_back() {
    let place = InSlack::lay_with("admin_channel = \"#admins\"").await;
    let admins = place.slack.channel("#admins");
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    place.settled().await;
    place.slack.set_member(&place.channel, false);
    place.slack.direct(&place.alice, "down shop").await.accepted();
    place.yard.until(2, "succeeded").await;
    let told = place.slack.reads(&admins, "not_in_channel").await;
    assert!(told.contains("#load-test") && told.contains("/invite @tidegate"), "{told}");
    let direct = place.slack.direct_channel(&place.alice);
    place.slack.reads(&direct, "shop is at small").await;
    place.slack.set_member(&place.channel, true);
    serve.stop().await.exits(0);
    // Nobody waits a minute for the next try.
    let serve = place.serve().await;
    place.reads("run 2 ·").await;
    place
        .yard
        .wait("that it is over", async || {
            (!place.yard.shell("status shop").await.out.contains("not_in_channel")).then_some(())
        })
        .await;
    serve.stop().await.exits(0);
}
