//! What a form offers to somebody: of the environments that they may see those that they may do something with.

use tidegate_runner::config::Config;
use tidegate_runner::desk::{Desk, Message};
use tidegate_runner::domain::answer::Sight;
use tidegate_runner::domain::environment::Environment;

use crate::cards::form as words;
use crate::commands;

/// An environment, and what somebody may do with it: the command's word, and what the choice says.
pub(crate) struct Offer<'e> {
    /// Which.
    pub(crate) environment: &'e Environment,
    /// What.
    pub(crate) choices: Vec<(&'static str, &'static str)>,
}

/// What is offered to `who`, and what is said where that is nothing.
pub(in crate::chat) fn offers<'e>(
    desk: &Desk,
    config: &'e Config,
    sight: &Sight,
    who: &Message,
) -> (Vec<Offer<'e>>, &'static str) {
    let seen = || config.environments.values().filter(|environment| sight.sees(environment.name.as_str()));
    let may = |environment: &Environment, word: &str| {
        commands::name_of(word).is_some_and(|name| desk.may(who, name, &environment.name))
    };
    let offers = seen().map(|environment| {
        let choices = words::CHOICES.into_iter().filter(|(word, _)| may(environment, word)).collect();
        Offer { environment, choices }
    });
    let offers = offers.filter(|offer| !offer.choices.is_empty()).collect();
    let none = match seen().next() {
        _ if config.environments.is_empty() => words::NOTHING,
        Some(_) => words::NOT_YOURS_TO_CHANGE,
        None => words::NOT_YOURS,
    };
    (offers, none)
}
