//! A root outside git: copied with its local modules, and hashed. The copy changes only when the content did.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::place::{Place, Prepared};
use super::{Checkout, Code, SourceError};
use crate::root::folders_of;

/// True for names that are not code: what Terraform, git and Tidegate make.
pub(super) fn is_left_out(name: &OsStr) -> bool {
    let text = name.to_string_lossy();
    matches!(text.as_ref(), ".terraform" | ".git" | ".tidegate" | "crash.log")
        || text.contains(".tfstate")
        || text.ends_with(".tfplan")
}

/// Prepares a copy of `folder`, which is absolute and has no links in its path.
pub(super) fn prepare(folder: &Path, place: &Place) -> Result<Checkout, SourceError> {
    let folders = folders_of(folder);
    let top = common_top(&folders, folder);
    let files = files_of(&top, &folders)?;
    let root = folder.strip_prefix(&top).unwrap_or(Path::new("")).to_owned();
    let origin = format!("folder {}", folder.display());
    let digest = digest(&files)?;
    let present = place.prepared().filter(|p| p.origin == origin && p.root == root && p.digest == digest);
    let prepared = match present {
        Some(prepared) => prepared,
        None => place.replace(|tree, _| {
            fs::create_dir_all(tree.join(&root)).map_err(SourceError::io("make the folder", tree))?;
            // Hashed again while it is copied: somebody may be saving a file at this moment.
            let digest = copy(&files, tree)?;
            Ok(Prepared { origin, root, commit: None, digest, compared: None })
        })?,
    };
    let code = Code { commit: None, dirty: false, digest: prepared.digest, newer: None };
    Ok(Checkout { root: place.tree().join(prepared.root), code })
}

/// The deepest folder that holds them all.
fn common_top(folders: &BTreeSet<PathBuf>, root: &Path) -> PathBuf {
    let holds_all = |top: &&Path| folders.iter().all(|folder| folder.starts_with(top));
    root.ancestors().find(holds_all).unwrap_or(root).to_owned()
}

/// A file to copy.
#[derive(Debug)]
struct File {
    /// Where it is read; a link is resolved.
    from: PathBuf,
    /// Where it goes, relative to the tree.
    to: PathBuf,
}

/// All files in `folders`, sorted by where they go.
fn files_of(top: &Path, folders: &BTreeSet<PathBuf>) -> Result<Vec<File>, SourceError> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().cloned().collect();
    let mut seen = BTreeSet::new();
    while let Some(folder) = open.pop() {
        if !seen.insert(folder.clone()) {
            continue;
        }
        for entry in fs::read_dir(&folder).map_err(SourceError::io("read the folder", &folder))? {
            let entry = entry.map_err(SourceError::io("read the folder", &folder))?;
            let (path, name) = (entry.path(), entry.file_name());
            let kind = entry.file_type().map_err(SourceError::io("read", &path))?;
            if is_left_out(&name) {
                continue;
            }
            let to = path.strip_prefix(top).unwrap_or(&path).to_owned();
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                files.push(File { from: path, to });
            } else if kind.is_symlink()
                && let Some(from) = follow(&path, folders)?
            {
                files.push(File { from, to });
            }
        }
    }
    files.sort_by(|a, b| a.to.cmp(&b.to));
    Ok(files)
}

/// The file that a link inside the copied folders stands for; `None` for one that leads nowhere, as editors make for locks.
fn follow(link: &Path, folders: &BTreeSet<PathBuf>) -> Result<Option<PathBuf>, SourceError> {
    let target = match link.canonicalize() {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SourceError::io("follow the link", link)(error)),
    };
    let inside = folders.iter().any(|folder| target.starts_with(folder)) && target.is_file();
    // Left out it would change what the code means; followed, the copy could hold anything of this machine.
    if inside { Ok(Some(target)) } else { Err(SourceError::LinkOutside { link: link.to_owned(), target }) }
}

fn digest(files: &[File]) -> Result<String, SourceError> {
    let mut sum = Sum::default();
    for file in files {
        sum.file(file, &mut io::sink())?;
    }
    Ok(sum.finish())
}

fn copy(files: &[File], tree: &Path) -> Result<String, SourceError> {
    let mut sum = Sum::default();
    for file in files {
        let to = tree.join(&file.to);
        let folder = to.parent().unwrap_or(tree);
        fs::create_dir_all(folder).map_err(SourceError::io("make the folder", folder))?;
        let mut target = fs::File::create(&to).map_err(SourceError::io("write", &to))?;
        let executable = sum.file(file, &mut target)?;
        let mode = if executable { 0o755 } else { 0o644 };
        target.set_permissions(fs::Permissions::from_mode(mode)).map_err(SourceError::io("write", &to))?;
    }
    Ok(sum.finish())
}

/// A digest over names, contents and whether a file can be run.
#[derive(Default)]
struct Sum(Sha256);

impl Sum {
    /// Adds a file while writing it to `target`; true when it can be run.
    fn file(&mut self, file: &File, target: &mut impl io::Write) -> Result<bool, SourceError> {
        let mut source = fs::File::open(&file.from).map_err(SourceError::io("read", &file.from))?;
        let metadata = source.metadata().map_err(SourceError::io("read", &file.from))?;
        let executable = metadata.permissions().mode() & 0o111 != 0;
        let mut content = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(SourceError::io("read", &file.from)(error)),
            };
            content.update(&buffer[..read]);
            target.write_all(&buffer[..read]).map_err(SourceError::io("copy", &file.from))?;
        }
        // Lengths and a fixed-size digest, so that no name can imitate a boundary.
        let name = file.to.as_os_str().as_bytes();
        self.0.update((name.len() as u64).to_be_bytes());
        self.0.update(name);
        self.0.update([u8::from(executable)]);
        self.0.update(content.finalize());
        Ok(executable)
    }

    fn finish(self) -> String {
        self.0.finalize().iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}
