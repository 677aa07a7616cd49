//! What people do to a stack's state by hand: past Tidegate, which tells it before anything is applied, and through it.

use tidegate_runner::domain::run::{Outcome, QuestionWhy};
use tidegate_tests::yard::{Told, Yard, me};

#[tokio::test]
async fn what_others_did_to_a_state_is_told_before_anything_is_applied_and_taken_back_only_after_a_yes() {
    let yard = Yard::new();
    yard.shell("up shop small").await.exits(0);
    yard.shell("scale shop app=2").await.says_not(&["outside Tidegate"]);
    yard.apply_by_hand(4).await;
    let told = "app's state moved from serial";
    yard.shell("plan shop").await.says(&[told, "outside Tidegate since"]).exits(0);
    yard.shell("drift shop").await.says(&["shop: a state was written outside Tidegate", told]).exits(0);
    yard.shell("preflight shop").await.says(&["its state moved from serial", "will ask first"]).exits(0);
    let _serve = yard.serve().await;
    let scale = yard.begin("scale shop app=3");
    let question = yard.until(6, "awaiting_approval").await.question.expect("a question");
    let QuestionWhy::Moved { stacks } = &question.why else { panic!("{:?}", question.why) };
    assert!(stacks["app"].serial > stacks["app"].left, "{stacks:?}");
    yard.shell("show 6").await.says(&[told, "may take it back"]).exits(0);
    yard.shell("reject 6").await.exits(0);
    scale.end().await.exits(4);
    assert_eq!(yard.in_state("shop", "app").await.len(), 4, "nothing is taken back without a yes");

    let scale = yard.begin("scale shop app=3");
    yard.until(7, "awaiting_approval").await;
    yard.shell("approve 7").await.exits(0);
    scale.end().await.exits(0);
    // From then on it is ours again.
    yard.shell("scale shop app=5").await.says_not(&["outside Tidegate"]);
    assert_eq!(yard.ends(8).await, "succeeded");
    // What is as it should be, whoever wrote it, is told once and takes no yes.
    yard.apply_by_hand(6).await;
    yard.apply_by_hand(5).await;
    yard.shell("scale shop app=5").await.says(&[told]).exits(0);
    yard.shell("scale shop app=6").await.says_not(&["outside Tidegate"]);
    assert_eq!(yard.ends(10).await, "succeeded");
}

/// A yard whose owner may everything, raised.
async fn raised() -> Yard {
    let yard = Yard::new();
    yard.configure("[access]\n", &format!("[access]\nadmin = [\"local:{}\"]\n", me()));
    yard.shell("up shop").await.exits(0);
    yard
}

async fn by_hand(yard: &Yard, words: &[&str]) -> Told {
    let all: Vec<&str> = ["terraform", "shop/app", "--"].iter().chain(words).copied().collect();
    yard.run(&all).await
}

#[tokio::test]
async fn terraform_by_hand_looks_and_changes_with_the_stacks_own_place_and_leaves_no_doubt_behind() {
    let yard = raised().await;
    by_hand(&yard, &["state", "list"]).await.says(&["terraform_data.slave[2]"]).exits(0);
    by_hand(&yard, &["state", "show", "terraform_data.slave[0]"]).await.says(&["shop-app"]).exits(0);
    by_hand(&yard, &["output"]).await.says(&["slaves = 3"]).exits(0);
    by_hand(&yard, &["plan"]).await.says(&["No changes"]).exits(0);
    assert_eq!(yard.view(2).await.outcome(), Some(Outcome::Planned));
    // What Terraform itself refuses is told in its words.
    by_hand(&yard, &["state", "show", "terraform_data.nobody"]).await.says(&["No instance found"]).exits(1);

    let _serve = yard.serve().await;
    let words = ["terraform", "shop/app", "--because", "it is broken", "--", "state", "rm", "terraform_data.slave[2]"];
    let asker = yard.start(&words, &[]);
    yard.until(7, "awaiting_approval").await;
    assert_eq!(yard.in_state("shop", "app").await.len(), 3, "nothing is done before the yes");
    yard.shell("show 7").await.says(&["terraform shop/app -- state rm terraform_data.slave[2]", "it is broken"]);
    yard.shell("approve 7").await.exits(0);
    asker.end().await.says(&["Removed terraform_data.slave[2]"]).exits(0);
    assert_eq!(yard.in_state("shop", "app").await.len(), 2);
    yard.shell("audit shop").await.says(&["terraform", "state rm terraform_data.slave[2]"]).exits(0);

    // Nobody calls that a change of others; and the next run makes what is missing.
    yard.shell("up shop").await.says_not(&["outside Tidegate"]);
    assert_eq!(yard.ends(8).await, "succeeded");
    let asker = yard.start(&["terraform", "shop/app", "--", "apply", "-replace=terraform_data.slave[0]"], &[]);
    yard.until(9, "awaiting_approval").await;
    yard.shell("show 9").await.says(&["terraform_data.slave[0]", "replace"]);
    yard.shell("approve 9").await.exits(0);
    asker.end().await.says(&["1 replaced"]).exits(0);
    assert_eq!(yard.did("delete shop-app 0"), 1);
    yard.shell("scale shop app=4").await.says_not(&["outside Tidegate"]);
    assert_eq!(yard.ends(10).await, "succeeded");
}

