//! Auto Scaling groups, as they were when their stack was last looked at, and when AWS is to end what runs in them.

use super::column::Row;
use super::error::LedgerError;
use super::store::{Access, Tx};
use crate::domain::ids::{EnvironmentName, StackName, Timestamp};
use crate::domain::readiness::GroupCount;

/// A group of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalingGroup {
    /// Of which environment.
    pub environment: EnvironmentName,
    /// Of which stack.
    pub stack: StackName,
    /// The address of its resource.
    pub address: String,
    /// Its name in AWS.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// When the scheduled action begins that Tidegate wrote; `None` where there is none.
    pub ends: Option<Timestamp>,
}

row! {
    struct GroupRow {
        environment: String,
        stack: String,
        address: String,
        name: String,
        arn: String,
        ends: Option<i64>,
    }
}

impl TryFrom<GroupRow> for ScalingGroup {
    type Error = LedgerError;
    fn try_from(found: GroupRow) -> Result<Self, LedgerError> {
        let row = Row { table: "scaling_groups", id: &found.arn };
        Ok(Self {
            environment: row.text("environment", found.environment.clone())?,
            stack: row.text("stack", found.stack.clone())?,
            address: found.address.clone(),
            name: found.name.clone(),
            arn: found.arn.clone(),
            ends: found.ends.map(Timestamp),
        })
    }
}

/// All groups, in order of environment, stack and address.
pub async fn all(mut db: impl Access) -> Result<Vec<ScalingGroup>, LedgerError> {
    let rows: Vec<GroupRow> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT environment, stack, address, name, arn, ends FROM scaling_groups ORDER BY environment, stack, address"
        )
    )?;
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// Notes the groups that a stack has now; of one that is still the same, what was written stays known.
pub async fn set(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    stack: &StackName,
    groups: &[GroupCount],
) -> Result<(), LedgerError> {
    let known: Vec<ScalingGroup> = all(&mut *tx).await?;
    let gone = known.iter().filter(|group| group.environment == *environment && group.stack == *stack);
    for group in gone.filter(|known| groups.iter().all(|now| now.address != known.address || now.arn != known.arn)) {
        on!(
            tx,
            execute,
            sqlx::query("DELETE FROM scaling_groups WHERE environment = $1 AND stack = $2 AND address = $3")
                .bind(environment.as_str())
                .bind(stack.as_str())
                .bind(&group.address)
        )?;
    }
    for group in groups.iter().filter(|group| !group.arn.is_empty()) {
        on!(
            tx,
            execute,
            sqlx::query(
                "INSERT INTO scaling_groups (environment, stack, address, name, arn) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (environment, stack, address) DO NOTHING"
            )
            .bind(environment.as_str())
            .bind(stack.as_str())
            .bind(&group.address)
            .bind(&group.name)
            .bind(&group.arn)
        )?;
    }
    Ok(())
}

/// Notes when AWS ends what runs in a group, or that it does not. False: it is not the group that is known any more.
pub async fn set_ends(mut tx: &mut Tx, group: &ScalingGroup, ends: Option<Timestamp>) -> Result<bool, LedgerError> {
    let stored = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE scaling_groups SET ends = $1 WHERE environment = $2 AND stack = $3 AND address = $4 AND arn = $5"
        )
        .bind(ends.map(|ends| ends.0))
        .bind(group.environment.as_str())
        .bind(group.stack.as_str())
        .bind(&group.address)
        .bind(&group.arn)
    )?;
    Ok(stored == 1)
}
