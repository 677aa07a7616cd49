//! Bad input and bad surroundings: each ends in a clear word, and nothing is lost.

use std::os::unix::fs::PermissionsExt as _;

use tidegate_runner::domain::failure::FailureKind;
use tidegate_runner::domain::run::Outcome;
use tidegate_tests::yard::{Layout, Yard, failure, me};

/// Two environments, one of which a test spoils: the other one must not mind.
fn two() -> Yard {
    Layout::new().environment("shop", &[("app", &[])]).environment("other", &[("app", &[])]).lay()
}

async fn the_other_goes_on(yard: &Yard) {
    yard.shell("up other small").await.says(&["other is at small"]).exits(0);
}

/// `up shop` fails before anything is applied, in these words; nothing stands in the way afterwards.
async fn up_fails(yard: &Yard, words: &[&str]) {
    yard.shell("up shop").await.says(words).exits(1);
    assert_eq!(yard.calls("apply", "shop-app"), 0);
    yard.shell("status shop").await.exits(0);
}

#[tokio::test]
async fn a_broken_configuration_is_told_with_its_place_and_starts_nothing() {
    let yard = Yard::new();
    yard.configure("[runner]", "[runner");
    for (arguments, status) in [(&["shell", "-c", "up shop"][..], 3), (&["serve"], 1), (&["check"], 1)] {
        yard.run(arguments).await.says(&["tidegate.toml:5:8"]).exits(status);
    }
    assert!(!yard.file("tidegate.db").exists() && !yard.file("state").exists(), "nothing was made");
    yard.configure("[runner", "[runner]");
    yard.configure("heartbeat", "hartbeat");
    yard.run(&["check"]).await.says(&["hartbeat", "heartbeat"]).exits(1);
    std::fs::remove_file(yard.file("tidegate.toml")).expect("removed");
    yard.run(&["shell", "-c", "envs"]).await.says(&["tidegate.toml", "tidegate demo"]).exits(1);
}

#[tokio::test]
async fn one_bad_environment_stops_no_other() {
    let yard = two();
    yard.configure("[environments.shop]\n", "[environments.shop]\nup = \"huge\"\n");
    yard.configure(
        "levels = [\"small\", \"full\"]\nup = \"full\"\ndown = \"small\"\n\n[[environments.shop",
        "levels = [\"small\", \"full\"]\ndown = \"small\"\n\n[[environments.shop",
    );
    yard.shell("up shop").await.says(&["shop", "not managed"]).exits(3);
    yard.shell("status shop").await.says(&["huge"]).exits(0);
    the_other_goes_on(&yard).await;
}

#[tokio::test]
async fn a_configuration_that_breaks_while_it_serves_leaves_the_last_good_one_in_force() {
    let yard = Yard::new();
    let serve = yard.serve().await;
    yard.accepted("up shop small").await;
    assert_eq!(yard.ends(1).await, "succeeded");
    yard.accepted("up shop").await;
    yard.configure("[runner]", "[runner");
    yard.wait("a word about it", async || serve.err().contains("does not check").then_some(())).await;
    assert_eq!(yard.ends(2).await, "succeeded");
    yard.configure("[runner", "[runner]");
    yard.wait("the good one", async || serve.err().contains("read again").then_some(())).await;
    yard.shell("down shop off").await.exits(0);
}

#[tokio::test]
async fn a_broken_configuration_does_not_take_the_brake_away() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let serve = yard.serve().await;
    let asker = yard.begin("up shop");
    yard.until_did("create shop-app", 1).await;
    for (from, to) in [("[runner]", "[runner"), ("heartbeat", "hartbeat")] {
        yard.configure(from, to);
        for line in ["status shop", "show 1", "log 1", "history"] {
            yard.shell(line).await.says(&["does not check", "this goes by"]).exits(0);
        }
        yard.shell("up shop small").await.says(&["tidegate.toml:", "was refused", "work meanwhile"]).exits(3);
        yard.configure(to, from);
    }
    yard.shell("audit \"up shop small\"").await.says(&["REFUSED"]).exits(0);
    yard.configure("[runner]", "[runner");
    yard.shell("cancel 1").await.says(&["does not check"]).exits(0);
    asker.end().await.exits(4);
    drop(serve);
    // A ledger that was never used has no configuration to go by, and none is made.
    let fresh = Yard::new();
    fresh.configure("[runner]", "[runner");
    fresh.shell("cancel 1").await.says(&["tidegate.toml:5:8", "kill -INT"]).exits(1);
    assert!(!fresh.file("tidegate.db").exists());
}

