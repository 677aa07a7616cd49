//! A fault at every event: it cannot be stored, and then the engine is killed, or left to find its way by itself.

use tidegate_tests::yard::{Layout, Process, Yard};

/// The next run is stopped dead before its event `seq` is stored.
async fn break_at(yard: &Yard, seq: i64) {
    yard.change_ledger(&format!(
        "CREATE TRIGGER fault BEFORE INSERT ON run_events WHEN NEW.seq = {seq} BEGIN SELECT RAISE(ABORT, 'a fault'); END"
    ))
    .await;
}

async fn mend(yard: &Yard) {
    yard.change_ledger("DROP TRIGGER fault").await;
}

/// Up and down in turn, each broken at one of the first `events` events, with the next engine to go on from there.
async fn every_event(yard: &Yard, kill: bool) {
    let mut serve: Process = yard.serve().await;
    yard.accepted("up shop full").await;
    assert_eq!(yard.ends(1).await, "succeeded");
    let last = i64::try_from(yard.events(1).await.len()).expect("few");
    let long = std::env::var_os("TIDEGATE_LONG").is_some_and(|value| value == "1");
    let step = if long { 1 } else { 4 };
    let (mut number, mut applies) = (1, yard.calls("apply", "shop-app"));
    for seq in (2..=last).step_by(step) {
        let up = number % 2 == 0;
        break_at(yard, seq).await;
        // The first event is stored by the desk, so that it can always be accepted.
        yard.accepted(if up { "up shop full" } else { "down shop off" }).await;
        number += 1;
        // A way down has fewer events than the way up.
        yard.wait("the fault, or a run that is over before it", async || {
            (serve.err().contains("a fault") || yard.view(number).await.state.ended()).then_some(())
        })
        .await;
        if kill {
            serve.kill().await;
        } else {
            serve.stop().await.exits(0);
        }
        mend(yard).await;
        serve = yard.serve().await;
        assert_eq!(yard.ends(number).await, "succeeded", "a fault at event {seq}");
        for (stack, made) in [("base", 3), ("app", 3)] {
            let stands = yard.in_state("shop", stack).await.len();
            assert_eq!(stands, if up { made } else { 0 }, "a fault at event {seq}");
        }
        applies += 1;
        assert_eq!(yard.calls("apply", "shop-app"), applies, "applied exactly once after a fault at event {seq}");
    }
    assert_eq!(yard.did("create shop-app"), 3 * yard.did("create shop-app 0"));
    serve.stop().await.exits(0);
}

fn yard() -> Yard {
    Layout::new().environment("shop", &[("base", &[]), ("app", &["base"])]).lay()
}

#[tokio::test]
async fn a_fault_and_a_crash_at_any_event_lose_nothing() {
    every_event(&yard(), true).await;
}

#[tokio::test]
async fn a_fault_and_a_restart_at_any_event_lose_nothing() {
    every_event(&yard(), false).await;
}

#[tokio::test]
async fn a_fault_that_passes_is_survived_without_a_restart() {
    let yard = yard();
    let serve = yard.serve().await;
    for (number, seq) in [(1, 9), (2, 15)] {
        break_at(&yard, seq).await;
        let count = serve.err().matches("a fault").count();
        yard.accepted(if number == 1 { "up shop full" } else { "down shop off" }).await;
        yard.wait("the fault", async || (serve.err().matches("a fault").count() > count).then_some(())).await;
        mend(&yard).await;
        assert_eq!(yard.ends(number).await, "succeeded");
    }
    assert_eq!((yard.did("create"), yard.did("delete")), (6, 6));
}
