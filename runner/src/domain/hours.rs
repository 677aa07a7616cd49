//! Hours of the week on somebody's wall clock: `Mon-Fri 09:00-18:00`. What lies in them is decided by instants, so that no hour
//! that a clock change skips or repeats is counted wrongly.

use std::fmt;
use std::str::FromStr;

use chrono::{
    DateTime, Datelike as _, Days, MappedLocalTime, NaiveDate, NaiveDateTime, TimeDelta, TimeZone as _, Timelike as _,
    Weekday,
};
use chrono_tz::Tz;

use super::ids::Timestamp;

/// Minutes of a day.
pub(super) const DAY: u32 = 24 * 60;

/// Days by the names that are written, Monday first.
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

/// Days of the week, and from when to when on each. What ends before it begins ends on the next day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    text: String,
    days: [bool; 7],
    /// Minutes after midnight, 0 to 1,439.
    from: u32,
    /// Minutes after midnight, 1 to 1,440; not in it any more.
    to: u32,
}

/// A text that is not `DAYS FROM-TO`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// Not two words.
    #[error("these are not hours of the week")]
    Form,
    /// Not a day or a span of days.
    #[error("`{0}` is not a day: mon, tue, wed, thu, fri, sat, sun")]
    Day(String),
    /// A day is in it twice.
    #[error("`{0}` is in it twice")]
    Twice(String),
    /// Not a time of day.
    #[error("`{0}` is not a time of day: write it like `09:00`, at most `24:00`")]
    Time(String),
    /// It begins when it ends.
    #[error("they end when they begin")]
    Empty,
}

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let mut words = text.split_whitespace();
        let (Some(days), Some(span), None) = (words.next(), words.next(), words.next()) else {
            return Err(HoursError::Form);
        };
        let found = week(days)?;
        let (from, to) = span.split_once('-').ok_or(HoursError::Form)?;
        let (from, to) = (minute(from)?, minute(to)?);
        if from == DAY {
            return Err(HoursError::Time("24:00".to_owned()));
        }
        if from == to || to == 0 {
            return Err(HoursError::Empty);
        }
        Ok(Self { text: format!("{days} {span}"), days: found, from, to })
    }
}

/// The days of `Mon-Fri,Sun`, Monday first.
pub(super) fn week(text: &str) -> Result<[bool; 7], HoursError> {
    let mut found = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let count = (last + 7 - first) % 7;
        for at in (first..=first + count).map(|at| at % 7) {
            if found.get_mut(at).is_some_and(|slot| std::mem::replace(slot, true)) {
                return Err(HoursError::Twice(part.to_owned()));
            }
        }
    }
    Ok(found)
}

/// Days after Monday of `Wed`, 0 to 6.
pub(super) fn day(text: &str) -> Result<usize, HoursError> {
    let lower = text.to_lowercase();
    DAYS.iter().position(|(name, _)| *name == lower).ok_or_else(|| HoursError::Day(text.to_owned()))
}

