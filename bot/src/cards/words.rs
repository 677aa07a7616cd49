//! Small pieces of wording that many cards share: durations, moments, counts, sizes, lists of changes.

use chrono::{DateTime, FixedOffset};
use tidegate_runner::domain::answer::RunSummary;
use tidegate_runner::domain::changes::{Action, Change, Counts, UNTAINTED};
use tidegate_runner::domain::environment::SettingValue;
use tidegate_runner::domain::ids::{SettingName, StackName, Timestamp};
use tidegate_runner::domain::lookalike::distinct;
use tidegate_runner::domain::request::{RunKind, RunRequest, SizeChange, Target};
use tidegate_runner::domain::run::RunView;

use super::card::{Line, Span};
use super::natural::naturally_in;
use crate::zone::Zone;

/// What stands between the facts of one line.
pub(super) const DOT: &str = " \u{b7} ";

/// Longest text of others inside a line, in characters.
const TEXT_MAX: usize = 300;

/// What time it is for whoever reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Now, by the ledger's clock.
    pub now: Timestamp,
    /// On whose clock.
    pub zone: Zone,
}

impl Clock {
    fn local(&self, at: Timestamp) -> Option<DateTime<FixedOffset>> {
        self.zone.local(at)
    }

    /// `09:12` for a moment of today, else `2026-11-19 09:12`; with the zone where whoever reads it may be elsewhere.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> String {
        let (Some(then), Some(now)) = (self.local(at), self.local(self.now)) else { return "at some time".to_owned() };
        let format = if then.date_naive() == now.date_naive() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
        format!("{}{}", then.format(format), self.zone.beside(then))
    }

    /// `2026-11-19 09:12 Asia/Tokyo`: whole, for what is read long after.
    #[must_use]
    pub fn whole(&self, at: Timestamp) -> String {
        let Some(then) = self.local(at) else { return "at some time".to_owned() };
        format!("{} {}", then.format("%Y-%m-%d %H:%M"), self.zone.shown(then))
    }

    /// `Fri 2026-11-20 22:00 Asia/Tokyo (in 2 h 5 min)`, for a moment that people agree on.
    #[must_use]
    pub fn ahead(&self, at: Timestamp) -> String {
        let Some(then) = self.local(at) else { return "some time".to_owned() };
        let full = format!("{} {}", then.format("%a %Y-%m-%d %H:%M"), self.zone.shown(then));
        if at <= self.now { format!("{full}, which has passed") } else { format!("{full} ({})", self.away(at)) }
    }

    /// `in 2 h 5 min`, to the nearest minute, or second where it is in less than half a minute; `now` for what has passed.
    #[must_use]
    pub fn away(&self, at: Timestamp) -> String {
        let ms = at.ms_since(self.now);
        // Rounded: `for 2h` is not in 1 h 59 min.
        let away = if ms < 30_000 { ms } else { (ms + 30_000) / 60_000 * 60_000 };
        if ms <= 0 { "now".to_owned() } else { format!("in {}", duration(away)) }
    }
}

/// `48 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. Below a second: `less than 1 s`.
#[must_use]
pub fn duration(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: i64, large_unit: &str, small: i64, small_unit: &str| {
        if small == 0 { format!("{large} {large_unit}") } else { format!("{large} {large_unit} {small} {small_unit}") }
    };
    match (days, hours, minutes, seconds) {
        (0, 0, 0, 0) => "less than 1 s".to_owned(),
        (0, 0, 0, _) => format!("{seconds} s"),
        (0, 0, _, _) => two(minutes, "min", seconds % 60, "s"),
        (0, _, _, _) => two(hours, "h", minutes % 60, "min"),
        _ => two(days, "d", hours % 24, "h"),
    }
}

/// `about 48 s`; never less than a second, which nobody can tell.
pub(super) fn about(ms: i64) -> String {
    format!("about {}", duration(ms.max(1000)))
}

/// `1 commit`, `3 commits`.
pub(super) fn plural(count: impl Into<u64>, noun: &str) -> String {
    let count = count.into();
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// A text of others, cut and on one line.
pub(super) fn cut(text: &str) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() > TEXT_MAX {
        format!("{}...", flat.chars().take(TEXT_MAX).collect::<String>())
    } else {
        flat
    }
}

