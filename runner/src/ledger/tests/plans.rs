//! How SQLite finds what is read at each look: what is open, and not all that ever was.

use super::on_both;
use crate::ledger::Store;
use crate::ledger::{firings, runs};

#[tokio::test]
async fn what_is_open_is_found_by_its_index_in_its_order() {
    on_both(async |store| {
        let Store::Sqlite { read, .. } = &store else { return };
        for (sql, index) in [
            (firings::OPEN, "firings_open"),
            (runs::ACTIVE, "runs_open (environment=?)"),
            (runs::ALL_ACTIVE, "runs_open"),
        ] {
            let sql = format!("EXPLAIN QUERY PLAN {sql}");
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(read).await.unwrap();
            let plan: Vec<String> = plan.into_iter().map(|(.., step)| step).collect();
            // One step: nothing is sorted.
            assert!(plan.len() == 1 && plan.iter().all(|step| step.ends_with(index)), "{index}: {plan:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_month_was_is_read_from_the_index_of_what_runs_did() {
    on_both(async |store| {
        let Store::Sqlite { read, .. } = &store else { return };
        for sql in [runs::ENDED, runs::OF_ONE] {
            let sql = format!("EXPLAIN QUERY PLAN {sql}");
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(read).await.unwrap();
            let of_runs: Vec<String> = plan
                .into_iter()
                .map(|(.., step)| step)
                .filter(|step| {
                    step.starts_with("SEARCH r ") || step.starts_with("SEARCH b ") || step.starts_with("SCAN")
                })
                .filter(|step| !step.starts_with("SCAN n "))
                .collect();
            assert!(of_runs.len() == 2 && of_runs.iter().all(|step| step.contains("runs_over_time")), "{of_runs:?}");
        }
    })
    .await;
}
