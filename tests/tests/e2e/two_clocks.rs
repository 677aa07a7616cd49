//! Two processes that follow the same schedules on one ledger, killed at any moment: each transition is carried out once.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use tidegate_runner::ledger::Store;
use tidegate_tests::postgres::Database;
use tidegate_tests::yard::{Layout, Yard};

/// The configuration of the second process.
const SECOND: &str = "second.toml";

/// Longest that a process lives, and that the other one outlives it, in milliseconds: from before it has begun to after it has looked.
const LIVES_MS: u64 = 2_500;
const OUTLIVES_MS: u64 = 400;

/// So often both are killed before one of them may live until it is done.
const KILLS: usize = 4;

/// Whatever the moment at which somebody dies: it is told, so that a failure can be looked at again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        // xorshift64: nothing here needs better.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

async fn change(store: &Store, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    match store {
        Store::Sqlite { write, .. } => drop(sqlx::query(sql).execute(write).await.expect("changed")),
        Store::Postgres { pool, .. } => drop(sqlx::query(sql).execute(pool).await.expect("changed")),
    }
}

async fn count(store: &Store, what: &str) -> i64 {
    let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM {what}"));
    match store {
        Store::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(read).await.expect("a number"),
        Store::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_one(pool).await.expect("a number"),
    }
}

/// As if the dead one had been silent for long enough. Beside an SQLite file its lock tells of its death.
async fn silence(store: &Store) {
    if let Store::Postgres { .. } = store {
        change(store, "UPDATE leases SET until = 0 WHERE name = 'clock'").await;
    }
}

fn now(yard: &Yard) -> chrono::DateTime<chrono::Utc> {
    yard.write("now", "");
    std::fs::metadata(yard.file("now")).and_then(|file| file.modified()).expect("a time").into()
}

async fn rounds(database: &str, rounds: i64) {
    let lines = "zone = \"UTC\"\n[[environments.shop.schedules]]\nname = \"round\"\nat = \"2099-01-01 00:00\"\ndo = \"DOES\"\n\
                 for = \"20d\"\ncatch_up = \"7d\"\n";
    let yard = Layout::new().database(database).environment_with("shop", lines, &[("app", &[])]).lay();
    // Nobody is the engine: what the clock puts into the queue stays there.
    yard.write("blocked", "");
    yard.configure("state_dir = \"state\"", "state_dir = \"blocked\"");
    let text = yard.read("tidegate.toml");
    let begins = now(&yard);
    let mut dice = Dice(begins.timestamp_nanos_opt().map_or(1, i64::unsigned_abs) | 1);
    println!("{rounds} rounds, dice {}", dice.0);
    let store = yard.store().await;
    let target = |level: &str| format!("{{\"level\":\"{level}\",\"settings\":{{}}}}");
    change(
        store,
        &format!("INSERT INTO environments (name, wanted, updated_at) VALUES ('shop', '{}', 0)", target("small")),
    )
    .await;
    let mut deaths = 0;
    for round in 0..rounds {
        let (before, does) = if round % 2 == 0 { ("small", "up full") } else { ("full", "down small") };
        // Each has a minute of its own, all of them in the past.
        let due = begins - chrono::TimeDelta::minutes(rounds - round + 5);
        let configured =
            text.replace("2099-01-01 00:00", &due.format("%Y-%m-%d %H:%M").to_string()).replace("DOES", does);
        yard.write("tidegate.toml", &configured);
        yard.write(SECOND, &configured.replace("state_dir = \"blocked\"", "state_dir = \"blocked/too\""));
        // As if it had been written so before, somebody had looked a minute before it, and everybody had been away since.
        let since = due.timestamp_millis() - 120_000;
        let asked = target(before);
        silence(store).await;
        change(store, "DELETE FROM clock").await;
        change(store, &format!("INSERT INTO clock (id, seen_at) VALUES (1, {since})")).await;
        change(store, "DELETE FROM clock_asked").await;
        change(
            store,
            &format!(
                "INSERT INTO clock_asked (environment, wanted, since, step) VALUES ('shop', '{asked}', {since}, 1)"
            ),
        )
        .await;
        let done = async || count(store, "firings").await > round;
        for _ in 0..KILLS {
            let (one, other) = (yard.start(&["serve"], &[]), yard.start(&["--config", SECOND, "serve"], &[]));
            tokio::time::sleep(Duration::from_millis(dice.below(LIVES_MS))).await;
            let (first, second) = if dice.below(2) == 0 { (one, other) } else { (other, one) };
            first.kill().await;
            tokio::time::sleep(Duration::from_millis(dice.below(OUTLIVES_MS))).await;
            second.kill().await;
            deaths += 2;
            if done().await {
                break;
            }
            silence(store).await;
        }
        let (one, other) = (yard.start(&["serve"], &[]), yard.start(&["--config", SECOND, "serve"], &[]));
        yard.wait("the transition", async || done().await.then_some(())).await;
        // Whoever is the clock now: the other one takes over and looks, too.
        one.kill().await;
        silence(store).await;
        let took_over = async || other.err().contains("this process follows the schedules").then_some(());
        yard.wait("that the other one takes over", took_over).await;
        other.kill().await;
        deaths += 2;
        assert_eq!(count(store, "firings").await, round + 1, "round {round}");
        let ours = format!("firings WHERE due_at = {} AND outcome = 'queued'", due.timestamp() / 60 * 60_000);
        assert_eq!(count(store, &ours).await, 1, "round {round}");
        assert_eq!(count(store, "runs").await, round + 1, "round {round}");
        let ended =
            "status = 'succeeded', state = '{\"state\":\"ended\",\"outcome\":\"succeeded\"}', ended_at = updated_at";
        change(store, &format!("UPDATE runs SET {ended} WHERE ended_at IS NULL")).await;
        let after = target(if round % 2 == 0 { "full" } else { "small" });
        change(store, &format!("UPDATE environments SET wanted = '{after}', wanted_run = {}", round + 1)).await;
        change(store, "UPDATE firings SET try_at = NULL").await;
    }
    println!("{deaths} processes were killed");
    yard.run(&["audit", "verify"]).await.says(&["is whole"]).exits(0);
}

fn how_many() -> i64 {
    if std::env::var_os("TIDEGATE_LONG").is_some_and(|value| value == "1") { 200 } else { 6 }
}

#[tokio::test]
async fn two_processes_killed_over_a_transition_carry_it_out_once_on_postgresql() {
    rounds(Database::new().url(), how_many()).await;
}

#[tokio::test]
async fn two_processes_killed_over_a_transition_carry_it_out_once_on_sqlite() {
    rounds("sqlite:tidegate.db", how_many()).await;
}
