//! What is written counts from then on: moments that lie before it never happen, levels hold at once, and nobody is lowered by surprise.

use super::*;

const LUNCH: &str = "[[environments.shop.schedules]]\nname = 'lunch'\ncron = '0 12 * * *'\ndo = 'down small'\n";

fn parsed(text: &str) -> Arc<Config> {
    let config = config::parse(Source::new("/etc/tide/tidegate.toml", text), &|_| None).unwrap();
    assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
    Arc::new(config)
}

/// Somebody adds a schedule by chat at a moment.
async fn adds(room: &Room, keys: &[(&str, &str)], when: Timestamp) {
    let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let written = Written { name: "lunch".to_owned(), keys };
    let ito = Actor::person(ActorId::local("ito"), "ito");
    let mut tx = room.store.begin().await.unwrap();
    schedules::put(&mut tx, &shop(), &written, &ito, None, None).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    sql(&room.store, &format!("UPDATE schedules SET added_at = {}", when.0)).await.unwrap();
}

/// It is Tuesday, 2037-11-24, and the environment is full since nine.
async fn at_three(room: &Room) -> Clockwork {
    let mut clock = room.clock();
    clock.look(at("2037-11-24T08:00")).await.unwrap();
    clock.look(at("2037-11-24T09:00")).await.unwrap();
    assert_eq!(room.queue().await, ["full"]);
    room.all_done().await;
    clock.look(at("2037-11-24T14:59")).await.unwrap();
    clock
}

#[tokio::test]
async fn a_crontab_line_does_nothing_of_what_lies_before_it_was_written() {
    on_both(async |store| {
        let mut room = Room::new(store).await;
        at_three(&room).await;
        for more in
            [LUNCH, "[[environments.shop.schedules]]\nname = 'once'\nat = '2037-11-24 12:00'\ndo = 'down small'\n"]
        {
            room.config = parsed(&format!("{CONFIG}{more}"));
            for now in ["2037-11-24T15:00", "2037-11-24T15:01"] {
                assert_eq!(room.clock().look(at(now)).await.unwrap().turned, [], "{more}{now}");
            }
        }
        room.config = parsed(&format!("{CONFIG}{LUNCH}"));
        let mut clock = room.clock();
        clock.look(at("2037-11-24T15:02")).await.unwrap();
        clock.look(at("2037-11-24T21:00")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
        room.all_done().await;
        clock.look(at("2037-11-25T09:00")).await.unwrap();
        room.all_done().await;
        // What comes after it is made; after an outage, too, and is late then.
        clock.look(at("2037-11-25T11:59")).await.unwrap();
        let looked = room.clock().look(at("2037-11-25T12:30")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Queued(_)]), "{looked:?}");
        assert_eq!(room.queue().await, ["small"]);
        let all = told(&room).await;
        assert!(matches!(all.last(), Some(ClockNews::Late { by_ms: 1_800_000, .. })), "{all:?}");
    })
    .await;
}

#[tokio::test]
async fn one_that_was_added_by_chat_counts_from_then_on_also_while_nothing_ran() {
    const KEYS: [(&str, &str); 2] = [("cron", "0 12 * * *"), ("do", "down small")];
    // When it was added, when the clock looks next, and whether the noon of that day is made.
    for (added, looks, made) in [
        ("2037-11-24T15:00", "2037-11-24T15:00", false),
        ("2037-11-24T11:00", "2037-11-24T12:30", true),
        ("2037-11-24T12:01", "2037-11-24T12:30", false),
    ] {
        on_both(async |store| {
            let room = Room::new(store).await;
            let mut clock = room.clock();
            clock.look(at("2037-11-24T08:00")).await.unwrap();
            clock.look(at("2037-11-24T09:00")).await.unwrap();
            room.all_done().await;
            clock.look(at("2037-11-24T10:59")).await.unwrap();
            adds(&room, &KEYS, at(added)).await;
            room.clock().look(at(looks)).await.unwrap();
            assert_eq!(room.queue().await.len(), usize::from(made), "{added}");
        })
        .await;
    }
}

