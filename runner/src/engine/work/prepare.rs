//! Gets a stack ready: its code, the program, where its state lies, `init` where it is needed, its variables.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::child::storage;
use super::{Ready, RunContext};
use crate::capacity::blanked;
use crate::domain::environment::{Stack, Variables};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::ids::StackName;
use crate::domain::run::{Note, Provenance, RunEvent};
use crate::domain::secret::Given;
use crate::redact::Redactor;
use crate::root::{DefaultValue, Folder};
use crate::secrets::NotRead;
use crate::source::{self, backend};
use crate::terraform::command::{self, InitArgs};
use crate::terraform::init::{self, Fingerprint, Init};
use crate::terraform::{Child, Diagnostics, Tool, Version, failure_of};

/// Whether `init` runs although nothing it depends on changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InitWish {
    WhereNeeded,
    /// Terraform itself said that it is not initialised.
    Always,
}

impl RunContext {
    /// Makes `stack` ready to be worked on with `variables`, and reports with what.
    pub(super) async fn prepare(
        &self,
        name: &StackName,
        variables: &Variables,
        wish: InitWish,
    ) -> Result<Ready, Failure> {
        if self.stop.borrow().is_some() {
            return Err(Failure::new(FailureKind::Interrupted, "stopped before anything was begun"));
        }
        self.supervisors.prepare();
        let stack = self.stack(name)?;
        let checkout = self.paths.checkout(&self.environment.name, name);
        let choice = self.commits.of(name).await;
        let checkout = source::prepare(&stack.source, choice.commit.as_deref(), choice.wanted, &checkout).await?;
        choice.was(checkout.code.commit.as_deref());
        let tool = Tool::find(&stack.terraform.program, std::env::var_os("PATH").as_deref()).map_err(|f| *f)?;
        let version = tool.version(&checkout.root).await.map_err(|f| *f)?;
        let home =
            source::state_home(&stack.source, self.paths.state_dir(), self.environment.name.as_str(), name.as_str());
        let configured = self.read_given(name, &stack.backend).await?;
        let (backend, sensitive) = {
            let files =
                Folder::list(&checkout.root).map_err(|error| storage("the code cannot be read".to_owned(), &error))?;
            (backend::settle(&files, &home, &configured)?, sensitive_variables(&files, variables))
        };
        let data_dir = self.paths.data(&self.environment.name, name);
        std::fs::create_dir_all(&data_dir)
            .map_err(|error| storage("cannot make the data folder".to_owned(), &error))?;
        let mut env = vec![(OsString::from("TF_DATA_DIR"), data_dir.clone().into_os_string())];
        let of_stack = self.read_given(name, &stack.env).await?;
        env.extend(blanked(of_stack.keys().map(String::as_str)).into_iter().map(|name| (name.into(), OsString::new())));
        env.extend(of_stack.into_iter().map(|(name, value)| (name.into(), value.into())));
        let ready = Ready {
            root: checkout.root.clone(),
            tool,
            redactor: Arc::new(self.redactor(&sensitive, variables, stack, &env)),
            env,
        };
        self.write_variables(name, variables)?;
        let init = self.init(name, &ready, &version, &backend.arguments, &data_dir, wish).await?;
        self.select_workspace(name, stack, &ready, &data_dir).await?;
        // `init` may have chosen providers just now, so that they are asked for again; the answer is remembered.
        let version = ready.tool.version(&checkout.root).await.map_err(|f| *f)?;
        let provenance = Provenance {
            digest: checkout.code.commit.is_none().then(|| checkout.code.digest.clone()),
            commit: checkout.code.commit,
            dirty: checkout.code.dirty,
            newer: checkout.code.newer.map(|newer| (newer.commit, newer.commits_ahead)),
            tool: version.to_string(),
            providers: version.providers,
            variables: shown(variables, &sensitive, &ready.redactor),
            init,
        };
        self.event(RunEvent::StackPrepared { stack: name.clone(), provenance: Box::new(provenance) });
        self.remember(name, &ready);
        Ok(ready)
    }

