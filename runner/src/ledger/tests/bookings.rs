//! Bookings: holds that begin later, with a level.

use super::{actor, environment, on_both, sql};
use crate::domain::holds::{Booked, Ending, Hold, Kind};
use crate::domain::ids::{ActorId, EnvironmentName, Timestamp};
use crate::domain::request::{AskedAs, Target};
use crate::ledger::holds::{self, NewBooking};
use crate::ledger::{Store, Tx};

const HOUR_MS: i64 = 3_600_000;

async fn book(tx: &mut Tx, name: &EnvironmentName, from: Timestamp, hours: i64) -> Hold {
    let target = Target { level: "full".parse().unwrap(), settings: [].into() };
    let booked = Booked { target, asked_as: AskedAs::of(&actor("ito")), before: None };
    let (by, only, because) = (actor("ito"), vec![ActorId::local("sato")], Some("予行"));
    let until = from.plus_ms(hours * HOUR_MS);
    holds::book(tx, NewBooking { environment: name, by: &by, only, because, from, until, booked }).await.unwrap()
}

async fn numbers(store: &Store, only: Option<&EnvironmentName>) -> Vec<i64> {
    let (all, broken) = holds::bookings(store, only).await.unwrap();
    assert_eq!(broken, []);
    all.iter().map(|one| one.number.0).collect()
}

#[tokio::test]
async fn a_booking_is_a_hold_from_its_beginning_to_its_end_and_is_listed_until_then() {
    on_both(async |store| {
        let (shop, blog, now) = (environment("shop"), environment("blog"), store.now().await.unwrap());
        let mut tx = store.begin().await.unwrap();
        let late = book(&mut tx, &shop, now.plus_ms(20 * HOUR_MS), 2).await;
        let soon = book(&mut tx, &shop, now.plus_ms(10 * HOUR_MS), 2).await;
        let other = book(&mut tx, &blog, now.plus_ms(HOUR_MS), 2).await;
        tx.commit().await.unwrap();
        assert_eq!((late.kind, late.because.as_deref()), (Kind::Booking, Some("予行")));
        assert_eq!(numbers(&store, None).await, [other.number.0, soon.number.0, late.number.0]);
        assert_eq!(holds::bookings(&store, Some(&shop)).await.unwrap().0, [soon.clone(), late.clone()]);
        assert_eq!(holds::readable(&store).await.unwrap(), (vec![], vec![]), "none has begun");
        // What is asked for when is read from these.
        assert_eq!(holds::of_late(&store, now).await.unwrap().len(), 3);
        let back = |hours: i64| {
            format!("UPDATE holds SET began_at = began_at - {0}, until_at = until_at - {0}", hours * HOUR_MS)
        };
        sql(&store, &back(11)).await.unwrap();
        assert_eq!(numbers(&store, None).await, [soon.number.0, late.number.0], "one is over");
        let (standing, _) = holds::readable(&store).await.unwrap();
        assert_eq!(standing.iter().map(|one| one.number).collect::<Vec<_>>(), [soon.number]);
        let mut tx = store.begin().await.unwrap();
        let lifted = Ending::Lifted { by: ActorId::local("ito"), because: None };
        assert!(holds::end(&mut tx, &soon, &lifted).await.unwrap());
        assert!(!holds::end(&mut tx, &soon, &lifted).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(numbers(&store, None).await, [late.number.0]);
        let ended = holds::of_late(&store, now.plus_ms(-12 * HOUR_MS)).await.unwrap();
        let ended = ended.iter().find(|one| one.number == soon.number).unwrap();
        assert!(ended.until < soon.until, "it asked for something until it was taken back: {ended:?}");
    })
    .await;
}

#[tokio::test]
async fn a_booking_that_cannot_be_read_hides_none_of_the_others() {
    on_both(async |store| {
        let (shop, now) = (environment("shop"), store.now().await.unwrap());
        let mut tx = store.begin().await.unwrap();
        let first = book(&mut tx, &shop, now.plus_ms(HOUR_MS), 2).await;
        let second = book(&mut tx, &shop, now.plus_ms(10 * HOUR_MS), 2).await;
        tx.commit().await.unwrap();
        for broken in ["asks = NULL", "asks = '{'", "asks = '[]'", "environment = NULL", "only_ids = '{'"] {
            sql(&store, &format!("UPDATE holds SET {broken} WHERE number = {}", first.number)).await.unwrap();
            let (all, unread) = holds::bookings(&store, None).await.unwrap();
            assert_eq!((all, unread.len()), (vec![second.clone()], 1), "{broken}");
        }
        // What is no booking asks for no level.
        sql(&store, &format!("UPDATE holds SET kind = 'hold' WHERE number = {}", second.number)).await.unwrap();
        let (_, unread) = holds::readable(&store).await.unwrap();
        assert!(unread.iter().any(|one| one.why.contains("asks")), "{unread:?}");
    })
    .await;
}
