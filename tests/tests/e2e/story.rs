//! Whole evenings: on PostgreSQL, in the demo, and with a great many crashes at moments that nobody chose.

use std::path::Path;
use std::time::Duration;

use tidegate_runner::domain::run::Outcome;
use tidegate_tests::postgres::Database;
use tidegate_tests::yard::{Layout, Yard, kill_9, me, runs};

#[tokio::test]
async fn an_evening_with_the_ledger_on_postgresql() {
    let database = Database::new();
    let yard = Layout::new().database(database.url()).environment("shop", &[("base", &[]), ("app", &["base"])]).lay();
    yard.shell("up shop because the rehearsal starts").await.says(&["shop is at full", "6 created"]).exits(0);
    yard.hold("create.shop-app");
    let first = yard.serve().await;
    // Any number of engines may live on a server; one of them has the run.
    let second = yard.serve().await;
    yard.accepted("scale shop app+=2").await;
    yard.until_did("create shop-app", 5).await;
    assert_eq!(yard.calls("apply", "shop-app"), 2);
    let waits = yard.begin("down shop off because it is late");
    yard.until(3, "queued").await;
    first.kill().await;
    second.kill().await;
    let third = yard.serve().await;
    // Nobody can know that the others are dead before their lease is over.
    yard.until_taken_over(2, "applying").await;
    yard.release("create.shop-app");
    waits.end().await.exits(0);
    assert_eq!((yard.status(2).await, yard.calls("apply", "shop-app")), ("succeeded", 3));
    let history = yard.shell("history shop").await;
    history.says(&["rehearsal", "it is late", &me()]).exits(0);
    assert!(yard.in_state("shop", "app").await.is_empty());
    third.stop().await.exits(0);
    assert!(!yard.file("tidegate.db").exists());
}

#[tokio::test]
async fn the_demo_plays_its_tour_and_remembers_it() {
    let yard = Yard::new();
    let first = yard.run(&["demo", "--tour"]).await;
    first.says(&["Everything happened as told", "ito", "slavs", "Refused"]).exits(0);
    // What README shows of a mistake and of a refusal is what is said, wherever lines are broken.
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let readme = include_str!("../../../README.md").replace("`local:root`", &format!("`local:{}`", me()));
    let shown =
        readme.split_once("ito: /tide scale shop slavs=10").and_then(|(_, after)| after.split_once("ito: /tide"));
    let shown = words(shown.expect("a transcript").0);
    assert!(words(&first.out).contains(&shown), "README says:\n{shown}\nand it is:\n{}", first.out);
    let again = yard.run(&["demo"]).await;
    again.says(&["Everything happened as told"]).exits(0);
    // The second history goes on where the first one ended.
    let newest = |text: &str| {
        let history = text.rsplit("Runs, newest first").next().unwrap_or_default();
        history.lines().find_map(|line| line.split_whitespace().next()?.parse::<u32>().ok()).expect("a run")
    };
    let (one, two) = (newest(&first.out), newest(&again.out));
    assert!(two > one, "{one} and {two}:\n{}", again.out);
    let anew = yard.run(&["demo", "--tour", "--reset"]).await;
    anew.says(&["Everything happened as told"]).exits(0);
    assert_eq!(newest(&anew.out), one, "it begins anew:\n{}", anew.out);
}

#[test]
fn the_demos_roots_are_the_ones_that_people_can_read() {
    let roots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../terraform/environments/demo");
    let folder = tempfile::tempdir().expect("a folder");
    let mut demo = std::process::Command::new(tidegate_tests::yard::tidegate());
    // Another demo runs here already: what it lays out is enough.
    demo.args(["demo", "--tour"]).current_dir(folder.path()).env("PATH", "/nowhere").stdin(std::process::Stdio::null());
    assert!(!demo.output().expect("the demo").status.success(), "there is no Terraform in /nowhere");
    for stack in ["monitoring", "app", "jmeter"] {
        let written = folder.path().join(format!(".tidegate/demo/terraform/{stack}/main.tf"));
        let read = |path: &Path| std::fs::read_to_string(path).expect("a root");
        assert_eq!(read(&written), read(&roots.join(stack).join("main.tf")), "{stack}");
    }
}

/// Numbers without a pattern, the same for the same seed. Source: Marsaglia, "Xorshift RNGs", 2003.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn rounds(short: u32) -> u32 {
    if std::env::var_os("TIDEGATE_LONG").is_some_and(|value| value == "1") { short * 30 } else { short }
}

