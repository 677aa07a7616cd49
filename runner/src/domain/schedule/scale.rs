//! The order of an environment's levels, as far as schedules need it.

use std::collections::BTreeMap;

use crate::domain::environment::{Environment, Level, SettingValue};
use crate::domain::ids::{ProfileName, SettingName};
use crate::domain::request::Target;

/// An environment's levels in their order, and the one at which it rests when nobody asks for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// Profiles from lowest to highest; `off` is below all of them and not listed.
    pub levels: Vec<ProfileName>,
    /// Where it goes when the last request has ended and no schedule asks for anything: what `down` means.
    pub rest: Level,
    /// Its settings that are numbers, as each level has them where nobody says otherwise.
    pub sizes: BTreeMap<Level, BTreeMap<SettingName, i64>>,
}

impl From<&Environment> for Scale {
    fn from(environment: &Environment) -> Self {
        let sizes = |level: &Level| {
            let number = |value| match value {
                SettingValue::Number(number) => Some(number),
                SettingValue::Switch(_) | SettingValue::Text(_) => None,
            };
            let settings = environment.settings.values();
            let sized = |setting| Some((number(environment.configured_value(setting, level)?)?, setting));
            settings.filter_map(sized).map(|(number, setting)| (setting.name.clone(), number)).collect()
        };
        let levels = environment.levels.iter().cloned().map(Level::Profile).chain([Level::Off]);
        Self {
            levels: environment.levels.clone(),
            rest: environment.down.clone(),
            sizes: levels.map(|level| (level.clone(), sizes(&level))).collect(),
        }
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

    /// Whether it is more there than at `from`: a higher level, or at the same one a setting with a larger number. As
    /// [`movement`](crate::domain::request::movement) has it.
    #[must_use]
    pub fn raises(&self, from: &Target, to: &Target) -> bool {
        if self.rank(&from.level) != self.rank(&to.level) {
            return self.rank(&to.level) > self.rank(&from.level);
        }
        let Some(sizes) = self.sizes.get(&to.level) else { return false };
        let of = |target: &Target, name: &SettingName, at_level: i64| match target.settings.get(name) {
            Some(SettingValue::Number(number)) => *number,
            Some(SettingValue::Switch(_) | SettingValue::Text(_)) | None => at_level,
        };
        sizes.iter().any(|(name, at_level)| of(to, name, *at_level) > of(from, name, *at_level))
    }
}
