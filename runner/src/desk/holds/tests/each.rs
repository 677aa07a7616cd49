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
