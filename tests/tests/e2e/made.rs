//! Environments for one test: made from a template, extended, ended by order and by time, with real Terraform, while the process that does
//! it is killed.

use tidegate_runner::domain::ids::{EnvironmentName, Timestamp};
use tidegate_runner::domain::made::{Made, Stage};
use tidegate_runner::ledger::{made, runs};
use tidegate_tests::yard::{Layout, Yard};

const TEMPLATE: &str = r#"[pools.vpc]
ranges = ["10.64.0.0/24"]
prefix = 28
[templates.loadtest]
names = "lt-*"
longest = "1d"
pool = "vpc"
[templates.loadtest.environment]
like = "shop"
stacks = [{ name = "app", workspace = "{env}", variables = { stack = "{env}-app", cidr = "{range}" } }]"#;

/// What a stack of this yard has beside its slaves.
const NET: &str = "variable \"cidr\" {\n  type    = string\n  default = \"\"\n}\n\nresource \"terraform_data\" \"net\" {\n  input = var.cidr\n}\n";

fn yard() -> Yard {
    let yard = Layout::new().top(TEMPLATE).environment("shop", &[("app", &[])]).lay();
    yard.write("roots/shop/app/net.tf", NET);
    yard
}

fn workspace(yard: &Yard, name: &str) -> std::path::PathBuf {
    yard.file(&format!("roots/shop/app/terraform.tfstate.d/{name}"))
}

/// Moves the end of one to now.
async fn is_over(yard: &Yard, name: &str) {
    let store = yard.store().await;
    let found: Made = made::by_name(store, &name.parse().expect("a name")).await.expect("a row").expect("it is there");
    let mut tx = store.begin().await.expect("a transaction");
    assert!(made::extend(&mut tx, &found, Timestamp(found.made.0 + 1), 2).await.expect("stored"), "{found:?}");
    tx.commit().await.expect("stored");
}

