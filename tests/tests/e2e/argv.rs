//! From a message to what Terraform is given: only what the configuration allows, and never a secret among the arguments.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tidegate::conversation::reply;
use tidegate::zone::Zone;
use tidegate_runner::bell::Bell;
use tidegate_runner::desk::{Desk, Message};
use tidegate_runner::domain::answer::Actor;
use tidegate_runner::domain::ids::ActorId;
use tidegate_runner::domain::policy::Place;
use tidegate_runner::ledger::{Store, audit, runs};
use tidegate_runner::{config, problem::source::Source};
use tidegate_tests::fuzz::{AllowList, CONFIG};
use tidegate_tests::yard::{Layout, Yard};

/// Messages with everything in them that should not get anywhere.
fn messages() -> impl Strategy<Value = String> {
    let words = [
        "up",
        "up",
        "down",
        "scale",
        "plan",
        "destroy",
        "undo",
        "cancel",
        "retry",
        "accept",
        "approve",
        "reject",
        "shop",
        "shop",
        "shop",
        "full",
        "small",
        "off",
        "slaves=40",
        "slaves+=2",
        "class=large",
        "debug=true",
        "admin_password=x",
        "env_name=x",
        "-var=a=b",
        "--auto-approve",
        "-target=a",
        "1",
        "2",
        "because",
        "\u{1b}[2J",
        "日本",
        "code",
        "force",
    ];
    let word = proptest::sample::select(words.to_vec());
    // Some that make a run, with whatever comes after.
    let orders = ["up shop", "up shop full", "down shop", "destroy shop", "scale shop slaves=40"];
    let more = proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..3);
    let order = (proptest::sample::select(orders.to_vec()), more)
        .prop_map(|(order, more)| format!("{order} {}", more.join(" ")));
    prop_oneof![2 => order, 4 => proptest::collection::vec(word, 1..6).prop_map(|words| words.join(" ")), 1 => "\\PC{0,30}"]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_rule_allows_reaches_no_run_and_every_run_has_its_allow_in_the_audit() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&format!("sqlite:{}", folder.path().join("t.db").display())).await.expect("a ledger");
    let parsed = config::parse(Source::new("/etc/tide/tidegate.toml", CONFIG), &|_| None).expect("a configuration");
    let shop = parsed.environments.values().next().expect("an environment").clone();
    let list = AllowList::of(&shop);
    let config = tokio::sync::watch::channel(Arc::new(parsed)).1;
    let desk = Desk::new(store.clone(), config, Bell::default());
    let number = std::cell::Cell::new(0_u32);
    let accepted = std::cell::Cell::new(0_u32);
    let say = async |text: &str, name: &str| {
        number.set(number.get() + 1);
        let message = Message {
            key: format!("m{}", number.get()),
            actor: Actor::person(ActorId::local(name), name),
            place: Place::shell(),
            typed: text.to_owned(),
        };
        let before = runs::active(&store, &shop.name).await.expect("runs").len();
        let _ = reply(&desk, &message, Zone::UTC).await;
        let active = runs::active(&store, &shop.name).await.expect("runs");
        if active.len() <= before {
            return;
        }
        accepted.set(accepted.get() + 1);
        let run = active.iter().max_by_key(|run| run.number).expect("the new one");
        assert_eq!(run.asker.name, "ito", "only owners may: {text:?}");
        list.check(&run.request);
        let rows = audit::recent(&store, Some(&shop.name), 1).await.expect("the audit");
        let row = rows.first().expect("its row");
        assert_eq!((row.run, row.decision), (Some(run.number), audit::Decision::Allowed), "{text:?}");
    };
    let handle = tokio::runtime::Handle::current();
    let mut runner = TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) });
    let result = runner.run(&(messages(), prop_oneof![3 => Just("ito"), 1 => Just("kato")]), |(text, name)| {
        tokio::task::block_in_place(|| handle.block_on(say(&text, name)));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(accepted.get() > 0, "nothing that was said became a run: the test shows nothing");
}

#[tokio::test]
async fn a_run_that_stands_in_the_ledger_without_an_order_in_the_audit_reaches_no_terraform() {
    let yard = Layout::new().environment("shop", &[("app", &[])]).lay();
    yard.program("terraform", NOTING);
    yard.hold("create.shop-app");
    let _serve = yard.serve().await;
    yard.accepted("up shop small").await;
    yard.until_did("create shop-app", 1).await;
    yard.accepted("up shop full").await;
    // Written by hand: nobody ever ordered a run of this number.
    yard.change_ledger("UPDATE runs SET number = 99 WHERE number = 2").await;
    yard.release("create.shop-app");
    assert_eq!(yard.ends(1).await, "succeeded");
    let before = yard.read("argv");
    assert_eq!(yard.ends(99).await, "refused");
    yard.shell("show 99").await.says(&["run 99 was ordered by nobody"]);
    yard.shell("audit shop").await.says(&["the run of shop ended"]);
    assert_eq!(yard.read("argv"), before);
    assert_eq!(yard.in_state("shop", "app").await.len(), 1);
    // What is ordered goes on as ever.
    yard.shell("up shop full").await.exits(0);
}

/// A Terraform that notes its arguments, each with a NUL at its end.
const NOTING: &str = "#!/bin/sh\nprintf '%s\\0' \"$@\" >>\"YARD/argv\"\nexec terraform \"$@\"\n";

fn secret_yard() -> Yard {
    let yard = Layout::new().environment("shop", &[("app", &[])]).lay();
    yard.program("terraform", NOTING);
    let main = yard.read("roots/shop/app/main.tf");
    yard.write("roots/shop/app/main.tf", &format!("terraform {{\n  backend \"local\" {{}}\n}}\n{main}"));
    yard.configure("off = \"destroy\"", "off = \"destroy\"\nbackend = { path = { file = \"place\" } }");
    yard.write("place", "YARD/secret-place=${x}.tfstate\n");
    yard
}

#[tokio::test]
async fn a_backend_setting_is_no_argument_and_init_is_skipped_when_it_is_as_it_was() {
    let yard = secret_yard();
    yard.shell("up shop small because -var=x=y").await.exits(0);
    let argv = yard.read("argv");
    assert!(argv.contains("-backend-config=") && !argv.contains("secret-place") && !argv.contains("x=y"), "{argv:?}");
    assert!(yard.file("secret-place=${x}.tfstate").is_file());
    assert_eq!(argv.matches("init\0").count(), 1);
    yard.shell("scale shop app+=1").await.exits(0);
    let argv = yard.read("argv");
    assert_eq!(argv.matches("init\0").count(), 1, "{argv:?}");
    // Another place is another backend: Terraform must hear of it, and says what people have to decide.
    yard.write("place", "YARD/other.tfstate\n");
    yard.shell("scale shop app+=1").await.exits(1);
    assert_eq!(yard.read("argv").matches("init\0").count(), 2);
}
