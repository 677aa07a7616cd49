//! Who goes first, what goes side by side, and who is the engine.

use std::time::{Duration, Instant};

use tidegate_runner::domain::run::{Note, QuestionWhy};
use tidegate_tests::yard::{Layout, Yard, runs};

#[tokio::test]
async fn two_runs_on_one_environment_go_one_after_the_other_and_say_for_whom_they_wait() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let _serve = yard.serve().await;
    yard.accepted("up shop small").await;
    yard.until_did("create shop-app", 1).await;
    let second = yard.begin("up shop full");
    yard.until(2, "queued").await;
    let third = yard.begin("scale shop app+=2");
    yard.until(3, "queued").await;
    yard.wait("whom they wait for", async || {
        (second.out().contains("run 1") && third.out().contains("run 2")).then_some(())
    })
    .await;
    yard.shell("status shop").await.says(&["run 1", "run 2", "run 3"]).exits(0);
    yard.release("create.shop-app");
    second.end().await.exits(0);
    // What is relative counts from what was accepted before it.
    third.end().await.says(&["app 3 -> 5"]).exits(0);
    assert_eq!(yard.in_state("shop", "app").await.len(), 5);
    assert_eq!(yard.calls("apply", "shop-app"), 3);
}

#[tokio::test]
async fn sizes_count_from_what_came_to_pass_and_who_did_it_knows_only_that() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let serve = yard.serve().await;
    yard.accepted("up shop full app=9").await;
    yard.until_did("create shop-app", 3).await;
    yard.accepted("scale shop app=2").await;
    let third = yard.begin("scale shop app=5");
    yard.until(3, "queued").await;
    yard.shell("show 3").await.says(&["app 2 -> 5"]).exits(0);
    yard.accepted("cancel 2").await;
    yard.release("create.shop-app");
    // It lowers, and nobody is asked whether four of them may go.
    third.end().await.says(&["app 9 -> 5"]).exits(0);
    yard.shell("history shop").await.says(&["app 9 -> 5"]).exits(0);
    yard.accepted("undo shop").await;
    yard.until(4, "awaiting_approval").await;
    yard.shell("reject 4").await.exits(0);
    yard.accepted("destroy shop").await;
    yard.until(5, "awaiting_approval").await;
    yard.shell("reject 5").await.exits(0);
    yard.shell("who changed shop").await.says(&["run 3"]).exits(0);
    yard.shell("who raised shop").await.says(&["run 1"]).exits(0);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_meant_something_only_after_a_run_that_was_cancelled_is_refused_and_a_retry_counts_from_what_stands() {
    let yard = Yard::new();
    yard.hold("plan");
    let serve = yard.serve().await;
    yard.accepted("up shop full app=9").await;
    yard.until(1, "planning").await;
    yard.accepted("scale shop app=5").await;
    yard.accepted("cancel 1").await;
    yard.release("plan");
    assert_eq!((yard.ends(1).await, yard.ends(2).await), ("cancelled", "refused"));
    yard.shell("show 2").await.says(&["shop cannot be scaled yet", "`up shop app=5`"]).exits(0);
    assert_eq!(yard.did("create shop-app"), 0);
    // Foreseen at full, taken back before it began, and done again where it stands: at small.
    yard.shell("up shop small").await.exits(0);
    yard.hold("plan");
    yard.accepted("up shop full").await;
    yard.until(4, "planning").await;
    yard.accepted("scale shop app=6").await;
    yard.accepted("cancel 5").await;
    yard.accepted("cancel 4").await;
    yard.release("plan");
    assert_eq!(yard.ends(4).await, "cancelled");
    yard.shell("retry 5").await.exits(0);
    yard.shell("status shop").await.says(&["shop is at small", "small app=6"]).says_not(&["wanted: full"]);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn runs_of_different_environments_go_side_by_side_up_to_the_limit() {
    let yard = Layout::new()
        .runner("parallel = 2")
        .environment("one", &[("app", &[])])
        .environment("two", &[("app", &[])])
        .environment("three", &[("app", &[])])
        .lay();
    for name in ["one", "two", "three"] {
        yard.hold(&format!("create.{name}-app"));
    }
    let _serve = yard.serve().await;
    for name in ["one", "two", "three"] {
        yard.accepted(&format!("up {name} small")).await;
    }
    yard.until_did("create one-app", 1).await;
    yard.until_did("create two-app", 1).await;
    assert_eq!((yard.status(3).await, yard.calls("plan", "three-app")), ("queued", 0));
    yard.release("create.two-app");
    assert_eq!(yard.ends(2).await, "succeeded");
    yard.until_did("create three-app", 1).await;
    assert_eq!(yard.status(1).await, "applying");
    yard.release("create.three-app");
    yard.release("create.one-app");
    assert_eq!((yard.ends(1).await, yard.ends(3).await), ("succeeded", "succeeded"));
}

#[tokio::test]
async fn stacks_that_do_not_need_each_other_go_side_by_side_and_the_others_in_order() {
    let yard = Layout::new().environment("shop", &[("left", &[]), ("right", &[]), ("top", &["left", "right"])]).lay();
    yard.hold("create.shop-left");
    yard.hold("create.shop-right");
    yard.hold("delete.shop-top");
    let _serve = yard.serve().await;
    yard.accepted("up shop small").await;
    yard.until_did("create shop-left", 1).await;
    yard.until_did("create shop-right", 1).await;
    yard.release("create.shop-left");
    assert_eq!(yard.calls("apply", "shop-top"), 0);
    yard.release("create.shop-right");
    assert_eq!(yard.ends(1).await, "succeeded");
    yard.accepted("down shop off").await;
    yard.until_did("delete shop-top", 1).await;
    assert_eq!((yard.calls("apply", "shop-left"), yard.calls("apply", "shop-right")), (1, 1));
    yard.release("delete.shop-top");
    assert_eq!(yard.ends(2).await, "succeeded");
    assert_eq!((yard.did("delete shop-left"), yard.did("delete shop-right")), (1, 1));
}

#[tokio::test]
async fn there_is_one_engine_on_a_file_and_another_takes_over_when_it_is_gone() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let first = yard.serve().await;
    let second = yard.start(&["serve"], &[]);
    yard.wait("the second", async || second.err().contains("another process").then_some(())).await;
    yard.accepted("up shop").await;
    yard.until_did("create shop-app", 3).await;
    assert_eq!(yard.calls("apply", "shop-app"), 1);
    let killed = Instant::now();
    first.kill().await;
    yard.until_taken_over(1, "applying").await;
    assert!(killed.elapsed() < Duration::from_secs(15), "{:?}", killed.elapsed());
    yard.release("create.shop-app");
    assert_eq!((yard.ends(1).await, yard.calls("apply", "shop-app")), ("succeeded", 1));
    // The second one carries on with everything.
    yard.shell("down shop off").await.exits(0);
    second.stop().await.exits(0);
}

