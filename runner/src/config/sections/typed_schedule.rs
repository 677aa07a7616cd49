//! A schedule that is typed in a chat: one of the file, read by the same code, with the same checks.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Datelike as _, Months, NaiveDate};
use chrono_tz::Tz;
use serde::Deserialize as _;
use serde_json::Value;
use toml::de::ValueDeserializer;

use super::super::document::{Document, Path};
use super::super::findings::Findings;
use super::super::load::Config;
use super::super::problem::Problem;
use super::super::schema::{resolve, schema};
use super::super::shape::Shape;
use super::super::source::Source;
use super::schedule::{CONTRADICTS, Place, ScheduleSection, contradiction_after, skipped_by_the_clocks};
use crate::domain::environment::Environment;
use crate::domain::ids::Timestamp;
use crate::domain::schedule::{
    At, Calendar, Origin, Schedule, Stored, Timetable, Written, first_instant, never, swallowed,
};

/// Most mistakes that are put right in one line.
const MENDED_MAX: usize = 8;

/// Words for `down`.
const LOWERS: [&str; 8] = ["destroy", "delete", "off", "lower", "shut", "stop", "sleep", "up off"];

/// What is wrong with a schedule that is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The key whose value it is, or that should not be there; `None`: it is about all of it.
    pub key: Option<String>,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// The schedule that asks for something else at one time.
    pub against: Option<String>,
}

/// A schedule with the calendar that it names, if it names one.
pub type Read = (Schedule, BTreeMap<String, Calendar>);

/// Reads a schedule as if it stood in the file.
///
/// # Errors
/// Everything that `check` would say of it there, but for what it has to do with the others.
pub fn read_schedule(
    config: &Config,
    environment: &Environment,
    written: &Written,
    origin: &Origin,
) -> Result<Read, Vec<Mistake>> {
    let source = Source::new("typed", &text_of(environment, written));
    let document = Document::parse(&source).map_err(mistakes)?;
    let mut findings = Findings::new(&document);
    let environments = Path::ROOT.key("environments");
    let schedules = environments.key(environment.name.as_str());
    let schedules = schedules.key("schedules");
    let at = schedules.index(0);
    let mut shape = Shape::default();
    let mut known = BTreeMap::new();
    let mut read = None;
    if let Some(node) = document.value(&at) {
        shape.check(form(), 0, node, &at, &mut findings);
        let of_form = findings.problems().len();
        match ScheduleSection::deserialize(ValueDeserializer::from(shape.without_wrong(node))) {
            Ok(section) => {
                let unsaid = &environment.timetable.unsaid;
                let place = Place { environment, unsaid, calendars: &config.calendars, origin: origin.clone() };
                read = section.read(&at, &place, &mut known, &mut findings);
            }
            Err(error) if of_form == 0 => findings.at_key(&at, error.message().to_owned(), None),
            Err(_) => {}
        }
        findings.drop_consequences(of_form);
    }
    match read {
        Some(schedule) if findings.errors() == 0 => Ok((schedule, known)),
        _ => Err(mistakes(findings.into_problems())),
    }
}

/// A timetable with one more schedule.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn with(
    config: &Config,
    environment: &Environment,
    table: &Timetable,
    stored: &Stored,
    now: Timestamp,
) -> Result<Timetable, Mistake> {
    let about_all =
        |what: String, hint: Option<&str>| Mistake { key: None, what, hint: hint.map(str::to_owned), against: None };
    let Written { name, .. } = &stored.written;
    if table.schedules.iter().any(|other| other.name == *name) {
        return Err(about_all(format!("there is a schedule `{name}` already"), Some("give it another name")));
    }
    let origin = Origin::Chat { who: stored.added.by.clone(), when: stored.added.at };
    let (mut schedule, known) = read_schedule(config, environment, &stored.written, &origin).map_err(|mistakes| {
        mistakes.into_iter().next().unwrap_or_else(|| about_all("it cannot be read".to_owned(), None))
    })?;
    schedule.since = schedule.has_moments().then(|| stored.changed.as_ref().unwrap_or(&stored.added).at);
    let mut more = table.clone();
    if !known.is_empty() {
        let calendars = table.calendars.iter().map(|(name, calendar)| (name.clone(), calendar.clone()));
        more.calendars = Arc::new(calendars.chain(known).collect());
    }
    let calendar = schedule.holidays.as_ref().and_then(|name| more.calendars.get(name));
    if let Some(wall) = swallowed(&schedule, calendar) {
        return Err(about_all(skipped_by_the_clocks(&schedule, wall), Some("write a time that comes")));
    }
    more.schedules.push(schedule);
    match contradiction_after(&more, environment, now) {
        Some((what, other)) => Err(Mistake { against: Some(other), ..about_all(what, Some(CONTRADICTS)) }),
        None => Ok(more),
    }
}

