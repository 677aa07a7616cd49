//! Schedules bent for a while: what does not happen, what stays meanwhile, and what comes next.

use chrono::{MappedLocalTime, TimeZone as _, Timelike as _};
use chrono_tz::Tz;
use tidegate_runner::desk::clock::Warned;
use tidegate_runner::domain::holds::{Hold, Kind};
use tidegate_runner::domain::ids::{EnvironmentName, Timestamp};
use tidegate_runner::domain::lookalike::distinct;
use tidegate_runner::domain::request::{RunRequest, Target};
use tidegate_runner::domain::schedule::{
    AtOnce, Because, Bend, BendAnswer, Bent, BentOne, CHANGED, ClockNews, HeldBack, OddDay, QuietKind, Reasons,
    Skipped, Turn, in_words,
};

use super::card::{Card, Line, Tone};
use super::next::{bent_words, whys, without_code};
use super::words::{Clock, DOT, cut, duration, plural};

/// Most transitions that are named of one environment.
const NAMED_MAX: usize = 5;

/// What is left out later than so many milliseconds from now finds something else there, perhaps.
const FAR_MS: i64 = 12 * 3_600_000;

/// Most lines that are offered to leave out again what was taken back.
const OFFERED_MAX: usize = 3;

/// The desk's answer to an order that bends schedules.
pub(super) fn answer(answer: &BendAnswer, clock: &Clock) -> Card {
    match answer {
        BendAnswer::Skipped(all) => match all.as_slice() {
            [only] => {
                let card = Card::new(Tone::Good, format!("{}{DOT}{}", only.environment, left_out(only)));
                offers(what_follows(card, only, clock).lines(of_code(only)), only)
            }
            several => {
                // Those in which nothing was due are named as well.
                let (some, none): (Vec<&BentOne>, Vec<&BentOne>) =
                    several.iter().partition(|one| !one.turns.is_empty());
                let count = plural(u64::try_from(some.len()).unwrap_or(u64::MAX), "environment");
                let mut card = Card::new(Tone::Good, format!("Left out in {count}"));
                if !none.is_empty() {
                    let names: Vec<String> = none.iter().map(|one| one.environment.to_string()).collect();
                    card = card.line(Line::text(format!("Nothing to leave out in: {}", names.join(", "))));
                }
                for one in some {
                    card = card.line(Line::text(format!("{}: {}", one.environment, left_out(one))));
                    card = card.lines(one.turns.iter().take(1).map(|turn| Line::text(when(turn, clock)).indented(1)));
                }
                card.next("next")
            }
        },
        BendAnswer::Paused { until, one } => {
            let title = format!("The schedules of {} are paused until {}", one.environment, clock.ahead(*until));
            offers(what_follows(Card::new(Tone::Good, title), one, clock).lines(of_code(one)), one)
        }
        BendAnswer::Unpaused(one) => {
            let paused = one.bent.iter().any(|bent| matches!(bent.bend, Bend::Pause { .. }));
            let what = match (paused, one.aside) {
                (true, false) => "count again",
                (true, true) => "are not paused any more",
                (false, _) => "leave nothing out any more",
            };
            let card = Card::new(Tone::Good, format!("The schedules of {} {what}", one.environment));
            let card = card.lines(of_code(one));
            let at_once =
                one.at_once.as_ref().map(|at_once| at_once_words(&one.environment, at_once, one.warned, clock));
            let card = card.lines(at_once);
            let card =
                card.lines(one.turns.iter().take(NAMED_MAX).map(|turn| Line::text(when(turn, clock)).indented(1)));
            let card = card.lines(one.bent.iter().filter_map(taken_back));
            let meanwhile = one.meanwhile.as_ref().map(|bent| {
                let stays = one.stays.as_ref().map(|stays| format!("It stays at {} meanwhile: ", in_words(stays)));
                Line::text(format!("{}{}", stays.unwrap_or_default(), bent_words(bent, clock)))
            });
            let card = card.lines(meanwhile);
            let again = one.bent.iter().filter_map(|bent| skip_again(one, bent));
            let again: std::collections::BTreeSet<String> = again.collect();
            again.into_iter().take(OFFERED_MAX).fold(card, Card::next).next(format!("next {}", one.environment))
        }
        BendAnswer::AllUnpaused(all) => {
            let count = plural(u64::try_from(all.len()).unwrap_or(u64::MAX), "environment");
            let mut card = Card::new(Tone::Good, format!("Schedules count again in {count}"));
            for one in all {
                let next = one.next.as_ref().map(|next| format!(": next: {}", when(next, clock))).unwrap_or_default();
                card = card.line(Line::text(format!("{}{next}", one.environment)));
                card = card.lines(
                    one.at_once
                        .as_ref()
                        .map(|at_once| at_once_words(&one.environment, at_once, one.warned, clock).indented(1)),
                );
                card = card.lines(one.bent.iter().filter_map(taken_back).map(|line| line.indented(1)));
            }
            card.next("next")
        }
        BendAnswer::Cleared { environment, why, left } => {
            let tone = if left.is_empty() { Tone::Good } else { Tone::Warning };
            let card = Card::new(tone, format!("Taken away from the schedules of {environment}"));
            let card = card
                .lines(why.iter().map(|why| Line::text(format!("Taken away, as nobody could read it: {}", cut(why)))));
            let card =
                card.lines(left.iter().map(|why| Line::text(format!("Nobody can read this, either: {}", cut(why)))));
            card.next(format!("{} {environment}", if left.is_empty() { "next" } else { "status" }))
        }
    }
}

