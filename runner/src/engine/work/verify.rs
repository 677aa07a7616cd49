//! Waits until a stack is in service, or clears one away: what is to be looked at, from its state and its configuration. Looking is [`Watch`]'s.

use std::time::Duration;

use tokio::time::Instant;

use super::looking::Watch;
use super::{Ready, Report, RunContext};
use crate::capacity::state::{self, StateError, StateFacts};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::ids::{StackName, Timestamp};
use crate::domain::probe::{Ask, filled, outputs_in, texts};
use crate::domain::readiness::Readiness;
use crate::terraform::{Exit, Query, StateHead, command, state_of};

/// How long reading the state may take.
const STATE_PATIENCE: Duration = Duration::from_mins(2);

/// The largest state that is read, in bytes.
const STATE_MAX: u64 = 256 << 20;

/// Waits until `stack` is in service and reports what was seen. `spent`: how much of its time is over already. `since`: activities of
/// its groups before that are of other changes.
pub async fn verify(run: &RunContext, stack: StackName, spent: Duration, since: Timestamp) {
    let result = run.wait_until_there(&stack, spent, since).await;
    run.report(Report::Seen(stack, result));
}

impl RunContext {
    async fn wait_until_there(&self, name: &StackName, spent: Duration, since: Timestamp) -> Result<String, Failure> {
        let mut stop = self.stop.clone();
        if self.request.clears {
            // A child hears the wish to stop by itself.
            return self.clear(name).await;
        }
        tokio::select! {
            result = self.watch(name, spent, since) => result,
            // Without a sender nobody can wish for anything any more.
            Ok(_) = stop.wait_for(Option::is_some) => {
                Err(Failure::new(FailureKind::Interrupted, "stopped while it was waited for; what was applied stays"))
            }
        }
    }

    async fn watch(&self, name: &StackName, spent: Duration, since: Timestamp) -> Result<String, Failure> {
        let readiness = self.stack(name)?.readiness.clone();
        let ready = self.ready_again(name).await?;
        let facts = self.facts(name, &ready, &readiness).await?;
        let probes = self.probes(&readiness, &facts)?;
        let within = Duration::from_secs(u64::from(readiness.within_s));
        let until = Instant::now() + within.saturating_sub(spent);
        let groups = if readiness.groups { facts.groups } else { Vec::new() };
        let mut watch =
            Watch { run: self, name, ready: &ready, readiness: &readiness, groups, probes, since, told: None };
        watch.until(until).await
    }

    /// What the state tells, where it matters.
    async fn facts(&self, name: &StackName, ready: &Ready, readiness: &Readiness) -> Result<StateFacts, Failure> {
        let names_outputs = |asks: &Ask| texts(asks).any(|text| outputs_in(text).is_ok_and(|names| !names.is_empty()));
        let level = &self.request.target.level;
        if !readiness.groups && !readiness.probes_at(level).any(|probe| names_outputs(&probe.asks)) {
            return Ok(StateFacts::default());
        }
        let text = self.state(name, ready).await.map_err(|failure| so_unknown(name, failure.detail))?;
        state::read(&self.as_read(name, text)).map_err(|error| {
            let way_out = match error {
                // Of a group whose making failed nobody else writes it, and each later run would say so again.
                StateError::NoArn(_) => {
                    let environment = &self.environment.name;
                    format!(
                        "\n`tidegate terraform {environment}/{name} -- apply -refresh-only` in a terminal writes what AWS has \
                         of it into the state"
                    )
                }
                StateError::NotAState(_) | StateError::Version(_) | StateError::NoName(_) => String::new(),
            };
            so_unknown(name, format!("{error}{way_out}"))
        })
    }

    /// A state with what the run's plan read of its resources, where nothing was written since: a plan without any change leaves the
    /// state as it is, and by its numbers what others brought to where it is wanted would never be there.
    fn as_read(&self, name: &StackName, state: Vec<u8>) -> Vec<u8> {
        let plan = self.plan_file(name);
        let head = StateHead::of_text(&state);
        let is_of_plan = head.serial.is_some() && head.lineage.is_some() && head == StateHead::of_plan(&plan);
        is_of_plan.then(|| state_of(&plan)).flatten().unwrap_or(state)
    }

    /// The stack's state, as Terraform tells it. It holds secrets.
    pub(super) async fn state(&self, name: &StackName, ready: &Ready) -> Result<Vec<u8>, Failure> {
        let cannot = |detail: String| {
            let summary = format!("what is in the state of {name} cannot be read");
            Failure::new(FailureKind::CannotLook, summary).with_detail(detail)
        };
        let args = command::state_pull();
        let query = Query {
            program: &ready.tool.program,
            args: &args,
            cwd: &ready.root,
            env: &ready.env,
            timeout: STATE_PATIENCE,
            limit: STATE_MAX,
        };
        let finished = query.run().await.map_err(|error| cannot(error.to_string()))?;
        if finished.exit != Exit::Code(0) {
            return Err(cannot(ready.redactor.redact(&finished.complaint()).into_owned()));
        }
        Ok(finished.stdout)
    }

    fn probes(&self, readiness: &Readiness, facts: &StateFacts) -> Result<Vec<Ask>, Failure> {
        let wanted = readiness.probes_at(&self.request.target.level);
        let filled = wanted.map(|probe| filled(&probe.asks, &facts.outputs, &facts.secret_outputs));
        filled.collect::<Result<_, _>>().map_err(|why| {
            let summary = format!("a probe of `ready` cannot be made: {why}");
            Failure::new(FailureKind::CannotLook, summary)
        })
    }
}

/// Whether it is in service is not known, as its state cannot be read.
fn so_unknown(name: &StackName, detail: String) -> Failure {
    let summary = format!("what is in the state of {name} cannot be read, so whether it is in service cannot be told");
    Failure::new(FailureKind::CannotLook, summary).with_detail(detail)
}
