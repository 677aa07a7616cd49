//! Orders against an environment with two levels and two settings, as a table of words in and lines out.

use std::fmt::Write as _;

use super::*;
use crate::domain::command::Operator;
use crate::domain::environment::{Rules, SettingKind, StackSource, TerraformSettings};
use crate::domain::ids::ActorId;

fn stack(name: &str, off: OffAction, needs: &[&str]) -> (StackName, Stack) {
    let stack = Stack {
        name: name.parse().expect("a name"),
        source: StackSource::Folder(name.into()),
        needs: needs.iter().map(|n| n.parse().expect("a name")).collect(),
        workspace: None,
        backend: BTreeMap::new(),
        env: BTreeMap::new(),
        variables: [("env".to_owned(), serde_json::json!("shop"))].into(),
        off,
        terraform: TerraformSettings {
            program: "terraform".into(),
            version: None,
            lock_timeout_s: 0,
            parallelism: None,
        },
        readiness: crate::domain::readiness::Readiness::default(),
        busy: Vec::new(),
    };
    (stack.name.clone(), stack)
}

fn setting(name: &str, stack: &str, kind: SettingKind) -> (SettingName, Setting) {
    let setting = Setting {
        name: name.parse().expect("a name"),
        stack: stack.parse().expect("a name"),
        variable: format!("{name}_count"),
        kind,
        about: None,
    };
    (setting.name.clone(), setting)
}

fn shop() -> Environment {
    let values = |servers: i64, slaves: i64| {
        BTreeMap::from([
            ("app".parse().expect("a name"), Variables::from([("servers_count".to_owned(), servers.into())])),
            ("jmeter".parse().expect("a name"), Variables::from([("slaves_count".to_owned(), slaves.into())])),
        ])
    };
    Environment {
        name: "shop".parse().expect("a name"),
        group: None,
        about: None,
        channel: crate::domain::environment::Channels::default(),
        owners: vec![ActorId::local("ito")],
        oncall: Vec::new(),
        up: "full".parse().expect("a name"),
        down: "small".parse().expect("a name"),
        levels: vec!["small".parse().expect("a name"), "full".parse().expect("a name")],
        protect: Vec::new(),
        stacks: [stack("app", OffAction::Lowest, &[]), stack("jmeter", OffAction::Destroy, &["app"])].into(),
        settings: [
            setting("slaves", "jmeter", SettingKind::Number { min: 0, max: 200, step: 5 }),
            setting("servers", "app", SettingKind::Number { min: 1, max: 20, step: 1 }),
        ]
        .into(),
        profiles: [("small".parse().expect("a name"), values(1, 5)), ("full".parse().expect("a name"), values(20, 40))]
            .into(),
        timetable: std::sync::Arc::default(),
        money: crate::domain::hours_on::Money::default(),
        rules: Rules::default(),
    }
}

fn level(text: &str) -> Level {
    text.parse().expect("a level")
}

fn at(text: &str, settings: &[(&str, i64)]) -> Target {
    Target {
        level: level(text),
        settings: settings.iter().map(|(n, v)| (n.parse().expect("a name"), SettingValue::Number(*v))).collect(),
    }
}

fn assignments(settings: &[(&str, Operator, i64)]) -> Vec<Assignment> {
    settings
        .iter()
        .map(|(name, operator, value)| Assignment {
            setting: name.parse().expect("a name"),
            operator: *operator,
            value: SettingValue::Number(*value),
        })
        .collect()
}

fn name() -> EnvironmentName {
    "shop".parse().expect("a name")
}

fn up(to: Option<&str>, settings: &[(&str, Operator, i64)]) -> Order {
    Order::Up { environment: name(), level: to.map(level), settings: assignments(settings), newest_code: false }
}

fn down(to: Option<&str>) -> Order {
    Order::Down { environment: name(), level: to.map(level), anyway: false }
}

fn scale(settings: &[(&str, Operator, i64)]) -> Order {
    Order::Scale { environment: name(), settings: assignments(settings) }
}

fn tell(order: &Order, before: Option<&Target>) -> String {
    match request(&shop(), order, None, before, None) {
        Ok(request) => {
            let mut line = format!("{} to {}", request.kind.as_str(), request.target.level);
            for (name, value) in &request.target.settings {
                let _ = write!(line, " {name}={value}");
            }
            for (name, direction) in &request.stacks {
                let _ = write!(line, ", {name} {direction:?}");
            }
            for SizeChange { setting, from, to } in &request.sizes {
                let from = from.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
                let _ = write!(line, ", {setting} {from} -> {to}");
            }
            line
        }
        Err(refusal) => format!("{}; {}; {}", refusal.what, refusal.why, refusal.hints.join(" | ")),
    }
}

