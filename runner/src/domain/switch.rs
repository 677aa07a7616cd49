//! When AWS is to end what a planned end did not: slaves of a test that nobody ended. By a time that was written while somebody meant it,
//! never because Tidegate was away.

use std::collections::{BTreeMap, BTreeSet};

use super::environment::{Environment, Level, OffAction, Stack};
use super::ids::Timestamp;
use super::request::{Target, variables};

/// How long after the planned end, in milliseconds: two hours. Who lowers late, or holds things up for a while, is not cut off.
pub const AFTER_MS: i64 = 2 * 3_600_000;

/// How far ahead an end is written at most, in milliseconds: 32 days. Far enough that it stands while Tidegate is away for
/// a whole month, and never years: that an end so far off is taken, nothing promises.
pub const AHEAD_MS: i64 = 32 * 86_400_000;

/// The name of the scheduled action on the group.
pub const ACTION: &str = "tidegate-planned-end";

/// What follows for the switch of an environment's groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// It is as it should be.
    Leave,
    /// What runs is to end then.
    At(Timestamp),
    /// Nothing is to end it.
    Off,
}

/// Until when people hold an environment as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Nobody does.
    Not,
    /// Until then.
    Until(Timestamp),
    /// Nobody knows until when.
    Open,
}

/// What is known of an environment now.
#[derive(Debug, Clone, Copy)]
pub struct Outlook {
    /// How high it is wanted, as [`super::environment::Environment::rank`] counts; `None` where nothing is wanted.
    pub wanted: Option<usize>,
    /// How high schedules and people ask for it now; `None` where nobody asks for anything.
    pub asked: Option<usize>,
    /// When it is to be lower than it is wanted now, next.
    pub lowers: Option<Timestamp>,
    /// Whether people hold it.
    pub held: Held,
}

/// How many instances of a group that has `desired` of them, where the environment is at `wanted`, are to be left where it is to be at
/// `lower`: what the one variable that is `desired` there is here. 0 where no variable is, or several are and do not agree.
#[must_use]
pub fn left(environment: &Environment, stack: &Stack, wanted: &Target, lower: &Target, desired: u32) -> u32 {
    if lower.level == Level::Off && stack.off == OffAction::Destroy {
        return 0;
    }
    let lowest = || environment.levels.first().cloned().map_or(Level::Off, Level::Profile);
    let lower = match lower.level {
        Level::Off => Target { level: lowest(), settings: BTreeMap::new() },
        Level::Profile(_) => lower.clone(),
    };
    let (now, then) = (variables(environment, stack, wanted), variables(environment, stack, &lower));
    let is_it = |value: &serde_json::Value| value.as_u64() == Some(u64::from(desired));
    let sizes = now
        .iter()
        .filter(|(_, value)| is_it(value))
        .map(|(name, _)| then.get(name).and_then(serde_json::Value::as_u64));
    let sizes: BTreeSet<Option<u64>> = sizes.collect();
    match sizes.into_iter().collect::<Vec<_>>().as_slice() {
        // More than there are is no end.
        [Some(size)] => u32::try_from(*size).unwrap_or(desired).min(desired),
        _ => 0,
    }
}

