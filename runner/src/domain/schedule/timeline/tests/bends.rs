//! What people bend, and that it goes back by itself.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;

use super::{Written, at, cron, once, target, window};
use crate::domain::environment::SettingValue;
use crate::domain::schedule::bend::{Bend, Skipped};
use crate::domain::schedule::item::When;
use crate::domain::schedule::timeline::{
    end_of_change, level_at, next_after, schedules_next_after, skips_at, skips_of,
};

fn work() -> Written {
    Written::new(vec![window("work", "Mon-Fri 09:00-21:00", "full", "small")])
}

fn in_tokyo(text: &str) -> crate::domain::ids::Timestamp {
    at(&format!("{text}:00+09:00"))
}

fn keep(level: &str, from: &str, until: &str) -> Bend {
    Bend::Keep { target: target(level), from: in_tokyo(from), until: in_tokyo(until) }
}

fn visit(level: &str, from: &str, until: &str) -> Bend {
    Bend::Visit { target: target(level), from: in_tokyo(from), until: in_tokyo(until), said: true }
}

fn booked(level: &str, from: &str, until: &str) -> Bend {
    Bend::Booked { target: target(level), from: in_tokyo(from), until: in_tokyo(until), back: None }
}

fn stays(level: &str, from: &str, until: &str) -> Bend {
    Bend::Grace {
        target: target(level),
        from: in_tokyo(from),
        until: in_tokyo(until),
        then: None,
        foretold: Vec::new(),
    }
}

fn pause(from: &str, until: Option<&str>) -> Bend {
    Bend::Pause { from: in_tokyo(from), until: until.map(in_tokyo) }
}

fn skip_one(local: &str) -> Bend {
    let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M").expect("a local time");
    Bend::Skip(Skipped::One { schedule: "work".to_owned(), local })
}

fn skip_days(first: &str, last: &str, from: &str) -> Bend {
    let date = |text: &str| text.parse().expect("a date");
    Bend::Skip(Skipped::Days { schedule: None, first: date(first), last: date(last), from: in_tokyo(from) })
}

#[test]
fn a_keep_before_the_evening_goes_back_by_itself() {
    let written = work().bent([keep("full", "2026-11-24T20:58", "2026-11-24T22:58")]);
    assert_eq!(
        written.told("2026-11-24", "2026-11-25"),
        ["Tue 11-24 09:00 full: work begins", "Tue 11-24 22:58 small: bend 1 ends, work asks"]
    );
    let next = next_after(&written.agenda(), in_tokyo("2026-11-24T21:30")).expect("it ends");
    assert_eq!(next.key(), "bend 1 ends@2026-11-24T22:58+09:00");
    let standing = level_at(&written.agenda(), in_tokyo("2026-11-24T21:30")).expect("it is kept");
    assert_eq!((standing.wanted, standing.until), (target("full"), Some(in_tokyo("2026-11-24T22:58"))));
    let alone = schedules_next_after(&written.agenda(), in_tokyo("2026-11-24T20:58")).expect("it ends");
    assert_eq!(alone.at, in_tokyo("2026-11-24T21:00"), "without the keep");
}

#[test]
fn what_is_kept_into_a_pause_goes_back_when_the_pause_is_over_and_once() {
    let kept = keep("full", "2026-11-24T20:58", "2026-11-24T22:58");
    let paused = work().bent([kept, pause("2026-11-24T21:30", Some("2026-11-25T03:00"))]);
    assert_eq!(
        paused.told("2026-11-24", "2026-11-25"),
        ["Tue 11-24 09:00 full: work begins"],
        "neither at its end nor at that of the day"
    );
    assert_eq!(
        paused.told("2026-11-25", "2026-11-26"),
        [
            "Wed 11-25 03:00 small: bend 2 ends, work asks",
            "Wed 11-25 09:00 full: work begins",
            "Wed 11-25 21:00 small: work ends"
        ]
    );
    // Where no window asks for anything, it goes to where it rests.
    let line = || Written::new(vec![cron("c", "0 20 24 * *", "up huge", Some(3))]);
    let kept = || keep("full", "2026-11-24T12:00", "2026-11-24T14:00");
    let two = [
        kept(),
        pause("2026-11-24T13:00", Some("2026-11-24T16:00")),
        pause("2026-11-24T15:00", Some("2026-11-24T18:00")),
    ];
    let told = line().bent(two).told("2026-11-24", "2026-11-25");
    assert_eq!(
        told,
        [
            "Tue 11-24 12:00 full: bend 1",
            "Tue 11-24 18:00 small: bend 3 ends, rests",
            "Tue 11-24 20:00 huge: c begins",
            "Tue 11-24 23:00 small: c ends, rests"
        ]
    );
    let for_ever = line().bent([kept(), pause("2026-11-24T13:00", None)]);
    assert_eq!(for_ever.told("2026-11-24", "2026-12-30"), ["Tue 11-24 12:00 full: bend 1"]);
}

