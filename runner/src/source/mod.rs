//! Which code a stack runs: the accepted commit in a checkout of its own, or a hashed copy of a folder outside git.
//! Also where its local state lies. Never: starting Terraform, or changing anything in the folder that people work in.

pub mod backend;
mod checkout;
mod copy;
mod error;
mod folder;
mod git;
mod mirror;
mod place;
mod remote;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::environment::StackSource;
use crate::domain::failure::{Failure, FailureKind};
use crate::root::Folder;
pub use error::SourceError;
pub use remote::Remote;

/// A folder with the code that a stack runs, ready for Terraform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The root module: Terraform's working directory. Other folders of the repository lie around it as they do there.
    pub root: PathBuf,
    /// Which code it is.
    pub code: Code,
}

/// Which code was run: stored with the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The commit's full object id; `None` when the folder is not in git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// True when the folder that people work in has changes to this stack's code which are in no commit. They are not run.
    pub dirty: bool,
    /// What identifies the content: the commit's tree id, or the SHA-256 of the copied files, in hexadecimal.
    pub digest: String,
    /// Commits after this one that touch the stack's code and wait to be accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<Newer>,
}

/// Code that is there but not accepted yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newer {
    /// The newest commit.
    pub commit: String,
    /// How many commits touch the stack's root or its local modules; at least 1.
    pub commits_ahead: u32,
}

/// Which commit to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The one accepted last; the newest where none was accepted yet.
    Accepted,
    /// The one that another stack of the same repository runs. Unlike an accepted one it may be of no use: a root that git does
    /// not know is copied.
    Shared,
    /// The newest: what is checked out in the folder, or where the reference points to.
    Newest,
}

/// Puts the code of a stack into `dest` and says which it is. Cheap when nothing changed (two git calls).
///
/// `dest` belongs to this function; nobody else may prepare the same one at the same time, nor while a Terraform started in it
/// still lives. A crash at any point leaves either the old code or none, never half of it. `accepted` is ignored for a
/// folder that is not in git.
///
/// # Errors
/// [`FailureKind::Configuration`] when folder, commit or reference are not there; [`FailureKind::Storage`] when the disk refuses.
pub async fn prepare(
    source: &StackSource,
    accepted: Option<&str>,
    wanted: Wanted,
    dest: &Path,
) -> Result<Checkout, Failure> {
    let (source, accepted, dest) = (source.clone(), accepted.map(str::to_owned), dest.to_owned());
    let work = move || prepare_blocking(&source, accepted.as_deref(), wanted, &dest);
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Failure::from),
        Err(_) => Err(Failure::new(FailureKind::Interrupted, "preparing the code was interrupted")),
    }
}

/// [`prepare`] for callers without an async runtime.
///
/// # Errors
/// As [`prepare`], as the error that knows more.
pub fn prepare_blocking(
    source: &StackSource,
    accepted: Option<&str>,
    wanted: Wanted,
    dest: &Path,
) -> Result<Checkout, SourceError> {
    let place = place::Place::open(dest)?;
    let (checkout, named) = match source {
        StackSource::Folder(folder) => {
            (folder::prepare(folder, accepted, wanted, &place)?, folder.display().to_string())
        }
        StackSource::Git { url, reference, folder } => {
            let checkout = mirror::prepare(url, reference, folder, accepted, wanted, &place)?;
            (checkout, format!("{} {reference} {}", Remote::of(url).url, folder.display()))
        }
    };
    // Our own file would make an empty root look like one that wants nothing to be there; so would files that only OpenTofu
    // reads, and with them alone Terraform would destroy everything.
    let files = Folder::list(&checkout.root).map_err(SourceError::io("read the folder", &checkout.root))?;
    if files.is_root_beside(backend::OVERRIDE_FILE) {
        return Ok(checkout);
    }
    let tofu = files.files.iter().any(|file| file.tofu_only);
    Err(if tofu { SourceError::OnlyTofuFiles(named) } else { SourceError::NoTerraformFiles(named) })
}

/// What tells the repository of a stack from others, so that stacks of the same one can run the same commit; `None` for a folder
/// that is in none, or is not there. Starts nothing and asks no server.
#[must_use]
pub fn repository(source: &StackSource) -> Option<String> {
    match source {
        StackSource::Folder(folder) => Some(git::work_tree_of(&folder.canonicalize().ok()?)?.display().to_string()),
        // Stacks that follow different branches or tags are meant to run different commits.
        StackSource::Git { url, reference, .. } => Some(format!("{url} {reference}")),
    }
}

/// Asks the server of a repository by URL for what is new, so that [`Code::newer`] knows it. Nothing for a folder.
///
/// # Errors
/// [`FailureKind::Configuration`] with git's words when the server cannot be reached or refuses.
pub async fn refresh(source: &StackSource, dest: &Path) -> Result<(), Failure> {
    let StackSource::Git { url, .. } = source else { return Ok(()) };
    let (url, dest) = (url.clone(), dest.to_owned());
    let work = move || mirror::refresh(&url, &place::Place::open(&dest)?);
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Failure::from),
        Err(_) => Err(Failure::new(FailureKind::Interrupted, "fetching the code was interrupted")),
    }
}

/// The folder that local paths of a stack's backend are relative to: the folder itself, so that Terraform started there by
/// hand finds the same state; for a repository by URL `<state_dir>/state/ENV/STACK`.
#[must_use]
pub fn state_home(source: &StackSource, state_dir: &Path, environment: &str, stack: &str) -> PathBuf {
    match source {
        StackSource::Folder(folder) => folder.clone(),
        StackSource::Git { .. } => state_dir.join("state").join(environment).join(stack),
    }
}
