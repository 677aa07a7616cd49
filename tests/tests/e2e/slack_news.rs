//! New messages beside a run's card in Slack: they can be acted on like the card, and stay true after what they ask is over.

use tidegate_tests::in_slack::InSlack;
use tidegate_tests::slack::{MessageId, Refusal};

/// The message that says so, once it is there.
async fn said(place: &InSlack, words: &str) -> MessageId {
    place.slack.until(words, || place.slack.find(&place.channel, words).is_some()).await;
    place.slack.find(&place.channel, words).expect("a message")
}

/// The message, once it reads so.
async fn reads_so(place: &InSlack, message: &MessageId, words: &str) -> String {
    place.slack.until(words, || place.slack.thread(message).contains(words)).await;
    place.slack.thread(message)
}

#[tokio::test]
async fn a_message_that_asks_for_a_yes_is_answered_there_and_says_so_when_it_is_over() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    for (button, state, over) in [
        ("tide.reject", "cancelled", "needed a yes · rejected by @alice · run 2"),
        ("", "cancelled", "needed a yes · cancelled by @alice · run 3"),
        ("tide.approve", "succeeded", "needed a yes · approved by @alice · run 4"),
    ] {
        place.tide("destroy shop").await;
        let asks = said(&place, "destroy shop needs a yes until").await;
        let text = place.slack.thread(&asks);
        assert!(text.contains("[Approve, asks: This destroys] [Reject] [Show plan]"), "{text}");
        let run = over.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("a number");
        if button.is_empty() {
            place.tide(&format!("cancel {run}")).await;
        } else {
            place.slack.press(&place.alice, &asks, button).await.accepted();
        }
        place.yard.until(run, state).await;
        let text = reads_so(&place, &asks, over).await;
        assert!(!text.contains("needs a yes") && !text.contains("[Approve") && !text.contains("[Reject"), "{text}");
        place.slack.until("the card's are gone", || !place.slack.transcript(&place.channel).contains("[Approve")).await;
        assert!(place.yard.known(run + 1).await.is_none(), "it was done once");
    }
    place.settled().await;
    serve.stop().await.exits(0);
    tidegate_tests::slack::judges::check_calls(&place.slack);
}

