//! What a run does next: a pure function of what is known of it. After a restart the same function goes on.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::access::{Access, Want, Yes};
use crate::domain::answer::Actor;
use crate::domain::changes::{self, Change, Exactness, StackPlan, WentBack};
use crate::domain::environment::Environment;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::holds::Hold;
use crate::domain::ids::{ActorId, StackName, Timestamp};
use crate::domain::order::{Direction, upstream_of, waits_for};
use crate::domain::policy::{Confirm, Decision, Matter, Place, PlannedStack, policy};
use crate::domain::refusal::Refusal;
use crate::domain::request::RunKind;
use crate::domain::run::{
    Approved, Outcome, Phase, Question, QuestionWhy, RunEvent, RunState, RunView, StackState, StackView,
};

/// A step to take now.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Store these events, together.
    Record(Vec<RunEvent>),
    /// Make this stack ready where needed, and plan it.
    Plan(StackName),
    /// Apply this stack's saved plan.
    Apply(StackName),
    /// Wait until this stack is in service and answers.
    Verify(StackName),
}

/// Everything that the next step depends on.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// What is known of the run.
    pub view: &'a RunView,
    /// Its environment, as configured now.
    pub environment: &'a Environment,
    /// Who asked for the run.
    pub asker: &'a Actor,
    /// Where.
    pub place: &'a Place,
    /// Who may do what, beside what the environment says.
    pub access: &'a Access,
    /// What people hold, freeze, keep or stop.
    pub holds: &'a [Hold],
    /// What forbids that anything new is begun, whatever the plan is, by which rule: a hold that cannot be read, a test that runs.
    pub barred: Option<(&'static str, &'a Refusal)>,
    /// Stacks that are being worked on.
    pub busy: &'a BTreeSet<StackName>,
    /// Plans that have come back and are not stored yet.
    pub planned: &'a BTreeMap<StackName, Result<StackPlan, Failure>>,
    /// Now, by the ledger's clock.
    pub now: Timestamp,
    /// How long a question stays open, in milliseconds.
    pub ask_ms: i64,
}

/// What to do next; empty means: wait for what is under way, or for people.
#[must_use]
pub fn next(s: &Situation<'_>) -> Vec<Step> {
    match &s.view.state {
        RunState::Planning { stop, approved } => match stop {
            Some(_) => s.stopped(),
            None => s.planning(approved.as_deref()),
        },
        RunState::Applying { stop, approved } => match stop {
            Some(_) => s.stopped(),
            None => s.applying(approved.as_deref()),
        },
        // A wish to stop comes too late where everything is applied and nothing is waited for.
        RunState::Verifying { stop, .. } => match stop {
            Some(_) if s.waits_for_service() => s.stopped(),
            Some(_) | None => s.verifying(),
        },
        RunState::Queued { .. }
        | RunState::AwaitingApproval { .. }
        | RunState::Unknown { .. }
        | RunState::Ended { .. } => Vec::new(),
    }
}

