//! While schedules are paused nothing is tried again and nothing ends, and afterwards it is, once.

use super::*;

async fn keeps(room: &Room, from: &str, until: &str) {
    room.keeps(at(from), at(until)).await;
    room.keeps_are_over().await;
}

#[tokio::test]
async fn a_run_that_failed_is_not_tried_again_before_the_pause_is_over() {
    on_both(async |store| {
        // Until when it is paused; the window in which it failed is over at 21:00 of the first day.
        for (round, until) in ["2037-11-24T20:00", "2037-11-25T10:00"].into_iter().enumerate() {
            let room = Room::new(store.clone()).await;
            sql(&room.store, "DELETE FROM clock_asked").await.unwrap();
            sql(&room.store, "DELETE FROM firings").await.unwrap();
            let mut clock = room.clock();
            sql(&room.store, "UPDATE clock SET seen_at = 0").await.unwrap();
            clock.look(at("2037-11-24T08:00")).await.unwrap();
            clock.look(at("2037-11-24T09:00")).await.unwrap();
            assert_eq!(room.queue().await, ["full"], "{round}");
            let (from, until) = (at("2037-11-24T09:01"), at(until));
            let pause = bends(&room, Bend::Pause { from, until: Some(until) }, until).await;
            room.end_as("failed").await;
            for now in ["2037-11-24T09:02", "2037-11-24T09:30", "2037-11-24T19:59"] {
                assert_eq!(clock.look(at(now)).await.unwrap().turned, [], "{now}");
                assert!(room.queue().await.is_empty(), "{now}");
            }
            clock.look(until.plus_ms(-1)).await.unwrap();
            assert!(room.queue().await.is_empty());
            clock.look(until).await.unwrap();
            room.clock().look(until.plus_ms(1_000)).await.unwrap();
            assert_eq!(room.queue().await, ["full"], "{round}");
            assert_eq!(runs::active(&room.store, &shop()).await.unwrap().len(), 1);
            let given_up = told(&room).await.iter().any(|said| matches!(said, ClockNews::GivenUp { .. }));
            assert!(!given_up, "{round}");
            room.end_as("cancelled").await;
            let mut tx = room.store.begin().await.unwrap();
            ledger_bends::end(&mut tx, pause.number, &ActorId::local("ito")).await.unwrap();
            tx.commit().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_refused_is_not_tried_again_in_a_pause_and_the_time_in_it_does_not_count() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut clock = room.clock();
        clock.look(at("2037-11-24T08:00")).await.unwrap();
        room.is_held().await;
        clock.look(at("2037-11-24T09:00")).await.unwrap();
        let (from, until) = (at("2037-11-24T09:00").plus_ms(30_000), at("2037-11-25T12:00"));
        bends(&room, Bend::Pause { from, until: Some(until) }, until).await;
        room.is_free().await;
        for now in ["2037-11-24T09:02", "2037-11-24T21:00", "2037-11-24T21:10", "2037-11-25T11:59"] {
            clock.look(at(now)).await.unwrap();
            assert!(room.queue().await.is_empty(), "{now}");
        }
        clock.look(until).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
        let all = told(&room).await;
        assert!(
            matches!(all.as_slice(), [ClockNews::Refused { .. }, ClockNews::Late { stood_against: Some(why), by_ms, .. }]
                if why.contains("held") && *by_ms == 27 * 3_600_000),
            "{all:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_keep_that_ends_in_a_pause_goes_down_when_that_is_over_and_once() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        let mut clock = room.clock();
        clock.look(at("2037-11-24T20:50")).await.unwrap();
        keeps(&room, "2037-11-24T20:58", "2037-11-24T22:58").await;
        let (from, until) = (at("2037-11-24T21:30"), at("2037-11-25T03:00"));
        bends(&room, Bend::Pause { from, until: Some(until) }, until).await;
        for now in ["2037-11-24T21:30", "2037-11-24T22:58", "2037-11-24T22:59", "2037-11-25T02:59"] {
            assert_eq!(clock.look(at(now)).await.unwrap().turned, [], "{now}");
        }
        clock.look(at("2037-11-25T03:00")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
        assert_eq!(clock.look(at("2037-11-25T03:01")).await.unwrap().turned, []);
        assert_eq!(room.clock().look(at("2037-11-25T03:02")).await.unwrap().turned, []);
    })
    .await;
}