#[tokio::test]
async fn a_broken_configuration_stops_everything_and_says_when_nobody_does_it() {
    let yard = Yard::new();
    yard.configure("viewer = [\"everyone\"]", &format!("viewer = [\"everyone\"]\nadmin = [\"local:{}\"]", me()));
    yard.hold("create.shop-app");
    let serve = yard.serve().await;
    yard.accepted("up shop").await;
    yard.until_did("create shop-app", 3).await;
    yard.accepted("up shop full app=4").await;
    serve.kill().await;
    yard.configure("[runner]", "[runner");
    yard.shell("leave 2").await.says(&["does not check", "has left the queue"]).exits(0);
    for line in ["cancel 1", "stop everything because of the bill"] {
        yard.shell(line).await.says(&["does not check", "Nothing carries out runs now"]).exits(5);
    }
    yard.configure("[runner", "[runner]");
    let serve = yard.serve().await;
    assert_eq!(yard.ends(1).await, "cancelled");
    yard.configure("[runner]", "[runner");
    yard.shell("stop everything").await.says(&["does not check", "nothing runs"]).exits(0);
    drop(serve);
}

#[tokio::test]
async fn a_second_engine_says_which_process_is_the_first() {
    let yard = Yard::new();
    let first = yard.serve().await;
    let second = yard.start(&["serve"], &[]);
    let words = format!("another process does (its id is {})", first.pid());
    yard.wait("the first one's process", async || second.err().contains(&words).then_some(())).await;
    assert!(!second.err().contains("lines above"));
}

#[tokio::test]
async fn a_root_that_is_mended_while_it_serves_is_read_again() {
    let yard = two();
    let root = "roots/shop/app/main.tf";
    let good = yard.read(root);
    yard.write(root, "resource \"terraform_data\" \"a\" {\n");
    let serve = yard.serve().await;
    yard.shell("up shop").await.says(&["cannot be changed", "`tidegate check`"]).exits(3);
    yard.write(root, &good);
    yard.wait("the mended root", async || serve.err().contains("read again").then_some(())).await;
    yard.shell("up shop small").await.says(&["shop is at small"]).exits(0);
}

/// A configuration without the table that begins so.
fn without(text: &str, table: &str) -> String {
    let at = text.find(table).expect("the table");
    let (before, rest) = text.split_at(at);
    let end = rest.find("\n[").expect("what follows it");
    format!("{before}{}", &rest[end + 1..])
}

#[tokio::test]
async fn what_left_the_configuration_while_it_was_up_is_told_with_the_way_back() {
    let yard =
        Layout::new().environment("shop", &[("app", &[]), ("jmeter", &[])]).environment("other", &[("app", &[])]).lay();
    yard.shell("up shop small").await.exits(0);
    yard.shell("up other small").await.exits(0);
    let whole = yard.read("tidegate.toml");
    // One stack is taken out while it serves: that is not followed.
    let serve = yard.serve().await;
    let without_stack = without(&whole, "[[environments.shop.stacks]]\nname = \"jmeter\"");
    let without_stack = without(&without_stack, "[environments.shop.settings.jmeter]");
    let without_stack = without_stack.replace("jmeter = { slaves = 1 }\n", "").replace("jmeter = { slaves = 3 }\n", "");
    yard.write("tidegate.toml", &without_stack);
    yard.wait("a refusal", async || serve.err().contains("leaves out what is still up").then_some(())).await;
    assert!(serve.err().contains("shop/jmeter"), "{}", serve.err());
    serve.stop().await.exits(0);
    yard.run(&["check"]).await.exits(0);
    yard.shell("status shop").await.says(&["jmeter NOT IN THE CONFIGURATION ANY MORE: small"]).exits(0);
    // The whole environment, while nothing serves.
    let at = whole.find("[environments.other]").expect("the environment");
    yard.write("tidegate.toml", &whole[..at]);
    let serve = yard.serve().await;
    yard.wait("a word about it", async || serve.err().contains("not in the configuration any more").then_some(()))
        .await;
    for line in ["status", "status other"] {
        let words = ["other has left the configuration", "NOT IN THE CONFIGURATION ANY MORE, still raised: small"];
        yard.shell(line).await.says(&words).exits(0);
    }
    yard.shell("status other").await.says(&["[environments.other]", "down other off"]).exits(0);
    yard.shell("history other").await.says(&["up other small"]).exits(0);
    yard.shell("down other off").await.says(&["other cannot be changed"]).exits(3);
    yard.write("tidegate.toml", &whole);
    yard.wait("the whole file", async || serve.err().contains("read again").then_some(())).await;
    yard.shell("down other off").await.exits(0);
    yard.write("tidegate.toml", &whole[..at]);
    yard.shell("status").await.exits(0);
    assert!(!yard.shell("status").await.exits(0).contains("other"));
}

