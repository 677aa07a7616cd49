//! What windows say, where they begin and end, and what is refused.

use chrono::NaiveDate;

use super::{Sides, Window};
use crate::domain::schedule::calendar::{Calendar, OwnDay};
use crate::domain::schedule::mark::Edge;

fn window(text: &str) -> Window {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// Beginnings as `+Mon 23 09:00`, ends as `-Mon 23 21:00`, from Friday 2026-11-20 on.
fn marks(text: &str, days: usize, calendar: Option<&Calendar>) -> String {
    let (window, mut marks) = (window(text), Vec::new());
    for date in date("2026-11-20").iter_days().take(days) {
        window.marks(date, calendar, &mut marks);
    }
    let told = |edge| match edge {
        Edge::End => '-',
        Edge::Begin | Edge::Fire => '+',
    };
    marks
        .iter()
        .map(|mark| format!("{}{}", told(mark.edge), mark.wall.format("%a %d %H:%M")))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn windows_begin_and_end_as_they_are_written() {
    for (text, days, expected) in [
        ("Mon-Fri 09:00-21:00", 4, "+Fri 20 09:00 -Fri 20 21:00 +Mon 23 09:00 -Mon 23 21:00"),
        (
            "mon-fri 22:00-06:00",
            5,
            "-Fri 20 06:00 +Fri 20 22:00 -Sat 21 06:00 +Mon 23 22:00 -Tue 24 06:00 +Tue 24 22:00",
        ),
        ("Fri 20:00 - Mon 08:00", 8, "+Fri 20 20:00 -Mon 23 08:00 +Fri 27 20:00"),
        ("Fri 20:00-Mon 08:00", 4, "+Fri 20 20:00 -Mon 23 08:00"),
        ("Fri 20:00 - Sun 24:00", 4, "+Fri 20 20:00 -Mon 23 00:00"),
        ("Sun 22:00 - Sat 02:00", 5, "-Sat 21 02:00 +Sun 22 22:00"),
        ("Mon 09:00 - Mon 08:00", 5, "-Mon 23 08:00 +Mon 23 09:00"),
        ("Mon 09:00 - Mon 10:00", 5, "+Mon 23 09:00 -Mon 23 10:00"),
        ("Mon,Wed 09:00-12:00", 7, "+Mon 23 09:00 -Mon 23 12:00 +Wed 25 09:00 -Wed 25 12:00"),
        ("4th Mon 09:00-12:00", 12, "+Mon 23 09:00 -Mon 23 12:00"),
        ("1st,last Sun,Mon 09:00-12:00", 14, "+Sun 29 09:00 -Sun 29 12:00 +Mon 30 09:00 -Mon 30 12:00"),
        ("2026-11-22 09:00-18:00", 9, "+Sun 22 09:00 -Sun 22 18:00"),
        ("2026-11-25,2026-11-22 22:00-06:00", 9, "+Sun 22 22:00 -Mon 23 06:00 +Wed 25 22:00 -Thu 26 06:00"),
        ("2026-11-21 09:00 - 2026-11-24 18:00", 9, "+Sat 21 09:00 -Tue 24 18:00"),
        ("Sat-Sun 09:00-", 5, "+Sat 21 09:00 +Sun 22 09:00"),
        ("Sat-Sun -21:00", 5, "-Sat 21 21:00 -Sun 22 21:00"),
        ("Sat -24:00", 5, "-Sun 22 00:00"),
        ("Sat 20:00-00:00", 5, "+Sat 21 20:00 -Sun 22 00:00"),
        ("Fri-Sun 00:00-24:00", 5, "+Fri 20 00:00 +Sat 21 00:00 +Sun 22 00:00 -Mon 23 00:00"),
        ("09:00-21:00", 1, "+Fri 20 09:00 -Fri 20 21:00"),
        ("daily 09:00 - 21:00", 1, "+Fri 20 09:00 -Fri 20 21:00"),
    ] {
        assert_eq!(marks(text, days, None), expected, "{text}");
        assert_eq!(window(&window(text).to_string()), window(text), "{text}");
    }
    assert_eq!(window("Mon 09:00-").sides(), Sides::Begin);
    assert_eq!(window("Mon -09:00").sides(), Sides::End);
    assert_eq!(window("Fri 20:00 - Mon 08:00").sides(), Sides::Both);
}

#[test]
fn a_holiday_counts_as_sunday_and_a_worked_weekend_as_friday() {
    let day = |date: &str, working| OwnDay { date: date.parse().expect("a date"), name: String::new(), working };
    let monday = Calendar::default().with([day("2026-11-23", false)]);
    let wednesday = Calendar::default().with([day("2026-11-25", false)]);
    let saturday = Calendar::default().with([day("2026-11-21", true)]);
    for (text, calendar, days, expected) in [
        (
            "Sat-Mon 09:00-21:00",
            &monday,
            5,
            "+Sat 21 09:00 -Sat 21 21:00 +Sun 22 09:00 -Sun 22 21:00 +Mon 23 09:00 -Mon 23 21:00",
        ),
        ("Mon,Tue 09:00-21:00", &monday, 5, "+Tue 24 09:00 -Tue 24 21:00"),
        ("daily 09:00-", &monday, 5, "+Fri 20 09:00 +Sat 21 09:00 +Sun 22 09:00 +Mon 23 09:00 +Tue 24 09:00"),
        ("4th Mon 09:00-12:00", &monday, 9, ""),
        // The weekend goes on until the first working day.
        ("Fri 20:00 - Mon 08:00", &monday, 9, "+Fri 20 20:00 -Tue 24 08:00 +Fri 27 20:00"),
        // A holiday in mid-week is a weekend of its own; the day after it ends at the written time.
        (
            "Fri 20:00 - Mon 08:00",
            &wednesday,
            8,
            "+Fri 20 20:00 -Mon 23 08:00 +Wed 25 00:00 -Thu 26 08:00 +Fri 27 20:00",
        ),
        ("Mon 09:00 - Fri 21:00", &wednesday, 9, "+Mon 23 09:00 -Wed 25 00:00 +Thu 26 09:00 -Fri 27 21:00"),
        ("Mon-Fri 09:00-21:00", &saturday, 3, "+Fri 20 09:00 -Fri 20 21:00 +Sat 21 09:00 -Sat 21 21:00"),
        ("Fri 20:00 - Mon 08:00", &saturday, 5, "+Fri 20 20:00 -Sat 21 08:00 +Sat 21 20:00 -Mon 23 08:00"),
    ] {
        let shown = marks(text, days, Some(calendar));
        let shown =
            if text.starts_with("Mon 09:00") { shown.trim_start_matches("-Fri 20 21:00 ").to_owned() } else { shown };
        assert_eq!(shown, expected, "{text}");
    }
}

#[test]
fn what_is_no_window_is_refused_at_its_column() {
    for (text, column, told) in [
        ("", 1, "nothing is written"),
        ("  ", 1, "nothing is written"),
        ("Mon-Fri", 8, "write times like"),
        ("Mon-Fri 09:00", 14, "when it ends"),
        ("Mon-Fri 25:00-26:00", 9, "`25:00` is not a time of day"),
        ("Mon-Fri 09:00-25:00", 15, "`25:00` is not a time of day"),
        ("Mon-Fri 09:00 - 9:00", 17, "`9:00` is not a time of day"),
        ("Mon-Fri 24:00-09:00", 9, "00:00 of the day after"),
        ("Mon-Fri 09:00-09:00", 15, "it ends when it begins"),
        ("Mon-Fri 09:00-12:00 13:00-18:00", 21, "`13:00` was not expected there"),
        ("Mon-Fri 09:00-12:00,13:00-18:00", 15, "is not a time of day"),
        ("Mo-Fr 09:00-21:00", 1, "`Mo` is not a day"),
        ("Mon-Fry 09:00-21:00", 5, "`Fry` is not a day"),
        ("Mon,Tue,Mon 09:00-21:00", 9, "`Mon` is in it twice"),
        ("Mon,,Tue 09:00-21:00", 1, "a day"),
        ("月 09:00-21:00", 1, "`月` is not a day"),
        ("火曜 日 09:00-21:00", 1, "is not a day"),
        ("Fri 20:00 - Mon", 13, "`Mon` is not a time of day"),
        ("Fri 20:00 - Mon 25:00", 17, "`25:00`"),
        ("Fri,Sat 20:00 - Mon 08:00", 1, "`Fri,Sat` is not a day"),
        ("Mon 09:00 - Mon 09:00", 17, "it ends when it begins"),
        ("6th Mon 09:00-21:00", 1, "`6th` is no such week"),
        ("1st 09:00-21:00", 5, "`09:00` is not a day"),
        ("1st", 4, "a day and times"),
        ("2026-02-30 09:00-18:00", 1, "`2026-02-30` is not a date"),
        ("2026-12-24,2026-13-01 09:00-18:00", 12, "`2026-13-01` is not a date"),
        ("2027-01-03 09:00 - 2026-12-24 18:00", 20, "ends before it begins"),
        ("2026-12-24 09:00 - 2026-12-24 09:00", 20, "ends when it begins"),
        ("2026-1-2 09:00-18:00", 1, "is not a date"),
        ("Mon -00:00", 6, "`-24:00` for midnight"),
        ("Mon -", 6, "write times like"),
    ] {
        let wrong = text.parse::<Window>().expect_err(text);
        assert_eq!(wrong.column, column, "{text}: {wrong}");
        assert!(wrong.to_string().contains(told), "{text}: {wrong}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(
        text in "\\PC{0,30}|([a-z]{3}|[0-9]st|last|[0-9]{4}-[0-9]{2}-[0-9]{2})( [a-z]{3})? [0-9]{2}:[0-9]{2}( ?- ?[a-z]{0,3} ?[0-9]{2}:[0-9]{2})?",
    ) {
        if let Ok(window) = text.parse::<Window>() {
            proptest::prop_assert_eq!(window.to_string().parse::<Window>(), Ok(window.clone()));
            let mut marks = Vec::new();
            window.marks(date("2026-11-20"), None, &mut marks);
            window.marks(NaiveDate::MIN, None, &mut marks);
            window.marks(NaiveDate::MAX, None, &mut marks);
        }
    }
}