#[tokio::test]
async fn what_lowers_at_once_is_warned_of_as_ever_and_done_after_that_once() {
    const WORK: &str = "[[environments.shop.schedules]]\nname = 'work'\nwindow = 'Mon-Fri 09:00-21:00'\ninside = 'full'\noutside = 'small'\n";
    on_both(async |store| {
        let mut room = Room { store, config: parsed(UNSCHEDULED) };
        room.wants("full").await;
        let mut clock = room.clock();
        // A Saturday.
        clock.look(at("2037-11-28T11:59")).await.unwrap();
        room.config = parsed(&format!("{UNSCHEDULED}{WORK}"));
        let mut clock = room.clock();
        assert_eq!(clock.look(at("2037-11-28T12:00")).await.unwrap().turned, []);
        let all = told(&room).await;
        let [ClockNews::Ahead { turn, from, held: None, unskippable: false, in_doubt: false, reasons: Some(reasons) }] =
            all.as_slice()
        else {
            panic!("{all:?}")
        };
        let [Because::Unbent { number }, Because::Asks { schedule }] = reasons.because.as_slice() else {
            panic!("{reasons:?}")
        };
        assert!(matches!(reasons.bends.as_slice(), [grace] if grace.number == *number), "{reasons:?}");
        assert_eq!(schedule, "work");
        assert_eq!((turn.at, from, &turn.wanted), (at("2037-11-28T12:15"), &target("full"), &target("small")));
        // It is what is told of it, so that the buttons of the warning count.
        let told_so = watch::channel(Arc::clone(&room.config)).1;
        let desk = Desk::new(room.store.clone(), told_so, Bell::default());
        let came = desk.warned(&shop(), turn).await.unwrap();
        assert!(matches!(came, Warned::Ahead | Warned::Due), "by the ledger's own clock: {came:?}");
        for (now, mut clock) in [("2037-11-28T12:01", clock), ("2037-11-28T12:14", room.clock())] {
            assert_eq!(clock.look(at(now)).await.unwrap().turned, [], "{now}");
        }
        let looked = room.clock().look(at("2037-11-28T12:15")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Queued(_)]), "{looked:?}");
        assert_eq!(looked.turned[0].0.because, "people were warned first, work");
        assert_eq!(room.queue().await, ["small"]);
        room.all_done().await;
        assert_eq!(room.clock().look(at("2037-11-28T12:16")).await.unwrap().turned, []);
        assert_eq!(told(&room).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_raises_at_once_and_what_nobody_is_to_be_warned_of_waits_for_nothing() {
    let work = |more: &str| {
        format!(
            "[[environments.shop.schedules]]\nname = 'work'\nwindow = 'Mon-Fri 09:00-21:00'\ninside = 'full'\noutside = 'small'\n{more}"
        )
    };
    // Where it is, what is written then, when, and where it goes at once.
    for (from, more, now, to) in
        [("small", "", "2037-11-27T12:00", "full"), ("full", "warn = '0s'\n", "2037-11-28T12:00", "small")]
    {
        on_both(async |store| {
            let mut room = Room { store, config: parsed(UNSCHEDULED) };
            room.wants(from).await;
            room.clock().look(at("2037-11-27T11:59")).await.unwrap();
            room.config = parsed(&format!("{UNSCHEDULED}{}", work(more)));
            room.clock().look(at(now)).await.unwrap();
            assert_eq!(room.queue().await, [to]);
            assert_eq!(told(&room).await, []);
        })
        .await;
    }
}

#[tokio::test]
async fn while_people_are_warned_their_changes_and_keeps_count() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut clock = at_three(&room).await;
        let (from, until) = (at("2037-11-24T15:00"), at("2037-11-24T15:15"));
        bends(
            &room,
            Bend::Grace { target: target("full"), from, until, then: Some(target("small")), foretold: vec![] },
            until,
        )
        .await;
        visits(&room, "small", at("2037-11-24T15:05"), None).await;
        assert_eq!(clock.look(at("2037-11-24T15:06")).await.unwrap().turned, []);
        assert_eq!(clock.look(at("2037-11-24T15:15")).await.unwrap().turned, []);
        assert_eq!(room.queue().await, Vec::<String>::new());
    })
    .await;
}
