//! Tidegate in Slack: real Terraform, and what the channel reads.

use std::time::Duration;

use tidegate_tests::in_slack::InSlack;
use tidegate_tests::postgres::Database;
use tidegate_tests::slack::{Call, Refusal, Workspace};

/// Asserts what the channel reads, without what differs each time.
macro_rules! assert_reads {
    ($name:literal, $text:expr) => {
        insta::with_settings!({ filters => vec![
            (r"\d{4}-\d\d-\d\dT[0-9:+-]+", "MOMENT"),
            (r"\d{4}-\d\d-\d\d", "DATE"),
            (r"\d\d:\d\d\b", "HH:MM"),
            (r"less than 1 s|\b\d+(\.\d+)? s\b", "N s"),
            (r"content [0-9a-f]{12}", "content DIGEST"),
            (r"Terraform \d+\.\d+\.\d+", "Terraform VERSION"),
            (r"/tmp/tidegate-yard\.\w+", "YARD"),
            (r"127\.0\.0\.1:\d+", "SLACK"),
            (r"archives/C000000001/p\d+", "archives/C000000001/pTS"),
            (r"local:\w+", "local:ME"),
            (r"slack:U\d{9}", "slack:UID"),
            (r"slave\[\d\]", "slave[N]"),
            (r"owners: @alice, \w+", "owners: @alice, ME"),
            (r"\S+: carries out runs", "HOST: carries out runs"),
        ] }, { insta::assert_snapshot!($name, $text); });
    };
}

/// Messages that the bot posted in channels, not in threads.
fn posted(slack: &Workspace) -> Vec<Call> {
    let calls = slack.calls_of("chat.postMessage").into_iter();
    calls.filter(|call| call.text("thread_ts").is_empty() && call.is_ok()).collect()
}

/// Slack delivers what it delivered last once more.
async fn again(slack: &Workspace) {
    let repeated = slack.repeat().await;
    assert!(!repeated.is_empty(), "there is something to repeat");
    for one in repeated {
        one.accepted();
    }
}

