//! Changes and plans of many environments: what was begun, how far it is, how it ended.

use tidegate_runner::domain::command::CommandName;
use tidegate_runner::domain::ids::RunNumber;
use tidegate_runner::domain::rollout::{Came, End, Halted, Item, Rollout, RolloutAnswer, TOGETHER};

use super::card::{Card, Line, Tone};
use super::words::{Clock, DOT, cut};

/// Most environments of a kind that are named.
const NAMED_MAX: usize = 12;

/// The desk's answer.
pub(super) fn answer(answer: &RolloutAnswer) -> Card {
    match answer {
        RolloutAnswer::Began { rollout: begun, aside, unread } => {
            let left = |names: &[String], words: &str| {
                (!names.is_empty())
                    .then(|| Line::marked(&format!("{words}: {}; `tidegate check` tells why.", listed(names))))
            };
            rollout(begun)
                .lines(left(aside, "Left aside, as the configuration does not check"))
                .lines(left(unread, "Left aside, and nobody can read whether it is of the group"))
        }
        RolloutAnswer::Stopped { rollouts, halted } => stopped(rollouts, halted),
    }
}

/// What was stopped, and what became of its runs.
fn stopped(rollouts: &[Rollout], halted: &Halted) -> Card {
    let Halted { stopping, over, unknown } = halted;
    let each: Vec<String> =
        rollouts.iter().map(|stopped| format!("{} is stopped{DOT}{}", what(stopped), counts(stopped))).collect();
    let tone = if stopping.is_empty() { Tone::Plain } else { Tone::Working };
    let mut card = Card::new(tone, each.join("; "));
    if stopping.is_empty() && unknown.is_empty() {
        card = card.line(Line::text("Nothing more of it is begun, and nothing of it runs."));
    } else {
        card = card.line(Line::text("Nothing more of it is begun."));
    }
    let of = |numbers: &[RunNumber]| {
        let every = rollouts.iter().flat_map(|rollout| &rollout.items);
        let of_it: Vec<&Item> = every.filter(|item| item.run.is_some_and(|run| numbers.contains(&run))).collect();
        named_with_runs(&of_it)
    };
    if !over.is_empty() {
        card = card.line(Line::text(format!("Over by it: {}.", of(over))));
    }
    if let Some(first) = stopping.first() {
        card = card
            .line(Line::text(format!(
                "Asked to stop: {}. Terraform breaks off, writes its state and frees its lock; each run's card tells the rest.",
                of(stopping)
            )))
            .line(Line::marked(&format!(
                "If that takes too long, `cancel {first} force` kills one; what it is just making may then exist without Terraform \
                 knowing it."
            )));
    }
    if !unknown.is_empty() {
        card = card
            .line(Line::text(format!("How they stand nobody knows, so that nothing can stop them: {}.", of(unknown))));
    }
    let shows = unknown.iter().take(3).map(|run| format!("show {run}"));
    let status = rollouts.first().map(|rollout| format!("status {}", rollout.scope));
    shows.chain(status).fold(card, Card::next)
}

/// What was begun.
#[must_use]
pub fn rollout(rollout: &Rollout) -> Card {
    let all = rollout.items.len();
    let card = Card::new(Tone::Working, format!("{}{DOT}{}", what(rollout), counted(all)));
    let first = rollout.items.first().map(|item| item.environment.to_string()).unwrap_or_default();
    let card = if rollout.only_shows() {
        card.line(Line::text(
            "A plan of each; nothing is changed. At the end comes one line that counts them by what they would do.",
        ))
    } else if all == 1 {
        card.line(Line::text(format!("Only {first}.")))
    } else if rollout.scope.goes_group_by_group() {
        card.line(Line::text(format!(
            "{first} alone first, then group by group, up to {TOGETHER} at a time; the first that does not succeed stops it."
        )))
    } else {
        card.line(Line::text(format!(
            "{first} alone first, then up to {TOGETHER} at a time; the first that does not succeed stops it."
        )))
    };
    let card = if rollout.command == CommandName::Destroy {
        let line = "Each shows what would go of it, and waits for a yes of its own; a no, or none, stops it.";
        card.line(Line::text(line))
    } else {
        card
    };
    card.next(format!("status {}", rollout.scope)).next(format!("cancel {}", rollout.scope))
}

