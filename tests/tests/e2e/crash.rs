//! `kill -9` in every state: whoever starts next finds out what is true.

use tidegate_runner::domain::failure::FailureKind;
use tidegate_runner::domain::run::{Outcome, QuestionWhy, RunEvent, RunState};
use tidegate_tests::yard::{Layout, Process, Yard, failure, kill_9, me, runs};

/// Kills the engine, and starts another.
async fn crash(yard: &Yard, serve: Process) -> Process {
    serve.kill().await;
    yard.serve().await
}

/// After whatever happened, people can go on.
async fn goes_on(yard: &Yard) {
    yard.shell("up shop full app=4").await.says(&["shop is at full"]).exits(0);
    assert_eq!(yard.in_state("shop", "app").await.len(), 4);
}

async fn begins(yard: &Yard, line: &str) -> Process {
    let serve = yard.serve().await;
    yard.accepted(line).await;
    serve
}

#[tokio::test]
async fn while_queued_the_run_keeps_its_place() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let serve = begins(&yard, "up shop small").await;
    yard.until_did("create shop-app", 1).await;
    yard.accepted("up shop full").await;
    yard.accepted("plan shop full app=7").await;
    assert_eq!((yard.status(2).await, yard.status(3).await), ("queued", "queued"));
    let _serve = crash(&yard, serve).await;
    yard.until_taken_over(1, "applying").await;
    assert_eq!((yard.status(2).await, yard.status(3).await), ("queued", "queued"));
    yard.release("create.shop-app");
    assert_eq!((yard.ends(1).await, yard.ends(2).await, yard.ends(3).await), ("succeeded", "succeeded", "planned"));
    assert_eq!(yard.calls("apply", "shop-app"), 2);
    goes_on(&yard).await;
}

#[tokio::test]
async fn while_initialising_or_planning_it_is_simply_planned_again() {
    for step in ["init", "plan"] {
        let yard = Yard::new();
        yard.hold(step);
        let serve = begins(&yard, "up shop").await;
        yard.until_calls(step, "shop-app", 1).await;
        let _serve = crash(&yard, serve).await;
        yard.release(step);
        assert_eq!(yard.ends(1).await, "succeeded", "{step}");
        assert_eq!((yard.calls("apply", "shop-app"), yard.did("create")), (1, 3), "{step}");
        goes_on(&yard).await;
    }
}

#[tokio::test]
async fn what_a_killed_init_left_half_written_is_no_obstacle() {
    for file in ["terraform.tfstate", "modules/modules.json"] {
        for half in ["", "{\n  \"version\": 3,\n  \"ser"] {
            let yard = Yard::new();
            yard.write(&format!("state/data/shop/app/{file}"), half);
            yard.shell("up shop small").await.exits(0);
        }
    }
}

#[tokio::test]
async fn while_applying_terraform_lives_on_and_is_found_again() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let serve = begins(&yard, "up shop").await;
    yard.until_did("create shop-app", 3).await;
    let (_, terraform) = yard.processes(1, "app").expect("processes");
    let serve = crash(&yard, serve).await;
    assert!(runs(terraform), "an apply outlives its engine");
    yard.until_taken_over(1, "applying").await;
    let serve = crash(&yard, serve).await;
    assert!(runs(terraform));
    yard.release("create.shop-app");
    assert_eq!(yard.ends(1).await, "succeeded");
    assert_eq!((yard.calls("apply", "shop-app"), yard.did("create")), (1, 3));
    let told_once = yard.events(1).await.into_iter().filter(|event| matches!(event, RunEvent::StackApplied { .. }));
    assert_eq!(told_once.count(), 1);
    serve.stop().await.exits(0);
    goes_on(&yard).await;
}

#[tokio::test]
async fn an_apply_that_nobody_came_to_start_is_planned_again() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let serve = begins(&yard, "up shop").await;
    yard.until_did("create shop-app", 3).await;
    yard.kill_everything(serve, 1, "app").await;
    yard.release("create.shop-app");
    // As the disk is where the engine and its supervisor ended between laying the folder down and taking it up.
    let folder = yard.children(1, "app").pop().expect("a folder");
    for name in ["alive", "child.json", "stdout", "stderr"] {
        std::fs::remove_file(folder.join(name)).expect("removed");
    }
    let _serve = yard.serve().await;
    assert_eq!(yard.ends(1).await, "succeeded");
    assert_eq!((yard.calls("plan", "shop-app"), yard.calls("apply", "shop-app")), (2, 2));
    goes_on(&yard).await;
}

