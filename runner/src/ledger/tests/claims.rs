//! Who may work on what: never two on one environment, and never one who lost it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{approved, asked, at_both, claimed, ended, environment, fence, long, lost_track, on_both, started};
use super::{submit_up, tell};
use crate::domain::ids::RunId;
use crate::domain::run::{Outcome, Phase, RunEvent};
use crate::ledger::runs::{self, AppendError};
use crate::ledger::{Address, Store};

const LEASE_MS: i64 = 30_000;
const NO_LIMIT: usize = 1_000;

async fn claim(store: &Store, runner: &str) -> Option<(RunId, i64)> {
    runs::claim_next(store, runner, "host", LEASE_MS, NO_LIMIT).await.unwrap().map(|(run, attempt)| (run.id, attempt))
}

#[tokio::test]
async fn runs_of_one_environment_go_one_after_the_other_and_approved_ones_first() {
    on_both(async |store| {
        let first = submit_up(&store, "shop").await;
        let second = submit_up(&store, "shop").await;
        let third = submit_up(&store, "shop").await;
        let other = submit_up(&store, "bank").await;
        assert_eq!(claim(&store, "r1").await, Some((first.id, 1)));
        assert_eq!(claim(&store, "r1").await, Some((other.id, 1)));
        assert_eq!(claim(&store, "r1").await, None);
        let never = store.now().await.unwrap().plus_ms(1_000_000);
        // It gives its place up while it waits, and comes back to the front.
        tell(&store, first.id, &[asked(never)]).await;
        assert_eq!(claim(&store, "r1").await, Some((second.id, 1)));
        tell(&store, first.id, &[approved()]).await;
        let active = runs::active(&store, &environment("shop")).await.unwrap();
        assert_eq!(active.iter().map(|r| r.id).collect::<Vec<_>>(), [second.id, first.id, third.id]);
        tell(&store, second.id, &[ended(Outcome::NothingToDo)]).await;
        assert_eq!(claim(&store, "r1").await, Some((first.id, 2)));
        let active = runs::active(&store, &environment("shop")).await.unwrap();
        assert_eq!(active.iter().map(|r| r.id).collect::<Vec<_>>(), [first.id, third.id]);
    })
    .await;
}

