//! `envs` and `status`: where environments should be, and where they are.

use tidegate_runner::domain::answer::{EnvironmentStatus, LockSeen, RunSummary, StackStanding, Standing};
use tidegate_runner::domain::environment::{Level, SettingValue};
use tidegate_runner::domain::ids::{ActorId, EnvironmentName, SettingName, StackName};
use tidegate_runner::domain::request::Target;
use tidegate_runner::domain::run::{Outcome, RunState};

use super::bend::when;
use super::card::{Card, Line, Span, Tone};
use super::history::{how, state_word};
use super::holds::{hold_fact, hold_line};
use super::made::{facts, was_made};
use super::next::{bent_words, overdue_line};
use super::run::approval;
use super::run::failure::held_by;
use super::run::{progress_lines, silence};
use super::words::{Clock, DOT, cut, run_of, settings, target};

/// What is queued or was left in the middle stays so for now.
pub const NOBODY_WORKS: &str =
    "No process carries out runs now; `tidegate serve` does, and so does a `tidegate shell`.";

/// What schedules say, and what ends by itself, stays undone for now.
pub const NOBODY_FOLLOWS: &str = "Nobody follows the schedules now: start `tidegate serve`.";

/// What the menu of environments says, and that of levels.
const LOOK_AT: &str = "Look at one";
const PLAN: &str = "See the plan for";

/// All environments, a line each.
#[must_use]
pub fn envs(all: &[Standing], clock: &Clock) -> Card {
    if all.is_empty() {
        return Card::new(Tone::Plain, "No environment is configured").next("help");
    }
    let name = |standing: &Standing| match standing {
        Standing::Managed(status) => status.name.to_string(),
        Standing::Unmanaged { name, .. } => cut(name),
        Standing::Departed { name, .. } => name.to_string(),
    };
    let width = all.iter().map(|standing| name(standing).chars().count()).max().unwrap_or_default() + 2;
    let lines = all.iter().map(|standing| {
        let fact = match standing {
            Standing::Managed(status) => one(status, clock),
            Standing::Unmanaged { problems, runs, .. } => {
                let facts = ["NOT MANAGED".to_owned(), problems.first().map(|p| cut(p)).unwrap_or_default()];
                facts.into_iter().chain(of_runs(runs)).collect::<Vec<_>>().join(DOT)
            }
            Standing::Departed { wanted, runs, .. } => {
                [left(wanted.as_ref())].into_iter().chain(of_runs(runs)).collect::<Vec<_>>().join(DOT)
            }
        };
        Line::of([Span::Column(name(standing), width), Span::Text(fact)]).indented(1)
    });
    let card = Card::new(Tone::Plain, format!("Environments at {}", clock.moment(clock.now))).lines(lines);
    // One alone is offered below.
    let choices = all.iter().map(name).map(|name| (name.clone(), format!("status {name}")));
    let card = if all.len() > 1 { card.choose(LOOK_AT, choices.collect()) } else { card };
    all.iter().take(3).fold(card, |card, standing| card.next(format!("status {}", name(standing))))
}

