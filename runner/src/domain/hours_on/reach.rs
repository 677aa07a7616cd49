//! Where an environment stood over time, from what its runs did.

use std::collections::BTreeSet;

use crate::domain::environment::Level;
use crate::domain::ids::{ActorId, RunNumber, StackName, Timestamp};

/// Where an environment stood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stood {
    /// All of it was brought to this level.
    At(Level),
    /// An apply did not end well, or is not over: it may be anywhere between.
    InDoubt,
    /// Nothing was ever finished on it.
    NotKnown,
}

/// Whose change something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whose {
    /// Who.
    pub id: ActorId,
    /// What they were called then.
    pub called: String,
}

/// What came of a run that changed something or found that there was nothing to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It ended as it should, then.
    Done(Timestamp),
    /// It found all as it should be, then.
    Found(Timestamp),
    /// Its apply began then and did not end well, or has not ended.
    Doubt(Timestamp),
}

/// One run, as far as it says where the environment stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// Its number.
    pub run: RunNumber,
    /// The level that it was for.
    pub level: Level,
    /// Of a `scale`: its stacks. It says nothing about the level of the others.
    pub scaled: Option<BTreeSet<StackName>>,
    /// Whose it was.
    pub whose: Whose,
    /// What came of it.
    pub came: Came,
}

/// From when on it stood where, and by whose change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// From when on.
    pub from: Timestamp,
    /// Where.
    pub stood: Stood,
    /// By whose change.
    pub whose: Whose,
    /// By which run.
    pub run: RunNumber,
}

impl Deed {
    /// From when on it counts.
    fn at(&self) -> Timestamp {
        let (Came::Done(at) | Came::Found(at) | Came::Doubt(at)) = &self.came;
        *at
    }
}

/// Where an environment stood over time, in order. It is at a level from the moment at which a run to it succeeded; until then it
/// counts as being where it was before, unless the run did not end well: then it is in doubt from the moment at which its apply
/// began, and until a run brings all of it to a level, or for a `scale`, those stacks of it.
#[must_use]
pub fn reached(mut deeds: Vec<Deed>) -> Vec<Reach> {
    deeds.sort_by_key(|deed| (deed.at(), deed.run));
    let mut level: Option<Level> = None;
    let mut in_doubt = false;
    let mut unsettled: BTreeSet<StackName> = BTreeSet::new();
    let mut reaches: Vec<Reach> = Vec::new();
    for deed in deeds {
        let from = deed.at();
        match (&deed.came, deed.scaled) {
            (Came::Done(_) | Came::Found(_), None) => {
                level = Some(deed.level);
                in_doubt = false;
                unsettled.clear();
            }
            (Came::Done(_) | Came::Found(_), Some(stacks)) => unsettled.retain(|stack| !stacks.contains(stack)),
            (Came::Doubt(_), None) => in_doubt = true,
            (Came::Doubt(_), Some(stacks)) => unsettled.extend(stacks),
        }
        let stood = match &level {
            _ if in_doubt || !unsettled.is_empty() => Stood::InDoubt,
            Some(level) => Stood::At(level.clone()),
            None => Stood::NotKnown,
        };
        // What was found as it should be is still the change of whoever brought it there.
        let same = reaches.last().is_some_and(|last| last.stood == stood);
        if same && matches!(deed.came, Came::Found(_)) {
            continue;
        }
        reaches.push(Reach { from, stood, whose: deed.whose, run: deed.run });
    }
    reaches
}
