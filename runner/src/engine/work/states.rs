//! Every Terraform state that there is: of each configured environment, of each of their workspaces, and of whatever else the ledger knows. What
//! one of them cannot be read of, nobody can say to stand in none.
//!
//! A state is read in a folder of the run's own, from a root that has nothing but the stack's backend: no provider is fetched for it, and
//! nothing is written where a run of that environment works.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::RunContext;
use super::prepare::write_private;
use crate::capacity::strays::Known;
use crate::capacity::{CannotLook, Signed, Surroundings, blanked};
use crate::domain::environment::{Environment, Stack};
use crate::domain::failure::Failure;
use crate::domain::ids::StackName;
use crate::ledger::strays::{self, Left};
use crate::ledger::{runs, stacks};
use crate::redact::Redactor;
use crate::root::{Backend, Folder, LocalState};
use crate::source::backend::OVERRIDE_FILE;
use crate::source::{self, Wanted, backend};
use crate::terraform::command::{self, InitArgs};
use crate::terraform::{Exit, LockPlace, Query, StateHead, Tool, lock_place};

/// How long Terraform may take to initialise a backend, or to fetch a state.
const PATIENCE: Duration = Duration::from_mins(2);

/// Most bytes of a state.
const STATE_MAX: u64 = 256 << 20;

/// The folder below a run's own in which states are read; no stack is called so.
const FOLDER: &str = ".states";

/// What of the states a run has found out.
#[derive(Debug, Default)]
pub struct Found {
    readers: Option<Arc<Vec<Reader>>>,
    last: Option<Arc<States>>,
}

/// How the states of one stack are reached.
#[derive(Debug)]
struct Reader {
    /// `shop/app`.
    of: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// Files of this machine.
    Local(LocalState),
    /// By Terraform.
    Remote(Remote),
}

#[derive(Debug)]
struct Remote {
    root: PathBuf,
    data_dir: PathBuf,
    tool: Tool,
    env: Vec<(OsString, OsString)>,
}

/// One state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    /// `shop/app`.
    of: String,
    /// `shop/app (workspace blue)`.
    called: String,
    text: String,
    serial: Option<u64>,
    lineage: Option<String>,
}

/// All of them, as they were at one time.
#[derive(Debug)]
pub(super) struct States {
    /// Whose each is, and its text.
    pub(super) texts: Vec<(String, String)>,
    locks: Vec<(String, Lock)>,
    read_at: Instant,
}

/// A place in which something lies while somebody has the lock of a state.
#[derive(Debug)]
enum Lock {
    File(PathBuf),
    Remote(LockPlace, Vec<(OsString, OsString)>),
}

impl RunContext {
    /// Every state, read no longer ago than that.
    ///
    /// # Errors
    /// Which cannot be read, and why, with what to do.
    pub(super) async fn every_state(&self, no_older_than: Duration) -> Result<Arc<States>, String> {
        let mut found = self.states.lock().await;
        if let Some(last) = found.last.as_ref().filter(|last| last.read_at.elapsed() < no_older_than) {
            return Ok(Arc::clone(last));
        }
        let read_at = Instant::now();
        let readers = match &found.readers {
            Some(readers) => Arc::clone(readers),
            None => Arc::new(Box::pin(self.readers()).await?),
        };
        found.readers = Some(Arc::clone(&readers));
        let (mut states, mut locks) = (Vec::new(), Vec::new());
        for reader in readers.iter() {
            let read = match &reader.place {
                Place::Local(place) => read_local(&reader.of, place, &mut locks),
                Place::Remote(remote) => Box::pin(self.read_remote(&reader.of, remote, &mut locks)).await,
            };
            states.extend(read.map_err(|why| format!("the state of {} cannot be read: {why}", reader.of))?);
        }
        let left = strays::left(&self.claim.store).await.map_err(|error| error.to_string())?;
        let configured: Vec<&str> = readers.iter().map(|reader| reader.of.as_str()).collect();
        if let Some(why) = missing(&left, &configured, &states) {
            return Err(why);
        }
        let texts = states.into_iter().map(|state| (state.called, state.text)).collect();
        let states = Arc::new(States { texts, locks, read_at });
        found.last = Some(Arc::clone(&states));
        Ok(states)
    }

