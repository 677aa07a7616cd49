//! What the rules of a file decide, from its text to the decision about a plan.

use std::collections::BTreeMap;

use crate::config;
use crate::domain::access::Want;
use crate::domain::answer::Actor;
use crate::domain::changes::{Action, Change, Exactness, StackPlan};
use crate::domain::environment::SettingValue;
use crate::domain::ids::{ActorId, Timestamp};
use crate::domain::policy::{Confirm, Decision, Matter, Place, PlannedStack, policy};
use crate::domain::request::{RunKind, Target, turn};
use crate::problem::source::Source;

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// What the plan does: so many creations, updates, replacements and deletions.
type Does = [usize; 4];

fn plan(does: Does) -> StackPlan {
    let actions = [Action::Create, Action::Update, Action::Replace, Action::Delete];
    let change = |action, at: usize| Change { address: format!("aws_instance.web[{at}]"), action, reason: None };
    let changes =
        actions.into_iter().zip(does).flat_map(|(action, count)| (0..count).map(move |at| change(action, at)));
    StackPlan {
        scales: false,
        exactness: Exactness::Exact,
        changes: changes.collect(),
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
    }
}

/// What is decided where the environment has `lines`: about `down shop` of `who` with that many slaves, at an hour of 2026-11-23 (a
/// Monday) in UTC, with a plan that does so much.
fn decided(lines: &str, who: &str, slaves: i64, hour: i64, does: Does) -> String {
    let actor = Actor::person(ActorId::local(who), who);
    decided_to("small", lines, &actor, slaves, hour, does)
}

/// The same about another level, and of anybody.
fn decided_to(level: &str, lines: &str, actor: &Actor, slaves: i64, hour: i64, does: Does) -> String {
    decided_by(None, level, lines, actor, (slaves, hour), does)
}

/// The same by another word than the one for the way that it goes.
fn decided_by(
    word: Option<RunKind>,
    level: &str,
    lines: &str,
    actor: &Actor,
    (slaves, hour): (i64, i64),
    does: Does,
) -> String {
    let text = format!(
        "[environments.shop]\nowners = ['local:ito']\naccess = {{ operator = ['local:kato'] }}\nlevels = ['small', 'full']\nup = 'full'\n\
         down = 'small'\nzone = 'UTC'\nhours = 'Mon-Fri 09:00-18:00'\n{lines}\n[[environments.shop.stacks]]\nname = 'app'\n\
         root = 'app'\n[environments.shop.settings.slaves]\nstack = 'app'\nvariable = 'slaves'\nmin = 0\nmax = 99\n\
         [environments.shop.profiles]\nfull.app.slaves = 40\nsmall.app.slaves = 1\n"
    );
    let config = config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap();
    assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
    let shop = config.environments.values().next().unwrap();
    let settings = BTreeMap::from([("slaves".parse().unwrap(), SettingValue::Number(slaves))]);
    let mut request = turn(shop, Target { level: level.parse().unwrap(), settings }, String::new(), None);
    request.kind = word.unwrap_or(request.kind);
    let place = Place::shell();
    let (stack, plan) = ("app".parse().unwrap(), plan(does));
    let planned = [PlannedStack { stack: &stack, direction: request.stacks[&stack], plan: &plan, begun: false }];
    let decision = policy(&Matter {
        actor,
        place: &place,
        command: request.kind.command(),
        environment: Some(shop),
        access: &config.access,
        request: Some(&request),
        asked: None,
        holds: &[],
        plan: Some(&planned),
        begun: false,
        // 2026-11-23T00:00:00Z
        now: Timestamp(1_795_392_000_000 + hour * HOUR_MS),
    });
    match decision {
        Decision::Allow => "allowed".to_owned(),
        Decision::NeedsApproval { wants, .. } => {
            let found: Vec<String> =
                wants.iter().flat_map(|want: &Want| want.held.iter().map(|held| held.words.clone())).collect();
            format!("asks: {}", found.join("; "))
        }
        Decision::NeedsConfirmation(Confirm::ManyDestroys { destroys, above }) => format!("sure: {destroys} > {above}"),
        Decision::NeedsConfirmation(Confirm::OfAnother { .. }) => "sure: another's".to_owned(),
        Decision::NeedsConfirmation(other) => format!("{other:?}"),
        Decision::Refuse { rule, .. } => format!("refused: {rule}"),
    }
}

