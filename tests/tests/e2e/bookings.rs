//! Bookings, with the real program, real Terraform and the time that it is.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tidegate::conversation::Verdict;
use tidegate_runner::domain::ids::ActorId;
use tidegate_tests::yard::{Layout, Process, Yard};

/// Longest until a booking begins or ends and its run has ended.
const PATIENCE: Duration = Duration::from_secs(150);

async fn ended(yard: &Yard, run: i64, serve: &Process) {
    let ended = tokio::time::timeout(PATIENCE, async {
        while !matches!(yard.status(run).await, "succeeded" | "failed" | "partial" | "refused") {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    ended.await.unwrap_or_else(|_| panic!("run {run} never came: {}", serve.err()));
    assert_eq!(yard.status(run).await, "succeeded");
    assert_eq!(yard.row(run).await.asker.id, ActorId::clock());
}

async fn says(yard: &Yard, who: &str, line: &str, verdict: Verdict, words: &[&str]) {
    let reply = yard.says_as(who, line).await;
    let text = format!("{:?}", reply.card);
    assert_eq!(reply.verdict, verdict, "{line}: {text}");
    for word in words {
        assert!(text.contains(word), "{line}: no `{word}` in {text}");
    }
}

#[tokio::test]
async fn what_is_booked_is_raised_as_it_begins_is_kept_from_others_and_goes_back_as_it_ends() {
    let lines = "zone = \"UTC\"\naccess = { operator = [\"local:sato\", \"local:mori\"] }";
    let yard = Layout::new().environment_with("shop", lines, &[("app", &[])]).lay();
    let serve = yard.serve().await;
    yard.write("now", "");
    let now = std::fs::metadata(yard.file("now")).and_then(|file| file.modified()).expect("a time");
    let from = DateTime::<Utc>::from(now) + TimeDelta::seconds(15);
    let until = from + TimeDelta::seconds(61);
    let told = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let book = |level: &str, who: &str| {
        format!("book shop {level} {} until {}{who} because rehearsal", told(from), told(until))
    };
    says(&yard, "sato", &book("full", " only @mori"), Verdict::Done, &["shop is booked at full from", "local:mori"])
        .await;
    let free = format!("book shop small {}", (until).format("%Y-%m-%dT%H:%M:%S"));
    says(&yard, "mori", &book("small", ""), Verdict::Refused, &["shop is booked then", "local:sato", &free]).await;
    yard.shell("list bookings").await.says(&["1 booking", "booked at full by sato from", "because rehearsal"]).exits(0);
    yard.shell("next shop 1d").await.says(&["booked by sato", "full", "small"]).exits(0);
    yard.shell("status shop").await.says(&["booked at full by sato from"]).exits(0);
    yard.shell("handover").await.says(&["booked by sato from"]).exits(0);
    // Others may use it until then.
    yard.shell("up shop small").await.exits(0);
    ended(&yard, 2, &serve).await;
    assert_eq!(yard.row(2).await.answers_for().id, ActorId::local("sato"));
    assert_eq!(yard.in_state("shop", "app").await.len(), 3);
    let words = ["shop is booked", "booked by `local:sato`", "because rehearsal", "unbook shop 1"];
    yard.shell("down shop").await.says(&words).exits(3);
    yard.shell("envs").await.says(&["booked by sato until"]).exits(0);
    // Who goes on after a crash in the midst of it knows it all.
    serve.kill().await;
    let serve = yard.serve().await;
    yard.shell("down shop").await.says(&words).exits(3);
    ended(&yard, 3, &serve).await;
    assert_eq!(yard.in_state("shop", "app").await.len(), 1);
    yard.shell("list bookings").await.says(&["Nothing is booked"]).exits(0);
    yard.shell("up shop full").await.exits(0);
    yard.shell("history shop").await.says(&["the booking of sato"]).exits(0);
    let told = async || yard.shell("audit shop").await.out.contains("lapse").then_some(());
    yard.wait("the end of the booking is in the audit", told).await;
    yard.shell("audit shop").await.says(&["sato - book shop full"]).exits(0);
    yard.run(&["audit", "verify"]).await.says(&["is whole"]).exits(0);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_booking_that_is_taken_back_never_begins_and_one_that_is_ended_goes_back_after_a_warning() {
    let lines = "zone = \"UTC\"\naccess = { operator = [\"local:sato\"] }";
    let yard = Layout::new().environment_with("shop", lines, &[("app", &[])]).lay();
    let serve = yard.serve().await;
    says(&yard, "sato", "book shop full tomorrow 22:00-02:00 because rehearsal", Verdict::Done, &["shop is booked"])
        .await;
    yard.shell("unbook shop because sato is ill").await.says(&["not booked any more", "sato, who is told"]).exits(0);
    yard.shell("list bookings").await.says(&["Nothing is booked"]).exits(0);
    yard.shell("book shop full tomorrow 22:00 for 2h because rehearsal").await.exits(0);
    // Time flies.
    yard.change_ledger(
        "UPDATE holds SET began_at = began_at - 172800000, until_at = until_at + 3600000 WHERE ended_at IS NULL",
    )
    .await;
    ended(&yard, 1, &serve).await;
    assert_eq!(yard.in_state("shop", "app").await.len(), 3);
    yard.shell("unbook shop")
        .await
        .says(&["not booked any more", "As soon as people were warned", "(in 15 min)"])
        .exits(0);
    yard.shell("next shop").await.says(&["small"]).exits(0);
    assert_eq!(yard.status(2).await, "");
    // Time flies once more.
    let soon = "(CAST(strftime('%s', 'now') AS INTEGER) + 4) * 1000";
    yard.change_ledger(&format!(
        "UPDATE bends SET bend = json_set(bend, '$.until', {soon}), until_at = {soon} WHERE kind = 'grace' AND ended_at IS NULL"
    ))
    .await;
    ended(&yard, 2, &serve).await;
    assert_eq!(yard.in_state("shop", "app").await.len(), 1);
    serve.stop().await.exits(0);
}
