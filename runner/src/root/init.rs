//! What of a root module and its local modules matters to `terraform init`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::block::Body;
use super::{Folder, ModuleCall};
use crate::problem::{Problem, Problems};

/// Local modules inside local modules; Terraform itself would be unusable long before.
const MODULES_MAX: usize = 1_000;

/// Sorted sets of texts, so that neither order nor formatting between blocks matters.
#[derive(Debug, Default)]
pub struct InitInputs {
    /// `backend` and `cloud` blocks.
    pub backends: BTreeSet<String>,
    /// `terraform` blocks without them.
    pub requirements: BTreeSet<String>,
    /// Names of providers, from `provider` blocks and from the types of resources and data sources.
    pub providers: BTreeSet<String>,
    /// Name, source and version of each module call.
    pub modules: BTreeSet<String>,
}

impl InitInputs {
    /// Reads a root and its local modules.
    ///
    /// # Errors
    /// A folder or file cannot be read, or a file has a syntax error. `init` will say in Terraform's own words what is wrong.
    pub fn read(root: &Path) -> Result<Self, Problems> {
        let mut found = Self::default();
        let mut seen = BTreeSet::new();
        let mut open = vec![root.to_owned()];
        while let Some(path) = open.pop() {
            let io = |error: std::io::Error| Problems::from(Problem::of_file(&path, error.to_string()));
            let real = path.canonicalize().map_err(io)?;
            if seen.len() < MODULES_MAX && seen.insert(real) {
                let folder = Folder::list(&path).map_err(io)?;
                for file in &folder.files {
                    let body = file.body().map_err(|problems| Problems::new(problems.to_vec()))?;
                    found.add(&body, &path, &mut open);
                }
            }
        }
        Ok(found)
    }

    fn add(&mut self, body: &Body<'_>, folder: &Path, open: &mut Vec<PathBuf>) {
        for terraform in body.blocks("terraform") {
            for (name, written) in terraform.body.entries() {
                if matches!(name, "backend" | "cloud") {
                    self.backends.insert(written);
                } else {
                    self.requirements.insert(format!("{name} {written}"));
                }
            }
            for required in terraform.body.blocks("required_providers") {
                self.providers.extend(required.body.arguments().iter().map(|provider| provider.name.to_owned()));
            }
        }
        for block in body.blocks("module") {
            let call = ModuleCall::of(&block);
            let version = block.body.text("version").unwrap_or_default();
            self.modules.insert(format!("{} {} {version}", call.name, call.source));
            // A module that is not there is told by Terraform, with the line of the call.
            open.extend(call.local().map(|local| folder.join(local)).filter(|local| local.is_dir()));
        }
        self.providers.extend(body.blocks("provider").iter().map(|provider| provider.label.to_owned()));
        // Terraform's own rule where a block names no provider: `aws` for a `resource "aws_instance"`.
        for block in ["resource", "data", "ephemeral"].into_iter().flat_map(|kind| body.blocks(kind)) {
            self.providers.extend(block.label.split('_').next().map(str::to_owned));
        }
    }
}
