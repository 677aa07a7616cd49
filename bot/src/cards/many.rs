//! Many environments of which the clock tells the same about one moment: one message for all of them.

use tidegate_runner::desk::clock::Warned;
use tidegate_runner::domain::ids::{EnvironmentName, GroupName};
use tidegate_runner::domain::schedule::ClockNews;

use super::bend::{is_tonight, moment, odd_days, skip_it};
use super::card::{Card, Line, Tone};
use super::words::{Clock, DOT, cut, duration};

/// Most environments that are named.
const NAMED_MAX: usize = 40;
/// Most of which is told why.
const REASONS_MAX: usize = 6;

/// What several environments have in common; all of it is of one kind and about one moment.
#[must_use]
pub fn of_many(all: &[(&EnvironmentName, &ClockNews)], clock: &Clock) -> Card {
    let Some((_, said)) = all.first() else {
        return Card::new(Tone::Plain, "Nothing is told of any environment");
    };
    let turn = said.turn();
    let (time, count) = (turn.local.format("%H:%M"), all.len());
    let names: Vec<&EnvironmentName> = all.iter().map(|(name, _)| *name).collect();
    let names = Line::text(listed(&names));
    let due = Line::text(format!("{}{DOT}{count} environments", moment(turn)));
    let card = |tone: Tone, title: String| Card::new(tone, title).line(due).line(names);
    match said {
        ClockNews::Ahead { .. } => {
            let ahead: Vec<_> = all.iter().map(|(name, said)| (*name, *said, Warned::Ahead)).collect();
            many_ahead(&ahead, None, clock)
        }
        ClockNews::Late { by_ms, .. } => {
            let title = format!("{time}: {count} environments begin {} late", duration(*by_ms));
            card(Tone::Warning, title).next("queue".to_owned())
        }
        ClockNews::Missed { by_ms, .. } => {
            let title = format!("{time}: {count} environments were NOT brought on{DOT}seen {} late", duration(*by_ms));
            card(Tone::Bad, title).next("envs".to_owned()).next("next".to_owned())
        }
        ClockNews::Swallowed { .. } => {
            let title =
                format!("{count} environments stay as they are{DOT}what was due before {time} was missed while away");
            card(Tone::Warning, title).next("envs".to_owned()).next("next".to_owned())
        }
        ClockNews::Skipped { called, .. } => {
            let alone =
                all.iter().all(|(_, said)| matches!(said, ClockNews::Skipped { called: by, .. } if by == called));
            let by = if alone { called.as_str() } else { "several people" };
            card(Tone::Plain, format!("{time}: {count} environments stay as they are{DOT}skipped by {by}"))
                .next("next".to_owned())
        }
        ClockNews::Eve { days, .. } => card(Tone::Plain, format!("{count} environments: {}", odd_days(days)))
            .line(Line::text(format!("Their next transition is at {}.", moment(turn))))
            .next("next".to_owned()),
        ClockNews::Refused { .. } => {
            let title = format!("{time}: {count} environments are NOT brought on{DOT}refused");
            let why = all.iter().filter_map(|(name, said)| match said {
                ClockNews::Refused { why, .. } => Some(Line::text(format!("{name}: {}", cut(why))).indented(1)),
                _ => None,
            });
            card(Tone::Bad, title).lines(why.take(REASONS_MAX)).next("envs".to_owned())
        }
        ClockNews::CalledOff { .. } => {
            card(Tone::Plain, format!("{time}: {count} environments do not go down{DOT}called off"))
                .next("next".to_owned())
        }
        ClockNews::GivenUp { .. } => {
            card(Tone::Bad, format!("{time}: {count} environments were NOT brought on{DOT}given up"))
                .next("envs".to_owned())
        }
    }
}

