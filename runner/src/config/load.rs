//! From a file to a [`Config`].

use std::collections::BTreeSet;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use indexmap::{IndexMap, IndexSet};
use serde::Deserialize as _;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::document::{Document, Node, Path};
use super::files::{self, Gathered};
use super::findings::Findings;
use super::problem::{Problem, Problems};
use super::schema::{resolve, schema};
use super::sections::access;
use super::sections::calendar::{self, Calendars};
use super::sections::chat::{self, ChatConfig};
use super::sections::database::{self, DatabaseConfig};
use super::sections::draft::{Draft, DraftGroup};
use super::sections::environment::{self, EnvironmentSection, Surroundings};
use super::sections::runner::{self, RunnerConfig};
use super::sections::schedule::today;
use super::sections::template;
use super::sections::web::{self, WebConfig};
use super::sections::{ConfigFile, check_names, values};
use super::shape::Shape;
use super::source::Source;
use crate::domain::access::Access;
use crate::domain::environment::{Environment, Stack, StackSource};
use crate::domain::ids::{EnvironmentName, GroupName, PoolName, TemplateName};
use crate::domain::made::{Made, Pool, Template};

/// A configuration whose values are valid.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The file that it was read from, as it was given.
    pub file: PathBuf,
    /// Where the ledger is kept.
    pub database: DatabaseConfig,
    /// The chats.
    pub chat: ChatConfig,
    /// What is told over HTTP.
    pub web: Option<WebConfig>,
    /// How runs are carried out.
    pub runner: RunnerConfig,
    /// Names of environment variables whose values never reach any sink.
    pub redact: Vec<String>,
    /// Who may do what, beside what the environments say.
    pub access: Access,
    /// The environments that are as they should be, in the order of the file.
    pub environments: IndexMap<EnvironmentName, Environment>,
    /// The environments with errors, by the name that the file gives them, which may not be a valid one.
    pub unmanaged: IndexMap<String, Vec<Problem>>,
    /// What to warn of in environments that are as they should be, by their names.
    pub(super) warnings: IndexMap<String, Vec<Problem>>,
    /// What could be understood of environments with errors.
    pub(super) drafts: IndexMap<String, Draft>,
    /// Those whose roots alone have errors: who may do what in them is known all the same.
    aside: IndexMap<EnvironmentName, Environment>,
    /// Holidays and working days by the names of `[calendars]`.
    pub(super) calendars: Calendars,
    /// The files that calendars name, whether or not they can be read.
    pub calendar_files: Vec<PathBuf>,
    /// What environments for one test are made from.
    pub templates: IndexMap<TemplateName, Template>,
    /// What is wrong with templates that cannot be used, by the names that the file gives them.
    pub templates_aside: IndexMap<String, Vec<Problem>>,
    /// Where their ranges come from.
    pub pools: IndexMap<PoolName, Pool>,
    /// Those that were made and exist, by their names. Their environments stand among the others.
    pub made: IndexMap<EnvironmentName, Arc<Made>>,
    /// The folders of Terraform roots on this machine, those of unmanaged environments too.
    pub roots: BTreeSet<PathBuf>,
    /// What to warn of in the files as such.
    pub(super) about_files: Vec<Problem>,
    /// The file of each environment that it names, as it is named in `include`; none for the file that was read.
    files: IndexMap<String, Option<String>>,
    /// The text of the file and those that it includes, for problems that are found later.
    pub(super) source: Source,
}

impl Config {
    /// The whole text of the file and of those that it includes, which may hold secrets.
    #[must_use]
    pub fn text(&self) -> &str {
        self.source.text()
    }

    /// A calendar whose file cannot be read any more goes on by the dates that it last had: what people typed by it, and what was made of
    /// templates, stands by it, too.
    pub(crate) fn keep_calendars_of(&mut self, old: &Self) {
        for (name, calendar) in self.calendars.iter_mut().filter(|(_, calendar)| calendar.is_err()) {
            if let Some(Ok(known)) = old.calendars.get(name) {
                *calendar = Ok(known.clone());
            }
        }
    }

    /// The environments whose section in the file has errors, by the names that the file gives them.
    pub fn misread(&self) -> impl Iterator<Item = &str> {
        self.drafts.keys().map(String::as_str)
    }

