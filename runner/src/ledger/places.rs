//! In which accounts and regions a stack's state had something before it was destroyed.

use std::collections::BTreeSet;

use super::error::LedgerError;
use super::store::{Access, Tx};
use crate::domain::ids::{EnvironmentName, StackName};

/// An account and a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The account's number.
    pub account: String,
    /// The region's name.
    pub region: String,
}

/// Notes these, beside those that were noted before.
pub async fn note(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    stack: &StackName,
    places: &BTreeSet<Place>,
) -> Result<(), LedgerError> {
    for Place { account, region } in places {
        on!(
            tx,
            execute,
            sqlx::query(
                "INSERT INTO places (environment, stack, account, region) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (environment, stack, account, region) DO NOTHING"
            )
            .bind(environment.as_str())
            .bind(stack.as_str())
            .bind(account)
            .bind(region)
        )?;
    }
    Ok(())
}

/// Those of a stack.
pub async fn of_stack(
    mut db: impl Access,
    environment: &EnvironmentName,
    stack: &StackName,
) -> Result<BTreeSet<Place>, LedgerError> {
    let rows: Vec<(String, String)> = on!(
        db,
        fetch_all,
        sqlx::query_as("SELECT account, region FROM places WHERE environment = $1 AND stack = $2")
            .bind(environment.as_str())
            .bind(stack.as_str())
    )?;
    Ok(rows.into_iter().map(|(account, region)| Place { account, region }).collect())
}
