//! A run's row and its events.

use super::{approved, asked, claimed, ended, fence, lost_track, on_both, request, sql};
use super::{started, submit, submit_up, succeeding, tell};
use crate::domain::ids::{ActorId, RunId, RunNumber, Timestamp};
use crate::domain::request::RunKind;
use crate::domain::run::{Outcome, Phase, RunEvent, RunState};
use crate::ledger::LedgerError;
use crate::ledger::outbox::{self, Address};
use crate::ledger::runs::{self, AppendError};

#[tokio::test]
async fn runs_are_numbered_from_one_and_found_by_number_and_key() {
    on_both(async |store| {
        let first = submit_up(&store, "shop").await;
        let second = submit_up(&store, "shop").await;
        assert_eq!((first.number, second.number), (RunNumber(1), RunNumber(2)));
        assert!(first.id < second.id);
        assert_eq!(runs::by_number(&store, RunNumber(2)).await.unwrap(), Some(second));
        assert_eq!(runs::get(&store, first.id).await.unwrap(), Some(first));
        assert_eq!(runs::by_number(&store, RunNumber(3)).await.unwrap(), None);
        assert_eq!(runs::view(&store, RunId(uuid::Uuid::nil())).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_number_is_not_used_up_by_a_transaction_that_is_undone() {
    on_both(async |store| {
        let mut tx = store.begin().await.unwrap();
        let run = runs::NewRun {
            id: crate::ledger::ids::run_id(Timestamp(0)),
            request: request(RunKind::Up, "shop", "full"),
            asker: super::actor("ito"),
            door: "shell".to_owned(),
            place: None,
        };
        assert_eq!(runs::insert(&mut tx, run).await.unwrap().number, RunNumber(1));
        drop(tx);
        assert_eq!(submit_up(&store, "shop").await.number, RunNumber(1));
        assert_eq!(runs::all_active(&store).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn events_are_stored_with_their_places_and_an_illegal_one_stores_nothing() {
    on_both(async |store| {
        let run = submit_up(&store, "shop").await;
        tell(&store, run.id, &[claimed("r1", 1), started(Phase::Plan)]).await;
        let error = super::record(&store, run.id, &[RunEvent::ApplyBegan, approved()], None).await.unwrap_err();
        assert!(matches!(error, AppendError::Illegal(_)), "{error:?}");
        let missing = RunId(uuid::Uuid::nil());
        let error = super::record(&store, missing, &[RunEvent::ApplyBegan], None).await.unwrap_err();
        assert!(matches!(error, AppendError::NotFound(run) if run == missing), "{error:?}");
        let events = runs::events(&store, run.id, 0).await.unwrap();
        assert_eq!(events.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(events[0].event, RunEvent::Accepted);
        assert_eq!(runs::events(&store, run.id, 2).await.unwrap(), events[2..]);
        assert_eq!(runs::view(&store, run.id).await.unwrap().unwrap().seq, 3);
    })
    .await;
}

#[tokio::test]
async fn a_run_that_waits_before_its_first_apply_belongs_to_nobody() {
    on_both(async |store| {
        let run = submit_up(&store, "shop").await;
        let (_, attempt) = runs::claim_next(&store, "r1", "h", 60_000, 9).await.unwrap().unwrap();
        let never = store.now().await.unwrap().plus_ms(1_000_000);
        let own = fence("r1", attempt);
        super::record(&store, run.id, &[asked(never)], Some(&own)).await.unwrap();
        assert_eq!(outbox::pending(&store, &Address::new("shell", "ito")).await.unwrap().len(), 1);
        let error = super::record(&store, run.id, &[RunEvent::ApplyBegan], Some(&own)).await.unwrap_err();
        assert!(matches!(error, AppendError::Fenced(_)), "{error:?}");
        // Nobody has taken it: who let go of it is not told so.
        assert!(runs::heartbeat(&store, &[(run.id, own)], 60_000).await.unwrap().is_empty());
        assert!(runs::get(&store, run.id).await.unwrap().unwrap().lease_until.is_none());
        assert!(!runs::get(&store, run.id).await.unwrap().unwrap().state.holds_environment());
    })
    .await;
}

#[tokio::test]
async fn what_needs_a_person_is_in_the_outbox_with_the_event_or_not_at_all() {
    on_both(async |store| {
        let to = Address::new("shell", "ito");
        let run = submit_up(&store, "shop").await;
        tell(&store, run.id, &[claimed("r1", 1), RunEvent::ApplyBegan]).await;
        assert!(outbox::pending(&store, &to).await.unwrap().is_empty());
        let mut tx = store.begin().await.unwrap();
        runs::append(&mut tx, run.id, &lost_track(), None).await.unwrap();
        drop(tx);
        assert!(outbox::pending(&store, &to).await.unwrap().is_empty());
        tell(&store, run.id, &[lost_track()]).await;
        let messages = outbox::pending(&store, &to).await.unwrap();
        assert_eq!(messages.len(), 1);
        assert_eq!((messages[0].kind.as_str(), messages[0].run), (outbox::KIND_RUN, Some(run.number)));
        assert_eq!(messages[0].body, r#"{"seq":4,"status":"unknown"}"#);
        assert!(outbox::pending(&store, &Address::new("shell", "mori")).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_run_that_is_over_can_be_taken_as_it_is_once() {
    on_both(async |store| {
        let run = submit_up(&store, "shop").await;
        let mori = ActorId::local("mori");
        let take = async |because: Option<&str>| {
            let mut tx = store.begin().await.unwrap();
            let run = runs::get(&mut tx, run.id).await.unwrap().unwrap();
            let taken = runs::take_as_is(&mut tx, &run, &mori, because).await.unwrap();
            tx.commit().await.unwrap();
            taken
        };
        assert!(!take(None).await);
        tell(&store, run.id, &[claimed("r1", 1), RunEvent::ApplyBegan, ended(Outcome::Partial)]).await;
        assert!(take(Some("31 are enough")).await);
        assert!(!take(None).await);
        let run = runs::get(&store, run.id).await.unwrap().unwrap();
        assert_eq!(run.taken_by, Some((mori.clone(), Some("31 are enough".to_owned()))));
    })
    .await;
}

#[tokio::test]
async fn an_impossible_row_is_refused_with_table_column_and_key() {
    on_both(async |store| {
        let run = submit(&store, request(RunKind::Up, "shop", "full"), "ito").await;
        tell(&store, run.id, &succeeding()).await;
        for (change, expected) in [
            ("request = '{'", "request"),
            ("status = 'failed'", "status"),
            ("asker_id = 'ito'", "asker_id"),
            ("kind = 'down'", "kind"),
            ("environment = 'bank'", "environment"),
        ] {
            let mut tx = store.begin().await.unwrap();
            let change = format!("UPDATE runs SET {change}");
            on!(tx, execute, sqlx::query(sqlx::AssertSqlSafe(change.as_str()))).unwrap();
            let error = runs::get(&mut tx, run.id).await.unwrap_err();
            let LedgerError::Row { table, column, id, .. } = &error else { panic!("{error:?}") };
            assert_eq!((*table, *column, id.as_str()), ("runs", expected, run.id.to_string().as_str()));
        }
    })
    .await;
}

#[tokio::test]
async fn the_database_itself_refuses_states_that_cannot_be() {
    on_both(async |store| {
        submit_up(&store, "shop").await;
        for impossible in
            ["status = 'paused'", "holds = TRUE", "status = 'failed'", "ended_at = 1", "attempt = -1", "number = 0"]
        {
            assert!(sql(&store, &format!("UPDATE runs SET {impossible}")).await.is_err(), "{impossible}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_run_is_over_and_takes_nothing_more() {
    on_both(async |store| {
        let run = submit_up(&store, "shop").await;
        let stop = RunEvent::StopAsked { by: ActorId::local("ito"), force: false, because: None };
        let stopped = super::record(&store, run.id, std::slice::from_ref(&stop), None).await.unwrap();
        assert_eq!(stopped.state, RunState::Ended { outcome: Outcome::Cancelled });
        assert!(matches!(super::record(&store, run.id, &[stop], None).await, Err(AppendError::Illegal(_))));
        assert!(runs::claim_next(&store, "r1", "h", 1_000, 9).await.unwrap().is_none());
    })
    .await;
}