#[test]
fn orders_mean_what_they_say_from_where_the_environment_is() {
    use Operator::{Add, Multiply, Set, Subtract};
    let never = None;
    let (off, small, full) = (at("off", &[]), at("small", &[]), at("full", &[]));
    let more = at("full", &[("slaves", 60)]);
    let cases: Vec<(&str, Option<&Target>, Order)> = vec![
        ("never", never, up(None, &[])),
        ("never", never, up(None, &[("slaves", Set, 60)])),
        ("never", never, up(None, &[("slaves", Add, 10)])),
        ("never", never, scale(&[("slaves", Set, 10)])),
        ("off", Some(&off), up(Some("small"), &[])),
        ("off", Some(&off), scale(&[("slaves", Add, 10)])),
        ("off", Some(&off), down(None)),
        ("small", Some(&small), up(None, &[])),
        ("small", Some(&small), up(Some("off"), &[])),
        ("small", Some(&small), down(Some("full"))),
        ("small", Some(&small), down(Some("off"))),
        ("small", Some(&small), scale(&[("slaves", Add, 10)])),
        ("small", Some(&small), scale(&[("slaves", Multiply, 2), ("slaves", Add, 5)])),
        ("small", Some(&small), scale(&[("slaves", Subtract, 10)])),
        ("small", Some(&small), scale(&[("slaves", Set, 7)])),
        ("small", Some(&small), scale(&[("slaves", Set, 1_000)])),
        ("small", Some(&small), scale(&[("slaves", Multiply, i64::MAX)])),
        ("small", Some(&small), scale(&[("slavs", Set, 10)])),
        ("full", Some(&full), up(Some("small"), &[])),
        ("full", Some(&full), up(None, &[("slaves", Set, 20)])),
        ("full", Some(&full), scale(&[("slaves", Set, 20), ("servers", Set, 20)])),
        ("full slaves=60", Some(&more), up(None, &[])),
        ("full slaves=60", Some(&more), up(None, &[("servers", Set, 10)])),
        ("full slaves=60", Some(&more), down(Some("full"))),
        ("full slaves=60", Some(&more), scale(&[("servers", Set, 10)])),
        ("full slaves=60", Some(&more), Order::Destroy { environment: name() }),
        ("full", Some(&full), Order::Undo { environment: name() }),
    ];
    let mut table = String::new();
    for (from, before, order) in &cases {
        let order_words = serde_json::to_value(order).expect("serialises")["order"].as_str().unwrap_or("").to_owned();
        let _ = writeln!(table, "{from} | {order_words} | {}", tell(order, *before));
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_request_counts_anew_from_where_the_environment_came_to_be() {
    let shop = shop();
    let scale = |settings: &[(&str, Operator, i64)], before: &Target| {
        request(&shop, &scale(settings), None, Some(before), None).expect("a request")
    };
    let told = |request: &RunRequest| {
        let sizes: Vec<String> = request
            .sizes
            .iter()
            .map(|s| format!("{} {:?} {}", s.setting, s.from.as_ref().map(ToString::to_string), s.to))
            .collect();
        format!("{} {:?} {:?}", request.target.level, sizes, request.stacks.values().collect::<Vec<_>>())
    };
    // The one ahead of it, to 3, was taken back: it is no raise.
    let foreseen = scale(&[("slaves", Operator::Set, 5)], &at("full", &[("slaves", 3)]));
    assert_eq!(told(&foreseen), r#"full ["slaves Some(\"3\") 5"] [Rise]"#);
    let now = foreseen.counted_from(&shop, Some(at("full", &[("slaves", 15)]))).expect("a scale");
    assert_eq!(told(&now), r#"full ["slaves Some(\"15\") 5"] [Fall]"#);
    // What others wanted of other stacks is not brought along, nor their level.
    let foreseen = scale(&[("slaves", Operator::Set, 5)], &at("full", &[("servers", 30)]));
    let now = foreseen.counted_from(&shop, Some(at("small", &[]))).expect("a scale");
    assert_eq!((now.target, now.before), (at("small", &[("slaves", 5)]), Some(at("small", &[]))));
    let up = request(&shop, &up(None, &[]), None, Some(&at("off", &[])), None).expect("a request");
    let now = up.counted_from(&shop, Some(at("small", &[]))).expect("a raise");
    assert_eq!((now.target, now.stacks.len()), (up.target.clone(), up.stacks.len()));
}

#[test]
fn what_a_schedule_wants_goes_whichever_way_it_must() {
    let shop = shop();
    let wanted = turn(&shop, at("small", &[]), "hours ends".to_owned(), Some(at("full", &[])));
    assert_eq!((wanted.kind, wanted.stacks.values().all(|way| *way == Direction::Fall)), (RunKind::Down, true));
    let now = wanted.turned_from(&shop, Some(at("off", &[])));
    assert_eq!((now.kind, now.stacks.values().all(|way| *way == Direction::Rise)), (RunKind::Up, true));
    assert_eq!((now.target, now.before), (at("small", &[]), Some(at("off", &[]))));
    assert!(wanted.counted_from(&shop, Some(at("off", &[]))).is_err(), "a person would be asked");
}

#[test]
fn what_a_schedule_wants_does_so_also_where_a_person_tries_it_again() {
    let shop = shop();
    let wanted = turn(&shop, at("small", &[]), "hours ends".to_owned(), Some(at("full", &[])));
    let again = RunRequest { retry_of: Some(RunNumber(7)), ..wanted };
    let now = again.counted_anew(&shop, Some(at("off", &[]))).expect("whichever way");
    assert_eq!((now.kind, now.retry_of, now.scheduled), (RunKind::Up, Some(RunNumber(7)), true));
    let asked = request(&shop, &down(Some("small")), None, Some(&at("full", &[])), None).expect("a request");
    assert!(asked.counted_anew(&shop, Some(at("off", &[]))).is_err(), "a person is asked");
}

#[test]
fn what_else_was_asked_for_is_in_the_lines_to_choose_from() {
    let mut asked = at("full", &[("slaves", 8)]);
    asked.settings.insert("grafana".parse().expect("a name"), SettingValue::Text("11".to_owned()));
    let before = at("full", &[("slaves", 10)]);
    let refused = super::refuse::refuse_lowering(&shop(), Some(&before), &asked, false).expect_err("it lowers");
    assert_eq!(refused.hints.len(), 2);
    assert!(refused.hints.iter().all(|line| line.ends_with(" grafana=11")), "{:?}", refused.hints);
}

#[test]
fn only_what_counts_from_what_is_may_not_turn() {
    let shop = shop();
    let asked = |settings: &[(&str, Operator, i64)], before: &Target| {
        request(&shop, &scale(settings), None, Some(before), None).expect("a request")
    };
    let both = [("slaves", Operator::Add, 5), ("servers", Operator::Set, 10)];
    // `servers` was to rise and falls now: that is what was said.
    let ahead = asked(&both, &at("full", &[("slaves", 10), ("servers", 5)]));
    let now = ahead.counted_from(&shop, Some(at("full", &[("slaves", 10), ("servers", 20)]))).expect("a scale");
    assert_eq!(now.target, at("full", &[("slaves", 15), ("servers", 10)]));
    let refusal =
        ahead.counted_from(&shop, Some(at("full", &[("slaves", 40), ("servers", 20)]))).expect_err("it would turn");
    assert_eq!(refusal.hints[0], "scale shop servers=10 slaves=15");
}

#[test]
fn what_an_order_could_not_mean_from_here_it_does_not_come_to_mean() {
    let shop = shop();
    let asked = |order: &Order, before: &Target| request(&shop, order, None, Some(before), None).expect("a request");
    let refused = |request: &RunRequest, before: Option<Target>| {
        let refusal = request.counted_from(&shop, before).expect_err("a refusal");
        format!("{} -> {}", refusal.what, refusal.hints.join(" | "))
    };
    let five = [("slaves", Operator::Set, 5)];
    let ahead = asked(&scale(&five), &at("full", &[]));
    assert_eq!(refused(&ahead, Some(at("off", &[]))), "shop is to be off -> up shop slaves=5");
    assert_eq!(refused(&ahead, None), "shop cannot be scaled yet -> up shop slaves=5");
    let less = asked(&scale(&[("slaves", Operator::Subtract, 5)]), &at("full", &[("slaves", 40)]));
    assert!(
        refused(&less, Some(at("full", &[("slaves", 10)])))
            .contains("was to bring slaves from 40 to 35, and it is 10 now")
    );
    let ahead = asked(&down(Some("small")), &at("full", &[]));
    assert!(refused(&ahead, Some(at("off", &[]))).starts_with("`down shop small` would raise it -> up shop small"));
    let ahead = asked(&up(Some("full"), &five), &at("small", &[]));
    assert!(refused(&ahead, Some(at("full", &[("slaves", 15)]))).contains("would lower slaves 15 -> 5"));
    let code = Order::Up { environment: shop.name.clone(), level: None, settings: Vec::new(), newest_code: true };
    let ahead = asked(&code, &at("full", &[]));
    assert!(refused(&ahead, Some(at("small", &[]))).contains("was to be at full when newer code was asked for"));
}

#[test]
fn values_are_the_stacks_then_the_profiles_then_the_commands() {
    let shop = shop();
    let (_, jmeter) = shop.stacks.get_key_value("jmeter").expect("a stack");
    let values = variables(&shop, jmeter, &at("full", &[("slaves", 60)]));
    assert_eq!(serde_json::json!(values), serde_json::json!({ "env": "shop", "slaves_count": 60 }));
    let values = variables(&shop, jmeter, &at("small", &[]));
    assert_eq!(serde_json::json!(values), serde_json::json!({ "env": "shop", "slaves_count": 5 }));
}

#[test]
fn off_destroys_what_may_be_destroyed_and_lowers_the_rest() {
    let shop = shop();
    let request = request(&shop, &down(Some("off")), None, Some(&at("full", &[])), None).expect("a run");
    let goals: Vec<_> = shop.stacks.values().map(|stack| request.goal(&shop, stack)).collect();
    assert!(matches!(&goals[0], Goal::Apply(values) if values["servers_count"] == 1));
    assert!(matches!(&goals[1], Goal::Destroy { instead } if instead["slaves_count"] == 5));
}
