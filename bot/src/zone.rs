//! On whose clock times are read and told: a zone by its name, or how far it is from UTC where nobody knows its name.

use chrono::{DateTime, FixedOffset, Local, MappedLocalTime, NaiveDateTime, Offset as _, TimeZone as _};
use chrono_tz::Tz;
use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::domain::schedule::first_instant;

/// A clock on a wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// By its IANA name: it knows when its clocks change. Whoever reads it is there.
    Named(Tz),
    /// The same for people who may be elsewhere: times of a day are told with its name.
    Told(Tz),
    /// Always as far from UTC.
    Fixed(FixedOffset),
}

impl Zone {
    /// Of no place.
    pub const UTC: Self = Self::Named(Tz::UTC);

    /// This machine's: by name where `$TZ` or the system tells one.
    #[must_use]
    pub fn of_system() -> Self {
        let now = Local::now().fixed_offset();
        let told = std::env::var("TZ").ok();
        // Without `$TZ` it is the name behind `/etc/localtime`.
        let name = told.or_else(|| iana_time_zone::get_timezone().ok());
        Self::called(name.as_deref().unwrap_or_default(), now)
    }

    /// The same for people who may be elsewhere.
    #[must_use]
    pub fn told(self) -> Self {
        match self {
            Self::Named(zone) | Self::Told(zone) => Self::Told(zone),
            Self::Fixed(offset) => Self::Fixed(offset),
        }
    }

    /// What stands beside a time of a day, where those who read it need not know on whose clock it is: ` Asia/Tokyo`.
    #[must_use]
    pub fn beside(self, at: DateTime<FixedOffset>) -> String {
        match self {
            Self::Named(_) => String::new(),
            Self::Told(_) | Self::Fixed(_) => format!(" {}", self.shown(at)),
        }
    }

    /// The zone of this name, as `$TZ` has it; where there is none, or it disagrees with the clock, what the clock shows.
    fn called(name: &str, now: DateTime<FixedOffset>) -> Self {
        let name = name.strip_prefix(':').unwrap_or(name);
        let name = name.split_once("/zoneinfo/").map_or(name, |(_, name)| name);
        match name.parse::<Tz>() {
            Ok(zone) if now.with_timezone(&zone).offset().fix() == *now.offset() => {
                Self::Named(if zone == Tz::Etc__UTC { Tz::UTC } else { zone })
            }
            Ok(_) | Err(_) => Self::Fixed(*now.offset()),
        }
    }

    /// What the clock shows at a moment; none outside of the years that calendars know.
    #[must_use]
    pub fn local(self, at: Timestamp) -> Option<DateTime<FixedOffset>> {
        match self {
            Self::Named(zone) | Self::Told(zone) => {
                zone.timestamp_millis_opt(at.0).single().map(|local| local.fixed_offset())
            }
            Self::Fixed(offset) => offset.timestamp_millis_opt(at.0).single(),
        }
    }

    /// The moment at which the clock shows this: the first instant after a time that it skips, the first of two equal times.
    #[must_use]
    pub fn instant(self, wall: NaiveDateTime) -> Option<Timestamp> {
        match self {
            Self::Named(zone) | Self::Told(zone) => first_instant(wall, zone),
            Self::Fixed(offset) => {
                offset.from_local_datetime(&wall).single().map(|at| Timestamp(at.timestamp_millis()))
            }
        }
    }

    /// `Asia/Tokyo`, `+09:00`; with both for a time that the clock shows twice: `+02:00 Europe/Berlin`.
    #[must_use]
    pub fn shown(self, at: DateTime<FixedOffset>) -> String {
        match self {
            Self::Fixed(offset) => offset.to_string(),
            Self::Named(zone) | Self::Told(zone) => match zone.from_local_datetime(&at.naive_local()) {
                MappedLocalTime::Ambiguous(..) => format!("{} {zone}", at.offset()),
                MappedLocalTime::Single(_) | MappedLocalTime::None => zone.to_string(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<FixedOffset> {
        DateTime::parse_from_rfc3339(text).expect("a time")
    }

    #[test]
    fn a_zone_has_its_name_only_where_that_agrees_with_the_clock() {
        let tokyo = at("2026-11-20T12:00:00+09:00");
        for name in ["Asia/Tokyo", ":Asia/Tokyo", "/usr/share/zoneinfo/Asia/Tokyo", ":/usr/share/zoneinfo/Asia/Tokyo"] {
            assert_eq!(Zone::called(name, tokyo), Zone::Named(Tz::Asia__Tokyo), "{name}");
        }
        for name in ["", "JST-9", "Europe/Berlin", "/etc/localtime", "日本"] {
            assert_eq!(Zone::called(name, tokyo), Zone::Fixed(*tokyo.offset()), "{name}");
        }
        assert_eq!(Zone::called("Etc/UTC", at("2026-11-20T12:00:00+00:00")), Zone::Named(Tz::UTC));
    }

    #[test]
    fn a_skipped_time_is_the_first_instant_after_it_and_of_two_equal_ones_the_first() {
        let berlin = Zone::Named(Tz::Europe__Berlin);
        for (wall, instant) in [
            ("2026-03-29T01:59:00", "2026-03-29T01:59:00+01:00"),
            ("2026-03-29T02:30:00", "2026-03-29T03:00:00+02:00"),
            ("2026-03-30T09:00:00", "2026-03-30T09:00:00+02:00"),
            ("2026-10-25T02:30:00", "2026-10-25T02:30:00+02:00"),
            ("2026-10-26T09:00:00", "2026-10-26T09:00:00+01:00"),
        ] {
            let found = berlin.instant(wall.parse().expect("a wall clock")).and_then(|found| berlin.local(found));
            assert_eq!(found, Some(at(instant)), "{wall}");
        }
        assert_eq!(berlin.shown(at("2026-10-25T02:30:00+01:00")), "+01:00 Europe/Berlin");
        assert_eq!(berlin.shown(at("2026-10-25T03:30:00+01:00")), "Europe/Berlin");
        assert_eq!(
            Zone::Fixed(*at("2026-10-25T03:30:00+05:30").offset()).shown(at("2026-10-25T03:30:00+05:30")),
            "+05:30"
        );
    }
}