/// A root that does not check: `check` and `status` say why, and nothing is tried with it.
async fn is_not_managed(yard: &Yard, words: &str) {
    yard.run(&["check"]).await.says(&[words]).exits(1);
    yard.shell("up shop").await.says(&["shop"]).exits(3);
    yard.shell("status shop").await.says(&[words]).exits(0);
    assert_eq!((yard.calls("plan", "shop-app"), yard.status(1).await), (0, ""));
    the_other_goes_on(yard).await;
}

#[tokio::test]
async fn a_bad_root_is_told_and_nothing_is_tried_with_it() {
    let root = "roots/shop/app/main.tf";
    let syntax = "resource \"terraform_data\" \"a\" {\n";
    let needs = "variable \"nobody_gives\" {\n  type = string\n}\n\nvariable \"yard\" {}\nvariable \"stack\" {}\n\
                 variable \"slaves\" {}\nresource \"terraform_data\" \"a\" {\n  input = var.nobody_gives\n}\n";
    for (text, words) in [(syntax, "main.tf"), (needs, "nobody_gives")] {
        let yard = two();
        yard.write(root, text);
        is_not_managed(&yard, words).await;
    }
    let yard = two();
    std::fs::remove_file(yard.file(root)).expect("removed");
    is_not_managed(&yard, "roots/shop/app").await;
    let yard = two();
    std::fs::remove_dir_all(yard.file("roots/shop")).expect("removed");
    is_not_managed(&yard, "roots/shop/app").await;
}

#[tokio::test]
async fn a_root_that_is_saved_half_way_hides_no_run_and_keeps_nobody_from_ending_one() {
    let root = "roots/shop/app/main.tf";
    let yard = two();
    yard.configure(
        "[environments.shop]\n",
        "[environments.shop]\nzone = \"UTC\"\nschedules = [{ name = \"morning\", at = \"2099-01-01 09:00\", do = \"up full\", for = \"1h\" }]\n",
    );
    yard.hold("create.shop-app");
    let _serve = yard.serve().await;
    yard.accepted("up shop small").await;
    yard.until_did("create shop-app", 1).await;
    yard.accepted("down shop off").await;
    yard.accepted("up shop small").await;
    let whole = yard.read(root);
    yard.write(root, "resource \"terraform_data\" \"a\" {\n");
    yard.shell("status shop").await.says(&["NOT MANAGED", "main.tf", "run 1", "run 2", "cancel 1"]).exits(0);
    let queue = yard.shell("queue shop").await;
    queue.says(&["run 1", "run 2"]).exits(0);
    queue.says_not(&["Nothing runs"]);
    yard.shell("up shop full").await.says(&["shop cannot be changed", "tidegate check"]).exits(3);
    yard.shell("cancel 2").await.says(&["cancelled"]).exits(0);
    yard.shell("unhold shop").await.says(&["nobody holds or keeps it"]).exits(3);
    yard.shell("queue leave 3").await.says(&["has left the queue"]).exits(0);
    yard.shell("hold shop until nevr because we look").await.exits(2);
    yard.shell("hold shop for 2h because we look").await.says(&["shop is held"]).exits(0);
    yard.shell("keep shop for 2h").await.says(&["shop is kept as it is"]).exits(0);
    yard.shell("unhold shop").await.says(&["shop is not held any more"]).exits(0);
    yard.shell("pause shop for 2h").await.says(&["The schedules of shop are paused"]).exits(0);
    yard.shell("unpause shop").await.says(&["are not paused any more"]).exits(0);
    let not_followed = "nothing comes of its schedules until it does";
    yard.shell("schedule list shop").await.says(&["morning", not_followed]).exits(0);
    yard.shell("next shop 366d").await.says(&[not_followed]).exits(0);
    yard.shell("schedule remove shop morning").await.says(&["shop cannot be changed"]).exits(3);
    yard.shell("handover").await.says(&["NOT MANAGED"]).exits(0);
    yard.shell("audit shop action keep").await.says(&["keep shop for 2h"]).exits(0);
    yard.shell("history shop").await.says(&["up shop small"]).exits(0);
    yard.write(root, &whole);
    yard.release("create.shop-app");
    yard.until(1, "succeeded").await;
}

