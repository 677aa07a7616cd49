//! Which files of a folder Terraform and OpenTofu read, and in which order. Each is read and parsed once, when first needed.

use std::cell::OnceCell;
use std::io;
use std::path::{Path, PathBuf};

use super::block::{Body, Tree};
use crate::problem::source::Source;
use crate::problem::{Problem, Problems};

/// The files of a folder that Terraform or OpenTofu read by themselves.
#[derive(Debug)]
pub struct Folder {
    /// The folder, as it was given.
    pub path: PathBuf,
    /// Configuration by name, overriding files last.
    pub files: Vec<File>,
    /// Values of variables.
    pub values: Vec<File>,
}

/// A file, read when it is first asked for.
#[derive(Debug)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// `override.tf` and `*_override.tf`. Source: "Override Files" in Terraform's documentation.
    pub overrides: bool,
    /// `.tofu` and `.tofu.json`, which Terraform passes over. Source: "Files and Directories" in OpenTofu's documentation.
    pub tofu_only: bool,
    text: OnceCell<Result<Source, Vec<Problem>>>,
    tree: OnceCell<Result<Tree, Vec<Problem>>>,
}

impl Folder {
    /// Lists the files of a folder. Names that begin with a dot, end with `~` or stand between two `#` are passed over, as
    /// Terraform does with what editors leave behind.
    ///
    /// # Errors
    /// The folder is not there, is a file, or cannot be read.
    pub fn list(path: &Path) -> io::Result<Self> {
        let mut folder = Self { path: path.to_owned(), files: Vec::new(), values: Vec::new() };
        for entry in std::fs::read_dir(path)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let ignored =
                name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'));
            if ignored || path.is_dir() {
                continue;
            }
            let plain = name.strip_suffix(".json").unwrap_or(&name);
            let given = plain == "terraform.tfvars" || plain.ends_with(".auto.tfvars");
            let tofu = plain.strip_suffix(".tofu");
            if let Some(stem) = tofu.or_else(|| plain.strip_suffix(".tf")) {
                let overrides = stem == "override" || stem.ends_with("_override");
                let tofu_only = tofu.is_some();
                folder.files.push(File::new(path, overrides, tofu_only));
            } else if given {
                folder.values.push(File::new(path, false, false));
            }
        }
        folder.files.sort_by(|a, b| (a.overrides, &a.path).cmp(&(b.overrides, &b.path)));
        Ok(folder)
    }

    /// True when there is a file that Terraform reads, apart from one with the name `except`.
    #[must_use]
    pub fn is_root_beside(&self, except: &str) -> bool {
        self.files.iter().any(|file| !file.tofu_only && file.name() != except)
    }
}

impl File {
    fn new(path: PathBuf, overrides: bool, tofu_only: bool) -> Self {
        Self { path, overrides, tofu_only, text: OnceCell::new(), tree: OnceCell::new() }
    }

    /// Its name; what is not Unicode in it is replaced.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Its text, or why it cannot be had.
    pub(super) fn source(&self) -> Result<&Source, &[Problem]> {
        let read = || Source::read(&self.path).map_err(Problems::into_vec);
        self.text.get_or_init(read).as_ref().map_err(Vec::as_slice)
    }

    /// What it says, or what is wrong with it.
    pub(super) fn body(&self) -> Result<Body<'_>, &[Problem]> {
        let source = self.source()?;
        let json = self.path.extension().is_some_and(|extension| extension == "json");
        let parse = || Tree::parse(source, json).map_err(|problem| vec![problem]);
        self.tree.get_or_init(parse).as_ref().map(|tree| tree.body(source)).map_err(Vec::as_slice)
    }

    /// True when one of these words stands in it: without them it need not be parsed. A file that cannot be read may have them.
    pub(super) fn mentions(&self, words: &[&str]) -> bool {
        self.source().map_or(true, |source| words.iter().any(|word| source.text().contains(word)))
    }
}