fn one(status: &EnvironmentStatus, clock: &Clock) -> String {
    let mut facts = vec![place(status)];
    match (status.managed, status.problems.first()) {
        (false, problem) => {
            facts.insert(0, "NOT MANAGED".to_owned());
            facts.extend(problem.map(|problem| cut(problem)));
        }
        (true, Some(_)) => facts.push("ITS CONFIGURATION DOES NOT CHECK".to_owned()),
        (true, None) => {}
    }
    facts.extend((!status.unread.is_empty()).then(|| "A HOLD CANNOT BE READ".to_owned()));
    facts.extend((!status.lost.is_empty()).then(|| "NOT ALL OF ITS RUNS CAN BE READ".to_owned()));
    facts.extend((!status.lost_ended.is_empty()).then(|| "A RUN THAT IS OVER CANNOT BE READ".to_owned()));
    facts.extend((!status.besides.is_empty()).then(|| "SCHEDULES NOT AS WRITTEN".to_owned()));
    facts.extend(status.holds.iter().map(|hold| hold_fact(hold, clock)));
    facts.extend(status.paused.as_ref().map(|bent| format!("schedules {}", bent_words(bent, clock))));
    let sizes: Vec<String> = status
        .settings
        .iter()
        .filter(|(_, wanted)| wanted.is_some())
        .map(|(name, wanted)| size(status, name, wanted.as_ref()))
        .collect();
    if !sizes.is_empty() {
        facts.push(sizes.join(" "));
    }
    facts.extend(status.running.as_ref().map(|(run, _)| format!("{} {}", run_of(run), state_word(&run.state))));
    let asks = |run: &&RunSummary| matches!(run.state, RunState::AwaitingApproval { .. });
    match status.waiting.iter().filter(asks).count() {
        0 => {}
        1 => facts.push("1 needs a yes".to_owned()),
        more => facts.push(format!("{more} need a yes")),
    }
    let waiting = status.waiting.iter().filter(|run| !asks(run)).count();
    if waiting > 0 {
        facts.push(format!("{waiting} waiting"));
    }
    facts.extend(status.about.as_ref().map(|about| cut(about)));
    facts.join(DOT)
}

/// The level where all stacks are; `None` when they differ or nothing is known.
fn actual(status: &EnvironmentStatus) -> Option<&Level> {
    let mut levels = status.stacks.values().map(|stack| stack.level.as_ref());
    let first = levels.next()??;
    levels.all(|level| level == Some(first)).then_some(first)
}

/// Stacks that stand at the lowest level while `off` is wanted and all others are off: it destroys no more.
fn lowered<'a>(status: &'a EnvironmentStatus, wanted: Option<&Level>) -> Vec<&'a StackName> {
    let lowest = status.levels.first();
    let is_lowest = |stack: &&StackStanding| stack.level.is_some() && stack.level.as_ref() == lowest;
    let as_off = |stack: &StackStanding| stack.level == Some(Level::Off) || is_lowest(&stack);
    if wanted != Some(&Level::Off) || !status.stacks.values().all(as_off) {
        return Vec::new();
    }
    status.stacks.iter().filter(|(_, stack)| is_lowest(stack)).map(|(name, _)| name).collect()
}

/// `slaves=40`, or `slaves=9 (wanted 8)` where another size is known to stand, or `slaves=? (wanted 8)`, or `slaves=?` alone, where it is
/// not known what stands.
fn size(status: &EnvironmentStatus, name: &SettingName, wanted: Option<&SettingValue>) -> String {
    let of = |stack: &&StackStanding| stack.settings.iter().any(|(setting, _)| setting == name);
    let stack = status.stacks.values().find(of);
    // Of a stack on which nothing was ever finished it is not known which settings are its own.
    let unfinished = || status.stacks.values().any(|stack| stack.in_doubt && stack.level.is_none());
    let stands = stack.and_then(|stack| stack.settings.iter().find(|(setting, _)| setting == name));
    match (stands.map(|(_, value)| value), wanted) {
        (_, Some(wanted)) if stack.map_or_else(unfinished, |stack| stack.in_doubt) => {
            format!("{name}=? (wanted {wanted})")
        }
        (Some(stands), Some(wanted)) if stands != wanted => format!("{name}={stands} (wanted {wanted})"),
        (_, Some(wanted)) => format!("{name}={wanted}"),
        (_, None) if stack.map_or_else(unfinished, |stack| stack.in_doubt) => format!("{name}=?"),
        (_, None) => format!("{name} (default)"),
    }
}

