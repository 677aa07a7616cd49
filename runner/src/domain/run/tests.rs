//! The state machine against every event in every state, and whole stories.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::domain::access::Yes;
use crate::domain::changes::{Exactness, StackPlan};
use crate::domain::failure::{Applied, Failure, FailureKind, ResourceEvent, ResourceStage};
use crate::domain::ids::{ActorId, StackName, Timestamp};

fn app() -> StackName {
    "app".parse().expect("a name")
}

fn approved(digest: &str) -> RunEvent {
    RunEvent::approved(ActorId::local("ito"), digest)
}

fn yes() -> Yes {
    Yes { by: ActorId::local("mori"), wants: vec![0], alone: false, because: None, through: vec![] }
}

fn question() -> Question {
    Question::plain(QuestionWhy::Previewed, "d".to_owned(), Timestamp(1))
}

fn empty_plan() -> StackPlan {
    StackPlan {
        exactness: Exactness::Exact,
        changes: Vec::new(),
        drift: Vec::new(),
        outputs_change: false,
        destroy: false,
        kept_for: Vec::new(),
        inputs: None,
        serial: None,
        least_serial: None,
        lineage: None,
        left_lineage: None,
        left_at: None,
        values: BTreeMap::new(),
        scales: false,
    }
}

fn provenance() -> Provenance {
    Provenance {
        commit: None,
        dirty: false,
        digest: None,
        newer: None,
        tool: "Terraform 1.11.4".to_owned(),
        providers: std::collections::BTreeMap::default(),
        variables: std::collections::BTreeMap::default(),
        init: String::new(),
    }
}

/// One event of every kind, outcomes spelled out.
fn all_events() -> Vec<RunEvent> {
    let by = ActorId::local("ito");
    let ended = |outcome| RunEvent::ended(outcome);
    vec![
        RunEvent::Accepted,
        RunEvent::Claimed { runner: "r".to_owned(), attempt: 1 },
        RunEvent::StackPrepared { stack: app(), provenance: Box::new(provenance()) },
        RunEvent::StackStarted { stack: app(), phase: Phase::Plan },
        RunEvent::StackStarted { stack: app(), phase: Phase::Apply },
        RunEvent::StackNoted { stack: app(), note: Note::Init { why: String::new() } },
        RunEvent::StackPlanned { stack: app(), plan: empty_plan() },
        RunEvent::ApplyBegan,
        RunEvent::Resource {
            stack: app(),
            resource: ResourceEvent {
                address: "a.b".to_owned(),
                action: crate::domain::changes::Action::Create,
                stage: ResourceStage::Done,
                elapsed_s: 1,
            },
        },
        RunEvent::StackApplied { stack: app(), applied: Box::new(Applied::default()) },
        RunEvent::VerifyBegan,
        RunEvent::StackVerified { stack: app(), checked: String::new() },
        RunEvent::StackFailed {
            stack: app(),
            phase: Phase::Apply,
            failure: Box::new(Failure::new(FailureKind::Terraform, "no")),
            applied: None,
        },
        RunEvent::Asked { question: question() },
        approved("d"),
        RunEvent::Seconded { yes: yes(), digest: "d".to_owned() },
        approved("another"),
        RunEvent::Seconded { yes: yes(), digest: "another".to_owned() },
        RunEvent::Rejected { by: by.clone(), because: None },
        RunEvent::QuestionExpired,
        RunEvent::StopAsked { by: by.clone(), force: false, because: None },
        RunEvent::StopAsked { by: by.clone(), force: true, because: None },
        RunEvent::LostTrack { stack: app(), finding: String::new(), others: Vec::new() },
        RunEvent::RecoverAsked { by, unlock: false },
        RunEvent::StillUnknown { finding: String::new() },
        ended(Outcome::Succeeded),
        ended(Outcome::NothingToDo),
        ended(Outcome::Planned),
        ended(Outcome::Partial),
        ended(Outcome::Failed),
        ended(Outcome::Cancelled),
        ended(Outcome::Refused),
        ended(Outcome::Expired),
    ]
}

