//! `schedule`: what schedules there are, whose they are, and what came of changing them.

use tidegate_runner::domain::ids::EnvironmentName;
use tidegate_runner::domain::lookalike::distinct;
use tidegate_runner::domain::schedule::{
    Because, Bent, Coming, Deed, Fires, Idle, Listed, OnGap, OnOverlap, Origin, Schedule, ScheduleAnswer,
    ScheduleOrder, Schedules, Signed, Transition, Way, When, Written, in_words,
};

use super::bend::{at_once_words, when};
use super::card::{Card, Line, Span, Tone};
use super::next::{bent_words, one, without_code};
use super::words::{Clock, DOT, cut, duration};

/// What was done to a schedule, and what comes of it.
pub(super) fn schedule_answer(answer: &ScheduleAnswer, clock: &Clock) -> Card {
    let ScheduleAnswer { deed, environment, written, before, because, next, own, bends, unknown_years, at_once, moved } =
        answer;
    let name = cut(&written.name);
    let title = match deed {
        Deed::Added => format!("{environment} has the schedule {name}"),
        Deed::Changed => format!("The schedule {name} of {environment} is changed"),
        Deed::Removed => format!("The schedule {name} of {environment} is removed"),
    };
    let mut card = Card::new(Tone::Good, title);
    card = card
        .lines(at_once.as_ref().map(|at_once| at_once_words(environment, at_once, at_once.is_warned(bends), clock)));
    if let Some(before) = before {
        card = card.line(Line::of([Span::Text("before: ".to_owned()), Span::Code(cut(&before.line()))]));
    }
    let now = if *deed == Deed::Removed { "it was: " } else { "it is: " };
    card = card.line(Line::of([Span::Text(now.to_owned()), Span::Code(cut(&written.line()))]));
    card = card.lines(because.as_ref().map(|because| Line::text(format!("because {}", cut(because)))));
    card = own.iter().fold(card, |card, own| comes(card, own, next, bends, &written.name, clock));
    card = card.lines(unknown_years.iter().map(|(calendar, last)| unknown(calendar, *last)));
    card = card.lines(moved.as_deref().map(|(bent, was)| {
        Line::text(format!("By that: {}, and not until {}.", bent_words(bent, clock), clock.moment(*was)))
    }));
    card = if next.is_empty() {
        card.line(Line::text("Nothing is due from now on."))
    } else {
        card.line(Line::text(format!("Next in {environment}:")))
            .lines(next.iter().map(|transition| one(transition, bends, clock).indented(1)))
    };
    let card = card.next(format!("next {environment}"));
    match deed {
        // As it was, to have it back.
        Deed::Removed => {
            let (environment, written) = (environment.clone(), written.clone());
            card.next(ScheduleOrder::Add { environment, written }.line())
        }
        Deed::Added | Deed::Changed => card.next(shown(environment, &written.name)),
    }
}

/// What a schedule next does, where the environment's own next transitions do not tell it.
fn comes(card: Card, own: &Coming, next: &[Transition], bends: &[Bent], name: &str, clock: &Clock) -> Card {
    let Coming { makes, idle, holds_off, over: _ } = own;
    let card = card.lines(idle.as_ref().map(|idle| Line::text(format!("{}.", changes_nothing(idle, name, clock)))));
    match (makes, holds_off) {
        (Some(makes), _) if next.iter().any(|one| one.at == makes.at) => card,
        (Some(makes), _) => card.line(Line::text("It next does something:")).line(one(makes, bends, clock).indented(1)),
        (None, Some(held)) => {
            card.line(Line::text("It holds off what others would do, first:")).line(one(held, bends, clock).indented(1))
        }
        (None, None) => card.line(Line::text(format!("Of itself it does {}.", nothing(own)))),
    }
}

/// How far nothing is in sight.
fn nothing(own: &Coming) -> &'static str {
    if own.over { "nothing any more: its dates are over" } else { "nothing in the next 12 months" }
}

