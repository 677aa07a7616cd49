//! Who did what a look found, what an account has left, and who held a lock.

use tidegate_runner::domain::answer::{LockSeen, Standing};
use tidegate_runner::domain::changes::{Action, Change};
use tidegate_runner::domain::drift::Doer;
use tidegate_runner::domain::failure::LockHolder;
use tidegate_runner::domain::ids::RunNumber;
use tidegate_runner::domain::quota::{Need, Quota};
use tidegate_runner::domain::run::{Note, Outcome, QuestionWhy, RunEvent};

use super::scene::{Scene, clock, name, plan};
use super::{managed, shown};
use crate::cards::{self, Card, run_card};

fn noted(scene: Scene, stack: &str, note: Note) -> Scene {
    scene.then(RunEvent::StackNoted { stack: name(stack), note })
}

fn planned(scene: Scene, stack: &str, changes: Vec<Change>, drift: Vec<Change>) -> Scene {
    let mut plan = plan(changes);
    plan.drift = drift;
    scene.then(RunEvent::StackPlanned { stack: name(stack), plan })
}

fn changed(address: &str, what: &str) -> Change {
    Change { address: address.to_owned(), action: Action::Update, reason: Some(what.to_owned()) }
}

fn drifted(notes: &[(&str, Note)]) -> String {
    let slaves = changed("module.jmeter.aws_autoscaling_group.slaves", "desired_capacity 40 -> 12");
    let other = changed("aws_db_instance.main", "instance_class");
    let mut scene = Scene::of("drift shop").claimed();
    for (stack, note) in notes {
        scene = noted(scene, stack, note.clone());
    }
    let scene = planned(scene, "monitoring", Vec::new(), Vec::new());
    let scene = planned(scene, "app", Vec::new(), vec![other]);
    let scene = planned(scene, "jmeter", Vec::new(), vec![slaves]).ends(Outcome::Planned);
    one_line(&run_card(&scene.detail(), &clock()))
}