#[tokio::test]
async fn a_slash_command_raises_an_environment_and_the_channel_tells_it() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    // The card is there before the end, whoever is faster.
    place.yard.hold("create.shop-app");
    place.tide("up shop because the rehearsal starts").await;
    place.reads("[Cancel").await;
    place.yard.release("create.shop-app");
    place.reads("shop is at full").await;
    place.slack.until("the asker is called", || !place.slack.called(&place.alice).is_empty()).await;
    place.settled().await;
    assert_eq!(place.yard.status(1).await, "succeeded");
    assert_eq!(posted(&place.slack).len(), 1);
    assert_reads!("up", place.slack.transcript(&place.channel));
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_question_is_answered_by_a_button_once_and_only_by_who_may() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    // The card is there before the end, whoever is faster.
    place.yard.hold("create.shop-app");
    place.tide("up shop").await;
    place.reads("[Cancel").await;
    place.yard.release("create.shop-app");
    place.reads("shop is at full").await;
    let bob = place.slack.person("bob");
    let guest = place.slack.guest("gus");
    place.tide("destroy shop").await;
    place.reads("[Approve, asks: This destroys]").await;
    place.reads("destroy shop needs a yes until").await;
    let card = place.slack.find(&place.channel, "[Approve").expect("a card");
    place.slack.press(&bob, &card, "tide.approve").await.accepted();
    place.reads("is not yours to do").await;
    place.slack.press(&guest, &card, "tide.approve").await.accepted();
    place.reads("only gus sees").await;
    assert_eq!(place.yard.status(2).await, "awaiting_approval");
    // While a press is answered nobody else can press; refused, it is free again.
    place.settled().await;
    place.slack.until("it is free again", || place.slack.thread(&card).contains("[Approve")).await;
    // Twice by the same person, and delivered again on top.
    place.yard.hold("delete.shop-app");
    let presses = tokio::join!(
        place.slack.press(&place.alice, &card, "tide.approve"),
        place.slack.press(&place.alice, &card, "tide.approve"),
    );
    presses.0.accepted();
    presses.1.accepted();
    again(&place.slack).await;
    place.reads("Approve: pressed by @alice").await;
    place.yard.until(2, "applying").await;
    place.yard.release("delete.shop-app");
    place.yard.until(2, "succeeded").await;
    place.slack.until("the end is told", || place.slack.called(&place.alice).len() >= 3).await;
    place.slack.until("the card shows the end", || !place.slack.transcript(&place.channel).contains("[Cancel")).await;
    place.reads("shop is destroyed").await;
    place.slack.until("used buttons are gone", || !place.slack.transcript(&place.channel).contains("[Approve")).await;
    place.settled().await;
    place.reads("needed a yes · approved by @alice").await;
    assert_reads!("buttons", place.slack.transcript(&place.channel));
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_a_run_brought_about_is_kept_undone_and_tried_again_by_buttons_that_work_once() {
    let place = InSlack::lay_owned_by(&["mori"], "").await;
    let mori = place.slack.person("mori");
    place.yard.fail("create.shop-app.1");
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("[Retry]").await;
    let failed = place.slack.find(&place.channel, "[Retry]").expect("a card");
    place.slack.press(&place.alice, &failed, "tide.show").await.accepted();
    place.reads("only alice sees").await;
    place.yard.heal("create.shop-app.1");
    // By two people at once: one does it again, the other hears that it is done.
    let presses = tokio::join!(
        place.slack.press(&place.alice, &failed, "tide.retry"),
        place.slack.press(&mori, &failed, "tide.retry"),
    );
    presses.0.accepted();
    presses.1.accepted();
    place.reads("Retry: pressed by @").await;
    place.reads("`Retry` was pressed already").await;
    place.yard.until(2, "succeeded").await;
    place.reads("[Keep 1 h] [Undo").await;
    place.slack.until("a used button is gone", || !place.slack.thread(&failed).contains("[Retry]")).await;
    let raised = place.slack.find(&place.channel, "[Keep 1 h]").expect("a card");
    assert!(place.slack.thread(&raised).contains("or type keep shop for 1h · undo shop"));
    place.slack.press(&place.alice, &raised, "tide.keep").await.accepted();
    place.reads("Keep 1 h: pressed by @alice · shop is kept as it is until").await;
    place.slack.until("the card shows it", || !place.slack.thread(&raised).contains("[Keep 1 h]")).await;
    place.tide("unhold shop").await;
    place.tide("down shop").await;
    place.reads("shop is at small").await;
    place.yard.until(3, "succeeded").await;
    // Its moment is over: it would undo what came after it.
    place.slack.press(&mori, &raised, "tide.undo").await.accepted();
    place.reads("`Undo` of run 2 does nothing: run 3 came after it").await;
    place.slack.until("the newest offers it", || place.slack.find(&place.channel, "[Undo]").is_some()).await;
    let lowered = place.slack.find(&place.channel, "[Undo]").expect("a card");
    place.slack.press(&mori, &lowered, "tide.undo").await.accepted();
    place.reads("Undo: pressed by @mori").await;
    place.yard.until(4, "awaiting_approval").await;
    assert!(place.yard.known(5).await.is_none(), "each button made one run");
    serve.stop().await.exits(0);
    tidegate_tests::slack::judges::check_calls(&place.slack);
}

