//! The same for each environment of a group.

use super::*;

fn each(orders: Vec<HoldOrder>) -> Order {
    let orders = orders.into_iter().map(Order::Hold).collect();
    Order::Each { group: "rpg".parse().unwrap(), orders }
}

fn blog() -> EnvironmentName {
    "blog".parse().unwrap()
}

async fn standing(room: &Room) -> Vec<String> {
    let (all, _) = crate::ledger::holds::readable(&room.store).await.unwrap();
    all.iter().filter_map(|hold| hold.environment.as_ref().map(ToString::to_string)).collect()
}

#[tokio::test]
async fn a_hold_of_a_group_is_of_all_of_it_or_of_none_and_is_lifted_where_it_stands() {
    on_both(async |store| {
        let room = Room::new(store);
        let until = room.ahead(3_600_000).await;
        let hold = |environment| HoldOrder::Hold { environment, until, only: Vec::new() };
        let unhold = |environment| HoldOrder::Unhold { environment, number: None };
        let both = || each(vec![hold(shop()), hold(blog())]);
        room.refuses("kato", both(), &["not yours to do"]).await;
        room.does("mori", hold(blog())).await;
        room.refuses("sato", both(), &["blog is held already"]).await;
        assert_eq!(standing(&room).await, ["blog"], "of none");
        room.does("mori", unhold(blog())).await;
        let answer = room.says("sato", both()).await.unwrap();
        assert!(matches!(&answer, Answer::Each(all) if all.len() == 2), "{answer:?}");
        assert_eq!(standing(&room).await, ["shop", "blog"]);
        // Each of them is found by its environment.
        let filter = crate::domain::audit::AuditFilter {
            environment: Some(blog()),
            action: Some("hold".to_owned()),
            ..crate::domain::audit::AuditFilter::default()
        };
        let entries = room.desk.audit(&filter, &everything()).await.unwrap().records;
        assert_eq!(entries.iter().filter(|entry| entry.result.as_deref() == Some("began")).count(), 2);
        room.does("sato", unhold(shop())).await;
        let lifts = || each(vec![unhold(shop()), unhold(blog())]);
        room.refuses("mori", lifts(), &["nothing to lift in shop"]).await;
        let answer = room.says("sato", lifts()).await.unwrap();
        assert!(matches!(&answer, Answer::Each(all) if all.len() == 1), "{answer:?}");
        assert_eq!(standing(&room).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_group_is_booked_as_a_whole_or_not_at_all_and_what_is_offered_is_free_in_all_of_it() {
    on_both(async |store| {
        const HOUR_MS: i64 = 3_600_000;
        let room = Room::new(store);
        // To whole seconds, as lines tell moments.
        let from = Timestamp(room.ahead(48 * HOUR_MS).await.0 / 1_000 * 1_000);
        let book = |environment, from: Timestamp| HoldOrder::Book {
            environment,
            level: "full".parse().unwrap(),
            settings: Vec::new(),
            from,
            until: from.plus_ms(2 * HOUR_MS),
            only: Vec::new(),
        };
        let both = |from| each(vec![book(shop(), from), book(blog(), from)]);
        room.refuses("kato", both(from), &["not yours to do"]).await;
        // Of the second one an hour of it is somebody's, and of the first one what comes after that.
        room.does("mori", book(blog(), from.plus_ms(-HOUR_MS))).await;
        room.does("mori", book(shop(), from.plus_ms(2 * HOUR_MS))).await;
        let Err(DeskError::Refused(refusal)) = room.says("sato", both(from)).await else { panic!("it is taken") };
        assert!(refusal.what.contains("blog is booked then"), "{refusal:?}");
        assert!(refusal.why.ends_with("`book @rpg` books each of it, or none"), "{refusal:?}");
        let line = |from: Timestamp| {
            let moment = |at: Timestamp| {
                let at = chrono::DateTime::from_timestamp_millis(at.0).unwrap();
                at.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
            };
            format!("book @rpg full {} until {} because we measure", moment(from), moment(from.plus_ms(2 * HOUR_MS)))
        };
        let free = [line(from.plus_ms(-3 * HOUR_MS)), line(from.plus_ms(4 * HOUR_MS)), "list bookings @rpg".to_owned()];
        assert_eq!(refusal.hints, free);
        let sight = Sight { all: true, environments: Vec::new() };
        assert_eq!(room.desk.bookings(None, &sight).await.unwrap().len(), 2, "of none");
        let answer = room.says("sato", both(from.plus_ms(4 * HOUR_MS))).await.unwrap();
        assert!(matches!(&answer, Answer::Each(all) if all.len() == 2), "{answer:?}");
        assert_eq!(room.desk.bookings(None, &sight).await.unwrap().len(), 4);
        // Taken back is one's own, where there is something of one's own.
        let unbook = |environment| HoldOrder::Unbook { environment, number: None };
        let answer = room.says("sato", each(vec![unbook(shop()), unbook(blog())])).await.unwrap();
        assert!(matches!(&answer, Answer::Each(all) if all.len() == 2), "{answer:?}");
        let left = room.desk.bookings(None, &sight).await.unwrap();
        assert!(left.len() == 2 && left.iter().all(|one| one.by == ActorId::local("mori")), "{left:?}");
        room.refuses("kenji", each(vec![unbook(shop()), unbook(blog())]), &["is not yours to take back"]).await;
    })
    .await;
}
