//! Laws that hold in every zone, over every clock change, however a span is cut and whatever is bent.

use chrono::{DateTime, Offset as _, TimeDelta, Timelike as _};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;

use super::{Written, bent, cron, target, window};
use crate::domain::ids::Timestamp;
use crate::domain::schedule::bend::{Bend, Bent, Skipped};
use crate::domain::schedule::item::Schedule;
use crate::domain::schedule::timeline::{level_at, next_after, timeline};
use crate::domain::schedule::wall::{OnGap, OnOverlap};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Minutes of a week.
const WEEK: i64 = 7 * 24 * 60;
/// 2024-01-01 and 2031-01-01, both at midnight in UTC.
const YEARS: std::ops::Range<i64> = 1_704_067_200_000..1_925_000_000_000;

/// Milliseconds by which a zone's wall clock is ahead of UTC at a moment. From UTC only: the way back is what is tested.
fn ahead(zone: Tz, at: i64) -> i64 {
    let utc = DateTime::from_timestamp_millis(at).expect("a moment");
    i64::from(utc.with_timezone(&zone).offset().fix().local_minus_utc()) * 1_000
}

/// Every moment of 2024 to 2030 at which a zone's clock changes, with how far ahead of UTC it is before and after.
fn changes(zone: Tz) -> Vec<(i64, i64, i64)> {
    let mut found = Vec::new();
    let mut before = ahead(zone, YEARS.start);
    for day in (YEARS.start..YEARS.end).step_by(usize::try_from(2 * DAY).expect("a step")) {
        let after = ahead(zone, day + 2 * DAY);
        if after != before {
            let (mut low, mut high) = (day, day + 2 * DAY);
            while high - low > 1_000 {
                let middle = i64::midpoint(low, high) / 1_000 * 1_000;
                if ahead(zone, middle) == before { low = middle } else { high = middle }
            }
            found.push((high, before, after));
        }
        before = after;
    }
    found
}

/// Minutes since Monday 00:00 that a wall clock shows.
fn minute_of_week(wall: i64) -> i64 {
    // 1970-01-01 was a Thursday.
    (wall.div_euclid(MINUTE) + 3 * 24 * 60).rem_euclid(WEEK)
}

fn clock(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60 % 24, minute % 60)
}

fn weekday(minute: i64) -> &'static str {
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        .into_iter()
        .cycle()
        .nth(usize::try_from(minute / (24 * 60)).expect("a day"))
        .expect("a day")
}

/// Over a clock change, what is wanted at each minute is what the written hours say on a clock that never goes back: it jumps
/// over what is skipped, and stands while an hour is repeated. So the time at each level is as written, nothing is lost and
/// nothing comes twice. The window is `from` to `to`, in minutes after Monday 00:00, each day or each week.
fn holds_over(zone: Tz, (change, before, after): (i64, i64, i64), from: i64, to: i64, round: i64) {
    let (from, to) = (from.rem_euclid(round), to.rem_euclid(round));
    let text = if round == WEEK {
        format!("{} {} - {} {}", weekday(from), clock(from), weekday(to), clock(to))
    } else {
        format!("daily {}-{}", clock(from), clock(to))
    };
    let mut one = window("one", &text, "full", "small");
    (one.zone, one.holidays) = (zone, None);
    let written = Written::new(vec![one]);
    let (begin, end) = (change - 16 * HOUR, change + 16 * HOUR);
    let transitions = timeline(&written.agenda(), Timestamp(begin), Timestamp(end));
    let first = level_at(&written.agenda(), Timestamp(begin - 1)).expect("it stands");
    let mut wanted = first.wanted == target("full");
    let (mut shown, mut next) = (i64::MIN, transitions.iter().peekable());
    for now in (begin..end).step_by(usize::try_from(MINUTE).expect("a step")) {
        shown = shown.max(now + if now < change { before } else { after });
        let inside = (minute_of_week(shown) - from).rem_euclid(round) < (to - from).rem_euclid(round);
        while let Some(transition) = next.next_if(|transition| transition.at.0 <= now) {
            wanted = transition.wanted == target("full");
        }
        assert_eq!(wanted, inside, "{zone}: {text} at {now}, change at {change}: {transitions:#?}");
    }
}