/// `Not left out any more: working hours at Tue 2026-11-24 09:00, as ito had asked`
fn taken_back(bent: &Bent) -> Option<Line> {
    let what = match &bent.bend {
        Bend::Skip(Skipped::One { schedule, local }) => {
            format!("{} at {}", cut(schedule), local.format("%a %Y-%m-%d %H:%M"))
        }
        Bend::Skip(Skipped::Days { first, last, .. }) if first == last => {
            format!("all on {}", first.format("%a %Y-%m-%d"))
        }
        Bend::Skip(Skipped::Days { first, last, .. }) => {
            format!("all from {} to {}", first.format("%a %Y-%m-%d"), last.format("%a %Y-%m-%d"))
        }
        _ => return None,
    };
    Some(Line::text(format!("Not left out any more: {what}, as {} had asked", cut(&distinct(&bent.called)))))
}

/// The line that leaves the same out once more.
fn skip_again(one: &BentOne, bent: &Bent) -> Option<String> {
    let name = &one.environment;
    match &bent.bend {
        Bend::Skip(Skipped::Days { first, last, .. }) if first == last => Some(format!("skip {name} {first}")),
        Bend::Skip(Skipped::Days { first, last, .. }) => Some(format!("skip {name} {first}..{last}")),
        Bend::Skip(Skipped::One { local, .. }) => {
            let comes_next =
                one.next.as_ref().is_some_and(|next| one.turns.first().is_some_and(|turn| turn.at == next.at));
            Some(if comes_next { format!("skip {name}") } else { format!("skip {name} {}", local.date()) })
        }
        _ => None,
    }
}

