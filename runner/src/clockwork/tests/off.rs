//! What people were warned of, or told to be tried again, and does not happen: they hear of it at once, and of nothing that is not so.

use super::*;

/// What was told since a moment, by its kind.
async fn kinds(room: &Room) -> Vec<&'static str> {
    told(room).await.iter().map(ClockNews::kind).collect()
}

/// A clock that has warned at 20:45 that it goes down at 21:00 of this Monday.
async fn warned(room: &Room) -> Clockwork {
    room.wants("full").await;
    let mut clock = room.clock();
    clock.look(at("2036-11-24T20:45")).await.unwrap();
    assert_eq!(kinds(room).await, ["ahead"]);
    clock
}

#[tokio::test]
async fn who_was_warned_hears_at_once_that_somebody_called_it_off_and_nothing_more_when_it_was_due() {
    let (nine, later) = (at("2036-11-24T21:00"), at("2036-11-24T23:00"));
    let from = at("2036-11-24T20:50");
    let skip = Skipped::One { schedule: "hours".to_owned(), local: "2036-11-24T21:00:00".parse().unwrap() };
    for (bend, until) in [
        (Bend::Skip(skip), at("2036-11-26T00:00")),
        (Bend::Pause { from, until: Some(later) }, later),
        (Bend::Keep { target: target("full"), from, until: later }, later),
    ] {
        on_both(async |store| {
            let room = Room::new(store).await;
            let mut clock = warned(&room).await;
            let expected = match bend {
                Bend::Keep { until, .. } => {
                    room.keeps(from, until).await;
                    None
                }
                _ => Some(bends(&room, bend.clone(), until).await),
            };
            for _ in 0..2 {
                clock.look(at("2036-11-24T20:51")).await.unwrap();
                room.clock().look(at("2036-11-24T20:52")).await.unwrap();
            }
            let all = told(&room).await;
            let [ClockNews::Ahead { .. }, ClockNews::CalledOff { turn, bent: Some(bent), held: None }] = all.as_slice()
            else {
                panic!("{bend:?}: {all:?}")
            };
            assert_eq!((turn.at, &turn.wanted, bent.called.as_str()), (nine, &target("small"), "ito"));
            assert!(expected.is_none_or(|expected| expected == **bent), "{bent:?}");
            clock.look(nine).await.unwrap();
            assert_eq!(kinds(&room).await, ["ahead", "called off"], "{bend:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn what_was_called_off_and_comes_after_all_is_warned_of_anew() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut clock = warned(&room).await;
        let until = at("2036-11-24T23:00");
        let pause = bends(&room, Bend::Pause { from: at("2036-11-24T20:50"), until: Some(until) }, until).await;
        clock.look(at("2036-11-24T20:51")).await.unwrap();
        sql(&room.store, &format!("UPDATE bends SET ended_at = 1 WHERE number = {}", pause.number)).await.unwrap();
        clock.look(at("2036-11-24T20:55")).await.unwrap();
        assert_eq!(kinds(&room).await, ["ahead", "called off", "ahead"]);
        let looked = clock.look(at("2036-11-24T21:00")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Queued(_)]), "{looked:?}");
    })
    .await;
}

#[tokio::test]
async fn who_was_warned_hears_of_a_hold_that_began_since_and_of_its_end() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut clock = warned(&room).await;
        // For longer than it would be tried.
        room.is_held_until(at("2036-11-26T00:00")).await;
        clock.look(at("2036-11-24T20:50")).await.unwrap();
        clock.look(at("2036-11-24T20:51")).await.unwrap();
        let all = told(&room).await;
        assert!(
            matches!(all.as_slice(), [ClockNews::Ahead { .. }, ClockNews::CalledOff { held: Some(_), .. }]),
            "{all:?}"
        );
        room.is_free().await;
        clock.look(at("2036-11-24T20:55")).await.unwrap();
        assert_eq!(kinds(&room).await, ["ahead", "called off", "ahead"]);
        // Until shortly after it.
        room.is_held_until(at("2036-11-24T22:00")).await;
        clock.look(at("2036-11-24T20:57")).await.unwrap();
        clock.look(at("2036-11-24T20:58")).await.unwrap();
        let all = told(&room).await;
        assert!(matches!(all.get(3..), Some([ClockNews::Ahead { held: Some(_), .. }])), "{all:?}");
    })
    .await;
}

