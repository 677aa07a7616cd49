//! The backend block of a root, and where a local state lies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::block::{Block, Body};
use super::{Folder, Location};
use crate::problem::Problem;

/// Terraform's name for the state file of the local backend.
const STATE_FILE: &str = "terraform.tfstate";

/// Terraform's name for the folder with the states of the other workspaces.
const WORKSPACE_FOLDER: &str = "terraform.tfstate.d";

/// Where a root keeps its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// `s3`, `local`, ...; `cloud` for a `cloud` block.
    pub kind: String,
    /// What the block gives; `None` when something in it is not a plain value.
    pub arguments: Option<Map<String, Value>>,
    /// `path` and `workspace_dir` of a local one; the place where one is not a plain text.
    local: Result<[Option<String>; 2], (&'static str, Location)>,
    /// Where it is declared.
    pub at: Location,
}

/// Where the states of a root with a local backend lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalState {
    /// The state file of the default workspace.
    pub file: PathBuf,
    /// The folder with the states of the other workspaces, `<folder>/NAME/terraform.tfstate`.
    pub workspaces: PathBuf,
}

impl Backend {
    /// The backend that `terraform` blocks of a file declare.
    pub(super) fn read(body: &Body<'_>) -> Option<Self> {
        let blocks = body.blocks("terraform");
        let blocks = blocks.iter().flat_map(|terraform| {
            let clouds = terraform.body.blocks("cloud").into_iter().map(|block| ("cloud".to_owned(), block));
            let backends = terraform.body.blocks("backend").into_iter();
            backends.map(|block| (block.label.to_owned(), block)).chain(clouds)
        });
        blocks.last().map(|(kind, block)| {
            let local = ["path", "workspace_dir"].map(|name| plain_text(&block, name));
            let local = match local {
                [Ok(path), Ok(workspaces)] => Ok([path, workspaces]),
                [Err(at), _] | [_, Err(at)] => Err(at),
            };
            Self { kind, arguments: block.body.plain(), local, at: block.at() }
        })
    }

    /// Where its states lie when relative paths start at `home` and `configured` are the arguments given beside the root, which go
    /// before its own; `None` of a remote one. Without a block (`declared` is `None`) the state is local.
    ///
    /// # Errors
    /// A path in the block is not a plain text: its name and place.
    pub fn local_state(
        declared: Option<&Self>,
        configured: &BTreeMap<String, String>,
        home: &Path,
    ) -> Result<Option<LocalState>, (&'static str, Location)> {
        let [path, workspaces] = match declared {
            Some(backend) if backend.kind != "local" => return Ok(None),
            Some(backend) => backend.local.clone()?,
            None => [None, None],
        };
        let place = |name: &str, given: Option<String>, usual: &str| {
            home.join(configured.get(name).cloned().or(given).unwrap_or_else(|| usual.to_owned()))
        };
        let file = place("path", path, STATE_FILE);
        Ok(Some(LocalState { file, workspaces: place("workspace_dir", workspaces, WORKSPACE_FOLDER) }))
    }
}

fn plain_text(block: &Block<'_>, name: &'static str) -> Result<Option<String>, (&'static str, Location)> {
    let Some(argument) = block.body.argument(name) else { return Ok(None) };
    match argument.plain() {
        Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        _ => Err((name, argument.at())),
    }
}

impl LocalState {
    /// The state file of a workspace.
    #[must_use]
    pub fn of_workspace(&self, workspace: Option<&str>) -> PathBuf {
        match workspace.filter(|name| *name != "default") {
            Some(name) => self.workspaces.join(name).join(STATE_FILE),
            None => self.file.clone(),
        }
    }
}

impl Folder {
    /// The backend that counts: the last one, override files after all others, as Terraform merges them. The file with the name
    /// `except` is left out. What is wrong with files that cannot declare one is for Terraform to say.
    ///
    /// # Errors
    /// A file that may declare one cannot be read.
    pub fn backend(&self, except: &str) -> Result<Option<Backend>, Problem> {
        let mut found = None;
        for file in self.files.iter().filter(|file| file.name() != except && file.mentions(&["backend", "cloud"])) {
            let body = file.body().map_err(|problems| {
                let told = problems.first().cloned();
                told.unwrap_or_else(|| Problem::of_file(&file.path, "the file cannot be read"))
            })?;
            found = Backend::read(&body).or(found);
        }
        Ok(found)
    }
}