#[tokio::test]
async fn a_message_about_what_failed_tries_it_again_once_and_not_after_something_newer() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.yard.fail("create.shop-app.1");
    place.tide("up shop").await;
    place.yard.until(1, "partial").await;
    place.settled().await;
    let failed = said(&place, "shop is PARTIAL · app failed while applying ·").await;
    let text = reads_so(&place, &failed, "[Retry] [Show plan]").await;
    assert!(text.contains("run 1 in its channel"), "it is the message, not the card: {text}");
    place.slack.press(&place.alice, &failed, "tide.retry").await.accepted();
    place.yard.until(2, "partial").await;
    let text = reads_so(&place, &failed, "Retry: pressed by @alice").await;
    assert!(!text.contains("[Retry]"), "{text}");
    place.settled().await;
    let again = said(&place, "[Retry").await;
    place.yard.heal("create.shop-app.1");
    place.tide("up shop").await;
    place.yard.until(3, "succeeded").await;
    place.slack.press(&place.alice, &again, "tide.retry").await.accepted();
    place.reads("`Retry` of run 2 does nothing: run 3 came after it").await;
    place.settled().await;
    assert!(place.yard.known(4).await.is_none(), "nothing was tried again");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn stops_of_everything_and_their_end_are_told_once_in_each_channel_of_an_environment() {
    let place = InSlack::lay().await;
    let quiet = place.slack.channel("#quiet");
    let other =
        "[environments.other]\nchannel = \"#load-test\"\nowners = [\"slack:U1\"]\nlevels = [\"on\"]\nstacks = []\n";
    place.yard.write("tidegate.toml", &format!("{}\n{other}", place.yard.read("tidegate.toml")));
    let admin = format!("viewer = [\"everyone\"]\nadmin = [\"slack:{}\"]", place.alice.as_str());
    place.yard.configure("viewer = [\"everyone\"]", &admin);
    let serve = place.serve().await;
    let told = |words: &str| {
        let calls = place.slack.calls_of("chat.postMessage");
        calls.iter().filter(|call| call.is_ok() && call.text("text").contains(words)).count()
    };
    for (words, says) in [
        ("stop everything because it burns", "Everything is stopped by @alice until somebody resumes"),
        ("resume everything because it is out", "Runs are accepted again · lifted by @alice"),
    ] {
        place.slack.command(&place.alice, &quiet, "/tide", words).await.accepted();
        place.reads(says).await;
        place.reads(words.rsplit(" because ").next().expect("why")).await;
        place.settled().await;
        assert_eq!(told(says), 1, "{}", place.slack.everything());
    }
    serve.stop().await.exits(0);
    let serve = place.serve().await;
    place.settled().await;
    assert_eq!(told("Everything is stopped by"), 1, "not again after a restart");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn an_answer_whose_way_back_is_dead_is_no_trouble_of_slack() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.slack.refuse("response_url", Refusal::Status(503)).lasting();
    place.tide("envs").await;
    // By then Slack as a whole would be told to be away.
    let tried = || place.slack.calls_of("response_url").len();
    place.yard.wait("that it is tried often", async || (tried() >= 7).then_some(())).await;
    let told = place.yard.shell("status shop").await;
    assert!(!told.out.contains("does not answer") && !told.out.contains("no_answer"), "{}", told.out);
    let troubles = place.yard.number("SELECT COUNT(*) FROM troubles").await;
    assert_eq!((troubles, serve.err().contains("no_answer")), (0, false), "{}", serve.err());
    // Half an hour later nobody waits for it.
    place.yard.change_ledger("UPDATE outbox SET created_at = created_at - 1900000 WHERE sent_at IS NULL").await;
    place.settled().await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn the_home_tab_tells_what_comes_within_a_day_as_long_as_that_is_so() {
    let place = InSlack::lay().await;
    let now = chrono::DateTime::from_timestamp(i64::try_from(place.now()).expect("now"), 0).expect("a time");
    let [first, second] = [2, 3].map(|hours| now + chrono::TimeDelta::hours(hours));
    let written = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d %H:%M").to_string();
    let coming = |at: chrono::DateTime<chrono::Utc>| format!("next: {} +00:00 UTC full", at.format("%a %H:%M"));
    place.yard.configure("channel = \"#load-test\"\n", "channel = \"#load-test\"\nzone = \"UTC\"\n");
    let schedule = format!(
        "[[environments.shop.schedules]]\nname = \"rehearsal\"\nat = \"{}\"\ndo = \"up full\"\nfor = \"10m\"\n",
        written(first)
    );
    place.yard.write("tidegate.toml", &format!("{}\n{schedule}", place.yard.read("tidegate.toml")));
    let serve = place.serve().await;
    place.slack.open_home(&place.alice).await.accepted();
    let shows =
        |words: &str| place.slack.home(&place.alice).is_some_and(|home| place.slack.view_text(&home).contains(words));
    place.slack.until("what comes", || shows(&coming(first))).await;
    place.yard.configure(&written(first), &written(second));
    place.slack.until("what comes now", || shows(&coming(second)) && !shows(&coming(first))).await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_run_that_was_cancelled_half_way_is_a_new_message() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.yard.hold("create.shop-app.2");
    place.tide("up shop").await;
    place.yard.until_did("create shop-app", 2).await;
    place.tide("cancel 1").await;
    place.reads("is asked to stop").await;
    place.yard.release("create.shop-app.2");
    place.yard.until(1, "cancelled").await;
    place.settled().await;
    let told = said(&place, "was cancelled · PARTIAL").await;
    let text = place.slack.thread(&told);
    assert!(text.contains("run 1 in its channel"), "{text}");
    assert!(text.contains("@alice") && text.contains("[Show plan]"), "{text}");
    // Of nothing that was changed the thread is enough.
    place.tide("destroy shop").await;
    place.reads("destroy shop needs a yes until").await;
    place.tide("cancel 2").await;
    place.yard.until(2, "cancelled").await;
    place.settled().await;
    let text = place.slack.transcript(&place.channel);
    assert_eq!(text.matches("PARTIAL").count(), 1, "{text}");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn runs_are_found_by_the_group_of_whoever_asked_and_a_name_of_nobody_is_told() {
    let place = InSlack::lay().await;
    let bob = place.slack.person("bob");
    let group = place.slack.group("oncallers", &[&place.alice, &bob]);
    let others = place.slack.group("others", &[&bob]);
    let serve = place.serve().await;
    place.tide("up shop because of the rehearsal").await;
    place.reads("shop is at full ·").await;
    for (words, told) in [
        (format!("history by @slack:{}", group.as_str()), "Runs, newest first"),
        (format!("history by @slack:{} failed", group.as_str()), "No run fits that"),
        (format!("history shop by @slack:{}", others.as_str()), "No run fits that"),
        ("history by @nobody".to_owned(), "nobody is called `nobody`"),
    ] {
        let told_before = place.slack.transcript(&place.channel).matches(told).count();
        place.tide(&words).await;
        let more = || place.slack.transcript(&place.channel).matches(told).count() > told_before;
        place.slack.until(told, more).await;
    }
    place.tide("thanks!").await;
    let text = place.reads("You are welcome.").await;
    assert!(!text.contains("Not understood"), "{text}");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn who_asked_in_a_direct_message_hears_of_the_end_though_the_channel_takes_nothing() {
    let place = InSlack::lay().await;
    place.slack.set_channel(&place.channel, true, false);
    let serve = place.serve().await;
    place.yard.hold("create.shop-app");
    place.slack.direct(&place.alice, "up shop").await.accepted();
    place.yard.until(1, "applying").await;
    place.yard.wait("the trouble", async || serve.err().contains("is_archived").then_some(())).await;
    place.yard.release("create.shop-app");
    place.yard.until(1, "succeeded").await;
    let direct = place.slack.direct_channel(&place.alice);
    place.slack.reads(&direct, "shop is at full").await;
    serve.stop().await.exits(0);
}