#[test]
fn each_rule_decides_as_it_is_written_and_one_below_it_does_not() {
    let when = |condition: &str| format!("approve = {{ when = ['{condition}'], by = ['local:mori'] }}");
    for (lines, who, slaves, hour, does, decides) in [
        ("destroys_max = 3".to_owned(), "ito", 1, 12, [0, 0, 1, 2], "allowed"),
        ("destroys_max = 3".to_owned(), "ito", 1, 12, [0, 0, 2, 2], "refused: destroys"),
        ("destroys_ask = 3".to_owned(), "ito", 1, 12, [9, 9, 1, 2], "allowed"),
        ("destroys_ask = 3".to_owned(), "ito", 1, 12, [0, 0, 2, 2], "sure: 4 > 3"),
        ("changes = 'in working hours'".to_owned(), "ito", 1, 9, [0; 4], "allowed"),
        ("changes = 'in working hours'".to_owned(), "ito", 1, 18, [0; 4], "refused: hours"),
        (String::new(), "ito", 99, 3, [9; 4], "allowed"),
        (String::new(), "ito", 100, 12, [0; 4], "refused: bounds"),
        // The environment's own line gives it to them, so that they mean this one.
        (String::new(), "kato", 1, 12, [0; 4], "allowed"),
        (when("command = down"), "ito", 1, 12, [0; 4], "asks: command = down"),
        (when("command = destroy"), "ito", 1, 12, [0; 4], "allowed"),
        (when("creates > 2"), "ito", 1, 12, [2, 9, 9, 9], "allowed"),
        (when("creates > 2"), "ito", 1, 12, [3, 0, 0, 0], "asks: creates 3 > 2"),
        (when("updates > 0"), "ito", 1, 12, [0, 1, 0, 0], "asks: updates 1 > 0"),
        (when("replaces > 0"), "ito", 1, 12, [1, 1, 0, 1], "allowed"),
        (when("replaces > 0"), "ito", 1, 12, [0, 0, 1, 0], "asks: replaces 1 > 0"),
        (when("deletes > 5"), "ito", 1, 12, [9, 9, 9, 5], "allowed"),
        (when("deletes > 5"), "ito", 1, 12, [0, 0, 0, 6], "asks: deletes 6 > 5"),
        (when("destroys > 5"), "ito", 1, 12, [0, 0, 3, 3], "asks: destroys 6 > 5"),
        (when("slaves > 50"), "ito", 50, 12, [0; 4], "allowed"),
        (when("slaves > 50"), "ito", 51, 12, [0; 4], "asks: slaves 51 > 50"),
        (when("outside working hours"), "ito", 1, 17, [0; 4], "allowed"),
        (when("outside working hours"), "ito", 1, 18, [0; 4], "asks: outside"),
        (when("environment of another owner"), "ito", 1, 12, [0; 4], "allowed"),
        (when("environment of another owner"), "kato", 1, 12, [0; 4], "asks: environment of another owner"),
        (String::new(), "mallory", 1, 12, [0; 4], "refused: role"),
    ] {
        let found = decided(&lines, who, slaves, hour, does);
        let same = if decides == "asks: outside" { found.starts_with(decides) } else { found == decides };
        assert!(same, "{lines} {who} {slaves} {hour} {does:?}: {found}, not {decides}");
    }
}

#[test]
fn the_clock_is_asked_only_about_what_a_rise_would_lose() {
    let clock = Actor::person(ActorId::clock(), "the clock");
    let when = |conditions: &str| format!("approve = {{ when = [{conditions}], by = ['local:mori'] }}");
    let all = when("'command = destroy', 'deletes > 5', 'replaces > 0', 'slaves > 50', 'outside working hours'");
    for (level, lines, slaves, hour, does, decides) in [
        // Lowering waits for nobody, whatever it deletes and whenever.
        ("small", "destroys_ask = 3".to_owned(), 1, 21, [0, 0, 2, 39], "allowed"),
        ("small", all.clone(), 1, 21, [0, 0, 2, 39], "allowed"),
        // Nor does raising, to whatever size and whenever the configuration says.
        ("full", all.clone(), 60, 6, [60, 9, 0, 0], "allowed"),
        ("full", when("'creates > 10', 'updates > 0'"), 40, 12, [40, 1, 0, 0], "allowed"),
        // What a rise would lose is a surprise; the rest of the rule says nothing about it.
        ("full", all.clone(), 60, 6, [60, 0, 1, 0], "asks: replaces 1 > 0"),
        ("full", all, 60, 6, [60, 0, 0, 6], "asks: deletes 6 > 5"),
        // What may never be done is not done by the clock either.
        ("small", "destroys_max = 3".to_owned(), 1, 21, [0, 0, 2, 2], "refused: destroys"),
    ] {
        let found = decided_to(level, &lines, &clock, slaves, hour, does);
        assert_eq!(found, decides, "{level} {lines} {slaves} {hour} {does:?}");
    }
}

#[test]
fn a_rule_about_a_command_holds_for_what_does_the_same_by_another_word() {
    let ito = Actor::person(ActorId::local("ito"), "ito");
    let when = |command: &str| format!("approve = {{ when = ['command = {command}'], by = ['local:mori'] }}");
    for (word, level, command, decides) in [
        (RunKind::Undo, "small", "down", "asks: command = down"),
        (RunKind::Scale, "small", "down", "asks: command = down"),
        (RunKind::Destroy, "small", "down", "asks: command = down"),
        (RunKind::Undo, "full", "up", "asks: command = up"),
        (RunKind::Undo, "small", "undo", "asks: command = undo"),
        (RunKind::Undo, "full", "down", "allowed"),
        (RunKind::Undo, "small", "destroy", "allowed"),
        (RunKind::Plan, "small", "down", "allowed"),
    ] {
        let found = decided_by(Some(word), level, &when(command), &ito, (1, 12), [0; 4]);
        assert_eq!(found, decides, "{word:?} to {level} where {command} asks");
    }
}
