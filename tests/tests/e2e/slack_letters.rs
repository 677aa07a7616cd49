//! What is said in Slack arrives: after days without the channel, with no answer, however much there is to say, and once.

use tidegate_tests::in_slack::InSlack;
use tidegate_tests::slack::{Call, Refusal};

#[tokio::test]
async fn an_edit_whose_looks_slack_refuses_is_made_as_plain_text() {
    let place = InSlack::lay().await;
    place.yard.hold("create.shop-app");
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("[Cancel").await;
    place.slack.refuse("chat.update", Refusal::error("invalid_blocks")).for_calls(1);
    place.yard.release("create.shop-app");
    place.yard.until(1, "succeeded").await;
    let is_bare = |call: &Call| call.arguments.get("blocks").and_then(|all| all.as_array()).is_some_and(Vec::is_empty);
    let plain = || place.slack.calls_of("chat.update").iter().any(|call| call.is_ok() && is_bare(call));
    place.slack.until("it is made", plain).await;
    place.settled().await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn one_person_is_told_one_message_a_second_wherever_it_came_from() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.slack.direct(&place.alice, "whoami").await.accepted();
    place.settled().await;
    place.slack.limit_rates();
    // Told to her by her name, while her conversation is answered.
    for _ in 0..3 {
        place.slack.direct(&place.alice, "whoami").await.accepted();
        place.yard.shell("hold shop for 2h because we measure").await.exits(0);
        place.yard.shell("unhold shop").await.exits(0);
    }
    place.settled().await;
    let limited = place.slack.calls_of("chat.postMessage").iter().filter(|call| call.status == Some(429)).count();
    assert_eq!(limited, 0, "Slack's limits are kept");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_a_channel_does_not_take_for_days_waits_and_private_answers_and_admins_do_not_wait_with_it() {
    let place = InSlack::lay_with("admin_channel = \"#admins\"").await;
    let admins = place.slack.channel("#admins");
    place.slack.set_channel(&place.channel, true, false);
    let serve = place.serve().await;
    place.yard.accepted("up shop").await;
    place.slack.reads(&admins, "unarchive it, or name another channel").await;
    // Its answer goes the way it came, and says nothing of the channel.
    place.tide("status").await;
    place.reads("only alice sees").await;
    place.yard.shell("status shop").await.says(&["Slack refuses messages to"]).exits(0);
    serve.stop().await.exits(0);
    // As after a weekend.
    place.yard.change_ledger("UPDATE outbox SET tries = 5000 WHERE sent_at IS NULL").await;
    let tries = place.slack.calls_of("chat.postMessage").len();
    let serve = place.serve().await;
    place.slack.until("it is tried", || place.slack.calls_of("chat.postMessage").len() > tries).await;
    serve.stop().await.exits(0);
    place.slack.set_channel(&place.channel, false, false);
    let serve = place.serve().await;
    place.reads("shop is at full").await;
    serve.stop().await.exits(0);
    let told = place.slack.transcript(&admins);
    assert_eq!(told.matches("unarchive it").count(), 1, "told once:\n{told}");
}

#[tokio::test]
async fn a_card_shows_the_end_though_its_last_edit_was_refused_until_somebody_put_it_right() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.yard.hold("create.shop-app");
    place.tide("up shop").await;
    place.reads("applying").await;
    place.slack.refuse("chat.update", Refusal::error("token_revoked")).lasting();
    place.yard.release("create.shop-app");
    place.yard.until(1, "succeeded").await;
    place.slack.until("the end is told", || !place.slack.called(&place.alice).is_empty()).await;
    let refused = || place.slack.calls_of("chat.update").iter().any(|call| !call.is_ok());
    place.slack.until("an edit is refused", refused).await;
    serve.stop().await.exits(0);
    // Put right, and started again: nobody waits a minute for it here.
    place.slack.accept("chat.update");
    let serve = place.serve().await;
    place.slack.until("the card shows the end", || place.slack.find(&place.channel, "[Keep 1 h]").is_some()).await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_message_that_may_have_come_already_says_so_where_nobody_can_look() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.slack.refuse("conversations.history", Refusal::MissingScope("channels:history".to_owned())).lasting();
    place.slack.refuse("chat.postMessage", Refusal::AnswerLost).for_calls(1);
    place.tide("up shop").await;
    let text = place.reads("(perhaps for the second time)").await;
    let card = place.slack.find(&place.channel, "(perhaps for the second time)").expect("a card");
    let blocks = place.slack.message(&card).map(|message| message["blocks"].to_string()).unwrap_or_default();
    assert!(blocks.contains("(perhaps for the second time)"), "people read blocks:\n{text}");
    place.yard.until(1, "succeeded").await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_one_person_is_told_alone_is_looked_for_before_it_is_told_again() {
    let place = InSlack::lay_owned_by(&["mori"], "").await;
    let mori = place.slack.person("mori");
    let serve = place.serve().await;
    place.slack.command(&mori, &place.channel, "/tide", "hold shop for 2h because we measure").await.accepted();
    place.reads("shop is held until").await;
    place.slack.until("she is told of it", || !place.slack.called(&place.alice).is_empty()).await;
    place.slack.refuse("chat.postMessage", Refusal::AnswerLost).for_calls(1);
    place.tide("unhold shop because we are done").await;
    let direct = place.slack.direct_channel(&mori);
    place.slack.reads(&direct, "we are done").await;
    place
        .yard
        .wait("that nothing waits to be said", async || {
            (place.yard.number("SELECT COUNT(*) FROM outbox WHERE kind = 'post' AND sent_at IS NULL").await == 0)
                .then_some(())
        })
        .await;
    serve.stop().await.exits(0);
    let text = place.slack.transcript(&direct);
    assert!(text.matches("we are done").count() == 1 && !text.contains("second time"), "{text}");
}

#[tokio::test]
async fn a_group_is_called_in_the_runs_channel() {
    let place = InSlack::lay().await;
    let bob = place.slack.person("bob");
    let group = place.slack.group("ops", &[&bob]);
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.yard.until(1, "succeeded").await;
    place
        .yard
        .change_ledger(&format!(
            "INSERT INTO outbox (id, address, kind, run_number, body, created_at) VALUES \
             ('018bcfe5-6800-7000-8000-0000000000aa', 'slack:{}', 'run', 1, '{{\"status\":\"succeeded\"}}', 1)",
            group.as_str()
        ))
        .await;
    place.slack.until("they are called", || !place.slack.called(&bob).is_empty()).await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn slacks_limits_are_kept_without_being_told() {
    let place = InSlack::lay().await;
    place.slack.limit_rates();
    let serve = place.serve().await;
    place.slack.open_home(&place.alice).await.accepted();
    for (run, words) in (1..).zip(["up shop", "scale shop app=5", "down shop"]) {
        place.tide(words).await;
        place.yard.until(run, "succeeded").await;
    }
    place.slack.until("every end is told", || place.slack.called(&place.alice).len() >= 3).await;
    serve.stop().await.exits(0);
    let over: Vec<_> = place.slack.calls().into_iter().filter(|call| call.status == Some(429)).collect();
    assert!(over.is_empty(), "{over:?}");
}

#[tokio::test]
async fn without_files_it_is_said_in_status_until_there_is_one() {
    let place = InSlack::lay_with("admin_channel = \"#admins\"").await;
    let admins = place.slack.channel("#admins");
    place.yard.instead("apply", "for i in $(seq 300); do echo '{\"@level\":\"info\",\"@message\":\"line '$i'\",\"type\":\"log\"}'; done; exit 1");
    let serve = place.serve().await;
    place.slack.refuse("files.getUploadURLExternal", Refusal::MissingScope("files:write".to_owned())).lasting();
    place.tide("up shop").await;
    place.slack.reads(&admins, "Slack takes no files (missing_scope)").await;
    place.reads("Log of run 1").await;
    place.slack.until("the end is told", || !place.slack.called(&place.alice).is_empty()).await;
    place.yard.shell("status shop").await.says(&["Slack takes no files"]).exits(0);
    place.slack.accept("files.getUploadURLExternal");
    place.tide("retry 1").await;
    place.reads("[file run-2-app-").await;
    place
        .yard
        .wait("that it is over", async || {
            (!place.yard.shell("status shop").await.out.contains("no files")).then_some(())
        })
        .await;
    serve.stop().await.exits(0);
    assert_eq!(place.slack.transcript(&admins).matches("takes no files").count(), 1);
}

#[tokio::test]
async fn an_answer_that_never_comes_costs_no_connection_and_a_refused_token_is_told() {
    let place = InSlack::lay_with("admin_channel = \"#admins\"").await;
    let admins = place.slack.channel("#admins");
    place.slack.refuse("apps.connections.open", Refusal::Silence).for_calls(2);
    let serve = place.serve().await;
    place.slack.connected(2).await;
    place.slack.refuse("apps.connections.open", Refusal::error("invalid_auth")).lasting();
    place.slack.disconnect("link_disabled");
    let told = place.slack.reads(&admins, "Slack does not let Tidegate listen (invalid_auth)").await;
    assert!(told.contains("app_token"), "{told}");
    place.yard.shell("status").await.says(&["does not let Tidegate listen"]).exits(0);
    place.slack.accept("apps.connections.open");
    place.slack.connected(1).await;
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    place
        .yard
        .wait("that it is over", async || (!place.yard.shell("status").await.out.contains("listen (")).then_some(()))
        .await;
    assert!(place.slack.calls_of("apps.connections.open").len() < 60, "it is not tried without end");
    serve.stop().await.exits(0);
}
