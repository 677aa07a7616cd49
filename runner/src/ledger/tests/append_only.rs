//! What was stored as a fact stays as it was stored.

use super::{on_both, sql, submit_up};
use crate::ledger::Store;
use crate::ledger::audit;

pub(super) async fn refuses(store: &Store, statement: &str) {
    let error = sql(store, statement).await.expect_err(statement).to_string();
    assert!(error.contains("is append-only"), "{statement}: {error}");
}

#[tokio::test]
async fn events_and_audit_refuse_update_and_delete() {
    on_both(async |store| {
        submit_up(&store, "shop").await;
        super::chain::act(&store, "up shop").await;
        for statement in [
            "UPDATE run_events SET at = 0",
            "UPDATE run_events SET event = 'x' WHERE seq = 1",
            "DELETE FROM run_events",
            "DELETE FROM run_events WHERE seq = 1",
            "UPDATE audit SET typed = 'down shop'",
            "DELETE FROM audit",
        ] {
            refuses(&store, statement).await;
        }
        match &store {
            Store::Sqlite { .. } => {
                refuses(
                    &store,
                    "INSERT OR REPLACE INTO run_events SELECT run_id, seq, 0, status, event FROM run_events",
                )
                .await;
                refuses(&store, "REPLACE INTO audit SELECT * FROM audit").await;
            }
            Store::Postgres { .. } => {
                refuses(&store, "TRUNCATE run_events").await;
                refuses(&store, "TRUNCATE audit").await;
            }
        }
        assert_eq!(audit::verify(&store).await.unwrap(), 1);
    })
    .await;
}
