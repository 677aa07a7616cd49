//! What people change beside the schedules: while it waits, while it goes on, when it fails or is taken back.

use super::*;

/// A person's run that is in the queue, accepted then.
async fn queues(room: &Room, level: &str, accepted: Timestamp, until: Option<Timestamp>) {
    let environment = room.config.environments.get(&shop()).unwrap();
    let request = RunRequest { until, ..crate::domain::request::turn(environment, target(level), String::new(), None) };
    let asker = Actor::person(ActorId::local("ito"), "ito");
    let id = crate::ledger::ids::run_id(room.store.now().await.unwrap());
    let mut tx = room.store.begin().await.unwrap();
    let run = NewRun { id, request, asker, door: "shell".to_owned(), place: None };
    let run = runs::insert(&mut tx, run).await.unwrap();
    tx.commit().await.unwrap();
    let dated = format!("UPDATE runs SET accepted_at = {} WHERE number = {}", accepted.0, run.number.0);
    sql(&room.store, &dated).await.unwrap();
}

#[tokio::test]
async fn a_change_that_is_still_in_the_queue_counts_from_when_it_was_accepted() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.clock().look(at("2037-11-23T20:30")).await.unwrap();
        queues(&room, "full", at("2037-11-23T20:58"), Some(at("2037-11-23T23:58"))).await;
        let mut clock = room.clock();
        for now in ["2037-11-23T20:59", "2037-11-23T21:00", "2037-11-23T21:01"] {
            assert_eq!(clock.look(at(now)).await.unwrap().turned, [], "{now}");
        }
        room.all_done().await;
        sql(&room.store, "UPDATE environments SET wanted_run = 1").await.unwrap();
        assert_eq!(clock.look(at("2037-11-23T21:10")).await.unwrap().turned, []);
        assert!(room.queue().await.is_empty());
        clock.look(at("2037-11-23T23:58")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
    })
    .await;
}

#[tokio::test]
async fn a_change_that_takes_longer_than_until_the_next_transition_is_followed_by_it_and_not_made_again() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut clock = room.clock();
        clock.look(at("2037-11-23T20:30")).await.unwrap();
        queues(&room, "full", at("2037-11-23T20:55"), None).await;
        clock.look(at("2037-11-23T20:56")).await.unwrap();
        clock.look(at("2037-11-23T21:00")).await.unwrap();
        assert_eq!(room.queue().await, ["full", "small"], "what is under way is followed");
        // It ends at 21:05.
        room.wants("full").await;
        sql(&room.store, "UPDATE environments SET wanted_run = 1").await.unwrap();
        let state = "{\"state\":\"ended\",\"outcome\":\"succeeded\"}";
        sql(
            &room.store,
            &format!(
                "UPDATE runs SET status = 'succeeded', state = '{state}', ended_at = {} WHERE number = 1",
                at("2037-11-23T21:05").0
            ),
        )
        .await
        .unwrap();
        clock.look(at("2037-11-23T21:06")).await.unwrap();
        room.clock().look(at("2037-11-23T21:30")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
    })
    .await;
}

#[tokio::test]
async fn of_several_changes_the_last_one_counts() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut clock = room.clock();
        clock.look(at("2037-11-23T12:00")).await.unwrap();
        queues(&room, "full", at("2037-11-23T12:01"), None).await;
        clock.look(at("2037-11-23T12:02")).await.unwrap();
        queues(&room, "small", at("2037-11-23T12:03"), None).await;
        clock.look(at("2037-11-23T12:04")).await.unwrap();
        clock.look(at("2037-11-23T12:05")).await.unwrap();
        assert_eq!(room.queue().await, ["full", "small"], "and nothing of the clock's");
    })
    .await;
}

#[tokio::test]
async fn a_change_that_was_taken_back_half_way_bends_nothing() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut clock = room.clock();
        clock.look(at("2037-11-24T07:00")).await.unwrap();
        visits(&room, "full", at("2037-11-24T08:00"), Some(at("2037-11-24T11:00"))).await;
        // Stopped: what was wanted before is wanted again.
        sql(&room.store, "UPDATE environments SET wanted = '{\"level\":\"small\",\"settings\":{}}'").await.unwrap();
        room.end_as("cancelled").await;
        clock.look(at("2037-11-24T08:05")).await.unwrap();
        assert!(room.queue().await.is_empty());
        clock.look(at("2037-11-24T09:00")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_lowered_after_an_early_beginning_is_raised_when_it_is_time() {
    on_both(async |store| {
        let room = Room::with(store, "ready_by = true\n").await;
        let mut clock = room.clock();
        clock.look(at("2037-11-24T08:00")).await.unwrap();
        let environment = room.config.environments.get(&shop()).unwrap();
        let diary = crate::agenda::Diaries::default();
        let diary = diary.one(&room.store, &room.config, environment, at("2037-11-24T08:49")).await.unwrap();
        let page = Page::read(&diary, None, at("2037-11-24T08:49"), at("2037-11-24T08:49"));
        let (early, _) = page.early(&diary).expect("it is to be ready by nine");
        let desk = Desk::new(room.store.clone(), watch::channel(Arc::clone(&room.config)).1, Bell::default());
        desk.turn(std::slice::from_ref(&early), at("2037-11-24T08:49")).await.unwrap();
        assert_eq!(desk.turn(&[early], at("2037-11-24T08:50")).await.unwrap(), [Turned::Already]);
        assert_eq!(room.queue().await, ["full"]);
        room.all_done().await;
        clock.look(at("2037-11-24T08:54")).await.unwrap();
        visits(&room, "small", at("2037-11-24T08:55"), None).await;
        clock.look(at("2037-11-24T08:56")).await.unwrap();
        assert!(room.queue().await.is_empty());
        clock.look(at("2037-11-24T09:00")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
        assert_eq!(clock.look(at("2037-11-24T09:01")).await.unwrap().turned, []);
    })
    .await;
}

#[tokio::test]
async fn what_failed_and_somebody_else_brought_about_or_took_as_it_is_is_not_tried_again() {
    on_both(async |store| {
        for accepted in [false, true] {
            let room = Room::new(store.clone()).await;
            sql(&room.store, "DELETE FROM clock_asked").await.unwrap();
            let (day, first) = if accepted { ("2037-11-26", "08:00") } else { ("2037-11-25", "08:00") };
            let mut clock = room.clock();
            clock.look(at(&format!("{day}T{first}"))).await.unwrap();
            clock.look(at(&format!("{day}T09:00"))).await.unwrap();
            assert_eq!(room.queue().await, ["full"]);
            room.wants("full").await;
            room.end_as("partial").await;
            if accepted {
                sql(&room.store, "UPDATE runs SET taken_by = 'local:ito' WHERE status = 'partial'").await.unwrap();
            } else {
                visits(&room, "full", at(&format!("{day}T09:01")), None).await;
            }
            for minutes in ["09:05", "09:30", "12:00", "20:00"] {
                clock.look(at(&format!("{day}T{minutes}"))).await.unwrap();
                assert!(room.queue().await.is_empty(), "{minutes}");
            }
            let all = told(&room).await;
            assert!(!all.iter().any(|said| matches!(said, ClockNews::GivenUp { .. })), "{all:?}");
            room.wants("small").await;
        }
    })
    .await;
}
