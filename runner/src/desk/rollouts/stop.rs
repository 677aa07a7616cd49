//! `cancel @rpg`: nothing more of a change of many is begun, and what runs of it is asked to stop.

use super::super::{Case, Denied, Done};
use super::done;
use crate::domain::answer::RunSummary;
use crate::domain::command::CommandName;
use crate::domain::holds::News;
use crate::domain::ids::RunNumber;
use crate::domain::refusal::{Refusal, nearest};
use crate::domain::rollout::{Came, End, Halted, Rollout, RolloutAnswer, Scope};
use crate::domain::run::{RunEvent, RunState};
use crate::ledger::rollouts;
use crate::ledger::{LedgerError, Tx, outbox, runs};

impl Case<'_> {
    /// Nothing more of it is begun, and what runs of it is asked to stop. Said again, it asks what still runs again.
    pub(super) async fn stop_rollout(&self, tx: &mut Tx, scope: &Scope) -> Result<Done, Denied> {
        let mut all = Vec::new();
        for number in rollouts::going_of(&mut *tx, scope).await? {
            all.extend(rollouts::one(&mut *tx, number).await?);
        }
        // As with one run: who may ask for it may stop it. What is not configured any more keeps nobody from it.
        let config = self.desk.config();
        for item in all.iter().flat_map(|rollout: &Rollout| &rollout.items).filter(|item| item.came.is_none()) {
            if config.environments.contains_key(&item.environment) {
                self.allowed(tx, CommandName::Cancel, &item.environment).await?;
            }
        }
        let (mut stopped, mut halted, mut events) = (Vec::new(), Halted::default(), Vec::new());
        for before in all {
            // Whoever begins a run of it at this moment is waited for: what they begin is seen after it.
            let first = rollouts::end(tx, before.number, End::Cancelled).await?;
            let Some(rollout) = rollouts::one(&mut *tx, before.number).await? else { continue };
            events.extend(self.stop_runs_of(tx, &rollout, &mut halted).await?);
            let Some(rollout) = rollouts::one(&mut *tx, before.number).await? else { continue };
            if first && !self.message.actor.is(&rollout.asker.id) {
                let news = News::Rollout(Box::new(rollout.clone()));
                outbox::put_news(tx, &rollout.asker.id, &news).await?;
            }
            stopped.push(rollout);
        }
        if stopped.is_empty() {
            return Err(self.nothing_to_stop(tx, scope).await?.into());
        }
        Ok(Done { events, ..done(RolloutAnswer::Stopped { rollouts: stopped, halted }) })
    }

    /// Asks each run of it that is not over to stop, and notes what came of those that are over by it.
    async fn stop_runs_of(
        &self,
        tx: &mut Tx,
        rollout: &Rollout,
        halted: &mut Halted,
    ) -> Result<Vec<(RunSummary, RunEvent)>, Denied> {
        let what = format!("`{} {}` is stopped", rollout.command, rollout.scope);
        let mut events = Vec::new();
        let open = rollout.items.iter().enumerate().filter(|(_, item)| item.came.is_none());
        for (place, number) in open.filter_map(|(place, item)| Some((place, item.run?))) {
            // One whose rows cannot be read takes no event; the others are stopped all the same.
            let run = match self.readable_run(tx, number).await {
                Ok(Some(run)) => run,
                Ok(None) => continue,
                Err(error) if error.is_of_a_row() => {
                    halted.unknown.push(number);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let Some((run, event)) = self.ask_to_stop(tx, run.id, &what).await? else { continue };
            match &run.state {
                RunState::Unknown { .. } => halted.unknown.push(number),
                RunState::Ended { .. } => {
                    let view = runs::view(&mut *tx, run.id).await?;
                    if let Some(came) = view.and_then(|view| Came::of(&run.state, &view)) {
                        rollouts::came(tx, rollout.number, place, &came).await?;
                    }
                    halted.over.extend(event.is_some().then_some(number));
                }
                RunState::Queued { .. }
                | RunState::Planning { .. }
                | RunState::AwaitingApproval { .. }
                | RunState::Applying { .. }
                | RunState::Verifying { .. } => halted.stopping.push(number),
            }
            events.extend(event.map(|event| (run, event)));
        }
        Ok(events)
    }

    /// A run of which every event can be read.
    async fn readable_run(&self, tx: &mut Tx, number: RunNumber) -> Result<Option<RunSummary>, LedgerError> {
        let Some(run) = runs::by_number(&mut *tx, number).await? else { return Ok(None) };
        runs::view(&mut *tx, run.id).await?;
        Ok(Some(run))
    }

    /// What is being done to others, by the names that they had when it began: a group may have another by now.
    async fn nothing_to_stop(&self, tx: &mut Tx, scope: &Scope) -> Result<Refusal, LedgerError> {
        let config = self.desk.config();
        let mut going = Vec::new();
        for number in rollouts::going(&mut *tx).await? {
            going.extend(rollouts::one(&mut *tx, number).await?.filter(|rollout| rollout.ended.is_none()));
        }
        going.retain(|rollout: &Rollout| {
            rollout.items.iter().all(|item| self.desk.may(self.message, CommandName::Cancel, &item.environment))
        });
        let known = match scope {
            Scope::Group(group) => config.groups().contains(group),
            Scope::Groups(groups) => groups.iter().all(|group| config.groups().contains(group)),
            Scope::EachGroup | Scope::All => true,
        };
        let why = match going.as_slice() {
            [] => "there is nothing to stop".to_owned(),
            going => {
                let each: Vec<String> = going.iter().map(|of| format!("`{} {}`", of.command, of.scope)).collect();
                format!("what is being done: {}", each.join(", "))
            }
        };
        let why = if known { why } else { format!("no environment is in that group now; {why}") };
        let refusal = Refusal::refused(format!("nothing is being done to {scope}"), why);
        let mut hints: Vec<String> = going.iter().map(|rollout| format!("cancel {}", rollout.scope)).collect();
        hints.dedup();
        if let Scope::Group(group) = scope
            && hints.is_empty()
            && !known
        {
            let groups = config.groups();
            let near = nearest(group.as_str(), groups.iter().map(|group| group.as_str()));
            hints.extend(near.map(|near| format!("status @{near}")));
        }
        if hints.is_empty() {
            hints.push(if known { format!("status {scope}") } else { "envs".to_owned() });
        }
        Ok(hints.into_iter().take(3).fold(refusal, Refusal::hint))
    }
}
