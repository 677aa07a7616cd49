//! What is read for many transitions before any of them is made, and stored for all of them afterwards: a statement costs more than a
//! row of it. And what the audit keeps of each.
//!
//! Whoever stores several of them takes the rows of what was asked for first, by the names of the environments; then the counter of
//! runs; the end of the audit last. Two clocks that do so wait for each other, and never both.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Due;
use super::case::Ordered;
use crate::desk::order::{last_of, standing_after};
use crate::desk::record::result;
use crate::desk::{Case, DeskError, Done};
use crate::domain::answer::{Actor, RunSummary};
use crate::domain::audit::{Decision, MISS};
use crate::domain::command::CommandName;
use crate::domain::holds::Hold;
use crate::domain::ids::{EnvironmentName, Timestamp};
use crate::domain::refusal::Refusal;
use crate::domain::request::Target;
use crate::domain::schedule::in_words;
use crate::ledger::audit::{self, Entry};
use crate::ledger::firings::{self, Firing};
use crate::ledger::holds::{self, Unreadable};
use crate::ledger::{LedgerError, Tx, environments, runs};

/// What the ledger has about several transitions, read at once.
pub(super) struct Known {
    /// How it is with their environments, for who asks first: after a transition it is another.
    stands: BTreeMap<EnvironmentName, Result<Standing, LedgerError>>,
    /// What people hold.
    pub(super) holds: Holds,
}

/// What people hold, and those of which it cannot be read.
pub(super) struct Holds {
    pub(super) standing: Vec<Hold>,
    pub(super) broken: Vec<Unreadable>,
    /// When it was read.
    pub(super) at: Timestamp,
}

impl Holds {
    pub(super) async fn read(tx: &mut Tx) -> Result<Self, LedgerError> {
        let (standing, broken) = holds::readable(&mut *tx).await?;
        Ok(Self { standing, broken, at: crate::ledger::now(tx).await? })
    }
}

/// What is stored at the end of a transaction, all of it at once.
#[derive(Default)]
pub(super) struct Batch<'m> {
    /// What came of transitions.
    pub(super) firings: Vec<Firing>,
    /// What the audit keeps of them, with their places among those that are due.
    pub(super) noted: Vec<(usize, Noted<'m>)>,
    /// Runs that are to be stored.
    pub(super) ordered: Vec<Order<'m>>,
}

/// A run that is to be stored.
pub(super) struct Order<'m> {
    /// The place of its transition.
    pub(super) at: usize,
    pub(super) due: &'m Due,
    pub(super) firing: Firing,
    pub(super) case: Case<'m>,
    pub(super) ordered: Ordered,
}

/// What the audit keeps of one transition.
pub(super) enum Noted<'m> {
    /// A run is in the queue.
    Done(Case<'m>, CommandName, Box<Done>),
    /// There was nothing to do.
    Nothing(Case<'m>, CommandName, EnvironmentName),
    /// Something stands against it.
    Refused {
        case: Case<'m>,
        command: CommandName,
        environment: Option<EnvironmentName>,
        rule: &'static str,
        said: Refusal,
    },
    /// It was too late for it.
    Missed { firing: Firing, because: &'m str },
}

impl Batch<'_> {
    pub(super) async fn store(mut self, tx: &mut Tx, now: Timestamp) -> Result<(), DeskError> {
        // Where somebody decided on one of them in this very moment, all of it is undone and looked at again.
        if !firings::put_all(tx, &self.firings, now).await? {
            return Err(DeskError::Repeated);
        }
        if self.noted.is_empty() {
            return Ok(());
        }
        self.noted.sort_by_key(|(at, _)| *at);
        let details: Vec<Option<Value>> = self.noted.iter().map(|(_, noted)| noted.detail()).collect();
        let tidegate = Actor::tidegate();
        let entries: Vec<Entry<'_>> = self
            .noted
            .iter()
            .zip(&details)
            .map(|((_, noted), detail)| Entry { detail: detail.as_ref(), ..noted.entry(&tidegate) })
            .collect();
        audit::append_all(tx, &entries).await?;
        Ok(())
    }
}

impl Noted<'_> {
    fn detail(&self) -> Option<Value> {
        match self {
            Self::Done(case, command, done) => case.allowed_detail(*command, done),
            Self::Nothing(..) => None,
            Self::Refused { case, said, .. } => Some(case.refused_detail(&said.what, &said.why)),
            Self::Missed { firing, .. } => Some(not_done(firing)),
        }
    }

    /// The entry, but for its detail.
    fn entry<'e>(&'e self, tidegate: &'e Actor) -> Entry<'e> {
        match self {
            Self::Done(case, command, done) => Entry {
                run: done.run,
                rule: done.rule,
                result: Some(result(&done.answer)),
                ..case.entry(command.action(), done.environment.as_ref())
            },
            Self::Nothing(case, command, environment) => {
                Entry { result: Some("nothing"), ..case.entry(command.action(), Some(environment)) }
            }
            Self::Refused { case, command, environment, rule, .. } => Entry {
                decision: Decision::Refused,
                rule: Some(*rule),
                ..case.entry(command.action(), environment.as_ref())
            },
            Self::Missed { firing, because } => entry_of_not_done(tidegate, MISS, firing, because),
        }
    }
}