#[tokio::test]
async fn a_root_that_is_spoilt_while_its_run_waits_fails_the_run_and_nothing_else() {
    let root = "roots/shop/app/main.tf";
    let spoil = |yard: &Yard, how: &str| match how {
        "gone" => std::fs::remove_dir_all(yard.file("roots/shop")).expect("removed"),
        "empty" => std::fs::remove_file(yard.file(root)).expect("removed"),
        "broken" => yard.write(root, "resource \"terraform_data\" \"a\" {\n"),
        _ => yard.write(root, &format!("{}\nvariable \"nobody_gives\" {{}}\n", yard.read(root))),
    };
    for (how, words) in
        [("gone", "roots/shop/app"), ("empty", "roots/shop/app"), ("broken", "main.tf"), ("asks", "nobody_gives")]
    {
        let yard = two();
        yard.hold("create.other-app");
        yard.configure("[runner]\n", "[runner]\nparallel = 1\n");
        let _serve = yard.serve().await;
        yard.accepted("up other small").await;
        yard.until_did("create other-app", 1).await;
        let up = yard.begin("up shop");
        yard.until(2, "queued").await;
        spoil(&yard, how);
        yard.release("create.other-app");
        up.end().await.says(&[words]).exits(1);
        assert_eq!((yard.status(1).await, yard.status(2).await), ("succeeded", "failed"), "{how}");
        assert_eq!(yard.calls("apply", "shop-app"), 0, "{how}");
    }
}

#[tokio::test]
async fn a_terraform_that_cannot_be_used_is_told_in_clear_words() {
    let yard = Yard::new();
    let put_back = std::fs::read(yard.file("terraform")).expect("the program");
    std::fs::remove_file(yard.file("terraform")).expect("removed");
    up_fails(&yard, &["there is no file"]).await;
    std::fs::create_dir(yard.file("terraform")).expect("a folder");
    up_fails(&yard, &["is a folder, not a program"]).await;
    std::fs::remove_dir(yard.file("terraform")).expect("removed");
    std::fs::write(yard.file("terraform"), put_back).expect("a file");
    up_fails(&yard, &["is not executable"]).await;
    std::fs::set_permissions(yard.file("terraform"), std::fs::Permissions::from_mode(0o755)).expect("a mode");
    yard.instead("version", "echo '{\"terraform_version\":\"1.3.9\",\"platform\":\"linux_amd64\"}'");
    up_fails(&yard, &["Terraform 1.3.9 is too old", "1.4"]).await;
    yard.instead("version", "echo 'Hello, I am not Terraform'");
    up_fails(&yard, &["did not answer as Terraform"]).await;
    yard.really("version");
    yard.shell("up shop").await.exits(0);
}

#[tokio::test]
async fn a_terraform_on_the_path_that_is_not_there_is_told() {
    let yard = Yard::new();
    yard.configure("terraform = \"./terraform\"", "terraform = \"terraform-of-nobody\"");
    up_fails(&yard, &["`terraform-of-nobody` is not on the PATH"]).await;
}

#[tokio::test]
async fn a_plan_that_cannot_be_understood_is_never_applied() {
    let outputs = [
        ("nothing", "exit 0", FailureKind::OutputNotUnderstood),
        ("garbage", "echo 'segfault at 0'; echo '<<<>>>'; exit 0", FailureKind::OutputNotUnderstood),
        (
            "half a line",
            "printf '{\"@level\":\"info\",\"type\":\"planned_cha'; exit 0",
            FailureKind::OutputNotUnderstood,
        ),
        (
            "a hundred megabytes",
            "head -c 90000000 /dev/zero | tr '\\0' x; echo; yes 'a line of garbage, as long as others' | head -c 10000000",
            FailureKind::OutputNotUnderstood,
        ),
        (
            "no plan file",
            "terraform \"$@\"; for a; do case $a in -out=*) rm \"${a#-out=}\";; esac; done",
            FailureKind::Storage,
        ),
    ];
    for (what, script, expected) in outputs {
        let yard = Yard::new();
        yard.instead("plan", script);
        yard.shell("up shop").await.exits(1);
        let view = yard.view(1).await;
        assert_eq!(view.state.outcome(), Some(Outcome::Failed), "{what}");
        let kind = failure(&view, "app").map(|failure| failure.kind.clone());
        assert_eq!(kind, Some(expected), "{what}");
        assert_eq!(yard.calls("apply", "shop-app"), 0, "{what}");
        let ledger = std::fs::metadata(yard.file("tidegate.db")).expect("the ledger").len();
        assert!(ledger < 5_000_000, "{what} is in the ledger: {ledger} bytes");
        yard.shell("log 1").await.exits(0);
        yard.really("plan");
        yard.shell("retry 1").await.exits(0);
    }
}

