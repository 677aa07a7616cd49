//! A run's card in every state.

use insta::assert_snapshot;
use tidegate_runner::domain::access::{Approvers, Link, People, Persons, Want, Yes};
use tidegate_runner::domain::changes::{Action, Moved, WentBack};
use tidegate_runner::domain::failure::{Failure, FailureKind, LockHolder, ResourceStage};
use tidegate_runner::domain::holds::{Hold, HoldNumber, Kind};
use tidegate_runner::domain::ids::{ActorId, Timestamp};
use tidegate_runner::domain::readiness::GroupCount;
use tidegate_runner::domain::refusal::Refusal;
use tidegate_runner::domain::run::{Note, Outcome, Phase, Question, QuestionWhy, RunEvent};

use super::scene::{Scene, change, clock, half, name, outputs, plan, script_failed};
use super::shown;
use crate::cards::{notice, notice_to, run_card, show, under_way};
use crate::reporter::{NewsPlace, Notify};

/// Card and notice of each scene.
fn told(scenes: Vec<Scene>) -> String {
    let one = |scene: Scene| {
        let detail = scene.detail();
        let notice = notice(&detail, &clock()).map(|card| format!("NOTICE {}", shown(&card))).unwrap_or_default();
        shown(&run_card(&detail, &clock())) + &notice
    };
    scenes.into_iter().map(one).collect::<Vec<_>>().join("\n")
}

fn applying() -> Scene {
    Scene::of("up shop because Black Friday").planned().after(3).then(RunEvent::ApplyBegan)
}

fn holder() -> LockHolder {
    LockHolder {
        id: "9db590f1".to_owned(),
        who: "ito@desk".to_owned(),
        operation: "OperationTypeApply".to_owned(),
        created: "2026-11-20 02:58:01 UTC".to_owned(),
    }
}

#[test]
fn news_of_somebody_elses_run_say_whose_it_is() {
    let done = applying().by("kato").ends(Outcome::Cancelled).detail();
    let title = |reader| notice_to(&done, &clock(), &ActorId::local(reader)).map(|card| card.title).unwrap_or_default();
    assert_snapshot!(title("kato"), @"shop: up was cancelled · run 5");
    assert_snapshot!(title("ito"), @"shop: up was cancelled · run 5 of kato");
    assert_snapshot!(under_way(&applying().by("kato").summary()).title, @"run 5 of kato (up shop full) · applying");
    assert_eq!(notice_to(&applying().detail(), &clock(), &ActorId::local("ito")), None);
}

#[test]
fn a_resource_is_waited_for_since_it_was_begun() {
    let began =
        || applying().starts("app", Phase::Apply).resource("app", "terraform_data.server[0]", ResourceStage::Started);
    // Terraform tells every ten seconds that it is still at it.
    let still = began().after(10).resource("app", "terraform_data.server[0]", ResourceStage::Started).after(9);
    let line = "waiting for `terraform_data.server[0]` (create) since 12:00, 19 s";
    assert!(shown(&run_card(&still.detail(), &clock())).contains(line));
}

#[test]
fn a_run_at_work() {
    let at_work = || {
        applying()
            .applied("app", Vec::new())
            .starts("jmeter", Phase::Apply)
            .resource("jmeter", "terraform_data.slave[0]", ResourceStage::Started)
            .after(4)
            .resource("jmeter", "terraform_data.slave[1]", ResourceStage::Started)
            .resource("jmeter", "terraform_data.slave[0]", ResourceStage::Done)
            .after(6)
    };
    assert_snapshot!(told(vec![
        Scene::of("up shop"),
        Scene::of("up shop")
            .claimed()
            .starts("monitoring", Phase::Prepare)
            .notes("monitoring", Note::Init { why: "the lock file changed".to_owned() })
            .after(5),
        Scene::of("up shop").planned().after(2),
        at_work(),
        at_work().after(60),
        at_work().first_time(),
        at_work().stop(false),
        at_work().stop(false).stop(true),
        applying()
            .applied("app", Vec::new())
            .applied("jmeter", Vec::new())
            .then(RunEvent::VerifyBegan)
            .verified("app")
            .starts("jmeter", Phase::Verify),
    ]));
}

