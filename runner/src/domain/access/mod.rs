//! Who may do what: roles, whom they are given to, and the most that a channel allows. The configuration says it; nobody has
//! anything that it does not say.

pub mod answering;
mod approval;
mod condition;
mod grant;
pub mod limits;
mod person;
mod persons;
mod rights;
mod role;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::ids::ActorId;

pub use approval::{ApprovalRule, Approvers, Held, OfRule, Want, Yes, follow, said, satisfied, through, yeses};
pub use condition::{About, Condition, ConditionError, Counted};
pub use grant::{Ceiling, Channels, Grant, Room, Who};
pub use person::{Also, LINGERS_MS, Link, OPEN_MAX_S, People, Person};
pub use persons::Persons;
pub use rights::{able, given, held, here, may, named};
pub use role::{Least, Role};

/// Where in the configuration something is written: `tidegate.toml:42`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Written {
    /// The file's name, without its folder.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What the configuration says about access beside its environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Roles in all environments.
    pub grants: Vec<Grant>,
    /// Who has several ids.
    pub persons: People,
    /// Members of groups, as far as the configuration names them. A chat may know more.
    pub groups: BTreeMap<ActorId, Vec<ActorId>>,
    /// Roles by name, those that are built in too.
    pub roles: BTreeMap<String, Arc<Role>>,
    /// What may be done where; `None`: channels limit nothing.
    pub channels: Option<Channels>,
}

/// Nothing is given to anybody; the built-in roles are there.
impl Default for Access {
    fn default() -> Self {
        let roles = Least::ROLES.into_iter().map(|least| (least.as_str().to_owned(), Role::built_in(least))).collect();
        Self { grants: Vec::new(), persons: People::default(), groups: BTreeMap::new(), roles, channels: None }
    }
}

impl Access {
    /// The people that an id stands for: itself, or the members of a group, groups in it too.
    #[must_use]
    pub fn people(&self, id: &ActorId) -> Vec<ActorId> {
        let mut found = Vec::new();
        let mut seen = Vec::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            // A group may name itself, in a circle.
            if seen.contains(&id) {
                continue;
            }
            seen.push(id);
            match self.groups.get(id) {
                Some(members) => open.extend(members.iter().rev()),
                None => found.push(id.clone()),
            }
        }
        found
    }
}