/// `at full`, or how wanted and actual differ.
fn place(status: &EnvironmentStatus) -> String {
    let doubt = in_doubt(status);
    let unknown = status.stacks.values().all(|stack| stack.level.is_none());
    let never = unknown && status.stacks.values().all(|stack| stack.run.is_none());
    let wanted = status.wanted.as_ref().map(|target| &target.level);
    let lowered = lowered(status, wanted);
    let is = match actual(status) {
        _ if !doubt && !being_changed(status) && !lowered.is_empty() => {
            let names: Vec<&str> = lowered.iter().map(|name| name.as_str()).collect();
            let level = status.levels.first().map(ToString::to_string).unwrap_or_default();
            return format!("at off as far as it goes: {} at {level}", names.join(", "));
        }
        _ if doubt => "IN DOUBT".to_owned(),
        _ if being_changed(status) => "being changed".to_owned(),
        Some(level) => format!("at {level}"),
        None if never => "not raised by Tidegate yet".to_owned(),
        None if unknown => "at no known level".to_owned(),
        None => "between levels".to_owned(),
    };
    match wanted {
        Some(wanted) if doubt || actual(status) != Some(wanted) => format!("{is}, wanted {wanted}"),
        Some(_) | None => is,
    }
}

/// One environment in full, or several, a line each.
#[must_use]
pub fn status(all: &[Standing], clock: &Clock) -> Card {
    match all {
        [Standing::Managed(status)] => managed(status, clock),
        [Standing::Unmanaged { name, problems, runs }] => with_runs(not_managed(name, problems), runs, clock),
        [Standing::Departed { made: Some(made), runs, wanted: None, .. }] => {
            with_runs(was_made(made, clock), runs, clock)
        }
        [Standing::Departed { name, wanted, runs, .. }] => with_runs(departed(name, wanted.as_ref()), runs, clock),
        several => envs(several, clock),
    }
}

fn not_managed(name: &str, problems: &[String]) -> Card {
    Card::new(Tone::Bad, format!("{} is NOT MANAGED: its configuration does not check", cut(name)))
        .lines(problems.iter().map(|problem| Line::text(cut(problem)).indented(1)))
        .line(Line::text("The other environments are not affected."))
        .line(Line::marked("`tidegate check` in a terminal shows the lines, and what to write instead."))
}

/// The card, which also has the runs of an environment that is not managed.
fn with_runs(card: Card, runs: &[RunSummary], clock: &Clock) -> Card {
    runs.iter().fold(card, |card, run| {
        let has_it = run.state.holds_environment();
        let line = if has_it { now_line(run) } else { waits_line(run, clock) };
        let card = with_next(card.line(line), run);
        if matches!(run.state, RunState::Queued { .. }) { card.next(format!("cancel {}", run.number)) } else { card }
    })
}

/// `run 5 (...) applying`.
fn of_runs(runs: &[RunSummary]) -> impl Iterator<Item = String> {
    runs.iter().map(|run| format!("{} {}", run_of(run), state_word(&run.state)))
}

fn now_line(run: &RunSummary) -> Line {
    Line::text(format!("now: {}{DOT}{}", run_of(run), state_word(&run.state)))
}

fn waits_line(run: &RunSummary, clock: &Clock) -> Line {
    Line::text(match &run.state {
        RunState::AwaitingApproval { question, .. } => {
            format!("needs a yes until {}: {}", clock.moment(question.expires), run_of(run))
        }
        state => format!("{}: {}", state_word(state), run_of(run)),
    })
}

