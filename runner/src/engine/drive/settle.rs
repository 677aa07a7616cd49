//! What an earlier attempt at the run left on this machine: an apply is followed to its end, anything else is ended.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument as _;

use super::{Driver, EngineError, work};
use crate::domain::ids::StackName;
use crate::domain::request::RunKind;
use crate::domain::run::{Phase, RunEvent, RunState, StackState};
use crate::ledger::runs;
use crate::terraform::{Attached, Child, ChildEvent, Stop};

/// How long a plan or `init` of no use any more may take to stop when it is asked. It changes nothing, so that it is killed then.
const PATIENCE: Duration = Duration::from_mins(1);

impl Driver {
    /// Before anything else after a claim: no child of an earlier attempt may still work without us. An apply is followed to
    /// its end; a plan or `init` is of no use any more, is asked to stop and waited for.
    pub(super) async fn settle_children(&mut self) -> Result<(), EngineError> {
        let mut applies = Vec::new();
        // A stack may have had a child before anything was stored of it.
        let names: BTreeSet<&StackName> = self.view.stacks.keys().chain(self.environment.stacks.keys()).collect();
        for name in names {
            let stack = self.view.stacks.get(name);
            let working = stack.is_some_and(|stack| matches!(stack.state, StackState::Working(Phase::Apply, _)));
            let mut children = self.shared.paths.children(self.run.number, name);
            if working
                && matches!(self.view.state, RunState::Applying { .. })
                && let Some((command, _, dir)) = children.last().cloned()
                && command == "apply"
            {
                children.pop();
                // One that was laid down and never begun did nothing: it is planned again with those that were not even laid down.
                if !matches!(Child::attach(&dir), Attached::NeverBegan(_)) {
                    applies.push((name.clone(), dir));
                }
            }
            for (_, _, dir) in children {
                end_child(Child::attach(&dir)).await;
            }
        }
        let left = !applies.is_empty();
        for (name, dir) in applies {
            self.follow_apply(name, dir).await?;
        }
        if left {
            self.tell_that_it_goes_on().await?;
        }
        self.plan_what_never_started().await
    }

    async fn follow_apply(&mut self, stack: StackName, dir: PathBuf) -> Result<(), EngineError> {
        let Some(plan) = self.view.stacks.get(&stack).and_then(|view| view.plan.clone()) else { return Ok(()) };
        let events = runs::events(&self.shared.store, self.run.id, 0).await?;
        let since_start = events.iter().rev().take_while(
            |record| !matches!(&record.event, RunEvent::StackStarted { stack: s, phase: Phase::Apply } if *s == stack),
        );
        let stored = since_start
            .filter(|record| matches!(&record.event, RunEvent::Resource { stack: s, .. } if *s == stack))
            .count();
        tracing::info!(run.number = self.run.number.0, %stack, "an apply that was begun earlier is followed again");
        self.busy.insert(stack.clone());
        let context = Arc::clone(&self.context);
        let span = tracing::info_span!("step", %stack, phase = Phase::Apply.as_str(), reattached = true);
        let of = (stack.clone(), Phase::Apply);
        self.begin(async move { work::reattach(&context, stack, plan, &dir, stored).await }.instrument(span), of);
        Ok(())
    }

    /// Whoever asked may have seen its process die.
    async fn tell_that_it_goes_on(&self) -> Result<(), EngineError> {
        let mut tx = self.shared.store.begin().await?;
        runs::announce(&mut tx, self.run.id).await?;
        Ok(tx.commit().await?)
    }

    /// An apply that was stored as begun but whose child was never started, nor will be: the stack is planned again. A removal goes on.
    async fn plan_what_never_started(&mut self) -> Result<(), EngineError> {
        let working = self.view.stacks.iter().filter(|(name, view)| {
            matches!(view.state, StackState::Working(Phase::Apply, _)) && !self.busy.contains(*name)
        });
        let never: Vec<StackName> = working.map(|(name, _)| name.clone()).collect();
        if self.view.request.kind == RunKind::Remove {
            // It has no child: whoever had it took it along. A new plan would only find less than the one that people saw.
            for stack in never {
                self.go_on_removing(stack);
            }
            return Ok(());
        }
        let again = never.into_iter().map(|stack| RunEvent::StackStarted { stack, phase: Phase::Prepare });
        self.store(again.collect()).await.map(drop)
    }
}

/// Asks a child that is of no use any more to stop, and waits for its end.
async fn end_child(attached: Attached) {
    let Attached::Running(mut child) = attached else { return };
    for stop in [Stop::Interrupt, Stop::Kill] {
        if let Err(error) = child.stop(stop) {
            tracing::warn!(dir = %child.dir().display(), %error, "an old child cannot be asked to stop");
        }
        let end = async { while !matches!(child.next().await, ChildEvent::Exited(_)) {} };
        if tokio::time::timeout(PATIENCE, end).await.is_ok() {
            return;
        }
    }
    tracing::error!(dir = %child.dir().display(), "an old child does not end");
}