    /// How the stack was ready for the last child of this run that was started for it, by this process or an earlier one.
    pub(super) fn ready_as_it_was(&self, name: &StackName, variables: &Variables) -> Option<Ready> {
        let (_, _, dir) = self.paths.children(self.number, name).pop()?;
        let spec = Child::attach(&dir).into_child().spec().ok()?;
        let sensitive = match Folder::list(&spec.cwd) {
            Ok(files) => sensitive_variables(&files, variables),
            Err(_) => all_sensitive(variables),
        };
        let redactor = self.redactor(&sensitive, variables, self.stack(name).ok()?, &spec.env);
        let ready =
            Ready { root: spec.cwd, tool: Tool { program: spec.program }, env: spec.env, redactor: Arc::new(redactor) };
        self.remember(name, &ready);
        Some(ready)
    }

    /// The configured texts, with the secret ones read where they are.
    pub(super) async fn read_given(
        &self,
        name: &StackName,
        given: &BTreeMap<String, Given>,
    ) -> Result<BTreeMap<String, String>, Failure> {
        self.secrets.texts(given).await.map_err(|NotRead { name: key, error }| {
            let summary = format!("the secret `{key}` of {name} cannot be read");
            Failure::new(FailureKind::Configuration, summary).with_detail(error.to_string())
        })
    }

    /// Reads the secrets of a stack whose Terraform another process has started, so that its output can be redacted.
    pub(super) async fn know_secrets(&self, stack: &Stack) {
        for source in stack.env.values().chain(stack.backend.values()).filter_map(Given::source) {
            if let Err(error) = self.secrets.get(source).await {
                tracing::warn!(stack = %stack.name, %error, "a secret cannot be read; only what Terraform was given is redacted");
            }
        }
    }

    fn redactor(
        &self,
        sensitive: &BTreeMap<String, Option<serde_json::Value>>,
        variables: &Variables,
        stack: &Stack,
        env: &[(OsString, OsString)],
    ) -> Redactor {
        let is_secret = |name: &str| {
            let configured = stack.env.get(name).is_some_and(|given| given.source().is_some());
            configured || name.strip_prefix("TF_VAR_").is_some_and(|variable| sensitive.contains_key(variable))
        };
        let of_env = env.iter().filter(|(name, _)| is_secret(&name.to_string_lossy()));
        let of_env = of_env.map(|(_, value)| value.to_string_lossy().into_owned());
        let given = variables.iter().filter(|(name, _)| sensitive.contains_key(*name)).flat_map(|(_, v)| texts(v));
        let inherited = sensitive.keys().filter_map(|name| std::env::var(format!("TF_VAR_{name}")).ok());
        let defaults = sensitive.values().flatten().flat_map(texts);
        Redactor::new(self.told().into_iter().chain(given).chain(inherited).chain(defaults).chain(of_env))
    }

