//! What schedules ask for, alone and together.

use chrono_tz::Tz;

use super::{Written, at, cron, once, schedule, target, window};
use crate::domain::ids::Timestamp;
use crate::domain::schedule::check::{QuietKind, conflicts, never, quiet_days, swallowed, unknown_years};
use crate::domain::schedule::item::{Schedule, When};
use crate::domain::schedule::timeline::{Because, Note, Standing, end_of_change, level_at, next_after, timeline};
use crate::domain::schedule::wall::{OnGap, OnOverlap};

#[test]
fn working_hours_raise_in_the_morning_and_lower_at_night_but_not_on_holidays() {
    let written = Written::new(vec![window("work", "Mon-Fri 09:00-21:00", "full", "small")]);
    assert_eq!(
        written.told("2026-11-20", "2026-11-25"),
        [
            "Fri 11-20 09:00 full: work begins",
            "Fri 11-20 21:00 small: work ends",
            "Tue 11-24 09:00 full: work begins",
            "Tue 11-24 21:00 small: work ends",
        ]
    );
    let next = next_after(&written.agenda(), at("2026-11-20T09:00:00+09:00")).expect("it ends");
    assert_eq!((next.key().as_str(), next.before), ("work@2026-11-20T21:00+09:00", Some(target("full"))));
    let quiet =
        quiet_days(&written.agenda(), "2026-11-20".parse().expect("a date"), "2026-11-30".parse().expect("a date"));
    let quiet: Vec<_> = quiet.iter().map(|quiet| format!("{} {} {}", quiet.date, quiet.schedule, quiet.name)).collect();
    assert_eq!(quiet, ["2026-11-23 work Labor Thanksgiving Day"]);
}

#[test]
fn what_lies_whole_in_an_hour_that_the_clocks_skip_is_named() {
    let mut hours = [
        window("short", "daily 02:10-02:40", "full", "small"),
        window("begins", "daily 02:10-04:00", "full", "small"),
        cron("left out", "30 2 * * *", "up full", Some(1)),
        cron("moved", "30 2 * * *", "up full", Some(1)),
    ];
    for (at, schedule) in hours.iter_mut().enumerate() {
        schedule.zone = Tz::Europe__Berlin;
        schedule.holidays = None;
        schedule.on_gap = if at == 2 { OnGap::Skip } else { OnGap::First };
    }
    for (index, told) in [(0, Some("02:10-02:40")), (1, None), (2, Some("02:30")), (3, None)] {
        let written = Written::new(vec![hours[index].clone()]);
        let day = |text: &str| text.parse().expect("a date");
        let quiet = quiet_days(&written.agenda(), day("2027-03-20"), day("2027-04-05"));
        let found: Vec<_> =
            quiet.iter().map(|quiet| (quiet.date.to_string(), quiet.name.as_str(), quiet.kind)).collect();
        let expected: Vec<_> = told.map(|name| ("2027-03-28".to_owned(), name, QuietKind::Gap)).into_iter().collect();
        assert_eq!(found, expected, "{}", written.schedules[0].name);
        let autumn = quiet_days(&written.agenda(), day("2027-10-20"), day("2027-11-05"));
        assert!(autumn.is_empty(), "{autumn:?}");
    }
}

#[test]
fn years_whose_holidays_nobody_knows_are_named() {
    let written = Written::new(vec![window("work", "Mon-Fri 09:00-21:00", "full", "small")]);
    let unknown = |last: &str| unknown_years(&written.agenda(), last.parse().expect("a date"));
    assert!(unknown("2035-12-31").is_empty());
    assert_eq!(unknown("2036-01-01").into_iter().collect::<Vec<_>>(), [("JP".to_owned(), 2035)]);
}

