//! What is known of a run, folded from its events: the one thing that cards, recovery and the ledger's readers read.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::event::{EventRecord, Outcome, Phase, Provenance, Question, QuestionWhy, RunEvent};
use super::note::Note;
use super::state::{IllegalEvent, RunState};
use crate::domain::access::Want;
use crate::domain::changes::{Action, Change, Counts, Envelope, StackPlan, WentBack};
use crate::domain::drift::{Doer, Stray};
use crate::domain::failure::{Applied, Failure, FailureKind, LockHolder, Output, ResourceStage};
use crate::domain::ids::{ActorId, StackName, Timestamp};
use crate::domain::quota::Need;
use crate::domain::readiness::GroupCount;
use crate::domain::refusal::Refusal;
use crate::domain::request::RunRequest;

/// How far a stack is.
#[derive(Debug, Clone, PartialEq)]
pub enum StackState {
    /// Not begun.
    Waiting,
    /// In this part of the work since then.
    Working(Phase, Timestamp),
    /// Planned; not applied (yet).
    Planned,
    /// Planned, and there is nothing to do.
    NothingToDo,
    /// Applied, not checked yet.
    Applied,
    /// Applied and checked.
    Verified,
    /// Failed in this part of the work.
    Failed(Phase, Box<Failure>),
    /// Nobody saw how its apply ended.
    Unknown,
}

/// A resource that is being changed.
#[derive(Debug, Clone, PartialEq)]
pub struct InFlight {
    /// Its address.
    pub address: String,
    /// What is being done.
    pub action: Action,
    /// Since when.
    pub since: Timestamp,
}

/// What is known of one stack in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StackView {
    /// How far it is.
    pub state: StackState,
    /// Its latest plan.
    pub plan: Option<StackPlan>,
    /// What people saw of it when they were last asked, or when applying began: what a later plan may do.
    pub shown: Option<Envelope>,
    /// With what it is worked on.
    pub provenance: Option<Provenance>,
    /// Resource changes reported done while the apply runs.
    pub done: Vec<Change>,
    /// Resources being changed now, the one that waits longest first.
    pub in_flight: Vec<InFlight>,
    /// What a plan found left to do, where nobody had seen how the apply ended and somebody looked.
    pub left: Option<Vec<Change>>,
    /// What the apply did, once it ended, well or not.
    pub applied: Option<Applied>,
    /// What was checked.
    pub checked: Option<String>,
    /// How its Auto Scaling groups stood when they were last looked at.
    pub counts: Vec<GroupCount>,
    /// Settings that say what groups were changed to by hand: `slaves=9`.
    pub resized: Vec<String>,
    /// What carries its tags and stands in no state.
    pub strays: Vec<Stray>,
    /// Who CloudTrail names for what others changed; `None`: it was not asked.
    pub doers: Option<Doers>,
    /// What its plan needs of what the account has only so much of.
    pub needs: Vec<Need>,
    /// Who held its state lock when that was looked at without taking it.
    pub locks: Vec<LockHolder>,
    /// What stands in the way of a change of it.
    pub troubles: Vec<String>,
    /// What stands in its state and carries the tag of another stack, by ARN.
    pub elsewhere: Vec<String>,
    /// Why what was found in no state may well stand in one.
    pub doubt: Option<String>,
    /// Why what stands in no state is not known.
    pub unswept: Option<String>,
    /// What is worth a line now.
    pub note: Option<Note>,
    /// When its apply began.
    pub apply_began: Option<Timestamp>,
    /// When its apply ended.
    pub apply_ended: Option<Timestamp>,
}

/// What CloudTrail told of changes that others made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doers {
    /// Who it names, the newest first for each resource.
    pub named: Vec<Doer>,
    /// For how many of the resources it names nobody.
    pub nobody: u32,
    /// How many of the resources were not asked about.
    pub unasked: u32,
    /// Why it could not be asked.
    pub unknown: Option<String>,
}