/// Several environments that go down at one moment, each with what became of that; what can be done about each is in a menu. `group`:
/// they are all of this group, so that they can be kept and skipped together.
#[must_use]
pub fn many_ahead(all: &[(&EnvironmentName, &ClockNews, Warned)], group: Option<&GroupName>, clock: &Clock) -> Card {
    let Some((_, first, _)) = all.first() else {
        return Card::new(Tone::Plain, "No environment goes down any more");
    };
    let turn = first.turn();
    let is_held = |said: &ClockNews| matches!(said, ClockNews::Ahead { held: Some(_), .. });
    let names = |of: &dyn Fn(&ClockNews, Warned) -> bool| -> Vec<&EnvironmentName> {
        all.iter().filter(|(_, said, came)| of(said, *came)).map(|(name, ..)| *name).collect()
    };
    let goes = names(&|said, came| matches!(came, Warned::Ahead | Warned::Due) && !is_held(said));
    let still = names(&|_, came| came == Warned::Ahead);
    let held = names(&|said, came| came == Warned::Ahead && is_held(said));
    let stays = names(&|_, came| came == Warned::Otherwise);
    let there = names(&|_, came| came == Warned::There);
    let time = turn.local.format("%H:%M");
    let when = clock.away(turn.at);
    let (tone, title) = match (goes.len(), still.is_empty()) {
        (0, _) => (Tone::Plain, format!("{time}: none of {} environments goes down", all.len())),
        (count, false) => (Tone::Warning, format!("{time}: {} down {when}", plural_go(count))),
        (count, true) => {
            (Tone::Plain, format!("{time}: it was time for {count} of {} environments to go down", all.len()))
        }
    };
    let mut card = Card::new(tone, title);
    card = card.line(Line::text(format!("{}{DOT}{} environments", moment(turn), all.len())));
    for (words, names) in [
        ("", &goes),
        ("held, and go down after that: ", &held),
        ("not any more: ", &stays),
        ("there already: ", &there),
    ] {
        card = card.lines((!names.is_empty()).then(|| Line::text(format!("{words}{}", listed(names)))));
    }
    let can_skip = |one: &EnvironmentName| {
        !all.iter().any(|(name, said, _)| *name == one && matches!(said, ClockNews::Ahead { unskippable: true, .. }))
    };
    let tonight = is_tonight(turn, clock.now);
    if let Some(group) = group.filter(|_| !still.is_empty()) {
        card = card.next(format!("keep @{group} for 1h"));
    }
    if let Some(group) = group.filter(|_| still.iter().any(|one| can_skip(one))) {
        card = card.next(format!("skip @{group}"));
    }
    if let Some(one) = still.first() {
        card = card.next(format!("keep {one} for 1h"));
        card = if can_skip(one) { card.next(skip_it(one)) } else { card };
    }
    let leave = if tonight { "skip tonight" } else { "skip it" };
    let choices = still.iter().flat_map(|name| {
        let skip = can_skip(name).then(|| (format!("{name}: {leave}"), skip_it(name)));
        std::iter::once((format!("{name}: keep 1 h"), format!("keep {name} for 1h"))).chain(skip)
    });
    let choices = choices.collect();
    card.next("next".to_owned()).choose("Keep or skip one of them", choices)
}

fn plural_go(count: usize) -> String {
    if count == 1 { "1 environment goes".to_owned() } else { format!("{count} environments go") }
}