#[test]
fn what_is_wanted_stands_between_transitions() {
    let written = Written::new(vec![window("work", "Mon-Fri 09:00-21:00", "full", "small")]);
    let standing = |level: &str| {
        Some(Standing {
            wanted: target(level),
            because: vec![Because::Asks { schedule: "work".to_owned() }],
            until: None,
        })
    };
    for (moment, level) in [
        ("2026-11-20T08:59:59+09:00", "small"),
        ("2026-11-20T09:00:00+09:00", "full"),
        ("2026-11-20T20:59:59+09:00", "full"),
        ("2026-11-20T21:00:00+09:00", "small"),
        ("2026-11-23T12:00:00+09:00", "small"),
    ] {
        assert_eq!(level_at(&written.agenda(), at(moment)), standing(level), "{moment}");
    }
    assert_eq!(level_at(&Written::new(Vec::new()).agenda(), at("2026-11-20T08:59:59+09:00")), None);
    assert_eq!(next_after(&Written::new(Vec::new()).agenda(), at("2026-11-20T08:59:59+09:00")), None);
}

#[test]
fn a_window_over_midnight_and_one_over_the_weekend_match() {
    let night = Written::new(vec![window("batch", "Mon-Fri 22:00-06:00", "full", "off")]);
    assert_eq!(
        night.told("2026-11-19", "2026-11-21"),
        [
            "Thu 11-19 06:00 off: batch ends",
            "Thu 11-19 22:00 full: batch begins",
            "Fri 11-20 06:00 off: batch ends",
            "Fri 11-20 22:00 full: batch begins",
        ]
    );
    let weekend = Written::new(vec![window("weekend", "Fri 20:00 - Mon 08:00", "off", "small")]);
    assert_eq!(
        weekend.told("2026-11-20", "2026-11-30"),
        [
            "Fri 11-20 20:00 off: weekend begins",
            "Tue 11-24 08:00 small: weekend ends",
            "Fri 11-27 20:00 off: weekend begins"
        ]
    );
    let transitions = timeline(&weekend.agenda(), at("2026-11-24T00:00:00+09:00"), at("2026-11-25T00:00:00+09:00"));
    let holiday =
        Note::Holiday { date: "2026-11-23".parse().expect("a date"), name: "Labor Thanksgiving Day".to_owned() };
    assert_eq!(transitions.first().map(|transition| transition.notes.as_slice()), Some([holiday].as_slice()));
}

#[test]
fn one_sided_windows_hold_until_something_else_says_otherwise() {
    let pair = Written::new(vec![
        window("morning", "Mon-Fri 09:00-", "full", "-"),
        window("evening", "Mon-Thu -21:00", "-", "small"),
    ]);
    assert_eq!(
        pair.told("2026-11-26", "2026-12-01"),
        [
            "Thu 11-26 09:00 full: morning begins",
            "Thu 11-26 21:00 small: evening ends",
            "Fri 11-27 09:00 full: morning begins",
            "Mon 11-30 21:00 small: evening ends",
        ]
    );
    let date = Written::new(vec![window("from then on", "2026-11-24 09:00-", "huge", "-")]);
    assert_eq!(level_at(&date.agenda(), at("2026-11-24T08:59:59+09:00")), None);
    assert_eq!(date.told("2026-11-01", "2030-11-01"), ["Tue 11-24 09:00 huge: from then on begins"]);
    assert_eq!(
        level_at(&date.agenda(), at("2036-11-24T09:00:00+09:00")).map(|level| level.wanted),
        Some(target("huge"))
    );
}

#[test]
fn inside_counts_more_than_outside_and_dates_more_than_days() {
    let written = Written::new(vec![
        window("work", "Mon-Fri 09:00-21:00", "full", "small"),
        window("saturday", "Sat 10:00-14:00", "full", "small"),
        window("new year", "2026-12-04 18:00 - 2026-12-07 12:00", "off", "small"),
    ]);
    assert_eq!(
        written.told("2026-11-27", "2026-12-09"),
        [
            "Fri 11-27 09:00 full: work begins",
            "Fri 11-27 21:00 small: work ends",
            "Sat 11-28 10:00 full: saturday begins",
            "Sat 11-28 14:00 small: saturday ends",
            "Mon 11-30 09:00 full: work begins",
            "Mon 11-30 21:00 small: work ends",
            "Tue 12-01 09:00 full: work begins",
            "Tue 12-01 21:00 small: work ends",
            "Wed 12-02 09:00 full: work begins",
            "Wed 12-02 21:00 small: work ends",
            "Thu 12-03 09:00 full: work begins",
            "Thu 12-03 21:00 small: work ends",
            "Fri 12-04 09:00 full: work begins",
            "Fri 12-04 18:00 off: new year begins",
            "Mon 12-07 12:00 full: new year ends, work asks",
            "Mon 12-07 21:00 small: work ends",
            "Tue 12-08 09:00 full: work begins",
            "Tue 12-08 21:00 small: work ends",
        ]
    );
    assert_eq!(conflicts(&written.agenda(), at("2026-11-01T00:00:00Z"), at("2027-02-01T00:00:00Z")), []);
}

