//! What is in service decides when a stack is done.

use super::*;
use crate::domain::probe::{Ask, Probe};
use crate::domain::readiness::GroupCount;
use crate::domain::run::Note;

/// A plan of a stack with an Auto Scaling group.
fn scaling(outputs_change: bool, changes: &[(&str, Action)]) -> StackPlan {
    StackPlan { scales: true, ..plan(outputs_change, changes) }
}

fn short() -> Failure {
    Failure::new(FailureKind::NotReady, "slaves 37 of 40 in service")
}

#[test]
fn what_needs_a_stack_waits_until_it_is_in_service_and_not_only_applied() {
    let story = Story::up(&[
        ("monitoring", vec![Ok(plan(false, &[A]))]),
        ("app", vec![Ok(scaling(false, &[A]))]),
        ("jmeter", vec![Ok(scaling(false, &[A]))]),
    ])
    .go();
    insta::assert_snapshot!(story.told, @r"
    plan monitoring | plan app | plan jmeter
    monitoring Exact 1
    app Exact 1
    jmeter Exact 1
    apply began
    apply monitoring
    apply app
    look at app: app 1 of 1 changes done; all in service
    apply jmeter
    look at jmeter: jmeter 1 of 1 changes done; all in service
    verify began
    monitoring 1 of 1 changes done
    ended succeeded
    ");
}

#[test]
fn a_stack_that_is_not_in_service_in_time_ends_the_run_partial_and_nothing_after_it_is_begun() {
    let mut story = Story::up(&[
        ("monitoring", vec![Ok(plan(false, &[]))]),
        ("app", vec![Ok(scaling(false, &[A]))]),
        ("jmeter", vec![Ok(scaling(false, &[A]))]),
    ]);
    story.looks.insert(name("app"), short());
    insta::assert_snapshot!(story.go().told, @r"
    plan monitoring | plan app | plan jmeter
    monitoring Exact 0
    app Exact 1
    jmeter Exact 1
    apply began
    apply app
    look at app: app failed: slaves 37 of 40 in service
    ended partial
    ");
}

#[test]
fn an_empty_plan_is_not_believed_where_there_are_groups() {
    let none = || vec![Ok(plan(false, &[]))];
    let plans = || [("monitoring", none()), ("app", none()), ("jmeter", vec![Ok(scaling(false, &[]))])];
    insta::assert_snapshot!(Story::up(&plans()).go().told, @r"
    plan monitoring | plan app | plan jmeter
    monitoring Exact 0
    app Exact 0
    jmeter Exact 0
    verify began
    look at jmeter: jmeter all in service
    ended nothing_to_do
    ");
    let mut story = Story::up(&plans());
    story.looks.insert(name("jmeter"), short());
    let groups = vec![GroupCount { desired: 40, in_service: 37, ..GroupCount::default() }];
    let mut story = story.go();
    assert_eq!(story.view.outcome(), Some(Outcome::Failed), "nobody counted anything in service");
    story = Story::up(&plans());
    story.looks.insert(name("jmeter"), short());
    story.view.stacks[&name("jmeter")].counts = groups;
    assert_eq!(story.go().view.outcome(), Some(Outcome::Partial), "some of it serves");
}

#[test]
fn a_plan_that_is_only_shown_and_a_configuration_that_says_no_look_at_nothing() {
    let plans = || {
        [
            ("monitoring", vec![Ok(plan(false, &[]))]),
            ("app", vec![Ok(plan(false, &[]))]),
            ("jmeter", vec![Ok(scaling(false, &[]))]),
        ]
    };
    let order = Order::Plan {
        environment: "shop".parse().expect("a name"),
        level: None,
        settings: Vec::new(),
        newest_code: false,
    };
    let story = Story::new(&order, &plans()).go();
    assert!(!story.told.contains("look at"), "{}", story.told);
    let mut story = Story::up(&plans());
    story.environment.stacks[&name("jmeter")].readiness.groups = false;
    let story = story.go();
    assert_eq!(story.view.outcome(), Some(Outcome::NothingToDo));
    assert!(!story.told.contains("look at"), "{}", story.told);
}

#[test]
fn probes_are_waited_for_without_any_group_and_not_where_all_is_destroyed() {
    let probe = || vec![Probe { asks: Ask::Tcp("10.0.0.7:1099".to_owned()), levels: Vec::new() }];
    let plans = |change| {
        [
            ("monitoring", vec![Ok(plan(false, &[]))]),
            ("app", vec![Ok(plan(false, &[]))]),
            ("jmeter", vec![Ok(StackPlan { destroy: change == Action::Delete, ..plan(false, &[("x", change)]) })]),
        ]
    };
    let mut story = Story::up(&plans(Action::Create));
    story.environment.stacks[&name("jmeter")].readiness.probes = probe();
    let told = story.go().told;
    assert!(told.contains("look at jmeter: jmeter 1 of 1 changes done; all in service"), "{told}");
    let order = Order::Down {
        environment: "shop".parse().expect("a name"),
        level: Some(crate::domain::environment::Level::Off),
        anyway: false,
    };
    let mut story = Story::new(&order, &plans(Action::Delete));
    story.environment.stacks[&name("jmeter")].readiness.probes = probe();
    let told = story.go().told;
    assert!(!told.contains("look at"), "{told}");
}

#[test]
fn what_falls_keeps_nobody_waiting_and_is_looked_at_all_the_same() {
    let order = Order::Down {
        environment: "shop".parse().expect("a name"),
        level: Some(crate::domain::environment::Level::Off),
        anyway: false,
    };
    let lowered = || vec![Ok(scaling(false, &[("aws_autoscaling_group.x", Action::Update)]))];
    let story = Story::new(&order, &[("monitoring", lowered()), ("app", lowered()), ("jmeter", lowered())]);
    insta::assert_snapshot!(story.go().told, @r"
    plan monitoring | plan app | plan jmeter
    app Exact 1 | jmeter Exact 1 | monitoring Exact 1
    apply began
    apply jmeter
    look at jmeter: jmeter 1 of 1 changes done; all in service | apply app
    look at app: app 1 of 1 changes done; all in service | apply monitoring
    look at monitoring: monitoring 1 of 1 changes done; all in service
    verify began
    ended succeeded
    ");
}

#[test]
fn a_stop_while_it_is_waited_for_ends_the_run_cancelled_and_a_restart_goes_on_waiting() {
    let mut story = Story::up(&[
        ("monitoring", vec![Ok(plan(false, &[]))]),
        ("app", vec![Ok(plan(false, &[]))]),
        ("jmeter", vec![Ok(scaling(false, &[A]))]),
    ]);
    story.looks.insert(name("jmeter"), Failure::new(FailureKind::Interrupted, "stopped"));
    // As the driver does: the look has begun, and is under way.
    for (stack, plan) in [("monitoring", plan(false, &[])), ("app", plan(false, &[])), ("jmeter", scaling(false, &[A]))]
    {
        story.record(RunEvent::StackPlanned { stack: name(stack), plan });
    }
    story.record(RunEvent::ApplyBegan);
    story.record(RunEvent::StackStarted { stack: name("jmeter"), phase: Phase::Apply });
    let done = plan(false, &[A]).changes;
    let applied = Box::new(Applied { done, ..Applied::default() });
    story.record(RunEvent::StackApplied { stack: name("jmeter"), applied });
    story.record(RunEvent::StackStarted { stack: name("jmeter"), phase: Phase::Verify });
    let groups = vec![GroupCount { label: "slaves".to_owned(), desired: 40, in_service: 31, ..GroupCount::default() }];
    let note = Note::InService { groups, trouble: None };
    story.record(RunEvent::StackNoted { stack: name("jmeter"), note });
    assert_eq!(story.view.stacks[&name("jmeter")].counts[0].in_service, 31);
    let steps = |story: &Story, busy: &BTreeSet<StackName>| {
        next(&Situation {
            holds: &[],
            barred: None,
            view: &story.view,
            environment: &story.environment,
            asker: &Actor::person(ActorId::local("ito"), "ito"),
            place: &Place::shell(),
            access: &Access::default(),
            busy,
            planned: &story.planned,
            now: Timestamp(0),
            ask_ms: 1_000,
        })
    };
    let busy = BTreeSet::from([name("jmeter")]);
    assert_eq!(steps(&story, &busy), [], "it is waited for");
    assert_eq!(steps(&story, &BTreeSet::new()), [Step::Verify(name("jmeter"))], "after a restart");
    story.record(RunEvent::StopAsked { by: ActorId::local("ito"), force: false, because: None });
    assert_eq!(steps(&story, &busy), [], "the look has not heard of it yet");
    story.record(failed(name("jmeter"), Phase::Verify, &Failure::new(FailureKind::Interrupted, "stopped")));
    assert_eq!(steps(&story, &BTreeSet::new()), [end(Outcome::Cancelled)]);
}