/// A seed of the caller's choice (`TIDEGATE_SEED`), to have again what was had before.
fn chance() -> Chance {
    let given = std::env::var("TIDEGATE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| u64::from(std::process::id()) << 20 | 1);
    println!("TIDEGATE_SEED={seed}");
    Chance(seed)
}

#[tokio::test]
async fn an_engine_that_is_killed_at_any_moment_loses_nothing() {
    let mut chance = chance();
    let yard = Layout::new().environment("shop", &[("base", &[]), ("app", &["base"])]).lay();
    let mut number = 0;
    for round in 0..rounds(6) {
        let (line, slaves) = if round % 2 == 0 { ("up shop full", 3) } else { ("down shop", 1) };
        let serve = yard.serve().await;
        yard.accepted(line).await;
        number += 1;
        // The moment is the point here; nothing is waited for by it.
        tokio::time::sleep(Duration::from_millis(chance.below(900))).await;
        serve.kill().await;
        let mut serve = yard.serve().await;
        while chance.below(3) == 0 {
            tokio::time::sleep(Duration::from_millis(chance.below(300))).await;
            serve.kill().await;
            serve = yard.serve().await;
        }
        assert_eq!(yard.ends(number).await, "succeeded", "round {round}");
        for stack in ["base", "app"] {
            assert_eq!(yard.in_state("shop", stack).await.len(), slaves, "round {round}");
        }
        serve.stop().await.exits(0);
    }
    // Nothing was ever made twice, nor unmade twice.
    let (ups, downs) = (rounds(6).div_ceil(2), rounds(6) / 2);
    let made = 3 + (ups - 1) * 2;
    assert_eq!(yard.did("create shop-base"), usize::try_from(made).expect("few"));
    assert_eq!(yard.did("delete shop-app"), usize::try_from(downs * 2).expect("few"));
}

#[tokio::test]
async fn everything_that_is_killed_at_any_moment_ends_as_what_is_true() {
    let mut chance = chance();
    let yard = Yard::new();
    let mut number = 0;
    for round in 0..rounds(6) {
        let serve = yard.serve().await;
        yard.accepted(if round % 2 == 0 { "up shop full" } else { "down shop off" }).await;
        number += 1;
        tokio::time::sleep(Duration::from_millis(chance.below(700))).await;
        serve.kill().await;
        if let Some((supervisor, terraform)) = yard.processes(number, "app") {
            for pid in [supervisor, terraform] {
                if runs(pid) {
                    kill_9(pid);
                }
            }
        }
        let serve = yard.serve().await;
        let status = yard
            .wait("an end or nobody knows", async || {
                let view = yard.view(number).await;
                let status = view.state.status();
                (view.state.ended() || status == "unknown").then_some(status)
            })
            .await;
        if status == "unknown" {
            yard.shell(&format!("recover {number}")).await.exits(1);
        }
        let outcome = yard.view(number).await.state.outcome().expect("an end");
        let wanted = if round % 2 == 0 { 3 } else { 0 };
        let stands = yard.in_state("shop", "app").await.len();
        if matches!(outcome, Outcome::Succeeded | Outcome::NothingToDo) {
            assert_eq!(stands, wanted, "round {round}: {outcome:?}");
        }
        // The environment is never blocked: the same once more ends well.
        if stands != wanted || !matches!(outcome, Outcome::Succeeded | Outcome::NothingToDo) {
            yard.accepted(if round % 2 == 0 { "up shop full" } else { "down shop off" }).await;
            number += 1;
            // What nobody saw the end of may be whole: before it is made anew people are asked.
            let status = yard
                .wait("an end or a question", async || {
                    let state = yard.view(number).await.state;
                    (state.ended() || state.status() == "awaiting_approval").then(|| state.status())
                })
                .await;
            if status == "awaiting_approval" {
                yard.accepted(&format!("approve {number}")).await;
            }
            let end = yard.ends(number).await;
            assert!(matches!(end, "succeeded" | "nothing_to_do"), "round {round}: {end}");
            assert_eq!(yard.in_state("shop", "app").await.len(), wanted, "round {round}");
        }
        serve.stop().await.exits(0);
    }
}

#[tokio::test]
async fn what_is_offered_leaves_everything_as_it_stands() {
    let yard = Yard::new();
    yard.shell("up shop app=4").await.exits(0);
    yard.shell("scale shop app=").await.says(&["`scale shop app=4`"]).exits(2);
    yard.shell("stop shop").await.says(&["`down shop`"]).exits(2);
    yard.hold("create.shop-app");
    let serve = yard.serve().await;
    let up = yard.begin("scale shop app=6");
    yard.until_did("create shop-app", 5).await;
    // What is accepted counts, as it does for relative values.
    yard.shell("scale shop app=").await.says(&["`scale shop app=6`"]).exits(2);
    yard.shell("stop shop").await.says(&["`cancel 2`"]).exits(2);
    yard.shell("cancel shop").await.says(&["`cancel 2`"]).exits(2);
    yard.release("create.shop-app");
    up.end().await.exits(0);
    serve.kill().await;
}
