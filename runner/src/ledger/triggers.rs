//! What makes `run_events` and `audit` append-only: triggers, whose text differs between the databases. Made after each
//! migration, as often as wanted, and lifted only by `audit::prune`.

use super::error::LedgerError;
use super::store::Tx;

/// SQLite. `INSERT OR REPLACE` deletes without firing a delete trigger, so that inserts over a present key are refused as well.
pub(super) const SQLITE: &[&str] = &[
    "CREATE TRIGGER IF NOT EXISTS run_events_never_updated BEFORE UPDATE ON run_events
     BEGIN SELECT RAISE(ABORT, 'run_events is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS run_events_never_deleted BEFORE DELETE ON run_events
     BEGIN SELECT RAISE(ABORT, 'run_events is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS run_events_never_replaced BEFORE INSERT ON run_events
     WHEN EXISTS (SELECT 1 FROM run_events WHERE run_id = NEW.run_id AND seq = NEW.seq)
     BEGIN SELECT RAISE(ABORT, 'run_events is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_never_updated BEFORE UPDATE ON audit
     BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_never_deleted BEFORE DELETE ON audit
     BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_never_replaced BEFORE INSERT ON audit
     WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
     BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
];

/// PostgreSQL. A trigger is made only where it is missing: making one again would lock the table at each start.
pub(super) const POSTGRES: &[&str] = &[
    "DO $$ BEGIN
       IF to_regprocedure('tidegate_append_only()') IS NULL THEN
         CREATE FUNCTION tidegate_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
           BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $body$;
       END IF;
     END $$",
    "DO $$ BEGIN
       IF NOT EXISTS (SELECT 1 FROM pg_trigger
                      WHERE tgrelid = 'run_events'::regclass AND tgname = 'run_events_append_only') THEN
         CREATE TRIGGER run_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON run_events
           FOR EACH STATEMENT EXECUTE FUNCTION tidegate_append_only();
       END IF;
     END $$",
    "DO $$ BEGIN
       IF NOT EXISTS (SELECT 1 FROM pg_trigger
                      WHERE tgrelid = 'audit'::regclass AND tgname = 'audit_append_only') THEN
         CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
           FOR EACH STATEMENT EXECUTE FUNCTION tidegate_append_only();
       END IF;
     END $$",
];

/// Lets rows of `audit` be deleted until [`put_back`], or until the transaction is rolled back.
pub(super) async fn lift(mut tx: &mut Tx) -> Result<(), LedgerError> {
    let sql = match tx {
        Tx::Sqlite(_) => "DROP TRIGGER audit_never_deleted",
        Tx::Postgres(..) => "ALTER TABLE audit DISABLE TRIGGER audit_append_only",
    };
    on!(tx, execute, sqlx::query(sql))?;
    Ok(())
}

/// As before [`lift`].
pub(super) async fn put_back(mut tx: &mut Tx) -> Result<(), LedgerError> {
    let statements = match tx {
        Tx::Sqlite(_) => SQLITE,
        Tx::Postgres(..) => &["ALTER TABLE audit ENABLE TRIGGER audit_append_only"],
    };
    for statement in statements {
        on!(tx, execute, sqlx::query(*statement))?;
    }
    Ok(())
}
