//! `audit` and `who`: who did what, what was decided, and why.

use tidegate_runner::domain::audit::{
    ASK, AuditFilter, AuditPage, CONFIGURE, Decision, Deed, END, EXPIRE, GIVE_UP, LOSE, MISS, PRUNE, RECONNECT, REMOVE,
    Record, START, STOP, SWITCH, UNTAINT, WhoDid,
};
use tidegate_runner::domain::command::{Command, CommandName, Query};
use tidegate_runner::domain::environment::Level;
use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::domain::request::{RunKind, RunRequest};

use super::card::{Card, Line, Span, Tone};
use super::history::how;
use super::words::{Clock, DOT, cut, plural, what};
use crate::commands::render;

/// One page of the audit; `filter` is what was asked for, so that the next page can be.
#[must_use]
pub fn audit(page: &AuditPage, filter: &AuditFilter, clock: &Clock) -> Card {
    let AuditPage { records, older, looked, exported } = page;
    let title = if records.is_empty() { "No entry fits" } else { "Audit, newest first" };
    let seq_width = records.iter().map(|record| record.seq.to_string().len()).max().unwrap_or_default() + 2;
    let when_width = records.iter().map(|record| clock.moment(record.at).len()).max().unwrap_or_default() + 2;
    // The lines themselves stand where somebody asks for nothing else: beside all that happened they would hide it.
    let whole = filter.action.as_deref() == Some(CONFIGURE);
    let lines = records.iter().flat_map(|record| {
        let line = Line::of([
            Span::Column(record.seq.to_string(), seq_width),
            Span::Column(clock.moment(record.at), when_width),
            Span::Text(one(record)),
        ]);
        let changed = difference(record).filter(|_| whole).map(shown_lines).unwrap_or_default();
        std::iter::once(line).chain(changed)
    });
    let mut card = Card::new(Tone::Plain, title).lines(lines);
    if let Some((count, at)) = looked {
        let back = clock.moment(*at);
        card = card.line(Line::text(format!("Looked through {count} entries, back to {back}; there are older ones.")));
    }
    card = card.lines(exported.map(|at| taken_out(at, clock)));
    if let Some(before) = older {
        let next = AuditFilter { before: Some(*before), page: 1, ..filter.clone() };
        card = card.next(render(&Command::Query(Query::Audit(next))));
    }
    if !whole && records.iter().any(|record| difference(record).is_some()) {
        card = card.next(format!("audit action {CONFIGURE}"));
    }
    match records.iter().find_map(|record| record.run) {
        Some(run) => card.next(format!("show {run}")),
        None if records.is_empty() && older.is_none() => card.next("audit"),
        None => card,
    }
}

/// Most changed lines of the configuration that are shown of one entry.
const CHANGED_MAX: usize = 20;

/// How the configuration changed, where that is what an entry is about.
fn difference(record: &Record) -> Option<&str> {
    let difference = record.detail.as_ref()?.get("difference")?;
    difference.as_str().filter(|_| record.action == CONFIGURE)
}

/// The changed lines, without those around them. Secrets were taken out before they were kept.
fn shown_lines(difference: &str) -> Vec<Line> {
    let changed: Vec<&str> = difference.lines().filter(|line| line.starts_with(['+', '-'])).collect();
    let mut lines: Vec<Line> =
        changed.iter().take(CHANGED_MAX).map(|line| Line::of([Span::Code(cut(line))]).indented(1)).collect();
    if let Some(more) = changed.len().checked_sub(CHANGED_MAX).filter(|more| *more > 0) {
        let more = plural(u64::try_from(more).unwrap_or(u64::MAX), "more line");
        lines.push(Line::text(format!("and {more}; `audit as json` has them")).indented(1));
    }
    lines
}

/// That there was more.
fn taken_out(before: Timestamp, clock: &Clock) -> Line {
    let before = clock.moment(before);
    Line::text(format!("What was before {before} was exported and taken out: the file of that `prune` has it."))
}

