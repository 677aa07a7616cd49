//! The audit with a million rows or more, on SQLite and PostgreSQL: pages with filters, appending, and the proof of the whole.
//!
//! The rows are made here, after the description of the hashed text in `docs/audit.md` and without the code that verifies them.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgPoolCopyExt as _;
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};
use tidegate_runner::domain::answer::Actor;
use tidegate_runner::domain::audit::AuditFilter;
use tidegate_runner::domain::ids::{ActorId, RunNumber, Timestamp};
use tidegate_runner::ledger::Store;
use tidegate_runner::ledger::audit::{self, Decision, Entry};
use tidegate_tests::postgres::Database;

use super::figures::{Durations, ms};

/// Questions of each kind, and entries that are appended.
const QUESTIONS: u32 = 1_000;
const APPENDED: u32 = 2_000;

/// The first row's time, 2020-01-01, and how far apart two are.
const BEGIN_MS: i64 = 1_577_836_800_000;
const APART_MS: i64 = 20_000;

const ENVIRONMENTS: u64 = 50;
const PEOPLE: u64 = 40;
const ACTIONS: [&str; 8] = ["up", "down", "scale", "plan", "end", "approve", "destroy", "cancel"];
/// A word in one of so many rows, for which one has to look long.
const RARE: u64 = 50_000;

/// Measures, and prints the tables.
pub(crate) async fn run(rows: u32) {
    let folder = tempfile::Builder::new().prefix("tidegate-bench.").tempdir().expect("a folder");
    let file = folder.path().join("ledger.db");
    let store = Store::open(&format!("sqlite:{}", file.display())).await.expect("a ledger");
    measure("SQLite", &store, rows).await;
    store.close().await;
    let size = std::fs::metadata(&file).map_or(0, |file| file.len());
    println!("\nSize of the SQLite file: {} bytes a row.", size / u64::from(rows));
    drop(folder);

    let database = Database::durable();
    let store = Store::open(database.url()).await.expect("a ledger");
    measure("PostgreSQL", &store, rows).await;
    store.close().await;
}

async fn measure(name: &str, store: &Store, rows: u32) {
    let start = Instant::now();
    fill(store, rows).await;
    println!("\n{name}, {rows} rows, made in {:.0} s\n", start.elapsed().as_secs_f64());
    questions(store, rows).await;
    append(store).await;
    prove(store).await;
}

/// Small numbers that look random and are the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    /// Small numbers much more often than large ones.
    fn skewed(&mut self, end: u64) -> u64 {
        self.below(end).min(self.below(end)).min(self.below(end))
    }
}

/// One row, in the order of its columns; `None` is NULL.
struct Row {
    number: i64,
    hash: String,
    prev: String,
    at: i64,
    texts: [Option<String>; 11],
    run: i64,
}

