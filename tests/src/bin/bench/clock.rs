//! The clock: a year of schedules with a clock that is given to it, how late it is in real time, what it costs while nothing is due,
//! and how long it takes to tell what comes. No Terraform runs here: whatever the clock puts into the queue is ended as done by this
//! program itself, in one statement for each look.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Timelike as _};
use tidegate_runner::bell::Bell;
use tidegate_runner::clockwork::{self, Clockwork, Watch};
use tidegate_runner::config::{self, Config};
use tidegate_runner::desk::Desk;
use tidegate_runner::domain::answer::Sight;
use tidegate_runner::domain::hours_on::Month;
use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::ledger::Store;
use tidegate_runner::problem::source::Source;
use tidegate_tests::postgres::Database;
use tokio::process::Command;
use tokio::sync::watch;

use super::figures::{Durations, ms};
use super::serve::{end, processor_time, wait_until_ready};
use super::world::{World, tidegate};

const DAY_MS: i64 = 86_400_000;

/// The simulated year begins at the first midnight of 2025 in UTC: it is over, so that `hours` counts it.
const BEGIN: Timestamp = Timestamp(1_735_689_600_000);

/// Zones of the environments, in turn.
const ZONES: [&str; 4] = ["Asia/Tokyo", "Europe/Berlin", "America/New_York", "UTC"];

/// Days of the month on which a crontab line of each environment fires.
const LINES: [u32; 9] = [1, 4, 7, 10, 13, 16, 19, 22, 25];

/// How often a question is asked.
const QUESTIONS: usize = 20;

/// The databases, as they are named on the command line.
pub(crate) const SQLITE: &str = "sqlite";
pub(crate) const POSTGRES: &str = "postgres";

/// Before processor time is counted, and for how long it is.
const SETTLE: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_mins(1);

/// Longest that firings in the same minute are waited for after it.
const LATE_MAX: Duration = Duration::from_mins(2);

/// Measures, and prints the tables, on the database that is named, or on both.
pub(crate) async fn run(environments: u32, days: u32, only: Option<&str>) {
    if only.is_none_or(|only| only == SQLITE) {
        let folder = tempfile::Builder::new().prefix("tidegate-bench.").tempdir().expect("a folder");
        let open = async |name: &str| {
            let file = folder.path().join(name);
            Store::open(&format!("sqlite:{}", file.display())).await.expect("a ledger")
        };
        measure("SQLite", &open("year.db").await, &open("late.db").await, environments, days).await;
        idle("SQLite", environments, None).await;
    }
    if only.is_none_or(|only| only == POSTGRES) {
        let (year, late, waits) = (Database::durable(), Database::durable(), Database::durable());
        let open = async |database: &Database| Store::open(database.url()).await.expect("a ledger");
        measure("PostgreSQL", &open(&year).await, &open(&late).await, environments, days).await;
        idle("PostgreSQL", environments, Some(waits.url())).await;
    }
}

async fn measure(name: &str, year: &Store, late: &Store, environments: u32, days: u32) {
    let schedules = environments * 10;
    println!("\n{name}: {environments} environments with {schedules} schedules\n");
    let desk = desk(year, &written(environments, &schedules_of));
    simulate(year, &desk, days).await;
    questions(&desk, days).await;
    lateness(late, environments).await;
}

/// Ten schedules: working hours, and nine crontab lines that raise for an hour in the night.
fn schedules_of(number: u32) -> String {
    let of = format!("[[environments.env{number}.schedules]]");
    let mut text = format!(
        "{of}\nname = \"working hours\"\nwindow = \"Mon-Fri 09:00-21:00\"\ninside = \"full\"\noutside = \"small\"\n"
    );
    for day in LINES {
        write!(text, "{of}\nname = \"night of the {day}\"\ncron = \"0 2 {day} * *\"\ndo = \"up full\"\nfor = \"1h\"\n")
            .expect("written");
    }
    text
}

fn written(environments: u32, schedules: &dyn Fn(u32) -> String) -> Config {
    let mut text = String::new();
    for number in 0..environments {
        let zone = usize::try_from(number).ok().and_then(|number| ZONES.get(number % ZONES.len())).unwrap_or(&"UTC");
        write!(
            text,
            "[environments.env{number}]\nowners = [\"local:ito\"]\nup = \"full\"\ndown = \"small\"\nzone = \"{zone}\"\n\
             [[environments.env{number}.stacks]]\nname = \"app\"\nroot = \"app{number}\"\n\
             [environments.env{number}.profiles]\nsmall.app.servers = 1\nfull.app.servers = 3\n{}",
            schedules(number)
        )
        .expect("written");
    }
    let config = config::parse(Source::new("/bench/tidegate.toml", &text), &|_| None).expect("a configuration");
    assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
    config
}

fn desk(store: &Store, config: &Config) -> Desk {
    Desk::new(store.clone(), watch::channel(Arc::new(config.clone())).1, Bell::default())
}

