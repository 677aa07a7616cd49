//! `hours`: how long environments were at which level; `on`: what is raised now.

use std::collections::BTreeMap;

use tidegate_runner::domain::command::{Command, Query};
use tidegate_runner::domain::hours_on::{Bill, Cost, Hours, Raised, RaisedNow, Share, Stood, hours as in_hours};
use tidegate_runner::domain::ids::{ActorId, GroupName, Timestamp};

use super::card::{Card, Line, Span, Tone};
use super::words::{Clock, DOT, cut, duration, person, plural};
use crate::commands::render;

/// Most environments that are told one by one.
const TOLD_MAX: usize = 40;

/// Most people that are told one by one.
const PEOPLE_MAX: usize = 40;

/// Columns of the names in front.
const NAME_WIDTH: usize = 12;

/// The hours of a month. `group`: they are all that somebody sees of this group.
#[must_use]
pub fn hours(all: &[Hours], group: Option<&GroupName>, by_person: bool) -> Card {
    match all {
        [] => Card::new(Tone::Plain, "There is no environment whose hours could be counted").next("envs"),
        [only] => of_one(only, by_person),
        [first, ..] => of_all(all, first, group, by_person),
    }
}

fn of_one(hours: &Hours, by_person: bool) -> Card {
    let Hours { environment, month, zone, spans, by, bill, .. } = hours;
    let title = format!(
        "{environment} was on {} of {} in {}{DOT}{} less than always on",
        amount(hours.on_ms),
        amount(hours.always_ms()),
        month.in_words(),
        amount(hours.saved_ms())
    );
    let mut card = Card::new(Tone::Plain, title);
    if !hours.over {
        let until = format!("The month is not over: counted until {} in {zone}.", local(hours.to, zone));
        card = card.line(Line::text(until));
    }
    for (stood, ms) in spans {
        let mut parts = vec![amount(*ms)];
        match bill {
            Some(bill) if bill.unpriced.contains_key(stood) => parts.push("no rate".to_owned()),
            Some(bill) => parts.extend(bill.parts.get(stood).map(|part| money(*part, &bill.currency))),
            None => {}
        }
        parts.extend(about(stood).map(str::to_owned));
        card = card.line(named(&level(stood), &parts));
    }
    if let Some(bill) = bill {
        card = card.lines(in_money(bill));
    }
    if by_person {
        card = card.lines(people(by.iter().map(|(id, share)| (id, share)), |_| true));
    }
    let earlier =
        Query::Hours { environment: Some(environment.clone()), group: None, month: Some(month.before()), by_person };
    let card = card.next(render(&Command::Query(earlier)));
    if by_person { card } else { card.next(format!("hours {environment} {month} by person")) }
}

fn of_all(all: &[Hours], first: &Hours, group: Option<&GroupName>, by_person: bool) -> Card {
    let sum = |ms: fn(&Hours) -> i64| all.iter().map(ms).sum::<i64>();
    let title = format!(
        "{} were on {} of {} in {}{DOT}{} less than always on",
        plural(u64::try_from(all.len()).unwrap_or(u64::MAX), "environment"),
        amount(sum(|hours| hours.on_ms)),
        amount(sum(Hours::always_ms)),
        first.month.in_words(),
        amount(sum(Hours::saved_ms))
    );
    let mut card = Card::new(Tone::Plain, title);
    if all.iter().any(|hours| !hours.over) {
        card = card.line(Line::text("The month is not over: counted until now."));
    }
    let mut sorted: Vec<&Hours> = all.iter().collect();
    sorted.sort_by_key(|hours| std::cmp::Reverse(hours.on_ms));
    for hours in sorted.iter().take(TOLD_MAX) {
        let mut parts = vec![
            format!("on {} of {}", amount(hours.on_ms), amount(hours.always_ms())),
            format!("saved {}", amount(hours.saved_ms())),
        ];
        if let Some(bill) = &hours.bill {
            parts.push(format!("cost {}", money(bill.cost, &bill.currency)));
            parts.extend(bill.saved().map(|saved| format!("saved {}", money(saved, &bill.currency))));
            let left_out: i64 = bill.unpriced.values().sum();
            parts.extend((left_out > 0).then(|| format!("no rate for {}", amount(left_out))));
        }
        let doubt: i64 = hours.spans.iter().filter(|(stood, _)| !matches!(stood, Stood::At(_))).map(|(_, ms)| ms).sum();
        parts.extend((doubt > 0).then(|| format!("{} of it in doubt or not known", amount(doubt))));
        card = card.line(named(hours.environment.as_str(), &parts));
    }
    if let Some(more) = sorted.len().checked_sub(TOLD_MAX).filter(|more| *more > 0) {
        card = card.line(Line::text(format!("and {more} more, in the sums")));
    }
    card = card.lines(sums(all));
    if by_person {
        card = card.lines(everybody(all));
    }
    let earlier =
        Query::Hours { environment: None, group: group.cloned(), month: Some(first.month.before()), by_person };
    card.next(render(&Command::Query(earlier))).next(format!("hours {} {}", first.environment, first.month))
}

