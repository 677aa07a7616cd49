//! People in each other's way: holds, keeps, questions, the queue, and everything stopped at once.

use tidegate::cards::Card;
use tidegate::conversation::Verdict;
use tidegate_runner::domain::holds::{Ending, News};
use tidegate_runner::domain::ids::RunNumber;
use tidegate_tests::yard::{Layout, Yard, me};

/// `shop`, and who else may what: `sato` and `mori` operate, `boss` is the admin.
fn shared() -> Yard {
    let others = "access = { operator = [\"local:sato\", \"local:mori\"] }";
    let yard = Layout::new()
        .environment_with("shop", others, &[("app", &[])])
        .environment_with("blog", others, &[("app", &[])])
        .lay();
    yard.configure("viewer = [\"everyone\"]", "viewer = [\"everyone\"]\nadmin = [\"local:boss\"]");
    yard
}

#[track_caller]
fn has(card: &Card, words: &[&str]) {
    let text = format!("{card:?}");
    for word in words {
        assert!(text.contains(word), "no `{word}` in {text}");
    }
}

async fn does(yard: &Yard, who: &str, line: &str, words: &[&str]) {
    let reply = yard.says_as(who, line).await;
    assert_eq!(reply.verdict, Verdict::Done, "{line}: {:?}", reply.card);
    has(&reply.card, words);
}

async fn is_refused(yard: &Yard, who: &str, line: &str, words: &[&str]) {
    let reply = yard.says_as(who, line).await;
    assert_eq!(reply.verdict, Verdict::Refused, "{line}: {:?}", reply.card);
    has(&reply.card, words);
}

#[tokio::test]
async fn a_hold_outlives_a_crash_and_an_owner_lifts_it_for_somebody_absent() {
    let yard = shared();
    let serve = yard.serve().await;
    does(&yard, "sato", "hold shop for 2h only @mori because we measure", &["shop is held until", "local:mori"]).await;
    let words = ["shop is held", "held by `local:sato`", "because we measure", "tell me when free shop"];
    yard.shell("up shop").await.says(&words).exits(3);
    serve.kill().await;
    let _serve = yard.serve().await;
    yard.shell("up shop").await.says(&words).exits(3);
    yard.shell("status shop").await.says(&["held by sato until", "leaves in mori, because we measure"]).exits(0);
    yard.shell("envs").await.says(&["held by sato until"]).exits(0);
    yard.shell("why can't I up shop").await.says(&["held by `local:sato`"]).exits(0);
    does(&yard, "mori", "up shop small", &["run 1", "held by sato"]).await;
    assert_eq!(yard.ends(1).await, "succeeded");
    is_refused(&yard, "mori", "unhold shop", &["not yours to lift", &me(), "ask shop"]).await;
    yard.shell("unhold shop because sato went home").await.says(&["It was of sato, who is told"]).exits(0);
    let News::Over { ending: Ending::Lifted { because, .. }, .. } = yard.next_news("sato").await else { panic!() };
    assert_eq!(because.as_deref(), Some("sato went home"));
    // Whoever was away, and lifted it elsewhere, is not told that it began.
    does(&yard, "sato", "hold blog for 2h because we measure", &["blog is held until"]).await;
    assert_eq!(yard.news(&me()).await.len(), 1);
    yard.shell("unhold blog").await.exits(0);
    assert_eq!(yard.news(&me()).await, []);
    yard.shell("up shop").await.exits(0);
    yard.shell("audit shop").await.says(&["sato - hold shop for 2h", "unhold shop because sato went home"]).exits(0);
    yard.run(&["audit", "verify"]).await.exits(0);
}