async fn nothing_is_there(yard: &Yard) {
    yard.wait("that nothing is there", async || {
        made::existing(yard.store().await).await.expect("rows").all.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_made_is_an_environment_like_others_and_its_end_leaves_neither_state_nor_workspace() {
    let yard = yard();
    yard.run(&["check"]).await.says(&["1 environment", "nothing wrong"]).exits(0);
    yard.shell("new login from loadtest").await.says(&["like `lt-*`", "new lt-login from loadtest"]).exits(3);
    let slips =
        ["new lt-a from loadtset for 2h because login spike", "new lt-a from loadtest for 90d because login spike"];
    yard.shell(slips[0]).await.says(&["new lt-a from loadtest for 2h because login spike"]).exits(3);
    yard.shell(slips[1])
        .await
        .says(&["lives 1d at most", "new lt-a from loadtest for 1d because login spike"])
        .exits(3);
    yard.shell("list new").await.says(&["Nothing is there"]).exits(0);
    let new = yard.shell("new lt-a from loadtest for 2h because login spike").await;
    new.says(&["It is deleted at", "(in 2 h), unless it is extended"]).exits(0);
    let state = std::fs::read_to_string(workspace(&yard, "lt-a").join("terraform.tfstate")).expect("a state");
    assert!(state.contains("10.64.0.0/28") && state.contains("lt-a-app"), "{state}");
    assert_eq!(yard.did("create lt-a-app"), 3);
    yard.shell("list new").await.says(&["lt-a", "living", "from loadtest", "10.64.0.0/28"]).exits(0);
    yard.shell("status lt-a").await.says(&["made: ", "from loadtest"]).exits(0);
    yard.shell("scale lt-a app=2").await.exits(0);
    yard.shell("new lt-a from loadtest").await.says(&["of that name already", "new lt-a-2 from loadtest"]).exits(3);
    yard.shell("extend lt-a 1h").await.says(&["lt-a lives until"]).exits(0);
    yard.shell("extend lt-a 2d").await.says(&["cannot live so long"]).exits(3);
    yard.shell("end shop").await.says(&["destroy shop"]).exits(3);
    yard.shell("end lt-a because done").await.says(&["lt-a is deleted, 0 left"]).exits(0);
    nothing_is_there(&yard).await;
    assert!(!workspace(&yard, "lt-a").exists());
    assert_eq!((yard.did("create lt-a-app"), yard.did("delete lt-a-app")), (3, 3));
    for folder in ["data", "checkouts"] {
        assert!(!yard.file(&format!("state/{folder}/lt-a/app")).exists(), "{folder}");
    }
    yard.shell("list new").await.says(&["Nothing is there"]).exits(0);
    let status = yard.shell("status lt-a").await;
    status.says(&["lt-a was deleted at", "0 left", "ended by", "made from loadtest", "history lt-a"]).exits(0);
    status.says_not(&["NOT IN THE CONFIGURATION"]);
    // Name and range are free again; what was before is found under its runs.
    yard.shell("new lt-a from loadtest").await.exits(0);
    yard.shell("list new").await.says(&["10.64.0.0/28"]).exits(0);
    yard.shell("history lt-a").await.says(&["destroy", "login spike"]).exits(0);
    yard.shell("end lt-a").await.exits(0);
    nothing_is_there(&yard).await;
    assert!(!workspace(&yard, "lt-a").exists());
    assert!(!yard.file("roots/shop/app/terraform.tfstate.d").exists(), "nor the folder in which it was");
}

#[tokio::test]
async fn its_time_ends_it_also_after_a_destroy_that_failed_and_it_is_told_that_it_is_gone() {
    let yard = yard();
    let serve = yard.serve().await;
    yard.shell("new lt-b from loadtest").await.exits(0);
    yard.fail("delete.lt-b-app.1");
    is_over(&yard, "lt-b").await;
    let stuck: Made = yard
        .wait("that it is tried again", async || {
            let all = made::existing(yard.store().await).await.expect("rows").all;
            all.into_iter().find(|made| made.try_at.is_some() && made.told.is_some())
        })
        .await;
    yard.shell("list new").await.says(&["DELETING", "tried again"]).exits(0);
    yard.shell("new lt-b from loadtest").await.says(&["of that name already"]).exits(3);
    assert!(workspace(&yard, "lt-b").exists());
    serve.kill().await;
    yard.heal("delete.lt-b-app.1");
    let store = yard.store().await;
    let mut tx = store.begin().await.expect("a transaction");
    assert!(made::again(&mut tx, &stuck, stuck.made, "soon").await.expect("stored"));
    tx.commit().await.expect("stored");
    let serve = yard.serve().await;
    nothing_is_there(&yard).await;
    assert!(!workspace(&yard, "lt-b").exists());
    assert_eq!(yard.did("create lt-b-app"), 3);
    yard.wait("that it was told", async || made::untold(store).await.expect("rows").is_empty().then_some(())).await;
    yard.shell("audit lt-b").await.says(&["gone", "due"]).exits(0);
    serve.stop().await.exits(0);
}

/// How many are made side by side: 12 in the long form.
fn many() -> usize {
    if std::env::var_os("TIDEGATE_LONG").is_some_and(|value| value == "1") { 12 } else { 3 }
}

/// Numbers that look random, the same each time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        // Knuth's MMIX.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[tokio::test]
async fn many_made_extended_and_ended_side_by_side_under_kills_leave_nothing_and_make_nothing_twice() {
    let yard = yard();
    let names: Vec<String> = (0..many()).map(|number| format!("lt-{number}")).collect();
    let mut dice = Dice(20_261_122);
    let mut kills = 0;
    let mut serve = yard.serve().await;
    let mut ranges = std::collections::BTreeSet::new();
    for round in 0..4 {
        for name in &names {
            let line = match round {
                0 => Some(format!("new {name} from loadtest for {}h", 1 + dice.throw(8))),
                1 => Some(format!("extend {name} {}m", 1 + dice.throw(59))),
                2 if dice.throw(2) == 0 => Some(format!("end {name}")),
                2 => {
                    is_over(&yard, name).await;
                    None
                }
                _ => None,
            };
            if let Some(line) = line {
                // Nobody ends by hand what a run works on; time does.
                if line.starts_with("end ") {
                    let of: EnvironmentName = name.parse().expect("a name");
                    yard.wait("that nothing works on it", async || {
                        runs::active(yard.store().await, &of).await.expect("runs").is_empty().then_some(())
                    })
                    .await;
                }
                yard.accepted(&line).await;
            }
            if dice.throw(2) == 0 {
                // Whatever it is doing just now.
                tokio::time::sleep(std::time::Duration::from_millis(dice.throw(700))).await;
                serve.kill().await;
                kills += 1;
                serve = yard.serve().await;
            }
        }
        if round == 0 {
            let all = made::existing(yard.store().await).await.expect("rows").all;
            assert_eq!(all.len(), names.len(), "what was accepted is listed, whatever was killed");
            ranges.extend(all.iter().filter_map(|made| made.range.clone()));
        }
        if round == 1 {
            // Ended while they are made is another story: some are, by chance.
            let half = names.len().div_ceil(2);
            yard.wait("that half of them are raised", async || {
                let raised = names.iter().filter(|name| yard.did(&format!("create {name}-app")) >= 3).count();
                (raised >= half).then_some(())
            })
            .await;
        }
    }
    assert!(kills > 0);
    assert_eq!(ranges.len(), names.len(), "{ranges:?}");
    nothing_is_there(&yard).await;
    for name in &names {
        let (created, deleted) = (yard.did(&format!("create {name}-app")), yard.did(&format!("delete {name}-app")));
        assert_eq!(created, deleted, "{name} after {kills} kills");
        assert!(created <= 3, "{name} was made {created} times");
        assert!(!workspace(&yard, name).exists(), "the workspace of {name} after {kills} kills");
        assert!(!yard.file(&format!("state/data/{name}/app")).exists(), "{name}");
    }
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn an_end_that_failed_is_tried_now_by_retry_and_nothing_is_left_to_try_once_it_is_gone() {
    let yard = yard();
    yard.shell("new lt-r from loadtest").await.exits(0);
    yard.fail("delete.lt-r-app.1");
    yard.shell("end lt-r").await.says(&["lt-r is PARTIAL"]);
    yard.shell("accept 2").await.says(&["goes on until nothing of it is left", "retry 2"]).exits(3);
    yard.heal("delete.lt-r-app.1");
    yard.shell("retry 2").await.says(&["lt-r is deleted, 0 left"]).exits(0);
    nothing_is_there(&yard).await;
    assert!(!workspace(&yard, "lt-r").exists());
    assert_eq!(yard.status(4).await, "", "nothing else was tried");
    yard.shell("retry 2").await.says(&["nothing to try again", "is gone", "history lt-r"]).exits(3);
}

#[tokio::test]
async fn a_state_that_is_somebody_elses_is_neither_changed_nor_destroyed() {
    let yard = yard();
    yard.shell("up shop small").await.exits(0);
    let theirs = yard.read("roots/shop/app/terraform.tfstate");
    assert!(theirs.contains("terraform_data"), "{theirs}");
    // It comes there after it was looked, as behind a remote backend that nobody asked.
    yard.hold("init");
    let making = yard.begin("new lt-x from loadtest");
    yard.until_calls("init", "lt-x-app", 1).await;
    yard.write("roots/shop/app/terraform.tfstate.d/lt-x/terraform.tfstate", &theirs);
    yard.release("init");
    making.end().await.says(&["is not this environment's", "terraform_data"]).exits(1);
    // Nothing of it was ever made: it goes, and leaves what is not its own.
    yard.shell("end lt-x").await.says(&["lt-x is deleted, 0 left"]).exits(0);
    yard.shell("show 3").await.says(&["nothing was ever applied to it", "is left as it is"]).exits(0);
    assert_eq!((yard.did("create lt-x-app"), yard.did("delete")), (0, 0));
    assert_eq!(yard.read("roots/shop/app/terraform.tfstate.d/lt-x/terraform.tfstate"), theirs);
    yard.shell("list new").await.says(&["Nothing is there"]).exits(0);
}

#[tokio::test]
async fn what_never_could_be_planned_ends_all_the_same() {
    let yard = yard();
    let sound = yard.read("roots/shop/app/main.tf");
    yard.shell("new lt-p from loadtest").await.exits(0);
    yard.shell("end lt-p").await.says(&["lt-p is deleted, 0 left"]).exits(0);
    yard.write(
        "roots/shop/app/main.tf",
        &format!("{sound}\nresource \"terraform_data\" \"lacks\" {{\n  input = file(\"lacks\")\n}}\n"),
    );
    yard.shell("new lt-q from loadtest").await.says(&["lacks"]).exits(1);
    yard.shell("end lt-q").await.says(&["lt-q is deleted, 0 left"]).exits(0);
    nothing_is_there(&yard).await;
}

#[tokio::test]
async fn under_a_test_that_runs_nothing_is_destroyed_and_its_end_goes_on_by_itself_once_none_does() {
    let layout = Layout::new().top(&TEMPLATE.replace(
        "workspace = \"{env}\"",
        "workspace = \"{env}\", busy = [{ command = [\"test\", \"-e\", \"running-{output.stack}\"] }]",
    ));
    let yard = layout.environment("shop", &[("app", &[])]).lay();
    yard.write("roots/shop/app/net.tf", &format!("{NET}\noutput \"stack\" {{\n  value = var.stack\n}}\n"));
    let serve = yard.serve().await;
    yard.shell("new lt-w from loadtest").await.exits(0);
    yard.write("running-lt-w-app", "");
    let refused = yard.shell("end lt-w").await;
    refused.says(&["does not end under a test", "running-lt-w-app", "end lt-w anyway because REASON"]).exits(3);

    // It begins while the run that was asked for is planned.
    std::fs::remove_file(yard.file("running-lt-w-app")).expect("it was there");
    yard.hold("plan");
    let before = yard.calls("plan", "lt-w-app");
    let ending = yard.begin("end lt-w");
    yard.until_calls("plan", "lt-w-app", before + 1).await;
    yard.write("running-lt-w-app", "");
    yard.release("plan");
    ending.end().await.says(&["does not end under a test", "end lt-w anyway because REASON"]).exits(3);
    yard.wait("that it lives on", async || {
        let found = made::by_name(yard.store().await, &"lt-w".parse().expect("a name")).await.expect("a row")?;
        (found.stage == Stage::Living).then_some(())
    })
    .await;

    is_over(&yard, "lt-w").await;
    yard.wait("that its end waits", async || {
        let found = made::by_name(yard.store().await, &"lt-w".parse().expect("a name")).await.expect("a row")?;
        found.told.map(drop)
    })
    .await;
    yard.shell("list new").await.says(&["living", "its end waits: app: `test -e"]).exits(0);
    yard.shell("status lt-w").await.says(&["its end waits"]).exits(0);
    assert_eq!(yard.did("delete lt-w-app"), 0);
    std::fs::remove_file(yard.file("running-lt-w-app")).expect("it was there");
    nothing_is_there(&yard).await;
    assert_eq!((yard.did("create lt-w-app"), yard.did("delete lt-w-app")), (3, 3));

    yard.shell("new lt-w from loadtest").await.exits(0);
    yard.write("running-lt-w-app", "");
    yard.shell("end lt-w").await.exits(3);
    yard.shell("end lt-w anyway").await.says(&["needs a reason"]).exits(2);
    yard.shell("end lt-w anyway because it hangs").await.says(&["lt-w is deleted, 0 left"]).exits(0);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn an_end_that_protect_forbids_goes_on_once_its_template_says_otherwise() {
    let yard = Layout::new()
        .top(&TEMPLATE.replace("like = \"shop\"", "like = \"shop\"\nprotect = [\"terraform_data.slave\"]"))
        .environment("shop", &[("app", &[])])
        .lay();
    yard.write("roots/shop/app/net.tf", NET);
    let serve = yard.serve().await;
    yard.shell("new lt-k from loadtest").await.exits(0);
    yard.shell("end lt-k").await.says(&["`protect` names it", "keep_at_end", "renew lt-k take"]).exits(3);
    yard.shell("list new").await.says(&["lt-k", "living"]).exits(0);
    is_over(&yard, "lt-k").await;
    yard.wait("that it is told", async || {
        let found = made::by_name(yard.store().await, &"lt-k".parse().expect("a name")).await.expect("a row")?;
        (found.stage == Stage::Ending).then_some(found.told).flatten().map(drop)
    })
    .await;
    assert_eq!(yard.did("delete lt-k-app"), 0);
    yard.configure("protect = [\"terraform_data.slave\"]", "");
    yard.run(&["check"]).await.exits(0);
    yard.wait("that the file is taken", async || {
        yard.shell("renew lt-k").await.out.contains("- protect").then_some(())
    })
    .await;
    yard.shell("renew lt-k take").await.says(&["goes on being deleted"]).exits(0);
    nothing_is_there(&yard).await;
    assert_eq!(yard.did("delete lt-k-app"), 3);
    serve.stop().await.exits(0);
}
