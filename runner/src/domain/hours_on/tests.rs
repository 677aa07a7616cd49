//! Months computed by hand.

use std::collections::BTreeMap;

use chrono::{NaiveDateTime, TimeZone as _};
use chrono_tz::Tz;

use super::*;
use crate::domain::environment::{Level, OffAction, Rules, Stack, StackSource, TerraformSettings};
use crate::domain::schedule::Timetable;

const HOUR_MS: i64 = 3_600_000;

fn stack(name: &str) -> Stack {
    Stack {
        name: name.parse().expect("a name"),
        source: StackSource::Folder(name.into()),
        needs: Vec::new(),
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
    }
}

/// `small` below `full`; an hour costs 1 and 10.
fn shop(zone: Tz) -> Environment {
    let rates = [("small", 1.0), ("full", 10.0)].map(|(name, rate)| (name.parse().expect("a name"), rate));
    Environment {
        name: "shop".parse().expect("a name"),
        group: None,
        about: None,
        channel: crate::domain::environment::Channels::default(),
        owners: Vec::new(),
        oncall: Vec::new(),
        up: "full".parse().expect("a name"),
        down: level("small"),
        levels: vec!["small".parse().expect("a name"), "full".parse().expect("a name")],
        protect: Vec::new(),
        stacks: [stack("app"), stack("jmeter")].map(|stack| (stack.name.clone(), stack)).into(),
        settings: indexmap::IndexMap::new(),
        profiles: indexmap::IndexMap::new(),
        rules: Rules::default(),
        timetable: std::sync::Arc::new(Timetable { zone, ..Timetable::default() }),
        money: Money { currency: Some("USD".to_owned()), rates: rates.into() },
    }
}

fn level(name: &str) -> Level {
    name.parse().expect("a level")
}

/// A time of the wall clock in New York.
fn at(text: &str) -> Timestamp {
    let wall = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect("a time");
    let zone = chrono_tz::America::New_York;
    Timestamp(zone.from_local_datetime(&wall).single().expect("one instant").timestamp_millis())
}

fn who(name: &str) -> Whose {
    let id = if name == "clock" { ActorId::clock() } else { ActorId::local(name) };
    Whose { id, called: name.to_owned() }
}

fn deed(run: i64, by: &str, to: &str, came: Came) -> Deed {
    Deed { run: RunNumber(run), level: level(to), scaled: None, whose: who(by), came }
}

fn scaled(run: i64, by: &str, stacks: &[&str], came: Came) -> Deed {
    let stacks = stacks.iter().map(|stack| stack.parse().expect("a name")).collect();
    Deed { scaled: Some(stacks), ..deed(run, by, "full", came) }
}

/// March 2026 in New York, where the clocks skip an hour on Sunday the 8th: 31 * 24 - 1 = 743 hours.
fn march() -> Vec<Deed> {
    vec![
        deed(1, "clock", "small", Came::Done(at("2026-02-27 20:00"))),
        deed(2, "clock", "full", Came::Done(at("2026-03-02 09:00"))),
        deed(3, "clock", "small", Came::Done(at("2026-03-02 21:00"))),
        // Over the clock change, and taken over by somebody else.
        deed(4, "ito", "full", Came::Done(at("2026-03-07 20:00"))),
        scaled(5, "mori", &["jmeter"], Came::Done(at("2026-03-08 08:00"))),
        deed(6, "clock", "small", Came::Done(at("2026-03-08 18:00"))),
        // A partial run, and what was done again.
        deed(7, "clock", "full", Came::Doubt(at("2026-03-10 09:00"))),
        deed(8, "sato", "full", Came::Done(at("2026-03-10 11:30"))),
        deed(9, "clock", "small", Came::Done(at("2026-03-10 21:00"))),
        // There was nothing to do: still the clock's.
        deed(10, "ito", "small", Came::Found(at("2026-03-11 12:00"))),
        deed(11, "ito", "off", Came::Done(at("2026-03-12 10:00"))),
        deed(12, "clock", "small", Came::Done(at("2026-03-13 10:00"))),
    ]
}

fn hours_of(spans: &Spans) -> Vec<(String, f64)> {
    spans.iter().map(|(stood, ms)| (format!("{stood:?}"), hours(*ms))).collect()
}

fn near(found: f64, by_hand: f64) {
    assert!((found - by_hand).abs() < 1e-6, "{found} is not {by_hand}");
}

