//! Whole runs without Terraform: plans come back as scripted, and the transcript of the steps is what is tested.

use std::fmt::Write as _;

use super::*;
use crate::domain::access::limits::Limit;
use crate::domain::access::{ApprovalRule, Approvers, Condition, Written};
use crate::domain::changes::Action;
use crate::domain::command::{CommandName, Order};
use crate::domain::environment::{OffAction, Rules, Stack, StackSource, TerraformSettings};
use crate::domain::failure::Applied;
use crate::domain::ids::{ActorId, RunId};
use crate::domain::request::{RunRequest, request};
use crate::domain::run::{EventRecord, Stop};

fn name(text: &str) -> StackName {
    text.parse().expect("a name")
}

fn stack(text: &str, needs: &[&str]) -> (StackName, Stack) {
    let stack = Stack {
        name: name(text),
        source: StackSource::Folder(text.into()),
        needs: needs.iter().map(|n| name(n)).collect(),
        workspace: None,
        backend: BTreeMap::new(),
        env: BTreeMap::new(),
        variables: BTreeMap::new(),
        off: OffAction::Destroy,
        terraform: TerraformSettings {
            program: "terraform".into(),
            version: None,
            lock_timeout_s: 0,
            parallelism: None,
        },
        readiness: crate::domain::readiness::Readiness::default(),
        busy: Vec::new(),
    };
    (name(text), stack)
}

fn shop() -> Environment {
    Environment {
        name: "shop".parse().expect("a name"),
        group: None,
        about: None,
        channel: crate::domain::environment::Channels::default(),
        owners: vec![ActorId::local("ito")],
        oncall: Vec::new(),
        up: "full".parse().expect("a name"),
        down: crate::domain::environment::Level::Off,
        levels: vec!["full".parse().expect("a name")],
        protect: vec!["precious.*".to_owned()],
        stacks: [stack("monitoring", &[]), stack("app", &["monitoring"]), stack("jmeter", &["app"])].into(),
        settings: indexmap::IndexMap::new(),
        profiles: [("full".parse().expect("a name"), BTreeMap::new())].into(),
        timetable: std::sync::Arc::default(),
        money: crate::domain::hours_on::Money::default(),
        rules: Rules::default(),
    }
}

