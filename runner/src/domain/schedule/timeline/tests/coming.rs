//! What one schedule next does, among the others.

use super::super::{Coming, coming};
use super::*;
use crate::domain::schedule::bend::Bend;

/// Noon of a Sunday.
const NOON: &str = "2026-11-22T12:00:00+09:00";

/// What the first schedule of these does next: the transition that it makes, and when it asks for something that changes nothing.
fn of_first(written: &Written) -> (Option<String>, Option<String>) {
    let Coming { makes, idle, holds_off: _, over } = coming(&written.agenda(), &written.schedules[0], at(NOON));
    assert!(!over, "{makes:?} {idle:?}");
    let idle = idle.map(|idle| {
        let wanted = idle.wanted.map(|wanted| wanted.level.to_string()).unwrap_or_default();
        let by: Vec<&str> = idle.because.iter().filter_map(Because::schedule).collect();
        format!("{} {}, not {wanted} of {}", idle.turn.local.format("%a %H:%M"), idle.turn.wanted.level, by.join("+"))
    });
    (makes.as_ref().map(told), idle)
}

#[test]
fn what_is_one_sided_or_far_ahead_is_no_less_to_come_than_a_window() {
    let evening = || window("evening", "Mon-Fri -21:00", "-", "small");
    let morning = || window("morning", "Mon-Fri 09:00-", "full", "-");
    let hours = || window("hours", "Mon-Fri 09:00-21:00", "full", "small");
    for (schedules, makes) in [
        (vec![morning(), evening()], "Tue 11-24 09:00 full: morning begins"),
        (vec![evening(), morning()], "Tue 11-24 21:00 small: evening ends"),
        (vec![window("sunday", "Sun 20:00-", "full", "-"), hours()], "Sun 11-22 20:00 full: sunday begins"),
        (vec![once("eve", "2036-12-24 18:00", "up huge", Some(3)), hours()], "Wed 12-24 18:00 huge: eve begins"),
        (
            vec![window("xmas", "2035-12-20 09:00 - 2036-01-05 18:00", "huge", "small"), hours()],
            "Thu 12-20 09:00 huge: xmas begins",
        ),
        (vec![hours()], "Tue 11-24 09:00 full: hours begins"),
    ] {
        let names: Vec<_> = schedules.iter().map(|one| one.name.clone()).collect();
        assert_eq!(of_first(&Written::new(schedules)), (Some(makes.to_owned()), None), "{names:?}");
    }
}

#[test]
fn what_another_one_or_somebody_overrules_is_told_with_who_asks() {
    let hours = || window("hours", "Mon-Fri 09:00-21:00", "full", "small");
    let off = || cron("night off", "0 9 * * 1-5", "down small", None);
    let overruled = Some("Tue 09:00 full, not small of night off".to_owned());
    assert_eq!(of_first(&Written::new(vec![hours(), off()])), (None, overruled));
    // Until the keep ends; then it is the schedule's again.
    let (from, until) = (at("2026-11-23T09:00:00+09:00"), at("2026-11-25T12:00:00+09:00"));
    let kept = Written::new(vec![hours()]).bent([Bend::Keep { target: target("huge"), from, until }]);
    let (makes, idle) = of_first(&kept);
    assert_eq!(makes.as_deref(), Some("Wed 11-25 12:00 full: bend 1 ends, hours asks"));
    assert_eq!(idle.as_deref(), Some("Tue 09:00 full, not huge of "));
}

#[test]
fn a_schedule_that_has_its_level_alone_changes_nothing_and_one_whose_dates_are_past_is_over() {
    let alone = Written::new(vec![window("morning", "Mon-Fri 09:00-", "full", "-")]);
    assert_eq!(of_first(&alone), (None, Some("Tue 09:00 full, not full of morning".to_owned())));
    let past = Written::new(vec![once("past", "2020-12-24 18:00", "up full", Some(3))]);
    let found = coming(&past.agenda(), &past.schedules[0], at(NOON));
    assert_eq!(found, Coming { over: true, ..Coming::default() });
}

#[test]
fn what_changes_nothing_by_itself_and_holds_off_what_others_would_do_says_so() {
    let hours = || window("hours", "Mon-Fri 09:00-21:00", "full", "small");
    let long = once("long", "2026-11-24 18:00", "up full", Some(24 * 31));
    let written = Written::new(vec![long, hours()]);
    let found = coming(&written.agenda(), &written.schedules[0], at(NOON));
    assert_eq!(found.holds_off.as_ref().map(told).as_deref(), Some("Tue 11-24 21:00 small: hours ends"));
    assert_eq!((found.makes, found.over), (None, false));
    assert!(found.idle.is_some_and(|idle| idle.wanted.is_some_and(|wanted| wanted == idle.turn.wanted)));
    // Who does something is seen by that.
    assert_eq!(coming(&written.agenda(), &written.schedules[1], at(NOON)).holds_off, None);
}
