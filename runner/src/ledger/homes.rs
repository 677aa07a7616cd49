//! To whom a chat shows an overview that is kept true, until some time after it was opened.

use super::column::storable;
use super::error::LedgerError;
use super::store::{Access, Tx, now};
use crate::domain::ids::Timestamp;

/// Notes that somebody has opened it just now; with `keep`, only where that is not known. What was opened before `since` is forgotten.
/// Gives how often that was noted of them: whoever keeps it true sees by it that it was shown by somebody else.
pub async fn opened(
    mut tx: &mut Tx,
    door: &str,
    person: &str,
    since: Timestamp,
    keep: bool,
) -> Result<i64, LedgerError> {
    let at = now(&mut *tx).await?;
    on!(tx, execute, sqlx::query("DELETE FROM homes WHERE door = $1 AND opened_at < $2").bind(door).bind(since.0))?;
    on!(
        tx,
        fetch_one,
        sqlx::query_scalar(
            "INSERT INTO homes (door, person, opened_at, shown) VALUES ($1, $2, $3, 1) ON CONFLICT (door, person) DO UPDATE \
             SET opened_at = CASE WHEN $4 THEN homes.opened_at ELSE $3 END, shown = homes.shown + 1 RETURNING shown"
        )
        .bind(door)
        .bind(storable(person))
        .bind(at.0)
        .bind(keep)
    )
}

/// Those who have opened it since then, in the order of their ids, each with how often that was noted.
pub async fn since(mut db: impl Access, door: &str, since: Timestamp) -> Result<Vec<(String, i64)>, LedgerError> {
    on!(
        db,
        fetch_all,
        sqlx::query_as("SELECT person, shown FROM homes WHERE door = $1 AND opened_at >= $2 ORDER BY person")
            .bind(door)
            .bind(since.0)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::on_both;

    #[tokio::test]
    async fn who_has_opened_it_is_known_until_some_time_after() {
        on_both(async |store| {
            let all = async |at: Timestamp| {
                let all = since(&store, "slack", at).await.unwrap();
                all.into_iter().map(|(person, _)| person).collect::<Vec<_>>()
            };
            let open = async |person: &str, since: Timestamp, keep: bool| {
                let mut tx = store.begin().await.unwrap();
                let shown = opened(&mut tx, "slack", person, since, keep).await.unwrap();
                tx.commit().await.unwrap();
                shown
            };
            open("U2", Timestamp(0), false).await;
            open("U1", Timestamp(0), true).await;
            assert_eq!(all(Timestamp(0)).await, ["U1", "U2"]);
            assert_eq!((open("U2", Timestamp(0), true).await, open("U2", Timestamp(0), false).await), (2, 3));
            let shown = since(&store, "slack", Timestamp(0)).await.unwrap();
            assert_eq!(shown, [("U1".to_owned(), 1), ("U2".to_owned(), 3)]);
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