/// What people hear of the clock.
pub(super) fn of_clock(environment: &EnvironmentName, said: &ClockNews, clock: &Clock) -> Card {
    let level = in_words(&said.turn().wanted);
    match said {
        ClockNews::Ahead { turn, from, held, unskippable, in_doubt, reasons } => {
            let whence = format!("{}, {}", moment(turn), whence(from, *in_doubt, reasons.as_deref()));
            let skip = (!unskippable).then(|| skip_it(environment));
            if let Some(hold) = held {
                let title = format!("{environment} does not go to {level} at {}{DOT}held", turn.local.format("%H:%M"));
                let card = Card::new(Tone::Warning, title);
                let card = card.line(Line::text(format!("It was to go there at {whence}")));
                let card = card.line(Line::text(format!("{}: it goes there after that.", held_by(hold, clock))));
                return skip.into_iter().fold(card, Card::next).next(format!("next {environment}"));
            }
            let when = clock.away(turn.at);
            let title = format!("{environment} goes to {level} {when}{DOT}{}", turn.local.format("%H:%M"));
            let card = Card::new(Tone::Warning, title).line(Line::text(whence));
            let card = card
                .next(format!("keep {environment} for 1h"))
                .next(format!("keep {environment} until {}", evening(turn)));
            skip.into_iter().fold(card, Card::next).next(format!("down {environment} {}", turn.wanted.level))
        }
        ClockNews::Late { turn, by_ms, collapsed, run, stood_against, held_back } => {
            let card = Card::new(
                Tone::Warning,
                format!("{environment} goes to {level}, {} late{DOT}run {run}", duration(*by_ms)),
            );
            let why = match stood_against {
                Some(why) => format!("this stood against it: {}", cut(why)),
                None => "nobody looked then.".to_owned(),
            };
            let card = card.line(Line::text(format!("It was due at {}; {why}", moment(turn))));
            let card = card.lines(held_back.as_ref().map(|held| was_held_back(held, clock)));
            card.lines(before_it(*collapsed)).next(format!("show {run}"))
        }
        ClockNews::Missed { turn, by_ms, collapsed, held_back } => {
            let title = format!("{environment} was NOT brought to {level}{DOT}seen {} late", duration(*by_ms));
            Card::new(Tone::Bad, title)
                .line(Line::text(format!("It was due at {}, and its `catch_up` is over.", moment(turn))))
                .lines(held_back.as_ref().map(|held| was_held_back(held, clock)))
                .lines(before_it(*collapsed))
                .next(format!("status {environment}"))
                .next(format!("next {environment}"))
        }
        ClockNews::Swallowed { turn: _, left_out, count } => {
            let one = |turn: &Turn| format!("{} of {}", in_words(&turn.wanted), turn.local.format("%a %H:%M"));
            let named: Vec<String> = left_out.iter().map(one).collect();
            let title = format!("{environment}: missed while away: {}{DOT}it stays at {level}", named.join(", "));
            let card = Card::new(Tone::Warning, title);
            let whole =
                left_out.iter().map(|turn| Line::text(format!("{}, to {}", moment(turn), in_words(&turn.wanted))));
            let nobody = format!(
                "Nobody looked when {} due.",
                if *count == 1 { "1 transition was".to_owned() } else { format!("{count} transitions were") }
            );
            card.line(Line::text(nobody))
                .lines(whole)
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
                .next(format!("skip {environment} {}", turn.local.date()))
        }
        ClockNews::Refused { turn, why, again } => {
            let card = Card::new(Tone::Bad, format!("{environment} is NOT brought to {level}{DOT}refused"));
            let card = card.line(Line::text(format!("Due at {}: {}", moment(turn), cut(why))));
            card.lines(again.map(|until| Line::text(format!("It is tried again until {}.", clock.ahead(until)))))
                .next(format!("status {environment}"))
        }
        ClockNews::CalledOff { turn, bent, held } => {
            called_off(environment, turn, (bent.as_deref(), held.as_deref()), clock)
        }
        ClockNews::GivenUp { turn, by: Some(by), run, tries: _ } => {
            let by = cut(&distinct(by));
            let title = format!("{environment} is not brought to {level} any more{DOT}{by} asked for something else");
            let card = Card::new(Tone::Plain, title).line(Line::text(format!("It was due at {}.", moment(turn))));
            let card = run.map_or(card.clone(), |run| card.next(format!("show {run}")));
            card.next(format!("status {environment}"))
        }
        ClockNews::GivenUp { turn, tries, run, by: None } => {
            let times = if *tries == 1 { "1 try".to_owned() } else { format!("{tries} tries") };
            let title = format!("{environment} was NOT brought to {level}{DOT}given up after {times}");
            let card = Card::new(Tone::Bad, title).line(Line::text(format!("It was due at {}.", moment(turn))));
            let card = run.map_or(card.clone(), |run| card.next(format!("show {run}")));
            card.next(format!("status {environment}"))
        }
    }
}