#[tokio::test]
async fn what_fails_is_a_new_message_with_its_log_in_the_thread() {
    let place = InSlack::lay().await;
    place.yard.fail("create.shop-app.1");
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.yard.until(1, "partial").await;
    place.reads("run 1 in its channel").await;
    place.reads("Log of run 1").await;
    assert_eq!(posted(&place.slack).len(), 2);
    let called = place.slack.called(&place.alice);
    assert!(called.iter().any(|text| text.contains("FAILED") || text.contains("PARTIAL")), "{called:?}");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_long_log_comes_whole_as_one_file_however_often_its_upload_fails() {
    let place = InSlack::lay().await;
    place.yard.instead(
        "apply",
        "for i in $(seq 300); do echo '{\"@level\":\"info\",\"@message\":\"line '$i'\",\"type\":\"log\"}'; done; exit 1",
    );
    let serve = place.serve().await;
    place.slack.refuse("files.getUploadURLExternal", Refusal::Status(503)).for_calls(1);
    place.slack.refuse("files.completeUploadExternal", Refusal::DoneBut(502)).for_calls(1);
    place.tide("up shop").await;
    let text = place.reads("[file run-1-app-").await;
    let name = text.split("[file ").nth(1).and_then(|rest| rest.split(',').next()).expect("a name");
    let file = String::from_utf8(place.slack.file(name).expect("a file")).expect("text");
    for line in ["line 1\n", "line 150\n", "line 300\n"] {
        assert!(file.contains(line), "{line} in {file}");
    }
    place.slack.until("the asker is called", || !place.slack.called(&place.alice).is_empty()).await;
    serve.stop().await.exits(0);
    let text = place.slack.transcript(&place.channel);
    assert_eq!((text.matches("[file ").count(), text.matches("Log of run 1").count()), (1, 1), "{text}");
    assert!(text.contains("whole log: the file beside this") && !text.contains("did not fit"), "{text}");
}

#[tokio::test]
async fn a_file_that_is_not_taken_holds_up_nothing_else_and_comes_once_it_is() {
    let place = InSlack::lay().await;
    place.yard.instead(
        "apply",
        "for i in $(seq 300); do echo '{\"@level\":\"info\",\"@message\":\"line '$i'\",\"type\":\"log\"}'; done; exit 1",
    );
    let serve = place.serve().await;
    place.slack.refuse("upload", Refusal::Status(503)).lasting();
    place.tide("up shop").await;
    place.yard.until(1, "failed").await;
    place.slack.until("an upload is tried", || !place.slack.calls_of("upload").is_empty()).await;
    place.tide("plan shop small").await;
    place.reads("run 2 · plan shop small").await;
    place.slack.until("the asker is called", || !place.slack.called(&place.alice).is_empty()).await;
    assert!(!place.slack.transcript(&place.channel).contains("[file "), "{}", place.slack.transcript(&place.channel));
    place.slack.accept("upload");
    place.reads("[file run-1-app-").await;
    place.settled().await;
    serve.stop().await.exits(0);
    let text = place.slack.transcript(&place.channel);
    assert_eq!((text.matches("[file ").count(), text.matches("Log of run 1").count()), (1, 1), "{text}");
}

#[tokio::test]
async fn a_page_that_is_none_of_slacks_takes_no_card_for_edited() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.yard.hold("create.shop-app");
    place.tide("up shop").await;
    place.reads("run 1 · up shop full").await;
    place.slack.refuse("chat.update", Refusal::Status(200)).lasting();
    place.yard.release("create.shop-app");
    place.yard.until(1, "succeeded").await;
    let tried = place.slack.calls_of("chat.update").len();
    place.slack.until("the end is tried", || place.slack.calls_of("chat.update").len() > tried).await;
    place.slack.accept("chat.update");
    place.reads("shop is at full ·").await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn the_audit_comes_as_a_file_in_the_thread_in_which_it_was_asked_for() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full ·").await;
    let asked = place.slack.mention(&place.alice, &place.channel, None, "@tidegate audit shop as csv").await;
    asked.accepted();
    let text = place.reads("[file audit-").await;
    let name = text.split("[file ").nth(1).and_then(|rest| rest.split(',').next()).expect("a name");
    assert_eq!(name.rsplit_once('.').map(|(_, ending)| ending), Some("csv"), "{name}");
    let file = String::from_utf8(place.slack.file(name).expect("a file")).expect("text");
    assert!(file.starts_with("entry,at,") && file.contains(",up shop,"), "{name}: {file}");
    assert!(place.slack.thread(&asked.message).contains(name), "{}", place.slack.thread(&asked.message));
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn of_what_changed_nothing_only_the_asker_hears_unless_more_is_wanted() {
    for (lines, calls, direct) in [("", 2, true), ("tell_unchanged = true", 3, false)] {
        let place = InSlack::lay_with(lines).await;
        let serve = place.serve().await;
        place.tide("up shop").await;
        place.reads("shop is at full ·").await;
        place.tide("up shop").await;
        place.yard.until(2, "nothing_to_do").await;
        if direct {
            let alone = place.slack.direct_channel(&place.alice);
            place.slack.reads(&alone, "shop is at full already · run 2").await;
        } else {
            place.reads("shop is at full already · run 2").await;
        }
        place.tide("down shop").await;
        place.reads("shop is at small").await;
        let cards = posted(&place.slack).into_iter().filter(|call| call.text("channel") == place.channel.as_str());
        assert_eq!(cards.count(), calls, "{}", place.slack.transcript(&place.channel));
        let told = || place.slack.called(&place.alice).iter().any(|text| text.contains("small"));
        place.slack.until("the last end is told", told).await;
        // One for each, also of what is told to her alone.
        assert_eq!(place.slack.called(&place.alice).len(), 3, "{lines}");
        serve.stop().await.exits(0);
    }
}

#[tokio::test]
async fn what_is_long_in_planning_has_its_card_meanwhile_which_says_in_place_that_nothing_was_to_be_done() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full ·").await;
    place.settled().await;
    let before = place.slack.called(&place.alice).len();
    place.yard.hold("plan");
    place.tide("up shop").await;
    place.reads("run 2 · up shop full · planning").await;
    let card = place.slack.find(&place.channel, "run 2 · up shop full · planning").expect("a card");
    place.yard.release("plan");
    place.yard.until(2, "nothing_to_do").await;
    place.settled().await;
    let alone = place.slack.direct_channel(&place.alice);
    place.slack.reads(&alone, "shop is at full already · run 2").await;
    let text = place.slack.thread(&card);
    assert!(text.contains("shop is at full already") && !text.contains("planning"), "{text}");
    assert_eq!(posted(&place.slack).len(), 3, "two cards, and what she reads alone: {}", place.slack.everything());
    let below = |call: &Call| call.text("thread_ts") == card.ts;
    assert_eq!(place.slack.calls_of("chat.postMessage").iter().filter(|call| below(call)).count(), 0, "{text}");
    let called = place.slack.called(&place.alice);
    assert_eq!(called.len() - before, 1, "once, alone: {called:?}");
    serve.stop().await.exits(0);
    tidegate_tests::slack::judges::check_calls(&place.slack);
}

