//! Runs for the tests of cards, told as events.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use tidegate_runner::domain::answer::{Actor, RunDetail, RunSummary};
use tidegate_runner::domain::changes::{Action, Change, Exactness, StackPlan};
use tidegate_runner::domain::command::Order;
use tidegate_runner::domain::environment::Level;
use tidegate_runner::domain::failure::{
    Applied, Failure, FailureKind, Output, ResourceEvent, ResourceStage, SourceLine,
};
use tidegate_runner::domain::ids::{ActorId, RunId, RunNumber, StackName, Timestamp};
use tidegate_runner::domain::request::{RunRequest, Target, request};
use tidegate_runner::domain::run::{
    EventRecord, Note, Outcome, Phase, Provenance, Question, QuestionWhy, RunEvent, RunView,
};

use crate::cards::Clock;
use crate::commands::fixture;

/// When the runs of these tests are accepted: 12:00.
pub(super) const START: Timestamp = fixture::NOW;

pub(super) fn clock() -> Clock {
    Clock { now: START, zone: fixture::tokyo() }
}

pub(super) fn ito() -> Actor {
    Actor::person(ActorId::local("ito"), "ito")
}

pub(super) fn level(name: &str) -> Level {
    name.parse().expect("a level")
}

pub(super) fn name(stack: &str) -> StackName {
    stack.parse().expect("a name")
}

pub(super) fn target(to: &str) -> Target {
    Target { level: level(to), settings: std::collections::BTreeMap::new() }
}

/// What a typed order asks for, with `shop` at `small`.
pub(super) fn asked(typed: &str) -> RunRequest {
    fixture::with_known(|known| match crate::commands::parse(typed, known) {
        Ok(tidegate_runner::domain::command::Command::Order { order, because }) => {
            let undo = matches!(order, Order::Undo { .. }).then(|| target("full"));
            request(&fixture::environment("shop"), &order, because, Some(&target("small")), undo.as_ref())
                .expect("an order that the fixture allows")
        }
        other => panic!("{typed}: {other:?}"),
    })
}

pub(super) fn change(address: &str, action: Action) -> Change {
    Change { address: address.to_owned(), action, reason: None }
}

