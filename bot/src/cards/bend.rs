//! Schedules bent for a while: what does not happen, what stays meanwhile, and what comes next.

use chrono::Timelike as _;
use tidegate_runner::desk::clock::Warned;
use tidegate_runner::domain::ids::{EnvironmentName, Timestamp};
use tidegate_runner::domain::request::RunRequest;
use tidegate_runner::domain::schedule::{Bend, BendAnswer, BentOne, ClockNews, OddDay, QuietKind, Turn, in_words};

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
        BendAnswer::Cleared { environment, why } => {
            let card = Card::new(Tone::Good, format!("The schedules of {environment} count again"));
            let card = card
                .lines(why.iter().map(|why| Line::text(format!("Taken away, as nobody could read it: {}", cut(why)))));
            card.next(format!("next {environment}"))
        }
    }
}

/// What people hear of the clock.
pub(super) fn of_clock(environment: &EnvironmentName, said: &ClockNews, clock: &Clock) -> Card {
    let level = in_words(&said.turn().wanted);
    match said {
        ClockNews::Ahead { turn, from } => {
            let away = turn.at.ms_since(clock.now);
            let when =
                if away > 0 { format!("in {}", duration((away + 30_000) / 60_000 * 60_000)) } else { "now".to_owned() };
            let title = format!("{environment} goes to {level} {when}{DOT}{}", turn.local.format("%H:%M"));
            let card = Card::new(Tone::Warning, title);
            let card = card.line(Line::text(format!("{}, from {}", moment(turn), in_words(from))));
            let skip = if is_night(turn) { "tonight" } else { "next" };
            card.next(format!("keep {environment} for 1h"))
                .next(format!("keep {environment} until {}", evening(turn)))
                .next(format!("skip {environment} {skip}"))
                .next(format!("down {environment} {}", turn.wanted.level))
        }
        ClockNews::Late { turn, by_ms, collapsed, run, stood_against } => {
            let card = Card::new(
                Tone::Warning,
                format!("{environment} goes to {level}, {} late{DOT}run {run}", duration(*by_ms)),
            );
            let why = match stood_against {
                Some(why) => format!("this stood against it: {}", cut(why)),
                None => "nobody looked then.".to_owned(),
            };
            let card = card.line(Line::text(format!("It was due at {}; {why}", moment(turn))));
            card.lines(before_it(*collapsed)).next(format!("show {run}"))
        }
        ClockNews::Missed { turn, by_ms, collapsed } => {
            let title = format!("{environment} was NOT brought to {level}{DOT}seen {} late", duration(*by_ms));
            Card::new(Tone::Bad, title)
                .line(Line::text(format!("It was due at {}, and its `catch_up` is over.", moment(turn))))
                .lines(before_it(*collapsed))
                .next(format!("status {environment}"))
                .next(format!("next {environment}"))
        }
        ClockNews::Skipped { turn, called, because, by: _ } => {
            let title = format!("{environment} does not go to {level}{DOT}skipped by {called}");
            Card::new(Tone::Plain, title)
                .line(Line::text(format!("It was due at {}.", moment(turn))))
                .lines(because.as_ref().map(|because| Line::text(format!("because {}", cut(because)))))
                .next(format!("next {environment}"))
        }
        ClockNews::Eve { turn, stays, days } => {
            let card = Card::new(Tone::Plain, format!("{environment}: {}", odd_days(days)));
            let stays = stays.as_ref().map(|stays| format!("It stays at {}{DOT}", in_words(stays))).unwrap_or_default();
            card.line(Line::text(format!("{stays}next: {}", when(turn, clock))))
                .next(format!("next {environment}"))
                .next(format!("skip {environment}"))
        }
        ClockNews::Refused { turn, why, again } => {
            let card = Card::new(Tone::Bad, format!("{environment} is NOT brought to {level}{DOT}refused"));
            let card = card.line(Line::text(format!("Due at {}: {}", moment(turn), cut(why))));
            card.lines(again.map(|until| Line::text(format!("It is tried again until {}.", clock.ahead(until)))))
                .next(format!("status {environment}"))
        }
        ClockNews::GivenUp { turn, tries, run } => {
            let times = if *tries == 1 { "1 try".to_owned() } else { format!("{tries} tries") };
            let title = format!("{environment} was NOT brought to {level}{DOT}given up after {times}");
            let card = Card::new(Tone::Bad, title).line(Line::text(format!("It was due at {}.", moment(turn))));
            let card = run.map_or(card.clone(), |run| card.next(format!("show {run}")));
            card.next(format!("status {environment}"))
        }
    }
}