#[tokio::test]
async fn many_people_at_once_each_get_a_run_of_their_own() {
    let yard = Yard::new();
    let _serve = yard.serve().await;
    let people: Vec<_> = (0..6).map(|_| yard.begin("scale shop app+=1")).collect();
    for person in people {
        // Nothing stands yet, so that nothing can be scaled: each of them is told so, and none of them is lost.
        person.end().await.exits(3);
    }
    yard.shell("up shop small").await.exits(0);
    let people: Vec<_> = (0..6).map(|_| yard.begin("scale shop app+=1")).collect();
    for person in people {
        person.end().await.exits(0);
    }
    assert_eq!(yard.in_state("shop", "app").await.len(), 7);
}

#[tokio::test]
async fn not_to_wait_needs_somebody_who_does_the_work() {
    let yard = Yard::new();
    yard.run(&["shell", "--no-wait", "-c", "up shop"]).await.says(&["tidegate serve"]).exits(1);
    assert_eq!(yard.status(1).await, "");
    let _serve = yard.serve().await;
    yard.accepted("up shop").await;
    assert_eq!(yard.ends(1).await, "succeeded");
}

#[tokio::test]
async fn a_lock_held_by_hand_is_shown_and_waited_for() {
    let yard = Yard::new();
    let _serve = yard.serve().await;
    yard.shell("up shop small").await.exits(0);
    yard.hold("create.shop-app");
    let by_hand = yard.apply_by_hand(2);
    let by_tidegate = async {
        yard.until_did("create shop-app", 2).await;
        let up = yard.begin("up shop full");
        let told = yard
            .wait("the holder", async || {
                let view = yard.known(2).await?;
                view.stacks.values().find_map(|stack| match &stack.note {
                    Some(Note::LockHeld { holder, .. }) => Some(holder.clone()),
                    _ => None,
                })
            })
            .await;
        assert!(told.who.contains(&tidegate_tests::yard::me()) && told.operation.contains("Apply"), "{told:?}");
        yard.wait("the card", async || up.out().contains("the state lock is held by").then_some(())).await;
        yard.release("create.shop-app");
        // What was done by hand meanwhile is told before anything is done on top of it.
        yard.until(2, "awaiting_approval").await;
        yard.shell("approve 2").await.exits(0);
        up.end().await.exits(0);
    };
    tokio::join!(by_hand, by_tidegate);
    assert_eq!(yard.in_state("shop", "app").await.len(), 3);
    assert_eq!(yard.did("create shop-app"), 3, "what was made by hand is not made again");
}