#[tokio::test]
async fn one_mention_in_two_events_delivered_again_is_one_run_and_edits_are_none() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    let said = place.slack.mention(&place.alice, &place.channel, None, "@tidegate up shop").await;
    said.accepted();
    again(&place.slack).await;
    place.reads("shop is at full").await;
    place.slack.edit(&said.message, "@tidegate down shop").await.accepted();
    place.slack.delete(&said.message).await.accepted();
    let robot = place.slack.bot("robot");
    place.slack.mention(&robot, &place.channel, None, "@tidegate down shop").await;
    let stranger = place.slack.stranger("sam");
    place.slack.set_channel(&place.channel, false, true);
    place.slack.mention(&stranger, &place.channel, None, "@tidegate down shop").await;
    place.reads("Refused: `down shop`").await;
    place.slack.direct(&place.alice, "status").await.accepted();
    let direct = place.slack.direct_channel(&place.alice);
    let text = place.slack.reads(&direct, "shop").await;
    assert!(text.contains("full"), "{text}");
    place.settled().await;
    assert!(place.yard.known(2).await.is_none(), "there is one run");
    assert_eq!(place.yard.calls("apply", "shop-app"), 1);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn minutes_of_refusals_lose_nothing_and_repeat_nothing() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.slack.refuse("chat.postMessage", Refusal::RateLimited { retry_after: 1 }).for_calls(3);
    place.slack.refuse("chat.update", Refusal::Status(503)).for_calls(2);
    // Each card is there before the end, so that the end is an edit.
    place.yard.hold("create.shop-app");
    place.tide("up shop").await;
    place.reads("[Cancel").await;
    place.yard.release("create.shop-app");
    place.yard.until(1, "succeeded").await;
    place.reads("shop is at full").await;
    place.slack.until("the end is told", || !place.slack.called(&place.alice).is_empty()).await;
    assert_eq!(posted(&place.slack).len(), 1);
    // The thread may tell it before the card does, whose edits were refused: until then `[Cancel` is still that of this run.
    place.reads("[Keep 1 h]").await;
    // What is done and never answered for is found in the history.
    place.slack.refuse("chat.postMessage", Refusal::AnswerLost).for_calls(1);
    place.slack.refuse("chat.postMessage", Refusal::DoneBut(502)).for_calls(1);
    place.yard.hold("delete.shop-app");
    place.tide("down shop").await;
    place.reads("[Cancel").await;
    place.yard.release("delete.shop-app");
    place.yard.until(2, "succeeded").await;
    place.reads("shop is at small").await;
    place.slack.until("the end is told", || place.slack.called(&place.alice).len() >= 2).await;
    place.settled().await;
    let text = place.slack.transcript(&place.channel);
    assert_eq!(text.matches("tidegate (edited):").count(), 2, "{text}");
    assert_eq!(place.slack.called(&place.alice).len(), 2, "{text}");
    serve.stop().await.exits(0);
}

/// How long Slack is away; in the long form as long as people wait before they look for another chat.
fn outage() -> Duration {
    let long = std::env::var_os("TIDEGATE_LONG").is_some_and(|value| value == "1");
    if long { Duration::from_mins(10) } else { Duration::ZERO }
}

#[tokio::test]
async fn an_outage_over_several_runs_loses_nothing_and_repeats_nothing() {
    tokio::join!(outage_of(Refusal::RateLimited { retry_after: 1 }), outage_of(Refusal::Status(503)));
}