/// Everything that is due in so many days, each look at the moment at which something is.
async fn simulate(store: &Store, desk: &Desk, days: u32) {
    for name in desk.config().environments.keys() {
        let name = name.as_str();
        let sql = format!(
            "INSERT INTO environments (name, wanted, updated_at) VALUES ('{name}', '{{\"level\":\"small\",\"settings\":{{}}}}', 0)"
        );
        execute(store, &sql).await;
    }
    let mut clock = Clockwork::new(desk.clone(), store.clone());
    let until = BEGIN.plus_ms(i64::from(days) * DAY_MS);
    let (mut now, mut looks, mut turned) = (BEGIN, 0_u32, 0);
    let (mut looking, mut answering) = (Duration::ZERO, Duration::ZERO);
    loop {
        let start = Instant::now();
        let looked = clock.look(now).await.expect("the ledger");
        looking += start.elapsed();
        (looks, turned) = (looks + 1, turned + looked.turned.len());
        let start = Instant::now();
        if !looked.turned.is_empty() {
            all_done(store, now).await;
        }
        answering += start.elapsed();
        match looked.next {
            Some(next) if next <= until => now = next,
            Some(_) | None => break,
        }
    }
    let [firings, runs] = [count(store, "firings").await, count(store, "runs").await];
    let each = looking.checked_div(u32::try_from(turned).unwrap_or(u32::MAX)).unwrap_or_default();
    println!("| {days} days | |\n| --- | --- |");
    println!("| the clock's work | {:.1} s |", looking.as_secs_f64());
    println!("| looks, and transitions carried out in them | {looks}, {turned} |");
    println!("| for each transition | {} ms |", ms(each));
    println!("| rows: firings, runs | {firings}, {runs} |");
    println!("| ending the runs, by this program | {:.1} s |", answering.as_secs_f64());
}

/// Everything in the queue succeeds at once.
async fn all_done(store: &Store, now: Timestamp) {
    let of = |what: &str| {
        format!(
            "(SELECT {what} FROM runs r WHERE r.environment = environments.name AND r.ended_at IS NULL ORDER BY r.number DESC LIMIT 1)"
        )
    };
    let wanted = format!("'{{\"level\":\"' || {} || '\",\"settings\":{{}}}}'", of("r.level"));
    let sql =
        format!("UPDATE environments SET wanted_run = {}, wanted = {wanted} WHERE EXISTS {}", of("r.number"), of("1"));
    execute(store, &sql).await;
    let state = "{\"state\":\"ended\",\"outcome\":\"succeeded\"}";
    let sql = format!(
        "UPDATE runs SET status = 'succeeded', state = '{state}', changed = TRUE, ended_at = {} WHERE ended_at IS NULL",
        now.0
    );
    execute(store, &sql).await;
}

/// What people ask: what comes, and the hours of a month.
async fn questions(desk: &Desk, days: u32) {
    let all = Sight { all: true, environments: Vec::new() };
    let mut next = Durations::default();
    let mut hours = Durations::default();
    let mut on = Durations::default();
    let middle = DateTime::from_timestamp_millis(BEGIN.plus_ms(i64::from(days) * DAY_MS / 2).0).expect("a time");
    let month = Month::of(middle.date_naive());
    let mut transitions = 0;
    for _ in 0..QUESTIONS {
        let start = Instant::now();
        let told = desk.next(None, None, 7, &all).await.expect("the ledger");
        next.push(start.elapsed());
        transitions = told.iter().map(|upcoming| upcoming.transitions.len()).sum();
        let start = Instant::now();
        desk.hours(None, Some(month), &all).await.expect("the ledger");
        hours.push(start.elapsed());
        let start = Instant::now();
        desk.on(&all).await.expect("the ledger");
        on.push(start.elapsed());
    }
    println!("\n| question | p50 | p99 |\n| --- | --- | --- |");
    for (name, took) in [
        (format!("`next 7d`, {transitions} transitions"), next),
        (format!("`hours all {month}`"), hours),
        ("`on`".to_owned(), on),
    ] {
        println!("| {name} | {} ms | **{} ms** |", ms(took.median()), ms(took.percentile(99.0)));
    }
}

