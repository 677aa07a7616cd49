//! Forty environments at one transition, each with a real Terraform: what is told of them is what they are.

use std::collections::BTreeMap;
use std::time::Duration;

use tidegate_tests::in_slack::InSlack;

/// Longest that all of them are at work, on a machine that does other things.
const AT_WORK: Duration = Duration::from_mins(20);

/// The one whose third resource is not to be had.
const SHORT: &str = "e2";

fn how_many() -> usize {
    if std::env::var_os("TIDEGATE_LONG").is_some_and(|value| value == "1") { 40 } else { 4 }
}

#[tokio::test]
async fn forty_real_runs_at_one_transition_end_as_one_message_says() {
    let count = how_many();
    let place = InSlack::lay().await;
    place.yard.configure(
        "channel = \"#load-test\"\n",
        "channel = \"#load-test\"\nzone = \"UTC\"\nschedules = [{ name = \"morning\", at = \"2099-01-01 09:00\", do = \"up \
         full\", for = \"3h\", catch_up = \"1h\" }]\n",
    );
    let names: Vec<String> = (1..count).map(|number| format!("e{number}")).collect();
    place.lay_more(&names.iter().map(String::as_str).collect::<Vec<_>>(), "#load-test");
    place.yard.fail(&format!("create.{SHORT}-app.2"));
    let serve = place.serve().await;
    let known = async || place.yard.number("SELECT COUNT(*) FROM clock_asked").await;
    place.yard.wait("the clock has looked", async || (known().await == size(count)).then_some(())).await;
    serve.stop().await.exits(0);
    // As if it had been written so before, and nobody had looked for ten minutes.
    let now = chrono::DateTime::from_timestamp(i64::try_from(place.now()).expect("now"), 0).expect("a time");
    place.yard.configure("2099-01-01 09:00", &now.format("%Y-%m-%d %H:%M").to_string());
    place.yard.change_ledger("UPDATE clock SET seen_at = seen_at - 600000").await;
    place.yard.change_ledger("UPDATE clock_asked SET since = since - 600000, written = NULL").await;
    let began = std::time::Instant::now();
    let serve = place.serve().await;
    let raised = async {
        while place.yard.number("SELECT COUNT(*) FROM runs WHERE status IN ('succeeded', 'partial')").await
            < size(count)
        {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(AT_WORK, raised).await.expect("all of them have ended");
    println!("{count} real runs, two at a time: {} s", began.elapsed().as_secs());
    place.reads(&format!("{}: {} ready, {SHORT} PARTIAL", now.format("%H:%M"), count - 1)).await;
    // The one that failed has a message of its own, which may come after it.
    let text = place.reads(&format!("{SHORT} is PARTIAL ·")).await;
    assert_eq!(text.matches(" by the clock").count(), 1, "one message: {text}");
    // What Terraform has is what was told.
    let mut ended: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for run in 1..=place.yard.number("SELECT COUNT(*) FROM runs").await {
        let row = place.yard.row(run).await;
        ended.entry(row.request.environment.to_string()).or_default().push(row.state.status());
    }
    assert_eq!(ended.len(), count);
    for (name, ended) in ended {
        let there = place.yard.in_state(&name, "app").await.len();
        if name == SHORT {
            // What could not be made stays in its state as tainted. It is tried again for as long as it is wanted.
            assert!(ended.iter().all(|status| *status != "succeeded"), "{name}: {ended:?}");
        } else {
            assert_eq!((ended.as_slice(), there), (["succeeded"].as_slice(), 3), "{name}");
            assert!(!text.contains(&format!("{name} is at full")), "no card of its own: {text}");
        }
    }
    assert_eq!(place.yard.number("SELECT COUNT(*) FROM firings WHERE run_number IS NOT NULL").await, size(count));
    serve.stop().await.exits(0);
    place.yard.run(&["audit", "verify"]).await.says(&["is whole"]).exits(0);
    tidegate_tests::slack::judges::check_calls(&place.slack);
}

fn size(count: usize) -> i64 {
    i64::try_from(count).expect("few")
}