/// Minutes after midnight of `09:00`, 0 to 1,440.
pub(super) fn minute(text: &str) -> Result<u32, HoursError> {
    let wrong = || HoursError::Time(text.to_owned());
    let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
    let number = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u32>().ok().filter(|_| digits).ok_or_else(wrong)
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let total = hours * 60 + minutes;
    if minutes > 59 || total > DAY { Err(wrong()) } else { Ok(total) }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Hours {
    fn has(&self, day: Weekday) -> bool {
        DAYS.iter().zip(self.days).any(|((_, known), on)| on && *known == day)
    }

    /// Whether the moment `now` lies in these hours on the wall clock of `zone`.
    #[must_use]
    pub fn contain(&self, now: Timestamp, zone: Tz) -> bool {
        let Some(local) = local(now, zone) else { return false };
        let minute = local.hour() * 60 + local.minute();
        let (today, yesterday) = (local.weekday(), local.weekday().pred());
        if self.from < self.to {
            return self.has(today) && (self.from..self.to).contains(&minute);
        }
        self.has(today) && minute >= self.from || self.has(yesterday) && minute < self.to
    }

    /// The next moment after `now` at which they begin; `None` beyond the years that a calendar knows. Where a clock change
    /// skips the time, they begin with the first minute after it; where one repeats it, the first time.
    #[must_use]
    pub fn next_begin(&self, now: Timestamp, zone: Tz) -> Option<Timestamp> {
        let today = local(now, zone)?.date_naive();
        (0..=8).filter_map(|days| today.checked_add_days(Days::new(days))).find_map(|date| {
            let begins = instant(start_of(date, self.from)?, zone).filter(|_| self.has(date.weekday()))?;
            (begins.0 > now.0).then_some(begins)
        })
    }
}

fn local(now: Timestamp, zone: Tz) -> Option<DateTime<Tz>> {
    DateTime::from_timestamp_millis(now.0).map(|utc| utc.with_timezone(&zone))
}

fn start_of(date: NaiveDate, minute: u32) -> Option<NaiveDateTime> {
    date.and_hms_opt(minute / 60, minute % 60, 0)
}

/// The instant at which a wall clock first shows `time`, or the first minute after it that it shows at all.
fn instant(time: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    (0..=i64::from(DAY)).find_map(|later| {
        let time = time.checked_add_signed(TimeDelta::minutes(later))?;
        match zone.from_local_datetime(&time) {
            MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => Some(Timestamp(at.timestamp_millis())),
            MappedLocalTime::None => None,
        }
    })
}

/// A moment as the wall clock of `zone` shows it: `Mon 2026-11-23 09:00`.
#[must_use]
pub fn shown(at: Timestamp, zone: Tz) -> String {
    local(at, zone).map_or_else(|| "at some time".to_owned(), |local| local.format("%a %Y-%m-%d %H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(DateTime::parse_from_rfc3339(text).expect("a moment").timestamp_millis())
    }

    fn hours(text: &str) -> Hours {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn only_days_and_a_span_are_hours() {
        for text in ["Mon-Fri 09:00-18:00", "mon,wed,fri-sun 00:00-24:00", "Fri-Mon 22:00-06:00", "Sun 23:59-00:01"] {
            assert!(text.parse::<Hours>().is_ok(), "{text}");
        }
        for (text, wrong) in [
            ("", HoursError::Form),
            ("09:00-18:00", HoursError::Form),
            ("Mon-Fri 09:00", HoursError::Form),
            ("Mon-Fri 09:00-18:00 daily", HoursError::Form),
            ("Mo-Fr 09:00-18:00", HoursError::Day("Mo".to_owned())),
            ("月 09:00-18:00", HoursError::Day("月".to_owned())),
            ("Mon-Fri,Wed 09:00-18:00", HoursError::Twice("Wed".to_owned())),
            ("Mon 9:00-18:00", HoursError::Time("9:00".to_owned())),
            ("Mon 09:60-18:00", HoursError::Time("09:60".to_owned())),
            ("Mon 09:00-25:00", HoursError::Time("25:00".to_owned())),
            ("Mon 09:00-24:01", HoursError::Time("24:01".to_owned())),
            ("Mon 24:00-09:00", HoursError::Time("24:00".to_owned())),
            ("Mon ０９:00-18:00", HoursError::Time("０９:00".to_owned())),
            ("Mon 09:00-09:00", HoursError::Empty),
            ("Mon 09:00-00:00", HoursError::Empty),
        ] {
            assert_eq!(text.parse::<Hours>(), Err(wrong), "{text}");
        }
    }

    #[test]
    fn hours_begin_with_their_first_minute_and_end_before_their_last() {
        let (work, tokyo) = (hours("Mon-Fri 09:00-18:00"), Tz::Asia__Tokyo);
        // 2026-11-20 is a Friday.
        for (moment, inside) in [
            ("2026-11-20T08:59:59+09:00", false),
            ("2026-11-20T09:00:00+09:00", true),
            ("2026-11-20T17:59:59+09:00", true),
            ("2026-11-20T18:00:00+09:00", false),
            ("2026-11-21T12:00:00+09:00", false),
            ("2026-11-20T00:30:00+00:00", true),
        ] {
            assert_eq!(work.contain(at(moment), tokyo), inside, "{moment}");
        }
        assert_eq!(work.next_begin(at("2026-11-20T18:00:00+09:00"), tokyo), Some(at("2026-11-23T09:00:00+09:00")));
        assert_eq!(work.next_begin(at("2026-11-20T08:00:00+09:00"), tokyo), Some(at("2026-11-20T09:00:00+09:00")));
        assert_eq!(shown(at("2026-11-23T00:00:00Z"), tokyo), "Mon 2026-11-23 09:00");
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_on_which_they_begin() {
        let (night, utc) = (hours("Fri 22:00-06:00"), Tz::UTC);
        for (moment, inside) in [
            ("2026-11-20T05:00:00Z", false),
            ("2026-11-20T22:00:00Z", true),
            ("2026-11-21T05:59:00Z", true),
            ("2026-11-21T06:00:00Z", false),
            ("2026-11-21T22:00:00Z", false),
        ] {
            assert_eq!(night.contain(at(moment), utc), inside, "{moment}");
        }
    }

    #[test]
    fn an_hour_that_the_clock_skips_or_repeats_is_counted_rightly() {
        let berlin = Tz::Europe__Berlin;
        let early = hours("Sun 02:30-04:00");
        // 2026-03-29: 02:00 becomes 03:00. They begin with the first minute that exists.
        assert_eq!(early.next_begin(at("2026-03-28T12:00:00Z"), berlin), Some(at("2026-03-29T01:00:00Z")));
        assert!(
            early.contain(at("2026-03-29T01:00:00Z"), berlin) && !early.contain(at("2026-03-29T02:00:00Z"), berlin)
        );
        // 2026-10-25: 03:00 becomes 02:00 again. Both half past two are in it; it begins with the first.
        assert_eq!(early.next_begin(at("2026-10-24T12:00:00Z"), berlin), Some(at("2026-10-25T00:30:00Z")));
        assert!(early.contain(at("2026-10-25T00:30:00Z"), berlin) && early.contain(at("2026-10-25T01:30:00Z"), berlin));
        assert!(!early.contain(at("2026-10-25T01:15:00Z"), berlin), "the second quarter past two is before them");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,30}|[a-z]{3}(-[a-z]{3})? [0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}", now in proptest::num::i64::ANY) {
            if let Ok(hours) = text.parse::<Hours>() {
                let _ = (hours.contain(Timestamp(now), Tz::Asia__Tokyo), hours.next_begin(Timestamp(now), Tz::America__New_York));
            }
        }
    }
}
