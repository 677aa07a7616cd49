//! The looks that the configuration asks for: each night at what others changed, and before schedules raise something whether anything
//! stands in the way. When they are due, and once each.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use chrono::{DateTime, Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::page::Page;
use crate::agenda::Diary;
use crate::config::Config;
use crate::desk::{Desk, DeskError, Message};
use crate::domain::answer::Actor;
use crate::domain::command::Order;
use crate::domain::ids::{ActorId, EnvironmentName, Timestamp};
use crate::domain::policy::Place;
use crate::domain::request::{Movement, movement};
use crate::domain::schedule::first_instant;

/// How late it may still begin, in milliseconds: an hour. What was missed is looked for the next night.
const LATE_MS: i64 = 3_600_000;

/// The door through which the clock comes.
const DOOR: &str = "clock";

/// One look that is due once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Night {
    date: NaiveDate,
    at: Timestamp,
}

/// What was asked for already, by this process: the ledger knows it too, but is not asked again each moment.
#[derive(Debug, Default)]
pub(super) struct Nights {
    asked: BTreeMap<EnvironmentName, NaiveDate>,
    /// Until when nothing of it is due, by which configuration.
    quiet: Option<(Weak<Config>, Timestamp, Timestamp)>,
}

impl Nights {
    /// Asks for what is due at `now`, and tells when the next of them is. What goes wrong with one environment is tried again, and keeps
    /// none of the others from theirs.
    pub(super) async fn look(&mut self, desk: &Desk, now: Timestamp) -> Option<Timestamp> {
        let config = desk.config();
        if let Some((of, from, until)) = &self.quiet
            && Weak::ptr_eq(of, &Arc::downgrade(&config))
            && (*from..*until).contains(&now)
        {
            return Some(*until);
        }
        self.quiet = None;
        self.asked.retain(|name, _| config.environments.contains_key(name));
        let (mut next, mut all_asked) = (None::<Timestamp>, true);
        for (name, environment) in &config.environments {
            let Some(time) = environment.rules.drift.at else { continue };
            let Some((last, coming)) = around(time, environment.timetable.zone, now) else { continue };
            next = Some(next.map_or(coming, |next| next.min(coming)));
            let due = last.filter(|night| now.ms_since(night.at) <= LATE_MS);
            let Some(night) = due.filter(|night| self.asked.get(name) != Some(&night.date)) else { continue };
            let order = Order::Drift { environment: name.clone() };
            let key = format!("{DOOR}:drift:{name}:{}", night.date);
            if ask(desk, &order, key, "it is looked each night".to_owned()).await {
                self.asked.insert(name.clone(), night.date);
            } else {
                all_asked = false;
            }
        }
        if all_asked {
            self.quiet = next.map(|next| (Arc::downgrade(&config), now, next));
        }
        next
    }
}

/// What is looked at before schedules raise an environment, once for each transition.
#[derive(Debug, Default)]
pub(super) struct Mornings {
    asked: BTreeMap<EnvironmentName, String>,
}

