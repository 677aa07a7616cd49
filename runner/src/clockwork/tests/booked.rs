//! What people booked: it begins and ends by itself, each once, and only as long as they may have it.

use super::*;
use crate::domain::holds::Booked;
use crate::domain::request::AskedAs;
use crate::ledger::holds::{self, NewBooking};

/// A booking, as the desk would have noted it.
pub(super) async fn books(room: &Room, who: &str, level: &str, (from, until): (&str, &str)) -> i64 {
    let by = Actor::person(ActorId::local(who), who);
    let booked = Booked { target: target(level), asked_as: AskedAs::of(&by), before: None };
    let environment = shop();
    let (from, until) = (at(from), at(until));
    let mut tx = room.store.begin().await.unwrap();
    let new = NewBooking { environment: &environment, by: &by, only: vec![], because: None, from, until, booked };
    let hold = holds::book(&mut tx, new).await.unwrap();
    tx.commit().await.unwrap();
    hold.number.0
}

#[tokio::test]
async fn what_is_booked_is_raised_once_by_whoever_booked_it_and_goes_back_to_what_schedules_ask_for() {
    for config in [CONFIG, UNSCHEDULED] {
        on_both(async |store| {
            let config = Arc::new(config::parse(Source::new("/etc/tide/tidegate.toml", config), &|_| None).unwrap());
            let room = Room { store, config };
            room.wants("small").await;
            // A Monday, over midnight.
            books(&room, "ito", "full", ("2027-11-22T22:00", "2027-11-23T02:00")).await;
            let (mut clock, mut other) = (room.clock(), room.clock());
            for clock in [&mut clock, &mut other] {
                clock.look(at("2027-11-22T21:30")).await.unwrap();
                assert_eq!(room.queue().await, Vec::<String>::new());
            }
            let looked = clock.look(at("2027-11-22T22:00")).await.unwrap();
            let [Turned::Queued(run)] = outcomes(&looked)[..] else { panic!("{looked:?}") };
            let run = runs::by_number(&room.store, *run).await.unwrap().unwrap();
            assert_eq!((run.asker.id.clone(), run.answers_for().id), (ActorId::clock(), ActorId::local("ito")));
            assert_eq!(run.request.because.as_deref(), Some("the booking of ito"));
            other.look(at("2027-11-22T22:01")).await.unwrap();
            room.clock().look(at("2027-11-22T22:02")).await.unwrap();
            assert_eq!(room.queue().await, ["full"], "once");
            room.all_done().await;
            let looked = clock.look(at("2027-11-23T01:59")).await.unwrap();
            assert_eq!(outcomes(&looked), Vec::<&Turned>::new());
            for clock in [&mut clock, &mut other] {
                clock.look(at("2027-11-23T02:00")).await.unwrap();
            }
            assert_eq!(room.queue().await, ["small"], "once");
        })
        .await;
    }
}

