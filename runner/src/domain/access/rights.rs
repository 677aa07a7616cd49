//! May this person do this, here? The right is what both allow: the person's roles and the channel.

use std::sync::{Arc, LazyLock};

use super::{Access, Ceiling, Grant, Least, Role, Room, Who};
use crate::domain::answer::{Actor, ActorKind};
use crate::domain::command::CommandName;
use crate::domain::environment::Environment;
use crate::domain::ids::{ActorId, EnvironmentName};
use crate::domain::policy::Place;
use crate::domain::refusal::Refusal;

/// Most people that a refusal names.
const NAMED_MAX: usize = 6;

static OWNER: LazyLock<Arc<Role>> = LazyLock::new(|| Role::built_in(Least::Owner));

/// All roles that are given in an environment, its own first; without one, those that count everywhere.
pub fn given<'a>(access: &'a Access, environment: Option<&'a Environment>) -> impl Iterator<Item = Grant> + 'a {
    let owners = environment.into_iter().flat_map(|environment| {
        let written = environment.rules.owners_at.iter().cloned().map(Some).chain(std::iter::repeat(None));
        environment.owners.iter().zip(written).map(|(owner, written)| Grant {
            role: Arc::clone(&OWNER),
            who: Who::Named(owner.clone()),
            written,
        })
    });
    let own = environment.into_iter().flat_map(|environment| environment.rules.grants.iter().cloned());
    owners.chain(own).chain(access.grants.iter().cloned())
}

/// What somebody holds in an environment.
pub fn held<'a>(
    access: &'a Access,
    environment: Option<&'a Environment>,
    actor: &'a Actor,
) -> impl Iterator<Item = Grant> + 'a {
    given(access, environment).filter(|grant| grant.who.is(actor, access))
}

/// To whom this command is given in an environment.
pub fn able<'a>(
    access: &'a Access,
    environment: Option<&'a Environment>,
    command: CommandName,
) -> impl Iterator<Item = Grant> + 'a {
    given(access, environment).filter(move |grant| grant.role.has(command))
}

/// Decides on role and channel.
///
/// # Errors
/// The rule (`role` or `channel`) and the words for people.
pub fn may(
    access: &Access,
    actor: &Actor,
    place: &Place,
    command: CommandName,
    environment: Option<&Environment>,
) -> Result<(), (&'static str, Refusal)> {
    if command.least() == Least::Anybody {
        return Ok(());
    }
    // The configuration itself says what schedules do. No chat makes anybody the clock. No schedule destroys: what the clock destroys
    // was made for a time that is over.
    let of_schedules = matches!(
        command,
        CommandName::Up
            | CommandName::Down
            | CommandName::Retry
            | CommandName::Drift
            | CommandName::Preflight
            | CommandName::Destroy
    );
    if actor.id == ActorId::clock() && of_schedules && environment.is_some() {
        return Ok(());
    }
    if !held(access, environment, actor).any(|grant| grant.role.has(command)) {
        return Err(("role", no_role(access, actor, command, environment)));
    }
    here(access, place, command, environment)
}

/// The channel's part of [`may`].
///
/// # Errors
/// The rule (`channel`) and the words for people.
pub fn here(
    access: &Access,
    place: &Place,
    command: CommandName,
    environment: Option<&Environment>,
) -> Result<(), (&'static str, Refusal)> {
    match access.channels.as_ref().map_or(Room::Open, |channels| channels.room(place)) {
        Room::Open => Ok(()),
        Room::Shut => Err(("channel", shut(command, environment, place))),
        Room::Limited(ceiling) => match beyond(ceiling, command, environment) {
            None => Ok(()),
            Some(why) => Err(("channel", not_here(command, environment, &why))),
        },
    }
}

/// Why a channel does not allow it; `None` when it does.
fn beyond(ceiling: &Ceiling, command: CommandName, environment: Option<&Environment>) -> Option<String> {
    let Ceiling { role, environments, written } = ceiling;
    if !role.has(command) {
        return Some(format!("nobody is more than {} in this channel ({written})", role.name));
    }
    let only = environments.as_ref()?;
    if environment.is_some_and(|environment| only.contains(&environment.name)) {
        return None;
    }
    let names: Vec<&str> = only.iter().map(EnvironmentName::as_str).collect();
    Some(format!("this channel is for {} only ({written})", names.join(", ")))
}

