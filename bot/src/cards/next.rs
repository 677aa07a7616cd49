//! `next`: what the schedules will do.

use tidegate_runner::domain::answer::Upcoming;
use tidegate_runner::domain::ids::{EnvironmentName, Timestamp};
use tidegate_runner::domain::lookalike::distinct;
use tidegate_runner::domain::schedule::{
    Because, Bend, Bent, ClockChange, Note, Overdue, PUT_OFF, Quiet, QuietKind, Skipped, Transition, in_words,
};

use super::bend::{held_by, moment};
use super::card::{Card, Line, Span, Tone};
use super::words::{Clock, DOT, cut};

/// Most transitions that are told of one environment.
const TOLD_MAX: usize = 40;

/// Most transitions of an environment among several, and in its one line.
const NEXT_MAX: usize = 4;

/// What comes in `days` days from now or from `from` on, environment by environment.
#[must_use]
pub fn next(all: &[Upcoming], from: Option<Timestamp>, days: u32, clock: &Clock) -> Card {
    let span = if days == 1 { "24 hours".to_owned() } else { format!("{days} days") };
    let begins = from.map(|from| format!(" from {} on", clock.moment(from))).unwrap_or_default();
    let Some(first) = all.first() else {
        let card = Card::new(Tone::Plain, "No environment has a schedule");
        return card.line(Line::marked("docs/schedules.md tells how to write one."));
    };
    let title = match all {
        [only] if from.is_some() => format!("{}: {span}{begins}", only.environment),
        [only] => format!("The next {span} of {}", only.environment),
        _ if from.is_some() => format!("What comes in {span}{begins}"),
        _ => format!("The next {span}"),
    };
    let mut card = Card::new(Tone::Plain, title);
    for upcoming in all {
        if all.len() > 1 {
            card = card.line(Line::of([Span::Strong(upcoming.environment.to_string())]));
        }
        card = card.lines(of_one(upcoming, if all.len() > 1 { NEXT_MAX } else { TOLD_MAX }, days, clock));
    }
    card.next(format!("status {}", first.environment))
}

/// What comes within a day in one environment, in one line without how far away it is: it is true until then.
#[must_use]
pub fn next_of(upcoming: &Upcoming) -> Option<Line> {
    let words = |transition: &Transition| {
        let Transition { local, offset, zone, wanted, .. } = transition;
        format!("{} {offset} {zone} {}", local.format("%a %H:%M"), in_words(wanted))
    };
    let shown: Vec<String> = upcoming.transitions.iter().take(NEXT_MAX).map(words).collect();
    let more = upcoming.transitions.len().checked_sub(NEXT_MAX).filter(|more| *more > 0);
    let more = more.map(|more| format!("{DOT}and {more} more")).unwrap_or_default();
    let next = (!shown.is_empty()).then(|| format!("next: {}{more}", shown.join(DOT)));
    let overdue = upcoming.overdue.as_ref().map(overdue_fact);
    let told: Vec<String> = overdue.into_iter().chain(next).collect();
    (!told.is_empty()).then(|| Line::text(told.join(DOT)))
}