impl Situation<'_> {
    fn needs(&self) -> BTreeMap<StackName, Vec<StackName>> {
        self.environment.stacks.iter().map(|(name, stack)| (name.clone(), stack.needs.clone())).collect()
    }

    fn goes_first(&self, stack: &StackName) -> BTreeSet<StackName> {
        let directions = self.view.request.stacks.iter().map(|(name, way)| (name.clone(), *way)).collect();
        waits_for(stack, &directions, &self.needs())
    }

    /// Stacks that are applied before `stack` and whose outputs it may read.
    fn feeds(&self, stack: &StackName) -> impl Iterator<Item = &StackView> {
        let upstream = upstream_of(stack, &self.needs());
        let first = self.goes_first(stack);
        self.view
            .stacks
            .iter()
            .filter(move |(name, _)| upstream.contains(*name) && first.contains(*name))
            .map(|(_, view)| view)
    }

    fn idle(&self) -> bool {
        self.busy.is_empty() && self.planned.is_empty()
    }

    fn stopped(&self) -> Vec<Step> {
        if self.busy.is_empty() { vec![end(Outcome::Cancelled)] } else { Vec::new() }
    }

    fn planning(&self, approved: Option<&str>) -> Vec<Step> {
        let mut steps: Vec<Step> = self
            .planned
            .iter()
            .filter(|(stack, _)| self.feeds(stack).all(|feed| is_planned(&feed.state) || is_failed(&feed.state)))
            .map(|(stack, result)| Step::Record(vec![self.first_plan(stack, result)]))
            .collect();
        steps.extend(
            self.view
                .stacks
                .iter()
                .filter(|(name, view)| {
                    matches!(view.state, StackState::Waiting | StackState::Working(Phase::Prepare | Phase::Plan, _))
                        && !self.busy.contains(*name)
                        && !self.planned.contains_key(*name)
                })
                .map(|(name, _)| Step::Plan(name.clone())),
        );
        if !steps.is_empty() || !self.idle() {
            return steps;
        }
        if self.view.stacks.values().any(|stack| is_failed(&stack.state)) {
            return vec![end(Outcome::Failed)];
        }
        vec![self.judge(approved)]
    }

    /// How far a plan made before anything was applied can be believed. Source: "the envelope's figures" in
    /// `docs/ARCHITECTURE.md`.
    fn first_plan(&self, stack: &StackName, result: &Result<StackPlan, Failure>) -> RunEvent {
        let (stack, inputs) = (stack.clone(), self.inputs(stack));
        let feeds_change = self.feeds(&stack).filter_map(|feed| feed.plan.as_ref()).any(|plan| match plan.exactness {
            Exactness::Exact => plan.outputs_change,
            Exactness::Provisional | Exactness::Unknown => true,
        });
        match result {
            Ok(plan) => {
                let exactness = if feeds_change { Exactness::Provisional } else { plan.exactness };
                RunEvent::StackPlanned { stack, plan: StackPlan { exactness, inputs, ..plan.clone() } }
            }
            Err(failure) if failure.kind == FailureKind::UpstreamMissing && feeds_change => RunEvent::StackPlanned {
                stack,
                plan: StackPlan {
                    exactness: Exactness::Unknown,
                    changes: Vec::new(),
                    drift: Vec::new(),
                    outputs_change: true,
                    destroy: false,
                    kept_for: Vec::new(),
                    inputs,
                    serial: None,
                    least_serial: None,
                    lineage: None,
                    left_lineage: None,
                    left_at: None,
                    values: BTreeMap::new(),
                    scales: false,
                },
            },
            Err(failure) => failed(stack, Phase::Plan, failure),
        }
    }

    /// With what the stack was planned: it was told before the plan came back.
    fn inputs(&self, stack: &StackName) -> Option<String> {
        Some(self.view.stacks.get(stack)?.provenance.as_ref()?.inputs())
    }

    /// Everything is planned: may it go on?
    fn judge(&self, approved: Option<&str>) -> Step {
        let request = &self.view.request;
        let plans = || self.view.stacks.iter().filter_map(|(name, view)| view.plan.as_ref().map(|plan| (name, plan)));
        let digest = changes::digest(plans().map(|(name, plan)| (name.as_str(), plan)));
        let decision = self.rules(plans());
        if request.kind.only_looks() {
            let refusal = match decision {
                Decision::Refuse { refusal, .. } if request.kind == RunKind::Plan => Some(refusal),
                Decision::Refuse { .. }
                | Decision::Allow
                | Decision::NeedsApproval { .. }
                | Decision::NeedsConfirmation(_) => None,
            };
            return Step::Record(vec![RunEvent::Ended {
                outcome: Outcome::Planned,
                refusal,
                rule: None,
                finding: None,
                left: BTreeMap::new(),
            }]);
        }
        if let Some(refusal) = self.removes_unsurely() {
            return refuse("state", refusal);
        }
        let otherwise = plans().filter(|(name, plan)| self.is_made_otherwise(name, plan)).map(|(name, _)| name.clone());
        let beyond = changed(plans().map(|(name, plan)| (name.clone(), self.beyond(name, plan))), otherwise.collect());
        let previewed = || request.asks.then_some(QuestionWhy::Previewed);
        let went_back = plans().any(|(name, plan)| self.view.has_news_of_state(name, plan));
        // What an older state does not know of is no work to a plan: that nothing is left to do can be told of ours only.
        if !went_back && plans().all(|(_, plan)| !plan.has_work()) {
            // Nor is a slave that never came: a plan does not see it.
            let watched = self.view.stacks.iter().any(|(name, view)| self.is_watched(name, view));
            return if watched { Step::Record(vec![RunEvent::VerifyBegan]) } else { end(Outcome::NothingToDo) };
        }
        if let (
            Decision::Allow | Decision::NeedsApproval { .. } | Decision::NeedsConfirmation(_),
            Some((rule, refusal)),
        ) = (&decision, self.barred)
        {
            return refuse(rule, refusal.clone());
        }
        let (first, wants) = match decision {
            Decision::Refuse { rule, refusal } => return refuse(rule, refusal),
            Decision::Allow => (previewed(), Vec::new()),
            Decision::NeedsApproval { wants, confirm: None } => {
                (Some(previewed().unwrap_or(QuestionWhy::Ruled)), wants)
            }
            Decision::NeedsApproval { wants, confirm: Some(confirm) } => (Some(why_of(confirm)), wants),
            Decision::NeedsConfirmation(confirm) => (Some(why_of(confirm)), Vec::new()),
        };
        let why = match approved {
            Some(_) if went_back => first,
            Some(approved) if approved == digest => None,
            // Less than what was agreed to is agreed to as well.
            Some(_) => beyond,
            None => first,
        };
        // A yes is one to what rules wanted then: it grew late, or the file asks for more now.
        let more: Vec<Want> = match (approved, &why) {
            (Some(_), None) => wants.iter().filter(|want| !self.was_wanted(want)).cloned().collect(),
            (Some(_), Some(_)) | (None, _) => Vec::new(),
        };
        match why {
            None if more.is_empty() => Step::Record(vec![RunEvent::ApplyBegan]),
            None => {
                let yes = self.said_before(&more);
                Step::Record(vec![self.ask(QuestionWhy::Ruled, more, yes, digest)])
            }
            Some(why) => Step::Record(vec![self.ask(why, wants, Vec::new(), digest)]),
        }
    }

    /// Why nothing is removed by a run that removes what no state knows: one of the states is doubted or was not read, and it may stand there.
    fn removes_unsurely(&self) -> Option<Refusal> {
        if self.view.request.kind != RunKind::Remove {
            return None;
        }
        let name = &self.environment.name;
        let refused =
            |why: String| Refusal::refused(format!("nothing of {name} is removed"), why).hint(format!("sweep {name}"));
        let stacks = || self.view.stacks.iter();
        let unsure = stacks().find_map(|(stack, view)| {
            let why = view.unswept.as_ref().or(view.doubt.as_ref())?;
            Some(refused(format!("{stack}: {why}; what is to go may stand in its state")))
        });
        unsure.or_else(|| {
            let goes = |arn: &String| {
                stacks().any(|(_, view)| {
                    view.plan.iter().flat_map(|plan| &plan.changes).any(|change| change.address == *arn)
                })
            };
            let (stack, arn) =
                stacks().find_map(|(stack, view)| Some((stack, view.elsewhere.iter().find(|arn| goes(arn))?)))?;
            Some(refused(format!("{arn} carries the tag of another stack and stands in the state of {stack}")))
        })
    }

    /// Whether those whose yes is wanted have said it to this plan, for whatever reason it was wanted then.
    fn was_wanted(&self, want: &Want) -> bool {
        let covers = |said: &Want| want.is_of_the_same(said) && said.count >= want.count;
        self.view
            .approved
            .as_ref()
            .is_some_and(|approved| approved.wants.iter().any(covers) && self.still_said(approved, want))
    }

    /// Whether enough of those who said yes are still people whose yes counts.
    fn still_said(&self, approved: &Approved, want: &Want) -> bool {
        let mut people: Vec<&ActorId> = Vec::new();
        for by in &approved.by {
            let through = approved.through.get(by).map_or(&[][..], Vec::as_slice);
            let again = people.iter().any(|other| self.access.persons.same(other, by));
            // Whoever asked has said it to a rule that takes that, and to no other.
            let takes = want.own || approved.alone || !self.may_be_asker(by);
            if !again && takes && want.counts(by, through, self.access, self.environment) {
                people.push(by);
            }
        }
        let enough = if approved.alone { 1 } else { usize::try_from(want.count).unwrap_or(usize::MAX) };
        people.len() >= enough
    }

    fn may_be_asker(&self, id: &ActorId) -> bool {
        self.asker.may_be(id) || self.access.persons.same(id, &self.asker.id)
    }

    /// What was said to these wants before. Whose yes counts no more is told where it is asked again.
    fn said_before(&self, wants: &[Want]) -> Vec<Yes> {
        let Some(approved) = &self.view.approved else { return Vec::new() };
        let was = |want: &Want| approved.wants.iter().any(|said| want.is_of_the_same(said));
        let at: Vec<usize> = wants.iter().enumerate().filter(|(_, want)| was(want)).map(|(at, _)| at).collect();
        if at.is_empty() {
            return Vec::new();
        }
        let yes = |by: &ActorId| Yes {
            by: by.clone(),
            wants: at.clone(),
            alone: false,
            because: None,
            through: approved.through.get(by).cloned().unwrap_or_default(),
        };
        approved.by.iter().map(yes).collect()
    }

    /// What `plan` does beyond what people saw of this stack: all of it, where they saw nothing.
    fn beyond(&self, stack: &StackName, plan: &StackPlan) -> Vec<Change> {
        let shown = self.view.stacks.get(stack).and_then(|view| view.shown.as_ref());
        shown.map_or_else(|| plan.changes.clone(), |shown| shown.beyond(plan))
    }

    /// Whether a stack is to be changed with other code or variables than what people saw.
    fn is_made_otherwise(&self, stack: &StackName, plan: &StackPlan) -> bool {
        let shown = self.view.stacks.get(stack).and_then(|view| view.shown.as_ref());
        plan.has_work() && shown.is_some_and(|shown| shown.is_made_otherwise(plan))
    }

    fn rules<'p>(&self, plans: impl Iterator<Item = (&'p StackName, &'p StackPlan)>) -> Decision {
        let planned: Vec<PlannedStack<'_>> = plans
            .filter_map(|(stack, plan)| {
                let direction = *self.view.request.stacks.get(stack)?;
                let begun = self.view.stacks.get(stack).is_some_and(has_begun);
                Some(PlannedStack { stack, direction, plan, begun })
            })
            .collect();
        let request = &self.view.request;
        policy(&Matter {
            actor: self.asker,
            place: self.place,
            command: request.kind.command(),
            environment: Some(self.environment),
            access: self.access,
            request: Some(request),
            asked: None,
            holds: self.holds,
            plan: Some(&planned),
            begun: matches!(self.view.state, RunState::Applying { .. }),
            now: self.now,
        })
    }

    /// The rules over the whole run, with these plans in the place of those that were made before.
    fn rules_with(&self, newer: &[(&StackName, &StackPlan)]) -> Decision {
        let older = self.view.stacks.iter().filter_map(|(name, view)| view.plan.as_ref().map(|plan| (name, plan)));
        let older = older.filter(|(name, _)| newer.iter().all(|(other, _)| other != name));
        self.rules(older.chain(newer.iter().copied()))
    }

    fn ask(&self, why: QuestionWhy, wants: Vec<Want>, yes: Vec<Yes>, digest: String) -> RunEvent {
        let within = wants.iter().filter_map(|want| want.within_ms).min();
        let expires = self.now.plus_ms(within.unwrap_or(self.ask_ms));
        // Where rules want more to the same plan, what was said to it stands.
        let again = self.view.approved.is_some() && why != QuestionWhy::Ruled;
        let mut question = Question { wants, yes, again, ..Question::plain(why, digest, expires) };
        // Whose yes counts no more can say it again: perhaps it is only this configuration that is older than theirs.
        question.hold_against(self.access, self.environment, |id| self.may_be_asker(id));
        RunEvent::Asked { question }
    }

    fn applying(&self, approved: Option<&str>) -> Vec<Step> {
        if let Some(steps) = self.planned_again(approved) {
            return steps;
        }
        if self.view.stacks.values().any(|stack| is_failed(&stack.state)) {
            return if self.idle() { vec![end(self.how_bad())] } else { Vec::new() };
        }
        if self.view.stacks.iter().all(|(name, stack)| self.is_there(name, stack)) {
            return vec![Step::Record(vec![RunEvent::VerifyBegan])];
        }
        let looks = self.looks();
        if looks.iter().any(|step| matches!(step, Step::Record(_))) {
            return looks;
        }
        // Those that this turn begins count for those after them.
        let mut begins = BTreeSet::new();
        let works: Vec<Step> = self
            .view
            .stacks
            .iter()
            .filter(|(name, _)| !self.busy.contains(*name) && !self.planned.contains_key(*name))
            .filter(|(name, _)| {
                let first = self.goes_first(name);
                self.view
                    .stacks
                    .iter()
                    .filter(|(other, _)| first.contains(*other))
                    .all(|(name, o)| self.lets_on(name, o))
            })
            .filter_map(|(name, view)| match (&view.state, view.plan.as_ref().map(|plan| plan.exactness)) {
                (StackState::Planned, Some(Exactness::Exact)) => Some(self.apply(name, &mut begins)),
                (
                    StackState::Planned | StackState::Waiting | StackState::Working(Phase::Prepare | Phase::Plan, _),
                    _,
                ) => Some(Step::Plan(name.clone())),
                (
                    StackState::Working(Phase::Apply | Phase::Verify, _)
                    | StackState::NothingToDo
                    | StackState::Applied
                    | StackState::Verified
                    | StackState::Failed(..)
                    | StackState::Unknown,
                    _,
                ) => None,
            })
            .collect();
        // What fails is told first: after it nothing more begins.
        if works.iter().any(|step| matches!(step, Step::Record(_))) {
            return works.into_iter().filter(|step| matches!(step, Step::Record(_))).collect();
        }
        looks.into_iter().chain(works).collect()
    }

    /// Applies a stack, unless a rule that came since it was planned forbids that. `begins` are those that begin together with it.
    fn apply<'s>(&'s self, name: &'s StackName, begins: &mut BTreeSet<&'s StackName>) -> Step {
        begins.insert(name);
        let plans = self.view.stacks.iter().filter(|(other, view)| begins.contains(other) || has_begun(view));
        let plans = plans.filter_map(|(other, view)| view.plan.as_ref().map(|plan| (other, plan)));
        match self.rules(plans) {
            Decision::Refuse { rule, refusal } => {
                begins.remove(name);
                Step::Record(vec![failed(name.clone(), Phase::Plan, &Failure::by_rule(rule, refusal))])
            }
            Decision::Allow | Decision::NeedsApproval { .. } | Decision::NeedsConfirmation(_) => {
                Step::Apply(name.clone())
            }
        }
    }

    /// Whether something of a stack is waited for after its apply. A stack that is destroyed has nothing to wait for: Terraform waits
    /// until it is gone.
    fn is_watched(&self, name: &StackName, view: &StackView) -> bool {
        let (Some(plan), Some(stack)) = (&view.plan, self.environment.stacks.get(name)) else { return false };
        // What only the state learns brings nothing into service.
        if self.view.request.kind.is_of_others() {
            return false;
        }
        // Whether anything is left is looked at however little there was to destroy.
        if self.view.request.clears {
            return true;
        }
        let probed = || stack.readiness.probes_at(&self.view.request.target.level).next().is_some();
        !plan.destroy && ((plan.scales && stack.readiness.groups) || probed())
    }

    /// A stack is done: applied, and in service where that is waited for.
    fn is_there(&self, name: &StackName, view: &StackView) -> bool {
        if self.is_watched(name, view) { view.state == StackState::Verified } else { is_through(&view.state) }
    }

    /// Whether the stacks after this one may begin. What falls keeps nobody waiting while its instances go: whoever lowers at night
    /// wants the rest lowered too.
    fn lets_on(&self, name: &StackName, view: &StackView) -> bool {
        let falls = self.view.request.stacks.get(name) == Some(&Direction::Fall);
        let looked_at = matches!(view.state, StackState::Working(Phase::Verify, _));
        self.is_there(name, view) || (falls && (is_through(&view.state) || looked_at))
    }

    /// Looks to begin, or to go on with after a restart.
    fn looks(&self) -> Vec<Step> {
        let due = self.view.stacks.iter().filter(|(name, view)| {
            let applied = matches!(
                view.state,
                StackState::Applied | StackState::NothingToDo | StackState::Working(Phase::Verify, _)
            );
            applied && self.is_watched(name, view) && !self.busy.contains(*name) && !self.planned.contains_key(*name)
        });
        due.map(|(name, view)| match check(name, view) {
            // What Terraform itself did not do is not waited for.
            failed @ RunEvent::StackFailed { .. } => Step::Record(vec![failed]),
            _ => Step::Verify(name.clone()),
        })
        .collect()
    }

    fn waits_for_service(&self) -> bool {
        self.view.stacks.iter().any(|(name, view)| self.is_watched(name, view) && view.state != StackState::Verified)
    }

    /// Stores plans that were made again after an upstream stack was applied; asks where they go beyond what was shown.
    fn planned_again(&self, approved: Option<&str>) -> Option<Vec<Step>> {
        if self.planned.is_empty() {
            return None;
        }
        // An empty plan of a state that could not be read is no word that nothing is left.
        if let Some(refusal) = self.removes_unsurely() {
            let failure = Failure::by_rule("state", refusal);
            let all = self.planned.keys().map(|stack| failed(stack.clone(), Phase::Plan, &failure));
            return Some(vec![Step::Record(all.collect())]);
        }
        let failed_already = self.view.stacks.values().any(|stack| is_failed(&stack.state));
        let mut events = Vec::new();
        let mut asked = Vec::new();
        for (stack, result) in self.planned {
            let plan = match result {
                Ok(plan) => StackPlan { inputs: self.inputs(stack), ..plan.clone() },
                Err(failure) => {
                    events.push(failed(stack.clone(), Phase::Plan, failure));
                    continue;
                }
            };
            if let Decision::Refuse { rule, refusal } = self.rules_with(&[(stack, &plan)]) {
                let failure = Failure::by_rule(rule, refusal);
                events.push(failed(stack.clone(), Phase::Plan, &failure));
                continue;
            }
            let news = self.view.has_news_of_state(stack, &plan);
            let beyond = if news { plan.changes.clone() } else { self.beyond(stack, &plan) };
            let agreed = || approved == Some(changes::digest([(stack.as_str(), &plan)]).as_str());
            // After a failure nothing more is applied, so that there is nothing to ask.
            let nothing_new = beyond.is_empty() && !self.is_made_otherwise(stack, &plan);
            if failed_already || (!news && (nothing_new || agreed())) {
                events.push(RunEvent::StackPlanned { stack: stack.clone(), plan });
            } else {
                asked.push((stack, plan, beyond));
            }
        }
        if !events.is_empty() {
            return Some(vec![Step::Record(events)]);
        }
        // While others are still being applied, the question waits: what they report must find the run applying.
        if !self.busy.is_empty() {
            return Some(Vec::new());
        }
        // With other news of other stacks beside it, those are told first; the older state is planned and asked about after them.
        let is_back = |stack: &StackName, plan: &StackPlan| self.view.has_news_of_state(stack, plan);
        if asked.iter().any(|(stack, plan, _)| !is_back(stack, plan)) {
            asked.retain(|(stack, plan, _)| !is_back(stack, plan));
        }
        let digest = changes::digest(asked.iter().map(|(stack, plan, _)| (stack.as_str(), plan)));
        let otherwise = asked.iter().filter(|(stack, plan, _)| self.is_made_otherwise(stack, plan));
        let otherwise = otherwise.map(|(stack, ..)| (*stack).clone()).collect();
        let back: BTreeMap<StackName, WentBack> = asked
            .iter()
            .filter(|(stack, plan, _)| is_back(stack, plan))
            .filter_map(|(stack, plan, _)| Some(((*stack).clone(), plan.went_back()?)))
            .collect();
        let why = if back.is_empty() {
            changed(asked.iter().map(|(stack, _, beyond)| ((*stack).clone(), beyond.clone())), otherwise)?
        } else {
            QuestionWhy::WentBack { stacks: back }
        };
        let newer: Vec<_> = asked.iter().map(|(stack, plan, _)| (*stack, plan)).collect();
        let wants = match self.rules_with(&newer) {
            Decision::NeedsApproval { wants, .. } => wants,
            Decision::Allow | Decision::NeedsConfirmation(_) => Vec::new(),
            // One by one they are allowed; together they are too much.
            Decision::Refuse { rule, refusal } => {
                let failure = Failure::by_rule(rule, refusal);
                let refused = asked.iter().map(|(stack, ..)| failed((*stack).clone(), Phase::Plan, &failure));
                return Some(vec![Step::Record(refused.collect())]);
            }
        };
        let mut events: Vec<RunEvent> =
            asked.into_iter().map(|(stack, plan, _)| RunEvent::StackPlanned { stack: stack.clone(), plan }).collect();
        events.push(self.ask(why, wants, Vec::new(), digest));
        Some(vec![Step::Record(events)])
    }

    fn verifying(&self) -> Vec<Step> {
        let looks = self.looks();
        if !looks.is_empty() || !self.idle() {
            return looks;
        }
        let checks: Vec<RunEvent> = self
            .view
            .stacks
            .iter()
            .filter(|(_, view)| matches!(view.state, StackState::Applied | StackState::Working(Phase::Verify, _)))
            .map(|(name, view)| check(name, view))
            .collect();
        if !checks.is_empty() {
            return vec![Step::Record(checks)];
        }
        let failed = self.view.stacks.values().any(|stack| is_failed(&stack.state));
        let applied = matches!(self.view.state, RunState::Verifying { applied: true, .. });
        let well = if applied { Outcome::Succeeded } else { Outcome::NothingToDo };
        vec![end(if failed { self.how_bad() } else { well })]
    }

    fn how_bad(&self) -> Outcome {
        let serves = self.view.stacks.values().flat_map(|stack| &stack.counts).any(|count| count.in_service > 0);
        if self.view.done().total() > 0 || serves { Outcome::Partial } else { Outcome::Failed }
    }
}

