//! Stacks: where each was last verified to stand, and the commit that its runs use.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::column::{Row, to_json};
use super::error::LedgerError;
use super::store::{Access, Tx, now};
use crate::domain::answer::StackStanding;
use crate::domain::changes::StateLeft;
use crate::domain::environment::SettingValue;
use crate::domain::ids::{EnvironmentName, RunNumber, SettingName, StackName, Timestamp};

/// The standings of one environment's stacks, by name.
pub type Standings = BTreeMap<StackName, StackStanding>;

row! {
    struct StackRow {
        environment: String,
        stack: String,
        level: Option<String>,
        settings: String,
        run_number: Option<i64>,
        at: Option<i64>,
        in_doubt: bool,
        older_state: bool,
    }
}

impl TryFrom<StackRow> for (EnvironmentName, StackName, StackStanding) {
    type Error = LedgerError;
    fn try_from(found: StackRow) -> Result<Self, LedgerError> {
        let id = format!("{}/{}", found.environment, found.stack);
        let row = Row { table: "stacks", id: &id };
        let settings: IndexMap<SettingName, SettingValue> = row.json("settings", &found.settings)?;
        let standing = StackStanding {
            level: found.level.map(|level| row.text("level", level)).transpose()?,
            settings: settings.into_iter().collect(),
            run: found.run_number.map(RunNumber),
            at: found.at.map(Timestamp),
            in_doubt: found.in_doubt,
            older_state: found.older_state,
        };
        Ok((row.text("environment", found.environment)?, row.text("stack", found.stack)?, standing))
    }
}

/// Notes where a stack stands. `commit` is the one that it was brought there with; `None` leaves the accepted one as it is.
pub async fn set_standing(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    stack: &StackName,
    standing: &StackStanding,
    commit: Option<&str>,
) -> Result<(), LedgerError> {
    let StackStanding { level, settings, run, at, in_doubt, older_state } = standing;
    let settings: IndexMap<&SettingName, &SettingValue> = settings.iter().map(|(name, value)| (name, value)).collect();
    let settings = to_json("settings", &settings)?;
    on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO stacks (environment, stack, level, settings, run_number, at, in_doubt, accepted_commit, older_state) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             ON CONFLICT (environment, stack) DO UPDATE SET level = excluded.level, settings = excluded.settings, \
             run_number = excluded.run_number, at = excluded.at, in_doubt = excluded.in_doubt, half_made = '[]', \
             older_state = excluded.older_state, \
             accepted_commit = COALESCE(excluded.accepted_commit, stacks.accepted_commit)"
        )
        .bind(environment.as_str())
        .bind(stack.as_str())
        .bind(level.as_ref().map(ToString::to_string))
        .bind(&settings)
        .bind(run.map(|run| run.0))
        .bind(at.map(|at| at.0))
        .bind(*in_doubt)
        .bind(commit)
        .bind(*older_state)
    )?;
    Ok(())
}

/// Notes that an apply on the stack began or did not end well: until the next [`set_standing`] it may be anywhere between.
pub async fn mark_in_doubt(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    stack: &StackName,
) -> Result<(), LedgerError> {
    on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO stacks (environment, stack, in_doubt) VALUES ($1, $2, TRUE) \
             ON CONFLICT (environment, stack) DO UPDATE SET in_doubt = TRUE, older_state = FALSE"
        )
        .bind(environment.as_str())
        .bind(stack.as_str())
    )?;
    Ok(())
}

/// Keeps which addresses of a stack may be half made: their making was begun and nobody saw its end.
pub async fn set_half_made(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    stack: &StackName,
    addresses: &BTreeSet<String>,
) -> Result<(), LedgerError> {
    on!(
        tx,
        execute,
        sqlx::query("UPDATE stacks SET half_made = $1 WHERE environment = $2 AND stack = $3")
            .bind(to_json("half_made", addresses)?)
            .bind(environment.as_str())
            .bind(stack.as_str())
    )?;
    Ok(())
}

row! {
    struct HalfMadeRow {
        stack: String,
        half_made: String,
    }
}

/// Addresses that may be half made, by stack; stacks without any are left out.
pub async fn half_made(
    mut db: impl Access,
    environment: &EnvironmentName,
) -> Result<BTreeMap<StackName, BTreeSet<String>>, LedgerError> {
    let rows: Vec<HalfMadeRow> = on!(
        db,
        fetch_all,
        sqlx::query_as("SELECT stack, half_made FROM stacks WHERE environment = $1 AND half_made <> '[]'")
            .bind(environment.as_str())
    )?;
    rows.into_iter()
        .map(|found| {
            let row = Row { table: "stacks", id: &found.stack };
            Ok((row.text("stack", found.stack.clone())?, row.json("half_made", &found.half_made)?))
        })
        .collect()
}