fn of_one(upcoming: &Upcoming, most: usize, days: u32, clock: &Clock) -> Vec<Line> {
    let Upcoming {
        environment,
        transitions,
        quiet,
        clocks,
        unknown_years,
        scheduled,
        bends,
        destroyed,
        unproven,
        unread,
        aside,
        held,
        overdue,
    } = upcoming;
    let late = overdue.iter().map(|overdue| overdue_line(environment, overdue, clock).indented(1));
    let mut lines: Vec<Line> =
        late.chain(transitions.iter().take(most).map(|transition| one(transition, bends, clock).indented(1))).collect();
    if transitions.is_empty() {
        let words = match (*scheduled, *destroyed) {
            (_, true) => format!("it was destroyed: its schedules count again after `up {environment}`"),
            (_, false) if *unproven => {
                format!(
                    "it is `adopted`: its schedules count once a plan of all of it finds nothing to do: `plan {environment}`"
                )
            }
            (true, false) if overdue.is_some() => "nothing else changes".to_owned(),
            (true, false) => "nothing changes".to_owned(),
            (false, false) => "it has no schedule".to_owned(),
        };
        lines.push(Line::marked(&words).indented(1));
    }
    if let Some(further) = transitions.get(most) {
        let more = transitions.len() - most;
        let from = format!("{}{}", further.local.format("%Y-%m-%dT%H:%M:%S"), further.offset);
        lines.push(Line::marked(&format!("and {more} more: `next {environment} from {from} {days}d`")).indented(1));
    }
    if *unread {
        let words = "some of what is kept about it cannot be read: until it can, its schedules do nothing; the log and `audit failed` say what";
        lines.push(Line::marked(words).indented(1));
    }
    if *aside {
        lines.push(without_code(environment).indented(1));
    }
    for hold in held {
        let words = format!("{}: what is due by then is not done, and tried again after it", held_by(hold, clock));
        lines.push(Line::text(words).indented(1));
    }
    for day in quiet {
        lines.push(Line::text(odd(day)).indented(1));
    }
    lines.extend(clocks.iter().map(|change| Line::text(clock_change(change)).indented(1)));
    for (calendar, last) in unknown_years {
        let text = format!("the holidays of {} are known up to {last}: after that none is told", cut(calendar));
        lines.push(Line::text(text).indented(1));
    }
    lines.extend(bends.iter().map(|bent| Line::text(bent_words(bent, clock)).indented(1)));
    lines
}

/// `OVERDUE since Mon 2026-11-23 21:00 +09:00 Asia/Tokyo: full -> small`, as it is told everywhere.
pub(super) fn overdue_fact(Overdue { turn, from, .. }: &Overdue) -> String {
    format!("OVERDUE since {}: {} -> {}", moment(turn), in_words(from), in_words(&turn.wanted))
}

/// The same with what comes of it.
pub(super) fn overdue_line(environment: &EnvironmentName, overdue: &Overdue, clock: &Clock) -> Line {
    let fact = overdue_fact(overdue);
    let Some(until) = overdue.until else {
        let way = if overdue.lowers { "down" } else { "up" };
        let line = format!("{way} {environment} {}", in_words(&overdue.turn.wanted));
        return Line::marked(&format!("{fact}{DOT}it is not done any more, as its `catch_up` is over: `{line}`"));
    };
    let until = clock.ahead(until);
    Line::text(format!("{fact}{DOT}done as soon as a process follows the schedules, until {until}"))
}

/// Of an environment whose code does not check.
pub(super) fn without_code(environment: &EnvironmentName) -> Line {
    Line::marked(&format!(
        "Its code does not check, and nothing comes of its schedules until it does: `status {environment}`."
    ))
}

/// `Mon 2026-11-23 is a holiday for working hours: Labor Thanksgiving Day`
fn odd(day: &Quiet) -> String {
    let (date, schedule, name) = (day.date.format("%a %Y-%m-%d"), cut(&day.schedule), cut(&day.name));
    match day.kind {
        QuietKind::Holiday => format!("{date} is a holiday for {schedule}: {name}"),
        QuietKind::Working => format!("{date} is worked on for {schedule}: {name}"),
        QuietKind::Gap => format!("{date} has no {name} for {schedule}: the clocks skip it"),
    }
}

/// `Sun 2027-03-28: the clocks of Europe/Berlin go from 02:00 to 03:00`
fn clock_change(change: &ClockChange) -> String {
    let ClockChange { zone, before, after, .. } = change;
    format!(
        "{}: the clocks of {zone} go from {} to {}",
        before.format("%a %Y-%m-%d"),
        before.format("%H:%M"),
        after.format("%H:%M")
    )
}

/// `paused by ito until Mon 2026-11-23 00:00 +09:00 (in 2 d), because ...`
pub(super) fn bent_words(bent: &Bent, clock: &Clock) -> String {
    let by = cut(&distinct(&bent.called));
    let words = match &bent.bend {
        Bend::Skip(Skipped::One { schedule, local }) => {
            format!("left out by {by}: {} at {}", cut(schedule), local.format("%a %Y-%m-%d %H:%M"))
        }
        Bend::Skip(Skipped::Days { first, last, .. }) if first == last => format!("left out by {by}: all on {first}"),
        Bend::Skip(Skipped::Days { first, last, .. }) => format!("left out by {by}: all from {first} to {last}"),
        Bend::Pause { until, .. } => format!("paused by {by}{}", end(*until, clock)),
        Bend::Keep { until, .. } => format!("kept by {by}{}", end(Some(*until), clock)),
        Bend::Grace { target, until, .. } => {
            return format!(
                "stays at {}{}: people are warned before it goes elsewhere",
                in_words(target),
                end(Some(*until), clock)
            );
        }
        Bend::Booked { target, from, until, .. } => {
            format!("booked at {} by {by} from {}{}", in_words(target), clock.moment(*from), end(Some(*until), clock))
        }
        Bend::Visit { target, until, .. } => {
            format!("at {} as {by} asked{}", in_words(target), end(Some(*until), clock))
        }
    };
    match &bent.because {
        Some(because) => format!("{words}, because {}", cut(because)),
        None => words,
    }
}

