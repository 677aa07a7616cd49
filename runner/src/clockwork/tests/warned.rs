//! Whatever lowers was warned of for its lead, however often the schedules are changed.

use super::*;

/// Working hours until then, with that outside.
fn hours(until: &str, outside: &str) -> Arc<Config> {
    let text = CONFIG
        .replace("09:00-21:00", &format!("09:00-{until}"))
        .replace("outside = 'small'", &format!("outside = '{outside}'"));
    let config = config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap();
    assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
    Arc::new(config)
}

/// It is Tuesday, 2037-11-24, and the environment is full since nine.
async fn full(store: Store) -> Room {
    let room = Room { store, config: hours("21:00", "small") };
    room.wants("full").await;
    room.clock().look(at("2037-11-24T14:00")).await.unwrap();
    room
}

/// What people were warned of: when, and to which level.
async fn warnings(room: &Room) -> Vec<(Timestamp, String)> {
    let ahead = told(room).await.into_iter().filter_map(|said| match said {
        ClockNews::Ahead { turn, .. } => Some((turn.at, turn.wanted.level.to_string())),
        _ => None,
    });
    ahead.collect()
}

/// One look of a process that begins, with what is written then; what is in the queue after it.
async fn looks(room: &mut Room, now: &str, config: Arc<Config>) -> Vec<String> {
    room.config = config;
    room.clock().look(at(now)).await.unwrap();
    room.queue().await
}

const NOTHING: [String; 0] = [];

#[tokio::test]
async fn a_second_change_while_people_are_warned_of_the_first_is_warned_of_for_as_long() {
    on_both(async |store| {
        let mut room = full(store).await;
        assert_eq!(looks(&mut room, "2037-11-24T15:00", hours("14:00", "small")).await, NOTHING);
        assert_eq!(looks(&mut room, "2037-11-24T15:10", hours("14:00", "off")).await, NOTHING);
        for now in ["2037-11-24T15:11", "2037-11-24T15:15", "2037-11-24T15:16", "2037-11-24T15:24"] {
            assert_eq!(looks(&mut room, now, hours("14:00", "off")).await, NOTHING, "{now}");
        }
        assert_eq!(looks(&mut room, "2037-11-24T15:25", hours("14:00", "off")).await, ["off"]);
        let warned = warnings(&room).await;
        let expected = [("2037-11-24T15:15", "small"), ("2037-11-24T15:25", "off")];
        assert_eq!(warned, expected.map(|(time, level)| (at(time), level.to_owned())));
    })
    .await;
}

