//! What comes of it that somebody ends a keep or a booking: what is lowered by that is warned of for as long as anything.

use super::*;
use crate::clockwork::Clockwork;
use crate::domain::holds::Comes;
use crate::domain::schedule::Turn;

const HOUR_MS: i64 = 3_600_000;
const LEAD_MS: i64 = 900_000;

/// The schedules of shop ask for `small` now.
fn scheduled(now: Timestamp) -> String {
    let day = chrono::DateTime::from_timestamp_millis(now.0 + 3 * 24 * HOUR_MS).unwrap();
    format!(
        "{CONFIG}[[environments.shop.schedules]]\nname = 'work'\nzone = 'UTC'\nwindow = '{} 09:00-10:00'\n\
         inside = 'full'\noutside = 'small'\n",
        day.format("%a")
    )
}

async fn of_schedules(store: Store) -> Room {
    let now = store.now().await.unwrap();
    Room::of(store, &scheduled(now))
}

fn keep(until: Timestamp) -> HoldOrder {
    HoldOrder::Keep { environment: shop(), until }
}

/// To `small`, after a warning.
fn lowered(comes: Option<Comes>) -> Turn {
    let Some(Comes { at_once, warned: true }) = comes else { panic!("{comes:?}") };
    let to = at_once.to.expect("it is lowered");
    assert_eq!((at_once.from.unwrap().level.to_string(), to.wanted.level.to_string()), ("full".into(), "small".into()));
    to
}

/// The clock lowers it then, and not before.
async fn is_lowered_then(room: &Room, mut clock: Clockwork, then: Timestamp) {
    for now in [room.ahead(0).await, room.ahead(60_000).await, then.plus_ms(-1)] {
        assert_eq!(clock.look(now).await.unwrap().turned, [], "{now:?}");
    }
    assert_eq!(clock.look(then).await.unwrap().turned.len(), 1);
    let queue = runs::active(&room.store, &shop()).await.unwrap();
    let levels: Vec<_> = queue.iter().map(|run| run.request.target.level.to_string()).collect();
    assert_eq!(levels, ["small"]);
}

#[tokio::test]
async fn the_end_of_a_keep_by_its_word_lowers_after_a_warning_and_is_answered_with_when() {
    on_both(async |store| {
        let room = of_schedules(store).await;
        room.stands_at("full").await;
        let mut clock = Clockwork::new(room.desk.clone(), room.store.clone());
        clock.look(room.ahead(0).await).await.unwrap();
        room.does("ito", keep(room.ahead(2 * HOUR_MS).await)).await;
        clock.look(room.ahead(0).await).await.unwrap();
        let before = room.ahead(0).await;
        let HoldAnswer::Lifted { comes, .. } = room.does("ito", unhold(None)).await else { panic!() };
        let to = lowered(comes);
        assert!(to.at >= before.plus_ms(LEAD_MS) && to.at <= room.ahead(LEAD_MS).await, "{to:?}");
        is_lowered_then(&room, clock, to.at).await;
    })
    .await;
}

#[tokio::test]
async fn a_keep_that_is_made_shorter_ends_after_a_warning_too() {
    on_both(async |store| {
        let room = of_schedules(store).await;
        room.stands_at("full").await;
        let mut clock = Clockwork::new(room.desk.clone(), room.store.clone());
        clock.look(room.ahead(0).await).await.unwrap();
        let HoldAnswer::Began { comes, .. } = room.does("ito", keep(room.ahead(HOUR_MS).await)).await else { panic!() };
        assert_eq!(comes, None);
        let HoldAnswer::Began { comes, .. } = room.does("ito", keep(room.ahead(60_000).await)).await else { panic!() };
        let to = lowered(comes);
        assert!(to.at > room.ahead(LEAD_MS - 60_000).await, "{to:?}");
        // Not where the keep itself ends.
        for now in [room.ahead(0).await, room.ahead(61_000).await, to.at.plus_ms(-1)] {
            assert_eq!(clock.look(now).await.unwrap().turned, [], "{now:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_unbooked_within_its_time_is_lowered_after_a_warning() {
    on_both(async |store| {
        let room = of_schedules(store).await;
        room.stands_at("small").await;
        let mut clock = Clockwork::new(room.desk.clone(), room.store.clone());
        clock.look(room.ahead(0).await).await.unwrap();
        let from = room.ahead(2 * HOUR_MS).await;
        let book = HoldOrder::Book {
            environment: shop(),
            level: "full".parse().unwrap(),
            settings: Vec::new(),
            from,
            until: from.plus_ms(4 * HOUR_MS),
            only: Vec::new(),
        };
        room.does("ito", book).await;
        let ms = 3 * HOUR_MS;
        sql(&room.store, &format!("UPDATE holds SET began_at = began_at - {ms}, until_at = until_at - {ms}"))
            .await
            .unwrap();
        // It was brought there as that began.
        clock.look(room.ahead(0).await).await.unwrap();
        sql(&room.store, "UPDATE runs SET status = 'succeeded', state = '{\"state\":\"ended\",\"outcome\":\"succeeded\"}', ended_at = updated_at")
            .await
            .unwrap();
        room.stands_at("full").await;
        let HoldAnswer::Lifted { comes, .. } =
            room.does("ito", HoldOrder::Unbook { environment: shop(), number: None }).await
        else {
            panic!()
        };
        is_lowered_then(&room, clock, lowered(comes).at).await;
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_keep_that_lowers_nothing_comes_to_nothing() {
    on_both(async |store| {
        // Without schedules what is there stays; and where they ask for what is there, too.
        let now = store.now().await.unwrap();
        for (config, level) in [(CONFIG.to_owned(), "full"), (scheduled(now), "small")] {
            let room = Room::of(store.clone(), &config);
            // One ledger has each message once.
            room.messages.set(if level == "full" { 0 } else { 10 });
            room.stands_at(level).await;
            room.does("ito", keep(room.ahead(HOUR_MS).await)).await;
            let HoldAnswer::Lifted { comes, .. } = room.does("ito", unhold(None)).await else { panic!() };
            assert_eq!(comes, None, "{level}");
        }
    })
    .await;
}
