//! Ways around what rules say, and who may read what.

use super::*;
use crate::domain::audit::{AuditFilter, Decision};

/// Lowering shop takes a yes of an owner.
fn ruled() -> String {
    CONFIG.replace(
        "[environments.shop]\n",
        "[environments.shop]\napprove = { when = ['command = down'], by = 'owners' }\n",
    )
}

fn for_a_while(until: Timestamp) -> Order {
    Order::For { change: Box::new(up("shop")), until }
}

#[tokio::test]
async fn what_ends_by_itself_is_no_way_around_a_yes_to_lower_what_others_raised() {
    on_both(async |store| {
        let room = Room::of(store, &ruled());
        let until = room.ahead(60_000).await;
        room.stands_at("full").await;
        let words =
            ["would lower shop at its end", "somebody raised it without that end", "command = down", "up shop full"];
        room.refuses("sato", for_a_while(until), &words).await;
        // What nobody raised goes back to where it was.
        room.stands_at("small").await;
        let own = room.queues("sato", for_a_while(until)).await;
        // One's own end may be moved; that of somebody else may not.
        room.queues("sato", for_a_while(until.plus_ms(60_000))).await;
        room.refuses("mori", for_a_while(until), &["of sato raised it without that end"]).await;
        assert_eq!(own.request.until, Some(until));
    })
    .await;
}

#[tokio::test]
async fn where_lowering_takes_no_yes_anybody_who_may_lower_ends_it_by_itself() {
    on_both(async |store| {
        let room = Room::new(store);
        let until = room.ahead(60_000).await;
        room.stands_at("full").await;
        room.queues("sato", for_a_while(until)).await;
    })
    .await;
}

#[tokio::test]
async fn a_question_that_is_not_theirs_is_refused_and_in_the_audit() {
    on_both(async |store| {
        // Kim sees both environments, and not the whole.
        let config = CONFIG
            .replace("viewer = ['everyone']\n", "")
            .replace("[environments.shop]\n", "[environments.shop]\naccess = { viewer = ['local:kim'] }\n")
            .replace("{ admin = ['local:abe'] }", "{ admin = ['local:abe'], viewer = ['local:kim'] }");
        let room = Room::of(store, &config);
        let filter = AuditFilter { page: 1, ..AuditFilter::default() };
        let message = room.message("kim", "audit");
        let refused = room.desk.may_ask(&message, &Query::Audit(filter.clone())).await.unwrap_err();
        assert!(refused.to_string().contains("not yours to read"), "{refused}");
        let about = WhyQuery {
            who: Some("local:sato".to_owned()),
            command: CommandName::Up,
            environment: Some(shop()),
            run: None,
            order: None,
        };
        let message = room.message("zoe", "why can local:sato up shop");
        assert!(matches!(room.desk.why(&message, &about).await, Err(DeskError::Refused(_))));
        let all = Sight { all: true, environments: Vec::new() };
        let entries = room.desk.audit(&filter, &all).await.unwrap().records;
        let told: Vec<_> = entries.iter().map(|e| (e.actor.name.as_str(), e.action.as_str(), e.decision)).collect();
        assert_eq!(told, [("zoe", "why", Decision::Refused), ("kim", "audit", Decision::Refused)]);
    })
    .await;
}
