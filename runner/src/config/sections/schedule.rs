//! `[[environments.NAME.schedules]]`: when an environment should be at which level.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Datelike as _, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::document::Path;
use super::super::duration;
use super::super::findings::Findings;
use super::super::nearest::suggestion;
use super::super::problem::quoted;
use super::calendar::{self, Calendars};
use super::environment::EnvironmentSection;
use super::people;
use crate::domain::environment::Environment;
use crate::domain::ids::Timestamp;
use crate::domain::request::Target;
use crate::domain::schedule::{
    Agenda, Calendar, Conflict, DEFAULT_CATCH_UP_S, DEFAULT_VISIT_S, DEFAULT_WARN_S, Fires, LONGEST_FOR_S, Misread,
    OnGap, OnOverlap, Origin, Scale, Schedule, Timetable, Unsaid, When, WishError, conflicts, in_words, never, read_do,
    read_target, swallowed,
};

/// Shortest time that a transition may come late, in seconds: whoever looks is always a moment late.
const CATCH_UP_MIN_S: u32 = 60;
/// Longest time that a transition may come late: a week, in seconds.
const CATCH_UP_MAX_S: u32 = 7 * 86_400;
/// Longest before it that people are warned: a day, in seconds.
const WARN_MAX_S: u32 = 86_400;
/// How far ahead schedules are held against each other: two years, in milliseconds.
const AHEAD_MS: i64 = 2 * 366 * 86_400_000;

/// When the environment should be at which level: a window, a crontab line, or one moment.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct ScheduleSection {
    /// What people call it.
    #[schemars(length(min = 1, max = 80), example = &"working hours")]
    name: String,
    /// A span of the wall clock: `Mon-Fri 09:00-21:00`, `Fri 20:00 - Mon 08:00`, `1st Mon 09:00-12:00`, `2026-12-24 09:00-18:00`,
    /// `Mon-Fri 09:00-` for a beginning only, `Mon-Fri -21:00` for an end only.
    #[schemars(example = &"Mon-Fri 09:00-21:00")]
    window: Option<String>,
    /// The level inside the window, with values that come with it.
    #[schemars(example = &"full")]
    inside: Option<String>,
    /// The level outside the window.
    #[schemars(example = &"small")]
    outside: Option<String>,
    /// A crontab line of five fields.
    #[schemars(example = &"0 2 1 * *")]
    cron: Option<String>,
    /// One moment of the wall clock.
    #[schemars(example = &"2026-12-24 18:00")]
    at: Option<String>,
    /// What `cron` or `at` does: `up` or `down`, with a level and values.
    #[serde(rename = "do")]
    #[schemars(example = &"up full slaves=40")]
    does: Option<String>,
    /// For how long, where `cron` or `at` raises. `1m` to `31d`.
    #[serde(rename = "for")]
    #[schemars(regex(pattern = duration::PATTERN), example = &"3h")]
    lasts: Option<String>,
    /// Its time zone, by its IANA name. Without it, the environment's.
    #[schemars(example = &"Europe/Berlin")]
    zone: Option<String>,
    /// Its holidays: a country's code or the name of a `[calendars]` entry; `none` for none. Without it, the environment's.
    #[schemars(example = &"JP")]
    holidays: Option<String>,
    /// What happens at a time that the wall clock skips: at the first instant that exists (`first`), or nothing (`skip`).
    #[serde(default)]
    #[schemars(with = "Option<OnGapWord>", example = &"first")]
    on_gap: OnGap,
    /// At which of two equal times of the wall clock it happens: `first` or `second`.
    #[serde(default)]
    #[schemars(with = "Option<OnOverlapWord>", example = &"first")]
    on_overlap: OnOverlap,
    /// How late it may still be carried out. `1m` to `7d`. Without it, `4h`.
    #[schemars(regex(pattern = duration::PATTERN), example = &"2h")]
    catch_up: Option<String>,
    /// How long before it lowers people are warned; `0s`: not at all. `0s` to `24h`. Without it, `15m`.
    #[schemars(regex(pattern = duration::PATTERN), example = &"15m")]
    warn: Option<String>,
    /// Starts early enough that the environment is in service at the written time, by how long that took last time.
    #[serde(default)]
    #[schemars(example = &true)]
    ready_by: bool,
    /// Who hears, beside the environment's channel or owners, what the clock is about to do by it and what it does otherwise than
    /// written: people and groups by id.
    #[serde(default)]
    #[schemars(example = ["local:ito"])]
    tell: Vec<String>,
}

