//! To whom a role is given, and the most that a channel allows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{Access, Role, Written};
use crate::domain::answer::{Actor, ActorKind};
use crate::domain::ids::{ActorId, EnvironmentName};
use crate::domain::policy::Place;

/// Whom a role is given to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Everybody who ordinarily is in the chat; in the terminal, every user of the machine.
    Everyone,
    /// A person, or the members of a group.
    Named(ActorId),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::Named(id) => f.write_str(&id.shown()),
        }
    }
}

impl Who {
    /// True when it stands for this actor. Guests, bots and people of other workspaces are never `everyone`, and no group's
    /// membership counts for them: they have only what names themselves. Whom the configuration names by several ids has by each
    /// what any of them has; a link gives nothing.
    #[must_use]
    pub fn is(&self, actor: &Actor, access: &Access) -> bool {
        let ordinary = actor.kind == ActorKind::Person;
        match self {
            Self::Everyone => ordinary,
            Self::Named(id) => {
                let own = access.persons.ids(&actor.id);
                own.contains(id)
                    || ordinary
                        && (actor.groups.contains(id) || access.people(id).iter().any(|member| own.contains(member)))
            }
        }
    }
}

/// A role given to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What.
    pub role: Arc<Role>,
    /// To whom.
    pub who: Who,
    /// Where it is written; `None` only where nobody wrote it: in tests.
    pub written: Option<Written>,
}

/// `viewer (tidegate.toml:12)`.
impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.role.name)?;
        self.written.iter().try_for_each(|written| write!(f, " ({written})"))
    }
}

/// The most that anybody may do in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceiling {
    /// The role that nobody is more than.
    pub role: Arc<Role>,
    /// The environments that can be talked about there; `None`: all.
    pub environments: Option<Vec<EnvironmentName>>,
    /// Where it is written.
    pub written: Written,
}

/// `nobody is more than viewer in this channel (tidegate.toml:50)`.
impl fmt::Display for Ceiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nobody is more than {} in this channel", self.role.name)?;
        if let Some(only) = &self.environments {
            let names: Vec<&str> = only.iter().map(EnvironmentName::as_str).collect();
            write!(f, ", and it is for {} only", names.join(", "))?;
        }
        write!(f, " ({})", self.written)
    }
}

/// What may be done where. A channel that is not listed allows nothing, unless there is a word for all others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channels {
    /// By `slack:C024BE91L` and alike.
    pub named: BTreeMap<String, Ceiling>,
    /// Direct messages to the bot.
    pub direct: Option<Ceiling>,
    /// Channels that are not listed.
    pub others: Option<Ceiling>,
    /// The terminal; it is no channel and has no limit unless it is listed.
    pub shell: Option<Ceiling>,
}

/// What the channels say about a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room<'a> {
    /// Nothing is limited there.
    Open,
    /// At most this.
    Limited(&'a Ceiling),
    /// It is not listed: nothing.
    Shut,
}

impl Channels {
    /// What holds at `place`.
    #[must_use]
    pub fn room(&self, place: &Place) -> Room<'_> {
        match (place.door, &place.channel) {
            // Neither the terminal nor Tidegate's own parts are channels.
            ("shell", _) => self.shell.as_ref().map_or(Room::Open, Room::Limited),
            ("clock" | "engine", _) => Room::Open,
            _ if place.direct => limited(self.direct.as_ref()),
            (door, Some(channel)) => {
                let name = format!("{door}:{channel}");
                self.named.get(&name).map_or_else(|| limited(self.others.as_ref()), Room::Limited)
            }
            (_, None) => limited(self.others.as_ref()),
        }
    }
}

fn limited(ceiling: Option<&Ceiling>) -> Room<'_> {
    ceiling.map_or(Room::Shut, Room::Limited)
}
