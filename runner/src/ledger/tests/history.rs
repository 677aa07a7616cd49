//! Looking back.

use super::{claimed, ended, environment, full, on_both, request, submit, submit_up, succeeding, tell};
use crate::domain::command::HistoryFilter;
use crate::domain::ids::Timestamp;
use crate::domain::request::RunKind;
use crate::domain::run::{Outcome, RunEvent};
use crate::ledger::{Store, runs};

async fn numbers(store: &Store, filter: HistoryFilter) -> Vec<i64> {
    let page = runs::history(store, &filter, 100).await.unwrap();
    page.runs.iter().map(|run| run.number.0).collect()
}

#[tokio::test]
async fn history_is_newest_first_and_comes_in_pages() {
    on_both(async |store| {
        for _ in 0..7 {
            submit_up(&store, "shop").await;
        }
        let page = async |page| {
            let found = runs::history(&store, &HistoryFilter { page, ..HistoryFilter::default() }, 3).await.unwrap();
            (found.runs.iter().map(|r| r.number.0).collect::<Vec<_>>(), found.page, found.more)
        };
        assert_eq!(page(0).await, (vec![7, 6, 5], 1, true));
        assert_eq!(page(1).await, (vec![7, 6, 5], 1, true));
        assert_eq!(page(2).await, (vec![4, 3, 2], 2, true));
        assert_eq!(page(3).await, (vec![1], 3, false));
        assert_eq!(page(4).await, (vec![], 4, false));
        assert_eq!(page(u32::MAX).await, (vec![], u32::MAX, false));
    })
    .await;
}

#[tokio::test]
async fn history_shows_only_what_the_filters_let_through() {
    on_both(async |store| {
        let all = HistoryFilter::default();
        submit(&store, request(RunKind::Up, "shop", "full"), "ito").await;
        let second = submit(&store, request(RunKind::Up, "bank", "full"), "mori").await;
        let third = submit(&store, request(RunKind::Down, "bank", "off"), "ito").await;
        tell(&store, second.id, &[claimed("r1", 1), ended(Outcome::Failed)]).await;
        assert_eq!(
            numbers(&store, HistoryFilter { environment: Some(environment("bank")), ..all.clone() }).await,
            [3, 2]
        );
        assert_eq!(numbers(&store, HistoryFilter { by: Some("ito".to_owned()), ..all.clone() }).await, [3, 1]);
        assert_eq!(numbers(&store, HistoryFilter { by: Some("local:mori".to_owned()), ..all.clone() }).await, [2]);
        assert_eq!(numbers(&store, HistoryFilter { by: Some("%' OR 1=1".to_owned()), ..all.clone() }).await, [0; 0]);
        assert_eq!(numbers(&store, HistoryFilter { failed: true, ..all.clone() }).await, [2]);
        assert_eq!(numbers(&store, HistoryFilter { until: Some(Timestamp(0)), ..all.clone() }).await, [0; 0]);
        let since = HistoryFilter { since: Some(third.accepted), ..all.clone() };
        assert!(numbers(&store, since).await.contains(&3));
        let everything = HistoryFilter {
            environment: Some(environment("bank")),
            by: Some("mori".to_owned()),
            since: Some(Timestamp(0)),
            until: Some(Timestamp(i64::MAX)),
            failed: true,
            page: 1,
        };
        assert_eq!(numbers(&store, everything.clone()).await, [2]);
        assert_eq!(numbers(&store, HistoryFilter { page: 2, ..everything }).await, [0; 0]);
    })
    .await;
}

#[tokio::test]
async fn last_time_is_that_of_the_last_such_run_that_changed_something_and_succeeded() {
    on_both(async |store| {
        let shop = environment("shop");
        let last = async || runs::last_duration(&store, &shop, RunKind::Up, &full()).await.unwrap();
        assert_eq!(last().await, None);
        let run = submit_up(&store, "shop").await;
        tell(&store, run.id, &[claimed("r1", 1), ended(Outcome::NothingToDo)]).await;
        assert_eq!((last().await, runs::last_change(&store, &shop).await.unwrap()), (None, None));
        let run = submit_up(&store, "shop").await;
        tell(&store, run.id, &succeeding()).await;
        assert!(last().await.is_some_and(|ms| (0..60_000).contains(&ms)));
        let changed = runs::last_change(&store, &shop).await.unwrap().unwrap();
        assert_eq!((changed.id, &changed.request), (run.id, &run.request));
        let failed = submit_up(&store, "shop").await;
        tell(&store, failed.id, &[claimed("r1", 1), RunEvent::ApplyBegan, ended(Outcome::Failed)]).await;
        assert_eq!(runs::last_of(&store, &shop).await.unwrap().map(|r| r.id), Some(failed.id));
        assert_eq!(runs::last_change(&store, &shop).await.unwrap().map(|r| r.id), Some(run.id));
        assert_eq!(runs::last_duration(&store, &shop, RunKind::Down, &full()).await.unwrap(), None);
    })
    .await;
}
