//! What is answered in Slack is what was done: also when whoever did it died before it could say so, when nobody knew who asked, and
//! when it was said long ago.

use std::time::Duration;

use tidegate_tests::in_slack::InSlack;
use tidegate_tests::postgres::Database;
use tidegate_tests::slack::Refusal;
use tidegate_tests::slow::Slow;

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

/// Fills the form in while plans are held, and gives it once its plan is being made.
async fn form_that_waits(place: &InSlack) -> tidegate_tests::slack::ViewId {
    place.tide("").await;
    place.slack.until("a form", || place.slack.form(&place.alice).is_some()).await;
    let form = place.slack.form(&place.alice).expect("a form");
    place.yard.hold("plan");
    place.slack.submit(&place.alice, &form, &serde_json::json!({ "what": "up" })).await.accepted();
    place.yard.until_calls("plan", "shop-app", 1).await;
    form
}

/// As if so many minutes had gone by since run 1 was accepted.
async fn minutes_later(yard: &tidegate_tests::yard::Yard, minutes: u32) {
    yard.change_ledger(&format!("UPDATE runs SET accepted_at = accepted_at - {minutes} * 60000 WHERE number = 1"))
        .await;
}

#[tokio::test]
async fn a_plan_that_takes_over_half_an_hour_is_said_to_come_elsewhere_and_does() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    let form = form_that_waits(&place).await;
    // Its card is there meanwhile, and is not begun anew by what follows.
    place.reads("· planning").await;
    minutes_later(&place.yard, 29).await;
    assert!(!place.slack.view_text(&form).contains("not there yet"), "{}", place.slack.view_text(&form));
    minutes_later(&place.yard, 2).await;
    place.slack.until("it says so", || place.slack.view_text(&form).contains("is not there yet")).await;
    assert!(place.slack.view_text(&form).contains("show 1"), "{}", place.slack.view_text(&form));
    place.yard.release("plan");
    place.reads("plan for shop full").await;
    place.slack.until("whoever asked is called", || !place.slack.called(&place.alice).is_empty()).await;
    place.settled().await;
    assert!(place.yard.known(2).await.is_none(), "nothing is done of it");
    serve.stop().await.exits(0);
    tidegate_tests::slack::judges::check_calls(&place.slack);
}

#[tokio::test]
async fn what_is_answered_after_half_an_hour_or_to_a_form_that_was_closed_comes_all_the_same() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    let form = form_that_waits(&place).await;
    // Nothing can be sent the way that the command came any more, and the form is gone, too.
    place.slack.expire_responses();
    place.slack.close(&place.alice, &form).await;
    place.yard.release("plan");
    place.reads("(only alice sees)").await;
    let text = place.reads("plan for shop full").await;
    assert!(text.contains("up shop full"), "what to type in place of the button: {text}");
    place.settled().await;
    // The last button of one that stood open for so long is answered, too.
    place.tide("").await;
    place.slack.until("a form", || place.slack.form(&place.alice).is_some()).await;
    let form = place.slack.form(&place.alice).expect("a form");
    place.slack.submit(&place.alice, &form, &serde_json::json!({ "what": "up" })).await.accepted();
    place.slack.until("the plan", || place.slack.view_text(&form).contains("[Do it]")).await;
    place.slack.expire_responses();
    place.slack.submit(&place.alice, &form, &serde_json::json!({})).await.accepted();
    place.yard.until(3, "succeeded").await;
    place.reads("shop is at full").await;
    place.settled().await;
    let sent = place.slack.calls_of("chat.postEphemeral").iter().filter(|call| call.is_ok()).count();
    assert_eq!(sent, 2, "the plan, and that it is taken: {}", place.slack.transcript(&place.channel));
    serve.stop().await.exits(0);
    tidegate_tests::slack::judges::check_calls(&place.slack);
}

