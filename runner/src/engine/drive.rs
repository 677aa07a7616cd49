//! Drives one run: stores what happens, asks [`super::course`] what comes next, starts it. The only writer of a run's events
//! beside the desk, fenced by the attempt number of its claim.

mod order;
mod settle;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{self, JoinSet};
use tracing::Instrument as _;

use super::alone::Alone;
use super::course::{self, Situation, Step};
use super::lost::{left_elsewhere, lost_track};
use super::seats::Seat;
use super::work::{self, Begun, Report, RunContext};
use super::{EngineError, Shared, gone};
use crate::at_work::Asker;
use crate::bell::Listener;
use crate::domain::answer::RunSummary;
use crate::domain::changes::StackPlan;
use crate::domain::environment::Environment;
use crate::domain::failure::{Applied, Failure, FailureKind};
use crate::domain::holds::Hold;
use crate::domain::ids::{StackName, Timestamp};
use crate::domain::made::{BUSY, under_test};
use crate::domain::policy::Place;
use crate::domain::refusal::Refusal;
use crate::domain::request::{RunKind, RunRequest};
use crate::domain::run::{EventRecord, Outcome, Phase, RunEvent, RunState, RunView, StackState};
use crate::ledger::holds::Unreadable;
use crate::ledger::runs::{self, AppendError, Fence};
use crate::ledger::{environments, holds, links, made};
use crate::standing;
use crate::terraform::Stop;
use crate::warden;
use crate::witness;

/// How often the ledger is asked whether somebody wants the run stopped, when no bell rings.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Most reports that are stored in one transaction.
const BATCH: usize = 256;

/// How far back failed launches tell why something is missing that this run did not make, in milliseconds: Auto Scaling tries again
/// more often than that.
const FAILURES_MS: i64 = 3_600_000;

/// How long progress is gathered before it is stored: people see it a little later, and neither the ledger nor Terraform, which
/// writes its state to the same disk, waits for a commit per resource. What decides something is stored at once.
const GATHER: Duration = Duration::from_millis(100);

/// A run in the hands of this process.
pub(super) struct Driver {
    shared: Arc<Shared>,
    run: RunSummary,
    fence: Fence,
    view: RunView,
    environment: Environment,
    context: Arc<RunContext>,
    reports: mpsc::UnboundedReceiver<Report>,
    stop: watch::Sender<Option<Stop>>,
    tasks: JoinSet<()>,
    /// What each of them works on: one that panics tells nothing itself.
    works_on: HashMap<task::Id, (StackName, Phase)>,
    busy: BTreeSet<StackName>,
    planned: BTreeMap<StackName, Result<StackPlan, Failure>>,
    /// Those of `busy` that are only looked at.
    looked_at: BTreeSet<StackName>,
    /// Who waits until what they are about to do is stored.
    ahead: Vec<oneshot::Sender<()>>,
    /// Applies whose end nobody saw. Told once nothing else is under way: what the others do must still be stored.
    lost: Vec<(StackName, String)>,
    bell: Listener,
    alone: Alone,
    /// What people hold, freeze, keep or stop, as it was when it was last looked at.
    holds: Vec<Hold>,
    /// Those that cannot be read.
    unreadable: Vec<Unreadable>,
    /// Why what was made for one test does not end now.
    under_test: Option<Refusal>,
    /// Its seat among the runs that are worked on; none while it waits half way for people.
    seat: Option<Seat>,
}

