//! The chat at a terminal: a prompt, completion, history, keys, and the cards of runs above the line that is being typed.

use rustix::process::Signal;
use tidegate_tests::terminal::Terminal;
use tidegate_tests::yard::{Layout, Yard, me};

const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";
const CTRL_L: &str = "\u{c}";
const CTRL_U: &str = "\u{15}";
const UP: &str = "\u{1b}[A";
const TAB: &str = "\t";

/// A shell with its prompt.
async fn shell(yard: &Yard) -> Terminal {
    let terminal = yard.terminal(&["shell"], 100, &[]);
    terminal.prompted().await;
    terminal
}

/// How often a run's card stands on the screen: once, unless a painting was left behind.
fn cards(screen: &str, title: &str) -> usize {
    screen.lines().filter(|line| line.contains(title)).count()
}

async fn leaves(mut terminal: Terminal) {
    terminal.prompted().await;
    terminal.types(CTRL_D).await;
    assert_eq!(terminal.ends().await, Some(0));
}

#[tokio::test]
async fn a_person_talks_and_finds_their_words_again() {
    let yard = Yard::new();
    let mut terminal = shell(&yard).await;
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
    // Typed faster than it is answered.
    terminal.types("history shop\rhelp\r").await;
    terminal.sees("exit, quit, Ctrl-D").await;
    assert!(terminal.screen().contains("Runs, newest first"), "{}", terminal.screen());
    leaves(terminal).await;

    let mut terminal = yard.terminal(&["shell"], 100, &[("NO_COLOR", "1")]);
    terminal.prompted().await;
    terminal.types(UP).await;
    terminal.until("the line before", |terminal| terminal.line().ends_with("help")).await;
    terminal.types(UP).await;
    terminal.until("the line before that", |terminal| terminal.line().ends_with("history shop")).await;
    terminal.types(CTRL_C).await;
    terminal.sees("history shop^C").await;
    terminal.prompted().await;
    terminal.types(CTRL_C).await;
    terminal.sees("Ctrl-D leaves").await;
    terminal.prompted().await;
    assert!(!terminal.is_coloured());
    terminal.says("exit").await;
    assert_eq!(terminal.ends().await, Some(0));
}

#[tokio::test]
async fn a_run_is_drawn_above_the_line_that_is_being_typed() {
    let yard = Yard::new();
    let mut terminal = shell(&yard).await;
    yard.hold("create.shop-app");
    terminal.says("up shop full").await;
    terminal.sees("full \u{b7} app 3 \u{b7} applying").await;
    terminal.prompted().await;

    // Questions are answered above the card.
    terminal.types("status shop").await;
    terminal.until("the line", |terminal| terminal.line().ends_with("@tidegate> status shop")).await;
    terminal.types("\r").await;
    terminal.sees("now: run 1").await;
    terminal.prompted().await;
    let screen = terminal.sees("waiting for `terraform_data.slave").await;
    assert_eq!(cards(&screen, "full \u{b7} app 3 \u{b7} applying"), 1, "{screen}");
    assert!(screen.find("now: run 1") < screen.find("full \u{b7} app 3 \u{b7} applying"), "{screen}");

    // Its end is told above the line, which stays as it was typed.
    terminal.types("status \u{65e5}\u{672c}").await;
    yard.release("create.shop-app");
    let screen = terminal.sees("shop is at full").await;
    assert_eq!(cards(&screen, "full \u{b7} app 3 \u{b7} applying"), 0, "{screen}");
    terminal.until("the line", |terminal| terminal.line().ends_with("> status \u{65e5}\u{672c}")).await;
    terminal.types(CTRL_U).await;
    terminal.prompted().await;

    // Cancelled from the prompt, while it is being drawn.
    yard.hold("create.shop-app");
    terminal.says("scale shop app=5").await;
    terminal.sees("app 3 -> 5 \u{b7} applying").await;
    terminal.types(CTRL_C).await;
    terminal.sees("`cancel 2` stops run 2").await;
    terminal.says("cancel 2").await;
    terminal.sees("app 3 -> 5 \u{b7} stopping").await;
    terminal.prompted().await;
    yard.release("create.shop-app");
    let screen = terminal.sees("shop: scale was cancelled").await;
    assert_eq!(cards(&screen, "stopping"), 0, "{screen}");
    leaves(terminal).await;
}

