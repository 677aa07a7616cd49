//! A root in a folder of this machine: its commit when git knows it, else a copy.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::checkout::{self, Wish};
use super::git::{self, Repository};
use super::place::Place;
use super::{Checkout, SourceError, Wanted, copy};
use crate::root::folders_of;

/// Prepares the code of `folder`.
pub(super) fn prepare(
    folder: &Path,
    accepted: Option<&str>,
    wanted: Wanted,
    place: &Place,
) -> Result<Checkout, SourceError> {
    let real = folder.canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SourceError::NoFolder(folder.to_owned()),
        io::ErrorKind::NotADirectory => SourceError::NotAFolder(folder.to_owned()),
        _ => SourceError::Io { doing: "read the folder", path: folder.to_owned(), error },
    })?;
    if !fs::metadata(&real).map_err(SourceError::io("read the folder", &real))?.is_dir() {
        return Err(SourceError::NotAFolder(folder.to_owned()));
    }
    let Some(top) = git::work_tree_of(&real) else { return copy::prepare(&real, place) };
    let repository = Repository { top: top.to_owned(), name: top.display().to_string() };
    let root = real.strip_prefix(top).unwrap_or(Path::new(""));

    if let (Wanted::Shared, Some(commit)) = (wanted, accepted)
        && place.prepared().is_none_or(|there| there.commit.as_deref() != Some(commit))
        && !has(&repository, commit, root)?
        && !has(&repository, "HEAD", root)?
    {
        return copy::prepare(&real, place);
    }
    let head = match (wanted, accepted) {
        (Wanted::Accepted | Wanted::Shared, Some(_)) => None,
        (Wanted::Accepted | Wanted::Shared, None) | (Wanted::Newest, _) => match repository.at("HEAD", root) {
            // Without git there is no commit to run; where one was accepted, nothing else may run in its place.
            Err(SourceError::GitMissing(error)) if accepted.is_none() => {
                tracing::warn!(%error, root = %real.display(), "git is missing: the folder is copied as it is");
                return copy::prepare(&real, place);
            }
            other => other?,
        },
    };
    let commit = match (wanted, accepted, &head) {
        (Wanted::Accepted | Wanted::Shared, Some(accepted), _) => accepted,
        (_, _, Some((head, true))) => &head.id,
        // Ignored, or not committed yet: git does not know it, so that it has no commit to run. If git cannot even look, that
        // is what is told.
        _ => return status(&repository).and_then(|_| copy::prepare(&real, place)),
    };
    let wish = Wish { repository: &repository, root, commit, known: head.as_ref().map(|(head, _)| head) };
    // Side by side: on a warm checkout each is one git call, and all that is waited for before Terraform starts.
    let (status, prepared) = std::thread::scope(|scope| {
        let status = scope.spawn(|| status(&repository));
        let prepared = checkout::put(&wish, place);
        (status.join(), prepared)
    });
    let (prepared, status) = (prepared?, status.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
    let dirty = status.touches(&repository.top, &real);
    checkout::describe(&wish, prepared, status.head.as_deref(), dirty, place)
}

fn has(repository: &Repository, revision: &str, root: &Path) -> Result<bool, SourceError> {
    Ok(matches!(repository.at(revision, root)?, Some((_, true))))
}

/// What git says about a work tree.
#[derive(Debug, Default, PartialEq, Eq)]
struct Status {
    /// The commit that is checked out; `None` before the first one.
    head: Option<String>,
    /// Paths with changes that are in no commit, relative to the top; a folder that is new as a whole is one path.
    changed: Vec<PathBuf>,
}

impl Status {
    /// True when a change touches the root or a local module that it uses.
    fn touches(&self, top: &Path, root: &Path) -> bool {
        if self.changed.is_empty() {
            return false;
        }
        let folders = folders_of(root);
        self.changed.iter().map(|path| top.join(path)).any(|path| {
            // The second case: a new folder that holds the module.
            folders.iter().any(|folder| path.starts_with(folder) || folder.starts_with(&path))
        })
    }
}

fn status(repository: &Repository) -> Result<Status, SourceError> {
    let mut git = repository.git();
    git.args(["status", "--porcelain=v2", "--branch", "-z", "--no-renames"]);
    git.args(["--untracked-files=normal", "--ignore-submodules=dirty"]);
    let output = git::succeed(&mut git, "look for changes in the folder")?;
    Ok(read_status(&output.stdout))
}

/// Reads `git status --porcelain=v2 --branch -z`. Format: git-status(1), "Porcelain Format Version 2".
fn read_status(output: &[u8]) -> Status {
    let mut status = Status::default();
    for entry in output.split(|byte| *byte == 0) {
        // Fields before the path: 8 of a change, 10 of a conflict, 1 of an untracked path.
        let fields = match entry.first() {
            Some(b'#') => {
                let head = entry.strip_prefix(b"# branch.oid ").filter(|id| *id != b"(initial)");
                status.head = status.head.or(head.map(|id| String::from_utf8_lossy(id).into_owned()));
                continue;
            }
            Some(b'1') => 8,
            Some(b'u') => 10,
            Some(b'?') => 1,
            _ => continue,
        };
        let Some(path) = entry.splitn(fields + 1, |byte| *byte == b' ').nth(fields) else { continue };
        let path = path_of(path.strip_suffix(b"/").unwrap_or(path));
        let made_by_terraform = path.iter().any(copy::is_left_out)
            || (fields == 1 && path.file_name().is_some_and(|name| name == ".terraform.lock.hcl"));
        if !made_by_terraform {
            status.changed.push(path);
        }
    }
    status
}

fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_status_is_read_with_spaces_and_beyond_unicode() {
        let text = b"# branch.oid 0123\0# branch.head main\x001 .M N... 100644 100644 100644 aa bb a b/c d.tf\0\
            ? new folder/\0u UU N... 1 2 3 4 h1 h2 h3 c\xff.tf\0? app/terraform.tfstate\0? app/.terraform.lock.hcl\0\
            1 M. N... 100644 100644 100644 aa bb x/.terraform.lock.hcl\0";
        let status = read_status(text);
        assert_eq!(status.head.as_deref(), Some("0123"));
        let expected =
            [path_of(b"a b/c d.tf"), path_of(b"new folder"), path_of(b"c\xff.tf"), path_of(b"x/.terraform.lock.hcl")];
        assert_eq!(status.changed, expected);
        assert_eq!(read_status(b"# branch.oid (initial)\0"), Status::default());
        assert_eq!(read_status(b""), Status::default());
        assert_eq!(read_status(b"1 garbage\0?\0\xff"), Status::default());
    }
}