#[test]
fn what_a_crontab_line_asked_for_ends_with_the_pause_in_which_it_would_have() {
    let line = || Written::new(vec![cron("c", "0 20 24 * *", "up huge", Some(3))]);
    let short = line().bent([pause("2026-11-24T21:00", Some("2026-11-24T22:00"))]);
    assert_eq!(
        short.told("2026-11-24", "2026-11-25"),
        ["Tue 11-24 20:00 huge: c begins", "Tue 11-24 23:00 small: c ends, rests"]
    );
    let long = line().bent([pause("2026-11-24T21:00", Some("2026-11-25T08:00"))]);
    assert_eq!(
        long.told("2026-11-24", "2026-11-26"),
        ["Tue 11-24 20:00 huge: c begins", "Wed 11-25 08:00 small: bend 1 ends, rests"]
    );
    // A person's change ends when they said.
    let visit = visit("full", "2026-11-24T12:00", "2026-11-24T14:00");
    let visited = line().bent([visit, pause("2026-11-24T13:00", Some("2026-11-24T16:00"))]);
    assert_eq!(
        visited.told("2026-11-24", "2026-11-25").get(..2).expect("two"),
        ["Tue 11-24 12:00 full: bend 1", "Tue 11-24 14:00 small: bend 1 ends, rests"]
    );
}

#[test]
fn a_skipped_transition_leaves_what_was_wanted_until_the_next_one() {
    let tonight = work().bent([skip_one("2026-11-24T21:00")]);
    assert_eq!(
        tonight.told("2026-11-24", "2026-11-26"),
        ["Tue 11-24 09:00 full: work begins", "Wed 11-25 21:00 small: work ends"]
    );
    let days = work().bent([skip_days("2026-11-25", "2026-11-26", "2026-11-24T12:00")]);
    assert_eq!(
        days.told("2026-11-24", "2026-11-28"),
        [
            "Tue 11-24 09:00 full: work begins",
            "Tue 11-24 21:00 small: work ends",
            "Fri 11-27 09:00 full: work begins",
            "Fri 11-27 21:00 small: work ends",
        ]
    );
}

#[test]
fn over_skipped_days_what_began_before_ends_as_written() {
    let written = || {
        Written::new(vec![
            window("night", "Mon-Fri 22:00-06:00", "full", "small"),
            cron("c", "0 20 24 * *", "up huge", Some(8)),
        ])
    };
    let skipped = written().bent([skip_days("2026-11-25", "2026-11-26", "2026-11-20T12:00")]);
    let expected = [
        "Tue 11-24 20:00 huge: c begins",
        "Wed 11-25 04:00 full: c ends, night asks",
        "Wed 11-25 06:00 small: night ends",
        "Fri 11-27 22:00 full: night begins",
    ];
    assert_eq!(skipped.told("2026-11-24", "2026-11-28"), expected);
    let later = written().bent([skip_days("2026-11-24", "2026-11-26", "2026-11-24T21:00")]);
    assert_eq!(
        later.told("2026-11-24", "2026-11-28"),
        [
            "Tue 11-24 20:00 huge: c begins",
            "Wed 11-25 04:00 small: c ends, night asks",
            "Fri 11-27 22:00 full: night begins"
        ]
    );
}

