//! Many environments of which the clock tells the same about one moment: one message for all of them.

use tidegate_runner::domain::ids::EnvironmentName;
use tidegate_runner::domain::schedule::ClockNews;

use super::bend::{is_night, moment, odd_days};
use super::card::{Card, Line, Tone};
use super::words::{Clock, DOT, cut, duration};

/// Most environments that are named.
const NAMED_MAX: usize = 40;
/// Most of which is told why.
const REASONS_MAX: usize = 6;

/// What several environments have in common; all of it is of one kind and about one moment.
#[must_use]
pub fn of_many(all: &[(&EnvironmentName, &ClockNews)], clock: &Clock) -> Card {
    let Some((first, said)) = all.first() else {
        return Card::new(Tone::Plain, "Nothing is told of any environment");
    };
    let turn = said.turn();
    let (time, count) = (turn.local.format("%H:%M"), all.len());
    let shown: Vec<String> = all.iter().take(NAMED_MAX).map(|(name, _)| name.to_string()).collect();
    let more = count.saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let names = Line::text(format!("{}{more}", shown.join(", ")));
    let due = Line::text(format!("{}{DOT}{count} environments", moment(turn)));
    let card = |tone: Tone, title: String| Card::new(tone, title).line(due).line(names);
    match said {
        ClockNews::Ahead { .. } => {
            let away = turn.at.ms_since(clock.now);
            let when =
                if away > 0 { format!("in {}", duration((away + 30_000) / 60_000 * 60_000)) } else { "now".to_owned() };
            let skip = if is_night(turn) { "tonight" } else { "next" };
            card(Tone::Warning, format!("{time}: {count} environments go down {when}"))
                .next(format!("keep {first} for 1h"))
                .next(format!("skip {first} {skip}"))
                .next("next".to_owned())
        }
        ClockNews::Late { by_ms, .. } => {
            let title = format!("{time}: {count} environments begin {} late", duration(*by_ms));
            card(Tone::Warning, title).next("queue".to_owned())
        }
        ClockNews::Missed { by_ms, .. } => {
            let title = format!("{time}: {count} environments were NOT brought on{DOT}seen {} late", duration(*by_ms));
            card(Tone::Bad, title).next("envs".to_owned()).next("next".to_owned())
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
        ClockNews::GivenUp { .. } => {
            card(Tone::Bad, format!("{time}: {count} environments were NOT brought on{DOT}given up"))
                .next("envs".to_owned())
        }
    }
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
                ClockNews::Ahead { turn: nine.clone(), from: off.clone() },
                "09:00: 40 environments go down in 15 min",
                "keep e0 for 1h",
            ),
            (
                ClockNews::Refused { turn: nine.clone(), why: "it is held".to_owned(), again: None },
                "09:00: 40 environments are NOT brought on · refused",
                "envs",
            ),
            (
                ClockNews::Missed { turn: nine.clone(), by_ms: 3_600_000, collapsed: 0 },
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
}