/// A card's words, wherever its lines end.
fn one_line(card: &Card) -> String {
    shown(card).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn whoever_changed_something_is_named_and_where_nobody_is_that_is_said() {
    let doer = |by: &str, minutes: i64, event: &str| Doer {
        address: "module.jmeter.aws_autoscaling_group.slaves".to_owned(),
        by: by.to_owned(),
        at: clock().now.plus_ms(-60_000 * minutes),
        event: event.to_owned(),
    };
    let named = Note::Doers {
        doers: vec![
            doer("ito@example.com (role admin)", 70, "SetDesiredCapacity"),
            doer("sato", 95, "CreateOrUpdateTags"),
        ],
        nobody: 0,
        unasked: 0,
        unknown: None,
    };
    let nobody = |nobody, unasked| Note::Doers { doers: Vec::new(), nobody, unasked, unknown: None };
    let refused = "AWS refuses to tell: access denied; next: allow `cloudtrail:LookupEvents`, or take `drift_who` out";
    let unknown = Note::Doers { doers: Vec::new(), nobody: 0, unasked: 1, unknown: Some(refused.to_owned()) };
    let told = drifted(&[("jmeter", named), ("app", nobody(1, 0))]);
    let who = "desired_capacity 40 -> 12, by ito@example.com (role admin) at 10:50 (SetDesiredCapacity), before by sato at 10:25 \
               (CreateOrUpdateTags)";
    assert!(told.contains(who), "{told}");
    assert!(told.contains("CloudTrail names nobody for 1 of these: it tells up to 15 minutes late"), "{told}");
    let told = drifted(&[("app", nobody(0, 1))]);
    assert!(told.contains("app: who did 1 of these was not asked to the end"), "{told}");
    assert!(!told.contains("names nobody"), "whom nobody was asked about is not called nobody's: {told}");
    let told = drifted(&[("jmeter", unknown)]);
    assert!(told.contains("jmeter: who did it is not known: AWS refuses to tell"), "{told}");
    let told = drifted(&[]);
    assert!(
        !told.contains("CloudTrail") && !told.contains("who did"),
        "where it is not asked nothing is said of it: {told}"
    );
}

fn need(quota: Quota, needs: u64, used: u64) -> Note {
    let (account, region) = ("123456789012".to_owned(), "ap-northeast-1".to_owned());
    Note::Needs { needs: vec![Need { quota, account, region, needs, used, limit: 64 }] }
}

#[test]
fn what_an_account_has_too_little_of_is_told_before_the_yes_with_both_numbers() {
    let up = |notes: &[(&str, Note)]| {
        let mut scene = Scene::of("up shop").claimed();
        for (stack, note) in notes {
            scene = noted(scene, stack, note.clone());
        }
        for stack in ["monitoring", "app", "jmeter"] {
            scene = planned(scene, stack, vec![changed("aws_autoscaling_group.x", "")], Vec::new());
        }
        scene
    };
    let short = [("app", need(Quota::OnDemand, 20, 24)), ("jmeter", need(Quota::OnDemand, 160, 24))];
    let spot = [("jmeter", need(Quota::Spot, 40, 25)), ("app", need(Quota::Groups, 1, 64))];
    let enough = [("jmeter", need(Quota::OnDemand, 40, 24))];
    let asked = up(&short).asks(QuestionWhy::OfAnother { owners: Vec::new() });
    let told = one_line(&run_card(&asked.detail(), &clock()));
    let both = "NOT ENOUGH QUOTA: needs at least 180 vCPUs of on-demand instances, and 40 of 64 were left in ap-northeast-1, account 123456789012";
    assert!(told.contains("needs a yes") && told.contains(both) && told.contains("L-1216C47A"), "{told}");
    let told = one_line(&run_card(&up(&spot).detail(), &clock()));
    assert!(told.contains("needs at least 40 vCPUs of spot instances, and 39 of 64 were left"), "{told}");
    assert!(told.contains("needs at least 1 Auto Scaling group, and 0 of 64 were left"), "{told}");
    let told = one_line(&run_card(&up(&enough).detail(), &clock()));
    assert!(!told.contains("QUOTA"), "what is enough is not told: {told}");
}

#[test]
fn credentials_that_end_before_an_apply_may_have_are_told_with_the_question_and_while_it_goes() {
    let end = "the credentials end at 2026-11-20T07:00:00Z, in 20 min: an apply that takes longer fails half done; renew them";
    let scene = noted(Scene::of("up shop").claimed(), "app", Note::Preflight { troubles: vec![end.to_owned()] });
    let scene = ["monitoring", "app", "jmeter"]
        .iter()
        .fold(scene, |scene, stack| planned(scene, stack, vec![changed("aws_autoscaling_group.x", "")], Vec::new()));
    let told = one_line(&run_card(&scene.detail(), &clock()));
    assert!(told.contains(&format!("app: {end}")), "{told}");
    let asked = scene.asks(QuestionWhy::OfAnother { owners: Vec::new() });
    let told = one_line(&run_card(&asked.detail(), &clock()));
    assert!(told.contains("needs a yes") && told.contains(&format!("app: {end}")), "{told}");
}

#[test]
fn who_held_a_state_lock_stands_in_status_with_who_saw_it_and_when() {
    let holder = LockHolder {
        id: "350def4c".to_owned(),
        who: "ito@desk".to_owned(),
        operation: "OperationTypeApply".to_owned(),
        created: "2026-11-20 05:54:55.1 +0000 UTC".to_owned(),
    };
    let seen = LockSeen { stack: name("app"), holder, run: RunNumber(17), at: clock().now.plus_ms(-60_000) };
    let status = tidegate_runner::domain::answer::EnvironmentStatus { locks: vec![seen], ..managed() };
    let told = one_line(&cards::status(&[Standing::Managed(Box::new(status))], &clock()));
    let held = "app: the state lock was held by ito@desk for apply since 2026-11-20 05:54:55.1 +0000 UTC, lock 350def4c, as run 17 saw at 11:59";
    assert!(told.contains(held) && told.contains("preflight shop"), "{told}");
    let told = one_line(&cards::status(&[Standing::Managed(Box::new(managed()))], &clock()));
    assert!(!told.contains("lock"), "{told}");
}
