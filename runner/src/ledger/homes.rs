//! To whom a chat shows an overview that is kept true, until some time after it was opened.

use super::column::storable;
use super::error::LedgerError;
use super::store::{Access, Tx, now};
use crate::domain::ids::Timestamp;

/// Notes that somebody has opened it just now; with `keep`, only where that is not known. What was opened before `since` is forgotten.
pub async fn opened(
    mut tx: &mut Tx,
    door: &str,
    person: &str,
    since: Timestamp,
    keep: bool,
) -> Result<(), LedgerError> {
    let at = now(&mut *tx).await?;
    on!(tx, execute, sqlx::query("DELETE FROM homes WHERE door = $1 AND opened_at < $2").bind(door).bind(since.0))?;
    on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO homes (door, person, opened_at) VALUES ($1, $2, $3) \
             ON CONFLICT (door, person) DO UPDATE SET opened_at = CASE WHEN $4 THEN homes.opened_at ELSE $3 END"
        )
        .bind(door)
        .bind(storable(person))
        .bind(at.0)
        .bind(keep)
    )?;
    Ok(())
}

/// Those who have opened it since then, in the order of their ids.
pub async fn since(mut db: impl Access, door: &str, since: Timestamp) -> Result<Vec<String>, LedgerError> {
    let rows: Vec<(String,)> = on!(
        db,
        fetch_all,
        sqlx::query_as("SELECT person FROM homes WHERE door = $1 AND opened_at >= $2 ORDER BY person")
            .bind(door)
            .bind(since.0)
    )?;
    Ok(rows.into_iter().map(|(person,)| person).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::on_both;

    #[tokio::test]
    async fn who_has_opened_it_is_known_until_some_time_after() {
        on_both(async |store| {
            let all = async |at: Timestamp| since(&store, "slack", at).await.unwrap();
            let open = async |person: &str, since: Timestamp, keep: bool| {
                let mut tx = store.begin().await.unwrap();
                opened(&mut tx, "slack", person, since, keep).await.unwrap();
                tx.commit().await.unwrap();
            };
            open("U2", Timestamp(0), false).await;
            open("U1", Timestamp(0), true).await;
            assert_eq!(all(Timestamp(0)).await, ["U1", "U2"]);
            assert!(since(&store, "discord", Timestamp(0)).await.unwrap().is_empty());
            let later = store.now().await.unwrap().plus_ms(1);
            while store.now().await.unwrap() < later {}
            open("U1", Timestamp(0), true).await;
            assert!(all(later).await.is_empty(), "a press does not open it anew");
            open("U1", Timestamp(0), false).await;
            assert_eq!(all(later).await, ["U1"]);
            open("U1", later, false).await;
            assert_eq!(all(Timestamp(0)).await, ["U1"], "the other's time is over");
        })
        .await;
    }
}
