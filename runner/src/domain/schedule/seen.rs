//! Which schedules were written as of the clock's last look, and since when: one text, which the ledger keeps for each environment.
//!
//! A word for each schedule, in their order: a digest of what it says about when and what; for one that has moments, as a crontab line,
//! a digest of those after a colon, and after `@` from when on they count, in milliseconds since 1970.

use sha2::{Digest as _, Sha256};

use super::item::{Origin, Schedule, When};
use crate::domain::ids::Timestamp;

/// In place of such a text where none was kept yet: all had been seen, and count for ever.
pub const ALL_SEEN: &str = "*";

/// What is kept of these schedules.
#[must_use]
pub fn as_seen(schedules: &[Schedule]) -> String {
    schedules.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// What of a word says when and what, whatever it says about since when.
#[must_use]
pub fn content(word: &str) -> &str {
    word.split_once(':').map_or(word, |(content, _)| content)
}

/// The same schedules, each with the moment from which on it counts; and whether all of them had been seen. `before` is what was kept
/// of them as of the last look. A schedule of the file counts from when it was first seen, one that was added by chat from when it was
/// worded as it is; who changes what one does, and not when, takes no moment from it.
pub fn since(schedules: &mut [Schedule], before: Option<&str>, now: Timestamp) -> bool {
    let known: Vec<&str> = before.unwrap_or_default().split(' ').collect();
    let mut all_seen = true;
    for schedule in schedules.iter_mut().filter(|schedule| schedule.has_moments()) {
        let (moments, whole) = (moments(schedule), digest_of(schedule));
        let found = known.iter().find_map(|word| match word.split_once(':') {
            Some((_, rest)) => {
                let (digest, at) = rest.split_once('@').unwrap_or((rest, ""));
                (digest == moments).then(|| at.parse().ok().map(Timestamp))
            }
            // From before it was kept since when: for ever.
            None => (*word == whole || *word == ALL_SEEN).then_some(None),
        });
        schedule.since = match (&schedule.origin, found) {
            (Origin::File { .. }, Some(since)) => since,
            (Origin::File { .. }, None) => {
                all_seen = false;
                Some(now)
            }
            // It may have been taken away and added again.
            (Origin::Chat { when: added, .. }, Some(since)) => Some(since.map_or(*added, |since| since.max(*added))),
            (Origin::Chat { .. }, None) => schedule.since,
        };
    }
    all_seen
}

fn word(schedule: &Schedule) -> String {
    let content = digest_of(schedule);
    match (schedule.has_moments(), schedule.since) {
        (false, _) => content,
        (true, None) => format!("{content}:{}", moments(schedule)),
        (true, Some(since)) => format!("{content}:{}@{}", moments(schedule), since.0),
    }
}

fn digest_of(schedule: &Schedule) -> String {
    let Schedule { name, zone, when, holidays, on_gap, on_overlap, .. } = schedule;
    digest(&serde_json::json!([name, zone.name(), when, holidays, on_gap, on_overlap]))
}

/// Of when it does something alone.
fn moments(schedule: &Schedule) -> String {
    let Schedule { name, zone, when, holidays, on_gap, on_overlap, .. } = schedule;
    let kind = match when {
        When::Window { .. } => "window",
        When::Crontab { .. } => "cron",
        When::At { .. } => "at",
    };
    digest(&serde_json::json!([name, zone.name(), kind, when.text(), holidays, on_gap, on_overlap]))
}

fn digest(said: &serde_json::Value) -> String {
    let digest = Sha256::digest(said.to_string().as_bytes());
    hex::encode(digest.get(..8).unwrap_or(&digest))
}

#[cfg(test)]
mod tests {
    use super::super::timeline::tests::{at, cron, window};
    use super::*;
    use crate::domain::ids::ActorId;

    const NOON: &str = "2026-11-24T12:00:00+09:00";
    const THREE: &str = "2026-11-24T15:00:00+09:00";

    #[test]
    fn a_schedule_of_the_file_counts_from_when_it_was_first_seen() {
        let mut all = vec![
            window("hours", "Mon-Fri 09:00-21:00", "full", "small"),
            cron("lunch", "0 12 * * *", "down small", None),
        ];
        assert!(!since(&mut all, None, at(NOON)));
        assert_eq!((all[0].since, all[1].since), (None, Some(at(NOON))));
        let kept = as_seen(&all);
        // Seen again, also where it does something else by now, or another one stands before it.
        let mut again =
            vec![cron("lunch", "0 12 * * *", "up full", Some(1)), window("late", "Mon 21:00-22:00", "full", "small")];
        assert!(since(&mut again, Some(&kept), at(THREE)));
        assert_eq!((again[0].since, again[1].since), (Some(at(NOON)), None));
        assert_ne!(content(&as_seen(&again)), content(kept.split(' ').nth(1).unwrap()));
        // Another moment is another one.
        let mut other = vec![cron("lunch", "30 12 * * *", "down small", None)];
        assert!(!since(&mut other, Some(&kept), at(THREE)));
        assert_eq!(other[0].since, Some(at(THREE)));
    }

    #[test]
    fn what_was_kept_before_it_was_kept_since_when_counts_for_ever() {
        let mut all = vec![cron("lunch", "0 12 * * *", "down small", None)];
        let kept = digest_of(&all[0]);
        assert!(since(&mut all, Some(&kept), at(THREE)));
        assert_eq!(all[0].since, None);
        assert_eq!(content(&as_seen(&all)), kept);
        assert!(since(&mut all, Some(ALL_SEEN), at(THREE)));
        assert_eq!(all[0].since, None);
    }

    #[test]
    fn one_that_was_added_by_chat_counts_from_its_wording_and_a_change_of_other_things_takes_no_moment_from_it() {
        let chat = |added: &str, worded: &str| {
            let origin = Origin::Chat { who: ActorId::local("ito"), when: at(added) };
            vec![Schedule { origin, since: Some(at(worded)), ..cron("lunch", "0 12 * * *", "down small", None) }]
        };
        let mut all = chat(NOON, NOON);
        assert!(since(&mut all, None, at(THREE)));
        assert_eq!(all[0].since, Some(at(NOON)));
        let kept = as_seen(&all);
        let mut changed = chat(NOON, THREE);
        assert!(since(&mut changed, Some(&kept), at(THREE)));
        assert_eq!(changed[0].since, Some(at(NOON)));
        // Taken away and added again.
        let mut anew = chat(THREE, THREE);
        assert!(since(&mut anew, Some(&kept), at(THREE)));
        assert_eq!(anew[0].since, Some(at(THREE)));
    }
}
