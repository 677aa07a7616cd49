//! Schedules, their zones and their calendars, each mistake at its place.

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};

use super::super::load::parse_on;
use super::*;

/// A small environment on a clock, with schedules.
fn on_the_clock_of(zone: &str, schedules: &str) -> String {
    let more = format!("owners = ['local:ito']\nzone = '{zone}'");
    format!("{}{schedules}", small(&more))
}

const HOURS: &str = "[[environments.shop.schedules]]\nname = 'hours'\nwindow = 'Mon-Fri 09:00-21:00'\ninside = 'full'\noutside = 'small'\n";

/// What is warned of, where there is no mistake.
fn warned(text: &str) -> String {
    let config = read(text).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
    config.warnings.get("shop").map(|problems| render(problems, false)).unwrap_or_default()
}

#[test]
fn zones_that_know_no_summer_time_are_refused_as_other_abbreviations_are() {
    for (zone, place) in [
        ("EST", "America/New_York"),
        ("MST", "America/Denver"),
        ("HST", "Pacific/Honolulu"),
        ("EDT", "America/New_York"),
    ] {
        let told = report(&on_the_clock_of(zone, HOURS));
        assert!(told.contains(zone) && told.contains(&format!("did you mean `{place}`?")), "{told}");
        assert!(told.contains("tidegate.toml:5:8"), "{told}");
    }
    for zone in ["America/Port-au-Prince", "EST5EDT", "Etc/UTC", "Etc/GMT", "UTC"] {
        let text = on_the_clock_of(zone, HOURS);
        assert_eq!((report(&text), warned(&text)), (String::new(), String::new()), "{zone}");
        assert_eq!(shop(&text).timetable.zone.name(), zone);
    }
    for (zone, off, other) in
        [("Etc/GMT+9", "9 h behind UTC", "Etc/GMT-9"), ("Etc/GMT-9", "9 h ahead of UTC", "Etc/GMT+9")]
    {
        let told = warned(&on_the_clock_of(zone, HOURS));
        assert!(told.contains(off) && told.contains(&format!("`{other}`")) && told.contains("5:8"), "{told}");
    }
}

#[test]
fn a_year_whose_holidays_nobody_knows_is_warned_of_before_it_begins() {
    let text = on_the_clock_of("Asia/Tokyo", HOURS).replace("zone =", "holidays = 'JP'\nzone =");
    let on = |day: &str| {
        let day: DateTime<Utc> = format!("{day}T12:00:00Z").parse().expect("a day");
        let (config, whole) = parse_on(source::Source::new("/etc/tide/tidegate.toml", &text), day).expect("a file");
        assert!(whole.is_empty() && config.unmanaged.is_empty(), "{whole:?} {:?}", config.unmanaged);
        config.warnings.get("shop").map(|problems| render(problems, false)).unwrap_or_default()
    };
    assert_eq!(on("2034-12-31"), "");
    let told = on("2035-01-01");
    assert!(told.starts_with("warning: the holidays of `JP` are known up to 2035"), "{told}");
    assert!(told.contains("a newer Tidegate knows more, or list them in `[calendars]`"), "{told}");
}

#[test]
fn schedules_that_contradict_each_other_are_told_at_the_second_with_the_first_moment() {
    let late = "[[environments.shop.schedules]]\nname = 'late'\nwindow = 'Wed 12:00-13:00'\ninside = 'small'\noutside = 'small'\n";
    let told = report(&on_the_clock_of("Asia/Tokyo", &format!("{HOURS}{late}")));
    assert!(told.starts_with("error: `late` wants small where `hours` wants full, first at "), "{told}");
    let first = told.split("first at ").nth(1).and_then(|rest| rest.get(..16)).expect("a moment");
    let first = chrono::NaiveDateTime::parse_from_str(first, "%Y-%m-%d %H:%M").expect("a moment");
    assert!(first.weekday() == chrono::Weekday::Wed && first.hour() == 12, "{first}");
    assert!(told.contains("tidegate.toml:19:10"), "{told}");
    assert!(told.contains("two windows, or two crontab lines, cannot ask for different levels at one time"), "{told}");
}

#[test]
fn a_broken_line_of_a_file_of_dates_stops_only_those_whose_schedules_name_that_calendar() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tidegate.toml");
    let blog = small("").replace(".shop", ".blog");
    let text = format!(
        "{}[calendars.team]\nfile = 'team.ics'\n{blog}",
        on_the_clock_of("Asia/Tokyo", HOURS).replace("zone =", "holidays = 'team'\nzone =")
    );
    let ics = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261332\nEND:VEVENT\nEND:VCALENDAR\n";
    std::fs::write(folder.path().join("team.ics"), ics).expect("written");
    let read = || parse(source::Source::new(&file, &text), &|_| None).unwrap_or_else(|problems| panic!("{problems}"));
    let config = read();
    assert_eq!(config.calendar_files, [folder.path().join("team.ics")]);
    assert_eq!(config.environments.keys().map(ToString::to_string).collect::<Vec<_>>(), ["blog"]);
    let told = render(&config.unmanaged["shop"], false);
    assert!(
        told.contains("the calendar `team` cannot be read: ") && told.contains("team.ics: line 3, column 20: "),
        "{told}"
    );
    assert!(told.contains("tidegate.toml:5:12"), "{told}");
    let whole = render(&config.about_files, false);
    assert!(whole.starts_with("warning: ") && whole.contains("team.ics: line 3, column 20: "), "{whole}");
    // Mended, it is managed; where nothing names it, a file that is not there is a warning alone.
    std::fs::write(folder.path().join("team.ics"), ics.replace("20261332", "20261231")).expect("written");
    assert!(read().unmanaged.is_empty() && read().about_files.is_empty());
    let text = text.replace("holidays = 'team'\n", "");
    std::fs::remove_file(folder.path().join("team.ics")).expect("removed");
    let config = parse(source::Source::new(&file, &text), &|_| None).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.unmanaged.is_empty() && config.about_files.len() == 1, "{:?}", config.about_files);
}
