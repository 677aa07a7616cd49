//! The clock in Slack: it warns before an environment goes down, and the warning can be acted on, once, and stays true.

use tidegate_runner::domain::schedule::ALL_SEEN;
use tidegate_tests::in_slack::InSlack;
use tidegate_tests::slack::MessageId;

/// So many minutes from now, as a schedule has it: in the zone UTC.
fn in_minutes(place: &InSlack, minutes: i64) -> chrono::DateTime<chrono::Utc> {
    let now = chrono::DateTime::from_timestamp(i64::try_from(place.now()).expect("now"), 0).expect("a time");
    now + chrono::TimeDelta::minutes(minutes)
}

fn written(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%d %H:%M").to_string()
}

/// Gives `shop` a schedule that takes it down then, of which is warned at once.
fn schedule(place: &InSlack, at: chrono::DateTime<chrono::Utc>) {
    place.yard.configure("channel = \"#load-test\"\n", "channel = \"#load-test\"\nzone = \"UTC\"\n");
    let lines = format!(
        "[[environments.shop.schedules]]\nname = \"night\"\nat = \"{}\"\ndo = \"down\"\nwarn = \"24h\"\n",
        written(at)
    );
    place.yard.write("tidegate.toml", &format!("{}\n{lines}", place.yard.read("tidegate.toml")));
}

/// The warning of what comes then, once it is there.
async fn warning(place: &InSlack, at: chrono::DateTime<chrono::Utc>) -> MessageId {
    let due = format!("{} +00:00 UTC, from full", at.format("%a %Y-%m-%d %H:%M"));
    place.slack.until(&due, || place.slack.find(&place.channel, &due).is_some()).await;
    place.slack.find(&place.channel, &due).expect("a message")
}

/// The message, once it reads so.
async fn reads_so(place: &InSlack, message: &MessageId, words: &str) -> String {
    place.slack.until(words, || place.slack.thread(message).contains(words)).await;
    place.slack.thread(message)
}

#[tokio::test]
async fn a_warning_of_the_clock_is_acted_on_once_by_who_may_and_says_by_whom_and_what_came_of_it() {
    let place = InSlack::lay_owned_by(&["bob"], "").await;
    let kato = place.slack.person("kato");
    let bob = place.slack.person("bob");
    let at = in_minutes(&place, 40);
    schedule(&place, at);
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    let warned = warning(&place, at).await;
    let text = place.slack.thread(&warned);
    assert!(text.contains("from full · night begins"), "because of which schedule: {text}");
    for button in ["[Keep 1 h]", "[Keep until ", "[Skip ", "[Down now, asks: This destroys]"] {
        assert!(text.contains(button), "{button}: {text}");
    }
    // Refused, it is free again for those who may.
    place.slack.press(&kato, &warned, "tide.keep").await.accepted();
    place.reads("kato").await;
    place.settled().await;
    assert!(!place.slack.thread(&warned).contains("pressed by"), "{}", place.slack.thread(&warned));
    reads_so(&place, &warned, "[Keep 1 h]").await;
    // A double click is one press; who comes second hears so, and sees the buttons still.
    place.slack.delay("chat.update", std::time::Duration::from_secs(3));
    for _ in 0..2 {
        place.slack.press(&place.alice, &warned, "tide.keep").await.accepted();
    }
    place.slack.press(&bob, &warned, "tide.keep.2").await.accepted();
    place.reads("was pressed already").await;
    place.slack.accept("chat.update");
    place.settled().await;
    let text = reads_so(&place, &warned, "shop does not go to small").await;
    assert!(text.contains("Keep 1 h: pressed by @alice · shop is kept"), "{text}");
    assert!(!text.contains("[Keep") && !text.contains("[Skip") && !text.contains("[Down"), "{text}");
    assert_eq!(place.yard.number("SELECT COUNT(*) FROM holds WHERE kind = 'keep'").await, 1, "once");
    serve.stop().await.exits(0);
    tidegate_tests::slack::judges::check_calls(&place.slack);
}