#[test]
fn a_stack_with_something_worth_a_line() {
    let notes = [
        Note::Workspace { name: "shop".to_owned() },
        Note::LockHeld { holder: holder(), wait_s: 60 },
        Note::Protected { addresses: vec!["terraform_data.database".to_owned()] },
        Note::Text("terraform init (first time)".to_owned()),
        Note::InService { groups: vec![slaves(31, None)], trouble: None },
        Note::InService { groups: vec![slaves(31, None)], trouble: Some("AWS throttles requests".to_owned()) },
        Note::InService { groups: Vec::new(), trouble: None },
        Note::NotReady { probes: vec!["http://10.0.0.7/health answers 200: answers 503".to_owned()] },
        Note::Untainted { addresses: vec!["module.jmeter.aws_autoscaling_group.slaves".to_owned()] },
    ];
    let scenes = notes.map(|note| {
        Scene::of("up shop").claimed().starts("monitoring", Phase::Prepare).notes("monitoring", note).after(5)
    });
    assert_snapshot!(told(scenes.into()));
}

/// A group of 40, with so many in service.
fn slaves(in_service: u32, enough: Option<u32>) -> GroupCount {
    GroupCount {
        label: "slaves".to_owned(),
        name: "shop-slaves".to_owned(),
        desired: 40,
        in_service,
        enough,
        cause: (in_service < 40).then(|| "InsufficientInstanceCapacity in ap-northeast-1a".to_owned()),
        ..GroupCount::default()
    }
}

#[test]
fn a_run_whose_slaves_come_into_service_or_do_not() {
    let seen = |groups: Vec<GroupCount>| Note::InService { groups, trouble: None };
    let looking = |count| {
        applying()
            .applied("app", Vec::new())
            .applied("jmeter", Vec::new())
            .starts("jmeter", Phase::Verify)
            .notes("jmeter", seen(vec![count]))
            .after(90)
    };
    let verified = |count| looking(count).verified("jmeter").then(RunEvent::VerifyBegan).verified("app");
    let short = Failure::new(FailureKind::NotReady, "slaves 37 of 40 in service")
        .with_detail("slaves: InsufficientInstanceCapacity in ap-northeast-1a");
    let denied = Failure::new(
        FailureKind::CannotLook,
        "whether it is in service cannot be told: AWS refuses to tell: access denied",
    )
    .with_detail("AccessDenied: not authorized\nallow `autoscaling:DescribeAutoScalingGroups`");
    let nothing_to_do = Scene::of("up shop")
        .claimed()
        .plans("monitoring", plan(Vec::new()))
        .plans("app", plan(Vec::new()))
        .plans("jmeter", plan(Vec::new()))
        .then(RunEvent::VerifyBegan)
        .starts("jmeter", Phase::Verify);
    assert_snapshot!(told(vec![
        looking(slaves(31, None)),
        verified(slaves(40, None)).ends(Outcome::Succeeded),
        verified(slaves(37, Some(36))).ends(Outcome::Succeeded),
        looking(slaves(37, None)).fails("jmeter", Phase::Verify, short.clone(), None).ends(Outcome::Partial),
        looking(slaves(31, None)).fails("jmeter", Phase::Verify, denied, None).ends(Outcome::Partial),
        nothing_to_do.fails("jmeter", Phase::Verify, short, None).ends(Outcome::Partial).again_in(60_000),
    ]));
}

