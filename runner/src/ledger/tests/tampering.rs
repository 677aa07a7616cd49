//! Whatever is done to one entry behind Tidegate's back is found, and the first place that is wrong is named.

use super::chain::lift;
use super::{long, on_both};
use crate::domain::answer::Actor;
use crate::domain::ids::RunNumber;
use crate::ledger::audit::{self, Broken, Decision, Entry, Evidence, VerifyError};
use crate::ledger::{Store, Tx};

/// Entries of the chain that is tampered with; some before them are taken out.
const ENTRIES: i64 = 30;
const TAKEN_OUT: i64 = 10;

/// Small numbers that look random and are the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 >> 33).unwrap() % end
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(i64::try_from(all.len()).unwrap())).unwrap()]
    }
}

const TEXTS: [&str; 13] = [
    "prev",
    "hash",
    "actor_id",
    "actor_name",
    "door",
    "place",
    "action",
    "environment",
    "typed",
    "because",
    "decision",
    "rule",
    "result",
];
const OPTIONAL: [&str; 8] = ["place", "environment", "run_number", "typed", "because", "rule", "detail", "result"];
const COLUMNS: &str = "prev, hash, at, actor_id, actor_name, door, place, action, environment, run_number, typed, because, \
     decision, rule, detail, result";

/// What is done, and the place that must be named.
struct Deed {
    sql: Vec<String>,
    seq: i64,
}

fn deed(dice: &mut Dice, first: i64, last: i64, sqlite: bool) -> Deed {
    let row = first + dice.below(last - first + 1);
    let one = |sql: String, seq: i64| Deed { sql: vec![sql], seq };
    let update = |what: String| one(format!("UPDATE audit SET {what} WHERE seq = {row}"), row);
    match dice.below(12) {
        0 => one(format!("DELETE FROM audit WHERE seq = {row}"), row),
        1 => {
            let beyond = last + 1 + dice.below(3);
            one(
                format!("INSERT INTO audit (seq, {COLUMNS}) SELECT {beyond}, {COLUMNS} FROM audit WHERE seq = {row}"),
                last + 1,
            )
        }
        2 => {
            // An entry that is gone is put back, out of another one.
            let sql = format!(
                "INSERT INTO audit (seq, {COLUMNS}) SELECT {}, {COLUMNS} FROM audit WHERE seq = {row}",
                first - 1
            );
            one(sql, first - 1)
        }
        3 => {
            let (low, high) = (first + dice.below(last - first), last);
            let sql = [(low, 1_000_000), (high, low), (1_000_000, high)]
                .map(|(from, to)| format!("UPDATE audit SET seq = {to} WHERE seq = {from}"));
            Deed { sql: sql.into(), seq: low }
        }
        4 => one(format!("UPDATE audit SET seq = {} WHERE seq = {row}", last + 1 + dice.below(9)), row),
        5 => update(format!("at = at + {}", 1 + dice.below(100_000))),
        6 => update(format!("run_number = COALESCE(run_number, 0) + {}", 1 + dice.below(9))),
        7 => update("detail = COALESCE(detail, '') || ' '".to_owned()),
        8 => {
            let column = dice.of(&OPTIONAL);
            let was = if column == "run_number" { "7" } else { "''" };
            update(format!("{column} = CASE WHEN {column} IS NULL THEN {was} ELSE NULL END"))
        }
        9 if sqlite && dice.below(2) == 0 => {
            let value = dice.of(&["9e999", "-9e999", "1.5", "'x'"]);
            update(format!("{} = {value}", dice.of(&["at", "run_number"])))
        }
        9 if sqlite => {
            let column = dice.of(&TEXTS[..10]);
            update(format!("{column} = CAST(COALESCE({column}, 'x') AS BLOB)"))
        }
        10 => {
            let column = dice.of(&TEXTS);
            update(format!("{column} = 'x' || COALESCE({column}, '')"))
        }
        _ => {
            let column = dice.of(&TEXTS);
            update(format!("{column} = COALESCE({column}, '') || '{}'", dice.of(&["x", " ", "0", "日", "\u{200b}"])))
        }
    }
}