/// Whether a schedule never does anything from now on.
#[must_use]
pub fn is_over(table: &Timetable, schedule: &Schedule, now: Timestamp) -> bool {
    let calendar = schedule.holidays.as_ref().and_then(|name| table.calendars.get(name));
    never(schedule, calendar, now)
}

/// The schedule that was most likely meant, with nothing wrong in itself, where that can be told; and all that is wrong with what was
/// written. Some of it is seen only once something else is put right.
#[must_use]
pub fn mended(config: &Config, environment: &Environment, written: &Written) -> (Option<Written>, Vec<Mistake>) {
    let origin = Origin::File { line: 0 };
    let wrong = |written: &Written| read_schedule(config, environment, written, &origin).err().unwrap_or_default();
    let mut written = written.clone();
    let mut left = wrong(&written);
    let mut all = left.clone();
    for _ in 0..MENDED_MAX {
        let Some(first) = left.first() else { return (Some(written), all) };
        // What comes to light is about all of it, or it is the same thing put wrong in another way.
        let comes_to_light = |other: &Mistake| left.contains(other) || other.key.is_none();
        let better = |still: &[Mistake]| {
            still.len() < left.len()
                || (still.len() == left.len() && !still.contains(first) && still.iter().all(comes_to_light))
        };
        let found = candidates(config, environment, &written, first)
            .map(|candidate| (wrong(&candidate), candidate))
            .find(|(still, _)| better(still));
        let Some((still, candidate)) = found else { break };
        all.extend(still.iter().filter(|mistake| !all.contains(mistake)).cloned().collect::<Vec<_>>());
        (left, written) = (still, candidate);
    }
    (None, all)
}

/// The zone of what is scheduled beside it: of this environment's schedules, or else of the first environment that has one.
fn zone_beside(config: &Config, environment: &Environment) -> Option<Tz> {
    let own = environment.timetable.schedules.first().map(|schedule| schedule.zone);
    own.or_else(|| config.environments.values().find_map(|other| other.timetable.unsaid.zone))
}

/// What may have been meant where this is wrong, the likeliest first.
fn candidates<'a>(
    config: &'a Config,
    environment: &'a Environment,
    written: &'a Written,
    mistake: &'a Mistake,
) -> impl Iterator<Item = Written> + 'a {
    let mut all = Vec::new();
    let mut set = |pairs: &[(&str, String)], out: &[&str]| {
        let mut keys = written.keys.clone();
        for key in out {
            keys.shift_remove(*key);
        }
        for (key, value) in pairs {
            keys.insert((*key).to_owned(), value.clone());
        }
        all.push(Written { name: written.name.clone(), keys });
    };
    let mut said = fragments(mistake.hint.as_deref().unwrap_or_default());
    // One of several is a guess.
    if said.len() > 1 {
        said.clear();
    }
    said.extend(
        mistake.what.split_once(": write `").and_then(|(_, rest)| fragments(&format!("`{rest}")).into_iter().next()),
    );
    let wrong = fragments(&mistake.what);
    let unsaid = |key: &str| match key {
        "inside" => Some(environment.up.to_string()),
        "outside" => Some(environment.down.to_string()),
        key => example(key),
    };
    if mistake.key.is_none()
        && !written.keys.contains_key("zone")
        && environment.timetable.unsaid.zone.is_none()
        && let Some(zone) = zone_beside(config, environment)
    {
        set(&[("zone", zone.name().to_owned())], &[]);
    }
    // `add \`for = "3h"\``
    for fragment in said.iter().chain(&wrong) {
        if let Some((key, value)) = fragment.split_once(" = ") {
            set(&[(key, value.trim_matches('"').to_owned())], &[]);
        } else if mistake.key.is_none()
            && let Some(value) = unsaid(fragment)
        {
            set(&[(fragment, value)], &[]);
        }
    }
    if let Some(key) = mistake.key.as_deref() {
        let value = written.keys.get(key).cloned().unwrap_or_default();
        // Who wanted it gone is not offered to raise it.
        if key == "do" && LOWERS.iter().any(|word| value.to_lowercase().starts_with(word)) {
            set(&[(key, "down".to_owned())], &[]);
        }
        for right in &said {
            if keys().any(|known| known == right) {
                set(&[(right, value.clone())], &[key]);
            }
            for word in &wrong {
                set(&[(key, value.replace(word, right))], &[]);
            }
            set(&[(key, right.clone())], &[]);
        }
        if let Some(near) = nearly(key, &value) {
            set(&[(key, near)], &[]);
        }
        for other in further(key, &value) {
            set(&[(key, other)], &[]);
        }
        for span in spans(key, &value) {
            set(&[(key, span)], &[]);
        }
        // A level without the values that it cannot have.
        let plain: Vec<&str> = value.split_whitespace().filter(|word| !word.contains('=')).collect();
        set(&[(key, plain.join(" "))], &[]);
        // An example in place of what somebody wrote is something else, and so is what remains without it.
        if value.trim().is_empty()
            && let Some(example) = unsaid(key)
        {
            set(&[(key, example)], &[]);
        }
        if !keys().any(|known| known == key)
            || ["has no meaning", "has a meaning with"].iter().any(|out| mistake.what.contains(out))
        {
            set(&[], &[key]);
        }
    } else {
        for (way, others) in [("window", ["cron", "at", "do", "for"]), ("cron", ["window", "at", "inside", "outside"])]
        {
            if written.keys.contains_key(way) {
                set(&[], &others);
            }
        }
        let window = ["window", "inside", "outside"].map(|key| (key, unsaid(key).unwrap_or_default()));
        set(&window, &["cron", "at", "do", "for"]);
    }
    all.into_iter()
}

