//! A root in a repository by URL: a bare mirror beside the checkout, so that the network is asked only for what is new.

use std::path::Path;

use super::checkout::{self, Wish};
use super::git::{self, Repository};
use super::place::Place;
use super::{Checkout, Remote, SourceError, Wanted};

/// Branches and tags of the other side; names that went away there go away here.
const REFS: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/// Prepares the code of `folder` in the repository at `url`. The network is asked when the newest code is wanted or the
/// accepted commit is not here yet.
pub(super) fn prepare(
    url: &str,
    reference: &str,
    folder: &Path,
    accepted: Option<&str>,
    wanted: Wanted,
    place: &Place,
) -> Result<Checkout, SourceError> {
    let remote = Remote::of(url);
    let mirror = open(&remote, place)?;
    let target = match (wanted, accepted) {
        (Wanted::Accepted | Wanted::Shared, Some(accepted)) => {
            let shown = place.prepared().is_some_and(|prepared| prepared.commit.as_deref() == Some(accepted));
            if !shown && mirror.commit(accepted)?.is_none() {
                fetch(&mirror, &remote)?;
            }
            Some(accepted)
        }
        (Wanted::Accepted | Wanted::Shared, None) | (Wanted::Newest, _) => {
            fetch(&mirror, &remote)?;
            None
        }
    };
    let newest = resolve(&mirror, reference)?;
    let commit = match (target, &newest) {
        (Some(accepted), _) => accepted,
        (None, Some(newest)) => newest,
        (None, None) => {
            return Err(SourceError::NoReference { reference: reference.to_owned(), repository: remote.url });
        }
    };
    let newest = newest.as_deref();
    let root = folder.strip_prefix(".").unwrap_or(folder);
    let wish = Wish { repository: &mirror, root, commit, known: None };
    let prepared = checkout::put(&wish, place)?;
    let checkout = checkout::describe(&wish, prepared, newest, false, place)?;
    keep(&mirror, commit)?;
    Ok(checkout)
}

/// Asks the other side for what is new.
pub(super) fn refresh(url: &str, place: &Place) -> Result<(), SourceError> {
    let remote = Remote::of(url);
    fetch(&open(&remote, place)?, &remote)
}

fn open(remote: &Remote, place: &Place) -> Result<Repository, SourceError> {
    let top = place.mirror();
    let mirror = Repository { top: top.clone(), name: remote.url.clone() };
    if !top.join("HEAD").exists() {
        std::fs::create_dir_all(&top).map_err(SourceError::io("make the folder", &top))?;
        git::succeed(mirror.git().args(["init", "--quiet", "--bare", "--template=", "."]), "make a mirror")?;
    }
    Ok(mirror)
}

fn fetch(mirror: &Repository, remote: &Remote) -> Result<(), SourceError> {
    // A path is relative to where Tidegate was started, not to the mirror.
    let url = &remote.url;
    let url = Path::new(url).canonicalize().map_or_else(|_| url.into(), std::path::PathBuf::into_os_string);
    let mut git = mirror.git_with_user_settings();
    remote.authorise(&mut git);
    // A server that stalls for 30 s ends the fetch instead of holding the run for ever.
    git.args(["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=30"]);
    git.args(["fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--"]).arg(url).args(REFS);
    git::succeed(&mut git, "fetch the code").map(drop)
}

/// The commit of a branch, a tag or a commit id (at least 7 hexadecimal digits), in this order.
fn resolve(mirror: &Repository, reference: &str) -> Result<Option<String>, SourceError> {
    let name = reference.strip_prefix("refs/").unwrap_or(reference);
    let mut candidates = vec![format!("refs/heads/{name}"), format!("refs/tags/{name}"), format!("refs/{name}")];
    if reference.len() >= 7 && reference.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        candidates.push(reference.to_owned());
    }
    for candidate in candidates {
        if let Some(commit) = mirror.commit(&candidate)? {
            return Ok(Some(commit.id));
        }
    }
    Ok(None)
}

/// Names a commit that was run, so that it stays here when its branch is rewritten.
fn keep(mirror: &Repository, commit: &str) -> Result<(), SourceError> {
    let name = format!("refs/tidegate/{commit}");
    if mirror.top.join(&name).exists() {
        return Ok(());
    }
    git::succeed(mirror.git().args(["update-ref", "--no-deref", &name, commit]), "note the commit").map(drop)
}