fn all_states() -> Vec<RunState> {
    vec![
        RunState::Queued { approved: None },
        RunState::Queued { approved: Some("d".to_owned()) },
        RunState::Planning { approved: None, stop: None },
        RunState::AwaitingApproval { question: question(), applied: false },
        RunState::AwaitingApproval { question: question(), applied: true },
        RunState::Applying { approved: None, stop: None },
        RunState::Verifying { applied: true, stop: None },
        RunState::Verifying { applied: false, stop: None },
        RunState::Unknown { stack: app(), finding: String::new(), look: None },
        RunState::Ended { outcome: Outcome::Succeeded },
        RunState::Ended { outcome: Outcome::Cancelled },
    ]
}

fn label(event: &RunEvent) -> String {
    match event {
        RunEvent::Ended { outcome, .. } => format!("ended {}", outcome.as_str()),
        RunEvent::Approved { digest, .. } => format!("approved {digest}"),
        RunEvent::Seconded { digest, .. } => format!("seconded {digest}"),
        RunEvent::StopAsked { force, .. } => format!("stop_asked force={force}"),
        RunEvent::StackStarted { phase, .. } => format!("stack_started {}", phase.as_str()),
        other => serde_json::to_value(other).expect("serialises")["event"].as_str().expect("named").to_owned(),
    }
}

#[test]
fn the_whole_transition_table_is_as_agreed() {
    let mut table = String::new();
    for state in all_states() {
        let holds = if state.holds_environment() { ", holds the environment" } else { "" };
        let approved = match &state {
            RunState::Queued { approved: Some(_) } => " (approved)",
            RunState::AwaitingApproval { applied: true, .. } => " (after a first apply)",
            RunState::Verifying { applied: false, .. } => " (of what is there already)",
            _ => "",
        };
        let _ = writeln!(table, "{}{approved}{holds}", state.status());
        for event in all_events() {
            match state.on(&event) {
                Ok((next, effects)) => {
                    let _ = writeln!(table, "  {} -> {} {effects:?}", label(&event), next.status());
                }
                Err(illegal) => assert_eq!(illegal.state, state.status()),
            }
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn an_ended_run_stays_ended() {
    for event in all_events() {
        assert!(RunState::Ended { outcome: Outcome::Failed }.on(&event).is_err());
    }
}

proptest! {
    /// Whatever comes in whatever order: success is only ever reached through applying and verifying.
    #[test]
    fn success_comes_only_after_an_apply_and_a_check(picks in proptest::collection::vec(0_usize..31, 0..60)) {
        let events = all_events();
        let mut state = RunState::Queued { approved: None };
        let (mut applied, mut verified) = (false, false);
        for pick in picks {
            if let Ok((next, _)) = state.on(&events[pick % events.len()]) {
                applied |= matches!(next, RunState::Applying { .. });
                verified |= matches!(next, RunState::Verifying { .. });
                prop_assert!(!(next.ended() && next.holds_environment()));
                state = next;
            }
        }
        if state.outcome() == Some(Outcome::Succeeded) {
            prop_assert!(applied && verified);
        }
    }

    /// A run that may have changed something never ends as if it had not.
    #[test]
    fn after_an_apply_no_outcome_claims_that_nothing_happened(picks in proptest::collection::vec(0_usize..31, 0..60)) {
        let events = all_events();
        let mut state = RunState::Applying { approved: None, stop: None };
        for pick in picks {
            if let Ok((next, _)) = state.on(&events[pick % events.len()]) {
                state = next;
            }
        }
        prop_assert!(!matches!(
            state.outcome(),
            Some(Outcome::NothingToDo | Outcome::Planned | Outcome::Refused | Outcome::Expired)
        ));
    }

    /// What is stored is read back as it was.
    #[test]
    fn events_and_states_survive_storage(pick in 0_usize..31) {
        let events = all_events();
        let event = &events[pick % events.len()];
        let text = serde_json::to_string(event).expect("serialises");
        prop_assert_eq!(&serde_json::from_str::<RunEvent>(&text).expect("reads back"), event);
        for state in all_states() {
            let text = serde_json::to_string(&state).expect("serialises");
            prop_assert_eq!(serde_json::from_str::<RunState>(&text).expect("reads back"), state);
        }
    }
}
