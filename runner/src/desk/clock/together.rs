//! What is read for many transitions before any of them is made, and stored for all of them afterwards: a statement costs more than a
//! row of it.

use std::collections::{BTreeMap, BTreeSet};

use super::Due;
use crate::desk::order::last_of;
use crate::desk::{Case, DeskError, Done};
use crate::domain::answer::RunSummary;
use crate::domain::command::CommandName;
use crate::domain::ids::{EnvironmentName, Timestamp};
use crate::domain::request::Target;
use crate::ledger::firings::{self, Firing};
use crate::ledger::{LedgerError, Tx, environments, runs};

/// What the ledger has about several transitions, read at once.
pub(super) struct Known {
    /// Transitions that were decided on before: environments and keys.
    pub(super) decided: BTreeSet<(String, String)>,
    /// How it is with their environments, for who asks first: after a transition it is another.
    pub(super) stands: BTreeMap<EnvironmentName, Standing>,
}

/// What is stored at the end of a transaction, all of it at once.
#[derive(Default)]
pub(super) struct Batch<'m> {
    /// What came of transitions.
    pub(super) firings: Vec<Firing>,
    /// What was done, for the audit, which comes last. `None`: there was nothing to do.
    pub(super) done: Vec<(Case<'m>, CommandName, EnvironmentName, Option<Done>)>,
}

impl Batch<'_> {
    pub(super) async fn store(self, tx: &mut Tx, now: Timestamp) -> Result<(), DeskError> {
        // Where somebody decided on one of them in this very moment, all of it is undone and looked at again.
        if !firings::put_all(tx, &self.firings, now).await? {
            return Err(DeskError::Repeated);
        }
        Ok(Case::note_together(tx, &self.done).await?)
    }
}

/// How it is with an environment.
pub(super) struct Standing {
    /// Its runs that are not over.
    pub(super) active: Vec<RunSummary>,
    /// Where it is to be once they are done.
    pub(super) wanted: Option<Target>,
}

impl Known {
    /// What is known of some transitions before any of them is made.
    pub(super) async fn of(tx: &mut Tx, due: &[Due]) -> Result<Self, LedgerError> {
        let at = || due.iter().map(|due| due.at);
        let (Some(first), Some(last)) = (at().min(), at().max()) else {
            return Ok(Self { decided: BTreeSet::new(), stands: BTreeMap::new() });
        };
        let decided = firings::keys(&mut *tx, first, last).await?;
        let names: Vec<&EnvironmentName> = due.iter().map(|due| &due.environment).collect();
        let mut active = runs::active_of(&mut *tx, &names).await?;
        let mut wanted = environments::wanted_of(&mut *tx, &names).await?;
        let stand = |name: &&EnvironmentName| {
            let active = active.remove(*name).unwrap_or_default();
            let wanted = wanted.remove(*name).map(|wanted| wanted.target);
            ((*name).clone(), Standing { wanted: last_of(&active).or(wanted), active })
        };
        let distinct: BTreeSet<&EnvironmentName> = names.into_iter().collect();
        let stands = distinct.iter().map(stand).collect();
        Ok(Self { decided, stands })
    }
}
