//! Who is left in by `only`: people whom it lets do something, each by an id.

use super::super::Message;
use super::super::rights::{Called, called, known_ids, nobody_called};
use crate::config::Config;
use crate::domain::access::held;
use crate::domain::answer::Actor;
use crate::domain::command::CommandName;
use crate::domain::environment::Environment;
use crate::domain::ids::{ActorId, EnvironmentName};
use crate::domain::lookalike::distinct;
use crate::domain::refusal::{Refusal, nearest};

/// The person whom a name or id after `only` means. `environment`: what is held; `None`: everything.
///
/// # Errors
/// Nobody, several, a group, or somebody of whom the configuration tells that they may change nothing there anyway.
pub(super) fn person(
    config: &Config,
    message: &Message,
    environment: Option<&EnvironmentName>,
    name: &str,
) -> Result<ActorId, Refusal> {
    let id = match called(config, message, name) {
        Called::One(id) => id,
        Called::Nobody => {
            return Err(or_nearest(nobody_called(name), config, message, name));
        }
        Called::Several(several) => {
            let refusal = Refusal::refused(format!("`{}` can be several people", distinct(name)), "write the id");
            let hints = several.iter().take(3).map(|id| instead(&message.typed, name, &[id.to_string()]));
            return Err(hints.fold(refusal, Refusal::hint));
        }
    };
    if is_group(config, &id) {
        let members: Vec<String> =
            config.access.people(&id).iter().filter(|of| **of != id).map(ToString::to_string).collect();
        let refusal =
            Refusal::refused(format!("`{}` is a group", id.shown()), "`only` leaves in people: name each of them");
        return Err(refusal.hint(instead(&message.typed, name, &members)));
    }
    if can_do_nothing(config, environment, &id) {
        let of = environment.map_or_else(|| "any environment".to_owned(), ToString::to_string);
        let refusal = Refusal::refused(
            format!("`{}` may change nothing in {of}", distinct(name)),
            "the configuration names nobody so, and gives whoever it is nothing to do there",
        );
        return Err(or_nearest(refusal, config, message, name));
    }
    Ok(id)
}

/// Slack's user groups are `S...`; others are known when the configuration tells their members.
fn is_group(config: &Config, id: &ActorId) -> bool {
    config.access.groups.contains_key(id) || id.as_str().starts_with("slack:S")
}

/// True for a user of this machine whom the configuration does not name and to whom it gives nothing: most likely a slip of the
/// pen. In which groups people of a chat are, it need not know.
fn can_do_nothing(config: &Config, environment: Option<&EnvironmentName>, id: &ActorId) -> bool {
    if !id.as_str().starts_with("local:") || known_ids(config).contains(id) {
        return false;
    }
    let who = Actor::person(id.clone(), id.short());
    let may_change = |environment: &Environment| {
        held(&config.access, Some(environment), &who)
            .any(|grant| CommandName::ALL.into_iter().any(|command| command.starts_change() && grant.role.has(command)))
    };
    let mut about = config.all_known().filter(|e| environment.is_none_or(|only| *only == e.name));
    !about.any(may_change)
}

fn or_nearest(refusal: Refusal, config: &Config, message: &Message, name: &str) -> Refusal {
    let known = known_ids(config);
    let near = nearest(name.rsplit_once(':').map_or(name, |(_, short)| short), known.iter().map(ActorId::short));
    // Whoever stands there already is not meant a second time.
    let stands = |id: &ActorId| {
        message.typed.split_whitespace().any(|word| {
            let word = word.trim_matches(['@', ',']);
            word == id.short() || word == id.as_str()
        })
    };
    match near.and_then(|near| known.iter().find(|id| id.short() == near)).filter(|id| !stands(id)) {
        Some(id) => refusal.hint(instead(&message.typed, name, &[id.to_string()])),
        None => refusal.hint(instead(&message.typed, name, &[])),
    }
}

/// The line as typed with `ids` in the place of `name`; without them `name` goes, and `only` when it names nobody else.
fn instead(typed: &str, name: &str, ids: &[String]) -> String {
    let mut words: Vec<String> = typed.split_whitespace().map(str::to_owned).collect();
    let only = words.iter().position(|word| word.eq_ignore_ascii_case("only")).unwrap_or_default();
    let meant = |word: &String| word.trim_matches(['@', ',']) == name;
    let Some(at) = words.iter().skip(only).position(meant).map(|at| only + at) else { return typed.to_owned() };
    words.splice(at..=at, ids.iter().map(|id| format!("@{id}")));
    let names = |word: Option<&String>| word.is_some_and(|word| word.starts_with('@') || word.contains(':'));
    let alone = at > 0 && words.get(at - 1).is_some_and(|word| word.eq_ignore_ascii_case("only"));
    if ids.is_empty() && alone && !names(words.get(at)) {
        words.remove(at - 1);
    }
    words.join(" ")
}