    /// The included file that an environment stands in, as it is named; `None` for the file that was read, and for one that is not there.
    #[must_use]
    pub fn file_of(&self, name: &str) -> Option<&str> {
        self.files.get(name).and_then(Option::as_deref)
    }

    /// The environments of a group, in the order of the files.
    pub fn group<'c>(&'c self, group: &'c GroupName) -> impl Iterator<Item = &'c Environment> {
        self.environments.values().filter(move |environment| environment.group.as_ref() == Some(group))
    }

    /// The groups that there are, in the order of the files.
    #[must_use]
    pub fn groups(&self) -> IndexSet<&GroupName> {
        self.environments.values().filter_map(|environment| environment.group.as_ref()).collect()
    }

    /// The environments of a group that are not managed and do not go on by their last good configuration, by the names that the file
    /// gives them; and those of which nobody can read whether they are in it.
    #[must_use]
    pub fn aside(&self, group: &GroupName) -> (Vec<String>, Vec<String>) {
        let gone = self.unmanaged.keys().filter(|name| !self.environments.contains_key(name.as_str()));
        let mut found = (Vec::new(), Vec::new());
        for name in gone {
            let draft = self.drafts.get(name).map(|draft| &draft.group);
            let (is_of, is_read) = match (self.aside.get(name.as_str()), draft) {
                (Some(aside), _) => (aside.group.as_ref() == Some(group), true),
                (None, Some(DraftGroup::Of(of))) => (of == group, true),
                (None, Some(DraftGroup::None)) => (false, true),
                (None, Some(DraftGroup::Unread) | None) => (false, false),
            };
            if is_of {
                found.0.push(name.clone());
            } else if !is_read {
                found.1.push(name.clone());
            }
        }
        found
    }

    /// Sets an environment aside whose roots do not check.
    pub fn set_aside(&mut self, name: &str) {
        if let Some(environment) = self.environments.shift_remove(name) {
            self.aside.insert(environment.name.clone(), environment);
        }
    }

    /// An environment of which is known who may do what in it: a managed one, or one whose roots alone do not check. Nothing new is
    /// begun in the latter; what ends something in it, and what only looks, goes by the file as it is.
    #[must_use]
    pub fn whose(&self, name: &EnvironmentName) -> Option<&Environment> {
        self.environments.get(name).or_else(|| self.aside.get(name))
    }

    /// Those for [`Self::whose`], managed ones first.
    pub fn all_known(&self) -> impl Iterator<Item = &Environment> {
        self.environments.values().chain(self.set_aside_now())
    }

    /// Those whose roots do not check, and that do not go on by a configuration that did.
    pub fn set_aside_now(&self) -> impl Iterator<Item = &Environment> {
        self.aside.values().filter(|aside| !self.environments.contains_key(&aside.name))
    }

    /// True when the file names this environment, managed or not.
    #[must_use]
    pub fn has(&self, name: &EnvironmentName) -> bool {
        self.environments.contains_key(name) || self.unmanaged.contains_key(name.as_str())
    }
}

/// Reads a configuration file. Secrets that it takes from environment variables come from this process.
///
/// # Errors
/// The file cannot be read, is not TOML, or something outside of the environments is wrong. All problems are told,
/// those of the environments too. A problem of an environment or a template alone is no error: it is then in [`Config::unmanaged`], or in
/// [`Config::templates_aside`].
pub fn load(path: &FilePath) -> Result<Config, Problems> {
    used(files::gather(&read(path)?)?, &|name| std::env::var(name).ok())
}

/// Reads a configuration file to be looked at and not to be used: with its mistakes, as far as it can be understood. The second
/// half is what is wrong outside of the environments.
///
/// # Errors
/// The file cannot be read, or is not TOML.
pub fn load_to_check(path: &FilePath) -> Result<(Config, Vec<Problem>), Problems> {
    understand(files::gather(&read(path)?)?, &|name| std::env::var(name).ok(), today())
}