#[test]
fn the_end_of_a_crontab_line_can_be_skipped_too() {
    let mut written = Written::new(vec![
        window("work", "Mon-Fri 09:00-21:00", "full", "small"),
        cron("c", "0 2 25 * *", "up huge", Some(3)),
    ]);
    let local = NaiveDateTime::parse_from_str("2026-11-25T05:00", "%Y-%m-%dT%H:%M").expect("a local time");
    written = written.bent([Bend::Skip(Skipped::One { schedule: "c".to_owned(), local })]);
    assert_eq!(
        written.told("2026-11-25", "2026-11-26"),
        ["Wed 11-25 02:00 huge: c begins", "Wed 11-25 09:00 full: work begins", "Wed 11-25 21:00 small: work ends"]
    );
}

#[test]
fn a_pause_holds_what_was_wanted_and_its_end_asks_for_what_holds_then() {
    let until = work().bent([pause("2026-11-24T12:00", Some("2026-11-26T22:00"))]);
    assert_eq!(
        until.told("2026-11-24", "2026-11-28"),
        [
            "Tue 11-24 09:00 full: work begins",
            "Thu 11-26 22:00 small: bend 1 ends, work asks",
            "Fri 11-27 09:00 full: work begins",
            "Fri 11-27 21:00 small: work ends",
        ]
    );
    let standing = level_at(&until.agenda(), in_tokyo("2026-11-25T12:00")).expect("it is held");
    assert_eq!((standing.wanted, standing.because), (target("full"), Vec::new()));
    let ever = work().bent([pause("2026-11-24T12:00", None)]);
    assert_eq!(ever.told("2026-11-24", "2027-11-24"), ["Tue 11-24 09:00 full: work begins"]);
    assert_eq!(next_after(&ever.agenda(), in_tokyo("2026-11-24T12:00")), None);
}

#[test]
fn a_visit_goes_back_to_what_the_schedules_ask_for() {
    let written = work().bent([visit("huge", "2026-11-24T20:00", "2026-11-24T23:00")]);
    assert_eq!(
        written.told("2026-11-24", "2026-11-25"),
        [
            "Tue 11-24 09:00 full: work begins",
            "Tue 11-24 20:00 huge: bend 1",
            "Tue 11-24 23:00 small: bend 1 ends, work asks"
        ]
    );
    let newest = work().bent([
        visit("huge", "2026-11-24T20:00", "2026-11-24T23:00"),
        visit("off", "2026-11-24T21:30", "2026-11-24T22:00"),
        keep("full", "2026-11-24T20:30", "2026-11-24T20:45"),
    ]);
    assert_eq!(
        newest.told("2026-11-24", "2026-11-25"),
        [
            "Tue 11-24 09:00 full: work begins",
            "Tue 11-24 20:00 huge: bend 1",
            "Tue 11-24 20:30 full: bend 3",
            "Tue 11-24 20:45 huge: bend 3 ends, bend 1",
            "Tue 11-24 21:30 off: bend 2",
            "Tue 11-24 22:00 huge: bend 2 ends, bend 1",
            "Tue 11-24 23:00 small: bend 1 ends, work asks",
        ]
    );
}

#[test]
fn a_change_that_ends_with_a_transition_does_not_take_its_key() {
    let written = work().bent([visit("huge", "2026-11-24T20:00", "2026-11-24T21:00")]);
    assert_eq!(
        written.told("2026-11-24", "2026-11-25").last().map(String::as_str),
        Some("Tue 11-24 21:00 small: work ends, bend 1 ends")
    );
    let next = next_after(&written.agenda(), in_tokyo("2026-11-24T20:00")).expect("it ends");
    assert_eq!(next.key(), "work@2026-11-24T21:00+09:00");
}