#[test]
fn a_month_is_what_was_computed_by_hand() {
    let shop = shop(chrono_tz::America::New_York);
    let month = Month::new(2026, 3).expect("a month");
    let found = Hours::of(&shop, month, &reached(march()), at("2026-06-01 00:00")).expect("a month that has begun");
    // full:  12 (the 2nd) + 11 (20:00 to 08:00 without the hour that is skipped) + 10 (08:00 to 18:00) + 9.5 (11:30 to 21:00)
    let full = 12.0 + 11.0 + 10.0 + 9.5;
    // small: 33 (the 1st, and until 09:00) + 119 (4 d 23 h) + 39 (1 d 15 h) + 37 (1 d 13 h) + 446 (18 d 14 h)
    let small = 33.0 + 119.0 + 39.0 + 37.0 + 446.0;
    // in doubt: 09:00 to 11:30; off: a day
    let (doubt, off) = (2.5, 24.0);
    near(full + small + doubt + off, 743.0);
    let spans: Vec<(Stood, f64)> = found.spans.iter().map(|(stood, ms)| (stood.clone(), hours(*ms))).collect();
    assert_eq!(
        spans,
        [
            (Stood::At(level("full")), full),
            (Stood::At(level("small")), small),
            (Stood::At(level("off")), off),
            (Stood::InDoubt, doubt)
        ]
    );
    near(hours(found.always_ms()), 743.0);
    near(hours(found.on_ms), 45.0);
    near(hours(found.saved_ms()), 698.0);
    assert!(found.over);
    // 42.5 * 10 + 674 * 1 + 24 * 0 + 2.5 * 10, against 743 * 10
    let bill = found.bill.expect("rates");
    near(bill.cost, 1_124.0);
    near(bill.always.expect("the rate of full"), 7_430.0);
    near(bill.saved().expect("the rate of full"), 6_306.0);
    assert!(bill.unpriced.is_empty());
}

#[test]
fn hours_are_whose_change_was_the_last() {
    let shop = shop(chrono_tz::America::New_York);
    let month = Month::new(2026, 3).expect("a month");
    let found = Hours::of(&shop, month, &reached(march()), at("2026-06-01 00:00")).expect("a month that has begun");
    let told: Vec<_> =
        found.by.iter().map(|(_, share)| (share.called.clone(), hours(share.on_ms), hours_of(&share.spans))).collect();
    insta::assert_debug_snapshot!(told);
}

#[test]
fn a_level_without_a_rate_is_in_no_sum_and_named() {
    let month = Month::new(2026, 3).expect("a month");
    let count = |shop: &Environment| {
        let found = Hours::of(shop, month, &reached(march()), at("2026-06-01 00:00"));
        found.and_then(|hours| hours.bill)
    };
    let mut shop = shop(chrono_tz::America::New_York);
    // Something stays at `off`: what that costs is not written anywhere.
    shop.protect = vec!["aws_db_instance.*".to_owned()];
    let bill = count(&shop).expect("rates");
    assert_eq!(bill.unpriced, Spans::from([(Stood::At(Level::Off), 24 * HOUR_MS)]));
    near(bill.cost, 1_124.0);
    near(bill.saved().expect("a rate of full"), 719.0 * 10.0 - 1_124.0);
    shop.money.rates.remove("full");
    let bill = count(&shop).expect("rates");
    near(bill.cost, 674.0);
    assert_eq!(bill.saved(), None);
    assert_eq!(bill.unpriced.len(), 3, "{bill:?}");
    shop.money.rates.clear();
    assert_eq!(count(&shop), None);
}

#[test]
fn a_month_that_is_not_over_counts_until_now_and_one_to_come_not_at_all() {
    let shop = shop(chrono_tz::America::New_York);
    let reaches = reached(march());
    let month = Month::new(2026, 3).expect("a month");
    let found = Hours::of(&shop, month, &reaches, at("2026-03-02 10:00")).expect("a month that has begun");
    assert_eq!((found.over, hours(found.always_ms()), hours(found.on_ms)), (false, 34.0, 1.0));
    assert_eq!(Hours::of(&shop, month.after(), &reaches, at("2026-03-02 10:00")), None);
    // Before anything was finished nobody knows, and that is in no sum.
    let found = Hours::of(&shop, month.before(), &reaches, at("2026-03-02 10:00")).expect("a month that has begun");
    assert_eq!(found.spans.last(), Some(&(Stood::NotKnown, (26 * 24 + 20) * HOUR_MS)));
    let rest = 28 * HOUR_MS;
    assert_eq!((found.on_ms, found.always_ms(), found.saved_ms()), (0, rest, rest));
}