/// `Tue 2026-12-29 is a holiday: the team is away; Sat 2026-11-28 is worked on: ...`
pub(super) fn odd_days(days: &[OddDay]) -> String {
    const NAMED_MAX: usize = 4;
    let one = |day: &OddDay| {
        let (date, name) = (day.date.format("%a %Y-%m-%d"), cut(&day.name));
        match day.kind {
            QuietKind::Holiday => format!("{date} is a holiday: {name}"),
            QuietKind::Working => format!("{date} is worked on: {name}"),
            QuietKind::Gap => format!("{date} has no {name}: the clocks skip it"),
        }
    };
    let told: Vec<String> = days.iter().take(NAMED_MAX).map(one).collect();
    let last = days.last().filter(|_| days.len() > NAMED_MAX);
    let more = last.map(|last| format!("; and more, up to {}", last.date.format("%a %Y-%m-%d")));
    format!("{}{}", told.join("; "), more.unwrap_or_default())
}

/// What was collapsed into a transition.
fn before_it(collapsed: u32) -> Option<Line> {
    let more = plural(u64::from(collapsed), "transition");
    let were = if collapsed == 1 { "was" } else { "were" };
    (collapsed > 0).then(|| Line::text(format!("{more} before it {were} left out: this one came after.")))
}

/// What stands in place of a warning that is not to be acted on any more; `None`: it is.
#[must_use]
pub fn turned(environment: &EnvironmentName, turn: &Turn, came: Warned) -> Option<Card> {
    let (level, time, due) = (in_words(&turn.wanted), turn.local.format("%H:%M"), moment(turn));
    let (title, line) = match came {
        Warned::Ahead => return None,
        Warned::There => {
            (format!("{environment} is to be at {level} already{DOT}{time}"), format!("It was due at {due}."))
        }
        Warned::Due => (format!("{environment} was to go to {level}{DOT}{time}"), format!("It was due at {due}.")),
        Warned::Otherwise => (
            format!("{environment} does not go to {level}{DOT}{time}"),
            format!("Something else is wanted by now for {due}."),
        ),
    };
    let card = Card::new(Tone::Plain, title).line(Line::text(line));
    Some(card.next(format!("status {environment}")).next(format!("next {environment}")))
}

/// `Mon 2026-11-23 21:00 +09:00 Asia/Tokyo`
pub(super) fn moment(turn: &Turn) -> String {
    let Turn { local, offset, zone, .. } = turn;
    format!("{} {offset} {zone}", local.format("%a %Y-%m-%d %H:%M"))
}

/// Six in the evening until six in the morning: what `skip ENV tonight` is about.
pub(super) fn is_night(turn: &Turn) -> bool {
    !(6..18).contains(&turn.local.hour())
}

/// Ten in the evening, or an hour later where that is near or over; with its offset, so that it means the same whoever types it.
fn evening(turn: &Turn) -> String {
    let ten = turn.local.date().and_hms_opt(22, 0, 0).filter(|ten| (*ten - turn.local).num_minutes() >= 30);
    let end = ten.or_else(|| turn.local.checked_add_signed(chrono::TimeDelta::hours(2))).unwrap_or(turn.local);
    format!("{}{}", end.format("%Y-%m-%dT%H:%M:%S"), turn.offset)
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
    let Turn { at, wanted, .. } = turn;
    let away = (at.ms_since(clock.now) + 30_000) / 60_000 * 60_000;
    let away = if *at <= clock.now { "now".to_owned() } else { format!("in {}", duration(away)) };
    format!("{} ({away}){DOT}{}", moment(turn), in_words(wanted))
}