/// The same thing, written as it is read: a crontab line without its seconds, the last day of a month that is shorter.
fn nearly(key: &str, value: &str) -> Option<String> {
    match key {
        "window" => Some(window_as_read(value)).filter(|near| near != value),
        "cron" => {
            let fields: Vec<&str> = value.split_whitespace().collect();
            let five = fields.strip_prefix(&["0"]).or_else(|| fields.strip_prefix(&["00"]))?;
            (five.len() == 5).then(|| five.join(" "))
        }
        "at" => {
            let (date, time) = value.split_once([' ', 'T'])?;
            last_of_month(date).map(|last| format!("{last} {time}"))
        }
        "ready_by" => match value.trim().to_lowercase().as_str() {
            "yes" | "on" | "1" => Some("true".to_owned()),
            "no" | "off" | "0" => Some("false".to_owned()),
            _ => None,
        },
        _ => None,
    }
}

/// The last day of a month for one that it does not have: `2026-02-28` for `2026-02-30`.
fn last_of_month(date: &str) -> Option<NaiveDate> {
    let [year, month, day] = date.split('-').collect::<Vec<_>>().try_into().ok()?;
    let first = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1)?;
    let last = first.checked_add_months(Months::new(1))?.pred_opt()?;
    (last.day() + 1..=31).contains(&day.parse().ok()?).then_some(last)
}

/// What else may have been meant: each step of a crontab line that never gets anywhere as a single value, a day that no month has as the
/// last of its month, dates that go backwards the other way round, a span that ends when it begins as a whole day.
fn further(key: &str, value: &str) -> Vec<String> {
    let words: Vec<&str> = value.split_whitespace().collect();
    let each = |change: &dyn Fn(&str) -> Option<String>| {
        words.iter().map(|word| change(word).unwrap_or_else(|| (*word).to_owned())).collect::<Vec<_>>().join(" ")
    };
    match key {
        "cron" => {
            let [minute, hour, _, month, weekday] = words.as_slice() else { return Vec::new() };
            vec![
                each(&|word| word.strip_suffix("/0").map(|_| "0".to_owned())),
                // Of `0 0 30 2 *` nobody knows whether the day was meant or the month.
                format!("{minute} {hour} 28 {month} {weekday}"),
            ]
        }
        "window" => {
            let last = each(&|word| last_of_month(word).map(|last| last.to_string()));
            let nth = each(&|word| {
                let digits = word.strip_suffix("th")?;
                digits.parse::<u32>().ok().filter(|nth| *nth > 5).map(|_| "last".to_owned())
            });
            let whole = each(&|word| {
                word.split_once('-')
                    .filter(|(from, to)| from == to && from.contains(':'))
                    .map(|_| "00:00-24:00".to_owned())
            });
            let turned = value.split_once(" - ").map(|(from, to)| format!("{} - {}", to.trim(), from.trim()));
            turned.into_iter().chain([last, nth, whole]).collect()
        }
        _ => Vec::new(),
    }
    .into_iter()
    .filter(|other| other != value)
    .collect()
}