/// The same, cut where it matters least: what failed stands first, and why stands last.
pub(super) fn cut_middle(text: &str) -> String {
    const LAST: usize = 140;
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let count = flat.chars().count();
    if count <= TEXT_MAX {
        return flat;
    }
    let first: String = flat.chars().take(TEXT_MAX - LAST).collect();
    let last: String = flat.chars().skip(count - LAST).collect();
    format!("{first} ... {last}")
}

/// A person's name, with what imitates another name shown by code point.
pub(super) fn person(name: &str) -> String {
    cut(&distinct(name))
}

/// `slaves 2 -> 40`.
pub(super) fn size(change: &SizeChange) -> String {
    match &change.from {
        Some(from) => format!("{} {from} -> {}", change.setting, change.to),
        None => format!("{} {}", change.setting, change.to),
    }
}

/// All sizes in one line; empty when none changes.
pub(super) fn sizes(request: &RunRequest) -> String {
    request.sizes.iter().map(size).collect::<Vec<_>>().join(DOT)
}

/// `full slaves=40`.
pub(super) fn target(target: &Target) -> String {
    let settings: String = target.settings.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    format!("{}{settings}", target.level)
}

/// `slaves=40 servers=6`.
pub(super) fn settings<'a>(all: impl IntoIterator<Item = (&'a SettingName, &'a SettingValue)>) -> String {
    all.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

/// What a run is for: `up shop full`.
pub(super) fn what(request: &RunRequest) -> String {
    let RunRequest { kind, environment, target, newest_code, .. } = request;
    let code = if *newest_code { " code" } else { "" };
    match kind {
        RunKind::Up | RunKind::Down | RunKind::Plan => {
            format!("{} {environment} {}{code}", kind.as_str(), target.level)
        }
        RunKind::Remove => format!("sweep {environment} remove"),
        RunKind::Look | RunKind::Terraform => match &request.by_hand {
            Some(by_hand) => format!("terraform {environment}/{by_hand}"),
            None => format!("terraform {environment}"),
        },
        RunKind::Undo => format!("undo {environment} to {}{code}", target.level),
        RunKind::Scale | RunKind::Destroy | RunKind::Drift | RunKind::Adopt | RunKind::Sweep | RunKind::Preflight => {
            format!("{} {environment}{code}", kind.as_str())
        }
    }
}

/// `run 4 of ito (up shop full)`.
pub(super) fn run_of(run: &RunSummary) -> String {
    format!("run {} of {} ({})", run.number, person(&run.asker.name), what(&run.request))
}

/// Whether something was done or is only meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tense {
    Done,
    Planned,
}

/// `5 created, 1 replaced`; `no changes` when there are none.
pub(super) fn counts(counts: Counts, tense: Tense) -> String {
    let Counts { create, update, replace, delete, moved, import, forget } = counts;
    let words = match tense {
        Tense::Done => ["created", "changed", "replaced", "destroyed", "moved", "imported", "forgotten"],
        Tense::Planned => ["to create", "to change", "to replace", "to destroy", "to move", "to import", "to forget"],
    };
    let parts: Vec<String> = [create, update, replace, delete, moved, import, forget]
        .into_iter()
        .zip(words)
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if parts.is_empty() { "no changes".to_owned() } else { parts.join(", ") }
}

/// The word for what is done to one resource.
pub(super) fn action(action: Action, tense: Tense) -> &'static str {
    match (action, tense) {
        (Action::Create, Tense::Done) => "created",
        (Action::Create, Tense::Planned) => "create",
        (Action::Update, Tense::Done) => "changed",
        (Action::Update, Tense::Planned) => "change",
        (Action::Replace, Tense::Done) => "replaced",
        (Action::Replace, Tense::Planned) => "replace",
        (Action::Delete, Tense::Done) => "destroyed",
        (Action::Delete, Tense::Planned) => "destroy",
        (Action::Move, Tense::Done) => "moved",
        (Action::Move, Tense::Planned) => "move",
        (Action::Import, Tense::Done) => "imported",
        (Action::Import, Tense::Planned) => "import",
        (Action::Forget, Tense::Done) => "forgotten",
        (Action::Forget, Tense::Planned) => "forget",
    }
}