#[test]
fn a_run_that_asks() {
    let destroy = || {
        let mut kept = plan(vec![change("terraform_data.server[0]", Action::Delete)]);
        kept.kept_for = vec!["terraform_data.database".to_owned()];
        let slaves = (0..30).map(|n| change(&format!("terraform_data.slave[{n}]"), Action::Delete)).collect();
        Scene::of("destroy shop because the project has ended")
            .claimed()
            .plans("jmeter", plan(slaves))
            .plans("app", kept)
            .plans("monitoring", plan(Vec::new()))
    };
    let beyond = vec![(name("app"), change("terraform_data.cache", Action::Replace))];
    assert_snapshot!(told(vec![
        destroy().asks(QuestionWhy::Previewed),
        Scene::of("up shop")
            .planned()
            .asks(QuestionWhy::Unannounced { destroys: vec![(name("app"), "terraform_data.cache".to_owned())] }),
        Scene::of("up shop").planned().asks(QuestionWhy::PlanChanged { beyond, otherwise: Vec::new() }),
        Scene::of("up shop")
            .planned()
            .asks(QuestionWhy::PlanChanged { beyond: Vec::new(), otherwise: vec!["app".parse().expect("a name")] }),
        Scene::of("up shop").planned().asks(QuestionWhy::WentBack {
            stacks: [("app".parse().expect("a name"), WentBack { serial: 0, least: 4, lineage: None })].into(),
        }),
        Scene::of("up shop").planned().asks(QuestionWhy::Moved {
            stacks: [(name("app"), Moved { serial: 43, left: 41, since: clock().now.plus_ms(-7_200_000) })].into(),
        }),
        destroy().asks(QuestionWhy::Previewed).then(RunEvent::approved(ActorId::local("sato"), "3f2a9c41")),
        destroy()
            .asks(QuestionWhy::Previewed)
            .then(RunEvent::Rejected { by: ActorId::local("sato"), because: Some("not yet".to_owned()) }),
        destroy().asks(QuestionWhy::Previewed).after(1800).then(RunEvent::QuestionExpired),
    ]));
}

fn succeeded() -> Scene {
    applying()
        .applied("app", Vec::new())
        .applied("jmeter", outputs())
        .then(RunEvent::VerifyBegan)
        .verified("app")
        .verified("jmeter")
        .ends(Outcome::Succeeded)
}

#[test]
fn a_run_that_ended_well() {
    assert_snapshot!(told(vec![
        succeeded(),
        Scene::of("up shop small").planned().ends(Outcome::NothingToDo),
        Scene::of("plan shop full slaves=50").planned().ends(Outcome::Planned),
        Scene::of("plan shop off")
            .claimed()
            .plans("jmeter", plan(vec![change("terraform_data.slave[0]", Action::Delete)]))
            .ends(Outcome::Planned),
    ]));
}

#[test]
fn a_run_that_did_not_end_well() {
    let lock = Failure::new(FailureKind::LockHeld(holder()), "Error acquiring the state lock");
    let planning =
        || Scene::of("up shop").claimed().prepared("monitoring", false, None).starts("monitoring", Phase::Plan);
    let refusal =
        Refusal::refused("terraform_data.database would be lost in shop/app", "`protect` names it").hint("plan shop");
    let half_done = || applying().applied("app", Vec::new()).starts("jmeter", Phase::Apply).after(9);
    assert_snapshot!(told(vec![
        half_done().fails("jmeter", Phase::Apply, script_failed(), Some(half())).ends(Outcome::Partial),
        half_done()
            .fails("jmeter", Phase::Apply, script_failed(), Some(half()))
            .ends(Outcome::Partial)
            .taken_by("sato", "enough"),
        planning().fails("monitoring", Phase::Plan, lock, None).ends(Outcome::Failed),
        planning()
            .fails(
                "monitoring",
                Phase::Plan,
                Failure::new(FailureKind::Signal { signal: 9 }, "Terraform was killed"),
                None
            )
            .ends(Outcome::Failed),
        half_done()
            .stop(false)
            .fails("jmeter", Phase::Apply, Failure::new(FailureKind::Interrupted, "stopped on request"), Some(half()))
            .ends(Outcome::Cancelled),
        Scene::of("up shop").stop(false),
        Scene::of("up shop").planned().then(RunEvent::Ended {
            outcome: Outcome::Refused,
            refusal: Some(refusal),
            rule: None,
            finding: None,
            left: std::collections::BTreeMap::new(),
        }),
        half_done().then(RunEvent::LostTrack {
            stack: name("jmeter"),
            finding: "its runner died at 12:00 and the apply was not seen to end".to_owned(),
            others: Vec::new(),
        }),
        half_done()
            .then(RunEvent::LostTrack {
                stack: name("jmeter"),
                finding: "its runner died".to_owned(),
                others: Vec::new()
            })
            .then(RunEvent::RecoverAsked { by: ActorId::local("ito"), unlock: false }),
    ]));
}