#[tokio::test]
async fn what_was_there_before_a_booking_does_not_end_with_it() {
    on_both(async |store| {
        let config = Arc::new(config::parse(Source::new("/etc/tide/tidegate.toml", UNSCHEDULED), &|_| None).unwrap());
        let room = Room { store, config };
        room.wants("full").await;
        books(&room, "ito", "full", ("2027-11-22T22:00", "2027-11-23T02:00")).await;
        let mut clock = room.clock();
        for now in ["2027-11-22T21:30", "2027-11-22T22:00", "2027-11-23T01:59", "2027-11-23T02:00", "2027-11-23T02:01"]
        {
            clock.look(at(now)).await.unwrap();
            assert_eq!(room.queue().await, Vec::<String>::new(), "{now}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_missed_is_begun_late_as_long_as_it_is_booked_and_not_after_it() {
    on_both(async |store| {
        let room = Room::new(store).await;
        books(&room, "ito", "full", ("2027-11-20T08:00", "2027-11-21T08:00")).await;
        room.clock().look(at("2027-11-20T07:00")).await.unwrap();
        // Nothing ran for longer than what schedules are late.
        let looked = room.clock().look(at("2027-11-20T20:00")).await.unwrap();
        assert!(matches!(outcomes(&looked)[..], [Turned::Queued(_)]), "{looked:?}");
        room.all_done().await;
        books(&room, "ito", "full", ("2027-11-28T08:00", "2027-11-28T10:00")).await;
        room.clock().look(at("2027-11-21T09:00")).await.unwrap();
        room.all_done().await;
        room.clock().look(at("2027-11-28T07:00")).await.unwrap();
        let looked = room.clock().look(at("2027-11-28T10:30")).await.unwrap();
        assert_eq!(room.queue().await, Vec::<String>::new(), "{looked:?}");
    })
    .await;
}

#[tokio::test]
async fn who_may_not_have_it_any_more_has_it_no_more() {
    on_both(async |store| {
        let room = Room::new(store).await;
        // Nothing in the configuration names them.
        let number = books(&room, "kato", "full", ("2027-11-21T08:00", "2027-11-21T10:00")).await;
        let mut clock = room.clock();
        clock.look(at("2027-11-21T07:00")).await.unwrap();
        let looked = clock.look(at("2027-11-21T08:00")).await.unwrap();
        let [Turned::Refused(refusal)] = outcomes(&looked)[..] else { panic!("{looked:?}") };
        assert!(refusal.what.contains("`local:kato`'s to do any more, who booked it"), "{refusal:?}");
        assert!(matches!(told(&room).await.as_slice(), [.., ClockNews::Refused { .. }]));
        assert_eq!(holds::bookings(&room.store, None).await.unwrap().0, [], "nobody is barred by it");
        let over = holds::one(&room.store, number).await.unwrap().unwrap();
        assert_eq!(over.number.0, number);
        clock.look(at("2027-11-21T08:05")).await.unwrap();
        assert_eq!(room.queue().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn what_is_taken_back_within_it_goes_back_at_once() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let number = books(&room, "ito", "full", ("2027-11-21T08:00", "2027-11-21T20:00")).await;
        let mut clock = room.clock();
        clock.look(at("2027-11-21T07:00")).await.unwrap();
        clock.look(at("2027-11-21T08:00")).await.unwrap();
        room.all_done().await;
        let ended = at("2027-11-21T09:00").0;
        sql(&room.store, &format!("UPDATE holds SET ended_at = {ended}, ended_how = 'lifted' WHERE number = {number}"))
            .await
            .unwrap();
        clock.look(at("2027-11-21T09:00")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
    })
    .await;
}

#[tokio::test]
async fn after_destroy_a_booking_raises_it_all_the_same() {
    on_both(async |store| {
        let room = Room::new(store).await;
        books(&room, "ito", "full", ("2027-11-21T08:00", "2027-11-21T20:00")).await;
        room.is_destroyed().await;
        let mut clock = room.clock();
        clock.look(at("2027-11-21T07:00")).await.unwrap();
        clock.look(at("2027-11-21T08:00")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
    })
    .await;
}

/// Nothing asks for anything but bookings.
fn unscheduled(store: Store) -> Room {
    let config = config::parse(Source::new("/etc/tide/tidegate.toml", UNSCHEDULED), &|_| None).unwrap();
    Room { store, config: Arc::new(config) }
}

#[tokio::test]
async fn what_was_off_before_a_booking_is_off_again_after_it() {
    // Where it was before, as somebody said or by `destroy`, and where it goes back to.
    for (before, after) in [(Some("off"), "off"), (None, "off"), (Some("small"), "small"), (Some("unknown"), "small")] {
        on_both(async |store| {
            let room = unscheduled(store);
            match before {
                // Nobody has ever said anything.
                Some("unknown") => {}
                Some(level) => room.wants(level).await,
                None => room.is_destroyed().await,
            }
            books(&room, "ito", "full", ("2027-11-22T22:00", "2027-11-23T02:00")).await;
            let mut clock = room.clock();
            clock.look(at("2027-11-22T21:30")).await.unwrap();
            // As it is told before it begins.
            let environment = room.config.environments.get(&shop()).unwrap();
            let diaries = crate::agenda::Diaries::default();
            let now = at("2027-11-22T21:31");
            let diary = diaries.one(&room.store, &room.config, environment, now).await.unwrap();
            let told = level_at(&diary.agenda(), at("2027-11-23T02:00")).unwrap();
            assert_eq!(told.wanted, target(after), "{before:?}");
            clock.look(at("2027-11-22T22:00")).await.unwrap();
            assert_eq!(room.queue().await, ["full"], "{before:?}");
            room.all_done().await;
            clock.look(at("2027-11-22T22:10")).await.unwrap();
            // Another process goes on with it.
            let mut clock = room.clock();
            clock.look(at("2027-11-23T01:59")).await.unwrap();
            assert!(room.queue().await.is_empty());
            clock.look(at("2027-11-23T02:00")).await.unwrap();
            assert_eq!(room.queue().await, [after], "{before:?}");
            room.all_done().await;
            assert_eq!(clock.look(at("2027-11-23T02:01")).await.unwrap().turned, []);
        })
        .await;
    }
}

#[tokio::test]
async fn a_booking_that_never_began_changes_nothing_as_it_ends() {
    on_both(async |store| {
        let room = unscheduled(store);
        room.wants("off").await;
        books(&room, "ito", "full", ("2027-11-22T22:00", "2027-11-23T02:00")).await;
        room.is_held().await;
        let mut clock = room.clock();
        clock.look(at("2027-11-22T21:30")).await.unwrap();
        let looked = clock.look(at("2027-11-22T22:00")).await.unwrap();
        assert!(matches!(outcomes(&looked)[..], [Turned::Refused(_)]), "{looked:?}");
        clock.look(at("2027-11-23T01:59")).await.unwrap();
        sql(&room.store, "UPDATE holds SET ended_at = 1, ended_how = 'lifted' WHERE kind = 'hold'").await.unwrap();
        for now in ["2027-11-23T02:00", "2027-11-23T02:01", "2027-11-23T02:30"] {
            clock.look(at(now)).await.unwrap();
            assert_eq!(room.queue().await, Vec::<String>::new(), "{now}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_destroyed_while_it_is_booked_is_not_raised_as_that_ends() {
    on_both(async |store| {
        let room = unscheduled(store);
        room.wants("small").await;
        books(&room, "ito", "full", ("2027-11-22T22:00", "2027-11-23T02:00")).await;
        let mut clock = room.clock();
        clock.look(at("2027-11-22T21:30")).await.unwrap();
        clock.look(at("2027-11-22T22:00")).await.unwrap();
        room.all_done().await;
        clock.look(at("2027-11-22T22:10")).await.unwrap();
        room.is_destroyed().await;
        for now in ["2027-11-22T23:00", "2027-11-23T01:59", "2027-11-23T02:00", "2027-11-23T02:01"] {
            clock.look(at(now)).await.unwrap();
            assert_eq!(room.queue().await, Vec::<String>::new(), "{now}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_pause_keeps_stays_after_a_booking_of_the_same_until_the_pause_is_over() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        let (from, until) = (at("2027-11-22T20:00"), at("2027-11-23T06:00"));
        let mut clock = room.clock();
        clock.look(from).await.unwrap();
        bends(&room, Bend::Pause { from, until: Some(until) }, until).await;
        books(&room, "ito", "full", ("2027-11-22T22:00", "2027-11-23T02:00")).await;
        for now in ["2027-11-22T21:30", "2027-11-22T22:00", "2027-11-23T01:59", "2027-11-23T02:00", "2027-11-23T02:01"]
        {
            clock.look(at(now)).await.unwrap();
            assert_eq!(room.queue().await, Vec::<String>::new(), "{now}");
        }
        clock.look(until).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
    })
    .await;
}
