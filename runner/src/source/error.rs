//! What can go wrong with a stack's code, and how a run tells it.

use std::io;
use std::path::{Path, PathBuf};

use crate::domain::failure::{Failure, FailureKind, SourceLine};
use crate::problem::Problem;

/// Why the code of a stack could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The configured root is not there.
    #[error("the folder `{}` does not exist", .0.display())]
    NoFolder(PathBuf),
    /// The configured root is a file.
    #[error("`{}` is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// The folder holds nothing that Terraform reads. A plan of it would be a plan to destroy everything.
    #[error("there are no Terraform files in `{0}`")]
    NoTerraformFiles(String),
    /// The folder holds only what OpenTofu reads, and Tidegate does not.
    #[error("there are only `*.tofu` files in `{0}`; Terraform passes over them, and so does Tidegate")]
    OnlyTofuFiles(String),
    /// git could not be started.
    #[error("git could not be started: {0}")]
    GitMissing(io::Error),
    /// git said no.
    #[error("git could not {doing}")]
    Git {
        /// What was tried, to be read after "could not".
        doing: String,
        /// What git wrote about it.
        words: String,
    },
    /// The commit is not in the repository (any more).
    #[error("the commit `{commit}` is not in `{repository}`")]
    NoCommit {
        /// The commit asked for.
        commit: String,
        /// Path or URL.
        repository: String,
    },
    /// Neither branch nor tag nor commit.
    #[error("`{reference}` is no branch, tag or commit of `{repository}`")]
    NoReference {
        /// The configured reference.
        reference: String,
        /// Path or URL.
        repository: String,
    },
    /// The root is not part of the commit.
    #[error("the commit `{commit}` has no folder `{}`", .folder.display())]
    NoFolderInCommit {
        /// The commit.
        commit: String,
        /// The root, relative to the repository.
        folder: PathBuf,
    },
    /// A link of a copied folder leads somewhere else.
    #[error("the link `{}` leads out of the copied folders, to `{}`", .link.display(), .target.display())]
    LinkOutside {
        /// The link.
        link: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A file that may declare the backend cannot be read.
    #[error("where the state lies cannot be told because of `{file}`: {why}")]
    Backend {
        /// Name of the file.
        file: String,
        /// Line from 1; 0 when unknown.
        line: u32,
        /// What is wrong with it.
        why: String,
    },
    /// A path that cannot be written into a Terraform file.
    #[error("the path `{}` is not Unicode, which Terraform needs", .0.display())]
    NotUnicode(PathBuf),
    /// The file system refused.
    #[error("could not {doing} `{}`: {error}", .path.display())]
    Io {
        /// What was tried, to be read after "could not".
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl SourceError {
    /// For `map_err` on file operations.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { doing, path, error }
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::NoFolder(_)
            | Self::NotAFolder(_)
            | Self::NoTerraformFiles(_)
            | Self::OnlyTofuFiles(_)
            | Self::GitMissing(_)
            | Self::NoCommit { .. }
            | Self::NoReference { .. }
            | Self::NoFolderInCommit { .. }
            | Self::LinkOutside { .. }
            | Self::Backend { .. }
            | Self::NotUnicode(_) => FailureKind::Configuration,
            // git has one exit status for all; a full disk must not look like a wrong URL.
            Self::Git { words, .. } => {
                let full = ["No space left on device", "Disk quota exceeded", "Read-only file system"];
                if full.iter().any(|text| words.contains(text)) {
                    FailureKind::Storage
                } else {
                    FailureKind::Configuration
                }
            }
            Self::Io { .. } => FailureKind::Storage,
        }
    }

    /// What to do about it.
    fn hint(&self) -> String {
        match self {
            Self::NoFolder(_) | Self::NotAFolder(_) => {
                "Correct the stack's `root` in tidegate.toml; it is relative to that file.".to_owned()
            }
            Self::NoTerraformFiles(_) => "Put them back, or correct the stack's `root` in tidegate.toml.".to_owned(),
            Self::OnlyTofuFiles(_) => "Rename them to `*.tf`, which OpenTofu reads as well.".to_owned(),
            Self::GitMissing(_) => "This stack runs a commit. Install git, or put it on the PATH.".to_owned(),
            Self::Git { words, .. } => words.clone(),
            Self::NoCommit { .. } => {
                "Its history was rewritten or cleaned up. Plan with the newest code and accept that instead.".to_owned()
            }
            Self::NoReference { .. } => "Correct the stack's `ref` in tidegate.toml, or push it.".to_owned(),
            Self::NoFolderInCommit { .. } => {
                "The folder was moved or made after that commit. Correct the stack's root, or accept newer code."
                    .to_owned()
            }
            Self::LinkOutside { .. } => {
                "Put a copy in its place, or put the folder under git: then the whole repository is at hand.".to_owned()
            }
            Self::Backend { .. } => {
                "Correct the file, or set the stack's `backend` arguments in tidegate.toml.".to_owned()
            }
            Self::NotUnicode(_) => "Rename the folder.".to_owned(),
            Self::Io { error, .. } => match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    "Make room on that disk, then retry.".to_owned()
                }
                _ => "Look at the folder's owner, permissions and disk, then retry.".to_owned(),
            },
        }
    }
}

/// A Terraform file that may declare the backend.
impl From<Problem> for SourceError {
    fn from(problem: Problem) -> Self {
        let file = problem.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::Backend { file, line: problem.line, why: problem.message }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let mut failure = Self::new(error.kind(), error.to_string()).with_detail(error.hint());
        if let SourceError::Backend { file, line, .. } = error
            && line > 0
        {
            failure.at = Some(SourceLine { file, line, code: None });
        }
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart_from_a_wrong_setting() {
        let git = |words: &str| Failure::from(SourceError::Git { doing: "fetch".into(), words: words.into() }).kind;
        assert_eq!(git("fatal: write error: No space left on device"), FailureKind::Storage);
        assert_eq!(git("fatal: repository not found"), FailureKind::Configuration);
        let full = SourceError::io("write", Path::new("x"))(io::ErrorKind::StorageFull.into());
        let failure = Failure::from(full);
        assert_eq!(failure.kind, FailureKind::Storage);
        assert!(failure.detail.contains("Make room"));
    }
}
