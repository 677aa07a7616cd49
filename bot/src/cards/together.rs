//! Many environments that turn at one moment: one message for all of them.

use tidegate_runner::domain::answer::RunDetail;
use tidegate_runner::domain::ids::{EnvironmentName, RunNumber};
use tidegate_runner::domain::request::RunKind;
use tidegate_runner::domain::run::{Outcome, RunState, StackView};
use tidegate_runner::domain::schedule::Turn;

use super::bend::moment;
use super::button::Button;
use super::card::{Card, Line, Tone};
use super::run::service;
use super::words::DOT;

/// Most environments of a kind that are named.
const NAMED_MAX: usize = 6;

/// One of the environments, as far as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub environment: EnvironmentName,
    /// By which run.
    pub run: RunNumber,
    /// How far.
    pub came: Came,
}

/// How far an environment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// At work: so many changes of so many, once that is known.
    Works(Option<(u32, u32)>),
    /// It waits for a yes.
    Asks,
    /// Raised.
    Ready,
    /// Lowered.
    Down,
    /// It needs somebody; the word for it.
    Bad(&'static str),
    /// Over, with so many of so many in service.
    Short(u32, u32),
    /// Over without that anything is wrong; the word for it.
    Other(&'static str),
}

impl Part {
    /// As its run tells it.
    #[must_use]
    pub fn of(detail: &RunDetail) -> Self {
        let view = &detail.view;
        let lowers = matches!(detail.run.request.kind, RunKind::Down | RunKind::Destroy);
        let came = match &view.state {
            RunState::Queued { .. } | RunState::Planning { .. } => Came::Works(None),
            RunState::Applying { .. } | RunState::Verifying { .. } => {
                let done: u32 = view.stacks.values().map(StackView::changes_done).sum();
                let plans = view.stacks.values().filter_map(|stack| stack.plan.as_ref());
                let total: u32 = plans.map(|plan| plan.counts().total()).sum();
                Came::Works((total > 0).then_some((done, total.max(done))))
            }
            RunState::AwaitingApproval { .. } => Came::Asks,
            RunState::Unknown { .. } => Came::Bad("UNKNOWN"),
            RunState::Ended { outcome } => match outcome {
                Outcome::Succeeded | Outcome::NothingToDo if lowers => Came::Down,
                Outcome::Succeeded | Outcome::NothingToDo | Outcome::Planned => Came::Ready,
                Outcome::Failed => Came::Bad("FAILED"),
                Outcome::Partial => match service::of_all(view) {
                    Some((in_service, desired)) if in_service < desired => Came::Short(in_service, desired),
                    Some(_) | None => Came::Bad("PARTIAL"),
                },
                Outcome::Cancelled => Came::Other("cancelled"),
                Outcome::Refused => Came::Other("refused"),
                Outcome::Expired => Came::Other("expired"),
            },
        };
        Self { environment: detail.run.request.environment.clone(), run: detail.run.number, came }
    }

    /// Whether it failed, and is over: what is unknown is looked into first.
    #[must_use]
    pub fn may_be_tried_again(&self) -> bool {
        matches!(self.came, Came::Bad(_) | Came::Short(..)) && self.is_over()
    }

    /// The button that tries it again, beside those of others.
    #[must_use]
    pub fn named(&self, button: Button) -> Button {
        Button { label: format!("{} {}", button.label, self.environment), ..button }
    }

    /// Whether nothing more comes of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self.came {
            Came::Works(_) | Came::Asks => false,
            Came::Bad(word) => word != "UNKNOWN",
            Came::Ready | Came::Down | Came::Short(..) | Came::Other(_) => true,
        }
    }
}

