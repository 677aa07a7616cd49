//! Reads crontab lines. Source: crontab(5) of vixie-cron, and its `get_range` and `find_jobs`.

use std::str::FromStr;

use cron::{Schedule, TimeUnitSpec};

use super::Crontab;
use crate::domain::schedule::misread::{Misread, Wrong, words};

/// What a field takes.
struct Field {
    called: &'static str,
    range: &'static str,
    least: u32,
    most: u32,
    /// From `least` upwards.
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    Field { called: "minute", range: "0 to 59", least: 0, most: 59, names: &[] },
    Field { called: "hour", range: "0 to 23", least: 0, most: 23, names: &[] },
    Field { called: "day of the month", range: "1 to 31", least: 1, most: 31, names: &[] },
    Field { called: "month", range: "1 to 12 or jan to dec", least: 1, most: 12, names: &MONTHS },
    Field {
        called: "weekday",
        range: "0 to 7 (0 and 7 are Sunday) or sun to sat",
        least: 0,
        most: 7,
        names: &WEEKDAYS,
    },
];

/// What the names with `@` stand for.
const NAMED: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// The most days that each month ever has.
const LENGTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// A comma-separated part of a field: from, to, step.
type Element = (u32, u32, u32);

impl FromStr for Crontab {
    type Err = Misread;

    fn from_str(text: &str) -> Result<Self, Misread> {
        let written = words(text);
        let shown = written.iter().map(|(_, word)| *word).collect::<Vec<_>>().join(" ");
        match written.as_slice() {
            [] => Err(Misread { column: 1, wrong: Wrong::Empty("`0 9 * * 1-5`") }),
            [(column, name), rest @ ..] if name.starts_with('@') => {
                let lower = name.to_lowercase();
                if let Some((column, found)) = rest.first() {
                    let wrong = Wrong::Unexpected { found: (*found).to_owned(), wanted: "nothing after a name" };
                    return Err(Misread { column: *column, wrong });
                }
                let wrong = if lower == "@reboot" { Wrong::Reboot } else { Wrong::AtName((*name).to_owned()) };
                let (_, line) =
                    NAMED.iter().find(|(known, _)| *known == lower).ok_or(Misread { column: *column, wrong })?;
                Ok(Self { text: lower, ..fields(&words(line))? })
            }
            written => Ok(Self { text: shown, ..fields(written)? }),
        }
    }
}

fn fields(written: &[(usize, &str)]) -> Result<Crontab, Misread> {
    let &[minute, hour, day, month, weekday] = written else {
        let wrong = if written.len() == 6 { Wrong::Seconds } else { Wrong::Fields(written.len()) };
        let column = written.get(if written.len() == 6 { 0 } else { 5 }).or(written.last()).map_or(1, |word| word.0);
        return Err(Misread { column, wrong });
    };
    let [minutes, hours, days, months, weekdays] = &FIELDS;
    let minutes = elements(minute, minutes)?;
    let hours = elements(hour, hours)?;
    let days = elements(day, days)?;
    let months = elements(month, months)?;
    let weekdays = elements(weekday, weekdays)?;
    let star = |word: (usize, &str)| word.1.starts_with('*');
    // The crate counts weekdays from 1 = Sunday and knows no 0 and no second Sunday: they are named one by one.
    let named: Vec<u32> = (0..7)
        .filter(|day| weekdays.iter().any(|element| hits(*element, *day) || *day == 0 && hits(*element, 7)))
        .map(|day| day + 1)
        .collect();
    let translated = format!(
        "0 {} {} {} {} {}",
        joined(&minutes),
        joined(&hours),
        joined(&days),
        joined(&months),
        named.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
    );
    let schedule = Schedule::from_str(&translated)
        .map_err(|error| Misread { column: minute.0, wrong: Wrong::Refused(error.to_string()) })?;
    let mut crontab = Crontab {
        text: String::new(),
        minutes: schedule
            .hours()
            .iter()
            .flat_map(|hour| schedule.minutes().iter().map(move |minute| hour * 60 + minute))
            .collect(),
        days: [false; 32],
        months: [false; 13],
        weekdays: [false; 7],
        either: !star(day) && !star(weekday),
        by_weekday: weekday.1 != "*",
    };
    set(&mut crontab.days, schedule.days_of_month().iter());
    set(&mut crontab.months, schedule.months().iter());
    set(&mut crontab.weekdays, schedule.days_of_week().iter().map(|day| day.saturating_sub(1)));
    let exists = (1..).zip(LENGTHS).any(|(month, length)| {
        schedule.months().includes(month) && (1..=length).any(|day| schedule.days_of_month().includes(day))
    });
    if !exists && !crontab.either {
        return Err(Misread { column: day.0, wrong: Wrong::NoSuchDay { day: day.1.to_owned() } });
    }
    Ok(crontab)
}