/// What is kept of a transition that came to nothing.
pub(super) fn not_done(firing: &Firing) -> Value {
    let Firing { key, due, wanted, tries, why, .. } = firing;
    json!({ "key": key, "due": due, "wanted": in_words(wanted), "tries": tries, "why": why })
}

/// That a transition came to nothing, without its detail.
pub(super) fn entry_of_not_done<'e>(
    tidegate: &'e Actor,
    action: &'e str,
    firing: &'e Firing,
    because: &'e str,
) -> Entry<'e> {
    Entry {
        environment: Some(&firing.environment),
        run: firing.run,
        because: Some(because),
        result: Some(firing.outcome.as_str()),
        ..Entry::of_tidegate(tidegate, action)
    }
}

/// How it is with an environment.
pub(super) struct Standing {
    /// Its runs that are not over.
    pub(super) active: Vec<RunSummary>,
    /// Where it is to be once they are done.
    pub(super) wanted: Option<Target>,
}

impl Standing {
    /// How it is now.
    pub(super) async fn of(tx: &mut Tx, name: &EnvironmentName) -> Result<Self, LedgerError> {
        let active = runs::active(&mut *tx, name).await?;
        let wanted = standing_after(tx, name, &active).await?;
        Ok(Self { active, wanted })
    }
}

/// Those of some transitions that were decided on before: environments and keys.
pub(super) async fn decided_before(tx: &mut Tx, due: &[Due]) -> Result<BTreeSet<(String, String)>, LedgerError> {
    let at = || due.iter().map(|due| due.at);
    match (at().min(), at().max()) {
        (Some(first), Some(last)) => firings::keys(tx, first, last).await,
        (None, _) | (_, None) => Ok(BTreeSet::new()),
    }
}

impl Known {
    /// What is known of some transitions before any of them is made.
    pub(super) async fn of(tx: &mut Tx, due: &[Due]) -> Result<Self, LedgerError> {
        let names: Vec<&EnvironmentName> = due.iter().map(|due| &due.environment).collect();
        let (mut active, unread) = runs::active_of(&mut *tx, &names).await?;
        let (mut wanted, wanted_unread) = environments::wanted_of(&mut *tx, &names).await?;
        let distinct: BTreeSet<&EnvironmentName> = names.into_iter().collect();
        let stand = |name: &&EnvironmentName| {
            let active = active.remove(*name).unwrap_or_default();
            let wanted = wanted.remove(*name).map(|wanted| wanted.target);
            ((*name).clone(), Ok(Standing { wanted: last_of(&active).or(wanted), active }))
        };
        let mut stands: BTreeMap<EnvironmentName, Result<Standing, LedgerError>> = distinct.iter().map(stand).collect();
        for one in unread.into_iter().chain(wanted_unread) {
            let own = stands.iter_mut().find(|(name, _)| Some(name.as_str()) == one.environment.as_deref());
            if let Some((_, standing)) = own {
                *standing = Err(one.into());
            }
        }
        Ok(Self { stands, holds: Holds::read(tx).await? })
    }

    /// Where an environment is to be, as it was read with the others; `None` where that is not known, or was asked before.
    pub(super) fn wanted(&self, name: &EnvironmentName) -> Option<&Target> {
        self.stands.get(name)?.as_ref().ok()?.wanted.as_ref()
    }

    /// How it is with an environment: as it was read with the others, and anew for who asks again.
    pub(super) async fn standing(&mut self, tx: &mut Tx, name: &EnvironmentName) -> Result<Standing, LedgerError> {
        match self.stands.remove(name) {
            Some(standing) => standing,
            None => Standing::of(tx, name).await,
        }
    }
}
