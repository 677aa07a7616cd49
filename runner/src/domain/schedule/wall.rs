//! From the wall clock to instants and back, with the rules for the hour that daylight saving skips and the hour it repeats.

use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::domain::hours::DAY;
use crate::domain::ids::Timestamp;

/// What to do at a time that the wall clock skips.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnGap {
    /// At the first instant that exists.
    #[default]
    First,
    /// Not at all on that day. The end of a window is never skipped: an environment would stay raised by it.
    Skip,
}

/// At which of the two to do what is written for a time that the wall clock shows twice. Both is not to be had: once is once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnOverlap {
    /// The first time.
    #[default]
    First,
    /// The second time.
    Second,
}

/// How an instant came from a wall clock that skips or repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domain) enum Moved {
    /// The clock skips the time.
    Gap,
    /// The clock shows it twice; this is the first or the second.
    Overlap(OnOverlap),
}

/// The instant for a time of the wall clock, and whether a clock change had a say; `None` beyond the years that a calendar knows.
pub(in crate::domain) fn instant(
    wall: NaiveDateTime,
    zone: Tz,
    overlap: OnOverlap,
) -> Option<(Timestamp, Option<Moved>)> {
    let first = |later: i64| -> Option<(Timestamp, Option<Moved>)> {
        match zone.from_local_datetime(&wall.checked_add_signed(TimeDelta::minutes(later))?) {
            MappedLocalTime::Single(at) => Some((Timestamp(at.timestamp_millis()), None)),
            MappedLocalTime::Ambiguous(one, other) => {
                let (one, other) = (one.timestamp_millis(), other.timestamp_millis());
                let at = match overlap {
                    OnOverlap::First => one.min(other),
                    OnOverlap::Second => one.max(other),
                };
                Some((Timestamp(at), Some(Moved::Overlap(overlap))))
            }
            MappedLocalTime::None => None,
        }
    };
    // Clocks change at full minutes in all years that a schedule can be about.
    first(0).or_else(|| (1..=i64::from(DAY)).find_map(first).map(|(at, _)| (at, Some(Moved::Gap))))
}

/// A change of the clocks: daylight saving begins or ends, or a country moves to another zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockChange {
    /// Whose.
    pub zone: Tz,
    /// When.
    pub at: Timestamp,
    /// What the wall clock would show then without it.
    pub before: NaiveDateTime,
    /// What it shows.
    pub after: NaiveDateTime,
}

/// The changes of the clocks of `zone` from `from` (not in it) to `to` (in it). Two on one day that undo each other are not found.
#[must_use]
pub fn clock_changes(zone: Tz, from: Timestamp, to: Timestamp) -> Vec<ClockChange> {
    const DAY_MS: i64 = 86_400_000;
    let offset = |at: i64| local(Timestamp(at), zone).map(|local| local.offset().fix());
    let mut found = Vec::new();
    let mut start = from.0;
    while start < to.0 {
        let end = start.saturating_add(DAY_MS).min(to.0);
        if let (Some(old), Some(new)) = (offset(start), offset(end))
            && old != new
        {
            let (mut low, mut high) = (start, end);
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if offset(middle) == Some(old) { low = middle } else { high = middle }
            }
            let shown = |offset: FixedOffset| {
                DateTime::from_timestamp_millis(high).map(|at| at.with_timezone(&offset).naive_local())
            };
            if let (Some(before), Some(after)) = (shown(old), shown(new)) {
                found.push(ClockChange { zone, at: Timestamp(high), before, after });
            }
        }
        start = end;
    }
    found
}

/// The span of time that schedules are about, in milliseconds: the years 1900 to 9999.
pub(super) const YEARS_MS: std::ops::Range<i64> = -2_208_988_800_000..253_402_300_800_000;

/// The wall clock of `zone` at a moment; `None` outside of [`YEARS_MS`].
pub(in crate::domain) fn local(at: Timestamp, zone: Tz) -> Option<DateTime<Tz>> {
    let at = Some(at).filter(|at| YEARS_MS.contains(&at.0))?;
    DateTime::from_timestamp_millis(at.0).map(|utc| utc.with_timezone(&zone))
}

/// What the wall clock shows at a moment, and its offset: `+09:00`.
pub(super) fn shown(at: Timestamp, zone: Tz) -> (NaiveDateTime, String) {
    local(at, zone).map_or_else(
        || (NaiveDateTime::default(), "+00:00".to_owned()),
        |local| (local.naive_local(), local.offset().fix().to_string()),
    )
}

/// The instant for a time of the wall clock, the same for people's words as for schedules that say nothing else: the first instant
/// after a time that the clock skips, the first of two equal times. `None` beyond the years that a calendar knows.
#[must_use]
pub fn first_instant(wall: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    instant(wall, zone, OnOverlap::First).map(|(at, _)| at)
}
