//! What people in Slack are told where something is not theirs to see, on their own clock, or secret.

use tidegate_tests::in_slack::InSlack;
use tidegate_tests::slack::{Refusal, UserId};

/// The form that `/tide` opens for somebody, as it reads.
async fn form(place: &InSlack, person: &UserId) -> String {
    place.slack.command(person, &place.channel, "/tide", "").await.accepted();
    place.slack.until("a form", || place.slack.form(person).is_some()).await;
    place.slack.view_text(&place.slack.form(person).expect("a form"))
}

/// The home tab of somebody, once it says so.
async fn home(place: &InSlack, person: &UserId, words: &str) -> String {
    place.slack.open_home(person).await.accepted();
    let text = || place.slack.home(person).map(|home| place.slack.view_text(&home)).unwrap_or_default();
    place.slack.until(words, || text().contains(words)).await;
    text()
}

#[tokio::test]
async fn who_may_see_nothing_is_told_so_and_not_that_nothing_is_there() {
    let place = InSlack::lay().await;
    place.yard.configure("viewer = [\"everyone\"]", "viewer = [\"slack:U0NOBODY\"]");
    let bob = place.slack.person("bob");
    let serve = place.serve().await;
    let text = form(&place, &bob).await;
    assert!(text.contains("None of the environments is yours to see"), "{text}");
    let text = home(&place, &bob, "None of the environments is yours to see").await;
    assert!(!text.contains("No environment is configured"), "{text}");
    // Whom Slack does not tell about is somebody else.
    let kato = place.slack.person("kato");
    place.slack.refuse("users.info", Refusal::MissingScope("users:read".into())).lasting();
    let text = form(&place, &kato).await;
    assert!(text.contains("Slack does not say who you are"), "{text}");
    home(&place, &kato, "Slack does not say who you are").await;
    // What is true stays, and comes once it can be asked again.
    place.slack.accept("users.info");
    home(&place, &kato, "None of the environments is yours to see").await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_moment_is_read_on_the_clock_of_whoever_types_it_and_told_with_its_zone() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    // Everybody here lives in Tokyo, and this machine does not.
    place.tide("hold shop until tomorrow 18:00 because we measure").await;
    place.reads("18:00 Asia/Tokyo").await;
    place.settled().await;
    let ends = place.yard.number("SELECT MAX(until_at) FROM holds").await;
    assert_eq!(ends.rem_euclid(86_400_000), 9 * 3_600_000, "18:00 in Tokyo is 09:00 UTC: {ends}");
    place.tide("unhold shop").await;
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    place.tide("destroy shop").await;
    let text = place.reads("destroy shop needs a yes until").await;
    let until = text.split("needs a yes until ").nth(1).unwrap_or_default();
    let zone = until.split_whitespace().find(|word| word.contains(char::is_alphabetic)).unwrap_or_default();
    assert_eq!(zone, "UTC", "what everybody reads names its zone: {until}");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_secret_that_is_typed_into_the_form_is_kept_nowhere() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    let secret = place.slack.bot_token();
    form(&place, &place.alice).await;
    let view = place.slack.form(&place.alice).expect("a form");
    let soon = place.now() + 7_200;
    let filled = serde_json::json!({ "what": "up", "until": soon, "because": format!("of {secret} in it") });
    place.slack.submit(&place.alice, &view, &filled).await.accepted();
    place.slack.until("the plan", || place.slack.view_text(&view).contains("[Do it]")).await;
    place.slack.submit(&place.alice, &view, &serde_json::json!({})).await.accepted();
    place.reads("shop is at full").await;
    place.settled().await;
    serve.stop().await.exits(0);
    for file in ["tidegate.db", "tidegate.db-wal"] {
        let kept = std::fs::read(place.yard.file(file)).unwrap_or_default();
        assert!(!kept.windows(secret.len()).any(|piece| piece == secret.as_bytes()), "it is in {file}");
    }
    assert!(!place.slack.everything().contains(secret), "{}", place.slack.everything());
}