const TEXTS: [&str; 11] = [
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

impl Row {
    fn make(number: i64, prev: &str, dice: &mut Dice) -> Self {
        let (env, person) = (dice.skewed(ENVIRONMENTS), dice.skewed(PEOPLE));
        let action = ACTIONS[usize::try_from(dice.skewed(8)).expect("small")];
        let failed = dice.below(12) == 0;
        let word = if dice.below(RARE) == 0 {
            "zeppelin"
        } else {
            ["rehearsal", "release", "night", "朝の試験"][usize::try_from(dice.below(4)).expect("small")]
        };
        let text = |text: String| Some(text);
        let ends = action == "end";
        let texts = [
            text(if ends { "clock:tidegate".to_owned() } else { format!("slack:U{person:08}") }),
            text(if ends { "Tidegate".to_owned() } else { format!("person {person}") }),
            text("slack".to_owned()),
            text(format!("C{env:08}")),
            text(action.to_owned()),
            text(format!("env{env}")),
            (!ends).then(|| format!("{action} env{env} slaves={} because of the {word}", number % 200)),
            (!ends).then(|| format!("of the {word}")),
            text(if failed && !ends { "refused" } else { "allowed" }.to_owned()),
            failed.then(|| "owners".to_owned()),
            text(if failed && ends { "failed" } else { "succeeded" }.to_owned()),
        ];
        let mut row = Self {
            number,
            hash: String::new(),
            prev: prev.to_owned(),
            at: BEGIN_MS + number * APART_MS,
            texts,
            run: number / 3 + 1,
        };
        let mut hash = Sha256::new();
        hash.update(prev.as_bytes());
        hash.update(row.hashed().as_bytes());
        row.hash = hex::encode(hash.finalize());
        row
    }

    /// The hashed text. No text here has a character that JSON escapes.
    fn hashed(&self) -> String {
        let Self { number, prev, at, texts, run, .. } = self;
        let mut json = format!("{{\"seq\":{number},\"prev\":\"{prev}\",\"at\":{at}");
        for (name, text) in TEXTS.iter().zip(texts) {
            if *name == "typed" {
                write!(json, ",\"run_number\":{run}").expect("written");
            }
            if *name == "result" {
                json.push_str(",\"detail\":null");
            }
            match text {
                Some(text) => write!(json, ",\"{name}\":\"{text}\"").expect("written"),
                None if *name == "result" => {}
                None => write!(json, ",\"{name}\":null").expect("written"),
            }
        }
        json + "}"
    }
}

/// Fills the audit, its indexes set aside meanwhile.
async fn fill(store: &Store, rows: u32) {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let mut prev = "0".repeat(64);
    let mut numbers = 1..=i64::from(rows);
    let mut next = |count: usize| -> Vec<Row> {
        numbers
            .by_ref()
            .take(count)
            .map(|number| {
                let row = Row::make(number, &prev, &mut dice);
                prev.clone_from(&row.hash);
                row
            })
            .collect()
    };
    let head = match store {
        Store::Sqlite { write, .. } => fill_sqlite(write, &mut next).await,
        Store::Postgres { pool, .. } => fill_postgres(pool, &mut next).await,
    };
    let sql = AssertSqlSafe(format!("UPDATE audit_head SET seq = {rows}, hash = '{head}'"));
    match store {
        Store::Sqlite { write, .. } => drop(sqlx::query(sql).execute(write).await.expect("the head")),
        Store::Postgres { pool, .. } => drop(sqlx::query(sql).execute(pool).await.expect("the head")),
    }
}

async fn fill_sqlite(pool: &SqlitePool, next: &mut impl FnMut(usize) -> Vec<Row>) -> String {
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'audit' AND sql IS NOT NULL",
    )
    .fetch_all(pool)
    .await
    .expect("indexes");
    for (name, _) in &indexes {
        sqlx::query(AssertSqlSafe(format!("DROP INDEX {name}"))).execute(pool).await.expect("dropped");
    }
    let mut head = String::new();
    loop {
        let rows = next(50_000);
        let Some(last) = rows.last() else { break };
        head.clone_from(&last.hash);
        let mut tx = pool.begin().await.expect("a transaction");
        for rows in rows.chunks(100) {
            let places: Vec<String> = (0..rows.len())
                .map(|row| {
                    let places: Vec<String> = (1..=16).map(|column| format!("${}", row * 16 + column)).collect();
                    format!("({})", places.join(","))
                })
                .collect();
            let sql = format!(
                "INSERT INTO audit (seq, hash, prev, at, run_number, {}) VALUES {}",
                TEXTS.join(", "),
                places.join(",")
            );
            let query = rows.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, row| {
                let query = query.bind(row.number).bind(&row.hash).bind(&row.prev).bind(row.at).bind(row.run);
                row.texts.iter().fold(query, sqlx::query::Query::bind)
            });
            query.execute(&mut *tx).await.expect("inserted");
        }
        tx.commit().await.expect("committed");
    }
    for (_, sql) in indexes {
        sqlx::query(AssertSqlSafe(sql)).execute(pool).await.expect("an index");
    }
    // What the next checkpoint of the write-ahead log would do in the middle of the figures.
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(pool).await.expect("a checkpoint");
    head
}

async fn fill_postgres(pool: &PgPool, next: &mut impl FnMut(usize) -> Vec<Row>) -> String {
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "SELECT indexname::text, indexdef FROM pg_indexes WHERE tablename = 'audit' AND indexname <> 'audit_pkey'",
    )
    .fetch_all(pool)
    .await
    .expect("indexes");
    for (name, _) in &indexes {
        sqlx::query(AssertSqlSafe(format!("DROP INDEX {name}"))).execute(pool).await.expect("dropped");
    }
    let mut head = String::new();
    loop {
        let rows = next(50_000);
        let Some(last) = rows.last() else { break };
        head.clone_from(&last.hash);
        let sql = format!("COPY audit (seq, hash, prev, at, run_number, {}) FROM STDIN", TEXTS.join(", "));
        let mut copy = pool.copy_in_raw(&sql).await.expect("a copy");
        let mut text = String::new();
        for row in &rows {
            write!(text, "{}\t{}\t{}\t{}\t{}", row.number, row.hash, row.prev, row.at, row.run).expect("written");
            for value in &row.texts {
                write!(text, "\t{}", value.as_deref().unwrap_or("\\N")).expect("written");
            }
            text.push('\n');
        }
        copy.send(text.into_bytes()).await.expect("sent");
        copy.finish().await.expect("copied");
    }
    for (_, sql) in indexes {
        sqlx::query(AssertSqlSafe(sql)).execute(pool).await.expect("an index");
    }
    // As autovacuum does after a while.
    sqlx::query("VACUUM ANALYZE audit").execute(pool).await.expect("statistics");
    sqlx::query("CHECKPOINT").execute(pool).await.expect("a checkpoint");
    head
}

