//! Which code a run is made with: the accepted commit, with `init` only where it is needed, in the workspace that is configured.

use tidegate_runner::domain::run::{Provenance, RunEvent};
use tidegate_tests::yard::{Layout, Yard, me};

const ROOT: &str = "roots/shop/app/main.tf";

async fn git(yard: &Yard, arguments: &[&str]) -> String {
    let output = tokio::process::Command::new("git")
        .args(["-c", "user.name=ito", "-c", "user.email=ito@example.com"])
        .args(arguments)
        .current_dir(yard.file("roots"))
        .output()
        .await
        .expect("git");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

async fn commit(yard: &Yard, message: &str) -> String {
    git(yard, &["add", "*.tf"]).await;
    git(yard, &["commit", "-q", "-m", message]).await;
    git(yard, &["rev-parse", "HEAD"]).await
}

async fn in_git() -> (Yard, String) {
    let yard = Yard::new();
    git(&yard, &["init", "-q"]).await;
    let first = commit(&yard, "the first").await;
    (yard, first)
}

async fn made_with(yard: &Yard, run: i64) -> Provenance {
    let view = yard.view(run).await;
    view.stacks.values().find_map(|stack| stack.provenance.clone()).expect("a provenance")
}

#[tokio::test]
async fn everybody_runs_the_accepted_commit_until_somebody_asks_for_newer_code() {
    let (yard, first) = in_git().await;
    yard.shell("up shop small").await.exits(0);
    let made = made_with(&yard, 1).await;
    assert_eq!((made.commit.as_deref(), made.dirty), (Some(first.as_str()), false));
    assert!(made.tool.starts_with("Terraform 1."), "{}", made.tool);

    // What is in no commit is not run, and that is said.
    yard.write(ROOT, &yard.read(ROOT).replace("value = var.slaves", "value = -1"));
    yard.shell("scale shop app=2").await.says(&["uncommitted changes"]).exits(0);
    let made = made_with(&yard, 2).await;
    assert_eq!((made.commit.as_deref(), made.dirty), (Some(first.as_str()), true));

    // Nor is a newer commit, until it is asked for.
    let second = commit(&yard, "the second").await;
    yard.shell("scale shop app=3").await.says(&["plan shop code"]).exits(0);
    assert_eq!(made_with(&yard, 3).await.commit, Some(first));
    yard.shell("plan shop code").await.exits(0);
    assert_eq!(made_with(&yard, 4).await.commit, Some(second.clone()));
    yard.shell("scale shop app=4").await.exits(0);
    assert_ne!(made_with(&yard, 5).await.commit, Some(second.clone()), "to look at a plan accepts nothing");
    yard.shell("up shop full code app=6").await.exits(0);
    yard.shell("scale shop app=7").await.exits(0);
    assert_eq!(made_with(&yard, 7).await.commit, Some(second.clone()));
    yard.shell("show 7").await.says(&[&second[..7]]).exits(0);
}

#[tokio::test]
async fn a_newer_commit_in_mid_run_changes_nothing_for_the_run() {
    let (yard, first) = in_git().await;
    yard.hold("create.shop-app");
    let serve = yard.serve().await;
    yard.accepted("up shop").await;
    yard.until_did("create shop-app", 3).await;
    yard.write(ROOT, "resource \"terraform_data\" \"a\" {\n");
    commit(&yard, "a broken one").await;
    yard.write(ROOT, "");
    serve.kill().await;
    git(&yard, &["checkout", "-q", "-f", &first]).await;
    let _serve = yard.serve().await;
    yard.release("create.shop-app");
    assert_eq!(yard.ends(1).await, "succeeded");
    assert_eq!(made_with(&yard, 1).await.commit, Some(first));
}

#[tokio::test]
async fn init_runs_only_where_something_changed_that_it_depends_on() {
    let yard = Yard::new();
    yard.shell("up shop small").await.exits(0);
    yard.shell("scale shop app=2").await.exits(0);
    assert_eq!(yard.calls("init", "shop-app"), 1);
    assert!(made_with(&yard, 2).await.init.starts_with("skipped"));
    yard.write("roots/shop/app/more/main.tf", "output \"more\" {\n  value = 1\n}\n");
    yard.write(ROOT, &format!("{}\nmodule \"more\" {{\n  source = \"./more\"\n}}\n", yard.read(ROOT)));
    yard.shell("scale shop app=3").await.exits(0);
    assert_eq!(yard.calls("init", "shop-app"), 2);
    assert!(!made_with(&yard, 3).await.init.starts_with("skipped"));
    // What Terraform wrote there is gone: it says so itself, and is initialised again.
    std::fs::remove_dir_all(yard.file("state/data/shop/app")).expect("removed");
    yard.shell("scale shop app=4").await.exits(0);
    assert_eq!(yard.calls("init", "shop-app"), 3);
    yard.shell("scale shop app=5").await.exits(0);
    assert_eq!(yard.calls("init", "shop-app"), 3);
}

#[tokio::test]
async fn a_stack_has_its_own_workspace_and_its_state_lies_where_people_find_it() {
    let yard = Yard::new();
    yard.configure("root = \"roots/shop/app\"\n", "root = \"roots/shop/app\"\nworkspace = \"load\"\n");
    for look in ["drift shop", "preflight shop", "sweep shop", "adopt shop"] {
        yard.shell(look).await.exits(0);
    }
    assert_eq!(yard.calls("workspace", "shop-app"), 4);
    assert!(!yard.file("roots/shop/app/terraform.tfstate.d").exists(), "nothing is made only to look");
    yard.shell("up shop").await.exits(0);
    yard.shell("down shop").await.exits(0);
    assert_eq!(yard.calls("workspace", "shop-app"), 5);
    assert!(yard.file("roots/shop/app/terraform.tfstate.d/load/terraform.tfstate").exists());
    assert!(!yard.file("roots/shop/app/terraform.tfstate").exists());
}

#[tokio::test]
async fn variables_are_stored_with_the_run_and_who_asked_for_it() {
    let yard = Yard::new();
    yard.shell("up shop app=2 because 朝の試験").await.exits(0);
    let made = made_with(&yard, 1).await;
    assert_eq!(made.variables.get("slaves"), Some(&Some(serde_json::json!(2))));
    let row = yard.row(1).await;
    assert_eq!((row.asker.name, row.request.because.as_deref()), (me(), Some("朝の試験")));
    let first = yard.events(1).await.into_iter().next();
    assert_eq!(first, Some(RunEvent::Accepted));
}

#[tokio::test]
async fn all_stacks_of_a_run_are_at_one_commit() {
    let stacks: [(&str, &[&str]); 4] = [("a", &[]), ("b", &[]), ("c", &[]), ("d", &[])];
    let yard = Layout::new().environment("shop", &stacks).lay();
    git(&yard, &["init", "-q"]).await;
    let first = commit(&yard, "the first").await;

    // Some stacks are given their code while others still wait for a free place; newer code comes in between.
    yard.hold("plan");
    let up = yard.begin("up shop small");
    yard.wait("the first plan", async || (yard.read("calls").lines().any(|l| l.contains("plan"))).then_some(())).await;
    yard.write("roots/shop/d/main.tf", &(yard.read("roots/shop/d/main.tf") + "\n# newer\n"));
    let second = commit(&yard, "the second").await;
    yard.release("plan");
    up.end().await.exits(0);
    assert_eq!(commits(&yard, 1).await, vec![first.clone(); 4]);

    // Newer code that was accepted for one stack is the next run's code for all.
    yard.shell("up shop small code d=2").await.exits(0);
    assert_eq!(commits(&yard, 2).await, vec![second.clone(); 4]);
    yard.write("roots/shop/d/main.tf", &(yard.read("roots/shop/d/main.tf") + "\n# newest\n"));
    let third = commit(&yard, "the third").await;
    yard.fail("create.shop-a.1");
    yard.shell("up shop full code").await.exits(1);
    assert_eq!(commits(&yard, 3).await, vec![third.clone(); 4]);
    yard.heal("create.shop-a.1");
    yard.shell("up shop full").await.exits(0);
    assert_eq!(commits(&yard, 4).await, vec![third; 4]);
}

async fn commits(yard: &Yard, run: i64) -> Vec<String> {
    let view = yard.view(run).await;
    view.stacks.values().map(|s| s.provenance.as_ref().and_then(|p| p.commit.clone()).unwrap_or_default()).collect()
}

#[tokio::test]
async fn a_yes_keeps_the_commit_and_the_serial_that_it_was_said_to() {
    let (yard, first) = in_git().await;
    yard.shell("up shop small").await.exits(0);
    let _serve = yard.serve().await;
    let destroy = yard.begin("destroy shop");
    yard.until(2, "awaiting_approval").await;
    let serial = yard.view(2).await.stacks["app"].plan.clone().expect("a plan").serial;
    yard.shell("approve 2").await.exits(0);
    destroy.end().await.exits(0);
    let seen = yard.events(2).await.into_iter().find_map(|event| match event {
        RunEvent::Approved { seen, .. } => Some(seen),
        _ => None,
    });
    let seen = seen.expect("a yes");
    let [app] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!((app.stack.as_str(), app.commit.as_deref(), app.serial), ("app", Some(first.as_str()), serial));
    assert!(serial.is_some_and(|serial| serial > 0), "{serial:?}");
}