/// From the minute in which every environment has something due to the row of each run.
async fn lateness(store: &Store, environments: u32) {
    let now = store.now().await.expect("the ledger's clock");
    // The whole minute that is at least 20 s away.
    let due = Timestamp((now.0 + 20_000).div_euclid(60_000) * 60_000 + 60_000);
    let wall = DateTime::from_timestamp_millis(due.0).expect("a time");
    let line = |number: u32| {
        format!(
            "[[environments.env{number}.schedules]]\nname = \"all at once\"\nzone = \"UTC\"\ncron = \"{} {} * * *\"\n\
             do = \"up full\"\nfor = \"1h\"\n",
            wall.minute(),
            wall.hour()
        )
    };
    let config = Arc::new(written(environments, &line));
    let (_told, listens) = watch::channel(config);
    let desk = Desk::new(store.clone(), listens.clone(), Bell::default());
    let clock = tokio::spawn(clockwork::run(desk, store.clone(), Bell::default(), listens, Watch::default()));
    let deadline = Duration::from_millis(u64::try_from(due.ms_since(now)).unwrap_or_default()) + LATE_MAX;
    let start = Instant::now();
    while count(store, "runs").await < i64::from(environments) && start.elapsed() < deadline {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    clock.abort();
    let mut late = Durations::default();
    for at in accepted(store).await {
        late.push(Duration::from_millis(u64::try_from(at - due.0).unwrap_or_default()));
    }
    let told = [50.0, 99.0, 100.0].map(|percent| ms(late.percentile(percent)));
    println!("\n| firings in the same minute | late, p50 | p99 | max |\n| --- | --- | --- | --- |");
    println!("| {} of {environments} | {} ms | **{} ms** | {} ms |", late.len(), told[0], told[1], told[2]);
}

/// `tidegate serve` while nothing is due, and how soon one that comes after its death follows the schedules.
async fn idle(name: &str, environments: u32, url: Option<&str>) {
    let world = World::new(usize::try_from(environments).expect("small"), "");
    if let Some(url) = url {
        world.keeps_its_ledger_at(url);
    }
    let mut text = std::fs::read_to_string(world.config()).expect("a file");
    for number in 0..environments {
        text.push_str(&schedules_of(number));
    }
    std::fs::write(world.config(), text).expect("a file");
    let mut command = Command::new(tidegate());
    command.arg("serve").current_dir(world.path()).stdin(std::process::Stdio::null());
    let start = Instant::now();
    let mut child = command.stderr(std::process::Stdio::piped()).kill_on_drop(true).spawn().expect("tidegate serve");
    wait_until_ready(&mut child).await;
    let ready = start.elapsed();
    let pid = child.id().expect("it runs");
    tokio::time::sleep(SETTLE).await;
    let before = processor_time(pid);
    tokio::time::sleep(IDLE).await;
    let busy = processor_time(pid).saturating_sub(before).as_secs_f64() / IDLE.as_secs_f64() * 100.0;
    println!("\n| `tidegate serve` with {} schedules, {name} | |\n| --- | --- |", environments * 10);
    println!("| until ready, with a new ledger | {} ms |", ms(ready));
    println!("| processor time idle, over {} s | {busy:.2} % of a core |", IDLE.as_secs());
    // Its lease stands for 14 s more. Beside an SQLite file whoever comes next does not wait for that.
    let ledger = format!("sqlite:{}", world.path().join("state/tidegate.db").display());
    let store = Store::open(url.unwrap_or(&ledger)).await.expect("the ledger");
    let dead = holder(&store).await;
    child.kill().await.expect("killed");
    let mut command = Command::new(tidegate());
    command.arg("serve").current_dir(world.path()).stdin(std::process::Stdio::null());
    let start = Instant::now();
    let mut child = command.stderr(std::process::Stdio::piped()).kill_on_drop(true).spawn().expect("tidegate serve");
    let follows = async {
        while holder(&store).await == dead {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        start.elapsed()
    };
    let ready = async {
        wait_until_ready(&mut child).await;
        start.elapsed()
    };
    let (follows, ready) = tokio::join!(follows, ready);
    println!("| after `kill -9`: until ready, until it follows the schedules | {} ms, {} ms |", ms(ready), ms(follows));
    end(child).await;
}

/// Which process follows the schedules.
async fn holder(store: &Store) -> Option<String> {
    const SQL: &str = "SELECT holder FROM leases WHERE name = 'clock'";
    match store {
        Store::Sqlite { read, .. } => sqlx::query_scalar(SQL).fetch_optional(read).await.expect("a holder"),
        Store::Postgres { pool, .. } => sqlx::query_scalar(SQL).fetch_optional(pool).await.expect("a holder"),
    }
}

async fn execute(store: &Store, sql: &str) {
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    match store {
        Store::Sqlite { write, .. } => drop(sqlx::query(sql).execute(write).await.expect("a statement")),
        Store::Postgres { pool, .. } => drop(sqlx::query(sql).execute(pool).await.expect("a statement")),
    }
}

async fn count(store: &Store, table: &str) -> i64 {
    let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
    match store {
        Store::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(read).await.expect("a number"),
        Store::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_one(pool).await.expect("a number"),
    }
}

/// When each run was accepted.
async fn accepted(store: &Store) -> Vec<i64> {
    const SQL: &str = "SELECT accepted_at FROM runs";
    match store {
        Store::Sqlite { read, .. } => sqlx::query_scalar(SQL).fetch_all(read).await.expect("numbers"),
        Store::Postgres { pool, .. } => sqlx::query_scalar(SQL).fetch_all(pool).await.expect("numbers"),
    }
}