/// Whose yes a run has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// Everybody who said it, in order.
    pub by: Vec<ActorId>,
    /// The last one said it in the place of all others.
    pub alone: bool,
    /// Why.
    pub because: Option<String>,
    /// The others whose yes was wanted, as far as the configuration named them.
    pub others: Vec<ActorId>,
    /// What rules wanted.
    pub wants: Vec<Want>,
    /// Groups that made their yes count, as their chats knew them then.
    pub through: BTreeMap<ActorId, Vec<ActorId>>,
    /// Older Terraform states than the ones that were left, which people know of.
    pub went_back: BTreeMap<StackName, WentBack>,
}

/// Who ended a run before it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopOfRun {
    /// Who.
    pub by: ActorId,
    /// Why.
    pub because: Option<String>,
    /// By a no to its question, not by stopping it.
    pub rejected: bool,
}

/// What is known of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// What was asked for.
    pub request: RunRequest,
    /// Where it is.
    pub state: RunState,
    /// Place of the last event folded in; 0 before the first.
    pub seq: i64,
    /// Its stacks, in the order of the request.
    pub stacks: IndexMap<StackName, StackView>,
    /// When it was accepted.
    pub accepted: Option<Timestamp>,
    /// When a runner first took it.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Milliseconds that it worked, up to the event that ended or interrupted the work last.
    pub worked_ms: i64,
    /// Since when it works; `None` while it waits or is over.
    pub works_since: Option<Timestamp>,
    /// Latest attempt number; 0 before the first claim.
    pub attempt: i64,
    /// Applying began: from then on its target is wanted.
    pub began: bool,
    /// The question that is open.
    pub question: Option<Question>,
    /// Who said yes last.
    pub approved: Option<Approved>,
    /// Who stopped or rejected it, and why.
    pub stopped_by: Option<StopOfRun>,
    /// Which rule refused it.
    pub refusal: Option<Refusal>,
    /// What is true at the end, where that needs saying.
    pub finding: Option<String>,
}

impl RunView {
    /// A run before its first event.
    #[must_use]
    pub fn new(request: RunRequest) -> Self {
        let stacks = request
            .stacks
            .keys()
            .map(|name| {
                let view = StackView {
                    state: StackState::Waiting,
                    plan: None,
                    shown: None,
                    provenance: None,
                    done: Vec::new(),
                    in_flight: Vec::new(),
                    left: None,
                    applied: None,
                    checked: None,
                    counts: Vec::new(),
                    resized: Vec::new(),
                    strays: Vec::new(),
                    elsewhere: Vec::new(),
                    doers: None,
                    needs: Vec::new(),
                    locks: Vec::new(),
                    troubles: Vec::new(),
                    doubt: None,
                    unswept: None,
                    note: None,
                    apply_began: None,
                    apply_ended: None,
                };
                (name.clone(), view)
            })
            .collect();
        Self {
            request,
            state: RunState::Queued { approved: None },
            seq: 0,
            stacks,
            accepted: None,
            started: None,
            ended: None,
            worked_ms: 0,
            works_since: None,
            attempt: 0,
            began: false,
            question: None,
            approved: None,
            stopped_by: None,
            refusal: None,
            finding: None,
        }
    }

    /// Folds in the next event. An event that was folded in before (same `seq` or lower) changes nothing.
    ///
    /// # Errors
    /// As [`RunState::on`]; the view is unchanged then.
    pub fn fold(&mut self, record: &EventRecord) -> Result<(), IllegalEvent> {
        if record.seq <= self.seq {
            return Ok(());
        }
        let (next, _) = self.state.on(&record.event)?;
        let starts_over = matches!((&self.state, &next), (RunState::Queued { .. }, RunState::Planning { .. }));
        self.state = next;
        self.seq = record.seq;
        self.note_work(record.at);
        self.note_event(record.at, &record.event);
        if starts_over {
            // After a yes everything is planned again; the old plans stay readable until the new ones are there.
            for stack in self.stacks.values_mut() {
                stack.state = StackState::Waiting;
            }
        }
        if self.state.ended() {
            self.ended = Some(record.at);
            self.question = None;
        }
        Ok(())
    }

    /// Counts only work: neither the queue nor the time in which people are asked.
    fn note_work(&mut self, at: Timestamp) {
        if let Some(since) = self.works_since.take() {
            self.worked_ms += at.ms_since(since);
        }
        self.works_since = self.state.works().then_some(at);
    }

