//! Brings a ledger to the format that this program knows, one program at a time.

use std::borrow::Cow;
use std::fs::File;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{PgConnection, SqlSafeStr as _, SqliteConnection};

use super::error::{LedgerError, reached};
use super::triggers;

/// Version, name and text of each migration, in order; the same text for both databases. Listed rather than found by sqlx's
/// macro, which costs as much to build as the ledger itself; a test holds the list against the folder.
pub(super) const TEXTS: [(i64, &str, &str); 53] = [
    (1, "environments", include_str!("../../../migrations/0001_environments.sql")),
    (2, "stacks", include_str!("../../../migrations/0002_stacks.sql")),
    (3, "runs", include_str!("../../../migrations/0003_runs.sql")),
    (4, "run_events", include_str!("../../../migrations/0004_run_events.sql")),
    (5, "audit", include_str!("../../../migrations/0005_audit.sql")),
    (6, "inbox", include_str!("../../../migrations/0006_inbox.sql")),
    (7, "outbox", include_str!("../../../migrations/0007_outbox.sql")),
    (8, "runners", include_str!("../../../migrations/0008_runners.sql")),
    (9, "counters", include_str!("../../../migrations/0009_counters.sql")),
    (100, "audit_result", include_str!("../../../migrations/0100_audit_result.sql")),
    (101, "audit_indexes", include_str!("../../../migrations/0101_audit_indexes.sql")),
    (102, "audited_configuration", include_str!("../../../migrations/0102_audited_configuration.sql")),
    (110, "wanted_before", include_str!("../../../migrations/0110_wanted_before.sql")),
    (111, "half_made", include_str!("../../../migrations/0111_half_made.sql")),
    (300, "holds", include_str!("../../../migrations/0300_holds.sql")),
    (301, "tellings", include_str!("../../../migrations/0301_tellings.sql")),
    (302, "least_serial", include_str!("../../../migrations/0302_least_serial.sql")),
    (400, "inbox_replies", include_str!("../../../migrations/0400_inbox_replies.sql")),
    (401, "outbox_posts", include_str!("../../../migrations/0401_outbox_posts.sql")),
    (402, "cards", include_str!("../../../migrations/0402_cards.sql")),
    (403, "leases", include_str!("../../../migrations/0403_leases.sql")),
    (404, "troubles", include_str!("../../../migrations/0404_troubles.sql")),
    (405, "kept_configuration", include_str!("../../../migrations/0405_kept_configuration.sql")),
    (410, "inbox_answers", include_str!("../../../migrations/0410_inbox_answers.sql")),
    (411, "heard", include_str!("../../../migrations/0411_heard.sql")),
    (420, "card_news", include_str!("../../../migrations/0420_card_news.sql")),
    (430, "subjects", include_str!("../../../migrations/0430_subjects.sql")),
    (500, "clock", include_str!("../../../migrations/0500_clock.sql")),
    (510, "bends", include_str!("../../../migrations/0510_bends.sql")),
    (520, "schedules", include_str!("../../../migrations/0520_schedules.sql")),
    (530, "runs_over_time", include_str!("../../../migrations/0530_runs_over_time.sql")),
    (540, "due_together", include_str!("../../../migrations/0540_due_together.sql")),
    (550, "clock_asked", include_str!("../../../migrations/0550_clock_asked.sql")),
    (560, "clock_written", include_str!("../../../migrations/0560_clock_written.sql")),
    (600, "lineage", include_str!("../../../migrations/0600_lineage.sql")),
    (601, "older_state", include_str!("../../../migrations/0601_older_state.sql")),
    (602, "typed_as", include_str!("../../../migrations/0602_typed_as.sql")),
    (603, "audit_missed", include_str!("../../../migrations/0603_audit_missed.sql")),
    (610, "scaling_groups", include_str!("../../../migrations/0610_scaling_groups.sql")),
    (710, "links", include_str!("../../../migrations/0710_links.sql")),
    (711, "audit_of_run", include_str!("../../../migrations/0711_audit_of_run.sql")),
    (760, "rollouts", include_str!("../../../migrations/0760_rollouts.sql")),
    (780, "made", include_str!("../../../migrations/0780_made.sql")),
    (795, "rejected_by", include_str!("../../../migrations/0795_rejected_by.sql")),
    (810, "bookings", include_str!("../../../migrations/0810_bookings.sql")),
    (820, "left_at", include_str!("../../../migrations/0820_left_at.sql")),
    (840, "homes", include_str!("../../../migrations/0840_homes.sql")),
    (860, "strays", include_str!("../../../migrations/0860_strays.sql")),
    (870, "homes_shown", include_str!("../../../migrations/0870_homes_shown.sql")),
    (880, "open_in_order", include_str!("../../../migrations/0880_open_in_order.sql")),
    (895, "proofs", include_str!("../../../migrations/0895_proofs.sql")),
    (896, "places", include_str!("../../../migrations/0896_places.sql")),
    (911, "made_anyway", include_str!("../../../migrations/0911_made_anyway.sql")),
];

