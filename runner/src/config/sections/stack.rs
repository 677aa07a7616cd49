//! `[[environments.NAME.stacks]]`: one Terraform root module of an environment.

use std::collections::BTreeMap;
use std::path::{Component, Path as FilePath, PathBuf};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::super::document::Path;
use super::super::duration;
use super::super::findings::Findings;
use super::super::problem::quoted;
use super::super::version::Constraints;
use super::environment::Surroundings;
use super::ready::{self, BusySection, EnoughSection, PlannedEndSection, ProbeSection};
use super::secret::GivenSection;
use super::values;
use crate::domain::environment::{OffAction, Stack, StackSource, TerraformSettings, is_set_by_tidegate};
use crate::domain::ids::StackName;
use crate::domain::probe::Busy;
use crate::domain::secret::Given;

/// A stack: one Terraform root module with its workspace, backend settings and variables.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct StackSection {
    /// Its name: a-z, 0-9, `-` and `_`, a letter first, at most 40 characters.
    #[schemars(example = &"app")]
    pub(super) name: String,
    /// Folder of its Terraform root. Either this or `source`.
    #[schemars(length(min = 1), example = &"terraform/environments/shop/app")]
    root: Option<String>,
    /// A git repository that its Terraform root comes from. Either this or `root`.
    source: Option<GitSection>,
    /// Stacks of this environment that must be up before it.
    #[serde(default)]
    #[schemars(example = ["monitoring"])]
    pub(super) needs: Vec<String>,
    /// Terraform workspace. Without it, the default one.
    #[schemars(length(min = 1), example = &"shop")]
    workspace: Option<String>,
    /// Settings of the backend, by name; each a text, number, `true` or `false`, or where a secret is read from. A secret that changes
    /// now and then belongs into `env`: Terraform takes a changed backend setting for another backend.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "key": "shop/app.tfstate" }))]
    backend: BTreeMap<String, GivenSection>,
    /// Environment variables for Terraform, by name; each a text, or where a secret is read from: `{ env = "NAME" }`,
    /// `{ file = "PATH" }`, `{ command = ["PROGRAM", "ARGUMENT"], refresh = "1h", timeout = "10s" }`, each with `expires_in` if it is
    /// not good for ever.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "AWS_PROFILE": "load", "TF_VAR_db_password": { "file": "/run/secrets/db" } }))]
    env: BTreeMap<String, GivenSection>,
    /// Values of the root's variables that are the same at every level. A profile's value goes before.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "env_name": "shop" }))]
    pub(super) variables: BTreeMap<String, Value>,
    /// What `off` does to it: `destroy` destroys everything in it, `lowest` takes it to the lowest profile.
    #[serde(default)]
    off: Off,
    /// Path or name of `terraform` or `tofu`. Without it, `runner.terraform`.
    #[schemars(length(min = 1), example = &"tofu")]
    terraform: Option<String>,
    /// Terraform version that it wants, as Terraform writes constraints; checked beside the root's `required_version`.
    #[schemars(length(min = 1), example = &"~> 1.11")]
    version: Option<String>,
    /// How long to wait for a state lock that somebody else holds. `0s` to `1d`. Without it, `runner.lock_timeout`.
    #[schemars(regex(pattern = duration::PATTERN), example = &"5m")]
    lock_timeout: Option<String>,
    /// Resources that Terraform changes at the same time. Without it, Terraform's own default.
    #[schemars(range(min = 1, max = 256), example = 10)]
    parallelism: Option<u32>,
    /// How long after its apply it may take until its Auto Scaling groups are in service and `ready` passes. `1s` to `1d`. Without it,
    /// `15m`.
    #[schemars(regex(pattern = duration::PATTERN), example = &"20m")]
    ready_within: Option<String>,
    /// What must answer before the stack counts as there; stacks that need it wait for that. `{output.NAME}` stands for an output of
    /// the stack.
    #[serde(default)]
    pub(super) ready: Vec<ProbeSection>,
    /// What tells whether a load test runs in it: what was made for one test does not end by its time while one does. `{output.NAME}` stands for
    /// an output of the stack.
    #[serde(default)]
    busy: Vec<BusySection>,
    /// How much of an Auto Scaling group is enough, by address, with `*` for any characters: a share or a number. Without it, all of
    /// it. What is missing then is told, and is no failure.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, EnoughSection>", example = serde_json::json!({ "module.jmeter.aws_autoscaling_group.slaves": "90%" }))]
    enough: IndexMap<String, EnoughSection>,
    /// Whether AWS is asked if the Auto Scaling groups in its state are in service.
    #[serde(default = "yes")]
    in_service: bool,
    /// ARN of the role that is assumed to ask AWS, where the root's provider assumes one too. Without it, the credentials of `env` ask.
    #[schemars(example = &"arn:aws:iam::123456789012:role/tidegate-read")]
    role: Option<String>,
    /// Which of its Auto Scaling groups AWS ends by itself two hours after the planned end, by a scheduled action that Tidegate writes,
    /// and moves with each `keep`. Without it, none.
    planned_end: Option<PlannedEndSection>,
}