#[tokio::test]
async fn an_order_by_slash_command_is_shown_to_the_channel_and_a_question_is_not() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    let aloud = serde_json::json!({ "response_type": "in_channel" });
    for (words, shown) in [("up shop", true), ("destroy shop", true), ("status", false), ("upp shop", false)] {
        let taken = place.slack.command(&place.alice, &place.channel, "/tide", words).await;
        assert_eq!(taken.accepted().body(), shown.then_some(&aloud), "{words}");
    }
    place.settled().await;
    let text = place.slack.transcript(&place.channel);
    assert!(text.contains("alice: /tide up shop") && !text.contains("/tide status"), "{text}");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn several_lines_at_once_are_several_commands_and_none_is_hidden_in_anothers_reason() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    let words = "@tidegate up shop because of it\ndown shop";
    place.slack.mention(&place.alice, &place.channel, None, words).await.accepted();
    let text = place.reads("one command at a time").await;
    assert!(text.contains("up shop because of it"), "the first is there to copy: {text}");
    place.settled().await;
    assert!(place.yard.known(1).await.is_none(), "nothing was run");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn nobody_is_offered_what_they_may_not_do() {
    let place = InSlack::lay().await;
    let bob = place.slack.person("bob");
    let serve = place.serve().await;
    let text = home(&place, &place.alice, "shop").await;
    assert!(text.contains("[Raise]") && text.contains("[Lower"), "{text}");
    let text = home(&place, &bob, "shop").await;
    assert!(!text.contains("[Raise]") && !text.contains("[Lower") && text.contains("[History]"), "{text}");
    let text = form(&place, &bob).await;
    assert!(text.contains("You may look at environments here, and change none"), "{text}");
    let text = form(&place, &place.alice).await;
    assert!(text.contains("Raise it") && text.contains("Lower it"), "{text}");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_home_tab_that_another_process_has_shown_is_shown_once_more_by_who_keeps_it_true() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    home(&place, &place.alice, "runner alive").await;
    let noted = async || place.yard.number("SELECT COALESCE(MAX(shown), 0) FROM homes").await;
    place.yard.wait("that it is shown is noted", async || (noted().await == 2).then_some(())).await;
    let text = || place.slack.home(&place.alice).map(|home| place.slack.view_text(&home)).unwrap_or_default();
    // Another one reads the ledger, is slow to show it, and says that it has.
    let old = serde_json::json!([{ "type": "section", "text": { "type": "plain_text", "text": "as it was" } }]);
    let body = serde_json::json!({ "user_id": place.alice.as_str(), "view": { "type": "home", "blocks": old } });
    let request = axum::http::Request::post(format!("{}/views.publish", place.slack.api_url()))
        .header("authorization", format!("Bearer {}", place.slack.bot_token()))
        .header("content-type", "application/json; charset=utf-8")
        .body(axum::body::Body::from(body.to_string()))
        .expect("a request");
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
    client.request(request).await.expect("an answer");
    let calls = place.slack.calls_of("views.publish");
    assert!(calls.iter().any(|call| call.is_ok() && call.json().to_string().contains("as it was")), "{calls:?}");
    place.yard.change_ledger("UPDATE homes SET shown = shown + 1").await;
    place.slack.until("it is true again", || text().contains("runner alive")).await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_home_tab_of_many_environments_has_buttons_for_some_and_names_all() {
    let place = InSlack::lay().await;
    let names: Vec<String> = (0..60).map(|number| format!("e{number:02}")).collect();
    place.lay_more(&names.iter().map(String::as_str).collect::<Vec<_>>(), "#load-test");
    let serve = place.serve().await;
    let text = home(&place, &place.alice, "runner alive").await;
    assert!(text.matches("[Raise]").count() > 20, "{text}");
    for name in names {
        assert!(text.contains(&name), "{name}: {text}");
    }
    serve.stop().await.exits(0);
    tidegate_tests::slack::judges::check_calls(&place.slack);
}

#[tokio::test]
async fn who_mentions_the_bot_in_a_thread_finds_the_answer_there() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    let above = place.slack.say(&place.alice, &place.channel, None, "of today").await.message;
    place.slack.mention(&place.alice, &place.channel, Some(&above), "@tidegate up shop").await.accepted();
    place.reads("shop is at full").await;
    place.settled().await;
    let text = place.slack.thread(&above);
    assert!(text.contains("run 1 in its channel"), "{text}");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn environments_and_levels_are_chosen_in_menus_as_far_as_one_may() {
    let place = InSlack::lay().await;
    place.lay_more(&["bank"], "#load-test");
    let bob = place.slack.person("bob");
    let serve = place.serve().await;
    place.tide("envs").await;
    place.reads("Environments at").await;
    let all = place.slack.find(&place.channel, "Environments at").expect("an answer");
    place.slack.choose(&place.alice, &all, "tide.menu", "status shop").await.accepted();
    place.reads("levels: off < small < full").await;
    let one = place.slack.find(&place.channel, "levels: off").expect("an answer");
    assert!(place.slack.thread(&one).contains("[small | full]"), "{}", place.slack.thread(&one));
    // Who may not is not offered it.
    place.slack.command(&bob, &place.channel, "/tide", "status shop").await.accepted();
    let text = place.reads("only bob sees").await;
    assert_eq!(text.matches("[small | full]").count(), 1, "{text}");
    place.slack.choose(&place.alice, &one, "tide.menu", "plan shop full").await.accepted();
    place.reads("run 1 · plan shop full").await;
    place.settled().await;
    assert_eq!(place.yard.calls("apply", "shop-app"), 0, "a choice alone raises nothing");
    assert_eq!(place.yard.row(1).await.asker.id.as_str(), format!("slack:{}", place.alice));
    // Above the highest there is none.
    place.tide("up shop full").await;
    place.yard.until(2, "succeeded").await;
    place.tide("status shop").await;
    place.reads("wanted: full").await;
    place.settled().await;
    let last = place.slack.find(&place.channel, "wanted: full").expect("an answer");
    assert!(!place.slack.thread(&last).contains("[small"), "{}", place.slack.thread(&last));
    serve.stop().await.exits(0);
    tidegate_tests::slack::judges::check_calls(&place.slack);
}
