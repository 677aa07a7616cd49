//! What was due while nobody looked: what is told of it before anybody does it, whose hand held it back, and what was written then.

use super::*;
use crate::agenda::Diaries;
use crate::domain::schedule::Overdue;

const LATE: &str = "[[environments.shop.schedules]]\nname = 'late'\nwindow = 'Mon-Fri 21:00-23:00'\ninside = 'full'\noutside = 'small'\n";

/// What is told to be overdue at a moment.
async fn overdue(room: &Room, now: &str) -> Option<Overdue> {
    let now = at(now);
    let environment = room.config.environments.get(&shop()).unwrap();
    let diary = Diaries::default().one(&room.store, &room.config, environment, now).await.unwrap();
    let asked = asked::one(&room.store, &shop()).await.unwrap();
    diary.overdue(asked.as_ref(), firings::seen(&room.store).await.unwrap(), now)
}

fn parsed(text: &str) -> Arc<Config> {
    let config = config::parse(Source::new("/etc/tide/tidegate.toml", text), &|_| None).unwrap();
    assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
    Arc::new(config)
}

#[tokio::test]
async fn the_end_of_a_change_that_nobody_saw_is_told_as_it_is_then_done() {
    on_both(async |store| {
        let room = Room { store, config: parsed(UNSCHEDULED) };
        room.wants("small").await;
        room.clock().look(at("2037-11-24T17:59")).await.unwrap();
        visits(&room, "full", at("2037-11-24T18:00"), Some(at("2037-11-24T21:00"))).await;
        room.clock().look(at("2037-11-24T18:01")).await.unwrap();
        assert_eq!(overdue(&room, "2037-11-24T20:59").await, None);
        let found = overdue(&room, "2037-11-24T21:30").await.unwrap();
        assert_eq!((found.turn.at, &found.turn.wanted), (at("2037-11-24T21:00"), &target("small")));
        assert_eq!((found.from, found.lowers, found.until), (target("full"), true, Some(at("2037-11-25T01:00"))));
        // Nobody does it so late; as it is told, so it comes.
        for late in ["2037-11-25T01:01", "2037-12-20T01:01"] {
            let found = overdue(&room, late).await.unwrap();
            assert_eq!((found.turn.at, found.until), (at("2037-11-24T21:00"), None), "{late}");
        }
        let looked = room.clock().look(at("2037-11-25T01:00")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Queued(_)]), "{looked:?}");
        assert_eq!(overdue(&room, "2037-11-25T01:01").await, None, "it is under way");
    })
    .await;
}

#[tokio::test]
async fn an_end_that_came_before_anybody_ever_looked_is_done_late() {
    on_both(async |store| {
        let room = Room { store, config: parsed(UNSCHEDULED) };
        visits(&room, "full", at("2037-11-24T18:00"), Some(at("2037-11-24T21:00"))).await;
        let found = overdue(&room, "2037-11-24T21:30").await.unwrap();
        assert_eq!((found.turn.at, found.until), (at("2037-11-24T21:00"), Some(at("2037-11-25T01:00"))));
        let mut clock = room.clock();
        let looked = clock.look(at("2037-11-24T21:30")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Queued(_)]), "{looked:?}");
        let all = told(&room).await;
        assert!(
            matches!(all.as_slice(), [ClockNews::Late { turn, .. }] if turn.at == at("2037-11-24T21:00")),
            "{all:?}"
        );
        assert_eq!(overdue(&room, "2037-11-24T21:31").await, None, "it is under way");
        assert_eq!(clock.look(at("2037-11-24T21:31")).await.unwrap().turned, []);
        assert_eq!(room.clock().look(at("2037-11-24T21:32")).await.unwrap().turned, []);
    })
    .await;
}

