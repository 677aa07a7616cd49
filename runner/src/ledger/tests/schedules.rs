//! Schedules that people added by chat.

use super::{actor, environment, on_both, sql};
use crate::domain::schedule::{Stored, Written};
use crate::ledger::schedules;

fn written(name: &str, keys: &[(&str, &str)]) -> Written {
    let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Written { name: name.to_owned(), keys }
}

#[tokio::test]
async fn a_schedule_counts_in_its_last_wording_until_it_is_removed() {
    on_both(async |store| {
        let (shop, ito, sato) = (environment("shop"), actor("ito"), actor("sato"));
        let late =
            written("late shift", &[("window", "Mon-Fri 13:00-23:00"), ("inside", "full"), ("outside", "small")]);
        let mut tx = store.begin().await.unwrap();
        let first = schedules::put(&mut tx, &shop, &late, &ito, Some("tests"), None).await.unwrap().unwrap();
        assert_eq!(schedules::put(&mut tx, &shop, &late, &sato, None, None).await.unwrap(), None, "a name counts once");
        let other = schedules::put(&mut tx, &environment("blog"), &late, &ito, None, None).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(schedules::all(&store, None).await.unwrap(), [first.clone(), other.clone()]);
        let later = written("late shift", &[("at", "2026-12-24 18:00")]);
        let mut tx = store.begin().await.unwrap();
        let second = schedules::put(&mut tx, &shop, &later, &sato, None, Some(&first)).await.unwrap().unwrap();
        assert_eq!(schedules::put(&mut tx, &shop, &late, &ito, None, Some(&first)).await.unwrap(), None, "too late");
        tx.commit().await.unwrap();
        assert_eq!((&second.added, second.changed.as_ref().map(|by| by.called.as_str())), (&first.added, Some("sato")));
        assert_eq!(schedules::all(&store, Some(&shop)).await.unwrap(), std::slice::from_ref(&second));
        let mut tx = store.begin().await.unwrap();
        assert!(schedules::remove(&mut tx, &second, &ito).await.unwrap());
        assert!(!schedules::remove(&mut tx, &second, &ito).await.unwrap());
        assert_eq!(schedules::all(&mut tx, None).await.unwrap(), [other]);
        assert!(schedules::put(&mut tx, &shop, &late, &ito, None, None).await.unwrap().is_some());
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn nobody_answers_for_a_schedule_from_before_it_was_kept_what_they_were() {
    on_both(async |store| {
        let (shop, ito) = (environment("shop"), actor("ito"));
        let late = written("late shift", &[("at", "2026-12-24 18:00")]);
        let mut tx = store.begin().await.unwrap();
        let stored = schedules::put(&mut tx, &shop, &late, &ito, None, None).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(stored.typed_by().map(|typed| typed.by), Some(ito.id.clone()));
        sql(&store, "UPDATE schedules SET added_as = NULL").await.unwrap();
        let found = schedules::all(&store, None).await.unwrap();
        assert_eq!(found.iter().map(Stored::typed_by).collect::<Vec<_>>(), [None]);
        // Worded anew, it is theirs.
        let mut tx = store.begin().await.unwrap();
        let later = written("late shift", &[("at", "2026-12-25 18:00")]);
        let changed = schedules::put(&mut tx, &shop, &later, &ito, None, Some(&found[0])).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(changed.typed_by().map(|typed| typed.by), Some(ito.id));
    })
    .await;
}
