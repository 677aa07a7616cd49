//! Hours and what is raised now, as a terminal without colours shows it.

use insta::assert_snapshot;
use tidegate_runner::domain::environment::Environment;
use tidegate_runner::domain::hours_on::{Came, Deed, Hours, Money, Month, Raised, RaisedNow, Stood, Whose, reached};
use tidegate_runner::domain::ids::{ActorId, RunNumber, Timestamp};

use super::scene::{clock, level};
use super::shown;
use crate::cards;
use crate::commands::fixture;

const HOUR_MS: i64 = 3_600_000;

fn who(name: &str) -> Whose {
    let id = if name == "the clock" { ActorId::clock() } else { ActorId::local(name) };
    Whose { id, called: name.to_owned() }
}

fn environment(name: &str, rates: &[(&str, f64)]) -> Environment {
    let rates = rates.iter().map(|(name, rate)| (name.parse().expect("a name"), *rate)).collect();
    let currency = Some("USD".to_owned());
    Environment { money: Money { currency, rates }, ..fixture::environment(name) }
}

/// Hours before the noon of these tests, Friday the 20th.
fn ago(hours: i64) -> Timestamp {
    clock().now.plus_ms(-hours * HOUR_MS)
}

fn story(environment: &Environment, month: Month) -> Hours {
    let deed = |run, by, to, came| Deed { run: RunNumber(run), level: level(to), scaled: None, whose: who(by), came };
    let deeds = vec![
        deed(1, "the clock", "small", Came::Done(ago(400))),
        deed(2, "the clock", "full", Came::Done(ago(51))),
        deed(3, "the clock", "small", Came::Done(ago(39))),
        deed(4, "ito", "full", Came::Doubt(ago(27))),
        deed(5, "mori", "full", Came::Done(ago(24))),
        deed(6, "mori", "off", Came::Done(ago(10))),
    ];
    Hours::of(environment, month, &reached(deeds), clock().now).expect("a month that has begun")
}

fn called(name: &str, hours: Hours) -> Hours {
    Hours { environment: name.parse().expect("a name"), ..hours }
}

#[test]
fn hours() {
    let november = Month::new(2026, 11).expect("a month");
    let plain = story(&environment("shop", &[]), november);
    let priced = story(&environment("shop", &[("full", 12.5), ("small", 0.9)]), november);
    let half = story(&environment("shop", &[("small", 0.9)]), november);
    let mut kept = environment("shop", &[("full", 1250.0), ("small", 0.9)]);
    kept.protect = vec!["aws_db_instance.*".to_owned()];
    let kept = story(&kept, november);
    let many: Vec<Hours> = (0..45)
        .map(|at| story(&environment(&if at == 0 { "shop".to_owned() } else { format!("env{at}") }, &[]), november))
        .collect();
    let all = [
        cards::hours(std::slice::from_ref(&plain), None, false),
        cards::hours(std::slice::from_ref(&priced), None, true),
        cards::hours(std::slice::from_ref(&half), None, false),
        cards::hours(std::slice::from_ref(&kept), None, false),
        cards::hours(&[priced.clone(), called("bank", half), called("farm", kept), called("zoo", plain)], None, true),
        cards::hours(&many, None, false),
        cards::hours(&[], None, false),
    ];
    assert_snapshot!("hours", all.iter().map(shown).collect::<Vec<_>>().join("\n"));
}

#[test]
fn on() {
    let raised = |name: &str, stood, hours, by: &str, because: Option<&str>, until: Option<i64>| Raised {
        environment: name.parse().expect("a name"),
        stood,
        since: ago(hours),
        or_longer: hours > 700,
        whose: who(by),
        run: RunNumber(812),
        because: because.map(str::to_owned),
        until: until.map(|hours| ago(-hours)),
    };
    let full = || Stood::At(level("full"));
    let now = RaisedNow {
        raised: vec![
            raised("shop", full(), 744, "ito", None, None),
            raised("bank", Stood::InDoubt, 26, "mori", Some("Black Friday\nrehearsal"), Some(9)),
            raised("farm", full(), 3, "the clock", Some("working hours"), Some(9)),
        ],
        more: 0,
        of: 12,
    };
    let all = [
        cards::on(&now, &clock()),
        cards::on(&RaisedNow { more: 960, of: 1000, ..now }, &clock()),
        cards::on(&RaisedNow { raised: Vec::new(), more: 0, of: 1 }, &clock()),
    ];
    assert_snapshot!("on", all.iter().map(shown).collect::<Vec<_>>().join("\n"));
}