    /// Runs `init` where it is needed and says in words what was done.
    async fn init(
        &self,
        name: &StackName,
        ready: &Ready,
        version: &Version,
        backend: &BTreeMap<String, String>,
        data_dir: &Path,
        wish: InitWish,
    ) -> Result<String, Failure> {
        let arguments: Vec<String> = backend.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let fingerprint = || init::fingerprint(&ready.root, data_dir, &arguments, &ready.tool, version);
        let why = match fingerprint().map(|now| init::needed(data_dir, &now)) {
            Ok(Init::Skip) if wish == InitWish::WhereNeeded => {
                return Ok("skipped: nothing it depends on changed".to_owned());
            }
            Ok(Init::Skip) => "Terraform asked for it",
            Ok(Init::Needed { why }) => why,
            // Whatever cannot be read here, Terraform will say better what is wrong with it.
            Err(error) => {
                tracing::debug!(stack = %name, %error, "the root cannot be read; init will say why");
                "the root could not be read"
            }
        };
        self.note(name, Note::Init { why: why.to_owned() });
        match init::remove_half_written(data_dir) {
            Ok(removed) if removed.is_empty() => {}
            Ok(removed) => tracing::warn!(stack = %name, ?removed, "removed what a killed init had written only half"),
            Err(error) => tracing::warn!(stack = %name, %error, "what a killed init left cannot be removed"),
        }
        let json = version.init_speaks_json();
        let (file, others) = self.write_backend(name, backend)?;
        let args = command::init(&InitArgs { backend_file: file.as_deref(), backend_config: &others, json });
        let mut diagnostics = Diagnostics::default();
        let ended = self.run(name, &collecting_less(ready), "init", args, |line| diagnostics.take(line)).await?;
        if !ended.exit.is_success() {
            let failure = failure_of(&diagnostics, &ended.exit, ended.stop_asked, &ended.stderr);
            return Err(with_way_out(failure, data_dir));
        }
        match fingerprint() {
            Ok(now) => record_init(data_dir, &now),
            Err(error) => tracing::warn!(stack = %name, %error, "init will run again next time"),
        }
        Ok(why.to_owned())
    }

    pub(super) async fn select_workspace(
        &self,
        name: &StackName,
        stack: &Stack,
        ready: &Ready,
        data_dir: &Path,
    ) -> Result<(), Failure> {
        let wanted = stack.workspace.as_deref().unwrap_or("default");
        let selected = selected_workspace(data_dir).unwrap_or_else(|| "default".to_owned());
        if selected == wanted {
            return Ok(());
        }
        self.note(name, Note::Workspace { name: wanted.to_owned() });
        let mut diagnostics = Diagnostics::default();
        let makes = !self.request.kind.only_looks_at_others();
        let args = command::workspace_select(wanted, makes);
        let ended = self.run(name, ready, "workspace", args, |line| diagnostics.take(line)).await?;
        if ended.exit.is_success() {
            return Ok(());
        }
        let failure = failure_of(&diagnostics, &ended.exit, ended.stop_asked, &ended.stderr);
        // Source: Terraform's `internal/command/workspace_command.go`, `envDoesNotExist`.
        if !makes && ended.stderr.contains("doesn't exist") {
            let summary = format!("its workspace `{wanted}` is not there");
            return Err(Failure::new(FailureKind::NoWorkspace, summary).with_detail(failure.detail));
        }
        Err(failure)
    }

    fn write_variables(&self, name: &StackName, variables: &Variables) -> Result<(), Failure> {
        let write = || write_private(&self.variables_file(name), &serde_json::to_vec_pretty(variables)?);
        write().map_err(|error| storage("the file with the variables cannot be written".to_owned(), &error))
    }

    /// Writes the file with the backend's settings, where there are any; gives it and those that are not in it.
    fn write_backend(
        &self,
        name: &StackName,
        settings: &BTreeMap<String, String>,
    ) -> Result<(Option<PathBuf>, Vec<String>), Failure> {
        let configured = self.stack(name)?.backend.iter();
        let secret = configured.filter(|(_, given)| given.source().is_some()).map(|(name, _)| name.clone()).collect();
        let (text, others) = backend::settings(settings, &secret);
        if text.is_empty() {
            return Ok((None, others));
        }
        let file = self.backend_file(name);
        if file.as_os_str().as_encoded_bytes().contains(&b'=') {
            let summary = "Terraform takes the path of a file with `=` in it for a setting";
            let detail = format!("choose another `runner.state_dir` than {}", self.paths.state_dir().display());
            return Err(Failure::new(FailureKind::Configuration, summary).with_detail(detail));
        }
        write_private(&file, text.as_bytes())
            .map_err(|error| storage("the file with the backend's settings cannot be written".to_owned(), &error))?;
        Ok((Some(file), others))
    }
}

/// Writes a file that only its owner may read.
pub(super) fn write_private(file: &Path, content: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(file)?.write_all(content)
}

