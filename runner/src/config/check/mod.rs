//! Holds a configuration against the Terraform roots that it names: what would only fail at 09:00 is told now.

mod modules;
mod report;
mod secrets;
mod stack;
mod variables;
mod version;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};
use std::rc::Rc;

pub use report::{Checked, Report};

use super::document::{Document, Path};
use super::findings::Findings;
use super::load::Config;
use super::problem::Problem;
use super::version::Version;
use crate::domain::environment::{Environment, Stack, StackSource};
use crate::domain::ids::EnvironmentName;
use crate::root::{Root, read_root};

/// Tells the version of a program (`terraform` or `tofu`), or why that is not known.
pub type VersionOf<'a> = &'a dyn Fn(&FilePath) -> Result<Version, String>;

/// Asks Terraform itself about a stack whose root is in the given folder (`terraform validate`).
pub type Validate<'a> = &'a dyn Fn(&Environment, &Stack, &FilePath) -> Vec<Problem>;

/// Fetches the code of a stack that has a repository of its own, and gives the folder of its root.
pub type Checkout<'a> = &'a dyn Fn(&StackSource) -> Result<PathBuf, String>;

/// What a check takes in beside the files. By default only files are read and no program is started.
#[derive(Default, Clone, Copy)]
pub struct CheckOptions<'a> {
    /// Only this environment.
    pub only: Option<&'a EnvironmentName>,
    /// How to learn a program's version; without it, version constraints are only parsed.
    pub version: Option<VersionOf<'a>>,
    /// Whether an environment variable is set, for values that come as `TF_VAR_NAME`; without it, none is.
    pub is_set: Option<&'a dyn Fn(&str) -> bool>,
    /// Asked about each stack that has no error so far.
    pub validate: Option<Validate<'a>>,
    /// How to get the code of stacks with `source`; without it, their roots are not read.
    pub checkout: Option<Checkout<'a>>,
}

/// Checks a configuration. Problems of environments that could not be loaded are in the report too.
#[must_use]
pub fn check(config: &Config, options: &CheckOptions<'_>) -> Report {
    let mut report = Report::default();
    let wanted = |name: &str| options.only.is_none_or(|only| only.as_str() == name);
    for (name, problems) in config.unmanaged.iter().filter(|(name, _)| wanted(name)) {
        report.checked.environments += 1;
        report.problems.extend(problems.iter().cloned().map(|problem| problem.in_environment(name)));
    }
    // The text was parsed when it was loaded; only a caller that made its own `Config` could get here with another.
    let document = match Document::parse(&config.source) {
        Ok(document) => document,
        Err(problems) => return Report::of(problems),
    };
    let visit = Visit { document: &document, options, roots: RefCell::default(), versions: RefCell::default() };
    if config.environments.is_empty() && config.unmanaged.is_empty() {
        let message = "the file names no environment";
        let hint = Some("add a table `[environments.NAME]`; docs/configuration.md has all keys".to_owned());
        report.problems.push(Problem::of_file(&config.file, message).with_hint(hint).as_warning());
    }
    for environment in config.environments.values().filter(|environment| wanted(environment.name.as_str())) {
        report.checked.environments += 1;
        visit.environment(environment, &mut report);
    }
    report.finish()
}

/// A root or what is wrong with it, read once for all stacks that share it.
type SharedRoot = Rc<Result<Root, Vec<Problem>>>;

/// Where an environment and one of its stacks stand in the file.
struct At<'p> {
    environment: Path<'p>,
    stack: Path<'p>,
}

/// What is known while a configuration is checked: many environments often share a root and a program.
struct Visit<'c, 'o> {
    document: &'c Document<'c>,
    options: &'c CheckOptions<'o>,
    roots: RefCell<BTreeMap<PathBuf, SharedRoot>>,
    versions: RefCell<BTreeMap<PathBuf, Result<Version, String>>>,
}

impl Visit<'_, '_> {
    fn environment(&self, environment: &Environment, report: &mut Report) {
        let environments = Path::ROOT.key("environments");
        let at = environments.key(environment.name.as_str());
        let mut findings = Findings::new(self.document);
        if environment.owners.is_empty() {
            let message = "this environment has no owners, so that nobody can change it";
            findings.warn_at_key(&at, message, Some("add `owners = [\"local:NAME\"]`".to_owned()));
        }
        for (index, stack) in environment.stacks.values().enumerate() {
            let stacks = at.key("stacks");
            let places = At { environment: at, stack: stacks.index(index) };
            let mut elsewhere = Vec::new();
            let before = findings.errors();
            match self.stack(environment, stack, &places, &mut findings, &mut elsewhere) {
                Some(folder) => {
                    report.checked.stacks += 1;
                    let clean = findings.errors() == before && !elsewhere.iter().any(Problem::is_error);
                    if let Some(validate) = self.options.validate.filter(|_| clean) {
                        elsewhere.extend(validate(environment, stack, &folder));
                    }
                }
                None => report.checked.not_read.push(format!("{}/{}", environment.name, stack.name)),
            }
            let tell = |problem: Problem| problem.in_environment(environment.name.as_str());
            report.problems.extend(elsewhere.into_iter().map(tell));
        }
        report.problems.extend(findings.into_problems());
    }

    fn root(&self, folder: &FilePath) -> SharedRoot {
        if let Some(root) = self.roots.borrow().get(folder) {
            return Rc::clone(root);
        }
        let root = Rc::new(read_root(folder));
        self.roots.borrow_mut().insert(folder.to_owned(), Rc::clone(&root));
        root
    }
}

#[cfg(test)]
mod tests;