/// `first` or `skip`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its form is used")]
enum OnGapWord {
    First,
    Skip,
}

/// `first` or `second`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its form is used")]
enum OnOverlapWord {
    First,
    Second,
}

/// Reads everything about when; what is wrong goes to `findings`.
pub(super) fn read(
    at: &Path<'_>,
    section: &EnvironmentSection,
    environment: &Environment,
    calendars: &Calendars,
    today: DateTime<Utc>,
    findings: &mut Findings<'_, '_>,
) -> Timetable {
    let own = section.zone.as_ref().and_then(|name| zone(&at.key("zone"), name, findings));
    let visit = section.visit.as_ref();
    let visit_s = visit.and_then(|text| duration::read(&at.key("visit"), text, 60..=LONGEST_FOR_S, findings));
    let mut known = BTreeMap::new();
    let default = section.holidays.as_ref();
    let default = default.and_then(|name| holidays(&at.key("holidays"), name, calendars, &mut known, findings));
    let mut schedules: Vec<Schedule> = Vec::new();
    let all = at.key("schedules");
    let before = findings.errors();
    let unsaid = Unsaid { zone: own, holidays: default };
    for (index, written) in section.schedules.iter().enumerate() {
        let at = all.index(index);
        if schedules.iter().any(|other| other.name == written.name) {
            let message = format!("there are two schedules {} in this environment", quoted(&written.name));
            findings.at_value(&at.key("name"), message, Some("give one of them another name".to_owned()));
            continue;
        }
        // A zone that is misspelt is told where it is written, and not again here.
        if section.zone.is_some() && own.is_none() && written.zone.is_none() {
            continue;
        }
        let line = usize::try_from(findings.written(&at).line).unwrap_or(usize::MAX);
        let place = Place { environment, unsaid: &unsaid, calendars, origin: Origin::File { line } };
        schedules.extend(written.read(&at, &place, &mut known, findings));
    }
    let table = Timetable {
        zone: own.unwrap_or(Tz::UTC),
        schedules,
        calendars: Arc::new(known),
        visit_s: visit_s.unwrap_or(DEFAULT_VISIT_S),
        unsaid,
    };
    if findings.errors() == before {
        check_together(&all, &table, environment, today, findings);
    }
    table
}

/// Refuses schedules that contradict each other, and those that never do anything; warns of those whose dates are over, and of a year
/// whose holidays nobody knows.
fn check_together(
    all: &Path<'_>,
    table: &Timetable,
    environment: &Environment,
    today: DateTime<Utc>,
    findings: &mut Findings<'_, '_>,
) {
    let now = Timestamp(today.timestamp_millis());
    let scale = Scale::from(environment);
    for (index, schedule) in table.schedules.iter().enumerate() {
        let calendar = schedule.holidays.as_ref().and_then(|name| table.calendars.get(name));
        let at = all.index(index);
        let hint = Some("take it out, or write a time that comes".to_owned());
        // A date that has passed was right once: its environment is not left alone for it.
        if never(schedule, calendar, now) {
            let words = format!("{} never happens from now on", quoted(&schedule.when.text()));
            findings.warn_at_value(&at.key(schedule.when.key()), words, hint);
        } else if let Some(wall) = swallowed(schedule, calendar) {
            findings.at_value(&at.key(schedule.when.key()), skipped_by_the_clocks(schedule, wall), hint);
        }
    }
    let agenda = Agenda {
        zone: table.zone,
        scale: &scale,
        schedules: &table.schedules,
        calendars: &table.calendars,
        bends: &[],
    };
    for conflict in conflicts(&agenda, now, now.plus_ms(AHEAD_MS)) {
        let found = table.schedules.iter().enumerate().find(|(_, schedule)| schedule.name == conflict.other);
        let Some((index, schedule)) = found else { continue };
        let at = all.index(index);
        findings.at_value(&at.key(schedule.when.key()), contradiction(&conflict), Some(CONTRADICTS.to_owned()));
    }
    let next_year = today.year() + 1;
    for (name, calendar) in table.calendars.iter().filter(|(_, calendar)| !calendar.knows(next_year)) {
        let last = calendar.last_year().map(|year| year.to_string()).unwrap_or_default();
        let message = format!("the holidays of {} are known up to {last}", quoted(name));
        findings.warn_at_key(
            all,
            message,
            Some("a newer Tidegate knows more, or list them in `[calendars]`".to_owned()),
        );
    }
}