#[tokio::test]
async fn what_protect_names_is_not_taken_out_of_the_state_by_hand_and_an_empty_state_is_told() {
    let yard = raised().await;
    yard.configure("up = \"full\"\n", "up = \"full\"\nprotect = [\"terraform_data.slave[1]\"]\n");
    let named = ["terraform_data.slave[1]", "`protect` names it", "tidegate.toml"];
    by_hand(&yard, &["state", "rm", "terraform_data.slave[1]"]).await.says(&named).exits(3);
    by_hand(&yard, &["state", "mv", "terraform_data.slave[1]", "terraform_data.b"]).await.says(&named).exits(3);
    // Under another address that stands for it, as the state tells.
    by_hand(&yard, &["state", "rm", "terraform_data.slave"]).await.says(&named).exits(3);
    assert_eq!(yard.in_state("shop", "app").await.len(), 3);
    yard.configure("protect = [\"terraform_data.slave[1]\"]\n", "");
    yard.terraform(&yard.by_hand("shop", "app"), &["state", "rm", "terraform_data.slave"]).await.exits(0);
    by_hand(&yard, &["state", "list"]).await.says(&["the state of app is empty"]).exits(0);
}

#[tokio::test]
async fn what_is_not_given_to_terraform_by_hand_is_refused_with_what_to_do_instead() {
    let yard = raised().await;
    by_hand(&yard, &["destroy"]).await.says(&["destroy ENV"]).exits(2);
    by_hand(&yard, &["apply", "-auto-approve"]).await.says(&["after a yes"]).exits(2);
    yard.run(&["terraform", "shop", "--", "plan"]).await.says(&["shop/app"]).exits(2);
    yard.run(&["terraform", "shop/nobody", "--", "plan"]).await.says(&["no stack nobody", "app"]).exits(3);
    yard.run(&["terraform", "nobody/app", "--", "plan"]).await.exits(3);
    yard.shell("terraform shop/app plan").await.says(&["not for a chat", "tidegate terraform"]).exits(3);
    by_hand(&yard, &["state", "list"]).await.exits(0);
    // An owner is no admin, and does not do again what an admin did.
    yard.configure(&format!("[access]\nadmin = [\"local:{}\"]\n", me()), "[access]\n");
    by_hand(&yard, &["state", "list"]).await.says(&["terraform"]).exits(3);
    yard.shell("retry 2").await.says(&["`terraform shop` is not yours"]).exits(3);
    // While something holds the environment it waits, or is refused where a hold stands; a look is neither.
    yard.configure("[access]\n", &format!("[access]\nadmin = [\"local:{}\", \"local:sato\"]\n", me()));
    assert_eq!(
        yard.says_as("sato", "hold shop for 1h because we measure").await.verdict,
        tidegate::conversation::Verdict::Done
    );
    by_hand(&yard, &["state", "rm", "terraform_data.slave[2]"]).await.says(&["we measure"]).exits(3);
    by_hand(&yard, &["state", "list"]).await.says(&["terraform_data.slave[2]"]).exits(0);
    yard.shell("down shop off").await.says(&["we measure"]).exits(3);
}