    /// Milliseconds of work until `now`; `None` when it never began.
    #[must_use]
    pub fn worked(&self, now: Timestamp) -> Option<i64> {
        self.started?;
        Some(self.worked_ms + self.works_since.map_or(0, |since| now.ms_since(since)))
    }

    fn note_event(&mut self, at: Timestamp, event: &RunEvent) {
        match event {
            RunEvent::Accepted => self.accepted = Some(at),
            RunEvent::Claimed { attempt, .. } => {
                self.attempt = *attempt;
                self.started.get_or_insert(at);
            }
            RunEvent::Asked { question } => {
                self.question = Some(question.clone());
                self.show_plans();
            }
            RunEvent::ApplyBegan => {
                self.began = true;
                self.show_plans();
            }
            RunEvent::Seconded { yes, .. } => {
                if let Some(question) = &mut self.question {
                    question.yes.push(yes.clone());
                }
            }
            RunEvent::Approved { by, alone, because, through: groups, without, wants: by_then, .. } => {
                let question = self.question.take();
                // One that asks for more than before leaves standing what was said before; one about another plan does not.
                let before = self.approved.take();
                let mut went_back = before.as_ref().map(|before| before.went_back.clone()).unwrap_or_default();
                if let Some(QuestionWhy::WentBack { stacks }) = question.as_ref().map(|question| &question.why) {
                    went_back.extend(stacks.clone());
                }
                let before = before.filter(|_| !question.as_ref().is_some_and(Question::asks_anew));
                let (mut wants, said, mut through) =
                    before.map(|before| (before.wants, before.by, before.through)).unwrap_or_default();
                let (more, yes) = question.map(|question| (question.wants, question.yes)).unwrap_or_default();
                wants.extend(if by_then.is_empty() { more } else { by_then.clone() });
                through.extend(yes.iter().map(|yes| (yes.by.clone(), yes.through.clone())));
                through.insert(by.clone(), groups.clone());
                through.retain(|_, groups| !groups.is_empty());
                let now = yes.into_iter().map(|yes| yes.by).filter(|by| !without.contains(by)).chain([by.clone()]);
                let mut by = said;
                by.retain(|person| !without.contains(person));
                for person in now {
                    if !by.contains(&person) {
                        by.push(person);
                    }
                }
                let mut others: Vec<ActorId> = wants.iter().flat_map(|want| want.people.clone()).collect();
                others.retain(|other| !by.contains(other));
                others.sort();
                others.dedup();
                let because = because.clone();
                self.approved = Some(Approved { by, alone: *alone, because, others, wants, through, went_back });
            }
            RunEvent::Rejected { by, because } => {
                self.stopped_by = Some(StopOfRun { by: by.clone(), because: because.clone(), rejected: true });
                self.question = None;
            }
            RunEvent::StopAsked { by, because, .. } => {
                self.stopped_by = Some(StopOfRun { by: by.clone(), because: because.clone(), rejected: false });
                self.question = None;
            }
            RunEvent::StillUnknown { finding } => self.finding = Some(finding.clone()),
            RunEvent::Ended { refusal, finding, left, .. } => {
                for (stack, left) in left {
                    if let Some(view) = self.stacks.get_mut(stack) {
                        view.left = Some(left.clone());
                    }
                }
                self.refusal.clone_from(refusal);
                if finding.is_some() {
                    self.finding.clone_from(finding);
                }
            }
            // Without anything applied the outcome itself says so.
            RunEvent::QuestionExpired => {
                if self.state.outcome() == Some(Outcome::Partial) {
                    self.finding = Some("nobody said yes in time".to_owned());
                }
            }
            RunEvent::VerifyBegan | RunEvent::RecoverAsked { .. } => {}
            RunEvent::StackPrepared { stack, .. }
            | RunEvent::StackStarted { stack, .. }
            | RunEvent::StackNoted { stack, .. }
            | RunEvent::StackPlanned { stack, .. }
            | RunEvent::Resource { stack, .. }
            | RunEvent::StackApplied { stack, .. }
            | RunEvent::StackVerified { stack, .. }
            | RunEvent::StackFailed { stack, .. }
            | RunEvent::LostTrack { stack, .. } => {
                if let Some(view) = self.stacks.get_mut(stack) {
                    view.note_event(at, event);
                }
                if let RunEvent::LostTrack { finding, others, .. } = event {
                    self.finding = Some(finding.clone());
                    for other in others {
                        if let Some(view) = self.stacks.get_mut(other) {
                            view.note_event(at, event);
                        }
                    }
                }
            }
        }
    }

