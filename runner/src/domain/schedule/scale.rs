//! The order of an environment's levels, as far as schedules need it.

use crate::domain::environment::{Environment, Level};
use crate::domain::ids::ProfileName;

/// An environment's levels in their order, and the one at which it rests when nobody asks for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// Profiles from lowest to highest; `off` is below all of them and not listed.
    pub levels: Vec<ProfileName>,
    /// Where it goes when the last request has ended and no schedule asks for anything: what `down` means.
    pub rest: Level,
}

impl From<&Environment> for Scale {
    fn from(environment: &Environment) -> Self {
        Self { levels: environment.levels.clone(), rest: environment.down.clone() }
    }
}

impl Scale {
    /// Height of a level: 0 for `off`, then upwards; `None` for a profile that is not on the scale.
    #[must_use]
    pub fn rank(&self, level: &Level) -> Option<usize> {
        match level {
            Level::Off => Some(0),
            Level::Profile(name) => self.levels.iter().position(|known| known == name).map(|at| at + 1),
        }
    }
}
