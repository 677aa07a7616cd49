//! Tidegate in Discord: real Terraform, and what the channel reads.

use std::time::Duration;

use tidegate_tests::discord::Fault;
use tidegate_tests::in_discord::InDiscord;
use tidegate_tests::postgres::Database;

/// Asserts what the channel reads, without what differs each time.
macro_rules! assert_reads {
    ($name:literal, $text:expr) => {
        insta::with_settings!({ filters => vec![
            (r"\d{4}-\d\d-\d\d", "DATE"),
            (r"\d\d:\d\d\b", "HH:MM"),
            (r"less than 1 s|\b\d+(\.\d+)? s\b", "N s"),
            (r"content [0-9a-f]{12}", "content DIGEST"),
            (r"Terraform \d+\.\d+\.\d+", "Terraform VERSION"),
            (r"127\.0\.0\.1:\d+/channels/[\d/]+", "DISCORD/CARD"),
            (r"local:\w+", "local:ME"),
            (r"slave\[\d\]", "slave[N]"),
            (r"/tmp/tidegate-yard\.\w+", "YARD"),
        ] }, { insta::assert_snapshot!($name, $text); });
    };
}

const POST: &str = "POST /channels/-/messages";

#[tokio::test]
async fn a_subcommand_raises_an_environment_and_the_channel_tells_it_in_one_card_and_its_thread() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    // The card is there before the end, whoever is faster.
    place.yard.hold("create.shop-app");
    let slots = [("env", "shop"), ("level", "full"), ("because", "the rehearsal starts")];
    let interaction = place.discord.command(place.alice, place.channel, "up", &slots);
    let acknowledged = place.discord.acknowledged(interaction).await;
    assert_eq!(acknowledged, serde_json::json!({ "type": 5 }), "everybody sees who asked");
    place.reads("[Cancel]").await;
    place.yard.release("create.shop-app");
    place.reads("shop is at full").await;
    place.discord.until("the asker is called", || (place.discord.called(place.alice) > 0).then_some(())).await;
    assert_eq!(place.yard.status(1).await, "succeeded");
    place.settled().await;
    assert_eq!(place.discord.posted(place.channel).len(), 2, "the answer and the card");
    let text = place.reads("[run 1 in its channel](").await;
    assert!(!text.contains("(thinks)"), "{text}");
    assert_reads!("discord_up", place.discord.transcript(place.channel));
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_question_is_private_and_its_answer_too() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    let interaction = place.discord.command(place.alice, place.channel, "status", &[("env", "shop")]);
    assert_eq!(place.discord.acknowledged(interaction).await["data"]["flags"], 64);
    place.reads("(only alice sees)").await;
    place.discord.until("it is answered", || place.discord.private(place.alice, "shop")).await;
    assert!(place.discord.posted(place.channel).is_empty());
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn levels_are_chosen_in_a_menu_as_far_as_one_may() {
    let place = InDiscord::lay().await;
    let bob = place.discord.person("bob");
    let serve = place.serve().await;
    for person in [place.alice, bob] {
        place.discord.command(person, place.channel, "status", &[("env", "shop")]);
    }
    let offered = || place.discord.private(place.alice, "[See the plan for]");
    let answer = place.discord.until("it is answered", offered).await;
    place.discord.until("bob is answered", || place.discord.private(bob, "levels: off")).await;
    assert!(place.discord.private(bob, "[See the plan for]").is_none(), "who may not is not offered it");
    let chosen = place.discord.choose(place.alice, answer, "full");
    assert_eq!(place.discord.acknowledged(chosen).await["type"], 6);
    place.reads("run 1 · plan shop full").await;
    place.settled().await;
    assert!(place.yard.known(2).await.is_none());
    assert!(!place.yard.read("calls").lines().any(|call| call.contains("apply")), "a choice alone raises nothing");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn what_destroys_asks_first_and_a_button_works_once_and_only_for_who_may() {
    let place = InDiscord::lay().await;
    let bob = place.discord.person("bob");
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    place.tide("destroy shop").await;
    place.reads("destroy shop needs a yes until").await;
    let card = place.discord.until("a card", || place.discord.find(place.channel, "[Approve]")).await;
    // Who may not is told so; the button stays for who may.
    let interaction = place.discord.press(bob, card, "Approve");
    assert_eq!(place.discord.acknowledged(interaction).await["type"], 4);
    let asks = place.discord.until("a question", || place.discord.private(bob, "This destroys")).await;
    let interaction = place.discord.press(bob, asks, "Do it");
    place.discord.acknowledged(interaction).await;
    place.discord.until("bob is told", || place.discord.private(bob, "is not yours to do")).await;
    assert_eq!(place.yard.status(2).await, "awaiting_approval");
    let interaction = place.discord.press(place.alice, card, "Approve");
    place.discord.acknowledged(interaction).await;
    let asks = place.discord.until("a question", || place.discord.private(place.alice, "This destroys")).await;
    // Twice at once.
    let presses = [place.discord.press(place.alice, asks, "Do it"), place.discord.press(place.alice, asks, "Do it")];
    for press in presses {
        place.discord.acknowledged(press).await;
    }
    place.yard.until(2, "succeeded").await;
    place.reads("Approve: pressed by @alice").await;
    place.reads("shop is destroyed").await;
    assert!(place.yard.known(3).await.is_none(), "one press, one run");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn two_people_say_yes_by_the_button_where_two_are_wanted() {
    let place = InDiscord::lay().await;
    let bob = place.discord.person("bob");
    let rule = "approve = { when = [\"command = destroy\"], by = \"owners\", count = 2 }";
    place.yard.configure("owners = [\"discord:", &format!("{rule}\nowners = [\"discord:{bob}\", \"discord:"));
    let serve = place.serve().await;
    place.yard.shell("up shop small").await.exits(0);
    place.yard.accepted("destroy shop").await;
    place.reads("2 yeses of owners").await;
    let card = place.discord.until("a card", || place.discord.find(place.channel, "[Approve]")).await;
    for person in [place.alice, bob] {
        let interaction = place.discord.press(person, card, "Approve");
        place.discord.acknowledged(interaction).await;
        let asks = place.discord.until("a question", || place.discord.private(person, "This destroys")).await;
        let interaction = place.discord.press(person, asks, "Do it");
        place.discord.acknowledged(interaction).await;
        if person == place.alice {
            place.reads("1 of 2 yeses").await;
            place.reads("Approve: pressed by @alice").await;
            place.settled().await;
        }
    }
    place.yard.until(2, "succeeded").await;
    place.reads("Approve: pressed by @bob").await;
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_mention_and_a_direct_message_are_answered_where_they_were_said() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.discord.mention(place.alice, place.channel, "status shop");
    place.reads("tidegate (answers)").await;
    place.discord.direct(place.alice, "whoami");
    let direct = || Some(place.discord.direct_transcript(place.alice)).filter(|text| text.contains("tidegate"));
    let text = place.discord.until("a direct answer", direct).await;
    assert!(text.contains(&format!("discord:{}", place.alice)) || text.contains("alice"), "{text}");
    // What is not for us is not answered, nor what calls everybody.
    place.discord.say(place.alice, place.channel, "up shop");
    place.discord.say(place.alice, place.channel, "@everyone up shop");
    place.discord.mention(place.alice, place.channel, "up shop because @everyone <@&1> **x**");
    place.reads("shop is at full").await;
    assert!(place.yard.known(2).await.is_none());
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn slots_are_completed_with_what_the_person_may_see() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    let offered = place.discord.offered(place.alice, place.channel, "up", &[("env", "s")]).await;
    assert_eq!(offered, [("shop".to_owned(), "shop".to_owned())]);
    let offered = place.discord.offered(place.alice, place.channel, "up", &[("env", "shop"), ("level", "")]).await;
    assert!(offered.iter().any(|(name, _)| name == "full"), "{offered:?}");
    let offered = place.discord.offered(place.alice, place.channel, "text", &[("line", "stat")]).await;
    assert_eq!(offered, [("status".to_owned(), "status".to_owned())]);
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn sessions_are_gone_on_with_and_what_comes_again_is_done_once() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.discord.until_connected(1).await;
    let (_, event) = place.discord.written(place.alice, place.channel, "up", &[("env", "shop")]);
    place.discord.again(&event);
    place.discord.again(&event);
    place.yard.until(1, "succeeded").await;
    place.discord.asks_to_reconnect();
    place.discord.until("gone on with", || (place.discord.sessions().1 == 1).then_some(())).await;
    // Said while nobody was connected, and told by the session that is gone on with.
    place.discord.cuts();
    place.discord.until("cut", || (place.discord.connected() == 0).then_some(())).await;
    place.discord.mention(place.alice, place.channel, "down shop");
    place.yard.until(2, "succeeded").await;
    place.discord.again(&event);
    place.discord.invalidates(true);
    place.discord.until("gone on with", || (place.discord.sessions().1 >= 3).then_some(())).await;
    place.discord.mention(place.alice, place.channel, "status shop");
    place.settled().await;
    assert_eq!(place.discord.sessions().0, 1, "one session all the time");
    assert!(place.yard.known(3).await.is_none(), "what came again was done once");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_session_that_is_over_is_begun_anew_and_what_was_said_meanwhile_is_read() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.discord.until_connected(1).await;
    place.tide("status shop").await;
    place.settled().await;
    place.discord.invalidates(false);
    place.discord.until("cut", || (place.discord.connected() == 0).then_some(())).await;
    let me = place.discord.me();
    place.discord.says_unheard(place.alice, place.channel, &format!("{me} up shop"));
    place.discord.until("begun anew", || (place.discord.sessions().0 == 2).then_some(())).await;
    place.yard.until(1, "succeeded").await;
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn what_somebody_with_a_role_writes_first_while_nobody_listens_is_read() {
    let place = InDiscord::lay().await;
    let bob = place.discord.person("bob");
    let role = place.discord.role("ops", &[bob]);
    place.yard.configure("owners = [", &format!("owners = [\"discord:{role}\", "));
    let serve = place.serve().await;
    place.tide("status shop").await;
    place.settled().await;
    serve.stop().await.exits(0);
    place.discord.says_unheard(bob, place.discord.direct_channel(bob), "up shop");
    let serve = place.serve().await;
    place.yard.until(1, "succeeded").await;
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_connection_that_says_nothing_any_more_is_left_for_another() {
    let place = InDiscord::lay().await;
    place.discord.beats_each(Duration::from_millis(400));
    let serve = place.serve().await;
    place.discord.until_connected(1).await;
    place.discord.falls_silent();
    place.discord.mention(place.alice, place.channel, "up shop");
    place.discord.until("gone on with", || (place.discord.sessions().1 >= 1).then_some(())).await;
    place.yard.until(1, "succeeded").await;
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn whoever_is_limited_waits_and_what_nobody_answered_is_not_said_twice() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.discord.refuse(POST, Fault::Limited { retry_after: 0.5, global: false }, 2);
    place.discord.mention(place.alice, place.channel, "up shop");
    place.yard.until(1, "succeeded").await;
    place.reads("shop is at full").await;
    place.settled().await;
    place.discord.refuse("*", Fault::Limited { retry_after: 0.5, global: true }, 1);
    place.discord.refuse(POST, Fault::AnswerLost, 2);
    place.discord.mention(place.alice, place.channel, "whoami");
    place.reads("(answers)").await;
    place.settled().await;
    let answers = place.discord.posted(place.channel).iter().filter(|text| text.contains("(answers)")).count();
    let text = place.discord.transcript(place.channel);
    assert_eq!(answers, 1, "{text}");
    assert!(!text.contains("perhaps for the second time"), "{text}");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn an_answer_whose_token_is_over_is_said_by_the_bot_itself() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    // Nobody hears the acknowledgement: the token is worth nothing.
    place.discord.refuse("POST /interactions/-/-/callback", Fault::Refused(404, 10_062), 2);
    place.discord.command(place.alice, place.channel, "up", &[("env", "shop")]);
    place.discord.command(place.alice, place.channel, "status", &[("env", "shop")]);
    place.yard.until(1, "succeeded").await;
    place.reads("shop is at full").await;
    let direct = || Some(place.discord.direct_transcript(place.alice)).filter(|text| text.contains("shop"));
    place.discord.until("the private answer comes alone", direct).await;
    place.settled().await;
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_card_that_a_moderator_deleted_and_a_permission_that_is_missing_stop_no_run() {
    let place = InDiscord::lay_with("admin_channel = \"#admins\"").await;
    let admins = place.discord.channel("admins");
    let serve = place.serve().await;
    place.yard.hold("create.shop-app.1");
    place.tide("up shop").await;
    let card = place.discord.until("a card", || place.discord.find(place.channel, "[Cancel]")).await;
    place.discord.delete(place.channel, card);
    place.yard.release("create.shop-app.1");
    place.yard.until(1, "succeeded").await;
    place.settled().await;
    place.discord.refuse(POST, Fault::Refused(403, 50_013), 1);
    place.discord.mention(place.alice, place.channel, "down shop");
    place.yard.until(2, "succeeded").await;
    place.discord.reads(admins, "Discord refuses messages to #load-test (missing_permissions)").await;
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn what_fails_is_a_new_message_with_its_log_in_the_thread_and_whole_as_a_file() {
    let place = InDiscord::lay().await;
    place.yard.instead(
        "apply",
        "for i in $(seq 300); do echo '{\"@level\":\"info\",\"@message\":\"line '$i'\",\"type\":\"log\"}'; done; exit 1",
    );
    let serve = place.serve().await;
    place.discord.mention(place.alice, place.channel, "up shop");
    place.reads("[file run-1-app-").await;
    let (_, file) = place.discord.file("run-1-app-").expect("a file");
    for line in ["line 1\n", "line 150\n", "line 300\n"] {
        assert!(file.contains(line), "{line} in {file}");
    }
    place.discord.until("the asker is called", || (place.discord.called(place.alice) > 0).then_some(())).await;
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn two_processes_hear_the_same_and_one_of_them_does_it() {
    let database = Database::new();
    let place = InDiscord::lay_on(database.url()).await;
    let (one, other) = (place.serve().await, place.serve().await);
    place.discord.until_connected(2).await;
    place.discord.mention(place.alice, place.channel, "up shop");
    place.tide("status shop").await;
    place.reads("shop is at full ·").await;
    place.discord.until("the asker is called", || (place.discord.called(place.alice) > 0).then_some(())).await;
    let text = place.discord.transcript(place.channel);
    assert_eq!(text.matches("plan of run").count(), 1, "{text}");
    assert_eq!(text.matches("by alice at").count(), 1, "one card: {text}");
    assert_eq!(place.discord.called(place.alice), 1, "{text}");
    one.stop().await.exits(0);
    other.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn whoever_dies_in_the_middle_leaves_nothing_undone_or_done_twice() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.yard.hold("create.shop-app.1");
    place.tide("up shop").await;
    place.yard.until(1, "applying").await;
    serve.kill().await;
    place.yard.release("create.shop-app.1");
    let me = place.discord.me();
    place.discord.says_unheard(place.alice, place.channel, &format!("{me} status shop"));
    let serve = place.serve().await;
    place.yard.until(1, "succeeded").await;
    place.reads("shop is at full").await;
    place.reads("(answers)").await;
    place.settled().await;
    let text = place.discord.transcript(place.channel);
    assert_eq!((text.matches("by alice at").count(), text.matches("plan of run 1").count()), (1, 1), "{text}");
    assert_eq!((text.matches("(answers)").count(), place.discord.called(place.alice)), (1, 1), "{text}");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn what_is_raised_from_discord_is_followed_in_slack() {
    let place = InDiscord::lay_beside_slack().await;
    let serve = place.serve().await;
    let slack = place.slack.as_ref().expect("Slack");
    let channel = slack.channel("#load-test");
    place.tide("up shop because both look").await;
    place.reads("shop is at full").await;
    let text = slack.reads(&channel, "shop is at full").await;
    assert!(text.contains("up shop full") && text.contains("both look"), "{text}");
    place.yard.until(1, "succeeded").await;
    // And the other way round.
    let mori = slack.person("alice");
    slack.command(&mori, &channel, "/tide", "down shop").await.accepted();
    place.reads("shop is at small").await;
    place.yard.until(2, "succeeded").await;
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn two_ids_of_one_person_are_one_on_the_cards_of_both_chats() {
    let place = InDiscord::lay_beside_slack().await;
    let slack = place.slack.as_ref().expect("Slack");
    let (channel, alice, mori) = (slack.channel("#load-test"), slack.person("alice"), slack.person("mori"));
    let people = format!("[people.alice]\nids = [\"discord:{}\", \"slack:{}\"]\n", place.alice, alice.as_str());
    place.yard.configure("[chat.discord]", &format!("{people}[chat.discord]"));
    let rule = "approve = { when = [\"command = destroy\"], by = \"owners\", count = 2 }";
    let owners = format!("{rule}\nowners = [\"slack:{}\", ", mori.as_str());
    place.yard.configure("owners = [\"discord:", &format!("{owners}\"discord:"));
    let serve = place.serve().await;
    place.yard.shell("up shop small").await.exits(0);
    place.yard.accepted("destroy shop").await;
    let text = slack.reads(&channel, "2 yeses of owners").await;
    let says =
        |text: &str, words: &str| text.lines().rev().find(|line| line.contains(words)).unwrap_or_default().to_owned();
    let who = says(&text, "Who can say it");
    assert_eq!(who.matches(',').count(), 1, "alice once, and mori: {who}");
    slack.command(&alice, &channel, "/tide", "approve 2").await.accepted();
    let text = slack.reads(&channel, "1 of 2 yeses").await;
    assert_eq!(says(&text, "Said by").matches(',').count(), 0, "{text}");
    place.reads("1 of 2 yeses").await;
    place.tide("approve 2").await;
    place.reads("you said yes already: 1 of 2 yeses").await;
    slack.command(&mori, &channel, "/tide", "approve 2").await.accepted();
    let text = slack.reads(&channel, "approved by").await;
    let line = says(&text, "approved by");
    assert_eq!(line.matches(" and ").count(), 1, "two people: {line}");
    assert_eq!(place.yard.ends(2).await, "succeeded");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_token_that_is_refused_is_told_and_no_other_address_is_spoken_to() {
    let place = InDiscord::lay().await;
    place.discord.refuse("GET /gateway/bot", Fault::Status(503), 2);
    let serve = place.serve().await;
    place.discord.closes(4_004);
    place.yard.wait("it is told", async || serve.err().contains("invalid_auth").then_some(())).await;
    serve.stop().await.exits(0);
    // Without an address that is on this machine nothing begins.
    let bare = InDiscord::lay().await;
    bare.yard.configure(&format!("api_url = \"{}\"", bare.discord.url()), "");
    let serve = bare.start();
    bare.yard.wait("it is refused", async || serve.err().contains("not on this machine").then_some(())).await;
    serve.stop().await.exits(0);
    assert_eq!(bare.discord.connected(), 0);
}

#[tokio::test]
async fn check_online_tells_which_permission_is_missing_where_and_posts_nothing() {
    let place = InDiscord::lay().await;
    let env = [("DISCORD", place.discord.token()), ("TIDEGATE_LOOPBACK_ONLY", "1")];
    let told = place.yard.start(&["check", "--online"], &env).end().await;
    assert!(told.out.contains("nothing is missing in the chats"), "{told:?}");
    // Without threads and files.
    place.discord.allows((1 << 10) | (1 << 11) | (1 << 14) | (1 << 16));
    let told = place.yard.start(&["check", "--online"], &env).end().await;
    for missing in ["Discord: the permission *Create Public Threads* in #load-test", "*Attach Files*"] {
        assert!(told.out.contains(missing), "{missing} in {told:?}");
    }
    assert!(!told.out.contains("*Send Messages* in"), "{told:?}");
    let wrong = [("DISCORD", "another"), ("TIDEGATE_LOOPBACK_ONLY", "1")];
    let told = place.yard.start(&["check", "--online"], &wrong).end().await;
    assert!(told.out.contains("a working `bot_token`") && !told.out.contains("another"), "{told:?}");
    assert!(place.discord.posted(place.channel).is_empty() && place.discord.commands().is_empty());
}

#[tokio::test]
async fn who_is_not_let_in_says_so_in_status_and_is_let_in_later() {
    let place = InDiscord::lay().await;
    place.discord.refuses_the_next(4_014);
    let serve = place.start();
    place.yard.wait("it is told", async || serve.err().contains("disallowed_intents").then_some(())).await;
    // Heard by nobody, and yet everything that is to be said is said.
    let status = place.yard.run(&["shell", "-c", "up shop"]).await;
    assert!(status.out.contains("shop"), "{status:?}");
    place.reads("shop is at full").await;
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn the_audit_as_a_file_is_seen_by_who_asked_alone() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full ·").await;
    place.tide("audit shop as csv").await;
    place.discord.until("a file", || place.discord.private(place.alice, "[file audit-")).await;
    let (name, file) = place.discord.file("audit-").expect("a file");
    assert_eq!(name.rsplit_once('.').map(|(_, ending)| ending), Some("csv"), "{name}");
    assert!(file.starts_with("entry,at,") && file.contains(",up shop,"), "{name}: {file}");
    place.settled().await;
    assert_eq!(place.discord.transcript(place.channel).matches("[file audit-").count(), 1);
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn what_is_too_long_is_not_done_however_it_was_said() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.discord.until_connected(1).await;
    let long = "very ".repeat(1_200);
    let whole = format!("up shop because {long}");
    let of_up = vec![("env", "shop"), ("because", long.as_str())];
    for (sub, slots) in [("up", of_up), ("text", vec![("line", whole.as_str())])] {
        let interaction = place.discord.command(place.alice, place.channel, sub, &slots);
        assert_eq!(place.discord.acknowledged(interaction).await["data"]["flags"], 64, "{sub}: nobody else sees it");
        let told = || place.discord.private(place.alice, "This has 6,015 characters");
        let told = place.discord.until("it is refused", told).await;
        place.discord.delete(place.channel, told);
    }
    place.discord.mention(place.alice, place.channel, &format!("up shop because {}", "very ".repeat(900)));
    place.reads("4,515 characters").await;
    place.settled().await;
    assert!(place.yard.known(1).await.is_none(), "nothing was run");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_code_of_a_link_is_seen_by_who_asked_alone_and_one_said_before_all_is_nobodys() {
    let place = InDiscord::lay().await;
    let bob = place.discord.person("bob");
    let serve = place.serve().await;
    place.discord.mention(place.alice, place.channel, "`link`");
    place.reads("everybody would read it here").await;
    let interaction = place.discord.command(place.alice, place.channel, "text", &[("line", "link")]);
    assert_eq!(place.discord.acknowledged(interaction).await["data"]["flags"], 64);
    place.discord.until("the code", || place.discord.private(place.alice, "Your code is")).await;
    let text = place.discord.transcript(place.channel);
    let (_, after) = text.split_once("Your code is ").expect("a code");
    let code: String = after.chars().take(9).collect();
    place.discord.mention(bob, place.channel, &format!("link {code}"));
    let twice =
        || (place.discord.transcript(place.channel).matches("everybody would read it here").count() == 2).then_some(());
    place.discord.until("it is refused", twice).await;
    place.discord.direct(bob, &format!("link {code}"));
    let told = || Some(place.discord.direct_transcript(bob)).filter(|text| text.contains("that code is nobody's"));
    place.discord.until("it is nobody's", told).await;
    let audit = place.yard.shell("audit").await.out;
    assert!(!audit.contains(&code), "{audit}");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_program_is_answered_where_the_configuration_names_it_and_nowhere_else() {
    let place = InDiscord::lay().await;
    let (named, other) = (place.discord.robot("robot"), place.discord.robot("another"));
    place.yard.configure("viewer = [\"everyone\"]", &format!("viewer = [\"everyone\", \"discord:{named}\"]"));
    let serve = place.serve().await;
    place.discord.mention(other, place.channel, "status shop");
    place.discord.mention(named, place.channel, "down shop");
    place.reads("`down shop` is not yours to do").await;
    place.settled().await;
    assert_eq!(place.discord.posted(place.channel).len(), 1, "the other is told nothing");
    serve.stop().await.exits(0);
    place.discord.check();
}