    /// What carries the tags of a stack and stands in no state of its environment that was looked at.
    pub fn strays(&self) -> impl Iterator<Item = (&StackName, &Stray)> {
        let is_elsewhere = |stray: &Stray| self.stacks.values().any(|stack| stack.elsewhere.contains(&stray.arn));
        let all = self.stacks.iter().flat_map(|(name, stack)| stack.strays.iter().map(move |stray| (name, stray)));
        // What is of no stack that there is, is seen by each.
        let mut seen = BTreeSet::new();
        all.filter(move |(_, stray)| !is_elsewhere(stray) && seen.insert(&stray.arn))
    }

    fn show_plans(&mut self) {
        for stack in self.stacks.values_mut() {
            stack.shown = stack.plan.as_ref().map(StackPlan::envelope);
        }
    }

    /// True once some stack's apply has begun: from then on something may have changed.
    #[must_use]
    pub fn anything_applied(&self) -> bool {
        self.stacks.values().any(|stack| stack.apply_began.is_some())
    }

    /// Whether `plan` was made against an older state of `stack` than the one that was left, and nobody has said yes to that.
    #[must_use]
    pub fn has_news_of_state(&self, stack: &StackName, plan: &StackPlan) -> bool {
        let known = self.approved.as_ref().and_then(|approved| approved.went_back.get(stack));
        plan.went_back().is_some_and(|back| known != Some(&back))
    }

    /// Planned changes of all stacks together.
    #[must_use]
    pub fn planned(&self) -> Counts {
        self.stacks
            .values()
            .filter_map(|s| s.plan.as_ref())
            .fold(Counts::default(), |sum, plan| sum.plus(plan.counts()))
    }

    /// Done changes of all stacks together, from what the applies reported at their end.
    #[must_use]
    pub fn done(&self) -> Counts {
        self.stacks.values().filter_map(|s| s.applied.as_ref()).fold(Counts::default(), |sum, a| sum.plus(a.counts()))
    }

    /// Non-secret outputs of the stacks that were applied, with the stack.
    pub fn outputs(&self) -> impl Iterator<Item = (&StackName, &Output)> {
        self.stacks
            .iter()
            .flat_map(|(name, stack)| stack.applied.iter().flat_map(move |a| a.outputs.iter().map(move |o| (name, o))))
            .filter(|(_, output)| output.value.is_some())
    }

    /// The first failure, in the order of the stacks.
    #[must_use]
    pub fn failure(&self) -> Option<(&StackName, Phase, &Failure)> {
        self.stacks.iter().find_map(|(name, stack)| match &stack.state {
            StackState::Failed(phase, failure) => Some((name, *phase, &**failure)),
            StackState::Waiting
            | StackState::Working(..)
            | StackState::Planned
            | StackState::NothingToDo
            | StackState::Applied
            | StackState::Verified
            | StackState::Unknown => None,
        })
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.state.outcome()
    }
}

