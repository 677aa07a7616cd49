//! Discord takes something away: who is in a role, a channel, a thread. The rest goes on as if nothing were.

use tidegate_tests::discord::Fault;
use tidegate_tests::in_discord::InDiscord;

const MEMBERS: &str = "GET /guilds/-/members";

#[tokio::test]
async fn who_has_a_role_is_asked_once_where_discord_does_not_tell_it_and_those_who_are_known_are_told() {
    let place = InDiscord::lay_with("admin_channel = \"#admins\"").await;
    let (admins, bob, carol) =
        (place.discord.channel("admins"), place.discord.person("bob"), place.discord.person("carol"));
    let (role, other) = (place.discord.role("ops", &[bob]), place.discord.role("others", &[carol]));
    let owners = format!("owners = [\"discord:{role}\", \"discord:{other}\", \"discord:");
    place.yard.configure("owners = [\"discord:", &owners);
    place.discord.refuse(MEMBERS, Fault::Refused(403, 50_001), 10_000);
    let serve = place.serve().await;
    place.discord.mention(bob, place.channel, "envs");
    place.reads("(answers)").await;
    place.yard.shell("hold shop for 2h because of the rehearsal").await.exits(0);
    let direct = |person| place.discord.direct_transcript(person);
    place.discord.until("who is known is told", || direct(bob).contains("the rehearsal").then_some(())).await;
    place.discord.reads(admins, "Discord does not tell Tidegate who is in groups (missing_access)").await;
    place.yard.shell("status").await.says(&["who is in groups (missing_access)", "Server Members Intent"]).exits(0);
    // All that comes after it is told, too, while somebody of the other role is waited for.
    place.yard.shell("unhold shop").await.exits(0);
    place.yard.shell("hold shop for 3h because of another").await.exits(0);
    place.discord.until("of the next, too", || direct(bob).contains("another").then_some(())).await;
    assert_eq!(place.discord.calls(MEMBERS).len(), 1, "asked once");
    assert!(direct(carol).is_empty(), "nobody knows her");
    assert_eq!(place.discord.transcript(admins).matches("who is in groups").count(), 1);
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_mention_where_tidegate_sees_nothing_keeps_no_other_from_being_heard() {
    let place = InDiscord::lay().await;
    let hidden = place.discord.channel("hidden");
    let serve = place.serve().await;
    place.discord.refuse("GET /channels/-", Fault::Refused(403, 50_001), 1);
    place.discord.mention(place.alice, hidden, "up shop");
    place.discord.until("it is looked for", || place.discord.calls("GET /channels/-").first().cloned()).await;
    place.discord.mention(place.alice, place.channel, "status shop");
    place.reads("(answers)").await;
    // What Discord could not tell just now is told by it again; nor is it Discord's word where something before it does not let us by.
    for (status, name) in [(503, "other"), (403, "elsewhere")] {
        let other = place.discord.channel(name);
        place.discord.refuse("GET /channels/-", Fault::Status(status), 1);
        place.discord.mention(place.alice, other, "whoami");
        place.discord.reads(other, "(answers)").await;
    }
    assert_eq!(place.discord.sessions().0, 1, "one session all the time");
    assert!(place.yard.known(1).await.is_none(), "nobody was there to be answered");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_thread_that_takes_nothing_any_more_keeps_its_channel_from_nothing() {
    let place = InDiscord::lay_with("admin_channel = \"#admins\"").await;
    let admins = place.discord.channel("admins");
    let serve = place.serve().await;
    for (run, end) in [(1, "partial"), (2, "succeeded")] {
        place.yard.hold("create.shop-app.1");
        if run == 1 {
            place.yard.fail("create.shop-app.1");
        }
        place.discord.mention(place.alice, place.channel, "up shop");
        let plan = format!("plan of run {run}");
        place.reads(&plan).await;
        place.yard.until(run, "applying").await;
        let card = place.discord.until("a card", || place.discord.find(place.channel, "[Cancel]")).await;
        let called = place.discord.called(place.alice);
        place.discord.lock(card);
        place.yard.release("create.shop-app.1");
        place.yard.until(run, end).await;
        // Who asked is called where they can read it.
        place.discord.until("the asker is called", || (place.discord.called(place.alice) > called).then_some(())).await;
        if run == 1 {
            place.yard.wait("the log is given up", async || serve.err().contains("thread_gone").then_some(())).await;
            place.yard.heal("create.shop-app.1");
        }
    }
    let posted = place.discord.posted(place.channel);
    assert!(posted.iter().any(|text| text.contains("(answers)") && text.contains("shop is at full")), "{posted:?}");
    let thread = place.discord.thread(place.channel, "of somebody");
    place.discord.lock(thread);
    place.discord.mention(place.alice, thread, "whoami");
    let answered = || place.discord.posted(place.channel).iter().any(|text| text.contains("You are ")).then_some(());
    place.discord.until("it is answered in the channel", answered).await;
    place.settled().await;
    assert!(place.discord.posted(admins).is_empty(), "nobody is to mend anything");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn nothing_waits_for_what_discord_is_slow_to_tell() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.discord.until_connected(1).await;
    let (bob, other) = (place.discord.person("bob"), place.discord.channel("other"));
    // Who they are stands in what they did.
    place.discord.refuse("GET /guilds/-/members/-", Fault::Silence, 5);
    let offered = place.discord.offered(bob, place.channel, "up", &[("env", "s")]).await;
    assert_eq!(offered, [("shop".to_owned(), "shop".to_owned())]);
    // Nobody answers where that was said; a command that comes after it is acknowledged in time all the same.
    place.discord.refuse("GET /channels/-", Fault::Silence, 1);
    place.discord.mention(place.alice, other, "whoami");
    place.discord.until("it is asked", || place.discord.calls("GET /channels/-").first().cloned()).await;
    place.tide("status shop").await;
    place.discord.until("it is answered", || place.discord.private(place.alice, "shop")).await;
    // And that is answered when Discord tells it.
    place.discord.reads(other, "(answers)").await;
    assert_eq!(place.discord.sessions().0, 1, "one session all the time");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_hold_that_leaves_in_a_role_is_refused_with_its_members_to_copy() {
    let place = InDiscord::lay().await;
    let bob = place.discord.person("bob");
    let (role, empty) = (place.discord.role("ops", &[bob]), place.discord.role("nobody", &[]));
    let serve = place.serve().await;
    place.discord.mention(place.alice, place.channel, &format!("hold shop for 1h only <@&{role}> because x"));
    let text = place.reads("is a group").await;
    assert!(text.contains("`@ops` is a group"), "{text}");
    assert!(text.contains(&format!("hold shop for 1h only @discord:{bob} because x")), "{text}");
    place.settled().await;
    place.yard.shell("audit failed").await.says(&["hold shop for 1h only"]).exits(0);
    // Of one that nobody has nothing is left.
    place.discord.mention(place.alice, place.channel, &format!("hold shop for 1h only <@&{empty}>"));
    let line = || {
        place.discord.transcript(place.channel).lines().any(|line| line.ends_with("`hold shop for 1h`")).then_some(())
    };
    place.discord.until("it is offered without", line).await;
    // However `only` is written, and whatever leaves them in.
    let others = [
        format!("hold shop for 2h --only <@&{role}> because x"),
        format!("freeze all for 2h only <@&{role}> because x"),
        format!("book shop full tomorrow 9:00 for 3h only <@&{role}> because x"),
    ];
    for (at, words) in others.iter().enumerate() {
        place.discord.mention(place.alice, place.channel, words);
        let refused = || place.discord.transcript(place.channel).matches("is a group").count() == at + 3;
        place.discord.until(words, || refused().then_some(())).await;
    }
    place.reads(&format!("hold shop for 2h --only @discord:{bob} because x")).await;
    assert_eq!(place.yard.number("SELECT COUNT(*) FROM holds").await, 0, "nothing is held");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn without_the_scope_for_commands_the_rest_works_and_it_is_told_which_is_missing() {
    let place = InDiscord::lay_with("admin_channel = \"#admins\"").await;
    let admins = place.discord.channel("admins");
    place.discord.refuse("GET /applications/-/guilds/-/commands", Fault::Refused(403, 50_001), 1);
    let env = [("DISCORD", place.discord.token()), ("TIDEGATE_LOOPBACK_ONLY", "1")];
    let told = place.yard.start(&["check", "--online"], &env).end().await;
    told.says(&["the scope applications.commands", &format!("client_id={}", place.discord.application())]).exits(1);
    place.discord.refuse("PUT /applications/-/guilds/-/commands", Fault::Refused(403, 50_001), 1);
    let serve = place.serve().await;
    place.discord.reads(admins, "Discord does not take Tidegate's commands (missing_access)").await;
    place.yard.shell("status").await.says(&["does not take Tidegate's commands"]).exits(0);
    place.discord.mention(place.alice, place.channel, "up shop");
    place.reads("shop is at full").await;
    serve.stop().await.exits(0);
    // Let in with it, nothing is wrong any more.
    let serve = place.serve().await;
    let over = async || (!place.yard.shell("status").await.out.contains("commands (")).then_some(());
    place.yard.wait("that it is over", over).await;
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn what_is_chosen_in_a_direct_message_was_said_there() {
    let place = InDiscord::lay().await;
    let channels = "[channels.direct]\nrole = \"operator\"\n[channels.others]\nrole = \"viewer\"\n";
    place.yard.configure("[environments.shop]", &format!("{channels}[environments.shop]"));
    let serve = place.serve().await;
    place.discord.direct(place.alice, "status shop");
    let offered = || {
        let text = place.discord.direct_transcript(place.alice);
        text.contains("[See the plan for]").then_some(())
    };
    place.discord.until("it is offered", offered).await;
    let direct = place.discord.direct_channel(place.alice);
    let answer = place.discord.find(direct, "[See the plan for]").expect("a message");
    let chosen = place.discord.choose(place.alice, answer, "full");
    place.discord.acknowledged(chosen).await;
    place.yard.until(1, "planned").await;
    serve.stop().await.exits(0);
    place.discord.check();
}
