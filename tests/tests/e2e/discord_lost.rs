//! What Discord does not say plainly: an address that is gone, a limit without words, roles that nobody may call, names that two have.

use tidegate_tests::discord::Fault;
use tidegate_tests::in_discord::InDiscord;

#[tokio::test]
async fn a_session_whose_own_address_is_gone_is_gone_on_with_where_discord_says_its_gateway_is() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.discord.until_connected(1).await;
    place.discord.loses_the_resume_address();
    place.discord.cuts();
    place.discord.until("cut", || (place.discord.connected() == 0).then_some(())).await;
    place.discord.mention(place.alice, place.channel, "up shop");
    place.yard.until(1, "succeeded").await;
    assert_eq!(place.discord.sessions(), (1, 1), "one session, gone on with");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_limit_of_what_stands_before_discord_is_obeyed_by_its_header() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.discord.refuse("POST /channels/-/messages", Fault::Edge(2), 1);
    place.discord.mention(place.alice, place.channel, "whoami");
    place.reads("(answers)").await;
    assert!(serve.err().contains("wait_ms=2000"), "{}", serve.err());
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_role_on_call_is_notified_of_what_failed_and_check_tells_where_it_could_not_be() {
    const CALLS_ALL: u64 = 1 << 17;
    const LINK: u64 = 309_237_894_144;
    let place = InDiscord::lay().await;
    let bob = place.discord.person("bob");
    let role = place.discord.role("ops", &[bob]);
    place.yard.configure("owners = [", &format!("oncall = [\"discord:{role}\"]\nowners = ["));
    let env = [("DISCORD", place.discord.token()), ("TIDEGATE_LOOPBACK_ONLY", "1")];
    let check = async || place.yard.start(&["check", "--online"], &env).end().await;
    assert!(check().await.out.contains("nothing is missing in the chats"));
    place.discord.allows(LINK & !CALLS_ALL);
    let told = check().await;
    told.says(&["*Mention @everyone, @here, and All Roles* in #load-test", "Allow anyone to @mention"]).exits(1);
    place.discord.opens_role(role);
    assert!(check().await.out.contains("nothing is missing in the chats"));
    place.discord.allows(LINK);
    let serve = place.serve().await;
    place.yard.fail("create.shop-app.1");
    place.yard.accepted("up shop").await;
    place.discord.until("the role is called", || (place.discord.role_called(role) > 0).then_some(())).await;
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_name_that_two_channels_have_is_none_to_speak_in_and_is_told() {
    let place = InDiscord::lay_with("admin_channel = \"#admins\"").await;
    let admins = place.discord.channel("admins");
    let again = place.discord.channel_again("load-test");
    let env = [("DISCORD", place.discord.token()), ("TIDEGATE_LOOPBACK_ONLY", "1")];
    let told = place.yard.start(&["check", "--online"], &env).end().await;
    told.says(&["the channel #load-test", "name it by its id"]).exits(1);
    let serve = place.serve().await;
    place.yard.accepted("up shop").await;
    let text = place.discord.reads(admins, "refuses messages to #load-test").await;
    assert!(text.contains("name it by its id"), "{text}");
    assert!(place.discord.posted(place.channel).is_empty() && place.discord.posted(again).is_empty());
    // By its id it is one.
    place.yard.configure("channel = \"#load-test\"", &format!("channel = \"{}\"", place.channel));
    place.reads("shop is at full").await;
    assert!(place.discord.posted(again).is_empty());
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn check_online_tells_who_is_not_there_and_what_is_of_another_application() {
    let place = InDiscord::lay().await;
    let (bob, key) = (place.discord.person("bob"), "ab".repeat(32));
    place.discord.leaves(bob);
    place.yard.configure("owners = [", &format!("owners = [\"discord:{bob}\", "));
    let lines = format!("mode = \"http\"\npublic_key = \"{key}\"\nlisten = \"127.0.0.1:0\"\nguild = ");
    place.yard.configure("guild = ", &lines);
    place.discord.signs_with(&"cd".repeat(32));
    let env = [("DISCORD", place.discord.token()), ("TIDEGATE_LOOPBACK_ONLY", "1")];
    let told = place.yard.start(&["check", "--online"], &env).end().await;
    told.says(&[&format!("discord:{bob} (user_not_found)"), "`public_key`"]).exits(1);
    place.discord.signs_with(&key);
    let application = format!("application = \"{}\"", place.discord.application());
    place.yard.configure(&application, &format!("application = \"{bob}\""));
    let told = place.yard.start(&["check", "--online"], &env).end().await;
    told.says(&["`application`"]).exits(1);
    assert!(!told.out.contains("`public_key`"), "{told:?}");
}

#[tokio::test]
async fn more_people_than_one_message_can_call_are_called_as_far_as_it_can() {
    let place = InDiscord::lay().await;
    let people: Vec<_> = (0..90).map(|n| place.discord.person(&format!("p{n}"))).collect();
    let ids: Vec<String> = people.iter().map(|id| format!("\"discord:{id}\"")).collect();
    place.yard.configure("owners = [", &format!("oncall = [{}]\nowners = [", ids.join(", ")));
    let serve = place.serve().await;
    place.yard.fail("create.shop-app.1");
    place.yard.accepted("up shop").await;
    place.discord.until("they are called", || (place.discord.called(people[0]) > 0).then_some(())).await;
    place.settled().await;
    assert!(place.discord.called(people[79]) > 0);
    assert_eq!(place.discord.called(people[80]), 0);
    assert!(place.discord.transcript(place.channel).contains("(and 10 more)"));
    serve.stop().await.exits(0);
    place.discord.check();
}
