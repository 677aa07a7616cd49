//! A command as its plainest text: what `parse` reads back as the same command.

use std::fmt::Write as _;

use tidegate_runner::domain::audit::AuditFilter;
use tidegate_runner::domain::command::{Assignment, Command, HistoryFilter, Order, Query, WhyQuery};
use tidegate_runner::domain::environment::Level;
use tidegate_runner::domain::holds::{About, HoldOrder};
use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::domain::link::LinkOrder;
use tidegate_runner::domain::made::MadeOrder;
use tidegate_runner::domain::rollout::RolloutOrder;
use tidegate_runner::domain::schedule::{BendOrder, Skipping, TakeAway, Written};

use super::made;
use super::moment;

/// The canonical text of a command.
#[must_use]
pub fn render(command: &Command) -> String {
    match command {
        Command::Help(None) => "help".to_owned(),
        Command::Help(Some(name)) => format!("help {name}"),
        Command::Order { order, because } => {
            let mut text = render_order(order);
            if let Some(because) = because {
                let _ = write!(text, " because {because}");
            }
            text
        }
        Command::Query(query) => render_query(query),
    }
}

/// The canonical text of an order, without a reason.
fn render_order(order: &Order) -> String {
    let name = order.name();
    match order {
        Order::Up { environment, level, settings, newest_code }
        | Order::Plan { environment, level, settings, newest_code } => {
            let code = if *newest_code { " code" } else { "" };
            format!("{name} {environment}{}{code}{}", spaced(level.as_ref()), assignments(settings))
        }
        Order::Down { environment, level, anyway } => {
            format!("{name} {environment}{}{}", spaced(level.as_ref()), if *anyway { " anyway" } else { "" })
        }
        Order::Scale { environment, settings } => format!("{name} {environment}{}", assignments(settings)),
        Order::Destroy { environment }
        | Order::Undo { environment }
        | Order::Drift { environment }
        | Order::Adopt { environment }
        | Order::Sweep { environment, remove: false }
        | Order::Preflight { environment } => format!("{name} {environment}"),
        Order::Sweep { environment, remove: true } => format!("{name} {environment} remove"),
        Order::Terraform { environment, by_hand } => format!("{name} {environment}/{by_hand}"),
        Order::Cancel { run, force } => {
            let run = run.map(|run| format!(" {run}")).unwrap_or_default();
            format!("{name}{run}{}", if *force { " force" } else { "" })
        }
        Order::Retry { run } | Order::Accept { run } | Order::Reject { run } => format!("{name} {run}"),
        Order::Approve { run, code, alone } => {
            let code = code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
            format!("{name} {run}{code}{}", if *alone { " alone" } else { "" })
        }
        Order::Hold(order) => render_hold(order),
        Order::Bend(order) => render_bend(order),
        Order::For { change, until } => format!("{} until {}", render_order(change), moment::render(*until)),
        Order::Schedule(order) => order.line(),
        Order::Rollout(order) => render_rollout(order),
        Order::Each { group, orders } => {
            let first = orders.first().map(render_order).unwrap_or_default();
            let rest = first.splitn(3, ' ').nth(2).map(|rest| format!(" {rest}")).unwrap_or_default();
            format!("{name} @{group}{rest}")
        }
        Order::Link(order) => render_link(order),
        Order::Made(order) => render_made(order),
        Order::Recover { run, unlock } => format!("{name} {run}{}", if *unlock { " unlock" } else { "" }),
    }
}

/// The line of the first, with all in its place.
fn render_rollout(order: &RolloutOrder) -> String {
    let (name, scope) = (order.name(), order.scope());
    let first = match order {
        RolloutOrder::Begin { orders, .. } => orders.first().map(render_order).unwrap_or_default(),
        RolloutOrder::Stop { .. } => String::new(),
    };
    let rest = first.splitn(3, ' ').nth(2).map(|rest| format!(" {rest}")).unwrap_or_default();
    format!("{name} {scope}{rest}")
}