/// `Mon 2026-11-23 09:00 +09:00 Asia/Tokyo (in 12 h) full changes nothing: night off asks for small`
fn changes_nothing(idle: &Idle, name: &str, clock: &Clock) -> String {
    let Idle { turn, wanted, because } = idle;
    let others = || because.iter().filter_map(Because::schedule).filter(|other| *other != name);
    let named: Vec<String> = others().map(cut).collect();
    let wanted = wanted.as_ref().map(in_words);
    let why = match (wanted, named.as_slice()) {
        (Some(wanted), _) if wanted == in_words(&turn.wanted) => "that is wanted already".to_owned(),
        (Some(wanted), [_, ..]) => format!("{} asks for {wanted}", named.join(" and ")),
        (Some(wanted), _) => format!("it stays at {wanted} then"),
        (None, _) => "nobody asks for anything".to_owned(),
    };
    format!("{} changes nothing: {why}", when(turn, clock))
}

/// `the holidays of JP are known up to 2035: after that none is told`
fn unknown(calendar: &str, last: i32) -> Line {
    Line::text(format!("The holidays of {} are known up to {last}: after that it knows none.", cut(calendar)))
}

/// Schedules, a line each; or `whole`.
#[must_use]
pub fn schedules(all: &[Schedules], whole: bool, clock: &Clock) -> Card {
    let some: Vec<&Schedules> = all.iter().filter(|of| !of.all.is_empty()).collect();
    match some.as_slice() {
        [] => {
            let none = match all {
                [only] => format!("{} has no schedule", only.environment),
                _ => "No environment has a schedule".to_owned(),
            };
            Card::new(Tone::Plain, none).next("help schedule")
        }
        [only] if whole => only.all.iter().fold(Card::new(Tone::Plain, String::new()), |card, listed| {
            let title = format!("{}{DOT}{}", only.environment, cut(&listed.name));
            let card = card.lines(only.aside.then(|| without_code(&only.environment)));
            details(Card { title, ..card }, &only.environment, listed, clock)
        }),
        several => {
            let title = match several {
                [only] => format!("The schedules of {}", only.environment),
                _ => "Schedules".to_owned(),
            };
            let mut card = Card::new(Tone::Plain, title);
            for of in several {
                let indent = if several.len() > 1 {
                    card = card.line(Line::of([Span::Strong(of.environment.to_string())]));
                    1
                } else {
                    0
                };
                card = card.lines(of.all.iter().map(|listed| line(listed, clock).indented(indent)));
                card = card.lines(of.aside.then(|| without_code(&of.environment).indented(indent)));
                card = card.lines(of.paused.as_ref().map(|bent| Line::text(bent_words(bent, clock)).indented(indent)));
            }
            match several {
                [only] => card.next(format!("next {}", only.environment)),
                _ => card.next("next"),
            }
        }
    }
}

/// `late shift · Mon-Fri 13:00-23:00 · full inside, small outside · next Mon ... · added by ito, 2026-11-20 12:00`
fn line(listed: &Listed, clock: &Clock) -> Line {
    let mut facts = Vec::new();
    match &listed.schedule {
        Ok(schedule) => {
            facts.push(schedule.when.text());
            facts.push(asks(&schedule.when));
            facts.push(when_next(listed, clock));
        }
        Err(why) => facts.push(format!("LEFT OUT: {}", cut(why))),
    }
    facts.push(whose(listed, clock));
    Line::of([Span::Strong(cut(&listed.name)), Span::Text(format!("{DOT}{}", facts.join(DOT)))])
}

