//! Takes away what carries a stack's tags and stands in no state. Each is deleted by a call of AWS's own, and looked for until AWS says that
//! it is gone: nothing is told to be gone that was not.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::others::{Swept, plan_of, unswept};
use super::prepare::InitWish;
use super::{Report, RunContext};
use crate::capacity::removal::{Call, Found, Removable, waits_for_others};
use crate::capacity::strays;
use crate::capacity::{CannotLook, Signed};
use crate::domain::changes::{Action, Change, StackPlan};
use crate::domain::drift::Stray;
use crate::domain::environment::Variables;
use crate::domain::failure::{Applied, Failure, FailureKind, ResourceEvent, ResourceStage};
use crate::domain::ids::StackName;
use crate::domain::run::{Note, RunEvent};

/// How long it is gone on without anything more being gone. AWS frees the interfaces of what ended within minutes.
const PATIENCE: Duration = Duration::from_mins(5);

/// Rest between two rounds: the first, and the longest.
const REST: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// One of those that go.
struct Goes<'s> {
    removable: Removable<'s>,
    change: &'s Change,
    /// Its deletion was taken by AWS.
    asked: bool,
    since: Instant,
    /// Why it is not gone.
    why: Option<CannotLook>,
    /// What was asked last, for the right that it takes.
    action: String,
}

impl RunContext {
    /// What would be removed of this stack.
    pub(super) async fn plan_removal(&self, name: &StackName, variables: &Variables) -> Result<StackPlan, Failure> {
        match self.prepare(name, variables, InitWish::WhereNeeded).await {
            Ok(_) => {}
            // In no workspace is no state that could tell what is not to be removed.
            Err(failure) if failure.kind == FailureKind::NoWorkspace => {
                self.note(name, unswept(failure.summary));
                return Ok(plan_of(Vec::new()));
            }
            Err(failure) => return Err(failure),
        }
        let (Swept { strays, elsewhere, doubt }, aws) = match self.swept_by(name).await {
            Ok(None) => return Ok(plan_of(Vec::new())),
            Ok(Some(swept)) => swept,
            Err(why) => {
                self.note(name, unswept(why));
                return Ok(plan_of(Vec::new()));
            }
        };
        // What is of no stack that there is, is seen by each of them, and goes once.
        let first = self.environment.stacks.keys().next() == Some(name);
        let mut there = Vec::new();
        for stray in strays {
            if let Some(stray) = still_there(&aws, stray).await {
                there.push(stray);
            }
        }
        let goes = there.iter().filter(|stray| first || !stray.of_none).map(|stray| &stray.stray);
        let changes = goes.filter(|stray| Removable::of(stray).is_some()).map(removed).collect();
        let strays = there.into_iter().map(|there| there.stray).collect();
        self.note(name, Note::Swept { strays, elsewhere, doubt, unknown: None });
        Ok(plan_of(changes))
    }

    /// Removes what `plan` names, as far as it can be, and says what is gone.
    pub(super) async fn remove(&self, name: &StackName, plan: &StackPlan) -> Result<Report, Failure> {
        self.has_the_run().await?;
        let cannot = |why: String| Failure::new(FailureKind::CannotLook, "AWS could not be asked").with_detail(why);
        // Looked at again at the last moment: what stands in a state by now is not removed.
        let Some((swept, aws)) = self.swept_by(name).await.map_err(cannot)? else {
            return Err(cannot("the stack has no AWS provider any more".to_owned()));
        };
        if let Some(doubt) = swept.doubt {
            return Err(Failure::new(FailureKind::Configuration, "its state is doubted by now").with_detail(doubt));
        }
        let strays: Vec<Stray> = swept.strays.into_iter().map(|of| of.stray).collect();
        let mut applied = Applied::default();
        let mut goes: Vec<Goes<'_>> = Vec::new();
        for change in &plan.changes {
            let found = strays.iter().find(|stray| stray.arn == change.address).and_then(Removable::of);
            let Some(removable) = found else {
                // AWS lists it no more, or a state has it by now: neither is ours to remove.
                let why = "it carries the tags no more, or a state has it by now";
                applied.failed.push(change.clone());
                tracing::warn!(arn = change.address, why, "not removed");
                continue;
            };
            self.tell(name, change, ResourceStage::Started, 0);
            let (asked, since, why) = (false, Instant::now(), None);
            goes.push(Goes { removable, change, asked, since, why, action: String::new() });
        }
        goes.sort_by_key(|goes| goes.removable.order);
        let is_shown = |stray: &&Stray| plan.changes.iter().any(|change| change.address == stray.arn);
        let listed: BTreeSet<String> = strays.iter().filter(is_shown).filter_map(|stray| stray.id.clone()).collect();
        let mut last_gone = Instant::now();
        let mut rest = REST.0;
        while !goes.is_empty() && self.stop.borrow().is_none() {
            let mut left = Vec::new();
            // In their order: what stands in others would only be refused as long as they are there.
            for mut one in goes {
                if self.stop.borrow().is_none() && self.removed(&aws, &mut one, &listed).await {
                    last_gone = Instant::now();
                    rest = REST.0;
                    self.tell(name, one.change, ResourceStage::Done, seconds_since(one.since));
                    applied.done.push(one.change.clone());
                } else {
                    left.push(one);
                }
            }
            goes = left;
            let passes =
                |one: &Goes<'_>| one.why.as_ref().is_none_or(|why| why.passes() || waits_for_others(why.said()));
            if last_gone.elapsed() > PATIENCE || !goes.iter().any(passes) {
                break;
            }
            let mut stop = self.stop.clone();
            tokio::select! {
                () = sleep(rest) => rest = (rest * 2).min(REST.1),
                Ok(_) = stop.wait_for(Option::is_some) => {}
            }
        }
        Ok(self.told_of_removal(name, plan, applied, &goes))
    }

