//! Yeses of several people, and rights as they are at the press.

use tidegate::cards::Card;
use tidegate::conversation::Verdict;
use tidegate_runner::domain::ids::RunNumber;
use tidegate_tests::yard::{Layout, Yard, me};

/// `shop`, in which a `destroy` wants what `rule` says.
fn ruled(rule: &str) -> Yard {
    let lines = format!(
        "owners = [\"local:{}\", \"local:sato\"]\napprove = {{ when = [\"command = destroy\"], {rule} }}",
        me()
    );
    Layout::new().environment_with("shop", &lines, &[("app", &[])]).lay()
}

fn words(card: &Card) -> String {
    format!("{card:?}")
}

async fn asks_to_destroy(yard: &Yard) {
    yard.shell("up shop small").await.exits(0);
    yard.accepted("destroy shop").await;
    yard.until(2, "awaiting_approval").await;
}

#[tokio::test]
async fn two_people_say_yes_and_a_crash_between_them_loses_nothing() {
    let yard = ruled("by = [\"local:sato\", \"local:mori\"], count = 2");
    let serve = yard.serve().await;
    asks_to_destroy(&yard).await;
    yard.shell("approve 2").await.says(&["it wants 2 yeses of local:sato, local:mori"]).exits(3);
    assert_eq!(yard.says_as("sato", "approve 2").await.verdict, Verdict::Done);
    let again = yard.says_as("sato", "approve 2").await;
    assert_eq!(again.verdict, Verdict::Refused);
    assert!(words(&again.card).contains("you said yes already"), "{:?}", again.card);
    serve.kill().await;
    let _serve = yard.serve().await;
    assert_eq!((yard.status(2).await, yard.did("delete shop-app")), ("awaiting_approval", 0));
    assert_eq!(yard.says_as("mori", "approve 2").await.verdict, Verdict::Done);
    assert_eq!(yard.ends(2).await, "succeeded");
    assert!(yard.in_state("shop", "app").await.is_empty());
    yard.shell("audit shop").await.says(&["sato - approve 2", "mori - approve 2"]).exits(0);
}

#[tokio::test]
async fn whoever_asked_does_without_the_others_only_after_the_time_they_have_and_they_are_told() {
    let yard = ruled("by = \"owners\", alone_after = \"1h\", within = \"2h\"");
    let _serve = yard.serve().await;
    asks_to_destroy(&yard).await;
    yard.shell("approve 2").await.says(&["nobody says yes to what they asked for themselves"]).exits(3);
    yard.shell("approve 2 alone").await.says(&["`alone` needs a reason"]).exits(2);
    yard.shell("approve 2 alone because the night is short").await.says(&["more min"]).exits(3);
    yard.accepted("reject 2").await;

    let yard = ruled("by = \"owners\", alone_after = \"0s\"");
    let _serve = yard.serve().await;
    asks_to_destroy(&yard).await;
    assert!(yard.untold("sato").await.is_empty());
    yard.accepted("approve 2 alone because nobody else is awake").await;
    assert_eq!(yard.ends(2).await, "succeeded");
    assert_eq!(yard.untold("sato").await, [RunNumber(2)]);
    yard.shell("show 2").await.says(&["alone because nobody else is awake"]).exits(0);
}

#[tokio::test]
async fn rights_are_those_at_the_press_not_those_when_it_was_asked() {
    let yard = ruled("by = \"owners\"");
    let serve = yard.serve().await;
    asks_to_destroy(&yard).await;
    let stranger = yard.says_as("kato", "approve 2").await;
    assert_eq!(stranger.verdict, Verdict::Refused);
    assert!(words(&stranger.card).contains("it wants 1 yes of owners"), "{:?}", stranger.card);
    let owners = format!("owners = [\"local:{}\", \"local:sato\"]", me());
    let fewer = format!("owners = [\"local:{}\", \"local:mori\"]", me());
    yard.configure(&owners, &fewer);
    // A yes is held against the roles once more before anything is applied, as the engine knows them.
    yard.wait("the new roles", async || serve.err().contains("the configuration was read again").then_some(())).await;
    let gone = yard.says_as("sato", "approve 2").await;
    assert_eq!(gone.verdict, Verdict::Refused);
    assert_eq!((yard.status(2).await, yard.did("delete shop-app")), ("awaiting_approval", 0));
    assert_eq!(yard.says_as("mori", "approve 2").await.verdict, Verdict::Done);
    assert_eq!(yard.ends(2).await, "succeeded");
    let twice = yard.says_as("mori", "approve 2").await;
    assert!(words(&twice.card).contains("it is over"), "{:?}", twice.card);
}