/// What is wrong with a schedule all of whose times do not exist.
pub(super) fn skipped_by_the_clocks(schedule: &Schedule, wall: chrono::NaiveDateTime) -> String {
    format!(
        "{} never happens: the clocks of {} skip {}",
        quoted(&schedule.when.text()),
        schedule.zone,
        wall.format("%Y-%m-%d %H:%M")
    )
}

/// What is wrong with schedules that contradict each other.
pub(super) const CONTRADICTS: &str =
    "two windows, or two crontab lines, cannot ask for different levels at one time: change one of them";

fn contradiction(conflict: &Conflict) -> String {
    format!(
        "{} wants {} where {} wants {}, first at {}",
        quoted(&conflict.other),
        in_words(&conflict.other_wants),
        quoted(&conflict.one),
        in_words(&conflict.one_wants),
        conflict.local
    )
}

/// What is wrong with the last schedule of a table beside the others.
///
/// With it the name of the other one.
pub(super) fn contradiction_after(
    table: &Timetable,
    environment: &Environment,
    now: Timestamp,
) -> Option<(String, String)> {
    let scale = Scale::from(environment);
    let agenda = Agenda {
        zone: table.zone,
        scale: &scale,
        schedules: &table.schedules,
        calendars: &table.calendars,
        bends: &[],
    };
    let last = table.schedules.last()?;
    let all = conflicts(&agenda, now, now.plus_ms(AHEAD_MS));
    let found = all.into_iter().find(|conflict| conflict.one == last.name || conflict.other == last.name)?;
    let what = contradiction(&found);
    Some((what, if found.one == last.name { found.other } else { found.one }))
}

/// A file is held against the days to come when it is read. No ledger is open then, and a wrong clock of this machine changes only
/// what is said about the years to come.
#[expect(clippy::disallowed_methods, reason = "a file is read without a ledger, whose clock is the only other one")]
pub(in super::super) fn today() -> DateTime<Utc> {
    Utc::now()
}

/// Abbreviations that mean one clock only, with the place whose clock that is. `CST` and `IST` mean several. `EST`, `MST` and `HST` are
/// names of zones, too, whose clocks never go forward: who writes them in winter is an hour late in summer.
const ABBREVIATED: [(&str, &str); 19] = [
    ("EST", "America/New_York"),
    ("MST", "America/Denver"),
    ("HST", "Pacific/Honolulu"),
    ("JST", "Asia/Tokyo"),
    ("KST", "Asia/Seoul"),
    ("HKT", "Asia/Hong_Kong"),
    ("SGT", "Asia/Singapore"),
    ("PST", "America/Los_Angeles"),
    ("PDT", "America/Los_Angeles"),
    ("MDT", "America/Denver"),
    ("CDT", "America/Chicago"),
    ("EDT", "America/New_York"),
    ("BST", "Europe/London"),
    ("CEST", "Europe/Berlin"),
    ("EEST", "Europe/Athens"),
    ("AEST", "Australia/Sydney"),
    ("AEDT", "Australia/Sydney"),
    ("NZST", "Pacific/Auckland"),
    ("NZDT", "Pacific/Auckland"),
];

