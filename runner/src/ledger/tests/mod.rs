//! Tests of the ledger, each on both databases.

mod aggregates;
mod append_only;
mod audit;
mod bookings;
mod chain;
mod claims;
mod deeds;
mod fold;
mod history;
mod migrations;
mod opening;
mod plans;
mod pruning;
mod removal;
mod runs;
mod schedules;
mod server;
mod tampering;

use std::collections::{BTreeMap, BTreeSet};

use super::runs::{AppendError, Appended, Fence, NewRun};
use super::{Address, Store, Tx, ids};
use crate::domain::answer::{Actor, RunSummary};
use crate::domain::ids::{ActorId, EnvironmentName, RunId, StackName, Timestamp};
use crate::domain::order::Direction;
use crate::domain::request::{AskedAs, RunKind, RunRequest, Target};
use crate::domain::run::{Outcome, Phase, Question, QuestionWhy, RunEvent};

/// Runs a test on an empty ledger on SQLite, then on one on PostgreSQL.
pub(crate) async fn on_both(test: impl AsyncFn(Store)) {
    at_both(async |address| {
        let store = Store::open_at(&address).await.expect("a ledger that opens");
        Box::pin(test(store.clone())).await;
        store.close().await;
    })
    .await;
}

/// Runs a test on a place where an SQLite ledger can be made, then on an empty PostgreSQL database.
pub(crate) async fn at_both(test: impl AsyncFn(Address)) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    test(Address::Sqlite(folder.path().join("state/ledger.db"))).await;
    let database = server::Database::create().await;
    test(database.address()).await;
}

/// True when the long form of the tests is wanted.
fn long() -> bool {
    std::env::var_os("TIDEGATE_LONG").is_some_and(|value| value == "1")
}

fn environment(name: &str) -> EnvironmentName {
    name.parse().expect("a valid name")
}

fn stack(name: &str) -> StackName {
    name.parse().expect("a valid name")
}

fn actor(name: &str) -> Actor {
    Actor::person(ActorId::local(name), name)
}

fn target(level: &str) -> Target {
    Target { level: level.parse().expect("a valid level"), settings: BTreeMap::new() }
}

fn request(kind: RunKind, environment_name: &str, level: &str) -> RunRequest {
    RunRequest {
        kind,
        environment: environment(environment_name),
        target: target(level),
        before: None,
        stacks: [(stack("app"), Direction::Rise), (stack("jmeter"), Direction::Rise)].into_iter().collect(),
        sizes: Vec::new(),
        asks: false,
        newest_code: false,
        because: Some("朝の試験".to_owned()),
        counted: std::collections::BTreeSet::new(),
        scheduled: false,
        until: None,
        retry_of: None,
        asked_as: AskedAs::default(),
        typed_by: None,
        against: BTreeSet::new(),
        clears: false,
        by_hand: None,
    }
}

/// Puts a run into the queue, in a transaction of its own.
async fn submit(store: &Store, request: RunRequest, asker: &str) -> RunSummary {
    let id = ids::run_id(store.now().await.unwrap());
    let run = NewRun { id, request, asker: actor(asker), door: "shell".to_owned(), place: None };
    let mut tx = store.begin().await.unwrap();
    let run = super::runs::insert(&mut tx, run).await.unwrap();
    tx.commit().await.unwrap();
    run
}

async fn submit_up(store: &Store, environment: &str) -> RunSummary {
    submit(store, request(RunKind::Up, environment, "full"), "ito").await
}

/// [`append_many`] in a transaction of its own, tried again when somebody else was faster.
async fn record(
    store: &Store,
    run: RunId,
    events: &[RunEvent],
    fence: Option<&Fence>,
) -> Result<Appended, AppendError> {
    let mut tries = 1;
    loop {
        let mut tx = store.begin().await?;
        let outcome = match super::runs::append_many(&mut tx, run, events, fence).await {
            Ok(appended) => tx.commit().await.map(|()| appended).map_err(AppendError::Db),
            Err(error) => {
                tx.rollback().await?;
                Err(error)
            }
        };
        match outcome {
            Err(AppendError::LostRace(_)) if tries < 5 => tries += 1,
            Err(AppendError::Db(error)) if error.lost_race() && tries < 5 => tries += 1,
            outcome => return outcome,
        }
    }
}

/// Appends events, which must be possible.
async fn tell(store: &Store, run: RunId, events: &[RunEvent]) {
    record(store, run, events, None).await.unwrap();
}

fn claimed(runner: &str, attempt: i64) -> RunEvent {
    RunEvent::Claimed { runner: runner.to_owned(), attempt }
}

fn fence(runner: &str, attempt: i64) -> Fence {
    Fence { runner: runner.to_owned(), attempt }
}

fn started(phase: Phase) -> RunEvent {
    RunEvent::StackStarted { stack: stack("app"), phase }
}

fn lost_track() -> RunEvent {
    RunEvent::LostTrack { stack: stack("app"), finding: "the runner is gone".to_owned(), others: Vec::new() }
}

fn ended(outcome: Outcome) -> RunEvent {
    RunEvent::ended(outcome)
}

fn asked(expires: Timestamp) -> RunEvent {
    RunEvent::Asked { question: Question::plain(QuestionWhy::Previewed, "d1".to_owned(), expires) }
}

fn approved() -> RunEvent {
    RunEvent::approved(ActorId::local("mori"), "d1")
}

/// Events of a run that changes something and succeeds, from the claim on.
fn succeeding() -> Vec<RunEvent> {
    vec![
        claimed("r1", 1),
        RunEvent::ApplyBegan,
        started(Phase::Apply),
        RunEvent::VerifyBegan,
        ended(Outcome::Succeeded),
    ]
}

/// A moment of the database's clock that is later than everything before, and not later than anything after.
async fn next_moment(store: &Store) -> Timestamp {
    let begin = store.now().await.unwrap();
    loop {
        let now = store.now().await.unwrap();
        if now > begin {
            return now;
        }
    }
}

/// Key and text of each message without an answer.
async fn unanswered(mut store: &Store) -> Vec<(String, String)> {
    const SQL: &str = "SELECT key, body FROM inbox WHERE answered_at IS NULL ORDER BY key";
    on!(store, fetch_all, sqlx::query_as(SQL)).unwrap()
}

/// The texts in one column.
pub(crate) async fn texts(mut store: &Store, query: &'static str) -> Vec<String> {
    on!(store, fetch_all, sqlx::query_scalar(query)).unwrap()
}

/// Carries out SQL that the ledger itself never would; `;` separates statements.
pub(crate) async fn sql(store: &Store, statements: &str) -> Result<(), sqlx::Error> {
    match store.begin().await.expect("a transaction") {
        Tx::Sqlite(mut tx) => {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(&mut *tx).await?;
            tx.commit().await
        }
        Tx::Postgres(mut tx, _) => {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(&mut *tx).await?;
            tx.commit().await
        }
    }
}