/// Slack takes no message in such a way while three runs come and go.
async fn outage_of(refusal: Refusal) {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    let began = tokio::time::Instant::now();
    for method in ["chat.postMessage", "chat.update"] {
        place.slack.refuse(method, refusal.clone()).lasting();
    }
    for (run, words) in (1..).zip(["up shop", "scale shop app=5", "down shop"]) {
        place.tide(words).await;
        place.yard.until(run, "succeeded").await;
    }
    tokio::time::sleep_until(began + outage()).await;
    let tried = || place.slack.calls_of("chat.postMessage").len();
    let before = tried();
    place.slack.until("it is tried again and again", || tried() > before.max(2)).await;
    for method in ["chat.postMessage", "chat.update"] {
        place.slack.accept(method);
    }
    place.slack.until("every end is told", || place.slack.called(&place.alice).len() >= 3).await;
    place.settled().await;
    serve.stop().await.exits(0);
    let text = place.slack.transcript(&place.channel);
    assert_eq!(posted(&place.slack).len(), 3, "a card for each:\n{text}");
    assert_eq!(place.slack.called(&place.alice).len(), 3, "an end for each:\n{text}");
    let order: Vec<usize> = ["run 1 ·", "run 2 ·", "run 3 ·"].iter().filter_map(|run| text.find(run)).collect();
    assert!(order.len() == 3 && order.is_sorted(), "in order:\n{text}");
    assert_eq!(text.matches("variables:").count(), 3, "a plan for each:\n{text}");
}

/// Kills `serve` at an arrow of the flow, starts it again, and says how it ends.
async fn killed(place: &InSlack, serve: tidegate_tests::yard::Process) {
    serve.kill().await;
    for method in ["users.info", "chat.postMessage", "chat.update"] {
        place.slack.accept(method);
        place.slack.delay(method, Duration::ZERO);
    }
    let serve = place.serve().await;
    place.slack.redeliver().await;
    place.yard.until(1, "succeeded").await;
    place.reads("shop is at full").await;
    place.slack.until("the end is told", || !place.slack.called(&place.alice).is_empty()).await;
    // A last stop lets everything that is still meant to be said be said.
    serve.stop().await.exits(0);
    let text = place.slack.transcript(&place.channel);
    // It is edited, unless the run was over before it was posted.
    let cards = text.lines().filter(|line| line.starts_with("tidegate:") || line.starts_with("tidegate (edited):"));
    assert_eq!(cards.count(), 1, "one card:\n{text}");
    assert_eq!(place.slack.called(&place.alice).len(), 1, "one end:\n{text}");
    assert_eq!(text.matches("variables:").count(), 1, "one plan:\n{text}");
    assert_eq!(place.yard.calls("apply", "shop-app"), 1);
    assert!(place.yard.known(2).await.is_none(), "there is one run");
}

#[tokio::test]
async fn killed_after_the_inbox_and_before_the_desk() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.slack.refuse("users.info", Refusal::Silence).lasting();
    place.tide("up shop").await;
    killed(&place, serve).await;
}

#[tokio::test]
async fn killed_while_its_card_is_being_posted_or_just_was() {
    for refusal in [Refusal::Silence, Refusal::AnswerLost] {
        let place = InSlack::lay().await;
        let serve = place.serve().await;
        place.yard.hold("create.shop-app");
        place.slack.refuse("chat.postMessage", refusal).lasting();
        place.tide("up shop").await;
        place.slack.until("it is posted", || !place.slack.calls_of("chat.postMessage").is_empty()).await;
        place.yard.release("create.shop-app");
        killed(&place, serve).await;
    }
}

#[tokio::test]
async fn killed_in_mid_apply_and_the_card_goes_on() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.yard.hold("create.shop-app");
    place.tide("up shop").await;
    place.reads("applying").await;
    place.yard.until_did("create shop-app", 1).await;
    let serve = {
        serve.kill().await;
        place.serve().await
    };
    place.yard.release("create.shop-app");
    killed(&place, serve).await;
}

#[tokio::test]
async fn killed_while_its_card_is_being_edited_or_just_was() {
    for refusal in [Refusal::Silence, Refusal::AnswerLost] {
        let place = InSlack::lay().await;
        let serve = place.serve().await;
        place.yard.hold("create.shop-app");
        place.slack.refuse("chat.update", refusal).lasting();
        place.tide("up shop").await;
        place.slack.until("it is edited", || !place.slack.calls_of("chat.update").is_empty()).await;
        place.yard.until_did("create shop-app", 1).await;
        place.yard.release("create.shop-app");
        killed(&place, serve).await;
    }
}