#[tokio::test]
async fn an_apply_that_ends_while_nobody_looks_is_told_as_it_ended() {
    for fails in [false, true] {
        let yard = Yard::new();
        yard.hold("create.shop-app");
        if fails {
            yard.fail("create.shop-app.2");
        }
        let serve = begins(&yard, "up shop").await;
        yard.until_did("create shop-app", 3).await;
        let (supervisor, terraform) = yard.processes(1, "app").expect("processes");
        serve.kill().await;
        yard.release("create.shop-app");
        yard.wait("the end of Terraform", async || (!runs(terraform) && !runs(supervisor)).then_some(())).await;
        assert_eq!(yard.status(1).await, "applying", "nobody has looked yet");
        // Any process that may be the engine finds it: here a shell that wants something else.
        yard.shell("plan shop").await.exits(0);
        let view = yard.view(1).await;
        assert_eq!(view.state.outcome(), Some(if fails { Outcome::Partial } else { Outcome::Succeeded }));
        assert_eq!((view.done().create, yard.calls("apply", "shop-app")), (if fails { 2 } else { 3 }, 1));
        if fails {
            yard.heal("create.shop-app.2");
        }
        goes_on(&yard).await;
    }
}

#[tokio::test]
async fn the_next_stacks_are_applied_by_whoever_comes_next() {
    let yard = Layout::new().environment("shop", &[("base", &[]), ("app", &["base"])]).lay();
    yard.hold("create.shop-base");
    let serve = begins(&yard, "up shop").await;
    yard.until_did("create shop-base", 3).await;
    let _serve = crash(&yard, serve).await;
    yard.release("create.shop-base");
    assert_eq!(yard.ends(1).await, "succeeded");
    assert_eq!((yard.calls("apply", "shop-base"), yard.calls("apply", "shop-app")), (1, 1));
    assert_eq!((yard.did("create shop-base"), yard.did("create shop-app")), (3, 3));
}

#[tokio::test]
async fn what_was_planned_and_what_runs_does_not_mind_newer_code() {
    let broken = "resource \"terraform_data\" \"a\" {\n";
    let yard = Layout::new().environment("shop", &[("base", &[]), ("app", &["base"])]).lay();
    yard.shell("up shop").await.exits(0);
    yard.hold("delete.shop-app");
    let serve = begins(&yard, "down shop off").await;
    yard.until_did("delete shop-app", 3).await;
    serve.kill().await;
    let (base, app) = ("roots/shop/base/main.tf", "roots/shop/app/main.tf");
    let (good_base, good_app) = (yard.read(base), yard.read(app));
    // The environment stays managed, and what is there now is not what was planned.
    yard.write(base, &good_base.replace("does create", "does never"));
    yard.write(app, &good_app.replace("does create", "does never"));
    let _serve = yard.serve().await;
    yard.until_taken_over(2, "applying").await;
    yard.write(base, broken);
    std::fs::remove_file(yard.file(app)).expect("removed");
    yard.release("delete.shop-app");
    assert_eq!(yard.ends(2).await, "succeeded");
    assert_eq!((yard.calls("plan", "shop-app"), yard.calls("plan", "shop-base")), (2 + 1, 2));
    assert_eq!((yard.did("delete shop-app"), yard.did("delete shop-base")), (3, 3));
}

#[tokio::test]
async fn while_it_waits_for_a_yes_the_question_stays() {
    for (order, left) in [("destroy shop", 0), ("undo shop", 1)] {
        let yard = Yard::new();
        let serve = begins(&yard, "up shop small").await;
        assert_eq!(yard.ends(1).await, "succeeded");
        yard.accepted("scale shop app=2").await;
        assert_eq!(yard.ends(2).await, "succeeded");
        yard.accepted(order).await;
        let asked = yard.until(3, "awaiting_approval").await;
        let serve = crash(&yard, serve).await;
        assert_eq!(yard.view(3).await.question, asked.question);
        yard.accepted("approve 3").await;
        let serve = crash(&yard, serve).await;
        assert_eq!(yard.ends(3).await, "succeeded", "{order}");
        assert_eq!(yard.in_state("shop", "app").await.len(), left);
        serve.stop().await.exits(0);
        goes_on(&yard).await;
    }
}

