//! Looks that the clock takes by itself: when, once each, and when nobody hears of them.

use super::*;
use crate::domain::changes::{Action, Change, Exactness, StackPlan};
use crate::domain::quota::{Need, Quota};
use crate::domain::request::RunKind;
use crate::domain::run::{Note, Outcome, RunEvent};
use crate::ledger::runs::Fence;

fn room_with(store: Store, lines: &str) -> Room {
    let config = CONFIG.replace("zone = 'Asia/Tokyo'\n", &format!("zone = 'Asia/Tokyo'\n{lines}"));
    let config = config::parse(Source::new("/etc/tide/tidegate.toml", &config), &|_| None).unwrap();
    assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
    Room { store, config: Arc::new(config) }
}

async fn kinds(room: &Room) -> Vec<RunKind> {
    let active = runs::active(&room.store, &shop()).await.unwrap();
    active.iter().map(|run| run.request.kind).collect()
}

/// The first run in the queue finds these changes of others, and ends.
async fn finds(room: &Room, told: &[&str]) -> RunNumber {
    let (run, attempt) = runs::claim_next(&room.store, "r#1", "h", 60_000, 1).await.unwrap().expect("a run");
    let change = |what: &&str| Change {
        address: "aws_autoscaling_group.slaves".to_owned(),
        action: Action::Update,
        reason: Some((*what).to_owned()),
    };
    let plan = StackPlan {
        exactness: Exactness::Exact,
        changes: Vec::new(),
        drift: told.iter().map(change).collect(),
        outputs_change: false,
        destroy: false,
        kept_for: Vec::new(),
        inputs: None,
        serial: None,
        least_serial: None,
        lineage: None,
        left_lineage: None,
        left_at: None,
        values: std::collections::BTreeMap::new(),
        scales: false,
    };
    let events = [RunEvent::StackPlanned { stack: "app".parse().unwrap(), plan }, RunEvent::ended(Outcome::Planned)];
    let fence = Fence { runner: "r#1".to_owned(), attempt };
    let mut tx = room.store.begin().await.unwrap();
    runs::append_many(&mut tx, run.id, &events, Some(&fence)).await.unwrap();
    tx.commit().await.unwrap();
    run.number
}

#[tokio::test]
async fn what_others_changed_is_looked_for_each_night_once_and_told_once() {
    on_both(async |store| {
        let room = room_with(store, "drift = '03:00'\n");
        room.wants("small").await;
        let desk = Desk::new(room.store.clone(), watch::channel(Arc::clone(&room.config)).1, Bell::default());
        let mut clock = room.clock();
        let looked = clock.look(at("2037-11-24T02:59")).await.unwrap();
        assert_eq!((kinds(&room).await, looked.next), (vec![], Some(at("2037-11-24T03:00"))));
        for minute in ["03:00", "03:01"] {
            clock.look(at(&format!("2037-11-24T{minute}"))).await.unwrap();
            room.clock().look(at(&format!("2037-11-24T{minute}"))).await.unwrap();
        }
        assert_eq!(kinds(&room).await, [RunKind::Drift]);
        let mut quiet = Vec::new();
        for (day, told) in [
            (24, &[][..]),
            (25, &["desired_capacity 4 -> 9"]),
            (26, &["desired_capacity 4 -> 9"]),
            (27, &["desired_capacity 4 -> 11"]),
        ] {
            clock.look(at(&format!("2037-11-{day}T03:02"))).await.unwrap();
            let number = finds(&room, told).await;
            quiet.push(desk.is_quiet(&desk.show(number).await.unwrap()).await.unwrap());
        }
        assert_eq!(quiet, [true, false, true, false], "nothing, new, the same, more");
        // What was missed by more than an hour is left to the next night.
        clock.look(at("2037-11-28T04:01")).await.unwrap();
        assert_eq!(kinds(&room).await, []);
        let wanted = environments::wanted(&room.store, &shop()).await.unwrap().expect("something");
        assert_eq!(wanted.target, target("small"), "a look says nothing about where it should be");
    })
    .await;
}

#[tokio::test]
async fn before_schedules_raise_something_it_is_looked_once_whether_anything_stands_in_the_way() {
    on_both(async |store| {
        let room = room_with(store, "preflight = '30m'\n");
        room.wants("small").await;
        let mut clock = room.clock();
        let looked = clock.look(at("2037-11-24T08:00")).await.unwrap();
        assert_eq!((kinds(&room).await, looked.next), (vec![], Some(at("2037-11-24T08:30"))));
        clock.look(at("2037-11-24T08:30")).await.unwrap();
        clock.look(at("2037-11-24T08:31")).await.unwrap();
        room.clock().look(at("2037-11-24T08:32")).await.unwrap();
        assert_eq!(kinds(&room).await, [RunKind::Preflight]);
        finds(&room, &[]).await;
        // What lowers is not kept from anybody by a lock.
        room.wants("full").await;
        clock.look(at("2037-11-24T20:45")).await.unwrap();
        assert_eq!(kinds(&room).await, []);
    })
    .await;
}

