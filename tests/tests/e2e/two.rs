//! Two machines on one ledger: each has the same configuration with a state folder of its own, which is what tells machines apart.

use rustix::process::Signal;
use tidegate_runner::domain::run::{RunEvent, RunState};
use tidegate_tests::postgres::Database;
use tidegate_tests::yard::{Layout, Process, Told, Yard, runs};

/// The configuration of the second machine.
const SECOND: &str = "second.toml";

/// The second machine's, in its own words.
const FENCED: &str = "in other hands by now";

/// That its connection was ended in the middle of a transaction, in PostgreSQL's words.
const DROPPED: &str = "terminating connection due to idle-in-transaction timeout";

/// Whether a machine that stood still has found out; it may have stood still within a transaction.
fn hears(machine: &Process) -> bool {
    let told = machine.err();
    told.contains(FENCED) || told.contains(DROPPED)
}

fn two_machines(database: &Database, lock_timeout: &str) -> Yard {
    let wait = format!("lock_timeout = \"{lock_timeout}\"");
    let yard = Layout::new().database(database.url()).runner(&wait).environment("shop", &[("app", &[])]).lay();
    let text = yard.read("tidegate.toml");
    yard.write(SECOND, &text.replace("state_dir = \"state\"", "state_dir = \"second\""));
    yard
}

/// The first machine with a run in mid-apply.
async fn begins(yard: &Yard) -> Process {
    yard.hold("create.shop-app");
    let first = yard.runner("tidegate.toml").await;
    yard.accepted("up shop").await;
    yard.until_did("create shop-app", 3).await;
    first
}

/// What somebody says on the second machine.
async fn says(yard: &Yard, line: &str) -> Told {
    yard.run(&["--config", SECOND, "shell", "-c", line]).await
}

/// Waits until the run has been given up by the second machine, which can not look after it.
async fn until_unknown(yard: &Yard) {
    let view = yard.until(1, "unknown").await;
    let RunState::Unknown { finding, .. } = &view.state else { unreachable!() };
    assert!(finding.contains("gone silent; its Terraform may still run on that machine"), "{finding}");
    assert_eq!((yard.calls("plan", "shop-app"), yard.calls("apply", "shop-app")), (1, 1));
}

#[tokio::test]
async fn what_a_dead_machine_applied_is_unknown_to_the_other_until_a_person_says_that_it_is_gone() {
    let database = Database::new();
    let yard = two_machines(&database, "0s");
    let first = begins(&yard).await;
    let _second = yard.runner(SECOND).await;
    yard.kill_everything(first, 1, "app").await;
    until_unknown(&yard).await;
    says(&yard, "status shop").await.says(&["UNKNOWN", "recover 1"]).exits(0);
    says(&yard, "up shop").await.says(&["run 1", "recover 1"]).exits(3);
    says(&yard, "recover 1").await.says(&["only there can be seen", "`recover 1 unlock`"]).exits(5);
    assert_eq!((yard.status(1).await, yard.calls("plan", "shop-app")), ("unknown", 1));
    yard.release("create.shop-app");
    says(&yard, "recover 1 unlock").await.says(&["shop NOT READY", "left to do"]).exits(1);
    assert_eq!(yard.calls("apply", "shop-app"), 1);
    says(&yard, "up shop").await.says(&["shop is at full"]).exits(0);
    assert_eq!(yard.in_state("shop", "app").await.len(), 3);
}

#[tokio::test]
async fn beside_a_terraform_that_outlived_its_runner_the_other_machine_applies_nothing() {
    let database = Database::new();
    let yard = two_machines(&database, "0s");
    let first = begins(&yard).await;
    let (_, terraform) = yard.processes(1, "app").expect("processes");
    let _second = yard.runner(SECOND).await;
    first.kill().await;
    until_unknown(&yard).await;
    assert!(runs(terraform));
    for order in ["up shop", "scale shop app=1", "down shop off", "retry 1"] {
        says(&yard, order).await.says(&["recover 1"]).exits(3);
    }
    says(&yard, "recover 1").await.says(&["only there can be seen"]).exits(5);
    // Somebody says that the machine is gone, and is wrong: the state lock knows better.
    says(&yard, "recover 1 unlock").await.exits(5);
    assert_eq!((yard.status(1).await, yard.calls("apply", "shop-app")), ("unknown", 1));
    assert!(runs(terraform));
    // The machine comes back, and from now on looks itself whoever asks.
    let _first = yard.runner("tidegate.toml").await;
    says(&yard, "recover 1").await.says(&["still runs", &terraform.to_string()]).exits(5);
    yard.release("create.shop-app");
    yard.wait("the end of Terraform", async || (!runs(terraform)).then_some(())).await;
    says(&yard, "recover 1").await.says(&["nothing left to do"]).exits(1);
    assert_eq!((yard.status(1).await, yard.calls("apply", "shop-app")), ("partial", 1));
    assert_eq!(yard.in_state("shop", "app").await.len(), 3);
}