#[tokio::test]
async fn everything_killed_in_mid_apply_is_unknown_until_somebody_looks() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let serve = begins(&yard, "up shop").await;
    yard.until_did("create shop-app", 3).await;
    yard.kill_everything(serve, 1, "app").await;
    let serve = yard.serve().await;
    let view = yard.until(1, "unknown").await;
    assert!(matches!(&view.state, RunState::Unknown { finding, .. } if finding.contains("gone")), "{:?}", view.state);
    yard.shell("status shop").await.says(&["UNKNOWN", "recover 1"]).exits(0);
    yard.shell("history shop").await.says(&["UNKNOWN"]).exits(0);
    yard.shell("cancel 1").await.says(&["recover 1"]).exits(3);
    yard.shell("retry 1").await.says(&["recover 1"]).exits(3);
    // It keeps the environment, and nothing can be measured against what nobody knows.
    for order in ["up shop full app=4", "up shop small", "scale shop app+=1", "down shop"] {
        yard.shell(order).await.says(&["run 1", "recover 1"]).exits(3);
    }
    yard.release("create.shop-app");
    yard.shell("recover 1").await.says(&["looking what became of app", "shop NOT READY"]).exits(1);
    let view = yard.view(1).await;
    assert!(matches!(view.state.outcome(), Some(Outcome::Failed | Outcome::Partial)), "{:?}", view.state);
    assert!(view.finding.as_deref().is_some_and(|finding| finding.contains("left to do")), "{:?}", view.finding);
    yard.shell("up shop full app=4").await.says(&["shop is at full"]).exits(0);
    assert_eq!(yard.in_state("shop", "app").await.len(), 4);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_was_half_made_when_everything_was_killed_is_told_and_made_again() {
    let yard = Yard::new();
    yard.hold("create.shop-app.1");
    yard.hold("create.shop-app.2");
    let serve = begins(&yard, "up shop").await;
    yard.until_did("create shop-app", 3).await;
    // Terraform stores its state as a resource ends: the third one is in it then, though its provisioner never ended.
    yard.release("create.shop-app.1");
    yard.wait("a state", async || (yard.in_state("shop", "app").await.len() == 3).then_some(())).await;
    yard.wait("two reported", async || (yard.view(1).await.stacks[0].done.len() == 2).then_some(())).await;
    yard.kill_everything(serve, 1, "app").await;
    let _serve = yard.serve().await;
    yard.until(1, "unknown").await;
    yard.release("create.shop-app.2");
    let told = yard.shell("recover 1").await;
    told.says(&["2 of 3 changes done", "may be half made", "terraform_data.slave[2]"]).exits(1);
    assert!(!told.out.contains("outside the state"), "{}", told.out);
    // It may be whole all the same: making it again is asked about.
    yard.accepted("retry 1").await;
    let question = yard.until(2, "awaiting_approval").await.question.expect("a question");
    assert!(
        format!("{question:?}").contains("slave[2]") && !format!("{question:?}").contains("slave[1]"),
        "{question:?}"
    );
    yard.accepted("approve 2").await;
    assert_eq!(yard.ends(2).await, "succeeded");
    assert_eq!((yard.did("create shop-app 2"), yard.did("create shop-app 1")), (2, 1));
    yard.shell("up shop").await.says(&["nothing was done"]).exits(0);
}

