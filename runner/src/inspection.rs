//! `check` with programs: the configuration held against the roots, the versions of the programs, and Terraform's own
//! `validate`. What only reads files is [`mod@crate::config::check`]'s.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use indexmap::IndexMap;
use serde::Deserialize;

use crate::config::check::{CheckOptions, Report, check};
use crate::config::version::Version;
use crate::config::{Config, Problem, template_of};
use crate::domain::environment::{Stack, StackSource};
use crate::domain::failure::Failure;
use crate::domain::ids::EnvironmentName;
use crate::paths::Paths;
use crate::source::{self, Wanted};
use crate::terraform::command::{self, InitArgs};
use crate::terraform::{Query, Tool};

/// `init` may fetch providers over the network.
const INIT_TIMEOUT: Duration = Duration::from_mins(5);

/// `validate` loads the schemas of all providers.
const VALIDATE_TIMEOUT: Duration = Duration::from_mins(2);

/// Most bytes of an answer.
const ANSWER_MAX: u64 = 8 * 1024 * 1024;

/// Checks `config` with everything that can be asked. Must be called inside a multi-threaded tokio runtime.
#[must_use]
pub fn inspect(config: &Config) -> Report {
    let paths = Paths::new(&config.runner.state_dir.join("check"));
    let version = |program: &Path| {
        let version = wait(async { find(program)?.version(Path::new("/")).await.map_err(|failure| *failure) });
        version.map_err(|failure| failure.summary).and_then(|v| v.text.parse::<Version>().map_err(|e| e.to_string()))
    };
    let is_set = |name: &str| std::env::var_os(name).is_some();
    let checkout = |source: &StackSource| {
        let place = paths.state_dir().join("sources").join(digest(&format!("{source:?}")));
        let fetched = wait(source::prepare(source, None, Wanted::Newest, &place));
        fetched.map(|checkout| checkout.root).map_err(|failure| failure.summary)
    };
    // Dozens of environments share a root, and Terraform's word about it is the same for each.
    let known: RefCell<BTreeMap<String, Rc<Result<Answer, Failure>>>> = RefCell::default();
    let validate = |environment: &EnvironmentName, stack: &Stack, root: &Path| {
        let code = format!("{:?} {}", stack.source, stack.terraform.program.display());
        let found = known.borrow().get(&code).cloned();
        let answer = found.unwrap_or_else(|| Rc::new(wait(ask(&paths, environment, stack))));
        known.borrow_mut().insert(code, Rc::clone(&answer));
        match answer.as_ref() {
            Ok(answer) => answer.problems(environment, root),
            Err(failure) => vec![problem_of(failure, environment, root)],
        }
    };
    check(
        config,
        &CheckOptions {
            only: None,
            version: Some(&version),
            is_set: Some(&is_set),
            has_program: Some(&|program| find(Path::new(program)).is_ok()),
            validate: Some(&validate),
            checkout: Some(&checkout),
        },
    )
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}

fn find(program: &Path) -> Result<Tool, Failure> {
    Tool::find(program, std::env::var_os("PATH").as_deref()).map_err(|failure| *failure)
}

fn digest(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The answer of `terraform validate -json`. Source: <https://developer.hashicorp.com/terraform/cli/commands/validate#json>.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    diagnostics: Vec<Told>,
}

#[derive(Debug, Deserialize)]
struct Told {
    severity: String,
    summary: String,
    #[serde(default)]
    detail: String,
    range: Option<Range>,
}

#[derive(Debug, Deserialize)]
struct Range {
    filename: String,
    start: Start,
}

#[derive(Debug, Deserialize)]
struct Start {
    line: u32,
    column: u32,
}

/// Asks Terraform about the code that would run: the commit, or the copy.
async fn ask(paths: &Paths, environment: &EnvironmentName, stack: &Stack) -> Result<Answer, Failure> {
    let place = paths.checkout(environment, &stack.name);
    let checkout = source::prepare(&stack.source, None, Wanted::Newest, &place).await?;
    let data_dir = paths.data(environment, &stack.name);
    let env = [
        (OsString::from("TF_DATA_DIR"), data_dir.into_os_string()),
        (OsString::from("TF_INPUT"), OsString::from("0")),
        (OsString::from("CHECKPOINT_DISABLE"), OsString::from("1")),
    ];
    let tool = find(&stack.terraform.program)?;
    let mut init = command::init(&InitArgs { backend_file: None, backend_config: &[], json: false });
    init.push("-backend=false".into());
    let query = |args, timeout| Query {
        program: &tool.program,
        args,
        cwd: &checkout.root,
        env: &env,
        timeout,
        limit: ANSWER_MAX,
    };
    let failed = |summary: String| Failure::new(crate::domain::failure::FailureKind::Terraform, summary);
    let done = query(&init, INIT_TIMEOUT).run().await.map_err(|error| failed(error.to_string()))?;
    if !done.exit.is_success() {
        return Err(failed("`terraform init` failed".to_owned()).with_detail(done.stderr.trim()));
    }
    let args = command::validate();
    let done = query(&args, VALIDATE_TIMEOUT).run().await.map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&done.stdout).map_err(|_| {
        failed("`terraform validate` gave no answer that can be read".to_owned()).with_detail(done.stderr.trim())
    })
}