/// The question about stacks whose plans go beyond what was shown; `None` when none does.
fn changed(beyond: impl Iterator<Item = (StackName, Vec<Change>)>, otherwise: Vec<StackName>) -> Option<QuestionWhy> {
    let beyond: Vec<_> =
        beyond.flat_map(|(stack, changes)| changes.into_iter().map(move |change| (stack.clone(), change))).collect();
    (!beyond.is_empty() || !otherwise.is_empty()).then_some(QuestionWhy::PlanChanged { beyond, otherwise })
}

/// What was done of a stack's plan, and what was seen of it in service.
#[must_use]
pub fn checked(name: &StackName, view: &StackView, in_service: &str) -> RunEvent {
    match check(name, view) {
        RunEvent::StackVerified { stack, checked } if view.applied.is_some() => {
            RunEvent::StackVerified { stack, checked: format!("{checked}; {in_service}") }
        }
        RunEvent::StackVerified { stack, .. } => RunEvent::StackVerified { stack, checked: in_service.to_owned() },
        failed => failed,
    }
}

/// Compares what was planned with what Terraform reported as done, resource by resource.
fn check(name: &StackName, view: &StackView) -> RunEvent {
    let changes = view.plan.as_ref().map(|plan| plan.changes.as_slice()).unwrap_or_default();
    let silent = changes.iter().filter(|change| !change.action.is_reported()).count();
    let planned = changes.len() - silent;
    let missing: Vec<&str> = view.not_done().iter().map(|change| change.address.as_str()).collect();
    if missing.is_empty() {
        return RunEvent::StackVerified {
            stack: name.clone(),
            checked: match silent {
                0 => format!("{planned} of {planned} changes done"),
                _ => format!(
                    "{planned} of {planned} changes done; {silent} moved, imported or forgotten, which Terraform does not report"
                ),
            },
        };
    }
    let summary = format!("{} of {planned} planned changes were not reported done", missing.len());
    let failure = Failure::new(FailureKind::OutputNotUnderstood, summary).with_detail(missing.join("\n"));
    failed(name.clone(), Phase::Verify, &failure)
}