#[tokio::test]
async fn what_was_being_deleted_when_everything_was_killed_is_left_and_never_outside_the_state() {
    let yard = Yard::new();
    let serve = begins(&yard, "up shop full app=5").await;
    assert_eq!(yard.ends(1).await, "succeeded");
    yard.hold("delete.shop-app.3");
    yard.hold("delete.shop-app.4");
    yard.accepted("down shop off").await;
    yard.until_did("delete shop-app", 5).await;
    yard.wait("a state", async || (yard.in_state("shop", "app").await.len() == 2).then_some(())).await;
    yard.kill_everything(serve, 2, "app").await;
    let _serve = yard.serve().await;
    yard.until(2, "unknown").await;
    let before = yard.shell("show 2").await;
    before.says(&["at least 3 of 5 changes done", "What may or may not be done", "slave[4]"]);
    before.says_not(&["outside the state"]);
    yard.release("delete.shop-app.3");
    yard.release("delete.shop-app.4");
    let told = yard.shell("recover 2").await;
    told.says(&["finds 2 changes left", "3 of 5 changes done", "What was not done", "slave[3]", "slave[4]"]).exits(1);
    told.says_not(&["outside the state", "half made"]);
    yard.shell("retry 2").await.says(&["shop is off"]).exits(0);
    assert_eq!(yard.in_state("shop", "app").await.len(), 0);
}

#[tokio::test]
async fn a_look_counts_nothing_as_done_that_an_older_state_cannot_show() {
    let yard = Yard::new();
    let serve = begins(&yard, "up shop full app=5").await;
    assert_eq!(yard.ends(1).await, "succeeded");
    yard.hold("delete.shop-app.3");
    yard.hold("delete.shop-app.4");
    yard.accepted("down shop off").await;
    yard.until_did("delete shop-app", 5).await;
    yard.wait("three deleted", async || (yard.view(2).await.stacks[0].changes_done() == 3).then_some(())).await;
    yard.kill_everything(serve, 2, "app").await;
    let state = yard.file("roots/shop/app/terraform.tfstate");
    let left = std::fs::read(&state).expect("a state");
    std::fs::remove_file(&state).expect("removed");
    let _serve = yard.serve().await;
    yard.until(2, "unknown").await;
    let told = yard.shell("recover 2").await;
    told.says(&[
        "cannot be told",
        "its state has the serial 0",
        "at least 3 of 5",
        "What may or may not be done",
        "slave[4]",
    ]);
    told.exits(1);
    told.says_not(&["nothing left to do", "5 of 5"]);
    yard.release("delete.shop-app.3");
    yard.release("delete.shop-app.4");
    // Put back it tells what is left.
    std::fs::write(&state, left).expect("written");
    yard.shell("retry 2").await.says(&["shop is off"]).exits(0);
}

#[tokio::test]
async fn what_the_first_apply_made_is_not_made_again_unasked_when_its_state_is_gone() {
    let yard = Yard::new();
    yard.hold("create.shop-app.3");
    yard.hold("create.shop-app.4");
    let serve = begins(&yard, "up shop full app=5").await;
    yard.until_did("create shop-app", 5).await;
    yard.wait("three made", async || (yard.view(1).await.stacks[0].changes_done() == 3).then_some(())).await;
    yard.kill_everything(serve, 1, "app").await;
    std::fs::remove_file(yard.file("roots/shop/app/terraform.tfstate")).expect("removed");
    yard.release("create.shop-app.3");
    yard.release("create.shop-app.4");
    let _serve = yard.serve().await;
    yard.until(1, "unknown").await;
    let told = yard.shell("recover 1").await;
    told.says(&["cannot be told", "its state has the serial 0 and had 1 at least", "at least 3 of 5"]).exits(1);
    let made = yard.did("create shop-app");
    yard.accepted("retry 1").await;
    let question = yard.until(2, "awaiting_approval").await.question.expect("a question");
    assert!(matches!(question.why, QuestionWhy::WentBack { .. }), "{:?}", question.why);
    yard.shell("reject 2").await.exits(0);
    assert_eq!(yard.did("create shop-app"), made);
}

/// The folder of a stack's code as it is worked with.
fn checkout(folder: &std::path::Path) -> Option<std::path::PathBuf> {
    let inner: Vec<_> = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let is_it = folder.components().any(|part| part.as_os_str() == "checkouts");
    if is_it && inner.iter().any(|path| path.ends_with("main.tf")) {
        return Some(folder.to_owned());
    }
    inner.iter().filter(|path| path.is_dir()).find_map(|path| checkout(path))
}