    fn told_of_removal(&self, name: &StackName, plan: &StackPlan, mut applied: Applied, left: &[Goes<'_>]) -> Report {
        for one in left {
            self.tell(name, one.change, ResourceStage::Failed, seconds_since(one.since));
            applied.failed.push(one.change.clone());
        }
        if applied.failed.is_empty() {
            return Report::Applied(name.clone(), applied);
        }
        let lines = left.iter().map(|one| {
            let why = match &one.why {
                Some(CannotLook::Denied(said)) => format!("{said}; next: allow `{}`", one.action),
                Some(why) => format!("{why}: {}", why.said()),
                None if one.asked => "AWS took its deletion, and has it still".to_owned(),
                None => "it was not begun".to_owned(),
            };
            format!("{}: {why}", one.change.address)
        });
        let detail = lines.collect::<Vec<_>>().join("\n");
        let stopped = self.stop.borrow().is_some();
        let kind = if stopped { FailureKind::Interrupted } else { FailureKind::NotReady };
        let summary = format!("{} of {} removed", applied.done.len(), plan.changes.len());
        Report::ApplyFailed(name.clone(), Failure::new(kind, summary).with_detail(detail), applied)
    }

    /// Brings one further; true once AWS says that it is gone.
    async fn removed(&self, aws: &Signed, one: &mut Goes<'_>, listed: &BTreeSet<String>) -> bool {
        let (first, instances) = match look(aws, &one.removable).await {
            Ok(Found::Gone) => return true,
            Ok(Found::There { first, instances, .. }) => (first, instances),
            Err(why) => {
                one.why = Some(why);
                one.action = right(&one.removable.look());
                return false;
            }
        };
        if one.asked {
            one.why = None;
            return false;
        }
        // What a group has launched ends with it only where all of it was shown.
        let empties = !instances.is_empty() && instances.iter().all(|instance| listed.contains(instance));
        if !instances.is_empty() && !empties {
            let others: Vec<&str> =
                instances.iter().filter(|instance| !listed.contains(*instance)).map(String::as_str).collect();
            let why = format!("it has instances that were not found by the tags: {}", others.join(", "));
            one.why = Some(CannotLook::Other(why));
            return false;
        }
        let mut calls: Vec<Call> = first.into_iter().collect();
        calls.extend(empties.then(|| one.removable.empty()));
        calls.push(one.removable.delete());
        for call in calls {
            one.action = right(&call);
            match aws.call(&call).await {
                Ok(_) => one.why = None,
                Err(why) if one.removable.is_none(why.said()) => return true,
                Err(why) => {
                    one.why = Some(why);
                    return false;
                }
            }
        }
        one.asked = true;
        matches!(look(aws, &one.removable).await, Ok(Found::Gone))
    }

    fn tell(&self, stack: &StackName, change: &Change, stage: ResourceStage, elapsed_s: u32) {
        let resource = ResourceEvent { address: change.address.clone(), action: Action::Delete, stage, elapsed_s };
        self.event(RunEvent::Resource { stack: stack.clone(), resource });
    }
}

/// As the right to it is called.
fn right(call: &Call) -> String {
    format!("{}:{}", call.service.as_str(), call.action)
}

fn seconds_since(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_secs()).unwrap_or(u32::MAX)
}

async fn look(aws: &Signed, removable: &Removable<'_>) -> Result<Found, CannotLook> {
    match aws.call(&removable.look()).await {
        Ok(answer) => Ok(removable.found(&answer)),
        Err(why) if removable.is_none(why.said()) => Ok(Found::Gone),
        Err(why) => Err(why),
    }
}

/// With its age where AWS tells it; `None` for what is gone: AWS lists what has ended for a while. One that cannot be looked at stays.
pub(super) async fn still_there(aws: &Signed, mut of: strays::Of) -> Option<strays::Of> {
    let Some(removable) = Removable::of(&of.stray) else { return Some(of) };
    match look(aws, &removable).await {
        Ok(Found::Gone) => None,
        Ok(Found::There { since, .. }) => {
            of.stray.since = since;
            Some(of)
        }
        Err(error) => {
            tracing::debug!(arn = of.stray.arn, %error, "the age of something cannot be told");
            Some(of)
        }
    }
}

fn removed(stray: &Stray) -> Change {
    Change { address: stray.arn.clone(), action: Action::Delete, reason: stray.name.clone() }
}