    /// Fails while anybody else may be making something: another run has its environment, or somebody has the lock of a state.
    pub(super) async fn nobody_else_works(&self, states: &States) -> Result<(), String> {
        let (all, unread) = runs::all_active_apart(&self.claim.store).await.map_err(|error| error.to_string())?;
        if let Some(unread) = unread.first() {
            return Err(format!(
                "a run of the ledger cannot be read, and may be under way: {} ({})",
                unread.id, unread.why
            ));
        }
        if let Some(other) = all.iter().find(|run| run.id != self.claim.run && run.is_at_work()) {
            let environment = &other.request.environment;
            return Err(format!("run {} of {environment} is under way: remove once it is over", other.number));
        }
        for (of, lock) in &states.locks {
            let held = match lock {
                Lock::File(file) => match file.try_exists() {
                    Ok(there) => there.then(|| file.display().to_string()),
                    Err(error) => {
                        return Err(format!(
                            "who has the lock of the state of {of} cannot be told: {}: {error}",
                            file.display()
                        ));
                    }
                },
                Lock::Remote(place, env) => held(place, env).await.map_err(|error| {
                    let said = Redactor::new(self.told()).redact(&format!("{error} {}", error.said())).into_owned();
                    format!("who has the lock of the state of {of} cannot be told: {said}")
                })?,
            };
            if let Some(held) = held {
                return Err(format!("somebody has the lock of the state of {of} ({held}): remove once it is free"));
            }
        }
        Ok(())
    }

    /// How each state is reached. What is not as it should be is told, not left out.
    async fn readers(&self) -> Result<Vec<Reader>, String> {
        if let Some(name) = self.config.unmanaged.keys().next() {
            return Err(format!(
                "{name} has errors in its configuration, so that its states cannot be looked into: `check`"
            ));
        }
        let mut readers = Vec::new();
        for environment in self.config.environments.values() {
            let accepted = stacks::accepted_commits(&self.claim.store, &environment.name).await;
            let accepted: BTreeMap<StackName, String> =
                accepted.map_err(|error| error.to_string())?.into_iter().collect();
            for stack in environment.stacks.values() {
                if self.stop.borrow().is_some() {
                    return Err("it was stopped before all states were read".to_owned());
                }
                let of = format!("{}/{}", environment.name, stack.name);
                let place = Box::pin(self.place_of(environment, stack, accepted.get(&stack.name))).await;
                let place = place.map_err(|why| format!("the state of {of} cannot be read: {why}"))?;
                readers.push(Reader { of, place });
            }
        }
        Ok(readers)
    }