impl StackView {
    fn note_event(&mut self, at: Timestamp, event: &RunEvent) {
        match event {
            RunEvent::StackPrepared { provenance, .. } => self.provenance = Some((**provenance).clone()),
            RunEvent::StackStarted { phase, .. } => {
                self.state = StackState::Working(*phase, at);
                self.note = None;
                if *phase == Phase::Apply {
                    self.apply_began.get_or_insert(at);
                    self.done.clear();
                    self.in_flight.clear();
                }
            }
            RunEvent::StackNoted { note, .. } => {
                if let Note::InService { groups, .. } = note {
                    self.counts.clone_from(groups);
                }
                match note {
                    Note::Resized { settings } => self.resized.clone_from(settings),
                    Note::Swept { strays, elsewhere, doubt, unknown } => {
                        self.strays.clone_from(strays);
                        self.elsewhere.clone_from(elsewhere);
                        self.doubt.clone_from(doubt);
                        self.unswept.clone_from(unknown);
                    }
                    Note::Preflight { troubles } => self.troubles.clone_from(troubles),
                    Note::Doers { doers: named, nobody, unasked, unknown } => {
                        let (named, unknown) = (named.clone(), unknown.clone());
                        self.doers = Some(Doers { named, nobody: *nobody, unasked: *unasked, unknown });
                    }
                    Note::Needs { needs } => self.needs.clone_from(needs),
                    Note::Locked { holders } => self.locks.clone_from(holders),
                    Note::Init { .. }
                    | Note::Workspace { .. }
                    | Note::LockHeld { .. }
                    | Note::Protected { .. }
                    | Note::InService { .. }
                    | Note::NotReady { .. }
                    | Note::Untainted { .. }
                    | Note::Text(_) => {}
                }
                self.note = Some(note.clone());
            }
            RunEvent::StackPlanned { plan, .. } => {
                self.state = if plan.has_work() { StackState::Planned } else { StackState::NothingToDo };
                self.note = None;
                self.plan = Some(plan.clone());
            }
            RunEvent::Resource { resource, .. } => {
                let known =
                    self.in_flight.iter().find(|r| r.address == resource.address && r.action == resource.action);
                // Terraform tells every now and then that it is still at it.
                let since = known.map_or(at, |known| known.since);
                self.in_flight.retain(|r| r.address != resource.address);
                match resource.stage {
                    ResourceStage::Started => self.in_flight.push(InFlight {
                        address: resource.address.clone(),
                        action: resource.action,
                        since,
                    }),
                    ResourceStage::Done => {
                        let (address, action) = (resource.address.clone(), resource.action);
                        self.done.push(Change { address, action, reason: None });
                    }
                    ResourceStage::Failed => {}
                }
            }
            RunEvent::StackApplied { applied, .. } => {
                self.state = StackState::Applied;
                self.in_flight.clear();
                self.note = None;
                self.applied = Some((**applied).clone());
                self.apply_ended = Some(at);
            }
            RunEvent::StackVerified { checked, .. } => {
                self.state = StackState::Verified;
                self.note = None;
                self.checked = Some(checked.clone());
            }
            RunEvent::StackFailed { phase, failure, applied, .. } => {
                self.state = StackState::Failed(*phase, failure.clone());
                self.in_flight.clear();
                self.note = None;
                if applied.is_some() {
                    self.applied = applied.as_deref().cloned();
                    self.apply_ended = Some(at);
                }
            }
            RunEvent::LostTrack { .. } => self.state = StackState::Unknown,
            RunEvent::Accepted
            | RunEvent::Claimed { .. }
            | RunEvent::ApplyBegan
            | RunEvent::VerifyBegan
            | RunEvent::Asked { .. }
            | RunEvent::Seconded { .. }
            | RunEvent::Approved { .. }
            | RunEvent::Rejected { .. }
            | RunEvent::QuestionExpired
            | RunEvent::StopAsked { .. }
            | RunEvent::RecoverAsked { .. }
            | RunEvent::StillUnknown { .. }
            | RunEvent::Ended { .. } => {}
        }
    }

    /// Who held its state lock when this run looked at it or met it last.
    pub fn holders(&self) -> impl Iterator<Item = &LockHolder> {
        let met = if let StackState::Failed(_, failure) = &self.state
            && let FailureKind::LockHeld(holder) = &failure.kind
        {
            Some(holder)
        } else {
            None
        };
        self.locks.iter().chain(met)
    }

    /// How many changes of the plan are done: what a look did not find left, what the apply told at its end, or what was reported so
    /// far.
    #[must_use]
    pub fn changes_done(&self) -> u32 {
        let planned = self.plan.as_ref().map_or(0, |plan| plan.counts().total());
        let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let not_done = self.not_done();
        if self.left.is_some() {
            let half_made = self.half_made().filter(|address| !not_done.iter().any(|left| left.address == *address));
            planned.saturating_sub(count(not_done.len() + half_made.count()))
        } else if self.applied.is_some() {
            planned.saturating_sub(count(not_done.len()))
        } else {
            count(self.done.len())
        }
    }