/// Reads the name of a time zone.
pub(super) fn zone(at: &Path<'_>, name: &str, findings: &mut Findings<'_, '_>) -> Option<Tz> {
    let abbreviated = ABBREVIATED.iter().find(|(short, _)| short.eq_ignore_ascii_case(name));
    let found = name.parse::<Tz>().ok();
    match (found, abbreviated) {
        (Some(found), None) => {
            if let Some((hours, way, other)) = reversed(name) {
                let message =
                    format!("the clock of {} is {hours} h {way} UTC: these names have the sign reversed", quoted(name));
                let hint = format!("write the name of a place; if you meant the other way, `{other}`");
                findings.warn_at_value(at, message, Some(hint));
            }
            return Some(found);
        }
        (Some(_), Some((_, place))) => {
            let message = format!("{} has no summer time: its clock stays as it is all year", quoted(name));
            findings.at_value(at, message, Some(format!("did you mean `{place}`?")));
        }
        (None, _) => {
            // Between abbreviations a letter is half the world: nothing is near.
            let is_short = name.chars().count() <= 5 && !name.contains('/');
            let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
            let hint = abbreviated
                .map(|(_, place)| format!("did you mean `{place}`?"))
                .or_else(|| if is_short { None } else { suggestion(name, names, "time zones") })
                .or_else(|| Some("write the name of a place: `Asia/Tokyo`, `Europe/Berlin`, `UTC`".to_owned()));
            findings.at_value(at, format!("there is no time zone {}", quoted(name)), hint);
        }
    }
    None
}

/// By how many hours a zone like `Etc/GMT+9` is off UTC, which way, and the name of the other way: they have the sign of POSIX.
fn reversed(name: &str) -> Option<(u8, &'static str, String)> {
    let rest = name.strip_prefix("Etc/GMT")?;
    let (way, sign, hours) = match rest.split_at_checked(1)? {
        ("+", hours) => ("behind", '-', hours),
        ("-", hours) => ("ahead of", '+', hours),
        _ => return None,
    };
    let hours = hours.parse().ok().filter(|hours| *hours > 0)?;
    Some((hours, way, format!("Etc/GMT{sign}{hours}")))
}

/// The name of a calendar that is in `known` afterwards.
fn holidays(
    at: &Path<'_>,
    name: &str,
    calendars: &Calendars,
    known: &mut BTreeMap<String, Calendar>,
    findings: &mut Findings<'_, '_>,
) -> Option<String> {
    let calendar = match calendars.get(name) {
        Some(Ok(calendar)) => calendar.clone(),
        Some(Err(why)) => {
            let hint = "mend that file: it is read again by itself".to_owned();
            findings.at_value(at, format!("the calendar {} cannot be read: {why}", quoted(name)), Some(hint));
            return None;
        }
        None => calendar::country(at, name, findings)?,
    };
    known.insert(name.to_owned(), calendar);
    Some(name.to_owned())
}

/// Where a schedule is read.
pub(super) struct Place<'a> {
    /// Its environment.
    pub(super) environment: &'a Environment,
    /// What counts where it says nothing.
    pub(super) unsaid: &'a Unsaid,
    /// The calendars that it may name, beside countries.
    pub(super) calendars: &'a Calendars,
    /// Who wrote it.
    pub(super) origin: Origin,
}

