//! Stacks that would keep one state: each would destroy what the other made.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde_json as json;

use super::super::book;
use super::super::document::Path;
use super::super::findings::Findings;
use super::super::problem::quoted;
use super::{Report, Subject, Visit};
use crate::domain::environment::{Stack, StackSource};
use crate::domain::secret::{Given, Origin};
use crate::root::{Backend, Root};

/// A stack and where its state is.
#[derive(Debug)]
pub(super) struct Claim {
    environment: String,
    /// Its place in the list of the environment's stacks.
    index: usize,
    stack: String,
    state: State,
}

/// Which state it is.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum State {
    /// A file of this machine.
    Local(PathBuf),
    /// What a backend was told: by name of the argument, and by the environment of the stack's own, which may name another account.
    Remote { kind: String, settings: BTreeMap<String, Value>, environment: BTreeMap<String, Value>, workspace: String },
}

impl State {
    /// The state of a stack; `None` when the files do not tell.
    pub(in super::super) fn of(stack: &Stack, root: &Root) -> Option<Self> {
        let declared = root.backend.as_ref();
        let plain = |(name, given): (&String, &Given)| match given {
            Given::Plain(text) => Some((name.clone(), text.clone())),
            Given::Secret(_) => None,
        };
        let configured = stack.backend.iter().filter_map(plain).collect();
        if let Some(local) = Backend::local_state(declared, &configured, &root.folder).ok()? {
            // That of a fetched repository lies in a folder of the stack's own.
            let StackSource::Folder(_) = &stack.source else { return None };
            // Nobody but the run reads a path that is a secret.
            if configured.len() < stack.backend.len() {
                return None;
            }
            return Some(Self::Local(real(local.of_workspace(stack.workspace.as_deref()))));
        }
        let Backend { kind, arguments, .. } = declared?;
        let text = |value: &json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let own = arguments.as_ref()?.iter().map(|(name, value)| (name.clone(), Value::Plain(text(value))));
        let settings = own.chain(values(&stack.backend)).collect();
        let workspace = stack.workspace.clone().unwrap_or_else(|| "default".to_owned());
        Some(Self::Remote { kind: kind.clone(), settings, environment: values(&stack.env).collect(), workspace })
    }
}

impl State {
    /// True where it lies on this machine and something is there already, also where nothing is in it.
    pub(in super::super) fn is_there(&self) -> bool {
        match self {
            // A workspace is a folder, which Terraform makes before the file in it.
            Self::Local(file) => {
                let workspace = file
                    .parent()
                    .filter(|folder| folder.parent().is_some_and(|all| all.ends_with("terraform.tfstate.d")));
                file.exists() || workspace.is_some_and(std::path::Path::exists)
            }
            Self::Remote { .. } => false,
        }
    }
}

/// The largest state of this machine that is read, in bytes.
const STATE_MAX: u64 = 64 << 20;

impl State {
    /// What is in it, where it lies on this machine and can be read. It holds secrets.
    pub(in super::super) fn read(&self) -> Option<json::Value> {
        let Self::Local(file) = self else { return None };
        if std::fs::metadata(file).ok()?.len() > STATE_MAX {
            return None;
        }
        json::from_slice(&std::fs::read(file).ok()?).ok()
    }
}

/// A value, or where a secret one is read: the same place, the same value.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Value {
    Plain(String),
    Secret(Origin),
}

fn values(given: &BTreeMap<String, Given>) -> impl Iterator<Item = (String, Value)> {
    given.iter().map(|(name, given)| {
        let value = match given {
            Given::Plain(text) => Value::Plain(text.clone()),
            Given::Secret(source) => Value::Secret(source.origin.clone()),
        };
        (name.clone(), value)
    })
}

/// In words, without what settings may hold.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(file) => write!(f, "in {}", quoted(&file.to_string_lossy())),
            Self::Remote { kind, workspace, .. } => {
                write!(f, "by the same settings of the backend `{kind}` in the workspace {}", quoted(workspace))
            }
        }
    }
}

/// The path without links, as far as it is there.
fn real(path: PathBuf) -> PathBuf {
    match (path.parent().and_then(|folder| folder.canonicalize().ok()), path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

impl Visit<'_, '_> {
    /// Notes where a stack keeps its state, when that can be told from the files.
    pub(super) fn claim(&self, subject: &Subject<'_>, index: usize, stack: &Stack, root: &Root) {
        if let Some(state) = State::of(stack, root) {
            let (environment, stack) = (subject.name.to_owned(), stack.name.to_string());
            self.claims.borrow_mut().push(Claim { environment, index, stack, state });
        }
    }

    /// Refuses the stacks that share one. All of them: which was there first is not to be seen, and a newcomer that is let in
    /// could destroy what is up.
    pub(super) fn refuse_shared(&self, report: &mut Report) {
        let mut by_state: BTreeMap<&State, Vec<&Claim>> = BTreeMap::new();
        let claims = self.claims.borrow();
        for claim in claims.iter() {
            by_state.entry(&claim.state).or_default().push(claim);
        }
        let mut findings = Findings::new(self.document);
        for sharers in by_state.into_values().filter(|sharers| sharers.len() > 1) {
            for (at, claim) in sharers.iter().enumerate() {
                let Some(other) = sharers.get(usize::from(at == 0)) else { continue };
                let message = format!(
                    "`{}/{}` and `{}/{}` share one state, {}: each would destroy what the other made",
                    claim.environment, claim.stack, other.environment, other.stack, claim.state,
                );
                let hint = format!(
                    "give one of them another root, `workspace` or `backend`; `{}/{}` is in {}",
                    other.environment,
                    other.stack,
                    other.place(self, claim)
                );
                claim.with_path(|path| findings.at_value(path, message.as_str(), Some(hint.clone())));
            }
        }
        report.problems.extend(findings.into_problems());
    }
}

impl Claim {
    fn with_path<T>(&self, take: impl FnOnce(&Path<'_>) -> T) -> T {
        let environments = Path::ROOT.key("environments");
        let environment = environments.key(&self.environment);
        let stacks = environment.key("stacks");
        take(&stacks.index(self.index).key("root"))
    }

    fn start(&self, visit: &Visit<'_, '_>) -> usize {
        self.with_path(|path| visit.document.value_span(path).start)
    }

    /// Where it is written, for whoever reads of it at the place of another.
    fn place(&self, visit: &Visit<'_, '_>, read_at: &Self) -> String {
        let source = visit.document.source();
        let (here, there) = (self.start(visit), read_at.start(visit));
        if source.name_at(here) == source.name_at(there) {
            format!("line {}", source.line_of(here))
        } else {
            book::place(source, here)
        }
    }
}
