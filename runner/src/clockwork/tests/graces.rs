//! What stays until people were warned asks for nothing itself: it ends with what it was for, raises nothing and is nobody's word.

use super::booked::books;
use super::*;

const WORK: &str = "[[environments.shop.schedules]]\nname = 'work'\nwindow = 'Mon-Fri 09:00-21:00'\ninside = 'full'\noutside = 'small'\n";

fn parsed(text: &str) -> Arc<Config> {
    let config = config::parse(Source::new("/etc/tide/tidegate.toml", text), &|_| None).unwrap();
    assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
    Arc::new(config)
}

#[tokio::test]
async fn what_is_added_and_removed_again_lowers_nothing_and_is_told_as_called_off() {
    on_both(async |store| {
        // At the end it would go as far as that.
        let alone = UNSCHEDULED.replace("down = 'small'", "down = 'off'\nlevels = ['small', 'full']");
        let room = Room { store, config: parsed(&alone) };
        room.wants("full").await;
        let (told_so, config) = watch::channel(Arc::clone(&room.config));
        let mut clock = Clockwork::new(Desk::new(room.store.clone(), config, Bell::default()), room.store.clone());
        // A Saturday.
        clock.look(at("2036-11-29T11:59")).await.unwrap();
        told_so.send(parsed(&format!("{alone}{WORK}"))).unwrap();
        assert_eq!(clock.look(at("2036-11-29T12:00")).await.unwrap().turned, []);
        told_so.send(parsed(&alone)).unwrap();
        for now in ["12:05", "12:06", "12:14", "12:15", "12:16", "13:00"] {
            let now = at(&format!("2036-11-29T{now}"));
            assert_eq!(clock.look(now).await.unwrap().turned, [], "{now:?}");
            assert_eq!(room.clock().look(now).await.unwrap().turned, [], "{now:?}");
        }
        assert!(room.queue().await.is_empty());
        let all = told(&room).await;
        let [ClockNews::Ahead { turn, .. }, ClockNews::CalledOff { turn: off, bent: None, held: None }] =
            all.as_slice()
        else {
            panic!("{all:?}")
        };
        assert_eq!((turn.at, off), (at("2036-11-29T12:15"), turn));
    })
    .await;
}

