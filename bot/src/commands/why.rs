//! `why`: who may do what, as people ask it: `why can't I down shop?`, `why can @ito destroy shop`.

use tidegate_runner::domain::command::{Command, Order, Query, WhyQuery};
use tidegate_runner::domain::holds::HoldOrder;
use tidegate_runner::domain::refusal::{Refusal, nearest};

use super::context::{Context, listed, quoted};
use super::schedule::ACTIONS;
use super::table::{self, Object};

/// Words that make a question of it and say nothing.
const FILLERS: [&str; 12] =
    ["can", "cant", "cannot", "could", "couldnt", "may", "maynot", "not", "should", "shouldnt", "must", "to"];

/// Words between a command and what it is about.
const BETWEEN: [&str; 4] = ["on", "in", "run", "the"];

fn plain(word: &str) -> &str {
    word.trim_end_matches(['?', '!', '.'])
}

fn is_filler(word: &str) -> bool {
    let letters: String = word.chars().filter(|c| c.is_alphabetic()).collect();
    FILLERS.contains(&letters.to_lowercase().as_str())
}

/// The order that the words from `at` on make by themselves, if they make one.
fn whole_order(context: &Context<'_>, at: usize) -> Option<Box<Order>> {
    let words = (at..context.line.len()).filter_map(|at| context.line.word(at)).map(plain);
    let words: Vec<&str> = words.filter(|word| !BETWEEN.contains(&word.to_lowercase().as_str())).collect();
    order_of(context, &words.join(" "))
}

fn order_of(context: &Context<'_>, text: &str) -> Option<Box<Order>> {
    match super::parse(text, context.known) {
        Ok(Command::Order { order, .. }) if !asks_which(&order) => Some(Box::new(order)),
        Ok(Command::Order { .. } | Command::Help(_) | Command::Query(_)) | Err(_) => None,
    }
}

/// Where the rule is what is asked for: without a run it asks which one is meant, and the values of a schedule have lost their
/// quotes in these words.
fn asks_which(order: &Order) -> bool {
    matches!(order, Order::Cancel { run: None, .. } | Order::Hold(HoldOrder::Leave { run: None }) | Order::Schedule(_))
}

/// Reads `why [can't] [I|@who] COMMAND [env|run]`. What stands after that counts where the whole is an order.
pub(super) fn read_why(context: &Context<'_>) -> Result<Command, Refusal> {
    let mut at = 1;
    while context.line.word(at).is_some_and(is_filler) {
        at += 1;
    }
    let who = match context.line.word(at) {
        Some(word) if word.eq_ignore_ascii_case("i") || word.eq_ignore_ascii_case("me") => {
            at += 1;
            None
        }
        Some(word) if word.starts_with('@') || word.contains(':') => {
            at += 1;
            Some(word.trim_start_matches('@').to_owned()).filter(|who| !who.is_empty())
        }
        // `why can ito up shop`
        Some(word)
            if table::find(plain(word)).is_none()
                && context.line.word(at + 1).map(plain).is_some_and(|next| table::find(next).is_some()) =>
        {
            at += 1;
            Some(word.to_owned())
        }
        _ => None,
    };
    while context.line.word(at).is_some_and(is_filler) {
        at += 1;
    }
    let Some(word) = context.line.word(at) else {
        return Err(Refusal::not_understood("`why` needs a command", "it tells who may run it").hint("why can't I up"));
    };
    let Some(spec) = table::find(plain(word)) else {
        return Err(of_a_deed(context, at, word).unwrap_or_else(|| no_command(context, at, word)));
    };
    let whole = whole_order(context, at);
    at += 1;
    while context.line.word(at).is_some_and(|word| BETWEEN.contains(&word.to_lowercase().as_str())) {
        at += 1;
    }
    let mut query = WhyQuery { who, command: spec.name, environment: None, run: None, order: None };
    if spec.object == Object::Schedules && context.line.word(at).is_some_and(|word| ACTIONS.contains(&word)) {
        at += 1;
    }
    if let Some(word) = context.line.word(at) {
        let word = plain(word);
        match spec.object {
            Object::Environment | Object::AnyEnvironment | Object::Schedules => {
                query.environment = Some(context.readable_environment(at, word)?);
            }
            Object::Run => match super::run::alone(word, None) {
                Some(run) => query.run = Some(run),
                None => query.environment = Some(context.readable_environment(at, word)?),
            },
            Object::Nothing | Object::Command | Object::Deed => {}
        }
    }
    // Words after it that make no order with it leave the one that it makes without them.
    query.order = whole.or_else(|| {
        let environment = query.environment.iter().map(ToString::to_string);
        let run = query.run.iter().map(ToString::to_string);
        let words: Vec<String> = [spec.name.to_string()].into_iter().chain(environment).chain(run).collect();
        order_of(context, &words.join(" "))
    });
    // Such an order is about the only environment that there is.
    if spec.object == Object::Environment && query.order.is_some() && query.environment.is_none() {
        query.environment = context.known.environments.keys().next().cloned();
    }
    Ok(Command::Query(Query::Why(query)))
}

/// `why is shop full`, `why was shop turned off`, `why shop`: it asks for what somebody did, which the audit has.
fn of_a_deed(context: &Context<'_>, at: usize, word: &str) -> Option<Refusal> {
    let is_verb = ["is", "was", "did", "does", "has", "were", "are"].contains(&word.to_lowercase().as_str());
    if !is_verb && context.readable_environment(at, plain(word)).is_err() {
        return None;
    }
    let named = (at..context.line.len())
        .filter_map(|at| context.line.word(at))
        .find_map(|word| context.readable_environment(at, plain(word)).ok());
    let refusal = |other: &str| Refusal::not_understood("`why` tells who may do what", other);
    Some(match named {
        Some(environment) => {
            refusal("who did it last, when and why tells `who`").hint(format!("who changed {environment}"))
        }
        None => refusal("who did what, when and why tells `audit`").hint("audit"),
    })
}

fn no_command(context: &Context<'_>, at: usize, word: &str) -> Refusal {
    let names = || table::TABLE.iter().map(|spec| spec.name.as_str());
    let refusal = Refusal::not_understood(
        format!("there is no command {}", quoted(word)),
        format!("the commands are: {}", listed(names())),
    );
    match table::meant_by(plain(word)).or_else(|| nearest(plain(word), names())) {
        Some(near) => refusal.hint(context.line.with(at, near)),
        None => refusal.hint("help"),
    }
}
