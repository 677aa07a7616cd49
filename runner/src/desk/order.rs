//! Orders on an environment: `up`, `down`, `scale`, `plan`, `destroy`, `undo`. Each becomes a run in the queue.

use super::decide::done;
use super::{Case, Denied, Done};
use crate::domain::answer::{Answer, RunSummary};
use crate::domain::command::{CommandName, Order};
use crate::domain::environment::Environment;
use crate::domain::holds::{Ending, Freed, Hold};
use crate::domain::ids::{ActorId, EnvironmentName, RunId, RunNumber, StackName, Timestamp};
use crate::domain::made::Stage;
use crate::domain::order::Direction;
use crate::domain::refusal::Refusal;
use crate::domain::request::{AskedAs, RunKind, RunRequest, SizeChange, Target, request, value_at};
use crate::domain::run::RunState;
use crate::domain::schedule::level_at;
use crate::ledger::runs::{self, NewRun};
use crate::ledger::stacks::Standings;
use crate::ledger::{LedgerError, Tx, environments, ids, made, stacks};
use crate::warden;

/// Another Tidegate may have an environment of this name in the same account, and no tag tells the two apart: somebody has to have said that there
/// is none.
fn removes_nothing(name: &EnvironmentName) -> Refusal {
    let why = format!(
        "environment {name} has no `remove_in = [\"123456789012\"]`, the accounts in which nobody else gives anything its tags; the answer of `sweep` \
         has the line of `aws` for each"
    );
    Refusal::refused(format!("nothing of {name} is removed"), why).hint(format!("sweep {name}"))
}