fn yes() -> bool {
    true
}

/// A git repository that a Terraform root comes from.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct GitSection {
    /// URL or path that `git clone` takes. A path that begins with `./` or `../` starts at this file's folder.
    #[schemars(length(min = 1), example = &"https://git.example.com/infra.git")]
    git: String,
    /// Branch, tag or commit.
    #[schemars(length(min = 1), example = &"main")]
    r#ref: String,
    /// Folder of the Terraform root inside the repository. Without it, its top.
    #[schemars(example = &"environments/shop/app")]
    folder: Option<String>,
}

/// What `off` does to a stack.
#[derive(Debug, Clone, Copy, Default, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Off {
    Destroy,
    #[default]
    Lowest,
}

impl StackSection {
    /// The stack, as far as it can be made; what is wrong goes to `findings`. Other stacks are not looked at, so that
    /// its `needs` are empty.
    pub(super) fn read(
        &self,
        at: &Path<'_>,
        surroundings: &Surroundings<'_>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<Stack> {
        let name: Option<StackName> = values::name_of_value(&at.key("name"), &self.name, findings);
        let source = self.source(at, surroundings.folder, findings);
        if let Some(workspace) = &self.workspace
            && !workspace.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~$&+:=@".contains(c))
        {
            let message = format!("{} is not a name that Terraform takes for a workspace", quoted(workspace));
            findings.at_value(&at.key("workspace"), message, Some("use letters, digits, `-` and `_`".to_owned()));
        }
        if let Some(version) = &self.version
            && let Err(error) = version.parse::<Constraints>()
        {
            let hint = "write it as Terraform does: `~> 1.11` or `>= 1.9, < 2.0`";
            findings.at_value(&at.key("version"), error.to_string(), Some(hint.to_owned()));
        }
        let lock_timeout_s = self.lock_timeout.as_ref().map_or(Some(surroundings.runner.lock_timeout_s), |text| {
            duration::read(&at.key("lock_timeout"), text, 0..=86_400, findings)
        });
        let program = self.terraform.as_ref().map_or_else(
            || surroundings.runner.terraform.clone(),
            |program| values::program(program, surroundings.folder),
        );
        let backend = given(&at.key("backend"), &self.backend, surroundings.folder, findings);
        let env = given(&at.key("env"), &self.env, surroundings.folder, findings);
        check_env(&at.key("env"), &self.env, findings);
        check_backend(&at.key("backend"), &self.backend, findings);
        let written = ready::Written {
            within: self.ready_within.as_ref(),
            probes: &self.ready,
            enough: &self.enough,
            in_service: self.in_service,
            role: self.role.as_ref(),
            planned_end: self.planned_end.as_ref(),
        };
        let readiness = ready::read(at, &written, findings);
        let busy_at = at.key("busy");
        let busy: Vec<Option<Busy>> =
            self.busy.iter().enumerate().map(|(index, busy)| busy.read(&busy_at.index(index), findings)).collect();
        Some(Stack {
            name: name?,
            source: source?,
            needs: Vec::new(),
            workspace: self.workspace.clone(),
            backend,
            env,
            variables: self.variables.clone(),
            off: match self.off {
                Off::Destroy => OffAction::Destroy,
                Off::Lowest => OffAction::Lowest,
            },
            terraform: TerraformSettings {
                program,
                version: self.version.clone(),
                lock_timeout_s: lock_timeout_s?,
                parallelism: self.parallelism,
            },
            readiness: readiness?,
            busy: busy.into_iter().collect::<Option<_>>()?,
        })
    }

