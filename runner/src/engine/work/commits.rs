//! Which commit a run uses: of each repository one, whatever is committed while the run goes on.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::domain::environment::Environment;
use crate::domain::ids::StackName;
use crate::domain::run::RunView;
use crate::source::{Wanted, repository};

/// The commits of one run.
#[derive(Debug)]
pub struct Commits {
    stacks: BTreeMap<StackName, Place>,
    newest: bool,
}

/// Where the code of a stack comes from.
#[derive(Debug)]
struct Place {
    /// The commit that this run uses of its repository, once that is known. Held while the first stack of it finds out.
    used: Arc<Mutex<Option<String>>>,
    /// The commit accepted last in its repository.
    accepted: Option<String>,
    /// The stack itself has had a commit before: nothing else may run in its place.
    had_one: bool,
}

/// What a stack is made ready with.
#[derive(Debug)]
pub(super) struct Choice {
    /// The commit; `None`: the newest.
    pub(super) commit: Option<String>,
    pub(super) wanted: Wanted,
    /// The others of the repository wait for what this one finds.
    first: Option<OwnedMutexGuard<Option<String>>>,
}

impl Choice {
    /// Tells the others which commit it was. `None`: the root is not in git, and the next one finds out for itself.
    pub(super) fn was(self, commit: Option<&str>) {
        if let Some(mut used) = self.first {
            *used = commit.map(str::to_owned);
        }
    }
}

impl Commits {
    /// `accepted`: the stacks of the environment with the commit that each stands at, the one accepted last at the end. What
    /// the run used before a restart counts for all its stacks.
    #[must_use]
    pub fn new(environment: &Environment, view: &RunView, accepted: &[(StackName, String)]) -> Self {
        // A stack outside git shares its code with no other one.
        let repository_of = |name: &StackName| {
            let stack = environment.stacks.get(name)?;
            Some(repository(&stack.source).unwrap_or_else(|| format!("stack {name}")))
        };
        let used_by = |name: &StackName| view.stacks.get(name)?.provenance.as_ref()?.commit.clone();
        let used: BTreeMap<String, String> =
            view.stacks.keys().filter_map(|name| Some((repository_of(name)?, used_by(name)?))).collect();
        // The last of several counts.
        let last: BTreeMap<String, &String> =
            accepted.iter().filter_map(|(name, commit)| Some((repository_of(name)?, commit))).collect();
        let mut cells: BTreeMap<String, Arc<Mutex<Option<String>>>> = BTreeMap::new();
        let places = environment.stacks.keys().filter_map(|name| {
            let repository = repository_of(name)?;
            let used =
                cells.entry(repository.clone()).or_insert_with(|| Arc::new(Mutex::new(used.get(&repository).cloned())));
            let place = Place {
                used: Arc::clone(used),
                accepted: last.get(&repository).map(|commit| (*commit).clone()),
                had_one: used_by(name).is_some() || accepted.iter().any(|(of, _)| of == name),
            };
            Some((name.clone(), place))
        });
        Self { stacks: places.collect(), newest: view.request.newest_code }
    }

    /// What `stack` is to be made ready with. Waits while another stack of the same repository finds out which commit it is.
    pub(super) async fn of(&self, stack: &StackName) -> Choice {
        let newest = Choice { commit: None, wanted: Wanted::Newest, first: None };
        let Some(place) = self.stacks.get(stack) else { return newest };
        let mut used = Arc::clone(&place.used).lock_owned().await;
        if used.is_none() && !self.newest {
            used.clone_from(&place.accepted);
        }
        match used.clone() {
            Some(commit) => {
                let wanted = if place.had_one { Wanted::Accepted } else { Wanted::Shared };
                Choice { commit: Some(commit), wanted, first: None }
            }
            None => Choice { first: Some(used), ..newest },
        }
    }
}
