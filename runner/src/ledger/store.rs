//! The two databases behind one face: connections, transactions and the clock.

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::time::Instant;

use sqlx::pool::PoolConnection;
use sqlx::{Database, PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use tokio::task::JoinSet;

use super::address::Address;
use super::error::LedgerError;
use crate::domain::ids::Timestamp;

/// Carries out one statement on whichever database it is: `on!(db, fetch_all, sqlx::query_as(SQL).bind(x))`.
/// `execute` gives the number of rows that it changed.
macro_rules! on {
    ($db:expr, execute, $query:expr) => {
        on!(@each $db, link => $query.execute(&mut *link).await.map(|done| done.rows_affected()))
    };
    ($db:expr, $how:ident, $query:expr) => {
        on!(@each $db, link => $query.$how(&mut *link).await)
    };
    (@each $db:expr, $link:ident => $outcome:expr) => {
        match $crate::ledger::store::Access::reach(&mut $db).await {
            Ok($crate::ledger::store::Reach::Sqlite(mut $link)) => {
                $outcome.map_err($crate::ledger::error::LedgerError::from)
            }
            Ok($crate::ledger::store::Reach::Postgres(mut $link)) => {
                $outcome.map_err($crate::ledger::error::LedgerError::from)
            }
            Err(error) => Err(error),
        }
    };
}

/// A struct that is read from a row, field by field by the names of its columns, of either database. In place of
/// `#[derive(FromRow)]`: sqlx's own macros would build both database drivers, with SQLite in C, a second time for themselves.
macro_rules! row {
    (
        $(#[$about:meta])*
        $seen:vis struct $name:ident { $($(#[$of:meta])* $reach:vis $field:ident: $kind:ty,)* }
    ) => {
        $(#[$about])*
        $seen struct $name { $($(#[$of])* $reach $field: $kind,)* }

        impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for $name
        where
            &'static str: sqlx::ColumnIndex<R>,
            $($kind: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,)*
        {
            fn from_row(row: &'r R) -> sqlx::Result<Self> {
                Ok(Self { $($field: row.try_get(stringify!($field))?,)* })
            }
        }
    };
}

/// An open ledger. Cloning is cheap; all clones share their connections.
#[derive(Debug, Clone)]
pub enum Store {
    /// An SQLite file.
    Sqlite {
        /// Connections that only read.
        read: SqlitePool,
        /// The one connection that writes: writers of this process queue here in order, instead of polling a lock.
        write: SqlitePool,
    },
    /// A PostgreSQL database.
    Postgres {
        /// Connections for everything else.
        pool: PgPool,
        /// Connections that only store what came in: whoever said it is told within seconds that it was heard, however many
        /// answers wait for a connection.
        door: PgPool,
    },
}

/// A transaction. Rolled back when dropped.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>, Clock),
}

/// What the server's clock said within a transaction, and when: it is asked once.
#[derive(Debug, Default)]
pub struct Clock(Option<(Timestamp, Instant)>);

impl Clock {
    fn now(&self) -> Option<Timestamp> {
        let (said, at) = self.0?;
        Some(said.plus_ms(i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX)))
    }
}

/// A connection for one statement.
#[derive(Debug)]
pub enum Link<'a, DB: Database> {
    /// From the pool.
    Pooled(PoolConnection<DB>),
    /// Of a transaction.
    Borrowed(&'a mut DB::Connection),
}

/// A connection to either database.
#[derive(Debug)]
pub enum Reach<'a> {
    /// To SQLite.
    Sqlite(Link<'a, Sqlite>),
    /// To PostgreSQL.
    Postgres(Link<'a, Postgres>),
}

/// Anything that a statement can be carried out on: `&Store` (reading) or `&mut Tx`.
pub trait Access: Send {
    /// A connection.
    fn reach(&mut self) -> impl Future<Output = Result<Reach<'_>, LedgerError>> + Send;

    /// What is remembered of the server's clock, where that is so short a time that it can be trusted.
    fn clock(&mut self) -> Option<&mut Clock> {
        None
    }
}

/// Where what came in is stored, one statement each: see [`Store::Postgres`].
#[derive(Debug)]
pub struct Door<'a>(&'a Store);

impl Access for Door<'_> {
    async fn reach(&mut self) -> Result<Reach<'_>, LedgerError> {
        Ok(match self.0 {
            Store::Sqlite { write, .. } => Reach::Sqlite(Link::Pooled(write.acquire().await?)),
            Store::Postgres { door, .. } => Reach::Postgres(Link::Pooled(door.acquire().await?)),
        })
    }
}

impl<DB: Database> Deref for Link<'_, DB> {
    type Target = DB::Connection;
    fn deref(&self) -> &DB::Connection {
        match self {
            Self::Pooled(connection) => connection,
            Self::Borrowed(connection) => connection,
        }
    }
}

impl<DB: Database> DerefMut for Link<'_, DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        match self {
            Self::Pooled(connection) => connection,
            Self::Borrowed(connection) => connection,
        }
    }
}

impl Access for &Store {
    async fn reach(&mut self) -> Result<Reach<'_>, LedgerError> {
        Ok(match self {
            Store::Sqlite { read, .. } => Reach::Sqlite(Link::Pooled(read.acquire().await?)),
            Store::Postgres { pool, .. } => Reach::Postgres(Link::Pooled(pool.acquire().await?)),
        })
    }
}

