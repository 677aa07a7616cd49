//! What is told of a run, and when: its one card, and the messages that are new rather than edits. Pure; chats post it.

use tidegate_runner::domain::answer::RunDetail;
use tidegate_runner::domain::changes::StackPlan;
use tidegate_runner::domain::environment::Level;
use tidegate_runner::domain::ids::ActorId;
use tidegate_runner::domain::request::RunKind;
use tidegate_runner::domain::run::{Outcome, RunState, StackState};

use crate::cards::{self, Button, Card, Clock, Needed};

/// The key of the news that a run is over.
pub const ENDED: &str = "ended";

/// The key of the log of what failed.
pub const LOG: &str = "log";

/// After so many milliseconds without knowing whether it changes anything, what somebody asked for is told in its channel, and its card
/// says in place what came of it. Most plans of a small environment are made by then, and people wait no longer without a sign.
const UNTOLD_MS: i64 = 10_000;

/// Most people whose yes is waited for that are called.
const CALLED_MAX: usize = 6;

/// Something new to tell of a run, once.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// What makes it one.
    pub key: String,
    /// Where it goes.
    pub place: NewsPlace,
    /// Whether somebody is notified: the asker, or who is on call.
    pub to: Notify,
    /// Who is notified beside them: those whose yes it waits for.
    pub call: Vec<ActorId>,
    /// The words; `None`: the log of the stacks that failed.
    pub card: Option<Card>,
}

/// Where news go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewsPlace {
    /// A message of its own in the channel.
    Channel,
    /// The thread of the run's card.
    Thread,
}

/// Who is notified of news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notify {
    /// Nobody.
    Nobody,
    /// The asker, where the chat knows them.
    Asker,
    /// The asker where the chat knows them; otherwise who is on call.
    AskerOrOncall,
}

/// The buttons of a run's card.
#[must_use]
pub fn buttons(detail: &RunDetail, card: &Card) -> Vec<Button> {
    let destroys = destroys(detail);
    let taken_back = destroys_when_undone(detail);
    let button = |command: &String| {
        let destroys = if command.starts_with("undo ") { taken_back } else { destroys };
        let about = if command.starts_with("undo ") { command } else { &card.title };
        cards::button(command, about, destroys)
    };
    card.next.iter().filter_map(button).collect()
}

/// Whether doing this run, or the rest of it, takes something away for good.
fn destroys(detail: &RunDetail) -> bool {
    let request = &detail.run.request;
    let plans = detail.view.stacks.values().filter_map(|stack| stack.plan.as_ref());
    let lost = plans.map(StackPlan::counts).any(|counts| counts.delete + counts.replace > 0);
    // What lowers destroys as a rule; where its plan is not whole yet, nobody knows better.
    let lowers = matches!(request.kind, RunKind::Down | RunKind::Undo);
    let unknown = lowers && detail.view.stacks.values().any(|stack| stack.plan.is_none());
    lost || unknown || request.kind == RunKind::Destroy || request.target.level == Level::Off
}

/// Whether going back to what was before this run takes something away for good: what it made goes again.
fn destroys_when_undone(detail: &RunDetail) -> bool {
    let back_to_off = detail.run.request.before.as_ref().is_none_or(|before| before.level == Level::Off);
    let plans = detail.view.stacks.values().filter_map(|stack| stack.plan.as_ref());
    back_to_off || plans.map(StackPlan::counts).any(|counts| counts.create + counts.replace > 0)
}

/// What can be done with what a run brought about, as it would be typed.
#[must_use]
pub fn offers(detail: &RunDetail) -> Vec<String> {
    let request = &detail.run.request;
    let environment = &request.environment;
    let (keep, undo) = (format!("keep {environment} for 1h"), format!("undo {environment}"));
    match (&detail.view.state, request.kind) {
        (RunState::Ended { outcome: Outcome::Succeeded }, RunKind::Up | RunKind::Scale)
            if request.target.level != Level::Off =>
        {
            vec![keep, undo]
        }
        (RunState::Ended { outcome: Outcome::Succeeded }, RunKind::Up | RunKind::Down | RunKind::Scale) => vec![undo],
        (RunState::Ended { outcome: Outcome::NothingToDo }, RunKind::Up) => vec![keep],
        (
            _,
            RunKind::Up
            | RunKind::Down
            | RunKind::Scale
            | RunKind::Plan
            | RunKind::Drift
            | RunKind::Adopt
            | RunKind::Sweep
            | RunKind::Preflight
            | RunKind::Remove
            | RunKind::Look
            | RunKind::Terraform
            | RunKind::Destroy
            | RunKind::Undo,
        ) => Vec::new(),
    }
}

/// Which of a card's versions this is: buttons of an older one are dead.
#[must_use]
pub fn version(detail: &RunDetail) -> String {
    let state = &detail.view.state;
    match state {
        RunState::AwaitingApproval { question, .. } => {
            format!("{}.{}.{}", state.status(), question.code(), question.expires.0)
        }
        RunState::Queued { .. }
        | RunState::Planning { .. }
        | RunState::Applying { .. }
        | RunState::Verifying { .. }
        | RunState::Unknown { .. }
        | RunState::Ended { .. } => format!("{}.{}", state.status(), detail.view.attempt),
    }
}

