//! Holidays that are built in, and a team's own from TOML and iCalendar.

use chrono::NaiveDate;

use super::{COUNTRIES, Calendar, OwnDay, own_dates, read_ics};

fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn day(text: &str, name: &str, working: bool) -> OwnDay {
    OwnDay { date: date(text), name: name.to_owned(), working }
}

#[test]
fn every_country_knows_its_years_and_its_new_year() {
    for code in COUNTRIES {
        let calendar = Calendar::of(code).expect("it is built in");
        assert_eq!((calendar.first_year(), calendar.last_year()), (Some(2024), Some(2035)), "{code}");
        assert!(
            !calendar.knows(2023) && calendar.knows(2024) && calendar.knows(2035) && !calendar.knows(2036),
            "{code}"
        );
        for year in 2024..=2035 {
            let new_year = NaiveDate::from_ymd_opt(year, 1, 1).expect("a date");
            assert!(calendar.holiday(new_year).is_some(), "{code} {year}");
        }
    }
    assert_eq!(
        Calendar::of("XX").map(|_| ()).map_err(|error| error.to_string()),
        Err("no holidays are built in for `XX`; there are JP, US, GB, GB-ENG, GB-WLS, GB-SCT, GB-NIR, DE, FR"
            .to_owned())
    );
    assert!(Calendar::default().knows(2050), "a team's own dates are all there is");
}

#[test]
fn holidays_are_those_that_the_governments_name() {
    for (code, on, name) in [
        ("JP", "2026-11-23", Some("Labor Thanksgiving Day")),
        ("JP", "2026-09-22", Some("National Holiday")),
        ("JP", "2026-05-06", Some("Substitute Holiday")),
        ("JP", "2026-12-25", None),
        ("us", "2026-11-26", Some("Thanksgiving Day")),
        ("US", "2026-07-03", Some("Independence Day (observed)")),
        ("GB", "2026-08-31", Some("Late Summer Bank Holiday")),
        ("GB", "2026-11-30", None),
        ("GB-SCT", "2026-11-30", Some("Saint Andrew's Day")),
        ("GB-NIR", "2026-03-17", Some("Saint Patrick's Day")),
        ("DE", "2026-10-03", Some("German Unity Day")),
        ("DE", "2026-10-31", None),
        ("FR", "2026-07-14", Some("National Day")),
    ] {
        assert_eq!(Calendar::of(code).expect("it is built in").holiday(date(on)), name, "{code} {on}");
    }
}

#[test]
fn a_teams_own_dates_count_more_than_the_countrys() {
    let calendar = Calendar::of("JP").expect("it is built in").with([
        day("2026-11-23", "Release", true),
        day("2026-11-21", "Inventory", true),
        day("2026-12-29", "Year's end", false),
    ]);
    assert_eq!((calendar.holiday(date("2026-11-23")), calendar.working(date("2026-11-23"))), (None, Some("Release")));
    assert_eq!(calendar.counts_as(date("2026-11-23")), 0, "a Monday");
    assert_eq!(calendar.counts_as(date("2026-11-21")), 4, "a Saturday that is worked on counts as Friday");
    assert_eq!(calendar.counts_as(date("2026-12-29")), 6, "a holiday counts as Sunday");
    assert_eq!(calendar.counts_as(date("2026-11-24")), 1);
}

#[test]
fn dates_in_toml_are_dates_or_tables() {
    let read = |text: &str| {
        let value: toml::Table = text.parse().expect("TOML");
        own_dates(value.get("days").expect("days")).map_err(|error| error.to_string())
    };
    assert_eq!(
        read(
            "days = [2026-12-29, '2026-12-30', { date = 2026-11-23, name = 'Release', working = true }, { date = 2027-01-04 }]"
        ),
        Ok(vec![
            day("2026-12-29", "a day off", false),
            day("2026-12-30", "a day off", false),
            day("2026-11-23", "Release", true),
            day("2027-01-04", "a day off", false),
        ])
    );
    for (text, told) in [
        ("days = 2026-12-29", "entry 0: this is not a list of dates"),
        (
            "days = [2026-12-29, '2026-02-30']",
            "entry 2: `2026-02-30` is not a date of the calendar: write it like `2026-12-24`",
        ),
        (
            "days = [2026-12-29T09:00:00]",
            "entry 1: `2026-12-29T09:00:00` is not a date of the calendar: write it like `2026-12-24`",
        ),
        ("days = [20261229]", "entry 1: `20261229` is not a date of the calendar: write it like `2026-12-24`"),
        ("days = [{ name = 'x' }]", "entry 1: `date` is missing"),
        (
            "days = [{ date = 2026-12-29, work = true }]",
            "entry 1: `work` is not known here: there are `date`, `name` and `working`",
        ),
        ("days = [{ date = 2026-12-29, working = 1 }]", "entry 1: `working` is `true` or `false`"),
    ] {
        assert_eq!(read(text), Err(told.to_owned()));
    }
}

