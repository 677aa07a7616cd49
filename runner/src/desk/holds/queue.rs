//! `queue`: who has an environment, who waits for it, and about how long.

use indexmap::IndexSet;

use super::super::order::starts_in;
use super::super::{Desk, DeskError};
use crate::domain::answer::{RunSummary, Sight};
use crate::domain::holds::{Hold, QueueOf, Waiting};
use crate::domain::ids::EnvironmentName;
use crate::domain::run::RunState;
use crate::ledger::{holds, links, runs};

impl Desk {
    /// The queues of all environments that somebody sees and in which something is, or of one.
    pub async fn queue(&self, only: Option<&EnvironmentName>, sight: &Sight) -> Result<Vec<QueueOf>, DeskError> {
        let config = self.config();
        let mut tx = self.store.snapshot().await?;
        let now = crate::ledger::now(&mut tx).await?;
        let (standing, _) = holds::readable(&mut tx).await?;
        let (links, _) = links::readable(&mut tx).await?;
        let mut queues = Vec::new();
        // A run is told of whatever became of the configuration of its environment.
        let mut names: IndexSet<EnvironmentName> =
            config.all_known().map(|environment| environment.name.clone()).collect();
        let (active, broken) = runs::all_active_apart(&mut tx).await?;
        names.extend(active.into_iter().map(|run| run.request.environment));
        names.extend(broken.into_iter().filter_map(|run| run.environment?.parse().ok()));
        names.extend(only.cloned());
        names.retain(|name| only.is_none_or(|only| only == name) && sight.sees(name.as_str()));
        for name in &names {
            let (active, broken) = runs::active_apart(&mut tx, name).await?;
            let mut ahead: Vec<RunSummary> = Vec::new();
            let mut queue = QueueOf {
                environment: name.clone(),
                running: None,
                waiting: Vec::new(),
                asking: Vec::new(),
                holds: standing.iter().filter(|hold| hold.is_about(name)).cloned().collect(),
                unread: broken.into_iter().map(|run| run.why).collect(),
            };
            for mut run in active {
                run.asker = run.asker.known(&config.access.persons, &links, now);
                if run.state.holds_environment() {
                    let worked = runs::worked(&mut tx, &[run.id], now).await?.get(&run.id).copied().unwrap_or(0);
                    queue.running = Some((run.clone(), worked));
                    ahead.push(run);
                } else if matches!(run.state, RunState::Queued { .. }) {
                    let starts_in_ms = starts_in(&mut tx, &ahead).await?;
                    // One that is over by then bars nothing.
                    let at = now.plus_ms(starts_in_ms.unwrap_or_default());
                    let bars = |hold: &Hold| hold.stands(at) && hold.bars(&run.request, &run.asker);
                    let barred = standing.iter().any(bars);
                    queue.waiting.push(Waiting { run: run.clone(), starts_in_ms, barred });
                    ahead.push(run);
                } else if matches!(run.state, RunState::AwaitingApproval { .. }) {
                    queue.asking.push(run);
                }
            }
            let QueueOf { environment: _, running, waiting, asking, holds, unread } = &queue;
            let some = running.is_some() || !waiting.is_empty() || !asking.is_empty();
            if only.is_some() || some || !holds.is_empty() || !unread.is_empty() {
                queues.push(queue);
            }
        }
        Ok(queues)
    }
}
