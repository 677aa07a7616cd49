//! Does runs of people again that came up short, where the configuration says so: by the clock, and theirs to answer for.

use std::collections::BTreeSet;

use super::{Desk, DeskError, Message};
use crate::domain::answer::{Actor, RunSummary};
use crate::domain::command::Order;
use crate::domain::environment::Environment;
use crate::domain::ids::{ActorId, RunNumber, Timestamp};
use crate::domain::policy::Place;
use crate::domain::retries;
use crate::domain::run::RunView;
use crate::ledger::runs;

/// The door through which the clock comes.
const DOOR: &str = "clock";

impl Desk {
    /// Does again what is due. `tried`: runs that are not tried again because a rule refused it, or somebody was faster.
    pub async fn advance_retries(&self, tried: &mut BTreeSet<RunNumber>) {
        let config = self.config();
        for environment in config.environments.values().filter(|environment| environment.rules.retries > 0) {
            if let Err(error) = Box::pin(self.try_again(environment, tried)).await {
                // One environment's fault is its own.
                tracing::error!(environment = %environment.name, %error, "what came up short is not tried again");
            }
        }
    }

    async fn try_again(&self, environment: &Environment, tried: &mut BTreeSet<RunNumber>) -> Result<(), DeskError> {
        let Some(run) = runs::last_try(&self.store, &environment.name).await? else { return Ok(()) };
        // Whoever asked for something since, also in vain or for a moment, has had a word of their own.
        if runs::newest(&self.store, &environment.name).await? != Some(run.number) {
            return Ok(());
        }
        if tried.contains(&run.number) || !runs::active(&self.store, &environment.name).await?.is_empty() {
            return Ok(());
        }
        let Some(view) = runs::view(&self.store, run.id).await? else { return Ok(()) };
        let most = environment.rules.retries;
        let times = self.tries_of(&run, most).await?;
        let now = self.store.now().await?;
        if !retries::due(&run, &view, times, most).is_some_and(|due| retries::is_time(due, now)) {
            return Ok(());
        }
        tried.insert(run.number);
        let message = Message {
            // Whichever process is first: the inbox takes it once.
            key: format!("retries:{}", run.number),
            actor: Actor::person(ActorId::clock(), "the clock"),
            place: Place { door: DOOR, channel: None, direct: false },
            typed: format!("retry {}", run.number),
        };
        let because = format!("try {} of {most} of what came up short", times + 1);
        match Box::pin(self.submit(&message, &Order::Retry { run: run.number }, Some(because))).await {
            Ok(_) | Err(DeskError::Repeated) => Ok(()),
            Err(DeskError::Refused(refusal)) => {
                tracing::info!(run.number = run.number.0, why = refusal.why, "what came up short is not tried again");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// When this run is tried again by itself, if it is.
    pub(super) async fn again(
        &self,
        run: &RunSummary,
        view: &RunView,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, DeskError> {
        let most = self.environment(&run.request.environment).map_or(0, |environment| environment.rules.retries);
        // The ledger is asked only where something may come of it.
        if retries::due(run, view, 0, most).is_none() {
            return Ok(None);
        }
        let tries = self.tries_of(run, most).await?;
        Ok(retries::due(run, view, tries, most).filter(|due| *due > now))
    }

    /// How many runs this one does again, one after the other; not counted further than it matters.
    async fn tries_of(&self, run: &RunSummary, most: u32) -> Result<u32, DeskError> {
        let (mut tries, mut before) = (0, run.request.retry_of);
        while let Some(number) = before.filter(|_| tries < most) {
            tries += 1;
            before = runs::by_number(&self.store, number).await?.and_then(|run| run.request.retry_of);
        }
        Ok(tries)
    }
}