#[test]
fn months_have_as_many_hours_as_the_wall_clock_gives_them() {
    for (zone, year, month, hours) in [
        ("Asia/Tokyo", 2026, 3, 744),
        ("Europe/Berlin", 2026, 3, 743),
        ("Europe/Berlin", 2026, 10, 745),
        ("Europe/Berlin", 2026, 2, 672),
        ("Europe/Berlin", 2024, 2, 696),
        ("America/New_York", 2026, 11, 721),
        // Half an hour.
        ("Australia/Lord_Howe", 2026, 12, 744),
        // The first midnight is skipped.
        ("America/Asuncion", 2023, 10, 743),
    ] {
        let zone: Tz = zone.parse().expect("a zone");
        let (from, to) = Month::new(year, month).expect("a month").span(zone);
        assert_eq!(to.ms_since(from), hours * HOUR_MS, "{zone} {year}-{month}");
    }
    let (from, to) = Month::new(2026, 4).expect("a month").span(chrono_tz::Australia::Lord_Howe);
    assert_eq!(to.ms_since(from), 720 * HOUR_MS + HOUR_MS / 2);
}

#[test]
fn doubt_lasts_until_a_run_brings_all_of_it_somewhere() {
    let moment = |hour: i64| Timestamp(hour * HOUR_MS);
    let stood = |deeds: Vec<Deed>| {
        let reaches = reached(deeds);
        reaches.iter().map(|reach| format!("{} {:?}", reach.from.0 / HOUR_MS, reach.stood)).collect::<Vec<_>>()
    };
    // A `scale` of one stack says nothing of the other one.
    let after_up = vec![
        deed(2, "ito", "full", Came::Doubt(moment(2))),
        scaled(3, "ito", &["jmeter"], Came::Done(moment(3))),
        deed(1, "ito", "small", Came::Done(moment(1))),
        deed(4, "ito", "full", Came::Found(moment(4))),
    ];
    let full = "At(Profile(ProfileName(\"full\")))";
    let small = "At(Profile(ProfileName(\"small\")))";
    assert_eq!(stood(after_up), [format!("1 {small}"), "2 InDoubt".into(), "3 InDoubt".into(), format!("4 {full}")]);
    // A `scale` that failed is settled by one of the same stacks.
    let after_scale = vec![
        deed(1, "ito", "full", Came::Done(moment(1))),
        scaled(2, "ito", &["jmeter"], Came::Doubt(moment(2))),
        scaled(3, "ito", &["app"], Came::Done(moment(3))),
        scaled(4, "ito", &["app", "jmeter"], Came::Done(moment(4))),
    ];
    assert_eq!(stood(after_scale), [format!("1 {full}"), "2 InDoubt".into(), "3 InDoubt".into(), format!("4 {full}")]);
    assert_eq!(stood(vec![deed(1, "ito", "full", Came::Doubt(moment(5)))]), ["5 InDoubt"]);
}

#[test]
fn what_is_raised_is_raised_since_it_last_was_not() {
    let shop = shop(chrono_tz::America::New_York);
    let reaches = reached(march());
    let since = |now: &str| {
        on_since(&shop, &reaches, at(now)).map(|(since, or_longer, reach)| (since, or_longer, reach.whose.called))
    };
    assert_eq!(since("2026-03-08 12:00"), Some((at("2026-03-07 20:00"), false, "mori".to_owned())));
    // The doubt before it counts, too.
    assert_eq!(since("2026-03-10 12:00"), Some((at("2026-03-10 09:00"), false, "sato".to_owned())));
    assert_eq!(since("2026-03-03 12:00"), None);
    assert_eq!(since("2026-01-01 12:00"), None);
    let later = reached(march().split_off(3));
    let found = on_since(&shop, &later, at("2026-03-07 21:00")).map(|(_, or_longer, _)| or_longer);
    assert_eq!(found, Some(true), "nobody looked back further");
}

#[test]
fn what_the_configuration_does_not_have_any_more_counts_as_on() {
    let shop = shop(Tz::UTC);
    assert!(is_on(&shop, &Stood::At(level("huge"))));
    assert!(!is_on(&shop, &Stood::At(level("small"))));
    // What `up` means is on, also where `down` means the same.
    let flat = Environment { down: level("full"), ..shop };
    assert!(is_on(&flat, &Stood::At(level("full"))));
}