impl Driver {
    /// Takes a run that was just claimed or taken over, once nobody else on this machine has it. `None` when nothing can be done
    /// here: its environment has left the configuration, or it was being applied on another machine. What that means for the run is
    /// stored.
    pub(super) async fn take(
        shared: Arc<Shared>,
        run: RunSummary,
        fence: Fence,
        seat: Seat,
    ) -> Result<Option<Self>, EngineError> {
        let alone = Alone::with(&shared.paths, run.number).await?;
        // A yes, or whoever waited in the queue, may come right after a rule was written.
        if let Err(why) = shared.rules.newest.looked_at().await {
            tracing::warn!(run.number = run.number.0, why, "it is taken up by the configuration that was read before");
        }
        let Some(view) = runs::view(&shared.store, run.id).await? else { return Ok(None) };
        let environment = environment_of(&shared, &view.request).await?;
        let over = if environment.is_none() {
            gone::events(&shared, &view)
        } else {
            let events = runs::events(&shared.store, run.id, 0).await?;
            match left_elsewhere(&shared, &view, &events) {
                Some(event) => vec![event],
                None if is_taken_in_vain(&events) => given_up(&view),
                None => Vec::new(),
            }
        };
        let (Some(environment), true) = (environment.clone(), over.is_empty()) else {
            let mut tx = shared.store.begin().await?;
            let after = standing::append(&mut tx, &run, environment.as_ref(), &over, Some(&fence)).await?;
            tx.commit().await?;
            tracing::warn!(
                run.number = run.number.0,
                state = after.state.status(),
                "a run cannot be gone on with here"
            );
            if after.state.ended() {
                alone.clean_up();
            }
            return Ok(None);
        };
        let (run, view) = match counted_anew(&shared, &run, view, &environment, &fence).await? {
            Ok(counted) => counted,
            Err(refusal) => {
                let ended = RunEvent::Ended {
                    outcome: Outcome::Refused,
                    refusal: Some(refusal),
                    rule: Some(COUNTED_ANEW.to_owned()),
                    finding: None,
                    left: BTreeMap::new(),
                };
                let mut tx = shared.store.begin().await?;
                standing::append(&mut tx, &run, Some(&environment), &[ended], Some(&fence)).await?;
                tx.commit().await?;
                alone.clean_up();
                return Ok(None);
            }
        };
        let (sender, reports) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(view.state.stop().map(|stop| force_of(stop.force)));
        let context = Arc::new(shared.context(&run, &fence, &view, environment.clone(), sender, stopped).await?);
        let bell = shared.bell.listen();
        Ok(Some(Self {
            alone,
            shared,
            bell,
            run,
            fence,
            view,
            environment,
            context,
            reports,
            stop,
            tasks: JoinSet::new(),
            works_on: HashMap::new(),
            busy: BTreeSet::new(),
            planned: BTreeMap::new(),
            looked_at: BTreeSet::new(),
            ahead: Vec::new(),
            lost: Vec::new(),
            holds: Vec::new(),
            unreadable: Vec::new(),
            under_test: None,
            seat: Some(seat),
        }))
    }

    /// Drives until the run has ended, waits for a yes without holding the environment, or is unknown.
    pub(super) async fn drive(mut self) -> Result<(), EngineError> {
        let driven = self.drive_on().await;
        // Whoever is next on this machine begins when we let go: nothing of ours may start a child after that.
        self.tasks.shutdown().await;
        driven?;
        if let RunState::Unknown { stack, finding, .. } = &self.view.state {
            let (number, environment) = (self.run.number.0, &self.environment.name);
            tracing::warn!(run.number = number, %environment, %stack, finding, "UNKNOWN: `recover {number}` looks what became of it");
        }
        // A run that gave its place back is planned again: nothing of it is needed until then.
        if !self.view.state.holds_environment() {
            self.alone.clean_up();
        }
        Ok(())
    }

    async fn drive_on(&mut self) -> Result<(), EngineError> {
        self.settle_children().await?;
        self.look_for_order().await?;
        loop {
            self.have_seat().await?;
            // Without a seat too, where the process stops: nothing is begun then.
            if self.at_rest() {
                return Ok(());
            }
            let steps = if self.lost.is_empty() { self.next_steps().await? } else { self.tell_lost() };
            let waits = steps.is_empty();
            for step in steps {
                self.take_step(step).await?;
            }
            if waits && !self.at_rest() {
                self.wait().await?;
            }
        }
    }

    /// Gives the seat back while people are waited for, and has one again before anything goes on; a stop needs none.
    async fn have_seat(&mut self) -> Result<(), EngineError> {
        if let RunState::AwaitingApproval { applied: true, .. } = self.view.state {
            self.seat = None;
            return Ok(());
        }
        let mut told = false;
        while self.seat.is_none() && self.view.state.stop().is_none() && !self.at_rest() {
            let seats = Arc::clone(&self.shared.seats);
            let limit = self.shared.config().runner.parallel;
            if !std::mem::replace(&mut told, true) {
                tracing::info!(limit, "may go on, and waits until one of the others is over");
            }
            tokio::select! {
                // One that is free only now is of no use to a process that stops.
                seat = seats.take(limit) => {
                    self.seat = Some(seat).filter(|_| !self.shared.draining.load(Ordering::Relaxed));
                }
                () = self.bell.heard() => self.look().await?,
                () = tokio::time::sleep(LOOK_EVERY) => self.look().await?,
            }
        }
        Ok(())
    }

