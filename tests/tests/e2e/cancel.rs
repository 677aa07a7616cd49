//! `cancel` in every state, and a `serve` that is told to stop: state and lock are as they should be afterwards.

use rustix::process::Signal;
use tidegate_runner::domain::run::{Outcome, RunEvent};
use tidegate_tests::yard::{Layout, Yard, runs};

/// Terraform by hand finds a state it can read, and a lock that is free.
async fn can_be_planned_by_hand(yard: &Yard) {
    let folder = yard.by_hand("shop", "app");
    let variables = [format!("-var=yard={}", yard.path().display()), "-var=stack=shop-app".to_owned()];
    let arguments = ["plan", "-input=false", "-lock-timeout=0s", &variables[0], &variables[1]];
    yard.terraform(&folder, &arguments).await.exits(0);
}

#[tokio::test]
async fn a_queued_run_is_cancelled_at_once_and_the_others_go_on() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let _serve = yard.serve().await;
    yard.accepted("up shop small").await;
    yard.until_did("create shop-app", 1).await;
    let asker = yard.begin("up shop full");
    yard.until(2, "queued").await;
    yard.shell("cancel 2 because I changed my mind").await.says(&["2"]).exits(0);
    asker.end().await.says(&["I changed my mind"]).exits(4);
    yard.release("create.shop-app");
    assert_eq!(yard.ends(1).await, "succeeded");
    assert_eq!(yard.calls("plan", "shop-app"), 1);
}

#[tokio::test]
async fn a_run_that_prepares_or_plans_is_cancelled_before_anything_is_done() {
    for step in ["init", "plan"] {
        let yard = Yard::new();
        yard.hold(step);
        let _serve = yard.serve().await;
        let asker = yard.begin("up shop");
        yard.until_calls(step, "shop-app", 1).await;
        yard.shell("cancel 1").await.exits(0);
        asker.end().await.says(&["Nothing was changed"]).exits(4);
        assert_eq!((yard.status(1).await, yard.calls("apply", "shop-app")), ("cancelled", 0), "{step}");
        yard.release(step);
        can_be_planned_by_hand(&yard).await;
        yard.shell("up shop").await.exits(0);
    }
}

#[tokio::test]
async fn a_run_that_waits_for_a_yes_is_cancelled_rejected_or_expires() {
    let yard = Layout::new().runner("ask_expires = \"10m\"").environment("shop", &[("app", &[])]).lay();
    let serve = yard.serve().await;
    yard.shell("up shop").await.exits(0);
    for (number, answer) in [(2, "cancel 2"), (3, "reject 3 because it is needed")] {
        let asker = yard.begin("destroy shop");
        yard.until(number, "awaiting_approval").await;
        yard.shell(answer).await.exits(0);
        asker.end().await.says(&["Nothing was changed"]).exits(4);
        yard.shell(&format!("approve {number}")).await.exits(3);
    }
    // Nobody answers.
    serve.stop().await.exits(0);
    yard.configure("ask_expires = \"10m\"", "ask_expires = \"10s\"");
    let _serve = yard.serve().await;
    let asker = yard.begin("destroy shop");
    yard.until(4, "awaiting_approval").await;
    // It has given up its place meanwhile.
    yard.shell("scale shop app=4").await.exits(0);
    asker.end().await.says(&["Nobody said yes in time"]).exits(3);
    assert_eq!(yard.in_state("shop", "app").await.len(), 4);
}

#[tokio::test]
async fn a_run_that_applies_is_broken_off_gently() {
    let yard = Layout::new().environment("shop", &[("base", &[]), ("app", &["base"]), ("jmeter", &["app"])]).lay();
    yard.hold("create.shop-app");
    let _serve = yard.serve().await;
    let asker = yard.begin("up shop");
    yard.until_did("create shop-app", 3).await;
    let (_, terraform) = yard.processes(1, "app").expect("processes");
    yard.shell("cancel 1").await.exits(0);
    asker.end().await.says(&["broken off", "next: `retry 1`"]).exits(4);
    assert!(!runs(terraform));
    let view = yard.view(1).await;
    assert_eq!((view.done().create, view.state.outcome()), (3, Some(Outcome::Cancelled)));
    assert_eq!((yard.calls("apply", "shop-app"), yard.calls("apply", "shop-jmeter")), (1, 0));
    yard.release("create.shop-app");
    can_be_planned_by_hand(&yard).await;
    yard.shell("cancel 1").await.says(&["it is over"]).exits(3);
    yard.shell("retry 1").await.says(&["shop is at full"]).exits(0);
    assert_eq!(yard.calls("apply", "shop-base"), 1, "what was done is not done again");
}