fn plan(outputs_change: bool, changes: &[(&str, Action)]) -> StackPlan {
    StackPlan {
        exactness: Exactness::Exact,
        changes: changes
            .iter()
            .map(|(address, action)| Change { address: (*address).to_owned(), action: *action, reason: None })
            .collect(),
        drift: Vec::new(),
        outputs_change,
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

fn missing() -> Failure {
    Failure::new(FailureKind::UpstreamMissing, "Unable to find remote state")
}

fn broken() -> Failure {
    Failure::new(FailureKind::Terraform, "Invalid reference")
}

/// Writes rules into an environment.
type Ruling = fn(&mut Environment);

/// A run with scripted plans: the first time a stack is planned gives the first entry, and so on.
struct Story {
    environment: Environment,
    view: RunView,
    plans: BTreeMap<StackName, Vec<Result<StackPlan, Failure>>>,
    applies: BTreeMap<StackName, Failure>,
    /// What is in service once it is looked at; a stack that is not here comes into service.
    looks: BTreeMap<StackName, Failure>,
    /// What the file says once this stack is applied.
    ruled: Option<(StackName, Ruling)>,
    planned: BTreeMap<StackName, Result<StackPlan, Failure>>,
    told: String,
}

impl Story {
    fn new(order: &Order, plans: &[(&str, Vec<Result<StackPlan, Failure>>)]) -> Self {
        let environment = shop();
        let request: RunRequest = request(&environment, order, None, None, None).expect("a request");
        let mut story = Self {
            view: RunView::new(request),
            environment,
            plans: plans.iter().map(|(stack, plans)| (name(stack), plans.clone())).collect(),
            applies: BTreeMap::new(),
            looks: BTreeMap::new(),
            ruled: None,
            planned: BTreeMap::new(),
            told: String::new(),
        };
        story.record(RunEvent::Accepted);
        story.record(RunEvent::Claimed { runner: "r".to_owned(), attempt: 1 });
        story
    }

    fn up(plans: &[(&str, Vec<Result<StackPlan, Failure>>)]) -> Self {
        let order = Order::Up {
            environment: "shop".parse().expect("a name"),
            level: None,
            settings: Vec::new(),
            newest_code: false,
        };
        Self::new(&order, plans)
    }

    fn record(&mut self, event: RunEvent) {
        let seq = self.view.seq + 1;
        let record = EventRecord { run: RunId(uuid::Uuid::nil()), seq, at: Timestamp(seq), event };
        self.view.fold(&record).expect("a legal event");
    }

    /// Goes on until nothing is left to do or people must answer; one step of each kind at a time.
    fn go(mut self) -> Self {
        loop {
            let steps = next(&Situation {
                holds: &[],
                barred: None,
                view: &self.view,
                environment: &self.environment,
                asker: &Actor::person(ActorId::local("ito"), "ito"),
                place: &Place::shell(),
                access: &Access::default(),
                busy: &BTreeSet::new(),
                planned: &self.planned,
                now: Timestamp(0),
                ask_ms: 1_000,
            });
            if steps.is_empty() {
                return self;
            }
            let together: Vec<String> = steps.iter().map(|step| self.take(step)).collect();
            let _ = writeln!(self.told, "{}", together.join(" | "));
        }
    }

    fn take(&mut self, step: &Step) -> String {
        match step {
            Step::Record(events) => {
                let words: Vec<String> = events.iter().map(tell).collect();
                for event in events {
                    if let RunEvent::StackPlanned { stack, .. } | RunEvent::StackFailed { stack, .. } = event {
                        self.planned.remove(stack);
                    }
                    self.record(event.clone());
                }
                words.join(", ")
            }
            Step::Plan(stack) => {
                self.record(RunEvent::StackStarted { stack: stack.clone(), phase: Phase::Plan });
                let scripted = self.plans.get_mut(stack).expect("scripted").remove(0);
                self.planned.insert(stack.clone(), scripted);
                format!("plan {stack}")
            }
            Step::Apply(stack) => {
                self.record(RunEvent::StackStarted { stack: stack.clone(), phase: Phase::Apply });
                let done = self.view.stacks.get(stack).and_then(|s| s.plan.clone()).expect("planned").changes;
                let applied = Box::new(Applied { done, ..Applied::default() });
                match self.applies.remove(stack) {
                    None => self.record(RunEvent::StackApplied { stack: stack.clone(), applied }),
                    Some(failure) => self.record(RunEvent::StackFailed {
                        stack: stack.clone(),
                        phase: Phase::Apply,
                        failure: Box::new(failure),
                        applied: None,
                    }),
                }
                if let Some((_, rules)) = self.ruled.take_if(|(after, _)| after == stack) {
                    rules(&mut self.environment);
                }
                format!("apply {stack}")
            }
            Step::Verify(stack) => {
                self.record(RunEvent::StackStarted { stack: stack.clone(), phase: Phase::Verify });
                let event = match self.looks.remove(stack) {
                    None => checked(stack, &self.view.stacks[stack], "all in service"),
                    Some(failure) => failed(stack.clone(), Phase::Verify, &failure),
                };
                self.record(event.clone());
                format!("look at {stack}: {}", tell(&event))
            }
        }
    }
}

fn tell(event: &RunEvent) -> String {
    match event {
        RunEvent::StackPlanned { stack, plan } => format!("{stack} {:?} {}", plan.exactness, plan.counts().total()),
        RunEvent::Ended { outcome, refusal, .. } => {
            let rule = refusal.as_ref().map(|r| format!(" ({})", r.what)).unwrap_or_default();
            format!("ended {}{rule}", outcome.as_str())
        }
        RunEvent::Asked { question } => match &question.why {
            QuestionWhy::Previewed => "asked to see it first".to_owned(),
            QuestionWhy::Unannounced { destroys } => format!("asked about {}", destroys[0].1),
            QuestionWhy::WentBack { stacks } => format!("asked about the older states of {stacks:?}"),
            QuestionWhy::Moved { stacks } => format!("asked about what others did to {stacks:?}"),
            QuestionWhy::PlanChanged { beyond, .. } => format!("asked about {} {}", beyond[0].0, beyond[0].1.address),
            QuestionWhy::Ruled => {
                let held: Vec<String> = question.wants.iter().flat_map(|w| &w.held).map(ToString::to_string).collect();
                format!("asked because {}", held.join(", "))
            }
            QuestionWhy::ManyDestroys { destroys, above } => format!("asked because it destroys {destroys} > {above}"),
            QuestionWhy::OfAnother { .. } => "asked because it has other owners".to_owned(),
        },
        RunEvent::StackFailed { stack, failure, .. } => format!("{stack} failed: {}", failure.summary),
        RunEvent::StackVerified { stack, checked } => format!("{stack} {checked}"),
        RunEvent::ApplyBegan => "apply began".to_owned(),
        RunEvent::VerifyBegan => "verify began".to_owned(),
        other => format!("{other:?}"),
    }
}

const A: (&str, Action) = ("new.a", Action::Create);
const B: (&str, Action) = ("new.b", Action::Create);

#[test]
fn the_first_up_plans_what_it_can_and_the_rest_once_its_upstream_is_there() {
    let story = Story::up(&[
        ("monitoring", vec![Ok(plan(true, &[A]))]),
        ("app", vec![Err(missing()), Ok(plan(true, &[A, B]))]),
        ("jmeter", vec![Err(missing()), Ok(plan(true, &[A]))]),
    ])
    .go();
    insta::assert_snapshot!(story.told, @r#"
    plan monitoring | plan app | plan jmeter
    monitoring Exact 1
    app Unknown 0
    jmeter Unknown 0
    apply began
    apply monitoring
    plan app
    app Exact 2
    apply app
    plan jmeter
    jmeter Exact 1
    apply jmeter
    verify began
    monitoring 1 of 1 changes done, app 2 of 2 changes done, jmeter 1 of 1 changes done
    ended succeeded
    "#);
}

#[test]
fn when_no_output_changes_upstream_all_plans_are_exact_and_made_once() {
    let story = Story::up(&[
        ("monitoring", vec![Ok(plan(false, &[]))]),
        ("app", vec![Ok(plan(false, &[A]))]),
        ("jmeter", vec![Ok(plan(true, &[A]))]),
    ])
    .go();
    insta::assert_snapshot!(story.told, @r#"
    plan monitoring | plan app | plan jmeter
    monitoring Exact 0
    app Exact 1
    jmeter Exact 1
    apply began
    apply app
    apply jmeter
    verify began
    app 1 of 1 changes done, jmeter 1 of 1 changes done
    ended succeeded
    "#);
}

#[test]
fn nothing_to_do_is_said_and_nothing_is_applied() {
    let none = || vec![Ok(plan(false, &[]))];
    let story = Story::up(&[("monitoring", none()), ("app", none()), ("jmeter", none())]).go();
    insta::assert_snapshot!(story.told, @r#"
    plan monitoring | plan app | plan jmeter
    monitoring Exact 0
    app Exact 0
    jmeter Exact 0
    ended nothing_to_do
    "#);
}

#[test]
fn a_plan_that_fails_ends_the_run_before_anything_is_applied() {
    let story = Story::up(&[
        ("monitoring", vec![Ok(plan(true, &[A]))]),
        ("app", vec![Err(broken())]),
        ("jmeter", vec![Err(missing())]),
    ])
    .go();
    insta::assert_snapshot!(story.told, @r#"
    plan monitoring | plan app | plan jmeter
    monitoring Exact 1
    app failed: Invalid reference
    jmeter Unknown 0
    ended failed
    "#);
}

#[test]
fn a_missing_upstream_that_nobody_is_about_to_make_is_a_failure() {
    let story = Story::up(&[
        ("monitoring", vec![Ok(plan(false, &[]))]),
        ("app", vec![Err(missing())]),
        ("jmeter", vec![Ok(plan(false, &[]))]),
    ])
    .go();
    insta::assert_snapshot!(story.told, @r#"
    plan monitoring | plan app | plan jmeter
    monitoring Exact 0
    app failed: Unable to find remote state
    jmeter Exact 0
    ended failed
    "#);
}

#[test]
fn a_later_plan_beyond_its_envelope_asks() {
    let mut story = Story::up(&[
        ("monitoring", vec![Ok(plan(true, &[A]))]),
        ("app", vec![Ok(plan(false, &[A])), Ok(plan(false, &[A, ("old.x", Action::Delete)]))]),
        ("jmeter", vec![Ok(plan(false, &[A])), Ok(plan(false, &[A]))]),
    ])
    .go();
    let digest = story.view.question.clone().expect("asked").digest;
    story.record(RunEvent::approved(ActorId::local("ito"), digest));
    let story = story.go();
    insta::assert_snapshot!(story.told, @r#"
    plan monitoring | plan app | plan jmeter
    monitoring Exact 1
    app Provisional 1
    jmeter Provisional 1
    apply began
    apply monitoring
    plan app
    app Exact 2, asked about app old.x
    apply app
    plan jmeter
    jmeter Exact 1
    apply jmeter
    verify began
    monitoring 1 of 1 changes done, app 2 of 2 changes done, jmeter 1 of 1 changes done
    ended succeeded
    "#);
}

#[test]
fn an_up_that_would_delete_something_asks_first() {
    let story = Story::up(&[
        ("monitoring", vec![Ok(plan(false, &[("old.x", Action::Replace)]))]),
        ("app", vec![Ok(plan(false, &[]))]),
        ("jmeter", vec![Ok(plan(false, &[]))]),
    ])
    .go();
    insta::assert_snapshot!(story.told, @r#"
    plan monitoring | plan app | plan jmeter
    monitoring Exact 1
    app Exact 0
    jmeter Exact 0
    asked about old.x
    "#);
}

#[test]
fn what_protect_names_is_never_lost() {
    let story = Story::up(&[
        ("monitoring", vec![Ok(plan(false, &[("precious.db", Action::Replace)]))]),
        ("app", vec![Ok(plan(false, &[]))]),
        ("jmeter", vec![Ok(plan(false, &[]))]),
    ])
    .go();
    insta::assert_snapshot!(story.told, @r#"
    plan monitoring | plan app | plan jmeter
    monitoring Exact 1
    app Exact 0
    jmeter Exact 0
    ended refused (precious.db would be lost in shop/monitoring)
    "#);
}

#[test]
fn a_failed_apply_starts_nothing_that_needs_it_and_ends_partial() {
    let mut story = Story::up(&[
        ("monitoring", vec![Ok(plan(false, &[A]))]),
        ("app", vec![Ok(plan(false, &[A]))]),
        ("jmeter", vec![Ok(plan(false, &[A]))]),
    ]);
    story.applies.insert(name("app"), broken());
    insta::assert_snapshot!(story.go().told, @r#"
    plan monitoring | plan app | plan jmeter
    monitoring Exact 1
    app Exact 1
    jmeter Exact 1
    apply began
    apply monitoring
    apply app
    ended partial
    "#);
}

#[test]
fn destroy_shows_itself_first_and_goes_against_the_needs() {
    let gone = || plan(true, &[("new.a", Action::Delete)]);
    let order = Order::Destroy { environment: "shop".parse().expect("a name") };
    let plans = || vec![Ok(gone()), Ok(gone())];
    let mut story = Story::new(&order, &[("monitoring", plans()), ("app", plans()), ("jmeter", plans())]).go();
    let digest = story.view.question.clone().expect("asked").digest;
    story.record(RunEvent::approved(ActorId::local("ito"), digest));
    story.record(RunEvent::Claimed { runner: "r".to_owned(), attempt: 2 });
    insta::assert_snapshot!(story.go().told, @r#"
    plan monitoring | plan app | plan jmeter
    app Exact 1 | jmeter Exact 1 | monitoring Exact 1
    asked to see it first
    plan monitoring | plan app | plan jmeter
    app Exact 1 | jmeter Exact 1 | monitoring Exact 1
    apply began
    apply jmeter
    apply app
    apply monitoring
    verify began
    monitoring 1 of 1 changes done, app 1 of 1 changes done, jmeter 1 of 1 changes done
    ended succeeded
    "#);
}

fn most(most: u32) -> Limit {
    Limit { most, written: Written { file: "t.toml".to_owned(), line: 1 } }
}

/// A `destroy` that has its yes, with rules that come once `jmeter`, the first of its stacks, is gone.
fn destroyed_with(rules: Ruling) -> String {
    let gone = |address| plan(true, &[(address, Action::Delete)]);
    let order = Order::Destroy { environment: "shop".parse().expect("a name") };
    let plans = |address| vec![Ok(gone(address)), Ok(gone(address))];
    let all = [("monitoring", plans("new.a")), ("app", plans("new.b")), ("jmeter", plans("new.c"))];
    let mut story = Story::new(&order, &all).go();
    let digest = story.view.question.clone().expect("asked").digest;
    story.record(RunEvent::approved(ActorId::local("ito"), digest));
    story.record(RunEvent::Claimed { runner: "r".to_owned(), attempt: 2 });
    story.ruled = Some((name("jmeter"), rules));
    let told = story.go().told;
    let (_, after) = told.split_once("apply began\n").expect("it began");
    after.to_owned()
}

#[test]
fn a_rule_that_comes_in_mid_run_stops_what_has_not_begun_and_nothing_for_what_has() {
    let protected = destroyed_with(|shop| shop.protect.push("new.b".to_owned()));
    insta::assert_snapshot!(protected, @r#"
    apply jmeter
    app failed: new.b would be lost in shop/app
    ended partial
    "#);
    // What is gone is gone: it keeps the others from nothing.
    let gone_already = destroyed_with(|shop| shop.protect.push("new.c".to_owned()));
    insta::assert_snapshot!(gone_already, @r#"
    apply jmeter
    apply app
    apply monitoring
    verify began
    monitoring 1 of 1 changes done, app 1 of 1 changes done, jmeter 1 of 1 changes done
    ended succeeded
    "#);
    // But it counts.
    let too_many = destroyed_with(|shop| shop.rules.destroys_max = Some(most(1)));
    insta::assert_snapshot!(too_many, @r#"
    apply jmeter
    app failed: too much of shop would be destroyed
    ended partial
    "#);
    assert_eq!(destroyed_with(|shop| shop.rules.destroys_max = Some(most(3))), gone_already);
    // Two that could begin together count together.
    let apart = destroyed_with(|shop| {
        shop.stacks.get_mut("app").expect("a stack").needs.clear();
        shop.rules.destroys_max = Some(most(2));
    });
    insta::assert_snapshot!(apart, @r#"
    apply jmeter
    app failed: too much of shop would be destroyed
    ended partial
    "#);
}

#[test]
fn a_yes_is_asked_for_again_when_the_plan_has_grown_and_not_when_it_has_shrunk() {
    let gone = |address| plan(true, &[(address, Action::Delete)]);
    let order = Order::Destroy { environment: "shop".parse().expect("a name") };
    let told = |second: StackPlan| {
        let none = || vec![Ok(plan(false, &[])), Ok(plan(false, &[]))];
        let plans = vec![Ok(gone("old.a")), Ok(second)];
        let mut story = Story::new(&order, &[("monitoring", plans), ("app", none()), ("jmeter", none())]).go();
        let digest = story.view.question.clone().expect("asked").digest;
        story.record(RunEvent::approved(ActorId::local("ito"), digest));
        story.record(RunEvent::Claimed { runner: "r".to_owned(), attempt: 2 });
        story.go().view.state.status()
    };
    assert_eq!(told(gone("old.b")), "awaiting_approval");
    assert_eq!(told(gone("old.a")), "succeeded");
    assert_eq!(told(plan(false, &[])), "nothing_to_do");
}

#[test]
fn a_yes_is_none_to_what_a_rule_wants_only_now() {
    let order = Order::Destroy { environment: "shop".parse().expect("a name") };
    let wanted = |said: Option<ApprovalRule>, now: ApprovalRule| {
        let plans = || vec![Ok(plan(true, &[("old.a", Action::Delete)])), Ok(plan(true, &[("old.a", Action::Delete)]))];
        let none = || vec![Ok(plan(false, &[])), Ok(plan(false, &[]))];
        let mut story = Story::new(&order, &[("monitoring", plans()), ("app", none()), ("jmeter", none())]);
        story.environment.owners.push(ActorId::local("sato"));
        story.environment.rules.approvals.extend(said);
        let mut story = story.go();
        let digest = story.view.question.clone().expect("asked").digest;
        story.record(RunEvent::approved(ActorId::local("sato"), digest));
        story.record(RunEvent::Claimed { runner: "r".to_owned(), attempt: 2 });
        story.environment.rules.approvals = vec![now];
        let view = story.go().view;
        (view.state.status(), view.question.map_or(0, |question| question.wants.len()))
    };
    let by = |role: &str, count| ApprovalRule {
        when: vec![(Condition::Command(CommandName::Destroy), Written { file: "t.toml".to_owned(), line: 1 })],
        by: Approvers::Role(role.to_owned()),
        count,
        own: false,
        within_ms: None,
        alone_after_ms: None,
    };
    // A yes that only adds to another leaves that one standing.
    let plans = || vec![Ok(plan(true, &[("old.a", Action::Delete)])); 3];
    let none = || vec![Ok(plan(false, &[])); 3];
    let mut story = Story::new(&order, &[("monitoring", plans()), ("app", none()), ("jmeter", none())]);
    story.environment.owners.push(ActorId::local("sato"));
    story.environment.rules.approvals = vec![by("owner", 1)];
    let mut story = story.go();
    for (attempt, who) in [(2, "sato"), (3, "mori")] {
        let digest = story.view.question.clone().expect("asked").digest;
        story.record(RunEvent::approved(ActorId::local(who), digest));
        story.record(RunEvent::Claimed { runner: "r".to_owned(), attempt });
        story.environment.rules.approvals = vec![by("owner", 1), by("operator", 1)];
        story = story.go();
    }
    assert_eq!(story.view.state.status(), "succeeded");
    // What whoever asked said to a rule that takes that is no yes to one that does not.
    let mut story = Story::new(&order, &[("monitoring", plans()), ("app", none()), ("jmeter", none())]);
    story.environment.rules.approvals = vec![ApprovalRule { own: true, ..by("owner", 1) }];
    let mut story = story.go();
    let digest = story.view.question.clone().expect("asked").digest;
    story.record(RunEvent::approved(ActorId::local("ito"), digest));
    story.record(RunEvent::Claimed { runner: "r".to_owned(), attempt: 2 });
    story.environment.rules.approvals = vec![by("owner", 1)];
    assert_eq!(story.go().view.state.status(), "awaiting_approval");
    assert_eq!(wanted(None, by("owner", 1)), ("awaiting_approval", 1));
    assert_eq!(wanted(Some(by("owner", 1)), by("owner", 2)), ("awaiting_approval", 1));
    assert_eq!(wanted(Some(by("owner", 1)), by("operator", 1)), ("awaiting_approval", 1));
    assert_eq!(wanted(Some(by("owner", 2)), by("owner", 1)), ("succeeded", 0));
}

#[test]
fn a_yes_of_somebody_who_has_lost_the_role_by_the_time_it_begins_is_asked_for_again() {
    let order = Order::Destroy { environment: "shop".parse().expect("a name") };
    let rule = ApprovalRule {
        when: vec![(Condition::Command(CommandName::Destroy), Written { file: "t.toml".to_owned(), line: 1 })],
        by: Approvers::Owners,
        count: 2,
        own: false,
        within_ms: None,
        alone_after_ms: None,
    };
    let owners = |names: &[&str]| names.iter().map(|name| ActorId::local(name)).collect::<Vec<_>>();
    let begun = |left: &[&str]| {
        let plans = || vec![Ok(plan(true, &[("old.a", Action::Delete)])); 2];
        let none = || vec![Ok(plan(false, &[])); 2];
        let mut story = Story::new(&order, &[("monitoring", plans()), ("app", none()), ("jmeter", none())]);
        story.environment.rules.approvals = vec![rule.clone()];
        story.environment.owners = owners(&["ito", "mori", "mail"]);
        let mut story = story.go();
        let digest = story.view.question.clone().expect("asked").digest;
        let (by, because, through) = (ActorId::local("mail"), None, Vec::new());
        let yes = Yes { by, wants: vec![0], alone: false, because, through };
        story.record(RunEvent::Seconded { yes, digest: digest.clone() });
        story.record(RunEvent::approved(ActorId::local("mori"), digest));
        story.record(RunEvent::Claimed { runner: "r".to_owned(), attempt: 2 });
        story.environment.owners = owners(left);
        let story = story.go();
        (story.view, story.environment)
    };
    assert_eq!(begun(&["ito", "mori", "mail"]).0.state.status(), "succeeded");
    let (view, environment) = begun(&["ito", "mori", "sato"]);
    let mut question = view.question.expect("asked again");
    assert_eq!(view.state.status(), "awaiting_approval");
    question.hold_against(&Access::default(), &environment, |_| false);
    let names = |yeses: &[Yes]| yeses.iter().map(|yes| yes.by.short().to_owned()).collect::<Vec<_>>();
    assert_eq!((names(&question.yes), names(&question.lost)), (vec!["mori".to_owned()], vec!["mail".to_owned()]));
}

#[test]
fn a_state_that_goes_back_after_the_yes_is_asked_about_once() {
    let order = Order::Destroy { environment: "shop".parse().expect("a name") };
    let gone = || plan(true, &[("old.a", Action::Delete)]);
    let put_back = || StackPlan { serial: Some(3), least_serial: Some(4), ..gone() };
    let none = || vec![Ok(plan(false, &[])); 3];
    let plans = vec![Ok(gone()), Ok(put_back()), Ok(put_back())];
    let mut story = Story::new(&order, &[("monitoring", plans), ("app", none()), ("jmeter", none())]).go();
    for attempt in [2, 3] {
        let question = story.view.question.clone().expect("asked");
        assert_eq!(matches!(question.why, QuestionWhy::WentBack { .. }), attempt == 3, "{:?}", question.why);
        story.record(RunEvent::approved(ActorId::local("ito"), question.digest));
        story.record(RunEvent::Claimed { runner: "r".to_owned(), attempt });
        story = story.go();
    }
    assert_eq!(story.view.state.status(), "succeeded");
}

#[test]
fn nothing_to_do_in_an_older_state_is_asked_about_before_it_is_told() {
    let back = || StackPlan { serial: Some(0), least_serial: Some(4), ..plan(false, &[]) };
    let none = || vec![Ok(plan(false, &[])); 3];
    for order in [
        Order::Destroy { environment: "shop".parse().expect("a name") },
        Order::Down { environment: "shop".parse().expect("a name"), level: None, anyway: false },
    ] {
        let plans = [("monitoring", vec![Ok(back()); 3]), ("app", none()), ("jmeter", none())];
        let mut story = Story::new(&order, &plans).go();
        let question = story.view.question.clone().expect("asked");
        assert!(matches!(question.why, QuestionWhy::WentBack { .. }), "{:?}", question.why);
        story.record(RunEvent::approved(ActorId::local("ito"), question.digest));
        story.record(RunEvent::Claimed { runner: "r".to_owned(), attempt: 2 });
        assert_eq!(story.go().view.state.status(), "nothing_to_do");
    }
}

#[test]
fn an_older_state_that_shows_only_when_others_are_applied_is_asked_about_after_their_news() {
    let back = || Ok(StackPlan { serial: Some(0), least_serial: Some(4), ..plan(false, &[]) });
    let provisional = || Ok(plan(false, &[("jmeter.a", Action::Create)]));
    let mut story = Story::up(&[
        ("monitoring", vec![Ok(plan(true, &[("m.a", Action::Create)]))]),
        ("app", vec![Ok(plan(true, &[("a.a", Action::Create)])), back(), back()]),
        ("jmeter", vec![provisional(), provisional(), provisional()]),
    ])
    .go();
    let question = story.view.question.clone().expect("asked");
    assert!(matches!(question.why, QuestionWhy::WentBack { .. }), "{:?}", question.why);
    story.record(RunEvent::approved(ActorId::local("ito"), question.digest));
    story.record(RunEvent::Claimed { runner: "r".to_owned(), attempt: 2 });
    assert_eq!(story.go().view.state.status(), "succeeded");
}

#[test]
fn a_stop_waits_for_what_is_under_way_and_starts_nothing_new() {
    let mut story = Story::up(&[]);
    story.record(RunEvent::StopAsked { by: ActorId::local("mori"), force: false, because: None });
    assert_eq!(story.view.state.stop(), Some(&Stop { by: ActorId::local("mori"), force: false }));
    insta::assert_snapshot!(story.go().told, @"ended cancelled");
}

mod service;

/// A look for what no state knows, with the removal of one thing of `app`.
fn removal(notes: &[(&str, crate::domain::run::Note)]) -> String {
    let order = Order::Sweep { environment: "shop".parse().expect("a name"), remove: true };
    let none = || vec![Ok(plan(false, &[]))];
    let goes = plan(false, &[("arn:vpc-1", Action::Delete)]);
    let plans = [("monitoring", none()), ("app", vec![Ok(goes)]), ("jmeter", none())];
    let mut story = Story::new(&order, &plans);
    for (stack, note) in notes {
        story.record(RunEvent::StackNoted { stack: name(stack), note: note.clone() });
    }
    story.go().told.lines().last().unwrap_or_default().to_owned()
}

fn swept(elsewhere: &[&str], doubt: Option<&str>, unknown: Option<&str>) -> crate::domain::run::Note {
    crate::domain::run::Note::Swept {
        strays: Vec::new(),
        elsewhere: elsewhere.iter().map(|arn| (*arn).to_owned()).collect(),
        doubt: doubt.map(str::to_owned),
        unknown: unknown.map(str::to_owned),
    }
}

#[test]
fn a_removal_that_is_planned_anew_while_a_state_cannot_be_read_has_failed() {
    let order = Order::Sweep { environment: "shop".parse().expect("a name"), remove: true };
    let nothing = || Ok(plan(false, &[]));
    let goes = || Ok(plan(false, &[("arn:vpc-1", Action::Delete), ("arn:vpc-2", Action::Delete)]));
    let none = || vec![nothing(), nothing()];
    let plans = [("monitoring", none()), ("app", vec![goes(), goes()]), ("jmeter", none())];
    let mut story = Story::new(&order, &plans).go();
    let question = story.view.question.clone().expect("asked");
    story.record(RunEvent::approved(ActorId::local("ito"), question.digest));
    story.record(RunEvent::Claimed { runner: "r".to_owned(), attempt: 2 });
    for stack in ["monitoring", "app", "jmeter"] {
        let plan = if stack == "app" { goes() } else { nothing() }.expect("a plan");
        story.record(RunEvent::StackPlanned { stack: name(stack), plan });
    }
    story.record(RunEvent::ApplyBegan);
    for phase in [Phase::Apply, Phase::Prepare] {
        story.record(RunEvent::StackStarted { stack: name("app"), phase });
    }
    story.record(RunEvent::StackNoted { stack: name("app"), note: swept(&[], None, Some("its state cannot be read")) });
    story.planned.insert(name("app"), nothing());
    let story = story.go();
    let outcome = story.view.state.outcome().expect("ended");
    assert_eq!(outcome, Outcome::Failed, "{}", story.told);
    assert!(matches!(story.view.stacks[&name("app")].state, StackState::Failed(..)), "{}", story.told);
}

#[test]
fn nothing_is_removed_without_a_yes_or_where_any_state_is_doubted() {
    assert_eq!(removal(&[("app", swept(&[], None, None))]), "asked to see it first");
    assert_eq!(removal(&[("jmeter", swept(&["arn:vpc-2"], None, None))]), "asked to see it first");
    let refused = "ended refused (nothing of shop is removed)";
    assert_eq!(removal(&[("app", swept(&[], Some("its state is another one"), None))]), refused);
    assert_eq!(removal(&[("jmeter", swept(&[], None, Some("no credentials")))]), refused);
    // It carries the tag of `app` and stands in the state of `jmeter`.
    assert_eq!(removal(&[("jmeter", swept(&["arn:vpc-1"], None, None))]), refused);
}