    /// With a stack lost nothing new is begun.
    fn tell_lost(&mut self) -> Vec<Step> {
        if !self.busy.is_empty() {
            return Vec::new();
        }
        lost_track(std::mem::take(&mut self.lost)).map(|event| Step::Record(vec![event])).into_iter().collect()
    }

    fn at_rest(&self) -> bool {
        match &self.view.state {
            RunState::Ended { .. } | RunState::Queued { .. } | RunState::Unknown { .. } => true,
            // A yes may come hours later: a process that stops does not wait for it, the next one does.
            RunState::AwaitingApproval { applied, .. } => !applied || self.shared.draining.load(Ordering::Relaxed),
            // Nor for a seat: nothing new is begun then.
            RunState::Planning { .. } | RunState::Applying { .. } | RunState::Verifying { .. } => {
                let waits = self.seat.is_none() && self.busy.is_empty() && self.view.state.stop().is_none();
                // Nor for what only comes into service: the next one goes on looking.
                let looks = !self.busy.is_empty() && self.busy.is_subset(&self.looked_at);
                (waits || looks) && self.shared.draining.load(Ordering::Relaxed)
            }
        }
    }

    async fn next_steps(&mut self) -> Result<Vec<Step>, EngineError> {
        self.look_at_holds().await?;
        let steps = self.steps_from(&self.view, self.shared.store.now().await?);
        if !steps.iter().any(goes_by_rules) {
            return Ok(steps);
        }
        self.look_at_rules().await;
        Ok(self.steps_from(&self.view, self.shared.store.now().await?))
    }

    /// Goes by the rules as the files have them now.
    async fn look_at_rules(&mut self) {
        self.environment = self.context.rules.now_of(&self.environment).await;
    }

    /// Before anything is applied it matters what others hold. If that cannot be read, the run is refused.
    async fn look_at_holds(&mut self) -> Result<(), EngineError> {
        if matches!(self.view.state, RunState::Planning { stop: None, .. }) {
            (self.holds, self.unreadable) = holds::readable(&self.shared.store).await?;
            // A hold of their other id is their own; by a link that cannot be read it is not.
            let (links, _) = links::readable(&self.shared.store).await?;
            let (config, now) = (self.shared.config(), self.shared.store.now().await?);
            self.run.asker = self.run.asker.clone().known(&config.access.persons, &links, now);
        }
        Ok(())
    }

    fn steps_from(&self, view: &RunView, now: Timestamp) -> Vec<Step> {
        let config = self.shared.config();
        let changes = view.request.kind.command().starts_change();
        let unreadable = self.unreadable.first().filter(|_| changes);
        let barred = unreadable.map(|first| warden::barred_by(first, Some(&self.environment.name), &config, None));
        let under_test = self.under_test.as_ref().map(|refusal| (BUSY, refusal));
        course::next(&Situation {
            view,
            environment: &self.environment,
            asker: &self.run.asker,
            place: &Place { door: "engine", channel: None, direct: false },
            access: &config.access,
            holds: &self.holds,
            // Nobody knows what a hold that cannot be read forbids.
            barred: barred.as_ref().map(|refusal| ("hold", refusal)).or(under_test),
            busy: &self.busy,
            planned: &self.planned,
            now,
            ask_ms: i64::from(config.runner.ask_expires_s) * 1_000,
        })
    }

    async fn take_step(&mut self, step: Step) -> Result<(), EngineError> {
        match step {
            Step::Record(events) => self.record(events).await.map(drop),
            Step::Plan(stack) => {
                self.start_plan(stack);
                Ok(())
            }
            Step::Apply(stack) => self.start_apply(stack).await,
            Step::Verify(stack) => self.start_looking(stack).await,
        }
    }