#[test]
fn a_run_whole() {
    let failed = applying().applied("app", Vec::new()).starts("jmeter", Phase::Apply).fails(
        "jmeter",
        Phase::Apply,
        script_failed(),
        Some(half()),
    );
    let all = [succeeded(), failed.ends(Outcome::Partial), Scene::of("up shop")];
    let all: Vec<String> = all.iter().map(|scene| shown(&show(&scene.detail(), &clock()))).collect();
    assert_snapshot!(all.join("\n"));
}

#[test]
fn what_was_to_be_lowered_and_is_whole_is_not_called_not_ready() {
    let failed = |typed: &str| {
        let broken = Failure::new(FailureKind::Terraform, "Invalid reference");
        let scene = Scene::of(typed).claimed().fails("jmeter", Phase::Plan, broken, None).ends(Outcome::Failed);
        notice(&scene.detail(), &clock()).expect("a notice").title
    };
    assert_snapshot!(failed("scale shop slaves=1"), @"shop: scale FAILED · jmeter failed while planning · Invalid reference · run 5 · less than 1 s");
    assert_snapshot!(failed("scale shop slaves=10"), @"shop NOT READY · jmeter failed while planning · Invalid reference · run 5 · less than 1 s");
}

#[test]
fn a_question_of_the_clock_that_nobody_answered_is_a_message_of_its_own_for_those_on_call() {
    let told = |asker: ActorId| {
        let scene = Scene::of("destroy shop")
            .planned()
            .asks(QuestionWhy::Previewed)
            .after(1800)
            .then(RunEvent::QuestionExpired);
        let mut detail = scene.detail();
        detail.run.asker.id = asker;
        let news = crate::reporter::news(&detail, &clock());
        let ended = news.iter().find(|news| news.key == "ended").expect("its end is told");
        (ended.place, ended.to)
    };
    assert_eq!(told(ActorId::clock()), (NewsPlace::Channel, Notify::AskerOrOncall));
    assert_eq!(told(ActorId::local("ito")), (NewsPlace::Thread, Notify::Asker));
}

#[test]
fn a_card_counts_people_and_names_each_once() {
    let id = |text: &str| -> ActorId { text.parse().expect("an id") };
    let ids = ["slack:U1", "discord:1", "slack:U2", "discord:2", "local:mori"].map(id);
    let link = |one: &str, other: &str| Link {
        number: 1,
        ids: [id(one), id(other)],
        called: [String::new(), String::new()],
        began: Timestamp(0),
        ended: None,
    };
    let links = [link("slack:U1", "discord:1"), link("slack:U2", "discord:2")];
    let want = Want {
        held: Vec::new(),
        by: Approvers::Owners,
        people: ids.to_vec(),
        count: 3,
        own: false,
        within_ms: None,
        alone_from: None,
        rule: None,
    };
    let yes = |by: &str| Yes { by: id(by), wants: vec![0], alone: false, because: None, through: vec![] };
    let card = |persons: Persons| {
        let mut question = Question {
            wants: vec![want.clone()],
            yes: vec![yes("slack:U1"), yes("discord:1")],
            ..Question::plain(QuestionWhy::Ruled, "3f2a9c41".to_owned(), clock().now.plus_ms(600_000))
        };
        question.count_people(&persons);
        let waited_for = crate::cards::waited_for(&question, &ActorId::local("ito"));
        let shown = crate::cards::run::approval::wants(&question, &ActorId::local("ito"), &clock());
        let words: Vec<String> = shown.iter().map(|line| format!("{line:?}")).collect();
        (words.join("\n"), waited_for)
    };
    let (ids_counted, _) = card(Persons::default());
    assert!(ids_counted.contains("2 of 3 yeses"), "{ids_counted}");
    let (people, waited_for) = card(Persons::among(&ids, &People::default(), &links, Timestamp(1)));
    assert!(people.contains("1 of 3 yeses"), "{people}");
    assert!(people.contains("Who can say it: U2, mori") && people.contains("Said by U1"), "{people}");
    // Each chat calls the id that it knows.
    assert_eq!(waited_for, ["discord:2", "local:mori", "slack:U2"].map(id));
}

