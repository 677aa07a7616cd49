//! What the ledger of a yard says, and what a test does to it behind everybody's back.

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use tidegate_runner::domain::answer::RunSummary;
use tidegate_runner::domain::failure::Failure;
use tidegate_runner::domain::ids::RunNumber;
use tidegate_runner::domain::run::{EventRecord, RunEvent, RunView, StackState};
use tidegate_runner::ledger::{Store, runs};

use crate::yard::Yard;

impl Yard {
    /// The ledger.
    pub async fn store(&self) -> &Store {
        let open = async || {
            let address = match self.database.strip_prefix("sqlite:") {
                Some(file) => format!("sqlite:{}", self.file(file).display()),
                None => self.database.clone(),
            };
            Store::open(&address).await.expect("the ledger")
        };
        self.store.get_or_init(open).await
    }

    /// A run, if there is one.
    pub async fn known(&self, number: i64) -> Option<RunView> {
        let run = runs::by_number(self.store().await, RunNumber(number)).await.expect("the ledger")?;
        runs::view(self.store().await, run.id).await.expect("the ledger")
    }

    /// A run.
    pub async fn view(&self, number: i64) -> RunView {
        self.known(number).await.expect("a run")
    }

    /// A run's row.
    pub async fn row(&self, number: i64) -> RunSummary {
        runs::by_number(self.store().await, RunNumber(number)).await.expect("the ledger").expect("a run")
    }

    /// A run's events.
    pub async fn events(&self, number: i64) -> Vec<RunEvent> {
        self.records(number).await.into_iter().map(|EventRecord { event, .. }| event).collect()
    }

    /// The same, each with when it was stored.
    pub async fn records(&self, number: i64) -> Vec<EventRecord> {
        let run = self.row(number).await;
        runs::events(self.store().await, run.id, 0).await.expect("the ledger")
    }

    /// The word for a run's state; empty when there is no such run.
    pub async fn status(&self, number: i64) -> &'static str {
        self.known(number).await.map_or("", |view| view.state.status())
    }

    /// Waits until a run is in this state, and gives it.
    pub async fn until(&self, number: i64, status: &str) -> RunView {
        self.wait(&format!("run {number} {status}"), async || {
            let view = self.known(number).await?;
            let there = view.state.status();
            assert!(there == status || !view.state.ended(), "run {number} is {there}, not {status}: {view:#?}");
            (there == status).then_some(view)
        })
        .await
    }

    /// Waits until another engine than the first has taken the run over, and asserts that it is in this state then.
    pub async fn until_taken_over(&self, number: i64, status: &str) {
        let what = format!("run {number} taken over");
        let there = self.wait(&what, async || {
            let view = self.known(number).await?;
            (view.attempt > 1).then_some(view.state.status())
        });
        assert_eq!(there.await, status);
    }

    /// Waits until a run has ended, and gives the word for how.
    pub async fn ends(&self, number: i64) -> &'static str {
        self.wait(&format!("the end of run {number}"), async || {
            let view = self.known(number).await?;
            view.state.ended().then_some(view.state.status())
        })
        .await
    }

    async fn behind(&self) -> SqliteConnection {
        let url = format!("sqlite:{}", self.file("tidegate.db").display());
        SqliteConnection::connect(&url).await.expect("the ledger")
    }

    /// Changes the ledger behind everybody's back.
    pub async fn change_ledger(&self, sql: &str) {
        let mut behind = self.behind().await;
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut behind).await.expect("changed");
        behind.close().await.expect("closed");
    }

    /// A number in the ledger.
    pub async fn number(&self, sql: &'static str) -> i64 {
        let mut behind = self.behind().await;
        let number = sqlx::query_scalar(sql).fetch_one(&mut behind).await.expect("a number");
        behind.close().await.expect("closed");
        number
    }

    /// Locks the ledger until [`Lock::free`].
    pub async fn lock_ledger(&self) -> Lock {
        let mut behind = self.behind().await;
        sqlx::query("BEGIN EXCLUSIVE").execute(&mut behind).await.expect("locked");
        Lock(behind)
    }
}

/// A ledger that nobody else can write to.
#[derive(Debug)]
pub struct Lock(SqliteConnection);

impl Lock {
    /// Frees it.
    pub async fn free(mut self) {
        sqlx::query("ROLLBACK").execute(&mut self.0).await.expect("freed");
        self.0.close().await.expect("closed");
    }
}

/// Why a stack of a run failed.
#[must_use]
pub fn failure<'v>(view: &'v RunView, stack: &str) -> Option<&'v Failure> {
    view.stacks.iter().find(|(name, _)| name.as_str() == stack).and_then(|(_, view)| match &view.state {
        StackState::Failed(_, failure) => Some(failure.as_ref()),
        _ => None,
    })
}
