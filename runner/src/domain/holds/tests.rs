//! Who is kept from what by whose hold, as tables.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::rule::span;
use super::*;
use crate::domain::access::answering::Asked;
use crate::domain::access::{Access, Grant, Least, Role, Who};
use crate::domain::answer::Actor;
use crate::domain::command::CommandName;
use crate::domain::environment::{Environment, Level, Rules, SettingValue};
use crate::domain::ids::RunNumber;
use crate::domain::order::Direction;
use crate::domain::policy::{Decision, Matter, Place, policy};
use crate::domain::refusal::Refusal;
use crate::domain::request::{AskedAs, RunKind, RunRequest, SizeChange, Target};
use crate::domain::run::{Question, QuestionWhy};

/// Friday 2026-11-20 03:00 UTC, in milliseconds.
const NOW: Timestamp = Timestamp(1_795_143_600_000);
const HOUR_MS: i64 = 3_600_000;

fn shop() -> Environment {
    Environment {
        name: "shop".parse().expect("a name"),
        group: None,
        about: None,
        channel: crate::domain::environment::Channels::default(),
        owners: vec![ActorId::local("ito")],
        oncall: Vec::new(),
        up: "full".parse().expect("a name"),
        down: Level::Off,
        levels: vec!["full".parse().expect("a name")],
        protect: Vec::new(),
        stacks: indexmap::IndexMap::new(),
        settings: indexmap::IndexMap::new(),
        profiles: indexmap::IndexMap::new(),
        timetable: std::sync::Arc::default(),
        money: crate::domain::hours_on::Money::default(),
        rules: Rules::default(),
    }
}

/// `sato`, `mori` and `kato` operate everything, `boss` is the admin.
fn access() -> Access {
    let grant = |least, who| Grant { role: Role::built_in(least), who: Who::Named(ActorId::local(who)), written: None };
    let operators = ["sato", "mori", "kato"].map(|who| grant(Least::Operator, who));
    Access { grants: operators.into_iter().chain([grant(Least::Admin, "boss")]).collect(), ..Access::default() }
}

fn person(who: &str) -> Actor {
    Actor::person(ActorId::local(who), who)
}

fn at(level: &str) -> Target {
    Target { level: level.parse().expect("a level"), settings: [].into() }
}

/// Of `sato`, for an hour, leaving in `mori`.
fn hold(kind: Kind) -> Hold {
    let of_one = matches!(kind, Kind::Hold | Kind::Keep | Kind::Booking);
    Hold {
        number: HoldNumber(3),
        kind,
        environment: of_one.then(|| "shop".parse().expect("a name")),
        by: ActorId::local("sato"),
        called: "sato".to_owned(),
        only: vec![ActorId::local("mori")],
        because: Some("we measure".to_owned()),
        began: NOW.plus_ms(-HOUR_MS),
        until: (kind != Kind::Stop).then(|| NOW.plus_ms(HOUR_MS)),
        booked: (kind == Kind::Booking)
            .then(|| Box::new(Booked { target: at("full"), asked_as: AskedAs::default(), before: None })),
    }
}

fn run(kind: RunKind, stacks: &[(&str, Direction)]) -> RunRequest {
    RunRequest {
        kind,
        environment: "shop".parse().expect("a name"),
        target: Target { level: Level::Off, settings: [].into() },
        before: None,
        stacks: stacks.iter().map(|(stack, way)| (stack.parse().expect("a name"), *way)).collect(),
        sizes: Vec::new(),
        asks: false,
        newest_code: false,
        because: None,
        counted: std::collections::BTreeSet::new(),
        scheduled: false,
        until: None,
        retry_of: None,
        asked_as: AskedAs::default(),
        typed_by: None,
        against: BTreeSet::new(),
        clears: false,
        by_hand: None,
    }
}

