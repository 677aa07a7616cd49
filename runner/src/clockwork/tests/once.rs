//! What is due is made once, whoever looks and whenever, also by a clock that was wrong.

use super::*;

#[tokio::test]
async fn a_transition_that_was_due_while_nobody_looked_is_made_late_and_once() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let looked = room.clock().look(at("2037-11-23T07:55")).await.unwrap();
        assert_eq!((outcomes(&looked), looked.next), (vec![], Some(at("2037-11-23T09:00"))));
        let mut clock = room.clock();
        let looked = clock.look(at("2037-11-23T09:30")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Queued(_)]), "{looked:?}");
        assert_eq!(room.queue().await, ["full"]);
        assert_eq!(clock.look(at("2037-11-23T09:31")).await.unwrap().turned, []);
        assert_eq!(room.clock().look(at("2037-11-23T09:32")).await.unwrap().turned, []);
        assert_eq!(room.queue().await, ["full"]);
    })
    .await;
}

#[tokio::test]
async fn days_without_anybody_are_one_transition_or_none() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.clock().look(at("2037-11-23T08:00")).await.unwrap();
        room.clock().look(at("2037-11-26T10:00")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
        room.all_done().await;
        let looked = room.clock().look(at("2037-11-27T12:00")).await.unwrap();
        assert_eq!(outcomes(&looked), [&Turned::Nothing], "down and up again in between: it is where it should be");
        assert!(room.queue().await.is_empty());
        let filter = AuditFilter { page: 1, ..AuditFilter::default() };
        let records = audit::page(&room.store, &filter, 20).await.unwrap().records;
        let told: Vec<_> = records.iter().map(|record| (record.action.as_str(), record.result.as_deref())).collect();
        assert_eq!(told, [("up", Some("nothing")), ("up", Some("queued"))]);
    })
    .await;
}

#[tokio::test]
async fn what_is_later_than_the_catch_up_window_is_not_made() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.clock().look(at("2037-11-23T08:00")).await.unwrap();
        let looked = room.clock().look(at("2037-11-23T13:01")).await.unwrap();
        assert_eq!(outcomes(&looked), [&Turned::Missed]);
        assert!(room.queue().await.is_empty());
        // The next one is made as ever: it is there already.
        let looked = room.clock().look(at("2037-11-23T21:00")).await.unwrap();
        assert_eq!(outcomes(&looked), [&Turned::Nothing]);
    })
    .await;
}

#[tokio::test]
async fn however_many_clocks_look_it_is_made_once() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let days = ["2037-11-23", "2037-11-24", "2037-11-25", "2037-11-26", "2037-11-27"];
        room.clock().look(at("2037-11-23T08:00")).await.unwrap();
        for day in days {
            for (time, level) in [("09:00", "full"), ("21:00", "small")] {
                let now = at(&format!("{day}T{time}"));
                let (mut one, mut other, mut third) = (room.clock(), room.clock(), room.clock());
                let (one, other, third) =
                    tokio::join!(Box::pin(one.look(now)), Box::pin(other.look(now)), Box::pin(third.look(now)));
                let runs = [one, other, third]
                    .into_iter()
                    .map(|looked| looked.unwrap().turned.iter().filter(|(_, turned)| turned.run().is_some()).count());
                assert_eq!(runs.sum::<usize>(), 1, "{day} {time}");
                assert_eq!(room.queue().await, [level]);
                room.all_done().await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_nothing_twice() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut clock = room.clock();
        clock.look(at("2037-11-23T08:59")).await.unwrap();
        clock.look(at("2037-11-23T09:01")).await.unwrap();
        clock.look(at("2037-11-23T08:30")).await.unwrap();
        room.clock().look(at("2037-11-23T08:31")).await.unwrap();
        clock.look(at("2037-11-23T09:02")).await.unwrap();
        room.clock().look(at("2037-11-23T09:03")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_was_wrong_and_is_set_right_loses_nothing() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut clock = room.clock();
        clock.look(at("2037-11-24T12:00")).await.unwrap();
        room.wants("full").await;
        // Ten hours ahead for a while.
        clock.look(at("2037-11-24T22:00")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
        room.all_done().await;
        let looked = room.clock().look(at("2037-11-24T12:10")).await.unwrap();
        assert_eq!((looked.turned, looked.set_back_ms.is_some()), (vec![], true));
        room.wants("full").await;
        clock.look(at("2037-11-24T12:11")).await.unwrap();
        clock.look(at("2037-11-24T21:00")).await.unwrap();
        assert_eq!(room.queue().await, ["small"], "although it was made at the wrong time");
        assert_eq!(room.clock().look(at("2037-11-24T21:01")).await.unwrap().turned, []);
    })
    .await;
}

#[tokio::test]
async fn two_processes_with_different_files_do_not_answer_each_other_for_ever() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut old = room.clock();
        old.look(at("2037-11-24T08:00")).await.unwrap();
        old.look(at("2037-11-24T09:00")).await.unwrap();
        room.all_done().await;
        let shorter = CONFIG.replace("09:00-21:00", "09:00-14:00");
        let config = Arc::new(config::parse(Source::new("/etc/tide/tidegate.toml", &shorter), &|_| None).unwrap());
        let another = Room { store: room.store.clone(), config };
        let mut new = another.clock();
        let mut made = 0;
        for minute in 0..30 {
            let now = at("2037-11-24T15:00").plus_ms(minute * 60_000);
            made +=
                new.look(now).await.unwrap().turned.len() + old.look(now.plus_ms(30_000)).await.unwrap().turned.len();
            room.all_done().await;
        }
        // As long as each notes another file nobody was warned of it: it is not done behind anybody's back.
        assert_eq!(made, 0);
        let mut alone = another.clock();
        for minute in 30..60 {
            made += alone.look(at("2037-11-24T15:00").plus_ms(minute * 60_000)).await.unwrap().turned.len();
            room.all_done().await;
        }
        assert_eq!(made, 1);
    })
    .await;
}