/// A kind of question, and one of it.
type Kind = (&'static str, fn(&mut Dice, i64) -> AuditFilter);

const KINDS: [Kind; 8] = [
    ("environment, person, action", |dice, _| AuditFilter { action: Some(action(dice)), ..of(dice, true, true) }),
    ("environment, person, failed", |dice, _| AuditFilter { failed: true, ..of(dice, true, true) }),
    ("environment, action, since", |dice, rows| AuditFilter {
        action: Some(action(dice)),
        since: Some(moment(dice, rows)),
        ..of(dice, true, false)
    }),
    ("person, action, until", |dice, rows| AuditFilter {
        action: Some(action(dice)),
        until: Some(moment(dice, rows)),
        ..of(dice, false, true)
    }),
    ("action, failed, before an entry", |dice, rows| AuditFilter {
        action: Some(action(dice)),
        failed: true,
        before: Some(1 + i64::try_from(dice.below(u64::try_from(rows).expect("rows"))).expect("small")),
        ..of(dice, false, false)
    }),
    ("environment, person, frequent words", |dice, _| AuditFilter {
        words: vec!["rehearsal".to_owned()],
        ..of(dice, true, true)
    }),
    ("environment, until, rare words", |dice, rows| AuditFilter {
        until: Some(moment(dice, rows)),
        words: vec!["zeppelin".to_owned()],
        ..of(dice, true, false)
    }),
    ("rare words alone", |dice, _| AuditFilter { words: vec!["zeppelin".to_owned()], ..of(dice, false, false) }),
];

fn of(dice: &mut Dice, environment: bool, person: bool) -> AuditFilter {
    AuditFilter {
        environment: environment.then(|| format!("env{}", dice.below(ENVIRONMENTS)).parse().expect("a name")),
        by: person.then(|| format!("slack:U{:08}", dice.below(PEOPLE))),
        page: 1,
        ..AuditFilter::default()
    }
}

fn action(dice: &mut Dice) -> String {
    ACTIONS[usize::try_from(dice.below(8)).expect("small")].to_owned()
}

fn moment(dice: &mut Dice, rows: i64) -> Timestamp {
    let row = i64::try_from(dice.below(u64::try_from(rows).expect("rows"))).expect("small");
    Timestamp(BEGIN_MS + row * APART_MS)
}

async fn questions(store: &Store, rows: u32) {
    println!("| newest 20 by | p50 | p99 | max | found |");
    println!("| --- | --- | --- | --- | --- |");
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut all = Durations::default();
    for (name, filter) in KINDS {
        let mut took = Durations::default();
        let mut found = 0;
        for _ in 0..QUESTIONS {
            let filter = filter(&mut dice, i64::from(rows));
            let start = Instant::now();
            let page = audit::page(store, &filter, 20).await.expect("a page");
            took.push(start.elapsed());
            all.push(start.elapsed());
            found += page.records.len();
        }
        row(name, &took, &format!("{:.1}", f64::from(u32::try_from(found).unwrap_or(u32::MAX)) / f64::from(QUESTIONS)));
    }
    row("all of these", &all, "");
}

fn row(name: &str, took: &Durations, rest: &str) {
    let [p50, p99, max] = [50.0, 99.0, 100.0].map(|percent| exact(took.percentile(percent)));
    println!("| {name} | {p50} ms | **{p99} ms** | {max} ms | {rest} |");
}

/// Milliseconds with two digits below one.
fn exact(took: Duration) -> String {
    if took < Duration::from_millis(1) { format!("{:.2}", took.as_secs_f64() * 1_000.0) } else { ms(took) }
}

async fn append(store: &Store) {
    let actor = Actor::person(ActorId::local("ito"), "ito");
    let shop = "env1".parse().expect("a name");
    let (mut appended, mut committed) = (Durations::default(), Durations::default());
    for number in 0..APPENDED {
        let entry = Entry {
            environment: Some(&shop),
            run: Some(RunNumber(i64::from(number))),
            typed: Some("up env1 slaves=40 because the rehearsal starts"),
            because: Some("the rehearsal starts"),
            decision: Decision::Allowed,
            result: Some("queued"),
            ..Entry::of_tidegate(&actor, "up")
        };
        let mut tx = store.begin().await.expect("a transaction");
        let start = Instant::now();
        audit::append(&mut tx, &entry).await.expect("appended");
        appended.push(start.elapsed());
        let start = Instant::now();
        tx.commit().await.expect("committed");
        committed.push(start.elapsed());
    }
    println!("\n| append | p50 | p99 | max | |");
    println!("| --- | --- | --- | --- | --- |");
    row("row and chain, inside a transaction", &appended, "");
    row("the commit after it, with fsync", &committed, "");
}

async fn prove(store: &Store) {
    let mut best = Duration::MAX;
    let mut entries = 0;
    for _ in 0..3 {
        let start = Instant::now();
        entries = audit::verify(store).await.expect("a whole chain");
        best = best.min(start.elapsed());
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are small")]
    let million = best.as_secs_f64() * 1_000_000.0 / entries as f64;
    println!("\n{entries} rows verified in {:.1} s: {million:.1} s a million.", best.as_secs_f64());
}
