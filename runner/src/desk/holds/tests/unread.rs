//! Who takes a hold away that nobody can read, and what everybody else is told to say.

use super::*;
use crate::domain::answer::Standing;
use crate::domain::command::HistoryFilter;
use crate::domain::holds::Kind;
use crate::ledger::audit;

async fn hints(room: &Room, who: &str, order: Order) -> Vec<String> {
    match room.says(who, order).await {
        Err(DeskError::Refused(refusal)) => {
            assert_eq!(refusal.why.contains("local:boss"), who != "boss", "{refusal:?}");
            refusal.hints
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_owner_lifts_what_can_be_read_and_leaves_to_an_admin_what_cannot_and_each_is_offered_lines_that_work() {
    on_both(async |store| {
        let room = Room::new(store);
        room.hold("sato").await;
        sql(&room.store, "UPDATE holds SET only_ids = '{' WHERE number = 1").await.unwrap();
        let unhold = |number: Option<i64>| {
            Order::Hold(HoldOrder::Unhold { environment: shop(), number: number.map(HoldNumber) })
        };
        // Owners of an environment lift what others hold; whose this is nobody knows.
        for number in [None, Some(1)] {
            assert_eq!(hints(&room, "ito", unhold(number)).await, ["status shop"], "{number:?}");
        }
        assert_eq!(hints(&room, "ito", up("shop")).await, ["status shop"]);
        assert_eq!(hints(&room, "boss", unhold(None)).await, ["unhold shop 1", "status shop"]);
        // What is beside it can be lifted by its number, also by an owner.
        room.stands_at("full").await;
        let until = room.ahead(3_600_000).await;
        room.does("mori", HoldOrder::Keep { environment: shop(), until }).await;
        assert_eq!(hints(&room, "ito", unhold(None)).await, ["status shop", "unhold shop 2"]);
        let lifted = room.says("ito", unhold(Some(2))).await.unwrap();
        assert!(matches!(lifted, Answer::Hold(HoldAnswer::Lifted { of_another: true, .. })), "{lifted:?}");
        let cleared = room.says("boss", unhold(Some(1))).await.unwrap();
        assert!(matches!(cleared, Answer::Hold(HoldAnswer::Cleared { number: HoldNumber(1), .. })), "{cleared:?}");
        room.queues("ito", up("shop")).await;
    })
    .await;
}

#[tokio::test]
async fn a_run_that_cannot_be_read_hides_none_of_the_others_and_is_named() {
    on_both(async |store| {
        let room = Room::new(store);
        let ended = room.queues("sato", up("shop")).await;
        room.says("sato", Order::Cancel { run: Some(ended.number), force: false }).await.unwrap();
        let working = room.queues("ito", up("shop")).await;
        room.works(&working).await;
        let waiting = room.queues("sato", down(false)).await;
        let other = room.queues("ito", up("blog")).await;
        room.does("mori", HoldOrder::Tell { environment: shop() }).await;
        let all = Sight { all: true, environments: Vec::new() };
        for (number, broken) in [
            (waiting.number, "UPDATE runs SET request = 'x' || request WHERE number = "),
            (working.number, "UPDATE runs SET state = 'x' || state WHERE number = "),
            (ended.number, "UPDATE runs SET request = 'x' || request WHERE number = "),
        ] {
            sql(&room.store, &format!("{broken}{number}")).await.unwrap();
            let named = format!("run {number}: the row ");
            let status = room.desk.status(None).await.unwrap();
            let [Standing::Managed(shop_stands), Standing::Managed(blog_stands)] = status.as_slice() else {
                panic!("{status:?}")
            };
            // What is over is named by itself: it is in the way of nothing.
            let is_over = number == ended.number;
            let told = |all: &[String]| all.iter().filter(|why| why.starts_with(&named)).count();
            let told = (told(&shop_stands.lost), told(&shop_stands.lost_ended));
            assert_eq!(told, if is_over { (0, 1) } else { (1, 0) }, "once: {shop_stands:?}");
            assert!(blog_stands.lost.is_empty() && blog_stands.waiting.len() == 1, "{blog_stands:?}");
            let queues = room.desk.queue(None, &all).await.unwrap();
            let of = |name: &str| queues.iter().find(|queue| queue.environment.as_str() == name).unwrap();
            assert_eq!(of("shop").unread.iter().any(|why| why.starts_with(&named)), !is_over, "{queues:?}");
            assert_eq!((of("blog").waiting[0].run.number, of("blog").unread.len()), (other.number, 0));
            let history =
                room.desk.history(&HistoryFilter { page: 1, ..HistoryFilter::default() }, &all).await.unwrap();
            assert!(history.unread.iter().any(|why| why.starts_with(&named)), "{history:?}");
        }
        assert!(room.desk.status(Some(&shop())).await.is_ok());
        let first = &room.desk.queue(Some(&shop()), &all).await.unwrap()[0];
        assert_eq!((first.running.is_none(), first.waiting.len(), first.unread.len()), (true, 0, 2));
        // Nobody knows whether shop is free, which keeps the others from nothing.
        warden::look(&room.store, &room.config).await.unwrap();
        assert!(room.news("mori").await.is_empty());
        // Nothing is begun beside it, in its own words; blog goes its way.
        room.refuses("ito", up("shop"), &["cannot be read", "the row ", "`runs`", "status shop"]).await;
        let last = async || audit::recent(&room.store, Some(&shop()), 1).await.unwrap().remove(0);
        let refused = last().await;
        assert_eq!((refused.action.as_str(), refused.rule.as_deref(), refused.run), ("up", Some("ledger"), None));
        // What only keeps others from it is begun all the same.
        let until = room.ahead(3_600_000).await;
        let kept = room.does("mori", HoldOrder::Keep { environment: shop(), until }).await;
        assert!(matches!(&kept, HoldAnswer::Began { hold, .. } if hold.kind == Kind::Keep), "{kept:?}");
        // Also of a run by its number.
        let cancel = Order::Cancel { run: Some(waiting.number), force: false };
        room.refuses("sato", cancel, &["cannot be read", "status shop"]).await;
        let refused = last().await;
        assert_eq!((refused.action.as_str(), refused.run), ("cancel", Some(waiting.number)));
        room.queues("sato", up("blog")).await;
    })
    .await;
}

#[tokio::test]
async fn everything_is_stopped_beside_a_run_that_cannot_be_read_and_it_is_named() {
    on_both(async |store| {
        let room = Room::new(store);
        let broken = room.queues("ito", up("shop")).await;
        let other = room.queues("ito", up("blog")).await;
        let number = broken.number;
        sql(&room.store, &format!("UPDATE runs SET request = 'x' || request WHERE number = {number}")).await.unwrap();
        let answer = room.does("boss", HoldOrder::Stop).await;
        let HoldAnswer::Stopped { emptied, unread, .. } = &answer else { panic!("{answer:?}") };
        assert_eq!(emptied.iter().map(|run| run.number).collect::<Vec<_>>(), [other.number]);
        assert_eq!(unread.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [number]);
        let told = room.news("boss").await;
        let names = |news: &News| matches!(news, News::Still { unread, .. } if unread.len() == 1);
        assert!(told.iter().any(names), "{told:?}");
    })
    .await;
}