#[test]
fn of_exceptions_that_are_over_the_last_one_counts() {
    let written = Written::new(vec![
        window("one", "2026-11-24 09:00 - 2026-11-25 09:00", "full", "off"),
        window("other", "2026-11-26 09:00-18:00", "huge", "small"),
    ]);
    assert_eq!(
        written.told("2026-11-24", "2026-12-24"),
        [
            "Tue 11-24 09:00 full: one begins",
            "Wed 11-25 09:00 off: one ends",
            "Thu 11-26 09:00 huge: other begins",
            "Thu 11-26 18:00 small: other ends"
        ]
    );
    assert_eq!(conflicts(&written.agenda(), at("2026-11-01T00:00:00Z"), at("2028-11-01T00:00:00Z")), []);
}

#[test]
fn a_crontab_line_counts_more_than_windows_until_its_time_is_over() {
    let written = Written::new(vec![
        window("work", "Mon-Fri 09:00-21:00", "full", "small"),
        cron("rehearsal", "0 2 24,28 * *", "up huge", Some(3)),
        cron("early friday", "0 18 * * 5", "down off", None),
        once("review", "2026-11-27 10:00", "up huge", Some(2)),
        cron("never less", "0 12 * * 3", "up small", Some(1)),
        cron("never more", "0 23 * * 3", "down full", None),
    ]);
    assert_eq!(
        written.told("2026-11-23", "2026-11-29"),
        [
            "Tue 11-24 02:00 huge: rehearsal begins",
            "Tue 11-24 05:00 small: rehearsal ends, work asks",
            "Tue 11-24 09:00 full: work begins",
            "Tue 11-24 21:00 small: work ends",
            "Wed 11-25 09:00 full: work begins",
            "Wed 11-25 21:00 small: work ends",
            "Thu 11-26 09:00 full: work begins",
            "Thu 11-26 21:00 small: work ends",
            "Fri 11-27 09:00 full: work begins",
            "Fri 11-27 10:00 huge: review begins",
            "Fri 11-27 12:00 full: review ends, work asks",
            "Fri 11-27 18:00 off: early friday begins",
            "Fri 11-27 21:00 small: work ends",
            "Sat 11-28 02:00 huge: rehearsal begins",
            "Sat 11-28 05:00 small: rehearsal ends, work asks",
        ]
    );
    let transitions = timeline(&written.agenda(), at("2026-11-23T17:00:00Z"), at("2026-11-23T20:00:00.001Z"));
    assert_eq!(transitions.first().and_then(|transition| transition.until), Some(at("2026-11-23T20:00:00Z")));
    let keys: Vec<_> = transitions.iter().map(super::Transition::key).collect();
    assert_eq!(keys, ["rehearsal@2026-11-24T02:00+09:00", "rehearsal@2026-11-24T05:00+09:00"]);
}

#[test]
fn without_windows_an_environment_rests_after_a_crontab_line() {
    let written =
        Written::new(vec![cron("day", "0 9 * * 1-5", "up full", Some(8)), cron("off", "0 20 * * 5", "down off", None)]);
    assert_eq!(
        written.told("2026-11-26", "2026-11-30"),
        [
            "Thu 11-26 09:00 full: day begins",
            "Thu 11-26 17:00 small: day ends, rests",
            "Fri 11-27 09:00 full: day begins",
            "Fri 11-27 17:00 small: day ends, rests",
            "Fri 11-27 20:00 off: off begins",
        ]
    );
    let noon = level_at(&written.agenda(), at("2026-11-26T19:00:00+09:00"));
    assert_eq!(noon.map(|standing| (standing.wanted, standing.because)), Some((target("small"), vec![Because::Rests])));
}