#[test]
fn in_every_zone_time_at_each_level_is_as_written_over_every_clock_change() {
    let mut seen = 0;
    for zone in TZ_VARIANTS {
        for change in changes(zone) {
            seen += 1;
            let (one, other) = (change.0 + change.1, change.0 + change.2);
            let (low, high) = (minute_of_week(one.min(other)), minute_of_week(one.max(other)));
            // Over midnight; begun in the hour that is skipped or repeated; ended in it; all within it; the same once a week.
            holds_over(zone, change, 22 * 60, 6 * 60, WEEK / 7);
            holds_over(zone, change, low + 10, high + 90, WEEK / 7);
            holds_over(zone, change, low - 90, low + 20, WEEK / 7);
            holds_over(zone, change, low + 10, low + 25, WEEK / 7);
            holds_over(zone, change, low - 15 * 60, low + 20, WEEK);
            holds_over(zone, change, low + 10, high + 40 * 60, WEEK);
        }
    }
    assert!(seen > 2_500, "{seen} clock changes");
}

/// The moments at which a schedule asks for `full` within four hours of a clock change.
fn asked_for_full(schedule: &Schedule, change: i64) -> Vec<i64> {
    let written = Written::new(vec![schedule.clone()]);
    let all = timeline(&written.agenda(), Timestamp(change - 4 * HOUR), Timestamp(change + 4 * HOUR));
    all.iter().filter(|transition| transition.wanted == target("full")).map(|transition| transition.at.0).collect()
}

#[test]
fn in_every_zone_what_is_written_in_a_gap_or_a_fold_happens_once_and_as_it_says() {
    let mut seen = [0, 0];
    for zone in TZ_VARIANTS {
        for (change, before, after) in changes(zone) {
            let gap = after > before;
            seen[usize::from(gap)] += 1;
            // In the middle of what is skipped or shown twice.
            let wall = (change + before.min(after) + (after - before).abs() / 2) / MINUTE * MINUTE;
            let minute = wall.rem_euclid(DAY) / MINUTE;
            let line = cron("one", &format!("{} {} * * *", minute % 60, minute / 60), "up full", Some(1));
            let hours = window("one", &format!("daily {}-{}", clock(minute), clock(minute + 6 * 60)), "full", "small");
            for (schedule, on_gap, on_overlap) in [
                (&line, OnGap::First, OnOverlap::First),
                (&line, OnGap::Skip, OnOverlap::Second),
                (&hours, OnGap::First, OnOverlap::First),
                (&hours, OnGap::Skip, OnOverlap::Second),
            ] {
                let schedule = Schedule { zone, on_gap, on_overlap, holidays: None, ..schedule.clone() };
                let expected = match (gap, on_gap, on_overlap) {
                    (true, OnGap::First, _) => vec![change],
                    (true, OnGap::Skip, _) => vec![],
                    (false, _, OnOverlap::First) => vec![wall - before],
                    (false, _, OnOverlap::Second) => vec![wall - after],
                };
                let found = asked_for_full(&schedule, change);
                assert_eq!(
                    found,
                    expected,
                    "{zone}: {} {on_gap:?} {on_overlap:?}, change at {change}",
                    schedule.when.text()
                );
            }
        }
    }
    assert!(seen[0] > 1_000 && seen[1] > 1_000, "{seen:?} folds and gaps");
}

