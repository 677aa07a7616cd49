//! Who is at work beside a run that takes something away, and how what it leaves is noted.

use std::collections::BTreeMap;

use super::{claimed, lost_track, on_both, request, stack, started, submit, submit_up, tell};
use crate::domain::changes::{Action, Change, Exactness, StackPlan};
use crate::domain::failure::{Applied, Failure, FailureKind, ResourceEvent, ResourceStage};
use crate::domain::request::RunKind;
use crate::domain::run::{Outcome, Phase, RunEvent};
use crate::ledger::{Store, runs, stacks};
use crate::standing;

/// What the audit tells of what was deleted.
async fn removed(mut store: &Store) -> Vec<String> {
    const SQL: &str = "SELECT detail FROM audit WHERE action = 'remove' ORDER BY seq";
    let rows: Vec<(String,)> = on!(store, fetch_all, sqlx::query_as(SQL)).unwrap();
    rows.into_iter().map(|(detail,)| detail).collect()
}

#[tokio::test]
async fn the_audit_has_each_deletion_before_and_after_it_and_what_was_left() {
    on_both(async |store| {
        let gone = |arn: &str| Change { address: arn.to_owned(), action: Action::Delete, reason: None };
        let applied = Applied { done: vec![gone("arn:a")], failed: vec![gone("arn:日")], ..Applied::default() };
        let events = |kind: RunKind| {
            let applied = Box::new(applied.clone());
            let ends = RunEvent::StackApplied { stack: stack("app"), applied };
            let tells = |stage| {
                let resource =
                    ResourceEvent { address: "arn:a".to_owned(), action: Action::Delete, stage, elapsed_s: 0 };
                RunEvent::Resource { stack: stack("app"), resource }
            };
            let (asked, gone) = (tells(ResourceStage::Started), tells(ResourceStage::Done));
            (kind, [claimed("r", 1), RunEvent::ApplyBegan, started(Phase::Apply), asked, gone, ends])
        };
        for (kind, events) in [events(RunKind::Up), events(RunKind::Remove)] {
            let run = submit(&store, request(kind, kind.as_str(), "full"), "ito").await;
            for event in events {
                let mut tx = store.begin().await.unwrap();
                standing::append(&mut tx, &run, None, &[event], None).await.unwrap();
                tx.commit().await.unwrap();
            }
        }
        let told = removed(&store).await;
        assert_eq!(
            told,
            [
                r#"{"arn":"arn:a","is":"asked of AWS","stack":"app"}"#,
                r#"{"arn":"arn:a","is":"gone","stack":"app"}"#,
                r#"{"gone":["arn:a"],"left":["arn:日"],"stack":"app"}"#
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn whoever_may_be_changing_something_is_at_work_and_who_looks_or_waits_is_not() {
    on_both(async |store| {
        let at_work = async || {
            let all = runs::all_active(&store).await.unwrap();
            let mut names: Vec<String> =
                all.iter().filter(|run| run.is_at_work()).map(|run| run.request.environment.to_string()).collect();
            names.sort();
            names.join(" ")
        };
        submit_up(&store, "queued").await;
        let drift = submit(&store, request(RunKind::Drift, "looked-at", "full"), "ito").await;
        tell(&store, drift.id, &[claimed("r", 1)]).await;
        assert_eq!(at_work().await, "");
        let planned = submit_up(&store, "planned").await;
        tell(&store, planned.id, &[claimed("r", 1)]).await;
        let removed = submit(&store, request(RunKind::Remove, "removed", "full"), "ito").await;
        tell(&store, removed.id, &[claimed("r", 1), RunEvent::ApplyBegan]).await;
        let unknown = submit_up(&store, "unknown").await;
        tell(&store, unknown.id, &[claimed("r", 1), RunEvent::ApplyBegan, started(Phase::Apply), lost_track()]).await;
        assert_eq!(at_work().await, "planned removed unknown");
        tell(&store, planned.id, &[RunEvent::ended(Outcome::NothingToDo)]).await;
        assert_eq!(at_work().await, "removed unknown");
    })
    .await;
}

#[tokio::test]
async fn how_a_failed_apply_left_its_state_is_noted_whatever_terraform_says_of_why() {
    on_both(async |store| {
        let kinds = [
            (FailureKind::Terraform, true),
            (FailureKind::Credentials, true),
            (FailureKind::NoStateBucket, true),
            (FailureKind::StateUnread, true),
            (FailureKind::Signal { signal: 9 }, false),
        ];
        for (round, (kind, noted)) in kinds.into_iter().enumerate() {
            let name = format!("e{round}");
            let run = submit_up(&store, &name).await;
            let gone = Change { address: "a.b".to_owned(), action: Action::Delete, reason: None };
            let applied = Applied { done: vec![gone.clone()], serial: Some(9), ..Applied::default() };
            let plan = StackPlan {
                exactness: Exactness::Exact,
                changes: vec![gone],
                drift: Vec::new(),
                outputs_change: false,
                destroy: false,
                kept_for: Vec::new(),
                inputs: None,
                serial: Some(7),
                least_serial: None,
                lineage: Some("l".to_owned()),
                left_lineage: None,
                left_at: None,
                values: BTreeMap::new(),
                scales: false,
            };
            let failure = Box::new(Failure::new(kind.clone(), "it failed"));
            let applied = Some(Box::new(applied));
            for event in [
                claimed("r", 1),
                started(Phase::Plan),
                RunEvent::StackPlanned { stack: stack("app"), plan },
                RunEvent::ApplyBegan,
                started(Phase::Apply),
                RunEvent::StackFailed { stack: stack("app"), phase: Phase::Apply, failure, applied },
            ] {
                let mut tx = store.begin().await.unwrap();
                standing::append(&mut tx, &run, None, &[event], None).await.unwrap();
                tx.commit().await.unwrap();
            }
            let left = stacks::states_left(&store, &name.parse().unwrap()).await.unwrap();
            let serial = left.get("app").map(|left| left.serial);
            assert_eq!(serial, Some(if noted { 9 } else { 7 }), "{kind:?}");
        }
    })
    .await;
}
