//! What carries a stack's tags and stands in no state, with the moment at which a look first found it so.

use std::collections::BTreeMap;

use super::column::{Row, storable};
use super::error::LedgerError;
use super::store::{Access, Tx, now};
use crate::domain::drift::Stray;
use crate::domain::ids::{EnvironmentName, StackName, Timestamp};

/// Notes what a look at a stack found: what is new is known from now on, and what it did not find is forgotten.
pub async fn found(
    mut tx: &mut Tx,
    environment: &EnvironmentName,
    stack: &StackName,
    strays: &[Stray],
) -> Result<(), LedgerError> {
    let at = now(&mut *tx).await?;
    let known = of_stack(&mut *tx, environment, stack).await?;
    for arn in known.keys().filter(|arn| !strays.iter().any(|stray| storable(&stray.arn) == arn.as_str())) {
        on!(
            tx,
            execute,
            sqlx::query("DELETE FROM strays WHERE environment = $1 AND stack = $2 AND arn = $3")
                .bind(environment.as_str())
                .bind(stack.as_str())
                .bind(arn)
        )?;
    }
    for stray in strays {
        on!(
            tx,
            execute,
            sqlx::query(
                "INSERT INTO strays (environment, stack, arn, seen_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (environment, stack, arn) DO NOTHING"
            )
            .bind(environment.as_str())
            .bind(stack.as_str())
            .bind(storable(&stray.arn))
            .bind(at.0)
        )?;
    }
    Ok(())
}

/// Since when each ARN is known to stand in no state of the stack.
pub async fn of_stack(
    mut db: impl Access,
    environment: &EnvironmentName,
    stack: &StackName,
) -> Result<BTreeMap<String, Timestamp>, LedgerError> {
    let rows: Vec<(String, i64)> = on!(
        db,
        fetch_all,
        sqlx::query_as("SELECT arn, seen_at FROM strays WHERE environment = $1 AND stack = $2")
            .bind(environment.as_str())
            .bind(stack.as_str())
    )?;
    Ok(rows.into_iter().map(|(arn, at)| (arn, Timestamp(at))).collect())
}

row! {
    struct LeftRow {
        environment: String,
        stack: String,
        level: Option<String>,
        in_doubt: bool,
        least_serial: Option<i64>,
        lineage: Option<String>,
    }
}

/// A stack that the ledger knows, with what its Terraform state may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its environment, which may have left the configuration.
    pub environment: EnvironmentName,
    /// The stack, which may have, too.
    pub stack: StackName,
    /// The least serial that its state has; `None` where everything was destroyed, or nothing is known of it.
    pub serial: Option<u64>,
    /// Which state it is, where that is known.
    pub lineage: Option<String>,
    /// Everything of it was destroyed, by a run that ended well: nothing is in its state.
    pub gone: bool,
}

/// Every stack that runs of Tidegate ever touched.
pub async fn left(mut db: impl Access) -> Result<Vec<Left>, LedgerError> {
    let rows: Vec<LeftRow> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT environment, stack, level, in_doubt, least_serial, lineage FROM stacks ORDER BY environment, stack"
        )
    )?;
    rows.into_iter()
        .map(|found| {
            let id = format!("{}/{}", found.environment, found.stack);
            let row = Row { table: "stacks", id: &id };
            Ok(Left {
                environment: row.text("environment", found.environment)?,
                stack: row.text("stack", found.stack)?,
                serial: found.least_serial.map(|serial| u64::try_from(serial).unwrap_or_default()),
                gone: found.level.as_deref() == Some("off") && !found.in_doubt && found.least_serial.is_none(),
                lineage: found.lineage,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::StackStanding;
    use crate::domain::changes::StateLeft;
    use crate::domain::environment::Level;
    use crate::ledger::stacks;
    use crate::ledger::tests::on_both;

    fn stray(arn: &str) -> Stray {
        let (kind, id, name, since, seen, stays) = (None, None, None, None, None, None);
        Stray { arn: arn.to_owned(), kind, id, name, since, seen, stays }
    }

    #[tokio::test]
    async fn what_is_found_again_is_known_since_it_was_first_found_and_what_is_not_begins_anew() {
        on_both(async |store| {
            let (shop, app, other) =
                ("shop".parse().unwrap(), "app".parse::<StackName>().unwrap(), "jmeter".parse::<StackName>().unwrap());
            let look = async |stack: &StackName, arns: &[&str]| {
                let later = store.now().await.unwrap().plus_ms(1);
                while store.now().await.unwrap() < later {}
                let strays: Vec<Stray> = arns.iter().copied().map(stray).collect();
                let mut tx = store.begin().await.unwrap();
                found(&mut tx, &shop, stack, &strays).await.unwrap();
                tx.commit().await.unwrap();
                of_stack(&store, &shop, stack).await.unwrap()
            };
            let first = look(&app, &["arn:a", "arn:日"]).await;
            assert_eq!(first.len(), 2);
            let second = look(&app, &["arn:a", "arn:c"]).await;
            assert_eq!((second["arn:a"], second.len()), (first["arn:a"], 2));
            assert!(second["arn:c"] > second["arn:a"] && !second.contains_key("arn:日"));
            assert_eq!(look(&other, &[]).await.len(), 0);
            assert_eq!(of_stack(&store, &shop, &app).await.unwrap(), second, "another stack's look says nothing of it");
            look(&app, &[]).await;
            assert!(look(&app, &["arn:a"]).await["arn:a"] > second["arn:a"], "it was not there in between");
        })
        .await;
    }

    #[tokio::test]
    async fn a_stack_is_gone_only_where_all_of_it_was_destroyed() {
        on_both(async |store| {
            let shop = "shop".parse().unwrap();
            let set = async |stack: &str, level: Option<Level>, in_doubt: bool, left: Option<StateLeft>| {
                let stack = stack.parse().unwrap();
                let (settings, run, at, older_state) = (Vec::new(), None, None, false);
                let standing = StackStanding { level, settings, run, at, in_doubt, older_state };
                let mut tx = store.begin().await.unwrap();
                stacks::set_standing(&mut tx, &shop, &stack, &standing, None).await.unwrap();
                stacks::set_state_left(&mut tx, &shop, &stack, left.as_ref()).await.unwrap();
                tx.commit().await.unwrap();
            };
            let state = || Some(StateLeft { serial: 7, lineage: Some("l".to_owned()), at: None });
            set("a", Some(Level::Off), false, None).await;
            set("b", Some(Level::Off), false, state()).await;
            set("c", Some(Level::Off), true, None).await;
            set("d", None, false, None).await;
            let all = left(&store).await.unwrap();
            let told: Vec<_> = all.iter().map(|left| (left.stack.as_str(), left.gone, left.serial)).collect();
            assert_eq!(told, [("a", true, None), ("b", false, Some(7)), ("c", false, None), ("d", false, None)]);
            assert_eq!(all[1].lineage.as_deref(), Some("l"));
        })
        .await;
    }
}