#[tokio::test]
async fn the_end_of_a_hold_is_told_to_whoever_it_concerns_and_noted() {
    let yard = shared();
    let _serve = yard.serve().await;
    let mut terminal = yard.terminal(&["shell"], 100, &[]);
    terminal.prompted().await;
    does(&yard, "sato", "hold shop until tomorrow 9:00 because we measure", &["shop is held until"]).await;
    terminal.sees("shop is held by sato until").await;
    does(&yard, "mori", "tell me when free shop", &["You will be told once shop is free"]).await;
    // Time flies.
    yard.change_ledger("UPDATE holds SET until_at = began_at + 1").await;
    terminal.sees("shop is not held any more").await;
    assert!(matches!(yard.next_news("sato").await, News::Over { ending: Ending::Lapsed, .. }));
    assert!(matches!(yard.next_news("mori").await, News::Free { .. }));
    terminal.says("audit shop").await;
    terminal.sees("lapse").await;
    terminal.says("up shop small").await;
    terminal.sees("shop is at small").await;
}

#[tokio::test]
async fn what_is_being_applied_goes_on_and_what_waits_is_refused_at_its_turn() {
    let yard = shared();
    yard.hold("create.shop-app");
    let _serve = yard.serve().await;
    yard.accepted("up shop small").await;
    yard.until_did("create shop-app", 1).await;
    let waiting = yard.begin("up shop full");
    yard.until(2, "queued").await;
    let words = [
        "Under way, and goes on: run 1",
        "Has changed nothing yet, and will be refused if it is to begin before the end: run 2",
    ];
    does(&yard, "sato", "hold shop for 2h because we measure", &words).await;
    yard.release("create.shop-app");
    assert_eq!(yard.ends(1).await, "succeeded");
    waiting.end().await.says(&["shop is held", "because we measure"]).exits(3);
    assert_eq!((yard.status(2).await, yard.calls("apply", "shop-app")), ("refused", 1));
    assert_eq!(yard.in_state("shop", "app").await.len(), 1);
}

#[tokio::test]
async fn what_waits_when_a_hold_breaks_is_refused_at_its_turn_in_the_words_of_the_hold() {
    let yard = shared();
    yard.hold("create.shop-app");
    let _serve = yard.serve().await;
    yard.accepted("up shop small").await;
    yard.until_did("create shop-app", 1).await;
    let waiting = yard.begin("up shop full");
    yard.until(2, "queued").await;
    does(&yard, "sato", "hold blog for 2h because we measure", &["blog is held until"]).await;
    yard.change_ledger("UPDATE holds SET only_ids = '{'").await;
    yard.release("create.shop-app");
    assert_eq!(yard.ends(1).await, "succeeded");
    waiting.end().await.says(&["nothing is changed while a hold cannot be read", "hold 1", "unhold shop 1"]).exits(3);
    assert_eq!((yard.status(2).await, yard.calls("apply", "shop-app")), ("refused", 1));
    yard.shell("audit shop failed").await.says(&["end", "refused", "hold"]).exits(0);
    does(&yard, "boss", "unhold shop 1", &["Hold 1 is taken away"]).await;
    does(&yard, &me(), "up shop full", &["run 3"]).await;
    assert_eq!(yard.ends(3).await, "succeeded");
}

#[tokio::test]
async fn a_keep_is_respected_unless_somebody_says_anyway_which_is_told_and_audited() {
    let yard = shared();
    let _serve = yard.serve().await;
    is_refused(&yard, "sato", "keep shop for 2h", &["nothing to keep", "up shop"]).await;
    yard.shell("up shop").await.exits(0);
    does(&yard, "sato", "keep shop until tomorrow 9:00", &["shop is kept as it is until"]).await;
    let words = ["shop is kept", "local:sato", "ask shop can it go down?", "down shop small anyway because REASON"];
    is_refused(&yard, "mori", "down shop", &words).await;
    is_refused(&yard, "mori", "scale shop app=1", &["shop is kept"]).await;
    does(&yard, "mori", "scale shop app=4", &["app 3 -> 4"]).await;
    assert_eq!(yard.ends(2).await, "succeeded");
    does(&yard, "mori", "ask shop can it go down?", &["sato will be asked"]).await;
    assert!(matches!(yard.next_news("sato").await, News::Asked { .. }));
    does(
        &yard,
        "mori",
        "down shop anyway because nobody answers",
        &["Against the keep of sato, which ends when it begins, and who is told then"],
    )
    .await;
    assert_eq!(yard.ends(3).await, "succeeded");
    let News::Over { ending: Ending::Overridden { because, run, .. }, .. } = yard.next_news("sato").await else {
        panic!()
    };
    assert_eq!((because.as_deref(), run), (Some("nobody answers"), RunNumber(3)));
    yard.shell("audit shop action down").await.says(&["keep", "nobody answers"]).exits(0);
    // One's own `down` ends one's own keep, and says so.
    does(&yard, "sato", "keep shop for 2h", &["kept"]).await;
    does(&yard, "sato", "down shop off", &["Your keep of shop ends by it"]).await;
    assert_eq!(yard.ends(4).await, "succeeded");
}