#[tokio::test]
async fn a_warning_says_so_when_it_is_over_whoever_ended_it() {
    let place = InSlack::lay().await;
    let first = in_minutes(&place, 40);
    schedule(&place, first);
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    let warned = warning(&place, first).await;
    // Typed, it counts as well as pressed.
    place.tide("keep shop for 2h").await;
    let text = reads_so(&place, &warned, "shop does not go to small").await;
    assert!(!text.contains("[Keep") && !text.contains("pressed by"), "{text}");
    place.tide("unhold shop").await;
    reads_so(&place, &warned, "[Keep 1 h] [Keep until ").await;
    let second = in_minutes(&place, 50);
    place.yard.configure(&written(first), &written(second));
    let warned = warning(&place, second).await;
    place.slack.press(&place.alice, &warned, "tide.keep.2").await.accepted();
    reads_so(&place, &warned, "pressed by @alice · shop is kept").await;
    place.settled().await;
    let third = in_minutes(&place, 55);
    place.tide("unhold shop").await;
    place.yard.configure(&written(second), &written(third));
    let warned = warning(&place, third).await;
    serve.stop().await.exits(0);
    // As if it had been time meanwhile.
    place.yard.configure(&written(third), &written(third - chrono::TimeDelta::hours(2)));
    let due = third.timestamp() / 60 * 60_000;
    let past =
        format!("UPDATE cards SET about = replace(about, '{due}', '{}') WHERE run_number IS NULL", due - 7_200_000);
    place.yard.change_ledger(&past).await;
    // And as if it had been written before that.
    let seen = format!("UPDATE clock_asked SET written = '{ALL_SEEN}'");
    place.yard.change_ledger(&seen).await;
    let serve = place.serve().await;
    let text = reads_so(&place, &warned, "shop was to go to small").await;
    assert!(!text.contains("[Keep") && text.contains("status shop"), "{text}");
    serve.stop().await.exits(0);
}

/// Once the clock has seen so many environments.
async fn all_known(place: &InSlack, count: i64) {
    let known = async {
        while place.yard.number("SELECT COUNT(*) FROM clock_asked").await < count {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), known).await.expect("the clock has looked");
}