#[tokio::test]
async fn a_press_that_was_refused_counts_again_once_nothing_is_against_it() {
    let place = InSlack::lay_owned_by(&["mori"], "").await;
    let mori = place.slack.person("mori");
    place.yard.fail("create.shop-app.1");
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("[Retry]").await;
    place.yard.heal("create.shop-app.1");
    let failed = place.slack.find(&place.channel, "[Retry]").expect("a card");
    place.slack.command(&mori, &place.channel, "/tide", "hold shop for 2h because we measure").await.accepted();
    place.reads("shop is held until").await;
    place.slack.press(&place.alice, &failed, "tide.retry").await.accepted();
    place.settled().await;
    place.slack.command(&mori, &place.channel, "/tide", "unhold shop").await.accepted();
    place.reads("shop is not held any more").await;
    place.slack.press(&place.alice, &failed, "tide.retry").await.accepted();
    place.yard.until(2, "succeeded").await;
    place.reads("Retry: pressed by @alice").await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn two_clicks_in_the_home_tab_are_one_run_and_the_next_showing_counts_again() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.slack.open_home(&place.alice).await.accepted();
    place.slack.until("the home tab", || place.slack.home(&place.alice).is_some()).await;
    let home = place.slack.home(&place.alice).expect("a home tab");
    place.yard.hold("plan");
    for _ in 0..2 {
        place.slack.press_in_view(&place.alice, &home, "tide.up", None).await.accepted();
    }
    place.yard.until(1, "planning").await;
    let shows = |words: &str| place.slack.view_text(&home).contains(words);
    place.slack.until("the run in the home tab", || shows("planning")).await;
    place.slack.press_in_view(&place.alice, &home, "tide.down", None).await.accepted();
    // It is queued: what was pressed before it was stored before it.
    let second = place.yard.wait("a second run", async || place.yard.known(2).await).await;
    assert_eq!(second.request.kind.as_str(), "down");
    place.yard.release("plan");
    place.yard.until(2, "succeeded").await;
    assert!(place.yard.known(3).await.is_none(), "one for two clicks");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_was_missed_is_read_however_often_slack_wants_silence_and_where_deliveries_come_by_http() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.tide("status").await;
    place.reads("shop").await;
    serve.stop().await.exits(0);
    place.slack.mention(&place.alice, &place.channel, None, "@tidegate up shop").await;
    place.slack.refuse("conversations.history", Refusal::RateLimited { retry_after: 1 }).for_calls(2);
    let serve = place.serve().await;
    place.reads("shop is at full").await;
    serve.stop().await.exits(0);
    place.slack.mention(&place.alice, &place.channel, None, "@tidegate down shop").await;
    place.yard.configure("[chat.slack]", "[chat.slack]\nmode = \"http\"\nlisten = \"127.0.0.1:0\"");
    let serve = place.start();
    place.reads("shop is at small").await;
    serve.stop().await.exits(0);
    assert!(place.yard.known(3).await.is_none(), "each was done once");
}

