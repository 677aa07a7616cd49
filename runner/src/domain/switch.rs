//! When AWS is to end what a planned end did not: slaves of a test that nobody ended. By a time that was written while somebody meant it,
//! never because Tidegate was away.

use super::ids::Timestamp;

/// How long after the planned end, in milliseconds: two hours. Who lowers late, or holds things up for a while, is not cut off.
pub const AFTER_MS: i64 = 2 * 3_600_000;

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
    if at > now { Switch::At(at) } else { Switch::Leave }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (Outlook { held: Held::Open, ..full }, Switch::Off, "everything is stopped, until somebody says"),
            (Outlook { lowers: Some(Timestamp(1_000 - AFTER_MS)), ..full }, Switch::Leave, "never in the past"),
        ] {
            assert_eq!(decide(&outlook, now), switch, "{why}");
        }
    }
}