    /// Stores `events` and whatever follows from them without any work in between, in one transaction: each one waits for the
    /// disk. Applies that are next are stored as begun in it too, and started after it. False when `events` are not stored.
    async fn record(&mut self, events: Vec<RunEvent>) -> Result<bool, EngineError> {
        let now = self.shared.store.now().await?;
        self.look_at_holds().await?;
        let planned = self.planned.clone();
        let (mut all, mut applies) = self.with_what_follows(events.clone(), now);
        if !applies.is_empty() || all.iter().skip(events.len()).any(decides_by_rules) {
            self.look_at_rules().await;
            self.planned.clone_from(&planned);
            (all, applies) = self.with_what_follows(events.clone(), now);
        }
        if begins(&all) && self.ends_under_test().await? {
            // The course decides anew, with that in view, on what is planned.
            self.planned = planned;
            return if begins(&events) { Ok(false) } else { self.store(events).await };
        }
        let grown = all.len() > events.len();
        let is_stored = self.store(all).await?;
        if !is_stored && grown {
            // A stop overtook what was to follow. What happened has happened all the same.
            return self.store(events).await;
        }
        for stack in applies {
            self.launch_apply(stack);
        }
        Ok(is_stored)
    }

    /// Looks whether this run would begin to destroy what was made for one test under that test: it may have waited for long since it was
    /// asked for.
    async fn ends_under_test(&mut self) -> Result<bool, EngineError> {
        if !self.view.request.clears || self.view.request.kind != RunKind::Destroy || self.under_test.is_some() {
            return Ok(false);
        }
        let Some(made) = made::by_name(&self.shared.store, &self.environment.name).await? else { return Ok(false) };
        if made.anyway {
            return Ok(false);
        }
        let (config, now) = (self.shared.config(), self.shared.store.now().await?);
        let asker = Asker { store: &self.shared.store, secrets: &self.shared.secrets };
        let at_work = asker.test_in(&config, &made, &self.environment, now).await?;
        self.under_test = at_work.map(|at_work| under_test(&made.name, &at_work));
        Ok(self.under_test.is_some())
    }

    fn with_what_follows(&mut self, mut events: Vec<RunEvent>, now: Timestamp) -> (Vec<RunEvent>, Vec<StackName>) {
        let mut ahead = self.view.clone();
        let mut folded = 0;
        loop {
            for event in events.iter().skip(folded) {
                if let RunEvent::StackPlanned { stack, .. } | RunEvent::StackFailed { stack, .. } = event {
                    self.planned.remove(stack);
                }
                let record = EventRecord { run: self.run.id, seq: ahead.seq + 1, at: now, event: event.clone() };
                if ahead.fold(&record).is_err() {
                    // Storing it says what to make of that.
                    return (events, Vec::new());
                }
            }
            folded = events.len();
            if !self.lost.is_empty() {
                return (events, Vec::new());
            }
            let mut applies = Vec::new();
            for step in self.steps_from(&ahead, now) {
                match step {
                    Step::Record(more) => events.extend(more),
                    Step::Apply(stack) => applies.push(stack),
                    Step::Plan(_) | Step::Verify(_) => {}
                }
            }
            if events.len() == folded {
                events.extend(applies.iter().cloned().map(apply_begins));
                return (events, applies);
            }
        }
    }

    fn start_plan(&mut self, stack: StackName) {
        let of = stack.clone();
        self.busy.insert(stack.clone());
        // Not waited for: a crash before it is stored finds a stack that nothing was done to, and that is so.
        self.context.event(RunEvent::StackStarted { stack: stack.clone(), phase: Phase::Prepare });
        let (context, permits) = (Arc::clone(&self.context), Arc::clone(&self.shared.processes));
        let span = tracing::info_span!("step", %stack, phase = Phase::Plan.as_str());
        let begun = matches!(self.view.state, RunState::Applying { .. });
        let work = async move {
            // Terraform with a big provider takes a core and most of a gigabyte: no more of them than the machine can bear.
            let _permit = permits.acquire_owned().await;
            work::plan(&context, stack, begun).await;
        };
        self.begin(work.instrument(span), (of, Phase::Plan));
    }

    async fn start_apply(&mut self, stack: StackName) -> Result<(), EngineError> {
        if self.store(vec![apply_begins(stack.clone())]).await? {
            self.launch_apply(stack);
        }
        Ok(())
    }