/// Their names, as many as there is room for.
fn listed(names: &[&EnvironmentName]) -> String {
    let shown: Vec<String> = names.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    let more = names.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono_tz::Tz;
    use tidegate_runner::domain::environment::Level;
    use tidegate_runner::domain::ids::Timestamp;
    use tidegate_runner::domain::request::Target;
    use tidegate_runner::domain::schedule::{OddDay, QuietKind, Turn};

    use super::*;

    #[test]
    fn forty_environments_are_one_message_with_what_they_have_in_common() {
        let off = Target { level: Level::Off, settings: BTreeMap::new() };
        let nine = Turn::new(Timestamp(1_795_392_000_000), Tz::Asia__Tokyo, off.clone());
        let clock = Clock { now: Timestamp(1_795_392_000_000 - 900_000), zone: crate::zone::Zone::UTC };
        let names: Vec<EnvironmentName> = (0..40).map(|number| format!("e{number}").parse().expect("a name")).collect();
        let day = OddDay {
            date: "2026-12-29".parse().expect("a date"),
            kind: QuietKind::Holiday,
            name: "the team is away".to_owned(),
        };
        for (said, title, next) in [
            (
                ClockNews::Ahead {
                    turn: nine.clone(),
                    from: off.clone(),
                    held: None,
                    unskippable: false,
                    in_doubt: false,
                    reasons: None,
                },
                "09:00: 40 environments go down in 15 min",
                "keep e0 for 1h",
            ),
            (
                ClockNews::Refused { turn: nine.clone(), why: "it is held".to_owned(), again: None },
                "09:00: 40 environments are NOT brought on · refused",
                "envs",
            ),
            (
                ClockNews::Missed { turn: nine.clone(), by_ms: 3_600_000, collapsed: 0, held_back: None },
                "09:00: 40 environments were NOT brought on · seen 1 h late",
                "envs",
            ),
            (
                ClockNews::Eve { turn: nine.clone(), stays: None, days: vec![day] },
                "40 environments: Tue 2026-12-29 is a holiday: the team is away",
                "next",
            ),
        ] {
            let all: Vec<_> = names.iter().map(|name| (name, &said)).collect();
            let card = of_many(&all, &clock);
            assert_eq!((card.title.as_str(), card.next.first().map(String::as_str)), (title, Some(next)));
        }
    }

    #[test]
    fn what_became_of_each_is_told_and_only_those_that_still_go_down_can_be_kept() {
        let small = Target { level: "small".parse().expect("a level"), settings: BTreeMap::new() };
        let turn = Turn::new(Timestamp(1_795_392_000_000), Tz::Asia__Tokyo, small.clone());
        let said =
            ClockNews::Ahead { turn, from: small, held: None, unskippable: false, in_doubt: false, reasons: None };
        let names: Vec<EnvironmentName> = ["a", "b", "c", "d"].map(|name| name.parse().expect("a name")).into();
        let clock =
            |before_ms: i64| Clock { now: Timestamp(1_795_392_000_000 - before_ms), zone: crate::zone::Zone::UTC };
        let card = |came: [Warned; 4], before_ms| {
            let all: Vec<_> = names.iter().zip(came).map(|(name, came)| (name, &said, came)).collect();
            many_ahead(&all, Some(&"rpg".parse().expect("a group")), &clock(before_ms))
        };
        let all = card([Warned::Ahead; 4], 900_000);
        assert_eq!(all.title, "09:00: 4 environments go down in 15 min");
        assert_eq!(all.next.get(..2), Some(&["keep @rpg for 1h".to_owned(), "skip @rpg".to_owned()][..]));
        let choices = all.menu.expect("a menu").choices;
        assert_eq!((choices.len(), choices[0].1.as_str(), choices[1].1.as_str()), (8, "keep a for 1h", "skip a"));
        let some = card([Warned::Otherwise, Warned::There, Warned::Ahead, Warned::Ahead], 900_000);
        assert_eq!(some.title, "09:00: 2 environments go down in 15 min");
        let lines = format!("{:?}", some.lines);
        assert!(lines.contains("not any more: a") && lines.contains("there already: b"), "{lines}");
        assert_eq!(some.menu.expect("a menu").choices.len(), 4);
        let over = card([Warned::Otherwise, Warned::There, Warned::Due, Warned::Due], 0);
        assert_eq!(over.title, "09:00: it was time for 2 of 4 environments to go down");
        assert_eq!((over.menu, over.next), (None, vec!["next".to_owned()]));
        assert_eq!(card([Warned::Otherwise; 4], 900_000).title, "09:00: none of 4 environments goes down");
    }
}