/// What all of them cost, in each currency.
fn sums(all: &[Hours]) -> Vec<Line> {
    let mut bills: BTreeMap<&str, (f64, f64, bool)> = BTreeMap::new();
    let mut without: i64 = 0;
    for hours in all {
        let Some(bill) = &hours.bill else {
            without += hours.always_ms();
            continue;
        };
        without += bill.unpriced.values().sum::<i64>();
        let (cost, saved, whole) = bills.entry(&bill.currency).or_insert((0.0, 0.0, true));
        *cost += bill.cost;
        *saved += bill.saved().unwrap_or_default();
        *whole &= bill.saved().is_some();
    }
    if bills.is_empty() {
        return Vec::new();
    }
    let mut lines: Vec<Line> = bills
        .into_iter()
        .map(|(currency, (cost, saved, whole))| {
            let saved = money(saved, currency);
            let saved = if whole { format!("saved {saved}") } else { format!("saved {saved} where `up` has a rate") };
            named("together", &[format!("cost {}", money(cost, currency)), saved])
        })
        .collect();
    if without > 0 {
        lines.push(Line::marked(&format!("{} are in no sum: their levels have no `rate`.", amount(without))));
    }
    lines
}

fn in_money(bill: &Bill) -> Vec<Line> {
    let Bill { currency, unpriced, cost, always, .. } = bill;
    let mut parts = vec![format!("cost {}", money(*cost, currency))];
    if let (Some(always), Some(saved)) = (always, bill.saved()) {
        parts.push(format!("always on {}", money(*always, currency)));
        parts.push(format!("saved {}", money(saved, currency)));
    }
    let mut lines = vec![named("together", &parts)];
    let left_out: i64 = unpriced.values().sum();
    if left_out > 0 {
        let levels: Vec<String> = unpriced.keys().map(level).collect();
        let text = format!("{} are in no sum: no `rate` is written for {}.", amount(left_out), levels.join(", "));
        lines.push(Line::marked(&text));
    }
    if always.is_none() {
        lines.push(Line::marked("What was saved is not known in money: what `up` means has no `rate`."));
    }
    lines
}

/// Whose changes account for the hours of all environments.
fn everybody(all: &[Hours]) -> Vec<Line> {
    let mut together: BTreeMap<&ActorId, Share> = BTreeMap::new();
    for (id, share) in all.iter().flat_map(|hours| &hours.by) {
        let sum = together.entry(id).or_insert_with(|| Share { called: share.called.clone(), ..Share::default() });
        sum.on_ms += share.on_ms;
        for (stood, ms) in &share.spans {
            *sum.spans.entry(stood.clone()).or_default() += ms;
        }
    }
    let mut sorted: Vec<_> = together.iter().map(|(id, share)| (*id, share)).collect();
    sorted.sort_by_key(|(_, share)| std::cmp::Reverse(share.on_ms));
    people(sorted.into_iter(), |share| share.on_ms > 0)
}

fn people<'a>(all: impl Iterator<Item = (&'a ActorId, &'a Share)>, fits: impl Fn(&Share) -> bool) -> Vec<Line> {
    let all: Vec<_> = all.filter(|(_, share)| fits(share)).collect();
    let mut lines = vec![Line::of([Span::Strong("by whose change".to_owned())])];
    for (id, share) in all.iter().take(PEOPLE_MAX) {
        let name = if **id == ActorId::clock() { "the clock".to_owned() } else { person(&share.called) };
        let mut parts = vec![format!("on {}", amount(share.on_ms))];
        parts.extend(share.spans.iter().rev().map(|(stood, ms)| format!("{} {}", level(stood), amount(*ms))));
        lines.push(named(&name, &parts));
    }
    if let Some(more) = all.len().checked_sub(PEOPLE_MAX).filter(|more| *more > 0) {
        lines.push(Line::text(format!("and {more} more")));
    }
    if all.is_empty() {
        lines.push(Line::text("nobody changed anything"));
    }
    lines
}

