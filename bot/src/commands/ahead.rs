//! Moments that lie ahead, as people write them: `22:00`, `10pm`, `2h`, `tomorrow 9:00`, `fri 18:00`, `2026-11-21 09:00`.

use chrono::{Datelike, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Weekday};
use tidegate_runner::domain::ids::Timestamp;

use super::moment::{self, End};

/// A moment as it was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ahead {
    /// It lies ahead.
    At(Timestamp),
    /// It has passed; what to type for the same time of day next.
    Passed(String),
}

/// Milliseconds of `90m`, `2h`, `3d`, `1w`; `None` for what is none, or nothing.
pub(super) fn span(text: &str) -> Option<i64> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let unit_ms = match text.strip_prefix(digits.as_str())? {
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 7 * 86_400_000,
        _ => return None,
    };
    digits.parse::<i64>().ok()?.checked_mul(unit_ms).filter(|ms| *ms > 0)
}

/// Reads one moment of at most two words. `None` when the text is none.
pub(super) fn read(text: &str, now: Timestamp, offset: FixedOffset) -> Option<Ahead> {
    let lower = text.to_lowercase();
    if let Some(ms) = span(&lower) {
        return Some(Ahead::At(Timestamp(now.0.checked_add(ms)?)));
    }
    let today = offset.timestamp_millis_opt(now.0).single()?.naive_local();
    let at = |wall: NaiveDateTime| Some(Timestamp(offset.from_local_datetime(&wall).single()?.timestamp_millis()));
    if let Some(time) = clock(&lower) {
        let found = at(today.date().and_time(time))?;
        let next = format!("tomorrow {}", time.format("%H:%M"));
        return Some(if found > now { Ahead::At(found) } else { Ahead::Passed(next) });
    }
    let (day, time) = lower.split_once(' ').map_or((lower.as_str(), None), |(day, time)| (day, Some(time)));
    let date = named_day(day, today.date());
    if let Some(date) = date {
        let found = match time {
            Some(time) => at(date.and_time(clock(time)?))?,
            None => at(date.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN))?,
        };
        if found > now {
            return Some(Ahead::At(found));
        }
        // `fri 09:00` on a Friday afternoon is the next one only if somebody says so.
        let next = at_next(date, time)?;
        return Some(Ahead::Passed(next));
    }
    let found = moment::read(&with_clock(day, time)?, End::Last, now, offset)?;
    Some(if found > now { Ahead::At(found) } else { Ahead::Passed("2h".to_owned()) })
}

/// A date or a whole timestamp, with its time of day as `moment` reads it.
fn with_clock(day: &str, time: Option<&str>) -> Option<String> {
    match time {
        Some(time) if moment::is_date(day) => Some(format!("{day} {}", clock(time)?.format("%H:%M:%S"))),
        // What else `moment` takes lies behind: `7d`, `yesterday`.
        None if day.starts_with(|c: char| c.is_ascii_digit()) && day.contains('-') => Some(day.to_owned()),
        Some(_) | None => None,
    }
}

fn at_next(date: NaiveDate, time: Option<&str>) -> Option<String> {
    let next = date.checked_add_days(Days::new(7))?;
    let time = time.and_then(clock).unwrap_or(NaiveTime::MIN);
    Some(format!("{} {}", next.format("%Y-%m-%d"), time.format("%H:%M")))
}

/// `today`, `tonight`, `tomorrow`, `fri`: the first such day from `today` on.
pub(super) fn named_day(word: &str, today: NaiveDate) -> Option<NaiveDate> {
    match word {
        "today" | "tonight" => return Some(today),
        "tomorrow" => return today.checked_add_days(Days::new(1)),
        _ => {}
    }
    let day: Weekday = word.parse().ok()?;
    let ahead = (day.num_days_from_monday() + 7 - today.weekday().num_days_from_monday()) % 7;
    today.checked_add_days(Days::new(u64::from(ahead)))
}

/// `22:00`, `9:00`, `22:00:30`, `10pm`, `10:30pm`, `noon`.
pub(super) fn clock(text: &str) -> Option<NaiveTime> {
    if text == "noon" {
        return NaiveTime::from_hms_opt(12, 0, 0);
    }
    let (digits, noon) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(digits), _) => (digits, Some(0)),
        (_, Some(digits)) => (digits, Some(12)),
        (None, None) => (text, None),
    };
    let parts: Vec<&str> = digits.split(':').collect();
    let short = |part: &&str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if !parts.iter().all(short) {
        return None;
    }
    let number = |at: usize| parts.get(at).map_or(Some(0), |part| part.parse::<u32>().ok());
    let (hour, minute, second) = (number(0)?, number(1)?, number(2)?);
    match (noon, parts.len()) {
        (Some(noon), 1 | 2) if (1..=12).contains(&hour) => NaiveTime::from_hms_opt(hour % 12 + noon, minute, 0),
        (None, 2 | 3) => NaiveTime::from_hms_opt(hour, minute, second),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::fixture::{NOW, tokyo};

    /// What `text` is at noon of Friday 2026-11-20 in Tokyo.
    fn told(text: &str) -> String {
        match read(text, NOW, tokyo()) {
            Some(Ahead::At(at)) => {
                tokyo().timestamp_millis_opt(at.0).single().expect("a time").format("%a %Y-%m-%d %H:%M").to_string()
            }
            Some(Ahead::Passed(next)) => format!("passed, next {next}"),
            None => "none".to_owned(),
        }
    }

    #[test]
    fn moments_ahead_are_read_as_people_write_them() {
        for (text, meant) in [
            ("2h", "Fri 2026-11-20 14:00"),
            ("90m", "Fri 2026-11-20 13:30"),
            ("7d", "Fri 2026-11-27 12:00"),
            ("22:00", "Fri 2026-11-20 22:00"),
            ("10pm", "Fri 2026-11-20 22:00"),
            ("10:30PM", "Fri 2026-11-20 22:30"),
            ("tonight 9pm", "Fri 2026-11-20 21:00"),
            ("tomorrow 9:00", "Sat 2026-11-21 09:00"),
            ("tomorrow", "Sun 2026-11-22 00:00"),
            ("mon 18:00", "Mon 2026-11-23 18:00"),
            ("fri 18:00", "Fri 2026-11-20 18:00"),
            ("thursday 8am", "Thu 2026-11-26 08:00"),
            ("2026-11-21 09:00", "Sat 2026-11-21 09:00"),
            ("2026-11-21T09:00", "Sat 2026-11-21 09:00"),
            ("2026-11-21", "Sun 2026-11-22 00:00"),
            ("2026-11-20T20:00:00Z", "Sat 2026-11-21 05:00"),
            ("09:00", "passed, next tomorrow 09:00"),
            ("12:00", "passed, next tomorrow 12:00"),
            ("12am", "passed, next tomorrow 00:00"),
            ("fri 9am", "passed, next 2026-11-27 09:00"),
            ("2026-11-19", "passed, next 2h"),
        ] {
            assert_eq!(told(text), meant, "{text}");
        }
        for text in
            ["", "soon", "0h", "25:00", "13pm", "0am", "9", "7y", "fri noonish", "yesterday", "日", "mony", "1:2:3:4"]
        {
            assert_eq!(told(text), "none", "{text}");
        }
    }
}