impl Answer {
    /// As problems of the folder that people edit.
    fn problems(&self, environment: &EnvironmentName, root: &Path) -> Vec<Problem> {
        self.diagnostics
            .iter()
            .map(|told| {
                let range = told.range.as_ref();
                let file = range.map_or_else(|| root.to_owned(), |range| root.join(&range.filename));
                let (line, column) = range.map_or((0, 0), |range| (range.start.line, range.start.column));
                let message = match told.detail.as_str() {
                    "" => told.summary.clone(),
                    detail => format!("{}: {detail}", told.summary),
                };
                let problem = Problem { line, column, ..Problem::of_file(file, message) };
                let problem = problem.in_environment(environment.as_str());
                if told.severity == "error" { problem } else { problem.as_warning() }
            })
            .collect()
    }
}

fn problem_of(failure: &Failure, environment: &EnvironmentName, root: &Path) -> Problem {
    let message = if failure.detail.is_empty() {
        failure.summary.clone()
    } else {
        format!("{}: {}", failure.summary, failure.detail)
    };
    Problem::of_file(root, message).in_environment(environment.as_str())
}

/// Checks what only needs files, and sets environments with errors aside: they are unmanaged, the others go on. So are templates: nothing is
/// made from them.
#[must_use]
pub fn set_bad_roots_aside(mut config: Config) -> Config {
    let is_set = |name: &str| std::env::var_os(name).is_some();
    let report = check(&config, &CheckOptions { is_set: Some(&is_set), ..CheckOptions::default() });
    let mut unmanaged: IndexMap<String, Vec<Problem>> = IndexMap::new();
    let mut aside: IndexMap<String, Vec<Problem>> = IndexMap::new();
    for problem in report.problems.into_iter().filter(Problem::is_error) {
        let Some(name) = problem.environment.clone() else { continue };
        if let Some(template) = template_of(&name).map(str::to_owned) {
            config.templates.shift_remove(template.as_str());
            aside.entry(template).or_default().push(problem);
            continue;
        }
        config.set_aside(&name);
        unmanaged.entry(name).or_default().push(problem);
    }
    config.unmanaged = unmanaged;
    config.templates_aside = aside;
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_held_against_its_roots_as_an_environment_is_but_not_what_nobody_knows_yet() {
        let root = "variable \"cidr\" {\n  type = string\n  validation {\n    condition = contains([\"10.0.0.0/8\"], var.cidr)\n    error_message = \"no\"\n  }\n}\n\
            variable \"slaves\" {\n  type = number\n}\n";
        let template = "[pools.vpc]\nranges = ['10.64.0.0/12']\nprefix = 20\n\
            [environments.lt]\ndown = 'off'\nowners = ['local:ito']\nstacks = [{ name = 'app', root = 'app', workspace = 'lt', variables = { cidr = '10.0.0.0/8' } }]\nprofiles.full.app = { slaves = 1 }\n\
            [templates.lt]\npool = 'vpc'\n[templates.lt.environment]\nlike = 'lt'\nstacks = [{ name = 'app', workspace = '{env}', variables = { cidr = '{range}' } }]\n";
        let found = |more: &str| {
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("tidegate.toml");
            std::fs::create_dir(folder.path().join("app")).expect("made");
            std::fs::write(&file, format!("{template}{more}")).expect("written");
            std::fs::write(folder.path().join("app/main.tf"), root).expect("written");
            let config = crate::config::load(&file).unwrap_or_else(|problems| panic!("{problems}"));
            let config = set_bad_roots_aside(config);
            assert_eq!(config.environments.len(), 1, "{:?}", config.unmanaged);
            let said = config.templates_aside.values().flatten().map(|problem| problem.message.clone());
            (config.templates.len(), said.collect::<Vec<_>>())
        };
        assert_eq!(found(""), (1, Vec::new()));
        let (left, said) = found("profiles.full.app = { slvaes = 2 }\n");
        assert_eq!((left, said), (0, vec!["the root declares no variable `slvaes`".to_owned()]));
        let (left, said) = found("settings.more = { stack = 'app', variable = 'more', min = 1, max = 2 }\n");
        assert!(left == 0 && said[0] == "the root declares no variable `more`", "{said:?}");
    }
}
