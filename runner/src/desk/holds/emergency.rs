//! `stop everything`, `resume everything`.

use super::super::{Case, Denied, DeskError, Done};
use super::{done, refused};
use crate::domain::answer::RunSummary;
use crate::domain::command::CommandName;
use crate::domain::holds::{Ending, HoldAnswer, HoldNumber, Kind, StillWorking};
use crate::domain::ids::RunId;
use crate::domain::refusal::Refusal;
use crate::domain::run::{Outcome, RunEvent, RunState};
use crate::ledger::holds::{self, NewHold};
use crate::ledger::runs::AppendError;
use crate::ledger::{LedgerError, Tx, runs};
use crate::standing;
use crate::warden::{self, barred_by};

/// How often a run that changes in the same moment is asked to stop.
const TRIES: u32 = 5;

impl Case<'_> {
    /// Said again, it asks again what still runs.
    pub(super) async fn stop_everything(&self, tx: &mut Tx) -> Result<Done, Denied> {
        self.allowed_everywhere(tx, CommandName::Stop).await?;
        let config = self.desk.config();
        // The brake works also where another hold cannot be read.
        let (standing, _) = holds::readable(&mut *tx).await?;
        let before = standing.into_iter().find(|hold| hold.kind == Kind::Stop);
        let again = before.is_some();
        let mut taken_away = Vec::new();
        let stop = if let Some(stop) = before {
            stop
        } else {
            let new = NewHold {
                kind: Kind::Stop,
                environment: None,
                by: &self.message.actor,
                only: Vec::new(),
                because: self.because.as_deref(),
                until: None,
            };
            let mut begun = holds::begin(tx, new.clone()).await?;
            if begun.is_none() {
                taken_away = self.clear_stops(tx).await?;
                if !taken_away.is_empty() {
                    begun = holds::begin(tx, new).await?;
                }
            }
            let Some(stop) = begun else {
                let refusal = Refusal::refused("that came too late", "somebody stopped everything in the same moment");
                return Err(refused("stop", None, refusal.hint("envs")));
            };
            warden::began(tx, &config, &stop, []).await?;
            stop
        };
        let (mut working, mut emptied, mut half_done, mut unknown) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut events = Vec::new();
        let (active, broken) = runs::all_active_apart(&mut *tx).await?;
        let mut unread = warden::numbered(broken);
        for run in active {
            // One whose events cannot be read takes no event; the brake works for all the others.
            match runs::view(&mut *tx, run.id).await {
                Ok(_) => {}
                Err(why) if why.is_of_a_row() => {
                    unread.push((run.number, format!("run {}: {why}", run.number)));
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            let Some((run, event)) = self.ask_to_stop(tx, run.id, "everything is stopped").await? else { continue };
            match &run.state {
                RunState::Unknown { .. } => unknown.push(run.number),
                RunState::Ended { outcome: Outcome::Partial } => half_done.push(run.clone()),
                RunState::Ended { .. } => emptied.push(run.clone()),
                RunState::Queued { .. }
                | RunState::Planning { .. }
                | RunState::AwaitingApproval { .. }
                | RunState::Applying { .. }
                | RunState::Verifying { .. } => working.push(self.still_working(tx, run.clone()).await?),
            }
            events.extend(event.map(|event| (run, event)));
        }
        warden::settle(tx, &config, &stop).await?;
        let answer = HoldAnswer::Stopped { hold: stop, again, working, emptied, half_done, unknown, unread };
        let cleared = |numbers| ("cleared".to_owned(), serde_json::json!(numbers));
        let detail = (!taken_away.is_empty()).then(|| cleared(taken_away)).into_iter().collect();
        Ok(Done { events, detail, ..done(None, answer) })
    }

    /// Takes away what has the place of a stop and cannot be read: stopping must always be possible. Their numbers.
    async fn clear_stops(&self, tx: &mut Tx) -> Result<Vec<HoldNumber>, Denied> {
        let (config, me) = (self.desk.config(), &self.message.actor.id);
        let mut gone = Vec::new();
        for one in holds::unreadable(&mut *tx).await?.into_iter().filter(holds::Unreadable::is_stop) {
            if holds::clear(tx, &one, Some(me)).await? {
                warden::cleared(tx, &config, None, &one, Some(me)).await?;
                gone.push(one.number());
            }
        }
        Ok(gone)
    }

    /// Asks a run to stop, gently, where it was not asked before, because of what befell it with others. `None`: it is gone.
    pub(in crate::desk) async fn ask_to_stop(
        &self,
        tx: &mut Tx,
        id: RunId,
        what: &str,
    ) -> Result<Option<(RunSummary, Option<RunEvent>)>, Denied> {
        let reason = self.because.as_ref().map(|because| format!(": {because}")).unwrap_or_default();
        let because = Some(format!("{what}{reason}"));
        let event = RunEvent::StopAsked { by: self.message.actor.id.clone(), force: false, because };
        for _ in 0..TRIES {
            let Some(run) = runs::get(&mut *tx, id).await? else { return Ok(None) };
            if run.state.ended() || run.state.stop().is_some() || matches!(run.state, RunState::Unknown { .. }) {
                return Ok(Some((run, None)));
            }
            let environment = self.desk.environment(&run.request.environment);
            match standing::store(tx, &run, environment.as_ref(), std::slice::from_ref(&event), None).await {
                Ok(appended) => {
                    let ended = appended.state.ended().then_some(appended.at);
                    return Ok(Some((RunSummary { state: appended.state, ended, ..run }, Some(event))));
                }
                // It went on in the same moment: asked again as it is now.
                Err(AppendError::LostRace(_) | AppendError::Illegal(_)) => {}
                Err(error) => return Err(DeskError::from(error).into()),
            }
        }
        // Nothing of the order is stored then, and it is tried again as a whole.
        Err(DeskError::from(AppendError::LostRace(id)).into())
    }

    async fn still_working(&self, tx: &mut Tx, run: RunSummary) -> Result<StillWorking, LedgerError> {
        let view = runs::view(&mut *tx, run.id).await?;
        let planned = view.iter().flat_map(|view| view.stacks.values()).filter_map(|stack| stack.plan.as_ref());
        let planned = planned.map(|plan| u32::try_from(plan.changes.len()).unwrap_or(u32::MAX)).sum();
        let done = view.as_ref().map_or(0, |view| view.done().total());
        Ok(StillWorking { run, done, planned })
    }

    pub(super) async fn resume_everything(&self, tx: &mut Tx) -> Result<Done, Denied> {
        self.allowed_everywhere(tx, CommandName::Resume).await?;
        let (standing, broken) = holds::readable(&mut *tx).await?;
        let Some(stop) = standing.into_iter().find(|hold| hold.kind == Kind::Stop) else {
            if let Some(first) = broken.first() {
                let barred = barred_by(first, None, &self.desk.config(), Some(&self.message.actor));
                return Err(refused("stop", None, barred));
            }
            let refusal =
                Refusal::refused("there is nothing to resume", "nothing is stopped").hint("unpause all").hint("envs");
            return Err(refused("stop", None, refusal));
        };
        let ending = Ending::Lifted { by: self.message.actor.id.clone(), because: self.because.clone() };
        if !warden::over(tx, &self.desk.config(), &stop, ending).await? {
            let refusal = Refusal::refused("that came too late", "it was resumed in the same moment").hint("envs");
            return Err(refused("stop", None, refusal));
        }
        Ok(done(None, HoldAnswer::Resumed(stop)))
    }
}
