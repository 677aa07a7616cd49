//! Which files of a folder Terraform reads, and in which order.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::super::problem::{Problem, Problems};
use super::super::source::Source;
use super::{Declarations, json, native};

/// The files of a folder that Terraform reads by itself.
pub(super) struct Files {
    /// Configuration, overriding files last.
    pub(super) terraform: Vec<File>,
    /// Values of variables.
    pub(super) values: Vec<PathBuf>,
}

/// A configuration file.
pub(super) struct File {
    pub(super) path: PathBuf,
    /// `override.tf` and `*_override.tf`. Source: "Override Files" in Terraform's documentation.
    pub(super) overrides: bool,
}

/// Lists the files, or tells why there are none.
pub(super) fn list(folder: &Path) -> Result<Files, Problems> {
    let refuse = |why: String| Err(Problem::of_file(folder, why).into());
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            return match error.kind() {
                std::io::ErrorKind::NotFound => refuse("there is no such folder".to_owned()),
                std::io::ErrorKind::NotADirectory => refuse("it is a file, not a folder".to_owned()),
                _ => refuse(format!("the folder cannot be read: {error}")),
            };
        }
    };
    let mut files = Files { terraform: Vec::new(), values: Vec::new() };
    for entry in entries {
        let path = match entry {
            Ok(entry) => entry.path(),
            Err(error) => return refuse(format!("the folder cannot be read: {error}")),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // What editors leave behind, and folders that look like files.
        let ignored = name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'));
        if ignored || path.is_dir() {
            continue;
        }
        if let Some(stem) = name.strip_suffix(".tf").or_else(|| name.strip_suffix(".tf.json")) {
            let overrides = stem == "override" || stem.ends_with("_override");
            files.terraform.push(File { path, overrides });
        } else if matches!(name.as_str(), "terraform.tfvars" | "terraform.tfvars.json")
            || name.ends_with(".auto.tfvars")
            || name.ends_with(".auto.tfvars.json")
        {
            files.values.push(path);
        }
    }
    if files.terraform.is_empty() {
        return refuse("there are no Terraform files (`*.tf`) in this folder".to_owned());
    }
    files.terraform.sort_by(|a, b| (a.overrides, &a.path).cmp(&(b.overrides, &b.path)));
    Ok(files)
}

/// Reads one configuration file.
pub(super) fn declarations(path: &Path) -> Result<Declarations, Vec<Problem>> {
    let source = Source::read(path).map_err(Problems::into_vec)?;
    if is_json(path) { json::read(&source) } else { native::read(&source) }
}

/// Reads the names of the variables that a values file gives.
pub(super) fn given(path: &Path) -> Result<BTreeSet<String>, Vec<Problem>> {
    let source = Source::read(path).map_err(Problems::into_vec)?;
    if is_json(path) { json::names(&source) } else { native::names(&source) }
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}