/// Terraform's reason for a change in words; `None` for those that only say what the command said already.
/// Source: `reason` of `planned_change` messages, Terraform's machine-readable UI.
fn reason(reason: &str) -> Option<String> {
    match reason {
        "delete_because_count_index" | "delete_because_each_key" | "requested" => None,
        "delete_because_no_resource_config" | "delete_because_no_module" => Some("no longer in the code".to_owned()),
        UNTAINTED => Some("its making came up short: untainted first, so that what is in service stays".to_owned()),
        "cannot_update" => Some("cannot be changed in place".to_owned()),
        other => Some(cut(other).replace('_', " ")),
    }
}

/// How many changes a card names, and where the others are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Naming {
    /// Most that are named in one list.
    pub(super) most: usize,
    /// The command that tells the others.
    pub(super) others: String,
}

impl Naming {
    /// The same with shorter lists.
    pub(super) fn shorter(&self) -> Self {
        Self { most: (self.most / 4).max(1), others: self.others.clone() }
    }
}

/// A line for each change of one stack, as many as are named, and where the others are told.
pub(super) fn changes<'a>(all: impl IntoIterator<Item = &'a Change>, tense: Tense, naming: &Naming) -> Vec<Line> {
    lines_of(all.into_iter().map(|change| (None, change)), tense, naming)
}

/// A line for each change of several stacks, with the stack where there is more than one in `view`.
pub(super) fn changes_in<'a>(
    view: &RunView,
    all: impl IntoIterator<Item = (&'a StackName, &'a Change)>,
    tense: Tense,
    naming: &Naming,
) -> Vec<Line> {
    let several = view.stacks.len() > 1;
    lines_of(all.into_iter().map(|(stack, change)| (several.then_some(stack), change)), tense, naming)
}

fn lines_of<'a>(
    all: impl Iterator<Item = (Option<&'a StackName>, &'a Change)>,
    tense: Tense,
    naming: &Naming,
) -> Vec<Line> {
    let most = naming.most;
    let all = naturally_in(all, |(stack, _)| *stack, |(_, change)| change.address.as_str());
    let more = all.len().saturating_sub(most);
    let mut lines: Vec<Line> = all
        .iter()
        .take(most)
        .map(|(stack, change)| {
            let stack = stack.map(|stack| format!("{stack}: ")).unwrap_or_default();
            let what = Span::Text(format!("{stack}{} ", action(change.action, tense)));
            let line = Line::of([what, Span::Code(cut(&change.address))]);
            match change.reason.as_deref().and_then(reason) {
                Some(reason) => line.and(Span::Text(format!(" ({reason})"))),
                None => line,
            }
        })
        .collect();
    if more > 0 {
        lines.push(Line::marked(&format!("and {more} more: `{}`", naming.others)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_at_a_glance() {
        for (ms, text) in [
            (-5, "less than 1 s"),
            (999, "less than 1 s"),
            (48_000, "48 s"),
            (200_000, "3 min 20 s"),
            (180_000, "3 min"),
            (7_500_000, "2 h 5 min"),
            (273_600_000, "3 d 4 h"),
            (i64::MAX, "106751991167 d 7 h"),
        ] {
            assert_eq!(duration(ms), text);
        }
    }

    #[test]
    fn how_far_away_something_is_is_true_to_the_last_second() {
        let clock = Clock { now: crate::commands::fixture::NOW, zone: crate::commands::fixture::tokyo() };
        for (ms, text) in [
            (-1, "now"),
            (0, "now"),
            (400, "in less than 1 s"),
            (19_000, "in 19 s"),
            (30_000, "in 1 min"),
            (7_190_000, "in 2 h"),
        ] {
            assert_eq!(clock.away(clock.now.plus_ms(ms)), text);
        }
    }

    #[test]
    fn a_moment_of_another_day_has_its_date() {
        let clock = Clock { now: crate::commands::fixture::NOW, zone: crate::commands::fixture::tokyo() };
        assert_eq!(clock.moment(clock.now.plus_ms(-60_000)), "11:59");
        assert_eq!(clock.moment(clock.now.plus_ms(-13 * 3_600_000)), "2026-11-19 23:00");
        assert_eq!(clock.moment(Timestamp(i64::MAX)), "at some time");
        let told = Clock { zone: clock.zone.told(), ..clock };
        assert_eq!(told.moment(clock.now), "12:00 Asia/Tokyo");
    }
}
