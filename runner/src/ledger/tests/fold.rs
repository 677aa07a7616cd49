//! Whatever happens to a run: what the ledger says about it is the fold of what it stored.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{actor, approved, asked, claimed, ended, long, lost_track, on_both, stack, started, submit_up};
use crate::domain::ids::Timestamp;
use crate::domain::run::{Effect, Note, Outcome, Phase, RunEvent, RunState};
use crate::ledger::outbox::{self, Address};
use crate::ledger::{Store, runs};

/// One of every kind of event that needs no further data.
fn candidates(attempt: i64) -> Vec<RunEvent> {
    let ito = actor("ito").id;
    let mut events = vec![
        claimed("r1", attempt + 1),
        started(Phase::Plan),
        started(Phase::Apply),
        RunEvent::StackNoted { stack: stack("app"), note: Note::Text("waits for 鍵".to_owned()) },
        RunEvent::ApplyBegan,
        RunEvent::VerifyBegan,
        RunEvent::StackVerified { stack: stack("app"), checked: "7 of 7".to_owned() },
        asked(Timestamp(i64::MAX)),
        approved(),
        RunEvent::Rejected { by: ito.clone(), because: None },
        RunEvent::QuestionExpired,
        RunEvent::StopAsked { by: ito.clone(), force: false, because: Some("nul \0".to_owned()) },
        RunEvent::StopAsked { by: ito.clone(), force: true, because: None },
        lost_track(),
        RunEvent::RecoverAsked { by: ito, unlock: true },
        RunEvent::StillUnknown { finding: "the lock is held".to_owned() },
    ];
    let outcomes = [
        Outcome::Succeeded,
        Outcome::NothingToDo,
        Outcome::Planned,
        Outcome::Partial,
        Outcome::Failed,
        Outcome::Cancelled,
        Outcome::Refused,
        Outcome::Expired,
    ];
    events.extend(outcomes.map(ended));
    events
}

/// Lets things happen to a run as `choices` say, in batches, and checks the ledger after each.
async fn live(store: &Store, name: &str, choices: &[(prop::sample::Index, usize)]) {
    let run = submit_up(store, name).await;
    let mut state = run.state.clone();
    let (mut attempt, mut announced, mut seq) = (0, 0, 1);
    for (choice, batch) in choices {
        let mut events = Vec::new();
        for _ in 0..*batch {
            let mut legal = candidates(attempt);
            legal.retain(|event| state.on(event).is_ok());
            if legal.is_empty() {
                break;
            }
            let event = choice.get(&legal).clone();
            attempt += i64::from(matches!(event, RunEvent::Claimed { .. }));
            let (next, effects) = state.on(&event).unwrap();
            announced += usize::from(effects.contains(&Effect::Announce));
            state = next;
            events.push(event);
        }
        seq += i64::try_from(events.len()).unwrap();
        let appended = super::record(store, run.id, &events, None).await.unwrap();
        assert_eq!((appended.seq, &appended.state), (seq, &state));
    }
    let stored = runs::get(store, run.id).await.unwrap().unwrap();
    let view = runs::view(store, run.id).await.unwrap().unwrap();
    assert_eq!(stored.state, state);
    assert_eq!(view.state, state);
    assert_eq!((view.seq, view.attempt), (seq, attempt));
    assert_eq!((view.accepted, view.started, view.ended), (Some(stored.accepted), stored.started, stored.ended));
    let changed = runs::last_change(store, &stored.request.environment).await.unwrap();
    assert_eq!(changed.is_some(), view.anything_applied());
    let told = outbox::pending(store, &Address::new("shell", "ito")).await.unwrap();
    assert_eq!(told.iter().filter(|message| message.run == Some(run.number)).count(), announced);
    let illegal = super::record(store, run.id, &[RunEvent::Accepted], None).await;
    assert_eq!(illegal.is_ok(), matches!(state, RunState::Queued { .. }));
}

#[test]
fn what_is_stored_and_folded_is_the_state_that_is_stored() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(on_both(async |store| {
        let cases = if long() { 2_000 } else { 40 };
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let choices = prop::collection::vec((any::<prop::sample::Index>(), 0_usize..4), 0..20);
        let handle = tokio::runtime::Handle::current();
        let name = std::sync::atomic::AtomicU32::new(0);
        // The runner is synchronous: it drives the ledger from a thread of its own.
        let outcome = std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    runner.run(&choices, |choices| {
                        let n = name.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        handle.block_on(live(&store, &format!("e{n}"), &choices));
                        Ok(())
                    })
                })
                .join()
        });
        outcome.unwrap().unwrap();
    }));
}