#[test]
fn the_end_of_what_somebody_asked_for_is_skipped_by_what_schedules_did_beneath_it() {
    // What is bent, when it is looked at, what is told first, and the days after a skip of that.
    for (bend, now, first) in [
        (
            keep("full", "2026-11-24T20:58", "2026-11-24T22:58"),
            "2026-11-24T20:59",
            "Tue 11-24 22:58 small: bend 1 ends, work asks",
        ),
        (
            keep("full", "2026-11-24T20:58", "2026-11-24T22:58"),
            "2026-11-24T21:30",
            "Tue 11-24 22:58 small: bend 1 ends, work asks",
        ),
        (
            visit("full", "2026-11-24T22:00", "2026-11-24T23:30"),
            "2026-11-24T22:01",
            "Tue 11-24 23:30 small: bend 1 ends, work asks",
        ),
        (
            stays("full", "2026-11-24T22:00", "2026-11-24T22:15"),
            "2026-11-24T22:01",
            "Tue 11-24 22:15 small: bend 1 ends, work asks",
        ),
    ] {
        let written = work().bent([bend.clone()]);
        let next = next_after(&written.agenda(), in_tokyo(now)).expect("it ends");
        assert_eq!(super::told(&next), first);
        let skips = skips_of(&written.agenda(), &next);
        assert_eq!(skips.len(), 1, "{skips:?}");
        let skipped = work().bent(std::iter::once(bend).chain(skips.into_iter().map(Bend::Skip)));
        let after = next_after(&skipped.agenda(), in_tokyo(now)).expect("the next evening");
        assert_eq!(super::told(&after), "Wed 11-25 21:00 small: work ends", "{first}");
    }
    // A change that holds until the schedules say again holds for longer where that is left out.
    let bend = Bend::Visit {
        target: target("full"),
        from: in_tokyo("2026-11-24T20:00"),
        until: in_tokyo("2026-11-24T22:00"),
        said: false,
    };
    let written = Written::new(vec![once("night", "2026-11-24 22:00", "down small", None)]).bent([bend]);
    let next = next_after(&written.agenda(), in_tokyo("2026-11-24T21:00")).expect("it goes down");
    assert_eq!(skips_of(&written.agenda(), &next), skips_at(&written.agenda(), next.at));
    assert_eq!(skips_of(&written.agenda(), &next).len(), 1);
    // No window ever asked for as much, and no schedule for what is booked.
    for bend in
        [visit("huge", "2026-11-24T22:00", "2026-11-24T23:30"), booked("huge", "2026-11-24T22:00", "2026-11-24T23:30")]
    {
        let written = work().bent([bend]);
        let next = next_after(&written.agenda(), in_tokyo("2026-11-24T22:01")).expect("it ends");
        assert_eq!(skips_of(&written.agenda(), &next), []);
    }
}

#[test]
fn all_that_happens_at_a_moment_can_be_skipped() {
    let schedules = || {
        vec![
            window("work", "Mon-Fri 09:00-21:00", "full", "small"),
            cron("night", "0 21 * * *", "down off", None),
            cron("test", "0 18 24 * *", "up huge", Some(3)),
        ]
    };
    let tonight = Written::new(schedules());
    assert_eq!(
        tonight.told("2026-11-24", "2026-11-25"),
        [
            "Tue 11-24 09:00 full: work begins",
            "Tue 11-24 18:00 huge: test begins",
            "Tue 11-24 21:00 off: night begins, test ends"
        ]
    );
    let skips = skips_at(&tonight.agenda(), in_tokyo("2026-11-24T21:00"));
    assert_eq!(skips.len(), 3);
    assert_eq!(skips_at(&tonight.agenda(), in_tokyo("2026-11-24T20:00")), []);
    let skipped = Written::new(schedules()).bent(skips.into_iter().map(Bend::Skip));
    assert_eq!(
        skipped.told("2026-11-24", "2026-11-26"),
        [
            "Tue 11-24 09:00 full: work begins",
            "Tue 11-24 18:00 huge: test begins",
            "Wed 11-25 09:00 full: work begins",
            "Wed 11-25 21:00 off: night begins"
        ]
    );
}

