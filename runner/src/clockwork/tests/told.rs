//! Who hears of what the clock does, and of the days on which it does something else.

use super::*;
use crate::domain::schedule::{OddDay, QuietKind};

/// What somebody has been told, oldest first.
async fn told_to(room: &Room, who: &str) -> Vec<ClockNews> {
    let pending = outbox::pending(&room.store, &Address::of(&ActorId::local(who))).await.unwrap();
    let news = pending.iter().filter_map(|message| outbox::news(message).unwrap());
    let of_clock = news.filter_map(|news| match news {
        News::Clock { said, .. } => Some(said),
        _ => None,
    });
    of_clock.collect()
}

#[tokio::test]
async fn whom_a_schedule_names_hears_of_it_beside_the_owners() {
    on_both(async |store| {
        let room = Room::with(store, "tell = ['local:kato', 'local:ito']\n").await;
        let mut clock = room.clock();
        clock.look(at("2037-11-24T08:00")).await.unwrap();
        room.is_held().await;
        clock.look(at("2037-11-24T09:00")).await.unwrap();
        room.is_free().await;
        clock.look(at("2037-11-24T09:30")).await.unwrap();
        room.all_done().await;
        clock.look(at("2037-11-24T20:45")).await.unwrap();
        for who in ["ito", "kato"] {
            let all = told_to(&room, who).await;
            assert!(
                matches!(all.as_slice(), [ClockNews::Refused { .. }, ClockNews::Late { .. }, ClockNews::Ahead { .. }]),
                "{who}: {all:?}"
            );
        }
        assert_eq!(told_to(&room, "sato").await, []);
    })
    .await;
}

#[tokio::test]
async fn on_a_holidays_eve_people_hear_once_what_does_not_happen() {
    on_both(async |store| {
        // 2026-11-23 is Labor Thanksgiving Day, a Monday: the last day before it on which something happens is Friday.
        let room = Room::with(store, "holidays = 'JP'\n").await;
        room.wants("full").await;
        let mut clock = room.clock();
        let looked = clock.look(at("2026-11-20T10:00")).await.unwrap();
        assert_eq!((told(&room).await, looked.next), (vec![], Some(at("2026-11-20T12:00"))));
        for _ in 0..2 {
            clock.look(at("2026-11-20T12:00")).await.unwrap();
            room.clock().look(at("2026-11-20T12:01")).await.unwrap();
        }
        let all = told(&room).await;
        let day = OddDay {
            date: NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(),
            kind: QuietKind::Holiday,
            name: "Labor Thanksgiving Day".to_owned(),
        };
        assert!(
            matches!(all.as_slice(), [ClockNews::Eve { turn, stays, days }]
                if turn.at == at("2026-11-24T09:00") && *stays == Some(target("small")) && *days == [day]),
            "{all:?}"
        );
        clock.look(at("2026-11-20T21:00")).await.unwrap();
        room.all_done().await;
        for now in ["2026-11-20T21:01", "2026-11-22T12:00", "2026-11-23T12:00", "2026-11-24T09:00"] {
            room.clock().look(at(now)).await.unwrap();
        }
        let eves = told(&room).await.into_iter().filter(|said| matches!(said, ClockNews::Eve { .. })).count();
        assert_eq!(eves, 1);
    })
    .await;
}

#[tokio::test]
async fn several_days_off_are_one_message_and_so_is_a_saturday_that_is_worked_on() {
    const DAYS: &str =
        "[calendars.team]\noff = ['2026-12-29', '2026-12-30', '2026-12-31', '2027-01-01']\nworking = ['2026-12-19']\n";
    on_both(async |store| {
        let config = format!("{CONFIG}holidays = 'team'\n{DAYS}");
        let config = Arc::new(config::parse(Source::new("/etc/tide/tidegate.toml", &config), &|_| None).unwrap());
        let room = Room { store, config };
        room.wants("small").await;
        let mut clock = room.clock();
        let mut now = at("2026-12-14T00:00");
        while now < at("2027-01-10T00:00") {
            let looked = clock.look(now).await.unwrap();
            if !looked.turned.is_empty() {
                room.all_done().await;
            }
            now = looked.next.unwrap();
        }
        let eves: Vec<(String, usize)> = told(&room)
            .await
            .iter()
            .filter_map(|said| match said {
                ClockNews::Eve { turn, days, .. } => Some((turn.local.to_string(), days.len())),
                _ => None,
            })
            .collect();
        assert_eq!(eves, [("2026-12-19 09:00:00".to_owned(), 1), ("2027-01-04 09:00:00".to_owned(), 4)]);
    })
    .await;
}

