//! A team's own dates from an iCalendar file: the whole-day events in it. Source: RFC 5545, sections 3.1, 3.6.1, 3.8.2.

use chrono::{Days, NaiveDate};

use super::OwnDay;

/// Longest event, in days: longer is a mistake in its end.
const LONGEST_DAYS: i64 = 366;

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {why}")]
pub struct IcsError {
    /// Its number in the file, from 1; of a folded line, its first.
    pub line: usize,
    /// Where in the line, in characters from 1, its continuations counted on.
    pub column: usize,
    /// What is wrong with it.
    pub why: String,
}

/// An event as far as it has been read.
struct Event {
    line: usize,
    first: Option<NaiveDate>,
    /// The date after the last one, and its line.
    end: Option<(NaiveDate, usize)>,
    name: Option<String>,
    cancelled: bool,
}

/// Reads the whole-day events of an iCalendar file as days off, or, with `working`, as days on which the team works.
///
/// Repetitions (`RRULE`) and times of day are refused: what a calendar program would make of them is not said in the file.
pub fn read_ics(text: &str, working: bool) -> Result<Vec<OwnDay>, IcsError> {
    let mut found = Vec::new();
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut event: Option<Event> = None;
    let mut complete = false;
    for (line, content) in unfolded(text)? {
        let wrong = |why: String| IcsError { line, column: 1, why };
        let (name, parameters, value) =
            property(&content).ok_or_else(|| wrong(format!("`{content}` is no `NAME:value`")))?;
        if open.is_empty() && (name != "BEGIN" || !value.eq_ignore_ascii_case("VCALENDAR")) {
            return Err(wrong("this is no iCalendar: `BEGIN:VCALENDAR` is missing".to_owned()));
        }
        // What stands inside an event, such as an alarm, is not the event's own.
        let own = open.last().is_some_and(|(_, inner)| inner == "VEVENT");
        match name.as_str() {
            "BEGIN" => {
                let what = value.trim().to_uppercase();
                if what == "VEVENT" {
                    event = Some(Event { line, first: None, end: None, name: None, cancelled: false });
                }
                open.push((line, what));
            }
            "END" => {
                let what = value.trim().to_uppercase();
                match open.pop() {
                    Some((_, begun)) if begun == what => {}
                    Some((begun_at, begun)) => {
                        return Err(wrong(format!("`END:{what}` ends `BEGIN:{begun}` of line {begun_at}")));
                    }
                    None => return Err(wrong(format!("`END:{what}` ends nothing"))),
                }
                if what == "VEVENT"
                    && let Some(event) = event.take()
                {
                    found.extend(event.days(working)?);
                }
                complete |= open.is_empty();
            }
            "DTSTART" | "DTEND" if own => {
                let column = content.chars().count() - value.trim_start().chars().count() + 1;
                let date = date(&parameters, &value).map_err(|why| IcsError { line, column, why })?;
                if let Some(event) = &mut event {
                    if name == "DTSTART" {
                        event.first = Some(date);
                    } else {
                        event.end = Some((date, line));
                    }
                }
            }
            "RRULE" | "RDATE" | "EXDATE" | "DURATION" if own => {
                return Err(wrong(format!(
                    "`{name}` is not read: write each day as an event of its own, with DTSTART and DTEND"
                )));
            }
            "SUMMARY" if own => {
                if let Some(event) = &mut event {
                    event.name = Some(unescaped(&value));
                }
            }
            "STATUS" if own => {
                if let Some(event) = &mut event {
                    event.cancelled = value.trim().eq_ignore_ascii_case("CANCELLED");
                }
            }
            _ => {}
        }
    }
    match open.first() {
        Some((line, what)) => Err(IcsError { line: *line, column: 1, why: format!("`BEGIN:{what}` has no end") }),
        None if complete => Ok(found),
        None => Err(IcsError { line: 1, column: 1, why: "this is no iCalendar: nothing is in it".to_owned() }),
    }
}

impl Event {
    fn days(self, working: bool) -> Result<Vec<OwnDay>, IcsError> {
        if self.cancelled {
            return Ok(Vec::new());
        }
        let wrong = |line: usize, why: &str| IcsError { line, column: 1, why: why.to_owned() };
        let first = self.first.ok_or_else(|| wrong(self.line, "the event has no DTSTART"))?;
        let days = match self.end {
            None => 1,
            Some((end, line)) => match (end - first).num_days() {
                ..=0 => {
                    return Err(wrong(line, "the event ends before it begins: DTEND is the day after the last one"));
                }
                days if days > LONGEST_DAYS => return Err(wrong(line, "the event is longer than a year")),
                days => days.unsigned_abs(),
            },
        };
        let name = self.name.filter(|name| !name.is_empty()).unwrap_or_else(|| "a day off".to_owned());
        let dates = (0..days).filter_map(|later| first.checked_add_days(Days::new(later)));
        Ok(dates.map(|date| OwnDay { date, name: name.clone(), working }).collect())
    }
}

/// Lines with their continuations, which begin with a blank, put together again.
fn unfolded(text: &str) -> Result<Vec<(usize, String)>, IcsError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found: Vec<(usize, String)> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        match (line.strip_prefix([' ', '\t']), found.last_mut()) {
            (Some(rest), Some((_, before))) => before.push_str(rest),
            (Some(_), None) => {
                return Err(IcsError {
                    line: at + 1,
                    column: 1,
                    why: "it goes on from a line before it, and there is none".to_owned(),
                });
            }
            (None, _) if line.trim().is_empty() => {}
            (None, _) => found.push((at + 1, line.to_owned())),
        }
    }
    Ok(found)
}

/// Name in capitals, parameters, and value of `NAME;PARAMETER=..:value`.
fn property(line: &str) -> Option<(String, String, String)> {
    let mut quoted = false;
    let colon = line.char_indices().find_map(|(at, letter)| {
        quoted ^= letter == '"';
        (letter == ':' && !quoted).then_some(at)
    })?;
    let (head, value) = (line.get(..colon)?, line.get(colon + 1..)?);
    let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
    let valid = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    valid.then(|| (name.to_uppercase(), parameters.to_uppercase(), value.to_owned()))
}

fn date(parameters: &str, value: &str) -> Result<NaiveDate, String> {
    let value = value.trim();
    if value.contains('T') || parameters.split(';').any(|parameter| parameter == "VALUE=DATE-TIME") {
        return Err(format!("`{value}` has a time of day: only whole days are read, `DTSTART;VALUE=DATE:20261224`"));
    }
    let digits = value.len() == 8 && value.bytes().all(|byte| byte.is_ascii_digit());
    let date = if digits { NaiveDate::parse_from_str(value, "%Y%m%d").ok() } else { None };
    date.ok_or_else(|| format!("`{value}` is not a date of the calendar: write it like `20261224`"))
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.trim().chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n' | 'N') | None => plain.push(' '),
                Some(other) => plain.push(other),
            },
            other => plain.push(other),
        }
    }
    plain
}