#[tokio::test]
async fn a_state_that_an_apply_left_is_saved_by_a_look_and_one_that_is_older_stays_and_stops_nothing() {
    for (moved, is_saved) in [(-1_i64, false), (1, true)] {
        let yard = Yard::new();
        yard.hold("create.shop-app.2");
        let serve = begins(&yard, "up shop").await;
        yard.wait("two reported", async || (yard.view(1).await.stacks[0].done.len() == 2).then_some(())).await;
        yard.kill_everything(serve, 1, "app").await;
        let state = yard.file("roots/shop/app/terraform.tfstate");
        // Where Terraform works.
        let left = checkout(&yard.file(".")).expect("its code").join("errored.tfstate");
        let read =
            || -> serde_json::Value { serde_json::from_slice(&std::fs::read(&state).expect("a state")).expect("JSON") };
        let (mut head, before) = (read(), read()["serial"].as_i64().expect("a serial"));
        head["serial"] = (before + moved).into();
        std::fs::write(&left, head.to_string()).expect("written");
        let _serve = yard.serve().await;
        yard.until(1, "unknown").await;
        yard.release("create.shop-app.2");
        yard.shell("recover 1").await.says(&["2 of 3 changes done"]).exits(1);
        assert_eq!(left.exists(), !is_saved, "{moved}");
        assert_eq!(read()["serial"].as_i64().is_some_and(|serial| serial > before), is_saved, "{moved}");
    }
}

#[tokio::test]
async fn a_state_counts_from_the_one_that_a_killed_apply_began_with() {
    let yard = Yard::new();
    let serve = begins(&yard, "up shop full app=5").await;
    assert_eq!(yard.ends(1).await, "succeeded");
    // Somebody went on with it by hand, and Tidegate has seen that.
    let state = yard.file("roots/shop/app/terraform.tfstate");
    let with_serial = |serial: u64| {
        let text = std::fs::read(&state).expect("a state");
        let mut head: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        head["serial"] = serial.into();
        std::fs::write(&state, head.to_string()).expect("written");
    };
    with_serial(20);
    yard.hold("create.shop-app.5");
    yard.accepted("scale shop app=6").await;
    yard.until(2, "awaiting_approval").await;
    yard.accepted("approve 2").await;
    yard.until_did("create shop-app", 6).await;
    yard.kill_everything(serve, 2, "app").await;
    yard.release("create.shop-app.5");
    with_serial(10);
    let _serve = yard.serve().await;
    yard.until(2, "unknown").await;
    yard.shell("recover 2").await.says(&["its state has the serial 10 and had 20 at least"]).exits(1);
    yard.accepted("retry 2").await;
    let question = yard.until(3, "awaiting_approval").await.question.expect("a question");
    assert!(matches!(question.why, QuestionWhy::WentBack { .. }), "{:?}", question.why);
    yard.shell("reject 3").await.exits(0);
}

#[tokio::test]
async fn a_run_that_nobody_carries_out_says_so() {
    let yard = Yard::new();
    // So long that an engine which hardly gets a turn keeps it.
    yard.configure("lease = \"3s\"", "lease = \"10m\"");
    yard.hold("create.shop-app");
    let serve = begins(&yard, "up shop").await;
    yard.until_did("create shop-app", 3).await;
    yard.shell("status shop").await.says_not(&["Nobody carries it out"]);
    serve.kill().await;
    yard.change_ledger("UPDATE runs SET lease_until = 1").await;
    yard.shell("status shop").await.says(&["Nobody carries it out"]);
    yard.shell("show 1").await.says(&["Nobody carries it out", "tidegate serve"]);
    yard.release("create.shop-app");
    let _serve = yard.serve().await;
    assert_eq!(yard.ends(1).await, "succeeded");
}