/// Notes how the Terraform state of a stack was left; `None` where there is nothing to lose with it.
pub async fn set_state_left(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    stack: &StackName,
    left: Option<&StateLeft>,
) -> Result<(), LedgerError> {
    on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE stacks SET least_serial = $1, lineage = $2, left_at = $5 WHERE environment = $3 AND stack = $4"
        )
        .bind(left.and_then(|left| i64::try_from(left.serial).ok()))
        .bind(left.and_then(|left| left.lineage.as_deref()))
        .bind(environment.as_str())
        .bind(stack.as_str())
        .bind(left.and_then(|left| left.at).map(|at| at.0))
    )?;
    Ok(())
}

/// Notes that the Terraform state of a stack was written by Tidegate, so that only its least serial is known.
pub async fn forget_serial(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    stack: &StackName,
) -> Result<(), LedgerError> {
    on!(
        tx,
        execute,
        sqlx::query("UPDATE stacks SET left_at = NULL WHERE environment = $1 AND stack = $2")
            .bind(environment.as_str())
            .bind(stack.as_str())
    )?;
    Ok(())
}

/// Notes the lineage of a Terraform state of which only the serial was known.
pub async fn learn_lineage(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    stack: &StackName,
    lineage: &str,
) -> Result<(), LedgerError> {
    on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE stacks SET lineage = $1 \
             WHERE environment = $2 AND stack = $3 AND lineage IS NULL AND least_serial IS NOT NULL"
        )
        .bind(lineage)
        .bind(environment.as_str())
        .bind(stack.as_str())
    )?;
    Ok(())
}

row! {
    struct StateRow {
        stack: String,
        least_serial: i64,
        lineage: Option<String>,
        left_at: Option<i64>,
    }
}

/// How the Terraform states of an environment's stacks were left; stacks of which that is not known are left out.
pub async fn states_left(
    mut db: impl Access,
    environment: &EnvironmentName,
) -> Result<BTreeMap<StackName, StateLeft>, LedgerError> {
    let rows: Vec<StateRow> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT stack, least_serial, lineage, left_at FROM stacks WHERE environment = $1 AND least_serial IS NOT NULL"
        )
        .bind(environment.as_str())
    )?;
    rows.into_iter()
        .map(|StateRow { stack, least_serial, lineage, left_at }| {
            let serial = u64::try_from(least_serial).unwrap_or_default();
            let left = StateLeft { serial, lineage, at: left_at.map(Timestamp) };
            Ok((Row { table: "stacks", id: &stack }.text("stack", stack.clone())?, left))
        })
        .collect()
}

/// Takes stacks that are in doubt as `run` left them. They are in doubt no more, but nobody knows a level or settings of
/// them until the next [`set_standing`]. Those that are not in doubt stay as they are.
pub async fn settle(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    stacks: impl IntoIterator<Item = &StackName>,
    run: RunNumber,
) -> Result<(), LedgerError> {
    let at = now(&mut *tx).await?;
    for stack in stacks {
        on!(
            tx,
            execute,
            sqlx::query(
                "UPDATE stacks SET in_doubt = FALSE, older_state = FALSE, half_made = '[]', level = NULL, settings = '{}', \
                 run_number = $1, at = $2 WHERE environment = $3 AND stack = $4 AND in_doubt"
            )
            .bind(run.0)
            .bind(at.0)
            .bind(environment.as_str())
            .bind(stack.as_str())
        )?;
    }
    Ok(())
}

/// Where the stacks of an environment stand; only those that Tidegate ever touched.
pub async fn standings(mut db: impl Access, environment: &EnvironmentName) -> Result<Standings, LedgerError> {
    let rows: Vec<StackRow> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT environment, stack, level, settings, run_number, at, in_doubt, older_state FROM stacks \
             WHERE environment = $1"
        )
        .bind(environment.as_str())
    )?;
    rows.into_iter()
        .map(|row| <(EnvironmentName, StackName, StackStanding)>::try_from(row).map(|(_, stack, of)| (stack, of)))
        .collect()
}

row! {
    struct AcceptedRow {
        stack: String,
        accepted_commit: String,
    }
}

/// The commits that the stacks of an environment were brought where they stand with, in the order in which that was. Stacks
/// without one are left out.
pub async fn accepted_commits(
    mut db: impl Access,
    environment: &EnvironmentName,
) -> Result<Vec<(StackName, String)>, LedgerError> {
    let rows: Vec<AcceptedRow> = on!(
        db,
        fetch_all,
        // A stack without a level was only taken as its run left it, with an older commit maybe than the others of that run.
        sqlx::query_as(
            "SELECT stack, accepted_commit FROM stacks WHERE environment = $1 AND accepted_commit IS NOT NULL \
             ORDER BY COALESCE(run_number, 0), CASE WHEN level IS NULL THEN 0 ELSE 1 END, stack"
        )
        .bind(environment.as_str())
    )?;
    rows.into_iter()
        .map(|AcceptedRow { stack, accepted_commit }| {
            let id = format!("{environment}/{stack}");
            Ok((Row { table: "stacks", id: &id }.text("stack", stack.clone())?, accepted_commit))
        })
        .collect()
}