#[tokio::test]
async fn changes_to_and_fro_put_nothing_off_of_which_people_were_warned() {
    // What is written when, and where it goes and when.
    for (steps, queue, then) in [
        // Less is lowered than what people were warned of, or the same as at first.
        (vec![("15:00", "off"), ("15:10", "small")], "small", "15:15"),
        (vec![("15:00", "small"), ("15:10", "off"), ("15:13", "small")], "small", "15:15"),
        (vec![("15:00", "small"), ("15:10", "off"), ("15:20", "small")], "small", "15:21"),
        // What was called off meanwhile is warned of anew.
        (vec![("15:00", "small"), ("15:05", "off"), ("15:08", "small"), ("15:12", "off")], "off", "15:27"),
    ] {
        on_both(async |store| {
            let mut room = full(store).await;
            let mut outside = "small";
            for (time, written) in &steps {
                outside = written;
                let now = format!("2037-11-24T{time}");
                assert_eq!(looks(&mut room, &now, hours("14:00", outside)).await, NOTHING, "{steps:?}");
            }
            let then = at(&format!("2037-11-24T{then}"));
            room.clock()
                .look(then.plus_ms(-60_000).max(at(&format!("2037-11-24T{}", steps.last().unwrap().0))))
                .await
                .unwrap();
            assert_eq!(room.queue().await, NOTHING, "{steps:?}");
            room.config = hours("14:00", outside);
            room.clock().look(then).await.unwrap();
            assert_eq!(room.queue().await, [queue], "{steps:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_changed_back_and_changed_again_is_warned_of_anew() {
    on_both(async |store| {
        let mut room = full(store).await;
        looks(&mut room, "2037-11-24T15:00", hours("14:00", "small")).await;
        looks(&mut room, "2037-11-24T15:05", hours("21:00", "small")).await;
        looks(&mut room, "2037-11-24T15:14", hours("14:00", "small")).await;
        for now in ["2037-11-24T15:15", "2037-11-24T15:16", "2037-11-24T15:28"] {
            assert_eq!(looks(&mut room, now, hours("14:00", "small")).await, NOTHING, "{now}");
        }
        assert_eq!(looks(&mut room, "2037-11-24T15:29", hours("14:00", "small")).await, ["small"]);
        let warned = warnings(&room).await;
        assert_eq!(
            warned.iter().map(|(when, _)| *when).collect::<Vec<_>>(),
            [at("2037-11-24T15:15"), at("2037-11-24T15:29")]
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_changed_back_stays_and_what_changes_nothing_else_delays_nothing() {
    // What is written ten minutes later, and whether it goes down then.
    for (until, more, lowered) in
        [("21:00", "", false), ("13:00", "", true), ("14:00", "tell = ['local:kato']\n", true)]
    {
        on_both(async |store| {
            let mut room = full(store).await;
            looks(&mut room, "2037-11-24T15:00", hours("14:00", "small")).await;
            let text = CONFIG.replace("09:00-21:00", &format!("09:00-{until}"));
            let config = config::parse(Source::new("/etc/tide/tidegate.toml", &format!("{text}{more}")), &|_| None);
            let config = Arc::new(config.unwrap());
            for now in ["2037-11-24T15:10", "2037-11-24T15:14"] {
                assert_eq!(looks(&mut room, now, Arc::clone(&config)).await, NOTHING, "{until} {now}");
            }
            let queue = looks(&mut room, "2037-11-24T15:15", config).await;
            assert_eq!(queue.len(), usize::from(lowered), "{until} {more}");
            assert_eq!(warnings(&room).await.len(), 1, "{until} {more}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_second_change_that_was_written_while_nothing_ran_is_warned_of_too() {
    on_both(async |store| {
        let mut room = full(store).await;
        looks(&mut room, "2037-11-24T15:00", hours("14:00", "small")).await;
        // Nobody looks from here until what was warned of is over.
        assert_eq!(looks(&mut room, "2037-11-24T15:20", hours("14:00", "off")).await, NOTHING);
        assert_eq!(looks(&mut room, "2037-11-24T15:34", hours("14:00", "off")).await, NOTHING);
        assert_eq!(looks(&mut room, "2037-11-24T15:35", hours("14:00", "off")).await, ["off"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_written_to_come_sooner_than_people_can_be_warned_of_it_comes_when_they_were() {
    on_both(async |store| {
        let mut room = full(store).await;
        let mut clock = room.clock();
        clock.look(at("2037-11-24T14:50")).await.unwrap();
        room.config = hours("15:00", "small");
        let mut clock = room.clock();
        for now in ["2037-11-24T14:58", "2037-11-24T15:00", "2037-11-24T15:01", "2037-11-24T15:12"] {
            assert_eq!(clock.look(at(now)).await.unwrap().turned, [], "{now}");
        }
        clock.look(at("2037-11-24T15:13")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
        assert_eq!(warnings(&room).await, [(at("2037-11-24T15:13"), "small".to_owned())]);
    })
    .await;
}

#[tokio::test]
async fn what_was_expected_already_comes_at_its_time_whatever_else_is_changed_shortly_before() {
    on_both(async |store| {
        let room = full(store).await;
        let (told_so, config) = watch::channel(Arc::clone(&room.config));
        let mut clock = Clockwork::new(Desk::new(room.store.clone(), config, Bell::default()), room.store.clone());
        clock.look(at("2037-11-24T20:45")).await.unwrap();
        let text = format!("{CONFIG}tell = ['local:kato']\n");
        let config = config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap();
        told_so.send(Arc::new(config)).unwrap();
        clock.look(at("2037-11-24T20:58")).await.unwrap();
        clock.look(at("2037-11-24T21:00")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
        assert_eq!(warnings(&room).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_to_be_lowered_without_a_warning_waits_for_none_of_before() {
    on_both(async |store| {
        let mut room = full(store).await;
        looks(&mut room, "2037-11-24T15:00", hours("14:00", "small")).await;
        let text = format!(
            "{}warn = '0s'\n",
            CONFIG.replace("09:00-21:00", "09:00-14:00").replace("outside = 'small'", "outside = 'off'")
        );
        let config = Arc::new(config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap());
        assert_eq!(looks(&mut room, "2037-11-24T15:05", config).await, ["off"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_raised_while_people_are_warned_is_raised_at_once() {
    on_both(async |store| {
        let text = CONFIG
            .replace("full.app.servers = 3", "huge.app.servers = 9\nfull.app.servers = 3")
            .replace("up = 'full'", "up = 'full'\nlevels = ['small', 'full', 'huge']");
        let parsed = |window: &str, inside: &str| {
            let text =
                text.replace("Mon-Fri 09:00-21:00", window).replace("inside = 'full'", &format!("inside = '{inside}'"));
            let config = config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap();
            assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
            Arc::new(config)
        };
        let mut room = Room { store, config: parsed("Mon-Fri 09:00-21:00", "full") };
        room.wants("full").await;
        room.clock().look(at("2037-11-24T14:00")).await.unwrap();
        assert_eq!(looks(&mut room, "2037-11-24T15:00", parsed("Mon-Fri 09:00-14:00", "full")).await, NOTHING);
        assert_eq!(looks(&mut room, "2037-11-24T15:05", parsed("Mon-Fri 09:00-21:00", "huge")).await, ["huge"]);
    })
    .await;
}