/// How it ended.
#[must_use]
pub fn end_of_rollout(rollout: &Rollout) -> Card {
    let how = rollout.ended.map_or(End::Done, |(_, how)| how);
    let bad: Vec<&Item> = rollout.items.iter().filter(|item| !is_good(item)).collect();
    let (tone, word) = match how {
        End::Done if bad.is_empty() => (Tone::Good, ""),
        End::Done => (Tone::Warning, ""),
        End::Stopped => (Tone::Bad, " STOPPED"),
        End::Cancelled => (Tone::Plain, " stopped by hand"),
    };
    let mut card = Card::new(tone, format!("{}{word}{DOT}{}", what(rollout), counts(rollout)));
    for item in bad.iter().take(NAMED_MAX) {
        card = card.line(Line::text(told(item)));
    }
    if bad.len() > NAMED_MAX {
        card = card.line(Line::text(format!("and {} more.", bad.len() - NAMED_MAX)));
    }
    if rollout.only_shows() {
        for class in ["replace", "delete", "change"] {
            let of_it: Vec<&Item> = rollout
                .items
                .iter()
                .filter(|item| item.came.as_ref().is_some_and(|came| came.class() == class))
                .collect();
            if !of_it.is_empty() {
                card = card.line(Line::text(format!("{class}: {}.", named(&of_it))));
            }
        }
    }
    let untouched: Vec<&Item> = rollout.items.iter().filter(|item| item.run.is_none() && item.came.is_none()).collect();
    if !untouched.is_empty() {
        card = card.line(Line::text(format!("Not begun: {}.", named(&untouched))));
    }
    bad.iter()
        .filter_map(|item| item.run)
        .take(3)
        .fold(card, |card, run| card.next(format!("show {run}")))
        .next(format!("status {}", rollout.scope))
}

/// One line of it, for `status`.
#[must_use]
pub fn rollout_line(rollout: &Rollout, clock: &Clock) -> Line {
    let how = match rollout.ended {
        None => format!("since {}", clock.moment(rollout.began)),
        Some((at, End::Done)) => format!("ended {}", clock.moment(at)),
        Some((at, End::Stopped)) => format!("STOPPED {}", clock.moment(at)),
        Some((at, End::Cancelled)) => format!("stopped by hand {}", clock.moment(at)),
    };
    Line::text(format!("{}{DOT}{how}{DOT}{}", what(rollout), counts(rollout)))
}

fn what(rollout: &Rollout) -> String {
    format!("{} {}", rollout.command, rollout.scope)
}

fn counted(all: usize) -> String {
    if all == 1 { "1 environment".to_owned() } else { format!("{all} environments") }
}

/// `36 nothing, 3 replace, 1 error, 2 running, 4 not begun`.
fn counts(rollout: &Rollout) -> String {
    let mut parts: Vec<String> =
        rollout.classes().into_iter().map(|(class, count)| format!("{count} {class}")).collect();
    let works = running(rollout).len();
    let open = rollout.items.iter().filter(|item| item.run.is_none() && item.came.is_none()).count();
    parts.extend((works > 0).then(|| format!("{works} running")));
    parts.extend((open > 0).then(|| format!("{open} not begun")));
    parts.join(", ")
}

fn running(rollout: &Rollout) -> Vec<&Item> {
    rollout.items.iter().filter(|item| item.run.is_some() && item.came.is_none()).collect()
}

fn is_good(item: &Item) -> bool {
    item.came.as_ref().is_none_or(Came::is_good)
}

fn told(item: &Item) -> String {
    let run = item.run.map(|run| format!(", run {run}")).unwrap_or_default();
    match &item.came {
        Some(Came::Error { how }) => format!("{} {}{run}.", item.environment, how.to_uppercase()),
        Some(Came::Refused { why }) => format!("{} refused: {why}.", item.environment),
        Some(came) => format!("{} {}{run}.", item.environment, came.class()),
        None => format!("{}{run}.", item.environment),
    }
}

fn listed(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(NAMED_MAX).map(|name| cut(name)).collect();
    shown.extend((names.len() > NAMED_MAX).then(|| format!("{} more", names.len() - NAMED_MAX)));
    shown.join(", ")
}

/// `game-1 (run 13), game-2 (run 14)`
fn named_with_runs(items: &[&Item]) -> String {
    let shown = items.iter().take(NAMED_MAX).map(|item| {
        let run = item.run.map(|run| format!(" (run {run})")).unwrap_or_default();
        format!("{}{run}", item.environment)
    });
    let mut names: Vec<String> = shown.collect();
    names.extend((items.len() > NAMED_MAX).then(|| format!("{} more", items.len() - NAMED_MAX)));
    names.join(", ")
}

