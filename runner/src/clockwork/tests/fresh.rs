//! What is new counts from when it was first seen, whatever it would have done before.

use super::*;

fn parsed(text: &str) -> Arc<Config> {
    let config = config::parse(Source::new("/etc/tide/tidegate.toml", text), &|_| None).unwrap();
    assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
    Arc::new(config)
}

#[tokio::test]
async fn an_environment_that_is_new_is_left_where_it_is_until_its_next_transition() {
    on_both(async |store| {
        let mut room = Room::new(store).await;
        let own = Arc::clone(&room.config);
        room.config = parsed("");
        room.clock().look(at("2037-11-24T07:55")).await.unwrap();
        // It is written while nothing runs.
        room.config = own;
        let mut clock = room.clock();
        for now in ["2037-11-24T09:30", "2037-11-24T09:31", "2037-11-24T12:00"] {
            assert_eq!(clock.look(at(now)).await.unwrap().turned, [], "{now}");
        }
        room.wants("full").await;
        clock.look(at("2037-11-24T21:00")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
        let all = told(&room).await;
        assert!(all.iter().all(|said| matches!(said, ClockNews::Ahead { .. })), "{all:?}");
    })
    .await;
}

#[tokio::test]
async fn a_schedule_that_was_written_while_nothing_ran_does_nothing_of_what_it_would_have_done_by_then() {
    const MORE: &str =
        "[[environments.shop.schedules]]\nname = 'rehearsal'\ncron = '0 3 * * *'\ndo = 'up full'\nfor = '12h'\n";
    // What is added while nobody looks, when somebody looks again, and whether anything is done then, and told as late.
    for (more, again, late) in [("", "2037-11-24T09:30", true), (MORE, "2037-11-24T08:30", false)] {
        on_both(async |store| {
            let mut room = Room::new(store).await;
            room.clock().look(at("2037-11-24T01:00")).await.unwrap();
            room.config = parsed(&format!("{CONFIG}{more}"));
            let mut clock = room.clock();
            let looked = clock.look(at(again)).await.unwrap();
            assert_eq!(matches!(outcomes(&looked).as_slice(), [Turned::Queued(_)]), late, "{looked:?}");
            let all = told(&room).await;
            let told = matches!(all.as_slice(), [ClockNews::Late { .. }]);
            assert!(told == late && (told || all.is_empty()), "{again}: {all:?}");
            room.all_done().await;
            assert_eq!(clock.look(at(again).plus_ms(60_000)).await.unwrap().turned, []);
            assert_eq!(room.clock().look(at(again).plus_ms(120_000)).await.unwrap().turned, []);
        })
        .await;
    }
}

#[tokio::test]
async fn one_that_was_written_long_ago_is_late_though_another_one_is_new() {
    const MORE: &str =
        "[[environments.shop.schedules]]\nname = 'rehearsal'\nat = '2037-12-24 03:00'\ndo = 'up full'\nfor = '1h'\n";
    on_both(async |store| {
        let mut room = Room::new(store).await;
        room.clock().look(at("2037-11-24T07:55")).await.unwrap();
        room.config = parsed(&format!("{CONFIG}{MORE}"));
        room.clock().look(at("2037-11-24T09:30")).await.unwrap();
        let all = told(&room).await;
        assert!(matches!(all.as_slice(), [ClockNews::Late { by_ms: 1_800_000, .. }]), "{all:?}");
    })
    .await;
}

#[tokio::test]
async fn a_schedule_that_is_changed_counts_from_then_on() {
    on_both(async |store| {
        let mut room = Room::new(store).await;
        let mut clock = room.clock();
        clock.look(at("2037-11-24T08:00")).await.unwrap();
        clock.look(at("2037-11-24T09:00")).await.unwrap();
        room.all_done().await;
        clock.look(at("2037-11-24T14:59")).await.unwrap();
        // The hours are cut, and the process begins again.
        let shorter = CONFIG.replace("09:00-21:00", "09:00-14:00");
        room.config = Arc::new(config::parse(Source::new("/etc/tide/tidegate.toml", &shorter), &|_| None).unwrap());
        // What it lowers at once waits until people were warned.
        assert_eq!(room.clock().look(at("2037-11-24T15:00")).await.unwrap().turned, []);
        let looked = room.clock().look(at("2037-11-24T15:15")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Queued(_)]), "{looked:?}");
        assert_eq!(room.queue().await, ["small"]);
        assert_eq!(room.clock().look(at("2037-11-24T15:16")).await.unwrap().turned, []);
    })
    .await;
}