/// What keeps an environment from being all that its configuration says, and what puts that right.
fn troubles(card: Card, status: &EnvironmentStatus) -> Card {
    let EnvironmentStatus { problems, managed, unread, lost, lost_ended, besides, .. } = status;
    let mut card = card;
    if !managed {
        card = card.line(Line::marked(
            "What is here goes by the file as it is: `cancel`, `reject`, `leave`, `hold`, `unhold`, `keep`, `ask`, `tell`, `skip`, `pause` \
             and `unpause` work; nothing new is begun.",
        ));
        card = card.line(Line::text(format!("it is {}", place(status))));
    } else if !problems.is_empty() {
        card = card
            .line(Line::text(
                "ITS CONFIGURATION DOES NOT CHECK: it goes on by the last one that did, until this is put right.",
            ))
            .lines(problems.iter().map(|problem| Line::text(cut(problem)).indented(1)))
            .line(Line::marked("`tidegate check` in a terminal shows the lines, and what to write instead."));
    }
    if !unread.is_empty() {
        card = card
            .line(Line::text("A HOLD CANNOT BE READ, so that nobody knows what it forbids:"))
            .lines(unread.iter().map(|what| Line::marked(&cut(what)).indented(1)));
    }
    if !lost.is_empty() {
        card = card
            .line(Line::text(
                "NOT ALL OF ITS RUNS CAN BE READ; beside one that is not over nothing is begun until that is put right in the ledger:",
            ))
            .lines(lost.iter().map(|what| Line::marked(&cut(what)).indented(1)));
    }
    if !lost_ended.is_empty() {
        card = card
            .line(Line::text(
                "A RUN THAT IS OVER CANNOT BE READ; it stands in the way of no new one, and what it did is not told here:",
            ))
            .lines(lost_ended.iter().map(|what| Line::marked(&cut(what)).indented(1)));
    }
    if !besides.is_empty() {
        card = card
            .line(Line::text("NOT ALL OF ITS SCHEDULES COUNT:"))
            .lines(besides.iter().map(|what| Line::marked(&cut(what)).indented(1)));
    }
    card
}

/// Where an environment is that has left the configuration.
fn left(wanted: Option<&Target>) -> String {
    let still = wanted.map(|wanted| format!(", still raised: {}", target(wanted))).unwrap_or_default();
    format!("NOT IN THE CONFIGURATION ANY MORE{still}")
}

fn departed(name: &EnvironmentName, wanted: Option<&Target>) -> Card {
    let card = Card::new(Tone::Plain, format!("{name} is {}", left(wanted))).next(format!("history {name}"));
    if wanted.is_none() {
        return card;
    }
    let card = Card { tone: Tone::Warning, ..card };
    card.line(Line::marked(&format!(
        "Nobody can change it so. Put `[environments.{name}]` back into the configuration, then `down {name} off`, then take it out."
    )))
}