    async fn place_of(
        &self,
        environment: &Environment,
        stack: &Stack,
        accepted: Option<&String>,
    ) -> Result<Place, String> {
        let words = |failure: Failure| self.in_words(&failure);
        let folder = self.paths.run(self.number).join(FOLDER).join(environment.name.as_str()).join(stack.name.as_str());
        let wanted = if accepted.is_some() { Wanted::Accepted } else { Wanted::Newest };
        let code = folder.join("code");
        let code = source::prepare(&stack.source, accepted.map(String::as_str), wanted, &code).await.map_err(words)?;
        let (environment, name) = (environment.name.as_str(), stack.name.as_str());
        let home = source::state_home(&stack.source, self.paths.state_dir(), environment, name);
        let configured = self.read_given(&stack.name, &stack.backend).await.map_err(words)?;
        let declared = Folder::list(&code.root)
            .map_err(|error| error.to_string())?
            .backend(OVERRIDE_FILE)
            .map_err(|problem| problem.message.clone())?;
        let local = Backend::local_state(declared.as_ref(), &configured, &home)
            .map_err(|(argument, _)| format!("`{argument}` of its backend is not a plain text"))?;
        if let Some(local) = local {
            return Ok(Place::Local(local));
        }
        let Some(Backend { kind, arguments, .. }) = declared else { return Err("it has no backend".to_owned()) };
        if kind != "s3" {
            return Err(format!(
                "it lies in a backend `{kind}`, of which Tidegate cannot tell whether somebody has its lock"
            ));
        }
        let Some(arguments) = arguments else { return Err("its backend is not written in plain values".to_owned()) };
        let tool = Tool::find(&stack.terraform.program, std::env::var_os("PATH").as_deref());
        let tool = tool.map_err(|failure| self.in_words(&failure))?;
        let of_stack = self.read_given(&stack.name, &stack.env).await.map_err(words)?;
        let data_dir = folder.join("data");
        let mut env = vec![(OsString::from("TF_DATA_DIR"), data_dir.clone().into_os_string())];
        env.extend(blanked(of_stack.keys().map(String::as_str)).into_iter().map(|name| (name.into(), OsString::new())));
        env.extend(of_stack.into_iter().map(|(name, value)| (name.into(), value.into())));
        let root = folder.join("root");
        let block = json!({ "terraform": { "backend": { kind: escaped(Value::Object(arguments)) } } });
        let secret = stack.backend.iter().filter(|(_, given)| given.source().is_some());
        let (settings, others) = backend::settings(&configured, &secret.map(|(name, _)| name.clone()).collect());
        let file = folder.join("settings.tfbackend");
        let write = || {
            std::fs::create_dir_all(&data_dir)?;
            write_private(&root.join("main.tf.json"), block.to_string().as_bytes())?;
            write_private(&file, settings.as_bytes())
        };
        write().map_err(|error| format!("the folder of the run cannot be written: {error}"))?;
        let remote = Remote { root, data_dir, tool, env };
        let backend_file = (!settings.is_empty()).then_some(file.as_path());
        self.ask(&remote, &command::init(&InitArgs { backend_file, backend_config: &others, json: false })).await?;
        Ok(Place::Remote(remote))
    }

    async fn read_remote(
        &self,
        of: &str,
        remote: &Remote,
        locks: &mut Vec<(String, Lock)>,
    ) -> Result<Vec<State>, String> {
        let selected = remote.data_dir.join("environment");
        let select = |name: &str| std::fs::write(&selected, name).map_err(|error| error.to_string());
        select("default")?;
        let listed = String::from_utf8_lossy(&self.ask(remote, &command::workspace_list()).await?).into_owned();
        let mut states = Vec::new();
        for workspace in workspaces(&listed) {
            let called = called(of, workspace);
            for place in lock_place(&remote.data_dir, Some(workspace)) {
                locks.push((called.clone(), Lock::Remote(place, remote.env.clone())));
            }
            select(workspace)?;
            let text = self.ask(remote, &command::state_pull()).await?;
            states.extend(state(of, called, text)?);
        }
        Ok(states)
    }

    /// What Terraform prints.
    async fn ask(&self, remote: &Remote, args: &[OsString]) -> Result<Vec<u8>, String> {
        let query = Query {
            program: &remote.tool.program,
            args,
            cwd: &remote.root,
            env: &remote.env,
            timeout: PATIENCE,
            limit: STATE_MAX,
        };
        let finished = query.run().await.map_err(|error| error.to_string())?;
        if finished.exit == Exit::Code(0) {
            return Ok(finished.stdout);
        }
        Err(Redactor::new(self.told()).redact(&finished.complaint()).into_owned())
    }

    fn in_words(&self, failure: &Failure) -> String {
        let detail = failure.detail.lines().next().unwrap_or_default();
        let words = if detail.is_empty() { failure.summary.clone() } else { format!("{}: {detail}", failure.summary) };
        Redactor::new(self.told()).redact(&words).into_owned()
    }
}

/// Who has the lock, where somebody has it.
async fn held(place: &LockPlace, env: &[(OsString, OsString)]) -> Result<Option<String>, CannotLook> {
    let surroundings = Surroundings::with(env);
    let (LockPlace::Object { region, role, .. } | LockPlace::Item { region, role, .. }) = place;
    let region = match region {
        Some(region) => region.clone(),
        None => surroundings.region("the lock", None)?,
    };
    let aws = Signed::connect(&surroundings, &region, role.as_deref()).await?;
    let text = match place {
        LockPlace::Object { bucket, key, .. } => aws.object(bucket, key).await?,
        LockPlace::Item { table, id, .. } => aws.lock_item(table, id).await?,
    };
    let who = |text: String| {
        let info: Value = serde_json::from_str(&text).unwrap_or_default();
        info["Who"].as_str().unwrap_or("by whom cannot be read").to_owned()
    };
    Ok(text.map(who))
}