/// A window with its words and times as they are read: `Mon-Fri 09:00-18:30` for `weekdays 9am-18:30`.
fn window_as_read(value: &str) -> String {
    let time = |text: &str| {
        let half =
            [("am", 0), ("pm", 12)].into_iter().find_map(|(half, hours)| Some((text.strip_suffix(half)?, hours)));
        let (plain, half) = half.map_or((text, None), |(plain, hours)| (plain, Some(hours)));
        let (hour, minute) = plain.split_once(':').unwrap_or((plain, "00"));
        let hour: u32 = hour.parse().ok().filter(|hour| *hour <= 24)?;
        let hour = match half {
            Some(hours) if (1..=12).contains(&hour) => hour % 12 + hours,
            Some(_) => return None,
            None => hour,
        };
        (minute.len() == 2 && minute.parse::<u32>().is_ok()).then(|| format!("{hour:02}:{minute}"))
    };
    let word = |word: &str| match word.to_lowercase().as_str() {
        "weekdays" | "workdays" => "Mon-Fri".to_owned(),
        "weekends" | "weekend" => "Sat-Sun".to_owned(),
        lower => match lower.split_once('-') {
            Some((from, to)) => time(from).zip(time(to)).map(|(from, to)| format!("{from}-{to}")),
            None => Some(lower).filter(|lower| lower.contains(':')).and_then(time),
        }
        .unwrap_or_else(|| word.to_owned()),
    };
    value.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// What may have been meant by a duration that is none here: weeks and years in days, else the nearest that can be.
fn spans(key: &str, value: &str) -> Vec<String> {
    if !["for", "warn", "catch_up"].contains(&key) {
        return Vec::new();
    }
    let (digits, unit) = value.trim().split_at(value.trim().find(|c: char| !c.is_ascii_digit()).unwrap_or(0));
    let days = match unit.trim().to_lowercase().as_str() {
        "w" | "week" | "weeks" => 7,
        "y" | "year" | "years" => 365,
        _ => return Vec::new(),
    };
    let in_days = digits.parse::<u32>().ok().and_then(|count| count.checked_mul(days)).map(|days| format!("{days}d"));
    in_days.into_iter().chain(["31d", "7d", "24h"].map(str::to_owned)).collect()
}

/// What stands in back quotes.
fn fragments(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).filter(|fragment| !fragment.is_empty()).map(str::to_owned).collect()
}

/// The form of one schedule.
fn form() -> &'static Value {
    let environment = schema().pointer("/properties/environments/additionalProperties").map_or(&Value::Null, resolve);
    environment.pointer("/properties/schedules/items").map_or(&Value::Bool(true), resolve)
}

fn property(key: &str) -> Option<&'static Value> {
    form().get("properties")?.get(key)
}

/// The keys that a schedule may have beside its name.
pub fn keys() -> impl Iterator<Item = &'static str> {
    let all = form().get("properties").and_then(Value::as_object);
    all.into_iter().flat_map(|all| all.keys()).map(String::as_str).filter(|key| *key != "name")
}

fn example(key: &str) -> Option<String> {
    Some(property(key)?.get("examples")?.get(0)?.as_str()?.to_owned())
}

/// What would stand in the file.
fn text_of(environment: &Environment, written: &Written) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let plain = |key: &str, value: &str| {
        let wants = property(key).and_then(|part| part.get("type")).and_then(Value::as_str);
        match wants {
            Some("boolean") if value.parse::<bool>().is_ok() => value.to_owned(),
            Some("integer") if value.parse::<i64>().is_ok() => value.to_owned(),
            Some("array") => {
                let all = value.split(',').map(str::trim).filter(|one| !one.is_empty());
                toml::Value::Array(all.map(toml::Value::from).collect()).to_string()
            }
            _ => quoted(value),
        }
    };
    let keys = written.keys.iter().map(|(key, value)| format!("{} = {}\n", quoted(key), plain(key, value)));
    let head = format!("[[environments.{}.schedules]]\nname = {}\n", environment.name, quoted(&written.name));
    std::iter::once(head).chain(keys).collect()
}

fn mistakes(problems: Vec<Problem>) -> Vec<Mistake> {
    let mistake = |problem: Problem| {
        let key = problem.key_path.rsplit_once("schedules[0].").map(|(_, key)| key.trim_matches('"').to_owned());
        Mistake { key, what: problem.message, hint: problem.hint, against: None }
    };
    problems.into_iter().filter(Problem::is_error).map(mistake).collect()
}

/// The same with a date that has passed brought to the next day on which its time of day lies ahead; `None` for what has no date.
#[must_use]
pub fn ahead(environment: &Environment, written: &Written, now: Timestamp) -> Option<Written> {
    let zone = match written.keys.get("zone") {
        Some(name) => name.parse().ok()?,
        None => environment.timetable.unsaid.zone?,
    };
    let at: At = written.keys.get("at")?.parse().ok()?;
    let today = first_date(now, zone)?;
    let walls = [Some(today), today.succ_opt()].into_iter().flatten().map(|date| date.and_time(at.wall().time()));
    let wall = walls.into_iter().find(|wall| first_instant(*wall, zone).is_some_and(|at| at > now))?;
    let change = [("at".to_owned(), wall.format("%Y-%m-%d %H:%M").to_string())];
    Some(written.changed_by(&Written { name: written.name.clone(), keys: change.into_iter().collect() }))
}

fn first_date(at: Timestamp, zone: Tz) -> Option<NaiveDate> {
    Some(DateTime::from_timestamp_millis(at.0)?.with_timezone(&zone).date_naive())
}
