//! A team's own dates as they stand in a TOML file: `[2026-12-28, { date = 2026-12-29, name = "Inventory", working = true }]`.

use chrono::NaiveDate;

use super::OwnDay;

/// What dates are called that have no name.
const UNNAMED: (&str, &str) = ("a day off", "a working day");

/// A value that is no date of a team's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {number}: {why}")]
pub struct DatesError {
    /// Which of the entries, from 1; 0: the whole.
    pub number: usize,
    /// What is wrong with it.
    pub why: String,
}

/// Reads a list of dates, or of tables with `date`, `name` and `working`.
pub fn own_dates(value: &toml::Value) -> Result<Vec<OwnDay>, DatesError> {
    let Some(entries) = value.as_array() else {
        return Err(DatesError { number: 0, why: "this is not a list of dates".to_owned() });
    };
    entries.iter().enumerate().map(|(at, entry)| own(entry).map_err(|why| DatesError { number: at + 1, why })).collect()
}

fn own(entry: &toml::Value) -> Result<OwnDay, String> {
    let Some(table) = entry.as_table() else {
        return Ok(OwnDay { date: date(entry)?, name: UNNAMED.0.to_owned(), working: false });
    };
    if let Some(unknown) = table.keys().find(|key| !["date", "name", "working"].contains(&key.as_str())) {
        return Err(format!("`{unknown}` is not known here: there are `date`, `name` and `working`"));
    }
    let date = date(table.get("date").ok_or("`date` is missing")?)?;
    let working = match table.get("working") {
        Some(working) => working.as_bool().ok_or("`working` is `true` or `false`")?,
        None => false,
    };
    let name = match table.get("name") {
        Some(name) => name.as_str().ok_or("`name` is a text")?,
        None if working => UNNAMED.1,
        None => UNNAMED.0,
    };
    Ok(OwnDay { date, name: name.to_owned(), working })
}

fn date(value: &toml::Value) -> Result<NaiveDate, String> {
    let text = match value {
        toml::Value::Datetime(date) if date.time.is_none() => date.to_string(),
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    // `NaiveDate`'s own reader takes `2026-1-2` too.
    let date = if text.len() == 10 { text.parse().ok() } else { None };
    date.ok_or_else(|| format!("`{text}` is not a date of the calendar: write it like `2026-12-24`"))
}
