//! What an answer offers to type next: nothing that policy would refuse whoever reads it.

use tidegate_runner::desk::{Desk, Message};
use tidegate_runner::domain::command::{Command, CommandName, Order};
use tidegate_runner::domain::holds::{self, HoldOrder};
use tidegate_runner::domain::ids::{EnvironmentName, RunNumber, Timestamp};
use tidegate_runner::domain::made::MadeOrder;

use super::{Reply, Verdict};
use crate::cards::{Card, Line, Tone};
use crate::commands::{self, Known};
use crate::zone::Zone;

/// Takes out of an answer the orders that this person may not give. A refusal goes on to offer something.
pub(super) async fn keep_allowed(desk: &Desk, message: &Message, zone: Zone, reply: &mut Reply) {
    let offered = std::mem::take(&mut reply.card.next);
    let some = !offered.is_empty();
    let before = offered.clone();
    let mut kept = allowed(desk, message, zone, offered).await;
    let refusal = matches!(reply.verdict, Verdict::NotUnderstood | Verdict::Refused);
    if kept.is_empty() && some && refusal {
        kept.push("whoami".to_owned());
    }
    if let Some(menu) = reply.card.menu.take() {
        let lines = menu.choices.iter().map(|(_, line)| line.clone()).collect();
        let lines = allowed(desk, message, zone, lines).await;
        let choices = menu.choices.into_iter().filter(|(_, line)| lines.contains(line)).collect();
        reply.card = std::mem::replace(&mut reply.card, Card::new(Tone::Plain, "")).choose(menu.label, choices);
    }
    let lost = before.into_iter().filter(|line| !kept.contains(line)).collect();
    reply.card.lines.extend(of_others(desk, message, zone, lost).await);
    reply.card.next = kept;
}

/// Only one order ends an UNKNOWN run: whoever may not give it is told of it and of those who may.
async fn of_others(desk: &Desk, message: &Message, zone: Zone, lost: Vec<String>) -> Vec<Line> {
    let now = desk.now().await.unwrap_or(Timestamp(0));
    let mut told = Vec::new();
    for line in lost {
        let Some(Order::Recover { run, .. }) = order(desk, message, &line, now, zone) else { continue };
        let Ok(run) = desk.find(run).await else { continue };
        let people = desk.whom_to_ask(CommandName::Recover, &run.request.environment);
        if !people.is_empty() {
            told.push(Line::marked(&format!("`{line}` looks what became of it; it is for {people} to say")));
        }
    }
    told
}

fn order(desk: &Desk, message: &Message, line: &str, now: Timestamp, zone: Zone) -> Option<Order> {
    let config = desk.config();
    let aside: Vec<_> = config.set_aside_now().collect();
    let known =
        Known { environments: &config.environments, aside: &aside, others: &[], me: &message.actor.id, now, zone };
    match commands::parse(line, &known) {
        Ok(Command::Order { order, .. }) => Some(order),
        Ok(Command::Help(_) | Command::Query(_)) | Err(_) => None,
    }
}

/// Those of these lines that this person may say.
pub(super) async fn allowed(desk: &Desk, message: &Message, zone: Zone, lines: Vec<String>) -> Vec<String> {
    let mut kept = Vec::new();
    // Ends that are offered lie ahead of now; a ledger that cannot say what that is has offered none.
    let now = desk.now().await.unwrap_or(Timestamp(0));
    for line in lines {
        if may(desk, message, &line, now, zone).await {
            kept.push(line);
        }
    }
    kept
}

/// What is not plainly forbidden may be offered: the desk decides when it is typed.
async fn may(desk: &Desk, message: &Message, line: &str, now: Timestamp, zone: Zone) -> bool {
    let Some(order) = order(desk, message, line, now, zone) else { return true };
    match about(&order) {
        About::Environment(name) => desk.may(message, order.name(), name),
        About::Run(run) => match desk.find(run).await {
            Ok(run) => desk.may(message, order.name(), &run.request.environment),
            Err(_) => true,
        },
        About::Everything => desk.may_everywhere(message, order.name()),
        About::Nothing => true,
    }
}

enum About<'o> {
    Environment(&'o EnvironmentName),
    Run(RunNumber),
    Everything,
    Nothing,
}

fn about(order: &Order) -> About<'_> {
    match order {
        Order::Up { environment, .. }
        | Order::Down { environment, .. }
        | Order::Scale { environment, .. }
        | Order::Plan { environment, .. }
        | Order::Drift { environment }
        | Order::Adopt { environment }
        | Order::Sweep { environment, .. }
        | Order::Terraform { environment, .. }
        | Order::Preflight { environment }
        | Order::Destroy { environment }
        | Order::Undo { environment } => About::Environment(environment),
        Order::Cancel { run: Some(run), .. }
        | Order::Retry { run }
        | Order::Accept { run }
        | Order::Recover { run, .. } => About::Run(*run),
        // Whose yes counts is the question's to say.
        Order::Cancel { run: None, .. }
        | Order::Approve { .. }
        | Order::Reject { .. }
        | Order::Rollout(_)
        | Order::Link(_) => About::Nothing,
        Order::Made(order) => match order {
            // Who may make one is the template's to say.
            MadeOrder::New { .. } => About::Nothing,
            MadeOrder::Extend { name, .. } | MadeOrder::End { name } | MadeOrder::Renew { name, .. } => {
                About::Environment(name)
            }
        },
        Order::For { change, .. } => about(change),
        Order::Each { orders, .. } => orders.first().map_or(About::Nothing, about),
        Order::Bend(order) => order.environment().map_or(About::Nothing, About::Environment),
        Order::Schedule(order) => About::Environment(order.environment()),
        Order::Hold(order) => match order {
            HoldOrder::Hold { environment, .. }
            | HoldOrder::Unhold { environment, .. }
            | HoldOrder::Keep { environment, .. }
            | HoldOrder::Book { environment, .. }
            | HoldOrder::Unbook { environment, .. }
            | HoldOrder::Ask { about: holds::About::Environment(environment), .. }
            | HoldOrder::Tell { environment } => About::Environment(environment),
            HoldOrder::Ask { about: holds::About::Run(run), .. } | HoldOrder::Leave { run: Some(run) } => {
                About::Run(*run)
            }
            HoldOrder::Leave { run: None } => About::Nothing,
            HoldOrder::Freeze { .. } | HoldOrder::Unfreeze | HoldOrder::Stop | HoldOrder::Resume => About::Everything,
        },
    }
}
