//! `next`: what the schedules will do.

use tidegate_runner::domain::answer::Upcoming;
use tidegate_runner::domain::schedule::{Because, Note, Transition, in_words};

use super::card::{Card, Line, Span, Tone};
use super::words::{Clock, DOT, cut, duration};

/// Most transitions that are told of one environment.
const TOLD_MAX: usize = 40;

/// What comes, environment by environment.
#[must_use]
pub fn next(all: &[Upcoming], days: u32, clock: &Clock) -> Card {
    let span = if days == 1 { "24 hours".to_owned() } else { format!("{days} days") };
    let Some(first) = all.first() else {
        let card = Card::new(Tone::Plain, "No environment has a schedule");
        return card.line(Line::marked("docs/schedules.md tells how to write one."));
    };
    let title = match all {
        [only] => format!("The next {span} of {}", only.environment),
        _ => format!("The next {span}"),
    };
    let mut card = Card::new(Tone::Plain, title);
    for upcoming in all {
        if all.len() > 1 {
            card = card.line(Line::of([Span::Strong(upcoming.environment.to_string())]));
        }
        card = card.lines(of_one(upcoming, clock));
    }
    card.next(format!("status {}", first.environment))
}

fn of_one(upcoming: &Upcoming, clock: &Clock) -> Vec<Line> {
    let Upcoming { environment: _, transitions, quiet, scheduled } = upcoming;
    let mut lines: Vec<Line> =
        transitions.iter().take(TOLD_MAX).map(|transition| one(transition, clock).indented(1)).collect();
    if transitions.is_empty() {
        let words = if *scheduled { "nothing changes" } else { "it has no schedule" };
        lines.push(Line::text(words).indented(1));
    }
    if let Some(more) = transitions.len().checked_sub(TOLD_MAX).filter(|more| *more > 0) {
        lines.push(Line::text(format!("and {more} more")).indented(1));
    }
    for day in quiet {
        let what = if day.working { "worked on" } else { "a holiday" };
        let text =
            format!("{} is {what} for {}: {}", day.date.format("%a %Y-%m-%d"), cut(&day.schedule), cut(&day.name));
        lines.push(Line::text(text).indented(1));
    }
    lines
}

/// `Mon 2026-11-23 09:00 +09:00 Asia/Tokyo · in 12 h · small -> full · working hours begins`
pub(super) fn one(transition: &Transition, clock: &Clock) -> Line {
    let Transition { at, local, offset, zone, before, wanted, because, until: _, notes } = transition;
    let when = format!("{} {offset} {zone}", local.format("%a %Y-%m-%d %H:%M"));
    let away = (at.ms_since(clock.now) + 30_000) / 60_000 * 60_000;
    let from = before.as_ref().map(|before| format!("{} -> ", in_words(before))).unwrap_or_default();
    let mut parts = vec![
        format!("in {}", duration(away)),
        format!("{from}{}", in_words(wanted)),
        because.iter().map(why).collect::<Vec<_>>().join(", "),
    ];
    parts.extend(notes.iter().map(note));
    Line::of([Span::Column(when, 0), Span::Text(format!("{DOT}{}", parts.join(DOT)))])
}

fn why(because: &Because) -> String {
    match because {
        Because::Begins { schedule } => format!("{} begins", cut(schedule)),
        Because::Ends { schedule } => format!("{} ends", cut(schedule)),
        Because::Asks { schedule } => cut(schedule),
        Because::Bent { .. } => "as somebody asked".to_owned(),
        Because::Unbent { .. } => "what somebody asked for ends".to_owned(),
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
