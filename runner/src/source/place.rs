//! The folder that holds a stack's code: `tree/` with the files, `index` with git's memory of them, `prepared.json` which
//! says what they are, and `mirror.git` for a repository by URL.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Newer, SourceError};

/// What Terraform leaves in a root module's folder and would be missed: provider hashes, a state that could not be
/// pushed, and a local state that nobody moved elsewhere.
const KEPT: [&str; 5] =
    [".terraform.lock.hcl", "errored.tfstate", "terraform.tfstate", "terraform.tfstate.backup", "terraform.tfstate.d"];

/// The place of one stack's code.
#[derive(Debug)]
pub(super) struct Place {
    folder: PathBuf,
}

/// What lies in `tree/`. There only while it is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Prepared {
    /// Where it came from: another source makes another tree.
    pub(super) origin: String,
    /// The root module, relative to `tree/`.
    pub(super) root: PathBuf,
    /// The commit, when it came from git.
    pub(super) commit: Option<String>,
    /// Tree id or SHA-256.
    pub(super) digest: String,
    /// The newest commit that was compared with [`Self::commit`], and what came of it.
    pub(super) compared: Option<(String, Option<Newer>)>,
}

impl Place {
    /// Makes the folder where it is missing.
    pub(super) fn open(folder: &Path) -> Result<Self, SourceError> {
        fs::create_dir_all(folder).map_err(SourceError::io("make the folder", folder))?;
        let folder = folder.canonicalize().map_err(SourceError::io("read the folder", folder))?;
        Ok(Self { folder })
    }

    pub(super) fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    pub(super) fn index(&self) -> PathBuf {
        self.folder.join("index")
    }

    pub(super) fn mirror(&self) -> PathBuf {
        self.folder.join("mirror.git")
    }

    fn marker(&self) -> PathBuf {
        self.folder.join("prepared.json")
    }

    /// What is there, if it is whole. A marker that cannot be read means that it is not.
    pub(super) fn prepared(&self) -> Option<Prepared> {
        let text = fs::read(self.marker()).ok()?;
        let prepared: Prepared = serde_json::from_slice(&text).ok()?;
        self.tree().join(&prepared.root).is_dir().then_some(prepared)
    }

    /// Replaces what is there: `fill` writes all files into an empty folder (first argument; the second is the path for
    /// git's index) and says what they are. Nothing is seen of it before it is whole.
    pub(super) fn replace(
        &self,
        fill: impl FnOnce(&Path, &Path) -> Result<Prepared, SourceError>,
    ) -> Result<Prepared, SourceError> {
        let (new, old, tree) = (self.folder.join("tree.new"), self.folder.join("tree.old"), self.tree());
        let new_index = self.folder.join("index.new");
        // A crash between the two renames below left only the old tree, with what is to be kept in it.
        if old.is_dir() && !tree.exists() {
            rename(&old, &tree)?;
        }
        for leftover in [&new, &old] {
            remove_folder(leftover)?;
        }
        for leftover in [new_index.clone(), self.folder.join("index.new.lock")] {
            remove_file(&leftover)?;
        }
        fs::create_dir_all(&new).map_err(SourceError::io("make the folder", &new))?;
        let prepared = fill(&new, &new_index)?;
        keep(&tree.join(&prepared.root), &new.join(&prepared.root))?;

        remove_file(&self.marker())?;
        if tree.exists() {
            rename(&tree, &old)?;
        }
        rename(&new, &tree)?;
        if new_index.exists() {
            rename(&new_index, &self.index())?;
        }
        self.mark(&prepared)?;
        remove_folder(&old)?;
        Ok(prepared)
    }

    /// Writes down what is there.
    pub(super) fn mark(&self, prepared: &Prepared) -> Result<(), SourceError> {
        let (marker, new) = (self.marker(), self.folder.join("prepared.json.new"));
        let text = serde_json::to_vec(prepared).unwrap_or_default();
        fs::write(&new, text).map_err(SourceError::io("write", &new))?;
        rename(&new, &marker)
    }
}

/// Copies what Terraform left in the old root into the new one, where the new code does not bring its own.
fn keep(old: &Path, new: &Path) -> Result<(), SourceError> {
    for name in KEPT {
        let (from, to) = (old.join(name), new.join(name));
        if !from.exists() || to.exists() {
            continue;
        }
        // Copied, not moved: until the swap is done, the old tree is the one that counts.
        copy_all(&from, &to)?;
    }
    Ok(())
}

fn copy_all(from: &Path, to: &Path) -> Result<(), SourceError> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop).map_err(SourceError::io("copy", from));
    }
    fs::create_dir_all(to).map_err(SourceError::io("make the folder", to))?;
    for entry in fs::read_dir(from).map_err(SourceError::io("read the folder", from))? {
        let entry = entry.map_err(SourceError::io("read the folder", from))?;
        copy_all(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<(), SourceError> {
    fs::rename(from, to).map_err(SourceError::io("rename", from))
}

fn remove_folder(path: &Path) -> Result<(), SourceError> {
    missing_is_fine(fs::remove_dir_all(path)).map_err(SourceError::io("remove", path))
}

fn remove_file(path: &Path) -> Result<(), SourceError> {
    missing_is_fine(fs::remove_file(path)).map_err(SourceError::io("remove", path))
}

fn missing_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