#[tokio::test]
async fn a_lock_that_is_never_freed_ends_the_run_with_its_holder() {
    let yard = Layout::new().runner("lock_timeout = \"1s\"").environment("shop", &[("app", &[])]).lay();
    yard.shell("up shop small").await.exits(0);
    yard.hold("create.shop-app");
    let by_hand = yard.apply_by_hand(2);
    let by_tidegate = async {
        yard.until_did("create shop-app", 2).await;
        let told = yard.shell("up shop full").await;
        told.says(&[&tidegate_tests::yard::me(), "lock"]).exits(1);
        assert_eq!(yard.status(2).await, "failed");
        yard.release("create.shop-app");
    };
    tokio::join!(by_hand, by_tidegate);
    let _serve = yard.serve().await;
    yard.accepted("retry 2").await;
    yard.until(3, "awaiting_approval").await;
    yard.shell("approve 3").await.exits(0);
    assert_eq!(yard.ends(3).await, "succeeded");
}

#[tokio::test]
async fn what_was_changed_by_hand_before_the_yes_is_planned_again_and_asked_again() {
    let yard = Yard::new();
    let _serve = yard.serve().await;
    yard.shell("up shop small").await.exits(0);
    let asker = yard.begin("destroy shop");
    yard.until(2, "awaiting_approval").await;
    yard.apply_by_hand(2).await;
    let digest = yard.view(2).await.question.expect("a question").digest;
    yard.accepted("approve 2").await;
    yard.wait("another question", async || {
        let question = yard.view(2).await.question?;
        (question.digest != digest).then_some(())
    })
    .await;
    assert_eq!(yard.calls("apply", "shop-app"), 1, "nothing was destroyed on the strength of the old plan");
    yard.wait("what is new in it", async || asker.out().contains("terraform_data.slave[1]").then_some(())).await;
    // Whoever has seen the first question only says nothing about the second.
    let code = yard.view(2).await.question.expect("a question").code().to_owned();
    yard.shell("approve 2").await.says(&["asks anew", "show 2"]).exits(3);
    yard.shell("approve 2 0000").await.says(&["0000"]).exits(3);
    yard.shell("show 2").await.says(&[&format!("approve 2 {code}")]).exits(0);
    yard.accepted(&format!("approve 2 {code}")).await;
    asker.end().await.exits(0);
    assert!(yard.in_state("shop", "app").await.is_empty());
}

#[tokio::test]
async fn what_shrank_by_hand_before_the_yes_needs_no_second_one() {
    let yard = Yard::new();
    let _serve = yard.serve().await;
    yard.shell("up shop").await.exits(0);
    let asker = yard.begin("destroy shop");
    yard.until(2, "awaiting_approval").await;
    yard.apply_by_hand(2).await;
    yard.accepted("approve 2").await;
    asker.end().await.exits(0);
    assert_eq!(yard.did("delete shop-app"), 3);
}

#[tokio::test]
async fn a_plan_that_went_stale_between_plan_and_apply_is_made_again() {
    let yard = Yard::new();
    yard.shell("up shop small").await.exits(0);
    yard.hold("apply");
    let up = yard.begin("up shop full");
    yard.until_calls("apply", "shop-app", 2).await;
    yard.apply_by_hand(2).await;
    yard.release("apply");
    up.end().await.exits(0);
    assert_eq!((yard.did("create shop-app"), yard.calls("apply", "shop-app")), (3, 3));
    assert!(!runs(yard.call_pids("apply", "shop-app")[1]));
}

#[tokio::test]
async fn a_stale_plan_that_comes_to_be_another_asks_again() {
    let yard = Yard::new();
    yard.shell("up shop small").await.exits(0);
    let serve = yard.serve().await;
    yard.hold("apply");
    let up = yard.begin("up shop full");
    yard.until_calls("apply", "shop-app", 2).await;
    // Somebody takes out of the state what was there when it was shown: it would be made a second time.
    yard.terraform(&yard.by_hand("shop", "app"), &["state", "rm", "terraform_data.slave[0]"]).await.exits(0);
    yard.release("apply");
    let question = yard.until(2, "awaiting_approval").await.question.expect("a question");
    let QuestionWhy::PlanChanged { beyond, .. } = &question.why else { panic!("{question:?}") };
    assert_eq!(
        beyond.iter().map(|(_, change)| change.address.as_str()).collect::<Vec<_>>(),
        ["terraform_data.slave[0]"]
    );
    assert_eq!(yard.did("create shop-app"), 1);
    yard.shell(&format!("approve 2 {}", question.code())).await.exits(0);
    up.end().await.exits(0);
    assert_eq!(yard.did("create shop-app"), 4);
    serve.stop().await.exits(0);
}