fn render_made(order: &MadeOrder) -> String {
    let name = order.name();
    match order {
        MadeOrder::New { name: made, template, until } => {
            let until = until.map(|until| format!(" until {}", moment::render(until))).unwrap_or_default();
            format!("{name} {made} from {template}{until}")
        }
        MadeOrder::Extend { name: made, by_ms } => format!("{name} {made} {}", made::render_span(*by_ms)),
        MadeOrder::End { name: made, anyway: true } => format!("{name} {made} anyway"),
        MadeOrder::End { name: made, anyway: false } | MadeOrder::Renew { name: made, take: false } => {
            format!("{name} {made}")
        }
        MadeOrder::Renew { name: made, take: true } => format!("{name} {made} take"),
    }
}

fn render_link(order: &LinkOrder) -> String {
    let name = order.name();
    match order {
        LinkOrder::Begin | LinkOrder::End { of: None } => name.to_string(),
        LinkOrder::Confirm { code } => format!("{name} {code}"),
        LinkOrder::End { of: Some(of) } => format!("{name} {of}"),
    }
}

fn render_bend(order: &BendOrder) -> String {
    let name = order.name();
    let about = match order {
        BendOrder::Skip { environment: None, group: Some(group), .. } => format!("@{group}"),
        _ => order.environment().map_or_else(|| "all".to_owned(), ToString::to_string),
    };
    match order {
        BendOrder::Skip { skipping: Skipping::Next, .. } => format!("{name} {about} next"),
        BendOrder::Skip { skipping: Skipping::Tonight, .. } => format!("{name} {about} tonight"),
        BendOrder::Skip { skipping: Skipping::Days { first, last }, .. } if first == last => {
            format!("{name} {about} {first}")
        }
        BendOrder::Skip { skipping: Skipping::Days { first, last }, .. } => format!("{name} {about} {first}..{last}"),
        BendOrder::Pause { until, .. } => format!("{name} {about} until {}", moment::render(*until)),
        BendOrder::Skip { skipping: Skipping::Coming, .. }
        | BendOrder::Unpause { unread: None, .. }
        | BendOrder::UnpauseAll => format!("{name} {about}"),
        BendOrder::Unpause { unread: Some(TakeAway::One(key)), .. } => format!("{name} {about} {key}"),
        BendOrder::Unpause { unread: Some(TakeAway::All), .. } => format!("{name} {about} all"),
    }
}

fn render_hold(order: &HoldOrder) -> String {
    let name = order.name();
    let until = |until: &Timestamp, only: &[String]| {
        let only: Vec<String> = only.iter().map(|who| format!(" @{who}")).collect();
        let only = if only.is_empty() { String::new() } else { format!(" only{}", only.concat()) };
        format!(" until {}{only}", moment::render(*until))
    };
    match order {
        HoldOrder::Hold { environment, until: end, only } => format!("{name} {environment}{}", until(end, only)),
        HoldOrder::Keep { environment, until: end } => format!("{name} {environment}{}", until(end, &[])),
        HoldOrder::Freeze { until: end, only } => format!("{name} all{}", until(end, only)),
        HoldOrder::Book { environment, level, settings, from, until: end, only } => {
            let from = moment::render(*from);
            format!("{name} {environment} {level}{} {from}{}", assignments(settings), until(end, only))
        }
        HoldOrder::Unhold { environment, number } | HoldOrder::Unbook { environment, number } => {
            let number = number.map(|number| format!(" {number}")).unwrap_or_default();
            format!("{name} {environment}{number}")
        }
        HoldOrder::Unfreeze => format!("{name} all"),
        HoldOrder::Ask { about: About::Environment(environment), words } => format!("{name} {environment} {words}"),
        HoldOrder::Ask { about: About::Run(run), words } => format!("{name} {run} {words}"),
        HoldOrder::Tell { environment } => format!("{name} {environment}"),
        HoldOrder::Leave { run } => format!("{name}{}", run.map(|run| format!(" {run}")).unwrap_or_default()),
        HoldOrder::Stop | HoldOrder::Resume => format!("{name} everything"),
    }
}

