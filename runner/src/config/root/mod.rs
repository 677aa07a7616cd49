//! What a Terraform root declares, as far as Tidegate must know: variables, versions, backend, modules, providers.
//!
//! Read from the files themselves, so that a configuration can be held against hundreds of roots in a moment and without
//! `terraform init`. Expressions are not evaluated.

mod files;
mod json;
mod kind;
mod merge;
mod native;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::problem::Problem;

pub use kind::Type;

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
    /// The entries of `required_providers`, by local name.
    pub providers: BTreeMap<String, Provider>,
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
    /// True when it has validation rules, which only Terraform can check.
    pub validated: bool,
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

/// Where a root keeps its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// `s3`, `local`, ...; `cloud` for a `cloud` block.
    pub kind: String,
    /// Names of the arguments that the block gives.
    pub arguments: BTreeSet<String>,
    /// Where it is declared.
    pub at: Location,
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

/// A provider that a root asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provider {
    /// `hashicorp/aws`; `None` where the root does not say.
    pub source: Option<String>,
    /// Version constraints as written.
    pub version: Option<String>,
}

/// Reads the Terraform files of a folder: `*.tf`, `*.tf.json`, override files merged as Terraform does.
///
/// # Errors
/// The folder is missing, a file, or without Terraform files (told with line 0); a file cannot be read or has a syntax
/// error (with its place); a variable is declared twice. All at once.
pub fn read_root(folder: &Path) -> Result<Root, Vec<Problem>> {
    let files = files::list(folder).map_err(super::problem::Problems::into_vec)?;
    let mut problems = Vec::new();
    let mut merged = merge::Merge::new(folder);
    for file in &files.terraform {
        match files::declarations(&file.path) {
            Ok(found) if file.overrides => merged.add_override(found, &mut problems),
            Ok(found) => merged.add(found, &mut problems),
            Err(found) => problems.extend(found),
        }
    }
    for path in &files.values {
        match files::given(path) {
            Ok(names) => merged.root.given.extend(names),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(merged.root) } else { Err(problems) }
}

/// What one file declares.
#[derive(Debug, Default)]
struct Declarations {
    variables: Vec<VariableDeclaration>,
    required_versions: Vec<(String, Location)>,
    backend: Option<Backend>,
    modules: Vec<ModuleCall>,
    providers: Vec<(String, Provider)>,
}

/// A variable block; what it leaves out is `None`, so that an override changes only what it names.
#[derive(Debug)]
struct VariableDeclaration {
    name: String,
    kind: Option<(Type, String)>,
    default: Option<DefaultValue>,
    sensitive: Option<bool>,
    validated: bool,
    at: Location,
    span: std::ops::Range<usize>,
    source: super::source::Source,
}

#[cfg(test)]
mod tests;