impl ScheduleSection {
    /// Reads one. The calendar that it names is in `known` afterwards.
    pub(super) fn read(
        &self,
        at: &Path<'_>,
        place: &Place<'_>,
        known: &mut BTreeMap<String, Calendar>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<Schedule> {
        let Place { environment, unsaid, calendars, origin } = place;
        let before = findings.errors();
        let zone = match &self.zone {
            Some(name) => zone(&at.key("zone"), name, findings),
            None if unsaid.zone.is_none() => {
                let hint = "add `zone = \"Asia/Tokyo\"` to the environment, or to this schedule".to_owned();
                findings.at_key(at, "nothing says on whose clock this schedule is", Some(hint));
                None
            }
            None => unsaid.zone,
        };
        let holidays = match self.holidays.as_deref() {
            Some("none") => None,
            Some(name) => holidays(&at.key("holidays"), name, calendars, known, findings),
            None => unsaid.holidays.clone(),
        };
        let when = self.when(at, environment, findings);
        let catch_up = self.catch_up.as_ref();
        let catch_up_s = catch_up
            .and_then(|text| duration::read(&at.key("catch_up"), text, CATCH_UP_MIN_S..=CATCH_UP_MAX_S, findings));
        let warn = self.warn.as_ref();
        let warn_s = warn.and_then(|text| duration::read(&at.key("warn"), text, 0..=WARN_MAX_S, findings));
        let tell = people::read(&at.key("tell"), &self.tell, findings).into_iter().map(|(_, who)| who).collect();
        if findings.errors() > before {
            return None;
        }
        let schedule = Schedule {
            name: self.name.clone(),
            zone: zone?,
            when: when?,
            holidays,
            on_gap: self.on_gap,
            on_overlap: self.on_overlap,
            catch_up_s: catch_up_s.unwrap_or(DEFAULT_CATCH_UP_S),
            warn_s: warn_s.unwrap_or(DEFAULT_WARN_S),
            ready_by: self.ready_by,
            tell,
            origin: origin.clone(),
            since: None,
        };
        if let Err(error) = schedule.check(&Scale::from(*environment)) {
            findings.at_key(at, error.to_string(), None);
            return None;
        }
        Some(schedule)
    }

    fn when(&self, at: &Path<'_>, environment: &Environment, findings: &mut Findings<'_, '_>) -> Option<When> {
        let target = |key: &'static str, text: Option<&String>, findings: &mut Findings<'_, '_>| -> Option<Target> {
            told(&at.key(key), read_target(text?, environment), findings)
        };
        match (&self.window, &self.cron, &self.at) {
            (Some(text), None, None) => {
                for (key, _) in [("do", &self.does), ("for", &self.lasts)].iter().filter(|(_, value)| value.is_some()) {
                    let hint = "a window has `inside` and `outside`".to_owned();
                    findings.at_key(&at.key(key), format!("`{key}` has no meaning with a window"), Some(hint));
                }
                let window = misread(&at.key("window"), text.parse(), text, findings);
                let inside = target("inside", self.inside.as_ref(), findings);
                let outside = target("outside", self.outside.as_ref(), findings);
                Some(When::Window { window: window?, inside, outside })
            }
            (None, Some(text), None) => {
                let line = misread(&at.key("cron"), text.parse(), text, findings);
                let fires = self.fires(at, environment, findings);
                Some(When::Crontab { line: line?, fires: fires? })
            }
            (None, None, Some(text)) => {
                let moment = misread(&at.key("at"), text.parse(), text, findings);
                let fires = self.fires(at, environment, findings);
                Some(When::At { at: moment?, fires: fires? })
            }
            _ => {
                let hint = "write one of `window`, `cron` and `at`".to_owned();
                findings.at_key(at, "it must say when, and in one way only", Some(hint));
                None
            }
        }
    }

    fn fires(&self, at: &Path<'_>, environment: &Environment, findings: &mut Findings<'_, '_>) -> Option<Fires> {
        for (key, _) in
            [("inside", &self.inside), ("outside", &self.outside)].iter().filter(|(_, value)| value.is_some())
        {
            let hint = format!("write what it does: `do = \"up {}\"`", environment.up);
            findings.at_key(&at.key(key), format!("`{key}` has a meaning with a window only"), Some(hint));
        }
        let Some(text) = &self.does else {
            findings.at_key(at, "it does not say what it does", Some(format!("add `do = \"up {}\"`", environment.up)));
            return None;
        };
        let done = told(&at.key("do"), read_do(text, environment), findings);
        let for_s = match &self.lasts {
            Some(text) => Some(duration::read(&at.key("for"), text, 60..=LONGEST_FOR_S, findings)?),
            None => None,
        };
        let (way, target) = done?;
        Some(Fires { way, target, for_s })
    }
}

fn told<T>(at: &Path<'_>, read: Result<T, WishError>, findings: &mut Findings<'_, '_>) -> Option<T> {
    read.map_err(|WishError { what, hint }| findings.at_value(at, what, hint)).ok()
}

fn misread<T>(at: &Path<'_>, read: Result<T, Misread>, text: &str, findings: &mut Findings<'_, '_>) -> Option<T> {
    read.map_err(|error| findings.at_value(at, format!("{}: {error}", quoted(text)), None)).ok()
}