fn calendar_of(event: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{event}END:VCALENDAR\r\n")
}

#[test]
fn whole_days_are_read_from_icalendar() {
    let text = calendar_of(
        "BEGIN:VTIMEZONE\r\nTZID:Asia/Tokyo\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nRRULE:FREQ=YEARLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n\
         BEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20261229\r\nDTEND;VALUE=DATE:20261231\r\nSUMMARY:Year's end\\, \r\n everybody's\r\n\
         BEGIN:VALARM\r\nSUMMARY:bell\r\nEND:VALARM\r\nEND:VEVENT\r\n\r\n\
         BEGIN:VEVENT\r\nDTSTART:20270104\r\nSUMMARY;LANGUAGE=\"ja:JP\":仕事\r\n 始め\r\nEND:VEVENT\r\n\
         BEGIN:VEVENT\r\nDTSTART:20270105\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n",
    );
    assert_eq!(
        read_ics(&text, false),
        Ok(vec![
            day("2026-12-29", "Year's end, everybody's", false),
            day("2026-12-30", "Year's end, everybody's", false),
            day("2027-01-04", "仕事始め", false),
        ])
    );
    assert_eq!(read_ics(&calendar_of(""), true), Ok(Vec::new()));
    let bare = "\u{feff}begin:vcalendar\nbegin:vevent\ndtstart:20270104\nend:vevent\nend:vcalendar";
    assert_eq!(read_ics(bare, true), Ok(vec![day("2027-01-04", "a day off", true)]));
}

#[test]
fn a_broken_line_is_told_by_its_number() {
    let event =
        |line: &str| calendar_of(&format!("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261229\r\n{line}\r\nEND:VEVENT\r\n"));
    for (text, told) in [
        (String::new(), "line 1, column 1: this is no iCalendar: nothing is in it"),
        ("<html>".to_owned(), "line 1, column 1: `<html>` is no `NAME:value`"),
        ("SUMMARY:x".to_owned(), "line 1, column 1: this is no iCalendar: `BEGIN:VCALENDAR` is missing"),
        (" x".to_owned(), "line 1, column 1: it goes on from a line before it, and there is none"),
        (
            event("DTEND:20269999"),
            "line 5, column 7: `20269999` is not a date of the calendar: write it like `20261224`",
        ),
        (event("DTEND"), "line 5, column 1: `DTEND` is no `NAME:value`"),
        (
            event("DTEND:20261229"),
            "line 5, column 1: the event ends before it begins: DTEND is the day after the last one",
        ),
        (event("DTEND:20291229"), "line 5, column 1: the event is longer than a year"),
        (
            event("DTSTART:20261224T090000Z"),
            "line 5, column 9: `20261224T090000Z` has a time of day: only whole days are read, `DTSTART;VALUE=DATE:20261224`",
        ),
        (
            event("RRULE:FREQ=YEARLY"),
            "line 5, column 1: `RRULE` is not read: write each day as an event of its own, with DTSTART and DTEND",
        ),
        (event("END:VCALENDAR"), "line 5, column 1: `END:VCALENDAR` ends `BEGIN:VEVENT` of line 3"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\n".to_owned(), "line 2, column 1: the event has no DTSTART"),
        ("BEGIN:VCALENDAR\n".to_owned(), "line 1, column 1: `BEGIN:VCALENDAR` has no end"),
    ] {
        assert_eq!(read_ics(&text, false).map_err(|error| error.to_string()), Err(told.to_owned()));
    }
}

proptest::proptest! {
    #[test]
    fn no_calendar_makes_it_panic(lines in proptest::collection::vec("\\PC{0,20}|(BEGIN|END):V(CALENDAR|EVENT)|DT(START|END):[0-9]{0,9}| x|SUMMARY:.{0,9}", 0..12)) {
        let _ = read_ics(&format!("BEGIN:VCALENDAR\n{}", lines.join("\n")), false);
    }
}
