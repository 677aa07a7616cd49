//! Does a load test run? What `busy` of the stacks of an environment says, that was made for one test: asked before its time ends it, and
//! again right before anything of it is destroyed. Nothing is stored and nothing is decided here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use crate::capacity::probe::{self, PATIENCE};
use crate::config::Config;
use crate::domain::command::HistoryFilter;
use crate::domain::environment::{Environment, Level, OffAction, Stack};
use crate::domain::ids::{StackName, Timestamp};
use crate::domain::made::{AtWork, Made};
use crate::domain::probe::{Ask, Busy, filled, named, outputs_in, texts};
use crate::ledger::{LedgerError, Store, runs, stacks};
use crate::redact::Redactor;
use crate::secrets::{self, Secrets};
use crate::terraform::{Exit, Query};

/// Most runs that are looked through for the outputs of a stack, newest first.
const RUNS_MAX: u32 = 50;

/// Most bytes of what a command says.
const SAID_MAX: u64 = 1 << 20;

/// The outputs of the stacks as they were left, by stack: those that are told, and the names of those that are not.
type Outputs = BTreeMap<StackName, (BTreeMap<String, String>, Vec<String>)>;

/// Who asks, and where what is asked lies.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The ledger.
    pub store: &'a Store,
    /// The room of secrets.
    pub secrets: &'a Secrets,
}

impl Asker<'_> {
    /// The test that runs in one that was made, as far as anybody can say; `None`: none does, or what says otherwise does not count any
    /// more. What nothing was applied to runs none, nor does what is destroyed already in part.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn test_in(
        &self,
        config: &Config,
        made: &Made,
        environment: &Environment,
        now: Timestamp,
    ) -> Result<Option<AtWork>, LedgerError> {
        let until = |busy: &Busy| made.ends.plus_ms(i64::from(busy.at_most_s) * 1_000);
        let counting = |(stack, busy): &(&Stack, &Busy)| until(busy) > now && !made.keep.contains(&stack.name);
        let all = environment.stacks.values().flat_map(|stack| stack.busy.iter().map(move |busy| (stack, busy)));
        let all: Vec<(&Stack, &Busy)> = all.filter(counting).collect();
        if all.is_empty() {
            return Ok(None);
        }
        // What is not there runs no test.
        let stands = stacks::standings(self.store, &made.name).await?;
        let is_off = |stack: &Stack| match stands.get(&stack.name) {
            Some(standing) => {
                stack.off == OffAction::Destroy && standing.level == Some(Level::Off) && !standing.in_doubt
            }
            None => true,
        };
        let all: Vec<(&Stack, &Busy)> = all.into_iter().filter(|(stack, _)| !is_off(stack)).collect();
        if all.is_empty() {
            return Ok(None);
        }
        let filter = HistoryFilter { environment: Some(made.name.clone()), ..HistoryFilter::default() };
        let mut past = runs::history(self.store, &filter, None, RUNS_MAX).await?.runs;
        past.retain(|run| run.number >= made.run && run.began);
        if past.is_empty() || past.iter().any(|run| run.request.clears) {
            return Ok(None);
        }
        let names = |asks: &Ask| texts(asks).any(|text| outputs_in(text).is_ok_and(|names| !names.is_empty()));
        let mut outputs = Outputs::new();
        if all.iter().any(|(_, busy)| names(&busy.asks)) {
            for run in &past {
                let Some(view) = runs::view(self.store, run.id).await? else { continue };
                for (name, stack) in view.stacks {
                    let Some(applied) = stack.applied.filter(|_| !outputs.contains_key(&name)) else { continue };
                    let known = outputs.entry(name).or_default();
                    for output in applied.outputs {
                        match output.value {
                            Some(serde_json::Value::String(text)) => drop(known.0.insert(output.name, text)),
                            Some(other) => drop(known.0.insert(output.name, other.to_string())),
                            None => known.1.push(output.name),
                        }
                    }
                }
            }
        }
        for (stack, busy) in all {
            if let Some(said) = self.says(config, stack, &busy.asks, &outputs).await {
                let redactor = Redactor::new(secrets::told(config, self.secrets));
                let said = redactor.redact(&format!("{}: {said}", stack.name)).into_owned();
                return Ok(Some(AtWork { said, until: until(busy) }));
            }
        }
        Ok(None)
    }

    /// What says that a test runs, or why nobody can say; `None`: none does.
    async fn says(&self, config: &Config, stack: &Stack, asks: &Ask, outputs: &Outputs) -> Option<String> {
        let (known, secret) = outputs.get(&stack.name).cloned().unwrap_or_default();
        let (what, answer) = match filled(asks, &known, &secret) {
            Ok(asks) => (named(&asks), self.answer(config, stack, &asks).await),
            Err(why) => (named(asks), Err(why)),
        };
        match answer {
            Ok(true) => Some(format!("{what} says that a test runs")),
            Ok(false) => None,
            Err(why) => Some(format!("whether a test runs cannot be told: {what}: {why}")),
        }
    }

    async fn answer(&self, config: &Config, stack: &Stack, asks: &Ask) -> Result<bool, String> {
        match asks {
            Ask::Tcp(address) => probe::is_taken(address).await,
            Ask::Http { url, status } => Ok(probe::answered(url).await? == *status),
            Ask::Command(words) => self.command(config, stack, words).await,
        }
    }

    /// Exit status 1 says that there is nothing, as `pgrep` and `grep` mean it.
    async fn command(&self, config: &Config, stack: &Stack, words: &[String]) -> Result<bool, String> {
        let Some((program, rest)) = words.split_first() else { return Err("names no program".to_owned()) };
        let env = self.secrets.texts(&stack.env).await.map_err(|error| error.to_string())?;
        let env: Vec<(OsString, OsString)> = env.into_iter().map(|(name, text)| (name.into(), text.into())).collect();
        let args: Vec<OsString> = rest.iter().map(Into::into).collect();
        let cwd = config.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let (cwd, timeout) = (cwd.unwrap_or(Path::new(".")), PATIENCE);
        let query = Query { program: program.as_ref(), args: &args, cwd, env: &env, timeout, limit: SAID_MAX };
        let finished = query.run().await.map_err(|error| error.to_string())?;
        let how = match finished.exit {
            Exit::Code(0) => return Ok(true),
            Exit::Code(1) => return Ok(false),
            Exit::Code(code) => format!("exit status {code}"),
            other => format!("{other:?}"),
        };
        let said = finished.stderr.lines().next_back().unwrap_or_default().trim();
        Err(if said.is_empty() { how } else { format!("{how}, {said}") })
    }
}