impl Case<'_> {
    /// Turns an order on an environment into a run in the queue.
    ///
    /// `until` is where whoever asks said when it ends by itself.
    pub(super) async fn queue(
        &self,
        tx: &mut Tx,
        order: &Order,
        until: Option<Timestamp>,
        environment: &Environment,
    ) -> Result<Done, Denied> {
        let active = runs::active(&mut *tx, &environment.name).await?;
        if let Some(unknown) = active.iter().find(|run| matches!(run.state, RunState::Unknown { .. })) {
            return Err(Denied::from(nobody_knows(environment, order.name(), unknown)).on(&environment.name));
        }
        if let Order::Sweep { remove: true, .. } = order
            && environment.rules.drift.remove_in.is_empty()
        {
            return Err(Denied::from(removes_nothing(&environment.name)).on(&environment.name));
        }
        let before = standing_after(tx, &environment.name, &active).await?;
        let undo_to = match order {
            Order::Undo { .. } => self.undo_to(tx, environment, &active).await?,
            Order::Up { .. }
            | Order::Down { .. }
            | Order::Scale { .. }
            | Order::Plan { .. }
            | Order::Drift { .. }
            | Order::Adopt { .. }
            | Order::Sweep { .. }
            | Order::Terraform { .. }
            | Order::Preflight { .. }
            | Order::Destroy { .. }
            | Order::Cancel { .. }
            | Order::Retry { .. }
            | Order::Accept { .. }
            | Order::Approve { .. }
            | Order::Reject { .. }
            | Order::Recover { .. }
            | Order::Hold(_)
            | Order::Schedule(_)
            | Order::Rollout(_)
            | Order::Bend(_)
            | Order::Link(_)
            | Order::Made(_)
            | Order::Each { .. }
            | Order::For { .. } => None,
        };
        let mut request = request(environment, order, self.because.clone(), before.as_ref(), undo_to.as_ref())?;
        if let Some(until) = until {
            self.check_span(tx, environment, order, until).await?;
            self.check_way_down(tx, environment, order, &request, &active).await?;
            request.until = Some(until);
        } else if request.kind == RunKind::Scale {
            // Another size of what somebody raised for a while ends with it.
            request.until = standing_until(tx, environment, &active).await?;
        }
        if active.is_empty() && request.kind != RunKind::Destroy && !request.kind.is_of_others() {
            let standings = stacks::standings(&mut *tx, &environment.name).await?;
            if request.kind == RunKind::Scale {
                go_back(&mut request, environment, &standings);
            }
            request.sizes = sizes_from_standing(environment, &request, &standings);
        }
        self.enqueue(tx, environment, request, &active).await
    }

    /// Stores the run and tells who goes first. What refuses it comes before anything is written.
    pub(super) async fn enqueue(
        &self,
        tx: &mut Tx,
        environment: &Environment,
        request: RunRequest,
        active: &[RunSummary],
    ) -> Result<Done, Denied> {
        if !request.clears {
            refuse_what_ends(tx, environment, request.kind.command()).await?;
        }
        let kept = self.agreed(tx, environment, &request).await?;
        let id = ids::run_id(crate::ledger::now(&mut *tx).await?);
        let run = runs::insert(tx, self.new_run(id, request, &kept)).await?;
        Ok(self.queued(tx, environment, run, active, kept).await?)
    }

    /// A run that was agreed to, with the holds that stay and the keeps that go, as it is to be stored.
    pub(super) fn new_run(&self, id: RunId, request: RunRequest, (_, keeps): &(Vec<Hold>, Vec<Hold>)) -> NewRun {
        let others = keeps.iter().filter(|keep| !self.message.actor.is(&keep.by));
        let against = others.map(|keep| keep.number).collect();
        NewRun {
            id,
            request: RunRequest { asked_as: AskedAs::of(&self.message.actor), against, ..request },
            asker: self.message.actor.clone(),
            door: self.message.place.door.to_owned(),
            place: self.message.place.channel.clone(),
        }
    }

    /// A run that is in the queue now: who goes first, and what ends by it.
    pub(super) async fn queued(
        &self,
        tx: &mut Tx,
        environment: &Environment,
        run: RunSummary,
        active: &[RunSummary],
        (holds, keeps): (Vec<Hold>, Vec<Hold>),
    ) -> Result<Done, LedgerError> {
        // How long it takes is told to who asks; the clock does not read it.
        let asked = self.message.actor.id != ActorId::clock();
        let last_time_ms = if asked { runs::last_duration(&mut *tx, &run.request).await? } else { None };
        let (own, others): (Vec<_>, Vec<_>) = keeps.into_iter().partition(|keep| self.message.actor.is(&keep.by));
        let ahead: Vec<RunSummary> = active.iter().filter(|other| other.has_its_place()).cloned().collect();
        let starts_in_ms = if asked { starts_in(tx, &ahead).await? } else { None };
        let (until, then) = self.until(tx, environment, &run).await?.unzip();
        let rule = (!others.is_empty()).then_some("keep");
        let mut freed = self.free(tx, own).await?;
        freed.extend(others.into_iter().map(|hold| Freed { hold, own: false }));
        let answer = Answer::Queued {
            run: run.clone(),
            ahead,
            last_time_ms,
            starts_in_ms,
            holds,
            freed,
            until,
            then: then.flatten(),
            ends: None,
            cost: None,
        };
        Ok(Done { rule, ..done(&run, answer) })
    }

    /// Until when a run holds that is put into the queue now, and where it goes then. What schedules want ends with what they want next.
    async fn until(
        &self,
        tx: &mut Tx,
        environment: &Environment,
        run: &RunSummary,
    ) -> Result<Option<(Timestamp, Option<Target>)>, LedgerError> {
        let clock = run.asker.id == ActorId::clock();
        let changes = run.request.kind.says_where() && run.request.kind != RunKind::Destroy;
        if clock || !changes {
            return Ok(None);
        }
        let now = crate::ledger::now(&mut *tx).await?;
        let config = self.desk.config();
        let diary = self.desk.diaries.one(&mut *tx, &config, environment, now).await?;
        let until = diary.holds_until(run.request.until, now);
        Ok(until.map(|until| (until, level_at(&diary.agenda(), until).map(|standing| standing.wanted))))
    }

    /// Ends one's own keeps, which whoever lowers does not want any more.
    async fn free(&self, tx: &mut Tx, keeps: Vec<Hold>) -> Result<Vec<Freed>, LedgerError> {
        let mut freed = Vec::new();
        for hold in keeps {
            let ending = Ending::Lifted { by: self.message.actor.id.clone(), because: self.because.clone() };
            if warden::over(tx, &self.desk.config(), &hold, ending).await? {
                freed.push(Freed { hold, own: true });
            }
        }
        Ok(freed)
    }

    async fn undo_to(
        &self,
        tx: &mut Tx,
        environment: &Environment,
        active: &[RunSummary],
    ) -> Result<Option<Target>, Denied> {
        if let Some(busy) = active.iter().find(|run| !run.request.kind.only_looks() && run.has_its_place()) {
            let name = &environment.name;
            let own = self.message.actor.is(&busy.asker.id);
            let first = if own { format!("cancel {}", busy.number) } else { format!("tell me when free {name}") };
            return Err(Denied::from(
                Refusal::refused(
                    format!("{name} is being changed, so there is no last change to undo yet"),
                    format!(
                        "run {} (`{}`) of {} is not over",
                        busy.number,
                        busy.request.kind.as_str(),
                        busy.asker.called()
                    ),
                )
                .hint(first)
                .hint(format!("show {}", busy.number)),
            )
            .on(name));
        }
        let last = runs::last_change(&mut *tx, &environment.name).await?;
        let Some(last) = last else { return Ok(None) };
        // As it began, and not as it was asked for: what was ahead of it then may have been cancelled.
        Ok(environments::before(&mut *tx, &environment.name, last.number).await?.unwrap_or(last.request.before))
    }
}