    fn source(&self, at: &Path<'_>, folder: &FilePath, findings: &mut Findings<'_, '_>) -> Option<StackSource> {
        match (&self.root, &self.source) {
            (Some(root), None) => Some(StackSource::Folder(plain(&folder.join(root)))),
            (None, Some(git)) => git.read(&at.key("source"), folder, findings),
            (Some(_), Some(_)) => {
                let message = "a stack has either `root` or `source`, not both";
                findings.at_key(&at.key("source"), message, Some("remove one of them".to_owned()));
                None
            }
            (None, None) => {
                let hint = "add `root = \"FOLDER\"`, or `source = { git = \"URL\", ref = \"main\" }`";
                let message = "this stack does not say where its Terraform root is";
                findings.at_key(at, message, Some(hint.to_owned()));
                None
            }
        }
    }
}

impl GitSection {
    fn read(&self, at: &Path<'_>, folder: &FilePath, findings: &mut Findings<'_, '_>) -> Option<StackSource> {
        let inside = FilePath::new(self.folder.as_deref().unwrap_or_default());
        if !inside.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            let message = format!("{} does not lie inside the repository", quoted(&inside.to_string_lossy()));
            let hint = "write it without a leading `/` and without `..`";
            findings.at_value(&at.key("folder"), message, Some(hint.to_owned()));
            return None;
        }
        for (key, text) in [("git", &self.git), ("ref", &self.r#ref)] {
            if text.starts_with('-') {
                let message = format!("{} begins with `-`, so that git would take it for an option", quoted(text));
                findings.at_value(&at.key(key), message, None);
                return None;
            }
        }
        let relative = self.git.starts_with("./") || self.git.starts_with("../");
        let url = if relative { plain(&folder.join(&self.git)).display().to_string() } else { self.git.clone() };
        Some(StackSource::Git { url, reference: self.r#ref.clone(), folder: plain(inside) })
    }
}

fn given(
    at: &Path<'_>,
    section: &BTreeMap<String, GivenSection>,
    folder: &FilePath,
    findings: &mut Findings<'_, '_>,
) -> BTreeMap<String, Given> {
    let read = |(name, given): (&String, &GivenSection)| {
        let given = given.read(&at.key(name), folder, findings)?;
        Some((name.clone(), given))
    };
    section.iter().filter_map(read).collect()
}

fn check_backend(at: &Path<'_>, backend: &BTreeMap<String, GivenSection>, findings: &mut Findings<'_, '_>) {
    for name in backend.keys() {
        let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        if !first || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) {
            findings.at_key(&at.key(name), format!("{} is not the name of a backend's setting", quoted(name)), None);
        }
    }
}

fn check_env(at: &Path<'_>, env: &BTreeMap<String, GivenSection>, findings: &mut Findings<'_, '_>) {
    for name in env.keys() {
        if name.trim().is_empty() || name.contains(['=', '\0']) {
            findings.at_key(&at.key(name), "this is not the name of an environment variable", None);
        } else if is_set_by_tidegate(name) {
            let message = format!("{} is set by Tidegate alone", quoted(name));
            findings.at_key(&at.key(name), message, Some("remove it".to_owned()));
        }
    }
}

/// The path without `.` and with `..` taken back where that is possible without looking at links.
fn plain(path: &FilePath) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::ParentDir | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}