#[tokio::test]
async fn a_machine_that_stood_still_in_mid_apply_adds_nothing_to_the_story() {
    let database = Database::new();
    let yard = two_machines(&database, "0s");
    let first = begins(&yard).await;
    let (_, terraform) = yard.processes(1, "app").expect("processes");
    let _second = yard.runner(SECOND).await;
    first.signal(Signal::STOP);
    until_unknown(&yard).await;
    let told = yard.events(1).await;
    yard.release("create.shop-app");
    yard.wait("the end of Terraform", async || (!runs(terraform)).then_some(())).await;
    first.signal(Signal::CONT);
    yard.wait("that it hears of it", async || hears(&first).then_some(())).await;
    assert_eq!(yard.events(1).await, told);
    assert!(matches!(told.last(), Some(RunEvent::LostTrack { .. })), "{told:#?}");
    // Alive again, it is the one that can look.
    says(&yard, "recover 1").await.says(&["nothing left to do"]).exits(1);
    assert_eq!((yard.status(1).await, yard.calls("apply", "shop-app")), ("partial", 1));
    assert!(!yard.events(1).await.iter().any(|event| matches!(event, RunEvent::StackApplied { .. })));
}

#[tokio::test]
async fn a_machine_that_stood_still_while_it_planned_finds_its_run_done_by_the_other() {
    let database = Database::new();
    let yard = two_machines(&database, "1m");
    yard.hold("plan");
    let first = yard.runner("tidegate.toml").await;
    yard.accepted("up shop").await;
    yard.until_calls("plan", "shop-app", 1).await;
    let _second = yard.runner(SECOND).await;
    first.signal(Signal::STOP);
    yard.release("plan");
    assert_eq!(yard.ends(1).await, "succeeded");
    let told = yard.events(1).await;
    first.signal(Signal::CONT);
    yard.wait("that it hears of it", async || hears(&first).then_some(())).await;
    assert_eq!(yard.events(1).await, told);
    assert_eq!((yard.calls("apply", "shop-app"), yard.did("create")), (1, 3));
    let claims: Vec<i64> = told
        .iter()
        .filter_map(|event| match event {
            RunEvent::Claimed { attempt, .. } => Some(*attempt),
            _ => None,
        })
        .collect();
    assert_eq!(claims, [1, 2]);
}

#[tokio::test]
async fn a_machine_that_stood_still_between_two_tries_of_an_apply_does_not_try_again() {
    let database = Database::new();
    let yard = two_machines(&database, "1m");
    yard.write(
        "locked.jsonl",
        include_str!("../../../runner/tests/samples/terraform/error-lock-held-after-kill9.jsonl"),
    );
    // The lock is held the first time. Whoever tries again would apply.
    yard.instead(
        "apply",
        "[ ! -e YARD/tried ] || exec terraform \"$@\"; touch YARD/tried; while [ -e YARD/hold.first ]; do sleep 0.05; done; \
         cat YARD/locked.jsonl; exit 1",
    );
    yard.hold("first");
    let first = yard.runner("tidegate.toml").await;
    yard.accepted("up shop").await;
    yard.wait("the first try", async || yard.file("tried").exists().then_some(())).await;
    let (_, terraform) = yard.processes(1, "app").expect("processes");
    let _second = yard.runner(SECOND).await;
    first.signal(Signal::STOP);
    until_unknown(&yard).await;
    yard.release("first");
    yard.wait("its end", async || (!runs(terraform)).then_some(())).await;
    says(&yard, "recover 1 unlock").await.says(&["shop NOT READY"]).exits(1);
    assert_eq!(yard.status(1).await, "failed");
    first.signal(Signal::CONT);
    yard.wait("that it hears of it", async || hears(&first).then_some(())).await;
    first.stop().await.exits(0);
    assert_eq!((yard.calls("apply", "shop-app"), yard.did("create")), (1, 0));
}