fn end(until: Option<Timestamp>, clock: &Clock) -> String {
    until.map(|until| format!(" until {}", clock.ahead(until))).unwrap_or_default()
}

/// `Mon 2026-11-23 09:00 +09:00 Asia/Tokyo · in 12 h · small -> full · working hours begins`
pub(super) fn one(transition: &Transition, bends: &[Bent], clock: &Clock) -> Line {
    let Transition { at, local, offset, zone, before, wanted, because, until: _, notes } = transition;
    let when = format!("{} {offset} {zone}", local.format("%a %Y-%m-%d %H:%M"));
    // What was missed, or brought about by hand, can be there already.
    let from = before.as_ref().filter(|before| *before != wanted).map(|before| format!("{} -> ", in_words(before)));
    let from = from.unwrap_or_default();
    let mut parts = vec![clock.away(*at), format!("{from}{}", in_words(wanted)), whys(because, bends)];
    parts.extend(notes.iter().map(note));
    Line::of([Span::Column(when, 0), Span::Text(format!("{DOT}{}", parts.join(DOT)))])
}

/// `working hours ends, nights`
pub(super) fn whys(because: &[Because], bends: &[Bent]) -> String {
    because.iter().map(|because| why(because, bends)).collect::<Vec<_>>().join(", ")
}

fn why(because: &Because, bends: &[Bent]) -> String {
    let bent = |number: i64| bends.iter().find(|bent| bent.number == number);
    match because {
        Because::Begins { schedule } => format!("{} begins", cut(schedule)),
        Because::Ends { schedule } => format!("{} ends", cut(schedule)),
        Because::Asks { schedule } => cut(schedule),
        Because::Bent { number } => {
            let bent = bent(*number);
            // Of what stays nobody asks for it.
            if bent.is_some_and(|bent| matches!(bent.bend, Bend::Grace { .. })) {
                return "it stays as it was until people were warned".to_owned();
            }
            let by = bent.map_or_else(|| "somebody".to_owned(), |bent| cut(&distinct(&bent.called)));
            if bent.is_some_and(|bent| matches!(bent.bend, Bend::Booked { .. })) {
                return format!("booked by {by}");
            }
            format!("as {by} asked")
        }
        Because::Unbent { number } => match bent(*number) {
            Some(Bent { bend: Bend::Keep { .. }, called, .. }) => {
                format!("the keep of {} ends", cut(&distinct(called)))
            }
            Some(Bent { bend: Bend::Pause { .. }, called, .. }) => {
                format!("the pause of {} ends", cut(&distinct(called)))
            }
            Some(Bent { bend: Bend::Grace { .. }, .. }) => PUT_OFF.to_owned(),
            Some(Bent { bend: Bend::Booked { .. }, called, .. }) => {
                format!("the booking of {} ends", cut(&distinct(called)))
            }
            Some(Bent { called, .. }) => format!("what {} asked for ends", cut(&distinct(called))),
            None => "what somebody asked for ends".to_owned(),
        },
        Because::Rests => "nobody asks for more".to_owned(),
    }
}

fn note(note: &Note) -> String {
    match note {
        Note::Gap { written } => format!("the clocks skip {}", written.format("%H:%M")),
        Note::Overlap { first: true } => "the first of two equal times".to_owned(),
        Note::Overlap { first: false } => "the second of two equal times".to_owned(),
        Note::Holiday { date, name } => format!("because of {} on {date}", cut(name)),
        Note::Working { date, name } => format!("{date} is worked on: {}", cut(name)),
    }
}