#[tokio::test]
async fn a_runner_takes_no_more_than_its_limit() {
    on_both(async |store| {
        for name in ["a", "b", "c"] {
            submit_up(&store, name).await;
        }
        assert!(runs::claim_next(&store, "r1", "host", LEASE_MS, 2).await.unwrap().is_some());
        let (second, _) = runs::claim_next(&store, "r1", "host", LEASE_MS, 2).await.unwrap().unwrap();
        assert!(runs::claim_next(&store, "r1", "host", LEASE_MS, 2).await.unwrap().is_none());
        assert!(runs::claim_next(&store, "r2", "host", LEASE_MS, 0).await.unwrap().is_none());
        tell(&store, second.id, &[ended(Outcome::Cancelled)]).await;
        assert!(runs::claim_next(&store, "r1", "host", LEASE_MS, 2).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn the_index_refuses_a_second_holder_whatever_the_program_does() {
    on_both(async |store| {
        let first = submit_up(&store, "shop").await;
        let second = submit_up(&store, "shop").await;
        tell(&store, first.id, &[claimed("r1", 1)]).await;
        let mut tx = store.begin().await.unwrap();
        let error = runs::append(&mut tx, second.id, &claimed("r2", 1), None).await.unwrap_err();
        assert!(matches!(error, AppendError::LostRace(run) if run == second.id), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_run_whose_lease_ran_out_is_taken_over_and_its_old_runner_fenced_off() {
    on_both(async |store| {
        let run = submit_up(&store, "shop").await;
        let (claimed_run, attempt) = runs::claim_next(&store, "dead", "h1", -1, NO_LIMIT).await.unwrap().unwrap();
        assert_eq!((claimed_run.id, attempt), (run.id, 1));
        let dead = fence("dead", 1);
        super::record(&store, run.id, &[RunEvent::ApplyBegan, started(Phase::Apply)], Some(&dead)).await.unwrap();
        assert_eq!(runs::orphans(&store).await.unwrap().len(), 1);
        let mut tx = store.begin().await.unwrap();
        let attempt = runs::take_over(&mut tx, run.id, "new", "h2", LEASE_MS).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(attempt, 2);
        assert!(runs::orphans(&store).await.unwrap().is_empty());
        assert!(!runs::is_held(&store, run.id, &dead).await.unwrap());
        assert!(!runs::is_held(&store, run.id, &fence("new", 1)).await.unwrap());
        assert!(runs::is_held(&store, run.id, &fence("new", 2)).await.unwrap());
        let error = super::record(&store, run.id, &[RunEvent::VerifyBegan], Some(&dead)).await.unwrap_err();
        assert!(matches!(error, AppendError::Fenced(_)), "{error:?}");
        let held = [(run.id, dead)];
        assert_eq!(runs::heartbeat(&store, &held, LEASE_MS).await.unwrap(), [run.id]);
        let held = [(run.id, fence("new", 2))];
        assert!(runs::heartbeat(&store, &held, LEASE_MS).await.unwrap().is_empty());
        // The lease lives: nobody else takes it over, its own runner after a restart does.
        let mut tx = store.begin().await.unwrap();
        let error = runs::take_over(&mut tx, run.id, "third", "h3", LEASE_MS).await.unwrap_err();
        assert!(matches!(error, AppendError::LostRace(_)), "{error:?}");
        tx.rollback().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        assert_eq!(runs::take_over(&mut tx, run.id, "new", "h2", LEASE_MS).await.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_heartbeat_calls_none_lost_that_its_runner_let_go_of_and_leases_none_that_waits_for_people() {
    on_both(async |store| {
        let lease = async |run: RunId| runs::get(&store, run).await.unwrap().unwrap().lease_until;
        let over = submit_up(&store, "shop").await;
        assert_eq!(claim(&store, "r1").await, Some((over.id, 1)));
        tell(&store, over.id, &[ended(Outcome::NothingToDo)]).await;
        let unknown = submit_up(&store, "bank").await;
        assert_eq!(claim(&store, "r1").await, Some((unknown.id, 1)));
        tell(&store, unknown.id, &[RunEvent::ApplyBegan, started(Phase::Apply), lost_track()]).await;
        let held = [(over.id, fence("r1", 1)), (unknown.id, fence("r1", 1))];
        assert!(runs::heartbeat(&store, &held, LEASE_MS).await.unwrap().is_empty());
        // With a lease nobody could look at it for as long as that lasts.
        assert_eq!((lease(over.id).await, lease(unknown.id).await), (None, None));
    })
    .await;
}

#[tokio::test]
async fn the_only_engine_finds_at_its_start_what_another_name_left_behind() {
    on_both(async |store| {
        let run = submit_up(&store, "shop").await;
        claim(&store, "before").await.unwrap();
        assert!(runs::orphans(&store).await.unwrap().is_empty());
        let mut tx = store.begin().await.unwrap();
        runs::expire_leases(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(runs::orphans(&store).await.unwrap().len(), 1);
        let mut tx = store.begin().await.unwrap();
        assert_eq!(runs::take_over(&mut tx, run.id, "after", "elsewhere", LEASE_MS).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn two_that_take_over_the_same_run_do_not_both_get_it() {
    on_both(async |store| {
        let run = submit_up(&store, "shop").await;
        runs::claim_next(&store, "dead", "h1", -1, NO_LIMIT).await.unwrap().unwrap();
        let takers: Vec<_> = (0..4)
            .map(|n| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut tx = store.begin().await.unwrap();
                    let taken = runs::take_over(&mut tx, run.id, &format!("r{n}"), "h", LEASE_MS).await;
                    if taken.is_ok() {
                        tx.commit().await.unwrap();
                    }
                    taken.is_ok()
                })
            })
            .collect();
        let mut won = 0;
        for taker in takers {
            won += u32::from(taker.await.unwrap());
        }
        assert_eq!(won, 1);
    })
    .await;
}

#[tokio::test]
async fn an_unknown_run_keeps_its_environment_until_a_person_asks_to_look() {
    on_both(async |store| {
        let run = submit_up(&store, "shop").await;
        submit_up(&store, "shop").await;
        runs::claim_next(&store, "dead", "h1", LEASE_MS, NO_LIMIT).await.unwrap().unwrap();
        tell(&store, run.id, &[RunEvent::ApplyBegan, lost_track()]).await;
        assert!(runs::orphans(&store).await.unwrap().is_empty());
        assert!(runs::to_look_at(&store).await.unwrap().is_empty());
        assert_eq!(claim(&store, "r1").await, None);
        let asks = RunEvent::RecoverAsked { by: super::actor("ito").id, unlock: true };
        tell(&store, run.id, &[asks]).await;
        assert_eq!(runs::to_look_at(&store).await.unwrap().len(), 1);
        let mut tx = store.begin().await.unwrap();
        let attempt = runs::take_over(&mut tx, run.id, "r1", "h1", LEASE_MS).await.unwrap();
        tx.commit().await.unwrap();
        assert!(runs::to_look_at(&store).await.unwrap().is_empty());
        let still = RunEvent::StillUnknown { finding: "the lock is held".to_owned() };
        super::record(&store, run.id, &[still], Some(&fence("r1", attempt))).await.unwrap();
        assert!(runs::to_look_at(&store).await.unwrap().is_empty());
        tell(&store, run.id, &[ended(Outcome::Partial)]).await;
        assert!(claim(&store, "r1").await.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_question_that_nobody_answers_is_found_when_it_expires() {
    on_both(async |store| {
        let now = store.now().await.unwrap();
        for (name, expires) in [("late", now.plus_ms(-1)), ("early", now.plus_ms(1_000_000))] {
            let run = submit_up(&store, name).await;
            tell(&store, run.id, &[claimed("r1", 1), asked(expires)]).await;
        }
        let expired = runs::expired_questions(&store).await.unwrap();
        assert_eq!(expired.iter().map(|r| r.request.environment.as_str()).collect::<Vec<_>>(), ["late"]);
    })
    .await;
}

/// Who is at work on which environment, as the claimers themselves see it.
type AtWork = Arc<Mutex<BTreeMap<String, String>>>;

async fn work_until_nothing_is_left(address: Address, name: String, at_work: AtWork, left: Arc<Mutex<usize>>) {
    let store = Store::open_at(&address).await.unwrap();
    loop {
        if *left.lock().unwrap() == 0 {
            return;
        }
        let Some((run, attempt)) = runs::claim_next(&store, &name, "host", LEASE_MS, 3).await.unwrap() else {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        let place = run.request.environment.to_string();
        let before = at_work.lock().unwrap().insert(place.clone(), name.clone());
        assert_eq!(before, None, "{name} got {place}, where somebody is at work");
        let own = fence(&name, attempt);
        let begin = [RunEvent::ApplyBegan, started(Phase::Apply)];
        super::record(&store, run.id, &begin, Some(&own)).await.unwrap();
        for zombie in [fence(&name, attempt - 1), fence("zombie", attempt), fence(&name, attempt + 1)] {
            let refused = super::record(&store, run.id, &[ended(Outcome::Failed)], Some(&zombie)).await;
            assert!(matches!(refused, Err(AppendError::Fenced(_))), "{refused:?}");
        }
        assert_eq!(at_work.lock().unwrap().remove(&place), Some(name.clone()));
        let end = [RunEvent::VerifyBegan, ended(Outcome::Succeeded)];
        super::record(&store, run.id, &end, Some(&own)).await.unwrap();
        *left.lock().unwrap() -= 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_claimers_never_work_on_one_environment_at_the_same_time() {
    let (environments, each) = if long() { (12, 40) } else { (4, 5) };
    at_both(async |address| {
        let store = Store::open_at(&address).await.unwrap();
        for _ in 0..each {
            for n in 0..environments {
                submit_up(&store, &format!("env{n}")).await;
            }
        }
        let at_work = AtWork::default();
        let left = Arc::new(Mutex::new(environments * each));
        let claimers: Vec<_> = (0..8)
            .map(|n| {
                let work = work_until_nothing_is_left(address.clone(), format!("r{n}"), at_work.clone(), left.clone());
                tokio::spawn(work)
            })
            .collect();
        let all = async {
            for claimer in claimers {
                claimer.await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_mins(5), all).await.expect("the queue runs empty");
        assert!(runs::all_active(&store).await.unwrap().is_empty());
        let mut tx = store.snapshot().await.unwrap();
        let numbers: Vec<i64> =
            on!(tx, fetch_all, sqlx::query_scalar("SELECT number FROM runs ORDER BY number")).unwrap();
        assert!(numbers.iter().zip(1..).all(|(number, expected)| *number == expected), "no number is left out");
    })
    .await;
}
