//! A commit of a repository, written into the place of a stack; and whether there is newer code to accept.

use std::path::{Path, PathBuf};

use super::git::{Commit, Repository};
use super::place::{Place, Prepared};
use super::{Checkout, Code, Newer, SourceError};
use crate::root::folders_of;

/// What should lie in the place.
#[derive(Debug)]
pub(super) struct Wish<'a> {
    pub(super) repository: &'a Repository,
    /// The root module, relative to the repository's top.
    pub(super) root: &'a Path,
    /// The commit to run, by full object id.
    pub(super) commit: &'a str,
    /// The same commit, where it was looked up already.
    pub(super) known: Option<&'a Commit>,
}

/// Makes the place what `wish` says, with nothing written when it is so already.
pub(super) fn put(wish: &Wish<'_>, place: &Place) -> Result<Prepared, SourceError> {
    match present(wish, place)? {
        Some(prepared) => Ok(prepared),
        None => check_out(wish, place),
    }
}

/// Says what lies there: `newest` is the newest commit, where it is known, and `dirty` tells of changes that are in no commit.
pub(super) fn describe(
    wish: &Wish<'_>,
    mut prepared: Prepared,
    newest: Option<&str>,
    dirty: bool,
    place: &Place,
) -> Result<Checkout, SourceError> {
    let root = place.tree().join(&prepared.root);
    let newer = match (newest, &prepared.compared) {
        (None, _) => None,
        (Some(newest), _) if newest == wish.commit => None,
        (Some(newest), Some((compared, newer))) if newest == compared => newer.clone(),
        (Some(newest), _) => {
            let newer = compare(wish, newest, &root, &place.tree())?;
            prepared.compared = Some((newest.to_owned(), newer.clone()));
            place.mark(&prepared)?;
            newer
        }
    };
    let code = Code { commit: prepared.commit, dirty, digest: prepared.digest, newer };
    Ok(Checkout { root, code })
}

fn origin(wish: &Wish<'_>) -> String {
    format!("git {}", wish.repository.name)
}

/// What is there, if it is what is wished for and nobody has changed a file of it.
fn present(wish: &Wish<'_>, place: &Place) -> Result<Option<Prepared>, SourceError> {
    let Some(prepared) = place.prepared() else { return Ok(None) };
    let wanted = prepared.commit.as_deref() == Some(wish.commit)
        && prepared.root == wish.root
        && prepared.origin == origin(wish);
    Ok((wanted && wish.repository.is_unchanged(&place.tree(), &place.index())?).then_some(prepared))
}

fn check_out(wish: &Wish<'_>, place: &Place) -> Result<Prepared, SourceError> {
    let repository = wish.repository;
    let known = wish.known.filter(|known| known.id == wish.commit).cloned();
    let commit = match known {
        Some(known) => known,
        None => repository.commit(wish.commit)?.ok_or_else(|| SourceError::NoCommit {
            commit: wish.commit.to_owned(),
            repository: repository.name.clone(),
        })?,
    };
    place.replace(|tree, index| {
        repository.export(&commit.id, tree, index)?;
        if !tree.join(wish.root).is_dir() {
            return Err(SourceError::NoFolderInCommit { commit: commit.id, folder: wish.root.to_owned() });
        }
        Ok(Prepared {
            origin: origin(wish),
            root: wish.root.to_owned(),
            commit: Some(commit.id),
            digest: commit.tree,
            compared: None,
        })
    })
}

/// Commits of `newest` that the checked-out one has not and that touch the root or a local module of it.
fn compare(wish: &Wish<'_>, newest: &str, root: &Path, tree: &Path) -> Result<Option<Newer>, SourceError> {
    let newer = |commits_ahead| Newer { commit: newest.to_owned(), commits_ahead };
    // A commit that history was rewritten without: all that can be said is that there is another one.
    if wish.repository.commit(wish.commit)?.is_none() {
        return Ok(Some(newer(1)));
    }
    let paths: Vec<PathBuf> = folders_of(root)
        .iter()
        .filter_map(|folder| folder.strip_prefix(tree).ok())
        .map(|path| if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() })
        .collect();
    let ahead = wish.repository.commits_between(wish.commit, newest, &paths)?;
    Ok((ahead > 0).then(|| newer(ahead)))
}
