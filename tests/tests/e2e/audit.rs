//! The audit from the outside: what is in it after an evening, and what is found when somebody has been at it.

use tidegate_tests::postgres::Database;
use tidegate_tests::yard::{Layout, Yard, me};

/// The number of an entry whose line has these words.
fn entry(audit: &str, words: &str) -> i64 {
    let line = audit.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("no `{words}` in:\n{audit}"));
    line.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number")
}

async fn an_evening(yard: &Yard) {
    yard.shell("up shop because the rehearsal starts").await.exits(0);
    yard.shell("upp shop").await.exits(2);
    yard.configure(&format!("owners = [\"local:{}\"]", me()), "owners = [\"local:nobody\"]");
    yard.shell("down shop").await.exits(3);
    yard.configure("owners = [\"local:nobody\"]", &format!("owners = [\"local:{}\"]", me()));
    let destroy = yard.begin("destroy shop because it is late");
    yard.until(2, "awaiting_approval").await;
    yard.shell("reject 2 because not tonight").await.exits(0);
    destroy.end().await;

    let told = yard.shell("audit").await;
    let lines = [
        "up shop because the rehearsal starts \u{b7} queued \u{b7} run 1",
        "the run of shop ended \u{b7} succeeded \u{b7} run 1",
        "upp shop \u{b7} not understood",
        "the configuration changed: 1 line added, 1 removed",
        "down shop \u{b7} REFUSED (role)",
        "the run of shop asks \u{b7} needs a yes (previewed) \u{b7} run 2",
        "reject 2 because not tonight \u{b7} rejected \u{b7} run 2",
        "the run of shop ended \u{b7} rejected \u{b7} run 2",
        "Tidegate \u{b7} started",
        "Tidegate \u{b7} stopped",
    ];
    let plain: Vec<String> = lines.iter().map(|line| line.replace('\u{b7}', "-")).collect();
    for (line, plain) in lines.iter().zip(&plain) {
        assert!(told.out.contains(line) || told.out.contains(plain), "no `{line}` in:\n{}", told.out);
    }
    let order = ["the run of shop ended", "reject 2", "the run of shop asks", "destroy shop"];
    let places: Vec<usize> = order.iter().map(|words| told.out.find(words).expect("told")).collect();
    assert!(places.is_sorted(), "newest first:\n{}", told.out);
    yard.shell("who raised shop").await.says(&["raised shop", "the rehearsal starts", "run 1"]).exits(0);
    yard.shell("audit shop failed \"upp\"").await.says(&["upp shop"]).exits(0);
    yard.shell("audit shop action down by me").await.says(&["REFUSED"]).exits(0);
}