fn why_of(confirm: Confirm) -> QuestionWhy {
    match confirm {
        Confirm::WentBack(stacks) => QuestionWhy::WentBack { stacks },
        Confirm::Moved(stacks) => QuestionWhy::Moved { stacks },
        Confirm::Unannounced(destroys) => QuestionWhy::Unannounced { destroys },
        Confirm::ManyDestroys { destroys, above } => QuestionWhy::ManyDestroys { destroys, above },
        Confirm::OfAnother { owners } => QuestionWhy::OfAnother { owners },
    }
}

fn failed(stack: StackName, phase: Phase, failure: &Failure) -> RunEvent {
    RunEvent::StackFailed { stack, phase, failure: Box::new(failure.clone()), applied: None }
}

fn end(outcome: Outcome) -> Step {
    Step::Record(vec![RunEvent::ended(outcome)])
}

fn refuse(rule: &str, refusal: Refusal) -> Step {
    let (rule, refusal) = (Some(rule.to_owned()), Some(refusal));
    Step::Record(vec![RunEvent::Ended {
        outcome: Outcome::Refused,
        refusal,
        rule,
        finding: None,
        left: BTreeMap::new(),
    }])
}

/// Something of its plan is done, or may be.
fn has_begun(view: &StackView) -> bool {
    view.applied.is_some()
        || is_through(&view.state)
        || matches!(view.state, StackState::Working(Phase::Apply | Phase::Verify, _))
}

fn is_planned(state: &StackState) -> bool {
    matches!(state, StackState::Planned | StackState::NothingToDo)
}

fn is_failed(state: &StackState) -> bool {
    matches!(state, StackState::Failed(..))
}

fn is_through(state: &StackState) -> bool {
    matches!(state, StackState::NothingToDo | StackState::Applied | StackState::Verified)
}

#[cfg(test)]
mod tests;