/// What `command` makes, with all of it falling where it lowers; `retry` is of a `down`.
fn made_by(command: CommandName) -> Option<RunRequest> {
    let (kind, way) = match command {
        CommandName::Up => (RunKind::Up, Direction::Rise),
        CommandName::Down | CommandName::Retry => (RunKind::Down, Direction::Fall),
        CommandName::Scale => (RunKind::Scale, Direction::Rise),
        CommandName::Plan => (RunKind::Plan, Direction::Fall),
        CommandName::Adopt => (RunKind::Adopt, Direction::Rise),
        CommandName::Destroy => (RunKind::Destroy, Direction::Fall),
        CommandName::Terraform => (RunKind::Terraform, Direction::Fall),
        CommandName::Undo => (RunKind::Undo, Direction::Fall),
        _ => return None,
    };
    Some(run(kind, &[("app", way)]))
}

/// What policy says to `who` when these stand.
fn decide(who: &str, command: CommandName, holds: &[Hold], asked: Option<Asked<'_>>, begun: bool) -> Decision {
    let (actor, shop, access, place) = (person(who), shop(), access(), Place::shell());
    let request = made_by(command);
    policy(&Matter {
        actor: &actor,
        place: &place,
        command,
        environment: (!command.is_about_all()).then_some(&shop),
        access: &access,
        request: request.as_ref(),
        asked,
        plan: None,
        holds,
        begun,
        now: NOW,
    })
}

fn plain_question() -> Question {
    Question::plain(QuestionWhy::Previewed, "d".to_owned(), NOW.plus_ms(HOUR_MS))
}