#[test]
fn a_later_line_takes_over_from_an_earlier_one() {
    let written = Written::new(vec![
        cron("long", "0 9 25 * *", "up full", Some(8)),
        cron("short", "0 10 25 * *", "up huge", Some(1)),
    ]);
    assert_eq!(
        written.told("2026-11-25", "2026-11-26"),
        [
            "Wed 11-25 09:00 full: long begins",
            "Wed 11-25 10:00 huge: short begins",
            "Wed 11-25 11:00 small: short ends, rests"
        ]
    );
}

#[test]
fn a_time_that_the_clock_skips_comes_with_the_first_instant_after_it_and_one_it_repeats_comes_once() {
    let in_berlin = |text: &str, gap, overlap| {
        let mut one = window("berlin", text, "full", "small");
        (one.zone, one.holidays, one.on_gap, one.on_overlap) = (Tz::Europe__Berlin, None, gap, overlap);
        Written::new(vec![one])
    };
    // 2026-03-29: 02:00 becomes 03:00. 2026-10-25: 03:00 becomes 02:00 again.
    for (text, gap, overlap, day, expected) in [
        (
            "Sun 02:30-04:00",
            OnGap::First,
            OnOverlap::First,
            "2026-03-29",
            "03:00+02:00 full Gap 02:30, 04:00+02:00 small",
        ),
        ("Sun 02:30-04:00", OnGap::Skip, OnOverlap::First, "2026-03-29", ""),
        (
            "Sun 01:00-02:30",
            OnGap::Skip,
            OnOverlap::First,
            "2026-03-29",
            "01:00+01:00 full, 03:00+02:00 small Gap 02:30",
        ),
        ("Sun 02:10-02:40", OnGap::First, OnOverlap::First, "2026-03-29", ""),
        ("Sun 02:30-04:00", OnGap::First, OnOverlap::First, "2026-10-25", "02:30+02:00 full first, 04:00+01:00 small"),
        (
            "Sun 02:30-04:00",
            OnGap::First,
            OnOverlap::Second,
            "2026-10-25",
            "02:30+01:00 full second, 04:00+01:00 small",
        ),
        (
            "Sun 02:15-02:45",
            OnGap::First,
            OnOverlap::First,
            "2026-10-25",
            "02:15+02:00 full first, 02:45+02:00 small first",
        ),
    ] {
        let from = at(&format!("{day}T00:00:00+00:00"));
        let found =
            timeline(&in_berlin(text, gap, overlap).agenda(), from.plus_ms(-7_200_000), from.plus_ms(43_200_000));
        let note = |note: &Note| match note {
            Note::Gap { written } => format!(" Gap {}", written.format("%H:%M")),
            Note::Overlap { first } => if *first { " first" } else { " second" }.to_owned(),
            Note::Holiday { .. } | Note::Working { .. } => String::new(),
        };
        let found = found.iter().map(|one| {
            let notes: String = one.notes.iter().map(note).collect();
            format!("{}{} {}{notes}", one.local.format("%H:%M"), one.offset, one.wanted.level)
        });
        assert_eq!(found.collect::<Vec<_>>().join(", "), expected, "{text} {day} {gap:?} {overlap:?}");
    }
}

#[test]
fn firings_that_a_clock_change_skips_are_one() {
    let mut quarter = cron("quarter", "*/15 2 29 3 *", "up full", Some(1));
    quarter.zone = Tz::Europe__Berlin;
    let found = timeline(&Written::new(vec![quarter]).agenda(), at("2026-03-28T00:00:00Z"), at("2026-03-30T00:00:00Z"));
    let found: Vec<_> = found.iter().map(|one| format!("{} {}", one.key(), one.wanted.level)).collect();
    assert_eq!(found, ["quarter@2026-03-29T03:00+02:00 full", "quarter@2026-03-29T04:00+02:00 small"]);
}

