//! What keeps two engines apart on one file, and what is done and told while none lives.

use rustix::process::Signal;
use tidegate_tests::yard::Yard;

const NOBODY_WORKS: &str = "No process carries out runs now";

#[tokio::test]
async fn a_second_engine_is_refused_though_the_locks_file_was_removed() {
    let yard = Yard::new();
    // Longer than any machine may stall while the first one is stopped.
    yard.configure("lease = \"3s\"", "lease = \"10m\"");
    yard.hold("create.shop-app");
    let first = yard.serve().await;
    yard.accepted("up shop").await;
    yard.until_did("create shop-app", 3).await;
    // It cannot make its lock again for a moment.
    first.signal(Signal::STOP);
    std::fs::remove_file(yard.file("tidegate.db.engine")).expect("a lock");
    let second = yard.start(&["serve"], &[]);
    yard.wait("a refusal", async || second.err().contains("the lock is not its own any more").then_some(())).await;
    yard.shell("status shop").await.exits(0);
    first.signal(Signal::CONT);
    yard.wait("the lock again", async || first.err().contains("it is made again").then_some(())).await;
    assert_eq!(yard.number("SELECT COUNT(*) FROM runners").await, 1);
    yard.release("create.shop-app");
    assert_eq!(yard.ends(1).await, "succeeded");
    assert_eq!((yard.view(1).await.attempt, yard.calls("apply", "shop-app")), (1, 1));
    // In good order the second one carries on.
    first.stop().await.exits(0);
    yard.wait("the second", async || (yard.number("SELECT COUNT(*) FROM runners").await == 1).then_some(())).await;
    yard.accepted("down shop").await;
    assert_eq!(yard.ends(2).await, "succeeded");
    second.stop().await.exits(0);
}

#[tokio::test]
async fn what_waits_can_be_taken_back_while_no_engine_lives_and_blocks_nobody() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let serve = yard.serve().await;
    yard.accepted("up shop small").await;
    yard.accepted("up shop full").await;
    yard.until_did("create shop-app", 1).await;
    yard.shell("status shop").await.exits(0);
    serve.signal(Signal::TERM);
    yard.wait("the drain", async || serve.err().contains("draining").then_some(())).await;
    yard.release("create.shop-app");
    serve.end().await.exits(0);
    for question in ["status shop", "status", "envs", "show 2"] {
        yard.shell(question).await.says(&[NOBODY_WORKS, "tidegate serve"]).exits(0);
    }
    yard.shell("cancel 2").await.says(&["Run 2 is cancelled"]).exits(0);
    assert_eq!(yard.status(2).await, "cancelled");
    let status = yard.shell("status shop").await;
    assert!(!status.out.contains(NOBODY_WORKS), "nothing waits any more: {}", status.out);
    yard.shell("scale shop app=2").await.says(&["app 1 -> 2"]).exits(0);

    for (number, answer) in [(4, "cancel 4"), (5, "reject 5")] {
        let serve = yard.serve().await;
        yard.accepted("destroy shop").await;
        yard.until(number, "awaiting_approval").await;
        serve.stop().await.exits(0);
        yard.shell(answer).await.exits(0);
        assert_eq!(yard.status(number).await, "cancelled");
    }
    yard.shell("scale shop app=3").await.says(&["app 2 -> 3"]).exits(0);
    assert_eq!(yard.in_state("shop", "app").await.len(), 3);
}