#[test]
fn a_visit_without_schedules_ends_at_rest_and_never_raises() {
    let written = Written::new(Vec::new()).bent([
        visit("huge", "2026-11-24T10:00", "2026-11-24T12:00"),
        visit("off", "2026-11-24T14:00", "2026-11-24T16:00"),
    ]);
    assert_eq!(
        written.told("2026-11-24", "2026-11-26"),
        ["Tue 11-24 10:00 huge: bend 1", "Tue 11-24 12:00 small: bend 1 ends, rests", "Tue 11-24 14:00 off: bend 2"]
    );
    assert_eq!(
        level_at(&written.agenda(), in_tokyo("2026-11-25T10:00")).map(|standing| standing.wanted),
        Some(target("off"))
    );
    assert_eq!(
        level_at(&written.agenda(), in_tokyo("2026-11-24T13:00")).map(|standing| standing.wanted),
        Some(target("small"))
    );
    let paused = work().bent([pause("2026-11-24T20:00", None), visit("huge", "2026-11-24T20:30", "2026-11-25T02:00")]);
    assert_eq!(
        paused.told("2026-11-24", "2026-11-27"),
        [
            "Tue 11-24 09:00 full: work begins",
            "Tue 11-24 20:30 huge: bend 2",
            // What the schedules asked for as they were paused.
            "Wed 11-25 02:00 full: bend 2 ends"
        ]
    );
}

#[test]
fn a_change_that_ends_in_a_pause_goes_back_to_what_the_schedules_asked_for_as_it_began() {
    let until = Some("2026-11-26T12:00");
    let visited = |level: &str, paused: &[&str]| {
        let bends = paused.iter().map(|from| pause(from, until));
        work().bent(bends.chain([visit(level, "2026-11-24T20:58", "2026-11-24T23:30")]))
    };
    for level in ["huge", "small"] {
        for paused in [&["2026-11-24T20:59"][..], &["2026-11-24T20:57"], &["2026-11-24T20:50", "2026-11-24T21:30"]] {
            assert_eq!(
                visited(level, paused).told("2026-11-24", "2026-11-26"),
                [
                    "Tue 11-24 09:00 full: work begins".to_owned(),
                    format!("Tue 11-24 20:58 {level}: bend {}", paused.len() + 1),
                    format!("Tue 11-24 23:30 full: bend {} ends", paused.len() + 1),
                ],
                "{level}, paused at {paused:?}"
            );
        }
    }
    // They asked for less by then.
    assert_eq!(
        visited("huge", &["2026-11-24T21:01"]).told("2026-11-24", "2026-11-26").last().expect("it ends"),
        "Tue 11-24 23:30 small: bend 2 ends, rests"
    );
}

#[test]
fn the_end_of_what_stays_until_people_were_warned_ends_nothing_itself() {
    let nobody = || Written::new(Vec::new());
    let alone = nobody().bent([stays("full", "2026-11-24T12:00", "2026-11-24T12:15")]);
    assert_eq!(alone.told("2026-11-24", "2026-11-26"), ["Tue 11-24 12:00 full: bend 1"]);
    let standing = level_at(&alone.agenda(), in_tokyo("2026-11-25T10:00")).expect("it stays");
    assert_eq!((standing.wanted, standing.because), (target("full"), Vec::new()));
    // What ended beneath it is over as it is.
    let visited = nobody().bent([
        visit("huge", "2026-11-24T10:00", "2026-11-24T12:00"),
        stays("huge", "2026-11-24T11:55", "2026-11-24T12:10"),
    ]);
    assert_eq!(
        visited.told("2026-11-24", "2026-11-26"),
        ["Tue 11-24 10:00 huge: bend 1", "Tue 11-24 12:10 small: bend 2 ends, rests"]
    );
    // In a pause it stays to its end.
    let paused = work().bent([
        stays("full", "2026-11-24T21:00", "2026-11-24T21:15"),
        pause("2026-11-24T21:05", Some("2026-11-25T02:00")),
    ]);
    assert_eq!(
        paused.told("2026-11-24", "2026-11-26").get(..2).expect("two"),
        ["Tue 11-24 09:00 full: work begins", "Wed 11-25 02:00 small: bend 1 ends, bend 2 ends, work asks"]
    );
}