    /// Starts an apply that the ledger has as begun, never the reverse: a crash in between finds an apply without a child.
    fn launch_apply(&mut self, stack: StackName) {
        let Some(view) = self.view.stacks.get(&stack) else { return };
        // With a wish to stop that came in with the same look at the ledger nothing is started, and the course ends the run.
        if matches!(view.state, StackState::Working(Phase::Apply, _)) && self.view.state.stop().is_none() {
            self.launch(stack, Begun::default());
        }
    }

    /// Goes on with a removal that an earlier process began, from what the ledger has of it. Also with a wish to stop: what AWS was asked for
    /// before is looked at then, and nothing more is asked of it.
    fn go_on_removing(&mut self, stack: StackName) {
        let Some(view) = self.view.stacks.get(&stack) else { return };
        let begun = Begun::of(view);
        self.launch(stack, begun);
    }

    fn launch(&mut self, stack: StackName, begun: Begun) {
        let Some(plan) = self.view.stacks.get(&stack).and_then(|view| view.plan.clone()) else { return };
        self.busy.insert(stack.clone());
        let context = Arc::clone(&self.context);
        let span = tracing::info_span!("step", %stack, phase = Phase::Apply.as_str());
        let of = (stack.clone(), Phase::Apply);
        self.begin(async move { work::apply(&context, stack, plan, begun).await }.instrument(span), of);
    }

    /// Looks whether a stack is in service. After a restart the time that it has counts from when it was first looked at.
    async fn start_looking(&mut self, stack: StackName) -> Result<(), EngineError> {
        let phase = Phase::Verify;
        let working = |view: &RunView| match view.stacks.get(&stack).map(|stack| &stack.state) {
            Some(StackState::Working(Phase::Verify, since)) => Some(*since),
            _ => None,
        };
        if working(&self.view).is_none()
            && !self.store(vec![RunEvent::StackStarted { stack: stack.clone(), phase }]).await?
        {
            return Ok(());
        }
        let Some(since) = working(&self.view).filter(|_| self.view.state.stop().is_none()) else { return Ok(()) };
        let spent = self.shared.store.now().await?.ms_since(since);
        let spent = Duration::from_millis(u64::try_from(spent).unwrap_or_default());
        // Without an apply of this run what is missing has been so for a while.
        let applied = self.view.stacks.get(&stack).and_then(|view| view.apply_began);
        let failures_since = applied.unwrap_or(since.plus_ms(-FAILURES_MS));
        self.busy.insert(stack.clone());
        self.looked_at.insert(stack.clone());
        let context = Arc::clone(&self.context);
        let span = tracing::info_span!("step", %stack, phase = phase.as_str());
        let of = (stack.clone(), phase);
        self.begin(async move { work::verify(&context, stack, spent, failures_since).await }.instrument(span), of);
        Ok(())
    }

    fn begin(&mut self, work: impl Future<Output = ()> + Send + 'static, of: (StackName, Phase)) {
        let task = self.tasks.spawn(work);
        self.works_on.insert(task.id(), of);
    }

    /// Waits for a report, for the bell, or for the next look at the ledger, and takes what came.
    async fn wait(&mut self) -> Result<(), EngineError> {
        let report = tokio::select! {
            report = self.reports.recv() => report,
            Some(ended) = self.tasks.join_next_with_id() => {
                match ended {
                    Ok((id, ())) => {
                        self.works_on.remove(&id);
                        None
                    }
                    Err(error) => match self.works_on.remove(&error.id()).filter(|_| error.is_panic()) {
                        Some((stack, phase)) => Some(panicked(stack, phase)),
                        None => return Err(EngineError::Task(error.to_string())),
                    },
                }
            }
            () = self.bell.heard() => None,
            () = tokio::time::sleep(LOOK_EVERY) => None,
        };
        match report {
            Some(report) => self.take_reports(report).await,
            None => self.look().await,
        }
    }

