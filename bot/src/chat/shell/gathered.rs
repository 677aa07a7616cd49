//! News of the clock about many environments and one moment: one message for whoever sits at the prompt, as channels have it.

use std::collections::BTreeMap;

use tidegate_runner::domain::holds::News;
use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::domain::schedule::ClockNews;

/// So many environments are told together; fewer have a message each.
const MANY: usize = 4;

/// For so many milliseconds after the newest it is waited for others of the same moment, and never longer than that after the first: the
/// clock warns of one after the other.
const GATHER_MS: i64 = 2_000;
const GATHER_MAX_MS: i64 = 20_000;

/// What is told together, and what by itself; what others may still come to is in neither. `read` gives each piece of news with when it was
/// stored. What was tried and given up is told for each.
pub(super) fn gathered<T>(
    all: Vec<T>,
    read: impl Fn(&T) -> (&News, Timestamp),
    now: Timestamp,
) -> (Vec<Vec<T>>, Vec<T>) {
    let mut groups: BTreeMap<(&'static str, Timestamp), Vec<T>> = BTreeMap::new();
    let mut others = Vec::new();
    for one in all {
        let key = match read(&one).0 {
            News::Clock { said: ClockNews::GivenUp { .. }, .. } => None,
            News::Clock { said, .. } => Some((said.kind(), said.turn().at)),
            _ => None,
        };
        match key {
            Some(key) => groups.entry(key).or_default().push(one),
            None => others.push(one),
        }
    }
    let mut many = Vec::new();
    for some in groups.into_values() {
        let stored = || some.iter().map(|one| read(one).1);
        let (first, newest) = (stored().min().unwrap_or(now), stored().max().unwrap_or(now));
        // By a clock that was put back nothing is waited for.
        if now >= first && now < newest.plus_ms(GATHER_MS).min(first.plus_ms(GATHER_MAX_MS)) {
            continue;
        }
        if some.len() < MANY { others.extend(some) } else { many.push(some) }
    }
    // In the order in which they were stored.
    others.sort_by_key(|one| read(one).1);
    (many, others)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono_tz::Tz;
    use tidegate_runner::domain::environment::Level;
    use tidegate_runner::domain::request::Target;
    use tidegate_runner::domain::schedule::Turn;

    use super::*;

    fn told(name: &str, at_ms: i64, said: fn(Turn) -> ClockNews) -> (News, Timestamp) {
        let off = Target { level: Level::Off, settings: BTreeMap::new() };
        let turn = Turn::new(Timestamp(1_795_392_000_000), Tz::Asia__Tokyo, off);
        (News::Clock { environment: name.parse().expect("a name"), said: said(turn) }, Timestamp(at_ms))
    }

    fn missed(turn: Turn) -> ClockNews {
        ClockNews::Missed { turn, by_ms: 3_600_000, collapsed: 0, held_back: None }
    }

    fn given_up(turn: Turn) -> ClockNews {
        ClockNews::GivenUp { turn, tries: 2, run: None, by: None }
    }

    fn counts(all: Vec<(News, Timestamp)>, now_ms: i64) -> (Vec<usize>, usize) {
        let (many, others) = gathered(all, |(news, at)| (news, *at), Timestamp(now_ms));
        (many.iter().map(Vec::len).collect(), others.len())
    }

    #[test]
    fn four_environments_or_more_of_which_the_same_is_told_are_one_message_once_no_more_come() {
        let of =
            |count: i64| -> Vec<_> { (0..count).map(|n| told(&format!("a{n}"), 10_000 + n * 100, missed)).collect() };
        assert_eq!(counts(of(5), 10_500), (vec![], 0), "others may come");
        assert_eq!(counts(of(5), 12_400), (vec![5], 0));
        assert_eq!(counts(of(3), 12_400), (vec![], 3), "few have a message each");
        let mut mixed = of(4);
        mixed.extend([told("b1", 10_000, given_up), told("b2", 10_000, given_up)]);
        assert_eq!(counts(mixed, 13_000), (vec![4], 2));
        assert_eq!(counts(of(5), 9_000), (vec![5], 0), "the clock was put back");
    }
}