/// Everything that the command line does, on either database.
async fn is_proven_signed_exported_and_pruned(yard: &Yard) {
    an_evening(yard).await;
    yard.shell("audit shop action up as csv").await.says(&["1 entry", "In `audit.csv`"]).exits(0);
    assert_eq!(yard.read("audit.csv").lines().count(), 2, "{}", yard.read("audit.csv"));
    yard.shell("audit as json").await.says(&["In `audit.json`"]).exits(0);
    yard.shell("audit as json").await.says(&["In `audit-2.json`"]).exits(0);
    let all: Vec<serde_json::Value> = serde_json::from_str(&yard.read("audit-2.json")).expect("JSON");
    assert!(all.windows(2).all(|two| two[0]["entry"].as_i64() < two[1]["entry"].as_i64()) && all.len() > 5, "{all:?}");
    yard.shell("audit shop action destroy failed as csv").await.says(&["No entry fits"]).exits(0);
    let path = |name: &str| yard.file(name).display().to_string();
    let (checkpoint, old) = (path("checkpoint"), path("old"));
    yard.run(&["audit", "verify"]).await.says(&["The audit is whole"]).exits(0);
    let made = yard.run(&["audit", "checkpoint", "--out", &checkpoint]).await;
    made.says(&["The public key is"]).exits(0);
    let key =
        made.err.split("public key is ").nth(1).and_then(|rest| rest.split(':').next()).expect("a key").to_owned();
    yard.run(&["audit", "verify", "--checkpoint", &checkpoint, "--key", &key]).await.says(&["signed with"]).exits(0);
    yard.shell("upp").await.exits(2);
    let other = "ab".repeat(32);
    yard.run(&["audit", "verify", "--checkpoint", &checkpoint, "--key", &other]).await.says(&["not the one"]).exits(1);

    let csv = yard.run(&["audit", "export", "--format", "csv", "--out", "-", "shop", "action", "up"]).await;
    csv.says(&["entry,at,actor_id", "up shop because the rehearsal starts,the rehearsal starts,allowed"]).exits(0);
    assert_eq!(csv.out.lines().count(), 2, "{}", csv.out);
    yard.run(&["audit", "export", "--format", "json", "--out", &path("all.json")]).await.exits(0);
    let all: Vec<serde_json::Value> = serde_json::from_str(&yard.read("all.json")).expect("JSON");
    assert!(all.iter().zip(1..).all(|(entry, number)| entry["entry"] == number), "{all:?}");
    yard.run(&["audit", "export", "--format", "json", "--out", &path("all.json")]).await.says(&["exists"]).exits(1);
    yard.run(&["audit", "export", "--format", "csv", "--out", "-", "by", "ghost"])
        .await
        .says(&["nobody is called"])
        .exits(1);
    yard.run(&["audit", "export", "--format", "csv", "--out", "-", "shpo"]).await.says(&["shpo"]).exits(1);

    yard.run(&["audit", "prune", "--before", "1y", "--export", &old]).await.says(&["is not a time"]).exits(1);
    yard.run(&["audit", "prune", "--before", "52w", "--export", &old]).await.says(&["nothing was written"]).exits(0);
    let ahead = ["audit", "prune", "--before", "2999-01-01", "--export", &old];
    yard.run(&ahead).await.says(&["`2999-01-01` is not past", "--before 2"]).exits(1);
    let prune = ["audit", "prune", "--before", "now", "--export", &old, "--because", "the year is over"];
    // What is young is told first, with the line that takes it out.
    let asked = yard.run(&prune).await;
    let told = format!("this would take out {} entries, which is all that the ledger has: 1 to ", all.len());
    asked.says(&[&told, "Nothing was written", "--because 'the year is over' --upto ", " --yes"]).exits(1);
    assert!(!yard.file("old").exists());
    yard.run(&["audit", "verify"]).await.says(&[&format!("is whole: {} entries", all.len())]).exits(0);
    let line = asked.err.lines().find_map(|line| line.trim().strip_prefix("tidegate ")).expect("a line");
    let words: Vec<&str> = line.split(" --because 'the year is over'").flat_map(str::split_whitespace).collect();
    let pruned = yard.run(&[&words[..], &["--because", "the year is over"]].concat()).await;
    pruned.says(&[&format!("out of the ledger: {}.", all.len()), "Keep the file"]).exits(0);
    yard.run(&["audit", "verify"]).await.says(&["is whole: 1 entry", "--with-export"]).exits(0);
    yard.run(&["audit", "verify", "--checkpoint", &checkpoint]).await.says(&["give the exported file"]).exits(1);
    let whole = ["audit", "verify", "--checkpoint", &checkpoint, "--with-export", &old];
    yard.run(&whole).await.says(&["are in the exported files, whole"]).exits(0);
    yard.shell("audit").await.says(&["entries taken out", "the year is over", "exported and taken out"]).exits(0);
    yard.shell("who raised shop")
        .await
        .says(&["knows nobody who raised shop since", "exported and taken out"])
        .exits(0);
    yard.shell("up shop").await.exits(0);
    yard.run(&whole).await.exits(0);
}

