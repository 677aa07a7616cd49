//! What people bend: keeps, skips, pauses, changes of their own, and what they destroyed.

use super::*;

#[tokio::test]
async fn a_keep_moves_the_evening_and_then_it_goes_down_by_itself_once() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        room.clock().look(at("2037-11-23T20:50")).await.unwrap();
        let (began, until) = (at("2037-11-23T20:58"), at("2037-11-23T22:58"));
        room.keeps(began, until).await;
        // Restarted in between.
        let looked = room.clock().look(at("2037-11-23T21:30")).await.unwrap();
        assert_eq!((outcomes(&looked), looked.next), (vec![], Some(at("2037-11-23T22:43"))), "when it warns");
        room.keeps_are_over().await;
        let looked = room.clock().look(at("2037-11-23T22:58")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Queued(_)]), "{looked:?}");
        assert_eq!(room.queue().await, ["small"]);
        assert_eq!(room.clock().look(at("2037-11-23T23:30")).await.unwrap().turned, []);
        // Whose doing it was and why it came so late is in the audit, once.
        let kept = audit::page(&room.store, &AuditFilter { page: 1, ..AuditFilter::default() }, 50).await.unwrap();
        let kept = kept.records.as_slice();
        assert!(
            matches!(kept, [one] if one.actor.id == ActorId::clock() && one.action == "down"
                && one.because.as_ref().is_some_and(|because| because.contains("the keep of ito has ended"))),
            "{kept:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_skipped_is_not_made_and_what_comes_after_it_is() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        room.clock().look(at("2037-11-23T20:00")).await.unwrap();
        let local = NaiveDate::from_ymd_opt(2037, 11, 23).unwrap().and_hms_opt(21, 0, 0).unwrap();
        let skip = Bend::Skip(Skipped::One { schedule: "hours".to_owned(), local });
        bends(&room, skip, at("2038-12-01T00:00")).await;
        for (now, made) in [("2037-11-23T21:00", 0), ("2037-11-23T23:00", 0), ("2037-11-24T09:00", 0)] {
            let looked = room.clock().look(at(now)).await.unwrap();
            assert_eq!(looked.turned.len(), made, "{now}: {looked:?}");
        }
        assert!(room.queue().await.is_empty());
        room.clock().look(at("2037-11-24T21:00")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
    })
    .await;
}

#[tokio::test]
async fn what_somebody_wanted_skipped_is_told_when_its_time_comes() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        let mut clock = room.clock();
        clock.look(at("2037-11-24T20:00")).await.unwrap();
        let local = NaiveDate::from_ymd_opt(2037, 11, 24).unwrap().and_hms_opt(21, 0, 0).unwrap();
        let skip = Bend::Skip(Skipped::One { schedule: "hours".to_owned(), local });
        bends(&room, skip, at("2038-12-01T00:00")).await;
        clock.look(at("2037-11-24T20:59")).await.unwrap();
        assert_eq!(told(&room).await, []);
        for now in ["2037-11-24T21:00", "2037-11-24T21:01"] {
            clock.look(at(now)).await.unwrap();
            room.clock().look(at(now)).await.unwrap();
        }
        let all = told(&room).await;
        assert!(
            matches!(all.as_slice(), [ClockNews::Skipped { turn, called, because: Some(_), .. }]
                if turn.at == at("2037-11-24T21:00") && called == "ito"),
            "{all:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn while_schedules_are_paused_nothing_is_made_and_at_the_end_what_they_then_ask_for() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        let mut clock = room.clock();
        clock.look(at("2037-11-23T20:00")).await.unwrap();
        let (from, until) = (at("2037-11-23T20:10"), at("2037-11-25T12:00"));
        let pause = bends(&room, Bend::Pause { from, until: Some(until) }, until).await;
        for now in ["2037-11-23T21:00", "2037-11-24T09:00", "2037-11-24T21:00"] {
            assert_eq!(clock.look(at(now)).await.unwrap().turned, [], "{now}");
        }
        // Somebody resumes a moment before the clock looks, by a clock that is a little behind.
        clock.look(at("2037-11-24T22:00")).await.unwrap();
        let mut tx = room.store.begin().await.unwrap();
        ledger_bends::shorten(&mut tx, &pause, at("2037-11-24T22:00").plus_ms(-1_500)).await.unwrap();
        tx.commit().await.unwrap();
        clock.look(at("2037-11-24T22:01")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
        assert_eq!(clock.look(at("2037-11-24T22:02")).await.unwrap().turned, []);
    })
    .await;
}

#[tokio::test]
async fn a_persons_change_holds_until_the_next_transition_or_as_long_as_they_said() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut clock = room.clock();
        clock.look(at("2037-11-23T22:00")).await.unwrap();
        // Over the night by default: never longer than 12 hours, and to the morning here.
        visits(&room, "full", at("2037-11-23T22:10"), None).await;
        assert_eq!(
            clock.look(at("2037-11-23T22:11")).await.unwrap().next,
            Some(at("2037-11-24T20:45")),
            "when it warns"
        );
        // For three hours, and back to what the schedules then ask for.
        visits(&room, "full", at("2037-11-23T22:20"), Some(at("2037-11-24T01:20"))).await;
        assert_eq!(
            clock.look(at("2037-11-23T22:21")).await.unwrap().next,
            Some(at("2037-11-24T01:05")),
            "when it warns"
        );
        clock.look(at("2037-11-24T01:20")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
        let looked = room.clock().look(at("2037-11-24T01:21")).await.unwrap();
        assert_eq!(looked.turned, [], "{looked:?}");
    })
    .await;
}

#[tokio::test]
async fn what_was_destroyed_is_raised_by_people_only() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.clock().look(at("2037-11-23T08:00")).await.unwrap();
        room.is_destroyed().await;
        let looked = room.clock().look(at("2037-11-23T09:00")).await.unwrap();
        assert_eq!((looked.turned, looked.next), (vec![], None));
        visits(&room, "full", at("2037-11-23T10:00"), None).await;
        room.clock().look(at("2037-11-23T21:00")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
    })
    .await;
}

#[tokio::test]
async fn what_was_destroyed_is_not_raised_by_another_try() {
    on_both(async |store| {
        let mut room = Room::new(store).await;
        let once =
            "[[environments.shop.schedules]]\nname = 'once'\nat = '2037-11-23 09:00'\ndo = 'up full'\nfor = '8h'\n";
        let text = format!("{UNSCHEDULED}{once}");
        room.config = Arc::new(config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap());
        let mut clock = room.clock();
        clock.look(at("2037-11-23T08:00")).await.unwrap();
        room.is_held().await;
        let looked = clock.look(at("2037-11-23T09:00")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Refused(_)]), "{looked:?}");
        room.is_destroyed().await;
        room.is_free().await;
        for now in ["2037-11-23T09:05", "2037-11-23T09:30"] {
            clock.look(at(now)).await.unwrap();
        }
        assert!(room.queue().await.is_empty());
    })
    .await;
}