#[tokio::test]
async fn a_terraform_that_does_not_listen_is_killed_only_when_asked_twice() {
    let yard = Yard::new();
    yard.instead("apply", "trap '' INT; touch YARD/deaf; while :; do sleep 0.1; done");
    let _serve = yard.serve().await;
    let asker = yard.begin("up shop");
    yard.wait("an apply", async || yard.file("deaf").exists().then_some(())).await;
    let (_, terraform) = yard.processes(1, "app").expect("processes");
    yard.shell("cancel 1 force").await.says(&["`cancel 1`"]).exits(3);
    yard.accepted("cancel 1").await;
    yard.wait("the first stop", async || {
        let stopping = yard.view(1).await.state.stop().is_some();
        (stopping && asker.out().contains("topping")).then_some(())
    })
    .await;
    assert!(runs(terraform), "it does not listen");
    yard.shell("cancel 1 force because nothing else helps").await.exits(0);
    asker.end().await.says(&["nothing else helps"]).exits(4);
    assert!(!runs(terraform));
    yard.really("apply");
    can_be_planned_by_hand(&yard).await;
    yard.shell("up shop").await.exits(0);
}

#[tokio::test]
async fn a_cancel_that_is_asked_for_while_no_engine_lives_is_done_by_the_next_one() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let serve = yard.serve().await;
    yard.accepted("up shop").await;
    yard.until_did("create shop-app", 3).await;
    let (_, terraform) = yard.processes(1, "app").expect("processes");
    serve.kill().await;
    // This very shell becomes the engine, and does what it was asked.
    yard.shell("cancel 1").await.exits(0);
    assert_eq!(yard.status(1).await, "cancelled");
    assert!(!runs(terraform));
    yard.release("create.shop-app");
    can_be_planned_by_hand(&yard).await;
}

#[tokio::test]
async fn told_to_stop_it_takes_nothing_new_and_lets_what_runs_end() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let serve = yard.serve().await;
    yard.accepted("up shop small").await;
    yard.accepted("up shop full").await;
    yard.until_did("create shop-app", 1).await;
    serve.signal(Signal::TERM);
    yard.wait("the drain", async || serve.err().contains("draining").then_some(())).await;
    yard.release("create.shop-app");
    serve.end().await.exits(0);
    assert_eq!((yard.status(1).await, yard.status(2).await), ("succeeded", "queued"));
    let _serve = yard.serve().await;
    assert_eq!(yard.ends(2).await, "succeeded");
}

#[tokio::test]
async fn what_does_not_end_within_the_limit_is_interrupted_and_marked() {
    let yard = Layout::new().runner("drain = \"0s\"").environment("shop", &[("app", &[])]).lay();
    yard.hold("create.shop-app");
    let serve = yard.serve().await;
    yard.accepted("up shop").await;
    yard.until_did("create shop-app", 3).await;
    serve.stop().await.exits(0);
    assert_eq!(yard.status(1).await, "cancelled");
    let stopped = yard.events(1).await.into_iter().find_map(|event| match event {
        RunEvent::StopAsked { by, because, .. } => Some((by.to_string(), because)),
        _ => None,
    });
    assert_eq!(stopped, Some(("clock:tidegate".to_owned(), Some("Tidegate is stopping".to_owned()))));
    yard.shell("show 1").await.says(&["Tidegate is stopping"]).exits(0);
    yard.release("create.shop-app");
    can_be_planned_by_hand(&yard).await;
    yard.shell("retry 1").await.exits(0);
}

#[tokio::test]
async fn a_second_signal_does_not_wait_and_loses_nothing() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let serve = yard.serve().await;
    yard.accepted("up shop").await;
    yard.until_did("create shop-app", 3).await;
    let (_, terraform) = yard.processes(1, "app").expect("processes");
    serve.signal(Signal::TERM);
    yard.wait("the drain", async || serve.err().contains("draining").then_some(())).await;
    serve.signal(Signal::TERM);
    serve.end().await.exits(1);
    assert!(runs(terraform));
    let _serve = yard.serve().await;
    yard.release("create.shop-app");
    assert_eq!((yard.ends(1).await, yard.calls("apply", "shop-app")), ("succeeded", 1));
}

/// At small, with a cancelled `up` and a `scale` that was asked for while the `up` was ahead of it.
async fn scaled_behind_a_cancelled_run(yard: &Yard) {
    yard.accepted("up shop small").await;
    assert_eq!(yard.ends(1).await, "succeeded");
    yard.hold("create.shop-app");
    yard.accepted("up shop full").await;
    yard.until_did("create shop-app", 3).await;
    yard.accepted("scale shop app=5").await;
    yard.accepted("cancel 2").await;
    assert_eq!(yard.ends(2).await, "cancelled");
    yard.until(3, "applying").await;
}