#[test]
fn what_stays_until_people_were_warned_raises_nothing_that_somebody_has_lowered() {
    for lowered in [
        visit("small", "2026-11-24T21:02", "2026-11-24T21:05"),
        visit("small", "2026-11-24T20:50", "2026-11-24T21:05"),
        booked("small", "2026-11-24T21:02", "2026-11-24T21:05"),
    ] {
        let written = work().bent([stays("full", "2026-11-24T21:00", "2026-11-24T21:15"), lowered]);
        let told = written.told("2026-11-24", "2026-11-26");
        assert!(told.get(1).is_some_and(|told| told.contains(" small: bend 2")), "{told:?}");
        assert!(told.get(2).is_some_and(|told| told.starts_with("Wed 11-25 09:00 full")), "{told:?}");
    }
    // What was raised goes back to what stays.
    let raised = work().bent([
        stays("full", "2026-11-24T21:00", "2026-11-24T21:15"),
        visit("huge", "2026-11-24T21:02", "2026-11-24T21:05"),
    ]);
    assert_eq!(
        raised.told("2026-11-24", "2026-11-25").get(1..).expect("some"),
        [
            "Tue 11-24 21:02 huge: bend 2",
            "Tue 11-24 21:05 full: bend 2 ends, bend 1",
            "Tue 11-24 21:15 small: bend 1 ends, work asks"
        ]
    );
}

#[test]
fn what_stays_until_people_were_warned_hides_nothing_that_schedules_raise_meanwhile() {
    let raises =
        [window("work", "Mon-Fri 09:00-21:00", "full", "small"), once("early", "2026-11-24 21:05", "up full", Some(1))];
    let grace = || stays("full", "2026-11-24T20:55", "2026-11-24T21:10");
    let lowered = Written::new(raises.to_vec()).bent([grace(), visit("small", "2026-11-24T20:56", "2026-11-24T21:05")]);
    assert_eq!(
        lowered.told("2026-11-24", "2026-11-25").get(1..).expect("some"),
        [
            "Tue 11-24 20:56 small: bend 2",
            "Tue 11-24 21:05 full: early begins, bend 2 ends",
            "Tue 11-24 22:05 small: early ends, work asks"
        ]
    );
    let higher = [raises[0].clone(), once("early", "2026-11-24 21:05", "up huge", Some(1))];
    assert_eq!(
        Written::new(higher.to_vec()).bent([grace()]).told("2026-11-24", "2026-11-25").get(1..).expect("some"),
        ["Tue 11-24 21:05 huge: early begins", "Tue 11-24 22:05 small: early ends, work asks"]
    );
    // A setting that is raised at the same level counts as well, and one that is lowered does not.
    let slaves = |number: i64| BTreeMap::from([("slaves".parse().expect("a name"), number)]);
    for (number, begins) in [(6, true), (4, false), (2, false)] {
        let mut early = once("early", "2026-11-24 21:05", "up full", Some(1));
        let When::At { fires, .. } = &mut early.when else { panic!("{early:?}") };
        fires.target.settings =
            slaves(number).into_iter().map(|(name, number)| (name, SettingValue::Number(number))).collect();
        let mut sized = Written::new(vec![raises[0].clone(), early]).bent([grace()]);
        sized.scale.sizes = BTreeMap::from([("full".parse().expect("a level"), slaves(4))]);
        let told = sized.told("2026-11-24", "2026-11-25");
        let at = if begins { "21:05" } else { "21:10" };
        assert!(
            told.get(1).is_some_and(|told| told.starts_with(&format!("Tue 11-24 {at} full: "))),
            "{number}: {told:?}"
        );
    }
}