impl Mornings {
    /// Asks whether anything stands in the way of what comes next, where it is time for that, and tells when the next time is. What comes
    /// next is known from the pages: no schedule is read for it. What goes wrong with one environment is tried again, and keeps none of
    /// the others from theirs.
    pub(super) async fn look(
        &mut self,
        desk: &Desk,
        pages: &BTreeMap<EnvironmentName, Page>,
        diaries: &[Diary<'_>],
        now: Timestamp,
    ) -> Option<Timestamp> {
        let mut next = None::<Timestamp>;
        for diary in diaries.iter().filter(|diary| diary.unread.is_empty()) {
            let environment = diary.environment();
            let name = &environment.name;
            let Some(before_s) = environment.rules.drift.preflight_s else { continue };
            let Some(coming) = pages.get(name).and_then(|page| page.next.as_ref()) else { continue };
            let raises = diary.wanted.as_ref().is_none_or(|wanted| {
                matches!(movement(environment, wanted, &coming.wanted), Movement::Raises | Movement::Same)
                    && *wanted != coming.wanted
            });
            let key = coming.key();
            if !raises || self.asked.get(name) == Some(&key) {
                continue;
            }
            let at = coming.at.plus_ms(-1_000 * i64::from(before_s));
            if at > now {
                next = Some(next.map_or(at, |next| next.min(at)));
                continue;
            }
            let order = Order::Preflight { environment: name.clone() };
            let why = format!("{} comes at {}", coming.wanted.level, coming.local.format("%H:%M"));
            if ask(desk, &order, format!("{DOOR}:preflight:{name}:{key}"), why).await {
                self.asked.insert(name.clone(), key);
            }
        }
        next
    }
}

/// Puts a look of the clock's into the queue, once for each key. False where the ledger did not take it: it is to be asked for again.
async fn ask(desk: &Desk, order: &Order, key: String, because: String) -> bool {
    let (Order::Drift { environment } | Order::Preflight { environment }) = order else { return true };
    let message = Message {
        key,
        actor: Actor::person(ActorId::clock(), "the clock"),
        place: Place { door: DOOR, channel: None, direct: false },
        typed: format!("{} {environment}", order.name()),
    };
    match desk.submit(&message, order, Some(because)).await {
        Ok(_) => tracing::info!(%environment, command = %order.name(), "looks by itself"),
        // Another process asked, or this one before it was started again.
        Err(DeskError::Repeated) => {}
        Err(DeskError::Refused(refusal)) => {
            tracing::warn!(%environment, command = %order.name(), why = refusal.what, "a look is refused");
        }
        Err(error @ (DeskError::Ledger(_) | DeskError::Logs { .. })) => {
            tracing::error!(%environment, command = %order.name(), %error, "a look cannot be asked for; trying again");
            return false;
        }
    }
    true
}

/// The last look before `now`, or at it, and when the next one is. A time that the clocks skip is the first moment after it; one that they
/// repeat is the first of the two.
fn around(time: NaiveTime, zone: Tz, now: Timestamp) -> Option<(Option<Night>, Timestamp)> {
    let today = DateTime::from_timestamp_millis(now.0)?.with_timezone(&zone).date_naive();
    let night = |date: NaiveDate| Some(Night { date, at: first_instant(date.and_time(time), zone)? });
    let days = [today.checked_sub_days(Days::new(1))?, today, today.checked_add_days(Days::new(1))?];
    let nights: Vec<Night> = days.into_iter().filter_map(night).collect();
    let last = nights.iter().rev().find(|night| night.at <= now).copied();
    let next = nights.iter().find(|night| night.at > now)?.at;
    Some((last, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(DateTime::parse_from_rfc3339(text).expect("a moment").timestamp_millis())
    }

    #[test]
    fn a_look_is_due_at_its_time_on_the_environment_s_clock_also_where_the_clocks_change() {
        let three = NaiveTime::from_hms_opt(2, 30, 0).expect("a time");
        let around = |zone: Tz, now: &str| {
            let (last, next) = super::around(three, zone, at(now)).expect("looks");
            (last.map(|night| night.at), next)
        };
        let tokyo = chrono_tz::Asia::Tokyo;
        assert_eq!(
            around(tokyo, "2026-11-22T17:29:59Z"),
            (Some(at("2026-11-21T17:30:00Z")), at("2026-11-22T17:30:00Z"))
        );
        assert_eq!(
            around(tokyo, "2026-11-22T17:30:00Z"),
            (Some(at("2026-11-22T17:30:00Z")), at("2026-11-23T17:30:00Z"))
        );
        // 2026-03-29 02:30 does not exist in Berlin, and 2026-10-25 02:30 comes twice.
        let berlin = chrono_tz::Europe::Berlin;
        assert_eq!(around(berlin, "2026-03-29T03:00:00Z").0, Some(at("2026-03-29T01:00:00Z")));
        assert_eq!(around(berlin, "2026-10-25T00:45:00Z").0, Some(at("2026-10-25T00:30:00Z")));
        assert_eq!(around(berlin, "2026-10-25T01:45:00Z").0, Some(at("2026-10-25T00:30:00Z")));
    }
}