fn details(card: Card, environment: &EnvironmentName, listed: &Listed, clock: &Clock) -> Card {
    let mut card = match &listed.schedule {
        Err(why) => {
            let card = Card { tone: Tone::Warning, ..card };
            card.line(Line::text(format!("It is LEFT OUT, and nothing comes of it: {}.", cut(why))))
        }
        Ok(schedule) => {
            let Schedule { zone, when, holidays, on_gap, on_overlap, catch_up_s, warn_s, ready_by, tell, .. } =
                schedule;
            let holidays = holidays.as_ref().map_or_else(String::new, |name| format!(", holidays of {}", cut(name)));
            let mut lines = vec![
                format!("{}{DOT}{}", when.text(), asks(when)),
                format!("on the clock of {zone}{holidays}"),
                when_next(listed, clock),
            ];
            if *on_gap == OnGap::Skip {
                lines.push("not at all at a time that the clocks skip".to_owned());
            }
            if *on_overlap == OnOverlap::Second {
                lines.push("the second time, where the clocks show a time twice".to_owned());
            }
            lines.push(format!("at most {} late", duration(1_000 * i64::from(*catch_up_s))));
            lines.push(match warn_s {
                0 => "nobody is warned before it lowers".to_owned(),
                s => format!("people are warned {} before it lowers", duration(1_000 * i64::from(*s))),
            });
            if *ready_by {
                lines.push("what raises begins early, to be there by then".to_owned());
            }
            if !tell.is_empty() {
                let tell: Vec<String> = tell.iter().map(|who| cut(who.as_str())).collect();
                lines.push(format!("told beside the others: {}", tell.join(", ")));
            }
            card.lines(lines.into_iter().map(Line::text))
        }
    };
    card = card.line(Line::text(whose(listed, clock)));
    let Some(stored) = &listed.stored else {
        let text = format!(
            "It is changed there. `skip {environment}` and `pause {environment} until ...` bend it for a while."
        );
        return card.line(Line::marked(&text)).next(format!("next {environment}"));
    };
    for signed in std::iter::once(&stored.added).chain(&stored.changed) {
        card = card.lines(signed.because.as_ref().map(|because| Line::text(format!("because {}", cut(because)))));
    }
    let (environment, name) = (environment.clone(), stored.written.name.clone());
    card.line(Line::of([Span::Text("typed: ".to_owned()), Span::Code(cut(&stored.written.line()))]))
        .next(format!("next {environment}"))
        .next(ScheduleOrder::Remove { environment, name }.line())
}

/// `full inside, small outside`, `up full for 3 h`.
fn asks(when: &When) -> String {
    match when {
        When::Window { inside, outside, .. } => {
            let side =
                |target: &Option<_>, word: &str| target.as_ref().map(|target| format!("{} {word}", in_words(target)));
            [side(inside, "inside"), side(outside, "outside")].into_iter().flatten().collect::<Vec<_>>().join(", ")
        }
        When::Crontab { fires, .. } | When::At { fires, .. } => {
            let Fires { way, target, for_s } = fires;
            let way = match way {
                Way::Up => "up",
                Way::Down => "down",
            };
            let lasts = for_s.map_or_else(String::new, |s| format!(" for {}", duration(1_000 * i64::from(s))));
            format!("{way} {}{lasts}", in_words(target))
        }
    }
}

fn when_next(listed: &Listed, clock: &Clock) -> String {
    let Coming { makes, idle, holds_off, over: _ } = &listed.next;
    let idle =
        idle.as_ref().map(|idle| format!("{}; ", changes_nothing(idle, &listed.name, clock))).unwrap_or_default();
    let told = |next: &Transition| {
        let away = clock.away(next.at);
        let when = next.local.format("%a %Y-%m-%d %H:%M");
        format!("{when} {} {} ({away}), {}", next.offset, next.zone, in_words(&next.wanted))
    };
    let makes = match (makes, holds_off) {
        (Some(next), _) => format!("next {}", told(next)),
        (None, Some(held)) => format!("it holds off {}", told(held)),
        (None, None) => format!("it does {}", nothing(&listed.next)),
    };
    format!("{idle}{makes}")
}

fn whose(listed: &Listed, clock: &Clock) -> String {
    let by = |signed: &Signed| format!("by {}, {}", cut(&distinct(signed.by.short())), clock.whole(signed.at));
    match (&listed.stored, &listed.schedule) {
        (Some(stored), _) => {
            let changed = stored.changed.as_ref().map(|signed| format!(", changed {}", by(signed))).unwrap_or_default();
            format!("added {}{changed}", by(&stored.added))
        }
        (None, Ok(Schedule { origin: Origin::File { line }, .. })) => format!("in the configuration, line {line}"),
        (None, _) => "in the configuration".to_owned(),
    }
}

fn shown(environment: &EnvironmentName, name: &str) -> String {
    let written = Written { name: name.to_owned(), ..Written::default() };
    format!("schedule show {environment} {}", written.line())
}