pub(super) fn plan(changes: Vec<Change>) -> StackPlan {
    StackPlan {
        exactness: Exactness::Exact,
        changes,
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

/// A run and what has happened to it so far.
pub(super) struct Scene {
    view: RunView,
    summary: RunSummary,
    at: Timestamp,
    last_time_ms: Option<i64>,
    again: Option<Timestamp>,
}

impl Scene {
    /// Run 5, just accepted.
    pub(super) fn of(typed: &str) -> Self {
        let request = asked(typed);
        let summary = RunSummary {
            id: RunId(uuid::Uuid::nil()),
            number: RunNumber(5),
            request: request.clone(),
            state: tidegate_runner::domain::run::RunState::Queued { approved: None },
            asker: ito(),
            accepted: START,
            started: None,
            ended: None,
            taken_by: None,
            rejected_by: None,
            began: false,
            lease_until: Some(clock().now.plus_ms(10_000)),
        };
        let scene = Self { view: RunView::new(request), summary, at: START, last_time_ms: Some(48_000), again: None };
        scene.then(RunEvent::Accepted)
    }

    pub(super) fn numbered(mut self, number: i64) -> Self {
        self.summary.number = RunNumber(number);
        self.summary.id = RunId(uuid::Uuid::from_u128(number.unsigned_abs().into()));
        self
    }

    pub(super) fn by(mut self, who: &str) -> Self {
        self.summary.asker = Actor::person(ActorId::local(who), who);
        self
    }

    pub(super) fn first_time(mut self) -> Self {
        self.last_time_ms = None;
        self
    }

    pub(super) fn taken_by(mut self, who: &str, because: &str) -> Self {
        self.summary.taken_by = Some((ActorId::local(who), Some(because.to_owned())));
        self
    }

    /// Lets seconds pass.
    pub(super) fn after(mut self, seconds: i64) -> Self {
        self.at = self.at.plus_ms(seconds * 1000);
        self
    }

    pub(super) fn then(mut self, event: RunEvent) -> Self {
        let record = EventRecord { run: self.summary.id, seq: self.view.seq + 1, at: self.at, event };
        if let Err(illegal) = self.view.fold(&record) {
            panic!("{illegal}");
        }
        self
    }

    pub(super) fn claimed(self) -> Self {
        self.then(RunEvent::Claimed { runner: "here".to_owned(), attempt: 1 })
    }

    pub(super) fn starts(self, stack: &str, phase: Phase) -> Self {
        self.then(RunEvent::StackStarted { stack: name(stack), phase })
    }

    pub(super) fn notes(self, stack: &str, note: Note) -> Self {
        self.then(RunEvent::StackNoted { stack: name(stack), note })
    }

    pub(super) fn prepared(self, stack: &str, dirty: bool, newer: Option<u32>) -> Self {
        let provenance = Box::new(Provenance {
            commit: Some("3f2a9c1d".to_owned()),
            dirty,
            digest: None,
            newer: newer.map(|ahead| ("9b1c".to_owned(), ahead)),
            tool: "Terraform 1.11.4".to_owned(),
            providers: [("terraform.io/builtin/terraform".to_owned(), "1.11.4".to_owned())].into(),
            variables: [("slaves".to_owned(), Some(40.into())), ("db_password".to_owned(), None)].into(),
            init: "skipped, nothing changed since the last success".to_owned(),
        });
        self.starts(stack, Phase::Prepare).then(RunEvent::StackPrepared { stack: name(stack), provenance })
    }

    pub(super) fn plans(self, stack: &str, plan: StackPlan) -> Self {
        self.starts(stack, Phase::Plan).then(RunEvent::StackPlanned { stack: name(stack), plan })
    }

    /// Plans everything of `up shop` as the demo does.
    pub(super) fn planned(self) -> Self {
        let creates = |prefix: &str, count: usize| -> Vec<Change> {
            (0..count).map(|n| change(&format!("terraform_data.{prefix}[{n}]"), Action::Create)).collect()
        };
        let mut app = plan(creates("server", 4));
        app.changes.push(change("terraform_data.balancer", Action::Update));
        app.changes.push(Change {
            reason: Some("cannot_update".to_owned()),
            ..change("terraform_data.cache", Action::Replace)
        });
        app.drift.push(change("terraform_data.balancer", Action::Update));
        let mut jmeter = plan(creates("slave", 38));
        jmeter.exactness = Exactness::Provisional;
        self.claimed()
            .prepared("monitoring", false, None)
            .plans("monitoring", plan(Vec::new()))
            .prepared("app", true, Some(3))
            .plans("app", app)
            .prepared("jmeter", false, None)
            .plans("jmeter", jmeter)
    }

    pub(super) fn resource(self, stack: &str, address: &str, stage: ResourceStage) -> Self {
        self.then(RunEvent::Resource {
            stack: name(stack),
            resource: ResourceEvent { address: address.to_owned(), action: Action::Create, stage, elapsed_s: 0 },
        })
    }

    /// Applies all that was planned for a stack.
    pub(super) fn applied(self, stack: &str, outputs: Vec<Output>) -> Self {
        let done = self.view.stacks[stack].plan.clone().map(|plan| plan.changes).unwrap_or_default();
        let applied = Box::new(Applied { done, outputs, ..Applied::default() });
        self.starts(stack, Phase::Apply).after(20).then(RunEvent::StackApplied { stack: name(stack), applied })
    }

    pub(super) fn fails(self, stack: &str, phase: Phase, failure: Failure, applied: Option<Applied>) -> Self {
        self.then(RunEvent::StackFailed {
            stack: name(stack),
            phase,
            failure: Box::new(failure),
            applied: applied.map(Box::new),
        })
    }

    pub(super) fn verified(self, stack: &str) -> Self {
        let checked = "all changes reported done".to_owned();
        self.then(RunEvent::StackVerified { stack: name(stack), checked })
    }

    pub(super) fn asks(self, why: QuestionWhy) -> Self {
        let expires = self.at.plus_ms(30 * 60_000);
        self.then(RunEvent::Asked { question: Question::plain(why, "3f2a9c41".to_owned(), expires) })
    }

    pub(super) fn stop(self, force: bool) -> Self {
        let because = Some("wrong profile".to_owned());
        self.then(RunEvent::StopAsked { by: ActorId::local("sato"), force, because })
    }

    /// It is tried again by itself, so many milliseconds later.
    pub(super) fn again_in(mut self, ms: i64) -> Self {
        self.again = Some(self.at.plus_ms(ms));
        self
    }

    pub(super) fn ends(self, outcome: Outcome) -> Self {
        self.then(RunEvent::ended(outcome))
    }

    pub(super) fn detail(&self) -> RunDetail {
        let mut run = self.summary.clone();
        run.state = self.view.state.clone();
        run.started = self.view.started;
        run.ended = self.view.ended;
        let (view, last_time_ms) = (self.view.clone(), self.last_time_ms);
        let again = self.again;
        RunDetail { run, view, last_time_ms, now: self.at, against: Vec::new(), again }
    }

    pub(super) fn summary(&self) -> RunSummary {
        self.detail().run
    }
}

/// Terraform's own words about a script that failed.
pub(super) fn script_failed() -> Failure {
    Failure {
        address: Some("terraform_data.slave[2]".to_owned()),
        at: Some(SourceLine {
            file: "main.tf".to_owned(),
            line: 31,
            code: Some("  provisioner \"local-exec\" {".to_owned()),
        }),
        more_errors: 2,
        ..Failure::new(FailureKind::Terraform, "local-exec provisioner error")
            .with_detail("Error running command 'exit 3': exit status 3.\n\nOutput: slave does not answer\u{1b}[31m")
    }
}

/// Half of jmeter: two done, one failed, one in doubt.
pub(super) fn half() -> Applied {
    let slave = |n: usize| change(&format!("terraform_data.slave[{n}]"), Action::Create);
    Applied {
        done: vec![slave(0), slave(1)],
        failed: vec![slave(2)],
        in_doubt: vec![slave(3)],
        outputs: Vec::new(),
        lineage: None,
        serial: None,
    }
}

/// Outputs, one of them secret.
pub(super) fn outputs() -> Vec<Output> {
    let shown = |name: &str, value: serde_json::Value| Output { name: name.to_owned(), value: Some(value) };
    vec![
        shown("jmeter_master", "10.0.3.7".into()),
        shown("grafana", "https://grafana.example/d/load".into()),
        shown("slaves", 40.into()),
        Output { name: "db_password".to_owned(), value: None },
    ]
}

/// Stacks by name.
pub(super) fn stacks<T>(all: impl IntoIterator<Item = (&'static str, T)>) -> IndexMap<StackName, T> {
    all.into_iter().map(|(stack, value)| (name(stack), value)).collect()
}