/// All migrations.
pub(super) static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let migrations = TEXTS.map(|(version, name, text)| {
        Migration::new(version, name.replace('_', " ").into(), MigrationType::Simple, text.into_sql_str(), false)
    });
    Migrator { migrations: Cow::Owned(migrations.into()), ..Migrator::DEFAULT }
});

/// How long to wait for another program that is migrating the same ledger.
const OTHERS_MIGRATE: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Key of the advisory lock on PostgreSQL: "tidegate" in ASCII.
const ADVISORY_KEY: i64 = 0x7469_6465_6761_7465;

const HIGHEST: &str = "SELECT MAX(version) FROM _sqlx_migrations";

/// Held while a program makes or migrates an SQLite ledger. Given up when dropped, also by the death of the process.
pub(super) struct FileLock {
    _file: File,
}

/// Waits for the lock beside the SQLite file.
pub(super) async fn lock_beside(ledger: &Path) -> Result<FileLock, LedgerError> {
    let path = super::open::beside(ledger, ".migrate-lock");
    let file = reached(&path, super::open::private_file().open(&path))?;
    let deadline = tokio::time::Instant::now() + OTHERS_MIGRATE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(FileLock { _file: file }),
            Err(std::fs::TryLockError::WouldBlock) if tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Err(std::fs::TryLockError::WouldBlock) => return Err(LedgerError::Locked),
            Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}

/// The format of an SQLite ledger; `None`: it has no tables.
pub(super) async fn highest(pool: &sqlx::SqlitePool) -> Result<Option<i64>, LedgerError> {
    match sqlx::query_scalar(HIGHEST).fetch_optional(pool).await {
        Ok(highest) => Ok(highest.flatten()),
        // No table of that name.
        Err(sqlx::Error::Database(why)) if why.message().contains("no such table") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The format of this program.
pub(super) fn newest() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// Migrates an SQLite ledger. The caller holds the [`FileLock`].
pub(super) async fn sqlite(connection: &mut SqliteConnection) -> Result<(), LedgerError> {
    if let Err(error) = MIGRATIONS.run_direct(None, connection, false).await {
        let highest = sqlx::query_scalar(HIGHEST).fetch_optional(&mut *connection).await.ok().flatten().flatten();
        return Err(refused(error, highest));
    }
    for statement in triggers::SQLITE {
        sqlx::query(*statement).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Migrates a PostgreSQL ledger under an advisory lock, which ends with the connection at the latest.
pub(super) async fn postgres(connection: &mut PgConnection) -> Result<(), LedgerError> {
    let wait = format!("SET lock_timeout = {}", OTHERS_MIGRATE.as_millis());
    sqlx::query(sqlx::AssertSqlSafe(wait)).execute(&mut *connection).await?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(ADVISORY_KEY).execute(&mut *connection).await?;
    if let Err(error) = MIGRATIONS.run_direct(None, connection, false).await {
        let highest = sqlx::query_scalar(HIGHEST).fetch_optional(&mut *connection).await.ok().flatten().flatten();
        return Err(refused(error, highest));
    }
    for statement in triggers::POSTGRES {
        sqlx::query(*statement).execute(&mut *connection).await?;
    }
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(ADVISORY_KEY).execute(&mut *connection).await?;
    Ok(())
}

fn refused(error: MigrateError, highest: Option<i64>) -> LedgerError {
    let binary = MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0);
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        MigrateError::VersionMissing(missing) => match highest.unwrap_or(missing).max(missing) {
            ledger if ledger > binary => LedgerError::Newer { ledger, binary },
            _ => LedgerError::OtherMigration(missing),
        },
        MigrateError::VersionMismatch(version) | MigrateError::Dirty(version) => LedgerError::OtherMigration(version),
        other => LedgerError::Database(sqlx::Error::Migrate(Box::new(other))),
    }
}
