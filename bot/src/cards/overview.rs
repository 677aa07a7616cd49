//! Words of an overview that is kept true: why an environment is as it is, and whether everything that works on it lives.

use tidegate_runner::domain::answer::{EnvironmentStatus, RunnerHealth};

use super::card::{Card, Line, Tone};
use super::status::NOBODY_WORKS;
use super::unserved::chat;
use super::words::{Clock, DOT, cut, duration, plural};

/// A chat in which nothing was said for so long is worth a figure, in milliseconds.
const QUIET_MS: i64 = 5 * 60_000;

/// Why the environment was last changed, in the words of whoever did.
#[must_use]
pub fn why(status: &EnvironmentStatus) -> Option<Line> {
    let last = status.running.as_ref().map(|(run, _)| run).or(status.last.as_ref())?;
    let because = last.request.because.as_ref()?;
    Some(Line::text(format!("because {} (run {} of {})", cut(because), last.number, cut(&last.asker.name))))
}

/// What waits to be said for so long is worth telling, in milliseconds: a second between two messages is nothing.
const WAITS_MS: u64 = 60_000;

/// How a chat is, as the ledger knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatHealth {
    /// Which.
    pub door: &'static str,
    /// How long ago the last message came, in milliseconds.
    pub heard_ms: Option<i64>,
    /// How many messages wait to be said, and how long the oldest has, in milliseconds.
    pub unsaid: (u64, Option<u64>),
}

/// What waits to be said for too long, whatever keeps it.
fn unsaid((count, age_ms): (u64, Option<u64>)) -> Option<String> {
    let age = age_ms.filter(|age| *age >= WAITS_MS).and_then(|age| i64::try_from(age).ok())?;
    let wait = if count == 1 { "waits" } else { "wait" };
    Some(format!("{} {wait} to be said, for {}", plural(count, "message"), duration(age / 60_000 * 60_000)))
}

/// Whether runners live, and how the chats are, in one line.
#[must_use]
pub fn health_line(runners: &[RunnerHealth], chats: &[ChatHealth]) -> Line {
    let alive = runners.iter().filter(|runner| runner.alive).count();
    let mut facts = vec![format!("{} alive", plural(u64::try_from(alive).unwrap_or_default(), "runner"))];
    let silent = runners.len() - alive;
    facts.extend((silent > 0).then(|| format!("{silent} SILENT")));
    for ChatHealth { door, heard_ms, unsaid: waits } in chats {
        let heard = match heard_ms {
            Some(ms) if *ms < QUIET_MS => "heard from within the last 5 min".to_owned(),
            Some(ms) => format!("last heard from {} ago", duration(ms / 60_000 * 60_000)),
            None => "nothing heard yet".to_owned(),
        };
        let waits = unsaid(*waits).map(|waits| format!(", {waits}")).unwrap_or_default();
        facts.push(format!("{}: {heard}{waits}", chat(door)));
    }
    Line::text(facts.join(DOT))
}

/// Who carries out runs, since when nothing was heard from the chat, and what it has not taken.
#[must_use]
pub fn health(runners: &[RunnerHealth], heard_ms: Option<i64>, waits: (u64, Option<u64>), clock: &Clock) -> Card {
    let alive = runners.iter().filter(|runner| runner.alive).count();
    let tone = if alive == 0 { Tone::Bad } else { Tone::Plain };
    let title = format!("{} alive", plural(u64::try_from(alive).unwrap_or_default(), "runner"));
    let mut card = Card::new(tone, title);
    for runner in runners {
        let host = cut(&runner.host);
        card = card.line(Line::text(if runner.alive {
            format!("{host}: carries out runs")
        } else {
            format!("{host}: SILENT since {}", clock.moment(runner.seen))
        }));
    }
    if alive == 0 {
        card = card.line(Line::marked(NOBODY_WORKS));
    }
    let card = card.lines(unsaid(waits).map(|waits| Line::text(format!("Slack: {waits}"))));
    card.line(Line::text(match heard_ms {
        Some(age) if age < QUIET_MS => "Slack: heard from within the last 5 min".to_owned(),
        Some(age) => format!("Slack: nothing heard for {}", duration(age / 60_000 * 60_000)),
        None => "Slack: nothing heard yet".to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use tidegate_runner::domain::ids::Timestamp;

    use super::*;
    use crate::commands::fixture::{NOW, tokyo};

    #[test]
    fn a_silent_runner_and_a_silent_chat_are_told() {
        let runner = |host: &str, alive| RunnerHealth { host: host.to_owned(), seen: Timestamp(NOW.0 - 60_000), alive };
        let clock = Clock { now: NOW, zone: tokyo() };
        let text = |card: &Card| -> Vec<String> {
            let lines = card.lines.iter().map(|line| format!("{line:?}"));
            std::iter::once(card.title.clone()).chain(lines).collect()
        };
        let told = text(&health(
            &[runner("east", true), runner("west", false)],
            Some(12 * 60_000),
            (2, Some(130_000)),
            &clock,
        ))
        .join("\n");
        for words in [
            "1 runner alive",
            "east: carries out runs",
            "west: SILENT since 11:59",
            "nothing heard for 12 min",
            "2 messages wait to be said, for 2 min",
        ] {
            assert!(told.contains(words), "{words} in {told}");
        }
        let told = text(&health(&[], Some(0), (9, Some(59_999)), &clock)).join("\n");
        assert!(told.contains("0 runners alive") && told.contains("No process carries out runs"), "{told}");
        assert!(!told.contains("wait"), "a message that is just being said is no news: {told}");
        let chats = [
            ChatHealth { door: "discord", heard_ms: Some(3 * 3_600_000), unsaid: (0, None) },
            ChatHealth { door: "slack", heard_ms: None, unsaid: (1, Some(60_000)) },
        ];
        let line = format!("{:?}", health_line(&[runner("east", true), runner("west", false)], &chats));
        for words in [
            "1 runner alive · 1 SILENT · Discord: last heard from 3 h",
            " ago · Slack: nothing heard yet, 1 message waits to be said, for 1 min",
        ] {
            assert!(line.contains(words), "{words} in {line}");
        }
    }
}
