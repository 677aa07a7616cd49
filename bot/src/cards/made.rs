//! Environments that are made for one test: what came of an order, what exists, what happens to them by itself.

use tidegate_runner::domain::ids::{EnvironmentName, Timestamp};
use tidegate_runner::domain::made::{LEFT_NAMED_MAX, LifeNews, Listed, Made, MadeAnswer, Stage};

use super::card::{Card, Line, Tone};
use super::words::{Clock, DOT, cut, duration};

/// Most values that are told of a template that says something else.
const LINES_MAX: usize = 30;

/// The desk's answer.
pub(super) fn answer(answer: &MadeAnswer, clock: &Clock) -> Card {
    match answer {
        MadeAnswer::Extended(made) => {
            let title = format!("{} lives until {}", made.name, clock.moment(made.ends));
            Card::new(Tone::Good, title).line(Line::text(at_most(made, clock))).next(format!("end {}", made.name))
        }
        MadeAnswer::Renewed(made) => {
            let title = format!("{} has what {} says now, and goes on being deleted", made.name, made.template);
            let kept: Vec<String> = made.keep.iter().map(ToString::to_string).collect();
            let kept = (!kept.is_empty()).then(|| Line::text(format!("It keeps {}.", kept.join(", "))));
            Card::new(Tone::Good, title).lines(kept).next("list new")
        }
        MadeAnswer::Differs { made, lines } if lines.is_empty() => {
            let title = format!("{} has what {} says", made.name, made.template);
            Card::new(Tone::Good, title).next(format!("status {}", made.name))
        }
        MadeAnswer::Differs { made, lines } => {
            let card = Card::new(Tone::Plain, format!("{} has an older {}", made.name, made.template))
                .lines(lines.iter().take(LINES_MAX).map(|line| Line::text(cut(line)).indented(1)));
            let more = lines.len().saturating_sub(LINES_MAX);
            let card = if more > 0 { card.line(Line::text(format!("and {more} more"))) } else { card };
            card.line(Line::text("Nothing is changed by taking it: it is planned, and `up` brings it."))
                .next(format!("renew {} take", made.name))
        }
    }
}

/// What becomes of one that is being made.
pub(super) fn lives_until(ends: Timestamp, clock: &Clock) -> String {
    format!("It is deleted at {}, unless it is extended.", clock.ahead(ends))
}

fn at_most(made: &Made, clock: &Clock) -> String {
    format!("It can be extended until {}.", clock.moment(made.latest))
}

/// What exists.
#[must_use]
pub fn made(all: &[Listed], clock: &Clock) -> Card {
    if all.is_empty() {
        return Card::new(Tone::Plain, "Nothing is there that was made with `new`").next("help new");
    }
    let noun = if all.len() == 1 { "environment" } else { "environments" };
    let card = Card::new(Tone::Plain, format!("{} {noun} made for a test", all.len()));
    let card = all
        .iter()
        .fold(card, |card, listed| card.line(Line::text(format!("{}{DOT}{}", listed.made.name, facts(listed, clock)))));
    all.iter().take(3).fold(card, |card, listed| card.next(format!("status {}", listed.made.name)))
}

/// `living, from loadtest by mori, until 22:00 (in 2 h), 10.64.0.0/20`
#[must_use]
pub(super) fn facts(listed: &Listed, clock: &Clock) -> String {
    let made = &listed.made;
    let mut facts = vec![match made.stage {
        Stage::Ending => "DELETING".to_owned(),
        Stage::Making | Stage::Living | Stage::Gone => made.stage.as_str().to_owned(),
    }];
    let older = if listed.older { " (older template)" } else { "" };
    facts.push(format!("from {}{older} by {}", made.template, made.maker.called()));
    if made.stage != Stage::Ending {
        facts.push(format!("until {}", clock.moment(made.ends)));
    }
    facts.extend(made.range.as_ref().map(|(_, range)| range.clone()));
    let told = made.told.as_ref();
    if made.stage == Stage::Ending {
        facts.extend(made.try_at.filter(|_| told.is_some()).map(|at| format!("tried again {}", clock.moment(at))));
    } else {
        facts.extend(told.map(|told| format!("its end waits: {}", cut(told))));
    }
    facts.extend(listed.broken.as_ref().map(|why| format!("NOT MANAGED: {}", cut(why))));
    facts.join(DOT)
}