/// What the switch is to be. `off` has rank 0.
#[must_use]
pub fn decide(outlook: &Outlook, now: Timestamp) -> Switch {
    let Some(wanted) = outlook.wanted.filter(|rank| *rank > 0) else { return Switch::Off };
    let passed = outlook.asked.is_some_and(|asked| asked < wanted);
    let at = match (outlook.held, passed, outlook.lowers) {
        // Everything is stopped, until somebody says otherwise; or no end is planned.
        (Held::Open, _, _) | (_, false, None) => return Switch::Off,
        // Whoever holds it means it to stay.
        (Held::Until(until), true, _) => until,
        // The end has passed and it is not lowered yet: what was written while somebody meant it stands.
        (Held::Not, true, _) => return Switch::Leave,
        (Held::Until(until), false, Some(lowers)) => lowers.max(until),
        (Held::Not, false, Some(lowers)) => lowers,
    };
    let at = at.plus_ms(AFTER_MS);
    if at <= now {
        Switch::Leave
    } else if at > now.plus_ms(AHEAD_MS) {
        // It is written as it comes closer. An earlier one that stands would end what somebody means to stay.
        Switch::Off
    } else {
        Switch::At(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::environment::{Channels, Rules, StackSource, TerraformSettings, Variables};
    use crate::domain::ids::{ProfileName, StackName};
    use crate::domain::readiness::Readiness;

    #[test]
    fn what_is_left_is_what_the_lower_level_wants_of_the_variable_that_the_group_is() {
        let values = |slaves: u64, servers: u64| {
            let stack: StackName = "jmeter".parse().expect("a name");
            let values = [("slave_count".to_owned(), slaves.into()), ("servers".to_owned(), servers.into())];
            BTreeMap::from([(stack, Variables::from(values))])
        };
        let profile = |name: &str| name.parse::<ProfileName>().expect("a name");
        let target = |level: &str| Target { level: level.parse().expect("a level"), settings: BTreeMap::new() };
        let stack = Stack {
            name: "jmeter".parse().expect("a name"),
            source: StackSource::Folder("jmeter".into()),
            needs: Vec::new(),
            workspace: None,
            backend: BTreeMap::new(),
            env: BTreeMap::new(),
            variables: Variables::new(),
            off: OffAction::Lowest,
            terraform: TerraformSettings {
                program: "terraform".into(),
                version: None,
                lock_timeout_s: 0,
                parallelism: None,
            },
            readiness: Readiness::default(),
            busy: Vec::new(),
        };
        let shop = Environment {
            name: "shop".parse().expect("a name"),
            about: None,
            group: None,
            channel: Channels::default(),
            owners: Vec::new(),
            oncall: Vec::new(),
            up: profile("full"),
            down: Level::Profile(profile("small")),
            levels: vec![profile("small"), profile("full")],
            protect: Vec::new(),
            stacks: [(stack.name.clone(), stack.clone())].into(),
            settings: indexmap::IndexMap::new(),
            profiles: [(profile("small"), values(2, 1)), (profile("full"), values(40, 6))].into(),
            timetable: std::sync::Arc::default(),
            money: crate::domain::hours_on::Money::default(),
            rules: Rules::default(),
        };
        let left = |stack: &Stack, lower: &str, desired| left(&shop, stack, &target("full"), &target(lower), desired);
        assert_eq!(left(&stack, "small", 40), 2, "a few slaves stay for the night");
        assert_eq!(left(&stack, "off", 40), 2, "`off` only lowers this stack");
        assert_eq!(left(&stack, "small", 7), 0, "no variable is that: somebody set it by hand");
        let destroyed = Stack { off: OffAction::Destroy, ..stack.clone() };
        assert_eq!(left(&destroyed, "off", 40), 0);
    }

    #[test]
    fn the_switch_is_two_hours_after_the_planned_end_and_moves_with_it() {
        let now = Timestamp(1_000);
        let hours = |hours: i64| Timestamp(1_000 + hours * 3_600_000);
        let full = Outlook { wanted: Some(2), asked: Some(2), lowers: Some(hours(3)), held: Held::Not };
        for (outlook, switch, why) in [
            (full, Switch::At(hours(5)), "a window ends in three hours"),
            (Outlook { lowers: Some(hours(9)), ..full }, Switch::At(hours(11)), "somebody keeps it for longer"),
            (Outlook { lowers: None, ..full }, Switch::Off, "no end is planned: nothing ever ends by itself"),
            (Outlook { asked: None, lowers: None, ..full }, Switch::Off, "nobody asks for anything"),
            (Outlook { wanted: Some(0), ..full }, Switch::Off, "it is off"),
            (Outlook { wanted: None, ..full }, Switch::Off, "nobody wants it"),
            (
                Outlook { asked: Some(1), lowers: None, ..full },
                Switch::Leave,
                "the end has passed, and it stands still",
            ),
            (
                Outlook { asked: Some(1), held: Held::Until(hours(4)), ..full },
                Switch::At(hours(6)),
                "a hold goes on after the end",
            ),
            (Outlook { held: Held::Until(hours(4)), ..full }, Switch::At(hours(6)), "a hold goes beyond the end"),
            (Outlook { held: Held::Until(hours(1)), ..full }, Switch::At(hours(5)), "a hold ends before"),
            (
                Outlook { lowers: Some(hours(32 * 24 - 2)), ..full },
                Switch::At(hours(32 * 24)),
                "a month ahead, for whoever is away",
            ),
            (Outlook { lowers: Some(hours(32 * 24 - 1)), ..full }, Switch::Off, "farther off it is written later"),
            (
                Outlook { held: Held::Until(hours(2 * 8_766)), ..full },
                Switch::Off,
                "nothing is written for two years off, and the earlier end is not meant",
            ),
            (
                Outlook { asked: Some(1), held: Held::Until(hours(2 * 8_766)), ..full },
                Switch::Off,
                "nor where the end has passed",
            ),
            (Outlook { held: Held::Open, ..full }, Switch::Off, "everything is stopped, until somebody says"),
            (Outlook { lowers: Some(Timestamp(1_000 - AFTER_MS)), ..full }, Switch::Leave, "never in the past"),
        ] {
            assert_eq!(decide(&outlook, now), switch, "{why}");
        }
    }

    #[test]
    fn an_end_that_is_far_off_is_written_once_it_comes_closer() {
        let ends = Timestamp(90 * 86_400_000);
        let held = Outlook { wanted: Some(2), asked: Some(2), lowers: None, held: Held::Until(ends) };
        let full = Outlook { lowers: Some(ends), held: Held::Not, ..held };
        let first = |outlook: &Outlook| {
            (0..90).find(|day| decide(outlook, Timestamp(day * 86_400_000)) == Switch::At(ends.plus_ms(AFTER_MS)))
        };
        assert_eq!(first(&full), Some(59), "the first day on which two hours after it is within 32 days");
        assert_eq!(first(&held), None, "a hold alone plans no end");
        assert_eq!(first(&Outlook { asked: Some(1), ..held }), Some(59));
    }
}