/// `down shop`, for words.
fn phrase(command: CommandName, environment: Option<&Environment>) -> String {
    environment.map_or_else(|| command.to_string(), |environment| format!("{command} {}", environment.name))
}

fn no_role(access: &Access, actor: &Actor, command: CommandName, environment: Option<&Environment>) -> Refusal {
    let phrase = phrase(command, environment);
    let own: Vec<Grant> = held(access, environment, actor).collect();
    let you = grants_in_words(actor, &own);
    let place = environment.map_or_else(String::new, |environment| format!(" in {}", environment.name));
    let lacks = if own.is_empty() { String::new() } else { format!(", which has no `{command}`") };
    let ordinary = actor.kind == ActorKind::Person;
    // What everyone has is not for them, and everyone is nobody to ask.
    let able: Vec<Grant> =
        able(access, environment, command).filter(|grant| ordinary || grant.who != Who::Everyone).collect();
    let way_out = if able.is_empty() {
        "nobody has it: whoever edits the configuration can give it".to_owned()
    } else {
        format!("ask {}", named(&able))
    };
    let what = |who: &str| format!("`{phrase}` is not {} to do", if who == "you" { "yours" } else { "theirs" });
    let why = |who: &str| format!("{who} are {you}{place}{lacks}; {way_out}");
    let refusal = Refusal::speaking(what, why).hint(format!("why can't I {phrase}"));
    let reads = |grant: &Grant| grant.role.has(CommandName::Status);
    match environment {
        Some(environment) if own.iter().any(reads) => refusal.hint(format!("status {}", environment.name)),
        Some(_) | None => refusal.hint("whoami"),
    }
}

/// ``local:ito`, viewer (tidegate.toml:12)``, or that there is no role.
pub(super) fn grants_in_words(actor: &Actor, own: &[Grant]) -> String {
    let roles: Vec<String> = own.iter().map(Grant::to_string).collect();
    let roles = if roles.is_empty() { "without a role".to_owned() } else { roles.join(" and ") };
    let kind = match actor.kind {
        ActorKind::Person => "",
        ActorKind::Guest => " (a guest: guests have only what names themselves)",
        ActorKind::Bot => " (a bot: bots have only what names themselves)",
        ActorKind::Stranger => " (of another workspace: strangers have only what names themselves)",
    };
    format!("`{}`{kind}, {roles}", actor.id.shown())
}

/// ``local:ito`, `local:mori` (owner, tidegate.toml:3)``, at most six people.
#[must_use]
pub fn named(grants: &[Grant]) -> String {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    let mut people = 0;
    for grant in grants {
        let who = match &grant.who {
            Who::Everyone => "everyone".to_owned(),
            Who::Named(id) => format!("`{}`", id.shown()),
        };
        if people == NAMED_MAX || groups.iter().any(|(_, people)| people.contains(&who)) {
            continue;
        }
        people += 1;
        let written = grant.written.as_ref().map(|written| format!(", {written}")).unwrap_or_default();
        let label = format!("{}{written}", grant.role.name);
        match groups.iter_mut().find(|(other, _)| *other == label) {
            Some((_, group)) => group.push(who),
            None => groups.push((label, vec![who])),
        }
    }
    let words: Vec<String> =
        groups.into_iter().map(|(label, group)| format!("{} ({label})", group.join(", "))).collect();
    words.join(" or ")
}

fn shut(command: CommandName, environment: Option<&Environment>, place: &Place) -> Refusal {
    let why = if place.direct {
        "direct messages are not listed in `[channels]`: add `[channels.direct]`, or say it in a channel that is"
    } else {
        "this channel is not listed in `[channels]`, so that nothing can be done from it; say it in one that is"
    };
    not_here(command, environment, why)
}

fn not_here(command: CommandName, environment: Option<&Environment>, why: &str) -> Refusal {
    let phrase = phrase(command, environment);
    let why = format!("{why}; whoever edits the configuration can lift that");
    Refusal::refused(format!("`{phrase}` cannot be said here"), why).hint(format!("why can't I {phrase}"))
}