/// What is being destroyed because its time is over is not raised again, nor looked at.
pub(super) async fn refuse_what_ends(
    tx: &mut Tx,
    environment: &Environment,
    command: CommandName,
) -> Result<(), Denied> {
    let name = &environment.name;
    match made::stage_until_the_end(tx, name).await? {
        None | Some(Stage::Making | Stage::Living) => Ok(()),
        Some(Stage::Ending | Stage::Gone) => {
            let refusal = Refusal::refused(
                format!("`{command} {name}` comes too late"),
                "it is being destroyed: it was made for a time",
            );
            Err(Denied::from(refusal.hint("list new")).on(name))
        }
    }
}

/// What stands is not known, so that nothing can be measured against it, and nothing would be done before somebody looked.
pub(super) fn nobody_knows(environment: &Environment, command: CommandName, unknown: &RunSummary) -> Refusal {
    let number = unknown.number;
    Refusal::refused(
        format!("`{command} {}` has to wait", environment.name),
        format!("nobody saw how run {number} of {} ended, so that it is not known what stands", unknown.asker.called()),
    )
    .hint(format!("recover {number}"))
    .hint(format!("show {number}"))
}

/// A stack that a run was to raise and did not may stand above where it should be. Who asks for that very size asks for what is
/// over to go, and says so.
fn go_back(request: &mut RunRequest, environment: &Environment, standings: &Standings) {
    let changed: Vec<&StackName> = environment
        .settings
        .values()
        .filter(|setting| request.sizes.iter().any(|size| size.setting == setting.name))
        .map(|setting| &setting.stack)
        .collect();
    for (stack, direction) in &mut request.stacks {
        // A state that was put back says nothing about what a run failed to do: whoever said yes to it wants what was asked for.
        let in_doubt = standings.get(stack).is_some_and(|standing| standing.in_doubt && !standing.older_state);
        if in_doubt && !changed.contains(&stack) {
            *direction = Direction::Fall;
        }
    }
}