fn managed(status: &EnvironmentStatus, clock: &Clock) -> Card {
    let EnvironmentStatus {
        name,
        about,
        owners,
        levels,
        wanted,
        stacks,
        settings: values,
        running,
        waiting,
        last,
        change,
        said: _,
        down: _,
        scheduled: _,
        departed,
        holds,
        bookings,
        problems,
        managed,
        unread,
        lost,
        lost_ended,
        besides,
        locks,
        paused,
        asked,
        visit: _,
        next: _,
        overdue,
        made,
    } = status;
    let unreadable = !unread.is_empty() || !lost.is_empty() || !lost_ended.is_empty();
    let bad = !problems.is_empty() || unreadable || !besides.is_empty();
    let doubt = in_doubt(status) || !departed.is_empty() || bad;
    let mut card = if *managed {
        Card::new(if doubt { Tone::Warning } else { Tone::Plain }, format!("{name} is {}", place(status)))
    } else {
        not_managed(name.as_str(), problems)
    };
    card = card.lines(about.as_ref().map(|about| Line::text(cut(about))));
    card = troubles(card, status);
    card = card.lines(made.as_ref().map(|made| Line::text(format!("made: {}", facts(made, clock)))));
    if made.as_ref().is_some_and(|made| made.older) {
        card = card.next(format!("renew {name}"));
    }
    if let Some(wanted) = wanted {
        card = card.line(Line::text(format!("wanted: {}", target(wanted))));
    }
    let width = stacks.keys().map(|name| name.as_str().len()).max().unwrap_or_default() + 2;
    card = card.lines(stacks.iter().map(|(name, stack)| {
        Line::of([Span::Column(name.to_string(), width), Span::Text(stack_stands(stack, changes(status, name), clock))])
            .indented(1)
    }));
    card = card.lines(departed.iter().map(|(name, stack)| {
        let stands = stack_stands(stack, false, clock);
        Line::text(format!(
            "{name} NOT IN THE CONFIGURATION ANY MORE: {stands}. Put it back, lower it, then take it out."
        ))
        .indented(1)
    }));
    if !values.is_empty() {
        let all: Vec<String> = values.iter().map(|(name, value)| size(status, name, value.as_ref())).collect();
        card = card.line(Line::text(format!("settings: {}", all.join(" "))));
    }
    let order: Vec<String> = std::iter::once("off".to_owned()).chain(levels.iter().map(ToString::to_string)).collect();
    let owners: Vec<&str> = owners.iter().map(ActorId::short).collect();
    card = card.line(Line::text(format!("levels: {}{DOT}owners: {}", order.join(" < "), owners.join(", "))));
    card = card.lines(holds.iter().chain(bookings).map(|hold| Line::text(hold_line(hold, clock))));
    card = card.lines(locks.iter().map(|lock| locked(lock, clock)));
    if !locks.is_empty() {
        card = card.next(format!("preflight {name}"));
    }
    card = comes(card, status, clock);
    let quiet = running.is_none() && waiting.is_empty() && paused.is_none();
    if let Some(asked) = asked.as_ref().filter(|asked| quiet && overdue.is_none() && wanted.as_ref() != Some(asked)) {
        card = elsewhere(card, status, asked);
    }
    if let Some((run, view)) = running {
        card = card.line(now_line(run)).lines(silence(run, clock));
        card = card.lines(view.iter().flat_map(|view| progress_lines(view, clock)));
        card = with_next(card, run);
    }
    for run in waiting {
        card = with_next(card.line(waits_line(run, clock)), run);
    }
    if let Some(run) = last.as_ref().filter(|last| running.as_ref().is_none_or(|(run, _)| run.id != last.id)) {
        card = over(card, run, in_doubt(status) && running.is_none(), change.as_ref(), clock);
    }
    let above = wanted.as_ref().and_then(|wanted| levels.iter().position(|level| *level == wanted.level));
    let above = levels.iter().skip(above.map_or(0, |at| at + 1));
    card.choose(PLAN, above.map(|level| (level.to_string(), format!("plan {name} {level}"))).collect())
}

/// That schedules ask for something else, which nobody brings about: what began before the clock first looked is nobody's.
fn elsewhere(card: Card, status: &EnvironmentStatus, asked: &Target) -> Card {
    let rank = |level: &Level| match level {
        Level::Off => None,
        Level::Profile(_) => status.levels.iter().position(|known| known == level),
    };
    let lowers = status.wanted.as_ref().is_some_and(|wanted| rank(&asked.level) < rank(&wanted.level));
    let way = if lowers { "down" } else { "up" };
    let words = format!(
        "its schedules ask for {}, and nothing is on its way there: it stays until their next transition, or until somebody brings it there",
        target(asked)
    );
    let card = card.line(Line::text(words));
    if asked.level == Level::Off && !lowers {
        card
    } else {
        card.next(format!("{way} {} {}", status.name, target(asked)))
    }
}

/// The run that ended last and, where what stands is in doubt, the one that left it so: that may be an earlier one.
fn over(card: Card, last: &RunSummary, doubt: bool, change: Option<&RunSummary>, clock: &Clock) -> Card {
    let line = |what: &str, run: &RunSummary| {
        let when = clock.moment(run.ended.unwrap_or(run.accepted));
        Line::text(format!("{what}: {}{DOT}{}{DOT}{when}", run_of(run), how(run)))
    };
    let earlier = change.filter(|run| doubt && run.id != last.id);
    let card = card.line(line("last", last)).lines(earlier.map(|run| line("left in doubt by", run)));
    let run = earlier.unwrap_or(last);
    let not_well = matches!(run.state.outcome(), Some(Outcome::Partial | Outcome::Failed | Outcome::Cancelled));
    let card = match doubt {
        true if not_well => card.next(format!("retry {}", run.number)),
        // Nothing of it is left to do: only a run that is well ends the doubt, and its plan shows what that is.
        true => card.next(format!("plan {} {}", run.request.environment, target(&run.request.target))),
        false => card,
    };
    card.next(format!("show {}", run.number))
}