#[test]
fn what_somebody_waits_for_is_told_before_it_is_known_whether_it_changes_anything() {
    let told = |scene: Scene, asker: &ActorId, unchanged| {
        let mut detail = scene.detail();
        detail.run.asker.id = asker.clone();
        crate::reporter::is_told(&detail, unchanged)
    };
    let (ito, clock) = (ActorId::local("ito"), ActorId::clock());
    let queued = |seconds| Scene::of("up shop").after(seconds);
    let planning = |seconds| Scene::of("up shop").claimed().after(seconds);
    let over = || planning(40).ends(Outcome::NothingToDo);
    for (scene, asker, unchanged, expected) in vec![
        (queued(9), &ito, false, None),
        (queued(10), &ito, false, Some(true)),
        (planning(9), &ito, false, None),
        (planning(10), &ito, false, Some(true)),
        // Nobody waits for what the clock asked for.
        (planning(600), &clock, false, None),
        (planning(0), &clock, true, Some(true)),
        // One that was not told by then, as while nobody spoke, is not told any more.
        (over(), &ito, false, Some(false)),
        (over(), &ito, true, Some(true)),
        (Scene::of("up shop").planned(), &clock, false, Some(true)),
    ] {
        let state = scene.detail().view.state.status();
        assert_eq!(told(scene, asker, unchanged), expected, "{state} {asker} {unchanged}");
    }
    // Where more is wanted, its end is told in the thread, to whoever asked; otherwise to them alone.
    let news = crate::reporter::news(&over().detail(), &self::clock());
    let ended = news.iter().find(|news| news.key == "ended").expect("its end is told");
    assert_eq!((ended.place, ended.to), (NewsPlace::Thread, Notify::Asker));
    for (scene, unchanged, quietly) in [
        (over(), false, true),
        (over(), true, false),
        (planning(40), false, false),
        (planning(40).ends(Outcome::Failed), false, false),
        (planning(40).ends(Outcome::Planned), false, false),
    ] {
        let detail = scene.detail();
        assert_eq!(
            crate::reporter::ends_quietly(&detail, unchanged),
            quietly,
            "{} {unchanged}",
            detail.view.state.status()
        );
    }
}

#[test]
fn whoever_may_not_say_yes_is_told_who_may_and_a_question_that_is_asked_anew_has_one_word_everywhere() {
    let scene = Scene::of("down shop").numbered(5).claimed();
    let run = scene.summary();
    let question = |own: bool| Question {
        wants: vec![Want {
            held: Vec::new(),
            by: Approvers::Owners,
            people: vec![ActorId::local("ito"), ActorId::local("mori")],
            count: 1,
            own,
            within_ms: None,
            alone_from: None,
            rule: None,
        }],
        again: true,
        ..Question::plain(QuestionWhy::Ruled, "3f2a9c41".to_owned(), clock().now.plus_ms(600_000))
    };
    let code = question(true).code().to_owned();
    assert_eq!(run.asker.id, ActorId::local("ito"));
    let own = crate::cards::waits_in_shell(&run, &question(true));
    assert!(own.contains(&format!("`approve 5 {code}`")), "{own}");
    let of_others = crate::cards::waits_in_shell(&run, &question(false));
    assert!(of_others.contains("a yes of mori") && !of_others.contains("approve"), "{of_others}");
    let plain = Question::plain(QuestionWhy::Previewed, "3f2a9c41".to_owned(), clock().now);
    let sure = crate::cards::waits_in_shell(&run, &plain);
    assert!(sure.contains("`approve 5` or `reject 5`"), "{sure}");
}

#[test]
fn of_a_question_that_is_asked_anew_only_its_own_card_has_the_code_and_none_tells_of_the_earlier_yes() {
    let scene = Scene::of("destroy shop").numbered(11).planned().asks(QuestionWhy::Previewed);
    let scene = scene.then(RunEvent::approved(ActorId::local("sato"), "3f2a9c41")).claimed();
    let beyond = vec![(name("app"), change("terraform_data.new[0]", Action::Delete))];
    let scene = scene.asks(QuestionWhy::PlanChanged { beyond, otherwise: Vec::new() });
    let card = shown(&crate::cards::run_card(&scene.detail(), &clock()));
    assert!(card.contains("`approve 11 3f2a`") && !card.contains("approved by"), "{card}");
    let line = crate::cards::notice(&scene.detail(), &clock()).expect("it needs somebody");
    let line = shown(&line);
    assert!(line.contains("`show 11`") && !line.contains("3f2a"), "{line}");
    let expired = scene.then(RunEvent::QuestionExpired);
    let card = shown(&crate::cards::run_card(&expired.detail(), &clock()));
    assert!(card.contains("Nobody said yes in time") && !card.contains("approved by"), "{card}");
}