/// How many entries are in the file that goes with this.
#[must_use]
pub fn exported(count: usize) -> Card {
    if count == 0 {
        return Card::new(Tone::Plain, "No entry fits: there is nothing to write").next("audit");
    }
    Card::new(Tone::Plain, format!("{} of the audit, oldest first", entries(count as u64)))
}

/// The same where its file was written to the disk.
#[must_use]
pub fn saved(card: Card, name: &str) -> Card {
    card.line(Line::of([Span::Text("In ".to_owned()), Span::Code(name.to_owned()), Span::Text(", here.".to_owned())]))
}

/// Instead of a file, where there is no thread to put it into.
pub const NO_PLACE_FOR_FILE: &str =
    "A file belongs to this, and it needs a channel that Tidegate is in: `/invite @tidegate`, then ask again.";

/// A file that could not be written to the disk.
#[must_use]
pub fn not_saved(name: &str, why: &str) -> Card {
    Card::new(Tone::Bad, format!("{name} cannot be written here: {}", cut(why)))
        .line(Line::marked("`tidegate audit export --format csv --out FILE` writes anywhere."))
}

/// Who did it last.
#[must_use]
pub fn who(answer: &WhoDid, clock: &Clock) -> Card {
    let WhoDid { deed, environment, found, agreed, exported } = answer;
    let Some((record, run)) = found else {
        let since = exported.map(|at| format!(" since {}", clock.moment(at))).unwrap_or_default();
        let title = format!("The audit knows nobody who {} {environment}{since}", deed.as_str());
        let card = Card::new(Tone::Plain, title).lines(exported.map(|at| taken_out(at, clock)));
        let card = if *deed == Deed::Changed { card } else { card.next(format!("who changed {environment}")) };
        return card.next(format!("audit {environment}"));
    };
    let who = cut(&record.actor.name);
    let cancels = record.action == CommandName::Cancel.action();
    let done = if cancels { deed.as_str() } else { done_by(*deed, &run.request) };
    let asked = clock.moment(record.at);
    let (title, asked) = match run.ended {
        _ if cancels => (format!("{who} {done} {environment}, {asked}"), None),
        None => (format!("{who} wants {environment} {done} since {asked}, and it is not over"), None),
        Some(ended) => {
            let ended = clock.moment(ended);
            let title = format!("{who} {done} {environment}, {ended}");
            (title, (asked != ended).then(|| Line::text(format!("asked for {asked}"))))
        }
    };
    let typed = record.typed.as_deref().map_or_else(|| record.action.clone(), cut);
    // Why somebody cancelled is not why somebody else had begun.
    let of_run = run.request.because.as_deref().filter(|_| !cancels);
    let because = match record.because.as_deref().or(of_run) {
        Some(because) if typed.contains(because) => String::new(),
        Some(because) => format!("{DOT}because {}", cut(because)),
        None => format!("{DOT}no reason was given"),
    };
    Card::new(Tone::Plain, title)
        .line(Line::of([Span::Code(typed), Span::Text(because)]))
        .line(Line::text(format!("run {} ({}): {}", run.number, what(&run.request), how(run))))
        .lines(asked)
        .lines((!agreed.is_empty()).then(|| Line::text(format!("with the yes of {}", cut(&agreed.join(", "))))))
        .line(Line::text(format!("{} by {}{}", record.actor.id, record.door, place(record))))
        .next(format!("show {}", run.number))
        .next(format!("audit {environment} before {}", record.seq.saturating_add(1)))
}

/// What a run did to its environment, in the word for just that.
fn done_by(deed: Deed, request: &RunRequest) -> &'static str {
    match (deed, request.kind) {
        (Deed::Raised, _) | (Deed::Changed, RunKind::Up) => "raised",
        (_, RunKind::Destroy) => "destroyed",
        (_, RunKind::Down) if request.target.level == Level::Off => "turned off",
        (Deed::Stopped, _) | (_, RunKind::Down) => "lowered",
        (Deed::Changed, _) => "changed",
    }
}

fn place(record: &Record) -> String {
    record.place.as_deref().map(|place| format!(" in {}", cut(place))).unwrap_or_default()
}

