//! `[calendars.NAME]`: holidays and working days of a country, of a team, or of both.

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::nearest::suggestion;
use super::super::problem::quoted;
use crate::domain::schedule::{COUNTRIES, Calendar, OwnDay, own_dates, read_ics};

/// Calendars by the names under which schedules refer to them; or why the file of one cannot be read, so that what names it is not
/// followed.
pub(in super::super) type Calendars = BTreeMap<String, Result<Calendar, String>>;

/// Holidays of a country, dates of a team's own, or both. Of two words about one date the team's own counts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct CalendarSection {
    /// The country whose holidays are in it, by its code: `JP`, `US`, `GB` (England), `GB-SCT`, `DE`, `FR`.
    #[schemars(example = &"JP")]
    country: Option<String>,
    /// Dates off, of the team's own: `2026-12-29`.
    #[serde(default)]
    #[schemars(example = ["2026-12-29", "2026-12-30"])]
    off: Vec<String>,
    /// Dates on which the team works, whatever else is said of them.
    #[serde(default)]
    #[schemars(example = ["2026-09-26"])]
    working: Vec<String>,
    /// A file with more of them: a calendar (`.ics`) of whole-day events, which are days off; or TOML with `days`, a list of
    /// dates or of tables with `date`, `name` and `working`.
    #[schemars(example = &"holidays.ics")]
    file: Option<PathBuf>,
}

/// What a date is called on which the team works.
const WORKED: &str = "a working day";

/// Reads all calendars; and the files that they name, whether or not those can be read.
pub(in super::super) fn read(
    sections: &BTreeMap<String, CalendarSection>,
    folder: &FilePath,
    findings: &mut Findings<'_, '_>,
) -> (Calendars, Vec<PathBuf>) {
    let all = Path::ROOT.key("calendars");
    let files = sections.values().filter_map(|section| Some(folder.join(section.file.as_ref()?))).collect();
    let read =
        |(name, section): (&String, &CalendarSection)| (name.clone(), one(&all.key(name), section, folder, findings));
    (sections.iter().map(read).collect(), files)
}

/// A file that cannot be read is the matter of those whose schedules name the calendar: here it is a warning.
fn one(
    at: &Path<'_>,
    section: &CalendarSection,
    folder: &FilePath,
    findings: &mut Findings<'_, '_>,
) -> Result<Calendar, String> {
    let country = section.country.as_ref().and_then(|code| country(&at.key("country"), code, findings));
    let (mut days, mut unread) = (Vec::new(), None);
    if let Some(file) = &section.file {
        match file_of(&folder.join(file)) {
            Ok(found) => days = found,
            Err(why) => {
                let hint =
                    "environments whose schedules name this calendar are not managed until it can be read".to_owned();
                findings.warn_at_value(&at.key("file"), why.clone(), Some(hint));
                unread = Some(why);
            }
        }
    }
    for (key, texts, working) in [("off", &section.off, false), ("working", &section.working, true)] {
        let at = at.key(key);
        for (index, text) in texts.iter().enumerate() {
            match own_dates(&toml::Value::Array(vec![toml::Value::String(text.clone())])) {
                Ok(found) if working => {
                    days.extend(found.into_iter().map(|day| OwnDay { working, name: WORKED.to_owned(), ..day }));
                }
                Ok(found) => days.extend(found),
                Err(error) => findings.at_value(&at.index(index), error.why, None),
            }
        }
    }
    for (index, text) in section.working.iter().enumerate().filter(|(_, text)| section.off.contains(text)) {
        let message = format!("{} is in `off`, too", quoted(text));
        findings.at_value(
            &at.key("working").index(index),
            message,
            Some("take it out of one of the two lists".to_owned()),
        );
    }
    match unread {
        Some(why) => Err(why),
        None => Ok(country.unwrap_or_default().with(days)),
    }
}

/// The holidays of a country.
pub(super) fn country(at: &Path<'_>, code: &str, findings: &mut Findings<'_, '_>) -> Option<Calendar> {
    let calendar = Calendar::of(code).ok();
    if calendar.is_none() {
        let hint = suggestion(code, COUNTRIES.iter().copied(), "countries");
        findings.at_value(at, format!("no holidays are built in for {}", quoted(code)), hint);
    }
    calendar
}

fn file_of(file: &FilePath) -> Result<Vec<OwnDay>, String> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{name} cannot be read: {error}"))?;
    if file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("ics")) {
        return read_ics(&text, false).map_err(|error| format!("{name}: {error}"));
    }
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| format!("{name}: {error}"))?;
    let days = table.get("days").ok_or_else(|| format!("{name} has no list `days`"))?;
    own_dates(days).map_err(|error| match place_of(&text, error.number) {
        Some((line, column)) => format!("{name}: line {line}, column {column}: {error}"),
        None => format!("{name}: {error}"),
    })
}

/// Line and column, from 1, of an entry of the list `days`, counted from 1; 0 is the list.
fn place_of(text: &str, number: usize) -> Option<(usize, usize)> {
    let table = DeTable::parse(text).ok()?;
    let days = table.get_ref().get("days")?;
    let span = match (number.checked_sub(1), days.get_ref()) {
        (Some(at), DeValue::Array(all)) => all.get(at)?.span(),
        _ => days.span(),
    };
    let before = text.get(..span.start)?;
    let line = before.rsplit('\n').next().unwrap_or_default();
    Some((before.matches('\n').count() + 1, line.chars().count() + 1))
}
