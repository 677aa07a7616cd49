//! Environments that were brought in from outside, and of which a plan once found nothing to do: what is written of them is what is there.

use std::collections::BTreeSet;

use super::column::Row;
use super::error::LedgerError;
use super::store::{Access, Tx};
use crate::domain::ids::{EnvironmentName, RunNumber, Timestamp};

/// Notes that a run found nothing to do. The first one stays.
pub async fn found(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    run: RunNumber,
    at: Timestamp,
) -> Result<(), LedgerError> {
    on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO proofs (environment, run, proven_at) VALUES ($1, $2, $3) ON CONFLICT (environment) DO NOTHING"
        )
        .bind(environment.as_str())
        .bind(run.0)
        .bind(at.0)
    )?;
    Ok(())
}

/// Those of which one did.
pub async fn all(mut db: impl Access) -> Result<BTreeSet<EnvironmentName>, LedgerError> {
    let names: Vec<String> =
        on!(db, fetch_all, sqlx::query_scalar("SELECT environment FROM proofs ORDER BY environment"))?;
    names.into_iter().map(|name| Row { table: "proofs", id: &name }.text("environment", name.clone())).collect()
}