/// What people bend, what was due and what comes next.
fn comes(card: Card, status: &EnvironmentStatus, clock: &Clock) -> Card {
    let EnvironmentStatus { name, paused, visit, overdue, next, .. } = status;
    let card = card.lines(paused.as_ref().map(|bent| Line::text(format!("schedules: {}", bent_words(bent, clock)))));
    let card = card.lines(visit.as_ref().map(|bent| Line::text(bent_words(bent, clock))));
    let card = card.lines(overdue.as_ref().map(|overdue| overdue_line(name, overdue, clock)));
    card.lines(next.as_ref().map(|next| Line::text(format!("next: {}", when(next, clock)))))
}

fn locked(LockSeen { stack, holder, run, at }: &LockSeen, clock: &Clock) -> Line {
    let held = held_by(holder);
    Line::text(format!("{stack}: the state lock was {held}, as run {run} saw at {}", clock.moment(*at)))
}

fn with_next(card: Card, run: &RunSummary) -> Card {
    let number = run.number;
    match &run.state {
        RunState::AwaitingApproval { question, .. } => {
            card.next(approval::line_unseen(number, question)).next(format!("reject {number}"))
        }
        RunState::Unknown { .. } => card.next(format!("recover {number}")),
        RunState::Planning { .. } | RunState::Applying { .. } | RunState::Verifying { .. } => {
            card.next(format!("cancel {number}"))
        }
        RunState::Queued { .. } | RunState::Ended { .. } => card,
    }
}

/// Whether the run that has the environment is changing this stack: what stands is then its card's to tell, and nothing ended
/// badly yet.
fn changes(status: &EnvironmentStatus, stack: &StackName) -> bool {
    status.running.as_ref().is_some_and(|(run, view)| {
        // Of one whose events cannot be read it is not known how far it is.
        let begun = view.as_ref().map_or_else(
            || run.state.changes(),
            |view| view.stacks.get(stack).is_some_and(|s| s.apply_began.is_some()),
        );
        !matches!(run.state, RunState::Unknown { .. }) && begun
    })
}

fn being_changed(status: &EnvironmentStatus) -> bool {
    status.stacks.iter().any(|(name, stack)| stack.in_doubt && changes(status, name))
}

fn in_doubt(status: &EnvironmentStatus) -> bool {
    status.stacks.iter().any(|(name, stack)| stack.in_doubt && !changes(status, name))
}

fn stack_stands(stack: &StackStanding, being_changed: bool, clock: &Clock) -> String {
    let StackStanding { level, settings: values, run, at, in_doubt, older_state } = stack;
    let mut facts = Vec::new();
    if *in_doubt && being_changed {
        facts.push("being changed".to_owned());
    }
    let before = match (*in_doubt && !being_changed, *older_state) {
        (false, _) => "",
        (true, false) => "IN DOUBT: its last apply did not end well; before it ",
        (true, true) => "IN DOUBT: what an older state does not know of may stand beside it; as far as that tells ",
    };
    let stood = match level {
        None if run.is_some() && !in_doubt => "level not known: taken as it is".to_owned(),
        None => "not applied by Tidegate yet".to_owned(),
        Some(level) if values.is_empty() => level.to_string(),
        Some(level) => format!("{level} {}", settings(values.iter().map(|(name, value)| (name, value)))),
    };
    facts.push(format!("{before}{stood}"));
    facts.extend(run.map(|run| format!("run {run}")));
    facts.extend(at.map(|at| clock.moment(at)));
    facts.join(DOT)
}