    /// Creations whose result may exist without the state knowing it: begun and not heard of again, or reported done and, as a look
    /// found, not in the state. What is changed or deleted is in the state until it is gone.
    pub fn outside(&self) -> impl Iterator<Item = (&str, Action)> {
        let makes = |action: Action| matches!(action, Action::Create | Action::Replace);
        let reported = self.applied.iter().flat_map(|applied| &applied.in_doubt);
        let reported = reported.map(|change| (change.address.as_str(), change.action));
        let lost = self.state == StackState::Unknown;
        let unseen = self.in_flight.iter().map(|resource| (resource.address.as_str(), resource.action));
        let unseen = unseen.filter(move |(address, _)| lost && (self.left.is_none() || self.is_left_to_make(address)));
        let missing = self.done.iter().map(|change| (change.address.as_str(), change.action));
        let missing = missing.filter(move |(address, _)| lost && self.is_left_to_make(address));
        reported.chain(unseen).chain(missing).filter(move |(_, action)| makes(*action))
    }

    /// Creations that were begun, whose end nobody saw, and that the state has, as a look found: they may be half done.
    pub fn half_made(&self) -> impl Iterator<Item = &str> {
        let looked = self.state == StackState::Unknown && self.left.is_some();
        let unseen = self.in_flight.iter().filter(move |resource| looked && resource.action == Action::Create);
        unseen.map(|resource| resource.address.as_str()).filter(|address| {
            // What Terraform itself makes again is left to do.
            !self.is_left_to_make(address) && !has(self.left.iter().flatten(), address, Action::Replace)
        })
    }

    /// A look found the resource still to be made, not only made again because it is known to be broken.
    fn is_left_to_make(&self, address: &str) -> bool {
        let left = || self.left.iter().flatten();
        let planned = self.plan.iter().flat_map(|plan| &plan.changes);
        has(left(), address, Action::Create)
            || (has(left(), address, Action::Replace) && has(planned, address, Action::Replace))
    }

    /// Creations that were begun and of which nothing more was heard: what there is of them may be half made.
    pub fn begun_only(&self) -> impl Iterator<Item = &str> {
        let reported = self.applied.iter().flat_map(|applied| &applied.in_doubt);
        let reported = reported.filter(|change| matches!(change.action, Action::Create | Action::Replace));
        let unseen = self.in_flight.iter().filter(|resource| resource.action == Action::Create);
        reported.map(|change| change.address.as_str()).chain(unseen.map(|resource| resource.address.as_str()))
    }

    /// Planned changes that were not reported done, or that a look found left. A replacement of which only one half was done is not
    /// done. Without a look moves, imports and forgettings are left out: Terraform reports nothing when it does them.
    #[must_use]
    pub fn not_done(&self) -> Vec<&Change> {
        let planned = self.plan.as_ref().map(|p| p.changes.as_slice()).unwrap_or_default();
        if let Some(left) = &self.left {
            return still_left(planned, left);
        }
        let done = self.applied.as_ref().map_or(self.done.as_slice(), |applied| applied.done.as_slice());
        // An address can be planned twice: an update, and the deletion of what a failed replacement left.
        let mut done: Vec<&Change> = done.iter().collect();
        let reported = planned.iter().filter(|change| change.action.is_reported());
        reported
            .filter(|change| !take(&mut done, |d| d.address == change.address && d.action == change.action))
            .collect()
    }
}

fn has<'c>(mut changes: impl Iterator<Item = &'c Change>, address: &str, action: Action) -> bool {
    changes.any(|change| change.address == address && change.action == action)
}

/// Takes the first that fits out of `changes`; false where none does.
fn take(changes: &mut Vec<&Change>, fits: impl Fn(&Change) -> bool) -> bool {
    let at = changes.iter().position(|change| fits(change));
    at.inspect(|at| {
        changes.swap_remove(*at);
    })
    .is_some()
}

/// The planned changes that `left` still has: as they are, or what is left of them, such as the creation of a replacement.
fn still_left<'p>(planned: &'p [Change], left: &[Change]) -> Vec<&'p Change> {
    let mut rest: Vec<&Change> = left.iter().collect();
    let whole: Vec<bool> = planned
        .iter()
        .map(|change| take(&mut rest, |left| left.address == change.address && left.action == change.action))
        .collect();
    let planned = planned.iter().zip(whole);
    planned
        .filter(|(change, whole)| *whole || take(&mut rest, |left| left.address == change.address))
        .map(|(change, _)| change)
        .collect()
}