#[test]
fn a_change_that_ends_within_a_booking_of_its_level_is_over_with_the_booking() {
    let back = |from: &str, until: &str| Bend::Booked {
        target: target("full"),
        from: in_tokyo(from),
        until: in_tokyo(until),
        back: Some(target("full")),
    };
    for until in ["2026-11-24T22:00", "2026-11-24T23:00", "2026-11-25T02:00"] {
        let written = Written::new(Vec::new())
            .bent([visit("full", "2026-11-24T20:00", until), back("2026-11-24T22:00", "2026-11-25T02:00")]);
        assert_eq!(
            written.told("2026-11-24", "2026-12-26"),
            ["Tue 11-24 20:00 full: bend 1", "Wed 11-25 02:00 small: bend 2 ends, rests"],
            "{until}"
        );
    }
    // What was there without an end stays.
    let alone = Written::new(Vec::new()).bent([back("2026-11-24T22:00", "2026-11-25T02:00")]);
    assert_eq!(alone.told("2026-11-24", "2026-12-26"), ["Tue 11-24 22:00 full: bend 1"]);
}

#[test]
fn a_booking_stands_over_schedules_and_over_what_was_asked_for_before_and_goes_back_by_itself() {
    let night = || booked("huge", "2026-11-24T22:00", "2026-11-25T10:00");
    assert_eq!(
        work().bent([night()]).told("2026-11-24", "2026-11-26"),
        [
            "Tue 11-24 09:00 full: work begins",
            "Tue 11-24 21:00 small: work ends",
            "Tue 11-24 22:00 huge: bend 1",
            // Work began within it.
            "Wed 11-25 10:00 full: bend 1 ends, work asks",
            "Wed 11-25 21:00 small: work ends",
        ]
    );
    // A lower level than what the schedules ask for counts as well.
    assert_eq!(
        work().bent([booked("off", "2026-11-24T12:00", "2026-11-24T13:00")]).told("2026-11-24", "2026-11-25"),
        [
            "Tue 11-24 09:00 full: work begins",
            "Tue 11-24 12:00 off: bend 1",
            "Tue 11-24 13:00 full: bend 1 ends, work asks",
            "Tue 11-24 21:00 small: work ends",
        ]
    );
    // A change and a keep of before are hidden while it lasts, and those of within count.
    let early = visit("small", "2026-11-24T20:00", "2026-11-25T09:30");
    let within = visit("full", "2026-11-25T01:00", "2026-11-25T02:00");
    let kept = keep("small", "2026-11-24T21:30", "2026-11-24T23:00");
    assert_eq!(
        work().bent([night(), early, within, kept]).told("2026-11-24", "2026-11-26"),
        [
            "Tue 11-24 09:00 full: work begins",
            "Tue 11-24 20:00 small: bend 2",
            "Tue 11-24 22:00 huge: bend 1",
            "Wed 11-25 01:00 full: bend 3",
            "Wed 11-25 02:00 huge: bend 3 ends, bend 1",
            "Wed 11-25 10:00 full: bend 1 ends, work asks",
            "Wed 11-25 21:00 small: work ends",
        ]
    );
    // A pause is of schedules.
    assert_eq!(
        work().bent([night(), pause("2026-11-24T21:30", Some("2026-11-25T12:00"))]).told("2026-11-24", "2026-11-26"),
        [
            "Tue 11-24 09:00 full: work begins",
            "Tue 11-24 21:00 small: work ends",
            "Tue 11-24 22:00 huge: bend 1",
            "Wed 11-25 10:00 small: bend 1 ends, rests",
            "Wed 11-25 12:00 full: bend 2 ends, work asks",
            "Wed 11-25 21:00 small: work ends",
        ]
    );
}

#[test]
fn a_change_that_names_no_end_ends_as_a_booking_begins_and_a_skip_is_of_schedules() {
    let written = work().bent([booked("huge", "2026-11-24T20:00", "2026-11-24T23:00")]);
    let end = |from: &str| end_of_change(&written.agenda(), in_tokyo(from), 12 * 3_600_000);
    assert_eq!(end("2026-11-24T19:00"), in_tokyo("2026-11-24T20:00"));
    assert_eq!(end("2026-11-24T20:30"), in_tokyo("2026-11-24T23:00"));
    let next = schedules_next_after(&written.agenda(), in_tokyo("2026-11-24T19:00")).expect("they end");
    assert_eq!(next.at, in_tokyo("2026-11-24T21:00"));
}