/// Terraform's own memory is small while it initialises, and it starts no provider, whose memory this would multiply: with less
/// garbage collection an `init` takes a fifth less time and no more memory (`docs/performance.md`). What the user set stays.
fn collecting_less(ready: &Ready) -> Ready {
    let mut ready = ready.clone();
    if std::env::var_os("GOGC").is_none() {
        ready.env.push(("GOGC".into(), "400".into()));
    }
    ready
}

/// What Terraform advises when the place of a state has changed (`-migrate-state`, `-reconfigure`) is not for us to do: only people
/// know whether the state has moved along.
fn with_way_out(failure: Failure, data_dir: &Path) -> Failure {
    if !failure.summary.contains("Backend configuration changed") {
        return failure;
    }
    let advice = format!(
        "Tidegate never moves a state. If it lies where the root or its settings now say, remove {} and retry; otherwise put it there \
         first, or take the change back.",
        data_dir.display()
    );
    let detail = if failure.detail.is_empty() { advice } else { format!("{advice}\n{}", failure.detail) };
    failure.with_detail(detail)
}

fn record_init(data_dir: &Path, fingerprint: &Fingerprint) {
    if let Err(error) = init::record(data_dir, fingerprint) {
        tracing::warn!(dir = %data_dir.display(), %error, "init will run again next time");
    }
}

/// The workspace that Terraform itself remembers in its data folder.
fn selected_workspace(data_dir: &Path) -> Option<String> {
    let text = std::fs::read_to_string(data_dir.join("environment")).ok()?;
    Some(text.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The variables that the root marks sensitive, with their default where it has a plain one. Of a root that cannot be read, all
/// that are given count as sensitive; Terraform will say what is wrong with it.
fn sensitive_variables(root: &Folder, given: &Variables) -> BTreeMap<String, Option<serde_json::Value>> {
    let Ok(root) = root.root() else { return all_sensitive(given) };
    let sensitive = root.variables.into_values().filter(|variable| variable.sensitive);
    sensitive
        .map(|variable| {
            let default = match variable.default {
                DefaultValue::Value(value) => Some(value),
                DefaultValue::Missing | DefaultValue::Unread => None,
            };
            (variable.name, default)
        })
        .collect()
}

fn all_sensitive(given: &Variables) -> BTreeMap<String, Option<serde_json::Value>> {
    given.keys().map(|name| (name.clone(), None)).collect()
}

/// Every text in a value: a sensitive object leaks by each of its parts.
fn texts(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Null | serde_json::Value::Bool(_) => Vec::new(),
        serde_json::Value::Number(number) => vec![number.to_string()],
        serde_json::Value::String(text) => vec![text.clone()],
        serde_json::Value::Array(values) => values.iter().flat_map(texts).collect(),
        serde_json::Value::Object(values) => values.values().flat_map(texts).collect(),
    }
}

/// The variables as they may be stored: sensitive ones without their value.
fn shown(
    variables: &Variables,
    sensitive: &BTreeMap<String, Option<serde_json::Value>>,
    redactor: &Redactor,
) -> BTreeMap<String, Option<serde_json::Value>> {
    let names: BTreeSet<&String> = sensitive.keys().collect();
    variables
        .iter()
        .map(|(name, value)| {
            let text = value.to_string();
            let secret = names.contains(name) || redactor.redact(&text) != text;
            (name.clone(), (!secret).then(|| value.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_whose_place_has_changed_is_not_moved_and_the_way_out_is_told() {
        let changed =
            Failure::new(FailureKind::NotInitialised, "Backend configuration changed").with_detail("-migrate-state");
        let told = with_way_out(changed, Path::new("/state/data/shop/app")).detail;
        assert!(told.contains("remove /state/data/shop/app and retry") && told.ends_with("-migrate-state"), "{told}");
        let other = Failure::new(FailureKind::Terraform, "Invalid reference").with_detail("as it was");
        assert_eq!(with_way_out(other.clone(), Path::new("/state")), other);
    }
}