#[tokio::test]
async fn an_apply_that_cannot_be_understood_is_never_a_success() {
    let done = r#"{"@level":"info","@message":"m","@timestamp":"t","type":"apply_complete","hook":{"resource":{"addr":"terraform_data.slave[0]","resource_type":"terraform_data"},"action":"create","elapsed_seconds":0}}"#;
    let outputs = [
        ("nothing", "exit 0".to_owned(), Outcome::Failed),
        ("garbage", "echo xyz; exit 0".to_owned(), Outcome::Failed),
        ("half of it and a good end", format!("echo '{done}'; exit 0"), Outcome::Partial),
        ("half of it and a bad end", format!("echo '{done}'; exit 1"), Outcome::Partial),
        ("half a line", format!("printf '%s' '{}'; exit 0", &done[..80]), Outcome::Failed),
        ("a hundred megabytes", "head -c 100000000 /dev/zero | tr '\\0' x".to_owned(), Outcome::Failed),
    ];
    for (what, script, outcome) in outputs {
        let yard = Yard::new();
        yard.instead("apply", &script);
        yard.shell("up shop").await.exits(1);
        let view = yard.view(1).await;
        assert_eq!(view.state.outcome(), Some(outcome), "{what}: {view:#?}");
        assert!(failure(&view, "app").is_some(), "{what}");
        yard.shell("status shop").await.says(&["IN DOUBT"]).exits(0);
        yard.really("apply");
        if outcome == Outcome::Failed {
            yard.shell("retry 1").await.says(&["shop is at full"]).exits(0);
            continue;
        }
        // It said that something was made, and the state does not have it: nobody makes it once more without being asked.
        let serve = yard.serve().await;
        yard.accepted("retry 1").await;
        yard.until(2, "awaiting_approval").await;
        let code = yard.view(2).await.question.expect("a question").code().to_owned();
        yard.accepted(&format!("approve 2 {code}")).await;
        assert_eq!(yard.ends(2).await, "succeeded", "{what}");
        serve.stop().await.exits(0);
    }
}

#[tokio::test]
async fn a_disk_that_is_full_for_the_plan_is_found_out_before_anything_is_done() {
    let yard = Yard::new();
    yard.instead(
        "plan",
        "for a; do case $a in -out=*) ln -sf /dev/full \"${a#-out=}\";; esac; done; exec terraform \"$@\"",
    );
    yard.shell("up shop").await.exits(1);
    let view = yard.view(1).await;
    assert_eq!(failure(&view, "app").expect("a failure").kind, FailureKind::Storage, "{view:#?}");
    assert_eq!(yard.calls("apply", "shop-app"), 0);
    yard.really("plan");
    yard.shell("retry 1").await.exits(0);
}

#[tokio::test]
async fn a_state_folder_that_cannot_be_written_is_told() {
    let yard = Yard::new();
    yard.write("state", "a file where a folder should be");
    yard.shell("up shop").await.says(&["state"]).exits(1);
}

#[tokio::test]
async fn a_ledger_that_cannot_be_used_is_told_in_one_sentence() {
    let yard = Yard::new();
    yard.shell("up shop").await.exits(0);
    let ledger = yard.file("tidegate.db");
    let mode = |mode| std::fs::set_permissions(&ledger, std::fs::Permissions::from_mode(mode)).expect("a mode");
    mode(0o400);
    for arguments in [&["shell", "-c", "status"][..], &["serve"]] {
        yard.run(arguments).await.says(&["read-only"]).exits(1);
    }
    mode(0o600);
    yard.shell("history").await.says(&["up shop"]).exits(0);

    yard.change_ledger(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (999999, 'later', TRUE, x'00', 0)",
    )
    .await;
    yard.run(&["serve"]).await.says(&["newer Tidegate"]).exits(1);
    yard.shell("up shop").await.says(&["newer Tidegate"]).exits(1);
    yard.change_ledger("DELETE FROM _sqlx_migrations WHERE version = 999999").await;
    yard.shell("history").await.says(&["up shop"]).exits(0);

    let yard = Yard::new();
    yard.write("tidegate.db", &"this is no ledger at all, and never was one\n".repeat(100));
    yard.shell("up shop").await.says(&["no ledger at all"]).exits(1);
    yard.run(&["serve"]).await.says(&["no ledger at all"]).exits(1);
}

