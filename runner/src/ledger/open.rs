//! Opens a ledger: makes what is missing, migrates, and says clearly what is wrong.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use super::address::Address;
use super::error::{LedgerError, OpenError, reached};
use super::migrate;
use super::store::Store;

/// How long a statement waits for a lock that another program holds.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a transaction on a server may do nothing before its connection is ended: less than others wait for what it locks.
const STALLED: Duration = Duration::from_millis(2_500);
/// How long a server may take to answer the first time.
const ANSWER: Duration = Duration::from_secs(10);
/// Rows that SQLite may have read before they are taken.
const ROWS_AHEAD: usize = 500;
const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 8;
/// For a hundred messages a second where the server is 20 ms away, each way.
const POSTGRES_DOOR: u32 = 10;
/// A connection that did nothing for longer is asked whether it is still there.
const IDLE: Duration = Duration::from_secs(1);

impl Store {
    /// Opens the ledger at `address` (`sqlite:FILE`, `postgres://...`). Makes the SQLite file and its folder, readable
    /// by their owner only, and brings the tables to the format of this program.
    pub async fn open(address: &str) -> Result<Self, OpenError> {
        Self::open_at(&address.parse()?).await
    }

    /// As [`Store::open`], with an address that was read before.
    pub async fn open_at(address: &Address) -> Result<Self, OpenError> {
        Self::open_patiently(address, PATIENCE, STALLED).await
    }

    /// Looks into an SQLite ledger that is there in the format of this program, and makes, migrates and changes nothing. `None`: there
    /// is none, or in another format, or it is on a server.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn look_into(address: &Address) -> Result<Option<Self>, OpenError> {
        let Address::Sqlite(file) = address else { return Ok(None) };
        if !file.exists() {
            return Ok(None);
        }
        let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(PATIENCE);
        let pool = || SqlitePoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
        let (read, write) = (pool().connect_lazy_with(options.clone()), pool().connect_lazy_with(options));
        let highest = migrate::highest(&read).await;
        let highest = highest.map_err(|why| OpenError::Ledger { place: address.to_string(), why })?;
        Ok((highest == Some(migrate::newest())).then_some(Self::Sqlite { read, write }))
    }

    /// As [`Store::open_at`]; a statement waits for others at most as long as `patience`, and a transaction on a server that does
    /// nothing for longer than `stalled` has lost its connection.
    pub async fn open_patiently(address: &Address, patience: Duration, stalled: Duration) -> Result<Self, OpenError> {
        let opened = match address {
            Address::Sqlite(file) => sqlite(file, patience).await,
            Address::Postgres(options) => postgres(options, patience, stalled).await,
        };
        opened.map_err(|why| OpenError::Ledger { place: address.to_string(), why })
    }
}

/// Opens or makes files that only their owner may read.
pub(super) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true).mode(0o600);
    options
}

/// A file of the ledger beside `file`.
pub(super) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

async fn sqlite(file: &Path, patience: Duration) -> Result<Store, LedgerError> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        reached(folder, DirBuilder::new().recursive(true).mode(0o700).create(folder))?;
    }
    // The superuser could write all the same; who took the permission away meant it.
    if std::fs::metadata(file).is_ok_and(|found| found.permissions().readonly()) {
        return Err(LedgerError::ReadOnly);
    }
    let lock = migrate::lock_beside(file).await?;
    drop(reached(file, private_file().open(file))?);
    for ending in ["-wal", "-shm"] {
        let beside = beside(file, ending);
        match OpenOptions::new().read(true).write(true).open(&beside) {
            // SQLite makes them when it needs them.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            opened => drop(reached(&beside, opened)?),
        }
    }
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // Rows come from a thread of the driver's own: fewer turns between the two for long answers.
        .row_buffer_size(ROWS_AHEAD)
        .busy_timeout(patience);
    // It stays open: with the last connection the write-ahead log would go, which is watched for what others write.
    let stays = SqlitePoolOptions::new().max_lifetime(None).idle_timeout(None);
    let write = stays.max_connections(1).acquire_timeout(patience).connect_with(options.clone()).await?;
    migrate::sqlite(&mut *write.acquire().await?).await?;
    drop(lock);
    let read = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS)
        .acquire_timeout(patience)
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Store::Sqlite { read, write })
}

async fn postgres(options: &PgConnectOptions, patience: Duration, stalled: Duration) -> Result<Store, LedgerError> {
    // Not from the pool: a pool tries again and again, and its timeout says less than the first refusal.
    let mut connection = tokio::time::timeout(ANSWER, options.connect())
        .await
        .map_err(|_| LedgerError::Unreachable(format!("no answer within {} s", ANSWER.as_secs())))??;
    migrate::postgres(&mut connection).await?;
    connection.close().await?;
    // A machine that stands still within a transaction keeps its locks for as long as its connection seems to live, which can
    // be hours; what it holds is needed to take its runs over.
    let (patience, stalled) = (patience.as_millis(), stalled.as_millis());
    let wait = format!("SET lock_timeout = {patience}; SET idle_in_transaction_session_timeout = {stalled}");
    let pool = || {
        let wait = wait.clone();
        PgPoolOptions::new()
            .acquire_timeout(ANSWER)
            .after_connect(move |connection, _| {
                let wait = sqlx::AssertSqlSafe(wait.clone());
                Box::pin(async move { sqlx::raw_sql(wait).execute(connection).await.map(|_| ()) })
            })
            // What was used a moment ago is there: to ask it each time would double the way of a single statement.
            .test_before_acquire(false)
            .before_acquire(|connection, about| {
                Box::pin(async move {
                    if about.idle_for > IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
    };
    Ok(Store::Postgres {
        pool: pool().max_connections(POSTGRES_CONNECTIONS).connect_lazy_with(options.clone()),
        // They stay, however quiet it is: whoever speaks first in the morning does not wait for one.
        door: pool().max_connections(POSTGRES_DOOR).idle_timeout(None).connect_lazy_with(options.clone()),
    })
}
