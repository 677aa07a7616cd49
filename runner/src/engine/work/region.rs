//! In which region AWS is asked about a stack: where its provider works, as far as anybody tells.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Ready, RunContext};
use crate::capacity::{CannotLook, Surroundings, region_of_profile};
use crate::domain::ids::StackName;
use crate::domain::request::Goal;
use crate::root::{Folder, Region};
use crate::terraform::backend_region;

/// A region, and how well it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) region: String,
    /// Only that of the state's bucket: what is found there is there, and what is not may be elsewhere.
    pub(super) guessed: bool,
}

impl RunContext {
    /// The region of what its state has (`of_state`), else that in which its provider works.
    ///
    /// # Errors
    /// [`CannotLook::NoRegion`] where nobody tells one.
    pub(super) async fn region(
        &self,
        name: &StackName,
        ready: &Ready,
        of_state: Option<&str>,
    ) -> Result<Asked, CannotLook> {
        let known = |region: String| Asked { region, guessed: false };
        if let Some(region) = of_state {
            return Ok(known(region.to_owned()));
        }
        let read = |root: Folder| root.region(&self.values(name, ready, &root));
        let written = Folder::list(&ready.root).map_or(Region::Unsaid, read);
        if let Region::Is(region) = written {
            return Ok(known(region));
        }
        let surroundings = Surroundings::with(&ready.env);
        // Where its code says something that is not read here, a person's word for the stack still counts, a profile's does not.
        if let Ok(region) = surroundings.region(name.as_str(), None) {
            return Ok(known(region));
        }
        if written == Region::Unsaid
            && let Some(region) = region_of_profile(&surroundings).await
        {
            return Ok(known(region));
        }
        let region = backend_region(&self.paths.data(&self.environment.name, name));
        region.map(|region| Asked { region, guessed: true }).ok_or_else(|| CannotLook::NoRegion(name.to_string()))
    }

    /// What the root's variables have, as far as it is given from outside: what its own files give goes before the environment.
    fn values(&self, name: &StackName, ready: &Ready, root: &Folder) -> BTreeMap<String, Value> {
        let of_env = ready.env.iter().filter_map(|(name, value)| {
            let name = name.to_str()?.strip_prefix("TF_VAR_")?;
            Some((name.to_owned(), Value::from(value.to_str()?)))
        });
        let mut values: BTreeMap<String, Value> = of_env.collect();
        values.extend(root.plain_values());
        if let Ok(stack) = self.stack(name) {
            let (Goal::Apply(variables) | Goal::Destroy { instead: variables }) =
                self.request.goal(&self.environment, stack);
            values.extend(variables);
        }
        values
    }
}