    /// Takes a report and those that come soon after it, so that bursts cost one transaction.
    async fn take_reports(&mut self, first: Report) -> Result<(), EngineError> {
        let mut events = Vec::new();
        let until = tokio::time::Instant::now() + GATHER;
        let mut next = Some(first);
        while let Some(report) = next {
            let decides = !matches!(report, Report::Event(_));
            self.take_report(report, &mut events);
            if decides || events.len() >= BATCH {
                break;
            }
            next = tokio::time::timeout_at(until, self.reports.recv()).await.ok().flatten();
        }
        let is_stored = self.record(events).await?;
        for stored in self.ahead.drain(..).filter(|_| is_stored) {
            // Who does not wait any more does nothing either.
            let _ = stored.send(());
        }
        Ok(())
    }

    fn take_report(&mut self, report: Report, events: &mut Vec<RunEvent>) {
        match report {
            Report::Event(event) => events.push(event),
            Report::Ahead(event, stored) => {
                events.push(event);
                self.ahead.push(stored);
            }
            Report::Planned(stack, result) => {
                self.busy.remove(&stack);
                self.planned.insert(stack, result);
            }
            Report::Applied(stack, applied) => {
                self.busy.remove(&stack);
                events.push(RunEvent::StackApplied { stack, applied: Box::new(applied) });
            }
            Report::ApplyFailed(stack, failure, applied) => {
                self.busy.remove(&stack);
                events.push(self.apply_failed(stack, failure, applied));
            }
            Report::Seen(stack, seen) => {
                self.busy.remove(&stack);
                self.looked_at.remove(&stack);
                events.extend(self.seen(stack, seen));
            }
            Report::Lost(stack, finding) => {
                self.busy.remove(&stack);
                self.lost.push((stack, finding));
            }
        }
    }

    /// A plan that went stale before anything was done is no failure: the stack is planned again, and people are asked where
    /// the new plan goes beyond what they saw.
    fn apply_failed(&mut self, stack: StackName, failure: Failure, applied: Applied) -> RunEvent {
        let untouched = applied.done.is_empty() && applied.in_doubt.is_empty() && applied.failed.is_empty();
        if failure.kind == FailureKind::StalePlan && untouched && self.view.state.stop().is_none() {
            return RunEvent::StackStarted { stack, phase: Phase::Prepare };
        }
        RunEvent::StackFailed {
            stack,
            phase: Phase::Apply,
            failure: Box::new(failure),
            applied: Some(Box::new(applied)),
        }
    }

    fn seen(&self, stack: StackName, seen: Result<String, Failure>) -> Option<RunEvent> {
        match seen {
            Ok(words) => self.view.stacks.get(&stack).map(|view| course::checked(&stack, view, &words)),
            Err(failure) => {
                let failure = Box::new(failure);
                Some(RunEvent::StackFailed { stack, phase: Phase::Verify, failure, applied: None })
            }
        }
    }

    /// Reads what others stored about this run: a wish to stop, a yes, and that somebody else has taken it over, who waits for us
    /// to let go.
    async fn look(&mut self) -> Result<(), EngineError> {
        for record in runs::events(&self.shared.store, self.run.id, self.view.seq).await? {
            self.view.fold(&record)?;
        }
        if self.view.attempt != self.fence.attempt {
            return Err(AppendError::Fenced(self.run.id).into());
        }
        let wish = self.view.state.stop().map(|stop| force_of(stop.force));
        if wish > *self.stop.borrow() {
            self.stop.send_replace(wish);
        }
        Ok(())
    }