#[tokio::test]
async fn what_a_cancelled_run_was_for_is_never_wanted_again() {
    let yard = Yard::new();
    let _serve = yard.serve().await;
    scaled_behind_a_cancelled_run(&yard).await;
    yard.shell("status shop").await.says(&["wanted: small app=5"]).exits(0);
    yard.until_did("create shop-app", 4).await;
    yard.accepted("cancel 3").await;
    assert_eq!(yard.ends(3).await, "cancelled");
    yard.shell("status shop").await.says(&["wanted: small"]).exits(0);
    // Cancelled again when it is done again, it is no more wanted than before.
    let created = yard.did("create shop-app");
    yard.accepted("retry 3").await;
    yard.until_did("create shop-app", created + 4).await;
    yard.accepted("cancel 4").await;
    assert_eq!(yard.ends(4).await, "cancelled");
    yard.shell("status shop").await.says(&["wanted: small"]).exits(0);
    yard.release("create.shop-app");
    // Back to the size that is wanted: what is over goes, and nobody is asked about it.
    assert!(yard.in_state("shop", "app").await.len() > 1);
    yard.shell("scale shop app=1").await.exits(0);
    assert_eq!(yard.in_state("shop", "app").await.len(), 1);
}

#[tokio::test]
async fn undo_does_not_go_back_to_what_was_cancelled() {
    let yard = Yard::new();
    let _serve = yard.serve().await;
    scaled_behind_a_cancelled_run(&yard).await;
    yard.release("create.shop-app");
    assert_eq!(yard.ends(3).await, "succeeded");
    yard.accepted("undo shop").await;
    assert_eq!(yard.until(4, "awaiting_approval").await.request.target.level.to_string(), "small");
}

#[tokio::test]
async fn what_failed_stays_wanted_until_its_retry_is_cancelled() {
    let yard = Yard::new();
    let _serve = yard.serve().await;
    yard.shell("up shop small").await.exits(0);
    yard.fail("create.shop-app.2");
    yard.shell("up shop full").await.exits(1);
    yard.shell("status shop").await.says(&["wanted: full"]).exits(0);
    yard.heal("create.shop-app.2");
    yard.hold("create.shop-app");
    for retry in ["retry 2", "retry 3"] {
        let number = if retry == "retry 2" { 3 } else { 4 };
        yard.accepted(retry).await;
        yard.until(number, "applying").await;
        yard.accepted(&format!("cancel {number}")).await;
        assert_eq!(yard.ends(number).await, "cancelled");
        yard.shell("status shop").await.says(&["wanted: small"]).exits(0);
    }
}

#[tokio::test]
async fn a_cancel_that_comes_when_all_is_done_leaves_what_the_run_was_for() {
    let yard = Yard::new();
    let _serve = yard.serve().await;
    yard.shell("up shop full app=3").await.exits(0);
    yard.hold("create.shop-app.3");
    // Terraform hears of the stop too late to break anything off.
    yard.instead("apply", "trap 'touch YARD/heard' INT; setsid terraform \"$@\" & wait $!; wait $!");
    yard.accepted("scale shop app+=1").await;
    yard.until_did("create shop-app 3", 1).await;
    yard.accepted("cancel 2").await;
    yard.wait("the stop", async || yard.file("heard").exists().then_some(())).await;
    yard.release("create.shop-app.3");
    yard.really("apply");
    assert_eq!(yard.ends(2).await, "cancelled");
    yard.shell("show 2").await.says(&["1 of 1 changes done"]).exits(0);
    yard.shell("envs").await.says(&["at full", "app=4"]).exits(0);
    let status = yard.shell("status shop").await;
    status.says(&["wanted: full app=4", "settings: app=4"]).exits(0);
    status.says_not(&["app=3"]);
    yard.shell("scale shop app+=1").await.says(&["app 4 -> 5"]).exits(0);
    assert_eq!(yard.in_state("shop", "app").await.len(), 5);
}

#[tokio::test]
async fn a_cancel_between_two_stacks_tells_the_size_that_stands_beside_the_one_that_is_wanted() {
    let yard = Layout::new().environment("shop", &[("app", &[]), ("jmeter", &["app"])]).lay();
    let _serve = yard.serve().await;
    yard.shell("up shop full app=3 jmeter=3").await.exits(0);
    yard.hold("create.shop-jmeter");
    yard.accepted("scale shop app=4 jmeter=4").await;
    yard.until_did("create shop-jmeter", 4).await;
    yard.accepted("cancel 2").await;
    assert_eq!(yard.ends(2).await, "cancelled");
    yard.release("create.shop-jmeter");
    for line in ["envs", "status shop"] {
        yard.shell(line).await.says(&["app=4 (wanted 3)"]).exits(0);
    }
}
