//! A keep through the desk, from its order to what comes after it.

use super::*;
use crate::domain::answer::Answer;
use crate::domain::holds::{HoldAnswer, HoldOrder};

#[tokio::test]
async fn a_keep_of_two_hours_is_in_the_audit_from_its_order_over_its_end_to_the_down() {
    const TWO_HOURS_MS: i64 = 7_200_000;
    on_both(async |store| {
        // The ledger's own clock notes its end: what is ordered now counts as ordered so long ago that it has just ended.
        let shift_ms = TWO_HOURS_MS + 3_000;
        let ordered = store.now().await.unwrap();
        let due = Timestamp(((ordered.0 - shift_ms) / 60_000 + 2) * 60_000);
        let shown = |at: Timestamp| DateTime::from_timestamp_millis(at.0).unwrap().format("%Y-%m-%d %H:%M").to_string();
        let window = format!("{} - {}", shown(due.plus_ms(-86_400_000)), shown(due));
        let lines = format!(
            "[[environments.shop.schedules]]\nname = 'hours'\nzone = 'UTC'\nwindow = '{window}'\ninside = 'full'\noutside = 'small'\n"
        );
        let config = config::parse(Source::new("/etc/tide/tidegate.toml", &format!("{UNSCHEDULED}{lines}")), &|_| None);
        let room = Room { store, config: Arc::new(config.unwrap()) };
        room.wants("full").await;
        room.clock().look(due.plus_ms(-180_000)).await.unwrap();
        let told = watch::channel(Arc::clone(&room.config)).1;
        let desk = Desk::new(room.store.clone(), told, Bell::default());
        let message = Message {
            key: "m1".to_owned(),
            actor: Actor::person(ActorId::local("ito"), "ito"),
            place: Place::shell(),
            typed: "keep shop 2h".to_owned(),
        };
        let keep = HoldOrder::Keep { environment: shop(), until: room.store.now().await.unwrap().plus_ms(TWO_HOURS_MS) };
        let answer = desk.submit(&message, &Order::Hold(keep), Some("the soak test".to_owned())).await.unwrap();
        let Answer::Hold(HoldAnswer::Began { hold, .. }) = answer else { panic!("{answer:?}") };
        let until = hold.until.unwrap().plus_ms(-shift_ms);
        let shifted = format!("began_at = began_at - {shift_ms}, until_at = until_at - {shift_ms}");
        sql(&room.store, &format!("UPDATE holds SET {shifted}")).await.unwrap();
        assert!(hold.began.plus_ms(-shift_ms) < due && due < until);
        // It was to go down; and restarted half an hour later.
        let mut clock = room.clock();
        assert_eq!(clock.look(due).await.unwrap().turned, []);
        assert_eq!(room.clock().look(due.plus_ms(1_800_000)).await.unwrap().turned, []);
        crate::warden::look(&room.store, &room.config).await.unwrap();
        assert_eq!(room.clock().look(until.plus_ms(-1)).await.unwrap().turned, []);
        let looked = room.clock().look(until).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Queued(_)]), "{looked:?}");
        assert_eq!((looked.turned[0].0.at, room.queue().await), (until, vec!["small".to_owned()]));
        room.all_done().await;
        assert_eq!(room.clock().look(until.plus_ms(60_000)).await.unwrap().turned, []);
        let kept = audit::page(&room.store, &AuditFilter { page: 1, ..AuditFilter::default() }, 50).await.unwrap();
        let story: Vec<_> = kept.records.iter().rev().map(|one| (one.actor.id.as_str(), one.action.as_str())).collect();
        let (tidegate, clock) = (ActorId::tidegate(), ActorId::clock());
        assert_eq!(story, [("local:ito", "keep"), (tidegate.as_str(), "lapse"), (clock.as_str(), "down")]);
        let because: Vec<_> = kept.records.iter().rev().map(|one| one.because.clone().unwrap_or_default()).collect();
        assert_eq!(because[0], "the soak test");
        assert!(because[2].starts_with("the keep of ito has ended"), "{because:?}");
    })
    .await;
}