/// One that is not there any more.
pub(super) fn was_made(made: &Made, clock: &Clock) -> Card {
    let Made { name, template, maker, gone, ended_by, keep, because, .. } = made;
    let gone = gone.unwrap_or(made.ends);
    let by =
        ended_by.as_ref().map_or_else(|| "its time was over".to_owned(), |by| format!("ended by `{}`", by.shown()));
    let lived = duration(gone.ms_since(made.made));
    let because = because.as_ref().map(|because| format!(", because {}", cut(because))).unwrap_or_default();
    let kept: Vec<String> = keep.iter().map(ToString::to_string).collect();
    let kept = (!kept.is_empty()).then(|| Line::text(format!("Kept, as its template says: {}.", kept.join(", "))));
    let made_line = format!("made from {template} by {} at {}{because}", maker.called(), clock.moment(made.made));
    let last = made.end_run.map(|run| format!(", its last run {run}")).unwrap_or_default();
    let card = Card::new(Tone::Plain, format!("{name} was deleted at {}, 0 left, after {lived}", clock.moment(gone)))
        .line(Line::marked(&by))
        .line(Line::text(made_line))
        .lines(kept)
        .line(Line::text(format!("its first run was {}{last}", made.run)));
    let card = made.end_run.iter().fold(card, |card, run| card.next(format!("show {run}")));
    card.next(format!("history {name}"))
}

/// What happened to one by itself.
pub(super) fn of_life(name: &EnvironmentName, said: &LifeNews, clock: &Clock) -> Card {
    match said {
        LifeNews::Ahead { ends, latest } => {
            let left = duration(ends.ms_since(clock.now));
            let card = Card::new(Tone::Warning, format!("{name} is deleted in {left}, at {}", clock.moment(*ends)));
            if latest > ends {
                let hours = latest.ms_since(*ends) / 3_600_000;
                let more =
                    if hours >= 2 { "2h".to_owned() } else { format!("{}m", (latest.ms_since(*ends) / 60_000).max(1)) };
                card.line(Line::text(format!("It can be extended until {}.", clock.moment(*latest))))
                    .next(format!("extend {name} {more}"))
            } else {
                card.line(Line::text("It has lived as long as its template allows."))
            }
        }
        LifeNews::Busy { at_work, ends, latest } => {
            let card = Card::new(Tone::Warning, format!("{name} does not end yet: its time is over, and a test runs"))
                .line(Line::text(cut(&at_work.said)))
                .line(Line::text(format!("Its time was over at {}.", clock.moment(*ends))))
                .line(Line::text(format!(
                    "It ends by itself once none runs, and at {} in any case.",
                    clock.moment(at_work.until)
                )));
            let more = latest.ms_since(*ends) / 60_000;
            let card = if more > 0 { card.next(format!("extend {name} {}m", more.min(120))) } else { card };
            card.next(format!("end {name} anyway because REASON"))
        }
        LifeNews::Late { ends, waited } => {
            let late = duration(clock.now.ms_since(*ends));
            let why = match waited {
                Some(waited) => format!("It waited for a test: {}", cut(waited)),
                None => "Nothing of Tidegate ran when its time was over.".to_owned(),
            };
            Card::new(Tone::Warning, format!("{name} is deleted now, {late} late"))
                .line(Line::text(format!("Its time was over at {}.", clock.moment(*ends))))
                .line(Line::text(why))
                .next(format!("status {name}"))
        }
        LifeNews::Deleting { left, why, run, again, next } => {
            let (count, named) = match left {
                Some(left) => {
                    let more = left.len().saturating_sub(LEFT_NAMED_MAX);
                    let first = left.iter().take(LEFT_NAMED_MAX).map(|one| cut(one)).collect::<Vec<_>>().join(", ");
                    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                    (format!("{} left", left.len()), Some(format!("Left: {first}{more}.")))
                }
                None => ("how much is left is not known".to_owned(), None),
            };
            let card = Card::new(Tone::Bad, format!("{name} DELETING, {count}"))
                .line(Line::text(cut(why)))
                .lines(named.map(Line::text))
                .line(Line::text(format!("It is tried again at {}.", clock.moment(*again))));
            let card = next.iter().fold(card, |card, line| card.next(line.clone()));
            let card = run.iter().fold(card, |card, run| card.next(format!("show {run}")).next(format!("retry {run}")));
            card.next("list new")
        }
        LifeNews::Deleted { lived_ms, kept, run } => {
            let card = Card::new(Tone::Good, format!("{name} is deleted, 0 left, {}", duration(*lived_ms)));
            let stays: Vec<String> = kept.iter().map(ToString::to_string).collect();
            let stays =
                (!stays.is_empty()).then(|| Line::text(format!("Kept, as its template says: {}.", stays.join(", "))));
            let card = card.lines(stays);
            run.iter().fold(card, |card, run| card.next(format!("show {run}")))
        }
    }
}