#[tokio::test]
async fn the_editors_own_doings_leave_no_card_behind_and_take_no_line_away() {
    let yard = Yard::new();
    let mut terminal = shell(&yard).await;
    yard.hold("create.shop-app");
    terminal.says("up shop full").await;
    terminal.sees("waiting for `terraform_data.slave").await;
    let title = "full \u{b7} app 3 \u{b7} applying";

    // A line that is dropped, and one of several rows.
    let long = "up shop because ".to_owned() + &"\u{6f6e}\u{6c50} ".repeat(60) + "end";
    terminal.types(&long).await;
    terminal.until("the long line", |terminal| terminal.line().ends_with("end")).await;
    terminal.types(CTRL_C).await;
    terminal.sees("end^C").await;
    terminal.prompted().await;
    assert_eq!(cards(&terminal.screen(), title), 1, "{}", terminal.screen());

    // Candidates stand below the line; the card goes on below them.
    terminal.types(&format!("s{TAB}{TAB}")).await;
    let screen = terminal.sees("scale").await;
    assert!(screen.contains("show"), "{screen}");
    terminal.until("the line again", |terminal| terminal.line().ends_with("> s")).await;
    terminal.types("how 1").await;
    terminal.until("the line", |terminal| terminal.line().ends_with("> show 1")).await;

    // A wiped screen has the card and the line, and nothing else.
    terminal.types(CTRL_L).await;
    let screen =
        terminal.until("an empty screen", |terminal| terminal.screen().trim_start().starts_with("run 1")).await;
    assert_eq!(cards(&screen, title), 1, "{screen}");
    terminal.until("the line", |terminal| terminal.line().ends_with("> show 1")).await;
    terminal.types(CTRL_U).await;
    yard.release("create.shop-app");
    let screen = terminal.sees("shop is at full").await;
    assert_eq!(cards(&screen, title), 0, "{screen}");
    leaves(terminal).await;
}

#[tokio::test]
async fn no_letter_is_lost_while_a_run_is_drawn() {
    let yard = Yard::new();
    let mut terminal = shell(&yard).await;
    terminal.says("up shop full app=20").await;
    let mut typed = String::from("> ");
    let letters = "because \u{65e5}\u{672c} ".repeat(6);
    for letter in letters.trim_end().chars() {
        typed.push(letter);
        terminal.types(&letter.to_string()).await;
        // The line has one row of a hundred columns.
        let shown: String = typed.chars().rev().take(20).collect::<Vec<_>>().into_iter().rev().collect();
        terminal.until("the letter", |terminal| terminal.line().ends_with(shown.trim_end())).await;
        assert!(cards(&terminal.screen(), "so far") <= 1, "{}", terminal.screen());
    }
    let screen = terminal.sees("shop is at full").await;
    assert!(screen.ends_with(&typed), "{screen}");
    assert_eq!((cards(&screen, "so far"), cards(&screen, "@tidegate>")), (0, 2), "{screen}");
    terminal.types(CTRL_U).await;
    leaves(terminal).await;
}

#[tokio::test]
async fn several_runs_are_kept_true_side_by_side() {
    let yard = Layout::new().environment("shop", &[("app", &[])]).environment("other", &[("base", &[])]).lay();
    let mut terminal = shell(&yard).await;
    yard.hold("create.shop-app");
    yard.hold("create.other-base");
    terminal.says("up shop").await;
    terminal.sees("up shop full \u{b7} app 3 \u{b7} applying").await;
    terminal.says("up other").await;
    terminal.sees("up other full \u{b7} base 3 \u{b7} applying").await;
    terminal.says("scale shop app=7").await;
    let screen = terminal.sees("app 3 -> 7 \u{b7} waits for its turn").await;
    assert_eq!(cards(&screen, "applying \u{b7}") + cards(&screen, "\u{b7} applying"), 2, "{screen}");

    // The answer tells that it is cancelled, and nothing else does.
    terminal.prompted().await;
    terminal.says("cancel 3").await;
    terminal.sees("Run 3 is cancelled").await;
    yard.release("create.other-base");
    terminal.sees("other is at full").await;
    let screen = terminal.screen();
    assert_eq!(cards(&screen, "up shop full \u{b7} app 3 \u{b7} applying"), 1, "{screen}");
    yard.release("create.shop-app");
    let screen = terminal.sees("shop is at full").await;
    assert_eq!((cards(&screen, "\u{b7} applying"), cards(&screen, "scale was cancelled")), (0, 0), "{screen}");
    leaves(terminal).await;
}

#[tokio::test]
async fn a_question_stays_whole_above_the_line_until_it_is_answered() {
    let yard = Yard::new();
    yard.shell("up shop").await.exits(0);
    let mut terminal = shell(&yard).await;
    terminal.says("destroy shop").await;
    let screen = terminal.sees("destroy shop needs a yes until").await;
    assert!(screen.contains("`terraform_data.slave[2]`"), "{screen}");
    terminal.prompted().await;
    terminal.says("approve 2").await;
    let screen = terminal.sees("3 destroyed").await;
    assert_eq!(cards(&screen, "needs a yes until"), 0, "{screen}");
    leaves(terminal).await;
}