#[test]
fn schedules_that_contradict_each_other_are_found_with_the_first_moment() {
    let told = |schedules: Vec<_>| -> Vec<String> {
        let written = Written::new(schedules);
        let found = conflicts(&written.agenda(), at("2026-11-20T00:00:00+09:00"), at("2028-11-20T00:00:00+09:00"));
        let level = |target: &super::Target| target.level.to_string();
        found
            .iter()
            .map(|one| {
                format!(
                    "{} {} | {} {} | {}",
                    one.one,
                    level(&one.one_wants),
                    one.other,
                    level(&one.other_wants),
                    one.local
                )
            })
            .collect()
    };
    let work = || window("work", "Mon-Fri 09:00-21:00", "full", "small");
    assert_eq!(
        told(vec![work(), window("late", "Wed 20:00-23:00", "huge", "small")]),
        ["work full | late huge | 2026-11-25 20:00"]
    );
    assert_eq!(
        told(vec![work(), window("nights", "Sat 20:00-23:00", "huge", "off")]),
        ["work small | nights off | 2026-11-20 00:00"]
    );
    assert_eq!(told(vec![work(), window("late", "Wed 20:00-23:00", "full", "small")]), Vec::<String>::new());
    assert_eq!(
        told(vec![work(), cron("a", "0 2 29 2 *", "up full", Some(1)), cron("b", "0 2 * 2 2", "up huge", Some(1))]),
        ["a full | b huge | 2028-02-29 02:00"]
    );
    assert_eq!(told(vec![work(), cron("a", "0 10 * * *", "up huge", Some(1))]), Vec::<String>::new());
    assert_eq!(
        told(vec![window("a", "Mon 09:00-", "full", "-"), window("b", "Mon -09:00", "-", "off")]),
        ["a full | b off | 2026-11-20 00:00"]
    );
    assert_eq!(
        told(vec![window("a", "Wed 09:00-", "full", "-"), window("b", "Wed 09:00-12:00", "huge", "small")]),
        ["a full | b huge | 2026-11-25 09:00"]
    );
}

#[test]
fn what_never_happens_is_found() {
    let now = at("2026-11-20T12:00:00+09:00");
    for (text, expected) in [
        ("Mon-Fri 09:00-21:00", false),
        ("5th Mon 09:00-21:00", false),
        ("2026-11-20 09:00-18:00", false),
        ("2026-11-20 09:00-11:00", true),
        ("2026-11-19 22:00 - 2026-11-20 06:00", true),
        ("2026-11-20 13:00-14:00", false),
    ] {
        assert_eq!(never(&window("one", text, "full", "small"), None, now), expected, "{text}");
    }
    assert!(never(&once("one", "2026-11-20 11:59", "up full", Some(1)), None, now));
    assert!(!never(&once("one", "2031-11-20 11:59", "up full", Some(1)), None, now));
    assert!(!never(&cron("one", "0 0 29 2 *", "up full", Some(1)), None, now));
    assert!(never(&schedule("one", Tz::UTC, once("one", "2020-01-01 00:00", "down off", None).when), None, now));
}

#[test]
fn what_clock_changes_skip_whole_is_found() {
    // 2027-03-28 02:00 to 03:00 does not exist in Berlin.
    let in_berlin = |mut schedule: Schedule, on_gap: OnGap| {
        (schedule.zone, schedule.on_gap) = (Tz::Europe__Berlin, on_gap);
        swallowed(&schedule, None).map(|wall| wall.format("%H:%M").to_string())
    };
    for (text, first, skip) in [
        ("2027-03-28 02:10-02:40", Some("02:10"), Some("02:10")),
        ("2027-03-28,2027-03-29 02:10-02:40", None, None),
        ("2027-03-28 02:10-04:00", None, Some("02:10")),
        ("2027-03-28 01:10-02:40", None, None),
        ("2027-03-28 02:10 - 2027-03-28 02:40", Some("02:10"), Some("02:10")),
        ("2027-03-28 02:10 - 2027-03-30 02:40", None, Some("02:10")),
        ("2027-10-31 02:10-02:40", None, None),
        ("Sun 02:10-02:40", None, None),
    ] {
        for (on_gap, expected) in [(OnGap::First, first), (OnGap::Skip, skip)] {
            let found = in_berlin(window("one", text, "full", "small"), on_gap);
            assert_eq!(found.as_deref(), expected, "{text} {on_gap:?}");
        }
    }
    let at = || once("one", "2027-03-28 02:30", "up full", Some(1));
    assert_eq!(in_berlin(at(), OnGap::First), None);
    assert_eq!(in_berlin(at(), OnGap::Skip).as_deref(), Some("02:30"));
    assert_eq!(in_berlin(cron("one", "30 2 28 3 *", "up full", Some(1)), OnGap::Skip), None);
}