#[tokio::test]
async fn in_the_thread_of_a_run_a_cancel_without_a_number_means_that_run() {
    let place = InSlack::lay().await;
    place.lay_more(&["other"], "#load-test");
    place.yard.hold("create.other-app");
    place.yard.hold("create.shop-app");
    let serve = place.serve().await;
    place.tide("up other").await;
    place.tide("up shop").await;
    place.reads("run 2 ·").await;
    place.reads("run 1 ·").await;
    // That they stand there is noted, too.
    place.settled().await;
    let card = place.slack.find(&place.channel, "run 1 ·").expect("a card");
    place
        .slack
        .mention(&place.alice, &place.channel, Some(&card), "@tidegate cancel because of the weather")
        .await
        .accepted();
    let told = async || place.yard.shell("audit").await.out.contains("cancel 1 because of the weather").then_some(());
    place.yard.wait("it is about run 1", told).await;
    place.yard.release("create.other-app");
    place.yard.release("create.shop-app");
    place.yard.until(2, "succeeded").await;
    // Elsewhere it is asked which one is meant.
    place.slack.mention(&place.alice, &place.channel, None, "@tidegate cancel").await.accepted();
    place.settled().await;
    assert_eq!(place.yard.status(2).await, "succeeded");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_form_of_somebody_who_is_gone_says_so_where_it_was_filled_in() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.tide("").await;
    place.slack.until("a form", || place.slack.form(&place.alice).is_some()).await;
    let form = place.slack.form(&place.alice).expect("a form");
    place.settled().await;
    serve.stop().await.exits(0);
    place.slack.leaves(&place.alice);
    let serve = place.serve().await;
    place.slack.submit(&place.alice, &form, &serde_json::json!({ "what": "up" })).await.accepted();
    place.slack.until("it says so", || place.slack.view_text(&form).contains("This account is deactivated")).await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_home_tab_is_kept_true_after_a_restart() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.slack.open_home(&place.alice).await.accepted();
    place.slack.until("the home tab", || place.slack.home(&place.alice).is_some()).await;
    serve.kill().await;
    let serve = place.serve().await;
    place.yard.shell("hold shop for 2h because we measure").await.exits(0);
    let shows =
        |words: &str| place.slack.home(&place.alice).is_some_and(|home| place.slack.view_text(&home).contains(words));
    place.slack.until("it is true", || shows("we measure")).await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn people_of_a_further_workspace_are_ordinary_ones_and_so_are_those_at_home() {
    let place = InSlack::lay_with("teams = [\"T0STRANGER\"]").await;
    let serve = place.serve().await;
    place.tide("whoami").await;
    let text = place.reads("owner").await;
    assert!(!text.contains("other workspace"), "{text}");
    let stranger = place.slack.stranger("sam");
    place.slack.set_channel(&place.channel, false, true);
    place.slack.mention(&stranger, &place.channel, None, "@tidegate whoami").await.accepted();
    let text = place.reads("viewer").await;
    assert!(!text.contains("another workspace"), "{text}");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn killed_while_a_press_is_answered_the_card_says_who_pressed_once() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    place.reads("[Keep 1 h] [Undo").await;
    place.settled().await;
    let raised = place.slack.find(&place.channel, "[Keep 1 h]").expect("a card");
    serve.stop().await.exits(0);
    let serve = place.serve().await;
    // Who that is is just asked: it is stored and taken by nobody.
    place.slack.refuse("users.info", Refusal::Silence).lasting();
    place.slack.press(&place.alice, &raised, "tide.keep").await.accepted();
    place
        .slack
        .until("it is asked", || place.slack.calls_of("users.info").iter().any(|call| call.answer.is_none()))
        .await;
    serve.kill().await;
    place.slack.accept("users.info");
    let serve = place.serve().await;
    place.slack.redeliver().await;
    place.reads("Keep 1 h: pressed by @alice").await;
    place.slack.until("it is used up", || !place.slack.thread(&raised).contains("[Keep 1 h]")).await;
    place.settled().await;
    let text = place.slack.transcript(&place.channel);
    assert!(!text.contains("answered already") && text.matches("pressed by @alice").count() == 1, "{text}");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_yes_whose_process_dies_before_it_is_noted_on_its_card_leaves_the_button_to_others() {
    let place = InSlack::lay_owned_by(&["mori"], "").await;
    let mori = place.slack.person("mori");
    let rule = "approve = { when = [\"command = destroy\"], by = \"owners\", count = 2 }";
    place.yard.configure("owners = [", &format!("{rule}\nowners = ["));
    let mut serve = place.serve().await;
    place.yard.shell("up shop small").await.exits(0);
    place.yard.accepted("destroy shop").await;
    place.reads("2 yeses of owners").await;
    place.settled().await;
    let card = place.slack.find(&place.channel, "[Approve").expect("a card");
    place.slack.press(&place.alice, &card, "tide.approve").await.accepted();
    place.reads("Approve: pressed by @alice").await;
    place.settled().await;
    // As it is where a process dies between the yes and the note; and where nobody can read what came of the yes.
    for answer in ["answer", "NULL"] {
        serve.kill().await;
        let others = "SELECT json_group_array(value) FROM json_each(cards.told) WHERE value NOT LIKE 'counted:%'";
        place.yard.change_ledger(&format!("UPDATE cards SET told = ({others})")).await;
        let untold = format!(
            "UPDATE inbox SET told_at = NULL, held_until = NULL, answer = {answer} WHERE key LIKE '%:approve:%'"
        );
        place.yard.change_ledger(&untold).await;
        assert_eq!(place.yard.number(COUNTED).await, 0);
        serve = place.serve().await;
        place.yard.wait("it is noted", async || (place.yard.number(COUNTED).await == 1).then_some(())).await;
        place.settled().await;
    }
    place.slack.until("it is there for others", || place.slack.thread(&card).contains("[Approve")).await;
    place.slack.press(&mori, &card, "tide.approve").await.accepted();
    place.yard.until(2, "succeeded").await;
    place.reads("Approve: pressed by @mori").await;
    serve.stop().await.exits(0);
}

/// Cards on which a yes of several is noted.
const COUNTED: &str = "SELECT COUNT(*) FROM cards WHERE told LIKE '%counted:%'";

#[tokio::test]
async fn two_processes_in_an_outage_say_everything_once() {
    let database = Database::new();
    let place = InSlack::lay_on("", database.url()).await;
    let first = place.serve().await;
    let second = place.serve().await;
    place.slack.connected(4).await;
    for method in ["chat.postMessage", "users.info"] {
        place.slack.refuse(method, Refusal::Status(503)).lasting();
    }
    place.tide("up shop").await;
    place.slack.mention(&place.alice, &place.channel, None, "@tidegate status").await.accepted();
    place.slack.until("it is asked", || place.slack.calls_of("users.info").len() >= 2).await;
    first.kill().await;
    for method in ["chat.postMessage", "users.info"] {
        place.slack.accept(method);
    }
    place.slack.redeliver().await;
    place.yard.until(1, "succeeded").await;
    place.reads("shop is at full").await;
    place.slack.until("the end is told", || !place.slack.called(&place.alice).is_empty()).await;
    place.reads("owners: ").await;
    second.stop().await.exits(0);
    let text = place.slack.transcript(&place.channel);
    assert_eq!(text.matches("[Keep 1 h]").count(), 1, "one card:\n{text}");
    assert_eq!(text.matches("owners: ").count(), 1, "one status:\n{text}");
    assert_eq!(place.slack.called(&place.alice).len(), 1, "one end:\n{text}");
    assert!(place.yard.known(2).await.is_none(), "one run");
}

#[tokio::test]
async fn who_is_not_there_is_not_asked_for_without_end() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.slack.refuse("users.info", Refusal::error("user_not_found")).lasting();
    place.slack.mention(&place.alice, &place.channel, None, "@tidegate up shop").await.accepted();
    place.settled().await;
    place.slack.accept("users.info");
    place.tide("status").await;
    place.reads("only alice sees").await;
    place.settled().await;
    assert!(place.yard.known(1).await.is_none(), "nothing was run");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_comes_at_once_is_acknowledged_in_time_though_the_ledger_is_slow() {
    let (_database, folder) = Database::apart();
    let slow = Slow::before(&folder);
    let place = InSlack::lay_on("", &slow.url()).await;
    let serve = place.serve().await;
    place.slack.connected(2).await;
    // What is answered meanwhile takes nothing from what is acknowledged.
    place.slack.delay("users.info", Duration::from_secs(20));
    slow.delays(Duration::from_millis(25));
    let commands = (0..24).map(|_| place.slack.command(&place.alice, &place.channel, "/tide", "status"));
    for taken in futures_util::future::join_all(commands).await {
        taken.accepted();
    }
    slow.delays(Duration::ZERO);
    serve.kill().await;
}