#[tokio::test]
async fn of_several_stacks_that_are_lost_each_is_looked_at() {
    let yard = Layout::new().environment("shop", &[("a", &[]), ("b", &[])]).lay();
    yard.hold("create.shop-a.1");
    yard.hold("create.shop-a.2");
    yard.hold("create.shop-b");
    let serve = begins(&yard, "up shop").await;
    yard.until_did("create shop-a", 3).await;
    yard.until_did("create shop-b", 3).await;
    // Terraform stores its state as a resource ends: what is half made is in it only when another one ends after its begin.
    yard.release("create.shop-a.1");
    yard.wait("a state", async || (yard.in_state("shop", "a").await.len() == 3).then_some(())).await;
    let processes = ["a", "b"].map(|stack| yard.processes(1, stack).expect("processes"));
    serve.kill().await;
    for (supervisor, terraform) in processes {
        kill_9(supervisor);
        kill_9(terraform);
    }
    let _serve = yard.serve().await;
    yard.until(1, "unknown").await;
    yard.release("create.shop-a.2");
    yard.release("create.shop-b");
    let told = yard.shell("recover 1").await;
    told.says(&["a plan of a finds", "a plan of b finds 3 changes left", "terraform_data.slave[2]"]).exits(1);
    assert_eq!(yard.status(1).await, "partial");
    // Somebody has looked, and takes what there is.
    yard.shell("accept 1 because it is whole").await.exits(0);
    yard.shell("up shop full").await.says(&["shop is at full"]).exits(0);
    assert_eq!(yard.did("create shop-a"), 3);
    assert_eq!((yard.in_state("shop", "a").await.len(), yard.in_state("shop", "b").await.len()), (3, 3));
}

/// Terraform's words about a held lock, as if it had been taken when `yard` was last written to: now.
fn lock_taken_now(yard: &Yard, held: &str) -> String {
    let (before, rest) = held.split_once("Created:").expect("when it was taken");
    let (_, after) = rest.split_once(" UTC").expect("in UTC");
    yard.write("now", "");
    let now = std::fs::metadata(yard.file("now")).and_then(|file| file.modified()).expect("a time");
    let now = chrono::DateTime::<chrono::Utc>::from(now).format("%Y-%m-%d %H:%M:%S%.9f +0000").to_string();
    format!("{before}Created:   {now} UTC{after}")
}

#[tokio::test]
async fn a_lock_that_somebody_took_after_the_run_was_lost_is_not_broken() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let _serve = begins(&yard, "up shop").await;
    yard.until_did("create shop-app", 3).await;
    let (supervisor, terraform) = yard.processes(1, "app").expect("processes");
    let held = include_str!("../../../runner/tests/samples/terraform/error-lock-held-after-kill9.jsonl");
    let taken = |year: &str| {
        let other = held.replace("2026-", year);
        assert_ne!(held, other, "the sample tells when the lock was taken");
        yard.write("locked.jsonl", &other);
    };
    yard.instead("plan", "cat YARD/locked.jsonl; exit 1");
    yard.configure("[runner]\n", "[runner]\nlock_timeout = \"0s\"\n");
    kill_9(supervisor);
    kill_9(terraform);
    yard.until(1, "unknown").await;
    yard.release("create.shop-app");
    // One that the apply waited for, and one that came after it.
    for year in ["2020-", "2099-"] {
        taken(year);
        for words in ["recover 1", "recover 1 unlock"] {
            let told = yard.shell(words).await;
            told.says(&["somebody else may be at work", "`terraform force-unlock"]).exits(5);
        }
    }
    assert_eq!((yard.status(1).await, yard.calls("force-unlock", "shop-app")), ("unknown", 0));
}

#[tokio::test]
async fn a_lock_that_the_dead_left_behind_is_shown_and_broken_only_when_asked() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let _serve = begins(&yard, "up shop").await;
    yard.until_did("create shop-app", 3).await;
    let (supervisor, terraform) = yard.processes(1, "app").expect("processes");
    // A remote backend's lock stays, which a local one's does not: here a script stands for it.
    let held = include_str!("../../../runner/tests/samples/terraform/error-lock-held-after-kill9.jsonl");
    yard.write("locked.jsonl", &lock_taken_now(&yard, held));
    yard.instead("plan", "[ ! -e YARD/unlocked ] || exec terraform \"$@\"; cat YARD/locked.jsonl; exit 1");
    yard.instead("force-unlock", "[ \"$3\" = 350def4c-e3b9-a2bc-8f19-64d3fd03b068 ] && touch YARD/unlocked");
    yard.configure("[runner]\n", "[runner]\nlock_timeout = \"0s\"\n");
    kill_9(supervisor);
    kill_9(terraform);
    yard.until(1, "unknown").await;
    yard.release("create.shop-app");
    yard.shell("recover 1").await.says(&["root@vm", "`recover 1 unlock`"]).exits(5);
    assert_eq!((yard.status(1).await, yard.calls("force-unlock", "shop-app")), ("unknown", 0));
    yard.shell("recover 1 unlock because I asked everybody").await.exits(1);
    assert_eq!(yard.calls("force-unlock", "shop-app"), 1);
    goes_on(&yard).await;
}

