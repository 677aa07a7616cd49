//! `whoami`.

use tidegate_runner::domain::answer::Whoami;
use tidegate_runner::domain::ids::EnvironmentName;

use super::card::{Card, Line, Tone};
use super::words::cut;

/// Who somebody is to Tidegate.
#[must_use]
pub fn whoami(whoami: &Whoami) -> Card {
    let Whoami { actor, owns, reads } = whoami;
    let list = |names: &[EnvironmentName]| names.iter().map(EnvironmentName::as_str).collect::<Vec<_>>().join(", ");
    let only: Vec<EnvironmentName> = reads.iter().filter(|name| !owns.contains(name)).cloned().collect();
    let card = Card::new(Tone::Plain, format!("You are {} ({})", cut(&actor.name), actor.id));
    let card = match owns.as_slice() {
        [] => card.line(Line::text("You own no environment, and can change none.")),
        owns => card.line(Line::text(format!("You own, and may change: {}", list(owns)))),
    };
    if only.is_empty() { card } else { card.line(Line::text(format!("You may ask about: {}", list(&only)))) }
}
