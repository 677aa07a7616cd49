//! One stack against its root.

use std::path::{Path as FilePath, PathBuf};

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::nearest::listed;
use super::super::problem::{Problem, quoted};
use super::{At, Subject, Visit, modules, secrets, variables};
use crate::domain::environment::{Stack, StackSource};
use crate::root::Root;

impl Visit<'_, '_> {
    /// Checks a stack; problems in the configuration go to `findings`, those in Terraform's files to `elsewhere`. Gives
    /// the root's folder, or `None` when the root could not be read.
    pub(super) fn stack(
        &self,
        subject: &Subject<'_>,
        stack: &Stack,
        places: &At<'_>,
        findings: &mut Findings<'_, '_>,
        elsewhere: &mut Vec<Problem>,
    ) -> Option<PathBuf> {
        let at = &places.stack;
        let (folder, in_git) = self.folder(stack, at, findings)?;
        let read = self.root(&folder);
        let root = match read.as_ref() {
            Ok(root) => root,
            Err(problems) => {
                for problem in problems {
                    if problem.line == 0 {
                        let message = format!("{}: {}", quoted(&folder.to_string_lossy()), problem.message);
                        findings.at_value(&at.key("root"), message, problem.hint.clone());
                    } else {
                        elsewhere.push(problem.clone());
                    }
                }
                return None;
            }
        };
        variables::check(subject, stack, root, self.options, places, findings);
        check_backend(stack, root, at, findings);
        secrets::check(stack, self.options, at, findings);
        if subject.put_in.is_none() {
            self.claim(subject, places.index, stack, root);
        }
        let mut versions = vec![root];
        let called = modules::Modules::read(self, root, in_git, elsewhere);
        versions.extend(called.roots());
        self.check_versions(stack, &versions, at, findings, elsewhere);
        Some(folder)
    }

    /// The folder of the stack's root, and whether its code is a checkout of a repository.
    fn folder(&self, stack: &Stack, at: &Path<'_>, findings: &mut Findings<'_, '_>) -> Option<(PathBuf, bool)> {
        match &stack.source {
            StackSource::Folder(folder) => Some((folder.clone(), false)),
            StackSource::Git { .. } => match self.options.checkout?(&stack.source) {
                Ok(folder) => Some((folder, true)),
                Err(why) => {
                    findings.at_key(&at.key("source"), format!("the code cannot be fetched: {why}"), None);
                    None
                }
            },
        }
    }
}

fn check_backend(stack: &Stack, root: &Root, at: &Path<'_>, findings: &mut Findings<'_, '_>) {
    if stack.backend.is_empty() {
        return;
    }
    let Some(backend) = &root.backend else {
        let message =
            "the root has no `backend` block, so that Terraform would ignore these and keep the state locally";
        let hint = Some("add `terraform { backend \"s3\" {} }` to the root, or remove `backend` here".to_owned());
        findings.at_key(&at.key("backend"), message, hint);
        return;
    };
    if backend.kind == "cloud" {
        let names: Vec<&String> = stack.backend.keys().collect();
        let message =
            format!("the root has a `cloud` block, which takes no arguments from outside: {}", listed(&names));
        findings.at_key(&at.key("backend"), message, Some("remove `backend` here".to_owned()));
    }
}

/// True when `folder` lies in a git work tree; gives its top.
pub(super) fn work_tree(folder: &FilePath) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    // `.git` is a file in linked work trees and submodules.
    folder.ancestors().find(|ancestor| ancestor.join(".git").exists()).map(FilePath::to_owned)
}
