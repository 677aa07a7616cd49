//! Surroundings that break: the state folder, the file in the middle of a run, rights on this machine. Nobody waits for ever, what
//! runs can be stopped, and the words say whose move it is.

use std::os::unix::fs::PermissionsExt as _;

use tidegate_tests::yard::{Layout, Told, Yard, me};

/// As it is in the log, where no line is broken.
const NO_FOLDER: &str = "state/runs is not a folder";

#[tokio::test]
async fn a_process_that_cannot_use_the_state_folder_is_no_engine_and_nobody_waits_for_it() {
    let yard = Yard::new();
    yard.write("state/runs", "");
    let words = ["Nothing carries out run 1: the state folder cannot be used", "`cancel 1` takes it back"];
    yard.shell("up shop").await.says(&words).exits(5);
    assert_eq!(yard.status(1).await, "queued");
    let serve = yard.start(&["serve"], &[]);
    yard.wait("a word about it", async || serve.err().contains(NO_FOLDER).then_some(())).await;
    yard.shell("up shop full app=4").await.says(&["Nothing carries out run 2"]).exits(5);
    yard.shell("cancel 2").await.exits(0);
    assert_eq!(serve.err().matches(NO_FOLDER).count(), 1, "told once: {}", serve.err());
    std::fs::remove_file(yard.file("state/runs")).expect("removed");
    assert_eq!(yard.ends(1).await, "succeeded");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_run_that_has_applied_nothing_fails_when_the_state_folder_is_lost() {
    let yard = Layout::new().environment("shop", &[("app", &[])]).environment("other", &[("app", &[])]).lay();
    let serve = yard.serve().await;
    std::fs::remove_dir_all(yard.file("state/runs")).expect("removed");
    yard.write("state/runs", "");
    yard.shell("up shop").await.says(&[NO_FOLDER, "Nothing was changed"]).exits(1);
    assert_eq!((yard.status(1).await, yard.calls("plan", "shop-app")), ("failed", 0));
    // The queue behind it is not ended one by one.
    yard.wait("no engine", async || serve.err().contains("no engine here any more").then_some(())).await;
    yard.shell("up other").await.says(&["Nothing carries out run 2"]).exits(5);
    assert_eq!(yard.status(2).await, "queued");
    std::fs::remove_file(yard.file("state/runs")).expect("removed");
    assert_eq!(yard.ends(2).await, "succeeded");
    yard.shell("retry 1").await.exits(0);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_lock_that_one_run_cannot_use_stops_no_other() {
    let yard = Layout::new().environment("shop", &[("app", &[])]).environment("other", &[("app", &[])]).lay();
    let serve = yard.serve().await;
    // As a restore leaves it, or somebody's slip.
    std::fs::create_dir(yard.file("state/runs/1.driver")).expect("a folder");
    yard.shell("up shop").await.says(&["state/runs/1.driver cannot be used", "Nothing was changed"]).exits(1);
    yard.shell("up other").await.exits(0);
    assert!(!serve.err().contains("no engine here any more"), "{}", serve.err());
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_run_can_be_stopped_though_the_section_of_its_environment_has_got_an_error() {
    let yard = Yard::new();
    yard.configure("viewer = [\"everyone\"]", &format!("viewer = [\"everyone\"]\nadmin = [\"local:{}\"]", me()));
    yard.shell("up shop small").await.exits(0);
    yard.configure("max = 20", "max = -1");
    yard.hold("create.shop-app");
    // Whoever comes later goes by what was kept, also when another error follows the first.
    let serve = yard.serve().await;
    yard.accepted("up shop").await;
    yard.until_did("create shop-app", 2).await;
    yard.configure("max = -1", "max = -2");
    yard.run(&["check"]).await.says(&["max"]).exits(1);
    yard.shell("queue shop").await.says(&["shop goes on by the last configuration that checked"]).exits(0);
    yard.shell("status shop").await.says(&["ITS CONFIGURATION DOES NOT CHECK", "tidegate.toml:"]).exits(0);
    yard.shell("cancel 2").await.exits(0);
    assert_eq!(yard.ends(2).await, "cancelled");
    yard.release("create.shop-app");
    yard.accepted("destroy shop").await;
    yard.until(3, "awaiting_approval").await;
    yard.shell("reject 3").await.exits(0);
    yard.shell("stop everything").await.says(&["nothing runs"]).exits(0);
    // Not even a file that is no TOML makes it forgotten.
    yard.configure("[runner]", "[runner");
    yard.shell("status shop").await.says(&["ITS CONFIGURATION DOES NOT CHECK"]).exits(0);
    yard.configure("[runner", "[runner]");
    yard.configure("max = -2", "max = 21");
    yard.shell("status shop").await.says_not(&["DOES NOT CHECK"]);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_was_kept_of_an_environment_has_no_secret_in_it_and_no_right_that_was_taken_away() {
    let roles = "[roles.tester]\ncommands = [\"status\", \"up\", \"hold\"]\n";
    let lines = format!("owners = [\"local:somebody\"]\naccess = {{ tester = [\"local:{}\"] }}\n", me());
    let yard = Layout::new()
        .top(roles)
        .environment_with("shop", &lines, &[("app", &[])])
        .environment_with("safe", &lines, &[("app", &[])])
        .lay();
    let stack = "name = \"app\"\n";
    let password = format!("{stack}env = {{ DB_PASSWORD = \"battery staple\" }}\n");
    yard.write("tidegate.toml", &yard.read("tidegate.toml").replacen(stack, &password, 1));
    yard.shell("status").await.exits(0);
    let broken = yard.read("tidegate.toml").replace("max = 20", "max = -1").replace(", \"hold\"", "");
    yard.write("tidegate.toml", &broken);
    // One goes on, without the right that the role has lost; the other would have taken a mask for its password.
    yard.shell("hold safe for 1h because I may not").await.exits(3);
    yard.shell("status safe").await.says(&["ITS CONFIGURATION DOES NOT CHECK"]).exits(0);
    yard.shell("up shop").await.says(&["does not manage"]).exits(3);
    assert_eq!(yard.calls("plan", "shop-app"), 0);
}

#[tokio::test]
async fn a_question_can_be_rejected_without_a_file_that_checks_and_a_yes_says_what_to_type() {
    let yard = Yard::new();
    let serve = yard.serve().await;
    yard.shell("up shop small").await.exits(0);
    yard.accepted("destroy shop").await;
    yard.until(2, "awaiting_approval").await;
    yard.configure("[runner]", "[runner");
    let words = ["tidegate.toml:5:8", "was refused", "`tidegate check`"];
    yard.shell("approve 2").await.says(&words).says(&["type `approve 2` again", "`reject RUN`"]).exits(3);
    yard.shell("hold shop").await.says(&words).says(&["type `hold shop` again", "`stop everything`"]).exits(3);
    yard.shell("reject 2").await.says(&["does not check"]).exits(0);
    assert_eq!(yard.ends(2).await, "cancelled");
    serve.stop().await.exits(0);
}

fn mode(yard: &Yard, name: &str, mode: u32) {
    std::fs::set_permissions(yard.file(name), std::fs::Permissions::from_mode(mode)).expect("a mode");
}

#[tokio::test]
async fn who_may_not_use_the_ledger_hears_which_file_it_is_and_whose() {
    let yard = Layout::new().database("sqlite:ledger/tidegate.db").environment("shop", &[("app", &[])]).lay();
    std::fs::create_dir(yard.file("ledger")).expect("a folder");
    mode(&yard, "", 0o755);
    mode(&yard, "ledger", 0o555);
    let told = yard.run_as_another(&["shell", "-c", "status"]).await;
    let lock = yard.file("ledger/tidegate.db.migrate-lock").display().to_string();
    let owner = format!("which belongs to {}", me());
    told.says(&[&format!("may not read and write {lock}"), &owner, "docs/security.md"]).exits(1);
    mode(&yard, "ledger", 0o755);
}

#[tokio::test]
async fn another_user_needs_the_ledger_and_not_the_state_folder() {
    let yard = Layout::new().database("sqlite:ledger/tidegate.db").environment("shop", &[("app", &[])]).lay();
    yard.shell("up shop small").await.exits(0);
    mode(&yard, "", 0o755);
    mode(&yard, "ledger", 0o777);
    for file in std::fs::read_dir(yard.file("ledger")).expect("a folder").flatten() {
        mode(&yard, &format!("ledger/{}", file.file_name().to_string_lossy()), 0o666);
    }
    let may_not_read = |told: &Told, status: i32| {
        let words: Vec<_> = told.exits(status).split_whitespace().collect();
        let words = words.join(" ");
        for part in
            ["may not read", "state/logs/1", &format!("which belongs to {}", me()), "it takes the right to read"]
        {
            assert!(words.contains(part), "no `{part}` in: {words}");
        }
    };
    yard.run_as_another(&["shell", "-c", "status shop"]).await.says(&["shop is at small"]).exits(0);
    for log in std::fs::read_dir(yard.file("state/logs/1")).expect("a folder").flatten() {
        mode(&yard, &format!("state/logs/1/{}", log.file_name().to_string_lossy()), 0o000);
    }
    may_not_read(&yard.run_as_another(&["shell", "-c", "log 1"]).await, 0);
    mode(&yard, "state/logs/1", 0o000);
    may_not_read(&yard.run_as_another(&["shell", "-c", "log 1"]).await, 1);
    mode(&yard, "state/logs/1", 0o755);
}