#[test]
fn a_schedule_that_is_kept_as_json_is_the_same() {
    let all = [
        window("work", "Mon-Fri 09:00-21:00", "full", "small"),
        cron("batch", "0 2 1 * *", "up full", Some(3)),
        once("review", "2026-11-27 10:00", "down off", None),
    ];
    for one in all {
        let kept = serde_json::to_string(&one).expect("JSON");
        assert_eq!(serde_json::from_str::<Schedule>(&kept).expect("a schedule"), one, "{kept}");
    }
}

#[test]
fn a_schedule_says_what_it_needs() {
    let scale = Written::new(Vec::new()).scale;
    for (one, told) in [
        (cron("a", "0 2 1 * *", "up full", None), "it raises to full and must say `for` how long: `for = \"3h\"`"),
        (cron("a", "0 2 1 * *", "up full", Some(0)), "`for` is 0: it would end when it begins"),
        (cron("a", "0 2 1 * *", "up full", Some(24 * 32)), "`for` is longer than 31 days: use a window"),
        (cron("a", "0 2 1 * *", "up big", Some(1)), "it has no level `big`"),
        (
            window("a", "Mon-Fri 09:00-21:00", "-", "small"),
            "`inside` is missing: which level is wanted from the beginning of `Mon-Fri 09:00-21:00`?",
        ),
        (
            window("a", "Mon-Fri 09:00-21:00", "full", "-"),
            "`outside` is missing: which level is wanted from the end of `Mon-Fri 09:00-21:00`?",
        ),
        (window("a", "Mon 09:00-", "full", "small"), "`outside` has no meaning: `Mon 09:00-` has a beginning only"),
        (window("a", "Mon -09:00", "full", "small"), "`inside` has no meaning: `Mon -09:00` has an end only"),
    ] {
        assert_eq!(one.check(&scale).map_err(|error| error.to_string()), Err(told.to_owned()));
    }
    for one in [cron("a", "0 2 1 * *", "up small", None), cron("a", "0 2 1 * *", "down full", None)] {
        assert_eq!(one.check(&scale), Ok(()));
    }
}

#[test]
fn a_change_ends_with_the_schedules_next_transition_or_after_the_longest_visit() {
    let written = Written::new(vec![window("work", "Mon-Fri 09:00-21:00", "full", "small")]);
    let end = |from: &str| end_of_change(&written.agenda(), at(from), 12 * 3_600_000);
    assert_eq!(end("2026-11-20T10:00:00+09:00"), at("2026-11-20T21:00:00+09:00"));
    assert_eq!(end("2026-11-20T22:00:00+09:00"), at("2026-11-21T10:00:00+09:00"));
    assert_eq!(end("2026-11-20T09:00:00+09:00"), at("2026-11-20T21:00:00+09:00"));
}

#[test]
fn moments_beyond_all_calendars_are_no_panic() {
    let written = Written::new(vec![
        window("work", "Mon-Fri 09:00-21:00", "full", "small"),
        cron("c", "* * * * *", "down off", None),
    ]);
    for moment in [i64::MIN, i64::MAX, 8_210_266_876_799_999, -8_334_601_228_800_000, 0] {
        let _ = (
            level_at(&written.agenda(), Timestamp(moment)),
            timeline(&written.agenda(), Timestamp(moment), Timestamp(moment.saturating_add(1))),
        );
    }
    assert!(matches!(written.schedules.first().map(|one| &one.when), Some(When::Window { .. })));
}