#[tokio::test]
async fn a_refreshed_and_a_dead_connection_are_replaced() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.slack.connected(2).await;
    place.slack.disconnect("refresh_requested");
    let listening = || serve.err().matches("listening to Slack").count();
    place.yard.wait("new connections", async || (listening() >= 4).then_some(())).await;
    place.tide("status").await;
    place.reads("shop").await;
    let alive = tokio::time::Instant::now();
    place.slack.half_open();
    place.slack.connected(2).await;
    assert!(alive.elapsed() < Duration::from_secs(30), "{:?}", alive.elapsed());
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn while_one_of_two_connections_is_renewed_the_other_hears_everything_once() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.slack.connected(2).await;
    let listening = || serve.err().matches("listening to Slack").count();
    place.yard.wait("both", async || (listening() == 2).then_some(())).await;
    let read = || place.slack.calls_of("conversations.history").len();
    let before = read();
    // The new one takes its time: until then the other is alone.
    place.slack.delay("apps.connections.open", Duration::from_secs(2));
    place.slack.refresh_one();
    place.yard.wait("one ends", async || serve.err().contains("refresh_requested").then_some(())).await;
    assert_eq!(listening(), 2, "the new one is not there yet");
    place.slack.mention(&place.alice, &place.channel, None, "@tidegate up shop").await.accepted();
    place.tide("history shop").await;
    place.yard.wait("a new one", async || (listening() == 3).then_some(())).await;
    place.slack.connected(2).await;
    again(&place.slack).await;
    place.yard.until(1, "succeeded").await;
    place.settled().await;
    assert!(place.yard.known(2).await.is_none(), "each is heard once");
    assert_eq!(read(), before, "nothing can have been missed, and nothing is read");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn people_who_ask_elsewhere_get_a_link_and_names_that_ping_are_inert() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    let other = place.slack.channel("#other");
    place.slack.command(&place.alice, &other, "/tide", "up shop because <!channel> *now* `rm`").await.accepted();
    place.reads("shop is at full").await;
    let text = place.slack.reads(&other, "run 1 in its channel").await;
    assert!(!text.contains("shop is at full"), "{text}");
    let bob = place.slack.person("bob");
    assert!(place.slack.called(&bob).is_empty());
    for call in place.slack.calls_of("chat.postMessage").iter().chain(&place.slack.calls_of("chat.update")) {
        assert!(!call.text("text").contains("<!channel>"), "{call:?}");
    }
    place.tide("upp shop").await;
    place
        .slack
        .until("a refusal only she sees", || place.slack.transcript(&place.channel).contains("only alice sees"))
        .await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn signed_http_is_taken_and_anything_else_refused() {
    let place = InSlack::lay_with("mode = \"http\"\nlisten = \"127.0.0.1:0\"").await;
    let (serve, address) = place.serve_http().await;
    place.slack.over_http(&format!("http://{address}"));
    place.tide("up shop").await;
    again(&place.slack).await;
    place.reads("shop is at full").await;
    place.settled().await;
    assert!(place.yard.known(2).await.is_none(), "there is one run");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn the_form_and_the_home_tab_do_what_commands_do() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.tide("").await;
    place.slack.until("a form", || place.slack.form(&place.alice).is_some()).await;
    let form = place.slack.form(&place.alice).expect("a form");
    assert_reads!("form", place.slack.view_text(&form));
    let wrong = serde_json::json!({ "what": "up", "setting.app": "99", "until": 1 });
    let wrong = place.slack.submit(&place.alice, &form, &wrong).await;
    let errors = wrong.body().map(|body| body["errors"].clone()).unwrap_or_default();
    assert!(errors["setting.shop.app"].as_str().is_some_and(|told| told.contains("0 to 20")), "{errors}");
    assert!(errors["until"].as_str().is_some_and(|told| told.contains("passed")), "{errors}");
    let soon = place.now() + 7_200;
    let good = serde_json::json!({ "what": "up", "setting.app": "4", "until": soon, "because": "of the form" });
    place.slack.submit(&place.alice, &form, &good).await.accepted();
    place.slack.until("the plan", || place.slack.view_text(&form).contains("[Do it]")).await;
    assert_reads!("form_planned", place.slack.view_text(&form));
    assert_eq!(place.yard.calls("apply", "shop-app"), 0);
    place.slack.submit(&place.alice, &form, &serde_json::json!({})).await.accepted();
    assert!(place.slack.form(&place.alice).is_none(), "the form is closed");
    again(&place.slack).await;
    let text = place.reads("shop is at full · app 4").await;
    assert!(text.contains("because of the form"), "{text}");
    place.tide("status shop").await;
    place.reads("kept as it is by @alice until").await;
    assert_eq!(place.yard.calls("apply", "shop-app"), 1);
    place.tide("unhold shop").await;
    place.slack.open_home(&place.alice).await.accepted();
    let shows =
        |words: &str| place.slack.home(&place.alice).is_some_and(|home| place.slack.view_text(&home).contains(words));
    place.slack.until("the home tab", || shows("shop") && !shows("kept")).await;
    let home = place.slack.home(&place.alice).expect("a home tab");
    assert_reads!("home", place.slack.view_text(&home));
    assert!(place.slack.view_text(&home).contains("1 runner alive"));
    // What is under way is seen there, too, with how far it is.
    place.yard.hold("create.shop-app");
    place.tide("up shop app=6 because it grows").await;
    place.slack.until("the run in the home tab", || shows("applying") && shows("0/2")).await;
    place.slack.until("why", || shows("because it grows (run")).await;
    place.yard.release("create.shop-app");
    place.tide("keep shop for 2h because we measure").await;
    place.slack.until("who keeps it", || shows("kept as it is by @alice until") && shows("because we measure")).await;
    place.tide("unhold shop").await;
    place.reads("shop is at full · app 4 -> 6").await;
    place.slack.press_in_view(&place.alice, &home, "tide.down", None).await.accepted();
    place.reads("shop is at small").await;
    place.slack.until("the home tab is true", || shows("small")).await;
    serve.stop().await.exits(0);
    tidegate_tests::slack::judges::check_calls(&place.slack);
}