/// An entry in one line.
fn one(record: &Record) -> String {
    let mut parts = vec![cut(&record.actor.name), deed(record)];
    match record.decision {
        Decision::Allowed => {}
        Decision::Refused => parts.push(format!("REFUSED{}", rule(record))),
        Decision::NeedsApproval => parts.push(format!("needs a yes{}", rule(record))),
        Decision::NotUnderstood => parts.push("not understood".to_owned()),
    }
    if let Some(result) = &record.result {
        parts.push(match result.as_str() {
            loud @ ("failed" | "partial" | "unknown") => loud.to_uppercase(),
            other => cut(&other.replace('_', " ")),
        });
    }
    parts.extend(record.run.map(|run| format!("run {run}")));
    // Who typed a reason typed it in the command.
    let untold =
        record.because.as_deref().filter(|because| !record.typed.as_deref().is_some_and(|t| t.contains(because)));
    parts.extend(untold.map(|because| format!("because {}", cut(because))));
    parts.extend(record.place.as_deref().map(|place| format!("in {}", cut(place))));
    parts.join(DOT)
}

fn rule(record: &Record) -> String {
    record.rule.as_deref().map(|rule| format!(" ({})", cut(rule).replace('_', " "))).unwrap_or_default()
}

/// What was done, in words: as typed, where somebody typed it.
fn deed(record: &Record) -> String {
    if let Some(typed) = &record.typed {
        return cut(typed);
    }
    let of = record.environment.as_deref().map(|environment| format!(" of {}", cut(environment))).unwrap_or_default();
    let detail = |key: &str| record.detail.as_ref().and_then(|detail| detail.get(key));
    match record.action.as_str() {
        ASK => format!("the run{of} asks"),
        EXPIRE => format!("the question{of} expired"),
        LOSE => format!("nobody saw the end{of}"),
        UNTAINT => {
            let addresses = detail("addresses").and_then(serde_json::Value::as_array).into_iter().flatten();
            let named: Vec<String> = addresses.filter_map(|address| address.as_str().map(cut)).collect();
            format!("{}{of} untainted, so that it is kept", named.join(", "))
        }
        REMOVE => {
            let count = |key: &str| detail(key).and_then(serde_json::Value::as_array).map_or(0, Vec::len);
            let (gone, left) = (count("gone"), count("left"));
            format!("{}{of} in no state deleted, {left} left", plural(gone as u64, "resource"))
        }
        SWITCH => {
            let group = detail("group").and_then(serde_json::Value::as_str).map(cut).unwrap_or_default();
            let ends =
                detail("ends").and_then(serde_json::Value::as_i64).and_then(chrono::DateTime::from_timestamp_millis);
            match ends {
                Some(at) => format!("AWS ends {group}{of} at {}Z", at.format("%Y-%m-%d %H:%M")),
                None => format!("AWS does not end {group}{of} any more"),
            }
        }
        END => format!("the run{of} ended"),
        MISS => format!("what was due{of} was missed"),
        GIVE_UP => format!("what was due{of} is not tried any more"),
        CONFIGURE => match detail("difference").and_then(|text| text.as_str()) {
            Some(difference) => format!("the configuration changed: {}", changed_lines(difference)),
            None => "the configuration is known".to_owned(),
        },
        RECONNECT => "the end of the audit was not where it had been left: it was changed past Tidegate".to_owned(),
        START => "started".to_owned(),
        STOP => "stopped".to_owned(),
        PRUNE => {
            let count = detail("entries").and_then(serde_json::Value::as_u64).unwrap_or_default();
            format!("{} taken out", entries(count))
        }
        other => format!("{}{of}", cut(other)),
    }
}

fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

/// How many lines came and went in a unified difference.
fn changed_lines(difference: &str) -> String {
    let count = |sign: char| {
        u64::try_from(difference.lines().filter(|line| line.starts_with(sign)).count()).unwrap_or(u64::MAX)
    };
    match (count('+'), count('-')) {
        (0, 0) => "in its secrets or its spaces".to_owned(),
        (added, removed) => format!("{} added, {removed} removed", plural(added, "line")),
    }
}