/// Sizes as they really are now: what was wanted is no size where an apply did not get there.
fn sizes_from_standing(environment: &Environment, request: &RunRequest, standings: &Standings) -> Vec<SizeChange> {
    let sizes = environment.settings.values().filter(|setting| request.stacks.contains_key(&setting.stack));
    sizes
        .filter_map(|setting| {
            let to = value_at(environment, setting, &request.target)?;
            let stands = standings.get(&setting.stack).filter(|standing| !standing.in_doubt);
            let from = stands.and_then(|s| s.settings.iter().find(|(name, _)| *name == setting.name));
            let from = from.map(|(_, value)| value.clone());
            (from.as_ref() != Some(&to)).then(|| SizeChange { setting: setting.name.clone(), from, to })
        })
        .collect()
}

/// Where an environment is to be once everything accepted so far is done: relative values count from there.
pub(super) async fn standing_after(
    tx: &mut Tx,
    environment: &EnvironmentName,
    active: &[RunSummary],
) -> Result<Option<Target>, LedgerError> {
    match last_of(active) {
        Some(target) => Ok(Some(target)),
        None => Ok(environments::wanted(tx, environment).await?.map(|wanted| wanted.target)),
    }
}

/// Where the last of these runs of one environment goes that has its place.
pub(super) fn last_of(active: &[RunSummary]) -> Option<Target> {
    let going = active.iter().filter(|run| run.request.kind.says_where() && run.has_its_place());
    going.max_by_key(|run| run.number).map(|run| run.request.target.clone())
}

/// When what is to stand after the runs queued ahead ends by itself, where somebody said so.
async fn standing_until(
    tx: &mut Tx,
    environment: &Environment,
    active: &[RunSummary],
) -> Result<Option<Timestamp>, LedgerError> {
    let now = crate::ledger::now(&mut *tx).await?;
    let last = active.iter().filter(|run| run.request.kind.says_where() && run.has_its_place());
    let last = match last.max_by_key(|run| run.number) {
        Some(run) => Some(run.clone()),
        None => match environments::wanted(&mut *tx, &environment.name).await?.and_then(|wanted| wanted.run) {
            Some(run) => runs::by_number(tx, run).await?,
            None => None,
        },
    };
    Ok(last.and_then(|run| run.request.until).filter(|until| *until > now))
}

/// Milliseconds until those ahead are done, if all of them have been done before. `None` where that is not known: when one
/// waits for people, or works for longer than last time.
pub(super) async fn starts_in(tx: &mut Tx, ahead: &[RunSummary]) -> Result<Option<i64>, LedgerError> {
    let now = crate::ledger::now(&mut *tx).await?;
    let mut sum = 0;
    for run in ahead {
        let took = runs::last_duration(&mut *tx, &run.request).await?;
        let spent = runs::worked(&mut *tx, &[run.id], now).await?.get(&run.id).copied().unwrap_or(0);
        match took {
            Some(took) if took > spent && (run.state.works() || matches!(run.state, RunState::Queued { .. })) => {
                sum += took - spent;
            }
            Some(_) | None => return Ok(None),
        }
    }
    Ok(Some(sum))
}

/// A run as an order would say it, for hints: `up shop full slaves=40`.
pub(super) fn as_typed(number: RunNumber, request: &RunRequest) -> String {
    let name = &request.environment;
    let settings: String =
        request.target.settings.iter().map(|(setting, value)| format!(" {setting}={value}")).collect();
    match request.kind {
        RunKind::Up => format!("up {name} {}{settings}", request.target.level),
        RunKind::Down => format!("down {name} {}", request.target.level),
        RunKind::Scale => format!("scale {name}{settings}"),
        RunKind::Plan => format!("plan {name} {}{settings}", request.target.level),
        RunKind::Destroy => format!("destroy {name}"),
        RunKind::Remove => format!("sweep {name} remove"),
        // By hand it is given by hand again.
        RunKind::Look | RunKind::Terraform | RunKind::Undo => format!("show {number}"),
        RunKind::Drift | RunKind::Adopt | RunKind::Sweep | RunKind::Preflight => {
            format!("{} {name}", request.kind.as_str())
        }
    }
}
