//! Looking back.

use super::{
    approved, asked, claimed, ended, environment, on_both, request, sql, submit, submit_up, succeeding, target, tell,
};
use crate::domain::command::HistoryFilter;
use crate::domain::environment::SettingValue;
use crate::domain::ids::{RunNumber, Timestamp};
use crate::domain::request::{RunKind, RunRequest, SizeChange};
use crate::domain::run::{Outcome, RunEvent};
use crate::ledger::{Store, runs};

async fn numbers(store: &Store, filter: HistoryFilter) -> Vec<i64> {
    let page = runs::history(store, &filter, None, 100).await.unwrap();
    page.runs.iter().map(|run| run.number.0).collect()
}

#[tokio::test]
async fn history_is_newest_first_and_comes_in_pages() {
    on_both(async |store| {
        for _ in 0..7 {
            submit_up(&store, "shop").await;
        }
        let page = async |page| {
            let found =
                runs::history(&store, &HistoryFilter { page, ..HistoryFilter::default() }, None, 3).await.unwrap();
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
            group: None,
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

fn raising() -> RunRequest {
    RunRequest { before: Some(target("small")), ..request(RunKind::Up, "shop", "full") }
}

#[tokio::test]
async fn last_time_is_that_of_the_last_such_run_that_changed_something_and_succeeded() {
    on_both(async |store| {
        let shop = environment("shop");
        let last = async || runs::last_duration(&store, &raising()).await.unwrap();
        assert_eq!(last().await, None);
        let run = submit(&store, raising(), "ito").await;
        tell(&store, run.id, &[claimed("r1", 1), ended(Outcome::NothingToDo)]).await;
        assert_eq!((last().await, runs::last_change(&store, &shop).await.unwrap()), (None, None));
        let run = submit(&store, raising(), "ito").await;
        tell(&store, run.id, &succeeding()).await;
        assert!(last().await.is_some_and(|ms| (0..60_000).contains(&ms)));
        let changed = runs::last_change(&store, &shop).await.unwrap().unwrap();
        assert_eq!((changed.id, &changed.request), (run.id, &run.request));
        let waiting = submit(&store, raising(), "ito").await;
        let failed = submit(&store, raising(), "ito").await;
        tell(&store, failed.id, &[claimed("r1", 1), RunEvent::ApplyBegan, ended(Outcome::Failed)]).await;
        assert_eq!(runs::last_of(&store, &shop).await.unwrap().map(|r| r.id), Some(failed.id));
        assert_eq!(runs::last_change(&store, &shop).await.unwrap().map(|r| r.id), Some(run.id));
        // The last is the one that ended last, not the one that was asked for last.
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        tell(&store, waiting.id, &[ended(Outcome::Cancelled)]).await;
        assert_eq!(runs::last_of(&store, &shop).await.unwrap().map(|r| r.id), Some(waiting.id));
    })
    .await;
}

#[tokio::test]
async fn only_a_run_that_went_the_same_way_in_one_go_tells_how_long_it_takes() {
    on_both(async |store| {
        let run = submit(&store, raising(), "ito").await;
        tell(&store, run.id, &succeeding()).await;
        let size = |to| SizeChange {
            setting: "slaves".parse().unwrap(),
            from: Some(SettingValue::Number(2)),
            to: SettingValue::Number(to),
        };
        let scale = |to| RunRequest {
            before: Some(target("full")),
            sizes: vec![size(to)],
            ..request(RunKind::Scale, "shop", "full")
        };
        let known = submit(&store, scale(40), "ito").await;
        tell(&store, known.id, &succeeding()).await;
        let mut fewer = raising();
        fewer.stacks.shift_remove("jmeter");
        for (request, is_known) in [
            (raising(), true),
            (RunRequest { sizes: vec![size(40)], ..raising() }, true),
            (RunRequest { before: Some(target("off")), ..raising() }, false),
            (RunRequest { before: None, ..raising() }, false),
            (RunRequest { retry_of: Some(run.number), ..raising() }, false),
            (RunRequest { kind: RunKind::Down, ..raising() }, false),
            (fewer, false),
            (scale(40), true),
            (scale(41), false),
        ] {
            let last = runs::last_duration(&store, &request).await.unwrap();
            assert_eq!(last.is_some(), is_known, "{request:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn neither_a_second_try_nor_a_run_that_was_taken_over_counts() {
    on_both(async |store| {
        let retry = submit(&store, RunRequest { retry_of: Some(RunNumber(1)), ..raising() }, "ito").await;
        tell(&store, retry.id, &succeeding()).await;
        let taken = submit(&store, raising(), "ito").await;
        let mut events = succeeding();
        events.insert(3, claimed("r2", 2));
        tell(&store, taken.id, &events).await;
        assert_eq!(runs::last_duration(&store, &raising()).await.unwrap(), None);
        // One that came back with a yes was claimed twice as well, and is like any other.
        let approved_run = submit(&store, raising(), "ito").await;
        let mut events = succeeding();
        events[0] = claimed("r1", 2);
        events.splice(0..0, [claimed("r1", 1), asked(Timestamp(i64::MAX)), approved()]);
        tell(&store, approved_run.id, &events).await;
        assert!(runs::last_duration(&store, &raising()).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn a_wait_for_a_yes_is_no_work() {
    on_both(async |store| {
        let run = submit(&store, raising(), "ito").await;
        let question = asked(Timestamp(i64::MAX));
        let events = [
            (0, RunEvent::Accepted),
            (50, claimed("r1", 1)),
            (60, RunEvent::ApplyBegan),
            (70, question),
            (600_070, approved()),
            (600_080, RunEvent::VerifyBegan),
            (600_085, ended(Outcome::Succeeded)),
        ];
        let told: Vec<RunEvent> = events.iter().skip(1).map(|(_, event)| event.clone()).collect();
        tell(&store, run.id, &told).await;
        // The ledger's clock cannot be turned; the moments are.
        let lift = match &store {
            Store::Sqlite { .. } => "DROP TRIGGER run_events_never_updated",
            Store::Postgres { .. } => "DROP TRIGGER run_events_append_only ON run_events",
        };
        sql(&store, lift).await.unwrap();
        for (seq, (at, _)) in (1..).zip(&events) {
            sql(&store, &format!("UPDATE run_events SET at = {at} WHERE seq = {seq}")).await.unwrap();
        }
        let worked = runs::worked(&store, &[run.id], Timestamp(0)).await.unwrap();
        assert_eq!(worked.get(&run.id), Some(&35));
        let view = runs::view(&store, run.id).await.unwrap().unwrap();
        assert_eq!(view.worked(Timestamp(i64::MAX)), Some(35));
        let page = runs::history(&store, &HistoryFilter::default(), None, 10).await.unwrap();
        assert_eq!(page.worked_ms.get(&run.id), Some(&35));
    })
    .await;
}