/// Where the ledger of a configuration is that may be no valid one, not even TOML; `None` when it does not plainly say.
#[must_use]
pub fn database_of(path: &FilePath) -> Option<DatabaseConfig> {
    let source = Source::read(path).ok()?;
    let document = Document::recover(&source);
    let mut findings = Findings::new(&document);
    let top = top_level(&document, &mut findings);
    let database = database::read(top.database, &folder_of(path), &|name| std::env::var(name).ok(), &mut findings);
    let of_it = |problem: &Problem| problem.key_path == "database" || problem.key_path.starts_with("database.");
    (!findings.problems().iter().any(of_it)).then_some(database)
}

fn read(path: &FilePath) -> Result<Source, Problems> {
    match Source::read(path) {
        Err(_) if !path.exists() => {
            let hint = "`tidegate demo` shows one at work; docs/configuration.md begins with the smallest file to write; \
                        `--config FILE` names another";
            Err(Problem::of_file(path, "there is no configuration yet").with_hint(Some(hint.to_owned())).into())
        }
        other => Ok(other?),
    }
}

/// Reads a configuration from text, which may be the one of several files; `variable` looks an environment variable up. Relative paths
/// start at the folder of the source's path. No file is looked for.
///
/// # Errors
/// As [`load`].
pub fn parse(source: Source, variable: &dyn Fn(&str) -> Option<String>) -> Result<Config, Problems> {
    used(Gathered::of(source), variable)
}

/// As [`parse`], held against the time from `today` on; with what is wrong outside of the environments beside it.
#[cfg(test)]
pub(super) fn parse_on(source: Source, today: DateTime<Utc>) -> Result<(Config, Vec<Problem>), Problems> {
    understand(Gathered::of(source), &|_| None, today)
}

fn used(gathered: Gathered, variable: &dyn Fn(&str) -> Option<String>) -> Result<Config, Problems> {
    let (config, whole) = understand(gathered, variable, today())?;
    if whole.is_empty() {
        return Ok(config);
    }
    Err(Problems::new(
        whole
            .into_iter()
            .chain(config.unmanaged.into_values().flatten())
            .chain(config.templates_aside.into_values().flatten())
            .collect(),
    ))
}

/// As [`parse`], whatever is wrong outside of the environments: that is told beside the rest.
fn understand(
    gathered: Gathered,
    variable: &dyn Fn(&str) -> Option<String>,
    today: DateTime<Utc>,
) -> Result<(Config, Vec<Problem>), Problems> {
    let Gathered { source, unread, mut about } = gathered;
    let folder = folder_of(source.path());
    let mut unmanaged: IndexMap<String, Vec<Problem>> = IndexMap::new();
    let mut drafts = IndexMap::new();
    let mut environments = IndexMap::new();
    let (mut warnings, mut files) = (IndexMap::new(), IndexMap::new());
    let (database, chat, web, runner, redact, access, (calendars, calendar_files), (templates, pools), whole) = {
        let document = Document::parse(&source).map_err(Problems::new)?;
        let mut findings = Findings::new(&document);
        let top = top_level(&document, &mut findings);
        let (database, chat, runner) = (
            database::read(top.database, &folder, variable, &mut findings),
            chat::read(top.chat, &folder, &mut findings),
            runner::read(top.runner, &folder, &mut findings),
        );
        let web = web::read(top.web, &mut findings);
        check_redact(&top.redact, &mut findings);
        files::check(&top.include, &mut findings);
        let names: Vec<&str> = environment_nodes(&document).map(|(name, _)| name.get_ref().as_ref()).collect();
        let sections = access::Sections {
            roles: &top.roles,
            access: &top.access,
            groups: &top.groups,
            people: &top.people,
            channels: top.channels.as_ref(),
        };
        let access = access::read(&sections, &roles_in_use(&document), &names, &mut findings);
        let (calendars, calendar_files) = calendar::read(&top.calendars, &folder, &mut findings);
        let surroundings = Surroundings {
            folder: &folder,
            access: &access,
            roles: &access.roles,
            runner: &runner,
            calendars: &calendars,
            today,
        };
        let pools = template::pools(&top.pools, &mut findings);
        let templates = template::read(&document, &pools, &surroundings, &mut findings);
        let mut aside = |name: &str, problems: Vec<Problem>, draft| {
            unmanaged.insert(name.to_owned(), Problems::new(problems).into_vec());
            drafts.insert(name.to_owned(), draft);
        };
        set_aside_unread(&document, unread, &names, &mut aside);
        for (name, node) in environment_nodes(&document) {
            let file = source.name_at(name.span().start).map(str::to_owned);
            files.insert(name.get_ref().to_string(), file);
            let flaw = document.flaws().get(name.get_ref().as_ref());
            if flaw.is_some_and(|flaw| flaw.unreadable) {
                continue;
            }
            let flaws = flaw.map(|flaw| flaw.problems.clone()).unwrap_or_default();
            match one_environment(&document, name, node, &surroundings, flaws) {
                Ok((environment, warned)) => {
                    if !warned.is_empty() {
                        warnings.insert(name.get_ref().to_string(), warned);
                    }
                    environments.insert(environment.name.clone(), environment);
                }
                Err((problems, draft)) => aside(name.get_ref(), problems, draft),
            }
        }
        check_names(&access, None, &mut findings);
        warn_of_names(&document, &access, environments.values(), &mut warnings);
        let (errors, told): (Vec<_>, Vec<_>) = findings.into_problems().into_iter().partition(Problem::is_error);
        about.extend(told);
        (database, chat, web, runner, top.redact, access, (calendars, calendar_files), (templates, pools), errors)
    };
    let (templates, templates_aside) = templates;
    let roots = roots_of(&environments, &templates, &drafts);
    let config = Config {
        file: source.path().to_owned(),
        database,
        chat,
        web,
        runner,
        redact,
        access,
        environments,
        unmanaged,
        warnings,
        drafts,
        aside: IndexMap::new(),
        calendars,
        calendar_files,
        templates,
        templates_aside,
        pools,
        made: IndexMap::new(),
        roots,
        about_files: about,
        files,
        source,
    };
    Ok((config, whole))
}