#[tokio::test]
async fn who_waits_for_a_run_that_becomes_unknown_exits_with_5() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let _serve = yard.serve().await;
    let up = yard.begin("up shop");
    yard.until_did("create shop-app", 3).await;
    let (supervisor, terraform) = yard.processes(1, "app").expect("processes");
    kill_9(supervisor);
    kill_9(terraform);
    up.end().await.says(&["recover 1"]).exits(5);
    yard.release("create.shop-app");
    yard.shell("recover 1").await.exits(1);
    goes_on(&yard).await;
}

#[tokio::test]
async fn a_supervisor_alone_is_not_missed_while_terraform_lives() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let _serve = begins(&yard, "up shop").await;
    yard.until_did("create shop-app", 3).await;
    let (supervisor, terraform) = yard.processes(1, "app").expect("processes");
    kill_9(supervisor);
    yard.wait("its end", async || (!runs(supervisor)).then_some(())).await;
    assert_eq!(yard.status(1).await, "applying");
    assert!(runs(terraform));
    yard.release("create.shop-app");
    // Nobody saw its exit status; that it is not told as a success is what counts.
    let view = yard.until(1, "unknown").await;
    assert_eq!(view.stacks.values().map(|stack| stack.done.len()).sum::<usize>(), 3);
    yard.shell("recover 1").await.says(&["nothing left to do"]).exits(1);
    assert_eq!((yard.status(1).await, yard.calls("apply", "shop-app")), ("partial", 1));
    goes_on(&yard).await;
}

#[tokio::test]
async fn a_terraform_that_somebody_kills_is_a_failure_with_the_signal_in_it() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let _serve = begins(&yard, "up shop").await;
    yard.until_did("create shop-app", 3).await;
    let (_, terraform) = yard.processes(1, "app").expect("processes");
    kill_9(terraform);
    assert_eq!(yard.ends(1).await, "failed");
    let view = yard.view(1).await;
    let failure = failure(&view, "app").expect("a failure");
    assert!(failure.summary.contains("signal 9"), "{failure:?}");
    assert_ne!(failure.kind, FailureKind::Interrupted);
    yard.release("create.shop-app");
    yard.shell("status shop").await.says(&["shop"]).exits(0);
    goes_on(&yard).await;
}

#[tokio::test]
async fn a_plan_that_somebody_kills_is_a_failure_and_nothing_was_done() {
    let yard = Yard::new();
    yard.instead("plan", "kill -9 $$");
    yard.shell("up shop").await.exits(1);
    let view = yard.view(1).await;
    assert!(failure(&view, "app").expect("a failure").summary.contains("signal 9"));
    yard.really("plan");
    goes_on(&yard).await;
}

#[tokio::test]
async fn whoever_may_not_look_into_an_unknown_run_is_told_who_may() {
    let lines = format!("owners = [\"local:ito\"]\naccess = {{ operator = [\"local:{}\"] }}", me());
    let yard = Layout::new().environment_with("shop", &lines, &[("app", &[])]).lay();
    yard.hold("create.shop-app");
    let serve = begins(&yard, "up shop").await;
    yard.until_did("create shop-app", 3).await;
    yard.kill_everything(serve, 1, "app").await;
    let _serve = yard.serve().await;
    yard.until(1, "unknown").await;
    for asked in ["status shop", "show 1", "up shop"] {
        yard.shell(asked).await.says(&["`recover 1` looks what became of it; it is for `local:ito`"]);
    }
    yard.release("create.shop-app");
}
