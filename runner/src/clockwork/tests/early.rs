//! What is to be ready by a time begins early, unless somebody said that it stays as it is until then.

use super::*;

/// The first run took ten minutes: the next one begins eleven before its time.
async fn took_ten_minutes(room: &Room, clock: &mut Clockwork) {
    clock.look(at("2037-11-23T08:59")).await.unwrap();
    clock.look(at("2037-11-23T09:00")).await.unwrap();
    assert_eq!(room.queue().await, ["full"]);
    room.all_done().await;
    sql(&room.store, "UPDATE runs SET changed = TRUE, attempt = 1").await.unwrap();
    for (seq, at, status, event) in [
        (1001, 0, "planning", "{\"event\":\"claimed\",\"runner\":\"r\",\"attempt\":1}"),
        (1002, 600_000, "succeeded", "{\"event\":\"verified\"}"),
    ] {
        let text = format!(
            "INSERT INTO run_events (run_id, seq, at, status, event) SELECT id, {seq}, {at}, '{status}', '{event}' FROM runs"
        );
        sql(&room.store, &text).await.unwrap();
    }
    clock.look(at("2037-11-23T21:00")).await.unwrap();
    room.all_done().await;
}

#[tokio::test]
async fn what_was_refused_early_is_tried_again_at_its_written_time_and_what_is_late_is_told() {
    on_both(async |store| {
        let room = Room::with(store, "ready_by = true\n").await;
        let mut clock = room.clock();
        took_ten_minutes(&room, &mut clock).await;
        room.is_held().await;
        for now in ["2037-11-24T08:49", "2037-11-24T08:50", "2037-11-24T08:52", "2037-11-24T08:56"] {
            clock.look(at(now)).await.unwrap();
        }
        let open = firings::open(&room.store).await.unwrap().0;
        let [firing] = open.as_slice() else { panic!("{open:?}") };
        assert_eq!(firing.try_at, Some(at("2037-11-24T09:00")), "not eight minutes after the last try");
        assert_eq!(firing.until, at("2037-11-24T21:00"), "until the next transition");
        room.is_free().await;
        clock.look(at("2037-11-24T08:59")).await.unwrap();
        assert!(room.queue().await.is_empty());
        clock.look(at("2037-11-24T09:00")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
        let all = told(&room).await;
        assert!(matches!(all.as_slice(), [ClockNews::Refused { .. }]), "{all:?}");
        room.all_done().await;
        assert_eq!(clock.look(at("2037-11-24T09:01")).await.unwrap().turned, []);
        assert!(room.queue().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn it_is_looked_at_when_it_begins_early() {
    on_both(async |store| {
        let room = Room::with(store, "ready_by = true\n").await;
        let mut clock = room.clock();
        took_ten_minutes(&room, &mut clock).await;
        let looked = clock.look(at("2037-11-24T08:00")).await.unwrap();
        assert_eq!(looked.next, Some(at("2037-11-24T08:49")));
        let looked = clock.look(at("2037-11-24T08:49")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Queued(_)]), "{looked:?}");
        assert_eq!(looked.next, Some(at("2037-11-24T09:00")));
    })
    .await;
}

#[tokio::test]
async fn what_is_free_only_after_its_written_time_is_told_as_late() {
    on_both(async |store| {
        let room = Room::with(store, "ready_by = true\n").await;
        let mut clock = room.clock();
        took_ten_minutes(&room, &mut clock).await;
        room.is_held().await;
        clock.look(at("2037-11-24T08:49")).await.unwrap();
        clock.look(at("2037-11-24T09:00")).await.unwrap();
        room.is_free().await;
        clock.look(at("2037-11-24T09:20")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
        let all = told(&room).await;
        assert!(
            matches!(all.last(), Some(ClockNews::Late { turn, by_ms: 1_200_000, stood_against: Some(_), .. })
                if turn.at == at("2037-11-24T09:00")),
            "{all:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn what_somebody_said_stays_until_then_is_not_ended_by_an_early_beginning() {
    // What somebody asked for at eight in the morning; whether it begins early.
    for (said, early) in [("", true), ("down until", false), ("down", true), ("keep", false), ("pause", false)] {
        on_both(async |store| {
            let room = Room::with(store, "ready_by = true\n").await;
            let mut clock = room.clock();
            took_ten_minutes(&room, &mut clock).await;
            clock.look(at("2037-11-24T08:00")).await.unwrap();
            let (from, until) = (at("2037-11-24T08:00"), at("2037-11-24T09:00"));
            match said {
                "down until" => visits(&room, "small", from, Some(until)).await,
                "down" => visits(&room, "small", from, None).await,
                "keep" => {
                    room.keeps(from, until).await;
                }
                "pause" => drop(bends(&room, Bend::Pause { from, until: Some(until) }, until).await),
                _ => {}
            }
            for now in ["2037-11-24T08:48", "2037-11-24T08:49", "2037-11-24T08:59"] {
                clock.look(at(now)).await.unwrap();
            }
            assert_eq!(!room.queue().await.is_empty(), early, "{said}");
            sql(&room.store, "UPDATE holds SET ended_at = until_at, ended_how = 'lapsed'").await.unwrap();
            clock.look(at("2037-11-24T09:00")).await.unwrap();
            assert_eq!(room.queue().await, ["full"], "{said}");
        })
        .await;
    }
}

#[tokio::test]
async fn what_begins_early_and_somebody_stops_is_not_made_again_at_its_written_time() {
    on_both(async |store| {
        let room = Room::with(store, "ready_by = true\n").await;
        let mut clock = room.clock();
        took_ten_minutes(&room, &mut clock).await;
        clock.look(at("2037-11-24T08:49")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
        room.end_as("cancelled").await;
        for now in ["2037-11-24T08:55", "2037-11-24T09:00", "2037-11-24T09:10"] {
            clock.look(at(now)).await.unwrap();
            assert!(room.queue().await.is_empty(), "{now}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_to_be_ready_by_a_time_begins_as_early_as_it_took_last_time() {
    on_both(async |store| {
        let room = Room::with(store, "ready_by = true\n").await;
        let mut clock = room.clock();
        clock.look(at("2037-11-23T08:30")).await.unwrap();
        // Nobody knows how long it takes.
        clock.look(at("2037-11-23T08:59")).await.unwrap();
        assert!(room.queue().await.is_empty());
        took_ten_minutes(&room, &mut clock).await;
        clock.look(at("2037-11-24T08:48")).await.unwrap();
        assert!(room.queue().await.is_empty(), "11 minutes early, and no more");
        clock.look(at("2037-11-24T08:49")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
        clock.look(at("2037-11-24T09:00")).await.unwrap();
        assert_eq!(room.queue().await, ["full"], "once");
    })
    .await;
}