/// `09:00: 38 ready, shop 31/40, rpg FAILED`
#[must_use]
pub fn together(turn: &Turn, parts: &[Part]) -> Card {
    let count = |came: Came| parts.iter().filter(|part| part.came == came).count();
    let mut words = Vec::new();
    for (count, word) in [(count(Came::Ready), "ready"), (count(Came::Down), "down")] {
        words.extend((count > 0).then(|| format!("{count} {word}")));
    }
    let begun = |part: &Part| match part.came {
        Came::Works(Some((done, total))) => Some(format!("{} {done}/{total}", part.environment)),
        _ => None,
    };
    let begun: Vec<String> = parts.iter().filter_map(begun).collect();
    let more = count(Came::Works(None)) + begun.len().saturating_sub(NAMED_MAX);
    let at_work = if begun.is_empty() { "at work" } else { "more at work" };
    words.extend(begun.into_iter().take(NAMED_MAX));
    words.extend((more > 0).then(|| format!("{more} {at_work}")));
    let named = |part: &Part| match part.came {
        Came::Asks => Some(format!("{} needs a yes", part.environment)),
        Came::Bad(word) | Came::Other(word) => Some(format!("{} {word}", part.environment)),
        Came::Short(in_service, desired) => Some(format!("{} {in_service}/{desired}", part.environment)),
        Came::Works(_) | Came::Ready | Came::Down => None,
    };
    let named: Vec<String> = parts.iter().filter_map(named).collect();
    let rest = named.len().saturating_sub(NAMED_MAX);
    words.extend(named.into_iter().take(NAMED_MAX));
    words.extend((rest > 0).then(|| format!("{rest} more that did not end well")));
    let bad = parts.iter().any(|part| matches!(part.came, Came::Bad(_) | Came::Short(..)));
    let tone = match (bad, parts.iter().all(Part::is_over)) {
        (true, _) => Tone::Bad,
        (false, false) => Tone::Working,
        (false, true) if parts.iter().any(|part| matches!(part.came, Came::Other(_))) => Tone::Warning,
        (false, true) => Tone::Good,
    };
    let mut card = Card::new(tone, format!("{}: {}", turn.local.format("%H:%M"), words.join(", ")));
    card = card.line(Line::text(format!("{}{DOT}{} environments, by the clock", moment(turn), parts.len())));
    for part in parts.iter().filter(|part| part.may_be_tried_again()) {
        card = card.next(format!("retry {}", part.run));
    }
    for part in
        parts.iter().filter(|part| matches!(part.came, Came::Asks | Came::Bad(_) | Came::Short(..) | Came::Other(_)))
    {
        card = card.next(format!("show {}", part.run));
    }
    card
}

/// The same where the configuration has none of them any more.
#[must_use]
pub fn together_no_more() -> Card {
    Card::new(Tone::Plain, "The environments that turned here are not configured any more")
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use tidegate_runner::domain::environment::Level;
    use tidegate_runner::domain::ids::Timestamp;
    use tidegate_runner::domain::request::Target;

    use super::*;

    fn part(name: &str, run: i64, came: Came) -> Part {
        Part { environment: name.parse().expect("a name"), run: RunNumber(run), came }
    }

    #[test]
    fn many_are_counted_and_those_that_need_somebody_are_named_with_what_shows_them() {
        let off = Target { level: Level::Off, settings: std::collections::BTreeMap::new() };
        let turn = Turn::new(Timestamp(1_795_392_000_000), Tz::Asia__Tokyo, off);
        let mut parts: Vec<Part> = (0..38).map(|n| part(&format!("e{n}"), n, Came::Ready)).collect();
        parts.push(part("shop", 38, Came::Works(Some((31, 40)))));
        parts.push(part("rpg", 39, Came::Bad("FAILED")));
        let card = together(&turn, &parts);
        assert_eq!(card.title, "09:00: 38 ready, shop 31/40, rpg FAILED");
        assert_eq!((card.next, card.tone), (vec!["retry 39".to_owned(), "show 39".to_owned()], Tone::Bad));
        // At work it says so; over, it is not well.
        parts[38].came = Came::Short(31, 40);
        let card = together(&turn, &parts);
        assert_eq!(card.title, "09:00: 38 ready, shop 31/40, rpg FAILED");
        assert_eq!(card.next, ["retry 38", "retry 39", "show 38", "show 39"]);
        let many: Vec<Part> = (0..20).map(|n| part(&format!("e{n}"), n, Came::Works(None))).collect();
        assert_eq!(together(&turn, &many).title, "09:00: 20 at work");
    }
}