#[tokio::test]
async fn a_window_that_the_clocks_skip_whole_is_told_before() {
    on_both(async |store| {
        let text = CONFIG.replace("Asia/Tokyo", "Europe/Berlin").replace("Mon-Fri 09:00-21:00", "daily 02:10-02:40");
        let room = Room {
            store,
            config: Arc::new(config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap()),
        };
        room.wants("small").await;
        let berlin = |text: &str| Timestamp(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis());
        let mut clock = room.clock();
        clock.look(berlin("2027-03-26T12:00:00+01:00")).await.unwrap();
        clock.look(berlin("2027-03-27T02:10:00+01:00")).await.unwrap();
        room.all_done().await;
        clock.look(berlin("2027-03-27T02:40:00+01:00")).await.unwrap();
        room.all_done().await;
        let all = told(&room).await;
        assert!(
            matches!(all.last(), Some(ClockNews::Eve { days, .. })
                if matches!(days.as_slice(), [day] if day.kind == QuietKind::Gap && day.name == "02:10-02:40"
                    && day.date == NaiveDate::from_ymd_opt(2027, 3, 28).unwrap())),
            "{all:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn which_day_is_the_eve_says_the_zone_of_the_schedule() {
    on_both(async |store| {
        // 00:00 to 08:00 in Tokyo: in New York that is the day before, and its Friday has nothing to do with it.
        let text = CONFIG.replace("Mon-Fri 09:00-21:00'", "Mon-Fri 00:00-08:00'\nzone = 'Asia/Tokyo'\nholidays = 'JP'");
        let text = text.replacen("zone = 'Asia/Tokyo'", "zone = 'America/New_York'", 1);
        let room = Room {
            store,
            config: Arc::new(config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap()),
        };
        room.wants("full").await;
        let mut clock = room.clock();
        let eves = async || told(&room).await.into_iter().filter(|said| matches!(said, ClockNews::Eve { .. })).count();
        clock.look(at("2026-11-20T06:00")).await.unwrap();
        assert_eq!(
            eves().await,
            0,
            "in New York it is past Thursday's noon; here the last hours before the holiday have not ended"
        );
        clock.look(at("2026-11-20T08:00")).await.unwrap();
        room.all_done().await;
        clock.look(at("2026-11-20T08:01")).await.unwrap();
        assert_eq!(eves().await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_somebody_keeps_over_a_holiday_hears_of_it_on_its_eve_and_not_days_before() {
    on_both(async |store| {
        let room = Room::with(store, "holidays = 'JP'\n").await;
        room.wants("full").await;
        room.clock().look(at("2026-11-18T09:59")).await.unwrap();
        room.keeps(at("2026-11-18T10:00"), at("2026-11-24T10:00")).await;
        let mut clock = room.clock();
        for now in ["2026-11-18T10:01", "2026-11-19T12:00", "2026-11-20T11:59"] {
            clock.look(at(now)).await.unwrap();
            assert_eq!(told(&room).await, [], "{now}");
        }
        clock.look(at("2026-11-20T12:00")).await.unwrap();
        let all = told(&room).await;
        assert!(matches!(all.as_slice(), [ClockNews::Eve { days, .. }] if days.len() == 1), "{all:?}");
    })
    .await;
}

#[tokio::test]
async fn before_it_goes_down_people_are_warned_once_and_again_where_they_kept_it() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        let mut clock = room.clock();
        let looked = clock.look(at("2037-11-23T20:44")).await.unwrap();
        assert_eq!(looked.next, Some(at("2037-11-23T20:45")), "when it warns");
        assert_eq!(told(&room).await, []);
        for _ in 0..2 {
            clock.look(at("2037-11-23T20:45")).await.unwrap();
            room.clock().look(at("2037-11-23T20:46")).await.unwrap();
        }
        let all = told(&room).await;
        assert!(
            matches!(all.as_slice(), [ClockNews::Ahead { turn, from, .. }]
                if turn.at == at("2037-11-23T21:00") && turn.zone == "Asia/Tokyo" && *from == target("full")),
            "{all:?}"
        );
        let (began, until) = (at("2037-11-23T20:50"), at("2037-11-23T21:50"));
        room.keeps(began, until).await;
        clock.look(at("2037-11-23T21:00")).await.unwrap();
        assert_eq!(told(&room).await.len(), 1);
        clock.look(at("2037-11-23T21:35")).await.unwrap();
        let all = told(&room).await;
        assert_eq!(all.iter().map(|said| said.turn().at).collect::<Vec<_>>(), [at("2037-11-23T21:00"), until]);
        // Nothing is said of what changes nothing: it is down already.
        room.keeps_are_over().await;
        clock.look(until).await.unwrap();
        room.all_done().await;
        clock.look(at("2037-11-24T09:00")).await.unwrap();
        room.end_as("cancelled").await;
        let looked = clock.look(at("2037-11-24T20:50")).await.unwrap();
        assert_eq!((told(&room).await.len(), looked.next), (2, Some(at("2037-11-24T21:00"))));
    })
    .await;
}

#[tokio::test]
async fn what_is_late_collapsed_missed_or_refused_is_told() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.clock().look(at("2037-11-23T08:00")).await.unwrap();
        // Three days without anybody: five transitions, of which the last is made.
        room.clock().look(at("2037-11-25T09:30")).await.unwrap();
        let all = told(&room).await;
        assert!(
            matches!(all.as_slice(), [ClockNews::Late { turn, by_ms: 1_800_000, collapsed: 4, .. }]
                if turn.at == at("2037-11-25T09:00")),
            "{all:?}"
        );
        room.all_done().await;
        room.clock().look(at("2037-11-26T03:00")).await.unwrap();
        let all = told(&room).await;
        assert!(matches!(all.last(), Some(ClockNews::Missed { by_ms: 21_600_000, .. })), "{all:?}");
        room.is_held().await;
        room.wants("small").await;
        let mut clock = room.clock();
        clock.look(at("2037-11-26T09:00")).await.unwrap();
        clock.look(at("2037-11-26T09:30")).await.unwrap();
        let all = told(&room).await;
        assert!(
            matches!(all.last(), Some(ClockNews::Refused { again: Some(until), .. }) if *until == at("2037-11-26T21:00")),
            "{all:?}"
        );
        clock.look(at("2037-11-26T09:32")).await.unwrap();
        clock.look(at("2037-11-26T14:00")).await.unwrap();
        assert_eq!(told(&room).await.len(), 3, "as long as it is wanted");
        clock.look(at("2037-11-26T21:00")).await.unwrap();
        let all = told(&room).await;
        assert!(matches!(all.last(), Some(ClockNews::GivenUp { run: None, .. })), "{all:?}");
        // And each of it is in the audit; tries that are refused for the same reason again are not.
        let kept = audit::page(&room.store, &AuditFilter { page: 1, ..AuditFilter::default() }, 50).await.unwrap();
        let kept: Vec<_> = kept.records.iter().rev().map(|one| (one.action.as_str(), one.decision.as_str())).collect();
        assert_eq!(
            kept,
            [
                ("up", "allowed"),
                ("miss", "allowed"),
                ("up", "refused"),
                // One that found nothing to do.
                ("up", "allowed"),
                ("abandon", "allowed")
            ]
        );
        assert_eq!(all.len(), 4, "{all:?}");
    })
    .await;
}

#[tokio::test]
async fn a_pair_that_an_outage_swallows_is_said_in_one_line() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        // From Friday evening to Monday morning.
        room.clock().look(at("2037-11-27T20:00")).await.unwrap();
        let mut clock = room.clock();
        let looked = clock.look(at("2037-11-30T09:30")).await.unwrap();
        assert_eq!(outcomes(&looked), [&Turned::Nothing]);
        clock.look(at("2037-11-30T09:31")).await.unwrap();
        room.clock().look(at("2037-11-30T09:32")).await.unwrap();
        let all = told(&room).await;
        let [ClockNews::Swallowed { turn, left_out, count: 1 }] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((turn.at, &turn.wanted), (at("2037-11-30T09:00"), &target("full")));
        let left_out: Vec<_> = left_out.iter().map(|turn| (turn.at, turn.wanted.clone())).collect();
        assert_eq!(left_out, [(at("2037-11-27T21:00"), target("small"))]);
        assert!(room.queue().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_pair_whose_catch_up_is_over_is_said_as_well_and_nothing_where_nothing_was_missed() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        room.clock().look(at("2037-11-27T20:00")).await.unwrap();
        room.clock().look(at("2037-11-30T15:00")).await.unwrap();
        assert!(matches!(told(&room).await.as_slice(), [ClockNews::Swallowed { count: 1, .. }]));
        let mut clock = room.clock();
        clock.look(at("2037-11-30T20:59")).await.unwrap();
        clock.look(at("2037-11-30T21:00")).await.unwrap();
        room.all_done().await;
        assert!(matches!(told(&room).await.as_slice(), [ClockNews::Swallowed { .. }, ClockNews::Ahead { .. }]));
    })
    .await;
}

