//! The form in Discord: what it offers, what it refuses, what it does once it was seen what that would be. And what is found or told
//! although Discord was away.

use tidegate_tests::discord::Fault;
use tidegate_tests::in_discord::InDiscord;

use crate::slack_trouble::webhook;

#[tokio::test]
async fn a_form_shows_what_it_would_do_and_its_last_button_does_it_once() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    let form = place.discord.bare(place.alice, place.channel, "tide-form").await;
    assert_eq!(form["type"], 9, "{form}");
    let fill = |values: &[(&str, &str)]| place.discord.fill(place.alice, place.channel, &form["data"], values);
    // Something is wrong: nothing is planned, and that is told to who filled it in.
    let wrong = fill(&[("environment", "shop"), ("what", "up"), ("settings", "app=9999 many")]);
    let told = place.discord.acknowledged(wrong).await;
    assert_eq!((&told["type"], &told["data"]["flags"]), (&4.into(), &64.into()), "{told}");
    assert!(told.to_string().contains("something in the form is wrong"), "{told}");
    let good = fill(&[("environment", "shop"), ("what", "up"), ("level", "full"), ("because", "the rehearsal <@1>")]);
    assert_eq!(place.discord.acknowledged(good).await, serde_json::json!({ "type": 5, "data": { "flags": 64 } }));
    let page = place.discord.until("the plan is shown", || place.discord.private(place.alice, "[Do it]")).await;
    assert_eq!(place.yard.row(1).await.request.kind.as_str(), "plan");
    assert!(place.yard.known(2).await.is_none(), "nothing is done before the last button");
    for press in [place.discord.press(place.alice, page, "Do it"), place.discord.press(place.alice, page, "Do it")] {
        place.discord.acknowledged(press).await;
    }
    place.yard.until(2, "succeeded").await;
    place.reads("shop is at full").await;
    place.settled().await;
    let run = place.yard.row(2).await;
    assert_eq!((run.request.kind.as_str(), run.request.because.as_deref()), ("up", Some("the rehearsal <@1>")));
    assert!(place.yard.known(3).await.is_none(), "pressed twice, done once");
    let gone = || place.discord.private(place.alice, "[Do it]").is_none().then_some(());
    place.discord.until("the button is gone", gone).await;
    // Where only the plan is wanted, nothing is offered.
    let again = fill(&[("environment", "shop"), ("what", "plan"), ("level", "full")]);
    place.discord.acknowledged(again).await;
    place.discord.until("it is told", || place.discord.private(place.alice, "app  no changes")).await;
    assert!(place.discord.private(place.alice, "[Do it]").is_none());
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_plan_that_outlives_its_forms_token_is_told_alone_and_so_is_one_that_is_not_waited_for() {
    for too_long in [false, true] {
        let place = InDiscord::lay().await;
        let serve = place.serve().await;
        let form = place.discord.bare(place.alice, place.channel, "tide-form").await;
        place.yard.hold("plan");
        let values = [("environment", "shop"), ("what", "up"), ("level", "full")];
        let filled = place.discord.fill(place.alice, place.channel, &form["data"], &values);
        place.discord.acknowledged(filled).await;
        place.yard.until_calls("plan", "shop-app", 1).await;
        place.discord.expire();
        let alone = |words: &'static str| {
            let text = place.discord.direct_transcript(place.alice);
            text.contains(words).then_some(text)
        };
        if too_long {
            // Its card is there meanwhile.
            place.reads("· planning").await;
            place.yard.change_ledger("UPDATE runs SET accepted_at = accepted_at - 1860000 WHERE number = 1").await;
            place.discord.until("it is told alone", || alone("is not there yet")).await;
        }
        place.yard.release("plan");
        if !too_long {
            let text = place.discord.until("the plan comes alone", || alone("plan for shop full")).await;
            assert!(text.contains("up shop full"), "what to type in place of the button: {text}");
        }
        place.reads("plan for shop full").await;
        place.discord.until("the asker is called", || (place.discord.called(place.alice) > 0).then_some(())).await;
        place.settled().await;
        assert!(place.yard.known(2).await.is_none(), "nothing is done of it");
        serve.stop().await.exits(0);
        place.discord.check();
    }
}