#[tokio::test]
async fn what_was_said_during_an_outage_is_done_when_it_is_young() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.tide("status").await;
    place.reads("shop").await;
    serve.stop().await.exits(0);
    // Nobody listens, and Slack gives up delivering.
    place.slack.mention(&place.alice, &place.channel, None, "@tidegate up shop").await;
    let serve = place.serve().await;
    place.reads("shop is at full").await;
    place.slack.redeliver().await;
    place.settled().await;
    assert!(place.yard.known(2).await.is_none(), "there is one run");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_was_missed_in_threads_and_direct_messages_is_done_and_what_is_old_is_asked() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    let card = place.slack.find(&place.channel, "run 1").expect("a card");
    place.slack.until("the end is told", || !place.slack.called(&place.alice).is_empty()).await;
    serve.stop().await.exits(0);
    // Twenty minutes without Tidegate, of which Slack delivers nothing later.
    place.yard.change_ledger("UPDATE heard SET until = until - 1200000").await;
    place.slack.said_ago(Duration::from_mins(10));
    place.slack.mention(&place.alice, &place.channel, None, "@tidegate down shop off").await;
    let said = place.slack.mention(&place.alice, &place.channel, None, "@tidegate destroy shop").await;
    place.slack.edit(&said.message, "@tidegate down shop off because edited").await;
    place.slack.said_ago(Duration::ZERO);
    place.slack.mention(&place.alice, &place.channel, Some(&card), "@tidegate scale shop app=5").await;
    place.slack.direct(&place.alice, "plan shop small").await;
    let serve = place.serve().await;
    place.yard.until(2, "succeeded").await;
    place.yard.until(3, "planned").await;
    let text = place.reads("This was said 10 minutes ago and is not done by itself any more").await;
    assert_eq!(text.matches("10 minutes ago").count(), 1, "edited ones are not even asked about:\n{text}");
    assert_eq!(place.yard.row(2).await.request.kind.as_str(), "scale");
    // Answered late, it is done.
    let asked = place.slack.find(&place.channel, "10 minutes ago").expect("a question");
    place.slack.mention(&place.alice, &place.channel, Some(&asked), "@tidegate down shop").await.accepted();
    place.reads("shop is at small").await;
    place.yard.until(4, "succeeded").await;
    assert!(place.yard.known(5).await.is_none(), "each was done once");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn check_online_tells_what_is_missing_what_for_and_where() {
    let place = InSlack::lay().await;
    let env = [
        ("BOT", place.slack.bot_token()),
        ("APP", place.slack.app_token()),
        ("SIGNING", place.slack.signing_secret()),
        ("TIDEGATE_LOOPBACK_ONLY", "1"),
    ];
    let told = place.yard.start(&["check", "--online"], &env).end().await;
    told.says(&["nothing is missing in the chats"]).exits(0);
    let whole = place.slack.granted();
    let some: Vec<&str> = whole.iter().map(String::as_str).filter(|scope| *scope != "users:read").collect();
    place.slack.scopes(&some);
    place.slack.set_channel(&place.channel, true, false);
    let told = place.yard.start(&["check", "--online"], &env).end().await;
    told.says(&["the scope users:read is missing", "nobody is answered", "https://api.slack.com/apps"]);
    told.says(&["#load-test (is_archived)", "unarchive it"]).exits(1);
    let swapped = [("BOT", place.slack.app_token()), ("APP", place.slack.bot_token()), ("TIDEGATE_LOOPBACK_ONLY", "1")];
    let told = place.yard.start(&["check", "--online"], &swapped).end().await;
    told.says(&["`bot_token`", "begins with xapp-, which is the other token", "`app_token`", "begins with xoxb-"])
        .exits(1);
    let wrong = [("BOT", "xoxb-wrong"), ("APP", place.slack.app_token()), ("TIDEGATE_LOOPBACK_ONLY", "1")];
    let told = place.yard.start(&["check", "--online"], &wrong).end().await;
    told.says(&["a working `bot_token`", "invalid_auth", "OAuth & Permissions"]).exits(1);
    assert!(place.slack.calls_of("chat.postMessage").iter().all(|call| !call.is_ok()), "nothing is posted");
}

