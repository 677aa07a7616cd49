//! Holds a configuration against the Terraform roots that it names: what would only fail at 09:00 is told now.

mod modules;
mod protect;
mod report;
mod secrets;
mod stack;
pub(super) mod state;
mod variables;
mod version;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path as FilePath, PathBuf};
use std::rc::Rc;

use indexmap::IndexMap;

pub use report::{Checked, Report};

use super::document::{Document, Path};
use super::findings::Findings;
use super::load::Config;
use super::problem::Problem;
use super::sections::draft::Draft;
use super::template::{place_of, template_of};
use super::version::Version;
use crate::domain::environment::{Environment, Setting, Stack, StackSource, Variables};
use crate::domain::ids::{EnvironmentName, ProfileName, SettingName, StackName};
use crate::domain::made::Template;
use crate::root::{Root, read_root};

/// Tells the version of a program (`terraform` or `tofu`), or why that is not known.
pub type VersionOf<'a> = &'a dyn Fn(&FilePath) -> Result<Version, String>;

/// Asks Terraform itself about a stack whose root is in the given folder (`terraform validate`).
pub type Validate<'a> = &'a dyn Fn(&EnvironmentName, &Stack, &FilePath) -> Vec<Problem>;

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
    /// Whether a program that is named without its path is there, for commands that give secrets; without it, each is.
    pub has_program: Option<&'a dyn Fn(&str) -> bool>,
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
    for (name, problems) in config.unmanaged.iter().chain(&config.warnings).filter(|(name, _)| wanted(name)) {
        report.problems.extend(problems.iter().cloned().map(|problem| problem.in_environment(name)));
    }
    if options.only.is_none() {
        report.problems.extend(config.about_files.iter().cloned());
        for (name, problems) in &config.templates_aside {
            let place = place_of(name);
            report.problems.extend(problems.iter().cloned().map(|problem| problem.in_environment(&place)));
        }
    }
    // The text was parsed when it was loaded; only a caller that made its own `Config` could get here with another.
    let document = match Document::parse(&config.source) {
        Ok(document) => document,
        Err(problems) => return Report::of(problems),
    };
    let visit = Visit {
        document: &document,
        options,
        roots: RefCell::default(),
        versions: RefCell::default(),
        claims: RefCell::default(),
    };
    if config.environments.is_empty() && config.unmanaged.is_empty() {
        let message = "the file names no environment";
        let hint = Some("add a table `[environments.NAME]`; docs/configuration.md has all keys".to_owned());
        report.problems.push(Problem::of_file(&config.file, message).with_hint(hint).as_warning());
    }
    let managed = config.environments.values().map(Subject::from);
    let drafts = config.drafts.iter().map(|(name, draft)| Subject::of_draft(name, draft));
    let environments = Path::ROOT.key("environments");
    for subject in managed.chain(drafts).filter(|subject| wanted(subject.name)) {
        report.checked.environments += 1;
        visit.environment(&subject, &environments.key(subject.name), &mut report);
    }
    let templates = Path::ROOT.key("templates");
    for template in config.templates.values().filter(|_| options.only.is_none()) {
        let place = place_of(template.name.as_str());
        let at = templates.key(template.name.as_str());
        visit.environment(&Subject::of_template(&place, template, &document), &at.key("environment"), &mut report);
    }
    visit.refuse_shared(&mut report);
    report.finish()
}

/// A root or what is wrong with it, read once for all stacks that share it.
type SharedRoot = Rc<Result<Root, Vec<Problem>>>;

/// What is held against roots: an environment, or what could be understood of one with mistakes.
struct Subject<'c> {
    name: &'c str,
    /// The stacks, each with its place in the list of the file.
    stacks: Vec<(usize, &'c Stack)>,
    settings: &'c IndexMap<SettingName, Setting>,
    profiles: &'c IndexMap<ProfileName, BTreeMap<StackName, Variables>>,
    /// False where it is not known which variables are given a value.
    all_values: bool,
    has_owners: bool,
    /// The globs of `protect`; none where there are mistakes, as they are not held against roots then.
    protect: &'c [String],
    /// Of a template: what stands in its values for what nobody knows yet. Conditions of variables say nothing of it, and no state is its
    /// own.
    put_in: Option<&'c [String]>,
}