async fn fill(store: &Store, count: i64) {
    let shop = super::environment("shop");
    for n in 0..count {
        let some = |place: i64| n % place != 0;
        let who = super::actor(["ito", "mori", "sato"][usize::try_from(n % 3).unwrap()]);
        let detail = serde_json::json!({ "n": n });
        let entry = Entry {
            actor: &who,
            door: "shell",
            place: some(2).then_some("#load-test"),
            action: "up",
            environment: some(3).then_some(&shop),
            run: some(4).then_some(RunNumber(n)),
            typed: some(5).then_some("up shop"),
            because: some(3).then_some("朝の試験"),
            decision: Decision::Allowed,
            rule: some(7).then_some("owner"),
            result: some(2).then_some("queued"),
            detail: some(5).then_some(&detail),
        };
        let mut tx = store.begin().await.unwrap();
        audit::append(&mut tx, &entry).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// A chain of [`ENTRIES`], before which [`TAKEN_OUT`] were taken out, and the entry about that.
async fn chain(store: &Store) {
    let folder = tempfile::tempdir().unwrap();
    fill(store, TAKEN_OUT).await;
    let before = super::next_moment(store).await;
    fill(store, ENTRIES).await;
    let pruned = audit::prune(store, before, &folder.path().join("old"), &Actor::tidegate(), None).await.unwrap();
    assert_eq!(pruned.unwrap().entries, TAKEN_OUT);
}

#[tokio::test]
async fn each_of_many_random_manipulations_of_one_entry_is_found() {
    let count = if long() { 10_000 } else { 300 };
    on_both(async |store| {
        chain(&store).await;
        super::sql(&store, lift(&store)).await.unwrap();
        let last = TAKEN_OUT + ENTRIES + 1;
        assert_eq!(audit::verify(&store).await.unwrap(), u64::try_from(ENTRIES).unwrap() + 1);
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let sqlite = matches!(store, Store::Sqlite { .. });
        // The second cannot even be read; PostgreSQL does not take it.
        let wrong: &[&str] = if sqlite { &["'x'", "CAST('x' AS BLOB)"] } else { &["'x'"] };
        for number in 0..count {
            let Deed { sql, seq } = deed(&mut dice, TAKEN_OUT + 1, last, sqlite);
            let mut tx = store.begin().await.unwrap();
            for statement in &sql {
                let statement = sqlx::AssertSqlSafe(statement.as_str());
                let changed = match &mut tx {
                    Tx::Sqlite(tx) => sqlx::query(statement).execute(&mut **tx).await.unwrap().rows_affected(),
                    Tx::Postgres(tx, _) => sqlx::query(statement).execute(&mut **tx).await.unwrap().rows_affected(),
                };
                assert_eq!(changed, 1, "{number}: {sql:?}");
            }
            if number % 3 == 0 {
                // Much else behind it, that hides nothing: only what was taken out is still known.
                let also = format!("UPDATE audit SET because = {} WHERE seq > {seq} AND seq < {last}", dice.of(wrong));
                let also = sqlx::AssertSqlSafe(also);
                match &mut tx {
                    Tx::Sqlite(tx) => drop(sqlx::query(also).execute(&mut **tx).await.unwrap()),
                    Tx::Postgres(tx, _) => drop(sqlx::query(also).execute(&mut **tx).await.unwrap()),
                }
            }
            match audit::prove_in(&mut tx, Evidence::default()).await {
                Err(VerifyError::Broken(Broken { seq: found, .. })) => assert_eq!(found, seq, "{number}: {sql:?}"),
                other => panic!("{number}: {sql:?}: {other:?}"),
            }
            tx.rollback().await.unwrap();
        }
        assert_eq!(audit::verify(&store).await.unwrap(), u64::try_from(ENTRIES).unwrap() + 1);
    })
    .await;
}

#[tokio::test]
async fn an_entry_far_beyond_the_last_one_is_told_as_inserted() {
    on_both(async |store| {
        fill(&store, 3).await;
        super::sql(&store, lift(&store)).await.unwrap();
        let insert = format!("INSERT INTO audit (seq, {COLUMNS}) SELECT 90, {COLUMNS} FROM audit WHERE seq = 2");
        super::sql(&store, &insert).await.unwrap();
        let Err(VerifyError::Broken(broken)) = audit::prove(&store, Evidence::default()).await else {
            panic!("it was not found")
        };
        assert!(broken.seq == 4 && broken.why.contains("inserted"), "{broken}");
    })
    .await;
}
