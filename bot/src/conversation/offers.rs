//! What an answer offers to type next: nothing that policy would refuse whoever reads it.

use tidegate_runner::desk::{Desk, Message};
use tidegate_runner::domain::command::{Command, CommandName, Order, Query};
use tidegate_runner::domain::holds::{self, HoldOrder};
use tidegate_runner::domain::ids::{EnvironmentName, RunNumber, Timestamp};
use tidegate_runner::domain::made::MadeOrder;
use tidegate_runner::domain::run::RunState;

use super::{Reply, Verdict};
use crate::cards::{self, Card, Line, Span, Tone};
use crate::commands::{self, Known};
use crate::zone::Zone;

/// Most people that are named where only others may say something.
const PEOPLE_MAX: usize = 6;

/// Takes out of an answer the orders that this person may not give. A refusal goes on to offer something.
pub(super) async fn keep_allowed(desk: &Desk, message: &Message, zone: Zone, reply: &mut Reply) {
    let offered = std::mem::take(&mut reply.card.next);
    let some = !offered.is_empty();
    let before = offered.clone();
    let mut kept = allowed(desk, message, zone, offered).await;
    let refusal = matches!(reply.verdict, Verdict::NotUnderstood | Verdict::Refused);
    if kept.is_empty() && some && refusal {
        kept.push(instead(desk, message, zone, &before).await);
    }
    if let Some(menu) = reply.card.menu.take() {
        let lines = menu.choices.iter().map(|(_, line)| line.clone()).collect();
        let lines = allowed(desk, message, zone, lines).await;
        let choices = menu.choices.into_iter().filter(|(_, line)| lines.contains(line)).collect();
        reply.card = std::mem::replace(&mut reply.card, Card::new(Tone::Plain, "")).choose(menu.label, choices);
    }
    let lost = before.into_iter().filter(|line| !kept.contains(line)).collect();
    let told = of_others(desk, message, zone, lost, &reply.card).await;
    reply.card.lines.extend(told);
    reply.card.next = kept;
}

/// What is offered in place of lines none of which this person may say: the run that they are about, or what they may do at all.
async fn instead(desk: &Desk, message: &Message, zone: Zone, lines: &[String]) -> String {
    let now = desk.now().await.unwrap_or(Timestamp(0));
    let orders = lines.iter().filter_map(|line| match read(desk, message, line, now, zone)? {
        Command::Order { order, .. } => Some(order),
        Command::Query(_) | Command::Help(_) => None,
    });
    let run = orders.into_iter().find_map(|order| match order {
        Order::Approve { run, .. } | Order::Reject { run } => Some(run),
        order => match about(&order) {
            About::Run(run) => Some(run),
            About::Environment(_) | About::Everything | About::Nothing => None,
        },
    });
    if let Some(run) = run
        && desk.find(run).await.is_ok()
        && may_look(desk, message, &Query::Show { run }).await
    {
        return format!("show {run}");
    }
    "whoami".to_owned()
}

/// What only others may say and something waits for: the one order that ends an UNKNOWN run, the yes of a run that asks, the end of a hold.
/// Whoever may not give it is told of it and of those who may. `shown` is what the card says already.
async fn of_others(desk: &Desk, message: &Message, zone: Zone, lost: Vec<String>, shown: &Card) -> Vec<Line> {
    let now = desk.now().await.unwrap_or(Timestamp(0));
    let mut told = Vec::new();
    for mut line in lost {
        let Some(Command::Order { order, .. }) = read(desk, message, &line, now, zone) else { continue };
        let (what, people) = match order {
            Order::Recover { run, .. } => {
                let Ok(run) = desk.find(run).await else { continue };
                ("looks what became of it; it", desk.whom_to_ask(CommandName::Recover, &run.request.environment))
            }
            Order::Approve { run, alone, .. } => {
                let Ok(detail) = desk.show(run).await else { continue };
                // Where its rules are not known nobody can say it.
                if desk.config().unmanaged.contains_key(detail.run.request.environment.as_str()) {
                    continue;
                }
                let RunState::AwaitingApproval { question, .. } = &detail.run.state else { continue };
                let people = cards::waited_for(question, &detail.run.asker.id);
                if !people.is_empty() && people.iter().all(|id| says(shown, &id.called())) {
                    continue;
                }
                let words = match people.as_slice() {
                    [] => desk.whom_to_ask(CommandName::Approve, &detail.run.request.environment),
                    people => people
                        .iter()
                        .take(PEOPLE_MAX)
                        .map(|id| format!("`{}`", id.shown()))
                        .collect::<Vec<_>>()
                        .join(", "),
                };
                // It is for them to say it, not to say it alone.
                if alone {
                    line = format!("approve {run}");
                }
                ("lets it go on; it", words)
            }
            Order::Hold(HoldOrder::Unhold { environment, .. }) => {
                let held = desk.held().await.unwrap_or_default();
                if !held.iter().any(|hold| hold.environment.as_ref() == Some(&environment)) {
                    continue;
                }
                ("ends it; that", desk.whom_to_ask(CommandName::Unhold, &environment))
            }
            _ => continue,
        };
        if !people.is_empty() {
            told.push(Line::marked(&format!("`{line}` {what} is for {people} to say")));
        }
    }
    told
}

