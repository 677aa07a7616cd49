//! What is refused or fails is tried again.

use super::*;

#[tokio::test]
async fn what_is_held_is_refused_and_made_when_it_is_free_again() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.clock().look(at("2037-11-23T08:00")).await.unwrap();
        room.is_held().await;
        let mut clock = room.clock();
        let looked = clock.look(at("2037-11-23T09:00")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Refused(_)]), "{looked:?}");
        clock.look(at("2037-11-23T09:02")).await.unwrap();
        assert!(room.queue().await.is_empty());
        room.is_free().await;
        clock.look(at("2037-11-23T09:30")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
        clock.look(at("2037-11-23T10:30")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
    })
    .await;
}

#[tokio::test]
async fn a_run_that_failed_is_tried_again_within_its_window_and_one_that_a_person_stopped_is_not() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.clock().look(at("2037-11-23T08:00")).await.unwrap();
        let mut clock = room.clock();
        clock.look(at("2037-11-23T09:00")).await.unwrap();
        room.end_as("failed").await;
        clock.look(at("2037-11-23T09:05")).await.unwrap();
        let again = runs::active(&room.store, &shop()).await.unwrap();
        assert_eq!(again.iter().map(|run| run.request.retry_of.map(|run| run.0)).collect::<Vec<_>>(), [Some(1)]);
        room.end_as("cancelled").await;
        clock.look(at("2037-11-23T09:30")).await.unwrap();
        assert!(room.queue().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_only_looks_what_is_wrong_does_not_take_a_failed_transition_over() {
    for look in ["preflight shop", "drift shop", "sweep shop", "plan shop"] {
        on_both(async |store| {
            let room = Room::new(store).await;
            room.clock().look(at("2037-11-23T08:00")).await.unwrap();
            let mut clock = room.clock();
            clock.look(at("2037-11-23T09:00")).await.unwrap();
            room.end_as("failed").await;
            room.looks(look).await;
            room.end_as("planned").await;
            clock.look(at("2037-11-23T09:05")).await.unwrap();
            let again = runs::active(&room.store, &shop()).await.unwrap();
            let retries: Vec<_> = again.iter().map(|run| run.request.retry_of.map(|run| run.0)).collect();
            assert_eq!(retries, [Some(1)], "{look}");
        })
        .await;
    }
}