/// The roots that lie in folders, of all that is known of.
fn roots_of(
    environments: &IndexMap<EnvironmentName, Environment>,
    templates: &IndexMap<TemplateName, Template>,
    drafts: &IndexMap<String, Draft>,
) -> BTreeSet<PathBuf> {
    let stacks = environments.values().flat_map(|environment| environment.stacks.values());
    let sampled = templates.values().flat_map(|template| template.sample.stacks.values());
    let drafted = drafts.values().flat_map(|draft| draft.stacks.iter().map(|(_, stack)| stack));
    let folder = |stack: &Stack| match &stack.source {
        StackSource::Folder(folder) => Some(folder.clone()),
        StackSource::Git { .. } => None,
    };
    stacks.chain(sampled).chain(drafted).filter_map(folder).collect()
}

/// The folder of a file; `.` for a bare file name. Absolute where the current folder is known.
pub(super) fn folder_of(file: &FilePath) -> PathBuf {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    absolute.parent().map_or_else(|| PathBuf::from("."), FilePath::to_owned)
}

/// Checks and reads all but the environments.
fn top_level(document: &Document<'_>, findings: &mut Findings<'_, '_>) -> ConfigFile {
    let mut shape = Shape::default();
    let mut rest = DeTable::new();
    for (key, value) in document.table() {
        if ["environments", "templates"].contains(&key.get_ref().as_ref()) && value.get_ref().is_table() {
            continue;
        }
        shape.entry(schema(), key, value, &Path::ROOT, findings);
        rest.insert(key.clone(), value.clone());
    }
    let node = shape.without_wrong(&Spanned::new(0..0, DeValue::Table(rest)));
    ConfigFile::deserialize(ValueDeserializer::from(node)).unwrap_or_else(|error| {
        // The form allows nothing that cannot be read; if it did, people should still see where.
        if findings.problems().is_empty() {
            findings.at_key(&Path::ROOT, error.message().to_owned(), None);
        }
        ConfigFile::default()
    })
}

fn check_redact(names: &[String], findings: &mut Findings<'_, '_>) {
    for (index, name) in names.iter().enumerate() {
        if name.trim().is_empty() || name.contains(['=', '\0']) {
            let message = "this is not the name of an environment variable";
            let hint = Some("write the name, not the value: `DB_PASSWORD`".to_owned());
            findings.at_value(&Path::ROOT.key("redact").index(index), message, hint);
        }
    }
}

pub(super) fn environment_nodes<'d, 'i>(
    document: &'d Document<'i>,
) -> impl Iterator<Item = (&'d Spanned<std::borrow::Cow<'i, str>>, &'d Node<'i>)> {
    document.table().get("environments").and_then(|node| node.get_ref().as_table()).into_iter().flatten()
}

