//! `whoami`.

use tidegate_runner::domain::answer::Whoami;
use tidegate_runner::domain::ids::{ActorId, EnvironmentName};

use super::card::{Card, Line, Tone};
use super::words::person;

/// Who somebody is to Tidegate.
#[must_use]
pub fn whoami(whoami: &Whoami) -> Card {
    let Whoami { actor, known_as, holds, here, ask } = whoami;
    let mut card = Card::new(Tone::Plain, format!("You are {} ({})", person(&actor.name), actor.id.shown()));
    if !actor.groups.is_empty() {
        let groups: Vec<_> = actor.groups.iter().map(|group| group.shown()).collect();
        card = card.line(Line::text(format!("Your groups: {}", groups.join(", "))));
    }
    if let Some(known) = &known_as.person {
        let ids: Vec<_> = known.ids.iter().map(ActorId::shown).collect();
        card =
            card.line(Line::text(format!("You are {}: {} ({})", person(&known.name), ids.join(", "), known.written)));
    }
    if !known_as.links.is_empty() {
        let ids: Vec<_> = known_as.links.iter().map(ActorId::shown).collect();
        card = card.line(Line::text(format!("You are linked with {}", ids.join(", "))));
    }
    for (roles, environments) in by_roles(holds) {
        card = card.line(Line::text(format!("You are {} in {}", roles.join(" and "), environments.join(", "))));
    }
    let without: Vec<&str> =
        holds.iter().filter(|(_, roles)| roles.is_empty()).map(|(name, _)| name.as_str()).collect();
    if without.len() == holds.len() {
        card = card.line(Line::text("You have no role in any environment, and may only ask for help."));
    } else if !without.is_empty() {
        card = card.line(Line::text(format!("You have no role in {}", without.join(", "))));
    }
    card = card.lines(here.as_ref().map(|here| Line::marked(&format!("Here: {here}"))));
    if ask.is_empty() {
        return card.line(Line::text("Whoever edits the configuration can give roles."));
    }
    card.line(Line::marked(&format!("For more, ask {ask}")))
}

/// Environments in which somebody has the same roles together.
fn by_roles(holds: &[(EnvironmentName, Vec<String>)]) -> Vec<(&[String], Vec<&str>)> {
    let mut found: Vec<(&[String], Vec<&str>)> = Vec::new();
    for (name, roles) in holds.iter().filter(|(_, roles)| !roles.is_empty()) {
        match found.iter_mut().find(|(other, _)| *other == roles.as_slice()) {
            Some((_, names)) => names.push(name.as_str()),
            None => found.push((roles, vec![name.as_str()])),
        }
    }
    found
}
