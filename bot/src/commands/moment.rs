//! Moments as people write them: `7d`, `2026-11-20`, `2026-11-20 09:00`, `09:00`, `today`, `yesterday`.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone, Utc};
use tidegate_runner::domain::ids::Timestamp;

use crate::zone::Zone;

/// Which end of a day a bare date means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// `since`: its first moment.
    First,
    /// `until`: the moment after its last.
    Last,
}

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// Longest way back that is believed: a hundred years.
const LONGEST_MS: i64 = 36_500 * DAY_MS;

/// Reads one moment. `None` when the text is none, or outside of the years 1970 to 9999.
pub(super) fn read(text: &str, end: End, now: Timestamp, zone: Zone) -> Option<Timestamp> {
    let lower = text.to_lowercase();
    let found = ago(&lower, now).or_else(|| exact(&lower.to_uppercase())).or_else(|| local(&lower, end, now, zone))?;
    (found.0 >= 0).then_some(found)
}

/// A moment as [`read`] understands it at any time and place.
pub(super) fn render(moment: Timestamp) -> String {
    Utc.timestamp_millis_opt(moment.0)
        .single()
        .map_or_else(|| "1970-01-01".to_owned(), |at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let unit_ms = match text.strip_prefix(digits.as_str())? {
        "m" | "min" => MINUTE_MS,
        "h" => 60 * MINUTE_MS,
        "d" => DAY_MS,
        "w" => 7 * DAY_MS,
        _ => return None,
    };
    let ms = digits.parse::<i64>().ok()?.checked_mul(unit_ms)?;
    (ms <= LONGEST_MS).then(|| Timestamp(now.0.saturating_sub(ms).max(0)))
}

fn exact(text: &str) -> Option<Timestamp> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    (1970..=9999).contains(&at.to_utc().year()).then(|| Timestamp(at.timestamp_millis()))
}

fn local(text: &str, end: End, now: Timestamp, zone: Zone) -> Option<Timestamp> {
    let today = zone.local(now)?.naive_local();
    let midnight = |date: NaiveDate| Some(date.and_time(NaiveTime::MIN));
    let whole_day = |date: NaiveDate| match end {
        End::First => midnight(date),
        End::Last => midnight(date.checked_add_days(Days::new(1))?),
    };
    let wall: NaiveDateTime = match text {
        "now" => return Some(now),
        "today" => whole_day(today.date())?,
        "yesterday" => whole_day(today.date().checked_sub_days(Days::new(1))?)?,
        _ => {
            if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
                whole_day(date)?
            } else if let Some(time) = clock(text) {
                let at = today.date().and_time(time);
                // A time that is still to come means yesterday's.
                if at > today { at.checked_sub_days(Days::new(1))? } else { at }
            } else {
                let (date, time) = text.split_once(['t', ' '])?;
                NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?.and_time(clock(time)?)
            }
        }
    };
    if !(1970..=9999).contains(&wall.year()) {
        return None;
    }
    zone.instant(wall).map(|at| Timestamp(at.0.max(0)))
}

/// True for a time of day.
pub(super) fn is_clock(text: &str) -> bool {
    clock(text).is_some()
}

/// True for a date without a time.
pub(super) fn is_date(text: &str) -> bool {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn clock(text: &str) -> Option<NaiveTime> {
    NaiveTime::parse_from_str(text, "%H:%M").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:%S")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20 12:00 in Tokyo.
    const NOW: Timestamp = Timestamp(1_795_143_600_000);

    fn tokyo(text: &str, end: End) -> Option<String> {
        read(text, end, NOW, crate::commands::fixture::tokyo()).map(render)
    }

    #[test]
    fn moments_are_local_and_a_day_ends_with_its_last_moment() {
        for (text, since) in [
            ("7d", "2026-11-13T03:00:00.000Z"),
            ("90m", "2026-11-20T01:30:00.000Z"),
            ("2026-11-20", "2026-11-19T15:00:00.000Z"),
            ("2026-11-20t09:00", "2026-11-20T00:00:00.000Z"),
            ("2026-11-20 09:00", "2026-11-20T00:00:00.000Z"),
            ("2026-11-20T09:00:00Z", "2026-11-20T09:00:00.000Z"),
            ("09:00", "2026-11-20T00:00:00.000Z"),
            ("13:00", "2026-11-19T04:00:00.000Z"),
            ("today", "2026-11-19T15:00:00.000Z"),
            ("yesterday", "2026-11-18T15:00:00.000Z"),
        ] {
            assert_eq!(tokyo(text, End::First).as_deref(), Some(since), "{text}");
        }
        assert_eq!(tokyo("2026-11-20", End::Last).as_deref(), Some("2026-11-20T15:00:00.000Z"));
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in ["", "d", "7", "7y", "99999999999999999999d", "999999d", "2026-13-01", "25:00", "99999-01-01", "日"]
        {
            assert_eq!(tokyo(text, End::First), None, "{text}");
        }
    }
}
