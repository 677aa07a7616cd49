//! What was there in Discord as somebody spoke, and is gone as they are answered: threads, rights, groups, names.

use serde_json::Value;
use tidegate_tests::discord::{Fault, now_ms};
use tidegate_tests::in_discord::InDiscord;
use tidegate_tests::yard::Process;

const POST: &str = "POST /channels/-/messages";

/// The moment from which Discord counts in its numbers, in milliseconds since 1970.
const FIRST_MS: i64 = 1_420_070_400_000;

#[tokio::test]
async fn a_file_whose_thread_is_deleted_meanwhile_comes_into_the_channel_and_keeps_it_from_nothing() {
    let place = InDiscord::lay().await;
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full ·").await;
    place.settled().await;
    let thread = place.discord.thread(place.channel, "of somebody");
    place.discord.refuse(POST, Fault::Limited { retry_after: 2.0, global: false }, 1);
    place.discord.mention(place.alice, thread, "audit shop as csv");
    let limited = || place.discord.calls(POST).into_iter().find(|call| call.status == 429);
    place.discord.until("it is tried", limited).await;
    // The message goes into the channel, and then nobody knows whether its file did.
    place.discord.refuse_after(3, POST, Fault::Status(503));
    place.discord.removes(thread);
    place.reads("[file audit-").await;
    assert_eq!(place.discord.calls(POST).iter().filter(|call| call.status == 503).count(), 1, "so it was");
    place.settled().await;
    let text = place.discord.transcript(place.channel);
    assert_eq!(text.matches("[file audit-").count(), 1, "{text}");
    // Nothing waits behind it.
    place.discord.mention(place.alice, place.channel, "whoami");
    place.reads("(answers)").await;
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_command_whose_thread_is_locked_before_its_answer_is_answered_in_the_channel() {
    const ANSWER: &str = "PATCH /webhooks/-/-/messages/@original";
    let place = InDiscord::lay_with("admin_channel = \"#admins\"").await;
    let admins = place.discord.channel("admins");
    let serve = place.serve().await;
    place.discord.until_connected(1).await;
    let thread = place.discord.thread(place.channel, "of somebody");
    place.discord.lock(thread);
    for (tries, (code, words, run)) in (1..).zip([(50_083, "up", 1), (160_005, "down", 2)]) {
        place.discord.refuse(ANSWER, Fault::Refused(400, code), 1);
        let interaction = place.discord.command(place.alice, thread, words, &[("env", "shop")]);
        assert_eq!(place.discord.acknowledged(interaction).await, serde_json::json!({ "type": 5 }), "{words}");
        place.reads(&format!("[run {run} in its channel](")).await;
        place.yard.until(run, "succeeded").await;
        place.settled().await;
        assert_eq!(place.discord.calls(ANSWER).len(), tries, "{code}: said once, and not tried again");
    }
    assert!(place.discord.posted(admins).is_empty(), "nobody is to mend anything");
    serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn who_is_in_groups_is_told_of_once_while_somebody_waits_for_it_also_where_no_group_is_named_any_more() {
    const MEMBERS: &str = "GET /guilds/-/members";
    let place = InDiscord::lay_with("admin_channel = \"#admins\"").await;
    let (admins, carol) = (place.discord.channel("admins"), place.discord.person("carol"));
    let named = format!("\"discord:{}\", ", place.discord.role("others", &[carol]));
    place.yard.configure("owners = [", &format!("owners = [{named}"));
    place.discord.refuse(MEMBERS, Fault::Refused(403, 50_001), 10_000);
    let serve = place.serve().await;
    place.yard.shell("hold shop for 2h because of the rehearsal").await.exits(0);
    place.discord.reads(admins, "who is in groups (missing_access)").await;
    place.yard.configure(&named, "");
    place
        .yard
        .wait("the new configuration", async || serve.err().contains("the configuration was read again").then_some(()))
        .await;
    // The right to speak is renewed every four seconds; it is looked for the members every five.
    let renewed = async || place.yard.number("SELECT until FROM leases WHERE name = 'discord'").await;
    for _ in 0..4 {
        let before = renewed().await;
        place.yard.wait("some time goes by", async || (renewed().await > before).then_some(())).await;
    }
    assert_eq!(place.discord.transcript(admins).matches("who is in groups").count(), 1);
    place.yard.shell("status").await.says(&["who is in groups (missing_access)"]).exits(0);
    serve.stop().await.exits(0);
    place.discord.check();
}

/// `serve` that takes what is delivered by HTTP, and what signs for it.
struct Http {
    serve: Process,
    address: String,
    pair: ring::signature::Ed25519KeyPair,
}

impl Http {
    async fn serve(place: &InDiscord) -> Self {
        let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
        let serve = place.start();
        let said = |err: &str| {
            let line = err.lines().find(|line| line.contains("listening for HTTP"))?.to_owned();
            let port: String = line.split("127.0.0.1:").nth(1)?.chars().take_while(char::is_ascii_digit).collect();
            (!port.is_empty()).then_some(port)
        };
        let port = place.yard.wait("HTTP is listened to", async || said(&serve.err())).await;
        let address = format!("http://127.0.0.1:{port}/discord/interactions");
        Self { serve, address, pair }
    }

    /// Delivers it, signed just now.
    async fn deliver(&self, event: &Value) -> Value {
        let (time, body) = ((now_ms() / 1_000).to_string(), event.to_string());
        let signature = hex::encode(self.pair.sign(format!("{time}{body}").as_bytes()).as_ref());
        let request = axum::http::Request::post(&self.address)
            .header("x-signature-ed25519", signature)
            .header("x-signature-timestamp", time)
            .body(axum::body::Body::from(body))
            .expect("a request");
        let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
        let answer = client.request(request).await.expect("an answer");
        let body = axum::body::to_bytes(axum::body::Body::new(answer.into_body()), 1 << 20).await.expect("a body");
        serde_json::from_slice(&body).unwrap_or_default()
    }
}

#[tokio::test]
async fn rights_that_somebody_has_lost_are_not_had_again_by_what_is_delivered_late() {
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
    let key = hex::encode(ring::signature::KeyPair::public_key(&pair).as_ref());
    let place =
        InDiscord::lay_with(&format!("mode = \"http\"\npublic_key = \"{key}\"\nlisten = \"127.0.0.1:0\"")).await;
    let (bob, carol) = (place.discord.person("bob"), place.discord.person("carol"));
    let role = place.discord.role("ops", &[bob, carol]);
    place.yard.configure("owners = [", &format!("owners = [\"discord:{role}\", "));
    let http = Http::serve(&place).await;
    let slots = [("env", "shop")];
    // Some time ago, when he had the role; and just now, but before what she says without it.
    let (of_bob, mut late) = place.discord.written(bob, place.channel, "up", &slots);
    late["id"] = ((now_ms() - 20_000 - FIRST_MS) << 22).to_string().into();
    let (of_carol, early) = place.discord.written(carol, place.channel, "up", &slots);
    for person in [bob, carol] {
        place.discord.takes_role(role, person);
    }
    let (asked, after) = place.discord.written(carol, place.channel, "status", &slots);
    place.discord.answered(asked, &http.deliver(&after).await);
    place.discord.until("she is answered", || place.discord.private(carol, "shop")).await;
    for (count, (interaction, event)) in (1..).zip([(of_bob, late), (of_carol, early)]) {
        place.discord.answered(interaction, &http.deliver(&event).await);
        let refused = || place.discord.transcript(place.channel).matches("is not yours to do").count() == count;
        place.discord.until("it is refused", || refused().then_some(())).await;
    }
    place.settled().await;
    assert!(place.yard.known(1).await.is_none(), "nothing was run");
    http.serve.stop().await.exits(0);
    place.discord.check();
}

#[tokio::test]
async fn a_channel_that_is_renamed_or_deleted_is_told_at_once_and_spoken_in_as_long_as_it_is_there() {
    let place = InDiscord::lay_with("admin_channel = \"#admins\"").await;
    let admins = place.discord.channel("admins");
    let serve = place.serve().await;
    place.tide("up shop").await;
    place.reads("shop is at full").await;
    place.discord.rename(place.channel, "rehearsals");
    let told = place.discord.reads(admins, "#load-test is called #rehearsals now").await;
    assert!(told.contains("call it #rehearsals in the configuration"), "{told}");
    place.yard.accepted("down shop").await;
    place.reads("shop is at small").await;
    place.settled().await;
    place.yard.shell("status").await.says(&["#load-test is called #rehearsals now"]).exits(0);
    place.discord.rename(place.channel, "load-test");
    let over = async |words: &str| (!place.yard.shell("status").await.out.contains(words)).then_some(());
    place.yard.wait("that it is over", async || over("is called #rehearsals").await).await;
    assert_eq!(place.discord.transcript(admins).matches("is called #rehearsals").count(), 1, "once");
    place.discord.removes(place.channel);
    place.discord.reads(admins, "Discord refuses messages to #load-test (channel_not_found)").await;
    place.yard.shell("status").await.says(&["refuses messages to #load-test"]).exits(0);
    // Made again, it is found by its name.
    let again = place.discord.channel("load-test");
    place.discord.rename(again, "load-test");
    place.yard.wait("that it is over", async || over("refuses messages to").await).await;
    place.yard.accepted("up shop").await;
    place.discord.reads(again, "shop is at full").await;
    serve.stop().await.exits(0);
    place.discord.check();
}