impl<'c> From<&'c Environment> for Subject<'c> {
    fn from(environment: &'c Environment) -> Self {
        let Environment { name, stacks, settings, profiles, owners, protect, .. } = environment;
        let stacks = stacks.values().enumerate().collect();
        let has_owners = !owners.is_empty();
        Self { name: name.as_str(), stacks, settings, profiles, all_values: true, has_owners, protect, put_in: None }
    }
}

impl<'c> Subject<'c> {
    fn of_draft(name: &'c str, draft: &'c Draft) -> Self {
        let &Draft { ref stacks, ref settings, ref profiles, all_values, group: _ } = draft;
        let stacks = stacks.iter().map(|(index, stack)| (*index, stack)).collect();
        // What is wrong with its owners was told, if anything.
        Self { name, stacks, settings, profiles, all_values, has_owners: true, protect: &[], put_in: None }
    }

    /// What would be made from a template, by the name `place`. Whoever makes one owns it. A root whose folder has the name put in is
    /// another one each time.
    fn of_template(place: &'c str, template: &'c Template, document: &'c Document<'_>) -> Self {
        let whole: toml::Table = template.definition.parse().unwrap_or_default();
        let written = whole.get("stacks").and_then(toml::Value::as_array);
        let is_one = |index: usize| {
            let root = written.and_then(|stacks| stacks.get(index)?.get("root")?.as_str());
            root.is_none_or(|root| !root.contains('{'))
        };
        let stacks = template.sample.stacks.values().enumerate().filter(|(index, _)| is_one(*index)).collect();
        let put_in = document.definitions().get(template.name.as_str()).map(|definition| definition.put_in.as_slice());
        let protect: &[String] = &[];
        Self {
            name: place,
            stacks,
            has_owners: true,
            protect,
            put_in: put_in.or(Some(&[])),
            ..Self::from(&template.sample)
        }
    }
}

/// Where an environment and one of its stacks stand in the file.
struct At<'p> {
    environment: Path<'p>,
    stack: Path<'p>,
    /// The stack's place in the list of the file.
    index: usize,
}

/// What is known while a configuration is checked: many environments often share a root and a program.
struct Visit<'c, 'o> {
    document: &'c Document<'c>,
    options: &'c CheckOptions<'o>,
    roots: RefCell<BTreeMap<PathBuf, SharedRoot>>,
    versions: RefCell<BTreeMap<PathBuf, Result<Version, String>>>,
    claims: RefCell<Vec<state::Claim>>,
}

impl Visit<'_, '_> {
    fn environment(&self, subject: &Subject<'_>, at: &Path<'_>, report: &mut Report) {
        let mut findings = Findings::new(self.document);
        if !subject.has_owners {
            let message = "this environment has no owners, so that nobody can change it";
            findings.warn_at_key(at, message, Some("add `owners = [\"local:NAME\"]`".to_owned()));
        }
        let mut roots = Vec::new();
        for (index, stack) in &subject.stacks {
            let stacks = at.key("stacks");
            let places = At { environment: *at, stack: stacks.index(*index), index: *index };
            let mut elsewhere = Vec::new();
            let before = findings.errors();
            match self.stack(subject, stack, &places, &mut findings, &mut elsewhere) {
                Some(folder) => {
                    report.checked.stacks += usize::from(subject.put_in.is_none());
                    roots.push(self.root(&folder));
                    let clean = findings.errors() == before && !elsewhere.iter().any(Problem::is_error);
                    if let (true, Some(validate), Ok(name)) =
                        (clean, self.options.validate, template_of(subject.name).unwrap_or(subject.name).parse())
                    {
                        elsewhere.extend(validate(&name, stack, &folder));
                    }
                }
                None => report.checked.not_read.push(format!("{}/{}", subject.name, stack.name)),
            }
            report.problems.extend(elsewhere.into_iter().map(|problem| problem.in_environment(subject.name)));
        }
        if roots.len() == subject.stacks.len() {
            protect::check(subject.protect, &roots, &at.key("protect"), &mut findings);
        }
        // What the configuration alone told about a value is not told a second time because of the root.
        let told: BTreeSet<String> = report.errors_of(subject.name).map(|problem| problem.key_path.clone()).collect();
        let new = |problem: &Problem| problem.key_path.is_empty() || !told.contains(&problem.key_path);
        let mut found: Vec<Problem> = findings.into_problems().into_iter().filter(new).collect();
        if subject.put_in.is_some() {
            found = found.into_iter().map(|problem| problem.in_environment(subject.name)).collect();
        }
        report.problems.extend(found);
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