    /// Stores events and what they mean for the environment's standing, in one transaction. Losing a race against the desk
    /// is normal: what it stored is read, and the same events are tried on top of it. False when they do not fit what was found
    /// there: nothing of them is stored then.
    async fn store(&mut self, events: Vec<RunEvent>) -> Result<bool, EngineError> {
        if events.is_empty() {
            return Ok(true);
        }
        loop {
            self.look().await?;
            if self.view.state.ended() || matches!(self.view.state, RunState::Unknown { .. }) {
                return Ok(false);
            }
            let mut tx = self.shared.store.begin().await?;
            if events.iter().any(|event| matches!(event, RunEvent::ApplyBegan))
                && holds::readable_until_the_end(&mut tx).await? != (self.holds.clone(), self.unreadable.clone())
            {
                // Somebody has a hold that this was not judged by, or had one: the course decides anew.
                return Ok(false);
            }
            let appended = match runs::append_many(&mut tx, self.run.id, &events, Some(&self.fence)).await {
                Ok(appended) => appended,
                Err(AppendError::LostRace(_)) => continue,
                Err(AppendError::Illegal(illegal)) if self.view.state.stop().is_some() => {
                    // A stop overtook these events; the course decides anew with the stop in view.
                    tracing::debug!(run.number = self.run.number.0, %illegal, "an event came after a stop");
                    return Ok(false);
                }
                Err(error) => return Err(error.into()),
            };
            let mut after = self.view.clone();
            for (seq, event) in (self.view.seq + 1..).zip(&events) {
                after.fold(&EventRecord { run: self.run.id, seq, at: appended.at, event: event.clone() })?;
            }
            if after.seq != appended.seq {
                // Somebody stored something since we looked: what it means together is not known yet.
                tx.rollback().await?;
                continue;
            }
            standing::note(&mut tx, &self.run, Some(&self.environment), &after, &events, appended.at).await?;
            witness::note(&mut tx, &self.run, &events, &appended.state).await?;
            if does_what_was_asked(&events) {
                warden::overridden(&mut tx, &self.shared.config(), &self.run).await?;
            }
            tx.commit().await?;
            // Read back rather than taken over: the desk may have stored something in between.
            self.look().await?;
            self.shared.bell.ring();
            return Ok(true);
        }
    }
}

/// The environment of a run. One that was made is what the ledger says it is: the configuration in force here may still have the one
/// that had its name before, or none.
pub(super) async fn environment_of(shared: &Shared, request: &RunRequest) -> Result<Option<Environment>, EngineError> {
    let (config, name) = (shared.config(), &request.environment);
    match made::by_name(&shared.store, name).await {
        Ok(row) => Ok(config.environment_in(name, row.as_ref(), request.clears)),
        // It is unmanaged, and the configuration in force tells why.
        Err(why) if why.is_of_a_row() => Ok(config.environments.get(name).cloned()),
        Err(error) => Err(error.into()),
    }
}

/// What a step tells that panicked: it has failed, and would again. Of an apply nobody knows: its Terraform goes on without us.
fn panicked(stack: StackName, phase: Phase) -> Report {
    let summary = "a fault of Tidegate's own ended it";
    tracing::error!(%stack, phase = phase.as_str(), "a step panicked: this is a defect, please report it with this log");
    match phase {
        Phase::Prepare | Phase::Plan => Report::Planned(stack, Err(Failure::new(FailureKind::Fault, summary))),
        Phase::Verify => Report::Seen(stack, Err(Failure::new(FailureKind::Fault, summary))),
        Phase::Apply => Report::Lost(stack, "a fault of Tidegate's own ended what followed it".to_owned()),
    }
}

/// So many takes in a row without any news: whoever takes it does not come far, and the next one would not either.
const TAKES_MAX: usize = 10;

/// Whether a run was taken again and again and nothing ever came of it.
fn is_taken_in_vain(events: &[EventRecord]) -> bool {
    let claims = events.iter().rev().take_while(|record| matches!(record.event, RunEvent::Claimed { .. }));
    claims.count() > TAKES_MAX
}

/// The events that end such a run, or tell that nobody knows how it stands.
fn given_up(view: &RunView) -> Vec<RunEvent> {
    let finding = format!(
        "it was taken up {TAKES_MAX} times and nothing came of it: a fault of Tidegate's own, its log says more"
    );
    let applying = view.stacks.iter().filter(|(_, stack)| matches!(stack.state, StackState::Working(Phase::Apply, _)));
    let lost: Vec<_> = applying.map(|(name, _)| (name.clone(), finding.clone())).collect();
    match (&view.state, lost_track(lost)) {
        (RunState::Applying { .. }, Some(lost)) => vec![lost],
        (RunState::Planning { .. } | RunState::Applying { .. } | RunState::Verifying { .. }, _) => {
            let outcome = if view.anything_applied() { Outcome::Partial } else { Outcome::Failed };
            vec![RunEvent::ended_as(outcome, finding)]
        }
        (
            RunState::Queued { .. }
            | RunState::AwaitingApproval { .. }
            | RunState::Unknown { .. }
            | RunState::Ended { .. },
            _,
        ) => Vec::new(),
    }
}