#[tokio::test]
async fn an_end_that_came_long_before_anybody_ever_looked_is_told_not_to_be_done() {
    on_both(async |store| {
        let room = Room { store, config: parsed(UNSCHEDULED) };
        visits(&room, "full", at("2037-11-24T18:00"), Some(at("2037-11-24T21:00"))).await;
        let found = overdue(&room, "2037-11-25T01:01").await.unwrap();
        assert_eq!((found.turn.at, found.until), (at("2037-11-24T21:00"), None));
        let looked = room.clock().look(at("2037-11-25T01:01")).await.unwrap();
        assert_eq!(outcomes(&looked), [&Turned::Missed]);
        let all = told(&room).await;
        assert!(
            matches!(all.as_slice(), [ClockNews::Missed { turn, .. }] if turn.at == at("2037-11-24T21:00")),
            "{all:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_late_transition_says_who_held_it_back_and_since_when() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        room.clock().look(at("2037-11-24T20:00")).await.unwrap();
        let (began, until) = (at("2037-11-24T20:30").0, at("2037-11-24T21:50").0);
        room.hold(&format!(
            "'hold', 'shop', 'shop', 'local:sato', 'sato', '[]', 'we measure', {began}, {until}, {until}, 'lapsed'"
        ))
        .await;
        room.clock().look(at("2037-11-24T22:00")).await.unwrap();
        let all = told(&room).await;
        let [ClockNews::Late { turn, held_back: Some(held), .. }] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(turn.at, at("2037-11-24T21:00"));
        assert_eq!((held.how.as_str(), held.called.as_str(), held.since.0), ("held", "sato", began));
        assert_eq!((held.until, held.because.as_deref()), (Some(Timestamp(until)), Some("we measure")));
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_keep_that_nobody_saw_says_whose_keep_it_was() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        room.clock().look(at("2037-11-24T20:00")).await.unwrap();
        let (began, until) = (at("2037-11-24T20:30"), at("2037-11-24T21:50"));
        room.keeps(began, until).await;
        room.keeps_are_over().await;
        room.clock().look(at("2037-11-24T22:00")).await.unwrap();
        let all = told(&room).await;
        let [ClockNews::Late { turn, held_back: Some(held), .. }] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((turn.at, held.how.as_str(), held.since), (until, "kept", began));
    })
    .await;
}

#[tokio::test]
async fn what_another_file_hid_while_nobody_looked_is_not_late_but_warned_of() {
    on_both(async |store| {
        let mut room = Room::with(store, LATE).await;
        room.wants("full").await;
        room.clock().look(at("2037-11-24T20:30")).await.unwrap();
        // `late` is taken out while nothing runs: by the file that was in force nothing was due at 21:00.
        room.config = parsed(CONFIG);
        assert_eq!(overdue(&room, "2037-11-24T22:00").await, None);
        assert_eq!(room.clock().look(at("2037-11-24T22:00")).await.unwrap().turned, []);
        let all = told(&room).await;
        assert!(
            matches!(all.as_slice(), [ClockNews::Ahead { turn, .. }] if turn.at == at("2037-11-24T22:15")),
            "{all:?}"
        );
        let looked = room.clock().look(at("2037-11-24T22:15")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Queued(_)]), "{looked:?}");
        assert!(!told(&room).await.iter().any(|said| matches!(said, ClockNews::Late { .. })));
    })
    .await;
}

#[tokio::test]
async fn what_only_the_old_file_had_is_neither_made_nor_missed() {
    const LUNCH: &str = "[[environments.shop.schedules]]\nname = 'lunch'\ncron = '0 12 * * *'\ndo = 'down small'\n";
    on_both(async |store| {
        let mut room = Room::with(store, LUNCH).await;
        let mut clock = room.clock();
        clock.look(at("2037-11-24T08:00")).await.unwrap();
        clock.look(at("2037-11-24T09:00")).await.unwrap();
        room.all_done().await;
        clock.look(at("2037-11-24T11:00")).await.unwrap();
        room.config = parsed(CONFIG);
        assert_eq!(room.clock().look(at("2037-11-24T18:00")).await.unwrap().turned, []);
        assert_eq!(told(&room).await, []);
    })
    .await;
}