fn named(items: &[&Item]) -> String {
    let mut names: Vec<String> = items.iter().take(NAMED_MAX).map(|item| item.environment.to_string()).collect();
    names.extend((items.len() > NAMED_MAX).then(|| format!("{} more", items.len() - NAMED_MAX)));
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use tidegate_runner::domain::answer::Actor;
    use tidegate_runner::domain::command::Order;
    use tidegate_runner::domain::ids::{ActorId, Timestamp};
    use tidegate_runner::domain::rollout::{Scope, stages};

    use super::*;
    use crate::commands::fixture::with_groups;
    use crate::commands::parse;

    fn all(command: CommandName, ended: Option<End>, came: &[(Option<i64>, Option<Came>)]) -> Rollout {
        let items = came.iter().enumerate().map(|(at, (run, came))| Item {
            environment: format!("game-{at}").parse().expect("a name"),
            stage: stages(command, &vec![0; at + 1])[at],
            order: Order::Destroy { environment: "x".parse().expect("a name") },
            run: run.map(RunNumber),
            came: came.clone(),
        });
        Rollout {
            number: 3,
            scope: Scope::Group("rpg".parse().expect("a name")),
            command,
            asker: Actor::person(ActorId::local("ito"), "ito"),
            door: "shell".to_owned(),
            channel: None,
            direct: false,
            typed: String::new(),
            because: None,
            began: Timestamp(0),
            ended: ended.map(|end| (Timestamp(1), end)),
            items: items.collect(),
        }
    }

    fn began(rollout: Rollout, aside: &[&str], unread: &[&str]) -> RolloutAnswer {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        RolloutAnswer::Began { rollout: Box::new(rollout), aside: names(aside), unread: names(unread) }
    }

    #[test]
    fn every_card_of_a_change_of_many() {
        let error = || (Some(12), Some(Came::Error { how: "failed".to_owned() }));
        let refused = || (None, Some(Came::Refused { why: "game-2 is held: by mori".to_owned() }));
        let (done, works, open) = ((Some(11), Some(Came::Done)), (Some(13), None), (None, None));
        let stopped = (Some(14), Some(Came::Error { how: "cancelled".to_owned() }));
        let lost = (Some(15), None);
        let planned = |came: Came| (Some(20), Some(came));
        let plans =
            [planned(Came::Nothing), planned(Came::Nothing), planned(Came::Replaces), planned(Came::Changes), error()];
        let cards = [
            answer(&began(all(CommandName::Up, None, &[open.clone(), open.clone(), open.clone()]), &[], &[])),
            answer(&began(
                all(CommandName::Plan, None, &[open.clone(), open.clone()]),
                &["game-c"],
                &["teams/rpg.toml"],
            )),
            answer(&RolloutAnswer::Stopped {
                rollouts: vec![all(
                    CommandName::Up,
                    Some(End::Cancelled),
                    &[done.clone(), works.clone(), stopped.clone(), lost.clone(), open.clone()],
                )],
                halted: Halted {
                    stopping: vec![RunNumber(13)],
                    over: vec![RunNumber(14)],
                    unknown: vec![RunNumber(15)],
                },
            }),
            answer(&RolloutAnswer::Stopped {
                rollouts: vec![
                    all(CommandName::Up, Some(End::Cancelled), &[open.clone(), open.clone()]),
                    all(CommandName::Plan, Some(End::Cancelled), &[stopped.clone(), stopped.clone()]),
                ],
                halted: Halted { over: vec![RunNumber(14)], ..Halted::default() },
            }),
            answer(&began(all(CommandName::Destroy, None, &[open.clone(), open.clone()]), &[], &[])),
            end_of_rollout(&all(CommandName::Up, Some(End::Done), &[done.clone(), done.clone()])),
            end_of_rollout(&all(
                CommandName::Up,
                Some(End::Stopped),
                &[done.clone(), error(), refused(), open.clone()],
            )),
            end_of_rollout(&all(CommandName::Plan, Some(End::Done), &plans)),
        ];
        // Every command offered is one that is understood where there is such a group.
        for line in cards.iter().flat_map(|card| &card.next) {
            with_groups(|known| assert!(parse(line, known).is_ok(), "{line}"));
        }
        insta::assert_snapshot!(cards.iter().map(crate::cards::tests::written).collect::<Vec<_>>().join("\n"));
    }
}
