//! Local modules of a root: they must be there, and be part of what is copied when a run starts.

use std::collections::BTreeSet;
use std::path::{Path as FilePath, PathBuf};

use super::super::problem::{Problem, quoted};
use super::super::source::Source;
use super::stack::work_tree;
use super::{SharedRoot, Visit};
use crate::root::{ModuleCall, Root};

/// The local modules that a root calls, directly or through others.
pub(super) struct Modules {
    found: Vec<SharedRoot>,
}

impl Modules {
    /// Reads them; what is wrong goes to `problems`.
    pub(super) fn read(visit: &Visit<'_, '_>, root: &Root, fetched: bool, problems: &mut Vec<Problem>) -> Self {
        let mut modules = Self { found: Vec::new() };
        let top = work_tree(&root.folder);
        let in_git = fetched || top.is_some();
        let Ok(boundary) = top.map_or_else(|| root.folder.canonicalize(), Ok) else { return modules };
        let boundary = Boundary { folder: boundary, in_git };
        let mut seen = BTreeSet::new();
        let mut open: Vec<(PathBuf, ModuleCall)> = calls(root);
        while let Some((caller, call)) = open.pop() {
            let Some(local) = call.local() else { continue };
            let Ok(folder) = caller.join(local).canonicalize() else {
                problems.push(at(
                    &call,
                    format!("the module {} is not there: no folder {}", quoted(&call.name), quoted(&call.source)),
                ));
                continue;
            };
            if !folder.starts_with(&boundary.folder) {
                problems.push(boundary.refuse(&call));
                continue;
            }
            if !seen.insert(folder.clone()) {
                continue;
            }
            let module = visit.root(&folder);
            match module.as_ref() {
                Ok(module) => open.extend(calls(module)),
                Err(found) => problems.extend(found.iter().map(|problem| {
                    if problem.line > 0 {
                        return problem.clone();
                    }
                    at(&call, format!("the module {}: {}", quoted(&call.name), problem.message))
                })),
            }
            modules.found.push(module);
        }
        modules
    }

    /// The modules that could be read.
    pub(super) fn roots(&self) -> impl Iterator<Item = &Root> {
        self.found.iter().filter_map(|module| module.as_ref().as_ref().ok())
    }
}

/// What is copied when a run starts.
struct Boundary {
    folder: PathBuf,
    in_git: bool,
}

impl Boundary {
    fn refuse(&self, call: &ModuleCall) -> Problem {
        let (name, source) = (quoted(&call.name), quoted(&call.source));
        let (message, hint) = if self.in_git {
            let message =
                format!("the module {name} lies outside of the git repository, in {source}: a run would not have it");
            (message, "move the module into the repository, or name it by a git source")
        } else {
            let message = format!(
                "the module {name} lies outside of the root, in {source}; the root is not in git, so that only its own folder is copied for a run"
            );
            (message, "put root and module under git, or the module inside of the root")
        };
        at(call, message).with_hint(Some(hint.to_owned()))
    }
}

fn calls(module: &Root) -> Vec<(PathBuf, ModuleCall)> {
    module.modules.iter().map(|call| (module.folder.clone(), call.clone())).collect()
}

fn at(call: &ModuleCall, message: String) -> Problem {
    at_line(&call.at.file, call.at.line, message)
}

/// A problem with a line of a Terraform file, with the line itself where it can still be read.
pub(super) fn at_line(file: &FilePath, line: u32, message: String) -> Problem {
    match Source::read(file) {
        Ok(source) => {
            let span = source.line_span(line);
            Problem::at(&source, span, message)
        }
        Err(_) => Problem { line, column: 1, ..Problem::of_file(file, message) },
    }
}
