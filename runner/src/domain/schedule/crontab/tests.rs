//! Crontab lines against an independent implementation, and what is refused.

use chrono::{NaiveDate, NaiveDateTime};

use super::Crontab;
use crate::domain::schedule::calendar::{Calendar, OwnDay};

fn line(text: &str) -> Crontab {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn firings(line: &Crontab, calendar: Option<&Calendar>, after: NaiveDateTime, count: usize) -> Vec<String> {
    let mut marks = Vec::new();
    for date in after.date().iter_days().take(366 * 41) {
        line.marks(date, calendar, &mut marks);
        marks.retain(|mark| mark.wall > after);
        if marks.len() >= count {
            break;
        }
    }
    marks.iter().take(count).map(|mark| mark.wall.format("%Y-%m-%d %H:%M").to_string()).collect()
}

fn start() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 11, 20).and_then(|date| date.and_hms_opt(0, 0, 0)).expect("a moment")
}

#[test]
fn known_lines_fire_when_an_independent_implementation_says() {
    let mut lines = 0;
    for row in include_str!("oracle.txt").lines().filter(|row| !row.starts_with("# ")) {
        let (text, expected) = row.split_once('\t').expect("a line, a tab, and its firings");
        let found = firings(&line(text), None, start(), 10);
        assert_eq!(found.join(", "), expected, "{text}");
        lines += 1;
    }
    assert!(lines >= 60, "{lines} lines");
}

#[test]
fn a_range_may_end_with_sunday_by_name() {
    assert_eq!(line("0 8 * * fri-sun").weekdays, line("0 8 * * 5-7").weekdays);
    assert_eq!(line(" 0  9 * *\t1-5 ").to_string(), "0 9 * * 1-5");
    assert_eq!(line("@Midnight").to_string(), "@midnight");
}

#[test]
fn what_no_crontab_says_is_refused_at_its_column() {
    for (text, column, told) in [
        ("", 1, "nothing is written"),
        ("0 0 9 * * 1-5", 1, "no seconds"),
        ("0 9 * *", 7, "4 fields"),
        ("0 9 * * 1-5 2026 x", 13, "7 fields"),
        ("60 9 * * *", 1, "`60` is no minute: 0 to 59"),
        ("0 24 * * *", 3, "`24` is no hour"),
        ("0 9 0 * *", 5, "`0` is no day of the month"),
        ("0 9 32 * *", 5, "`32` is no day of the month"),
        ("0 9 * 13 *", 7, "`13` is no month"),
        ("0 9 * * 8", 9, "`8` is no weekday"),
        ("0 9 * * mon,tuesday", 13, "`tuesday` is no weekday"),
        ("*/0 9 * * *", 3, "a step of 0"),
        ("*/x 9 * * *", 3, "`x` is no step"),
        ("0 9 * * FRI-MON", 9, "write `FRI-sat,sun-MON`"),
        ("0 22-6 * * *", 3, "write `22-23,0-6`"),
        ("5/15 * * * *", 1, "write `5-59/15`"),
        ("0 9 30 2 *", 5, "it never fires"),
        ("0 9 31 4,6,9,11 *", 5, "it never fires"),
        ("0 9 31 2 */2", 5, "it never fires"),
        ("0 9 L * *", 5, "`L` is no day"),
        ("0 9 * * 5#2", 9, "`5#2` is no weekday"),
        ("0 9 ? * 1", 5, "`?` is no day"),
        ("0 9 1, * *", 7, "`` is no day"),
        ("０ 9 * * *", 1, "`０` is no minute"),
        ("@reboot", 1, "`@reboot` is no time"),
        ("@dayly", 1, "no crontab name"),
        ("@daily 9", 8, "nothing after a name"),
    ] {
        let wrong = text.parse::<Crontab>().expect_err(text);
        assert_eq!(wrong.column, column, "{text}: {wrong}");
        assert!(wrong.to_string().contains(told), "{text}: {wrong}");
    }
    assert!("0 9 31 2 1".parse::<Crontab>().is_ok(), "it fires on Mondays of February");
}

#[test]
fn a_line_that_names_weekdays_takes_a_holiday_for_sunday() {
    let date = NaiveDate::from_ymd_opt(2026, 11, 23).expect("a date");
    let off = Calendar::default().with([OwnDay { date, name: "Thanks".to_owned(), working: false }]);
    let first = |text: &str| firings(&line(text), Some(&off), start(), 4);
    assert_eq!(first("0 9 * * 1-5"), ["2026-11-20 09:00", "2026-11-24 09:00", "2026-11-25 09:00", "2026-11-26 09:00"]);
    assert_eq!(first("0 9 * * 0"), ["2026-11-22 09:00", "2026-11-23 09:00", "2026-11-29 09:00", "2026-12-06 09:00"]);
    assert_eq!(first("0 9 * * *"), ["2026-11-20 09:00", "2026-11-21 09:00", "2026-11-22 09:00", "2026-11-23 09:00"]);
    assert_eq!(first("0 9 23 * *").first().map(String::as_str), Some("2026-11-23 09:00"));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,30}|([0-9*,/a-z-]{1,6} ){4}[0-9*,/a-z-]{1,6}") {
        if let Ok(line) = text.parse::<Crontab>() {
            proptest::prop_assert_eq!(line.to_string().parse::<Crontab>(), Ok(line.clone()));
            let _ = firings(&line, None, start(), 1);
        }
    }
}