#[tokio::test]
async fn a_change_that_was_to_end_within_a_booking_of_the_same_level_ends_with_it() {
    for (until, then) in [("22T22:00", "23T02:00"), ("22T23:00", "23T02:00"), ("23T03:00", "23T03:00")] {
        on_both(async |store| {
            let room = Room { store, config: parsed(UNSCHEDULED) };
            room.wants("small").await;
            let mut clock = room.clock();
            clock.look(at("2027-11-22T19:00")).await.unwrap();
            visits(&room, "full", at("2027-11-22T20:00"), Some(at(&format!("2027-11-{until}")))).await;
            books(&room, "ito", "full", ("2027-11-22T22:00", "2027-11-23T02:00")).await;
            for now in ["22T20:01", "22T22:00", "22T23:00", "23T01:59"] {
                clock.look(at(&format!("2027-11-{now}"))).await.unwrap();
                assert_eq!(room.queue().await, Vec::<String>::new(), "{now}");
            }
            let then = at(&format!("2027-11-{then}"));
            room.clock().look(then.plus_ms(-1)).await.unwrap();
            assert_eq!(room.queue().await, Vec::<String>::new());
            room.clock().look(then).await.unwrap();
            assert_eq!(room.queue().await, ["small"], "{until}");
            room.all_done().await;
            for days in [1, 7, 8, 9] {
                let now = then.plus_ms(days * 86_400_000);
                assert_eq!(room.clock().look(now).await.unwrap().turned, [], "{days} days later");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn what_somebody_lowers_for_a_while_is_not_raised_by_what_stays() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        let mut clock = room.clock();
        // Outside of the hours since nine in the evening.
        clock.look(at("2036-11-24T22:00")).await.unwrap();
        let (from, until) = (at("2036-11-24T22:01"), at("2036-11-24T22:16"));
        let then = Some(target("small"));
        bends(&room, Bend::Grace { target: target("full"), from, until, then, foretold: vec![] }, until).await;
        clock.look(at("2036-11-24T22:01")).await.unwrap();
        visits(&room, "small", at("2036-11-24T22:03"), Some(at("2036-11-24T22:06"))).await;
        for now in ["22:04", "22:06", "22:07", "22:15", "22:16", "22:17"] {
            clock.look(at(&format!("2036-11-24T{now}"))).await.unwrap();
            assert_eq!(room.queue().await, Vec::<String>::new(), "{now}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_schedules_raise_meanwhile_begins_when_it_is_written() {
    on_both(async |store| {
        const EARLY: &str =
            "[[environments.shop.schedules]]\nname = 'early'\nat = '2036-11-24 22:06'\ndo = 'up full'\nfor = '1h'\n";
        let room = Room { store, config: parsed(&format!("{UNSCHEDULED}{WORK}{EARLY}")) };
        room.wants("full").await;
        let mut clock = room.clock();
        clock.look(at("2036-11-24T22:00")).await.unwrap();
        let (from, until) = (at("2036-11-24T22:01"), at("2036-11-24T22:16"));
        let then = Some(target("small"));
        bends(&room, Bend::Grace { target: target("full"), from, until, then, foretold: vec![] }, until).await;
        clock.look(at("2036-11-24T22:01")).await.unwrap();
        visits(&room, "small", at("2036-11-24T22:03"), Some(at("2036-11-24T22:06"))).await;
        for (now, queue) in [("22:04", &[][..]), ("22:06", &["full"][..])] {
            clock.look(at(&format!("2036-11-24T{now}"))).await.unwrap();
            assert_eq!(room.queue().await, queue, "{now}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_called_it_off_is_named_and_not_what_was_bent_after_it() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        let mut clock = room.clock();
        clock.look(at("2036-11-24T20:45")).await.unwrap();
        let skip = Skipped::One { schedule: "hours".to_owned(), local: "2036-11-24T21:00:00".parse().unwrap() };
        let skip = bends(&room, Bend::Skip(skip), at("2036-11-26T00:00")).await;
        // It would be over by then.
        room.keeps(at("2036-11-24T20:47"), at("2036-11-24T20:50")).await;
        // Both have numbers of one count.
        sql(&room.store, "UPDATE holds SET number = 77").await.unwrap();
        clock.look(at("2036-11-24T20:48")).await.unwrap();
        let all = told(&room).await;
        let [ClockNews::Ahead { .. }, ClockNews::CalledOff { bent: Some(bent), .. }] = all.as_slice() else {
            panic!("{all:?}")
        };
        assert_eq!(**bent, skip);
    })
    .await;
}

#[tokio::test]
async fn what_is_given_up_for_what_stays_is_nobody_s_doing() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        let mut clock = room.clock();
        clock.look(at("2036-11-24T20:00")).await.unwrap();
        room.is_held_until(at("2036-11-25T02:00")).await;
        clock.look(at("2036-11-24T21:00")).await.unwrap();
        let (from, until) = (at("2036-11-24T21:01"), at("2036-11-24T21:16"));
        let then = Some(target("small"));
        bends(&room, Bend::Grace { target: target("full"), from, until, then, foretold: vec![] }, until).await;
        clock.look(at("2036-11-24T21:02")).await.unwrap();
        let all = told(&room).await;
        assert!(
            all.iter().any(|said| matches!(said, ClockNews::GivenUp { by: None, .. }))
                && !all.iter().any(|said| matches!(said, ClockNews::GivenUp { by: Some(_), .. })),
            "{all:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn whoever_is_warned_hears_that_it_is_in_doubt_what_goes_down() {
    for in_doubt in [false, true] {
        on_both(async |store| {
            let room = Room::new(store).await;
            room.wants("full").await;
            let mut tx = room.store.begin().await.unwrap();
            crate::ledger::stacks::mark_in_doubt(&mut tx, &shop(), &"app".parse().unwrap()).await.unwrap();
            tx.commit().await.unwrap();
            if !in_doubt {
                sql(&room.store, "UPDATE stacks SET in_doubt = FALSE").await.unwrap();
            }
            room.clock().look(at("2036-11-24T20:45")).await.unwrap();
            let all = told(&room).await;
            let [ClockNews::Ahead { in_doubt: told, .. }] = all.as_slice() else { panic!("{all:?}") };
            assert_eq!(*told, in_doubt);
        })
        .await;
    }
}

#[tokio::test]
async fn what_a_booking_asks_for_again_comes_after_the_warning_of_it() {
    on_both(async |store| {
        let room = Room { store, config: parsed(UNSCHEDULED) };
        room.wants("full").await;
        let mut clock = room.clock();
        clock.look(at("2027-11-22T16:00")).await.unwrap();
        books(&room, "ito", "small", ("2027-11-22T17:00", "2027-11-22T19:00")).await;
        visits(&room, "full", at("2027-11-22T17:20"), Some(at("2027-11-22T18:00"))).await;
        let (from, until) = (at("2027-11-22T18:00"), at("2027-11-22T18:15"));
        let then = Some(target("small"));
        bends(&room, Bend::Grace { target: target("full"), from, until, then, foretold: vec![] }, until).await;
        for now in ["18:00", "18:01", "18:14"] {
            clock.look(at(&format!("2027-11-22T{now}"))).await.unwrap();
            assert_eq!(room.queue().await, Vec::<String>::new(), "{now}");
        }
        clock.look(until).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
    })
    .await;
}

#[tokio::test]
async fn what_stays_within_a_pause_goes_down_once_that_is_over() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        let mut clock = room.clock();
        // Outside of the hours since nine in the evening.
        clock.look(at("2036-11-24T22:00")).await.unwrap();
        let (from, until) = (at("2036-11-24T22:01"), at("2036-11-24T22:16"));
        let then = Some(target("small"));
        bends(&room, Bend::Grace { target: target("full"), from, until, then, foretold: vec![] }, until).await;
        let paused = at("2036-11-24T23:00");
        bends(&room, Bend::Pause { from: at("2036-11-24T22:05"), until: Some(paused) }, paused).await;
        for now in ["22:05", "22:16", "22:30", "22:59"] {
            clock.look(at(&format!("2036-11-24T{now}"))).await.unwrap();
            assert_eq!(room.queue().await, Vec::<String>::new(), "{now}");
        }
        for now in ["23:00", "23:15", "23:16"] {
            clock.look(at(&format!("2036-11-24T{now}"))).await.unwrap();
        }
        assert_eq!(room.queue().await, ["small"]);
    })
    .await;
}