fn named(name: &str, parts: &[String]) -> Line {
    Line::of([Span::Column(name.to_owned(), NAME_WIDTH), Span::Text(format!(" {}", parts.join(DOT)))])
}

fn level(stood: &Stood) -> String {
    match stood {
        Stood::At(level) => level.to_string(),
        Stood::InDoubt => "in doubt".to_owned(),
        Stood::NotKnown => "not known".to_owned(),
    }
}

fn about(stood: &Stood) -> Option<&'static str> {
    match stood {
        Stood::At(_) => None,
        Stood::InDoubt => Some("counts as on: a run did not end well, and nobody knows better"),
        Stood::NotKnown => Some("in no sum: nothing was finished on it before"),
    }
}

/// `212.5 h`, `743 h`.
fn amount(ms: i64) -> String {
    let text = format!("{:.1}", in_hours(ms));
    format!("{} h", text.strip_suffix(".0").unwrap_or(&text))
}

/// `2,650.00 USD`.
/// `It costs about 3.20 USD an hour, 25.60 USD for 8 h.`, to the minute.
pub(super) fn costs(cost: &Cost) -> String {
    let (an_hour, in_all) = (money(cost.an_hour, &cost.currency), money(cost.in_all(), &cost.currency));
    format!("It costs about {an_hour} an hour, {in_all} for {}.", duration(cost.for_ms + 30_000))
}

fn money(amount: f64, currency: &str) -> String {
    let text = format!("{:.2}", amount.abs());
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let grouped: Vec<&str> =
        whole.as_bytes().rchunks(3).rev().filter_map(|chunk| std::str::from_utf8(chunk).ok()).collect();
    let sign = if amount < 0.0 && text != "0.00" { "-" } else { "" };
    format!("{sign}{}.{cents} {currency}", grouped.join(","))
}

/// `2026-11-20 12:00`, in a zone.
fn local(at: Timestamp, zone: &impl chrono::TimeZone) -> String {
    let at = zone.timestamp_millis_opt(at.0).single();
    at.map_or_else(|| "some time".to_owned(), |at| at.naive_local().format("%Y-%m-%d %H:%M").to_string())
}

/// What is raised now.
#[must_use]
pub fn on(now: &RaisedNow, clock: &Clock) -> Card {
    let RaisedNow { raised, more, of } = now;
    let looked = plural(u64::try_from(*of).unwrap_or(u64::MAX), "environment");
    if raised.is_empty() {
        return Card::new(Tone::Plain, format!("Nothing is raised of {looked}")).next("envs");
    }
    let card = Card::new(Tone::Plain, format!("Raised: {} of {looked}, the longest on first", raised.len() + more));
    let card = card.lines(raised.iter().map(|raised| one(raised, clock)));
    let card = if *more > 0 { card.line(Line::text(format!("and {more} more"))) } else { card };
    raised.iter().take(1).fold(card, |card, first| card.next(format!("status {}", first.environment)))
}

/// `shop  full · since 09:04, 2 h 56 min · by ito: Black Friday rehearsal (run 812) · until Fri 2026-11-20 21:00 +09:00 (in 9 h)`
fn one(raised: &Raised, clock: &Clock) -> Line {
    let Raised { environment, stood, since, or_longer, whose, run, because, until } = raised;
    let ms = clock.now.ms_since(*since);
    let long = duration(if ms < 60_000 { ms } else { ms / 60_000 * 60_000 });
    let since = clock.moment(*since);
    let since = match or_longer {
        true if ms < 60_000 => format!("since {since} or before"),
        true => format!("since {since} or before, {long} at least"),
        false => format!("since {since}, {long}"),
    };
    let by = if whose.id == ActorId::clock() { "the clock".to_owned() } else { person(&whose.called) };
    let why = because.as_ref().map(|because| format!(": {}", cut(because))).unwrap_or_default();
    let until = until.map_or_else(|| "until somebody lowers it".to_owned(), |at| format!("until {}", clock.ahead(at)));
    let in_doubt = if *stood == Stood::InDoubt { ", as nobody knows better" } else { "" };
    named(
        environment.as_str(),
        &[format!("{}{in_doubt}", level(stood)), since, format!("by {by}{why} (run {run})"), until],
    )
}