#[tokio::test]
async fn check_online_says_what_it_did_not_ask_and_finds_people_and_groups_that_are_not_there() {
    let place = InSlack::lay_owned_by(&["mori"], "").await;
    let _group = place.slack.group("oncallers", &[&place.alice]);
    let env = [
        ("BOT", place.slack.bot_token()),
        ("APP", place.slack.app_token()),
        ("SIGNING", place.slack.signing_secret()),
        ("TIDEGATE_LOOPBACK_ONLY", "1"),
    ];
    let check = async || place.yard.start(&["check", "--online"], &env).end().await;
    place.slack.refuse("conversations.list", Refusal::Status(503)).lasting();
    let told = check().await;
    told.says(&["the channel #load-test could not be asked for"]).exits(1);
    assert!(!told.out.contains("nothing is missing"), "{}", told.out);
    place.slack.accept("conversations.list");
    place.slack.refuse("*", Refusal::Status(503)).lasting();
    let told = check().await;
    told.says(&["could not be asked"]).exits(1);
    assert!(!told.out.contains("nothing is missing"), "{}", told.out);
    place.slack.accept("*");
    let whole = place.yard.read("tidegate.toml");
    place.yard.configure("oncall = [", "oncall = [\"slack:U0NOBODY\", \"slack:S0NOGROUP\", ");
    let told = check().await;
    told.says(&["slack:U0NOBODY", "user_not_found", "slack:S0NOGROUP", "is no group"]).exits(1);
    place.yard.write("tidegate.toml", &format!("{whole}\n[[["));
    let told = check().await;
    told.says(&["the chats were not asked"]).exits(1);
    assert!(!told.out.contains("nothing is missing"), "{}", told.out);
}

#[tokio::test]
async fn two_processes_on_one_server_answer_once_and_one_of_them_goes_on_alone() {
    let database = Database::new();
    let place = InSlack::lay_on("", database.url()).await;
    let first = place.serve().await;
    let second = place.serve().await;
    place.slack.connected(4).await;
    for _ in 0..3 {
        place.tide("up shop").await;
        again(&place.slack).await;
    }
    place.slack.mention(&place.alice, &place.channel, None, "@tidegate status").await.accepted();
    again(&place.slack).await;
    place.yard.until(1, "succeeded").await;
    place.reads("shop is at full").await;
    place
        .slack
        .until("it is told", || place.slack.called(&place.alice).iter().any(|text| text.contains("run 1")))
        .await;
    first.kill().await;
    // Where it went to the dead one it comes again, as from Slack.
    place.slack.command(&place.alice, &place.channel, "/tide", "down shop").await;
    place.slack.redeliver().await;
    place.reads("shop is at small").await;
    place
        .slack
        .until("it is told", || place.slack.called(&place.alice).iter().any(|text| text.contains("run 4")))
        .await;
    second.stop().await.exits(0);
    let text = place.slack.transcript(&place.channel);
    assert_eq!(text.matches("shop is at small").count(), 2, "its card and its end:\n{text}");
    let ends = place.slack.called(&place.alice).iter().filter(|text| text.contains("shop is at small")).count();
    assert_eq!(ends, 1, "{text}");
}