/// Something to write for an environment.
fn schedules() -> impl Strategy<Value = Vec<Schedule>> {
    let windows = prop::sample::subsequence(
        vec![
            window("work", "Mon-Fri 09:00-21:00", "full", "small"),
            window("night", "daily 23:30-02:30", "huge", "small"),
            window("weekend", "Fri 20:00 - Mon 08:00", "off", "small"),
            window("morning", "Mon-Fri 07:15-", "full", "-"),
            window("evening", "Tue,Thu -24:00", "-", "off"),
            window("nth", "1st,last Sun 01:30-02:30", "huge", "small"),
            window("dates", "2026-03-29 01:00 - 2026-10-25 02:30", "full", "off"),
        ],
        0..4,
    );
    let lines = prop::sample::subsequence(
        vec![
            cron("monthly", "30 2 1 * *", "up huge", Some(3)),
            cron("often", "*/20 1-3 * * 0", "up full", Some(1)),
            cron("down", "0 18 * * 5", "down off", None),
            cron("either", "15 2 29 * 0", "up full", Some(30)),
        ],
        0..3,
    );
    (windows, lines, prop::sample::select(TZ_VARIANTS.to_vec()), any::<bool>(), any::<bool>()).prop_map(
        |(windows, lines, zone, skip, second)| {
            let mut all: Vec<_> = windows.into_iter().chain(lines).collect();
            for (at, one) in all.iter_mut().enumerate() {
                one.zone = if at == 1 { Tz::Asia__Tokyo } else { zone };
                // Only a line has moments that it counts from; a window does not mind.
                one.since = (at == 2).then_some(Timestamp(1_775_000_000_000));
                one.on_gap = if skip { OnGap::Skip } else { OnGap::First };
                one.on_overlap = if second { OnOverlap::Second } else { OnOverlap::First };
            }
            all
        },
    )
}

fn bends(from: i64) -> impl Strategy<Value = Vec<Bent>> {
    let level = prop::sample::select(vec!["off", "small", "full", "huge"]);
    let one =
        (0..6_u8, 0..30 * 24 * 60_i64, 1..4 * 24 * 60_i64, level).prop_map(move |(kind, begin, length, level)| {
            let begins = Timestamp(from + begin * MINUTE);
            let until = begins.plus_ms(length * MINUTE);
            let date = DateTime::from_timestamp_millis(begins.0).expect("a moment").naive_utc();
            match kind {
                0 => Bend::Keep { target: target(level), from: begins, until },
                1 => Bend::Visit { target: target(level), from: begins, until, said: true },
                5 => Bend::Grace { target: target(level), from: begins, until, then: None, foretold: vec![] },
                2 => Bend::Pause { from: begins, until: Some(until).filter(|_| length % 7 > 0) },
                3 => Bend::Skip(Skipped::Days {
                    schedule: None,
                    first: date.date(),
                    last: date.date() + TimeDelta::days(length / 1440),
                    from: begins,
                }),
                4 => Bend::Booked { target: target(level), from: begins, until, back: None },
                _ => {
                    let local = date.with_minute(0).and_then(|date| date.with_second(0)).unwrap_or(date);
                    Bend::Skip(Skipped::One { schedule: "work".to_owned(), local })
                }
            }
        });
    prop::collection::vec(one, 0..5)
        .prop_map(|bends| bends.into_iter().zip(1..).map(|(bend, number)| bent(number, bend)).collect())
}

fn bent_target(bend: &Bend) -> &crate::domain::request::Target {
    match bend {
        Bend::Booked { target, .. }
        | Bend::Keep { target, .. }
        | Bend::Visit { target, .. }
        | Bend::Grace { target, .. } => target,
        Bend::Pause { .. } | Bend::Skip(_) => panic!("it asks for nothing"),
    }
}