#[test]
fn what_the_code_itself_forbids_is_not_offered_again() {
    let kept = Failure::new(FailureKind::PreventDestroy, "Instance cannot be destroyed");
    let scene = Scene::of("up shop").claimed().starts("app", Phase::Plan);
    let scene = scene.fails("app", Phase::Plan, kept, None).ends(Outcome::Failed);
    let card = shown(&crate::cards::run_card(&scene.detail(), &clock()));
    assert!(card.contains("up cannot be done") && !card.contains("NOT READY") && !card.contains("`retry"), "{card}");
    let line = shown(&crate::cards::notice(&scene.detail(), &clock()).expect("its end is told"));
    assert!(!line.contains("`retry"), "{line}");
}

#[test]
fn a_plan_that_a_rule_stands_against_tells_the_rule_and_offers_no_line_for_it() {
    let refusal =
        Refusal::refused("terraform_data.database would be lost in shop/app", "`protect` names it").hint("plan shop");
    let scene = Scene::of("plan shop full").planned().then(RunEvent::Ended {
        outcome: Outcome::Planned,
        refusal: Some(refusal),
        rule: None,
        finding: None,
        left: std::collections::BTreeMap::new(),
    });
    let card = shown(&crate::cards::run_card(&scene.detail(), &clock()));
    assert!(card.contains("would be refused") && card.contains("`protect` names it"), "{card}");
    assert!(!card.contains("next: `up shop"), "{card}");
}

#[test]
fn the_minute_from_which_one_may_say_it_alone_is_one_in_which_they_may() {
    let want = Want {
        held: Vec::new(),
        by: Approvers::Owners,
        people: vec![ActorId::local("mori")],
        count: 2,
        own: false,
        within_ms: None,
        alone_from: Some(Timestamp(clock().now.0.div_euclid(60_000) * 60_000 + 60_001)),
        rule: None,
    };
    let question = Question {
        wants: vec![want],
        ..Question::plain(QuestionWhy::Ruled, "3f2a9c41".to_owned(), clock().now.plus_ms(600_000))
    };
    let lines = crate::cards::run::approval::wants(&question, &ActorId::local("ito"), &clock());
    let after = Timestamp(clock().now.0.div_euclid(60_000) * 60_000 + 120_000);
    let words = format!("from {} on one of them", clock().moment(after));
    assert!(format!("{lines:?}").contains(&words), "{words}: {lines:?}");
}

#[test]
fn a_yes_that_counts_no_more_and_the_keeps_that_a_run_goes_against_are_told() {
    let yes = Yes { by: ActorId::local("mail"), wants: vec![0], alone: false, because: None, through: vec![] };
    let want = Want {
        held: Vec::new(),
        by: Approvers::Owners,
        people: vec![ActorId::local("mori")],
        count: 2,
        own: false,
        within_ms: None,
        alone_from: None,
        rule: None,
    };
    let question = Question {
        wants: vec![want],
        lost: vec![yes],
        ..Question::plain(QuestionWhy::Ruled, "3f2a9c41".to_owned(), clock().now.plus_ms(600_000))
    };
    let scene = Scene::of("down shop anyway because it is late").numbered(5).claimed();
    let mut detail = scene.then(RunEvent::Asked { question }).detail();
    let keep = |number: i64, by: &str| Hold {
        number: HoldNumber(number),
        kind: Kind::Keep,
        environment: Some("shop".parse().expect("a name")),
        by: ActorId::local(by),
        called: by.to_owned(),
        only: Vec::new(),
        because: None,
        began: clock().now,
        until: Some(clock().now.plus_ms(3_600_000)),
        booked: None,
    };
    detail.against = vec![keep(3, "sato"), keep(4, "kato")];
    let text = shown(&crate::cards::run_card(&detail, &clock()));
    assert!(text.contains("Said by mail, and counts no more"), "{text}");
    assert!(text.contains("kept as it is by sato") && text.contains("kept as it is by kato"), "{text}");
}
