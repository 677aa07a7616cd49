//! Rules that are written while something is asked or under way.

use tidegate_tests::yard::{Layout, Process, Yard};

const PROTECT: (&str, &str) = ("up = \"full\"", "up = \"full\"\nprotect = [\"terraform_data.slave[0]\"]");

/// `shop` up, and its `destroy` waiting for a yes.
async fn asks_to_destroy(stacks: &[(&str, &[&str])]) -> (Yard, Process) {
    let yard = Layout::new().environment("shop", stacks).lay();
    let serve = yard.serve().await;
    yard.shell("up shop small").await.exits(0);
    yard.accepted("destroy shop").await;
    yard.until(2, "awaiting_approval").await;
    (yard, serve)
}

#[tokio::test]
async fn a_rule_that_was_written_right_before_the_yes_is_kept() {
    let (yard, serve) = asks_to_destroy(&[("app", &[])]).await;
    yard.configure(PROTECT.0, PROTECT.1);
    yard.shell("approve 2").await;
    assert_eq!((yard.ends(2).await, yard.did("delete shop-app")), ("nothing_to_do", 0));
    yard.shell("status shop").await.says(&["shop is at off as far as it goes: app at small"]).exits(0);
    // And one that was lifted right before is none.
    yard.configure(PROTECT.1, PROTECT.0);
    yard.accepted("destroy shop").await;
    yard.until(3, "awaiting_approval").await;
    yard.shell("approve 3").await.exits(0);
    assert_eq!((yard.ends(3).await, yard.did("delete shop-app")), ("succeeded", 1));
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_rule_that_is_written_in_mid_run_stops_what_has_not_begun() {
    let (yard, serve) = asks_to_destroy(&[("app", &[]), ("jmeter", &["app"])]).await;
    yard.hold("delete.shop-jmeter");
    let _approves = yard.begin("approve 2");
    yard.until_did("delete shop-jmeter", 1).await;
    // It names what is half gone too: that is brought to its end.
    yard.configure(PROTECT.0, PROTECT.1);
    yard.release("delete.shop-jmeter");
    assert_eq!((yard.ends(2).await, yard.did("delete shop-app")), ("partial", 0));
    assert!(yard.in_state("shop", "jmeter").await.is_empty());
    yard.shell("show 2").await.says(&["terraform_data.slave[0] would be lost in shop/app", "tidegate.toml:"]);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_file_that_does_not_check_takes_no_yes_and_loses_no_question() {
    let (yard, serve) = asks_to_destroy(&[("app", &[])]).await;
    // A rule, and a mistake elsewhere in the same save.
    yard.configure(PROTECT.0, PROTECT.1);
    yard.configure("[runner]", "[runer]");
    let told = yard.shell("approve 2").await;
    assert!(!format!("{told:?}").contains("has its yes"), "{told:?}");
    assert_eq!((yard.status(2).await, yard.did("delete shop-app")), ("awaiting_approval", 0));
    yard.configure("[runer]", "[runner]");
    yard.shell("approve 2").await;
    assert_eq!((yard.ends(2).await, yard.did("delete shop-app")), ("nothing_to_do", 0));
    serve.stop().await.exits(0);
}