#[tokio::test]
async fn a_yes_does_not_carry_over_a_restart_to_other_changes() {
    let yard = ruled("by = [\"local:sato\"]");
    let serve = yard.serve().await;
    asks_to_destroy(&yard).await;
    serve.kill().await;
    // Somebody adds a resource by hand, and the yes comes before anybody has planned again.
    yard.apply_by_hand(2).await;
    assert_eq!(yard.says_as("sato", "approve 2").await.verdict, Verdict::Done);
    let _serve = yard.serve().await;
    let code = yard
        .wait("the question about what is new", async || {
            let question = yard.view(2).await.question?;
            question.asks_anew().then(|| question.code().to_owned())
        })
        .await;
    assert_eq!(yard.did("delete shop-app"), 0);
    assert_eq!(yard.says_as("sato", "approve 2").await.verdict, Verdict::Refused);
    assert_eq!(yard.says_as("sato", &format!("approve 2 {code}")).await.verdict, Verdict::Done);
    assert_eq!(yard.ends(2).await, "succeeded");
}

#[tokio::test]
async fn nobody_is_offered_what_they_may_not_do() {
    let yard = ruled("by = [\"local:mori\"]");
    yard.hold("create.shop-app");
    let _serve = yard.serve().await;
    yard.accepted("up shop").await;
    yard.until_did("create shop-app", 1).await;
    let offered = async |who: &str, line: &str| yard.says_as(who, line).await.card.next;
    assert!(offered(&me(), "show 1").await.contains(&"cancel 1".to_owned()));
    assert!(offered(&me(), "stop").await.contains(&"cancel 1".to_owned()));
    for line in ["show 1", "status shop", "stop", "stop shop", "up shop huge", "scale shop app=400"] {
        let next = offered("kato", line).await;
        let orders = ["cancel", "up", "down", "scale"];
        let changes = next.iter().any(|line| orders.iter().any(|order| line.starts_with(order)));
        assert!(!changes, "{line}: {next:?}");
    }
    yard.release("create.shop-app");
    assert_eq!(yard.ends(1).await, "succeeded");
    yard.accepted("destroy shop").await;
    yard.until(2, "awaiting_approval").await;
    assert!(offered("mori", "show 2").await.contains(&"approve 2".to_owned()));
}

#[tokio::test]
async fn why_tells_the_rule_its_line_and_whom_to_ask() {
    let yard = ruled("by = \"owners\"");
    let told = yard.says_as("kato", "why can't I down shop").await;
    let text = words(&told.card);
    for word in ["viewer (tidegate.toml:", "local:sato"] {
        assert!(text.contains(word), "no {word} in {text}");
    }
    let refused = yard.says_as("kato", "down shop").await;
    assert_eq!(refused.verdict, Verdict::Refused);
    assert!(words(&refused.card).contains("why can't I down shop"), "{:?}", refused.card);
    yard.shell("why can @kato destroy shop").await.says(&["kato"]).exits(0);
}

#[tokio::test]
async fn why_about_an_answer_goes_by_the_question_and_not_by_roles_alone() {
    let yard = ruled("by = [\"local:kato\"]");
    let serve = yard.serve().await;
    asks_to_destroy(&yard).await;
    let says = async |who: &str, line: &str| words(&yard.says_as(who, line).await.card);
    let counts = says("kato", "why can't I approve 2").await;
    assert!(counts.contains("Yes") && counts.contains("1 yes of local:kato"), "{counts}");
    assert!(!says("kato", "help").await.contains("approve\"), Text(\" ask"), "somebody whom a rule names may approve");
    assert_eq!(yard.says_as("sato", "hold shop for 1h because we measure").await.verdict, Verdict::Done);
    let held = says("kato", "why can't I approve 2").await;
    assert!(held.contains("No") && held.contains("held by"), "{held}");
    assert_eq!(yard.says_as("sato", "unhold shop").await.verdict, Verdict::Done);
    let own = says(&me(), "why can't I approve 2").await;
    assert!(own.contains("No") && own.contains("it wants 1 yes of local:kato"), "{own}");
    let asker = says(&me(), "why can't I reject 2").await;
    assert!(asker.contains("Yes"), "{asker}");
    yard.shell("reject 2").await.exits(0);
    for line in ["why can't I approve 2", "why can't I reject 2", "why can't I cancel 2"] {
        let over = says("sato", line).await;
        assert!(over.contains("No") && over.contains("it is over"), "{line}: {over}");
    }
    serve.stop().await.exits(0);
}