#[tokio::test]
async fn everything_is_stopped_in_mid_apply_and_stays_so_over_a_crash_until_somebody_resumes() {
    let yard = shared();
    yard.hold("create.shop-app");
    let serve = yard.serve().await;
    let asker = yard.begin("up shop");
    yard.until_did("create shop-app", 3).await;
    does(&yard, "sato", "scale shop app=4", &["Queued as 2nd"]).await;
    is_refused(&yard, "sato", "stop everything because I can", &["not yours to do", "local:boss"]).await;
    let words = ["Everything is stopped", "1 run stopping: 1 shop applying 0 of 3", "run 2 of sato"];
    does(&yard, "boss", "stop everything because the bill explodes", &words).await;
    asker.end().await.says(&["the bill explodes"]).exits(4);
    assert_eq!((yard.status(1).await, yard.status(2).await), ("cancelled", "cancelled"));
    assert_eq!(yard.untold("sato").await, [RunNumber(2)]);
    assert!(matches!(yard.next_news("boss").await, News::Still { .. }));
    yard.release("create.shop-app");
    let words = ["everything is stopped", "the bill explodes", "`resume everything`"];
    yard.shell("up blog").await.says(&words).exits(3);
    serve.kill().await;
    let _serve = yard.serve().await;
    for line in ["up blog", "retry 1", "destroy shop"] {
        yard.shell(line).await.says(&words).exits(3);
    }
    yard.shell("envs").await.says(&["STOPPED by boss"]).exits(0);
    yard.shell("plan blog").await.exits(0);
    is_refused(&yard, "mori", "resume everything", &["not yours to do", "local:boss"]).await;
    does(&yard, "boss", "stop everything", &["Everything was stopped already", "nothing runs"]).await;
    does(&yard, "boss", "resume everything", &["Runs are accepted again"]).await;
    is_refused(&yard, "boss", "resume everything", &["nothing is stopped"]).await;
    yard.shell("retry 1").await.says(&["shop is at full"]).exits(0);
    assert_eq!(yard.in_state("shop", "app").await.len(), 3);
}

#[tokio::test]
async fn a_freeze_is_of_all_environments_and_leaves_in_whom_it_names() {
    let yard = shared();
    let _serve = yard.serve().await;
    is_refused(&yard, "sato", "freeze all for 2h because I like it", &["not yours to do", "local:boss"]).await;
    does(&yard, "boss", "freeze all for 2h only @sato because of the release", &["Everything is frozen until"]).await;
    for line in ["up shop", "up blog"] {
        yard.shell(line).await.says(&["everything is frozen", "local:boss", "the release"]).exits(3);
    }
    does(&yard, "sato", "up blog small", &["run 1"]).await;
    assert_eq!(yard.ends(1).await, "succeeded");
    yard.shell("unfreeze all").await.says(&["not yours to do"]).exits(3);
    does(&yard, "boss", "unfreeze all", &["Nothing is frozen any more"]).await;
    yard.shell("up shop small").await.exits(0);
}

