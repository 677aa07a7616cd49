//! What no state knows: found, and to be deleted.

use insta::assert_snapshot;
use tidegate_runner::domain::changes::Action;
use tidegate_runner::domain::drift::Stray;
use tidegate_runner::domain::failure::{Applied, Failure, FailureKind};
use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::domain::run::{Note, Outcome, Phase, QuestionWhy, RunEvent};

use super::scene::{Scene, change, clock, plan};
use super::shown;
use crate::cards::{notice, run_card};

fn arn(what: &str) -> String {
    format!("arn:aws:ec2:eu-west-1:123456789012:{what}")
}

fn stray(kind: &str, noun: &str, id: &str) -> Stray {
    Stray {
        arn: arn(&format!("{noun}/{id}")),
        kind: Some(kind.to_owned()),
        id: Some(id.to_owned()),
        name: None,
        since: None,
        seen: None,
        stays: None,
    }
}

fn found(stays: &[(&str, Stray)]) -> Note {
    let before = clock().now.plus_ms(-2 * 3_600_000);
    let mut all = vec![
        Stray { name: Some("left".to_owned()), since: Some(before), ..stray("aws_instance", "instance", "i-0a1b") },
        Stray { seen: Some(Timestamp(before.0 + 60_000)), ..stray("aws_vpc", "vpc", "vpc-0a1b") },
    ];
    all.extend(stays.iter().map(|(why, stray)| Stray { stays: Some((*why).to_owned()), ..stray.clone() }));
    Note::Swept { strays: all, elsewhere: Vec::new(), doubt: None, unknown: None }
}

fn left() -> Vec<(&'static str, Stray)> {
    vec![
        ("the state of stage/app speaks of it", stray("aws_security_group", "security-group", "sg-0a1b")),
        ("it belongs to the EMR cluster `j-1`", stray("aws_ebs_volume", "volume", "vol-0a1b")),
        (
            "Tidegate does not delete its kind",
            Stray { arn: "arn:aws:s3:::b".to_owned(), ..stray("aws_s3_bucket", "", "b") },
        ),
    ]
}

fn planned() -> Scene {
    let goes = [arn("instance/i-0a1b"), arn("vpc/vpc-0a1b")];
    let empty = || plan(Vec::new());
    Scene::of("sweep shop remove")
        .claimed()
        .plans("monitoring", empty())
        .notes("app", found(&left()))
        .plans("app", plan(goes.iter().map(|arn| change(arn, Action::Delete)).collect()))
        .plans("jmeter", empty())
}

#[test]
fn what_would_be_deleted_is_shown_with_age_price_and_what_stays() {
    let asked = planned().asks(QuestionWhy::Previewed);
    let card = shown(&run_card(&asked.detail(), &clock()));
    assert!(card.contains("2 resources to delete, 1 of them billed by the hour:"), "{card}");
    assert_snapshot!(card);
}

#[test]
fn a_removal_that_was_not_done_whole_says_what_is_left_and_why() {
    let (instance, network) =
        (change(&arn("instance/i-0a1b"), Action::Delete), change(&arn("vpc/vpc-0a1b"), Action::Delete));
    let failure = Failure::new(FailureKind::Configuration, "1 of 2 removed")
        .with_detail(format!("{}: the state of stage/app speaks of it", network.address));
    let applied = Applied { done: vec![instance], failed: vec![network], ..Applied::default() };
    let partial = planned()
        .asks(QuestionWhy::Previewed)
        .then(RunEvent::approved(tidegate_runner::domain::ids::ActorId::local("ito"), "3f2a9c41".to_owned()))
        .claimed()
        .then(RunEvent::ApplyBegan)
        .starts("app", Phase::Apply)
        .fails("app", Phase::Apply, failure, Some(applied))
        .ends(Outcome::Partial)
        .detail();
    let told =
        shown(&run_card(&partial, &clock())) + &notice(&partial, &clock()).map(|card| shown(&card)).unwrap_or_default();
    assert!(told.contains("PARTIAL") && told.contains("the state of stage/app speaks of it"), "{told}");
    assert_snapshot!(told);
}

#[test]
fn a_removal_with_nothing_to_delete_says_why_each_stays() {
    let strays = left().into_iter().map(|(why, stray)| Stray { stays: Some(why.to_owned()), ..stray }).collect();
    let note = Note::Swept { strays, elsewhere: Vec::new(), doubt: None, unknown: None };
    let empty = |scene: Scene, stack: &str| scene.plans(stack, plan(Vec::new()));
    let scene = empty(Scene::of("sweep shop remove").claimed().notes("app", note), "app");
    let ended = empty(empty(scene, "monitoring"), "jmeter").ends(Outcome::NothingToDo);
    let card = shown(&run_card(&ended.detail(), &clock()));
    assert!(card.contains("3 resources left as they are:") && !card.contains("to delete"), "{card}");
    assert_snapshot!(card);
}
