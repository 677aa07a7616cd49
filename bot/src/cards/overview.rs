//! Words of an overview that is kept true: why an environment is as it is, and whether everything that works on it lives.

use tidegate_runner::domain::answer::{EnvironmentStatus, RunnerHealth};

use super::card::{Card, Line, Tone};
use super::status::NOBODY_WORKS;
use super::words::{Clock, cut, duration, plural};

/// A chat in which nothing was said for so long is worth a figure, in milliseconds.
const QUIET_MS: i64 = 5 * 60_000;

/// Why the environment was last changed, in the words of whoever did.
#[must_use]
pub fn why(status: &EnvironmentStatus) -> Option<Line> {
    let last = status.running.as_ref().map(|(run, _)| run).or(status.last.as_ref())?;
    let because = last.request.because.as_ref()?;
    Some(Line::text(format!("because {} (run {} of {})", cut(because), last.number, cut(&last.asker.name))))
}

/// Who carries out runs, and since when nothing was heard from the chat.
#[must_use]
pub fn health(runners: &[RunnerHealth], heard_ms: Option<i64>, clock: &Clock) -> Card {
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
        let told = text(&health(&[runner("east", true), runner("west", false)], Some(12 * 60_000), &clock)).join("\n");
        for words in
            ["1 runner alive", "east: carries out runs", "west: SILENT since 11:59", "nothing heard for 12 min"]
        {
            assert!(told.contains(words), "{words} in {told}");
        }
        let told = text(&health(&[], Some(0), &clock)).join("\n");
        assert!(told.contains("0 runners alive") && told.contains("No process carries out runs"), "{told}");
    }
}