#[tokio::test]
async fn who_is_held_is_warned_of_what_comes_after_the_hold_and_of_nothing_where_nothing_comes() {
    // Far ahead: whether a hold stands is the ledger's own clock's to say. Until when it is held; whether there is a warning, and whether it tells of the hold.
    for (until, warned, told_of) in [
        ("2036-11-24T20:59", true, false),
        ("2036-11-24T22:00", true, true),
        ("2036-11-25T08:59", true, true),
        ("2036-11-25T09:01", false, false),
    ] {
        on_both(async |store| {
            let room = Room::new(store).await;
            room.wants("full").await;
            let mut clock = room.clock();
            clock.look(at("2036-11-24T20:00")).await.unwrap();
            let values = "'hold', 'shop', 'shop', 'local:sato', 'sato', '[]', 'we measure', 0";
            room.hold(&format!("{values}, {}, NULL, NULL", at(until).0)).await;
            clock.look(at("2036-11-24T20:45")).await.unwrap();
            let all = told(&room).await;
            assert_eq!(all.len(), usize::from(warned), "{until}: {all:?}");
            if let Some(ClockNews::Ahead { held, .. }) = all.first() {
                assert_eq!(held.as_ref().map(|hold| hold.until), told_of.then_some(Some(at(until))), "{until}");
            }
            if !warned {
                // It is lifted in time.
                room.is_free().await;
                clock.look(at("2036-11-24T20:50")).await.unwrap();
                assert!(matches!(told(&room).await.as_slice(), [ClockNews::Ahead { held: None, .. }]));
            }
        })
        .await;
    }
}
