//! git as a child process: arguments as a list, no prompts, no hooks, and nothing of the user's configuration but for what
//! the network needs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::SourceError;

/// Variables by which a surrounding git (a hook, an editor) would redirect ours.
/// Source: `git rev-parse --local-env-vars` of git 2.47, and those that only change where things are looked for.
const REDIRECTIONS: [&str; 18] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Settings that must be the same on every machine. Hooks and monitors of the repository are programs that nobody asked for;
/// whoever owns the folder, the configuration names it, and Terraform is about to run what is in it.
const SETTINGS: [&str; 7] = [
    "safe.directory=*",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.autocrlf=false",
    "core.sparseCheckout=false",
    "core.quotePath=false",
    "gc.auto=0",
];

/// A repository to ask.
#[derive(Debug, Clone)]
pub(super) struct Repository {
    /// Its top folder, or the bare repository itself.
    pub(super) top: PathBuf,
    /// What people call it: its path or URL.
    pub(super) name: String,
}

/// A commit and its tree, by full object id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) id: String,
    pub(super) tree: String,
}

impl Repository {
    /// A git call in this repository that reads nothing of the user's or the machine's configuration.
    pub(super) fn git(&self) -> Command {
        let mut command = self.git_with_user_settings();
        command.env("GIT_CONFIG_GLOBAL", "/dev/null");
        command
    }

    /// A git call that may use the user's credentials and proxies.
    pub(super) fn git_with_user_settings(&self) -> Command {
        let mut command = Command::new("git");
        for name in REDIRECTIONS {
            command.env_remove(name);
        }
        command
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .arg("-C")
            .arg(&self.top)
            .args(["--no-pager", "--literal-pathspecs"]);
        if std::env::var_os("GIT_SSH_COMMAND").is_none() {
            command.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=15");
        }
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command
    }

    /// The commit that `revision` names, or `None` when there is no such one here.
    pub(super) fn commit(&self, revision: &str) -> Result<Option<Commit>, SourceError> {
        let mut git = self.git();
        git.args(["log", "-1", "--no-show-signature", "--format=%H %T", "--end-of-options"]);
        git.arg(format!("{revision}^{{commit}}")).arg("--");
        let answer = answer(&mut git)?;
        let both = answer.as_deref().and_then(|line| line.split_once(' '));
        Ok(both.map(|(id, tree)| Commit { id: id.to_owned(), tree: tree.to_owned() }))
    }

    /// The commit that `revision` names, and whether it has `folder` (relative to the top) as a folder with something in it; `None`
    /// when there is no such one, as `HEAD` before the first commit. One call, since each of them is waited for.
    pub(super) fn at(&self, revision: &str, folder: &Path) -> Result<Option<(Commit, bool)>, SourceError> {
        let mut object = std::ffi::OsString::from(format!("{revision}:"));
        // With a slash at its end the path of a file is none.
        object.push(folder.join(""));
        let mut git = self.git();
        git.arg("rev-parse").args([format!("{revision}^{{commit}}"), format!("{revision}^{{tree}}")]);
        git.arg(object).arg("--");
        // git gives up at the first that is missing, after it told those before.
        let output = String::from_utf8_lossy(&run(&mut git)?.stdout).into_owned();
        let mut ids = output.lines().filter(|line| *line != "--").map(str::to_owned);
        let (Some(id), Some(tree)) = (ids.next(), ids.next()) else { return Ok(None) };
        Ok(Some((Commit { id, tree }, ids.next().is_some())))
    }

    /// How many commits that `to` has and `from` does not touch one of `paths` (relative to the top; none means all).
    pub(super) fn commits_between(&self, from: &str, to: &str, paths: &[PathBuf]) -> Result<u32, SourceError> {
        let mut git = self.git();
        git.args(["rev-list", "--count", "--end-of-options"]).arg(format!("{from}..{to}")).arg("--").args(paths);
        let output = succeed(&mut git, "count the newer commits")?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or(0))
    }

    /// Writes the files of `commit` into the empty folder `tree`, with `index` as memory of what they were. The repository
    /// itself is only read.
    pub(super) fn export(&self, commit: &str, tree: &Path, index: &Path) -> Result<(), SourceError> {
        let mut git = self.git();
        git.env("GIT_INDEX_FILE", index)
            .env("GIT_WORK_TREE", tree)
            .args(["read-tree", "-u", "--reset", "--no-recurse-submodules"])
            .arg(commit);
        succeed(&mut git, "check out the code").map(drop)
    }

    /// True when the files in `tree` are still those that [`Self::export`] wrote.
    pub(super) fn is_unchanged(&self, tree: &Path, index: &Path) -> Result<bool, SourceError> {
        let mut git = self.git();
        git.env("GIT_INDEX_FILE", index).env("GIT_WORK_TREE", tree).args(["diff-files", "--quiet"]);
        Ok(run(&mut git)?.status.success())
    }
}

/// Runs git and takes any ending.
pub(super) fn run(git: &mut Command) -> Result<Output, SourceError> {
    git.output().map_err(SourceError::GitMissing)
}

/// Runs git and demands success; `doing` completes "git could not".
pub(super) fn succeed(git: &mut Command, doing: &str) -> Result<Output, SourceError> {
    let output = run(git)?;
    if output.status.success() {
        return Ok(output);
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let words = if words.is_empty() { format!("git ended with {} and said nothing.", output.status) } else { words };
    Err(SourceError::Git { doing: doing.to_owned(), words })
}

/// Runs git and takes its one-line answer; failure means that there is none.
fn answer(git: &mut Command) -> Result<Option<String>, SourceError> {
    let output = run(git)?;
    Ok(output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned()))
}

/// The top folder of the git work tree that `folder` is in, found by its `.git` without starting git.
pub(super) fn work_tree_of(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|path| path.join(OsStr::new(".git")).exists())
}
