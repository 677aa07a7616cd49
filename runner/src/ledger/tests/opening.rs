//! Opening a ledger, and every way in which that fails.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _};

use super::{at_both, on_both, sql, submit_up};
use crate::ledger::{Address, LedgerError, OpenError, Store, runs};

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_mins(1);

async fn refused(address: &Address) -> LedgerError {
    match Store::open_patiently(address, SHORT, LONG).await.expect_err("a ledger that does not open") {
        OpenError::Ledger { place, why } => {
            assert!(!place.is_empty());
            why
        }
        OpenError::Address(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_ledger_is_made_once_and_found_again() {
    at_both(async |address| {
        let store = Store::open_at(&address).await.unwrap();
        let run = submit_up(&store, "shop").await;
        store.close().await;
        let store = Store::open_at(&address).await.unwrap();
        assert_eq!(runs::get(&store, run.id).await.unwrap(), Some(run));
    })
    .await;
}

#[tokio::test]
async fn the_file_and_its_folder_are_readable_by_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state/ledger.db");
    let store = Store::open_at(&Address::Sqlite(file.clone())).await.unwrap();
    submit_up(&store, "shop").await;
    for entry in std::fs::read_dir(file.parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", entry.path().display());
    }
    assert_eq!(std::fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_commit_survives_a_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_at(&Address::Sqlite(folder.path().join("ledger.db"))).await.unwrap();
    let Store::Sqlite { write, .. } = &store else { panic!("it is SQLite") };
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(write).await.unwrap();
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(write).await.unwrap();
    assert_eq!((synchronous, journal.as_str()), (2, "wal"));
}

#[tokio::test]
async fn many_programs_that_start_first_at_the_same_time_all_find_a_ledger() {
    at_both(async |address| {
        let opening: Vec<_> = (0..8)
            .map(|_| {
                let address = address.clone();
                tokio::spawn(async move { Store::open_at(&address).await.map(|_| ()) })
            })
            .collect();
        for opened in opening {
            opened.await.unwrap().unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_newer_ledger_is_refused_and_not_touched() {
    at_both(async |address| {
        let store = Store::open_at(&address).await.unwrap();
        let checksum = if matches!(address, Address::Sqlite(_)) { "x''" } else { "''::bytea" };
        let newer = format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9998, 'later', TRUE, {checksum}, 0), (9999, 'latest', TRUE, {checksum}, 0)"
        );
        sql(&store, &newer).await.unwrap();
        store.close().await;
        let error = refused(&address).await;
        assert!(matches!(error, LedgerError::Newer { ledger: 9999, binary: 1..9998 }), "{error}");
        assert!(error.to_string().contains("newer Tidegate"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_read_only_ledger_is_refused() {
    at_both(async |address| {
        let store = Store::open_at(&address).await.unwrap();
        match &address {
            Address::Sqlite(file) => {
                std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o444)).unwrap();
            }
            Address::Postgres(options) => {
                let name = options.get_database().unwrap();
                let alter = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
                sql(&store, &alter).await.unwrap();
            }
        }
        store.close().await;
        let error = refused(&address).await;
        assert!(matches!(error, LedgerError::ReadOnly), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_ledger_that_another_program_keeps_locked_says_so_in_time() {
    at_both(async |address| {
        let store = Store::open_patiently(&address, SHORT, LONG).await.unwrap();
        let other = Store::open_at(&address).await.unwrap();
        let mut holder = other.begin().await.unwrap();
        let lock = match &address {
            // `begin` locks the whole file already.
            Address::Sqlite(_) => "SELECT 1",
            Address::Postgres(_) => "LOCK TABLE runs IN ACCESS EXCLUSIVE MODE",
        };
        on!(holder, execute, sqlx::query(lock)).unwrap();
        let error = match store.begin().await {
            Ok(mut tx) => on!(tx, execute, sqlx::query("DELETE FROM runs")).unwrap_err(),
            Err(error) => error,
        };
        assert!(matches!(error, LedgerError::Locked), "{error:?}");
        holder.rollback().await.unwrap();
        submit_up(&store, "shop").await;
    })
    .await;
}

#[tokio::test]
async fn what_a_machine_locked_that_stands_still_is_free_again_soon() {
    let database = super::server::Database::create().await;
    let address = database.address();
    let still = Store::open_patiently(&address, LONG, Duration::from_secs(1)).await.unwrap();
    let other = Store::open_at(&address).await.unwrap();
    let mut held = still.begin().await.unwrap();
    on!(held, execute, sqlx::query("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE")).unwrap();
    submit_up(&other, "shop").await;
    let error = on!(held, execute, sqlx::query("DELETE FROM runs")).unwrap_err();
    assert!(matches!(error, LedgerError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_new_file_that_another_program_keeps_locked_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut holder = options.connect().await.unwrap();
    sqlx::raw_sql("CREATE TABLE t (a INTEGER); BEGIN EXCLUSIVE").execute(&mut holder).await.unwrap();
    let error = refused(&Address::Sqlite(file.clone())).await;
    assert!(matches!(error, LedgerError::Locked), "{error:?}");
    holder.close().await.unwrap();
    Store::open_at(&Address::Sqlite(file)).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.db");
    std::fs::write(&file, "this is no database, 日本\n".repeat(500)).unwrap();
    let error = refused(&Address::Sqlite(file)).await;
    assert!(matches!(error, LedgerError::Corrupt), "{error:?}");
    let error = refused(&Address::Sqlite(folder.path().to_owned())).await;
    assert!(matches!(error, LedgerError::Unreachable(_)), "{error:?}");
    std::fs::write(folder.path().join("file"), "").unwrap();
    let error = refused(&Address::Sqlite(folder.path().join("file/ledger.db"))).await;
    assert!(matches!(error, LedgerError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_server_or_database_that_is_not_there_is_said_to_be_unreachable() {
    // A port that was free a moment ago and that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = refused(&format!("postgres://tide:geheim@127.0.0.1:{port}/none").parse().unwrap()).await;
    assert!(matches!(error, LedgerError::Unreachable(_)), "{error:?}");
    assert!(!error.to_string().contains("geheim"));
    let database = super::server::Database::create().await;
    let Address::Postgres(options) = database.address() else { panic!("it is PostgreSQL") };
    let error = refused(&Address::Postgres(Box::new(options.database("not_there")))).await;
    assert!(matches!(error, LedgerError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_full_and_nothing_is_half_stored() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_at(&Address::Sqlite(folder.path().join("ledger.db"))).await.unwrap();
    let Store::Sqlite { write, .. } = &store else { panic!("it is SQLite") };
    sqlx::query("PRAGMA max_page_count = 1").execute(write).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let mut stored = 0;
    let error = loop {
        let body = "x".repeat(10_000);
        let key = stored.to_string();
        match crate::ledger::inbox::take(&mut tx, &key, "shell", &super::actor("ito").id, &body).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 1_000);
    };
    assert!(matches!(error, LedgerError::DiskFull), "{error:?}");
    drop(tx);
    assert!(super::unanswered(&store).await.is_empty());
}

#[tokio::test]
async fn time_is_the_databases_and_moves_on_inside_a_transaction() {
    on_both(async |store| {
        let before = store.now().await.unwrap();
        assert!(before.0 > 1_700_000_000_000, "{before:?} is in milliseconds since 1970");
        let run = submit_up(&store, "shop").await;
        let after = store.now().await.unwrap();
        assert!(before <= run.accepted && run.accepted <= after);
        let mut tx = store.begin().await.unwrap();
        let first = crate::ledger::store::now(&mut tx).await.unwrap();
        let deadline = first.plus_ms(5_000);
        loop {
            let now = crate::ledger::store::now(&mut tx).await.unwrap();
            assert!(now < deadline);
            if now > first {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_read_without_a_transaction_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_at(&Address::Sqlite(folder.path().join("ledger.db"))).await.unwrap();
    let mut db = &store;
    let error = on!(db, execute, sqlx::query("DELETE FROM counters")).unwrap_err();
    assert!(matches!(error, LedgerError::ReadOnly), "{error:?}");
}