#[tokio::test]
async fn a_locked_ledger_is_waited_for_and_told_when_it_takes_too_long() {
    let yard = Yard::new();
    yard.shell("up shop small").await.exits(0);
    let lock = yard.lock_ledger().await;
    yard.shell("up shop full").await.says(&["locked"]).exits(1);
    lock.free().await;
    assert_eq!(yard.status(2).await, "", "what was not accepted is not half there");
    yard.shell("up shop full").await.exits(0);
}

#[tokio::test]
async fn a_ledger_that_is_locked_in_mid_run_delays_the_run_and_loses_nothing() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let serve = yard.serve().await;
    yard.accepted("up shop").await;
    yard.until_did("create shop-app", 3).await;
    let lock = yard.lock_ledger().await;
    yard.release("create.shop-app");
    yard.wait("a complaint", async || serve.err().contains("locked").then_some(())).await;
    lock.free().await;
    assert_eq!((yard.ends(1).await, yard.calls("apply", "shop-app")), ("succeeded", 1));
}

#[tokio::test]
async fn a_clock_that_jumps_blocks_nobody_and_breaks_no_card() {
    let yard = Yard::new();
    yard.hold("create.shop-app");
    let serve = yard.serve().await;
    yard.accepted("up shop").await;
    yard.until_did("create shop-app", 3).await;
    // Forward for the living engine: its lease is long over. It goes on all the same, and nobody applies twice.
    yard.change_ledger("UPDATE runs SET lease_until = 1").await;
    yard.wait("the next sign of life", async || {
        (yard.number("SELECT COUNT(*) FROM runs WHERE lease_until > 1").await > 0).then_some(())
    })
    .await;
    assert_eq!((yard.view(1).await.attempt, yard.calls("apply", "shop-app")), (1, 1));
    // Backward for the next engine: the dead one's lease holds for years. Alone on its file, it knows better.
    yard.change_ledger("UPDATE runs SET lease_until = 9000000000000, started_at = 9000000000000").await;
    serve.kill().await;
    yard.change_ledger("UPDATE runs SET lease_until = 9000000000000").await;
    let _serve = yard.serve().await;
    yard.until_taken_over(1, "applying").await;
    yard.release("create.shop-app");
    assert_eq!((yard.ends(1).await, yard.calls("apply", "shop-app")), ("succeeded", 1));
    yard.change_ledger("DROP TRIGGER run_events_never_updated").await;
    yard.change_ledger("UPDATE run_events SET at = 9000000000000 - seq * 1000000").await;
    for line in ["show 1", "history", "status shop", "log 1"] {
        let told = yard.shell(line).await;
        let text = told.exits(0);
        let negative = text.match_indices(" -").any(|(at, _)| text[at + 2..].starts_with(|c: char| c.is_ascii_digit()));
        assert!(!negative, "{text}");
    }
    yard.shell("down shop off").await.exits(0);
}

#[tokio::test]
async fn what_whoever_starts_tidegate_says_to_terraform_is_not_passed_on() {
    let yard = Yard::new();
    let env = [("TF_WORKSPACE", "prod"), ("TF_CLI_ARGS", "-no-such-flag"), ("TF_CLI_ARGS_apply", "-lock=false")];
    yard.start(&["shell", "-c", "up shop"], &env).end().await.exits(0);
    assert_eq!(yard.in_state("shop", "app").await.len(), 3);
}

#[tokio::test]
async fn a_mistyped_command_line_is_answered_with_the_one_to_type() {
    let yard = Layout::new().lay();
    let told = yard.run(&["demoo"]).await;
    told.says(&["`tidegate` has no command `demoo`", "its commands are `shell`, `demo`", "tidegate demo"]).exits(2);
    assert_eq!(told.out, "", "an answer to a mistake is no output");
    yard.run(&["--help"]).await.says(&["Commands:", "demo"]).exits(0);
    yard.run(&["--version"]).await.says(&["tidegate 0."]).exits(0);
}