fn refusal(decision: Decision) -> (&'static str, Refusal) {
    match decision {
        Decision::Refuse { rule, refusal } => (rule, refusal),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_each_kind_forbids_whom() {
    let who = ["sato", "mori", "kato", "ito", "boss"];
    let mut table = "Of sato, leaving in mori; kato operates, ito owns, boss is the admin.\n\
                     + allowed, c asked whether they mean it, r not theirs anyway, else the rule's first letter\n\n"
        .to_owned();
    let kinds = [Kind::Hold, Kind::Freeze, Kind::Keep, Kind::Stop, Kind::Booking];
    writeln!(table, "command    {}", kinds.map(|kind| format!("{:<8}", kind.as_str())).concat()).expect("written");
    // `approve` is to a `down` that kato asked for.
    let (question, kato) = (plain_question(), person("kato"));
    let asked = Asked { question: &question, run: RunNumber(5), kind: CommandName::Down, asker: &kato, alone: false };
    for command in CommandName::ALL {
        let asked = (command == CommandName::Approve).then_some(asked);
        write!(table, "{command:<10}").expect("written");
        for kind in kinds {
            let cell = who.map(|who| match decide(who, command, &[hold(kind)], asked, false) {
                Decision::Allow => '+',
                Decision::NeedsConfirmation(_) => 'c',
                Decision::NeedsApproval { .. } => 'a',
                Decision::Refuse { rule: "role" | "approve", .. } => 'r',
                Decision::Refuse { rule, .. } => {
                    assert_eq!(rule, kind.as_str());
                    rule.chars().next().unwrap_or('?')
                }
            });
            write!(table, " {:<7}", String::from_iter(cell)).expect("written");
        }
        table.push('\n');
    }
    insta::assert_snapshot!(table.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
}

#[test]
fn what_is_over_or_of_another_environment_or_half_done_forbids_nothing() {
    let allowed = |holds: &[Hold], begun: bool| {
        matches!(decide("ito", CommandName::Down, holds, None, begun), Decision::Allow | Decision::NeedsConfirmation(_))
    };
    for kind in [Kind::Hold, Kind::Freeze, Kind::Keep, Kind::Stop, Kind::Booking] {
        assert!(!allowed(&[hold(kind)], false), "{kind:?}");
        assert!(allowed(&[hold(kind)], true), "{kind:?}");
    }
    for kind in [Kind::Hold, Kind::Freeze, Kind::Keep, Kind::Booking] {
        // Its last millisecond is the one before its end.
        assert!(!allowed(&[Hold { until: Some(NOW.plus_ms(1)), ..hold(kind) }], false), "{kind:?}");
        assert!(allowed(&[Hold { until: Some(NOW), ..hold(kind) }], false), "{kind:?}");
    }
    for kind in [Kind::Hold, Kind::Keep, Kind::Booking] {
        let elsewhere = Hold { environment: Some("blog".parse().expect("a name")), ..hold(kind) };
        assert!(allowed(&[elsewhere], false), "{kind:?}");
    }
}

#[test]
fn a_booking_bars_nobody_before_it_begins_and_lets_the_clock_bring_about_what_is_booked_and_nothing_else() {
    let booking = hold(Kind::Booking);
    let ahead = Hold { began: NOW.plus_ms(1), ..booking.clone() };
    let free = decide("kato", CommandName::Up, &[ahead], None, false);
    assert!(matches!(free, Decision::Allow | Decision::NeedsConfirmation(_)), "{free:?}");
    assert_eq!(refusal(decide("kato", CommandName::Up, std::slice::from_ref(&booking), None, false)).0, "booking");
    let clock = Actor::person(ActorId::clock(), "the clock");
    for (kind, level, who, barred) in [
        (RunKind::Up, "full", &clock, false),
        (RunKind::Down, "full", &clock, false),
        (RunKind::Up, "small", &clock, true),
        (RunKind::Destroy, "full", &clock, true),
        (RunKind::Plan, "small", &clock, false),
        (RunKind::Up, "full", &person("kato"), true),
        (RunKind::Destroy, "off", &person("sato"), false),
        (RunKind::Up, "small", &person("mori"), false),
    ] {
        let request = RunRequest { target: at(level), ..run(kind, &[("app", Direction::Rise)]) };
        assert_eq!(booking.bars(&request, who), barred, "{kind:?} {level} {}", who.id);
    }
}

#[test]
fn what_goes_up_is_lowering_only_where_something_of_it_falls() {
    use Direction::{Fall, Rise};
    for (kind, stacks, lowering) in [
        (RunKind::Up, &[("app", Rise)][..], false),
        (RunKind::Up, &[("app", Rise), ("jmeter", Fall)], true),
        (RunKind::Scale, &[("app", Rise)], false),
        (RunKind::Scale, &[("app", Fall)], true),
        (RunKind::Undo, &[("app", Fall)], true),
        (RunKind::Undo, &[("app", Rise)], false),
        (RunKind::Down, &[], true),
        (RunKind::Destroy, &[], true),
        (RunKind::Plan, &[("app", Fall)], false),
    ] {
        assert_eq!(lowers(&run(kind, stacks)), lowering, "{kind:?} {stacks:?}");
    }
    let size = |name: &str, from: Option<i64>, to: i64| SizeChange {
        setting: name.parse().expect("a name"),
        from: from.map(SettingValue::Number),
        to: SettingValue::Number(to),
    };
    // Two settings of one stack: thirty slaves less is less, whatever else rises.
    let with = |sizes| lowers(&RunRequest { sizes, ..run(RunKind::Scale, &[("app", Rise)]) });
    assert!(with(vec![size("servers", Some(1), 2), size("slaves", Some(40), 10)]));
    assert!(!with(vec![size("servers", Some(1), 2), size("slaves", None, 10)]));
}

#[test]
fn a_keep_is_against_the_clock_too_and_tells_whose_it_is() {
    let (shop, keep) = (shop(), [hold(Kind::Keep)]);
    let the_clock = Actor::person("clock:shop".parse().expect("an id"), "the clock");
    assert_eq!(may_lower(&keep, &shop, &the_clock, NOW), Err(&keep[0]));
    assert_eq!(may_lower(&keep, &shop, &the_clock, NOW.plus_ms(HOUR_MS)), Ok(()));
    assert_eq!(may_lower(&keep, &shop, &person("sato"), NOW), Ok(()));
    assert_eq!(may_lower(&[hold(Kind::Hold)], &shop, &the_clock, NOW), Ok(()));
}

#[test]
fn a_yes_is_to_what_its_asker_may_do() {
    let question = plain_question();
    let ruled = |whose: &str, holds: &[Hold]| {
        let whose = person(whose);
        let asked =
            Asked { question: &question, run: RunNumber(5), kind: CommandName::Down, asker: &whose, alone: false };
        match decide("boss", CommandName::Approve, holds, Some(asked), false) {
            Decision::Refuse { rule, .. } => Some(rule),
            Decision::Allow | Decision::NeedsApproval { .. } | Decision::NeedsConfirmation(_) => None,
        }
    };
    assert_eq!(ruled("kato", &[hold(Kind::Hold)]), Some("hold"));
    assert_eq!(ruled("mori", &[hold(Kind::Hold)]), None);
    assert_eq!(ruled("mori", &[hold(Kind::Stop)]), Some("stop"));
}

#[test]
fn who_may_lift_what() {
    let (access, shop) = (access(), shop());
    for (who, lifts) in [
        ("sato", [true, true, true, true, true]),
        ("mori", [false, false, false, false, false]),
        ("ito", [true, false, true, false, true]),
        ("boss", [true, true, true, true, true]),
        ("stranger", [false, false, false, false, false]),
    ] {
        let kinds = [Kind::Hold, Kind::Freeze, Kind::Keep, Kind::Stop, Kind::Booking];
        let found = kinds.map(|kind| may_lift(&access, Some(&shop), &person(who), &hold(kind)));
        assert_eq!(found, lifts, "{who}");
    }
}

#[test]
fn a_refusal_has_who_until_when_why_and_what_to_type() {
    let (question, kato) = (plain_question(), person("kato"));
    let asked = Asked { question: &question, run: RunNumber(5), kind: CommandName::Down, asker: &kato, alone: false };
    let told = |who: &str, command, hold: Hold| {
        let asked = (command == CommandName::Approve).then_some(asked);
        let (rule, refusal) = refusal(decide(who, command, &[hold], asked, false));
        format!("{rule}: {}\n  {}\n  -> {}\n", refusal.what, refusal.why, refusal.hints.join(" | "))
    };
    let all = [
        told("kato", CommandName::Up, hold(Kind::Hold)),
        told("ito", CommandName::Up, hold(Kind::Hold)),
        told("kato", CommandName::Down, hold(Kind::Freeze)),
        told("kato", CommandName::Down, hold(Kind::Keep)),
        told("ito", CommandName::Destroy, hold(Kind::Keep)),
        told("kato", CommandName::Up, hold(Kind::Stop)),
        told("boss", CommandName::Approve, Hold { by: ActorId::local("boss"), ..hold(Kind::Hold) }),
        told("boss", CommandName::Retry, hold(Kind::Freeze)),
        told("boss", CommandName::Up, hold(Kind::Stop)),
        told("kato", CommandName::Up, Hold { because: None, only: Vec::new(), ..hold(Kind::Hold) }),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn the_reason_of_others_is_cut_and_pretends_to_be_no_code() {
    let because = Some(format!("`unhold shop` {}", "日".repeat(1_000)));
    let (_, refusal) = refusal(decide("kato", CommandName::Up, &[Hold { because, ..hold(Kind::Hold) }], None, false));
    assert!(refusal.why.contains("because 'unhold shop' 日"), "{refusal:?}");
    assert!(refusal.why.chars().count() < 500, "{refusal:?}");
}

#[test]
fn a_span_is_told_in_two_units_at_most() {
    for (ms, words) in [
        (-5, "less than 1 min"),
        (59_999, "less than 1 min"),
        (60_000, "1 min"),
        (2 * HOUR_MS, "2 h"),
        (2 * HOUR_MS + 300_000, "2 h 5 min"),
        (24 * HOUR_MS, "1 d"),
        (27 * HOUR_MS, "1 d 3 h"),
        (i64::MAX, "106751991167 d 7 h"),
    ] {
        assert_eq!(span(ms), words, "{ms}");
    }
}