#[tokio::test]
async fn who_brings_it_there_before_calls_nothing_off() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut clock = warned(&room).await;
        visits(&room, "small", at("2036-11-24T20:50"), None).await;
        clock.look(at("2036-11-24T20:51")).await.unwrap();
        clock.look(at("2036-11-24T21:00")).await.unwrap();
        assert_eq!(kinds(&room).await, ["ahead"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_wanted_all_the_same_is_not_told_as_skipped() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut clock = room.clock();
        clock.look(at("2036-11-24T08:00")).await.unwrap();
        let skip = Skipped::One { schedule: "hours".to_owned(), local: "2036-11-24T09:00:00".parse().unwrap() };
        bends(&room, Bend::Skip(skip), at("2036-11-26T00:00")).await;
        clock.look(at("2036-11-24T09:00")).await.unwrap();
        assert_eq!(kinds(&room).await, ["skipped"]);
        // Without the skip it would be brought to small by this, and is there.
        room.keeps(at("2036-11-24T09:30"), at("2036-11-24T22:00")).await;
        clock.look(at("2036-11-24T09:31")).await.unwrap();
        clock.look(at("2036-11-24T21:00")).await.unwrap();
        assert_eq!(kinds(&room).await, ["skipped"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_is_tried_until_the_next_transition_and_told_so_in_that_moment() {
    on_both(async |store| {
        let text = CONFIG.replace("Mon-Fri 09:00-21:00", "Mon-Fri 09:00-09:05");
        let config = config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap();
        let room = Room { store, config: Arc::new(config) };
        room.wants("small").await;
        let mut clock = room.clock();
        clock.look(at("2036-11-24T08:00")).await.unwrap();
        room.is_held_until(at("2036-11-24T09:08")).await;
        clock.look(at("2036-11-24T09:00")).await.unwrap();
        let all = told(&room).await;
        let until = at("2036-11-24T09:05");
        assert!(
            matches!(all.as_slice(), [ClockNews::Refused { again: Some(again), .. }] if *again == until),
            "{all:?}"
        );
        // Each try waits for longer: by now the next one would come after that.
        clock.look(at("2036-11-24T09:03")).await.unwrap();
        clock.look(at("2036-11-24T09:04")).await.unwrap();
        clock.look(until).await.unwrap();
        let all = told(&room).await;
        assert!(matches!(all.as_slice(), [_, ClockNews::GivenUp { by: None, .. }]), "{all:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_and_somebody_asks_otherwise_is_told_by_their_name_at_once() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut clock = room.clock();
        clock.look(at("2036-11-24T08:00")).await.unwrap();
        room.is_held_until(at("2036-11-24T20:00")).await;
        clock.look(at("2036-11-24T09:00")).await.unwrap();
        visits(&room, "small", at("2036-11-24T09:00").plus_ms(10_000), Some(at("2036-11-24T12:00"))).await;
        clock.look(at("2036-11-24T09:00").plus_ms(20_000)).await.unwrap();
        let all = told(&room).await;
        assert!(
            matches!(all.as_slice(), [ClockNews::Refused { .. }, ClockNews::GivenUp { by: Some(by), .. }] if by == "ito"),
            "{all:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn the_audit_calls_what_lowers_as_its_run_is_called() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        let mut clock = room.clock();
        clock.look(at("2037-11-23T20:00")).await.unwrap();
        clock.look(at("2037-11-23T21:00")).await.unwrap();
        let kept = audit::page(&room.store, &AuditFilter { page: 1, ..AuditFilter::default() }, 9).await.unwrap();
        let kept: Vec<_> = kept.records.iter().map(|one| (one.action.as_str(), one.typed.as_deref())).collect();
        assert_eq!(kept, [("down", Some("down shop small"))]);
        room.all_done().await;
        room.wants("full").await;
        room.is_held().await;
        clock.look(at("2037-11-24T09:00")).await.unwrap();
        clock.look(at("2037-11-24T21:00")).await.unwrap();
        let kept = audit::page(&room.store, &AuditFilter { page: 1, ..AuditFilter::default() }, 1).await.unwrap();
        let last = kept.records.first().map(|one| (one.action.as_str(), one.decision.as_str()));
        assert_eq!(last, Some(("down", "refused")));
    })
    .await;
}

#[tokio::test]
async fn whoever_kept_it_is_warned_of_its_end_too() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        let keep = "'keep', 'shop', 'shop local:kato', 'local:kato', 'kato', '[]', 'we measure'";
        let (from, until) = (at("2036-11-24T20:50"), at("2036-11-24T22:00"));
        room.hold(&format!("{keep}, {}, {}, NULL, NULL", from.0, until.0)).await;
        let mut clock = room.clock();
        clock.look(at("2036-11-24T21:30")).await.unwrap();
        clock.look(at("2036-11-24T21:45")).await.unwrap();
        let pending = outbox::pending(&room.store, &Address::of(&ActorId::local("kato"))).await.unwrap();
        let news: Vec<_> = pending.iter().filter_map(|message| outbox::news(message).unwrap()).collect();
        let ahead =
            |news: &News| matches!(news, News::Clock { said: ClockNews::Ahead { turn, .. }, .. } if turn.at == until);
        assert!(matches!(news.as_slice(), [one] if ahead(one)), "{news:?}");
    })
    .await;
}