fn all() -> impl Strategy<Value = (Written, i64)> {
    // Whole minutes, so that cuts fall on transitions often enough.
    (YEARS.start / (15 * MINUTE)..YEARS.end / (15 * MINUTE) - 96 * 40).prop_flat_map(|quarter| {
        let from = quarter * 15 * MINUTE;
        (schedules(), bends(from)).prop_map(move |(schedules, bends)| {
            let mut written = Written::new(schedules);
            written.bends = bends;
            (written, from)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn a_span_can_be_cut_anywhere((written, from) in all(), cut in 0..96 * 34_i64, pick in any::<prop::sample::Index>()) {
        let agenda = written.agenda();
        let to = from + 34 * DAY;
        let whole = timeline(&agenda, Timestamp(from), Timestamp(to));
        let at_a_transition = if whole.is_empty() { None } else { whole.get(pick.index(whole.len())).map(|one| one.at.0) };
        for middle in [Some(from + cut * 15 * MINUTE), at_a_transition, at_a_transition.map(|at| at + 1)].into_iter().flatten() {
            let mut parts = timeline(&agenda, Timestamp(from), Timestamp(middle));
            parts.extend(timeline(&agenda, Timestamp(middle), Timestamp(to)));
            prop_assert_eq!(&parts, &whole, "cut at {}", middle);
        }
    }

    #[test]
    fn what_stands_is_what_the_last_transition_asked_for((written, from) in all(), after in 0..96 * 34_i64) {
        let agenda = written.agenda();
        let moment = Timestamp(from + after * 15 * MINUTE);
        let transitions = timeline(&agenda, Timestamp(from), moment.plus_ms(1));
        let before = level_at(&agenda, Timestamp(from - 1)).map(|standing| standing.wanted);
        let mut wanted = before;
        for transition in &transitions {
            prop_assert_eq!(&transition.before, &wanted);
            prop_assert!(Some(&transition.wanted) != wanted.as_ref() && !transition.because.is_empty());
            wanted = Some(transition.wanted.clone());
        }
        prop_assert_eq!(level_at(&agenda, moment).map(|standing| standing.wanted), wanted);
        let keys: std::collections::BTreeSet<_> = transitions.iter().map(super::Transition::key).collect();
        prop_assert_eq!(keys.len(), transitions.len());
        let next = next_after(&agenda, moment);
        if let Some(next) = next.filter(|next| next.at.0 < moment.0 + 400 * DAY) {
            let found = timeline(&agenda, moment.plus_ms(1), next.at.plus_ms(1));
            prop_assert_eq!(found, vec![next]);
        }
    }

    #[test]
    fn what_stayed_until_people_were_warned_leaves_nothing_behind((written, from) in all(), after in 0..96 * 38_i64) {
        // What a pause finds it keeps.
        prop_assume!(!written.bends.iter().any(|bent| matches!(bent.bend, Bend::Pause { .. })));
        let moment = Timestamp(from + after * 15 * MINUTE);
        let covers = |bent: &Bent| matches!(bent.bend, Bend::Grace { from, until, .. } if from <= moment && moment < until);
        prop_assume!(!written.bends.iter().any(covers));
        let bends: Vec<_> =
            written.bends.iter().filter(|bent| !matches!(bent.bend, Bend::Grace { .. })).cloned().collect();
        let without = level_at(&crate::domain::schedule::Agenda { bends: &bends, ..written.agenda() }, moment);
        prop_assert!(without.is_none() || level_at(&written.agenda(), moment).map(|standing| standing.wanted) == without.map(|standing| standing.wanted));
    }

    #[test]
    fn what_is_booked_stands_from_its_first_millisecond_to_its_last((written, _) in all(), pick in any::<prop::sample::Index>(), after in 0.0..1.0) {
        let bookings: Vec<_> = written.bends.iter().filter_map(|bent| match &bent.bend {
            Bend::Booked { target, from, until, .. } => Some((target, *from, *until)),
            Bend::Keep { .. } | Bend::Visit { .. } | Bend::Grace { .. } | Bend::Pause { .. } | Bend::Skip(_) => None,
        }).collect();
        prop_assume!(!bookings.is_empty());
        let (target, from, until) = bookings[pick.index(bookings.len())];
        // Nothing that is asked for since then stands in its place.
        let is_alone = written.bends.iter().all(|bent| match &bent.bend {
            Bend::Booked { from: other, .. } | Bend::Keep { from: other, .. } | Bend::Visit { from: other, .. } => {
                *other < from || *other >= until || std::ptr::eq(target, bent_target(&bent.bend))
            }
            // What it asks for again after something else comes after a warning.
            Bend::Grace { from: other, .. } => *other <= from || *other >= until,
            Bend::Pause { .. } | Bend::Skip(_) => true,
        });
        prop_assume!(is_alone);
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "any moment of it is as good as another")]
        let between = from.plus_ms((until.ms_since(from) as f64 * after) as i64);
        for moment in [from, between, until.plus_ms(-1)] {
            let standing = level_at(&written.agenda(), moment);
            prop_assert_eq!(standing.map(|standing| standing.wanted), Some(target.clone()), "{:?}", moment);
        }
    }
}
