//! What runs did, as `hours` counts it.

use super::{claimed, ended, environment, on_both, request, started, submit, target, tell};
use crate::domain::answer::RunSummary;
use crate::domain::hours_on::{Came, Deed, reached};
use crate::domain::ids::Timestamp;
use crate::domain::request::RunKind;
use crate::domain::run::{Outcome, Phase, RunEvent};
use crate::ledger::{Store, environments, runs};

/// A run that changes something and ends so, or not at all.
async fn run(store: &Store, kind: RunKind, name: &str, level: &str, outcome: Option<Outcome>) -> RunSummary {
    let run = submit(store, request(kind, name, level), "ito").await;
    let mut tx = store.begin().await.unwrap();
    environments::begin(&mut tx, &environment(name), &target(level), run.number, None).await.unwrap();
    tx.commit().await.unwrap();
    let mut events = vec![claimed("r1", 1)];
    if outcome != Some(Outcome::NothingToDo) {
        events.extend([RunEvent::ApplyBegan, started(Phase::Apply)]);
    }
    if outcome == Some(Outcome::Succeeded) {
        events.push(RunEvent::VerifyBegan);
    }
    events.extend(outcome.map(ended));
    tell(store, run.id, &events).await;
    run
}

fn came(deeds: &[Deed]) -> Vec<(i64, &'static str)> {
    deeds
        .iter()
        .map(|deed| {
            let came = match deed.came {
                Came::Done(_) => "done",
                Came::Found(_) => "found",
                Came::Doubt(_) => "doubt",
            };
            (deed.run.0, came)
        })
        .collect()
}

#[tokio::test]
async fn what_runs_did_begins_with_the_last_one_that_settled_all_of_it() {
    on_both(async |store| {
        run(&store, RunKind::Up, "shop", "full", Some(Outcome::Succeeded)).await;
        run(&store, RunKind::Down, "shop", "small", Some(Outcome::Succeeded)).await;
        run(&store, RunKind::Scale, "shop", "small", Some(Outcome::Partial)).await;
        let before = store.now().await.unwrap();
        run(&store, RunKind::Up, "bank", "full", None).await;
        // Nothing was changed by these.
        let refused = submit(&store, request(RunKind::Up, "shop", "full"), "ito").await;
        tell(&store, refused.id, &[claimed("r1", 1), ended(Outcome::Failed)]).await;
        submit(&store, request(RunKind::Up, "shop", "full"), "ito").await;
        run(&store, RunKind::Plan, "farm", "full", Some(Outcome::NothingToDo)).await;
        run(&store, RunKind::Up, "farm", "full", Some(Outcome::NothingToDo)).await;
        let now = store.now().await.unwrap().plus_ms(1);
        let all = runs::deeds(&store, None, Timestamp(0), now).await.unwrap();
        let (shop, bank, farm) = (environment("shop"), environment("bank"), environment("farm"));
        assert_eq!(came(&all[&shop]), [(1, "done"), (2, "done"), (3, "doubt")]);
        assert_eq!(all[&shop][2].scaled.as_ref().map(std::collections::BTreeSet::len), Some(2));
        assert_eq!(came(&all[&bank]), [(4, "doubt")]);
        assert_eq!(came(&all[&farm]), [(8, "found")]);
        assert_eq!(reached(all[&shop].clone()).len(), 3);
        // Of a later time: what it was then, and what came after it.
        let late = runs::deeds(&store, None, before, now).await.unwrap();
        assert_eq!(came(&late[&shop]), [(2, "done"), (3, "doubt")]);
        let one = runs::deeds(&store, Some(&shop), before, now).await.unwrap();
        assert_eq!((one.len(), came(&one[&shop])), (1, came(&late[&shop])));
        assert_eq!(came(&runs::deeds(&store, Some(&bank), before, now).await.unwrap()[&bank]), [(4, "doubt")]);
        // Of an earlier time: only what was in doubt may have ended later.
        let early = runs::deeds(&store, None, Timestamp(0), Timestamp(1)).await.unwrap();
        assert_eq!(early.get(&shop).map(|deeds| came(deeds)), None);
    })
    .await;
}
