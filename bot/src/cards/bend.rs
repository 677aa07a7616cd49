//! Schedules bent for a while: what does not happen, what stays meanwhile, and what comes next.

use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::domain::request::RunRequest;
use tidegate_runner::domain::schedule::{Bend, BendAnswer, BentOne, Turn, in_words};

use super::card::{Card, Line, Tone};
use super::words::{Clock, DOT, cut, duration, plural};

/// Most transitions that are named of one environment.
const NAMED_MAX: usize = 5;

/// The desk's answer to an order that bends schedules.
pub(super) fn answer(answer: &BendAnswer, clock: &Clock) -> Card {
    match answer {
        BendAnswer::Skipped(all) => match all.as_slice() {
            [only] => {
                let card = Card::new(Tone::Good, format!("{}{DOT}{}", only.environment, left_out(only)));
                offers(what_follows(card, only, clock), only)
            }
            several => {
                let count = plural(u64::try_from(several.len()).unwrap_or(u64::MAX), "environment");
                let mut card = Card::new(Tone::Good, format!("Left out in {count}"));
                for one in several {
                    card = card.line(Line::text(format!("{}: {}", one.environment, left_out(one))));
                    card = card.lines(one.turns.iter().take(1).map(|turn| Line::text(when(turn, clock)).indented(1)));
                }
                card.next("next")
            }
        },
        BendAnswer::Paused { until, one } => {
            let title = format!("The schedules of {} are paused until {}", one.environment, clock.ahead(*until));
            offers(what_follows(Card::new(Tone::Good, title), one, clock), one)
        }
        BendAnswer::Unpaused(one) => {
            let paused = one.bent.iter().any(|bent| matches!(bent.bend, Bend::Pause { .. }));
            let what = if paused { "count again" } else { "leave nothing out any more" };
            let card = Card::new(Tone::Good, format!("The schedules of {} {what}", one.environment));
            let card =
                card.lines(one.turns.iter().take(NAMED_MAX).map(|turn| Line::text(when(turn, clock)).indented(1)));
            card.next(format!("next {}", one.environment))
        }
    }
}

/// Until when a change holds, and what comes then.
pub(super) fn holds_until(request: &RunRequest, until: Timestamp, clock: &Clock) -> String {
    let then = if request.until.is_some() { "and then goes back by itself" } else { "when the schedules say again" };
    format!("It holds until {}, {then}.", clock.ahead(until))
}

fn left_out(one: &BentOne) -> String {
    match one.turns.as_slice() {
        [only] => format!("does not go to {}", in_words(&only.wanted)),
        turns => format!("{} left out", plural(u64::try_from(turns.len()).unwrap_or(u64::MAX), "transition")),
    }
}

fn what_follows(card: Card, one: &BentOne, clock: &Clock) -> Card {
    let more = one.turns.len().saturating_sub(NAMED_MAX);
    let card = card
        .lines(
            one.turns.iter().take(NAMED_MAX).map(|turn| Line::text(format!("Not: {}", when(turn, clock))).indented(1)),
        )
        .lines((more > 0).then(|| Line::text(format!("and {more} more")).indented(1)));
    let because = one.bent.first().and_then(|bent| bent.because.as_deref());
    let card = card.lines(because.map(|because| Line::text(format!("because {}", cut(because)))));
    let stays = one.stays.as_ref().map(|stays| format!("It stays at {}", in_words(stays)));
    let next = one.next.as_ref().map(|next| format!("next: {}", when(next, clock)));
    let words = match (stays, next) {
        (Some(stays), Some(next)) => format!("{stays}{DOT}{next}"),
        (Some(words), None) | (None, Some(words)) => words,
        (None, None) => return card,
    };
    card.line(Line::text(words))
}

fn offers(card: Card, one: &BentOne) -> Card {
    card.next(format!("unpause {}", one.environment)).next(format!("next {}", one.environment))
}

/// `Mon 2026-11-23 21:00 +09:00 Asia/Tokyo (in 6 h)` and the level from then on.
pub(super) fn when(turn: &Turn, clock: &Clock) -> String {
    let Turn { at, local, offset, zone, wanted } = turn;
    let away = (at.ms_since(clock.now) + 30_000) / 60_000 * 60_000;
    let away = if *at <= clock.now { "now".to_owned() } else { format!("in {}", duration(away)) };
    format!("{} {offset} {zone} ({away}){DOT}{}", local.format("%a %Y-%m-%d %H:%M"), in_words(wanted))
}