/// The states of a backend in files: that of the default workspace, and of each other one that there is.
fn read_local(of: &str, place: &LocalState, locks: &mut Vec<(String, Lock)>) -> Result<Vec<State>, String> {
    let wrong = |path: &Path, error: &std::io::Error| format!("{}: {error}", path.display());
    let mut names = vec!["default".to_owned()];
    match std::fs::read_dir(&place.workspaces) {
        Ok(entries) => {
            for entry in entries {
                let entry = entry.map_err(|error| wrong(&place.workspaces, &error))?;
                names.push(
                    entry
                        .file_name()
                        .into_string()
                        .map_err(|name| format!("a workspace is called {}", name.to_string_lossy()))?,
                );
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(wrong(&place.workspaces, &error)),
    }
    let mut states = Vec::new();
    for name in names {
        let (file, called) = (place.of_workspace(Some(&name)), called(of, &name));
        let own = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Source: Terraform's `internal/states/statemgr/filesystem.go`, `lockInfoPath`.
        locks.push((called.clone(), Lock::File(file.with_file_name(format!(".{own}.lock.info")))));
        match std::fs::read(&file) {
            Ok(text) => states.extend(state(of, called, text)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(wrong(&file, &error)),
        }
    }
    Ok(states)
}

/// A state by its text; `None` where there is none yet.
fn state(of: &str, called: String, text: Vec<u8>) -> Result<Option<State>, String> {
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    // One that is encrypted, cut off, or of a form that nobody knows here, tells nothing.
    Known::read(&text).map_err(|error| error.to_string())?;
    let StateHead { serial, lineage } = StateHead::of_text(&text);
    let text = String::from_utf8(text).map_err(|_| "it is not Unicode".to_owned())?;
    Ok(Some(State { of: of.to_owned(), called, text, serial, lineage }))
}

fn called(of: &str, workspace: &str) -> String {
    if workspace == "default" { of.to_owned() } else { format!("{of} (workspace {workspace})") }
}

/// The names that `workspace list` prints, one in each line, a star before the one that is selected.
fn workspaces(listed: &str) -> Vec<&str> {
    listed.lines().map(|line| line.trim_start_matches(['*', ' ']).trim_end()).filter(|name| !name.is_empty()).collect()
}

/// The same with texts that mean themselves: in the JSON form of the language a text is a template.
fn escaped(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("${", "$${").replace("%{", "%%{")),
        Value::Array(all) => Value::Array(all.into_iter().map(escaped).collect()),
        Value::Object(all) => Value::Object(all.into_iter().map(|(name, value)| (name, escaped(value))).collect()),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
    }
}

/// Which state is not among those that were read: one that a stack of the configuration was left with, or one of a stack that has left the
/// configuration. One that was renamed and took its state along is found by its lineage.
fn missing(left: &[Left], configured: &[&str], states: &[State]) -> Option<String> {
    left.iter().find_map(|left| {
        let name = format!("{}/{}", left.environment, left.stack);
        let is_configured = configured.contains(&name.as_str());
        let is_it = |state: &State| {
            let newer = left.serial.is_none_or(|least| state.serial.is_some_and(|serial| serial >= least));
            match &left.lineage {
                Some(lineage) => state.lineage.as_ref() == Some(lineage) && newer,
                None => is_configured && state.of == name && newer,
            }
        };
        let nothing_left = if is_configured { left.serial.is_none() } else { left.gone };
        if nothing_left || states.iter().any(is_it) {
            return None;
        }
        Some(if is_configured {
            format!("the state of {name} is not the one that it was left with")
        } else {
            format!(
                "{name} is not in the configuration any more, and what was made of it may stand: put it back there and `destroy` it, or remove by hand"
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(of: &str, lineage: &str, serial: u64) -> State {
        let text = format!(r#"{{"version":4,"serial":{serial},"lineage":"{lineage}","resources":[]}}"#);
        state(of, of.to_owned(), text.into_bytes()).expect("a state").expect("there")
    }

    fn left(name: &str, serial: Option<u64>, lineage: Option<&str>, gone: bool) -> Left {
        let (environment, stack) = name.split_once('/').expect("a pair");
        let (environment, stack) = (environment.parse().expect("a name"), stack.parse().expect("a name"));
        Left { environment, stack, serial, lineage: lineage.map(str::to_owned), gone }
    }

    #[test]
    fn a_state_that_the_ledger_knows_and_nobody_read_is_told() {
        let states = [of_text("shop/app", "a", 7), of_text("stage/app", "b", 3)];
        let told = |left: &[Left]| missing(left, &["shop/app", "stage/app"], &states);
        assert_eq!(told(&[left("shop/app", Some(7), Some("a"), false), left("stage/app", Some(2), None, false)]), None);
        // Older than it was left, another one, or not there.
        for (serial, lineage) in [(8, "a"), (1, "x")] {
            let why = told(&[left("shop/app", Some(serial), Some(lineage), false)]).expect("missing");
            assert_eq!(why, "the state of shop/app is not the one that it was left with");
        }
        assert!(told(&[left("shop/app", Some(8), None, false)]).is_some());
        // Of those that have left the configuration: destroyed, renamed with their state, or nobody knows where.
        assert_eq!(told(&[left("old/app", None, None, true)]), None);
        assert_eq!(told(&[left("old/app", Some(2), Some("b"), false)]), None);
        for departed in [
            left("old/app", Some(4), Some("b"), false),
            left("old/app", Some(2), Some("c"), false),
            left("old/app", Some(2), None, false),
            left("shop/renamed", None, None, false),
        ] {
            let why = told(&[departed]).expect("missing");
            assert!(why.contains("is not in the configuration any more"), "{why}");
        }
    }

    #[test]
    fn states_in_files_are_read_of_every_workspace_and_one_that_cannot_be_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = LocalState { file: folder.path().join("x.tfstate"), workspaces: folder.path().join("x.d") };
        let read = |locks: &mut Vec<(String, Lock)>| {
            let read = read_local("shop/app", &place, locks)?;
            Ok::<_, String>(read.into_iter().map(|state| state.called).collect::<Vec<_>>())
        };
        assert_eq!(read(&mut Vec::new()), Ok(Vec::new()));
        let text = r#"{"version":4,"serial":1,"lineage":"a","resources":[]}"#;
        std::fs::write(&place.file, text).expect("written");
        std::fs::create_dir_all(place.workspaces.join("blue")).expect("a folder");
        std::fs::write(place.workspaces.join("blue/terraform.tfstate"), text).expect("written");
        let mut locks = Vec::new();
        assert_eq!(read(&mut locks), Ok(vec!["shop/app".to_owned(), "shop/app (workspace blue)".to_owned()]));
        let files: Vec<String> = locks
            .iter()
            .map(|(_, lock)| match lock {
                Lock::File(file) => file.strip_prefix(folder.path()).expect("below").display().to_string(),
                Lock::Remote(..) => panic!("a file"),
            })
            .collect();
        assert_eq!(files, [".x.tfstate.lock.info", "x.d/blue/.terraform.tfstate.lock.info"]);
        // Of a newer form, cut off, encrypted: whatever it is, it is not nothing.
        for text in [r#"{"version":5}"#, r#"{"version":4,"#, r#"{"encrypted_data":"x"}"#] {
            std::fs::write(place.workspaces.join("blue/terraform.tfstate"), text).expect("written");
            assert!(read(&mut Vec::new()).is_err(), "{text}");
        }
    }

    #[test]
    fn workspaces_and_texts_of_a_backend_are_read_as_they_are_meant() {
        assert_eq!(workspaces("* default\n  blue\n  日本\n\n"), ["default", "blue", "日本"]);
        let block = json!({ "key": "${x}/%{y}", "assume_role": { "role_arn": "a$b" }, "use_lockfile": true });
        let written = json!({ "key": "$${x}/%%{y}", "assume_role": { "role_arn": "a$b" }, "use_lockfile": true });
        assert_eq!(escaped(block), written);
    }
}