/// ` · working hours ends`
fn why_so(reasons: Option<&Reasons>) -> String {
    let Some(Reasons { because, bends }) = reasons else { return String::new() };
    // That it was put off until people were warned is no reason: this is what warns them.
    let is_grace = |number: i64| bends.iter().any(|b| b.number == number && matches!(b.bend, Bend::Grace { .. }));
    let because: Vec<Because> = because.iter().filter(|one| !one.bend().is_some_and(is_grace)).cloned().collect();
    if because.is_empty() { String::new() } else { format!("{DOT}{}", whys(&because, bends)) }
}

/// From where it goes, as far as it was ever there, and why.
fn whence(from: &Target, in_doubt: bool, reasons: Option<&Reasons>) -> String {
    let (from, why) = (in_words(from), why_so(reasons));
    if in_doubt { format!("from what there is of {from}: it is IN DOUBT{why}") } else { format!("from {from}{why}") }
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

/// `held by sato until Mon 2026-11-23 22:00 +09:00 (in 2 h), because we measure`
pub(super) fn held_by(hold: &Hold, clock: &Clock) -> String {
    let word = match hold.kind {
        Kind::Hold => "held",
        Kind::Freeze => "frozen",
        Kind::Keep => "kept",
        Kind::Stop => "stopped",
        Kind::Booking => "booked",
    };
    let until = hold.until.map_or_else(String::new, |until| format!(" until {}", clock.ahead(until)));
    let because = hold.because.as_ref().map_or_else(String::new, |because| format!(", because {}", cut(because)));
    format!("{word} by {}{until}{because}", cut(&distinct(&hold.called)))
}

/// `It was held back: kept by ito since 20:58 until 22:58, because we measure.`
fn was_held_back(held: &HeldBack, clock: &Clock) -> Line {
    let HeldBack { how, called, since, until, because, by: _ } = held;
    let until = until.map(|until| format!(" until {}", clock.moment(until))).unwrap_or_default();
    let because = because.as_ref().map(|because| format!(", because {}", cut(because))).unwrap_or_default();
    let since = clock.moment(*since);
    Line::text(format!("It was held back: {how} by {} since {since}{until}{because}.", cut(&distinct(called))))
}

/// That nothing comes of what people were warned of, and why.
fn called_off(
    environment: &EnvironmentName,
    turn: &Turn,
    (bent, hold): (Option<&Bent>, Option<&Hold>),
    clock: &Clock,
) -> Card {
    let (level, time) = (in_words(&turn.wanted), turn.local.format("%H:%M"));
    let card = Card::new(Tone::Plain, format!("{environment} does not go to {level}{DOT}{time}"));
    let card = card.line(Line::text(format!("It was to go there at {}.", moment(turn))));
    let since = match (bent, hold) {
        (Some(bent), _) => format!("Since then: {}.", bent_words(bent, clock)),
        (None, Some(hold)) => format!("Since then: {}.", held_by(hold, clock)),
        (None, None) => format!("Since then {CHANGED}."),
    };
    let is_bent_away = bent.is_some_and(|bent| matches!(bent.bend, Bend::Skip(_) | Bend::Pause { .. }));
    let card = card.line(Line::text(since));
    let card = if is_bent_away { card.next(format!("unpause {environment}")) } else { card };
    card.next(format!("next {environment}"))
}

/// What comes at once of another word about when.
pub(super) fn at_once_words(environment: &EnvironmentName, at_once: &AtOnce, warned: bool, clock: &Clock) -> Line {
    let AtOnce { from, to } = at_once;
    let level = from.as_ref().map(in_words);
    let Some(to) = to else {
        let stays = level.map_or_else(|| "as it is".to_owned(), |level| format!("at {level}"));
        return Line::text(format!("Nobody asks for anything any more: {environment} stays {stays}."));
    };
    let from = level.map(|from| format!("{from} -> ")).unwrap_or_default();
    let way = format!("{environment} {from}{}", in_words(&to.wanted));
    if !warned {
        return Line::text(format!("At once: {way}, without a warning."));
    }
    let when = format!("{} ({})", moment(to), clock.away(to.at));
    Line::text(format!("As soon as people were warned: {way}{DOT}{when}"))
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

/// Whether it lies in the night that whoever types `skip ENV tonight` from `now` on means: six in the evening until six in the morning.
pub(super) fn is_tonight(turn: &Turn, now: Timestamp) -> bool {
    /// Before six in the morning it is the night that has begun; the next one begins later than this, in milliseconds.
    const NEAR_MS: i64 = 12 * 3_600_000;
    !(6..18).contains(&turn.local.hour()) && turn.at.ms_since(now) <= NEAR_MS
}

/// What leaves out what people are warned of: it is what comes next.
pub(super) fn skip_it(environment: &EnvironmentName) -> String {
    format!("skip {environment}")
}

/// Ten in the evening, or where that is near or over two hours after it, to the minute; with its zone, or of a time that the clock shows
/// twice with its offset, so that it means the same whoever types it.
fn evening(turn: &Turn) -> String {
    let ten = turn.local.date().and_hms_opt(22, 0, 0).filter(|ten| (*ten - turn.local).num_minutes() >= 30);
    let end = ten.or_else(|| turn.local.checked_add_signed(chrono::TimeDelta::hours(2))).unwrap_or(turn.local);
    match turn.zone.parse::<Tz>().map(|zone| zone.from_local_datetime(&end)) {
        Ok(MappedLocalTime::Single(_)) => format!("{} {}", end.format("%Y-%m-%d %H:%M"), turn.zone),
        Ok(MappedLocalTime::Ambiguous(..) | MappedLocalTime::None) | Err(_) => {
            format!("{}{}", end.format("%Y-%m-%dT%H:%M:00"), turn.offset)
        }
    }
}

/// Until when a change holds, and what comes then, where that is known.
pub(super) fn holds_until(request: &RunRequest, until: Timestamp, then: Option<&Target>, clock: &Clock) -> String {
    let when = clock.ahead(until);
    match (then, request.until.is_some()) {
        (Some(then), _) if *then == request.target => {
            format!("It holds until {when}; what comes then asks for the same.")
        }
        (Some(then), true) => format!("It holds until {when}, and then goes back by itself, to {}.", in_words(then)),
        (Some(then), false) => format!("It holds until {when}, when it goes to {}.", in_words(then)),
        (None, true) => format!("It holds until {when}, and then goes back by itself."),
        (None, false) => format!("It holds until {when}, when the schedules say again."),
    }
}

/// That nothing comes of its schedules, where that is so.
fn of_code(one: &BentOne) -> Option<Line> {
    one.aside.then(|| without_code(&one.environment))
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
    let lines = one.paused.as_ref().map(|bent| Line::text(format!("schedules: {}", bent_words(bent, clock))));
    let card = card.lines(lines);
    let is_far = one.turns.first().is_some_and(|turn| turn.at.ms_since(clock.now) > FAR_MS);
    let then = if is_far { " then" } else { "" };
    let stays = one.stays.as_ref().map(|stays| format!("It stays at {}{then}", in_words(stays)));
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
    format!("{} ({}){DOT}{}", moment(turn), clock.away(*at), in_words(wanted))
}