#[tokio::test]
async fn holds_that_cannot_be_read_let_nothing_begin() {
    let yard = shared();
    yard.hold("plan");
    let serve = yard.serve().await;
    yard.accepted("up shop").await;
    yard.until_calls("plan", "shop-app", 1).await;
    yard.change_ledger("ALTER TABLE holds RENAME TO elsewhere").await;
    let reply = yard.says_as("sato", "up blog").await;
    assert_eq!(reply.verdict, Verdict::Fault, "{:?}", reply.card);
    assert_eq!(yard.status(2).await, "");
    yard.release("plan");
    yard.wait("a run that is dropped", async || serve.err().contains("a run was dropped").then_some(())).await;
    assert_eq!((yard.status(1).await, yard.calls("apply", "shop-app")), ("planning", 0));
    yard.change_ledger("ALTER TABLE elsewhere RENAME TO holds").await;
    assert_eq!(yard.ends(1).await, "succeeded");
}

#[tokio::test]
async fn who_waits_sees_the_queue_leaves_it_asks_and_is_told_when_it_is_free() {
    let yard = shared();
    yard.hold("create.shop-app");
    let _serve = yard.serve().await;
    does(&yard, "sato", "up shop small", &["run 1"]).await;
    yard.until_did("create shop-app", 1).await;
    let words = [
        "Queued as 2nd",
        "run 1 of sato",
        "it began at",
        "ask 1 when will it be done?",
        "leave 2",
        "tell me when free shop",
    ];
    does(&yard, "mori", "up shop full", &words).await;
    yard.shell("queue").await.says(&["run 1 of sato", "2. run 2 of mori"]).exits(0);
    is_refused(&yard, "sato", "queue leave 2", &["not yours to take out of the queue", "local:mori"]).await;
    does(&yard, "mori", "ask 1 when will it be done?", &["sato will be asked"]).await;
    does(&yard, "mori", "queue leave", &["Run 2 has left the queue"]).await;
    assert_eq!(yard.status(2).await, "cancelled");
    does(&yard, "mori", "tell me when shop is free", &["You will be told once shop is free"]).await;
    yard.release("create.shop-app");
    assert!(matches!(yard.next_news("mori").await, News::Free { .. }));
    assert!(matches!(yard.next_news("sato").await, News::Asked { .. }));
    is_refused(&yard, "mori", "tell me when shop is free", &["free now"]).await;
}

#[tokio::test]
async fn a_stop_holds_though_the_engine_is_killed_before_terraform_has_ended() {
    let yard = shared();
    yard.hold("create.shop-app");
    let serve = yard.serve().await;
    let _asker = yard.begin("up shop");
    yard.until_did("create shop-app", 3).await;
    let mut terminal = yard.terminal(&["shell"], 100, &[]);
    terminal.prompted().await;
    does(&yard, "boss", "stop everything because the bill explodes", &["1 run stopping: 1 shop applying"]).await;
    serve.kill().await;
    // Whichever is the engine then: this one, or the terminal.
    let _serve = yard.start(&["serve"], &[]);
    assert_eq!(yard.ends(1).await, "cancelled");
    assert!(matches!(yard.next_news("boss").await, News::Still { .. }));
    // An owner who is no admin is told, and offered nothing that is not theirs.
    let screen = terminal.sees("Nothing runs any more").await;
    assert!(!screen.contains("resume everything"), "{screen}");
    terminal.says("up blog").await;
    terminal.sees("everything is stopped, so nothing new is begun").await;
    yard.shell("up blog").await.says(&["everything is stopped", "the bill explodes"]).exits(3);
}

#[tokio::test]
async fn stop_everything_stops_terraform_though_no_engine_lives() {
    let yard = Layout::new().environment("shop", &[("app", &[])]).lay();
    yard.configure("viewer = [\"everyone\"]", &format!("viewer = [\"everyone\"]\nadmin = [\"local:{}\"]", me()));
    yard.hold("create.shop-app");
    let serve = yard.serve().await;
    yard.accepted("up shop").await;
    yard.until_did("create shop-app", 3).await;
    serve.kill().await;
    let nobody = "No process carries out runs now";
    yard.wait("its absence", async || yard.shell("tell me when free shop").await.out.contains(nobody).then_some(()))
        .await;
    yard.shell("queue").await.says(&[nobody]).exits(0);
    yard.shell("stop everything because the bill explodes").await.says(&["1 run stopping: 1 shop applying"]).exits(0);
    assert_eq!(yard.status(1).await, "cancelled");
}