/// True when the card names somebody already.
fn says(card: &Card, name: &str) -> bool {
    card.lines.iter().flat_map(|line| &line.spans).any(|span| match span {
        Span::Text(text) | Span::Strong(text) | Span::Code(text) | Span::Column(text, _) | Span::Link { text, .. } => {
            text.contains(name)
        }
        Span::Bar { .. } => false,
    })
}

/// What a line would be, if this person said it here.
fn read(desk: &Desk, message: &Message, line: &str, now: Timestamp, zone: Zone) -> Option<Command> {
    let config = desk.config();
    let aside: Vec<_> = config.set_aside_now().collect();
    let known =
        Known { environments: &config.environments, aside: &aside, others: &[], me: &message.actor.id, now, zone };
    commands::parse(line, &known).ok()
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

/// What is not plainly forbidden may be offered: the desk decides when it is typed. Whose yes counts, and who may lift a hold, is no role's alone
/// to say: that is asked as if it were typed.
async fn may(desk: &Desk, message: &Message, line: &str, now: Timestamp, zone: Zone) -> bool {
    let order = match read(desk, message, line, now, zone) {
        Some(Command::Order { order, .. }) => order,
        Some(Command::Query(query)) => return may_look(desk, message, &query).await,
        Some(Command::Help(_)) | None => return true,
    };
    if matches!(order, Order::Approve { .. } | Order::Reject { .. } | Order::Hold(HoldOrder::Unhold { .. })) {
        return desk.would_refuse(message, &order).await.is_ok_and(|refused| refused.is_none());
    }
    match about(&order) {
        About::Environment(name) => desk.may(message, order.right(), name),
        About::Run(run) => match desk.find(run).await {
            Ok(run) => desk.may(message, order.right(), &run.request.environment),
            Err(_) => true,
        },
        About::Everything => desk.may_everywhere(message, order.right()),
        About::Nothing => true,
    }
}

/// A question about one environment needs the right there, one about several the right anywhere.
async fn may_look(desk: &Desk, message: &Message, query: &Query) -> bool {
    let of_run = |run: RunNumber| async move { desk.find(run).await.ok().map(|run| run.request.environment) };
    let about = match query {
        Query::Envs
        | Query::Whoami
        | Query::Links
        | Query::Why(_)
        | Query::On
        | Query::ListNew
        | Query::Handover
        | Query::StatusOf { .. } => None,
        Query::Status { environment }
        | Query::Queue { environment }
        | Query::Next { environment, .. }
        | Query::Hours { environment, .. }
        | Query::Bookings { environment, .. }
        | Query::Schedules { environment, .. } => environment.clone(),
        Query::History(filter) => filter.environment.clone(),
        Query::Audit(filter) | Query::Export { filter, .. } => filter.environment.clone(),
        Query::Who { environment, .. } => Some(environment.clone()),
        Query::Show { run } | Query::Log { run, .. } => of_run(*run).await,
    };
    desk.may_look(message, query.right(), about.as_ref())
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
        // Whose yes counts was asked before.
        Order::Cancel { run: None, .. }
        | Order::Approve { .. }
        | Order::Reject { .. }
        | Order::Rollout(_)
        | Order::Link(_) => About::Nothing,
        Order::Made(order) => match order {
            // Who may make one is the template's to say.
            MadeOrder::New { .. } => About::Nothing,
            MadeOrder::Extend { name, .. } | MadeOrder::End { name, .. } | MadeOrder::Renew { name, .. } => {
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