impl Access for Tx {
    async fn reach(&mut self) -> Result<Reach<'_>, LedgerError> {
        Ok(match self {
            Self::Sqlite(transaction) => Reach::Sqlite(Link::Borrowed(&mut **transaction)),
            Self::Postgres(transaction, _) => Reach::Postgres(Link::Borrowed(&mut **transaction)),
        })
    }

    fn clock(&mut self) -> Option<&mut Clock> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(_, clock) => Some(clock),
        }
    }
}

impl<A: Access> Access for &mut A {
    fn reach(&mut self) -> impl Future<Output = Result<Reach<'_>, LedgerError>> + Send {
        (**self).reach()
    }

    fn clock(&mut self) -> Option<&mut Clock> {
        (**self).clock()
    }
}

impl Store {
    /// Begins a transaction that may write. Dropping it before [`Tx::commit`] undoes it.
    ///
    /// Never hold one across a child process or a network call: on SQLite it keeps all other writers out.
    pub async fn begin(&self) -> Result<Tx, LedgerError> {
        Ok(match self {
            // A deferred transaction that reads first and writes later can fail in its middle; this one cannot.
            Self::Sqlite { write, .. } => Tx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres { pool, .. } => Tx::Postgres(pool.begin().await?, Clock::default()),
        })
    }

    /// Where what comes in is stored before it is acknowledged: not behind what answers it.
    #[must_use]
    pub fn door(&self) -> Door<'_> {
        Door(self)
    }

    /// Opens the connections of [`Store::door`] now: opening one takes several answers of a server, for which nobody who speaks is to wait.
    pub async fn open_door(&self) {
        let Self::Postgres { door, .. } = self else { return };
        let mut opened = JoinSet::new();
        for _ in 0..door.options().get_max_connections() {
            let door = door.clone();
            opened.spawn(async move { door.acquire().await });
        }
        // All are held until the last is open. One that cannot be is opened when it is needed, and that is told then.
        drop(opened.join_all().await);
    }

    /// Begins a transaction that sees everything as it is at one moment and cannot write.
    pub async fn snapshot(&self) -> Result<Tx, LedgerError> {
        Ok(match self {
            Self::Sqlite { read, .. } => Tx::Sqlite(read.begin().await?),
            Self::Postgres { pool, .. } => {
                let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
                // It locks nothing that others wait for, and whoever takes what it reads may be slow: a pipe, a file.
                sqlx::query("SET LOCAL idle_in_transaction_session_timeout = 0").execute(&mut *tx).await?;
                Tx::Postgres(tx, Clock::default())
            }
        })
    }

    /// Now, by the database's clock.
    pub async fn now(&self) -> Result<Timestamp, LedgerError> {
        match self {
            // Without waiting for a connection.
            Self::Sqlite { .. } => Ok(clock_of_sqlite()),
            Self::Postgres { .. } => now(self).await,
        }
    }

    /// Where it is, for people: without user and password.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Sqlite { write, .. } => write.connect_options().get_filename().display().to_string(),
            Self::Postgres { pool, .. } => Address::Postgres(Box::new((*pool.connect_options()).clone())).to_string(),
        }
    }

    /// Makes new connections of a server with the user and password of `address` from now on; those that stand go on.
    pub fn connect_as(&self, address: &Address) {
        if let (Self::Postgres { pool, door }, Address::Postgres(options)) = (self, address) {
            pool.set_connect_options(options.as_ref().clone());
            door.set_connect_options(options.as_ref().clone());
        }
    }

    /// Waits until all connections are given back and closes them.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres { pool, door } => {
                door.close().await;
                pool.close().await;
            }
        }
    }
}

impl Tx {
    /// Makes it last. When this returns, the changes survive a power cut.
    pub async fn commit(self) -> Result<(), LedgerError> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await?,
            Self::Postgres(transaction, _) => transaction.commit().await?,
        }
        Ok(())
    }

    /// Undoes it now rather than at some time after the drop.
    pub async fn rollback(self) -> Result<(), LedgerError> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await?,
            Self::Postgres(transaction, _) => transaction.rollback().await?,
        }
        Ok(())
    }
}

/// Now, by the database's clock, in milliseconds, as a statement on PostgreSQL.
macro_rules! server_clock {
    () => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
    };
}

/// Now, by the database's clock. It moves on inside a transaction, in which a server is asked for it once. SQLite's is this process's,
/// which need not be asked for it by a statement: a step to the connection's thread and back costs more than all that a statement does.
pub async fn now(mut db: impl Access) -> Result<Timestamp, LedgerError> {
    if let Some(now) = db.clock().and_then(|clock| clock.now()) {
        return Ok(now);
    }
    let ms: i64 = match db.reach().await? {
        Reach::Sqlite(_) => return Ok(clock_of_sqlite()),
        Reach::Postgres(mut link) => {
            sqlx::query_scalar(concat!("SELECT ", server_clock!())).fetch_one(&mut *link).await?
        }
    };
    if let Some(clock) = db.clock() {
        *clock = Clock(Some((Timestamp(ms), Instant::now())));
    }
    Ok(Timestamp(ms))
}

#[expect(clippy::disallowed_methods, reason = "this is the ledger's clock: SQLite has none but this process's")]
pub(super) fn clock_of_sqlite() -> Timestamp {
    Timestamp(chrono::Utc::now().timestamp_millis())
}