/// What a message of its own in the channel, which told the news `key` of a run, should read by now. `None`: what it reads stays true.
#[must_use]
pub fn message(detail: &RunDetail, key: &str, clock: &Clock) -> Option<Card> {
    if key == ENDED || key == version(detail) {
        let card = cards::notice(detail, clock)?;
        let show = format!("show {}", detail.run.number);
        return Some(if card.next.contains(&show) { card } else { card.next(show) });
    }
    match key.split('.').next()? {
        "awaiting_approval" => Some(cards::over(detail, Needed::Yes)),
        "unknown" => Some(cards::over(detail, Needed::Look)),
        _ => None,
    }
}

/// Whether a run gets a card in its channel. One that found nothing to do gets none, unless `tell_unchanged`, or somebody asked for it and
/// it took its time: whoever asked is told alone. Nobody waits for what the clock asked for. `None`: that is not known yet.
#[must_use]
pub fn is_told(detail: &RunDetail, tell_unchanged: bool) -> Option<bool> {
    let changes = detail.view.stacks.values().filter_map(|stack| stack.plan.as_ref()).any(|p| !p.changes.is_empty());
    match &detail.view.state {
        _ if tell_unchanged || changes => Some(true),
        RunState::Queued { .. } | RunState::Planning { .. } | RunState::Verifying { .. } => {
            let waited = detail.now.ms_since(detail.run.accepted) >= UNTOLD_MS;
            (waited && detail.run.asker.id != ActorId::clock()).then_some(true)
        }
        RunState::AwaitingApproval { .. } | RunState::Applying { .. } | RunState::Unknown { .. } => Some(true),
        RunState::Ended { outcome } => Some(*outcome != Outcome::NothingToDo),
    }
}

/// Whether the end of a run is told to whoever asked alone, also where it has a card: that says in place that nothing was to be done, and
/// calls nobody.
#[must_use]
pub fn ends_quietly(detail: &RunDetail, tell_unchanged: bool) -> bool {
    !tell_unchanged && matches!(detail.view.state, RunState::Ended { outcome: Outcome::NothingToDo })
}

/// Everything worth telling of where a run is now, for one that has a card. The order is that of telling.
#[must_use]
pub fn news(detail: &RunDetail, clock: &Clock) -> Vec<News> {
    let mut news = Vec::new();
    let view = &detail.view;
    let planned = view.stacks.values().any(|stack| stack.plan.as_ref().is_some_and(|plan| !plan.changes.is_empty()));
    let past_planning = !matches!(view.state, RunState::Queued { .. } | RunState::Planning { .. });
    if planned && past_planning {
        let card = Some(cards::plan(detail));
        news.push(News {
            key: "plan".to_owned(),
            place: NewsPlace::Thread,
            to: Notify::Nobody,
            call: Vec::new(),
            card,
        });
    }
    let mut add = |key: String, place, to, call| {
        let card = match place {
            NewsPlace::Channel => message(detail, &key, clock),
            NewsPlace::Thread => cards::notice(detail, clock),
        };
        news.extend(card.map(|card| News { key, place, to, call, card: Some(card) }));
    };
    match &view.state {
        RunState::AwaitingApproval { question, .. } => {
            let mut call = cards::waited_for(question, &detail.run.asker.id);
            call.truncate(CALLED_MAX);
            add(version(detail), NewsPlace::Channel, Notify::AskerOrOncall, call);
        }
        RunState::Unknown { look: None, .. } => {
            add(version(detail), NewsPlace::Channel, Notify::AskerOrOncall, Vec::new());
        }
        RunState::Ended { outcome } => {
            let place = match outcome {
                Outcome::Cancelled if cards::is_half_way(detail) => (NewsPlace::Channel, Notify::AskerOrOncall),
                Outcome::Failed | Outcome::Partial => (NewsPlace::Channel, Notify::AskerOrOncall),
                // Nobody looks into the thread of what nobody asked for.
                Outcome::Expired if detail.run.asker.id == ActorId::clock() => {
                    (NewsPlace::Channel, Notify::AskerOrOncall)
                }
                Outcome::Succeeded
                | Outcome::NothingToDo
                | Outcome::Planned
                | Outcome::Cancelled
                | Outcome::Refused
                | Outcome::Expired => (NewsPlace::Thread, Notify::Asker),
            };
            add(ENDED.to_owned(), place.0, place.1, Vec::new());
            if view.stacks.values().any(|stack| matches!(stack.state, StackState::Failed(..))) {
                let key = LOG.to_owned();
                news.push(News { key, place: NewsPlace::Thread, to: Notify::Nobody, call: Vec::new(), card: None });
            }
        }
        RunState::Unknown { look: Some(_), .. }
        | RunState::Queued { .. }
        | RunState::Planning { .. }
        | RunState::Applying { .. }
        | RunState::Verifying { .. } => {}
    }
    news
}
