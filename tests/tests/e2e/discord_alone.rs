//! What one person alone is to see in Discord is shown to nobody else, whatever became of how they asked.

use tidegate_tests::discord::Fault;
use tidegate_tests::in_discord::InDiscord;

const CALLBACK: &str = "POST /interactions/-/-/callback";

#[tokio::test]
async fn a_command_that_is_refused_is_told_to_who_typed_it_alone_though_everybody_saw_that_it_was_thought_about() {
    let place = InDiscord::lay().await;
    let bob = place.discord.person("bob");
    let serve = place.serve().await;
    let interaction = place.discord.command(bob, place.channel, "down", &[("env", "shop")]);
    assert_eq!(place.discord.acknowledged(interaction).await, serde_json::json!({ "type": 5 }), "it is an order");
    let told = || place.discord.private(bob, "`down shop` is not yours to do");
    place.discord.until("he is told alone", told).await;
    place.settled().await;
    assert!(place.discord.posted(place.channel).is_empty(), "{}", place.discord.transcript(place.channel));
    // Whoever died between the two goes on where that was: what is gone is gone, and it is said all the same.
    place.discord.refuse("POST /webhooks/-/-", Fault::Status(502), 1);
    place.discord.command(bob, place.channel, "up", &[("env", "shop")]);
    place.discord.until("he is told alone", || place.discord.private(bob, "`up shop` is not yours to do")).await;
    place.settled().await;
    assert!(place.discord.posted(place.channel).is_empty(), "{}", place.discord.transcript(place.channel));
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_file_for_one_person_comes_to_them_directly_where_their_command_was_not_acknowledged_in_time() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full ·").await;
    place.settled().await;
    let before = place.discord.transcript(place.channel);
    place.discord.refuse(CALLBACK, Fault::Refused(404, 10_062), 1);
    place.discord.command(place.alice, place.channel, "text", &[("line", "audit shop as csv")]);
    let direct = || {
        let text = place.discord.direct_transcript(place.alice);
        text.contains("[file audit-").then_some(())
    };
    place.discord.until("the file comes alone", direct).await;
    place.settled().await;
    assert_eq!(place.discord.transcript(place.channel), before, "nobody else sees anything of it");
    // Acknowledged, and then it is too late for the way it was asked.
    place.discord.refuse("PATCH /webhooks/-/-/messages/@original", Fault::Refused(401, 50_027), 1);
    place.tide("audit shop as csv").await;
    let twice = || place.discord.direct_transcript(place.alice).matches("[file audit-").count() == 2;
    place.discord.until("the file comes alone once more", || twice().then_some(())).await;
    place.settled().await;
    assert!(!place.discord.transcript(place.channel).contains("[file audit-"), "nobody else has it");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn the_role_that_came_with_the_bot_is_heard_as_the_bot() {
    let place = InDiscord::lay().await;
    let role = place.discord.own_role();
    let serve = place.serve().await;
    place.discord.say(place.alice, place.channel, &format!("<@&{role}> up shop"));
    place.yard.until(1, "succeeded").await;
    place.reads("(answers)").await;
    serve.stop().await.exits(0);
    place.discord.check();
}
