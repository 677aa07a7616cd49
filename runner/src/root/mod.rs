//! Terraform's files, read without Terraform: which ones a folder has, what a root declares, which local modules it uses, where
//! it keeps its state, what `init` depends on. Files are parsed in one place (`block`), expressions are not evaluated.
//! Nothing here knows the configuration, and nothing starts a program.

mod backend;
mod block;
mod condition;
mod declarations;
mod files;
mod init;
mod kind;
mod merge;
mod modules;
mod plain;
mod region;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::problem::Problem;
use declarations::Declarations;

pub use backend::{Backend, LocalState};
pub use condition::Condition;
pub use files::{File, Folder};
pub use init::InitInputs;
pub use kind::Type;
pub use modules::folders_of;
pub use region::Region;
pub use written::arguments_of_resources;

/// A Terraform root (or any module), read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Root {
    /// Its folder, as it was given.
    pub folder: PathBuf,
    /// Its input variables.
    pub variables: BTreeMap<String, Variable>,
    /// The `required_version` constraints, as written.
    pub required_versions: Vec<(String, Location)>,
    /// The backend block; `None` means local state.
    pub backend: Option<Backend>,
    /// The module blocks.
    pub modules: Vec<ModuleCall>,
    /// Addresses of its resource blocks (`aws_db_instance.main`), without those of the modules that it calls.
    pub resources: BTreeSet<String>,
    /// Variables that get a value from `terraform.tfvars` and `*.auto.tfvars` in the folder, which Terraform loads by itself.
    pub given: BTreeSet<String>,
}

/// A place in a Terraform file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file, inside the root's folder.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: u32,
}

/// An input variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type; [`Type::Any`] when none is declared.
    pub kind: Type,
    /// The type as written; empty when none is declared.
    pub type_text: String,
    /// Its default.
    pub default: DefaultValue,
    /// True when Terraform keeps its values out of what it prints.
    pub sensitive: bool,
    /// Those of its validation conditions that can be checked without Terraform.
    pub conditions: Vec<Condition>,
    /// Where it is declared.
    pub at: Location,
}

/// The default of a variable.
#[derive(Debug, Clone, PartialEq)]
pub enum DefaultValue {
    /// None: somebody must give a value.
    Missing,
    /// This value.
    Value(serde_json::Value),
    /// There is one, but it is not a plain value.
    Unread,
}

/// A call of another module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleCall {
    /// Its name in this root.
    pub name: String,
    /// Its source as written; empty when it is not a plain text.
    pub source: String,
    /// Where it is declared.
    pub at: Location,
}

impl ModuleCall {
    /// The module's folder when it is a local one, relative to the calling module.
    #[must_use]
    pub fn local(&self) -> Option<&Path> {
        (self.source.starts_with("./") || self.source.starts_with("../")).then(|| Path::new(&self.source))
    }
}

/// Reads the Terraform files of a folder: `*.tf`, `*.tf.json`, override files merged as Terraform does.
///
/// # Errors
/// The folder is missing, a file, or without Terraform files (told with line 0); a file cannot be read or has a syntax
/// error (with its place); a variable is declared twice. All at once.
pub fn read_root(path: &Path) -> Result<Root, Vec<Problem>> {
    match Folder::list(path) {
        Ok(folder) => folder.root(),
        Err(error) => Err(vec![Problem::of_file(
            path,
            match error.kind() {
                std::io::ErrorKind::NotFound => "there is no such folder".to_owned(),
                std::io::ErrorKind::NotADirectory => "it is a file, not a folder".to_owned(),
                _ => format!("the folder cannot be read: {error}"),
            },
        )]),
    }
}

impl Folder {
    /// Plain values that `terraform.tfvars` and `*.auto.tfvars` give, later files over earlier ones as Terraform takes them. What cannot be
    /// read gives none: [`read_root`] tells of it.
    #[must_use]
    pub fn plain_values(&self) -> BTreeMap<String, serde_json::Value> {
        let bodies = self.values.iter().filter_map(|file| file.body().ok());
        let given = bodies.flat_map(|body| {
            body.arguments()
                .iter()
                .filter_map(|given| Some((given.name.to_owned(), given.plain()?)))
                .collect::<Vec<_>>()
        });
        given.collect()
    }

    /// What its files declare, as [`read_root`].
    ///
    /// # Errors
    /// As [`read_root`].
    pub fn root(&self) -> Result<Root, Vec<Problem>> {
        if !self.is_root_beside("") {
            return Err(vec![self.no_root()]);
        }
        let mut problems = Vec::new();
        let mut merged = merge::Merge::new(&self.path);
        for file in self.files.iter().filter(|file| !file.tofu_only) {
            match file.body().map(|body| Declarations::read(&body)) {
                Ok(found) if file.overrides => merged.add_override(found, &mut problems),
                Ok(found) => merged.add(found, &mut problems),
                Err(found) => problems.extend_from_slice(found),
            }
        }
        for file in &self.values {
            match file.body() {
                Ok(body) => merged.root.given.extend(body.arguments().iter().map(|given| given.name.to_owned())),
                Err(found) => problems.extend_from_slice(found),
            }
        }
        if problems.is_empty() { Ok(merged.root) } else { Err(problems) }
    }

    fn no_root(&self) -> Problem {
        if self.files.is_empty() {
            return Problem::of_file(&self.path, "there are no Terraform files (`*.tf`) in this folder");
        }
        let message = "there are only `*.tofu` files in this folder; Terraform passes over them, and so does Tidegate";
        let hint = "rename them to `*.tf`, which OpenTofu reads as well".to_owned();
        Problem::of_file(&self.path, message).with_hint(Some(hint))
    }
}

#[cfg(test)]
mod tests;
