//! What must be true of a stack, beside what Terraform says, before it counts as there: groups in service, probes that pass.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::environment::Level;
use super::probe::Probe;
use super::protect::protects;

/// When a stack counts as there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Seconds after its apply within which it must be so. 1 to 86,400.
    pub within_s: u32,
    /// Whether the Auto Scaling groups in its state must be in service.
    pub groups: bool,
    /// How much of a group is enough, by address as in `protect`, first match first; all of it where none matches.
    pub enough: Vec<(String, Enough)>,
    /// What must answer.
    pub probes: Vec<Probe>,
    /// ARN of a role that is assumed to ask AWS; `None`: the stack's own credentials ask.
    pub role: Option<String>,
    /// Groups that AWS ends by itself some time after the planned end.
    pub planned_end: PlannedEnd,
}

/// Groups that AWS ends by itself some time after the planned end; see [`super::switch`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlannedEnd {
    /// Which, by address as in `protect`; empty for none.
    pub groups: Vec<String>,
    /// ARN of a role that is assumed to write it; `None`: the stack's own credentials write it.
    pub role: Option<String>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self {
            within_s: 900,
            groups: true,
            enough: Vec::new(),
            probes: Vec::new(),
            role: None,
            planned_end: PlannedEnd::default(),
        }
    }
}

impl Readiness {
    /// What must answer at `level`. At `off` nothing must.
    pub fn probes_at(&self, level: &Level) -> impl Iterator<Item = &Probe> {
        self.probes.iter().filter(move |probe| match level {
            Level::Off => false,
            Level::Profile(profile) => probe.levels.is_empty() || probe.levels.contains(profile),
        })
    }

    /// How much of the group at `address` is enough, when it is not all of it.
    #[must_use]
    pub fn enough_of(&self, address: &str) -> Option<Enough> {
        self.enough.iter().find(|(pattern, _)| protects(pattern, address)).map(|(_, enough)| *enough)
    }
}

/// How much of a group is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enough {
    /// This share of what is desired, 1 to 100, rounded up.
    Percent(u8),
    /// So many instances, or all where fewer are desired.
    Count(u32),
}

impl Enough {
    /// How many of `desired` that is.
    #[must_use]
    pub fn of(self, desired: u32) -> u32 {
        match self {
            Self::Percent(percent) => {
                let share = (u64::from(desired) * u64::from(percent)).div_ceil(100);
                u32::try_from(share).unwrap_or(desired).min(desired)
            }
            Self::Count(count) => count.min(desired),
        }
    }
}

/// How an Auto Scaling group stands, counted in units of its capacity: instances, or their weights.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCount {
    /// What people call it: the name of its resource.
    pub label: String,
    /// Its name in AWS.
    pub name: String,
    /// The address of its resource; empty in events of earlier versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Its ARN; empty in events of earlier versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub arn: String,
    /// How many there are to be.
    pub desired: u32,
    /// How many are in service and healthy.
    pub in_service: u32,
    /// How many are on their way.
    #[serde(default)]
    pub pending: u32,
    /// How many are going.
    #[serde(default)]
    pub terminating: u32,
    /// In service and healthy, by zone.
    #[serde(default)]
    pub zones: BTreeMap<String, u32>,
    /// How many are enough, where that is fewer than desired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enough: Option<u32>,
    /// Why there are not more, as Auto Scaling says: `InsufficientInstanceCapacity in ap-northeast-1a`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl GroupCount {
    /// As many as desired are in service, and none goes that would still cost.
    #[must_use]
    pub fn is_as_asked(&self) -> bool {
        self.in_service == self.desired && self.terminating == 0
    }

    /// Fewer than desired, and as many as are enough.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.enough.is_some_and(|enough| self.in_service >= enough) && self.in_service <= self.desired
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::probe::Ask;

    #[test]
    fn what_is_enough_is_never_more_than_all_and_is_rounded_up() {
        for (enough, desired, of) in [
            (Enough::Percent(90), 40, 36),
            (Enough::Percent(90), 41, 37),
            (Enough::Percent(100), 3, 3),
            (Enough::Percent(1), 1, 1),
            (Enough::Percent(50), 0, 0),
            (Enough::Percent(90), u32::MAX, 3_865_470_566),
            (Enough::Count(35), 40, 35),
            (Enough::Count(35), 2, 2),
            (Enough::Count(0), 40, 0),
        ] {
            assert_eq!(enough.of(desired), of, "{enough:?} of {desired}");
        }
    }

    #[test]
    fn a_group_is_as_asked_only_when_nothing_is_missing_and_nothing_still_goes() {
        let count =
            |desired, in_service, terminating| GroupCount { desired, in_service, terminating, ..GroupCount::default() };
        assert!(count(40, 40, 0).is_as_asked() && count(0, 0, 0).is_as_asked());
        assert!(!count(40, 37, 0).is_as_asked() && !count(2, 40, 0).is_as_asked() && !count(0, 0, 3).is_as_asked());
        let enough = |in_service| GroupCount { enough: Some(36), ..count(40, in_service, 0) };
        assert!(enough(36).is_enough() && !enough(35).is_enough() && !enough(41).is_enough());
        assert!(!count(40, 39, 0).is_enough(), "without a word of the configuration all are wanted");
    }

    #[test]
    fn probes_are_for_their_levels_and_never_for_off() {
        let probe = |levels: &[&str]| Probe {
            asks: Ask::Tcp("a:1".to_owned()),
            levels: levels.iter().map(|name| name.parse().expect("a name")).collect(),
        };
        let readiness = Readiness { probes: vec![probe(&[]), probe(&["full"])], ..Readiness::default() };
        let at = |level: &str| readiness.probes_at(&level.parse().expect("a level")).count();
        assert_eq!((at("full"), at("small"), at("off")), (2, 1, 0));
    }
}
