//! What was said in Slack while nobody listened, where that is a lot.

use std::time::Duration;

use tidegate_runner::domain::request::RunKind;
use tidegate_tests::in_slack::InSlack;
use tidegate_tests::slack::Refusal;

/// More than half of what Slack answers in a minute about threads.
const THREADS: usize = 26;

#[tokio::test]
async fn many_threads_that_were_answered_are_all_read_and_keep_nothing_else_unread() {
    let place = InSlack::lay().await;
    let quiet = place.slack.channel("#quiet");
    place.lay_more(&["other"], "#quiet");
    let serve = place.serve().await;
    place.tide("plan shop full").await;
    place.reads("plan of run 1").await;
    place.settled().await;
    let own = place.slack.find(&place.channel, "run 1 ·").expect("a card").ts;
    serve.stop().await.exits(0);
    let mut threads = Vec::new();
    for number in 0..THREADS {
        threads.push(place.slack.say(&place.alice, &place.channel, None, &format!("thread {number}")).await.message);
    }
    for (number, thread) in threads.iter().enumerate() {
        let words = if number == 0 { "@tidegate up shop" } else { "indeed" };
        place.slack.mention(&place.alice, &place.channel, Some(thread), words).await;
    }
    place.slack.mention(&place.alice, &quiet, None, "@tidegate envs").await;
    place.slack.direct(&place.alice, "whoami").await;
    place.slack.limit_rates();
    let began = tokio::time::Instant::now();
    let serve = place.serve().await;
    place.slack.reads(&quiet, "shop").await;
    let direct = place.slack.direct_channel(&place.alice);
    place.slack.reads(&direct, "owner").await;
    assert!(began.elapsed() < Duration::from_secs(50), "they did not wait for the threads: {:?}", began.elapsed());
    place.yard.until(2, "succeeded").await;
    let read = place.slack.calls_of("conversations.replies");
    assert!(read.iter().all(|call| call.text("ts") != own), "where only the bot spoke nobody can have asked");
    assert!(read.iter().all(|call| call.status != Some(429)), "Slack's limits are kept");
    assert_eq!(place.yard.row(2).await.request.kind.as_str(), "up");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_was_said_while_both_connections_were_dead_without_a_word_is_read() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.slack.connected(2).await;
    place.slack.mention(&place.alice, &place.channel, None, "@tidegate envs").await.accepted();
    place.settled().await;
    place.slack.half_open();
    place.slack.mention(&place.alice, &place.channel, None, "@tidegate up shop").await;
    place.slack.connected(2).await;
    place.yard.until(1, "succeeded").await;
    place.reads("shop is at full").await;
    // Delivered after all, it is known.
    place.slack.redeliver().await;
    place.settled().await;
    assert!(place.yard.known(2).await.is_none(), "it is done once");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_was_missed_is_done_in_its_order_also_where_the_first_of_it_has_to_wait() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.slack.mention(&place.alice, &place.channel, None, "@tidegate envs").await.accepted();
    place.settled().await;
    serve.stop().await.exits(0);
    for words in ["@tidegate up shop", "@tidegate down shop"] {
        place.slack.mention(&place.alice, &place.channel, None, words).await;
    }
    place.slack.refuse("users.info", Refusal::Status(503)).for_calls(1);
    let serve = place.serve().await;
    place.yard.until(1, "succeeded").await;
    place.yard.until(2, "succeeded").await;
    let kinds = [place.yard.row(1).await.request.kind, place.yard.row(2).await.request.kind];
    assert_eq!(kinds.map(RunKind::as_str), ["up", "down"]);
    serve.stop().await.exits(0);
}