#[tokio::test]
async fn who_leaves_in_mid_run_is_told_what_goes_on() {
    let yard = Yard::new();
    let mut terminal = shell(&yard).await;
    yard.hold("create.shop-app");
    terminal.says("up shop full").await;
    terminal.sees("\u{b7} applying").await;
    terminal.types(CTRL_D).await;
    terminal.sees("Run 1 goes on: this process carries it out").await;
    yard.release("create.shop-app");
    terminal.sees("shop is at full").await;
    assert_eq!(terminal.ends().await, Some(0));
    assert_eq!(yard.ends(1).await, "succeeded");

    // Where another process carries it out, nobody waits.
    let serve = yard.serve().await;
    let mut terminal = shell(&yard).await;
    yard.hold("create.shop-app");
    terminal.says("scale shop app=4").await;
    terminal.sees("\u{b7} applying").await;
    terminal.types(CTRL_D).await;
    terminal.sees("Run 2 goes on without this prompt: process ").await;
    assert_eq!(terminal.ends().await, Some(0));
    yard.release("create.shop-app");
    assert_eq!(yard.ends(2).await, "succeeded");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn ctrl_c_does_not_wait_and_the_next_shell_has_the_card_again() {
    let yard = Yard::new();
    let mut terminal = shell(&yard).await;
    yard.hold("create.shop-app");
    terminal.says("up shop full").await;
    yard.until_did("create shop-app", 3).await;
    terminal.types(CTRL_D).await;
    terminal.sees("Run 1 goes on: this process carries it out").await;
    terminal.types(CTRL_C).await;
    assert_eq!(terminal.ends().await, Some(0));

    let terminal = yard.terminal(&["shell"], 100, &[]);
    terminal.sees("Run 1 is under way.").await;
    terminal.sees("\u{b7} applying").await;
    terminal.prompted().await;
    yard.release("create.shop-app");
    terminal.sees("shop is at full").await;
    assert_eq!(yard.calls("apply", "shop-app"), 1);
    leaves(terminal).await;
}

#[tokio::test]
async fn a_prompt_that_is_told_to_end_drains_and_gives_the_terminal_back() {
    let yard = Yard::new();
    let mut terminal = shell(&yard).await;
    yard.hold("create.shop-app");
    terminal.says("up shop full").await;
    yard.until_did("create shop-app", 3).await;
    terminal.types("half a li").await;
    terminal.until("half a line", |terminal| terminal.line().ends_with("half a li")).await;
    terminal.signal(Signal::TERM);
    terminal.sees("Run 1 goes on").await;
    yard.release("create.shop-app");
    terminal.sees("shop is at full").await;
    assert_eq!(terminal.ends().await, Some(0));
    assert_eq!(yard.status(1).await, "succeeded");
}

#[tokio::test]
async fn news_come_by_themselves_and_once() {
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
    yard.accepted("scale shop app=5").await;
    let screen = terminal.sees("app 4 -> 5").await;
    assert_eq!((cards(&screen, "run 1"), cards(&screen, "run 2"), cards(&screen, "run 3")), (1, 1, 1), "{screen}");
    terminal.types(CTRL_U).await;
    terminal.prompted().await;
    terminal.says("exit").await;
    terminal.ends().await;

    // Nobody saw how it ended: the next to come is told so without asking, by whichever engine finds it out.
    yard.hold("create.shop-app");
    yard.accepted("scale shop app=6").await;
    yard.until_did("create shop-app", 6).await;
    yard.kill_everything(serve, 4, "app").await;
    let mut terminal = yard.terminal(&["shell"], 100, &[]);
    terminal.sees("shop is UNKNOWN").await;
    terminal.sees("recover 4").await;
    yard.release("create.shop-app");
    terminal.prompted().await;
    terminal.says("recover 4").await;
    let screen = terminal.sees("shop NOT READY").await;
    assert_eq!(cards(&screen, "shop is UNKNOWN"), 1, "{screen}");
    leaves(terminal).await;
}

#[tokio::test]
async fn a_narrow_terminal_shows_the_same_words() {
    let yard = Yard::new();
    let mut terminal = yard.terminal(&["shell"], 20, &[]);
    terminal.prompted().await;
    yard.hold("create.shop-app");
    terminal.says("up shop full").await;
    terminal.sees("applying").await;
    // The line needs two rows.
    terminal.types("status").await;
    terminal.until("the line", |terminal| terminal.screen().ends_with("@tidegate> status")).await;
    yard.release("create.shop-app");
    let screen = terminal.sees("shop is at full").await;
    let (told, line) = screen.rsplit_once('\n').expect("lines");
    assert!(told.lines().skip(1).all(|line| line.chars().count() <= 20), "{screen}");
    assert_eq!((cards(told, "waiting for"), line), (0, format!("{}@tidegate> status", me()).as_str()), "{screen}");
    terminal.types(CTRL_U).await;
    leaves(terminal).await;
}

#[tokio::test]
async fn a_low_terminal_shows_as_much_of_a_card_as_fits_and_its_end_whole() {
    let yard = Yard::new();
    let mut terminal = yard.terminal_of((8, 60), &["shell"], &[]);
    terminal.prompted().await;
    yard.hold("create.shop-app");
    terminal.says("up shop full").await;
    terminal.sees("applying").await;
    terminal.resize(12, 90);
    terminal.sees("waiting for `terraform_data.slave").await;
    terminal.prompted().await;
    yard.release("create.shop-app");
    terminal.sees("3 created").await;
    leaves(terminal).await;
}

#[tokio::test]
async fn a_demo_that_is_open_already_can_be_joined_and_not_be_taken_away() {
    let yard = Yard::new();
    let mut first = yard.terminal(&["demo"], 100, &[]);
    first.sees("Real Terraform").await;
    first.prompted().await;
    let told = yard.run(&["demo", "--reset"]).await;
    told.says(&["process ", "works in", "end it first"]).exits(1);
    yard.run(&["demo", "--tour"]).await.says(&["the tour wants this demo for itself, and process "]).exits(1);

    let mut second = yard.terminal(&["demo", "--as", "mori"], 100, &[]);
    second.sees("This demo is open already: process ").await;
    second.until("the prompt", |terminal| terminal.line().trim_end().ends_with("mori@tidegate>")).await;
    second.says("up shop small").await;
    second.sees("shop is at small").await;
    let screen = first.sees("of mori").await;
    assert_eq!(cards(&screen, "shop is at small"), 1, "{screen}");

    // Whoever stays carries on.
    first.types(CTRL_D).await;
    assert_eq!(first.ends().await, Some(0));
    second.prompted().await;
    second.says("plan shop full").await;
    second.sees("Nothing was done.").await;
    leaves(second).await;
}

#[tokio::test]
async fn where_nothing_can_be_drawn_twice_each_run_is_waited_for() {
    let yard = Yard::new();
    let mut terminal = yard.terminal(&["shell"], 100, &[("TERM", "dumb")]);
    terminal.prompted().await;
    yard.hold("create.shop-app");
    terminal.says("up shop full").await;
    terminal.sees("(Ctrl-C gives the prompt back; the run goes on.)").await;
    terminal.sees("applying").await;
    terminal.types(CTRL_C).await;
    terminal.sees("Run 1 goes on").await;
    terminal.prompted().await;
    yard.release("create.shop-app");
    let screen = terminal.sees("shop is at full").await;
    assert!(!terminal.is_coloured(), "{screen}");
    terminal.says("exit").await;
    assert_eq!(terminal.ends().await, Some(0));
}

#[tokio::test]
async fn without_an_editor_the_line_after_a_yes_waits_for_the_run_too() {
    let yard = Yard::new();
    let mut terminal = yard.terminal(&["shell"], 100, &[("TERM", "dumb")]);
    terminal.prompted().await;
    terminal.says("up shop small").await;
    terminal.sees("shop is at small").await;
    terminal.types("destroy shop\rapprove 2\rhistory shop\r").await;
    let screen = terminal.sees("Runs, newest first").await;
    let (end, history) = (screen.find("shop is destroyed"), screen.find("Runs, newest first"));
    assert!(end.is_some() && end < history, "{screen}");
    terminal.says("exit").await;
    assert_eq!(terminal.ends().await, Some(0));
}

#[tokio::test]
async fn ctrl_c_before_the_first_drawing_is_heard_and_what_was_accepted_is_told() {
    let yard = Yard::new();
    yard.shell("up shop small").await.exits(0);
    // Nothing is answered before the ledger is free.
    let lock = yard.lock_ledger().await;
    let mut terminal = yard.terminal(&["shell", "-c", "up shop full"], 100, &[]);
    terminal.until("that it listens", Terminal::catches_ctrl_c).await;
    terminal.types(CTRL_C).await;
    terminal.sees("^C").await;
    lock.free().await;
    terminal.sees("Run 2 is not over").await;
    let screen = terminal.sees("No process carries out runs now").await;
    assert_eq!(cards(&screen, "up shop full"), 1, "the answer:\n{screen}");
    assert_eq!(terminal.ends().await, Some(5));
    assert_eq!(yard.status(2).await, "queued");

    // A second one does not wait for the answer either.
    let lock = yard.lock_ledger().await;
    let mut terminal = yard.terminal(&["shell", "-c", "cancel 2"], 100, &[]);
    terminal.until("that it listens", Terminal::catches_ctrl_c).await;
    terminal.types(CTRL_C).await;
    terminal.sees("^C").await;
    terminal.types(CTRL_C).await;
    terminal.sees("`history` shows whether it was accepted").await;
    assert_eq!(terminal.ends().await, Some(5));
    lock.free().await;
}
