//! The chat at a terminal: a prompt, completion, history, live cards, keys.

use tidegate_tests::yard::{Yard, me};

const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";
const UP: &str = "\u{1b}[A";
const TAB: &str = "\t";

#[tokio::test]
async fn a_person_talks_and_finds_their_words_again() {
    let yard = Yard::new();
    let mut terminal = yard.terminal(&["shell"], 100, &[]);
    terminal.prompted().await;
    assert!(terminal.line().starts_with(&format!("{}@tidegate>", me())), "{}", terminal.line());
    assert!(terminal.is_coloured());

    // Names are completed; what follows depends on what stands before.
    terminal.types(&format!("sta{TAB}")).await;
    terminal.until("the command", |terminal| terminal.line().trim_end().ends_with("> status")).await;
    terminal.types(&format!("sh{TAB}")).await;
    terminal.until("the environment", |terminal| terminal.line().trim_end().ends_with("> status shop")).await;
    terminal.types("\r").await;
    terminal.sees("shop is not raised by Tidegate yet").await;
    terminal.prompted().await;

    // Letters of any script, and the dashes of a phone.
    terminal
        .says("up shop small app\u{ff1d}\u{ff12} because \u{65e5}\u{672c} \u{2014} \u{201c}rehearsal\u{201d}")
        .await;
    terminal.sees("shop is at small").await;
    terminal.prompted().await;
    terminal.says("history shop").await;
    assert!(terminal.sees("Runs, newest first").await.contains("because \u{65e5}\u{672c}"));
    terminal.prompted().await;
    terminal.types(CTRL_D).await;
    assert_eq!(terminal.ends().await, Some(0));

    let mut terminal = yard.terminal(&["shell"], 100, &[("NO_COLOR", "1")]);
    terminal.prompted().await;
    terminal.types(UP).await;
    terminal.until("the line before", |terminal| terminal.line().ends_with("history shop")).await;
    terminal.types(CTRL_C).await;
    terminal.sees("Ctrl-D leaves").await;
    terminal.prompted().await;
    assert!(!terminal.is_coloured());
    terminal.says("exit").await;
    assert_eq!(terminal.ends().await, Some(0));
}

#[tokio::test]
async fn a_run_is_drawn_in_its_place_until_a_key_gives_the_prompt_back() {
    let yard = Yard::new();
    let mut terminal = yard.terminal(&["shell"], 100, &[]);
    terminal.prompted().await;
    yard.hold("create.shop-app");
    terminal.says("up shop full").await;
    let screen = terminal.sees("applying").await;
    assert_eq!(screen.matches("run 1 \u{b7} up shop full").count(), 2, "the answer and one card:\n{screen}");

    // The key is the first letter of what is typed.
    terminal.types("status shop").await;
    terminal.until("the line", |terminal| terminal.line().ends_with("@tidegate> status shop")).await;
    terminal.types("\r").await;
    terminal.sees("now: run 1").await;
    terminal.prompted().await;
    terminal.types("can").await;
    terminal.until("half a line", |terminal| terminal.line().ends_with("> can")).await;

    // Its end is told above the line, which stays as it was typed.
    yard.release("create.shop-app");
    terminal.sees("shop is at full").await;
    terminal.until("half a line", |terminal| terminal.line().ends_with("> can")).await;
    terminal.types(CTRL_C).await;
    terminal.prompted().await;

    // Cancelled from the prompt, while it is being drawn.
    yard.hold("create.shop-app");
    terminal.says("scale shop app=5").await;
    terminal.sees("app 3 -> 5 \u{b7} applying").await;
    terminal.types(CTRL_C).await;
    terminal.sees("Run 2 goes on").await;
    terminal.prompted().await;
    terminal.says("cancel 2").await;
    terminal.sees("stopping").await;
    yard.release("create.shop-app");
    terminal.sees("shop: scale was cancelled").await;
    terminal.prompted().await;
    terminal.types(CTRL_D).await;
    assert_eq!(terminal.ends().await, Some(0));
}

#[tokio::test]
async fn who_leaves_in_mid_run_is_told_what_goes_on() {
    let yard = Yard::new();
    let mut terminal = yard.terminal(&["shell"], 100, &[]);
    terminal.prompted().await;
    yard.hold("create.shop-app");
    terminal.says("up shop full").await;
    terminal.sees("applying").await;
    terminal.types(CTRL_D).await;
    terminal.sees("Waiting for run 1 to end").await;
    yard.release("create.shop-app");
    assert_eq!(terminal.ends().await, Some(0));
    assert_eq!(yard.ends(1).await, "succeeded");
}

#[tokio::test]
async fn news_come_by_themselves() {
    let yard = Yard::new();
    let serve = yard.serve().await;
    yard.accepted("up shop full").await;
    yard.ends(1).await;

    // What ended before is told first; what ends meanwhile above the prompt.
    let mut terminal = yard.terminal(&["shell"], 100, &[]);
    terminal.sees("run 1").await;
    terminal.prompted().await;
    terminal.types("stat").await;
    yard.accepted("scale shop app=4").await;
    terminal.sees("app 3 -> 4").await;
    terminal.until("half a line", |terminal| terminal.line().ends_with("> stat")).await;
    terminal.types(CTRL_C).await;
    terminal.prompted().await;
    terminal.says("exit").await;
    terminal.ends().await;

    // Nobody saw how it ended: the next to come is told so without asking, by whichever engine finds it out.
    yard.hold("create.shop-app");
    yard.accepted("scale shop app=6").await;
    yard.until_did("create shop-app", 5).await;
    let (supervisor, terraform) = yard.processes(3, "app").expect("processes");
    serve.kill().await;
    tidegate_tests::yard::kill_9(supervisor);
    tidegate_tests::yard::kill_9(terraform);
    let mut terminal = yard.terminal(&["shell"], 100, &[]);
    terminal.sees("shop is UNKNOWN").await;
    terminal.sees("recover 3").await;
    yard.release("create.shop-app");
    terminal.prompted().await;
    terminal.says("recover 3").await;
    terminal.sees("shop NOT READY").await;
    terminal.prompted().await;
    terminal.types(CTRL_D).await;
    terminal.ends().await;
}

#[tokio::test]
async fn a_narrow_terminal_shows_the_same_words() {
    let yard = Yard::new();
    let mut terminal = yard.terminal(&["shell"], 20, &[]);
    terminal.prompted().await;
    terminal.says("up shop full").await;
    terminal.sees("shop is at full").await;
    terminal.prompted().await;
    let screen = terminal.screen();
    assert!(screen.lines().all(|line| line.chars().count() <= 20), "{screen}");
    terminal.types(CTRL_D).await;
    terminal.ends().await;
}