#[tokio::test]
async fn who_may_do_nothing_is_told_so_in_place_of_the_form() {
    let place = InDiscord::lay().await;
    let bob = place.discord.person("bob");
    let serve = place.serve().await;
    let told = place.discord.bare(bob, place.channel, "tide-form").await;
    assert_eq!((&told["type"], &told["data"]["flags"]), (&4.into(), &64.into()), "{told}");
    assert!(told.to_string().contains("You may look at environments here, and change none"), "{told}");
    // A form that somebody made up changes nothing either.
    let form = place.discord.bare(place.alice, place.channel, "tide-form").await;
    let forged = place.discord.fill(bob, place.channel, &form["data"], &[("environment", "shop"), ("what", "up")]);
    place.discord.acknowledged(forged).await;
    place.discord.until("it is refused", || place.discord.private(bob, "Refused")).await;
    assert!(place.yard.known(1).await.is_none());
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn direct_messages_that_came_while_nobody_listened_are_read_where_somebody_has_spoken_before() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.discord.until_connected(1).await;
    place.discord.direct(place.alice, "envs");
    let first = || place.discord.direct_transcript(place.alice).contains("Environments at").then_some(());
    place.discord.until("it is answered", first).await;
    place.settled().await;
    serve.stop().await.exits(0);
    place.discord.direct(place.alice, "up shop");
    let serve = place.serve().await;
    place.yard.until(1, "succeeded").await;
    place.settled().await;
    assert!(place.yard.known(2).await.is_none());
    let answers = place.discord.direct_transcript(place.alice).matches("Environments at").count();
    assert_eq!(answers, 1, "what was answered is not answered again");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn what_discord_does_not_take_goes_to_the_webhook_once() {
    let place = InDiscord::lay_with("webhook = { env = \"HOOK\" }\nwebhook_after = \"1s\"").await;
    let (address, bodies) = webhook().await;
    place.yard.fail("create.shop-app.1");
    let serve = place.start_with(&address);
    place.yard.wait("Discord", async || serve.err().contains("listening to Discord").then_some(())).await;
    place.discord.refuse("POST /channels/-/messages", Fault::Status(503), 1_000);
    place.tide("up shop").await;
    place.yard.until(1, "partial").await;
    let posted = || bodies.lock().expect("not poisoned").clone();
    let failure = || posted().iter().filter(|body| body.contains("shop is PARTIAL")).count();
    place.yard.wait("the webhook", async || (failure() == 1).then_some(())).await;
    let body: serde_json::Value = serde_json::from_str(&posted()[0]).expect("JSON");
    assert_eq!(
        (&body["content"], &body["allowed_mentions"]["parse"]),
        (&body["text"], &serde_json::json!([])),
        "{body}"
    );
    place.discord.heal();
    place.reads("shop is PARTIAL").await;
    assert_eq!(failure(), 1, "{:?}", posted());
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_first_direct_message_of_whom_the_configuration_names_is_heard_though_nobody_listened() {
    let place = InDiscord::lay().await;
    let stranger = place.discord.person("bob");
    let serve = place.serve().await;
    place.discord.until_connected(1).await;
    // Something was heard before, elsewhere: it is known since when things can have been missed.
    place.tide("status shop").await;
    place.settled().await;
    serve.stop().await.exits(0);
    place.discord.direct(place.alice, "up shop");
    place.discord.direct(stranger, "up shop");
    let serve = place.serve().await;
    place.yard.until(1, "succeeded").await;
    place.settled().await;
    let told = || place.discord.direct_transcript(place.alice).contains("run 1").then_some(());
    place.discord.until("she is told", told).await;
    assert!(place.yard.known(2).await.is_none());
    serve.stop().await.exits(0);
    place.discord.check();
}

/// Kills `serve` at an arrow of the flow, starts it again, and says how it ends.
async fn killed(place: &InDiscord, serve: tidegate_tests::yard::Process) {
    serve.kill().await;
    place.discord.heal();
    let serve = place.serve().await;
    place.yard.until(1, "succeeded").await;
    place.reads("shop is at full").await;
    place.discord.until("the end is told", || (place.discord.called(place.alice) > 0).then_some(())).await;
    place.settled().await;
    // A last stop lets everything that is still meant to be said be said.
    serve.stop().await.exits(0);
    let text = place.discord.transcript(place.channel);
    assert_eq!((text.matches("by alice at").count(), text.matches("plan of run 1").count()), (1, 1), "{text}");
    assert_eq!(place.discord.called(place.alice), 1, "one end:\n{text}");
    assert!(place.yard.known(2).await.is_none(), "one run:\n{text}");
    place.discord.check();
}

#[tokio::test]
async fn killed_at_any_arrow_of_the_flow_it_is_done_and_told_once() {
    // It is stored, and Discord has not said that it knows: until it has, nothing is begun.
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.discord.refuse("POST /interactions/-/-/callback", Fault::Silence, 1_000);
    place.discord.command(place.alice, place.channel, "text", &[("line", "up shop")]);
    place
        .yard
        .wait("stored", async || (place.yard.number("SELECT COUNT(*) FROM inbox").await == 1).then_some(()))
        .await;
    assert!(place.yard.known(1).await.is_none());
    killed(&place, serve).await;
    // It is accepted and carried out, and nothing of it is said.
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.discord.refuse("POST /channels/-/messages", Fault::Status(503), 1_000);
    place.tide("up shop").await;
    place.yard.until(1, "succeeded").await;
    killed(&place, serve).await;
    // It is said, and nobody knows that it is.
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.discord.refuse("POST /channels/-/messages", Fault::AnswerLost, 1);
    place.tide("up shop").await;
    place.reads("run 1").await;
    killed(&place, serve).await;
    // The card does not show the end yet.
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.discord.refuse("PATCH /channels/-/messages/-", Fault::Status(503), 1_000);
    place.tide("up shop").await;
    place.yard.until(1, "succeeded").await;
    killed(&place, serve).await;
}
