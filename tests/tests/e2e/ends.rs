//! Every end of a command, and the exit status of `shell -c` that says which it was.

use rustix::process::Signal;
use tidegate_runner::domain::run::Outcome;
use tidegate_tests::yard::{Layout, Yard, failure, me};

#[tokio::test]
async fn what_is_carried_out_exits_with_0_and_stands() {
    let yard = Yard::new();
    yard.shell("up shop because it is time").await.says(&["shop is at full", "3 created", "run 1"]).exits(0);
    assert_eq!(yard.in_state("shop", "app").await.len(), 3);
    yard.shell("up shop").await.says(&["shop is at full already"]).exits(0);
    yard.shell("scale shop app+=2").await.says(&["app 3 -> 5", "2 created"]).exits(0);
    yard.shell("plan shop small").await.says(&["4 to destroy"]).exits(0);
    yard.shell("status shop").await.says(&["full"]).exits(0);
    yard.shell("down shop").await.says(&["shop is at small"]).exits(0);
    yard.shell("down shop off").await.exits(0);
    assert!(yard.in_state("shop", "app").await.is_empty());
    yard.shell("history shop").await.says(&["because it is time", &me()]).exits(0);
    assert_eq!((yard.calls("init", "shop-app"), yard.did("create"), yard.did("delete")), (1, 5, 5));
}

#[tokio::test]
async fn what_fails_exits_with_1_and_says_what_stands() {
    let yard = Yard::new();
    yard.fail("create.shop-app.1");
    let told = yard.shell("up shop").await;
    told.says(&["no capacity for shop-app 1", "terraform_data.slave[1]", "retry 1"]).exits(1);
    let view = yard.view(1).await;
    assert_eq!(view.state.outcome(), Some(Outcome::Partial));
    assert_eq!(view.done().create, 2);
    // Terraform keeps what it could not make as tainted, so that it is in the state.
    assert_eq!(yard.in_state("shop", "app").await.len(), 3);
    yard.heal("create.shop-app.1");
    yard.shell("retry 1").await.says(&["shop is at full"]).exits(0);

    let yard = Yard::new();
    yard.instead("plan", "exit 1");
    yard.shell("up shop").await.exits(1);
    assert_eq!(yard.status(1).await, "failed");
    assert!(failure(&yard.view(1).await, "app").is_some());
}

#[tokio::test]
async fn what_is_not_understood_exits_with_2_and_changes_nothing() {
    let yard = Yard::new();
    yard.shell("upp shop").await.says(&["`up shop`"]).exits(2);
    yard.shell("up shop ap=3").await.says(&["app=3"]).exits(2);
    yard.shell("").await.exits(2);
    assert_eq!(yard.status(1).await, "");
    assert_eq!(yard.read("calls"), "");
}

#[tokio::test]
async fn what_may_not_be_exits_with_3_and_changes_nothing() {
    let yard = Layout::new()
        .environment("shop", &[("app", &[])])
        .environment_with("theirs", "owners = [\"local:nobody-of-this-name\"]", &[("app", &[])])
        .lay();
    yard.shell("up theirs").await.says(&["theirs"]).exits(3);
    yard.shell("cancel 7").await.says(&["there is no run 7"]).exits(3);
    yard.shell("undo shop").await.exits(3);
    yard.shell("scale shop app=-5").await.says(&["app-=5"]).exits(3);
    yard.shell("scale shop app=21").await.says(&["20"]).exits(3);
    yard.shell("up shop").await.exits(0);
    yard.shell("up shop small").await.says(&["down shop small"]).exits(3);
    yard.shell("cancel 1").await.says(&["it is over"]).exits(3);
    yard.shell("approve 1").await.exits(3);
    yard.shell("recover 1").await.exits(3);
    assert_eq!(yard.status(2).await, "", "refusals make no run");
}