/// Roles that environments give or want a yes of, whether or not the rest of them is right.
fn roles_in_use(document: &Document<'_>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for table in environment_nodes(document).filter_map(|(_, node)| node.get_ref().as_table()) {
        let grants = table.get("access").and_then(|node| node.get_ref().as_table());
        found.extend(grants.into_iter().flatten().map(|(role, _)| role.get_ref().to_string()));
        let rules: Vec<&Node<'_>> = match table.get("approve").map(|node| (node, node.get_ref())) {
            Some((_, DeValue::Array(rules))) => rules.iter().collect(),
            Some((rule, _)) => vec![rule],
            None => Vec::new(),
        };
        let by = rules.iter().filter_map(|rule| rule.get_ref().as_table()?.get("by")?.get_ref().as_str());
        found.extend(by.map(str::to_owned));
    }
    found
}

/// One team's file is no reason to refuse all: of a name that could be two people's, and stands in one environment, is warned there.
fn warn_of_names<'e>(
    document: &Document<'_>,
    access: &Access,
    environments: impl Iterator<Item = &'e Environment>,
    warnings: &mut IndexMap<String, Vec<Problem>>,
) {
    for environment in environments {
        let mut own = Findings::new(document);
        check_names(access, Some(environment), &mut own);
        let name = environment.name.as_str();
        let told: Vec<Problem> =
            own.into_problems().into_iter().map(|problem| problem.as_warning().in_environment(name)).collect();
        if !told.is_empty() {
            warnings.entry(name.to_owned()).or_default().extend(told);
        }
    }
}

/// What stands in the configuration beside environments that can be read: what nobody can read of them.
fn set_aside_unread(
    document: &Document<'_>,
    unread: Vec<(String, Problem)>,
    names: &[&str],
    mut aside: impl FnMut(&str, Vec<Problem>, Draft),
) {
    for (name, problem) in unread {
        aside(&name, vec![problem], Draft::default());
    }
    for (name, flaw) in
        document.flaws().iter().filter(|(name, flaw)| flaw.unreadable || !names.contains(&name.as_str()))
    {
        aside(name, flaw.problems.clone(), Draft::default());
    }
}

/// Checks and reads one environment, with what is to be warned of; of one with mistakes what could be understood.
pub(super) fn one_environment(
    document: &Document<'_>,
    key: &Spanned<std::borrow::Cow<'_, str>>,
    node: &Node<'_>,
    surroundings: &Surroundings<'_>,
    flaws: Vec<Problem>,
) -> Result<(Environment, Vec<Problem>), (Vec<Problem>, Draft)> {
    let mut findings = Findings::new(document);
    let name: &str = key.get_ref();
    let environments = Path::ROOT.key("environments");
    let at = environments.key(name);
    let form = schema().pointer("/properties/environments/additionalProperties").map_or(&Value::Bool(true), resolve);
    let mut shape = Shape::default();
    shape.check(form, key.span().start, node, &at, &mut findings);
    let of_form = findings.problems().len();
    let mut environment = None;
    match EnvironmentSection::deserialize(ValueDeserializer::from(shape.without_wrong(node))) {
        Ok(section) => environment = environment::read(&at, name, &section, surroundings, &mut findings),
        // What is missing has been told; anything else would be a hole in the form and must not pass silently.
        Err(error) if of_form == 0 => findings.at_key(&at, error.message().to_owned(), None),
        Err(_) => {
            values::typed_name::<EnvironmentName>(&at, name, "an environment", &mut findings);
        }
    }
    findings.drop_consequences(of_form);
    match environment {
        Some(environment) if findings.errors() == 0 && flaws.is_empty() => Ok((environment, findings.into_problems())),
        _ => {
            let mut problems = findings.into_problems();
            problems.extend(flaws);
            if problems.is_empty() {
                // Every way to no environment tells why; this keeps a gap from becoming an environment that vanishes.
                let message = format!("the environment {} cannot be used", super::problem::quoted(name));
                problems.push(Problem::at(document.source(), key.span(), message).in_environment(name));
            }
            Err((problems, Draft::read(document, &at, node, &shape, surroundings)))
        }
    }
}
