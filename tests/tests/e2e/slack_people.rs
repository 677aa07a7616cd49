//! People in Slack as they are: several at one button, taking back what they wrote, called by name, in scripts that run the other way.

use tidegate_tests::in_slack::InSlack;

#[tokio::test]
async fn a_press_that_is_refused_takes_nothing_from_whoever_may() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    let viewers: Vec<_> = ["bob", "kato", "ito", "sato"].iter().map(|name| place.slack.person(name)).collect();
    for viewer in &viewers {
        place.slack.command(viewer, &place.channel, "/tide", "envs").await.accepted();
    }
    place.tide("destroy shop").await;
    place.reads("[Approve, asks: This destroys]").await;
    place.settled().await;
    let card = place.slack.find(&place.channel, "[Approve").expect("a card");
    let (of_viewers, of_alice) = tokio::join!(
        futures_util::future::join_all(viewers.iter().map(|viewer| place.slack.press(viewer, &card, "tide.approve"))),
        place.slack.press(&place.alice, &card, "tide.approve"),
    );
    for press in &of_viewers {
        press.accepted();
    }
    of_alice.accepted();
    place.reads("Approve: pressed by @alice").await;
    place.yard.until(2, "succeeded").await;
    place.settled().await;
    let text = place.slack.transcript(&place.channel);
    assert!(!text.contains("nobody knows what comes of that"), "{text}");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn two_people_say_yes_by_the_button_where_two_are_wanted() {
    let place = InSlack::lay_owned_by(&["mori"], "").await;
    let mori = place.slack.person("mori");
    let channel = "channel = \"#load-test\"\n";
    let rule = "approve = { when = [\"command = destroy\"], by = \"owners\", count = 2 }\n";
    place.yard.configure(channel, &format!("{channel}{rule}"));
    let serve = place.serve().await;
    place.yard.shell("up shop small").await.exits(0);
    place.yard.accepted("destroy shop").await;
    place.reads("2 yeses of owners").await;
    place.settled().await;
    let find = |words: &str| place.slack.find(&place.channel, words);
    let (card, news) = (find("destroy shop · needs a yes"), find("run 2 in its channel"));
    let (card, news) = (card.expect("a card"), news.expect("a message of its own"));
    place.slack.press(&place.alice, &card, "tide.approve").await.accepted();
    place.reads("1 of 2 yeses").await;
    place.reads("Approve: pressed by @alice").await;
    place.settled().await;
    for message in [&card, &news] {
        let stands = || place.slack.thread(message).contains("Approve: pressed by @alice");
        place.slack.until("it says who pressed", stands).await;
        let text = place.slack.thread(message);
        assert!(text.contains("[Approve") && text.contains("approve 2"), "others are to press it: {text}");
    }
    place.slack.press(&place.alice, &card, "tide.approve").await.accepted();
    place.reads("you said yes already: 1 of 2 yeses").await;
    place.settled().await;
    place.slack.press(&mori, &news, "tide.approve").await.accepted();
    place.reads("Approve: pressed by @mori").await;
    place.yard.until(2, "succeeded").await;
    place.settled().await;
    assert!(!place.slack.everything().contains("was pressed already"), "{}", place.slack.everything());
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_comes_late_is_looked_up_and_not_run_where_it_was_deleted_or_edited() {
    let place = InSlack::lay().await;
    for thread in [false, true] {
        let above = if thread {
            Some(place.slack.say(&place.alice, &place.channel, None, "of today").await.message)
        } else {
            None
        };
        place.serve().await.kill().await;
        let say = async |words: &str| {
            place
                .slack
                .mention(&place.alice, &place.channel, above.as_ref(), &format!("@tidegate {words}"))
                .await
                .message
        };
        let (deleted, edited) = (say("up shop because of one").await, say("up shop because of two").await);
        place.slack.delete(&deleted).await;
        place.slack.edit(&edited, "@tidegate what is up").await;
        let serve = place.serve().await;
        place.slack.redeliver().await;
        place
            .slack
            .until("both are told", || {
                let text = place.slack.transcript(&place.channel);
                let times = if thread { 2 } else { 1 };
                text.matches("was deleted before Tidegate had read it").count() == times
                    && text.matches("This was edited before Tidegate had read it").count() == times
            })
            .await;
        place.settled().await;
        serve.kill().await;
    }
    assert!(place.yard.known(1).await.is_none(), "nothing was run");
    let refused = ["REFUSED (deleted)", "REFUSED (edited)"];
    place.yard.shell("audit failed").await.says(&refused).exits(0);
    // What stands is run, once, however late it came.
    place.slack.mention(&place.alice, &place.channel, None, "@tidegate up shop").await;
    let serve = place.serve().await;
    place.slack.redeliver().await;
    place.yard.until(1, "succeeded").await;
    place.reads("shop is at full").await;
    place.settled().await;
    assert!(place.yard.known(2).await.is_none(), "one was run");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn refusals_call_people_groups_and_channels_by_name_and_speak_of_whom_they_are_about() {
    let place = InSlack::lay_owned_by(&["mori"], "").await;
    let serve = place.serve().await;
    let [bob, _, mori] = ["bob", "kato", "mori"].map(|name| place.slack.person(name));
    let guest = place.slack.guest("gus");
    let _group = place.slack.group("oncallers", &[&place.alice, &mori]);
    let says = async |who, words: &str, told: &str| {
        place.slack.command(who, &place.channel, "/tide", words).await.accepted();
        place.reads(told).await
    };
    let text = says(&bob, "down shop", "`down shop` is not yours to do").await;
    assert!(text.contains("you are @bob, viewer") && text.contains("ask @alice"), "{text}");
    let text = says(&bob, "why can @kato down shop", "@kato may not").await;
    assert!(text.contains("they are @kato, viewer"), "{text}");
    let text = says(&place.alice, "hold shop for 1h only @oncallers because x", "is a group").await;
    let offered = format!("hold shop for 1h only @slack:{} @slack:{} because x", place.alice.as_str(), mori.as_str());
    assert!(text.contains("`@oncallers` is a group") && text.contains(&offered), "{text}");
    says(&place.alice, "#load-test", "Not understood").await;
    says(&guest, "status shop", "only gus sees").await;
    place.settled().await;
    let text = place.slack.transcript(&place.channel);
    assert!(!text.contains("everyone") && !text.contains("slack:C"), "{text}");
    place.tide("hold shop for 2h because we measure").await;
    place.slack.open_home(&bob).await.accepted();
    let shows = |words: &str| place.slack.home(&bob).is_some_and(|home| place.slack.view_text(&home).contains(words));
    place.slack.until("who holds it", || shows("held") && shows("@alice")).await;
    assert!(!shows("slack:"), "ids are nobody's names");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn words_that_run_the_other_way_or_are_not_seen_turn_nothing_beside_them() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.tide("up shop because \u{202e}live 12\u{200b} \u{5d0}\u{5d1}").await;
    let text = place.reads("shop is at full").await;
    assert!(text.contains("\u{fffd}live 12\u{fffd} \u{2068}\u{5d0}\u{5d1}\u{2069}"), "{text}");
    place.settled().await;
    let all = place.slack.everything();
    let own: String = all.lines().filter(|line| !line.starts_with("alice")).collect();
    assert!(!own.contains(['\u{202e}', '\u{200b}']), "{own}");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_destroys_asks_first_in_the_home_tab_too() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("[Undo, asks: This destroys]").await;
    place.slack.open_home(&place.alice).await.accepted();
    let shows = || {
        place
            .slack
            .home(&place.alice)
            .is_some_and(|home| place.slack.view_text(&home).contains("[Lower, asks: This destroys]"))
    };
    place.slack.until("the home tab", shows).await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn those_whose_yes_is_waited_for_are_called_and_a_form_keeps_nothing_before_its_run_begins() {
    let place = InSlack::lay_owned_by(&["mori"], "").await;
    let mori = place.slack.person("mori");
    let channel = "channel = \"#load-test\"\n";
    let rule = "approve = { when = [\"command = up\"], by = \"owners\" }\n";
    place.yard.configure(channel, &format!("{channel}{rule}"));
    let serve = place.serve().await;
    for (button, kept) in [("tide.reject", false), ("tide.approve", true)] {
        place.tide("").await;
        place.slack.until("a form", || place.slack.form(&place.alice).is_some()).await;
        let form = place.slack.form(&place.alice).expect("a form");
        let filled = serde_json::json!({ "what": "up", "until": place.now() + 7_200 });
        place.slack.submit(&place.alice, &form, &filled).await.accepted();
        place.slack.until("the plan", || place.slack.view_text(&form).contains("[Do it]")).await;
        let called = place.slack.called(&mori).len();
        place.slack.submit(&place.alice, &form, &serde_json::json!({})).await.accepted();
        place.slack.until("the owner is called", || place.slack.called(&mori).len() > called).await;
        assert!(place.slack.called(&mori).last().is_some_and(|text| text.contains("needs a yes")));
        let card = place.slack.find(&place.channel, "[Approve").expect("a card");
        place.slack.press(&mori, &card, button).await.accepted();
        place.settled().await;
        place.tide("status shop").await;
        if kept {
            place.reads("shop is kept as it is").await;
        }
        place.settled().await;
        assert_eq!(place.slack.everything().contains("kept as it is"), kept);
    }
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_program_is_answered_where_the_configuration_names_it_and_nowhere_else() {
    let place = InSlack::lay().await;
    let (named, other) = (place.slack.bot("robot"), place.slack.bot("another"));
    let viewers = format!("viewer = [\"everyone\", \"slack:{}\"]", named.as_str());
    place.yard.configure("viewer = [\"everyone\"]", &viewers);
    let serve = place.serve().await;
    place.slack.mention(&other, &place.channel, None, "@tidegate status shop").await;
    place.slack.mention(&named, &place.channel, None, "@tidegate down shop").await;
    place.reads("`down shop` is not yours to do").await;
    place.settled().await;
    let text = place.slack.transcript(&place.channel);
    assert!(!text.contains("shop is"), "the other is told nothing: {text}");
    place.yard.shell("audit failed").await.says(&["down shop"]).exits(0);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_code_of_a_link_is_seen_by_who_asked_alone_and_one_said_before_all_is_nobodys() {
    let place = InSlack::lay().await;
    let bob = place.slack.person("bob");
    let serve = place.serve().await;
    let refusals = |count: usize| {
        let text = place.slack.transcript(&place.channel);
        text.matches("everybody would read it here").count() == count
    };
    for (at, words) in ["link", "`link`", "ｌｉｎｋ", "li\u{200b}nk", "tide link because x"].iter().enumerate() {
        place.slack.mention(&place.alice, &place.channel, None, &format!("@tidegate {words}")).await;
        place.slack.until(words, || refusals(at + 1)).await;
    }
    assert!(!place.slack.everything().contains("Your code is"));
    place.slack.command(&place.alice, &place.channel, "/tide", "link").await.accepted();
    let text = place.reads("Your code is").await;
    let (before, after) = text.split_once("Your code is ").expect("a code");
    assert!(before.lines().rev().take(2).any(|line| line.contains("only alice sees")), "{text}");
    let code: String = after.chars().take(9).collect();
    place.slack.mention(&bob, &place.channel, None, &format!("@tidegate link {code}")).await;
    place.slack.until("it is refused", || refusals(6)).await;
    place.slack.command(&bob, &place.channel, "/tide", &format!("link {code}")).await.accepted();
    place.reads("that code is nobody's").await;
    let audit = place.yard.shell("audit").await.out;
    assert!(!audit.contains(&code), "{audit}");
    // Whatever stands around it: what all have read is nobody's.
    place.slack.command(&place.alice, &place.channel, "/tide", "link").await.accepted();
    let newest =
        |text: &str| text.rsplit_once("Your code is ").map(|(_, after)| after.chars().take(9).collect::<String>());
    place
        .slack
        .until("another", || newest(&place.slack.transcript(&place.channel)).is_some_and(|new| new != code))
        .await;
    let other = newest(&place.slack.transcript(&place.channel)).expect("a code");
    let [one, two] = [0, 5].map(|at| other.get(at..at + 4).expect("half of it"));
    place
        .slack
        .mention(&place.alice, &place.channel, None, &format!("@tidegate for bob: {one} {two}, says sato"))
        .await;
    place.slack.until("it is refused", || refusals(7)).await;
    place.slack.command(&bob, &place.channel, "/tide", &format!("link {other}")).await.accepted();
    let nobodys = |text: &str| text.matches("that code is nobody's").count() == 2;
    place.slack.until("it is nobody's", || nobodys(&place.slack.transcript(&place.channel))).await;
    place.settled().await;
    // Told, it is kept nowhere: neither as it was shown nor as it was said.
    let shown = "SELECT COUNT(*) FROM outbox WHERE body LIKE '%Your code is%'";
    let said = "SELECT COUNT(*) FROM inbox WHERE body LIKE '%link ____-%'";
    assert_eq!((place.yard.number(shown).await, place.yard.number(said).await), (0, 0));
    let cut = "SELECT COUNT(*) FROM inbox WHERE body = 'link CODE'";
    assert_eq!(place.yard.number(cut).await, 3);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_code_that_was_taken_back_before_it_was_read_links_nobody() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    let bob = place.slack.person("bob");
    place.slack.command(&place.alice, &place.channel, "/tide", "link").await.accepted();
    let text = place.reads("Your code is").await;
    let (_, after) = text.split_once("Your code is ").expect("a code");
    let code: String = after.chars().take(9).collect();
    place.settled().await;
    serve.kill().await;
    let deleted = place.slack.direct(&bob, &format!("link {code}")).await.message;
    let edited = place.slack.direct(&bob, &format!("tide link {code}")).await.message;
    place.slack.delete(&deleted).await;
    place.slack.edit(&edited, "what is up").await;
    let serve = place.serve().await;
    place.slack.redeliver().await;
    let direct = place.slack.direct_channel(&bob);
    place.slack.reads(&direct, "was deleted before Tidegate had read it").await;
    place.slack.reads(&direct, "This was edited before Tidegate had read it").await;
    place.settled().await;
    assert_eq!(place.yard.number("SELECT COUNT(*) FROM links").await, 0, "{}", place.slack.transcript(&direct));
    // It was nobody's word, so that it can still be said.
    place.slack.direct(&bob, &format!("link {code}")).await;
    place.slack.reads(&direct, "are one person").await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_card_counts_people_again_when_two_ids_become_one() {
    let place = InSlack::lay_owned_by(&["mori", "sato"], "").await;
    let (mori, sato) = (place.slack.person("mori"), place.slack.person("sato"));
    let channel = "channel = \"#load-test\"\n";
    let rule = "approve = { when = [\"command = up\"], by = \"owners\", count = 3 }\n";
    place.yard.configure(channel, &format!("{channel}{rule}"));
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("[Approve").await;
    let card = place.slack.find(&place.channel, "[Approve").expect("a card");
    let shows = |words: &str| place.slack.message(&card).is_some_and(|message| message.to_string().contains(words));
    for who in [&mori, &sato] {
        place.slack.command(who, &place.channel, "/tide", "approve 1").await.accepted();
    }
    place.slack.until("both are counted", || shows("2 of 3 yeses")).await;
    place.slack.command(&mori, &place.channel, "/tide", "link").await.accepted();
    let text = place.reads("Your code is").await;
    let (_, after) = text.split_once("Your code is ").expect("a code");
    let code: String = after.chars().take(9).collect();
    place.slack.command(&sato, &place.channel, "/tide", &format!("link {code}")).await.accepted();
    place.slack.until("one person is counted", || shows("1 of 3 yeses")).await;
    place.tide("reject 1").await;
    place.settled().await;
    serve.stop().await.exits(0);
}