#[tokio::test]
async fn what_is_protected_is_never_destroyed() {
    let yard = Layout::new().environment_with("shop", "protect = [\"terraform_data.slave[0]\"]", &[("app", &[])]).lay();
    yard.shell("up shop").await.exits(0);
    yard.shell("scale shop app=0").await.says(&["terraform_data.slave[0]"]).exits(3);
    assert_eq!(yard.in_state("shop", "app").await.len(), 3);
    let told = yard.shell("down shop off").await;
    told.says(&["shop is off but for what is protected", "terraform_data.slave[0]"]).exits(0);
    let told = yard.shell("down shop off").await;
    told.says(&["shop is off already but for what is protected"]).exits(0);
    assert_eq!(yard.in_state("shop", "app").await, ["terraform_data.slave[0]"], "lowered, not destroyed");
}

#[tokio::test]
async fn what_is_cancelled_exits_with_4_for_the_asker_and_0_for_who_cancelled_it() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let up = yard.begin("up shop");
    yard.until_did("create shop-app", 3).await;
    yard.shell("cancel 1 because of the weather").await.exits(0);
    up.end().await.says(&["of the weather"]).exits(4);
    assert_eq!(yard.status(1).await, "cancelled");
}

#[tokio::test]
async fn what_nobody_knows_yet_exits_with_5() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let up = yard.begin("up shop");
    yard.until_did("create shop-app", 3).await;
    up.signal(Signal::INT);
    yard.wait("a word", async || up.out().contains("Ctrl-C leaves at once").then_some(())).await;
    up.signal(Signal::INT);
    up.end().await.says(&["Run 1 is not over"]).exits(5);
    yard.release("create.shop-app");
    let serve = yard.serve().await;
    assert_eq!((yard.ends(1).await, yard.calls("apply", "shop-app")), ("succeeded", 1));
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn who_does_not_wait_is_told_the_truth_when_the_run_ends_all_the_same() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let up = yard.begin("up shop");
    yard.until_did("create shop-app", 3).await;
    up.signal(Signal::TERM);
    yard.wait("a word", async || up.out().contains("not over").then_some(())).await;
    yard.release("create.shop-app");
    up.end().await.exits(0);
    assert_eq!(yard.status(1).await, "succeeded");
}

#[tokio::test]
async fn a_terminal_that_goes_away_lets_what_has_begun_end_first_and_nohup_outlives_it() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let serve = yard.start_with_hang_up(false, &["serve"]);
    yard.wait("ready", async || serve.err().contains("ready").then_some(())).await;
    let up = yard.start_with_hang_up(false, &["shell", "-c", "up shop"]);
    yard.until_did("create shop-app", 3).await;
    // Who only waits for it goes, who carries it out drains.
    up.signal(Signal::HUP);
    up.end().await.says(&["Run 1 is not over"]).exits(5);
    serve.signal(Signal::HUP);
    yard.wait("the drain", async || serve.err().contains("SIGHUP: draining").then_some(())).await;
    yard.release("create.shop-app");
    serve.end().await.exits(0);
    assert_eq!((yard.status(1).await, yard.calls("apply", "shop-app")), ("succeeded", 1));

    let serve = yard.start_with_hang_up(true, &["serve"]);
    yard.wait("ready", async || serve.err().contains("ready").then_some(())).await;
    serve.signal(Signal::HUP);
    yard.shell("down shop").await.says(&["shop is at small"]).exits(0);
    assert!(!serve.err().contains("draining"), "{}", serve.err());
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_command_that_is_told_to_end_stops_its_run_gently_when_the_limit_is_over() {
    let yard = Layout::new().runner("drain = \"0s\"").environment("shop", &[("app", &[])]).lay();
    yard.hold("create.shop-app");
    let up = yard.begin("up shop");
    yard.until_did("create shop-app", 3).await;
    up.signal(Signal::TERM);
    up.end().await.says(&["This process carries it out"]).exits(4);
    assert_eq!(yard.status(1).await, "cancelled");
    yard.release("create.shop-app");
}
