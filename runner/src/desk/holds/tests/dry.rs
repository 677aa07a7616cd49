//! `why` with a whole order: it is decided on as the order would be, and nothing of it is kept.

use super::*;
use crate::domain::audit::Deed;
use crate::domain::refusal::Refusal;
use crate::domain::run::Phase;
use crate::ledger::Tx;

/// Everything that an order could change, but what was typed and answered.
const COUNTED: &str = "SELECT CAST((SELECT COUNT(*) FROM runs) AS TEXT) || ' ' || (SELECT COUNT(*) FROM run_events) || ' ' || \
    (SELECT COUNT(*) FROM runs WHERE taken_by IS NOT NULL) || ' ' || (SELECT COUNT(*) FROM holds WHERE ended_at IS NULL) || ' ' || \
    (SELECT COUNT(*) FROM holds) || ' ' || (SELECT COUNT(*) FROM tellings) || ' ' || (SELECT COUNT(*) FROM outbox) || ' ' || \
    (SELECT COUNT(*) FROM audit) || ' ' || (SELECT COALESCE(SUM(value), 0) FROM counters) || ' ' || \
    (SELECT COUNT(*) FROM inbox)";

async fn counted(store: &Store) -> String {
    match store.begin().await.unwrap() {
        Tx::Sqlite(mut tx) => sqlx::query_scalar(COUNTED).fetch_one(&mut *tx).await.unwrap(),
        Tx::Postgres(mut tx, _) => sqlx::query_scalar(COUNTED).fetch_one(&mut *tx).await.unwrap(),
    }
}

fn asked(who: Option<&str>, order: &Order, run: Option<RunNumber>) -> WhyQuery {
    let environment = match order {
        Order::Up { environment, .. }
        | Order::Hold(HoldOrder::Hold { environment, .. } | HoldOrder::Tell { environment }) => {
            Some(environment.clone())
        }
        _ => None,
    };
    let who = who.map(str::to_owned);
    WhyQuery { who, command: order.name(), environment, run, order: Some(Box::new(order.clone())) }
}

/// Why not; `None`: they may. With whether only this order is refused.
async fn verdict(room: &Room, asker: &str, query: &WhyQuery) -> Option<(Refusal, bool)> {
    let why = Box::pin(room.desk.why(&room.message(asker, "why"), query)).await.unwrap();
    let [verdict] = why.verdicts.as_slice() else { panic!("{why:?}") };
    verdict.refused.clone().map(|refusal| (refusal, verdict.only_now))
}

#[tokio::test]
async fn asking_whether_one_may_changes_nothing() {
    on_both(async |store| {
        let room = Room::new(store);
        let failed = room.queues("sato", up("shop")).await;
        room.works(&failed).await;
        room.ends(&failed).await;
        let run = room.queues("sato", up("blog")).await;
        room.works(&run).await;
        let before = counted(&room.store).await;
        let until = room.ahead(3_600_000).await;
        let words = || "until when?".to_owned();
        for (who, order, run) in [
            ("mori", up("shop"), None),
            ("mori", Order::Hold(HoldOrder::Hold { environment: shop(), until, only: Vec::new() }), None),
            ("mori", Order::Hold(HoldOrder::Ask { about: About::Run(run.number), words: words() }), Some(run.number)),
            ("sato", Order::Accept { run: failed.number }, Some(failed.number)),
            ("sato", Order::Cancel { run: Some(run.number), force: false }, Some(run.number)),
            ("boss", Order::Hold(HoldOrder::Stop), None),
        ] {
            let refused = verdict(&room, who, &asked(None, &order, run)).await;
            assert_eq!(refused.as_ref(), None, "{who} {order:?}");
            assert_eq!(counted(&room.store).await, before, "{who} {order:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_only_as_things_stand_is_no_missing_right() {
    on_both(async |store| {
        let room = Room::new(store);
        let tell = Order::Hold(HoldOrder::Tell { environment: shop() });
        let (refusal, only_now) = verdict(&room, "mori", &asked(None, &tell, None)).await.expect("refused");
        assert!(only_now && refusal.what == "shop is free now", "{refusal:?}");
        let (refusal, only_now) = verdict(&room, "kato", &asked(None, &tell, None)).await.expect("refused");
        assert!(!only_now && refusal.what.contains("not yours to do"), "{refusal:?}");
    })
    .await;
}

#[tokio::test]
async fn what_somebody_else_may_not_is_told_of_them() {
    on_both(async |store| {
        let room = Room::new(store);
        room.hold("sato").await;
        let until = room.ahead(3_600_000).await;
        let hold = Order::Hold(HoldOrder::Hold { environment: shop(), until, only: Vec::new() });
        let (of_sato, _) = verdict(&room, "ito", &asked(Some("sato"), &hold, None)).await.expect("refused");
        assert!(of_sato.why.starts_with("they hold it already"), "{of_sato:?}");
        let (own, _) = verdict(&room, "sato", &asked(None, &hold, None)).await.expect("refused");
        assert!(own.why.starts_with("you hold it already"), "{own:?}");
        let blog = Order::Hold(HoldOrder::Tell { environment: "blog".parse().unwrap() });
        let (of_sato, _) = verdict(&room, "ito", &asked(Some("sato"), &blog, None)).await.expect("refused");
        assert!(of_sato.why.ends_with("nobody holds it against them"), "{of_sato:?}");
        let (of_viewer, _) = verdict(&room, "ito", &asked(Some("kato"), &up("shop"), None)).await.expect("refused");
        assert!(of_viewer.what.ends_with("not theirs to do") && of_viewer.why.starts_with("they are"), "{of_viewer:?}");
    })
    .await;
}

#[tokio::test]
async fn whoever_may_not_see_a_run_learns_nothing_of_it_by_asking_why_and_is_noted() {
    on_both(async |store| {
        let room = Room::new(store);
        let run = room.queues("sato", up("shop")).await;
        let stranger = Actor::person("slack:U99".parse().unwrap(), "stranger");
        let stranger = Actor { kind: crate::domain::answer::ActorKind::Guest, ..stranger };
        let approve = Order::Approve { run: run.number, code: None, alone: false };
        let query = asked(None, &approve, Some(run.number));
        let message = Message { actor: stranger, ..room.message("kato", "why can't I approve 1") };
        let before = counted(&room.store).await;
        let told = room.desk.why(&message, &query).await;
        assert!(matches!(&told, Err(DeskError::Refused(refusal)) if refusal.what.contains("show")), "{told:?}");
        assert_ne!(counted(&room.store).await, before, "it is in the audit");
        // Whoever may look is told.
        assert!(verdict(&room, "kato", &query).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn who_stopped_it_is_told_of_what_was_under_way_and_not_of_what_waited() {
    on_both(async |store| {
        let room = Room::new(store);
        let working = room.queues("sato", up("shop")).await;
        room.works(&working).await;
        let begun = RunEvent::StackStarted { stack: "app".parse().unwrap(), phase: Phase::Apply };
        room.tell(&working, &[RunEvent::ApplyBegan, begun]).await;
        room.queues("mori", up("shop")).await;
        room.does("boss", HoldOrder::Stop).await;
        let (_, run) = room.desk.who(Deed::Stopped, &shop()).await.unwrap().found.expect("a stop");
        assert_eq!(run.number, working.number);
    })
    .await;
}