#[tokio::test]
async fn a_warnings_down_now_lowers_what_it_warns_of_and_says_so() {
    let place = InSlack::lay().await;
    let at = in_minutes(&place, 40);
    schedule(&place, at);
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    let warned = warning(&place, at).await;
    assert!(place.slack.thread(&warned).contains("[Down now, asks: "), "{}", place.slack.thread(&warned));
    place.slack.press(&place.alice, &warned, "tide.down").await.accepted();
    place.reads("shop is at small").await;
    let text = reads_so(&place, &warned, "shop is to be at small already").await;
    assert!(text.contains("Down now: pressed by @alice"), "{text}");
    assert!(!text.contains("[Keep") && !text.contains("[Down"), "{text}");
    // The asker is a person, and when it is time nothing more is done.
    let run = place.yard.row(2).await;
    let alice = format!("slack:{}", place.alice.as_str());
    assert_eq!((run.asker.id.as_str(), run.state.status()), (alice.as_str(), "succeeded"));
    assert_eq!(place.yard.number("SELECT COUNT(*) FROM runs").await, 2);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_the_clock_says_in_a_channel_that_is_not_found_is_told_to_the_owners() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    schedule(&place, in_minutes(&place, 40));
    place.yard.configure("channel = \"#load-test\"", "channel = \"#gone\"");
    let direct = place.slack.direct_channel(&place.alice);
    let text = place.slack.reads(&direct, "shop goes to small in").await;
    assert!(text.contains("keep shop for 1h"), "{text}");
    place.settled().await;
    assert!(!place.slack.transcript(&place.channel).contains("shop goes to small"), "it is not its channel");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn forty_environments_that_are_refused_at_one_moment_are_one_message() {
    const COUNT: i64 = 40;
    let place = InSlack::lay().await;
    let text = place.yard.read("tidegate.toml");
    let (top, shop) = text.split_once("[environments.shop]").expect("shop");
    let lines = "zone = \"UTC\"\n[[environments.shop.schedules]]\nname = \"morning\"\nat = \"2099-01-01 09:00\"\n\
                 do = \"up full\"\nfor = \"2h\"\n";
    let (head, stacks) = shop.split_once("[[environments.shop.stacks]]").expect("stacks");
    let shop = format!("[environments.shop]{head}{lines}[[environments.shop.stacks]]{stacks}\n");
    let mut all = format!("{top}{shop}");
    let root = place.yard.read("roots/shop/app/main.tf");
    for number in 1..COUNT {
        let name = format!("e{number}");
        place.yard.write(&format!("roots/{name}/app/main.tf"), &root);
        all += &shop.replace("shop", &name);
    }
    place.yard.write("tidegate.toml", &all);
    let serve = place.serve().await;
    all_known(&place, COUNT).await;
    serve.stop().await.exits(0);
    // Somebody holds each of them.
    place
        .yard
        .change_ledger(
            "INSERT INTO holds (number, kind, environment, slot, by_id, by_name, only_ids, because, began_at, until_at) \
             SELECT 1000 + ROW_NUMBER() OVER (ORDER BY environment), 'hold', environment, environment, 'local:sato', 'sato', \
             '[]', 'we measure', 0, 4000000000000 FROM clock_asked",
        )
        .await;
    let due = in_minutes(&place, 0);
    place.yard.configure("2099-01-01 09:00", &written(due));
    place.yard.change_ledger("UPDATE clock SET seen_at = seen_at - 600000").await;
    place.yard.change_ledger("UPDATE clock_asked SET since = since - 600000, written = NULL").await;
    let serve = place.serve().await;
    let text = place.reads(&format!("{}: 40 environments are NOT brought on · refused", due.format("%H:%M"))).await;
    assert!(text.contains("shop, e1, e2, e3"), "{text}");
    place.settled().await;
    let text = place.slack.transcript(&place.channel);
    assert_eq!(text.matches("are NOT brought on").count(), 1, "{text}");
    assert!(!text.contains("is NOT brought to"), "none has a message of its own: {text}");
    assert_eq!(place.yard.number("SELECT COUNT(*) FROM firings WHERE outcome = 'refused'").await, COUNT);
    serve.stop().await.exits(0);
    tidegate_tests::slack::judges::check_calls(&place.slack);
}

#[tokio::test]
async fn many_environments_at_one_moment_are_one_message_and_one_for_each_that_failed() {
    let place = InSlack::lay().await;
    let solo_channel = place.slack.channel("#solo");
    let text = place.yard.read("tidegate.toml");
    let (top, shop) = text.split_once("[environments.shop]").expect("shop");
    let due = in_minutes(&place, 0);
    let lines = format!(
        "zone = \"UTC\"\n[[environments.shop.schedules]]\nname = \"morning\"\nat = \"{}\"\ndo = \"up full\"\nfor = \
         \"2h\"\n",
        "2099-01-01 09:00"
    );
    let (head, stacks) = shop.split_once("[[environments.shop.stacks]]").expect("stacks");
    let shop = format!("[environments.shop]{head}{lines}[[environments.shop.stacks]]{stacks}\n");
    let mut all = format!("{top}{shop}");
    let root = place.yard.read("roots/shop/app/main.tf");
    for name in ["rpg", "web", "solo"] {
        place.yard.write(&format!("roots/{name}/app/main.tf"), &root);
        let another = shop.replace("shop", name);
        all += &match name {
            "solo" => another.replace("#load-test", "#solo"),
            // The same channel by its id: it is still one message.
            "web" => another.replace("#load-test", place.channel.as_str()),
            _ => another,
        };
    }
    place.yard.write("tidegate.toml", &all);
    place.yard.fail("create.rpg-app.1");
    let serve = place.serve().await;
    all_known(&place, 4).await;
    serve.stop().await.exits(0);
    // As if it had been written so before, and nobody had looked for ten minutes.
    place.yard.configure("2099-01-01 09:00", &written(due));
    place.yard.change_ledger("UPDATE clock SET seen_at = seen_at - 600000").await;
    place.yard.change_ledger("UPDATE clock_asked SET since = since - 600000, written = NULL").await;
    let serve = place.serve().await;
    let text = place.reads(&format!("{}: 2 ready, rpg PARTIAL", due.format("%H:%M"))).await;
    let rpg = place.yard.number("SELECT run_number FROM firings WHERE environment = 'rpg'").await;
    assert!(text.contains(&format!("or type retry {rpg} · show {rpg}")), "{text}");
    place.reads("rpg is PARTIAL ·").await;
    place.reads(&format!("Log of run {rpg}")).await;
    let failed = place.slack.find(&place.channel, "rpg is PARTIAL ·").expect("a message");
    let thread = place.slack.thread(&failed);
    assert!(thread.contains(&format!("Log of run {rpg}")), "the log is below what failed: {thread}");
    place.slack.reads(&solo_channel, "solo is at full").await;
    place.settled().await;
    let text = place.slack.transcript(&place.channel);
    assert!(!text.contains("shop is at full") && !text.contains("web is at full"), "no cards of their own: {text}");
    assert_eq!(text.matches("rpg is PARTIAL ·").count(), 1, "{text}");
    assert_eq!(text.matches(" by the clock").count(), 1, "one message: {text}");
    let solo = place.slack.transcript(&solo_channel);
    assert!(!solo.contains("1 ready"), "{solo}");
    // Pressed on either, it is used on both.
    let together = place.slack.find(&place.channel, "2 ready, rpg PARTIAL").expect("a message");
    assert!(place.slack.thread(&together).contains("[Retry rpg]"), "{}", place.slack.thread(&together));
    place.yard.heal("create.rpg-app.1");
    place.slack.press(&place.alice, &together, "tide.retry").await.accepted();
    reads_so(&place, &together, "Retry rpg: pressed by @alice").await;
    reads_so(&place, &failed, "Retry rpg: pressed by @alice").await;
    place.reads("rpg is at full").await;
    place.slack.until("used, it is gone", || !place.slack.transcript(&place.channel).contains("[Retry")).await;
    assert!(!place.slack.thread(&together).contains(&format!("retry {rpg}")), "nor is it typed again");
    assert_eq!(place.yard.number("SELECT COUNT(*) FROM runs WHERE retry_of IS NOT NULL").await, 1);
    serve.stop().await.exits(0);
    tidegate_tests::slack::judges::check_calls(&place.slack);
}