/// Whether a step is one that rules allow or forbid.
fn goes_by_rules(step: &Step) -> bool {
    match step {
        Step::Record(events) => events.iter().any(decides_by_rules),
        Step::Apply(_) => true,
        Step::Plan(_) | Step::Verify(_) => false,
    }
}

fn decides_by_rules(event: &RunEvent) -> bool {
    match event {
        RunEvent::ApplyBegan
        | RunEvent::Asked { .. }
        | RunEvent::Ended { outcome: Outcome::Refused | Outcome::Planned, .. } => true,
        RunEvent::StackFailed { phase: Phase::Plan, failure, .. } => failure.rule.is_some(),
        _ => false,
    }
}

/// The run begins to change things, or finds that all is as it was to be made.
fn does_what_was_asked(events: &[RunEvent]) -> bool {
    events
        .iter()
        .any(|event| matches!(event, RunEvent::ApplyBegan | RunEvent::Ended { outcome: Outcome::NothingToDo, .. }))
}

/// The run begins to change things.
fn begins(events: &[RunEvent]) -> bool {
    events.iter().any(|event| matches!(event, RunEvent::ApplyBegan))
}

fn apply_begins(stack: StackName) -> RunEvent {
    RunEvent::StackStarted { stack, phase: Phase::Apply }
}

/// The rule that a run breaks which cannot mean from here what it meant from where its environment was to be.
const COUNTED_ANEW: &str = "what was ahead has not come to pass";

/// A run of which nothing is applied, counted from where its environment is to be now, and stored so; or why that cannot be.
async fn counted_anew(
    shared: &Shared,
    run: &RunSummary,
    view: RunView,
    environment: &Environment,
    fence: &Fence,
) -> Result<Result<(RunSummary, RunView), Refusal>, EngineError> {
    let as_it_is = |view| Ok(Ok((run.clone(), view)));
    if view.began || !matches!(view.state, RunState::Planning { stop: None, .. }) {
        return as_it_is(view);
    }
    let mut tx = shared.store.begin().await?;
    // A retry counts from where its first try began.
    if runs::was_begun_before(&mut tx, &view.request).await? {
        return as_it_is(view);
    }
    let now = environments::wanted(&mut tx, &environment.name).await?.map(|wanted| wanted.target);
    if now == view.request.before {
        return as_it_is(view);
    }
    let request = match view.request.counted_anew(environment, now) {
        Ok(request) => request,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if !runs::count_anew(&mut tx, run.id, fence, &request).await? {
        return as_it_is(view);
    }
    tx.commit().await?;
    Ok(Ok((RunSummary { request: request.clone(), ..run.clone() }, RunView { request, ..view })))
}

fn force_of(force: bool) -> Stop {
    if force { Stop::Kill } else { Stop::Interrupt }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::RunId;

    fn records(events: Vec<RunEvent>) -> Vec<EventRecord> {
        let run = RunId(uuid::Uuid::nil());
        let record = |(seq, event)| EventRecord { run, seq, at: Timestamp(seq), event };
        (1..).zip(events).map(record).collect()
    }

    #[test]
    fn a_run_that_is_taken_again_and_again_without_news_is_not_taken_for_ever() {
        let claims = |count: i64| (1..=count).map(|attempt| RunEvent::Claimed { runner: "r#1".to_owned(), attempt });
        let taken = |count| records(std::iter::once(RunEvent::Accepted).chain(claims(count)).collect());
        assert!(!is_taken_in_vain(&taken(10)) && is_taken_in_vain(&taken(11)));
        // With something new in between it comes on.
        let mut news: Vec<RunEvent> = claims(11).collect();
        news.push(RunEvent::ApplyBegan);
        news.extend(claims(3));
        assert!(!is_taken_in_vain(&records(news)));
    }

    #[test]
    fn a_step_that_panics_has_failed_and_an_apply_is_unknown() {
        let stack = || "app".parse::<StackName>().expect("a name");
        for phase in [Phase::Prepare, Phase::Plan] {
            let report = panicked(stack(), phase);
            assert!(matches!(report, Report::Planned(_, Err(Failure { kind: FailureKind::Fault, .. }))), "{report:?}");
        }
        assert!(matches!(panicked(stack(), Phase::Verify), Report::Seen(_, Err(_))));
        assert!(matches!(panicked(stack(), Phase::Apply), Report::Lost(..)));
    }
}
