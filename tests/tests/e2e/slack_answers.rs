//! What is answered in Slack is what was done: also when whoever did it died before it could say so, when nobody knew who asked, and
//! when it was said long ago.

use std::time::Duration;

use tidegate_tests::in_slack::InSlack;
use tidegate_tests::slack::Refusal;

#[tokio::test]
async fn killed_after_the_desk_and_before_the_outbox_what_was_refused_or_done_without_a_run_is_told_truly() {
    let place = InSlack::lay().await;
    let bob = place.slack.person("bob");
    for (words, told) in [("up", "Not understood"), ("hold shop for 2h because of", "shop is held until")] {
        let serve = place.serve().await;
        place.slack.direct(&place.alice, "queue").await.accepted();
        let direct = place.slack.direct_channel(&place.alice);
        place.slack.until("an answer", || place.slack.transcript(&direct).contains("Nothing runs")).await;
        // The answer names somebody whom Slack is just asked about: that is where it dies.
        place.slack.refuse("users.info", Refusal::Silence).lasting();
        let asked = place.slack.calls_of("users.info").len();
        place.tide(&format!("{words} {}", bob.as_str())).await;
        place.slack.until("it is carried out", || place.slack.calls_of("users.info").len() > asked).await;
        serve.kill().await;
        assert!(!place.slack.transcript(&place.channel).contains(told), "it was not told yet");
        place.slack.accept("users.info");
        let serve = place.serve().await;
        let text = place.reads(told).await;
        assert!(!text.contains("answered already"), "{text}");
        serve.stop().await.exits(0);
    }
}

#[tokio::test]
async fn what_was_said_long_ago_is_asked_and_not_run_though_it_came_only_now() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.slack.refuse("users.info", Refusal::Status(503)).for_calls(1);
    place.slack.said_ago(Duration::from_mins(10));
    place.slack.mention(&place.alice, &place.channel, None, "@tidegate up shop").await.accepted();
    place.slack.said_ago(Duration::ZERO);
    place.reads("This was said 10 minutes ago and is not done by itself any more").await;
    // What is said afterwards is answered afterwards: nothing was run before it.
    place.slack.mention(&place.alice, &place.channel, None, "@tidegate up shop").await.accepted();
    place.yard.until(1, "succeeded").await;
    place.reads("shop is at full").await;
    assert!(place.yard.known(2).await.is_none(), "one was run");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_form_that_was_left_and_waits_for_its_plan_keeps_nobody_else_waiting() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.tide("").await;
    place.slack.until("a form", || place.slack.form(&place.alice).is_some()).await;
    let form = place.slack.form(&place.alice).expect("a form");
    serve.stop().await.exits(0);
    place.slack.refuse("users.info", Refusal::Status(503)).for_calls(1);
    place.yard.hold("plan");
    let serve = place.serve().await;
    place.slack.submit(&place.alice, &form, &serde_json::json!({ "what": "up" })).await.accepted();
    place.yard.until(1, "planning").await;
    place.tide("envs").await;
    place.reads("only alice sees").await;
    place.yard.release("plan");
    place.slack.until("the plan", || place.slack.view_text(&form).contains("[Do it]")).await;
    serve.stop().await.exits(0);
}