#[tokio::test]
async fn there_is_no_moment_between_a_transition_and_its_run() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.clock().look(at("2037-11-23T08:00")).await.unwrap();
        let rows = async |table: &str| {
            let text = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
            let count: i64 = match &room.store {
                Store::Sqlite { read, .. } => sqlx::query_scalar(text).fetch_one(read).await.unwrap(),
                Store::Postgres { pool, .. } => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
            };
            count
        };
        // Whatever of it cannot be stored: nothing of it is, and nobody has decided on it.
        for gone in ["run_events", "audit"] {
            sql(&room.store, &format!("ALTER TABLE {gone} RENAME TO away")).await.unwrap();
            room.clock().look(at("2037-11-23T09:00")).await.expect_err(gone);
            sql(&room.store, &format!("ALTER TABLE away RENAME TO {gone}")).await.unwrap();
            assert_eq!([rows("runs").await, rows("firings").await], [0, 0], "{gone}");
        }
        room.clock().look(at("2037-11-23T09:01")).await.unwrap();
        assert_eq!([rows("runs").await, rows("firings").await], [1, 1]);
    })
    .await;
}

#[tokio::test]
async fn a_bell_that_tells_nothing_new_is_no_reason_to_look() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let told = watch::channel(Arc::clone(&room.config)).1;
        let mut round = Round {
            desk: Desk::new(room.store.clone(), told, Bell::default()),
            store: room.store.clone(),
            clockwork: room.clock(),
            watch: Watch::default(),
            held: Held::default(),
            next: Timestamp(0),
            rang: false,
            stamp: None,
            trouble: None,
            left_out: BTreeSet::new(),
        };
        let go = async |round: &mut Round, rang: bool| {
            round.rang = rang;
            round.next = room.store.now().await.unwrap().plus_ms(LONGEST_MS - 1_000);
            // A look sets anew when the next one is.
            let before = round.next;
            Box::pin(round.go()).await.unwrap();
            round.next != before
        };
        assert!(!go(&mut round, false).await, "it is not time");
        assert!(go(&mut round, true).await, "it has not looked yet");
        assert!(!go(&mut round, true).await, "only its lease was kept");
        let ito = Actor::person(ActorId::local("ito"), "ito");
        let mut tx = room.store.begin().await.unwrap();
        audit::append(&mut tx, &audit::Entry::of_tidegate(&ito, "keep")).await.unwrap();
        tx.commit().await.unwrap();
        assert!(go(&mut round, true).await, "somebody has said something");
        assert!(!go(&mut round, true).await);
        visits(&room, "full", at("2037-11-23T10:00"), None).await;
        assert!(go(&mut round, true).await, "somebody has a run");
    })
    .await;
}