#[tokio::test]
async fn an_evening_is_in_the_audit_and_can_be_proven_signed_exported_and_pruned() {
    is_proven_signed_exported_and_pruned(&Yard::new()).await;
}

#[tokio::test]
async fn so_it_is_on_postgresql() {
    let database = Database::new();
    let yard = Layout::new().database(database.url()).environment("shop", &[("app", &[])]).lay();
    is_proven_signed_exported_and_pruned(&yard).await;
}

#[tokio::test]
async fn the_reason_of_a_prune_is_kept_without_secrets() {
    let yard = Yard::new();
    let url = format!("sqlite:{}", yard.file("tidegate.db").display());
    let stands = yard.read("tidegate.toml");
    let stands = stands.lines().find(|line| line.starts_with("url = ")).expect("the ledger").to_owned();
    yard.configure(&stands, "url = { file = \"address\" }");
    yard.write("address", &url);
    yard.shell("up shop small").await.exits(0);
    let because = format!("it is in {}", yard.read("address"));
    let old = yard.file("old").display().to_string();
    let prune = ["audit", "prune", "--before", "now", "--export", &old, "--because", &because, "--yes"];
    yard.run(&prune).await.exits(0);
    let told = yard.shell("audit").await;
    told.says(&["entries taken out", "it is in [redacted]"]).exits(0);
}

#[tokio::test]
async fn an_audit_database_edited_by_hand_is_found() {
    let yard = Yard::new();
    yard.shell("up shop small because the rehearsal starts").await.exits(0);
    let destroy = yard.begin("destroy shop");
    yard.until(2, "awaiting_approval").await;
    yard.shell("approve 2").await.exits(0);
    destroy.end().await.exits(0);
    let told = yard.shell("audit").await;
    let (up, approve) = (entry(told.exits(0), "up shop small"), entry(&told.out, "approve 2"));
    let checkpoint = yard.file("checkpoint").display().to_string();
    yard.run(&["audit", "checkpoint", "--out", &checkpoint]).await.exits(0);
    // Whoever has the file open would not take another one in its place.
    yard.store().await.close().await;
    let ledger = std::fs::read(yard.file("tidegate.db")).expect("the ledger");
    let restore = || {
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(yard.file(&format!("tidegate.db{end}")));
        }
        std::fs::write(yard.file("tidegate.db"), &ledger).expect("the ledger");
    };
    let triggers = ["audit_never_updated", "audit_never_deleted", "audit_never_replaced"];
    let found = async |sql: &[&str], arguments: &[&str], words: &str| {
        for trigger in triggers {
            yard.change_ledger(&format!("DROP TRIGGER {trigger}")).await;
        }
        for statement in sql {
            yard.change_ledger(statement).await;
        }
        yard.run(&[&["audit", "verify"], arguments].concat()).await.says(&[words]).exits(1);
        restore();
    };
    assert!(yard.shell("history").await.out.contains("small"));
    let nobody = format!("UPDATE audit SET actor_id = 'local:nobody', actor_name = 'nobody' WHERE seq = {approve}");
    found(&[&nobody], &[], &format!("broken at entry {approve}: it was altered")).await;
    let gone = format!("DELETE FROM audit WHERE seq = {up}");
    found(&[&gone], &[], &format!("broken at entry {up}: it was removed")).await;
    let from = format!("DELETE FROM audit WHERE seq >= {approve}");
    found(&[&from], &[], &format!("broken at entry {approve}: it and what followed it were removed")).await;
    // With the end made to fit: only who kept a checkpoint can tell.
    let fit = format!("UPDATE audit_head SET seq = {0}, hash = (SELECT hash FROM audit WHERE seq = {0})", approve - 1);
    let words = format!("broken at entry {approve}: it and what followed it were removed; the checkpoint knows them");
    found(&[&from, &fit], &["--checkpoint", &checkpoint], &words).await;
    yard.run(&["audit", "verify"]).await.exits(0);
}