/// Whether nobody hears of a run.
async fn is_quiet(room: &Room, number: RunNumber) -> bool {
    let desk = Desk::new(room.store.clone(), watch::channel(Arc::clone(&room.config)).1, Bell::default());
    desk.is_quiet(&desk.show(number).await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn what_stands_in_the_way_is_told_each_morning_also_where_it_is_the_same() {
    on_both(async |store| {
        let room = room_with(store, "preflight = '30m'\n");
        room.wants("small").await;
        let mut clock = room.clock();
        clock.look(at("2037-11-24T08:00")).await.unwrap();
        let mut quiet = Vec::new();
        for (day, told) in [(24, &["no capacity in 1a"][..]), (25, &["no capacity in 1a"]), (26, &[])] {
            clock.look(at(&format!("2037-11-{day}T08:30"))).await.unwrap();
            assert_eq!(kinds(&room).await, [RunKind::Preflight], "{day}");
            let number = finds(&room, told).await;
            quiet.push(is_quiet(&room, number).await);
            // It goes up at nine, and down again in the evening.
            for (time, level) in [("09:00", "full"), ("21:00", "small")] {
                clock.look(at(&format!("2037-11-{day}T{time}"))).await.unwrap();
                assert_eq!(room.queue().await, [level], "{day}");
                room.all_done().await;
            }
        }
        assert_eq!(quiet, [false, false, true], "something, the same, nothing");
    })
    .await;
}

#[tokio::test]
async fn the_same_drift_after_a_repair_is_news_again() {
    on_both(async |store| {
        let room = room_with(store, "drift = '03:00'\n");
        room.wants("small").await;
        let mut clock = room.clock();
        clock.look(at("2037-11-24T02:59")).await.unwrap();
        let mut quiet = Vec::new();
        for day in [24, 25, 26, 27] {
            clock.look(at(&format!("2037-11-{day}T03:00"))).await.unwrap();
            assert_eq!(kinds(&room).await, [RunKind::Drift], "{day}");
            let number = finds(&room, &["desired_capacity 4 -> 9"]).await;
            quiet.push(is_quiet(&room, number).await);
            if day == 25 {
                // Somebody puts it right by Tidegate; the night after it has come back.
                visits(&room, "small", at("2037-11-25T08:00"), None).await;
                sql(&room.store, "UPDATE runs SET changed = TRUE WHERE kind IN ('up', 'down')").await.unwrap();
            }
        }
        assert_eq!(quiet, [false, true, false, true], "new, the same, again after the repair, the same");
    })
    .await;
}

#[tokio::test]
async fn too_little_quota_for_what_comes_is_told_and_enough_is_not() {
    on_both(async |store| {
        let room = room_with(store, "preflight = '30m'\n");
        room.wants("small").await;
        let mut clock = room.clock();
        clock.look(at("2037-11-24T08:00")).await.unwrap();
        let mut quiet = Vec::new();
        for (day, needs) in [(24, 40), (25, 41)] {
            clock.look(at(&format!("2037-11-{day}T08:30"))).await.unwrap();
            assert_eq!(kinds(&room).await, [RunKind::Preflight], "{day}");
            let (run, attempt) = runs::claim_next(&room.store, "r#1", "h", 60_000, 1).await.unwrap().expect("a run");
            let (account, region) = ("123456789012".to_owned(), "eu-west-1".to_owned());
            let need = Need { quota: Quota::OnDemand, account, region, needs, used: 24, limit: 64 };
            let note = Note::Needs { needs: vec![need] };
            let noted = RunEvent::StackNoted { stack: "app".parse().unwrap(), note };
            let fence = Fence { runner: "r#1".to_owned(), attempt };
            let mut tx = room.store.begin().await.unwrap();
            let events = [noted, RunEvent::ended(Outcome::Planned)];
            runs::append_many(&mut tx, run.id, &events, Some(&fence)).await.unwrap();
            tx.commit().await.unwrap();
            quiet.push(is_quiet(&room, run.number).await);
            for (time, level) in [("09:00", "full"), ("21:00", "small")] {
                clock.look(at(&format!("2037-11-{day}T{time}"))).await.unwrap();
                assert_eq!(room.queue().await, [level], "{day}");
                room.all_done().await;
            }
        }
        assert_eq!(quiet, [true, false]);
    })
    .await;
}