fn render_query(query: &Query) -> String {
    let name = query.name();
    match query {
        Query::Envs
        | Query::Whoami
        | Query::On
        | Query::Handover
        | Query::Status { environment: None }
        | Query::Queue { environment: None } => name.to_string(),
        Query::Status { environment: Some(environment) } | Query::Queue { environment: Some(environment) } => {
            format!("{name} {environment}")
        }
        Query::StatusOf { scope } => format!("{name} {scope}"),
        Query::Links => "link list".to_owned(),
        Query::ListNew => "list new".to_owned(),
        Query::Bookings { environment, group } => {
            let environment = environment.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            let group = group.as_ref().map(|group| format!(" @{group}")).unwrap_or_default();
            format!("list bookings{environment}{group}")
        }
        Query::Show { run } | Query::Log { run, stack: None } => format!("{name} {run}"),
        Query::Log { run, stack: Some(stack) } => format!("{name} {run} {stack}"),
        Query::History(filter) => format!("{name}{}", filters(filter)),
        Query::Audit(filter) => format!("{name}{}", audit_filters(filter)),
        Query::Export { filter, format } => format!("{name}{} as {}", audit_filters(filter), format.as_str()),
        Query::Who { deed, environment } => format!("{name} {} {environment}", deed.as_str()),
        Query::Schedules { environment, name } => match (environment, name) {
            (Some(environment), Some(name)) => {
                format!("schedule show {environment} {}", Written { name: name.clone(), ..Written::default() }.line())
            }
            (Some(environment), None) => format!("schedule list {environment}"),
            (None, _) => "schedule list".to_owned(),
        },
        Query::Next { environment, group, from, days } => {
            let from = from.map(|from| format!(" from {}", moment::render(from))).unwrap_or_default();
            let environment = environment.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            let group = group.as_ref().map(|group| format!(" @{group}")).unwrap_or_default();
            format!("{name}{environment}{group}{from} {days}d")
        }
        Query::Hours { environment, group, month, by_person } => {
            let group = group.as_ref().map(|group| format!("@{group}"));
            let environment = environment.as_ref().map_or(group.as_deref().unwrap_or("all"), |name| name.as_str());
            let month = month.map(|month| format!(" {month}")).unwrap_or_default();
            format!("{name} {environment}{month}{}", if *by_person { " by person" } else { "" })
        }
        Query::Why(WhyQuery { who, command, environment, run, order }) => {
            let mut text = who.as_ref().map_or_else(|| "why can I".to_owned(), |who| format!("why can @{who}"));
            if let Some(order) = order {
                let _ = write!(text, " {}", render_order(order));
                return text;
            }
            let _ = write!(text, " {command}");
            let _ = environment.iter().try_for_each(|environment| write!(text, " {environment}"));
            let _ = run.iter().try_for_each(|run| write!(text, " {run}"));
            text
        }
    }
}

fn filters(filter: &HistoryFilter) -> String {
    let HistoryFilter { environment, group, by, since, until, failed, page } = filter;
    let mut text = String::new();
    if let Some(group) = group {
        let _ = write!(text, " @{group}");
    }
    if let Some(environment) = environment {
        let _ = write!(text, " {environment}");
    }
    if let Some(by) = by {
        let _ = write!(text, " by {by}");
    }
    if let Some(since) = since {
        let _ = write!(text, " since {}", moment::render(*since));
    }
    if let Some(until) = until {
        let _ = write!(text, " until {}", moment::render(*until));
    }
    if *failed {
        text.push_str(" failed");
    }
    if *page > 1 {
        let _ = write!(text, " page {page}");
    }
    text
}

fn audit_filters(filter: &AuditFilter) -> String {
    let AuditFilter { environment, by, since, until, action, failed, words, before, page } = filter.clone();
    let mut text = filters(&HistoryFilter { environment, group: None, by, since, until, failed, page: 1 });
    if let Some(action) = action {
        let _ = write!(text, " action {action}");
    }
    for words in words {
        let _ = write!(text, " \"{words}\"");
    }
    if let Some(before) = before {
        let _ = write!(text, " before {before}");
    }
    if page > 1 {
        let _ = write!(text, " page {page}");
    }
    text
}

fn spaced(level: Option<&Level>) -> String {
    level.map(|level| format!(" {level}")).unwrap_or_default()
}

fn assignments(settings: &[Assignment]) -> String {
    settings.iter().map(|a| format!(" {}{}{}", a.setting, a.operator.as_str(), a.value)).collect()
}
