//! Who is at work beside a run that takes something away.

use super::{claimed, lost_track, on_both, request, stack, started, submit, submit_up, tell};
use crate::domain::changes::{Action, Change};
use crate::domain::failure::{Applied, ResourceEvent, ResourceStage};
use crate::domain::request::RunKind;
use crate::domain::run::{Outcome, Phase, RunEvent};
use crate::ledger::{Store, runs};
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