fn set(days: &mut [bool], on: impl Iterator<Item = u32>) {
    for at in on {
        if let Some(slot) = days.get_mut(at as usize) {
            *slot = true;
        }
    }
}

fn hits((from, to, step): Element, value: u32) -> bool {
    (from..=to).contains(&value) && (value - from).is_multiple_of(step)
}

fn joined(elements: &[Element]) -> String {
    let one = |(from, to, step): &Element| match (from == to, *step) {
        (true, _) => from.to_string(),
        (false, 1) => format!("{from}-{to}"),
        (false, step) => format!("{from}-{to}/{step}"),
    };
    elements.iter().map(one).collect::<Vec<_>>().join(",")
}

/// The comma-separated parts of a field.
fn elements((column, text): (usize, &str), field: &Field) -> Result<Vec<Element>, Misread> {
    let mut found = Vec::new();
    let mut at = column;
    for part in text.split(',') {
        found.push(element(at, part, field)?);
        at += part.chars().count() + 1;
    }
    Ok(found)
}

fn element(column: usize, text: &str, field: &Field) -> Result<Element, Misread> {
    let (range, step) = text.split_once('/').map_or((text, None), |(range, step)| (range, Some(step)));
    let after = |part: &str| column + part.chars().count() + 1;
    let (from, to) = match range.split_once('-') {
        _ if range == "*" => (field.least, if field.most == 7 { 6 } else { field.most }),
        None => {
            let one = value(column, range, field)?;
            (one, one)
        }
        Some((first, last)) => {
            let (from, to) = (value(column, first, field)?, value(after(first), last, field)?);
            // `fri-sun`: Sunday is 7 at the end of a range, as it is 0 at its beginning.
            let to = if field.most == 7 && to == 0 && from > 0 { 7 } else { to };
            if from > to {
                return Err(Misread { column, wrong: wraps(range, first, last, field) });
            }
            (from, to)
        }
    };
    let Some(step) = step else { return Ok((from, to, 1)) };
    if range != "*" && !range.contains('-') {
        let last = if field.most == 7 { 6 } else { field.most };
        let wrong = Wrong::LoneStep { found: text.to_owned(), instead: format!("{range}-{last}/{step}") };
        return Err(Misread { column, wrong });
    }
    let column = after(range);
    let wrong = || Wrong::Field {
        found: step.to_owned(),
        field: "step",
        range: "a number from 1 to the largest value of its field",
    };
    let digits = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
    match step.parse::<u32>() {
        Ok(0) if digits => Err(Misread { column, wrong: Wrong::NoStep(text.to_owned()) }),
        Ok(step) if digits && step <= field.most => Ok((from, to, step)),
        // A step beyond the field leaves its first value only; it is a slip of the pen.
        Ok(_) | Err(_) => Err(Misread { column, wrong: wrong() }),
    }
}

fn wraps(range: &str, first: &str, last: &str, field: &Field) -> Wrong {
    let (bottom, top) = if field.most == 7 { (0, 6) } else { (field.least, field.most) };
    let named = |value: u32| {
        let at = value.saturating_sub(field.least) as usize;
        let by_name = first.starts_with(|letter: char| letter.is_alphabetic());
        field.names.get(at).filter(|_| by_name).map_or_else(|| value.to_string(), |name| (*name).to_owned())
    };
    Wrong::Wraps { found: range.to_owned(), instead: format!("{first}-{},{}-{last}", named(top), named(bottom)) }
}

fn value(column: usize, text: &str, field: &Field) -> Result<u32, Misread> {
    let lower = text.to_lowercase();
    if let Some(at) = field.names.iter().position(|name| *name == lower) {
        return u32::try_from(at).map(|at| at + field.least).map_err(|_| unknown(column, text, field));
    }
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<u32>().ok().filter(|number| digits && (field.least..=field.most).contains(number));
    number.ok_or_else(|| unknown(column, text, field))
}

fn unknown(column: usize, text: &str, field: &Field) -> Misread {
    Misread { column, wrong: Wrong::Field { found: text.to_owned(), field: field.called, range: field.range } }
}
