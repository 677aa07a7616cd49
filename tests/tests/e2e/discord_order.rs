//! What one person says in one place is carried out in the order in which they said it, whatever is slow.

use tidegate_runner::domain::request::RunKind;
use tidegate_tests::discord::Fault;
use tidegate_tests::in_discord::InDiscord;

/// Asserts that the first run is the one that was asked for first.
async fn first_up_then_down(place: &InDiscord) {
    place.yard.until(1, "succeeded").await;
    place.yard.until(2, "succeeded").await;
    let kinds = [place.yard.row(1).await.request.kind, place.yard.row(2).await.request.kind];
    assert_eq!(kinds.map(RunKind::as_str), ["up", "down"]);
    assert!(place.yard.known(3).await.is_none());
}

#[tokio::test]
async fn what_is_said_after_a_command_whose_acknowledgement_hangs_comes_after_it() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.discord.refuse("POST /interactions/-/-/callback", Fault::Silence, 1);
    place.discord.command(place.alice, place.channel, "up", &[("env", "shop")]);
    let hangs = || (!place.discord.calls("POST /interactions/-/-/callback").is_empty()).then_some(());
    place.discord.until("it is tried", hangs).await;
    let down = place.discord.command(place.alice, place.channel, "down", &[("env", "shop")]);
    place.discord.acknowledged(down).await;
    first_up_then_down(&place).await;
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn what_was_missed_is_done_in_its_order_also_where_the_first_of_it_has_to_wait() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.tide("status shop").await;
    place.settled().await;
    serve.stop().await.exits(0);
    let me = place.discord.me();
    for words in ["up shop", "down shop"] {
        place.discord.says_unheard(place.alice, place.channel, &format!("{me} {words}"));
    }
    place.discord.refuse("GET /guilds/-/members/-", Fault::Status(503), 1);
    let serve = place.serve().await;
    first_up_then_down(&place).await;
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn what_comes_again_because_the_first_of_it_could_not_be_stored_keeps_its_order() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.discord.until_connected(1).await;
    // Where that was said is not told; the same is asked for what was said next, and told.
    place.discord.refuse("GET /channels/-", Fault::Silence, 1);
    place.discord.mention(place.alice, place.channel, "up shop");
    place.discord.until("it is asked", || place.discord.calls("GET /channels/-").first().cloned()).await;
    place.discord.mention(place.alice, place.channel, "down shop");
    first_up_then_down(&place).await;
    assert_eq!(place.discord.sessions(), (1, 1), "one session, gone on with");
    serve.stop().await.exits(0);
    place.discord.check();
}
