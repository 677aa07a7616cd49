//! How long and how far ahead an environment is booked, and what is free beside other bookings. Pure.

use std::fmt::Write as _;

use chrono::DateTime;
use chrono_tz::Tz;

use crate::domain::ids::{EnvironmentName, Timestamp};
use crate::domain::request::Target;

/// How far ahead a booking may begin: 90 days, in milliseconds.
pub const BOOKED_AHEAD_MS: i64 = 90 * 86_400_000;

/// Shortest booking: a minute, in milliseconds.
pub const BOOKED_LEAST_MS: i64 = 60_000;

/// What somebody wants to book, at whichever time.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Of which environment.
    pub environment: &'a EnvironmentName,
    /// What.
    pub target: &'a Target,
    /// Who else may change it then, as they were named.
    pub only: &'a [String],
    /// Why.
    pub because: Option<&'a str>,
    /// On whose clock moments are told.
    pub zone: Tz,
}

impl Wish<'_> {
    /// The line that books it for that time.
    #[must_use]
    pub fn line(&self, from: Timestamp, until: Timestamp) -> String {
        let Self { environment, target, only, because, zone: _ } = self;
        let mut line = format!("book {environment} {}", target.level);
        for (setting, value) in &target.settings {
            let _ = write!(line, " {setting}={value}");
        }
        let _ = write!(line, " {} until {}", self.moment(from), self.moment(until));
        if !only.is_empty() {
            line.push_str(" only");
        }
        for who in *only {
            let _ = write!(line, " @{who}");
        }
        if let Some(because) = because {
            let _ = write!(line, " because {because}");
        }
        line
    }

    /// A moment as it is read everywhere: `2026-11-27T22:00:00+09:00`.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> String {
        let at = DateTime::from_timestamp_millis(at.0).unwrap_or_default().with_timezone(&self.zone);
        at.format("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

/// A span of time, its end not in it.
type Span = (Timestamp, Timestamp);

/// Shortest time until something begins that is offered: a minute, in milliseconds. Whoever reads it has to type it.
const SOON_MS: i64 = 60_000;

/// What can be booked in place of `wanted`, as lines tell it, in whole seconds: `wanted` itself where nobody has it then, else the
/// nearest spans of the same length before and after it. `taken` need not be in order.
#[must_use]
pub fn free_for(taken: &[Span], wanted: Span, now: Timestamp) -> Vec<Span> {
    let whole = |at: Timestamp| Timestamp(at.0.saturating_add(999).div_euclid(1_000) * 1_000);
    let taken: Vec<Span> =
        taken.iter().map(|(from, until)| (Timestamp(from.0.div_euclid(1_000) * 1_000), whole(*until))).collect();
    let from = whole(wanted.0);
    let wanted = (from, whole(from.plus_ms(wanted.1.ms_since(wanted.0))));
    let fits = |span: &Span| span.0 >= now.plus_ms(SOON_MS) && span.0 <= now.plus_ms(BOOKED_AHEAD_MS);
    let all = match free_beside(&taken, wanted, now) {
        (None, None) => [Some(wanted), None],
        (before, after) => [before, after],
    };
    all.into_iter().flatten().filter(fits).collect()
}

/// The nearest spans of the same length as `wanted` in which nothing is booked: before it, not before `now`, and after it.
/// `taken` need not be in order.
fn free_beside(taken: &[Span], wanted: Span, now: Timestamp) -> (Option<Span>, Option<Span>) {
    let length_ms = wanted.1.ms_since(wanted.0);
    let meets =
        |span: &Span| taken.iter().copied().filter(|other| other.0 < span.1 && span.0 < other.1).collect::<Vec<_>>();
    let mut before = Some(wanted);
    while let Some(span) = before {
        let Some(first) = meets(&span).into_iter().map(|other| other.0).min() else { break };
        before = Some((first.plus_ms(-length_ms), first)).filter(|span| span.0 > now);
    }
    let mut after = wanted;
    while let Some(last) = meets(&after).into_iter().map(|other| other.1).max() {
        after = (last, last.plus_ms(length_ms));
    }
    (before.filter(|span| *span != wanted), Some(after).filter(|span| *span != wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_the_nearest_before_and_after_that_is_long_enough() {
        let span = |from: i64, until: i64| (Timestamp(from), Timestamp(until));
        for (taken, wanted, before, after) in [
            (vec![], span(10, 20), None, None),
            (vec![span(0, 10), span(20, 30)], span(10, 20), None, None),
            (vec![span(12, 15)], span(10, 20), Some(span(2, 12)), Some(span(15, 25))),
            // What is free between two others is too short.
            (vec![span(30, 40), span(45, 60)], span(35, 45), Some(span(20, 30)), Some(span(60, 70))),
            (vec![span(45, 60), span(30, 40)], span(42, 46), Some(span(41, 45)), Some(span(60, 64))),
            // Before, it would have begun already.
            (vec![span(8, 12)], span(9, 19), None, Some(span(12, 22))),
        ] {
            assert_eq!(free_beside(&taken, wanted, Timestamp(1)), (before, after), "{taken:?} {wanted:?}");
        }
    }
}
